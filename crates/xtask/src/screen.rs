//! What a person reads: results on stdout, complaints on stderr.

use std::io::{self, Write};

/// Prints one line; a reader that went away is no reason to stop.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Prints one line to stderr.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
