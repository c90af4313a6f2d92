//! What happens because its time has come: the next level is called when nobody answered a call, and it is told when a
//! warning has ended by its own time.
//!
//! ```text
//! commit ──▶ the soonest answer_by of the store ──▶ wait for it by the wall clock ──▶ command ──▶ commit
//! ```
//! What it never does: fire twice. A command's id follows from what it is about and from the time that came, so that it
//! is recognized after a restart and after the clock was set back. The end of a warning is no fact of its own, so nothing is
//! recorded for it: it is logged once while the node runs, and what ended before its start is shown as ended.

use std::time::Duration;

use posko_domain::{
    context::derived,
    incident::{Change, IncidentCommand},
};
use posko_proto::{Id, time::Millis};
use posko_store::{
    Command, Store, StoreError,
    view::{incident::Found, warning::Found as Warning},
};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::{
    automatic::{self, Automatic},
    disk::Disk,
    intake::Clock,
};

/// How many calls are looked at together.
const CALLS: usize = 100;
/// How long commits are let go by before the store is asked again.
const SETTLE: Duration = Duration::from_secs(1);
/// The longest wait: the wall clock may have been set.
const LONGEST: Duration = Duration::from_mins(1);

/// Fires what is due until the node stops.
pub(crate) async fn watch(
    store: Store,
    disk: watch::Receiver<Disk>,
    clock: Clock,
    mut moved: watch::Receiver<u64>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut told_until = clock();
    loop {
        moved.mark_unchanged();
        let looked = async {
            let call = fire(&store, &disk, clock()).await?;
            let ended = end(&store, &mut told_until, clock()).await?;
            for warning in ended.warnings {
                info!(
                    warning.identifier = warning.state.identifier,
                    "a warning has ended by its own time"
                );
            }
            Ok::<_, StoreError>(call.into_iter().chain(ended.next).min())
        };
        let wait = match looked.await {
            Ok(next) => next.map_or(LONGEST, |at| until(clock(), at)),
            Err(error) => {
                warn!(error = %error, "what is due could not be looked up");
                LONGEST
            }
        };
        let settled = async {
            let moved = moved.changed().await;
            tokio::time::sleep(SETTLE).await;
            moved.is_ok()
        };
        let goes_on = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => false,
            () = tokio::time::sleep(wait) => true,
            moved = settled => moved,
        };
        if !goes_on {
            return;
        }
    }
}

/// Warnings that have ended by their own time.
struct Ended {
    /// Those of which nobody was told yet.
    warnings: Vec<Warning>,
    /// When the next one ends.
    next: Option<Millis>,
}

/// Returns this node's warnings that have ended since the time until which it was told, which never goes back.
async fn end(store: &Store, told_until: &mut Millis, now: Millis) -> Result<Ended, StoreError> {
    let (asked, from, to) = (store.clone(), *told_until, now.max(*told_until));
    let looked = move || -> Result<Ended, StoreError> {
        let mut warnings = Vec::new();
        let mut after = from;
        loop {
            let page = asked.warnings_ending(after, to, CALLS)?;
            let is_last = page.len() < CALLS;
            after = page.last().map_or(to, |(at, _)| *at);
            warnings.extend(page.into_iter().map(|(_, warning)| warning));
            if is_last {
                break;
            }
        }
        let next = asked.warnings_ending(to, Millis(i64::MAX), 1)?;
        Ok(Ended {
            warnings,
            next: next.first().map(|(at, _)| *at),
        })
    };
    let nothing = || Ended {
        warnings: Vec::new(),
        next: None,
    };
    let ended = tokio::task::spawn_blocking(looked).await;
    let ended = ended.unwrap_or_else(|_| Ok(nothing()))?;
    *told_until = to;
    Ok(ended)
}

fn until(now: Millis, at: Millis) -> Duration {
    let millis = u64::try_from(at.0 - now.0).unwrap_or(0);
    Duration::from_millis(millis).clamp(SETTLE, LONGEST)
}

/// Fires what is due at `now`, and returns when the next is.
async fn fire(
    store: &Store,
    disk: &watch::Receiver<Disk>,
    now: Millis,
) -> Result<Option<Millis>, StoreError> {
    let asked = store.clone();
    let calls = tokio::task::spawn_blocking(move || asked.calls(CALLS)).await;
    let calls = calls.unwrap_or_else(|_| Ok(Vec::new()))?;
    for call in calls {
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
