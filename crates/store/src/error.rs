//! What can go wrong with the file.

use posko_ledger::{
    Malformed,
    chain::ChainError,
    entry::BadRecord,
    epoch::{Epoch, Position},
};
use posko_proto::NodeId;

/// What can go wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite says so.
    #[error("sqlite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A stored value is not what it must be.
    #[error("{what} in the file is not what it must be")]
    Corrupt {
        /// What.
        what: &'static str,
    },
    /// Stored bytes cannot be read.
    #[error("stored bytes: {0}")]
    Malformed(#[from] Malformed),
    /// A stored record cannot be read.
    #[error("stored record: {0}")]
    Record(#[from] BadRecord),
    /// A stored log does not hold together.
    #[error("stored log: {0}")]
    Chain(#[from] ChainError),
    /// The file is another node's.
    #[error(
        "the file belongs to node `{found}` of another federation or origin, not to `{expected}`"
    )]
    OtherNode {
        /// Whose it should be.
        expected: String,
        /// Whose it is.
        found: String,
    },
    /// The file is newer than the program.
    #[error("the file has version {found}, this program knows {known}: install a newer program")]
    Newer {
        /// The file's version.
        found: u32,
        /// The newest known.
        known: u32,
    },
    /// SQLite is too old: versions before 3.51.3 can lose a WAL reset.
    #[error("sqlite {0} is older than 3.51.3, which first resets its log safely")]
    OldSqlite(String),
    /// The first epoch needs the recovery key.
    #[error(
        "the first epoch of a log needs the recovery key, which is not in the node's directory"
    )]
    NoRecoveryKey,
    /// A card names another recovery key than the one that its log was first accepted with.
    #[error(
        "the log of `{origin}` keeps the recovery key that it was first accepted with, and the card has another: a node whose keys were all lost joins under a new origin name"
    )]
    OtherRecoveryKey {
        /// Whose card it is.
        origin: NodeId,
    },
    /// The log key is not the one that the log names.
    #[error("the log key in the node's directory is not the one that the log's last epoch names")]
    OtherLogKey,
    /// The writer's thread could not start.
    #[error("start the writer's thread: {0}")]
    Thread(#[source] std::io::Error),
    /// The file could not be made.
    #[error("open the store's file: {0}")]
    Create(#[source] std::io::Error),
    /// The high-water mark could not be written.
    #[error("write the high-water mark: {0}")]
    Mark(#[source] std::io::Error),
    /// A log could not be written out.
    #[error("write the log out: {0}")]
    Write(#[source] std::io::Error),
    /// The store is closed, or stopped after a fault.
    #[error("the store has stopped")]
    Stopped,
    /// A transaction did not come to its end, and everything in it was undone.
    #[error("the transaction was undone: {0}")]
    Undone(String),
    /// Views are being built anew already.
    #[error("the views are being built anew already")]
    Rebuilding,
    /// A query took too long.
    #[error("the query took longer than {0} s and was stopped")]
    Deadline(u64),
    /// What was asked for is not there.
    #[error("{0} is not known here")]
    NotFound(String),
}

impl StoreError {
    /// Says whether the disk or the file can no longer be trusted, so that the process must end.
    pub fn is_fatal(&self) -> bool {
        let Self::Sqlite(error) = self else {
            return matches!(self, Self::Corrupt { .. });
        };
        matches!(
            error.sqlite_error_code(),
            Some(
                rusqlite::ErrorCode::SystemIoFailure
                    | rusqlite::ErrorCode::DatabaseCorrupt
                    | rusqlite::ErrorCode::NotADatabase
                    | rusqlite::ErrorCode::ReadOnly
            )
        )
    }
}

/// Why a group was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The cursor is not where the group begins: it is applied already, or out of turn.
    #[error("the cursor is at {cursor}, where the group does not begin")]
    Moved {
        /// Where the cursor is.
        cursor: Position,
    },
    /// No card of that origin was accepted.
    #[error("no card of that origin was accepted")]
    NoSuchOrigin,
    /// It lies at or after a place for which its origin signed two entries, or shows that it did: the proof is kept, and
    /// the log is in quarantine.
    #[error("the log is forked: its origin signed two entries {epoch}/{seq}")]
    Forked {
        /// In which epoch.
        epoch: Epoch,
        /// Which entry; 0 for the epoch's opening.
        seq: u64,
    },
    /// It is of the own log, and this run does not take it: another run writes it.
    #[error("this node writes its own log, and takes nothing of another run")]
    Fenced,
    /// The file.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for ApplyError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Why a page of a log cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Nothing of that origin is held.
    #[error("nothing of that origin is held")]
    NoSuchOrigin,
    /// The epoch asked after is not known.
    #[error("the epoch asked after is not known here")]
    UnknownEpoch,
    /// The hash at the position asked after is another one here.
    #[error("the log has another hash at the position asked after")]
    Diverged,
    /// The file.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for PageError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}
