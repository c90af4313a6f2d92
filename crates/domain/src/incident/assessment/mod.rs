//! Rapid assessments (asesmen cepat): what a form's questions were answered with, checked at the door.
//!
//! What it never does: keep the name of who assessed, signed or answered, or keep answers in the incident's state: they
//! are read from the log, as notes are.

pub mod form;

mod derived;
mod figure;

use posko_proto::{
    Id,
    incident::v1::{
        AgeBand, Answer, AnswerInWords, AssessmentForm, AssessmentKind, Counted, CountedAge,
        IncidentAssessed, People, Sex, SubmitAssessmentRequest, answer::Value,
    },
    time::Millis,
};
use serde::{Deserialize, Serialize};

use self::form::{Form, Kind, Question};
pub use self::{derived::derived, figure::figures};
use crate::{
    context::stream_of,
    incident::{
        IncidentCommand, IncidentRejection, IncidentState,
        command::{LARGEST_COUNT, given, known, note},
        rule,
    },
    people::largest_part,
    region::{self, Place},
    wire,
};

/// The most assessments of one incident.
pub const MOST_ASSESSMENTS: usize = 500;
/// The most characters of all answers in words of one assessment.
pub const WORDS_CHARACTERS: usize = 100_000;

/// The code of the question of PMI's form that says whether an assessment is the first at its place.
const PMI_KIND: &str = "PMI-1";

/// An assessment that was handed in, without its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// Its id.
    pub id: Id,
    /// The form that it answers.
    #[serde(with = "wire::number")]
    pub form: AssessmentForm,
    /// The version of the form's table.
    pub form_version: u32,
    /// Whether it is the first at its place.
    #[serde(with = "wire::number")]
    pub kind: AssessmentKind,
    /// What was assessed.
    pub place: Place,
    /// When it was assessed.
    pub assessed_at: Millis,
    /// When it was handed in.
    pub submitted_at: Millis,
    /// Which version of the same assessment it is, from 1.
    pub version: u32,
    /// The version before.
    pub supersedes: Option<Id>,
    /// How many questions it answers with data.
    pub answers: u32,
}

/// Returns the version after that one.
pub fn superseded_by(assessments: &[Assessment], id: Id) -> Option<Id> {
    let newer = assessments.iter().find(|held| held.supersedes == Some(id));
    newer.map(|newer| newer.id)
}

/// Says whether the assessment is of the incident's whole place, and not of a part of it.
pub fn is_whole(assessment: &Assessment, incident: &IncidentState) -> bool {
    region::within(&incident.place.region_code, &assessment.place.region_code)
}

/// Hands an assessment in; a newer version supersedes the newest of the same assessment.
pub(super) fn submit(
    assessments: &mut Vec<Assessment>,
    said: &IncidentAssessed,
    province: &str,
    at: Millis,
) -> Result<(), IncidentRejection> {
    let id = rule::id("assessment.assessment_id", &said.assessment_id)?;
    let assessed_at = rule::time("assessment.assessed_at", said.assessed_at.as_ref())?;
    rule::not_before("the submission", at, "the assessment", assessed_at)?;
    let place = said.place.clone().unwrap_or_default();
    if !region::within(&place.region_code, province) {
        return Err(IncidentRejection::invalid(
            "assessment.place",
            &place.region_code,
            "a place within the incident's province",
        ));
    }
    if assessments.iter().any(|held| held.id == id) {
        return Err(IncidentRejection::Holds {
            what: "assessment",
            name: id.to_string(),
        });
    }
    let supersedes = rule::optional_id("assessment.supersedes", &said.supersedes)?;
    let mut version = 1;
    if let Some(older) = supersedes {
        let held = assessments.iter().find(|held| held.id == older);
        let held = held.ok_or_else(|| IncidentRejection::NotThere {
            what: "assessment",
            name: older.to_string(),
        })?;
        if let Some(newer) = superseded_by(assessments, older) {
            return Err(IncidentRejection::Holds {
                what: "newer version of the assessment",
                name: newer.to_string(),
            });
        }
        if held.form != said.form() {
            return Err(IncidentRejection::invalid(
                "assessment.supersedes",
                older,
                "a newer version answers the same form",
            ));
        }
        version = held.version + 1;
    }
    rule::room("assessments", assessments.len(), MOST_ASSESSMENTS)?;
    assessments.push(Assessment {
        id,
        form: said.form(),
        form_version: said.form_version,
        kind: said.kind(),
        place: Place {
            point: place.point.map(Into::into),
            region_code: place.region_code,
            code_set: place.code_set,
        },
        assessed_at,
        submitted_at: at,
        version,
        supersedes,
        answers: said.answers.len() as u32,
    });
    Ok(())
}

