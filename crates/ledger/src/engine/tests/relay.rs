//! Heads and logs of third nodes.

use super::*;

fn tick(lone: &mut Lone, ms: u64) -> Vec<Output> {
    lone.session.handle(now(ms), Input::Tick)
}

fn heads_sent(outputs: &[Output]) -> Vec<SignedHead> {
    let told = outputs.iter().find_map(|output| match output {
        Output::Send(body, _) => match body.as_ref() {
            Body::Heads(heads) => Some(heads.heads.clone()),
            _ => None,
        },
        _ => None,
    });
    let told = told.unwrap_or_default();
    told.iter()
        .map(|head| SignedHead::from_wire(head).unwrap())
        .collect()
}

/// A log of `36` of this many entries.
fn log_of_36(entries: usize) -> MemoryLog {
    let mut log = MemoryLog::new(node("36"));
    log.start();
    log.write(entries, 10);
    log
}

#[test]
fn a_third_nodes_head_is_told_once_when_it_is_news_and_never_back_to_who_told_it() {
    let mut lone = Lone::met(&logs("31", 0, "32"));
    let mut log = log_of_36(2);
    let hold = |lone: &mut Lone, log: &MemoryLog, news| {
        let head = log.head().unwrap();
        let outputs = lone.session.handle(now(100), Input::Head { head, news });
        assert_eq!(outputs, []);
        head
    };
    let head = hold(&mut lone, &log, true);
    assert_eq!(heads_sent(&tick(&mut lone, 1_000)), [head]);
    hold(&mut lone, &log, true);
    assert_eq!(heads_sent(&tick(&mut lone, 2_000)), [], "told already");
    log.write(1, 10);
    hold(&mut lone, &log, false);
    assert_eq!(heads_sent(&tick(&mut lone, 3_000)), [], "no news");
    let head = log.head().unwrap();
    let told = posko_proto::federation::v1::Heads {
        heads: vec![head.to_wire()],
    };
    assert_eq!(
        lone.frame(Body::Heads(told)),
        [Output::Heard {
            head: Box::new(head),
            verified: false,
            alive: true
        }]
    );
    hold(&mut lone, &log, true);
    assert_eq!(heads_sent(&tick(&mut lone, 4_000)), [], "the peer told it");
}

#[test]
fn heartbeats_carry_the_best_heads_of_all_logs_and_say_nothing_of_life() {
    let mut lone = Lone::met(&logs("31", 0, "32"));
    let log = log_of_36(2);
    let head = log.head().unwrap();
    lone.session
        .handle(now(100), Input::Head { head, news: false });
    let outputs = tick(&mut lone, 100 + super::super::HEARTBEAT_MS);
    let beat = outputs.iter().find_map(|output| match output {
        Output::Send(body, _) => match body.as_ref() {
            Body::Heartbeat(beat) => Some(beat.clone()),
            _ => None,
        },
        _ => None,
    });
    let beat = beat.unwrap();
    assert_eq!(beat.heads.len(), 2);

    let mut other = Lone::met(&logs("31", 0, "32"));
    let outputs = other.frame(Body::Heartbeat(beat));
    assert!(
        outputs.contains(&Output::Heard {
            head: Box::new(head),
            verified: false,
            alive: false
        }),
        "{outputs:?}"
    );
}

