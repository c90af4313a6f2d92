//! What looks like personal data in a free text: telephone numbers, NIK and addresses of mail.
//!
//! Nobody can tell a name from other words, so this is a help for who writes, and no rule: what is found is pointed out
//! before a text is sent to every province, and sent once somebody has said that it is none. What a foreign document brings
//! has nobody to be asked: there a number that looks like a telephone's of any country is enough to leave it out.
//!
//! A text is read as people see it: digits of any width count, and what has no width parts nothing. What it never does:
//! take an official short number, of five digits or fewer, for a person's.

use std::fmt;

use crate::text::is_hidden;

/// The ends of hosts by which an address of mail is known that is written with blanks, as other words are too.
const ENDS: &[&str] = &[
    "com", "net", "org", "id", "info", "biz", "edu", "gov", "email", "my", "sg",
];

/// What a part of a text looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Personal {
    /// A telephone number of Indonesia: `08…` or `+62…`, 9 to 13 digits after that.
    Telephone,
    /// A NIK, the number of an identity card: 16 digits of which six are a region and six a date.
    Nik,
    /// An address of mail.
    Mail,
}

impl fmt::Display for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Telephone => "a telephone number",
            Self::Nik => "a NIK",
            Self::Mail => "an address of mail",
        })
    }
}

/// A part of a text that looks like personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// What it looks like.
    pub kind: Personal,
    /// Where it begins, in characters from 1.
    pub at: usize,
    /// How many characters it has.
    pub length: usize,
}

/// Finds what looks like personal data, in the order in which it stands.
pub fn findings(text: &str) -> Vec<Finding> {
    Folded::of(text).find(number)
}

/// Finds what looks like personal data as [`findings`] does, and any number that is written like a telephone's, of a
/// landline or of any country.
pub fn foreign_findings(text: &str) -> Vec<Finding> {
    Folded::of(text).find(|rest| number(rest).or_else(|| telephone(rest)))
}

/// Says whether a text may lead to a person: it has something of [`foreign_findings`].
pub fn leads_to_person(text: &str) -> bool {
    !foreign_findings(text).is_empty()
}

/// Returns what whoever wrote the texts is asked, which says where and never what; none where nothing looks like personal
/// data.
pub fn question<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let found = texts.into_iter().map(findings);
    let found = found.into_iter().find(|found| !found.is_empty())?;
    let places = found.iter().map(|found| {
        let Finding { kind, at, .. } = found;
        format!("{kind} at character {at}")
    });
    let places: Vec<String> = places.collect();
    Some(format!(
        "every province would read what looks like {}: leave it out, or add `--text-as-is` when it is none",
        places.join(" and ")
    ))
}

/// A text as people see it, each character with its place in the text.
struct Folded {
    characters: Vec<char>,
    places: Vec<usize>,
}

impl Folded {
    fn of(text: &str) -> Self {
        let seen = text.chars().enumerate();
        // A soft hyphen is seen at a line's end alone.
        let seen = seen.filter(|(_, c)| !is_hidden(*c) && *c != '\u{ad}');
        let (places, characters) = seen.map(|(at, c)| (at, folded(c))).unzip();
        Self { characters, places }
    }

    /// Finds numbers as they are told from others, and addresses of mail.
    fn find(&self, number: impl Fn(&[char]) -> Option<(Personal, usize)>) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(rest) = self.characters.get(at..).filter(|rest| !rest.is_empty()) {
            let before = |by: usize| Some(*self.characters.get(at.checked_sub(by)?)?);
            let part = match before(1) {
                Some(c) if c.is_alphanumeric() => None,
                // The digits of a fraction begin no number.
                Some('.' | ',') if before(2).is_some_and(|c| c.is_ascii_digit()) => None,
                // A name is looked at from its beginning alone, so that a text of marks is gone through once.
                Some(c) if is_of_name(c) => number(rest),
                Some(_) | None => number(rest).or_else(|| mail(rest)),
            };
            match part.and_then(|(kind, length)| self.finding(kind, at, length)) {
                Some((finding, next)) => {
                    found.push(finding);
                    at = next;
                }
                None => at += 1,
            }
        }
        found
    }

    /// Returns a part by its place in the text, and where it ends here.
    fn finding(&self, kind: Personal, at: usize, length: usize) -> Option<(Finding, usize)> {
        let (first, last) = (self.places.get(at)?, self.places.get(at + length - 1)?);
        let finding = Finding {
            kind,
            at: first + 1,
            length: last - first + 1,
        };
        Some((finding, at + length))
    }
}

