//! What the reader of BMKG's earthquakes takes, and what it refuses.

use chrono::{DateTime, TimeDelta, Utc};
use posko_formats::FieldError;
use posko_formats::MAX_DOCUMENT_BYTES;
use posko_formats::bmkg::{self, Bulletin, BulletinError, Earthquake, Stage, TsunamiLevel};
use posko_formats::cap::Status;

const AUTOGEMPA: &str = include_str!("../fixtures/autogempa.json");
const GEMPATERKINI: &str = include_str!("../fixtures/gempaterkini.json");
const GEMPADIRASAKAN: &str = include_str!("../fixtures/gempadirasakan.json");

#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
fn read_one(document: &str) -> Result<Earthquake, FieldError> {
    let mut rows = bmkg::parse_earthquakes(document.as_bytes()).unwrap().rows;
    assert_eq!(rows.len(), 1);
    rows.remove(0).map(|row| row.value)
}

/// Reads the Cianjur earthquake with one field written otherwise, or left out.
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
fn read_changed(field: &str, value: Option<&str>) -> Result<Earthquake, FieldError> {
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
    let rows = bmkg::parse_earthquakes(GEMPATERKINI.as_bytes())
        .unwrap()
        .rows;
    let [cianjur, numbers, contradiction] = rows.as_slice() else {
        panic!("three rows expected, not {}", rows.len());
    };
    assert_eq!(
        cianjur.as_ref().unwrap().value.potential.as_deref(),
        Some("Tidak berpotensi tsunami"),
    );
    let numbers = &numbers.as_ref().unwrap().value;
    assert_eq!((numbers.lat, numbers.lon), (1.25, -179.5));
    assert_eq!(numbers.magnitude_hundredths, 525);
    assert_eq!(numbers.depth_m, 84_500);
    assert_eq!(numbers.potential, None);
    assert_eq!(
        contradiction.as_ref().unwrap_err().to_string(),
        "fields `Infogempa.gempa[3].Lintang` and `Coordinates` disagree: `7.1` and `-7.1`",
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
                format!("field `Infogempa.gempa.{field}` is missing"),
            );
        }
    }
}

