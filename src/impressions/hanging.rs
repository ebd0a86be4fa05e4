//! A poster that hangs, as a phone needs it: whose scans it takes, and where they lead.

use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, AmbassadorId, ImpressionId, PosterId, ProgramId};
use crate::posters;
use crate::posters::model::{PosterCode, PosterStatus};

/// What the landing page finds the scan by.
const IMPRESSION_ID: &str = "impression_id";

/// An active poster.
#[derive(Debug, Clone)]
pub struct Hanging {
    /// Whose it is.
    pub account_id: AccountId,
    /// The poster.
    pub poster_id: PosterId,
    /// Its program.
    pub program_id: ProgramId,
    /// Its ambassador.
    pub ambassador_id: AmbassadorId,
    /// Its own landing page, else its program's: in full, and up to and from where the impression's id goes.
    landing: String,
    before: String,
    after: String,
}

impl Hanging {
    /// Where a phone is sent whose scan was recorded.
    pub fn destination(&self, id: &ImpressionId) -> String {
        [&self.before, id.as_str(), &self.after].concat()
    }

    /// Where a scan would lead.
    pub fn landing(&self) -> &str {
        &self.landing
    }
}

/// The poster with `code`. `None`: no poster that hangs has this code.
pub fn hanging(conn: &mut DbConnection, code: &PosterCode) -> Result<Option<Hanging>, Error> {
    let Some((poster, program_landing)) = posters::queries::find_by_code(conn, code)? else {
        return Ok(None);
    };
    if poster.status == PosterStatus::Retired {
        return Ok(None);
    }
    let url = poster
        .landing_url
        .as_ref()
        .unwrap_or(&program_landing)
        .to_url()
        .map(without_impression)
        .ok_or_else(|| Error::internal("a stored landing URL cannot be read"))?;
    let (before, after) = around_impression(url.clone());
    Ok(Some(Hanging {
        account_id: poster.account_id,
        poster_id: poster.id,
        program_id: poster.program_id,
        ambassador_id: poster.ambassador_id,
        landing: url.into(),
        before,
        after,
    }))
}

/// The destination without an `impression_id` of its own. If the address was copied after a scan, that scan's id is in it,
/// and a page that finds two reads the first.
fn without_impression(mut destination: url::Url) -> url::Url {
    let is_other = |pair: &&str| {
        let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
        pairs.next().is_none_or(|(name, _)| name != IMPRESSION_ID)
    };
    let query = destination.query().unwrap_or_default().to_owned();
    let kept: Vec<&str> = query.split('&').filter(is_other).collect();
    let kept = kept.join("&");
    if kept.len() < query.len() {
        destination.set_query((!kept.is_empty()).then_some(&kept));
    }
    destination
}

/// `impression_id=` comes behind the destination's own query and before its fragment.
fn around_impression(mut destination: url::Url) -> (String, String) {
    let fragment = destination
        .fragment()
        .map_or_else(String::new, |fragment| format!("#{fragment}"));
    destination.set_fragment(None);
    destination.query_pairs_mut().append_pair(IMPRESSION_ID, "");
    (destination.into(), fragment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_and_fragment_of_the_destination_stay() {
        for (before, after) in [
            ("https://a.example", "https://a.example/?impression_id=ID"),
            (
                "https://a.example/x?b=c%20d#top",
                "https://a.example/x?b=c%20d&impression_id=ID#top",
            ),
            ("https://a.example/?", "https://a.example/?impression_id=ID"),
            (
                "https://a.example/?impression_id=imp_old&b=c%20d&&impression%5Fid=&e",
                "https://a.example/?b=c%20d&&e&impression_id=ID",
            ),
            (
                "https://a.example/x?impression_id=imp_old#top",
                "https://a.example/x?impression_id=ID#top",
            ),
            (
                "https://a.example/?my_impression_id=1",
                "https://a.example/?my_impression_id=1&impression_id=ID",
            ),
            (
                "https://a.example/#",
                "https://a.example/?impression_id=ID#",
            ),
        ] {
            let url = without_impression(url::Url::parse(before).unwrap());
            let (front, back) = around_impression(url);
            assert_eq!(format!("{front}ID{back}"), after);
        }
    }
}
