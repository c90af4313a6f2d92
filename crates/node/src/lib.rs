//! A running node: sessions with its peers, the API for its people and programs, the feeds that it asks.
//!
//! ```text
//! operators ──gRPC──▶ api ──commands──▶ store ◀──groups── peer ◀──frames──▶ other nodes
//!                      └──questions──▶   ▲
//!               feeds ──▶ intake ────────┤
//!               clock ──▶ timer ─────────┘
//! ```
//! What it never does: decide a rule, or write SQL.

pub mod api;
mod automatic;
pub mod backup;
pub mod config;
pub mod disk;
pub mod identity;
pub mod import;
pub mod intake;
pub mod node;
pub mod offline;
mod outgoing;
pub mod peer;
mod report;
pub mod time;
mod timer;

pub use crate::node::{Node, Running};

/// The program's name and version, as peers and operators are told.
pub const SOFTWARE: &str = concat!("posko/", env!("CARGO_PKG_VERSION"));
