//! What happens because its time has come: the next level is called when nobody answered a call.
//!
//! ```text
//! commit ──▶ the soonest answer_by of the store ──▶ wait for it by the wall clock ──▶ command ──▶ commit
//! ```
//! What it never does: fire twice. A command's id follows from what it is about and from the time that came, so that it
//! is recognized after a restart and after the clock was set back.

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
    loop {
        moved.mark_unchanged();
        let wait = match fire(&store, &disk, clock()).await {
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
