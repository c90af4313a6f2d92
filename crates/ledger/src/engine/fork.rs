//! Fork proofs in a session: each is passed on once, and taken once.

use posko_proto::federation::v1::{ForkProof as WireProof, OriginView, frame::Body};

use super::{LaneKind, MAX_FORKS, Output, Phase, Session, Stop, wire};
use crate::fork::ForkProof;

/// The most fork proofs that may come in a session.
const MOST_CAME: usize = 16 * MAX_FORKS;

impl Session {
    /// Notes which proofs the peer says that it has.
    pub(super) fn peer_forks(&mut self, views: &[OriginView]) -> Result<(), Stop> {
        for view in views {
            for id in view.fork_ids.iter().take(MAX_FORKS) {
                self.forks.insert(wire::hash("fork id", id)?);
            }
        }
        Ok(())
    }

    /// Sends a proof, unless the peer has it.
    pub(super) fn give_fork(&mut self, proof: &ForkProof) {
        if self.phase == Phase::Open && self.forks.insert(proof.id()) {
            self.send(Body::Fork(proof.to_wire()), LaneKind::Control);
        }
    }

    /// Takes a proof, once each; how many and how large is bounded, and what they prove is the caller's to check.
    pub(super) fn fork(&mut self, fork: &WireProof) -> Result<(), Stop> {
        self.forks_came += 1;
        if self.forks_came > MOST_CAME {
            let detail = format!("more than {MOST_CAME} fork proofs came");
            return Err(Stop::protocol(detail));
        }
        let proof =
            ForkProof::from_wire(fork).map_err(|error| Stop::protocol(error.to_string()))?;
        let id = proof.id();
        self.forks.insert(id);
        // One that the peer named in its hello is not here before it has come.
        if self.forks_taken.insert(id) {
            self.out.push(Output::Forked(Box::new(proof)));
        }
        Ok(())
    }
}
