//! VINR's lists, expanded ids and events.

use serde_json::json;

use crate::support::money::id;
use crate::support::on_both;
use crate::vinr::{INVALID, made, refused};

on_both! {
    async fn ids_are_expanded_in_every_form(app: &TestApp) {
        let (ines, marco) = (app.known("ines@example.com").await, app.known("marco@example.com").await);
        let body = format!("referrer_customer={}&referred_customer={}&expand[]=referrer_customer", id(&ines), id(&marco));
        let made = made(&app.form("/v1/referrals", &body, &[]).await);
        assert_eq!((&made["referrer_customer"], &made["referred_customer"]), (&ines, &marco["id"]));
        let path = format!("/v1/referrals/{}", id(&made));
        for (query, referrer, referred) in [
            ("expand[]=referrer_customer", true, false),
            ("expand%5B%5D=referrer_customer&expand%5B%5D=referred_customer", true, true),
            ("expand=referred_customer", false, true),
            ("expand[0]=referrer_customer&expand[1]=referred_customer", true, true),
            ("expand[]=referrer_customer.default_payment_method", true, false),
        ] {
            for (path, list) in [(path.clone(), false), ("/v1/referrals".to_owned(), true)] {
                let answer = app.get(&format!("{path}?{query}")).await.ok();
                let shown = if list { answer["data"][0].clone() } else { answer };
                assert_eq!(shown["referrer_customer"], if referrer { ines.clone() } else { ines["id"].clone() }, "{query}");
                assert_eq!(shown["referred_customer"], if referred { marco.clone() } else { marco["id"].clone() }, "{query}");
            }
        }
        let list = app.get("/v1/referrals?expand[]=data.referred_customer").await.ok();
        assert_eq!(list["data"][0]["referred_customer"], marco);
        refused(&app.get(&format!("{path}?expand[]=data.referred_customer")).await, 400, (INVALID, "parameter_invalid", Some("expand")));
        let new = app.known("new@example.com").await;
        let body = json!({
            "referrer_customer": ines["id"], "referred_customer": new["id"], "expand": ["referrer_customer", "referred_customer"],
        });
        let answer = app.post("/v1/referrals", body).await;
        assert_eq!(answer.json()["referred_customer"], new);
    }

    async fn lists_are_walked_both_ways_newest_first(app: &TestApp) {
        let ines = app.known("ines@example.com").await;
        let mut all = Vec::new();
        for n in 0..25 {
            app.wait(1);
            let friend = app.known(&format!("{n}@example.com")).await;
            all.insert(0, app.referred(&ines, &friend).await);
        }
        let first = app.get("/v1/referrals").await.ok();
        assert_eq!((&first["data"], &first["has_more"]), (&json!(all[..10]), &json!(true)), "ten, when nothing is said");
        let mut walked = Vec::new();
        let mut after = String::new();
        loop {
            let page = app.get(&format!("/v1/referrals?limit=7{after}")).await.ok();
            walked.extend(page["data"].as_array().expect("data").clone());
            if page["has_more"] == json!(false) {
                break;
            }
            after = format!("&starting_after={}", id(&walked[walked.len() - 1]));
        }
        assert_eq!(walked, all);
        let back = app.get(&format!("/v1/referrals?limit=7&ending_before={}", id(&all[10]))).await.ok();
        assert_eq!((&back["data"], &back["has_more"]), (&json!(all[3..10]), &json!(true)));
        let back = app.get(&format!("/v1/referrals?limit=7&ending_before={}", id(&all[3]))).await.ok();
        assert_eq!((&back["data"], &back["has_more"]), (&json!(all[..3]), &json!(false)));
        let customers = app.get("/v1/customers?limit=100").await.ok();
        assert_eq!(customers["data"].as_array().expect("data").len(), 26);
        assert_eq!(customers["data"][25], ines);
        let one = app.get("/v1/customers?email=INES@example.com").await.ok();
        assert_eq!(one["data"], json!([ines]));
    }
}

