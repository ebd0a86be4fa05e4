//! What a handler answers: one object, a created (or replayed) object, or a page of a list.

use std::marker::PhantomData;

use actix_web::body::BoxBody;
use actix_web::http::header::{ContentType, HeaderName, HeaderValue, LINK};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::page::{Order, Page};
use crate::db::state::Matter;
use crate::db::{DbConnection, QueryResult, order};
use crate::error::Error;
use crate::http::remembered::{Worth, keep};
use crate::idempotency::Recorded;
use crate::ids;

const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// An object that was just made, or made earlier by the same key. 200 either way, as published.
pub struct Created<T> {
    object: T,
    replayed: bool,
}

impl<T> Created<T> {
    /// The answer to a write whose outcome is shown by `view`.
    pub fn new<R>(recorded: Recorded<R>, view: impl FnOnce(R) -> T) -> Self {
        match recorded {
            Recorded::New(row) => Self {
                object: view(row),
                replayed: false,
            },
            Recorded::Replayed(row) => Self {
                object: view(row),
                replayed: true,
            },
        }
    }
}

impl<T: Serialize> Responder for Created<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        if self.replayed {
            response.insert_header((IDEMPOTENT_REPLAYED, HeaderValue::from_static("true")));
        }
        response.json(self.object)
    }
}

/// An object as it is in the database, and what of it the object is made of.
pub struct Shown<T>(pub T, pub Matter);

impl<T: Serialize> Responder for Shown<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok().json(self.0);
        keep(&mut response, Worth::Little, self.1);
        response
    }
}

/// A page of a list as it is written: the array under the noun's own name, and where in the list it stands.
pub trait Envelope: Sized {
    /// One item.
    type Item;

    /// Puts `items` into the envelope.
    fn around(items: Vec<Self::Item>, page: &Page, has_more: bool) -> Self;

    /// The id of the last item, which a cursor goes on from.
    fn last_id(&self) -> Option<&str>;
}

