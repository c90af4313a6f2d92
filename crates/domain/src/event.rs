//! Every event of every area, with the number under which it stands in a log.
//!
//! What it never does: change an event's bytes once written. A new shape is a new version, a new meaning a new number.

use posko_proto::{
    account::v1 as account, directive::v1 as directive, incident::v1 as incident, log::v1 as log,
    site::v1 as site, warning::v1 as warning,
};
use prost::Message;

use crate::blob::Blob;

/// An area of the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Area {
    /// Early warnings.
    Warning,
    /// Incidents.
    Incident,
    /// Accounts of this node.
    Account,
    /// Headquarters' directives.
    Directive,
    /// What an owner says about its own log.
    Log,
    /// Sites of incidents.
    Site,
    /// Drafts of a node's own warnings.
    Draft,
    /// Feeds and how they are.
    Feed,
}

impl Area {
    /// Says whether all its events are local to the node: no other node can fold them.
    pub fn is_local(self) -> bool {
        matches!(self, Self::Account | Self::Draft)
    }
}

/// Who gets an event's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Class {
    /// Everybody in the federation, headquarters included.
    Regional = 1,
    /// The provinces only.
    Provinces = 2,
    /// The node itself only.
    Local = 4,
}

/// How an event stands in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The area's number times 256, plus the event's number in it. Never reused.
    pub type_id: u32,
    /// The version of the message.
    pub type_version: u16,
    /// The message's name.
    pub name: &'static str,
    /// Its area.
    pub area: Area,
    /// Who gets it.
    pub class: Class,
    /// Whether its payload may be withdrawn everywhere: only what no state depends on.
    pub withdrawable: bool,
    /// Whether it gives out what there is only one of, and so waits while a start is unproven.
    pub scarce: bool,
}

macro_rules! kinds {
    ($($constant:ident $type_id:literal $name:literal $area:ident $class:ident $($trait:ident)*;)*) => {
        $(
            #[doc = concat!("How `", $name, "` stands in a log.")]
            pub const $constant: Kind = Kind {
                $($trait: true,)*
                ..Kind {
                    type_id: $type_id,
                    type_version: 1,
                    name: $name,
                    area: Area::$area,
                    class: Class::$class,
                    withdrawable: false,
                    scarce: false,
                }
            };
        )*

        /// Every kind of event, in order of its number.
        pub const KINDS: &[Kind] = &[$($constant),*];
    };
}

