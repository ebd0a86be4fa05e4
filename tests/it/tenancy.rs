//! One account can neither see nor touch another's rows, on any path.

use handbill::accounts;
use handbill::error::Error;
use handbill::ids::AccountId;
use handbill::parse::Parse;
use handbill::text::Name;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::dump::dump;
use crate::support::everything::{one_of_each, one_of_each_for_dialects, unknown};
use crate::support::operations::{Position, operations, operations_of_dialects};
use crate::support::{Answer, Caller, on_both};

/// What an account can own: the list, and one thing in it.
async fn belongings(owner: &Caller) -> Vec<(&'static str, Value)> {
    let program = owner.a_program().await;
    let student = owner.a_student_of(&program).await;
    let poster = owner.a_poster_of(&student).await;
    let scan = owner.a_scan_of(&poster).await;
    let referral = owner.a_referral_from(&scan).await;
    let earning = owner.an_earning_of(&referral).await;
    let order = json!({ "referral_id": referral["id"], "order_id": "order_1", "amount": 9 });
    let conversion = owner.post("/api/v1/conversions", order).await.ok();
    let refund = json!({ "order_id": "order_1", "idempotency_key": "note_1" });
    let refund = owner.post("/api/v1/refunds", refund).await.ok();
    let conversion_path = format!(
        "/api/v1/conversions/{}",
        conversion["id"].as_str().expect("an id")
    );
    let conversion = owner.get(&conversion_path).await.ok();
    let referral_path = format!(
        "/api/v1/referrals/{}",
        referral["id"].as_str().expect("an id")
    );
    owner
        .put(&referral_path, json!({ "status": "verified" }))
        .await
        .ok();
    let referral = owner.get(&referral_path).await.ok();
    let run = json!({ "program_id": program["id"] });
    owner.post("/api/v1/payouts:collect", run).await.ok();
    let payout = owner.all("payouts").await.remove(0);
    let earning_path = format!(
        "/api/v1/earnings/{}",
        earning["id"].as_str().expect("an id")
    );
    let earning = owner.get(&earning_path).await.ok();
    vec![
        ("programs", program),
        ("users", student),
        ("posters", poster),
        ("impressions", scan),
        ("referrals", referral),
        ("earnings", earning),
        ("conversions", conversion),
        ("refunds", refund),
        ("payouts", payout),
    ]
}

fn without_request_id(mut body: Value) -> Value {
    body.as_object_mut()
        .expect("an object")
        .remove("request_id");
    body
}

/// Operations on something that `one_of_each` does not have: a delivery; a coupon, which is named by its code.
const WITHOUT_ONE: [&str; 2] = ["retryWebhookDelivery", "getCoupon"];

/// What was answered, without what is different in every answer and without the id that was asked for.
fn told(answer: &Answer, asked: &str) -> (u16, String) {
    let text = answer.text().replace(asked, "THE ID");
    let told = match serde_json::from_str(&text) {
        Ok(Value::Object(mut body)) => {
            body.remove("request_id");
            if let Some(Value::Object(error)) = body.get_mut("error") {
                error.remove("request_id");
            }
            Value::Object(body).to_string()
        }
        _ => text,
    };
    (answer.status, told)
}

