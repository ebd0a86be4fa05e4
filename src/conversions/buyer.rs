//! Whose purchase it was: the signup of who bought, as the company says it or as the coupon does.

use super::model::{Buyer, NewConversion};
use crate::coupons::model::Coupon;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, Id, ReferralId};
use crate::parse::Complaint;
use crate::referrals;
use crate::referrals::model::Referral;
use crate::referrals::people_queries::{Person, find_person};

/// The signup of who bought, held.
///
/// # Errors
/// [`Error::Invalid`] if nobody of the account's is it; [`Error::Conflict`] if it is somebody else than who has the
/// coupon.
pub(super) fn referral_of(
    conn: &mut DbConnection,
    account: &AccountId,
    new: &NewConversion,
    coupon: Option<&Coupon>,
) -> Result<Referral, Error> {
    if let Some(coupon) = coupon {
        let referral = referrals::queries::find_to_change(conn, account, &coupon.referral_id)?
            .ok_or_else(|| Error::internal("a coupon without a referral"))?;
        return match fits(new, &referral) {
            true => Ok(referral),
            false => Err(Error::Conflict {
                code: "coupon_of_another",
                message:
                    "The coupon was given to somebody else than who bought; nothing was booked"
                        .to_owned(),
            }),
        };
    }
    let (field, person) = match &new.buyer {
        Buyer::Referral(id) => {
            return referrals::queries::find_to_change(conn, account, id)?
                .ok_or_else(|| Error::no_such("referral_id", ReferralId::NOUN));
        }
        Buyer::Email(email) => ("email", Person::Email(email)),
        Buyer::External(id) => ("external_id", Person::External(id)),
        Buyer::Coupon => return Err(Error::field("referral_id", Complaint::Missing)),
    };
    let unknown = || {
        let complaint = Complaint::new("unknown_person", "is not of anybody who signed up");
        Error::field(field, complaint)
    };
    let seen = find_person(conn, account, &person, new.program_id.as_ref())?.ok_or_else(unknown)?;
    referrals::queries::find_to_change(conn, account, &seen.id)?.ok_or_else(unknown)
}

/// Whether what the company says about the buyer is true of this signup.
fn fits(new: &NewConversion, referral: &Referral) -> bool {
    let is_the_one = match &new.buyer {
        Buyer::Coupon => true,
        Buyer::Referral(id) => *id == referral.id,
        Buyer::Email(email) => email.folded() == referral.email_folded,
        Buyer::External(id) => Some(id) == referral.external_id.as_ref(),
    };
    let program = new.program_id.as_ref();
    is_the_one && program.is_none_or(|program| *program == referral.program_id)
}
