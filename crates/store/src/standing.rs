//! How far this node can trust that nothing of its own log was lost, and so what it may write.
//!
//! A start is clean when the file is there, is no backup copy and agrees with the high-water mark. After any other,
//! commands that only add run at once; scarce ones wait until every accepted peer was asked what it knows of the own
//! log, twice: while the last were asked, an entry may have moved from one of them to one that was asked before, and the
//! first may have lost it. Or until a named person accepts the risk for this run. A fenced run writes nothing more.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
};

use posko_domain::code::{Code, Refusal};
use posko_ledger::{
    epoch::{EpochOpen, Position},
    head::SignedHead,
    key::PublicKey,
    standing::{self, Doubt, Found, Rounds},
};
use posko_proto::{Id, NodeId, time::Millis};
use rusqlite::{Connection, named_params};

use crate::{
    Options, Shared, Start, Store, StoreError, arrival, log::LogMemory, mark::MarkFile, writer::Job,
};

/// How far this node can trust that nothing of its own log was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was lost: every command runs.
    Clean,
    /// Something may have been lost: scarce commands wait.
    Unproven {
        /// Why that is thought.
        why: String,
        /// Which accepted peers were not yet asked, or know more than is here yet.
        waiting: Vec<NodeId>,
        /// Since when; kept over later starts.
        since: Millis,
        /// Who let scarce commands run in this run all the same; none while nobody did.
        risk_accepted: Option<RiskAccepted>,
    },
    /// Another run of this node writes, or the machine was rolled back: nothing is written until the next start.
    Fenced {
        /// Why.
        why: String,
        /// Since when, by the last time that the store was told.
        since: Millis,
    },
}

/// A named person's word that scarce commands run in an unproven run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RiskAccepted {
    /// The account.
    pub by: Id,
    /// When it was recorded.
    pub at: Millis,
}

/// What a peer was found to know of the own log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Nothing that is not here.
    Known,
    /// This position, which is not here: the own log is to be pulled from that peer, which is then asked again.
    More(Position),
    /// An own epoch that this run did not open, though it writes already: nothing more is written.
    Fenced,
}

/// What a peer shows of the own log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// The heads that it holds: the best, and those of [`Store::branch_heads`]; none when it holds nothing.
    pub heads: Vec<SignedHead>,
    /// The epochs that it knows and that may not be known here.
    pub opens: Vec<EpochOpen>,
    /// The classes of payloads that the peer may have: it need not be asked for any other.
    pub classes: u32,
}

impl Claim {
    /// Returns how far the peer holds the log, highest first. What no key of this node signed is no claim: a peer can
    /// withhold, and cannot invent.
    pub(crate) fn proven(&self, known: &[(i64, EpochOpen)], options: &Options) -> Vec<Position> {
        let own = &options.identity;
        let mut keys = vec![options.log_key.public()];
        keys.extend(known.iter().map(|(_, open)| open.log_key));
        for open in &self.opens {
            let statement = open.statement();
            let may_open = |key: &PublicKey| key.verifies(&statement, &open.sig_auth);
            if open.log_key.verifies(&statement, &open.sig_new)
                && (may_open(&own.recovery) || keys.iter().any(may_open))
            {
                keys.push(open.log_key);
            }
        }
        let is_own = |head: &&SignedHead| {
            head.head.federation == own.federation
                && head.head.origin == own.origin
                && keys.iter().any(|key| head.verify(*key))
        };
        let mut claimed: Vec<Position> = (self.heads.iter().filter(is_own))
            .map(|head| head.head.position)
            .collect();
        claimed.sort_by_key(|at| std::cmp::Reverse((at.epoch, at.seq)));
        claimed
    }
}

/// Why a start is unproven, and who was asked since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unproven {
    pub(crate) since: Millis,
    pub(crate) why: String,
    pub(crate) rounds: Rounds<NodeId>,
    pub(crate) risk_accepted: Option<RiskAccepted>,
}

