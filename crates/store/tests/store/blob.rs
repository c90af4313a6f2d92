//! Files beside the logs: durable before they are named, given to whom they may be given, gone when they are withdrawn.

use std::fs;

use posko_domain::{blob::Blob, log::LogCommand};
use posko_proto::{
    blob::v1::{AttachmentKind, MediaType},
    incident::v1::IncidentAttached,
};
use posko_store::blob::{Added, BlobError, Finished, Stock};
use sha2::{Digest, Sha256};

use super::*;

const PART: usize = 256 * 1024;
const REGIONAL: u32 = 1;
const LATER: Millis = Millis(NOW.0 + 25 * 3_600_000);

/// Returns a file whose bytes nothing else has.
fn file(name: &str, length: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = name.bytes().cycle().take(length).collect();
    for (at, byte) in bytes.iter_mut().enumerate().skip(name.len()) {
        *byte ^= (at / 997) as u8;
    }
    bytes
}

fn named(bytes: &[u8]) -> Blob {
    Blob {
        hash: Sha256::digest(bytes).into(),
        length: bytes.len() as u64,
        media_type: MediaType::Jpeg,
    }
}

fn put(store: &Store, bytes: &[u8]) -> Blob {
    let blob = named(bytes);
    let id = store.begin_upload(NOW).unwrap();
    for part in bytes.chunks(PART) {
        store.add_to_upload(id, part.to_vec(), NOW).unwrap();
    }
    store.finish_upload(id, blob, NOW).unwrap();
    blob
}

fn attach(number: u32, incident: Id, blob: Blob) -> Request {
    let attached = IncidentAttached {
        attachment_id: stream_of(command_id(number)).to_vec(),
        blob: Some(blob.to_wire()),
        kind: AttachmentKind::Photo.into(),
        about: Vec::new(),
    };
    let caption = Some(format!("foto {number}"));
    request(
        number,
        incident,
        IncidentCommand::Attach { attached, caption },
    )
}

fn withdraw(number: u32, incident: Id, event: Id) -> Request {
    let command = LogCommand::Withdraw {
        stream: incident,
        event,
        reason: "menampilkan wajah".into(),
        legal_basis: "UU 27/2022 pasal 8".into(),
    };
    Request {
        stream: stream_of(command_id(number)),
        command: Command::Log(command),
        ..request(number, incident, IncidentCommand::EndOperation)
    }
}

fn read(store: &Store, blob: &Blob, classes: u32) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < blob.length {
        let at = bytes.len() as u64;
        let (total, part) = store.blob_part(&blob.hash, at, PART, classes).unwrap()?;
        assert_eq!(total, blob.length);
        bytes.extend(part);
    }
    Some(bytes)
}

fn is_held(store: &Store, blob: &Blob) -> bool {
    let held = store.blob(&blob.hash).unwrap();
    held.is_some_and(|held| held.complete)
}

/// Says whether a node's files hold bytes that only this file has.
fn is_on_disk(dir: &TempDir, origin: &str, bytes: &[u8]) -> bool {
    let wanted = &bytes[PART + 10..PART + 60];
    let files = fs::read_dir(dir.path())
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut own = files.filter(|path| {
        path.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with(origin)
    });
    own.any(|path| {
        let bytes = fs::read(path).unwrap();
        bytes.windows(wanted.len()).any(|window| window == wanted)
    })
}

#[test]
fn a_file_is_durable_once_it_was_taken_and_is_given_out_in_parts_once_an_event_names_it() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let bytes = file("banjir", 2 * PART + 17);
    let blob = put(&store, &bytes);
    // The same again is the same file.
    assert_eq!(put(&store, &bytes), blob);
    let stock = Stock {
        named: 0,
        held: 0,
        bytes: blob.length,
    };
    assert_eq!(store.blob_stock().unwrap(), stock);
    assert_eq!(read(&store, &blob, u32::MAX), None, "nobody names it");
    let incident = accepted(&store, report(1, "32.75")).stream;
    accepted(&store, attach(2, incident, blob));
    store.close();
    let store = open(dir.path(), "32", 2);
    assert_eq!(read(&store, &blob, REGIONAL), Some(bytes.clone()));
    assert_eq!(read(&store, &blob, 2 | 4), None, "of another class");
    let part = store
        .blob_part(&blob.hash, PART as u64 + 5, 10, REGIONAL)
        .unwrap();
    assert_eq!(part.unwrap().1, bytes[PART + 5..PART + 15]);
    for offset in [blob.length, u64::MAX, 1 << 40] {
        let part = store.blob_part(&blob.hash, offset, PART, REGIONAL).unwrap();
        assert_eq!(part.unwrap().1, Vec::<u8>::new(), "{offset}");
    }
    let (attachments, more) = store.attachments(incident).unwrap().unwrap();
    let [attachment] = attachments.as_slice() else {
        panic!("{attachments:?}")
    };
    assert_eq!(attachment.caption.as_ref().unwrap().1, "foto 2");
    assert!(!more && attachment.attached.as_ref().unwrap().blob.is_some());
    let report = store.verify_log(node("32"), &mut |_| {}).unwrap();
    assert_eq!((report.files_named, report.files_held), (1, 1));
}

