//! `posko incident assess` and `posko incident assessment`: rapid assessments from a file of answers, and as they stand.
//!
//! What it never does: send what names a person, or show what it left out.

use std::{fmt::Write as _, fs, path::PathBuf};

use clap::{Args, Subcommand};
use posko_domain::{
    incident::{
        IncidentCommand,
        assessment::{
            derived,
            form::{self, Bilingual, Form, Kind, Question},
        },
    },
    privacy,
};
use posko_proto::{
    Id,
    common::v1::{CommandMeta, Place, Point, Provenance},
    incident::v1::{
        Answer, AnswerInWords, AssessmentForm, AssessmentHead, AssessmentKind, Chosen, Counted,
        CountedAge, Derived, GetAssessmentRequest, GetAssessmentResponse, IncidentAssessed, People,
        Sex, SubmitAssessmentRequest, answer::Value,
    },
};
use serde_json::{Map, Value as Json, json};

use super::{figure, incident_id};
use crate::{
    client::Client,
    command::{freshness, lost, outcome_fields, outcome_of, owner},
    failure::Failure,
    input::{self, Frame},
    json as view,
    label::{self, Lang},
    name,
    output::{Answer as Shown, Context, Table, fields, when},
    word,
};

/// The largest file of answers, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;

/// Hands a rapid assessment in
#[derive(Debug, Args)]
pub(crate) struct AssessArgs {
    /// Id or number
    #[arg(required_unless_present = "template")]
    incident: Option<String>,
    /// File of answers, TOML or JSON
    #[arg(required_unless_present = "template")]
    file: Option<PathBuf>,
    /// Print an empty file of this form with all its questions: pmi, ifrc_24h or ifrc_72h
    #[arg(long, value_name = "FORM", value_parser = word::parse::<AssessmentForm>, conflicts_with_all = ["incident", "file", "dry_run"])]
    template: Option<AssessmentForm>,
    /// Only check the file against its form; nothing is sent
    #[arg(long)]
    dry_run: bool,
    /// Also record the impact figures that follow from the answers, as PMI's
    #[arg(long, conflicts_with_all = ["template", "dry_run"])]
    figures: bool,
    #[command(flatten)]
    frame: Frame,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AssessmentCommand {
    /// Lists the rapid assessments of an incident, older versions too
    #[command(after_help = "Examples:
  posko incident assessment list PMI-32-2026-000001")]
    List {
        /// Id or number
        incident: String,
    },
    /// Shows one rapid assessment with its answers and what follows from them
    #[command(after_help = "Examples:
  posko incident assessment show PMI-32-2026-000001 \\
    0192f3c4-5a6b-7c8d-9e0f-112233445566 --json")]
    Show {
        /// Id or number
        incident: String,
        /// The assessment
        #[arg(value_name = "ID", value_parser = input::id)]
        assessment: Id,
    },
    /// Records the impact figures that follow from a rapid assessment, as PMI's, of its time
    #[command(after_help = "Examples:
  posko incident assessment show PMI-32-2026-000001 \\
    0192f3c4-5a6b-7c8d-9e0f-112233445566
  posko incident assessment figures PMI-32-2026-000001 \\
    0192f3c4-5a6b-7c8d-9e0f-112233445566

`show` lists beforehand which figures follow from which answers, and why others
give none. Figures are of the whole incident: an assessment of a part of it gives none.")]
    Figures {
        /// Id or number
        incident: String,
        /// The assessment
        #[arg(value_name = "ID", value_parser = input::id)]
        assessment: Id,
        #[command(flatten)]
        frame: Frame,
    },
}

impl AssessArgs {
    /// Returns the answer where none of the node is needed: a template, or a check of a file.
    pub(super) fn offline(&self, context: &Context) -> Option<Result<Shown, Failure>> {
        if let Some(form) = self.template {
            return Some(template(context, form));
        }
        self.dry_run.then(|| self.check(context))
    }

