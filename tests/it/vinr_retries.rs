//! VINR's idempotency keys: answers that are kept for a day.

use futures_util::future::join_all;

use crate::support::dump::dump;
use crate::support::money::id;
use crate::support::{Database, TestApp, on_both};
use crate::vinr::{INVALID, made, refused};

on_both! {
    async fn a_key_repeats_the_answer_for_a_day(app: &TestApp) {
        let key = [("idempotency-key", "signup-5521")];
        let body = "email=ines@example.com&name=Ines";
        let first = app.form("/v1/customers", body, &key).await;
        let ines = made(&first);
        let turned = app.form("/v1/customers", "name=Ines&email=ines@example.com", &key).await;
        assert!(turned.is_replay());
        assert_eq!((turned.status, turned.text()), (201, first.text()), "status and body");
        let changed = format!("/v1/customers/{}", id(&ines));
        assert_eq!(app.form(&changed, "name=Maria", &[]).await.ok()["name"], "Maria");
        assert_eq!(app.form("/v1/customers", body, &key).await.text(), first.text(), "the answer as it was");
        let other = app.form("/v1/customers", "email=other@example.com", &key).await;
        refused(&other, 409, ("idempotency_error", "idempotency_key_reused", None));
        let marco = app.known("marco@example.com").await;
        let body = format!("referrer_customer={}&referred_customer={}", id(&ines), id(&marco));
        let referral = made(&app.form("/v1/referrals", &body, &key).await);
        assert_eq!(app.form("/v1/referrals", &body, &key).await.json(), referral, "a key is one operation's");
        let wrong = [("idempotency-key", "wrong")];
        let refusal = app.form("/v1/referrals", &body, &wrong).await;
        refused(&refusal, 422, (INVALID, "referral_already_exists", Some("referred_customer")));
        let again = app.form("/v1/referrals", &body, &wrong).await;
        assert_eq!((again.status, again.text()), (422, refusal.text()), "refusals are repeated too");
        let missing = [("idempotency-key", "missing")];
        let answers = [app.form("/v1/customers", "", &missing).await, app.form("/v1/customers", "", &missing).await];
        assert_eq!(answers[0].text(), answers[1].text());
        let long = "x".repeat(256);
        let long = app.form("/v1/customers", "email=a@b.example", &[("idempotency-key", &long)]).await;
        refused(&long, 400, (INVALID, "parameter_invalid", Some("Idempotency-Key")));
        app.wait(86_401);
        let later = app.form("/v1/customers", "email=later@example.com", &key).await;
        made(&later);
        assert!(!later.is_replay());
    }

    async fn of_many_with_one_key_one_is_made(app: &TestApp) {
        let (ines, marco) = (app.known("ines@example.com").await, app.known("marco@example.com").await);
        let body = format!("referrer_customer={}&referred_customer={}", id(&ines), id(&marco));
        let answers = join_all((0..30).map(|_| app.form("/v1/referrals", &body, &[("idempotency-key", "one")]))).await;
        let first = made(&answers[0]);
        for answer in &answers {
            assert_eq!((answer.status, answer.json()), (201, first.clone()), "all get the same");
        }
        assert_eq!(answers.iter().filter(|answer| answer.is_replay()).count(), 29);
        let nobody = format!("referrer_customer=cust_nobody&referred_customer={}", id(&marco));
        let answers = join_all((0..10).map(|_| app.form("/v1/referrals", &nobody, &[("idempotency-key", "none")]))).await;
        for answer in &answers {
            assert_eq!((answer.status, answer.text()), (404, answers[0].text()), "refusals too");
        }
        let friends = join_all((0..10).map(|n| app.known(format!("{n}@example.com").leak()))).await;
        let bodies = (0..40).map(|n| format!("referrer_customer={}&referred_customer={}", id(&ines), id(&friends[n % 10])));
        let bodies: Vec<String> = bodies.collect();
        let answers = join_all(bodies.iter().map(|body| app.form("/v1/referrals", body, &[]))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 10, "one for each friend");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            refused(answer, 422, (INVALID, "referral_already_exists", Some("referred_customer")));
        }
        assert_eq!(app.all("referrals").await.len(), 11, "nothing is left of those who were too late");
        assert_eq!(app.all("posters").await.len(), 1);
    }
}

