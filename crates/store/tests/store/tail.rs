//! What a follower that keeps up is given from memory.

use posko_ledger::entry::Payload;

use super::*;

#[test]
fn what_memory_gives_is_what_the_file_gives() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let own = node("32");
    let mut ends = Vec::new();
    for number in 1..6 {
        accepted(&store, report(number, "32.75"));
        ends.push(store.chain(own).unwrap().end());
    }
    for end in &ends[..4] {
        let fresh = store
            .fresh_page(own, *end, 100, MAX_GROUP_BYTES, 3)
            .unwrap();
        let stored = store.page(own, *end, 100, MAX_GROUP_BYTES, 3).unwrap();
        assert_eq!(fresh, stored);
    }
    // Whole commits only, as many as fit.
    let fresh = store
        .fresh_page(own, ends[0], 3, MAX_GROUP_BYTES, 3)
        .unwrap();
    assert_eq!(fresh.head.unwrap().head.position, ends[1]);
    // Without the classes, only headers.
    let fresh = store
        .fresh_page(own, ends[0], 100, MAX_GROUP_BYTES, 0)
        .unwrap();
    let withheld = |record: &Record| record.payload == Payload::Withheld;
    assert!(fresh.records.iter().all(withheld));
}

#[test]
fn what_memory_does_not_hold_is_left_to_the_file() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let own = node("32");
    accepted(&store, report(1, "32.75"));
    let first = store.chain(own).unwrap().end();
    let fresh = |store: &Store, after| store.fresh_page(own, after, 100, MAX_GROUP_BYTES, 3);
    assert_eq!(fresh(&store, Position::START), None);
    assert_eq!(fresh(&store, first), None);
    let inside = Position {
        seq: first.seq - 1,
        ..first
    };
    assert_eq!(fresh(&store, inside), None);
    // Another run opens another epoch.
    drop(store);
    let store = open(dir.path(), "32", 2);
    accepted(&store, report(2, "32.75"));
    assert_eq!(fresh(&store, first), None);
    assert_eq!(
        store
            .page(own, first, 100, MAX_GROUP_BYTES, 3)
            .unwrap()
            .opens
            .len(),
        1
    );
}
