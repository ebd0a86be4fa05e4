//! An act.

use diesel::prelude::*;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::db::columns::text_enum;
use crate::db::schema::acts;
use crate::ids::{AccountId, ActId, ApiKeyId, ObjectId, Wanted};

text_enum! {
    /// What can be done.
    pub enum Action {
        /// A referral was decided or corrected.
        ReferralUpdated = "referral.updated",
        /// What is personal about a signup was removed.
        ReferralErased = "referral.erased",
        /// A program was made.
        ProgramCreated = "program.created",
        /// A program was edited.
        ProgramUpdated = "program.updated",
        /// A program pays by another rule from now on.
        RulePublished = "rule.published",
        /// Somebody became an ambassador.
        UserCreated = "user.created",
        /// An ambassador was edited.
        UserUpdated = "user.updated",
        /// What is personal about an ambassador was removed.
        UserErased = "user.erased",
        /// What is personal about a customer was removed.
        CustomerErased = "customer.erased",
        /// A poster was made.
        PosterCreated = "poster.created",
        /// A poster moved, leads elsewhere, was retired or put back up.
        PosterUpdated = "poster.updated",
        /// An earning was corrected or moved by hand.
        EarningUpdated = "earning.updated",
        /// What is due was collected into payouts.
        PayoutsCollected = "payouts.collected",
        /// It was said what became of a payout.
        PayoutUpdated = "payout.updated",
        /// Somewhere gets events now.
        WebhookEndpointCreated = "webhook_endpoint.created",
        /// It gets others, or elsewhere, or none.
        WebhookEndpointUpdated = "webhook_endpoint.updated",
        /// It has another secret.
        WebhookEndpointSecretRotated = "webhook_endpoint.secret_rotated",
        /// It gets events once more.
        WebhookEndpointReplayed = "webhook_endpoint.replayed",
        /// It gets none any more.
        WebhookEndpointDeleted = "webhook_endpoint.deleted",
        /// A key was made.
        KeyCreated = "key.created",
        /// Another key was put in the place of one.
        KeyRotated = "key.rotated",
        /// A key was ended.
        KeyRevoked = "key.revoked",
        /// The account was opened.
        AccountCreated = "account.created",
        /// Its days begin at another time.
        AccountUpdated = "account.updated",
        /// The account was written down in a file.
        AccountExported = "account.exported",
        /// The account came from elsewhere.
        AccountImported = "account.imported",
    }
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = acts, treat_none_as_default_value = false)]
pub struct Act {
    /// To whose things.
    pub account_id: AccountId,
    /// `act_…`
    pub id: ActId,
    /// What.
    pub action: Action,
    /// To what.
    pub object_id: String,
    /// With which key; none: at the command line.
    pub acted_by: Option<ApiKeyId>,
    /// More about it, as a JSON object. Never anything personal.
    pub details: String,
    /// When.
    pub created_at: Timestamp,
}

impl Act {
    /// `action` was done to the account's object, with the key `by`.
    pub fn new(
        account: &AccountId,
        by: Option<&ApiKeyId>,
        action: Action,
        object_id: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            account_id: *account,
            id: ActId::new(now),
            action,
            object_id: object_id.to_owned(),
            acted_by: by.cloned(),
            details: "{}".to_owned(),
            created_at: now,
        }
    }

    /// The same, with this said about it: an object without anything personal in it.
    #[must_use]
    pub fn saying(mut self, details: &Value) -> Self {
        self.details = details.to_string();
        self
    }
}

/// Which acts.
#[derive(Debug, Clone)]
pub struct ActFilter {
    /// Only of this kind.
    pub action: Option<Action>,
    /// Only those done to this.
    pub object_id: Option<Wanted<ObjectId>>,
    /// Only those done with this key.
    pub acted_by: Option<Wanted<ApiKeyId>>,
    /// Only those done then or later.
    pub from: Option<Timestamp>,
    /// Only those done before.
    pub to: Option<Timestamp>,
}
