//! BMKG's weather nowcast: the links of its list, and what its alerts say of places in a name or in prose.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::{cap, rss, text::quote};

/// Words after which a sentence of a nowcast lists places, those that name them closely.
///
/// A list without such words is not looked for: anything else that has commas would be taken for places.
const CLOSELY: &[&str] = &[
    "khususnya di wilayah",
    "khususnya di",
    "terutama di",
    "especially in",
    "particularly in",
];

/// Words after which older nowcasts list places, and newer ones name the province before they do so closely.
const WIDELY: &[&str] = &[
    "wib di wilayah",
    "wib di",
    "wita di wilayah",
    "wita di",
    "wit di wilayah",
    "wit di",
    "di wilayah",
];

/// Words after which a sentence lists places to which the weather may spread.
const SPREADING: &[&str] = &[
    "dapat meluas ke wilayah",
    "dapat meluas ke",
    "meluas ke wilayah",
    "meluas ke",
    "may spread to",
    "may expand to",
    "may extend to",
];

/// Words with which what follows a list begins where no point ends it.
const AFTERWARDS: &[&str] = &["kondisi ini", "this condition"];

/// Endings of a list that name no place.
const ENDINGS: &[&str] = &[
    "dan sekitarnya",
    "and surrounding areas",
    "and surroundings",
    "and its surroundings",
];

/// Short forms after which a point ends no sentence.
const SHORT_FORMS: &[&str] = &["kab", "kec", "kel", "kep", "prov", "pkl", "tgl"];

/// Why an item or an alert of the nowcast was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NowcastError {
    /// The item of the list has no link.
    #[error("item `{title}` has no link")]
    NoLink {
        /// The item's title, shortened.
        title: String,
    },
    /// The link of the item is not one of a nowcast alert.
    #[error("link `{link}` of item `{title}` is not `http(s)://HOST/…/CODE_alert.xml`")]
    BadLink {
        /// The item's title, shortened.
        title: String,
        /// The link, shortened.
        link: String,
    },
    /// The alert names no area.
    #[error("alert `{identifier}` names no area")]
    NoArea {
        /// The alert's identifier, shortened.
        identifier: String,
    },
    /// The alert names more than one province.
    #[error("alert `{identifier}` names more than one province, `{first}` and `{second}`")]
    TwoProvinces {
        /// The alert's identifier, shortened.
        identifier: String,
        /// The first name.
        first: String,
        /// The first name that differs from it.
        second: String,
    },
}

/// The link of a nowcast item, taken apart so that the caller can hold it to the feed's own host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NowcastLink<'a> {
    /// The whole link.
    pub url: &'a str,
    /// The host, with its port if the link names one.
    pub host: &'a str,
    /// The last part of the path, `CODE_alert.xml`.
    pub file: &'a str,
    /// BMKG's code of the alert (`kode_detail_cap`), letters and digits.
    pub code: &'a str,
}

/// Places that a nowcast names together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceGroup {
    /// The kab/kota under which the prose lists them, in its words, if it names one.
    pub within: Option<String>,
    /// The kecamatan in the publisher's words and order, each once; which ones they are, nobody has decided yet.
    pub names: Vec<String>,
    /// Whether it is to them that the weather may only spread.
    pub is_spread: bool,
}

/// Returns the link of a nowcast item.
///
/// Only the shape is checked: fetching it from a host other than the feed's own is the caller's to refuse.
pub fn nowcast_link(item: &rss::Item) -> Result<NowcastLink<'_>, NowcastError> {
    let url = item.link.as_deref().ok_or_else(|| NowcastError::NoLink {
        title: quote(&item.title),
    })?;
    read_link(url).ok_or_else(|| NowcastError::BadLink {
        title: quote(&item.title),
        link: quote(url),
    })
}

/// Returns the province that a nowcast alert is about, by BMKG's name for it (`areaDesc`).
///
/// The Indonesian info is read if there is one, else the first; all its areas must name the same province.
pub fn nowcast_province(alert: &cap::Alert) -> Result<&str, NowcastError> {
    let no_area = || NowcastError::NoArea {
        identifier: quote(&alert.identifier),
    };
    let info = alert
        .infos
        .iter()
        .find(|info| is_indonesian(&info.language))
        .or_else(|| alert.infos.first())
        .ok_or_else(no_area)?;
    let mut provinces = info.areas.iter().map(|area| area.description.as_str());
    let first = provinces
        .next()
        .filter(|province| !province.is_empty())
        .ok_or_else(no_area)?;
    match provinces.find(|province| *province != first) {
        Some(second) => Err(NowcastError::TwoProvinces {
            identifier: quote(&alert.identifier),
            first: quote(first),
            second: quote(second),
        }),
        None => Ok(first),
    }
}

fn is_indonesian(language: &str) -> bool {
    let primary = language.split('-').next().unwrap_or_default();
    primary.eq_ignore_ascii_case("id")
}

