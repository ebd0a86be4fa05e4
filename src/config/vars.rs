//! Reads settings from text: one variable at a time, each with its complaint.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::str::FromStr;

use ipnet::IpNet;

use super::Origins;
use crate::parse::Parse;
use crate::text::WebUrl;

/// The variables that nobody has asked for yet.
pub(super) struct Vars(pub(super) BTreeMap<String, String>);

impl Vars {
    /// The setting `name` read by `read`, or a sentence that says what it should have been. Empty is unset.
    pub(super) fn take<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, String> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(text) if text.trim().is_empty() => Ok(None),
            Some(text) => match read(text.trim()) {
                Some(value) => Ok(Some(value)),
                // A database URL can hold a password, so it is not repeated; keys are not either.
                None if ["DATABASE_URL", "HANDBILL_ENCRYPTION_KEYS"].contains(&name) => {
                    Err(format!("{name} must be {expected}"))
                }
                None => Err(format!("{name} must be {expected}, not '{text}'")),
            },
        }
    }

    /// The setting `name`, which is one of these words.
    pub(super) fn one_of<T: Copy>(
        &mut self,
        name: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, String> {
        let expected = words
            .iter()
            .map(|(word, _)| *word)
            .collect::<Vec<_>>()
            .join(" or ");
        self.take(name, &expected, |text| {
            let found = words.iter().find(|(word, _)| *word == text);
            found.map(|(_, value)| *value)
        })
    }

    /// The setting `name`, which is on or off, and off when it is not there.
    pub(super) fn switch(&mut self, name: &str) -> Result<bool, String> {
        let words = [("on", true), ("off", false)];
        Ok(self.one_of(name, &words)?.unwrap_or(false))
    }

    /// The setting `name`, which is so many requests per minute; none: no limit.
    pub(super) fn limit(&mut self, name: &str, default: u32) -> Result<Option<NonZeroU32>, String> {
        let expected = "requests per minute, or off";
        let limit = self.take(name, expected, or_off(parsed))?;
        Ok(limit.unwrap_or(NonZeroU32::new(default)))
    }

    /// Refuses what nobody has asked for: a misspelt name must not be passed over.
    pub(super) fn refuse_the_rest(self) -> Result<(), String> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(format!(
                "{name} is not a setting; docs/configuration.md lists them"
            )),
        }
    }
}

pub(super) fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

pub(super) fn within<T: FromStr + PartialOrd>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Option<T> {
    move |text| text.parse().ok().filter(|number| range.contains(number))
}

pub(super) fn or_off<T>(read: impl Fn(&str) -> Option<T>) -> impl Fn(&str) -> Option<Option<T>> {
    move |text| match text {
        "off" => Some(None),
        _ => read(text).map(Some),
    }
}

pub(super) fn database_url(text: &str) -> Option<String> {
    // A database in memory would be another one for every connection, and it forgets.
    let is_file = |path: &str| !path.is_empty() && !path.contains([':', '?']);
    let known = text.strip_prefix("sqlite://").is_some_and(is_file)
        || text.starts_with("postgres://")
        || text.starts_with("postgresql://");
    known.then(|| text.to_owned())
}

pub(super) fn public_url(text: &str) -> Option<String> {
    let url = WebUrl::parse(text).ok()?.to_url()?;
    (url.query().is_none() && url.fragment().is_none())
        .then(|| text.trim_end_matches('/').to_owned())
}

pub(super) fn origins(text: &str) -> Option<Origins> {
    if text == "*" {
        return Some(Origins::Any);
    }
    let origin = |part: &str| {
        let url = WebUrl::parse(part.trim()).ok()?.to_url()?;
        let origin = url.origin().ascii_serialization();
        // As a browser says it: no path, no upper case, no port that goes without saying.
        (origin == part.trim()).then_some(origin)
    };
    let origins: Option<Vec<String>> = text.split(',').map(origin).collect();
    origins.map(Origins::These)
}

pub(super) fn networks(text: &str) -> Option<Vec<IpNet>> {
    text.split(',')
        .map(str::trim)
        .map(|part| {
            part.parse::<IpNet>()
                .ok()
                .or_else(|| part.parse::<IpAddr>().ok().map(IpNet::from))
        })
        .collect()
}
