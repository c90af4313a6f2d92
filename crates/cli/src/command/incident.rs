//! `posko incident`: incidents of the whole region, and running one's own.

mod assess;
mod attachment;
mod change;
mod figure;
mod import;
mod notice;
mod operation;
mod timeline;

use clap::{Args, Subcommand};
use posko_proto::{
    Id, NodeId,
    common::v1::{Hazard, Outcome, Place, Point, Provenance},
    incident::v1::{
        ActivateIncidentRequest, AddNoteRequest, AgeBand, CancelReason, CloseIncidentRequest,
        EndOperationRequest, Figure, FigureSource, GetIncidentRequest, GetIncidentResponse,
        Incident, ListIncidentsRequest, Measure, Note, RecordImpactRequest, RejectIncidentRequest,
        RejectReason, ReopenReason, ReportChannel, ReportIncidentRequest, Scale, Severity, Sex,
        Status, Step, VerifyIncidentRequest,
    },
    log::v1::WithdrawPayloadRequest,
};
use prost_types::Timestamp;
use serde_json::json;

use super::{
    freshness, link_tint, listed, lost, named, named_code, outcome_fields, outcome_of, owner,
    pages, recorded, severity_tint,
};
use crate::{
    client::{Client, Who},
    failure::Failure,
    input::{self, Frame},
    json as view, label, name,
    output::{Answer, Context, Table, Tint, fields, grouped, when},
    word,
};

/// Reports, runs, lists and shows incidents
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko incident report --hazard flood --region 32.75.01 --severity severe \\
    --channel branch
  posko incident verify PMI-32-2026-000001 --source government
  posko incident impact PMI-32-2026-000001 --figure displaced=1200 \\
    --figure dead=0 --source government
  posko incident list --open
  posko incident notices

An incident is named by its id or its number.")]
pub(crate) struct IncidentArgs {
    #[command(subcommand)]
    command: IncidentCommand,
}

