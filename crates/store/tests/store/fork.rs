//! Two runs of a node that wrote the same epoch: the log is in quarantine everywhere, until its owner opens it again.

use std::fs;

use posko_domain::event::Area;
use posko_ledger::{
    epoch::Reason,
    fork::{ForkError, ForkProof, Statement},
    head::SignedHead,
};
use posko_store::{
    Asked, ForkRefused, ReopenRefused, Standing, VerifyError, gap::GapKind, view::snapshot::Thing,
};

use super::{
    recovery::{numbers, pull, recovered},
    standing::{ask, backup, restore},
    *,
};

/// Two machines that run a copy of `32` which had opened its epoch: one report is in both, and then each has its own.
/// `31` follows the one, `36` the other.
struct Clones {
    dirs: [TempDir; 2],
    runs: [Store; 2],
    peers: [Store; 2],
    /// The first entry that was written twice.
    at: u64,
}

impl Clones {
    fn new() -> Self {
        let dirs = [TempDir::new().unwrap(), TempDir::new().unwrap()];
        let first = open(dirs[0].path(), "32", 1);
        for peer in ["31", "36"] {
            accept(&first, peer);
        }
        accepted(&first, report(1, "32.75"));
        first.close();
        for file in ["32.db", "32.mark"] {
            fs::copy(dirs[0].path().join(file), dirs[1].path().join(file)).unwrap();
        }
        let runs = [&dirs[0], &dirs[1]].map(|dir| open(dir.path(), "32", 2));
        for run in &runs {
            accepted(run, report(2, "32.75"));
        }
        assert_eq!(end(&runs[0]), end(&runs[1]));
        let at = end(&runs[0]).seq + 1;
        let peers = ["31", "36"].map(|peer| open(dirs[0].path(), peer, 1));
        for (peer, run) in peers.iter().zip(&runs) {
            accept(peer, "32");
            replicate(run, peer, "32", 100);
        }
        for (run, numbers) in runs.iter().zip([3..5, 13..16]) {
            for number in numbers {
                accepted(run, report(number, "32.75"));
            }
        }
        for (peer, run) in peers.iter().zip(&runs) {
            replicate(run, peer, "32", 100);
        }
        Self {
            dirs,
            runs,
            peers,
            at,
        }
    }

    /// The two followers meet, and `36` finds what `31` has.
    fn meet(&self) -> ForkProof {
        let [a, b] = &self.peers;
        let error = pull_first(a, b);
        assert!(
            matches!(error, ApplyError::Forked { seq, .. } if seq == self.at),
            "{error}"
        );
        held(b)
    }
}

fn end(store: &Store) -> Position {
    store.log(node("32")).unwrap().end
}

fn head(store: &Store) -> SignedHead {
    store.log(node("32")).unwrap().head.unwrap()
}

fn held(store: &Store) -> ForkProof {
    let fork = store.log(node("32")).unwrap().quarantine.unwrap();
    store.fork(node("32"), fork.id).unwrap().unwrap()
}

/// Takes the first group of what `from` has from where it parts from what `to` has, and returns why that is refused.
fn pull_first(from: &Store, to: &Store) -> ApplyError {
    let own = node("32");
    let opens = from.opens(own).unwrap();
    let point = to.branch_point(own, end(from), &opens).unwrap().unwrap();
    let mut chain = to.chain_at(own, point).unwrap().unwrap();
    loop {
        let group = next_group(from, &mut chain, 100).unwrap();
        match apply(to, group) {
            Ok(_) | Err(ApplyError::Moved { .. }) => {}
            Err(error) => return error,
        }
    }
}

fn take(store: &Store, proof: ForkProof) -> Result<bool, ForkRefused> {
    let (answer, answered) = mpsc::channel();
    store.take_fork(proof, NOW, move |taken| answer.send(taken).unwrap());
    answered.recv().unwrap()
}

fn reopen(store: &Store, which: u8) -> Result<u64, ReopenRefused> {
    let (answer, answered) = mpsc::channel();
    let key = Arc::new(SecretKey::from_seed(&seed("32", which)));
    store.reopen(key, NOW, move |opened| answer.send(opened).unwrap());
    answered.recv().unwrap()
}

