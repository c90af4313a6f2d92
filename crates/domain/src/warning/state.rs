//! Where a warning stands, and how each event changes that.

use posko_proto::{
    Id,
    time::Millis,
    warning::v1::{Content, DismissReason, MessageKind, Review, Source, State},
};
use serde::{Deserialize, Serialize};

use crate::{
    context::Recorded,
    event::{IllegalEvent, WarningEvent},
    wire,
};

/// How long a warning holds whose publisher gives no end, in seconds: a day.
const WITHOUT_END_SECONDS: i64 = 24 * 3600;

/// A newer warning in the place of an older.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// The newer one's stream.
    pub by: Id,
    /// The publisher's id of the newer one.
    pub identifier: String,
}

/// The message that took a warning back; a person's word has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelledBy {
    /// The publisher's id of it, or empty.
    pub identifier: String,
    /// The host whose feed brought it, or empty.
    pub carried_by: String,
    /// The account that took it back; none where a feed's message did.
    pub account: Option<Id>,
}

impl CancelledBy {
    /// Says whether a person took it back by her own word.
    pub fn is_person(&self) -> bool {
        self.account.is_some() && self.identifier.is_empty()
    }
}

/// Where a warning stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WarningState {
    /// Where it came from.
    #[serde(with = "wire::number")]
    pub source: Source,
    /// Who is to be credited.
    pub publisher: String,
    /// The publisher's own id of it.
    pub identifier: String,
    /// What it says now.
    #[serde(with = "wire::message")]
    pub content: Content,
    /// Whether it was taken back; that is for good.
    pub cancelled: bool,
    /// The message that took it back; empty while it stands, and when a person did.
    pub cancelled_by: CancelledBy,
    /// The newer one in its place; that is for good too.
    pub replaced: Option<Replaced>,
    /// How far a report was looked into; unspecified for what is no report.
    #[serde(with = "wire::number")]
    pub review: Review,
    /// Why a report was dismissed.
    #[serde(with = "wire::number")]
    pub dismissed: DismissReason,
    /// The incident that was opened from a report.
    pub incident: Option<Id>,
    /// Whether it belongs to a drill of ours; a publisher's exercise says so in its status.
    pub exercise: bool,
    /// The stream's version.
    pub version: u32,
    /// When its owner first took it in.
    pub taken_at: Millis,
    /// When its owner recorded the newest event.
    pub recorded_at: Millis,
}

/// Folds an event into the state: total and deterministic.
/// An event that its owner should not have written is refused with its reason, and the state stays as it was.
pub fn apply(
    state: Option<WarningState>,
    event: &WarningEvent,
    recorded: &Recorded,
) -> Result<WarningState, IllegalEvent> {
    let name = event.kind().name;
    let state = match event {
        WarningEvent::Issued(_) if state.is_some() => {
            return Err(IllegalEvent::AlreadyBegun { event: name });
        }
        WarningEvent::Issued(issued) => WarningState {
            source: issued.source(),
            publisher: issued.publisher.clone(),
            identifier: issued.identifier.clone(),
            content: readable(issued.content.as_ref(), name)?,
            // A message that takes others back warns of nothing itself.
            cancelled: issued
                .content
                .as_ref()
                .is_some_and(|content| content.message_kind() == MessageKind::Cancel),
            cancelled_by: CancelledBy::default(),
            replaced: None,
            review: if issued.source() == Source::Report {
                Review::Unverified
            } else {
                Review::Unspecified
            },
            dismissed: DismissReason::Unspecified,
            incident: None,
            exercise: recorded.exercise,
            version: recorded.version,
            taken_at: recorded.at,
            recorded_at: recorded.at,
        },
        WarningEvent::Updated(updated) => {
            let content = readable(updated.content.as_ref(), name)?;
            WarningState {
                content,
                ..begun(state, name, recorded)?
            }
        }
        WarningEvent::Cancelled(by) => {
            let state = begun(state, name, recorded)?;
            if state.cancelled {
                return Err(IllegalEvent::WrongState {
                    event: name,
                    from: State::Cancelled.as_str_name(),
                });
            }
            WarningState {
                cancelled: true,
                cancelled_by: CancelledBy {
                    identifier: by.identifier.clone(),
                    carried_by: by.carried_by.clone(),
                    account: by.carried_by.is_empty().then_some(recorded.actor),
                },
                ..state
            }
        }
        WarningEvent::Replaced(replaced) => {
            let state = begun(state, name, recorded)?;
            let by = Id::try_from(replaced.warning_id.as_slice()).map_err(|_| {
                IllegalEvent::Malformed {
                    event: name,
                    field: "warning_id",
                }
            })?;
            if state.cancelled || state.replaced.is_some() {
                return Err(IllegalEvent::WrongState {
                    event: name,
                    from: State::Replaced.as_str_name(),
                });
            }
            WarningState {
                replaced: Some(Replaced {
                    by,
                    identifier: replaced.identifier.clone(),
                }),
                ..state
            }
        }
        WarningEvent::Noted(_) => begun(state, name, recorded)?,
        WarningEvent::Verified(verified) => {
            let malformed = |_| IllegalEvent::Malformed {
                event: name,
                field: "incident_id",
            };
            WarningState {
                review: Review::Verified,
                incident: Some(Id::try_from(verified.incident_id.as_slice()).map_err(malformed)?),
                ..unverified(state, name, recorded)?
            }
        }
        WarningEvent::Dismissed(dismissed) => WarningState {
            review: Review::Dismissed,
            dismissed: dismissed.reason(),
            // What leads to nothing is no danger any more.
            cancelled: true,
            ..unverified(state, name, recorded)?
        },
    };
    Ok(WarningState {
        version: recorded.version,
        recorded_at: recorded.at,
        ..state
    })
}

