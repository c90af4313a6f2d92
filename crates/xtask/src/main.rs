//! `cargo xtask`: the house's own chores, in Rust so that every machine that builds Posko can run them.
//!
//! What it never does: link a room of the house, or change a file outside `fix`, `proto-baseline` and `raster`.

mod bench;
mod demo;
mod install;
mod raster;
mod repo;
mod screen;
mod soak;
mod test;
mod tidy;

use std::{env, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser, Subcommand};

use crate::repo::Repo;

/// The chores of the house.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds everything, runs three nodes on loopback, and plays a story
    Demo(demo::Options),
    /// Measures three nodes on loopback, in release
    Bench(bench::Options),
    /// Runs many seeds of a randomized storm, until one breaks an invariant
    Soak(soak::Options),
    /// Runs every check and test in CI's order, installing what they need
    Test(test::Options),
    /// Does what `test` does, under the name that commits speak of
    Ci(test::Options),
    /// Formats the code and applies what clippy can mend by itself
    Fix,
    /// Checks the house rules: who may use whom, what stays pure, what no file may say
    Tidy,
    /// Freezes the contracts: writes the image that later changes are held against
    ProtoBaseline,
    /// Makes the table of where each kab/kota and kecamatan lies, from published polygons
    Raster(raster::Options),
}

fn main() -> ExitCode {
    match perform(Cli::parse().task) {
        Ok(code) => code,
        Err(error) => {
            screen::complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<ExitCode> {
    let repo = Repo::find()?;
    match task {
        Task::Demo(options) => demo::run(&repo, &options),
        Task::Bench(options) => bench::run(&repo, &options),
        Task::Soak(options) => soak::run(&repo, &options),
        Task::Test(options) | Task::Ci(options) => {
            Ok(test::run(&repo, &options, story().as_deref()))
        }
        Task::Fix => fix(&repo),
        Task::Tidy => tidy::run(&repo),
        Task::ProtoBaseline => test::write_baseline(&repo),
        Task::Raster(options) => raster::run(&repo, &options),
    }
}

/// Returns this program when it can play the demo's story, asked before a step builds it anew.
fn story() -> Option<PathBuf> {
    Cli::command()
        .find_subcommand("demo")
        .and_then(|_| env::current_exe().ok())
}

fn fix(repo: &Repo) -> Result<ExitCode> {
    let clippy = [
        "clippy",
        "--fix",
        "--allow-dirty",
        "--allow-staged",
        "--workspace",
        "--all-targets",
    ];
    repo::succeed(repo.cargo().args(["fmt", "--all"])).context("format the code")?;
    repo::succeed(repo.cargo().args(clippy)).context("mend what clippy finds")?;
    repo::succeed(repo.cargo().args(["fmt", "--all"])).context("format what clippy mended")?;
    Ok(ExitCode::SUCCESS)
}
