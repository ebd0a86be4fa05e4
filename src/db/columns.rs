//! How our types are kept in columns. Both databases store the same text and the same numbers, so one
//! generic implementation serves PostgreSQL, SQLite and the connection that may be either.

/// Stores a type as its text. The type offers `as_str(&self)` and `from_stored(CompactString)`, and derives
/// `AsExpression` and `FromSqlRow` with `#[diesel(sql_type = Text)]`.
macro_rules! stored_as_text {
    ($type:ty) => {
        impl<DB: ::diesel::backend::Backend>
            ::diesel::serialize::ToSql<::diesel::sql_types::Text, DB> for $type
        where
            str: ::diesel::serialize::ToSql<::diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut ::diesel::serialize::Output<'b, '_, DB>,
            ) -> ::diesel::serialize::Result {
                ::diesel::serialize::ToSql::<::diesel::sql_types::Text, DB>::to_sql(
                    self.as_str(),
                    out,
                )
            }
        }

        $crate::db::columns::read_as_text!($type, ::diesel::pg::Pg);
        $crate::db::columns::read_as_text!($type, ::diesel::sqlite::Sqlite);

        impl ::diesel::deserialize::FromSql<::diesel::sql_types::Text, $crate::db::MultiBackend>
            for $type
        {
            fn from_sql(
                bytes: $crate::db::MultiRawValue<'_>,
            ) -> ::diesel::deserialize::Result<Self> {
                bytes.from_sql::<Self, ::diesel::sql_types::Text>()
            }
        }
    };
}

/// Reads a type from one database's text. Short text, which ids and names are, is kept without an allocation.
macro_rules! read_as_text {
    ($type:ty, $database:ty) => {
        impl ::diesel::deserialize::FromSql<::diesel::sql_types::Text, $database> for $type {
            fn from_sql(
                bytes: <$database as ::diesel::backend::Backend>::RawValue<'_>,
            ) -> ::diesel::deserialize::Result<Self> {
                let text = <::compact_str::CompactString as ::diesel::deserialize::FromSql<
                    ::diesel::sql_types::Text,
                    $database,
                >>::from_sql(bytes)?;
                Self::from_stored(text)
                    .map_err(|complaint| complaint.into_sentence("a stored value").into())
            }
        }
    };
}

/// Stores a newtype as the number in it: `i64` in a column of `BigInt`, `i32` in one of `Integer`.
macro_rules! stored_as_number {
    ($type:ident) => {
        $crate::db::columns::stored_as_number!($type, i64, BigInt);
    };
    ($type:ident, $number:ident, $column:ident) => {
        impl<DB: ::diesel::backend::Backend>
            ::diesel::serialize::ToSql<::diesel::sql_types::$column, DB> for $type
        where
            $number: ::diesel::serialize::ToSql<::diesel::sql_types::$column, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut ::diesel::serialize::Output<'b, '_, DB>,
            ) -> ::diesel::serialize::Result {
                self.0.to_sql(out)
            }
        }

        impl<DB: ::diesel::backend::Backend>
            ::diesel::deserialize::FromSql<::diesel::sql_types::$column, DB> for $type
        where
            $number: ::diesel::deserialize::FromSql<::diesel::sql_types::$column, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> ::diesel::deserialize::Result<Self> {
                $number::from_sql(bytes).map(Self)
            }
        }
    };
}

/// An enum whose values are words, the same on the wire, in the columns and in the CHECK constraints.
macro_rules! text_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:tt),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, ::serde::Serialize, ::utoipa::ToSchema,
            ::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = ::diesel::sql_types::Text)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every value, in the documented order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            fn from_stored(word: ::compact_str::CompactString) -> Result<Self, $crate::parse::Complaint> {
                <Self as $crate::parse::Parse>::parse(&word)
            }
        }

        impl $crate::parse::Parse for $name {
            fn parse(word: &str) -> Result<Self, $crate::parse::Complaint> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::parse::Complaint::new(
                        "unknown_value",
                        format!("must be one of {}", [$($word),+].join(", ")),
                    )),
                }
            }
        }

        $crate::db::columns::stored_as_text!($name);
    };
}

pub(crate) use read_as_text;
pub(crate) use stored_as_number;
pub(crate) use stored_as_text;
pub(crate) use text_enum;
