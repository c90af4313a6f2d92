//! Why a command about a warning is refused.

use posko_proto::{
    NodeId,
    time::Millis,
    warning::v1::{DraftStatus, Review},
};

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
    /// It is the node's own, which a second person must agree to take back.
    #[error(
        "warning `{identifier}` is this node's own: draft its cancellation, which a second person approves"
    )]
    NeedsApproval {
        /// The warning's identifier.
        identifier: String,
    },
    /// It is not the node's own, which alone is changed by a draft.
    #[error("warning `{identifier}` is not this node's own: a draft changes an own warning only")]
    NotOwn {
        /// The warning's identifier.
        identifier: String,
    },
    /// It is over by its own time.
    #[error("warning `{identifier}` is over since `{}`: draft a new one", shown(*since))]
    Over {
        /// The warning's identifier.
        identifier: String,
        /// Since when.
        since: Millis,
    },
    /// It says something else than when the draft was made.
    #[error("warning `{identifier}` has changed since the draft was made: draft it again")]
    Changed {
        /// The warning's identifier.
        identifier: String,
    },
    /// A region of an own warning lies in another province.
    #[error("`{code}` lies outside of province `{node}`: a province warns in its own area")]
    OtherProvince {
        /// The region's code.
        code: String,
        /// The node.
        node: NodeId,
    },
    /// There is no such draft.
    #[error("there is no such draft here")]
    NoSuchDraft,
    /// The draft is there already.
    #[error("the draft was made already")]
    DraftedAlready,
    /// The draft was approved or withdrawn.
    #[error("the draft is `{}` already", status.as_str_name())]
    DraftDecided {
        /// Where it stands.
        status: DraftStatus,
    },
    /// Nobody approved the draft before its own end.
    #[error("the draft ended at `{}` and was not approved before: draft a new one", shown(*at))]
    DraftExpired {
        /// Its end.
        at: Millis,
    },
    /// Who drafted it wants to approve it.
    #[error("the account that drafted it cannot approve it: a second person must")]
    SamePerson,
    /// The draft belongs to an exercise, and the command does not, or the other way round.
    #[error("{}", if *command { "a command of an exercise needs a draft of an exercise" } else { "the draft belongs to an exercise, and the command does not" })]
    ExerciseDraftMixed {
        /// Whether the command belongs to an exercise.
        command: bool,
    },
    /// It is no report.
    #[error("warning `{identifier}` is no report")]
    NoReport {
        /// The warning's identifier.
        identifier: String,
    },
    /// The report was judged already.
    #[error("report `{identifier}` is `{}` already", review.as_str_name())]
    ReportJudged {
        /// The report's identifier.
        identifier: String,
        /// How it was judged.
        review: Review,
    },
    /// It says that it is BMKG's, and comes by a feed that is not.
    #[error(
        "the alert says that it is of BMKG, and `{carried_by}` brings it: only a feed of BMKG does"
    )]
    NotBmkg {
        /// The host whose feed brings it.
        carried_by: String,
    },
    /// The feed of one host says otherwise, or ends, what the feed of another brought.
    #[error(
        "warning `{identifier}` was brought by `{carried_by}`: `{by}` can neither change nor end it"
    )]
    OtherCarrier {
        /// The publisher's identifier.
        identifier: String,
        /// The host whose feed brought it.
        carried_by: String,
        /// The host whose feed says otherwise.
        by: String,
    },
    /// The message that is to end it is older than it.
    #[error("warning `{identifier}` was sent after the message that would end it")]
    NotBefore {
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
            | Self::OtherProvince { .. }
            | Self::NotBmkg { .. }
            | Self::OtherCarrier { .. }
            | Self::EndsBeforeItBegins { .. } => Code::Invalid,
            Self::NotFound | Self::NoSuchDraft => Code::NotFound,
            Self::SamePerson => Code::Forbidden,
            Self::NotBefore { .. }
            | Self::NeedsApproval { .. }
            | Self::NotOwn { .. }
            | Self::Over { .. }
            | Self::Changed { .. }
            | Self::DraftedAlready
            | Self::DraftDecided { .. }
            | Self::DraftExpired { .. }
            | Self::ExerciseDraftMixed { .. }
            | Self::NoReport { .. }
            | Self::ReportJudged { .. }
            | Self::ExerciseMixed { .. }
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
