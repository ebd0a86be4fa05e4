//! The database, and the two doors to it: [`Db::read`] and [`Db::write`]. Everything behind a door is
//! plain synchronous code on a [`DbConnection`]. This folder knows that there are two databases; it
//! knows no noun.

pub(crate) mod address;
pub(crate) mod among;
mod checkpointer;
pub(crate) mod columns;
mod connection;
pub(crate) mod file;
mod gate;
mod job;
pub mod load;
mod local;
pub(crate) mod many;
pub mod migrations;
pub(crate) mod name;
pub(crate) mod order;
pub mod page;
mod pool;
pub mod positions;
pub mod recent;
pub mod rows;
pub(crate) mod schema;
pub(crate) mod snapshot;
pub(crate) mod standing;
pub mod state;
pub(crate) mod statement;
pub mod tables;
pub mod together;
pub mod unfinished;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;

pub use connection::DbConnection;
pub(crate) use connection::on_each_database;
pub(crate) use connection::{MultiBackend, MultiRawValue};
pub use diesel::QueryResult;
use prometheus_client::metrics::histogram::Histogram;

use crate::clock::{Clock, Timestamp};
use crate::error::Error;
use checkpointer::Checkpointer;
use gate::Gate;
use load::{About, Load, Tally};
use pool::Pool;
use state::{Commits, Matter, State};
use together::{NotWritten, Together};
use writer::Writer;

/// How long a request waits for a connection before it is told to come back.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
/// How many requests may wait at once.
const MOST_WAITING: usize = 2048;

/// The database this process was started on. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    url: Arc<str>,
    pool: Pool,
    gate: Arc<Gate>,
    clock: Clock,
    writer: Writer,
    /// On PostgreSQL, for look-ups that are made together.
    reader: Option<Writer>,
    /// On PostgreSQL, who wants to know the server's state.
    asking: Together<(), Option<State>>,
    /// Who wants to know whether what is in memory is still so.
    aging: Together<(), i64>,
    commits: Commits,
    tally: Tally,
    /// On SQLite.
    checkpointer: Option<Checkpointer>,
    is_file: bool,
}

impl Db {
    /// Opens `url` with up to `connections` connections; writes happen at the moments of `clock`. Does not migrate.
    pub fn open(url: &str, connections: u32, clock: Clock) -> Result<Self, Error> {
        let is_file = DbConnection::is_sqlite(url);
        let commits = Commits::to(url);
        let tally = Tally::default();
        Ok(Self {
            url: url.into(),
            pool: pool::open(url, connections)?,
            writer: Writer::start(url, &clock, &commits, &tally)?,
            reader: (!is_file)
                .then(|| Writer::start_reader(url, &clock))
                .transpose()?,
            asking: Together::by(state::ask_server, Matter::Nothing),
            aging: Together::by(recent::generation, Matter::Nothing),
            commits,
            tally,
            checkpointer: is_file.then(|| Checkpointer::start(url)).transpose()?,
            is_file,
            clock,
            gate: Arc::new(Gate::new(connections as usize, MOST_WAITING, LONGEST_WAIT)),
        })
    }

    /// Runs `work`, which looks up a few rows by their keys: on SQLite here and now, on PostgreSQL on a pooled
    /// connection off the async threads. `work` must not write: on SQLite the connection refuses.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut DbConnection) -> Result<T, Error> + Send + 'static,
    {
        match self.is_file {
            true => local::read(&self.url, work),
            false => self.read_at_length(work).await,
        }
    }

