//! Which part of a list is wanted, and how that is said to a query.

use crate::db::columns::text_enum;

/// A part of a list. Rows are ordered by id, which is the order of time.
#[derive(Debug, Clone)]
pub struct Page {
    /// At most so many rows.
    pub limit: i64,
    /// How many rows to pass over first (after the cursor, if there is one).
    pub offset: i64,
    /// Oldest or newest first.
    pub order: Order,
    /// Only what comes after this id, in the order of the list.
    pub after: Option<String>,
    /// Only what comes before this, if later rows may still be joined by earlier ones (see `order`).
    pub before: Option<String>,
}

text_enum! {
    /// The direction of a list.
    pub enum Order {
        /// Oldest first.
        Asc = "asc",
        /// Newest first.
        Desc = "desc",
    }
}

impl Page {
    /// The rows of this page, and whether there are more behind it: queries load one row too many to know.
    pub fn cut<T>(&self, mut rows: Vec<T>) -> (Vec<T>, bool) {
        let most = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > most;
        rows.truncate(most);
        (rows, more)
    }
}

/// Puts order, cursor, limit (one more than asked for) and offset on a boxed query.
macro_rules! paged {
    ($query:expr, $id:expr, $page:expr) => {{
        let page: &$crate::db::page::Page = $page;
        let query = $query.limit(page.limit + 1).offset(page.offset);
        match (page.order, &page.after) {
            (Order::Asc, None) => query.order($id.asc()),
            (Order::Asc, Some(after)) => {
                let query = query.order($id.asc()).filter($id.gt(after.clone()));
                match &page.before {
                    None => query,
                    Some(before) => query.filter($id.lt(before.clone())),
                }
            }
            (Order::Desc, None) => query.order($id.desc()),
            (Order::Desc, Some(after)) => query.order($id.desc()).filter($id.lt(after.clone())),
        }
    }};
}

/// Narrows a boxed query to a wanted id. An id that names nothing matches nothing: the list is empty, or their number 0.
macro_rules! wanted {
    ($query:ident, $column:expr, $wanted:expr) => {
        match &$wanted {
            None => {}
            Some($crate::ids::Wanted(Some(id))) => $query = $query.filter($column.eq(id.clone())),
            Some($crate::ids::Wanted(None)) => return Ok(Default::default()),
        }
    };
}

pub(crate) use paged;
pub(crate) use wanted;
