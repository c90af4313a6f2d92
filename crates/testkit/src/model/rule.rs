//! The rules of the protocol, each of which a run can go without: taken away, it must break an invariant.

use std::fmt;

use clap::ValueEnum;

/// A rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Rule {
    /// Before anything of the own log is released to a peer, it is asked what it knows of it.
    OwnLogFirst,
    /// Epochs have a random part.
    Nonce,
    /// Orphans are recorded again.
    Reissue,
    /// Scarce commands wait in an unproven start.
    Gate,
    /// An orphaned promise is no promise until it is decided again.
    RecoveredPromises,
    /// A run that meets entries of its own log which it cannot expect stops writing.
    Fence,
    /// An escrow comes back by its holder's word, never by the owner's clock.
    EscrowReturn,
    /// Missing payloads are asked for.
    Backfill,
    /// An acceptance of a referral is confirmed once the requester has selected it.
    ReferralConfirm,
    /// An epoch counts only once it has an entry.
    FirstEntry,
    /// That a start was not proven outlives the next start.
    StickyMark,
    /// The high-water mark is compared before every decision, not only at the start.
    CompareMark,
    /// Orphans are decided before any new promise.
    OrphansFirst,
    /// Giving up is scarce too.
    GiveUps,
    /// No orphan is decided while the payload of one is missing.
    WaitPayload,
    /// Facts that come late are repaired: what cannot be kept is said.
    Repair,
    /// A re-issued promise is known by its id and its body.
    CompareBody,
    /// What every peer lacks is declared lost.
    PayloadLost,
    /// An orphan is decided after the logs that it depends on are here.
    WaitOthers,
    /// Every peer is asked twice.
    SecondRound,
    /// What a holder returns is free again by the owner's own entry only.
    OwnAck,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.to_possible_value();
        f.write_str(name.as_ref().map_or("", |name| name.get_name()))
    }
}
