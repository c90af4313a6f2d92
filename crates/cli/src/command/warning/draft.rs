//! `posko warning draft`, `drafts`, `approve`, `withdraw`, `template` and `export`: warnings of the province's own.

use std::{fs::OpenOptions, io::Write as _, path::PathBuf, time::SystemTime};

use clap::{Args, Subcommand};
use posko_proto::{
    Id,
    common::v1::Hazard,
    warning::v1::{
        ApproveDraftRequest, Area, Certainty, Circle, Content, Draft, DraftKind, DraftStatus,
        DraftWarningRequest, ExportWarningRequest, GetDraftRequest, ListDraftsRequest,
        ListWarningTemplatesRequest, Polygon, Severity, Text, Urgency, WarningTemplate,
        WithdrawDraftRequest,
    },
};
use prost_types::Timestamp;
use serde_json::json;

use super::{Reference, show::area_text};
use crate::{
    client::{Client, Who},
    command::{listed, lost, outcome_fields, outcome_of, pages, recorded, user::name_people},
    failure::Failure,
    input::{self, Frame},
    json as view, label,
    output::{Answer, Context, Table, Tint, fields, when},
    word,
};

#[derive(Debug, Args)]
pub(super) struct DraftArgs {
    /// Template that the texts are written from
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// Own warning that it replaces, once approved
    #[arg(long, value_name = "ID", value_parser = input::id, conflicts_with = "cancel")]
    update: Option<Id>,
    /// Own warning that it takes back, once approved
    #[arg(long, value_name = "ID", value_parser = input::id)]
    cancel: Option<Id>,
    /// Kemendagri code or name of a region where it holds, or a zone; may be repeated
    #[arg(long = "region", value_name = "CODE", value_parser = input::region)]
    regions: Vec<String>,
    /// Kind of danger
    #[arg(long, value_parser = word::parse::<Hazard>)]
    hazard: Option<Hazard>,
    /// minor, moderate, severe or extreme
    #[arg(long, value_parser = word::parse::<Severity>)]
    severity: Option<Severity>,
    /// immediate, expected, future or past
    #[arg(long, value_parser = word::parse::<Urgency>)]
    urgency: Option<Urgency>,
    /// observed, likely, possible or unlikely
    #[arg(long, value_parser = word::parse::<Certainty>)]
    certainty: Option<Certainty>,
    /// What stands for {level}, such as `Siaga I` [default: the word of the severity]
    #[arg(long)]
    level: Option<String>,
    /// What stands for {source}: what it is known from [default: the publisher]
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// Headline
    #[arg(long)]
    headline: Option<String>,
    /// What is coming, in Bahasa Indonesia
    #[arg(long)]
    description: Option<String>,
    /// What people are asked to do
    #[arg(long)]
    instruction: Option<String>,
    /// Headline in English
    #[arg(long)]
    headline_en: Option<String>,
    /// What is coming, in English
    #[arg(long)]
    description_en: Option<String>,
    /// What people are asked to do, in English
    #[arg(long)]
    instruction_en: Option<String>,
    /// The publisher's page
    #[arg(long, value_name = "URL")]
    web: Option<String>,
    /// From when it holds, such as 14:00 or "2026-11-29 14:00" (WIB) [default: when it was sent]
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    effective_at: Option<Timestamp>,
    /// Until when it holds, such as 14:00 or "2026-11-29 14:00" (WIB)
    #[arg(long, value_name = "TIME", value_parser = input::time, conflicts_with = "hours")]
    expires_at: Option<Timestamp>,
    /// How many hours from now it holds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=8760))]
    hours: Option<u32>,
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

impl DraftArgs {
    /// Runs the command.
    pub(super) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let (id, meta) = self.frame.meta();
        let request = DraftWarningRequest {
            meta: Some(meta),
            ..self.request()
        };
        let client = Client::connect(context, Who::Anyone).await?;
        let answer = client.warnings().draft_warning(request).await;
        let answer = answer.map_err(lost(id))?.into_inner();
        recorded(context, label::DRAFT, id, answer.outcome)
    }

