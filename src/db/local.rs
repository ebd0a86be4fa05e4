//! A connection of each thread's own, for short reads on SQLite: a look-up by key takes less time than handing
//! it to another thread and back. Beside it stands what was looked up before, for as long as the database says
//! that nobody has written since.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;

use super::{DbConnection, pool};
use crate::error::Error;

/// How many answers a thread remembers. Wrong keys are remembered too, so there must be an end.
const MOST_REMEMBERED: usize = 1024;

thread_local! {
    static LOCALS: RefCell<HashMap<Arc<str>, Local>> = RefCell::default();
}

struct Local {
    conn: DbConnection,
    version: i64,
    remembered: HashMap<String, Box<dyn Any>>,
}

/// Runs `work` here and now on this thread's connection to `url`, which is opened at the first call.
pub(super) fn read<T>(
    url: &Arc<str>,
    work: impl FnOnce(&mut DbConnection) -> Result<T, Error>,
) -> Result<T, Error> {
    with_local(url, |local| work(&mut local.conn))
}

/// The same, but `work` is not run if its answer to `question` is known and nobody has written since.
pub(super) fn remember<T: Clone + 'static>(
    url: &Arc<str>,
    question: String,
    work: impl FnOnce(&mut DbConnection) -> Result<T, Error>,
) -> Result<T, Error> {
    with_local(url, |local| {
        let version = data_version(&mut local.conn)?;
        if version != local.version || local.remembered.len() >= MOST_REMEMBERED {
            local.remembered.clear();
            local.version = version;
        }
        let known = local.remembered.get(&question);
        if let Some(answer) = known.and_then(|answer| answer.downcast_ref::<T>()) {
            return Ok(answer.clone());
        }
        // A write between the version and this read is newer than the version says: looked up again next time.
        let answer = work(&mut local.conn)?;
        local.remembered.insert(question, Box::new(answer.clone()));
        Ok(answer)
    })
}

fn with_local<T>(
    url: &Arc<str>,
    work: impl FnOnce(&mut Local) -> Result<T, Error>,
) -> Result<T, Error> {
    // Taken out for the time of the work: if it panics, the connection goes with it.
    let kept = LOCALS.with_borrow_mut(|locals| locals.remove(url));
    let mut local = match kept {
        Some(local) => local,
        None => Local {
            conn: pool::open_reader(url).map_err(|error| Error::Unavailable(error.to_string()))?,
            version: 0,
            remembered: HashMap::new(),
        },
    };
    let outcome = work(&mut local);
    LOCALS.with_borrow_mut(|locals| locals.insert(Arc::clone(url), local));
    outcome
}

#[derive(QueryableByName)]
struct DataVersion {
    #[diesel(sql_type = BigInt)]
    data_version: i64,
}

/// A number that changes, for this connection, whenever any other has committed; whatever process it is in.
fn data_version(conn: &mut DbConnection) -> QueryResult<i64> {
    let answer: DataVersion = sql_query("PRAGMA data_version").get_result(conn)?;
    Ok(answer.data_version)
}
