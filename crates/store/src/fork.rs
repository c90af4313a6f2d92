//! Forked logs: the proofs that are held, what they forbid, and how they are made of what is held.
//!
//! A proof changes nothing of what was applied: it stays, disputed. Nothing past the last common entry is applied any
//! more, until the log goes on from there in an epoch that the recovery key opened.

use posko_ledger::{
    Hash,
    chain::{Identity, VerifiedGroup},
    engine::Reach,
    entry::HEADER_BYTES,
    epoch::{Epoch, EpochOpen, Position},
    fork::{ForkError, ForkProof, MAX_FORK_HEADERS, Side, Statement, lineage},
    head::SignedHead,
};
use posko_proto::{NodeId, time::Millis};
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::{
    Store, StoreError,
    branch::{self, Segment},
    log::{self, LogMemory},
    writer::{ForkJob, Job},
};

/// The most epochs of a log of which a proof is kept; an origin that forks more is quarantined by those.
const MAX_PROOFS: usize = 64;

/// Since when, and from where, a log is in quarantine: two of its entries were signed for one place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quarantine {
    /// The first entry that is known to have been written twice, by its epoch and number.
    pub at: Reach,
    /// Since when the proof is held.
    pub since: Millis,
    /// What names the proof.
    pub id: Hash,
}

