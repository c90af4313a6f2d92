//! What of a foreign text does not enter the log, which every province keeps: what may lead to a person, and characters
//! that nobody sees.
//!
//! A part that looks like a telephone number, a NIK or an address of mail gives way to `[…]`, and a note counts how many
//! did. What is left out is kept nowhere. What stays:
//!
//! - official short numbers and call centres of up to five digits (112, 115, 117, 119, 14045), and numbers such as 1500 899
//!   that are written like no subscriber's;
//! - the address of mail by which CAP names a sender, and the ids of alerts: without them nobody could tell which alert
//!   another one replaces;
//! - web addresses, of which a part would lead nowhere;
//! - names, which nobody can tell from other words.

use std::collections::BTreeMap;

use posko_domain::{
    privacy::{Personal, foreign_findings},
    text::plain,
};
use posko_proto::warning::v1::{Content, Note, NoteKind};

use crate::intake::wanted::Wanted;

/// What stands for a part that is left out.
const MARK: &str = "[…]";

/// What is said of what is left out.
pub(super) const LEFT_OUT: &str =
    "is left out: it looks like a telephone number, a NIK or an address of mail";

/// Cleans what a publisher says before anybody keeps it.
pub(super) fn clean(wanted: &mut Wanted) {
    for name in names(wanted) {
        *name = plain(name).replace(['\n', '\t'], " ");
    }
    let mut left_out: BTreeMap<&str, u32> = BTreeMap::new();
    let mut leave_out = |path, text: &mut String, stays: Option<Personal>| {
        let (cleaned, count) = without_personal(&plain(text), stays);
        *text = cleaned;
        *left_out.entry(path).or_default() += count;
    };
    // Who has no other name is credited by the address of mail that CAP knows it by.
    leave_out("publisher", &mut wanted.publisher, Some(Personal::Mail));
    for (path, text) in texts(&mut wanted.content) {
        leave_out(path, text, None);
    }
    let left_out = left_out.into_iter().filter(|(_, count)| *count > 0);
    let notes = left_out.map(|(path, count)| Note {
        kind: NoteKind::LeftOut.into(),
        path: path.into(),
        count,
        text: LEFT_OUT.into(),
    });
    wanted.content.notes.extend(notes);
}

/// Returns what is of one line: by what things are known and called.
fn names(wanted: &mut Wanted) -> Vec<&mut String> {
    let content = &mut wanted.content;
    let mut names = vec![
        &mut wanted.publisher,
        &mut wanted.identifier,
        &mut content.sender,
        &mut content.message_identifier,
        &mut content.language,
        &mut content.web,
    ];
    for one in &mut content.references {
        names.extend([&mut one.sender, &mut one.identifier]);
    }
    for text in &mut content.texts {
        names.extend([&mut text.language, &mut text.web]);
    }
    for code in &mut content.event_codes {
        names.extend([&mut code.name, &mut code.value]);
    }
    for one in &mut content.parameters {
        names.extend([&mut one.name, &mut one.value]);
    }
    for one in &mut content.resources {
        names.extend([&mut one.description, &mut one.mime_type]);
        names.extend([&mut one.uri, &mut one.digest]);
    }
    for area in &mut content.areas {
        names.push(&mut area.level);
        for code in &mut area.geocodes {
            names.extend([&mut code.name, &mut code.value]);
        }
        for place in &mut area.names {
            names.extend([&mut place.name, &mut place.within]);
        }
    }
    names.extend(content.felt_places.iter_mut().map(|place| &mut place.name));
    names
}

/// Returns what is said in words, each with the field that it stands in, whatever its language.
fn texts(content: &mut Content) -> Vec<(&'static str, &mut String)> {
    let mut texts = vec![
        ("event", &mut content.event),
        ("headline", &mut content.headline),
        ("description", &mut content.description),
        ("instruction", &mut content.instruction),
    ];
    for text in &mut content.texts {
        texts.extend([
            ("event", &mut text.event),
            ("headline", &mut text.headline),
            ("description", &mut text.description),
            ("instruction", &mut text.instruction),
        ]);
    }
    let areas = content.areas.iter_mut();
    texts.extend(areas.map(|area| ("area", &mut area.description)));
    if let Some(earthquake) = &mut content.earthquake {
        texts.push(("potential", &mut earthquake.potential));
        texts.push(("felt", &mut earthquake.felt));
    }
    texts
}

