//! What nobody can have meant, refused before it becomes a fact. A fold never asks: what was recorded stays recorded.

use posko_proto::{
    incident::v1::{ImpactRecorded, IncidentNeedMet, Measure},
    time::Millis,
};
use prost_types::Timestamp;

use crate::{
    context::Context,
    event::IncidentEvent,
    incident::{Aim, IncidentRejection, IncidentState, command::counts_people, rule},
    people::largest_part,
    region,
};

/// Checks events that the rules allow against the state before them.
pub(super) fn check(
    state: &IncidentState,
    events: &[IncidentEvent],
    context: &Context,
) -> Result<(), IncidentRejection> {
    events.iter().try_for_each(|event| match event {
        IncidentEvent::ImpactRecorded(impact) => figures(state, impact, context),
        IncidentEvent::NeedMet(met) => at_most_what_is_missing(state, met),
        IncidentEvent::NeedSet(set) => due(
            "set_need.due_at",
            set.due_at.as_ref(),
            state.needs.iter().map(|need| &need.aim),
            &set.need_id,
            context,
        ),
        IncidentEvent::ObjectiveSet(set) => due(
            "set_objective.due_at",
            set.due_at.as_ref(),
            (state.operation.objectives.iter()).map(|objective| &objective.aim),
            &set.objective_id,
            context,
        ),
        IncidentEvent::Escalated(call) => {
            not_over("escalate.answer_by", call.answer_by.as_ref(), context.now)
        }
        _ => Ok(()),
    })
}

/// A time until which something is to happen lies after it was said; one that is held already may be said again.
fn due<'a>(
    field: &'static str,
    given: Option<&Timestamp>,
    mut held: impl Iterator<Item = &'a Aim>,
    id: &[u8],
    context: &Context,
) -> Result<(), IncidentRejection> {
    let held = held.find(|aim| aim.id.as_bytes() == id);
    if held.and_then(|aim| aim.due_at) == rule::optional_time(field, given)? {
        return Ok(());
    }
    not_over(field, given, context.occurred_at)
}

fn not_over(
    field: &'static str,
    given: Option<&Timestamp>,
    said: Millis,
) -> Result<(), IncidentRejection> {
    match rule::optional_time(field, given)? {
        Some(at) if at <= said => Err(IncidentRejection::InPast { field, at, said }),
        _ => Ok(()),
    }
}

/// No more comes of a need than is missing: who needs more sets the need anew.
fn at_most_what_is_missing(
    state: &IncidentState,
    met: &IncidentNeedMet,
) -> Result<(), IncidentRejection> {
    let need = state
        .needs
        .iter()
        .find(|need| need.aim.id.as_bytes() == met.need_id.as_slice());
    let Some((need, asked)) = need.and_then(|need| Some((need, need.quantity?))) else {
        return Ok(());
    };
    let others = (need.parts.iter())
        .filter(|part| !met.correction || part.source != met.source())
        .map(|part| part.quantity);
    let missing = asked.saturating_sub(others.fold(0, u64::saturating_add));
    if met.quantity > missing {
        return Err(IncidentRejection::MoreThanMissing {
            quantity: met.quantity,
            missing,
            asked,
        });
    }
    Ok(())
}

/// No part is more than the whole that the same source gave for no later time, and nobody counts more people than live
/// in the kab/kota, or the province, of the incident.
fn figures(
    state: &IncidentState,
    impact: &ImpactRecorded,
    context: &Context,
) -> Result<(), IncidentRejection> {
    let mut next = state.clone();
    let event = IncidentEvent::ImpactRecorded(impact.clone());
    rule::change(&mut next, &event, context.occurred_at)?;
    for figure in &impact.figures {
        let (measure, source) = (figure.measure(), impact.source());
        at_most_everybody(state, measure, figure.count)?;
        let Some(whole) = next.figure(measure, source) else {
            continue;
        };
        let parts = (next.figures.iter())
            .filter(|part| (part.measure, part.source) == (measure, source))
            .filter(|part| part.as_of >= whole.as_of)
            .map(|part| (part.sex, part.age_band, part.count));
        let parts = largest_part(parts);
        if parts > whole.count {
            return Err(IncidentRejection::PartsExceed {
                measure,
                parts,
                whole: whole.count,
                as_of: whole.as_of,
            });
        }
    }
    Ok(())
}

fn at_most_everybody(
    state: &IncidentState,
    measure: Measure,
    count: u64,
) -> Result<(), IncidentRejection> {
    let code = &state.place.region_code;
    let area = region::regency_of(code).or_else(|| region::find(code));
    let Some(area) = area.filter(|_| counts_people(measure)) else {
        return Ok(());
    };
    match region::population(area.code) {
        Some(people) if count > people.total() => Err(IncidentRejection::MoreThanEverybody {
            measure,
            count,
            area: area.name,
            population: people.total(),
        }),
        _ => Ok(()),
    }
}
