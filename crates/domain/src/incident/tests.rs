mod attachment;
mod beside;
mod import;
mod lifecycle;
mod plausible;
mod response;

use posko_proto::{
    Id, NodeId,
    common::v1::{self, Hazard},
    incident::v1::{
        AddNoteRequest, AgeBand, Figure, FigureSource, ImpactRecorded, IncidentNoted,
        IncidentVerified, Measure, RecordImpactRequest, RejectIncidentRequest, RejectReason,
        ReportChannel, ReportIncidentRequest, Scale, Severity, Sex, Status, Step,
        VerifyIncidentRequest,
    },
    time::Millis,
    warning::v1::{AlertStatus, Area, Content, Source},
};
use proptest::prelude::*;

use crate::{
    code::{Code, Rejection},
    context::{Context, Recorded},
    event::{Event, IllegalEvent, IncidentEvent, KINDS},
    incident::{
        CountOf, IncidentCommand, IncidentRejection, IncidentState, WarningRef, apply, decide,
        number_of, parse_number, year_of,
    },
    region::Place,
    warning::{CancelledBy, WarningState},
};

/// 21 November 2022, 06:30 UTC.
const NOW: Millis = Millis(1_669_012_200_000);
const ACTOR: Id = Id([9; 16]);

fn node() -> NodeId {
    "32".parse().unwrap()
}

fn context(minute: i64) -> Context {
    let now = NOW.plus_seconds(minute * 60);
    Context {
        node: node(),
        now,
        occurred_at: now,
        exercise: false,
        last_number: 122,
    }
}

fn place(code: &str) -> Place {
    Place {
        region_code: code.into(),
        point: None,
        code_set: crate::region::CODE_SET.into(),
    }
}

fn report(code: &str) -> IncidentCommand {
    IncidentCommand::Report {
        hazard: Hazard::Earthquake,
        place: place(code),
        severity: Severity::Severe,
        channel: ReportChannel::Branch,
        warning: None,
        note: None,
    }
}

fn from_warning(status: AlertStatus) -> IncidentCommand {
    let warning = WarningRef {
        origin: node(),
        id: Id([3; 16]),
        status,
        hazard: Hazard::Earthquake,
        confirmed: false,
    };
    IncidentCommand::Report {
        hazard: Hazard::Earthquake,
        place: place("32.03"),
        severity: Severity::Unspecified,
        channel: ReportChannel::Warning,
        warning: Some(warning),
        note: None,
    }
}

const VERIFY: IncidentCommand = IncidentCommand::Verify {
    source: FigureSource::Pmi,
};
const FALSE: IncidentCommand = IncidentCommand::Reject {
    duplicate_of: None,
    reason: RejectReason::Unspecified,
    note: None,
};
const MERGE: IncidentCommand = IncidentCommand::Reject {
    duplicate_of: Some(Id([4; 16])),
    reason: RejectReason::Unspecified,
    note: None,
};
const ACTIVATE: IncidentCommand = IncidentCommand::Activate {
    scale: Scale::Medium,
};

fn note() -> IncidentCommand {
    IncidentCommand::Note {
        text: "Jalan ke Cugenang tertutup longsor".into(),
    }
}

fn everybody(measure: Measure, count: u64) -> CountOf {
    CountOf {
        measure,
        count,
        sex: Sex::Unspecified,
        age_band: AgeBand::Unspecified,
    }
}

fn dead(count: u64, as_of_minute: i64) -> IncidentCommand {
    IncidentCommand::RecordImpact {
        figures: vec![everybody(Measure::Dead, count)],
        source: FigureSource::Government,
        as_of: Some(NOW.plus_seconds(as_of_minute * 60)),
        correction: false,
        assessment: None,
    }
}

fn recorded(context: &Context, version: u32) -> Recorded {
    let Context {
        node,
        now,
        occurred_at,
        exercise,
        ..
    } = *context;
    Recorded {
        origin: node,
        at: now,
        occurred_at,
        actor: ACTOR,
        exercise,
        version,
    }
}

