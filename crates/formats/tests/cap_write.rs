//! An alert that is written reads back as the same, and is valid against the standard's own schema.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{fs, path::PathBuf, process::Command};

use chrono::{DateTime, FixedOffset, TimeZone};
use posko_formats::{
    Level,
    cap::{
        self, Alert, Area, Category, Certainty, Circle, Info, MsgType, NamedValue, Reference,
        Resource, ResponseType, Scope, Severity, Status, Urgency, Version,
    },
};
use proptest::{collection::vec, option, prelude::*};

fn wib(seconds: i64) -> DateTime<FixedOffset> {
    FixedOffset::east_opt(7 * 3600)
        .unwrap()
        .timestamp_opt(seconds, 0)
        .unwrap()
}

fn alert() -> Alert {
    let text = |text: &str| Some(text.to_owned());
    let info = |language: &str, headline: &str| Info {
        language: language.into(),
        categories: vec![Category::Met, Category::Safety],
        event: "Banjir".into(),
        response_types: vec![ResponseType::Prepare],
        urgency: Urgency::Expected,
        severity: Severity::Severe,
        certainty: Certainty::Likely,
        audience: None,
        effective: Some(wib(1_767_589_200)),
        onset: None,
        expires: Some(wib(1_767_610_800)),
        sender_name: text("PMI Provinsi Jawa Barat"),
        headline: text(headline),
        description: text("Tinggi muka air naik & meluap; <waspada>.\r\nBaris kedua"),
        instruction: text("Jauhi bantaran sungai."),
        web: text("https://contoh.example/a?b=1&c=2"),
        event_codes: Vec::new(),
        parameters: vec![NamedValue {
            name: "level".into(),
            value: "Siaga I".into(),
        }],
        resources: Vec::new(),
        areas: vec![Area {
            description: "Kota Bekasi".into(),
            polygons: vec![vec![
                (-6.2, 106.9),
                (-6.2, 107.0),
                (-6.3, 107.0),
                (-6.2, 106.9),
            ]],
            circles: vec![Circle {
                lat: -6.24,
                lon: 106.99,
                radius_km: 5.5,
            }],
            geocodes: vec![NamedValue {
                name: "Kemendagri".into(),
                value: "32.75".into(),
            }],
            altitude_ft: None,
            ceiling_ft: None,
        }],
    };
    Alert {
        version: Version::V1_2,
        identifier: "posko.32.1".into(),
        sender: "posko-32@contoh".into(),
        sent: wib(1_767_589_200),
        status: Status::Actual,
        msg_type: MsgType::Update,
        scope: Scope::Public,
        source: None,
        restriction: None,
        codes: Vec::new(),
        note: text("catatan"),
        references: vec![Reference {
            sender: "posko-32@contoh".into(),
            identifier: "posko.32.0".into(),
            sent: Some(wib(1_767_580_000)),
        }],
        incidents: vec!["banjir kali bekasi".into(), "x".into()],
        signatures: Vec::new(),
        infos: vec![info("id", "Siaga banjir"), info("en", "Flood watch")],
    }
}

#[test]
fn times_carry_their_offset_and_utc_is_never_written_z() {
    let mut alert = alert();
    let written = cap::write(&alert).unwrap();
    assert!(
        written.contains("<sent>2026-01-05T12:00:00+07:00</sent>"),
        "{written}"
    );
    alert.sent = alert.sent.with_timezone(&FixedOffset::east_opt(0).unwrap());
    let written = cap::write(&alert).unwrap();
    assert!(
        written.contains("<sent>2026-01-05T05:00:00-00:00</sent>"),
        "{written}"
    );
}

