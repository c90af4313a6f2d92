//! Why a command about an incident is refused.

use posko_proto::{
    Id, NodeId,
    incident::v1::{FigureSource, Measure, Status},
    time::Millis,
    warning::v1::AlertStatus,
};

use crate::{
    code::{self, Code, Rejection},
    region::PlaceError,
    wire::shown,
};

/// Why a command about an incident is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IncidentRejection {
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
        "`{region_code}` does not lie in province `{node}`: an incident is recorded by the province where it is"
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
    /// It happened too long ago for an incident that somebody runs.
    #[error("field `meta.occurred_at` is `{}`, more than a year before the report: what is past is imported as a historical record", shown(*at))]
    LongPast {
        /// When it happened.
        at: Millis,
    },
    /// The warning that it is to be opened from is not known here.
    #[error("warning `{id}` of `{origin}` is not known here")]
    UnknownWarning {
        /// The warning's owner.
        origin: NodeId,
        /// The warning.
        id: Id,
    },
    /// The warning is a test, a draft, a system message, an exercise outside of one, or real within one.
    #[error("{}", never_raises(*status, *exercise))]
    WarningNotActual {
        /// The warning's status.
        status: AlertStatus,
        /// Whether the command belongs to an exercise.
        exercise: bool,
    },
    /// The year's numbers are used up.
    #[error("there is no incident number left in year `{year}`")]
    NumbersUsedUp {
        /// The year.
        year: i64,
    },
    /// There is no such incident.
    #[error("there is no such incident here")]
    NotFound,
    /// The incident has been reported already.
    #[error("incident `{number}` has already been reported")]
    AlreadyReported {
        /// Its number.
        number: String,
    },
    /// The incident is verified already.
    #[error("incident `{number}` is already verified")]
    AlreadyVerified {
        /// Its number.
        number: String,
    },
    /// The incident was rejected already.
    #[error("incident `{number}` was already rejected: it is `{}`", status.as_str_name())]
    AlreadyRejected {
        /// Its number.
        number: String,
        /// False or merged.
        status: Status,
    },
    /// The incident is activated already.
    #[error("incident `{number}` is already activated")]
    AlreadyActivated {
        /// Its number.
        number: String,
    },
    /// The operation has ended already.
    #[error("the operation of incident `{number}` has already ended")]
    OperationAlreadyEnded {
        /// Its number.
        number: String,
    },
    /// The incident is closed already.
    #[error("incident `{number}` is already closed")]
    AlreadyClosed {
        /// Its number.
        number: String,
    },
    /// The status does not allow the command.
    #[error("an incident in `{}` cannot be {command}{}", from.as_str_name(), first(*from, command))]
    WrongStatus {
        /// Where the incident stands.
        from: Status,
        /// What was asked, as a participle.
        command: &'static str,
    },
    /// A later status would have happened before the one before it.
    #[error(
        "`{}` at `{}` lies before `{}` at `{}`",
        status.as_str_name(), shown(*at), earlier.as_str_name(), shown(*earlier_at)
    )]
    OutOfOrder {
        /// The status asked for.
        status: Status,
        /// When it is said to have happened.
        at: Millis,
        /// The status held.
        earlier: Status,
        /// When that happened.
        earlier_at: Millis,
    },
    /// What must come later would come earlier.
    #[error("{what} at `{}` would lie before {other} at `{}`", shown(*at), shown(*other_at))]
    Before {
        /// What was sent.
        what: &'static str,
        /// Its time.
        at: Millis,
        /// What must not come after it.
        other: &'static str,
        /// The time of that.
        other_at: Millis,
    },
    /// There is no such thing at the incident.
    #[error("there is no {what} `{name}` here")]
    NotThere {
        /// What was named.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// Another one holds already.
    #[error("the {what} is `{name}` already")]
    Holds {
        /// What it is.
        what: &'static str,
        /// What holds.
        name: String,
    },
    /// The incident has no room for more.
    #[error("the incident has {most} of its {what} already, and takes no more")]
    TooMany {
        /// What it is.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// The thing is an incident of today, and no record replaces what is said of it.
    #[error("incident `{number}` is no historical one, which a published record could replace")]
    NotHistorical {
        /// Its number.
        number: String,
    },
    /// A newer figure of the same measure and source is held.
    #[error(
        "a figure for `{}` of `{}` as of `{}` is held, newer than the one as of `{}`",
        measure.as_str_name(), source_of.as_str_name(), shown(*held), shown(*given)
    )]
    OlderFigure {
        /// The measure.
        measure: Measure,
        /// Who gave it.
        source_of: FigureSource,
        /// The time that the held figure describes.
        held: Millis,
        /// The time that the sent figure describes.
        given: Millis,
    },
    /// A period would leave out one before it.
    #[error("period `{number}` leaves out what comes before it: the next one is `{next}`")]
    NotNext {
        /// The number sent.
        number: u32,
        /// The number of the next period.
        next: usize,
    },
    /// Something is still open.
    #[error(
        "still open are `{sites}` sites ({site_names}), `{needs}` needs and `{statuses}` legal statuses ({decrees}): end them first, or say with `--confirmed` that it is closed all the same"
    )]
    Unfinished {
        /// How many sites.
        sites: usize,
        /// The first of their names.
        site_names: String,
        /// How many needs.
        needs: usize,
        /// How many legal statuses.
        statuses: usize,
        /// The first of their decrees.
        decrees: String,
    },
    /// Another incident was opened from the warning at that place, and is not over.
    #[error(
        "incident `{number}` was opened from it already: add `--confirmed` if this is another one"
    )]
    OpenedAlready {
        /// That incident's number.
        number: String,
    },
    /// The incident that it would be a part of is a part of it.
    #[error("incident `{number}` is itself a part of this one")]
    PartOfItself {
        /// That incident's number.
        number: String,
    },
    /// What is to happen until a time would have had to happen before it was said.
    #[error("field `{field}` is `{}`, which is over already: it was said at `{}`", shown(*at), shown(*said))]
    InPast {
        /// The field.
        field: &'static str,
        /// The time sent.
        at: Millis,
        /// When it was said.
        said: Millis,
    },
    /// More came of a need than is missing.
    #[error(
        "`{quantity}` is more than the `{missing}` that are missing of `{asked}`: set the need anew if more is needed"
    )]
    MoreThanMissing {
        /// How much came.
        quantity: u64,
        /// How much is missing.
        missing: u64,
        /// How much was asked for.
        asked: u64,
    },
    /// The parts of a figure by sex or age are more than its whole.
    #[error(
        "`{}` by sex or age is `{parts}`, more than the `{whole}` in all that the same source gave as of `{}`: give the new whole as well",
        measure.as_str_name(), shown(*as_of)
    )]
    PartsExceed {
        /// The measure.
        measure: Measure,
        /// What the parts add up to.
        parts: u64,
        /// The whole.
        whole: u64,
        /// The time that the whole describes.
        as_of: Millis,
    },
    /// A figure counts more people than there are.
    #[error("`{}` is `{count}`, and {area} has `{population}` people", measure.as_str_name())]
    MoreThanEverybody {
        /// The measure.
        measure: Measure,
        /// The figure.
        count: u64,
        /// The kab/kota or the province.
        area: &'static str,
        /// How many people live there.
        population: u64,
    },
    /// A real command about an exercise's incident, or the other way round.
    #[error("{}", if *incident { "the incident is an exercise, and the command is not: add `--exercise`" } else { "the incident is real, and the command belongs to an exercise: leave out `--exercise`" })]
    ExerciseMixed {
        /// Whether the incident is an exercise.
        incident: bool,
    },
}

