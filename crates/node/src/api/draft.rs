//! Drafts of the node's own warnings: what a person left out is taken from a template or from what is changed.

use posko_domain::{
    account::Action,
    code::Refusal,
    context::stream_of,
    hazard, region,
    warning::{
        WarningState, check_content,
        draft::{self, DraftCommand, DraftState},
        locate_as_given, spoken,
        template::{self, Template, Values},
        words_of,
    },
    zone,
};
use posko_proto::{
    Id,
    common::v1::Hazard,
    time::Millis,
    warning::v1::{
        self as wire, AlertStatus, ApproveDraftRequest, ApproveDraftResponse, Area, Certainty,
        Content, DraftKind, DraftWarningRequest, Severity, Text, Urgency, WarningDrafted,
        WithdrawDraftRequest,
    },
};
use posko_store::{Command, view::draft::Found};
use prost_types::Timestamp;
use tonic::{Request, Status};

use super::{Api, Asked, Framed, digest, id, invalid, outcome, refused};
use crate::{outgoing::named, time::now};

/// How a node's own warnings are named and written.
pub(crate) struct OwnWarnings {
    /// How CAP names the node.
    pub(crate) sender: String,
    /// The office that warns.
    pub(crate) publisher: String,
    /// The texts that they are written from.
    pub(crate) templates: Vec<Template>,
}

#[cfg(test)]
impl Default for OwnWarnings {
    fn default() -> Self {
        Self {
            sender: "posko-uji".into(),
            publisher: "PMI uji".into(),
            templates: template::shipped(),
        }
    }
}

/// An own warning that a draft changes.
struct Changed {
    state: WarningState,
    /// The draft by which it says what it says.
    draft: Option<DraftState>,
}

/// How a template wrote a warning.
struct Written<'a> {
    /// The template's texts for the severity that it gets.
    template: &'a Template,
    /// What it wrote.
    texts: Vec<Text>,
    level: String,
    observed: String,
}

impl Api {
    pub(super) fn draft(found: &Found) -> wire::Draft {
        let state = &found.state;
        wire::Draft {
            draft_id: found.id.to_vec(),
            drafted: Some(state.drafted.clone()),
            status: state.standing(now()).into(),
            drafted_by: state.drafted_by.to_vec(),
            drafted_at: Some(state.drafted_at.into()),
            decided_by: state.decided.map(|(by, _)| by.to_vec()).unwrap_or_default(),
            decided_at: state.decided.map(|(_, at)| at.into()),
            warning_id: state.warning.map(Id::to_vec).unwrap_or_default(),
            exercise: state.exercise,
            version: state.version,
        }
    }

    /// Takes a draft from its request to its outcome.
    pub(super) async fn take_draft(
        &self,
        request: Request<DraftWarningRequest>,
    ) -> Result<Option<posko_proto::common::v1::Outcome>, Status> {
        let caller = self.caller(request.metadata()).await?;
        let request = request.into_inner();
        let framed = Framed::parse(request.meta.as_ref())?;
        let said = request.content.iter().flat_map(words_of);
        framed.check_texts(said.chain([request.level.as_str(), request.observed.as_str()]))?;
        let changed = self.changed(&request).await?;
        let drafted = self.drafted(&request, changed.as_ref(), framed.exercise)?;
        let mut regions = draft::regions(drafted.content.as_ref());
        regions.extend(changed.as_ref().map_or_else(Vec::new, |changed| {
            draft::regions(Some(&changed.state.content))
        }));
        // The right must be held wherever it warns and warned; where it names no region, the rules say so.
        let actor = caller.may_in(Action::DraftWarning, &regions, None)?;
        let accepted = self
            .execute(Asked {
                digest: digest("DraftWarning", &request),
                stream: stream_of(framed.command_id),
                framed,
                authority: actor.into(),
                command: Command::Draft(DraftCommand::Draft(drafted)),
                credential: None,
            })
            .await?;
        Ok(Some(outcome(self.own(), &accepted)))
    }

