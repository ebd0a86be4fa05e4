//! How much of what comes is let in at the same time: connections, and requests of one key.

use super::connections::Connections;
use super::share::Shares;
use crate::config::Limits;

/// What is let in. Cheap to clone; clones share.
#[derive(Clone)]
pub struct Admission {
    /// The open connections.
    pub connections: Connections,
    /// What each key has on its way, if that has a limit.
    pub shares: Option<Shares>,
}

impl Admission {
    /// Nothing yet, and no more than the settings say.
    pub fn within(limits: &Limits) -> Self {
        Self {
            connections: Connections::at_most(limits.connections),
            shares: limits.key_concurrency.map(Shares::of),
        }
    }
}