impl TryFrom<&SubmitAssessmentRequest> for IncidentCommand {
    type Error = IncidentRejection;

    fn try_from(request: &SubmitAssessmentRequest) -> Result<Self, IncidentRejection> {
        let Some(said) = &request.assessment else {
            return Err(IncidentRejection::invalid(
                "assessment",
                "",
                "it must be given",
            ));
        };
        let of: AssessmentForm = given("assessment.form", said.form)?;
        let form = match said.form_version {
            0 => form::newest(of),
            version => form::find(of, version),
        };
        let form = form.ok_or_else(|| {
            let expected = "a version of the form that is known here";
            IncidentRejection::invalid("assessment.form_version", said.form_version, expected)
        })?;
        check(form, said, &request.words)?;
        let kind = kind(said)?;
        if !said.supersedes.is_empty() {
            rule::id("assessment.supersedes", &said.supersedes)?;
        }
        rule::optional_time("assessment.assessed_at", said.assessed_at.as_ref())?;
        let place = said.place.as_ref().map(Place::parse).transpose()?;
        let command = request.meta.as_ref().map(|meta| meta.command_id.as_slice());
        let command: Id = rule::id("meta.command_id", command.unwrap_or_default())?;
        Ok(Self::Assess {
            assessed: IncidentAssessed {
                assessment_id: stream_of(command).to_vec(),
                form_version: form.version,
                kind: kind.into(),
                place: place.map(Into::into),
                ..said.clone()
            },
            words: request.words.clone(),
        })
    }
}

/// PMI's form asks itself whether an assessment is the first: what it answers there is what holds.
fn kind(said: &IncidentAssessed) -> Result<AssessmentKind, IncidentRejection> {
    let given_kind: AssessmentKind = known("assessment.kind", said.kind)?;
    let answer = said.answers.iter().find(|held| held.question == PMI_KIND);
    let answered = match answer.and_then(|held| held.value.as_ref()) {
        Some(Value::Option(1)) => Some(AssessmentKind::Initial),
        Some(Value::Option(_)) => Some(AssessmentKind::Continued),
        _ => None,
    };
    match (given_kind, answered) {
        (AssessmentKind::Unspecified, Some(answered)) => Ok(answered),
        (AssessmentKind::Unspecified, None) => given("assessment.kind", 0),
        (kind, Some(answered)) if kind != answered => Err(IncidentRejection::invalid(
            PMI_KIND,
            answered.as_str_name(),
            "the same as the kind of the assessment",
        )),
        (kind, _) => Ok(kind),
    }
}

/// Checks every answer against its question: what does not fit is refused with the question's code.
fn check(
    form: &'static Form,
    said: &IncidentAssessed,
    words: &[AnswerInWords],
) -> Result<(), IncidentRejection> {
    let mut seen: Vec<&str> = Vec::new();
    let mut asked = |code: &str| {
        let question = form.question(code).ok_or_else(|| {
            IncidentRejection::invalid(
                "assessment.answers.question",
                code,
                "the code of a question of the form",
            )
        })?;
        if seen.contains(&question.code.as_str()) {
            return Err(refused(
                question,
                "given twice",
                "a question is answered once",
            ));
        }
        seen.push(&question.code);
        Ok(question)
    };
    for answer in &said.answers {
        fits(asked(&answer.question)?, answer)?;
    }
    let mut characters = 0;
    for answer in words {
        let question = asked(&answer.question)?;
        match question.kind {
            Kind::Words => {}
            // What names somebody is not repeated.
            Kind::Person => {
                return Err(refused(
                    question,
                    "…",
                    "no answer: it names a person, who never stands in a log",
                ));
            }
            kind => return Err(refused(question, "words", expected(kind))),
        }
        note(&question.code, &answer.text)?;
        characters += answer.text.chars().count();
    }
    if characters > WORDS_CHARACTERS {
        return Err(IncidentRejection::invalid(
            "words",
            format!("{characters} characters"),
            "at most 100,000 characters in all",
        ));
    }
    for code in &said.left_out {
        let question = asked(code)?;
        if question.kind != Kind::Person {
            return Err(refused(
                question,
                "left out",
                "only what names a person is left out",
            ));
        }
    }
    if said.answers.is_empty() && words.is_empty() {
        return Err(IncidentRejection::invalid(
            "assessment.answers",
            "",
            "at least one question is answered",
        ));
    }
    Ok(())
}

