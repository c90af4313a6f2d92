//! What BMKG says in prose of an earthquake: where it was felt and how strongly, and whether a tsunami may follow.

/// The Roman numerals of the MMI scale, from I to XII.
const NUMERALS: [&str; 12] = [
    "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII",
];

/// Where an earthquake was felt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Felt {
    /// The places with their intensities, in BMKG's order.
    pub places: Vec<FeltPlace>,
    /// The pieces that could not be read as an intensity and a place, as they are written.
    pub unread: Vec<String>,
}

/// A place and how strongly an earthquake was felt there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeltPlace {
    /// The place in BMKG's words; which kab/kota or kecamatan it is, nobody has decided yet.
    pub place: String,
    /// The least intensity, from 1 to 12 on the MMI scale.
    pub mmi_from: u8,
    /// The greatest intensity, from 1 to 12 on the MMI scale.
    pub mmi_to: u8,
}

/// What BMKG says about a tsunami.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TsunamiPotential {
    /// A tsunami may follow (`Potensi TSUNAMI`, `Berpotensi tsunami`).
    Possible,
    /// None will follow (`Tidak berpotensi tsunami`).
    None,
    /// The text does not speak of it.
    NotSaid,
}

/// Reads `II - III Cugenang, II-III Cianjur` into places with intensities.
///
/// A place without an intensity of its own is kept unread: that it shares the one before it is only a guess.
pub fn felt_places(text: &str) -> Felt {
    let mut felt = Felt::default();
    for piece in text.split([',', ';', '\n']) {
        read_piece(after_heading(piece), &mut felt);
    }
    felt
}

/// Says what a text such as `Tidak berpotensi tsunami` means for a tsunami.
pub fn tsunami_potential(text: &str) -> TsunamiPotential {
    let text = text.to_lowercase();
    let words: Vec<_> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let says = |word: &str| words.contains(&word);
    if !says("tsunami") {
        TsunamiPotential::NotSaid
    } else if says("tidak") || says("no") || says("tak") {
        TsunamiPotential::None
    } else if says("potensi") || says("berpotensi") || says("potential") {
        TsunamiPotential::Possible
    } else {
        TsunamiPotential::NotSaid
    }
}

/// Leaves out a heading such as `Dirasakan (Skala MMI):`.
fn after_heading(piece: &str) -> &str {
    match piece.rsplit_once(':') {
        Some((heading, rest)) if heading.to_uppercase().contains("MMI") => rest,
        _ => piece,
    }
}

/// Reads one piece between commas; several intensities in one, as `VI Dobo V Tual`, begin a place each.
fn read_piece(piece: &str, felt: &mut Felt) {
    let spaced = piece.replace(['-', '–', '—'], " - ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let mut before: Vec<&str> = Vec::new();
    let mut intensity: Option<(u8, u8)> = None;
    while let [word, after @ ..] = rest {
        // Right after an intensity a numeral is a name's: kecamatan are called V Koto and IV Jurai.
        let is_place = intensity.is_some() && before.is_empty();
        if let Some((read, after)) = read_intensity(rest).filter(|_| !is_place) {
            finish(intensity, &before, felt);
            before.clear();
            intensity = Some(read);
            rest = after;
        } else {
            before.push(word);
            rest = after;
        }
    }
    finish(intensity, &before, felt);
}

/// Adds a place that has ended, or keeps what is none.
fn finish(intensity: Option<(u8, u8)>, words: &[&str], felt: &mut Felt) {
    let is_filler = |word: &&&str| {
        ["di", "dan", "mmi", "skala", "and", "in"]
            .iter()
            .any(|filler| word.eq_ignore_ascii_case(filler))
    };
    let start = words.iter().take_while(is_filler).count();
    let end = words.len() - words.iter().rev().take_while(is_filler).count();
    let place = words.get(start..end).unwrap_or_default().join(" ");
    let place = place.replace(" - ", "-");
    let place = place.trim_matches(['.', ' ']);
    match (intensity, place.is_empty()) {
        (None, true) => {}
        (Some((mmi_from, mmi_to)), false) => felt.places.push(FeltPlace {
            place: place.to_owned(),
            mmi_from,
            mmi_to,
        }),
        (Some(_), true) | (None, false) => felt.unread.push(words_of(intensity, place)),
    }
}

fn words_of(intensity: Option<(u8, u8)>, place: &str) -> String {
    let numeral = |mmi: u8| {
        let at = usize::from(mmi.saturating_sub(1));
        NUMERALS.get(at).copied().unwrap_or_default()
    };
    match intensity {
        None => place.to_owned(),
        Some((from, to)) if from == to => numeral(from).to_owned(),
        Some((from, to)) => format!("{}-{}", numeral(from), numeral(to)),
    }
}

/// Reads `III` or `II - III` at the beginning of the words, and returns the words after it.
fn read_intensity<'w, 'a>(words: &'w [&'a str]) -> Option<((u8, u8), &'w [&'a str])> {
    let (first, rest) = words.split_first()?;
    let from = read_numeral(first)?;
    if let [dash, second, rest @ ..] = rest
        && *dash == "-"
        && let Some(to) = read_numeral(second)
    {
        return Some(((from.min(to), from.max(to)), rest));
    }
    // `V - y` is no intensity: what stands on the other side of the dash is not known.
    (rest.first() != Some(&"-")).then_some(((from, from), rest))
}

