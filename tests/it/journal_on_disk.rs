//! The scan journal at a power cut and on a full disk: a phone that was sent on while the database took nothing has its
//! scan, once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use handbill::db::DbConnection;
use reqwest::redirect::Policy;

use crate::command_line::{handbill, json};
use crate::killed::must_add_up;
use crate::support::disk::Disk;
use crate::support::powered::Powered;
use crate::support::process::Process;
use crate::support::{Caller, Database, client};

/// A poster, and the scans whose phones were sent on.
struct Wall {
    client: reqwest::Client,
    code: String,
    sent_on: BTreeSet<String>,
}

impl Wall {
    /// In a database with nothing in it.
    async fn of(database: &Database) -> Self {
        let made = handbill(&database.url, &["keys", "create", "--name", "A", "--json"]);
        let key = json(&made)["key"].as_str().expect("a key").to_owned();
        let server = Process::start(database);
        let caller = Caller::new(&server.base, Some(key));
        let poster = caller.a_poster().await;
        assert!(server.stop());
        Self {
            client: client()
                .redirect(Policy::none())
                .no_proxy()
                .build()
                .expect("a client"),
            code: poster["code"].as_str().expect("a code").to_owned(),
            sent_on: BTreeSet::new(),
        }
    }

    /// A phone scans, and is sent on or told to try again. Whether it is sent on; `None`: nobody answers.
    async fn scan(&mut self, server: &Process) -> Option<bool> {
        let request = self.client.get(format!("{}/q/{}", server.base, self.code));
        let answer = request.send().await.ok()?;
        if answer.status() == 503 {
            assert!(answer.headers().contains_key("retry-after"));
            return Some(false);
        }
        assert_eq!(answer.status(), 302);
        let to = answer.headers()["location"].to_str().expect("text");
        let (_, id) = to.split_once("impression_id=").expect("an impression");
        assert!(self.sent_on.insert(id.to_owned()), "{id} twice");
        Some(true)
    }

    async fn scan_well(&mut self, server: &Process, times: usize) {
        for _ in 0..times {
            assert_eq!(self.scan(server).await, Some(true));
        }
    }

    /// Until the power is cut.
    async fn scan_on(&mut self, server: &Process) {
        while self.scan(server).await.is_some() {}
    }

    /// Waits until the server has stored what was in the journal, or had time enough for it.
    async fn replayed(&self, database: &Database) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let is_all_there = || {
            self.sent_on
                .is_subset(&stored(database).into_iter().collect())
        };
        while !is_all_there() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Every phone that was sent on has its scan. How many scans there are beyond those.
    fn others_than_sent_on(&self, database: &Database) -> usize {
        let stored = stored(database);
        let ids: BTreeSet<String> = stored.iter().cloned().collect();
        assert_eq!(ids.len(), stored.len(), "no scan is there twice");
        let missing: Vec<_> = self.sent_on.difference(&ids).collect();
        assert!(missing.is_empty(), "{missing:?} of {}", self.sent_on.len());
        must_add_up(database);
        ids.len() - self.sent_on.len()
    }
}

/// The ids of all scans in the table itself.
fn stored(database: &Database) -> Vec<String> {
    #[derive(diesel::QueryableByName)]
    struct Scan {
        #[diesel(sql_type = Text)]
        id: String,
    }
    let query = diesel::sql_query("SELECT id FROM impressions");
    let scans: Vec<Scan> = query.load(&mut database.connect()).expect("the scans");
    scans.into_iter().map(|scan| scan.id).collect()
}

fn lock(database: &Database) -> DbConnection {
    let mut conn = database.connect();
    conn.batch_execute("BEGIN IMMEDIATE").expect("the lock");
    conn
}