fn read_link(url: &str) -> Option<NowcastLink<'_>> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/')?;
    let host_is_plain = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    let path_is_plain = path.split('/').all(|part| part != "..")
        && path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    let file = path.rsplit('/').next()?;
    let code = file.strip_suffix("_alert.xml")?;
    let code_is_plain = !code.is_empty()
        && code.len() <= 64
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (host_is_plain && path_is_plain && code_is_plain).then_some(NowcastLink {
        url,
        host,
        file,
        code,
    })
}

/// Returns the places that the prose of a nowcast lists, in Bahasa Indonesia or English; none if it lists none.
///
/// `… khususnya di Cipanas, Muncang, Sajira.` is one group without a kab/kota; `… di wilayah Kab. Bogor: Jonggol, Cileungsi; Kota Depok: Beji.` is two with one.
pub fn nowcast_places(description: &str) -> Vec<PlaceGroup> {
    sentences(description)
        .iter()
        .flat_map(|sentence| sentence_places(sentence))
        .collect()
}

/// Splits prose at points that end a sentence, and at empty lines, where older nowcasts have no point.
fn sentences(prose: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let (mut from, mut end_of_line) = (0, None);
    for (at, character) in prose.char_indices() {
        let is_end = match character {
            '.' => ends_sentence(prose, at),
            '\n' if end_of_line.is_some() => true,
            _ => false,
        };
        if character == '\n' {
            end_of_line = Some(at);
        } else if !character.is_whitespace() {
            end_of_line = None;
        }
        if is_end {
            sentences.push(prose.get(from..at).unwrap_or_default());
            from = at + 1;
        }
    }
    sentences.push(prose.get(from..).unwrap_or_default());
    sentences
}

