//! A snapshot's pages hold each thing once, whatever is written between them.

use std::collections::BTreeSet;

use posko_domain::event::Area;

use super::*;

#[test]
fn pages_of_a_snapshot_hold_each_thing_once_while_more_are_written() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let mut before = BTreeSet::new();
    for number in 1..=5 {
        before.insert(accepted(&store, report(number, "32.75")).stream);
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let things = store.things(&[Area::Incident], after, 2).unwrap();
        let Some(last) = things.last() else { break };
        after = Some(last.key());
        seen.extend(things.iter().map(|thing| thing.key().1));
        if seen.len() == 2 {
            // It may be in a later page or not: the feed brings it.
            accepted(&store, report(6, "32.75"));
        }
    }
    let once: BTreeSet<Id> = seen.iter().copied().collect();
    assert_eq!(once.len(), seen.len());
    assert!(once.is_superset(&before));
    assert!(store.things(&[Area::Warning], None, 10).unwrap().is_empty());
}
