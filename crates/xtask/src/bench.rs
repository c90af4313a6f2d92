//! Builds the program and the benchmark in release, and runs it.

use std::{ffi::OsString, os::unix::process::CommandExt, process::Command, process::ExitCode};

use anyhow::{Context, Result};
use clap::Args;

use crate::{repo, repo::Repo};

/// What is passed on to the benchmark.
#[derive(Args)]
pub(crate) struct Options {
    /// Arguments of the benchmark: `--json`, `--quick`, `--import ROWS`, `--missed N`, `--startup N`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds, and becomes the benchmark.
pub(crate) fn run(repo: &Repo, options: &Options) -> Result<ExitCode> {
    let packages = ["--package", "posko-cli", "--package", "posko-testkit"];
    let programs = ["--bin", "posko", "--bin", "posko-bench"];
    repo::succeed(
        repo.cargo()
            .args(["build", "--release"])
            .args(packages)
            .args(programs),
    )
    .context("build the program and the benchmark")?;
    let folder = repo.target.join("release");
    let bench = folder.join("posko-bench");
    let mut command = Command::new(&bench);
    command
        .env("POSKO_PROGRAM", folder.join("posko"))
        .args(&options.arguments);
    // The benchmark takes this process's place, so that a Ctrl-C is its own to answer.
    Err(command.exec()).with_context(|| format!("start `{}`", bench.display()))
}
