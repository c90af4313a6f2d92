//! What follows from a command about an incident.

use posko_proto::{
    Id,
    incident::v1::{
        CancelReason, Figure, ImpactRecorded, IncidentActivated, IncidentAssessed, IncidentClosed,
        IncidentNoted, IncidentOperationEnded, IncidentRejected, IncidentReported,
        IncidentVerified, Step,
    },
    time::Millis,
    warning::v1::AlertStatus,
};

use crate::{
    context::Context,
    event::IncidentEvent,
    incident::{
        CountOf, IncidentCommand, IncidentRejection, IncidentState, WarningRef, change::call,
        emergency, import, number_of, plausible, rule, year_of,
    },
    region::{self, Place},
    zone,
};

/// How long before its report an incident may have begun, in seconds: a leap year. What is older is a record of the past.
const LIVE_SECONDS: i64 = 366 * 24 * 60 * 60;

/// Decides on a command: the events that follow from it, or why there are none.
pub fn decide(
    state: Option<&IncidentState>,
    command: &IncidentCommand,
    context: &Context,
) -> Result<Vec<IncidentEvent>, IncidentRejection> {
    not_in_future("meta.occurred_at", context.occurred_at, context)?;
    let events = match command {
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
            live(context, context.now)?;
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
            return Ok([IncidentEvent::Reported(reported)]
                .into_iter()
                .chain(noted(note.as_ref(), Vec::new()))
                .collect());
        }
        IncidentCommand::Verify { source } => vec![IncidentEvent::Verified(IncidentVerified {
            source: (*source).into(),
        })],
        IncidentCommand::Reject {
            duplicate_of,
            reason,
            note,
        } => {
            let rejected = IncidentEvent::Rejected(IncidentRejected {
                duplicate_of: duplicate_of.map(Id::to_vec).unwrap_or_default(),
                reason: (*reason).into(),
            });
            [rejected]
                .into_iter()
                .chain(noted(note.as_ref(), Vec::new()))
                .collect()
        }
        IncidentCommand::Activate { scale } => {
            vec![IncidentEvent::Activated(IncidentActivated {
                scale: (*scale).into(),
            })]
        }
        IncidentCommand::RecordImpact {
            figures,
            source,
            as_of,
            correction,
            assessment,
        } => {
            let as_of = as_of.unwrap_or(context.now);
            not_in_future("as_of", as_of, context)?;
            let figure = |figure: &CountOf| Figure {
                measure: figure.measure.into(),
                count: figure.count,
                sex: figure.sex.into(),
                age_band: figure.age_band.into(),
            };
            vec![IncidentEvent::ImpactRecorded(ImpactRecorded {
                figures: figures.iter().map(figure).collect(),
                source: (*source).into(),
                as_of: Some(as_of.into()),
                correction: *correction,
                assessment_id: assessment.map(Id::to_vec).unwrap_or_default(),
            })]
        }
        IncidentCommand::Note { text } => noted(Some(text), Vec::new()).collect(),
        IncidentCommand::Attach { attached, caption } => {
            [IncidentEvent::Attached(attached.clone())]
                .into_iter()
                .chain(noted(caption.as_ref(), attached.attachment_id.clone()))
                .collect()
        }
        IncidentCommand::EndOperation => {
            vec![IncidentEvent::OperationEnded(IncidentOperationEnded {})]
        }
        IncidentCommand::Close { .. } => vec![IncidentEvent::Closed(IncidentClosed {})],
        IncidentCommand::Import { imported, note } => {
            own(imported.place(), context)?;
            if context.exercise {
                return Err(IncidentRejection::ExerciseMixed { incident: false });
            }
            let is_new = match state {
                None if imported.events() == Some(0) => return Ok(Vec::new()),
                None => true,
                Some(state) => imported.changes(state)?,
            };
            let event = is_new.then(|| imported.event());
            return Ok(event
                .into_iter()
                .chain(noted(note.as_ref(), Vec::new()))
                .collect());
        }
        IncidentCommand::Change { change, note } => {
            if let IncidentEvent::Cancelled(said) = change.event()
                && said.reason() == CancelReason::EnteredInError
                && let Some(back) = state.and_then(import::taken_back)
            {
                existing(state, context)?;
                return Ok(back
                    .into_iter()
                    .chain(noted(note.as_ref(), Vec::new()))
                    .collect());
            }
            let event = match change.event() {
                IncidentEvent::Escalated(escalated) => {
                    IncidentEvent::Escalated(call(escalated, context.now))
                }
                IncidentEvent::StepTaken(taken) if taken.step() == Step::Occurred => {
                    let reported = state.and_then(|state| state.milestones.first());
                    live(context, reported.map_or(context.now, |(_, at)| *at))?;
                    change.event().clone()
                }
                IncidentEvent::EmergencyDeclared(said) => {
                    if let Some(date) = emergency::day(&said.decree_date) {
                        not_in_future("declare_emergency.decree_date", date, context)?;
                    }
                    let held = state.map(|state| state.emergencies.as_slice());
                    let said = emergency::begun(said, held.unwrap_or_default());
                    IncidentEvent::EmergencyDeclared(said)
                }
                event => event.clone(),
            };
            [event]
                .into_iter()
                .chain(noted(note.as_ref(), change.subject()))
                .collect()
        }
        IncidentCommand::Assess { assessed, words } => {
            let at = rule::optional_time("assessment.assessed_at", assessed.assessed_at.as_ref())?;
            let at = at.unwrap_or(context.occurred_at);
            not_in_future("assessment.assessed_at", at, context)?;
            let place = state.map(|state| state.place.clone().into());
            let assessment = assessed.assessment_id.clone();
            let assessed = IncidentEvent::Assessed(IncidentAssessed {
                assessed_at: Some(at.into()),
                place: assessed.place.clone().or(place),
                ..assessed.clone()
            });
            let words = words.iter().map(|answer| {
                IncidentEvent::Noted(IncidentNoted {
                    text: answer.text.clone(),
                    about: assessment.clone(),
                    question: answer.question.clone(),
                })
            });
            [assessed].into_iter().chain(words).collect()
        }
    };
    let state = existing(state, context)?;
    let taken = taken(state, events, context)?;
    plausible::check(state, &taken, context)?;
    Ok(taken)
}

