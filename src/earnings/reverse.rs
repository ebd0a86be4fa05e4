//! Verbs: what was earned is taken back, or given again.

use super::accrue::{begin, program_of};
use super::earned::Earned;
use super::model::{Earning, Origin};
use super::purse::Purse;
use super::queries;
use super::release::{by_purse, each};
use super::reward;
use crate::clock::Timestamp;
use crate::conversions;
use crate::conversions::model::Conversion;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{ApiKeyId, ConversionId, EarningId, RefundId, Tail};
use crate::ledger::model::Owner;
use crate::money::Cents;
use crate::referrals::model::Referral;
use crate::rules::background::hold_sales;
use crate::rules::room::room;
use crate::text::{Line, Paragraph};

/// The referral is rejected: all that it earned is taken back.
pub fn rejected(
    conn: &mut DbConnection,
    referral: &Referral,
    by: &ApiKeyId,
    now: Timestamp,
) -> Result<(), Error> {
    each(conn, referral, by, now, |purse, earning| {
        purse.reverse(&earning.id, earning.standing(), None)
    })
}

/// A part of a conversion was given back: takes back what its commission is too high by now, and a reward that it would
/// not have brought. How much it was of the commission.
pub fn refunded(
    conn: &mut DbConnection,
    conversion: &Conversion,
    refund: &RefundId,
    by: &ApiKeyId,
    now: Timestamp,
) -> Result<i64, Error> {
    let mut purse = Purse::open(
        conn,
        &conversion.owner(),
        &conversion.currency,
        Some(by),
        now,
    )?;
    let (account, id) = (&conversion.account_id, &conversion.id);
    // Read again: its referral's rejection may have been taken back meanwhile, and the caps have left less of it.
    let conversion = &conversions::queries::find(conn, account, id)?
        .ok_or_else(|| Error::internal("a refunded conversion is gone"))?;
    let earnings = queries::list_of_conversion(conn, account, id)?;
    let standing: i64 = earnings.iter().map(Earning::standing).sum();
    let excess = (standing - conversion.due()).max(0);
    let occasion = Line::cut(refund.as_str());
    let mut left = excess;
    // The latest first.
    for earning in earnings.into_iter().rev() {
        let (id, amount) = (earning.id.clone(), earning.standing().min(left));
        if amount > 0 {
            purse.take(earning);
            purse.reverse(&id, amount, Some(&occasion))?;
            left -= amount;
        }
    }
    purse.close(conn, Some(&Paragraph::cut("The order was refunded")))?;
    reward::refunded(conn, conversion, refund, by, now)?;
    Ok(excess)
}

/// The referral's rejection was taken back: what it cost the ambassador is earned again, in new earnings.
pub fn reinstated(
    conn: &mut DbConnection,
    referral: &Referral,
    by: &ApiKeyId,
    now: Timestamp,
) -> Result<(), Error> {
    let program = program_of(conn, referral)?;
    let (account, id) = (&referral.account_id, &referral.id);
    hold_sales(
        conn,
        &Owner {
            account_id: *account,
            program_id: referral.program_id.clone(),
            ambassador_id: referral.ambassador_id.clone(),
        },
    )?;
    // Before any purse, as a refund holds its order before that.
    conversions::queries::hold_those_of_referral(conn, account, id)?;
    // Those made now sort in the order in which they are made.
    let mut numbers = 0..;
    let mut new_id =
        || EarningId::with_tail(now, &Tail::numbered(numbers.next().unwrap_or_default()));
    // Commissions: as far as the orders were not refunded meanwhile. Some were reported while it was rejected.
    for conversion in conversions::queries::list_of_referral(conn, account, id)? {
        let mut purse = Purse::open(
            conn,
            &conversion.owner(),
            &conversion.currency,
            Some(by),
            now,
        )?;
        if let Some(lacking) = lacking_of(conn, referral, &conversion.id, now)? {
            let earning = lacking.earning(new_id(), &program, now);
            begin(conn, &mut purse, referral, earning, now)?;
        }
        purse.close(conn, None)?;
    }
    let earnings = queries::list_of_referral(conn, account, id)?;
    let lost = earnings.into_iter().filter(is_to_be_reinstated).collect();
    for ((owner, _), (currency, lost)) in by_purse(lost) {
        let mut purse = Purse::open(conn, &owner, &currency, Some(by), now)?;
        for seen in lost {
            let Some(earning) = queries::find(conn, account, &seen.id)? else {
                continue;
            };
            if is_to_be_reinstated(&earning) && earning.currency == currency {
                give_again(conn, &mut purse, referral, earning, (new_id(), now))?;
            }
        }
        purse.close(conn, None)?;
    }
    Ok(())
}