    fn check(&self, context: &Context) -> Result<Shown, Failure> {
        let request = self.request()?;
        let assessed = request.assessment.clone().unwrap_or_default();
        let form = form::newest(assessed.form());
        let figures = form.map(|form| derived(form, &assessed.answers));
        let figures = figures.unwrap_or_default();
        let mut text = fields(
            context,
            [
                (
                    label::FORM,
                    label::of::<AssessmentForm>(assessed.form, context.lang),
                ),
                (label::ANSWER, assessed.answers.len().to_string()),
                (label::WORDS_ANSWERED, request.words.len().to_string()),
                (label::LEFT_OUT_PERSONS, assessed.left_out.join(", ")),
            ],
        );
        let table = figures_table(context, form, &figures);
        if !table.is_empty() {
            let _ = write!(
                text,
                "\n\n{}\n{}",
                context.say(label::DERIVED),
                table.render(context)
            );
        }
        let _ = write!(text, "\n{}", context.say(label::DOES_FIT));
        let words: Vec<&str> = request
            .words
            .iter()
            .map(|word| word.question.as_str())
            .collect();
        Shown::new(
            json!({
                "dry_run": true,
                "form": name::of::<AssessmentForm>(assessed.form),
                "answers": answers_json(form, &assessed.answers),
                "answered_in_words": words,
                "left_out": assessed.left_out,
                "derived": figures.iter().map(view::incident::Derived::from).collect::<Vec<_>>(),
            }),
            text,
        )
    }

    /// Reads the file and checks it by the rules of the node's own door.
    fn request(&self) -> Result<SubmitAssessmentRequest, Failure> {
        let path = self.file.clone().unwrap_or_default();
        let wrong = |reason: String| Failure::usage(format!("read `{}`: {reason}", path.display()));
        let size = fs::metadata(&path).map_err(|error| wrong(error.to_string()))?;
        if size.len() > MOST_BYTES {
            return Err(wrong(format!(
                "it has {} bytes; at most {MOST_BYTES} are read",
                size.len()
            )));
        }
        let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        let is_json = text.trim_start().starts_with('{');
        let read: Result<Json, String> = if is_json {
            serde_json::from_str(&text)
                .map_err(|error| format!("line `{}` is not JSON: {error}", error.line()))
        } else {
            toml::from_str(&text).map_err(|error| not_toml(&text, &error))
        };
        let read = read.map_err(wrong)?;
        let mut request = read_request(&read)?;
        let words = request.words.iter().filter(|_| !self.frame.text_as_is);
        for word in words {
            if let Some(question) = privacy::question([word.text.as_str()]) {
                let about = &word.question;
                return Err(Failure::usage(format!("answer `{about}`: {question}")));
            }
        }
        // The form is checked with an id that stands for the one that the command gets.
        let (_, meta) = self.frame.meta();
        request.meta = Some(meta);
        IncidentCommand::try_from(&request)
            .map_err(|rejection| Failure::refused("invalid", rejection))?;
        Ok(request)
    }

    /// Hands the assessment in.
    pub(super) async fn run(self, context: &Context, client: &Client) -> Result<Shown, Failure> {
        let request = self.request()?;
        let name = self.incident.unwrap_or_default();
        let left_out = request
            .assessment
            .as_ref()
            .map(|assessed| assessed.left_out.clone())
            .unwrap_or_default();
        let meta = request.meta.clone().unwrap_or_default();
        let id = Id::try_from(meta.command_id.as_slice()).map_err(Failure::internal)?;
        let request = SubmitAssessmentRequest {
            incident_id: incident_id(client, &name).await?,
            ..request
        };
        let answer = client.incidents().submit_assessment(request).await;
        let answer = answer.map_err(lost(id))?.into_inner();
        let outcome = outcome_of(id, answer.outcome)?;
        let assessment = view::id(&answer.assessment_id);
        let [incident, version, position] = outcome_fields(label::INCIDENT, &outcome);
        let mut text = fields(
            context,
            [
                (label::ASSESSMENT, assessment.clone().unwrap_or_default()),
                incident,
                version,
                position,
                (label::LEFT_OUT_PERSONS, left_out.join(", ")),
            ],
        );
        let mut json =
            json!({ "outcome": outcome, "assessment_id": assessment, "left_out": left_out });
        if self.figures {
            // A repeated command finds the figures recorded under the same id.
            let of = answer.assessment_id;
            let id = Id::try_from(of.as_slice()).map_err(Failure::internal)?;
            let meta = CommandMeta {
                command_id: id.to_vec(),
                exercise: self.frame.exercise,
                ..CommandMeta::default()
            };
            let (figures, table) = figure::record(context, client, (&name, of), (id, meta)).await?;
            let title = context.say(label::FIGURES);
            let _ = write!(text, "\n\n{title}\n{table}");
            if let Some(json) = json.as_object_mut() {
                json.insert("figures".into(), figures);
            }
        }
        Shown::new(json, text)
    }
}

/// Returns what a file's writer got wrong and on which line, in the parser's words.
fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = 1 + before.unwrap_or_default().matches('\n').count();
    format!("line `{line}` is not TOML: {}", error.message())
}

