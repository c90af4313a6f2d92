//! `posko warning`: early warnings of the whole region, and those typed in here.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

mod check;
mod draft;
mod inbox;
mod show;

use clap::{Args, Subcommand};
use posko_proto::{
    Id, NodeId,
    common::v1::{CommandMeta, Hazard, Place, Provenance},
    warning::v1::{
        AlertStatus, Area, AreaReach, CancelWarningRequest, Certainty, Channel, Circle, Content,
        DismissReason, DismissReportRequest, Fate, Feed, ListWarningsRequest, Polygon,
        RecordGaugeRequest, RecordWarningRequest, ReportWarningRequest, ResponseType, Review,
        Severity, Source, State, TakeDocumentRequest, TakenItem, Urgency, Warning,
    },
};
use prost_types::Timestamp;
use serde_json::json;

use super::{
    disputed,
    feed::{alarm_text, feeds_table},
    freshness, listed, lost, named, named_code, pages, recorded, severity_tint,
};
use crate::{
    client::{Client, Who},
    failure::Failure,
    input::{self, Frame},
    json as view, label,
    offline::Foreseen,
    output::{Answer, Context, Table, Tint, grouped, when},
    word,
};

/// Records, lists and shows early warnings
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko warning list --in-force
  posko warning list --region 32.75 --hazard flood --severity severe
  posko warning show 32/0192f3c4-5a6b-7c8d-9e0f-112233445566
  posko warning record --publisher \"BPBD Kota Bekasi\" --hazard flood \\
    --severity severe --headline \"Banjir Kali Bekasi\" --region 32.75")]
pub(crate) struct WarningArgs {
    #[command(subcommand)]
    command: WarningCommand,
}

