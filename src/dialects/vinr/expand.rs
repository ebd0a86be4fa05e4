//! `expand`: which ids of an answer are to be objects.

use serde_json::Value;
use utoipa::ToSchema;

use crate::http::fields::FieldValue;
use crate::parse::Complaint;

/// Paths as they were sent: one, or an array of them.
#[derive(Debug, Clone, ToSchema)]
#[schema(value_type = Vec<String>, example = json!(["referrer_customer"]))]
pub struct Paths(Vec<String>);

/// As long as no path is longer, no list of them need be.
const MOST: usize = 20;

impl FieldValue for Paths {
    fn from_value(value: Value) -> Result<Self, Complaint> {
        let text = |value| match value {
            Value::String(path) => Some(path),
            _ => None,
        };
        let paths = match value {
            Value::Array(items) => items.into_iter().map(text).collect(),
            one => text(one).map(|path| vec![path]),
        };
        match paths {
            Some(paths) if paths.len() <= MOST => Ok(Self(paths)),
            _ => Err(Complaint::wrong_type("an array of at most 20 paths")),
        }
    }
}

/// Which customers of a referral are to be objects.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expand {
    /// The one who brought the other.
    pub referrer: bool,
    /// The other.
    pub referred: bool,
}

impl Expand {
    /// Reads paths; `is_list`: they may begin with `data.`, where the referrals are.
    ///
    /// # Errors
    /// There is no such path.
    pub fn referral(paths: Option<&Paths>, is_list: bool) -> Result<Self, Complaint> {
        let mut expand = Self::default();
        for path in paths.iter().flat_map(|paths| &paths.0) {
            let inner = path.strip_prefix("data.").filter(|_| is_list);
            // A customer's payment method is always null, and null it stays.
            let inner = inner.unwrap_or(path);
            let customer = inner.strip_suffix(".default_payment_method");
            match customer.unwrap_or(inner) {
                "referrer_customer" => expand.referrer = true,
                "referred_customer" => expand.referred = true,
                _ => return Err(unknown()),
            }
        }
        Ok(expand)
    }

    /// Reads the paths of a customer, which has only one.
    ///
    /// # Errors
    /// There is no such path.
    pub fn customer(paths: Option<&Paths>, is_list: bool) -> Result<(), Complaint> {
        let known = |path: &&String| {
            let inner = path.strip_prefix("data.").filter(|_| is_list);
            inner.unwrap_or(path) == "default_payment_method"
        };
        let mut all = paths.iter().flat_map(|paths| &paths.0);
        match all.find(|path| !known(path)) {
            None => Ok(()),
            Some(_) => Err(unknown()),
        }
    }
}

fn unknown() -> Complaint {
    Complaint::new(
        "unknown_path",
        "must name what can be expanded here, such as referrer_customer",
    )
}
