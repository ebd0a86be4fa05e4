//! Verb: an exported account is read into another database, all of it or nothing.

use std::io::{self, BufRead};

use serde_json::{Map, Value, json};

use super::export::schema;
use super::lines::{Header, Row, Trailer, VERSION};
use super::sums::Sum;
use super::{everything, refused, sealed};
use crate::accounts;
use crate::acts::model::{Act, Action};
use crate::acts::note::note;
use crate::audit;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::rows::{Shape, TOGETHER};
use crate::db::snapshot::all_or_nothing;
use crate::db::tables::TABLES;
use crate::encryption::EncryptionKeys;
use crate::erasures::again::{Erased, again};
use crate::error::Error;
use crate::events::number::number;
use crate::ids::AccountId;
use crate::text::Name;

/// An account that is there now.
#[derive(Debug)]
pub struct Imported {
    /// Its id, which it has kept.
    pub account_id: AccountId,
    /// What it is called here.
    pub account: String,
    /// How many rows it has.
    pub rows: i64,
    /// When it was exported.
    pub exported_at: String,
    /// How many of those who were erased since were in it.
    pub erased: usize,
}

/// Reads an account that `export` has written. Its rows are counted and added up as they come and again when they are
/// stored. `name` takes the place of the account's own. Who was `erased` since it was exported is erased in it.
///
/// # Errors
/// A sentence, and nothing has happened: the file is not whole or was changed, it is of another version, its secrets are
/// encrypted with a key that is not among `keys`, the account is here already, a row of it is not as it should
/// be, or something of it does not go together with another account's.
pub fn import(
    conn: &mut DbConnection,
    input: impl BufRead,
    name: Option<&Name>,
    erased: &[Erased],
    keys: &EncryptionKeys,
    now: Timestamp,
) -> Result<Imported, Error> {
    let mut lines = input.lines().enumerate();
    let mut next = move || {
        let (at, line) = lines.next()?;
        Some((at + 1, line.map_err(unreadable)))
    };
    let (_, first) = next().ok_or_else(|| refused("the file is empty"))?;
    let header = read_header(&first?)?;
    sealed::must_open(keys, &header.encrypted_with)?;
    let called = name.map_or(header.account.as_str(), Name::as_str);
    all_or_nothing(conn, |conn| {
        refuse_to_mix(conn, &header, called)?;
        let mut reader = Reader::new(conn, &header, called, keys)?;
        while let Some((at, line)) = next() {
            reader.read(conn, at, &line?)?;
        }
        let mut imported = reader.finish(conn)?;
        // Their places among those that wait for a number mean nothing here.
        number(conn, &imported.account_id)?;
        let theirs = erased
            .iter()
            .filter(|erased| erased.account_id == imported.account_id);
        imported.erased = again(conn, &theirs.cloned().collect::<Vec<_>>(), (keys, now))?;
        let id = imported.account_id;
        refuse_what_is_odd(conn, &id)?;
        note(
            conn,
            &Act::new(&id, None, Action::AccountImported, &id.text(), now),
        )?;
        Ok(imported)
    })
}

/// Not every table would have refused it itself (docs/decisions/0018).
fn refuse_what_is_odd(conn: &mut DbConnection, account: &AccountId) -> Result<(), Error> {
    let report = audit::verify::crowds(conn, account)?;
    let odd = report.differences.first();
    odd.map_or(Ok(()), |odd| {
        Err(refused(format!(
            "a row of the file is not as it should be: {}: {}",
            odd.about, odd.problem
        )))
    })
}

fn unreadable(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::InvalidData => refused("this is no export: it is not text"),
        _ => Error::internal(error),
    }
}

fn read_header(line: &str) -> Result<Header, Error> {
    let header: Header = serde_json::from_str(line)
        .map_err(|_| refused("this is no export: its first line is not the header of one"))?;
    if header.handbill_export != VERSION {
        return Err(refused(format!(
            "this is an export of version {}, and this handbill reads version {VERSION}",
            header.handbill_export
        )));
    }
    let known = schema()?;
    if header.schema != known {
        return Err(refused(format!(
            "this export was made at migration {}, and this handbill is at {known}; import it with the handbill that made \
             it, and upgrade that database",
            header.schema
        )));
    }
    Ok(header)
}