#[derive(Debug, Subcommand)]
enum WarningCommand {
    /// Records a warning that came by telephone, letter or radio
    #[command(after_help = "Examples:
  posko warning record --publisher \"BPBD Kota Bekasi\" --hazard flood \\
    --severity severe --urgency immediate --certainty observed \\
    --headline \"Banjir Kali Bekasi\" --region 32.75 \\
    --expires-at 2026-01-05T18:00:00+07:00
  posko warning record --publisher PVMBG --hazard volcano \\
    --headline \"Level III\" --area \"radius 5 km\" --circle -6.77,107.60,5000
  posko warning record --channel telephone --hazard flood --region 32.75.01 \\
    --text \"Air setinggi lutut, warga mulai mengungsi\"
  posko warning record --exercise --publisher \"PMI Kota Bekasi\" \\
    --hazard flood --headline \"Gladi\" --region 32.75")]
    Record(Box<RecordArgs>),
    /// Lists warnings of the whole region, newest first, with the health of the feeds
    #[command(after_help = "Examples:
  posko warning list --in-force
  posko warning list --origin 32 --limit 0 --json")]
    List {
        /// Only those that this node took in
        #[arg(long, value_parser = input::node)]
        origin: Option<NodeId>,
        /// Leave out expired and cancelled ones
        #[arg(long)]
        in_force: bool,
        /// Only reports that wait for the duty officer
        #[arg(long)]
        unverified: bool,
        #[command(flatten)]
        wanted: Wanted,
        /// At most this many; 0 lists all
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Shows one warning in full
    #[command(after_help = "Examples:
  posko warning show 0192f3c4-5a6b-7c8d-9e0f-112233445566
  posko warning show 32/0192f3c4-5a6b-7c8d-9e0f-112233445566 --json")]
    Show {
        /// The warning: `ID`, or `ORIGIN/ID`
        #[arg(value_parser = reference)]
        warning: Reference,
    },
    /// Says what files would become as warnings, or what is wrong and where; stores nothing
    Check(check::CheckArgs),
    /// Takes in what files say: CAP alerts, envelopes, earthquakes, bulletins, tables of readings
    #[command(after_help = "Examples:
  posko warning take alert.xml
  posko warning take --json gempa.json gauges.csv

What a file is, is told by its bytes, as `posko warning check` does without storing
anything. It ends with 1 when an item is refused; the others are taken.")]
    Take {
        /// The files; `-` is the standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        frame: Frame,
    },
    /// Takes in a reading of a river gauge that came by telephone or radio
    #[command(after_help = "Examples:
  posko warning gauge Katulampa --level-cm 210 --at 2026-01-05T04:00:00+07:00
  posko warning gauge Katulampa --level-cm 410 --confirmed

A reading that reaches one of the gauge's levels warns the regions downstream, with when
the water is expected there. Once the water falls at the gauge, what has passed it is still
on its way: the warning goes on until the fall has come downstream too.")]
    Gauge {
        /// The gauge, by its name in the configuration
        station: String,
        /// Height of the water in centimeters
        #[arg(long, value_parser = centimeters, allow_hyphen_values = true)]
        level_cm: i32,
        /// When it was read, such as 14:00 or "2026-11-29 14:00" (WIB) [default: now]
        #[arg(long, value_name = "TIME", value_parser = input::time)]
        at: Option<Timestamp>,
        /// Take it although it jumps from the reading before: somebody has looked twice
        #[arg(long)]
        confirmed: bool,
        #[command(flatten)]
        frame: Frame,
    },
    /// Drafts a warning of the province's own, which a second person approves
    #[command(after_help = "Examples:
  posko warning draft --template banjir --region 32.75 --severity severe \\
    --level \"Siaga I\" --source \"TMA Katulampa 220 cm\" --hours 6
  posko warning draft --hazard flood --region Z1 --severity extreme \\
    --urgency immediate --certainty observed --headline \"Awas banjir\" \\
    --description \"Tanggul jebol.\" --instruction \"Mengungsi sekarang.\" --hours 3
  posko warning draft --update 0192f3c4-5a6b-7c8d-9e0f-112233445566 --hours 12
  posko warning draft --cancel 0192f3c4-5a6b-7c8d-9e0f-112233445566")]
    Draft(Box<draft::DraftArgs>),
    /// Lists this node's drafts, newest first, or shows one in full
    #[command(after_help = "Examples:
  posko warning drafts --open
  posko warning drafts 0192f3c4-5a6b-7c8d-9e0f-112233445566")]
    Drafts {
        /// The draft [default: all]
        #[arg(value_parser = input::id)]
        draft: Option<Id>,
        /// Leave out those that are approved, withdrawn or expired
        #[arg(long)]
        open: bool,
        /// At most this many; 0 lists all
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Approves another person's draft, which issues it
    #[command(after_help = "Examples:
  posko warning approve 0192f3c4-5a6b-7c8d-9e0f-112233445566")]
    Approve {
        /// The draft
        #[arg(value_parser = input::id)]
        draft: Id,
        #[command(flatten)]
        frame: Frame,
    },
    /// Gives a draft up
    #[command(after_help = "Examples:
  posko warning withdraw 0192f3c4-5a6b-7c8d-9e0f-112233445566")]
    Withdraw {
        /// The draft
        #[arg(value_parser = input::id)]
        draft: Id,
        #[command(flatten)]
        frame: Frame,
    },
    /// Shows the texts that own warnings are written from
    #[command(after_help = "Examples:
  posko warning template list
  posko warning template show banjir")]
    Template {
        #[command(subcommand)]
        command: draft::TemplateCommand,
    },
    /// Writes a warning as a document of CAP 1.2
    #[command(after_help = "Examples:
  posko warning export 0192f3c4-5a6b-7c8d-9e0f-112233445566
  posko warning export 32/0192f3c4-5a6b-7c8d-9e0f-112233445566 --out banjir.xml")]
    Export {
        /// The warning: `ID`, or `ORIGIN/ID`
        #[arg(value_parser = reference)]
        warning: Reference,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Dismisses a citizen's or a branch's report
    #[command(after_help = "Examples:
  posko warning dismiss 0192f3c4-5a6b-7c8d-9e0f-112233445566 --reason hoax")]
    Dismiss {
        /// The report
        #[arg(value_parser = input::id)]
        report: Id,
        /// not_confirmed, hoax, duplicate, below_threshold or elsewhere
        #[arg(long, value_parser = word::parse::<DismissReason>)]
        reason: DismissReason,
        /// Why, as a log note
        #[arg(long)]
        note: Option<String>,
        #[command(flatten)]
        frame: Frame,
    },
    /// Has the account that is logged in be told of warnings: by area, hazard and severity
    #[command(after_help = "Examples:
  posko warning subscribe --region 32.75 --hazard flood --severity severe
  posko warning subscribe --region Z1
  posko warning subscribe --severity extreme")]
    Subscribe(inbox::SubscribeArgs),
    /// Lists the subscriptions of the account that is logged in
    #[command(after_help = "Examples:
  posko warning subscriptions")]
    Subscriptions,
    /// Ends a subscription
    #[command(after_help = "Examples:
  posko warning unsubscribe 0192f3c4-5a6b-7c8d-9e0f-112233445566")]
    Unsubscribe {
        /// The subscription
        #[arg(value_parser = input::id)]
        subscription: Id,
        /// Id of this command, for a retry: a repeated id is answered as the first time [default: a random one]
        #[arg(long, value_name = "UUID", value_parser = input::id)]
        command_id: Option<Id>,
    },
    /// Shows the warnings that the subscriptions match and that changed since they were last seen
    #[command(after_help = "Examples:
  posko warning inbox
  posko warning inbox --watch")]
    Inbox {
        /// Go on, and show it again whenever it changes
        #[arg(long)]
        watch: bool,
    },
    /// Shows the inbox once more and acknowledges what it shows, or what a mark stands for
    #[command(after_help = "Examples:
  posko warning seen")]
    Seen {
        /// The mark of an inbox, from its JSON
        mark: Option<String>,
        #[command(flatten)]
        frame: Frame,
    },
    /// Takes back a warning of this node
    #[command(after_help = "Examples:
  posko warning cancel 0192f3c4-5a6b-7c8d-9e0f-112233445566 \\
    --note \"Dicabut BPBD lewat telepon\"

It ends here alone, on the word of whoever is logged in; a publisher's own cancellation
comes by its feed, or by `posko warning take`.")]
    Cancel {
        /// The warning's id
        #[arg(value_parser = input::id)]
        warning: Id,
        /// Why, in words that name nobody
        #[arg(long)]
        note: String,
        #[command(flatten)]
        frame: Frame,
    },
}

#[derive(Debug, Args)]
struct RecordArgs {
    /// How a report of a citizen or a branch came: telephone; it then waits to be verified
    #[arg(long, value_parser = word::parse::<Channel>)]
    channel: Option<Channel>,
    /// What was told, in words that name nobody; for a report
    #[arg(long, requires = "channel")]
    text: Option<String>,
    /// Who said it: an office, never a person
    #[arg(long, required_unless_present = "channel")]
    publisher: Option<String>,
    /// The publisher's own id [default: one made by the node]
    #[arg(long, conflicts_with = "channel")]
    identifier: Option<String>,
    /// Kind of danger
    #[arg(long, value_parser = word::parse::<Hazard>)]
    hazard: Hazard,
    /// actual, exercise, system, test or draft [default: actual, with --exercise exercise]
    #[arg(long, value_parser = word::parse::<AlertStatus>, conflicts_with = "channel")]
    status: Option<AlertStatus>,
    /// minor, moderate, severe or extreme
    #[arg(long, value_parser = word::parse::<Severity>)]
    severity: Option<Severity>,
    /// immediate, expected, future or past
    #[arg(long, value_parser = word::parse::<Urgency>, conflicts_with = "channel")]
    urgency: Option<Urgency>,
    /// observed, likely, possible or unlikely
    #[arg(long, value_parser = word::parse::<Certainty>, conflicts_with = "channel")]
    certainty: Option<Certainty>,
    /// The publisher's word for the kind
    #[arg(long, conflicts_with = "channel")]
    event: Option<String>,
    /// Headline
    #[arg(long, required_unless_present = "channel", conflicts_with = "channel")]
    headline: Option<String>,
    /// The publisher's text
    #[arg(long, conflicts_with = "channel")]
    description: Option<String>,
    /// What people are asked to do
    #[arg(long, conflicts_with = "channel")]
    instruction: Option<String>,
    /// Language of the texts, `id` or `en`
    #[arg(long, default_value = "id")]
    language: String,
    /// The publisher's page
    #[arg(long, value_name = "URL", conflicts_with = "channel")]
    web: Option<String>,
    /// When the publisher sent it, such as 14:00 or "2026-11-29 14:00" (WIB) [default: --occurred-at, or now]
    #[arg(long, value_name = "TIME", value_parser = input::time, conflicts_with = "channel")]
    sent_at: Option<Timestamp>,
    /// From when it holds, such as 14:00 or "2026-11-29 14:00" (WIB) [default: when it was sent]
    #[arg(long, value_name = "TIME", value_parser = input::time, conflicts_with = "channel")]
    effective_at: Option<Timestamp>,
    /// Until when it holds, such as 14:00 or "2026-11-29 14:00" (WIB)
    #[arg(long, value_name = "TIME", value_parser = input::time, conflicts_with = "channel")]
    expires_at: Option<Timestamp>,
    /// Kemendagri code or name of a region where it holds; may be repeated
    #[arg(long = "region", value_name = "CODE", value_parser = input::region)]
    regions: Vec<String>,
    /// Where it holds, in the publisher's words
    #[arg(long, value_name = "TEXT", conflicts_with = "channel")]
    area: Option<String>,
    /// Circle where it holds; may be repeated
    #[arg(long = "circle", value_name = "LAT,LON,METRES", value_parser = input::circle, allow_hyphen_values = true)]
    circles: Vec<Circle>,
    /// Closed ring where it holds, points separated by spaces; may be repeated
    #[arg(long = "polygon", value_name = "LAT,LON …", value_parser = input::polygon, allow_hyphen_values = true, conflicts_with = "channel")]
    polygons: Vec<Polygon>,
    #[command(flatten)]
    frame: Frame,
}

/// A warning, and the node that took it in when that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reference {
    origin: String,
    warning: Id,
}

fn reference(text: &str) -> Result<Reference, String> {
    if text.contains('/') {
        let (origin, warning) = input::warning(text)?;
        return Ok(Reference {
            origin: origin.to_string(),
            warning,
        });
    }
    Ok(Reference {
        origin: String::new(),
        warning: input::id(text)?,
    })
}

/// What a list of warnings keeps.
#[derive(Debug, Args)]
struct Wanted {
    /// Only those that reach this region, by its Kemendagri code or name, or this zone
    #[arg(long, value_name = "CODE", value_parser = input::region)]
    region: Option<String>,
    /// Kind of danger [default: every kind]
    #[arg(long, value_parser = word::parse::<Hazard>)]
    hazard: Option<Hazard>,
    /// Least severity: minor, moderate, severe or extreme [default: any]
    #[arg(long, value_parser = word::parse::<Severity>)]
    severity: Option<Severity>,
}

impl WarningArgs {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        match self.command {
            WarningCommand::Check(args) => args.run(context),
            WarningCommand::Take { files, frame } => take(context, &files, &frame).await,
            WarningCommand::Gauge {
                station,
                level_cm,
                at,
                confirmed,
                frame,
            } => {
                let client = Client::connect(context, Who::Anyone).await?;
                let (id, meta) = frame.meta();
                let request = RecordGaugeRequest {
                    meta: Some(meta),
                    station,
                    level_mm: level_cm,
                    read_at: at,
                    confirmed,
                };
                let answer = client.warnings().record_gauge(request).await;
                let item = answer.map_err(lost(id))?.into_inner().item;
                let items: Vec<TakenItem> = item.into_iter().collect();
                let text = taken_table(context, &items);
                let items: Vec<view::warning::Item> = items.into_iter().map(Into::into).collect();
                Answer::new(
                    json!({ "items": items, "command_id": id.to_string() }),
                    text,
                )
            }
            WarningCommand::Record(args) if args.channel.is_some() => args.report(context).await,
            WarningCommand::Record(args) => {
                let client = Client::connect(context, Who::Anyone).await?;
                let (id, meta) = args.frame.meta();
                let request = RecordWarningRequest {
                    meta: Some(meta),
                    ..args.request()
                };
                let answer = client
                    .warnings()
                    .record_warning(request)
                    .await
                    .map_err(lost(id))?
                    .into_inner();
                recorded(context, label::WARNING, id, answer.outcome)
            }
            WarningCommand::List {
                origin,
                in_force,
                unverified,
                wanted,
                limit,
            } => {
                let request = ListWarningsRequest {
                    origin: named(origin),
                    in_force_only: in_force,
                    unverified_only: unverified,
                    region: wanted.region.unwrap_or_default(),
                    hazard: wanted.hazard.map(i32::from).unwrap_or_default(),
                    severity: wanted.severity.map(i32::from).unwrap_or_default(),
                    ..ListWarningsRequest::default()
                };
                list(context, request, limit).await
            }
            WarningCommand::Show { warning } => show::show(context, warning).await,
            WarningCommand::Draft(args) => args.run(context).await,
            WarningCommand::Subscribe(args) => inbox::subscribe(context, args).await,
            WarningCommand::Subscriptions => inbox::subscriptions(context).await,
            WarningCommand::Unsubscribe {
                subscription,
                command_id,
            } => inbox::unsubscribe(context, subscription, command_id).await,
            WarningCommand::Inbox { watch } => inbox::inbox(context, watch).await,
            WarningCommand::Seen { mark, frame } => inbox::seen(context, mark, &frame).await,
            WarningCommand::Dismiss {
                report,
                reason,
                note,
                frame,
            } => {
                let client = Client::connect(context, Who::Anyone).await?;
                let (id, meta) = frame.meta();
                let request = DismissReportRequest {
                    meta: Some(meta),
                    warning_id: report.to_vec(),
                    reason: reason.into(),
                    note: note.unwrap_or_default(),
                };
                let answer = client.warnings().dismiss_report(request).await;
                let answer = answer.map_err(lost(id))?.into_inner();
                recorded(context, label::WARNING, id, answer.outcome)
            }
            WarningCommand::Drafts { draft, open, limit } => {
                draft::drafts(context, draft, open, limit).await
            }
            WarningCommand::Approve { draft, frame } => {
                draft::approve(context, draft, &frame).await
            }
            WarningCommand::Withdraw { draft, frame } => {
                draft::withdraw(context, draft, &frame).await
            }
            WarningCommand::Template { command } => draft::template(context, command).await,
            WarningCommand::Export { warning, out } => draft::export(context, warning, out).await,
            WarningCommand::Cancel {
                warning,
                note,
                frame,
            } => {
                let client = Client::connect(context, Who::Anyone).await?;
                let (id, meta) = frame.meta();
                let request = CancelWarningRequest {
                    meta: Some(meta),
                    warning_id: warning.to_vec(),
                    note,
                };
                let answer = client
                    .warnings()
                    .cancel_warning(request)
                    .await
                    .map_err(lost(id))?
                    .into_inner();
                recorded(context, label::WARNING, id, answer.outcome)
            }
        }
    }
}

