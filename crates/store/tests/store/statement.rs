//! What an owner says about its own log is obeyed by everybody who holds it, and nothing else of the log changes.

use std::{collections::BTreeSet, fs, time::Duration};

use posko_domain::{event::PAYLOAD_WITHDRAWN, log::LogCommand};
use posko_ledger::{
    entry::{Class, Payload},
    epoch::Epoch,
    log_file,
};
use posko_store::{
    Asked, Claim,
    gap::{GapKind, Withheld},
    view::incident::{Filter, Note},
};

use super::{
    recovery::{Lost, numbers, pull, pull_towards, recovered},
    standing::{ask, ask_claim, backup, restore},
    *,
};

const TEXT: &str = "Ibu Ratna Wulandari, 081234567890, patah tulang";
const CLASSES: u32 = 3;

fn own_log(number: u32, command: LogCommand) -> Request {
    Request {
        command: Command::Log(command),
        ..request(
            number,
            stream_of(command_id(number)),
            IncidentCommand::Close { confirmed: false },
        )
    }
}

fn note(number: u32, incident: Id, text: &str) -> Request {
    let text = text.to_owned();
    request(number, incident, IncidentCommand::Note { text })
}

fn withdraw(number: u32, stream: Id, event: Id) -> Request {
    let command = LogCommand::Withdraw {
        stream,
        event,
        reason: "menyebut nama".into(),
        legal_basis: "UU 27/2022 pasal 8".into(),
    };
    own_log(number, command)
}

fn notes_of(store: &Store, incident: Id) -> Vec<Note> {
    store.incident(Some(incident), "").unwrap().unwrap().1
}

/// Says whether the text is in any file of a node.
fn is_on_disk(dir: &TempDir, origin: &str) -> bool {
    let files = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap());
    let own = files.filter(|file| file.file_name().to_str().unwrap().starts_with(origin));
    let mut bytes = own.map(|file| fs::read(file.path()).unwrap());
    let wanted = TEXT.as_bytes();
    bytes.any(|bytes| bytes.windows(wanted.len()).any(|window| window == wanted))
}

/// Says whether the text goes from every file of a node that runs: its write-ahead log is emptied beside its work, and
/// again where somebody was reading.
fn goes_from_disk(dir: &TempDir, origin: &str) -> bool {
    let (_kept, never) = mpsc::channel::<()>();
    (0..600)
        .any(|_| !is_on_disk(dir, origin) || never.recv_timeout(Duration::from_millis(50)).is_ok())
}

/// An owner with a note that is to go among others, and two replicas, of which the second has not met it since.
struct Noted {
    dir: TempDir,
    owner: Store,
    replica: Store,
    late: Store,
    incident: Id,
    event: Id,
    /// Where the log ended before the note.
    before: Position,
}

fn noted() -> Noted {
    let dir = TempDir::new().unwrap();
    let owner = open(dir.path(), "32", 1);
    let (replica, late) = (open(dir.path(), "31", 1), open(dir.path(), "36", 1));
    for store in [&replica, &late] {
        accept(store, "32");
    }
    let incident = accepted(&owner, report(1, "32.75")).stream;
    for number in 2..60 {
        accepted(
            &owner,
            note(number, incident, &"aman ".repeat(number as usize)),
        );
    }
    let before = owner.log(node("32")).unwrap().end;
    let event = accepted(&owner, note(60, incident, TEXT)).event_ids[0];
    for store in [&replica, &late] {
        replicate(&owner, store, "32", 100);
    }
    Noted {
        dir,
        owner,
        replica,
        late,
        incident,
        event,
        before,
    }
}

