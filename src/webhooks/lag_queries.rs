//! How far webhooks are behind, over all accounts: for the metrics, which stand above accounts.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable};

use crate::clock::Timestamp;
use crate::db::DbConnection;

/// Both databases know both columns through an index: endpoints are few, and each has one next event.
const BACKLOG: &str = "SELECT CAST(coalesce(sum(w.last - w.reached), 0) AS BIGINT) AS events, min(e.created_at) AS oldest \
    FROM (SELECT account_id, reached, \
            (SELECT max(sequence) FROM events WHERE events.account_id = webhook_endpoints.account_id) AS last \
        FROM webhook_endpoints WHERE enabled = 1) w \
    LEFT JOIN events e ON e.account_id = w.account_id AND e.sequence = w.reached + 1 \
    WHERE w.last > w.reached";

/// What is not delivered yet.
#[derive(Debug, QueryableByName)]
pub struct Backlog {
    /// How many events, added up over the endpoints that are enabled. Those an endpoint does not want count until it
    /// has passed them.
    #[diesel(sql_type = BigInt)]
    pub events: i64,
    /// When the first of them happened.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub oldest: Option<Timestamp>,
}

/// What is not delivered yet.
pub fn backlog(conn: &mut DbConnection) -> QueryResult<Backlog> {
    sql_query(BACKLOG).get_result(conn)
}
