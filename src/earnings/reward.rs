//! Verbs: a customer gets a reward for another who qualified, and loses it if the payment that did it is given back.

use super::accrue::begin;
use super::earned::Earned;
use super::model::{Earning, Origin};
use super::purse::Purse;
use super::queries;
use super::release::by_purse;
use crate::clock::Timestamp;
use crate::conversions::model::Conversion;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{ApiKeyId, EarningId, RefundId, Tail};
use crate::money::{Cents, Currency};
use crate::programs::model::Program;
use crate::referrals::model::Referral;
use crate::text::{Line, Paragraph};
use crate::{conversions, introductions, rules};

/// Books the reward of a referral that a conversion has qualified.
pub fn reward(
    conn: &mut DbConnection,
    (referral, conversion): (&Referral, &Conversion),
    (amount, unit): (Cents, &Currency),
    program: &Program,
    by: &ApiKeyId,
    now: Timestamp,
) -> Result<(), Error> {
    let earned = Earned {
        origin: Origin::Reward,
        amount,
        kind: Some(Line::cut("reward")),
        description: Some(Paragraph::cut("Reward for bringing a customer")),
        rule_version: Some(conversion.rule_version),
        ..Earned::of(referral, unit.clone(), conversion.occurred_at)
    };
    let earning = earned.earning(
        EarningId::with_tail(now, &Tail::numbered(REWARD)),
        program,
        now,
    );
    let mut purse = Purse::open(conn, &conversion.owner(), unit, Some(by), now)?;
    begin(conn, &mut purse, referral, earning, now)?;
    purse.close(conn, None)?;
    Ok(())
}

/// A reward sorts behind what else was earned in the same moment.
const REWARD: i64 = 36_i64.pow(5) - 1;

/// A part of a conversion was given back. If it had qualified its referral and is too small for that now, the reward is
/// taken back, all of it.
pub fn refunded(
    conn: &mut DbConnection,
    conversion: &Conversion,
    refund: &RefundId,
    by: &ApiKeyId,
    now: Timestamp,
) -> Result<(), Error> {
    let (account, referral) = (&conversion.account_id, &conversion.referral_id);
    let earnings = queries::list_of_referral(conn, account, referral)?;
    let rewards: Vec<Earning> = earnings
        .into_iter()
        .filter(|earning| earning.origin == Origin::Reward && earning.standing() > 0)
        .collect();
    let occasion = Line::cut(refund.as_str());
    for ((owner, _), (unit, seen)) in by_purse(rewards) {
        let mut purse = Purse::open(conn, &owner, &unit, Some(by), now)?;
        for seen in seen {
            let Some(earning) = queries::find(conn, account, &seen.id)? else {
                continue;
            };
            if !is_due(conn, &earning)? {
                let (id, standing) = (earning.id.clone(), earning.standing());
                purse.take(earning);
                purse.reverse(&id, standing, Some(&occasion))?;
            }
        }
        purse.close(conn, Some(&Paragraph::cut("The order was refunded")))?;
    }
    Ok(())
}

/// Whether a reward stands as far as the payment goes that has qualified its referral.
pub fn is_due(conn: &mut DbConnection, reward: &Earning) -> Result<bool, Error> {
    let (account, referral) = (&reward.account_id, &reward.referral_id);
    let Some(introduction) = introductions::queries::find(conn, account, referral)? else {
        return Ok(true);
    };
    let Some(id) = introduction.conversion_id else {
        return Ok(true);
    };
    let Some(conversion) = conversions::queries::find(conn, account, &id)? else {
        return Ok(true);
    };
    let (program, version) = (&conversion.program_id, conversion.rule_version);
    let published = rules::queries::find(conn, account, program, version)?;
    let kept = conversion.amount.get() - conversion.refunded.get();
    let promised = published.and_then(|published| published.rule.reward);
    Ok(promised.is_none_or(|promised| promised.is_due(kept)))
}
