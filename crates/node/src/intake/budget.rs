//! How many requests may go out: at most 60 in any minute, which is what BMKG allows from one address.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// BMKG's limit a minute and address (data.bmkg.go.id, weather early warnings).
pub(super) const REQUESTS: usize = 60;

const WINDOW: Duration = Duration::from_mins(1);

/// How soon to ask again when the budget is held by requests under way, whose end is not known.
const HELD_WAIT: Duration = Duration::from_millis(250);

/// The requests of the last minute, shared by all feeds.
///
/// It slides: a bucket that fills by one a second would let nearly twice the limit through in its first minute.
#[derive(Debug, Default)]
pub(super) struct Budget {
    sent: VecDeque<Instant>,
    held: usize,
}

impl Budget {
    /// Holds room for `count` requests, at most [`REQUESTS`], or says how long to wait before asking again.
    pub(super) fn hold(&mut self, now: Instant, count: usize) -> Result<(), Duration> {
        while self
            .sent
            .front()
            .is_some_and(|at| now.saturating_duration_since(*at) >= WINDOW)
        {
            self.sent.pop_front();
        }
        let used = self.sent.len() + self.held;
        let over = (used + count).saturating_sub(REQUESTS);
        if over == 0 {
            self.held += count;
            return Ok(());
        }
        match self.sent.get(over - 1) {
            Some(at) => Err(WINDOW.saturating_sub(now.saturating_duration_since(*at))),
            None => Err(HELD_WAIT),
        }
    }

    /// Gives back what was held, of which `used` requests went out until `now`.
    pub(super) fn settle(&mut self, now: Instant, held: usize, used: usize) {
        self.held = self.held.saturating_sub(held);
        self.sent.extend(std::iter::repeat_n(now, used));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_sees_more_than_60_requests() {
        let start = Instant::now();
        let mut budget = Budget::default();
        let mut sent: Vec<Duration> = Vec::new();
        let mut now = Duration::ZERO;
        while sent.len() < 500 {
            match budget.hold(start + now, 4) {
                Ok(()) => {
                    now += Duration::from_millis(70);
                    let used = 1 + sent.len() % 4;
                    budget.settle(start + now, 4, used);
                    sent.extend(std::iter::repeat_n(now, used));
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
        let mut budget = Budget::default();
        for _ in 0..15 {
            budget.hold(now, 4).unwrap();
        }
        assert_eq!(budget.hold(now, 4), Err(HELD_WAIT));
        budget.settle(now, 4, 1);
        assert!(budget.hold(now, 3).is_ok());
        assert!(budget.hold(now, 1).is_err());
    }
}
