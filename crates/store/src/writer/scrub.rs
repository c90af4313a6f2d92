//! Emptying the write-ahead log, where a withdrawn text would outlive its row.

use std::time::{Duration, Instant};

use super::Writer;
use crate::connection;

/// After how long it is tried again, where a reader held the log.
const AGAIN: Duration = Duration::from_secs(1);

impl Writer {
    /// Empties the write-ahead log once that is due: the file's own pages are overwritten, that log's are not. Nobody who
    /// waits for an answer waits for it.
    pub(super) fn scrub(&mut self) {
        if self.failed || self.scrub_at.is_none_or(|at| at > Instant::now()) {
            return;
        }
        match connection::empty_log(&self.connection) {
            Ok(true) => self.scrub_at = None,
            Ok(false) => self.scrub_at = Some(Instant::now() + AGAIN),
            Err(error) => {
                self.scrub_at = None;
                self.fail_if_fatal(&error);
            }
        }
    }
}
