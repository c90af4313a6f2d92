//! Recorded documents of others, read where they are at hand; they are no part of this repository.

use std::{fs, path::PathBuf};

use chrono::DateTime;
use posko_formats::{
    bmkg::{self, Earthquake},
    cap, rss,
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
    let rows = list.rows.into_iter();
    rows.map(|row| row.unwrap_or_else(|error| panic!("{error}")).value)
        .collect()
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "what became of each file is the finding"
)]
fn every_recorded_document_is_read_or_refused_with_a_reason() {
    for (path, bytes) in [all_recorded("bmkg"), all_recorded("cap")].concat() {
        let results = [
            (
                "cap",
                cap::parse(&bytes)
                    .map(drop)
                    .map_err(|error| error.to_string()),
            ),
            (
                "rss",
                rss::parse(&bytes)
                    .map(drop)
                    .map_err(|error| error.to_string()),
            ),
            (
                "bmkg",
                bmkg::parse_earthquakes(&bytes)
                    .map_err(|error| error.to_string())
                    .and_then(|list| {
                        list.rows
                            .into_iter()
                            .try_for_each(|row| row.map(drop).map_err(|error| error.to_string()))
                    }),
            ),
        ];
        for (reader, result) in results {
            match result {
                Ok(()) => eprintln!("{reader} read {path}"),
                Err(error) => {
                    assert!(!error.is_empty());
                    eprintln!("{reader} refused {path}: {error}");
                }
            }
        }
    }
}

#[test]
fn recorded_nowcasts_say_what_bmkg_said() {
    for (path, province, polygons, sent) in [
        (
            "bmkg/dhanyyudi-bmkg-api/cap_banten.xml",
            "Banten",
            2,
            "2026-02-16T22:50:00+07:00",
        ),
        (
            "bmkg/dhanyyudi-bmkg-api/cap_jateng.xml",
            "Jawa Tengah",
            1,
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
