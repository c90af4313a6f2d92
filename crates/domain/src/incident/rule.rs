//! The rules of an incident's life, once for who decides and once more for who folds: the same function.

use posko_proto::{
    Id,
    incident::v1::{ImpactRecorded, Relation, ReopenReason, Status, Step},
    time::Millis,
};
use prost_types::Timestamp;

use crate::{
    event::{IllegalEvent, IncidentEvent},
    incident::{
        IncidentRejection, assessment, emergency, glide, need,
        state::{Impact, IncidentState, Related},
    },
};

/// The most incidents that one is related to.
pub const MOST_RELATED: usize = 64;

/// Says whether an incident may come from one status to the other. The one table of the lifecycle, but for reopening.
pub(super) fn may_follow(from: Status, to: Status) -> bool {
    match to {
        Status::Verified => from == Status::Reported,
        Status::False | Status::Merged => matches!(from, Status::Reported | Status::Verified),
        Status::Cancelled => {
            matches!(
                from,
                Status::Reported | Status::Verified | Status::Activated
            )
        }
        Status::Activated => from == Status::Verified,
        Status::Responding => from == Status::Activated,
        Status::Transition => matches!(from, Status::Activated | Status::Responding),
        Status::OperationEnded => runs(from),
        Status::Closed => from == Status::OperationEnded,
        Status::Unspecified | Status::Reported | Status::Historical => false,
    }
}

/// Returns where an incident stands after it was opened again; none when it is not over.
fn reopened(state: &IncidentState) -> Option<Status> {
    match state.status {
        Status::False | Status::Merged | Status::Cancelled => Some(Status::Reported),
        Status::Transition | Status::OperationEnded | Status::Closed => Some(
            state
                .step(Step::TeamDeparted)
                .map_or(Status::Activated, |_| Status::Responding),
        ),
        Status::Unspecified
        | Status::Reported
        | Status::Verified
        | Status::Activated
        | Status::Responding
        | Status::Historical => None,
    }
}

/// Says whether teams are activated and the operation has not ended.
pub(super) fn runs(status: Status) -> bool {
    matches!(
        status,
        Status::Activated | Status::Responding | Status::Transition
    )
}

/// Says whether notes may still be written.
pub(super) fn takes_notes(status: Status) -> bool {
    status != Status::Closed
}

