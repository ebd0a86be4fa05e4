//! What every state machine says when a move is not in its table.

use crate::error::Error;

/// The refusal of a move: names where the thing stands and where it could go.
pub fn forbidden(noun: &str, current: &str, wanted: &str, allowed: &[&str]) -> Error {
    let allowed = match allowed {
        [] => "it cannot change any more".to_owned(),
        some => format!("it can become {}", some.join(", ")),
    };
    Error::Conflict {
        code: "forbidden_transition",
        message: format!("The {noun} is {current} and cannot become {wanted}; {allowed}"),
    }
}

/// The refusal of a move that somebody else forestalled.
pub fn forestalled(noun: &str) -> Error {
    Error::Conflict {
        code: "changed_meanwhile",
        message: format!(
            "The {noun} was changed by another request at the same moment; read it again"
        ),
    }
}
