//! Presence and sealed letters: what is told to whom, what counts, and what is left of it.

use posko_proto::{
    Id,
    federation::v1::{Presence, Sealed},
};

use super::{
    super::{
        Now,
        presence::{BadPresence, Board, Item, MAX_ITEM_BYTES, MAX_PRESENCE_MS, MAX_SUBJECTS},
        sealed::{
            Address, BadLetter, Letter, MAX_HOPS, MAX_KEPT, MAX_KEPT_BYTES, MAX_LETTER_BYTES,
            MAX_LETTER_MS, Post, Taken,
        },
    },
    *,
};

fn item(subject: u8, body: &[u8]) -> Item {
    Item {
        subject: Id([subject; 16]),
        kind: 1,
        body: body.to_vec(),
    }
}

/// The board of a run of a node that began at this second.
fn board(name: &str, started: u64) -> Board {
    Board::new(FEDERATION, node(name), [started as u8; 16], started)
}

fn said(board: &Board, at: Now) -> Vec<(String, u64, Vec<u8>)> {
    let statements = board.statements(at).into_iter();
    let told = statements.map(|one| {
        let bodies = one.items.iter().flat_map(|item| item.body.clone());
        (one.origin.to_string(), one.age_ms, bodies.collect())
    });
    told.collect()
}

/// What a board says of its own node, as a peer gets it after so long.
fn word(board: &mut Board, epoch: u64, body: &[u8]) -> super::super::presence::Statement {
    let origin = body[0];
    board
        .say(
            now(1),
            epoch,
            vec![item(origin, body)],
            5_000,
            &log_key(node("31")),
        )
        .unwrap();
    board.statements(now(1)).remove(0)
}

#[test]
fn the_last_word_of_an_origin_counts_by_its_epoch_its_run_and_its_counter_whatever_the_order_in_which_it_comes()
 {
    let key = log_key(node("31")).public();
    let (mut first, mut second) = (board("31", 10), board("31", 20));
    let rising = [
        word(&mut first, 1, b"a"),
        word(&mut first, 1, b"b"),
        word(&mut second, 1, b"c"),
        word(&mut second, 2, b"d"),
    ];
    // The clock of the third run was set back, and its epoch is higher.
    let third = word(&mut board("31", 5), 3, b"e");
    let mut here = board("32", 1);
    for (at, statement) in rising.iter().enumerate() {
        assert!(here.take(now(1), statement, key), "{at}");
        for older in &rising[..=at] {
            assert!(!here.take(now(1), older, key), "an older one comes again");
        }
    }
    assert!(here.take(now(1), &third, key));
    assert_eq!(said(&here, now(1)), [("31".into(), 0, b"e".to_vec())]);
}

#[test]
fn a_word_grows_old_on_its_way_expires_and_does_not_come_back() {
    let key = log_key(node("31")).public();
    let statement = word(&mut board("31", 1), 1, b"a");
    let mut relay = board("36", 1);
    assert!(relay.take(now(100), &statement, key));
    let relayed = relay.statements(now(3_100)).remove(0);
    assert_eq!(relayed.age_ms, 3_000);

    let mut here = board("32", 1);
    assert!(here.take(now(1), &relayed, key));
    assert_eq!(said(&here, now(2_000)).len(), 1);
    assert_eq!(said(&here, now(2_001)), []);
    assert!(here.expire(now(2_001)) && !here.expire(now(2_001)));
    assert!(
        !here.take(now(2_002), &statement, key),
        "an old frame is sent again"
    );
    let mut late = statement.clone();
    late.age_ms = 5_000;
    assert!(!board("33", 1).take(now(1), &late, key));
}