/// Decides and folds what follows.
fn step(
    state: Option<IncidentState>,
    command: &IncidentCommand,
    context: &Context,
) -> Result<IncidentState, IncidentRejection> {
    let events = decide(state.as_ref(), command, context)?;
    let fold = |state: Option<IncidentState>, event: &IncidentEvent| {
        let version = state.as_ref().map_or(0, |state| state.version) + 1;
        Some(apply(state, event, &recorded(context, version)).unwrap())
    };
    Ok(events.iter().fold(state, fold).unwrap())
}

/// The state after a report and these commands, a minute apart.
fn after(commands: &[IncidentCommand]) -> IncidentState {
    let reported = step(None, &report("32.03"), &context(0)).unwrap();
    (1..)
        .zip(commands)
        .fold(reported, |state, (minute, command)| {
            step(Some(state), command, &context(minute)).unwrap()
        })
}

fn refused(given: &[IncidentCommand], when: &IncidentCommand) -> IncidentRejection {
    decide(Some(&after(given)), when, &context(60)).unwrap_err()
}

#[test]
fn a_report_takes_the_next_number_and_the_zones_of_its_place() {
    let state = step(None, &report("32.75.01"), &context(0)).unwrap();
    assert_eq!(state.number, "PMI-32-2022-000123");
    assert_eq!(state.zones, ["Z1"]);
    assert_eq!(state.status, Status::Reported);
    assert_eq!(state.milestones, [(Status::Reported, NOW)]);
    assert_eq!(state.version, 1);
}

#[test]
fn a_first_note_becomes_an_event_of_its_own() {
    let IncidentCommand::Report {
        hazard,
        place,
        severity,
        channel,
        warning,
        ..
    } = report("32.03")
    else {
        panic!()
    };
    let note = Some("Laporan pertama".to_owned());
    let command = IncidentCommand::Report {
        hazard,
        place,
        severity,
        channel,
        warning,
        note,
    };
    let events = decide(None, &command, &context(0)).unwrap();
    let noted = IncidentEvent::Noted(IncidentNoted {
        text: "Laporan pertama".into(),
        ..Default::default()
    });
    assert!(matches!(events.as_slice(), [IncidentEvent::Reported(_), last] if *last == noted));
}

#[test]
fn a_number_counts_in_the_year_of_western_indonesia() {
    // 31 December 2026, 16:59:59.999 UTC is still 2026 at UTC+7; a millisecond later it is 2027.
    assert_eq!(year_of(Millis(1_798_736_399_999)), 2026);
    assert_eq!(year_of(Millis(1_798_736_400_000)), 2027);
    assert_eq!(
        [
            year_of(Millis(0)),
            year_of(Millis(-86_400_000)),
            year_of(Millis(951_782_400_000))
        ],
        [1970, 1969, 2000]
    );
    assert_eq!(number_of(node(), 2026, 123), "PMI-32-2026-000123");
    assert_eq!(
        parse_number("PMI-32-2026-000123"),
        Some((node(), 2026, 123))
    );
    for text in [
        "PMI-32-2026-123",
        "PMI-32-2026-000123-1",
        "32-2026-000123",
        "PMI-é-2026-000123",
        "",
    ] {
        assert_eq!(parse_number(text), None, "{text}");
    }
}

#[test]
fn an_incident_goes_its_way_to_the_end() {
    let state = after(&[
        VERIFY,
        ACTIVATE,
        dead(318, 1),
        IncidentCommand::EndOperation,
        IncidentCommand::Close { confirmed: false },
    ]);
    assert_eq!(state.status, Status::Closed);
    assert_eq!(state.scale, Scale::Medium);
    let statuses: Vec<_> = state.milestones.iter().map(|(status, _)| *status).collect();
    let way = [
        Status::Reported,
        Status::Verified,
        Status::Activated,
        Status::OperationEnded,
        Status::Closed,
    ];
    assert_eq!(statuses, way);
    assert_eq!(state.version, 6);
    assert_eq!(
        (state.reported_at, state.recorded_at),
        (NOW, NOW.plus_seconds(300))
    );
}