#[test]
fn an_event_names_no_file_that_is_not_here_or_is_another() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let incident = accepted(&store, report(1, "32.75")).stream;
    let bytes = file("longsor", 10);
    let absent = execute(&store, attach(2, incident, named(&bytes))).unwrap_err();
    assert_eq!(absent.code, Code::NotFound);
    assert!(
        absent.message.ends_with("is not here: send it first"),
        "{}",
        absent.message
    );
    let blob = put(&store, &bytes);
    let longer = Blob { length: 11, ..blob };
    let other = Blob {
        media_type: MediaType::Png,
        ..blob
    };
    for (number, wrong) in [(3, longer), (4, other)] {
        let refused = execute(&store, attach(number, incident, wrong)).unwrap_err();
        assert!(
            refused.message.contains("another length or type"),
            "{}",
            refused.message
        );
    }
    accepted(&store, attach(5, incident, blob));
    assert_eq!(store.attachments(incident).unwrap().unwrap().0.len(), 1);
    assert_eq!(store.attachments(Id([8; 16])).unwrap(), None);
}

#[test]
fn parts_that_do_not_fit_and_files_that_end_too_soon_are_not_kept() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let bytes = file("x", 100);
    let id = store.begin_upload(NOW).unwrap();
    for part in [Vec::new(), vec![1; PART + 1]] {
        let refused = store.add_to_upload(id, part, NOW);
        assert!(matches!(refused, Err(BlobError::Gone)));
    }
    store.add_to_upload(id, bytes[..50].to_vec(), NOW).unwrap();
    let refused = store.add_to_upload(id, bytes[50..].to_vec(), NOW);
    assert!(
        matches!(refused, Err(BlobError::Gone)),
        "a short part is the last"
    );
    let refused = store.finish_upload(id, named(&bytes), NOW);
    assert!(matches!(refused, Err(BlobError::Gone)));
    store.drop_upload(id).unwrap();
    assert_eq!(store.blob_stock().unwrap(), Stock::default());
    let refused = store.add_to_upload(id, vec![1], NOW);
    assert!(matches!(refused, Err(BlobError::Gone)));
    // A finished one is not dropped by its number.
    put(&store, &bytes);
    store.drop_upload(id + 1).unwrap();
    assert_eq!(store.blob_stock().unwrap().bytes, 100);
}

#[test]
fn what_nobody_names_goes_after_a_day_and_what_was_not_sent_to_its_end_with_the_next_start() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let incident = accepted(&store, report(1, "32.75")).stream;
    let (kept, unnamed) = (put(&store, &file("a", 10)), put(&store, &file("b", 10)));
    accepted(&store, attach(2, incident, kept));
    let id = store.begin_upload(NOW).unwrap();
    store.add_to_upload(id, vec![1; PART], NOW).unwrap();
    assert_eq!(store.sweep_blobs(false, NOW).unwrap(), 0);
    assert_eq!(store.sweep_blobs(true, NOW).unwrap(), 1);
    assert!(is_held(&store, &unnamed));
    assert_eq!(store.sweep_blobs(false, LATER).unwrap(), 1);
    assert!(is_held(&store, &kept) && !is_held(&store, &unnamed));
    // Put here again it waits another day.
    put(&store, &file("b", 10));
    assert_eq!(store.sweep_blobs(false, NOW).unwrap(), 0);
    assert_eq!(read(&store, &kept, REGIONAL), Some(file("a", 10)));
}

/// Has `to` fetch a file from `from` as a session does.
fn fetch(from: &Store, to: &Store, blob: Blob) -> Finished {
    let giver = from.identity().origin;
    let mut at = to.begin_fetch(blob, giver, NOW).unwrap().unwrap();
    while at < blob.length {
        let (_, part) = from
            .blob_part(&blob.hash, at, PART, REGIONAL)
            .unwrap()
            .unwrap();
        match to.add_to_fetch(blob.hash, at, part, NOW).unwrap() {
            Added::Held(held) => at = held,
            Added::Gone => return Finished::Gone,
        }
    }
    to.finish_fetch(blob.hash, NOW).unwrap()
}

