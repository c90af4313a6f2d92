//! Feeds: what others publish, asked for regularly and taken in as warnings.
//!
//! ```text
//! publisher ──HTTP──► fetch ──bytes──► posko_formats ──its words──► nowcast / earthquake ──Take──► Recorder (the node)
//!                       ▲                                                                            │
//!                    budget                                     health  ◄────── taken, refused ──────┘
//! ```
//!
//! What it never does: decide what a warning is worth, open an incident, or take an error for an empty list.
//! What the node has taken in is BMKG's own and is credited to it, which is BMKG's condition.

mod budget;
mod earthquake;
mod fetch;
mod health;
mod nowcast;
mod province;
mod worker;

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use posko_domain::{
    code::Refusal,
    warning::{WarningCommand, stream_of},
};
use posko_proto::{
    Id,
    time::Millis,
    warning::v1::{Feed, Source},
};
use tokio::{sync::watch, task::JoinHandle};
use tracing::debug;

pub use crate::intake::province::Province;
use crate::intake::{earthquake::Known, fetch::Fetcher, health::Record, worker::Worker};

/// Who is credited for everything that BMKG publishes.
const PUBLISHER: &str = "BMKG";

/// How a feed is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedConfig {
    /// Its name, unlike any other.
    pub name: String,
    /// What it publishes, and what is kept of it.
    pub kind: FeedKind,
    /// Where its list is, `http` or `https`.
    pub url: String,
    /// How often it is asked.
    pub period: Duration,
}

/// What a feed publishes, and what is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedKind {
    /// BMKG's weather nowcast: an RSS list of CAP alerts.
    BmkgNowcast {
        /// The provinces whose alerts are kept.
        provinces: Vec<Province>,
    },
    /// One of BMKG's earthquake lists, JSON.
    BmkgEarthquake {
        /// How far from the nearest kab/kota of the three provinces an earthquake is still kept, in kilometers.
        radius_km: u32,
    },
}

impl FeedKind {
    /// Returns the kind's name in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BmkgNowcast { .. } => "bmkg-nowcast",
            Self::BmkgEarthquake { .. } => "bmkg-earthquake",
        }
    }

    /// Returns the source that its warnings name.
    pub fn source(&self) -> Source {
        match self {
            Self::BmkgNowcast { .. } => Source::BmkgNowcast,
            Self::BmkgEarthquake { .. } => Source::BmkgEarthquake,
        }
    }
}

/// A command that follows from an item of a feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Take {
    /// The warning's stream.
    pub stream: Id,
    /// What is asked.
    pub command: WarningCommand,
}

impl Take {
    /// Returns the command for an item.
    fn of(source: Source, identifier: &str, command: WarningCommand) -> Self {
        Self {
            stream: stream_of(source, identifier),
            command,
        }
    }
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// Whether it recorded something: the warning is new, or says something else than before.
    pub changed: bool,
}

/// The node, as feeds see it.
pub trait Recorder: Send + Sync + 'static {
    /// Records what a feed published and answers when it is durable; what it has recorded already changes nothing.
    ///
    /// A refusal with the code *unavailable* or *internal* is taken for the node's own trouble and tried again.
    fn record(
        &self,
        take: Take,
        feed: &str,
    ) -> impl Future<Output = Result<Recorded, Refusal>> + Send;
}

/// Returns the node's time; tests set it.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// What an item turned out to be.
#[derive(Debug, Clone, PartialEq)]
enum Judged {
    /// It is to be recorded.
    Take(Box<Take>),
    /// It is of another area.
    Outside,
    /// It asks for nothing.
    Nothing,
    /// It cannot be taken, and why.
    Refused(String),
}

/// The running feeds of a node, each asked by a task of its own.
///
/// Dropping it stops them too; [`Feeds::shutdown`] waits until none records any more.
pub struct Feeds {
    shown: Vec<(FeedConfig, Arc<Mutex<Record>>)>,
    clock: Clock,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Feeds {
    /// Starts asking every feed at once and then by its period; needs a tokio runtime.
    pub fn start<R: Recorder>(config: &[FeedConfig], recorder: R, clock: Clock) -> Self {
        let fetcher = Fetcher::new(fetch::TIMEOUT);
        let (stop, stopped) = watch::channel(false);
        let (recorder, known) = (Arc::new(recorder), Arc::new(Known::default()));
        let mut shown = Vec::new();
        let mut tasks = Vec::new();
        for feed in config {
            let record = Arc::new(Mutex::new(Record::new(feed.period, clock())));
            shown.push((feed.clone(), Arc::clone(&record)));
            let worker = Worker::new(
                feed.clone(),
                Arc::clone(&recorder),
                fetcher.clone(),
                Arc::clone(&clock),
                Arc::clone(&known),
                record,
            );
            tasks.push(tokio::spawn(worker.run(stopped.clone())));
        }
        Self {
            shown,
            clock,
            stop,
            tasks,
        }
    }

    /// Returns every feed and how it is now, in the configuration's order.
    pub fn status(&self) -> Vec<Feed> {
        let now = (self.clock)();
        let feeds = self.shown.iter();
        feeds
            .map(|(config, record)| {
                show(
                    config,
                    &record.lock().unwrap_or_else(PoisonError::into_inner),
                    now,
                )
            })
            .collect()
    }

    /// Stops asking and waits until no feed records any more.
    ///
    /// A request under way is left to its own end on a blocking thread, at most 20 seconds, and its answer is dropped.
    pub async fn shutdown(self) {
        // Nobody listens any more when every task has ended already.
        let _ = self.stop.send(true);
        for task in self.tasks {
            if task.await.is_err() {
                debug!("a feed's task had ended before it was asked to");
            }
        }
    }
}

fn show(config: &FeedConfig, record: &Record, now: Millis) -> Feed {
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
    }
}

#[cfg(test)]
mod tests;