#[derive(Debug, Subcommand)]
enum IncidentCommand {
    /// Opens an incident, also from a warning
    #[command(after_help = "Examples:
  posko incident report --hazard flood --region 32.75.01 \\
    --lat -6.24 --lon 106.99 --severity severe --channel branch
  posko incident report --region 32.03 \\
    --from-warning 32/0192f3c4-5a6b-7c8d-9e0f-112233445566
  posko incident report --exercise --hazard landslide --region 32.01 \\
    --channel branch --note \"Gladi\"

With a warning the hazard may be left out, and the place too when the warning names a single one of this province.")]
    Report(Box<ReportArgs>),
    /// Confirms a reported incident
    #[command(after_help = "Examples:
  posko incident verify PMI-32-2026-000001 --source government")]
    Verify {
        /// Id or number
        incident: String,
        /// Who confirmed it: pmi, government or other
        #[arg(long, default_value = "pmi", value_parser = word::parse::<FigureSource>)]
        source: FigureSource,
        #[command(flatten)]
        frame: Frame,
    },
    /// Says that a report is false, or a duplicate
    #[command(after_help = "Examples:
  posko incident reject PMI-32-2026-000002 --reason hoax
  posko incident reject PMI-32-2026-000002 --duplicate-of PMI-32-2026-000001")]
    Reject {
        /// Id or number
        incident: String,
        /// Id or number of the incident that it is the same as
        #[arg(long, value_name = "INCIDENT")]
        duplicate_of: Option<String>,
        /// Why it is false: not_confirmed, hoax, below_threshold or elsewhere
        #[arg(long, value_parser = word::parse::<RejectReason>, conflicts_with = "duplicate_of")]
        reason: Option<RejectReason>,
        /// Why, as a log note
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        #[command(flatten)]
        frame: Frame,
    },
    /// Activates response teams for a verified incident
    #[command(after_help = "Examples:
  posko incident activate PMI-32-2026-000001 --scale large")]
    Activate {
        /// Id or number
        incident: String,
        /// PMI's scale: small, medium or large
        #[arg(long, value_parser = word::parse::<Scale>)]
        scale: Scale,
        #[command(flatten)]
        frame: Frame,
    },
    /// Sets impact figures with their source and time
    #[command(after_help = "Examples:
  posko incident impact PMI-32-2026-000001 --figure displaced=1200 \\
    --figure houses_severe=85 --source government \\
    --as-of 2026-01-05T12:00:00+07:00
  posko incident impact PMI-32-2026-000001 --source pmi \\
    --figure displaced.female=640 \\
    --figure displaced.female.6_12=81

A count of people may be of a sex (male, female, other), an age (0_1, 2_5, 6_12,
13_17, 18_20, 21_59, 60_up, unknown) or both.

Measures: dead, missing, injured_severe, injured_moderate, injured_slight, sick, affected, displaced,
displaced_households, isolated, injured, houses_severe, houses_moderate, houses_slight, houses_damaged,
houses_flooded, houses_swept, schools, health_facilities, worship, offices, shops, bridges, roads_m, farmland_m2,
public_facilities.")]
    Impact {
        /// Id or number
        incident: String,
        /// A figure; may be repeated, at most once a measure, sex and age
        #[arg(long = "figure", value_name = "MEASURE[.SEX][.AGE]=COUNT", required = true, value_parser = input::figure)]
        figures: Vec<Figure>,
        /// Who gave them: pmi, government or other
        #[arg(long, value_parser = word::parse::<FigureSource>)]
        source: FigureSource,
        /// Time that they describe, such as 14:00 or "2026-11-29 14:00" (WIB) [default: now]
        #[arg(long, value_name = "TIME", value_parser = input::time)]
        as_of: Option<Timestamp>,
        /// What the same source said for that time, or a later one, was wrong; the log keeps it
        #[arg(long)]
        correct: bool,
        #[command(flatten)]
        frame: Frame,
    },
    /// Adds a log note
    #[command(after_help = "Examples:
  posko incident note PMI-32-2026-000001 \"Dapur umum di SDN 3 dibuka\"

Write no names, telephone numbers or medical facts of persons: every province reads it.")]
    Note {
        /// Id or number
        incident: String,
        /// The note, at most 4,000 characters
        text: String,
        #[command(flatten)]
        frame: Frame,
    },
    /// Has the text of a log note of this province deleted at every node
    #[command(after_help = "Examples:
  posko incident withdraw-note PMI-32-2026-000001 \\
    0192f3c4-5a6b-7c8d-9e0f-112233445566 \\
    --reason \"Menyebut nama pasien\" --legal-basis \"UU 27/2022 pasal 8\"

`posko incident show` lists the notes with their event ids. The reason stays, and
every province reads it: it names nobody. It cannot be taken back. Who has not
deleted it yet is listed by `posko log withdrawals`.")]
    WithdrawNote {
        /// Id or number
        incident: String,
        /// The note's event
        #[arg(value_name = "EVENT_ID", value_parser = input::id)]
        event: Id,
        /// Why
        #[arg(long)]
        reason: String,
        /// The law or the decision by which it is withdrawn
        #[arg(long)]
        legal_basis: String,
        #[command(flatten)]
        frame: Frame,
    },
    /// Ends the operation of an activated incident
    #[command(after_help = "Examples:
  posko incident end PMI-32-2026-000001")]
    End {
        /// Id or number
        incident: String,
        #[command(flatten)]
        frame: Frame,
    },
    #[command(flatten)]
    Change(change::ChangeCommand),
    #[command(flatten)]
    Attachment(attachment::AttachmentCommand),
    /// Hands a rapid assessment in, on PMI's form or IFRC's of 24 and 72 hours
    #[command(after_help = "Examples:
  posko incident assess --template pmi > asesmen.toml
  posko incident assess PMI-32-2026-000001 asesmen.toml --dry-run
  posko incident assess PMI-32-2026-000001 asesmen.toml
  posko incident assess PMI-32-2026-000001 asesmen.toml --figures

Names of assessors, signatories and contacts are left out and said so. What is
answered in words is a log note: every province reads it, and it can be withdrawn.
A file with `supersedes` is a newer version of an assessment; the older stays.")]
    Assess(Box<assess::AssessArgs>),
    /// Lists and shows the rapid assessments of an incident
    #[command(
        subcommand,
        after_help = "Examples:
  posko incident assessment list PMI-32-2026-000001"
    )]
    Assessment(assess::AssessmentCommand),
    /// Lists every event of an incident and of its sites, in the order of its log
    #[command(after_help = "Examples:
  posko incident timeline PMI-32-2026-000001
  posko incident timeline PMI-32-2026-000001 --limit 0 --json")]
    Timeline {
        /// Id or number
        incident: String,
        /// At most this many; 0 lists all
        #[arg(long, value_name = "N", default_value_t = 0)]
        limit: u32,
    },
    /// Closes an incident whose operation has ended
    #[command(after_help = "Examples:
  posko incident close PMI-32-2026-000001 --expect-version 7")]
    Close {
        /// Id or number
        incident: String,
        /// Close it although sites, needs or a legal status of it are still open
        #[arg(long)]
        confirmed: bool,
        #[command(flatten)]
        frame: Frame,
    },
    /// Takes published disaster records of the past as historical incidents, which raise no alarm
    #[command(after_help = "Examples:
  posko incident import banjir.csv --map jabar-banjir --dry-run
  posko incident import banjir.csv --map jabar-banjir
  posko incident import data.xlsx --map ./peta.toml --dry-run --json