/// What is earned again of a conversion, if anything is lacking.
fn lacking_of<'a>(
    conn: &mut DbConnection,
    referral: &'a Referral,
    id: &ConversionId,
    now: Timestamp,
) -> Result<Option<Earned<'a>>, Error> {
    let account = &referral.account_id;
    // Read again, as the last refund that held the purse left it.
    let Some(mut conversion) = conversions::queries::find(conn, account, id)? else {
        return Ok(None);
    };
    let earnings = queries::list_of_conversion(conn, account, id)?;
    let standing: i64 = earnings.iter().map(Earning::standing).sum();
    let lacking = left_by_caps(conn, &mut conversion, standing, now)?;
    if lacking <= 0 {
        return Ok(None);
    }
    let origin = match earnings.is_empty() {
        true => Origin::Commission,
        false => Origin::Reinstatement,
    };
    Ok(Some(conversion.earned(referral, origin, amount(lacking)?)))
}

/// What is lacking of what is due of a conversion, of which so much stands. What its caps leave no room for is not due
/// any more: others may have earned that since the rejection.
fn left_by_caps(
    conn: &mut DbConnection,
    conversion: &mut Conversion,
    standing: i64,
    now: Timestamp,
) -> Result<i64, Error> {
    let lacking = conversion.due() - standing;
    if lacking <= 0 {
        return Ok(0);
    }
    match room(conn, conversion)? {
        Some(room) if room < lacking => {
            conversion.cap(standing + room, now)?;
            conversions::queries::update_capped(conn, conversion)?;
            Ok(room)
        }
        _ => Ok(lacking),
    }
}

fn is_to_be_reinstated(earning: &Earning) -> bool {
    let lost = earning.portions.reversed + earning.portions.clawed_back;
    earning.conversion_id.is_none() && earning.replaced_by.is_none() && lost > 0
}

fn give_again(
    conn: &mut DbConnection,
    purse: &mut Purse,
    referral: &Referral,
    mut lost: Earning,
    (id, now): (EarningId, Timestamp),
) -> Result<(), Error> {
    // The order that brought the reward may have been refunded.
    if lost.origin == Origin::Reward && !reward::is_due(conn, &lost)? {
        return Ok(());
    }
    // Another referral may have brought the bonus meanwhile: it is paid once.
    if let Some(milestone) = lost.milestone
        && queries::has_bonus(conn, &lost.owner(), milestone)?
    {
        return Ok(());
    }
    let program = program_of(conn, referral)?;
    let new = Earned {
        origin: match lost.origin {
            origin @ (Origin::Bonus | Origin::Reward) => origin,
            _ => Origin::Reinstatement,
        },
        amount: amount(lost.portions.reversed + lost.portions.clawed_back)?,
        kind: lost.kind.clone(),
        description: lost.description.clone(),
        metadata: lost.metadata.clone(),
        milestone: lost.milestone,
        rule_version: lost.rule_version,
        ..Earned::of(referral, lost.currency.clone(), lost.created_at)
    };
    let earning = new.earning(id, &program, now);
    let before = lost.clone();
    lost.replaced_by = Some(earning.id.clone());
    purse.accept((before, lost));
    begin(conn, purse, referral, earning, now)?;
    Ok(())
}

fn amount(units: i64) -> Result<Cents, Error> {
    Cents::try_from(units).map_err(|_| Error::internal("an amount out of range"))
}
