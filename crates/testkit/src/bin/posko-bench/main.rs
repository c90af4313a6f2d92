//! Measures three real nodes on loopback: mutual TLS, durable on every node, figures counted as a reader sees them.
//!
//! An event is a log note of 300 characters that do not pack, given by a duty officer over the operators' API. It counts
//! as visible when the slower of the two replicas has folded it into its view: positions move in the transaction that
//! folds, so a position is what a reader sees. After each measure all nodes' views must be identical.
//! Every figure is of this machine, in this hour: compare only with a peer measured in the same run.

mod import;
mod load;
mod machine;

use std::{fs, process::ExitCode, time::Duration};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use posko_testkit::Federation;
use serde_json::{Value, json};

use crate::load::{Load, Seen};

/// What is measured.
#[derive(Parser)]
#[command(
    version,
    about = "Measures a federation of three real nodes on loopback"
)]
struct Options {
    /// Prints one JSON object at the end
    #[arg(long)]
    json: bool,
    /// Short windows and few events, to see that it works
    #[arg(long)]
    quick: bool,
    /// Measures throughput and propagation alone, with the link 31–32 cut: 31 gets everything of 32 through 36
    #[arg(long)]
    relay: bool,
    /// Measures an import of this many rows alone, beside as many plain commits
    #[arg(long, value_name = "ROWS")]
    import: Option<u64>,
    /// How many events a stopped node misses
    #[arg(long, default_value_t = 500_000)]
    missed: u64,
    /// At how many events the start-up is timed
    #[arg(long, default_value_t = 1_000_000)]
    startup: u64,
}

