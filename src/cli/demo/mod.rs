//! `handbill demo`: a server on a throw-away database with a story in it. It has the ids and the key that the
//! published documents use, so that their curl lines run unchanged.

mod customers;
mod story;
mod teller;

use actix_web::rt::System;

use crate::app::App;
use crate::cli::{say, serve};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Db, migrations};

/// The key in the published documents.
const KEY: &str = "sk_your_secret_key_here";
/// The key of the shop, whose documents name none, and the id of its account.
const SHOP_KEY: &str = "sk_test_your_secret_key_here";
const SHOP: &str = "acct_123abc";
/// What the documents' URLs begin with.
const PUBLIC_URL: &str = "http://localhost:3000";

/// Tells the story, prints what to try, and serves until told to stop. The database goes with the process.
pub(in crate::cli) fn demo(mut config: Config) -> Result<(), String> {
    let listener = serve::listen(&config)?;
    let bound = listener.local_addr().map_err(|error| error.to_string())?;
    let folder = tempfile::Builder::new()
        .prefix("handbill-demo-")
        .tempdir()
        .map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    config.database_url = format!("sqlite://{}", folder.path().join("demo.db").display());
    migrations::run(&config.database_url)?;
    let public_url = config.public_url_for(bound);
    let db = Db::open(
        &config.database_url,
        config.database_connections,
        Clock::System,
    )
    .map_err(|error| format!("{error:?}"))?;
    System::new().block_on(async {
        let app = App::new(db, Clock::System, config, public_url);
        let code = app
            .db
            .write(|conn, _| story::tell(conn))
            .await
            .map_err(|error| format!("the story could not be told: {error:?}"))?;
        say(&what_to_try(&app.public_url, &code));
        serve::run(app, listener).await
    })
}

fn what_to_try(url: &str, code: &str) -> String {
    format!(
        r#"handbill demo: everything here is thrown away when you stop it (Ctrl-C).

A phone scans a poster:
  curl -i "{url}/q/{code}"

The scans so far, and the posters with their QR images:
  curl "{url}/api/v1/impressions?programId=prog_123abc&limit=3" -H "Authorization: Bearer {KEY}"
  curl "{url}/api/v1/posters" -H "Authorization: Bearer {KEY}"

Somebody signs up (run it twice: the key makes it one signup):
  curl -X POST "{url}/api/v1/referrals" -H "Authorization: Bearer {KEY}" -H "Content-Type: application/json" \
    -d '{{"impression_id": "imp_123abc", "first_name": "John", "last_name": "Doe", "email": "john.doe@example.com", "idempotency_key": "try_it_1"}}'

An administrator verifies a signup:
  curl -X PUT "{url}/api/v1/referrals/ref_789ghi" -H "Authorization: Bearer {KEY}" -H "Content-Type: application/json" \
    -d '{{"status": "verified", "note": "called back"}}'

The ambassador earns something:
  curl -X POST "{url}/api/v1/earnings" -H "Authorization: Bearer {KEY}" -H "Content-Type: application/json" \
    -d '{{"referral_id": "ref_123abc", "amount": 550, "type": "purchase", "idempotency_key": "order_771"}}'

The other published APIs, VINR's and Joy's (their customers are in an account of their own):
  curl "{url}/v1/referrals?referrer_customer=cust_8aZ2&limit=10" -H "X-Api-Key: {SHOP_KEY}"
  curl -X POST "{url}/rest_api/v2/referrals/invitations" -H "X-Joy-Loyalty-App-Key: {SHOP}" \
    -H "X-Joy-Loyalty-Secret-Key: {SHOP_KEY}" -H "Content-Type: application/json" -d '{{"email": "ines.duarte@example.com"}}'

Read and try everything: {url}/docs
"#
    )
}