impl RecordArgs {
    /// Records what a citizen or a branch told.
    async fn report(self, context: &Context) -> Result<Answer, Failure> {
        let [region] = self.regions.as_slice() else {
            return Err(Failure::usage(
                "a report is about one place: give `--region` once",
            ));
        };
        let (id, meta) = self.frame.meta();
        let request = ReportWarningRequest {
            meta: Some(meta),
            channel: self.channel.map(i32::from).unwrap_or_default(),
            hazard: self.hazard.into(),
            place: Some(Place {
                region_code: region.clone(),
                point: self.circles.first().and_then(|circle| circle.center),
                code_set: String::new(),
            }),
            severity: self.severity.map(i32::from).unwrap_or_default(),
            text: self.text.unwrap_or_default(),
            reporter: self.publisher.unwrap_or_default(),
        };
        let client = Client::connect(context, Who::Anyone).await?;
        let answer = client.warnings().report_warning(request).await;
        let answer = answer.map_err(lost(id))?.into_inner();
        recorded(context, label::WARNING, id, answer.outcome)
    }

    fn request(self) -> RecordWarningRequest {
        let usual = if self.frame.exercise {
            AlertStatus::Exercise
        } else {
            AlertStatus::Actual
        };
        let area = Area {
            description: self.area.unwrap_or_default(),
            region_codes: self.regions,
            polygons: self.polygons,
            circles: self.circles,
            ..Area::default()
        };
        let areas = if area == Area::default() {
            Vec::new()
        } else {
            vec![area]
        };
        RecordWarningRequest {
            meta: None,
            publisher: self.publisher.unwrap_or_default(),
            identifier: self.identifier.unwrap_or_default(),
            content: Some(Content {
                status: self.status.unwrap_or(usual).into(),
                hazard: self.hazard.into(),
                severity: self.severity.map(i32::from).unwrap_or_default(),
                urgency: self.urgency.map(i32::from).unwrap_or_default(),
                certainty: self.certainty.map(i32::from).unwrap_or_default(),
                // The rules ask for it; a repeated command id is answered as the first time, whatever the clock says by then.
                sent_at: self
                    .sent_at
                    .or(self.frame.occurred_at)
                    .or_else(|| Some(SystemTime::now().into())),
                effective_at: self.effective_at,
                expires_at: self.expires_at,
                headline: self.headline.unwrap_or_default(),
                description: self.description.unwrap_or_default(),
                instruction: self.instruction.unwrap_or_default(),
                language: self.language,
                web: self.web.unwrap_or_default(),
                areas,
                event: self.event.unwrap_or_default(),
                ..Content::default()
            }),
        }
    }
}

