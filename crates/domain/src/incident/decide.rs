//! What follows from a command about an incident.

use posko_proto::{
    Id,
    incident::v1::{
        Figure, ImpactRecorded, IncidentActivated, IncidentClosed, IncidentNoted,
        IncidentOperationEnded, IncidentRejected, IncidentReported, IncidentVerified, Status,
    },
    time::Millis,
    warning::v1::AlertStatus,
};

use crate::{
    context::Context,
    event::IncidentEvent,
    incident::{
        IncidentCommand, IncidentRejection, IncidentState, WarningRef, number_of,
        state::{may_follow, takes_figures, takes_notes},
        year_of,
    },
    region::{self, Place},
    zone,
};

/// Decides on a command: the events that follow from it, or why there are none.
pub fn decide(
    state: Option<&IncidentState>,
    command: &IncidentCommand,
    context: &Context,
) -> Result<Vec<IncidentEvent>, IncidentRejection> {
    not_in_future("meta.occurred_at", context.occurred_at, context)?;
    let event = match command {
        IncidentCommand::Report {
            hazard,
            place,
            severity,
            channel,
            warning,
            note,
        } => {
            if let Some(state) = state {
                return Err(IncidentRejection::AlreadyReported {
                    number: state.number.clone(),
                });
            }
            own(place, context)?;
            if let Some(warning) = warning {
                may_raise(warning, context)?;
            }
            let reported = IncidentReported {
                number: next_number(context)?,
                hazard: (*hazard).into(),
                place: Some(place.clone().into()),
                zone_ids: zone::of(&place.region_code)
                    .into_iter()
                    .map(|zone| zone.id.into())
                    .collect(),
                severity: (*severity).into(),
                channel: (*channel).into(),
                warning_origin: warning
                    .as_ref()
                    .map(|warning| warning.origin.to_string())
                    .unwrap_or_default(),
                warning_id: warning
                    .as_ref()
                    .map(|warning| warning.id.to_vec())
                    .unwrap_or_default(),
            };
            let noted = note
                .iter()
                .map(|text| IncidentEvent::Noted(IncidentNoted { text: text.clone() }));
            return Ok([IncidentEvent::Reported(reported)]
                .into_iter()
                .chain(noted)
                .collect());
        }
        IncidentCommand::Verify { source } => {
            advance(
                existing(state, context)?,
                Status::Verified,
                "verified",
                context,
            )?;
            IncidentEvent::Verified(IncidentVerified {
                source: (*source).into(),
            })
        }
        IncidentCommand::Reject { duplicate_of } => {
            let status = if duplicate_of.is_some() {
                Status::Merged
            } else {
                Status::False
            };
            advance(existing(state, context)?, status, "rejected", context)?;
            let duplicate_of = duplicate_of.map(Id::to_vec).unwrap_or_default();
            IncidentEvent::Rejected(IncidentRejected { duplicate_of })
        }
        IncidentCommand::Activate { scale } => {
            advance(
                existing(state, context)?,
                Status::Activated,
                "activated",
                context,
            )?;
            IncidentEvent::Activated(IncidentActivated {
                scale: (*scale).into(),
            })
        }
        IncidentCommand::RecordImpact {
            figures,
            source,
            as_of,
        } => {
            let state = existing(state, context)?;
            if !takes_figures(state.status) {
                return Err(IncidentRejection::WrongStatus {
                    from: state.status,
                    command: "given impact figures",
                });
            }
            let as_of = as_of.unwrap_or(context.now);
            not_in_future("as_of", as_of, context)?;
            for (measure, _) in figures {
                if let Some(held) = state
                    .figure(*measure, *source)
                    .filter(|held| as_of < held.as_of)
                {
                    let (held, given) = (held.as_of, as_of);
                    return Err(IncidentRejection::OlderFigure {
                        measure: *measure,
                        source_of: *source,
                        held,
                        given,
                    });
                }
            }
            let figure = |(measure, count): &(_, u64)| Figure {
                measure: i32::from(*measure),
                count: *count,
            };
            let figures = figures.iter().map(figure).collect();
            IncidentEvent::ImpactRecorded(ImpactRecorded {
                figures,
                source: (*source).into(),
                as_of: Some(as_of.into()),
            })
        }
        IncidentCommand::Note { text } => {
            let state = existing(state, context)?;
            if !takes_notes(state.status) {
                return Err(IncidentRejection::WrongStatus {
                    from: state.status,
                    command: "noted on",
                });
            }
            IncidentEvent::Noted(IncidentNoted { text: text.clone() })
        }
        IncidentCommand::EndOperation => {
            advance(
                existing(state, context)?,
                Status::OperationEnded,
                "ended",
                context,
            )?;
            IncidentEvent::OperationEnded(IncidentOperationEnded {})
        }
        IncidentCommand::Close => {
            advance(existing(state, context)?, Status::Closed, "closed", context)?;
            IncidentEvent::Closed(IncidentClosed {})
        }
    };
    Ok(vec![event])
}

