//! A change of one thing about an incident, read from the wire at the door.

use posko_proto::{
    Id, NodeId,
    incident::v1::{
        CancelReason, ChangeIncidentRequest, EscalationLevel, FigureSource,
        IncidentEmergencyDeclared, IncidentEscalated, IncidentNeedSet, IncidentObjectiveSet,
        IncidentPeriodPlanned, Post, Priority, Relation, ReopenReason, Scale, Sector, Settlement,
        Severity, Step, Unit, change_incident_request::Change as Wire,
    },
    time::Millis,
};

use crate::{
    context::stream_of,
    event::IncidentEvent,
    incident::{
        IncidentCommand, IncidentRejection,
        command::{LARGEST_COUNT, given, known, optional_note},
        emergency,
        operation::{above, levels},
        rule::{id, optional_time, time},
    },
    region::Place,
};

/// A change whose fields were checked: it is the event that it becomes, but for what a decision fills in.
#[derive(Debug, Clone, PartialEq)]
pub struct Change(IncidentEvent);

impl Change {
    /// Returns the call of the next level, which follows when nobody answered the call of this one; none above the last.
    pub fn unanswered(level: EscalationLevel) -> Option<Self> {
        Some(Self(IncidentEvent::Escalated(IncidentEscalated {
            level: above(level)?.into(),
            automatic: true,
            ..IncidentEscalated::default()
        })))
    }

    pub(super) fn event(&self) -> &IncidentEvent {
        &self.0
    }

    /// Returns the owner and the id of the incident that is said to be the parent.
    pub fn parent(&self) -> Option<(NodeId, Id)> {
        match &self.0 {
            IncidentEvent::Related(said) if said.relation() == Relation::Parent => {
                let id = Id::try_from(said.incident_id.as_slice()).ok()?;
                Some((said.origin.parse().ok()?, id))
            }
            _ => None,
        }
    }

    /// Returns what is set, and a note that comes with the change words: an objective, a need or a declaration; empty
    /// when nothing is. Why something was met or settled is a log note of its own, which takes no wording's place.
    pub fn subject(&self) -> Vec<u8> {
        match &self.0 {
            IncidentEvent::ObjectiveSet(set) => set.objective_id.clone(),
            IncidentEvent::NeedSet(set) => set.need_id.clone(),
            IncidentEvent::EmergencyDeclared(declared) => declared.declaration_id.clone(),
            _ => Vec::new(),
        }
    }
}

impl TryFrom<&ChangeIncidentRequest> for IncidentCommand {
    type Error = IncidentRejection;

    fn try_from(request: &ChangeIncidentRequest) -> Result<Self, IncidentRejection> {
        let change = request.change.as_ref().ok_or_else(|| {
            IncidentRejection::invalid("change", "", "one change is needed, known to this version")
        })?;
        let event = match change.clone() {
            Wire::JudgeSeverity(said) => {
                given::<Severity>("judge_severity.severity", said.severity)?;
                IncidentEvent::SeverityJudged(said)
            }
            Wire::SetScale(said) => {
                given::<Scale>("set_scale.scale", said.scale)?;
                IncidentEvent::ScaleSet(said)
            }
            Wire::TakeStep(said) => {
                given::<Step>("take_step.step", said.step)?;
                IncidentEvent::StepTaken(said)
            }
            Wire::BeginTransition(said) => IncidentEvent::TransitionBegun(said),
            Wire::Cancel(said) => {
                given::<CancelReason>("cancel.reason", said.reason)?;
                IncidentEvent::Cancelled(said)
            }
            Wire::Reopen(said) => {
                given::<ReopenReason>("reopen.reason", said.reason)?;
                IncidentEvent::Reopened(said)
            }
            Wire::AssignGlide(said) => IncidentEvent::GlideAssigned(said),
            Wire::Relate(said) => {
                given::<Relation>("relate.relation", said.relation)?;
                if said.incident_id == request.incident_id {
                    let other = id("relate.incident_id", &said.incident_id)?;
                    let expected = "an incident is not related to itself";
                    return Err(IncidentRejection::invalid(
                        "relate.incident_id",
                        other,
                        expected,
                    ));
                }
                IncidentEvent::Related(said)
            }
            Wire::Unrelate(said) => IncidentEvent::Unrelated(said),
            Wire::FillPost(said) => {
                given::<Post>("fill_post.post", said.post)?;
                id("fill_post.account_ref", &said.account_ref)?;
                IncidentEvent::PostFilled(said)
            }
            Wire::VacatePost(said) => {
                given::<Post>("vacate_post.post", said.post)?;
                id("vacate_post.account_ref", &said.account_ref)?;
                IncidentEvent::PostVacated(said)
            }
            Wire::Escalate(said) => IncidentEvent::Escalated(escalated(said)?),
            Wire::AnswerEscalation(said) => {
                given::<EscalationLevel>("answer_escalation.level", said.level)?;
                IncidentEvent::EscalationAnswered(said)
            }
            Wire::PlanPeriod(said) => IncidentEvent::PeriodPlanned(planned(said)?),
            Wire::ApprovePlan(said) => IncidentEvent::PlanApproved(said),
            Wire::SetObjective(said) => IncidentEvent::ObjectiveSet(objective(&said, request)?),
            Wire::SettleObjective(said) => {
                given::<Settlement>("settle_objective.settlement", said.settlement)?;
                id("settle_objective.objective_id", &said.objective_id)?;
                IncidentEvent::ObjectiveSettled(said)
            }
            Wire::SetNeed(said) => IncidentEvent::NeedSet(need(&said, request)?),
            Wire::MeetNeed(said) => {
                given::<FigureSource>("meet_need.source", said.source)?;
                id("meet_need.need_id", &said.need_id)?;
                quantity("meet_need.quantity", said.quantity)?;
                IncidentEvent::NeedMet(said)
            }
            Wire::SettleNeed(said) => {
                given::<Settlement>("settle_need.settlement", said.settlement)?;
                id("settle_need.need_id", &said.need_id)?;
                IncidentEvent::NeedSettled(said)
            }
            Wire::DeclareEmergency(said) => {
                let declaration_id = named(
                    "declare_emergency.declaration_id",
                    &said.declaration_id,
                    request,
                )?;
                IncidentEvent::EmergencyDeclared(IncidentEmergencyDeclared {
                    declaration_id,
                    ..emergency::checked(said)?
                })
            }
            Wire::EndEmergency(said) => {
                id("end_emergency.declaration_id", &said.declaration_id)?;
                IncidentEvent::EmergencyEnded(said)
            }
        };
        Ok(Self::Change {
            change: Change(event),
            note: optional_note(&request.note)?,
        })
    }
}

