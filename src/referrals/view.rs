//! A referral as `/api/v1` shows it.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Referral, ReferralStatus};
use crate::clock::Timestamp;
use crate::ids::{AmbassadorId, ImpressionId, ProgramId, ReferralId};
use crate::metadata::Metadata;
use crate::text::{EmailAddress, ExternalId, Name, WebUrl};

/// One signup.
#[derive(Serialize, ToSchema)]
#[schema(as = Referral, example = json!({
    "id": "ref_789ghi", "impression_id": "imp_123abc", "first_name": "John", "last_name": "Doe",
    "email": "john.doe@example.com", "profile_picture": null, "status": "pending", "program_id": "prog_123abc",
    "student_id": "user_123abc", "created_at": "2024-01-15T10:30:00Z", "verified_at": null,
    "updated_at": "2024-01-15T10:30:00Z", "metadata": {"source": "poster_qr_code"}
}))]
pub struct ReferralView {
    /// `ref_…`
    pub id: ReferralId,
    /// The scan that led to it.
    pub impression_id: ImpressionId,
    /// First name.
    pub first_name: Name,
    /// Last name.
    pub last_name: Name,
    /// Address.
    pub email: EmailAddress,
    /// Where a picture is.
    #[schema(required)]
    pub profile_picture: Option<WebUrl>,
    /// Your own name for the person; only there if you gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    /// Where it stands.
    pub status: ReferralStatus,
    /// The impression's program.
    pub program_id: ProgramId,
    /// The impression's ambassador.
    pub student_id: AmbassadorId,
    /// When the signup was recorded.
    pub created_at: Timestamp,
    /// When it was verified.
    #[schema(required)]
    pub verified_at: Option<Timestamp>,
    /// When anything last changed.
    pub updated_at: Timestamp,
    /// Your own.
    pub metadata: Metadata,
}

impl From<Referral> for ReferralView {
    fn from(referral: Referral) -> Self {
        Self {
            id: referral.id,
            impression_id: referral.impression_id,
            first_name: referral.first_name,
            last_name: referral.last_name,
            email: referral.email,
            profile_picture: referral.profile_picture,
            external_id: referral.external_id,
            status: referral.status,
            program_id: referral.program_id,
            student_id: referral.ambassador_id,
            created_at: referral.created_at,
            verified_at: referral.verified_at,
            updated_at: referral.updated_at,
            metadata: referral.metadata,
        }
    }
}
