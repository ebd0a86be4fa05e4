//! Verb: a phone is held up to a poster. The scan is recorded, and the phone is told where to go.

use url::Url;

use super::model::Impression;
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::ImpressionId;
use crate::metadata::Metadata;
use crate::posters;
use crate::posters::model::{Poster, PosterCode, PosterStatus};
use crate::text::{Line, Paragraph};

/// What is known about a phone that scans.
#[derive(Debug, Clone)]
pub struct Scan {
    /// What the phone calls itself, as far as it is kept.
    pub user_agent: Option<Paragraph>,
    /// Where the phone is, as far as it is kept.
    pub ip_address: Option<Line>,
    /// `device_type` and `referrer`.
    pub metadata: Metadata,
}

/// Records a scan of the poster with `code` and says where the phone goes. `None`: no poster that hangs has
/// this code.
pub fn scan(
    conn: &mut DbConnection,
    code: &PosterCode,
    scan: &Scan,
    now: Timestamp,
) -> Result<Option<Url>, Error> {
    let Some((poster, destination)) = hanging(conn, code)? else {
        return Ok(None);
    };
    let impression = Impression {
        account_id: poster.account_id,
        id: ImpressionId::new(now),
        poster_id: poster.id,
        program_id: poster.program_id,
        ambassador_id: poster.ambassador_id,
        scanned_at: now,
        user_agent: scan.user_agent.clone(),
        ip_address: scan.ip_address.clone(),
        metadata: scan.metadata.clone(),
        idempotency_key: None,
        idempotency_fingerprint: None,
    };
    queries::insert(conn, &impression)?;
    Ok(Some(with_impression(destination, &impression.id)))
}

/// Where a scan of the poster with `code` would lead, without recording one.
pub fn look(conn: &mut DbConnection, code: &PosterCode) -> Result<Option<Url>, Error> {
    Ok(hanging(conn, code)?.map(|(_, destination)| destination))
}

fn hanging(conn: &mut DbConnection, code: &PosterCode) -> Result<Option<(Poster, Url)>, Error> {
    let Some((poster, programs)) = posters::queries::find_by_code(conn, code)? else {
        return Ok(None);
    };
    if poster.status == PosterStatus::Retired {
        return Ok(None);
    }
    let destination = poster
        .landing_url
        .as_ref()
        .unwrap_or(&programs)
        .to_url()
        .ok_or_else(|| Error::internal("a stored landing URL cannot be read"))?;
    Ok(Some((poster, destination)))
}

/// The destination with `impression_id` behind its own query and before its fragment.
fn with_impression(mut destination: Url, id: &ImpressionId) -> Url {
    destination
        .query_pairs_mut()
        .append_pair("impression_id", id.as_str());
    destination
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
pub fn referrer(header: Option<&str>) -> String {
    header
        .and_then(|text| Url::parse(text).ok())
        .and_then(|url| url.host_str().map(|host| host.chars().take(255).collect()))
        .unwrap_or_else(|| "direct".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_and_fragment_of_the_destination_stay() {
        let id = ImpressionId::new(Timestamp::from_micros(0));
        for (before, after) in [
            ("https://a.example", "https://a.example/?impression_id=ID"),
            (
                "https://a.example/x?b=c%20d#top",
                "https://a.example/x?b=c%20d&impression_id=ID#top",
            ),
            ("https://a.example/?", "https://a.example/?impression_id=ID"),
        ] {
            let url = with_impression(Url::parse(before).unwrap(), &id);
            assert_eq!(url.as_str(), after.replace("ID", id.as_str()));
        }
    }

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