    /// Runs `work`, which may look at many rows: always off the async threads. It must not write either.
    pub async fn read_at_length<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut DbConnection) -> Result<T, Error> + Send + 'static,
    {
        let _turn = self.gate.enter().await?;
        let pool = self.pool.clone();
        web::block(move || pool::get(&pool)?.run(work))
            .await
            .map_err(Error::internal)?
    }

    /// Runs `work`, all of whose statements see the database as it is at one moment. Like [`Db::read_at_length`]
    /// otherwise.
    pub async fn read_consistently<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut DbConnection) -> Result<T, Error> + Send + 'static,
    {
        self.read_at_length(move |conn| snapshot::on_a_snapshot(conn, work))
            .await
    }

    /// Runs `work` in a transaction and answers once it is on disk. `work` is told the moment of the write, from
    /// which ids are made: moments are in the order in which writes become visible (see `order`). It may be run
    /// more than once (a group that is redone, a deadlock), so it keeps nothing between runs. It must be short
    /// and never touch the network, because on SQLite everybody waits for it.
    pub async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&mut DbConnection, Timestamp) -> Result<T, Error> + Send + 'static,
    {
        self.write_of(work, Matter::Anything).await
    }

    /// The same, for work that only makes later answers quicker: everything that can be asked is answered as before, and
    /// what was answered stays right (see [`Db::state`]).
    pub async fn write_unseen<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&mut DbConnection, Timestamp) -> Result<T, Error> + Send + 'static,
    {
        self.write_of(work, Matter::Nothing).await
    }

    async fn write_of<T, F>(&self, work: F, matter: Matter) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&mut DbConnection, Timestamp) -> Result<T, Error> + Send + 'static,
    {
        if self.is_file {
            return self.writer.run(work, matter).await;
        }
        let clock = self.clock.clone();
        self.read_at_length(move |conn| connection::in_transaction(conn, &clock, &work))
            .await
    }

    /// Looks `item` up: on SQLite here and now, on PostgreSQL together with whatever else waits, in one statement.
    pub async fn read_together<I, O>(&self, together: &Together<I, O>, item: I) -> Result<O, Error>
    where
        I: Send + 'static,
        O: Send + 'static,
    {
        match &self.reader {
            None => local::read(&self.url, |conn| together.alone(conn, item)),
            Some(reader) => together
                .write(reader, item, LONGEST_WAIT)
                .await
                .map_err(|failed| failed.error),
        }
    }

    /// Writes `item` together with others of its kind, in one transaction and, on PostgreSQL, in statements of many
    /// rows, and answers once it is on disk. An item whose turn has not come after `patience` is withdrawn.
    pub async fn write_together<I, O>(
        &self,
        together: &Together<I, O>,
        item: I,
        patience: Duration,
    ) -> Result<O, NotWritten>
    where
        I: Send + 'static,
        O: Send + 'static,
    {
        together.write(&self.writer, item, patience).await
    }

    /// The state that the database is in, if that can be told now.
    pub async fn state(&self) -> Option<State> {
        match &self.reader {
            None => self.commits.state(),
            Some(reader) => {
                let told = self.asking.write(reader, (), LONGEST_WAIT).await;
                told.ok().flatten()
            }
        }
    }

    /// A number that is another one whenever something has changed of which answers are remembered (see [`recent`]).
    async fn generation(&self) -> Result<i64, Error> {
        self.read_together(&self.aging, ()).await
    }

    /// Whether [`Db::state`] asks nobody else.
    pub fn knows_its_state(&self) -> bool {
        self.is_file
    }

    /// What the database is, if it answers.
    pub async fn about(&self) -> Result<About, Error> {
        self.read(|conn| {
            Ok(About {
                name: load::name(conn)?,
                is_migrated: migrations::is_current(conn),
            })
        })
        .await
    }

    /// Whether a write goes through, within `patience`: one that changes nothing is made.
    pub async fn takes_writes(&self, patience: Duration) -> bool {
        let nothing = self.write_unseen(|conn, _| Ok(load::is_read_only(conn)?));
        let told = tokio::time::timeout(patience, nothing).await;
        matches!(told, Ok(Ok(false)))
    }

    /// The database's own settings that make "answered" mean less than "on disk"; none: all is well.
    pub async fn dangers(&self) -> Result<Vec<String>, Error> {
        self.read(|conn| Ok(load::dangers(conn)?)).await
    }

    /// How busy the doors are.
    pub fn load(&self) -> Load {
        let (queue, queue_limit) = self.writer.waiting();
        let (commits, jobs) = self.tally.read();
        let (in_use, connections, waiting) = self.gate.load();
        Load {
            queue,
            queue_limit,
            commits,
            jobs,
            in_use,
            connections,
            waiting,
        }
    }

    /// How many writes shared a commit of the writer's, since the start.
    pub fn group_sizes(&self) -> Histogram {
        self.tally.group_sizes()
    }

    /// Makes what was overwritten unreadable, as far as that is in our hands: SQLite overwrites what is deleted
    /// (`secure_delete`), and here its log is emptied, now or, if somebody reads from it, within seconds. PostgreSQL
    /// keeps old rows until its vacuum.
    pub async fn scrub(&self) -> Result<(), Error> {
        let Some(checkpointer) = &self.checkpointer else {
            return Ok(());
        };
        let url = Arc::clone(&self.url);
        let emptied = web::block(move || {
            let mut conn =
                DbConnection::open(&url).map_err(|error| Error::Unavailable(error.to_string()))?;
            Ok::<bool, Error>(checkpointer::empty_the_log(&mut conn)?)
        });
        if !emptied.await.map_err(Error::internal)?.unwrap_or_default() {
            checkpointer.empty_soon();
        }
        Ok(())
    }
}
