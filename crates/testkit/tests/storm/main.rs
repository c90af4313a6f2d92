//! Storms over the real store and the real engine, as many as fit.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and tells what it saw"
)]

use std::time::{Duration, Instant};

use posko_testkit::storm::{self, Counts};

/// How long the storms of a normal run may take together.
const AS_LONG: Duration = Duration::from_secs(40);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// `POSKO_STORM_SEED` runs one seed; `POSKO_STORMS` so many from `POSKO_STORM_START` on.
#[test]
fn whatever_happens_no_unit_is_promised_twice_and_what_is_not_kept_is_told() {
    if let Some(seed) = number("POSKO_STORM_SEED") {
        println!(
            "{:?}",
            storm::run(seed).unwrap_or_else(|broken| panic!("{broken}"))
        );
        return;
    }
    let start = number("POSKO_STORM_START").unwrap_or(0);
    let storms = number("POSKO_STORMS");
    let began = Instant::now();
    let mut total = Counts::new();
    let mut seeds = 0;
    while storms.map_or(began.elapsed() < AS_LONG, |storms| seeds < storms) {
        let counts = storm::run(start + seeds).unwrap_or_else(|broken| panic!("{broken}"));
        for (what, count) in counts {
            *total.entry(what).or_default() += count;
        }
        seeds += 1;
    }
    println!("{seeds} storms in {:?}: {total:?}", began.elapsed());
    assert!(total.get("promises kept").is_some_and(|kept| *kept > 0));
}

#[test]
fn the_same_seed_is_the_same_storm() {
    let run = || storm::run(4).unwrap_or_else(|broken| panic!("{broken}"));
    assert_eq!(run(), run());
}
