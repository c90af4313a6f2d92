//! Through whom each log comes: one source an origin at a time, the origin itself when it keeps up.
//!
//! ```text
//!  sessions, views, heads ──▶ ┌─────────┐
//!  commits, what comes    ──▶ │ Sources │ ──▶ per origin: the session that gives its log, since when, and why that one
//!  now                    ──▶ └─────────┘
//! ```
//!
//! What sessions say of how far they are is believed for the choice alone: a liar is left after [`STALL_MS`].
//! What it never does: judge an entry, or count hops; the cursor makes loops harmless.

use std::{cmp::Reverse, collections::BTreeMap};

use posko_proto::NodeId;

use super::{Now, Peer, Reach, View, classes_of};

/// For how long a verified head may be ahead without progress until another source is taken, in milliseconds.
pub const STALL_MS: u64 = 3_000;
/// For how long what comes is progress without a commit, in milliseconds: the largest group on a thin link.
pub const GROUP_MS: u64 = 60_000;
/// For how long a session that refused a log is passed over, in milliseconds.
pub const REFUSED_MS: u64 = 10_000;
/// For how long a session that stalled is passed over, in milliseconds; each further time twice as long.
const REST_MS: u64 = 2_000;
/// The longest time for which a session is passed over, in milliseconds.
const LONGEST_REST_MS: u64 = 300_000;

/// Why a log comes through the source that it comes through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// The origin itself gives it.
    Direct,
    /// No session with the origin is open.
    NotConnected,
    /// The origin did not keep up, or refused.
    Stalled,
    /// The origin has less of its log than is here.
    Behind,
}

/// The source of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Source {
    /// Whose session it is.
    pub peer: NodeId,
    /// Which session of that peer.
    pub session: u64,
    /// Why this one.
    pub why: Why,
    /// Since when the log comes through it for that reason, milliseconds since 1970.
    pub since_ms: i64,
    /// The payload classes that this node may have and the source cannot give.
    pub lacks: u32,
}

impl Source {
    fn is(&self, candidate: &Candidate) -> bool {
        (self.peer, self.session) == (candidate.peer, candidate.session)
    }
}

/// The sources of all logs.
#[derive(Debug)]
pub struct Sources {
    /// The payload classes that this node may have.
    classes: u32,
    sessions: BTreeMap<NodeId, Open>,
    routes: BTreeMap<NodeId, Route>,
}

/// An open session.
#[derive(Debug)]
struct Open {
    id: u64,
    /// The classes that the peer may have.
    classes: u32,
    held: BTreeMap<NodeId, Held>,
    /// How far the peer has each log, by its word: what it holds, not the heads that it knows of.
    ends: BTreeMap<NodeId, Reach>,
}

/// How far a session is with a log, by its word, and how it did as a source.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    reach: Reach,
    classes: u32,
    /// It stalled or refused since it was last the source.
    failed: bool,
    stalls: u32,
    rests_until: u64,
}

/// How a log comes.
#[derive(Debug, Default)]
struct Route {
    end: Reach,
    /// The best verified head.
    known: Reach,
    /// The furthest that anybody says to have it: it counts while nothing of the log is here, and so no key by which a
    /// head could be verified.
    claimed: Reach,
    source: Option<Source>,
    /// When the log last moved, or a head was first ahead of it, or its source began.
    moved_at: u64,
    /// The same, and when entries last came.
    came_at: u64,
    /// Groups under way to the store: while there are any, the source waits for this node.
    applying: u32,
}

impl Route {
    fn known(&mut self, reach: Reach, verified: bool, now: Now) {
        let was_ahead = self.is_behind();
        if verified {
            self.known = self.known.max(reach);
        }
        self.claimed = self.claimed.max(reach);
        if self.is_behind() && !was_ahead {
            self.progressed(now.mono_ms);
        }
    }

    /// Says whether there is more of the log than is here.
    fn is_behind(&self) -> bool {
        self.known > self.end || (self.end == Reach::default() && self.claimed > self.end)
    }

