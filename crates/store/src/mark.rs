//! The high-water mark: a small file outside the database, which says how far the own log was committed here.
//!
//! It is written after each commit and without an fsync of its own, so it may lag behind the database: a mark behind
//! means nothing. A mark ahead means that the database, or the whole machine with it, is older than it was.
//! It reaches the disk at once when an epoch was opened and when the start became proven or unproven.

use std::{
    cell::Cell,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use posko_ledger::{
    chain::Identity,
    epoch::{Epoch, Position},
};
use sha2::{Digest, Sha256};

const PREFIX: &[u8; 14] = b"posko/mark/v1\0";
const SUM_BYTES: usize = 32;

/// What the mark says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    /// The end of the own log at the last commit.
    pub(crate) end: Position,
    /// Whether something may have been lost.
    pub(crate) unproven: bool,
}

/// What the file holds, compared with what this run left there.
pub(crate) enum Compared {
    /// The same.
    Same,
    /// It is gone, or cannot be read as this node's mark.
    Gone,
    /// Another mark of this node.
    Other(Mark),
}

pub(crate) struct MarkFile {
    path: PathBuf,
    /// The file's first bytes, which name the node.
    name: Vec<u8>,
    /// What stands in the file by this run; none before it wrote, and when the file was found gone.
    written: Cell<Option<Mark>>,
}

impl MarkFile {
    pub(crate) fn new(path: PathBuf, identity: &Identity) -> Self {
        let mut name = PREFIX.to_vec();
        name.extend_from_slice(&identity.federation);
        name.extend_from_slice(&identity.origin.padded());
        Self {
            path,
            name,
            written: Cell::new(None),
        }
    }

    /// Reads the mark; none when it is gone or is not this node's.
    pub(crate) fn read(&self) -> Option<Mark> {
        decode(&self.name, &fs::read(&self.path).ok()?)
    }

    /// Compares the file with what this run left there; one that is gone is written again with the next commit.
    pub(crate) fn compare(&self) -> Compared {
        match self.read() {
            None => {
                self.written.set(None);
                Compared::Gone
            }
            found if found == self.written.get() => Compared::Same,
            Some(mark) => Compared::Other(mark),
        }
    }

    /// Writes the mark unless it stands there already; it is on the disk when the state or the epoch changed.
    pub(crate) fn write(&self, mark: Mark) -> io::Result<()> {
        if self.written.get() == Some(mark) {
            return Ok(());
        }
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&self.path)?;
        file.write_all(&encode(&self.name, mark))?;
        let changed = self.written.get().is_none_or(|written| {
            written.unproven != mark.unproven || written.end.epoch != mark.end.epoch
        });
        if changed {
            file.sync_all()?;
            sync_directory(&self.path)?;
        }
        self.written.set(Some(mark));
        Ok(())
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => File::open(directory)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn encode(name: &[u8], mark: Mark) -> Vec<u8> {
    let mut bytes = name.to_vec();
    bytes.push(mark.unproven.into());
    bytes.extend_from_slice(&mark.end.epoch.no.to_be_bytes());
    bytes.extend_from_slice(&mark.end.epoch.nonce);
    bytes.extend_from_slice(&mark.end.seq.to_be_bytes());
    bytes.extend_from_slice(&mark.end.hash);
    let sum: [u8; SUM_BYTES] = Sha256::digest(&bytes).into();
    bytes.extend_from_slice(&sum);
    bytes
}

fn decode(name: &[u8], bytes: &[u8]) -> Option<Mark> {
    let (content, sum) = bytes.split_last_chunk::<SUM_BYTES>()?;
    if Sha256::digest(content).as_slice() != sum {
        return None;
    }
    let (unproven, rest) = content.strip_prefix(name)?.split_first()?;
    let (no, rest) = rest.split_first_chunk()?;
    let (nonce, rest) = rest.split_first_chunk()?;
    let (seq, rest) = rest.split_first_chunk()?;
    let hash = rest.try_into().ok()?;
    Some(Mark {
        end: Position {
            epoch: Epoch {
                no: u64::from_be_bytes(*no),
                nonce: *nonce,
            },
            seq: u64::from_be_bytes(*seq),
            hash,
        },
        unproven: *unproven != 0,
    })
}
