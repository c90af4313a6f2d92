//! Every check and test, one step after the other: what CI runs and what a contributor runs are the same.

use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::{Args, builder::PossibleValuesParser};

use crate::{install, repo, repo::Repo, screen, tidy};

/// The image of the contracts that a change may not break; absent until they are frozen.
const BASELINE: &str = "proto/baseline.binpb";

/// The tests of the independent verifier.
const VERIFY_TESTS: &str = "tests/verify/test_verify.py";

/// The steps in their order: what is quick and often wrong comes first, what needs a build after it.
const STEPS: [Step; 9] = [
    Step {
        name: "format",
        perform: format,
    },
    Step {
        name: "tidy",
        perform: tidy,
    },
    Step {
        name: "proto-lint",
        perform: proto_lint,
    },
    Step {
        name: "proto-breaking",
        perform: proto_breaking,
    },
    Step {
        name: "clippy",
        perform: clippy,
    },
    Step {
        name: "build",
        perform: build,
    },
    Step {
        name: "tests",
        perform: tests,
    },
    Step {
        name: "verify",
        perform: verify,
    },
    Step {
        name: "demo",
        perform: demo,
    },
];

/// How the steps are run.
#[derive(Args)]
pub(crate) struct Options {
    /// Goes on after a step that failed, to show every failure at once
    #[arg(long)]
    keep_going: bool,
    /// Runs only this step; may be given more than once
    #[arg(long, value_name = "STEP", value_parser = PossibleValuesParser::new(STEPS.map(|step| step.name)))]
    only: Vec<String>,
}

struct Step {
    name: &'static str,
    perform: fn(&Setup) -> Result<Outcome>,
}

/// What a step has at hand.
struct Setup<'a> {
    repo: &'a Repo,
    story: Option<&'a Path>,
}

