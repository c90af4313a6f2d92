//! Characters that nobody sees and that make a text read as another one than it is.

/// What is expected of a name that has something in it that nobody sees.
pub const PLAIN: &str = "a name without line ends and characters that nobody sees";

/// Says whether a character is not seen but steers how a text reads: of no width, or for the direction of writing.
pub fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// Says whether a name has nothing in it that is not seen: no control character, no line's end and nothing hidden.
pub fn is_plain(name: &str) -> bool {
    !name.chars().any(|c| c.is_control() || is_hidden(c))
}

/// Returns a text without what is not seen; its line ends and tabs stay.
pub fn plain(text: &str) -> String {
    let stays = |c: &char| matches!(c, '\n' | '\t') || !(c.is_control() || is_hidden(*c));
    text.chars().filter(stays).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_text_is_left_out_and_no_name_has_it() {
        let steered = "\u{feff}Awas\u{202e} rijnab\u{2069}\r\n\u{1b}[2J\tKali\u{200b} Bekasi\u{85}";
        assert_eq!(plain(steered), "Awas rijnab\n[2J\tKali Bekasi");
        for name in [
            "BM\u{200d}KG",
            "BMKG\u{202e}",
            "BMKG\n",
            "\u{7f}",
            "\u{2066}a",
        ] {
            assert!(!is_plain(name), "{name:?}");
        }
        assert!(is_plain("Stasiun Meteorologi Citeko – Jawa Barat"));
    }
}
