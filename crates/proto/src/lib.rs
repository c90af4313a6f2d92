//! The contracts between nodes, provinces and programs: the messages generated from `proto/`, ids and times.
//!
//! What it never does: decide anything, or read a clock.

pub mod id;
pub mod time;

pub use crate::id::{Id, NodeId};

macro_rules! contracts {
    ($($(#[$doc:meta])* $area:ident;)*) => {
        $(
            $(#[$doc])*
            pub mod $area {
                /// Version 1.
                #[allow(
                    missing_docs,
                    unreachable_pub,
                    clippy::all,
                    clippy::pedantic,
                    reason = "generated; the contract's comments are in proto/"
                )]
                pub mod v1 {
                    include!(concat!(env!("OUT_DIR"), "/posko.", stringify!($area), ".v1.rs"));
                }
            }
        )*
    };
}

contracts! {
    /// What every area shares.
    common;
    /// The session between nodes, and what a node tells its operators about itself.
    federation;
    /// Files that lie beside the logs.
    blob;
    /// Incidents (kejadian).
    incident;
    /// Warnings (peringatan dini).
    warning;
    /// Accounts, roles and sessions.
    account;
    /// Headquarters' directives (arahan).
    directive;
    /// What an owner says about its own log.
    log;
    /// Sites (titik layanan) of incidents.
    site;
    /// What headquarters' IMS reads.
    ims;
}

/// The contracts as a protobuf `FileDescriptorSet`, for gRPC reflection.
pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));
