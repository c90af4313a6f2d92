//! Copying the file for a backup, also while its node writes.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use posko_proto::time::Millis;
use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
    named_params,
};

use crate::{Store, connection::READ_DEADLINE};

/// Why the file could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// SQLite says so.
    #[error("sqlite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The copy could not be made, or brought to the disk.
    #[error("make the copy `{}`", path.display())]
    File {
        /// Where it was to be.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The copying stopped before its end.
    #[error("the copying stopped before its end: {0:?}")]
    Unfinished(
        /// As SQLite says.
        StepResult,
    ),
    /// The copy does not hold together, and so neither does the file.
    #[error("the copy does not hold together: {0}")]
    Damaged(
        /// What SQLite found first.
        String,
    ),
}

impl Store {
    /// Copies the file as it stands at one moment to the new file `to`, which only this user may read; the node may
    /// write meanwhile. The copy knows that it is one since `now`, so that a start on it is unproven; it was checked
    /// and is on the disk. What an attempt that failed leaves is the caller's to remove.
    pub fn copy(&self, to: &Path, now: Millis) -> Result<(), CopyError> {
        let file = |source| CopyError::File {
            path: to.into(),
            source,
        };
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(to)
            .map_err(file)?;
        let source = Connection::open_with_flags(&self.0.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        source.busy_timeout(READ_DEADLINE)?;
        let mut copy = Connection::open(to)?;
        // One step is one read transaction: the writer goes on beside it, and the copy sees none of that.
        match Backup::new(&source, &mut copy)?.step(-1)? {
            StepResult::Done => {}
            other => {
                return Err(CopyError::Damaged(format!(
                    "the copying ended as {other:?}"
                )));
            }
        }
        // In this mode all of it is in the one file.
        copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        copy.execute(
            "UPDATE node SET copied_ms = :now",
            named_params! { ":now": now.0 },
        )?;
        let found: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if found != "ok" {
            return Err(CopyError::Damaged(found));
        }
        copy.close().map_err(|(_, error)| error)?;
        File::open(to)
            .and_then(|copy| copy.sync_all())
            .map_err(file)
    }
}
