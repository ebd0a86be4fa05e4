//! The statements that look for a person's signup.

use diesel::prelude::*;

use super::model::{Referral, ReferralStatus};
use crate::db::DbConnection;
use crate::db::schema::referrals;
use crate::ids::{AccountId, ProgramId};
use crate::text::{EmailAddress, ExternalId};

/// Who a conversion is about, if it does not name a referral.
#[derive(Debug, Clone)]
pub enum Person<'a> {
    /// By the address of the signup.
    Email(&'a EmailAddress),
    /// By the company's own name.
    External(&'a ExternalId),
}

/// The first signup of a person that was not rejected, or the first of all; in one program, if that is named.
pub fn find_person(
    conn: &mut DbConnection,
    account: &AccountId,
    person: &Person<'_>,
    program: Option<&ProgramId>,
) -> QueryResult<Option<Referral>> {
    let mut query = Referral::query()
        .filter(referrals::account_id.eq(account))
        .order(referrals::id)
        .limit(MOST_SIGNUPS)
        .into_boxed();
    query = match person {
        Person::Email(email) => query.filter(referrals::email_folded.eq(email.folded())),
        Person::External(id) => query.filter(referrals::external_id.eq(id.as_str().to_owned())),
    };
    if let Some(program) = program {
        query = query.filter(referrals::program_id.eq(program.clone()));
    }
    let mut found = query.load(conn)?;
    let best = found
        .iter()
        .position(|one| one.status != ReferralStatus::Rejected);
    Ok((!found.is_empty()).then(|| found.swap_remove(best.unwrap_or(0))))
}

/// So many signups of one person are looked through at most.
const MOST_SIGNUPS: i64 = 100;
