//! What follows from a command about a warning.

use posko_proto::{
    time::Millis,
    warning::v1::{
        AlertStatus, Content, Source, Text, WarningCancelled, WarningIssued, WarningReplaced,
        WarningUpdated,
    },
};

use crate::{
    context::Context,
    event::WarningEvent,
    warning::{WarningCommand, WarningRejection, WarningState, command::check},
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
            Ok(vec![WarningEvent::Updated(WarningUpdated {
                content: Some(newest),
            })])
        }
        WarningCommand::Replace { by, identifier } => {
            let state = state.ok_or(WarningRejection::NotFound)?;
            if state.cancelled {
                return Err(WarningRejection::AlreadyCancelled {
                    identifier: state.identifier.clone(),
                });
            }
            if state.replaced.is_some() {
                return Ok(Vec::new());
            }
            Ok(vec![WarningEvent::Replaced(WarningReplaced {
                warning_id: by.to_vec(),
                identifier: identifier.clone(),
            })])
        }
        WarningCommand::Cancel => {
            let state = state.ok_or(WarningRejection::NotFound)?;
            if state.cancelled {
                return Err(WarningRejection::AlreadyCancelled {
                    identifier: state.identifier.clone(),
                });
            }
            Ok(vec![WarningEvent::Cancelled(WarningCancelled {})])
        }
    }
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
