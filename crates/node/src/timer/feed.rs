//! How feeds are: recorded when it changes, at its time, so that every province knows of a dead one.

use posko_domain::warning::feed::{FeedCommand, feed_stream, is_same};
use posko_proto::{
    time::Millis,
    warning::v1::{FeedHealth, FeedHealthChanged},
};
use posko_store::{Command, Store, StoreError};
use tokio::sync::watch;
use tracing::{info, warn};

use super::ask;
use crate::{
    automatic::{self, Automatic},
    disk::Disk,
    intake::{Found, Watched},
};

/// Returns how the node's own feeds were recorded to be.
pub(crate) fn recorded(store: &Store) -> Result<Vec<FeedHealthChanged>, StoreError> {
    let own = store.identity().origin;
    let feeds = store.feeds()?.into_iter();
    let own = feeds.filter(|feed| feed.origin == own);
    Ok(own.map(|feed| feed.state.said).collect())
}

/// Records of each feed how it is, unless that is recorded already, and which are gone from the configuration; returns
/// when one will be otherwise by the time alone.
pub(super) async fn turn(
    store: &Store,
    disk: &watch::Receiver<Disk>,
    feeds: &Watched,
    now: Millis,
) -> Result<Option<Millis>, StoreError> {
    let before = ask(store, recorded).await?;
    let (found, next) = feeds.find(now);
    for Found { health, error } in found {
        let known = before.iter().find(|before| before.name == health.name);
        if known.is_some_and(|known| is_same(known, &health)) {
            continue;
        }
        let (name, said) = (health.name.clone(), health.health());
        if record(store, disk, &name, FeedCommand::Change(health), now).await {
            tell(&name, said, &error);
        }
    }
    for gone in before.iter().filter(|before| !feeds.asks(&before.name)) {
        record(store, disk, &gone.name, FeedCommand::Retire, now).await;
    }
    Ok(next)
}

/// Records what is to be said of a feed; says whether it is durable.
async fn record(
    store: &Store,
    disk: &watch::Receiver<Disk>,
    name: &str,
    command: FeedCommand,
    now: Millis,
) -> bool {
    let automatic = Automatic {
        command_id: None,
        digest: [0; 32],
        stream: feed_stream(name),
        now,
        exercise: false,
        command: Command::Feed(command),
    };
    let answer = automatic::execute(store, disk, automatic).await;
    if let Err(refusal) = &answer {
        warn!(
            feed.name = name,
            refusal = refusal.message,
            "how feed {name} is could not be recorded"
        );
    }
    answer.is_ok()
}

fn tell(name: &str, health: FeedHealth, error: &str) {
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
