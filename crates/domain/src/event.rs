//! Every event of every area, with the number under which it stands in a log.
//!
//! What it never does: change an event's bytes once written. A new shape is a new version, a new meaning a new number.

use posko_proto::{
    account::v1 as account, directive::v1 as directive, incident::v1 as incident, log::v1 as log,
    warning::v1 as warning,
};
use prost::Message;

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
// no longer recorded. `scarce` on a report: it issues a number. `withdrawable` on a note: free text without effect.
kinds! {
    WARNING_ISSUED           0x0101 "WarningIssued"          Warning   Regional;
    WARNING_UPDATED          0x0102 "WarningUpdated"         Warning   Regional;
    WARNING_CANCELLED        0x0103 "WarningCancelled"       Warning   Regional;
    INCIDENT_REPORTED        0x0201 "IncidentReported"       Incident  Regional;
    INCIDENT_VERIFIED        0x0202 "IncidentVerified"       Incident  Regional;
    INCIDENT_REJECTED        0x0203 "IncidentRejected"       Incident  Regional;
    INCIDENT_ACTIVATED       0x0204 "IncidentActivated"      Incident  Regional;
    IMPACT_RECORDED          0x0205 "ImpactRecorded"         Incident  Regional;
    INCIDENT_OPERATION_ENDED 0x0206 "IncidentOperationEnded" Incident  Regional;
    INCIDENT_CLOSED          0x0207 "IncidentClosed"         Incident  Regional;
    INCIDENT_NOTED           0x0208 "IncidentNoted"          Incident  Regional withdrawable;
    ACCOUNT_CREATED          0x0301 "AccountCreated"         Account   Local;
    ROLE_GRANTED             0x0302 "RoleGranted"            Account   Local;
    ROLE_REVOKED             0x0303 "RoleRevoked"            Account   Local;
    PASSWORD_CHANGED         0x0304 "PasswordChanged"        Account   Local;
    ACCOUNT_DISABLED         0x0305 "AccountDisabled"        Account   Local;
    RISK_ACCEPTED            0x0306 "RiskAccepted"           Account   Local;
    DIRECTIVE_ISSUED         0x0401 "DirectiveIssued"        Directive Regional;
    DIRECTIVE_WITHDRAWN      0x0402 "DirectiveWithdrawn"     Directive Regional;
    DISOWNED                 0x0501 "Disowned"               Log       Regional;
    PAYLOAD_LOST             0x0502 "PayloadLost"            Log       Regional;
    PAYLOAD_WITHDRAWN        0x0503 "PayloadWithdrawn"       Log       Regional;
}

/// An event of any area.
#[expect(
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
}

/// An event of a warning.
#[derive(Debug, Clone, PartialEq)]
pub enum WarningEvent {
    /// It was taken in first.
    Issued(warning::WarningIssued),
    /// What it says was replaced.
    Updated(warning::WarningUpdated),
    /// It was taken back.
    Cancelled(warning::WarningCancelled),
}

/// An event of an incident.
#[derive(Debug, Clone, PartialEq)]
pub enum IncidentEvent {
    /// It was reported.
    Reported(incident::IncidentReported),
    /// It was confirmed.
    Verified(incident::IncidentVerified),
    /// It was found false or a duplicate.
    Rejected(incident::IncidentRejected),
    /// Teams were activated.
    Activated(incident::IncidentActivated),
    /// Impact figures were set.
    ImpactRecorded(incident::ImpactRecorded),
    /// The operation ended.
    OperationEnded(incident::IncidentOperationEnded),
    /// It was closed.
    Closed(incident::IncidentClosed),
    /// A note was written.
    Noted(incident::IncidentNoted),
}

/// An event of an account.
#[derive(Debug, Clone, PartialEq)]
pub enum AccountEvent {
    /// It was made.
    Created(account::AccountCreated),
    /// A role was given.
    RoleGranted(account::RoleGranted),
    /// A role was taken back.
    RoleRevoked(account::RoleRevoked),
    /// The password was changed.
    PasswordChanged(account::PasswordChanged),
    /// It was disabled.
    Disabled(account::AccountDisabled),
    /// Its holder accepted the risk of promising in an unproven start.
    RiskAccepted(account::RiskAccepted),
}

/// An event of a directive.
#[derive(Debug, Clone, PartialEq)]
pub enum DirectiveEvent {
    /// It was issued.
    Issued(directive::DirectiveIssued),
    /// It was withdrawn.
    Withdrawn(directive::DirectiveWithdrawn),
}

