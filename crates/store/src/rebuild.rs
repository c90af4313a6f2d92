//! Building the views anew: beside the old ones, in slices between other work, then swapped in one transaction.

use std::collections::BTreeMap;

use posko_ledger::{chain::Identity, entry::EntryHeader};
use posko_proto::NodeId;
use rusqlite::{Connection, named_params};

use crate::{
    StoreError,
    aggregate::Areas,
    branch::{self, Segment},
    fold, log,
    view::{self, Tables},
};

/// How many entries are folded between other work.
const SLICE: usize = 2000;
/// Every class: the node folds what it holds.
const ALL_CLASSES: u32 = u32::MAX;

/// How far a rebuild is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many entries were folded.
    pub done: u64,
    /// How many there are.
    pub total: u64,
    /// Whether the new views are in use.
    pub swapped: bool,
}

pub(crate) struct Rebuild {
    started: bool,
    /// How many paths had changed when it began; after another it begins anew.
    switches: u64,
    folded: BTreeMap<NodeId, i64>,
    state: Progress,
    progress: Box<dyn FnMut(Result<Progress, StoreError>) + Send>,
}

impl Rebuild {
    pub(crate) fn new(progress: Box<dyn FnMut(Result<Progress, StoreError>) + Send>) -> Self {
        let state = Progress {
            done: 0,
            total: 0,
            swapped: false,
        };
        Self {
            started: false,
            switches: 0,
            folded: BTreeMap::new(),
            state,
            progress,
        }
    }

    /// Says whether it has begun.
    pub(crate) fn is_under_way(&self) -> bool {
        self.started
    }

    /// Tells its asker.
    pub(crate) fn tell(&mut self, progress: Result<Progress, StoreError>) {
        (self.progress)(progress);
    }

    /// Tells how far it is, and says whether it is over.
    pub(crate) fn report(&mut self) -> bool {
        self.tell(Ok(self.state));
        self.state.swapped
    }

    /// Folds one slice; when nothing is left, swaps.
    pub(crate) fn step(
        &mut self,
        connection: &Connection,
        own: &Identity,
        areas: &Areas,
        switches: u64,
    ) -> Result<(), StoreError> {
        if self.switches != switches {
            (self.started, self.switches) = (false, switches);
        }
        if !self.started {
            // One that failed may have left its tables.
            view::drop_tables(connection, Tables::NEW)?;
            view::create(connection, Tables::NEW)?;
            (self.started, self.state.done) = (true, 0);
            self.folded.clear();
        }
        let logs = log::load_all(connection, own)?;
        self.state.total = logs.values().map(|log| log.entries).sum();
        let mut left = SLICE;
        for (origin, log) in &logs {
            let path = branch::path(connection, *origin, (log.epoch_row, log.chain.end().seq))?;
            for segment in path {
                left -= self.fold_epoch(connection, areas, *origin, &segment, left)?;
                if left == 0 {
                    return Ok(());
                }
            }
        }
        view::swap(connection)?;
        self.state.swapped = true;
        Ok(())
    }

    fn fold_epoch(
        &mut self,
        connection: &Connection,
        areas: &Areas,
        origin: NodeId,
        segment: &Segment,
        most: usize,
    ) -> Result<usize, StoreError> {
        let folded = self.folded.entry(origin).or_insert(0);
        let first = log::pos(segment.row, 0).max(*folded);
        let mut entries = connection.prepare_cached(
            "SELECT header, salt, body, presence, entry.pos
             FROM entry LEFT JOIN payload USING (pos) LEFT JOIN payload_missing USING (pos)
             WHERE pos > :after AND pos <= :last
             ORDER BY pos
             LIMIT :most",
        )?;
        let mut rows = entries.query(named_params! {
            ":after": first,
            ":last": log::pos(segment.row, segment.upto),
            ":most": most as i64,
        })?;
        let mut count = 0;
        while let Some(entry) = rows.next()? {
            let record = log::record(entry, ALL_CLASSES)?;
            let header = EntryHeader::decode(&record.header)?;
            *folded = entry.get(4)?;
            // What this program did not know before, or was missing, has its place now.
            if fold::replica(
                connection,
                Tables::NEW,
                areas,
                origin,
                &header,
                &record.payload,
            )? {
                log::place(connection, origin, &header, *folded)?;
            }
            count += 1;
        }
        self.state.done += count as u64;
        Ok(count)
    }
}

/// Builds the views anew before the writer starts.
pub(crate) fn run(
    connection: &mut Connection,
    own: &Identity,
    areas: &Areas,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), StoreError> {
    let mut rebuild = Rebuild::new(Box::new(|_| {}));
    while !rebuild.state.swapped {
        let transaction = connection.transaction()?;
        rebuild.step(&transaction, own, areas, 0)?;
        transaction.commit()?;
        progress(rebuild.state);
    }
    Ok(())
}
