//! Who is calling. `api_keys::authenticate` finds it out; handlers take it as an argument, and every query
//! starts from it.
//!
//! A handler that takes an [`Account`] serves whole accounts only: a key that is bound to a program or an ambassador
//! is refused before the handler runs. One that takes a [`Caller`] serves bound keys too, and owes them the bounds.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use crate::app::App;
use crate::bounds::{Belongs, Bounds};
use crate::error::Error;
use crate::http::path::Find;
use crate::idempotency::{Keyed, Recorded, reused};
use crate::ids::{AccountId, ApiKeyId, Id};

/// The account a request acts for, and the key it came with.
#[derive(Debug, Clone)]
pub struct Account {
    /// The tenant.
    pub id: AccountId,
    /// The key, for the history of who did what.
    pub key: ApiKeyId,
}

/// An account, or the part of it that the key is bound to.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The tenant.
    pub id: AccountId,
    /// The key, for the history of who did what.
    pub key: ApiKeyId,
    /// The part of the account; none: all of it.
    pub bounds: Option<Arc<Bounds>>,
}

/// Who may look for rows.
pub trait Sees<R> {
    /// Whose rows.
    fn account(&self) -> &AccountId;

    /// Whether this row of the account is shown.
    fn sees(&self, row: &R) -> bool;
}

impl<R> Sees<R> for Account {
    fn account(&self) -> &AccountId {
        &self.id
    }

    fn sees(&self, _: &R) -> bool {
        true
    }
}

impl<R: Belongs> Sees<R> for Caller {
    fn account(&self) -> &AccountId {
        &self.id
    }

    fn sees(&self, row: &R) -> bool {
        self.bounds.as_ref().is_none_or(|bounds| bounds.show(row))
    }
}

impl Caller {
    /// Whether the caller may change this row of the account, or make something below it.
    pub fn owns(&self, row: &impl Belongs) -> bool {
        self.bounds.as_ref().is_none_or(|bounds| bounds.hold(row))
    }

    /// Whether the key is bound to one ambassador.
    pub fn is_one_ambassadors(&self) -> bool {
        let bounds = self.bounds.as_ref();
        bounds.is_some_and(|bounds| bounds.ambassador.is_some())
    }

    /// What a create has made or found: who repeats the key of something outside the bounds is told nothing about it.
    ///
    /// # Errors
    /// [`Error::Conflict`], as for a key that was used for something else.
    pub fn given<R: Belongs + Keyed>(&self, recorded: Recorded<R>) -> Result<Recorded<R>, Error> {
        match recorded {
            Recorded::Replayed(row) if !self.sees(&row) => Err(reused(R::WHAT)),
            recorded => Ok(recorded),
        }
    }

    /// Refuses an id in a body that names nothing within the bounds, in the words for an id that names nothing. What
    /// is not there at all is the verb's to refuse.
    ///
    /// # Errors
    /// [`Error::Invalid`]
    pub async fn admit<T, R>(
        &self,
        app: &App,
        field: &str,
        id: &T,
        find: Find<T, R>,
    ) -> Result<(), Error>
    where
        T: Id + Clone + Send + 'static,
        R: Belongs + Send + 'static,
    {
        match self.reaches(app, id, find).await? {
            true => Ok(()),
            false => Err(Error::no_such(field, T::NOUN)),
        }
    }

    /// Whether what has this id is the caller's. Who may change everything is not asked.
    ///
    /// # Errors
    /// The database's.
    pub async fn reaches<T, R>(&self, app: &App, id: &T, find: Find<T, R>) -> Result<bool, Error>
    where
        T: Id + Clone + Send + 'static,
        R: Belongs + Send + 'static,
    {
        if self.bounds.is_none() {
            return Ok(true);
        }
        let (account, wanted) = (self.id, id.clone());
        let found = app
            .db
            .read(move |conn| Ok(find(conn, &account, &wanted)?))
            .await?;
        Ok(found.is_some_and(|row| self.owns(&row)))
    }
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request))
    }
}

impl FromRequest for Account {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request).and_then(|caller| match caller.bounds {
            None => Ok(Self {
                id: caller.id,
                key: caller.key,
            }),
            Some(_) => Err(Error::out_of_bounds()),
        }))
    }
}

fn caller(request: &HttpRequest) -> Result<Caller, Error> {
    let caller = request.extensions().get::<Caller>().cloned();
    caller.ok_or(Error::Unauthorized)
}