#[test]
fn a_word_that_its_origin_did_not_sign_or_that_was_changed_counts_nothing() {
    let key = log_key(node("31")).public();
    let good = word(&mut board("31", 1), 1, b"a");
    let mut lies = vec![good.clone(); 7];
    lies[0].origin = node("33");
    lies[1].run_id[0] ^= 1;
    lies[2].turn.counter += 1;
    lies[3].items[0].body.push(0);
    lies[4].items[0].subject.0[0] ^= 1;
    lies[5].ttl_ms += 1;
    lies[6].items.clear();
    for lie in lies {
        assert!(!board("32", 1).take(now(1), &lie, key), "{lie:?}");
    }
    assert!(!board("32", 1).take(now(1), &good, log_key(node("36")).public()));
    assert!(
        !board("31", 1).take(now(1), &good, key),
        "of itself a node needs no word"
    );
    assert!(board("32", 1).take(now(1), &good, key));
}

#[test]
fn a_board_takes_no_more_than_it_says_and_holds_64_origins() {
    let key = log_key(node("31"));
    let mut own = board("31", 1);
    let many = (0..=MAX_SUBJECTS).map(|no| Item {
        subject: Id((no as u128).to_be_bytes()),
        ..item(0, b"")
    });
    let cases = [
        (
            many.collect(),
            1,
            BadPresence::Items {
                origin: node("31"),
                found: MAX_SUBJECTS + 1,
            },
        ),
        (
            vec![item(1, &[0; MAX_ITEM_BYTES + 1])],
            1,
            BadPresence::Item {
                origin: node("31"),
                found: MAX_ITEM_BYTES + 1,
            },
        ),
        (
            vec![item(1, b""), item(1, b"")],
            1,
            BadPresence::Order { origin: node("31") },
        ),
        (
            vec![],
            0,
            BadPresence::Ttl {
                origin: node("31"),
                found: 0,
            },
        ),
        (
            vec![],
            MAX_PRESENCE_MS + 1,
            BadPresence::Ttl {
                origin: node("31"),
                found: MAX_PRESENCE_MS + 1,
            },
        ),
    ];
    for (items, ttl_ms, error) in cases {
        assert_eq!(own.say(now(1), 1, items, ttl_ms, &key), Err(error));
    }
    assert_eq!(said(&own, now(1)), []);
    let mut here = board("32", 1);
    for no in 0..100 {
        let name = format!("n{no}");
        let mut theirs = board(&name, 1);
        theirs.say(now(1), 1, vec![], 5_000, &key).unwrap();
        let taken = here.take(now(1), &theirs.statements(now(1))[0], key.public());
        assert_eq!(taken, no < 64);
    }
}

fn sent(outputs: &[Output]) -> Vec<Body> {
    let sent = outputs.iter().filter_map(|output| match output {
        Output::Send(body, _) => Some(body.as_ref().clone()),
        _ => None,
    });
    sent.collect()
}

fn presence_sent(outputs: &[Output]) -> Vec<Presence> {
    let sent = sent(outputs).into_iter().filter_map(|body| match body {
        Body::Presence(presence) => Some(presence),
        _ => None,
    });
    sent.collect()
}

