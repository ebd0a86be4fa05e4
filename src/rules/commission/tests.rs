//! Rules applied to sales: examples with numbers.

use serde_json::{Value, json};

use super::*;
use crate::parse::Parse;

pub(super) fn read(rule: &Value) -> Rule {
    Rule::read(Some(rule), "rule").unwrap()
}

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// What `rule` pays for an order of `amount` dollar cents after `before`.
fn paid(rule: &Rule, amount: i64, before: Background) -> Commission {
    let usd = Currency::usd();
    let sale = Sale {
        amount: Cents::try_from(amount).unwrap(),
        currency: &usd,
        kind: ConversionKind::Purchase,
        occurred_at: at("2024-06-15T12:00:00Z"),
    };
    rule.commission(&sale, &before, &usd).unwrap()
}

/// How much of that.
pub(super) fn amount(rule: &Rule, amount: i64, before: Background) -> i64 {
    paid(rule, amount, before).amount
}

pub(super) const NOTHING: Background = Background {
    first_sale_of_referral: None,
    sales_in_period: 0,
    volume_in_period: 0,
    earned_by_referral: 0,
    earned_by_ambassador: 0,
};

#[test]
fn a_percentage_is_rounded_down_and_says_so() {
    let rule = read(&json!({ "commission": { "type": "percent", "basis_points": 1250 } }));
    let commission = paid(&rule, 999, NOTHING);
    assert_eq!(
        serde_json::to_value(&commission).unwrap(),
        json!({ "amount": 124, "steps": [{
            "what": "percent", "text": "12.5% of 9.99 USD is 1.24 USD, rounded down",
            "figures": { "amount": 124, "basis_points": 1250, "of": 999 },
        }] })
    );
}

#[test]
fn a_flat_amount_is_paid_from_its_minimum_on() {
    let rule =
        read(&json!({ "commission": { "type": "flat", "amount": 500, "minimum_order": 2000 } }));
    assert_eq!(amount(&rule, 2000, NOTHING), 500);
    let commission = paid(&rule, 1999, NOTHING);
    assert_eq!(commission.amount, 0);
    assert_eq!(commission.steps[0].what, "minimum_order");
}

#[test]
fn the_number_of_conversions_before_picks_one_rate() {
    let rule = read(
        &json!({ "commission": { "type": "tiers", "by": "conversions", "period": "month",
        "tiers": [{ "from": 0, "basis_points": 500 }, { "from": 10, "basis_points": 800 }] } }),
    );
    for (before, paid) in [(0, 500), (9, 500), (10, 800), (1000, 800), (-1, 500)] {
        let before = Background {
            sales_in_period: before,
            ..NOTHING
        };
        assert_eq!(amount(&rule, 10_000, before), paid, "{before:?}");
    }
}

#[test]
fn volume_is_paid_slice_by_slice_and_rounded_once() {
    let rule = read(
        &json!({ "commission": { "type": "tiers", "by": "volume", "period": "month",
        "tiers": [{ "from": 0, "basis_points": 500 }, { "from": 100_000, "basis_points": 800 }] } }),
    );
    let before = Background {
        volume_in_period: 99_990,
        ..NOTHING
    };
    // 10 at 5% is 0.5 and 19 at 8% is 1.52: together 2, where slices rounded apart would be 1.
    let commission = paid(&rule, 29, before);
    assert_eq!(commission.amount, 2);
    let steps: Vec<_> = commission.steps.iter().map(|step| &*step.text).collect();
    assert_eq!(
        steps,
        [
            "0.10 USD at 5%: what lies from 0.00 USD on, after 999.90 USD in the month",
            "0.19 USD at 8%: what lies from 1000.00 USD on, after 999.90 USD in the month",
            "Together that is 0.02 USD, rounded down",
        ]
    );
}

#[test]
fn the_example_in_the_documentation_is_right() {
    let tiers =
        json!([{ "from": 0, "basis_points": 500 }, { "from": 100_000, "basis_points": 800 }]);
    let rule = read(&json!({
        "commission": { "type": "tiers", "by": "volume", "period": "month", "tiers": tiers },
        "caps": { "per_ambassador": { "amount": 50_000, "period": "month" } },
    }));
    let mut before = Background {
        volume_in_period: 90_000,
        ..NOTHING
    };
    assert_eq!(amount(&rule, 30_000, before), 2100);
    before.earned_by_ambassador = 49_000;
    let commission = paid(&rule, 30_000, before);
    assert_eq!(commission.amount, 1000);
    assert_eq!(
        commission.steps.last().unwrap().text,
        "The rule pays at most 500.00 USD per ambassador in the month, of which 10.00 USD are left"
    );
}