    fn is_stalled(&self, now: u64) -> bool {
        let late = now.saturating_sub(self.came_at) >= STALL_MS || self.is_stuck(now);
        self.is_behind() && self.applying == 0 && late
    }

    /// Says whether nothing was committed for so long that even the largest group would have been.
    fn is_stuck(&self, now: u64) -> bool {
        now.saturating_sub(self.moved_at) >= GROUP_MS
    }

    fn progressed(&mut self, now: u64) {
        (self.moved_at, self.came_at) = (now, now);
    }
}

/// A session that may give a log.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    peer: NodeId,
    session: u64,
    /// It is the origin itself.
    direct: bool,
    /// It holds what is here.
    holds: bool,
    reach: Reach,
    lacks: u32,
    standing: Standing,
}

/// How a session did as the source of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    /// It gave what it had, as far as is known.
    Good,
    /// It stalled or refused since it was last the source.
    Failed,
    /// The same, and it is passed over for now.
    Rests,
}

impl Candidate {
    fn rests(&self) -> bool {
        self.standing == Standing::Rests
    }

    /// Orders candidates: all payloads before some, who did well before who did not, the origin before others, then who
    /// is furthest ahead.
    fn worth(&self) -> impl Ord {
        let full = self.lacks == 0;
        let peer = Reverse(self.peer);
        (
            self.holds,
            full,
            !self.rests(),
            self.direct,
            self.reach,
            peer,
        )
    }
}

impl Sources {
    /// Returns the sources of a node that may have payloads of these classes; it knows no log and no session yet.
    pub fn new(classes: u32) -> Self {
        Self {
            classes,
            sessions: BTreeMap::new(),
            routes: BTreeMap::new(),
        }
    }

    /// Takes a session whose peer has introduced itself; one with the same peer is replaced.
    pub fn opened(&mut self, peer: Peer, session: u64, views: &[View]) {
        let held = views.iter().map(|view| {
            let held = Held {
                reach: view.end,
                classes: view.classes,
                ..Held::default()
            };
            (view.origin, held)
        });
        let open = Open {
            id: session,
            classes: classes_of(peer.role),
            held: held.collect(),
            ends: views.iter().map(|view| (view.origin, view.end)).collect(),
        };
        self.sessions.insert(peer.origin, open);
    }

    /// Lets a session go; one that was replaced changes nothing.
    pub fn closed(&mut self, peer: NodeId, session: u64) {
        if self
            .sessions
            .get(&peer)
            .is_some_and(|open| open.id == session)
        {
            self.sessions.remove(&peer);
        }
    }

    /// Takes which logs are to be pulled, how far each is here, and how far its best verified head reaches.
    pub fn logs(&mut self, now: Now, logs: &BTreeMap<NodeId, (Reach, Reach)>) {
        self.routes.retain(|origin, _| logs.contains_key(origin));
        for (origin, (end, known)) in logs {
            let route = self.routes.entry(*origin).or_default();
            if route.end < *end {
                route.end = *end;
                route.progressed(now.mono_ms);
            }
            route.known(*known, true, now);
        }
    }

    /// Takes that a session told a head of a log, verified or not.
    pub fn told(&mut self, now: Now, peer: NodeId, origin: NodeId, reach: Reach, verified: bool) {
        if let Some(open) = self.sessions.get_mut(&peer) {
            // Who showed no view of the log took it up since.
            let classes = open.classes;
            let held = open.held.entry(origin).or_insert(Held {
                classes,
                ..Held::default()
            });
            held.reach = held.reach.max(reach);
        }
        if let Some(route) = self.routes.get_mut(&origin) {
            route.known(reach, verified, now);
        }
    }

    /// Takes how far the peer of a session has each log now.
    pub fn holds(&mut self, peer: NodeId, ends: Vec<(NodeId, Reach)>) {
        if let Some(open) = self.sessions.get_mut(&peer) {
            open.ends = ends.into_iter().collect();
        }
    }