The whole file is checked first; one row that is refused, and nothing is recorded.
Run again, it records what is new or has changed, and nothing twice.
Maps that come with the program: bnpb-dibi, petabencana, jabar-banjir, jabar-longsor,
jabar-gempa, jabar-cuaca-ekstrem, jabar-kerusakan-rumah, jakarta-banjir.
They lie in config/import, with every key explained in config/import/README.md.
A text with what looks like personal data is left out and told, unless with --text-as-is.")]
    Import(import::ImportArgs),
    /// Lists incidents of the whole region, newest first, with the age of each province's picture
    #[command(after_help = "Examples:
  posko incident list --open
  posko incident list --zone Z1
  posko incident list --origin 32 --region 32.75 --limit 0 --json")]
    List {
        /// Only those of this province
        #[arg(long, value_parser = input::node)]
        origin: Option<NodeId>,
        /// Only those within this Kemendagri code or name
        #[arg(long, value_name = "CODE", value_parser = input::region)]
        region: Option<String>,
        /// Only those of this border zone
        #[arg(long, value_name = "ZONE")]
        zone: Option<String>,
        /// Leave out false, merged and closed ones
        #[arg(long)]
        open: bool,
        /// Those taken from published records of the past, by when they happened, and no others
        #[arg(long, conflicts_with = "open")]
        historical: bool,
        /// At most this many; 0 lists all
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Shows one incident with its times, figures and notes
    #[command(after_help = "Examples:
  posko incident show PMI-32-2026-000001
  posko incident show 0192f3c4-5a6b-7c8d-9e0f-112233445566 --json")]
    Show {
        /// Id or number
        incident: String,
    },
    /// Lists what this node is told of other provinces' incidents in shared zones
    #[command(after_help = "Examples:
  posko incident notices
  posko incident notices --json")]
    Notices {
        /// At most this many; 0 lists all
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
}

#[derive(Debug, Args)]
struct ReportArgs {
    /// Kind of incident, such as flood, landslide or earthquake
    #[arg(long, required_unless_present = "from_warning", value_parser = word::parse::<Hazard>)]
    hazard: Option<Hazard>,
    /// Kemendagri code or name of the place, such as 32.75.01
    #[arg(long, value_name = "CODE", value_parser = input::region, required_unless_present = "from_warning")]
    region: Option<String>,
    /// Latitude in degrees, south negative
    #[arg(long, requires = "lon", value_parser = input::latitude, allow_hyphen_values = true)]
    lat: Option<i32>,
    /// Longitude in degrees
    #[arg(long, requires = "lat", value_parser = input::longitude, allow_hyphen_values = true)]
    lon: Option<i32>,
    /// First judgement: minor, moderate, severe or extreme
    #[arg(long, value_parser = word::parse::<Severity>)]
    severity: Option<Severity>,
    /// How the report came: warning, branch, government, citizen, volunteer or media [default: with a warning, warning]
    #[arg(long, required_unless_present = "from_warning", value_parser = word::parse::<ReportChannel>)]
    channel: Option<ReportChannel>,
    /// Warning that it is opened from
    #[arg(long, value_name = "ORIGIN/ID", value_parser = input::warning)]
    from_warning: Option<(NodeId, Id)>,
    /// Open it although an incident at that place was opened from the same warning and is not over
    #[arg(long, requires = "from_warning")]
    confirmed: bool,
    /// First log note
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    frame: Frame,
}

impl ReportArgs {
    fn request(self) -> ReportIncidentRequest {
        let point =
            self.lat
                .zip(self.lon)
                .map(|(latitude_microdegrees, longitude_microdegrees)| Point {
                    latitude_microdegrees,
                    longitude_microdegrees,
                });
        let place = (self.region.is_some() || point.is_some()).then(|| Place {
            region_code: self.region.unwrap_or_default(),
            point,
            code_set: String::new(),
        });
        let usual = self
            .from_warning
            .is_some()
            .then_some(ReportChannel::Warning);
        let (warning_origin, warning_id) = self
            .from_warning
            .map_or_else(Default::default, |(origin, id)| {
                (origin.to_string(), id.to_vec())
            });
        ReportIncidentRequest {
            meta: None,
            hazard: self.hazard.map(i32::from).unwrap_or_default(),
            place,
            severity: self.severity.map(i32::from).unwrap_or_default(),
            channel: self.channel.or(usual).map(i32::from).unwrap_or_default(),
            warning_origin,
            warning_id,
            note: self.note.unwrap_or_default(),
            confirmed: self.confirmed,
        }
    }
}

impl IncidentArgs {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        if let IncidentCommand::Impact { figures, .. } = &self.command {
            one_a_measure(figures)?;
        }
        if let IncidentCommand::Import(args) = self.command {
            return args.run(context).await;
        }
        if let IncidentCommand::Assess(args) = &self.command
            && let Some(answer) = args.offline(context)
        {
            return answer;
        }
        let client = Client::connect(context, Who::Anyone).await?;
        let mut service = client.incidents();
        let (id, outcome): (Id, Option<Outcome>) = match self.command {
            IncidentCommand::Report(args) => return report(context, &client, *args).await,
            IncidentCommand::List {
                origin,
                region,
                zone,
                open,
                historical,
                limit,
            } => {
                let filter = ListIncidentsRequest {
                    page_size: 0,
                    page_token: String::new(),
                    origin: named(origin),
                    region_code: region.unwrap_or_default(),
                    zone_id: zone.unwrap_or_default(),
                    open_only: open,
                    historical,
                };
                return list(context, &client, filter, limit).await;
            }
            // It needs no connection until its file was checked, and so runs before.
            IncidentCommand::Import(_) => return Err(Failure::usage("")),
            IncidentCommand::Change(change) => return change.run(context, &client).await,
            IncidentCommand::Attachment(attachment) => {
                return attachment.run(context, &client).await;
            }
            IncidentCommand::Assess(args) => {
                return args.run(context, &client).await;
            }
            IncidentCommand::Assessment(command) => return command.run(context, &client).await,
            IncidentCommand::Timeline { incident, limit } => {
                return timeline::run(context, &client, &incident, limit).await;
            }
            IncidentCommand::Show { incident } => return show(context, &client, &incident).await,
            IncidentCommand::Notices { limit } => {
                return notice::run(context, &client, limit).await;
            }
            IncidentCommand::Verify {
                incident,
                source,
                frame,
            } => {
                let incident_id = incident_id(&client, &incident).await?;
                let (id, meta) = frame.meta();
                let request = VerifyIncidentRequest {
                    meta: Some(meta),
                    incident_id,
                    source: source.into(),
                };
                (
                    id,
                    service
                        .verify_incident(request)
                        .await
                        .map_err(lost(id))?
                        .into_inner()
                        .outcome,
                )
            }
            IncidentCommand::Reject {
                incident,
                duplicate_of,
                reason,
                note,
                frame,
            } => {
                let subject = incident_id(&client, &incident).await?;
                let duplicate_of = match duplicate_of {
                    Some(other) => incident_id(&client, &other).await?,
                    None => Vec::new(),
                };
                let (id, meta) = frame.meta();
                let request = RejectIncidentRequest {
                    meta: Some(meta),
                    incident_id: subject,
                    duplicate_of,
                    reason: reason.map(i32::from).unwrap_or_default(),
                    note: note.unwrap_or_default(),
                };
                (
                    id,
                    service
                        .reject_incident(request)
                        .await
                        .map_err(lost(id))?
                        .into_inner()
                        .outcome,
                )
            }
            IncidentCommand::Activate {
                incident,
                scale,
                frame,
            } => {
                let incident_id = incident_id(&client, &incident).await?;
                let (id, meta) = frame.meta();
                let request = ActivateIncidentRequest {
                    meta: Some(meta),
                    incident_id,
                    scale: scale.into(),
                };
                (
                    id,
                    service
                        .activate_incident(request)
                        .await
                        .map_err(lost(id))?
                        .into_inner()
                        .outcome,
                )
            }
            IncidentCommand::Impact {
                incident,
                figures,
                source,
                as_of,
                correct,
                frame,
            } => {
                let incident_id = incident_id(&client, &incident).await?;
                let (id, meta) = frame.meta();
                let request = RecordImpactRequest {
                    meta: Some(meta),
                    incident_id,
                    figures,
                    source: source.into(),
                    as_of,
                    correction: correct,
                    assessment_id: Vec::new(),
                };
                (
                    id,
                    service
                        .record_impact(request)
                        .await
                        .map_err(lost(id))?
                        .into_inner()
                        .outcome,
                )
            }
            IncidentCommand::Note {
                incident,
                text,
                frame,
            } => {
                let incident_id = incident_id(&client, &incident).await?;
                let (id, meta) = frame.meta();
                let request = AddNoteRequest {
                    meta: Some(meta),
                    incident_id,
                    text,
                };
                (
                    id,
                    service
                        .add_note(request)
                        .await
                        .map_err(lost(id))?
                        .into_inner()
                        .outcome,
                )
            }
            IncidentCommand::WithdrawNote {
                incident,
                event,
                reason,
                legal_basis,
                frame,
            } => {
                let stream_id = incident_id(&client, &incident).await?;
                let (id, meta) = frame.meta();
                let request = WithdrawPayloadRequest {
                    meta: Some(meta),
                    stream_id,
                    event_id: event.to_vec(),
                    reason,
                    legal_basis,
                };
                let answer = client.logs().withdraw_payload(request).await;
                let outcome = answer.map_err(lost(id))?.into_inner().outcome;
                return recorded(context, label::STATEMENT, id, outcome);
            }
            IncidentCommand::End { incident, frame } => {
                let incident_id = incident_id(&client, &incident).await?;
                let (id, meta) = frame.meta();
                let request = EndOperationRequest {
                    meta: Some(meta),
                    incident_id,
                };
                let answer = service.end_operation(request).await.map_err(lost(id))?;
                return operation::ended(context, id, answer.into_inner());
            }
            IncidentCommand::Close {
                incident,
                confirmed,
                frame,
            } => {
                let incident_id = incident_id(&client, &incident).await?;
                let (id, meta) = frame.meta();
                let request = CloseIncidentRequest {
                    meta: Some(meta),
                    incident_id,
                    confirmed,
                };
                (
                    id,
                    service
                        .close_incident(request)
                        .await
                        .map_err(lost(id))?
                        .into_inner()
                        .outcome,
                )
            }
        };
        recorded(context, label::INCIDENT, id, outcome)
    }
}