#[test]
fn a_place_in_another_province_is_refused() {
    let rejection = decide(None, &report("36.02"), &context(0)).unwrap_err();
    assert_eq!(rejection.code(), Code::Invalid);
    let message = "`36.02` does not lie in province `32`: an incident is recorded by the province where it is";
    assert_eq!(rejection.to_string(), message);
}

#[test]
fn what_holds_already_is_refused_by_its_own_name() {
    let number = || "PMI-32-2022-000123".to_owned();
    let ended = [VERIFY, ACTIVATE, IncidentCommand::EndOperation];
    let closed = [
        VERIFY,
        ACTIVATE,
        IncidentCommand::EndOperation,
        IncidentCommand::Close { confirmed: false },
    ];
    let already = [
        (
            refused(&[], &report("32.03")),
            IncidentRejection::AlreadyReported { number: number() },
        ),
        (
            refused(&[VERIFY], &VERIFY),
            IncidentRejection::AlreadyVerified { number: number() },
        ),
        (
            refused(&[FALSE], &MERGE),
            IncidentRejection::AlreadyRejected {
                number: number(),
                status: Status::False,
            },
        ),
        (
            refused(&[VERIFY, ACTIVATE], &ACTIVATE),
            IncidentRejection::AlreadyActivated { number: number() },
        ),
        (
            refused(&ended, &IncidentCommand::EndOperation),
            IncidentRejection::OperationAlreadyEnded { number: number() },
        ),
        (
            refused(&closed, &IncidentCommand::Close { confirmed: false }),
            IncidentRejection::AlreadyClosed { number: number() },
        ),
    ];
    for (rejection, expected) in already {
        assert_eq!(rejection, expected);
        assert_eq!(rejection.code(), Code::Conflict);
    }
}

#[test]
fn a_step_that_the_status_does_not_allow_is_refused() {
    let closed = [
        VERIFY,
        ACTIVATE,
        IncidentCommand::EndOperation,
        IncidentCommand::Close { confirmed: false },
    ];
    let wrong: [(&[IncidentCommand], IncidentCommand, Status, &str); 9] = [
        (&[], ACTIVATE, Status::Reported, "activated"),
        (
            &[],
            IncidentCommand::EndOperation,
            Status::Reported,
            "ended",
        ),
        (
            &[VERIFY],
            IncidentCommand::Close { confirmed: false },
            Status::Verified,
            "closed",
        ),
        (&[VERIFY, ACTIVATE], FALSE, Status::Activated, "rejected"),
        (&[VERIFY, ACTIVATE], VERIFY, Status::Activated, "verified"),
        (&[FALSE], VERIFY, Status::False, "verified"),
        (&[MERGE], dead(1, 0), Status::Merged, "given impact figures"),
        (&closed, dead(1, 0), Status::Closed, "given impact figures"),
        (&closed, note(), Status::Closed, "noted on"),
    ];
    for (given, when, from, command) in wrong {
        assert_eq!(
            refused(given, &when),
            IncidentRejection::WrongStatus { from, command }
        );
    }
}

#[test]
fn a_verified_incident_may_still_be_found_false_or_merged() {
    assert_eq!(after(&[VERIFY, FALSE]).status, Status::False);
    let merged = after(&[VERIFY, MERGE]);
    assert_eq!(
        (merged.status, merged.duplicate_of),
        (Status::Merged, Some(Id([4; 16])))
    );
    assert_eq!(
        after(&[FALSE, note()]).version,
        3,
        "a note is taken until the incident is closed"
    );
}

#[test]
fn without_an_incident_nothing_but_a_report_is_taken() {
    for command in [
        VERIFY,
        FALSE,
        ACTIVATE,
        dead(1, 0),
        note(),
        IncidentCommand::EndOperation,
        IncidentCommand::Close { confirmed: false },
    ] {
        assert_eq!(
            decide(None, &command, &context(0)),
            Err(IncidentRejection::NotFound)
        );
    }
}

