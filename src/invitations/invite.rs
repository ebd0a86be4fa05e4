//! Verb: a customer wants to bring others.

use super::model::{Invitation, Link};
use super::queries;
use crate::ambassadors::enrol::enrol;
use crate::ambassadors::model::NewAmbassador;
use crate::clock::Timestamp;
use crate::customers;
use crate::customers::model::Customer;
use crate::db::{DbConnection, name};
use crate::error::Error;
use crate::idempotency::Recorded;
use crate::ids::{AccountId, AmbassadorId, ApiKeyId, CustomerId, Id, PosterId, ProgramId};
use crate::metadata::Metadata;
use crate::money::{BasisPoints, Cents, Currency};
use crate::parse::Parse;
use crate::posters;
use crate::posters::hang::hang;
use crate::posters::model::{NewPoster, PosterCode};
use crate::programs;
use crate::programs::launch::{hold_the_one_for_customers, launch};
use crate::programs::model::{
    Audience, AvailableWhen, ConvertedBy, CouponTerms, NewProgram, PayoutSchedule, Program,
    ProgramStatus,
};
use crate::text::{Name, WebUrl};

/// The link of a customer, made if there is none; always the same one, also if many ask at once. `public_url` is where a
/// program leads that has to be made for it.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such customer; [`Error::Conflict`] if the customer program is paused and
/// there is no link yet.
pub fn invite(
    conn: &mut DbConnection,
    (account, by): (&AccountId, &ApiKeyId),
    id: &CustomerId,
    public_url: &str,
    now: Timestamp,
) -> Result<Link, Error> {
    if let Some(known) = queries::find(conn, account, id)? {
        return link(conn, known, false);
    }
    let customer =
        customers::queries::find(conn, account, id)?.ok_or(Error::NotFound(CustomerId::NOUN))?;
    name::hold(conn, &[&account.text(), "invitation", id.as_str()])?;
    // Whoever held the name before has made it.
    if let Some(known) = queries::find(conn, account, id)? {
        return link(conn, known, false);
    }
    let program = customer_program(conn, (account, by), public_url, now)?;
    let ambassador_id = ambassador(conn, &program, &customer, now)?;
    let new = NewPoster {
        codes: std::array::from_fn(|_| PosterCode::random()),
        ambassador_id: ambassador_id.clone(),
        program_id: None,
        location: None,
        landing_url: None,
        metadata: Metadata::default(),
        retry: None,
        public_url: public_url.to_owned(),
    };
    let hung = hang(conn, account, PosterId::new(now), &new, now)?;
    let (Recorded::New(poster) | Recorded::Replayed(poster)) = hung;
    let invitation = Invitation {
        account_id: *account,
        customer_id: id.clone(),
        program_id: program.id,
        ambassador_id,
        poster_id: poster.id,
        created_at: now,
    };
    queries::insert(conn, &invitation)?;
    Ok(Link {
        invitation,
        code: poster.code,
        is_new: true,
    })
}

fn link(conn: &mut DbConnection, invitation: Invitation, is_new: bool) -> Result<Link, Error> {
    let (account, poster) = (&invitation.account_id, &invitation.poster_id);
    let poster = posters::queries::find(conn, account, poster)?
        .ok_or_else(|| Error::internal("an invitation without a link"))?;
    Ok(Link {
        invitation,
        code: poster.code,
        is_new,
    })
}

fn ambassador(
    conn: &mut DbConnection,
    program: &Program,
    customer: &Customer,
    now: Timestamp,
) -> Result<AmbassadorId, Error> {
    let (first_name, last_name) = customer.names();
    let new = NewAmbassador {
        program_id: program.id.clone(),
        first_name,
        last_name,
        email: customer.email.clone(),
        profile_picture: None,
        metadata: Metadata::default(),
        retry: None,
    };
    let enrolled = enrol(conn, &program.account_id, AmbassadorId::new(now), &new, now)?;
    let (Recorded::New(ambassador) | Recorded::Replayed(ambassador)) = enrolled;
    Ok(ambassador.id)
}

/// The account's customer program, made if there is none: it leads to this server, promises nothing and holds what is
/// earned for 30 days. Whoever administers the account says more, by the ordinary operations.
fn customer_program(
    conn: &mut DbConnection,
    (account, by): (&AccountId, &ApiKeyId),
    public_url: &str,
    now: Timestamp,
) -> Result<Program, Error> {
    if let Some(program) = programs::queries::find_for_customers(conn, account)? {
        return Ok(program);
    }
    hold_the_one_for_customers(conn, account)?;
    if let Some(program) = programs::queries::find_for_customers(conn, account)? {
        return Ok(program);
    }
    let broken = |_| Error::internal("the public URL is none");
    let new = NewProgram {
        name: Name::parse("Customers bring customers").map_err(broken)?,
        description: None,
        landing_url: WebUrl::parse(public_url).map_err(broken)?,
        commission: BasisPoints::ZERO,
        payout_schedule: PayoutSchedule::Manual,
        minimum_payout: Cents::ZERO,
        payout_currency: Currency::usd(),
        available_when: AvailableWhen::HoldDays,
        hold_days: 30,
        converted_by: ConvertedBy::Conversion,
        audience: Audience::Customers,
        coupon_terms: CouponTerms::default(),
        status: ProgramStatus::Active,
        retry: None,
    };
    let launched = launch(conn, account, by, ProgramId::new(now), &new, now)?;
    let (Recorded::New(program) | Recorded::Replayed(program)) = launched;
    Ok(program)
}
