//! Every statement about `events`.

use diesel::dsl::{min, sql};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Integer};

use super::model::{Event, EventKind};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::many::{self, many};
use crate::db::page::{Order, Page};
use crate::db::schema::{accounts, events};
use crate::db::statement::statement;
use crate::ids::{AccountId, EventId};

many! {
    /// With their numbers.
    Numbered: Event => "events" {
        sequence: number, kind: text, object_id: text, data: text, previous_status: text_or_null, created_at: number,
    } then ""
}

many! {
    /// Without: the database puts them behind those that wait for one.
    Waiting: Event => "events" {
        kind: text, object_id: text, data: text, previous_status: text_or_null, created_at: number,
    } then ""
}

/// Who calls it holds the name of the account's events.
const NUMBER: &str = "WITH known AS (SELECT coalesce(max(sequence), 0) AS last FROM events WHERE account_id = $1 AND sequence > 0), \
    first AS (SELECT sequence FROM events WHERE account_id = $1 AND sequence < 0 ORDER BY sequence LIMIT $2), \
    new AS (SELECT sequence, row_number() OVER (ORDER BY sequence) AS place FROM first) \
    UPDATE events SET sequence = known.last + new.place FROM new, known \
        WHERE events.account_id = $1 AND events.sequence = new.sequence";

const LAST: &str =
    "SELECT coalesce(max(sequence), 0) AS last FROM events WHERE account_id = ? AND sequence > 0";

#[derive(QueryableByName)]
struct Last {
    #[diesel(sql_type = BigInt)]
    last: i64,
}

/// The number of the account's last event. It is never forgotten, so no number is given twice.
pub fn last_sequence(conn: &mut DbConnection, account: &AccountId) -> QueryResult<i64> {
    let last = statement(LAST).bind::<Integer, _>(account);
    let found: Vec<Last> = match conn {
        DbConnection::Sqlite(c) => last.load(c)?,
        DbConnection::Postgres(c) => last.load(c)?,
    };
    Ok(found.first().map_or(0, |row| row.last))
}

/// Stores events: on SQLite as they are numbered, on PostgreSQL as those that wait for a number.
pub fn insert(conn: &mut DbConnection, rows: &[Event]) -> QueryResult<()> {
    match conn {
        DbConnection::Sqlite(_) => many::insert::<Numbered>(conn, rows),
        DbConnection::Postgres(_) => many::insert::<Waiting>(conn, rows),
    }
    .map(drop)
}

/// Whether some of the account's events have no number yet.
pub fn has_unnumbered(conn: &mut DbConnection, account: &AccountId) -> QueryResult<bool> {
    let first: Option<i64> = events::table
        .filter(events::account_id.eq(account))
        .select(min(events::sequence))
        .first(conn)?;
    Ok(first.is_some_and(|first| first < 0))
}

/// The accounts of which that is so.
pub fn accounts_to_number(conn: &mut DbConnection) -> QueryResult<Vec<AccountId>> {
    // Asked so, it is a look at the first entry of each account's in the key's index, whatever the database thinks how many
    // there are.
    let first = events::table
        .filter(events::account_id.eq(accounts::id))
        .select(min(events::sequence))
        .single_value();
    accounts::table
        .filter(first.lt(0))
        .select(accounts::id)
        .load(conn)
}

/// Numbers the first of them, at most `most`. How many there were.
pub fn number(conn: &mut DbConnection, account: &AccountId, most: usize) -> QueryResult<usize> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    sql_query(NUMBER)
        .bind::<Integer, _>(account)
        .bind::<BigInt, _>(most)
        .execute(conn)
}

/// The account's event with this id.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &EventId,
) -> QueryResult<Option<Event>> {
    let Some(sequence) = id.sequence() else {
        return Ok(None);
    };
    let numbered: Option<Event> = Event::query()
        .find((account, sequence))
        .first(conn)
        .optional()?;
    // In a database that was restored another event may have its number by now.
    Ok(numbered.filter(|event| event.id() == *id))
}

