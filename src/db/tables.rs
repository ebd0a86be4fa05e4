//! Every table, in the order of its foreign keys: what a copy of the database, or of an account, consists of.
//! A table that is not in here is in no backup of PostgreSQL, no export and no move, so a test holds the list against
//! the databases.

/// A table, as whoever copies rows needs to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// What it is called.
    pub name: &'static str,
    /// The column that says whose rows they are.
    pub account: &'static str,
    /// The primary key, whose order is the order of a copy.
    pub key: &'static [&'static str],
}

/// The tables. Whatever a row points at stands in a table before its own.
pub const TABLES: &[Table] = &[
    Table {
        name: "accounts",
        account: "id",
        key: &["id"],
    },
    table("programs", OWN),
    table("ambassadors", OWN),
    table("api_keys", &["id"]),
    table("commission_rules", &["account_id", "program_id", "version"]),
    table("posters", OWN),
    table("customers", OWN),
    table("invitations", &["account_id", "customer_id"]),
    table("impressions", OWN),
    table("impressions_of", &["account_id", "whose", "id"]),
    table("impressions_filed", &["account_id"]),
    table("daily_stats", &["account_id", "day", "poster_id"]),
    table("referrals", OWN),
    table("referral_moves", &["account_id", "referral_id", "position"]),
    table("conversions", OWN),
    table("introductions", &["account_id", "referral_id"]),
    table("coupons", &["account_id", "code"]),
    table("refunds", OWN),
    table("earnings", OWN),
    table("earning_moves", &["account_id", "earning_id", "position"]),
    table("balances", &["account_id", "ambassador_id", "currency"]),
    table("transfers", OWN),
    table("collections", OWN),
    table("payouts", OWN),
    table("payout_items", &["account_id", "payout_id", "earning_id"]),
    table("payout_moves", &["account_id", "payout_id", "position"]),
    table("replies", &["account_id", "operation", "key"]),
    table("events", &["account_id", "sequence"]),
    table("acts", OWN),
    table("erasures", &["account_id", "object_id"]),
    table("webhook_endpoints", OWN),
    table(
        "webhook_deliveries",
        &["account_id", "endpoint_id", "event_id"],
    ),
];

const OWN: &[&str] = &["account_id", "id"];

const fn table(name: &'static str, key: &'static [&'static str]) -> Table {
    Table {
        name,
        account: "account_id",
        key,
    }
}

/// The table of that name.
pub fn named(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}