#[test]
fn an_older_figure_is_refused_and_a_newer_or_equal_one_replaces() {
    let rejection = refused(&[dead(162, 2)], &dead(100, 1));
    assert_eq!(rejection.code(), Code::Conflict);
    assert_eq!(
        rejection.to_string(),
        "a figure for `MEASURE_DEAD` of `FIGURE_SOURCE_GOVERNMENT` as of `2022-11-21T06:32:00Z` is held, \
         newer than the one as of `2022-11-21T06:31:00Z`"
    );
    for minute in [0, 1] {
        let state = after(&[dead(162, 0), dead(268, minute)]);
        assert_eq!(state.figures.len(), 1);
        assert_eq!(
            state
                .figure(Measure::Dead, FigureSource::Government)
                .unwrap()
                .count,
            268
        );
    }
    let own = IncidentCommand::RecordImpact {
        figures: vec![everybody(Measure::Dead, 7)],
        correction: false,
        assessment: None,
        source: FigureSource::Pmi,
        as_of: Some(NOW.plus_seconds(-60)),
    };
    assert_eq!(
        after(&[dead(162, 0), own]).figures.len(),
        2,
        "another source's figure stands beside it"
    );
}

#[test]
fn a_time_more_than_five_minutes_ahead_is_refused() {
    let ahead = |seconds| Context {
        occurred_at: NOW.plus_seconds(seconds),
        ..context(0)
    };
    assert!(decide(None, &report("32.03"), &ahead(300)).is_ok());
    let rejection = decide(None, &report("32.03"), &ahead(301)).unwrap_err();
    assert!(matches!(
        rejection,
        IncidentRejection::InFuture {
            field: "meta.occurred_at",
            ..
        }
    ));
    let rejection = decide(Some(&after(&[])), &dead(1, 6), &context(0)).unwrap_err();
    assert!(matches!(
        rejection,
        IncidentRejection::InFuture { field: "as_of", .. }
    ));
}

#[test]
fn what_began_more_than_a_year_before_its_report_is_a_record_of_the_past() {
    let days_ago = |days: i64| Context {
        occurred_at: NOW.plus_seconds(-days * 24 * 60 * 60),
        ..context(0)
    };
    assert!(decide(None, &report("32.03"), &days_ago(366)).is_ok());
    let refused = decide(None, &report("32.03"), &days_ago(367)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "field `meta.occurred_at` is `2021-11-19T06:30:00Z`, more than a year before the report: \
         what is past is imported as a historical record"
    );
    let occurred = lifecycle::took(Step::Occurred);
    let state = after(&[]);
    assert!(decide(Some(&state), &occurred, &days_ago(30)).is_ok());
    let refused = decide(Some(&state), &occurred, &days_ago(82_000)).unwrap_err();
    assert!(
        matches!(refused, IncidentRejection::LongPast { .. }),
        "{refused}"
    );
}

#[test]
fn a_later_status_never_happened_before_the_one_before_it() {
    let earlier = Context {
        occurred_at: NOW.plus_seconds(-1),
        ..context(5)
    };
    let rejection = decide(Some(&after(&[])), &VERIFY, &earlier).unwrap_err();
    assert_eq!(
        rejection.to_string(),
        "`STATUS_VERIFIED` at `2022-11-21T06:29:59Z` lies before `STATUS_REPORTED` at `2022-11-21T06:30:00Z`"
    );
    assert!(
        decide(
            Some(&after(&[])),
            &VERIFY,
            &Context {
                occurred_at: NOW,
                ..context(5)
            }
        )
        .is_ok()
    );
}

#[test]
fn only_an_actual_warning_raises_an_incident_and_an_exercise_one_a_drill() {
    let drill = Context {
        exercise: true,
        ..context(0)
    };
    let raises = |status, context: &Context| decide(None, &from_warning(status), context).is_ok();
    assert!(raises(AlertStatus::Actual, &context(0)));
    assert!(raises(AlertStatus::Exercise, &drill));
    assert!(!raises(AlertStatus::Exercise, &context(0)));
    let real = decide(None, &from_warning(AlertStatus::Actual), &drill).unwrap_err();
    assert!(real.to_string().contains("never raises a drill"), "{real}");
    for status in [
        AlertStatus::Unspecified,
        AlertStatus::System,
        AlertStatus::Test,
        AlertStatus::Draft,
    ] {
        assert!(
            !raises(status, &context(0)) && !raises(status, &drill),
            "{status:?}"
        );
    }
}

