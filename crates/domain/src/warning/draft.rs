//! Drafts of a node's own warnings: one person drafts, another approves, and then the warning stands.
//!
//! ```text
//! drafted ──approved by another──▶ the warning is issued, updated or cancelled
//!    ├────withdrawn
//!    └────expired, by its own end
//! ```
//! A draft never leaves its node: what nobody has approved is nobody's warning.
//! What it never does: let the account that drafted approve, whatever roles it has.

use posko_proto::{
    Id,
    time::Millis,
    warning::v1::{
        AlertStatus, Certainty, Content, DraftKind, DraftStatus, MessageKind, Reference, Severity,
        Source, Urgency, WarningCancelled, WarningDraftApproved, WarningDraftWithdrawn,
        WarningDrafted, WarningIssued, WarningUpdated,
    },
};
use serde::{Deserialize, Serialize};

pub use crate::event::DraftEvent;
use crate::{
    context::{Context, Recorded},
    event::{IllegalEvent, WarningEvent},
    region,
    warning::{
        WarningRejection, WarningState,
        command::{check_content, named, specified, time},
        ends_at, stream_of,
    },
    wire,
};

/// The most messages that a warning says it replaces; of more the oldest are left out.
const REPLACES: usize = 100;

/// What may be asked of a draft.
#[expect(
    clippy::large_enum_variant,
    reason = "a command is made once and moved once"
)]
#[derive(Debug, Clone, PartialEq)]
pub enum DraftCommand {
    /// Draft it.
    Draft(WarningDrafted),
    /// Approve it.
    Approve {
        /// The account that approves.
        by: Id,
    },
    /// Give it up.
    Withdraw,
}

/// Where a draft stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftState {
    /// What was drafted.
    #[serde(with = "wire::message")]
    pub drafted: WarningDrafted,
    /// Who drafted it.
    pub drafted_by: Id,
    /// When its owner recorded it.
    pub drafted_at: Millis,
    /// Who approved or withdrew it, and when.
    pub decided: Option<(Id, Millis)>,
    /// The warning that was issued or changed; none unless it was approved.
    pub warning: Option<Id>,
    /// Whether it belongs to a drill.
    pub exercise: bool,
    /// The stream's version.
    pub version: u32,
    /// When its owner recorded the newest event.
    pub recorded_at: Millis,
}

/// What follows from a command about a draft.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// The draft's own events.
    pub draft: Vec<DraftEvent>,
    /// The warning's, with its stream.
    pub warning: Option<(Id, Vec<WarningEvent>)>,
}

impl DraftState {
    /// Returns what it says.
    pub fn content(&self) -> Content {
        self.drafted.content.clone().unwrap_or_default()
    }

    /// Returns its end, which is that of what it says.
    pub fn ends_at(&self) -> Option<Millis> {
        let content = self.drafted.content.as_ref()?;
        let at = content.expires_at.as_ref()?;
        Millis::try_from(at).ok()
    }

    /// Returns the regions that it is about.
    pub fn regions(&self) -> Vec<String> {
        regions(self.drafted.content.as_ref())
    }

    /// Returns where it stands at a moment.
    pub fn standing(&self, now: Millis) -> DraftStatus {
        match (self.decided, self.warning) {
            (Some(_), Some(_)) => DraftStatus::Approved,
            (Some(_), None) => DraftStatus::Withdrawn,
            (None, _) if self.ends_at().is_none_or(|end| end <= now) => DraftStatus::Expired,
            (None, _) => DraftStatus::Open,
        }
    }
}

/// Returns the codes of the regions that a content names, those of the places where an earthquake was felt too.
pub fn regions(content: Option<&Content>) -> Vec<String> {
    let Some(content) = content else {
        return Vec::new();
    };
    let areas = content.areas.iter().flat_map(|area| &area.region_codes);
    let felt = content.felt_places.iter().map(|place| &place.region_code);
    let codes = areas.chain(felt.filter(|code| !code.is_empty()));
    codes.cloned().collect()
}

/// Returns the identifier of the message that a draft becomes, which no other message has.
pub fn message_of(context: &Context, draft: Id) -> String {
    format!("posko.{}.{draft}", context.node)
}

/// Returns the warning whose state a decision looks at: the one that a draft changes, or would make.
pub fn looks_at(
    state: Option<&DraftState>,
    draft: Id,
    command: &DraftCommand,
    context: &Context,
) -> Option<Id> {
    let named = |drafted: &WarningDrafted| Id::try_from(drafted.warning_id.as_slice()).ok();
    match command {
        DraftCommand::Draft(drafted) => named(drafted),
        DraftCommand::Approve { .. } => named(&state?.drafted)
            .or_else(|| Some(stream_of(Source::Own, &message_of(context, draft)))),
        DraftCommand::Withdraw => None,
    }
}

