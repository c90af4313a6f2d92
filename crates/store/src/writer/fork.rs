//! What the writer does with forked logs: it keeps proofs, makes them, and opens the own log again.

use std::sync::Arc;

use posko_ledger::{
    chain::VerifiedGroup,
    epoch::{Epoch, EpochOpen, Position, Reason, UNPROVEN},
    fork::ForkProof,
    key::SecretKey,
};
use posko_proto::{NodeId, time::Millis};
use rusqlite::Connection;

use super::{Transaction, Writer, savepoint};
use crate::{
    StoreError, branch,
    error::ApplyError,
    fork::{self, ForkRefused, Forks, Quarantine},
    log::{self, LogMemory},
    standing::{Cause, Claim},
};

/// What the writer does with forked logs.
pub(crate) enum ForkJob {
    /// Keeps a proof that came from a peer.
    Take(
        Box<ForkProof>,
        Box<dyn FnOnce(Result<bool, ForkRefused>) + Send>,
    ),
    /// Opens the own log again.
    Reopen(
        Arc<SecretKey>,
        Box<dyn FnOnce(Result<u64, ReopenRefused>) + Send>,
    ),
}

impl ForkJob {
    /// Answers a job that will not be done.
    pub(super) fn refuse(self, why: StoreError) {
        match self {
            Self::Take(_, reply) => reply(Err(why.into())),
            Self::Reopen(_, reply) => reply(Err(why.into())),
        }
    }
}

impl Writer {
    /// Returns a log as this transaction has it.
    pub(super) fn log_of(&self, transaction: &Transaction, origin: NodeId) -> Option<LogMemory> {
        (transaction.logs.get(&origin).cloned()).or_else(|| self.shared.log(origin))
    }

    pub(super) fn fork(&mut self, transaction: &mut Transaction, job: ForkJob, now: Millis) {
        match job {
            ForkJob::Take(proof, reply) => {
                let kept = self.keep_fork(transaction, &proof, now);
                if let Err(ForkRefused::Store(error)) = &kept {
                    self.fail_if_fatal(error);
                }
                (transaction.answers).push(Box::new(move |committed| {
                    reply(committed.map_err(ForkRefused::from).and(kept));
                }));
            }
            ForkJob::Reopen(recovery, reply) => {
                let reopened = self.open_fork(transaction, &recovery, now);
                if let Err(ReopenRefused::Store(error)) = &reopened {
                    self.fail_if_fatal(error);
                }
                (transaction.answers).push(Box::new(move |committed| {
                    reply(committed.map_err(ReopenRefused::from).and(reopened));
                }));
            }
        }
    }

    /// Says whether what a peer shows of the own log proves that another run wrote the same epoch; the proof is kept.
    pub(super) fn forks_own(
        &self,
        transaction: &mut Transaction,
        claim: &Claim,
        claimed: Position,
    ) -> Result<bool, StoreError> {
        let own = self.options.identity.origin;
        let (Some(log), Some(head)) = (
            self.log_of(transaction, own),
            (claim.heads.iter()).find(|head| head.head.position == claimed),
        ) else {
            return Ok(false);
        };
        let epochs = log::epochs(&self.connection, own)?;
        let proof = match fork::by_openings(&epochs, own, &claim.opens) {
            Some(proof) => Some(proof),
            None => fork::by_head(&self.connection, &log, head)?,
        };
        let Some(proof) = proof else {
            return Ok(false);
        };
        match self.keep_fork(transaction, &proof, self.shared.latest()) {
            Ok(_) => Ok(true),
            Err(ForkRefused::Store(error)) => Err(error),
            Err(ForkRefused::NoSuchOrigin(_) | ForkRefused::Proof(_)) => Ok(false),
        }
    }

    /// Keeps a proof, and stops writing where it is about the own log.
    fn keep_fork(
        &self,
        transaction: &mut Transaction,
        proof: &ForkProof,
        now: Millis,
    ) -> Result<bool, ForkRefused> {
        let origin = proof.origin;
        let mut log =
            (self.log_of(transaction, origin)).ok_or(ForkRefused::NoSuchOrigin(origin))?;
        let identity = *log.chain.identity();
        let forks = savepoint(&self.connection, |connection| {
            if !fork::keep(connection, &identity, &log.forks, proof, now)? {
                return Ok::<_, ForkRefused>(None);
            }
            let end = (log.epoch_row, log.chain.end().seq);
            Ok(Some(Forks::load(connection, origin, end)?))
        })?;
        let Some(forks) = forks else {
            return Ok(false);
        };
        log.forks = forks;
        self.fence_if_forked(&log);
        transaction.logs.insert(origin, log);
        Ok(true)
    }

    /// Stops writing where the own log is in quarantine.
    pub(super) fn fence_if_forked(&self, log: &LogMemory) {
        let own = self.options.identity.origin;
        if let Some(fork) = log
            .forks
            .quarantine
            .filter(|_| log.chain.identity().origin == own)
        {
            self.shared.fence(Cause::Fork, &forked_why(own, fork));
        }
    }

