//! What a database complains of: the machine's condition, a row, or a defect of ours.

use diesel::result::DatabaseErrorKind;

use super::Error;

impl Error {
    /// Whether the database said that it will never take a row: the row breaks a rule of the schema.
    pub fn is_about_a_row(&self) -> bool {
        use DatabaseErrorKind::{
            CheckViolation, ForeignKeyViolation, NotNullViolation, UniqueViolation,
        };
        let Self::Internal(cause) = self else {
            return false;
        };
        matches!(
            cause.downcast_ref(),
            Some(diesel::result::Error::DatabaseError(
                CheckViolation | ForeignKeyViolation | NotNullViolation | UniqueViolation,
                _
            ))
        )
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::Error as Diesel;
        match &error {
            Diesel::DatabaseError(
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::ReadOnlyTransaction,
                _,
            )
            | Diesel::BrokenTransactionManager => Self::Unavailable(error.to_string()),
            Diesel::DatabaseError(_, info) if cannot_work_now(info.message()) => {
                Self::Unavailable(error.to_string())
            }
            _ => Self::Internal(Box::new(error)),
        }
    }
}

/// Conditions of the machine, not defects of ours, which diesel does not tell apart by kind.
fn cannot_work_now(message: &str) -> bool {
    [
        "database is locked",
        "due to lock timeout",
        "due to statement timeout",
        "database or disk is full",
        "No space left on device",
        "could not extend file",
        "readonly database",
        "out of memory",
        "remaining connection slots",
        "disk I/O error",
        "unable to open database file",
        "deadlock detected",
        "terminating connection",
        "server closed the connection",
        "shutting down",
        "starting up",
        "could not connect",
        "connection to server",
        "SSL connection has been closed",
        "no connection to the server",
        "too many clients",
    ]
    .iter()
    .any(|sign| message.contains(sign))
}
