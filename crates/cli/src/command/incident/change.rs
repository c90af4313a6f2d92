//! `posko incident judge`, `step`, `post`, `objective` and the like: one thing about an incident changes.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use posko_proto::{
    Id, NodeId,
    common::v1::{Hazard, Place},
    incident::v1::{
        CancelReason, ChangeIncidentRequest, ChangeIncidentResponse, EmergencyLevel,
        EmergencyStatus, EscalationLevel, FigureSource, IncidentCancelled,
        IncidentEmergencyDeclared, IncidentEmergencyEnded, IncidentEscalated,
        IncidentEscalationAnswered, IncidentGlideAssigned, IncidentNeedMet, IncidentNeedSet,
        IncidentNeedSettled, IncidentObjectiveSet, IncidentObjectiveSettled, IncidentPeriodPlanned,
        IncidentPlanApproved, IncidentPostFilled, IncidentPostVacated, IncidentRelated,
        IncidentReopened, IncidentScaleSet, IncidentSeverityJudged, IncidentStepTaken,
        IncidentTransitionBegun, IncidentUnrelated, Office, Post, Priority, Relation, ReopenReason,
        Scale, Sector, Settlement, Severity, Step, Unit, change_incident_request::Change,
    },
};
use prost_types::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::incident_id;
use crate::{
    client::Client,
    command::{lost, outcome_fields, outcome_of, recorded, user},
    failure::Failure,
    input::{self, Frame},
    json as view,
    label::{self, Label},
    output::{Answer, Context, fields},
    word,
};

