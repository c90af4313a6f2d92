//! What headquarters' IMS reads: the changes of every log, and a snapshot to begin with.
//!
//! ```text
//! commit ──▶ on_move ──▶ subscription: a page of each log after its cursor ──▶ 16 messages ──▶ client
//! ```
//! A subscription holds one page and a few messages, however slow its client is; a page is read in a transaction of its
//! own, and nothing is read while nothing moved. What it never does: give a payload that is not REGIONAL.

mod cursor;

use std::{collections::BTreeSet, time::Duration};

use posko_domain::{
    account::Action,
    event::{
        self, AccountEvent, DirectiveEvent, Event, FeedEvent, IncidentEvent, KINDS, LogEvent,
        SiteEvent, WarningEvent,
    },
};
use posko_ledger::{
    entry::{Class, EXERCISE, EntryHeader, Payload, Record, chain_hash},
    epoch::Position,
};
use posko_proto::{
    NodeId,
    common::v1::Envelope,
    ims::v1::{
        Area, Change, Filter, Heartbeat, Presence, SnapshotEnd, SnapshotRequest, SnapshotResponse,
        SubscribeRequest, SubscribeResponse, Turn, change,
        change_feed_service_server::ChangeFeedService, snapshot_response, subscribe_response,
    },
    time::Millis,
};
use posko_store::{Page, PageError, view::snapshot::Thing};
use prost::Message as _;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, codegen::BoxStream, metadata::MetadataMap};

use self::cursor::Cursor;
use super::{Api, internal, invalid, position, stored};
use crate::time::now;

/// How often a sign of life is sent.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How many entries of a log are read at once.
const PAGE_ENTRIES: usize = 64;
/// How many bytes of a log are read at once, if more than one entry fits.
const PAGE_BYTES: usize = 256 * 1024;
/// How many messages wait for a slow client.
const WAITING: usize = 16;
/// How many things of a snapshot are read at once.
const PAGE_THINGS: usize = 64;

/// What a client wants of the region.
#[derive(Debug, Clone)]
struct Wanted {
    /// These logs; all when empty.
    origins: BTreeSet<NodeId>,
    /// These areas; all when none, also of events that are not known yet.
    areas: Option<Vec<event::Area>>,
}

impl Wanted {
    fn parse(filter: Option<&Filter>) -> Result<Self, Status> {
        let Some(filter) = filter else {
            return Ok(Self {
                origins: BTreeSet::new(),
                areas: None,
            });
        };
        let origin = |name: &String| {
            name.parse()
                .map_err(|error| invalid("filter.origins", &error))
        };
        let area = |number: &i32| match Area::try_from(*number) {
            Ok(Area::Warning) => Ok(event::Area::Warning),
            Ok(Area::Incident) => Ok(event::Area::Incident),
            Ok(Area::Directive) => Ok(event::Area::Directive),
            Ok(Area::Log) => Ok(event::Area::Log),
            Ok(Area::Site) => Ok(event::Area::Site),
            Ok(Area::Feed) => Ok(event::Area::Feed),
            Ok(Area::Unspecified) | Err(_) => {
                let reason = format!("`{number}` is no area that is known here");
                Err(invalid("filter.areas", &reason))
            }
        };
        let areas: Vec<_> = filter.areas.iter().map(area).collect::<Result<_, _>>()?;
        Ok(Self {
            origins: filter
                .origins
                .iter()
                .map(origin)
                .collect::<Result<_, _>>()?,
            areas: (!areas.is_empty()).then_some(areas),
        })
    }

    fn takes_log(&self, origin: NodeId) -> bool {
        self.origins.is_empty() || self.origins.contains(&origin)
    }

    fn takes_area(&self, area: Option<event::Area>) -> bool {
        match &self.areas {
            None => area != Some(event::Area::Account),
            Some(areas) => area.is_some_and(|area| areas.contains(&area)),
        }
    }
}

/// Somebody who follows the changes.
struct Subscription {
    api: Api,
    /// Who asked, to look again whether they still may.
    metadata: MetadataMap,
    wanted: Wanted,
    cursor: Cursor,
    client: mpsc::Sender<Result<SubscribeResponse, Status>>,
}

