//! What a peer knows of the own log, and branches of a log.

use super::*;

#[test]
fn a_peer_that_knows_more_of_the_own_log_is_heard_before_anything_is_released() {
    let short = logs("31", 0, "32");
    let mut ahead = short.clone();
    ahead.get_mut(&node("31")).unwrap().write(5, 10);
    let head = ahead[&node("31")].head().unwrap();
    let mut peer = logs("32", 0, "31");
    peer.insert(node("31"), ahead[&node("31")].clone());

    let mut lone = Lone::new(&short);
    let outputs = lone.frame(Body::Hello(hello_of("32", &peer, "31")));
    assert!(
        outputs.contains(&Output::PeerClaims {
            heads: vec![head],
            beyond: true
        }),
        "{outputs:?}"
    );
    assert_eq!(lone.frame(want(1, "31", Position::START)), []);
    assert_eq!(lone.session.handle(now(3), Input::OwnKnown(false)), []);

    // It comes from the peer, and then own entries go to it.
    let chain = short[&node("31")].chain.clone();
    let asked = (lone.session).handle(now(3), Input::Chain(Box::new(chain)));
    let [Output::Send(asked, _)] = asked.as_slice() else {
        panic!("{asked:?}")
    };
    assert!(matches!(asked.as_ref(), Body::Want(want) if want.origin == "31"));
    let end = head.head.position;
    let origin = node("31");
    let moved = Input::Moved { origin, end };
    assert_eq!(lone.session.handle(now(4), moved), []);
    let released = lone.session.handle(now(5), Input::OwnKnown(true));
    assert!(
        matches!(released.as_slice(), [Output::Read { .. }]),
        "{released:?}"
    );
}

#[test]
fn a_peer_that_holds_nothing_of_the_own_log_is_heard_too_before_anything_is_released() {
    let mut lone = Lone::new(&logs("31", 3, "32"));
    let mut hello = hello_of("32", &logs("32", 0, "31"), "31");
    hello.views.retain(|view| view.origin != "31");
    let outputs = lone.frame(Body::Hello(hello));
    let nothing = Output::PeerClaims {
        heads: Vec::new(),
        beyond: false,
    };
    assert!(outputs.contains(&nothing), "{outputs:?}");
    assert_eq!(lone.frame(want(1, "31", Position::START)), []);
    let released = lone.session.handle(now(5), Input::OwnKnown(true));
    assert!(
        matches!(released.as_slice(), [Output::Read { .. }]),
        "{released:?}"
    );
}

#[test]
fn branches_of_the_peers_log_are_shown_to_it_with_the_hello_and_every_heartbeat() {
    let held = logs("32", 3, "31");
    let branch = held[&node("32")].head().unwrap();
    let mut config = config("31", "32", &logs("31", 0, "32"));
    config.branches = vec![branch];
    let mut session = Session::new(config);
    let outputs = session.handle(now(1), Input::Opened);
    let [Output::Send(hello, _)] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    let Body::Hello(mut hello) = hello.as_ref().clone() else {
        panic!("{hello:?}")
    };
    assert_eq!(hello.views[0].head, Some(branch.to_wire()));

    // Its origin takes all that it is shown, and where the log itself ends.
    hello.origin = "31".into();
    let mut origin = Session::new(self::config("32", "31", &held));
    origin.handle(now(1), Input::Opened);
    let frame = Frame {
        n: 1,
        body: Some(Body::Hello(hello)),
    };
    let outputs = origin.handle(now(2), Input::Frame(Box::new(frame)));
    let claims = Output::PeerClaims {
        heads: vec![branch],
        beyond: false,
    };
    assert!(outputs.contains(&claims), "{outputs:?}");
}

