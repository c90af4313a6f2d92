//! Builds the program and the demo, and runs it.

use std::{
    env,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};
use clap::Args;

use crate::{repo, repo::Repo};

/// How the story is played.
#[derive(Args)]
pub(crate) struct Options {
    /// Plays the story to its end and stops, instead of running until Ctrl-C
    #[arg(long)]
    once: bool,
    /// Prints one JSON object with the checks
    #[arg(long)]
    json: bool,
    /// Also plays the recorded feeds of a folder
    #[arg(long, value_name = "DIR")]
    feed: Option<PathBuf>,
    /// Keeps the nodes' directories and every node's exported logs
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
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
    command.env("POSKO_PROGRAM", posko);
    for (name, on) in [("--once", options.once), ("--json", options.json)] {
        if on {
            command.arg(name);
        }
    }
    let folders = [("--feed", &options.feed), ("--keep", &options.keep)];
    for (name, folder) in folders {
        if let Some(folder) = folder {
            command.arg(name).arg(absolute(folder)?);
        }
    }
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

fn absolute(folder: &Path) -> Result<PathBuf> {
    std::path::absolute(folder).with_context(|| format!("find `{}`", folder.display()))
}