fn one_a_measure(figures: &[Figure]) -> Result<(), Failure> {
    let mut seen = Vec::new();
    for figure in figures {
        if seen.contains(&(figure.measure, figure.sex, figure.age_band)) {
            let measure = name::of::<Measure>(figure.measure).unwrap_or_default();
            return Err(Failure::usage(format!(
                "`{measure}` is given twice: expected at most one figure a measure, sex and age"
            )));
        }
        seen.push((figure.measure, figure.sex, figure.age_band));
    }
    Ok(())
}

/// Returns what asks for an incident that is named by its id or its number.
fn lookup(client: &Client, incident: &str) -> Result<GetIncidentRequest, Failure> {
    if let Ok(id) = incident.trim().parse::<Id>() {
        return Ok(GetIncidentRequest {
            incident_id: id.to_vec(),
            number: String::new(),
        });
    }
    let number = input::incident_number(incident, &client.origin).map_err(Failure::usage)?;
    Ok(GetIncidentRequest {
        incident_id: Vec::new(),
        number,
    })
}

/// Returns the id of an incident that is named by its id or its number.
pub(super) async fn incident_id(client: &Client, incident: &str) -> Result<Vec<u8>, Failure> {
    let lookup = lookup(client, incident)?;
    if !lookup.incident_id.is_empty() {
        return Ok(lookup.incident_id);
    }
    let number = lookup.number.clone();
    let found = client
        .incidents()
        .get_incident(lookup)
        .await?
        .into_inner()
        .incident;
    found
        .map(|found| found.incident_id)
        .ok_or_else(|| Failure::not_found(format!("no incident has the number `{number}`")))
}