/// Reads what stands in the file.
fn read_request(read: &Json) -> Result<SubmitAssessmentRequest, Failure> {
    const KEYS: [&str; 8] = [
        "form",
        "kind",
        "region",
        "lat",
        "lon",
        "assessed_at",
        "supersedes",
        "answers",
    ];
    let empty = Map::new();
    let file = read.as_object().unwrap_or(&empty);
    if let Some(unknown) = file.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(Failure::usage(format!(
            "`{unknown}` is no key of a file of answers: expected one of {}",
            KEYS.join(", ")
        )));
    }
    let of = |key: &str| {
        let text = file.get(key).and_then(text);
        text.filter(|text| !text.is_empty())
    };
    let read_as = |key: &str, read: &dyn Fn(&str) -> Result<(), String>| match of(key) {
        Some(text) => {
            read(&text).map_err(|reason| Failure::usage(format!("key `{key}`: {reason}")))
        }
        None => Ok(()),
    };
    let wanted = of("form").unwrap_or_default();
    let of_form = word::parse::<AssessmentForm>(&wanted).map_err(Failure::usage)?;
    let form = form::newest(of_form)
        .ok_or_else(|| Failure::usage(format!("`{wanted}` is no form of this program")))?;
    let kind = match of("kind") {
        Some(kind) => word::parse::<AssessmentKind>(&kind)
            .map_err(Failure::usage)?
            .into(),
        None => 0,
    };
    read_as("assessed_at", &|text| input::time(text).map(|_| ()))?;
    read_as("supersedes", &|text| input::id(text).map(|_| ()))?;
    let degrees = |key: &str, read: fn(&str) -> Result<i32, String>| match file.get(key) {
        None => Ok(None),
        Some(value) => {
            let written = text(value).unwrap_or_else(|| value.to_string());
            let read = read(&written).map(Some);
            read.map_err(|reason| Failure::usage(format!("key `{key}`: {reason}")))
        }
    };
    let point = degrees("lat", input::latitude)?.zip(degrees("lon", input::longitude)?);
    let region = of("region").map(|region| {
        let code = input::region(&region);
        code.map_err(|reason| Failure::usage(format!("key `region`: {reason}")))
    });
    let place = region.transpose()?.map(|region_code| Place {
        region_code,
        point: point.map(|(latitude_microdegrees, longitude_microdegrees)| Point {
            latitude_microdegrees,
            longitude_microdegrees,
        }),
        code_set: String::new(),
    });
    let mut assessed = IncidentAssessed {
        form: of_form.into(),
        form_version: form.version,
        kind,
        place,
        assessed_at: of("assessed_at").and_then(|at| input::time(&at).ok()),
        supersedes: of("supersedes")
            .and_then(|id| input::id(&id).ok())
            .map(Id::to_vec)
            .unwrap_or_default(),
        ..IncidentAssessed::default()
    };
    let mut words = Vec::new();
    let answers = file.get("answers").and_then(Json::as_object);
    for (code, value) in answers.unwrap_or(&empty) {
        let question = form.question(code).ok_or_else(|| {
            Failure::usage(format!(
                "`{code}` is no question of the form `{wanted}`: `posko incident assess --template {wanted}` lists them"
            ))
        })?;
        if text(value).is_some_and(|text| text.trim().is_empty()) {
            // An empty text is a question that was left open.
            continue;
        }
        match question.kind {
            Kind::Person => assessed.left_out.push(code.clone()),
            Kind::Words => {
                let text = text(value).ok_or_else(|| unfit(question, value))?;
                words.push(AnswerInWords {
                    question: code.clone(),
                    text,
                });
            }
            _ => {
                let value = answered(question, value)?;
                assessed.answers.push(Answer {
                    question: code.clone(),
                    value: Some(value),
                });
            }
        }
    }
    Ok(SubmitAssessmentRequest {
        assessment: Some(assessed),
        words,
        ..SubmitAssessmentRequest::default()
    })
}

/// Returns a text, also where TOML has a time.
fn text(value: &Json) -> Option<String> {
    let of_toml = || value.as_object()?.get("$__toml_private_datetime")?.as_str();
    value.as_str().or_else(of_toml).map(str::to_owned)
}

