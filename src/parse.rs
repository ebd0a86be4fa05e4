//! What a value must be before it may enter: one trait, and the complaint it answers with.
//! Nothing here knows HTTP or JSON; `http::fields` puts the field's name in front of a complaint.

/// Why a value was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Complaint {
    /// The field is required and absent or null.
    Missing,
    /// An id that names nothing the caller can see; the noun it should have named.
    NoSuch(&'static str),
    /// A rule was broken.
    Rule {
        /// Stable, snake_case; clients may branch on it.
        code: &'static str,
        /// Completes the sentence that the field's name begins: "must be a valid e-mail address".
        text: String,
    },
}

impl Complaint {
    /// A rule was broken.
    pub fn new(code: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self::Rule { code, text }
    }

    /// Stable, snake_case; clients may branch on it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NoSuch(_) => "unknown_id",
            Self::Rule { code, .. } => code,
        }
    }

    /// The complaint about `field` as a sentence, in the documents' words where they have some.
    pub fn into_sentence(self, field: &str) -> String {
        match self {
            Self::Missing => format!("Missing required field: {field}"),
            Self::NoSuch(noun) => format!("Invalid {field}: no such {}", noun.to_lowercase()),
            Self::Rule { text, .. } => format!("{field} {text}"),
        }
    }

    /// Text longer than `max` characters.
    pub fn too_long(max: usize) -> Self {
        Self::new("too_long", format!("must be at most {max} characters"))
    }

    /// Text with U+0000 in it, which no database keeps faithfully.
    pub fn null_character() -> Self {
        Self::new(
            "null_character",
            "must not contain the null character (U+0000)",
        )
    }

    /// A value of another JSON type than `expected` ("a string", "an object").
    pub fn wrong_type(expected: &str) -> Self {
        Self::new("wrong_type", format!("must be {expected}"))
    }
}

/// A value that can be read from text, or say what is wrong with it.
pub trait Parse: Sized {
    /// Reads `text` as it came; trimming is the implementation's choice.
    fn parse(text: &str) -> Result<Self, Complaint>;
}

/// A number in digits only: no sign, no space, no exponent. What is larger than the databases can count to is the largest
/// they can.
pub fn digits(text: &str) -> Option<i64> {
    let number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| text.parse().unwrap_or(i64::MAX))
}

/// The beginning of what was sent, for a complaint about it.
pub fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}

/// Whether there is nothing to be seen of a character by itself: white space, and what only steers its neighbours
/// (Unicode's default ignorable code points, and the blank of Braille).
pub fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}
