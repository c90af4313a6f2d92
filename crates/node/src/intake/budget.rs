//! How many requests may go out: at most 60 in any minute, which is what BMKG allows from one address.
//!
//! Half of them are for lists alone, so that no list waits behind what another links to; the other half is for alerts that
//! lists link to, in equal shares for the feeds that have such.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// BMKG's limit a minute and address (data.bmkg.go.id, weather early warnings).
pub(super) const REQUESTS: usize = 60;

/// How many of them may be for what lists link to.
const LINKED: usize = REQUESTS / 2;

const WINDOW: Duration = Duration::from_mins(1);

/// How soon to ask again when the budget is held by requests under way, whose end is not known.
const HELD_WAIT: Duration = Duration::from_millis(250);

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// A feed's list.
    List,
    /// What the list of the feed with this number links to.
    Linked(usize),
}

/// The requests of the last minute, shared by all feeds.
///
/// It slides: a bucket that fills by one a second would let nearly twice the limit through in its first minute.
#[derive(Debug)]
pub(super) struct Budget {
    /// How many requests a minute each feed has for what its list links to.
    share: usize,
    sent: VecDeque<(Instant, Asks)>,
    held: Vec<Asks>,
}

impl Budget {
    /// Makes a budget for so many feeds whose lists link to alerts.
    pub(super) fn new(linking: usize) -> Self {
        Self {
            share: (LINKED / linking.max(1)).max(1),
            sent: VecDeque::new(),
            held: Vec::new(),
        }
    }

    /// Returns how many requests a minute each feed has for what its list links to.
    pub(super) fn share(&self) -> usize {
        self.share
    }

    /// Returns how many requests may go out at once.
    pub(super) fn room(&mut self, now: Instant, asks: Asks) -> usize {
        self.forget(now);
        let left =
            |limit: usize, counts: &dyn Fn(Asks) -> bool| limit.saturating_sub(self.used(counts));
        let all = left(REQUESTS, &|_| true);
        match asks {
            Asks::List => all,
            Asks::Linked(_) => all
                .min(left(LINKED, &|other| other != Asks::List))
                .min(left(self.share, &|other| other == asks)),
        }
    }

    /// Holds room for a request, or says how long to wait before asking again.
    pub(super) fn hold(&mut self, now: Instant, asks: Asks) -> Result<(), Duration> {
        self.wait(now, asks)?;
        self.held.push(asks);
        Ok(())
    }

    /// Says how long to wait before asking again, where there is no room for a request.
    pub(super) fn wait(&mut self, now: Instant, asks: Asks) -> Result<(), Duration> {
        if self.room(now, asks) > 0 {
            return Ok(());
        }
        let counts = |other: Asks| asks == Asks::List || other != Asks::List;
        let mut sent = self.sent.iter().filter(|(_, other)| counts(*other));
        match sent.next() {
            Some((at, _)) => Err(WINDOW.saturating_sub(now.saturating_duration_since(*at))),
            None => Err(HELD_WAIT),
        }
    }

    /// Counts a request for which room was held, and which went out until `now`.
    pub(super) fn settle(&mut self, now: Instant, asks: Asks) {
        if let Some(at) = self.held.iter().position(|held| *held == asks) {
            self.held.swap_remove(at);
        }
        self.sent.push_back((now, asks));
    }

    fn forget(&mut self, now: Instant) {
        let is_old = |at: Instant| now.saturating_duration_since(at) >= WINDOW;
        while self.sent.front().is_some_and(|(at, _)| is_old(*at)) {
            self.sent.pop_front();
        }
    }

    fn used(&self, counts: &dyn Fn(Asks) -> bool) -> usize {
        let sent = self.sent.iter().map(|(_, asks)| asks);
        sent.chain(&self.held).filter(|asks| counts(**asks)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_sees_more_than_60_requests() {
        let start = Instant::now();
        let mut budget = Budget::new(2);
        let mut sent: Vec<Duration> = Vec::new();
        let mut now = Duration::ZERO;
        while sent.len() < 500 {
            let asks = match sent.len() % 3 {
                0 => Asks::List,
                feed => Asks::Linked(feed),
            };
            match budget.hold(start + now, asks) {
                Ok(()) => {
                    now += Duration::from_millis(70);
                    budget.settle(start + now, asks);
                    sent.push(now);
                }
                Err(wait) => {
                    assert!(wait > Duration::ZERO && wait <= WINDOW);
                    now += wait;
                }
            }
        }
        for (at, first) in sent.iter().enumerate() {
            let within = sent[at..]
                .iter()
                .take_while(|later| **later < *first + WINDOW)
                .count();
            assert!(
                within <= REQUESTS,
                "{within} requests in the minute from {first:?}"
            );
        }
    }

    #[test]
    fn requests_under_way_count_until_they_end() {
        let now = Instant::now();
        let mut budget = Budget::new(1);
        for _ in 0..REQUESTS {
            budget.hold(now, Asks::List).unwrap();
        }
        assert_eq!(budget.hold(now, Asks::List), Err(HELD_WAIT));
        budget.settle(now, Asks::List);
        assert_eq!(budget.hold(now, Asks::List), Err(WINDOW));
        assert_eq!(budget.hold(now + WINDOW, Asks::List), Ok(()));
    }

    #[test]
    fn a_long_list_takes_neither_the_lists_requests_nor_another_feeds() {
        let now = Instant::now();
        let mut budget = Budget::new(2);
        while budget.hold(now, Asks::Linked(0)).is_ok() {
            budget.settle(now, Asks::Linked(0));
        }
        assert_eq!(budget.room(now, Asks::Linked(0)), 0);
        assert_eq!(budget.room(now, Asks::Linked(1)), budget.share());
        assert_eq!(budget.room(now, Asks::List), REQUESTS - budget.share());
        while budget.hold(now, Asks::Linked(1)).is_ok() {
            budget.settle(now, Asks::Linked(1));
        }
        assert_eq!(budget.room(now, Asks::List), REQUESTS - LINKED);
    }
}
