//! What holds for every rule and every sale.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::{NOTHING, amount, read};
use super::*;
use crate::money::MAX_CENTS;

fn tiers(by: &'static str) -> impl Strategy<Value = Value> {
    proptest::collection::vec((1..=1_000_000_i64, 0..=10_000_i64), 1..=20).prop_map(move |steps| {
        let mut from = 0;
        let tiers: Vec<Value> = steps
            .iter()
            .enumerate()
            .map(|(n, (more, rate))| {
                from += if n == 0 { 0 } else { *more };
                json!({ "from": from, "basis_points": rate })
            })
            .collect();
        json!({ "type": "tiers", "by": by, "period": "month", "tiers": tiers })
    })
}

fn terms() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0..=10_000_i64).prop_map(|rate| json!({ "type": "percent", "basis_points": rate })),
        (1..=1_000_000_i64, 0..=1_000_000_i64).prop_map(|(amount, more)| {
            json!({ "type": "flat", "amount": amount, "minimum_order": amount + more })
        }),
        tiers("conversions"),
        tiers("volume"),
    ]
}

fn rules() -> impl Strategy<Value = Rule> {
    let cap = || proptest::option::of(1..=1_000_000_i64);
    (terms(), cap(), cap()).prop_map(|(terms, referral, ambassador)| {
        let ambassador = ambassador.map(|amount| json!({ "amount": amount, "period": "year" }));
        read(&json!({ "commission": terms,
            "caps": { "per_referral": referral, "per_ambassador": ambassador } }))
    })
}

fn backgrounds() -> impl Strategy<Value = Background> {
    let any = || 0..=2_000_000_i64;
    (any(), any(), any(), any()).prop_map(|(sales, volume, referral, ambassador)| Background {
        first_sale_of_referral: None,
        sales_in_period: sales,
        volume_in_period: volume,
        earned_by_referral: referral,
        earned_by_ambassador: ambassador,
    })
}

fn orders() -> impl Strategy<Value = i64> {
    prop_oneof![0..=3_000_000_i64, 0..=MAX_CENTS]
}

proptest! {
    #[test]
    fn a_commission_is_never_negative_and_never_more_than_the_order(
        rule in rules(), order in orders(), before in backgrounds(),
    ) {
        let paid = amount(&rule, order, before);
        prop_assert!((0..=order).contains(&paid), "{paid} of {order}");
    }

    #[test]
    fn caps_hold_whatever_is_sold(rule in rules(), orders in proptest::collection::vec(orders(), 1..20)) {
        let mut before = NOTHING;
        for order in orders {
            let paid = amount(&rule, order, before);
            before.sales_in_period += 1;
            before.volume_in_period += order;
            before.earned_by_referral += paid;
            before.earned_by_ambassador += paid;
        }
        let most = |cap: Option<Cents>| cap.map_or(i64::MAX, Cents::get);
        let ambassador = rule.caps.per_ambassador.as_ref().map(|cap| cap.amount);
        prop_assert!(before.earned_by_referral <= most(rule.caps.per_referral));
        prop_assert!(before.earned_by_ambassador <= most(ambassador));
    }

    #[test]
    fn a_larger_order_never_pays_a_smaller_percentage(rate in 0..=10_000_i64, one in orders(), two in orders()) {
        let rule = read(&json!({ "commission": { "type": "percent", "basis_points": rate } }));
        let (less, more) = (one.min(two), one.max(two));
        prop_assert!(amount(&rule, less, NOTHING) <= amount(&rule, more, NOTHING));
    }

    #[test]
    fn an_order_in_parts_pays_what_the_whole_pays_but_for_rounding(
        tiers in tiers("volume"), before in backgrounds(),
        parts in proptest::collection::vec(0..=1_000_000_i64, 1..20),
    ) {
        let rule = read(&json!({ "commission": tiers }));
        let whole = amount(&rule, parts.iter().sum(), before);
        let mut then = before;
        let mut apart = 0;
        for part in &parts {
            apart += amount(&rule, *part, then);
            then.volume_in_period += part;
        }
        // Each part loses less than one unit.
        let parts = i64::try_from(parts.len()).expect("a few");
        prop_assert!(apart <= whole && whole - apart < parts, "{apart} {whole}");
    }

    #[test]
    fn a_rule_is_read_back_as_it_was_written(rule in rules()) {
        let text = serde_json::to_string(&rule).expect("JSON");
        prop_assert_eq!(read(&serde_json::from_str(&text).expect("JSON")), rule);
    }
}