enum Outcome {
    Passed,
    Skipped(&'static str),
}

/// How many steps ended how; its text is the closing line that tools look for.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// Runs the steps and prints, last of all, how many passed and failed; exit code 1 when one failed.
///
/// `story` is the program that plays the demo, when it is built in.
pub(crate) fn run(repo: &Repo, options: &Options, story: Option<&Path>) -> ExitCode {
    let setup = Setup { repo, story };
    let chosen = |step: &&Step| {
        options.only.is_empty() || options.only.iter().any(|name| name.as_str() == step.name)
    };
    let mut tally = Tally::default();
    let mut summary = Vec::new();
    for step in STEPS.iter().filter(chosen) {
        screen::say(&format!("\n==> {}", step.name));
        let start = Instant::now();
        let outcome = (step.perform)(&setup);
        let line = verdict(step.name, &outcome, start.elapsed());
        screen::say(&format!("<== {line}"));
        summary.push(line);
        tally.count(&outcome);
        if outcome.is_err() && !options.keep_going {
            break;
        }
    }
    screen::say("\n==> summary");
    for line in &summary {
        screen::say(line);
    }
    screen::say(&tally.to_string());
    if tally.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Writes the image that later contracts are held against.
pub(crate) fn write_baseline(repo: &Repo) -> Result<ExitCode> {
    let buf = install::buf(repo)?;
    let build = ["build", "proto", "--exclude-source-info", "-o", BASELINE];
    repo::succeed(repo.command(buf).args(build)).context("build the image of the contracts")?;
    screen::say(&format!(
        "wrote {BASELINE}; commit it with the contracts it freezes"
    ));
    Ok(ExitCode::SUCCESS)
}

impl Tally {
    fn count(&mut self, outcome: &Result<Outcome>) {
        match outcome {
            Ok(Outcome::Passed) => self.passed += 1,
            Ok(Outcome::Skipped(_)) => self.skipped += 1,
            Err(_) => self.failed += 1,
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

fn verdict(name: &str, outcome: &Result<Outcome>, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    match outcome {
        Ok(Outcome::Passed) => format!("{name}: ok in {seconds:.1} s"),
        Ok(Outcome::Skipped(why)) => format!("{name}: skipped, {why}"),
        Err(error) => format!("{name}: failed in {seconds:.1} s: {error:#}"),
    }
}

fn format(setup: &Setup) -> Result<Outcome> {
    repo::succeed(setup.repo.cargo().args(["fmt", "--all", "--check"]))
        .context("mend it with `cargo xtask fix`")?;
    Ok(Outcome::Passed)
}

fn tidy(setup: &Setup) -> Result<Outcome> {
    let findings = tidy::findings(setup.repo)?;
    for finding in &findings {
        screen::say(&finding.to_string());
    }
    if !findings.is_empty() {
        bail!("{} found", findings.len());
    }
    Ok(Outcome::Passed)
}

fn proto_lint(setup: &Setup) -> Result<Outcome> {
    let buf = install::buf(setup.repo)?;
    repo::succeed(setup.repo.command(buf).args(["lint", "proto"]))?;
    Ok(Outcome::Passed)
}

fn proto_breaking(setup: &Setup) -> Result<Outcome> {
    if !setup.repo.root.join(BASELINE).exists() {
        return Ok(Outcome::Skipped(
            "the contracts are not frozen: no proto/baseline.binpb (`cargo xtask proto-baseline`)",
        ));
    }
    let buf = install::buf(setup.repo)?;
    repo::succeed(
        setup
            .repo
            .command(buf)
            .args(["breaking", "proto", "--against", BASELINE]),
    )?;
    Ok(Outcome::Passed)
}

fn clippy(setup: &Setup) -> Result<Outcome> {
    let args = [
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    repo::succeed(setup.repo.cargo().args(args))?;
    Ok(Outcome::Passed)
}

/// Builds every target at once, so that programs and tests share the features of what they depend on, compiled once.
fn build(setup: &Setup) -> Result<Outcome> {
    let args = ["build", "--locked", "--workspace", "--all-targets"];
    repo::succeed(setup.repo.cargo().args(args))?;
    Ok(Outcome::Passed)
}

/// Runs all tests; those with a client in Python skip themselves where its libraries cannot be installed.
fn tests(setup: &Setup) -> Result<Outcome> {
    let all = ["--locked", "--workspace", "--no-fail-fast"];
    // The tests with real processes run the program itself.
    repo::succeed((setup.repo.cargo()).args(["build", "--locked", "--package", "posko-cli"]))?;
    let mut cargo = setup.repo.cargo();
    match install::python(setup.repo, "clients") {
        Ok(python) => drop(cargo.env("POSKO_CLIENT_PYTHON", python)),
        Err(why) => screen::say(&format!(
            "tests with a client in Python are skipped: {why:#}"
        )),
    }
    if !repo::works(setup.repo.cargo().args(["nextest", "--version"])) {
        repo::succeed(cargo.arg("test").args(all))?;
        return Ok(Outcome::Passed);
    }
    repo::succeed(cargo.args(["nextest", "run", "--all-targets"]).args(all))?;
    repo::succeed(setup.repo.cargo().args(["test", "--doc"]).args(all))
        .context("run the examples in the documentation")?;
    Ok(Outcome::Passed)
}

fn verify(setup: &Setup) -> Result<Outcome> {
    if !setup.repo.root.join(VERIFY_TESTS).exists() {
        return Ok(Outcome::Skipped("tests/verify/test_verify.py is not there"));
    }
    let python = install::python(setup.repo, "verify")?;
    repo::succeed(setup.repo.command(python).args(["-B", VERIFY_TESTS]))?;
    Ok(Outcome::Passed)
}

/// Plays the story to its end with the program that the build step made.
fn demo(setup: &Setup) -> Result<Outcome> {
    let Some(story) = setup.story else {
        return Ok(Outcome::Skipped("the demo is not built in"));
    };
    let posko = setup.repo.target.join("debug/posko");
    let args = ["demo", "--once", "--json"];
    repo::succeed(
        setup
            .repo
            .command(story)
            .args(args)
            .env("POSKO_PROGRAM", posko),
    )?;
    Ok(Outcome::Passed)
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn the_closing_line_counts_steps_and_names_skipped_ones_only_when_there_are_any() {
        let mut tally = Tally::default();
        tally.count(&Ok(Outcome::Passed));
        tally.count(&Err(anyhow!("broken")));
        assert_eq!(tally.to_string(), "1 passed, 1 failed");
        tally.count(&Ok(Outcome::Skipped("not there")));
        assert_eq!(tally.to_string(), "1 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn a_verdict_names_the_step_the_time_and_the_reason() {
        let elapsed = Duration::from_millis(1_250);
        assert_eq!(
            verdict("clippy", &Ok(Outcome::Passed), elapsed),
            "clippy: ok in 1.2 s"
        );
        let failed = verdict(
            "clippy",
            &Err(anyhow!("`cargo clippy` ended with 1")),
            elapsed,
        );
        assert_eq!(
            failed,
            "clippy: failed in 1.2 s: `cargo clippy` ended with 1"
        );
        let skipped = verdict("demo", &Ok(Outcome::Skipped("not built in")), elapsed);
        assert_eq!(skipped, "demo: skipped, not built in");
    }
}
