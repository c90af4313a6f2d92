//! Payloads that came withheld: asked of a peer that may give them, one question at a time in each direction.

use posko_proto::{
    NodeId,
    federation::v1::{Payload as WirePayload, PayloadBatch, PayloadWant, frame::Body},
};

use super::{LaneKind, Output, Session, Stop, classes_of, wire};
use crate::{
    MAX_BATCH_BYTES, MAX_GROUP_ENTRIES, MAX_PAYLOAD_BYTES,
    entry::{Payload, SALT_BYTES},
    epoch::Epoch,
};

/// The payloads that one side asked the other for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Asked {
    origin: NodeId,
    epoch: Epoch,
    seqs: Vec<u64>,
}

impl Session {
    /// Asks for payloads; while an answer is awaited nothing more is asked.
    pub(super) fn ask_payloads(&mut self, origin: NodeId, epoch: Epoch, mut seqs: Vec<u64>) {
        if self.asked.is_some() || seqs.is_empty() {
            return;
        }
        seqs.truncate(MAX_GROUP_ENTRIES);
        let want = PayloadWant {
            origin: origin.to_string(),
            epoch_no: epoch.no,
            epoch_nonce: epoch.nonce.to_vec(),
            seqs: seqs.clone(),
        };
        self.asked = Some(Asked {
            origin,
            epoch,
            seqs,
        });
        self.send(Body::PayloadWant(want), LaneKind::Control);
    }

    /// Takes the peer's question.
    pub(super) fn payload_want(&mut self, want: &PayloadWant) -> Result<(), Stop> {
        let origin = wire::origin("payload want", &want.origin)?;
        let epoch = wire::epoch("payload want", want.epoch_no, &want.epoch_nonce)?;
        if want.seqs.len() > MAX_GROUP_ENTRIES {
            return Err(Stop::protocol(format!(
                "`{}` payloads of `{origin}` are wanted at once, more than {MAX_GROUP_ENTRIES}",
                want.seqs.len()
            )));
        }
        if self.asked_of_us.is_some() {
            return Err(Stop::protocol(format!(
                "payloads of `{origin}` are wanted before the last ones were given"
            )));
        }
        self.asked_of_us = Some(Asked {
            origin,
            epoch,
            seqs: want.seqs.clone(),
        });
        self.out.push(Output::ReadPayloads {
            origin,
            epoch,
            seqs: want.seqs.clone(),
            max_bytes: MAX_BATCH_BYTES,
            classes: classes_of(self.config.peer.role),
        });
        Ok(())
    }

    /// Gives the peer what was read for it.
    pub(super) fn give_payloads(&mut self, payloads: Vec<(u64, Payload)>) {
        let Some(Asked { origin, epoch, .. }) = self.asked_of_us.take() else {
            return;
        };
        let payloads = payloads.into_iter().map(|(seq, payload)| {
            let presence = payload.presence().into();
            let (salt, body) = match payload {
                Payload::Present { salt, body } => (salt.to_vec(), body),
                Payload::Withheld | Payload::Withdrawn | Payload::Erased => Default::default(),
            };
            WirePayload {
                seq,
                presence,
                salt,
                body,
            }
        });
        let batch = PayloadBatch {
            origin: origin.to_string(),
            epoch_no: epoch.no,
            epoch_nonce: epoch.nonce.to_vec(),
            payloads: payloads.collect(),
        };
        self.send(Body::PayloadBatch(batch), LaneKind::Bulk);
    }

