//! Lists, walked at random while rows come in: each page is what a model says, and a walk sees every row once, in order.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::support::{Answer, Caller, Database, TestApp, number};

/// How many walks there are on each database; `WALKS` says otherwise.
const WALKS: usize = 24;

/// The lists that are walked, each with a filter that selects all of it.
const LISTS: [&str; 4] = ["programs", "users", "posters", "impressions"];

#[derive(Debug, Clone)]
enum Step {
    /// So many rows come.
    Add(usize),
    /// One page, anywhere.
    Page {
        limit: usize,
        offset: usize,
        after: Option<Index>,
        newest_first: bool,
    },
    /// From the beginning to the end; so many rows come behind each page.
    Walk {
        limit: usize,
        by: Way,
        newest_first: bool,
        coming: usize,
    },
}

/// How a walk goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Offset,
    After,
    Links,
    LinksBehindTheFirst,
}

#[derive(Debug, Clone)]
struct Plan {
    list: &'static str,
    filtered: bool,
    steps: Vec<Step>,
}

fn steps() -> impl Strategy<Value = Step> {
    let page = (
        1..9_usize,
        0..12_usize,
        any::<Option<Index>>(),
        any::<bool>(),
    );
    let page = page.prop_map(|(limit, offset, after, newest_first)| Step::Page {
        limit,
        offset,
        after,
        newest_first,
    });
    let way = prop_oneof![
        Just(Way::Offset),
        Just(Way::After),
        Just(Way::Links),
        Just(Way::LinksBehindTheFirst)
    ];
    let walk = (1..6_usize, way, any::<bool>(), 0..3_usize);
    let walk = walk.prop_map(|(limit, by, newest_first, coming)| Step::Walk {
        limit,
        by,
        newest_first,
        coming,
    });
    prop_oneof![(1..7_usize).prop_map(Step::Add), page, walk]
}

fn plans() -> impl Strategy<Value = Plan> {
    let list = proptest::sample::select(&LISTS[..]);
    let steps = proptest::collection::vec(steps(), 1..7);
    (list, any::<bool>(), steps).prop_map(|(list, filtered, steps)| Plan {
        list,
        filtered,
        steps,
    })
}

/// A list that grows, and what is known of it.
struct Grown<'a> {
    caller: &'a Caller,
    list: &'static str,
    /// Selects everything, or nothing is selected by it.
    filter: String,
    above: [Value; 3],
    /// Oldest first.
    rows: Vec<Value>,
}

impl<'a> Grown<'a> {
    async fn of(caller: &'a Caller, plan: &Plan) -> Self {
        let program = caller.a_program().await;
        let student = caller.a_student_of(&program).await;
        let poster = caller.a_poster_of(&student).await;
        let id = |thing: &Value| thing["id"].as_str().expect("an id").to_owned();
        let filter = match (plan.filtered, plan.list) {
            (false, _) => String::new(),
            (true, "programs") => "&status=active".to_owned(),
            (true, "impressions") => format!("&posterId={}", id(&poster)),
            (true, _) => format!("&program_id={}", id(&program)),
        };
        let rows = match plan.list {
            "programs" => vec![program.clone()],
            "users" => vec![student.clone()],
            "posters" => vec![poster.clone()],
            _ => Vec::new(),
        };
        Self {
            caller,
            list: plan.list,
            filter,
            above: [program, student, poster],
            rows,
        }
    }

    async fn grow(&mut self, count: usize) {
        let [program, student, poster] = &self.above;
        for _ in 0..count {
            self.rows.push(match self.list {
                "programs" => self.caller.a_program().await,
                "users" => self.caller.a_student_of(program).await,
                "posters" => self.caller.a_poster_of(student).await,
                _ => self.caller.a_scan_of(poster).await,
            });
        }
    }

    fn in_order(&self, newest_first: bool) -> Vec<Value> {
        let mut rows = self.rows.clone();
        if newest_first {
            rows.reverse();
        }
        rows
    }

