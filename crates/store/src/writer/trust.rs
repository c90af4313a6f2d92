//! Trust in the own log: the mark is compared before a write, and what peers show of the log is judged.

use posko_ledger::{
    epoch::Position,
    standing::{self, Verdict},
};
use posko_proto::NodeId;
use rusqlite::Connection;

use super::{Transaction, Writer};
use crate::{
    StoreError,
    fork::Forks,
    log,
    mark::Compared,
    standing::{Asked, Cause, Claim, Kept, Unproven},
};

impl Writer {
    /// Compares the high-water mark, once a transaction: a machine can be rolled back while it runs.
    pub(crate) fn compare_mark(
        &self,
        connection: &Connection,
        transaction: &mut Transaction,
    ) -> Result<(), StoreError> {
        if std::mem::replace(&mut transaction.compared, true) {
            return Ok(());
        }
        let own = self.options.identity.origin;
        let found = match self.mark.compare() {
            Compared::Same => return Ok(()),
            Compared::Gone => None,
            Compared::Other(mark) => Some(mark),
        };
        let judged = match found {
            Some(mark) => Some(standing::Mark {
                unproven: mark.unproven,
                held: log::holds(connection, own, mark.end)?,
            }),
            None => None,
        };
        match (
            transaction.run.standing(&self.shared).on_other_mark(judged),
            found,
        ) {
            (Verdict::Trust, _) => {}
            (Verdict::Doubt, _) => {
                self.distrust(transaction, "the high-water mark is gone");
                if let Some(unproven) = &mut transaction.run.unproven {
                    unproven.rounds.ask_anew();
                }
            }
            (Verdict::Fence, Some(mark))
                if !mark.unproven || transaction.run.unproven.is_some() =>
            {
                let why = format!(
                    "the high-water mark is at {}, which is not here: the machine was rolled back, or another run writes",
                    mark.end
                );
                self.shared.fence(Cause::Mark, &why);
            }
            (Verdict::Fence, _) => {
                let why = "the high-water mark says that another run has begun";
                self.shared.fence(Cause::Mark, why);
            }
        }
        Ok(())
    }

    /// Returns where the own log ends.
    pub(super) fn own_end(&self, transaction: &Transaction) -> Position {
        let own = self.options.identity.origin;
        match transaction.logs.get(&own) {
            Some(log) => log.chain.end(),
            None => (self.shared.log(own)).map_or(Position::START, |log| log.chain.end()),
        }
    }

    /// Makes the start unproven, unless it is: everybody is to be asked.
    pub(super) fn distrust(&self, transaction: &mut Transaction, why: &str) {
        let unproven = &mut transaction.run.unproven;
        unproven.get_or_insert_with(|| Unproven::new(why, self.shared.latest()));
    }

    /// Proves the start when everybody was asked, and stores how it stands.
    pub(super) fn settle(&self, transaction: &mut Transaction) -> Result<(), StoreError> {
        if self.shared.fenced().is_none()
            && (transaction.run.unproven.as_mut())
                .is_some_and(|unproven| unproven.prove(&self.shared.accepted()))
        {
            transaction.run.unproven = None;
        }
        let kept = Kept::of(transaction.run.unproven.as_ref(), &self.shared);
        if kept != self.kept {
            kept.store(&self.connection)?;
        }
        Ok(())
    }

    pub(super) fn asked(
        &mut self,
        transaction: &mut Transaction,
        peer: NodeId,
        claim: &Claim,
        reply: Box<dyn FnOnce(Result<Asked, StoreError>) + Send>,
    ) {
        let asked = self.ask(transaction, peer, claim);
        if let Err(error) = &asked {
            self.fail_if_fatal(error);
        }
        (transaction.answers).push(Box::new(move |committed| reply(committed.and(asked))));
    }

    /// Takes what a peer shows of the own log.
    fn ask(
        &self,
        transaction: &mut Transaction,
        peer: NodeId,
        claim: &Claim,
    ) -> Result<Asked, StoreError> {
        let own = self.options.identity.origin;
        let epochs = log::epochs(&self.connection, own)?;
        let forks = (self.log_of(transaction, own)).map_or_else(Forks::default, |log| log.forks);
        let opens = (epochs.iter().map(|(_, open)| open)).chain(&claim.opens);
        let mut news = None;
        for claimed in claim.proven(&epochs, &self.options) {
            if !log::holds(&self.connection, own, claimed)? && !forks.is_evidence(claimed, &opens) {
                news = Some(claimed);
                break;
            }
        }
        let Some(claimed) = news else {
            return Ok(known(transaction, peer));
        };
        if self.forks_own(transaction, claim, claimed)? {
            return Ok(Asked::Fenced);
        }
        let why = format!("`{peer}` holds the log of `{own}` up to {claimed}, which is not here");
        let in_own_epoch = claimed.epoch == self.own_end(transaction).epoch;
        match transaction
            .run
            .standing(&self.shared)
            .on_unknown_entries(in_own_epoch)
        {
            Verdict::Fence => {
                let why = format!("another run of this node writes: {why}");
                self.shared.fence(Cause::Entries, &why);
                return Ok(Asked::Fenced);
            }
            Verdict::Doubt | Verdict::Trust => self.distrust(transaction, &why),
        }
        if let Some(unproven) = &mut transaction.run.unproven {
            unproven.rounds.ask_again();
        }
        Ok(Asked::More(claimed))
    }
}

/// Counts a peer as asked.
fn known(transaction: &mut Transaction, peer: NodeId) -> Asked {
    if let Some(unproven) = &mut transaction.run.unproven {
        unproven.rounds.knows_no_more(peer);
    }
    Asked::Known
}
