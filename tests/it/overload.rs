//! Twice as much as the server can do, for a while: everybody has an answer, what was acknowledged is there, memory stays
//! bounded, and afterwards it is as if nothing had been.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::RunQueryDsl;
use diesel::sql_types::Text;
use futures_util::future::join_all;
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::command_line::{handbill, json};
use crate::killed::{must_add_up, say};
use crate::support::process::Process;
use crate::support::{Caller, Database, a_signup, client, number};

/// How long a request may wait for the database, as the documents say; the rest is for a slow machine.
const LONGEST: Duration = Duration::from_secs(3 + 7);
/// Kilobytes by which a server may grow while it has too much to do: its caches and queues fill …
const FILLING: u64 = 64 << 10;
/// … and each connection has buffers, which the allocator keeps when it is gone.
const PER_CONNECTION: u64 = 64;

/// Somebody who asks for everything in turn, and what became of it.
struct Flood {
    client: reqwest::Client,
    base: String,
    key: String,
    scan: Value,
    code: String,
    asked: AtomicU64,
    answered: AtomicU64,
    /// The most that waited for an answer at the same time, each on a connection of its own.
    most_at_once: AtomicU64,
}

/// An answer: its status, how long it took, and the id of what was made.
type Told = (u16, Duration, Option<String>);

impl Flood {
    async fn prepare(database: &Database, server: &Process) -> Arc<Self> {
        let made = handbill(&database.url, &["keys", "create", "--name", "A", "--json"]);
        let key = json(&made)["key"].as_str().expect("a key").to_owned();
        let caller = Caller::new(&server.base, Some(key.clone()));
        let poster = caller.a_poster().await;
        Arc::new(Self {
            client: client()
                .redirect(Policy::none())
                .no_proxy()
                .pool_max_idle_per_host(64)
                .build()
                .expect("a client"),
            // Looking a name up takes a thread for each.
            base: server.base.replace("localhost", "127.0.0.1"),
            key,
            scan: caller.a_scan_of(&poster).await,
            code: poster["code"].as_str().expect("a code").to_owned(),
            asked: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            most_at_once: AtomicU64::new(0),
        })
    }

    /// A signup, a list or a scan.
    async fn ask(&self) -> Told {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let at_once = (number + 1).saturating_sub(self.answered.load(Ordering::Relaxed));
        self.most_at_once.fetch_max(at_once, Ordering::Relaxed);
        let (base, began) = (&self.base, Instant::now());
        let request = match number % 3 {
            0 => {
                let mut body = a_signup(&self.scan);
                body["idempotency_key"] = json!(number.to_string());
                let post = self.client.post(format!("{base}/api/v1/referrals"));
                post.bearer_auth(&self.key).json(&body)
            }
            1 => {
                let get = self.client.get(format!("{base}/api/v1/referrals?limit=20"));
                get.bearer_auth(&self.key)
            }
            _ => self.client.get(format!("{base}/q/{}", self.code)),
        };
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        if matches!(status, 429 | 503) {
            assert!(answer.headers().contains_key("retry-after"), "{status}");
        }
        let to = answer.headers().get("location").cloned();
        let body = answer.bytes().await.expect("all of it");
        self.answered.fetch_add(1, Ordering::Relaxed);
        let id = match number % 3 {
            0 if status == 200 => {
                let made: Value = serde_json::from_slice(&body).expect("JSON");
                made["id"].as_str().map(str::to_owned)
            }
            2 => to.and_then(|to| {
                let (_, id) = to.to_str().expect("text").split_once("impression_id=")?;
                Some(id.to_owned())
            }),
            _ => None,
        };
        (status, began.elapsed(), id)
    }

    /// What the server can do in a second: the rate at which a few get their answers.
    async fn sustainable(&self) -> f64 {
        let (began, time) = (Instant::now(), Duration::from_secs(1));
        let done = join_all((0..16).map(|_| async {
            let mut done = 0_u32;
            while began.elapsed() < time {
                self.ask().await;
                done += 1;
            }
            done
        }));
        let done: u32 = done.await.into_iter().sum();
        f64::from(done) / began.elapsed().as_secs_f64()
    }

