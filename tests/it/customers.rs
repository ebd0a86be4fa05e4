//! Customers: people the company knows, and the link with which they bring others.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use handbill::clock::Clock;
use handbill::db::positions::Positions;
use serde_json::{Value, json};

use crate::support::money::id;
use crate::support::{Caller, Database, TestApp, on_both};

impl Caller {
    pub async fn a_customer(&self, email: &str) -> Value {
        let body = json!({ "email": email, "name": "Ines Maria Duarte" });
        self.post("/api/v1/customers", body).await.ok()
    }

    /// The customer's personal link.
    pub async fn invited_by(&self, customer: &Value) -> Value {
        let path = format!("/api/v1/customers/{}/invitation", id(customer));
        self.post(&path, json!({})).await.ok()
    }
}

on_both! {
    async fn a_customer_is_made_shown_listed_and_changed(app: &TestApp) {
        let body = json!({
            "email": "Ines@Example.com", "name": "Ines Duarte", "phone": "+351 910-000-000", "external_id": "shop_1",
            "metadata": { "tier": 2 }, "idempotency_key": "customer_1",
        });
        let made = app.post("/api/v1/customers", body.clone()).await.ok();
        assert!(id(&made).starts_with("cust_"));
        assert_eq!(made, json!({
            "id": made["id"], "email": "Ines@Example.com", "name": "Ines Duarte", "phone": "+351910000000",
            "external_id": "shop_1", "created_at": "2024-03-01T09:00:00Z", "updated_at": "2024-03-01T09:00:00Z",
            "metadata": { "tier": 2 },
        }));
        let again = app.post("/api/v1/customers", body).await;
        assert!(again.is_replay());
        assert_eq!(again.ok(), made);
        app.wait(1);
        let path = format!("/api/v1/customers/{}", id(&made));
        let changes = json!({ "name": null, "phone": null, "external_id": "shop_2", "metadata": { "tier": null, "a": 1 } });
        let changed = app.put(&path, changes).await.ok();
        assert_eq!(changed["name"], json!(null));
        assert_eq!((&changed["external_id"], &changed["metadata"]), (&json!("shop_2"), &json!({ "a": 1 })));
        assert_eq!(app.get(&path).await.ok(), changed);
        assert_eq!(app.put(&path, json!({})).await.ok(), changed, "nothing changed");
        app.wait(1);
        let other = app.a_customer("other@example.com").await;
        assert_eq!(app.all("customers").await, [changed.clone(), other]);
        for filter in ["email=INES@example.com", "external_id=shop_2"] {
            let page = app.get(&format!("/api/v1/customers?{filter}")).await.ok();
            assert_eq!(page["customers"], json!([changed]), "{filter}");
        }
    }

    async fn an_address_and_a_name_of_yours_are_one_customers(app: &TestApp) {
        let body = json!({ "email": "ines@example.com", "external_id": "shop_1" });
        let made = app.post("/api/v1/customers", body).await.ok();
        let taken = json!({ "email": "INES@example.com" });
        let refused = app.post("/api/v1/customers", taken.clone()).await.refused_with(409);
        assert_eq!(refused["code"], "email_taken");
        assert!(refused["message"].as_str().expect("words").contains(id(&made)), "{refused}");
        let name = json!({ "email": "marco@example.com", "external_id": "shop_1" });
        assert_eq!(app.post("/api/v1/customers", name).await.refused_with(409)["code"], "external_id_taken");
        let other = app.a_customer("marco@example.com").await;
        let path = format!("/api/v1/customers/{}", id(&other));
        assert_eq!(app.put(&path, taken).await.refused_with(409)["code"], "email_taken");
        assert_eq!(app.put(&path, json!({ "external_id": "shop_1" })).await.refused_with(409)["code"], "external_id_taken");
        assert_eq!(app.get(&path).await.ok(), other);
        app.put(&path, json!({ "email": "MARCO@example.com" })).await.ok();
        for (field, value, code) in [
            ("email", "x", "invalid_email"), ("phone", "0910", "invalid_phone"), ("phone", "+1", "invalid_phone"),
            ("phone", "+1234567890123456", "invalid_phone"), ("name", " ", "blank"),
        ] {
            let mut body = json!({ "email": "new@example.com" });
            body[field] = json!(value);
            let refused = app.post("/api/v1/customers", body).await.refused_with(400);
            assert_eq!((&refused["errors"][0]["field"], &refused["errors"][0]["code"]), (&json!(field), &json!(code)));
        }
        app.stranger().await.a_customer("ines@example.com").await;
    }

    async fn a_customer_has_one_link_also_when_many_ask_at_once(app: &TestApp) {
        let customers = [app.a_customer("a@example.com").await, app.a_customer("b@example.com").await];
        let asked = join_all((0..40).map(|n| app.invited_by(&customers[n % 2]))).await;
        let different: BTreeSet<String> = asked.iter().map(Value::to_string).collect();
        assert_eq!(different.len(), 2, "{different:?}");
        assert_eq!(app.all("programs").await.len(), 1, "one program for customers");
        assert_eq!(app.all("users").await.len(), 2);
        assert_eq!(app.all("posters").await.len(), 2);
        let link = app.invited_by(&customers[0]).await;
        assert_eq!(link["link"], json!(format!("{}/q/{}", app.base.replace("127.0.0.1", "localhost"), link["code"].as_str().expect("a code"))));
        let path = format!("/api/v1/users/{}", link["student_id"].as_str().expect("an id"));
        let user = app.get(&path).await.ok();
        assert_eq!((&user["first_name"], &user["last_name"]), (&json!("Ines Maria"), &json!("Duarte")));
        let renamed = json!({ "name": "Ines", "email": "ines@example.com" });
        app.put(&format!("/api/v1/customers/{}", id(&customers[0])), renamed).await.ok();
        let user = app.get(&path).await.ok();
        assert_eq!((&user["first_name"], &user["last_name"], &user["email"]), (&json!("Ines"), &json!("-"), &json!("ines@example.com")));
        app.post("/api/v1/customers/cust_unknown/invitation", json!({})).await.refused(404, "Customer not found");
    }

    async fn the_program_for_customers_is_an_ordinary_one_and_the_only_one(app: &TestApp) {
        let ines = app.a_customer("ines@example.com").await;
        app.invited_by(&ines).await;
        let program = app.all("programs").await.remove(0);
        assert_eq!((&program["audience"], &program["available_when"], &program["coupons"]), (&json!("customers"), &json!("hold_days"), &json!(false)));
        let body = json!({ "name": "Friends", "landing_url": "https://shop.example", "audience": "customers" });
        assert_eq!(app.post("/api/v1/programs", body.clone()).await.refused_with(409)["code"], "customer_program_exists");
        let path = format!("/api/v1/programs/{}", id(&program));
        let changes = json!({ "landing_url": "https://shop.example/friends", "coupons": true, "coupon_prefix": "hi-", "coupon_days": 14, "status": "paused" });
        let changed = app.put(&path, changes).await.ok();
        assert_eq!((&changed["coupon_prefix"], &changed["coupon_days"]), (&json!("HI-"), &json!(14)));
        let marco = app.a_customer("marco@example.com").await;
        let refused = app.post(&format!("/api/v1/customers/{}/invitation", id(&marco)), json!({})).await;
        assert_eq!(refused.refused_with(409)["code"], "program_paused");
        app.invited_by(&ines).await;
        let stranger = app.stranger().await;
        stranger.post("/api/v1/programs", body).await.ok();
        let ordinary = app.a_program().await;
        let refused = app.put(&format!("/api/v1/programs/{}", id(&ordinary)), json!({ "coupons": true })).await;
        assert_eq!(refused.refused_with(409)["code"], "not_for_customers");
    }
}

/// Several processes on one database make one link too.
#[actix_web::test]
async fn two_servers_make_one_link() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start_at(database, &[], Clock::System).await;
        let other = app.beside(Positions::default());
        for n in 0..5 {
            let customer = app.a_customer(&format!("{n}@example.com")).await;
            let asked = join_all((0..20).map(|n| {
                let server = if n % 2 == 0 { &app } else { &other };
                let path = format!("/api/v1/customers/{}/invitation", id(&customer));
                async move { server.post(&path, json!({})).await.ok()["code"].clone() }
            }))
            .await;
            assert!(asked.iter().all(|code| *code == asked[0]), "{asked:?}");
        }
        assert_eq!(app.all("programs").await.len(), 1);
        assert_eq!(app.all("posters").await.len(), 5);
        other.stop().await;
        app.stop().await;
    }
}