fn unfit(question: &Question, value: &Json) -> Failure {
    let expected = match question.kind {
        Kind::Number => "a whole number, 0 or more".to_owned(),
        Kind::Yes => "yes or no".to_owned(),
        Kind::One => format!("one of {}", keys(question)),
        Kind::Many => format!("a list of {}", keys(question)),
        Kind::People => {
            "counts such as `{ all = 120, female = 63, \"female.0_5\" = 9 }`".to_owned()
        }
        Kind::Time => "a time with its offset".to_owned(),
        Kind::Words | Kind::Person => "a text".to_owned(),
    };
    let value: String = value.to_string().chars().take(80).collect();
    Failure::usage(format!(
        "question `{}` is answered with `{value}`: expected {expected}",
        question.code
    ))
}

fn keys(question: &Question) -> String {
    let keys = question.options.iter().map(|option| option.key.as_str());
    keys.collect::<Vec<&str>>().join(", ")
}

fn answered(question: &Question, value: &Json) -> Result<Value, Failure> {
    let unfit = || unfit(question, value);
    let option = |value: &Json| {
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| question.choice(*number).is_some());
        number.or_else(|| question.option(value.as_str()?))
    };
    Ok(match question.kind {
        Kind::Number => Value::Number(value.as_u64().ok_or_else(unfit)?),
        Kind::Yes => Value::Yes(match (value.as_bool(), value.as_str()) {
            (Some(yes), _) => yes,
            (None, Some("yes" | "ya")) => true,
            (None, Some("no" | "tidak")) => false,
            (None, _) => return Err(unfit()),
        }),
        Kind::One => Value::Option(option(value).ok_or_else(unfit)?),
        Kind::Many => {
            let options: Option<Vec<u32>> = match value.as_array() {
                Some(values) => values.iter().map(option).collect(),
                None => option(value).map(|option| vec![option]),
            };
            let options = options.ok_or_else(unfit)?;
            Value::Chosen(Chosen { options })
        }
        Kind::People => Value::People(people(value).ok_or_else(unfit)?),
        Kind::Time => {
            let at = text(value).and_then(|text| input::time(&text).ok());
            Value::Time(at.ok_or_else(unfit)?)
        }
        Kind::Words | Kind::Person => return Err(unfit()),
    })
}

/// Reads `120`, or a table of `all`, a sex, an age or both.
fn people(value: &Json) -> Option<People> {
    if let Some(count) = value.as_u64() {
        let counts = vec![Counted {
            count,
            ..Counted::default()
        }];
        return Some(People { counts });
    }
    let counts = value.as_object()?.iter().map(|(key, count)| {
        let mut counted = Counted {
            count: count.as_u64()?,
            ..Counted::default()
        };
        for part in key.split('.').filter(|part| *part != "all") {
            match word::parse::<CountedAge>(part) {
                Ok(age) => counted.age = age.into(),
                Err(_) => counted.sex = word::parse::<Sex>(part).ok()?.into(),
            }
        }
        Some(counted)
    });
    let counts = counts.collect::<Option<Vec<Counted>>>()?;
    Some(People { counts })
}

fn said(words: &Bilingual, lang: Lang) -> &str {
    match lang {
        Lang::Id => &words.indonesian,
        Lang::En => &words.english,
    }
}

/// Returns an empty file of a form: every question stands in it as a comment, and is answered by taking the mark away.
fn template(context: &Context, of: AssessmentForm) -> Result<Shown, Failure> {
    let form = form::newest(of)
        .ok_or_else(|| Failure::internal(anyhow::anyhow!("the form has no table")))?;
    let say = |id: &'static str, en: &'static str| match context.lang {
        Lang::Id => id,
        Lang::En => en,
    };
    let mut text = format!(
        "# {} – {} {}\n# {}\n# {}\n\nform = \"{}\"\n# {}\n{}kind = \"initial\"\n# {}\n# region = \"32.03.22\"\n# lat = -6.82\n# lon = 107.14\n# {}\n# assessed_at = 2026-01-05T09:00:00+07:00\n# {}\n# supersedes = \"\"\n\n[answers]\n",
        label::of::<AssessmentForm>(of.into(), context.lang),
        context.say(label::VERSION),
        form.version,
        say(
            "Hapus tanda # di depan pertanyaan yang dijawab; yang lain dibiarkan.",
            "Take the # away before each question that is answered; leave the others.",
        ),
        say(
            "Nama asesor, penanda tangan dan kontak tidak dicatat. Jawaban kata-kata dibaca semua provinsi.",
            "Names of assessors, signatories and contacts are not recorded. Every province reads what is written in words.",
        ),
        name::of::<AssessmentForm>(of.into()).unwrap_or_default(),
        say(
            "Asesmen awal (initial) atau lanjutan (continued).",
            "The first at its place (initial), or a further one (continued).",
        ),
        // PMI's form asks that itself.
        if of == AssessmentForm::Pmi { "# " } else { "" },
        say(
            "Tempat yang diases; tanpa ini tempat kejadian.",
            "The place assessed; without it the incident's.",
        ),
        say("Kapan diases; tanpa ini sekarang.", "When; without it now."),
        say(
            "Id asesmen yang diganti versi ini.",
            "The assessment of which this is a newer version.",
        ),
    );
    let mut section = 0;
    for question in &form.questions {
        if question.section != section {
            section = question.section;
            let about = form.sections.iter().find(|held| held.number == section);
            let about = about.map_or("", |held| said(&held.label, context.lang));
            let _ = writeln!(text, "\n# == {section}. {about}");
        }
        let _ = writeln!(text, "\n# {}", asked(context, question));
        let _ = writeln!(text, "# {} = {}", question.code, example(question));
    }
    Shown::new(
        json!({ "form": name::of::<AssessmentForm>(of.into()), "version": form.version, "template": text }),
        text,
    )
}