    /// Returns how far a peer has a log, by its word; none while no session with it is open.
    pub fn held_by(&self, peer: NodeId, origin: NodeId) -> Option<Reach> {
        let open = self.sessions.get(&peer)?;
        Some(open.ends.get(&origin).copied().unwrap_or_default())
    }

    /// Takes that the next entries of a log came.
    pub fn came(&mut self, now: Now, origin: NodeId) {
        if let Some(route) = self.routes.get_mut(&origin) {
            route.came_at = now.mono_ms;
        }
    }

    /// Takes that a group of a log is under way to the store.
    pub fn applying(&mut self, origin: NodeId) {
        if let Some(route) = self.routes.get_mut(&origin) {
            route.applying += 1;
        }
    }

    /// Takes that a group of a log is durable, or was refused.
    pub fn applied(&mut self, now: Now, origin: NodeId) {
        if let Some(route) = self.routes.get_mut(&origin) {
            route.applying = route.applying.saturating_sub(1);
            route.progressed(now.mono_ms);
        }
    }

    /// Takes that this node takes no entries for now: no source can be blamed.
    pub fn paused(&mut self, now: Now) {
        for route in self.routes.values_mut() {
            route.progressed(now.mono_ms);
        }
    }

    /// Takes that a session refused a log, or sent it wrongly.
    pub fn refused(&mut self, now: Now, peer: NodeId, origin: NodeId) {
        let source = self.source(origin);
        if source.is_some_and(|source| source.peer == peer)
            && let Some(held) = self
                .sessions
                .get_mut(&peer)
                .and_then(|open| open.held.get_mut(&origin))
        {
            held.failed = true;
            held.rests_until = now.mono_ms + REFUSED_MS;
        }
    }

    /// Returns the source of a log.
    pub fn source(&self, origin: NodeId) -> Option<Source> {
        self.routes.get(&origin).and_then(|route| route.source)
    }

    /// Returns the logs that a session gives.
    pub fn given_by(&self, peer: NodeId, session: u64) -> Vec<NodeId> {
        let given = |source: Source| source.peer == peer && source.session == session;
        self.routes
            .iter()
            .filter(|(_, route)| route.source.is_some_and(given))
            .map(|(origin, _)| *origin)
            .collect()
    }

    /// Chooses the source of every log, and returns the logs whose source is another one now.
    pub fn choose(&mut self, now: Now) -> Vec<NodeId> {
        let mut origins: Vec<NodeId> = self.routes.keys().copied().collect();
        origins.retain(|origin| {
            // A way out may be one that rests, beside which another is better: what is chosen stays chosen.
            let changes = (0..=self.sessions.len()).take_while(|_| self.choose_for(now, *origin));
            changes.count() > 0
        });
        origins
    }

