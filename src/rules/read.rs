//! Reads a rule from JSON key by key, and collects every complaint with the path of what it is about. A key that it
//! does not know it refuses: with money, what is passed over is a promise that is not kept.

use serde_json::Value;

use super::model::{AmbassadorCap, Applies, Bonus, Caps, Rule, Terms, Tier, TierBy};
use super::parts::{Object, Wrong, ascending, each, whole};
use super::reward::Reward;
use crate::conversions::model::ConversionKind;
use crate::error::FieldError;
use crate::money::{BasisPoints, Cents, MAX_CENTS};
use crate::parse::{Complaint, Parse};

/// A hundred years.
const MOST_MONTHS: i64 = 1200;
/// Ten years.
const MOST_DAYS: i64 = 3650;

impl Rule {
    /// The rule in `value`, which stands at `path`; or everything that is wrong with it.
    pub fn read(value: Option<&Value>, path: &str) -> Result<Self, Vec<FieldError>> {
        let mut wrong = Wrong::default();
        let read = match value {
            None | Some(Value::Null) => wrong.note(path, Err(Complaint::Missing)),
            Some(value) => rule(value, path, &mut wrong),
        };
        wrong.unless_any(read)
    }
}

fn rule(value: &Value, path: &str, wrong: &mut Wrong) -> Option<Rule> {
    let mut object = Object::open(value, path, wrong)?;
    let commission = object.must("commission", wrong, terms);
    let every = Applies::EveryPurchase;
    let applies = object.may("applies", wrong, every, applies);
    let kinds = object.may("kinds", wrong, ConversionKind::ALL.to_vec(), kinds);
    let caps = object.may("caps", wrong, Caps::default(), caps);
    let bonuses = object.may("bonuses", wrong, Vec::new(), bonuses);
    let reward = object.may("reward", wrong, None, |value, path, wrong| {
        reward(value, path, wrong).map(Some)
    });
    object.close(wrong);
    Some(Rule {
        commission: commission?,
        applies: applies?,
        kinds: kinds?,
        caps: caps?,
        bonuses: bonuses?,
        reward: reward?,
    })
}

fn terms(value: &Value, path: &str, wrong: &mut Wrong) -> Option<Terms> {
    let mut object = Object::open(value, path, wrong)?;
    let read = match object.tag("type", &["percent", "flat", "tiers"], wrong)? {
        "percent" => object
            .must("basis_points", wrong, rate)
            .map(|basis_points| Terms::Percent { basis_points }),
        "flat" => flat(&mut object, wrong),
        _ => tiers(&mut object, wrong),
    };
    object.close(wrong);
    read
}

fn flat(object: &mut Object<'_>, wrong: &mut Wrong) -> Option<Terms> {
    let amount = object.must("amount", wrong, amount_of);
    let minimum_order = object.may("minimum_order", wrong, None, |value, path, wrong| {
        amount_of(value, path, wrong).map(Some)
    });
    let (amount, minimum_order) = (amount?, minimum_order?);
    let minimum_order = minimum_order.unwrap_or(amount);
    if minimum_order < amount {
        let complaint = Complaint::new(
            "pays_more_than_order",
            "must be at least the amount: a smaller order would pay more than it is worth",
        );
        return wrong.note(&object.at("minimum_order"), Err(complaint));
    }
    Some(Terms::Flat {
        amount,
        minimum_order,
    })
}

fn tiers(object: &mut Object<'_>, wrong: &mut Wrong) -> Option<Terms> {
    let by = object.must("by", wrong, word::<TierBy>);
    let period = object.must("period", wrong, word);
    let tiers = object.must("tiers", wrong, |value, path, wrong| {
        let tiers: Vec<Tier> = each(value, path, wrong, 1, tier)?;
        if tiers.first().is_some_and(|first| first.from != 0) {
            let complaint = Complaint::new("first_tier", "must be 0: the first tier begins there");
            return wrong.note(&format!("{path}[0].from"), Err(complaint));
        }
        ascending(tiers, path, "from", wrong, |tier| tier.from)
    });
    Some(Terms::Tiers {
        by: by?,
        period: period?,
        tiers: tiers?,
    })
}

fn tier(value: &Value, path: &str, wrong: &mut Wrong) -> Option<Tier> {
    let mut object = Object::open(value, path, wrong)?;
    let from = object.must("from", wrong, |value, path, wrong| {
        wrong.note(path, whole(value, 0, MAX_CENTS))
    });
    let basis_points = object.must("basis_points", wrong, rate);
    object.close(wrong);
    Some(Tier {
        from: from?,
        basis_points: basis_points?,
    })
}

