//! Emptying the write-ahead log, where a withdrawn text would outlive its row.

use super::{Job, Writer};
use crate::connection;

impl Writer {
    /// Empties the write-ahead log after a withdrawal: the file's own pages are overwritten, that log's are not. A reader
    /// may hold it for a moment, and then it is tried again.
    pub(super) fn scrub(&mut self) {
        if self.scrubbing {
            match connection::empty_log(&self.connection) {
                Ok(emptied) => self.scrubbing = !emptied,
                Err(error) => self.fail_if_fatal(&error),
            }
            if self.scrubbing && !self.failed {
                drop(self.jobs.send(Job::Settle));
            }
        }
    }
}
