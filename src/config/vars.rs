//! Variables as they are asked for one by one.

use std::collections::BTreeMap;

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
                // A database URL can hold a password, so it is not repeated.
                None if name == "DATABASE_URL" => Err(format!("DATABASE_URL must be {expected}")),
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
