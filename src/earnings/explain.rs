//! Why an earning is what it is: its story put together, in words for people and in data for programs. Pure.

use serde_json::{Map, Value, json};

use super::model::{Earning, EarningMove, Origin};
use crate::clock::Timestamp;
use crate::conversions::model::Conversion;
use crate::ids::{EarningId, PayoutId, RefundId};
use crate::ids::{Id, prefix};
use crate::ledger::model::{Reason, Transfer};
use crate::text::Line;

/// All that is known about an earning.
#[derive(Debug, Clone)]
pub struct Known {
    /// The earning.
    pub earning: Earning,
    /// The purchase it came of.
    pub conversion: Option<Conversion>,
    /// The earning in whose place it is.
    pub in_place_of: Option<EarningId>,
    /// The earning that is in its place.
    pub replacement: Option<Earning>,
    /// Its transfers, first to last.
    pub transfers: Vec<Transfer>,
    /// The moves of its status, first to last.
    pub moves: Vec<EarningMove>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Stable and snake_case, for programs.
    pub what: String,
    /// A sentence, for people.
    pub text: String,
    /// The sentence's data.
    pub data: Map<String, Value>,
}

/// The story, in order.
pub fn explain(known: &Known) -> Vec<Event> {
    let mut events = origin(known);
    events.push(hold(known));
    let mut later: Vec<Event> = in_order(&known.transfers)
        .map(|transfer| moved(known, transfer))
        .chain(known.moves.iter().map(stepped))
        .chain(known.replacement.as_ref().map(replaced))
        .collect();
    // Stable: what happened at one moment stays in the order of money, status, replacement.
    later.sort_by_key(|event| event.at);
    events.extend(later);
    events
}

/// Transfers of one moment are numbered within their currency. If the currency was corrected, what undid the old one
/// comes before the new one.
fn in_order(transfers: &[Transfer]) -> impl Iterator<Item = &Transfer> {
    let (undone, done): (Vec<_>, Vec<_>) = transfers.iter().partition(|transfer| {
        transfers.iter().any(|other| {
            other.reason == Reason::Corrected
                && (other.created_at, &other.currency) == (transfer.created_at, &transfer.currency)
        })
    });
    undone.into_iter().chain(done)
}

/// Where it came from.
fn origin(known: &Known) -> Vec<Event> {
    let earning = &known.earning;
    let amount = earning.currency.written(earning.amount.get());
    let mut data = json!({
        "amount": earning.amount, "currency": earning.currency, "referral_id": earning.referral_id,
        "in_place_of": known.in_place_of,
    });
    let (what, text) = match (&known.conversion, earning.origin) {
        (Some(conversion), origin) => {
            data["conversion_id"] = json!(conversion.id);
            let bought = bought(conversion);
            let text = match origin {
                Origin::Reinstatement => format!(
                    "The referral's rejection was taken back, so {amount} that it had cost of the commission is given again"
                ),
                _ => format!("A commission of {amount} by the program's rules"),
            };
            let origin = event(earning.created_at, origin.as_str(), text, data);
            return [bought]
                .into_iter()
                .chain(computed(conversion, earning))
                .chain([origin])
                .collect();
        }
        (None, Origin::Reported) => ("reported", format!("You reported a commission of {amount}")),
        (None, Origin::Bonus) => {
            data["verified_referrals"] = json!(earning.milestone);
            data["rule_version"] = json!(earning.rule_version);
            let verified = earning.milestone.unwrap_or_default();
            let text = format!("A bonus of {amount}: {verified} referrals were verified");
            ("bonus", text)
        }
        (None, Origin::Reward) if known.in_place_of.is_none() => {
            data["rule_version"] = json!(earning.rule_version);
            let text =
                format!("A reward of {amount}: the customer who was brought met its conditions");
            ("reward", text)
        }
        (None, origin) => {
            let text = format!(
                "The referral's rejection was taken back, so {amount} that it had cost is given again"
            );
            (origin.as_str(), text)
        }
    };
    vec![event(earning.created_at, what, text, data)]
}

fn bought(conversion: &Conversion) -> Event {
    let amount = conversion.currency.written(conversion.amount.get());
    let (order, kind) = (conversion.order_id.as_str(), conversion.kind.as_str());
    let text = format!("Order {order}, a {kind}, was worth {amount}");
    let data = json!({
        "conversion_id": conversion.id, "order_id": conversion.order_id, "kind": conversion.kind,
        "amount": conversion.amount, "currency": conversion.currency, "rule_version": conversion.rule_version,
        "refunded_amount": conversion.refunded, "commission": conversion.payable(),
    });
    event(conversion.occurred_at, "conversion", text, data)
}

