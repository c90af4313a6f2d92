//! What the reader of gauges and volcanoes takes, and what it refuses by row and column.

use posko_formats::station::{
    self, Kind, Level, Reading, Siaga, StationError, Stations, VolcanoLevel,
};

const GAUGES: &str = "\u{FEFF}Station;time;level_cm;siaga\r\nKatulampa;2026-01-05T06:00:00+07:00;210.5;Siaga I\r\n\"Depok; Panus\";5 Jan 2026 06:00 WIB;180;\r\n";

#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
fn read(document: &str) -> Stations {
    station::parse(document.as_bytes()).unwrap()
}

/// Returns what is said of the rows that are refused.
fn refused(stations: &Stations) -> Vec<String> {
    let rows = stations.rows.iter();
    rows.filter_map(|row| row.as_ref().err().map(ToString::to_string))
        .collect()
}

#[test]
fn gauges_are_read_from_csv_as_a_sheet_writes_it() {
    let stations = read(GAUGES);
    assert_eq!(stations.kind, Kind::Gauge);
    assert!(stations.notes.is_empty());
    let time = "2026-01-04T23:00:00Z".parse().unwrap();
    assert_eq!(
        stations.rows,
        [
            Ok(Reading {
                station: "Katulampa".to_owned(),
                time,
                level: Level::Water {
                    level_mm: 2105,
                    siaga: Some(Siaga::I),
                },
            }),
            Ok(Reading {
                station: "Depok; Panus".to_owned(),
                time,
                level: Level::Water {
                    level_mm: 1800,
                    siaga: None,
                },
            }),
        ]
    );
}

#[test]
fn json_says_the_same_as_csv() {
    let json = r#"{"gauges":[{"station":"Katulampa","time":"2026-01-05T06:00:00+07:00","level_cm":210.5,"siaga":"I"}]}"#;
    assert_eq!(read(json).rows[0], read(GAUGES).rows[0]);
    let volcanoes = r#"{"volcanoes":[{"volcano":"Gede","time":"2026-01-05T06:00:00+07:00","level":"Level II (Waspada)"}]}"#;
    let csv = "time,level,volcano\n2026-01-05T06:00:00+07:00,waspada,Gede\n";
    assert_eq!(read(volcanoes).rows, read(csv).rows);
    assert_eq!(
        read(csv).rows[0].as_ref().unwrap().level,
        Level::Volcano(VolcanoLevel::Waspada)
    );
}

#[test]
fn a_bad_row_is_refused_by_row_and_column_and_hides_no_good_one() {
    let stations = read(
        "station,time,level_cm,siaga,penjaga\nKatulampa,2026-01-05 06:00,210,,Budi\nKatulampa,2026-01-05T06:00:00+07:00,dua,,\nKatulampa,2026-01-05T06:00:00+07:00,\"2,1\",,\nKatulampa,2026-01-05T06:00:00+07:00,210,V,\n,2026-01-05T06:00:00+07:00,210,,\nDepok,210\n\"Depok,210,,,\nKatulampa,2026-01-05T06:00:00+07:00,210,,\nKATULAMPA,2026-01-04T23:00:00Z,90,,\n",
    );
    let level = "a height from -1000 to 10000 cm, such as `210` or `210.5`";
    assert_eq!(
        refused(&stations),
        [
            "field `row[1].time` says `2026-01-05 06:00`, which is not a time with a zone, such as `+07:00` or `WIB`",
            &format!("field `row[2].level_cm` says `dua`, which is not {level}"),
            &format!("field `row[3].level_cm` says `2,1`, which is not {level}"),
            "field `row[4].siaga` says `V`, which is not an alert level from `I` to `IV`",
            "field `row[5].station` is missing",
            "field `row[6]` says `2 cells`, which is not a row of 5 cells, as many as the header has",
            "field `row[7]` says `an open quotation mark`, which is not a row of 5 cells, as many as the header has",
            "field `row[9].time` says `2026-01-04T23:00:00Z`, which is not a new time: `row[8]` is of the same station and time",
        ]
    );
    assert!(stations.rows[7].is_ok());
    let note = &stations.notes[0];
    assert_eq!((note.path.as_str(), note.count), ("row.penjaga", 7));
    assert!(!format!("{stations:?}").contains("Budi"));
}

#[test]
fn a_table_that_cannot_be_read_says_why() {
    for (document, message) in [
        (
            &b"tinggi,jam\n1,2\n"[..],
            "column `station` is missing in the header",
        ),
        (
            b"station,time\n",
            "column `level_cm` is missing in the header",
        ),
        (b"volcano,level\n", "column `time` is missing in the header"),
        (b"station,time,level_cm\n\n", "table has no row"),
        (
            b"station,time,level_cm,LEVEL_CM\nKatulampa,2026-01-05T06:00:00+07:00,20,210\n",
            "column `level_cm` stands twice in the header",
        ),
        (
            b"{\"gauges\":[{\"station\":\"Katulampa\",\"station\":\"Depok\"}]}",
            "table is not readable as JSON at line `1` column `43`: field `station` stands twice",
        ),
        (b"{\"volcanoes\":[]}", "table has no row"),
        (
            b"station,time,level_cm\n\xFF\n",
            "table is not UTF-8 at line `2`",
        ),
        (
            b"{\"gauges\":",
            "table is not readable as JSON at line `1` column `10`: EOF while parsing a value",
        ),
        (b"{\"gauges\":[7]}", "`gauges[1]` is `7`, not an object"),
        (
            b"{\"gauges\":7}",
            "field `gauges` says `7`, which is not a list",
        ),
    ] {
        let error = station::parse(document).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let long = [
        "station,time,level_cm\n",
        &"a,b,1\n".repeat(station::MAX_ROWS + 1),
    ]
    .concat();
    assert_eq!(
        station::parse(long.as_bytes()),
        Err(StationError::TooManyRows {
            limit: station::MAX_ROWS
        })
    );
}

#[test]
fn levels_are_read_as_their_keepers_write_them() {
    for (word, siaga) in [
        ("Siaga IV", Some(Siaga::IV)),
        ("siaga 3", Some(Siaga::III)),
        ("II", Some(Siaga::II)),
        ("1", Some(Siaga::I)),
        ("Siaga", None),
        ("V", None),
    ] {
        assert_eq!(Siaga::from_word(word), siaga, "{word}");
    }
    for (word, level) in [
        ("Normal", Some(VolcanoLevel::Normal)),
        ("Level III (Siaga)", Some(VolcanoLevel::Siaga)),
        ("IV", Some(VolcanoLevel::Awas)),
        ("Level II (Siaga)", None),
        ("Level", None),
        ("Gawat", None),
    ] {
        assert_eq!(VolcanoLevel::from_word(word), level, "{word}");
    }
}
