//! What a start can trust: the file, the high-water mark, and what peers know of the own log.

use std::{fs, path::PathBuf};

use posko_domain::account::AccountCommand;
use posko_ledger::epoch::UNPROVEN;
use posko_store::{Asked, Claim, RiskAccepted, Standing};

use super::*;

/// Makes a log of `reports` reports and closes it.
fn written(dir: &TempDir, reports: u32) {
    let store = open(dir.path(), "32", 1);
    for number in 1..=reports {
        accepted(&store, report(number, "32.75"));
    }
    store.close();
}

fn file(dir: &TempDir, name: &str) -> PathBuf {
    dir.path().join(name)
}

/// Puts a copy of the database aside; [`restore`] puts it back.
pub(crate) fn backup(dir: &TempDir) {
    fs::copy(file(dir, "32.db"), file(dir, "32.copy")).unwrap();
}

pub(crate) fn restore(dir: &TempDir) {
    for log in ["32.db-wal", "32.db-shm"] {
        drop(fs::remove_file(file(dir, log)));
    }
    fs::copy(file(dir, "32.copy"), file(dir, "32.db")).unwrap();
}

fn why(store: &Store) -> String {
    match store.standing() {
        Standing::Unproven { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

fn waiting(store: &Store) -> Vec<String> {
    match store.standing() {
        Standing::Unproven { waiting, .. } => waiting.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

/// Tells `store` what `peer`'s store shows of its log.
pub(crate) fn ask(store: &Store, peer: &Store) -> Asked {
    let own = store.identity().origin;
    let mut heads = peer.branch_heads(own).unwrap();
    heads.extend(peer.log(own).unwrap().best);
    let claim = Claim {
        heads,
        opens: peer.opens(own).unwrap(),
        classes: u32::MAX,
    };
    ask_claim(store, peer.identity().origin, claim)
}

pub(crate) fn ask_claim(store: &Store, peer: NodeId, claim: Claim) -> Asked {
    let (answer, answered) = mpsc::channel();
    store.peer_asked(peer, claim, NOW, move |asked| answer.send(asked).unwrap());
    answered.recv().unwrap().unwrap()
}

fn number(store: &Store, command: u32) -> String {
    accepted(store, report(command, "32.75")).number.unwrap()
}

#[test]
fn a_start_that_lost_nothing_is_clean() {
    let dir = TempDir::new().unwrap();
    written(&dir, 2);
    let store = open(dir.path(), "32", 2);
    accept(&store, "31");
    assert_eq!(store.standing(), Standing::Clean);
    assert_eq!(store.may_promise(), Ok(()));
    assert_eq!(number(&store, 3), "PMI-32-2026-000003");
    assert_eq!(store.opens(node("32")).unwrap()[1].flags, 0);
}

#[test]
fn a_mark_behind_the_file_is_no_loss() {
    let dir = TempDir::new().unwrap();
    written(&dir, 2);
    fs::copy(file(&dir, "32.mark"), file(&dir, "older.mark")).unwrap();
    let store = open(dir.path(), "32", 2);
    accept(&store, "31");
    accepted(&store, report(3, "32.75"));
    // Also while the node runs.
    fs::copy(file(&dir, "older.mark"), file(&dir, "32.mark")).unwrap();
    accepted(&store, report(4, "32.75"));
    store.close();
    fs::copy(file(&dir, "older.mark"), file(&dir, "32.mark")).unwrap();
    assert_eq!(open(dir.path(), "32", 3).standing(), Standing::Clean);
}

#[test]
fn a_file_older_than_the_mark_is_unproven_until_every_peer_was_asked() {
    let dir = TempDir::new().unwrap();
    let peers = ["31", "36"].map(|origin| open(dir.path(), origin, 1));
    let store = open(dir.path(), "32", 1);
    for peer in &peers {
        accept(&store, peer.identity().origin.as_str());
        accept(peer, "32");
    }
    accepted(&store, report(1, "32.75"));
    for peer in &peers {
        replicate(&store, peer, "32", 100);
    }
    store.close();
    backup(&dir);
    let store = open(dir.path(), "32", 2);
    accepted(&store, report(2, "32.75"));
    store.close();
    restore(&dir);

    let store = open(dir.path(), "32", 3);
    assert_eq!(why(&store), "the high-water mark is ahead of the file");
    let refusal = store.may_promise().unwrap_err();
    assert_eq!(refusal.code, Code::Unavailable);
    assert_eq!(refusal.message, "waiting: `31` and `36` not yet asked");
    // What only adds runs, under a number that nobody may have been told before.
    assert_eq!(number(&store, 3), "PMI-32-2026-001001");
    assert_eq!(number(&store, 4), "PMI-32-2026-001002");
    assert_eq!(
        store.opens(node("32")).unwrap().last().unwrap().flags,
        UNPROVEN
    );
    assert_eq!(ask(&store, &peers[0]), Asked::Known);
    assert_eq!(
        store.may_promise().unwrap_err().message,
        "waiting: `36` not yet asked"
    );
    assert_eq!(ask(&store, &peers[1]), Asked::Known);
    assert_eq!(
        store.may_promise().unwrap_err().message,
        "waiting: `31` and `36` not yet asked again"
    );
    for peer in &peers {
        assert_eq!(ask(&store, peer), Asked::Known);
    }
    assert_eq!(store.standing(), Standing::Clean);
    assert_eq!(number(&store, 5), "PMI-32-2026-001003");
    store.close();
    assert_eq!(open(dir.path(), "32", 4).standing(), Standing::Clean);
}

#[test]
fn what_moved_to_a_peer_that_was_asked_before_is_found_in_the_second_round() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let [first, second] = ["31", "36"].map(|origin| open(dir.path(), origin, 1));
    for peer in [&first, &second] {
        accept(&store, peer.identity().origin.as_str());
        accept(peer, "32");
    }
    accepted(&store, report(1, "32.75"));
    store.close();
    backup(&dir);
    let store = open(dir.path(), "32", 2);
    accepted(&store, report(2, "32.75"));
    // What is lost is held by `36` alone.
    replicate(&store, &second, "32", 100);
    let lost = store.chain(node("32")).unwrap().end();
    store.close();
    restore(&dir);

    let store = open(dir.path(), "32", 3);
    assert_eq!(ask(&store, &first), Asked::Known);
    // `36` gives it to `31`, and loses all that it had before it is asked.
    replicate(&second, &first, "32", 100);
    assert_eq!(
        ask_claim(&store, node("36"), Claim::default()),
        Asked::Known
    );
    assert_eq!(waiting(&store), ["31", "36"], "everybody was asked once");
    assert_eq!(ask(&store, &first), Asked::More(lost));
    assert!(store.may_promise().is_err());
}

#[test]
fn neither_a_second_start_nor_the_loss_of_one_file_makes_a_start_proven() {
    let dir = TempDir::new().unwrap();
    written(&dir, 1);
    let store = open(dir.path(), "32", 2);
    accept(&store, "31");
    store.close();
    backup(&dir);
    fs::remove_file(file(&dir, "32.mark")).unwrap();
    let store = open(dir.path(), "32", 3);
    assert_eq!(why(&store), "the high-water mark was not there");
    store.close();
    // The file remembers it, when the mark is of before ...
    fs::remove_file(file(&dir, "32.mark")).unwrap();
    let store = open(dir.path(), "32", 4);
    assert_eq!(why(&store), "the high-water mark was not there");
    assert_eq!(waiting(&store), ["31"]);
    store.close();
    // ... and the mark, when the file is.
    restore(&dir);
    let store = open(dir.path(), "32", 5);
    assert_eq!(why(&store), "an earlier start was not proven");
}

#[test]
fn a_backup_copy_is_unproven_whatever_the_mark_says() {
    let dir = TempDir::new().unwrap();
    written(&dir, 1);
    let store = open(dir.path(), "32", 2);
    accept(&store, "31");
    store.close();
    let copy = rusqlite::Connection::open(file(&dir, "32.db")).unwrap();
    copy.execute("UPDATE node SET copied_ms = 1", []).unwrap();
    drop(copy);
    let store = open(dir.path(), "32", 3);
    assert_eq!(why(&store), "the file is a backup copy");
}

#[test]
fn a_machine_without_its_file_waits_for_a_peer() {
    let dir = TempDir::new().unwrap();
    let peer = open(dir.path(), "31", 1);
    let store = open(dir.path(), "32", 2);
    assert_eq!(why(&store), "the file was not there");
    assert_eq!(
        store.may_promise().unwrap_err().message,
        "waiting: no peer was accepted yet that could be asked"
    );
    accept(&store, "31");
    accept(&peer, "32");
    for _ in 0..2 {
        assert_eq!(ask(&store, &peer), Asked::Known);
    }
    assert_eq!(store.standing(), Standing::Clean);
}

#[test]
fn a_removed_peer_is_not_waited_for() {
    let dir = TempDir::new().unwrap();
    written(&dir, 1);
    let store = open(dir.path(), "32", 2);
    accept(&store, "31");
    accept(&store, "36");
    store.close();
    fs::remove_file(file(&dir, "32.mark")).unwrap();
    let store = open(dir.path(), "32", 3);
    ask_claim(&store, node("36"), Claim::default());
    assert_eq!(waiting(&store), ["31"]);
    store.remove_peer(node("31")).unwrap();
    accepted(&store, report(2, "32.75"));
    assert_eq!(
        waiting(&store),
        ["36"],
        "the second round is of who is left"
    );
    ask_claim(&store, node("36"), Claim::default());
    assert_eq!(store.standing(), Standing::Clean);
}

#[test]
fn a_mark_that_goes_while_the_node_runs_makes_it_ask_again() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    accept(&store, "31");
    accepted(&store, report(1, "32.75"));
    fs::write(file(&dir, "32.mark"), "rusak").unwrap();
    accepted(&store, report(2, "32.75"));
    assert_eq!(why(&store), "the high-water mark is gone");
}

#[test]
fn a_mark_that_goes_while_a_start_is_unproven_makes_it_ask_anew_once() {
    let dir = TempDir::new().unwrap();
    written(&dir, 1);
    let store = open(dir.path(), "32", 2);
    accept(&store, "31");
    store.close();
    fs::remove_file(file(&dir, "32.mark")).unwrap();
    let store = open(dir.path(), "32", 3);
    ask_claim(&store, node("31"), Claim::default());
    fs::remove_file(file(&dir, "32.mark")).unwrap();
    for number in 8..10 {
        let nothing = request(
            number,
            Id([1; 16]),
            IncidentCommand::Close { confirmed: false },
        );
        assert!(execute(&store, nothing).is_err());
        ask_claim(&store, node("31"), Claim::default());
    }
    assert_eq!(store.standing(), Standing::Clean);
}

#[test]
fn a_machine_rolled_back_while_it_runs_writes_nothing_more() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    accept(&store, "31");
    let first = accepted(&store, report(1, "32.75"));
    // The mark is of a run that went on elsewhere.
    let elsewhere = TempDir::new().unwrap();
    let other = open(elsewhere.path(), "32", 2);
    accepted(&other, report(2, "32.75"));
    accept(&other, "31");
    let mut chain = other.chain(node("32")).unwrap();
    let (standing, mark) = (other.standing(), elsewhere.path().join("32.mark"));
    assert!(
        matches!(standing, Standing::Unproven { .. }),
        "{standing:?}"
    );
    assert_eq!(next_group(&other, &mut chain, 100), None);
    fs::copy(mark, file(&dir, "32.mark")).unwrap();
    let refusal = execute(&store, report(3, "32.75")).unwrap_err();
    assert_eq!(refusal.code, Code::Unavailable);
    assert!(matches!(store.standing(), Standing::Fenced { .. }));
    assert_eq!(execute(&store, report(1, "32.75")), Ok(first));
    store.close();
    let store = open(dir.path(), "32", 3);
    assert!(why(&store).starts_with("the last run was fenced: the high-water mark"));
    accepted(&store, report(3, "32.75"));
}

#[test]
fn a_peer_that_shows_more_fences_a_run_that_writes_and_the_next_start_is_unproven() {
    let dir = TempDir::new().unwrap();
    let peer = open(dir.path(), "31", 1);
    accept(&peer, "32");
    written(&dir, 1);
    let store = open(dir.path(), "32", 2);
    accept(&store, "31");
    store.close();
    backup(&dir);
    fs::copy(file(&dir, "32.mark"), file(&dir, "older.mark")).unwrap();
    let store = open(dir.path(), "32", 3);
    accepted(&store, report(2, "32.75"));
    replicate(&store, &peer, "32", 100);
    store.close();
    // The whole machine is rolled back, the mark with it: nothing is known of it here.
    restore(&dir);
    fs::copy(file(&dir, "older.mark"), file(&dir, "32.mark")).unwrap();
    let store = open(dir.path(), "32", 4);
    assert_eq!(store.standing(), Standing::Clean);
    accepted(&store, report(3, "32.75"));
    assert_eq!(ask(&store, &peer), Asked::Fenced);
    let refusal = execute(&store, report(4, "32.75")).unwrap_err();
    assert!(
        refusal
            .message
            .starts_with("another run of this node writes: `31` holds the log of `32` up to 2."),
        "{}",
        refusal.message
    );
    store.close();
    let store = open(dir.path(), "32", 5);
    assert!(
        why(&store)
            .starts_with("the last run was fenced: another run of this node writes: `31` holds")
    );
    assert_eq!(waiting(&store), ["31"]);
}

#[test]
fn what_no_key_of_the_node_signed_is_no_claim() {
    let dir = TempDir::new().unwrap();
    let (store, stranger) = (open(dir.path(), "32", 1), open(dir.path(), "36", 1));
    accept(&store, "31");
    accepted(&store, report(1, "32.75"));
    accepted(&stranger, report(2, "36.71"));
    let mut head = store.own_head(NOW).unwrap();
    head.head.position.seq += 7;
    for head in [head, stranger.own_head(NOW).unwrap()] {
        let claim = Claim {
            heads: vec![head],
            opens: stranger.opens(node("36")).unwrap(),
            classes: u32::MAX,
        };
        assert_eq!(ask_claim(&store, node("31"), claim), Asked::Known);
    }
    assert_eq!(store.standing(), Standing::Clean);
}

#[test]
fn who_listens_is_told_whether_the_node_may_promise_now_and_whenever_that_changes() {
    let dir = TempDir::new().unwrap();
    written(&dir, 1);
    fs::remove_file(file(&dir, "32.mark")).unwrap();
    let (store, peer) = (open(dir.path(), "32", 2), open(dir.path(), "31", 1));
    accept(&store, "31");
    accept(&peer, "32");
    let (tell, told) = mpsc::channel();
    store.on_promise(Box::new(move |may| tell.send(may).unwrap()));
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [false]);
    assert_eq!(ask(&store, &peer), Asked::Known);
    accepted(&store, report(9, "32.75"));
    // Another round is to come, and a commit that changes nothing tells nothing.
    assert_eq!(told.try_iter().count(), 0);
    assert_eq!(ask(&store, &peer), Asked::Known);
    assert!(told.recv().unwrap());
    assert!(store.may_promise().is_ok());
    store.fence("another run was seen");
    assert!(!told.recv().unwrap());
    assert!(store.may_promise().is_err());
}

#[test]
fn where_no_peer_can_be_asked_a_named_persons_word_is_the_proof() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 2);
    let created = AccountCommand::Create { grants: Vec::new() };
    accepted(&store, account(1, created));
    assert!(store.may_promise().is_err());
    let risk = AccountCommand::parse_accept_risk("simpul sendiri").unwrap();
    accepted(&store, account(2, risk));
    assert_eq!(store.standing(), Standing::Clean);
}

