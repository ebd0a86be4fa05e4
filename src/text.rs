//! The texts people type: names, e-mail addresses, URLs, notes. Each type is a promise about what is in it.

use std::fmt;

use compact_str::CompactString;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use serde::Serialize;
use url::{Host, Url};
use utoipa::ToSchema;
use validator::ValidateEmail;

use crate::db::columns::stored_as_text;
use crate::parse::{Complaint, Parse, is_invisible};

/// A name: 1–255 characters once trimmed, something to be seen among them, no control characters.
#[derive(Clone, PartialEq, Eq, Serialize, AsExpression, FromSqlRow, ToSchema)]
#[diesel(sql_type = Text)]
#[schema(value_type = String, min_length = 1, max_length = 255, example = "John")]
pub struct Name(CompactString);

impl Parse for Name {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let name = bounded(text.trim(), 255)?;
        if name.chars().all(is_invisible) {
            return Err(Complaint::new("blank", "must not be blank"));
        }
        if name.chars().any(char::is_control) {
            return Err(Complaint::new(
                "control_character",
                "must not contain control characters",
            ));
        }
        Ok(Self(name.into()))
    }
}

impl Name {
    /// What stands where somebody has no name.
    pub fn dash() -> Self {
        Self(CompactString::const_new("-"))
    }

    /// First and last name as one; cut to the limit.
    pub fn whole(first: &Self, last: &Self) -> Self {
        let both = format!("{} {}", first.0, last.0);
        Self(both.chars().take(255).collect())
    }
}

/// An e-mail address by HTML's rule, at most 254 characters, kept in the spelling it came in.
#[derive(Clone, PartialEq, Eq, Serialize, AsExpression, FromSqlRow, ToSchema)]
#[diesel(sql_type = Text)]
#[schema(value_type = String, format = Email, max_length = 254, example = "john.doe@example.com")]
pub struct EmailAddress(CompactString);

impl EmailAddress {
    /// The spelling to compare by: upper and lower case are the same person, and so are the spellings of one domain
    /// (UTS #46: `müller.example` is `xn--mller-kva.example`).
    pub fn folded(&self) -> String {
        let text = self.0.as_str();
        match text.rsplit_once('@').filter(|_| !text.is_ascii()) {
            None => text.to_lowercase(),
            Some((local, domain)) => {
                let host = Host::parse(domain).map(|host| host.to_string());
                let domain = host.unwrap_or_else(|_| domain.to_lowercase());
                format!("{}@{domain}", local.to_lowercase())
            }
        }
    }
}

impl Parse for EmailAddress {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let address = bounded(text.trim(), 254)?;
        // HTML's rule lets dots stand anywhere before the @; mail does not.
        let local = address.rsplit_once('@').map_or("", |(local, _)| local);
        let dotted = local.starts_with('.') || local.ends_with('.') || local.contains("..");
        if dotted || address.contains(is_invisible) || !address.validate_email() {
            return Err(Complaint::new(
                "invalid_email",
                "must be a valid e-mail address",
            ));
        }
        Ok(Self(address.into()))
    }
}

/// A telephone number as E.164 has it: `+` and 2 to 15 digits. Blanks, hyphens, dots and brackets are left out.
#[derive(Clone, PartialEq, Eq, Serialize, AsExpression, FromSqlRow, ToSchema)]
#[diesel(sql_type = Text)]
#[schema(value_type = String, pattern = r"^\+[1-9][0-9]{1,14}$", example = "+351910000000")]
pub struct Phone(CompactString);

impl Parse for Phone {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let typed = |c: char| matches!(c, ' ' | '-' | '.' | '(' | ')');
        let number: CompactString = text.chars().filter(|c| !typed(*c)).collect();
        let digits = number.strip_prefix('+').unwrap_or_default();
        let is_number = (2..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        match is_number {
            true => Ok(Self(number)),
            false => Err(Complaint::new(
                "invalid_phone",
                "must be a telephone number with + and the country code, such as +351910000000",
            )),
        }
    }
}

/// An absolute `http` or `https` URL with a host and without credentials, at most 2,048 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, AsExpression, FromSqlRow, ToSchema)]
#[diesel(sql_type = Text)]
#[schema(value_type = String, format = "uri", max_length = 2048, example = "https://example.com/join")]
pub struct WebUrl(CompactString);

impl WebUrl {
    /// The URL taken apart. It was checked when it came in.
    pub fn to_url(&self) -> Option<Url> {
        Url::parse(&self.0).ok()
    }
}

impl Parse for WebUrl {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let text = bounded(text.trim(), 2048)?;
        let complaint =
            || Complaint::new("invalid_url", "must be an absolute http:// or https:// URL");
        // The URL standard quietly drops tabs and line ends and turns backslashes round; a stored
        // destination has to say what it means.
        let odd =
            |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '<' | '>' | '"');
        if text.contains(odd) {
            return Err(complaint());
        }
        let scheme_ends = text.find("://").ok_or_else(complaint)?;
        if !matches!(
            text[..scheme_ends].to_ascii_lowercase().as_str(),
            "http" | "https"
        ) {
            return Err(complaint());
        }
        let url = Url::parse(text).map_err(|_| complaint())?;
        // The parser mends what is no host (`http:///a`) and reads numbers as addresses (`http://1`).
        let authority = text[scheme_ends + 3..].split(['/', '?', '#']).next();
        let authority = authority.unwrap_or_default();
        let is_host = match url.host() {
            Some(Host::Domain(domain)) => !domain.is_empty() && !authority.is_empty(),
            Some(Host::Ipv4(address)) => authority.starts_with(&address.to_string()),
            Some(Host::Ipv6(_)) => true,
            None => false,
        };
        if !is_host {
            return Err(complaint());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Complaint::new(
                "url_with_credentials",
                "must not contain a user name or password",
            ));
        }
        Ok(Self(text.into()))
    }
}