/// Why a subscription ends.
enum Ended {
    /// The client went away.
    Left,
    /// It cannot go on, and the client is told why.
    Refused(Status),
}

impl From<Status> for Ended {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

impl Subscription {
    /// Sends what there is and what comes, until the client leaves or may not follow any more.
    async fn run(mut self) {
        if let Err(Ended::Refused(status)) = self.follow().await {
            // A client that has left meanwhile needs no reason.
            let _ = self.client.send(Err(status)).await;
        }
    }

    async fn follow(&mut self) -> Result<(), Ended> {
        let mut moved = self.api.0.moved.clone();
        let mut next_beat = Instant::now();
        loop {
            moved.mark_unchanged();
            if Instant::now() >= next_beat {
                self.api
                    .authorized(&self.metadata, Action::FollowChanges, None)
                    .await?;
                self.beat().await?;
                next_beat = Instant::now() + HEARTBEAT;
            }
            if self.advance().await? {
                continue;
            }
            tokio::select! {
                more = moved.changed() => if more.is_err() {
                    return Err(Status::unavailable("the node stops").into());
                },
                () = sleep_until(next_beat) => {}
                () = self.client.closed() => return Err(Ended::Left),
            }
        }
    }

    async fn beat(&self) -> Result<(), Ended> {
        let heartbeat = Heartbeat {
            at: Some(now().into()),
            origins: self.api.origins(),
        };
        self.send(subscribe_response::Message::Heartbeat(heartbeat))
            .await
    }

    /// Sends a page of each log that has more, and says whether any had.
    async fn advance(&mut self) -> Result<bool, Ended> {
        let mut advanced = false;
        for log in self.api.0.store.logs() {
            let after = self.cursor.of(log.origin);
            if after == log.end || !self.wanted.takes_log(log.origin) {
                continue;
            }
            let page = match self.api.regional_page(log.origin, after).await? {
                Paged::Page(page) => page,
                Paged::Turned(at) => {
                    self.cursor.set(log.origin, at);
                    let position = Some(position(log.origin, at));
                    self.send(subscribe_response::Message::Turn(Turn { position }))
                        .await?;
                    advanced = true;
                    continue;
                }
            };
            advanced |= !page.records.is_empty() || !page.opens.is_empty();
            let mut at = page.prev;
            self.cursor.set(log.origin, at);
            for record in &page.records {
                let header =
                    EntryHeader::decode(&record.header).map_err(|error| internal(&error))?;
                at = Position {
                    epoch: at.epoch,
                    seq: header.seq,
                    hash: chain_hash(&at.hash, &record.header),
                };
                self.cursor.set(log.origin, at);
                if let Some(change) = change(log.origin, at, &header, record, &self.wanted) {
                    self.send(subscribe_response::Message::Change(change))
                        .await?;
                }
            }
        }
        Ok(advanced)
    }

    async fn send(&self, message: subscribe_response::Message) -> Result<(), Ended> {
        let response = SubscribeResponse {
            cursor: self.cursor.encode(),
            message: Some(message),
        };
        let sent = self.client.send(Ok(response)).await;
        sent.map_err(|_| Ended::Left)
    }
}

/// What follows a position of a log.
enum Paged {
    /// These entries, or none yet.
    Page(Box<Page>),
    /// Nothing: the log goes on from this earlier position.
    Turned(Position),
}

impl Api {
    /// Returns what follows a position of a log, with REGIONAL payloads only.
    async fn regional_page(&self, origin: NodeId, after: Position) -> Result<Paged, Status> {
        let store = self.0.store.clone();
        let paged = tokio::task::spawn_blocking(move || {
            let classes = Class::Regional.bit();
            match store.page(origin, after, PAGE_ENTRIES, PAGE_BYTES, classes) {
                Ok(page) => Ok(Paged::Page(Box::new(page))),
                Err(PageError::Store(error)) => Err(stored(&error)),
                Err(PageError::NoSuchOrigin | PageError::UnknownEpoch | PageError::Diverged) => {
                    let rejoined = store.rejoin(origin, after);
                    let rejoined = rejoined.map_err(|error| stored(&error))?;
                    // A turn always goes back, so that no log turns for ever.
                    let earlier = rejoined.filter(|at| *at != after);
                    earlier.map(Paged::Turned).ok_or_else(|| {
                        Status::failed_precondition(format!(
                            "log `{origin}` does not go on from {after} here: take a new snapshot"
                        ))
                    })
                }
            }
        });
        paged.await.map_err(|error| internal(&error))?
    }

