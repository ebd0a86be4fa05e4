//! What Joy shows.

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::coupons::model::{Coupon, CouponCode};
use crate::customers::model::Customer;
use crate::ids::{CustomerId, ReferralId};
use crate::introductions::model::Introduction;
use crate::invitations::model::Link;
use crate::posters::model::PosterCode;
use crate::referrals::model::{Referral, ReferralStatus};
use crate::text::EmailAddress;

/// A moment with its milliseconds, in UTC.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2024-01-15T10:30:00.250Z")]
pub struct Millis(pub Timestamp);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seconds = self.0.to_string();
        let millis = self.0.micros().rem_euclid(1_000_000) / 1000;
        let text = format_args!("{}.{millis:03}Z", seconds.trim_end_matches('Z')).to_string();
        serializer.serialize_str(&text)
    }
}

/// What every success is put into.
#[derive(Serialize, ToSchema)]
pub struct JoyAnswer<T> {
    /// True.
    pub success: bool,
    /// What was asked for.
    pub data: T,
    /// How much of it there is, of a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub meta: Option<JoyMeta>,
    /// A sentence for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<&'static str>,
    /// When it was answered.
    pub timestamp: Millis,
}

/// What is said about a list.
#[derive(Serialize, ToSchema)]
pub struct JoyMeta {
    /// How many there are.
    pub count: usize,
}

impl<T> JoyAnswer<T> {
    /// The success at `at`.
    pub fn new(data: T, at: Timestamp) -> Self {
        Self {
            success: true,
            data,
            meta: None,
            message: None,
            timestamp: Millis(at),
        }
    }
}

impl<T> JoyAnswer<Vec<T>> {
    /// A whole list at `at`.
    pub fn list(data: Vec<T>, at: Timestamp) -> Self {
        let meta = Some(JoyMeta { count: data.len() });
        Self {
            meta,
            ..Self::new(data, at)
        }
    }
}

/// A customer's personal link.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "inviteLink": "http://localhost:3000/q/K7QX4MPDCT", "referralCode": "K7QX4MPDCT" }))]
#[serde(rename_all = "camelCase")]
pub struct JoyInvitation {
    /// What the customer sends to others.
    #[schema(format = "uri")]
    pub invite_link: String,
    /// What the link ends with; always the same one of this customer.
    pub referral_code: PosterCode,
}

impl JoyInvitation {
    /// The link as Joy shows it.
    pub fn new(link: Link, public_url: &str) -> Self {
        Self {
            invite_link: link.code.scan_url(public_url),
            referral_code: link.code,
        }
    }
}

/// What has become of a friend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JoyStatus {
    /// The friend has signed up.
    PendingReferral,
    /// The friend has bought something, and who brought the friend has the reward.
    CompleteReferral,
    /// The signup was rejected.
    CancelReferral,
}

/// Who brought a customer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "ref_123abc", "referralCustomerEmail": "ines@example.com", "email": "m*****o@example.com",
    "couponCode": "JOY-4XN8Q2WD7KTL", "customerId": "cust_0h5m8k2q9sx7v3n1b6tz",
    "statusReferral": "complete_referral", "createdAt": "2024-01-15T10:30:00.250Z",
    "updatedAt": "2024-01-17T08:00:00.004Z"
}))]
pub struct JoyReferrer {
    /// The referral, `ref_…`
    pub id: ReferralId,
    /// The address of who brought the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub referral_customer_email: Option<EmailAddress>,
    /// The customer's own address as given at the signup, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "m*****o@example.com")]
    pub email: Option<String>,
    /// What the customer got for it, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub coupon_code: Option<CouponCode>,
    /// Who brought the customer.
    pub customer_id: CustomerId,
    /// What has become of it.
    pub status_referral: JoyStatus,
    /// When the customer signed up.
    pub created_at: Millis,
    /// When anything about it last changed.
    pub updated_at: Millis,
}

impl JoyReferrer {
    /// An introduction as Joy shows it, with its signup.
    pub fn new(
        introduction: Introduction,
        signup: &Referral,
        referrer: Option<Customer>,
        coupon: Option<Coupon>,
    ) -> Self {
        let used = coupon.as_ref().and_then(|coupon| coupon.used_at);
        let moments = [
            Some(signup.updated_at),
            introduction.qualified_at,
            introduction.rewarded_at,
            used,
        ];
        let last = moments.into_iter().flatten().max();
        let status = match (signup.status, introduction.qualified_at) {
            (ReferralStatus::Rejected, _) => JoyStatus::CancelReferral,
            (_, Some(_)) => JoyStatus::CompleteReferral,
            (_, None) => JoyStatus::PendingReferral,
        };
        Self {
            id: introduction.referral_id,
            referral_customer_email: referrer
                .filter(|customer| !customer.is_erased())
                .map(|customer| customer.email),
            email: (!signup.is_erased()).then(|| masked(&signup.email)),
            coupon_code: coupon.map(|coupon| coupon.code),
            customer_id: introduction.referrer_id,
            status_referral: status,
            created_at: Millis(introduction.created_at),
            updated_at: Millis(last.unwrap_or(introduction.created_at)),
        }
    }
}

/// First and last letter of what stands before the `@`, and as many stars for every name.
fn masked(address: &EmailAddress) -> String {
    let (name, host) = address.as_str().rsplit_once('@').unwrap_or_default();
    let mut letters = name.chars();
    // A name of one or two letters would be all there.
    let (first, last) = match name.chars().count() {
        0..=2 => (letters.next(), None),
        _ => (letters.next(), letters.next_back()),
    };
    let part = |letter: Option<char>| letter.map(String::from).unwrap_or_default();
    format!("{}*****{}@{host}", part(first), part(last))
}

/// What a customer's referrals have come to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "totalRedeemCoupon": 3, "totalPointEarnRefer": 1500 }))]
pub struct JoySummary {
    /// How many coupons were used by those whom the customer brought.
    #[schema(minimum = 0)]
    pub total_redeem_coupon: i64,
    /// How many points the customer got for it, without those taken back.
    #[schema(minimum = 0)]
    pub total_point_earn_refer: i64,
}

/// What all referrals have come to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({ "countCouponCodeUsage": 42 }))]
pub struct JoyAnalytics {
    /// How many coupons were used.
    #[schema(minimum = 0)]
    pub count_coupon_code_usage: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Parse;

    #[test]
    fn addresses_are_masked_whatever_their_length() {
        for (address, expected) in [
            ("marco@example.com", "m*****o@example.com"),
            ("mia@example.com", "m*****a@example.com"),
            ("al@example.com", "a*****@example.com"),
            ("a@example.com", "a*****@example.com"),
        ] {
            assert_eq!(masked(&EmailAddress::parse(address).unwrap()), expected);
        }
    }

    #[test]
    fn milliseconds_are_three_digits() {
        let at = Millis(Timestamp::from_micros(1_705_314_600_004_999));
        let text = serde_json::to_string(&at).unwrap();
        assert_eq!(text, r#""2024-01-15T10:30:00.004Z""#);
    }
}
