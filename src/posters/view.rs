//! A poster as `/api/v1` shows it.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Poster, PosterCode, PosterStatus};
use crate::clock::Timestamp;
use crate::ids::{AmbassadorId, PosterId, ProgramId};
use crate::metadata::Metadata;
use crate::text::{Line, WebUrl};

/// One sheet of paper on one wall.
#[derive(Serialize, ToSchema)]
#[schema(as = Poster, example = json!({
    "id": "poster_123abc", "program_id": "prog_123abc", "student_id": "user_123abc", "code": "K7QX4MPDCT",
    "scan_url": "http://localhost:3000/q/K7QX4MPDCT", "qr_code_url": "http://localhost:3000/qr/K7QX4MPDCT.png",
    "location": "Library, first floor", "landing_url": null, "status": "active",
    "created_at": "2024-01-10T09:00:00Z", "updated_at": "2024-01-10T09:00:00Z", "metadata": {"poster_type": "standard"}
}))]
pub struct PosterView {
    /// `poster_…`
    pub id: PosterId,
    /// The program it promotes.
    pub program_id: ProgramId,
    /// Who hung it.
    pub student_id: AmbassadorId,
    /// What is printed on it: short, and without characters that look alike.
    pub code: PosterCode,
    /// What the QR code says.
    #[schema(format = "uri")]
    pub scan_url: String,
    /// The QR code as a PNG, without a key; the same with `.svg` at the end is a vector image.
    #[schema(format = "uri")]
    pub qr_code_url: String,
    /// Where it hangs.
    #[schema(required)]
    pub location: Option<Line>,
    /// Where its scans lead, if not where the program's lead.
    #[schema(required)]
    pub landing_url: Option<WebUrl>,
    /// Whether it leads anywhere.
    pub status: PosterStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Your own.
    pub metadata: Metadata,
}

impl PosterView {
    /// The poster as it is seen from a server reachable at `public_url`.
    pub fn new(poster: Poster, public_url: &str) -> Self {
        Self {
            scan_url: poster.code.scan_url(public_url),
            qr_code_url: format!("{public_url}/qr/{}.png", poster.code.as_str()),
            id: poster.id,
            program_id: poster.program_id,
            student_id: poster.ambassador_id,
            code: poster.code,
            location: poster.location,
            landing_url: poster.landing_url,
            status: poster.status,
            created_at: poster.created_at,
            updated_at: poster.updated_at,
            metadata: poster.metadata,
        }
    }
}