/// Returns until when a warning holds: its own end; without one, 24 h after an earthquake's origin time, and 24 h after
/// it was sent for any other.
pub fn ends_at(state: &WarningState) -> Millis {
    let at = |time: Option<&prost_types::Timestamp>| time.and_then(|at| Millis::try_from(at).ok());
    let content = &state.content;
    let origin_time = content
        .earthquake
        .as_ref()
        .and_then(|earthquake| at(earthquake.origin_time.as_ref()));
    let begins = origin_time
        .or(at(content.sent_at.as_ref()))
        .unwrap_or(state.taken_at);
    at(content.expires_at.as_ref()).unwrap_or(begins.plus_seconds(WITHOUT_END_SECONDS))
}

/// Returns where a warning stands at a moment: cancelled, replaced, expired from its end on, or else in force, also when it is
/// only about to hold. An earthquake without an end is in force for 24 h after its origin time, any other warning
/// without one for 24 h after it was sent.
pub fn standing(state: &WarningState, now: Millis) -> State {
    if state.cancelled {
        State::Cancelled
    } else if state.replaced.is_some() {
        State::Replaced
    } else if now >= ends_at(state) {
        State::Expired
    } else {
        State::InForce
    }
}

/// The content, whose time of sending must be readable, since standing depends on it.
fn readable(content: Option<&Content>, event: &'static str) -> Result<Content, IllegalEvent> {
    let malformed = |field| IllegalEvent::Malformed { event, field };
    let content = content.ok_or(malformed("content"))?;
    let sent = content
        .sent_at
        .as_ref()
        .and_then(|at| Millis::try_from(at).ok());
    sent.ok_or(malformed("content.sent_at"))?;
    Ok(content.clone())
}

/// The state of a report that nobody has judged.
fn unverified(
    state: Option<WarningState>,
    event: &'static str,
    recorded: &Recorded,
) -> Result<WarningState, IllegalEvent> {
    let state = begun(state, event, recorded)?;
    if state.review != Review::Unverified {
        return Err(IllegalEvent::WrongState {
            event,
            from: state.review.as_str_name(),
        });
    }
    Ok(state)
}

fn begun(
    state: Option<WarningState>,
    event: &'static str,
    recorded: &Recorded,
) -> Result<WarningState, IllegalEvent> {
    let state = state.ok_or(IllegalEvent::NotBegun { event })?;
    if state.exercise != recorded.exercise {
        return Err(IllegalEvent::ExerciseMixed { event });
    }
    Ok(state)
}