/// What every change has.
#[derive(Debug, Args)]
pub(crate) struct Changed {
    /// Id or number
    incident: String,
    /// Why, as a log note
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    frame: Frame,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ChangeCommand {
    /// Judges anew how grave an incident is
    #[command(after_help = "Examples:
  posko incident judge PMI-32-2026-000001 --severity extreme")]
    Judge {
        /// minor, moderate, severe or extreme
        #[arg(long, value_parser = word::parse::<Severity>)]
        severity: Severity,
        #[command(flatten)]
        changed: Changed,
    },
    /// Changes PMI's scale of an operation that runs
    #[command(after_help = "Examples:
  posko incident scale PMI-32-2026-000001 --scale large")]
    Scale {
        /// small, medium or large
        #[arg(long, value_parser = word::parse::<Scale>)]
        scale: Scale,
        #[command(flatten)]
        changed: Changed,
    },
    /// Says when a step was taken: the first team departed, arrived, an assessment was handed in
    #[command(after_help = "Examples:
  posko incident step PMI-32-2026-000001 team_departed
  posko incident step PMI-32-2026-000001 occurred \\
    --occurred-at 2026-01-05T04:10:00+07:00

With the departure of the first team the incident is responded to. A step that is told again replaces the time.")]
    Step {
        #[command(flatten)]
        changed: Changed,
        /// occurred, team_departed, on_scene or assessment_submitted
        #[arg(value_parser = word::parse::<Step>)]
        step: Step,
    },
    /// Says that the threat is over and recovery begins
    #[command(after_help = "Examples:
  posko incident transition PMI-32-2026-000001")]
    Transition {
        #[command(flatten)]
        changed: Changed,
    },
    /// Calls an incident off before any team left
    #[command(after_help = "Examples:
  posko incident cancel PMI-32-2026-000001 --reason stood_down

With `entered_in_error` it also takes a published record back, which then stands for no event.")]
    Cancel {
        /// entered_in_error, stood_down or handed_over
        #[arg(long, value_parser = word::parse::<CancelReason>)]
        reason: CancelReason,
        #[command(flatten)]
        changed: Changed,
    },
    /// Opens an incident again that was false, merged, cancelled, ended or closed
    #[command(after_help = "Examples:
  posko incident reopen PMI-32-2026-000001 --reason recurred")]
    Reopen {
        /// recurred, new_information or ended_in_error
        #[arg(long, value_parser = word::parse::<ReopenReason>)]
        reason: ReopenReason,
        #[command(flatten)]
        changed: Changed,
    },
    /// Notes the GLIDE number that was given to it
    #[command(after_help = "Examples:
  posko incident glide PMI-32-2026-000001 FL-2026-000199-IDN
  posko incident glide PMI-32-2026-000001 \"\"

The empty one takes a wrong number back. GLIDE numbers are given by ADRC and its partners, never here.")]
    Glide {
        #[command(flatten)]
        changed: Changed,
        /// The number
        glide: String,
    },
    /// Says how it stands to another incident, also of another province
    #[command(after_help = "Examples:
  posko incident relate PMI-32-2026-000002 --parent PMI-32-2026-000001
  posko incident relate PMI-32-2026-000002 --related PMI-31-2026-000007
  posko incident relate PMI-32-2026-000002 --drop PMI-31-2026-000007")]
    Relate {
        #[command(flatten)]
        changed: Changed,
        #[command(flatten)]
        other: Other,
    },
    /// Puts an account into a post, or takes it out; a commander hands over to the next
    #[command(after_help = "Examples:
  posko incident post PMI-32-2026-000001 commander
  posko incident post PMI-32-2026-000001 logistics \\
    --account sari
  posko incident post PMI-32-2026-000001 logistics --leave")]
    Post {
        #[command(flatten)]
        changed: Changed,
        /// commander, deputy, operations, planning, logistics, administration, public_relations, liaison, safety, health
        /// or assessment
        #[arg(value_parser = word::parse::<Post>)]
        post: Post,
        /// Login name or id of the account [default: the one that is logged in]
        #[arg(long, value_name = "ACCOUNT")]
        account: Option<String>,
        /// Take it out
        #[arg(long)]
        leave: bool,
    },
    /// Calls the posts of a level, or says that they are there
    #[command(after_help = "Examples:
  posko incident escalate PMI-32-2026-000001 branch
  posko incident escalate PMI-32-2026-000001 branch --answered

When nobody answers in time, the node calls the next level by itself.")]
    Escalate {
        #[command(flatten)]
        changed: Changed,
        /// branch, province, region or national
        #[arg(value_parser = word::parse::<EscalationLevel>)]
        level: EscalationLevel,
        /// Until when somebody must answer, such as 14:00 or "2026-11-29 14:00" (WIB) [default: the level's]
        #[arg(long, value_name = "TIME", value_parser = input::time, conflicts_with = "answered")]
        answer_by: Option<Timestamp>,
        /// The called are there
        #[arg(long)]
        answered: bool,
    },
    /// Sets an operational period of the operations plan (rencana operasi), or approves its plan
    #[command(after_help = "Examples:
  posko incident period PMI-32-2026-000001 1 \\
    --from 2026-01-05T06:00:00+07:00 --until 2026-01-05T18:00:00+07:00
  posko incident period PMI-32-2026-000001 1 --approve")]
    Period {
        #[command(flatten)]
        changed: Changed,
        /// Its number, from 1
        #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        number: u32,
        /// Its begin, such as 14:00 or "2026-11-29 14:00" (WIB)
        #[arg(long, value_name = "TIME", value_parser = input::time, requires = "until", required_unless_present = "approve")]
        from: Option<Timestamp>,
        /// Its end, such as 14:00 or "2026-11-29 14:00" (WIB)
        #[arg(long, value_name = "TIME", value_parser = input::time, requires = "from")]
        until: Option<Timestamp>,
        /// Approve its plan, with the objectives that it has now
        #[arg(long, conflicts_with_all = ["from", "until"])]
        approve: bool,
    },
    /// Sets an objective, or says what became of it
    #[command(after_help = "Examples:
  posko incident objective PMI-32-2026-000001 --priority lifesaving \\
    --note \"Semua warga RW 03 dievakuasi\" --due 2026-01-05T12:00:00+07:00
  posko incident objective PMI-32-2026-000001 \\
    --met 0192f3c4-5a6b-7c8d-9e0f-112233445566

`posko incident show` lists the objectives with their ids.")]
    Objective {
        #[command(flatten)]
        changed: Changed,
        /// The objective that is set anew [default: a new one]
        #[arg(long, value_name = "ID", value_parser = input::id)]
        set: Option<Id>,
        /// The objective that was reached
        #[arg(long, value_name = "ID", value_parser = input::id, conflicts_with_all = ["set", "drop"])]
        met: Option<Id>,
        /// The objective that is not pursued any more
        #[arg(long, value_name = "ID", value_parser = input::id, conflicts_with = "set")]
        drop: Option<Id>,
        /// normal, high or lifesaving
        #[arg(long, value_parser = word::parse::<Priority>)]
        priority: Option<Priority>,
        /// Until when, such as 14:00 or "2026-11-29 14:00" (WIB)
        #[arg(long, value_name = "TIME", value_parser = input::time)]
        due: Option<Timestamp>,
        /// The number of its operational period
        #[arg(long, value_name = "N")]
        period: Option<u32>,
        /// Who is to reach it
        #[arg(long, value_parser = word::parse::<Post>)]
        post: Option<Post>,
    },
    /// Says what is needed, that a part of it came, or what became of it
    #[command(after_help = "Examples:
  posko incident need PMI-32-2026-000001 --sector shelter --quantity 200 \\
    --unit pieces --priority high --region 32.03.22 \\
    --note \"Terpal untuk RW 03\"
  posko incident need PMI-32-2026-000001 --by pmi --quantity 80 \\
    --part 0192f3c4-5a6b-7c8d-9e0f-112233445566
  posko incident need PMI-32-2026-000001 \\
    --met 0192f3c4-5a6b-7c8d-9e0f-112233445566

The note words a new need: every province reads it. Sectors: wash, shelter, health,
food, nfi, pss, rfl, logistics, personnel, evacuation, other. Units: pieces, kits,
portions, kilograms, liters, persons, households, teams, vehicles, units.
`posko incident show` lists the needs with their ids.")]
    Need(Box<NeedArgs>),
    /// Notes the legal status of the emergency as an authority declared it, or that it was ended early
    #[command(after_help = "Examples:
  posko incident emergency PMI-32-2026-000001 --status response \\
    --level regency --authority regent --decree 360/Kep.12-BPBD/2026 \\
    --date 2026-01-05 --from 2026-01-05 --until 2026-01-18 \\
    --hazard flood --region 32.03
  posko incident emergency PMI-32-2026-000001 --status response \\
    --level regency --authority regent --decree 360/Kep.20-BPBD/2026 \\
    --date 2026-01-18 --until 2026-02-01 --hazard flood --region 32.03 \\
    --extends 0192f3c4-5a6b-7c8d-9e0f-112233445566
  posko incident emergency PMI-32-2026-000001 \\
    --end 0192f3c4-5a6b-7c8d-9e0f-112233445566

Statuses: alert (siaga darurat, of slow-onset hazards), response (tanggap darurat),
transition, certain_condition (keadaan tertentu). An extension begins where the other
ends, and is of the same status, level and authority.")]
    Emergency(Box<EmergencyArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct NeedArgs {
    #[command(flatten)]
    changed: Changed,
    /// Its field of work
    #[arg(long, value_parser = word::parse::<Sector>, required_unless_present_any = ["part", "met", "drop", "duplicate"])]
    sector: Option<Sector>,
    /// How much is needed, or came [default: not quantified]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    quantity: u64,
    /// What is counted
    #[arg(long, value_parser = word::parse::<Unit>)]
    unit: Option<Unit>,
    /// normal, high or lifesaving
    #[arg(long, value_parser = word::parse::<Priority>)]
    priority: Option<Priority>,
    /// Kemendagri code or name of the place where it is needed
    #[arg(long, value_name = "CODE", value_parser = input::region)]
    region: Option<String>,
    /// Until when, such as 14:00 or "2026-11-29 14:00" (WIB)
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    due: Option<Timestamp>,
    /// The need that is said anew [default: a new one]
    #[arg(long, value_name = "ID", value_parser = input::id)]
    set: Option<Id>,
    /// The need of which a part came
    #[arg(long, value_name = "ID", value_parser = input::id, requires = "by", conflicts_with_all = ["set", "sector", "unit", "priority", "region", "due"])]
    part: Option<Id>,
    /// Who brought it: pmi, government or other
    #[arg(long, value_parser = word::parse::<FigureSource>, requires = "part")]
    by: Option<FigureSource>,
    /// The quantity is all that they brought so far, in place of what was said before
    #[arg(long, requires = "part")]
    correct: bool,
    /// The need that is met
    #[arg(long, value_name = "ID", value_parser = input::id, conflicts_with_all = ["set", "part", "sector", "drop", "duplicate"])]
    met: Option<Id>,
    /// The need that is not pursued any more
    #[arg(long, value_name = "ID", value_parser = input::id, conflicts_with_all = ["set", "part", "sector", "duplicate"])]
    drop: Option<Id>,
    /// The need that stands under another id
    #[arg(long, value_name = "ID", value_parser = input::id, conflicts_with_all = ["set", "part", "sector"])]
    duplicate: Option<Id>,
}

impl NeedArgs {
    fn change(self) -> (Changed, Change) {
        let settled = |id: Id, settlement: Settlement| {
            Change::SettleNeed(IncidentNeedSettled {
                need_id: id.to_vec(),
                settlement: settlement.into(),
            })
        };
        let change = match (self.part, self.met, self.drop, self.duplicate) {
            (Some(id), ..) => Change::MeetNeed(IncidentNeedMet {
                need_id: id.to_vec(),
                quantity: self.quantity,
                source: self.by.map(i32::from).unwrap_or_default(),
                correction: self.correct,
            }),
            (None, Some(id), ..) => settled(id, Settlement::Met),
            (None, None, Some(id), _) => settled(id, Settlement::Dropped),
            (None, None, None, Some(id)) => settled(id, Settlement::Duplicate),
            (None, None, None, None) => Change::SetNeed(IncidentNeedSet {
                need_id: self.set.map(Id::to_vec).unwrap_or_default(),
                sector: self.sector.map(i32::from).unwrap_or_default(),
                quantity: self.quantity,
                unit: self.unit.map(i32::from).unwrap_or_default(),
                priority: self.priority.map(i32::from).unwrap_or_default(),
                place: self.region.map(|region_code| Place {
                    region_code,
                    ..Place::default()
                }),
                due_at: self.due,
            }),
        };
        (self.changed, change)
    }
}

#[derive(Debug, Args)]
pub(crate) struct EmergencyArgs {
    #[command(flatten)]
    changed: Changed,
    /// alert, response, transition or certain_condition
    #[arg(long, value_parser = word::parse::<EmergencyStatus>, required_unless_present = "end",
        requires_all = ["level", "authority", "decree", "date", "until", "hazards", "regions"])]
    status: Option<EmergencyStatus>,
    /// regency, province or national
    #[arg(long, value_parser = word::parse::<EmergencyLevel>)]
    level: Option<EmergencyLevel>,
    /// The office that declares it: regent, mayor, governor, president or bnpb
    #[arg(long, value_parser = word::parse::<Office>)]
    authority: Option<Office>,
    /// The decree's number
    #[arg(long, value_name = "NUMBER")]
    decree: Option<String>,
    /// The day of the decree
    #[arg(long, value_name = "DAY")]
    date: Option<String>,
    /// Its first day, or its begin, such as 14:00 or "2026-11-29 14:00" (WIB) [default: with --extends, where the other ends]
    #[arg(long, value_name = "DAY", value_parser = input::begin, required_unless_present_any = ["extends", "end"])]
    from: Option<Timestamp>,
    /// Its last day, or its end, such as 14:00 or "2026-11-29 14:00" (WIB)
    #[arg(long, value_name = "DAY", value_parser = input::end)]
    until: Option<Timestamp>,
    /// A hazard that it names; may be repeated
    #[arg(long = "hazard", value_name = "HAZARD", value_parser = word::parse::<Hazard>)]
    hazards: Vec<Hazard>,
    /// Kemendagri code or name of an area in which it holds; may be repeated
    #[arg(long = "region", value_name = "CODE", value_parser = input::region)]
    regions: Vec<String>,
    /// The declaration that it extends
    #[arg(long, value_name = "ID", value_parser = input::id)]
    extends: Option<Id>,
    /// The declaration that is noted anew [default: a new one]
    #[arg(long, value_name = "ID", value_parser = input::id)]
    set: Option<Id>,
    /// File of the decree: its SHA-256 is noted, and it is not sent
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// The declaration that was ended early, at --occurred-at
    #[arg(long, value_name = "ID", value_parser = input::id, conflicts_with_all = ["status", "set", "extends"])]
    end: Option<Id>,
}

impl EmergencyArgs {
    fn change(self) -> Result<(Changed, Change), Failure> {
        if let Some(id) = self.end {
            let declaration_id = id.to_vec();
            let ended = IncidentEmergencyEnded { declaration_id };
            return Ok((self.changed, Change::EndEmergency(ended)));
        }
        let document = self.document.as_deref().map(sha256).transpose()?;
        let declared = IncidentEmergencyDeclared {
            declaration_id: self.set.map(Id::to_vec).unwrap_or_default(),
            status: self.status.map(i32::from).unwrap_or_default(),
            level: self.level.map(i32::from).unwrap_or_default(),
            authority: self.authority.map(i32::from).unwrap_or_default(),
            decree_number: self.decree.unwrap_or_default(),
            decree_date: self.date.unwrap_or_default(),
            from: self.from,
            until: self.until,
            hazards: self.hazards.into_iter().map(i32::from).collect(),
            region_codes: self.regions,
            extends: self.extends.map(Id::to_vec).unwrap_or_default(),
            document_sha256: document.unwrap_or_default(),
        };
        Ok((self.changed, Change::DeclareEmergency(declared)))
    }
}

/// Returns the SHA-256 of a file, read piece by piece.
fn sha256(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut hash = Sha256::new();
        std::io::copy(&mut std::fs::File::open(path)?, &mut hash)?;
        Ok(hash.finalize().to_vec())
    };
    read().map_err(|error| Failure::usage(format!("read `{}`: {error}", path.display())))
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Other {
    /// The larger incident that it is a part of
    #[arg(long, value_name = "INCIDENT")]
    parent: Option<String>,
    /// An incident that it belongs with
    #[arg(long, value_name = "INCIDENT")]
    related: Option<String>,
    /// An incident that it does not belong with any more
    #[arg(long, value_name = "INCIDENT")]
    drop: Option<String>,
}

impl ChangeCommand {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context, client: &Client) -> Result<Answer, Failure> {
        let (changed, change) = match self {
            Self::Judge { severity, changed } => {
                let severity = severity.into();
                (
                    changed,
                    Change::JudgeSeverity(IncidentSeverityJudged { severity }),
                )
            }
            Self::Scale { scale, changed } => {
                let scale = scale.into();
                (changed, Change::SetScale(IncidentScaleSet { scale }))
            }
            Self::Step { changed, step } => {
                let step = step.into();
                (changed, Change::TakeStep(IncidentStepTaken { step }))
            }
            Self::Transition { changed } => {
                (changed, Change::BeginTransition(IncidentTransitionBegun {}))
            }
            Self::Cancel { reason, changed } => {
                let reason = reason.into();
                (changed, Change::Cancel(IncidentCancelled { reason }))
            }
            Self::Reopen { reason, changed } => {
                let reason = reason.into();
                (changed, Change::Reopen(IncidentReopened { reason }))
            }
            Self::Glide { changed, glide } => (
                changed,
                Change::AssignGlide(IncidentGlideAssigned { glide }),
            ),
            Self::Relate { changed, other } => (changed, other.change(client).await?),
            Self::Post {
                changed,
                post,
                account,
                leave,
            } => {
                let account = match account {
                    Some(account) => user::account_id(client, &account).await?,
                    None => Vec::new(),
                };
                (changed, posted(post, account, leave))
            }
            Self::Escalate {
                changed,
                level,
                answer_by,
                answered,
            } => (changed, called(level, answer_by, answered)),
            Self::Period {
                changed,
                number,
                from,
                until,
                approve,
            } => {
                let change = if approve {
                    Change::ApprovePlan(IncidentPlanApproved { number })
                } else {
                    Change::PlanPeriod(IncidentPeriodPlanned {
                        number,
                        from,
                        until,
                    })
                };
                (changed, change)
            }
            Self::Objective {
                changed,
                set,
                met,
                drop,
                priority,
                due,
                period,
                post,
            } => {
                let settled = |id: Id, settlement: Settlement| {
                    Change::SettleObjective(IncidentObjectiveSettled {
                        objective_id: id.to_vec(),
                        settlement: settlement.into(),
                    })
                };
                let change = match (met, drop) {
                    (Some(id), _) => settled(id, Settlement::Met),
                    (None, Some(id)) => settled(id, Settlement::Dropped),
                    (None, None) => Change::SetObjective(IncidentObjectiveSet {
                        objective_id: set.map(Id::to_vec).unwrap_or_default(),
                        priority: priority.map(i32::from).unwrap_or_default(),
                        due_at: due,
                        period: period.unwrap_or_default(),
                        post: post.map(i32::from).unwrap_or_default(),
                    }),
                };
                (changed, change)
            }
            Self::Need(args) => args.change(),
            Self::Emergency(args) => args.change()?,
        };
        let set = match &change {
            Change::SetObjective(_) => Some((label::OBJECTIVE, "objective_id")),
            Change::SetNeed(_) => Some((label::NEED, "need_id")),
            Change::DeclareEmergency(_) => Some((label::DECLARATION, "declaration_id")),
            _ => None,
        };
        let incident_id = incident_id(client, &changed.incident).await?;
        let (id, meta) = changed.frame.meta();
        let request = ChangeIncidentRequest {
            meta: Some(meta),
            incident_id,
            note: changed.note.unwrap_or_default(),
            change: Some(change),
        };
        let answer = client.incidents().change_incident(request).await;
        let answer = answer.map_err(lost(id))?.into_inner();
        match set {
            Some(set) => recorded_set(context, set, id, answer),
            None => recorded(context, label::INCIDENT, id, answer.outcome),
        }
    }
}

