use posko_proto::{
    Id,
    common::v1::{Hazard, Point},
    time::Millis,
    warning::v1::{
        AlertStatus, Area, AreaReach, Circle, Content, Earthquake, FeltPlace, FoundBy, FoundRegion,
        MessageKind, NamedCode, Note, Parameter, Polygon, RecordWarningRequest, Resource, Source,
        State, WarningUpdated,
    },
};
use proptest::prelude::*;

use crate::{
    code::{Code, Rejection},
    context::{Context, Recorded},
    event::{Event, IllegalEvent, KINDS, WarningEvent},
    warning::{
        Ending, Said, WarningCommand, WarningRejection, WarningState, apply, decide, ends_at, felt,
        locate, reach, standing, stream_of, stream_of_alert,
    },
};

/// 21 November 2022, 06:30 UTC.
const NOW: Millis = Millis(1_669_012_200_000);
const DAY: i64 = 24 * 3600;

fn context() -> Context {
    Context {
        node: "32".parse().unwrap(),
        now: NOW,
        occurred_at: NOW,
        exercise: false,
        last_number: 0,
    }
}

fn drill() -> Context {
    Context {
        exercise: true,
        ..context()
    }
}

fn recorded(version: u32) -> Recorded {
    let origin = "32".parse().unwrap();
    Recorded {
        origin,
        at: NOW,
        occurred_at: NOW,
        actor: Id([9; 16]),
        exercise: false,
        version,
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every field that it fills is optional"
)]
fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(NOW.plus_seconds(seconds).into())
}