    /// Returns where every wanted log ends now.
    fn ends(&self, wanted: &Wanted) -> Cursor {
        let mut cursor = Cursor::start(self.0.store.identity().federation);
        for log in self.0.store.logs() {
            if wanted.takes_log(log.origin) {
                cursor.set(log.origin, log.end);
            }
        }
        cursor
    }

    /// Sends every wanted thing in order of its key, then the end.
    async fn send_snapshot(
        &self,
        wanted: Wanted,
        client: &mpsc::Sender<Result<SnapshotResponse, Status>>,
    ) -> Result<(), Ended> {
        // Positions first, things after: what changes in between is in the feed, and may be in the thing as well.
        let at = now();
        let cursor = self.ends(&wanted);
        let all = [
            event::Area::Warning,
            event::Area::Incident,
            event::Area::Directive,
            event::Area::Site,
            event::Area::Feed,
        ];
        let areas = wanted.areas.clone().unwrap_or_else(|| all.to_vec());
        let mut after = None;
        loop {
            let areas = areas.clone();
            let things = self
                .ask(move |store| store.things(&areas, after, PAGE_THINGS))
                .await?;
            let Some(last) = things.last() else { break };
            after = Some(last.key());
            for thing in things {
                if wanted.takes_log(thing.key().0) {
                    send_item(client, self.item(&thing)).await?;
                }
            }
        }
        let end = SnapshotEnd {
            cursor: cursor.encode(),
            at: Some(at.into()),
        };
        send_item(client, snapshot_response::Item::End(end)).await
    }

    fn item(&self, thing: &Thing) -> snapshot_response::Item {
        match thing {
            Thing::Warning(found) => snapshot_response::Item::Warning(self.warning(found)),
            Thing::Incident(found) => snapshot_response::Item::Incident(self.incident(found)),
            Thing::Directive(found) => snapshot_response::Item::Directive(self.directive(found)),
            Thing::Site(found) => snapshot_response::Item::Site(self.site(found)),
            Thing::Feed(found) => snapshot_response::Item::Feed(self.feed(found)),
        }
    }
}

async fn send_item(
    client: &mpsc::Sender<Result<SnapshotResponse, Status>>,
    item: snapshot_response::Item,
) -> Result<(), Ended> {
    let response = SnapshotResponse { item: Some(item) };
    client.send(Ok(response)).await.map_err(|_| Ended::Left)
}

#[tonic::async_trait]
impl ChangeFeedService for Api {
    type SubscribeStream = BoxStream<SubscribeResponse>;
    type SnapshotStream = BoxStream<SnapshotResponse>;

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<BoxStream<SubscribeResponse>>, Status> {
        self.authorized(request.metadata(), Action::FollowChanges, None)
            .await?;
        let metadata = request.metadata().clone();
        let request = request.into_inner();
        let wanted = Wanted::parse(request.filter.as_ref())?;
        let federation = self.0.store.identity().federation;
        let cursor = Cursor::decode(&request.cursor, federation)?;
        let checked = cursor.clone();
        let store = self.0.store.clone();
        let check = tokio::task::spawn_blocking(move || checked.check(&store));
        check.await.map_err(|error| internal(&error))??;
        let (client, messages) = mpsc::channel(WAITING);
        let subscription = Subscription {
            api: self.clone(),
            metadata,
            wanted,
            cursor,
            client,
        };
        tokio::spawn(subscription.run());
        Ok(Response::new(Box::pin(ReceiverStream::new(messages))))
    }

