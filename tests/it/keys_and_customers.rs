//! What a key that may not read customers sees of them.

use serde_json::json;

use crate::keys::restricted;
use crate::support::on_both;

on_both! {
    async fn who_may_not_read_customers_does_not_see_them_in_a_referral_either(app: &TestApp) {
        app.a_program_for_customers(json!({}), json!({ "type": "points", "amount": 5 })).await;
        let (ann, bea) = (app.a_customer("ann@example.com").await, app.a_customer("bea@example.com").await);
        let body = json!({ "referrer_customer": ann["id"], "referred_customer": bea["id"], "expand": ["referrer_customer"] });
        let writes = restricted(app, &["referrals:write".to_owned()], None, None).await;
        assert_eq!(writes.post("/v1/referrals", body.clone()).await.status, 403);
        let made = app.post("/v1/referrals", body).await.json();
        let path = format!("/v1/referrals/{}", made["id"].as_str().expect("an id"));
        let reads = restricted(app, &["referrals:read".to_owned()], None, None).await;
        reads.get(&path).await.ok();
        for expanded in [format!("{path}?expand[]=referrer_customer"), "/v1/referrals?expand[]=data.referred_customer".to_owned()] {
            let refused = reads.get(&expanded).await;
            assert_eq!(refused.status, 403, "{}", refused.text());
            assert_eq!(refused.json()["error"]["code"], "insufficient_permissions");
            assert!(!refused.text().contains("ann@"), "{}", refused.text());
        }
        let both = restricted(app, &["referrals:read".to_owned(), "customers:read".to_owned()], None, None).await;
        let shown = both.get(&format!("{path}?expand[]=referrer_customer")).await.ok();
        assert_eq!(shown["referrer_customer"]["email"], "ann@example.com");
    }
}
