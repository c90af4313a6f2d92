//! What proves that a log is forked, and what does not.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use posko_ledger::{
    chain::{Chain, Identity},
    entry::{Class, EntryHeader, HEADER_BYTES, commit},
    epoch::{Epoch, EpochOpen, Position, Reason},
    fork::{
        ForkError, ForkProof, Forked, MAX_FORK_HEADERS, MAX_FORK_OPENS, Side, Statement, lineage,
    },
    head::SignedHead,
    key::SecretKey,
};
use posko_proto::Id;
use proptest::prelude::*;

const FEDERATION: [u8; 16] = [7; 16];

fn key(which: u8) -> SecretKey {
    SecretKey::from_seed(&[which; 32])
}

fn identity() -> Identity {
    Identity {
        federation: FEDERATION,
        origin: "32".parse().unwrap(),
        recovery: key(1).public(),
    }
}

fn opening(no: u64, nonce: u8, parent: Position, reason: Reason) -> EpochOpen {
    let epoch = Epoch {
        no,
        nonce: [nonce; 16],
    };
    let authority = if reason == Reason::Start { 2 } else { 1 };
    let (log, authority) = (key(2), key(authority));
    EpochOpen::sign(
        FEDERATION,
        identity().origin,
        epoch,
        parent,
        reason,
        0,
        u64::from(nonce),
        &log,
        &authority,
    )
}

/// A log as one of two runs writes it.
#[derive(Clone)]
struct Log {
    chain: Chain,
    opens: Vec<EpochOpen>,
    /// Of the newest epoch: the hash after each entry, and its header.
    entries: Vec<(Position, [u8; HEADER_BYTES])>,
}

impl Log {
    fn new() -> Self {
        let mut log = Self {
            chain: Chain::new(identity()),
            opens: Vec::new(),
            entries: Vec::new(),
        };
        log.open(opening(1, 1, Position::START, Reason::Genesis));
        log
    }

    fn open(&mut self, open: EpochOpen) {
        self.chain.open(&open).unwrap();
        self.opens.push(open);
        self.entries.clear();
    }

    fn start(&mut self, nonce: u8) {
        let end = self.chain.end();
        self.open(opening(end.epoch.no + 1, nonce, end, Reason::Start));
    }

    fn write(&mut self, what: u8) {
        let header = EntryHeader {
            flags: 0,
            type_id: 1,
            type_version: 1,
            class: Class::Regional,
            payload_len: 1,
            seq: self.chain.end().seq + 1,
            wall_ms: 1,
            event_id: Id([what; 16]),
            stream_id: Id([5; 16]),
            stream_version: 1,
            payload_commit: commit(&[3; 16], &[what]),
        };
        let bytes = header.encode();
        self.chain.append(&header, &bytes).unwrap();
        self.entries.push((self.chain.end(), bytes));
    }

    fn head(&self) -> SignedHead {
        self.chain.head(9).unwrap().sign(&key(2))
    }

    /// The side that leads from an entry to the head at the end.
    fn side(&self, at: u64) -> Side {
        let at = usize::try_from(at).unwrap();
        let headers = self.entries[at..].iter().map(|(_, bytes)| *bytes);
        Side {
            statement: Statement::Head(Box::new(self.head())),
            hash: self.entries[at - 1].0.hash,
            headers: headers.collect(),
        }
    }
}

/// Two runs of one epoch that have three entries in common, and then these many each.
fn clones(left: u8, right: u8) -> [Log; 2] {
    let mut log = Log::new();
    log.write(1);
    log.start(2);
    for what in 1..=3 {
        log.write(what);
    }
    let mut other = log.clone();
    (0..left).for_each(|what| log.write(100 + what));
    (0..right).for_each(|what| other.write(200 + what));
    [log, other]
}

fn proof(left: &Log, right: &Log, at_seq: u64) -> ForkProof {
    ForkProof {
        origin: identity().origin,
        at_seq,
        opens: lineage(&left.opens, left.chain.end().epoch),
        sides: [left.side(at_seq), right.side(at_seq)],
    }
}

fn read_back(proof: &ForkProof) -> ForkProof {
    let read = ForkProof::decode(&proof.encode()).unwrap();
    assert_eq!(&read, proof);
    assert_eq!(read.id(), proof.id());
    read
}

#[test]
fn two_runs_of_one_epoch_are_proven_by_their_heads_wherever_these_stand() {
    for (left, right) in [(1, 1), (1, 7), (5, 2)] {
        let [left, right] = clones(left, right);
        let epoch = left.chain.end().epoch;
        let forked = Ok(Forked { epoch, at_seq: 4 });
        let proof = read_back(&proof(&left, &right, 4));
        assert_eq!(proof.verify(&identity(), &[]), forked);
        assert_eq!(proof.verify(&identity(), &left.opens), forked);
    }
}