/// Changes the state as the event says, which happened at `at`. What is refused leaves the state in any condition.
pub(super) fn change(
    state: &mut IncidentState,
    event: &IncidentEvent,
    at: Millis,
) -> Result<(), IncidentRejection> {
    let open =
        |state: &IncidentState, command| allow(state, command, !super::is_over(state.status));
    let running = |state: &IncidentState, command| allow(state, command, runs(state.status));
    match event {
        // It begins a historical incident or replaces what its record said, which is no step of a life.
        IncidentEvent::Imported(_) => allow(state, "taken from a record", false)?,
        IncidentEvent::Reported(_) => {
            let number = state.number.clone();
            return Err(IncidentRejection::AlreadyReported { number });
        }
        IncidentEvent::Verified(_) => advance(state, Status::Verified, "verified", at)?,
        IncidentEvent::Rejected(rejected) => {
            let duplicate_of = optional_id("duplicate_of", &rejected.duplicate_of)?;
            let to = duplicate_of.map_or(Status::False, |_| Status::Merged);
            advance(state, to, "rejected", at)?;
            state.duplicate_of = duplicate_of;
            state.reason = said(rejected.reason, rejected.reason().as_str_name());
        }
        IncidentEvent::Activated(activated) => {
            advance(state, Status::Activated, "activated", at)?;
            state.scale = activated.scale();
        }
        IncidentEvent::OperationEnded(_) => advance(state, Status::OperationEnded, "ended", at)?,
        IncidentEvent::Closed(_) => advance(state, Status::Closed, "closed", at)?,
        IncidentEvent::TransitionBegun(_) => {
            advance(state, Status::Transition, "brought into transition", at)?;
        }
        IncidentEvent::Cancelled(cancelled) => {
            advance(state, Status::Cancelled, "cancelled", at)?;
            state.reason = said(cancelled.reason, cancelled.reason().as_str_name());
        }
        IncidentEvent::Reopened(opened) => reopen(state, opened.reason(), opened.reason, at)?,
        IncidentEvent::Noted(_) => allow(state, "noted on", takes_notes(state.status))?,
        IncidentEvent::Attached(_) => {
            allow(state, "given attachments", takes_notes(state.status))?;
        }
        IncidentEvent::ImpactRecorded(impact) => {
            open(state, "given impact figures")?;
            set_figures(state, impact)?;
        }
        IncidentEvent::SeverityJudged(judged) => {
            open(state, "judged")?;
            if state.severity() != judged.severity() {
                state.judgements.push((judged.severity(), at));
            }
        }
        IncidentEvent::ScaleSet(set) => {
            running(state, "given a scale")?;
            state.scale = set.scale();
        }
        IncidentEvent::StepTaken(taken) => take(state, taken.step(), at)?,
        IncidentEvent::GlideAssigned(assigned) => {
            if !assigned.glide.is_empty() && !glide::is_number(&assigned.glide) {
                return Err(IncidentRejection::invalid(
                    "assign_glide.glide",
                    &assigned.glide,
                    glide::EXPECTED,
                ));
            }
            state.glide.clone_from(&assigned.glide);
        }
        IncidentEvent::Related(related) => {
            let origin = related.origin.parse();
            let related = Related {
                relation: related.relation(),
                origin: origin.map_err(|_| {
                    IncidentRejection::invalid(
                        "relate.origin",
                        &related.origin,
                        "a node such as `32`",
                    )
                })?,
                incident: id("relate.incident_id", &related.incident_id)?,
            };
            relate(state, related)?;
        }
        IncidentEvent::Unrelated(unrelated) => {
            let incident = id("unrelate.incident_id", &unrelated.incident_id)?;
            let held = state.related.iter().position(|held| {
                held.incident == incident && held.origin.as_str() == unrelated.origin
            });
            let held = held.ok_or(IncidentRejection::NotThere {
                what: "relation to incident",
                name: incident.to_string(),
            })?;
            state.related.remove(held);
        }
        IncidentEvent::PostFilled(filled) => {
            running(state, "given a post")?;
            state.operation.fill(filled, at)?;
        }
        IncidentEvent::PostVacated(vacated) => state.operation.vacate(vacated, at)?,
        IncidentEvent::Escalated(escalated) => {
            open(state, "escalated")?;
            state.operation.escalate(escalated, at)?;
        }
        IncidentEvent::EscalationAnswered(answered) => {
            state.operation.answer(answered.level(), at)?;
        }
        IncidentEvent::PeriodPlanned(planned) => {
            running(state, "planned")?;
            state.operation.plan(planned)?;
        }
        IncidentEvent::PlanApproved(approved) => {
            running(state, "planned")?;
            state.operation.approve(approved.number, at)?;
        }
        IncidentEvent::ObjectiveSet(set) => {
            running(state, "given objectives")?;
            state.operation.set(set)?;
        }
        IncidentEvent::ObjectiveSettled(settled) => state.operation.settle(settled, at)?,
        IncidentEvent::NeedSet(set) => {
            open(state, "given needs")?;
            let province = state.province().to_owned();
            need::set(&mut state.needs, set, &province, at)?;
        }
        IncidentEvent::NeedMet(met) => {
            open(state, "given what it needs")?;
            need::meet(&mut state.needs, met, at)?;
        }
        IncidentEvent::NeedSettled(settled) => need::settle(&mut state.needs, settled, at)?,
        IncidentEvent::EmergencyDeclared(declared) => {
            open(state, "given a legal status")?;
            let province = state.province().to_owned();
            emergency::declare(&mut state.emergencies, declared, &province)?;
        }
        IncidentEvent::EmergencyEnded(ended) => {
            emergency::end(&mut state.emergencies, &ended.declaration_id, at)?;
        }
        IncidentEvent::Assessed(assessed) => {
            open(state, "assessed")?;
            let province = state.province().to_owned();
            assessment::submit(&mut state.assessments, assessed, &province, at)?;
            // The first assessment that is handed in is a time by which the response is measured.
            if state.step(Step::AssessmentSubmitted).is_none() {
                take(state, Step::AssessmentSubmitted, at)?;
            }
        }
    }
    Ok(())
}

/// Says why a fold refuses what a decision would have refused.
pub(super) fn illegal(
    rejection: &IncidentRejection,
    event: &'static str,
    from: Status,
) -> IllegalEvent {
    match rejection {
        IncidentRejection::OutOfOrder { .. }
        | IncidentRejection::Before { .. }
        | IncidentRejection::OlderFigure { .. } => IllegalEvent::OutOfOrder { event },
        IncidentRejection::Invalid { field, .. } => IllegalEvent::Malformed { event, field },
        IncidentRejection::AlreadyReported { .. } => IllegalEvent::AlreadyBegun { event },
        IncidentRejection::ExerciseMixed { .. } => IllegalEvent::ExerciseMixed { event },
        _ => IllegalEvent::WrongState {
            event,
            from: from.as_str_name(),
        },
    }
}