/// Returns what a question asks and how it is answered.
fn asked(context: &Context, question: &Question) -> String {
    let say = |id: &str, en: &str| match context.lang {
        Lang::Id => id.to_owned(),
        Lang::En => en.to_owned(),
    };
    let options = || {
        let options = question
            .options
            .iter()
            .map(|option| format!("{} = {}", option.key, said(&option.label, context.lang)));
        options.collect::<Vec<String>>().join(", ")
    };
    let how = match question.kind {
        Kind::Number => said(&question.unit, context.lang).to_owned(),
        Kind::Yes => say("true atau false", "true or false"),
        Kind::One => format!("{}: {}", say("satu dari", "one of"), options()),
        Kind::Many => format!("{}: {}", say("beberapa dari", "any of"), options()),
        Kind::People => say(
            "jiwa: all, male, female, other; umur 0_1, 2_5, 6_12, 13_17, 18_20, 21_59, 60_up, unknown, atau menurut formulir 0_5, 13_20, 21_60, over_60; atau keduanya, female.0_5",
            "persons: all, male, female, other; ages 0_1, 2_5, 6_12, 13_17, 18_20, 21_59, 60_up, unknown, or the form's 0_5, 13_20, 21_60, over_60; or both, female.0_5",
        ),
        Kind::Time => say("waktu", "a time"),
        Kind::Words => say("kata-kata, tanpa nama orang", "words, no person's name"),
        Kind::Person => say("tidak dicatat", "not recorded"),
    };
    format!(
        "{}: {} ({how})",
        question.code,
        said(&question.label, context.lang)
    )
}

fn example(question: &Question) -> String {
    let first = question.options.first().map(|option| option.key.as_str());
    let first = first.unwrap_or_default();
    match question.kind {
        Kind::Number => "0".into(),
        Kind::Yes => "false".into(),
        Kind::One => format!("\"{first}\""),
        Kind::Many => format!("[\"{first}\"]"),
        Kind::People => "{ all = 0, male = 0, female = 0, \"female.0_5\" = 0 }".into(),
        Kind::Time => "2026-01-05T09:00:00+07:00".into(),
        Kind::Words | Kind::Person => "\"\"".into(),
    }
}

impl AssessmentCommand {
    /// Runs the command.
    pub(super) async fn run(self, context: &Context, client: &Client) -> Result<Shown, Failure> {
        match self {
            Self::List { incident } => {
                let found = client
                    .incidents()
                    .get_incident(super::lookup(client, &incident)?)
                    .await?
                    .into_inner();
                let found = found.incident.unwrap_or_default();
                let origins: Vec<Provenance> = found.provenance.into_iter().collect();
                let text = format!(
                    "{}{}",
                    heads_table(context, &found.assessments).render_all(context),
                    freshness(context, &origins)
                );
                let heads = found.assessments.into_iter();
                let heads: Vec<view::incident::Assessment> = heads.map(Into::into).collect();
                let provenance = origins.into_iter().next().map(view::Provenance::from);
                Shown::new(
                    json!({ "assessments": heads, "provenance": provenance }),
                    text,
                )
            }
            Self::Show {
                incident,
                assessment,
            } => {
                let request = GetAssessmentRequest {
                    incident_id: incident_id(client, &incident).await?,
                    assessment_id: assessment.to_vec(),
                };
                let found = client.incidents().get_assessment(request).await?;
                let found = found.into_inner();
                let text = render(context, &found);
                Shown::new(shown_json(found), text)
            }
            Self::Figures {
                incident,
                assessment,
                frame,
            } => {
                let of = (incident.as_str(), assessment.to_vec());
                let (json, text) = figure::record(context, client, of, frame.meta()).await?;
                Shown::new(json, text)
            }
        }
    }
}

