//! Verb: a referred person bought something.

use super::buyer::referral_of;
use super::model::{Conversion, NewConversion};
use super::queries;
use super::view::ConversionView;
use crate::clock::Timestamp;
use crate::coupons::redeem::{must_be_good, redeem};
use crate::db::{DbConnection, name};
use crate::earnings::accrue::{begin, program_of};
use crate::earnings::model::Origin;
use crate::earnings::purse::Purse;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::idempotency::{Keyed, Recorded, Retry, replay};
use crate::ids::{AccountId, ApiKeyId, ConversionId, EarningId};
use crate::introductions::judge::judge;
use crate::ledger::model::Owner;
use crate::money::{Cents, Currency};
use crate::parse::Complaint;
use crate::programs::model::{ConvertedBy, Program};
use crate::referrals::decide::decide;
use crate::referrals::model::{Referral, ReferralChanges, ReferralStatus};
use crate::refunds::apply::apply_waiting;
use crate::rules;
use crate::rules::background::{Asked, background, hold_sales};
use crate::rules::commission::Sale;

/// Records a conversion, or finds the one that the same order made before. Its commission is computed by the rules as
/// they are now, and earned unless the referral is rejected; a pending referral becomes converted if the program says
/// so; its coupon is used; what it means for whoever brought the person is judged; refunds that came before it are applied.
/// All of that or nothing.
///
/// # Errors
/// [`Error::Invalid`] if the account has no such referral or person; [`Error::Conflict`] if the order or the key
/// recorded another purchase, the coupon is no good or another person's, the rule cannot be applied to the currency, or a
/// refund that waits does not fit.
pub fn record(
    conn: &mut DbConnection,
    account: &AccountId,
    by: &ApiKeyId,
    new: &NewConversion,
    now: Timestamp,
) -> Result<Recorded<Conversion>, Error> {
    if let Some(replayed) = made_by_key(conn, account, new)? {
        return Ok(replayed);
    }
    // Held, so that a twin or a refund of this order comes before or after, not at once.
    name::hold(conn, &[&account.text(), "order", new.order_id.as_str()])?;
    match queries::find_by_order(conn, account, &new.order_id)? {
        Some(known) if known.is_asked_for_by(&new.fingerprint) => Ok(Recorded::Replayed(known)),
        Some(_) => Err(Error::Conflict {
            code: "order_id_reused",
            message: "This order_id was already reported as another purchase; nothing was changed"
                .to_owned(),
        }),
        None => match purchase(conn, account, by, new, now)? {
            Some(made) => Ok(Recorded::New(made)),
            // A twin with the same key was faster, and has committed by now.
            None => made_by_key(conn, account, new)?
                .ok_or_else(|| Error::internal("what was there a moment ago is gone")),
        },
    }
}

fn made_by_key(
    conn: &mut DbConnection,
    account: &AccountId,
    new: &NewConversion,
) -> Result<Option<Recorded<Conversion>>, Error> {
    let Some(retry) = &new.retry else {
        return Ok(None);
    };
    let row = queries::find_by_key(conn, account, &retry.key)?;
    row.map(|row| replay(row, retry)).transpose()
}