    /// Refuses a group that lies at or after a proven fork, or that proves one; the proof is kept.
    pub(super) fn refuse_forked(
        &mut self,
        transaction: &mut Transaction,
        log: &LogMemory,
        group: &VerifiedGroup,
        now: Millis,
    ) -> Result<(), ApplyError> {
        let forbidden = log.forks.forbids(&self.connection, group)?;
        if forbidden.is_none() && group.opens().is_empty() && log.chain.end() == group.before() {
            return Ok(());
        }
        if let Some(proof) = fork::by_group(&self.connection, log, group)? {
            // One that is no news is of a fork that is known, and one that does not hold is of damage here.
            if let Err(ForkRefused::Store(error)) = self.keep_fork(transaction, &proof, now) {
                return Err(error.into());
            }
            return Err(ApplyError::Forked {
                epoch: proof.epoch(),
                seq: proof.at_seq,
            });
        }
        match forbidden {
            Some(fork) => Err(ApplyError::Forked {
                epoch: fork.at.epoch,
                seq: fork.at.seq,
            }),
            None => Ok(()),
        }
    }

    /// Lets the own log go on from before its fork, in an epoch that the recovery key opens, or begin anew where its first
    /// epoch was opened twice; returns how many entries are left out.
    fn open_fork(
        &mut self,
        transaction: &mut Transaction,
        recovery: &SecretKey,
        now: Millis,
    ) -> Result<u64, ReopenRefused> {
        let own = self.options.identity.origin;
        if recovery.public() != self.options.identity.recovery {
            return Err(ReopenRefused::OtherKey(own));
        }
        let log = self.log_of(transaction, own);
        let Some(log) = log.filter(|log| log.forks.quarantine.is_some()) else {
            return Err(ReopenRefused::NotForked(own));
        };
        let log = savepoint(&self.connection, |connection| {
            self.go_on_before(connection, transaction, log, recovery, now)
        })?;
        let cut = log.cut;
        self.switches += 1;
        transaction.run.opened = false;
        transaction.logs.insert(own, log);
        Ok(cut)
    }

    fn go_on_before(
        &self,
        connection: &Connection,
        transaction: &Transaction,
        mut log: LogMemory,
        recovery: &SecretKey,
        now: Millis,
    ) -> Result<LogMemory, ReopenRefused> {
        let identity = self.options.identity;
        let own = identity.origin;
        log.keep_head(connection)?;
        let common = fork::last_common(connection, &log)?;
        // It may not have come as far as the fork.
        let (row, parent) = common.unwrap_or((log.epoch_row, log.chain.end()));
        let what = "the own log before its fork";
        let anew = parent.is_start();
        if log.chain.end() != parent {
            let chain = branch::chain_at(connection, identity, parent)?;
            log.chain = chain.ok_or(StoreError::Corrupt { what })?;
            log.epoch_row = row;
            log.head = None;
            if !anew {
                log = branch::switch(connection, &self.options.areas, log, true)?;
            }
        }
        if log.is_unsigned() {
            self.sign(&mut log)?;
        }
        // No later head vouches for the end of what goes before.
        log.keep_head(connection)?;
        let flags = match transaction.run.unproven {
            Some(_) => UNPROVEN,
            None => 0,
        };
        let epoch = Epoch {
            no: log::next_epoch_no(connection, own)?,
            nonce: self.options.epoch_nonce,
        };
        let (key, wall_ms) = (&self.options.log_key, now.0.cast_unsigned());
        let open = EpochOpen::sign(
            identity.federation,
            own,
            epoch,
            parent,
            Reason::Fork,
            flags,
            wall_ms,
            key,
            recovery,
        );
        log.chain.open(&open).map_err(StoreError::from)?;
        log.store_epoch(connection, &open)?;
        if anew {
            // Its first epoch was written twice: nothing is before it where the cursor could have stood.
            return Ok(branch::switch(connection, &self.options.areas, log, true)?);
        }
        log.store_cursor(connection, parent)?;
        log.forks = Forks::load(connection, own, (log.epoch_row, 0))?;
        Ok(log)
    }
}

/// Says in words why a forked log is not written, and what to do.
pub(crate) fn forked_why(own: NodeId, fork: Quarantine) -> String {
    let place = format!("{}/{}", fork.at.epoch, fork.at.seq);
    format!(
        "two runs of `{own}` wrote entry {place} of its log: stop the other, then run `posko log reopen` with the recovery key"
    )
}

/// Why a log was not opened again.
#[derive(Debug, thiserror::Error)]
pub enum ReopenRefused {
    /// It is not forked.
    #[error("the log of `{0}` is not forked: there is nothing to open again")]
    NotForked(NodeId),
    /// The key is not this node's recovery key.
    #[error("this is not the recovery key of `{0}`")]
    OtherKey(NodeId),
    /// The file.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for ReopenRefused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}
