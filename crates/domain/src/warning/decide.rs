//! What follows from a command about a warning.

use posko_proto::{
    Id,
    time::Millis,
    warning::v1::{
        AlertStatus, Content, Review, Source, Text, WarningCancelled, WarningDismissed,
        WarningIssued, WarningNoted, WarningReplaced, WarningUpdated, WarningVerified,
    },
};

use crate::{
    context::Context,
    event::WarningEvent,
    warning::{Ending, WarningCommand, WarningRejection, WarningState, command::check},
};

/// The language whose text stands first where an alert has several.
const FIRST_LANGUAGE: &str = "id";

/// How far apart the times of one alert in two languages may lie, in seconds: a publisher writes one after the other.
const TRANSLATED_WITHIN_SECONDS: u64 = 10 * 60;

/// Decides on a command: the events that follow from it, or why there are none.
/// Taking in again what is held as it is gives no event and no refusal.
pub fn decide(
    state: Option<&WarningState>,
    command: &WarningCommand,
    context: &Context,
) -> Result<Vec<WarningEvent>, WarningRejection> {
    check(command)?;
    not_in_future("meta.occurred_at", Some(context.occurred_at), context)?;
    if let Some(state) = state.filter(|state| state.exercise != context.exercise) {
        return Err(WarningRejection::ExerciseMixed {
            command: !state.exercise,
        });
    }
    match command {
        WarningCommand::Take {
            source,
            publisher,
            identifier,
            content,
        } => {
            let at = |time: Option<&prost_types::Timestamp>| {
                time.and_then(|at| Millis::try_from(at).ok())
            };
            not_in_future("content.sent_at", at(content.sent_at.as_ref()), context)?;
            let origin_time = content
                .earthquake
                .as_ref()
                .and_then(|earthquake| earthquake.origin_time.as_ref());
            not_in_future("content.earthquake.origin_time", at(origin_time), context)?;
            if context.exercise && content.status() != AlertStatus::Exercise {
                return Err(WarningRejection::ExerciseMixed { command: true });
            }
            let Some(state) = state else {
                return Ok(vec![WarningEvent::Issued(WarningIssued {
                    source: (*source).into(),
                    publisher: publisher.clone(),
                    identifier: identifier.clone(),
                    content: Some(content.clone()),
                })]);
            };
            if (state.source, &state.identifier) != (*source, identifier) {
                return Err(WarningRejection::OtherWarning {
                    identifier: state.identifier.clone(),
                });
            }
            let newest = newest(*source, &state.content, content);
            if state.content == newest {
                return Ok(Vec::new());
            }
            if is_foreign(state, &content.carried_by) {
                // Another host's word counts as far as it is the same; how it was read need not be.
                return if says_the_same(&state.content, &newest) {
                    Ok(Vec::new())
                } else {
                    Err(other_carrier(state, &content.carried_by))
                };
            }
            Ok(vec![WarningEvent::Updated(WarningUpdated {
                content: Some(newest),
            })])
        }
        WarningCommand::Replace { by, ending } => {
            let state = endable(state, ending)?;
            if state.replaced.is_some() {
                return Ok(Vec::new());
            }
            Ok(vec![WarningEvent::Replaced(WarningReplaced {
                warning_id: by.to_vec(),
                identifier: ending.identifier.clone(),
            })])
        }
        WarningCommand::TakeBack { note } => {
            cancellable(state, &Ending::default())?;
            let cancelled = WarningEvent::Cancelled(WarningCancelled::default());
            Ok([cancelled].into_iter().chain(noted(Some(note))).collect())
        }
        WarningCommand::Cancel(ending) => {
            cancellable(state, ending)?;
            Ok(vec![WarningEvent::Cancelled(WarningCancelled {
                identifier: ending.identifier.clone(),
                carried_by: ending.carried_by.clone(),
            })])
        }
        WarningCommand::Report {
            reporter,
            identifier,
            content,
            text,
        } => {
            let sent = content.sent_at.as_ref();
            let begun = content.effective_at.as_ref();
            let at = |time: Option<&prost_types::Timestamp>| {
                time.and_then(|at| Millis::try_from(at).ok())
            };
            not_in_future("content.sent_at", at(sent), context)?;
            not_in_future("meta.occurred_at", at(begun), context)?;
            if context.exercise != (content.status() == AlertStatus::Exercise) {
                return Err(WarningRejection::ExerciseMixed {
                    command: context.exercise,
                });
            }
            // The same report again, under another command.
            if state.is_some() {
                return Ok(Vec::new());
            }
            let issued = WarningEvent::Issued(WarningIssued {
                source: Source::Report.into(),
                publisher: reporter.clone(),
                identifier: identifier.clone(),
                content: Some(content.clone()),
            });
            Ok([issued].into_iter().chain(noted(text.as_deref())).collect())
        }
        WarningCommand::Dismiss { reason, note } => {
            let state = state.ok_or(WarningRejection::NotFound)?;
            waiting(state)?;
            let dismissed = WarningEvent::Dismissed(WarningDismissed {
                reason: (*reason).into(),
            });
            Ok([dismissed]
                .into_iter()
                .chain(noted(note.as_deref()))
                .collect())
        }
    }
}

/// Returns what follows for a report when an incident is opened from it: nothing for what is no report, or is judged.
pub fn verified(state: &WarningState, incident: Id) -> Option<WarningEvent> {
    let event = WarningVerified {
        incident_id: incident.to_vec(),
    };
    (state.review == Review::Unverified).then_some(WarningEvent::Verified(event))
}