fn existing<'a>(
    state: Option<&'a IncidentState>,
    context: &Context,
) -> Result<&'a IncidentState, IncidentRejection> {
    let state = state.ok_or(IncidentRejection::NotFound)?;
    if state.exercise != context.exercise {
        return Err(IncidentRejection::ExerciseMixed {
            incident: state.exercise,
        });
    }
    Ok(state)
}

/// Checks that the status may be reached, and not before the one held was.
fn advance(
    state: &IncidentState,
    to: Status,
    command: &'static str,
    context: &Context,
) -> Result<(), IncidentRejection> {
    if !may_follow(state.status, to) {
        return Err(refused_step(state, to, command));
    }
    match state.milestones.last() {
        Some((earlier, earlier_at)) if context.occurred_at < *earlier_at => {
            Err(IncidentRejection::OutOfOrder {
                status: to,
                at: context.occurred_at,
                earlier: *earlier,
                earlier_at: *earlier_at,
            })
        }
        _ => Ok(()),
    }
}

/// Says why a status cannot be reached: what was asked holds already, or another status is in the way.
fn refused_step(state: &IncidentState, to: Status, command: &'static str) -> IncidentRejection {
    let number = state.number.clone();
    match (state.status, to) {
        (Status::Verified, Status::Verified) => IncidentRejection::AlreadyVerified { number },
        (Status::Activated, Status::Activated) => IncidentRejection::AlreadyActivated { number },
        (Status::OperationEnded, Status::OperationEnded) => {
            IncidentRejection::OperationAlreadyEnded { number }
        }
        (Status::Closed, Status::Closed) => IncidentRejection::AlreadyClosed { number },
        (status @ (Status::False | Status::Merged), Status::False | Status::Merged) => {
            IncidentRejection::AlreadyRejected { number, status }
        }
        (from, _) => IncidentRejection::WrongStatus { from, command },
    }
}

fn own(place: &Place, context: &Context) -> Result<(), IncidentRejection> {
    if region::within(&place.region_code, context.node.as_str()) {
        return Ok(());
    }
    Err(IncidentRejection::OutsideProvince {
        region_code: place.region_code.clone(),
        node: context.node,
    })
}

/// A test must never become an incident, and an exercise only one of an exercise.
fn may_raise(warning: &WarningRef, context: &Context) -> Result<(), IncidentRejection> {
    let may = match warning.status {
        AlertStatus::Actual => true,
        AlertStatus::Exercise => context.exercise,
        AlertStatus::Unspecified | AlertStatus::System | AlertStatus::Test | AlertStatus::Draft => {
            false
        }
    };
    let refused = IncidentRejection::WarningNotActual {
        status: warning.status,
        exercise: context.exercise,
    };
    if may { Ok(()) } else { Err(refused) }
}

fn next_number(context: &Context) -> Result<String, IncidentRejection> {
    let year = year_of(context.now);
    let next = context
        .last_number
        .checked_add(1)
        .ok_or(IncidentRejection::NumbersUsedUp { year })?;
    Ok(number_of(context.node, year, next))
}

fn not_in_future(
    field: &'static str,
    at: Millis,
    context: &Context,
) -> Result<(), IncidentRejection> {
    if at > context.latest() {
        return Err(IncidentRejection::InFuture {
            field,
            at,
            now: context.now,
        });
    }
    Ok(())
}
