//! The node's feeds as whoever watches them sees them: how each is, and when one will be otherwise by the time alone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use posko_domain::warning::feed::is_alarm;
use posko_proto::{
    time::Millis,
    warning::v1::{Feed, FeedHealth, FeedHealthChanged},
};
use tokio::sync::watch;

use crate::intake::{FeedConfig, health::Record};

/// What is known of every feed of the node, in the configuration's order.
#[derive(Clone)]
pub(crate) struct Watched {
    feeds: Arc<[Arc<Kept>]>,
    asked: Arc<watch::Sender<()>>,
}

/// A feed and what is known of it.
pub(super) struct Kept {
    config: FeedConfig,
    record: Mutex<Record>,
    asked: Arc<watch::Sender<()>>,
}

/// How a feed is, and what went wrong last.
pub(crate) struct Found {
    pub(crate) health: FeedHealthChanged,
    pub(crate) error: String,
}

impl Kept {
    /// Changes what is known after an asking.
    pub(super) fn note(&self, change: impl FnOnce(&mut Record)) {
        change(&mut self.lock());
        self.asked.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, now: Millis) -> Feed {
        let (config, record) = (&self.config, self.lock());
        let (health, since) = record.judge(now);
        Feed {
            name: config.name.clone(),
            kind: config.kind.source().into(),
            url: config.url.clone(),
            health: health.into(),
            since: Some(since.into()),
            last_success_at: record.last_success.map(Into::into),
            last_error: record.last_error.clone(),
            taken: record.taken,
            refused: record.refused,
            outside: record.outside,
            alarm: is_alarm(health),
            config_kind: config.kind.name().into(),
            period_seconds: self.period_seconds(),
            provenance: None,
        }
    }

    /// Judges it; none while it was not asked yet.
    fn find(&self, now: Millis) -> Option<Found> {
        let (config, mut record) = (&self.config, self.lock());
        let (health, since) = record.find(now);
        if health == FeedHealth::Unspecified {
            return None;
        }
        Some(Found {
            health: FeedHealthChanged {
                name: config.name.clone(),
                kind: config.kind.source().into(),
                config_kind: config.kind.name().into(),
                period_seconds: self.period_seconds(),
                health: health.into(),
                since: Some(since.into()),
                last_answer_at: record.last_answer.map(Into::into),
                last_success_at: record.last_success.map(Into::into),
            },
            error: record.last_error.clone(),
        })
    }

    fn period_seconds(&self) -> u32 {
        u32::try_from(self.config.period.as_secs()).unwrap_or(u32::MAX)
    }
}

impl Watched {
    /// Begins with how the feeds were when the node stopped.
    pub(crate) fn new(config: &[FeedConfig], before: &[FeedHealthChanged], now: Millis) -> Self {
        let asked = Arc::new(watch::Sender::new(()));
        let kept = |config: &FeedConfig| {
            let mut record = Record::new(config.period, now);
            if let Some(before) = before.iter().find(|before| before.name == config.name) {
                record.restore(before);
            }
            Arc::new(Kept {
                config: config.clone(),
                record: Mutex::new(record),
                asked: Arc::clone(&asked),
            })
        };
        Self {
            feeds: config.iter().map(kept).collect(),
            asked,
        }
    }

    /// Returns the feeds, each with its configuration.
    pub(super) fn feeds(&self) -> impl Iterator<Item = (&FeedConfig, &Arc<Kept>)> {
        self.feeds.iter().map(|kept| (&kept.config, kept))
    }

    /// Returns how every feed is now.
    pub(super) fn status(&self, now: Millis) -> Vec<Feed> {
        self.feeds.iter().map(|kept| kept.show(now)).collect()
    }

    /// Says whether a feed of that name is asked.
    pub(crate) fn asks(&self, name: &str) -> bool {
        self.feeds.iter().any(|kept| kept.config.name == name)
    }

    /// Judges every feed that was asked, and returns when one will be otherwise by the time alone.
    pub(crate) fn find(&self, now: Millis) -> (Vec<Found>, Option<Millis>) {
        let feeds = self.feeds.iter();
        let found = feeds.clone().filter_map(|kept| kept.find(now)).collect();
        let next = feeds.filter_map(|kept| kept.lock().next_turn(now)).min();
        (found, next)
    }

    /// Notes what became of an asking of a feed.
    #[cfg(test)]
    pub(crate) fn note(&self, name: &str, change: impl FnOnce(&mut Record)) {
        let named = |kept: &&Arc<Kept>| kept.config.name == name;
        self.feeds.iter().find(named).unwrap().note(change);
    }

    /// Returns word of each asking.
    pub(crate) fn asked(&self) -> watch::Receiver<()> {
        self.asked.subscribe()
    }
}
