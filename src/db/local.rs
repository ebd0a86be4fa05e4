//! A connection of each thread's own, for short reads on SQLite: a look-up by key takes less time than handing
//! it to another thread and back.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::{DbConnection, pool};
use crate::error::Error;

thread_local! {
    static LOCALS: RefCell<HashMap<Arc<str>, DbConnection>> = RefCell::default();
}

/// Runs `work` here and now on this thread's connection to `url`, which is opened at the first call.
pub(super) fn read<T>(
    url: &Arc<str>,
    work: impl FnOnce(&mut DbConnection) -> Result<T, Error>,
) -> Result<T, Error> {
    // Taken out for the time of the work: if it panics, the connection goes with it.
    let kept = LOCALS.with_borrow_mut(|locals| locals.remove(url));
    let mut conn = match kept {
        Some(conn) => conn,
        None => pool::open_reader(url).map_err(|error| Error::Unavailable(error.to_string()))?,
    };
    let outcome = work(&mut conn);
    LOCALS.with_borrow_mut(|locals| locals.insert(Arc::clone(url), conn));
    outcome
}
