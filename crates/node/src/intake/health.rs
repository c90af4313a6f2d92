//! How a feed is, by rule, from what happened and the time. It never asks the clock itself.
//!
//! - *dead*: no answer for more than ten periods;
//! - *late*: no answer for more than two periods, or none ever although it was asked;
//! - *invalid*: the last answer could not be read, or held an item that had to be refused;
//! - *ok*: the last answer was read whole;
//! - *unspecified*: not asked yet.

use std::time::Duration;

use posko_proto::{time::Millis, warning::v1::FeedHealth};

const LATE_PERIODS: i64 = 2;
const DEAD_PERIODS: i64 = 10;

/// What is known of a feed.
#[derive(Debug, Clone)]
pub(super) struct Record {
    period_ms: i64,
    started: Millis,
    first_try: Option<Millis>,
    last_answer: Option<Millis>,
    ok_since: Option<Millis>,
    invalid_since: Option<Millis>,
    /// When it last answered with what was read whole.
    pub(super) last_success: Option<Millis>,
    /// What went wrong last, until an answer is read whole.
    pub(super) last_error: String,
    /// How many warnings it gave that were new or changed.
    pub(super) taken: u64,
    /// How many items could not be taken.
    pub(super) refused: u64,
    /// How many items were of other areas.
    pub(super) outside: u64,
}

impl Record {
    pub(super) fn new(period: Duration, started: Millis) -> Self {
        Self {
            period_ms: i64::try_from(period.as_millis()).unwrap_or(i64::MAX / DEAD_PERIODS),
            started,
            first_try: None,
            last_answer: None,
            ok_since: None,
            invalid_since: None,
            last_success: None,
            last_error: String::new(),
            taken: 0,
            refused: 0,
            outside: 0,
        }
    }

    /// Notes that it could not be asked, or that what it answered could not be fetched or recorded whole.
    pub(super) fn failed(&mut self, now: Millis, error: String) {
        self.first_try.get_or_insert(now);
        self.last_error = error;
    }

    /// Notes an answer that was unreadable, or that held an item which had to be refused.
    pub(super) fn invalid(&mut self, now: Millis, error: String) {
        self.first_try.get_or_insert(now);
        self.last_answer = Some(now);
        self.invalid_since.get_or_insert(now);
        self.ok_since = None;
        self.last_error = error;
    }

    /// Notes an answer that was read whole.
    pub(super) fn succeeded(&mut self, now: Millis) {
        let was_ok = self.judge(now).0 == FeedHealth::Ok;
        self.first_try.get_or_insert(now);
        if !was_ok {
            self.ok_since = Some(now);
        }
        self.invalid_since = None;
        self.last_answer = Some(now);
        self.last_success = Some(now);
        self.last_error.clear();
    }

    /// Returns how the feed is at `now`, and since when.
    pub(super) fn judge(&self, now: Millis) -> (FeedHealth, Millis) {
        let Some(first_try) = self.first_try else {
            return (FeedHealth::Unspecified, self.started);
        };
        let heard = self.last_answer.unwrap_or(first_try);
        let after = |periods: i64| {
            Millis(
                heard
                    .0
                    .saturating_add(self.period_ms.saturating_mul(periods)),
            )
        };
        if now > after(DEAD_PERIODS) {
            return (FeedHealth::Dead, after(DEAD_PERIODS));
        }
        if self.last_answer.is_none() {
            return (FeedHealth::Late, first_try);
        }
        if now > after(LATE_PERIODS) {
            return (FeedHealth::Late, after(LATE_PERIODS));
        }
        match self.invalid_since {
            Some(since) => (FeedHealth::Invalid, since),
            None => (FeedHealth::Ok, self.ok_since.unwrap_or(heard)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_mins(1);

    fn minute(count: i64) -> Millis {
        Millis(count * 60_000)
    }

    #[test]
    fn a_feed_is_late_after_two_periods_and_dead_after_ten() {
        let mut feed = Record::new(PERIOD, minute(0));
        assert_eq!(feed.judge(minute(5)), (FeedHealth::Unspecified, minute(0)));
        feed.succeeded(minute(1));
        assert_eq!(feed.judge(minute(3)), (FeedHealth::Ok, minute(1)));
        feed.failed(minute(3), "status `500`".into());
        assert_eq!(feed.judge(minute(4)), (FeedHealth::Late, minute(3)));
        assert_eq!(feed.judge(minute(11)), (FeedHealth::Late, minute(3)));
        assert_eq!(feed.judge(minute(12)), (FeedHealth::Dead, minute(11)));
        assert_eq!(feed.last_success, Some(minute(1)));

        feed.succeeded(minute(13));
        assert_eq!(feed.judge(minute(13)), (FeedHealth::Ok, minute(13)));
        assert_eq!(feed.last_error, "");
        feed.succeeded(minute(14));
        assert_eq!(
            feed.judge(minute(14)),
            (FeedHealth::Ok, minute(13)),
            "it has been well since 13"
        );
    }

    #[test]
    fn a_feed_that_never_answered_is_late_at_once_and_never_ok() {
        let mut feed = Record::new(PERIOD, minute(0));
        feed.failed(minute(1), "refused".into());
        assert_eq!(feed.judge(minute(1)), (FeedHealth::Late, minute(1)));
        assert_eq!(feed.judge(minute(12)).0, FeedHealth::Dead);
    }

    #[test]
    fn a_feed_is_invalid_from_its_first_bad_answer_until_a_good_one() {
        let mut feed = Record::new(PERIOD, minute(0));
        feed.succeeded(minute(1));
        feed.invalid(minute(2), "not XML".into());
        feed.invalid(minute(3), "not XML".into());
        assert_eq!(feed.judge(minute(4)), (FeedHealth::Invalid, minute(2)));
        assert_eq!(feed.last_success, Some(minute(1)));
        assert_eq!(
            feed.judge(minute(6)).0,
            FeedHealth::Late,
            "it has not answered since"
        );
        feed.succeeded(minute(7));
        assert_eq!(feed.judge(minute(7)), (FeedHealth::Ok, minute(7)));
    }
}