/// Returns the plain character that another one is seen as: of full width, of another script's digits, dashes and blanks.
fn folded(c: char) -> char {
    let shifted = |from: u32, to: u32| char::from_u32(u32::from(c) - from + to).unwrap_or(c);
    match c {
        '\u{ff01}'..='\u{ff5e}' => shifted(0xff01, 0x21),
        '\u{660}'..='\u{669}' => shifted(0x660, 0x30),
        '\u{6f0}'..='\u{6f9}' => shifted(0x6f0, 0x30),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\n' | '\r' => c,
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

/// A run of digits, which blanks, dots and hyphens may part.
fn number(rest: &[char]) -> Option<(Personal, usize)> {
    if !begins_number(rest) {
        return None;
    }
    let mut digits = String::new();
    let mut length = 0;
    for (at, c) in rest.iter().enumerate() {
        match c {
            // Neither has more, and a text of digits is gone through once.
            '0'..='9' if digits.len() > 16 => return None,
            '0'..='9' => {
                digits.push(*c);
                length = at + 1;
            }
            '+' if at == 0 => {}
            ' ' | '.' | '-' | '(' | ')' if length + 1 >= at => {}
            _ => break,
        }
    }
    if rest.get(length).is_some_and(|c| c.is_alphanumeric()) {
        return None;
    }
    let international = rest.first() == Some(&'+') || digits.starts_with("62");
    let subscriber = match digits.strip_prefix("62").filter(|_| international) {
        Some(subscriber) => Some(subscriber),
        None => digits.strip_prefix('0'),
    };
    let is_mobile = subscriber
        .is_some_and(|number| number.starts_with('8') && (9..=12).contains(&number.len()));
    if is_mobile {
        return Some((Personal::Telephone, length));
    }
    is_nik(&digits).then_some((Personal::Nik, length))
}

fn begins_number(rest: &[char]) -> bool {
    let begins = |c: &char| c.is_ascii_digit() || "+(".contains(*c);
    rest.first().is_some_and(begins)
}

/// Six digits of a region, then the day (40 more for women), month and year of birth, then four of a serial.
fn is_nik(digits: &str) -> bool {
    let part = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse().ok());
    let (province, day, month): (Option<u32>, Option<u32>, Option<u32>) =
        (part(0, 2), part(6, 8), part(8, 10));
    digits.len() == 16
        && province.is_some_and(|province| (11..=99).contains(&province))
        && day.is_some_and(|day| (1..=31).contains(&day) || (41..=71).contains(&day))
        && month.is_some_and(|month| (1..=12).contains(&month))
}

/// The longest part that is written like a telephone number of a landline or of any country.
fn telephone(rest: &[char]) -> Option<(Personal, usize)> {
    /// No number has more digits, and what parts them is at most two characters.
    const LONGEST: usize = 1 + 15 * 3;
    if !begins_number(rest) {
        return None;
    }
    let is_written = |c: &&char| c.is_ascii_digit() || "+()-. ".contains(**c);
    let written: String = rest.iter().take(LONGEST).take_while(is_written).collect();
    let is_whole = |end: usize| !rest.get(end).is_some_and(|c| c.is_alphanumeric());
    let fits = |end: &usize| {
        let part = written.get(..*end).unwrap_or_default();
        part.ends_with(|c: char| c.is_ascii_digit()) && is_whole(*end) && is_telephone(part)
    };
    let length = (8..=written.len()).rev().find(fits)?;
    Some((Personal::Telephone, length))
}

/// Says whether digits, and what parts them, are written like a telephone number: with a country's code, with the code of a
/// city, or in three, three and four.
fn is_telephone(written: &str) -> bool {
    let digits = written.bytes().filter(u8::is_ascii_digit).count();
    if !(8..=15).contains(&digits) {
        return false;
    }
    let groups = written.split(|c: char| !c.is_ascii_digit());
    let groups: Vec<&str> = groups.filter(|group| !group.is_empty()).collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    // No code of a city begins with a one, as days and hours do.
    let of_city = groups.first().is_some_and(|first| {
        first.len() >= 3
            && first.starts_with('0')
            && !first.starts_with("00")
            && !first.starts_with("01")
    });
    let has_fraction =
        written.contains('.') && lengths.len() == 2 && !written.contains(['-', ' ', '(']);
    match lengths.as_slice() {
        _ if has_fraction => false,
        _ if written.starts_with('+') => true,
        // Heights of a gauge stand in three, three and four too, with blanks between.
        [3, 3, 4] | [1, 3, 3, 4] => written.contains(['-', '(']),
        _ => of_city && (9..=12).contains(&digits),
    }
}

/// Says whether a character may be part of the name or the host of an address of mail.
fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || "._%+-'".contains(c)
}

