//! What a rule may look like, and what it may not.

use serde_json::{Value, json};

use crate::support::on_both;

/// Everything that a rule can be. Where no commission is given, it is `"commission": {"type": "percent",
/// "basis_points": 1000}`.
pub const SHAPES: &str = r#"{"commission": {"type": "percent", "basis_points": 0}}
{"commission": {"type": "percent", "basis_points": 10000}}
{"commission": {"type": "flat", "amount": 500, "minimum_order": 500}}
{"commission": {"type": "flat", "amount": 1, "minimum_order": 99999999999}}
{"commission": {"type": "tiers", "by": "conversions", "period": "month", "tiers": [{"from": 0, "basis_points": 500}, {"from": 10, "basis_points": 800}]}}
{"commission": {"type": "tiers", "by": "volume", "period": "year", "tiers": [{"from": 0, "basis_points": 500}, {"from": 99999999999, "basis_points": 0}]}}
{"commission": {"type": "tiers", "by": "volume", "period": "all_time", "tiers": [{"from": 0, "basis_points": 500}]}}
{"applies": {"to": "first_purchase"}}
{"applies": {"to": "months", "months": 12}}
{"kinds": ["renewal"]}
{"caps": {"per_referral": 99999999999}}
{"caps": {"per_ambassador": {"amount": 50000, "period": "month"}}}
{"bonuses": [{"verified_referrals": 1, "amount": 1}, {"verified_referrals": 10, "amount": 5000}]}
{"reward": {"type": "points", "amount": 500, "minimum_first_payment": null, "window_days": null}}
{"reward": {"type": "money", "amount": 750, "minimum_first_payment": 2000, "window_days": 3650}}
{"applies": {"to": "months", "months": 1200}, "kinds": ["purchase", "renewal"], "caps": {"per_referral": 10000, "per_ambassador": {"amount": 50000, "period": "all_time"}}, "bonuses": [{"verified_referrals": 10, "amount": 5000}]}"#;

