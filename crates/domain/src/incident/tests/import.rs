use posko_proto::{
    common::v1::Hazard,
    incident::v1::{
        CancelReason, CodeSystem, Figure, FigureSource, ImportedRow, IncidentCancelled,
        IncidentImported, Measure, PublishedRecord, Status, TimePrecision,
        change_incident_request::Change as Wire,
    },
};

use super::{lifecycle::change, *};
use crate::incident::stream_of_record;

/// 1 January 2021 and 2022, WIB.
const FROM: Millis = Millis(1_609_434_000_000);
const UNTIL: Millis = Millis(1_640_970_000_000);

pub(super) fn row(events: Option<u64>, flooded: u64) -> ImportedRow {
    ImportedRow {
        row: 2,
        imported: Some(IncidentImported {
            hazard: Hazard::Flood.into(),
            place: Some(place("32.01").into()),
            figures: vec![Figure {
                measure: Measure::HousesFlooded.into(),
                count: flooded,
                ..Figure::default()
            }],
            source: FigureSource::Government.into(),
            record: Some(PublishedRecord {
                publisher: "Contoh".into(),
                dataset: "Banjir".into(),
                record_id: "244".into(),
                from: Some(FROM.into()),
                until: Some(UNTIL.into()),
                precision: TimePrecision::Year.into(),
                events,
                region_given: "3201".into(),
                code_system: CodeSystem::Bps.into(),
                ..PublishedRecord::default()
            }),
        }),
        note: String::new(),
    }
}

fn changed(change: impl FnOnce(&mut IncidentImported)) -> ImportedRow {
    let mut row = row(Some(75), 12);
    change(row.imported.as_mut().unwrap());
    row
}

pub(super) fn parsed(row: &ImportedRow) -> IncidentCommand {
    IncidentCommand::try_from(row).unwrap()
}

fn taken(state: Option<&IncidentState>, row: &ImportedRow) -> Vec<IncidentEvent> {
    let context = Context {
        occurred_at: FROM,
        ..context(0)
    };
    decide(state, &parsed(row), &context).unwrap()
}

fn folded(state: Option<IncidentState>, events: &[IncidentEvent]) -> IncidentState {
    let version = state.as_ref().map_or(0, |state| state.version);
    let recorded = |at: u32| Recorded {
        origin: node(),
        at: NOW,
        occurred_at: FROM,
        actor: ACTOR,
        exercise: false,
        version: version + at,
    };
    let state = (1..).zip(events).fold(state, |state, (at, event)| {
        Some(apply(state, event, &recorded(at)).unwrap())
    });
    state.unwrap()
}

#[test]
fn a_published_record_becomes_a_historical_incident_without_number_zone_or_alarm() {
    let state = folded(None, &taken(None, &row(Some(75), 12)));
    assert_eq!(
        (state.status, state.number.as_str()),
        (Status::Historical, "")
    );
    assert_eq!(state.zones, [""; 0]);
    assert!(crate::incident::is_over(state.status));
    assert_eq!(state.milestones, [(Status::Historical, FROM)]);
    assert_eq!(
        state.record.unwrap().events,
        Some(75),
        "it counts many and is not shown as one"
    );
    assert_eq!(state.figures[0].count, 12);
}

#[test]
fn the_same_record_again_is_nothing_and_a_changed_one_replaces_what_it_said() {
    let state = folded(None, &taken(None, &row(Some(75), 12)));
    assert_eq!(taken(Some(&state), &row(Some(75), 12)), []);
    let after = folded(
        Some(state.clone()),
        &taken(Some(&state), &row(Some(76), 13)),
    );
    assert_eq!(after.record.as_ref().unwrap().events, Some(76));
    assert!(after.figures[0].corrected && !state.figures[0].corrected);
    // What it said first is a correction too, and another command than the first time.
    let back = taken(Some(&after), &row(Some(75), 12));
    assert_eq!(back.len(), 1);
    let IncidentCommand::Import { imported, .. } = parsed(&row(Some(75), 12)) else {
        unreachable!()
    };
    assert_ne!(
        imported.command_id(None, 0),
        imported.command_id(None, after.version)
    );
}

#[test]
fn a_record_of_no_event_is_nothing_and_takes_an_earlier_count_back() {
    assert_eq!(taken(None, &row(Some(0), 0)), []);
    let state = folded(None, &taken(None, &row(Some(3), 0)));
    let after = folded(Some(state.clone()), &taken(Some(&state), &row(Some(0), 0)));
    assert_eq!(after.record.unwrap().events, Some(0));
}

#[test]
fn a_record_that_was_imported_in_error_is_taken_back_and_comes_again_with_its_file() {
    let state = folded(None, &taken(None, &row(Some(75), 12)));
    let cancel = |reason: CancelReason| {
        let reason = reason.into();
        change(Wire::Cancel(IncidentCancelled { reason }))
    };
    let in_error = cancel(CancelReason::EnteredInError);
    let back = decide(Some(&state), &in_error, &context(1)).unwrap();
    let after = folded(Some(state.clone()), &back);
    assert_eq!(after.status, Status::Historical);
    assert_eq!(after.record.as_ref().unwrap().events, Some(0));
    assert_eq!(after.figures, []);
    assert_eq!(decide(Some(&after), &in_error, &context(2)), Ok(vec![]));
    let again = folded(
        Some(after.clone()),
        &taken(Some(&after), &row(Some(75), 12)),
    );
    assert_eq!(again.record.unwrap().events, Some(75));
    let stood_down = decide(Some(&state), &cancel(CancelReason::StoodDown), &context(1));
    assert_eq!(stood_down.unwrap_err().code(), Code::Conflict);
}