/// Returns the assessments as a table, with the newest version of each and those before it.
pub(super) fn heads_table(context: &Context, heads: &[AssessmentHead]) -> Table {
    let head = [
        label::FORM,
        label::KIND,
        label::VERSION,
        label::PLACE,
        label::ASSESSED_AT,
        label::SUBMITTED,
        label::ANSWER,
        label::ID,
    ];
    let mut table = Table::new(context, &head);
    for held in heads {
        let superseded = if held.superseded_by.is_empty() {
            ""
        } else {
            context.say(label::SUPERSEDED)
        };
        table.row([
            label::of::<AssessmentForm>(held.form, context.lang),
            label::of::<AssessmentKind>(held.kind, context.lang),
            format!("{} {superseded}", held.version)
                .trim_end()
                .to_owned(),
            place(held),
            when(held.assessed_at.as_ref()),
            when(held.submitted_at.as_ref()),
            held.answers.to_string(),
            view::id(&held.assessment_id).unwrap_or_default(),
        ]);
    }
    table
}

fn place(head: &AssessmentHead) -> String {
    let code = head.place.as_ref().map(|place| place.region_code.as_str());
    crate::command::named_code(&head.region_name, code.unwrap_or_default())
}

fn render(context: &Context, found: &GetAssessmentResponse) -> String {
    let head = found.head.clone().unwrap_or_default();
    let form = form::find(head.form(), head.form_version);
    let provenance = found.provenance.clone().unwrap_or_default();
    let mut text = fields(
        context,
        [
            (
                label::ASSESSMENT,
                view::id(&head.assessment_id).unwrap_or_default(),
            ),
            (
                label::FORM,
                label::of::<AssessmentForm>(head.form, context.lang),
            ),
            (
                label::KIND,
                label::of::<AssessmentKind>(head.kind, context.lang),
            ),
            (label::VERSION, head.version.to_string()),
            (label::PLACE, place(&head)),
            (label::ASSESSED_AT, when(head.assessed_at.as_ref())),
            (label::SUBMITTED, when(head.submitted_at.as_ref())),
            (label::ORIGIN, owner(context, &provenance)),
            (label::HEARD, when(provenance.heard_at.as_ref())),
            (
                label::WHY,
                if found.missing {
                    context.say(label::PAYLOAD_NOT_HERE).to_owned()
                } else {
                    String::new()
                },
            ),
            (label::LEFT_OUT_PERSONS, found.left_out.join(", ")),
        ],
    );
    let mut table = Table::new(context, &[label::ID, label::QUESTION, label::ANSWER]);
    for (code, question, answer) in in_order(form, found) {
        let asked = question.map_or("", |question| said(&question.label, context.lang));
        let answer = match answer {
            Said::Data(answer) => shown(context, question, answer),
            Said::Words(text) => text.to_owned(),
        };
        table.row([code.to_owned(), asked.to_owned(), answer]);
    }
    let figures = figures_table(context, form, &found.derived);
    let offered = figure::table(context, found, &[]);
    for (title, table) in [
        (label::ANSWER, table),
        (label::DERIVED, figures),
        (label::OFFERED, offered),
    ] {
        if !table.is_empty() {
            let _ = write!(
                text,
                "\n\n{}\n{}",
                context.say(title),
                table.render(context)
            );
        }
    }
    text
}

/// An answer that is data, or in words.
enum Said<'a> {
    Data(&'a Answer),
    Words(&'a str),
}

/// Returns the answers in the order of the form; those that this program has no question for come last.
fn in_order<'a>(
    form: Option<&'static Form>,
    found: &'a GetAssessmentResponse,
) -> Vec<(&'a str, Option<&'static Question>, Said<'a>)> {
    let place = |code: &str| {
        let questions = form.map(|form| form.questions.iter());
        questions
            .and_then(|mut questions| questions.position(|question| question.code == code))
            .unwrap_or(usize::MAX)
    };
    let data = found
        .answers
        .iter()
        .map(|answer| (answer.question.as_str(), Said::Data(answer)));
    let words = found
        .words
        .iter()
        .map(|answer| (answer.question.as_str(), Said::Words(&answer.text)));
    let mut all: Vec<_> = data
        .chain(words)
        .map(|(code, said)| (code, form.and_then(|form| form.question(code)), said))
        .collect();
    all.sort_by_key(|(code, ..)| place(code));
    all
}