/// Returns what a command recorded, with the id of what it set, by which that is met, settled or ended.
fn recorded_set(
    context: &Context,
    (what, key): (Label, &str),
    command: Id,
    answer: ChangeIncidentResponse,
) -> Result<Answer, Failure> {
    let outcome = outcome_of(command, answer.outcome)?;
    let set = view::id(&answer.set_id);
    let [incident, version, position] = outcome_fields(label::INCIDENT, &outcome);
    let named = (what, set.clone().unwrap_or_default());
    let text = fields(context, [named, incident, version, position]);
    Answer::new(json!({ "outcome": outcome, key: set }), text)
}

impl Other {
    async fn change(self, client: &Client) -> Result<Change, Failure> {
        let (relation, name) = match (self.parent, self.related, self.drop) {
            (Some(name), _, _) => (Some(Relation::Parent), name),
            (None, Some(name), _) => (Some(Relation::Related), name),
            (None, None, name) => (None, name.unwrap_or_default()),
        };
        let found = client
            .incidents()
            .get_incident(super::lookup(client, &name)?)
            .await?;
        let found = found.into_inner().incident.unwrap_or_default();
        let origin: String = found
            .provenance
            .map(|known| known.origin)
            .unwrap_or_default();
        origin
            .parse::<NodeId>()
            .map_err(|_| Failure::not_found(format!("nobody is known to own incident `{name}`")))?;
        let incident_id = found.incident_id;
        Ok(match relation {
            Some(relation) => Change::Relate(IncidentRelated {
                relation: relation.into(),
                origin,
                incident_id,
            }),
            None => Change::Unrelate(IncidentUnrelated {
                origin,
                incident_id,
            }),
        })
    }
}

fn posted(post: Post, account_ref: Vec<u8>, leave: bool) -> Change {
    let post = post.into();
    if leave {
        Change::VacatePost(IncidentPostVacated { post, account_ref })
    } else {
        Change::FillPost(IncidentPostFilled { post, account_ref })
    }
}

fn called(level: EscalationLevel, answer_by: Option<Timestamp>, answered: bool) -> Change {
    let level = level.into();
    if answered {
        Change::AnswerEscalation(IncidentEscalationAnswered { level })
    } else {
        Change::Escalate(IncidentEscalated {
            level,
            answer_by,
            ..IncidentEscalated::default()
        })
    }
}