/// An address of mail, with its `@` and its dots as signs or in words.
fn mail(rest: &[char]) -> Option<(Personal, usize)> {
    let name = run(rest, is_of_name);
    if !rest.iter().take(name).any(|c| c.is_alphanumeric()) {
        return None;
    }
    let at = [
        " @ ", " at ", "@", "(at)", "[at]", "{at}", " (at) ", " [at] ",
    ];
    let (sign, mut length) = one_of(rest, name, &at)?;
    let mut in_words = sign.contains(' ');
    let mut labels = 0;
    loop {
        let part = rest.get(length..).unwrap_or_default();
        let label = run(part, |c| c.is_alphanumeric() || c == '-');
        if label == 0 {
            return None;
        }
        labels += 1;
        let end: String = part.iter().take(label).collect::<String>().to_lowercase();
        let dot = [".", "(dot)", "[dot]", " dot ", " (dot) ", " [dot] "];
        let next = one_of(rest, length + label, &dot);
        let next = next.filter(|(_, at)| rest.get(*at).is_some_and(|c| c.is_alphanumeric()));
        length += label;
        if let Some((dot, after)) = next {
            in_words |= dot != ".";
            length = after;
            continue;
        }
        let known = ENDS.contains(&end.as_str());
        let is_end = known || (!in_words && end.chars().count() >= 2);
        return (labels > 1 && is_end).then_some((Personal::Mail, length));
    }
}

/// Returns for how many characters from the first on something holds.
fn run(characters: &[char], holds: impl Fn(char) -> bool) -> usize {
    characters.iter().take_while(|c| holds(**c)).count()
}

