//! Who was erased stays erased, whatever is asked of the row that is left.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::money::id;
use crate::support::{TestApp, on_both};

const NOBODY: &str = "erased@erased.invalid";

async fn erase(app: &TestApp, path: &str) {
    let path = format!("{path}/personal-data");
    let answer = app.send(Method::DELETE, &path, &[], None::<String>).await;
    answer.ok();
}

on_both! {
    async fn an_erased_customer_is_not_found_by_an_address_that_all_erased_have(app: &TestApp) {
        app.a_program_for_customers(json!({}), json!({ "type": "points", "amount": 5 })).await;
        let mut erased = Vec::new();
        for n in 0..2 {
            let customer = app.a_customer(&format!("ines{n}@example.com")).await;
            let path = format!("/api/v1/customers/{}", id(&customer));
            erase(app, &path).await;
            let before = app.get(&path).await.ok();
            // Nothing, and what was read: both change nothing.
            for body in [json!({}), json!({ "email": before["email"] })] {
                assert_eq!(app.put(&path, body).await.ok(), before);
            }
            app.put(&path, json!({ "name": "Nobody" })).await.ok();
            erased.push(customer);
        }
        let found = app.get(&format!("/api/v1/customers?email={NOBODY}")).await.ok();
        assert_eq!(found["customers"], json!([]));

        let ann = app.a_customer("ann@example.com").await;
        for customer in &erased {
            for (referrer, referred, field) in [(&ann, customer, "referred_customer"), (customer, &ann, "referrer_customer")] {
                let body = json!({ "referrer_customer": id(referrer), "referred_customer": id(referred) });
                let refused = app.post("/v1/referrals", body).await;
                assert_eq!(refused.status, 404, "{}", refused.text());
                assert_eq!(refused.json()["error"]["param"], field);
            }
        }
        assert_eq!(app.all("customers").await.len(), 3, "nobody was made up");
    }

    async fn an_erased_signup_gets_no_purchases_by_an_address_that_all_erased_have(app: &TestApp) {
        let referral = app.a_referral().await;
        let path = format!("/api/v1/referrals/{}", id(&referral));
        erase(app, &path).await;
        let before = app.get(&path).await.ok();
        assert_eq!(app.put(&path, json!({})).await.ok(), before);
        let buys = |order: &str| json!({ "email": NOBODY, "order_id": order, "amount": 100 });
        app.post("/api/v1/conversions", buys("a")).await.refused_with(400);
        app.put(&path, json!({ "status": "verified" })).await.ok();
        app.post("/api/v1/conversions", buys("b")).await.refused_with(400);
        let by_id = json!({ "referral_id": id(&referral), "order_id": "c", "amount": 100 });
        app.post("/api/v1/conversions", by_id).await.ok();
        app.post("/api/v1/conversions", buys("d")).await.refused_with(400);
    }

    async fn an_erased_customer_is_gone_where_a_referral_is_expanded(app: &TestApp) {
        app.a_program_for_customers(json!({}), json!({ "type": "points", "amount": 5 })).await;
        let (ann, bea) = (app.a_customer("ann@example.com").await, app.a_customer("bea@example.com").await);
        let body = json!({ "referrer_customer": id(&ann), "referred_customer": id(&bea) });
        let made: Value = app.post("/v1/referrals", body).await.json();
        erase(app, &format!("/api/v1/customers/{}", id(&bea))).await;
        let shown = app.get(&format!("/v1/referrals/{}?expand[]=referred_customer", id(&made))).await.ok();
        assert_eq!(shown["referred_customer"], json!({ "id": bea["id"], "deleted": true }));
    }
}
