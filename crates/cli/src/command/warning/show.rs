//! `posko warning show`: one warning with all that is held of it.

use posko_proto::{
    common::v1::Hazard,
    id::hex,
    warning::v1::{
        Area, Certainty, Content, DismissReason, GetWarningRequest, Resource, ResponseType, Review,
        Severity, State, Urgency, Warning,
    },
};
use serde_json::json;

use super::{Reference, marks, people, publisher, regencies, uncertain};
use crate::{
    client::{Client, Who},
    command::{named_code, owner},
    failure::Failure,
    json as view, label,
    output::{Answer, Context, fields, when},
};

/// Shows one warning.
pub(super) async fn show(context: &Context, reference: Reference) -> Result<Answer, Failure> {
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
    let texts = said.texts.iter();
    let texts: Vec<String> = texts
        .map(|text| {
            let text = [
                &text.language,
                &text.headline,
                &text.description,
                &text.instruction,
            ];
            let text: Vec<&str> = text.into_iter().map(String::as_str).collect();
            text.join(": ").trim_end_matches([' ', ':']).to_owned()
        })
        .collect();
    let references = warning.references_not_held.iter();
    let not_held: Vec<String> = references
        .map(|reference| named_code(&reference.identifier, &reference.sender))
        .collect();
    let report_notes = warning.notes.iter().map(|note| {
        let text = if note.withdrawn {
            context.say(label::WITHDRAWN)
        } else {
            note.text.as_str()
        };
        format!("{} {text}", when(note.written_at.as_ref()))
    });
    let read_notes = said.notes.iter().map(|note| {
        let about = format!("`{}`", note.path);
        note_text(context, &about, note.count.into(), &note.text)
    });
    let notes: Vec<String> = report_notes.chain(read_notes).collect();
    fields(
        context,
        [
            (
                label::WARNING,
                view::id(&warning.warning_id).unwrap_or_default(),
            ),
            (
                label::HEADLINE,
                format!("{}{}", marks(context, &said, warning.review), said.headline),
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
            (label::RESPONSE, responses(context, &said)),
            (label::SENT, when(said.sent_at.as_ref())),
            (label::EFFECTIVE, when(said.effective_at.as_ref())),
            (label::EXPIRES, when(warning.ends_at.as_ref())),
            (label::PUBLISHER, publisher(context, warning)),
            (label::CARRIED_BY, said.carried_by.clone()),
            (label::IDENTIFIER, warning.identifier.clone()),
            (label::AREA, areas.join("\n")),
            (label::REACH, regencies(context, warning, "\n")),
            (label::ZONES_REACHED, warning.zones.join(", ")),
            (label::PEOPLE, population_text(context, warning)),
            (label::AMBIGUOUS, uncertain(&said).join("\n")),
            (label::ARRIVAL, arrivals(&said)),
            (label::FELT, felt_text(&said)),
            (
                label::MAGNITUDE,
                quake
                    .as_ref()
                    .map(|quake| magnitude(context, quake.magnitude_hundredths))
                    .unwrap_or_default(),
            ),
            (
                label::DEPTH,
                quake
                    .map(|quake| format!("{} km", f64::from(quake.depth_m) / 1000.0))
                    .unwrap_or_default(),
            ),
            (label::DESCRIPTION, said.description.clone()),
            (label::INSTRUCTION, said.instruction.clone()),
            (label::LANGUAGES, texts.join("\n")),
            (label::EVENT_CODES, event_codes(&said)),
            (label::PARAMETERS, parameters(&said)),
            (label::RESOURCES, resources(context, &said)),
            (
                label::REPLACED_BY,
                named_code(
                    &warning.replaced_by,
                    &view::id(&warning.replaced_by_id).unwrap_or_default(),
                ),
            ),
            (label::CANCELLED_BY, cancelled_by(context, warning)),
            (label::NOT_HELD, not_held.join("\n")),
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
            (label::TAKEN_BY, warning.taken_by.join(", ")),
            (label::HEARD, when(provenance.heard_at.as_ref())),
            (label::VERSION, warning.version.to_string()),
        ],
    )
}

/// Returns what took a warning back: a message of its publisher and whose feed brought that, or an account.
fn cancelled_by(context: &Context, warning: &Warning) -> String {
    let account = view::id(&warning.cancelled_by_account);
    if warning.cancelled_by.is_empty() {
        let account = account.map(|id| format!("{} {id}", context.say(label::ACCOUNT)));
        return account.unwrap_or_default();
    }
    named_code(&warning.cancelled_by, &warning.cancelled_by_host)
}

/// Returns a note on how a document was read: what it is about, how many there are, and what there is to say.
pub(super) fn note_text(context: &Context, about: &str, count: u64, text: &str) -> String {
    let count = if count > 1 {
        format!(" ×{count}")
    } else {
        String::new()
    };
    format!("{about}{count}: {}", context.told(text))
}

fn population_text(context: &Context, warning: &Warning) -> String {
    let people = people(context, warning);
    if people.is_empty() {
        return people;
    }
    format!("{people} ({})", context.told(&warning.population_source))
}

/// Returns when what the warning is of is expected, area by area.
fn arrivals(said: &Content) -> String {
    let expected = said.areas.iter().filter(|area| area.arrival_at.is_some());
    let lines: Vec<String> = expected
        .map(|area| {
            let at = when(area.arrival_at.as_ref());
            let level = if area.level.is_empty() {
                String::new()
            } else {
                format!(" ({})", area.level)
            };
            format!("{at} {}{level}", area.description)
        })
        .collect();
    lines.join("\n")
}

fn felt_text(said: &Content) -> String {
    let places = said.felt_places.iter();
    let places: Vec<String> = places
        .map(|place| {
            let mmi = if place.mmi_from == place.mmi_to {
                place.mmi_from.to_string()
            } else {
                format!("{}-{}", place.mmi_from, place.mmi_to)
            };
            format!("{mmi} {}", named_code(&place.name, &place.region_code))
        })
        .collect();
    places.join(", ")
}

fn magnitude(context: &Context, hundredths: i32) -> String {
    let shown = format!("M {}", f64::from(hundredths) / 100.0);
    match context.lang {
        label::Lang::Id => shown.replace('.', ","),
        label::Lang::En => shown,
    }
}

pub(super) fn area_text(area: &Area) -> String {
    named_code(&area.description, &area.region_codes.join(", "))
}

fn responses(context: &Context, said: &Content) -> String {
    let kinds = said.response_types.iter();
    let kinds: Vec<String> = kinds
        .map(|kind| label::of::<ResponseType>(*kind, context.lang))
        .collect();
    kinds.join(", ")
}

fn event_codes(said: &Content) -> String {
    let codes = said.event_codes.iter();
    let codes: Vec<String> = codes
        .map(|code| format!("{}: {}", code.name, code.value))
        .collect();
    codes.join("\n")
}

fn parameters(said: &Content) -> String {
    let lines: Vec<String> = (said.parameters.iter())
        .map(|said| {
            let text = format!("{}: {}", said.name, said.value);
            named_code(&text, &said.languages.join(", "))
        })
        .collect();
    lines.join("\n")
}

fn resources(context: &Context, said: &Content) -> String {
    let line = |said: &Resource| {
        let size = said.size_bytes.map(|bytes| format!("{bytes} B"));
        let embedded = (!said.embedded_sha256.is_empty()).then(|| {
            format!(
                "{}, SHA-256 {}",
                context.say(label::EMBEDDED),
                hex(&said.embedded_sha256)
            )
        });
        let digest = Some(&said.digest).filter(|digest| !digest.is_empty());
        let parts = [
            Some(said.description.clone()),
            Some(said.mime_type.clone()),
            size,
            Some(said.uri.clone()),
            embedded,
            digest.map(|digest| format!("SHA-1 {digest}")),
        ];
        let parts = parts.into_iter().flatten().filter(|part| !part.is_empty());
        let text = parts.collect::<Vec<String>>().join(", ");
        named_code(&text, &said.languages.join(", "))
    };
    let lines: Vec<String> = said.resources.iter().map(line).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use posko_proto::warning::v1::{NamedCode, Note, Parameter};

    use super::*;
    use crate::{label::Lang, output::tests::context};

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
        assert!(text.contains("M 5,6") && text.contains("11 km"), "{text}");
    }

    #[test]
    fn a_signed_alert_says_in_both_languages_that_nobody_verified_it() {
        let note = Note {
            path: "alert/Signature".into(),
            count: 1,
            text: "signed with `rsa-sha256`, not verified".into(),
            ..Note::default()
        };
        let warning = Warning {
            content: Some(Content {
                notes: vec![note],
                ..Content::default()
            }),
            ..Warning::default()
        };
        let english = render(&context(Lang::En), &warning);
        assert!(
            english.contains("`alert/Signature`: signed with `rsa-sha256`, not verified"),
            "{english}"
        );
        let indonesian = render(&context(Lang::Id), &warning);
        assert!(
            indonesian.contains("bertanda tangan dengan `rsa-sha256`, belum diverifikasi"),
            "{indonesian}"
        );
    }

    #[test]
    fn what_a_publisher_says_in_its_own_codes_is_shown() {
        let content = Content {
            response_types: vec![ResponseType::Evacuate.into(), ResponseType::Monitor.into()],
            event_codes: vec![NamedCode {
                name: "SAME".into(),
                value: "FLW".into(),
            }],
            parameters: vec![Parameter {
                name: "TMA_cm".into(),
                value: "210".into(),
                languages: vec!["id".into()],
            }],
            resources: vec![Resource {
                description: "Suara".into(),
                mime_type: "audio/mpeg".into(),
                size_bytes: Some(5),
                embedded_sha256: vec![0xab; 2],
                ..Resource::default()
            }],
            ..Content::default()
        };
        let warning = Warning {
            content: Some(content),
            ..Warning::default()
        };
        let text = render(&context(Lang::Id), &warning);
        for said in [
            "mengungsi, pantau",
            "SAME: FLW",
            "TMA_cm: 210 (id)",
            "Suara, audio/mpeg, 5 B, disertakan, isinya tidak disimpan, SHA-256 abab",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
    }
}
