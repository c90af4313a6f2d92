//! Judging what a feed answers with: its list, the alerts that this links to, and a trial of both that records nothing.

use std::sync::Arc;

use chrono::DateTime;
use posko_formats::{
    cap,
    document::{DocumentError, Format},
    quote,
    station::StationError,
};
use posko_proto::time::Millis;

use crate::intake::{
    FeedConfig, FeedKind, Item, Judged, Scope, Trial, alert,
    document::{self, Judgement, Memory},
    fetch::Fetcher,
    gauge,
    hosts::Barred,
    nowcast,
    province::is_elsewhere,
};

/// The most items of one list; BMKG publishes some dozens. More would keep the feed busy past many periods.
const MAX_ITEMS: usize = 1_000;

/// Does what may take long on a thread of its own, so that nothing else waits for it.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    // What a panic says may hold what was read.
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| "reading the document was broken off".into())
}

/// Says how many alerts of a list are not asked for yet, and why.
pub(super) fn too_many(waiting: usize, share: usize) -> String {
    format!(
        "`{waiting}` alerts that the list links to wait for the next rounds: at most `{share}` a minute are asked for"
    )
}

/// Refuses a list of more items than are looked at.
pub(super) fn check_length(items: usize) -> Result<(), String> {
    if items <= MAX_ITEMS {
        return Ok(());
    }
    Err(format!(
        "the list has `{items}` items, more than the limit of `{MAX_ITEMS}`"
    ))
}

/// Reads a feed's document; one of another format than the feed's kind is no list of it.
pub(super) fn judge_list(
    config: &FeedConfig,
    document: &[u8],
    scope: &Scope,
    memory: &Memory,
    now: Millis,
) -> Result<Judgement, (Option<Format>, String)> {
    let expected: &[String] = match &config.kind {
        FeedKind::Gauges { expected } => expected,
        FeedKind::BmkgNowcast { .. }
        | FeedKind::BmkgEarthquake { .. }
        | FeedKind::Cap { .. }
        | FeedKind::Volcanoes => &[],
    };
    let judged = document::judge(document, scope, memory, now);
    let mut judgement = judged.map_err(|(format, error)| match &error {
        DocumentError::Stations(StationError::NoRows) if !expected.is_empty() => {
            let names: Vec<_> = expected.iter().map(|name| format!("`{name}`")).collect();
            let names = names.join(", ");
            (format, format!("{error}: it lacks the gauges {names}"))
        }
        _ => (format, error.to_string()),
    })?;
    let format = judgement.format;
    if !format.is_some_and(|format| config.kind.expects(format)) {
        let found = format.map_or("unknown", Format::title);
        let error = format!(
            "the answer is {found}, which a feed of kind `{}` does not take",
            config.kind.name()
        );
        return Err((format, error));
    }
    let carrier = config.carrier();
    for item in &mut judgement.items {
        let judged = std::mem::replace(&mut item.judged, Judged::Outside);
        item.judged = judged.carried(&carrier);
    }
    let brings = |name: &str| {
        let mut items = judgement.items.iter();
        items.any(|item| item.identifier.to_lowercase() == name.to_lowercase())
    };
    let missing = expected.iter().filter(|name| !brings(name));
    let missing: Vec<Item> = missing.map(|name| gauge::missing(name)).collect();
    judgement.items.extend(missing);
    Ok(judgement)
}

/// Reads what a feed's list links to: an alert, or several in an envelope.
pub(super) fn judge_alert(
    config: &FeedConfig,
    document: &[u8],
    scope: &Scope,
    memory: &Memory,
    now: Millis,
) -> Vec<Judged> {
    if let FeedKind::BmkgNowcast { provinces } = &config.kind {
        let now = DateTime::from_timestamp_millis(now.0).unwrap_or_default();
        return vec![match cap::parse(document) {
            Ok(read) => alert::judge(&read, true, provinces, now).carried(&config.carrier()),
            Err(error) => Judged::Refused(error.to_string()),
        }];
    }
    let carrier = config.carrier();
    match document::judge(document, scope, memory, now) {
        Ok(judgement) => {
            let items = judgement.items.into_iter();
            items
                .map(|item| match item.judged {
                    Judged::Link { url, .. } => Judged::Refused(format!(
                        "a link leads to another list with `{}`, which is not followed",
                        quote(&url)
                    )),
                    judged => judged.carried(&carrier),
                })
                .collect()
        }
        Err((_, error)) => vec![Judged::Refused(error.to_string())],
    }
}

