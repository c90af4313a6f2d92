//! One feed's task: ask, judge every item, record, wait.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use posko_domain::{
    code::{Code, Refusal},
    warning::WarningCommand,
};
use posko_formats::{
    bmkg::{self, nowcast_link},
    rss,
};
use posko_proto::{time::Millis, warning::v1::FeedHealth};
use prost::Message as _;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::intake::{
    Clock, FeedConfig, FeedKind, Judged, Province, Recorder,
    earthquake::{self, Known},
    fetch::{FetchError, Fetcher},
    health::Record,
    nowcast,
    province::{Mention, mentioned},
};

/// The most items of one list; BMKG publishes some dozens. More would keep the feed busy past many periods.
const MAX_ITEMS: usize = 1_000;

/// The longest pause after errors, in periods.
const MAX_BACKOFF: u32 = 5;

/// The task of one feed.
pub(super) struct Worker<R> {
    config: FeedConfig,
    recorder: Arc<R>,
    fetcher: Fetcher,
    clock: Clock,
    known: Arc<Known>,
    record: Arc<Mutex<Record>>,
    /// What became of the items of the last list, by key, so that nothing is fetched, recorded or counted twice.
    memory: HashMap<String, Remembered>,
    failures: u32,
    shown: FeedHealth,
}

/// What became of an item in one version.
#[derive(Debug, Clone, PartialEq)]
struct Remembered {
    /// What tells this version of the item from another; none when nothing does.
    version: Option<Vec<u8>>,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// It is done with until it changes.
    Settled,
    /// It could not be taken; it is judged again every time, and counted once.
    Refused,
}

/// What one asking came to.
#[derive(Debug, Default)]
struct Round {
    memory: HashMap<String, Remembered>,
    taken: u64,
    refused: u64,
    outside: u64,
    /// The first reason for which an item was refused.
    refusal: Option<String>,
    /// The first trouble that was not an item's fault.
    failure: Option<String>,
}

/// Why there is no list.
enum NoList {
    /// It could not be fetched.
    Failed(String),
    /// It came and could not be read.
    Unreadable(String),
}

impl From<FetchError> for NoList {
    fn from(error: FetchError) -> Self {
        // An answer past the limit is an answer, and an unreadable one.
        match error {
            FetchError::TooLarge { .. } => Self::Unreadable(error.to_string()),
            FetchError::Status { .. }
            | FetchError::TimedOut { .. }
            | FetchError::TooManyRedirects { .. }
            | FetchError::Truncated { .. }
            | FetchError::Unreachable { .. }
            | FetchError::BrokenOff { .. } => Self::Failed(error.to_string()),
        }
    }
}

impl<R: Recorder> Worker<R> {
    pub(super) fn new(
        config: FeedConfig,
        recorder: Arc<R>,
        fetcher: Fetcher,
        clock: Clock,
        known: Arc<Known>,
        record: Arc<Mutex<Record>>,
    ) -> Self {
        Self {
            config,
            recorder,
            fetcher,
            clock,
            known,
            record,
            memory: HashMap::new(),
            failures: 0,
            shown: FeedHealth::Unspecified,
        }
    }

    /// Asks by the feed's period until it is told to stop, or until nobody can tell it any more.
    pub(super) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        loop {
            // A round that is dropped half-way has recorded whole commands only, and the next start repeats the others.
            let pause = tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                pause = self.poll() => pause,
            };
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Asks once and returns how long to wait before the next time.
    pub(super) async fn poll(&mut self) -> Duration {
        let mut round = Round::default();
        let result = match self.config.kind.clone() {
            FeedKind::BmkgNowcast { provinces } => self.poll_nowcast(&provinces, &mut round).await,
            FeedKind::BmkgEarthquake { radius_km } => {
                self.poll_earthquakes(radius_km, &mut round).await
            }
        };
        self.close(result, round)
    }