    /// Chooses the source of one log, and says whether it is another one now.
    fn choose_for(&mut self, now: Now, origin: NodeId) -> bool {
        let candidates = self.candidates(now.mono_ms, origin);
        let Some(route) = self.routes.get_mut(&origin) else {
            return false;
        };
        let best = |fits: &dyn Fn(&Candidate) -> bool| {
            let fitting = candidates.iter().copied().filter(|one| fits(one));
            fitting.max_by(|a, b| a.worth().cmp(&b.worth()))
        };
        let before = route.source;
        let current = best(&|one| before.is_some_and(|source| source.is(one)));
        let mut left = None;
        let next = match current {
            None => best(&|_| true),
            Some(current) => {
                let late = route.is_stalled(now.mono_ms);
                let stuck = late && route.is_stuck(now.mono_ms);
                let (end, known) = (route.end, route.known);
                // Who cannot give all is the last way out: what it withholds is missing until another gives it.
                let relief = best(&|other| {
                    let lesser = other.lacks != 0 && current.lacks == 0;
                    let idle = current.rests() && other.holds && !other.rests();
                    other.peer != current.peer
                        && if lesser {
                            stuck && other.reach > end
                        } else {
                            (late && other.reach > end) || idle
                        }
                });
                if relief.is_some() && !current.rests() {
                    left = Some(current);
                }
                let better = best(&|other| {
                    // One that failed is back only when it has what it did not give.
                    let enough =
                        other.holds && (other.standing == Standing::Good || other.reach >= known);
                    let origin_is_back = other.direct && enough && !other.rests();
                    let gives_all =
                        other.holds && other.lacks == 0 && current.lacks != 0 && !other.rests();
                    other.peer != current.peer && (origin_is_back || gives_all)
                });
                relief.or(better).or(Some(current))
            }
        };
        let direct = candidates.iter().find(|candidate| candidate.direct);
        let why = match (direct, next) {
            (None, _) => Why::NotConnected,
            (Some(_), Some(next)) if next.direct => Why::Direct,
            (Some(direct), _)
                if direct.standing != Standing::Good || left.is_some_and(|left| left.direct) =>
            {
                Why::Stalled
            }
            (Some(_), _) => Why::Behind,
        };
        let source = next.map(|next| Source {
            peer: next.peer,
            session: next.session,
            why,
            since_ms: match before {
                Some(source) if source.peer == next.peer && source.why == why => source.since_ms,
                _ => now.wall_ms,
            },
            lacks: next.lacks,
        });
        route.source = source;
        let changed = match (before, next) {
            (None, None) => false,
            (Some(before), Some(next)) => !before.is(&next),
            (None, Some(_)) | (Some(_), None) => true,
        };
        if changed {
            route.progressed(now.mono_ms);
            if let Some(held) = left.and_then(|left| self.held(left.peer, origin)) {
                held.rest(now.mono_ms);
            }
            if let Some(held) = next.and_then(|next| self.held(next.peer, origin)) {
                held.failed = false;
            }
        }
        changed
    }

    fn candidates(&self, now: u64, origin: NodeId) -> Vec<Candidate> {
        let end = self.routes.get(&origin).map(|route| route.end);
        let end = end.unwrap_or_default();
        let candidate = |(peer, open): (&NodeId, &Open)| {
            let direct = *peer == origin;
            let held = match open.held.get(&origin) {
                Some(held) => *held,
                None if direct => Held::default(),
                None => return None,
            };
            let holds = held.reach >= end;
            let lacks = if direct {
                0
            } else {
                self.classes & !held.classes
            };
            // The origin is asked also when it holds less: it may come to hold more.
            (holds || direct).then_some(Candidate {
                peer: *peer,
                session: open.id,
                direct,
                holds,
                reach: held.reach,
                lacks,
                standing: if held.rests_until > now {
                    Standing::Rests
                } else if held.failed {
                    Standing::Failed
                } else {
                    Standing::Good
                },
            })
        };
        self.sessions.iter().filter_map(candidate).collect()
    }

    fn held(&mut self, peer: NodeId, origin: NodeId) -> Option<&mut Held> {
        let open = self.sessions.get_mut(&peer)?;
        Some(open.held.entry(origin).or_default())
    }
}

impl Held {
    /// Passes the session over, for longer and longer until it has done well for as long as it rests at most.
    fn rest(&mut self, now: u64) {
        if now > self.rests_until + LONGEST_REST_MS {
            self.stalls = 0;
        }
        let rest = (REST_MS << self.stalls.min(8)).min(LONGEST_REST_MS);
        self.failed = true;
        self.stalls += 1;
        self.rests_until = now + rest;
    }
}

#[cfg(test)]
mod tests {
    use posko_proto::federation::v1::NodeRole;
    use proptest::prelude::*;

    use super::*;
    use crate::epoch::Epoch;

    const CLASSES: u32 = 1 | 2;

    fn node(name: &str) -> NodeId {
        name.parse().unwrap()
    }

