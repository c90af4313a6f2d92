//! Builds the program and the demo, and runs it.

use std::{
    env,
    ffi::OsString,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};
use clap::Args;

use crate::{repo, repo::Repo};

/// What is passed on to the demo.
#[derive(Args)]
pub(crate) struct Options {
    /// Arguments of the demo: `--once` to stop at the story's end, `--json` for one JSON object with the checks,
    /// `--feed DIR` to play recorded feeds too, `--keep DIR` to keep the nodes' directories and their exported logs
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds unless `POSKO_PROGRAM` names a program that is built, and becomes the demo.
pub(crate) fn run(repo: &Repo, options: &Options) -> Result<ExitCode> {
    let (posko, demo) = match env::var_os("POSKO_PROGRAM").map(PathBuf::from) {
        Some(posko) => {
            let demo = posko.with_file_name("posko-demo");
            (posko, demo)
        }
        None => build(repo)?,
    };
    let mut command = Command::new(&demo);
    command.env("POSKO_PROGRAM", posko).args(&options.arguments);
    // The demo takes this process's place, so that a Ctrl-C is its own to answer.
    Err(command.exec()).with_context(|| format!("start `{}`", demo.display()))
}

fn build(repo: &Repo) -> Result<(PathBuf, PathBuf)> {
    let packages = ["--package", "posko-cli", "--package", "posko-testkit"];
    let programs = ["--bin", "posko", "--bin", "posko-demo"];
    repo::succeed(repo.cargo().arg("build").args(packages).args(programs))
        .context("build the program and the demo")?;
    let folder = repo.target.join("debug");
    Ok((folder.join("posko"), folder.join("posko-demo")))
}
