//! Recorded documents of others, read where they are at hand; they are no part of this repository.

use std::{fs, path::PathBuf};

use chrono::DateTime;
use posko_formats::{
    Level,
    bmkg::{self, Earthquake},
    cap,
    check::{self, Verdict},
    rss,
};

/// Returns a recorded file, or says that its test is skipped.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn recorded(path: &str) -> Option<Vec<u8>> {
    let full = folder().join(path);
    let bytes = fs::read(&full).ok();
    if bytes.is_none() {
        eprintln!("skipped: `{path}` is not at hand");
    }
    bytes
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"))
}

/// Returns every file below a recorded folder, or says that its test is skipped.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn all_recorded(path: &str) -> Vec<(String, Vec<u8>)> {
    let mut folders = vec![folder().join(path)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            eprintln!("skipped: `{path}` is not at hand");
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = fs::read(&path) {
                files.push((path.display().to_string(), bytes));
            }
        }
    }
    files.sort();
    files
}

#[expect(clippy::panic, reason = "a test stops at the first surprise")]
fn all_rows(document: &[u8]) -> Vec<Earthquake> {
    let list = bmkg::parse_earthquakes(document).unwrap_or_else(|error| panic!("{error}"));
    list.rows
        .into_iter()
        .map(|row| row.unwrap_or_else(|error| panic!("{error}")).value)
        .collect()
}

