//! The rules of every area: command and state to events or a rejection, event and state to the next state.
//!
//! What it never does: read a clock, draw a random number, open a file or a socket. A refusal is a value.

pub mod account;
pub mod blob;
pub mod code;
pub mod context;
pub mod directive;
pub mod event;
pub mod hazard;
pub mod incident;
pub mod log;
pub mod privacy;
pub mod region;
pub mod site;
pub mod text;
pub mod warning;
pub mod zone;

mod people;
mod wire;