    /// Asks so many times a second, whether there are answers or not.
    async fn rise(self: &Arc<Self>, rate: f64, time: Duration) -> Vec<Told> {
        let (began, mut asked) = (Instant::now(), Vec::new());
        while began.elapsed() < time {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a few thousand"
            )]
            let due = (began.elapsed().as_secs_f64() * rate) as usize;
            while asked.len() < due {
                let flood = Arc::clone(self);
                asked.push(actix_web::rt::spawn(async move { flood.ask().await }));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let told = join_all(asked).await;
        told.into_iter()
            .map(|told| told.expect("an answer"))
            .collect()
    }
}

/// Kilobytes of memory that a process has.
fn memory(server: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.expect("a number")
}

fn stored(database: &Database) -> BTreeSet<String> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        id: String,
    }
    let query = diesel::sql_query("SELECT id FROM referrals UNION ALL SELECT id FROM impressions");
    let rows: Vec<Row> = query.load(&mut database.connect()).expect("rows");
    let ids: BTreeSet<String> = rows.iter().map(|row| row.id.clone()).collect();
    assert_eq!(ids.len(), rows.len(), "nothing is there twice");
    ids
}

async fn is_well(flood: &Flood) {
    let began = Instant::now();
    loop {
        let ready = flood
            .client
            .get(format!("{}/readyz", flood.base))
            .send()
            .await;
        let ready: Value = ready.expect("an answer").json().await.expect("JSON");
        if ready["status"] == "ok" && ready["scans_in_journal"] == 0 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{ready}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for _ in 0..6 {
        let (status, took, _) = flood.ask().await;
        assert!(matches!(status, 200 | 302), "{status}");
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}

async fn survives(database: Database) {
    let server = Process::start_with(&database, &[("HANDBILL_KEY_CONCURRENCY", "256")]);
    let flood = Flood::prepare(&database, &server).await;
    let rate = flood.sustainable().await;
    let rounds = number("SOAK", 4).div_ceil(2);
    let (mut made, mut answers, mut slowest) = (BTreeSet::new(), [0; 4], Duration::ZERO);
    let mut sizes = vec![memory(&server)];
    for _ in 0..rounds {
        for (status, took, id) in flood.rise(rate * 2.0, Duration::from_secs(2)).await {
            let kind = [200, 302, 429, 503]
                .iter()
                .position(|known| *known == status);
            answers[kind.unwrap_or_else(|| panic!("a status {status}"))] += 1;
            if matches!(status, 200 | 302) {
                slowest = slowest.max(took);
            }
            made.extend(id);
        }
        sizes.push(memory(&server));
    }
    let at_once = flood.most_at_once.load(Ordering::Relaxed);
    say(&format!(
        "{rate:.0} a second can be done; at twice that {answers:?} answers of 200, 302, 429, 503, the slowest of the first two \
         {slowest:?}; {at_once} at once; kilobytes {sizes:?}"
    ));
    assert!(slowest < LONGEST, "{slowest:?}");
    is_well(&flood).await;
    let (first, last) = (sizes[0], sizes[sizes.len() - 1]);
    let room = FILLING + at_once * PER_CONNECTION;
    assert!(last < first + room, "{sizes:?} with {at_once} at once");
    let stored = stored(&database);
    let missing: Vec<_> = made.difference(&stored).collect();
    assert!(
        missing.is_empty(),
        "{} of {} are missing",
        missing.len(),
        made.len()
    );
    assert!(server.stop());
    must_add_up(&database);
}

/// `SOAK=60` floods for a minute.
#[actix_web::test]
async fn twice_what_can_be_done_is_answered_and_leaves_nothing_behind() {
    for database in [Database::sqlite(), Database::postgres()] {
        survives(database).await;
    }
}