/// Refuses what is no report, or one that was judged already.
fn waiting(state: &WarningState) -> Result<(), WarningRejection> {
    let identifier = state.identifier.clone();
    match state.review {
        Review::Unverified => Ok(()),
        Review::Unspecified => Err(WarningRejection::NoReport { identifier }),
        review => Err(WarningRejection::ReportJudged { identifier, review }),
    }
}

/// Returns a warning that a message may end.
fn endable<'a>(
    state: Option<&'a WarningState>,
    ending: &Ending,
) -> Result<&'a WarningState, WarningRejection> {
    let state = state.ok_or(WarningRejection::NotFound)?;
    let identifier = || state.identifier.clone();
    if state.cancelled {
        return Err(WarningRejection::AlreadyCancelled {
            identifier: identifier(),
        });
    }
    if is_foreign(state, &ending.carried_by) {
        return Err(other_carrier(state, &ending.carried_by));
    }
    let held = state.content.sent_at.as_ref();
    let held = held.and_then(|at| Millis::try_from(at).ok());
    if ending.sent.is_some_and(|sent| Some(sent) < held) {
        return Err(WarningRejection::NotBefore {
            identifier: identifier(),
        });
    }
    Ok(state)
}

/// Refuses to take back what may not be ended, or needs a second person's word.
fn cancellable(state: Option<&WarningState>, ending: &Ending) -> Result<(), WarningRejection> {
    let state = endable(state, ending)?;
    if state.source == Source::Own {
        return Err(WarningRejection::NeedsApproval {
            identifier: state.identifier.clone(),
        });
    }
    Ok(())
}

/// Says whether the feed of another host brought a warning; a person's word, and a warning that a person took, are everybody's.
fn is_foreign(state: &WarningState, carried_by: &str) -> bool {
    let held = &state.content.carried_by;
    !held.is_empty() && !carried_by.is_empty() && held != carried_by
}

fn other_carrier(state: &WarningState, by: &str) -> WarningRejection {
    WarningRejection::OtherCarrier {
        identifier: state.identifier.clone(),
        carried_by: state.content.carried_by.clone(),
        by: by.into(),
    }
}

/// Says whether two contents say the same, however they were brought and read.
fn says_the_same(one: &Content, other: &Content) -> bool {
    let said = |content: &Content| Content {
        carried_by: String::new(),
        notes: Vec::new(),
        ..content.clone()
    };
    said(one) == said(other)
}

/// Returns what a warning says once a message of its publisher is taken in again.
///
/// - A message that was sent before the one that is held changes nothing, whichever way it came.
/// - The same alert in another language adds its text; in Bahasa Indonesia, where it has one, it stays the first.
/// - A person's own correction counts as it is.
fn newest(source: Source, held: &Content, taken: &Content) -> Content {
    if source == Source::Manual {
        return taken.clone();
    }
    let newest = newest_of_publisher(held, taken);
    if taken.carried_by.is_empty() {
        // A person who takes a publisher's message in leaves it to the feed that brought it before.
        return Content {
            carried_by: held.carried_by.clone(),
            ..newest
        };
    }
    newest
}

fn newest_of_publisher(held: &Content, taken: &Content) -> Content {
    let sent = |content: &Content| content.sent_at.as_ref().map(|at| (at.seconds, at.nanos));
    if is_translation(held, taken) {
        let (first, second) = if taken.language == FIRST_LANGUAGE {
            (taken, held)
        } else {
            (held, taken)
        };
        let mut merged = first.clone();
        merged.texts.clone_from(&held.texts);
        merged
            .texts
            .retain(|text| text.language != first.language && text.language != second.language);
        merged.texts.push(text_of(second));
        merged.texts.sort_by(|a, b| a.language.cmp(&b.language));
        return merged;
    }
    if sent(taken) < sent(held) {
        return held.clone();
    }
    let mut newer = taken.clone();
    if sent(taken) == sent(held) && newer.texts.is_empty() {
        newer.texts.clone_from(&held.texts);
    }
    newer
}

/// Says whether a message is the one that is held, in another language: sent within minutes of it.
fn is_translation(held: &Content, taken: &Content) -> bool {
    let seconds = |content: &Content| content.sent_at.as_ref().map_or(0, |at| at.seconds);
    let apart = seconds(held).abs_diff(seconds(taken));
    held.language != taken.language && apart <= TRANSLATED_WITHIN_SECONDS
}

fn text_of(content: &Content) -> Text {
    Text {
        language: content.language.clone(),
        event: content.event.clone(),
        headline: content.headline.clone(),
        description: content.description.clone(),
        instruction: content.instruction.clone(),
        web: content.web.clone(),
    }
}

fn noted(text: Option<&str>) -> Option<WarningEvent> {
    let text = text?.trim();
    let noted = WarningNoted { text: text.into() };
    (!text.is_empty()).then_some(WarningEvent::Noted(noted))
}

fn not_in_future(
    field: &'static str,
    at: Option<Millis>,
    context: &Context,
) -> Result<(), WarningRejection> {
    match at {
        Some(at) if at > context.latest() => Err(WarningRejection::InFuture {
            field,
            at,
            now: context.now,
        }),
        _ => Ok(()),
    }
}
