//! Comparisons that the database makes itself: each statement lists what does not fit among the rows of a stretch.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Bool, Integer, Text};

use super::queries::Found;
use super::steps::Stretch;
use crate::db::schema::events;
use crate::db::{DbConnection, QueryResult};
use crate::events::model::Event;
use crate::ids::AccountId;

/// Runs a statement that begins with the account, and then wants the two ends of the stretch. (SQLite numbers `$1`,
/// `$2`, `$3` in the order in which it first meets them.)
pub(super) fn list(
    conn: &mut DbConnection,
    statement: &str,
    account: &AccountId,
    stretch: &Stretch,
) -> QueryResult<Vec<Found>> {
    sql_query(statement)
        .bind::<Integer, _>(account)
        .bind::<Text, _>(&stretch.after)
        .bind::<Text, _>(&stretch.until)
        .load(conn)
}

/// Functions that list what a statement finds in a stretch.
macro_rules! differences {
    ($($(#[$doc:meta])* $name:ident: $statement:expr;)+) => {$(
        $(#[$doc])*
        pub(super) fn $name(
            conn: &mut $crate::db::DbConnection,
            account: &$crate::ids::AccountId,
            stretch: &$crate::audit::steps::Stretch,
        ) -> $crate::db::QueryResult<Vec<$crate::audit::queries::Found>> {
            $crate::audit::difference_queries::list(conn, $statement, account, stretch)
        }
    )+};
}

pub(super) use differences;

differences! {
    /// Earnings of rejected referrals that are not wholly taken back.
    standing_of_rejected: "SELECT e.id AS about, \
            (e.amount - e.reversed - e.clawed_back) || ' of it stand, and ' || r.id || ' is rejected' AS problem \
        FROM earnings e JOIN referrals r ON r.account_id = e.account_id AND r.id = e.referral_id \
        WHERE e.account_id = $1 AND e.id > $2 AND e.id <= $3 \
            AND r.status = 'rejected' AND e.amount <> e.reversed + e.clawed_back";

    /// Payouts that are not the sum of their items.
    sums_of_payouts: "SELECT p.id AS about, \
            'amount is ' || p.amount || ', and its items add up to ' || COALESCE(i.total, 0) AS problem \
        FROM payouts p LEFT JOIN ( \
            SELECT account_id, payout_id, SUM(amount) AS total FROM payout_items \
            WHERE account_id = $1 AND payout_id > $2 AND payout_id <= $3 GROUP BY account_id, payout_id \
        ) i ON i.account_id = p.account_id AND i.payout_id = p.id \
        WHERE p.account_id = $1 AND p.id > $2 AND p.id <= $3 AND p.amount <> COALESCE(i.total, 0)";

    /// Items that are live in a payout that is not, or the other way round.
    live_items: "SELECT i.payout_id || ' ' || i.earning_id AS about, \
            'live is ' || i.live || ', and the payout is ' || p.status AS problem \
        FROM payout_items i JOIN payouts p ON p.account_id = i.account_id AND p.id = i.payout_id \
        WHERE i.account_id = $1 AND i.payout_id > $2 AND i.payout_id <= $3 \
            AND i.live <> CASE WHEN p.status IN ('processing', 'paid') THEN 1 ELSE 0 END";

    /// Earnings in several live payouts.
    paid_twice: "SELECT earning_id AS about, 'it is in ' || COUNT(*) || ' payouts at once' AS problem \
        FROM payout_items WHERE account_id = $1 AND earning_id > $2 AND earning_id <= $3 AND live = 1 \
        GROUP BY earning_id HAVING COUNT(*) > 1";

    /// Items whose transfers are not those of the payout's status.
    transfers_of_items: "SELECT payout_id || ' ' || earning_id AS about, \
            'it pays ' || amount || ' and is ' || status || '; its transfers say ' || started || ' started, ' \
            || paid || ' paid, ' || ended || ' ended' AS problem \
        FROM ( \
            SELECT i.payout_id, i.earning_id, i.amount, p.status, \
                COALESCE(SUM(CASE WHEN t.reason = 'payout_started' THEN t.amount END), 0) AS started, \
                COALESCE(SUM(CASE WHEN t.reason = 'payout_paid' THEN t.amount END), 0) AS paid, \
                COALESCE(SUM(CASE WHEN t.reason = 'payout_ended' THEN t.amount END), 0) AS ended \
            FROM payout_items i \
            JOIN payouts p ON p.account_id = i.account_id AND p.id = i.payout_id \
            LEFT JOIN transfers t ON t.account_id = i.account_id AND t.earning_id = i.earning_id \
                AND t.occasion = i.payout_id AND t.currency = p.currency AND t.ambassador_id = p.ambassador_id \
            WHERE i.account_id = $1 AND i.payout_id > $2 AND i.payout_id <= $3 \
            GROUP BY i.payout_id, i.earning_id, i.amount, p.status \
        ) s \
        WHERE started <> amount OR paid <> CASE WHEN status = 'paid' THEN amount ELSE 0 END \
            OR ended <> CASE WHEN status IN ('failed', 'cancelled') THEN amount ELSE 0 END";

    /// Transfers for a payout that has no such item.
    transfers_without_item: "SELECT t.id AS about, \
            t.reason || ' of ' || t.earning_id || ' for ' || t.occasion || ', which has no such item' AS problem \
        FROM transfers t \
        WHERE t.account_id = $1 AND t.earning_id > $2 AND t.earning_id <= $3 \
            AND t.reason IN ('payout_started', 'payout_paid', 'payout_ended') AND t.occasion IS NOT NULL \
            AND NOT EXISTS (SELECT 1 FROM payout_items i WHERE i.account_id = t.account_id \
                AND i.payout_id = t.occasion AND i.earning_id = t.earning_id)";

    /// Earnings that do not stand where their payout does.
    earnings_in_payouts: "SELECT e.id AS about, p.id || ' is ' || p.status || ' and pays ' || i.amount \
            || ' of it; it is ' || e.status || ', ' || e.in_payout || ' on its way, ' || e.paid || ' paid' AS problem \
        FROM payout_items i \
        JOIN payouts p ON p.account_id = i.account_id AND p.id = i.payout_id \
        JOIN earnings e ON e.account_id = i.account_id AND e.id = i.earning_id \
        WHERE i.account_id = $1 AND i.payout_id > $2 AND i.payout_id <= $3 AND ( \
            (p.status = 'processing' AND (e.status <> 'processing' OR e.in_payout <> i.amount)) \
            OR (p.status = 'paid' AND (e.status <> 'paid' OR e.paid <> i.amount)) \
            OR e.currency <> p.currency OR e.ambassador_id <> p.ambassador_id)";

    /// Conversions that are not refunded by what their refunds add up to.
    refunded: "SELECT id AS about, \
            'refunded is ' || refunded || ', and its refunds add up to ' || total AS problem \
        FROM ( \
            SELECT c.id, c.refunded, (SELECT COALESCE(SUM(r.amount), 0) FROM refunds r \
                WHERE r.account_id = c.account_id AND r.order_id = c.order_id AND r.conversion_id = c.id) AS total \
            FROM conversions c WHERE c.account_id = $1 AND c.id > $2 AND c.id <= $3 \
        ) s WHERE refunded <> total";

    /// Refunds that wait for an order that is there, or were applied to another one.
    refunds_of_orders: "SELECT r.id AS about, \
            'it is ' || r.status || ' for order ' || r.order_id || ', which is ' || COALESCE(c.id, 'not there') AS problem \
        FROM refunds r LEFT JOIN conversions c ON c.account_id = r.account_id AND c.order_id = r.order_id \
        WHERE r.account_id = $1 AND r.id > $2 AND r.id <= $3 AND ( \
            (r.status = 'waiting' AND c.id IS NOT NULL) \
            OR (r.status = 'applied' AND (c.id IS NULL OR c.id <> r.conversion_id OR c.currency <> r.currency)))";

    /// Refunds whose transfers are not what they took back.
    transfers_of_refunds: "SELECT id AS about, \
            'it took ' || reversed || ' back, and its transfers add up to ' || total AS problem \
        FROM ( \
            SELECT r.id, r.reversed, (SELECT COALESCE(SUM(t.amount), 0) FROM earnings e \
                JOIN transfers t ON t.account_id = e.account_id AND t.earning_id = e.id AND t.occasion = r.id \
                WHERE e.account_id = r.account_id AND e.conversion_id = r.conversion_id) AS total \
            FROM refunds r WHERE r.account_id = $1 AND r.id > $2 AND r.id <= $3 \
        ) s WHERE reversed <> total";

    /// Introductions whose reward is not what was booked, and rewards that stand several times.
    rewards: "SELECT i.referral_id AS about, 'its reward is ' || COALESCE(i.reward_amount || ' ' || i.reward_unit, 'nothing') \
            || ', and an earning is ' || e.amount || ' ' || e.currency || ' (' || e.id || ')' AS problem \
        FROM introductions i JOIN earnings e ON e.account_id = i.account_id AND e.referral_id = i.referral_id \
        WHERE i.account_id = $1 AND i.referral_id > $2 AND i.referral_id <= $3 AND e.origin = 'reward' \
            AND (i.reward_amount IS NULL OR i.reward_amount <> e.amount OR i.reward_unit <> e.currency) \
        UNION ALL \
        SELECT i.referral_id AS about, 'its reward is ' || i.reward_amount || ' ' || i.reward_unit \
            || ', and no such earning or commission was booked' AS problem \
        FROM introductions i \
        WHERE i.account_id = $1 AND i.referral_id > $2 AND i.referral_id <= $3 AND i.rewarded_at IS NOT NULL \
            AND NOT EXISTS (SELECT 1 FROM earnings e WHERE e.account_id = i.account_id AND e.referral_id = i.referral_id \
                AND e.origin = 'reward' AND e.amount = i.reward_amount AND e.currency = i.reward_unit) \
            AND NOT EXISTS (SELECT 1 FROM conversions c WHERE c.account_id = i.account_id AND c.referral_id = i.referral_id \
                AND i.reward_amount BETWEEN c.commission - c.capped AND c.commission AND c.currency = i.reward_unit) \
        UNION ALL \
        SELECT e.referral_id AS about, 'several of its rewards stand at once' AS problem FROM earnings e \
        WHERE e.account_id = $1 AND e.referral_id > $2 AND e.referral_id <= $3 AND e.origin = 'reward' \
            AND e.amount > e.reversed + e.clawed_back \
        GROUP BY e.referral_id HAVING COUNT(*) > 1";

    /// Coupons and orders that do not say the same of each other.
    coupons: "SELECT k.code AS about, 'it was used for ' || COALESCE(k.conversion_id, 'nothing') || ', and ' \
            || COALESCE(c.id, 'no order') || ' says that it was bought with it' AS problem \
        FROM coupons k LEFT JOIN conversions c ON c.account_id = k.account_id AND c.coupon_code = k.code \
        WHERE k.account_id = $1 AND k.referral_id > $2 AND k.referral_id <= $3 AND ( \
            COALESCE(k.conversion_id, '') <> COALESCE(c.id, '') OR (c.id IS NOT NULL AND c.referral_id <> k.referral_id))";

    /// Scans of posters that are not there, one for each such poster in a stretch.
    lost_scans: "SELECT s.id AS about, 'its poster ' || s.poster_id || ' is not there' AS problem \
        FROM ( \
            SELECT poster_id, MIN(id) AS id FROM impressions \
            WHERE account_id = $1 AND id > $2 AND id <= $3 GROUP BY poster_id \
        ) s \
        WHERE NOT EXISTS (SELECT 1 FROM posters p WHERE p.account_id = $1 AND p.id = s.poster_id)";

    /// Signups whose scan is not there, or has somebody else's poster.
    lost_signups: "SELECT r.id AS about, 'it is of ' || r.ambassador_id || ' in ' || r.program_id || ', and its scan ' \
            || r.impression_id || ' of ' || COALESCE(p.ambassador_id || ' in ' || p.program_id, 'nobody') AS problem \
        FROM referrals r \
        LEFT JOIN impressions i ON i.account_id = r.account_id AND i.id = r.impression_id \
        LEFT JOIN posters p ON p.account_id = i.account_id AND p.id = i.poster_id \
        WHERE r.account_id = $1 AND r.id > $2 AND r.id <= $3 \
            AND (p.id IS NULL OR p.program_id <> r.program_id OR p.ambassador_id <> r.ambassador_id)";

    /// SQLite. Scans with texts that are not taken.
    odd_scans: &odd("impressions", "metadata", "length(user_agent) > 2000 OR length(ip_address) > 45 \
        OR length(idempotency_key) > 255");

    /// SQLite. Signups with texts that are not taken.
    odd_signups: &odd("referrals", "metadata", "length(first_name) > 255 OR length(last_name) > 255 \
        OR length(email) > 254 OR length(profile_picture) > 2048 OR length(external_id) > 255 \
        OR length(idempotency_key) > 255");

    /// Ambassadors' signups that are not counted by day and status as they stand.
    signups: "SELECT ambassador_id || ' day ' || day AS about, \
            'too many are counted by: ' || pending || ' pending, ' || converted || ' converted, ' || verified \
            || ' verified, ' || rejected || ' rejected' AS problem \
        FROM ( \
            SELECT ambassador_id, day, SUM(pending) AS pending, SUM(converted) AS converted, \
                SUM(verified) AS verified, SUM(rejected) AS rejected \
            FROM ( \
                SELECT p.ambassador_id, s.day, s.pending, s.converted, s.verified, s.rejected FROM posters p \
                JOIN daily_stats s ON s.account_id = p.account_id AND s.poster_id = p.id \
                WHERE p.account_id = $1 AND p.ambassador_id > $2 AND p.ambassador_id <= $3 \
                UNION ALL \
                SELECT ambassador_id, created_at / 86400000000, \
                    CASE WHEN status = 'pending' THEN -1 ELSE 0 END, CASE WHEN status = 'converted' THEN -1 ELSE 0 END, \
                    CASE WHEN status = 'verified' THEN -1 ELSE 0 END, CASE WHEN status = 'rejected' THEN -1 ELSE 0 END \
                FROM referrals WHERE account_id = $1 AND ambassador_id > $2 AND ambassador_id <= $3 \
            ) both_sides GROUP BY ambassador_id, day \
        ) s WHERE pending <> 0 OR converted <> 0 OR verified <> 0 OR rejected <> 0";

    /// Referrals whose history does not lead where they stand.
    moves_of_referrals: &chain("referral_moves", "referral_id", "referrals", "pending");

    /// Earnings whose history does not lead where they stand.
    moves_of_earnings: &chain("earning_moves", "earning_id", "earnings", "pending");

    /// Payouts whose history does not lead where they stand.
    moves_of_payouts: &chain("payout_moves", "payout_id", "payouts", "processing");
}

/// SQLite. Events whose object is none, with numbers behind `after` up to and with `until`.
pub(super) fn odd_events(
    conn: &mut DbConnection,
    account: &AccountId,
    after: i64,
    until: i64,
) -> QueryResult<Vec<Event>> {
    let is_object = is_object("data");
    Event::query()
        .filter(events::account_id.eq(account))
        .filter(events::sequence.gt(after))
        .filter(events::sequence.le(until))
        .filter(sql::<Bool>(&format!("NOT {is_object}")))
        .load(conn)
}

/// SQLite. Whether the column `object` has a JSON object in it.
fn is_object(object: &str) -> String {
    format!("CASE WHEN json_valid({object}) THEN json_type({object}) = 'object' ELSE FALSE END")
}

/// SQLite. Rows whose `object` is no JSON object, or in which a text is `too_long`.
fn odd(table: &str, object: &str, too_long: &str) -> String {
    let is_object = is_object(object);
    format!(
        "SELECT id AS about, CASE WHEN {is_object} THEN 'a text in it is too long' ELSE '{object} is no object' END AS problem \
            FROM {table} WHERE account_id = $1 AND id > $2 AND id <= $3 AND ({too_long} OR NOT {is_object})"
    )
}

/// A history is a chain from `start` to where the thing stands: positions 1, 2, 3 …, and each move begins where the one
/// before it ended.
fn chain(moves: &str, key: &str, things: &str, start: &str) -> String {
    format!(
        "SELECT thing AS about, 'move ' || position || ' from ' || from_status || ' follows move ' || previous \
                || ', which ended at ' || stood AS problem \
            FROM ( \
                SELECT {key} AS thing, position, from_status, \
                    COALESCE(LAG(position) OVER (PARTITION BY {key} ORDER BY position), 0) AS previous, \
                    COALESCE(LAG(to_status) OVER (PARTITION BY {key} ORDER BY position), '{start}') AS stood \
                FROM {moves} WHERE account_id = $1 AND {key} > $2 AND {key} <= $3 \
            ) m WHERE position <> previous + 1 OR from_status <> stood \
        UNION ALL \
        SELECT id AS about, 'it is ' || status || ', and its history ends at ' || stood AS problem \
            FROM ( \
                SELECT t.id, t.status, COALESCE((SELECT m.to_status FROM {moves} m \
                    WHERE m.account_id = t.account_id AND m.{key} = t.id ORDER BY m.position DESC LIMIT 1), '{start}') AS stood \
                FROM {things} t WHERE t.account_id = $1 AND t.id > $2 AND t.id <= $3 \
            ) s WHERE status <> stood"
    )
}