impl Unproven {
    pub(crate) fn new(why: &str, since: Millis) -> Self {
        Self {
            since,
            why: why.to_owned(),
            rounds: Rounds::default(),
            risk_accepted: None,
        }
    }

    /// Says whether every accepted peer was asked in two rounds. Where there is none, a named person's word is the
    /// proof.
    pub(crate) fn prove(&mut self, accepted: &BTreeSet<NodeId>) -> bool {
        if accepted.is_empty() {
            return self.risk_accepted.is_some();
        }
        self.rounds.finish(accepted)
    }

    /// Returns the refusal of a scarce command.
    pub(crate) fn refusal(&self, accepted: &BTreeSet<NodeId>) -> Refusal {
        let names: Vec<String> = (self.rounds.waiting(accepted).iter())
            .map(|node| format!("`{node}`"))
            .collect();
        let again = if self.rounds.is_second() {
            " again"
        } else {
            ""
        };
        let waiting = match names.split_last() {
            None => "no peer was accepted yet that could be asked".to_owned(),
            Some((last, [])) => format!("{last} not yet asked{again}"),
            Some((last, others)) => {
                format!("{} and {last} not yet asked{again}", others.join(", "))
            }
        };
        Refusal {
            code: Code::Unavailable,
            message: format!("waiting: {waiting}"),
        }
    }
}

/// What stops a run's writing; the first of these is told first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Cause {
    /// The log is forked: only its recovery key mends that.
    Fork,
    /// The high-water mark is not this run's.
    Mark,
    /// A peer holds entries of the log that this run did not write.
    Entries,
    /// Whoever runs the store says so.
    Told,
}

/// Why nothing is written any more.
#[derive(Clone, Default, Debug)]
pub(crate) struct Fence {
    reasons: BTreeMap<Cause, String>,
    since: Millis,
}

impl Fence {
    /// Returns all reasons as one text.
    fn why(&self) -> String {
        let reasons: Vec<&str> = self.reasons.values().map(String::as_str).collect();
        reasons.join("; ")
    }
}

impl Shared {
    /// Stops writing. Of each cause the first reason stays; of a fork the newest, which goes back furthest.
    pub(crate) fn fence(&self, cause: Cause, why: &str) {
        let mut fence = self.fence.write().unwrap_or_else(PoisonError::into_inner);
        let fence = fence.get_or_insert_with(|| Fence {
            since: self.latest(),
            ..Fence::default()
        });
        let reason = fence.reasons.entry(cause).or_default();
        if reason.is_empty() || cause == Cause::Fork {
            why.clone_into(reason);
        }
    }

    /// Returns why nothing is written any more, and since when.
    fn fence_now(&self) -> Option<(String, Millis)> {
        let fence = self.fence.read().unwrap_or_else(PoisonError::into_inner);
        fence.as_ref().map(|fence| (fence.why(), fence.since))
    }

    /// Returns why nothing is written any more.
    pub(crate) fn fenced(&self) -> Option<Refusal> {
        self.fence_now().map(|(message, _)| Refusal {
            code: Code::Unavailable,
            message,
        })
    }