/// Reads a height in centimeters, `210` or `210.5`, as millimeters.
fn centimeters(text: &str) -> Result<i32, String> {
    let height: Option<f64> = text.trim().replace(',', ".").parse().ok();
    let height = height.filter(|height| (-1_000.0..=10_000.0).contains(height));
    let refuse =
        || format!("`{text}` is no height: expected centimeters from -1000 to 10000 such as `210`");
    Ok((height.ok_or_else(refuse)? * 10.0).round() as i32)
}

/// Reads a file to be sent, or the standard input as `-`.
/// Refuses an address where a file is expected: nothing here asks the network for one.
fn not_an_address(file: &Path) -> Result<(), Failure> {
    let text = file.to_string_lossy();
    if text.starts_with("http://") || text.starts_with("https://") {
        return Err(Failure::usage(format!(
            "`{text}` is an address, and this reads files: `posko feed test NAME` asks a feed of the configuration"
        )));
    }
    Ok(())
}

fn read_document(file: &Path) -> Result<Vec<u8>, Failure> {
    not_an_address(file)?;
    let refuse =
        |error: std::io::Error| Failure::usage(format!("read `{}`: {error}", file.display()));
    let mut document = Vec::new();
    if file == Path::new("-") {
        let read = std::io::stdin().lock().read_to_end(&mut document);
        read.map_err(refuse)?;
        return Ok(document);
    }
    std::fs::read(file).map_err(refuse)
}