    fn request(self) -> DraftWarningRequest {
        let (kind, warning) = match (self.update, self.cancel) {
            (Some(warning), _) => (DraftKind::Update, Some(warning)),
            (None, Some(warning)) => (DraftKind::Cancel, Some(warning)),
            (None, None) => (DraftKind::Issue, None),
        };
        let area = Area {
            description: self.area.unwrap_or_default(),
            region_codes: Vec::new(),
            polygons: self.polygons,
            circles: self.circles,
            ..Area::default()
        };
        let english = Text {
            language: "en".into(),
            headline: self.headline_en.unwrap_or_default(),
            description: self.description_en.unwrap_or_default(),
            instruction: self.instruction_en.unwrap_or_default(),
            ..Text::default()
        };
        let is_english = english
            != Text {
                language: "en".into(),
                ..Text::default()
            };
        let from_now = self.hours.map(|hours| {
            let later = SystemTime::now() + std::time::Duration::from_hours(u64::from(hours));
            Timestamp::from(later)
        });
        DraftWarningRequest {
            meta: None,
            kind: kind.into(),
            warning_id: warning.map(Id::to_vec).unwrap_or_default(),
            template: self.template.unwrap_or_default(),
            regions: self.regions,
            content: Some(Content {
                hazard: self.hazard.map(i32::from).unwrap_or_default(),
                severity: self.severity.map(i32::from).unwrap_or_default(),
                urgency: self.urgency.map(i32::from).unwrap_or_default(),
                certainty: self.certainty.map(i32::from).unwrap_or_default(),
                effective_at: self.effective_at,
                expires_at: self.expires_at.or(from_now),
                headline: self.headline.unwrap_or_default(),
                description: self.description.unwrap_or_default(),
                instruction: self.instruction.unwrap_or_default(),
                web: self.web.unwrap_or_default(),
                areas: if area == Area::default() {
                    Vec::new()
                } else {
                    vec![area]
                },
                texts: if is_english {
                    vec![english]
                } else {
                    Vec::new()
                },
                ..Content::default()
            }),
            level: self.level.unwrap_or_default(),
            observed: self.source.unwrap_or_default(),
        }
    }
}

/// Approves a draft, which issues it.
pub(super) async fn approve(
    context: &Context,
    draft: Id,
    frame: &Frame,
) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let (id, meta) = frame.meta();
    let request = ApproveDraftRequest {
        meta: Some(meta),
        draft_id: draft.to_vec(),
    };
    let answer = client.warnings().approve_draft(request).await;
    let answer = answer.map_err(lost(id))?.into_inner();
    let outcome = outcome_of(id, answer.outcome)?;
    let warning = view::id(&answer.warning_id);
    let [draft, version, recorded] = outcome_fields(label::DRAFT, &outcome);
    let issued = (label::WARNING, warning.clone().unwrap_or_default());
    let text = fields(context, [issued, draft, version, recorded]);
    Answer::new(json!({ "outcome": outcome, "warning_id": warning }), text)
}

/// Gives a draft up.
pub(super) async fn withdraw(
    context: &Context,
    draft: Id,
    frame: &Frame,
) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let (id, meta) = frame.meta();
    let request = WithdrawDraftRequest {
        meta: Some(meta),
        draft_id: draft.to_vec(),
    };
    let answer = client.warnings().withdraw_draft(request).await;
    recorded(
        context,
        label::DRAFT,
        id,
        answer.map_err(lost(id))?.into_inner().outcome,
    )
}