    async fn poll_nowcast(&self, provinces: &[Province], round: &mut Round) -> Result<(), NoList> {
        let document = self.fetcher.fetch(&self.config.url).await?;
        let list = rss::parse(&document).map_err(|error| NoList::Unreadable(error.to_string()))?;
        let mut channel = list.value;
        check_length(channel.items.len() + channel.refused.len())?;
        for error in &channel.refused {
            let reason = error.to_string();
            self.settle(
                reason.clone(),
                Some(Vec::new()),
                Judged::Refused(reason),
                round,
            )
            .await;
        }
        // The list has the newest first; an update or a cancellation must follow what it refers to.
        channel.items.sort_by_key(|item| item.published);
        let mut host_answers = true;
        for item in &channel.items {
            let link = match nowcast_link(item) {
                Ok(link) => link,
                Err(error) => {
                    let reason = error.to_string();
                    self.settle(
                        reason.clone(),
                        Some(Vec::new()),
                        Judged::Refused(reason),
                        round,
                    )
                    .await;
                    continue;
                }
            };
            let key = item.guid.clone().unwrap_or_else(|| link.url.into());
            let version = item
                .published
                .map(|at| at.timestamp().to_be_bytes().to_vec());
            if self.carry(&key, version.as_ref(), round) {
                continue;
            }
            let is_elsewhere = match mentioned(&item.title) {
                Mention::Ours(province) => !provinces.contains(&province),
                Mention::Other => true,
                Mention::Unclear => false,
            };
            if is_elsewhere {
                self.settle(key, version, Judged::Outside, round).await;
                continue;
            }
            if !host_answers {
                self.keep(&key, round);
                continue;
            }
            match self
                .fetcher
                .fetch(&nowcast::alert_url(&self.config.url, &link))
                .await
            {
                Ok(document) => {
                    let judged = nowcast::judge(&document, provinces, self.now());
                    self.settle(key, version, judged, round).await;
                }
                Err(error) if error.is_of_document() => {
                    self.settle(key, version, Judged::Refused(error.to_string()), round)
                        .await;
                }
                Err(error) => {
                    // The others would only wait for the same host; the next round asks for them.
                    host_answers = false;
                    self.keep(&key, round);
                    round.failure.get_or_insert(error.to_string());
                }
            }
        }
        Ok(())
    }

    async fn poll_earthquakes(&self, radius_km: u32, round: &mut Round) -> Result<(), NoList> {
        let document = self.fetcher.fetch(&self.config.url).await?;
        let list = bmkg::parse_earthquakes(&document)
            .map_err(|error| NoList::Unreadable(error.to_string()))?;
        check_length(list.rows.len())?;
        let now = self.now();
        for row in list.rows {
            let mut earthquake = match row {
                Ok(row) => row.value,
                Err(error) => {
                    let reason = error.to_string();
                    self.settle(
                        reason.clone(),
                        Some(Vec::new()),
                        Judged::Refused(reason),
                        round,
                    )
                    .await;
                    continue;
                }
            };
            self.known.complete(&mut earthquake);
            let judged = earthquake::judge(&earthquake, radius_km, now);
            let version = match &judged {
                Judged::Take(take) => match &take.command {
                    WarningCommand::Take { content, .. } => content.encode_to_vec(),
                    WarningCommand::Cancel
                    | WarningCommand::Report { .. }
                    | WarningCommand::Dismiss { .. } => Vec::new(),
                },
                Judged::Outside | Judged::Nothing | Judged::Refused(_) => Vec::new(),
            };
            let key = earthquake::identifier_of(&earthquake);
            if !self.carry(&key, Some(&version), round) {
                self.settle(key, Some(version), judged, round).await;
            }
        }
        Ok(())
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis((self.clock)().0).unwrap_or_default()
    }

    /// Takes over what became of an unchanged item before; says whether there is nothing more to do for it.
    fn carry(&self, key: &str, version: Option<&Vec<u8>>, round: &mut Round) -> bool {
        let before = round.memory.get(key).or_else(|| self.memory.get(key));
        let Some(before) = before
            .filter(|before| version.is_some() && before.version.as_ref() == version)
            .cloned()
        else {
            return false;
        };
        let is_settled = before.fate == Fate::Settled;
        if is_settled {
            round.memory.insert(key.into(), before);
        }
        is_settled
    }

    /// Remembers what was known of an item that could not be asked about now.
    fn keep(&self, key: &str, round: &mut Round) {
        if let Some(before) = self.memory.get(key) {
            round.memory.insert(key.into(), before.clone());
        }
    }