#[test]
fn followers_of_two_runs_find_the_entry_that_was_written_twice_and_keep_what_they_have() {
    let clones = Clones::new();
    let (before, shown) = (end(&clones.peers[1]), digests_of(&clones.peers[1], "32"));
    let proof = clones.meet();
    assert_eq!(proof.at_seq, clones.at);
    let log = clones.peers[1].log(node("32")).unwrap();
    assert_eq!((log.end, log.forks.len()), (before, 1));
    assert_eq!(digests_of(&clones.peers[1], "32"), shown);
    let verified = clones.peers[1].verify_log(node("32"), &mut |_| {});
    assert!(
        matches!(verified, Err(VerifyError::Forked { seq, .. }) if seq == clones.at),
        "{verified:?}"
    );

    // Neither run's next entries are applied, and another origin's are.
    accepted(&clones.runs[1], report(20, "32.75"));
    let mut chain = clones.peers[1].chain(node("32")).unwrap();
    let next = next_group(&clones.runs[1], &mut chain, 100).unwrap();
    let refused = apply(&clones.peers[1], next);
    assert!(
        matches!(refused, Err(ApplyError::Forked { .. })),
        "{refused:?}"
    );
    assert_eq!(end(&clones.peers[1]), before);
    accept(&clones.peers[1], "31");
    accepted(&clones.peers[0], report(21, "31.71"));
    replicate(&clones.peers[0], &clones.peers[1], "31", 100);

    // A start finds it again.
    let [dir, _] = &clones.dirs;
    clones.peers[1].close();
    let again = open(dir.path(), "36", 2);
    assert_eq!(held(&again), proof);
}

#[test]
fn a_head_alone_proves_a_fork_and_the_entries_show_later_where_it_began() {
    let clones = Clones::new();
    let [a, b] = &clones.peers;
    assert!(b.contradicts(&head(a), NOW).unwrap());
    // The writer has done before what it was given before.
    b.remove_peer(node("99")).unwrap();
    let proof = held(b);
    assert_eq!(proof.at_seq, end(a).seq);
    assert!(!take(b, proof).unwrap());
    assert_eq!(clones.meet().at_seq, clones.at);
    assert_eq!(b.log(node("32")).unwrap().forks.len(), 1);

    // What is no contradiction is none.
    assert!(!a.contradicts(&head(a), NOW).unwrap());
    assert!(!a.contradicts(&head(&clones.runs[0]), NOW).unwrap());
}

#[test]
fn a_proof_is_passed_on_and_a_forged_one_is_not_taken() {
    let clones = Clones::new();
    let proof = clones.meet();
    let [a, _] = &clones.peers;
    let mut forged = proof.clone();
    if let Statement::Head(head) = &mut forged.sides[1].statement {
        head.signature[5] ^= 1;
    }
    let refused = take(a, forged);
    assert!(
        matches!(
            refused,
            Err(ForkRefused::Proof(ForkError::Signature { .. }))
        ),
        "{refused:?}"
    );
    let other = ForkProof {
        origin: node("33"),
        ..proof.clone()
    };
    assert!(matches!(take(a, other), Err(ForkRefused::NoSuchOrigin(_))));
    assert!(a.log(node("32")).unwrap().quarantine.is_none());

    assert!(take(a, proof.clone()).unwrap());
    assert!(!take(a, proof.clone()).unwrap());
    assert_eq!(held(a), proof);

    // One that holds nothing yet takes what both runs have, and stops there.
    let fresh = open(clones.dirs[0].path(), "33", 1);
    accept(&fresh, "32");
    assert!(take(&fresh, proof).unwrap());
    let mut chain = fresh.chain(node("32")).unwrap();
    let refused = loop {
        let group = next_group(a, &mut chain, 100).unwrap();
        if let Err(error) = apply(&fresh, group) {
            break error;
        }
    };
    assert!(matches!(refused, ApplyError::Forked { seq, .. } if seq == clones.at));
    assert!(end(&fresh).seq < clones.at || end(&fresh).epoch != end(a).epoch);
}

#[test]
fn a_run_that_meets_its_clones_entries_stops_writing_over_every_start() {
    let clones = Clones::new();
    assert_eq!(ask(&clones.runs[1], &clones.peers[0]), Asked::Fenced);
    let refused = execute(&clones.runs[1], report(30, "32.75")).unwrap_err();
    assert!(refused.message.contains("posko log reopen"), "{refused:?}");
    clones.runs[1].close();
    let again = open(clones.dirs[1].path(), "32", 3);
    assert!(matches!(again.standing(), Standing::Fenced { .. }));
    execute(&again, report(30, "32.75")).unwrap_err();
}

