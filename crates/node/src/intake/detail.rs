//! What an alert says beside its texts and areas: response types, codes for the event, parameters and resources.
//!
//! They are the free words of a foreign publisher: what may lead to a person is left out, and what goes beyond a bound is
//! not kept; each is counted and said. What it never does: fetch a resource, or keep what an alert carries of one.

use posko_domain::{
    privacy::leads_to_person,
    warning::{
        PARAMETER_NAME, PARAMETER_VALUE, PARAMETERS, RESOURCE_TEXT, RESOURCE_URI, RESOURCES,
    },
};
use posko_formats::cap::{self, Info, NamedValue};
use posko_proto::warning::v1::{
    Content, NamedCode, Note, NoteKind, Parameter, Resource, ResponseType,
};

use crate::intake::{alert::language_of, clean::LEFT_OUT, wanted::shortened};

const EVENT_CODE: &str = "alert/info/eventCode";
const PARAMETER: &str = "alert/info/parameter";
const RESOURCE: &str = "alert/info/resource";

/// Words of which one in a parameter's name says that its value is a person, or leads to one.
const PERSONAL_NAMES: &[&str] = &[
    "contact",
    "kontak",
    "phone",
    "telepon",
    "telp",
    "mail",
    "surel",
    "whatsapp",
    "petugas",
    "officer",
    "forecaster",
    "prakirawan",
];

/// Writes what an alert's parts say into a content, with notes on what of it is not kept.
pub(super) fn write_details(content: &mut Content, infos: &[&Info]) {
    let mut reader = Reader::default();
    let types = infos.iter().flat_map(|info| &info.response_types);
    for kind in types.map(|kind| i32::from(response_type(*kind))) {
        if !content.response_types.contains(&kind) {
            content.response_types.push(kind);
        }
    }
    let codes = reader.each_once(EVENT_CODE, PARAMETERS, infos, |reader, info| {
        reader.named(EVENT_CODE, &info.event_codes)
    });
    let code = |((name, value), _)| NamedCode { name, value };
    content.event_codes = codes.into_iter().map(code).collect();
    let parameters = reader.each_once(PARAMETER, PARAMETERS, infos, |reader, info| {
        reader.named(PARAMETER, &info.parameters)
    });
    let parameter = |((name, value), languages)| Parameter {
        name,
        value,
        languages,
    };
    content.parameters = parameters.into_iter().map(parameter).collect();
    let resources = reader.each_once(RESOURCE, RESOURCES, infos, |reader, info| {
        let resources = info.resources.iter();
        resources
            .map(|resource| reader.resource(resource))
            .collect()
    });
    let resource = |(resource, languages)| Resource {
        languages,
        ..resource
    };
    content.resources = resources.into_iter().map(resource).collect();
    content.notes.extend(reader.notes);
}

/// Gathers the notes on what is not kept; alike ones are one, with how many there are.
#[derive(Default)]
struct Reader {
    notes: Vec<Note>,
}

impl Reader {
    /// Returns what the parts say, each once and up to a limit, with the languages whose parts say it: none when all do.
    fn each_once<T: PartialEq>(
        &mut self,
        path: &str,
        limit: usize,
        infos: &[&Info],
        mut said: impl FnMut(&mut Self, &Info) -> Vec<T>,
    ) -> Vec<(T, Vec<String>)> {
        let mut kept: Vec<(T, Vec<String>)> = Vec::new();
        let mut languages: Vec<String> = Vec::new();
        for info in infos {
            let language = language_of(info);
            if !languages.contains(&language) {
                languages.push(language.clone());
            }
            for value in said(self, info) {
                let is_full = kept.len() >= limit;
                match kept.iter_mut().find(|(known, _)| *known == value) {
                    Some((_, by)) if by.contains(&language) => {}
                    Some((_, by)) => by.push(language.clone()),
                    None if !is_full => kept.push((value, vec![language.clone()])),
                    None => {
                        let text = format!("goes beyond `{limit}`, and is not kept");
                        self.note(NoteKind::NotKept, path, text);
                    }
                }
            }
        }
        for (_, by) in &mut kept {
            if by.len() == languages.len() {
                by.clear();
            }
        }
        kept
    }

    fn named(&mut self, path: &str, values: &[NamedValue]) -> Vec<(String, String)> {
        let values = values.iter().filter_map(|said| {
            let name = said.name.to_lowercase();
            if PERSONAL_NAMES.iter().any(|word| name.contains(word)) && !said.value.is_empty() {
                let text = "is left out: by its name the value may be a person";
                self.note(NoteKind::LeftOut, path, text.to_owned());
                return None;
            }
            let name = self.text(path, &said.name, PARAMETER_NAME)?;
            Some((name, self.text(path, &said.value, PARAMETER_VALUE)?))
        });
        values.collect()
    }

    fn resource(&mut self, said: &cap::Resource) -> Resource {
        let mut part = |name: &str, text: Option<&str>, limit| {
            let path = format!("{RESOURCE}/{name}");
            self.text(&path, text.unwrap_or_default(), limit)
                .unwrap_or_default()
        };
        let embedded = said.embedded.as_ref();
        Resource {
            description: part("resourceDesc", Some(&said.description), RESOURCE_TEXT),
            mime_type: part("mimeType", said.mime_type.as_deref(), RESOURCE_TEXT),
            size_bytes: embedded.map(|embedded| embedded.bytes).or(said.size),
            uri: part("uri", said.uri.as_deref(), RESOURCE_URI),
            digest: part("digest", said.digest.as_deref(), RESOURCE_TEXT),
            embedded_sha256: embedded
                .map(|embedded| embedded.sha256.to_vec())
                .unwrap_or_default(),
            languages: Vec::new(),
        }
    }

    /// Returns a text as far as it is kept, or nothing when it may lead to a person.
    fn text(&mut self, path: &str, text: &str, limit: usize) -> Option<String> {
        if leads_to_person(text) {
            self.note(NoteKind::LeftOut, path, LEFT_OUT.to_owned());
            return None;
        }
        let kept = shortened(text, limit);
        if kept.len() < text.len() {
            let why = format!("is longer than `{limit}` characters, and the rest is not kept");
            self.note(NoteKind::NotKept, path, why);
        }
        Some(kept)
    }

    fn note(&mut self, kind: NoteKind, path: &str, text: String) {
        let kind = i32::from(kind);
        let known = (self.notes.iter_mut())
            .find(|note| note.kind == kind && note.path == path && note.text == text);
        match known {
            Some(note) => note.count = note.count.saturating_add(1),
            None => self.notes.push(Note {
                kind,
                path: path.to_owned(),
                count: 1,
                text,
            }),
        }
    }
}

fn response_type(kind: cap::ResponseType) -> ResponseType {
    match kind {
        cap::ResponseType::Shelter => ResponseType::Shelter,
        cap::ResponseType::Evacuate => ResponseType::Evacuate,
        cap::ResponseType::Prepare => ResponseType::Prepare,
        cap::ResponseType::Execute => ResponseType::Execute,
        cap::ResponseType::Avoid => ResponseType::Avoid,
        cap::ResponseType::Monitor => ResponseType::Monitor,
        cap::ResponseType::Assess => ResponseType::Assess,
        cap::ResponseType::AllClear => ResponseType::AllClear,
        cap::ResponseType::None => ResponseType::None,
    }
}