/// Why a fork proof was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ForkRefused {
    /// No card of that origin was accepted.
    #[error("no card of `{0}` was accepted")]
    NoSuchOrigin(NodeId),
    /// It proves nothing.
    #[error(transparent)]
    Proof(#[from] ForkError),
    /// The file.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for ForkRefused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The proofs held of one log.
#[derive(Clone, Default, Debug)]
pub(crate) struct Forks {
    /// The lowest forked entry of each forked epoch.
    pub(crate) held: Vec<Quarantine>,
    /// The one that the log's path, as it is applied, runs into.
    pub(crate) quarantine: Option<Quarantine>,
}

impl Forks {
    /// Reads the proofs of a log, and whether its end is one that nobody may go on from.
    pub(crate) fn load(
        connection: &Connection,
        origin: NodeId,
        end: (i64, u64),
    ) -> Result<Self, StoreError> {
        let mut proofs = connection.prepare_cached(
            "SELECT no, nonce, at_seq, id, found_ms FROM fork_proof WHERE origin = :origin ORDER BY no, nonce",
        )?;
        let rows = proofs.query_map(named_params! { ":origin": origin.as_str() }, |row| {
            Ok(Quarantine {
                at: Reach {
                    epoch: Epoch {
                        no: row.get::<_, i64>(0)?.cast_unsigned(),
                        nonce: row.get(1)?,
                    },
                    seq: row.get::<_, i64>(2)?.cast_unsigned(),
                },
                id: row.get(3)?,
                since: Millis(row.get(4)?),
            })
        })?;
        let held = rows.collect::<Result<Vec<_>, _>>()?;
        let mut forks = Self {
            held,
            quarantine: None,
        };
        if !forks.held.is_empty() {
            let path = branch::path(connection, origin, end)?;
            let last = path.last().map(|segment| segment.open.epoch);
            forks.quarantine = path.iter().find_map(|Segment { open, upto, .. }| {
                let fork = forks.of(open.epoch)?;
                // At its end nobody may go on, though it came not as far.
                (*upto >= fork.at.seq || Some(open.epoch) == last).then_some(fork)
            });
        }
        Ok(forks)
    }

    /// Returns the proof of an epoch.
    fn of(&self, epoch: Epoch) -> Option<Quarantine> {
        self.held
            .iter()
            .find(|fork| fork.at.epoch == epoch)
            .copied()
    }

    /// Returns the proof of an epoch, if this entry of it lies at or after the one that was written twice.
    pub(crate) fn at_or_before(&self, epoch: Epoch, seq: u64) -> Option<Quarantine> {
        self.of(epoch).filter(|fork| fork.at.seq <= seq)
    }

    /// Says whether a place is on a branch that another machine wrote, of a log that has gone on from before it: it is
    /// evidence, and nothing that the log lacks. `opens` are the epochs that are known to lead there.
    pub(crate) fn is_evidence<'o>(
        &self,
        at: Position,
        opens: &(impl Iterator<Item = &'o EpochOpen> + Clone),
    ) -> bool {
        if self.quarantine.is_some() || self.held.is_empty() {
            return false;
        }
        let (mut epoch, mut seq) = (at.epoch, at.seq);
        loop {
            if self.at_or_before(epoch, seq).is_some() {
                return true;
            }
            // Each step goes to an epoch of a lower number.
            let open = opens.clone().find(|open| open.epoch == epoch);
            let Some(open) = open.filter(|open| open.parent.epoch.no < epoch.no) else {
                return false;
            };
            (epoch, seq) = (open.parent.epoch, open.parent.seq);
        }
    }

    /// Returns the lowest entry of an epoch that is known to be forked.
    pub(crate) fn forked_at(&self, epoch: Epoch) -> Option<u64> {
        self.of(epoch).map(|fork| fork.at.seq)
    }

    /// Returns the fork that a group lies at or after.
    pub(crate) fn forbids(
        &self,
        connection: &Connection,
        group: &VerifiedGroup,
    ) -> Result<Option<Quarantine>, StoreError> {
        if self.held.is_empty() {
            return Ok(None);
        }
        let origin = group.chain().identity().origin;
        let (before, end) = (group.before(), group.chain().end());
        let row = log::row_of(connection, origin, before)?.unwrap_or_default();
        let path = branch::path(connection, origin, (row, before.seq))?;
        let held = path
            .iter()
            .map(|segment| (segment.open.epoch, segment.upto));
        // Of the epochs that it opens all but the last are empty.
        let opened = group.opens().iter().map(|open| (open.epoch, 0));
        let last = std::iter::once((end.epoch, end.seq));
        let mut reached = held.chain(opened).chain(last);
        Ok(reached.find_map(|(epoch, upto)| self.at_or_before(epoch, upto)))
    }
}

/// Keeps a proof that holds, unless the same epoch is known to be forked as early; says whether it is news.
pub(crate) fn keep(
    connection: &Connection,
    identity: &Identity,
    forks: &Forks,
    proof: &ForkProof,
    now: Millis,
) -> Result<bool, ForkRefused> {
    let id = proof.id();
    if forks.held.iter().any(|fork| fork.id == id) {
        return Ok(false);
    }
    let known: Vec<EpochOpen> = (log::epochs(connection, identity.origin)?.into_iter())
        .map(|(_, open)| open)
        .collect();
    let forked = proof.verify(identity, &known)?;
    let lowest = forks.forked_at(forked.epoch);
    let room = lowest.is_some() || forks.held.len() < MAX_PROOFS;
    if !room || lowest.is_some_and(|at| at <= forked.at_seq) {
        return Ok(false);
    }
    connection
        .prepare_cached(
            "INSERT INTO fork_proof(origin, no, nonce, at_seq, id, proof, found_ms)
             VALUES (:origin, :no, :nonce, :at, :id, :proof, :now)
             ON CONFLICT (origin, no, nonce) DO UPDATE SET at_seq = :at, id = :id, proof = :proof",
        )?
        .execute(named_params! {
            ":origin": identity.origin.as_str(),
            ":no": forked.epoch.no.cast_signed(),
            ":nonce": forked.epoch.nonce.as_slice(),
            ":at": forked.at_seq.cast_signed(),
            ":id": id.as_slice(),
            ":proof": proof.encode(),
            ":now": now.0,
        })?;
    Ok(true)
}

/// Returns the proof that a group makes with what is held, where another entry or opening stands at one of its places.
pub(crate) fn by_group(
    connection: &Connection,
    log: &LogMemory,
    group: &VerifiedGroup,
) -> Result<Option<ForkProof>, StoreError> {
    let origin = group.chain().identity().origin;
    let epochs = log::epochs(connection, origin)?;
    if let Some(proof) = by_openings(&epochs, origin, group.opens()) {
        return Ok(Some(proof));
    }
    let end = group.chain().end();
    let Some((row, _)) = epochs.iter().find(|(_, open)| open.epoch == end.epoch) else {
        return Ok(None);
    };
    for (index, (header, _, hash)) in group.entries().enumerate() {
        let stored = log::entry_at(connection, log::pos(*row, header.seq))?;
        let Some((_, stored)) = stored.filter(|(_, stored)| stored != hash) else {
            continue;
        };
        let theirs = Side {
            statement: Statement::Head(Box::new(*group.head())),
            hash: *hash,
            headers: (group.entries().skip(index + 1))
                .map(|(_, record, _)| record.header)
                .collect(),
        };
        let ours = side(connection, log, &epochs, *row, header.seq, stored)?;
        return Ok(ours.map(|ours| proof(&epochs, origin, end.epoch, header.seq, [ours, theirs])));
    }
    Ok(None)
}

/// Returns the proof that openings make with those that are known, where one epoch was opened twice.
pub(crate) fn by_openings(
    epochs: &[(i64, EpochOpen)],
    origin: NodeId,
    opens: &[EpochOpen],
) -> Option<ForkProof> {
    let opening = |open: &EpochOpen| Side {
        statement: Statement::Opening(Box::new(open.clone())),
        hash: open.hash(),
        headers: Vec::new(),
    };
    opens.iter().find_map(|open| {
        let (_, known) = epochs.iter().find(|(_, known)| known.epoch == open.epoch)?;
        let sides = [opening(known), opening(open)];
        let is_other = known.statement() != open.statement();
        is_other.then(|| proof(epochs, origin, open.parent.epoch, 0, sides))
    })
}

/// Returns the proof that a head makes with what is held: another entry stands here at its place. Its signature is
/// checked when the proof is kept.
pub(crate) fn by_head(
    connection: &Connection,
    log: &LogMemory,
    head: &SignedHead,
) -> Result<Option<ForkProof>, StoreError> {
    let origin = log.chain.identity().origin;
    let at = head.head.position;
    let epochs = log::epochs(connection, origin)?;
    let Some((row, _)) = epochs.iter().find(|(_, open)| open.epoch == at.epoch) else {
        return Ok(None);
    };
    let stored = log::entry_at(connection, log::pos(*row, at.seq))?;
    let Some((_, stored)) = stored.filter(|(_, stored)| *stored != at.hash) else {
        return Ok(None);
    };
    let theirs = Side {
        statement: Statement::Head(Box::new(*head)),
        hash: at.hash,
        headers: Vec::new(),
    };
    let ours = side(connection, log, &epochs, *row, at.seq, stored)?;
    Ok(ours.map(|ours| proof(&epochs, origin, at.epoch, at.seq, [ours, theirs])))
}

fn proof(
    epochs: &[(i64, EpochOpen)],
    origin: NodeId,
    epoch: Epoch,
    at_seq: u64,
    sides: [Side; 2],
) -> ForkProof {
    let opens: Vec<EpochOpen> = epochs.iter().map(|(_, open)| open.clone()).collect();
    ForkProof {
        origin,
        at_seq,
        opens: lineage(&opens, epoch),
        sides,
    }
}

/// Returns the chain that is held here from an entry to the next signed statement: a head, or an opening that goes on
/// from there.
fn side(
    connection: &Connection,
    log: &LogMemory,
    epochs: &[(i64, EpochOpen)],
    row: i64,
    seq: u64,
    hash: Hash,
) -> Result<Option<Side>, StoreError> {
    let kept: Option<Vec<u8>> = connection
        .prepare_cached(
            "SELECT signed FROM head WHERE pos >= :at AND pos < :end ORDER BY pos LIMIT 1",
        )?
        .query_row(
            named_params! { ":at": log::pos(row, seq), ":end": log::pos(row + 1, 0) },
            |row| row.get(0),
        )
        .optional()?;
    let kept = kept.map(|signed| SignedHead::decode(&signed)).transpose()?;
    let newest = log.head.filter(|_| log.epoch_row == row);
    let heads = (kept.into_iter().chain(newest)).map(|head| Statement::Head(Box::new(head)));
    let epoch = epochs.iter().find(|(id, _)| *id == row);
    let children = (epochs.iter())
        .filter(|(_, open)| epoch.is_some_and(|(_, of)| of.epoch == open.parent.epoch))
        .map(|(_, open)| Statement::Parent(Box::new(open.clone())));
    let Some(statement) = (heads.chain(children))
        .filter(|statement| statement.position().seq >= seq)
        .min_by_key(|statement| statement.position().seq)
    else {
        return Ok(None);
    };
    let upto = statement.position().seq;
    if upto - seq > (MAX_FORK_HEADERS / 2) as u64 {
        return Ok(None);
    }
    let mut headers = connection
        .prepare_cached("SELECT header FROM entry WHERE pos > :at AND pos <= :last ORDER BY pos")?;
    let rows = headers.query_map(
        named_params! { ":at": log::pos(row, seq), ":last": log::pos(row, upto) },
        |row| row.get::<_, [u8; HEADER_BYTES]>(0),
    )?;
    Ok(Some(Side {
        statement,
        hash,
        headers: rows.collect::<Result<_, _>>()?,
    }))
}

/// Returns where a forked own log goes on: the last entry before the fork, on the way to its end, or the start of all.
/// None where the log did not come as far as the fork.
pub(crate) fn last_common(
    connection: &Connection,
    log: &LogMemory,
) -> Result<Option<(i64, Position)>, StoreError> {
    let origin = log.chain.identity().origin;
    let end = (log.epoch_row, log.chain.end().seq);
    for Segment { row, open, upto } in branch::path(connection, origin, end)? {
        let Some(at) = log.forks.forked_at(open.epoch).filter(|at| *at <= upto) else {
            continue;
        };
        return Ok(match at {
            0 if open.parent.is_start() => Some((0, Position::START)),
            0 => log::row_of(connection, origin, open.parent)?.map(|row| (row, open.parent)),
            at => {
                let seq = at - 1;
                let entry = log::entry_at(connection, log::pos(row, seq))?;
                let hash = entry.map_or_else(|| open.hash(), |(_, hash)| hash);
                let epoch = open.epoch;
                Some((row, Position { epoch, seq, hash }))
            }
        });
    }
    Ok(None)
}

impl Store {
    /// Takes a fork proof that came from a peer; `reply` runs on the writer's thread once it is durable, and says whether
    /// it was news.
    pub fn take_fork(
        &self,
        proof: ForkProof,
        now: Millis,
        reply: impl FnOnce(Result<bool, ForkRefused>) + Send + 'static,
    ) {
        self.0.shared.tell_time(now);
        let job = ForkJob::Take(Box::new(proof), Box::new(reply));
        self.send(Job::Fork(job, now));
    }

    /// Looks whether a head that was heard contradicts the log as it is held here, and makes the proof that the log is
    /// forked when it does: the head's signature is checked then. Says whether it does.
    pub fn contradicts(&self, head: &SignedHead, now: Millis) -> Result<bool, StoreError> {
        let Some(log) = self.0.shared.log(head.head.origin) else {
            return Ok(false);
        };
        let proof = self.read(|connection| by_head(connection, &log, head))?;
        let contradicts = proof.is_some();
        if let Some(proof) = proof {
            // Nobody waits for it: what the proof comes to is seen in the log's state.
            self.take_fork(proof, now, drop);
        }
        Ok(contradicts)
    }

    /// Returns a fork proof that is held.
    pub fn fork(&self, origin: NodeId, id: Hash) -> Result<Option<ForkProof>, StoreError> {
        let proof: Option<Vec<u8>> = self.read(|connection| {
            Ok(connection
                .prepare_cached("SELECT proof FROM fork_proof WHERE origin = :origin AND id = :id")?
                .query_row(
                    named_params! { ":origin": origin.as_str(), ":id": id.as_slice() },
                    |row| row.get(0),
                )
                .optional()?)
        })?;
        let what = "a fork proof";
        (proof.map(|bytes| ForkProof::decode(&bytes)).transpose())
            .map_err(|_| StoreError::Corrupt { what })
    }
}