on_both! {
    /// Every operation in the document, every place for an id in it: a new operation is in this test without being
    /// named here.
    async fn no_account_gets_the_id_or_the_name_of_another(app: &TestApp) {
        let id = app.database.account_named("default");
        let mut conn = app.database.connect();
        let before = accounts::queries::list(&mut conn).expect("the accounts").len();
        for (id, name, why) in [
            (id, "Second", "try again"),
            (AccountId::random(), "default", "already an account called default"),
        ] {
            let name = Name::parse(name).expect("a name");
            let opened = accounts::open::open(&mut conn, id, &name, app.app.clock.now());
            let Err(Error::Conflict { message, .. }) = opened else { panic!("{opened:?}") };
            assert!(message.contains(why), "{message}");
        }
        assert_eq!(accounts::queries::list(&mut conn).expect("the accounts").len(), before);
    }

    async fn no_operation_gives_away_or_changes_anything_of_another_account(app: &TestApp) {
        let stranger = app.stranger().await;
        let theirs = one_of_each(app, "canaryword").await;
        let own = one_of_each(&stranger, "harmless").await;
        let account = app.database.account_named("default");
        let before = dump(&mut app.database.connect(), account);
        let mut tried = 0;
        let mut no_good = Vec::new();
        for operation in operations() {
            for (position, kind) in operation.positions() {
                let name = format!("{} {position:?}", operation.name);
                let their = theirs.get(kind).unwrap_or_else(|| panic!("{name}: nobody has a {kind}; arrange one"));
                let none = unknown(their);
                let answer = operation.send(&stranger, &own, Some((&position, their))).await;
                let nothing = operation.send(&stranger, &own, Some((&position, &none))).await;
                match position {
                    Position::Path(_) => assert_eq!(answer.status, 404, "{name}: {}", answer.text()),
                    Position::Query(_) => assert_eq!(answer.status, 200, "{name}: {}", answer.text()),
                    Position::Body(_) => assert!([400, 200].contains(&answer.status), "{name}: {}", answer.text()),
                }
                assert_eq!(told(&answer, their), told(&nothing, &none), "{name}");
                let text = answer.text().replace(their, "");
                assert!(!text.contains("canaryword"), "{name}: {text}");
                for id in theirs.values() {
                    assert!(!text.contains(&**id), "{name}: {text}");
                }
                tried += 1;
            }
            // And without any id of theirs.
            let answer = operation.send(&stranger, &own, None).await;
            assert!(!answer.text().contains("canaryword"), "{}", operation.name);
            // The same request with one's own: it has to get as far as what it is about.
            let has_none = operation.method == Method::DELETE || WITHOUT_ONE.contains(&&*operation.name);
            let is_good = ![400, 404].contains(&answer.status) || has_none;
            no_good.extend((!is_good).then(|| format!("{}: {}", operation.name, answer.text())));
        }
        assert!(tried > 60, "{tried}");
        assert_eq!(no_good, Vec::<String>::new());
        assert_eq!(dump(&mut app.database.connect(), account), before);
    }

    /// The same of every operation of the dialects.
    async fn no_dialect_gives_away_or_changes_anything_of_another_account(app: &TestApp) {
        let stranger = app.stranger().await;
        let stranger = stranger.with_joy(app.database.account_named("stranger"));
        let theirs = one_of_each_for_dialects(app, "canaryword").await;
        let own = one_of_each_for_dialects(&stranger, "harmless").await;
        let account = app.database.account_named("default");
        let before = dump(&mut app.database.connect(), account);
        let mut tried = 0;
        for operation in operations_of_dialects() {
            for (position, kind) in operation.positions() {
                let name = format!("{} {position:?}", operation.name);
                let mut ids = vec![theirs[kind].clone()];
                // Joy takes the company's own name for a customer too.
                ids.extend((operation.name.starts_with("joy")).then(|| "canaryword".to_owned()));
                for their in ids {
                    let none = unknown(&their);
                    let answer = operation.send(&stranger, &own, Some((&position, &their))).await;
                    let nothing = operation.send(&stranger, &own, Some((&position, &none))).await;
                    let expected = match &position {
                        Position::Query(field) if field.contains("customer") => 200,
                        Position::Query(_) => 400,
                        Position::Path(_) | Position::Body(_) => 404,
                    };
                    assert_eq!(answer.status, expected, "{name}: {}", answer.text());
                    assert_eq!(told(&answer, &their), told(&nothing, &none), "{name}");
                    assert!(!answer.text().replace(&their, "").contains("canaryword"), "{name}: {}", answer.text());
                    tried += 1;
                }
            }
            // And without any id of theirs: the request has to get as far as what it is about.
            let answer = operation.send(&stranger, &own, None).await;
            assert!(!answer.text().contains("canaryword"), "{}", operation.name);
            assert!([200, 201].contains(&answer.status), "{}: {}", operation.name, answer.text());
        }
        assert!(tried > 15, "{tried}");
        assert_eq!(dump(&mut app.database.connect(), account), before);
    }

    async fn anothers_id_is_byte_for_byte_an_unknown_one(app: &TestApp) {
        let stranger = app.stranger().await;
        for (list, thing) in belongings(app).await {
            let id = thing["id"].as_str().expect("an id");
            let unknown = format!("{}zzzz", &id[..id.len() - 4]);
            for tail in ["", "/history"] {
                if tail == "/history" && !["referrals", "earnings", "payouts"].contains(&list) {
                    continue;
                }
                let theirs = stranger.get(&format!("/api/v1/{list}/{id}{tail}")).await.refused_with(404);
                let nobodys = stranger.get(&format!("/api/v1/{list}/{unknown}{tail}")).await.refused_with(404);
                assert_eq!(without_request_id(theirs), without_request_id(nobodys), "{list}");
            }
            if !["impressions", "conversions", "refunds"].contains(&list) {
                let changes = json!({ "status": "paused", "first_name": "Mallory", "location": "x", "amount": 1 });
                let path = format!("/api/v1/{list}/{id}");
                stranger.put(&path, changes).await.refused_with(404);
                assert_eq!(app.get(&path).await.ok(), thing, "{list} was not touched");
            }
        }
    }

    async fn lists_show_only_ones_own(app: &TestApp) {
        let stranger = app.stranger().await;
        let mine = belongings(app).await;
        let theirs = belongings(&stranger).await;
        for ((list, mine), (_, theirs)) in mine.iter().zip(&theirs) {
            assert_eq!(&app.all(list).await, std::slice::from_ref(mine));
            assert_eq!(&stranger.all(list).await, std::slice::from_ref(theirs));
        }
        for (filter, of) in [("programId", 0), ("studentId", 1), ("posterId", 2), ("referralId", 4)] {
            let id = theirs[of].1["id"].as_str().expect("an id");
            for list in ["users", "posters", "impressions", "referrals", "earnings", "conversions", "payouts"] {
                let page = app.get(&format!("/api/v1/{list}?{filter}={id}")).await.ok();
                for seen in page[list].as_array().expect("an array") {
                    assert!(mine.iter().any(|(_, thing)| thing == seen), "{list} by {filter}");
                }
            }
        }
        // A cursor is an id and nothing more: another account's shows nothing of that account.
        let cursor = theirs[0].1["id"].as_str().expect("an id");
        let page = app.get(&format!("/api/v1/programs?order=desc&after={cursor}")).await.ok();
        assert_eq!(page["programs"], json!([mine[0].1]));
    }

    async fn nothing_can_be_made_below_anothers_row(app: &TestApp) {
        let stranger = app.stranger().await;
        let owned = belongings(app).await;
        let id = |of: usize| owned[of].1["id"].clone();
        let person = |program: Value| json!({ "program_id": program, "first_name": "A", "last_name": "B", "email": "a@b.example" });
        let signup = |scan: Value| json!({ "impression_id": scan, "first_name": "A", "last_name": "B", "email": "a@b.example" });
        for (list, theirs, unknown) in [
            ("users", person(id(0)), person(json!("prog_unknown"))),
            ("posters", json!({ "student_id": id(1) }), json!({ "student_id": "user_unknown" })),
            ("impressions", json!({ "poster_id": id(2) }), json!({ "poster_id": "poster_unknown" })),
            ("referrals", signup(id(3)), signup(json!("imp_unknown"))),
            ("earnings", json!({ "referral_id": id(4), "amount": 1 }), json!({ "referral_id": "ref_unknown", "amount": 1 })),
            (
                "conversions",
                json!({ "referral_id": id(4), "order_id": "o", "amount": 1 }),
                json!({ "referral_id": "ref_unknown", "order_id": "o", "amount": 1 }),
            ),
        ] {
            let path = format!("/api/v1/{list}");
            let theirs = stranger.post(&path, theirs).await.refused_with(400);
            let unknown = stranger.post(&path, unknown).await.refused_with(400);
            assert_eq!(without_request_id(theirs), without_request_id(unknown), "{list}");
            assert!(stranger.all(list).await.is_empty(), "{list}");
        }
    }
}