/// Lists drafts, or shows one in full.
pub(super) async fn drafts(
    context: &Context,
    draft: Option<Id>,
    open_only: bool,
    limit: u32,
) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let mut service = client.warnings();
    if let Some(draft) = draft {
        let request = GetDraftRequest {
            draft_id: draft.to_vec(),
        };
        let draft = service.get_draft(request).await?.into_inner().draft;
        let draft = draft.unwrap_or_default();
        name_people(context, &client).await;
        let text = render(context, &draft);
        return Answer::new(json!({ "draft": view::warning::Draft::from(draft) }), text);
    }
    let ask = async |page_size, page_token| {
        let request = ListDraftsRequest {
            page_size,
            page_token,
            open_only,
        };
        service.list_drafts(request).await
    };
    let (drafts, more, _) = pages(limit, ask).await?;
    let head = [
        label::STATE,
        label::KIND,
        label::HAZARD,
        label::SEVERITY,
        label::EXPIRES,
        label::HEADLINE,
        label::DRAFT,
    ];
    let mut table = Table::new(context, &head);
    for draft in &drafts {
        let drafted = draft.drafted.clone().unwrap_or_default();
        let said = drafted.content.clone().unwrap_or_default();
        let is_open = draft.status == i32::from(DraftStatus::Open);
        table.tinted([
            (
                label::of::<DraftStatus>(draft.status, context.lang),
                if is_open { Tint::Warn } else { Tint::Plain },
            ),
            (
                label::of::<DraftKind>(drafted.kind, context.lang),
                Tint::Plain,
            ),
            (label::of::<Hazard>(said.hazard, context.lang), Tint::Plain),
            (
                label::of::<Severity>(said.severity, context.lang),
                super::severity_tint::<Severity>(said.severity),
            ),
            (when(said.expires_at.as_ref()), Tint::Plain),
            (
                format!("{}{}", super::marks(context, &said, 0), said.headline),
                Tint::Plain,
            ),
            (view::id(&draft.draft_id).unwrap_or_default(), Tint::Plain),
        ]);
    }
    let text = listed(context, &table, more);
    let drafts: Vec<view::warning::Draft> = drafts.into_iter().map(Into::into).collect();
    Answer::new(json!({ "drafts": drafts, "more": more }), text)
}

fn render(context: &Context, draft: &Draft) -> String {
    let drafted = draft.drafted.clone().unwrap_or_default();
    let said = drafted.content.clone().unwrap_or_default();
    let areas: Vec<String> = said.areas.iter().map(area_text).collect();
    let english = said.texts.iter().map(|text| {
        [&text.headline, &text.description, &text.instruction]
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(String::as_str)
            .collect::<Vec<&str>>()
            .join("\n")
    });
    fields(
        context,
        [
            (label::DRAFT, view::id(&draft.draft_id).unwrap_or_default()),
            (
                label::STATE,
                label::of::<DraftStatus>(draft.status, context.lang),
            ),
            (
                label::KIND,
                label::of::<DraftKind>(drafted.kind, context.lang),
            ),
            (
                label::WARNING,
                view::id(&draft.warning_id)
                    .or_else(|| view::id(&drafted.warning_id))
                    .unwrap_or_default(),
            ),
            (
                label::HEADLINE,
                format!("{}{}", super::marks(context, &said, 0), said.headline),
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
            (label::EFFECTIVE, when(said.effective_at.as_ref())),
            (label::EXPIRES, when(said.expires_at.as_ref())),
            (label::PUBLISHER, drafted.publisher),
            (label::AREA, areas.join("\n")),
            (label::DESCRIPTION, said.description),
            (label::INSTRUCTION, said.instruction),
            (
                label::IN_ENGLISH,
                english.collect::<Vec<String>>().join("\n"),
            ),
            (label::DRAFTED_BY, context.person(&draft.drafted_by)),
            (label::DRAFTED_AT, when(draft.drafted_at.as_ref())),
            (label::DECIDED_BY, context.person(&draft.decided_by)),
            (label::DECIDED_AT, when(draft.decided_at.as_ref())),
            (label::VERSION, draft.version.to_string()),
        ],
    )
}

#[derive(Debug, Subcommand)]
pub(super) enum TemplateCommand {
    /// Lists the templates
    #[command(after_help = "Examples:
  posko warning template list
  posko warning template list --json")]
    List,
    /// Shows the texts of a template, one for each severity
    #[command(after_help = "Examples:
  posko warning template show banjir")]
    Show {
        /// Its name
        name: String,
    },
}

/// Lists or shows templates.
pub(super) async fn template(
    context: &Context,
    command: TemplateCommand,
) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let name = match &command {
        TemplateCommand::List => String::new(),
        TemplateCommand::Show { name } => name.clone(),
    };
    let request = ListWarningTemplatesRequest { name: name.clone() };
    let answer = client.warnings().list_warning_templates(request).await?;
    let answer = answer.into_inner();
    let text = if name.is_empty() {
        template_table(context, &answer.templates)
    } else if answer.templates.is_empty() {
        return Err(Failure::usage(format!(
            "template `{name}` is not known here"
        )));
    } else {
        let shown = answer
            .templates
            .iter()
            .map(|template| template_text(context, template));
        shown.collect::<Vec<String>>().join("\n\n")
    };
    let templates: Vec<view::warning::Template> =
        answer.templates.into_iter().map(Into::into).collect();
    Answer::new(
        json!({ "templates": templates, "placeholders": answer.placeholders }),
        text,
    )
}

