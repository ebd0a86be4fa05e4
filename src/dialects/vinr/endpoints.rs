//! Endpoints that hear of events in VINR's words: found by VINR's ids, and what is done to them is noted as anywhere.

use actix_web::web;

use crate::acts::model::{Act, Action};
use crate::acts::note::{note, note_if_changed, note_if_new};
use crate::clock::Timestamp;
use crate::db::{DbConnection, QueryResult};
use crate::error::Error;
use crate::http::account::Account;
use crate::idempotency::Recorded;
use crate::ids::{AccountId, Id, WebhookEndpointId};
use crate::webhooks::create::create as make;
use crate::webhooks::edit::edit;
use crate::webhooks::model::{Dialect, Endpoint, EndpointChanges, NewEndpoint};
use crate::webhooks::queries;

/// `we_…` in the path, which is `whe_…` here.
pub struct Named(pub WebhookEndpointId);

impl Named {
    /// Reads it.
    pub fn of(path: &web::Path<String>) -> Result<Self, Error> {
        let ours = path.strip_prefix("we_").map(|rest| format!("whe_{rest}"));
        let id = ours.as_deref().and_then(WebhookEndpointId::from_outside);
        id.map(Self).ok_or(Error::NotFound(WebhookEndpointId::NOUN))
    }

    /// The endpoint, if there is one that speaks so.
    pub fn find(
        &self,
        conn: &mut DbConnection,
        account: &AccountId,
    ) -> QueryResult<Option<Endpoint>> {
        let found = queries::find(conn, account, &self.0)?;
        Ok(found.filter(|endpoint| endpoint.dialect == Dialect::Vinr))
    }

    /// The endpoint.
    pub fn must_find(
        &self,
        conn: &mut DbConnection,
        account: &AccountId,
    ) -> Result<Endpoint, Error> {
        let found = self.find(conn, account)?;
        found.ok_or(Error::NotFound(WebhookEndpointId::NOUN))
    }

    /// Changes it.
    pub fn update(
        &self,
        conn: &mut DbConnection,
        account: &Account,
        changes: &EndpointChanges,
        now: Timestamp,
    ) -> Result<Endpoint, Error> {
        let before = self.must_find(conn, &account.id)?;
        let after = edit(conn, &account.id, &self.0, changes, now)?;
        let act = act(account, Action::WebhookEndpointUpdated, &self.0, now);
        note_if_changed(conn, Some(&before), &after, &act)?;
        Ok(after)
    }

    /// Deletes it.
    pub fn delete(
        &self,
        conn: &mut DbConnection,
        account: &Account,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.must_find(conn, &account.id)?;
        queries::delete(conn, &account.id, &self.0)?;
        note(
            conn,
            &act(account, Action::WebhookEndpointDeleted, &self.0, now),
        )
    }
}

/// Makes one.
pub fn create(
    conn: &mut DbConnection,
    account: &Account,
    new: &NewEndpoint,
    now: Timestamp,
) -> Result<Endpoint, Error> {
    let recorded = make(conn, &account.id, new, now)?;
    note_if_new(conn, &recorded, |new| {
        act(account, Action::WebhookEndpointCreated, &new.id, now)
    })?;
    let (Recorded::New(endpoint) | Recorded::Replayed(endpoint)) = recorded;
    Ok(endpoint)
}

fn act(account: &Account, action: Action, id: &WebhookEndpointId, now: Timestamp) -> Act {
    Act::new(&account.id, Some(&account.key), action, id.as_str(), now)
}