#[test]
fn a_withdrawn_note_is_gone_from_every_holders_file_and_shown_as_withdrawn_with_the_reason() {
    let Noted {
        dir,
        owner,
        replica,
        late,
        incident,
        event,
        ..
    } = noted();
    for origin in ["32", "31", "36"] {
        assert!(is_on_disk(&dir, origin));
    }
    let before = digests_of(&owner, "32");
    accepted(&owner, withdraw(61, incident, event));
    replicate(&owner, &replica, "32", 100);
    // The last one hears of it from another replica.
    replicate(&replica, &late, "32", 1);
    assert_ne!(digests_of(&owner, "32"), before);
    for (store, origin) in [(&owner, "32"), (&replica, "31"), (&late, "36")] {
        let notes = notes_of(store, incident);
        let gone = notes.last().unwrap();
        assert_eq!(
            (gone.event, gone.text.as_str(), gone.actor),
            (event, "", None)
        );
        let said = format!("{:?}", gone.withdrawn.as_ref().unwrap().said);
        assert!(
            said.contains("menyebut nama") && said.contains("pasal 8"),
            "{said}"
        );
        assert_eq!(
            notes.iter().filter(|note| note.withdrawn.is_some()).count(),
            1
        );
        assert!(goes_from_disk(&dir, origin), "{origin} while it runs");
        assert_eq!(digests_of(store, "32"), digests_of(&owner, "32"));
        store.verify_log(node("32"), &mut |_| {}).unwrap();
        assert_eq!(store.count_missing(node("32"), CLASSES).unwrap(), 0);
    }
    // Views that are built from what is left are the same, and so is the log that a new node gets.
    let (steps, taken) = mpsc::channel();
    owner.rebuild_views(Box::new(move |step| steps.send(step.unwrap()).unwrap()));
    assert!(taken.iter().last().unwrap().swapped);
    let fresh = open(dir.path(), "33", 1);
    accept(&fresh, "32");
    replicate(&owner, &fresh, "32", 7);
    for store in [&owner, &fresh] {
        assert_eq!(digests_of(store, "32"), digests_of(&replica, "32"));
        assert_eq!(notes_of(store, incident), notes_of(&replica, incident));
    }
    accepted(&owner, note(62, incident, "lanjut"));
    // Nor may it be said twice.
    let again = execute(&owner, withdraw(63, incident, event)).unwrap_err();
    assert_eq!(again.code, Code::Conflict);
    for (store, origin) in [(owner, "32"), (replica, "31"), (late, "36")] {
        store.close();
        assert!(!is_on_disk(&dir, origin), "{origin} at rest");
    }
}

#[test]
fn the_memory_of_the_newest_commits_holds_no_withdrawn_text() {
    let Noted {
        owner,
        incident,
        event,
        before,
        ..
    } = noted();
    let in_memory = || {
        let page = owner.fresh_page(node("32"), before, 100, MAX_GROUP_BYTES, CLASSES);
        let records = page.map(|page| page.records).unwrap_or_default();
        format!("{records:?}").contains(&format!("{:?}", TEXT.as_bytes()).replace(['[', ']'], ""))
    };
    assert!(in_memory());
    accepted(&owner, withdraw(71, incident, event));
    assert!(!in_memory());
}

#[test]
fn a_retry_of_a_withdrawn_notes_command_is_answered_as_the_first_time_without_a_digest_of_its_text()
{
    let Noted {
        owner,
        incident,
        event,
        ..
    } = noted();
    accepted(&owner, withdraw(61, incident, event));
    let entries = owner.log(node("32")).unwrap().entries;
    let mut retry = note(60, incident, "teks lain");
    retry.digest = [1; 32];
    assert_eq!(accepted(&owner, retry).event_ids, [event]);
    assert_eq!(owner.log(node("32")).unwrap().entries, entries);
}

#[test]
fn who_gets_a_withdrawn_payload_later_from_one_that_still_has_it_drops_it() {
    let Noted {
        dir,
        owner,
        late,
        incident,
        event,
        ..
    } = noted();
    accepted(&owner, withdraw(61, incident, event));
    // Headers alone, up to the withdrawal, and then a peer offers the payload.
    let replica = open(dir.path(), "33", 1);
    accept(&replica, "32");
    let mut chain = replica.chain(node("32")).unwrap();
    while let Ok(page) = owner.page(node("32"), chain.end(), 1024, MAX_GROUP_BYTES, CLASSES)
        && let Some(head) = page.head
    {
        let records = page.records.into_iter().map(|mut record| {
            let header = EntryHeader::decode(&record.header).unwrap();
            if header.type_id != PAYLOAD_WITHDRAWN.type_id {
                record.payload = Payload::Withheld;
            }
            (header, record)
        });
        let group = chain.verify(page.opens, records.collect(), head);
        apply(&replica, group.unwrap()).unwrap();
    }
    let epoch = owner.log(node("32")).unwrap().end.epoch;
    let seqs: Vec<u64> = (1..=70).collect();
    let given = late.payloads(node("32"), epoch, &seqs, 1 << 20, CLASSES);
    replica
        .fill(node("36"), node("32"), epoch, given.unwrap())
        .unwrap();
    replica.close();
    assert!(is_on_disk(&dir, "36"));
    assert!(!is_on_disk(&dir, "33"));
    let replica = open(dir.path(), "33", 2);
    assert_eq!(notes_of(&replica, incident), notes_of(&owner, incident));
    assert_eq!(digests_of(&replica, "32"), digests_of(&owner, "32"));
}