#[test]
fn a_withdrawn_file_is_gone_from_every_holders_disk_unless_another_event_names_it() {
    let dir = TempDir::new().unwrap();
    let owner = open(dir.path(), "32", 1);
    let replica = open(dir.path(), "31", 1);
    accept(&replica, "32");
    let incident = accepted(&owner, report(1, "32.75")).stream;
    let bytes = file("wajah", 3 * PART);
    let blob = put(&owner, &bytes);
    let first = accepted(&owner, attach(2, incident, blob)).event_ids[0];
    let second = accepted(&owner, attach(3, incident, blob)).event_ids[0];
    replicate(&owner, &replica, "32", 100);
    assert_eq!(replica.blob_named(&blob.hash).unwrap().len(), 2);
    assert_eq!(fetch(&owner, &replica, blob), Finished::Kept);
    assert_eq!(
        replica.begin_fetch(blob, node("32"), NOW).unwrap(),
        None,
        "it is here"
    );
    for origin in ["32", "31"] {
        assert!(is_on_disk(&dir, origin, &bytes));
    }

    accepted(&owner, withdraw(4, incident, first));
    replicate(&owner, &replica, "32", 100);
    for store in [&owner, &replica] {
        assert_eq!(read(store, &blob, REGIONAL).as_ref(), Some(&bytes));
    }
    accepted(&owner, withdraw(5, incident, second));
    replicate(&owner, &replica, "32", 100);
    for (store, origin) in [(&owner, "32"), (&replica, "31")] {
        assert!(!is_held(store, &blob));
        assert_eq!(store.blob_stock().unwrap(), Stock::default());
        assert!(!is_on_disk(&dir, origin, &bytes), "{origin} while it runs");
        assert_eq!(digests_of(store, "32"), digests_of(&owner, "32"));
        let (attachments, _) = store.attachments(incident).unwrap().unwrap();
        let gone = |attachment: &posko_store::view::incident::Attachment| {
            attachment.attached.is_none() && attachment.withdrawn.is_some()
        };
        assert!(attachments.len() == 2 && attachments.iter().all(gone));
        store.verify_log(node("32"), &mut |_| {}).unwrap();
    }
    assert_eq!(
        replica.begin_fetch(blob, node("32"), NOW).unwrap(),
        None,
        "nobody names it"
    );

    // Views that are built from what is left are the same, and so are those of a new node.
    let (steps, taken) = mpsc::channel();
    owner.rebuild_views(Box::new(move |step| steps.send(step.unwrap()).unwrap()));
    assert!(taken.iter().last().unwrap().swapped);
    let fresh = open(dir.path(), "36", 1);
    accept(&fresh, "32");
    replicate(&owner, &fresh, "32", 7);
    for store in [&owner, &fresh] {
        assert_eq!(digests_of(store, "32"), digests_of(&replica, "32"));
    }
    assert_eq!(fresh.blob_named(&blob.hash).unwrap(), []);
}

#[test]
fn a_withdrawal_ends_a_fetch_and_what_came_of_it_is_gone() {
    let dir = TempDir::new().unwrap();
    let owner = open(dir.path(), "32", 1);
    let replica = open(dir.path(), "31", 1);
    accept(&replica, "32");
    let incident = accepted(&owner, report(1, "32.75")).stream;
    let bytes = file("wajah", 3 * PART);
    let blob = put(&owner, &bytes);
    let event = accepted(&owner, attach(2, incident, blob)).event_ids[0];
    replicate(&owner, &replica, "32", 100);
    assert_eq!(replica.begin_fetch(blob, node("32"), NOW).unwrap(), Some(0));
    let part = |n: usize| bytes[n * PART..(n + 1) * PART].to_vec();
    replica.add_to_fetch(blob.hash, 0, part(0), NOW).unwrap();
    accepted(&owner, withdraw(3, incident, event));
    replicate(&owner, &replica, "32", 100);
    let added = replica.add_to_fetch(blob.hash, PART as u64, part(1), NOW);
    assert_eq!(added.unwrap(), Added::Gone);
    assert_eq!(
        replica.finish_fetch(blob.hash, NOW).unwrap(),
        Finished::Gone
    );
    assert_eq!(replica.blob_stock().unwrap(), Stock::default());
}

