//! An event as `/api/v1` shows it, and as webhooks send it.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::model::{Event, EventKind};
use crate::clock::Timestamp;
use crate::ids::EventId;

/// Something that happened.
#[derive(Serialize, ToSchema)]
#[schema(as = Event, example = json!({
    "id": "evt_gskwtd4u8000000003mv", "type": "referral.verified", "sequence": 4711, "object_id": "ref_123abc",
    "previous_status": "converted", "created_at": "2024-01-18T14:45:00Z",
    "data": {"id": "ref_123abc", "status": "verified"}
}))]
pub struct EventView {
    /// `evt_…`; the same for every delivery.
    pub id: EventId,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// Its place among your events: 1, 2, 3 …, without a gap.
    #[schema(minimum = 1)]
    pub sequence: i64,
    /// What it happened to.
    pub object_id: String,
    /// Where that stood before, if a status moved.
    #[schema(required)]
    pub previous_status: Option<String>,
    /// When it happened.
    pub created_at: Timestamp,
    /// The whole object as it was then, as you would have got it.
    #[schema(value_type = Object)]
    pub data: Box<RawValue>,
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        Self {
            id: event.id(),
            kind: event.kind,
            sequence: event.sequence,
            object_id: event.object_id,
            previous_status: event.previous_status,
            created_at: event.created_at,
            // It was checked when it was stored.
            data: RawValue::from_string(event.data).unwrap_or_default(),
        }
    }
}