#[test]
fn a_log_whose_path_parts_from_the_peers_is_pulled_from_there_past_what_is_here() {
    let (epochs, batch, log) = sent_by_32(3);
    let mut lone = Lone::met(&logs("31", 0, "32"));
    let head = log.head().unwrap();
    let nack = |want_id| {
        Body::Nack(Nack {
            origin: "32".into(),
            code: NackCode::Diverged.into(),
            head: Some(head.to_wire()),
            opens: epochs.opens.clone(),
            want_id,
            ..Nack::default()
        })
    };
    let opens: Vec<EpochOpen> = (epochs.opens.iter())
        .map(|open| EpochOpen::decode(open).unwrap())
        .collect();
    let parted = Output::Parted {
        origin: node("32"),
        end: head.head.position,
        opens,
    };
    let outputs = lone.frame(nack(1));
    assert!(outputs.contains(&parted), "{outputs:?}");

    let start = MemoryLog::new(node("32")).chain;
    let outputs = (lone.session).handle(now(101), Input::Branch(Box::new(start)));
    assert!(
        matches!(outputs.as_slice(), [Output::Send(want, _)] if matches!(&**want, Body::Want(want) if want.want_id == 2)),
        "{outputs:?}"
    );
    lone.frame(Body::Epochs(epochs.clone()));
    let outputs = lone.frame(Body::Batch(Batch {
        want_id: 2,
        ..batch
    }));
    assert!(
        outputs
            .iter()
            .any(|output| matches!(output, Output::Apply(_)))
    );
    let here_already = Input::Applied {
        origin: node("32"),
        result: Err(ApplyRefused::Moved),
    };
    let outputs = lone.session.handle(now(102), here_already);
    assert!(
        matches!(outputs.as_slice(), [Output::Send(ack, _)] if matches!(&**ack, Body::Ack(ack) if ack.durable_seq == 4)),
        "{outputs:?}"
    );

    // A peer that refuses the branch too is asked again later.
    let outputs = lone.frame(nack(2));
    assert!(
        matches!(outputs.last(), Some(Output::Refused { .. })),
        "{outputs:?}"
    );
}

#[test]
fn a_claim_on_the_own_log_without_its_signature_counts_nothing() {
    let short = logs("31", 0, "32");
    let mut ahead = short.clone();
    ahead.get_mut(&node("31")).unwrap().write(5, 10);
    let mut peer = logs("32", 0, "31");
    peer.insert(node("31"), ahead[&node("31")].clone());
    let mut hello = hello_of("32", &peer, "31");
    for view in &mut hello.views {
        if let Some(head) = &mut view.head {
            head.signature[0] ^= 1;
        }
    }
    let outputs = Lone::new(&short).frame(Body::Hello(hello));
    assert!(
        !outputs
            .iter()
            .any(|output| matches!(output, Output::PeerClaims { beyond: true, .. })),
        "{outputs:?}"
    );
}

#[test]
fn entries_of_the_own_log_that_a_peer_holds_beside_its_path_are_asked_for_by_their_end() {
    let short = logs("31", 0, "32");
    let mut ahead = short.clone();
    ahead.get_mut(&node("31")).unwrap().write(5, 10);
    let orphan = ahead[&node("31")].chain.end();
    let mut lone = Lone::met(&short);
    let chain = Box::new(short[&node("31")].chain.clone());
    let outputs = (lone.session).handle(now(101), Input::Towards { chain, end: orphan });
    let [Output::Send(sent, _)] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    let Body::Want(asked) = sent.as_ref() else {
        panic!("{sent:?}")
    };
    assert_eq!(
        (asked.towards_epoch_no, asked.towards_seq),
        (orphan.epoch.no, orphan.seq)
    );

    // The peer reads what lies on the way there, past the end of the path that it holds.
    let mut peer = Session::new(config("32", "31", &short));
    peer.handle(now(1), Input::Opened);
    let hello = Body::Hello(hello_of("31", &short, "32"));
    for (n, body) in [(1, hello), (2, sent.as_ref().clone())] {
        let frame = Frame {
            n,
            body: Some(body),
        };
        let outputs = peer.handle(now(2), Input::Frame(Box::new(frame)));
        if n == 2 {
            assert!(
                matches!(
                    outputs.as_slice(),
                    [Output::Read { towards: Some(end), after, .. }]
                        if *end == orphan && *after == short[&node("31")].chain.end()
                ),
                "{outputs:?}"
            );
        }
    }

    // Where the peer's way there leaves what is here, the pull goes on from where they part, still to that end.
    let nack = Nack {
        origin: "31".into(),
        code: NackCode::Diverged.into(),
        head: Some(short[&node("31")].head().unwrap().to_wire()),
        want_id: asked.want_id,
        ..Nack::default()
    };
    let outputs = lone.frame(Body::Nack(nack));
    assert!(
        outputs
            .iter()
            .any(|output| matches!(output, Output::Parted { end, .. } if *end == orphan)),
        "{outputs:?}"
    );
    let start = MemoryLog::new(node("31")).chain;
    let outputs = (lone.session).handle(now(102), Input::Branch(Box::new(start)));
    assert!(
        matches!(
            outputs.as_slice(),
            [Output::Send(want, _)]
                if matches!(&**want, Body::Want(want) if want.towards_seq == orphan.seq && want.after_seq == 0)
        ),
        "{outputs:?}"
    );
}
