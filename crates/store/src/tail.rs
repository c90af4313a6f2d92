//! The own log's newest commits, in memory: what a follower that keeps up asks for, without a read of the file.

use std::collections::VecDeque;

use posko_ledger::{
    MAX_GROUP_ENTRIES,
    entry::{EntryHeader, Payload, Record},
    epoch::Position,
    head::SignedHead,
};

use crate::Page;

/// The most bytes that are kept; an older commit is read from the file.
const MAX_BYTES: usize = 1024 * 1024;

/// The newest commits of one epoch, oldest first.
#[derive(Default)]
pub(crate) struct Tail {
    commits: VecDeque<Commit>,
    entries: usize,
    bytes: usize,
}

struct Commit {
    before: Position,
    records: Vec<Record>,
    bytes: usize,
    head: SignedHead,
}

impl Tail {
    /// Takes what a commit added; one that opened an epoch is read from the file.
    pub(crate) fn push(&mut self, before: Position, records: Vec<Record>, head: SignedHead) {
        let follows = self
            .commits
            .back()
            .is_none_or(|last| last.head.head.position == before);
        if before.epoch != head.head.position.epoch || !follows {
            *self = Self::default();
            return;
        }
        let bytes = records.iter().map(Record::encoded_len).sum();
        self.entries += records.len();
        self.bytes += bytes;
        self.commits.push_back(Commit {
            before,
            records,
            bytes,
            head,
        });
        while (self.entries > MAX_GROUP_ENTRIES || self.bytes > MAX_BYTES)
            && let Some(oldest) = self.commits.pop_front()
        {
            self.entries -= oldest.records.len();
            self.bytes -= oldest.bytes;
        }
    }

    /// Returns the whole commits after a position that was an end, as many as fit; none when that is not known here or
    /// not even one fits.
    pub(crate) fn page(
        &self,
        after: Position,
        max_entries: usize,
        max_bytes: usize,
        classes: u32,
    ) -> Option<Page> {
        let start = self
            .commits
            .iter()
            .position(|commit| commit.before == after)?;
        let mut page = Page {
            opens: Vec::new(),
            prev: after,
            records: Vec::new(),
            head: None,
        };
        let mut bytes = 0;
        for commit in self.commits.iter().skip(start) {
            bytes += commit.bytes;
            if page.records.len() + commit.records.len() > max_entries || bytes > max_bytes {
                break;
            }
            page.records.extend(
                commit
                    .records
                    .iter()
                    .map(|record| for_classes(record, classes)),
            );
            page.head = Some(commit.head);
        }
        page.head.is_some().then_some(page)
    }
}

/// Returns the record, its payload withheld unless it is of one of the classes.
fn for_classes(record: &Record, classes: u32) -> Record {
    let given =
        EntryHeader::decode(&record.header).is_ok_and(|header| header.class.bit() & classes != 0);
    Record {
        header: record.header,
        payload: if given {
            record.payload.clone()
        } else {
            Payload::Withheld
        },
    }
}