    /// Returns whose cards are accepted.
    pub(crate) fn accepted(&self) -> BTreeSet<NodeId> {
        let accepted = self.accepted.read();
        accepted.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn publish_unproven(&self, unproven: Option<Unproven>) {
        *(self.unproven.write()).unwrap_or_else(PoisonError::into_inner) = unproven;
    }

    pub(crate) fn unproven(&self) -> Option<Unproven> {
        let unproven = self.unproven.read();
        unproven.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Store {
    /// Returns how far this node can trust that nothing of its own log was lost.
    pub fn standing(&self) -> Standing {
        let shared = &self.0.shared;
        if let Some((why, since)) = shared.fence_now() {
            return Standing::Fenced { why, since };
        }
        match shared.unproven() {
            None => Standing::Clean,
            Some(unproven) => Standing::Unproven {
                waiting: unproven.rounds.waiting(&shared.accepted()),
                why: unproven.why,
                since: unproven.since,
                risk_accepted: unproven.risk_accepted,
            },
        }
    }

    /// Takes what an accepted peer shows of the own log: before any own entry is released to it, and again after what
    /// it had more was pulled. `reply` runs on the writer's thread once the outcome is durable. A peer that holds no
    /// logs is told of with an empty claim.
    pub fn peer_asked(
        &self,
        peer: NodeId,
        claim: Claim,
        now: Millis,
        reply: impl FnOnce(Result<Asked, StoreError>) + Send + 'static,
    ) {
        self.0.shared.tell_time(now);
        self.0.shared.refused().may_have(peer, claim.classes);
        self.send(Job::Asked(peer, Box::new(claim), Box::new(reply)));
    }

    /// Stops writing the own log until the next start, which is unproven: another holds more of it than is here.
    /// Commands that were answered are still answered so; others are refused with all reasons.
    pub fn fence(&self, why: &str) {
        self.0.shared.fence(Cause::Told, why);
        self.send(Job::Settle);
    }
}

/// What the file keeps of the standing.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    unproven: Option<(Millis, String)>,
    fence: Option<String>,
}

impl Kept {
    pub(crate) fn of(unproven: Option<&Unproven>, shared: &Shared) -> Self {
        Self {
            unproven: unproven.map(|unproven| (unproven.since, unproven.why.clone())),
            fence: shared.fence_now().map(|(why, _)| why),
        }
    }

    pub(crate) fn store(&self, connection: &Connection) -> Result<(), StoreError> {
        connection
            .prepare_cached(
                "UPDATE node
                 SET copied_ms = NULL, unproven_ms = :since, unproven_why = :why, fence = :fence",
            )?
            .execute(named_params! {
                ":since": self.unproven.as_ref().map(|(since, _)| since.0),
                ":why": self.unproven.as_ref().map(|(_, why)| why),
                ":fence": self.fence,
            })?;
        Ok(())
    }
}

/// Finds out how this start stands, by what the file and the mark say; where the file is older than its node was, it is
/// noted in it that it does not tell what came since.
pub(crate) fn at_start(
    connection: &Connection,
    options: &Options,
    mark: &MarkFile,
    was_there: bool,
    own: Option<&LogMemory>,
) -> Result<Option<Unproven>, StoreError> {
    let (copied, since, why, fence): (Option<i64>, Option<i64>, Option<String>, Option<String>) =
        connection.query_row(
            "SELECT copied_ms, unproven_ms, unproven_why, fence FROM node",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
    let end = own.map_or(Position::START, |log| log.chain.end());
    let origin = options.identity.origin;
    let kept = match (&fence, &why, copied) {
        (Some(_), _, _) => Some(Doubt::Fenced),
        (None, Some(_), _) => Some(Doubt::Kept),
        (None, None, Some(_)) => Some(Doubt::Copied),
        (None, None, None) => None,
    };
    let mark = match mark.read() {
        Some(mark) => Some(standing::Mark {
            unproven: mark.unproven,
            held: crate::log::holds(connection, origin, mark.end)?,
        }),
        None => None,
    };
    let doubt = standing::at_start(Found {
        kept,
        was_there,
        is_new: options.start == Start::First && end.is_start(),
        mark,
    });
    let is_older = copied.is_some() || mark.is_none_or(|mark| !mark.held);
    if doubt.is_some() && (is_older || doubt == Some(Doubt::MarkUnproven)) {
        arrival::note_untold(connection, copied, options.now)?;
    }
    let since = since.map_or(options.now, Millis);
    Ok(doubt.map(|doubt| {
        let why = match doubt {
            Doubt::Fenced => format!("{doubt}: {}", fence.unwrap_or_default()),
            Doubt::Kept => why.unwrap_or_default(),
            _ => doubt.to_string(),
        };
        Unproven::new(&why, since)
    }))
}
