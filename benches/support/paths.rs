//! The hot paths, and how each is driven. What `wrk` runs per request is as little as it runs for the bare server:
//! nothing where all requests are the same, else the choice of a request that was made before the start.

use std::borrow::Cow;

use super::http::request;
use super::stage::Stage;

/// Where the number of a request stands that has a key of its own.
const NUMBER: &str = "##########";
/// The first number of the open loop, which no thread of `wrk` reaches: they count from 1, 2, … thousand million.
const OPEN: u64 = 9_000_000_000;

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
    let referrals = referrals.map(|id| format!("/api/v1/referrals/{id}"));
    let signup = Requests::Keyed {
        target: "/api/v1/referrals".to_owned(),
        body: format!(
            r#"{{"impression_id":"{}","first_name":"John","last_name":"Doe","email":"john.doe@example.com","idempotency_key":"TURN_{NUMBER}"}}"#,
            stage.impression
        ),
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
            Requests::Turns(scans),
        ),
        path("create a referral", &stage.key, Some("referrals"), signup),
        path(
            "get a referral, spread over 1,000",
            &stage.key,
            None,
            Requests::Turns(referrals.collect()),
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
                "local threads, head, tail, n = 0\n\
                 setup = function(thread) threads = threads + 1; thread:set('first', threads * 1e9) end\n\
                 init = function()\n\
                 \x20 wrk.headers['Content-Type'] = 'application/json'\n\
                 \x20 local whole = wrk.format('POST', '{target}', nil, '{}')\n\
                 \x20 local at = whole:find('{NUMBER}', 1, true)\n\
                 \x20 head, tail, n = whole:sub(1, at - 1), whole:sub(at + {}), first\n\
                 end\n\
                 request = function() n = n + 1; return head .. n .. tail end\n",
                body.replace("TURN", turn),
                NUMBER.len()
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
            Requests::Keyed { target, body } => {
                let body = body.replace("TURN", turn);
                let whole = request(self.port, &self.key, target, Some(&body));
                let (head, tail) = whole.split_once(NUMBER).expect("a place for the number");
                Ready::Numbered(head.to_owned(), tail.to_owned())
            }
        }
    }
}

/// Requests as bytes.
pub(crate) enum Ready {
    Whole(Vec<String>),
    Numbered(String, String),
}

impl Ready {
    pub(crate) fn nth(&self, n: u64) -> Cow<'_, [u8]> {
        match self {
            Self::Whole(requests) => {
                let at = usize::try_from(n).unwrap_or_default() % requests.len();
                Cow::Borrowed(requests[at].as_bytes())
            }
            Self::Numbered(head, tail) => {
                Cow::Owned(format!("{head}{}{tail}", OPEN + n).into_bytes())
            }
        }
    }
}