#[test]
fn presence_is_told_once_with_the_next_tick_the_newest_alone_and_never_back() {
    let mut lone = Lone::met(&logs("31", 0, "32"));
    let mut theirs = board("36", 1);
    let mut hold = |lone: &mut Lone, body: &[u8]| {
        let key = log_key(node("36"));
        theirs
            .say(now(1), 1, vec![item(1, body)], 5_000, &key)
            .unwrap();
        let statement = theirs.statements(now(1)).remove(0);
        let held = Input::Presence(Box::new(statement.clone()));
        assert_eq!(lone.session.handle(now(100), held), []);
        statement
    };
    let tick = |lone: &mut Lone, ms| presence_sent(&lone.session.handle(now(ms), Input::Tick));
    hold(&mut lone, b"a");
    hold(&mut lone, b"b");
    let told = tick(&mut lone, 1_100);
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].age_ms, told[0].items[0].body.as_slice()),
        (1_000, &b"b"[..])
    );
    assert_eq!(tick(&mut lone, 2_100), []);

    let newer = hold(&mut lone, b"c");
    let mut other = Lone::met(&logs("31", 0, "32"));
    other
        .session
        .handle(now(100), Input::Presence(Box::new(newer)));
    let from_peer = presence_sent(&other.session.handle(now(200), Input::Tick)).remove(0);
    let outputs = lone.frame(Body::Presence(from_peer));
    assert!(
        matches!(outputs.as_slice(), [Output::Presence(_)]),
        "{outputs:?}"
    );
    assert_eq!(tick(&mut lone, 3_100), [], "the peer told it");
    let gone = hold(&mut lone, b"d");
    assert_eq!(gone.ttl_ms, 5_000);
    assert_eq!(tick(&mut lone, 5_100), [], "it expired before it was told");

    let mut of_peer = board("32", 1);
    of_peer
        .say(now(1), 1, vec![], 5_000, &log_key(node("32")))
        .unwrap();
    let statement = of_peer.statements(now(1)).remove(0);
    (lone.session).handle(now(5_100), Input::Presence(Box::new(statement)));
    assert_eq!(tick(&mut lone, 6_100), [], "it is the peer's own");
}

// === letters ===

fn letter(from: &str, to: &str, id: u128, bytes: usize) -> Letter {
    let address = Address {
        federation: FEDERATION,
        id: Id(id.to_be_bytes()),
        to: node(to),
        from: node(from),
        ttl_ms: 60_000,
    };
    Letter::sign(address, [7; 32], vec![1; bytes], &log_key(node(from))).unwrap()
}

/// What a node gives to a peer while these are connected.
fn given(post: &mut Post, ms: u64, peer: &str, connected: &[&str]) -> Vec<Letter> {
    let is = |name: NodeId| connected.contains(&name.as_str());
    post.give(now(ms), node(peer), is)
}

#[test]
fn a_letter_goes_to_its_reader_alone_while_that_is_connected_and_else_to_whoever_may_reach_it() {
    let mut post = Post::new(node("31"));
    post.send(now(1), letter("31", "32", 1, 10)).unwrap();
    assert_eq!(given(&mut post, 1, "36", &["32", "36"]), []);
    assert_eq!(given(&mut post, 1, "32", &["32", "36"]).len(), 1);
    assert_eq!(
        given(&mut post, 1, "32", &["32", "36"]),
        [],
        "once a session"
    );
    let aged = given(&mut post, 5_001, "36", &["36"]);
    assert_eq!((aged[0].age_ms, aged[0].hops), (5_000, 0));
    post.met(node("32"));
    assert_eq!(
        given(&mut post, 6_000, "32", &["32"]).len(),
        1,
        "again in a new session"
    );
    post.expire(now(60_001));
    post.met(node("32"));
    assert_eq!(given(&mut post, 60_001, "32", &["32"]), []);
}

#[test]
fn a_relay_passes_a_letter_on_its_reader_takes_it_once_and_nobody_sends_it_back() {
    let key = log_key(node("31")).public();
    let sent = letter("31", "32", 1, 10);
    let mut relay = Post::new(node("36"));
    assert_eq!(relay.take(now(1), node("31"), &sent, key), Ok(Taken::Kept));
    assert_eq!(relay.take(now(1), node("33"), &sent, key), Ok(Taken::Known));
    assert_eq!(given(&mut relay, 2, "31", &["31", "33"]), []);
    assert_eq!(
        given(&mut relay, 2, "33", &["31", "33"]),
        [],
        "it has it already"
    );
    let passed = given(&mut relay, 1_001, "32", &["32"]).remove(0);
    assert_eq!((passed.hops, passed.age_ms), (1, 1_000));

    let mut reader = Post::new(node("32"));
    assert_eq!(
        reader.take(now(1), node("36"), &passed, key),
        Ok(Taken::Mine)
    );
    assert_eq!(
        reader.take(now(2), node("31"), &sent, key),
        Ok(Taken::Known)
    );
    assert_eq!(given(&mut reader, 3, "36", &["36"]), [], "it has arrived");
    let mut writer = Post::new(node("31"));
    assert_eq!(
        writer.take(now(1), node("36"), &passed, key),
        Ok(Taken::Known)
    );
}