#[test]
fn a_fetch_goes_on_where_it_was_cut_and_wrong_bytes_are_let_go_and_their_giver_is_told() {
    let dir = TempDir::new().unwrap();
    let owner = open(dir.path(), "32", 1);
    let replica = open(dir.path(), "31", 1);
    accept(&replica, "32");
    let incident = accepted(&owner, report(1, "32.75")).stream;
    let bytes = file("jembatan", 2 * PART + 1);
    let blob = put(&owner, &bytes);
    assert_eq!(
        replica.begin_fetch(blob, node("32"), NOW).unwrap(),
        None,
        "nobody names it"
    );
    accepted(&owner, attach(2, incident, blob));
    replicate(&owner, &replica, "32", 100);
    let part = |n: usize| bytes.chunks(PART).nth(n).unwrap().to_vec();
    let begin = |store: &Store, giver| store.begin_fetch(blob, node(giver), NOW).unwrap();
    let add = |store: &Store, n: usize, part: Vec<u8>| {
        store
            .add_to_fetch(blob.hash, (n * PART) as u64, part, NOW)
            .unwrap()
    };
    // One who lies alone is known.
    assert_eq!(begin(&replica, "36"), Some(0));
    for n in 0..3 {
        let wrong = vec![0; part(n).len()];
        add(&replica, n, wrong);
    }
    let wrong = |giver: Option<&str>| Finished::Wrong {
        giver: giver.map(node),
    };
    assert_eq!(
        replica.finish_fetch(blob.hash, NOW).unwrap(),
        wrong(Some("36"))
    );
    assert_eq!(replica.blob(&blob.hash).unwrap(), None);
    // Of two nobody can tell which.
    assert_eq!(begin(&replica, "36"), Some(0));
    add(&replica, 0, vec![0; PART]);
    assert_eq!(begin(&replica, "32"), Some(PART as u64));
    add(&replica, 1, part(1));
    add(&replica, 2, part(2));
    assert_eq!(replica.finish_fetch(blob.hash, NOW).unwrap(), wrong(None));

    replica.note_wanted(blob, NOW).unwrap();
    assert_eq!(replica.unfinished_blobs(9).unwrap(), [blob.hash]);
    assert_eq!(begin(&replica, "32"), Some(0));
    assert_eq!(add(&replica, 0, part(0)), Added::Held(PART as u64));
    replica.note_wanted(blob, NOW).unwrap();
    assert_eq!(
        add(&replica, 2, part(2)),
        Added::Held(PART as u64),
        "out of turn"
    );
    assert_eq!(
        replica.finish_fetch(blob.hash, NOW).unwrap(),
        Finished::Gone,
        "not whole"
    );
    assert_eq!(
        read(&replica, &blob, REGIONAL),
        None,
        "half a file is given to nobody"
    );
    replica.close();
    let replica = open(dir.path(), "31", 2);
    assert_eq!(begin(&replica, "32"), Some(PART as u64));
    add(&replica, 1, part(1));
    assert_eq!(
        add(&replica, 2, vec![1; 2]),
        Added::Gone,
        "longer than it can be"
    );
    assert_eq!(add(&replica, 2, part(2)), Added::Held(blob.length));
    assert_eq!(
        replica.finish_fetch(blob.hash, NOW).unwrap(),
        Finished::Kept
    );
    assert_eq!(read(&replica, &blob, REGIONAL), Some(bytes));
    assert_eq!(replica.unfinished_blobs(9).unwrap(), [[0; 32]; 0]);
}

#[test]
fn an_entry_that_lies_about_the_length_keeps_nobody_from_the_file() {
    let dir = TempDir::new().unwrap();
    let owner = open(dir.path(), "32", 1);
    let replica = open(dir.path(), "31", 1);
    accept(&replica, "32");
    let incident = accepted(&owner, report(1, "32.75")).stream;
    let bytes = file("peta", PART + 9);
    let blob = put(&owner, &bytes);
    accepted(&owner, attach(2, incident, blob));
    replicate(&owner, &replica, "32", 100);
    let longer = Blob {
        length: blob.length + 1,
        ..blob
    };
    assert_eq!(
        replica.begin_fetch(longer, node("32"), NOW).unwrap(),
        Some(0)
    );
    replica
        .add_to_fetch(blob.hash, 0, bytes[..PART].to_vec(), NOW)
        .unwrap();
    assert_eq!(fetch(&owner, &replica, blob), Finished::Kept);
}

#[test]
fn a_backup_carries_the_files_and_a_check_finds_one_that_is_damaged() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let incident = accepted(&store, report(1, "32.75")).stream;
    let bytes = file("SK", PART + 9);
    let blob = put(&store, &bytes);
    accepted(&store, attach(2, incident, blob));
    let other = TempDir::new().unwrap();
    store.copy(&other.path().join("32.db"), NOW).unwrap();
    store.close();
    let copied = open(other.path(), "32", 2);
    assert_eq!(read(&copied, &blob, REGIONAL), Some(bytes));
    let report = copied.verify_log(node("32"), &mut |_| {}).unwrap();
    assert_eq!((report.files_named, report.files_held), (1, 1));
    copied.close();

    let file = rusqlite::Connection::open(other.path().join("32.db")).unwrap();
    file.execute(
        "UPDATE blob_part SET body = zeroblob(9) WHERE length(body) = 9",
        [],
    )
    .unwrap();
    drop(file);
    let copied = open(other.path(), "32", 3);
    let error = copied.verify_log(node("32"), &mut |_| {}).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("its bytes are not those of its hash"),
        "{error}"
    );
}
