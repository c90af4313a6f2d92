//! Published disaster records, read by a map: what each row becomes, or what is wrong with it and where.
//!
//! ```text
//! file ─▶ formats::table ─▶ row ─▶ map: status, place, hazard, time, figures, text ─▶ ImportedRow ─▶ domain's own check
//! ```
//! It needs no running node. What it never does: keep rows, guess what a code, a date or a number means, or read a
//! column that names a person.

mod map;
mod person;
mod place;
mod plan;
mod read;

use posko_domain::region;
use posko_proto::NodeId;

#[cfg(test)]
mod tests;

pub use self::{
    map::{MAX_MAP_BYTES, Map, MapError, SHIPPED, shipped},
    plan::{Counts, Fate, Fault, ImportError, Planned, Planner, Report, Settings},
};

/// Returns the province of a code, `32`.
pub fn province(code: &str) -> Option<NodeId> {
    let known = region::find(code).filter(|region| region.code.len() == 2);
    known.and_then(|region| region.code.parse().ok())
}
