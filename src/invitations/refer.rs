//! Verb: the company says that this customer brought that one.

use super::invite::invite;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::together::Timed;
use crate::error::Error;
use crate::idempotency::Recorded;
use crate::ids::{AccountId, ApiKeyId, CustomerId, Id, ImpressionId};
use crate::impressions;
use crate::impressions::model::NewImpression;
use crate::introductions::model::Introduction;
use crate::metadata::Metadata;
use crate::referrals::model::NewReferral;
use crate::referrals::record::{Signup, record};
use crate::{customers, introductions};

/// Records a referral between two customers. It has an impression at the first one's link like every other referral, so
/// its program and ambassador come from there.
///
/// # Errors
/// [`Error::Invalid`] if one of them is no customer of the account's, or was erased; [`Error::Conflict`] if both are one, if the second
/// was brought before, or if the customer program is paused and the first has no link yet.
pub fn refer(
    conn: &mut DbConnection,
    (account, by): (&AccountId, &ApiKeyId),
    (referrer, referred): (&CustomerId, &CustomerId),
    public_url: &str,
    now: Timestamp,
) -> Result<Introduction, Error> {
    let unknown = |field| Error::no_such(field, CustomerId::NOUN);
    customers::queries::find(conn, account, referrer)?
        .filter(|customer| !customer.is_erased())
        .ok_or_else(|| unknown("referrer_customer"))?;
    let friend = customers::queries::find_to_change(conn, account, referred)?
        .filter(|customer| !customer.is_erased())
        .ok_or_else(|| unknown("referred_customer"))?;
    if referrer == referred {
        return Err(Error::Conflict {
            code: "self_referral",
            message: "A customer cannot bring himself; nothing was recorded".to_owned(),
        });
    }
    must_be_new(conn, account, referred)?;
    let link = invite(conn, (account, by), referrer, public_url, now)?;
    let scan = NewImpression {
        poster_id: link.invitation.poster_id,
        scanned_at: None,
        user_agent: None,
        ip_address: None,
        metadata: Metadata::default(),
        retry: None,
        is_event: false,
    };
    let scan = impressions::record::record(conn, account, ImpressionId::new(now), &scan, now)?;
    let (Recorded::New(scan) | Recorded::Replayed(scan)) = scan;
    let (first_name, last_name) = friend.names();
    let signup = Signup {
        account_id: *account,
        id: None,
        new: NewReferral {
            impression_id: scan.id,
            first_name,
            last_name,
            email: friend.email,
            profile_picture: None,
            external_id: friend.external_id,
            metadata: Metadata::default(),
            retry: None,
        },
    };
    let recorded = record(
        conn,
        &[Timed {
            at: now,
            item: signup,
        }],
    )?;
    let recorded = recorded.into_iter().next();
    let recorded = recorded.ok_or_else(|| Error::internal("no outcome"))??;
    let (Recorded::New(referral) | Recorded::Replayed(referral)) = recorded;
    match introductions::queries::find(conn, account, &referral.id)? {
        Some(introduction) => Ok(introduction),
        // Somebody was faster: then none of this has happened.
        None => {
            must_be_new(conn, account, referred)?;
            Err(Error::internal("a referral that introduced nobody"))
        }
    }
}

fn must_be_new(
    conn: &mut DbConnection,
    account: &AccountId,
    referred: &CustomerId,
) -> Result<(), Error> {
    match introductions::queries::find_of_referred(conn, account, referred)? {
        None => Ok(()),
        Some(earlier) => Err(Error::Conflict {
            code: "already_referred",
            message: format!(
                "{} was brought already: see {}; nothing was recorded",
                referred.as_str(),
                earlier.referral_id.as_str()
            ),
        }),
    }
}
