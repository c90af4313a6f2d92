//! What the reader of BMKG's earthquakes takes, and what it refuses.

use chrono::{DateTime, TimeDelta, Utc};
use posko_formats::MAX_DOCUMENT_BYTES;
use posko_formats::bmkg::{self, Earthquake, ItemError};

const AUTOGEMPA: &str = include_str!("../fixtures/autogempa.json");
const GEMPATERKINI: &str = include_str!("../fixtures/gempaterkini.json");
const GEMPADIRASAKAN: &str = include_str!("../fixtures/gempadirasakan.json");

#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
fn read_one(document: &str) -> Result<Earthquake, ItemError> {
    let mut rows = bmkg::parse_earthquakes(document.as_bytes()).unwrap();
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

/// Reads the Cianjur earthquake with one field written otherwise, or left out.
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
fn read_changed(field: &str, value: Option<&str>) -> Result<Earthquake, ItemError> {
    let mut document: serde_json::Value = serde_json::from_str(AUTOGEMPA).unwrap();
    let row = document["Infogempa"]["gempa"].as_object_mut().unwrap();
    match value {
        Some(value) => row.insert(field.to_owned(), serde_json::from_str(value).unwrap()),
        None => row.remove(field),
    };
    read_one(&document.to_string())
}

#[expect(clippy::expect_used, reason = "a test stops at the first surprise")]
fn refuse_list(document: &[u8], message: &str) {
    let error = bmkg::parse_earthquakes(document).expect_err("the list was read");
    assert_eq!(error.to_string(), message);
}

#[test]
fn the_cianjur_earthquake_is_read_whole() {
    let earthquake = read_one(AUTOGEMPA).unwrap();
    assert_eq!(
        earthquake.origin_time.to_rfc3339(),
        "2022-11-21T06:21:09+00:00"
    );
    assert_eq!((earthquake.lat, earthquake.lon), (-6.85, 107.03));
    assert_eq!(earthquake.magnitude_hundredths, 560);
    assert_eq!(earthquake.depth_m, 11_000);
    assert_eq!(
        earthquake.region,
        "Pusat gempa berada di darat 10 km Barat Daya Kab. Cianjur"
    );
    assert_eq!(
        earthquake.potential.as_deref(),
        Some("Gempa ini dirasakan untuk diteruskan pada masyarakat"),
    );
    assert_eq!(
        earthquake.felt.as_deref(),
        Some("V-VI Cianjur, IV-V Garut, IV-V Sukabumi, III Cimahi, III Lembang, III Kota Bandung"),
    );
    assert_eq!(
        earthquake.shakemap.as_deref(),
        Some("20221121132109.mmi.jpg")
    );
}

#[test]
fn a_bad_row_does_not_hide_the_good_ones() {
    let rows = bmkg::parse_earthquakes(GEMPATERKINI.as_bytes()).unwrap();
    let [cianjur, numbers, contradiction] = rows.as_slice() else {
        panic!("three rows expected, not {}", rows.len());
    };
    assert_eq!(
        cianjur.as_ref().unwrap().potential.as_deref(),
        Some("Tidak berpotensi tsunami"),
    );
    let numbers = numbers.as_ref().unwrap();
    assert_eq!((numbers.lat, numbers.lon), (1.25, -179.5));
    assert_eq!(numbers.magnitude_hundredths, 525);
    assert_eq!(numbers.depth_m, 84_500);
    assert_eq!(numbers.potential, None);
    assert_eq!(
        contradiction.as_ref().unwrap_err().to_string(),
        "fields `Coordinates` and `Lintang` in row `3` disagree: `-7.1` and `7.1`",
    );
    assert_eq!(read_one(GEMPADIRASAKAN).unwrap().potential, None);
}

#[test]
fn fields_are_read_as_publishers_spell_them() {
    let depth = |written| read_changed("Kedalaman", Some(written)).unwrap().depth_m;
    assert_eq!(depth("\"84 Km\""), 84_000);
    assert_eq!(depth("\"10km\""), 10_000);
    assert_eq!(depth("11"), 11_000);
    assert_eq!(depth("\"153.192871\""), 153_193);
    let magnitude = |written| {
        read_changed("Magnitude", Some(written))
            .unwrap()
            .magnitude_hundredths
    };
    assert_eq!(magnitude("5.6"), 560);
    assert_eq!(magnitude("\"2.575533\""), 258);
    assert_eq!(magnitude("6"), 600);
    assert!(read_changed("Lintang", Some("-6.85")).is_ok());
    assert!(read_changed("Bujur", Some("\"107.04 bt\"")).is_ok());
    assert_eq!(read_changed("Dirasakan", Some("\"-\"")).unwrap().felt, None);
    assert_eq!(
        read_changed("Shakemap", Some("null")).unwrap().shakemap,
        None
    );
}

#[test]
fn every_required_field_is_missed_by_name() {
    for field in [
        "DateTime",
        "Coordinates",
        "Lintang",
        "Bujur",
        "Magnitude",
        "Kedalaman",
        "Wilayah",
    ] {
        for value in [None, Some("null"), Some("\"\"")] {
            assert_eq!(
                read_changed(field, value).unwrap_err().to_string(),
                format!("field `{field}` is missing in row `1`"),
            );
        }
    }
}

#[test]
fn every_wrong_field_is_refused_with_its_value() {
    let time = "a real time of RFC 3339";
    let pair = "a pair `lat,lon` with lat from -90 to 90 and lon from -180 to 180";
    let lintang = "a latitude such as `6.85 LS` or `1.47 LU`";
    let bujur = "a longitude such as `107.03 BT` or `176.44 BB`";
    let magnitude = "a magnitude from -2 to 10";
    let depth = "a depth from 0 to 1000 km";
    let kind = "a text or a number";
    for (field, value, said, expected) in [
        (
            "DateTime",
            "\"2022-11-31T06:21:09+00:00\"",
            "2022-11-31T06:21:09+00:00",
            time,
        ),
        ("DateTime", "\"21 Nov 2022\"", "21 Nov 2022", time),
        ("DateTime", "1669011669", "1669011669", time),
        ("Coordinates", "\"107.03,-6.85\"", "107.03,-6.85", pair),
        ("Coordinates", "\"-6.85\"", "-6.85", pair),
        ("Coordinates", "[-6.85,107.03]", "[-6.85,107.03]", kind),
        ("Lintang", "\"6.85 BT\"", "6.85 BT", lintang),
        ("Lintang", "\"-6.85 LS\"", "-6.85 LS", lintang),
        ("Lintang", "\"96.85 LS\"", "96.85 LS", lintang),
        ("Bujur", "\"107.03 LS\"", "107.03 LS", bujur),
        ("Bujur", "true", "true", kind),
        ("Magnitude", "\"besar\"", "besar", magnitude),
        ("Magnitude", "\"NaN\"", "NaN", magnitude),
        ("Magnitude", "\"56\"", "56", magnitude),
        ("Magnitude", "1e300", "1e+300", magnitude),
        ("Magnitude", "{\"Mw\":5.6}", "{\"Mw\":5.6}", kind),
        ("Kedalaman", "\"-17 km\"", "-17 km", depth),
        ("Kedalaman", "\"1001 km\"", "1001 km", depth),
        ("Kedalaman", "\"11 mil\"", "11 mil", depth),
        ("Kedalaman", "\"dangkal\"", "dangkal", depth),
        (
            "Wilayah",
            "\"a\\u0000b\"",
            "a b",
            "a text without control characters",
        ),
        ("Dirasakan", "[]", "[]", kind),
    ] {
        assert_eq!(
            read_changed(field, Some(value)).unwrap_err().to_string(),
            format!("field `{field}` in row `1` says `{said}`, which is not {expected}"),
        );
    }
    assert_eq!(
        read_changed("Bujur", Some("\"107.05 BT\""))
            .unwrap_err()
            .to_string(),
        "fields `Coordinates` and `Bujur` in row `1` disagree: `107.03` and `107.05`",
    );
    let long = format!("\"{}\"", "x".repeat(16 * 1024 + 1));
    assert!(
        read_changed("Wilayah", Some(&long))
            .unwrap_err()
            .to_string()
            .ends_with("a text of at most 16384 bytes")
    );
}

#[test]
fn a_row_that_is_no_object_is_refused_alone() {
    let row = AUTOGEMPA
        .split_once("\"gempa\":")
        .unwrap()
        .1
        .rsplit_once("}\n}")
        .unwrap()
        .0;
    let document = format!("{{\"Infogempa\":{{\"gempa\":[7, {row} ]}}}}");
    let rows = bmkg::parse_earthquakes(document.as_bytes()).unwrap();
    assert_eq!(
        rows[0].as_ref().unwrap_err().to_string(),
        "row `1` is `7`, not an object"
    );
    assert!(rows[1].is_ok());
}

#[test]
fn a_list_that_cannot_be_read_says_where() {
    let at = |line, column, reason| {
        format!("earthquake list is not readable at line `{line}` column `{column}`: {reason}")
    };
    refuse_list(b"", &at(1, 0, "EOF while parsing a value"));
    refuse_list(
        b"{\"Infogempa\":\n{\"gempa\":[{\"Wilayah\":\"Cian",
        &at(2, 26, "EOF while parsing a string"),
    );
    refuse_list(b"{}", &at(1, 2, "missing field `Infogempa`"));
    refuse_list(b"{\"Infogempa\":{}}", &at(1, 15, "missing field `gempa`"));
    refuse_list(
        b"{\"Infogempa\":{\"gempa\":5}}",
        &at(
            1,
            23,
            "invalid type: integer `5`, expected an earthquake or an array of earthquakes",
        ),
    );
    refuse_list(b"<html></html>", &at(1, 1, "expected value"));
    let rows = vec!["1"; bmkg::MAX_ROWS + 1].join(",");
    let error =
        bmkg::parse_earthquakes(format!("{{\"Infogempa\":{{\"gempa\":[{rows}]}}}}").as_bytes());
    assert!(
        error
            .unwrap_err()
            .to_string()
            .ends_with("more than `10000` earthquakes")
    );
    let deep = format!("{{\"Infogempa\":{{\"gempa\":[{}", "[".repeat(100_000));
    assert!(
        bmkg::parse_earthquakes(deep.as_bytes())
            .unwrap_err()
            .to_string()
            .contains("recursion limit")
    );
}

#[test]
fn a_truncated_list_is_refused_at_every_cut() {
    for document in [AUTOGEMPA, GEMPATERKINI] {
        let whole = document.trim_end();
        for end in 0..whole.len() {
            let cut = whole.as_bytes().get(..end).unwrap();
            assert!(
                bmkg::parse_earthquakes(cut).is_err(),
                "read although cut at byte {end}"
            );
        }
    }
}

#[test]
fn a_list_is_read_at_16_mib_and_refused_one_byte_later() {
    let mut document = AUTOGEMPA.as_bytes().to_vec();
    document.resize(MAX_DOCUMENT_BYTES, b' ');
    assert!(bmkg::parse_earthquakes(&document).is_ok());
    document.push(b' ');
    refuse_list(
        &document,
        "document of `16777217` bytes is larger than the limit of `16777216` bytes",
    );
}

#[test]
fn a_row_from_the_future_is_refused_naming_both_times() {
    let earthquake = read_one(AUTOGEMPA).unwrap();
    let now = |ahead: TimeDelta| earthquake.origin_time - ahead;
    for ahead in [TimeDelta::days(-900), TimeDelta::zero(), bmkg::MAX_AHEAD] {
        assert_eq!(bmkg::check_not_future(&earthquake, now(ahead)), Ok(()));
    }
    let late = now(bmkg::MAX_AHEAD + TimeDelta::seconds(1));
    assert_eq!(
        bmkg::check_not_future(&earthquake, late)
            .unwrap_err()
            .to_string(),
        "earthquake of `2022-11-21T06:21:09+00:00` lies more than `5` minutes after now, `2022-11-21T06:16:08+00:00`",
    );
    let extremes = [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC];
    assert_eq!(
        extremes.map(|now| bmkg::check_not_future(&earthquake, now).is_ok()),
        [false, true]
    );
}
