//! The hot paths, and how each is driven. What `wrk` runs per request is as little as it runs for the bare server:
//! nothing where all requests are the same, else the choice of a request that was made before the start.

use std::borrow::Cow;

use super::http::request;
use super::stage::Stage;

/// Where the number of a request stands that has a key of its own.
const NUMBER: &str = "##########";
/// Where the scan of a signup stands.
const SCAN: &str = "scan____________________";
/// The first number of the open loop, which no thread of `wrk` reaches: they count from 1, 2, … thousand million.
const OPEN: u64 = 9_000_000_000;

/// An odd number: its multiples, modulo 2³², are all different and in no order. (`wrk` counts in floating point, which is
/// exact for the first two million of them.)
pub(crate) const SPREAD: u64 = 2_654_435_761;
/// `wrk`'s threads know which they are: 1, 2, …
const THREADS: &str = "local threads, n = 0\n\
    setup = function(thread) threads = threads + 1; thread:set('thread_number', threads) end\n";

/// A hot path: what it is called, which table it fills, what is sent.
pub(crate) struct Path {
    pub(crate) name: &'static str,
    pub(crate) fills: Option<&'static str>,
    port: u16,
    key: String,
    requests: Requests,
}

enum Requests {
    /// One, again and again.
    Same(String),
    /// These in turns.
    Turns(Vec<String>),
    /// Bodies that differ in their idempotency key.
    Keyed { target: String, body: String },
    /// Bodies of which each has a scan, an address and a key of its own, which come in no order.
    Strangers {
        target: String,
        body: String,
        scans: Vec<String>,
    },
}

pub(crate) fn of(stage: &Stage) -> Vec<Path> {
    let path = |name, key: &str, fills, requests| Path {
        name,
        fills,
        port: stage.port,
        key: key.to_owned(),
        requests,
    };
    let codes = stage.posters.iter().map(|poster| &poster.code);
    let scans: Vec<String> = codes.map(|code| format!("/q/{code}")).collect();
    let referrals = stage.referrals.iter();
    let referrals: Vec<String> = referrals
        .map(|id| format!("/api/v1/referrals/{id}"))
        .collect();
    let signup = Requests::Keyed {
        target: "/api/v1/referrals".to_owned(),
        body: format!(
            r#"{{"impression_id":"{}","first_name":"John","last_name":"Doe","email":"john.doe@example.com","idempotency_key":"TURN_{NUMBER}"}}"#,
            stage.impressions[0]
        ),
    };
    let strangers = Requests::Strangers {
        target: "/api/v1/referrals".to_owned(),
        body: format!(
            r#"{{"impression_id":"{SCAN}","first_name":"John","last_name":"Doe","email":"{NUMBER}@example.com","idempotency_key":"{NUMBER}_TURN"}}"#
        ),
        scans: in_no_order(&stage.impressions),
    };
    let list = format!("/api/v1/referrals?programId={}&limit=50", stage.program);
    vec![
        path(
            "scan, a crowd at one poster",
            "",
            Some("impressions"),
            Requests::Same(scans[0].clone()),
        ),
        path(
            "scan, spread over 1,000 posters",
            "",
            Some("impressions"),
            Requests::Turns(in_no_order(&scans)),
        ),
        path("create a referral", &stage.key, Some("referrals"), signup),
        path(
            "create a referral, of strangers",
            &stage.key,
            Some("referrals"),
            strangers,
        ),
        path(
            "get a referral, spread over 1,000",
            &stage.key,
            None,
            Requests::Turns(in_no_order(&referrals)),
        ),
        path(
            "list 50 referrals of a program",
            &stage.key,
            None,
            Requests::Same(list.clone()),
        ),
        // A page behind a cursor is never given again.
        path(
            "the same, read anew each time",
            &stage.key,
            None,
            Requests::Same(list + "&after=ref_0"),
        ),
    ]
}

