//! Directives (arahan): issued by headquarters at its gateway, read by every province, withdrawn, expired.
//!
//! What it never does: change anything at a province. What a province does about a directive is its own fact.

mod command;
mod decide;
mod rejection;
mod state;

pub use crate::{
    directive::{
        command::DirectiveCommand,
        decide::decide,
        rejection::DirectiveRejection,
        state::{DirectiveState, addresses, apply, ends_at, standing},
    },
    event::DirectiveEvent,
};

#[cfg(test)]
mod tests;