#[test]
fn an_exported_log_without_a_withdrawn_payload_verifies_and_holds_no_trace_of_it() {
    let Noted {
        owner,
        incident,
        event,
        ..
    } = noted();
    accepted(&owner, withdraw(61, incident, event));
    let mut out = Vec::new();
    owner.export_log(node("32"), &mut out).unwrap();
    let wanted = TEXT.as_bytes();
    assert!(!out.windows(wanted.len()).any(|window| window == wanted));
    let summary = log_file::verify(out.as_slice()).unwrap();
    assert_eq!(summary.payloads.withdrawn, 1);
}

#[test]
fn only_a_note_of_that_incident_is_withdrawn() {
    let Noted {
        owner,
        incident,
        event,
        ..
    } = noted();
    let other = accepted(&owner, report(80, "32.75"));
    let fact = execute(&owner, withdraw(81, other.stream, other.event_ids[0])).unwrap_err();
    assert_eq!(fact.code, Code::Conflict, "{fact}");
    let elsewhere = execute(&owner, withdraw(82, other.stream, event)).unwrap_err();
    assert_eq!(elsewhere.code, Code::NotFound, "{elsewhere}");
    assert!(
        notes_of(&owner, incident)
            .iter()
            .all(|note| note.withdrawn.is_none())
    );
}

pub(crate) fn disown(number: u32, events: impl IntoIterator<Item = Id>) -> Request {
    let command = LogCommand::Disown {
        events: events.into_iter().collect(),
        reason: "mesin uji yang tersambung keliru".into(),
    };
    own_log(number, command)
}

#[test]
fn what_is_left_out_is_withheld_history_everywhere_until_its_origin_disowns_it() {
    let lost = Lost::new(2);
    let own = node("32");
    let [peer, relay] = &lost.peers;
    let before = peer.log(own).unwrap().end;
    // The restored node wrote before it met its peers.
    let store = lost.start(3);
    accepted(&store, report(4, "32.75"));
    pull(&store, peer, "32", 100);
    let left_out: BTreeSet<Id> = (lost.answers[1..].iter())
        .flat_map(|answer| answer.event_ids.clone())
        .collect();
    let withheld = Withheld {
        entries: 4,
        since: NOW,
    };
    assert_eq!(peer.left_out(own).unwrap().0, Some(withheld));
    let gaps = peer.gaps(own, CLASSES).unwrap();
    assert!(gaps.iter().all(|gap| gap.kind == GapKind::LeftOut));
    let listed: BTreeSet<Id> = gaps.iter().map(|gap| gap.event).collect();
    assert_eq!(listed, left_out);
    let error = peer.verify_log(own, &mut |_| {}).unwrap_err().to_string();
    assert!(
        left_out
            .iter()
            .all(|event| error.contains(&event.to_string())),
        "{error}"
    );
    // What the owner does not hold it cannot disown.
    let refused = execute(&store, disown(5, left_out.clone())).unwrap_err();
    assert_eq!(refused.code, Code::NotFound, "{refused}");
    store.close();

    // It gets them back, and its next start is told to leave them, before it would record them again.
    let store = lost.start(4);
    pull(relay, &store, "32", 100);
    assert_eq!(store.left_out(own).unwrap().0, Some(withheld));
    let stands = lost.answers[0].event_ids.clone();
    let refused = execute(&store, disown(6, stands)).unwrap_err();
    assert_ne!(refused.code, Code::Unavailable, "{refused}");
    accepted(&store, disown(7, left_out));
    accepted(&store, report(8, "32.75"));
    let shown = ["000001", "001001", "002001"].map(|serial| format!("PMI-32-2026-{serial}"));
    assert_eq!(numbers(&store), shown);
    pull(&store, peer, "32", 100);
    // One that learns of the branch later does not count it.
    let fresh = open(lost.dir.path(), "33", 1);
    accept(&fresh, "32");
    replicate(&store, &fresh, "32", 100);
    pull_towards(relay, &fresh, before, own, 100);
    for holder in [&store, peer, &fresh] {
        assert_eq!(holder.left_out(own).unwrap().0, None);
        assert_eq!(holder.gaps(own, CLASSES).unwrap(), []);
        holder.verify_log(own, &mut |_| {}).unwrap();
        assert_eq!(numbers(holder), shown);
        assert_eq!(digests_of(holder, "32"), digests_of(&store, "32"));
    }
}

