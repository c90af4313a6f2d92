//! The store as its users see it: commands answered once, logs that replicate, views that agree.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, also in what its tests share"
)]

mod aggregate;
mod arrival;
mod authority;
mod backup;
mod blob;
mod convergence;
mod faults;
mod fork;
mod frontier;
mod missing;
mod recovery;
mod rejoin;
mod snapshot;
mod standing;
mod statement;
mod tail;
mod timeline;
mod warning;

use std::{
    path::Path,
    sync::{Arc, mpsc},
};

use posko_domain::{
    code::{Code, Refusal},
    context::stream_of,
    incident::IncidentCommand,
    region::Place,
};
use posko_ledger::{
    MAX_GROUP_BYTES, MAX_GROUP_ENTRIES,
    chain::{Chain, Identity, VerifiedGroup},
    entry::{EntryHeader, Record},
    epoch::Position,
    key::SecretKey,
};
use posko_proto::{
    Id, NodeId,
    common::v1::{self as common, Hazard, Role},
    incident::v1::{FigureSource, ReportChannel, Severity, Status},
    time::Millis,
};
use posko_store::{
    Accepted, Actor, ApplyError, Areas, Command, Options, Request, Start, Store, StoreError,
    command::Answer, view::incident::Filter,
};
use tempfile::TempDir;

const NOW: Millis = Millis(1_790_000_000_000);

fn node(name: &str) -> NodeId {
    name.parse().unwrap()
}

fn identity(origin: &str) -> Identity {
    let recovery = SecretKey::from_seed(&seed(origin, 2)).public();
    Identity {
        federation: [7; 16],
        origin: node(origin),
        recovery,
    }
}

fn seed(origin: &str, which: u8) -> [u8; 32] {
    let mut seed = [which; 32];
    for (to, from) in seed.iter_mut().zip(origin.bytes()) {
        *to = from;
    }
    seed
}

fn try_open(dir: &Path, origin: &str, run: u8) -> Result<Store, StoreError> {
    try_open_with(dir, origin, run, Areas::default())
}

fn try_open_with(dir: &Path, origin: &str, run: u8, areas: Areas) -> Result<Store, StoreError> {
    let options = Options {
        path: dir.join(format!("{origin}.db")),
        mark: dir.join(format!("{origin}.mark")),
        start: if run == 1 { Start::First } else { Start::Later },
        identity: identity(origin),
        log_key: Arc::new(SecretKey::from_seed(&seed(origin, 1))),
        recovery_key: Some(Arc::new(SecretKey::from_seed(&seed(origin, 2)))),
        epoch_nonce: [run; 16],
        now: NOW,
        areas,
        on_fatal: Box::new(|error| panic!("{error}")),
    };
    Store::open(options, &mut |_| {})
}

fn open(dir: &Path, origin: &str, run: u8) -> Store {
    try_open(dir, origin, run).unwrap()
}

fn command_id(number: u32) -> Id {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    Id(id)
}

fn request(number: u32, stream: Id, command: IncidentCommand) -> Request {
    Request {
        command_id: command_id(number),
        digest: [number as u8; 32],
        authority: Actor {
            account: Id([9; 16]),
            role: Role::DutyOfficer,
            ..Actor::default()
        }
        .into(),
        stream,
        expected_version: 0,
        now: NOW,
        occurred_at: NOW,
        exercise: false,
        cause: None,
        seed: [3; 32],
        credential: None,
        command: Command::Incident(command),
    }
}

fn report(number: u32, region: &str) -> Request {
    let place = Place::parse(&common::Place {
        region_code: region.into(),
        ..Default::default()
    })
    .unwrap();
    let command = IncidentCommand::Report {
        hazard: Hazard::Flood,
        place,
        severity: Severity::Moderate,
        channel: ReportChannel::Branch,
        warning: None,
        note: Some("air setinggi lutut".into()),
    };
    request(number, stream_of(command_id(number)), command)
}

fn execute(store: &Store, request: Request) -> Answer {
    let (answer, answered) = mpsc::channel();
    store.execute(request, move |outcome| answer.send(outcome).unwrap());
    answered.recv().unwrap()
}

fn accepted(store: &Store, request: Request) -> Accepted {
    execute(store, request).unwrap()
}