async fn report(context: &Context, client: &Client, args: ReportArgs) -> Result<Answer, Failure> {
    let (id, meta) = args.frame.meta();
    let request = ReportIncidentRequest {
        meta: Some(meta),
        ..args.request()
    };
    let reported = client
        .incidents()
        .report_incident(request)
        .await
        .map_err(lost(id))?
        .into_inner();
    let outcome = outcome_of(id, reported.outcome)?;
    let [incident, version, position] = outcome_fields(label::INCIDENT, &outcome);
    let number = (label::NUMBER, reported.number.clone());
    let text = fields(context, [number, incident, version, position]);
    Answer::new(
        json!({ "outcome": outcome, "number": reported.number }),
        text,
    )
}

async fn list(
    context: &Context,
    client: &Client,
    filter: ListIncidentsRequest,
    limit: u32,
) -> Result<Answer, Failure> {
    let mut service = client.incidents();
    let ask = async |page_size, page_token| {
        let request = ListIncidentsRequest {
            page_size,
            page_token,
            ..filter.clone()
        };
        service.list_incidents(request).await
    };
    let (incidents, more, page) = pages(limit, ask).await?;
    let text = if filter.historical {
        import::render_list(context, &incidents, more, &page.origins)
    } else {
        render_list(context, &incidents, more, &page.origins)
    };
    let incidents: Vec<view::incident::Incident> = incidents.into_iter().map(Into::into).collect();
    let origins: Vec<view::Provenance> = page.origins.into_iter().map(Into::into).collect();
    Answer::new(
        json!({ "incidents": incidents, "more": more, "origins": origins }),
        text,
    )
}