/// Decides on a command about a draft. `target` is the state of the warning that [`looks_at`] named.
pub fn decide(
    state: Option<&DraftState>,
    draft: Id,
    target: Option<&WarningState>,
    command: &DraftCommand,
    context: &Context,
) -> Result<Decision, WarningRejection> {
    if let Some(state) = state.filter(|state| state.exercise != context.exercise) {
        return Err(WarningRejection::ExerciseDraftMixed {
            command: !state.exercise,
        });
    }
    match command {
        DraftCommand::Draft(drafted) => {
            if state.is_some() {
                return Err(WarningRejection::DraftedAlready);
            }
            check(drafted, context)?;
            if drafted.kind() != DraftKind::Issue {
                changeable(target, drafted, context)?;
            }
            Ok(Decision {
                draft: vec![DraftEvent::Drafted(drafted.clone())],
                warning: None,
            })
        }
        DraftCommand::Approve { by } => {
            let state = open(state, context)?;
            if state.drafted_by == *by {
                return Err(WarningRejection::SamePerson);
            }
            let message = message_of(context, draft);
            let (warning, events) = issued(state, message, target, context)?;
            let approved = WarningDraftApproved {
                warning_id: warning.to_vec(),
            };
            Ok(Decision {
                draft: vec![DraftEvent::Approved(approved)],
                warning: Some((warning, events)),
            })
        }
        DraftCommand::Withdraw => {
            open(state, context)?;
            Ok(Decision {
                draft: vec![DraftEvent::Withdrawn(WarningDraftWithdrawn {})],
                warning: None,
            })
        }
    }
}

/// Returns the warning that an approved draft makes or changes, and its events.
fn issued(
    state: &DraftState,
    message: String,
    target: Option<&WarningState>,
    context: &Context,
) -> Result<(Id, Vec<WarningEvent>), WarningRejection> {
    let drafted = &state.drafted;
    // CAP knows whole seconds.
    let sent = Millis(context.now.0.div_euclid(1000) * 1000);
    let said = Content {
        sent_at: Some(sent.into()),
        message_kind: MessageKind::Alert.into(),
        ..state.content()
    };
    if drafted.kind() == DraftKind::Issue {
        let warning = stream_of(Source::Own, &message);
        let event = WarningEvent::Issued(WarningIssued {
            source: Source::Own.into(),
            publisher: drafted.publisher.clone(),
            identifier: message,
            content: Some(said),
        });
        return Ok((warning, vec![event]));
    }
    let target = changeable(target, drafted, context)?;
    let said = Content {
        message_kind: if drafted.kind() == DraftKind::Cancel {
            MessageKind::Cancel.into()
        } else {
            MessageKind::Update.into()
        },
        message_identifier: message,
        references: replaced(target),
        ..said
    };
    let updated = WarningEvent::Updated(WarningUpdated {
        content: Some(said),
    });
    let cancelled = WarningEvent::Cancelled(WarningCancelled::default());
    let is_cancel = drafted.kind() == DraftKind::Cancel;
    let events = [updated].into_iter().chain(is_cancel.then_some(cancelled));
    Ok((stream_of(Source::Own, &target.identifier), events.collect()))
}

/// Returns the messages that the next one of a warning replaces: all before it.
fn replaced(warning: &WarningState) -> Vec<Reference> {
    let content = &warning.content;
    let last = Reference {
        sender: content.sender.clone(),
        identifier: message_identifier(warning).to_owned(),
        sent_at: content.sent_at,
        warning_id: stream_of(Source::Own, &warning.identifier).to_vec(),
    };
    let all = content.references.iter().cloned().chain([last]);
    let all: Vec<Reference> = all.collect();
    let skipped = all.len().saturating_sub(REPLACES);
    all.into_iter().skip(skipped).collect()
}

/// Returns CAP's id of the message that says what a warning says now.
pub fn message_identifier(warning: &WarningState) -> &str {
    let message = warning.content.message_identifier.as_str();
    if message.is_empty() {
        &warning.identifier
    } else {
        message
    }
}

/// Returns the warning that a draft changes: own, in force, and as it was when the draft was made.
fn changeable<'a>(
    target: Option<&'a WarningState>,
    drafted: &WarningDrafted,
    context: &Context,
) -> Result<&'a WarningState, WarningRejection> {
    let target = target.ok_or(WarningRejection::NotFound)?;
    let identifier = target.identifier.clone();
    if target.source != Source::Own {
        return Err(WarningRejection::NotOwn { identifier });
    }
    if target.exercise != context.exercise {
        return Err(WarningRejection::ExerciseMixed {
            command: !target.exercise,
        });
    }
    if target.cancelled {
        return Err(WarningRejection::AlreadyCancelled { identifier });
    }
    let since = ends_at(target);
    if since <= context.now {
        return Err(WarningRejection::Over { identifier, since });
    }
    if target.version != drafted.warning_version {
        return Err(WarningRejection::Changed { identifier });
    }
    Ok(target)
}

/// Returns the draft if it waits for a second person.
fn open<'a>(
    state: Option<&'a DraftState>,
    context: &Context,
) -> Result<&'a DraftState, WarningRejection> {
    let state = state.ok_or(WarningRejection::NoSuchDraft)?;
    match state.standing(context.now) {
        DraftStatus::Open => Ok(state),
        DraftStatus::Expired => Err(WarningRejection::DraftExpired {
            at: state.ends_at().unwrap_or(state.drafted_at),
        }),
        status => Err(WarningRejection::DraftDecided { status }),
    }
}