// One table for all areas. A number, once written into a log, is never given to another event, also when its event is
// no longer recorded. `scarce` on a report: it issues a number. `withdrawable` on a note and
// an attachment: without effect.
kinds! {
    WARNING_ISSUED           0x0101 "WarningIssued"          Warning   Regional;
    WARNING_UPDATED          0x0102 "WarningUpdated"         Warning   Regional;
    WARNING_CANCELLED        0x0103 "WarningCancelled"       Warning   Regional;
    WARNING_REPLACED         0x0104 "WarningReplaced"        Warning   Regional;
    WARNING_DRAFTED          0x0108 "WarningDrafted"         Draft     Local;
    WARNING_DRAFT_APPROVED   0x0109 "WarningDraftApproved"   Draft     Local;
    WARNING_DRAFT_WITHDRAWN  0x010a "WarningDraftWithdrawn"  Draft     Local;
    WARNING_NOTED            0x010b "WarningNoted"           Warning   Regional withdrawable;
    WARNING_VERIFIED         0x010c "WarningVerified"        Warning   Regional;
    WARNING_DISMISSED        0x010d "WarningDismissed"       Warning   Regional;
    FEED_HEALTH_CHANGED      0x010e "FeedHealthChanged"      Feed      Regional;
    FEED_RETIRED             0x010f "FeedRetired"            Feed      Regional;
    INCIDENT_REPORTED        0x0201 "IncidentReported"       Incident  Regional;
    INCIDENT_VERIFIED        0x0202 "IncidentVerified"       Incident  Regional;
    INCIDENT_REJECTED        0x0203 "IncidentRejected"       Incident  Regional;
    INCIDENT_ACTIVATED       0x0204 "IncidentActivated"      Incident  Regional;
    IMPACT_RECORDED          0x0205 "ImpactRecorded"         Incident  Regional;
    INCIDENT_OPERATION_ENDED 0x0206 "IncidentOperationEnded" Incident  Regional;
    INCIDENT_CLOSED          0x0207 "IncidentClosed"         Incident  Regional;
    INCIDENT_NOTED           0x0208 "IncidentNoted"          Incident  Regional withdrawable;
    SEVERITY_JUDGED          0x0209 "IncidentSeverityJudged" Incident  Regional;
    SCALE_SET                0x020a "IncidentScaleSet"       Incident  Regional;
    STEP_TAKEN               0x020b "IncidentStepTaken"      Incident  Regional;
    TRANSITION_BEGUN         0x020c "IncidentTransitionBegun" Incident Regional;
    INCIDENT_CANCELLED       0x020d "IncidentCancelled"      Incident  Regional;
    INCIDENT_REOPENED        0x020e "IncidentReopened"       Incident  Regional;
    GLIDE_ASSIGNED           0x020f "IncidentGlideAssigned"  Incident  Regional;
    INCIDENT_RELATED         0x0210 "IncidentRelated"        Incident  Regional;
    INCIDENT_UNRELATED       0x0211 "IncidentUnrelated"      Incident  Regional;
    POST_FILLED              0x0212 "IncidentPostFilled"     Incident  Regional;
    POST_VACATED             0x0213 "IncidentPostVacated"    Incident  Regional;
    INCIDENT_ESCALATED       0x0214 "IncidentEscalated"      Incident  Regional;
    ESCALATION_ANSWERED      0x0215 "IncidentEscalationAnswered" Incident Regional;
    PERIOD_PLANNED           0x0216 "IncidentPeriodPlanned"  Incident  Regional;
    PLAN_APPROVED            0x0217 "IncidentPlanApproved"   Incident  Regional;
    OBJECTIVE_SET            0x0218 "IncidentObjectiveSet"   Incident  Regional;
    OBJECTIVE_SETTLED        0x0219 "IncidentObjectiveSettled" Incident Regional;
    NEED_SET                 0x021a "IncidentNeedSet"        Incident  Regional;
    NEED_MET                 0x021b "IncidentNeedMet"        Incident  Regional;
    NEED_SETTLED             0x021c "IncidentNeedSettled"    Incident  Regional;
    EMERGENCY_DECLARED       0x021d "IncidentEmergencyDeclared" Incident Regional;
    EMERGENCY_ENDED          0x021e "IncidentEmergencyEnded" Incident  Regional;
    INCIDENT_ASSESSED        0x021f "IncidentAssessed"       Incident  Regional;
    INCIDENT_ATTACHED        0x0220 "IncidentAttached"       Incident  Regional withdrawable;
    INCIDENT_IMPORTED        0x0221 "IncidentImported"       Incident  Regional;
    ACCOUNT_CREATED          0x0301 "AccountCreated"         Account   Local;
    ROLE_GRANTED             0x0302 "RoleGranted"            Account   Local;
    ROLE_REVOKED             0x0303 "RoleRevoked"            Account   Local;
    PASSWORD_CHANGED         0x0304 "PasswordChanged"        Account   Local;
    ACCOUNT_DISABLED         0x0305 "AccountDisabled"        Account   Local;
    RISK_ACCEPTED            0x0306 "RiskAccepted"           Account   Local;
    WARNINGS_SUBSCRIBED      0x0307 "WarningsSubscribed"     Account   Local;
    WARNINGS_UNSUBSCRIBED    0x0308 "WarningsUnsubscribed"   Account   Local;
    WARNINGS_SEEN            0x0309 "WarningsSeen"           Account   Local;
    DIRECTIVE_ISSUED         0x0401 "DirectiveIssued"        Directive Regional;
    DIRECTIVE_WITHDRAWN      0x0402 "DirectiveWithdrawn"     Directive Regional;
    DISOWNED                 0x0501 "Disowned"               Log       Regional;
    PAYLOAD_LOST             0x0502 "PayloadLost"            Log       Regional;
    PAYLOAD_WITHDRAWN        0x0503 "PayloadWithdrawn"       Log       Regional;
    SITE_OPENED              0x0601 "SiteOpened"             Site      Regional;
    SITE_CAPACITY_SET        0x0602 "SiteCapacitySet"        Site      Regional;
    SITE_OCCUPANCY_COUNTED   0x0603 "SiteOccupancyCounted"   Site      Regional;
    SITE_OUTPUT_REPORTED     0x0604 "SiteOutputReported"     Site      Regional;
    SITE_NEED_SET            0x0605 "SiteNeedSet"            Site      Regional;
    SITE_NEED_MET            0x0606 "SiteNeedMet"            Site      Regional;
    SITE_CLOSED              0x0607 "SiteClosed"             Site      Regional;
}