    /// Asks for a page and holds it against the rows that there are.
    async fn page(
        &self,
        (limit, offset): (usize, usize),
        after: Option<&Value>,
        newest_first: bool,
    ) -> Answer {
        let order = if newest_first { "desc" } else { "asc" };
        let cursor = after.map_or_else(String::new, |row| {
            format!("&after={}", row["id"].as_str().expect("an id"))
        });
        let list = self.list;
        let query = format!(
            "limit={limit}&offset={offset}&order={order}{cursor}{}",
            self.filter
        );
        let answer = self.caller.get(&format!("/api/v1/{list}?{query}")).await;
        let all = self.in_order(newest_first);
        let behind = after.map_or(0, |row| {
            let place = all.iter().position(|other| other["id"] == row["id"]);
            place.expect("a row of the list") + 1
        });
        let from = (behind + offset).min(all.len());
        let to = (from + limit).min(all.len());
        let has_more = to < all.len();
        let expected = json!({
            list: all[from..to], "limit": limit, "offset": offset, "has_more": has_more,
        });
        assert_eq!(answer.ok(), expected, "{query}");
        assert_eq!(next(&answer).is_some(), has_more, "{query}");
        answer
    }

    async fn walk(&mut self, limit: usize, by: Way, newest_first: bool, coming: usize) {
        let start = self.in_order(newest_first);
        let mut seen: Vec<Value> = match by {
            Way::LinksBehindTheFirst => start.first().cloned().into_iter().collect(),
            _ => Vec::new(),
        };
        let by_cursor = matches!(by, Way::After | Way::LinksBehindTheFirst);
        let mut link: Option<String> = None;
        loop {
            let answer = match (by, &link) {
                (Way::Links | Way::LinksBehindTheFirst, Some(path)) => self.caller.get(path).await,
                _ if by_cursor => self.page((limit, 0), seen.last(), newest_first).await,
                _ => self.page((limit, seen.len()), None, newest_first).await,
            };
            let page = answer.ok();
            seen.extend(page[self.list].as_array().expect("an array").clone());
            link = next(&answer);
            if page["has_more"] == json!(false) {
                break;
            }
            // By offset nobody walks backwards while rows come in front, and nobody walks for ever.
            if seen.len() < 12 && (!newest_first || by_cursor) {
                self.grow(coming).await;
            }
        }
        let expected = match newest_first {
            true => start,
            false => self.in_order(false),
        };
        assert_eq!(seen, expected, "{by:?}, {limit} at a time");
    }
}

/// Where the answer's link to the next page leads, on this server.
fn next(answer: &Answer) -> Option<String> {
    let links = answer.header("link")?;
    let link = links
        .split(", <")
        .find(|link| link.ends_with("rel=\"next\""))?;
    let url = link.trim_start_matches('<').split('>').next()?;
    let (_, rest) = url.split_once("/api/").expect("a URL of ours");
    Some(format!("/api/{rest}"))
}

async fn follow(app: &TestApp, name: &str, plan: &Plan) {
    let caller = app.another(name).await;
    let mut list = Grown::of(&caller, plan).await;
    for step in &plan.steps {
        match step {
            Step::Add(count) => list.grow(*count).await,
            Step::Page {
                limit,
                offset,
                after,
                newest_first,
            } => {
                let after = after.filter(|_| !list.rows.is_empty());
                let after = after.map(|after| after.get(&list.rows).clone());
                list.page((*limit, *offset), after.as_ref(), *newest_first)
                    .await;
            }
            Step::Walk {
                limit,
                by,
                newest_first,
                coming,
            } => list.walk(*limit, *by, *newest_first, *coming).await,
        }
    }
}

#[test]
fn every_page_is_what_the_model_says_and_every_walk_sees_every_row_once() {
    for database in [Database::sqlite(), Database::postgres()] {
        let config = Config {
            cases: u32::try_from(number("WALKS", WALKS)).expect("a number of walks"),
            failure_persistence: None,
            ..Config::default()
        };
        // The same walks each time.
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let system = actix_web::rt::System::new();
        let app = system.block_on(TestApp::start(database));
        let played = std::cell::Cell::new(0);
        let outcome = runner.run(&plans(), |plan| {
            played.set(played.get() + 1);
            system.block_on(follow(&app, &format!("walk {}", played.get()), &plan));
            Ok(())
        });
        system.block_on(app.stop());
        outcome.unwrap_or_else(|failure| panic!("{failure}"));
        assert!(played.get() > 1);
    }
}