pub(crate) fn lost_payload(number: u32, event: Id) -> Request {
    let command = LogCommand::DeclareLost {
        events: BTreeSet::from([event]),
        reason: "cadangan rusak".into(),
    };
    own_log(number, command)
}

/// An owner that lacks the payload of its newest event after a damaged backup, and a replica that never had it.
fn damaged(dir: &TempDir) -> (Store, Store, Id) {
    let owner = open(dir.path(), "32", 1);
    let replica = open(dir.path(), "31", 1);
    accept(&owner, "31");
    accept(&replica, "32");
    let incident = accepted(&owner, report(1, "32.75")).stream;
    let verify = IncidentCommand::Verify {
        source: FigureSource::Pmi,
    };
    let event = accepted(&owner, request(2, incident, verify)).event_ids[0];
    owner.close();
    let file = rusqlite::Connection::open(dir.path().join("32.db")).unwrap();
    file.execute_batch(
        "INSERT INTO payload_missing SELECT MAX(pos), 2 FROM payload; DELETE FROM payload WHERE pos = (SELECT MAX(pos) FROM payload); UPDATE view_version SET version = 0",
    )
    .unwrap();
    drop(file);
    let owner = open(dir.path(), "32", 2);
    replicate(&owner, &replica, "32", 100);
    (owner, replica, event)
}

/// The replica is asked for what the owner misses, and does not give it.
fn ask_for_missing(owner: &Store, replica: &Store) {
    let missing = owner.missing(CLASSES, 0, 10).unwrap().unwrap();
    assert_eq!(missing.seqs, [3]);
    let given = replica
        .payloads(
            missing.origin,
            missing.epoch,
            &missing.seqs,
            1 << 20,
            CLASSES,
        )
        .unwrap();
    assert_eq!(given, [(3, Payload::Withheld)]);
    let peer = replica.identity().origin;
    (owner.fill(peer, missing.origin, missing.epoch, given)).unwrap();
}

#[test]
fn a_payload_is_declared_lost_once_every_peer_was_asked_and_then_nobody_waits_for_it() {
    let dir = TempDir::new().unwrap();
    let own = node("32");
    let (owner, replica, event) = damaged(&dir);
    for store in [&owner, &replica] {
        assert_eq!(store.unfolded(own).unwrap(), [0, 0, 1]);
        assert_eq!(store.count_missing(own, CLASSES).unwrap(), 1);
    }
    let waits = execute(&owner, lost_payload(3, event)).unwrap_err();
    assert_eq!(waits.code, Code::Unavailable, "{waits}");
    assert!(waits.message.contains("`31`"), "{waits}");
    ask_for_missing(&owner, &replica);
    assert!(!owner.is_lost(event).unwrap());
    accepted(&owner, lost_payload(4, event));
    replicate(&owner, &replica, "32", 100);
    for store in [&owner, &replica] {
        assert_eq!(store.unfolded(own).unwrap(), [0, 0, 0]);
        assert_eq!(store.missing(CLASSES, 0, 10).unwrap(), None);
        assert_eq!(digests_of(store, "32"), digests_of(&owner, "32"));
        store.verify_log(own, &mut |_| {}).unwrap();
    }
    assert!(owner.is_lost(event).unwrap());
    let said = owner.statements(false, None, 10).unwrap().rows;
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].state.events, [event]);
    assert!(owner.statements(true, None, 10).unwrap().rows.is_empty());
    let (steps, taken) = mpsc::channel();
    replica.rebuild_views(Box::new(move |step| steps.send(step.unwrap()).unwrap()));
    assert!(taken.iter().last().unwrap().swapped);
    assert_eq!(digests_of(&replica, "32"), digests_of(&owner, "32"));
}

