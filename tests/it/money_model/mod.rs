//! Thousands of random operations on money, on a database and in a model of a page's length: equal after each.

mod books;
mod player;

use crate::command_line::handbill;
use crate::support::on_both;
use player::Player;

/// How many operations; more with `MONEY_OPERATIONS`. `MONEY_SEED` plays another game.
const OPERATIONS: u64 = 10_000;

#[expect(
    clippy::disallowed_methods,
    reason = "settings of the test, not of the program"
)]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

on_both! {
    async fn ten_thousand_random_operations_leave_the_money_as_the_model_has_it(app: &TestApp) {
        let seed = setting("MONEY_SEED", 20_261_121);
        let mut player = Player::sit_down(app, seed).await;
        for turn in 0..setting("MONEY_OPERATIONS", OPERATIONS) {
            player.play(turn).await;
        }
        player.compare_earnings("at the end");
        player.all_was_played();
        let verified = handbill(&app.database.url, &["verify"]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }
}
