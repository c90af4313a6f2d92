//! Times that a text speaks of: clock times, dates, spans and words such as *besok*, in Bahasa Indonesia and English.
//!
//! What it never does: say which time is meant. It finds rather too many than too few, for a person to look at.

use crate::warning::template::{MONTHS_EN, MONTHS_ID};

/// Words that say a time of themselves.
const MOMENTS: [&str; 24] = [
    "besok",
    "lusa",
    "pagi",
    "siang",
    "sore",
    "petang",
    "malam",
    "subuh",
    "senin",
    "selasa",
    "rabu",
    "kamis",
    "jumat",
    "sabtu",
    "minggu",
    "today",
    "tomorrow",
    "tonight",
    "morning",
    "noon",
    "afternoon",
    "evening",
    "night",
    "midnight",
];

/// Words that make a time of the number after them.
const BEFORE: [&str; 2] = ["pukul", "jam"];

/// Words that make a time of the number before them.
const BEHIND: [&str; 14] = [
    "wib", "wita", "wit", "am", "pm", "jam", "menit", "hari", "hour", "hours", "minute", "minutes",
    "day", "days",
];

/// Returns the parts of a text that speak of a time.
pub fn spoken(text: &str) -> Vec<&str> {
    let words = words(text);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((from, word)) = words.get(at).copied() {
        let next = words.get(at + 1).copied();
        let pair = next.filter(|(_, next)| is_pair(word, next));
        if let Some((next_from, next)) = pair {
            found.extend(text.get(from..next_from + next.len()));
            at += 2;
        } else {
            if is_moment(word) {
                found.push(word);
            }
            at += 1;
        }
    }
    found
}

/// Returns the words and numbers of a text, each with where it begins; marks within a number belong to it.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut begun = None;
    let mut before = ' ';
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        let is_within = ".:/-".contains(c)
            && before.is_ascii_digit()
            && next.is_some_and(|next| next.is_ascii_digit());
        match begun {
            None if c.is_alphanumeric() => begun = Some(at),
            Some(from) if !c.is_alphanumeric() && !is_within => {
                words.extend(text.get(from..at).map(|word| (from, word)));
                begun = None;
            }
            None | Some(_) => {}
        }
        before = c;
    }
    words.extend(begun.and_then(|from| Some((from, text.get(from..)?))));
    words
}

fn is_pair(word: &str, next: &str) -> bool {
    let known = |list: &[&str], word: &str| list.contains(&word.to_lowercase().as_str());
    let number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    (number(next) && (known(&BEFORE, word) || is_month(word)))
        || (number(word) && (known(&BEHIND, next) || is_month(next)))
}

/// Says whether the word is a month, whole or by at least three of its letters.
fn is_month(word: &str) -> bool {
    let word = word.to_lowercase();
    let begins = |month: &&str| month.to_lowercase().starts_with(&word);
    word.len() >= 3 && MONTHS_ID.iter().chain(&MONTHS_EN).any(begins)
}

fn is_moment(word: &str) -> bool {
    let numbers = |mark: char| -> Option<Vec<u32>> {
        word.split(mark).map(|part| part.parse().ok()).collect()
    };
    let clock = |mark| {
        let minutes = word.rsplit(mark).next().map_or(0, str::len);
        minutes == 2 && matches!(numbers(mark).as_deref(), Some([0..=24, 0..=59]))
    };
    let day = matches!(
        numbers('/').as_deref(),
        Some([1..=31, 1..=12] | [1..=31, 1..=12, _])
    );
    let iso = matches!(numbers('-').as_deref(), Some([_, 1..=12, 1..=31]));
    clock('.') || clock(':') || day || iso || MOMENTS.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_its_times_as_they_stand_in_it() {
        for (text, times) in [
            ("Waspada sampai pukul 18.00.", &["pukul 18.00"][..]),
            ("Berlaku sampai 18:30 WIB", &["18:30 WIB"]),
            ("hingga 6 jam ke depan", &["6 jam"]),
            (
                "5 Januari 2026 pukul 12.05 WIB, 29 Nov",
                &["5 Januari", "pukul 12.05", "29 Nov"],
            ),
            ("until November 29, 6 pm", &["November 29", "6 pm"]),
            (
                "Besok pagi, 29/11 atau 2026-11-30",
                &["Besok", "pagi", "29/11", "2026-11-30"],
            ),
            ("dalam 24 jam", &["24 jam"]),
        ] {
            assert_eq!(spoken(text), times, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_left_alone() {
        for text in [
            "",
            "Air setinggi 220 cm di RW 03, RT 05",
            "Siaga I: banjir di Kota Bekasi",
            "Curah hujan 50.75 mm, jalan 1.200 m",
            "Jauhi sungai. Matikan listrik! Hubungi 112",
            "Awas — tanggul retak",
        ] {
            assert_eq!(spoken(text), Vec::<&str>::new(), "{text}");
        }
    }
}