#[test]
fn a_letter_that_was_changed_is_another_writers_or_has_come_too_far_is_not_taken() {
    let key = log_key(node("31")).public();
    let good = letter("31", "32", 1, 10);
    let from = node("31");
    let mut lies = vec![good.clone(); 6];
    lies[0].address.id = Id([9; 16]);
    lies[1].address.to = node("36");
    lies[2].address.ttl_ms += 1;
    lies[3].address.federation[0] ^= 1;
    lies[4].encapsulated_key[0] ^= 1;
    lies[5].ciphertext[0] ^= 1;
    let mut post = Post::new(node("36"));
    for lie in lies {
        let taken = post.take(now(1), node("31"), &lie, key);
        assert_eq!(taken, Err(BadLetter::Signature { from }));
    }
    let mut far = good.clone();
    far.hops = MAX_HOPS;
    let mut old = good.clone();
    old.age_ms = 60_000;
    for (lie, age_ms, hops) in [(far, 0, MAX_HOPS), (old, 60_000, 0)] {
        let taken = post.take(now(1), node("31"), &lie, key);
        assert_eq!(taken, Err(BadLetter::Stale { from, age_ms, hops }));
    }
    // Under the same id another writer's letter is another letter.
    let theirs = letter("33", "32", 1, 10);
    let key_33 = log_key(node("33")).public();
    assert_eq!(
        post.take(now(1), node("33"), &theirs, key_33),
        Ok(Taken::Kept)
    );
    assert_eq!(post.take(now(1), node("31"), &good, key), Ok(Taken::Kept));
}

#[test]
fn of_each_writer_only_so_much_is_kept_and_the_others_have_their_room() {
    let key = log_key(node("31")).public();
    let mut post = Post::new(node("36"));
    for id in 0..MAX_KEPT as u128 {
        let taken = post.take(now(1), node("31"), &letter("31", "32", id, 10), key);
        assert_eq!(taken, Ok(Taken::Kept));
    }
    let full = BadLetter::Full {
        from: node("31"),
        kept: MAX_KEPT,
    };
    let one_more = letter("31", "32", u128::MAX, 10);
    assert_eq!(post.take(now(1), node("31"), &one_more, key), Err(full));
    let key_33 = log_key(node("33")).public();
    let mut bytes = 0;
    for id in 0..100 {
        let taken = post.take(
            now(1),
            node("33"),
            &letter("33", "32", id, MAX_LETTER_BYTES),
            key_33,
        );
        if taken != Ok(Taken::Kept) {
            break;
        }
        bytes += MAX_LETTER_BYTES;
    }
    assert_eq!(bytes, MAX_KEPT_BYTES);
    post.expire(now(60_001));
    assert_eq!(
        post.take(now(60_001), node("31"), &one_more, key),
        Ok(Taken::Kept)
    );
}

#[test]
fn a_letter_that_is_none_cannot_be_signed() {
    let sign = |to: &str, ttl_ms, bytes| {
        let address = Address {
            federation: FEDERATION,
            id: Id([1; 16]),
            to: node(to),
            from: node("31"),
            ttl_ms,
        };
        Letter::sign(address, [7; 32], vec![0; bytes], &log_key(node("31"))).map(|_| ())
    };
    let from = node("31");
    assert_eq!(sign("32", MAX_LETTER_MS, MAX_LETTER_BYTES), Ok(()));
    let found = MAX_LETTER_BYTES + 1;
    assert_eq!(
        sign("32", 1, found),
        Err(BadLetter::TooLarge { from, found })
    );
    assert_eq!(sign("32", 0, 1), Err(BadLetter::Ttl { from, found: 0 }));
    let found = MAX_LETTER_MS + 1;
    assert_eq!(sign("32", found, 1), Err(BadLetter::Ttl { from, found }));
    assert_eq!(sign("31", 1, 1), Err(BadLetter::Itself { from }));
}