fn render_list(
    context: &Context,
    incidents: &[Incident],
    more: bool,
    origins: &[Provenance],
) -> String {
    let head = [
        label::NUMBER,
        label::STATUS,
        label::HAZARD,
        label::SEVERITY,
        label::PLACE,
        label::ZONE,
        label::REPORTED,
        label::ORIGIN,
        label::INCIDENT,
    ];
    let mut table = Table::new(context, &head);
    for incident in incidents {
        let provenance = incident.provenance.clone().unwrap_or_default();
        let reported = incident
            .milestones
            .first()
            .and_then(|milestone| milestone.at.as_ref());
        table.tinted([
            (
                format!("{}{}", incident.number, drill(context, incident.exercise)),
                Tint::Plain,
            ),
            (
                label::of::<Status>(incident.status, context.lang),
                status_tint(incident.status),
            ),
            (
                label::of::<Hazard>(incident.hazard, context.lang),
                Tint::Plain,
            ),
            (
                label::of::<Severity>(incident.severity, context.lang),
                severity_tint::<Severity>(incident.severity),
            ),
            (place(incident), Tint::Plain),
            (incident.zone_ids.join(" "), Tint::Plain),
            (when(reported), Tint::Plain),
            (owner(context, &provenance), link_tint(provenance.link)),
            (
                view::id(&incident.incident_id).unwrap_or_default(),
                Tint::Plain,
            ),
        ]);
    }
    format!(
        "{}{}",
        listed(context, &table, more),
        freshness(context, origins)
    )
}

fn drill(context: &Context, exercise: bool) -> String {
    if exercise {
        format!(" [{}]", context.say(label::EXERCISE))
    } else {
        String::new()
    }
}

fn place(incident: &Incident) -> String {
    let code = incident
        .place
        .as_ref()
        .map(|place| place.region_code.as_str())
        .unwrap_or_default();
    named_code(&incident.region_name, code)
}

fn status_tint(status: i32) -> Tint {
    match Status::try_from(status) {
        Ok(Status::Activated | Status::Responding) => Tint::Bad,
        Ok(Status::Reported | Status::Verified | Status::Transition) => Tint::Warn,
        Ok(
            Status::Unspecified
            | Status::False
            | Status::Merged
            | Status::OperationEnded
            | Status::Cancelled
            | Status::Historical
            | Status::Closed,
        )
        | Err(_) => Tint::Plain,
    }
}

async fn show(context: &Context, client: &Client, incident: &str) -> Result<Answer, Failure> {
    let found = client
        .incidents()
        .get_incident(lookup(client, incident)?)
        .await?
        .into_inner();
    let (attached, more) = attachment::list(client, incident).await?;
    super::user::name_people(context, client).await;
    let text = render(context, &found) + &attachment::section(context, &attached, more);
    let attached = attached.into_iter();
    let attachments: Vec<view::incident::Attachment> = attached.map(Into::into).collect();
    let notes: Vec<view::incident::Note> = found.notes.into_iter().map(Into::into).collect();
    let children: Vec<_> = (found.children.into_iter())
        .map(view::incident::related)
        .collect();
    let incident = found.incident.map(view::incident::Incident::from);
    Answer::new(
        json!({
            "incident": incident,
            "children": children,
            "notes": notes,
            "attachments": attachments,
        }),
        text,
    )
}