#[test]
fn a_log_that_its_owner_opens_again_with_the_recovery_key_is_whole_at_every_follower() {
    let clones = Clones::new();
    let proof = clones.meet();
    let [own, _] = &clones.runs;
    assert!(matches!(reopen(own, 2), Err(ReopenRefused::NotForked(_))));
    assert!(take(own, proof.clone()).unwrap());
    assert!(matches!(reopen(own, 1), Err(ReopenRefused::OtherKey(_))));
    assert_eq!(
        execute(own, report(30, "32.75")).unwrap_err().code,
        Code::Unavailable
    );
    let cut = reopen(own, 2).unwrap();
    assert_eq!(cut, end(&clones.peers[0]).seq + 1 - clones.at);
    own.close();
    assert!(take(&clones.peers[0], proof).unwrap());

    let own = open(clones.dirs[0].path(), "32", 4);
    assert!(matches!(own.standing(), Standing::Unproven { .. }));
    // What the other run wrote stays disputed: its followers hold it, and the owner does not know of it.
    let written = accepted(&own, report(30, "32.75"));
    recovered(&own);
    own.verify_log(node("32"), &mut |_| {}).unwrap();
    assert!(numbers(&own).contains(&written.number.unwrap()));
    for (peer, entries) in clones.peers.iter().zip([100, 1]) {
        pull(&own, peer, "32", entries);
        let log = peer.log(node("32")).unwrap();
        assert_eq!((log.end, log.quarantine), (end(&own), None));
        assert_eq!(digests_of(peer, "32"), digests_of(&own, "32"));
    }
    let [a, b] = &clones.peers;
    assert!(
        a.verify_log(node("32"), &mut |_| {})
            .unwrap()
            .other_branches
            .is_empty()
    );
    // The follower of the other run holds what nobody recorded again, and the owner does not withhold it.
    let report = b.verify_log(node("32"), &mut |_| {}).unwrap();
    let (withheld, others) = b.left_out(node("32")).unwrap();
    assert_eq!((withheld, &others), (None, &report.other_branches));
    let reopening = own.opens(node("32")).unwrap();
    let reopening = reopening.iter().find(|open| open.reason == Reason::Fork);
    let log = b.log(node("32")).unwrap();
    let told: Vec<_> = (others.iter())
        .map(|other| (other.entries, other.fork.at.seq, other.reopened))
        .collect();
    assert_eq!(told, [(log.cut, clones.at, reopening.unwrap().epoch)]);
    assert!(log.cut > 0);
    assert_eq!(others[0].fork.id, log.forks[0].id);
    let gaps = b.gaps(node("32"), u32::MAX).unwrap();
    let beside = gaps.iter().filter(|gap| gap.kind == GapKind::OtherBranch);
    assert_eq!(beside.count() as u64, log.cut);
    assert!(gaps.iter().all(|gap| gap.kind != GapKind::LeftOut));
    // What is evidence is nothing that the owner lacks: it is proven by whoever follows the log again.
    for peer in clones.peers.iter().chain(&clones.peers) {
        assert_eq!(ask(&own, peer), Asked::Known);
    }
    assert_eq!(own.standing(), Standing::Clean);
}

#[test]
fn the_other_runs_follower_proves_the_owners_start_before_it_has_heard_of_the_reopening() {
    let clones = Clones::new();
    let proof = clones.meet();
    let [own, _] = &clones.runs;
    assert!(take(own, proof).unwrap());
    reopen(own, 2).unwrap();
    own.close();
    let own = open(clones.dirs[0].path(), "32", 4);
    let [_, b] = &clones.peers;
    assert_eq!(ask(&own, b), Asked::Known);
    // Also where the other run had started again meanwhile.
    clones.runs[1].close();
    let again = open(clones.dirs[1].path(), "32", 5);
    accepted(&again, report(40, "32.75"));
    let fresh = open(clones.dirs[1].path(), "33", 1);
    accept(&fresh, "32");
    replicate(&again, &fresh, "32", 100);
    assert_eq!(ask(&own, &fresh), Asked::Known);
}

