//! Verb: somebody who was brought bought something. Are the conditions of the reward met?

use super::model::{Introduction, IntroductionStatus};
use super::queries;
use super::view::IntroductionView;
use crate::clock::Timestamp;
use crate::conversions;
use crate::conversions::model::Conversion;
use crate::db::DbConnection;
use crate::earnings::reward::reward;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::ids::ApiKeyId;
use crate::money::{Cents, Currency};
use crate::programs;
use crate::programs::model::{Audience, Program};
use crate::referrals::model::{Referral, ReferralStatus};
use crate::rules;
use crate::rules::reward::Reward;

/// Judges a referral by a conversion that was just recorded and whose commission is booked. The first conversion decides
/// whether the referral qualifies, by the rule that the conversion was computed by; then the reward is booked. Where the
/// rule has no reward, the first commission is it.
pub fn judge(
    conn: &mut DbConnection,
    referral: &Referral,
    conversion: &Conversion,
    program: &Program,
    by: &ApiKeyId,
    now: Timestamp,
) -> Result<(), Error> {
    if program.audience != Audience::Customers || referral.status == ReferralStatus::Rejected {
        return Ok(());
    }
    let (account, id) = (&referral.account_id, &referral.id);
    let Some(mut introduction) = queries::find_to_change(conn, account, id)? else {
        return Ok(());
    };
    if introduction.status() == IntroductionStatus::Rewarded {
        return Ok(());
    }
    let version = conversion.rule_version;
    let published = rules::queries::find(conn, account, &program.id, version)?
        .ok_or_else(|| Error::internal("a conversion without its rule"))?;
    let promised = published.rule.reward;
    let mut booked = None;
    if introduction.status() == IntroductionStatus::Pending {
        let first = conversions::queries::find_first_of_referral(conn, account, id)?;
        if first.as_ref() != Some(&conversion.id)
            || !qualifies(promised.as_ref(), referral, conversion)
        {
            return Ok(());
        }
        introduction.qualified_at = Some(now);
        introduction.conversion_id = Some(conversion.id.clone());
        tell(conn, EventKind::IntroductionQualified, &introduction, now)?;
        if let Some(promised) = &promised {
            let unit = promised.unit(&program.payout_currency);
            reward(
                conn,
                (referral, conversion),
                (promised.amount, &unit),
                program,
                by,
                now,
            )?;
            booked = Some((promised.amount, unit));
        }
    }
    if promised.is_none() && conversion.payable() > Cents::ZERO {
        booked = Some((conversion.payable(), conversion.currency.clone()));
    }
    if let Some(booked) = booked {
        note(&mut introduction, booked, now);
        tell(conn, EventKind::IntroductionRewarded, &introduction, now)?;
    }
    Ok(queries::update(conn, &introduction)?)
}

/// The same for a referral whose rejection was taken back: what was bought meanwhile was not judged.
pub fn judge_again(
    conn: &mut DbConnection,
    referral: &Referral,
    by: &ApiKeyId,
    now: Timestamp,
) -> Result<(), Error> {
    let (account, program) = (&referral.account_id, &referral.program_id);
    let ours = programs::queries::for_customers(conn, [(account, program)])?;
    if ours.is_empty() {
        return Ok(());
    }
    let Some(program) = programs::queries::find(conn, account, program)? else {
        return Ok(());
    };
    // The first decides whether it qualifies; where the rule has no reward, the first that brings a commission is the reward.
    let first = conversions::queries::find_first_of_referral(conn, account, &referral.id)?;
    let paying = conversions::queries::find_first_paying(conn, account, &referral.id)?;
    let second = paying.filter(|paying| Some(paying) != first.as_ref());
    for id in first.into_iter().chain(second) {
        if let Some(conversion) = conversions::queries::find(conn, account, &id)? {
            judge(conn, referral, &conversion, &program, by, now)?;
        }
    }
    Ok(())
}

fn qualifies(promised: Option<&Reward>, referral: &Referral, conversion: &Conversion) -> bool {
    promised.is_none_or(|promised| {
        promised.is_met(
            conversion.amount.get() - conversion.refunded.get(),
            referral.created_at,
            conversion.occurred_at,
        )
    })
}

fn note(introduction: &mut Introduction, (amount, unit): (Cents, Currency), now: Timestamp) {
    introduction.rewarded_at = Some(now);
    introduction.reward_amount = Some(amount);
    introduction.reward_unit = Some(unit);
}

fn tell(
    conn: &mut DbConnection,
    kind: EventKind,
    introduction: &Introduction,
    now: Timestamp,
) -> Result<(), Error> {
    let before = match kind {
        EventKind::IntroductionRewarded => IntroductionStatus::Qualified,
        _ => IntroductionStatus::Pending,
    };
    let view = IntroductionView::from(introduction.clone());
    let (account, id) = (&introduction.account_id, introduction.referral_id.as_str());
    let event = Event::new(account, kind, id, &view, now)?;
    emit(conn, vec![event.after(before.as_str())])
}