    async fn snapshot(
        &self,
        request: Request<SnapshotRequest>,
    ) -> Result<Response<BoxStream<SnapshotResponse>>, Status> {
        self.authorized(request.metadata(), Action::FollowChanges, None)
            .await?;
        let wanted = Wanted::parse(request.into_inner().filter.as_ref())?;
        let (client, messages) = mpsc::channel(WAITING);
        let api = self.clone();
        tokio::spawn(async move {
            if let Err(Ended::Refused(status)) = api.send_snapshot(wanted, &client).await {
                // A client that has left meanwhile needs no reason.
                let _ = client.send(Err(status)).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(messages))))
    }
}

/// Returns an entry as a change, unless headquarters may not have it or the client does not want it.
fn change(
    origin: NodeId,
    at: Position,
    header: &EntryHeader,
    record: &Record,
    wanted: &Wanted,
) -> Option<Change> {
    let known = KINDS.iter().find(|kind| kind.type_id == header.type_id);
    if header.class != Class::Regional || !wanted.takes_area(known.map(|kind| kind.area)) {
        return None;
    }
    let area = match known.map(|kind| kind.area) {
        Some(event::Area::Warning) => Area::Warning,
        Some(event::Area::Incident) => Area::Incident,
        Some(event::Area::Directive) => Area::Directive,
        Some(event::Area::Log) => Area::Log,
        Some(event::Area::Site) => Area::Site,
        Some(event::Area::Feed) => Area::Feed,
        Some(event::Area::Account | event::Area::Draft) | None => Area::Unspecified,
    };
    let (presence, envelope) = match &record.payload {
        Payload::Present { body, .. } => match Envelope::decode(body.as_slice()) {
            Ok(envelope) => (Presence::Present, Some(envelope)),
            Err(_) => (Presence::Unreadable, None),
        },
        Payload::Withheld => (Presence::Missing, None),
        Payload::Withdrawn => (Presence::Withdrawn, None),
        Payload::Erased => (Presence::Erased, None),
    };
    let decoded = envelope.as_ref().map(|envelope| {
        Event::decode(
            header.type_id,
            header.type_version,
            envelope.event.as_slice(),
        )
    });
    let (presence, event) = match decoded {
        Some(Ok(event)) => (presence, typed(event)),
        Some(Err(event::DecodeError::Malformed { .. })) => (Presence::Unreadable, None),
        Some(Err(event::DecodeError::Unknown { .. })) | None => (presence, None),
    };
    Some(Change {
        event_id: header.event_id.to_vec(),
        position: Some(position(origin, at)),
        area: area.into(),
        type_id: header.type_id,
        type_version: header.type_version.into(),
        r#type: known.map_or_else(String::new, |kind| kind.name.into()),
        stream_id: header.stream_id.to_vec(),
        stream_version: header.stream_version,
        exercise: header.flags & EXERCISE != 0,
        recorded_at: Some(Millis(header.wall_ms.cast_signed()).into()),
        occurred_at: envelope.and_then(|envelope| envelope.occurred_at),
        presence: presence.into(),
        event,
    })
}

/// Returns the event as the feed carries it; accounts and drafts are no business of headquarters.
fn typed(event: Event) -> Option<change::Event> {
    use change::Event as Typed;
    Some(match event {
        Event::Warning(event) => match event {
            WarningEvent::Issued(event) => Typed::WarningIssued(event),
            WarningEvent::Updated(event) => Typed::WarningUpdated(event),
            WarningEvent::Cancelled(event) => Typed::WarningCancelled(event),
            WarningEvent::Replaced(event) => Typed::WarningReplaced(event),
            WarningEvent::Noted(event) => Typed::WarningNoted(event),
            WarningEvent::Verified(event) => Typed::WarningVerified(event),
            WarningEvent::Dismissed(event) => Typed::WarningDismissed(event),
        },
        Event::Incident(event) => match event {
            IncidentEvent::Reported(event) => Typed::IncidentReported(event),
            IncidentEvent::Verified(event) => Typed::IncidentVerified(event),
            IncidentEvent::Rejected(event) => Typed::IncidentRejected(event),
            IncidentEvent::Activated(event) => Typed::IncidentActivated(event),
            IncidentEvent::ImpactRecorded(event) => Typed::ImpactRecorded(event),
            IncidentEvent::Imported(event) => Typed::IncidentImported(*event),
            IncidentEvent::OperationEnded(event) => Typed::IncidentOperationEnded(event),
            IncidentEvent::Closed(event) => Typed::IncidentClosed(event),
            IncidentEvent::Noted(event) => Typed::IncidentNoted(event),
            IncidentEvent::SeverityJudged(event) => Typed::IncidentSeverityJudged(event),
            IncidentEvent::ScaleSet(event) => Typed::IncidentScaleSet(event),
            IncidentEvent::StepTaken(event) => Typed::IncidentStepTaken(event),
            IncidentEvent::TransitionBegun(event) => Typed::IncidentTransitionBegun(event),
            IncidentEvent::Cancelled(event) => Typed::IncidentCancelled(event),
            IncidentEvent::Reopened(event) => Typed::IncidentReopened(event),
            IncidentEvent::GlideAssigned(event) => Typed::IncidentGlideAssigned(event),
            IncidentEvent::Related(event) => Typed::IncidentRelated(event),
            IncidentEvent::Unrelated(event) => Typed::IncidentUnrelated(event),
            IncidentEvent::PostFilled(event) => Typed::IncidentPostFilled(event),
            IncidentEvent::PostVacated(event) => Typed::IncidentPostVacated(event),
            IncidentEvent::Escalated(event) => Typed::IncidentEscalated(event),
            IncidentEvent::EscalationAnswered(event) => Typed::IncidentEscalationAnswered(event),
            IncidentEvent::PeriodPlanned(event) => Typed::IncidentPeriodPlanned(event),
            IncidentEvent::PlanApproved(event) => Typed::IncidentPlanApproved(event),
            IncidentEvent::ObjectiveSet(event) => Typed::IncidentObjectiveSet(event),
            IncidentEvent::ObjectiveSettled(event) => Typed::IncidentObjectiveSettled(event),
            IncidentEvent::Attached(event) => Typed::IncidentAttached(event),
            IncidentEvent::NeedSet(event) => Typed::IncidentNeedSet(event),
            IncidentEvent::NeedMet(event) => Typed::IncidentNeedMet(event),
            IncidentEvent::NeedSettled(event) => Typed::IncidentNeedSettled(event),
            IncidentEvent::EmergencyDeclared(event) => Typed::IncidentEmergencyDeclared(event),
            IncidentEvent::EmergencyEnded(event) => Typed::IncidentEmergencyEnded(event),
            IncidentEvent::Assessed(event) => Typed::IncidentAssessed(event),
        },
        Event::Site(event) => match event {
            SiteEvent::Opened(event) => Typed::SiteOpened(event),
            SiteEvent::CapacitySet(event) => Typed::SiteCapacitySet(event),
            SiteEvent::OccupancyCounted(event) => Typed::SiteOccupancyCounted(event),
            SiteEvent::OutputReported(event) => Typed::SiteOutputReported(event),
            SiteEvent::NeedSet(event) => Typed::SiteNeedSet(event),
            SiteEvent::NeedMet(event) => Typed::SiteNeedMet(event),
            SiteEvent::Closed(event) => Typed::SiteClosed(event),
        },
        Event::Directive(event) => match event {
            DirectiveEvent::Issued(event) => Typed::DirectiveIssued(event),
            DirectiveEvent::Withdrawn(event) => Typed::DirectiveWithdrawn(event),
        },
        Event::Log(event) => match event {
            LogEvent::Disowned(event) => Typed::Disowned(event),
            LogEvent::PayloadLost(event) => Typed::PayloadLost(event),
            LogEvent::PayloadWithdrawn(event) => Typed::PayloadWithdrawn(event),
        },
        Event::Account(event) => match event {
            AccountEvent::Created(_)
            | AccountEvent::RoleGranted(_)
            | AccountEvent::RoleRevoked(_)
            | AccountEvent::PasswordChanged(_)
            | AccountEvent::Disabled(_)
            | AccountEvent::RiskAccepted(_)
            | AccountEvent::WarningsSubscribed(_)
            | AccountEvent::WarningsUnsubscribed(_)
            | AccountEvent::WarningsSeen(_) => return None,
        },
        Event::Feed(event) => match event {
            FeedEvent::HealthChanged(event) => Typed::FeedHealthChanged(event),
            FeedEvent::Retired(event) => Typed::FeedRetired(event),
        },
        Event::Draft(_) => return None,
    })
}

#[cfg(test)]
pub(super) mod tests;
