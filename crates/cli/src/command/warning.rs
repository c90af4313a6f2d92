//! `posko warning`: early warnings of the whole region, and those typed in here.

use std::{path::PathBuf, time::SystemTime};

mod check;
mod draft;
mod inbox;

use clap::{Args, Subcommand};
use posko_proto::{
    Id, NodeId,
    common::v1::{Hazard, Place, Provenance},
    warning::v1::{
        AlertStatus, Area, CancelWarningRequest, Certainty, Channel, Circle, Content,
        DismissReason, DismissReportRequest, Feed, GetWarningRequest, ListWarningsRequest, Polygon,
        RecordWarningRequest, ReportWarningRequest, Review, Severity, State, Urgency, Warning,
    },
};
use prost_types::Timestamp;
use serde_json::json;

use super::{
    disputed, feed::feeds_table, freshness, listed, lost, named, nothing_personal, owner, pages,
    recorded, severity_tint,
};
use crate::{
    client::{Client, Who},
    failure::Failure,
    input::{self, Frame},
    json as view, label, name,
    output::{Answer, Context, Table, Tint, fields, when},
};

/// Records, lists and shows early warnings
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko warning list --in-force
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
        #[arg(long, value_parser = name::parse::<DismissReason>)]
        reason: DismissReason,
        /// Why, as a log note
        #[arg(long)]
        note: Option<String>,
        /// Send a text as it is, though a part of it looks like a telephone number, a NIK or an address of mail
        #[arg(long)]
        text_as_is: bool,
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
  posko warning cancel 0192f3c4-5a6b-7c8d-9e0f-112233445566")]
    Cancel {
        /// The warning's id
        #[arg(value_parser = input::id)]
        warning: Id,
        #[command(flatten)]
        frame: Frame,
    },
}

#[derive(Debug, Args)]
struct RecordArgs {
    /// How a report of a citizen or a branch came: telephone; it then waits to be verified
    #[arg(long, value_parser = name::parse::<Channel>)]
    channel: Option<Channel>,
    /// What was told, in words that name nobody; for a report
    #[arg(long, requires = "channel")]
    text: Option<String>,
    /// Send a text as it is, though a part of it looks like a telephone number, a NIK or an address of mail
    #[arg(long)]
    text_as_is: bool,
    /// Who said it: an office, never a person
    #[arg(long, required_unless_present = "channel")]
    publisher: Option<String>,
    /// The publisher's own id [default: one made by the node]
    #[arg(long)]
    identifier: Option<String>,
    /// Kind of danger
    #[arg(long, value_parser = name::parse::<Hazard>)]
    hazard: Hazard,
    /// actual, exercise, system, test or draft [default: actual, with --exercise exercise]
    #[arg(long, value_parser = name::parse::<AlertStatus>)]
    status: Option<AlertStatus>,
    /// minor, moderate, severe or extreme
    #[arg(long, value_parser = name::parse::<Severity>)]
    severity: Option<Severity>,
    /// immediate, expected, future or past
    #[arg(long, value_parser = name::parse::<Urgency>)]
    urgency: Option<Urgency>,
    /// observed, likely, possible or unlikely
    #[arg(long, value_parser = name::parse::<Certainty>)]
    certainty: Option<Certainty>,
    /// The publisher's word for the kind
    #[arg(long)]
    event: Option<String>,
    /// Headline
    #[arg(long, required_unless_present = "channel", conflicts_with = "channel")]
    headline: Option<String>,
    /// The publisher's text
    #[arg(long)]
    description: Option<String>,
    /// What people are asked to do
    #[arg(long)]
    instruction: Option<String>,
    /// Language of the texts, `id` or `en`
    #[arg(long, default_value = "id")]
    language: String,
    /// The publisher's page
    #[arg(long, value_name = "URL")]
    web: Option<String>,
    /// When the publisher sent it, RFC 3339 [default: --occurred-at, or now]
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    sent_at: Option<Timestamp>,
    /// From when it holds, RFC 3339 [default: when it was sent]
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    effective_at: Option<Timestamp>,
    /// Until when it holds, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    expires_at: Option<Timestamp>,
    /// Kemendagri code of a region where it holds; may be repeated
    #[arg(long = "region", value_name = "CODE")]
    regions: Vec<String>,
    /// Where it holds, in the publisher's words
    #[arg(long, value_name = "TEXT")]
    area: Option<String>,
    /// Circle where it holds; may be repeated
    #[arg(long = "circle", value_name = "LAT,LON,METRES", value_parser = input::circle, allow_hyphen_values = true)]
    circles: Vec<Circle>,
    /// Closed ring where it holds, points separated by spaces; may be repeated
    #[arg(long = "polygon", value_name = "LAT,LON …", value_parser = input::polygon, allow_hyphen_values = true)]
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

impl WarningArgs {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        match self.command {
            WarningCommand::Check(args) => args.run(context),
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
                limit,
            } => list(context, origin, in_force, unverified, limit).await,
            WarningCommand::Show { warning } => show(context, warning).await,
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
                text_as_is,
                frame,
            } => {
                if let Some(note) = note.as_ref().filter(|_| !text_as_is) {
                    nothing_personal(note)?;
                }
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
            WarningCommand::Cancel { warning, frame } => {
                let client = Client::connect(context, Who::Anyone).await?;
                let (id, meta) = frame.meta();
                let request = CancelWarningRequest {
                    meta: Some(meta),
                    warning_id: warning.to_vec(),
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
        if let Some(text) = self.text.as_ref().filter(|_| !self.text_as_is) {
            nothing_personal(text)?;
        }
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
                earthquake: None,
                event: self.event.unwrap_or_default(),
                ..Content::default()
            }),
        }
    }
}