    fn at(seq: u64) -> Reach {
        let epoch = Epoch {
            no: 1,
            nonce: [1; 16],
        };
        Reach { epoch, seq }
    }

    /// Node `31` with the log of `32`, at a time that the test moves.
    struct Story {
        sources: Sources,
        ms: u64,
        session: u64,
    }

    impl Story {
        fn begin() -> Self {
            let mut story = Self {
                sources: Sources::new(CLASSES),
                ms: 1_000,
                session: 0,
            };
            story.moves_to(0);
            story
        }

        fn now(&self) -> Now {
            Now {
                mono_ms: self.ms,
                wall_ms: self.ms.cast_signed(),
            }
        }

        fn moves_to(&mut self, seq: u64) {
            let now = self.now();
            let end = if seq == 0 { Reach::default() } else { at(seq) };
            let logs = [(node("32"), (end, end))].into();
            self.sources.logs(now, &logs);
        }

        /// A session opens with a peer that has the log of `32` up to here.
        fn opens(&mut self, peer: &str, seq: u64) {
            self.session += 1;
            let role = if peer == "ims" {
                NodeRole::Gateway
            } else {
                NodeRole::Node
            };
            let peer = Peer {
                origin: node(peer),
                role,
            };
            let view = View {
                origin: node("32"),
                end: at(seq),
                classes: classes_of(role),
            };
            self.sources.opened(peer, self.session, &[view]);
        }

        fn closes(&mut self, peer: &str) {
            let session = self.sources.sessions[&node(peer)].id;
            self.sources.closed(node(peer), session);
        }

        fn tells(&mut self, peer: &str, seq: u64) {
            let now = self.now();
            self.sources
                .told(now, node(peer), node("32"), at(seq), true);
        }

        /// Lets time pass as the node does, and returns the source.
        fn after(&mut self, ms: u64) -> Option<(&'static str, Why)> {
            let until = self.ms + ms;
            while self.ms < until {
                self.ms = until.min(self.ms + 500);
                self.sources.choose(self.now());
            }
            self.source()
        }

        fn source(&mut self) -> Option<(&'static str, Why)> {
            self.sources.choose(self.now());
            let source = self.sources.source(node("32"))?;
            let names = ["32", "36", "33", "ims"];
            let name = names.into_iter().find(|name| source.peer == node(name));
            Some((name.unwrap(), source.why))
        }
    }

    #[test]
    fn an_origin_that_is_there_gives_its_own_log() {
        let mut story = Story::begin();
        assert_eq!(story.source(), None);
        story.opens("36", 9);
        story.opens("32", 5);
        assert_eq!(story.source(), Some(("32", Why::Direct)));
        assert_eq!(
            story.after(60_000),
            Some(("32", Why::Direct)),
            "a quiet log is no stall"
        );
    }

    #[test]
    fn when_the_origin_is_cut_off_the_one_furthest_ahead_gives_its_log_at_once() {
        let mut story = Story::begin();
        story.opens("32", 5);
        story.opens("33", 4);
        story.opens("36", 5);
        story.moves_to(4);
        assert_eq!(story.source(), Some(("32", Why::Direct)));
        story.closes("32");
        assert_eq!(story.source(), Some(("36", Why::NotConnected)));
        story.closes("36");
        assert_eq!(story.source(), Some(("33", Why::NotConnected)));
        story.closes("33");
        assert_eq!(story.source(), None);
    }

    #[test]
    fn who_holds_less_than_is_here_gives_nothing() {
        let mut story = Story::begin();
        story.moves_to(7);
        story.opens("36", 6);
        assert_eq!(story.source(), None);
        story.tells("36", 7);
        assert_eq!(story.source(), Some(("36", Why::NotConnected)));
    }