/// What a level calls is the house's to say, and an automatic call the node's.
fn escalated(said: IncidentEscalated) -> Result<IncidentEscalated, IncidentRejection> {
    given::<EscalationLevel>("escalate.level", said.level)?;
    optional_time("escalate.answer_by", said.answer_by.as_ref())?;
    if said.automatic || !said.called.is_empty() {
        let expected = "`called` and `automatic` are filled in by the node";
        return Err(IncidentRejection::invalid(
            "escalate",
            "filled in",
            expected,
        ));
    }
    Ok(said)
}

fn planned(said: IncidentPeriodPlanned) -> Result<IncidentPeriodPlanned, IncidentRejection> {
    time("plan_period.from", said.from.as_ref())?;
    time("plan_period.until", said.until.as_ref())?;
    Ok(said)
}

fn objective(
    said: &IncidentObjectiveSet,
    request: &ChangeIncidentRequest,
) -> Result<IncidentObjectiveSet, IncidentRejection> {
    known::<Priority>("set_objective.priority", said.priority)?;
    known::<Post>("set_objective.post", said.post)?;
    optional_time("set_objective.due_at", said.due_at.as_ref())?;
    if said.objective_id.is_empty() {
        worded(request, "a new objective is worded in the note")?;
    }
    let objective_id = named("set_objective.objective_id", &said.objective_id, request)?;
    Ok(IncidentObjectiveSet {
        objective_id,
        ..*said
    })
}

fn need(
    said: &IncidentNeedSet,
    request: &ChangeIncidentRequest,
) -> Result<IncidentNeedSet, IncidentRejection> {
    given::<Sector>("set_need.sector", said.sector)?;
    known::<Priority>("set_need.priority", said.priority)?;
    let unit: Unit = known("set_need.unit", said.unit)?;
    quantity("set_need.quantity", said.quantity)?;
    if (said.quantity > 0) != (unit != Unit::Unspecified) {
        let expected = "a unit goes with a quantity, and a quantity with a unit";
        return Err(IncidentRejection::invalid(
            "set_need.unit",
            unit.as_str_name(),
            expected,
        ));
    }
    optional_time("set_need.due_at", said.due_at.as_ref())?;
    let place = said.place.as_ref().map(Place::parse_within).transpose()?;
    if said.need_id.is_empty() {
        worded(request, "a new need is worded in the note")?;
    }
    Ok(IncidentNeedSet {
        need_id: named("set_need.need_id", &said.need_id, request)?,
        place: place.map(Into::into),
        ..said.clone()
    })
}

fn quantity(field: &'static str, quantity: u64) -> Result<(), IncidentRejection> {
    if quantity > LARGEST_COUNT {
        let expected = "at most 1,000,000,000";
        return Err(IncidentRejection::invalid(field, quantity, expected));
    }
    Ok(())
}

fn worded(
    request: &ChangeIncidentRequest,
    expected: &'static str,
) -> Result<(), IncidentRejection> {
    if request.note.trim().is_empty() {
        return Err(IncidentRejection::invalid("note", "", expected));
    }
    Ok(())
}

/// What has no id yet takes it from the command, so that a repeated command names the same thing.
fn named(
    field: &'static str,
    given: &[u8],
    request: &ChangeIncidentRequest,
) -> Result<Vec<u8>, IncidentRejection> {
    if !given.is_empty() {
        return Ok(id(field, given)?.to_vec());
    }
    let command = request.meta.as_ref().map(|meta| meta.command_id.as_slice());
    let command: Id = id("meta.command_id", command.unwrap_or_default())?;
    Ok(stream_of(command).to_vec())
}

/// Fills in whom the level calls and until when somebody must answer.
pub(super) fn call(escalated: &IncidentEscalated, now: Millis) -> IncidentEscalated {
    let level = levels()
        .into_iter()
        .find(|(level, ..)| *level == escalated.level());
    let (posts, minutes) = level.map_or((&[][..], None), |(_, posts, minutes)| (posts, minutes));
    let by = minutes.map(|minutes| now.plus_seconds(minutes * 60).into());
    IncidentEscalated {
        called: posts.iter().map(|post| (*post).into()).collect(),
        answer_by: escalated.answer_by.or(by),
        ..escalated.clone()
    }
}
