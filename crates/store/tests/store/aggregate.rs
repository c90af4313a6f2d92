//! An area beside the fixed ones: units that are given away, decided again when a restored log left that out.

use posko_domain::account::AccountCommand;
use posko_ledger::entry::{Class, event_id};
use posko_store::{
    Areas, Standing,
    aggregate::{Aggregate, Decision, Fact, NewEvent, Redecided, View},
};

use super::{
    standing::{account, ask, backup, restore},
    statement::{disown, lost_payload},
    *,
};

const AREA: u8 = 0x7e;
const UNITS: Id = Id(*b"units of a store");
/// How many units there are.
const ALL: u8 = 3;

/// Gives units away (`g`), takes them back (`t`), notes something (`n`); `G` holds again, `o` was not kept. Its state is
/// how many are given, and how many were not kept.
struct Units;

fn event(kind: u8, count: u8) -> NewEvent {
    NewEvent {
        stream: UNITS,
        type_id: u32::from(AREA) << 8 | 1,
        type_version: 1,
        class: Class::Regional,
        scarce: matches!(kind, b'g' | b'G'),
        withdrawable: false,
        body: vec![kind, count],
    }
}

fn given(state: Option<Vec<u8>>) -> u8 {
    state.map_or(0, |state| state[0])
}

impl Aggregate for Units {
    fn area(&self) -> u8 {
        AREA
    }

    fn is_scarce(&self, command: &[u8]) -> bool {
        command[0] != b'n'
    }

    fn decide(&self, command: &[u8], view: &View<'_>) -> Result<Decision, StoreError> {
        let given = given(view.state(view.own(), UNITS)?);
        if command[0] == b'n' {
            // What another has is looked at, and decides nothing.
            view.state(node("36"), UNITS)?;
        }
        if command[0] == b'g' && given + command[1] > ALL {
            return Ok(Err(Refusal {
                code: Code::Conflict,
                message: format!("`{given}` of `{ALL}` are given away"),
            }));
        }
        Ok(Ok(vec![event(command[0], command[1])]))
    }

    fn fold(&self, fact: &Fact<'_>, state: Option<&[u8]>) -> Option<Vec<u8>> {
        let [mut given, mut over] = state.map_or([0, 0], |state| [state[0], state[1]]);
        match fact.body[0] {
            b'g' | b'G' => given += fact.body[1],
            b't' => given -= fact.body[1],
            b'o' => over += fact.body[1],
            _ => {}
        }
        Some(vec![given, over])
    }

    fn redecide(&self, orphan: &Fact<'_>, view: &View<'_>) -> Result<Redecided, StoreError> {
        if !view.is_caught_up(node("36")) {
            return Ok(Redecided::Wait("the log of `36` is not here".into()));
        }
        let count = orphan.body[1];
        let fits = given(view.state(view.own(), UNITS)?) + count <= ALL;
        Ok(Redecided::Decided(event(
            if fits { b'G' } else { b'o' },
            count,
        )))
    }
}

fn open_with(dir: &TempDir, origin: &str, run: u8) -> Store {
    let areas: Areas = [Arc::new(Units) as Arc<dyn Aggregate>]
        .into_iter()
        .collect();
    try_open_with(dir.path(), origin, run, areas).unwrap()
}

fn units(number: u32, kind: u8, count: u8) -> Request {
    let mut request = report(number, "32.75");
    request.stream = UNITS;
    request.command = Command::Aggregate {
        area: AREA,
        body: vec![kind, count],
    };
    request
}

fn state(store: &Store) -> Vec<u8> {
    store.state(node("32"), UNITS).unwrap().unwrap()
}

fn refusal(store: &Store, request: Request) -> String {
    execute(store, request).unwrap_err().message
}

#[test]
fn commands_of_one_commit_see_what_those_before_them_gave_away() {
    let dir = TempDir::new().unwrap();
    let store = open_with(&dir, "32", 1);
    let (answer, answered) = mpsc::channel();
    for number in 1..=8 {
        let answer = answer.clone();
        store.execute(units(number, b'g', 1), move |outcome| {
            answer.send(outcome.is_ok()).unwrap();
        });
    }
    drop(answer);
    assert_eq!(answered.iter().filter(|given| *given).count(), 3);
    assert_eq!(state(&store), [3, 0]);
    // A repeated command is answered as the first time.
    assert!(execute(&store, units(1, b'g', 1)).is_ok());
    assert_eq!(state(&store), [3, 0]);
}

