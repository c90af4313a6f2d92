//! Real processes, real sockets, real files: what only they can show.
//!
//! This suite should stay small: a test here costs seconds and a whole federation, where one beside the code costs
//! milliseconds. What belongs here is a process that dies, a certificate that a real handshake meets, and bad input that
//! comes through a real door; a rule belongs in `domain`, a case of the protocol in `ledger`, a query in `store`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and tells on stdout which phase it is in"
)]

mod backup;
mod fork;
mod gateway;
mod import;
mod input;
mod kill;
mod picture;
mod refusal;
mod relay;
mod restore;
mod withdraw;
