//! What a customer who brings others has.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::invitations;
use crate::ids::{AccountId, AmbassadorId, CustomerId, PosterId, ProgramId};
use crate::posters::model::PosterCode;

/// A customer's ambassador record and link in the customer program.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = invitations, treat_none_as_default_value = false)]
pub struct Invitation {
    /// In whose account.
    pub account_id: AccountId,
    /// Whose.
    pub customer_id: CustomerId,
    /// The customer program.
    pub program_id: ProgramId,
    /// What is earned by bringing others is this ambassador's.
    pub ambassador_id: AmbassadorId,
    /// A poster that is never printed.
    pub poster_id: PosterId,
    /// When it was first needed.
    pub created_at: Timestamp,
}

/// An invitation and the code of its link.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Whose.
    pub invitation: Invitation,
    /// What the link ends with.
    pub code: PosterCode,
    /// Whether it was made just now.
    pub is_new: bool,
}