    /// Takes the peer's answer; what it says that it does not give is still missing.
    pub(super) fn payload_batch(&mut self, batch: PayloadBatch) -> Result<(), Stop> {
        let origin = wire::origin("payload batch", &batch.origin)?;
        let epoch = wire::epoch("payload batch", batch.epoch_no, &batch.epoch_nonce)?;
        let asked = self.asked.take();
        let Some(asked) = asked.filter(|asked| asked.origin == origin && asked.epoch == epoch)
        else {
            return Err(Stop::protocol(format!(
                "payloads of `{origin}` came, which were not asked for"
            )));
        };
        let mut payloads = Vec::new();
        let mut expected = asked.seqs.into_iter();
        for WirePayload {
            seq,
            presence,
            salt,
            body,
        } in batch.payloads
        {
            // In the order asked, so that none comes twice.
            if !expected.any(|asked| asked == seq) {
                return Err(Stop::protocol(format!(
                    "the payload of entry {seq} of `{origin}` came, which was not asked for"
                )));
            }
            if presence != 1 {
                payloads.push((seq, Payload::Withheld));
                continue;
            }
            let salt: [u8; SALT_BYTES] = salt.as_slice().try_into().map_err(|_| {
                Stop::protocol(format!(
                    "the payload of entry {seq} of `{origin}` has a salt of {} bytes instead of {SALT_BYTES}",
                    salt.len()
                ))
            })?;
            if body.len() > MAX_PAYLOAD_BYTES {
                return Err(Stop::protocol(format!(
                    "the payload of entry {seq} of `{origin}` has `{}` bytes, more than {MAX_PAYLOAD_BYTES}",
                    body.len()
                )));
            }
            payloads.push((seq, Payload::Present { salt, body }));
        }
        self.out.push(Output::Payloads {
            origin,
            epoch,
            payloads,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        testing::{Logs, MemoryLog, config, node, now},
        *,
    };
    use super::*;

    fn session(me: &str, peer: &str) -> Session {
        let logs: Logs = [(node(me), MemoryLog::new(node(me)))].into();
        let mut session = Session::new(config(me, peer, &logs));
        session.phase = Phase::Open;
        session
    }

    fn frame(session: &mut Session, body: Body) -> Vec<Output> {
        let n = session.frames + 1;
        let body = Some(body);
        session.handle(now(1), Input::Frame(Box::new(Frame { n, body })))
    }

    fn sent(outputs: &[Output]) -> Body {
        match outputs {
            [Output::Send(body, _)] => body.as_ref().clone(),
            other => panic!("{other:?}"),
        }
    }

    const EPOCH: Epoch = Epoch {
        no: 1,
        nonce: [1; 16],
    };

    fn ask(session: &mut Session, seqs: &[u64]) -> Vec<Output> {
        let (origin, seqs) = (node("36"), seqs.to_vec());
        let epoch = EPOCH;
        session.handle(
            now(1),
            Input::MissingPayloads {
                origin,
                epoch,
                seqs,
            },
        )
    }

    fn present(seq: u64) -> (u64, Payload) {
        let salt = [3; 16];
        (
            seq,
            Payload::Present {
                salt,
                body: vec![seq as u8],
            },
        )
    }

    #[test]
    fn payloads_are_asked_given_and_taken_and_what_is_withheld_stays_missing() {
        let (mut asker, mut giver) = (session("31", "32"), session("32", "31"));
        let want = sent(&ask(&mut asker, &[2, 3, 5]));
        assert_eq!(ask(&mut asker, &[9]), [], "one question at a time");
        let outputs = frame(&mut giver, want);
        let [
            Output::ReadPayloads {
                origin,
                epoch,
                seqs,
                classes,
                ..
            },
        ] = outputs.as_slice()
        else {
            panic!("{outputs:?}");
        };
        assert_eq!((*origin, *epoch, *classes), (node("36"), EPOCH, 3));
        assert_eq!(seqs, &[2, 3, 5]);
        let found = vec![present(2), (3, Payload::Withheld), present(5)];
        let batch = sent(&giver.handle(now(1), Input::Payloads(found)));
        assert_eq!(
            frame(&mut asker, batch),
            [Output::Payloads {
                origin: node("36"),
                epoch: EPOCH,
                payloads: vec![present(2), (3, Payload::Withheld), present(5)]
            }]
        );
        assert!(matches!(sent(&ask(&mut asker, &[9])), Body::PayloadWant(_)));
    }

    #[test]
    fn a_gateway_is_read_only_what_it_may_have() {
        let mut giver = session("32", "31");
        giver.config.peer.role = NodeRole::Gateway;
        let want = sent(&ask(&mut session("31", "32"), &[2]));
        let outputs = frame(&mut giver, want);
        assert!(matches!(
            outputs.as_slice(),
            [Output::ReadPayloads { classes: 1, .. }]
        ));
    }

    #[test]
    fn what_was_not_asked_is_asked_too_fast_or_is_too_large_ends_the_session() {
        let batch = |payloads| {
            Body::PayloadBatch(PayloadBatch {
                origin: "36".into(),
                epoch_no: 1,
                epoch_nonce: vec![1; 16],
                payloads,
            })
        };
        let payload = |seq, salt: usize, body: usize| WirePayload {
            seq,
            presence: 1,
            salt: vec![0; salt],
            body: vec![0; body],
        };
        let bad = [
            vec![payload(4, 16, 1)],
            vec![payload(3, 16, 1), payload(2, 16, 1)],
            vec![payload(2, 16, 1), payload(2, 16, 1)],
            vec![payload(2, 15, 1)],
            vec![payload(2, 16, MAX_PAYLOAD_BYTES + 1)],
        ];
        for payloads in bad {
            let mut asker = session("31", "32");
            ask(&mut asker, &[2, 3]);
            frame(&mut asker, batch(payloads.clone()));
            assert_eq!(asker.phase, Phase::Closed, "{payloads:?}");
        }
        let mut asker = session("31", "32");
        frame(&mut asker, batch(Vec::new()));
        assert_eq!(asker.phase, Phase::Closed, "nothing was asked");

        let mut giver = session("32", "31");
        let want = |seqs: usize| {
            Body::PayloadWant(PayloadWant {
                origin: "36".into(),
                epoch_no: 1,
                epoch_nonce: vec![1; 16],
                seqs: vec![1; seqs],
            })
        };
        frame(&mut giver, want(1));
        frame(&mut giver, want(1));
        assert_eq!(giver.phase, Phase::Closed, "the first was not answered");
        let mut giver = session("32", "31");
        frame(&mut giver, want(MAX_GROUP_ENTRIES + 1));
        assert_eq!(giver.phase, Phase::Closed);
    }
}
