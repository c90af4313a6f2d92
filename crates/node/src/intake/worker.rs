//! One feed's task: ask, judge every item, record, wait.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use posko_domain::{
    code::{Code, Refusal},
    warning::{Ending, WarningCommand},
};
use posko_formats::{bmkg::nowcast_link, rss};
use posko_proto::{
    time::Millis,
    warning::v1::{AlertStatus, Source},
};
use prost::Message as _;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::intake::{
    Clock, FeedConfig, FeedKind, Item, Judged, Province, Recorder, Scope, Take, Wanted,
    document::Memory,
    fetch::{FetchError, Fetcher},
    hosts::host_of,
    judging::{self, apart, followed, judge_alert, judge_list, too_many},
    nowcast::{self, Listed},
    province::is_elsewhere,
    settle,
    wanted::{Effect, millis},
    watched::Kept,
};

/// The longest pause after errors, in periods.
const MAX_BACKOFF: u32 = 5;

/// The task of one feed.
pub(super) struct Worker<R> {
    config: FeedConfig,
    recorder: Arc<R>,
    fetcher: Fetcher,
    clock: Clock,
    scope: Arc<Scope>,
    known: Arc<Memory>,
    kept: Arc<Kept>,
    /// What became of the items of the last list, by key, so that nothing is fetched, recorded or counted twice.
    memory: HashMap<String, Remembered>,
    failures: u32,
}

/// What became of an item in one version.
#[derive(Debug, Clone, PartialEq)]
struct Remembered {
    /// What tells this version of the item from another; none when nothing does.
    version: Option<Vec<u8>>,
    fate: Fate,
    /// The alert of a nowcast's list that it is.
    listed: Option<Listed>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// It is done with until it changes.
    Settled,
    /// It could not be taken; it is judged again every time, and counted once.
    Refused,
}

/// An alert that a list links to, of which this version is not known.
struct Linked {
    /// What the item is remembered by.
    key: String,
    version: Option<Vec<u8>>,
    url: String,
    published: Option<Millis>,
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
    /// How many alerts that the list links to could not be asked for any more.
    waiting: usize,
}