/// Returns which of some words stands at a place, whatever its case, and where it ends.
fn one_of<'w>(characters: &[char], at: usize, words: &[&'w str]) -> Option<(&'w str, usize)> {
    let rest = characters.get(at..)?;
    let stands = |word: &&&str| {
        let same = |(c, w): (&char, char)| c.eq_ignore_ascii_case(&w);
        rest.len() >= word.len() && rest.iter().zip(word.chars()).all(same)
    };
    let word = words.iter().find(stands)?;
    Some((*word, at + word.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Personal> {
        findings(text).into_iter().map(|found| found.kind).collect()
    }

    #[test]
    fn telephone_numbers_nik_and_mail_are_found_as_people_write_them() {
        // All invented.
        for text in [
            "Hubungi 0812-0000-0001",
            "+62 812 0000 0001 ya",
            "WA: 6281200000001.",
            "(0812) 00000001",
        ] {
            assert_eq!(kinds(text), [Personal::Telephone], "{text}");
        }
        for text in ["NIK 3203014107900001", "3203 0141 0790 0001"] {
            assert_eq!(kinds(text), [Personal::Nik], "{text}");
        }
        assert_eq!(kinds("surel ke posko@contoh.example."), [Personal::Mail]);
        let both = findings("Pak A 081200000001, a@b.id");
        assert_eq!((both[0].at, both[0].length), (7, 12));
        assert_eq!(both.len(), 2);
    }

    #[test]
    fn a_foreign_value_that_may_lead_to_a_person_is_known_by_how_it_is_written() {
        // All invented.
        for text in [
            "(021) 5550100",
            "0251-8555010",
            "0215550100",
            "+1 613 555 0100",
            "+49 30 5550100",
            "Call 613-555-0100 ext. 2",
            "1 (613) 555-0100",
            "a@b.id",
            "3203014107900001",
        ] {
            assert!(leads_to_person(text), "{text}");
        }
        for text in [
            "2022-11-21T13:10:00+07:00",
            "01-02-2026 10:00:00",
            "-6.62,106.75 -6.62,106.85 -6.55,106.85",
            "+12.5",
            "0.1234567890",
            "/O.NEW.KSGF.SV.W.0123.260301T2100Z-260301T2145Z/",
            "500 cm, 120 jiwa, RT 003 RW 012",
            "006109 006111 006113",
            "2.49.0.1.360.0.2026.02.16",
            "",
        ] {
            assert!(!leads_to_person(text), "{text}");
        }
    }

    #[test]
    fn what_is_seen_counts_whatever_it_is_written_with() {
        // All invented.
        for text in [
            "０８１２００００００００１",
            "\u{ff0b}６２ 812 0000 0001",
            "08\u{200b}12\u{200d}0000\u{feff}0001",
            "0812\u{a0}0000\u{2013}0001",
            "0812.0000.0001",
            "٠٨١٢٠٠٠٠٠٠٠١",
        ] {
            assert_eq!(kinds(text), [Personal::Telephone], "{text:?}");
        }
        assert_eq!(kinds("3203.0141.0790.0001"), [Personal::Nik]);
        for text in [
            "budi(at)contoh.example",
            "budi[at]contoh.example",
            "budi (AT) contoh.id",
            "budi at contoh.co.id",
            "budi at contoh dot com",
            "budi @ contoh.id",
            "budi@contoh[dot]id",
            "budi＠contoh.id",
            "surel:budi@contoh.id",
            "<budi@contoh.id>",
        ] {
            assert_eq!(kinds(text), [Personal::Mail], "{text}");
        }
        let found = findings("WA \u{200b}08\u{200b}1200000001 ya");
        assert_eq!((found[0].at, found[0].length), (5, 13));
    }

    #[test]
    fn in_a_foreign_text_any_telephone_number_is_found_and_no_official_short_one() {
        // All invented.
        for (text, found) in [
            ("Tahun 2026. (021) 5550100 atau 112", "(021) 5550100"),
            ("Call +49 30 5550100.", "+49 30 5550100"),
            ("Tel. 613-555-0100 today", "613-555-0100"),
            ("hub:0251-8555010", "0251-8555010"),
        ] {
            let findings = foreign_findings(text);
            let finding = findings.first().copied().unwrap();
            let part: String = (text.chars().skip(finding.at - 1))
                .take(finding.length)
                .collect();
            assert_eq!((part.as_str(), findings.len()), (found, 1), "{text}");
        }
        for text in [
            "Telepon 112, 115, 117, 119 atau 14045; layanan 1500 899",
            "Siaga 750 850 1050 cm pada 05-01-2026 pukul 02.00 - 05.30 WIB",
            "Banjir di Jl. Merdeka pukul 08.15, 1.200 jiwa, RT 003 RW 012",
            "Flooding at Jl.Merdeka, posko @ SDN.3",
            "0.0234567890 dan 6.0812345678",
        ] {
            assert_eq!(foreign_findings(text), [], "{text}");
        }
    }

    #[test]
    fn who_writes_is_asked_where_it_stands_and_never_what() {
        assert_eq!(question(["1.200 jiwa", ""]), None);
        assert_eq!(
            question(["Banjir", "Hubungi: 0812-0000-0001, a@b.id"]).unwrap(),
            "every province would read what looks like a telephone number at character 10 and an address of mail at \
             character 26: leave it out, or add `--text-as-is` when it is none"
        );
    }

    #[test]
    fn figures_dates_and_numbers_of_incidents_are_not() {
        let texts = [
            "1.200 jiwa mengungsi di 3 titik",
            "PMI-32-2026-000001 dibuka 2026-01-05T12:00:00+07:00",
            "Koordinat -6.2400, 106.9900; magnitudo 5.6",
            "RT 03 RW 012, tinggi air 120 cm pukul 08.15",
            "Rekening 9999999999999999999",
            "Kirim 08 tenda @ 12",
            "",
        ];
        for text in texts {
            assert_eq!(kinds(text), [], "{text}");
        }
    }
}