/// An event of a log: what its owner says about entries of it.
#[derive(Debug, Clone, PartialEq)]
pub enum LogEvent {
    /// Entries that it leaves out are not to be recorded again.
    Disowned(log::Disowned),
    /// No node has these payloads any more.
    PayloadLost(log::PayloadLost),
    /// A payload is to be deleted everywhere.
    PayloadWithdrawn(log::PayloadWithdrawn),
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

    /// Returns the message's bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Warning(event) => match event {
                WarningEvent::Issued(event) => event.encode_to_vec(),
                WarningEvent::Updated(event) => event.encode_to_vec(),
                WarningEvent::Cancelled(event) => event.encode_to_vec(),
            },
            Self::Incident(event) => match event {
                IncidentEvent::Reported(event) => event.encode_to_vec(),
                IncidentEvent::Verified(event) => event.encode_to_vec(),
                IncidentEvent::Rejected(event) => event.encode_to_vec(),
                IncidentEvent::Activated(event) => event.encode_to_vec(),
                IncidentEvent::ImpactRecorded(event) => event.encode_to_vec(),
                IncidentEvent::OperationEnded(event) => event.encode_to_vec(),
                IncidentEvent::Closed(event) => event.encode_to_vec(),
                IncidentEvent::Noted(event) => event.encode_to_vec(),
            },
            Self::Account(event) => match event {
                AccountEvent::Created(event) => event.encode_to_vec(),
                AccountEvent::RoleGranted(event) => event.encode_to_vec(),
                AccountEvent::RoleRevoked(event) => event.encode_to_vec(),
                AccountEvent::PasswordChanged(event) => event.encode_to_vec(),
                AccountEvent::Disabled(event) => event.encode_to_vec(),
                AccountEvent::RiskAccepted(event) => event.encode_to_vec(),
            },
            Self::Directive(event) => match event {
                DirectiveEvent::Issued(event) => event.encode_to_vec(),
                DirectiveEvent::Withdrawn(event) => event.encode_to_vec(),
            },
            Self::Log(event) => match event {
                LogEvent::Disowned(event) => event.encode_to_vec(),
                LogEvent::PayloadLost(event) => event.encode_to_vec(),
                LogEvent::PayloadWithdrawn(event) => event.encode_to_vec(),
            },
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
            Area::Warning => WarningEvent::read(*kind, bytes).map(|event| event.map(Self::Warning)),
            Area::Incident => {
                IncidentEvent::read(*kind, bytes).map(|event| event.map(Self::Incident))
            }
            Area::Account => AccountEvent::read(*kind, bytes).map(|event| event.map(Self::Account)),
            Area::Directive => {
                DirectiveEvent::read(*kind, bytes).map(|event| event.map(Self::Directive))
            }
            Area::Log => LogEvent::read(*kind, bytes).map(|event| event.map(Self::Log)),
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

type Read<T> = Result<Option<T>, prost::DecodeError>;

impl WarningEvent {
    /// Returns how it stands in a log.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Issued(_) => WARNING_ISSUED,
            Self::Updated(_) => WARNING_UPDATED,
            Self::Cancelled(_) => WARNING_CANCELLED,
        }
    }

    fn read(kind: Kind, bytes: &[u8]) -> Read<Self> {
        Ok(Some(match kind {
            WARNING_ISSUED => Self::Issued(Message::decode(bytes)?),
            WARNING_UPDATED => Self::Updated(Message::decode(bytes)?),
            WARNING_CANCELLED => Self::Cancelled(Message::decode(bytes)?),
            _ => return Ok(None),
        }))
    }
}

