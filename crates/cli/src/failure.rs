//! Why a command did not do what was asked, and the exit code that says so.
//!
//! What it never does: print.

use std::fmt;

use posko_proto::Id;
use serde_json::{Value, json};
use tonic::{Code, Status};

use crate::phrase;

/// How the node begins to say that it cannot tell whether a command was recorded.
const UNSURE: [&str; 2] = [
    "the node could not record it",
    "the node stopped before it could answer",
];

/// The meaning of an exit code; `posko --help` documents them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The answer is no: a log does not verify, a configuration is invalid, a backup is damaged.
    No = 1,
    /// The command line was not understood.
    Usage = 2,
    /// A rule refused it, or the thing does not exist.
    Refused = 3,
    /// The caller may not do it.
    Forbidden = 4,
    /// The node could not be reached, or asks to try later.
    Unreachable = 5,
    /// Something else went wrong.
    Internal = 6,
}

/// A failure, for people and for programs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) struct Failure {
    /// What the exit code is to say.
    pub(crate) exit: Exit,
    /// The stable snake_case name of the reason.
    pub(crate) code: &'static str,
    /// The reason for people.
    pub(crate) message: String,
    /// The command that may or may not have been taken, to be repeated under the same id.
    pub(crate) retry: Option<Id>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.retry {
            Some(id) => write!(
                f,
                "; whether it was recorded is not known: repeat it with `--command-id {id}`"
            ),
            None => Ok(()),
        }
    }
}

impl Failure {
    fn new(exit: Exit, code: &'static str, message: impl fmt::Display) -> Self {
        Self {
            exit,
            code,
            message: phrase::plain(&message.to_string()),
            retry: None,
        }
    }

    /// Returns the failure whose answer is no.
    pub(crate) fn no(message: impl fmt::Display) -> Self {
        Self::new(Exit::No, "no", message)
    }

    /// Returns the failure of a command line that was not understood.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// Returns the failure of what a rule refused.
    pub(crate) fn refused(code: &'static str, message: impl fmt::Display) -> Self {
        Self::new(Exit::Refused, code, message)
    }

    /// Returns the failure of what does not exist.
    pub(crate) fn not_found(message: impl fmt::Display) -> Self {
        Self::refused("not_found", message)
    }

    /// Returns the failure of a node that does not answer.
    pub(crate) fn unreachable(message: impl fmt::Display) -> Self {
        Self::new(Exit::Unreachable, "unreachable", message)
    }

    /// Returns the failure of anything else, with the chain of its causes.
    pub(crate) fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::Internal, "internal", format!("{:#}", cause.into()))
    }

    /// Names the command to repeat when it is not known whether the node took it.
    pub(crate) fn of_command(mut self, id: Id) -> Self {
        if matches!(self.exit, Exit::Unreachable | Exit::Internal) {
            self.retry = Some(id);
        }
        self
    }

    /// Returns the failure of a command that was sent: where the node said that it does not take it, it did not.
    pub(crate) fn of_answer(status: Status, id: Id) -> Self {
        let refused = status.code() == Code::Unavailable
            && std::error::Error::source(&status).is_none()
            && !UNSURE
                .iter()
                .any(|words| status.message().starts_with(words));
        let failure = Self::from(status);
        if refused {
            failure
        } else {
            failure.of_command(id)
        }
    }

    /// Returns `{"error": {"code", "message"}}`, with `command_id` where a repeat makes sense.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Some(id), Some(fields)) = (self.retry, error.as_object_mut()) {
            fields.insert("command_id".into(), Value::String(id.to_string()));
        }
        json!({ "error": error })
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let (exit, code) = match status.code() {
            Code::InvalidArgument => (Exit::Refused, "invalid_argument"),
            Code::FailedPrecondition => (Exit::Refused, "failed_precondition"),
            Code::AlreadyExists => (Exit::Refused, "already_exists"),
            Code::Aborted => (Exit::Refused, "aborted"),
            Code::NotFound => (Exit::Refused, "not_found"),
            Code::OutOfRange => (Exit::Refused, "out_of_range"),
            Code::Unauthenticated => (Exit::Forbidden, "unauthenticated"),
            Code::PermissionDenied => (Exit::Forbidden, "permission_denied"),
            Code::Unavailable => (Exit::Unreachable, "unavailable"),
            Code::DeadlineExceeded => (Exit::Unreachable, "deadline_exceeded"),
            Code::Cancelled => (Exit::Unreachable, "cancelled"),
            Code::ResourceExhausted => (Exit::Unreachable, "resource_exhausted"),
            Code::Unimplemented => (Exit::Internal, "unimplemented"),
            Code::DataLoss => (Exit::Internal, "data_loss"),
            // A connection that broke under way arrives as an unknown status whose cause is the transport.
            Code::Unknown if lost_on_the_way(&status) => (Exit::Unreachable, "unavailable"),
            Code::Ok | Code::Unknown | Code::Internal => (Exit::Internal, "internal"),
        };
        let message = match status.message() {
            "" => status.code().description(),
            message => message,
        };
        Self::new(exit, code, message)
    }
}

