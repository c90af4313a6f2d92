//! Builds the soak, and runs it.

use std::{ffi::OsString, os::unix::process::CommandExt, process::Command, process::ExitCode};

use anyhow::{Context, Result};
use clap::Args;

use crate::{repo, repo::Repo};

/// What is passed on to the soak.
#[derive(Args)]
pub(crate) struct Options {
    /// Arguments of the soak: `--storm model` or `--storm promises`, `--seeds N`, `--start S`, `--without RULE`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds, and becomes the soak.
pub(crate) fn run(repo: &Repo, options: &Options) -> Result<ExitCode> {
    let package = ["--package", "posko-testkit", "--bin", "posko-soak"];
    repo::succeed(repo.cargo().arg("build").args(package)).context("build the soak")?;
    let soak = repo.target.join("debug").join("posko-soak");
    // It takes this process's place, so that a Ctrl-C is its own to answer.
    Err(Command::new(&soak).args(&options.arguments).exec())
        .with_context(|| format!("start `{}`", soak.display()))
}
