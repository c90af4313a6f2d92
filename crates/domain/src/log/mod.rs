//! What an owner says about entries of its own log: left out for good, lost, withdrawn.
//!
//! What it never does: change an entry. Each statement is a thing of its own, made once, and stands.

mod command;
mod decide;
mod rejection;
mod state;

pub use crate::{
    event::LogEvent,
    log::{
        command::LogCommand,
        decide::{Held, HeldPayload, decide},
        rejection::LogRejection,
        state::{Statement, apply},
    },
};

#[cfg(test)]
mod tests;