#[test]
fn a_historical_incident_is_run_by_nobody_and_takes_notes() {
    let state = folded(None, &taken(None, &row(Some(75), 12)));
    for command in [VERIFY, FALSE, ACTIVATE] {
        let refused = decide(Some(&state), &command, &context(0)).unwrap_err();
        assert!(
            matches!(
                refused,
                IncidentRejection::WrongStatus {
                    from: Status::Historical,
                    ..
                }
            ),
            "{refused}"
        );
    }
    let noted = decide(Some(&state), &note(), &context(0)).unwrap();
    let after = folded(Some(state), &noted);
    assert_eq!(after.status, Status::Historical);
    assert_eq!(
        taken(Some(&after), &row(Some(75), 12)),
        [],
        "a note is no change of the record"
    );
}

#[test]
fn a_record_and_an_incident_of_today_never_become_each_other() {
    let context = context(0);
    let reported = decide(None, &report("32.01"), &context).unwrap();
    let state = folded(None, &reported);
    let refused = decide(Some(&state), &parsed(&row(Some(1), 0)), &context).unwrap_err();
    assert!(matches!(refused, IncidentRejection::NotHistorical { .. }));
    let history = folded(None, &taken(None, &row(Some(1), 0)));
    let refused = decide(Some(&history), &report("32.01"), &context).unwrap_err();
    assert!(matches!(refused, IncidentRejection::AlreadyReported { .. }));
    let drill = Context {
        exercise: true,
        ..context
    };
    assert!(
        decide(None, &parsed(&row(Some(1), 0)), &drill).is_err(),
        "an exercise is no history"
    );
}

#[test]
fn what_is_no_record_of_this_province_in_the_past_is_refused() {
    let refused = |row: &ImportedRow| IncidentCommand::try_from(row).unwrap_err().to_string();
    for (row, says) in [
        (changed(|said| said.record = None), "record"),
        (changed(|said| said.place = None), "place"),
        (changed(|said| said.hazard = 0), "hazard"),
        (changed(|said| said.source = 0), "source"),
        (
            changed(|said| said.record.as_mut().unwrap().publisher = " ".into()),
            "publisher",
        ),
        (
            changed(|said| said.record.as_mut().unwrap().dataset = "x".repeat(201)),
            "dataset",
        ),
        (
            changed(|said| said.record.as_mut().unwrap().record_id = "a\nb".into()),
            "record_id",
        ),
        (
            changed(|said| said.record.as_mut().unwrap().precision = 0),
            "precision",
        ),
        (
            changed(|said| said.record.as_mut().unwrap().until = Some(FROM.into())),
            "end of the record",
        ),
        (changed(|said| said.figures.push(said.figures[0])), "once"),
        (changed(|said| said.figures[0].sex = 1), "everybody"),
        (
            changed(|said| said.place = Some(place("99.01").into())),
            "no region",
        ),
    ] {
        assert!(
            refused(&row).contains(says),
            "{} should say {says}",
            refused(&row)
        );
    }
    let sums = changed(|said| {
        said.hazard = 0;
        said.record.as_mut().unwrap().events = None;
    });
    assert!(
        IncidentCommand::try_from(&sums).is_ok(),
        "a sum may be of all kinds of hazard"
    );
    let elsewhere = changed(|said| said.place = Some(place("31.71").into()));
    let refused = decide(None, &parsed(&elsewhere), &context(0)).unwrap_err();
    assert!(matches!(refused, IncidentRejection::OutsideProvince { .. }));
    let future = Context {
        occurred_at: NOW.plus_seconds(86_400),
        ..context(0)
    };
    let refused = decide(None, &parsed(&row(Some(1), 0)), &future).unwrap_err();
    assert!(matches!(refused, IncidentRejection::InFuture { .. }));
}

#[test]
fn a_record_is_the_same_incident_whoever_takes_it() {
    let stream = stream_of_record("Contoh", "Banjir", "244");
    let IncidentCommand::Import { imported, .. } = parsed(&row(Some(75), 12)) else {
        unreachable!()
    };
    assert_eq!(imported.stream(), stream);
    for other in [
        ("Contoh", "Banjir", "245"),
        ("Contoh", "Banji", "r244"),
        ("Contoh2", "Banjir", "244"),
    ] {
        assert_ne!(stream_of_record(other.0, other.1, other.2), stream);
    }
}

#[test]
fn a_fold_refuses_what_no_owner_should_have_written() {
    let events = taken(None, &row(Some(1), 0));
    let fold = |origin: &str, exercise: bool| {
        let recorded = Recorded {
            origin: origin.parse().unwrap(),
            at: NOW,
            occurred_at: FROM,
            actor: ACTOR,
            exercise,
            version: 1,
        };
        apply(None, &events[0], &recorded)
    };
    assert!(fold("32", false).is_ok());
    assert!(matches!(
        fold("31", false),
        Err(IllegalEvent::Malformed { .. })
    ));
    assert!(matches!(
        fold("32", true),
        Err(IllegalEvent::ExerciseMixed { .. })
    ));
    let empty = IncidentEvent::Imported(Box::default());
    let recorded = Recorded {
        origin: node(),
        at: NOW,
        occurred_at: FROM,
        actor: ACTOR,
        exercise: false,
        version: 1,
    };
    assert!(apply(None, &empty, &recorded).is_err());
}
