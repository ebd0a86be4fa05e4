//! The id in a path. Text that no id looks like names nothing, so it is the same 404 as an unknown id.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::app::App;
use crate::bounds::Belongs;
use crate::db::{DbConnection, QueryResult};
use crate::error::Error;
use crate::http::account::{Caller, Sees};
use crate::ids::{AccountId, Id};

/// `{id}` of the route.
pub struct PathId<T>(pub T);

impl<T: Id + Clone + Send + 'static> PathId<T> {
    /// What the account has under this id, looked up by its noun's `find`.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is nothing.
    pub async fn find<R: Send + 'static>(
        &self,
        app: &App,
        who: &impl Sees<R>,
        find: Find<T, R>,
    ) -> Result<R, Error> {
        let (account, id) = (*who.account(), self.0.clone());
        let found = app
            .db
            .read(move |conn| Ok(find(conn, &account, &id)?))
            .await?;
        found
            .filter(|row| who.sees(row))
            .ok_or(Error::NotFound(T::NOUN))
    }

    /// Whether the caller may change what has this id. Who may change everything is not asked; what is not there
    /// at all is the verb's to refuse.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not the caller's.
    pub async fn held_by<R: Belongs + Send + 'static>(
        &self,
        caller: &Caller,
        app: &App,
        find: Find<T, R>,
    ) -> Result<(), Error> {
        if caller.bounds.is_none() {
            return Ok(());
        }
        let row = self.find(app, caller, find).await?;
        match caller.owns(&row) {
            true => Ok(()),
            false => Err(Error::NotFound(T::NOUN)),
        }
    }
}

/// The `find` of a noun's queries.
pub type Find<T, R> = fn(&mut DbConnection, &AccountId, &T) -> QueryResult<Option<R>>;

impl<T: Id> FromRequest for PathId<T> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("id").and_then(T::from_outside);
        ready(id.map(Self).ok_or(Error::NotFound(T::NOUN)))
    }
}
