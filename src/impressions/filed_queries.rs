//! Every statement about `impressions_of` and `impressions_filed`: what makes lists of one poster, ambassador or
//! program quick. Up to `impressions_filed.up_to` every impression is filed; behind it some are, which lists do not
//! look at: there they go through the impressions themselves.

use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};

use super::model::{Impression, ImpressionFilter, ambassador_id, program_id};
use super::queries::find_each;
use crate::db::many::{self, many};
use crate::db::page::{Order, Page, paged, wanted};
use crate::db::schema::{impressions, impressions_filed, impressions_of};
use crate::db::statement::statement;
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, AmbassadorId, ImpressionId, PosterId, ProgramId, Wanted};

/// The last impression up to which all are filed.
pub fn filed_up_to(
    conn: &mut DbConnection,
    account: &AccountId,
) -> QueryResult<Option<ImpressionId>> {
    impressions_filed::table
        .find(account)
        .select(impressions_filed::up_to)
        .first(conn)
        .optional()
}

const FILE: &str = "INSERT INTO impressions_of (account_id, whose, id) \
    SELECT account_id, poster_id, id FROM impressions WHERE account_id = ? AND id > ? AND id <= ? \
    UNION ALL SELECT account_id, (SELECT ambassador_id FROM posters \
            WHERE posters.account_id = impressions.account_id AND posters.id = poster_id), id \
        FROM impressions WHERE account_id = ? AND id > ? AND id <= ? \
    UNION ALL SELECT account_id, (SELECT program_id FROM posters \
            WHERE posters.account_id = impressions.account_id AND posters.id = poster_id), id \
        FROM impressions WHERE account_id = ? AND id > ? AND id <= ? \
    ORDER BY 2, 3 ON CONFLICT DO NOTHING";

const FILED: &str = "INSERT INTO impressions_filed (account_id, up_to) VALUES (?, ?) \
    ON CONFLICT (account_id) DO UPDATE SET up_to = excluded.up_to WHERE impressions_filed.up_to < excluded.up_to";

/// Files the account's impressions behind `after` up to `last`.
pub fn file(
    conn: &mut DbConnection,
    account: &AccountId,
    after: Option<&ImpressionId>,
    last: &ImpressionId,
) -> QueryResult<()> {
    let after = after.map_or("", ImpressionId::as_str);
    let file = statement(FILE)
        .bind::<Integer, _>(account)
        .bind::<Text, _>(after)
        .bind::<Text, _>(last)
        .bind::<Integer, _>(account)
        .bind::<Text, _>(after)
        .bind::<Text, _>(last)
        .bind::<Integer, _>(account)
        .bind::<Text, _>(after)
        .bind::<Text, _>(last);
    let filed = statement(FILED)
        .bind::<Integer, _>(account)
        .bind::<Text, _>(last);
    match conn {
        DbConnection::Sqlite(c) => file.execute(c).and_then(|_| filed.execute(c)),
        DbConnection::Postgres(c) => file.execute(c).and_then(|_| filed.execute(c)),
    }?;
    Ok(())
}

/// An impression under somebody it belongs to.
struct Under {
    account_id: AccountId,
    whose: String,
    id: ImpressionId,
}

many! {
    /// Some may be filed already.
    Filed: Under => "impressions_of" { whose: text, id: text } then "ON CONFLICT DO NOTHING"
}

/// Files impressions whose ids may lie before the last one filed.
pub fn file_each(conn: &mut DbConnection, impressions: &[&Impression]) -> QueryResult<()> {
    let rows = impressions.iter().flat_map(|impression| {
        let whose = [
            impression.poster_id.as_str(),
            impression.ambassador_id.as_str(),
            impression.program_id.as_str(),
        ];
        whose.map(|whose| Under {
            account_id: impression.account_id,
            whose: whose.to_owned(),
            id: impression.id.clone(),
        })
    });
    let rows: Vec<Under> = rows.collect();
    many::insert::<Filed>(conn, &rows).map(drop)
}

/// Says that nothing from `end` on is filed, whatever is. How many accounts that changed.
pub fn reopen(conn: &mut DbConnection, end: &ImpressionId) -> QueryResult<usize> {
    diesel::update(impressions_filed::table.filter(impressions_filed::up_to.gt(end)))
        .set(impressions_filed::up_to.eq(end))
        .execute(conn)
}

