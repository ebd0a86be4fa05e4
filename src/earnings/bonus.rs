//! Verb: an ambassador gets a bonus for the number of verified referrals.

use super::accrue::{begin, program_of};
use super::earned::Earned;
use super::model::Origin;
use super::purse::Purse;
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{ApiKeyId, EarningId};
use crate::ledger::model::Owner;
use crate::referrals::model::Referral;
use crate::text::{Line, Paragraph};
use crate::{referrals, rules};

/// Pays the bonus that the program's rules promise for as many verified referrals as the ambassador has now that this
/// one is verified. Once per number: a bonus that was taken back can be earned again.
pub fn bonus(
    conn: &mut DbConnection,
    referral: &Referral,
    by: &ApiKeyId,
    now: Timestamp,
) -> Result<(), Error> {
    let (account, program_id) = (&referral.account_id, &referral.program_id);
    let Some(current) = rules::queries::find_current(conn, account, program_id)? else {
        return Ok(());
    };
    if current.rule.bonuses.is_empty() {
        return Ok(());
    }
    let program = program_of(conn, referral)?;
    let owner = Owner {
        account_id: *account,
        program_id: program_id.clone(),
        ambassador_id: referral.ambassador_id.clone(),
    };
    // Held before they are counted, so that two who verify at once do not both count the same.
    let mut purse = Purse::open(conn, &owner, &program.payout_currency, Some(by), now)?;
    let verified = referrals::queries::count_verified(conn, account, &referral.ambassador_id)?;
    let Some(amount) = current.rule.bonus_at(verified) else {
        return Ok(());
    };
    if queries::has_bonus(conn, &owner, verified)? {
        return Ok(());
    }
    let earned = Earned {
        origin: Origin::Bonus,
        amount,
        kind: Some(Line::cut("bonus")),
        description: Some(Paragraph::cut(&format!(
            "Bonus for {verified} verified referrals"
        ))),
        rule_version: Some(current.version),
        milestone: Some(verified),
        ..Earned::of(referral, program.payout_currency.clone(), now)
    };
    let earning = earned.earning(EarningId::new(now), &program, now);
    begin(conn, &mut purse, referral, earning, now)?;
    purse.close(conn, None)?;
    Ok(())
}
