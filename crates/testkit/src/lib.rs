//! What tests use: a federation of real processes on loopback, links that can be cut, and a publisher of warnings.
//!
//! ```text
//! Federation ─┬─ Node 31 ──dials──► Link 31→32 ──► Node 32 ◄── Publisher (BMKG's lists)
//!             ├─ Node 32 ──dials──► Link 32→31 ──► Node 31
//!             └─ Node 36 …
//! ```
//!
//! Beside it stands the protocol's randomized [`model`], which needs no process.
//! A node is the program `posko` itself: it is made, configured and asked as a person would, by its command line.
//! What it never does: serve anything but tests and the demo, or end a process that it did not start.

pub mod door;
mod federation;
mod link;
pub mod model;
mod node;
mod port;
pub mod promise;
mod publisher;
pub mod storm;
mod wait;

pub use crate::{
    door::{Bearer, Door, open},
    federation::{Federation, ORIGINS, path_to_program},
    link::Link,
    node::{GATEWAY, Node, Refused},
    port::free_port,
    publisher::{Publisher, Recording},
    wait::{check_going, eventually, interrupt, pause},
};
