//! Previews of conversions that were.

use serde_json::{Value, json};

use super::*;
use crate::ids::Id;
use crate::parse::Parse;

fn read(rule: &Value) -> Rule {
    Rule::read(Some(rule), "rule").unwrap()
}

fn percent() -> Value {
    json!({ "type": "percent", "basis_points": 1000 })
}

/// An order of 10.00 dollars.
fn past(n: usize, referral: &str, ambassador: &str, day: &str) -> Past {
    Past {
        conversion_id: ConversionId::from_outside(&format!("conv_{n}")).unwrap(),
        order_id: OrderId::parse(&format!("order_{n}")).unwrap(),
        referral_id: ReferralId::from_outside(referral).unwrap(),
        ambassador_id: AmbassadorId::from_outside(ambassador).unwrap(),
        amount: Cents::try_from(1000).unwrap(),
        currency: Currency::usd(),
        kind: ConversionKind::Purchase,
        occurred_at: Timestamp::parse(&format!("{day}T12:00:00Z")).unwrap(),
        was_paid: 30,
        before: Background::default(),
    }
}

fn would_pay(rule: &Value, past: &[Past]) -> Vec<Option<i64>> {
    let found = preview(&read(rule), &Currency::usd(), past).unwrap();
    found.lines.iter().map(|line| line.would_pay).collect()
}

#[test]
fn caps_fill_up_in_the_course_of_the_list() {
    let mut list = vec![
        past(1, "ref_a", "user_a", "2024-05-01"),
        past(2, "ref_a", "user_a", "2024-05-02"),
        past(3, "ref_b", "user_a", "2024-05-03"),
        past(4, "ref_b", "user_a", "2024-06-01"),
        past(5, "ref_c", "user_b", "2024-06-01"),
    ];
    let caps =
        json!({ "per_referral": 150, "per_ambassador": { "amount": 200, "period": "month" } });
    let rule = json!({ "commission": percent(), "caps": caps });
    assert_eq!(would_pay(&rule, &list), [100, 50, 50, 100, 100].map(Some));
    // What had come before the list counts too.
    for conversion in &mut list[..3] {
        conversion.before.earned_by_ambassador = 120;
    }
    for conversion in &mut list[..2] {
        conversion.before.earned_by_referral = 120;
    }
    assert_eq!(would_pay(&rule, &list)[..4], [30, 0, 50, 100].map(Some)[..]);
}

#[test]
fn tiers_and_first_purchases_go_by_what_came_in_the_list() {
    let list: Vec<Past> = ["2024-05-01", "2024-05-02", "2024-05-03", "2024-06-01"]
        .iter()
        .enumerate()
        .map(|(n, day)| past(n, "ref_a", "user_a", day))
        .collect();
    let tiers = json!([{ "from": 0, "basis_points": 500 }, { "from": 2, "basis_points": 800 }]);
    let commission =
        json!({ "type": "tiers", "by": "conversions", "period": "month", "tiers": tiers });
    let rule = json!({ "commission": commission });
    assert_eq!(would_pay(&rule, &list), [50, 50, 80, 50].map(Some));
    let tiers = json!([{ "from": 0, "basis_points": 500 }, { "from": 1500, "basis_points": 800 }]);
    let commission = json!({ "type": "tiers", "by": "volume", "period": "month", "tiers": tiers });
    let rule = json!({ "commission": commission });
    assert_eq!(would_pay(&rule, &list), [50, 65, 80, 50].map(Some));
    let rule = json!({ "commission": percent(), "applies": { "to": "first_purchase" } });
    assert_eq!(would_pay(&rule, &list), [100, 0, 0, 0].map(Some));
}

#[test]
fn totals_are_by_currency_and_what_is_refused_counts_for_nothing() {
    let mut list: Vec<Past> = (0..150)
        .map(|n| past(n, "ref_a", "user_a", "2024-05-01"))
        .collect();
    for foreign in list.iter_mut().step_by(3) {
        foreign.currency = Currency::parse("EUR").unwrap();
    }
    let rule = read(&json!({ "commission": { "type": "flat", "amount": 70 } }));
    let found = preview(&rule, &Currency::usd(), &list).unwrap();
    assert_eq!(found.lines.len(), 100);
    assert_eq!(found.lines[0].would_pay, None);
    assert_eq!(
        serde_json::to_value(&found.totals).unwrap(),
        json!([
            { "currency": "EUR", "conversions": 50, "volume": 50_000, "would_pay": 0, "was_paid": 1500, "refused": 50 },
            { "currency": "USD", "conversions": 100, "volume": 100_000, "would_pay": 7000, "was_paid": 3000, "refused": 0 },
        ])
    );
    let rule = read(&json!({ "commission": { "type": "flat", "amount": 70 },
        "applies": { "to": "first_purchase" } }));
    let found = preview(&rule, &Currency::usd(), &list).unwrap();
    assert_eq!(
        found.totals[1].would_pay, 70,
        "the refused sale was not the first"
    );
}
