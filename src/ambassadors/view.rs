//! An ambassador as `/api/v1` shows one.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::Ambassador;
use crate::clock::Timestamp;
use crate::http::answer::list_of;
use crate::ids::{AmbassadorId, ProgramId};
use crate::metadata::Metadata;
use crate::text::{EmailAddress, Name, WebUrl};

/// An ambassador.
#[derive(Serialize, ToSchema)]
#[schema(as = User, example = json!({
    "id": "user_123abc", "first_name": "Alice", "last_name": "Example", "email": "alice@example.com",
    "program_id": "prog_123abc", "profile_picture": null, "created_at": "2024-01-10T09:00:00Z",
    "updated_at": "2024-01-10T09:00:00Z", "metadata": {"major": "Biology"}
}))]
pub struct UserView {
    /// `user_…`; other objects call it `student_id`.
    pub id: AmbassadorId,
    /// First name.
    pub first_name: Name,
    /// Last name.
    pub last_name: Name,
    /// Address.
    pub email: EmailAddress,
    /// The program promoted.
    pub program_id: ProgramId,
    /// Where a picture is.
    #[schema(required)]
    pub profile_picture: Option<WebUrl>,
    /// When the ambassador enrolled.
    pub created_at: Timestamp,
    /// When anything last changed.
    pub updated_at: Timestamp,
    /// Your own.
    pub metadata: Metadata,
}

impl From<Ambassador> for UserView {
    fn from(ambassador: Ambassador) -> Self {
        Self {
            id: ambassador.id,
            first_name: ambassador.first_name,
            last_name: ambassador.last_name,
            email: ambassador.email,
            program_id: ambassador.program_id,
            profile_picture: ambassador.profile_picture,
            created_at: ambassador.created_at,
            updated_at: ambassador.updated_at,
            metadata: ambassador.metadata,
        }
    }
}

list_of! {
    /// A page of ambassadors.
    pub struct UserList {
        /// The ambassadors, oldest first.
        pub users: Vec<UserView>
    }
}
