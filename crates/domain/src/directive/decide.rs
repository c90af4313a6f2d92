//! What follows from a command about a directive.

use posko_proto::{directive::v1::DirectiveWithdrawn, time::Millis};

use crate::{
    context::Context,
    directive::{DirectiveCommand, DirectiveRejection, DirectiveState},
    event::DirectiveEvent,
};

/// Decides on a command: the events that follow from it, or why there are none.
pub fn decide(
    state: Option<&DirectiveState>,
    command: &DirectiveCommand,
    context: &Context,
) -> Result<Vec<DirectiveEvent>, DirectiveRejection> {
    if context.occurred_at > context.latest() {
        return Err(DirectiveRejection::InFuture {
            at: context.occurred_at,
            now: context.now,
        });
    }
    match command {
        DirectiveCommand::Issue(said) => {
            if state.is_some() {
                return Err(DirectiveRejection::AlreadyIssued);
            }
            let until = said.valid_until.as_ref();
            let until = until.and_then(|at| Millis::try_from(at).ok());
            if let Some(until) = until.filter(|until| *until <= context.now) {
                return Err(DirectiveRejection::OverAlready {
                    until,
                    now: context.now,
                });
            }
            Ok(vec![DirectiveEvent::Issued(said.clone())])
        }
        DirectiveCommand::Withdraw { reason } => {
            let state = state.ok_or(DirectiveRejection::NotFound)?;
            if state.exercise != context.exercise {
                return Err(DirectiveRejection::ExerciseMixed {
                    command: context.exercise,
                });
            }
            if state.withdrawn.is_some() {
                return Err(DirectiveRejection::AlreadyWithdrawn {
                    title: state.issued.title.clone(),
                });
            }
            Ok(vec![DirectiveEvent::Withdrawn(DirectiveWithdrawn {
                reason: reason.clone(),
            })])
        }
    }
}
