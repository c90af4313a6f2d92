//! Payloads that came withheld: they are known to be missing, filled in from another node, and then shown.

use posko_ledger::entry::Payload;
use posko_store::Missing;

use super::*;

const CLASSES: u32 = 3;

/// An owner with incidents, and a replica that got headers alone.
fn headers_only(dir: &Path) -> (Store, Store) {
    let owner = open(dir, "32", 1);
    for number in 1..=10 {
        accepted(&owner, report(number, "32.75"));
    }
    let replica = open(dir, "31", 1);
    accept(&replica, "32");
    let mut chain = replica.chain(node("32")).unwrap();
    loop {
        let page = owner.page(node("32"), chain.end(), 1024, MAX_GROUP_BYTES, 0);
        let page = page.unwrap();
        let Some(head) = page.head else { break };
        let records = page.records.into_iter().map(|record| {
            let header = EntryHeader::decode(&record.header).unwrap();
            (header, record)
        });
        let group = chain.verify(page.opens, records.collect(), head);
        apply(&replica, group.unwrap()).unwrap();
    }
    (owner, replica)
}

fn given(owner: &Store, missing: &Missing, classes: u32) -> Vec<(u64, Payload)> {
    let payloads = owner.payloads(
        missing.origin,
        missing.epoch,
        &missing.seqs,
        1 << 20,
        classes,
    );
    payloads.unwrap()
}

fn fill_all(owner: &Store, replica: &Store) {
    let mut after = 0;
    while let Some(missing) = replica.missing(CLASSES, after, 7).unwrap() {
        assert!(missing.seqs.len() <= 7);
        let payloads = given(owner, &missing, CLASSES);
        let filled = replica.fill(node("36"), missing.origin, missing.epoch, payloads);
        assert_eq!(filled.unwrap(), missing.seqs.len() as u64);
        after = missing.last;
    }
}

#[test]
fn what_came_withheld_is_filled_in_and_then_shown() {
    let dir = TempDir::new().unwrap();
    let (owner, replica) = headers_only(dir.path());
    let entries = owner.log(node("32")).unwrap().entries;
    assert_eq!(replica.count_missing(node("32"), CLASSES).unwrap(), entries);
    assert_ne!(digests_of(&replica, "32"), digests_of(&owner, "32"));

    fill_all(&owner, &replica);
    assert_eq!(replica.count_missing(node("32"), CLASSES).unwrap(), 0);
    let (steps, taken) = mpsc::channel();
    replica.rebuild_views(Box::new(move |step| steps.send(step.unwrap()).unwrap()));
    taken.iter().find(|step| step.swapped).unwrap();
    assert_eq!(digests_of(&replica, "32"), digests_of(&owner, "32"));
    assert_eq!(replica.unfolded(node("32")).unwrap(), [0, 0, 0]);
    replica.verify_log(node("32"), &mut |_| {}).unwrap();

    // What was filled in is given to the next.
    let third = open(dir.path(), "36", 1);
    accept(&third, "32");
    replicate(&replica, &third, "32", 1024);
    assert_eq!(digests_of(&third, "32"), digests_of(&owner, "32"));
}

#[test]
fn a_process_that_dies_before_the_views_follow_shows_what_was_filled_in_after_its_next_start() {
    let dir = TempDir::new().unwrap();
    let (owner, replica) = headers_only(dir.path());
    fill_all(&owner, &replica);
    drop(replica);
    let replica = open(dir.path(), "31", 2);
    assert_eq!(digests_of(&replica, "32"), digests_of(&owner, "32"));
}

#[test]
fn a_payload_that_its_header_does_not_bind_or_that_is_not_missing_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let (owner, replica) = headers_only(dir.path());
    let missing = replica.missing(CLASSES, 0, 2).unwrap().unwrap();
    let payloads = given(&owner, &missing, CLASSES);
    let forged = payloads.iter().map(|(seq, payload)| match payload {
        Payload::Present { salt, body } => {
            let mut body = body.clone();
            body[0] ^= 1;
            (*seq, Payload::Present { salt: *salt, body })
        }
        other => panic!("{other:?}"),
    });
    let before = replica.count_missing(node("32"), CLASSES).unwrap();
    let fill = |payloads| {
        replica
            .fill(node("36"), missing.origin, missing.epoch, payloads)
            .unwrap()
    };
    assert_eq!(fill(forged.collect()), 0);
    let word = vec![(missing.seqs[0], Payload::Erased)];
    assert_eq!(fill(word), 0, "only the origin withdraws");
    assert_eq!(replica.count_missing(node("32"), CLASSES).unwrap(), before);
    assert_eq!(fill(payloads.clone()), 2);
    assert_eq!(fill(payloads), 0);
}

#[test]
fn what_the_asker_may_not_have_is_not_given() {
    let dir = TempDir::new().unwrap();
    let (owner, replica) = headers_only(dir.path());
    let missing = replica.missing(CLASSES, 0, 256).unwrap().unwrap();
    let withheld = |(_, payload): &(u64, Payload)| *payload == Payload::Withheld;
    assert!(given(&owner, &missing, 0).iter().all(withheld));
    assert!(given(&replica, &missing, CLASSES).iter().all(withheld));
    // As many as fit, and one at least.
    let few = owner.payloads(missing.origin, missing.epoch, &missing.seqs, 1, CLASSES);
    assert_eq!(few.unwrap().len(), 1);
}