fn never_raises(status: AlertStatus, exercise: bool) -> String {
    let status_name = status.as_str_name();
    match (status, exercise) {
        (AlertStatus::Actual, true) => {
            "a real warning or report never raises a drill: leave out `--exercise`, or name a \
             warning of an exercise"
                .into()
        }
        (AlertStatus::Exercise, false) => {
            "a warning of an exercise never raises a real incident: add `--exercise`".into()
        }
        _ => format!("a warning of status `{status_name}` never raises an incident"),
    }
}

/// Says what has to come first, where one thing does.
fn first(from: Status, command: &str) -> &'static str {
    match (from, command) {
        (Status::Historical | Status::Unspecified, _) | (_, "reopened") => "",
        (Status::False | Status::Merged | Status::Cancelled | Status::Closed, _) => {
            ": it has to be opened again first"
        }
        (Status::Reported, "activated") => ": it has to be verified first",
        (
            Status::Reported | Status::Verified,
            "given a scale"
            | "departed for"
            | "given a post"
            | "planned"
            | "given objectives"
            | "ended"
            | "closed"
            | "brought into transition",
        ) => ": it has to be activated first",
        (_, "arrived at") => ": a team has to depart first",
        (Status::Activated | Status::Responding | Status::Transition, "closed") => {
            ": its operation has to end first"
        }
        (Status::Activated, "rejected") => ": it was activated, so cancel it or end its operation",
        (Status::Responding | Status::Transition, "rejected" | "cancelled") => {
            ": teams have departed, so end its operation"
        }
        (
            Status::Reported
            | Status::Verified
            | Status::Activated
            | Status::Responding
            | Status::Transition
            | Status::OperationEnded,
            _,
        ) => "",
    }
}

impl Rejection for IncidentRejection {
    fn code(&self) -> Code {
        match self {
            Self::Invalid { .. }
            | Self::Place(_)
            | Self::OutsideProvince { .. }
            | Self::InFuture { .. }
            | Self::LongPast { .. }
            | Self::InPast { .. }
            | Self::MoreThanMissing { .. }
            | Self::PartsExceed { .. }
            | Self::MoreThanEverybody { .. } => Code::Invalid,
            Self::UnknownWarning { .. }
            | Self::NotFound
            | Self::NotThere { .. }
            | Self::NotNext { .. } => Code::NotFound,
            Self::WarningNotActual { .. }
            | Self::NumbersUsedUp { .. }
            | Self::AlreadyReported { .. }
            | Self::AlreadyVerified { .. }
            | Self::AlreadyRejected { .. }
            | Self::AlreadyActivated { .. }
            | Self::OperationAlreadyEnded { .. }
            | Self::AlreadyClosed { .. }
            | Self::WrongStatus { .. }
            | Self::OutOfOrder { .. }
            | Self::Before { .. }
            | Self::Holds { .. }
            | Self::TooMany { .. }
            | Self::OlderFigure { .. }
            | Self::NotHistorical { .. }
            | Self::Unfinished { .. }
            | Self::OpenedAlready { .. }
            | Self::PartOfItself { .. }
            | Self::ExerciseMixed { .. } => Code::Conflict,
        }
    }
}

impl IncidentRejection {
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
