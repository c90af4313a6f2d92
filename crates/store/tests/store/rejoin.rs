//! A reader of a log whose newest entries were left out finds the place from which it goes on.

use super::{
    standing::{ask, backup, restore},
    *,
};

#[test]
fn a_reader_whose_place_was_cut_off_goes_on_where_the_branches_part() {
    let dir = TempDir::new().unwrap();
    let own = node("32");
    let peer = open(dir.path(), "31", 1);
    let store = open(dir.path(), "32", 1);
    accept(&store, "31");
    accept(&peer, "32");
    accepted(&store, report(1, "32.75"));
    replicate(&store, &peer, "32", 100);
    let shared = peer.log(own).unwrap().end;
    store.close();
    backup(&dir);
    let store = open(dir.path(), "32", 2);
    for number in 2..=3 {
        accepted(&store, report(number, "32.75"));
    }
    replicate(&store, &peer, "32", 100);
    let read = peer.log(own).unwrap().end;
    assert_eq!(peer.rejoin(own, read).unwrap(), Some(read));

    // The node comes back from its backup and writes before it has asked anybody.
    store.close();
    restore(&dir);
    let store = open(dir.path(), "32", 3);
    let written = accepted(&store, report(4, "32.75"));
    ask(&peer, &store);
    let claimed = store.log(own).unwrap().end;
    let opens = store.opens(own).unwrap();
    let point = peer.branch_point(own, claimed, &opens).unwrap().unwrap();
    let mut chain = peer.chain_at(own, point).unwrap().unwrap();
    while let Some(group) = next_group(&store, &mut chain, 100) {
        apply(&peer, group).unwrap();
    }
    assert_eq!(peer.rejoin(own, read).unwrap(), Some(shared));
    let page = peer.page(own, shared, 100, MAX_GROUP_BYTES, 1).unwrap();
    let ids = page.records.iter();
    let mut ids = ids.map(|record| EntryHeader::decode(&record.header).unwrap().event_id);
    assert!(ids.any(|id| id == written.event_ids[0]));

    assert_eq!(peer.rejoin(own, claimed).unwrap(), Some(claimed));
    let start = Position::START;
    assert_eq!(peer.rejoin(own, start).unwrap(), Some(start));
    let unheard = Position { seq: 99, ..claimed };
    assert_eq!(peer.rejoin(own, unheard).unwrap(), None);
}
