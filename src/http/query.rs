//! The query string of a list: a noun's own filters, and the page.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use serde_json::{Map, Value};
use utoipa::IntoParams;

use crate::app::App;
use crate::bounds::Narrow;
use crate::db::page::{Order, Page};
use crate::error::Error;
use crate::http::account::Caller;
use crate::http::fields::{Fields, FromFields, fields};
use crate::ids::Id;
use crate::parse::{Complaint, Parse, digits};

/// Filters that belong to a list of things with ids of one kind.
pub trait Filter: FromFields + Narrow {
    /// The ids in the list; what `after` must be one of.
    type Id: Id;

    /// Reads `after`. A list that goes by something else than ids has a way of its own.
    fn cursor(text: String) -> Result<String, Error> {
        cursor::<Self::Id>(text)
    }
}

/// Filters and page of a list, checked.
pub struct ListQuery<F> {
    /// The noun's own filters.
    pub filter: F,
    /// Which part.
    pub page: Page,
}

fields! {
    /// The part of the list that every list operation can be asked for.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct PageParams {
        /// How many at most: 1 or more; beyond the maximum (1000 unless configured lower) it is the maximum.
        #[param(value_type = Option<i64>, minimum = 1, example = 50)]
        pub limit: Option<Limit>,
        /// How many to pass over before the first.
        #[param(value_type = Option<i64>, minimum = 0, example = 0)]
        pub offset: Option<Offset>,
        /// `asc` (oldest first, the default) or `desc`.
        pub order: Option<Order>,
        /// The id of the last item already seen: the list goes on behind it. Fast and stable at any depth.
        #[param(value_type = Option<String>)]
        pub after: Option<String>,
    }
}

/// A page size, before it is clamped.
pub struct Limit(pub(crate) i64);
/// How many rows to pass over.
pub struct Offset(i64);

impl Limit {
    /// The page size in force: the documents' default when none was asked for, and the largest at most.
    pub fn in_force(asked: Option<Self>, largest: i64) -> i64 {
        asked.map_or(DEFAULT_LIMIT, |limit| limit.0).min(largest)
    }
}

impl Offset {
    /// How many to pass over: none when nothing was asked for.
    pub fn in_force(asked: Option<Self>) -> i64 {
        asked.map_or(0, |offset| offset.0)
    }
}

/// The documents' default page size.
const DEFAULT_LIMIT: i64 = 50;

impl Parse for Limit {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let complaint = || Complaint::new("invalid_limit", "must be a whole number, 1 or more");
        digits(text)
            .filter(|n| *n >= 1)
            .map(Self)
            .ok_or_else(complaint)
    }
}

impl Parse for Offset {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let complaint = || Complaint::new("invalid_offset", "must be a whole number, 0 or more");
        digits(text).map(Self).ok_or_else(complaint)
    }
}

impl Parse for String {
    fn parse(text: &str) -> Result<Self, Complaint> {
        Ok(text.to_owned())
    }
}

impl<F: Filter + 'static> FromRequest for ListQuery<F> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let largest = request
            .app_data::<web::Data<App>>()
            .map_or(DEFAULT_LIMIT, |app| app.config.max_page_size);
        let read = read(request.query_string(), largest);
        ready(read.and_then(|query: Self| {
            Ok(Self {
                filter: narrowed(request, query.filter)?,
                page: query.page,
            })
        }))
    }
}

/// A query string that asks for no page.
pub struct Query<F>(pub F);

impl<F: FromFields + Narrow + 'static> FromRequest for Query<F> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut fields = fields_of(request.query_string());
        let read = F::from_fields(&mut fields);
        let read = fields.finish(read);
        ready(read.and_then(|filter| narrowed(request, filter).map(Self)))
    }
}

/// What the caller may ask for of what the filter asks for.
fn narrowed<F: Narrow>(request: &HttpRequest, filter: F) -> Result<F, Error> {
    let extensions = request.extensions();
    let caller = extensions.get::<Caller>();
    match caller.and_then(|caller| caller.bounds.as_ref()) {
        None => Ok(filter),
        Some(bounds) => filter.within(bounds).ok_or_else(Error::out_of_bounds),
    }
}

fn fields_of(query: &str) -> Fields {
    let mut found = Map::new();
    let mut repeated = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if found
            .insert(name.to_string(), Value::String(value.into_owned()))
            .is_some()
        {
            repeated.push(name.into_owned());
        }
    }
    Fields::of_query(found, repeated)
}

fn read<F: Filter>(query: &str, largest: i64) -> Result<ListQuery<F>, Error> {
    let mut fields = fields_of(query);
    let filter = F::from_fields(&mut fields);
    let params = PageParams::from_fields(&mut fields);
    let (filter, params) = fields.finish(filter.zip(params))?;
    let after = params.after.map(F::cursor).transpose()?;
    Ok(ListQuery {
        filter,
        page: Page {
            limit: Limit::in_force(params.limit, largest),
            offset: Offset::in_force(params.offset),
            order: params.order.unwrap_or(Order::Asc),
            after,
            before: None,
        },
    })
}

fn cursor<T: Id>(text: String) -> Result<String, Error> {
    let ours = T::from_outside(&text).is_some()
        && text
            .strip_prefix(T::PREFIX)
            .is_some_and(|rest| rest.starts_with('_'));
    match ours {
        true => Ok(text),
        false => Err(Error::field(
            "after",
            Complaint::new(
                "invalid_cursor",
                format!("must be an id from this list, {}_…", T::PREFIX),
            ),
        )),
    }
}