/// What a rule cannot be: the field and the code of the complaint, and the rule. `@` stands for a tier from 0 on, `#`
/// for one entry too many.
const REFUSALS: &str = r#"
commission missing: {"commission": null}
commission wrong_type: {"commission": "percent"}
commission.type missing: {"commission": {}}
commission.type wrong_type: {"commission": {"type": 1}}
commission.type unknown_value: {"commission": {"type": "share"}}
commission.basis_points missing: {"commission": {"type": "percent"}}
commission.basis_points pays_more_than_order: {"commission": {"type": "percent", "basis_points": 10001}}
commission.basis_points invalid_rate: {"commission": {"type": "percent", "basis_points": -1}}
commission.basis_points invalid_rate: {"commission": {"type": "percent", "basis_points": 12.5}}
commission.basis_points invalid_rate: {"commission": {"type": "percent", "basis_points": "1000"}}
commission.basis_points invalid_rate: {"commission": {"type": "percent", "basis_points": true}}
commission.rate unknown_field: {"commission": {"type": "percent", "basis_points": 1, "rate": 1}}
commission.amount missing: {"commission": {"type": "flat"}}
commission.amount invalid_amount: {"commission": {"type": "flat", "amount": 0}}
commission.amount invalid_amount: {"commission": {"type": "flat", "amount": 100000000000}}
commission.minimum_order invalid_amount: {"commission": {"type": "flat", "amount": 1, "minimum_order": "1"}}
commission.minimum_order pays_more_than_order: {"commission": {"type": "flat", "amount": 500, "minimum_order": 499}}
commission.by missing: {"commission": {"type": "tiers", "period": "month", "tiers": [@]}}
commission.by unknown_value: {"commission": {"type": "tiers", "by": "orders", "period": "month", "tiers": [@]}}
commission.period missing: {"commission": {"type": "tiers", "by": "volume", "tiers": [@]}}
commission.tiers missing: {"commission": {"type": "tiers", "by": "volume", "period": "month"}}
commission.tiers wrong_type: {"commission": {"type": "tiers", "by": "volume", "period": "month", "tiers": {}}}
commission.tiers invalid_length: {"commission": {"type": "tiers", "by": "volume", "period": "month", "tiers": []}}
commission.tiers invalid_length: {"commission": {"type": "tiers", "by": "volume", "period": "month", "tiers": [#]}}
commission.tiers[0] wrong_type: {"commission": {"type": "tiers", "by": "volume", "period": "month", "tiers": [5]}}
commission.tiers[0].from first_tier: {"commission": {"type": "tiers", "by": "volume", "period": "month", "tiers": [{"from": 1, "basis_points": 1}]}}
commission.tiers[1].from not_ascending: {"commission": {"type": "tiers", "by": "volume", "period": "month", "tiers": [@, @]}}
commission.tiers[1].from invalid_number: {"commission": {"type": "tiers", "by": "volume", "period": "month", "tiers": [@, {"from": -5, "basis_points": 1}]}}
commission.tiers[1].basis_points missing: {"commission": {"type": "tiers", "by": "volume", "period": "month", "tiers": [@, {"from": 5}]}}
commission.tiers[1].to unknown_field: {"commission": {"type": "tiers", "by": "volume", "period": "month", "tiers": [@, {"from": 5, "basis_points": 1, "to": 9}]}}
aplies unknown_field: {"aplies": {"to": "first_purchase"}}
applies wrong_type: {"applies": "first_purchase"}
applies.to missing: {"applies": {}}
applies.to unknown_value: {"applies": {"to": "every"}}
applies.months unknown_field: {"applies": {"to": "first_purchase", "months": 1}}
applies.months missing: {"applies": {"to": "months"}}
applies.months invalid_number: {"applies": {"to": "months", "months": 0}}
applies.months invalid_number: {"applies": {"to": "months", "months": 1201}}
applies.months invalid_number: {"applies": {"to": "months", "months": "12"}}
kinds wrong_type: {"kinds": "purchase"}
kinds invalid_length: {"kinds": []}
kinds[1] unknown_value: {"kinds": ["purchase", "gift"]}
kinds[1] repeated: {"kinds": ["renewal", "renewal"]}
kinds[0] wrong_type: {"kinds": [null]}
caps wrong_type: {"caps": []}
caps.per_poster unknown_field: {"caps": {"per_poster": 1}}
caps.per_referral invalid_amount: {"caps": {"per_referral": 0}}
caps.per_ambassador wrong_type: {"caps": {"per_ambassador": 5}}
caps.per_ambassador.period missing: {"caps": {"per_ambassador": {"amount": 5}}}
caps.per_ambassador.amount missing: {"caps": {"per_ambassador": {"period": "year"}}}
caps.per_ambassador.period unknown_value: {"caps": {"per_ambassador": {"amount": 5, "period": "week"}}}
reward wrong_type: {"reward": 5}
reward.type missing: {"reward": {"amount": 5}}
reward.type unknown_value: {"reward": {"type": "stars", "amount": 5}}
reward.amount invalid_amount: {"reward": {"type": "points", "amount": 0}}
reward.minimum_first_payment invalid_amount: {"reward": {"type": "money", "amount": 1, "minimum_first_payment": 0.5}}
reward.window_days invalid_number: {"reward": {"type": "money", "amount": 1, "window_days": 3651}}
reward.once unknown_field: {"reward": {"type": "money", "amount": 1, "once": true}}
bonuses wrong_type: {"bonuses": {}}
bonuses invalid_length: {"bonuses": [#]}
bonuses[1].verified_referrals not_ascending: {"bonuses": [{"verified_referrals": 2, "amount": 1}, {"verified_referrals": 2, "amount": 1}]}
bonuses[0].verified_referrals invalid_number: {"bonuses": [{"verified_referrals": 0, "amount": 1}]}
bonuses[0].amount missing: {"bonuses": [{"verified_referrals": 1}]}
bonuses[0].amount invalid_amount: {"bonuses": [{"verified_referrals": 1, "amount": 1.5}]}
bonuses[0].once unknown_field: {"bonuses": [{"verified_referrals": 1, "amount": 1, "once": true}]}
"#;

/// The rule in line `n`.
pub fn rule_of(lines: &str, n: usize) -> Value {
    shape(lines.lines().nth(n).expect("a line"))
}

fn shape(text: &str) -> Value {
    let mut rule: Value = serde_json::from_str(text).expect("a rule");
    if rule.get("commission").is_none() {
        rule["commission"] = percent(1000)["commission"].take();
    }
    rule
}

fn many(text: &str) -> String {
    text.replace('#', &vec!["5"; 21].join(","))
        .replace('@', r#"{"from": 0, "basis_points": 1}"#)
}

pub fn rules_of(program: &Value) -> String {
    format!(
        "/api/v1/programs/{}/rules",
        program["id"].as_str().expect("an id")
    )
}

/// `rule` with every key that was left out.
pub fn whole(rule: &Value) -> Value {
    let mut all = json!({
        "commission": null, "applies": { "to": "every_purchase" }, "kinds": ["purchase", "subscription", "renewal"],
        "caps": { "per_referral": null, "per_ambassador": null }, "bonuses": [], "reward": null,
    });
    for (key, value) in rule.as_object().expect("an object") {
        match key.as_str() {
            "caps" => {
                for (key, cap) in value.as_object().expect("an object") {
                    all["caps"][key] = cap.clone();
                }
            }
            _ => all[key] = value.clone(),
        }
    }
    all
}

pub fn percent(basis_points: i64) -> Value {
    json!({ "commission": { "type": "percent", "basis_points": basis_points } })
}

on_both! {
    async fn every_shape_of_a_rule_is_kept_and_read_back(app: &TestApp) {
        let program = app.a_program().await;
        let rules = rules_of(&program);
        let shapes: Vec<Value> = (0..SHAPES.lines().count()).map(|n| rule_of(SHAPES, n)).collect();
        for (n, rule) in shapes.into_iter().enumerate() {
            let sent = json!({ "rule": rule });
            let published = app.post(&rules, sent.clone()).await.ok();
            let expected = json!({
                "program_id": program["id"], "version": n + 2, "rule": whole(&rule),
                "created_at": "2024-03-01T09:00:00Z", "created_by": published["created_by"],
            });
            assert_eq!(published, expected);
            assert!(published["created_by"].as_str().is_some_and(|key| key.starts_with("key_")));
            assert_eq!(app.get(&format!("{rules}/{}", n + 2)).await.ok(), expected);
            assert_eq!(app.post(&rules, sent).await.ok(), expected, "the same rule once more is no new version");
            assert_eq!(app.post(&rules, json!({ "rule": whole(&rule) })).await.ok(), expected, "nor in full");
        }
    }

    async fn what_was_left_out_is_what_it_defaults_to(app: &TestApp) {
        let rules = rules_of(&app.a_program().await);
        let flat = json!({ "rule": {
            "commission": { "type": "flat", "amount": 500.0, "minimum_order": null },
            "applies": null, "kinds": ["renewal", "purchase"], "caps": {}, "bonuses": null,
        } });
        let published = app.post(&rules, flat).await.ok();
        let expected = whole(&json!({
            "commission": { "type": "flat", "amount": 500, "minimum_order": 500 }, "kinds": ["purchase", "renewal"],
        }));
        assert_eq!(published["rule"], expected);
    }

    async fn what_is_no_rule_is_refused_by_path_and_code(app: &TestApp) {
        let program = app.a_program().await;
        let rules = rules_of(&program);
        for line in REFUSALS.trim().lines() {
            let (about, text) = line.split_once(": ").expect("a colon");
            let (field, code) = about.split_once(' ').expect("a space");
            let rule = shape(&many(text));
            for path in [rules.clone(), format!("{rules}:preview")] {
                let refused = app.post(&path, json!({ "rule": rule })).await.refused_with(400);
                let errors: Vec<_> = refused["errors"].as_array().expect("errors").iter()
                    .map(|error| (error["field"].clone(), error["code"].clone())).collect();
                assert_eq!(errors, [(json!(format!("rule.{field}")), json!(code))], "{rule}");
            }
        }
        for (body, code) in [(json!({}), "missing"), (json!({ "rule": null }), "missing"), (json!({ "rule": [] }), "wrong_type")] {
            let refused = app.post(&rules, body).await.refused_with(400);
            assert_eq!((&refused["errors"][0]["field"], &refused["errors"][0]["code"]), (&json!("rule"), &json!(code)));
        }
        assert_eq!(app.get(&rules).await.ok()["rules"].as_array().expect("rules").len(), 1, "nothing was published");
    }

    async fn every_complaint_about_a_rule_is_heard_at_once(app: &TestApp) {
        let rules = rules_of(&app.a_program().await);
        let rule = json!({
            "commission": { "type": "flat", "amount": -1, "minimum_order": true, "rate": 5 }, "applies": { "to": "months" },
            "kinds": ["gift", 5], "caps": { "per_referral": "1" }, "bonuses": [{}], "note": "x",
        });
        let refused = app.post(&format!("{rules}:preview"), json!({ "rule": rule, "from": "today" })).await
            .refused(400, "Missing required field: rule.applies.months");
        let fields: Vec<_> = refused["errors"].as_array().expect("errors").iter()
            .map(|error| error["field"].as_str().expect("a field").to_owned()).collect();
        assert_eq!(fields, [
            "rule.commission.amount", "rule.commission.minimum_order", "rule.commission.rate", "rule.applies.months",
            "rule.kinds[0]", "rule.kinds[1]", "rule.caps.per_referral", "rule.bonuses[0].verified_referrals",
            "rule.bonuses[0].amount", "rule.note", "from",
        ]);
        let too_much = app.post(&rules, json!({ "rule": percent(12_000) })).await;
        too_much.refused(400, "rule.commission.basis_points must be at most 10000, which is 100%: more would pay more than the order");
    }
}