/// The next of the account's events behind the one numbered `after`, in their order.
pub fn list_numbered(
    conn: &mut DbConnection,
    account: &AccountId,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<Event>> {
    Event::query()
        .filter(events::account_id.eq(account))
        .filter(events::sequence.gt(after))
        .order(events::sequence)
        .limit(limit)
        .load(conn)
}

/// The next of the account's events of some kinds (or of all, if none is named) beyond the one numbered `from`.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    kinds: &[EventKind],
    from: Option<i64>,
    order: Order,
    limit: i64,
) -> QueryResult<Vec<Event>> {
    let mut query = Event::query()
        .filter(events::account_id.eq(account))
        .filter(events::sequence.gt(0))
        .limit(limit)
        .into_boxed();
    if !kinds.is_empty() {
        query = query.filter(events::kind.eq_any(kinds.to_vec()));
    }
    query = match (order, from) {
        (Order::Asc, from) => query
            .filter(events::sequence.gt(from.unwrap_or(0)))
            .order(events::sequence),
        (Order::Desc, None) => query.order(events::sequence.desc()),
        (Order::Desc, Some(from)) => query
            .filter(events::sequence.lt(from))
            .order(events::sequence.desc()),
    };
    query.load(conn)
}

/// The words of the index of events about introductions.
pub const OF_INTRODUCTIONS: &str = "(kind = 'introduction.created' OR kind = 'introduction.qualified' OR kind = 'introduction.rewarded')";

/// Which events about introductions.
#[derive(Debug, Clone)]
pub struct OfIntroductions {
    /// Of these kinds.
    pub kinds: Vec<EventKind>,
    /// From when on, and until before when.
    pub period: (Timestamp, Timestamp),
    /// Beyond the one numbered so, in the order of the page.
    pub cursor: Option<i64>,
}

/// A page of the account's events about introductions. They are few among many, so there is an index for them, which the
/// databases use if the statement says the same words as it.
pub fn list_of_introductions(
    conn: &mut DbConnection,
    account: &AccountId,
    wanted: &OfIntroductions,
    page: &Page,
) -> QueryResult<Vec<Event>> {
    let query = Event::query()
        .filter(events::account_id.eq(account))
        .filter(sql::<Bool>(OF_INTRODUCTIONS))
        .filter(events::kind.eq_any(wanted.kinds.clone()))
        .filter(events::created_at.ge(wanted.period.0))
        .filter(events::created_at.lt(wanted.period.1))
        .filter(events::sequence.gt(0))
        .limit(page.limit + 1)
        .into_boxed();
    let query = match (page.order, wanted.cursor) {
        (Order::Asc, None) => query.order(events::sequence),
        (Order::Asc, Some(after)) => query
            .filter(events::sequence.gt(after))
            .order(events::sequence),
        (Order::Desc, None) => query.order(events::sequence.desc()),
        (Order::Desc, Some(before)) => query
            .filter(events::sequence.lt(before))
            .order(events::sequence.desc()),
    };
    query.load(conn)
}

/// The first of the account's numbered events: their places and moments.
pub fn list_first(
    conn: &mut DbConnection,
    account: &AccountId,
    limit: i64,
) -> QueryResult<Vec<(i64, Timestamp)>> {
    events::table
        .filter(events::account_id.eq(account))
        .filter(events::sequence.gt(0))
        .order(events::sequence)
        .select((events::sequence, events::created_at))
        .limit(limit)
        .load(conn)
}

/// Deletes the account's events up to this place. How many.
pub fn delete_through(
    conn: &mut DbConnection,
    account: &AccountId,
    sequence: i64,
) -> QueryResult<usize> {
    let old = events::table
        .filter(events::account_id.eq(account))
        .filter(events::sequence.between(1, sequence));
    diesel::delete(old).execute(conn)
}