on_both! {
    with [("HANDBILL_ENCRYPTION_KEYS", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=")] =>
    async fn an_erasure_takes_a_person_out_of_the_answers_and_leaves_everybodys_keys(app: &TestApp) {
        let key = |key: &'static str| [("idempotency-key", key)];
        let (ines, marco) = ("email=ines@example.com&name=Ines", "email=marco@example.com&name=Marco");
        let customer = app.form("/v1/customers", ines, &key("ines")).await;
        let other = app.form("/v1/customers", marco, &key("marco")).await;
        let (erased, kept) = (made(&customer), made(&other));
        let pair = format!("referrer_customer={}&referred_customer={}&expand[]=referrer_customer", id(&kept), id(&erased));
        let referral = app.form("/v1/referrals", &pair, &key("pair")).await;
        made(&referral);
        let hook = "url=https://example.com/hooks";
        let endpoint = app.form("/v1/webhook-endpoints", hook, &key("hook")).await;
        made(&endpoint);
        let update = format!("/v1/customers/{}", id(&kept));
        app.form(&update, "name=Old", &key("old")).await.ok();
        app.form(&update, "name=New", &[]).await.ok();
        let wrong = app.form("/v1/customers", "email=ines@example.com", &key("again")).await;
        refused(&wrong, 422, (INVALID, "email_taken", Some("email")));

        let path = format!("/api/v1/customers/{}/personal-data", id(&erased));
        app.send(reqwest::Method::DELETE, &path, &[], None::<String>).await.ok();

        for (path, body, which, before) in [
            ("/v1/customers", marco, "marco", &other),
            ("/v1/webhook-endpoints", hook, "hook", &endpoint),
        ] {
            let again = app.form(path, body, &key(which)).await;
            assert!(again.is_replay(), "{which}");
            assert_eq!(again.text(), before.text(), "{which}");
        }
        assert!(app.form(&update, "name=Old", &key("old")).await.is_replay());
        assert_eq!(app.get(&update).await.ok()["name"], "New", "nothing is done a second time");
        let late = app.form("/v1/customers", ines, &key("ines")).await;
        assert!(late.is_replay());
        assert_eq!((late.status, &late.json()["id"], &late.json()["name"]), (201, &erased["id"], &serde_json::json!("Erased")));
        let shown = app.form("/v1/referrals", &pair, &key("pair")).await;
        assert!(shown.is_replay() && shown.json()["id"] == made(&referral)["id"]);
        assert!(!shown.text().contains("ines@example.com"), "{}", shown.text());
        assert!(app.form("/v1/customers", "email=ines@example.com", &key("again")).await.is_replay());
        assert_eq!(app.all("customers").await.len(), 2, "nobody is brought back");
        let hooks = app.get("/v1/webhook-endpoints").await.ok();
        assert_eq!(hooks["data"].as_array().map(Vec::len), Some(1));
        assert_eq!(app.get(&format!("/v1/customers/{}", id(&erased))).await.ok(), serde_json::json!({ "id": erased["id"], "deleted": true }));
        let list = app.get("/v1/customers").await.ok();
        assert_eq!(list["data"][1], serde_json::json!({ "id": erased["id"], "deleted": true }));
    }
}

#[actix_web::test]
async fn kept_answers_are_encrypted_with_the_key_that_secrets_are() {
    for database in [Database::sqlite(), Database::postgres()] {
        let key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
        let app = TestApp::start_with(database, &[("HANDBILL_ENCRYPTION_KEYS", key)]).await;
        let (body, key) = (
            "url=https://example.com/hooks",
            [("idempotency-key", "one")],
        );
        let endpoint = app.form("/v1/webhook-endpoints", body, &key).await;
        let secret = made(&endpoint)["secret"].clone();
        let secret = secret.as_str().expect("a secret");
        let again = app.form("/v1/webhook-endpoints", body, &key).await;
        assert!(again.is_replay());
        assert_eq!(again.text(), endpoint.text());
        let account = app.database.account_named("default");
        let kept = dump(&mut app.database.connect(), account).join("\n");
        assert!(kept.contains("enc1:") && !kept.contains(secret), "{kept}");
        app.stop().await;
    }
}
