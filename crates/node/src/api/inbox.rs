//! Which warnings an account is told of, and up to where it has seen them.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use posko_domain::{
    account::{AccountCommand, AccountRejection, AccountState, Action, Seen},
    code::Refusal,
    warning::{
        feed::FeedState,
        standing,
        subscription::{Fit, Subscription},
    },
};
use posko_proto::{
    Id, NodeId,
    account::v1::WarningsSeen,
    common::v1::{CommandMeta, Outcome},
    time::Millis,
    warning::v1::{
        self as wire, GetWarningInboxRequest, GetWarningInboxResponse, InboxChange, InboxItem,
        ListSubscriptionsResponse, MarkWarningsSeenRequest, State, SubscribeWarningsRequest,
        SubscribeWarningsResponse, UnsubscribeWarningsRequest, WarningChange, WatchWarningsRequest,
        WatchWarningsResponse,
    },
};
use posko_store::{
    Command,
    view::warning::{Candidate, Found},
};
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status, metadata::MetadataMap};

use super::{Api, Asked, Framed, auth::CONSOLE, digest, id, outcome, page_size, position, refused};
use crate::time::now;

/// The longest mark, in bytes: some hundred logs.
const MARK_BYTES: usize = 16 * 1024;
/// The longest that a watch sleeps: the wall clock may have been set.
const LONGEST: Duration = Duration::from_mins(1);
/// How long a watch lets commits go by before it looks again.
const SETTLE: Duration = Duration::from_millis(200);

/// A warning that a subscription matches.
struct Told {
    found: Found,
    change: InboxChange,
    subscription: Id,
    fit: Fit,
}

impl Api {
    /// Returns the caller's account with its state as it stands now.
    async fn subscriber(&self, metadata: &MetadataMap) -> Result<(Id, AccountState), Status> {
        let caller = self.caller(metadata).await?;
        caller.may(Action::ReadRegion, None)?;
        let account = caller.account;
        if account == CONSOLE {
            return Err(Status::failed_precondition(
                "the console has no subscriptions: log in with an account",
            ));
        }
        let state = self.ask(move |store| store.account(account)).await?;
        let state = state.ok_or(AccountRejection::NotFound);
        Ok((account, state.map_err(|error| refused(&error.into()))?))
    }

    /// Executes a command of the caller on its own account.
    async fn on_own_account(
        &self,
        metadata: &MetadataMap,
        meta: Option<&CommandMeta>,
        digest: [u8; 32],
        command: AccountCommand,
    ) -> Result<Outcome, Status> {
        let caller = self.caller(metadata).await?;
        let actor = caller.may(Action::ReadRegion, None)?;
        let stream = caller.account;
        let accepted = self
            .execute(Asked {
                framed: Framed::parse(meta)?,
                digest,
                stream,
                authority: actor.into(),
                command: Command::Account(command),
                credential: None,
            })
            .await;
        self.0.callers.forget();
        Ok(outcome(self.own(), &accepted?))
    }

    /// Returns how far every log is here at a moment.
    fn seen_now(&self, until: Millis) -> Seen {
        let logs = self.0.store.logs();
        let logs = logs.iter().filter(|log| !log.end.is_start());
        Seen {
            positions: logs.map(|log| position(log.origin, log.end)).collect(),
            until,
        }
    }

    pub(super) async fn subscribe_account(
        &self,
        request: Request<SubscribeWarningsRequest>,
    ) -> Result<SubscribeWarningsResponse, Status> {
        let (metadata, _, request) = request.into_parts();
        self.subscriber(&metadata).await?;
        let asked = request.subscription.clone();
        let asked = asked.ok_or_else(|| {
            Status::invalid_argument("field `subscription` is missing: say what is asked for")
        })?;
        let framed = Framed::parse(request.meta.as_ref())?;
        let at = now();
        let baseline = self.seen_now(at);
        let command = AccountCommand::parse_subscribe(&asked, framed.command_id, at, baseline)
            .map_err(|error| refused(&Refusal::from(error)))?;
        let digest = digest("SubscribeWarnings", &request);
        let outcome = self
            .on_own_account(&metadata, request.meta.as_ref(), digest, command)
            .await?;
        Ok(SubscribeWarningsResponse {
            outcome: Some(outcome),
            subscription_id: posko_domain::context::stream_of(framed.command_id).to_vec(),
        })
    }

    pub(super) async fn unsubscribe(
        &self,
        request: Request<UnsubscribeWarningsRequest>,
    ) -> Result<Outcome, Status> {
        let (metadata, _, request) = request.into_parts();
        self.subscriber(&metadata).await?;
        let command = AccountCommand::Unsubscribe {
            id: id("subscription_id", &request.subscription_id)?,
        };
        let digest = digest("UnsubscribeWarnings", &request);
        self.on_own_account(&metadata, request.meta.as_ref(), digest, command)
            .await
    }