#[test]
fn what_an_owner_leaves_out_of_its_own_branch_is_withheld_after_the_reopening_too() {
    let clones = Clones::new();
    let proof = clones.meet();
    let [own, _] = &clones.runs;
    let [a, _] = &clones.peers;
    own.close();
    backup(&clones.dirs[0]);
    let lost = open(clones.dirs[0].path(), "32", 5);
    accepted(&lost, report(50, "32.75"));
    replicate(&lost, a, "32", 100);
    let lost_entries = lost.log(node("32")).unwrap().end.seq;
    lost.close();
    restore(&clones.dirs[0]);

    let own = open(clones.dirs[0].path(), "32", 6);
    for store in [&own, a] {
        assert!(take(store, proof.clone()).unwrap());
    }
    reopen(&own, 2).unwrap();
    own.close();
    let own = open(clones.dirs[0].path(), "32", 7);
    accepted(&own, report(60, "32.75"));
    recovered(&own);
    pull(&own, a, "32", 100);
    let withheld = a.verify_log(node("32"), &mut |_| {});
    assert!(
        matches!(&withheld, Err(VerifyError::Withheld { events, .. }) if events.len() as u64 == lost_entries),
        "{withheld:?}"
    );
    let (withheld, others) = a.left_out(node("32")).unwrap();
    assert_eq!(withheld.unwrap().entries, lost_entries);
    assert!(others.is_empty());
}

/// Returns the numbers of the incidents that a node shows as disputed, and of the others.
fn by_dispute(store: &Store) -> [Vec<String>; 2] {
    let found = store.incidents(&Filter::default(), None, 100).unwrap().rows;
    let (disputed, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|found| found.disputed);
    [disputed, others].map(|found| found.into_iter().map(|found| found.state.number).collect())
}

#[test]
fn what_was_folded_from_the_fork_on_is_shown_as_disputed_until_the_log_is_opened_again() {
    let clones = Clones::new();
    let [_, b] = &clones.peers;
    // An incident from before the fork is changed after it.
    let verify = IncidentCommand::Verify {
        source: FigureSource::Pmi,
    };
    accepted(
        &clones.runs[1],
        request(20, stream_of(command_id(1)), verify),
    );
    replicate(&clones.runs[1], b, "32", 100);
    assert_eq!(by_dispute(b)[0], Vec::<String>::new());

    let proof = clones.meet();
    let numbers = |serials: &[u32]| -> Vec<String> {
        let number = |serial: &u32| format!("PMI-32-2026-{serial:06}");
        serials.iter().map(number).collect()
    };
    let [mut disputed, others] = by_dispute(b);
    disputed.sort();
    assert_eq!((disputed, others), (numbers(&[1, 3, 4, 5]), numbers(&[2])));
    let shown = |store: &Store, number| {
        let id = stream_of(command_id(number));
        store.incident(Some(id), "").unwrap().unwrap().0.disputed
    };
    assert!(shown(b, 1) && shown(b, 13) && !shown(b, 2));
    let things = b.things(&[Area::Incident], None, 100).unwrap();
    let disputed = |thing: &&Thing| matches!(thing, Thing::Incident(found) if found.disputed);
    assert_eq!(things.iter().filter(disputed).count(), 4);

    let [own, _] = &clones.runs;
    assert!(take(own, proof).unwrap());
    assert!(shown(own, 3));
    reopen(own, 2).unwrap();
    own.close();
    let own = open(clones.dirs[0].path(), "32", 4);
    accepted(&own, report(30, "32.75"));
    recovered(&own);
    pull(&own, b, "32", 100);
    for store in [&own, b] {
        assert_eq!(by_dispute(store)[0], Vec::<String>::new());
    }
}

#[test]
fn a_run_that_had_stopped_for_another_reason_tells_of_the_fork_first() {
    let clones = Clones::new();
    let proof = clones.meet();
    let [_, run] = &clones.runs;
    run.fence("a peer knows more");
    assert!(take(run, proof).unwrap());
    let Standing::Fenced { why, .. } = run.standing() else {
        panic!("{:?}", run.standing());
    };
    assert!(why.starts_with("two runs of `32` wrote entry"), "{why}");
    assert!(why.ends_with("; a peer knows more"), "{why}");
    let refused = execute(run, report(30, "32.75")).unwrap_err();
    assert_eq!(refused.message, why);
}

#[test]
fn a_log_whose_first_epoch_was_opened_twice_begins_anew_and_loses_nothing_of_its_owner() {
    for seen_late in [false, true] {
        begin_anew(seen_late);
    }
}