fn shown(context: &Context, question: Option<&Question>, answer: &Answer) -> String {
    let option = |number: u32| {
        let choice = question.and_then(|question| question.choice(number));
        choice.map_or_else(
            || number.to_string(),
            |choice| said(&choice.label, context.lang).to_owned(),
        )
    };
    match &answer.value {
        Some(Value::Number(number)) => {
            let unit = question.map_or("", |question| said(&question.unit, context.lang));
            format!("{number} {unit}").trim_end().to_owned()
        }
        Some(Value::Yes(yes)) => context.yes_no(*yes).to_owned(),
        Some(Value::Option(number)) => option(*number),
        Some(Value::Chosen(chosen)) => {
            let options = chosen.options.iter().map(|number| option(*number));
            options.collect::<Vec<String>>().join(", ")
        }
        Some(Value::People(people)) => {
            let counts = people.counts.iter().map(|counted| {
                let whom = [
                    label::of::<Sex>(counted.sex, context.lang),
                    label::of::<CountedAge>(counted.age, context.lang),
                ];
                let whom: Vec<String> = whom.into_iter().filter(|whom| whom != "-").collect();
                let whom = if whom.is_empty() {
                    context.say(label::EVERYONE).to_owned()
                } else {
                    whom.join(" ")
                };
                format!("{whom} {}", counted.count)
            });
            counts.collect::<Vec<String>>().join(", ")
        }
        Some(Value::Time(at)) => when(Some(at)),
        None => String::new(),
    }
}

fn figures_table(context: &Context, form: Option<&Form>, figures: &[Derived]) -> Table {
    let mut table = Table::new(context, &[label::ID, label::COUNT, label::DESCRIPTION]);
    for figure in figures {
        let sum = form.and_then(|form| form.sums.iter().find(|sum| sum.key == figure.key));
        let unit = sum.map_or_else(
            || match context.lang {
                Lang::Id => "orang",
                Lang::En => "persons",
            },
            |sum| said(&sum.unit, context.lang),
        );
        let partial = if figure.partial {
            context.say(label::AT_LEAST)
        } else {
            ""
        };
        let about = if figure.approximate {
            context.say(label::APPROXIMATELY)
        } else {
            ""
        };
        let count = format!("{partial} {about} {} {unit}", figure.count);
        let what = sum.map_or("", |sum| said(&sum.label, context.lang));
        table.row([figure.key.clone(), count, what.to_owned()]);
    }
    table
}

fn shown_json(found: GetAssessmentResponse) -> Json {
    let head = found.head.unwrap_or_default();
    let form = form::find(head.form(), head.form_version);
    let words: Vec<Json> = found
        .words
        .iter()
        .map(|word| json!({ "question": word.question, "text": word.text }))
        .collect();
    json!({
        "assessment": view::incident::Assessment::from(head),
        "answers": answers_json(form, &found.answers),
        "words": words,
        "left_out": found.left_out,
        "derived": found.derived.iter().map(view::incident::Derived::from).collect::<Vec<_>>(),
        "offered": found.figures.iter().map(figure::offered_json).collect::<Vec<_>>(),
        "missing": found.missing,
        "provenance": found.provenance.map(view::Provenance::from),
    })
}