    pub(super) async fn subscriptions(
        &self,
        metadata: &MetadataMap,
    ) -> Result<ListSubscriptionsResponse, Status> {
        let (_, state) = self.subscriber(metadata).await?;
        Ok(ListSubscriptionsResponse {
            subscriptions: state.subscriptions.iter().map(shown).collect(),
            seen_at: state.seen.map(|seen| seen.until.into()),
        })
    }

    pub(super) async fn mark_seen(
        &self,
        request: Request<MarkWarningsSeenRequest>,
    ) -> Result<Outcome, Status> {
        let (metadata, _, request) = request.into_parts();
        self.subscriber(&metadata).await?;
        let command = AccountCommand::Seen(read_mark("mark", &request.mark)?);
        let digest = digest("MarkWarningsSeen", &request);
        self.on_own_account(&metadata, request.meta.as_ref(), digest, command)
            .await
    }

    pub(super) async fn inbox(
        &self,
        request: Request<GetWarningInboxRequest>,
    ) -> Result<GetWarningInboxResponse, Status> {
        let (metadata, _, request) = request.into_parts();
        let (_, state) = self.subscriber(&metadata).await?;
        let limit = page_size(request.page_size)?;
        let skip: usize = match request.page_token.as_str() {
            "" => 0,
            token => token
                .parse()
                .map_err(|_| Status::invalid_argument("field `page_token` is none of this list"))?,
        };
        let at = now();
        // Taken before the list is: what comes meanwhile is told next time.
        let mark = self.seen_now(at);
        let seen = state.seen.clone().unwrap_or(Seen {
            positions: Vec::new(),
            until: at,
        });
        let told = once(self.told(&state, &seen, at, true).await?, self.own());
        let more = told.len() > skip.saturating_add(limit);
        let items = told.iter().skip(skip).take(limit).map(|told| InboxItem {
            warning: Some(self.warning(&told.found)),
            change: told.change.into(),
            subscription_id: told.subscription.to_vec(),
            area_unknown: told.fit == Fit::UnknownArea,
        });
        Ok(GetWarningInboxResponse {
            items: items.collect(),
            next_page_token: if more {
                (skip + limit).to_string()
            } else {
                String::new()
            },
            mark: write_mark(&mark),
            origins: self.origins(),
            feeds: self.feeds(FeedState::is_alarm).await?,
        })
    }

    /// Returns what the account is told of since a mark, newest first. A subscription that was made since tells of what
    /// is in force too.
    async fn told(
        &self,
        state: &AccountState,
        seen: &Seen,
        at: Millis,
        in_force: bool,
    ) -> Result<Vec<Told>, Status> {
        if state.subscriptions.is_empty() {
            return Ok(Vec::new());
        }
        let since = seen.until;
        let fresh = |subscription: &Subscription| in_force && subscription.since >= since;
        let wants_in_force = state.subscriptions.iter().any(fresh);
        let positions = seen.positions.clone();
        let candidates = self
            .ask(move |store| store.warnings_since(&positions, since, at, wants_in_force))
            .await?;
        let told = candidates.into_iter().filter_map(|candidate| {
            let standing = standing(&candidate.found.state, at);
            let ended = standing == State::Expired && ended_since(&candidate, since);
            let changed = candidate.first.is_some() || ended;
            let matching = state.subscriptions.iter().find_map(|subscription| {
                let told = changed || (fresh(subscription) && standing == State::InForce);
                let origin = candidate.found.origin;
                let fit = subscription.fits(&candidate.found.state, origin.as_str())?;
                told.then_some((subscription.id, fit))
            });
            let (subscription, fit) = matching?;
            Some(Told {
                change: change(&candidate, standing),
                found: candidate.found,
                subscription,
                fit,
            })
        });
        Ok(told.collect())
    }

    /// Tells of each warning that changes, until the caller stops. Nothing is asked for again and again: a commit wakes
    /// it, or the end of a warning.
    pub(super) async fn watch(
        &self,
        request: Request<WatchWarningsRequest>,
    ) -> Result<ReceiverStream<Result<WatchWarningsResponse, Status>>, Status> {
        let (metadata, _, request) = request.into_parts();
        let (account, _) = self.subscriber(&metadata).await?;
        let mut seen = match request.since.as_str() {
            "" => self.seen_now(now()),
            mark => read_mark("since", mark)?,
        };
        let (changes, receiver) = mpsc::channel(1);
        let (api, mut moved) = (self.clone(), self.0.moved.clone());
        moved.mark_changed();
        tokio::spawn(async move {
            loop {
                let woken = tokio::select! {
                    () = changes.closed() => return,
                    moved = moved.changed() => moved.is_ok(),
                    () = tokio::time::sleep(api.until_next_end(seen.until).await) => true,
                };
                if !woken {
                    return;
                }
                tokio::time::sleep(SETTLE).await;
                moved.mark_unchanged();
                let answer = api.changes_since(account, &mut seen).await;
                let ends = answer.is_err();
                let said = match answer {
                    Ok(answer) if answer.changes.is_empty() => continue,
                    answer => answer,
                };
                if changes.send(said).await.is_err() || ends {
                    return;
                }
            }
        });
        Ok(ReceiverStream::new(receiver))
    }

