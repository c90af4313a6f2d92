//! Why a command about a warning is refused.

use posko_proto::time::Millis;

use crate::{
    code::{self, Code, Rejection},
    region::{PlaceError, UnknownRegion},
    wire::shown,
};

/// Why a command about a warning is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WarningRejection {
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
    /// A point is not on earth.
    #[error(transparent)]
    Point(#[from] PlaceError),
    /// An area's code is not known.
    #[error("field `content.areas.region_codes` names no region: {0}")]
    Region(#[from] UnknownRegion),
    /// A time lies in the future by the node's clock.
    #[error("field `{field}` is `{}`, which lies in the future: it is `{}` here", shown(*at), shown(*now))]
    InFuture {
        /// The field.
        field: &'static str,
        /// The time sent.
        at: Millis,
        /// The node's time.
        now: Millis,
    },
    /// It ends before it begins.
    #[error("field `content.expires_at` is `{}`, not after its beginning at `{}`", shown(*expires), shown(*effective))]
    EndsBeforeItBegins {
        /// From when it holds.
        effective: Millis,
        /// Until when it holds.
        expires: Millis,
    },
    /// A drill brings a warning that does not say so of itself, or touches a real one, or the other way round.
    #[error("{}", if *command { "a command of an exercise needs a warning of an exercise" } else { "the warning belongs to an exercise, and the command does not" })]
    ExerciseMixed {
        /// Whether the command belongs to an exercise.
        command: bool,
    },
    /// There is no such warning.
    #[error("there is no such warning here")]
    NotFound,
    /// It was taken back already.
    #[error("warning `{identifier}` is already cancelled")]
    AlreadyCancelled {
        /// The publisher's identifier.
        identifier: String,
    },
    /// Another publisher's item has the same source and identifier.
    #[error("warning `{identifier}` is held with another source or identifier")]
    OtherWarning {
        /// The publisher's identifier.
        identifier: String,
    },
}

impl Rejection for WarningRejection {
    fn code(&self) -> Code {
        match self {
            Self::Invalid { .. }
            | Self::TooLong { .. }
            | Self::Point(_)
            | Self::Region(_)
            | Self::InFuture { .. }
            | Self::EndsBeforeItBegins { .. } => Code::Invalid,
            Self::NotFound => Code::NotFound,
            Self::ExerciseMixed { .. }
            | Self::AlreadyCancelled { .. }
            | Self::OtherWarning { .. } => Code::Conflict,
        }
    }
}

impl WarningRejection {
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