#[test]
fn what_no_document_can_say_is_refused_with_its_element() {
    let refused = |change: fn(&mut Alert), element: &str| {
        let mut alert = alert();
        change(&mut alert);
        assert_eq!(cap::write(&alert).unwrap_err().element, element);
    };
    refused(|alert| alert.identifier = "a b".into(), "alert/identifier");
    refused(|alert| alert.sender = "a,b".into(), "alert/sender");
    refused(|alert| alert.sender = String::new(), "alert/sender");
    refused(|alert| alert.version = Version::V1_1, "alert/@xmlns");
    refused(|alert| alert.references.clear(), "alert/references");
    refused(|alert| alert.references[0].sent = None, "alert/references");
    refused(|alert| alert.scope = Scope::Private, "alert/scope");
    refused(
        |alert| alert.infos[0].event = " ".into(),
        "alert/info/event",
    );
    refused(
        |alert| alert.infos[0].headline = Some("\u{1}".into()),
        "alert/info/headline",
    );
    refused(
        |alert| alert.infos[0].expires = Some(wib(0)),
        "alert/info/expires",
    );
    refused(
        |alert| alert.infos[0].web = Some("a b".into()),
        "alert/info/web",
    );
    refused(
        |alert| alert.infos[0].areas[0].polygons[0][3] = (0.0, 0.0),
        "alert/info/area/polygon",
    );
    refused(
        |alert| alert.infos[0].areas[0].circles[0].lat = 91.0,
        "alert/info/area/circle",
    );
    refused(
        |alert| alert.infos[0].areas[0].description = String::new(),
        "alert/info/area/areaDesc",
    );
}

