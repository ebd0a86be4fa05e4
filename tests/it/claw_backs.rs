//! What was claimed back of money that had left, and comes back after others were set off for it.

use handbill::payouts::model::PayoutStatus;
use serde_json::{Value, json};

use crate::support::money::id;
use crate::support::{TestApp, on_both};

/// Two signups of one ambassador's.
async fn two_referrals(app: &TestApp) -> (Value, Value) {
    let one = app.a_referral_paid(json!({})).await;
    let other = app.another_of(&one).await;
    (one, other)
}

async fn accounts(app: &TestApp, referral: &Value) -> [i64; 4] {
    let balance = app.balance(referral, "USD", None).await;
    ["pending", "available", "in_payout", "owed_back"]
        .map(|of| balance[of].as_i64().expect("a number"))
}

on_both! {
    async fn what_others_were_set_off_for_is_not_held_again_when_it_comes_back(app: &TestApp) {
        let (a, b) = two_referrals(app).await;
        app.buys(&b, "of b", 5_000, "USD").await;
        app.decides(&b, "verified").await;
        let payouts = app.collects(&b).await;
        app.refunds("of b", 5_000, "all").await;
        assert_eq!(accounts(app, &b).await, [0, 0, 500, 500]);
        app.buys(&a, "of a", 5_000, "USD").await;
        app.decides(&a, "verified").await;
        assert_eq!(accounts(app, &b).await, [0, 0, 500, 0], "set off");
        app.settles(&payouts[0].id, PayoutStatus::Failed).await;
        assert_eq!(accounts(app, &b).await, [0, 500, 0, 0]);
        app.decides(&b, "converted").await;
        assert_eq!(accounts(app, &b).await, [0, 500, 0, 0], "nothing of it stands, so it is the other's");
        app.decides(&b, "rejected").await;
        assert_eq!(accounts(app, &b).await, [0, 500, 0, 0]);
        let again = app.collects(&b).await;
        assert_eq!((again.len(), again[0].amount.get()), (1, 500), "{}", id(&b));
    }

    async fn of_what_comes_back_as_much_is_held_again_as_stands(app: &TestApp) {
        let (a, b) = two_referrals(app).await;
        app.buys(&b, "of b", 10_000, "USD").await;
        app.decides(&b, "verified").await;
        let payouts = app.collects(&b).await;
        app.refunds("of b", 4_000, "some").await;
        app.buys(&a, "of a", 4_000, "USD").await;
        app.decides(&a, "verified").await;
        app.settles(&payouts[0].id, PayoutStatus::Failed).await;
        assert_eq!(accounts(app, &b).await, [0, 1_000, 0, 0]);
        app.decides(&b, "converted").await;
        assert_eq!(accounts(app, &b).await, [600, 400, 0, 0]);
        app.decides(&b, "rejected").await;
        assert_eq!(accounts(app, &b).await, [0, 400, 0, 0]);
    }
}
