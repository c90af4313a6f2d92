//! Warnings (peringatan dini): taken in from a feed or typed in by a person, replaced, taken back, expired.
//!
//! What it never does: raise an incident, or bring a cancelled warning back.

mod command;
mod decide;
pub mod draft;
mod rejection;
mod state;
pub mod subscription;
pub mod template;

use posko_proto::{Id, warning::v1::Source};

use crate::context::derived;
pub use crate::{
    event::WarningEvent,
    warning::{
        command::WarningCommand,
        decide::{decide, verified},
        rejection::WarningRejection,
        state::{WarningState, apply, ends_at, standing},
    },
};

/// Returns the stream of a warning: the first 16 bytes of
/// SHA-256(`posko/warning/v1\0` | the source's number as 4 bytes, big-endian | the publisher's identifier),
/// so that the same item of a feed is the same warning however often it is taken in.
pub fn stream_of(source: Source, identifier: &str) -> Id {
    derived(&[
        b"posko/warning/v1\0",
        &i32::from(source).to_be_bytes(),
        identifier.as_bytes(),
    ])
}

#[cfg(test)]
mod tests;