macro_rules! free_text {
    ($(#[$doc:meta])* $name:ident, $max:tt) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, AsExpression, FromSqlRow, ToSchema)]
        #[diesel(sql_type = Text)]
        #[schema(value_type = String, max_length = $max)]
        pub struct $name(CompactString);

        impl $name {
            /// Text that did not come through [`Parse`], cut to the limit and cleaned: a request header.
            pub fn cut(text: &str) -> Self {
                Self(text.chars().filter(|c| !c.is_control()).take($max).collect())
            }
        }

        impl Parse for $name {
            fn parse(text: &str) -> Result<Self, Complaint> {
                bounded(text, $max).map(|text| Self(text.into()))
            }
        }
    };
}

free_text!(
    /// A location, a type, a reference: free text of at most 255 characters, perhaps empty.
    Line, 255
);
free_text!(
    /// A description or a note: free text of at most 2,000 characters, perhaps empty, perhaps with lines.
    Paragraph, 2000
);

macro_rules! name_of_the_callers {
    ($(#[$doc:meta])* $name:ident, $code:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, AsExpression, FromSqlRow, ToSchema)]
        #[diesel(sql_type = Text)]
        #[schema(value_type = String, min_length = 1, max_length = 255, example = $example)]
        pub struct $name(CompactString);

        impl Parse for $name {
            fn parse(text: &str) -> Result<Self, Complaint> {
                let printable = !text.chars().all(is_invisible) && !text.chars().any(char::is_control);
                if !printable || text.chars().count() > 255 {
                    return Err(Complaint::new($code, "must be 1 to 255 printable characters"));
                }
                Ok(Self(text.into()))
            }
        }
    };
}

name_of_the_callers!(
    /// The caller's key for one write: 1–255 printable characters.
    IdempotencyKey, "invalid_idempotency_key", "signup_8731"
);
impl IdempotencyKey {
    /// A key of handbill's own. It begins with a control character, which no caller's key may have in it, so the two
    /// never meet.
    pub fn of_ours(text: &str) -> Self {
        Self(
            ['\u{1f}']
                .into_iter()
                .chain(text.chars())
                .take(255)
                .collect(),
        )
    }
}

name_of_the_callers!(
    /// The company's own name for a person: 1–255 printable characters.
    ExternalId, "invalid_external_id", "customer_8731"
);
name_of_the_callers!(
    /// The company's own name for an order: 1–255 printable characters.
    OrderId, "invalid_order_id", "order_771"
);

/// `text` if it has at most `max` characters and no U+0000.
fn bounded(text: &str, max: usize) -> Result<&str, Complaint> {
    if text.contains('\0') {
        return Err(Complaint::null_character());
    }
    if text.chars().count() > max {
        return Err(Complaint::too_long(max));
    }
    Ok(text)
}

macro_rules! kept_text {
    ($($name:ident),+) => {$(
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn from_stored(text: CompactString) -> Result<Self, Complaint> {
                Ok(Self(text))
            }
        }

        stored_as_text!($name);
    )+};
}

kept_text!(
    Name,
    EmailAddress,
    Phone,
    WebUrl,
    Line,
    Paragraph,
    IdempotencyKey,
    ExternalId,
    OrderId
);

/// Names and addresses are personal: nothing that prints a struct may print them.
macro_rules! hidden_when_printed {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(hidden)"))
            }
        }
    )+};
}

hidden_when_printed!(Name, EmailAddress, Phone);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_http_urls_without_credentials_pass() {
        for good in [
            "https://example.com",
            "HTTP://example.com/a?b=c#d",
            "http://localhost:8080/x",
        ] {
            assert!(WebUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "example.com",
            "//evil.example",
            "/path",
            "ftp://example.com",
            "javascript:alert(1)",
            "https:example.com",
            "https://",
            "http:///a",
            "https://1/",
            "http://0x7f.1",
            "https://user:pw@example.com",
            "https://example.com/\r\nSet-Cookie: a=b",
            "https:\\\\evil.example",
            "https://exa mple.com",
        ] {
            assert!(WebUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_address_is_one_person_however_it_is_spelt() {
        let folded = |text| EmailAddress::parse(text).map(|address| address.folded());
        for same in ["zwa@b.de", "ZWA@B.de", "zwa@\u{ff42}.de", "zwa@b\u{3002}de"] {
            assert_eq!(folded(same).as_deref().ok(), Some("zwa@b.de"), "{same}");
        }
        assert_eq!(
            folded("a@Müller.example").unwrap(),
            "a@xn--mller-kva.example"
        );
        // A letter of another alphabet that looks alike is another letter.
        assert_ne!(folded("zwa@b.d\u{435}").ok(), folded("zwa@b.de").ok());
        for bad in ["zwa@b.de\u{200b}", "z\u{2060}wa@b.de", "zwa@b\u{ad}.de"] {
            assert!(folded(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_are_trimmed_and_never_blank() {
        assert_eq!(Name::parse("  Ada ").unwrap().as_str(), "Ada");
        for (bad, code) in [
            ("", "blank"),
            (" \t", "blank"),
            ("\u{200b}", "blank"),
            ("\u{202e} \u{feff}", "blank"),
            ("\u{3164}", "blank"),
            ("a\0b", "null_character"),
            ("a\u{1b}b", "control_character"),
            (&*"x".repeat(256), "too_long"),
        ] {
            assert_eq!(Name::parse(bad).unwrap_err().code(), code);
        }
    }

    #[test]
    fn printing_hides_people() {
        let address = EmailAddress::parse("ada@example.com").unwrap();
        assert!(!format!("{address:?}").contains("ada"));
    }
}