fn template_table(context: &Context, templates: &[WarningTemplate]) -> String {
    let head = [
        label::NAME,
        label::HAZARD,
        label::SEVERITY,
        label::CONFIGURED,
        label::HEADLINE,
    ];
    let mut table = Table::new(context, &head);
    for template in templates {
        let configured = if template.configured {
            label::YES
        } else {
            label::NO
        };
        let headline = template.texts.first().map(|text| text.headline.clone());
        table.tinted([
            (template.name.clone(), Tint::Plain),
            (
                label::of::<Hazard>(template.hazard, context.lang),
                Tint::Plain,
            ),
            (
                label::of::<Severity>(template.severity, context.lang),
                super::severity_tint::<Severity>(template.severity),
            ),
            (context.say(configured).into(), Tint::Plain),
            (headline.unwrap_or_default(), Tint::Plain),
        ]);
    }
    listed(context, &table, false)
}

fn template_text(context: &Context, template: &WarningTemplate) -> String {
    let texts = template.texts.iter().map(|text| {
        let lines = [&text.headline, &text.description, &text.instruction];
        let lines = lines.into_iter().filter(|line| !line.is_empty());
        let lines: Vec<String> = lines.map(|line| format!("  {line}")).collect();
        format!("[{}]\n{}", text.language, lines.join("\n"))
    });
    let severity = label::of::<Severity>(template.severity, context.lang);
    let texts: Vec<String> = texts.collect();
    format!("{} · {severity}\n{}", template.name, texts.join("\n"))
}

/// Writes a warning as a document of CAP 1.2, on the screen or into a new file.
pub(super) async fn export(
    context: &Context,
    warning: Reference,
    out: Option<PathBuf>,
) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let request = ExportWarningRequest {
        warning_id: warning.warning.to_vec(),
        origin: warning.origin,
    };
    let answer = client
        .warnings()
        .export_warning(request)
        .await?
        .into_inner();
    let Some(path) = out else {
        let json = json!({ "document": answer.document, "file_name": answer.file_name });
        return Answer::new(json, answer.document);
    };
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .and_then(|mut file| {
            file.write_all(answer.document.as_bytes())?;
            file.sync_all()
        });
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::usage(format!(
            "`{}` is there already, and is not overwritten",
            path.display()
        )),
        _ => Failure::usage(format!("write `{}`: {error}", path.display())),
    })?;
    let shown = path.display().to_string();
    let text = fields(context, [(label::FILE, shown.clone())]);
    Answer::new(
        json!({ "file": shown, "bytes": answer.document.len() }),
        text,
    )
}
