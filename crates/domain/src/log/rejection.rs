//! Why a command about a log is refused.

use posko_proto::{Id, NodeId};

use crate::code::{self, Code, Rejection};

/// Why a command about a log is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogRejection {
    /// A field cannot be what was sent.
    #[error("field `{field}` is `{value}`: {expected}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What was sent, shortened.
        value: String,
        /// What is expected instead.
        expected: &'static str,
    },
    /// A text is longer than may be kept.
    #[error("field `{field}` has `{characters}` characters: at most {limit}")]
    TooLong {
        /// The field.
        field: &'static str,
        /// Its length.
        characters: usize,
        /// The limit.
        limit: usize,
    },
    /// The log holds no such event of that thing.
    #[error("this node's log holds no such event `{event}`")]
    NotFound {
        /// The event.
        event: Id,
    },
    /// The log does not leave it out.
    #[error("event `{event}` is not left out: it stands in this node's log")]
    NotLeftOut {
        /// The event.
        event: Id,
    },
    /// Its payload is not missing.
    #[error("the payload of event `{event}` is not missing")]
    NotMissing {
        /// The event.
        event: Id,
    },
    /// Not every accepted peer was asked for its payload.
    #[error(
        "waiting: {} not yet asked for the payload of event `{event}`",
        names(peers)
    )]
    NotAsked {
        /// The event.
        event: Id,
        /// The peers.
        peers: Vec<NodeId>,
    },
    /// State depends on its payload.
    #[error(
        "event `{event}` cannot be withdrawn: only a log note can, since no state depends on its text"
    )]
    NotWithdrawable {
        /// The event.
        event: Id,
    },
    /// Its payload exists no more.
    #[error("the payload of event `{event}` is withdrawn or lost already")]
    GoneAlready {
        /// The event.
        event: Id,
    },
    /// The statement was made already.
    #[error("this was said already")]
    AlreadySaid,
    /// A drill changes nothing that is real.
    #[error("what an owner says about its log is never part of an exercise")]
    Exercise,
}

impl Rejection for LogRejection {
    fn code(&self) -> Code {
        match self {
            Self::Invalid { .. } | Self::TooLong { .. } | Self::Exercise => Code::Invalid,
            Self::NotFound { .. } => Code::NotFound,
            Self::NotAsked { .. } => Code::Unavailable,
            Self::NotLeftOut { .. }
            | Self::NotMissing { .. }
            | Self::NotWithdrawable { .. }
            | Self::GoneAlready { .. }
            | Self::AlreadySaid => Code::Conflict,
        }
    }
}

impl LogRejection {
    pub(super) fn invalid(
        field: &'static str,
        value: impl ToString,
        expected: &'static str,
    ) -> Self {
        Self::Invalid {
            field,
            value: code::excerpt(value),
            expected,
        }
    }
}

fn names(peers: &[NodeId]) -> String {
    let names: Vec<String> = peers.iter().map(|peer| format!("`{peer}`")).collect();
    names.join(", ")
}