/// `None`: the idempotency key is taken.
fn purchase(
    conn: &mut DbConnection,
    account: &AccountId,
    by: &ApiKeyId,
    new: &NewConversion,
    now: Timestamp,
) -> Result<Option<Conversion>, Error> {
    must_have_happened(new, now)?;
    let coupon = match &new.coupon_code {
        None => None,
        Some(code) => {
            let bought_at = new.occurred_at.unwrap_or(now);
            Some(must_be_good(conn, account, code, bought_at)?)
        }
    };
    let referral = referral_of(conn, account, new, coupon.as_ref())?;
    let program = program_of(conn, &referral)?;
    let currency = new
        .currency
        .clone()
        .unwrap_or(program.payout_currency.clone());
    let owner = Owner {
        account_id: *account,
        program_id: referral.program_id.clone(),
        ambassador_id: referral.ambassador_id.clone(),
    };
    hold_sales(conn, &owner)?;
    let mut purse = Purse::open(conn, &owner, &currency, Some(by), now)?;
    let mut conversion = computed(conn, new, &referral, (&program, &owner), currency, now)?;
    if !queries::insert_if_new(conn, &conversion)? {
        return Ok(None);
    }
    if let Some(coupon) = &coupon {
        redeem(conn, coupon, &conversion.id, now)?;
    }
    let view = ConversionView::from(conversion.clone());
    let (kind, id) = (EventKind::ConversionCreated, conversion.id.as_str());
    emit(conn, vec![Event::new(account, kind, id, &view, now)?])?;
    let referral = convert(conn, referral, &program, by, now)?;
    if conversion.commission > Cents::ZERO && referral.status != ReferralStatus::Rejected {
        let earning = conversion
            .earned(&referral, Origin::Commission, conversion.commission)
            .earning(EarningId::new(now), &program, now);
        begin(conn, &mut purse, &referral, earning, now)?;
    }
    purse.close(conn, None)?;
    judge(conn, &referral, &conversion, &program, by, now)?;
    apply_waiting(conn, &mut conversion, by, now)?;
    Ok(Some(conversion))
}

/// Clocks differ, and so do zones; more than a day is a mistake, and would hold the commission until then.
fn must_have_happened(new: &NewConversion, now: Timestamp) -> Result<(), Error> {
    match new.occurred_at {
        Some(at) if at > now.plus_seconds(86_400) => Err(Error::field(
            "occurred_at",
            Complaint::new("in_the_future", "must not be more than a day in the future"),
        )),
        _ => Ok(()),
    }
}

fn computed(
    conn: &mut DbConnection,
    new: &NewConversion,
    referral: &Referral,
    (program, owner): (&Program, &Owner),
    currency: Currency,
    now: Timestamp,
) -> Result<Conversion, Error> {
    let account = &referral.account_id;
    let current = rules::queries::find_current(conn, account, &referral.program_id)?
        .ok_or_else(|| Error::internal("a program without rules"))?;
    let occurred_at = new.occurred_at.unwrap_or(now);
    let asked = Asked {
        owner,
        referral: &referral.id,
        currency: &currency,
        at: occurred_at,
        // Those that were recorded before count as before it, also if they occurred in the same second.
        sales_before: Timestamp::from_micros(occurred_at.micros() + 1),
        // Sales may be reported late, so what was earned by later ones counts too.
        earned_before: Timestamp::from_micros(i64::MAX),
    };
    let before = background(conn, &current.rule, asked)?;
    let sale = Sale {
        amount: new.amount,
        currency: &currency,
        kind: new.kind,
        occurred_at,
    };
    let commission = current
        .rule
        .commission(&sale, &before, &program.payout_currency)?;
    Ok(Conversion {
        account_id: *account,
        id: ConversionId::new(now),
        referral_id: referral.id.clone(),
        program_id: referral.program_id.clone(),
        ambassador_id: referral.ambassador_id.clone(),
        order_id: new.order_id.clone(),
        kind: new.kind,
        amount: new.amount,
        currency,
        occurred_at,
        refunded: Cents::ZERO,
        commission: Cents::try_from(commission.amount)
            .map_err(|_| Error::internal("a commission out of range"))?,
        capped: Cents::ZERO,
        rule_version: current.version,
        steps: serde_json::to_string(&commission.steps).map_err(Error::internal)?,
        coupon_code: new.coupon_code.clone(),
        metadata: new.metadata.clone(),
        idempotency_key: Retry::key(new.retry.as_ref()),
        idempotency_fingerprint: new.fingerprint.clone(),
        created_at: now,
        updated_at: now,
    })
}

/// Moves a pending referral on, if its program says so.
fn convert(
    conn: &mut DbConnection,
    referral: Referral,
    program: &Program,
    by: &ApiKeyId,
    now: Timestamp,
) -> Result<Referral, Error> {
    if referral.status != ReferralStatus::Pending || program.converted_by != ConvertedBy::Conversion
    {
        return Ok(referral);
    }
    let changes = ReferralChanges {
        status: Some(ReferralStatus::Converted),
        ..ReferralChanges::default()
    };
    decide(conn, &referral.account_id, by, &referral.id, &changes, now)
}
