//! Keys: who gets in, and who does not.

use handbill::api_keys::revoke;
use handbill::db::recent;
use handbill::ids::{ApiKeyId, Id};
use reqwest::Method;

use crate::support::{Caller, on_both};

const LISTS: [&str; 6] = [
    "programs",
    "users",
    "posters",
    "impressions",
    "referrals",
    "earnings",
];

on_both! {
    async fn without_a_valid_key_nothing_is_looked_at(app: &TestApp) {
        let nobody = app.nobody();
        for list in LISTS {
            for path in [format!("/api/v1/{list}"), format!("/api/v1/{list}/x"), format!("/api/v1/{list}?limit=-1")] {
                let answer = nobody.get(&path).await;
                answer.refused(401, "Invalid or missing API key");
                assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            }
        }
        for path in ["/api/v1/nothing", "/api/v1", "/api/v1/"] {
            nobody.get(path).await.refused_with(401);
        }
        nobody.post_text("/api/v1/referrals", "{broken").await.refused_with(401);
        nobody.send(Method::DELETE, "/api/v1/referrals", &[], None::<String>).await.refused_with(401);
    }

    async fn only_one_well_formed_bearer_key_opens_the_door(app: &TestApp) {
        let key = app.key.clone().expect("a key");
        let nobody = app.nobody();
        let with = async |header: String| {
            nobody.send(Method::GET, "/api/v1/programs", &[("authorization", &header)], None::<String>).await
        };
        for good in [format!("Bearer {key}"), format!("bearer {key}"), format!("BEARER  {key} ")] {
            with(good).await.ok();
        }
        for bad in [
            key.clone(),
            format!("Basic {key}"),
            format!("Bearer{key}"),
            format!("Bearer {key}x"),
            format!("Bearer {}", &key[..key.len() - 1]),
            format!("Bearer {}", key.to_uppercase()),
            "Bearer ".to_owned(),
            "Bearer sk_".to_owned(),
            "Bearer null".to_owned(),
        ] {
            with(bad).await.refused(401, "Invalid or missing API key");
        }
        app.nobody().get(&format!("/api/v1/programs?key={key}")).await.refused_with(401);
    }

    async fn a_revoked_key_is_refused_within_a_second(app: &TestApp) {
        let stranger = app.stranger().await;
        stranger.get("/api/v1/programs").await.ok();
        let id = app.app.db.read(|conn| {
            use diesel::prelude::*;
            diesel::table! { api_keys (id) { id -> Text, name -> Text, } }
            let id: String = api_keys::table.filter(api_keys::name.eq("stranger")).select(api_keys::id).first(conn)?;
            Ok(ApiKeyId::from_outside(&id).expect("an id"))
        }).await.expect("the key");
        let again = id.clone();
        // From another connection, as the command line does it.
        app.app.db.write(move |conn, now| revoke::revoke_anywhere(conn, &id, now)).await.expect("revoked");
        tokio::time::sleep(recent::FRESH).await;
        // The first one after that notices, perhaps by asking the database; no one later gets through.
        stranger.get("/api/v1/programs").await.refused(401, "Invalid or missing API key");
        app.get("/api/v1/programs").await.ok();
        let twice = app.app.db.write(move |conn, now| revoke::revoke_anywhere(conn, &again, now)).await;
        assert!(twice.is_ok(), "revoking twice is the same as once");
    }

    async fn what_phones_and_browsers_ask_for_needs_no_key(app: &TestApp) {
        let poster = app.a_poster().await;
        let code = poster["code"].as_str().expect("a code").to_owned();
        let nobody: Caller = app.nobody();
        assert_eq!(nobody.get(&format!("/q/{code}")).await.status, 302);
        for path in [format!("/qr/{code}.svg"), format!("/qr/{code}.png"), "/healthz".into(), "/readyz".into(),
            "/openapi.json".into(), "/docs/".into()] {
            assert_eq!(nobody.get(&path).await.status, 200, "{path}");
        }
    }
}
