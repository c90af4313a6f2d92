//! The contracts between nodes, provinces and programs: the messages generated from `proto/`, ids and times.
//!
//! What it never does: decide anything, or read a clock.

pub mod id;
pub mod time;

pub use crate::id::{Id, NodeId};

/// What every area shares.
pub mod common {
    /// Version 1.
    #[allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::pedantic,
        reason = "generated; the contract's comments are in proto/"
    )]
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/posko.common.v1.rs"));
    }
}

/// The session between nodes, and what a node tells its operators about itself.
pub mod federation {
    /// Version 1.
    #[allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::pedantic,
        reason = "generated; the contract's comments are in proto/"
    )]
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/posko.federation.v1.rs"));
    }
}

/// Incidents (kejadian).
pub mod incident {
    /// Version 1.
    #[allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::pedantic,
        reason = "generated; the contract's comments are in proto/"
    )]
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/posko.incident.v1.rs"));
    }
}

/// Warnings (peringatan dini).
pub mod warning {
    /// Version 1.
    #[allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::pedantic,
        reason = "generated; the contract's comments are in proto/"
    )]
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/posko.warning.v1.rs"));
    }
}

/// Accounts, roles and sessions.
pub mod account {
    /// Version 1.
    #[allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::pedantic,
        reason = "generated; the contract's comments are in proto/"
    )]
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/posko.account.v1.rs"));
    }
}

/// Headquarters' directives (arahan).
pub mod directive {
    /// Version 1.
    #[allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::pedantic,
        reason = "generated; the contract's comments are in proto/"
    )]
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/posko.directive.v1.rs"));
    }
}

/// What headquarters' IMS reads.
pub mod ims {
    /// Version 1.
    #[allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::pedantic,
        reason = "generated; the contract's comments are in proto/"
    )]
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/posko.ims.v1.rs"));
    }
}

/// The contracts as a protobuf `FileDescriptorSet`, for gRPC reflection.
pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));