fn allow(
    state: &IncidentState,
    command: &'static str,
    allowed: bool,
) -> Result<(), IncidentRejection> {
    let from = state.status;
    if allowed {
        Ok(())
    } else {
        Err(IncidentRejection::WrongStatus { from, command })
    }
}

/// Brings the incident to a status, not before it came to the one held.
fn advance(
    state: &mut IncidentState,
    to: Status,
    command: &'static str,
    at: Millis,
) -> Result<(), IncidentRejection> {
    if !may_follow(state.status, to) {
        return Err(refused_step(state, to, command));
    }
    arrive(state, to, at)
}

fn arrive(state: &mut IncidentState, to: Status, at: Millis) -> Result<(), IncidentRejection> {
    if let Some((earlier, earlier_at)) = state.milestones.last().copied()
        && at < earlier_at
    {
        return Err(IncidentRejection::OutOfOrder {
            status: to,
            at,
            earlier,
            earlier_at,
        });
    }
    state.milestones.push((to, at));
    state.status = to;
    Ok(())
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

fn reopen(
    state: &mut IncidentState,
    reason: ReopenReason,
    number: i32,
    at: Millis,
) -> Result<(), IncidentRejection> {
    let to = reopened(state).ok_or(IncidentRejection::WrongStatus {
        from: state.status,
        command: "reopened",
    })?;
    arrive(state, to, at)?;
    state.duplicate_of = None;
    state.reason = said(number, reason.as_str_name());
    Ok(())
}

/// A step is taken once; one that is told again replaces the time that was told before, which stays in the log.
/// The first departure of a team is the begin of the response.
fn take(state: &mut IncidentState, step: Step, at: Millis) -> Result<(), IncidentRejection> {
    let (known, command) = match step {
        Step::Unspecified | Step::Occurred => (!super::is_over(state.status), "dated"),
        Step::AssessmentSubmitted => (!super::is_over(state.status), "assessed"),
        Step::TeamDeparted => (runs(state.status), "departed for"),
        Step::OnScene => (
            state.step(Step::TeamDeparted).is_some() && !super::is_over(state.status),
            "arrived at",
        ),
    };
    allow(state, command, known)?;
    match state.steps.iter_mut().find(|(held, _)| *held == step) {
        Some((_, held)) => *held = at,
        None => state.steps.push((step, at)),
    }
    in_order(state)?;
    if step == Step::TeamDeparted && state.status == Status::Activated {
        arrive(state, Status::Responding, at)?;
    }
    Ok(())
}

/// The times by which every response is measured, in the order in which they must lie (`reference/domain.md` 3.3).
/// An assessment may be handed in before a team is activated, and never before the report.
fn in_order(state: &IncidentState) -> Result<(), IncidentRejection> {
    let came = |status: Status| {
        let mut came = state
            .milestones
            .iter()
            .filter(move |(held, _)| *held == status);
        came.next().map(|(_, at)| *at)
    };
    // An operation that was opened again has not ended.
    let ended = state.milestones.iter().rev();
    let ended = ended
        .take_while(|_| !runs(state.status))
        .find(|(held, _)| *held == Status::OperationEnded);
    let reported = ("the report", came(Status::Reported));
    let on_the_way = [
        ("the event", state.step(Step::Occurred)),
        reported,
        ("the activation", came(Status::Activated)),
        ("the departure", state.step(Step::TeamDeparted)),
        ("the arrival", state.step(Step::OnScene)),
        ("the end of the operation", ended.map(|(_, at)| *at)),
    ];
    let assessed = [
        reported,
        ("the assessment", state.step(Step::AssessmentSubmitted)),
    ];
    for times in [&on_the_way[..], &assessed[..]] {
        let known = times.iter().filter_map(|(name, at)| Some((*name, (*at)?)));
        let known: Vec<(&'static str, Millis)> = known.collect();
        for pair in known.windows(2) {
            if let [(before, before_at), (after, after_at)] = *pair {
                not_before(after, after_at, before, before_at)?;
            }
        }
    }
    Ok(())
}

/// One parent at most; another relation to the same incident replaces the one held.
fn relate(state: &mut IncidentState, related: Related) -> Result<(), IncidentRejection> {
    state
        .related
        .retain(|held| (held.origin, held.incident) != (related.origin, related.incident));
    let parent = state
        .related
        .iter()
        .find(|held| held.relation == Relation::Parent);
    if let (Relation::Parent, Some(parent)) = (related.relation, parent) {
        return Err(IncidentRejection::Holds {
            what: "parent incident",
            name: parent.incident.to_string(),
        });
    }
    room("related", state.related.len(), MOST_RELATED)?;
    state.related.push(related);
    Ok(())
}

/// Figures are of the whole incident, so that those of a part of it would take their place wrongly.
fn assessed_whole(state: &IncidentState, id: Id) -> Result<(), IncidentRejection> {
    let held = state.assessments.iter().find(|held| held.id == id);
    let held = held.ok_or_else(|| IncidentRejection::NotThere {
        what: "assessment",
        name: id.to_string(),
    })?;
    if assessment::is_whole(held, state) {
        return Ok(());
    }
    Err(IncidentRejection::invalid(
        "assessment_id",
        &held.place.region_code,
        "an assessment of the incident's whole place: figures are of the whole incident",
    ))
}

fn set_figures(
    state: &mut IncidentState,
    impact: &ImpactRecorded,
) -> Result<(), IncidentRejection> {
    let as_of = time("as_of", impact.as_of.as_ref())?;
    if let Some(id) = optional_id("assessment_id", &impact.assessment_id)? {
        assessed_whole(state, id)?;
    }
    for figure in &impact.figures {
        let next = Impact {
            measure: figure.measure(),
            count: figure.count,
            source: impact.source(),
            as_of,
            sex: figure.sex(),
            age_band: figure.age_band(),
            corrected: impact.correction,
        };
        let held = state.same_figure(&next);
        if let Some(held) = held.filter(|held| as_of < held.as_of && !impact.correction) {
            return Err(IncidentRejection::OlderFigure {
                measure: held.measure,
                source_of: held.source,
                held: held.as_of,
                given: as_of,
            });
        }
        if held.is_none() && impact.correction {
            return Err(IncidentRejection::NotThere {
                what: "figure to correct for",
                name: next.measure.as_str_name().to_owned(),
            });
        }
        state.set_figure(next);
    }
    Ok(())
}

/// Returns the reason's name; nothing when none was given.
fn said(number: i32, name: &str) -> String {
    if number == 0 {
        String::new()
    } else {
        name.to_owned()
    }
}

pub(super) fn id(field: &'static str, bytes: &[u8]) -> Result<Id, IncidentRejection> {
    Id::try_from(bytes)
        .map_err(|error| IncidentRejection::invalid(field, error, "an id of 16 bytes"))
}

pub(super) fn optional_id(
    field: &'static str,
    bytes: &[u8],
) -> Result<Option<Id>, IncidentRejection> {
    (!bytes.is_empty()).then(|| id(field, bytes)).transpose()
}

pub(super) fn time(
    field: &'static str,
    at: Option<&Timestamp>,
) -> Result<Millis, IncidentRejection> {
    optional_time(field, at)?
        .ok_or_else(|| IncidentRejection::invalid(field, "", "a time is needed"))
}

pub(super) fn optional_time(
    field: &'static str,
    at: Option<&Timestamp>,
) -> Result<Option<Millis>, IncidentRejection> {
    at.map(Millis::try_from).transpose().map_err(|_| {
        let sent = at.map(|at| at.seconds).unwrap_or_default();
        IncidentRejection::invalid(
            field,
            format!("{sent} s"),
            "a time within the years 1 to 9999",
        )
    })
}

/// Returns where the thing of that number stands in its list; numbers count from 1.
pub(super) fn index(number: u32) -> Result<usize, IncidentRejection> {
    let at = number
        .checked_sub(1)
        .and_then(|at| usize::try_from(at).ok());
    at.ok_or_else(|| IncidentRejection::invalid("number", number, "periods count from 1"))
}

pub(super) fn room(what: &'static str, held: usize, most: usize) -> Result<(), IncidentRejection> {
    if held < most {
        return Ok(());
    }
    Err(IncidentRejection::TooMany { what, most })
}

pub(super) fn not_before(
    what: &'static str,
    at: Millis,
    other: &'static str,
    other_at: Millis,
) -> Result<(), IncidentRejection> {
    if at >= other_at {
        return Ok(());
    }
    Err(IncidentRejection::Before {
        what,
        at,
        other,
        other_at,
    })
}