#[test]
fn months_are_counted_from_the_first_purchase() {
    let rule = read(
        &json!({ "commission": { "type": "percent", "basis_points": 1000 },
        "applies": { "to": "months", "months": 3 } }),
    );
    for (first, paid) in [
        ("2024-03-15T12:00:00Z", 0),
        ("2024-03-15T12:00:01Z", 10),
        ("2024-12-01T00:00:00Z", 10),
    ] {
        let before = Background {
            first_sale_of_referral: Some(at(first)),
            ..NOTHING
        };
        assert_eq!(amount(&rule, 100, before), paid, "{first}");
    }
    let rule = read(
        &json!({ "commission": { "type": "percent", "basis_points": 1000 },
        "applies": { "to": "first_purchase" }, "kinds": ["purchase"] }),
    );
    assert_eq!(amount(&rule, 100, NOTHING), 10);
    let later = Background {
        first_sale_of_referral: Some(at("2024-06-15T11:59:59Z")),
        ..NOTHING
    };
    assert_eq!(paid(&rule, 100, later).steps[0].what, "first_purchase");
    let rule = read(
        &json!({ "commission": { "type": "percent", "basis_points": 1000 },
        "kinds": ["renewal", "subscription"] }),
    );
    assert_eq!(paid(&rule, 100, NOTHING).steps[0].what, "kind");
}

#[test]
fn caps_leave_what_is_left() {
    let rule = read(
        &json!({ "commission": { "type": "percent", "basis_points": 1000 },
        "caps": { "per_referral": 1000, "per_ambassador": { "amount": 5000, "period": "month" } } }),
    );
    for (by_referral, by_ambassador, paid) in [
        (0, 0, 900),
        (300, 0, 700),
        (300, 4500, 500),
        (1000, 0, 0),
        (2000, 9000, 0),
        (-500, -500, 900),
    ] {
        let before = Background {
            earned_by_referral: by_referral,
            earned_by_ambassador: by_ambassador,
            ..NOTHING
        };
        assert_eq!(amount(&rule, 9000, before), paid, "{before:?}");
    }
}

#[test]
fn amounts_are_of_one_currency() {
    let (usd, eur) = (Currency::usd(), currency("EUR"));
    let sale = Sale {
        amount: Cents::try_from(1000).unwrap(),
        currency: &eur,
        kind: ConversionKind::Purchase,
        occurred_at: at("2024-06-15T12:00:00Z"),
    };
    let percent = json!({ "type": "percent", "basis_points": 1000 });
    let tiers = |by: &str| {
        json!({ "commission": { "type": "tiers", "by": by, "period": "year",
            "tiers": [{ "from": 0, "basis_points": 1000 }] } })
    };
    for fine in [json!({ "commission": percent }), tiers("conversions")] {
        let commission = read(&fine).commission(&sale, &NOTHING, &usd).unwrap();
        assert_eq!(commission.amount, 100);
        let last = &commission.steps.last().unwrap().text;
        assert_eq!(last, "10% of 10.00 EUR is 1.00 EUR");
    }
    for refused in [
        json!({ "commission": { "type": "flat", "amount": 100 } }),
        tiers("volume"),
        json!({ "commission": percent, "caps": { "per_referral": 100 } }),
    ] {
        let error = read(&refused)
            .commission(&sale, &NOTHING, &usd)
            .unwrap_err();
        assert_eq!(error.code(), "rule_currency");
    }
}

#[test]
fn a_period_begins_with_the_calendars() {
    let moment = at("2024-06-15T12:00:00Z");
    assert_eq!(Period::Month.start(moment), at("2024-06-01T00:00:00Z"));
    assert_eq!(Period::Year.start(moment), at("2024-01-01T00:00:00Z"));
    assert_eq!(Period::AllTime.start(moment), at("1970-01-01T00:00:00Z"));
}
