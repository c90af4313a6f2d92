//! Accounts of this node: the roles that they hold, where and until when.
//!
//! What it never does: hold a name or a password; those are in the vault.

mod action;
mod command;
mod decide;
mod rejection;
mod state;

use posko_proto::Id;

use crate::context::derived;
pub use crate::{
    account::{
        action::{Action, Held, allows, authorize, authorize_in},
        command::AccountCommand,
        decide::decide,
        rejection::{AccountRejection, Denial},
        state::{AccountState, Grant, HeldGrant, Seen, apply},
    },
    event::AccountEvent,
};

/// Returns the id of a grant that a command makes: the first 16 bytes of
/// SHA-256(`posko/grant/v1\0` | command id | the grant's place among the command's, 4 bytes, big-endian).
pub fn grant_of(command_id: Id, index: u32) -> Id {
    derived(&[
        b"posko/grant/v1\0",
        command_id.as_bytes(),
        &index.to_be_bytes(),
    ])
}

#[cfg(test)]
mod tests;