fn applies(value: &Value, path: &str, wrong: &mut Wrong) -> Option<Applies> {
    let mut object = Object::open(value, path, wrong)?;
    let words = ["every_purchase", "first_purchase", "months"];
    let read = match object.tag("to", &words, wrong)? {
        "every_purchase" => Some(Applies::EveryPurchase),
        "first_purchase" => Some(Applies::FirstPurchase),
        _ => {
            let months = object.must("months", wrong, |value, path, wrong| {
                wrong.note(path, whole(value, 1, MOST_MONTHS))
            });
            months
                .and_then(|months| u32::try_from(months).ok())
                .map(|months| Applies::Months { months })
        }
    };
    object.close(wrong);
    read
}

/// In the documented order, so that the same kinds are the same rule.
fn kinds(value: &Value, path: &str, wrong: &mut Wrong) -> Option<Vec<ConversionKind>> {
    let kinds: Vec<ConversionKind> = each(value, path, wrong, 1, word)?;
    for (n, kind) in kinds.iter().enumerate() {
        if kinds[..n].contains(kind) {
            let complaint = Complaint::new("repeated", "must be given only once");
            return wrong.note(&format!("{path}[{n}]"), Err(complaint));
        }
    }
    let all = ConversionKind::ALL.iter().copied();
    Some(all.filter(|kind| kinds.contains(kind)).collect())
}

fn caps(value: &Value, path: &str, wrong: &mut Wrong) -> Option<Caps> {
    let mut object = Object::open(value, path, wrong)?;
    let per_referral = object.may("per_referral", wrong, None, |value, path, wrong| {
        amount_of(value, path, wrong).map(Some)
    });
    let per_ambassador = object.may("per_ambassador", wrong, None, |value, path, wrong| {
        let mut object = Object::open(value, path, wrong)?;
        let amount = object.must("amount", wrong, amount_of);
        let period = object.must("period", wrong, word);
        object.close(wrong);
        Some(Some(AmbassadorCap {
            amount: amount?,
            period: period?,
        }))
    });
    object.close(wrong);
    Some(Caps {
        per_referral: per_referral?,
        per_ambassador: per_ambassador?,
    })
}

fn bonuses(value: &Value, path: &str, wrong: &mut Wrong) -> Option<Vec<Bonus>> {
    let bonuses: Vec<Bonus> = each(value, path, wrong, 0, |value, path, wrong| {
        let mut object = Object::open(value, path, wrong)?;
        let verified = object.must("verified_referrals", wrong, |value, path, wrong| {
            wrong.note(path, whole(value, 1, MAX_CENTS))
        });
        let amount = object.must("amount", wrong, amount_of);
        object.close(wrong);
        Some(Bonus {
            verified_referrals: verified?,
            amount: amount?,
        })
    })?;
    ascending(bonuses, path, "verified_referrals", wrong, |bonus| {
        bonus.verified_referrals
    })
}

fn reward(value: &Value, path: &str, wrong: &mut Wrong) -> Option<Reward> {
    let mut object = Object::open(value, path, wrong)?;
    let unit = object.must("type", wrong, word);
    let amount = object.must("amount", wrong, amount_of);
    let minimum = object.may(
        "minimum_first_payment",
        wrong,
        None,
        |value, path, wrong| amount_of(value, path, wrong).map(Some),
    );
    let window_days = object.may("window_days", wrong, None, |value, path, wrong| {
        wrong.note(path, whole(value, 1, MOST_DAYS)).map(Some)
    });
    object.close(wrong);
    Some(Reward {
        unit: unit?,
        amount: amount?,
        minimum_first_payment: minimum?,
        window_days: window_days?,
    })
}

fn amount_of(value: &Value, path: &str, wrong: &mut Wrong) -> Option<Cents> {
    wrong.note(path, Cents::positive(value.as_f64()))
}

fn rate(value: &Value, path: &str, wrong: &mut Wrong) -> Option<BasisPoints> {
    wrong.note(path, BasisPoints::whole(value.as_f64()))
}

fn word<T: Parse>(value: &Value, path: &str, wrong: &mut Wrong) -> Option<T> {
    let read = match value {
        Value::String(word) => T::parse(word),
        _ => Err(Complaint::wrong_type("a string")),
    };
    wrong.note(path, read)
}
