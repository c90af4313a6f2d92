//! Why a command about a site is refused.

use posko_proto::{Id, NodeId, incident::v1::Status, time::Millis};

use crate::{
    code::{self, Code, Rejection},
    region::PlaceError,
    wire::shown,
};

/// Why a command about a site is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SiteRejection {
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
    /// The place is none.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The place lies in another province.
    #[error(
        "`{region_code}` does not lie in province `{node}`: a site is recorded by the province where it is"
    )]
    OutsideProvince {
        /// The place's code.
        region_code: String,
        /// The node that was asked.
        node: NodeId,
    },
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
    /// The incident that it is to serve is no own one.
    #[error("this node has no incident `{id}` of its own")]
    UnknownIncident {
        /// The incident.
        id: Id,
    },
    /// The incident that it is to serve is over.
    #[error("incident `{number}` is in `{}`: it takes no sites", status.as_str_name())]
    IncidentOver {
        /// Its number.
        number: String,
        /// Where it stands.
        status: Status,
    },
    /// A real site at a drill's incident, or the other way round.
    #[error("{}", if *exercise {
        format!("incident `{number}` is an exercise, and the site is not: add `--exercise`")
    } else {
        format!("incident `{number}` is real, and the site belongs to an exercise: leave out `--exercise`")
    })]
    IncidentMixed {
        /// The incident's number.
        number: String,
        /// Whether the incident is an exercise.
        exercise: bool,
    },
    /// There is no such site.
    #[error("there is no such site here")]
    NotFound,
    /// It has been opened already.
    #[error("the site has already been opened")]
    AlreadyOpened,
    /// It is closed.
    #[error("the site is closed")]
    Closed,
    /// A newer figure is held.
    #[error("a figure as of `{}` is held, newer than the one as of `{}`", shown(*held), shown(*given))]
    OlderFigure {
        /// The time that the held figure describes.
        held: Millis,
        /// The time that the sent figure describes.
        given: Millis,
    },
    /// It happened before the site opened.
    #[error("`{}` lies before the site opened at `{}`", shown(*at), shown(*opened))]
    BeforeOpening {
        /// The time sent.
        at: Millis,
        /// When it opened.
        opened: Millis,
    },
    /// Nothing of the kind is lacking.
    #[error("the site lacks nothing of the kind `{kind}`")]
    NoSuchNeed {
        /// The kind's name.
        kind: &'static str,
    },
    /// A real command about a drill's site, or the other way round.
    #[error("{}", if *site { "the site belongs to an exercise, and the command does not: add `--exercise`" } else { "the site is real, and the command belongs to an exercise: leave out `--exercise`" })]
    ExerciseMixed {
        /// Whether the site belongs to an exercise.
        site: bool,
    },
}

impl Rejection for SiteRejection {
    fn code(&self) -> Code {
        match self {
            Self::Invalid { .. }
            | Self::Place(_)
            | Self::OutsideProvince { .. }
            | Self::InFuture { .. } => Code::Invalid,
            Self::UnknownIncident { .. } | Self::NotFound | Self::NoSuchNeed { .. } => {
                Code::NotFound
            }
            Self::IncidentOver { .. }
            | Self::AlreadyOpened
            | Self::Closed
            | Self::OlderFigure { .. }
            | Self::BeforeOpening { .. }
            | Self::IncidentMixed { .. }
            | Self::ExerciseMixed { .. } => Code::Conflict,
        }
    }
}

impl SiteRejection {
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
