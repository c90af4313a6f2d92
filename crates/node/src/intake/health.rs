//! How a feed is, by rule, from what happened and the time. It never asks the clock itself.
//!
//! - *dead*: no answer for more than ten periods;
//! - *late*: no answer for more than two periods, or none ever although it was asked;
//! - *invalid*: the last answer could not be read, held an item that had to be refused, lacked what it must bring, or links to
//!   more alerts than could be asked for;
//! - *ok*: the last answer was read whole;
//! - *unspecified*: not asked yet.
//!
//! What was late or dead stays so until it answers, also when the clock goes back, and also when the node starts anew.

use std::time::Duration;

use posko_proto::{
    time::Millis,
    warning::v1::{FeedHealth, FeedHealthChanged},
};

const LATE_PERIODS: i64 = 2;
const DEAD_PERIODS: i64 = 10;

/// What is known of a feed.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    period_ms: i64,
    started: Millis,
    /// When it was asked first since the start.
    first_try: Option<Millis>,
    /// Since when it had not answered when the node stopped, if it never had.
    unheard_since: Option<Millis>,
    /// When it answered last, with whatever.
    pub(crate) last_answer: Option<Millis>,
    ok_since: Option<Millis>,
    invalid_since: Option<Millis>,
    /// How late it was found to be since it answered last, and since when.
    found: Option<(FeedHealth, Millis)>,
    /// When it last answered with what was read whole.
    pub(crate) last_success: Option<Millis>,
    /// What went wrong last, until an answer is read whole.
    pub(crate) last_error: String,
    /// How many warnings it gave that were new or changed.
    pub(crate) taken: u64,
    /// How many items could not be taken.
    pub(crate) refused: u64,
    /// How many items were of other areas.
    pub(crate) outside: u64,
}

impl Record {
    pub(crate) fn new(period: Duration, started: Millis) -> Self {
        Self {
            period_ms: i64::try_from(period.as_millis()).unwrap_or(i64::MAX / DEAD_PERIODS),
            started,
            first_try: None,
            unheard_since: None,
            last_answer: None,
            ok_since: None,
            invalid_since: None,
            found: None,
            last_success: None,
            last_error: String::new(),
            taken: 0,
            refused: 0,
            outside: 0,
        }
    }

    /// Goes on from how it was when the node stopped.
    pub(crate) fn restore(&mut self, said: &FeedHealthChanged) {
        let time = |at: &Option<_>| at.as_ref().and_then(|at| Millis::try_from(at).ok());
        let Some(since) = time(&said.since) else {
            return;
        };
        self.last_success = time(&said.last_success_at);
        match said.health() {
            FeedHealth::Unspecified => {}
            FeedHealth::Ok => self.ok_since = Some(since),
            FeedHealth::Invalid => self.invalid_since = Some(since),
            late => {
                self.found = Some((late, since));
                self.last_answer = time(&said.last_answer_at);
                self.unheard_since = Some(since);
            }
        }
    }

    /// Notes that it could not be asked, or that what it answered could not be fetched or recorded whole.
    pub(crate) fn failed(&mut self, now: Millis, error: String) {
        self.first_try.get_or_insert(now);
        self.last_error = error;
    }

    /// Notes an answer that was unreadable, or that held an item which had to be refused.
    pub(crate) fn invalid(&mut self, now: Millis, error: String) {
        self.first_try.get_or_insert(now);
        self.last_answer = Some(now);
        self.found = None;
        self.invalid_since.get_or_insert(now);
        self.ok_since = None;
        self.last_error = error;
    }

    /// Notes an answer that was read whole.
    pub(crate) fn succeeded(&mut self, now: Millis) {
        let was_ok = match self.first_try {
            Some(_) => self.judge(now).0 == FeedHealth::Ok,
            None => self.ok_since.is_some(),
        };
        self.first_try.get_or_insert(now);
        if !was_ok {
            self.ok_since = Some(now);
        }
        self.found = None;
        self.invalid_since = None;
        self.last_answer = Some(now);
        self.last_success = Some(now);
        self.last_error.clear();
    }

    /// Returns how the feed is at `now`, and since when.
    pub(crate) fn judge(&self, now: Millis) -> (FeedHealth, Millis) {
        let Some(heard) = self.heard() else {
            return self
                .found
                .unwrap_or((FeedHealth::Unspecified, self.started));
        };
        let found = |health| self.found.filter(|(found, _)| *found == health);
        let (late, dead) = (self.late_after(heard), self.dead_after(heard));
        if let Some(dead) = found(FeedHealth::Dead) {
            return dead;
        }
        if now > dead {
            return (FeedHealth::Dead, dead);
        }
        if let Some(late) = found(FeedHealth::Late) {
            return late;
        }
        if now > late {
            return (FeedHealth::Late, late.max(heard));
        }
        match self.invalid_since {
            Some(since) => (FeedHealth::Invalid, since),
            None => (FeedHealth::Ok, self.ok_since.unwrap_or(heard)),
        }
    }

