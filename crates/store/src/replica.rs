//! Whose logs this node takes: the accepted cards.

use std::{collections::BTreeSet, sync::PoisonError};

use posko_ledger::chain::Identity;
use posko_proto::{NodeId, time::Millis};
use rusqlite::{Connection, named_params};

use crate::{Store, StoreError, writer::Job};

/// An accepted card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The node.
    pub origin: NodeId,
    /// Its card's bytes, as accepted.
    pub card: Vec<u8>,
    /// When it was accepted.
    pub added_at: Millis,
}

impl Store {
    /// Accepts a node's card: its log may be held from now on. A log that is held keeps the recovery key that it was
    /// first accepted with, also after its card was removed: one with another key is
    /// [`StoreError::OtherRecoveryKey`].
    pub fn accept_peer(
        &self,
        identity: Identity,
        card: Vec<u8>,
        now: Millis,
    ) -> Result<(), StoreError> {
        if let Some(chain) = self.chain(identity.origin)
            && chain.identity().recovery != identity.recovery
        {
            return Err(StoreError::OtherRecoveryKey {
                origin: identity.origin,
            });
        }
        self.change(move |connection| {
            let origin = identity.origin;
            let recovery = identity.recovery.to_bytes();
            connection.execute(
                "INSERT OR IGNORE INTO origin(name, recovery) VALUES (:name, :recovery)",
                named_params! { ":name": origin.as_str(), ":recovery": recovery.as_slice() },
            )?;
            connection.execute(
                "INSERT INTO peer(origin, card, added_ms) VALUES (:origin, :card, :at)
                 ON CONFLICT (origin) DO UPDATE SET card = :card, added_ms = :at",
                named_params! { ":origin": origin.as_str(), ":card": card, ":at": now.0 },
            )?;
            Ok(())
        })?;
        self.0.shared.admit(identity);
        self.accepted_peers(|accepted| accepted.insert(identity.origin));
        Ok(())
    }

    /// Stops accepting a node; what was replicated stays. Says whether it was accepted.
    pub fn remove_peer(&self, origin: NodeId) -> Result<bool, StoreError> {
        let removed = self.change(move |connection| {
            let removed = connection.execute(
                "DELETE FROM peer WHERE origin = :origin",
                named_params! { ":origin": origin.as_str() },
            )?;
            Ok(removed > 0)
        })?;
        self.accepted_peers(|accepted| accepted.remove(&origin));
        Ok(removed)
    }

    /// Changes whose answers an unproven start waits for, and looks whether it still must.
    fn accepted_peers(&self, change: impl FnOnce(&mut BTreeSet<NodeId>) -> bool) {
        let accepted = &self.0.shared.accepted;
        change(&mut accepted.write().unwrap_or_else(PoisonError::into_inner));
        self.send(Job::Settle);
    }

    /// Returns the accepted cards.
    pub fn peers(&self) -> Result<Vec<Peer>, StoreError> {
        self.read(|connection| {
            let mut peers = connection
                .prepare_cached("SELECT origin, card, added_ms FROM peer ORDER BY origin")?;
            let rows = peers.query_map([], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, Vec<u8>>(1)?,
                    row.get::<_, i64>(2)?,
                ))
            })?;
            rows.map(|row| {
                let (origin, card, added) = row?;
                Ok(Peer {
                    origin: crate::node(&origin)?,
                    card,
                    added_at: Millis(added),
                })
            })
            .collect()
        })
    }

    /// Returns how many entries of a log were not folded: of unknown types, refused, and with missing payloads.
    pub fn unfolded(&self, origin: NodeId) -> Result<[u64; 3], StoreError> {
        self.read(|connection| {
            let mut counts = connection
                .prepare_cached("SELECT kind, entries FROM unfolded WHERE origin = :origin")?;
            let mut rows = counts.query(named_params! { ":origin": origin.as_str() })?;
            let mut unfolded = [0; 3];
            while let Some(row) = rows.next()? {
                let entries = row.get::<_, i64>(1)?.cast_unsigned();
                match row.get::<_, String>(0)?.as_str() {
                    "unknown" => unfolded[0] = entries,
                    "refused" => unfolded[1] = entries,
                    _ => unfolded[2] = entries,
                }
            }
            Ok(unfolded)
        })
    }
}

/// Reads whose cards are accepted.
pub(crate) fn accepted(connection: &Connection) -> Result<BTreeSet<NodeId>, StoreError> {
    let mut peers = connection.prepare("SELECT origin FROM peer")?;
    let rows = peers.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|row| crate::node(&row?)).collect()
}
