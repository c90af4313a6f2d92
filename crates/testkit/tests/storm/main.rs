//! Storms over the real store and the real engine.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and tells what it saw"
)]

use std::collections::BTreeSet;

use posko_testkit::{
    model::Risk,
    storm::{self, Counts, Outcome},
};

/// How many storms a normal run has.
const STORMS: u64 = 40;

fn run(seed: u64) -> Outcome {
    storm::run(seed).unwrap_or_else(|broken| panic!("{broken}"))
}

/// Thousands more are for `cargo xtask soak --storm promises`.
#[test]
fn whatever_happens_no_unit_is_promised_twice_and_what_is_not_kept_is_told_on_both_sides() {
    let mut total = Counts::new();
    let mut broke = BTreeSet::new();
    for seed in 0..STORMS {
        let outcome = run(seed);
        for (what, count) in outcome.counts {
            *total.entry(what).or_default() += count;
        }
        broke.extend(outcome.broke);
    }
    println!("{total:?}, {broke:?}");
    // What is rare must not stay out, or nothing was checked of it.
    for what in [
        "promises kept",
        "promises not kept",
        "reinstated",
        "overcommitted",
        "disowned",
        "payloads lost",
        "override",
        "wake",
        "withhold",
    ] {
        let count = total.get(what).copied().unwrap_or_default();
        assert!(count > 0, "no storm of {STORMS} had `{what}`: {total:?}");
    }
    assert!(broke.contains(&Risk::Cloned), "{broke:?}");
}

#[test]
fn the_same_seed_is_the_same_storm() {
    assert_eq!(run(4), run(4));
}
