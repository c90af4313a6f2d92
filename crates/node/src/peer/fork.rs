//! Forked logs: proofs come from peers, are made of heads that contradict what is held, and are passed on.

use std::sync::Arc;

use posko_ledger::{Hash, engine::Input, fork::ForkProof, head::SignedHead};
use posko_proto::{NodeId, federation::v1::GoodbyeReason};
use posko_store::{ForkRefused, LogState, Store};
use tokio::sync::mpsc;
use tracing::{debug, error, warn};

use super::Shared;
use crate::time::now;

/// Reads a proof for a session's engine; it waits for the disk.
pub(super) fn give(store: &Store, origin: NodeId, id: Hash, answers: &mpsc::Sender<Input>) {
    let (store, answers) = (store.clone(), answers.clone());
    tokio::task::spawn_blocking(move || match store.fork(origin, id) {
        // One that was replaced by a better one is given by its own id.
        Ok(proof) => {
            if let Some(proof) = proof {
                // Nobody waits for it any more when the session has ended.
                let _ = answers.blocking_send(Input::Fork(Box::new(proof)));
            }
        }
        Err(cause) => {
            error!(log.origin = %origin, %cause, "a fork proof of `{origin}` could not be read");
        }
    });
}

impl Shared {
    /// Checks and keeps a proof that a peer gave; who gives a forged one is left.
    pub(super) fn take_fork(
        self: &Arc<Self>,
        peer: NodeId,
        proof: ForkProof,
        answers: &mpsc::Sender<Input>,
    ) {
        let (registry, answers, origin) = (self.clone(), answers.clone(), proof.origin);
        self.store.take_fork(proof, now(), move |taken| match taken {
            Ok(true) => registry.forked(origin),
            Ok(false) => {}
            Err(ForkRefused::Proof(cause)) if !cause.may_be_true() => {
                let detail = format!("`{peer}` gave a fork proof that does not hold: {cause}");
                let reason = GoodbyeReason::Protocol;
                let _ = answers.try_send(Input::Close { reason, detail });
            }
            Err(cause @ ForkRefused::Store(_)) => {
                error!(log.origin = %origin, %cause, "a fork proof of `{origin}` could not be kept");
            }
            Err(cause) => {
                debug!(peer.id = %peer, log.origin = %origin, "a fork proof of `{origin}` was passed over: {cause}");
            }
        });
    }

    /// Looks whether a head contradicts the log as it is held; it waits for the disk, so what is no news is passed over.
    pub(super) fn doubt(self: &Arc<Self>, head: &SignedHead, log: &LogState) {
        let (told, end) = (head.head.position, log.end);
        let agrees = log.best.as_ref() == Some(head) || told == end;
        // Behind a fork that is known there are contradictions enough.
        let known = (log.quarantine).is_some_and(|fork| fork.at <= told.into());
        if agrees || known || told.epoch.no > end.epoch.no {
            return;
        }
        if (told.epoch == end.epoch && told.seq > end.seq) || !self.signed_by_origin(head) {
            return;
        }
        let (registry, head) = (self.clone(), *head);
        tokio::task::spawn_blocking(move || match registry.store.contradicts(&head, now()) {
            Ok(false) => {}
            Ok(true) => registry.forked(head.head.origin),
            Err(cause) => {
                let origin = head.head.origin;
                error!(log.origin = %origin, %cause, "the log of `{origin}` could not be read");
            }
        });
    }

    /// Tells that a log is forked, where that is so.
    pub(super) fn forked(&self, origin: NodeId) {
        let fork = self.store.log(origin).and_then(|log| log.quarantine);
        let Some(fork) = fork else { return };
        let (epoch, seq) = (fork.at.epoch, fork.at.seq);
        warn!(
            log.origin = %origin,
            "log `{origin}` is forked: two entries {epoch}/{seq} are signed, and nothing of it is applied from there on until its owner opens it again"
        );
        if origin == self.own.origin {
            self.stop_writing();
        }
    }
}
