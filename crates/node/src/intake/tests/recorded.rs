//! What recorded documents of others would become, where they lie beside the repository.
//!
//! What each of them is, and what is wrong with it, stands in the table of `formats`; here it is what intake makes of it.

use std::path::{Path, PathBuf};

use posko_formats::check::Verdict;
use posko_proto::{
    common::v1::Hazard,
    warning::v1::{Fate, Warning},
};

use super::*;
use crate::offline::{Checked, Foreseen, check_bytes};

/// 1 March 2026, 00:00 UTC: after the newest of them, whatever day it is today.
const LATER: Millis = Millis(1_772_323_200_000);

/// What each file would become, by the end of its path: one line for each item, those alike counted. A warning is said by
/// its source, hazard, status if it is not actual, and where it holds: kab/kota of the three provinces, or nobody knows.
const FILES: &[(&str, &[&str])] = &[
    (
        "aldii-storage/autogempa.json",
        &["bmkg_earthquake earthquake: 32.11"],
    ),
    (
        "arraysyams-testingrepo/autogempa.json",
        &["bmkg_earthquake earthquake: outside"],
    ),
    (
        "arraysyams-testingrepo/autogempa.xml",
        &[
            "refused: field `Infogempa/gempa/Kedalaman` says `-17 km`, which is not a depth from 0 to 1000 km",
        ],
    ),
    ("arraysyams-testingrepo/datagempa-fiktif.json", &["outside"]),
    (
        "arraysyams-testingrepo/datagempa-inatews-gempabesar.json",
        &["outside"],
    ),
    (
        "arraysyams-testingrepo/datagempa-inatews-gempanormal.json",
        &["outside"],
    ),
    (
        "arraysyams-testingrepo/datagempa-inatews-mag_6-mmi_v",
        &["bmkg_earthquake earthquake: outside"],
    ),
    (
        "arraysyams-testingrepo/datagempa-inatews-tsunamiadvisory.json",
        &["outside"],
    ),
    (
        "arraysyams-testingrepo/datagempa-tes-tsunami-berakhir.json",
        &["outside"],
    ),
    (
        "arraysyams-testingrepo/gemparealtime.json",
        &[
            "refused: field `features[1].properties.time` says `2022-09-25 13:03:33.941369`, which is not a time with a zone, such as `WIB` or `+07:00`",
        ],
    ),
    (
        "arraysyams-testingrepo/inatews-gempakecil.json",
        &["outside"],
    ),
    (
        "arraysyams-testingrepo/inatews-gempaluarindo.json",
        &["outside"],
    ),
    ("arraysyams-testingrepo/test-tsunami.json", &["outside"]),
    ("/LICENSE", &[]),
    (
        "darcien-gempa_bumi/bmkg_felt_response_sample.json",
        &[
            "12 × outside",
            "2 × bmkg_earthquake earthquake: outside",
            "bmkg_earthquake earthquake: 36.01",
        ],
    ),
    (
        "dhanyyudi-bmkg-api/autogempa.json",
        &["bmkg_earthquake earthquake: outside"],
    ),
    (
        "dhanyyudi-bmkg-api/cap_banten.xml",
        &["bmkg_nowcast extreme_rain: 32.01 36.02 36.04 36.72 36.73"],
    ),
    ("dhanyyudi-bmkg-api/cap_jateng.xml", &["outside"]),
    ("dhanyyudi-bmkg-api/forecast_response.json", &[]),
    (
        "dhanyyudi-bmkg-api/gempadirasakan.json",
        &["2 × bmkg_earthquake earthquake: outside"],
    ),
    (
        "dhanyyudi-bmkg-api/gempaterkini.json",
        &["bmkg_earthquake earthquake: outside", "outside"],
    ),
    ("dhanyyudi-bmkg-api/rss_active.xml", &["3 × link"]),
    (
        "examples/43b080713727.cap",
        &["cap social_conflict: unknown"],
    ),
    ("examples/KAR0-0306112239-SW.cap", &["outside"]),
    ("examples/thunderstorm.cap", &["outside"]),
    (".xsd", &[]),
    (".rng", &[]),
    ("testdata/amber.atom", &["outside"]),
    ("testdata/australia.cap", &["outside"]),
    (
        "testdata/bushfire_invalid.edxlde",
        &[
            "refused: element `identifier` is missing in `EDXLDistribution/contentObject[2]/xmlContent/embeddedXMLContent/alert`",
            "refused: element `EDXLDistribution/contentObject[3]/xmlContent/embeddedXMLContent/alert/info/urgency`",
            "5 × outside",
        ],
    ),
    ("testdata/bushfire_valid.edxlde", &["7 × outside"]),
    ("testdata/canada.cap", &["outside"]),
    ("testdata/canada_errors.cap", &[]),
    ("testdata/canada_signed.atom", &["outside"]),
    ("testdata/canada_signed.cap", &["outside"]),
    ("testdata/earthquake-iso8859-1.cap", &["outside"]),
    ("testdata/earthquake.cap", &["outside"]),
    ("testdata/earthquake_index.atom", &["link"]),
    ("testdata/earthquake_signed.cap", &["outside"]),
    ("testdata/empty_weather_index.atom", &[]),
    (".pem", &[]),
    ("testdata/invalid.cap", &[]),
    ("testdata/invalid.rss", &[]),
    (
        "testdata/invalid_element.atom",
        &["refused: entry `feed/entry[1]`"],
    ),
    ("testdata/no_entries.atom", &[]),
    ("testdata/no_id.atom", &[]),
    ("testdata/no_link.atom", &["refused: entry `feed/entry[1]`"]),
    (
        "testdata/no_optional_fields.cap",
        &["refused: alert `USGS-earthquakes-us2010apcd.6.20100831T000925.496Z` says nothing"],
    ),
    (
        "testdata/no_title.atom",
        &["refused: element `title` is missing in `feed/entry[1]`"],
    ),
    ("testdata/noaa_errors.cap", &[]),
    ("testdata/ny_index.rss", &["2 × link"]),
    ("testdata/wcatwc-warning.cap", &["outside"]),
    ("testdata/weather.atom", &["outside"]),
    ("testdata/weather.cap", &["outside"]),
    ("testdata/weather_index.atom", &["2 × link"]),
    (
        "testdata/weather_invalid.atom",
        &["refused: element `feed/entry[1]/content/alert/identifier`"],
    ),
    ("testdata/xee.atom", &[]),
    ("testdata/xee.cap", &[]),
];