async fn list(
    context: &Context,
    origin: Option<NodeId>,
    in_force: bool,
    unverified: bool,
    limit: u32,
) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let mut service = client.warnings();
    let ask = async |page_size, page_token| {
        let request = ListWarningsRequest {
            page_size,
            page_token,
            origin: named(origin),
            in_force_only: in_force,
            unverified_only: unverified,
        };
        service.list_warnings(request).await
    };
    let (warnings, more, page) = pages(limit, ask).await?;
    let text = render_list(context, &warnings, more, &page.origins, &page.feeds);
    let warnings: Vec<view::warning::Warning> = warnings.into_iter().map(Into::into).collect();
    let origins: Vec<view::Provenance> = page.origins.into_iter().map(Into::into).collect();
    let feeds: Vec<view::warning::Feed> = page.feeds.into_iter().map(Into::into).collect();
    Answer::new(
        json!({ "warnings": warnings, "more": more, "origins": origins, "feeds": feeds }),
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
            .map(|said| format!("{}{}", said.origin, disputed(context, said.disputed)))
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
            (when(said.sent_at.as_ref()), Tint::Plain),
            (when(said.expires_at.as_ref()), Tint::Plain),
            (warning.publisher.clone(), Tint::Plain),
            (
                format!("{}{}", drill(context, said.status), said.headline),
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

/// Returns what stands before the headline of a warning that is not to be acted upon.
fn drill(context: &Context, status: i32) -> String {
    if status == i32::from(AlertStatus::Actual) || status == 0 {
        return String::new();
    }
    format!(
        "[{}] ",
        label::of::<AlertStatus>(status, context.lang).to_uppercase()
    )
}

fn state_tint(state: i32) -> Tint {
    if state == i32::from(State::InForce) {
        Tint::Warn
    } else {
        Tint::Plain
    }
}

async fn show(context: &Context, reference: Reference) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let request = GetWarningRequest {
        warning_id: reference.warning.to_vec(),
        origin: reference.origin,
    };
    let warning = client
        .warnings()
        .get_warning(request)
        .await?
        .into_inner()
        .warning
        .unwrap_or_default();
    let text = render(context, &warning);
    Answer::new(
        json!({ "warning": view::warning::Warning::from(warning) }),
        text,
    )
}

fn render(context: &Context, warning: &Warning) -> String {
    let said = warning.content.clone().unwrap_or_default();
    let provenance = warning.provenance.clone().unwrap_or_default();
    let areas: Vec<String> = said
        .areas
        .iter()
        .map(area_text)
        .filter(|area| !area.is_empty())
        .collect();
    let quake = said.earthquake.clone();
    let english: Vec<String> = said
        .texts
        .iter()
        .map(|text| {
            format!(
                "{}\n{}\n{}",
                text.headline, text.description, text.instruction
            )
        })
        .collect();
    let notes: Vec<String> = warning
        .notes
        .iter()
        .map(|note| {
            let text = if note.withdrawn {
                context.say(label::WITHDRAWN)
            } else {
                note.text.as_str()
            };
            format!("{} {text}", when(note.written_at.as_ref()))
        })
        .collect();
    fields(
        context,
        [
            (
                label::WARNING,
                view::id(&warning.warning_id).unwrap_or_default(),
            ),
            (
                label::HEADLINE,
                format!("{}{}", drill(context, said.status), said.headline),
            ),
            (
                label::STATE,
                label::of::<State>(warning.state, context.lang),
            ),
            (
                label::HAZARD,
                label::of::<Hazard>(said.hazard, context.lang),
            ),
            (
                label::SEVERITY,
                label::of::<Severity>(said.severity, context.lang),
            ),
            (
                label::URGENCY,
                label::of::<Urgency>(said.urgency, context.lang),
            ),
            (
                label::CERTAINTY,
                label::of::<Certainty>(said.certainty, context.lang),
            ),
            (label::SENT, when(said.sent_at.as_ref())),
            (label::EFFECTIVE, when(said.effective_at.as_ref())),
            (label::EXPIRES, when(said.expires_at.as_ref())),
            (label::PUBLISHER, warning.publisher.clone()),
            (label::IDENTIFIER, warning.identifier.clone()),
            (label::AREA, areas.join("\n")),
            (
                label::MAGNITUDE,
                quake
                    .as_ref()
                    .map(|quake| magnitude(quake.magnitude_hundredths))
                    .unwrap_or_default(),
            ),
            (
                label::DEPTH,
                quake
                    .map(|quake| format!("{} km", f64::from(quake.depth_m) / 1000.0))
                    .unwrap_or_default(),
            ),
            (label::DESCRIPTION, said.description),
            (label::INSTRUCTION, said.instruction),
            (label::IN_ENGLISH, english.join("\n")),
            (
                label::REVIEW,
                label::of::<Review>(warning.review, context.lang),
            ),
            (
                label::REASON,
                label::of::<DismissReason>(warning.dismissed, context.lang),
            ),
            (
                label::INCIDENT,
                view::id(&warning.incident_id).unwrap_or_default(),
            ),
            (label::NOTES, notes.join("\n")),
            (label::ORIGIN, owner(context, &provenance)),
            (label::HEARD, when(provenance.heard_at.as_ref())),
            (label::VERSION, warning.version.to_string()),
        ],
    )
}

fn magnitude(hundredths: i32) -> String {
    format!("M {}", f64::from(hundredths) / 100.0)
}

fn area_text(area: &Area) -> String {
    super::named_code(&area.description, &area.region_codes.join(", "))
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
    fn a_drill_is_marked_before_its_headline() {
        let context = context(Lang::Id);
        assert_eq!(drill(&context, AlertStatus::Exercise.into()), "[LATIHAN] ");
        assert_eq!(drill(&context, AlertStatus::Actual.into()), "");
    }

    #[test]
    fn an_earthquake_is_shown_in_the_units_that_people_use() {
        let quake = posko_proto::warning::v1::Earthquake {
            magnitude_hundredths: 560,
            depth_m: 11_000,
            ..Default::default()
        };
        let content = Content {
            earthquake: Some(quake),
            ..Default::default()
        };
        let text = render(
            &context(Lang::Id),
            &Warning {
                content: Some(content),
                ..Default::default()
            },
        );
        assert!(text.contains("M 5.6") && text.contains("11 km"), "{text}");
    }
}