#[test]
fn an_exercise_and_what_is_real_never_mix() {
    let drill = |minute| Context {
        exercise: true,
        ..context(minute)
    };
    let real = after(&[]);
    let rejection = decide(Some(&real), &VERIFY, &drill(1)).unwrap_err();
    assert_eq!(
        rejection,
        IncidentRejection::ExerciseMixed { incident: false }
    );
    let exercise = step(None, &report("32.03"), &drill(0)).unwrap();
    assert!(exercise.exercise);
    let rejection = decide(Some(&exercise), &note(), &context(1)).unwrap_err();
    assert_eq!(
        rejection,
        IncidentRejection::ExerciseMixed { incident: true }
    );
    let event = IncidentEvent::Verified(IncidentVerified { source: 1 });
    let illegal = apply(Some(real), &event, &recorded(&drill(1), 2)).unwrap_err();
    assert_eq!(
        illegal,
        IllegalEvent::ExerciseMixed {
            event: "IncidentVerified"
        }
    );
}

#[test]
fn an_illegal_event_is_refused_with_its_reason() {
    let reported = decide(None, &report("32.03"), &context(0))
        .unwrap()
        .remove(0);
    let IncidentEvent::Reported(message) = reported.clone() else {
        panic!()
    };
    let verified = IncidentEvent::Verified(IncidentVerified { source: 1 });
    let late = recorded(&context(1), 2);
    let reason = |state, event: &IncidentEvent, recorded| {
        apply(state, event, &recorded).unwrap_err().reason()
    };
    assert_eq!(reason(None, &verified, late), "not_begun");
    assert_eq!(reason(Some(after(&[])), &reported, late), "already_begun");
    assert_eq!(
        reason(Some(after(&[VERIFY])), &verified, late),
        "wrong_state"
    );
    assert_eq!(
        reason(
            Some(after(&[])),
            &verified,
            Recorded {
                occurred_at: Millis(0),
                ..late
            }
        ),
        "out_of_order"
    );
    let timeless = IncidentEvent::ImpactRecorded(ImpactRecorded {
        figures: Vec::new(),
        source: 1,
        as_of: None,
        correction: false,
        assessment_id: Vec::new(),
    });
    assert_eq!(reason(Some(after(&[])), &timeless, late), "malformed");
    let elsewhere = Recorded {
        origin: "36".parse().unwrap(),
        ..late
    };
    assert_eq!(
        reason(None, &reported, elsewhere),
        "malformed",
        "another's place"
    );
    let mut unplaced = message;
    unplaced.place = None;
    assert_eq!(
        reason(None, &IncidentEvent::Reported(unplaced), late),
        "malformed"
    );
}

fn request() -> ReportIncidentRequest {
    ReportIncidentRequest {
        hazard: Hazard::Flood.into(),
        place: Some(v1::Place {
            region_code: "32.75".into(),
            ..Default::default()
        }),
        channel: ReportChannel::Branch.into(),
        ..Default::default()
    }
}

fn parse(request: &ReportIncidentRequest) -> Result<IncidentCommand, IncidentRejection> {
    IncidentCommand::parse_report(request, None, node())
}