on_both! {
    /// Begins with a link of ours, goes on through the Vantio webhook, ends as VINR's `rewarded`.
    async fn a_story_begins_in_one_dialect_and_ends_in_another(app: &TestApp) {
        let reward = json!({ "type": "money", "amount": 750, "minimum_first_payment": 2000, "window_days": 30 });
        app.a_program_for_customers(json!({ "coupons": true }), reward).await;
        let ines = app.known("ines@example.com").await;
        app.wait(1);
        let link = app.invited_by(&ines).await;
        app.wait(1);
        let scan = app.follows(&link).await;
        app.wait(1);
        let signup = app.signs_up(&scan, "marco@example.com").await;
        let path = format!("/v1/referrals/{}", id(&signup));
        let referral = app.get(&format!("{path}?expand[]=referred_customer")).await.ok();
        assert_eq!((&referral["status"], &referral["referred_customer"]["email"]), (&json!("pending"), &json!("marco@example.com")));
        app.wait(86_400);
        let coupon = app.all("coupons").await.remove(0);
        let order = json!({ "order_id": "order_1", "amount": 2000, "coupon_code": coupon["code"] });
        app.post("/api/v1/conversions", order).await.ok();
        let rewarded = app.get(&path).await.ok();
        assert_eq!((&rewarded["status"], &rewarded["reward_amount"]), (&json!("rewarded"), &json!(750)));
        let listed = app.get(&format!("/v1/referrals?referrer_customer={}", id(&ines))).await.ok();
        assert_eq!(listed["data"], json!([rewarded]));
        let balance = app.balance(&signup, "USD", None).await;
        assert_eq!(balance["available"], 750);
        let events = app.get("/v1/events").await.ok();
        let told: Vec<_> = events["data"].as_array().expect("events").iter().map(|event| {
            let object = &event["data"]["object"];
            (event["type"].clone(), object["status"].clone(), object["reward_amount"].clone())
        }).collect();
        assert_eq!(told, [
            (json!("referral.rewarded"), json!("rewarded"), json!(750)),
            (json!("referral.qualified"), json!("qualified"), json!(null)),
            (json!("referral.created"), json!("pending"), json!(null)),
        ]);
        let last = &events["data"][0];
        assert_eq!(last["data"]["object"], rewarded);
        assert_eq!(app.get(&format!("/v1/events/{}", id(last))).await.ok(), *last);
        let ours = app.get("/api/v1/events?types=poster.created").await.ok()["events"][0].clone();
        refused(&app.get(&format!("/v1/events/{}", id(&ours))).await, 404, (INVALID, "resource_missing", Some("id")));
        let behind = app.get(&format!("/v1/events?starting_after={}", id(&ours))).await;
        refused(&behind, 400, (INVALID, "parameter_invalid", Some("starting_after")));
        let at = last["created"].as_i64().expect("a time");
        for (query, count) in [
            ("type=referral.created".to_owned(), 1), ("type=payment.completed".to_owned(), 0), ("limit=2".to_owned(), 2),
            (format!("created.gte={at}"), 2), (format!("created[gt]={at}"), 0), (format!("created[lt]={at}"), 1),
            (format!("created.lte={at}"), 3), (format!("starting_after={}", id(last)), 2),
            (format!("ending_before={}", id(last)), 0),
        ] {
            let page = app.get(&format!("/v1/events?{query}")).await.ok();
            assert_eq!(page["data"].as_array().expect("events").len(), count, "{query}");
        }
        refused(&app.get("/v1/events?created.gte=x").await, 400, (INVALID, "parameter_invalid", Some("created.gte")));
        app.refunds("order_1", 2000, "note_1").await;
        assert_eq!(app.get(&path).await.ok(), rewarded, "what is taken back is in the ledger");
        assert_eq!(app.balance(&signup, "USD", None).await["available"], 0);
    }
}