#[test]
fn a_stream_goes_on_after_an_entry_of_it_whose_payload_is_missing() {
    let dir = TempDir::new().unwrap();
    let own = node("32");
    let (owner, replica, event) = damaged(&dir);
    let incident = owner.incidents(&Filter::default(), None, 1).unwrap().rows[0].id;
    accepted(&owner, note(3, incident, "Air naik"));
    ask_for_missing(&owner, &replica);
    accepted(&owner, lost_payload(4, event));
    accepted(&owner, note(5, incident, "Air surut"));
    replicate(&owner, &replica, "32", 100);
    for store in [&owner, &replica] {
        let notes = notes_of(store, incident).into_iter().map(|note| note.text);
        let notes: Vec<String> = notes.collect();
        assert!(
            notes.ends_with(&["Air naik".into(), "Air surut".into()]),
            "{notes:?}"
        );
    }
    assert_eq!(digests_of(&replica, "32"), digests_of(&owner, "32"));
    owner.verify_log(own, &mut |_| {}).unwrap();
}

#[test]
fn a_peer_that_may_not_have_a_payload_need_not_be_asked_before_it_is_declared_lost() {
    let dir = TempDir::new().unwrap();
    let (owner, replica, event) = damaged(&dir);
    accept(&owner, "ims");
    ask_for_missing(&owner, &replica);
    let waits = execute(&owner, lost_payload(3, event)).unwrap_err();
    assert!(waits.message.contains("`ims`"), "{waits}");
    let claim = Claim {
        classes: Class::Provinces.bit(),
        ..Claim::default()
    };
    ask_claim(&owner, node("ims"), claim);
    let GapKind::PayloadMissing { not_asked } = &owner.gaps(node("32"), CLASSES).unwrap()[0].kind
    else {
        panic!("nothing is missing")
    };
    assert!(not_asked.is_empty(), "{not_asked:?}");
    accepted(&owner, lost_payload(4, event));
}

/// The payload of an event in that epoch is gone from the file, no peer has it, and its owner declares it lost.
fn given_up(lost: &Lost, store: &Store, epoch: Epoch, event: Id) -> Store {
    store.close();
    let file = rusqlite::Connection::open(lost.dir.path().join("32.db")).unwrap();
    let of_epoch = "SELECT pos FROM entry JOIN epoch ON epoch.id = entry.pos >> 40 WHERE nonce = ?1 AND substr(header, 33, 16) = ?2";
    let nonce = epoch.nonce.as_slice();
    let at: i64 = (file.query_row(of_epoch, (nonce, event.as_bytes()), |row| row.get(0))).unwrap();
    file.execute("DELETE FROM payload WHERE pos = ?1", [at])
        .unwrap();
    file.execute("INSERT INTO payload_missing VALUES (?1, 2)", [at])
        .unwrap();
    file.execute("UPDATE view_version SET version = 0", [])
        .unwrap();
    drop(file);
    let store = lost.start(4);
    let seq = (at & 0xff_ffff_ffff) as u64;
    for peer in ["31", "36"] {
        let nothing = vec![(seq, Payload::Withheld)];
        store.fill(node(peer), node("32"), epoch, nothing).unwrap();
    }
    accepted(&store, lost_payload(9, event));
    store
}

#[test]
fn a_command_whose_entry_came_back_and_was_given_up_is_decided_again() {
    let lost = Lost::new(2);
    let own = node("32");
    let first = &lost.answers[1];
    let epoch = lost.peers[0].log(own).unwrap().end.epoch;
    let store = lost.start(3);
    pull(&lost.peers[0], &store, "32", 100);
    recovered(&store);
    assert_eq!(
        accepted(&store, report(2, "32.75")).position,
        first.position
    );
    let store = given_up(&lost, &store, epoch, first.event_ids[0]);
    assert!(store.incident(Some(first.stream), "").unwrap().is_none());
    let again = accepted(&store, report(2, "32.75"));
    assert_ne!(again.position, first.position);
    assert!(store.incident(Some(first.stream), "").unwrap().is_some());
    assert_eq!(
        accepted(&store, report(2, "32.75")).position,
        again.position
    );
    store.verify_log(own, &mut |_| {}).unwrap();
}