fn render(context: &Context, found: &GetIncidentResponse) -> String {
    let incident = found.incident.clone().unwrap_or_default();
    let provenance = incident.provenance.clone().unwrap_or_default();
    let point = incident.place.as_ref().and_then(|place| place.point);
    let point = point.map(|point| {
        let degrees = |microdegrees: i32| f64::from(microdegrees) / 1e6;
        format!(
            " {}, {}",
            degrees(point.latitude_microdegrees),
            degrees(point.longitude_microdegrees)
        )
    });
    let warning =
        view::id(&incident.warning_id).map(|id| format!("{}/{id}", incident.warning_origin));
    let head = fields(
        context,
        [
            (
                label::NUMBER,
                format!("{}{}", incident.number, drill(context, incident.exercise)),
            ),
            (
                label::INCIDENT,
                view::id(&incident.incident_id).unwrap_or_default(),
            ),
            (
                label::STATUS,
                label::of::<Status>(incident.status, context.lang),
            ),
            (
                label::HAZARD,
                label::of::<Hazard>(incident.hazard, context.lang),
            ),
            (
                label::PLACE,
                format!("{}{}", place(&incident), point.unwrap_or_default()),
            ),
            (label::ZONE, incident.zone_ids.join(" ")),
            (
                label::SEVERITY,
                label::of::<Severity>(incident.severity, context.lang),
            ),
            (
                label::SCALE,
                label::of::<Scale>(incident.scale, context.lang),
            ),
            (
                label::CHANNEL,
                label::of::<ReportChannel>(incident.channel, context.lang),
            ),
            (label::WARNING, warning.unwrap_or_default()),
            (
                label::DUPLICATE_OF,
                view::id(&incident.duplicate_of).unwrap_or_default(),
            ),
            (label::REASON, reason(context, &incident.reason)),
            (label::GLIDE, incident.glide.clone()),
            (label::ORIGIN, owner(context, &provenance)),
            (label::HEARD, when(provenance.heard_at.as_ref())),
            (label::VERSION, incident.version.to_string()),
        ],
    );
    let mut milestones = Table::new(context, &[label::STATUS, label::SINCE]);
    for (what, at) in in_time(context, &incident) {
        milestones.row([what, when(at.as_ref())]);
    }
    let head_of_figures = [
        label::MEASURE,
        label::SEX,
        label::AGE,
        label::COUNT,
        label::SOURCE,
        label::AS_OF,
    ];
    let mut figures = Table::new(context, &head_of_figures);
    for figure in &incident.figures {
        let corrected = if figure.corrected {
            context.say(label::CORRECTED)
        } else {
            ""
        };
        figures.row([
            label::of::<Measure>(figure.measure, context.lang),
            label::of::<Sex>(figure.sex, context.lang),
            label::of::<AgeBand>(figure.age_band, context.lang),
            format!("{} {corrected}", grouped(figure.count, context.lang))
                .trim_end()
                .to_owned(),
            label::of::<FigureSource>(figure.source, context.lang),
            when(figure.as_of.as_ref()),
        ]);
    }
    let head_of_notes = [label::TIME, label::ACTOR, label::EVENT, label::NOTES];
    let mut notes = Table::new(context, &head_of_notes);
    for note in &found.notes {
        let text = if note.withdrawn {
            let said = context.say(label::WITHDRAWN);
            format!("[{said}] {} ({})", note.withdrawn_because, note.legal_basis)
        } else {
            note.text.clone()
        };
        notes.row([
            when(note.at.as_ref()),
            context.person(&note.actor_ref),
            view::id(&note.event_id).unwrap_or_default(),
            text,
        ]);
    }
    let mut text = head + &import::render_record(context, incident.record.as_ref());
    let worded = |id: &[u8]| wording(&found.notes, id);
    let tables = [
        (label::MILESTONES, milestones),
        (label::JUDGEMENTS, operation::judgements(context, &incident)),
        (label::RELATED, operation::related(context, found)),
        (label::POSTS, operation::posts(context, &incident)),
        (label::ESCALATION, operation::escalation(context, &incident)),
        (label::PERIODS, operation::periods(context, &incident)),
        (
            label::OBJECTIVES,
            operation::objectives(context, &incident, worded),
        ),
        (label::NEEDS, operation::needs(context, &incident, worded)),
        (
            label::EMERGENCIES,
            operation::emergencies(context, &incident),
        ),
        (
            label::ASSESSMENTS,
            assess::heads_table(context, &incident.assessments),
        ),
        (label::FIGURES, figures),
        (label::NOTES, notes),
    ];
    for (title, table) in tables {
        if !table.is_empty() {
            text = format!(
                "{text}\n\n{}\n{}",
                context.say(title),
                table.render(context)
            );
        }
    }
    text
}

/// Returns the newest note about the thing, which is its wording.
fn wording(notes: &[Note], id: &[u8]) -> String {
    let about = notes.iter().rev().find(|note| note.about == id);
    about.map(|note| note.text.clone()).unwrap_or_default()
}

/// Returns the label of a reason, which the contract names in full.
fn reason(context: &Context, name: &str) -> String {
    fn labelled<T: label::Labelled>(context: &Context, name: &str) -> Option<String> {
        let value = T::from_contract_name(name)?;
        Some(value.label().text(context.lang).to_owned())
    }
    labelled::<RejectReason>(context, name)
        .or_else(|| labelled::<CancelReason>(context, name))
        .or_else(|| labelled::<ReopenReason>(context, name))
        .unwrap_or_else(|| name.to_owned())
}

/// Returns when the incident came to each status and when each step was taken, in the order in which that happened.
fn in_time(context: &Context, incident: &Incident) -> Vec<(String, Option<Timestamp>)> {
    let statuses = incident.milestones.iter().map(|milestone| {
        let status = label::of::<Status>(milestone.status, context.lang);
        (status, milestone.at)
    });
    let steps = incident.steps.iter().map(|step| {
        let taken = label::of::<Step>(step.step, context.lang);
        (taken, step.at)
    });
    let mut all: Vec<_> = statuses.chain(steps).collect();
    all.sort_by_key(|(_, at)| at.map(|at| (at.seconds, at.nanos)));
    all
}