#[test]
fn a_report_is_checked_at_the_door() {
    assert!(parse(&request()).is_ok());
    let broken: [(ReportIncidentRequest, &str); 9] = [
        (
            ReportIncidentRequest {
                hazard: 0,
                ..request()
            },
            "field `hazard` is `unspecified`: it must be given",
        ),
        (
            ReportIncidentRequest {
                hazard: 99,
                ..request()
            },
            "field `hazard` is `99`: no value known to this version",
        ),
        (
            ReportIncidentRequest {
                channel: 0,
                ..request()
            },
            "field `channel` is `unspecified`: it must be given",
        ),
        (
            ReportIncidentRequest {
                severity: -1,
                ..request()
            },
            "field `severity` is `-1`: no value known to this version",
        ),
        (
            ReportIncidentRequest {
                place: None,
                ..request()
            },
            "field `place` is ``: a place is needed",
        ),
        (
            ReportIncidentRequest {
                note: "x".repeat(4001),
                ..request()
            },
            "field `note` is `4001 characters`: at most 4,000 characters",
        ),
        (
            ReportIncidentRequest {
                note: " \n".into(),
                ..request()
            },
            "field `note` is ``: it must not be empty",
        ),
        (
            ReportIncidentRequest {
                warning_id: vec![1; 3],
                warning_origin: "32".into(),
                ..request()
            },
            "field `warning_id` is `an id has 16 bytes, not 3`: \
             a warning is named by its owner such as `32` and its id of 16 bytes",
        ),
        (
            ReportIncidentRequest {
                channel: ReportChannel::Warning.into(),
                ..request()
            },
            "field `channel` is `REPORT_CHANNEL_WARNING`: \
             a report that came by a warning names it in `warning_origin` and `warning_id`",
        ),
    ];
    for (request, message) in broken {
        let rejection = parse(&request).unwrap_err();
        assert_eq!(
            (rejection.to_string().as_str(), rejection.code()),
            (message, Code::Invalid)
        );
    }
    let place = Some(v1::Place {
        region_code: "32.99".into(),
        ..Default::default()
    });
    let message = parse(&ReportIncidentRequest { place, ..request() })
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("field `place.region_code` names no region: `32.99`"),
        "{message}"
    );
    let unknown = ReportIncidentRequest {
        warning_id: vec![1; 16],
        warning_origin: "32".into(),
        ..request()
    };
    assert_eq!(parse(&unknown).unwrap_err().code(), Code::NotFound);
}

#[test]
fn a_report_from_a_warning_takes_hazard_and_place_from_it() {
    let areas = ["32.03", "36.02", "32.03"].map(String::from).to_vec();
    let mut warning = WarningState {
        source: Source::BmkgEarthquake,
        publisher: "BMKG".into(),
        identifier: "20221121062109".into(),
        content: Content {
            status: AlertStatus::Actual.into(),
            hazard: Hazard::Earthquake.into(),
            areas: vec![Area {
                region_codes: areas,
                ..Default::default()
            }],
            ..Default::default()
        },
        cancelled: false,
        cancelled_by: CancelledBy::default(),
        replaced: None,
        review: posko_proto::warning::v1::Review::Unspecified,
        dismissed: posko_proto::warning::v1::DismissReason::Unspecified,
        incident: None,
        exercise: false,
        version: 1,
        taken_at: NOW,
        recorded_at: NOW,
    };
    let request = ReportIncidentRequest {
        warning_origin: "31".into(),
        warning_id: vec![5; 16],
        hazard: 0,
        place: None,
        channel: 0,
        ..request()
    };
    let command = IncidentCommand::parse_report(&request, Some(&warning), node()).unwrap();
    let IncidentCommand::Report {
        hazard,
        place,
        channel,
        warning: Some(named),
        ..
    } = command
    else {
        panic!()
    };
    assert_eq!(
        (hazard, place.region_code.as_str(), channel),
        (Hazard::Earthquake, "32.03", ReportChannel::Warning)
    );
    assert_eq!(
        (named.origin.as_str(), named.id, named.status),
        ("31", Id([5; 16]), AlertStatus::Actual)
    );

    warning.content.areas.push(Area {
        region_codes: vec!["32.04".into()],
        ..Default::default()
    });
    let rejection = IncidentCommand::parse_report(&request, Some(&warning), node()).unwrap_err();
    assert!(
        matches!(rejection, IncidentRejection::Invalid { field: "place", .. }),
        "{rejection}"
    );
}

