//! What enters is read exactly or refused with a sentence, whatever it is: properties of the readers, and of a server that
//! is sent anything at all.

use handbill::clock::Timestamp;
use handbill::http::json;
use handbill::money::{BasisPoints, Cents, Currency, MAX_CENTS, share};
use handbill::parse::Parse;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use reqwest::Method;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::support::{Answer, Database, TestApp, number};

/// Any JSON, a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|object| Value::Object(object.into_iter().collect())),
        ]
    })
}

fn any_object() -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::btree_map(any::<String>(), any_json(), 0..5)
        .prop_map(|object| object.into_iter().collect())
}

/// With two, no, three and four decimals.
const CODES: [&str; 6] = ["USD", "EUR", "JPY", "KWD", "BHD", "CLF"];

fn currencies() -> impl Strategy<Value = Currency> {
    proptest::sample::select(&CODES[..]).prop_map(|code| Currency::parse(code).expect("a currency"))
}

proptest! {
    #[test]
    fn an_object_is_read_as_it_was_written(object in any_object()) {
        let text = serde_json::to_vec(&object).expect("JSON");
        // As the parser that keeps the last of two equal keys reads it, because here there are none.
        let plain: Map<String, Value> = serde_json::from_slice(&text).expect("JSON");
        prop_assert_eq!(json::object(&text), Ok(plain));
    }

    #[test]
    fn whatever_bytes_are_no_object_are_refused_with_a_sentence(bytes in any::<Vec<u8>>()) {
        match json::object(&bytes) {
            Ok(object) => prop_assert_eq!(Ok(object), serde_json::from_slice(&bytes).map_err(|_| ())),
            Err(sentence) => prop_assert!(sentence.starts_with("The request body"), "{}", sentence),
        }
    }

    #[test]
    fn a_key_that_stands_there_twice_is_refused_wherever_it_stands(key in any::<String>(), object in any_object(), depth in 0..4_usize) {
        let key = serde_json::to_string(&key).expect("JSON");
        let rest = serde_json::to_string(&object).expect("JSON");
        let twice = format!("{{{key}:{rest},{key}:1}}");
        let text = format!("{}{twice}{}", "{\"a\":[".repeat(depth), "]}".repeat(depth));
        let refused = json::object(text.as_bytes());
        prop_assert!(refused.as_ref().is_err_and(|told| told.contains("twice")), "{:?}", refused);
    }

    #[test]
    fn an_amount_is_taken_exactly_or_not_at_all(number in prop_oneof![any::<f64>(), (-9..=MAX_CENTS + 9).prop_map(whole), (0..=MAX_CENTS).prop_map(|n| whole(n) + 0.5)]) {
        let is_good = number.fract() == 0.0 && (1.0..=whole(MAX_CENTS)).contains(&number);
        let taken = Cents::positive(Some(number)).ok();
        prop_assert_eq!(taken.is_some(), is_good);
        prop_assert_eq!(taken.map(|cents| whole(cents.get())), is_good.then_some(number));
    }

    #[test]
    fn a_rate_is_taken_to_the_hundredth_of_a_percent_and_shown_as_it_was_sent(points in 0..=10_000_i32, other in any::<f64>()) {
        let sent = format!("{}.{:02}", points / 100, points % 100).parse::<f64>().expect("a number");
        let rate = BasisPoints::from_percent(Some(sent)).expect("a rate");
        prop_assert_eq!(rate.get(), i64::from(points));
        let shown = serde_json::to_string(&rate).expect("JSON");
        prop_assert_eq!(shown.parse::<f64>().expect("a number").to_bits(), sent.to_bits());
        if let Ok(rate) = BasisPoints::from_percent(Some(other)) {
            prop_assert!((whole(rate.get()) / 100.0 - other).abs() < 1e-7, "{} for {}", rate, other);
        }
        // A third decimal is one too many.
        prop_assert!(BasisPoints::from_percent(Some(sent + 0.001)).is_err());
    }

    #[test]
    fn a_share_is_the_largest_whole_number_that_is_not_too_much(amount in 0..=MAX_CENTS, numerator in 0..=10_000_i64, denominator in 1..=10_000_i64) {
        let got = i128::from(share(amount, numerator, denominator));
        let (exact, denominator) = (i128::from(amount) * i128::from(numerator), i128::from(denominator));
        prop_assert!(got * denominator <= exact && exact < (got + 1) * denominator);
    }

    #[test]
    fn shares_of_a_whole_never_add_up_to_more_and_lose_less_than_one_each(amount in 0..=MAX_CENTS, parts in proptest::collection::vec(1..=1_000_i64, 1..12)) {
        let total: i64 = parts.iter().sum();
        let shared: i64 = parts.iter().map(|part| share(amount, *part, total)).sum();
        let count = i64::try_from(parts.len()).expect("a count");
        prop_assert!(shared <= amount && amount - shared < count, "{} of {}", shared, amount);
    }

    #[test]
    fn an_amount_is_written_with_the_decimals_of_its_currency_and_loses_nothing(currency in currencies(), units in -MAX_CENTS..=MAX_CENTS) {
        let text = currency.decimal(units);
        let decimals = text.split_once('.').map_or(0, |(_, part)| part.len());
        prop_assert_eq!(decimals, currency.exponent(), "{}", text);
        prop_assert_eq!(text.replace('.', "").parse::<i64>().ok(), Some(units), "{}", text);
        prop_assert!(!text.starts_with('.') && !text.starts_with("-."), "{}", text);
    }

    #[test]
    fn a_moment_is_written_as_it_is_read(seconds in 0..253_402_300_800_i64, other in any::<String>()) {
        let moment = Timestamp::from_micros(seconds * 1_000_000);
        prop_assert_eq!(Timestamp::parse(&moment.to_string()).ok(), Some(moment));
        if let Ok(read) = Timestamp::parse(&other) {
            prop_assert!(read.micros() >= 0);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn whole(number: i64) -> f64 {
    number as f64
}

/// A request that somebody might send: a path, and bytes for a body.
#[derive(Debug, Clone)]
struct Sent {
    path: String,
    body: Option<Vec<u8>>,
}

/// The names that lists and bodies know, and one that none does.
const NAMES: [&str; 14] = [
    "limit",
    "offset",
    "order",
    "after",
    "status",
    "programId",
    "program_id",
    "email",
    "first_name",
    "last_name",
    "impression_id",
    "amount",
    "metadata",
    "unknown",
];

const LISTS: [&str; 7] = [
    "programs",
    "users",
    "referrals",
    "impressions",
    "earnings",
    "events",
    "customers",
];

fn requests() -> impl Strategy<Value = Sent> {
    let name = || proptest::sample::select(&NAMES[..]);
    let pairs = proptest::collection::vec((name(), any::<Vec<u8>>()), 0..5);
    let list = proptest::sample::select(&LISTS[..]);
    let asked = (list.clone(), pairs).prop_map(|(list, pairs)| {
        let pairs = pairs.iter().map(|(name, value)| {
            format!(
                "{name}={}",
                form_urlencoded::byte_serialize(value).collect::<String>()
            )
        });
        let query = pairs.collect::<Vec<_>>().join("&");
        let path = format!("/api/v1/{list}?{query}");
        Sent { path, body: None }
    });
    let object = proptest::collection::btree_map(name(), any_json(), 0..9)
        .prop_map(|object| serde_json::to_vec(&object).expect("JSON"));
    let body = prop_oneof![4 => object, 1 => any::<Vec<u8>>()];
    let told = (list, body).prop_map(|(list, body)| Sent {
        path: format!("/api/v1/{list}"),
        body: Some(body),
    });
    prop_oneof![asked, told]
}

/// The caller holds it against the document; here it only has to be an answer.
fn is_an_answer(answer: &Answer) -> Result<(), TestCaseError> {
    prop_assert!(
        [200, 400, 405, 409].contains(&answer.status),
        "{}",
        answer.text()
    );
    if answer.status != 200 {
        answer.refused_with(answer.status);
    }
    Ok(())
}

#[test]
fn whatever_is_sent_has_an_answer_of_one_shape() {
    for database in [Database::sqlite(), Database::postgres()] {
        let config = Config {
            cases: u32::try_from(number("REQUESTS", 250)).expect("a number of requests"),
            failure_persistence: None,
            ..Config::default()
        };
        // The same requests each time.
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let system = actix_web::rt::System::new();
        let app = system.block_on(TestApp::start(database));
        let outcome = runner.run(&requests(), |sent| {
            let method = if sent.body.is_some() {
                Method::POST
            } else {
                Method::GET
            };
            let answer = system.block_on(app.send(method, &sent.path, &[], sent.body));
            is_an_answer(&answer)
        });
        system.block_on(app.stop());
        outcome.unwrap_or_else(|failure| panic!("{failure}"));
    }
}
