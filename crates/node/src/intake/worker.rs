//! One feed's task: ask, judge every item, record, wait.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use posko_domain::{
    code::{Code, Refusal},
    warning::WarningCommand,
};
use posko_formats::{
    bmkg::nowcast_link,
    cap,
    document::{DocumentError, Format},
    rss,
    station::StationError,
};
use posko_proto::{
    time::Millis,
    warning::v1::{AlertStatus, Source},
};
use prost::Message as _;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::intake::{
    Clock, FeedConfig, FeedKind, Item, Judged, Province, Recorder, Scope, Take, Trial, Wanted,
    alert,
    document::{self, Memory},
    fetch::{FetchError, Fetcher},
    gauge,
    nowcast::{self, Listed},
    province::{Mention, mentioned},
    settle,
    wanted::Effect,
    watched::Kept,
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
    scope: Scope,
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
        (scope, known): (Scope, Arc<Memory>),
        kept: Arc<Kept>,
    ) -> Self {
        Self {
            config,
            recorder,
            fetcher,
            clock,
            scope,
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
        let result = match self.config.kind.clone() {
            FeedKind::BmkgNowcast { provinces } => self.poll_nowcast(&provinces, &mut round).await,
            FeedKind::BmkgEarthquake { .. }
            | FeedKind::Cap { .. }
            | FeedKind::Gauges { .. }
            | FeedKind::Volcanoes => self.poll_document(&mut round).await,
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
            let version = nowcast::version_of(item.published);
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
                    let judged = judge_nowcast(&document, provinces, self.now());
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
        self.end_what_is_gone(round).await;
        Ok(())
    }

    /// Ends alerts that the list holds no more, where a newer one of the same province stands in their place; a list that
    /// could not be read whole ends nothing.
    async fn end_what_is_gone(&self, round: &mut Round) {
        if round.failure.is_some() || round.refusal.is_some() {
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
                identifier: newer.identifier.clone(),
            };
            let take = Take {
                stream: held.stream,
                command,
            };
            match self.recorder.record(take, &self.config.name).await {
                Ok(recorded) => round.taken += u64::from(recorded.changed),
                Err(refusal) if refusal.code == Code::Conflict => {}
                Err(refusal) => {
                    round.failure.get_or_insert(refusal.message);
                }
            }
        }
    }

    /// Asks for a document of any other kind, and for the alerts to which it links.
    async fn poll_document(&self, round: &mut Round) -> Result<(), NoList> {
        let document = self.fetcher.fetch(&self.config.url).await?;
        let items = judge_document(
            &self.config,
            &document,
            &self.scope,
            &self.known,
            (self.clock)(),
        )?;
        let mut host_answers = true;
        for item in items {
            let Item {
                identifier, judged, ..
            } = item;
            let Judged::Link(link) = judged else {
                let version = version_of(&judged);
                if !self.carry(&identifier, Some(&version), round) {
                    self.settle(identifier, Some(version), judged, round).await;
                }
                continue;
            };
            let url = match followed(&self.config, &link) {
                Ok(url) => url,
                Err(reason) => {
                    let judged = Judged::Refused(reason);
                    self.settle(identifier, Some(Vec::new()), judged, round)
                        .await;
                    continue;
                }
            };
            // A link is asked once: what changes is published under another, or another identifier.
            let version = url.clone().into_bytes();
            if self.carry(&identifier, Some(&version), round) {
                continue;
            }
            if !host_answers {
                self.keep(&identifier, round);
                continue;
            }
            match self.fetcher.fetch(&url).await {
                Ok(document) => {
                    let judged = judge_linked(&document, &self.scope, &self.known, (self.clock)());
                    for (at, judged) in judged.into_iter().enumerate() {
                        let key = if at == 0 {
                            identifier.clone()
                        } else {
                            format!("{identifier}#{at}")
                        };
                        self.settle(key, Some(version.clone()), judged, round).await;
                    }
                }
                Err(error) if error.is_of_document() => {
                    let judged = Judged::Refused(error.to_string());
                    self.settle(identifier, Some(version), judged, round).await;
                }
                Err(error) => {
                    host_answers = false;
                    self.keep(&identifier, round);
                    round.failure.get_or_insert(error.to_string());
                }
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
        let mut listed = None;
        let refused = match judged {
            Judged::Take(wanted) => {
                listed = listed_of(&wanted);
                match settle::settle(self.recorder.as_ref(), *wanted, &self.config.name).await {
                    Ok(settled) => {
                        round.taken += u64::from(settled.changed);
                        for told in settled.told {
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
            Judged::Nothing(_) | Judged::Link(_) => None,
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
        if result.is_ok() {
            self.memory = round.memory;
        }
        self.kept.note(|record| {
            record.taken += round.taken;
            record.refused += round.refused;
            record.outside += round.outside;
            match result {
                Ok(()) => match (round.failure, round.refusal) {
                    (Some(failure), _) => record.failed(now, failure),
                    (None, Some(refusal)) => record.invalid(now, refusal),
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

/// Reads one alert of a nowcast.
fn judge_nowcast(document: &[u8], provinces: &[Province], now: DateTime<Utc>) -> Judged {
    match cap::parse(document) {
        Ok(read) => alert::judge(&read, true, provinces, now),
        Err(error) => Judged::Refused(error.to_string()),
    }
}

/// Reads a feed's document; one of another format than the feed's kind is no list of it.
fn judge_document(
    config: &FeedConfig,
    document: &[u8],
    scope: &Scope,
    memory: &Memory,
    now: Millis,
) -> Result<Vec<Item>, NoList> {
    let expected: &[String] = match &config.kind {
        FeedKind::Gauges { expected } => expected,
        FeedKind::BmkgNowcast { .. }
        | FeedKind::BmkgEarthquake { .. }
        | FeedKind::Cap { .. }
        | FeedKind::Volcanoes => &[],
    };
    let mut judgement = document::judge(document, scope, memory, now).map_err(|(_, error)| {
        NoList::Unreadable(match &error {
            DocumentError::Stations(StationError::NoRows) if !expected.is_empty() => {
                format!("{error}: it lacks the gauges `{}`", expected.join("`, `"))
            }
            _ => error.to_string(),
        })
    })?;
    let format = judgement
        .format
        .filter(|format| config.kind.expects(*format));
    if format.is_none() {
        let found = judgement.format.map_or("unknown", Format::title);
        return Err(NoList::Unreadable(format!(
            "the answer is {found}, which a feed of kind `{}` does not take",
            config.kind.name()
        )));
    }
    check_length(judgement.items.len())?;
    let brings = |name: &str| {
        let mut items = judgement.items.iter();
        items.any(|item| item.identifier.to_lowercase() == name.to_lowercase())
    };
    let missing = expected.iter().filter(|name| !brings(name));
    let missing: Vec<Item> = missing.map(|name| gauge::missing(name)).collect();
    judgement.items.extend(missing);
    Ok(judgement.items)
}

/// Reads what a list links to: an alert, or several in an envelope.
fn judge_linked(document: &[u8], scope: &Scope, memory: &Memory, now: Millis) -> Vec<Judged> {
    match document::judge(document, scope, memory, now) {
        Ok(judgement) => {
            let items = judgement.items.into_iter();
            items
                .map(|item| match item.judged {
                    Judged::Link(link) => Judged::Refused(format!(
                        "a link leads to another list with `{link}`, which is not followed"
                    )),
                    judged => judged,
                })
                .collect()
        }
        Err((_, error)) => vec![Judged::Refused(error.to_string())],
    }
}

/// Returns where to ask for a link: the list's own host, or one that the configuration names, so that a list cannot send
/// the node elsewhere.
fn followed(config: &FeedConfig, link: &str) -> Result<String, String> {
    let host = |url: &str| {
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split(['/', '?', '#']).next()?;
        let plain = matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains('@');
        plain.then(|| host.to_lowercase())
    };
    let own = host(&config.url);
    if link.starts_with('/') && !link.starts_with("//") {
        let base = config.url.split_once("://").map(|(scheme, _)| scheme);
        return match (base, own) {
            (Some(scheme), Some(own)) => Ok(format!("{scheme}://{own}{link}")),
            _ => Err(format!("the link `{link}` leads nowhere")),
        };
    }
    let Some(wanted) = host(link) else {
        return Err(format!("the link `{link}` is not `http` or `https`"));
    };
    let hosts: &[String] = match &config.kind {
        FeedKind::Cap { hosts, .. } => hosts,
        FeedKind::BmkgNowcast { .. }
        | FeedKind::BmkgEarthquake { .. }
        | FeedKind::Gauges { .. }
        | FeedKind::Volcanoes => &[],
    };
    if own.as_deref() == Some(wanted.as_str()) || hosts.contains(&wanted) {
        return Ok(link.to_owned());
    }
    Err(format!(
        "the list links to host `{wanted}`, from which this feed may fetch nothing: name it in `hosts`"
    ))
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
        Judged::Link(_) | Judged::Outside | Judged::Nothing(_) | Judged::Refused(_) => Vec::new(),
    }
}

/// Asks a feed once and returns what each item would become; nothing is recorded.
pub(super) async fn try_once(
    config: &FeedConfig,
    fetcher: &Fetcher,
    scope: &Scope,
    now: Millis,
) -> Trial {
    let failed = |format, failure: String| Trial {
        format,
        items: Vec::new(),
        failure: Some(failure),
    };
    let document = match fetcher.fetch(&config.url).await {
        Ok(document) => document,
        Err(error) => return failed(None, error.to_string()),
    };
    let memory = Memory::default();
    let format = document::judge(&document, scope, &memory, now)
        .ok()
        .and_then(|judgement| judgement.format);
    let listed = match judge_document(config, &document, scope, &Memory::default(), now) {
        Ok(items) => items,
        Err(NoList::Failed(error) | NoList::Unreadable(error)) => return failed(format, error),
    };
    let mut trial = Trial {
        format,
        items: Vec::new(),
        failure: None,
    };
    for item in listed {
        let Judged::Link(link) = &item.judged else {
            trial.items.push(item);
            continue;
        };
        let is_nowcast = matches!(config.kind, FeedKind::BmkgNowcast { .. });
        let url = if is_nowcast {
            Ok(nowcast::alert_url_of(&config.url, link).unwrap_or_else(|| link.clone()))
        } else {
            followed(config, link)
        };
        let judged = match url {
            Err(reason) => vec![Judged::Refused(reason)],
            Ok(url) => match fetcher.fetch(&url).await {
                Err(error) => vec![Judged::Refused(error.to_string())],
                Ok(document) if is_nowcast => {
                    let now = DateTime::from_timestamp_millis(now.0).unwrap_or_default();
                    vec![judge_nowcast(&document, &scope.provinces, now)]
                }
                Ok(document) => judge_linked(&document, scope, &memory, now),
            },
        };
        trial.items.extend(judged.into_iter().map(|judged| Item {
            identifier: item.identifier.clone(),
            title: item.title.clone(),
            judged,
        }));
    }
    trial
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
