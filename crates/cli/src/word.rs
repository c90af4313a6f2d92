//! A value of the contract as people type it: by its name, or by the word that the screen shows for it.
//!
//! What it never does: guess between two values that fit.

use crate::{
    label::{Labelled, Lang},
    name,
};

/// Reads a value by its name `flash_flood`, by its word on a screen `banjir bandang`, or by words that stand in one word on
/// an Indonesian screen alone, `longsor`. Capitals do not matter, and blanks, hyphens and underscores are alike.
///
/// The error names the value and everything that may stand there, with what was probably meant first.
pub(crate) fn parse<T: Labelled>(text: &str) -> Result<T, String> {
    if let Some(value) = name::parse(text) {
        return Ok(value);
    }
    let typed = words(text);
    let shown = |value: T, lang| words(value.label().text(lang));
    let is_shown = |value: &T| {
        [Lang::Id, Lang::En]
            .map(|lang| shown(*value, lang))
            .contains(&typed)
    };
    let mut fitting: Vec<T> = T::all().filter(is_shown).collect();
    if fitting.is_empty() {
        fitting = T::all()
            .filter(|value| is_part(&typed, &shown(*value, Lang::Id)))
            .collect();
    }
    match fitting.as_slice() {
        [value] => Ok(*value),
        [] => Err(unknown::<T>(text)),
        several => {
            let several: Vec<String> = several.iter().map(|value| both(*value)).collect();
            let (kind, several) = (T::KIND, several.join(", "));
            Err(format!(
                "`{text}` may be more than one {kind}: expected one of {several}"
            ))
        }
    }
}

/// Returns every value that may stand there, in the order of the contract, by its name and its Indonesian word.
pub(crate) fn all<T: Labelled>() -> String {
    T::all().map(both).collect::<Vec<String>>().join(", ")
}

fn both<T: Labelled>(value: T) -> String {
    let (name, word) = (value.name(), value.label().text(Lang::Id));
    if words(&name) == words(word) {
        name
    } else {
        format!("{name} ({word})")
    }
}

fn unknown<T: Labelled>(text: &str) -> String {
    let (kind, all) = (T::KIND, all::<T>());
    let typed: String = text.chars().take(64).collect::<String>().to_lowercase();
    let farness = |value: &T| {
        let forms = [value.name(), value.label().text(Lang::Id).to_lowercase()];
        let ways = forms.map(|form| strsim::damerau_levenshtein(&form, &typed));
        ways.into_iter().min().unwrap_or(usize::MAX)
    };
    let near = T::all().min_by_key(farness);
    match near.filter(|value| farness(value) <= NEAR && typed.chars().count() > NEAR) {
        Some(near) => {
            let near = both(near);
            format!("`{text}` is no {kind}: did you mean {near}? expected one of {all}")
        }
        None => format!("`{text}` is no {kind}: expected one of {all}"),
    }
}

/// Up to how many typing errors a word is taken for another.
const NEAR: usize = 2;

/// Says whether all words that were typed stand in a label; a few letters say nothing, and `tidak` turns a word around.
fn is_part(typed: &[String], label: &[String]) -> bool {
    let turned = |word: &String| ["tidak", "belum", "bukan"].contains(&word.as_str());
    let says = !typed.is_empty() && typed.iter().all(|word| word.len() > 2);
    says && typed.iter().all(|word| label.contains(word))
        && label
            .iter()
            .filter(|word| turned(word))
            .all(|word| typed.contains(word))
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric() && !"+>".contains(c));
    let parts = parts.filter(|part| !part.is_empty());
    parts.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use posko_proto::{
        common::v1::Hazard,
        incident::v1::{EmergencyStatus, Measure, Post, RejectReason, Scale, Severity},
        site::v1::{Kind, NeedKind},
        warning::v1::Channel,
    };

    use super::*;

    #[test]
    fn a_value_is_typed_by_the_word_on_the_screen_or_by_its_name() {
        for text in [
            "flash_flood",
            "Banjir Bandang",
            "banjir-bandang",
            "BANJIR_BANDANG",
            "flash flood",
        ] {
            assert_eq!(parse(text), Ok(Hazard::FlashFlood), "{text}");
        }
        assert_eq!(parse("banjir"), Ok(Hazard::Flood));
        assert_eq!(parse("longsor"), Ok(Hazard::Landslide));
        assert_eq!(parse("berat"), Ok(Severity::Severe));
        assert_eq!(parse("telepon"), Ok(Channel::Telephone));
        assert_eq!(parse("besar"), Ok(Scale::Large));
        assert_eq!(parse("komandan"), Ok(Post::Commander));
        assert_eq!(parse("tanggap"), Ok(EmergencyStatus::Response));
        assert_eq!(parse("pengungsian"), Ok(Kind::Evacuation));
        assert_eq!(parse("obat-obatan"), Ok(NeedKind::Medicines));
    }

    #[test]
    fn a_word_that_fits_several_values_is_refused_with_all_of_them() {
        assert_eq!(
            parse::<Measure>("mengungsi").unwrap_err(),
            "`mengungsi` may be more than one measure: expected one of displaced (mengungsi (jiwa)), \
             displaced_households (mengungsi (KK))"
        );
        assert_eq!(parse("mengungsi-kk"), Ok(Measure::DisplacedHouseholds));
        assert!(parse::<RejectReason>("terkonfirmasi").is_err());
        for text in ["", " ", "a", "-", "dan"] {
            assert!(parse::<Scale>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_that_is_not_known_is_refused_with_what_was_meant_and_both_words() {
        assert_eq!(
            parse::<Severity>("brat").unwrap_err(),
            "`brat` is no severity: did you mean severe (berat)? expected one of minor (ringan), moderate (sedang), \
             severe (berat), extreme (ekstrem)"
        );
        assert_eq!(
            parse::<Scale>("huge").unwrap_err(),
            "`huge` is no scale: expected one of small (kecil), medium (sedang), large (besar)"
        );
        assert!(parse::<Scale>("unspecified").is_err());
    }
}