    #[test]
    fn a_head_that_a_peer_knows_of_is_not_what_it_has() {
        let mut story = Story::begin();
        assert_eq!(story.sources.held_by(node("36"), node("32")), None);
        story.opens("36", 5);
        story.tells("36", 9);
        let held = |story: &Story, log| story.sources.held_by(node("36"), node(log));
        assert_eq!(held(&story, "32"), Some(at(5)));
        assert_eq!(held(&story, "33"), Some(Reach::default()));
        let ends = vec![(node("32"), at(7)), (node("33"), at(1))];
        story.sources.holds(node("36"), ends);
        assert_eq!(held(&story, "32"), Some(at(7)));
        assert_eq!(held(&story, "33"), Some(at(1)));
        story.closes("36");
        assert_eq!(held(&story, "32"), None);
    }

    #[test]
    fn an_origin_that_comes_back_gives_its_log_at_once() {
        let mut story = Story::begin();
        story.opens("36", 5);
        story.moves_to(5);
        assert_eq!(story.source(), Some(("36", Why::NotConnected)));
        story.opens("32", 5);
        assert_eq!(story.source(), Some(("32", Why::Direct)));
    }

    #[test]
    fn an_origin_that_holds_less_than_is_here_waits_until_it_holds_as_much() {
        let mut story = Story::begin();
        story.opens("36", 5);
        story.moves_to(5);
        assert_eq!(story.source(), Some(("36", Why::NotConnected)));
        story.opens("32", 3);
        assert_eq!(story.source(), Some(("36", Why::Behind)));
        story.tells("32", 5);
        assert_eq!(story.source(), Some(("32", Why::Direct)));
    }

    #[test]
    fn a_silent_origin_whose_head_others_tell_is_left_after_three_seconds_and_taken_again_when_it_tells_as_much()
     {
        let mut story = Story::begin();
        story.opens("32", 5);
        story.opens("36", 5);
        story.moves_to(5);
        assert_eq!(story.after(10_000), Some(("32", Why::Direct)));
        story.tells("36", 6);
        assert_eq!(story.after(STALL_MS - 1), Some(("32", Why::Direct)));
        assert_eq!(story.after(1), Some(("36", Why::Stalled)));
        story.moves_to(6);
        assert_eq!(story.after(60_000), Some(("36", Why::Stalled)));
        story.tells("32", 6);
        assert_eq!(story.source(), Some(("32", Why::Direct)));
    }

    #[test]
    fn progress_of_any_kind_is_no_stall() {
        let mut story = Story::begin();
        story.opens("32", 5);
        story.opens("36", 900);
        story.tells("36", 900);
        for seq in 1..20 {
            story.moves_to(seq);
            assert_eq!(story.after(STALL_MS - 1), Some(("32", Why::Direct)));
        }
        // A long group on a thin link.
        for _ in 0..10 {
            let now = story.now();
            story.sources.came(now, node("32"));
            assert_eq!(story.after(STALL_MS - 1), Some(("32", Why::Direct)));
        }
        // This node's own store is slow.
        story.sources.applying(node("32"));
        assert_eq!(story.after(100_000), Some(("32", Why::Direct)));
        let now = story.now();
        story.sources.applied(now, node("32"));
        assert_eq!(story.after(STALL_MS), Some(("36", Why::Stalled)));
    }

    #[test]
    fn entries_that_come_for_ever_without_a_head_are_a_stall() {
        let mut story = Story::begin();
        story.opens("32", 5);
        story.opens("36", 6);
        story.tells("36", 6);
        let mut left = 0;
        while story.source() == Some(("32", Why::Direct)) {
            let now = story.now();
            story.sources.came(now, node("32"));
            story.after(1_000);
            left += 1_000;
        }
        assert!((GROUP_MS..GROUP_MS + 2_000).contains(&left), "{left}");
    }

    #[test]
    fn an_origin_that_tells_heads_and_gives_nothing_is_tried_less_and_less() {
        let mut story = Story::begin();
        story.opens("32", 1);
        story.opens("36", 1);
        story.moves_to(1);
        let (mut direct, mut seq) = (0, 1);
        for _ in 0..600 {
            seq += 1;
            story.tells("32", seq);
            story.tells("36", seq);
            if story.after(1_000).unwrap().0 == "36" {
                story.moves_to(seq);
            } else {
                direct += 1;
            }
        }
        assert!(direct < 60, "{direct} of 600 s were lost on it");
    }

