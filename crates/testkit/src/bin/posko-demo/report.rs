//! What was checked, and how it is told: progress on stderr, the result on stdout.

use std::{
    io::{self, Write},
    time::Instant,
};

use serde_json::json;

/// The checks so far.
pub(crate) struct Report {
    as_json: bool,
    checks: Vec<Check>,
    printed: bool,
    start: Instant,
}

struct Check {
    name: String,
    ok: bool,
    figure: String,
}

impl Report {
    /// Returns a report without checks.
    pub(crate) fn new(as_json: bool) -> Self {
        Self {
            as_json,
            checks: Vec::new(),
            printed: false,
            start: Instant::now(),
        }
    }

    /// Notes what was checked, whether it held, and a measured figure.
    pub(crate) fn check(&mut self, name: &str, ok: bool, figure: &str) {
        let mark = if ok { "ok  " } else { "FAIL" };
        self.tell(&format!("{mark} {name} ({figure})"));
        self.checks.push(Check {
            name: name.into(),
            ok,
            figure: figure.into(),
        });
    }

    /// Notes what did not come to pass.
    pub(crate) fn fail(&mut self, name: &str, why: &str) {
        self.check(name, false, why);
        self.printed = false;
    }

    /// Tells how far it is, on stderr.
    pub(crate) fn tell(&self, line: &str) {
        let seconds = self.start.elapsed().as_secs_f64();
        // A reader that went away is no reason to stop.
        let _ = writeln!(io::stderr().lock(), "{seconds:6.1} s  {line}");
    }

    /// Tells a line as it is, on stderr.
    pub(crate) fn tell_plain(line: &str) {
        // A reader that went away is no reason to stop.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// Says whether all held.
    pub(crate) fn held(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.ok)
    }

    /// Prints the checks on stdout, once.
    pub(crate) fn print(&mut self) {
        if std::mem::replace(&mut self.printed, true) {
            return;
        }
        let checks = self.checks.iter();
        let text = if self.as_json {
            let checks: Vec<_> = checks
                .map(|check| json!({ "name": check.name, "ok": check.ok, "figure": check.figure }))
                .collect();
            format!("{:#}\n", json!({ "ok": self.held(), "checks": checks }))
        } else {
            let line = |check: &Check| {
                let mark = if check.ok { "ok" } else { "FAILED" };
                format!("{mark:6}  {}  ({})\n", check.name, check.figure)
            };
            checks.map(line).collect()
        };
        // A reader that went away is no reason to stop.
        let _ = io::stdout().lock().write_all(text.as_bytes());
    }
}