/// Takes in files, one after the other; each has a command id of its own that follows from the first.
async fn take(context: &Context, files: &[PathBuf], frame: &Frame) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let (first, meta) = frame.meta();
    let (mut shown, mut texts, mut yes) = (Vec::new(), Vec::new(), true);
    for (at, file) in files.iter().enumerate() {
        let document = read_document(file)?;
        let mut id = first;
        // The first file has the id itself, so that a retry of one file is just that.
        for (byte, step) in id.0.iter_mut().rev().zip((at as u64).to_le_bytes()) {
            *byte = byte.wrapping_add(step);
        }
        let request = TakeDocumentRequest {
            meta: Some(CommandMeta {
                command_id: id.to_vec(),
                ..meta.clone()
            }),
            document,
        };
        let answer = client.warnings().take_document(request).await;
        let name = file.display().to_string();
        match answer {
            Ok(answer) => {
                let answer = answer.into_inner();
                yes &= answer.items.iter().all(|item| item.fate() != Fate::Refused);
                texts.push(format!(
                    "{name}: {}\n{}",
                    context.told(&answer.format),
                    taken_table(context, &answer.items)
                ));
                let items: Vec<view::warning::Item> =
                    answer.items.into_iter().map(Into::into).collect();
                shown.push(json!({
                    "file": name, "format": answer.format, "items": items, "error": null,
                    "command_id": id.to_string(),
                }));
            }
            // A file that cannot be read hides no other.
            Err(status) if status.code() == tonic::Code::InvalidArgument && files.len() > 1 => {
                yes = false;
                texts.push(format!("{name}: {}", context.told(status.message())));
                shown.push(json!({
                    "file": name, "format": null, "items": [], "error": status.message(),
                    "command_id": id.to_string(),
                }));
            }
            Err(status) => return Err(lost(id)(status)),
        }
    }
    Ok(Answer {
        yes,
        ..Answer::new(json!({ "files": shown }), texts.join("\n\n"))?
    })
}