/// How long each window is.
#[derive(Clone, Copy)]
struct Plan {
    warm_up: Duration,
    window: Duration,
    missed: u64,
    startup: u64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(figures) => {
            let text = if options.json {
                figures.to_string()
            } else {
                format!("{figures:#}")
            };
            say(&text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            tell(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<Value> {
    let plan = if options.quick {
        let (warm_up, window) = (Duration::from_millis(500), Duration::from_secs(2));
        Plan {
            warm_up,
            window,
            missed: options.missed.min(5_000),
            startup: options.startup.min(10_000),
        }
    } else {
        let (warm_up, window) = (Duration::from_secs(2), Duration::from_secs(10));
        Plan {
            warm_up,
            window,
            missed: options.missed,
            startup: options.startup,
        }
    };
    let dir = tempfile::Builder::new()
        .prefix("posko-bench")
        .tempdir_in(machine::disk())?;
    let federation = if options.relay {
        Federation::make_relayed(dir.path())?
    } else {
        Federation::make_direct(dir.path())?
    };
    let federation = federation.begin(|node| {
        node.configure(|text| text.replace("filter = \"info\"", "filter = \"warn\""))
    })?;
    let figures = if let Some(rows) = options.import {
        json!({ "machine": machine::describe(), "import": import::measure(&federation, rows)? })
    } else if options.relay {
        federation.cut("31", "32")?;
        measure_relay(&federation, plan)?
    } else {
        measure(&federation, plan)?
    };
    federation.stop()?;
    Ok(figures)
}

fn measure_relay(federation: &Federation, plan: Plan) -> Result<Value> {
    let mut load = Load::new(federation)?;
    let throughput = throughput(federation, &mut load, plan)?;
    tell("propagation at 500 events/s");
    let propagation = load.propagation(plan.warm_up, plan.window, 500)?;
    check_same(federation)?;
    Ok(json!({
        "machine": machine::describe(),
        "relay": { "throughput": throughput, "propagation": propagation },
    }))
}

fn throughput(federation: &Federation, load: &mut Load<'_>, plan: Plan) -> Result<Vec<Value>> {
    let mut throughput = Vec::new();
    for writers in [1, 16, 64] {
        tell(&format!("throughput with {writers} writers"));
        let figures = load.throughput(plan.warm_up, plan.window, writers)?;
        tell(&figures.to_string());
        throughput.push(figures);
        check_same(federation)?;
    }
    Ok(throughput)
}

fn measure(federation: &Federation, plan: Plan) -> Result<Value> {
    let mut load = Load::new(federation)?;
    let throughput = throughput(federation, &mut load, plan)?;
    tell("propagation at 500 events/s");
    let propagation = load.propagation(plan.warm_up, plan.window, 500)?;
    tell(&format!("catch-up of {} events", plan.missed));
    let catch_up = catch_up(federation, &mut load, plan.missed)?;
    let memory = memory(federation)?;
    tell("rebuilding the views");
    let rebuild = rebuild(federation, &load)?;
    tell(&format!("start-up at {} events", plan.startup));
    let start_up = start_up(federation, &mut load, plan.startup)?;
    check_same(federation)?;
    Ok(json!({
        "machine": machine::describe(),
        "throughput": throughput,
        "propagation": propagation,
        "catch_up": catch_up,
        "rebuild": rebuild,
        "start_up": start_up,
        "memory": memory,
    }))
}

fn catch_up(federation: &Federation, load: &mut Load<'_>, missed: u64) -> Result<Value> {
    let away = federation.node("36")?;
    let had = load.entries()?;
    away.stop()?;
    let (written, write_s) = load.fill(missed)?;
    let began = std::time::Instant::now();
    away.launch()?;
    let watch = Seen::new(federation, "36");
    let first = watch.await_more_than(had)?;
    let complete = watch.await_entries(load.entries()?)?;
    check_same(federation)?;
    Ok(json!({
        "events": written,
        "write_s": write_s,
        "first_progress_s": (first - began).as_secs_f64(),
        "complete_s": (complete - began).as_secs_f64(),
        "events_per_s": rate(written, complete - began),
        "events_per_s_from_first": rate(written, complete - first),
    }))
}

fn rebuild(federation: &Federation, load: &Load<'_>) -> Result<Value> {
    let before = digests(federation, "32")?;
    let began = std::time::Instant::now();
    let entries = load.rebuild()?;
    let took = began.elapsed();
    ensure!(
        digests(federation, "32")? == before,
        "the views built anew are not those that were"
    );
    Ok(
        json!({ "entries": entries, "seconds": took.as_secs_f64(), "entries_per_s": rate(entries, took) }),
    )
}

fn start_up(federation: &Federation, load: &mut Load<'_>, events: u64) -> Result<Value> {
    load.fill(events.saturating_sub(load.entries()?))?;
    let entries = load.entries()?;
    let node = federation.node("32")?;
    node.stop()?;
    let began = std::time::Instant::now();
    node.launch()?;
    load.await_answer()?;
    Ok(json!({ "entries": entries, "seconds": began.elapsed().as_secs_f64() }))
}

fn memory(federation: &Federation) -> Result<Value> {
    let mut figures = serde_json::Map::new();
    for node in federation.nodes() {
        let id = node.process_id().context("a node does not run")?;
        let database = fs::metadata(node.dir().join("posko.db"))?.len();
        figures.insert(
            node.origin().into(),
            json!({ "resident_kib": machine::resident_kib(id)?, "file_bytes": database }),
        );
    }
    Ok(figures.into())
}

/// Fails unless all nodes show the same of every log.
fn check_same(federation: &Federation) -> Result<()> {
    let what = "all nodes' views are identical";
    posko_testkit::eventually(what, Duration::from_mins(2), || {
        let first = digests(federation, "31")?;
        for origin in ["32", "36"] {
            if digests(federation, origin)? != first {
                return Ok(None);
            }
        }
        Ok(Some(()))
    })?;
    Ok(())
}

fn digests(federation: &Federation, origin: &str) -> Result<Value> {
    let answer = federation.node(origin)?.console(&["views", "digest"])?;
    answer
        .get("digests")
        .cloned()
        .context("no digests in the answer")
}

fn rate(events: u64, took: Duration) -> u64 {
    (events as f64 / took.as_secs_f64()).round() as u64
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what the program is for"
)]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "progress goes beside the figures")]
fn tell(text: &str) {
    eprintln!("{text}");
}