fn refused(question: &'static Question, value: &str, expected: &'static str) -> IncidentRejection {
    IncidentRejection::invalid(&question.code, value, expected)
}

/// Returns what a question of that kind is answered with.
fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "a whole number in the question's unit, at most 1,000,000,000",
        Kind::Yes => "yes or no",
        Kind::One => "one of the question's options",
        Kind::Many => "at least one of the question's options, each once",
        Kind::People => "counts of people by sex and age",
        Kind::Time => "a time",
        Kind::Words => "an answer in words",
        Kind::Person => "no answer: it names a person, who never stands in a log",
    }
}

fn fits(question: &'static Question, answer: &Answer) -> Result<(), IncidentRejection> {
    let is_option = |number: u32| question.choice(number).is_some();
    let (shown, does) = match (&answer.value, question.kind) {
        (Some(Value::Number(number)), kind) => (
            number.to_string(),
            kind == Kind::Number && *number <= LARGEST_COUNT,
        ),
        (Some(Value::Yes(yes)), kind) => (yes.to_string(), kind == Kind::Yes),
        (Some(Value::Option(number)), kind) => {
            (number.to_string(), kind == Kind::One && is_option(*number))
        }
        (Some(Value::Chosen(chosen)), kind) => {
            let options = &chosen.options;
            let once = |number: &u32| options.iter().filter(|other| *other == number).count() == 1;
            let all = options
                .iter()
                .all(|number| is_option(*number) && once(number));
            (
                format!("{options:?}"),
                kind == Kind::Many && !options.is_empty() && all,
            )
        }
        (Some(Value::People(people)), Kind::People) => return counts(question, people),
        (Some(Value::People(_)), _) => ("people".into(), false),
        (Some(Value::Time(at)), kind) => (
            format!("{} s", at.seconds),
            kind == Kind::Time && Millis::try_from(at).is_ok(),
        ),
        (None, _) => (String::new(), false),
    };
    if does {
        return Ok(());
    }
    // What was given for a name is not repeated.
    let value = if question.kind == Kind::Person {
        "…"
    } else {
        shown.as_str()
    };
    Err(refused(question, value, expected(question.kind)))
}

/// Each sex and age stands once, ages do not overlap, and no part is more than its whole.
fn counts(question: &'static Question, people: &People) -> Result<(), IncidentRejection> {
    let mut counts: Vec<(Sex, CountedAge, u64)> = Vec::new();
    for Counted { sex, age, count } in &people.counts {
        let (sex, age): (Sex, CountedAge) =
            (known(&question.code, *sex)?, known(&question.code, *age)?);
        if *count > LARGEST_COUNT {
            let value = count.to_string();
            return Err(refused(question, &value, expected(Kind::Number)));
        }
        let clash = |(other_sex, other, _): &&(Sex, CountedAge, u64)| {
            let overlap = match (derived::band(age), derived::band(*other)) {
                (Some((from, until, _)), Some((begin, end, _))) => from < end && begin < until,
                _ => age == *other,
            };
            *other_sex == sex && overlap
        };
        if let Some((_, other, _)) = counts.iter().find(clash) {
            let value = format!("{} {}", age.as_str_name(), other.as_str_name());
            let expected = "ages that do not overlap, each sex and age once";
            return Err(refused(question, &value, expected));
        }
        counts.push((sex, age, *count));
    }
    if counts.is_empty() {
        return Err(refused(question, "", expected(Kind::People)));
    }
    let whole_of = |sex: Sex| {
        let whole =
            |held: &&(Sex, CountedAge, u64)| (held.0, held.1) == (sex, CountedAge::Unspecified);
        counts.iter().find(whole).map(|(.., count)| *count)
    };
    let of_a_band = |age: CountedAge| match age {
        CountedAge::Unspecified => AgeBand::Unspecified,
        _ => AgeBand::Unknown,
    };
    for sex in [Sex::Unspecified, Sex::Male, Sex::Female, Sex::Other] {
        let Some(whole) = whole_of(sex) else { continue };
        // Of one sex its ages are the parts; of everybody all are.
        let parts = counts
            .iter()
            .filter(|(other, ..)| sex == Sex::Unspecified || *other == sex)
            .map(|(other, age, count)| {
                let other = if sex == Sex::Unspecified {
                    *other
                } else {
                    Sex::Unspecified
                };
                (other, of_a_band(*age), *count)
            });
        if largest_part(parts) > whole {
            let value = whole.to_string();
            return Err(refused(question, &value, "no part is more than the whole"));
        }
    }
    Ok(())
}