    /// Does what an item asks for, counts it once, and remembers it.
    async fn settle(
        &self,
        key: String,
        version: Option<Vec<u8>>,
        judged: Judged,
        round: &mut Round,
    ) {
        let before = round.memory.get(&key).or_else(|| self.memory.get(&key));
        let is_counted = before.is_some_and(|before| before.version == version);
        let refused = match judged {
            Judged::Take(take) => {
                let is_cancel = take.command == WarningCommand::Cancel;
                match self.recorder.record(*take, &self.config.name).await {
                    Ok(recorded) => {
                        round.taken += u64::from(recorded.changed);
                        None
                    }
                    // What is gone, or never was here, is taken back already.
                    Err(Refusal {
                        code: Code::NotFound | Code::Conflict,
                        ..
                    }) if is_cancel => None,
                    Err(Refusal {
                        code: Code::Unavailable | Code::Internal,
                        message,
                    }) => {
                        round
                            .failure
                            .get_or_insert(format!("the node could not record it: {message}"));
                        self.keep(&key, round);
                        return;
                    }
                    Err(Refusal { message, .. }) => Some(message),
                }
            }
            Judged::Outside => {
                round.outside += u64::from(!is_counted);
                None
            }
            Judged::Nothing => None,
            Judged::Refused(reason) => Some(reason),
        };
        let fate = if refused.is_some() {
            Fate::Refused
        } else {
            Fate::Settled
        };
        if let Some(reason) = refused {
            if !is_counted {
                round.refused += 1;
                warn!(feed.name = %self.config.name, "an item of feed {} is refused: {reason}", self.config.name);
            }
            round.refusal.get_or_insert(reason);
        }
        round.memory.insert(key, Remembered { version, fate });
    }

    /// Notes what the round came to and returns how long to wait.
    fn close(&mut self, result: Result<(), NoList>, round: Round) -> Duration {
        let now = (self.clock)();
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.taken += round.taken;
        record.refused += round.refused;
        record.outside += round.outside;
        let has_failed = result.is_err() || round.failure.is_some();
        match result {
            Ok(()) => {
                self.memory = round.memory;
                match (round.failure, round.refusal) {
                    (Some(failure), _) => record.failed(now, failure),
                    (None, Some(refusal)) => record.invalid(now, refusal),
                    (None, None) => record.succeeded(now),
                }
            }
            Err(NoList::Failed(error)) => record.failed(now, error),
            Err(NoList::Unreadable(error)) => record.invalid(now, error),
        }
        log(&self.config.name, &mut self.shown, &record, now);
        self.failures = if has_failed {
            self.failures.saturating_add(1)
        } else {
            0
        };
        pause_after(self.config.period, self.failures)
    }
}

/// Returns one period after a good round, and after errors one, two, four and then always five.
fn pause_after(period: Duration, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(MAX_BACKOFF);
    period.saturating_mul((1 << doublings).min(MAX_BACKOFF))
}

fn check_length(items: usize) -> Result<(), NoList> {
    if items <= MAX_ITEMS {
        return Ok(());
    }
    Err(NoList::Unreadable(format!(
        "the list has `{items}` items, more than the limit of `{MAX_ITEMS}`"
    )))
}

fn log(name: &str, shown: &mut FeedHealth, record: &Record, now: Millis) {
    let (health, _) = record.judge(now);
    if health == *shown {
        return;
    }
    *shown = health;
    let error = &record.last_error;
    match health {
        FeedHealth::Ok | FeedHealth::Unspecified => {
            info!(feed.name = name, "feed {name} answers well");
        }
        FeedHealth::Late => warn!(feed.name = name, "feed {name} is late: {error}"),
        FeedHealth::Dead => warn!(feed.name = name, "feed {name} is dead: {error}"),
        FeedHealth::Invalid => warn!(
            feed.name = name,
            "feed {name} answers with what cannot be taken: {error}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_with_every_error_up_to_five_periods() {
        let period = Duration::from_mins(1);
        let minutes =
            [0, 1, 2, 3, 4, 5, 1_000].map(|failures| pause_after(period, failures).as_secs() / 60);
        assert_eq!(minutes, [1, 1, 2, 4, 5, 5, 5]);
    }
}