/// The steps of the computation, as they were stored with the purchase, and with what came of it before the earning.
fn computed(conversion: &Conversion, earning: &Earning) -> Vec<Event> {
    let stored: Vec<Value> = serde_json::from_str(&conversion.steps).unwrap_or_default();
    let event_of = |step: Value| {
        let what = format!("rule_{}", step["what"].as_str().unwrap_or_default());
        let text = step["text"].as_str().unwrap_or_default().to_owned();
        let data =
            json!({ "rule_version": conversion.rule_version, "figures": step["figures"].clone() });
        let at = step["figures"]["at"].as_i64();
        let at = at.map_or(conversion.created_at, |at| {
            Timestamp::from_micros(at.saturating_mul(1_000_000))
        });
        event(at, &what, text, data)
    };
    let steps = stored.into_iter().map(event_of);
    steps.filter(|step| step.at <= earning.created_at).collect()
}

fn hold(known: &Known) -> Event {
    let earning = &known.earning;
    let text = match earning.available_at {
        None => "It is held until the referral is verified".to_owned(),
        Some(at) => format!("It is held until {at}"),
    };
    let data = json!({ "until": earning.available_at });
    event(earning.created_at, "hold", text, data)
}

fn moved(known: &Known, transfer: &Transfer) -> Event {
    let amount = transfer.currency.written(transfer.amount);
    let because = because(known, transfer.occasion.as_ref());
    let text = match transfer.reason {
        Reason::Earned => format!("{amount} was earned, and is held"),
        Reason::Released => format!("{amount} can be paid out"),
        Reason::HeldAgain => format!("{amount} is held again"),
        Reason::Corrected => {
            format!("{amount} was undone, because amount or currency were corrected")
        }
        Reason::ReversedWhileHeld => {
            format!("{amount} was taken back while it was held: {because}")
        }
        Reason::ReversedBeforePayout => {
            format!("{amount} was taken back before it was paid out: {because}")
        }
        Reason::ClawedBack => format!("{amount} that had left is owed back: {because}"),
        Reason::SetOff => format!("{amount} was set off against what was owed back"),
        Reason::PayoutStarted => format!("{amount} left {}", with(transfer)),
        Reason::PayoutPaid => format!("{amount} arrived {}", with(transfer)),
        Reason::PayoutEnded => format!("{amount} came back {}", with(transfer)),
    };
    let (payout, refund) = occasions(transfer.occasion.as_ref());
    let data = json!({
        "transfer_id": transfer.id, "position": transfer.position, "debit": transfer.debit, "credit": transfer.credit,
        "amount": transfer.amount, "currency": transfer.currency, "payout_id": payout, "refund_id": refund,
    });
    event(transfer.created_at, transfer.reason.as_str(), text, data)
}

/// Why money is taken back.
fn because(known: &Known, occasion: Option<&Line>) -> String {
    match (occasions(occasion), &known.conversion) {
        ((_, Some(refund)), Some(conversion)) => {
            let order = conversion.order_id.as_str();
            format!("{refund} gave money back of order {order}")
        }
        ((_, Some(refund)), None) => format!("{refund} gave money back"),
        _ => "the referral was rejected".to_owned(),
    }
}

/// By which way money moved.
fn with(transfer: &Transfer) -> String {
    match occasions(transfer.occasion.as_ref()) {
        (Some(payout), _) => format!("with {payout}"),
        _ => "by hand".to_owned(),
    }
}

/// The payout or the refund that was the occasion.
fn occasions(occasion: Option<&Line>) -> (Option<&str>, Option<&str>) {
    let named = |wanted: &str| {
        let text = occasion.map(Line::as_str);
        text.filter(|text| prefix(text) == wanted)
    };
    (named(PayoutId::PREFIX), named(RefundId::PREFIX))
}

fn stepped(step: &EarningMove) -> Event {
    let (from, to) = (step.from_status, step.to_status);
    let by = match &step.moved_by {
        None => "handbill itself",
        Some(key) => key.as_str(),
    };
    let note = step.note.as_ref();
    let said = note.map_or_else(String::new, |note| format!(": {}", note.as_str()));
    let (was, is) = (from.as_str(), to.as_str());
    let text = format!("Its status went from {was} to {is}, by {by}{said}");
    let data = json!({ "from": from, "to": to, "by": step.moved_by, "note": note });
    event(step.moved_at, "status", text, data)
}

fn replaced(replacement: &Earning) -> Event {
    let id = replacement.id.as_str();
    let text =
        format!("The referral's rejection was taken back: {id} is in the place of what was lost");
    let data = json!({ "replaced_by": replacement.id });
    event(replacement.created_at, "replaced", text, data)
}

fn event(at: Timestamp, what: &str, text: String, data: Value) -> Event {
    let data = match data {
        Value::Object(data) => data,
        _ => Map::new(),
    };
    Event {
        at,
        what: what.to_owned(),
        text,
        data,
    }
}
