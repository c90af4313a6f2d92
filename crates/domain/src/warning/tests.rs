use posko_proto::{
    Id,
    common::v1::{Hazard, Point},
    time::Millis,
    warning::v1::{
        AlertStatus, Area, Circle, Content, Earthquake, Polygon, RecordWarningRequest, Source,
        State, WarningUpdated,
    },
};
use proptest::prelude::*;

use crate::{
    code::{Code, Rejection},
    context::{Context, Recorded},
    event::{Event, IllegalEvent, KINDS, WarningEvent},
    warning::{
        WarningCommand, WarningRejection, WarningState, apply, decide, ends_at, standing, stream_of,
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
    let events = decide(Some(&state), &WarningCommand::Cancel, &context()).unwrap();
    apply(Some(state), &events[0], &recorded(2)).unwrap()
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
        &WarningCommand::Cancel,
        &context(),
    )
    .unwrap_err();
    assert_eq!(again.code(), Code::Conflict);
    assert_eq!(
        decide(None, &WarningCommand::Cancel, &context()),
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
        decide(Some(&held(rain())), &WarningCommand::Cancel, &drill()),
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
