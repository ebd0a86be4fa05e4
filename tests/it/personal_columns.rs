//! Which columns hold something personal.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use handbill::db::tables::TABLES;

use crate::support::{Database, TestApp};
use crate::tour::{CUSTOMER, PERSON, PHONE, SETTINGS, STUDENT, a_tour, where_is};

/// The columns that may hold something personal. Whoever adds one of these fills it in `a_tour`.
const PERSONAL: [(&str, &str); 42] = [
    ("customers", "email"),
    ("customers", "email_folded"),
    ("customers", "name"),
    ("customers", "phone"),
    ("customers", "external_id"),
    ("customers", "metadata"),
    ("customers", "idempotency_fingerprint"),
    ("ambassadors", "first_name"),
    ("ambassadors", "last_name"),
    ("ambassadors", "email"),
    ("ambassadors", "profile_picture"),
    ("ambassadors", "metadata"),
    ("impressions", "user_agent"),
    ("impressions", "ip_address"),
    ("impressions", "metadata"),
    ("referrals", "first_name"),
    ("referrals", "last_name"),
    ("referrals", "email"),
    ("referrals", "email_folded"),
    ("referrals", "profile_picture"),
    ("referrals", "external_id"),
    ("referrals", "metadata"),
    ("referral_moves", "note"),
    ("conversions", "metadata"),
    ("refunds", "reason"),
    ("refunds", "metadata"),
    ("earnings", "description"),
    ("earnings", "metadata"),
    ("earning_moves", "note"),
    ("payouts", "failure_reason"),
    ("payouts", "metadata"),
    ("payout_moves", "note"),
    ("events", "data"),
    ("webhook_deliveries", "excerpt"),
    ("replies", "body"),
    // Hashes of what is personal, among other things. They are held against their values before.
    ("ambassadors", "idempotency_fingerprint"),
    ("referrals", "idempotency_fingerprint"),
    ("impressions", "idempotency_fingerprint"),
    ("conversions", "idempotency_fingerprint"),
    ("replies", "fingerprint"),
    // What a receiver's answer was like, when there was none.
    ("webhook_deliveries", "last_error"),
    // The documents ask callers not to put anybody's name into it.
    ("referrals", "idempotency_key"),
];

/// The columns of text that hold nothing personal, in whatever table: ids, words of ours, what the company says about
/// itself.
const HARMLESS: [&str; 59] = [
    "replaces",
    "rotation_key",
    "time_zone",
    "dialect",
    "operation",
    "key",
    "customer_id",
    "referrer_id",
    "referred_id",
    "reward_unit",
    "coupon_code",
    "scopes",
    "id",
    "program_id",
    "ambassador_id",
    "poster_id",
    "impression_id",
    "referral_id",
    "conversion_id",
    "earning_id",
    "payout_id",
    "collection_id",
    "endpoint_id",
    "event_id",
    "object_id",
    "order_id",
    "reference_id",
    "replaced_by",
    "whose",
    "up_to",
    "reached",
    "occasion",
    "moved_by",
    "created_by",
    "acted_by",
    "idempotency_key",
    "idempotency_fingerprint",
    "status",
    "from_status",
    "to_status",
    "previous_status",
    "kind",
    "reason",
    "origin",
    "action",
    "details",
    "currency",
    "debit",
    "credit",
    "code",
    "location",
    "landing_url",
    "rule",
    "steps",
    "types",
    "hash",
    "hint",
    "disabled_reason",
    "url",
];

/// The same, of one table only.
const HARMLESS_THERE: [(&str, &str); 16] = [
    ("programs", "audience"),
    ("programs", "coupon_prefix"),
    ("accounts", "name"),
    ("api_keys", "name"),
    ("programs", "name"),
    ("programs", "description"),
    ("programs", "payout_schedule"),
    ("programs", "payout_currency"),
    ("programs", "available_when"),
    ("programs", "converted_by"),
    ("posters", "metadata"),
    ("webhook_endpoints", "description"),
    ("webhook_endpoints", "secret"),
    ("webhook_endpoints", "old_secret"),
    ("transfers", "reason"),
    ("collections", "status"),
];

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
}

/// A new column of text is either one that an erasure empties or one that it need not.
#[actix_web::test]
async fn of_every_column_it_is_known_whether_it_is_personal() {
    let app = TestApp::start_with(Database::sqlite(), &SETTINGS).await;
    a_tour(&app).await;
    let filled: Vec<String> = [
        where_is(&app, PERSON),
        where_is(&app, STUDENT),
        where_is(&app, "203.0.113.77"),
        where_is(&app, CUSTOMER),
        where_is(&app, PHONE),
    ]
    .concat();
    let mut conn = app.database.connect();
    for table in TABLES {
        let query = "SELECT name FROM pragma_table_info($1) WHERE type = 'TEXT'";
        let columns: Vec<Column> = sql_query(query)
            .bind::<Text, _>(table.name)
            .load(&mut conn)
            .expect("columns");
        for Column { name } in columns {
            let place = (table.name, &*name);
            let is_personal = PERSONAL.contains(&place);
            let is_harmless = HARMLESS.contains(&&*name) || HARMLESS_THERE.contains(&place);
            assert!(
                is_personal || is_harmless,
                "is {}.{name} personal? Then erase it; say so in this test",
                table.name
            );
            let is_text = !name.starts_with("idempotency")
                && !["last_error", "fingerprint"].contains(&&*name);
            if is_personal && is_text {
                assert!(
                    filled.contains(&format!("{}.{name}", table.name)),
                    "the tour does not fill {}.{name}",
                    table.name
                );
            }
            if !is_personal {
                assert!(
                    !filled.contains(&format!("{}.{name}", table.name)),
                    "{}.{name} is personal after all",
                    table.name
                );
            }
        }
    }
    app.stop().await;
}
