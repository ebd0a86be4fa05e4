//! An impression as `/api/v1` shows it.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::Impression;
use crate::clock::Timestamp;
use crate::ids::{AmbassadorId, ImpressionId, PosterId, ProgramId};
use crate::metadata::Metadata;
use crate::text::{Line, Paragraph};

/// One scan of one poster.
#[derive(Serialize, ToSchema)]
#[schema(as = Impression, example = json!({
    "id": "imp_123abc", "poster_id": "poster_123abc", "program_id": "prog_123abc", "student_id": "user_123abc",
    "scanned_at": "2024-01-15T10:25:00Z", "user_agent": "Mozilla/5.0 (iPhone)", "ip_address": "203.0.113.9",
    "metadata": {"device_type": "mobile", "referrer": "direct"}
}))]
pub struct ImpressionView {
    /// `imp_…`; what a signup sends as `impression_id`.
    pub id: ImpressionId,
    /// What was scanned.
    pub poster_id: PosterId,
    /// The poster's program.
    pub program_id: ProgramId,
    /// The poster's ambassador.
    pub student_id: AmbassadorId,
    /// When.
    pub scanned_at: Timestamp,
    /// What the phone called itself.
    #[schema(required)]
    pub user_agent: Option<Paragraph>,
    /// Where the phone was in the network.
    #[schema(required)]
    pub ip_address: Option<Line>,
    /// Your own; a scan at our own address leaves `device_type` and `referrer`.
    pub metadata: Metadata,
}

impl From<Impression> for ImpressionView {
    fn from(impression: Impression) -> Self {
        Self {
            id: impression.id,
            poster_id: impression.poster_id,
            program_id: impression.program_id,
            student_id: impression.ambassador_id,
            scanned_at: impression.scanned_at,
            user_agent: impression.user_agent,
            ip_address: impression.ip_address,
            metadata: impression.metadata,
        }
    }
}
