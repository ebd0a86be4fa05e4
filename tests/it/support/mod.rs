//! What the tests stand on: databases, servers, callers, and a few words to arrange a story with.

mod answer;
mod arrange;
mod caller;
mod contract;
pub mod crowd;
pub mod database;
pub mod disk;
pub mod dump;
pub mod everything;
pub mod money;
pub mod operations;
mod postgres;
pub mod powered;
pub mod process;
pub mod receiver;
mod server;
pub mod tls;
pub mod traffic;

/// What a server needs so that it sends webhooks to receivers on this machine.
pub const WEBHOOKS_TO_THIS_MACHINE: [(&str, &str); 2] = [
    ("HANDBILL_WEBHOOKS_ALLOW_HTTP", "on"),
    ("HANDBILL_WEBHOOKS_ALLOW_NETWORKS", "127.0.0.0/8"),
];

/// The number that the environment variable `name` says, for a test that can be made longer.
#[expect(
    clippy::disallowed_methods,
    reason = "a setting of the test, not of the server"
)]
pub fn number(name: &str, default: usize) -> usize {
    let text = std::env::var(name).ok();
    text.map_or(default, |text| text.parse().expect("a number"))
}

pub use answer::Answer;
pub use arrange::a_signup;
pub use caller::{Caller, client};
pub use database::Database;
pub use server::TestApp;

/// Runs a test on SQLite and on PostgreSQL, each with a server and a database of its own:
///
/// ```ignore
/// on_both! {
///     async fn a_retry_is_the_same_referral(app: &TestApp) { … }
/// }
/// ```
///
/// `with [("HANDBILL_MAX_PAGE_SIZE", "5")] =>` before the first test gives the servers settings.
macro_rules! on_both {
    ($($(#[$doc:meta])* async fn $name:ident($app:ident: &TestApp) $body:block)+) => {
        $crate::support::on_both! { with [] => $($(#[$doc])* async fn $name($app: &TestApp) $body)+ }
    };
    (with $settings:expr => $($(#[$doc:meta])* async fn $name:ident($app:ident: &TestApp) $body:block)+) => {$(
        $(#[$doc])*
        mod $name {
            #[allow(unused_imports, reason = "not every test needs everything its file imports")]
            use super::*;

            async fn story($app: &crate::support::TestApp) $body

            #[actix_web::test]
            async fn sqlite() {
                let database = crate::support::Database::sqlite();
                let app = crate::support::TestApp::start_with(database, &$settings).await;
                story(&app).await;
                app.stop().await;
            }

            #[actix_web::test]
            async fn postgres() {
                let database = crate::support::Database::postgres();
                let app = crate::support::TestApp::start_with(database, &$settings).await;
                story(&app).await;
                app.stop().await;
            }
        }
    )+};
}

pub(crate) use on_both;