#[test]
fn a_node_that_does_not_know_an_area_keeps_its_entries_and_counts_them_as_unknown() {
    let dir = TempDir::new().unwrap();
    let store = open_with(&dir, "32", 1);
    accepted(&store, units(1, b'g', 1));
    let peer = open(dir.path(), "31", 1);
    accept(&peer, "32");
    replicate(&store, &peer, "32", 100);
    assert_eq!(peer.unfolded(node("32")).unwrap(), [1, 0, 0]);
    assert_eq!(peer.state(node("32"), UNITS).unwrap(), None);
    let unknown = refusal(&peer, units(2, b'g', 1));
    assert_eq!(unknown, "area `126` is not known to this program");
    // Who knows it gets it from there.
    let other = open_with(&dir, "36", 1);
    accept(&other, "32");
    replicate(&peer, &other, "32", 100);
    assert_eq!(state(&other), [1, 0]);
}

/// A node that gave two units away after its backup, which a peer holds, and was restored.
fn restored(dir: &TempDir) -> (Store, [Store; 2]) {
    let peers = ["31", "36"].map(|origin| open_with(dir, origin, 1));
    let store = open_with(dir, "32", 1);
    for peer in &peers {
        accept(&store, peer.identity().origin.as_str());
        accept(peer, "32");
    }
    accepted(&store, units(1, b'g', 1));
    store.close();
    backup(dir);
    let store = open_with(dir, "32", 2);
    accepted(&store, units(2, b'g', 2));
    accepted(&store, units(3, b'n', 0));
    replicate(&store, &peers[0], "32", 100);
    store.close();
    restore(dir);
    (open_with(dir, "32", 3), peers)
}

/// Lets the node get back what its peers hold, and asks them as often as it takes.
fn proven(store: &Store, peers: &[Store]) {
    for _ in 0..3 {
        for peer in peers {
            ask(store, peer);
            recovery::pull(peer, store, "32", 100);
        }
    }
    assert_eq!(store.standing(), Standing::Clean);
}

/// Waits for what the writer does by itself.
fn quiet(store: &Store) {
    for _ in 0..4 {
        store.remove_peer(node("99")).unwrap();
    }
}

#[test]
fn giving_up_waits_as_promising_does_and_what_only_adds_runs() {
    let dir = TempDir::new().unwrap();
    let (store, _) = restored(&dir);
    for kind in [b'g', b't'] {
        let waits = refusal(&store, units(u32::from(kind), kind, 1));
        assert_eq!(waits, "waiting: `31` and `36` not yet asked");
    }
    accepted(&store, units(7, b'n', 0));
    // What waited was not decided.
    let dir = TempDir::new().unwrap();
    let (store, peers) = restored(&dir);
    assert!(execute(&store, units(8, b't', 1)).is_err());
    proven(&store, &peers);
    accepted(&store, units(8, b't', 1));
}

#[test]
fn a_promise_that_was_left_out_waits_for_the_log_it_depends_on_and_new_promises_wait_for_it() {
    let dir = TempDir::new().unwrap();
    let (store, peers) = restored(&dir);
    accepted(&store, units(7, b'n', 0));
    proven(&store, &peers);
    quiet(&store);
    // The fact stands again, the promise does not.
    assert_eq!(store.log(node("32")).unwrap().cut, 1);
    assert_eq!(state(&store), [1, 0]);
    let why = "waiting: 1 entries of this node's log are to be recorded again: the log of `36` is not here";
    assert_eq!(refusal(&store, units(8, b'g', 1)), why);
    assert_eq!(store.may_promise().unwrap_err().message, why);

    store.note_caught_up(node("36"));
    quiet(&store);
    assert_eq!(store.may_promise(), Ok(()));
    assert_eq!(state(&store), [3, 0]);
    // A retry of the lost command is answered, and gives nothing away again.
    accepted(&store, units(2, b'g', 2));
    assert_eq!(state(&store), [3, 0]);
    for peer in &peers {
        recovery::pull(&store, peer, "32", 100);
        assert_eq!(peer.log(node("32")).unwrap().cut, 0);
        peer.verify_log(node("32"), &mut |_| {}).unwrap();
        assert_eq!(state(peer), [3, 0]);
    }
}

