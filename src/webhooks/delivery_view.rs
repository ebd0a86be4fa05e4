//! A delivery, and an attempt, as `/api/v1` shows them.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Delivery, DeliveryStatus};
use super::send::Attempt;
use crate::clock::Timestamp;
use crate::events::model::EventKind;
use crate::http::answer::list_of;
use crate::ids::EventId;

/// What became of an event at an endpoint, as of the last attempt.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery, example = json!({
    "id": "evt_gshepmx6o000000000sy", "type": "referral.created", "status": "pending", "attempts": 2, "last_status": 500,
    "last_error": "answered 500", "excerpt": "Internal Server Error", "took_ms": 31, "first_at": "2024-01-15T10:30:00Z",
    "last_at": "2024-01-15T10:30:05Z", "next_at": "2024-01-15T10:35:05Z"
}))]
pub struct DeliveryView {
    /// The event's id, which is the header `webhook-id` of every attempt.
    pub id: EventId,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// What became of it.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: i64,
    /// The status of the last answer; null: there was none.
    #[schema(required)]
    pub last_status: Option<i64>,
    /// Why the last attempt failed; null: it did not.
    #[schema(required)]
    pub last_error: Option<String>,
    /// The first 1,000 characters of the last answer.
    #[schema(required)]
    pub excerpt: Option<String>,
    /// How many milliseconds the last attempt took.
    pub took_ms: i64,
    /// When it was first tried.
    pub first_at: Timestamp,
    /// When it was last tried.
    pub last_at: Timestamp,
    /// When it is tried again.
    #[schema(required)]
    pub next_at: Option<Timestamp>,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.event_id,
            kind: delivery.kind,
            status: delivery.status,
            attempts: delivery.attempts,
            last_status: delivery.last_status,
            last_error: delivery.last_error,
            excerpt: delivery.excerpt,
            took_ms: delivery.took_ms,
            first_at: delivery.first_at,
            last_at: delivery.last_at,
            next_at: delivery.next_at,
        }
    }
}

list_of! {
    /// A page of an endpoint's deliveries.
    pub struct DeliveryList {
        /// The deliveries, oldest event first.
        pub deliveries: Vec<DeliveryView>
    }
}

/// What came of a test.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookTest, example = json!({
    "id": "evt_0h5m8k2q9sx7v3n1b6tz", "delivered": true, "status": 204, "error": null, "excerpt": null, "took_ms": 48
}))]
pub struct TestView {
    /// The header `webhook-id`. No event has this id.
    pub id: EventId,
    /// Whether the receiver answered with 2xx.
    pub delivered: bool,
    /// The status of the answer; null: there was none.
    #[schema(required)]
    pub status: Option<u16>,
    /// What went wrong; null: nothing.
    #[schema(required)]
    pub error: Option<String>,
    /// The first 1,000 characters of the answer.
    #[schema(required)]
    pub excerpt: Option<String>,
    /// How many milliseconds it took.
    pub took_ms: i64,
}

impl TestView {
    /// What came of sending the message with this id.
    pub fn of(id: EventId, attempt: Attempt) -> Self {
        Self {
            id,
            delivered: attempt.delivered(),
            status: attempt.status,
            error: attempt.error,
            excerpt: attempt.excerpt,
            took_ms: attempt.took_ms,
        }
    }
}