/// Returns a text without what may lead to a person, and how many parts gave way.
fn without_personal(text: &str, stays: Option<Personal>) -> (String, u32) {
    let mut cleaned = String::with_capacity(text.len());
    let (mut rest, mut at, mut count) = (text.chars(), 1, 0);
    let found = foreign_findings(text).into_iter();
    for part in found.filter(|part| Some(part.kind) != stays) {
        cleaned.extend(rest.by_ref().take(part.at - at));
        cleaned.push_str(MARK);
        at = part.at + part.length;
        count += 1;
        rest.by_ref().take(part.length).for_each(drop);
    }
    cleaned.extend(rest);
    (cleaned, count)
}

#[cfg(test)]
mod tests {
    use posko_proto::warning::v1::{Area, Reference, Source, Text};

    use super::*;
    use crate::intake::wanted::Effect;

    fn cleaned(content: Content) -> Wanted {
        let (publisher, identifier) = ("Stasiun \u{202e}Contoh", "a\u{200b}-1\n".to_owned());
        let mut wanted = Wanted::of(Source::Cap, publisher, identifier, content, Effect::Warn);
        clean(&mut wanted);
        wanted
    }

    #[test]
    fn what_may_lead_to_a_person_gives_way_to_a_mark_and_a_note_counts_it() {
        // All invented.
        let wanted = cleaned(Content {
            headline: "Banjir, hubungi (021) 5550100 atau 112".into(),
            description: "Petugas: budi(at)contoh.example, 08\u{200b}12-0000-0001".into(),
            instruction: "NIK ３２０３０１４１０７９００００１ dicatat; telepon 119".into(),
            sender: "cuaca@contoh.example".into(),
            texts: vec![Text {
                language: "en".into(),
                description: "Call +62 812 0000 0001, then 117.".into(),
                ..Text::default()
            }],
            ..Content::default()
        });
        let content = &wanted.content;
        assert_eq!(content.headline, "Banjir, hubungi […] atau 112");
        assert_eq!(content.description, "Petugas: […], […]");
        assert_eq!(content.instruction, "NIK […] dicatat; telepon 119");
        assert_eq!(content.texts[0].description, "Call […], then 117.");
        assert_eq!(content.sender, "cuaca@contoh.example");
        let notes = content.notes.iter();
        let notes: Vec<(&str, u32)> = notes.map(|note| (note.path.as_str(), note.count)).collect();
        assert_eq!(
            notes,
            [("description", 3), ("headline", 1), ("instruction", 1)]
        );
        assert!(content.notes.iter().all(|note| note.text == LEFT_OUT));
    }

    #[test]
    fn what_nobody_sees_is_left_out_and_line_ends_of_texts_stay() {
        let wanted = cleaned(Content {
            headline: "Awas\u{202e} \u{2066}banjir\u{7}".into(),
            description: "Baris 1\nBaris\u{feff} 2".into(),
            references: vec![Reference {
                sender: "b\u{200d}mkg".into(),
                ..Reference::default()
            }],
            areas: vec![Area {
                description: "Kota\u{200f} Bekasi".into(),
                ..Area::default()
            }],
            ..Content::default()
        });
        let content = &wanted.content;
        assert_eq!(
            (wanted.publisher.as_str(), wanted.identifier.as_str()),
            ("Stasiun Contoh", "a-1 ")
        );
        assert_eq!(content.headline, "Awas banjir");
        assert_eq!(content.description, "Baris 1\nBaris 2");
        assert_eq!(content.references[0].sender, "bmkg");
        assert_eq!(content.areas[0].description, "Kota Bekasi");
        assert_eq!(content.notes, []);
    }
}
