//! What happens because its time has come: the next level is called when nobody answered a call, a feed is found late or
//! dead, and it is told when a warning has ended by its own time.
//!
//! ```text
//! commit, or a feed was asked ──▶ the soonest time of all ──▶ wait for it by the wall clock ──▶ command ──▶ commit
//! ```
//! What it never does: fire twice, also after a restart and after the clock was set back. A call's command has an id that
//! follows from what it is about and from the time that came; how a feed is is compared with what was recorded of it. The
//! end of a warning is no fact of its own, so nothing is recorded for it: it is logged, and until which end it was is kept.

pub(crate) mod feed;

use std::time::Duration;

use posko_domain::{
    context::derived,
    incident::{Change, IncidentCommand},
};
use posko_proto::{Id, time::Millis};
use posko_store::{Command, Store, StoreError, view::incident::Found};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::{
    automatic::{self, Automatic},
    disk::Disk,
    intake::{Clock, Watched},
};

/// How many calls, and how many warnings, are looked at together.
const PAGE: usize = 100;
/// How long commits are let go by before the store is asked again.
const SETTLE: Duration = Duration::from_secs(1);
/// The longest wait: the wall clock may have been set.
const LONGEST: Duration = Duration::from_mins(1);

/// What the timer looks at, and by whose time.
pub(crate) struct Timer {
    pub(crate) store: Store,
    pub(crate) disk: watch::Receiver<Disk>,
    pub(crate) clock: Clock,
    /// The node's feeds.
    pub(crate) feeds: Watched,
    /// Word of each commit.
    pub(crate) moved: watch::Receiver<u64>,
}

impl Timer {
    /// Fires what is due until the node stops.
    pub(crate) async fn watch(mut self, mut stopped: watch::Receiver<bool>) {
        let mut asked = self.feeds.asked();
        loop {
            self.moved.mark_unchanged();
            asked.mark_unchanged();
            let wait = match self.fire().await {
                Ok(next) => next.map_or(LONGEST, |at| until((self.clock)(), at)),
                Err(error) => {
                    warn!(error = %error, "what is due could not be looked up");
                    LONGEST
                }
            };
            let woken = async {
                tokio::select! {
                    moved = self.moved.changed() => drop(moved),
                    asked = asked.changed() => drop(asked),
                }
                tokio::time::sleep(SETTLE).await;
            };
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(wait) => {}
                () = woken => {}
            }
        }
    }

    /// Fires all that is due now, and returns when the next is.
    async fn fire(&self) -> Result<Option<Millis>, StoreError> {
        let (store, now) = (&self.store, (self.clock)());
        let call = call(store, &self.disk, now).await?;
        let turn = feed::turn(store, &self.disk, &self.feeds, now).await?;
        let end = end(store, now).await?;
        Ok([call, turn, end].into_iter().flatten().min())
    }
}

/// This node's warnings that have ended by their own time and of which nobody was told.
struct Ended {
    /// The publishers' identifiers.
    identifiers: Vec<String>,
    /// Until which end they are.
    until: Millis,
    /// Whether that is to be kept.
    is_news: bool,
    /// When the next one ends.
    next: Option<Millis>,
}

/// Tells of the warnings that have ended, and returns when the next one does. A node that is killed in between tells of
/// them again rather than never.
async fn end(store: &Store, now: Millis) -> Result<Option<Millis>, StoreError> {
    let ended = ask(store, move |store| ended(store, now)).await?;
    for identifier in &ended.identifiers {
        info!(
            warning.identifier = identifier,
            "a warning has ended by its own time"
        );
    }
    if ended.is_news {
        let until = ended.until;
        ask(store, move |store| store.note_ends_told(until)).await?;
    }
    Ok(ended.next)
}

/// Returns the warnings that have ended since the end until which it was told; a node that never looked begins now.
fn ended(store: &Store, now: Millis) -> Result<Ended, StoreError> {
    /// After every warning that ends at a moment.
    const LAST: Id = Id([u8::MAX; 16]);
    let told = store.ends_told()?;
    let from = told.unwrap_or(now);
    let until = now.max(from);
    let mut after = (from, LAST);
    let mut identifiers = Vec::new();
    loop {
        let page = store.warnings_ending(after, until, PAGE)?;
        let is_last = page.len() < PAGE;
        for (at, warning) in page {
            after = (at, warning.id);
            identifiers.push(warning.state.identifier);
        }
        if is_last {
            break;
        }
    }
    let next = store.warnings_ending((until, LAST), Millis(i64::MAX), 1)?;
    Ok(Ended {
        is_news: told.is_none() || !identifiers.is_empty(),
        identifiers,
        until,
        next: next.first().map(|(at, _)| *at),
    })
}

/// Asks the store beside the node's own work.
async fn ask<T: Send + 'static>(
    store: &Store,
    question: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let store = store.clone();
    let asked = tokio::task::spawn_blocking(move || question(&store)).await;
    asked.unwrap_or(Err(StoreError::Stopped))
}

fn until(now: Millis, at: Millis) -> Duration {
    let millis = u64::try_from(at.0 - now.0).unwrap_or(0);
    Duration::from_millis(millis).clamp(SETTLE, LONGEST)
}

/// Calls the next level where nobody answered in time, and returns when the next answer is due.
async fn call(
    store: &Store,
    disk: &watch::Receiver<Disk>,
    now: Millis,
) -> Result<Option<Millis>, StoreError> {
    for call in ask(store, |store| store.calls(PAGE)).await? {
        let Some((level, by)) = call.state.operation.unanswered() else {
            continue;
        };
        if by > now {
            return Ok(Some(by));
        }
        let Some(change) = Change::unanswered(level) else {
            continue;
        };
        match automatic::execute(store, disk, next_call(&call, change, by, now)).await {
            Ok(_) => info!(
                incident = call.state.number,
                level = level.as_str_name(),
                "nobody answered in time: called the next level"
            ),
            Err(refusal) => warn!(
                incident = call.state.number,
                refusal = refusal.message,
                "the next level could not be called"
            ),
        }
    }
    Ok(None)
}

fn next_call(call: &Found, change: Change, by: Millis, now: Millis) -> Automatic {
    Automatic {
        command_id: Some(command_id(call.id, by)),
        digest: [0; 32],
        stream: call.id,
        now,
        exercise: call.state.exercise,
        command: Command::Incident(IncidentCommand::Change { change, note: None }),
    }
}

fn command_id(incident: Id, by: Millis) -> Id {
    derived(&[
        b"posko/timer/v1\0",
        incident.as_bytes(),
        &by.0.to_be_bytes(),
    ])
}

#[cfg(test)]
mod tests;
