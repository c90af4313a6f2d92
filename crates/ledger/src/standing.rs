//! How far a start can trust that nothing of its own log was lost: the rules alone, of what was found and heard.
//!
//! ```text
//! at_start ──▶ clean ──────────────────────────────────────────▶ every command runs
//!         └──▶ unproven ─▶ every peer asked ─▶ and asked again ─▶ proven
//! ```
//! Two rounds, because while the last peers are asked, an entry may move from one of them to one that was asked
//! before, and the first may then lose it. What was met meanwhile and is not here begins the round again, or ends the
//! run's writing ([`Verdict::Fence`]).
//! What it never does: keep anything, or ask a peer. The store keeps it, and the model of the tests runs by it.

use std::{collections::BTreeSet, fmt};

/// Why a start is unproven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doubt {
    /// The run before was fenced.
    Fenced,
    /// An earlier start was not proven, by the file's word.
    Kept,
    /// The file is a backup copy.
    Copied,
    /// The file was not there.
    FileGone,
    /// The high-water mark was not there.
    MarkGone,
    /// An earlier start was not proven, by the mark's word.
    MarkUnproven,
    /// The mark is ahead of the file.
    MarkAhead,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fenced => "the last run was fenced",
            Self::Kept | Self::MarkUnproven => "an earlier start was not proven",
            Self::Copied => "the file is a backup copy",
            Self::FileGone => "the file was not there",
            Self::MarkGone => "the high-water mark was not there",
            Self::MarkAhead => "the high-water mark is ahead of the file",
        })
    }
}

/// What the high-water mark says of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Whether it says that something may have been lost.
    pub unproven: bool,
    /// Whether the position that it names is held.
    pub held: bool,
}

/// What a start finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// What the file itself says.
    pub kept: Option<Doubt>,
    /// Whether the file was there.
    pub was_there: bool,
    /// Whether the node is being made and its log is empty.
    pub is_new: bool,
    /// The mark; none when it is gone.
    pub mark: Option<Mark>,
}

/// Returns why a start is unproven; none when it is clean.
pub fn at_start(found: Found) -> Option<Doubt> {
    match found.mark {
        _ if found.kept.is_some() => found.kept,
        // The node is being made, or that was interrupted: nothing can have been lost.
        None if found.is_new => None,
        _ if !found.was_there => Some(Doubt::FileGone),
        None => Some(Doubt::MarkGone),
        Some(Mark { unproven: true, .. }) => Some(Doubt::MarkUnproven),
        Some(Mark { held: false, .. }) => Some(Doubt::MarkAhead),
        Some(_) => None,
    }
}

/// What something that a run met means for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing.
    Trust,
    /// Something may have been lost: everybody is to be asked.
    Doubt,
    /// Another run writes, or the machine was rolled back: nothing more is written.
    Fence,
}

/// How a run stands that may write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// Whether it has opened its epoch, and its log ends there.
    pub opened: bool,
    /// Whether its start is not proven.
    pub unproven: bool,
    /// How often a higher epoch took the place of one that it had opened.
    pub outbid: usize,
    /// How many peers there are to ask.
    pub peers: usize,
}

impl Run {
    /// Judges entries of the own log that a peer holds and that are not here.
    ///
    /// A run that knew that something may be lost expects what was lost, below its epoch or beside it, once from each
    /// peer. It expects nobody in its own epoch, and one that writes and thought itself whole expects nothing. So two
    /// live copies of a node, neither proven, do not outbid each other for ever.
    pub fn on_unknown_entries(self, in_own_epoch: bool) -> Verdict {
        let expects = self.unproven && !in_own_epoch && self.outbid < self.peers;
        if self.opened && !expects {
            Verdict::Fence
        } else {
            Verdict::Doubt
        }
    }

    /// Judges a high-water mark that is gone (none), or that this run did not leave there.
    pub fn on_other_mark(self, mark: Option<Mark>) -> Verdict {
        match mark {
            None => Verdict::Doubt,
            // Another run has begun.
            Some(Mark { unproven: true, .. }) if !self.unproven => Verdict::Fence,
            Some(Mark { held: false, .. }) => Verdict::Fence,
            // A mark behind lags, or was put back: the next commit writes it again.
            Some(_) => Verdict::Trust,
        }
    }
}

/// Who was asked what is known of the own log, in two rounds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rounds<Peer> {
    asked: BTreeSet<Peer>,
    again: bool,
}

impl<Peer> Default for Rounds<Peer> {
    fn default() -> Self {
        Self {
            asked: BTreeSet::new(),
            again: false,
        }
    }
}

impl<Peer: Copy + Ord> Rounds<Peer> {
    /// Counts a peer that knows nothing more as asked.
    pub fn knows_no_more(&mut self, peer: Peer) {
        self.asked.insert(peer);
    }

    /// Begins the round again: a peer brought news.
    pub fn ask_again(&mut self) {
        self.asked.clear();
    }

    /// Begins with the first round: what was known of the own log is doubtful.
    pub fn ask_anew(&mut self) {
        *self = Self::default();
    }

    /// Says whether all of `peers` were asked in two rounds, and begins the second after the first.
    pub fn finish(&mut self, peers: &BTreeSet<Peer>) -> bool {
        let all = self.asked.is_superset(peers);
        let finished = all && self.again;
        if all {
            self.again = true;
            self.asked.clear();
        }
        finished
    }

    /// Says whether this is the second round.
    pub fn is_second(&self) -> bool {
        self.again
    }

    /// Returns which of `peers` are still to be asked in this round.
    pub fn waiting(&self, peers: &BTreeSet<Peer>) -> Vec<Peer> {
        peers.difference(&self.asked).copied().collect()
    }
}
