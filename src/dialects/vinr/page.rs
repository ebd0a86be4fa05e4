//! VINR's pages: newest first, walked by the ids of what was seen.

use serde::Serialize;
use utoipa::ToSchema;

use crate::db::page::{Order, Page};
use crate::error::Error;
use crate::parse::{Complaint, Parse, digits};

/// A page size, 1 to 100.
pub struct PageSize(i64);

/// How many there are without a word about it.
const USUAL: i64 = 10;

impl Parse for PageSize {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let number = digits(text).filter(|number| (1..=100).contains(number));
        let complaint = || Complaint::new("invalid_limit", "must be a whole number, 1 to 100");
        number.map(Self).ok_or_else(complaint)
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone)]
pub struct Part {
    /// The same in our words.
    pub page: Page,
    /// The parameter that has the cursor.
    pub cursor: &'static str,
}

impl Part {
    /// Reads the parameters.
    ///
    /// # Errors
    /// Both cursors were given.
    pub fn new(
        limit: Option<PageSize>,
        starting_after: Option<String>,
        ending_before: Option<String>,
    ) -> Result<Self, Error> {
        let (order, after, cursor) = match (starting_after, ending_before) {
            (Some(_), Some(_)) => {
                let complaint = "must not be given together with starting_after";
                let complaint = Complaint::new("contradiction", complaint);
                return Err(Error::field("ending_before", complaint));
            }
            (after, None) => (Order::Desc, after, "starting_after"),
            // What is newer than that, the nearest of it: backwards, and then turned round.
            (None, before) => (Order::Asc, before, "ending_before"),
        };
        Ok(Self {
            page: Page {
                limit: limit.map_or(USUAL, |limit| limit.0),
                offset: 0,
                order,
                after,
                before: None,
            },
            cursor,
        })
    }

    /// The refusal of a cursor that names nothing.
    pub fn no_such_cursor(&self) -> Error {
        let complaint = Complaint::new("unknown_cursor", "is not the id of anything in this list");
        Error::field(self.cursor, complaint)
    }

    /// The list, of rows of which one too many was loaded.
    pub fn list<R>(&self, rows: Vec<R>) -> (Vec<R>, bool) {
        let (mut rows, has_more) = self.page.cut(rows);
        if self.page.order == Order::Asc {
            rows.reverse();
        }
        (rows, has_more)
    }
}

/// A list.
#[derive(Serialize, ToSchema)]
pub struct VinrList<T> {
    /// `list`.
    #[schema(example = "list")]
    pub object: &'static str,
    /// What is in it, newest first.
    pub data: Vec<T>,
    /// Whether there is more behind it, in the direction of the walk.
    pub has_more: bool,
}

impl<T> VinrList<T> {
    /// The list of `data`.
    pub fn of(data: Vec<T>, has_more: bool) -> Self {
        Self {
            object: "list",
            data,
            has_more,
        }
    }
}