/// Returns what became of items as a table.
fn taken_table(context: &Context, items: &[TakenItem]) -> String {
    let head = [
        label::STATE,
        label::IDENTIFIER,
        label::HEADLINE,
        label::WARNING,
        label::WHY,
    ];
    let mut table = Table::new(context, &head);
    for item in items {
        table.tinted([
            (
                label::of::<Fate>(item.fate, context.lang),
                fate_tint(item.fate),
            ),
            (item.identifier.clone(), Tint::Plain),
            (item.title.clone(), Tint::Plain),
            (view::id(&item.warning_id).unwrap_or_default(), Tint::Plain),
            (context.told(&item.message), Tint::Plain),
        ]);
    }
    table.render(context)
}

fn fate_tint(fate: i32) -> Tint {
    match Fate::try_from(fate) {
        Ok(Fate::Taken) => Tint::Warn,
        Ok(Fate::Refused) => Tint::Bad,
        _ => Tint::Plain,
    }
}

/// Returns what items would become, in JSON.
pub(crate) fn would_be(items: &[Foreseen]) -> Vec<view::warning::Foreseen> {
    let items = items.iter();
    items
        .map(|foreseen| view::warning::Foreseen {
            item: foreseen.item.clone().into(),
            warning: foreseen.warning.clone().map(Into::into),
        })
        .collect()
}

/// Returns what items would become as a table.
pub(crate) fn foreseen_table(context: &Context, items: &[Foreseen]) -> String {
    let head = [
        label::STATE,
        label::HAZARD,
        label::SEVERITY,
        label::HEADLINE,
        label::REACH,
        label::ZONES_REACHED,
        label::PEOPLE,
        label::AMBIGUOUS,
        label::WHY,
    ];
    let mut table = Table::new(context, &head);
    for Foreseen { item, warning } in items {
        let warning = warning.clone().unwrap_or_default();
        let said = warning.content.clone().unwrap_or_default();
        let is_warning = warning.content.is_some();
        let shown = |text: String| if is_warning { text } else { String::new() };
        table.tinted([
            (
                label::of::<Fate>(item.fate, context.lang),
                fate_tint(item.fate),
            ),
            (
                shown(label::of::<Hazard>(said.hazard, context.lang)),
                Tint::Plain,
            ),
            (
                shown(label::of::<Severity>(said.severity, context.lang)),
                severity_tint::<Severity>(said.severity),
            ),
            (
                if said.headline.is_empty() {
                    item.title.clone()
                } else {
                    format!("{}{}", marks(context, &said, 0), said.headline)
                },
                Tint::Plain,
            ),
            (shown(regencies(context, &warning, ", ")), Tint::Plain),
            (warning.zones.join(", "), Tint::Plain),
            (shown(people(context, &warning)), Tint::Plain),
            (uncertain(&said).join(", "), Tint::Warn),
            (context.told(&item.message), Tint::Plain),
        ]);
    }
    table.render(context)
}

/// Returns the kab/kota that a warning reaches, or that it reaches none.
fn regencies(context: &Context, warning: &Warning, between: &str) -> String {
    if warning.regencies.is_empty() {
        return label::of::<AreaReach>(warning.reach, context.lang);
    }
    let regencies = warning.regencies.iter();
    let regencies: Vec<String> = regencies
        .map(|regency| {
            let name = super::named_code(&regency.name, &regency.region_code);
            if regency.partly {
                format!("{name} {}", context.say(label::PARTLY))
            } else {
                name
            }
        })
        .collect();
    regencies.join(between)
}