/// Returns answers for programs: each with its question in English, and options by their keys.
fn answers_json(form: Option<&Form>, answers: &[Answer]) -> Vec<Json> {
    let answer = |answer: &Answer| {
        let question = form.and_then(|form| form.question(&answer.question));
        let key = |number: u32| {
            let choice = question.and_then(|question| question.choice(number));
            choice.map_or_else(|| json!(number), |choice| json!(choice.key))
        };
        let (kind, value) = match &answer.value {
            Some(Value::Number(number)) => ("number", json!(number)),
            Some(Value::Yes(yes)) => ("yes", json!(yes)),
            Some(Value::Option(number)) => ("option", key(*number)),
            Some(Value::Chosen(chosen)) => {
                let options = chosen.options.iter().map(|number| key(*number));
                ("options", options.collect())
            }
            Some(Value::People(people)) => {
                let counts = people.counts.iter().map(|counted| {
                    json!({
                        "sex": name::of::<Sex>(counted.sex),
                        "age": name::of::<CountedAge>(counted.age),
                        "count": counted.count,
                    })
                });
                ("people", counts.collect())
            }
            Some(Value::Time(at)) => ("time", json!(view::time(Some(at)))),
            None => ("none", Json::Null),
        };
        let unit = question.and_then(|question| view::text(&question.unit.english));
        json!({
            "question": answer.question,
            "section": question.map(|question| question.section),
            "label": question.map(|question| question.label.english.clone()),
            "kind": kind,
            "unit": unit,
            "value": value,
        })
    };
    answers.iter().map(answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::tests::context;

    fn read(text: &str) -> Result<SubmitAssessmentRequest, Failure> {
        let read: Json = toml::from_str(text).unwrap();
        read_request(&read)
    }

    #[test]
    fn a_template_lists_every_question_and_is_a_file_of_answers_itself() {
        for of in [
            AssessmentForm::Pmi,
            AssessmentForm::Ifrc24h,
            AssessmentForm::Ifrc72h,
        ] {
            for lang in [Lang::Id, Lang::En] {
                let text = template(&context(lang), of).unwrap().text;
                let form = form::newest(of).unwrap();
                for question in &form.questions {
                    assert!(text.contains(&format!("# {} = ", question.code)));
                }
                // With every mark taken away before an answer, it is understood as it stands.
                let filled: Vec<&str> = text
                    .lines()
                    .map(|line| match line.strip_prefix("# ") {
                        Some(rest) if rest.contains(" = ") && !rest.contains(": ") => rest,
                        _ => line,
                    })
                    .collect();
                let request = read(&filled.join("\n")).unwrap();
                let answers = request.assessment.unwrap().answers.len();
                let data = form
                    .questions
                    .iter()
                    .filter(|question| !matches!(question.kind, Kind::Words | Kind::Person));
                assert_eq!(answers, data.count(), "{of:?}");
            }
        }
    }

    #[test]
    fn what_names_a_person_is_left_out_and_said_by_its_code() {
        let request = read(
            "form = \"pmi\"\n[answers]\nPMI-13 = \"Ibu Contoh\"\nPMI-134 = \"\"\nPMI-16 = \"Banyak lansia\"\nPMI-8 = 120",
        )
        .unwrap();
        let assessed = request.assessment.unwrap();
        assert_eq!(assessed.left_out, ["PMI-13"]);
        assert_eq!(assessed.answers.len(), 1);
        let words: Vec<&str> = request
            .words
            .iter()
            .map(|word| word.text.as_str())
            .collect();
        assert_eq!(words, ["Banyak lansia"]);
    }

    #[test]
    fn an_answer_of_another_kind_is_refused_with_its_question() {
        let cases = [
            ("PMI-8 = \"banyak\"", "PMI-8"),
            ("PMI-8 = -1", "PMI-8"),
            ("PMI-3 = \"storm\"", "PMI-3"),
            ("PMI-18 = [\"land\", \"sea\"]", "PMI-18"),
            ("PMI-9 = { femal = 3 }", "PMI-9"),
            ("PMI-32 = 1", "PMI-32"),
            ("PMI-16 = 3", "PMI-16"),
            ("PMI-999 = 3", "PMI-999"),
        ];
        for (answer, code) in cases {
            let failure = read(&format!("form = \"pmi\"\n[answers]\n{answer}")).unwrap_err();
            assert!(failure.message.contains(&format!("`{code}`")), "{failure}");
            assert_eq!(failure.exit as u8, 2);
        }
        let unknown = read("form = \"pmi\"\nleader = \"x\"").unwrap_err();
        assert!(
            unknown.message.starts_with("`leader` is no key"),
            "{unknown}"
        );
        assert!(read("form = \"lain\"").is_err());
        let region = read("form = \"pmi\"\nsupersedes = \"x\"").unwrap_err();
        assert!(region.message.starts_with("key `supersedes`"), "{region}");
    }

    #[test]
    fn people_are_counted_by_sex_by_age_or_by_both() {
        let request = read("form = \"pmi\"\nassessed_at = 2026-01-05T09:00:00+07:00\n[answers]\nPMI-9 = { all = 10, \"female.0_5\" = 2, over_60 = 1 }").unwrap();
        let assessed = request.assessment.unwrap();
        assert!(assessed.assessed_at.is_some());
        let form = form::newest(AssessmentForm::Pmi);
        let text = shown(&context(Lang::En), None, &assessed.answers[0]);
        assert_eq!(text, "all 10, female 0–5 2, >60 1");
        let json = answers_json(form, &assessed.answers);
        assert_eq!(json[0]["value"][1]["age"], "0_5");
        assert_eq!(json[0]["label"], "People by sex and age");
    }
}
