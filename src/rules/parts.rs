//! The parts of a JSON value, and the path of each: objects key by key, lists item by item. Complaints are collected.

use serde_json::{Map, Value};

use crate::error::FieldError;
use crate::parse::{Complaint, excerpt};

/// The longest lists.
const MOST: usize = 20;

/// Everything that was wrong so far.
#[derive(Default)]
pub(super) struct Wrong(Vec<FieldError>);

impl Wrong {
    /// What was read, unless anything was wrong.
    pub(super) fn unless_any<T>(self, read: Option<T>) -> Result<T, Vec<FieldError>> {
        match read {
            Some(read) if self.0.is_empty() => Ok(read),
            _ => Err(self.0),
        }
    }

    /// What was read; or the complaint about what stands at `path` is kept.
    pub(super) fn note<T>(&mut self, path: &str, read: Result<T, Complaint>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(complaint) => {
                self.0.push(FieldError::new(path, complaint));
                None
            }
        }
    }
}

/// An object, where it stands, and which of its keys were asked for.
pub(super) struct Object<'a> {
    path: &'a str,
    found: &'a Map<String, Value>,
    asked: Vec<&'static str>,
}

impl<'a> Object<'a> {
    /// The object in `value`.
    pub(super) fn open(value: &'a Value, path: &'a str, wrong: &mut Wrong) -> Option<Self> {
        let found = value.as_object().ok_or(Complaint::wrong_type("an object"));
        wrong.note(path, found).map(|found| Self {
            path,
            found,
            asked: Vec::new(),
        })
    }

    /// The path of what stands under `key`.
    pub(super) fn at(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    /// What stands under `key`, or `absent`; null is the same as that, as everywhere. `None`: a complaint was noted.
    pub(super) fn may<T>(
        &mut self,
        key: &'static str,
        wrong: &mut Wrong,
        absent: T,
        read: impl FnOnce(&Value, &str, &mut Wrong) -> Option<T>,
    ) -> Option<T> {
        self.asked.push(key);
        match self.found.get(key) {
            None | Some(Value::Null) => Some(absent),
            Some(value) => read(value, &self.at(key), wrong),
        }
    }

    /// What has to stand under `key`.
    pub(super) fn must<T>(
        &mut self,
        key: &'static str,
        wrong: &mut Wrong,
        read: impl FnOnce(&Value, &str, &mut Wrong) -> Option<T>,
    ) -> Option<T> {
        let value = self.may(key, wrong, None, |value, path, wrong| {
            read(value, path, wrong).map(Some)
        })?;
        wrong.note(&self.at(key), value.ok_or(Complaint::Missing))
    }

    /// The word under `key` that says what the other keys are.
    pub(super) fn tag(
        &mut self,
        key: &'static str,
        words: &[&'static str],
        wrong: &mut Wrong,
    ) -> Option<&'static str> {
        self.must(key, wrong, |value, path, wrong| {
            let known = words.iter().find(|word| value.as_str() == Some(**word));
            let complaint = match value.is_string() {
                true => Complaint::new(
                    "unknown_value",
                    format!("must be one of {}", words.join(", ")),
                ),
                false => Complaint::wrong_type("a string"),
            };
            wrong.note(path, known.copied().ok_or(complaint))
        })
    }

    /// Complains about what nobody asked for; a few of it, as there may be any number.
    pub(super) fn close(self, wrong: &mut Wrong) {
        let unknown = self
            .found
            .keys()
            .filter(|key| !self.asked.contains(&key.as_str()));
        for key in unknown.take(MOST) {
            let complaint = Complaint::new("unknown_field", "is not a field of a rule");
            wrong.note::<()>(&self.at(&excerpt(key)), Err(complaint));
        }
    }
}

/// A whole number, of which JSON has one kind: 12 and 12.0 are the same.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "both bounds lie far below 2^53"
)]
pub(super) fn whole(value: &Value, least: i64, most: i64) -> Result<i64, Complaint> {
    match value.as_f64() {
        Some(n) if n.fract() == 0.0 && n >= least as f64 && n <= most as f64 => Ok(n as i64),
        _ => Err(Complaint::new(
            "invalid_number",
            format!("must be a whole number, {least} to {most}"),
        )),
    }
}

/// Every item of a list, `least` at least.
pub(super) fn each<T>(
    value: &Value,
    path: &str,
    wrong: &mut Wrong,
    least: usize,
    read: impl Fn(&Value, &str, &mut Wrong) -> Option<T>,
) -> Option<Vec<T>> {
    let Value::Array(items) = value else {
        return wrong.note(path, Err(Complaint::wrong_type("a list")));
    };
    if !(least..=MOST).contains(&items.len()) {
        let text = format!("must have {least} to {MOST} entries");
        return wrong.note(path, Err(Complaint::new("invalid_length", text)));
    }
    let items = items.iter().enumerate();
    // All of them before the first that fails, so that every complaint is heard.
    let read: Vec<Option<T>> = items
        .map(|(n, item)| read(item, &format!("{path}[{n}]"), wrong))
        .collect();
    read.into_iter().collect()
}

/// `items`, each of which must lie above the one before.
pub(super) fn ascending<T>(
    items: Vec<T>,
    path: &str,
    key: &str,
    wrong: &mut Wrong,
    place: impl Fn(&T) -> i64,
) -> Option<Vec<T>> {
    match items
        .windows(2)
        .position(|two| place(&two[0]) >= place(&two[1]))
    {
        None => Some(items),
        Some(n) => {
            let complaint = Complaint::new("not_ascending", "must be more than the one before");
            wrong.note(&format!("{path}[{}].{key}", n + 1), Err(complaint))
        }
    }
}