#[test]
fn a_promise_that_does_not_fit_any_more_is_told_at_every_node() {
    let dir = TempDir::new().unwrap();
    let (store, peers) = restored(&dir);
    store.note_caught_up(node("36"));
    let created = AccountCommand::Create { grants: Vec::new() };
    accepted(&store, account(5, created));
    let risk = AccountCommand::parse_accept_risk("banjir besar").unwrap();
    accepted(&store, account(6, risk));
    // The same command as in the lost run, and another: too much is given away.
    accepted(&store, units(2, b'g', 1));
    accepted(&store, units(7, b'g', 1));
    proven(&store, &peers);
    quiet(&store);
    assert_eq!(state(&store), [3, 2]);
    assert_eq!(store.may_promise(), Ok(()));
    for peer in &peers {
        recovery::pull(&store, peer, "32", 100);
        assert_eq!(peer.log(node("32")).unwrap().cut, 0);
        assert_eq!(state(peer), [3, 2]);
    }
}

/// Takes the payloads of the last entries out of a closed node's file, as a damaged disk does.
fn damage(dir: &TempDir, origin: &str, entries: u32) {
    let file = rusqlite::Connection::open(dir.path().join(format!("{origin}.db"))).unwrap();
    file.execute_batch(&format!(
        "INSERT INTO payload_missing SELECT pos, 2 FROM payload ORDER BY pos DESC LIMIT {entries};
         DELETE FROM payload WHERE pos IN (SELECT pos FROM payload_missing);
         UPDATE view_version SET version = 0",
    ))
    .unwrap();
}

/// Asks peers for every payload of the own log that is missing, which they do not have.
fn ask_for_missing(store: &Store, peers: &[&Store]) {
    let mut after = 0;
    while let Some(missing) = store.missing(3, after, 10).unwrap() {
        for peer in peers {
            let given = peer.payloads(missing.origin, missing.epoch, &missing.seqs, 1 << 20, 3);
            let from = peer.identity().origin;
            (store.fill(from, missing.origin, missing.epoch, given.unwrap())).unwrap();
        }
        after = missing.last;
    }
}

#[test]
fn a_promise_whose_payload_is_declared_lost_is_waited_for_no_more_and_withheld_nowhere() {
    let dir = TempDir::new().unwrap();
    let own = node("32");
    let (store, [giver, other]) = restored(&dir);
    let (promise, fact) = (event_id(command_id(2), 0), event_id(command_id(3), 0));
    let left_out = giver.log(own).unwrap().end;
    giver.close();
    damage(&dir, "31", 2);
    let peers = [open_with(&dir, "31", 2), other];
    accepted(&store, units(7, b'n', 0));
    proven(&store, &peers);
    quiet(&store);
    let waits = store.may_promise().unwrap_err().message;
    assert!(
        waits.contains("payloads of this node's log are missing"),
        "{waits}"
    );

    ask_for_missing(&store, &[&peers[0], &peers[1]]);
    accepted(&store, lost_payload(20, promise));
    accepted(&store, lost_payload(21, fact));
    quiet(&store);
    assert_eq!(store.may_promise(), Ok(()));
    accepted(&store, units(8, b'g', 2));
    assert_eq!(state(&store), [3, 0]);
    for peer in &peers {
        recovery::pull(&store, peer, "32", 100);
    }
    // One that hears of the promise after the statement.
    let late = open_with(&dir, "33", 1);
    accept(&late, "32");
    replicate(&store, &late, "32", 100);
    recovery::pull_towards(&peers[0], &late, left_out, own, 100);
    for holder in [&store, &peers[0], &peers[1], &late] {
        assert_eq!(holder.gaps(own, 3).unwrap(), []);
        assert_eq!(holder.left_out(own).unwrap().0, None);
        // The fact stands again, if only as a header.
        holder.verify_log(own, &mut |_| {}).unwrap();
        assert_eq!(state(holder), [3, 0]);
    }
    store.close();
    assert_eq!(open_with(&dir, "32", 4).may_promise(), Ok(()));
}

