//! What a database is called in a sentence: its file, or its URL without what is secret in it.

use std::borrow::Cow;
use std::fmt::Display;

use url::form_urlencoded;

/// What the database at `url` is called. No password is in it, however it was written.
pub(crate) fn shown(url: &str) -> String {
    if let Some(path) = url.strip_prefix("sqlite://") {
        return path.to_owned();
    }
    without_password(url).unwrap_or_else(|| "the database of DATABASE_URL".to_owned())
}

/// What went wrong with the database at `url`, on one line: libpq takes several.
pub(crate) fn failed(url: &str, cause: &impl Display) -> String {
    let cause = cause.to_string();
    let words: Vec<&str> = cause.split_whitespace().collect();
    format!("{}: {}", shown(url), words.join(" "))
}

/// As libpq reads it: whatever stands before the first `@` is who asks, unless a `/` comes sooner. `None`: it cannot be
/// told where the password ends.
fn without_password(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (who, place) = match rest.find(['@', '/']) {
        Some(at) if rest[at..].starts_with('@') => (&rest[..at], &rest[at + 1..]),
        _ => ("", rest),
    };
    let (place, query) = place.split_once('?').unwrap_or((place, ""));
    if place.contains(['@', '#']) || query.contains('#') {
        return None;
    }
    let mut shown = format!("{scheme}://");
    let user = who.split(':').next().unwrap_or_default();
    if !user.is_empty() {
        shown += user;
        shown.push('@');
    }
    shown += place;
    for (nth, part) in query.split('&').filter(|part| !is_secret(part)).enumerate() {
        shown.push(if nth == 0 { '?' } else { '&' });
        shown += part;
    }
    Some(shown.trim_end_matches('?').to_owned())
}

/// Whether this part of a query is a password.
fn is_secret(part: &str) -> bool {
    let name = form_urlencoded::parse(part.as_bytes()).next();
    let name = name.map_or(Cow::Borrowed(""), |(name, _)| name);
    name.contains("password")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown_however_it_is_written() {
        for (url, said) in [
            ("sqlite:///var/lib/handbill.db", "/var/lib/handbill.db"),
            ("postgres://host/db", "postgres://host/db"),
            ("postgres://me@host:5433/db", "postgres://me@host:5433/db"),
            ("postgres://me:secret@host/db", "postgres://me@host/db"),
            (
                "postgresql://me:se%40cr:et@h1,h2/db",
                "postgresql://me@h1,h2/db",
            ),
            ("postgres://me:1#secret@host/db", "postgres://me@host/db"),
            ("postgres://me:1?secret@host/db", "postgres://me@host/db"),
            (
                "postgres://me:se/cret@host/db",
                "the database of DATABASE_URL",
            ),
            (
                "postgres://me:se@cret@host/db",
                "the database of DATABASE_URL",
            ),
            ("postgres:///db?host=/run", "postgres:///db?host=/run"),
            (
                "postgres:///db?password=secret&user=me",
                "postgres:///db?user=me",
            ),
            (
                "postgres://h/d?user=me&pass%77ord=secret",
                "postgres://h/d?user=me",
            ),
            ("postgres://h/d?sslpassword=secret", "postgres://h/d"),
        ] {
            assert_eq!(shown(url), said);
        }
    }
}
