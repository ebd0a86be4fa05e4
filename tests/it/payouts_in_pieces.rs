//! More earnings than go into one payout, and a minimum.

use handbill::earnings::accrue::accrue;
use handbill::earnings::model::NewEarning;
use handbill::ids::{EarningId, Id, ReferralId};
use handbill::metadata::Metadata;
use handbill::money::Cents;
use serde_json::{Value, json};

use crate::payouts::{a_paying_program, a_referral_in, collect, dry_run, paid};
use crate::support::money::id;
use crate::support::{TestApp, on_both};

/// So many earnings of three cents each.
async fn earns_threes(app: &TestApp, referral: &Value, count: usize) {
    let ((account, key), referral) = (
        app.who().await,
        ReferralId::from_outside(id(referral)).expect("an id"),
    );
    let new = NewEarning {
        referral_id: referral,
        amount: Cents::try_from(3).expect("an amount"),
        currency: None,
        kind: None,
        description: None,
        metadata: Metadata::default(),
        retry: None,
    };
    let earned = app.app.db.write(move |conn, now| {
        for _ in 0..count {
            accrue(conn, &account, &key, &EarningId::new(now), &new, now)?;
        }
        Ok(())
    });
    earned.await.expect("earnings");
}

on_both! {
    async fn what_counts_for_the_minimum_is_all_that_is_due_and_all_of_it_is_paid(app: &TestApp) {
        let program = a_paying_program(app, json!({ "minimum_payout": 3500 })).await;
        let (many, few) = (a_referral_in(app, &program).await, a_referral_in(app, &program).await);
        earns_threes(app, &many, 1_200).await;
        earns_threes(app, &few, 1_100).await;
        let foreseen = dry_run(app, &program).await;
        let collected = collect(app, &program).await;
        assert_eq!(collected["totals"], json!([{ "currency": "USD", "payouts": 2, "amount": 3_600 }]));
        assert_eq!(paid(&collected), paid(&foreseen));
        assert_eq!(paid(&collected).iter().map(|payout| payout.2).collect::<Vec<_>>(), [3_000, 600]);
        assert_eq!(app.balance(&many, "USD", None).await["available"], 0);
        assert_eq!(app.balance(&few, "USD", None).await["available"], 3_300, "less than the minimum waits");
        // What comes in later is another run's, and has to be enough by itself.
        earns_threes(app, &many, 10).await;
        assert_eq!(collect(app, &program).await["totals"], json!([]));
    }
}