/// An event of any area.
#[allow(
    clippy::large_enum_variant,
    reason = "an event is made once and moved once; a box would be one allocation more"
)]
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Of a warning.
    Warning(WarningEvent),
    /// Of an incident.
    Incident(IncidentEvent),
    /// Of an account.
    Account(AccountEvent),
    /// Of a directive.
    Directive(DirectiveEvent),
    /// Of a log.
    Log(LogEvent),
    /// Of a site.
    Site(SiteEvent),
    /// Of a draft of an own warning.
    Draft(DraftEvent),
    /// Of a feed.
    Feed(FeedEvent),
}

macro_rules! events {
    ($(#[$doc:meta])* $name:ident of $area:ident { $($(#[$said:meta])* $variant:ident($message:ty) $kind:ident;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $($(#[$said])* $variant($message),)*
        }

        impl $name {
            /// Returns how it stands in a log.
            pub fn kind(&self) -> Kind {
                match self {
                    $(Self::$variant(_) => $kind,)*
                }
            }

            fn encode(&self) -> Vec<u8> {
                match self {
                    $(Self::$variant(event) => event.encode_to_vec(),)*
                }
            }

            fn read(kind: Kind, bytes: &[u8]) -> Result<Option<Event>, prost::DecodeError> {
                Ok(Some(Event::$area(match kind {
                    $($kind => Self::$variant(Message::decode(bytes)?),)*
                    _ => return Ok(None),
                })))
            }
        }

        impl From<$name> for Event {
            fn from(event: $name) -> Self {
                Self::$area(event)
            }
        }
    };
}

events! {
    /// An event of a warning.
    WarningEvent of Warning {
        /// It was taken in first.
        Issued(warning::WarningIssued) WARNING_ISSUED;
        /// What it says was replaced.
        Updated(warning::WarningUpdated) WARNING_UPDATED;
        /// It was taken back.
        Cancelled(warning::WarningCancelled) WARNING_CANCELLED;
        /// A newer one stands in its place.
        Replaced(warning::WarningReplaced) WARNING_REPLACED;
        /// A text was written.
        Noted(warning::WarningNoted) WARNING_NOTED;
        /// It was found true.
        Verified(warning::WarningVerified) WARNING_VERIFIED;
        /// It leads to nothing.
        Dismissed(warning::WarningDismissed) WARNING_DISMISSED;
    }
}

events! {
    /// An event of a draft of an own warning.
    #[expect(clippy::large_enum_variant, reason = "an event is made once and moved once")]
    DraftEvent of Draft {
        /// It was drafted.
        Drafted(warning::WarningDrafted) WARNING_DRAFTED;
        /// A second person approved it.
        Approved(warning::WarningDraftApproved) WARNING_DRAFT_APPROVED;
        /// It was given up.
        Withdrawn(warning::WarningDraftWithdrawn) WARNING_DRAFT_WITHDRAWN;
    }
}

events! {
    /// An event of a feed.
    FeedEvent of Feed {
        /// It is otherwise than before.
        HealthChanged(warning::FeedHealthChanged) FEED_HEALTH_CHANGED;
        /// It is asked no more.
        Retired(warning::FeedRetired) FEED_RETIRED;
    }
}

