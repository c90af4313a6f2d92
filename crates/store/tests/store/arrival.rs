//! What a node knew of another's log at a time, and where its file does not tell.

use posko_store::arrival::{Behind, Known};

use super::*;

fn after(seconds: i64) -> Millis {
    Millis(NOW.0 + seconds * 1000)
}

fn report_at(store: &Store, number: u32, seconds: i64) -> Accepted {
    let now = after(seconds);
    accepted(
        store,
        Request {
            now,
            ..report(number, "32.75")
        },
    )
}

/// Takes all that `from` has of the log of `32`, at a time.
fn take_at(from: &Store, to: &Store, seconds: i64) {
    let mut chain = to.chain(node("32")).unwrap();
    while let Some(group) = next_group(from, &mut chain, 100) {
        let (answer, answered) = mpsc::channel();
        let reply = move |applied| answer.send(applied).unwrap();
        to.apply(group, after(seconds), Box::new(reply));
        answered.recv().unwrap().unwrap();
    }
}

fn known(store: &Store, seconds: i64) -> Known {
    store.known_at(node("32"), after(seconds)).unwrap()
}

/// `31` has what `32` reported first from 5 s on, and the rest from 300 s on.
fn followed(dir: &TempDir) -> [Store; 2] {
    let (own, peer) = (open(dir.path(), "32", 1), open(dir.path(), "31", 1));
    accept(&peer, "32");
    report_at(&own, 1, 0);
    take_at(&own, &peer, 5);
    report_at(&own, 2, 60);
    report_at(&own, 3, 120);
    report_at(&own, 4, 200);
    take_at(&own, &peer, 300);
    [own, peer]
}

#[test]
fn what_was_known_at_a_time_is_told_with_when_it_came_and_what_had_not() {
    let dir = TempDir::new().unwrap();
    let [own, peer] = followed(&dir);
    let early = known(&peer, 4);
    assert_eq!((early.held, early.first), (None, Some(after(5))));

    // A report with its note is two entries.
    let held = known(&peer, 130).held.unwrap();
    assert_eq!((held.position.seq, held.arrived_at), (2, after(5)));
    assert_eq!(held.recorded_at, after(0));
    let behind = |entries, since| {
        Some(Behind {
            entries,
            since: Some(after(since)),
        })
    };
    assert_eq!(held.behind, behind(4, 60));
    // What was recorded later is not what was missed then, though it has come since.
    assert_eq!(known(&peer, 70).held.unwrap().behind, behind(2, 60));

    let held = known(&peer, 300).held.unwrap();
    assert_eq!(held.position, own.log(node("32")).unwrap().end);
    assert_eq!(held.recorded_at, after(200));
    assert_eq!(held.behind, Some(Behind::default()));
    assert_eq!(known(&peer, 9999).untold, None);

    let unknown = peer.known_at(node("99"), NOW);
    assert!(matches!(unknown, Err(StoreError::NotFound(_))));
}

#[test]
fn a_restored_file_says_of_which_time_it_does_not_tell_what_came() {
    let dir = TempDir::new().unwrap();
    let [_, peer] = followed(&dir);
    let restored = TempDir::new().unwrap();
    // A start is at NOW: the copy was made before it.
    peer.copy(&restored.path().join("31.db"), after(-1000))
        .unwrap();
    let copy = open(restored.path(), "31", 2);
    let untold = Some((after(-1000), NOW));
    assert_eq!(known(&copy, -1001).untold, None);
    assert_eq!(known(&copy, -1000).untold, untold);
    assert_eq!(known(&copy, -1).untold, untold);
    assert_eq!(known(&copy, 0).untold, None);
    // What the file tells is the least that was known.
    assert_eq!(known(&copy, 200).held, known(&peer, 200).held);

    // A later start of the same file changes nothing.
    copy.close();
    let again = open(restored.path(), "31", 3);
    assert_eq!(known(&again, -1).untold, untold);
}
