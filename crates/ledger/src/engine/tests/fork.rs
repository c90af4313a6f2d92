//! Fork proofs in a session, also those of a hostile peer, and a log that is not taken any more.

use super::*;
use crate::{
    engine::MAX_FORKS,
    fork::{ForkProof, MAX_FORK_HEADERS, MAX_FORK_OPENS, Side, Statement},
};

/// A proof that the log of `33` has two entries after so many: another for each number.
fn proof(common: usize) -> ForkProof {
    let mut left = logs("33", common, "31").remove(&node("33")).unwrap();
    let mut right = left.clone();
    left.write(1, 10);
    right.write(1, 20);
    let side = |log: &MemoryLog| Side {
        statement: Statement::Head(Box::new(log.head().unwrap())),
        hash: log.chain.end().hash,
        headers: Vec::new(),
    };
    ForkProof {
        origin: node("33"),
        at_seq: left.chain.end().seq,
        opens: Vec::new(),
        sides: [side(&left), side(&right)],
    }
}

fn came(outputs: &[Output]) -> usize {
    let forked = |output: &&Output| matches!(output, Output::Forked(_));
    outputs.iter().filter(forked).count()
}

#[test]
fn a_proof_goes_to_a_peer_that_has_it_not_and_once() {
    let mut lone = Lone::met(&logs("31", 0, "32"));
    let held = Input::Fork(Box::new(proof(1)));
    let outputs = lone.session.handle(now(101), held.clone());
    assert!(
        matches!(
            outputs.as_slice(),
            [Output::Send(body, LaneKind::Control)] if **body == Body::Fork(proof(1).to_wire())
        ),
        "{outputs:?}"
    );
    assert_eq!(lone.session.handle(now(102), held.clone()), []);

    // One that the peer named in its hello, or gave, is not sent back to it.
    let mut lone = Lone::new(&logs("31", 0, "32"));
    let mut hello = hello_of("32", &logs("32", 0, "31"), "31");
    hello.views[0].fork_ids = vec![proof(1).id().to_vec()];
    lone.frame(Body::Hello(hello));
    assert_eq!(lone.session.handle(now(101), held), []);
    // It is taken all the same when it comes: it was named, and is not here.
    assert_eq!(came(&lone.frame(Body::Fork(proof(1).to_wire()))), 1);
    assert_eq!(came(&lone.frame(Body::Fork(proof(2).to_wire()))), 1);
    let given = Input::Fork(Box::new(proof(2)));
    assert_eq!(lone.session.handle(now(102), given), []);
}

#[test]
fn a_quarantine_and_its_proofs_are_told_with_the_hello() {
    let mut config = config("31", "32", &logs("31", 0, "32"));
    let log = config.logs.last_mut().unwrap();
    (log.quarantined, log.forks) = (true, vec![[3; 32]; MAX_FORKS + 1]);
    let outputs = Session::new(config).handle(now(1), Input::Opened);
    let [Output::Send(hello, _)] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    let Body::Hello(hello) = hello.as_ref() else {
        panic!("{hello:?}")
    };
    let view = hello.views.last().unwrap();
    assert_eq!(view.state(), OriginState::Quarantined);
    assert_eq!(view.fork_ids, vec![vec![3; 32]; MAX_FORKS]);
}

#[test]
fn a_repeated_proof_is_taken_once_and_a_flood_ends_the_session() {
    let mut lone = Lone::met(&logs("31", 0, "32"));
    assert_eq!(came(&lone.frame(Body::Fork(proof(1).to_wire()))), 1);
    for _ in 0..16 * MAX_FORKS - 1 {
        assert_eq!(lone.frame(Body::Fork(proof(1).to_wire())), []);
    }
    let outputs = lone.frame(Body::Fork(proof(1).to_wire()));
    assert_eq!(closes(&outputs).unwrap().0, GoodbyeReason::Protocol);
}

#[test]
fn a_proof_that_is_none_by_its_form_or_its_size_ends_the_session() {
    let good = proof(1);
    let mut large = good.clone();
    large.sides[0].headers = vec![[0; 100]; MAX_FORK_HEADERS + 1];
    let mut opens = good.clone().to_wire();
    let open = logs("33", 0, "31")[&node("33")].opens()[0].encode();
    opens.opens = vec![open; MAX_FORK_OPENS + 3];
    let mut cut = good.to_wire();
    cut.evidence.pop();
    let mut nobody = good.to_wire();
    nobody.origin = "\u{1b}[2J".into();
    let mut headless = good.to_wire();
    headless.left = None;
    let mut count = good.to_wire();
    count.evidence[41..45].copy_from_slice(&u32::MAX.to_be_bytes());
    for bad in [large.to_wire(), opens, cut, nobody, headless, count] {
        let mut lone = Lone::met(&logs("31", 0, "32"));
        let outputs = lone.frame(Body::Fork(bad));
        assert_eq!(came(&outputs), 0);
        assert_eq!(closes(&outputs).unwrap().0, GoodbyeReason::Protocol);
    }
}

#[test]
fn what_lies_behind_a_fork_is_refused_by_name_and_asked_for_again_later() {
    let (epochs, batch, _) = sent_by_32(3);
    let mut lone = Lone::met(&logs("31", 0, "32"));
    lone.frame(Body::Epochs(epochs));
    let outputs = lone.frame(Body::Batch(batch));
    assert!(
        outputs
            .iter()
            .any(|output| matches!(output, Output::Apply(_)))
    );
    let outputs = lone.session.handle(
        now(200),
        Input::Applied {
            origin: node("32"),
            result: Err(ApplyRefused::Forked("two entries 1/2".into())),
        },
    );
    let [
        Output::Send(nack, _),
        Output::Refused {
            code: NackCode::Quarantined,
            ..
        },
        Output::Reload(_),
    ] = outputs.as_slice()
    else {
        panic!("{outputs:?}")
    };
    assert!(matches!(&**nack, Body::Nack(nack) if nack.code() == NackCode::Quarantined));

    let chain = MemoryLog::new(node("32")).chain;
    let outputs = (lone.session).handle(now(201), Input::Chain(Box::new(chain)));
    assert_eq!(outputs, [], "not at once");
    let wants = |outputs: Vec<Output>| {
        outputs.iter().any(
            |output| matches!(output, Output::Send(body, _) if matches!(**body, Body::Want(_))),
        )
    };
    assert!(!wants(lone.session.handle(now(5_000), Input::Tick)));
    assert!(wants(lone.session.handle(now(11_000), Input::Tick)));
}