impl IncidentEvent {
    /// Returns how it stands in a log.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Reported(_) => INCIDENT_REPORTED,
            Self::Verified(_) => INCIDENT_VERIFIED,
            Self::Rejected(_) => INCIDENT_REJECTED,
            Self::Activated(_) => INCIDENT_ACTIVATED,
            Self::ImpactRecorded(_) => IMPACT_RECORDED,
            Self::OperationEnded(_) => INCIDENT_OPERATION_ENDED,
            Self::Closed(_) => INCIDENT_CLOSED,
            Self::Noted(_) => INCIDENT_NOTED,
        }
    }

    fn read(kind: Kind, bytes: &[u8]) -> Read<Self> {
        Ok(Some(match kind {
            INCIDENT_REPORTED => Self::Reported(Message::decode(bytes)?),
            INCIDENT_VERIFIED => Self::Verified(Message::decode(bytes)?),
            INCIDENT_REJECTED => Self::Rejected(Message::decode(bytes)?),
            INCIDENT_ACTIVATED => Self::Activated(Message::decode(bytes)?),
            IMPACT_RECORDED => Self::ImpactRecorded(Message::decode(bytes)?),
            INCIDENT_OPERATION_ENDED => Self::OperationEnded(Message::decode(bytes)?),
            INCIDENT_CLOSED => Self::Closed(Message::decode(bytes)?),
            INCIDENT_NOTED => Self::Noted(Message::decode(bytes)?),
            _ => return Ok(None),
        }))
    }
}

impl AccountEvent {
    /// Returns how it stands in a log.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Created(_) => ACCOUNT_CREATED,
            Self::RoleGranted(_) => ROLE_GRANTED,
            Self::RoleRevoked(_) => ROLE_REVOKED,
            Self::PasswordChanged(_) => PASSWORD_CHANGED,
            Self::Disabled(_) => ACCOUNT_DISABLED,
            Self::RiskAccepted(_) => RISK_ACCEPTED,
        }
    }

    fn read(kind: Kind, bytes: &[u8]) -> Read<Self> {
        Ok(Some(match kind {
            ACCOUNT_CREATED => Self::Created(Message::decode(bytes)?),
            ROLE_GRANTED => Self::RoleGranted(Message::decode(bytes)?),
            ROLE_REVOKED => Self::RoleRevoked(Message::decode(bytes)?),
            PASSWORD_CHANGED => Self::PasswordChanged(Message::decode(bytes)?),
            ACCOUNT_DISABLED => Self::Disabled(Message::decode(bytes)?),
            RISK_ACCEPTED => Self::RiskAccepted(Message::decode(bytes)?),
            _ => return Ok(None),
        }))
    }
}

impl DirectiveEvent {
    /// Returns how it stands in a log.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Issued(_) => DIRECTIVE_ISSUED,
            Self::Withdrawn(_) => DIRECTIVE_WITHDRAWN,
        }
    }

    fn read(kind: Kind, bytes: &[u8]) -> Read<Self> {
        Ok(Some(match kind {
            DIRECTIVE_ISSUED => Self::Issued(Message::decode(bytes)?),
            DIRECTIVE_WITHDRAWN => Self::Withdrawn(Message::decode(bytes)?),
            _ => return Ok(None),
        }))
    }
}

impl From<WarningEvent> for Event {
    fn from(event: WarningEvent) -> Self {
        Self::Warning(event)
    }
}

impl From<IncidentEvent> for Event {
    fn from(event: IncidentEvent) -> Self {
        Self::Incident(event)
    }
}

impl From<DirectiveEvent> for Event {
    fn from(event: DirectiveEvent) -> Self {
        Self::Directive(event)
    }
}

impl From<AccountEvent> for Event {
    fn from(event: AccountEvent) -> Self {
        Self::Account(event)
    }
}

impl LogEvent {
    /// Returns how it stands in a log.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Disowned(_) => DISOWNED,
            Self::PayloadLost(_) => PAYLOAD_LOST,
            Self::PayloadWithdrawn(_) => PAYLOAD_WITHDRAWN,
        }
    }

    fn read(kind: Kind, bytes: &[u8]) -> Read<Self> {
        Ok(Some(match kind {
            DISOWNED => Self::Disowned(Message::decode(bytes)?),
            PAYLOAD_LOST => Self::PayloadLost(Message::decode(bytes)?),
            PAYLOAD_WITHDRAWN => Self::PayloadWithdrawn(Message::decode(bytes)?),
            _ => return Ok(None),
        }))
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
    fn only_a_note_is_withdrawable_and_nothing_is_scarce_yet() {
        let names = |of: fn(&Kind) -> bool| {
            KINDS
                .iter()
                .filter(|kind| of(kind))
                .map(|kind| kind.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(|kind| kind.withdrawable), ["IncidentNoted"]);
        assert_eq!(names(|kind| kind.scarce), [""; 0]);
        assert!(
            KINDS
                .iter()
                .all(|kind| (kind.class == Class::Local) == (kind.area == Area::Account))
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