fn lost_on_the_way(status: &Status) -> bool {
    std::error::Error::source(status)
        .is_some_and(<dyn std::error::Error>::is::<tonic::transport::Error>)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_the_documented_exit_code() {
        let expected = [
            (Code::InvalidArgument, 3),
            (Code::FailedPrecondition, 3),
            (Code::AlreadyExists, 3),
            (Code::Aborted, 3),
            (Code::NotFound, 3),
            (Code::OutOfRange, 3),
            (Code::Unauthenticated, 4),
            (Code::PermissionDenied, 4),
            (Code::Unavailable, 5),
            (Code::DeadlineExceeded, 5),
            (Code::Cancelled, 5),
            (Code::ResourceExhausted, 5),
            (Code::Unimplemented, 6),
            (Code::DataLoss, 6),
            (Code::Internal, 6),
            (Code::Unknown, 6),
        ];
        for (code, exit) in expected {
            assert_eq!(
                Failure::from(Status::new(code, "why")).exit as u8,
                exit,
                "{code:?}"
            );
        }
    }

    #[test]
    fn a_command_that_may_have_been_taken_names_its_id_and_a_refused_one_does_not() {
        let id = Id([7; 16]);
        let lost = Failure::unreachable("node at `127.0.0.1:7400` does not answer").of_command(id);
        assert!(
            lost.to_string()
                .ends_with("repeat it with `--command-id 07070707-0707-0707-0707-070707070707`")
        );
        assert_eq!(
            lost.to_json()["error"]["command_id"],
            "07070707-0707-0707-0707-070707070707"
        );
        let refused = Failure::from(Status::not_found("no incident `x`")).of_command(id);
        assert_eq!(
            refused.to_json(),
            json!({"error": {"code": "not_found", "message": "no incident `x`"}})
        );
    }

    #[test]
    fn a_node_that_takes_no_commands_leaves_no_doubt_and_one_that_broke_off_does() {
        let id = Id([7; 16]);
        let told = |why: &str| Failure::of_answer(Status::unavailable(why), id).retry;
        assert_eq!(told("waiting: `32` and `36` not yet asked"), None);
        assert_eq!(
            told("the disk has `1` MiB free, below `2` MiB no commands are taken"),
            None
        );
        for words in UNSURE {
            assert_eq!(told(words), Some(id));
        }
        let timed_out = Failure::of_answer(Status::cancelled("Timeout expired"), id);
        assert_eq!(timed_out.retry, Some(id));
        let mut broken = Status::unavailable("transport error");
        broken.set_source(std::sync::Arc::new(std::io::Error::other("reset")));
        assert_eq!(Failure::of_answer(broken, id).retry, Some(id));
    }

    #[test]
    fn a_status_without_words_gets_the_words_of_its_code() {
        assert!(
            !Failure::from(Status::new(Code::Aborted, ""))
                .message
                .is_empty()
        );
    }
}
