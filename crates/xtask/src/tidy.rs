//! The house rules that no compiler holds: who may use whom, what stays pure, what no file may say.
//!
//! Every finding is one line, `path:line: what`. Tidy never changes a file.

mod contract;
mod room;
mod text;

use std::{env, fmt, fs, path::Path, process::ExitCode};

use anyhow::{Context, Result};

use crate::{
    repo::{self, Repo},
    screen,
};

/// One breach of a house rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &Path, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: path.display().to_string(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Prints every finding; exit code 1 when there is one.
pub(crate) fn run(repo: &Repo) -> Result<ExitCode> {
    let findings = findings(repo)?;
    for finding in &findings {
        screen::say(&finding.to_string());
    }
    if findings.is_empty() {
        screen::say("tidy");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// Returns every breach of a house rule, sorted by place; errors when cargo, git or a file can't be read.
pub(crate) fn findings(repo: &Repo) -> Result<Vec<Finding>> {
    let mut findings = room::check(&room::read(repo)?);
    let mut contracts = Vec::new();
    for path in repo.files()? {
        let bytes = fs::read(repo.root.join(&path))
            .with_context(|| format!("read `{}`", path.display()))?;
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        if text.contains('\0') {
            continue;
        }
        findings.extend(text::check(&path, &text));
        if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            findings.extend(contract::check_comments(&path, &text));
            contracts.push(path);
        }
    }
    let build = Path::new(contract::LIST);
    let list = fs::read_to_string(repo.root.join(build))
        .with_context(|| format!("read `{}`", contract::LIST))?;
    findings.extend(contract::check_list(build, &list, &contracts));
    findings.extend(lock(repo));
    findings.sort();
    Ok(findings)
}

/// Holds that `Cargo.lock` is part of the repository and, on CI, that no build had to change it.
fn lock(repo: &Repo) -> Option<Finding> {
    let git =
        |args: &[&str]| repo::works(repo.command("git").args(args).args(["--", "Cargo.lock"]));
    let has_commits = repo::works(repo.command("git").args(["rev-parse", "--verify", "HEAD"]));
    let on_ci = env::var_os("CI").is_some();
    let what = if !repo.root.join("Cargo.lock").exists() {
        "is missing"
    } else if git(&["check-ignore", "--quiet"]) {
        "is ignored by git"
    } else if has_commits && !git(&["ls-files", "--error-unmatch"]) {
        "is not committed"
    } else if has_commits && on_ci && !git(&["diff", "--quiet", "HEAD"]) {
        "does not fit the manifests: cargo had to change it"
    } else {
        return None;
    };
    Some(Finding::new(Path::new("Cargo.lock"), 1, what))
}
