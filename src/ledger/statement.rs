//! An ambassador's movements in one currency, from one moment to another.

use super::model::Transfer;
use super::queries;
use super::sums::Sums;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, AmbassadorId};
use crate::money::Currency;

/// Which part of which movements.
#[derive(Debug, Clone, Copy)]
pub struct Extract {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment that is not in it any more.
    pub before: Timestamp,
    /// At most so many movements.
    pub limit: i64,
    /// How many to pass over.
    pub offset: i64,
}

/// The movements in one currency.
#[derive(Debug, Clone)]
pub struct Statement {
    /// ISO 4217.
    pub currency: Currency,
    /// What there was before the first moment.
    pub opening: Sums,
    /// The movements, and what there was after each.
    pub lines: Vec<(Transfer, Sums)>,
    /// What there was in the end.
    pub closing: Sums,
    /// Whether there are more movements behind these.
    pub has_more: bool,
}

/// The ambassador's statements, one for each currency there ever was, or for the one that is asked for. Has to be
/// asked on one state of the database, or the parts do not fit together.
pub fn draw_up(
    conn: &mut DbConnection,
    account: &AccountId,
    ambassador: &AmbassadorId,
    currency: Option<&Currency>,
    extract: Extract,
) -> Result<Vec<Statement>, Error> {
    let opening = queries::sums(conn, account, ambassador, extract.from)?;
    let closing = queries::sums(conn, account, ambassador, extract.before)?;
    let mut statements = Vec::new();
    for balance in queries::list_balances(conn, account, ambassador)? {
        let held = balance.currency;
        let of = |sums: &[(Currency, _, i64)]| {
            let own = sums.iter().filter(|(other, ..)| *other == held);
            Sums::of(own.map(|(_, reason, amount)| (*reason, *amount)))
        };
        if closing.iter().all(|(other, ..)| *other != held)
            || currency.is_some_and(|wanted| *wanted != held)
        {
            continue;
        }
        let (lines, has_more) = lines(conn, account, ambassador, &held, extract)?;
        statements.push(Statement {
            opening: of(&opening),
            lines,
            closing: of(&closing),
            has_more,
            currency: held,
        });
    }
    Ok(statements)
}

/// Transfers are in the order of time, so those before a moment are the first ones.
fn lines(
    conn: &mut DbConnection,
    account: &AccountId,
    ambassador: &AmbassadorId,
    currency: &Currency,
    extract: Extract,
) -> Result<(Vec<(Transfer, Sums)>, bool), Error> {
    let before = queries::count_before(conn, account, ambassador, currency, extract.from)?;
    let passed = before.saturating_add(extract.offset);
    let sums = queries::sums_of_first(conn, account, ambassador, currency, passed)?;
    let mut sums = Sums::of(sums);
    let one_more = extract.limit.saturating_add(1);
    let found = queries::walk(conn, account, ambassador, currency, passed, one_more)?;
    let mut lines: Vec<(Transfer, Sums)> = found
        .into_iter()
        .take_while(|transfer| transfer.created_at < extract.before)
        .map(|transfer| {
            sums.add(transfer.reason, transfer.amount);
            (transfer, sums)
        })
        .collect();
    let most = usize::try_from(extract.limit).unwrap_or(usize::MAX);
    let has_more = lines.len() > most;
    lines.truncate(most);
    Ok((lines, has_more))
}