/// Returns the next group that `from` has for a chain, read in pages of `entries`, and moves the chain over it.
fn next_group(from: &Store, chain: &mut Chain, entries: usize) -> Option<VerifiedGroup> {
    let origin = chain.identity().origin;
    let mut page = from
        .page(origin, chain.end(), entries, MAX_GROUP_BYTES, 3)
        .unwrap();
    let mut prev = page.prev;
    while page.head.is_none() && !page.records.is_empty() {
        prev.seq = page.prev.seq + page.records.len() as u64;
        prev.hash = page.records.iter().fold(page.prev.hash, |hash, record| {
            posko_ledger::entry::chain_hash(&hash, &record.header)
        });
        let more = from
            .page(origin, prev, entries, MAX_GROUP_BYTES, 3)
            .unwrap();
        page.records.extend(more.records);
        page.head = more.head;
    }
    let head = page.head?;
    let records: Vec<(EntryHeader, Record)> = page
        .records
        .into_iter()
        .map(|record| (EntryHeader::decode(&record.header).unwrap(), record))
        .collect();
    assert!(records.len() <= MAX_GROUP_ENTRIES);
    Some(chain.verify(page.opens, records, head).unwrap())
}

fn apply(to: &Store, group: VerifiedGroup) -> Result<Position, ApplyError> {
    let (answer, answered) = mpsc::channel();
    to.apply(
        group,
        NOW,
        Box::new(move |applied| answer.send(applied).unwrap()),
    );
    answered.recv().unwrap()
}

/// Replicates all that `from` has of `origin` to `to`, in pages of `entries`.
fn replicate(from: &Store, to: &Store, origin: &str, entries: usize) {
    let mut chain = to.chain(node(origin)).unwrap();
    while let Some(group) = next_group(from, &mut chain, entries) {
        apply(to, group).unwrap();
    }
}

fn accept(store: &Store, origin: &str) {
    store
        .accept_peer(identity(origin), vec![1, 2, 3], NOW)
        .unwrap();
}

fn digests_of(store: &Store, origin: &str) -> Vec<(&'static str, u64, [u8; 32])> {
    let digests = store.digests().unwrap();
    digests
        .into_iter()
        .filter(|digest| digest.origin == node(origin))
        .map(|digest| (digest.view, digest.rows, digest.sha256))
        .collect()
}

#[test]
fn a_repeated_command_is_answered_as_the_first_time_and_recorded_once() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let first = accepted(&store, report(1, "32.75"));
    assert_eq!(first.number.as_deref(), Some("PMI-32-2026-000001"));
    assert_eq!(execute(&store, report(1, "32.75")), Ok(first.clone()));
    drop(store);

    let reopened = open(dir.path(), "32", 2);
    assert_eq!(execute(&reopened, report(1, "32.75")), Ok(first));
    assert_eq!(
        reopened
            .incidents(&Filter::default(), None, 10)
            .unwrap()
            .rows
            .len(),
        1
    );
}

#[test]
fn a_repeated_rejected_command_is_rejected_as_the_first_time() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let incident = accepted(&store, report(1, "32.75")).stream;
    let too_early = || request(2, incident, IncidentCommand::Close { confirmed: false });
    let refusal = execute(&store, too_early()).unwrap_err();
    assert_eq!(refusal.code, Code::Conflict);
    let verify = IncidentCommand::Verify {
        source: FigureSource::Pmi,
    };
    accepted(&store, request(3, incident, verify));
    accepted(
        &store,
        request(
            4,
            incident,
            IncidentCommand::Activate {
                scale: posko_proto::incident::v1::Scale::Small,
            },
        ),
    );
    accepted(&store, request(5, incident, IncidentCommand::EndOperation));
    assert_eq!(execute(&store, too_early()), Err(refusal));
}

#[test]
fn a_command_id_is_not_used_for_another_command() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    accepted(&store, report(1, "32.75"));
    let mut other = report(1, "32.73");
    other.digest = [0xee; 32];
    let Refusal { code, message } = execute(&store, other).unwrap_err();
    assert_eq!(code, Code::Conflict);
    assert!(
        message.contains("already used for another command"),
        "{message}"
    );
}

#[test]
fn a_stale_version_is_refused_and_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let first = accepted(&store, report(1, "32.75"));
    let verify = || IncidentCommand::Verify {
        source: FigureSource::Pmi,
    };
    let stale = Request {
        expected_version: first.version - 1,
        ..request(2, first.stream, verify())
    };
    let refusal = execute(&store, stale).unwrap_err();
    assert_eq!(refusal.code, Code::Conflict);
    assert!(
        refusal.message.contains("has changed meanwhile"),
        "{}",
        refusal.message
    );
    let seen = Request {
        expected_version: first.version,
        ..request(3, first.stream, verify())
    };
    accepted(&store, seen);
    let (found, notes) = store.incident(Some(first.stream), "").unwrap().unwrap();
    assert_eq!(found.state.status, Status::Verified);
    assert_eq!(notes.len(), 1);
}