fn refuse_to_mix(conn: &mut DbConnection, header: &Header, called: &str) -> Result<(), Error> {
    if accounts::queries::find_by_name_or_id(conn, &header.account_id.text())?.is_some() {
        return Err(refused(format!(
            "the account {} is in this database already; an import does not mix",
            header.account_id
        )));
    }
    if accounts::queries::find_by_name_or_id(conn, called)?.is_some() {
        return Err(refused(format!(
            "there is another account called {called} in this database; --name gives this one another name"
        )));
    }
    Ok(())
}

/// Where the reading is: which table, and what of it has been read and not stored yet.
struct Reader<'a> {
    header: &'a Header,
    called: &'a str,
    keys: &'a EncryptionKeys,
    shapes: Vec<Shape>,
    sums: Vec<Sum>,
    at: usize,
    waiting: Vec<Value>,
    ended: bool,
}

impl<'a> Reader<'a> {
    fn new(
        conn: &mut DbConnection,
        header: &'a Header,
        called: &'a str,
        keys: &'a EncryptionKeys,
    ) -> Result<Self, Error> {
        let shapes = TABLES.iter().map(|table| Shape::of(conn, table));
        Ok(Self {
            header,
            called,
            keys,
            shapes: shapes.collect::<Result<_, _>>()?,
            sums: vec![Sum::default(); TABLES.len()],
            at: 0,
            waiting: Vec::new(),
            ended: false,
        })
    }

    fn read(&mut self, conn: &mut DbConnection, number: usize, line: &str) -> Result<(), Error> {
        let wrong = |what: &str| refused(format!("line {number} {what}"));
        if self.ended {
            return Err(wrong("comes after the end"));
        }
        if let Ok(Row { table, row }) = serde_json::from_str(line) {
            let table = TABLES.iter().position(|known| known.name == table);
            let table = table.filter(|place| *place >= self.at);
            let table = table.ok_or_else(|| wrong("is of no table that can come here"))?;
            if table > self.at {
                self.store(conn)?;
                self.at = table;
            }
            let of = &row[TABLES[table].account];
            if !self.shapes[table].fits(&row) || *of != self.header.account_id.number() {
                return Err(wrong("is no row of this account"));
            }
            self.sums[table].add(&row);
            self.waiting.push(row);
            return match self.waiting.len() >= TOGETHER {
                true => self.store(conn),
                false => Ok(()),
            };
        }
        let Ok(trailer) = serde_json::from_str::<Trailer>(line) else {
            return Err(wrong("is neither a row nor the end"));
        };
        self.store(conn)?;
        self.ended = true;
        match trailer.end == told(&self.sums) {
            true => Ok(()),
            false => Err(refused(
                "the rows are not what the end says; the file was changed or is not whole",
            )),
        }
    }

    /// Stores what waits.
    fn store(&mut self, conn: &mut DbConnection) -> Result<(), Error> {
        let mut rows = std::mem::take(&mut self.waiting);
        if TABLES[self.at].name == "accounts" {
            for row in &mut rows {
                row["name"] = json!(self.called);
            }
        }
        // Whatever the header says.
        sealed::must_open(self.keys, &sealed::keys_in(TABLES[self.at].name, &rows))?;
        let stored = self.shapes[self.at].insert(conn, &rows);
        stored.map_err(|error| match error {
            Error::Internal(cause) => refused(format!(
                "a row of {} does not fit into this database: {cause}",
                TABLES[self.at].name
            )),
            other => other,
        })
    }

    /// Holds what is stored now against what was read.
    fn finish(self, conn: &mut DbConnection) -> Result<Imported, Error> {
        if !self.ended {
            return Err(refused("the file breaks off before its end"));
        }
        if self.sums[0].rows != 1 {
            return Err(refused("there is not one account in the file"));
        }
        // The account's own row may have another name by now.
        for (table, sum) in TABLES.iter().zip(&self.sums).skip(1) {
            let stored = everything::add_up(conn, table, Some(self.header.account_id))?;
            if stored != *sum {
                return Err(refused(format!(
                    "{} rows of {} were read and {} are stored, or others",
                    sum.rows, table.name, stored.rows
                )));
            }
        }
        Ok(Imported {
            account_id: self.header.account_id,
            account: self.called.to_owned(),
            rows: self.sums.iter().map(|sum| sum.rows).sum(),
            exported_at: self.header.exported_at.clone(),
            erased: 0,
        })
    }
}

fn told(sums: &[Sum]) -> Map<String, Value> {
    TABLES
        .iter()
        .zip(sums)
        .map(|(table, sum)| {
            let told = json!({ "rows": sum.rows, "sum": sum.hex() });
            (table.name.to_owned(), told)
        })
        .collect()
}