fn read_numeral(word: &str) -> Option<u8> {
    let at = NUMERALS
        .iter()
        .position(|numeral| word.eq_ignore_ascii_case(numeral))?;
    Some(at as u8 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes places and intensities as `Cianjur 5-6`, and what was not read after a bar.
    fn read(text: &str) -> String {
        let felt = felt_places(text);
        let places: Vec<_> = felt
            .places
            .iter()
            .map(|felt| format!("{} {}-{}", felt.place, felt.mmi_from, felt.mmi_to))
            .collect();
        let unread: Vec<_> = felt
            .unread
            .iter()
            .map(|piece| format!("|{piece}"))
            .collect();
        [places, unread].concat().join(", ")
    }

    #[test]
    fn intensities_and_places_are_told_apart() {
        for (text, read_as) in [
            (
                "II - III Cugenang, II-III Cianjur",
                "Cugenang 2-3, Cianjur 2-3",
            ),
            (
                "V-VI Cianjur, IV-V Garut, III Kota Bandung",
                "Cianjur 5-6, Garut 4-5, Kota Bandung 3-3",
            ),
            (
                "XII Wailutu,III- IV Atambua, II -III Wailebe",
                "Wailutu 12-12, Atambua 3-4, Wailebe 2-3",
            ),
            (
                "Iv Kepanjen, III Madiun , II Demak",
                "Kepanjen 4-4, Madiun 3-3, Demak 2-2",
            ),
            (
                "VII–VIII Saumlaki VII Dobo VI Tiakur",
                "Saumlaki 7-8, Dobo 7-7, Tiakur 6-6",
            ),
            ("Dirasakan (Skala MMI): III Garut", "Garut 3-3"),
            (
                "III MMI di Pacitan dan II di Malang",
                "Pacitan 3-3, Malang 2-2",
            ),
            ("IV-III Bima", "Bima 3-4"),
            ("III V Koto, II-III IV Jurai", "V Koto 3-3, IV Jurai 2-3"),
            ("III Banda Aceh-Sabang.", "Banda Aceh-Sabang 3-3"),
            ("", ""),
        ] {
            assert_eq!(read(text), read_as, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_kept() {
        for (text, read_as) in [
            ("III Cianjur, Sukabumi", "Cianjur 3-3, |Sukabumi"),
            ("III", "|III"),
            ("II-III", "|II-III"),
            ("Gempa ini dirasakan", "|Gempa ini dirasakan"),
            ("VX Cianjur", "|VX Cianjur"),
            ("IIII Cianjur, II Garut", "Garut 2-2, |IIII Cianjur"),
            ("V-y Cianjur", "|V-y Cianjur"),
        ] {
            assert_eq!(read(text), read_as, "{text}");
        }
    }

    #[test]
    fn a_tsunami_is_possible_excluded_or_not_spoken_of() {
        for (text, potential) in [
            ("Tidak berpotensi tsunami", TsunamiPotential::None),
            ("tidak berpotensi TSUNAMI", TsunamiPotential::None),
            (
                "Potensi TSUNAMI untuk diteruskan pada masyarakat",
                TsunamiPotential::Possible,
            ),
            ("Berpotensi tsunami", TsunamiPotential::Possible),
            (
                "Gempa ini dirasakan untuk diteruskan pada masyarakat",
                TsunamiPotential::NotSaid,
            ),
            ("", TsunamiPotential::NotSaid),
        ] {
            assert_eq!(tsunami_potential(text), potential, "{text}");
        }
    }
}
