//! What the writer does when the file cannot take what it writes.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use posko_domain::{context::stream_of, incident::IncidentCommand, region::Place};
use posko_ledger::{chain::Identity, key::SecretKey};
use posko_proto::{
    Id,
    common::v1::{self as common, Hazard, Role},
    incident::v1::{ReportChannel, Severity},
    time::Millis,
};
use tempfile::TempDir;

use super::savepoint;
use crate::{
    Actor, Command, Options, Request, Start, Store, StoreError, command::Answer, rebuild::Progress,
};

const NOW: Millis = Millis(1_790_000_000_000);

fn open(dir: &TempDir, run: u8) -> Store {
    let (log_key, recovery) = (
        SecretKey::from_seed(&[1; 32]),
        SecretKey::from_seed(&[2; 32]),
    );
    let options = Options {
        path: dir.path().join("32.db"),
        mark: dir.path().join("32.mark"),
        start: Start::First,
        identity: Identity {
            federation: [7; 16],
            origin: "32".parse().unwrap(),
            recovery: recovery.public(),
        },
        log_key: Arc::new(log_key),
        recovery_key: Some(Arc::new(recovery)),
        epoch_nonce: [run; 16],
        now: NOW,
        areas: crate::aggregate::Areas::default(),
        on_fatal: Box::new(|error| panic!("{error}")),
    };
    Store::open(options, &mut |_| {}).unwrap()
}

fn report(store: &Store, number: u32) -> Answer {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    let place = Place::parse(&common::Place {
        region_code: "32.75".into(),
        ..Default::default()
    });
    let command = IncidentCommand::Report {
        hazard: Hazard::Flood,
        place: place.unwrap(),
        severity: Severity::Moderate,
        channel: ReportChannel::Branch,
        warning: None,
        note: Some("air setinggi lutut".repeat(20)),
    };
    let request = Request {
        command_id: Id(id),
        digest: [1; 32],
        authority: Actor {
            account: Id([9; 16]),
            role: Role::DutyOfficer,
            ..Actor::default()
        }
        .into(),
        stream: stream_of(Id(id)),
        expected_version: 0,
        now: NOW,
        occurred_at: NOW,
        exercise: false,
        cause: None,
        seed: [3; 32],
        credential: None,
        command: Command::Incident(command),
    };
    let (answer, answered) = mpsc::channel();
    store.execute(request, move |outcome| answer.send(outcome).unwrap());
    answered.recv_timeout(Duration::from_secs(20)).unwrap()
}

#[test]
fn a_full_disk_refuses_commands_and_loses_none_that_was_accepted() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir, 1);
    let shrink =
        |store: &Store| {
            store.change(|connection| {
                // No page may be added to those that are.
                Ok(connection
                    .query_row("PRAGMA max_page_count = 1", [], |row| row.get::<_, i64>(0))?)
            })
        };
    // The epoch itself may be what does not fit.
    shrink(&store).unwrap();
    let mut accepted = Vec::new();
    let mut refused = Vec::new();
    for number in 1..=200 {
        match report(&store, number) {
            Ok(answer) => accepted.push((number, answer)),
            Err(_) => refused.push(number),
        }
    }
    assert!(refused.len() > 20, "{} were refused", refused.len());
    let origin = store.identity().origin;
    store.verify_log(origin, &mut |_| {}).unwrap();
    drop(store);

    let store = open(&dir, 2);
    for (number, answer) in &accepted {
        assert_eq!(report(&store, *number).as_ref(), Ok(answer));
    }
    let checked = store.verify_log(origin, &mut |_| {}).unwrap();
    assert_eq!(checked.entries, 2 * accepted.len() as u64);
    for number in refused {
        report(&store, number).unwrap();
    }
    store.verify_log(origin, &mut |_| {}).unwrap();
}

#[test]
fn readers_of_a_rush_are_not_all_kept() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir, 1);
    let together = std::sync::Barrier::new(20);
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                store.read(|_| {
                    together.wait();
                    Ok(())
                })
            });
        }
    });
    assert_eq!(store.0.readers.lock().unwrap().len(), crate::KEPT_READERS);
}

#[test]
fn a_query_that_takes_too_long_is_stopped_by_name() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir, 1);
    let endless = "WITH RECURSIVE more(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more) SELECT SUM(n) FROM more";
    let stopped =
        store.read(|connection| Ok(connection.query_row(endless, [], |row| row.get::<_, i64>(0))?));
    assert!(
        matches!(stopped, Err(StoreError::Deadline(5))),
        "{stopped:?}"
    );
}

#[test]
fn a_change_that_fails_halfway_leaves_nothing() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir, 1);
    let failed: Result<(), StoreError> = store.change(|connection| {
        connection.execute(
            "INSERT INTO view_version(view, version) VALUES ('x', 1)",
            [],
        )?;
        Err(StoreError::Stopped)
    });
    assert!(failed.is_err());
    let left = store.read(|connection| {
        let count = "SELECT COUNT(*) FROM view_version WHERE view = 'x'";
        Ok(connection.query_row(count, [], |row| row.get::<_, i64>(0))?)
    });
    assert_eq!(left.unwrap(), 0);
}

#[test]
fn the_reason_for_which_a_whole_transaction_was_undone_is_kept() {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    connection.execute_batch("BEGIN").unwrap();
    let undone: Result<(), StoreError> = savepoint(&connection, |connection| {
        connection.execute_batch("ROLLBACK")?;
        Err(StoreError::Corrupt { what: "a page" })
    });
    assert!(undone.unwrap_err().is_fatal());
}

#[test]
fn tables_that_a_failed_rebuild_left_are_no_hindrance_to_the_next() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir, 1);
    report(&store, 1).unwrap();
    store
        .change(|connection| Ok(connection.execute_batch("CREATE TABLE state_new(left_over)")?))
        .unwrap();
    let (steps, taken) = mpsc::channel();
    store.rebuild_views(Box::new(move |step| steps.send(step).unwrap()));
    let done = Progress {
        done: 2,
        total: 2,
        swapped: true,
    };
    assert_eq!(taken.recv().unwrap().unwrap(), done);
}