events! {
    /// An event of an incident.
    IncidentEvent of Incident {
        /// It was reported.
        Reported(incident::IncidentReported) INCIDENT_REPORTED;
        /// It was confirmed.
        Verified(incident::IncidentVerified) INCIDENT_VERIFIED;
        /// It was found false or a duplicate.
        Rejected(incident::IncidentRejected) INCIDENT_REJECTED;
        /// Teams were activated.
        Activated(incident::IncidentActivated) INCIDENT_ACTIVATED;
        /// It was taken from a published record of the past, or that record was corrected.
        Imported(Box<incident::IncidentImported>) INCIDENT_IMPORTED;
        /// Impact figures were set.
        ImpactRecorded(incident::ImpactRecorded) IMPACT_RECORDED;
        /// The operation ended.
        OperationEnded(incident::IncidentOperationEnded) INCIDENT_OPERATION_ENDED;
        /// It was closed.
        Closed(incident::IncidentClosed) INCIDENT_CLOSED;
        /// A note was written.
        Noted(incident::IncidentNoted) INCIDENT_NOTED;
        /// It was judged anew.
        SeverityJudged(incident::IncidentSeverityJudged) SEVERITY_JUDGED;
        /// PMI's scale was changed.
        ScaleSet(incident::IncidentScaleSet) SCALE_SET;
        /// A step was taken.
        StepTaken(incident::IncidentStepTaken) STEP_TAKEN;
        /// The threat is over.
        TransitionBegun(incident::IncidentTransitionBegun) TRANSITION_BEGUN;
        /// It was called off.
        Cancelled(incident::IncidentCancelled) INCIDENT_CANCELLED;
        /// It was opened again.
        Reopened(incident::IncidentReopened) INCIDENT_REOPENED;
        /// GLIDE gave it a number.
        GlideAssigned(incident::IncidentGlideAssigned) GLIDE_ASSIGNED;
        /// It belongs to another.
        Related(incident::IncidentRelated) INCIDENT_RELATED;
        /// It does not belong to another any more.
        Unrelated(incident::IncidentUnrelated) INCIDENT_UNRELATED;
        /// An account took a post.
        PostFilled(incident::IncidentPostFilled) POST_FILLED;
        /// An account left a post.
        PostVacated(incident::IncidentPostVacated) POST_VACATED;
        /// The posts of a level were called.
        Escalated(incident::IncidentEscalated) INCIDENT_ESCALATED;
        /// The called are there.
        EscalationAnswered(incident::IncidentEscalationAnswered) ESCALATION_ANSWERED;
        /// An operational period was set.
        PeriodPlanned(incident::IncidentPeriodPlanned) PERIOD_PLANNED;
        /// A period's plan was approved.
        PlanApproved(incident::IncidentPlanApproved) PLAN_APPROVED;
        /// An objective was set.
        ObjectiveSet(incident::IncidentObjectiveSet) OBJECTIVE_SET;
        /// An objective was reached or dropped.
        ObjectiveSettled(incident::IncidentObjectiveSettled) OBJECTIVE_SETTLED;
        /// Something is needed.
        NeedSet(incident::IncidentNeedSet) NEED_SET;
        /// A part of a need was met.
        NeedMet(incident::IncidentNeedMet) NEED_MET;
        /// Something became of a need.
        NeedSettled(incident::IncidentNeedSettled) NEED_SETTLED;
        /// A legal status was declared.
        EmergencyDeclared(incident::IncidentEmergencyDeclared) EMERGENCY_DECLARED;
        /// A legal status was ended early.
        EmergencyEnded(incident::IncidentEmergencyEnded) EMERGENCY_ENDED;
        /// It was assessed.
        Assessed(incident::IncidentAssessed) INCIDENT_ASSESSED;
        /// A file was attached.
        Attached(incident::IncidentAttached) INCIDENT_ATTACHED;
    }
}

impl IncidentEvent {
    /// Returns the file that it names; see [`Event::blob`].
    fn blob(&self) -> Option<Blob> {
        let Self::Attached(attached) = self else {
            return None;
        };
        Blob::read(attached.blob.as_ref()?)
    }
}

events! {
    /// An event of an account.
    AccountEvent of Account {
        /// It was made.
        Created(account::AccountCreated) ACCOUNT_CREATED;
        /// A role was given.
        RoleGranted(account::RoleGranted) ROLE_GRANTED;
        /// A role was taken back.
        RoleRevoked(account::RoleRevoked) ROLE_REVOKED;
        /// The password was changed.
        PasswordChanged(account::PasswordChanged) PASSWORD_CHANGED;
        /// It was disabled.
        Disabled(account::AccountDisabled) ACCOUNT_DISABLED;
        /// Its holder accepted the risk of promising in an unproven start.
        RiskAccepted(account::RiskAccepted) RISK_ACCEPTED;
        /// It is told of warnings.
        WarningsSubscribed(account::WarningsSubscribed) WARNINGS_SUBSCRIBED;
        /// It is not told of some warnings any more.
        WarningsUnsubscribed(account::WarningsUnsubscribed) WARNINGS_UNSUBSCRIBED;
        /// It has seen its warnings.
        WarningsSeen(account::WarningsSeen) WARNINGS_SEEN;
    }
}