    /// Takes an approval from its request to its outcome: the caller is the second person, or is refused.
    pub(super) async fn approve(
        &self,
        request: Request<ApproveDraftRequest>,
    ) -> Result<ApproveDraftResponse, Status> {
        let caller = self.caller(request.metadata()).await?;
        let request = request.into_inner();
        let framed = Framed::parse(request.meta.as_ref())?;
        let draft = id("draft_id", &request.draft_id)?;
        let by = caller.account;
        let accepted = self
            .execute(Asked {
                digest: digest("ApproveDraft", &request),
                framed,
                stream: draft,
                authority: caller.account_for(Action::ApproveWarning),
                command: Command::Draft(DraftCommand::Approve { by }),
                credential: None,
            })
            .await?;
        let found = self.ask(move |store| store.draft(draft)).await?;
        let warning = found.and_then(|found| found.state.warning);
        Ok(ApproveDraftResponse {
            outcome: Some(outcome(self.own(), &accepted)),
            warning_id: warning.map(Id::to_vec).unwrap_or_default(),
        })
    }

    pub(super) async fn give_up_draft(
        &self,
        request: Request<WithdrawDraftRequest>,
    ) -> Result<Option<posko_proto::common::v1::Outcome>, Status> {
        let caller = self.caller(request.metadata()).await?;
        let request = request.into_inner();
        let framed = Framed::parse(request.meta.as_ref())?;
        let accepted = self
            .execute(Asked {
                digest: digest("WithdrawDraft", &request),
                framed,
                stream: id("draft_id", &request.draft_id)?,
                authority: caller.account_for(Action::DraftWarning),
                command: Command::Draft(DraftCommand::Withdraw),
                credential: None,
            })
            .await?;
        Ok(Some(outcome(self.own(), &accepted)))
    }

    pub(super) async fn found_draft(&self, bytes: &[u8]) -> Result<Found, Status> {
        let draft = id("draft_id", bytes)?;
        let found = self.ask(move |store| store.draft(draft)).await?;
        found.ok_or_else(|| Status::not_found(format!("draft `{draft}` is not known here")))
    }

    /// Returns the own warning that a draft changes; none for a new one.
    async fn changed(&self, request: &DraftWarningRequest) -> Result<Option<Changed>, Status> {
        if request.kind() == DraftKind::Issue && request.warning_id.is_empty() {
            return Ok(None);
        }
        if request.kind() == DraftKind::Issue {
            return Err(Status::invalid_argument(
                "field `warning_id` is given, but a new warning changes none",
            ));
        }
        let (own, warning) = (self.own(), id("warning_id", &request.warning_id)?);
        let found = self.ask(move |store| store.warning(None, warning)).await?;
        let found = found
            .ok_or_else(|| Status::not_found(format!("warning `{warning}` is not known here")))?;
        if found.origin != own {
            return Err(Status::failed_precondition(format!(
                "`{warning}` belongs to node `{}`: only its owner changes it",
                found.origin
            )));
        }
        let wrote = move |draft: &DraftState| draft.warning == Some(warning);
        let drafts = self.ask(move |store| store.drafts(wrote, None, 1)).await?;
        Ok(Some(Changed {
            state: found.state,
            draft: drafts.rows.into_iter().next().map(|draft| draft.state),
        }))
    }