/// Returns the first kab/kota that a warning reaches, and how many more.
fn where_it_holds(context: &Context, warning: &Warning) -> String {
    match warning.regencies.as_slice() {
        [] => label::of::<AreaReach>(warning.reach, context.lang),
        [one] => one.name.clone(),
        [first, others @ ..] => format!("{} +{}", first.name, others.len()),
    }
}

/// Returns how many people live where a warning reaches.
fn people(context: &Context, warning: &Warning) -> String {
    if warning.regencies.is_empty() {
        return String::new();
    }
    let people = grouped(warning.population, context.lang);
    if warning.population_at_most {
        format!("{} {people}", context.say(label::AT_MOST))
    } else {
        people
    }
}

/// Returns the names that are no one place, each with what it may be.
fn uncertain(said: &Content) -> Vec<String> {
    let shown = |name: &str, candidates: &[String]| {
        if candidates.is_empty() {
            format!("{name} (?)")
        } else {
            format!("{name} ({}?)", candidates.join(", "))
        }
    };
    let names = said.areas.iter().flat_map(|area| &area.names);
    let names = names.map(|place| shown(&place.name, &place.candidates));
    let felt = said
        .felt_places
        .iter()
        .filter(|place| !place.candidates.is_empty());
    let felt = felt.map(|place| shown(&place.name, &place.candidates));
    names.chain(felt).collect()
}

async fn list(
    context: &Context,
    wanted: ListWarningsRequest,
    limit: u32,
) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let mut service = client.warnings();
    let ask = async |page_size, page_token| {
        let request = ListWarningsRequest {
            page_size,
            page_token,
            ..wanted.clone()
        };
        service.list_warnings(request).await
    };
    let (warnings, more, page) = pages(limit, ask).await?;
    let waiting = page.unverified_reports;
    let alarm = if waiting > 0 && !wanted.unverified_only {
        let what = context.say(label::REPORTS_WAIT);
        format!("{waiting} {what}: `posko warning list --unverified`\n\n")
    } else {
        String::new()
    };
    let alarm = alarm_text(context, &page.feeds) + &alarm;
    let text = alarm + &render_list(context, &warnings, more, &page.origins, &page.feeds);
    let warnings: Vec<view::warning::Warning> = warnings.into_iter().map(Into::into).collect();
    let origins: Vec<view::Provenance> = page.origins.into_iter().map(Into::into).collect();
    let feeds: Vec<view::warning::Feed> = page.feeds.into_iter().map(Into::into).collect();
    Answer::new(
        json!({
            "warnings": warnings, "more": more, "origins": origins, "feeds": feeds,
            "unverified_reports": waiting,
        }),
        text,
    )
}

fn render_list(
    context: &Context,
    warnings: &[Warning],
    more: bool,
    origins: &[Provenance],
    feeds: &[Feed],
) -> String {
    let head = [
        label::ORIGIN,
        label::STATE,
        label::HAZARD,
        label::SEVERITY,
        label::REGION,
        label::SENT,
        label::EXPIRES,
        label::PUBLISHER,
        label::HEADLINE,
        label::WARNING,
    ];
    let mut table = Table::new(context, &head);
    for warning in warnings {
        let said = warning.content.clone().unwrap_or_default();
        let origin = warning
            .provenance
            .as_ref()
            .map(|said| {
                // One that several nodes took in is listed once, with whose the others are.
                let others = warning.taken_by.iter().filter(|node| **node != said.origin);
                let nodes: Vec<&str> = std::iter::once(&said.origin)
                    .chain(others)
                    .map(String::as_str)
                    .collect();
                format!("{}{}", nodes.join("+"), disputed(context, said.disputed))
            })
            .unwrap_or_default();
        table.tinted([
            (origin, Tint::Plain),
            (
                label::of::<State>(warning.state, context.lang),
                state_tint(warning.state),
            ),
            (label::of::<Hazard>(said.hazard, context.lang), Tint::Plain),
            (
                label::of::<Severity>(said.severity, context.lang),
                severity_tint::<Severity>(said.severity),
            ),
            (where_it_holds(context, warning), Tint::Plain),
            (when(said.sent_at.as_ref()), Tint::Plain),
            (when(warning.ends_at.as_ref()), Tint::Plain),
            (publisher(context, warning), Tint::Plain),
            (
                format!("{}{}", marks(context, &said, warning.review), said.headline),
                Tint::Plain,
            ),
            (
                view::id(&warning.warning_id).unwrap_or_default(),
                Tint::Plain,
            ),
        ]);
    }
    format!(
        "{}{}\n\n{}",
        listed(context, &table, more),
        freshness(context, origins),
        feeds_table(context, feeds)
    )
}

