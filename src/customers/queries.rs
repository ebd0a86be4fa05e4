//! Every statement about `customers`.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};

use super::model::{Customer, CustomerFilter};
use crate::db::page::{Order, Page, paged};
use crate::db::schema::customers;
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, CustomerId};
use crate::text::{ExternalId, IdempotencyKey};

/// The account's customer with this id.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &CustomerId,
) -> QueryResult<Option<Customer>> {
    Customer::query().find((account, id)).first(conn).optional()
}

/// The account's customers with these ids.
pub fn find_all(
    conn: &mut DbConnection,
    account: &AccountId,
    ids: Vec<CustomerId>,
) -> QueryResult<Vec<Customer>> {
    Customer::query()
        .filter(customers::account_id.eq(account))
        .filter(customers::id.eq_any(ids))
        .load(conn)
}

/// The account's customer, held until the transaction ends: nobody else changes it meanwhile.
pub fn find_to_change(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &CustomerId,
) -> QueryResult<Option<Customer>> {
    match conn {
        DbConnection::Postgres(c) => customers::table
            .find((account, id))
            .select(Customer::as_select())
            .for_no_key_update()
            .first(c)
            .optional(),
        DbConnection::Sqlite(_) => find(conn, account, id),
    }
}

/// The customer that an earlier request with this key made.
pub fn find_by_key(
    conn: &mut DbConnection,
    account: &AccountId,
    key: &IdempotencyKey,
) -> QueryResult<Option<Customer>> {
    Customer::query()
        .filter(customers::account_id.eq(account))
        .filter(customers::idempotency_key.eq(key))
        .first(conn)
        .optional()
}

/// The account's customers with these addresses, in lower case.
pub fn find_by_emails(
    conn: &mut DbConnection,
    account: &AccountId,
    folded: Vec<String>,
) -> QueryResult<Vec<Customer>> {
    Customer::query()
        .filter(customers::account_id.eq(account))
        .filter(customers::email_folded.eq_any(folded))
        .load(conn)
}

/// The account's customers with these names of the company's.
pub fn find_by_external_ids(
    conn: &mut DbConnection,
    account: &AccountId,
    ids: Vec<ExternalId>,
) -> QueryResult<Vec<Customer>> {
    Customer::query()
        .filter(customers::account_id.eq(account))
        .filter(customers::external_id.eq_any(ids))
        .load(conn)
}

/// A page of the account's customers.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &CustomerFilter,
    page: &Page,
) -> QueryResult<Vec<Customer>> {
    let mut query = Customer::query()
        .filter(customers::account_id.eq(account))
        .into_boxed();
    if let Some(email) = &filter.email {
        query = query.filter(customers::email_folded.eq(email.folded()));
    }
    if let Some(id) = &filter.external_id {
        query = query.filter(customers::external_id.eq(id.clone()));
    }
    paged!(query, customers::id, page).load(conn)
}

/// Stores new customers, as far as nothing of theirs is taken. How many that were.
pub fn insert_new(conn: &mut DbConnection, rows: &[Customer]) -> QueryResult<usize> {
    match conn {
        DbConnection::Postgres(c) => diesel::insert_into(customers::table)
            .values(rows)
            .on_conflict_do_nothing()
            .execute(c),
        DbConnection::Sqlite(c) => {
            let mut stored = 0;
            for row in rows {
                stored += diesel::insert_into(customers::table)
                    .values(row)
                    .on_conflict_do_nothing()
                    .execute(c)?;
            }
            Ok(stored)
        }
    }
}

/// Stores what changed of a customer. `false`: the address or the company's name is another customer's.
pub fn update(conn: &mut DbConnection, customer: &Customer) -> QueryResult<bool> {
    let updated = on_each_database!(conn, |c| diesel::update(
        customers::table.find((&customer.account_id, &customer.id))
    )
    .set((
        customers::email.eq(&customer.email),
        customers::email_folded.eq(&customer.email_folded),
        customers::name.eq(&customer.name),
        customers::phone.eq(&customer.phone),
        customers::external_id.eq(&customer.external_id),
        customers::metadata.eq(&customer.metadata),
        customers::updated_at.eq(customer.updated_at),
    ))
    .execute(c));
    match updated {
        Ok(_) => Ok(true),
        Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error),
    }
}