/// What is to be found out about a recorded file.
enum Expected {
    /// It is read whole.
    Valid,
    /// It is read, and this is noted as a warning.
    Warned(&'static str),
    /// It is refused, and this is the element at fault, or what the message begins with where there is none.
    Invalid(&'static str),
}

use Expected::{Invalid, Valid, Warned};

/// Every recorded file of BMKG's and of the CAP library's, by the end of its path.
const FILES: &[(&str, Expected)] = &[
    ("aldii-storage/autogempa.json", Valid),
    ("arraysyams-testingrepo/autogempa.json", Valid),
    (
        "arraysyams-testingrepo/autogempa.xml",
        Invalid("Infogempa/gempa/Kedalaman"),
    ),
    (
        "arraysyams-testingrepo/datagempa-fiktif.json",
        Warned("info.area"),
    ),
    (
        "arraysyams-testingrepo/datagempa-inatews-gempabesar.json",
        Valid,
    ),
    (
        "arraysyams-testingrepo/datagempa-inatews-gempanormal.json",
        Valid,
    ),
    (
        "arraysyams-testingrepo/datagempa-inatews-mag_6-mmi_v",
        Valid,
    ),
    (
        "arraysyams-testingrepo/datagempa-inatews-tsunamiadvisory.json",
        Warned("info.wzarea[2].district"),
    ),
    (
        "arraysyams-testingrepo/datagempa-tes-tsunami-berakhir.json",
        Valid,
    ),
    (
        "arraysyams-testingrepo/gemparealtime.json",
        Invalid("features[1].properties.time"),
    ),
    ("arraysyams-testingrepo/inatews-gempakecil.json", Valid),
    ("arraysyams-testingrepo/inatews-gempaluarindo.json", Valid),
    ("arraysyams-testingrepo/test-tsunami.json", Valid),
    ("darcien-gempa_bumi/bmkg_felt_response_sample.json", Valid),
    ("dhanyyudi-bmkg-api/autogempa.json", Valid),
    ("dhanyyudi-bmkg-api/cap_banten.xml", Valid),
    (
        "dhanyyudi-bmkg-api/cap_jateng.xml",
        Warned("alert/info/area/polygon"),
    ),
    (
        "dhanyyudi-bmkg-api/forecast_response.json",
        Invalid("document is a village forecast of BMKG"),
    ),
    ("dhanyyudi-bmkg-api/gempadirasakan.json", Valid),
    ("dhanyyudi-bmkg-api/gempaterkini.json", Valid),
    ("dhanyyudi-bmkg-api/rss_active.xml", Valid),
    ("/LICENSE", Invalid("document is plain text")),
    ("examples/43b080713727.cap", Valid),
    ("examples/KAR0-0306112239-SW.cap", Valid),
    ("examples/thunderstorm.cap", Valid),
    (
        ".xsd",
        Invalid("document is XML with the root element `schema`"),
    ),
    (".rng", Invalid("document is plain text")),
    (".pem", Invalid("document is a certificate or a key")),
    ("testdata/amber.atom", Valid),
    ("testdata/australia.cap", Valid),
    (
        "testdata/bushfire_invalid.edxlde",
        Invalid("EDXLDistribution/contentObject[2]/xmlContent/embeddedXMLContent/alert/identifier"),
    ),
    ("testdata/bushfire_valid.edxlde", Valid),
    ("testdata/canada.cap", Valid),
    ("testdata/canada_errors.cap", Invalid("alert/references")),
    ("testdata/canada_signed.atom", Valid),
    ("testdata/canada_signed.cap", Valid),
    ("testdata/earthquake-iso8859-1.cap", Valid),
    ("testdata/earthquake.cap", Valid),
    ("testdata/earthquake_index.atom", Valid),
    ("testdata/earthquake_signed.cap", Valid),
    ("testdata/empty_weather_index.atom", Valid),
    ("testdata/invalid.cap", Invalid("alert/scope")),
    ("testdata/invalid.rss", Invalid("channel/title")),
    (
        "testdata/invalid_element.atom",
        Invalid("feed/entry[1]/link"),
    ),
    ("testdata/no_entries.atom", Warned("feed/alert")),
    ("testdata/no_id.atom", Invalid("feed/id")),
    ("testdata/no_link.atom", Invalid("feed/entry[1]/link")),
    ("testdata/no_optional_fields.cap", Valid),
    ("testdata/no_title.atom", Invalid("feed/entry[1]/title")),
    ("testdata/noaa_errors.cap", Invalid("alert/info/urgency")),
    ("testdata/ny_index.rss", Valid),
    ("testdata/wcatwc-warning.cap", Valid),
    ("testdata/weather.atom", Valid),
    ("testdata/weather.cap", Valid),
    ("testdata/weather_index.atom", Valid),
    (
        "testdata/weather_invalid.atom",
        Invalid("feed/entry[1]/content/alert/identifier"),
    ),
    ("testdata/xee.atom", Invalid("document type (DOCTYPE)")),
    ("testdata/xee.cap", Invalid("document type (DOCTYPE)")),
];

#[test]
fn every_recorded_document_is_found_to_be_what_the_table_says() {
    for (path, bytes) in [all_recorded("bmkg"), all_recorded("cap")].concat() {
        let (_, expected) = FILES
            .iter()
            .find(|(end, _)| path.ends_with(end))
            .unwrap_or_else(|| panic!("{path} is not in the table"));
        let check = check::check(&bytes);
        let warnings: Vec<_> = check
            .notes
            .iter()
            .chain(check.items.iter().flat_map(|item| &item.notes))
            .filter(|note| note.level == Level::Warning)
            .map(|note| note.path.as_str())
            .collect();
        match expected {
            Valid => assert_eq!((check.faults, warnings), (vec![], vec![]), "{path}"),
            Warned(element) => {
                assert_eq!(check.verdict, Verdict::ValidWithWarnings, "{path}");
                assert!(warnings.contains(element), "{path}: {warnings:?}");
            }
            Invalid(fault) => {
                assert_eq!(check.verdict, Verdict::Invalid, "{path}");
                let first = &check.faults[0];
                let said = first.element.as_ref().unwrap_or(&first.message);
                assert!(said.starts_with(fault), "{path}: {said}");
            }
        }
    }
}

#[test]
fn recorded_nowcasts_say_what_bmkg_said() {
    for (path, province, polygons, kecamatan, sent) in [
        (
            "bmkg/dhanyyudi-bmkg-api/cap_banten.xml",
            "Banten",
            2,
            20,
            "2026-02-16T22:50:00+07:00",
        ),
        (
            "bmkg/dhanyyudi-bmkg-api/cap_jateng.xml",
            "Jawa Tengah",
            1,
            4,
            "2026-02-16T22:00:00+07:00",
        ),
    ] {
        let Some(bytes) = recorded(path) else {
            continue;
        };
        let alert = cap::parse(&bytes).unwrap().value;
        assert_eq!(bmkg::nowcast_province(&alert), Ok(province));
        assert_eq!(alert.sent, DateTime::parse_from_rfc3339(sent).unwrap());
        assert_eq!(alert.infos[0].areas[0].polygons.len(), polygons);
        let prose = alert.infos[0].description.as_deref().unwrap();
        let [group] = bmkg::nowcast_places(prose).try_into().unwrap();
        assert_eq!((group.names.len(), group.within), (kecamatan, None));
        assert!(!group.is_spread);
    }
    let Some(bytes) = recorded("bmkg/dhanyyudi-bmkg-api/rss_active.xml") else {
        return;
    };
    let channel = rss::parse(&bytes).unwrap().value;
    assert!(channel.refused.is_empty());
    assert_eq!(channel.title, "Peringatan Dini Cuaca BMKG");
    assert_eq!(
        bmkg::nowcast_link(&channel.items[0]).unwrap().code,
        "CBT20260216004"
    );
    assert_eq!(
        channel.items[0].guid.as_deref(),
        Some("2.49.0.1.360.0.2026.02.16.16.36.004")
    );
}

#[test]
fn recorded_earthquakes_say_what_bmkg_said() {
    for (path, rows, magnitude_hundredths, depth_m, place) in [
        (
            "bmkg/dhanyyudi-bmkg-api/autogempa.json",
            1,
            540,
            10_000,
            (-6.89, 109.67),
        ),
        (
            "bmkg/dhanyyudi-bmkg-api/gempaterkini.json",
            2,
            540,
            10_000,
            (-6.89, 109.67),
        ),
        (
            "bmkg/dhanyyudi-bmkg-api/gempadirasakan.json",
            2,
            540,
            10_000,
            (-6.89, 109.67),
        ),
        (
            "bmkg/darcien-gempa_bumi/bmkg_felt_response_sample.json",
            15,
            460,
            30_000,
            (-4.46, 102.6),
        ),
        (
            "bmkg/aldii-storage/autogempa.json",
            1,
            280,
            6_000,
            (-6.83, 107.95),
        ),
        (
            "bmkg/arraysyams-testingrepo/autogempa.json",
            1,
            480,
            55_000,
            (-8.87, 110.97),
        ),
    ] {
        let Some(bytes) = recorded(path) else {
            continue;
        };
        let earthquakes = all_rows(&bytes);
        assert_eq!(earthquakes.len(), rows, "{path}");
        let first = &earthquakes[0];
        assert_eq!(first.magnitude_hundredths, magnitude_hundredths, "{path}");
        assert_eq!(first.depth_m, depth_m, "{path}");
        assert_eq!((first.lat, first.lon), place, "{path}");
        let felt: Vec<_> = earthquakes
            .iter()
            .filter_map(|earthquake| earthquake.felt.as_deref())
            .map(bmkg::felt_places)
            .collect();
        assert_eq!(felt.len(), rows, "{path}");
        assert!(felt.iter().all(|felt| felt.unread.is_empty()), "{felt:?}");
    }
}

#[test]
fn recorded_alerts_of_other_publishers_are_read() {
    for (name, infos, references) in [
        ("testdata/australia.cap", 2, 0),
        ("testdata/canada.cap", 2, 2),
        ("testdata/weather.cap", 1, 0),
        ("testdata/wcatwc-warning.cap", 1, 1),
        ("examples/thunderstorm.cap", 1, 0),
    ] {
        let Some(bytes) = recorded(&format!("cap/google-cap-library/{name}")) else {
            continue;
        };
        let alert = cap::parse(&bytes)
            .unwrap_or_else(|error| panic!("{name}: {error}"))
            .value;
        assert_eq!(
            (alert.infos.len(), alert.references.len()),
            (infos, references),
            "{name}"
        );
    }
}

#[test]
fn recorded_hostile_alerts_are_refused() {
    for (name, reason) in [
        ("xee.cap", "document type (DOCTYPE)"),
        ("invalid.cap", "element `scope` is missing in `alert`"),
        ("noaa_errors.cap", "element `alert/info/urgency`"),
    ] {
        let Some(bytes) = recorded(&format!("cap/google-cap-library/testdata/{name}")) else {
            continue;
        };
        let error = cap::parse(&bytes).expect_err(name).to_string();
        assert!(error.starts_with(reason), "{name}: {error}");
    }
}