/// Says whether the point there stands before a space, a line or the end, and not after a short form.
fn ends_sentence(prose: &str, at: usize) -> bool {
    let (before, after) = prose.split_at(at);
    let word = before
        .rsplit(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let is_short = SHORT_FORMS
        .iter()
        .any(|short| word.eq_ignore_ascii_case(short));
    let next = after.chars().nth(1);
    !is_short && next.is_none_or(char::is_whitespace)
}

/// Reads the list of one sentence; where one says first where it rains and then where that may spread, both.
fn sentence_places(sentence: &str) -> Vec<PlaceGroup> {
    // The offsets of this lower-case text are those of the text itself.
    let lower = sentence.to_ascii_lowercase();
    let first_of = |words: &[&str]| {
        let found = words.iter().filter_map(|words| {
            let at = lower.find(words)?;
            Some((at, at + words.len()))
        });
        // Of words that begin at one place, the longest.
        found.min_by_key(|(at, end)| (*at, usize::MAX - end))
    };
    let end = first_of(AFTERWARDS).map_or(sentence.len(), |(at, _)| at);
    let spread = first_of(SPREADING).filter(|(_, from)| *from <= end);
    let until = spread.map_or(end, |(at, _)| at);
    let here = first_of(CLOSELY)
        .or_else(|| first_of(WIDELY))
        .filter(|(_, from)| *from <= until);
    let list = |from: usize, until: usize| sentence.get(from..until).unwrap_or_default();
    let mut groups = Vec::new();
    if let Some((_, from)) = here {
        groups.extend(groups_of(list(from, until), false));
    }
    if let Some((_, from)) = spread {
        groups.extend(groups_of(list(from, end), true));
    }
    groups
}

/// Reads `A, B, C`, `Kab. X: A, B; Kota Y: C` or `Kab. X (A, B), Kota Y (C)`.
fn groups_of(list: &str, is_spread: bool) -> Vec<PlaceGroup> {
    let mut groups: Vec<PlaceGroup> = Vec::new();
    let mut name = String::new();
    let mut is_inside = false;
    let begin = |within: Option<String>, groups: &mut Vec<PlaceGroup>| {
        groups.push(PlaceGroup {
            within,
            names: Vec::new(),
            is_spread,
        });
    };
    begin(None, &mut groups);
    for character in list.chars().chain([',']) {
        match character {
            ':' | '(' => {
                begin(Some(plain(&name)), &mut groups);
                name.clear();
                is_inside = character == '(';
            }
            ',' | ';' | ')' | '\n' => {
                add_names(&name, groups.last_mut());
                name.clear();
                if character == ')' && is_inside {
                    is_inside = false;
                    begin(None, &mut groups);
                }
            }
            _ => name.push(character),
        }
    }
    groups.retain(|group| !group.names.is_empty());
    for group in &mut groups {
        let mut seen = BTreeSet::new();
        group.names.retain(|name| seen.insert(name.clone()));
    }
    groups
}

/// Adds the names of one piece, which at the end of a list may be two, joined by `dan` or `and`.
fn add_names(piece: &str, group: Option<&mut PlaceGroup>) {
    let Some(group) = group else { return };
    let piece = plain(piece).replace(" and ", " dan ");
    for name in piece.split(" dan ").map(plain) {
        // `di sebagian wilayah Banten` names the province, not a kecamatan.
        let is_part = name.starts_with("sebagian ");
        if !name.is_empty() && !is_part {
            group.names.push(name);
        }
    }
}

/// Returns a name without the words around it that belong to the sentence.
fn plain(text: &str) -> String {
    // The text is also sent to telephones, where `*` makes letters bold.
    let mut text = text.trim_matches(|c: char| c.is_whitespace() || c == '*');
    for ending in ENDINGS {
        let at = text.len().saturating_sub(ending.len());
        if let Some((before, end)) = text.split_at_checked(at)
            && end.eq_ignore_ascii_case(ending)
        {
            text = before.trim_end();
        }
    }
    for start in ["dan ", "and ", "serta "] {
        if let Some((head, rest)) = text.split_at_checked(start.len())
            && head.eq_ignore_ascii_case(start)
        {
            text = rest.trim_start();
        }
    }
    if ["dan", "and"].contains(&text) {
        text = "";
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the groups as `Kab. Bogor: Jonggol, Cileungsi`, those of a spread with a `>` before them.
    fn read(prose: &str) -> Vec<String> {
        let groups = nowcast_places(prose);
        groups
            .iter()
            .map(|group| {
                let within = group.within.as_deref().unwrap_or("?");
                let spread = if group.is_spread { ">" } else { "" };
                format!("{spread}{within}: {}", group.names.join(", "))
            })
            .collect()
    }

    #[test]
    fn places_are_taken_from_the_prose_of_todays_alerts() {
        assert_eq!(
            read(
                "Hujan lebat disertai petir akan terjadi pada 21 November 2022, 13:40 WIB di sebagian wilayah Banten, khususnya di Cibadak, Curug Bitung, Pulo Ampel, Cibadak.\n Kondisi ini berpotensi menimbulkan dampak berupa jarak pandang berkurang, angin kencang, dan banjir lokal.\n Kondisi diperkirakan dapat berlangsung hingga 16:40 WIB."
            ),
            ["?: Cibadak, Curug Bitung, Pulo Ampel"],
        );
        assert_eq!(
            read(
                "Heavy rain with lightning will occur on 21 November 2022, 13:40 WIB in parts of Banten, especially in Cibadak, Curug Bitung and Sajira.\n This may cause reduced visibility, strong wind, and local flood."
            ),
            ["?: Cibadak, Curug Bitung, Sajira"],
        );
    }

    #[test]
    fn kecamatan_stay_under_the_kab_or_kota_of_the_prose() {
        assert_eq!(
            read(
                "Berpotensi terjadi hujan lebat pada pukul 14.20 WIB di wilayah Kab. Bogor: Jonggol, Cileungsi; Kota Depok: Beji, dan dapat meluas ke wilayah Kota Bekasi: Bekasi Utara, Bekasi Barat dan sekitarnya."
            ),
            [
                "Kab. Bogor: Jonggol, Cileungsi",
                "Kota Depok: Beji",
                ">Kota Bekasi: Bekasi Utara, Bekasi Barat",
            ],
        );
        assert_eq!(
            read(
                "Hujan lebat terjadi di wilayah Kab. Lebak (Muncang, Sajira), Kota Serang (Kasemen)."
            ),
            ["Kab. Lebak: Muncang, Sajira", "Kota Serang: Kasemen"],
        );
    }

    #[test]
    fn older_forms_without_points_are_read() {
        assert_eq!(
            read(
                "UPDATE Peringatan Dini Cuaca Wilayah Banten tgl. 21 November 2022 pkl. 13:50 WIB berpotensi terjadi hujan lebat pada pkl 14:00 WIB di Kabupaten Lebak: Muncang, Kabupaten Pandeglang: Labuan\n \n Dan dapat meluas ke wilayah Kabupaten Lebak: Sajira, Cipanas, Kota Serang: Kasemen \n \nKondisi ini diperkirakan masih dapat berlangsung hingga pkl 16:00 WIB"
            ),
            [
                "Kabupaten Lebak: Muncang",
                "Kabupaten Pandeglang: Labuan",
                ">Kabupaten Lebak: Sajira, Cipanas",
                ">Kota Serang: Kasemen",
            ],
        );
        assert_eq!(
            read(
                "terjadi pada pkl 18:20 WIB di LABUAN, CARITA. Dan dapat meluas ke wilayah PANIMBANG Kondisi ini berlangsung hingga pkl 20:30 WIB"
            ),
            ["?: LABUAN, CARITA", ">?: PANIMBANG"],
        );
        assert_eq!(
            read("pada pkl 18:20 WITA di:\n*Kab. Lebak:* Muncang, Sajira,\n*Kota Serang:* Kasemen"),
            ["Kab. Lebak: Muncang, Sajira", "Kota Serang: Kasemen"],
        );
    }

    #[test]
    fn prose_without_a_list_names_no_place() {
        for prose in [
            "",
            "Hujan lebat dan angin kencang, tetap waspada.",
            "Kondisi ini berpotensi menimbulkan dampak berupa jarak pandang berkurang, dan banjir lokal.",
            "khususnya di",
            "akan terjadi pada 23:00 WIB di sebagian wilayah Banten.",
        ] {
            assert_eq!(nowcast_places(prose), [], "{prose}");
        }
    }
}
