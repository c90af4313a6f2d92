//! Feeds: what others publish, asked for regularly and taken in as warnings.
//!
//! ```text
//! publisher ──HTTP──► fetch ──bytes──► posko_formats ──its words──► document ──Wanted──► settle ──Take──► Recorder (node)
//!                       ▲                                        (alert, earthquake,        │
//!                    budget                                   bulletin, gauge, volcano)     ▼
//!                                                                  health ◄── taken, refused, outside
//! ```
//!
//! What it never does: decide what a warning is worth, open an incident, or take an error for an empty list.
//! What the node has taken in is BMKG's own and is credited to it, which is BMKG's condition.

mod alert;
mod budget;
mod bulletin;
mod clean;
mod detail;
pub(crate) mod document;
mod earthquake;
mod fetch;
pub(crate) mod gauge;
mod health;
mod hosts;
mod judging;
mod nowcast;
mod province;
pub(crate) mod settle;
mod volcano;
pub(crate) mod wanted;
mod watched;
mod wave;
mod worker;

use std::{future::Future, sync::Arc, time::Duration};

use posko_domain::{
    code::Refusal,
    warning::{BMKG_HOST, WarningCommand, is_bmkg},
};
use posko_formats::document::Format;
use posko_proto::{
    Id,
    time::Millis,
    warning::v1::{Feed, FeedHealthChanged, Source},
};
use tokio::{sync::watch, task::JoinHandle};
use tracing::debug;

pub(crate) use crate::intake::watched::{Found, Watched};
use crate::intake::{document::Memory, fetch::Fetcher, gauge::Readings, worker::Worker};
pub use crate::intake::{
    document::Scope,
    gauge::Gauge,
    province::Province,
    settle::Held,
    wanted::{Item, Judged, Wanted},
};

/// Who is credited for everything that BMKG publishes.
const PUBLISHER: &str = "BMKG";

/// How far from the nearest kab/kota an earthquake is kept where nothing else is configured, in kilometers.
pub(crate) const RADIUS_KM: u32 = 300;

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
    /// One of BMKG's earthquake lists, JSON or XML, or a bulletin of InaTEWS.
    BmkgEarthquake {
        /// How far from the nearest kab/kota of the three provinces an earthquake is still kept, in kilometers.
        radius_km: u32,
    },
    /// CAP of any publisher: one alert, an RSS or Atom list of alerts, or an envelope of EDXL-DE.
    Cap {
        /// The provinces whose alerts are kept.
        provinces: Vec<Province>,
        /// The hosts, beside the list's own, from which it may have alerts fetched.
        hosts: Vec<String>,
    },
    /// A table of river gauges.
    Gauges {
        /// The gauges that it must bring: one that is missing is no river at rest.
        expected: Vec<String>,
    },
    /// A table of volcanoes' levels.
    Volcanoes,
}

impl FeedConfig {
    /// Returns the host that is known for what the feed brings: BMKG for every feed of BMKG's, also one that is read from a
    /// mirror of it, else the one that the list is asked of, with its port where that is written.
    pub(crate) fn carrier(&self) -> String {
        let host = hosts::host_of(&self.url);
        match self.kind {
            FeedKind::BmkgNowcast { .. } | FeedKind::BmkgEarthquake { .. } => BMKG_HOST.into(),
            FeedKind::Cap { .. } | FeedKind::Gauges { .. } | FeedKind::Volcanoes => {
                if is_bmkg(&host) {
                    BMKG_HOST.into()
                } else {
                    host
                }
            }
        }
    }
}

