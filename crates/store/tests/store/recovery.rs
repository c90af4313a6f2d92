//! A node that comes back from a backup: what peers hold of its log comes back, and nothing of either run is lost.

use posko_store::{Asked, PageError, Standing, VerifyError};
use proptest::prelude::*;

use super::{
    standing::{ask, backup, restore},
    *,
};

/// Takes from `from` what it holds of a log beyond what `to` holds, wherever the two part.
pub(crate) fn pull(from: &Store, to: &Store, origin: &str, entries: usize) {
    let own = node(origin);
    let end = from.log(own).unwrap().end;
    if !end.is_start() {
        pull_towards(from, to, end, own, entries);
    }
}

/// Takes what lies on the way to a position that `from` holds, on its path or off it.
pub(crate) fn pull_towards(from: &Store, to: &Store, end: Position, own: NodeId, entries: usize) {
    let opens = from.opens(own).unwrap();
    let point = to.branch_point(own, end, &opens).unwrap();
    let mut chain = to.chain_at(own, point.unwrap()).unwrap().unwrap();
    loop {
        let page = |after, entries| {
            from.page_towards(own, end, after, entries, MAX_GROUP_BYTES, 3)
                .unwrap()
        };
        let first = page(chain.end(), entries);
        // A group is verified as a whole: a page that is too small for it is read again.
        let group = match first.head {
            Some(_) => first,
            None => page(chain.end(), MAX_GROUP_ENTRIES),
        };
        let Some(head) = group.head else { return };
        let records = (group.records.into_iter())
            .map(|record| (EntryHeader::decode(&record.header).unwrap(), record))
            .collect();
        match apply(to, chain.verify(group.opens, records, head).unwrap()) {
            Ok(_) | Err(ApplyError::Moved { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Waits until the own log's left-out entries are recorded again: each look waits for what the writer does before.
pub(crate) fn recovered(store: &Store) {
    let own = store.identity().origin;
    for _ in 0..100 {
        store.remove_peer(node("99")).unwrap();
        if store.log(own).unwrap().cut == 0 {
            return;
        }
    }
    panic!("{:?}", store.log(own));
}

pub(crate) fn numbers(store: &Store) -> Vec<String> {
    let found = store.incidents(&Filter::default(), None, 100).unwrap().rows;
    let mut numbers: Vec<String> = (found.into_iter())
        .map(|found| found.state.number)
        .collect();
    numbers.sort();
    numbers
}

/// A node with one report in its backup and two after it, which its peers hold.
pub(super) struct Lost {
    pub(super) dir: TempDir,
    pub(super) peers: [Store; 2],
    pub(super) answers: Vec<Accepted>,
}

impl Lost {
    pub(super) fn new(lost_run: u8) -> Self {
        let dir = TempDir::new().unwrap();
        let peers = ["31", "36"].map(|origin| open(dir.path(), origin, 1));
        let store = open(dir.path(), "32", 1);
        for peer in &peers {
            accept(&store, peer.identity().origin.as_str());
            accept(peer, "32");
        }
        let mut answers = vec![accepted(&store, report(1, "32.75"))];
        store.close();
        backup(&dir);
        let store = open(dir.path(), "32", lost_run);
        answers.extend((2..=3).map(|number| accepted(&store, report(number, "32.75"))));
        for peer in &peers {
            replicate(&store, peer, "32", 100);
        }
        store.close();
        restore(&dir);
        Self {
            dir,
            peers,
            answers,
        }
    }

    pub(super) fn start(&self, run: u8) -> Store {
        open(self.dir.path(), "32", run)
    }
}

#[test]
fn a_restored_node_gets_its_log_back_before_it_writes() {
    let lost = Lost::new(2);
    let store = lost.start(3);
    let own = node("32");
    let end = lost.peers[0].log(own).unwrap().end;
    assert_eq!(ask(&store, &lost.peers[0]), Asked::More(end));
    replicate(&lost.peers[0], &store, "32", 1);
    assert_eq!(store.log(own).unwrap().end, end);
    for peer in lost.peers.iter().chain(&lost.peers) {
        assert_eq!(ask(&store, peer), Asked::Known);
    }
    assert_eq!(store.standing(), Standing::Clean);
    // Commands of the lost run are answered as they were, and numbers go on.
    for (number, answer) in (1..).zip(&lost.answers) {
        assert_eq!(
            execute(&store, report(number, "32.75")).as_ref(),
            Ok(answer)
        );
    }
    let next = accepted(&store, report(4, "32.75"));
    assert_eq!(next.number.as_deref(), Some("PMI-32-2026-000004"));
    let verify = IncidentCommand::Verify {
        source: FigureSource::Pmi,
    };
    accepted(&store, request(5, lost.answers[2].stream, verify));
    store.verify_log(own, &mut |_| {}).unwrap();
    for peer in &lost.peers {
        replicate(&store, peer, "32", 100);
        assert_eq!(digests_of(peer, "32"), digests_of(&store, "32"));
    }
}

#[test]
fn what_a_restored_node_wrote_and_what_it_had_lost_both_stand_at_the_end() {
    // The restored run's epoch is higher than the lost one's, and then it is lower.
    for (lost_run, run) in [(2, 3), (9, 5)] {
        let lost = Lost::new(lost_run);
        let store = lost.start(run);
        let own = node("32");
        let written = accepted(&store, report(4, "32.75"));
        assert_eq!(written.number.as_deref(), Some("PMI-32-2026-001001"));
        for peer in lost.peers.iter().chain(&lost.peers) {
            assert!(matches!(ask(&store, peer), Asked::More(_) | Asked::Known));
            pull(peer, &store, "32", 100);
            assert_eq!(ask(&store, peer), Asked::Known);
        }
        assert_eq!(store.standing(), Standing::Clean);
        recovered(&store);
        assert_eq!(store.may_promise(), Ok(()));
        let expected = ["000001", "000002", "000003", "001001"];
        assert_eq!(
            numbers(&store),
            expected.map(|serial| format!("PMI-32-2026-{serial}"))
        );
        store.verify_log(own, &mut |_| {}).unwrap();
        // A retry finds its first answer, whichever run gave it.
        for (number, answer) in (1..).zip(&lost.answers) {
            let again = accepted(&store, report(number, "32.75"));
            assert_eq!(
                (again.stream, &again.number),
                (answer.stream, &answer.number)
            );
            assert_eq!(again.event_ids, answer.event_ids);
        }
        assert_eq!(accepted(&store, report(4, "32.75")).number, written.number);

        for (peer, entries) in lost.peers.iter().zip([100, 1]) {
            pull(&store, peer, "32", entries);
            assert_eq!(peer.log(own).unwrap().end, store.log(own).unwrap().end);
            assert_eq!(peer.log(own).unwrap().cut, 0);
            assert_eq!(digests_of(peer, "32"), digests_of(&store, "32"));
            peer.verify_log(own, &mut |_| {}).unwrap();
        }
        // Nobody's views depend on how they came to be.
        let fresh = open(lost.dir.path(), "33", 1);
        accept(&fresh, "32");
        replicate(&store, &fresh, "32", 100);
        assert_eq!(digests_of(&fresh, "32"), digests_of(&store, "32"));
        let ends = store.log(own).unwrap().end;
        store.close();
        let store = lost.start(20);
        assert_eq!(store.log(own).unwrap().end, ends);
        assert_eq!(store.standing(), Standing::Clean);
        assert_eq!(digests_of(&fresh, "32"), digests_of(&store, "32"));
        let (steps, taken) = mpsc::channel();
        store.rebuild_views(Box::new(move |step| steps.send(step.unwrap()).unwrap()));
        assert!(taken.iter().last().unwrap().swapped);
        assert_eq!(digests_of(&fresh, "32"), digests_of(&store, "32"));
    }
}

#[test]
fn a_command_given_again_to_a_restored_node_stands_in_its_log_once() {
    // The restored run's epoch is higher than the lost one's, and then it is lower.
    for (lost_run, run) in [(2, 3), (9, 5)] {
        let lost = Lost::new(lost_run);
        let store = lost.start(run);
        accepted(&store, report(2, "32.75"));
        let [peer, other] = &lost.peers;
        // One sees the new run before the old one comes back.
        pull(&store, peer, "32", 100);
        for held in [other, peer, other, peer] {
            ask(&store, held);
            pull(held, &store, "32", 100);
        }
        recovered(&store);
        let log = events(&store);
        let once: std::collections::BTreeSet<Id> = log.iter().copied().collect();
        assert_eq!(once.len(), log.len());
        assert_eq!(log.len(), 6);
        for peer in &lost.peers {
            pull(&store, peer, "32", 100);
            assert_eq!(peer.log(node("32")).unwrap().cut, 0);
            peer.verify_log(node("32"), &mut |_| {}).unwrap();
        }
    }
}

#[test]
fn a_log_that_leaves_entries_out_is_an_alarm_until_they_are_recorded_again() {
    let lost = Lost::new(2);
    let own = node("32");
    let [peer, relay] = &lost.peers;
    let before = peer.log(own).unwrap().end;
    let store = lost.start(3);
    accepted(&store, report(4, "32.75"));
    assert!(matches!(
        store.page(own, before, 100, MAX_GROUP_BYTES, 3),
        Err(PageError::UnknownEpoch)
    ));
    pull(&store, peer, "32", 100);
    let cut = peer.log(own).unwrap();
    assert_eq!((cut.cut, cut.end), (4, store.log(own).unwrap().end));
    let withheld = peer.verify_log(own, &mut |_| {}).unwrap_err();
    assert!(
        matches!(&withheld, VerifyError::Withheld { events, .. } if events.len() == 4),
        "{withheld}"
    );
    let shown = ["000001", "001001"].map(|serial| format!("PMI-32-2026-{serial}"));
    assert_eq!(numbers(peer), shown);
    // They are kept, and given to who asks for them.
    assert!(matches!(
        peer.page(own, before, 100, MAX_GROUP_BYTES, 3),
        Err(PageError::Diverged)
    ));
    let [head] = peer.branch_heads(own).unwrap()[..] else {
        panic!("{:?}", peer.branch_heads(own))
    };
    assert_eq!(head.head.position, before);
    let opening = peer.opens(own).unwrap()[1].position();
    let kept = peer
        .page_towards(own, before, opening, 100, MAX_GROUP_BYTES, 3)
        .unwrap();
    assert_eq!(kept.records.len(), 2);
    // The count outlives a restart of the peer.
    peer.close();
    let peer = open(lost.dir.path(), "31", 2);
    assert_eq!(peer.log(own).unwrap().cut, 4);

    // The node meets the other peer, which still has them, and records them again.
    assert!(matches!(ask(&store, relay), Asked::More(_)));
    pull(relay, &store, "32", 100);
    recovered(&store);
    pull(&store, &peer, "32", 100);
    assert_eq!(peer.log(own).unwrap().cut, 0);
    peer.verify_log(own, &mut |_| {}).unwrap();
    assert_eq!(digests_of(&peer, "32"), digests_of(&store, "32"));
}

#[test]
fn a_cut_within_an_epoch_is_passed_on_by_those_who_saw_it() {
    let dir = TempDir::new().unwrap();
    let own = node("32");
    let peer = open(dir.path(), "31", 1);
    let store = open(dir.path(), "32", 1);
    accept(&store, "31");
    accept(&peer, "32");
    accepted(&store, report(1, "32.75"));
    // Taken while the node runs.
    let copy = dir.path().join("32.copy");
    let file = rusqlite::Connection::open(dir.path().join("32.db")).unwrap();
    file.execute("VACUUM INTO ?1", [copy.to_str().unwrap()])
        .unwrap();
    drop(file);
    for number in 2..=3 {
        accepted(&store, report(number, "32.75"));
    }
    replicate(&store, &peer, "32", 100);
    drop(store);
    restore(&dir);
    let store = open(dir.path(), "32", 2);
    accepted(&store, report(4, "32.75"));
    assert!(matches!(ask(&store, &peer), Asked::More(_)));
    pull(&peer, &store, "32", 100);
    for _ in 0..2 {
        assert_eq!(ask(&store, &peer), Asked::Known);
    }
    recovered(&store);
    pull(&store, &peer, "32", 100);

    let third = open(dir.path(), "36", 1);
    accept(&third, "32");
    replicate(&peer, &third, "32", 100);
    assert_eq!(third.log(own).unwrap().end, store.log(own).unwrap().end);
    assert_eq!(digests_of(&third, "32"), digests_of(&store, "32"));
}

#[test]
fn two_clones_of_a_node_are_both_stopped_by_the_peer_that_saw_both() {
    let lost = Lost::new(2);
    let (one, other) = (lost.start(3), TempDir::new().unwrap());
    for file in ["32.copy", "32.mark"] {
        std::fs::copy(lost.dir.path().join(file), other.path().join(file)).unwrap();
    }
    restore(&other);
    let two = open(other.path(), "32", 4);
    let [peer, relay] = &lost.peers;
    // Both know that something may be lost, and both are proven.
    for clone in [&one, &two] {
        for held in [peer, relay, peer, relay] {
            ask(clone, held);
            pull(held, clone, "32", 100);
            ask(clone, held);
        }
        assert_eq!(clone.standing(), Standing::Clean);
    }
    accepted(&one, report(4, "32.75"));
    accepted(&two, report(5, "32.75"));
    pull(&one, peer, "32", 100);
    assert_eq!(ask(&two, peer), Asked::Fenced);
    pull(&two, relay, "32", 100);
    assert_eq!(ask(&one, relay), Asked::Fenced);
    for clone in [&one, &two] {
        assert!(matches!(clone.standing(), Standing::Fenced { .. }));
        assert!(execute(clone, report(6, "32.75")).is_err());
    }
}

/// What happens to a node and to its two peers.
#[derive(Clone, Debug)]
enum Step {
    Write,
    Backup,
    Restart,
    Restore,
    Meet(usize),
    PeersMeet,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Write),
        1 => Just(Step::Backup),
        1 => Just(Step::Restart),
        2 => Just(Step::Restore),
        3 => (0..2usize).prop_map(Step::Meet),
        1 => Just(Step::PeersMeet),
    ]
}

struct World {
    dir: TempDir,
    peers: [Store; 2],
    store: Store,
    starts: u8,
    commands: u32,
}

impl World {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let peers = ["31", "36"].map(|origin| open(dir.path(), origin, 1));
        let store = open(dir.path(), "32", 1);
        for peer in &peers {
            accept(&store, peer.identity().origin.as_str());
            accept(peer, "32");
        }
        Self {
            dir,
            peers,
            store,
            starts: 1,
            commands: 0,
        }
    }

    /// Starts again, with the file as `change` leaves it. Nonces come in no order.
    fn restart(&mut self, change: impl FnOnce(&TempDir)) {
        let elsewhere = TempDir::new().unwrap();
        drop(std::mem::replace(
            &mut self.store,
            open(elsewhere.path(), "99", 1),
        ));
        change(&self.dir);
        self.starts += 1;
        let run = (u16::from(self.starts) * 37 % 251 + 2) as u8;
        self.store = open(self.dir.path(), "32", run);
    }

    /// Own log first; then the peer pulls.
    fn meet(&mut self, which: usize) {
        let peer = &self.peers[which];
        let mut known = false;
        for _ in 0..10 {
            match ask(&self.store, peer) {
                Asked::More(end) => pull_towards(peer, &self.store, end, node("32"), 100),
                asked => {
                    assert_eq!(asked, Asked::Known);
                    known = true;
                    break;
                }
            }
        }
        assert!(known);
        pull(&self.store, peer, "32", 100);
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Write => {
                self.commands += 1;
                accepted(&self.store, report(self.commands, "32.75"));
            }
            Step::Backup => self.restart(backup),
            Step::Restart => self.restart(|_| {}),
            Step::Restore if self.dir.path().join("32.copy").exists() => self.restart(restore),
            Step::Restore => {}
            Step::Meet(which) => self.meet(*which),
            Step::PeersMeet => {
                let [one, two] = &self.peers;
                pull(one, two, "32", 100);
                pull(two, one, "32", 100);
            }
        }
    }
}

/// Returns the events of a log, in order.
fn events(store: &Store) -> Vec<Id> {
    let mut chain = Chain::new(identity("32"));
    let mut events = Vec::new();
    while let Some(group) = next_group(store, &mut chain, 100) {
        events.extend(group.entries().map(|(header, ..)| header.event_id));
    }
    events
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_a_peer_ever_held_stands_in_the_log_once_when_all_have_met(
        steps in prop::collection::vec(step(), 1..24),
    ) {
        let mut world = World::new();
        let mut held = std::collections::BTreeSet::new();
        for step in &steps {
            world.take(step);
            for peer in &world.peers {
                held.extend(events(peer));
            }
        }
        for _ in 0..3 {
            // Two rounds prove a start, and what the first brings begins them again.
            for which in [0, 1, 0, 1, 0, 1] {
                world.meet(which);
            }
            if world.commands > 0 {
                recovered(&world.store);
            }
        }
        prop_assert_eq!(world.store.standing(), Standing::Clean);
        let own = node("32");
        let log = events(&world.store);
        let once: std::collections::BTreeSet<Id> = log.iter().copied().collect();
        prop_assert_eq!(once.len(), log.len());
        prop_assert!(held.is_subset(&once), "{:?}", held.difference(&once));
        for peer in &world.peers {
            prop_assert_eq!(peer.log(own).unwrap().end, world.store.log(own).unwrap().end);
            prop_assert_eq!(digests_of(peer, "32"), digests_of(&world.store, "32"));
            peer.verify_log(own, &mut |_| {}).unwrap();
        }
        if world.commands > 0 {
            world.store.verify_log(own, &mut |_| {}).unwrap();
        }
    }
}

#[test]
fn a_log_begun_twice_becomes_one() {
    let mut world = World::new();
    for step in [
        Step::Backup,
        Step::Write,
        Step::Restart,
        Step::Write,
        Step::Meet(1),
        Step::Restore,
        Step::Write,
        Step::Write,
        Step::Meet(1),
        Step::Meet(0),
        // Everybody is asked twice.
        Step::Meet(1),
        Step::Meet(0),
    ] {
        world.take(&step);
    }
    recovered(&world.store);
    assert_eq!(numbers(&world.store).len(), 4);
}