events! {
    /// An event of a directive.
    DirectiveEvent of Directive {
        /// It was issued.
        Issued(directive::DirectiveIssued) DIRECTIVE_ISSUED;
        /// It was withdrawn.
        Withdrawn(directive::DirectiveWithdrawn) DIRECTIVE_WITHDRAWN;
    }
}

events! {
    /// An event of a log: what its owner says about entries of it.
    LogEvent of Log {
        /// Entries that it leaves out are not to be recorded again.
        Disowned(log::Disowned) DISOWNED;
        /// No node has these payloads any more.
        PayloadLost(log::PayloadLost) PAYLOAD_LOST;
        /// A payload is to be deleted everywhere.
        PayloadWithdrawn(log::PayloadWithdrawn) PAYLOAD_WITHDRAWN;
    }
}

events! {
    /// An event of a site.
    SiteEvent of Site {
        /// It was opened.
        Opened(site::SiteOpened) SITE_OPENED;
        /// It can do another quantity.
        CapacitySet(site::SiteCapacitySet) SITE_CAPACITY_SET;
        /// Its people were counted.
        OccupancyCounted(site::SiteOccupancyCounted) SITE_OCCUPANCY_COUNTED;
        /// It did something.
        OutputReported(site::SiteOutputReported) SITE_OUTPUT_REPORTED;
        /// It lacks something.
        NeedSet(site::SiteNeedSet) SITE_NEED_SET;
        /// A part of what it lacks came.
        NeedMet(site::SiteNeedMet) SITE_NEED_MET;
        /// It was closed.
        Closed(site::SiteClosed) SITE_CLOSED;
    }
}

/// What could not be read as an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// This version knows no such event: it is kept, and folded after an update.
    #[error("event type `{type_id:#06x}` version `{type_version}` is not known here")]
    Unknown {
        /// The event's number.
        type_id: u32,
        /// Its version.
        type_version: u16,
    },
    /// The bytes are no such message.
    #[error("the bytes are no `{name}`: {reason}")]
    Malformed {
        /// The message's name.
        name: &'static str,
        /// What the decoder says.
        reason: String,
    },
}

/// Why a fold refused an event that its owner should not have written; the state stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IllegalEvent {
    /// A first event came to a stream that has begun.
    #[error("`{event}` came to a stream that has already begun")]
    AlreadyBegun {
        /// The message's name.
        event: &'static str,
    },
    /// Another event came before the first.
    #[error("`{event}` came to a stream that has not begun")]
    NotBegun {
        /// The message's name.
        event: &'static str,
    },
    /// The state does not allow it.
    #[error("`{event}` is not allowed in `{from}`")]
    WrongState {
        /// The message's name.
        event: &'static str,
        /// Where the thing stands.
        from: &'static str,
    },
    /// A field cannot be what the event needs.
    #[error("field `{field}` of `{event}` cannot be used")]
    Malformed {
        /// The message's name.
        event: &'static str,
        /// The field.
        field: &'static str,
    },
    /// It happened before what it follows, or a figure is older than the one held.
    #[error("`{event}` lies before what it follows")]
    OutOfOrder {
        /// The message's name.
        event: &'static str,
    },
    /// An exercise touched something real, or the other way round.
    #[error("`{event}` mixes an exercise with what is real")]
    ExerciseMixed {
        /// The message's name.
        event: &'static str,
    },
}

impl IllegalEvent {
    /// Returns the reason as one word, to count by.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::AlreadyBegun { .. } => "already_begun",
            Self::NotBegun { .. } => "not_begun",
            Self::WrongState { .. } => "wrong_state",
            Self::Malformed { .. } => "malformed",
            Self::OutOfOrder { .. } => "out_of_order",
            Self::ExerciseMixed { .. } => "exercise_mixed",
        }
    }
}