#[test]
fn a_lost_payload_takes_no_other_of_the_same_event_with_it() {
    let lost = Lost::new(2);
    let own = node("32");
    let event = lost.answers[1].event_ids[0];
    let other = lost.peers[0].log(own).unwrap().end.epoch;
    // The client sends its report again to the restored node, which has not met its peers: one event, two payloads.
    let store = lost.start(3);
    assert_eq!(accepted(&store, report(2, "32.75")).event_ids[0], event);
    pull(&lost.peers[0], &store, "32", 100);
    recovered(&store);
    let store = given_up(&lost, &store, other, event);
    // One that got the log from a relay which may not have the payload waits for it still.
    let fresh = open(lost.dir.path(), "33", 1);
    accept(&fresh, "32");
    let mut chain = fresh.chain(own).unwrap();
    while let Ok(page) = store.page(own, chain.end(), 1024, MAX_GROUP_BYTES, CLASSES)
        && let Some(head) = page.head
    {
        let records = page.records.into_iter().map(|mut record| {
            let header = EntryHeader::decode(&record.header).unwrap();
            if header.event_id == event {
                record.payload = Payload::Withheld;
            }
            (header, record)
        });
        let group = chain.verify(page.opens, records.collect(), head);
        apply(&fresh, group.unwrap()).unwrap();
    }
    let missing = fresh.missing(CLASSES, 0, 10).unwrap().unwrap();
    let given = store.payloads(own, missing.epoch, &missing.seqs, 1 << 20, CLASSES);
    let filled = fresh.fill(own, own, missing.epoch, given.unwrap()).unwrap();
    assert_eq!(filled, 1);
}

#[test]
fn what_only_another_says_is_withdrawn_is_missing_until_its_origin_says_so() {
    let Noted {
        dir, owner, event, ..
    } = noted();
    let replica = open(dir.path(), "33", 1);
    accept(&replica, "32");
    let mut chain = replica.chain(node("32")).unwrap();
    while let Ok(page) = owner.page(node("32"), chain.end(), 1024, MAX_GROUP_BYTES, CLASSES)
        && let Some(head) = page.head
    {
        let records = page.records.into_iter().map(|mut record| {
            let header = EntryHeader::decode(&record.header).unwrap();
            if header.event_id == event {
                record.payload = Payload::Withdrawn;
            }
            (header, record)
        });
        let group = chain.verify(page.opens, records.collect(), head);
        apply(&replica, group.unwrap()).unwrap();
    }
    assert_eq!(replica.count_missing(node("32"), CLASSES).unwrap(), 1);
    assert_eq!(digests_of(&replica, "32"), digests_of(&owner, "32"));
}

#[test]
fn who_has_applied_a_statement_is_told_from_how_far_it_holds_the_log() {
    let Noted {
        owner,
        replica,
        incident,
        event,
        ..
    } = noted();
    let said = accepted(&owner, withdraw(61, incident, event)).stream;
    let held = |store: &Store| store.log(node("32")).unwrap().end;
    assert!(!owner.covers(held(&replica), said).unwrap());
    replicate(&owner, &replica, "32", 100);
    assert!(owner.covers(held(&replica), said).unwrap());
    accepted(&owner, note(62, incident, "lanjut"));
    assert!(owner.covers(held(&replica), said).unwrap());
}

#[test]
fn a_restored_file_drops_a_withdrawn_text_as_soon_as_a_peer_has_given_the_log_back() {
    let Noted {
        dir,
        owner,
        replica,
        incident,
        event,
        ..
    } = noted();
    owner.close();
    backup(&dir);
    let owner = open(dir.path(), "32", 2);
    accept(&owner, "31");
    accepted(&owner, withdraw(61, incident, event));
    replicate(&owner, &replica, "32", 100);
    owner.close();
    restore(&dir);
    let owner = open(dir.path(), "32", 3);
    assert_eq!(notes_of(&owner, incident).last().unwrap().text, TEXT);
    assert!(matches!(ask(&owner, &replica), Asked::More(_)));
    replicate(&replica, &owner, "32", 100);
    owner.close();
    fs::remove_file(dir.path().join("32.copy")).unwrap();
    assert!(!is_on_disk(&dir, "32"));
}
