//! Storms: three provinces and a gateway, the real store and the real engine, promises across the borders, and whatever
//! can happen to links, files and machines, all from one seed.
//!
//! ```text
//! seed ──▶ World ─┬─ commands ───▶ Store          (a file each, in memory where there is such a place)
//!                 ├─ sessions ───▶ Session ⇄ Session, frame by frame, cut after any
//!                 └─ faults ─────▶ files put back, marks lost, clones, blank machines, machines suspended and woken,
//!                                  logs withheld, risks taken and promises let go by persons
//! then all heals ──▶ check: nothing lost, nothing promised twice, whatever is not kept is told on both sides
//! ```
//! Nothing waits for a clock or a socket: time is the world's.

mod check;
mod dice;
mod fault;
mod node;
mod session;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;

pub use self::world::World;
use crate::model::Risk;

/// What happened in a run, by name.
pub type Counts = BTreeMap<&'static str, u64>;

/// What a run came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// How often what happened.
    pub counts: Counts,
    /// The reasons for which a promise might have been broken.
    pub risks: BTreeSet<Risk>,
    /// The reasons for which one was.
    pub broke: BTreeSet<Risk>,
}

/// What did not hold, and how to see it again.
#[derive(Debug, thiserror::Error)]
#[error(
    "seed {seed}: {what}\n  to see it again: cargo xtask soak --storm promises --seeds 1 --start {seed}"
)]
pub struct Broken {
    /// The seed.
    pub seed: u64,
    /// What did not hold.
    pub what: String,
}

/// Runs the storm of a seed, heals it and checks what must hold. In a storm of an odd seed nothing happens after which a
/// promise may have to be broken, but that of something no copy is left.
pub fn run(seed: u64) -> Result<Outcome, Broken> {
    let broken = |error: anyhow::Error| Broken {
        seed,
        what: format!("{error:#}"),
    };
    let mut world = World::new(seed).map_err(broken)?;
    world.storm().map_err(broken)?;
    world.heal().map_err(broken)?;
    let checked = world.check();
    checked
        .with_context(|| {
            format!(
                "{:?}{}",
                world.counts,
                world.standings().unwrap_or_default()
            )
        })
        .map_err(broken)?;
    Ok(Outcome {
        risks: world.risks.into_values().flatten().collect(),
        counts: world.counts,
        broke: world.broke,
    })
}