impl Event {
    /// Returns how it stands in a log.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Warning(event) => event.kind(),
            Self::Incident(event) => event.kind(),
            Self::Account(event) => event.kind(),
            Self::Directive(event) => event.kind(),
            Self::Log(event) => event.kind(),
            Self::Site(event) => event.kind(),
            Self::Draft(event) => event.kind(),
            Self::Feed(event) => event.kind(),
        }
    }

    /// Returns its number.
    pub fn type_id(&self) -> u32 {
        self.kind().type_id
    }

    /// Returns its message's version.
    pub fn type_version(&self) -> u16 {
        self.kind().type_version
    }

    /// Returns who gets it.
    pub fn class(&self) -> Class {
        self.kind().class
    }

    /// Says whether its payload may be withdrawn.
    pub fn withdrawable(&self) -> bool {
        self.kind().withdrawable
    }

    /// Says whether it gives out what there is only one of.
    pub fn scarce(&self) -> bool {
        self.kind().scarce
    }

    /// Returns its area.
    pub fn area(&self) -> Area {
        self.kind().area
    }

    /// Returns the file that it names, which lies beside the logs; none when it names none, or none that can be.
    pub fn blob(&self) -> Option<Blob> {
        match self {
            Self::Incident(event) => event.blob(),
            Self::Warning(_)
            | Self::Account(_)
            | Self::Directive(_)
            | Self::Log(_)
            | Self::Site(_)
            | Self::Draft(_)
            | Self::Feed(_) => None,
        }
    }

    /// Returns the message's bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Warning(event) => event.encode(),
            Self::Incident(event) => event.encode(),
            Self::Account(event) => event.encode(),
            Self::Directive(event) => event.encode(),
            Self::Log(event) => event.encode(),
            Self::Site(event) => event.encode(),
            Self::Draft(event) => event.encode(),
            Self::Feed(event) => event.encode(),
        }
    }

    /// Reads an event from a log by its number and version; a number or version not known here is `Unknown`.
    pub fn decode(type_id: u32, type_version: u16, bytes: &[u8]) -> Result<Self, DecodeError> {
        let known = KINDS
            .iter()
            .find(|kind| kind.type_id == type_id && kind.type_version == type_version);
        let Some(kind) = known else {
            return Err(DecodeError::Unknown {
                type_id,
                type_version,
            });
        };
        let event = match kind.area {
            Area::Warning => WarningEvent::read(*kind, bytes),
            Area::Incident => IncidentEvent::read(*kind, bytes),
            Area::Account => AccountEvent::read(*kind, bytes),
            Area::Directive => DirectiveEvent::read(*kind, bytes),
            Area::Log => LogEvent::read(*kind, bytes),
            Area::Site => SiteEvent::read(*kind, bytes),
            Area::Draft => DraftEvent::read(*kind, bytes),
            Area::Feed => FeedEvent::read(*kind, bytes),
        };
        event
            .map_err(|error| DecodeError::Malformed {
                name: kind.name,
                reason: error.to_string(),
            })?
            .ok_or(DecodeError::Unknown {
                type_id,
                type_version,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_in_the_table_decodes_to_itself() {
        for kind in KINDS {
            let event = Event::decode(kind.type_id, kind.type_version, &[]).unwrap();
            assert_eq!(event.kind(), *kind);
            assert_eq!(event.encode(), Vec::<u8>::new());
        }
        assert!(
            KINDS.is_sorted_by(|a, b| a.type_id < b.type_id),
            "numbers are unique and in order"
        );
    }

    #[test]
    fn only_notes_and_an_attachment_are_withdrawable_and_nothing_is_scarce_yet() {
        let names = |of: fn(&Kind) -> bool| {
            KINDS
                .iter()
                .filter(|kind| of(kind))
                .map(|kind| kind.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names(|kind| kind.withdrawable),
            ["WarningNoted", "IncidentNoted", "IncidentAttached"]
        );
        assert_eq!(names(|kind| kind.scarce), [""; 0]);
        assert!(
            KINDS
                .iter()
                .all(|kind| (kind.class == Class::Local) == (kind.area.is_local()))
        );
    }

    #[test]
    fn what_is_not_known_is_told_from_what_is_broken() {
        let unknown = DecodeError::Unknown {
            type_id: 0x0201,
            type_version: 2,
        };
        assert_eq!(Event::decode(0x0201, 2, &[]), Err(unknown));
        assert!(matches!(
            Event::decode(0x0200, 1, &[]),
            Err(DecodeError::Unknown { .. })
        ));
        assert!(matches!(
            Event::decode(0x0201, 1, &[0xff]),
            Err(DecodeError::Malformed {
                name: "IncidentReported",
                ..
            })
        ));
    }
}
