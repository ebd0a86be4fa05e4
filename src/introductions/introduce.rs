//! Verb: customers brought customers.

use std::collections::HashMap;

use super::model::Introduction;
use super::queries;
use super::view::IntroductionView;
use crate::coupons::issue::issue;
use crate::customers::meet::meet;
use crate::db::DbConnection;
use crate::db::statement::by_account;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::ids::{AmbassadorId, CustomerId};
use crate::referrals::model::Referral;
use crate::{invitations, programs};

/// Of signups that were just stored, those in customer programs: whoever signed up is a customer from now on, and was
/// brought by the one whose link it was. Nobody is brought twice, nor by himself; such a signup introduces nobody, and is
/// a referral like any other.
pub fn introduce(conn: &mut DbConnection, signups: &[&Referral]) -> Result<(), Error> {
    let programs = signups.iter().map(|one| (&one.account_id, &one.program_id));
    let programs = programs::queries::for_customers(conn, programs)?;
    if programs.is_empty() {
        return Ok(());
    }
    let is_ours = |one: &&&Referral| {
        let program = (one.account_id, one.program_id.clone());
        programs.contains(&program)
    };
    let signups: Vec<&Referral> = signups.iter().filter(is_ours).copied().collect();
    let met = meet(conn, &signups)?;
    for (account, signups) in by_account(signups.into_iter().map(|one| (&one.account_id, one))) {
        let ambassadors = signups
            .iter()
            .map(|one| one.ambassador_id.clone())
            .collect();
        let referrers = invitations::queries::find_by_ambassadors(conn, account, ambassadors)?;
        let referrers: HashMap<AmbassadorId, CustomerId> = referrers
            .into_iter()
            .map(|invitation| (invitation.ambassador_id, invitation.customer_id))
            .collect();
        let rows = signups.iter().filter_map(|signup| {
            let referrer = referrers.get(&signup.ambassador_id)?;
            let referred = met.get(&(&signup.account_id, &signup.id))?;
            (referrer != referred).then(|| introduction(signup, referrer, referred))
        });
        let rows: Vec<Introduction> = rows.collect();
        if rows.is_empty() {
            continue;
        }
        queries::insert_new(conn, &rows)?;
        let ids = rows.into_iter().map(|row| row.referral_id).collect();
        let made = queries::list_of_referrals(conn, account, ids)?;
        tell(conn, &made)?;
        if let Some(program) = programs::queries::find_for_customers(conn, account)? {
            issue(conn, &program, &made)?;
        }
    }
    Ok(())
}

fn tell(conn: &mut DbConnection, made: &[Introduction]) -> Result<(), Error> {
    let events = made.iter().map(|introduction| {
        let view = IntroductionView::from(introduction.clone());
        let (account, id) = (&introduction.account_id, introduction.referral_id.as_str());
        let kind = EventKind::IntroductionCreated;
        Event::new(account, kind, id, &view, introduction.created_at)
    });
    let events = events.collect::<Result<Vec<_>, _>>()?;
    emit(conn, events)
}

fn introduction(signup: &Referral, referrer: &CustomerId, referred: &CustomerId) -> Introduction {
    Introduction {
        account_id: signup.account_id,
        referral_id: signup.id.clone(),
        referrer_id: referrer.clone(),
        referred_id: referred.clone(),
        qualified_at: None,
        conversion_id: None,
        rewarded_at: None,
        reward_amount: None,
        reward_unit: None,
        created_at: signup.created_at,
    }
}