/// The owner learns at once that an epoch was opened twice, or opens its log from a later entry first, of which a head
/// alone told that it was written twice.
fn begin_anew(seen_late: bool) {
    let dirs = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    // A machine that was copied while it ran and before it wrote: one epoch, and two openings of it.
    let runs = [&dirs[0], &dirs[1]].map(|dir| open(dir.path(), "32", 1));
    let peers = ["31", "36"].map(|peer| open(dirs[0].path(), peer, 1));
    let mut written = 0;
    for (run, peer) in runs.iter().zip(&peers) {
        written += 1;
        accept(run, peer.identity().origin.as_str());
        accept(peer, "32");
        for number in 0..3 {
            let now = Millis(NOW.0 + i64::from(written));
            let report = report(10 * written + number, "32.75");
            accepted(run, Request { now, ..report });
        }
        replicate(run, peer, "32", 100);
    }
    let [a, b] = &peers;
    let error = pull_first(a, b);
    assert!(
        matches!(error, ApplyError::Forked { seq: 0, .. }),
        "{error}"
    );
    let proof = held(b);
    let [own, _] = &runs;
    let entries = own.log(node("32")).unwrap().entries;
    if seen_late {
        assert!(own.contradicts(&head(b), NOW).unwrap());
        assert_eq!(reopen(own, 2).unwrap(), 1);
        // The follower that cannot take this up has the proof, and gives it.
        assert!(take(own, proof.clone()).unwrap());
    } else {
        assert_eq!(ask(own, b), Asked::Fenced);
    }
    execute(own, report(40, "32.75")).unwrap_err();
    assert_eq!(reopen(own, 2).unwrap(), entries);
    own.close();

    let own = open(dirs[0].path(), "32", 4);
    for _ in 0..2 {
        assert_eq!(ask(&own, a), Asked::Known);
    }
    assert_eq!(own.standing(), Standing::Clean);
    let next = accepted(&own, report(40, "32.75"));
    recovered(&own);
    own.verify_log(node("32"), &mut |_| {}).unwrap();
    let shown = numbers(&own);
    assert_eq!(shown.len(), 4);
    assert!(shown.contains(&next.number.unwrap()));
    assert!(take(a, proof).unwrap());
    for (peer, others) in peers.iter().zip([0, 1]) {
        pull(&own, peer, "32", 100);
        let log = peer.log(node("32")).unwrap();
        assert_eq!((log.end, log.quarantine), (end(&own), None));
        assert_eq!(digests_of(peer, "32"), digests_of(&own, "32"));
        let report = peer.verify_log(node("32"), &mut |_| {}).unwrap();
        assert_eq!(report.other_branches.len(), others);
    }
    // A start finds all of it again.
    own.close();
    let own = open(dirs[0].path(), "32", 5);
    accepted(&own, report(41, "32.75"));
    own.verify_log(node("32"), &mut |_| {}).unwrap();
}

#[test]
fn a_node_that_was_copied_before_its_first_start_is_fenced_and_needs_no_reopening() {
    let dirs = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    open(dirs[0].path(), "32", 1).close();
    for file in ["32.db", "32.mark"] {
        fs::copy(dirs[0].path().join(file), dirs[1].path().join(file)).unwrap();
    }
    // Each opens a first epoch of its own.
    let runs = [2, 3].map(|run| open(dirs[usize::from(run) - 2].path(), "32", run));
    let peers = ["31", "36"].map(|peer| open(dirs[0].path(), peer, 1));
    for (number, (run, peer)) in (1..).zip(runs.iter().zip(&peers)) {
        for peer in ["31", "36"] {
            accept(run, peer);
        }
        accept(peer, "32");
        accepted(run, report(number, "32.75"));
        replicate(run, peer, "32", 100);
    }
    let [own, _] = &runs;
    assert_eq!(ask(own, &peers[1]), Asked::Fenced);
    let refused = reopen(own, 2).unwrap_err().to_string();
    assert!(refused.contains("is not forked"), "{refused}");
    own.close();

    let own = open(dirs[0].path(), "32", 4);
    for peer in peers.iter().chain(&peers) {
        if let Asked::More(_) = ask(&own, peer) {
            pull(peer, &own, "32", 100);
            assert_eq!(ask(&own, peer), Asked::Known);
        }
    }
    accepted(&own, report(5, "32.75"));
    recovered(&own);
    assert_eq!(numbers(&own).len(), 3);
    for peer in &peers {
        pull(&own, peer, "32", 100);
        assert_eq!(digests_of(peer, "32"), digests_of(&own, "32"));
        let report = peer.verify_log(node("32"), &mut |_| {}).unwrap();
        assert_eq!(report.other_branches, []);
    }
}