fn rain() -> Content {
    Content {
        status: AlertStatus::Actual.into(),
        hazard: Hazard::ExtremeRain.into(),
        sent_at: at(-60),
        headline: "Hujan lebat di Jawa Barat".into(),
        areas: vec![Area {
            region_codes: vec!["32".into()],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn quake() -> Content {
    let epicenter = Some(Point {
        latitude_microdegrees: -6_850_000,
        longitude_microdegrees: 107_030_000,
    });
    let earthquake = Earthquake {
        origin_time: at(-531),
        epicenter,
        magnitude_hundredths: 560,
        depth_m: 11_000,
        ..Default::default()
    };
    Content {
        hazard: Hazard::Earthquake.into(),
        earthquake: Some(earthquake),
        ..rain()
    }
}

fn take(content: Content) -> WarningCommand {
    let (publisher, identifier) = ("BMKG".into(), "2.49.0.1.360.0.2022".into());
    WarningCommand::Take {
        source: Source::BmkgNowcast,
        publisher,
        identifier,
        content,
    }
}

fn held(content: Content) -> WarningState {
    let events = decide(None, &take(content), &context()).unwrap();
    apply(None, &events[0], &recorded(1)).unwrap()
}

fn refused(content: Content) -> WarningRejection {
    decide(None, &take(content), &context()).unwrap_err()
}

fn cancelled(content: Content) -> WarningState {
    let state = held(content);
    let events = decide(
        Some(&state),
        &WarningCommand::Cancel(Ending::default()),
        &context(),
    )
    .unwrap();
    apply(Some(state), &events[0], &recorded(2)).unwrap()
}

#[test]
fn a_name_with_what_nobody_sees_is_refused_without_being_repeated() {
    let take = |publisher: &str, identifier: &str| {
        WarningCommand::take(Source::Manual, publisher, identifier, rain())
    };
    assert!(take("BPBD Kota Bekasi", "a-1").is_ok());
    for (publisher, identifier) in [
        ("BM\u{200b}KG", "a-1"),
        ("BMKG", "a-1\u{202e}"),
        ("BM\nKG", "a-1"),
    ] {
        let refused = take(publisher, identifier).unwrap_err().to_string();
        let said = "is `…`: a name without line ends and characters that nobody sees";
        assert!(refused.ends_with(said), "{refused}");
    }
}

#[test]
fn the_same_item_is_the_same_stream_and_another_source_another() {
    assert_eq!(
        stream_of(Source::Manual, "1"),
        stream_of(Source::Manual, "1")
    );
    assert_ne!(
        stream_of(Source::Manual, "1"),
        stream_of(Source::BmkgNowcast, "1")
    );
    assert_ne!(
        stream_of(Source::Manual, "1"),
        stream_of(Source::Manual, "2")
    );
}

#[test]
fn a_warning_taken_in_again_unchanged_gives_no_event() {
    assert_eq!(
        decide(Some(&held(rain())), &take(rain()), &context()),
        Ok(Vec::new())
    );
}

#[test]
fn a_changed_warning_is_updated() {
    let changed = Content {
        headline: "Hujan lebat meluas".into(),
        ..rain()
    };
    let events = decide(Some(&held(rain())), &take(changed.clone()), &context()).unwrap();
    assert_eq!(
        events,
        [WarningEvent::Updated(WarningUpdated {
            content: Some(changed.clone())
        })]
    );
    let state = apply(Some(held(rain())), &events[0], &recorded(2)).unwrap();
    assert_eq!((state.content, state.version), (changed, 2));
}

#[test]
fn an_update_never_brings_a_cancelled_warning_back() {
    let changed = Content {
        headline: "Hujan lebat meluas".into(),
        ..rain()
    };
    let state = cancelled(rain());
    let events = decide(Some(&state), &take(changed), &context()).unwrap();
    let state = apply(Some(state), &events[0], &recorded(3)).unwrap();
    assert_eq!(standing(&state, NOW), State::Cancelled);
}

#[test]
fn a_warning_is_cancelled_once() {
    let again = decide(
        Some(&cancelled(rain())),
        &WarningCommand::Cancel(Ending::default()),
        &context(),
    )
    .unwrap_err();
    assert_eq!(again.code(), Code::Conflict);
    assert_eq!(
        decide(None, &WarningCommand::Cancel(Ending::default()), &context()),
        Err(WarningRejection::NotFound)
    );
}

#[test]
fn a_warning_is_in_force_until_its_end() {
    let state = held(Content {
        effective_at: at(600),
        expires_at: at(7200),
        ..rain()
    });
    assert_eq!(
        standing(&state, NOW),
        State::InForce,
        "also when it is only about to hold"
    );
    assert_eq!(standing(&state, NOW.plus_seconds(7199)), State::InForce);
    assert_eq!(standing(&state, NOW.plus_seconds(7200)), State::Expired);
}

#[test]
fn without_an_end_a_warning_holds_a_day_from_its_sending_and_an_earthquake_from_its_origin_time() {
    assert_eq!(ends_at(&held(rain())), NOW.plus_seconds(DAY - 60));
    assert_eq!(ends_at(&held(quake())), NOW.plus_seconds(DAY - 531));
}

#[test]
fn content_is_checked() {
    let area = |area: Area| Content {
        areas: vec![area],
        ..rain()
    };
    let point = |lat, lon| Point {
        latitude_microdegrees: lat,
        longitude_microdegrees: lon,
    };
    let ring = |points: Vec<Point>| {
        area(Area {
            polygons: vec![Polygon { points }],
            ..Default::default()
        })
    };
    let (a, b, c) = (point(0, 0), point(0, 1), point(1, 1));
    assert!(decide(None, &take(ring(vec![a, b, c, a])), &context()).is_ok());
    let broken = [
        (
            Content {
                status: 0,
                ..rain()
            },
            "field `content.status` is `unspecified`: it must be given",
        ),
        (
            Content {
                hazard: 0,
                ..rain()
            },
            "field `content.hazard` is `unspecified`: it must be given",
        ),
        (
            Content {
                urgency: 9,
                ..rain()
            },
            "field `content.urgency` is `9`: no value known to this version",
        ),
        (
            Content {
                sent_at: None,
                ..rain()
            },
            "field `content.sent_at` is ``: it must be given",
        ),
        (
            Content {
                expires_at: at(-60),
                ..rain()
            },
            "field `content.expires_at` is `2022-11-21T06:29:00Z`, not after its beginning at `2022-11-21T06:29:00Z`",
        ),
        (
            Content {
                expires_at: Some(prost_types::Timestamp {
                    seconds: 253_402_300_799,
                    nanos: 0,
                }),
                ..rain()
            },
            "field `content.expires_at` is `9999-12-31T23:59:59Z`: at most a year after it is sent",
        ),
        (
            Content {
                effective_at: at(400 * DAY),
                ..rain()
            },
            "field `content.effective_at` is `2023-12-26T06:30:00Z`: at most a year after it is sent",
        ),
        (
            Content {
                sent_at: at(301),
                ..rain()
            },
            "field `content.sent_at` is `2022-11-21T06:35:01Z`, which lies in the future: \
             it is `2022-11-21T06:30:00Z` here",
        ),
        (
            Content {
                headline: "x".repeat(501),
                ..rain()
            },
            "field `content.headline` has `501` characters: at most 500",
        ),
        (
            Content {
                description: "x".repeat(20_001),
                ..rain()
            },
            "field `content.description` has `20001` characters: at most 20000",
        ),
        (
            ring(vec![a, b, c, b]),
            "field `content.areas.polygons` is `4 points`: a ring has at least four points, \
             and the last equals the first",
        ),
        (
            ring(vec![a, b, a]),
            "field `content.areas.polygons` is `3 points`: a ring has at least four points, \
             and the last equals the first",
        ),
        (
            ring(vec![a, b, point(90_000_001, 0), a]),
            "field `content.areas.polygons.points` is `90000001, 0` microdegrees: \
             a latitude lies within ±90,000,000 and a longitude within ±180,000,000",
        ),
        (
            area(Area {
                circles: vec![Circle {
                    center: None,
                    radius_m: 1,
                }],
                ..Default::default()
            }),
            "field `content.areas.circles.center` is ``: it must be given",
        ),
        (
            area(Area {
                region_codes: vec!["3203".into()],
                ..Default::default()
            }),
            "field `content.areas.region_codes` names no region: `3203` is no region code of \
             Kepmendagri 300.2.2-2430/2025; the nearest is `32.03` (Kabupaten Cianjur)",
        ),
    ];
    for (content, message) in broken {
        let rejection = refused(content);
        assert_eq!(
            (rejection.to_string().as_str(), rejection.code()),
            (message, Code::Invalid)
        );
    }
}

#[test]
fn an_earthquake_dated_in_the_future_is_refused() {
    let earthquake = quake().earthquake.map(|earthquake| Earthquake {
        origin_time: at(301),
        ..earthquake
    });
    let rejection = refused(Content {
        earthquake,
        ..quake()
    });
    assert!(matches!(
        rejection,
        WarningRejection::InFuture {
            field: "content.earthquake.origin_time",
            ..
        }
    ));
}

#[test]
fn a_drill_brings_only_exercises_and_touches_nothing_real() {
    let exercise = Content {
        status: AlertStatus::Exercise.into(),
        ..rain()
    };
    assert!(decide(None, &take(exercise.clone()), &drill()).is_ok());
    assert!(
        decide(None, &take(exercise), &context()).is_ok(),
        "a publisher's own exercise is a fact"
    );
    let mixed = Err(WarningRejection::ExerciseMixed { command: true });
    assert_eq!(decide(None, &take(rain()), &drill()), mixed);
    assert_eq!(
        decide(
            Some(&held(rain())),
            &WarningCommand::Cancel(Ending::default()),
            &drill()
        ),
        mixed
    );
}

#[test]
fn a_typed_in_warning_without_an_identifier_gets_the_commands() {
    let request = RecordWarningRequest {
        publisher: "BPBD Cianjur".into(),
        content: Some(rain()),
        ..Default::default()
    };
    let command = WarningCommand::parse_record(&request, Id([7; 16])).unwrap();
    let WarningCommand::Take {
        source, identifier, ..
    } = command
    else {
        panic!()
    };
    assert_eq!(
        (source, identifier.as_str()),
        (Source::Manual, "07070707-0707-0707-0707-070707070707")
    );
    let nobody = RecordWarningRequest {
        publisher: String::new(),
        ..request.clone()
    };
    assert!(WarningCommand::parse_record(&nobody, Id([7; 16])).is_err());
    let nothing = RecordWarningRequest {
        content: None,
        ..request
    };
    assert!(WarningCommand::parse_record(&nothing, Id([7; 16])).is_err());
}

#[test]
fn an_illegal_event_is_refused_with_its_reason() {
    let updated = WarningEvent::Updated(WarningUpdated {
        content: Some(rain()),
    });
    assert_eq!(
        apply(None, &updated, &recorded(1)),
        Err(IllegalEvent::NotBegun {
            event: "WarningUpdated"
        })
    );
    let empty = WarningEvent::Updated(WarningUpdated { content: None });
    let malformed = IllegalEvent::Malformed {
        event: "WarningUpdated",
        field: "content",
    };
    assert_eq!(
        apply(Some(held(rain())), &empty, &recorded(2)),
        Err(malformed)
    );
}

#[test]
fn a_state_survives_being_kept() {
    let state = cancelled(quake());
    let kept = postcard::to_stdvec(&state).unwrap();
    assert_eq!(postcard::from_bytes::<WarningState>(&kept).unwrap(), state);
}

proptest! {
    #[test]
    fn apply_and_standing_take_any_event_without_a_panic(
        at in 0..KINDS.len(),
        bytes in prop::collection::vec(any::<u8>(), 0..96),
        seconds in any::<i64>(),
        nanos in any::<i32>(),
        now in any::<i64>(),
    ) {
        let kind = KINDS[at];
        if let Ok(Event::Warning(event)) = Event::decode(kind.type_id, kind.type_version, &bytes) {
            let _ = apply(None, &event, &recorded(1));
            let _ = apply(Some(held(rain())), &event, &recorded(2));
        }
        let odd = prost_types::Timestamp { seconds, nanos };
        let content = Content { expires_at: Some(odd), ..quake() };
        let updated = WarningEvent::Updated(WarningUpdated { content: Some(content.clone()) });
        let state = apply(Some(held(rain())), &updated, &recorded(2)).unwrap();
        let _ = standing(&state, Millis(now));
        let _ = decide(None, &take(Content { sent_at: Some(odd), ..content }), &context());
    }
}

fn polygon(corners: [(f64, f64); 2]) -> Polygon {
    let [(south, west), (north, east)] = corners;
    let at = |lat, lon| crate::region::Point::from_degrees(lat, lon).into();
    Polygon {
        points: vec![
            at(south, west),
            at(south, east),
            at(north, east),
            at(north, west),
            at(south, west),
        ],
    }
}

fn located(mut area: Area, said: &Said) -> Area {
    locate(&mut area, said);
    area
}

#[test]
fn a_polygon_says_which_kecamatan_it_touches_and_how_much_of_each() {
    let area = located(
        Area {
            polygons: vec![polygon([(-6.20, 106.80), (-6.15, 106.86)])],
            ..Default::default()
        },
        &Said {
            province: Some("31"),
            ..Said::default()
        },
    );
    assert_eq!(area.reach(), AreaReach::Regions);
    assert!(
        area.region_codes.contains(&"31.71.01".to_owned()),
        "{area:?}"
    );
    assert!(
        !area.region_codes.contains(&"31".to_owned()),
        "the province is said beside the polygon, and not meant"
    );
    assert!(area.regions.iter().any(|found| found.partly));
    assert!(
        area.regions
            .iter()
            .all(|found| found.found_by == [i32::from(FoundBy::Shape)])
    );
}

#[test]
fn elsewhere_is_told_apart_from_unknown() {
    let elsewhere = Area {
        polygons: vec![polygon([(-7.5, 110.0), (-7.0, 110.5)])],
        ..Default::default()
    };
    let elsewhere = located(elsewhere, &Said::default());
    assert_eq!(
        (elsewhere.reach(), elsewhere.regions.len()),
        (AreaReach::Outside, 0)
    );
    let unknown = located(Area::default(), &Said::default());
    assert_eq!(unknown.reach(), AreaReach::Unknown);
    let other_province = Area {
        geocodes: vec![code("Kemendagri", "33.74")],
        ..Default::default()
    };
    assert_eq!(
        located(other_province, &Said::default()).reach(),
        AreaReach::Outside
    );
}

fn code(name: &str, value: &str) -> NamedCode {
    NamedCode {
        name: name.into(),
        value: value.into(),
    }
}

#[test]
fn a_code_counts_only_when_its_list_says_whose_it_is() {
    for (list, value, expected) in [
        ("BPS", "3171", &["31.74"][..]),
        ("Kemendagri", "3171", &["31.71"]),
        ("kode Kemendagri", "32.03.01", &["32.03.01"]),
        ("adm4", "32.03.01.1001", &["32.03.01"]),
        ("BPS", "3171010", &["31.74"]),
        ("SAME", "3171", &[]),
        ("Kemendagri", "32.03.99", &[]),
        ("Kemendagri", "x", &[]),
    ] {
        let area = Area {
            geocodes: vec![code(list, value)],
            ..Default::default()
        };
        assert_eq!(
            located(area, &Said::default()).region_codes,
            expected,
            "{list} {value}"
        );
    }
}

#[test]
fn a_name_in_prose_is_a_place_only_where_it_fits_one() {
    let said = Said {
        province: Some("32"),
        names: vec![
            ("Cugenang".into(), None),
            ("Cibitung".into(), None),
            ("Cibitung".into(), Some("Kab. Bekasi".into())),
            ("Atlantis".into(), None),
        ],
    };
    let area = located(Area::default(), &said);
    assert_eq!(area.region_codes.len(), 2, "{area:?}");
    assert!(
        area.region_codes
            .iter()
            .any(|code| code.starts_with("32.16."))
    );
    let [cibitung, atlantis] = area.names.as_slice() else {
        panic!("{:?}", area.names)
    };
    assert!(cibitung.candidates.len() > 1 && atlantis.candidates.is_empty());
    let whole = located(
        Area::default(),
        &Said {
            province: Some("36"),
            ..Said::default()
        },
    );
    assert_eq!(
        whole.region_codes,
        ["36"],
        "a province without anything closer"
    );
}

#[test]
fn whom_a_warning_reaches_is_said_with_figures_that_are_at_most_where_a_part_is_touched() {
    let content = |codes: &[(&str, bool)]| {
        let found = |(code, partly): &(&str, bool)| FoundRegion {
            region_code: (*code).into(),
            partly: *partly,
            ..Default::default()
        };
        Content {
            areas: vec![Area {
                region_codes: codes.iter().map(|(code, _)| (*code).into()).collect(),
                regions: codes.iter().map(found).collect(),
                ..Default::default()
            }],
            ..rain()
        }
    };
    let whole = reach(&content(&[("32.75", false)]));
    assert_eq!((whole.regencies.len(), whole.at_most), (1, false));
    assert_eq!(
        whole.population,
        crate::region::population("32.75").unwrap().total()
    );
    assert_eq!(whole.zones[0].id, "Z1");
    let part = reach(&content(&[("32.75.01", false)]));
    assert!(part.at_most && part.regencies[0].partly);
    assert_eq!(part.regencies[0].kecamatan, ["32.75.01"]);
    let province = reach(&content(&[("32", false)]));
    assert_eq!(
        (province.regencies.len(), province.population),
        (27, 51_316_378)
    );
    let nothing = reach(&Content::default());
    assert_eq!((nothing.population, nothing.area), (0, AreaReach::Unknown));
}

#[test]
fn felt_places_have_a_region_where_the_name_says_which() {
    assert_eq!(felt("Cianjur", 5, 6).region_code, "32.03");
    let bandung = felt("Bandung", 3, 3);
    assert_eq!(bandung.region_code, "");
    assert!(
        bandung.candidates.contains(&"32.04".into())
            && bandung.candidates.contains(&"32.73".into())
    );
    assert_eq!(
        felt("Pacitan", 2, 2),
        FeltPlace {
            name: "Pacitan".into(),
            mmi_from: 2,
            mmi_to: 2,
            ..Default::default()
        }
    );
}

fn in_english() -> Content {
    Content {
        language: "en".into(),
        headline: "Heavy rain in West Java".into(),
        ..rain()
    }
}

fn in_indonesian() -> Content {
    Content {
        language: "id".into(),
        ..rain()
    }
}

#[test]
fn an_alert_in_two_languages_is_one_warning_with_both_texts_whichever_comes_first() {
    let both = |first: Content, second: Content| {
        let state = held(first);
        let events = decide(Some(&state), &take(second.clone()), &context()).unwrap();
        let state = apply(Some(state), &events[0], &recorded(2)).unwrap();
        for again in [in_english(), in_indonesian()] {
            let events = decide(Some(&state), &take(again), &context()).unwrap();
            assert_eq!(events, [], "it is known in both languages");
        }
        state.content
    };
    let content = both(in_indonesian(), in_english());
    assert_eq!(content, both(in_english(), in_indonesian()));
    assert_eq!(content.language, "id");
    assert_eq!(content.texts[0].headline, "Heavy rain in West Java");
}

#[test]
fn what_was_sent_before_changes_nothing() {
    let newer = Content {
        sent_at: at(-10),
        headline: "Hujan lebat meluas".into(),
        ..rain()
    };
    assert_eq!(
        decide(Some(&held(newer)), &take(rain()), &context()),
        Ok(vec![])
    );
}

#[test]
fn a_replaced_warning_is_over_and_is_replaced_once() {
    let replace = WarningCommand::Replace {
        by: Id([5; 16]),
        ending: Ending {
            identifier: "2.49.0.1.360.0.2023".into(),
            ..Ending::default()
        },
    };
    let state = held(rain());
    let events = decide(Some(&state), &replace, &context()).unwrap();
    let state = apply(Some(state), &events[0], &recorded(2)).unwrap();
    assert_eq!(standing(&state, NOW), State::Replaced);
    assert_eq!(decide(Some(&state), &replace, &context()), Ok(vec![]));
    assert_eq!(
        decide(None, &replace, &context()),
        Err(WarningRejection::NotFound)
    );
    assert!(decide(Some(&cancelled(rain())), &replace, &context()).is_err());
}

#[test]
fn a_message_that_takes_others_back_warns_of_nothing_itself() {
    let state = held(Content {
        message_kind: MessageKind::Cancel.into(),
        ..rain()
    });
    assert_eq!(standing(&state, NOW), State::Cancelled);
}

#[test]
fn an_alert_is_the_same_from_whichever_feed_and_bmkgs_keep_their_stream() {
    let (source, stream) = stream_of_alert("cuaca.ekstrem@bmkg.go.id", "2.49");
    assert_eq!(
        (source, stream),
        (Source::BmkgNowcast, stream_of(Source::BmkgNowcast, "2.49"))
    );
    let (source, other) = stream_of_alert("posko@bmkg.go.id.example", "2.49");
    assert_eq!(source, Source::Cap);
    assert_ne!(other, stream_of_alert("posko@other.example", "2.49").1);
    assert_ne!(stream_of_alert("ab", "c").1, stream_of_alert("a", "bc").1);
}

#[test]
fn a_parameter_or_a_resource_that_leads_to_a_person_is_refused_and_not_repeated() {
    // All invented.
    let parameter = |name: &str, value: &str| Content {
        parameters: vec![Parameter {
            name: name.into(),
            value: value.into(),
            ..Parameter::default()
        }],
        ..rain()
    };
    let resource = Content {
        resources: vec![Resource {
            uri: "mailto:contoh@bpbd.example".into(),
            ..Resource::default()
        }],
        ..rain()
    };
    let take = |content| WarningCommand::take(Source::Cap, "BPBD", "a-1", content);
    for content in [
        parameter("info", "Hubungi 0812-0000-0001"),
        parameter("+1 613 555 0100", ""),
        resource,
    ] {
        let refusal = take(content).unwrap_err().to_string();
        assert!(refusal.contains("is `…`: a value without"), "{refusal}");
    }
    assert!(take(parameter("TMA_cm", "210")).is_ok());
    let many = Content {
        parameters: vec![Parameter::default(); 101],
        ..rain()
    };
    let refusal = take(many).unwrap_err().to_string();
    assert!(refusal.contains("at most 100 values"), "{refusal}");
}

fn brought_by(carried_by: &str, content: Content) -> Content {
    Content {
        carried_by: carried_by.into(),
        ..content
    }
}

/// Another publisher's alert, as it is held.
fn held_of_cap(content: Content) -> WarningState {
    let command = WarningCommand::take(Source::Cap, "BPBD Contoh", "a-1", content).unwrap();
    let events = decide(None, &command, &context()).unwrap();
    apply(None, &events[0], &recorded(1)).unwrap()
}

#[test]
fn what_one_hosts_feed_brought_no_other_hosts_feed_changes_or_ends() {
    let state = held_of_cap(brought_by("bpbd.example", rain()));
    let take = |content: Content| {
        let command = WarningCommand::take(Source::Cap, "BPBD Contoh", "a-1", content).unwrap();
        decide(Some(&state), &command, &context())
    };
    let by = |carried_by: &str| Ending {
        carried_by: carried_by.into(),
        ..Ending::default()
    };
    let changed = |carried_by: &str| {
        let content = Content {
            headline: "Tidak ada apa-apa".into(),
            ..rain()
        };
        take(brought_by(carried_by, content))
    };
    let ends = |ending: Ending| {
        let replace = WarningCommand::Replace {
            by: Id([5; 16]),
            ending: ending.clone(),
        };
        let cancel = WarningCommand::Cancel(ending);
        [cancel, replace].map(|command| decide(Some(&state), &command, &context()).is_ok())
    };
    assert_eq!(
        changed("other.example").unwrap_err().to_string(),
        "warning `a-1` was brought by `bpbd.example`: `other.example` can neither change nor end it"
    );
    assert_eq!(ends(by("other.example")), [false, false]);
    for may in ["bpbd.example", ""] {
        assert_eq!(changed(may).map(|events| events.len()), Ok(1), "{may}");
        assert_eq!(ends(by(may)), [true, true], "{may}");
    }
    let mirrored = Content {
        notes: vec![Note::default()],
        ..brought_by("mirror.example", rain())
    };
    assert_eq!(take(mirrored), Ok(vec![]), "a mirror says the same");
}

#[test]
fn what_a_person_took_is_the_feeds_that_brings_it_next() {
    let state = held_of_cap(rain());
    let content = brought_by("bpbd.example", rain());
    let command = WarningCommand::take(Source::Cap, "BPBD Contoh", "a-1", content).unwrap();
    let events = decide(Some(&state), &command, &context()).unwrap();
    let state = apply(Some(state), &events[0], &recorded(2)).unwrap();
    assert_eq!(state.content.carried_by, "bpbd.example");
    let again = WarningCommand::take(Source::Cap, "BPBD Contoh", "a-1", rain()).unwrap();
    assert_eq!(decide(Some(&state), &again, &context()), Ok(vec![]));
}

#[test]
fn what_says_that_it_is_bmkgs_comes_by_a_feed_of_bmkgs_or_by_a_person() {
    let take = |carried_by: &str| {
        WarningCommand::take(
            Source::BmkgNowcast,
            "BMKG",
            "2.49",
            brought_by(carried_by, rain()),
        )
    };
    assert!(take("bmkg.go.id").is_ok() && take("").is_ok());
    assert_eq!(
        take("cap.example").unwrap_err().to_string(),
        "the alert says that it is of BMKG, and `cap.example` brings it: only a feed of BMKG does"
    );
}

#[test]
fn a_message_ends_nothing_that_was_sent_after_it() {
    let state = held(rain());
    let sent = Millis::try_from(state.content.sent_at.as_ref().unwrap()).unwrap();
    let at = |sent| {
        let ending = Ending {
            sent: Some(sent),
            ..Ending::default()
        };
        decide(Some(&state), &WarningCommand::Cancel(ending), &context()).is_ok()
    };
    assert!(at(sent) && !at(Millis(sent.0 - 1)));
}

#[test]
fn an_area_of_more_shapes_than_are_looked_up_is_refused_before_it_is() {
    let areas = |shapes: usize| {
        let circle = Circle {
            center: Some(Point {
                latitude_microdegrees: -6_500_000,
                longitude_microdegrees: 107_000_000,
            }),
            radius_m: 1_000,
        };
        let half = Area {
            circles: vec![circle; shapes / 2],
            ..Area::default()
        };
        Content {
            areas: vec![half.clone(), half],
            ..rain()
        }
    };
    let record = |content| {
        let request = RecordWarningRequest {
            publisher: "BPBD Contoh".into(),
            content: Some(content),
            ..RecordWarningRequest::default()
        };
        WarningCommand::parse_record(&request, Id([7; 16]))
    };
    assert!(record(areas(1_000)).is_ok());
    let refusal = record(areas(1_002)).unwrap_err().to_string();
    assert!(
        refusal.contains("at most 1,000 circles in all"),
        "{refusal}"
    );
}

#[test]
fn an_area_of_codes_of_another_country_lies_elsewhere_and_one_without_a_place_is_refused() {
    let found = |lists: &[&str]| {
        let code = |list: &&str| NamedCode {
            name: (*list).into(),
            value: "002020".into(),
        };
        let mut area = Area {
            description: "Pesisir".into(),
            geocodes: lists.iter().map(code).collect(),
            ..Area::default()
        };
        locate(&mut area, &Said::default());
        area.reach()
    };
    let foreign = ["SAME", "UGC", "EMMA_ID", "profile:CAP-CP:Location:0.3"];
    assert_eq!(found(&foreign), AreaReach::Outside);
    assert_eq!(found(&["SAME", "kode"]), AreaReach::Unknown, "who knows");
    let request = RecordWarningRequest {
        publisher: "BPBD Contoh".into(),
        content: Some(rain()),
        ..RecordWarningRequest::default()
    };
    let nowhere = RecordWarningRequest {
        content: Some(Content {
            areas: vec![Area::default()],
            ..rain()
        }),
        ..request
    };
    let refusal = WarningCommand::parse_record(&nowhere, Id([7; 16])).unwrap_err();
    assert!(
        refusal.to_string().contains("where it holds must be given"),
        "{refusal}"
    );
}