impl Round {
    /// Returns what was wrong with what the feed answered: what had to be refused, and what there was too much of.
    fn wrong(&self, share: usize) -> Option<String> {
        let waiting = (self.waiting > 0).then(|| too_many(self.waiting, share));
        let wrong: Vec<String> = self.refusal.clone().into_iter().chain(waiting).collect();
        (!wrong.is_empty()).then(|| wrong.join("; "))
    }
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
        // An answer past the limit, packed or elsewhere is an answer, and an unreadable one.
        match error {
            FetchError::TooLarge { .. }
            | FetchError::Packed { .. }
            | FetchError::OtherHost { .. }
            | FetchError::OtherScheme { .. } => Self::Unreadable(error.to_string()),
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
        (scope, known): (Scope, Arc<Memory>),
        kept: Arc<Kept>,
    ) -> Self {
        Self {
            config,
            recorder,
            fetcher,
            clock,
            scope: Arc::new(scope),
            known,
            kept,
            memory: HashMap::new(),
            failures: 0,
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
        // The other half is the pause, so that a feed which answers is not late.
        let until = Instant::now() + self.config.period / 2;
        let result = match self.config.kind.clone() {
            FeedKind::BmkgNowcast { provinces } => {
                self.poll_nowcast(&provinces, until, &mut round).await
            }
            FeedKind::BmkgEarthquake { .. }
            | FeedKind::Cap { .. }
            | FeedKind::Gauges { .. }
            | FeedKind::Volcanoes => self.poll_document(until, &mut round).await,
        };
        self.close(result, round)
    }

    async fn poll_nowcast(
        &self,
        provinces: &[Province],
        until: Instant,
        round: &mut Round,
    ) -> Result<(), NoList> {
        let document = self.fetcher.list(&self.config.url).await?;
        let list = apart(move || rss::parse(&document)).await;
        let list = list.map_err(NoList::Unreadable)?;
        let channel = list
            .map_err(|error| NoList::Unreadable(error.to_string()))?
            .value;
        check_length(channel.items.len() + channel.refused.len())?;
        for error in &channel.refused {
            self.refuse(error.to_string(), round).await;
        }
        let mut links = Vec::new();
        for item in &channel.items {
            let link = match nowcast_link(item) {
                Ok(link) => link,
                Err(error) => {
                    self.refuse(error.to_string(), round).await;
                    continue;
                }
            };
            let key = item.guid.clone().unwrap_or_else(|| link.url.into());
            let version = nowcast::version_of(item.published);
            if self.carry(&key, version.as_ref(), round) {
                continue;
            }
            if is_elsewhere(&item.title, provinces) {
                self.settle(key, version, Judged::Outside, round).await;
                continue;
            }
            links.push(Linked {
                key,
                version,
                url: nowcast::alert_url(&self.config.url, &link),
                published: item.published.map(|at| millis(&at)),
            });
        }
        self.follow(links, until, round).await;
        self.end_what_is_gone(round).await;
        Ok(())
    }

    /// Ends alerts that the list holds no more, where a newer one of the same province stands in their place; a list that
    /// could not be read whole ends nothing.
    async fn end_what_is_gone(&self, round: &mut Round) {
        if round.failure.is_some() || round.refusal.is_some() || round.waiting > 0 {
            return;
        }
        let listed: Vec<Listed> = round
            .memory
            .values()
            .filter_map(|remembered| remembered.listed.clone())
            .collect();
        let held = match self.recorder.in_force(Source::BmkgNowcast).await {
            Ok(held) => held,
            Err(refusal) => {
                round.failure.get_or_insert(refusal.message);
                return;
            }
        };
        for held in held {
            let state = &held.state;
            if state.content.status() != AlertStatus::Actual {
                continue;
            }
            let Some(newer) = nowcast::successor(&listed, &state.identifier, &state.content) else {
                continue;
            };
            let command = WarningCommand::Replace {
                by: newer.stream,
                ending: Ending {
                    identifier: newer.identifier.clone(),
                    carried_by: self.config.carrier(),
                    sent: Some(Millis(newer.sent_s * 1_000)),
                },
            };
            let take = Take {
                stream: held.stream,
                command,
            };
            match self.recorder.record(take).await {
                Ok(recorded) => round.taken += u64::from(recorded.changed),
                Err(refusal) if refusal.code == Code::Conflict => {}
                Err(refusal) => {
                    round.failure.get_or_insert(refusal.message);
                }
            }
        }
    }

    /// Asks for a document of any other kind, and for the alerts to which it links.
    async fn poll_document(&self, until: Instant, round: &mut Round) -> Result<(), NoList> {
        let document = self.fetcher.list(&self.config.url).await?;
        let (config, scope, memory) = (self.config.clone(), self.scope.clone(), self.known.clone());
        let now = (self.clock)();
        let judged = apart(move || judge_list(&config, &document, &scope, &memory, now)).await;
        let judged = judged.map_err(NoList::Unreadable)?;
        let judgement = judged.map_err(|(_, error)| NoList::Unreadable(error))?;
        check_length(judgement.items.len())?;
        let mut links = Vec::new();
        for item in judgement.items {
            let Item {
                identifier, judged, ..
            } = item;
            let Judged::Link { url, published } = judged else {
                let version = version_of(&judged);
                if !self.carry(&identifier, Some(&version), round) {
                    self.settle(identifier, Some(version), judged, round).await;
                }
                continue;
            };
            match followed(&self.fetcher, &self.config, &url) {
                // A link is asked once: what changes is published under another, or another identifier.
                Ok(url) => {
                    let version = Some(url.clone().into_bytes());
                    if !self.carry(&identifier, version.as_ref(), round) {
                        links.push(Linked {
                            key: identifier,
                            version,
                            url,
                            published,
                        });
                    }
                }
                Err(reason) => {
                    let judged = Judged::Refused(reason);
                    self.settle(identifier, Some(Vec::new()), judged, round)
                        .await;
                }
            }
        }
        self.follow(links, until, round).await;
        Ok(())
    }

    /// Fetches the alerts that a list links to, the newest first, as many as the feed's share allows until a moment; the
    /// next round asks for the others.
    async fn follow(&self, mut links: Vec<Linked>, until: Instant, round: &mut Round) {
        // What was asked for before and refused must not keep the others waiting.
        let is_known = |link: &Linked| {
            let before = self.memory.get(&link.key);
            before.is_some_and(|before| before.version == link.version)
        };
        links.sort_by_key(|link| (is_known(link), Reverse(link.published)));
        let mut silent = BTreeSet::new();
        while !links.is_empty() {
            let room = self.fetcher.room().min(links.len());
            if room == 0 && !self.fetcher.wait_for_room(until).await {
                break;
            }
            let later = links.split_off(room);
            let mut now = std::mem::replace(&mut links, later);
            // An update or a cancellation must follow what it refers to.
            now.sort_by_key(|link| link.published);
            for link in now {
                self.follow_one(link, &mut silent, round).await;
            }
        }
        for link in &links {
            self.keep(&link.key, round);
        }
        round.waiting = links.len();
    }

    /// Fetches one alert unless its host is silent, for which the others would only wait too.
    async fn follow_one(&self, link: Linked, silent: &mut BTreeSet<String>, round: &mut Round) {
        let Linked {
            key, version, url, ..
        } = link;
        // A list may hold an item twice.
        if self.carry(&key, version.as_ref(), round) {
            return;
        }
        let host = host_of(&url);
        if silent.contains(&host) {
            self.keep(&key, round);
            return;
        }
        let document = match self.fetcher.linked(&url).await {
            Ok(document) => document,
            Err(error) if error.is_of_document() => {
                self.settle(key, version, Judged::Refused(error.to_string()), round)
                    .await;
                return;
            }
            Err(error) => {
                silent.insert(host);
                self.keep(&key, round);
                round.failure.get_or_insert(error.to_string());
                return;
            }
        };
        let (config, scope, memory) = (self.config.clone(), self.scope.clone(), self.known.clone());
        let now = (self.clock)();
        let judged = apart(move || judge_alert(&config, &document, &scope, &memory, now)).await;
        let judged = judged.unwrap_or_else(|reason| vec![Judged::Refused(reason)]);
        for (at, judged) in judged.into_iter().enumerate() {
            let key = match at {
                0 => key.clone(),
                _ => format!("{key}#{at}"),
            };
            self.settle(key, version.clone(), judged, round).await;
        }
    }

    /// Refuses an item of which nothing else is known than why.
    async fn refuse(&self, reason: String, round: &mut Round) {
        self.settle(
            reason.clone(),
            Some(Vec::new()),
            Judged::Refused(reason),
            round,
        )
        .await;
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
        let mut listed = None;
        let refused = match judged {
            Judged::Take(wanted) => {
                listed = listed_of(&wanted);
                match settle::settle(self.recorder.as_ref(), *wanted).await {
                    Ok(settled) => {
                        round.taken += u64::from(settled.changed);
                        let told = settled.told.iter().filter(|_| settled.changed);
                        for told in told {
                            info!(feed.name = %self.config.name, "an item of feed {} {told}", self.config.name);
                        }
                        None
                    }
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
            Judged::Nothing(_) | Judged::Link { .. } => None,
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
        round.memory.insert(
            key,
            Remembered {
                version,
                fate,
                listed,
            },
        );
    }

    /// Notes what the round came to and returns how long to wait.
    fn close(&mut self, result: Result<(), NoList>, round: Round) -> Duration {
        let now = (self.clock)();
        // One that answers, with whatever, is asked by its period: asked less often it would seem late.
        let has_failed = matches!(result, Err(NoList::Failed(_))) || round.failure.is_some();
        let wrong = round.wrong(self.fetcher.share());
        if result.is_ok() {
            self.memory = round.memory;
        }
        self.kept.note(|record| {
            record.taken += round.taken;
            record.refused += round.refused;
            record.outside += round.outside;
            match result {
                Ok(()) => match (round.failure, wrong) {
                    (Some(failure), _) => record.failed(now, failure),
                    (None, Some(wrong)) => record.invalid(now, wrong),
                    (None, None) => record.succeeded(now),
                },
                Err(NoList::Failed(error)) => record.failed(now, error),
                Err(NoList::Unreadable(error)) => record.invalid(now, error),
            }
        });
        self.failures = if has_failed {
            self.failures.saturating_add(1)
        } else {
            0
        };
        pause_after(self.config.period, self.failures)
    }
}

/// Returns what a nowcast's item is in its list.
fn listed_of(wanted: &Wanted) -> Option<Listed> {
    let is_alert = wanted.source == Source::BmkgNowcast
        && wanted.effect == Effect::Warn
        && wanted.content.status() == AlertStatus::Actual;
    if !is_alert {
        return None;
    }
    Some(Listed {
        stream: wanted.stream,
        identifier: wanted.identifier.clone(),
        province: nowcast::province_of(&wanted.content)?,
        sent_s: wanted.content.sent_at.as_ref()?.seconds,
    })
}

/// Returns what tells a version of an item from another.
fn version_of(judged: &Judged) -> Vec<u8> {
    match judged {
        Judged::Take(wanted) => {
            let mut version = wanted.content.encode_to_vec();
            version.push(match &wanted.effect {
                Effect::Warn => 0,
                Effect::Cancel => 1,
                Effect::Event => 2,
                Effect::EndEvent => 3,
                Effect::Station { warns, .. } => 4 + u8::from(*warns),
            });
            version
        }
        Judged::Link { .. } | Judged::Outside | Judged::Nothing(_) | Judged::Refused(_) => {
            Vec::new()
        }
    }
}

/// Returns one period after a good round, and after errors one, two, four and then always five.
fn pause_after(period: Duration, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(MAX_BACKOFF);
    period.saturating_mul((1 << doublings).min(MAX_BACKOFF))
}

/// Refuses a list that would keep the feed busy past many periods.
fn check_length(items: usize) -> Result<(), NoList> {
    judging::check_length(items).map_err(NoList::Unreadable)
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