pub(crate) fn account(number: u32, command: AccountCommand) -> Request {
    Request {
        command: Command::Account(command),
        ..request(
            number,
            Id([9; 16]),
            IncidentCommand::Close { confirmed: false },
        )
    }
}

#[test]
fn a_named_person_lets_scarce_commands_run_for_one_run_and_on_record() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let created = AccountCommand::Create { grants: Vec::new() };
    accepted(&store, account(1, created));
    accept(&store, "31");
    let risk = || AccountCommand::parse_accept_risk("banjir, jaringan putus").unwrap();
    let refusal = execute(&store, account(2, risk())).unwrap_err();
    assert_eq!(refusal.code, Code::Conflict, "{refusal}");
    store.close();
    fs::remove_file(file(&dir, "32.mark")).unwrap();

    let store = open(dir.path(), "32", 2);
    assert!(store.may_promise().is_err());
    let version = accepted(&store, account(3, risk())).version;
    assert_eq!(version, 2);
    assert_eq!(store.may_promise(), Ok(()));
    let standing = store.standing();
    assert!(
        matches!(standing, Standing::Unproven { risk_accepted: Some(RiskAccepted { by: Id(by), at: NOW }), ref waiting, .. } if by == [9; 16] && waiting.len() == 1),
        "{standing:?}"
    );
    store.close();
    assert!(open(dir.path(), "32", 3).may_promise().is_err());
}
