//! Answers that are given again as long as nothing was written: dashboards ask for the same lists again and again.
//!
//! An answer is kept with the state of the database ([`State`]) from before it was made, and is given again only in that
//! state, so nobody sees anything older than without it. Only answers that say of themselves that they are nothing but
//! what is in the database ([`keep`]) are kept, by key and target, from the second time on that somebody asks.

use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ContentType, HeaderValue, LINK};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use compact_str::CompactString;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use crate::app::App;
use crate::db::state::{Matter, State};
use crate::http::account::Caller;
use crate::ids::ApiKeyId;

/// How many bytes of answers are kept.
const MOST_BYTES: u64 = 8 << 20;
/// What an entry takes besides what was asked and answered.
const OVERHEAD: u64 = 256;
/// Larger answers are not kept.
const LARGEST: usize = 256 << 10;

/// The answers that are kept.
#[derive(Debug)]
pub struct Answers {
    kept: Cache<Question, Kept, Size>,
    given: AtomicU64,
}

impl Default for Answers {
    fn default() -> Self {
        Self::keeping(MOST_BYTES)
    }
}

impl Answers {
    /// At most so many bytes of them.
    pub fn keeping(bytes: u64) -> Self {
        Self {
            kept: Cache::with_weighter(4096, bytes, Size),
            given: AtomicU64::new(0),
        }
    }

    /// How many were given again since the start.
    pub fn given(&self) -> u64 {
        self.given.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Clone, Hash, PartialEq, Eq)]
struct Question {
    key: ApiKeyId,
    target: CompactString,
}

/// The same, borrowed. It must hash alike.
#[derive(Hash)]
struct Asked<'a> {
    key: &'a ApiKeyId,
    target: &'a str,
}

impl Equivalent<Question> for Asked<'_> {
    fn equivalent(&self, question: &Question) -> bool {
        *self.key == question.key && *self.target == *question.target
    }
}

/// What is known of a question.
#[derive(Debug, Clone)]
enum Kept {
    /// It was asked before.
    Once,
    /// The answer, and the state in which it is right.
    Answer {
        state: State,
        matter: Matter,
        body: Bytes,
        link: Option<HeaderValue>,
        route: Route,
    },
}

/// The pattern of the route that answered.
#[derive(Debug, Clone)]
struct Route(Option<CompactString>);

/// The pattern of the route that `request` was for, if there is one; it is known when it has been answered.
pub fn route(request: &HttpRequest) -> Option<CompactString> {
    let Route(known) = request.extensions().get().cloned().unwrap_or(Route(None));
    known.or_else(|| request.match_pattern().map(CompactString::from))
}

#[derive(Debug, Clone)]
struct Size;

impl Weighter<Question, Kept> for Size {
    fn weight(&self, question: &Question, kept: &Kept) -> u64 {
        // A caller may ask with an address as long as a page.
        let asked = OVERHEAD + question.target.len() as u64;
        match kept {
            Kept::Once => asked,
            Kept::Answer { body, link, .. } => {
                let link = link.as_ref().map_or(0, HeaderValue::len);
                asked + (body.len() + link) as u64
            }
        }
    }
}

/// What an answer says of itself: how much work it was …
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// As little as to find out whether the database has changed, where a server has to be asked that.
    Little,
    /// More than that.
    Much,
}

/// … and what it is made of.
#[derive(Debug, Clone, Copy)]
struct MadeOf(Matter);

/// Says that `response` is nothing but what is in the database of `matter`: not the time, not what waits in this process.
pub fn keep<B>(response: &mut HttpResponse<B>, worth: Worth, matter: Matter) {
    let mut extensions = response.extensions_mut();
    extensions.insert(worth);
    extensions.insert(MadeOf(matter));
}

/// Wraps the routes that need a key, inside of the authentication.
pub async fn remembered(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let app = request.app_data::<web::Data<App>>().cloned();
    let key = request
        .extensions()
        .get::<Caller>()
        .map(|caller| caller.key.clone());
    let (Some(app), Some(key), &Method::GET) = (app, key, request.method()) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let target = request
        .uri()
        .path_and_query()
        .map_or("", |target| target.as_str());
    let known = app.answers.kept.get(&Asked { key: &key, target });
    let now = match known {
        Some(_) => app.db.state().await,
        None => None,
    };
    if let (Some(kept), Some(now)) = (&known, &now)
        && let Kept::Answer {
            state,
            matter,
            body,
            link,
            route,
        } = kept
        && state.is_still(now, *matter)
    {
        app.answers.given.fetch_add(1, Ordering::Relaxed);
        request.extensions_mut().insert(route.clone());
        let again = again(body.clone(), link.clone());
        return Ok(request.into_response(again));
    }
    let question = Question {
        target: target.into(),
        key,
    };
    let response = next.call(request).await?;
    Ok(learn(&app, question, known.is_some(), now, response))
}

fn again(body: Bytes, link: Option<HeaderValue>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.content_type(ContentType::json());
    if let Some(link) = link {
        response.insert_header((LINK, link));
    }
    response.body(body)
}

/// Keeps what can be kept of `response`, before which the database was in the state `before`.
fn learn(
    app: &App,
    question: Question,
    was_asked: bool,
    before: Option<State>,
    response: ServiceResponse<impl MessageBody + 'static>,
) -> ServiceResponse<BoxBody> {
    let worth = response.response().extensions().get().copied();
    let is_worth_it = match worth {
        Some(Worth::Much) => true,
        Some(Worth::Little) => app.db.knows_its_state(),
        None => false,
    };
    if !is_worth_it || response.status() != StatusCode::OK {
        return response.map_into_boxed_body();
    }
    let made_of = response.response().extensions().get().copied();
    let MadeOf(matter) = made_of.unwrap_or(MadeOf(Matter::Anything));
    let Some(state) = before else {
        if !was_asked {
            app.answers.kept.insert(question, Kept::Once);
        }
        return response.map_into_boxed_body();
    };
    let link = response.headers().get(LINK).cloned();
    let route = Route(route(response.request()));
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let body = match body.try_into_bytes() {
        Ok(body) => {
            if body.len() <= LARGEST {
                let body = body.clone();
                let answer = Kept::Answer {
                    state,
                    matter,
                    body,
                    link,
                    route,
                };
                app.answers.kept.insert(question, answer);
            }
            BoxBody::new(body)
        }
        Err(body) => BoxBody::new(body),
    };
    ServiceResponse::new(request, head.set_body(body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn long_questions_take_no_more_room_than_there_is() {
        let answers = Answers::keeping(1 << 20);
        let key = ApiKeyId::new(Timestamp::from_micros(0));
        for number in 0..1000 {
            let question = Question {
                key: key.clone(),
                target: format!("/api/v1/programs?{number}{}", "a".repeat(60_000)).into(),
            };
            answers.kept.insert(question, Kept::Once);
        }
        let kept: usize = answers
            .kept
            .iter()
            .map(|(asked, _)| asked.target.len())
            .sum();
        assert!((60_000..1 << 20).contains(&kept), "{kept}");
    }
}