#[test]
fn numbers_follow_each_other_across_restarts() {
    let dir = TempDir::new().unwrap();
    for run in 1..=3 {
        let store = open(dir.path(), "32", run);
        let number = accepted(&store, report(run.into(), "32.75"))
            .number
            .unwrap();
        assert_eq!(number, format!("PMI-32-2026-{run:06}"));
    }
}

#[test]
fn every_start_that_writes_opens_an_epoch_and_one_that_does_not_leaves_none() {
    let dir = TempDir::new().unwrap();
    for run in 1..=2 {
        accepted(&open(dir.path(), "32", run), report(run.into(), "32.75"));
    }
    drop(open(dir.path(), "32", 3));
    let store = open(dir.path(), "32", 4);
    let opens = store.opens(node("32")).unwrap();
    assert_eq!(
        opens.iter().map(|open| open.epoch.no).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(opens[1].parent.epoch, opens[0].epoch);
}

#[test]
fn a_replica_shows_what_its_owner_shows_in_whatever_pages_it_came() {
    let dir = TempDir::new().unwrap();
    let owner = open(dir.path(), "32", 1);
    for number in 1..=60 {
        let incident = accepted(&owner, report(number, "32.75")).stream;
        if number % 3 == 0 {
            let verify = IncidentCommand::Verify {
                source: FigureSource::Government,
            };
            accepted(&owner, request(1000 + number, incident, verify));
        }
    }
    drop(owner);
    let owner = open(dir.path(), "32", 2);
    accepted(&owner, report(99, "32.16"));
    for (index, entries) in [1, 7, 1024].into_iter().enumerate() {
        let replica = open(dir.path(), ["31", "36", "ims"][index], 1);
        accept(&replica, "32");
        replicate(&owner, &replica, "32", entries);
        assert_eq!(
            digests_of(&replica, "32"),
            digests_of(&owner, "32"),
            "in pages of {entries}"
        );
        assert_eq!(
            replica.log(node("32")).unwrap().end,
            owner.log(node("32")).unwrap().end
        );
        replica.verify_log(node("32"), &mut |_| {}).unwrap();
    }
}

#[test]
fn a_group_never_passes_its_limit_in_whatever_pages_a_log_of_large_commits_is_read() {
    let dir = TempDir::new().unwrap();
    let owner = open(dir.path(), "32", 1);
    for burst in 0..4 {
        let (answer, answered) = mpsc::channel();
        for number in 1..=240 {
            let answer = answer.clone();
            owner.execute(report(burst * 240 + number, "32.75"), move |outcome| {
                answer.send(outcome.unwrap()).unwrap();
            });
        }
        drop(answer);
        assert_eq!(answered.iter().count(), 240);
    }
    for entries in (500..=1000).step_by(50) {
        let dir = TempDir::new().unwrap();
        let replica = open(dir.path(), "31", 1);
        accept(&replica, "32");
        replicate(&owner, &replica, "32", entries);
    }
}

#[test]
fn a_group_is_applied_once() {
    let dir = TempDir::new().unwrap();
    let (owner, replica) = (open(dir.path(), "32", 1), open(dir.path(), "31", 1));
    accept(&replica, "32");
    accepted(&owner, report(1, "32.75"));
    let origin = node("32");
    let page = owner
        .page(
            origin,
            replica.chain(origin).unwrap().end(),
            100,
            MAX_GROUP_BYTES,
            3,
        )
        .unwrap();
    let records: Vec<_> = page
        .records
        .into_iter()
        .map(|record| (EntryHeader::decode(&record.header).unwrap(), record))
        .collect();
    let group = replica
        .chain(origin)
        .unwrap()
        .verify(page.opens, records, page.head.unwrap())
        .unwrap();
    let mut answers = Vec::new();
    for group in [group.clone(), group] {
        let (answer, answered) = mpsc::channel();
        replica.apply(
            group,
            NOW,
            Box::new(move |applied| answer.send(applied).unwrap()),
        );
        answers.push(answered.recv().unwrap());
    }
    assert!(answers[0].is_ok());
    assert!(
        matches!(answers[1], Err(ApplyError::Moved { .. })),
        "{:?}",
        answers[1]
    );
    assert_eq!(
        replica
            .incidents(&Filter::default(), None, 10)
            .unwrap()
            .rows
            .len(),
        1
    );
}

#[test]
fn a_neighbour_in_the_zone_is_told_of_an_incident_and_others_are_not() {
    let dir = TempDir::new().unwrap();
    let owner = open(dir.path(), "32", 1);
    accepted(&owner, report(1, "32.75"));
    for (origin, told) in [("31", 1), ("36", 0)] {
        let replica = open(dir.path(), origin, 1);
        accept(&replica, "32");
        replicate(&owner, &replica, "32", 100);
        let notices = replica.notices(None, 10).unwrap().rows;
        assert_eq!(notices.len(), told, "node {origin}");
        assert!(notices.iter().all(|notice| notice.zone == "Z1"));
    }
    assert!(owner.notices(None, 10).unwrap().rows.is_empty());
}

#[test]
fn views_built_anew_are_those_that_were() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    for number in 1..=30 {
        accepted(&store, report(number, "32.75"));
    }
    let before = digests_of(&store, "32");
    let (steps, taken) = mpsc::channel();
    store.rebuild_views(Box::new(move |step| steps.send(step.unwrap()).unwrap()));
    let last = taken.iter().find(|step| step.swapped).unwrap();
    assert_eq!((last.done, last.total), (60, 60));
    assert_eq!(digests_of(&store, "32"), before);
    accepted(&store, report(31, "32.75"));
    assert_eq!(
        store
            .incidents(&Filter::default(), None, 100)
            .unwrap()
            .rows
            .len(),
        31
    );
}

