//! One thing of each kind, to see whether somebody else can get at it.

use serde_json::{Value, json};

use super::Caller;
use super::operations::Things;

fn id(thing: &Value) -> String {
    thing["id"].as_str().expect("an id").to_owned()
}

/// Makes one thing of each kind there is. `word` stands in every text of them, and nobody else's texts have it.
pub async fn one_of_each(owner: &Caller, word: &str) -> Things {
    let program = json!({
        "name": word, "description": word, "landing_url": format!("https://{word}.example.com/"), "commission_rate": 10,
        "payout_currency": "USD",
    });
    let program = owner.post("/api/v1/programs", program).await.ok();
    let person = json!({
        "program_id": program["id"], "first_name": word, "last_name": word, "email": format!("{word}@example.com"),
        "metadata": { "word": word },
    });
    let user = owner.post("/api/v1/users", person).await.ok();
    let poster = json!({ "student_id": user["id"], "location": word });
    let poster = owner.post("/api/v1/posters", poster).await.ok();
    let scan = json!({ "poster_id": poster["id"], "user_agent": word });
    let scan = owner.post("/api/v1/impressions", scan).await.ok();
    let signup = json!({
        "impression_id": scan["id"], "first_name": word, "last_name": word, "email": format!("{word}@example.org"),
        "external_id": word,
    });
    let signup = owner.post("/api/v1/referrals", signup).await.ok();
    let earning = json!({ "referral_id": signup["id"], "amount": 5500, "description": word });
    let earning = owner.post("/api/v1/earnings", earning).await.ok();
    let order = json!({ "referral_id": signup["id"], "order_id": word, "amount": 9900 });
    let conversion = owner.post("/api/v1/conversions", order).await.ok();
    let refund =
        json!({ "order_id": word, "amount": 100, "reason": word, "idempotency_key": word });
    let refund = owner.post("/api/v1/refunds", refund).await.ok();
    let decided = json!({ "status": "verified", "note": word });
    owner
        .put(&format!("/api/v1/referrals/{}", id(&signup)), decided)
        .await
        .ok();
    let run = json!({ "program_id": program["id"] });
    let collection = owner.post("/api/v1/payouts:collect", run).await.ok();
    let payouts = owner
        .get(&format!("/api/v1/payouts?program_id={}", id(&program)))
        .await
        .ok();
    let endpoint =
        json!({ "url": format!("https://{word}.example.com/hook"), "description": word });
    let endpoint = owner.post("/api/v1/webhook-endpoints", endpoint).await.ok();
    let key = json!({ "name": word, "kind": "restricted", "scopes": ["users:read"], "student_id": user["id"] });
    let key = owner.post("/api/v1/keys", key).await.ok();
    let events = owner.get("/api/v1/events?limit=1&order=desc").await.ok();
    let customer =
        json!({ "email": format!("{word}@example.net"), "name": word, "external_id": word });
    let customer = owner.post("/api/v1/customers", customer).await.ok();
    let invitation = format!("/api/v1/customers/{}/invitation", id(&customer));
    let invitation = owner.post(&invitation, json!({})).await.ok();
    let scan = json!({ "poster_id": invitation["poster_id"] });
    let scan = owner.post("/api/v1/impressions", scan).await.ok();
    let friend = json!({
        "impression_id": scan["id"], "first_name": word, "last_name": word, "email": format!("{word}@friends.example.net"),
    });
    let introduced = owner.post("/api/v1/referrals", friend).await.ok();
    Things::from([
        ("cust", id(&customer)),
        ("introduction", id(&introduced)),
        ("prog", id(&program)),
        ("user", id(&user)),
        ("poster", id(&poster)),
        ("imp", id(&scan)),
        ("ref", id(&signup)),
        ("earn", id(&earning)),
        ("conv", id(&conversion)),
        ("refund", id(&refund)),
        (
            "coll",
            collection["id"].as_str().expect("a collection").to_owned(),
        ),
        ("payout", id(&payouts["payouts"][0])),
        ("whe", id(&endpoint)),
        ("key", id(&key)),
        ("evt", id(&events["events"][0])),
    ])
}

/// The same, and what only dialects show: a customer of VINR's, an event and an endpoint in VINR's words.
pub async fn one_of_each_for_dialects(owner: &Caller, word: &str) -> Things {
    let mut things = one_of_each(owner, word).await;
    let made = async |path: &str, body: Value| {
        let answer = owner.post(path, body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    };
    let friend = json!({ "email": format!("{word}@vinr.example.net"), "name": word });
    let friend = made("/v1/customers", friend).await;
    let endpoint = json!({ "url": format!("https://{word}.example.com/vinr") });
    let endpoint = made("/v1/webhook-endpoints", endpoint).await;
    let events = owner.get("/v1/events?type=referral.created").await.ok();
    things.extend([
        ("friend", id(&friend)),
        ("we", id(&endpoint)),
        ("vinr event", id(&events["data"][0])),
        ("address", format!("{word}@example.net")),
    ]);
    things
}

/// An id of the same kind that nothing has.
pub fn unknown(id: &str) -> String {
    format!("{}zzzz", &id[..id.len() - 4])
}
