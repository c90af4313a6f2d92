//! Small pieces of text that every format needs: plain decimals and quotations for messages. It never guesses.

/// The most characters of a foreign value that an error message repeats.
const QUOTED_CHARS: usize = 80;

/// Returns the value as an error message may repeat it: one line, without control characters, at most 80 characters.
pub fn quote(value: &str) -> String {
    let mut characters = value.chars();
    let mut quoted: String = characters
        .by_ref()
        .take(QUOTED_CHARS)
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    if characters.next().is_some() {
        quoted.push('…');
    }
    quoted
}

/// Reads a decimal such as `-6.85`: an optional sign, digits, and optionally a point and digits.
///
/// Exponents, `inf` and `NaN`, which Rust's own reader accepts, are not numbers that these formats know.
pub(crate) fn parse_decimal(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    // `.5` and `5.` are legal decimals in XML Schema; a bare point is not.
    let plain = digits(whole) && digits(fraction) && whole.len() + fraction.len() > 0;
    if !plain || text.len() > 32 {
        return None;
    }
    text.parse().ok()
}

/// Reads a latitude in degrees, from -90 to 90.
pub(crate) fn parse_latitude(text: &str) -> Option<f64> {
    parse_decimal(text).filter(|latitude| (-90.0..=90.0).contains(latitude))
}

/// Reads a longitude in degrees, from -180 to 180.
pub(crate) fn parse_longitude(text: &str) -> Option<f64> {
    parse_decimal(text).filter(|longitude| (-180.0..=180.0).contains(longitude))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_digits_and_at_most_one_point() {
        for (text, value) in [
            ("-6.85", -6.85),
            ("+41.12", 41.12),
            ("107", 107.0),
            (".5", 0.5),
            ("14.", 14.0),
        ] {
            let read = parse_decimal(text).unwrap();
            assert!((read - value).abs() < 1e-12, "{text} read as {read}");
        }
        for text in [
            "", ".", "-", "-.", "NaN", "inf", "1e3", "0x10", "1,5", " 1", "--1", "1.2.3",
        ] {
            assert_eq!(parse_decimal(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_quotation_is_one_short_line() {
        assert_eq!(quote("a\nb\0c"), "a b c");
        assert_eq!(quote(&"x".repeat(81)), format!("{}…", "x".repeat(80)));
    }
}
