//! What follows from a command about a warning.

use posko_proto::{
    time::Millis,
    warning::v1::{AlertStatus, WarningCancelled, WarningIssued, WarningUpdated},
};

use crate::{
    context::Context,
    event::WarningEvent,
    warning::{WarningCommand, WarningRejection, WarningState, command::check},
};

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
            if state.content == *content {
                return Ok(Vec::new());
            }
            Ok(vec![WarningEvent::Updated(WarningUpdated {
                content: Some(content.clone()),
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