/// Returns every file below a recorded folder, or says that its test is skipped.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn all_recorded(name: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let mut folders = vec![root.join(name)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            eprintln!("skipped: `{name}` is not at hand");
            continue;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Returns what the items would become, those alike as one line with how many there are.
fn becomes(items: &[Foreseen]) -> Vec<String> {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for item in items {
        let line = line_of(item);
        match lines.iter_mut().find(|(known, _)| *known == line) {
            Some((_, count)) => *count += 1,
            None => lines.push((line, 1)),
        }
    }
    let lines = lines.into_iter();
    lines
        .map(|(line, count)| match count {
            1 => line,
            _ => format!("{count} × {line}"),
        })
        .collect()
}

fn line_of(foreseen: &Foreseen) -> String {
    let word = |name: &str, prefix: &str| name.trim_start_matches(prefix).to_lowercase();
    let fate = word(foreseen.item.fate().as_str_name(), "FATE_");
    let Some(warning) = &foreseen.warning else {
        return match foreseen.item.fate() {
            Fate::Refused | Fate::Nothing => {
                let message = foreseen.item.message.split(" at line").next();
                format!("{fate}: {}", message.unwrap_or_default())
            }
            _ => fate,
        };
    };
    let content = warning.content.clone().unwrap_or_default();
    let source = word(warning.source().as_str_name(), "SOURCE_");
    let hazard = Hazard::try_from(content.hazard).unwrap_or_default();
    let hazard = word(hazard.as_str_name(), "HAZARD_");
    let status = match content.status() {
        AlertStatus::Actual => String::new(),
        status => format!(" ({})", word(status.as_str_name(), "ALERT_STATUS_")),
    };
    format!("{source} {hazard}{status}: {}", place_of(warning))
}

fn place_of(warning: &Warning) -> String {
    if warning.regencies.is_empty() {
        let reach = warning.reach().as_str_name();
        return reach.trim_start_matches("AREA_REACH_").to_lowercase();
    }
    let codes = warning
        .regencies
        .iter()
        .map(|reach| reach.region_code.as_str());
    codes.collect::<Vec<&str>>().join(" ")
}

/// Checks that what the reader finds wrong is refused, and that nothing becomes of a document that cannot be read.
fn agrees(path: &str, checked: &Checked) {
    let refused: Vec<&str> = (checked.items.iter())
        .filter(|foreseen| foreseen.item.fate() == Fate::Refused)
        .map(|foreseen| foreseen.item.message.as_str())
        .collect();
    for fault in &checked.check.faults {
        assert!(
            checked.items.is_empty() || refused.contains(&fault.message.as_str()),
            "{path}: `{}` is wrong, and not refused: {refused:?}",
            fault.message
        );
    }
    if checked.check.verdict != Verdict::Invalid {
        assert_eq!(
            checked.check.items.len(),
            checked.items.len(),
            "{path}: what is in it and what it would become are not as many"
        );
    }
}

#[test]
fn every_recorded_document_becomes_what_the_table_says() {
    let mut differs = Vec::new();
    for path in [all_recorded("bmkg"), all_recorded("cap")].concat() {
        let bytes = std::fs::read(&path).unwrap();
        let path = path.display().to_string();
        let checked = check_bytes(&bytes, &Scope::default(), &Memory::default(), LATER);
        agrees(&path, &checked);
        let expected = FILES.iter().find(|(end, _)| path.ends_with(end));
        let (_, expected) = expected.unwrap_or_else(|| panic!("{path} is not in the table"));
        let becomes = becomes(&checked.items);
        if becomes != *expected {
            differs.push((path, becomes));
        }
    }
    assert_eq!(differs, [], "these become something else");
}