impl FeedKind {
    /// Returns the kind's name in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BmkgNowcast { .. } => "bmkg-nowcast",
            Self::BmkgEarthquake { .. } => "bmkg-earthquake",
            Self::Cap { .. } => "cap",
            Self::Gauges { .. } => "gauges",
            Self::Volcanoes => "volcanoes",
        }
    }

    /// Returns the source that its warnings name.
    pub fn source(&self) -> Source {
        match self {
            Self::BmkgNowcast { .. } => Source::BmkgNowcast,
            Self::BmkgEarthquake { .. } => Source::BmkgEarthquake,
            Self::Cap { .. } => Source::Cap,
            Self::Gauges { .. } => Source::Gauge,
            Self::Volcanoes => Source::Volcano,
        }
    }

    /// Returns what is kept of it.
    fn scope(&self, gauges: &[Gauge]) -> Scope {
        let usual = Scope {
            gauges: gauges.to_vec(),
            ..Scope::default()
        };
        match self {
            Self::BmkgNowcast { provinces } | Self::Cap { provinces, .. } => Scope {
                provinces: provinces.clone(),
                ..usual
            },
            Self::BmkgEarthquake { radius_km } => Scope {
                radius_km: *radius_km,
                ..usual
            },
            Self::Gauges { .. } | Self::Volcanoes => usual,
        }
    }

    /// Says whether its list may link to alerts, which are then fetched too.
    fn links(&self) -> bool {
        matches!(self, Self::BmkgNowcast { .. } | Self::Cap { .. })
    }

    /// Says whether a document of that format belongs to the feed.
    fn expects(&self, format: Format) -> bool {
        match self {
            Self::BmkgNowcast { .. } => format == Format::Rss,
            Self::BmkgEarthquake { .. } => matches!(
                format,
                Format::BmkgEarthquakeJson
                    | Format::BmkgEarthquakeXml
                    | Format::BmkgBulletin
                    | Format::BmkgRealtime
            ),
            Self::Cap { .. } => matches!(
                format,
                Format::Cap | Format::Rss | Format::Atom | Format::EdxlDe
            ),
            Self::Gauges { .. } => format == Format::Gauges,
            Self::Volcanoes => format == Format::Volcanoes,
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
    fn record(&self, take: Take) -> impl Future<Output = Result<Recorded, Refusal>> + Send;

    /// Returns the node's own warnings of a source that are in force.
    fn in_force(&self, source: Source) -> impl Future<Output = Result<Vec<Held>, Refusal>> + Send;

    /// Returns the node's own warnings that refer to one that is held, or would be.
    fn referring(&self, stream: Id) -> impl Future<Output = Result<Vec<Held>, Refusal>> + Send;
}

/// Returns the node's time; tests set it.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// The running feeds of a node, each asked by a task of its own.
///
/// Dropping it stops them too; [`Feeds::shutdown`] waits until none records any more.
pub struct Feeds {
    watched: Watched,
    memory: Arc<Memory>,
    gauges: Vec<Gauge>,
    clock: Clock,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Feeds {
    /// Starts asking every feed at once and then by its period, from how each was `before`; needs a tokio runtime.
    pub(crate) fn start<R: Recorder>(
        config: &[FeedConfig],
        before: &[FeedHealthChanged],
        (gauges, readings): (&[Gauge], Readings),
        recorder: R,
        clock: Clock,
    ) -> Self {
        let linking = config.iter().filter(|feed| feed.kind.links()).count();
        let fetcher = Fetcher::new(fetch::TIMEOUT, linking);
        let (stop, stopped) = watch::channel(false);
        let recorder = Arc::new(recorder);
        let memory = Arc::new(Memory {
            readings,
            ..Memory::default()
        });
        let watched = Watched::new(config, before, clock());
        let mut tasks = Vec::new();
        for (at, (feed, kept)) in watched.feeds().enumerate() {
            let worker = Worker::new(
                feed.clone(),
                Arc::clone(&recorder),
                fetcher.of(at, feed),
                Arc::clone(&clock),
                (feed.kind.scope(gauges), Arc::clone(&memory)),
                Arc::clone(kept),
            );
            tasks.push(tokio::spawn(worker.run(stopped.clone())));
        }
        Self {
            watched,
            memory,
            gauges: gauges.to_vec(),
            clock,
            stop,
            tasks,
        }
    }

    /// Returns what is remembered from document to document, and the gauges that are known.
    pub(crate) fn memory(&self) -> (Arc<Memory>, Vec<Gauge>) {
        (Arc::clone(&self.memory), self.gauges.clone())
    }

    /// Returns every feed and how it is now, in the configuration's order.
    pub fn status(&self) -> Vec<Feed> {
        self.watched.status((self.clock)())
    }

    /// Returns the feeds for whoever watches how they are.
    pub(crate) fn watched(&self) -> Watched {
        self.watched.clone()
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

/// What one asking of a feed gave, and nothing of it is recorded.
#[derive(Debug)]
pub struct Trial {
    /// What it answered with, where that is known.
    pub format: Option<Format>,
    /// Its items, each as it would be taken.
    pub items: Vec<Item>,
    /// Why there are none, or not all.
    pub failure: Option<String>,
}

/// Asks a feed once and returns what each of its items would become; nothing is recorded.
pub async fn try_feed(config: &FeedConfig, gauges: &[Gauge], now: Millis) -> Trial {
    let fetcher = Fetcher::new(fetch::TIMEOUT, 1).of(0, config);
    let scope = Arc::new(config.kind.scope(gauges));
    judging::try_once(config, &fetcher, &scope, now).await
}

#[cfg(test)]
mod tests;