    #[test]
    fn a_source_that_refuses_is_left_at_once() {
        let mut story = Story::begin();
        story.opens("36", 9);
        story.opens("33", 5);
        assert_eq!(story.source(), Some(("36", Why::NotConnected)));
        let now = story.now();
        story.sources.refused(now, node("36"), node("32"));
        assert_eq!(story.source(), Some(("33", Why::NotConnected)));
        let now = story.now();
        story.sources.refused(now, node("33"), node("32"));
        assert_eq!(
            story.source(),
            Some(("33", Why::NotConnected)),
            "who else refused is no way out"
        );
    }

    #[test]
    fn a_gateway_gives_a_log_only_where_nobody_gives_all_of_it() {
        let mut story = Story::begin();
        story.opens("ims", 9);
        story.opens("36", 5);
        assert_eq!(story.source(), Some(("36", Why::NotConnected)));
        story.tells("ims", 9);
        assert_eq!(story.after(GROUP_MS - 1), Some(("36", Why::NotConnected)));
        story.closes("36");
        assert_eq!(story.source(), Some(("ims", Why::NotConnected)));
        assert_eq!(story.sources.source(node("32")).unwrap().lacks, 2);
        story.moves_to(9);
        story.opens("36", 5);
        assert_eq!(story.source(), Some(("ims", Why::NotConnected)));
        story.tells("36", 9);
        assert_eq!(story.source(), Some(("36", Why::NotConnected)));
        assert_eq!(story.sources.source(node("32")).unwrap().lacks, 0);
    }

    #[test]
    fn a_log_of_which_nothing_is_here_comes_from_who_took_it_up_later_than_the_one_chosen_first() {
        let mut story = Story::begin();
        story.opens("33", 0);
        story.opens("36", 0);
        assert_eq!(story.source(), Some(("33", Why::NotConnected)));
        // Nothing is here that would tell the key: the head is a claim.
        let (now, origin) = (story.now(), node("32"));
        story.sources.told(now, node("36"), origin, at(1), false);
        assert_eq!(story.after(STALL_MS), Some(("36", Why::NotConnected)));
        story.moves_to(1);
        let now = story.now();
        story.sources.told(now, node("33"), origin, at(99), false);
        assert_eq!(
            story.after(60_000),
            Some(("36", Why::NotConnected)),
            "once the key is here, a mere claim moves nothing"
        );
    }

    #[test]
    fn who_could_give_all_of_a_log_and_gives_nothing_is_left_for_a_gateway_after_a_minute() {
        let mut story = Story::begin();
        story.opens("ims", 9);
        story.opens("36", 9);
        story.tells("ims", 9);
        assert_eq!(story.after(GROUP_MS - 1), Some(("36", Why::NotConnected)));
        assert_eq!(story.after(1_000), Some(("ims", Why::NotConnected)));
        story.moves_to(9);
        assert_eq!(story.after(60_000), Some(("36", Why::NotConnected)));
    }

    #[test]
    fn an_origin_that_comes_and_goes_gives_its_log_while_it_is_there_and_another_while_it_is_not() {
        let mut story = Story::begin();
        story.opens("36", 5);
        for _ in 0..50 {
            story.opens("32", 5);
            assert_eq!(story.after(700), Some(("32", Why::Direct)));
            story.closes("32");
            assert_eq!(story.after(700), Some(("36", Why::NotConnected)));
        }
    }

    #[test]
    fn a_session_that_replaced_another_is_asked_anew() {
        let mut story = Story::begin();
        story.opens("32", 5);
        assert_eq!(story.source(), Some(("32", Why::Direct)));
        let old = story.session;
        story.opens("32", 5);
        assert_eq!(story.sources.choose(story.now()), [node("32")]);
        assert_eq!(story.sources.given_by(node("32"), old), []);
        story.sources.closed(node("32"), old);
        assert_eq!(story.source(), Some(("32", Why::Direct)));
        assert_eq!(
            story.sources.given_by(node("32"), story.session),
            [node("32")]
        );
    }

