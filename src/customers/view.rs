//! A customer as `/api/v1` shows it.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::Customer;
use crate::clock::Timestamp;
use crate::ids::CustomerId;
use crate::metadata::Metadata;
use crate::text::{EmailAddress, ExternalId, Name, Phone};

/// A person you know, who may bring others and be brought.
#[derive(Serialize, ToSchema)]
#[schema(as = Customer, example = json!({
    "id": "cust_0h5m8k2q9sx7v3n1b6tz", "email": "ines@example.com", "name": "Ines Duarte", "phone": "+351910000000",
    "external_id": "customer_8731", "created_at": "2024-01-10T09:00:00Z", "updated_at": "2024-01-10T09:00:00Z",
    "metadata": {}
}))]
pub struct CustomerView {
    /// `cust_…`
    pub id: CustomerId,
    /// Address; no other customer has it.
    pub email: EmailAddress,
    /// Name.
    #[schema(required)]
    pub name: Option<Name>,
    /// Telephone number.
    #[schema(required)]
    pub phone: Option<Phone>,
    /// Your own name for the person; no other customer has it.
    #[schema(required)]
    pub external_id: Option<ExternalId>,
    /// When the customer became known.
    pub created_at: Timestamp,
    /// When anything last changed.
    pub updated_at: Timestamp,
    /// Your own.
    pub metadata: Metadata,
}

impl From<Customer> for CustomerView {
    fn from(customer: Customer) -> Self {
        Self {
            id: customer.id,
            email: customer.email,
            name: customer.name,
            phone: customer.phone,
            external_id: customer.external_id,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
            metadata: customer.metadata,
        }
    }
}
