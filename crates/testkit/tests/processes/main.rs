//! Real processes, real sockets, real files: what only they can show.
//!
//! This suite should stay small: a test here costs seconds and a whole federation, where one beside the code costs
//! milliseconds. What belongs here is a process that dies, a certificate that a real handshake meets, and bad input that
//! comes through a real door; a rule belongs in `domain`, a case of the protocol in `ledger`, a query in `store`.

mod input;
mod kill;
mod refusal;