#[test]
fn a_log_of_a_third_node_is_pulled_stopped_and_pulled_again() {
    let mut held = logs("31", 0, "32");
    held.insert(node("36"), MemoryLog::new(node("36")));
    let mut lone = Lone::met(&held);
    let chain = held[&node("36")].chain.clone();
    let start = |lone: &mut Lone| {
        let chain = Input::Chain(Box::new(chain.clone()));
        lone.session.handle(now(100), chain)
    };
    let wanted = |outputs: &[Output]| match outputs {
        [Output::Send(body, _)] => match body.as_ref() {
            Body::Want(want) => (want.want_id, want.mode()),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(wanted(&start(&mut lone)), (1, WantMode::Full));
    assert_eq!(start(&mut lone), [], "it is pulled already");

    // What is on its way when the pull stops is nobody's any more; what is at the store ends.
    let (epochs, batch, log) = sent_by("36", 2);
    lone.frame(Body::Epochs(epochs.clone()));
    let outputs = lone.frame(Body::Batch(batch.clone()));
    assert!(
        matches!(outputs.first(), Some(Output::Apply(_))),
        "{outputs:?}"
    );
    let stop = |lone: &mut Lone| lone.session.handle(now(100), Input::Stop(node("36")));
    assert_eq!(wanted(&stop(&mut lone)), (2, WantMode::Stop));
    assert_eq!(stop(&mut lone), []);
    assert_eq!(lone.frame(Body::Epochs(epochs)), []);
    assert_eq!(lone.frame(Body::Batch(batch)), []);
    assert_eq!(start(&mut lone), [], "the group at the store ends first");
    let end = log.chain.end();
    let outputs = lone.session.handle(
        now(100),
        Input::Applied {
            origin: node("36"),
            result: Ok(end),
        },
    );
    assert!(outputs.contains(&Output::Reload(node("36"))), "{outputs:?}");
    let again = Input::Chain(Box::new(log.chain.clone()));
    let outputs = lone.session.handle(now(100), again);
    assert_eq!(wanted(&outputs), (3, WantMode::Full));
}

#[test]
fn what_a_relay_sends_says_nothing_of_its_origins_life() {
    let mut held = logs("31", 0, "32");
    held.insert(node("36"), MemoryLog::new(node("36")));
    let mut lone = Lone::met(&held);
    let chain = held[&node("36")].chain.clone();
    lone.session.handle(now(100), Input::Chain(Box::new(chain)));
    let (epochs, batch, log) = sent_by("36", 2);
    lone.frame(Body::Epochs(epochs));
    let outputs = lone.frame(Body::Batch(batch));
    assert!(
        outputs.contains(&Output::Heard {
            head: Box::new(log.head().unwrap()),
            verified: true,
            alive: false
        }),
        "{outputs:?}"
    );
}

#[test]
fn a_log_that_came_through_a_third_node_is_acknowledged_to_its_origin_once() {
    let mut lone = Lone::met(&logs("31", 0, "32"));
    let mut log = MemoryLog::new(node("32"));
    log.start();
    let end = log.chain.end();
    let acks = |outputs: &[Output]| {
        let ack = |output: &Output| match output {
            Output::Send(body, _) => match body.as_ref() {
                Body::Ack(ack) => Some((ack.origin.clone(), ack.durable_hash.clone())),
                _ => None,
            },
            _ => None,
        };
        outputs.iter().filter_map(ack).collect::<Vec<_>>()
    };
    lone.session.handle(now(100), Input::Stop(node("32")));
    assert_eq!(acks(&tick(&mut lone, 1_000)), []);
    let origin = node("32");
    lone.session.handle(now(100), Input::Moved { origin, end });
    let told = ("32".to_owned(), end.hash.to_vec());
    assert_eq!(acks(&tick(&mut lone, 2_000)), [told]);
    assert_eq!(acks(&tick(&mut lone, 3_000)), []);
}

#[test]
fn a_peer_that_has_the_own_log_from_others_is_known_to_have_it_by_its_want_or_its_ack() {
    let held = logs("31", 3, "32");
    let end = held[&node("31")].chain.end();
    let mut lone = Lone::met(&held);
    let outputs = lone.frame(want(1, "31", end));
    assert!(outputs.contains(&Output::PeerAcked(end)), "{outputs:?}");

    let mut lone = Lone::met(&held);
    let ack = |seq| {
        Body::Ack(posko_proto::federation::v1::Ack {
            origin: "31".into(),
            epoch_no: end.epoch.no,
            epoch_nonce: end.epoch.nonce.to_vec(),
            durable_seq: seq,
            durable_hash: end.hash.to_vec(),
            ..Default::default()
        })
    };
    assert_eq!(lone.frame(ack(end.seq)), [Output::PeerAcked(end)]);
    assert_eq!(lone.frame(ack(end.seq + 1)), [], "it is not written yet");
}