    /// Judges it, and keeps how late it is found to be.
    pub(crate) fn find(&mut self, now: Millis) -> (FeedHealth, Millis) {
        let judged = self.judge(now);
        if matches!(judged.0, FeedHealth::Late | FeedHealth::Dead) {
            self.found = Some(judged);
        }
        judged
    }

    /// Returns when it will be otherwise by the time alone.
    pub(crate) fn next_turn(&self, now: Millis) -> Option<Millis> {
        let heard = self.heard()?;
        let turns = [self.late_after(heard), self.dead_after(heard)];
        turns
            .into_iter()
            .map(|after| Millis(after.0.saturating_add(1)))
            .find(|turn| *turn > now)
    }

    /// Returns when it answered last, or was asked first if it never did; none when it was not asked since the start.
    fn heard(&self) -> Option<Millis> {
        let first_try = self.first_try?;
        let heard = self.last_answer.or(self.unheard_since);
        Some(heard.unwrap_or(first_try))
    }

    /// Returns until when it is not late. One that never answered is late from the first try on.
    fn late_after(&self, heard: Millis) -> Millis {
        match self.last_answer {
            Some(_) => self.periods_after(heard, LATE_PERIODS),
            None => Millis(i64::MIN),
        }
    }

    fn dead_after(&self, heard: Millis) -> Millis {
        self.periods_after(heard, DEAD_PERIODS)
    }

    fn periods_after(&self, heard: Millis, periods: i64) -> Millis {
        Millis(
            heard
                .0
                .saturating_add(self.period_ms.saturating_mul(periods)),
        )
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
    fn what_was_late_stays_so_until_it_answers_also_when_the_clock_goes_back() {
        let mut feed = Record::new(PERIOD, minute(0));
        feed.succeeded(minute(1));
        assert_eq!(feed.next_turn(minute(1)), Some(Millis(minute(3).0 + 1)));
        assert_eq!(feed.find(minute(4)), (FeedHealth::Late, minute(3)));
        assert_eq!(feed.find(minute(2)), (FeedHealth::Late, minute(3)));
        assert_eq!(feed.next_turn(minute(4)), Some(Millis(minute(11).0 + 1)));
        assert_eq!(feed.find(minute(12)), (FeedHealth::Dead, minute(11)));
        assert_eq!(feed.find(minute(1)), (FeedHealth::Dead, minute(11)));
        assert_eq!(feed.next_turn(minute(12)), None);
        feed.succeeded(minute(2));
        assert_eq!(feed.find(minute(2)), (FeedHealth::Ok, minute(2)));
    }

    /// How a feed is after the node that said so stopped, and started again at minute 100.
    fn started_again(health: FeedHealth, since: Millis, last_answer: Option<Millis>) -> Record {
        let mut feed = Record::new(PERIOD, minute(100));
        feed.restore(&FeedHealthChanged {
            health: health.into(),
            since: Some(since.into()),
            last_answer_at: last_answer.map(Into::into),
            ..FeedHealthChanged::default()
        });
        feed
    }

    #[test]
    fn a_start_goes_on_from_how_a_feed_was() {
        let dead = (FeedHealth::Dead, minute(11));
        let mut feed = started_again(dead.0, dead.1, Some(minute(1)));
        assert_eq!(feed.find(minute(100)), dead, "before it is asked");
        feed.failed(minute(100), "status `500`".into());
        assert_eq!(feed.find(minute(100)), dead);
        feed.succeeded(minute(101));
        assert_eq!(feed.find(minute(101)), (FeedHealth::Ok, minute(101)));

        let late = (FeedHealth::Late, minute(99));
        let mut feed = started_again(late.0, late.1, None);
        feed.failed(minute(100), "status `500`".into());
        assert_eq!(feed.find(minute(109)), late);
        assert_eq!(feed.find(minute(110)), (FeedHealth::Dead, minute(109)));

        let mut feed = started_again(FeedHealth::Ok, minute(1), Some(minute(1)));
        assert_eq!(feed.find(minute(100)).0, FeedHealth::Unspecified);
        feed.succeeded(minute(100));
        assert_eq!(feed.find(minute(100)), (FeedHealth::Ok, minute(1)));

        let mut feed = started_again(FeedHealth::Invalid, minute(50), Some(minute(50)));
        feed.invalid(minute(100), "not XML".into());
        assert_eq!(feed.find(minute(100)), (FeedHealth::Invalid, minute(50)));
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