    /// Returns the whole of what is drafted.
    fn drafted(
        &self,
        request: &DraftWarningRequest,
        changed: Option<&Changed>,
        exercise: bool,
    ) -> Result<WarningDrafted, Status> {
        let own = &self.0.own_warnings;
        let given = request.content.clone().unwrap_or_default();
        let base = changed
            .map(|changed| changed.state.content.clone())
            .unwrap_or_default();
        let severity = first([given.severity, base.severity]);
        let severity = Severity::try_from(severity)
            .map_err(|_| Status::invalid_argument("field `content.severity` is not known"))?;
        let template = self.template(&request.template, severity)?;
        if let Some(template) = template
            && given.hazard != 0
            && given.hazard() != template.hazard
        {
            return Err(Status::invalid_argument(format!(
                "template `{}` is of `{}`, and the hazard given is `{}`",
                template.name,
                hazard::english(template.hazard),
                hazard::english(given.hazard())
            )));
        }
        let hazard = first([
            given.hazard,
            template
                .map(|template| template.hazard.into())
                .unwrap_or_default(),
            base.hazard,
        ]);
        let urgency = match (template, severity) {
            (None, _) => Urgency::Unspecified,
            (Some(_), Severity::Extreme) => Urgency::Immediate,
            (Some(_), Severity::Severe) => Urgency::Expected,
            (Some(_), _) => Urgency::Future,
        };
        let certainty = template.map_or(Certainty::Unspecified, |_| Certainty::Likely);
        let areas = self.areas(request, &given, &base)?;
        let at = now();
        let expires = given.expires_at.or(base.expires_at);
        let effective = given.effective_at.or(base.effective_at);
        let mut content = Content {
            status: if exercise {
                AlertStatus::Exercise.into()
            } else {
                AlertStatus::Actual.into()
            },
            hazard,
            severity: severity.into(),
            urgency: first([given.urgency, base.urgency, urgency.into()]),
            certainty: first([given.certainty, base.certainty, certainty.into()]),
            sent_at: Some(at.into()),
            effective_at: effective,
            expires_at: expires,
            language: "id".into(),
            web: longer(&given.web, &base.web),
            areas,
            event: longer(&given.event, &base.event),
            sender: own.sender.clone(),
            ..Content::default()
        };
        let written = changed
            .filter(|_| request.kind() == DraftKind::Update && template.is_none())
            .and_then(|changed| self.written(changed, request, severity));
        let values = written.as_ref().map_or_else(
            || self.values(&content, &request.level, &request.observed),
            |written| self.values(&content, &written.level, &written.observed),
        );
        let used = template.or(written.as_ref().map(|written| written.template));
        let filled = used.map(|used| template::fill(&used.texts, severity, &values));
        let filled = filled
            .transpose()
            .map_err(|error| Status::failed_precondition(error.to_string()))?
            .unwrap_or_default();
        let fallback = match (template, &written, changed) {
            (Some(_), _, _) | (None, _, None) => filled.clone(),
            (None, Some(written), Some(changed)) => {
                anew(texts_of(&changed.state.content), &written.texts, &filled)
            }
            (None, None, Some(changed)) if request.kind() == DraftKind::Cancel => {
                called_off(&changed.state)
            }
            (None, None, Some(changed)) => texts_of(&changed.state.content),
        };
        write_texts(&mut content, &given, &fallback);
        let times = |content: &Content| (content.effective_at, content.expires_at);
        if request.kind() == DraftKind::Update && times(&content) != times(&base) {
            no_old_time(&content, &base, &[texts_by_hand(&given), filled])?;
        }
        if content.event.is_empty() {
            let hazard = Hazard::try_from(hazard).unwrap_or_default();
            content.event = hazard::indonesian(hazard).into();
        }
        check_content(&content).map_err(|error| refused(&error.into()))?;
        locate_as_given(&mut content);
        Ok(WarningDrafted {
            kind: request.kind,
            publisher: changed.map_or(own.publisher.clone(), |changed| {
                changed.state.publisher.clone()
            }),
            content: Some(content),
            warning_id: request.warning_id.clone(),
            warning_version: changed.map_or(0, |changed| changed.state.version),
            template: written.as_ref().map_or_else(
                || request.template.clone(),
                |written| written.template.name.clone(),
            ),
            level: values.level,
            observed: written.map_or_else(|| request.observed.clone(), |written| written.observed),
        })
    }

    /// Returns what stands for a template's placeholders.
    fn values(&self, content: &Content, level: &str, observed: &str) -> Values {
        let codes = content.areas.iter().flat_map(|area| &area.region_codes);
        let names: Vec<String> = codes.map(|code| named(code)).collect();
        let read = |at: Option<Timestamp>| at.and_then(|at| Millis::try_from(&at).ok());
        let sent = read(content.sent_at).unwrap_or(Millis(0));
        Values {
            area: names.join(", "),
            time: read(content.effective_at).unwrap_or(sent),
            until: read(content.expires_at).unwrap_or(sent),
            level: level.to_owned(),
            source: longer(observed, &self.0.own_warnings.publisher),
        }
    }