#[test]
fn a_list_goes_on_where_its_page_ended() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    for number in 1..=7 {
        accepted(&store, report(number, "32.75"));
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store
            .incidents(&Filter::default(), after.as_deref(), 3)
            .unwrap();
        seen.extend(page.rows.iter().map(|found| found.state.number.clone()));
        let Some(next) = page.next else { break };
        after = Some(next);
    }
    seen.sort();
    let expected: Vec<String> = (1..=7)
        .map(|serial| format!("PMI-32-2026-{serial:06}"))
        .collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_changed_byte_of_the_log_is_found() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    accepted(&store, report(1, "32.75"));
    accepted(&store, report(2, "32.75"));
    drop(store);
    let file = rusqlite::Connection::open(dir.path().join("32.db")).unwrap();
    file.execute("UPDATE payload SET body = zeroblob(length(body)) WHERE pos = (SELECT MIN(pos) FROM payload)", [])
        .unwrap();
    assert!(
        file.execute("UPDATE entry SET hash = hash", []).is_err(),
        "headers are never updated"
    );
    assert!(
        file.execute("DELETE FROM entry", []).is_err(),
        "headers are never deleted"
    );
    drop(file);
    let store = open(dir.path(), "32", 2);
    let error = store
        .verify_log(node("32"), &mut |_| {})
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("payload is not the one that the header binds"),
        "{error}"
    );
}

#[test]
fn a_file_of_another_node_or_a_newer_program_is_refused() {
    let dir = TempDir::new().unwrap();
    drop(open(dir.path(), "32", 1));
    std::fs::rename(dir.path().join("32.db"), dir.path().join("36.db")).unwrap();
    assert!(matches!(
        try_open(dir.path(), "36", 1),
        Err(StoreError::OtherNode { .. })
    ));
    let file = rusqlite::Connection::open(dir.path().join("36.db")).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    assert!(matches!(
        try_open(dir.path(), "36", 1),
        Err(StoreError::Newer {
            found: 99,
            known: 7
        })
    ));
}

#[test]
fn commands_of_many_askers_share_commits_and_each_is_there_once() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let (answer, answered) = mpsc::channel();
    for number in 1..=1500 {
        let answer = answer.clone();
        store.execute(report(number, "32.75"), move |outcome| {
            answer.send(outcome.unwrap()).unwrap();
        });
    }
    drop(answer);
    let numbers: std::collections::BTreeSet<String> = answered
        .iter()
        .map(|accepted: Accepted| accepted.number.unwrap())
        .collect();
    assert_eq!(numbers.len(), 1500);
    let replica = open(dir.path(), "31", 1);
    accept(&replica, "32");
    replicate(&store, &replica, "32", MAX_GROUP_ENTRIES);
    assert_eq!(digests_of(&replica, "32"), digests_of(&store, "32"));
}

#[test]
fn an_exported_log_checks_out_and_a_shortened_one_does_not() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    for number in 1..=5 {
        accepted(&store, report(number, "32.75"));
    }
    let mut exported = Vec::new();
    assert_eq!(store.export_log(node("32"), &mut exported).unwrap(), 10);
    let summary = posko_ledger::log_file::verify(exported.as_slice()).unwrap();
    assert_eq!(summary.entries, 10);
    exported.truncate(exported.len() - 1);
    assert!(posko_ledger::log_file::verify(exported.as_slice()).is_err());
}