/// Returns the event at the end of a node's own log.
fn newest_event(dir: &TempDir, store: &Store) -> Id {
    let own = store.identity().origin;
    let end = store.log(own).unwrap().end;
    let file = rusqlite::Connection::open(dir.path().join(format!("{own}.db"))).unwrap();
    let at_the_end =
        "SELECT substr(header, 33, 16) FROM entry JOIN epoch ON epoch.id = entry.pos >> 40
                      WHERE nonce = ?1 AND entry.pos & 0xffffffffff = ?2";
    let at = (end.epoch.nonce.as_slice(), end.seq.cast_signed());
    Id(file.query_row(at_the_end, at, |row| row.get(0)).unwrap())
}

/// Takes the payloads of an event out of a closed node's file, as a damaged disk does.
fn forget(dir: &TempDir, origin: &str, event: Id) {
    let file = rusqlite::Connection::open(dir.path().join(format!("{origin}.db"))).unwrap();
    let held = "FROM entry WHERE substr(header, 33, 16) = ?1";
    let missing = format!("INSERT INTO payload_missing SELECT pos, 2 {held}");
    assert_eq!(
        file.execute(&missing, [event.as_bytes()]),
        Ok(1),
        "{origin}"
    );
    let deleted = format!("DELETE FROM payload WHERE pos IN (SELECT pos {held})");
    assert_eq!(
        file.execute(&deleted, [event.as_bytes()]),
        Ok(1),
        "{origin}"
    );
    file.execute("UPDATE view_version SET version = 0", [])
        .unwrap();
}

#[test]
fn a_decision_whose_payload_is_declared_lost_is_taken_again_before_anything_new_is_promised() {
    let dir = TempDir::new().unwrap();
    let own = node("32");
    let (store, [holder, other]) = restored(&dir);
    let peers = [holder, other];
    accepted(&store, units(7, b'n', 0));
    proven(&store, &peers);
    store.note_caught_up(node("36"));
    quiet(&store);
    assert_eq!(state(&store), [3, 0]);
    let decision = newest_event(&dir, &store);
    for peer in &peers {
        recovery::pull(&store, peer, "32", 100);
    }
    // Nobody has it any more: neither the owner, nor who was told of it.
    store.close();
    drop(peers);
    for origin in ["32", "31", "36"] {
        forget(&dir, origin, decision);
    }
    let peers = ["31", "36"].map(|origin| open_with(&dir, origin, 2));
    let store = open_with(&dir, "32", 4);
    proven(&store, &peers);
    ask_for_missing(&store, &[&peers[0], &peers[1]]);
    accepted(&store, lost_payload(20, decision));
    quiet(&store);
    let why = store.may_promise().unwrap_err().message;
    assert!(why.contains("the log of `36` is not here"), "{why}");
    assert!(execute(&store, units(8, b'g', 2)).is_err());

    store.note_caught_up(node("36"));
    quiet(&store);
    assert_eq!(state(&store), [3, 0]);
    assert_eq!(store.may_promise(), Ok(()));
    for peer in &peers {
        recovery::pull(&store, peer, "32", 100);
        assert_eq!(state(peer), [3, 0]);
        assert_eq!(peer.gaps(own, 3).unwrap(), []);
        peer.verify_log(own, &mut |_| {}).unwrap();
    }
}

#[test]
fn a_promise_that_its_origin_disowns_is_waited_for_no_more() {
    let dir = TempDir::new().unwrap();
    let (store, peers) = restored(&dir);
    accepted(&store, units(7, b'n', 0));
    proven(&store, &peers);
    quiet(&store);
    assert!(store.may_promise().is_err());
    accepted(&store, disown(20, [event_id(command_id(2), 0)]));
    quiet(&store);
    assert_eq!(store.may_promise(), Ok(()));
    assert_eq!(state(&store), [1, 0]);
}

#[test]
fn what_an_area_looked_at_in_another_log_stands_in_its_envelope() {
    let (dir, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (a, b) = (open_with(&dir, "32", 1), open(other.path(), "36", 1));
    accept(&a, "36");
    accepted(&b, report(100, "36.71"));
    replicate(&b, &a, "36", 10);
    accepted(&a, units(1, b'g', 1));
    assert_eq!(frontier::frontier(&a, "32"), []);
    accepted(&a, units(2, b'n', 0));
    assert_eq!(frontier::frontier(&a, "32"), [frontier::here(&b, "36")]);
}
