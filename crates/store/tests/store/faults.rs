//! What may go wrong, and what must not come of it.

use std::time::Duration;

use posko_domain::{event::IncidentEvent, warning::WarningCommand};
use posko_ledger::{
    chain::Chain,
    entry::{Class, EntryHeader, Payload, Record, commit},
    epoch::{Epoch, EpochOpen, Position, Reason},
};
use posko_proto::{
    common::v1::{Envelope, Point},
    incident::v1::IncidentNoted,
    warning::v1::{AlertStatus, Area, Content, Polygon, Source},
};
use posko_store::{Progress, view};
use prost::Message;

use super::{
    Arc, Code, Command, Filter, Hazard, Id, MAX_GROUP_ENTRIES, NOW, Options, Request, SecretKey,
    Start, Store, StoreError, TempDir, accept, accepted, apply, command_id, digests_of, execute,
    identity, mpsc, next_group, node, open, replicate, report, seed,
};

fn warning_of(number: u32, points: usize) -> Request {
    let point = |step: usize| Point {
        latitude_microdegrees: -6_850_000 - step as i32,
        longitude_microdegrees: 107_030_000,
    };
    let mut ring: Vec<Point> = (0..points - 1).map(point).collect();
    ring.push(point(0));
    let content = Content {
        status: AlertStatus::Actual.into(),
        hazard: Hazard::ExtremeRain.into(),
        sent_at: Some(NOW.into()),
        areas: vec![Area {
            region_codes: vec!["32".into()],
            polygons: vec![Polygon { points: ring }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let id = format!("peringatan {number}");
    let command = WarningCommand::take(Source::Manual, "PMI", &id, content).unwrap();
    Request {
        stream: posko_domain::warning::stream_of(Source::Manual, &id),
        command: Command::Warning(command),
        ..report(number, "32.75")
    }
}

#[test]
fn an_event_too_large_to_record_leaves_nothing_behind() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let refusal = execute(&store, warning_of(1, 50_000)).unwrap_err();
    assert_eq!(refusal.code, Code::Invalid, "{}", refusal.message);
    assert_eq!(store.opens(node("32")).unwrap(), []);
    accepted(&store, report(2, "32.75"));
    accepted(&store, warning_of(3, 100));
    store.verify_log(node("32"), &mut |_| {}).unwrap();
}

#[test]
fn when_nothing_can_be_written_what_waits_is_refused_and_a_stop_is_heard() {
    let dir = TempDir::new().unwrap();
    accepted(&open(dir.path(), "32", 1), report(1, "32.75"));
    drop(open(dir.path(), "32", 2));
    let file = rusqlite::Connection::open(dir.path().join("32.db")).unwrap();
    file.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON head BEGIN SELECT RAISE(ABORT, 'full'); END",
    )
    .unwrap();
    let store = open(dir.path(), "32", 3);
    accepted(&store, report(2, "32.75"));
    for number in 3..6 {
        let (answer, answered) = mpsc::channel();
        store.execute(report(number, "32.75"), move |outcome| {
            answer.send(outcome).unwrap();
        });
        let refusal = answered
            .recv_timeout(Duration::from_secs(20))
            .unwrap()
            .unwrap_err();
        assert_eq!(refusal.code, Code::Unavailable);
    }
    file.execute_batch("DROP TRIGGER full").unwrap();
    for number in 3..6 {
        accepted(&store, report(number, "32.75"));
    }
    drop(store);
    let store = open(dir.path(), "32", 4);
    assert_eq!(
        store
            .incidents(&Filter::default(), None, 10)
            .unwrap()
            .rows
            .len(),
        5
    );
    store.verify_log(node("32"), &mut |_| {}).unwrap();
}

#[test]
fn heads_kept_by_a_follower_are_never_further_apart_than_a_group() {
    let dir = TempDir::new().unwrap();
    let (owner, relay, third) = (
        open(dir.path(), "32", 1),
        open(dir.path(), "31", 1),
        open(dir.path(), "36", 1),
    );
    accept(&relay, "32");
    accept(&third, "32");
    let mut number = 0;
    for reports in [250, 500, 30, 500] {
        let (answer, answered) = mpsc::channel();
        for _ in 0..reports {
            number += 1;
            let answer = answer.clone();
            owner.execute(report(number, "32.75"), move |outcome| {
                answer.send(outcome).unwrap();
            });
        }
        drop(answer);
        assert!(answered.iter().all(|outcome| outcome.is_ok()));
        replicate(&owner, &relay, "32", MAX_GROUP_ENTRIES);
    }
    replicate(&relay, &third, "32", MAX_GROUP_ENTRIES);
    assert_eq!(
        third.log(node("32")).unwrap().entries,
        2 * u64::from(number)
    );
}

#[test]
fn a_log_that_did_not_move_needs_no_signature_for_anothers_entries() {
    let dir = TempDir::new().unwrap();
    accepted(&open(dir.path(), "32", 1), report(1, "32.75"));
    drop(open(dir.path(), "32", 2));
    let owner = open(dir.path(), "31", 1);
    let other_key = Options {
        path: dir.path().join("32.db"),
        mark: dir.path().join("32.mark"),
        start: Start::Later,
        identity: identity("32"),
        log_key: Arc::new(SecretKey::from_seed(&[0xaa; 32])),
        recovery_key: None,
        epoch_nonce: [3; 16],
        now: NOW,
        areas: posko_store::Areas::default(),
        on_fatal: Box::new(|error| panic!("{error}")),
    };
    let store = Store::open(other_key, &mut |_| {}).unwrap();
    accept(&store, "31");
    for number in 1..=3 {
        accepted(&owner, report(number, "31.71"));
        replicate(&owner, &store, "31", 100);
    }
    assert_eq!(
        store.log(node("31")).unwrap().end,
        owner.log(node("31")).unwrap().end
    );
    assert_eq!(
        execute(&store, report(9, "32.75")).unwrap_err().code,
        Code::Unavailable
    );
}

#[test]
fn a_log_is_checked_to_the_end_that_was_known_also_when_an_epoch_was_opened_since() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    accepted(&store, report(1, "32.75"));
    drop(store);
    let writing = open(dir.path(), "32", 2);
    let key = Arc::new(SecretKey::from_seed(&seed("32", 1)));
    let inspected = Store::inspect(&dir.path().join("32.db"), identity("32"), key).unwrap();
    accepted(&writing, report(2, "32.75"));
    assert_eq!(
        inspected
            .verify_log(node("32"), &mut |_| {})
            .unwrap()
            .entries,
        2
    );
    assert_eq!(
        writing.verify_log(node("32"), &mut |_| {}).unwrap().entries,
        4
    );
}

#[test]
fn a_fenced_node_writes_nothing_more_and_answers_what_it_had_answered() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let first = accepted(&store, report(1, "32.75"));
    store.fence("`31` holds more");
    let refusal = execute(&store, report(2, "32.75")).unwrap_err();
    assert_eq!(
        (refusal.code, refusal.message.as_str()),
        (Code::Unavailable, "`31` holds more")
    );
    assert_eq!(execute(&store, report(1, "32.75")), Ok(first.clone()));
    assert_eq!(store.log(node("32")).unwrap().end, first.position);
    drop(store);
    // It was refused, not decided: after the next start it is a command as any other.
    accepted(&open(dir.path(), "32", 2), report(2, "32.75"));
}

