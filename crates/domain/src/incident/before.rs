//! What was said before of what an event says anew: a step, a figure, a need, a declaration.
//!
//! A figure of a later time, another judgement or another scale is news and corrects nothing. What it never does: decide
//! whether the event may be said.

use posko_proto::{
    Id,
    incident::v1::{
        Figure, FigureSource, ImpactRecorded, IncidentGlideAssigned, IncidentImported,
        IncidentNeedMet, IncidentNeedSet, IncidentObjectiveSet, IncidentPeriodPlanned, Status,
    },
    time::Millis,
};

use crate::{
    event::IncidentEvent,
    incident::{IncidentState, Need, rule, state::Impact},
};

/// What was said before.
#[derive(Debug, Clone, PartialEq)]
pub struct Before {
    /// It, as the event that would say it.
    pub event: IncidentEvent,
    /// The time that it was said of; none where the event has all its times in it.
    pub at: Option<Millis>,
}

/// Returns what the incident held of that which the event says anew; none where it corrects nothing.
pub fn said_before(state: &IncidentState, event: &IncidentEvent) -> Option<Before> {
    let said = |event| Before { event, at: None };
    match event {
        IncidentEvent::StepTaken(taken) => {
            let at = state.step(taken.step())?;
            Some(Before {
                event: IncidentEvent::StepTaken(*taken),
                at: Some(at),
            })
        }
        IncidentEvent::ImpactRecorded(impact) => figures(state, impact),
        IncidentEvent::GlideAssigned(_) if !state.glide.is_empty() => {
            let glide = state.glide.clone();
            Some(said(IncidentEvent::GlideAssigned(IncidentGlideAssigned {
                glide,
            })))
        }
        IncidentEvent::PeriodPlanned(planned) => {
            let held = state.operation.periods.get(rule::index(planned.number).ok()?)?;
            Some(said(IncidentEvent::PeriodPlanned(IncidentPeriodPlanned {
                number: planned.number,
                from: Some(held.from.into()),
                until: Some(held.until.into()),
            })))
        }
        IncidentEvent::ObjectiveSet(set) => {
            let id = id(&set.objective_id)?;
            let held = state.operation.objectives.iter();
            let held = held.into_iter().find(|held| held.aim.id == id)?;
            Some(said(IncidentEvent::ObjectiveSet(IncidentObjectiveSet {
                objective_id: set.objective_id.clone(),
                priority: held.aim.priority.into(),
                due_at: held.aim.due_at.map(Into::into),
                period: held.period.unwrap_or_default(),
                post: held.post.into(),
            })))
        }
        IncidentEvent::NeedSet(set) => {
            let held = need(state, &set.need_id)?;
            Some(said(IncidentEvent::NeedSet(IncidentNeedSet {
                need_id: set.need_id.clone(),
                sector: held.sector.into(),
                quantity: held.quantity.unwrap_or_default(),
                unit: held.unit.into(),
                priority: held.aim.priority.into(),
                place: held.place.clone().map(Into::into),
                due_at: held.aim.due_at.map(Into::into),
            })))
        }
        IncidentEvent::NeedMet(met) if met.correction => {
            let parts = &need(state, &met.need_id)?.parts;
            let part = parts.iter().find(|part| part.source == met.source())?;
            Some(Before {
                event: IncidentEvent::NeedMet(IncidentNeedMet {
                    need_id: met.need_id.clone(),
                    quantity: part.quantity,
                    source: part.source.into(),
                    correction: false,
                }),
                at: Some(part.at),
            })
        }
        IncidentEvent::EmergencyDeclared(declared) => {
            let id = id(&declared.declaration_id)?;
            let held = state.emergencies.iter().find(|held| held.id == id)?;
            Some(said(IncidentEvent::EmergencyDeclared(
                held.declared.clone(),
            )))
        }
        IncidentEvent::Imported(_) if state.status == Status::Historical => {
            let source = state.figures.first().map(|figure| figure.source);
            Some(said(IncidentEvent::Imported(Box::new(IncidentImported {
                hazard: state.hazard.into(),
                place: Some(state.place.clone().into()),
                figures: state.figures.iter().map(figure).collect(),
                source: source.unwrap_or(FigureSource::Unspecified).into(),
                record: state.record.as_deref().cloned(),
            }))))
        }
        IncidentEvent::Reported(_)
        | IncidentEvent::Verified(_)
        | IncidentEvent::Rejected(_)
        | IncidentEvent::Activated(_)
        | IncidentEvent::OperationEnded(_)
        | IncidentEvent::Closed(_)
        | IncidentEvent::Noted(_)
        | IncidentEvent::Attached(_)
        | IncidentEvent::Imported(_)
        | IncidentEvent::SeverityJudged(_)
        | IncidentEvent::ScaleSet(_)
        | IncidentEvent::TransitionBegun(_)
        | IncidentEvent::Cancelled(_)
        | IncidentEvent::Reopened(_)
        | IncidentEvent::GlideAssigned(_)
        | IncidentEvent::Related(_)
        | IncidentEvent::Unrelated(_)
        | IncidentEvent::PostFilled(_)
        | IncidentEvent::PostVacated(_)
        | IncidentEvent::Escalated(_)
        | IncidentEvent::EscalationAnswered(_)
        | IncidentEvent::PlanApproved(_)
        | IncidentEvent::ObjectiveSettled(_)
        | IncidentEvent::NeedMet(_)
        | IncidentEvent::NeedSettled(_)
        | IncidentEvent::EmergencyEnded(_)
        // A newer version tells of another time.
        | IncidentEvent::Assessed(_) => None,
    }
}

/// Returns the figures that the event takes the place of: those that it corrects, and those of the same time.
fn figures(state: &IncidentState, impact: &ImpactRecorded) -> Option<Before> {
    let as_of = impact
        .as_of
        .as_ref()
        .and_then(|at| Millis::try_from(at).ok());
    let held = impact.figures.iter().filter_map(|figure| {
        let asked = Impact {
            measure: figure.measure(),
            count: figure.count,
            source: impact.source(),
            as_of: as_of?,
            sex: figure.sex(),
            age_band: figure.age_band(),
            corrected: impact.correction,
        };
        let held = state.same_figure(&asked)?;
        let is_other =
            impact.correction || (held.as_of == asked.as_of && held.count != asked.count);
        is_other.then_some(held)
    });
    let held: Vec<&Impact> = held.collect();
    let newest = held.iter().map(|held| held.as_of).max()?;
    Some(Before {
        event: IncidentEvent::ImpactRecorded(ImpactRecorded {
            figures: held.iter().map(|held| figure(held)).collect(),
            source: impact.source,
            as_of: Some(newest.into()),
            ..ImpactRecorded::default()
        }),
        at: Some(newest),
    })
}

fn figure(held: &Impact) -> Figure {
    Figure {
        measure: held.measure.into(),
        count: held.count,
        sex: held.sex.into(),
        age_band: held.age_band.into(),
    }
}

fn need<'a>(state: &'a IncidentState, bytes: &[u8]) -> Option<&'a Need> {
    let id = id(bytes)?;
    state.needs.iter().find(|need| need.aim.id == id)
}

fn id(bytes: &[u8]) -> Option<Id> {
    Id::try_from(bytes).ok()
}
