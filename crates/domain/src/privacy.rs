//! What looks like personal data in a free text: telephone numbers, NIK and addresses of mail.
//!
//! Nobody can tell a name from other words, so this is a help for who writes, and no rule: what is found is pointed out
//! before a text is sent to every province. What a foreign document brings has nobody to be asked: there a number that
//! looks like a telephone's of any country is enough to leave a value out.

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
    let characters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = characters.get(at..).filter(|rest| !rest.is_empty()) {
        let before = at.checked_sub(1).and_then(|at| characters.get(at));
        let part = match before {
            Some(c) if c.is_alphanumeric() => None,
            // A word is looked at from its beginning alone, so that a text of marks is gone through once.
            Some(c) if !parts_words(*c) => number(rest),
            Some(_) | None => number(rest).or_else(|| mail(rest)),
        };
        match part {
            Some((kind, length)) => {
                found.push(Finding {
                    kind,
                    at: at + 1,
                    length,
                });
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

/// Says whether a text may lead to a person: it has something of [`findings`], or a number that is written like a
/// telephone's, of a landline or of any country.
pub fn leads_to_person(text: &str) -> bool {
    let is_apart = |c: char| !(c.is_ascii_digit() || "+()-. ".contains(c));
    !findings(text).is_empty() || text.split(is_apart).any(is_telephone)
}

/// Says whether digits, and what parts them, are written like a telephone number: with a country's code, with the code of a
/// city, or in three, three and four.
fn is_telephone(written: &str) -> bool {
    let written = written.trim_matches([' ', '.', '-']);
    let groups = written.split(|c: char| !c.is_ascii_digit());
    let groups: Vec<&str> = groups.filter(|group| !group.is_empty()).collect();
    let digits: usize = groups.iter().map(|group| group.len()).sum();
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
        _ if written.starts_with('+') => (8..=15).contains(&digits),
        [3, 3, 4] | [1, 3, 3, 4] => true,
        _ => of_city && (9..=12).contains(&digits),
    }
}

/// A run of digits, which blanks, dots and hyphens may part.
fn number(rest: &[char]) -> Option<(Personal, usize)> {
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

fn parts_words(c: char) -> bool {
    c.is_whitespace() || ",;<>()".contains(c)
}

fn mail(rest: &[char]) -> Option<(Personal, usize)> {
    let word: String = rest.iter().take_while(|c| !parts_words(**c)).collect();
    let word = word.trim_end_matches(['.', ':', '!', '?', '@']);
    let (name, host) = word.rsplit_once('@')?;
    let domain = host.rsplit_once('.')?;
    let fits = !name.is_empty() && !domain.0.is_empty() && domain.1.len() >= 2;
    fits.then_some((Personal::Mail, word.chars().count()))
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