/// Writes a log by hand, as a faulty owner could: its entries are signed, whatever they say.
struct Scribe {
    chain: Chain,
    key: SecretKey,
    opens: Vec<EpochOpen>,
    records: Vec<(EntryHeader, Record)>,
}

impl Scribe {
    fn new(origin: &str) -> Self {
        let identity = identity(origin);
        let key = SecretKey::from_seed(&seed(origin, 1));
        let open = EpochOpen::sign(
            identity.federation,
            identity.origin,
            Epoch {
                no: 1,
                nonce: [1; 16],
            },
            Position::START,
            Reason::Genesis,
            0,
            1,
            &key,
            &SecretKey::from_seed(&seed(origin, 2)),
        );
        let mut chain = Chain::new(identity);
        chain.open(&open).unwrap();
        Self {
            chain,
            key,
            opens: vec![open],
            records: Vec::new(),
        }
    }

    fn write(&mut self, event: &posko_domain::event::Event, stream: Id, version: u32) {
        let envelope = Envelope {
            event: event.encode(),
            ..Default::default()
        };
        let (salt, body) = ([3; 16], envelope.encode_to_vec());
        let seq = self.chain.end().seq + 1;
        let header = EntryHeader {
            flags: 0,
            type_id: event.type_id(),
            type_version: event.type_version(),
            class: Class::Regional,
            payload_len: body.len() as u32,
            seq,
            wall_ms: NOW.0.cast_unsigned(),
            event_id: command_id(seq as u32),
            stream_id: stream,
            stream_version: version,
            payload_commit: commit(&salt, &body),
        };
        let bytes = header.encode();
        self.chain.append(&header, &bytes).unwrap();
        let payload = Payload::Present { salt, body };
        self.records.push((
            header,
            Record {
                header: bytes,
                payload,
            },
        ));
    }
}

