//! Why a command about a directive is refused.

use posko_proto::time::Millis;

use crate::{
    code::{self, Code, Rejection},
    region::UnknownRegion,
    wire::shown,
};

/// Why a command about a directive is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectiveRejection {
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
    /// A province's code is not known.
    #[error("field `directive.province_codes` names no region: {0}")]
    Region(#[from] UnknownRegion),
    /// It happened in the future by the node's clock.
    #[error("field `meta.occurred_at` is `{}`, which lies in the future: it is `{}` here", shown(*at), shown(*now))]
    InFuture {
        /// The time sent.
        at: Millis,
        /// The node's time.
        now: Millis,
    },
    /// It would be over before it is read.
    #[error("field `directive.valid_until` is `{}`, which is past: it is `{}` here", shown(*until), shown(*now))]
    OverAlready {
        /// Until when it would hold.
        until: Millis,
        /// The node's time.
        now: Millis,
    },
    /// A drill touches a real directive, or the other way round.
    #[error("{}", if *command { "the command belongs to an exercise, and the directive does not" } else { "the directive belongs to an exercise, and the command does not" })]
    ExerciseMixed {
        /// Whether the command belongs to an exercise.
        command: bool,
    },
    /// There is no such directive.
    #[error("there is no such directive here")]
    NotFound,
    /// It was issued already.
    #[error("the directive is issued already")]
    AlreadyIssued,
    /// It was withdrawn already.
    #[error("directive `{title}` is already withdrawn")]
    AlreadyWithdrawn {
        /// Its title.
        title: String,
    },
}

impl Rejection for DirectiveRejection {
    fn code(&self) -> Code {
        match self {
            Self::Invalid { .. }
            | Self::TooLong { .. }
            | Self::Region(_)
            | Self::InFuture { .. }
            | Self::OverAlready { .. } => Code::Invalid,
            Self::NotFound => Code::NotFound,
            Self::ExerciseMixed { .. } | Self::AlreadyIssued | Self::AlreadyWithdrawn { .. } => {
                Code::Conflict
            }
        }
    }
}

impl DirectiveRejection {
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