/// A file that somebody else holds, and the journal beside it on the same disk.
#[actix_web::test]
async fn scans_of_a_locked_file_survive_a_power_cut_and_are_stored_once() {
    let database = Database::sqlite();
    let mut wall = Wall::of(&database).await;
    let disk = Disk::under(database.folder());
    for _ in 0..3 {
        let server = Process::start_with(&database, &disk.power_on());
        wall.scan_well(&server, 2).await;
        let lock = lock(&database);
        wall.scan_well(&server, 20).await;
        let _ = tokio::time::timeout(Duration::from_millis(100), wall.scan_on(&server)).await;
        disk.cut(|| {
            server.kill();
            drop(lock);
        });
        let server = Process::start(&database);
        wall.replayed(&database).await;
        // The phone that was on its way at the cut heard no answer, and may have its scan all the same.
        let others = wall.others_than_sent_on(&database);
        assert!(others <= 3, "{others}");
        assert!(server.stop());
    }
}

/// A cluster that lost its power before the server did.
#[actix_web::test]
async fn scans_while_the_cluster_is_away_survive_a_power_cut_and_are_stored_once() {
    let mut cluster = Powered::start(&[]);
    let database = cluster.database();
    let mut wall = Wall::of(&database).await;
    let disk = Disk::under(database.folder());
    for _ in 0..2 {
        let server = Process::start_with(&database, &disk.power_on());
        wall.scan_well(&server, 2).await;
        cluster.cut(|| {});
        wall.scan_well(&server, 20).await;
        disk.cut(|| server.kill());
        cluster.power_on();
        let server = Process::start(&database);
        wall.replayed(&database).await;
        assert_eq!(wall.others_than_sent_on(&database), 0);
        assert!(server.stop());
    }
}

/// The negative control: a journal that is not synced.
#[actix_web::test]
async fn a_journal_that_is_not_synced_loses_scans() {
    let database = Database::sqlite();
    let mut wall = Wall::of(&database).await;
    let disk = Disk::under(database.folder()).that_forgets("/scans");
    let server = Process::start_with(&database, &disk.power_on());
    wall.scan_well(&server, 2).await;
    let lock = lock(&database);
    wall.scan_well(&server, 20).await;
    disk.cut(|| {
        server.kill();
        drop(lock);
    });
    let left = std::fs::read(database.journal()).unwrap_or_default();
    assert_eq!((left.len(), stored(&database).len()), (0, 2));
}

/// A full disk takes scans neither into the file nor into the journal.
#[actix_web::test]
async fn on_a_full_disk_no_phone_is_sent_on_whose_scan_is_not_kept() {
    let database = Database::sqlite();
    let mut wall = Wall::of(&database).await;
    let disk = Disk::under(database.folder());
    let server = Process::start_with(&database, &disk.power_on());
    for _ in 0..3 {
        wall.scan_well(&server, 3).await;
        let lock = lock(&database);
        wall.scan_well(&server, 5).await;
        disk.is_full(true);
        for _ in 0..5 {
            assert_eq!(wall.scan(&server).await, Some(false), "an honest no");
        }
        drop(lock);
        for _ in 0..5 {
            assert_eq!(wall.scan(&server).await, Some(false), "an honest no");
        }
        disk.is_full(false);
        wall.scan_well(&server, 5).await;
    }
    wall.replayed(&database).await;
    assert_eq!(wall.others_than_sent_on(&database), 0);
    disk.cut(|| server.kill());
    assert_eq!(wall.others_than_sent_on(&database), 0);
}

/// The journal's disk is full while the cluster is away.
#[actix_web::test]
async fn with_no_room_for_the_journal_no_phone_is_sent_on_whose_scan_is_not_kept() {
    let mut cluster = Powered::start(&[]);
    let database = cluster.database();
    let mut wall = Wall::of(&database).await;
    let disk = Disk::under(database.folder());
    let server = Process::start_with(&database, &disk.power_on());
    wall.scan_well(&server, 2).await;
    cluster.cut(|| {});
    wall.scan_well(&server, 5).await;
    disk.is_full(true);
    for _ in 0..5 {
        assert_eq!(wall.scan(&server).await, Some(false), "an honest no");
    }
    disk.is_full(false);
    wall.scan_well(&server, 5).await;
    disk.cut(|| server.kill());
    cluster.power_on();
    let server = Process::start(&database);
    wall.replayed(&database).await;
    assert_eq!(wall.others_than_sent_on(&database), 0);
    assert!(server.stop());
}
