//! Runs more seeds of a randomized storm than the tests do, on every core, until one breaks an invariant.
//!
//! A storm depends on its seed alone: what breaks here breaks everywhere, by the command that is printed.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    process::ExitCode,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use posko_testkit::{
    model::{self, Outcome, Risk, Rule, Rules},
    storm,
};

/// How long it stays silent, at most.
const SILENT: Duration = Duration::from_secs(5);

/// What is run.
#[derive(Parser)]
#[command(
    version,
    about = "Runs seeds of a randomized storm until one breaks an invariant"
)]
struct Options {
    /// The storm
    #[arg(long, value_enum, default_value_t = Storm::Model)]
    storm: Storm,
    /// How many seeds
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    start: u64,
    /// Takes a rule of the model's protocol away, to see what breaks
    #[arg(long)]
    without: Option<Rule>,
}

/// The storms.
#[derive(Clone, Copy, ValueEnum)]
enum Storm {
    /// The model of the replication protocol and of the promises made on it
    Model,
    /// Promises over the real store and the real engine, with files put back, lost and copied
    Promises,
}

/// What one run came to.
struct Ran {
    seed: u64,
    counts: BTreeMap<&'static str, u64>,
    risks: BTreeSet<Risk>,
    broke: BTreeSet<Risk>,
    /// What did not hold, and how to see it again.
    broken: Option<String>,
}

impl From<Outcome> for Ran {
    fn from(outcome: Outcome) -> Self {
        Self {
            seed: outcome.seed,
            broken: outcome.broken.is_some().then(|| outcome.to_string()),
            counts: outcome.counts,
            risks: outcome.risks,
            broke: outcome.broke,
        }
    }
}

/// Runs a storm of promises.
fn promises(seed: u64) -> Ran {
    let (outcome, broken) = match storm::run(seed) {
        Ok(outcome) => (outcome, None),
        Err(broken) => (storm::Outcome::default(), Some(broken.to_string())),
    };
    Ran {
        seed,
        counts: outcome.counts,
        risks: outcome.risks,
        broke: outcome.broke,
        broken,
    }
}

/// What many runs came to.
#[derive(Default)]
struct Summary {
    runs: u64,
    counts: BTreeMap<&'static str, u64>,
    /// In how many runs a promise might have been broken for a reason, and in how many one was.
    risks: BTreeMap<Risk, (u64, u64)>,
    /// The broken run of the lowest seed.
    broken: Option<Ran>,
}

impl Summary {
    fn add(&mut self, outcome: Ran) {
        self.runs += 1;
        for (what, times) in &outcome.counts {
            *self.counts.entry(what).or_default() += times;
        }
        for risk in &outcome.risks {
            let (might, did) = self.risks.entry(*risk).or_default();
            *might += 1;
            *did += u64::from(outcome.broke.contains(risk));
        }
        let is_lower = |kept: &Ran| kept.seed > outcome.seed;
        if outcome.broken.is_some() && self.broken.as_ref().is_none_or(is_lower) {
            self.broken = Some(outcome);
        }
    }

    fn print(&self, took: Duration) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let rate = self.runs as f64 / took.as_secs_f64();
        writeln!(
            out,
            "{} seeds in {:.1} s, {rate:.0} a second",
            self.runs,
            took.as_secs_f64()
        )?;
        for (what, times) in &self.counts {
            writeln!(out, "  {what:22} {times:>12}")?;
        }
        if self.risks.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "runs in which a promise might have been broken, and in which one was:"
        )?;
        for (risk, (might, did)) in &self.risks {
            writeln!(out, "  {:22} {might:>12} {did:>12}", format!("{risk:?}"))?;
        }
        Ok(())
    }
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    anyhow::ensure!(
        options.without.is_none() || matches!(options.storm, Storm::Model),
        "`--without` is of the model alone"
    );
    let rules = options.without.map_or(Rules::ALL, Rules::without);
    let began = Instant::now();
    let summary = match options.storm {
        Storm::Model => soak(&options, |seed| model::run(seed, rules).into())?,
        Storm::Promises => soak(&options, promises)?,
    };
    summary
        .print(began.elapsed())
        .context("print the summary")?;
    let Some(broken) = summary.broken else {
        return Ok(ExitCode::SUCCESS);
    };
    writeln!(io::stderr(), "{}", broken.broken.unwrap_or_default())
        .context("print the broken run")?;
    Ok(ExitCode::FAILURE)
}

/// Runs the seeds in order on every core; after a broken one, no later one is begun.
fn soak(options: &Options, storm: impl Fn(u64) -> Ran + Sync) -> Result<Summary> {
    let end = options.start.saturating_add(options.seeds);
    let (next, end) = (AtomicU64::new(options.start), AtomicU64::new(end));
    let work = |tell: mpsc::Sender<Ran>| {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end.load(Ordering::Relaxed) {
                return;
            }
            let outcome = storm(seed);
            if outcome.broken.is_some() {
                end.fetch_min(seed, Ordering::Relaxed);
            }
            if tell.send(outcome).is_err() {
                return;
            }
        }
    };
    let cores = thread::available_parallelism().context("count the cores")?;
    thread::scope(|scope| {
        let (tell, outcomes) = mpsc::channel();
        for _ in 0..cores.get() {
            let (work, tell) = (&work, tell.clone());
            scope.spawn(move || work(tell));
        }
        drop(tell);
        let mut summary = Summary::default();
        let mut told = Instant::now();
        for outcome in outcomes {
            summary.add(outcome);
            if told.elapsed() >= SILENT {
                told = Instant::now();
                writeln!(io::stderr(), "{} of {} seeds", summary.runs, options.seeds)?;
            }
        }
        Ok(summary)
    })
}