    #[test]
    fn a_log_whose_card_was_removed_comes_from_nobody() {
        let mut story = Story::begin();
        story.opens("36", 5);
        assert!(story.source().is_some());
        let now = story.now();
        story.sources.logs(now, &BTreeMap::new());
        assert_eq!(story.source(), None);
    }

    #[derive(Clone, Debug)]
    enum Act {
        Opens(usize, u64),
        Closes(usize),
        Tells(usize, u64),
        Moves(u64),
        Refuses(usize),
        Waits(u64),
    }

    fn act() -> impl Strategy<Value = Act> {
        let peer = 0..PEERS.len();
        prop_oneof![
            (peer.clone(), 0..20_u64).prop_map(|(peer, seq)| Act::Opens(peer, seq)),
            peer.clone().prop_map(Act::Closes),
            (peer.clone(), 0..20_u64).prop_map(|(peer, seq)| Act::Tells(peer, seq)),
            (0..20_u64).prop_map(Act::Moves),
            peer.prop_map(Act::Refuses),
            (1..8_000_u64).prop_map(Act::Waits),
        ]
    }

    const PEERS: [&str; 4] = ["32", "33", "36", "ims"];

    proptest! {
        #[test]
        fn whoever_comes_and_goes_the_source_is_there_and_a_log_that_others_hold_is_never_without_one(
            acts in proptest::collection::vec(act(), 0..80),
        ) {
            let mut story = Story::begin();
            let mut end = 0;
            for act in acts {
                match act {
                    Act::Opens(peer, seq) => story.opens(PEERS[peer], seq),
                    Act::Closes(peer) if story.sources.sessions.contains_key(&node(PEERS[peer])) => story.closes(PEERS[peer]),
                    Act::Closes(_) => {}
                    Act::Tells(peer, seq) => story.tells(PEERS[peer], seq),
                    Act::Moves(seq) => {
                        end = end.max(seq);
                        story.moves_to(end);
                    }
                    Act::Refuses(peer) => {
                        let now = story.now();
                        story.sources.refused(now, node(PEERS[peer]), node("32"));
                    }
                    Act::Waits(ms) => story.ms += ms,
                }
                let source = story.source();
                let open = &story.sources.sessions;
                if let Some((peer, why)) = source {
                    prop_assert!(open.contains_key(&node(peer)));
                    prop_assert_eq!(why == Why::Direct, peer == "32");
                    prop_assert_eq!(why == Why::NotConnected, !open.contains_key(&node("32")));
                    // What is chosen stays chosen as long as nothing happens.
                    prop_assert_eq!(story.sources.choose(story.now()), []);
                } else {
                    let reach = |open: &Open| open.held.get(&node("32")).map(|held| held.reach);
                    let here = story.sources.routes[&node("32")].end;
                    prop_assert!(open.values().all(|open| reach(open).is_none_or(|reach| reach < here)));
                }
            }
        }

        #[test]
        fn a_node_that_serves_honestly_brings_a_log_to_its_end_whatever_the_others_do(
            liars in proptest::collection::vec((1_usize..3, 10..30_u64), 0..40),
        ) {
            // `36` gives what it holds within a second; the others claim and give nothing.
            let mut story = Story::begin();
            let mut end = 0;
            story.opens("36", 20);
            for (peer, seq) in liars {
                story.opens(["32", "33", "ims"][peer], seq);
            }
            story.tells("36", 20);
            for _ in 0..200 {
                if story.after(1_000).is_some_and(|(peer, _)| peer == "36") {
                    end = 20;
                    story.moves_to(end);
                }
            }
            prop_assert_eq!(end, 20);
        }
    }
}
