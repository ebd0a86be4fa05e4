//! Verb: phones are held up to posters. The scans are recorded; where each leads is in `hanging`.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;
use url::Url;

use super::hanging::Hanging;
use super::model::Impression;
use super::queries;
use super::view::ImpressionView;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::together::Timed;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::ids::{ImpressionId, Tail};
use crate::metadata::Metadata;
use crate::stats::tally::{scanned, tally};
use crate::text::{Line, Paragraph};

/// What the metadata of a scan say.
#[derive(Debug, Serialize)]
pub struct Circumstances<'a> {
    /// See [`device_type`].
    pub device_type: &'static str,
    /// See [`referrer`].
    pub referrer: &'a str,
}

/// A phone at a poster.
#[derive(Debug)]
pub struct Scan {
    /// The poster.
    pub poster: Arc<Hanging>,
    /// The random half of the impression's id.
    pub tail: Tail,
    /// What the phone calls itself, as far as it is kept.
    pub user_agent: Option<Paragraph>,
    /// Where the phone is, as far as it is kept.
    pub ip_address: Option<Line>,
    /// [`Circumstances`].
    pub metadata: Metadata,
    /// Whether it is an event.
    pub is_event: bool,
}

impl Scan {
    /// The impression that this scan makes at `at`.
    pub fn at(&self, at: Timestamp) -> Impression {
        Impression {
            account_id: self.poster.account_id,
            id: ImpressionId::with_tail(at, &self.tail),
            poster_id: self.poster.poster_id.clone(),
            program_id: self.poster.program_id.clone(),
            ambassador_id: self.poster.ambassador_id.clone(),
            scanned_at: at,
            user_agent: self.user_agent.clone(),
            ip_address: self.ip_address.clone(),
            metadata: self.metadata.clone(),
            idempotency_key: None,
            idempotency_fingerprint: None,
        }
    }
}

/// Records scans and counts them.
pub fn scan(
    conn: &mut DbConnection,
    scans: &[Timed<Arc<Scan>>],
) -> Result<Vec<ImpressionId>, Error> {
    let impressions: Vec<Impression> = scans.iter().map(|scan| scan.item.at(scan.at)).collect();
    queries::insert(conn, &impressions)?;
    tally(conn, impressions.iter().map(scanned))?;
    let events = scans.iter().zip(&impressions);
    let events = events.filter(|(scan, _)| scan.item.is_event);
    tell(conn, events.map(|(_, impression)| impression))?;
    Ok(impressions.into_iter().map(|made| made.id).collect())
}

/// Writes down that scans happened.
pub(super) fn tell<'a>(
    conn: &mut DbConnection,
    impressions: impl IntoIterator<Item = &'a Impression>,
) -> Result<(), Error> {
    let events = impressions.into_iter().map(|impression| {
        let view = ImpressionView::from(impression.clone());
        let (account, id) = (&impression.account_id, impression.id.as_str());
        Event::new(
            account,
            EventKind::ImpressionCreated,
            id,
            &view,
            impression.scanned_at,
        )
    });
    let events = events.collect::<Result<Vec<_>, _>>()?;
    emit(conn, events)
}

/// What kind of device calls itself that: `mobile`, `tablet`, `desktop`, `bot` or `unknown`. Coarse on
/// purpose: the whole user agent is kept beside it for whoever wants to know more.
pub fn device_type(user_agent: &str) -> &'static str {
    let agent = user_agent.to_ascii_lowercase();
    let says = |signs: &[&str]| signs.iter().any(|sign| agent.contains(sign));
    if agent.is_empty() {
        "unknown"
    } else if says(&[
        "bot",
        "crawl",
        "spider",
        "preview",
        "facebookexternalhit",
        "whatsapp",
        "curl/",
        "headless",
    ]) {
        "bot"
    } else if says(&["ipad", "tablet"]) || (says(&["android"]) && !says(&["mobile"])) {
        "tablet"
    } else if says(&["mobile", "iphone", "ipod"]) {
        "mobile"
    } else if says(&["windows", "macintosh", "linux", "cros"]) {
        "desktop"
    } else {
        "unknown"
    }
}

/// The host that led to the scan, or `direct`. Only the host: a referrer's path can name a person.
pub fn referrer(header: Option<&str>) -> Cow<'static, str> {
    header
        .and_then(|text| Url::parse(text).ok())
        .and_then(|url| url.host_str().map(|host| host.chars().take(255).collect()))
        .map_or(Cow::Borrowed("direct"), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_told_apart_coarsely() {
        for (agent, device) in [
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148",
                "mobile",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/120 Mobile Safari/537.36",
                "mobile",
            ),
            (
                "Mozilla/5.0 (Linux; Android 13; SM-X700) Chrome/120 Safari/537.36",
                "tablet",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64) Firefox/120", "desktop"),
            ("WhatsApp/2.23 A", "bot"),
            ("", "unknown"),
        ] {
            assert_eq!(device_type(agent), device, "{agent}");
        }
        assert_eq!(
            referrer(Some("https://Social.example/u/ada?x=1")),
            "social.example"
        );
        assert_eq!(referrer(None), "direct");
    }
}
