//! Incidents (kejadian): reported, verified or found false or a duplicate, activated, responded to, ended, closed.
//!
//! What it never does: change another province's incident, or let an exercise touch a real one.
//!
//! ```text
//! Reported ──► Verified ──► Activated ──► Responding ──► Transition ──► OperationEnded ──► Closed
//!    │            │             └── also straight to Transition or OperationEnded
//!    └────────────┴──► False, Merged, and from Activated too: Cancelled
//! ```
//!
//! A published record of the past becomes a `Historical` incident: it has no number, raises no alarm, and is run by
//! nobody; a changed record replaces what it said before.
//!
//! What is over may be reopened: before its activation as reported, after it where it stood.

pub mod assessment;
mod attachment;

mod aim;
mod before;
mod beside;
mod change;
mod command;
mod decide;
mod emergency;
mod glide;
mod import;
mod need;
mod operation;
mod plausible;
mod rejection;
mod rule;
mod state;

use posko_proto::{NodeId, incident::v1::Status, time::Millis};

pub use crate::{
    event::IncidentEvent,
    incident::{
        aim::{Aim, Settled},
        assessment::Assessment,
        before::{Before, said_before},
        beside::{MOST_ABOVE, Unfinished, no_cycle, opened_once},
        change::Change,
        command::{CountOf, IncidentCommand, WarningRef, warning_named},
        decide::decide,
        emergency::{Emergency, MOST_EMERGENCIES, extended_by},
        import::{Imported, stream_of_record},
        need::{MOST_NEEDS, Need, Part},
        operation::{
            Escalation, Holding, MOST_OBJECTIVES, MOST_PERIODS, MOST_POSTS, Objective, Operation,
            Period, above, levels,
        },
        rejection::IncidentRejection,
        rule::MOST_RELATED,
        state::{Impact, IncidentState, Related, apply},
    },
};

/// The longest note, in characters.
pub const NOTE_CHARACTERS: usize = 4000;

/// Says whether the event says of itself that it corrects what was said before.
pub fn corrects(event: &IncidentEvent) -> bool {
    matches!(event, IncidentEvent::ImpactRecorded(impact) if impact.correction)
        || matches!(event, IncidentEvent::NeedMet(met) if met.correction)
}

/// Says whether nothing more is expected of an incident in this status: it is false, merged, cancelled or closed, or of
/// the past.
pub fn is_over(status: Status) -> bool {
    match status {
        Status::False
        | Status::Merged
        | Status::Closed
        | Status::Cancelled
        | Status::Historical => true,
        Status::Unspecified
        | Status::Reported
        | Status::Verified
        | Status::Activated
        | Status::Responding
        | Status::Transition
        | Status::OperationEnded => false,
    }
}

/// Returns the incident's number as people write it: `PMI-32-2026-000123`.
pub fn number_of(node: NodeId, year: i64, number: u32) -> String {
    format!("PMI-{node}-{year}-{number:06}")
}

/// Returns the number of an incident and the year that it counts in, from `PMI-32-2026-000123`.
pub fn parse_number(number: &str) -> Option<(NodeId, i64, u32)> {
    let mut parts = number.strip_prefix("PMI-")?.split('-');
    let parsed = (
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
    );
    (parts.next().is_none() && number_of(parsed.0, parsed.1, parsed.2) == number).then_some(parsed)
}

/// Returns the year of the moment in Waktu Indonesia Barat (UTC+7), in which numbers are counted.
pub fn year_of(now: Millis) -> i64 {
    // Civil from days (proleptic Gregorian), shifted so that a year begins in March and its leap day comes last.
    const DAYS_TO_0000_03_01: i64 = 719_468;
    let days = now.plus_seconds(7 * 3600).0.div_euclid(86_400_000) + DAYS_TO_0000_03_01;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let is_january_or_february = day_of_year >= 306;
    era * 400 + year_of_era + i64::from(is_january_or_february)
}

#[cfg(test)]
mod tests;