/// All of them, neighbours far from each other: what was stored together shall not be asked for together. Their number must
/// have no factor in common with [`SPREAD`].
fn in_no_order(all: &[String]) -> Vec<String> {
    let step = usize::try_from(SPREAD).unwrap_or(1) % all.len();
    let places = (0..all.len()).map(|turn| turn * step % all.len());
    places.map(|place| all[place].clone()).collect()
}

impl Path {
    /// The script for `wrk`; idempotency keys of different turns differ.
    pub(crate) fn script(&self, turn: &str) -> String {
        let headers = match &*self.key {
            "" => String::new(),
            key => format!("wrk.headers['Authorization'] = 'Bearer {key}'\n"),
        };
        let rest = match &self.requests {
            Requests::Same(target) => format!("wrk.path = '{target}'\n"),
            Requests::Turns(targets) => format!(
                "local targets = {{'{}'}}\n\
                 local requests, n = {{}}, 0\n\
                 init = function()\n  for i, target in ipairs(targets) do requests[i] = wrk.format('GET', target) end\nend\n\
                 request = function() n = n % {} + 1; return requests[n] end\n",
                targets.join("','"),
                targets.len()
            ),
            Requests::Keyed { target, body } => format!(
                "{THREADS}\
                 local parts = {{{}}}\n\
                 init = function() n = thread_number * 1e9 end\n\
                 request = function() n = n + 1; return parts[1] .. n .. parts[2] end\n",
                quoted(&self.parts(target, body, turn))
            ),
            // Two threads never come to the same number.
            Requests::Strangers {
                target,
                body,
                scans,
            } => format!(
                "{THREADS}\
                 local parts, scans = {{{}}}, {{{}}}\n\
                 init = function() n = thread_number end\n\
                 request = function()\n\
                 \x20 n = n + 2\n\
                 \x20 local who = string.format('%010d', n * {SPREAD} % 4294967296)\n\
                 \x20 return parts[1] .. scans[n % #scans + 1] .. parts[2] .. who .. parts[3] .. who .. parts[4]\n\
                 end\n",
                quoted(&self.parts(target, body, turn)),
                quoted(scans)
            ),
        };
        headers + &rest
    }

    /// The requests of a turn of the open loop, ready to be numbered and sent.
    pub(crate) fn requests(&self, turn: &str) -> Ready {
        let get = |target: &String| request(self.port, &self.key, target, None);
        match &self.requests {
            Requests::Same(target) => Ready::Whole(vec![get(target)]),
            Requests::Turns(targets) => Ready::Whole(targets.iter().map(get).collect()),
            Requests::Keyed { target, body } => Ready::Numbered(self.parts(target, body, turn)),
            Requests::Strangers {
                target,
                body,
                scans,
            } => Ready::Strangers(self.parts(target, body, turn), scans.clone()),
        }
    }

    /// What stands before, between and after what differs from request to request.
    fn parts(&self, target: &str, body: &str, turn: &str) -> Vec<String> {
        let body = body.replace("TURN", turn);
        let whole = request(self.port, &self.key, target, Some(&body));
        let whole = whole.replace(SCAN, NUMBER);
        whole.split(NUMBER).map(str::to_owned).collect()
    }
}

/// As strings of Lua.
fn quoted(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
    quoted.join(", ")
}

/// Requests as bytes.
pub(crate) enum Ready {
    Whole(Vec<String>),
    Numbered(Vec<String>),
    Strangers(Vec<String>, Vec<String>),
}

impl Ready {
    pub(crate) fn nth(&self, n: u64) -> Cow<'_, [u8]> {
        let of = |texts: usize| usize::try_from(n).unwrap_or_default() % texts;
        match self {
            Self::Whole(requests) => Cow::Borrowed(requests[of(requests.len())].as_bytes()),
            Self::Numbered(parts) => Cow::Owned(parts.join(&(OPEN + n).to_string()).into_bytes()),
            Self::Strangers(parts, scans) => {
                let who = format!("{:010}", n.wrapping_mul(SPREAD) % (1 << 32));
                let scan = &scans[of(scans.len())];
                let rest = parts[1..].join(&who);
                Cow::Owned([&parts[0], scan.as_str(), &rest].concat().into_bytes())
            }
        }
    }
}