/// Checks what a draft says: whole, in Bahasa Indonesia, with an end, within the own province.
fn check(drafted: &WarningDrafted, context: &Context) -> Result<(), WarningRejection> {
    specified("kind", drafted.kind() == DraftKind::Unspecified)?;
    named("publisher", &drafted.publisher)?;
    let said = drafted.content.clone().unwrap_or_default();
    check_content(&said)?;
    let wanted = if context.exercise {
        AlertStatus::Exercise
    } else {
        AlertStatus::Actual
    };
    if said.status() != wanted {
        let expected = "an own warning is actual, and one of an exercise says so";
        let status = said.status().as_str_name();
        return Err(WarningRejection::invalid(
            "content.status",
            status,
            expected,
        ));
    }
    if said.language != "id" {
        let expected = "an own warning is written in Bahasa Indonesia, `id`";
        return Err(WarningRejection::invalid(
            "content.language",
            &said.language,
            expected,
        ));
    }
    named("content.sender", &said.sender)?;
    named("content.headline", &said.headline)?;
    named("content.description", &said.description)?;
    specified("content.severity", said.severity() == Severity::Unspecified)?;
    specified("content.urgency", said.urgency() == Urgency::Unspecified)?;
    specified(
        "content.certainty",
        said.certainty() == Certainty::Unspecified,
    )?;
    let mut languages: Vec<&str> = said
        .texts
        .iter()
        .map(|text| text.language.as_str())
        .collect();
    languages.push("id");
    languages.sort_unstable();
    if let Some(twice) = languages.windows(2).find_map(|two| match two {
        [one, other] if one == other => Some(*one),
        _ => None,
    }) {
        let expected = "each language once";
        return Err(WarningRejection::invalid(
            "content.texts.language",
            twice,
            expected,
        ));
    }
    for text in &said.texts {
        named("content.texts.headline", &text.headline)?;
        named("content.texts.description", &text.description)?;
    }
    let end = time("content.expires_at", said.expires_at.as_ref())?;
    let end = end.ok_or(WarningRejection::invalid(
        "content.expires_at",
        "",
        "an own warning says until when it holds",
    ))?;
    if end <= context.now {
        return Err(WarningRejection::EndsBeforeItBegins {
            effective: context.now,
            expires: end,
        });
    }
    check_regions(&said, context)
}

/// Refuses an own warning for no region, or for another province's. A node that is named after none may warn anywhere.
fn check_regions(said: &Content, context: &Context) -> Result<(), WarningRejection> {
    let node = context.node.as_str();
    let codes = regions(Some(said));
    if codes.is_empty() {
        let expected = "an own warning names at least one region";
        return Err(WarningRejection::invalid(
            "content.areas.region_codes",
            "",
            expected,
        ));
    }
    let outside = |code: &&String| !region::within(code, node);
    match codes.iter().find(outside) {
        Some(code) if region::find(node).is_some() => Err(WarningRejection::OtherProvince {
            code: code.clone(),
            node: context.node,
        }),
        _ => Ok(()),
    }
}

/// Folds an event into the state: total and deterministic.
/// An event that its owner should not have written is refused with its reason, and the state stays as it was.
pub fn apply(
    state: Option<DraftState>,
    event: &DraftEvent,
    recorded: &Recorded,
) -> Result<DraftState, IllegalEvent> {
    let name = event.kind().name;
    let state = match event {
        DraftEvent::Drafted(_) if state.is_some() => {
            return Err(IllegalEvent::AlreadyBegun { event: name });
        }
        DraftEvent::Drafted(drafted) => DraftState {
            drafted: drafted.clone(),
            drafted_by: recorded.actor,
            drafted_at: recorded.at,
            decided: None,
            warning: None,
            exercise: recorded.exercise,
            version: recorded.version,
            recorded_at: recorded.at,
        },
        DraftEvent::Approved(approved) => {
            let malformed = |_| IllegalEvent::Malformed {
                event: name,
                field: "warning_id",
            };
            let warning = Id::try_from(approved.warning_id.as_slice()).map_err(malformed)?;
            DraftState {
                decided: Some((recorded.actor, recorded.at)),
                warning: Some(warning),
                ..undecided(state, name, recorded)?
            }
        }
        DraftEvent::Withdrawn(_) => DraftState {
            decided: Some((recorded.actor, recorded.at)),
            ..undecided(state, name, recorded)?
        },
    };
    Ok(DraftState {
        version: recorded.version,
        recorded_at: recorded.at,
        ..state
    })
}

fn undecided(
    state: Option<DraftState>,
    event: &'static str,
    recorded: &Recorded,
) -> Result<DraftState, IllegalEvent> {
    let state = state.ok_or(IllegalEvent::NotBegun { event })?;
    if state.exercise != recorded.exercise {
        return Err(IllegalEvent::ExerciseMixed { event });
    }
    if state.decided.is_some() {
        return Err(IllegalEvent::WrongState {
            event,
            from: state.standing(recorded.at).as_str_name(),
        });
    }
    Ok(state)
}

#[cfg(test)]
mod tests;