/// Returns the events that change something, after each was tried by the rules that every fold holds it against.
fn taken(
    state: &IncidentState,
    events: Vec<IncidentEvent>,
    context: &Context,
) -> Result<Vec<IncidentEvent>, IncidentRejection> {
    let mut state = state.clone();
    let mut taken = Vec::with_capacity(events.len());
    for event in events {
        // A note and an attachment change no state, and are facts all the same.
        let is_fact = matches!(event, IncidentEvent::Noted(_) | IncidentEvent::Attached(_));
        let before = (!is_fact).then(|| state.clone());
        rule::change(&mut state, &event, context.occurred_at)?;
        if before.is_none_or(|before| before != state) {
            taken.push(event);
        }
    }
    Ok(taken)
}

fn noted(text: Option<&String>, about: Vec<u8>) -> impl Iterator<Item = IncidentEvent> {
    text.map(|text| {
        IncidentEvent::Noted(IncidentNoted {
            text: text.clone(),
            about,
            ..IncidentNoted::default()
        })
    })
    .into_iter()
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

fn own(place: &Place, context: &Context) -> Result<(), IncidentRejection> {
    if region::within(&place.region_code, context.node.as_str()) {
        return Ok(());
    }
    Err(IncidentRejection::OutsideProvince {
        region_code: place.region_code.clone(),
        node: context.node,
    })
}

/// A test must never become an incident, an exercise only one of an exercise, and what is real never a drill.
fn may_raise(warning: &WarningRef, context: &Context) -> Result<(), IncidentRejection> {
    let may = match warning.status {
        AlertStatus::Actual => !context.exercise,
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

/// Refuses what happened too long before its report to be an incident that somebody runs.
fn live(context: &Context, reported: Millis) -> Result<(), IncidentRejection> {
    let at = context.occurred_at;
    if at < reported.plus_seconds(-LIVE_SECONDS) {
        return Err(IncidentRejection::LongPast { at });
    }
    Ok(())
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