/// Returns who is credited, with the sender of an alert, which alone is unique in the world; a person's word says that it is.
fn publisher(context: &Context, warning: &Warning) -> String {
    let sender = warning.content.as_ref().map(|said| said.sender.as_str());
    let sender = sender.unwrap_or_default();
    match warning.source() {
        Source::Manual => {
            let typed = label::of::<Source>(warning.source, context.lang);
            format!("{} ({typed})", warning.publisher)
        }
        Source::Cap if sender != warning.publisher => named_code(&warning.publisher, sender),
        Source::Unspecified
        | Source::BmkgNowcast
        | Source::BmkgEarthquake
        | Source::BmkgTsunami
        | Source::Cap
        | Source::Gauge
        | Source::Volcano
        | Source::Own
        | Source::Report => warning.publisher.clone(),
    }
}

/// Returns what stands before the headline of a warning that is not to be acted upon as it is: it is no real one, says
/// itself that the danger is over, or was verified by nobody.
fn marks(context: &Context, said: &Content, review: i32) -> String {
    let is_real = said.status() == AlertStatus::Actual || said.status == 0;
    // An earthquake is past when it is told; what it has done is not.
    let is_over = (said.urgency() == Urgency::Past && said.earthquake.is_none())
        || said.response_types.contains(&ResponseType::AllClear.into());
    let status =
        (!is_real).then(|| label::of::<AlertStatus>(said.status, context.lang).to_uppercase());
    let over = is_over.then(|| context.say(label::OVER).to_owned());
    let unverified = (review == i32::from(Review::Unverified))
        .then(|| label::of::<Review>(review, context.lang));
    let marks = [status, over, unverified].into_iter().flatten();
    let marks: Vec<String> = marks.map(|mark| format!("[{mark}] ")).collect();
    marks.concat()
}

fn state_tint(state: i32) -> Tint {
    if state == i32::from(State::InForce) {
        Tint::Warn
    } else {
        Tint::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{label::Lang, output::tests::context};

    #[test]
    fn a_warning_is_named_with_or_without_its_origin() {
        let id = "07070707-0707-0707-0707-070707070707";
        assert_eq!(reference(id).unwrap().origin, "");
        assert_eq!(reference(&format!("32/{id}")).unwrap().origin, "32");
        assert!(reference("32/x").unwrap_err().contains("`x` is no id"));
        assert!(reference("").is_err());
    }

    #[test]
    fn an_empty_list_still_shows_the_feeds_and_the_age_of_the_picture() {
        let origins = [Provenance {
            origin: "31".into(),
            link: 4,
            ..Default::default()
        }];
        let text = render_list(&context(Lang::Id), &[], false, &origins, &[]);
        assert!(
            text.contains("tidak ada yang cocok")
                && text.contains("31")
                && text.contains("bukan berarti aman"),
            "{text}"
        );
    }

    #[test]
    fn what_is_not_to_be_acted_upon_as_it_is_is_marked_before_its_headline() {
        let context = context(Lang::Id);
        let said = |status: AlertStatus, urgency: Urgency| Content {
            status: status.into(),
            urgency: urgency.into(),
            ..Content::default()
        };
        let shown = |status, urgency, review: Review| {
            marks(&context, &said(status, urgency), review.into())
        };
        let (actual, none) = (AlertStatus::Actual, Review::Unspecified);
        assert_eq!(shown(actual, Urgency::Immediate, none), "");
        assert_eq!(
            shown(AlertStatus::Exercise, Urgency::Immediate, none),
            "[LATIHAN] "
        );
        assert_eq!(shown(actual, Urgency::Past, none), "[BERAKHIR] ");
        let quake = Content {
            earthquake: Some(posko_proto::warning::v1::Earthquake::default()),
            ..said(actual, Urgency::Past)
        };
        assert_eq!(marks(&context, &quake, 0), "");
        assert_eq!(
            shown(actual, Urgency::Immediate, Review::Unverified),
            "[BELUM DIVERIFIKASI] "
        );
    }

    #[test]
    fn a_publisher_is_shown_with_the_sender_that_alone_is_its_own() {
        let context = context(Lang::Id);
        let warning = |source: Source, sender: &str| Warning {
            source: source.into(),
            publisher: "BPBD Contoh".into(),
            content: Some(Content {
                sender: sender.into(),
                ..Content::default()
            }),
            ..Warning::default()
        };
        let shown = |source, sender| publisher(&context, &warning(source, sender));
        assert_eq!(
            shown(Source::Cap, "x@other.example"),
            "BPBD Contoh (x@other.example)"
        );
        assert_eq!(shown(Source::Manual, ""), "BPBD Contoh (diketik)");
        assert_eq!(shown(Source::Own, "posko-32@uji"), "BPBD Contoh");
    }
}
