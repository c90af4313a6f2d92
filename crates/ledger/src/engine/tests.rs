mod fork;
mod hostile;
mod mail;
mod own_log;
mod relay;

use std::collections::VecDeque;

use posko_proto::{
    NodeId,
    federation::v1::{
        Ack, Batch, Epochs, Frame, Goodbye, GoodbyeReason, Hello, Lane, Nack, NackCode, NodeRole,
        OriginState, PauseReason, Want, WantMode, frame::Body,
    },
};
use proptest::prelude::*;
use prost::Message;

use super::{
    ApplyRefused, HELLO_MS, Input, LaneKind, Output, SILENT_MS, Session,
    testing::{FEDERATION, Logs, MemoryLog, config, log_key, node, now},
};
use crate::{
    epoch::{EpochOpen, Position},
    head::SignedHead,
};

fn logs(own: &str, entries: usize, peer: &str) -> Logs {
    let mut log = MemoryLog::new(node(own));
    log.start();
    if entries > 0 {
        log.write(entries, 100);
    }
    [(node(own), log), (node(peer), MemoryLog::new(node(peer)))].into()
}

fn hello_of(origin: &str, logs: &Logs, peer: &str) -> Hello {
    let mut session = Session::new(config(origin, peer, logs));
    match session.handle(now(1), Input::Opened).as_slice() {
        [Output::Send(body, LaneKind::Control)] => match body.as_ref() {
            Body::Hello(hello) => hello.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// A session of `31` with `32` whose inputs the test chooses.
struct Lone {
    session: Session,
    frames: u64,
}

impl Lone {
    fn new(logs: &Logs) -> Self {
        let mut session = Session::new(config("31", "32", logs));
        session.handle(now(1), Input::Opened);
        Self { session, frames: 0 }
    }

    fn frame(&mut self, body: Body) -> Vec<Output> {
        self.frames += 1;
        let frame = Frame {
            n: self.frames,
            body: Some(body),
        };
        self.session.handle(now(100), Input::Frame(Box::new(frame)))
    }

    fn met(logs: &Logs) -> Self {
        let mut lone = Self::new(logs);
        let outputs = lone.frame(Body::Hello(hello_of(
            "32",
            &self::logs("32", 0, "31"),
            "31",
        )));
        assert!(
            outputs
                .iter()
                .any(|output| matches!(output, Output::Met { .. })),
            "{outputs:?}"
        );
        assert_eq!(
            lone.session.handle(now(100), Input::OwnKnown(true)),
            [],
            "nothing was asked for"
        );
        lone
    }
}

fn heard(head: SignedHead, verified: bool) -> Output {
    Output::Heard {
        head: Box::new(head),
        verified,
        alive: true,
    }
}

fn closes(outputs: &[Output]) -> Option<(GoodbyeReason, &str)> {
    outputs.iter().find_map(|output| match output {
        Output::Close { reason, detail } => Some((*reason, detail.as_str())),
        _ => None,
    })
}

fn want(id: u64, origin: &str, after: Position) -> Body {
    Body::Want(Want {
        want_id: id,
        origin: origin.into(),
        mode: WantMode::Full.into(),
        after_epoch_no: after.epoch.no,
        after_epoch_nonce: after.epoch.nonce.to_vec(),
        after_seq: after.seq,
        after_hash: after.hash.to_vec(),
        window_bytes: 1 << 20,
        batch_entries: 1024,
        ..Want::default()
    })
}

#[test]
fn the_first_frame_of_each_side_is_its_hello() {
    let logs = logs("31", 0, "32");
    let hello = hello_of("31", &logs, "32");
    assert_eq!((hello.origin.as_str(), hello.protocol_max), ("31", 1));
    assert_eq!(hello.federation_id, FEDERATION);
    assert_eq!(hello.views.len(), 2);

    let mut lone = Lone::new(&logs);
    let outputs = lone.frame(Body::Ack(Ack::default()));
    assert_eq!(
        closes(&outputs),
        Some((GoodbyeReason::Protocol, "the first frame is not a hello"))
    );
}

#[test]
fn after_hello_the_peers_log_is_wanted_from_the_cursor() {
    let mut lone = Lone::new(&logs("31", 0, "32"));
    let outputs = lone.frame(Body::Hello(hello_of("32", &logs("32", 0, "31"), "31")));
    let [
        Output::Met {
            run_id,
            software,
            views: _,
        },
        Output::PeerClaims { .. },
        Output::Send(sent, LaneKind::Control),
        Output::Send(beat, LaneKind::Control),
    ] = outputs.as_slice()
    else {
        panic!("{outputs:?}");
    };
    assert_eq!((*run_id, software.as_str()), ([1; 16], "0.1.0"));
    let Body::Want(mut asked) = sent.as_ref().clone() else {
        panic!("{sent:?}")
    };
    asked.after_epoch_nonce = vec![0; 16];
    assert_eq!(Body::Want(asked), want(1, "32", Position::START));
    assert!(matches!(beat.as_ref(), Body::Heartbeat(_)));
}

#[test]
fn a_hello_that_does_not_fit_is_refused_by_its_reason() {
    let good = hello_of("32", &logs("32", 0, "31"), "31");
    let cases = [
        (
            Hello {
                protocol_min: 2,
                protocol_max: 3,
                ..good.clone()
            },
            GoodbyeReason::Incompatible,
        ),
        (
            Hello {
                protocol_max: 0,
                protocol_min: 0,
                ..good.clone()
            },
            GoodbyeReason::Incompatible,
        ),
        (
            Hello {
                federation_id: vec![1; 16],
                ..good.clone()
            },
            GoodbyeReason::UnknownFederation,
        ),
        (
            Hello {
                origin: "36".into(),
                ..good.clone()
            },
            GoodbyeReason::WrongOrigin,
        ),
        (
            Hello {
                role: NodeRole::Gateway.into(),
                ..good.clone()
            },
            GoodbyeReason::WrongRole,
        ),
        (
            Hello {
                run_id: vec![1],
                ..good.clone()
            },
            GoodbyeReason::Protocol,
        ),
        (
            Hello {
                views: vec![good.views[0].clone(); 65],
                ..good.clone()
            },
            GoodbyeReason::Protocol,
        ),
    ];
    for (hello, reason) in cases {
        let mut lone = Lone::new(&logs("31", 0, "32"));
        let outputs = lone.frame(Body::Hello(hello));
        let [
            Output::Send(bye, LaneKind::Control),
            Output::Close {
                reason: found,
                detail,
            },
        ] = outputs.as_slice()
        else {
            panic!("{outputs:?}");
        };
        assert_eq!(
            **bye,
            Body::Bye(Goodbye {
                reason: reason.into(),
                detail: detail.clone()
            })
        );
        assert_eq!(*found, reason);
        assert_eq!(
            lone.frame(Body::Ack(Ack::default())),
            [],
            "a closed session says nothing"
        );
    }
}

#[test]
fn a_peer_may_speak_newer_protocols_too() {
    let mut lone = Lone::new(&logs("31", 0, "32"));
    let hello = Hello {
        protocol_max: 7,
        ..hello_of("32", &logs("32", 0, "31"), "31")
    };
    assert_eq!(closes(&lone.frame(Body::Hello(hello))), None);
}

#[test]
fn a_gap_and_a_repeat_of_frame_numbers_end_the_session() {
    for n in [1, 3] {
        let mut lone = Lone::met(&logs("31", 0, "32"));
        let frame = Frame { n, body: None };
        let outputs = lone.session.handle(now(2), Input::Frame(Box::new(frame)));
        assert_eq!(closes(&outputs).unwrap().0, GoodbyeReason::Protocol);
    }
}

#[test]
fn an_unknown_frame_is_counted_and_ignored() {
    let mut lone = Lone::met(&logs("31", 0, "32"));
    let frame = Frame { n: 2, body: None };
    assert_eq!(
        lone.session.handle(now(2), Input::Frame(Box::new(frame))),
        []
    );
    assert_eq!(lone.session.ignored(), 1);
}

#[test]
fn a_want_reads_once_and_a_page_becomes_epochs_and_a_batch() {
    let logs = logs("31", 3, "32");
    let log = &logs[&node("31")];
    let mut lone = Lone::met(&logs);
    let outputs = lone.frame(want(1, "31", Position::START));
    let [
        Output::Read {
            want_id: 1,
            origin,
            after,
            towards: None,
            max_entries,
            max_bytes,
            classes,
        },
    ] = outputs.as_slice()
    else {
        panic!("{outputs:?}");
    };
    assert_eq!(
        (*origin, *after, *max_entries, *classes),
        (node("31"), Position::START, 1024, 3)
    );
    assert_eq!(
        lone.session.handle(
            now(2),
            Input::Moved {
                origin: node("31"),
                end: log.chain.end()
            }
        ),
        []
    );

    let page = log.page(*after, *max_entries, *max_bytes).unwrap();
    let outputs = lone.session.handle(
        now(2),
        Input::Page {
            want_id: 1,
            origin: node("31"),
            result: Ok(page),
        },
    );
    let [Output::Send(epochs, _), Output::Send(batch, _)] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    assert!(matches!(epochs.as_ref(), Body::Epochs(Epochs { opens, .. }) if opens.len() == 1));
    assert!(matches!(
        batch.as_ref(),
        Body::Batch(Batch {
            first_seq: 1,
            count: 4,
            head: Some(_),
            ..
        })
    ));
}

#[test]
fn an_ack_moves_what_the_peer_has_and_a_claim_beyond_what_was_sent_counts_nothing() {
    let logs = logs("31", 3, "32");
    let end = logs[&node("31")].chain.end();
    let mut lone = Lone::met(&logs);
    lone.frame(want(1, "31", end));
    let ack = Ack {
        origin: "31".into(),
        epoch_no: end.epoch.no,
        epoch_nonce: end.epoch.nonce.to_vec(),
        durable_seq: end.seq,
        durable_hash: end.hash.to_vec(),
        applied_seq: end.seq,
        consumed_bytes: 0,
        window_bytes: 1 << 20,
    };
    assert_eq!(lone.frame(Body::Ack(ack.clone())), [Output::PeerAcked(end)]);
    assert_eq!(
        lone.frame(Body::Ack(Ack {
            consumed_bytes: u64::MAX,
            ..ack.clone()
        })),
        [Output::PeerAcked(end)]
    );
    let beyond = Ack {
        durable_seq: end.seq + 1,
        ..ack
    };
    assert_eq!(lone.frame(Body::Ack(beyond)), []);
}

#[test]
fn a_want_for_a_log_not_held_is_refused_by_its_name() {
    let mut lone = Lone::met(&logs("31", 0, "32"));
    let outputs = lone.frame(want(1, "36", Position::START));
    let [Output::Send(nack, LaneKind::Control)] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    assert!(
        matches!(nack.as_ref(), Body::Nack(nack) if nack.code() == NackCode::NoSuchOrigin && nack.want_id == 1)
    );
}

/// Returns the frames by which `32` sends its whole log in one page.
fn sent_by_32(entries: usize) -> (Epochs, Batch, MemoryLog) {
    sent_by("32", entries)
}

fn sent_by(origin: &str, entries: usize) -> (Epochs, Batch, MemoryLog) {
    let peer = logs(origin, entries, "31");
    let log = peer[&node(origin)].clone();
    let mut session = Session::new(config(origin, "31", &peer));
    session.handle(now(1), Input::Opened);
    let hello = Frame {
        n: 1,
        body: Some(Body::Hello(hello_of("31", &logs("31", 0, origin), origin))),
    };
    session.handle(now(1), Input::Frame(Box::new(hello)));
    session.handle(now(1), Input::OwnKnown(true));
    session.handle(
        now(1),
        Input::Frame(Box::new(Frame {
            n: 2,
            body: Some(want(1, origin, Position::START)),
        })),
    );
    let page = log.page(Position::START, 1024, 1 << 19).unwrap();
    let outputs = session.handle(
        now(1),
        Input::Page {
            want_id: 1,
            origin: node(origin),
            result: Ok(page),
        },
    );
    match outputs.as_slice() {
        [Output::Send(epochs, _), Output::Send(batch, _), ..] => {
            match (epochs.as_ref(), batch.as_ref()) {
                (Body::Epochs(epochs), Body::Batch(batch)) => (epochs.clone(), batch.clone(), log),
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_batch_is_acknowledged_only_once_it_is_applied() {
    let (epochs, batch, log) = sent_by_32(3);
    let mut lone = Lone::met(&logs("31", 0, "32"));
    assert_eq!(lone.frame(Body::Epochs(epochs)), []);
    let outputs = lone.frame(Body::Batch(batch.clone()));
    let [Output::Apply(group), ..] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    assert_eq!(group.chain(), &log.chain);

    let end = log.chain.end();
    let outputs = lone.session.handle(
        now(5),
        Input::Applied {
            origin: node("32"),
            result: Ok(end),
        },
    );
    let [Output::Send(ack, LaneKind::Control)] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    let Body::Ack(ack) = ack.as_ref() else {
        panic!("{ack:?}")
    };
    assert_eq!(
        (ack.durable_seq, ack.consumed_bytes),
        (end.seq, u64::from(batch.raw_len))
    );
}

#[test]
fn a_peer_that_sends_far_beyond_the_window_is_given_up() {
    let mut log = MemoryLog::new(node("32"));
    log.start();
    for _ in 0..80 {
        log.write(1, 100_000);
    }
    let mut lone = Lone::met(&logs("31", 0, "32"));
    let (mut after, mut sent) = (Position::START, 0);
    let closed = loop {
        let page = log.page(after, 1024, 1 << 19).unwrap();
        after = page.head.unwrap().head.position;
        let opens = page.opens.iter().map(EpochOpen::encode).collect();
        let origin = "32".to_owned();
        lone.frame(Body::Epochs(Epochs { origin, opens }));
        let packed = super::wire::pack(&page.records, LaneKind::Live);
        sent += packed.raw_len;
        // Nothing is told to be applied, so that all of it waits.
        let outputs = lone.frame(Body::Batch(Batch {
            want_id: 1,
            origin: "32".into(),
            epoch_no: page.prev.epoch.no,
            epoch_nonce: page.prev.epoch.nonce.to_vec(),
            first_seq: page.prev.seq + 1,
            count: page.records.len() as u32,
            prev_hash: page.prev.hash.to_vec(),
            codec: packed.codec.into(),
            raw_len: packed.raw_len,
            body: packed.body.into(),
            head: page.head.as_ref().map(SignedHead::to_wire),
            lane: Lane::Live.into(),
        }));
        if let Some((reason, detail)) = closes(&outputs) {
            break (reason, detail.to_owned());
        }
        assert!(sent < 4 << 20, "{sent} bytes wait");
    };
    assert_eq!(closed.0, GoodbyeReason::Protocol);
    assert!(
        closed.1.contains("into a window of `1048576`"),
        "{}",
        closed.1
    );
    assert!(
        sent > 2 << 20,
        "{sent} bytes are within what a window may hold"
    );
}

#[test]
fn a_repeated_batch_is_taken_once() {
    let (epochs, batch, log) = sent_by_32(3);
    let mut lone = Lone::met(&logs("31", 0, "32"));
    lone.frame(Body::Epochs(epochs));
    lone.frame(Body::Batch(batch.clone()));
    assert_eq!(lone.frame(Body::Batch(batch)), []);
    let outputs = lone.session.handle(
        now(5),
        Input::Applied {
            origin: node("32"),
            result: Ok(log.chain.end()),
        },
    );
    assert!(
        outputs.iter().all(
            |output| matches!(output, Output::Send(body, _) if matches!(**body, Body::Ack(_)))
        )
    );
}

#[test]
fn a_gap_under_the_current_want_ends_the_session_and_a_superseded_batch_is_dropped() {
    let (epochs, batch, _) = sent_by_32(3);
    let mut lone = Lone::met(&logs("31", 0, "32"));
    lone.frame(Body::Epochs(epochs));
    assert_eq!(
        lone.frame(Body::Batch(Batch {
            want_id: 0,
            first_seq: 9,
            ..batch.clone()
        })),
        []
    );
    let outputs = lone.frame(Body::Batch(Batch {
        first_seq: 2,
        ..batch
    }));
    assert_eq!(closes(&outputs).unwrap().0, GoodbyeReason::Protocol);
}

#[test]
fn bad_batches_are_refused_by_name_and_the_third_ends_the_session() {
    let (epochs, good, _) = sent_by_32(3);
    let mut tampered = good.clone();
    let mut body = good.body.to_vec();
    *body.last_mut().unwrap() ^= 1;
    tampered.body = body.into();
    let mut unsigned = good.clone();
    unsigned.head.as_mut().unwrap().signature[3] ^= 1;
    let cases = [
        (tampered, NackCode::BadChain),
        (unsigned, NackCode::BadSig),
        (
            Batch {
                raw_len: (1 << 20) + 1,
                ..good.clone()
            },
            NackCode::TooLarge,
        ),
        (
            Batch {
                count: 1025,
                ..good.clone()
            },
            NackCode::TooLarge,
        ),
        (
            Batch {
                body: vec![0; (1 << 20) + 1].into(),
                ..good.clone()
            },
            NackCode::TooLarge,
        ),
        (
            Batch {
                raw_len: good.raw_len + 1,
                ..good.clone()
            },
            NackCode::BadChain,
        ),
        (
            Batch {
                codec: 2,
                ..good.clone()
            },
            NackCode::BadChain,
        ),
        (
            Batch {
                codec: 9,
                ..good.clone()
            },
            NackCode::BadChain,
        ),
        (
            Batch {
                prev_hash: vec![7; 32],
                ..good.clone()
            },
            NackCode::BadChain,
        ),
        (
            Batch {
                count: 2,
                ..good.clone()
            },
            NackCode::BadChain,
        ),
    ];
    for (bad, code) in cases {
        let mut lone = Lone::met(&logs("31", 0, "32"));
        for round in 1..=3 {
            lone.frame(Body::Epochs(epochs.clone()));
            let outputs = lone.frame(Body::Batch(Batch {
                want_id: round,
                ..bad.clone()
            }));
            let [
                Output::Send(nack, _),
                Output::Refused { code: found, .. },
                rest @ ..,
            ] = outputs.as_slice()
            else {
                panic!("{outputs:?}");
            };
            assert!(
                matches!(nack.as_ref(), Body::Nack(nack) if nack.code() == code),
                "{nack:?}"
            );
            assert_eq!(*found, code);
            if round < 3 {
                assert!(
                    matches!(rest, [Output::Send(body, _)] if matches!(**body, Body::Want(_))),
                    "{rest:?}"
                );
            } else {
                assert_eq!(closes(rest).unwrap().0, GoodbyeReason::Protocol);
            }
        }
    }
}

#[test]
fn a_small_packed_body_cannot_unpack_beyond_what_it_says() {
    let (epochs, good, _) = sent_by_32(0);
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 1).unwrap();
    let mut lone = Lone::met(&logs("31", 0, "32"));
    lone.frame(Body::Epochs(epochs));
    let outputs = lone.frame(Body::Batch(Batch {
        codec: 2,
        body: bomb.into(),
        raw_len: 1 << 20,
        ..good
    }));
    assert!(
        matches!(
            outputs[1],
            Output::Refused {
                code: NackCode::BadChain,
                ..
            }
        ),
        "{outputs:?}"
    );
}

#[test]
fn when_another_session_was_faster_the_log_is_asked_for_again_from_its_end() {
    let (epochs, batch, log) = sent_by_32(3);
    let mut lone = Lone::met(&logs("31", 0, "32"));
    lone.frame(Body::Epochs(epochs));
    lone.frame(Body::Batch(batch));
    let moved = Input::Applied {
        origin: node("32"),
        result: Err(ApplyRefused::Moved),
    };
    assert_eq!(
        lone.session.handle(now(5), moved),
        [Output::Reload(node("32"))]
    );
    let outputs = lone
        .session
        .handle(now(6), Input::Chain(Box::new(log.chain.clone())));
    let [Output::Send(again, _)] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    assert!(
        matches!(again.as_ref(), Body::Want(want) if want.after_seq == 4 && want.want_id > 1),
        "{again:?}"
    );
}

#[test]
fn heartbeats_tell_the_round_trip_and_silence_ends_the_session() {
    let mut lone = Lone::met(&logs("31", 0, "32"));
    assert_eq!(lone.session.handle(now(4_000), Input::Tick), []);
    let outputs = lone.session.handle(now(5_200), Input::Tick);
    assert!(
        matches!(outputs.as_slice(), [Output::Send(body, _)] if matches!(**body, Body::Heartbeat(_)))
    );

    lone.frames += 1;
    let beat = posko_proto::federation::v1::Heartbeat {
        monotonic_ms: 77,
        wall_ms: 1_700_000_005_300,
        echo_monotonic_ms: 5_200,
        echo_age_ms: 40,
        ..Default::default()
    };
    let frame = Frame {
        n: lone.frames,
        body: Some(Body::Heartbeat(beat)),
    };
    let outputs = lone
        .session
        .handle(now(5_300), Input::Frame(Box::new(frame)));
    assert_eq!(
        outputs.first(),
        Some(&Output::RoundTrip {
            ms: 60,
            skew_ms: 30
        })
    );

    let outputs = lone.session.handle(now(5_300 + SILENT_MS), Input::Tick);
    assert_eq!(closes(&outputs).unwrap().0, GoodbyeReason::Silent);
}

#[test]
fn a_peer_is_told_up_to_where_a_node_that_may_promise_has_decided() {
    let mut lone = Lone::met(&logs("31", 0, "32"));
    let (_, _, log) = sent_by_32(3);
    let mut beats = |may_promise, heads| {
        lone.frame(Body::Heartbeat(posko_proto::federation::v1::Heartbeat {
            monotonic_ms: 77,
            heads,
            may_promise,
            ..Default::default()
        }))
    };
    let head = log.head().unwrap();
    let said = Output::PeerMayPromise(head.head.position);
    assert!(beats(true, vec![head.to_wire()]).contains(&said));
    assert!(!beats(false, vec![head.to_wire()]).contains(&said));
    assert!(!beats(true, Vec::new()).contains(&said));
    let promises = |output: &Output| matches!(output, Output::PeerMayPromise(_));
    assert!(!beats(true, Vec::new()).iter().any(promises));

    // One that has recorded nothing yet has decided all.
    let mut lone = Lone::met(&logs("31", 0, "32"));
    let ends = vec![posko_proto::federation::v1::LogEnd {
        origin: "32".into(),
        epoch_nonce: vec![0; 16],
        ..Default::default()
    }];
    let outputs = lone.frame(Body::Heartbeat(posko_proto::federation::v1::Heartbeat {
        monotonic_ms: 77,
        ends,
        may_promise: true,
        ..Default::default()
    }));
    assert!(outputs.contains(&Output::PeerMayPromise(Position::START)));

    let mut lone = Lone::met(&logs("31", 0, "32"));
    lone.session.handle(now(200), Input::MayPromise(true));
    let outputs = lone
        .session
        .handle(now(100 + super::HEARTBEAT_MS), Input::Tick);
    assert!(outputs.iter().any(|output| matches!(output,
        Output::Send(body, _) if matches!(body.as_ref(), Body::Heartbeat(beat) if beat.may_promise))));
}

#[test]
fn a_peer_that_never_says_hello_is_given_up() {
    let mut lone = Lone::new(&logs("31", 0, "32"));
    assert_eq!(lone.session.handle(now(HELLO_MS), Input::Tick), []);
    let outputs = lone.session.handle(now(HELLO_MS + 1), Input::Tick);
    assert_eq!(closes(&outputs).unwrap().0, GoodbyeReason::Silent);
}

#[test]
fn a_verified_head_is_heard_and_a_forged_one_is_not() {
    let (epochs, batch, mut log) = sent_by_32(3);
    let mut lone = Lone::met(&logs("31", 0, "32"));
    lone.frame(Body::Epochs(epochs));
    lone.frame(Body::Batch(batch));
    log.write(1, 10);
    let head = log.head().unwrap();
    let heads = |head: &crate::head::SignedHead| {
        Body::Heads(posko_proto::federation::v1::Heads {
            heads: vec![head.to_wire()],
        })
    };
    assert_eq!(lone.frame(heads(&head)), [heard(head, true)]);
    let forged = head.head.sign(&log_key(node("36")));
    assert_eq!(lone.frame(heads(&forged)), []);
}

#[test]
fn a_head_that_came_before_the_first_epoch_is_heard_once_its_key_is_known() {
    let (epochs, batch, log) = sent_by_32(3);
    let head = log.head().unwrap();
    let mut lone = Lone::met(&logs("31", 0, "32"));
    let heads = posko_proto::federation::v1::Heads {
        heads: vec![head.to_wire()],
    };
    assert_eq!(lone.frame(Body::Heads(heads)), []);
    lone.frame(Body::Epochs(epochs));
    let outputs = lone.frame(Body::Batch(batch));
    assert!(
        matches!(&outputs[..], [Output::Apply(_), told] if *told == heard(head, true)),
        "{outputs:?}"
    );
}

#[test]
fn the_head_in_a_hello_is_heard_without_waiting_for_a_heartbeat() {
    let (_, _, log) = sent_by_32(3);
    let mut held = logs("31", 0, "32");
    held.insert(node("32"), log.clone());
    let mut lone = Lone::new(&held);
    let theirs: Logs = [(node("32"), log.clone())].into();
    let outputs = lone.frame(Body::Hello(hello_of("32", &theirs, "31")));
    let heard = heard(log.head().unwrap(), true);
    assert!(outputs.contains(&heard), "{outputs:?}");
}

#[test]
fn an_origin_is_heard_by_its_entries_without_waiting_for_a_heartbeat() {
    let (epochs, batch, log) = sent_by_32(3);
    let mut lone = Lone::met(&logs("31", 0, "32"));
    lone.frame(Body::Epochs(epochs));
    let outputs = lone.frame(Body::Batch(batch));
    let heard = heard(log.head().unwrap(), true);
    assert!(outputs.contains(&heard), "{outputs:?}");
}

#[test]
fn the_free_space_is_told_in_heartbeats() {
    let mut lone = Lone::met(&logs("31", 0, "32"));
    lone.session.handle(now(200), Input::DiskFree(7));
    let outputs = lone
        .session
        .handle(now(100 + super::HEARTBEAT_MS), Input::Tick);
    let told = outputs.iter().find_map(|output| match output {
        Output::Send(body, _) => match body.as_ref() {
            Body::Heartbeat(beat) => Some(beat.disk_free_bytes),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(told, Some(7));
}

// === two sessions over a simulated link ===

struct Side {
    name: &'static str,
    peer: &'static str,
    logs: Logs,
    session: Session,
    sent: u64,
    /// What the peer sent and this side has not seen.
    inbox: VecDeque<Frame>,
    /// Reads and applies that the store has not answered.
    work: VecDeque<Output>,
}

impl Side {
    fn new(name: &'static str, peer: &'static str) -> Self {
        let logs: Logs = [
            (node(name), MemoryLog::new(node(name))),
            (node(peer), MemoryLog::new(node(peer))),
        ]
        .into();
        let session = Session::new(config(name, peer, &logs));
        Self {
            name,
            peer,
            logs,
            session,
            sent: 0,
            inbox: VecDeque::new(),
            work: VecDeque::new(),
        }
    }

    fn connect(&mut self) {
        self.session = Session::new(config(self.name, self.peer, &self.logs));
        self.sent = 0;
        self.inbox.clear();
        // What was given to the store is still done; its answer has nobody to go to.
        for work in self.work.drain(..) {
            if let Output::Apply(group) = work {
                let origin = group.chain().identity().origin;
                let _ = self.logs.get_mut(&origin).unwrap().apply(&group);
            }
        }
    }
}

struct Pair {
    sides: [Side; 2],
    clock: u64,
    duplicate: bool,
}

impl Pair {
    fn new() -> Self {
        Self {
            sides: [Side::new("31", "32"), Side::new("32", "31")],
            clock: 1,
            duplicate: false,
        }
    }

    fn connect(&mut self) {
        for side in &mut self.sides {
            side.connect();
        }
        for side in 0..2 {
            self.input(side, Input::Opened);
        }
    }

    fn input(&mut self, side: usize, input: Input) {
        self.clock += 1;
        for output in self.sides[side].session.handle(now(self.clock), input) {
            match output {
                Output::Send(body, _) => {
                    self.sides[side].sent += 1;
                    let repeat = self.duplicate && matches!(*body, Body::Batch(_));
                    let n = self.sides[side].sent;
                    let frame = Frame {
                        n,
                        body: Some(*body),
                    };
                    assert!(frame.encoded_len() < 2 << 20);
                    if repeat {
                        self.sides[side].sent += 1;
                        let again = Frame {
                            n: n + 1,
                            body: frame.body.clone(),
                        };
                        self.sides[1 - side].inbox.push_back(frame);
                        self.sides[1 - side].inbox.push_back(again);
                    } else {
                        self.sides[1 - side].inbox.push_back(frame);
                    }
                }
                Output::Close { reason, detail } => panic!("{reason:?}: {detail}"),
                Output::Refused { code, detail, .. } => panic!("{code:?}: {detail}"),
                Output::PeerClaims { heads, beyond } => {
                    assert!(!beyond, "knows more: {heads:?}");
                    self.input(side, Input::OwnKnown(true));
                }
                work @ (Output::Read { .. } | Output::Apply(_) | Output::Reload(_)) => {
                    self.sides[side].work.push_back(work);
                }
                _ => {}
            }
        }
    }

    fn deliver(&mut self, side: usize) -> bool {
        let Some(frame) = self.sides[side].inbox.pop_front() else {
            return false;
        };
        self.input(side, Input::Frame(Box::new(frame)));
        true
    }

    fn work(&mut self, side: usize) -> bool {
        let Some(work) = self.sides[side].work.pop_front() else {
            return false;
        };
        let logs = &mut self.sides[side].logs;
        match work {
            Output::Read {
                want_id,
                origin,
                after,
                max_entries,
                max_bytes,
                ..
            } => {
                let result = logs[&origin].page(after, max_entries, max_bytes);
                self.input(
                    side,
                    Input::Page {
                        want_id,
                        origin,
                        result,
                    },
                );
            }
            Output::Apply(group) => {
                let origin = group.chain().identity().origin;
                let result = logs.get_mut(&origin).unwrap().apply(&group);
                let end = logs[&origin].chain.end();
                self.input(side, Input::Moved { origin, end });
                self.input(side, Input::Applied { origin, result });
            }
            Output::Reload(origin) => {
                let chain = Box::new(logs[&origin].chain.clone());
                self.input(side, Input::Chain(chain));
            }
            _ => {}
        }
        true
    }

    fn write(&mut self, side: usize, entries: usize, bytes: usize, restart: bool) {
        let origin: NodeId = node(self.sides[side].name);
        let log = self.sides[side].logs.get_mut(&origin).unwrap();
        if restart || log.chain.end().is_start() {
            log.start();
        }
        log.write(entries, bytes);
        let end = log.chain.end();
        self.input(side, Input::Moved { origin, end });
    }

    fn settle(&mut self) {
        let mut moving = true;
        while moving {
            moving = (0..2).fold(false, |moving, side| {
                self.deliver(side) | self.work(side) | moving
            });
        }
    }

    fn check(&self) {
        for (writer, reader) in [(0, 1), (1, 0)] {
            let origin = node(self.sides[writer].name);
            let (own, copy) = (
                &self.sides[writer].logs[&origin],
                &self.sides[reader].logs[&origin],
            );
            assert_eq!(copy.chain, own.chain, "log {origin}");
            let seqs = |log: &MemoryLog| log.items.iter().map(|item| item.at).collect::<Vec<_>>();
            assert_eq!(seqs(copy), seqs(own));
            assert_eq!(
                copy.applied,
                own.items.iter().map(|item| item.at.seq).collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn a_group_larger_than_the_window_and_a_long_log_arrive_whole() {
    let mut pair = Pair::new();
    pair.write(0, 15, 250_000, false);
    for _ in 0..12 {
        pair.write(0, 1000, 700, false);
    }
    pair.connect();
    pair.settle();
    pair.check();
}

#[test]
fn a_pause_stops_the_peers_entries_until_it_is_over_and_nothing_else() {
    let pause = |reason| Input::Pause {
        reason,
        detail: "the disk".into(),
    };
    let mut pair = Pair::new();
    pair.write(1, 3, 100, false);
    // Before the first frame of the peer, as in a session that begins with a full disk.
    pair.connect();
    pair.input(0, pause(PauseReason::Disk));
    pair.settle();
    assert_eq!(pair.sides[0].logs[&node("32")].chain.end(), Position::START);
    pair.input(0, pause(PauseReason::Over));
    pair.settle();
    pair.check();

    pair.input(0, pause(PauseReason::Disk));
    pair.settle();
    let held = pair.sides[0].logs[&node("32")].chain.end();
    pair.write(1, 3, 100, false);
    pair.write(0, 3, 100, false);
    pair.settle();
    let logs = |side: usize, origin: &str| pair.sides[side].logs[&node(origin)].chain.end();
    assert_eq!(logs(0, "32"), held);
    assert_eq!(logs(1, "31"), logs(0, "31"));
    pair.input(0, pause(PauseReason::Over));
    pair.settle();
    pair.check();
}

#[derive(Clone, Debug)]
enum Step {
    Deliver(usize),
    Work(usize),
    Write {
        side: usize,
        entries: usize,
        bytes: usize,
        restart: bool,
    },
    Reconnect,
    Duplicate(bool),
    Tick(usize),
    /// Another session of the same two was faster with one group.
    Overtaken(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..2usize).prop_map(Step::Deliver),
        8 => (0..2usize).prop_map(Step::Work),
        4 => (0..2usize, 1..40usize, 0..2000usize, prop::bool::weighted(0.2))
            .prop_map(|(side, entries, bytes, restart)| Step::Write { side, entries, bytes, restart }),
        1 => Just(Step::Reconnect),
        1 => any::<bool>().prop_map(Step::Duplicate),
        1 => (0..2usize).prop_map(Step::Tick),
        1 => (0..2usize).prop_map(Step::Overtaken),
    ];
    prop::collection::vec(step, 0..150)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_gives_the_same_log_with_each_entry_applied_once(steps in steps()) {
        let mut pair = Pair::new();
        pair.connect();
        for step in steps {
            match step {
                Step::Deliver(side) => { pair.deliver(side); }
                Step::Work(side) => { pair.work(side); }
                Step::Write { side, entries, bytes, restart } => pair.write(side, entries, bytes, restart),
                Step::Reconnect => pair.connect(),
                Step::Duplicate(duplicate) => pair.duplicate = duplicate,
                Step::Tick(side) => pair.input(side, Input::Tick),
                Step::Overtaken(side) => {
                    let group = pair.sides[side].work.iter().find_map(|work| match work {
                        Output::Apply(group) => Some(group.clone()),
                        _ => None,
                    });
                    if let Some(group) = group {
                        let origin = group.chain().identity().origin;
                        let _ = pair.sides[side].logs.get_mut(&origin).unwrap().apply(&group);
                    }
                }
            }
        }
        pair.settle();
        pair.connect();
        pair.settle();
        pair.check();
    }

    #[test]
    fn arbitrary_frames_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), greeted: bool) {
        let logs = logs("31", 3, "32");
        let mut lone = if greeted { Lone::met(&logs) } else { Lone::new(&logs) };
        if let Ok(mut frame) = Frame::decode(bytes.as_slice()) {
            frame.n = lone.frames + 1;
            lone.session.handle(now(5), Input::Frame(Box::new(frame)));
        }
    }

    #[test]
    fn a_frame_with_any_byte_changed_never_panics_and_applies_nothing_else(
        place in any::<prop::sample::Index>(),
        change in 1..=255u8,
    ) {
        let (epochs, batch, log) = sent_by_32(6);
        let mut bytes = Frame { n: 3, body: Some(Body::Batch(batch)) }.encode_to_vec();
        let place = place.index(bytes.len());
        bytes[place] ^= change;
        let mut lone = Lone::met(&logs("31", 0, "32"));
        lone.frame(Body::Epochs(epochs));
        if let Ok(frame) = Frame::decode(bytes.as_slice()) {
            for output in lone.session.handle(now(5), Input::Frame(Box::new(frame))) {
                if let Output::Apply(group) = output {
                    prop_assert_eq!(group.chain(), &log.chain);
                }
            }
        }
    }
}