    /// Returns how a template wrote the warning that is updated; none where it was written by hand, or the template is
    /// there no more.
    fn written(
        &self,
        changed: &Changed,
        request: &DraftWarningRequest,
        severity: Severity,
    ) -> Option<Written<'_>> {
        let drafted = &changed.draft.as_ref()?.drafted;
        let said = drafted.content.as_ref()?;
        let of = |severity: Severity| {
            let mut templates = self.0.own_warnings.templates.iter();
            templates.find(|one| one.name == drafted.template && one.severity == severity)
        };
        let values = self.values(said, &drafted.level, &drafted.observed);
        // A level that was given says how grave it was then.
        let level = if said.severity() == severity {
            longer(&request.level, &drafted.level)
        } else {
            request.level.clone()
        };
        Some(Written {
            template: of(severity)?,
            texts: template::fill(&of(said.severity())?.texts, said.severity(), &values).ok()?,
            level,
            observed: longer(&request.observed, &drafted.observed),
        })
    }

    fn template(&self, name: &str, severity: Severity) -> Result<Option<&Template>, Status> {
        if name.is_empty() {
            return Ok(None);
        }
        let has_name = |template: &&Template| template.name == name;
        let all: Vec<&Template> = self
            .0
            .own_warnings
            .templates
            .iter()
            .filter(has_name)
            .collect();
        if all.is_empty() {
            let mut names: Vec<&str> = (self.0.own_warnings.templates.iter())
                .map(|template| template.name.as_str())
                .collect();
            names.dedup();
            return Err(Status::not_found(format!(
                "template `{name}` is not known here; known are {}",
                names.join(", ")
            )));
        }
        if severity == Severity::Unspecified {
            return Err(Status::invalid_argument(format!(
                "template `{name}` has a text for each severity: name the severity"
            )));
        }
        let found = all
            .into_iter()
            .find(|template| template.severity == severity);
        let missing = || {
            let severity = severity.as_str_name();
            Status::not_found(format!("template `{name}` has no text for `{severity}`"))
        };
        found.map(Some).ok_or_else(missing)
    }

    /// Returns where it holds: the regions that are named, of a zone those of the own province.
    fn areas(
        &self,
        request: &DraftWarningRequest,
        given: &Content,
        base: &Content,
    ) -> Result<Vec<Area>, Status> {
        let mut codes: Vec<String> = Vec::new();
        for name in &request.regions {
            if let Some(zone) = zone::find(name) {
                let own = self.own();
                let inside = |code: &&&str| {
                    region::find(own.as_str()).is_none() || region::within(code, own.as_str())
                };
                let before = codes.len();
                codes.extend(
                    zone.regencies
                        .iter()
                        .filter(inside)
                        .map(ToString::to_string),
                );
                if codes.len() == before {
                    return Err(Status::invalid_argument(format!(
                        "zone `{name}` has no part in province `{own}`"
                    )));
                }
            } else {
                let region = region::parse(name);
                let region = region.map_err(|error| invalid("regions", &error))?;
                codes.push(region.code.to_owned());
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        codes.retain(|code| seen.insert(code.clone()));
        if codes.is_empty() && given.areas.is_empty() {
            return Ok(base.areas.clone());
        }
        let mut areas = given.areas.clone();
        if areas.is_empty() {
            areas.push(Area::default());
        }
        if let Some(area) = areas.first_mut() {
            area.region_codes.extend(codes);
            if area.description.is_empty() {
                let names = area.region_codes.iter().map(|code| named(code));
                area.description = names.collect::<Vec<String>>().join(", ");
            }
        }
        Ok(areas)
    }
}

/// Returns the first number that is not zero.
fn first<const N: usize>(numbers: [i32; N]) -> i32 {
    numbers
        .into_iter()
        .find(|number| *number != 0)
        .unwrap_or_default()
}

/// Returns the first text, or the other where it is empty.
fn longer(text: &str, other: &str) -> String {
    if text.is_empty() {
        other.to_owned()
    } else {
        text.to_owned()
    }
}

/// Returns the texts of a content, Bahasa Indonesia first.
fn texts_of(content: &Content) -> Vec<Text> {
    let own = Text {
        language: content.language.clone(),
        headline: content.headline.clone(),
        description: content.description.clone(),
        instruction: content.instruction.clone(),
        ..Text::default()
    };
    [own]
        .into_iter()
        .chain(content.texts.iter().cloned())
        .collect()
}

/// Returns texts in which what a template had written is written anew; what a person wrote stands.
fn anew(stands: Vec<Text>, written: &[Text], anew: &[Text]) -> Vec<Text> {
    let texts = stands.into_iter().map(|text| {
        let of = |texts: &[Text]| {
            let found = texts.iter().find(|one| one.language == text.language);
            found.cloned().unwrap_or_default()
        };
        let (written, anew) = (of(written), of(anew));
        let part = |stands: &String, written: &String, anew: String| {
            if stands == written {
                anew
            } else {
                stands.clone()
            }
        };
        Text {
            headline: part(&text.headline, &written.headline, anew.headline),
            description: part(&text.description, &written.description, anew.description),
            instruction: part(&text.instruction, &written.instruction, anew.instruction),
            ..text
        }
    });
    texts.collect()
}

/// Refuses a text that stands as it was and speaks of a time, where the times are others. What was written for the new
/// times, by hand or from a template, may say what it said before.
fn no_old_time(content: &Content, base: &Content, anew: &[Vec<Text>]) -> Result<(), Status> {
    let base = texts_of(base);
    for text in texts_of(content) {
        let of = |texts: &[Text]| {
            let found = texts.iter().find(|one| one.language == text.language);
            found.map(parts).unwrap_or_default()
        };
        for (place, (name, part)) in parts(&text).into_iter().enumerate() {
            let says = |texts: &[Text]| of(texts).get(place).is_some_and(|(_, said)| *said == part);
            let times = spoken(&part);
            if times.is_empty() || !says(&base) || anew.iter().any(|texts| says(texts)) {
                continue;
            }
            let place = if text.language == "id" { "" } else { "texts." };
            return Err(Status::invalid_argument(format!(
                "field `content.{place}{name}` is kept from the warning and says `{}`, while it is to hold at other \
                 times: give it anew, or name a template",
                times.join(", ")
            )));
        }
    }
    Ok(())
}

/// Returns the parts of a text, each with its name in the contract.
fn parts(text: &Text) -> [(&'static str, String); 3] {
    [
        ("headline", text.headline.clone()),
        ("description", text.description.clone()),
        ("instruction", text.instruction.clone()),
    ]
}

/// Returns the texts that a person gives.
fn texts_by_hand(given: &Content) -> Vec<Text> {
    texts_of(&Content {
        language: "id".into(),
        ..given.clone()
    })
}

/// Returns the texts by which a warning is taken back.
fn called_off(warning: &WarningState) -> Vec<Text> {
    let texts = texts_of(&warning.content).into_iter();
    let off = texts.map(|text| {
        let (headline, description) = if text.language == "id" {
            (
                "Dibatalkan",
                "Peringatan ini dibatalkan dan tidak berlaku lagi.",
            )
        } else {
            ("Cancelled", "This warning is cancelled and holds no more.")
        };
        Text {
            headline: format!("{headline}: {}", text.headline),
            description: description.into(),
            instruction: String::new(),
            language: text.language,
            ..Text::default()
        }
    });
    off.collect()
}

/// Writes the texts: by hand what was given, the rest as it stands. Where one language was written by hand and another
/// only would stand as before, the other is left out: two languages must not say two things.
fn write_texts(content: &mut Content, given: &Content, fallback: &[Text]) {
    let is_given = |text: &Text| {
        [&text.headline, &text.description, &text.instruction]
            .into_iter()
            .any(|part| !part.is_empty())
    };
    let hands = texts_by_hand(given);
    let rewritten = hands
        .iter()
        .any(|text| text.language == "id" && is_given(text));
    let mut languages: Vec<String> = fallback.iter().map(|text| text.language.clone()).collect();
    languages.extend(hands.iter().map(|text| text.language.clone()));
    let mut seen = std::collections::BTreeSet::new();
    languages.retain(|language| seen.insert(language.clone()));
    for language in languages {
        let of = |texts: &[Text]| texts.iter().find(|text| text.language == language).cloned();
        let hand = of(&hands).unwrap_or_default();
        let stands = of(fallback).unwrap_or_default();
        if language != "id" && rewritten && !is_given(&hand) {
            continue;
        }
        let headline = longer(&hand.headline, &stands.headline);
        let description = longer(&hand.description, &stands.description);
        let instruction = longer(&hand.instruction, &stands.instruction);
        if language == "id" {
            (content.headline, content.description, content.instruction) =
                (headline, description, instruction);
        } else {
            content.texts.push(Text {
                language,
                headline,
                description,
                instruction,
                ..Text::default()
            });
        }
    }
}

/// Returns whom a node's own warnings name, where its configuration says nothing.
pub(crate) fn own_warnings(config: &crate::config::Config) -> OwnWarnings {
    let own = &config.warning;
    let region = region::find(config.origin.as_str());
    let province = region.map_or(config.origin.as_str(), |region| region.name);
    OwnWarnings {
        sender: own
            .sender
            .clone()
            .unwrap_or_else(|| format!("posko-{}@{}", config.origin, config.federation_id)),
        publisher: (own.publisher.clone()).unwrap_or_else(|| format!("PMI {province}")),
        templates: template::with_own(own.templates.clone()),
    }
}

/// Says why a warning cannot be written as CAP.
pub(super) fn unwritable(error: &posko_formats::cap::WriteError) -> Status {
    refused(&Refusal {
        code: posko_domain::code::Code::Conflict,
        message: format!("the warning cannot be written as CAP: {error}"),
    })
}

#[cfg(test)]
pub(super) mod tests;