#[test]
fn presence_and_letters_that_cannot_be_read_end_the_session_and_say_why() {
    let mut lone = Lone::met(&logs("31", 0, "32"));
    let mut own = board("31", 1);
    let key = log_key(node("31"));
    own.say(now(1), 1, vec![item(1, b"a"), item(2, b"b")], 5_000, &key)
        .unwrap();
    let statement = own.statements(now(1)).remove(0);
    lone.session
        .handle(now(100), Input::Presence(Box::new(statement)));
    let presence = presence_sent(&lone.session.handle(now(200), Input::Tick)).remove(0);
    let good = Box::new(letter("31", "32", 1, 10));
    let Some(Body::Sealed(sealed)) =
        sent(&lone.session.handle(now(200), Input::Letter(good))).pop()
    else {
        panic!("the letter is not sent");
    };
    let of_presence = |change: fn(&mut Presence)| {
        let mut lie = presence.clone();
        change(&mut lie);
        Body::Presence(lie)
    };
    let of_letter = |change: fn(&mut Sealed)| {
        let mut lie = sealed.clone();
        change(&mut lie);
        Body::Sealed(lie)
    };
    let cases = [
        (
            of_presence(|lie| lie.origin = "a b".into()),
            "no node's name",
        ),
        (
            of_presence(|lie| lie.run_id.clear()),
            "run_id of `0` bytes instead of 16",
        ),
        (
            of_presence(|lie| lie.signature.push(0)),
            "signature of `65` bytes instead of 64",
        ),
        (of_presence(|lie| lie.ttl_ms = u64::MAX), "not 1 to 300000"),
        (of_presence(|lie| lie.items.reverse()), "out of order"),
        (
            of_presence(|lie| lie.items = vec![lie.items[0].clone(); 513]),
            "more than 512",
        ),
        (
            of_presence(|lie| lie.items[0].body = vec![0; 257]),
            "more than 256",
        ),
        (
            of_presence(|lie| lie.items[0].subject_id.truncate(3)),
            "subject_id of `3` bytes",
        ),
        (of_letter(|lie| lie.from = String::new()), "no node's name"),
        (of_letter(|lie| lie.to = "\u{7}".into()), "no node's name"),
        (
            of_letter(|lie| lie.to.clone_from(&lie.from)),
            "is for itself",
        ),
        (of_letter(|lie| lie.id.clear()), "id of `0` bytes"),
        (of_letter(|lie| lie.ttl_ms = 0), "not 1 to 86400000"),
        (
            of_letter(|lie| lie.encapsulated_key.push(1)),
            "encapsulated_key of `33` bytes",
        ),
        (
            of_letter(|lie| lie.ciphertext = vec![0; MAX_LETTER_BYTES + 1]),
            "more than 65536",
        ),
        (
            of_letter(|lie| lie.signature.clear()),
            "signature of `0` bytes",
        ),
    ];
    for (lie, detail) in cases {
        let outputs = Lone::met(&logs("31", 0, "32")).frame(lie);
        let (reason, told) = closes(&outputs).unwrap_or_else(|| panic!("{detail}: {outputs:?}"));
        assert_eq!(reason, GoodbyeReason::Protocol);
        assert!(told.contains(detail), "{told}");
    }
    // Ages and hops past all are no reason to part: nothing is taken.
    let outputs = Lone::met(&logs("31", 0, "32")).frame(of_letter(|lie| {
        lie.age_ms = u64::MAX;
        lie.hops = u32::MAX;
    }));
    assert!(matches!(outputs.as_slice(), [Output::Letter(_)]));
}
