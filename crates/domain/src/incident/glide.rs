//! GLIDE numbers, which ADRC and its partners give (glidenumber.net): noted here, never made.

/// What a GLIDE number looks like.
pub(super) const EXPECTED: &str =
    "a GLIDE number such as `FL-2026-000199-IDN`, with a province's code after it at most";

/// Says whether the text is a GLIDE number: `HH-YYYY-NNNNNN-CCC`, and a part of at most three characters more.
pub(super) fn is_number(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let (required, optional) = parts.split_at(parts.len().min(4));
    let [hazard, year, serial, country] = required else {
        return false;
    };
    let letters =
        |part: &str, of: usize| part.len() == of && part.bytes().all(|b| b.is_ascii_uppercase());
    let digits =
        |part: &str, of: usize| part.len() == of && part.bytes().all(|b| b.is_ascii_digit());
    let suffix = |part: &&str| {
        let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        (1..=3).contains(&part.len()) && part.bytes().all(fits)
    };
    letters(hazard, 2)
        && digits(year, 4)
        && digits(serial, 6)
        && letters(country, 3)
        && optional.len() <= 1
        && optional.iter().all(suffix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_as_glide_writes_it_is_one() {
        for number in [
            "FL-2026-000199-IDN",
            "EQ-2022-000373-IDN-JB",
            "VO-2018-000425-IDN-JB1",
        ] {
            assert!(is_number(number), "{number}");
        }
        let wrong = [
            "",
            "FL-2026-199-IDN",
            "fl-2026-000199-IDN",
            "FL-26-000199-IDN",
            "FL-2026-000199",
            "FL-2026-000199-IDN-",
            "FL-2026-000199-IDN-JBAR",
            "FL-2026-000199-IDN-J-B",
        ];
        for number in wrong {
            assert!(!is_number(number), "{number}");
        }
    }
}
