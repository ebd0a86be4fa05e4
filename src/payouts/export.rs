//! Payouts as a table that a bank or a spreadsheet reads: CSV whose cells are text, whatever is in them.

use std::borrow::Cow;
use std::collections::HashMap;

use csv::{Terminator, WriterBuilder};

use super::model::{Payout, PayoutFilter};
use super::queries;
use crate::ambassadors;
use crate::ambassadors::model::Ambassador;
use crate::db::DbConnection;
use crate::db::page::{Order, Page};
use crate::error::Error;
use crate::ids::{AccountId, AmbassadorId, PayoutId};
use crate::parse::is_invisible;

/// The header row.
const COLUMNS: [&str; 11] = [
    "payout_id",
    "student_id",
    "first_name",
    "last_name",
    "email",
    "amount",
    "currency",
    "status",
    "reference_id",
    "created_at",
    "paid_at",
];
/// How many rows are read together.
const TOGETHER: i64 = 1_000;

/// A part of the table, and behind which payout the next one begins.
#[derive(Debug)]
pub struct Part {
    /// Whole rows.
    pub csv: Vec<u8>,
    /// The last payout in it, if there may be more.
    pub last: Option<PayoutId>,
}

/// The part of the table behind `after`, the first with the header row.
pub fn part(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &PayoutFilter,
    after: Option<&PayoutId>,
) -> Result<Part, Error> {
    let page = Page {
        limit: TOGETHER,
        offset: 0,
        order: Order::Asc,
        after: after.map(|id| id.as_str().to_owned()),
        before: None,
    };
    let (payouts, has_more) = page.cut(queries::list(conn, account, filter, &page)?);
    let mut ids: Vec<AmbassadorId> = payouts
        .iter()
        .map(|row| row.ambassador_id.clone())
        .collect();
    ids.sort();
    ids.dedup();
    let people: HashMap<AmbassadorId, Ambassador> =
        ambassadors::queries::find_all(conn, account, ids)?
            .into_iter()
            .map(|ambassador| (ambassador.id.clone(), ambassador))
            .collect();
    let mut table = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    if after.is_none() {
        table.write_record(COLUMNS).map_err(Error::internal)?;
    }
    for payout in &payouts {
        let person = people
            .get(&payout.ambassador_id)
            .ok_or_else(|| Error::internal("a payout's ambassador is gone"))?;
        let cells = row(payout, person);
        let cells = cells.iter().map(|cell| safe(cell).into_owned());
        table
            .write_record(cells.map(String::into_bytes))
            .map_err(Error::internal)?;
    }
    let last = payouts.into_iter().next_back().map(|payout| payout.id);
    Ok(Part {
        csv: table
            .into_inner()
            .map_err(|error| Error::internal(error.to_string()))?,
        last: last.filter(|_| has_more),
    })
}

fn row(payout: &Payout, person: &Ambassador) -> [String; COLUMNS.len()] {
    let reference = payout
        .reference_id
        .as_ref()
        .map(|line| line.as_str().to_owned());
    [
        payout.id.as_str().to_owned(),
        payout.ambassador_id.as_str().to_owned(),
        person.first_name.as_str().to_owned(),
        person.last_name.as_str().to_owned(),
        person.email.as_str().to_owned(),
        payout.currency.decimal(payout.amount.get()),
        payout.currency.as_str().to_owned(),
        payout.status.as_str().to_owned(),
        reference.unwrap_or_default(),
        payout.created_at.to_string(),
        payout.paid_at.map(|at| at.to_string()).unwrap_or_default(),
    ]
}

/// A cell that no spreadsheet takes for a formula: one that begins like a formula, or hides its beginning behind what
/// cannot be seen, gets an apostrophe in front. Some spreadsheets read full-width signs as the signs.
fn safe(cell: &str) -> Cow<'_, str> {
    const SIGNS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let visible = cell.trim_start_matches(is_invisible);
    let hidden = &cell[..cell.len() - visible.len()];
    match visible.starts_with(SIGNS) || hidden.contains(['\t', '\r', '\n']) {
        true => Cow::Owned(format!("'{cell}")),
        false => Cow::Borrowed(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_formula_gets_an_apostrophe() {
        for bad in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\rx",
            "\nx",
            "  =1",
            " \t1",
            "\u{a0}=1",
            "＝1",
            "=",
            "\u{200b}=1",
            "\u{feff} +1",
        ] {
            assert_eq!(safe(bad), format!("'{bad}"));
        }
        for good in [
            "", "Carol", "a=b", " Carol", "'=1", "1-2", "\u{e9}=", "    ",
        ] {
            assert_eq!(safe(good), good);
        }
    }
}