#[test]
fn an_owner_that_gives_a_version_twice_does_not_stop_its_followers() {
    let dir = TempDir::new().unwrap();
    let (owner, replica) = (open(dir.path(), "32", 1), open(dir.path(), "31", 1));
    let stream = accepted(&owner, report(1, "32.75")).stream;
    accept(&replica, "32");

    let mut scribe = Scribe::new("32");
    let reported = next_group(&owner, &mut Chain::new(identity("32")), 100).unwrap();
    for (header, record, _) in reported.entries() {
        let Payload::Present { body, .. } = &record.payload else {
            panic!("{header:?}")
        };
        let event = Envelope::decode(body.as_slice()).unwrap().event;
        let event = posko_domain::event::Event::decode(header.type_id, header.type_version, &event)
            .unwrap();
        scribe.write(&event, stream, header.stream_version);
    }
    let note = |text: &str| {
        let noted = IncidentNoted {
            text: text.into(),
            ..IncidentNoted::default()
        };
        posko_domain::event::Event::Incident(IncidentEvent::Noted(noted))
    };
    scribe.write(&note("satu"), stream, 3);
    scribe.write(&note("dua"), stream, 3);
    scribe.write(&note("tiga"), stream, 4);
    let head = scribe.chain.head(1).unwrap().sign(&scribe.key);
    let mut chain = replica.chain(node("32")).unwrap();
    let group = chain.verify(scribe.opens, scribe.records, head).unwrap();
    apply(&replica, group).unwrap();
    assert_eq!(replica.unfolded(node("32")).unwrap(), [0, 1, 0]);
    let (_, notes) = replica.incident(Some(stream), "").unwrap().unwrap();
    let texts: Vec<&str> = notes
        .iter()
        .map(|note: &view::incident::Note| note.text.as_str())
        .collect();
    assert_eq!(texts, ["air setinggi lutut", "satu", "tiga"]);
}

#[test]
fn a_first_start_that_was_killed_halfway_is_no_hindrance_to_the_next() {
    let dir = TempDir::new().unwrap();
    drop(open(dir.path(), "32", 1));
    let file = rusqlite::Connection::open(dir.path().join("32.db")).unwrap();
    file.execute_batch("DELETE FROM view_version; DROP TABLE warning")
        .unwrap();
    drop(file);
    accepted(&open(dir.path(), "32", 2), report(1, "32.75"));
}

/// Builds the views anew, and returns the last that was told of it.
fn rebuild(store: &Store) -> mpsc::Receiver<Result<Progress, StoreError>> {
    let (steps, taken) = mpsc::channel();
    store.rebuild_views(Box::new(move |step| steps.send(step).unwrap()));
    taken
}

#[test]
fn views_built_anew_in_slices_hold_what_came_meanwhile_and_one_rebuild_runs_at_a_time() {
    let dir = TempDir::new().unwrap();
    let (store, neighbour) = (open(dir.path(), "32", 1), open(dir.path(), "31", 1));
    accept(&store, "31");
    let (answer, answered) = mpsc::channel();
    let ask = |numbers: std::ops::RangeInclusive<u32>| {
        for number in numbers {
            let answer = answer.clone();
            store.execute(report(number, "32.75"), move |outcome| {
                answer.send(outcome).unwrap();
            });
        }
    };
    ask(1..=1300);
    for number in 1..=40 {
        accepted(&neighbour, report(number, "31.71"));
    }
    let first = rebuild(&store);
    ask(1301..=1400);
    let second = rebuild(&store);
    ask(1401..=1500);
    replicate(&neighbour, &store, "31", 7);
    ask(1501..=1600);
    assert!(answered.iter().take(1600).all(|outcome| outcome.is_ok()));
    let last = first.iter().last().unwrap().unwrap();
    assert!(last.swapped && last.done == last.total, "{last:?}");
    assert!(matches!(
        second.recv().unwrap(),
        Err(StoreError::Rebuilding)
    ));

    let seen = ["31", "32"].map(|origin| digests_of(&store, origin));
    assert_eq!(seen[0], digests_of(&neighbour, "31"));
    assert!(rebuild(&store).iter().last().unwrap().unwrap().swapped);
    assert_eq!(["31", "32"].map(|origin| digests_of(&store, origin)), seen);
}
