//! A warning that several nodes took in: listed once, by whose it is.

use posko_domain::warning::{Ending, WarningCommand, stream_of, subscription::Subscription};
use posko_proto::warning::v1::{AlertStatus, Content, Source};
use posko_store::reading::KeptReading;
use tempfile::tempdir;

use super::*;

const NAME: &str = "luapan Ciliwung";

fn warning() -> Id {
    stream_of(Source::Manual, NAME)
}

fn asked(number: u32, command: WarningCommand) -> Request {
    Request {
        stream: warning(),
        command: Command::Warning(command),
        ..report(number, "32.75")
    }
}

fn taken(number: u32) -> Request {
    let content = Content {
        status: AlertStatus::Actual.into(),
        hazard: Hazard::Flood.into(),
        sent_at: Some(NOW.into()),
        expires_at: Some(NOW.plus_seconds(3600).into()),
        ..Content::default()
    };
    let command = WarningCommand::take(Source::Manual, "BPBD", NAME, content).unwrap();
    asked(number, command)
}

/// Returns whose warnings a node lists.
fn listed(store: &Store, origin: Option<NodeId>, in_force_at: Option<Millis>) -> Vec<String> {
    let page = store.warnings(origin, in_force_at, None, None, 10).unwrap();
    let origins = page.rows.iter().map(|found| found.origin.to_string());
    origins.collect()
}

#[test]
fn a_warning_that_two_nodes_hold_is_one_row_and_in_force_while_one_of_them_holds_it() {
    let dir = tempdir().unwrap();
    let [dki, jabar, banten] = ["31", "32", "36"].map(|origin| open(dir.path(), origin, 1));
    for (store, others) in [
        (&dki, ["32", "36"]),
        (&jabar, ["31", "36"]),
        (&banten, ["31", "32"]),
    ] {
        for other in others {
            accept(store, other);
        }
    }
    let exchanged = || {
        replicate(&dki, &jabar, "31", 100);
        replicate(&dki, &banten, "31", 100);
        replicate(&jabar, &dki, "32", 100);
        replicate(&jabar, &banten, "32", 100);
    };
    accepted(&dki, taken(1));
    accepted(&jabar, taken(2));
    exchanged();
    for (store, whose) in [(&dki, "31"), (&jabar, "32"), (&banten, "31")] {
        assert_eq!(
            listed(store, None, None),
            [whose],
            "its own, else the first"
        );
        assert_eq!(listed(store, None, Some(NOW)), [whose]);
        for origin in ["31", "32"] {
            assert_eq!(listed(store, Some(node(origin)), None), [origin]);
        }
        let takers = store.warning_takers(&[warning()]).unwrap();
        assert_eq!(takers[&warning()], [node("31"), node("32")]);
    }

    accepted(&dki, asked(3, WarningCommand::Cancel(Ending::default())));
    exchanged();
    for store in [&dki, &jabar, &banten] {
        assert_eq!(
            listed(store, None, Some(NOW)),
            ["32"],
            "32 still holds it in force"
        );
    }
    assert_eq!(listed(&dki, None, None), ["31"]);
    let later = Some(NOW.plus_seconds(7200));
    assert_eq!(listed(&banten, None, later), [""; 0]);
}

#[test]
fn a_list_of_one_hazard_goes_on_over_its_pages_and_leaves_none_of_it_out() {
    let dir = tempdir().unwrap();
    let store = open(dir.path(), "32", 1);
    for (number, hazard) in [
        (1, Hazard::Flood),
        (2, Hazard::Earthquake),
        (3, Hazard::Flood),
        (4, Hazard::Earthquake),
        (5, Hazard::Flood),
    ] {
        let content = Content {
            status: AlertStatus::Actual.into(),
            hazard: hazard.into(),
            sent_at: Some(NOW.plus_seconds(i64::from(number)).into()),
            ..Content::default()
        };
        let name = format!("{NAME}-{number}");
        let command = WarningCommand::take(Source::Manual, "BPBD", &name, content).unwrap();
        let stream = stream_of(Source::Manual, &name);
        accepted(
            &store,
            Request {
                stream,
                ..asked(number, command)
            },
        );
    }
    let wanted = posko_proto::warning::v1::Subscription {
        hazard: Hazard::Flood.into(),
        exercises: true,
        ..Default::default()
    };
    let wanted = Subscription::parse(&wanted, Id([0; 16]), NOW).unwrap();
    let (mut sent, mut after) = (Vec::new(), None);
    loop {
        let page = store.warnings(None, None, Some(&wanted), after.as_deref(), 1);
        let page = page.unwrap();
        assert_eq!(page.rows.len(), 1);
        sent.extend(
            page.rows
                .into_iter()
                .map(|found| found.state.content.sent_at),
        );
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected = [5, 3, 1].map(|seconds| Some(NOW.plus_seconds(seconds).into()));
    assert_eq!(sent, expected);
}

#[test]
fn the_newest_reading_of_each_gauge_is_there_after_a_start() {
    let dir = tempdir().unwrap();
    let store = open(dir.path(), "32", 1);
    let reading = |station: &str, seconds: i64, level_mm: i32| KeptReading {
        station: station.into(),
        read_at: NOW.plus_seconds(seconds),
        level_mm,
    };
    for kept in [
        reading("katulampa", 0, 900),
        reading("depok", 60, 1_200),
        reading("katulampa", 300, 950),
    ] {
        store.keep_gauge_reading(kept).unwrap();
    }
    drop(store);
    let mut kept = open(dir.path(), "32", 2).gauge_readings().unwrap();
    kept.sort_by(|one, other| one.station.cmp(&other.station));
    assert_eq!(
        kept,
        [reading("depok", 60, 1_200), reading("katulampa", 300, 950)]
    );
}