#[test]
fn every_wrong_field_is_refused_with_its_value() {
    let time = "a real time of RFC 3339, with its zone";
    let pair = "a pair `lat,lon` with lat from -90 to 90 and lon from -180 to 180";
    let swapped =
        "a pair `lat,lon` with lat from -90 to 90 and lon from -180 to 180: the two are swapped";
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
        ("Coordinates", "\"107.03,-6.85\"", "107.03,-6.85", swapped),
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
            format!("field `Infogempa.gempa.{field}` says `{said}`, which is not {expected}"),
        );
    }
    assert_eq!(
        read_changed("Bujur", Some("\"107.05 BT\""))
            .unwrap_err()
            .to_string(),
        "fields `Infogempa.gempa.Bujur` and `Coordinates` disagree: `107.05` and `107.03`",
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
    let rows = bmkg::parse_earthquakes(document.as_bytes()).unwrap().rows;
    assert_eq!(
        rows[0].as_ref().unwrap_err().to_string(),
        "`Infogempa.gempa[1]` is `7`, not an object"
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
    refuse_list(
        b"<html></html>",
        &at(
            1,
            1,
            "root element `html` is not `Infogempa` with `gempa` in it",
        ),
    );
    refuse_list(b"gempa", &at(1, 1, "expected value"));
    refuse_list(
        br#"{"Infogempa":{"gempa":{"Magnitude":"5.6","Magnitude":"7.6"}}}"#,
        &at(1, 52, "field `Magnitude` stands twice"),
    );
    let none = "earthquake list holds no earthquake in `Infogempa.gempa`";
    refuse_list(b"{\"Infogempa\":{\"gempa\":[]}}", none);
    refuse_list(b"<Infogempa></Infogempa>", none);
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

/// A list in XML as BMKG publishes it, with the Cianjur earthquake.
const XML: &str = "<?xml version='1.0'?>
<Infogempa>
  <gempa>
    <Tanggal>21 Nov 2022</Tanggal>
    <Jam>13:21:09 WIB</Jam>
    <DateTime>2022-11-21T06:21:09+00:00</DateTime>
    <point><coordinates>-6.85,107.03</coordinates></point>
    <Lintang>6.85 LS</Lintang>
    <Bujur>107.03 BT</Bujur>
    <Magnitude>5.6</Magnitude>
    <Kedalaman>11 km</Kedalaman>
    <Wilayah>Pusat gempa berada di darat 10 km Barat Daya Kab. Cianjur</Wilayah>
    <Dirasakan>V-VI Cianjur, IV-V Garut</Dirasakan>
  </gempa>
</Infogempa>";

#[test]
fn a_list_in_xml_says_the_same_as_in_json() {
    let list = bmkg::parse_earthquakes(XML.as_bytes()).unwrap();
    let row = list.rows[0].as_ref().unwrap();
    assert!(list.notes.is_empty() && row.notes.is_empty());
    let json = read_one(AUTOGEMPA).unwrap();
    assert_eq!(row.value.origin_time, json.origin_time);
    assert_eq!((row.value.lat, row.value.lon), (json.lat, json.lon));
    assert_eq!(row.value.depth_m, json.depth_m);
    let (before, row) = XML.split_once("<gempa>").unwrap();
    let two = format!(
        "{before}<gempa>{}</gempa><gempa>{row}",
        row.split("</gempa>").next().unwrap()
    );
    let two = two.replacen("11 km", "-17 km", 1);
    let twice = XML.replace("<Lintang>", "<Magnitude>7.6</Magnitude><Lintang>");
    let twice = bmkg::parse_earthquakes(twice.as_bytes()).unwrap();
    assert_eq!(
        twice.rows[0].as_ref().unwrap_err().to_string(),
        "field `Infogempa/gempa/Magnitude` stands twice"
    );
    let list = bmkg::parse_earthquakes(two.as_bytes()).unwrap();
    assert_eq!(
        list.rows[0].as_ref().unwrap_err().to_string(),
        "field `Infogempa/gempa[1]/Kedalaman` says `-17 km`, which is not a depth from 0 to 1000 km",
    );
    assert!(list.rows[1].is_ok());
}

#[test]
fn what_a_row_says_beside_the_point_is_noted() {
    let notes = |from: &str, to: &str| {
        assert!(AUTOGEMPA.contains(from));
        let list = bmkg::parse_earthquakes(AUTOGEMPA.replacen(from, to, 1).as_bytes()).unwrap();
        let row = list.rows[0].as_ref().unwrap();
        let notes = list.notes.iter().chain(&row.notes).map(ToString::to_string);
        notes.collect::<Vec<_>>().join("; ")
    };
    assert_eq!(
        notes("\"Jam\": \"13:21:09 WIB\"", "\"Jam\": \"13:21:09 WITA\""),
        "`Infogempa.gempa.Jam`: says another time than `DateTime`, which is taken: `2022-11-21T05:21:09+00:00` and `2022-11-21T06:21:09+00:00`",
    );
    assert_eq!(
        notes("\"DateTime\"", "\"Waktu\""),
        "`Infogempa.gempa.Waktu`: has no place here, and is not kept; `Infogempa.gempa.DateTime`: is missing, and taken from `Tanggal` and `Jam`",
    );
    assert_eq!(
        notes("III Cimahi", "Cimahi"),
        "`Infogempa.gempa.Dirasakan`: `Cimahi` is no intensity with a place, and kept as it is",
    );
    assert_eq!(
        notes("{\n", "{\"versi\": 2,\n"),
        "`versi`: has no place here, and is not kept",
    );
}

/// A bulletin of InaTEWS on an invented earthquake, in BMKG's shape.
const BULLETIN: &str = r#"{
  "identifier": "Indonesia-InaTEWS-20260105060500",
  "sender": "inatews@bmkg.go.id",
  "sent": "2026-01-05T06:05:00WIB",
  "status": "Actual",
  "msgType": "Alert",
  "scope": "Public",
  "code": "profile:BMKG-Versi:1",
  "info": {
    "event": "Gempabumi",
    "date": "05-01-26",
    "time": "06:00:00 WIB",
    "point": {"coordinates": "105.10,-7.20"},
    "latitude": "7.20 LS",
    "longitude": "105.10 BT",
    "magnitude": "7.4",
    "depth": "20 Km",
    "area": "90 km BaratDaya PANDEGLANG-BANTEN",
    "eventid": "20260105060500",
    "potential": "Potensi TSUNAMI untuk diteruskan pada masyarakat",
    "subject": "Warning Tsunami PD-2",
    "headline": "Peringatan Dini Tsunami untuk wilayah: BANTEN",
    "wzarea": [
      {"province": "BANTEN", "district": "PANDEGLANG", "level": "SIAGA", "date": "05-01-2026", "time": "06:21:00 WIB"},
      {"province": "BANTEN", "district": "LEBAK", "level": "WASPADA", "date": "05-01-2026", "time": "06:30:00 WIB"}
    ]
  }
}"#;

fn read_bulletin(from: &str, to: &str) -> Result<posko_formats::Read<Bulletin>, BulletinError> {
    assert!(
        BULLETIN.contains(from),
        "the bulletin does not hold {from:?}"
    );
    bmkg::parse_bulletin(BULLETIN.replacen(from, to, 1).as_bytes())
}

#[test]
fn a_tsunami_warning_is_read_with_its_coasts() {
    let read = read_bulletin("", "").unwrap();
    assert!(!read.has_warnings(), "{:?}", read.notes);
    let bulletin = read.value;
    assert_eq!(bulletin.status, Status::Actual);
    assert_eq!(bulletin.stage, Stage::Warning(2));
    assert_eq!(bulletin.sent.to_rfc3339(), "2026-01-04T23:05:00+00:00");
    assert_eq!(
        bulletin.earthquake.origin_time.to_rfc3339(),
        "2026-01-04T23:00:00+00:00"
    );
    assert_eq!(
        (bulletin.earthquake.lat, bulletin.earthquake.lon),
        (-7.2, 105.1)
    );
    assert_eq!(bulletin.earthquake.magnitude_hundredths, 740);
    let levels: Vec<_> = bulletin
        .areas
        .iter()
        .map(|area| (area.district.as_str(), area.level))
        .collect();
    assert_eq!(
        levels,
        [
            ("PANDEGLANG", TsunamiLevel::Siaga),
            ("LEBAK", TsunamiLevel::Waspada),
        ]
    );
}

#[test]
fn a_bulletin_says_whether_it_warns_ends_or_only_tests() {
    let stage = |from: &str, to: &str| read_bulletin(from, to).unwrap().value.stage;
    assert_eq!(
        stage(
            "Tsunami untuk wilayah: BANTEN",
            "Tsunami dinyatakan berakhir"
        ),
        Stage::Ended
    );
    assert_eq!(
        stage("Warning Tsunami PD-2", "Gempa M>5"),
        Stage::Warning(0)
    );
    let quiet = BULLETIN
        .replace("Warning Tsunami PD-2", "Gempa M>5")
        .replace("Peringatan Dini Tsunami untuk", "Info Gempa untuk")
        .replace("Potensi TSUNAMI untuk", "tidak berpotensi TSUNAMI, untuk");
    let quiet = bmkg::parse_bulletin(quiet.as_bytes()).unwrap().value;
    assert_eq!(quiet.stage, Stage::Earthquake);
    let test = read_bulletin("\"Actual\"", "\"TES\"").unwrap();
    assert_eq!(test.value.status, Status::Test);
    let lie = read_bulletin("90 km", "Ini hanya tes. 90 km").unwrap();
    let note = lie
        .notes
        .iter()
        .find(|note| note.path == "info.area")
        .unwrap();
    assert!(note.text.contains("`status` says `Actual`"), "{note}");
}

#[test]
fn a_wrong_bulletin_is_refused_by_its_field() {
    for (from, to, message) in [
        (
            "105.10,-7.20",
            "-7.20,105.10",
            "field `info.point.coordinates` says `-7.20,105.10`, which is not a point `lon,lat` with lon from -180 to 180 and lat from -90 to 90: the two are swapped",
        ),
        (
            "7.20 LS",
            "7.20 LU",
            "fields `info.latitude` and `point.coordinates` disagree: `7.2` and `-7.2`",
        ),
        (
            "06:00:00 WIB",
            "06:00:00",
            "field `info.time` says `06:00:00`, which is not a real time with a zone, such as `WIB`",
        ),
        (
            "\"05-01-26\"",
            "\"05-13-26\"",
            "field `info.date` says `05-13-26`, which is not a real date",
        ),
        (
            "06:05:00WIB",
            "06:05:00",
            "field `sent` says `2026-01-05T06:05:00`, which is not a time with a zone, such as `WIB` or `+07:00`",
        ),
        (
            "\"SIAGA\"",
            "\"GAWAT\"",
            "field `info.wzarea[1].level` says `GAWAT`, which is not one of Waspada, Siaga, Awas",
        ),
        (
            "\"magnitude\"",
            "\"mag\"",
            "field `info.magnitude` is missing",
        ),
        ("\"info\"", "\"isi\"", "field `info` is missing"),
    ] {
        assert_eq!(read_bulletin(from, to).unwrap_err().to_string(), message);
    }
    let cut = BULLETIN.get(..40).unwrap();
    let error = bmkg::parse_bulletin(cut.as_bytes())
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("bulletin is not readable at line `2`"),
        "{error}"
    );
}
