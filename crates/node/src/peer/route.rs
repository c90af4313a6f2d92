//! Through whom each log comes: what the sessions hear goes to the sources' machine, and its choices come back to them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use posko_ledger::{
    engine::{
        Now, Reach, rank,
        source::{Sources, Why},
    },
    entry::Payload,
    epoch::Epoch,
    head::SignedHead,
};
use posko_proto::NodeId;
use posko_store::Standing;
use tokio::time::Instant;
use tracing::{debug, error, info, warn};

use super::Shared;
use crate::time::now;

/// How often the sources are looked at, beside whenever a session opens or ends.
const LOOK: Duration = Duration::from_millis(500);
/// How long after the last payload that was filled in the views are built anew.
const REFOLD_AFTER: Duration = Duration::from_secs(2);

/// Looks at the sources until the node stops.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut stop = shared.stop.subscribe();
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                if shared.disk.borrow().no_entries().is_some() {
                    shared.sources().paused(shared.now());
                }
                shared.choose();
                shared.refold();
                shared.expire_mail();
            }
            // A registry that is gone stops too.
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

impl Shared {
    pub(super) fn sources(&self) -> MutexGuard<'_, Sources> {
        lock(&self.sources)
    }

    pub(super) fn now(&self) -> Now {
        Now {
            mono_ms: self.mono_ms(),
            wall_ms: now().0,
        }
    }

    /// Chooses through whom each accepted peer's log comes, and wakes the sessions when that has changed.
    pub(super) fn choose(&self) {
        if *self.stop.borrow() {
            return;
        }
        let trust = self.trust.load();
        let logs: BTreeMap<NodeId, (Reach, Reach)> = (self.store.logs().iter())
            .filter(|log| log.origin != self.own.origin && trust.card(log.origin).is_some())
            .map(|log| {
                let known = log.best.map(|head| head.head.position);
                (
                    log.origin,
                    (log.end.into(), known.unwrap_or(log.end).into()),
                )
            })
            .collect();
        let mut sources = self.sources();
        let now = self.now();
        sources.logs(now, &logs);
        let changed = sources.choose(now);
        for origin in &changed {
            match sources.source(*origin) {
                Some(source) if source.why == Why::Direct => {
                    info!(log.origin = %origin, "log `{origin}` comes from `{origin}` itself");
                }
                Some(source) => {
                    let (peer, why) = (source.peer, reason(source.why));
                    warn!(log.origin = %origin, peer.id = %peer, "log `{origin}` comes through `{peer}`: `{origin}` {why}");
                }
                None => {
                    warn!(log.origin = %origin, "log `{origin}` comes from nobody: nobody who is connected holds it");
                }
            }
        }
        drop(sources);
        if !changed.is_empty() {
            self.routes.send_modify(|count| *count += 1);
        }
    }

    /// Takes a head that a session heard. One of an origin whose card is not accepted, or that no known key signed, says
    /// nothing.
    pub(super) fn heard(
        self: &Arc<Self>,
        peer: NodeId,
        head: &SignedHead,
        verified: bool,
        alive: bool,
    ) {
        let origin = head.head.origin;
        // What is told of the own log is a claim, and no news.
        if origin == self.own.origin {
            return;
        }
        let Some(log) = self.store.log(origin) else {
            return;
        };
        if self.trust.load().card(origin).is_none() {
            return;
        }
        self.doubt(head, &log);
        let known = log.best;
        let rises = known.is_none_or(|known| rank(head) > rank(&known));
        // What is no news needs no signature checked: it is the one that was checked before, or older.
        let same = known.as_ref() == Some(head);
        let verified = verified || same || (rises && self.signed_by_origin(head));
        if verified && alive && (rises || same || peer == origin) {
            self.store.note_head(*head, now());
        }
        let reach = head.head.position.into();
        let waits = {
            let mut sources = self.sources();
            sources.told(self.now(), peer, origin, reach, verified);
            let source = sources.source(origin);
            source.is_none_or(|source| peer == origin && source.peer != origin)
        };
        if waits {
            self.choose();
        }
    }

    /// Tells why nothing is written any more, once the store has found that.
    pub(super) fn stop_writing(&self) {
        let Standing::Fenced { why, .. } = self.store.standing() else {
            return;
        };
        let mut not_writing = (self.not_writing.write()).unwrap_or_else(PoisonError::into_inner);
        if *not_writing != why {
            error!("nothing is written any more until the next start: {why}");
            *not_writing = why;
        }
    }

    /// Stores payloads that came, and returns how many; the views follow soon.
    pub(super) fn fill(
        &self,
        peer: NodeId,
        origin: NodeId,
        epoch: Epoch,
        payloads: Vec<(u64, Payload)>,
    ) -> u64 {
        let asked = payloads.len();
        if asked == 0 {
            return 0;
        }
        match self.store.fill(peer, origin, epoch, payloads) {
            Ok(0) => 0,
            Ok(filled) => {
                info!(log.origin = %origin, "filled in {filled} of {asked} payloads of `{origin}`");
                *lock(&self.filled) = Some(Instant::now());
                filled
            }
            Err(cause) => {
                error!(log.origin = %origin, %cause, "payloads of `{origin}` could not be stored");
                0
            }
        }
    }

    /// Builds the views anew once no more payloads come.
    fn refold(&self) {
        let quiet = |at: &mut Instant| at.elapsed() >= REFOLD_AFTER;
        if lock(&self.filled).take_if(quiet).is_none() {
            return;
        }
        let filled = self.filled.clone();
        self.store.rebuild_views(Box::new(move |step| match step {
            Ok(progress) if progress.swapped => {
                info!("the views show the payloads that were filled in");
            }
            Ok(_) => {}
            // Another rebuild may be under way, which began before.
            Err(cause) => {
                debug!(%cause, "the views are built anew later: {cause}");
                *lock(&filled) = Some(Instant::now());
            }
        }));
    }

    pub(super) fn signed_by_origin(&self, head: &SignedHead) -> bool {
        let key = (self.store.chain(head.head.origin)).and_then(|chain| chain.log_key());
        key.is_some_and(|key| head.verify(key))
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn reason(why: Why) -> &'static str {
    match why {
        Why::Direct => "gives it",
        Why::NotConnected => "is not connected",
        Why::Stalled => "does not keep up",
        Why::Behind => "holds less of it than is here",
    }
}