/// Declares the envelope of a noun's list: its items, `limit`, `offset` and `has_more`.
macro_rules! list_of {
    ($(#[$meta:meta])* pub struct $name:ident { $(#[$items_meta:meta])* pub $items:ident: Vec<$item:ty> }) => {
        $(#[$meta])*
        #[derive(::serde::Serialize, ::utoipa::ToSchema)]
        pub struct $name {
            $(#[$items_meta])*
            pub $items: Vec<$item>,
            /// The page size in force.
            #[schema(example = 50)]
            pub limit: i64,
            /// How many were passed over.
            #[schema(example = 0)]
            pub offset: i64,
            /// Whether there are more behind these.
            #[schema(example = false)]
            pub has_more: bool,
        }

        impl $crate::http::answer::Envelope for $name {
            type Item = $item;

            fn around(items: Vec<$item>, page: &$crate::db::page::Page, has_more: bool) -> Self {
                Self { $items: items, limit: page.limit, offset: page.offset, has_more }
            }

            fn last_id(&self) -> Option<&str> {
                self.$items.last().map(|item| item.id.as_str())
            }
        }
    };
}

pub(crate) use list_of;

/// Answers `request` with the page that `rows` loads, each row shown by `view`. `stable` is a name for the account's
/// rows that the filter selects, if no row ever leaves them or joins them before the last: then pages deep in the
/// list are found from places remembered under that name.
pub async fn list<E, R>(
    app: &App,
    request: &HttpRequest,
    page: Page,
    stable: Option<String>,
    rows: impl FnOnce(&mut DbConnection, &Page) -> QueryResult<Vec<R>> + Send + 'static,
    view: impl Fn(R) -> E::Item + Send + 'static,
) -> Result<Listing<E>, Error>
where
    E: Envelope + Serialize,
{
    // Such rows have an index of their own. Others are looked for among those of the account, which may be very many.
    let has_an_index = stable.is_some();
    let walk = stable.and_then(|list| app.positions.begin(list, &page));
    let goes_far = walk.as_ref().is_some_and(|walk| walk.goes_far);
    let mut wanted = walk.as_ref().map_or(&page, |walk| &walk.page).clone();
    let is_short = has_an_index && wanted.limit.saturating_add(wanted.offset) <= SHORT;
    let (cursor, clock, told) = (page.after.clone(), app.clock.clone(), page.clone());
    let load = move |conn: &mut DbConnection| {
        // Whoever walks on from here must not have passed by what is not there yet.
        if let (Order::Asc, Some(after)) = (wanted.order, cursor) {
            let settled = order::settled_before(conn, &clock)?;
            wanted.before = settled.map(|at| ids::first_at(ids::prefix(&after), at));
        }
        let closed = match goes_far {
            true => order::closed_before(conn, &clock)?,
            false => None,
        };
        // Put into JSON where the rows are: the text is one allocation to hand over, the rows are a thousand.
        let (rows, has_more) = told.cut(rows(conn, &wanted)?);
        let count = rows.len();
        let envelope = E::around(rows.into_iter().map(view).collect(), &told, has_more);
        Ok(Loaded {
            json: serde_json::to_vec(&envelope).map_err(Error::internal)?,
            last: envelope.last_id().map(str::to_owned),
            count,
            has_more,
            closed,
        })
    };
    let loaded = match is_short {
        true => app.db.read(load).await?,
        false => app.db.read_at_length(load).await?,
    };
    if let (Some(walk), Some(last)) = (walk, &loaded.last) {
        app.positions.end(walk, loaded.count, last, loaded.closed);
    }
    Ok(Listing {
        links: links(app, request, &page, loaded.has_more, loaded.last.as_deref()),
        json: loaded.json,
        is_lasting: page.after.is_none(),
        matter: Matter::Anything,
        kind: PhantomData,
    })
}

/// Pages up to so many rows of an index, read or passed over, take less time than handing them to another thread and back.
const SHORT: i64 = 200;

/// A page of a list, with `Link` headers to its neighbours.
pub struct Listing<T> {
    json: Vec<u8>,
    links: Vec<String>,
    /// Whether it is nothing but what is in the database; a page behind a cursor ends before what is being written.
    is_lasting: bool,
    /// What of that it is made of.
    matter: Matter,
    kind: PhantomData<T>,
}

struct Loaded {
    json: Vec<u8>,
    last: Option<String>,
    count: usize,
    has_more: bool,
    closed: Option<Timestamp>,
}

fn links(
    app: &App,
    request: &HttpRequest,
    page: &Page,
    more: bool,
    last: Option<&str>,
) -> Vec<String> {
    let link = |name: &str, value: String, rel: &str| {
        let kept = url::form_urlencoded::parse(request.query_string().as_bytes())
            .filter(|(name, _)| !matches!(&**name, "offset" | "after" | "limit"));
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair("limit", &page.limit.to_string())
            .append_pair(name, &value)
            .finish();
        format!(
            "<{}{}?{query}>; rel=\"{rel}\"",
            app.public_url,
            request.path()
        )
    };
    let mut links = Vec::new();
    match (last, &page.after) {
        (Some(last), Some(_)) if more => links.push(link("after", last.to_owned(), "next")),
        (Some(_), None) if more => {
            let next = page.offset.saturating_add(page.limit);
            links.push(link("offset", next.to_string(), "next"));
        }
        _ => {}
    }
    if page.offset > 0 && page.after.is_none() {
        let previous = (page.offset - page.limit).max(0);
        links.push(link("offset", previous.to_string(), "prev"));
    }
    links
}

impl<T> Listing<T> {
    /// The same of rows that no scan changes.
    #[must_use]
    pub fn but_of_scans(self) -> Self {
        let matter = Matter::ButScans;
        Self { matter, ..self }
    }

    /// The same of rows that look otherwise as time goes by, though nobody writes.
    #[must_use]
    pub fn of_this_moment(self) -> Self {
        Self {
            is_lasting: false,
            ..self
        }
    }
}

impl<T> Responder for Listing<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        if !self.links.is_empty() {
            response.insert_header((LINK, self.links.join(", ")));
        }
        let mut response = response.content_type(ContentType::json()).body(self.json);
        if self.is_lasting {
            keep(&mut response, Worth::Much, self.matter);
        }
        response
    }
}
