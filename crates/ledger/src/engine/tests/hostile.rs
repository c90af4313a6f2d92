//! A peer that lies (T12, T20): nothing of it is applied, its session alone ends or its frame is refused by name, the
//! reason is told, and what the session holds stays bounded.

use posko_proto::federation::v1::{
    Heads, Heartbeat, LogEnd, OriginView, Payload as WirePayload, PayloadBatch, PayloadWant,
    SignedHead as WireHead,
};

use super::*;

/// What comes of a lie.
#[derive(Debug, PartialEq)]
enum Fate {
    /// The session ends, and the Goodbye says this.
    Ends(&'static str),
    /// The frame is refused under this name, and asked for again.
    Refused(NackCode),
    /// It says nothing, and nothing is done.
    Nothing,
}
use Fate::{Ends, Nothing, Refused};

impl Lone {
    /// Takes frames as they come, and checks that nothing but the honest log is applied.
    fn fate(&mut self, bodies: impl IntoIterator<Item = Body>, honest: &MemoryLog) -> Vec<Output> {
        let outputs: Vec<Output> = bodies
            .into_iter()
            .flat_map(|body| self.frame(body))
            .collect();
        for output in &outputs {
            if let Output::Apply(group) = output {
                assert_eq!(group.chain(), &honest.chain, "something else is applied");
            }
        }
        outputs
    }
}

fn check(name: &str, outputs: &[Output], fate: &Fate) {
    let said = outputs.iter().find_map(|output| match output {
        Output::Send(body, _) => match body.as_ref() {
            Body::Bye(bye) => Some(bye.detail.clone()),
            _ => None,
        },
        _ => None,
    });
    let named = outputs.iter().find_map(|output| match output {
        Output::Send(body, _) => match body.as_ref() {
            Body::Nack(nack) => Some((nack.code(), nack.detail.clone())),
            _ => None,
        },
        _ => None,
    });
    let applies = |output: &Output| matches!(output, Output::Apply(_));
    match fate {
        Ends(detail) => {
            let (reason, told) = closes(outputs).unwrap_or_else(|| panic!("{name}: {outputs:?}"));
            assert_eq!(reason, GoodbyeReason::Protocol, "{name}");
            assert!(told.contains(detail), "{name}: {told}");
            assert_eq!(
                said.as_deref(),
                Some(told),
                "{name}: the peer is told the same"
            );
        }
        Refused(code) => {
            assert_eq!(closes(outputs), None, "{name}");
            let (found, detail) = named.unwrap_or_else(|| panic!("{name}: {outputs:?}"));
            assert_eq!(found, *code, "{name}: {detail}");
            let told = outputs.iter().any(|output| {
                matches!(output, Output::Refused { code, detail: told, .. } if *code == found && *told == detail)
            });
            assert!(told, "{name}: the node is told the same");
        }
        Nothing => {
            assert_eq!(closes(outputs), None, "{name}");
            assert_eq!(named, None, "{name}");
        }
    }
    if *fate != Nothing {
        assert!(!outputs.iter().any(applies), "{name}: applied");
    }
}

#[test]
fn each_field_of_a_batch_that_lies_is_found_by_its_name() {
    let (epochs, good, log) = sent_by_32(3);
    let lie = |change: fn(&mut Batch)| {
        let mut batch = good.clone();
        change(&mut batch);
        batch
    };
    let cases = [
        ("an old want", lie(|batch| batch.want_id = 0), Nothing),
        (
            "a want to come",
            lie(|batch| batch.want_id = 9),
            Ends("was not asked"),
        ),
        (
            "no node",
            lie(|batch| batch.origin = "\u{1b}[2J".into()),
            Ends("no node's name"),
        ),
        (
            "a log not asked for",
            lie(|batch| batch.origin = "36".into()),
            Ends("was not asked for"),
        ),
        (
            "the own log",
            lie(|batch| batch.origin = "31".into()),
            Ends("was not asked for"),
        ),
        (
            "an epoch not opened",
            lie(|batch| batch.epoch_no = 7),
            Refused(NackCode::BadChain),
        ),
        (
            "another nonce",
            lie(|batch| batch.epoch_nonce[3] ^= 1),
            Refused(NackCode::BadChain),
        ),
        (
            "a short nonce",
            lie(|batch| batch.epoch_nonce.truncate(3)),
            Ends("3 bytes instead of 16"),
        ),
        (
            "no first entry",
            lie(|batch| batch.first_seq = 0),
            Ends("entries from `0`"),
        ),
        (
            "a gap",
            lie(|batch| batch.first_seq = 2),
            Ends("where entry 1 must follow"),
        ),
        (
            "a number past all",
            lie(|batch| batch.first_seq = u64::MAX),
            Ends("entries from"),
        ),
        (
            "no entries",
            lie(|batch| batch.count = 0),
            Ends("a batch of `0` entries"),
        ),
        (
            "too few entries",
            lie(|batch| batch.count = 2),
            Refused(NackCode::BadChain),
        ),
        (
            "too many entries",
            lie(|batch| batch.count = u32::MAX),
            Refused(NackCode::TooLarge),
        ),
        (
            "another past",
            lie(|batch| batch.prev_hash[0] ^= 1),
            Refused(NackCode::BadChain),
        ),
        (
            "no past",
            lie(|batch| batch.prev_hash.clear()),
            Ends("0 bytes instead of 32"),
        ),
        (
            "no codec",
            lie(|batch| batch.codec = 0),
            Refused(NackCode::BadChain),
        ),
        (
            "a codec to come",
            lie(|batch| batch.codec = 77),
            Refused(NackCode::BadChain),
        ),
        (
            "not packed",
            lie(|batch| batch.codec = 2),
            Refused(NackCode::BadChain),
        ),
        (
            "a length past all",
            lie(|batch| batch.raw_len = u32::MAX),
            Ends("into a window of"),
        ),
        (
            "a length too large",
            lie(|batch| batch.raw_len = (1 << 20) + 1),
            Refused(NackCode::TooLarge),
        ),
        (
            "a length too short",
            lie(|batch| batch.raw_len -= 1),
            Refused(NackCode::BadChain),
        ),
        (
            "no body",
            lie(|batch| batch.body.clear()),
            Refused(NackCode::BadChain),
        ),
        (
            "a body too large",
            lie(|batch| batch.body = vec![0; (1 << 20) + 1].into()),
            Refused(NackCode::TooLarge),
        ),
        ("no head", lie(|batch| batch.head = None), Nothing),
        (
            "a short head",
            lie(|batch| batch.head.as_mut().unwrap().head.truncate(9)),
            Refused(NackCode::BadChain),
        ),
        (
            "no signature",
            lie(|batch| batch.head.as_mut().unwrap().signature.clear()),
            Refused(NackCode::BadChain),
        ),
        ("another lane", lie(|batch| batch.lane = 99), Nothing),
    ];
    for (name, batch, fate) in cases {
        let mut lone = Lone::met(&logs("31", 0, "32"));
        let frames = [Body::Epochs(epochs.clone()), Body::Batch(batch)];
        check(name, &lone.fate(frames, &log), &fate);
    }
}

#[test]
fn no_bit_of_an_entry_a_head_or_an_opening_can_be_turned() {
    let (epochs, good, log) = sent_by_32(1);
    let (body, head) = (good.body.len(), good.head.clone().unwrap());
    let mut lies: Vec<(Epochs, Batch)> = Vec::new();
    for place in 0..body {
        let mut batch = good.clone();
        let mut bytes = batch.body.to_vec();
        bytes[place] ^= 0x10;
        batch.body = bytes.into();
        lies.push((epochs.clone(), batch));
    }
    for place in 0..head.head.len() + head.signature.len() {
        let mut batch = good.clone();
        let lie = batch.head.as_mut().unwrap();
        match place.checked_sub(lie.head.len()) {
            Some(place) => lie.signature[place] ^= 0x10,
            None => lie.head[place] ^= 0x10,
        }
        lies.push((epochs.clone(), batch));
    }
    for place in 0..epochs.opens[0].len() {
        let mut lie = epochs.clone();
        lie.opens[0][place] ^= 0x10;
        lies.push((lie, good.clone()));
    }
    for (lie, batch) in lies {
        let mut lone = Lone::met(&logs("31", 0, "32"));
        let outputs = lone.fate([Body::Epochs(lie), Body::Batch(batch)], &log);
        let applied = outputs
            .iter()
            .any(|output| matches!(output, Output::Apply(_)));
        assert!(!applied);
        let refused = outputs
            .iter()
            .any(|output| matches!(output, Output::Refused { .. }));
        assert!(refused || closes(&outputs).is_some(), "{outputs:?}");
    }
}

#[test]
fn no_bit_of_a_head_that_is_told_can_be_turned() {
    let (epochs, batch, mut log) = sent_by_32(1);
    let mut lone = Lone::met(&logs("31", 0, "32"));
    lone.frame(Body::Epochs(epochs));
    lone.frame(Body::Batch(batch));
    log.write(1, 10);
    let head = log.head().unwrap().to_wire();
    for place in 0..head.head.len() + head.signature.len() {
        let mut lie: WireHead = head.clone();
        match place.checked_sub(lie.head.len()) {
            Some(place) => lie.signature[place] ^= 0x10,
            None => lie.head[place] ^= 0x10,
        }
        let Ok(read) = SignedHead::from_wire(&lie) else {
            continue;
        };
        let outputs = lone.frame(Body::Heads(Heads { heads: vec![lie] }));
        let believed = |output: &Output| matches!(output, Output::Heard { verified: true, .. });
        assert!(!outputs.iter().any(believed), "{read:?}");
    }
    let outputs = lone.frame(Body::Heads(Heads { heads: vec![head] }));
    assert!(matches!(
        outputs.as_slice(),
        [Output::Heard { verified: true, .. }]
    ));
}

#[test]
fn frames_that_ask_or_tell_too_much_end_the_session_and_say_why() {
    let our_logs = logs("31", 3, "32");
    let (epochs, _, log) = sent_by_32(0);
    let head = log.head().unwrap().to_wire();
    let short = WireHead {
        head: head.head[1..].to_vec(),
        ..head.clone()
    };
    let payloads = |origin: &str, nonce: usize, seqs: Vec<u64>| {
        Body::PayloadWant(PayloadWant {
            origin: origin.into(),
            epoch_no: 1,
            epoch_nonce: vec![1; nonce],
            seqs,
        })
    };
    let given = Body::PayloadBatch(PayloadBatch {
        origin: "32".into(),
        epoch_no: 1,
        epoch_nonce: vec![1; 16],
        payloads: vec![WirePayload::default()],
    });
    let want = |change: fn(&mut Want)| {
        let Body::Want(mut want) = self::want(1, "31", Position::START) else {
            unreachable!();
        };
        change(&mut want);
        Body::Want(want)
    };
    let many = (0..65).map(|no| self::want(1, &format!("n{no}"), Position::START));
    let opens = Epochs {
        origin: "32".into(),
        opens: (0..1_025_u64)
            .map(|no| {
                let mut open = EpochOpen::decode(&epochs.opens[0]).unwrap();
                open.epoch.no = no;
                open.encode()
            })
            .collect(),
    };
    let not_asked = Epochs {
        origin: "36".into(),
        ..epochs.clone()
    };
    let cases: Vec<(&str, Vec<Body>, Fate)> = vec![
        (
            "a second hello",
            vec![Body::Hello(hello_of("32", &logs("32", 0, "31"), "31"))],
            Ends("a second hello"),
        ),
        (
            "65 heads",
            vec![Body::Heads(Heads {
                heads: vec![head.clone(); 65],
            })],
            Ends("more than 64"),
        ),
        (
            "65 heads in a heartbeat",
            vec![Body::Heartbeat(Heartbeat {
                heads: vec![head; 65],
                ..Heartbeat::default()
            })],
            Ends("more than 64"),
        ),
        (
            "a short head",
            vec![Body::Heads(Heads {
                heads: vec![short.clone()],
            })],
            Ends("bytes instead of"),
        ),
        (
            "a nack with a short head",
            vec![Body::Nack(Nack {
                origin: "32".into(),
                head: Some(short),
                ..Nack::default()
            })],
            Ends("bytes instead of"),
        ),
        (
            "a nack of no node",
            vec![Body::Nack(Nack {
                origin: "x".repeat(5_000),
                ..Nack::default()
            })],
            Ends("no node's name"),
        ),
        (
            "an ack of what was not sent",
            vec![Body::Ack(Ack {
                origin: "33".into(),
                ..Ack::default()
            })],
            Ends("nothing was sent"),
        ),
        (
            "epochs not asked for",
            vec![Body::Epochs(not_asked)],
            Ends("not asked for"),
        ),
        (
            "1,025 epochs",
            vec![Body::Epochs(opens)],
            Ends("more than 1024"),
        ),
        (
            "an epoch of no bytes",
            vec![Body::Epochs(Epochs {
                origin: "32".into(),
                opens: vec![Vec::new()],
            })],
            Refused(NackCode::BadChain),
        ),
        (
            "a want without a number",
            vec![want(|want| want.want_id = 0)],
            Ends("came after want `0`"),
        ),
        (
            "the same want twice",
            vec![want(|_| {}), want(|_| {})],
            Ends("came after want `1`"),
        ),
        (
            "a want without a mode",
            vec![want(|want| want.mode = 0)],
            Ends("mode `0`"),
        ),
        (
            "a want after half a hash",
            vec![want(|want| {
                want.after_epoch_no = 1;
                want.after_epoch_nonce = vec![0; 16];
                want.after_hash = vec![0; 16];
            })],
            Ends("16 bytes instead of 32"),
        ),
        (
            "wants of 65 logs",
            many.collect(),
            Ends("more than 64 origins"),
        ),
        (
            "payloads of no node",
            vec![payloads("", 16, vec![1])],
            Ends("no node's name"),
        ),
        (
            "payloads of half an epoch",
            vec![payloads("31", 8, vec![1])],
            Ends("8 bytes instead of 16"),
        ),
        (
            "1,025 payloads",
            vec![payloads("31", 16, vec![1; 1_025])],
            Ends("more than 1024"),
        ),
        (
            "payloads before the last were given",
            vec![payloads("31", 16, vec![1]), payloads("31", 16, vec![1])],
            Ends("before the last ones"),
        ),
        ("payloads not asked for", vec![given], Ends("not asked for")),
        (
            "the ends of more logs than there may be",
            vec![Body::Heartbeat(Heartbeat {
                ends: vec![LogEnd::default(); 65],
                ..Heartbeat::default()
            })],
            Ends("more than 64"),
        ),
        (
            "the end of a log of nobody",
            vec![Body::Heartbeat(Heartbeat {
                ends: vec![LogEnd::default()],
                ..Heartbeat::default()
            })],
            Ends("no node's name"),
        ),
        (
            "a length past all in a heartbeat",
            vec![Body::Heartbeat(Heartbeat {
                monotonic_ms: u64::MAX,
                wall_ms: u64::MAX,
                echo_monotonic_ms: u64::MAX,
                echo_age_ms: u64::MAX,
                disk_free_bytes: u64::MAX,
                queue_entries: u64::MAX,
                may_promise: true,
                heads: Vec::new(),
                ends: Vec::new(),
            })],
            Nothing,
        ),
    ];
    for (name, frames, fate) in cases {
        let mut lone = Lone::met(&our_logs);
        let outputs = lone.fate(frames, &log);
        // What is refused for the peer's own wants is no lie.
        let outputs: Vec<Output> = outputs
            .into_iter()
            .filter(|output| !matches!(output, Output::Send(body, _) if matches!(&**body, Body::Nack(nack) if nack.code() == NackCode::NoSuchOrigin)))
            .collect();
        check(name, &outputs, &fate);
        if let Ends(_) = fate {
            assert_eq!(
                lone.frame(want(|want| want.want_id = 9)),
                [],
                "{name}: it is over"
            );
        }
    }
}

#[test]
fn frames_that_are_replayed_or_reordered_end_the_session() {
    let (epochs, batch, log) = sent_by_32(3);
    let frame = |n, body: &Body| {
        let body = Some(body.clone());
        Input::Frame(Box::new(Frame { n, body }))
    };
    let (epochs, batch) = (Body::Epochs(epochs), Body::Batch(batch));
    for (first, second) in [((2, &epochs), (2, &epochs)), ((3, &batch), (2, &epochs))] {
        let mut lone = Lone::met(&logs("31", 0, "32"));
        let mut outputs = lone.session.handle(now(5), frame(first.0, first.1));
        outputs.extend(lone.session.handle(now(5), frame(second.0, second.1)));
        check("out of order", &outputs, &Ends("must follow"));
        assert_ne!(log.chain.end(), Position::START);
    }
}

#[test]
fn a_hello_of_which_a_part_cannot_be_read_ends_the_session() {
    let view = |change: fn(&mut OriginView)| {
        let mut hello = hello_of("32", &logs("32", 0, "31"), "31");
        let view = hello
            .views
            .iter_mut()
            .find(|view| view.origin == "31")
            .unwrap();
        view.epoch_no = 1;
        view.epoch_nonce = vec![1; 16];
        view.durable_hash = vec![1; 32];
        change(view);
        Body::Hello(hello)
    };
    let cases = [
        (
            "no node",
            view(|view| view.origin = "a/b".into()),
            Ends("no node's name"),
        ),
        (
            "a short nonce",
            view(|view| view.epoch_nonce.truncate(1)),
            Ends("1 bytes instead of 16"),
        ),
        (
            "a long hash",
            view(|view| view.durable_hash.push(0)),
            Ends("33 bytes instead of 32"),
        ),
        (
            "an empty head",
            view(|view| view.head = Some(WireHead::default())),
            Ends("instead of"),
        ),
        (
            "the end of all numbers",
            view(|view| {
                view.epoch_no = u64::MAX;
                view.durable_seq = u64::MAX;
            }),
            Nothing,
        ),
        (
            "a short fork id",
            view(|view| view.fork_ids = vec![vec![0; 9]]),
            Ends("9 bytes instead of 32"),
        ),
        (
            "a state and classes to come",
            view(|view| {
                view.state = 99;
                view.classes = u32::MAX;
                view.fork_ids = vec![vec![0; 32]; 99];
            }),
            Nothing,
        ),
        (
            "a fork id of 9 bytes",
            view(|view| view.fork_ids = vec![vec![0; 9]]),
            Ends("fork id has a hash of 9 bytes"),
        ),
    ];
    for (name, hello, fate) in cases {
        let mut lone = Lone::new(&logs("31", 0, "32"));
        check(name, &lone.frame(hello), &fate);
    }
}

/// What a session holds, by the length of all that it shows.
fn held(lone: &Lone) -> usize {
    format!("{:?}", lone.session).len()
}

type Flood<'a> = Box<dyn Fn(u64) -> Option<Body> + 'a>;

#[test]
fn a_flood_of_any_kind_leaves_the_session_no_larger() {
    let held_logs = logs("31", 3, "32");
    let (_, batch, _) = sent_by_32(3);
    let mut ahead = held_logs[&node("31")].clone();
    ahead.write(40, 10);
    let own = ahead.head().unwrap().to_wire();
    let of_36 = |no: u64| {
        let mut head = ahead.head().unwrap().head;
        head.origin = node(&format!("n{}", no % 5_000));
        head.position.seq = no;
        head.sign(&log_key(node("36"))).to_wire()
    };
    let end = held_logs[&node("31")].chain.end();
    let nack = || {
        Body::Nack(Nack {
            origin: "32".into(),
            code: NackCode::Diverged.into(),
            detail: "x".repeat(10_000),
            head: Some(own.clone()),
            opens: Vec::new(),
            want_id: 1,
        })
    };
    let floods: Vec<(&str, Flood<'_>)> = vec![
        (
            "wants",
            Box::new(|no| Some(want(no + 1, "31", Position::START))),
        ),
        (
            "wants of what is not held",
            Box::new(|no| Some(want(no + 1, "36", end))),
        ),
        (
            "batches of an older want",
            Box::new(|_| {
                Some(Body::Batch(Batch {
                    want_id: 0,
                    ..batch.clone()
                }))
            }),
        ),
        (
            "heartbeats with invented heads",
            Box::new(|no| {
                Some(Body::Heartbeat(Heartbeat {
                    heads: vec![of_36(no)],
                    ..Heartbeat::default()
                }))
            }),
        ),
        (
            "heads of the own log",
            Box::new(|_| {
                Some(Body::Heads(Heads {
                    heads: vec![own.clone(); 64],
                }))
            }),
        ),
        (
            "invented heads",
            Box::new(|no| {
                Some(Body::Heads(Heads {
                    heads: vec![of_36(no)],
                }))
            }),
        ),
        ("nacks", Box::new(|_| Some(nack()))),
        (
            "pauses",
            Box::new(|_| {
                Some(Body::Pause(posko_proto::federation::v1::Pause {
                    detail: "x".repeat(10_000),
                    ..Default::default()
                }))
            }),
        ),
        ("what is not known", Box::new(|_| None)),
    ];
    for (name, flood) in floods {
        let mut lone = Lone::met(&held_logs);
        let (mut reads, mut parted, mut sizes) = (0, 0, Vec::new());
        for no in 0..400 {
            lone.frames += 1;
            let frame = Frame {
                n: lone.frames,
                body: flood(no),
            };
            for output in lone.session.handle(now(100), Input::Frame(Box::new(frame))) {
                match output {
                    Output::Read { .. } => reads += 1,
                    Output::Parted { .. } => parted += 1,
                    Output::Close { detail, .. } => panic!("{name}: {detail}"),
                    Output::Refused { detail, .. } | Output::PeerPaused { detail, .. } => {
                        assert!(detail.len() < 400, "{name}: a peer's text is cut");
                    }
                    Output::PeerClaims { heads, .. } => assert!(heads.len() <= 64, "{name}"),
                    _ => {}
                }
            }
            if no == 199 || no == 399 {
                sizes.push(held(&lone));
            }
        }
        assert!(
            reads <= 1 && parted <= 1,
            "{name}: {reads} reads, {parted} partings"
        );
        assert!(
            sizes[1] <= sizes[0] + 200,
            "{name}: grows from {} to {}",
            sizes[0],
            sizes[1]
        );
    }
}

#[test]
fn whoever_refuses_what_was_not_sent_or_all_that_is_sent_is_given_up() {
    let refuse = |origin: &str| {
        Body::Nack(Nack {
            origin: origin.into(),
            code: NackCode::BadChain.into(),
            ..Nack::default()
        })
    };
    let mut lone = Lone::met(&logs("31", 3, "32"));
    let outputs = lone.frame(refuse("36"));
    check("nothing was sent", &outputs, &Ends("of `36`"));
    let mut lone = Lone::met(&logs("31", 3, "32"));
    lone.frame(want(1, "31", Position::START));
    let refused = (0..1_000).find(|_| closes(&lone.frame(refuse("31"))).is_some());
    assert_eq!(refused, Some(3 * 64));
}

#[test]
fn a_peer_that_withholds_is_asked_once_and_never_makes_the_session_wait() {
    // It tells a head and gives nothing: other logs and its heartbeats go on, and the sources' machine leaves it.
    let (_, _, log) = sent_by_32(3);
    let mut lone = Lone::met(&logs("31", 3, "32"));
    let head = log.head().unwrap().to_wire();
    let mut asked = 0;
    for second in 1..100 {
        lone.frames += 1;
        let beat = Heartbeat {
            heads: vec![head.clone()],
            ..Heartbeat::default()
        };
        let frame = Frame {
            n: lone.frames,
            body: Some(Body::Heartbeat(beat)),
        };
        let at = now(100 + second * 1_000);
        let mut outputs = lone.session.handle(at, Input::Frame(Box::new(frame)));
        outputs.extend(lone.session.handle(at, Input::Tick));
        assert_eq!(closes(&outputs), None);
        asked += outputs
            .iter()
            .filter(
                |output| matches!(output, Output::Send(body, _) if matches!(**body, Body::Want(_))),
            )
            .count();
    }
    assert_eq!(asked, 0, "one want is enough");
    let outputs = lone.frame(want(1, "31", Position::START));
    assert!(
        matches!(outputs.as_slice(), [Output::Read { .. }]),
        "{outputs:?}"
    );
}

#[test]
fn whoever_asks_is_read_only_the_classes_of_its_role() {
    for (role, may) in [
        (NodeRole::Node, 3),
        (NodeRole::Gateway, 1),
        (NodeRole::Observer, 1),
        (NodeRole::Unspecified, 0),
    ] {
        let logs = logs("31", 3, "32");
        let mut config = config("31", "32", &logs);
        config.peer.role = role;
        let mut lone = Lone {
            session: Session::new(config),
            frames: 0,
        };
        lone.session.handle(now(1), Input::Opened);
        let hello = Hello {
            role: role.into(),
            ..hello_of("32", &self::logs("32", 0, "31"), "31")
        };
        lone.frame(Body::Hello(hello));
        lone.session.handle(now(2), Input::OwnKnown(true));
        let outputs = lone.frame(want(1, "31", Position::START));
        let [Output::Read { classes, .. }] = outputs.as_slice() else {
            panic!("{outputs:?}");
        };
        assert_eq!(*classes, may, "{role:?}");
        let outputs = lone.frame(Body::PayloadWant(PayloadWant {
            origin: "31".into(),
            epoch_no: 1,
            epoch_nonce: vec![1; 16],
            seqs: vec![1],
        }));
        let [Output::ReadPayloads { classes, .. }] = outputs.as_slice() else {
            panic!("{outputs:?}");
        };
        assert_eq!(*classes, may, "{role:?}");
    }
}
