//! A year of scans and signups, written into a SQLite file without the server.

use std::fmt::Write as _;

use diesel::connection::SimpleConnection;
use handbill::clock::{Clock, Timestamp};
use handbill::db::DbConnection;
use handbill::ids::{ImpressionId, ReferralId};

use crate::support::page::say;
use crate::support::paths::SPREAD;
use crate::support::stage::Stage;

/// What is stored of a scan and of a signup. The only statements that a change of the schema has to be told to; what
/// else a scan leaves behind (a counter, say) belongs into [`AFTERWARDS`].
const IMPRESSIONS: &str = "INSERT INTO impressions (account_id, id, poster_id, scanned_at, \
    user_agent, ip_address, metadata) VALUES ";
const REFERRALS: &str = "INSERT INTO referrals (account_id, id, impression_id, program_id, ambassador_id, first_name, \
    last_name, email, email_folded, status, metadata, idempotency_key, idempotency_fingerprint, created_at, updated_at) \
    VALUES ";
/// Run once when all rows are there.
const AFTERWARDS: &str = "INSERT INTO impressions_of SELECT account_id, poster_id, id FROM impressions ORDER BY 1, 2, 3 \
        ON CONFLICT DO NOTHING; \
    INSERT INTO impressions_of SELECT i.account_id, p.ambassador_id, i.id FROM impressions i CROSS JOIN posters p \
        WHERE p.account_id = i.account_id AND p.id = i.poster_id ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING; \
    INSERT INTO impressions_of SELECT i.account_id, p.program_id, i.id FROM impressions i CROSS JOIN posters p \
        WHERE p.account_id = i.account_id AND p.id = i.poster_id ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING; \
    INSERT INTO impressions_filed SELECT account_id, max(id) FROM impressions GROUP BY account_id \
        ON CONFLICT (account_id) DO UPDATE SET up_to = excluded.up_to; \
    INSERT INTO daily_stats SELECT account_id, scanned_at / 86400000000, poster_id, count(*), 0, 0, 0, 0 \
        FROM impressions WHERE TRUE GROUP BY 1, 2, 3 \
        ON CONFLICT (account_id, day, poster_id) DO UPDATE SET scans = excluded.scans; \
    PRAGMA wal_checkpoint(TRUNCATE);";

/// Nothing is lost if the machine fails now: the file is thrown away anyway.
const IN_A_HURRY: &str = "PRAGMA synchronous = OFF; PRAGMA cache_size = -500000;";

const FINGERPRINT: &str = "2dff59ed647518cb87e0233564a4d6db";
const USER_AGENT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148";

/// Impressions per statement, and statements per transaction.
const PER_STATEMENT: u64 = 1_000;
const PER_TRANSACTION: u64 = 100;

/// The microseconds over which the rows are spread; the last is a day old.
const YEAR: i64 = 365 * 24 * 3600 * 1_000_000;

#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) impressions: u64,
    pub(crate) referrals: u64,
}

/// Fills the database of `stage`, which must be stopped, in the order of time, as it would have filled by itself.
/// Returns the ids of a thousand referrals (or of all, if there are fewer) from the whole of the year.
pub(crate) fn seed(stage: &Stage, sizes: Sizes) -> Vec<String> {
    assert!(
        sizes.referrals <= sizes.impressions,
        "every referral has an impression of its own"
    );
    let mut conn = DbConnection::open(&stage.database).expect("the database");
    conn.batch_execute(IN_A_HURRY).expect("settings");
    let per_row = YEAR / i64::try_from(sizes.impressions).expect("a size");
    let first = Clock::System.now().micros() - YEAR - 24 * 3600 * 1_000_000;
    let mut year = Year {
        stage,
        sizes,
        sample: Vec::new(),
        referrals: 0,
    };
    let mut at = first;
    let mut done = 0;
    while done < sizes.impressions {
        let mut batch = "BEGIN;".to_owned();
        for _ in 0..PER_TRANSACTION {
            let until = sizes.impressions.min(done + PER_STATEMENT);
            year.rows(&mut batch, done..until, &mut at, per_row);
            done = until;
        }
        batch.push_str("COMMIT;");
        conn.batch_execute(&batch).expect("rows");
        if done.is_multiple_of(1_000_000) {
            say(&format!("{done} impressions"));
        }
    }
    conn.batch_execute(AFTERWARDS).expect("an end");
    year.sample
}

struct Year<'a> {
    stage: &'a Stage,
    sizes: Sizes,
    sample: Vec<String>,
    referrals: u64,
}

impl Year<'_> {
    /// Adds the statements for these impressions, and for the referrals that come from them.
    fn rows(
        &mut self,
        batch: &mut String,
        numbers: std::ops::Range<u64>,
        at: &mut i64,
        per_row: i64,
    ) {
        let Stage {
            account,
            program,
            ambassador,
            posters,
            ..
        } = self.stage;
        let account = account.number();
        let (mut impressions, mut referrals) = (Vec::new(), Vec::new());
        for number in numbers {
            // A large prime: posters come in no order, each as often as any other.
            let poster = usize::try_from(number * 7_919).expect("a number") % posters.len();
            let poster = &posters[poster].id;
            let id = ImpressionId::new(Timestamp::from_micros(*at));
            let id = id.as_str();
            impressions.push(format!(
                "({account},'{id}','{poster}',{at},'{USER_AGENT}','192.0.2.{}',\
                 '{{\"device_type\":\"mobile\",\"referrer\":\"direct\"}}')",
                number % 256
            ));
            let due = (number + 1) * self.sizes.referrals / self.sizes.impressions;
            if due > self.referrals {
                let made = *at + per_row / 2;
                let referral = ReferralId::new(Timestamp::from_micros(made));
                let referral = referral.as_str();
                // Addresses and keys come in no order.
                let who = format!("{:010}", due.wrapping_mul(SPREAD) % (1 << 32));
                referrals.push(format!(
                    "({account},'{referral}','{id}','{program}','{ambassador}','John','Doe',\
                     '{who}@example.com','{who}@example.com','pending','{{\"source\":\"poster_qr_code\"}}',\
                     '{who}_year','{FINGERPRINT}',{made},{made})"
                ));
                if due.is_multiple_of((self.sizes.referrals / 1_000).max(1)) {
                    self.sample.push(referral.to_owned());
                }
                self.referrals = due;
            }
            *at += per_row;
        }
        for (insert, rows) in [(IMPRESSIONS, impressions), (REFERRALS, referrals)] {
            if !rows.is_empty() {
                let _ = write!(batch, "{insert}{};", rows.join(","));
            }
        }
    }
}