/// A page of the account's impressions.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &ImpressionFilter,
    page: &Page,
) -> QueryResult<Vec<Impression>> {
    let Some(whose) = narrowest(filter) else {
        return unfiled(conn, account, filter, None, page);
    };
    let Some(up_to) = filed_up_to(conn, account)? else {
        return unfiled(conn, account, filter, None, page);
    };
    let mut rows = match page.order {
        Order::Asc => filed(conn, account, &whose, &up_to, page)?,
        Order::Desc => unfiled(conn, account, filter, Some(&up_to), page)?,
    };
    let missing = page.limit + 1 - i64::try_from(rows.len()).unwrap_or(i64::MAX);
    if missing > 0 {
        let passed_over = match (rows.is_empty() && page.offset > 0, page.order) {
            (false, _) => page.offset,
            (true, Order::Asc) => count_filed(conn, account, &whose, &up_to, page)?,
            (true, Order::Desc) => count_unfiled(conn, account, filter, &up_to)?,
        };
        let rest = Page {
            limit: missing - 1,
            offset: page.offset - passed_over.min(page.offset),
            ..page.clone()
        };
        rows.extend(match page.order {
            Order::Asc => unfiled(conn, account, filter, Some(&up_to), &rest)?,
            Order::Desc => filed(conn, account, &whose, &up_to, &rest)?,
        });
    }
    // A poster has one ambassador and one program, so a second filter is true of all these rows or of none.
    rows.retain(|row| filter.takes(row));
    Ok(rows)
}

/// The id to look under: a poster has fewer impressions than its ambassador, who has fewer than the program.
fn narrowest(filter: &ImpressionFilter) -> Option<String> {
    fn text<T>(wanted: Option<&Wanted<T>>, as_str: fn(&T) -> &str) -> Option<String> {
        wanted.map(|wanted| wanted.0.as_ref().map_or("", as_str).to_owned())
    }
    text(filter.poster_id.as_ref(), PosterId::as_str)
        .or_else(|| text(filter.ambassador_id.as_ref(), AmbassadorId::as_str))
        .or_else(|| text(filter.program_id.as_ref(), ProgramId::as_str))
}

/// A page of somebody's filed impressions.
fn filed(
    conn: &mut DbConnection,
    account: &AccountId,
    whose: &str,
    up_to: &ImpressionId,
    page: &Page,
) -> QueryResult<Vec<Impression>> {
    let query = impressions_of::table
        .filter(impressions_of::account_id.eq(account))
        .filter(impressions_of::whose.eq(whose))
        .filter(impressions_of::id.le(up_to))
        .select(impressions_of::id)
        .into_boxed();
    let ids: Vec<ImpressionId> = paged!(query, impressions_of::id, page).load(conn)?;
    let wanted: Vec<_> = ids.iter().map(|id| (account, id)).collect();
    let mut rows = find_each(conn, &wanted)?;
    rows.sort_by(|one, other| match page.order {
        Order::Asc => one.id.cmp(&other.id),
        Order::Desc => other.id.cmp(&one.id),
    });
    Ok(rows)
}

/// How many filed impressions a page passes over before it is through with them.
fn count_filed(
    conn: &mut DbConnection,
    account: &AccountId,
    whose: &str,
    up_to: &ImpressionId,
    page: &Page,
) -> QueryResult<i64> {
    impressions_of::table
        .filter(impressions_of::account_id.eq(account))
        .filter(impressions_of::whose.eq(whose))
        .filter(impressions_of::id.le(up_to))
        .filter(impressions_of::id.gt(page.after.as_deref().unwrap_or_default()))
        .count()
        .get_result(conn)
}

/// A page of the impressions behind `up_to`, filed or not.
fn unfiled(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &ImpressionFilter,
    up_to: Option<&ImpressionId>,
    page: &Page,
) -> QueryResult<Vec<Impression>> {
    on_each_database!(conn, |c| {
        let mut query = Impression::query()
            .filter(impressions::account_id.eq(account))
            .into_boxed();
        wanted!(query, program_id(), filter.program_id);
        wanted!(query, impressions::poster_id, filter.poster_id);
        wanted!(query, ambassador_id(), filter.ambassador_id);
        if let Some(up_to) = up_to {
            query = query.filter(impressions::id.gt(up_to));
        }
        paged!(query, impressions::id, page).load(c)
    })
}

/// How many of those a page passes over, newest first, before it is through with them.
fn count_unfiled(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &ImpressionFilter,
    up_to: &ImpressionId,
) -> QueryResult<i64> {
    on_each_database!(conn, |c| {
        let mut query = impressions::table
            .filter(impressions::account_id.eq(account))
            .filter(impressions::id.gt(up_to))
            .count()
            .into_boxed();
        wanted!(query, program_id(), filter.program_id);
        wanted!(query, impressions::poster_id, filter.poster_id);
        wanted!(query, ambassador_id(), filter.ambassador_id);
        query.get_result(c)
    })
}