    /// Returns what changed since the mark, and moves the mark.
    async fn changes_since(
        &self,
        account: Id,
        seen: &mut Seen,
    ) -> Result<WatchWarningsResponse, Status> {
        let state = self.ask(move |store| store.account(account)).await?;
        let state = state.filter(|state| !state.disabled);
        let state = state.ok_or_else(|| Status::permission_denied("the account is disabled"))?;
        let at = now();
        let next = self.seen_now(at);
        let told = self.told(&state, seen, at, false).await?;
        *seen = next;
        let changes = told.iter().map(|told| WarningChange {
            origin: told.found.origin.to_string(),
            warning_id: told.found.id.to_vec(),
            version: told.found.state.version,
            change: told.change.into(),
        });
        Ok(WatchWarningsResponse {
            changes: changes.collect(),
            mark: write_mark(seen),
        })
    }

    async fn until_next_end(&self, after: Millis) -> Duration {
        let next = self.ask(move |store| store.next_warning_end(after)).await;
        let next = next.ok().flatten();
        let wait = next.map_or(i64::MAX, |at| at.0.saturating_sub(now().0));
        Duration::from_millis(u64::try_from(wait).unwrap_or(0)).clamp(SETTLE, LONGEST)
    }
}

fn ended_since(candidate: &Candidate, since: Millis) -> bool {
    posko_domain::warning::ends_at(&candidate.found.state) > since
}

/// Keeps of a warning that several nodes took in one: that of a node that still holds it in force, then this node's own.
fn once(mut told: Vec<Told>, own: NodeId) -> Vec<Told> {
    let rank = |told: &Told| {
        let origin = told.found.origin;
        let is_over = matches!(
            told.change,
            InboxChange::Cancelled | InboxChange::Expired | InboxChange::Replaced
        );
        (is_over, origin != own, origin)
    };
    let mut kept = BTreeMap::new();
    for one in &told {
        let kept = kept.entry(one.found.id).or_insert_with(|| rank(one));
        *kept = rank(one).min(*kept);
    }
    told.retain(|one| kept.get(&one.found.id) == Some(&rank(one)));
    told
}

fn change(candidate: &Candidate, standing: State) -> InboxChange {
    match (standing, candidate.first) {
        (State::Cancelled, _) => InboxChange::Cancelled,
        (State::Replaced, _) => InboxChange::Replaced,
        (State::Expired, _) => InboxChange::Expired,
        (_, Some(1) | None) => InboxChange::New,
        (_, Some(_)) => InboxChange::Updated,
    }
}

fn shown(subscription: &Subscription) -> wire::Subscription {
    wire::Subscription {
        subscription_id: subscription.id.to_vec(),
        region: subscription.region.clone(),
        hazard: subscription.hazard.into(),
        severity: subscription.severity.into(),
        exercises: subscription.exercises,
        subscribed_at: Some(subscription.since.into()),
    }
}

/// Returns a mark as programs give it back.
fn write_mark(seen: &Seen) -> String {
    let seen = WarningsSeen {
        seen: seen.positions.clone(),
        until: Some(seen.until.into()),
    };
    URL_SAFE_NO_PAD.encode(seen.encode_to_vec())
}

fn read_mark(field: &str, mark: &str) -> Result<Seen, Status> {
    let refuse =
        || Status::invalid_argument(format!("field `{field}` is no mark that an inbox gave"));
    if mark.len() > MARK_BYTES {
        return Err(refuse());
    }
    let bytes = URL_SAFE_NO_PAD.decode(mark).map_err(|_| refuse())?;
    let seen = WarningsSeen::decode(bytes.as_slice()).map_err(|_| refuse())?;
    let until = seen.until.as_ref().ok_or_else(refuse)?;
    let until = Millis::try_from(until).map_err(|_| refuse())?;
    // A mark that lies ahead would keep warnings from its account.
    Ok(Seen {
        positions: seen.seen,
        until: until.min(now()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_back_as_it_was_and_anything_else_is_refused() {
        let seen = Seen {
            positions: Vec::new(),
            until: Millis(1_000),
        };
        assert_eq!(read_mark("mark", &write_mark(&seen)).unwrap(), seen);
        for mark in ["", "x", "!!!!", &"A".repeat(MARK_BYTES + 1)] {
            assert!(read_mark("mark", mark).is_err(), "{mark:.9}");
        }
    }

    #[test]
    fn a_mark_that_lies_ahead_is_taken_as_now() {
        let seen = Seen {
            positions: Vec::new(),
            until: now().plus_seconds(3600),
        };
        assert!(read_mark("mark", &write_mark(&seen)).unwrap().until <= now());
    }
}