fn schema() -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    PathBuf::from(folder).join("cap/google-cap-library/schema/cap12.xsd")
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn what_is_written_is_valid_against_the_standards_schema() {
    let python = std::env::var("POSKO_CLIENT_PYTHON").unwrap_or_else(|_| "python3".into());
    let has_library = Command::new(&python)
        .args(["-c", "import xmlschema"])
        .output();
    if !has_library.is_ok_and(|output| output.status.success()) {
        return eprintln!("skipped: no Python with the library xmlschema is at hand");
    }
    let Ok(schema) = fs::read_to_string(schema()) else {
        return eprintln!("skipped: CAP's schema is not at hand");
    };
    let folder = tempfile_folder();
    fs::write(folder.join("cap12.xsd"), schema).unwrap();
    let bare = Alert {
        msg_type: MsgType::Alert,
        references: Vec::new(),
        incidents: Vec::new(),
        infos: Vec::new(),
        note: None,
        ..alert()
    };
    let whole = Alert {
        infos: vec![Info {
            resources: vec![Resource {
                description: "peta".into(),
                mime_type: Some("image/png".into()),
                size: Some(12),
                uri: Some("https://contoh.example/peta.png".into()),
                embedded: None,
                digest: None,
            }],
            event_codes: vec![NamedValue {
                name: "kode".into(),
                value: "FL".into(),
            }],
            onset: Some(wib(1_767_589_300)),
            audience: Some("umum".into()),
            ..alert().infos[0].clone()
        }],
        scope: Scope::Restricted,
        restriction: Some("petugas".into()),
        source: Some("Katulampa".into()),
        codes: vec!["kode".into()],
        ..alert()
    };
    for (name, alert) in [("bare", bare), ("usual", alert()), ("whole", whole)] {
        let file = folder.join(format!("{name}.xml"));
        fs::write(&file, cap::write(&alert).unwrap()).unwrap();
        let check = "import sys, xmlschema; xmlschema.XMLSchema(sys.argv[1]).validate(sys.argv[2])";
        let output = Command::new(&python)
            .args(["-c", check])
            .arg(folder.join("cap12.xsd"))
            .arg(&file)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    fs::remove_dir_all(folder).unwrap();
}

fn tempfile_folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("posko-cap-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn word() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9._@-]{1,12}"
}

/// A text as a publisher may write it: no blanks at its ends, everything that XML must escape inside.
fn text() -> impl Strategy<Value = String> {
    "[a-zé0-9&<>'\"\\]]([a-z é0-9&<>'\"\\]\\n\\r\\t;#]{0,30}[a-zé0-9&<>'\"\\]])?"
}

fn time() -> impl Strategy<Value = DateTime<FixedOffset>> {
    (0i64..4_000_000_000, -14i32..=14).prop_map(|(seconds, hours)| {
        let zone = FixedOffset::east_opt(hours * 3600).unwrap();
        zone.timestamp_opt(seconds, 0).unwrap()
    })
}

fn named() -> impl Strategy<Value = NamedValue> {
    (text(), option::of(text())).prop_map(|(name, value)| NamedValue {
        name,
        value: value.unwrap_or_default(),
    })
}

fn area() -> impl Strategy<Value = Area> {
    let corner = (-89i32..88, -179i32..178, 1i32..100);
    let ring = corner.prop_map(|(lat, lon, size)| {
        let (lat, lon, size) = (f64::from(lat), f64::from(lon), f64::from(size) / 100.0);
        vec![
            (lat, lon),
            (lat, lon + size),
            (lat + size, lon + size),
            (lat, lon),
        ]
    });
    let circle =
        (-90.0..=90.0f64, -180.0..=180.0f64, 1u32..20_038_000).prop_map(|(lat, lon, m)| Circle {
            lat: (lat * 1e6).round() / 1e6,
            lon: (lon * 1e6).round() / 1e6,
            radius_km: f64::from(m) / 1000.0,
        });
    (
        text(),
        vec(ring, 0..3),
        vec(circle, 0..3),
        vec(named(), 0..3),
        option::of((0u32..1000, 0u32..1000)),
    )
        .prop_map(|(description, polygons, circles, geocodes, heights)| Area {
            description,
            polygons,
            circles,
            geocodes,
            altitude_ft: heights.map(|(low, _)| f64::from(low)),
            ceiling_ft: heights.map(|(low, more)| f64::from(low + more)),
        })
}

prop_compose! {
    fn info()(
        language in "[a-z]{2}(-[A-Z]{2})?",
        event in text(),
        (urgency, severity, certainty) in (
            prop::sample::select(vec![Urgency::Immediate, Urgency::Past, Urgency::Unknown]),
            prop::sample::select(vec![Severity::Extreme, Severity::Minor, Severity::Unknown]),
            prop::sample::select(vec![Certainty::Observed, Certainty::Unlikely, Certainty::Unknown]),
        ),
        (headline, description, instruction) in (option::of(text()), option::of(text()), option::of(text())),
        onset in option::of(time()),
        effective in option::of(time()),
        web in option::of("https://[a-z]{1,9}\\.example/[a-z&=?]{0,9}"),
        (event_codes, parameters) in (vec(named(), 0..3), vec(named(), 0..3)),
        areas in vec(area(), 0..3),
    ) -> Info {
        Info {
            language,
            categories: vec![Category::Geo],
            event,
            response_types: vec![ResponseType::Evacuate],
            urgency,
            severity,
            certainty,
            audience: None,
            expires: effective.map(|at: DateTime<FixedOffset>| at + chrono::TimeDelta::hours(1)),
            effective,
            onset,
            sender_name: headline.clone(),
            headline,
            description,
            instruction,
            web,
            event_codes,
            parameters,
            resources: Vec::new(),
            areas,
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back_as_the_same_without_a_warning(
        (identifier, sender, sent) in (word(), word(), time()),
        note in option::of(text()),
        references in vec((word(), word(), time()), 0..4),
        incidents in vec("[a-z&<>]([a-z ]{0,9}[a-z])?", 0..3),
        infos in vec(info(), 0..3),
    ) {
        let references: Vec<Reference> = references
            .into_iter()
            .map(|(sender, identifier, sent)| Reference { sender, identifier, sent: Some(sent) })
            .collect();
        let alert = Alert {
            identifier,
            sender,
            sent,
            msg_type: if references.is_empty() { MsgType::Alert } else { MsgType::Cancel },
            note,
            references,
            incidents,
            infos,
            ..alert()
        };
        let written = cap::write(&alert).unwrap();
        let read = cap::parse(written.as_bytes()).unwrap();
        prop_assert_eq!(&read.value, &alert, "{}", written);
        let warnings: Vec<String> = read.notes.iter().filter(|note| note.level == Level::Warning).map(ToString::to_string).collect();
        prop_assert!(warnings.is_empty(), "{:?} in {}", warnings, written);
    }
}
