//! What kind of refusal a rejection is, for every area alike. It never carries a cause that is not for the asker.

use std::convert::Infallible;

use serde::{Deserialize, Serialize};

/// The kind of a refusal, which decides the status that a program sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Code {
    /// The command itself is wrong, whatever the state.
    Invalid,
    /// The thing that it is about does not exist here.
    NotFound,
    /// The state does not allow it.
    Conflict,
    /// The actor may not.
    Forbidden,
    /// It cannot be answered now.
    Unavailable,
    /// The node is at fault.
    Internal,
}

/// A refusal as it is kept with its command id and sent to the asker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The kind.
    pub code: Code,
    /// What was refused and why, for people.
    pub message: String,
}

/// Why an area refuses a command.
pub trait Rejection: std::error::Error {
    /// Returns what kind of refusal it is.
    fn code(&self) -> Code;
}

impl Rejection for Infallible {
    fn code(&self) -> Code {
        match *self {}
    }
}

impl<R: Rejection> From<R> for Refusal {
    fn from(rejection: R) -> Self {
        Self {
            code: rejection.code(),
            message: rejection.to_string(),
        }
    }
}

/// How many characters of a value are repeated to whoever gave it.
const SHOWN_CHARACTERS: usize = 64;

/// Returns the beginning of a value that cannot be taken, for its message.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the value is made for its message, and ends there"
)]
pub(crate) fn excerpt(value: impl ToString) -> String {
    value.to_string().chars().take(SHOWN_CHARACTERS).collect()
}