/// Returns where to ask for a link: a host that the feed may ask, so that a list cannot send the node elsewhere.
pub(super) fn followed(
    fetcher: &Fetcher,
    config: &FeedConfig,
    link: &str,
) -> Result<String, String> {
    let found = fetcher.hosts().link(&config.url, link);
    found.map_err(|barred| match barred {
        Barred::Host(host) => format!(
            "the list links to host `{}`, from which this feed may fetch nothing: name it in `hosts`",
            quote(&host)
        ),
        Barred::NotWeb | Barred::Downgrade => {
            format!("the link `{}` is not `http` or `https`", quote(link))
        }
    })
}

/// Asks a feed once, judges what it answers, and records nothing.
pub(super) async fn try_once(
    config: &FeedConfig,
    fetcher: &Fetcher,
    scope: &Arc<Scope>,
    now: Millis,
) -> Trial {
    let failed = |format, failure: String| Trial {
        format,
        items: Vec::new(),
        failure: Some(failure),
    };
    let document = match fetcher.list(&config.url).await {
        Ok(document) => document,
        Err(error) => return failed(None, error.to_string()),
    };
    let memory = Arc::new(Memory::default());
    let judged = {
        let (config, scope, memory) = (config.clone(), scope.clone(), memory.clone());
        apart(move || judge_list(&config, &document, &scope, &memory, now)).await
    };
    let listed = match judged {
        Err(error) => return failed(None, error),
        Ok(Err((format, error))) => return failed(format, error),
        Ok(Ok(judgement)) => judgement,
    };
    if let Err(error) = check_length(listed.items.len()) {
        return failed(listed.format, error);
    }
    let (mut items, mut waiting) = (Vec::new(), 0);
    for item in listed.items {
        let Judged::Link { url, .. } = &item.judged else {
            items.push(item);
            continue;
        };
        let judged = match trial_url(config, fetcher, &item.title, url) {
            Err(judged) => vec![judged],
            Ok(_) if fetcher.room() == 0 => {
                waiting += 1;
                continue;
            }
            Ok(url) => match fetcher.linked(&url).await {
                Err(error) => vec![Judged::Refused(error.to_string())],
                Ok(document) => {
                    let (config, scope, memory) = (config.clone(), scope.clone(), memory.clone());
                    apart(move || judge_alert(&config, &document, &scope, &memory, now))
                        .await
                        .unwrap_or_else(|reason| vec![Judged::Refused(reason)])
                }
            },
        };
        items.extend(judged.into_iter().map(|judged| Item {
            identifier: item.identifier.clone(),
            title: item.title.clone(),
            judged,
        }));
    }
    Trial {
        format: listed.format,
        items,
        failure: (waiting > 0).then(|| too_many(waiting, fetcher.share())),
    }
}

/// Returns where a trial asks for a link, or what becomes of it without asking.
fn trial_url(
    config: &FeedConfig,
    fetcher: &Fetcher,
    title: &str,
    link: &str,
) -> Result<String, Judged> {
    let FeedKind::BmkgNowcast { provinces } = &config.kind else {
        return followed(fetcher, config, link).map_err(Judged::Refused);
    };
    if is_elsewhere(title, provinces) {
        return Err(Judged::Outside);
    }
    let url = nowcast::alert_url_of(&config.url, title, link);
    url.map_err(|error| Judged::Refused(error.to_string()))
}