#[test]
fn the_other_requests_are_checked_at_the_door() {
    let field = |result: Result<IncidentCommand, IncidentRejection>| match result {
        Err(IncidentRejection::Invalid { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    let figure = |measure: Measure, count| Figure {
        measure: measure.into(),
        count,
        ..Default::default()
    };
    let impact = |figures, source| RecordImpactRequest {
        figures,
        source,
        ..Default::default()
    };
    let twice = vec![figure(Measure::Dead, 1), figure(Measure::Dead, 2)];
    assert_eq!(
        field(IncidentCommand::try_from(&impact(twice, 1))),
        "figures.measure"
    );
    assert_eq!(
        field(IncidentCommand::try_from(&impact(Vec::new(), 1))),
        "figures"
    );
    assert_eq!(
        field(IncidentCommand::try_from(&impact(
            vec![figure(Measure::Dead, u64::MAX)],
            1
        ))),
        "figures.count"
    );
    assert_eq!(
        field(IncidentCommand::try_from(&impact(
            vec![figure(Measure::Dead, 1)],
            0
        ))),
        "source"
    );
    assert_eq!(
        field(IncidentCommand::try_from(&VerifyIncidentRequest::default())),
        "source"
    );
    assert_eq!(
        field(IncidentCommand::try_from(&AddNoteRequest::default())),
        "text"
    );
    let reject = |duplicate_of| RejectIncidentRequest {
        incident_id: vec![1; 16],
        duplicate_of,
        ..Default::default()
    };
    assert_eq!(
        field(IncidentCommand::try_from(&reject(vec![1; 16]))),
        "duplicate_of"
    );
    let unexplained = reject(Vec::new());
    assert_eq!(field(IncidentCommand::try_from(&unexplained)), "reason");
    let in_words = RejectIncidentRequest {
        note: "Sungai tidak meluap".into(),
        ..unexplained
    };
    assert!(IncidentCommand::try_from(&in_words).is_ok());
    assert_eq!(
        field(IncidentCommand::try_from(&reject(vec![2; 4]))),
        "duplicate_of"
    );
}

#[test]
fn a_state_survives_being_kept() {
    let state = after(&[VERIFY, dead(318, 1), dead(334, 2)]);
    let kept = postcard::to_stdvec(&state).unwrap();
    assert_eq!(postcard::from_bytes::<IncidentState>(&kept).unwrap(), state);
}

fn any_command() -> impl Strategy<Value = IncidentCommand> {
    prop_oneof![
        Just(report("32.03")),
        Just(VERIFY),
        Just(FALSE),
        Just(MERGE),
        Just(ACTIVATE),
        Just(note()),
        Just(IncidentCommand::EndOperation),
        Just(IncidentCommand::Close { confirmed: false }),
        (0..1000_u64, -100..100_i64).prop_map(|(count, minute)| dead(count, minute)),
    ]
}

fn is_ordered(state: &IncidentState) -> bool {
    state.milestones.is_sorted_by_key(|(_, at)| *at)
        && state.milestones.last().map(|last| last.0) == Some(state.status)
}

proptest! {
    /// What decide allows, apply takes, and the milestones stay in order.
    #[test]
    fn what_is_decided_is_applied_in_order(steps in prop::collection::vec((any_command(), -50..50_i64, -9..9_i64, any::<bool>()), 1..40)) {
        let mut state: Option<IncidentState> = None;
        for (command, minute, lag, exercise) in steps {
            let base = context(minute);
            let context = Context { occurred_at: base.now.plus_seconds(lag * 60), exercise, ..base };
            let Ok(next) = step(state.clone(), &command, &context) else { continue };
            prop_assert!(is_ordered(&next));
            let version = state.as_ref().map_or(1, |state| state.version + 1);
            prop_assert_eq!(next.version, version);
            state = Some(next);
        }
    }

    /// Events as an owner may never have written them neither panic nor bring disorder, whatever their bytes.
    #[test]
    fn apply_takes_any_events_without_a_panic(
        events in prop::collection::vec((0..KINDS.len(), prop::collection::vec(any::<u8>(), 0..64), any::<i64>(), any::<bool>()), 0..20),
    ) {
        let mut state = Some(after(&[]));
        for (at, bytes, time, exercise) in events {
            let kind = KINDS[at];
            let Ok(Event::Incident(event)) = Event::decode(kind.type_id, kind.type_version, &bytes) else { continue };
            let recorded = Recorded { occurred_at: Millis(time), exercise, ..recorded(&context(0), 2) };
            let _ = apply(None, &event, &recorded);
            if let Ok(next) = apply(state.clone(), &event, &recorded) {
                prop_assert!(is_ordered(&next));
                state = Some(next);
            }
        }
    }
}