#[cfg(test)]
mod tests {
    use posko_proto::{common::v1::LinkState, incident::v1::Notice};

    use super::{notice::render_notices, *};
    use crate::{label::Lang, output::tests::context};

    #[test]
    fn a_measure_is_given_at_most_once() {
        let figure = |measure: Measure| Figure {
            measure: measure.into(),
            count: 1,
            ..Default::default()
        };
        assert_eq!(
            one_a_measure(&[figure(Measure::Dead), figure(Measure::Missing)]),
            Ok(())
        );
        let failure = one_a_measure(&[figure(Measure::Dead), figure(Measure::Dead)]).unwrap_err();
        assert_eq!(
            failure.message,
            "`dead` is given twice: expected at most one figure a measure, sex and age"
        );
        assert_eq!(failure.exit as u8, 2);
    }

    #[test]
    fn a_drill_is_marked_beside_its_number() {
        let incident = Incident {
            number: "PMI-32-2026-000001".into(),
            exercise: true,
            ..Default::default()
        };
        let text = render_list(
            &context(Lang::Id),
            std::slice::from_ref(&incident),
            false,
            &[],
        );
        assert!(text.contains("PMI-32-2026-000001 [LATIHAN]"), "{text}");
        let found = GetIncidentResponse {
            incident: Some(incident),
            ..Default::default()
        };
        assert!(render(&context(Lang::En), &found).contains("PMI-32-2026-000001 [EXERCISE]"));
    }

    #[test]
    fn a_withdrawn_note_is_shown_as_withdrawn_with_its_reason() {
        let note = posko_proto::incident::v1::Note {
            event_id: vec![7; 16],
            withdrawn: true,
            withdrawn_because: "menyebut nama".into(),
            legal_basis: "UU 27/2022".into(),
            ..Default::default()
        };
        let found = GetIncidentResponse {
            incident: Some(Incident::default()),
            notes: vec![note],
            ..Default::default()
        };
        let text = render(&context(Lang::Id), &found);
        assert!(
            text.contains("070707070707  [dicabut] menyebut nama (UU 27/2022)"),
            "{text}"
        );
    }

    #[test]
    fn no_notice_is_never_shown_alone_while_a_province_is_out_of_reach() {
        let origin = |origin: &str, link: LinkState| Provenance {
            origin: origin.into(),
            link: link.into(),
            ..Default::default()
        };
        let cut = [
            origin("31", LinkState::Own),
            origin("32", LinkState::Unknown),
        ];
        let text = render_notices(&context(Lang::En), &[], false, &cut);
        assert!(
            text.starts_with("nothing matches\n\nfreshness of the picture\n")
                && text.contains("32      unknown"),
            "{text}"
        );
        let notice = Notice {
            origin: "32".into(),
            ..Default::default()
        };
        let text = render_notices(&context(Lang::En), &[notice], false, &cut);
        assert!(text.contains("32 (unknown)"), "{text}");
        let live = [origin("32", LinkState::Live)];
        let text = render_notices(&context(Lang::En), &[], false, &live);
        assert_eq!(text, "nothing matches");
    }

    #[test]
    fn an_incident_of_a_province_out_of_reach_shows_that_its_picture_is_unknown() {
        let provenance = Provenance {
            origin: "31".into(),
            link: 4,
            ..Default::default()
        };
        let incident = Incident {
            provenance: Some(provenance.clone()),
            ..Default::default()
        };
        let text = render_list(&context(Lang::En), &[incident], true, &[provenance]);
        assert!(
            text.contains("31 (unknown)") && text.contains("there is more"),
            "{text}"
        );
    }

    #[test]
    fn an_incident_of_a_forked_log_is_shown_as_disputed() {
        let provenance = Provenance {
            origin: "32".into(),
            link: 2,
            disputed: true,
            ..Default::default()
        };
        let incident = Incident {
            provenance: Some(provenance),
            ..Default::default()
        };
        let shown = GetIncidentResponse {
            incident: Some(incident.clone()),
            ..Default::default()
        };
        for text in [
            render_list(
                &context(Lang::Id),
                std::slice::from_ref(&incident),
                false,
                &[],
            ),
            render(&context(Lang::Id), &shown),
        ] {
            assert!(text.contains(") [DISENGKETAKAN]"), "{text}");
        }
        let json = serde_json::to_value(view::incident::Incident::from(incident)).unwrap();
        assert_eq!(json["provenance"]["disputed"], true);
    }
}