#[test]
fn one_epoch_opened_twice_is_a_fork_and_so_is_a_parent_that_another_head_contradicts() {
    let [mut left, right] = clones(1, 1);
    let parent = left.chain.end();
    let twice = [opening(9, 9, parent, Reason::Start), {
        let parent = right.chain.end();
        opening(9, 9, parent, Reason::Start)
    }];
    let side = |open: &EpochOpen| Side {
        statement: Statement::Opening(Box::new(open.clone())),
        hash: open.hash(),
        headers: Vec::new(),
    };
    let of_two = ForkProof {
        origin: identity().origin,
        at_seq: 0,
        opens: lineage(&left.opens, parent.epoch),
        sides: [side(&twice[0]), side(&twice[1])],
    };
    let epoch = twice[0].epoch;
    assert_eq!(
        read_back(&of_two).verify(&identity(), &[]),
        Ok(Forked { epoch, at_seq: 0 })
    );

    // The opening of the next epoch says that entry 4 is another one than the head says.
    let mut contradicted = proof(&left, &right, 4);
    left.start(3);
    contradicted.sides[0].statement = Statement::Parent(Box::new(left.opens[2].clone()));
    assert!(read_back(&contradicted).verify(&identity(), &[]).is_ok());
}

#[test]
fn branches_with_epochs_of_their_own_are_no_fork() {
    let mut left = Log::new();
    left.write(1);
    let mut right = left.clone();
    left.write(2);
    let kept = left.clone();
    right.start(9);
    right.write(3);
    // A restored node continues entry 1, of which there is one.
    let mut claimed = proof(&kept, &kept, 1);
    claimed.sides[1] = Side {
        statement: Statement::Parent(Box::new(right.opens[1].clone())),
        hash: right.opens[1].parent.hash,
        headers: Vec::new(),
    };
    let no_fork = |proof: &ForkProof| {
        matches!(
            proof.verify(&identity(), &right.opens),
            Err(ForkError::NoFork { .. })
        )
    };
    assert!(no_fork(&claimed));
    claimed.sides[1] = right.side(1);
    assert!(no_fork(&claimed));
}

#[test]
fn what_no_key_of_the_origin_signed_proves_nothing() {
    let [left, right] = clones(2, 2);
    let good = proof(&left, &right, 4);
    let forger = key(66);

    let mut other_head = good.clone();
    let head = right.chain.head(9).unwrap().sign(&forger);
    other_head.sides[1].statement = Statement::Head(Box::new(head));
    assert!(matches!(
        other_head.verify(&identity(), &[]),
        Err(ForkError::Signature { .. })
    ));

    // The forger brings an opening of the same epoch that names its own key, and opens for it.
    let mut named = other_head.clone();
    let open = &left.opens[1];
    let mut head = right.chain.head(9).unwrap();
    head.key_id = forger.public().id();
    named.sides[1].statement = Statement::Head(Box::new(head.sign(&forger)));
    named.opens.push(EpochOpen::sign(
        FEDERATION,
        identity().origin,
        open.epoch,
        open.parent,
        Reason::Start,
        0,
        1,
        &forger,
        &forger,
    ));
    assert!(matches!(
        named.verify(&identity(), &left.opens),
        Err(ForkError::Signature { .. })
    ));

    // Of another origin, and of one whose opening nobody has.
    let other = Identity {
        origin: "36".parse().unwrap(),
        ..identity()
    };
    assert!(matches!(
        good.verify(&other, &[]),
        Err(ForkError::Names { .. })
    ));
    let mut alone = good;
    alone.opens.clear();
    let untraced = alone.verify(&identity(), &[]).unwrap_err();
    assert!(untraced.may_be_true(), "{untraced}");
}

#[test]
fn more_evidence_than_a_frame_takes_is_refused_before_it_is_looked_at() {
    let [left, right] = clones(1, 1);
    let mut large = proof(&left, &right, 4);
    large.opens = vec![left.opens[0].clone(); MAX_FORK_OPENS];
    large.sides[0].headers = vec![left.entries[0].1; MAX_FORK_HEADERS];
    let bytes = large.encode();
    assert!(bytes.len() < posko_ledger::MAX_FRAME_BYTES - 1024);
    assert!(ForkProof::decode(&bytes).is_ok());
    for (opens, headers) in [(3, 0), (0, 1)] {
        let mut larger = large.clone();
        let open = left.opens[0].clone();
        larger.opens.extend(vec![open; opens]);
        larger.sides[1].headers = vec![left.entries[0].1; headers];
        let too_large =
            |result: Result<_, ForkError>| matches!(result, Err(ForkError::TooLarge { .. }));
        assert!(too_large(ForkProof::decode(&larger.encode()).map(drop)));
        assert!(too_large(larger.verify(&identity(), &[]).map(drop)));
    }
}

proptest! {
    #[test]
    fn a_proof_with_any_bit_flipped_proves_nothing_else(at in 0_usize..2000, bit in 0..8_u8) {
        let [left, right] = clones(2, 3);
        let good = proof(&left, &right, 4);
        let found = good.verify(&identity(), &[]).unwrap();
        let mut bytes = good.encode();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(read) = ForkProof::decode(&bytes) {
            prop_assert!(read == good || read.verify(&identity(), &[]) == Ok(found) || read.verify(&identity(), &[]).is_err());
        }
    }
}
