use std::{fs, path::Path, sync::Arc};

use posko_domain::warning::{WarningCommand, stream_of};
use posko_ledger::{Hash, MAX_GROUP_BYTES, chain::Identity, epoch::Position, key::SecretKey};
use posko_proto::{
    Id,
    account::v1::{
        AddAccountRequest, Grant, LoginRequest, RevokeSessionRequest,
        account_service_server::AccountService,
    },
    common::v1::{CommandMeta, Hazard, Role},
    ims::v1::{Area, Filter, SnapshotRequest, SubscribeRequest},
    warning::v1::{AlertStatus, Content, Source},
};
use posko_store::{Actor, ApplyError, Command, Options, Start, Store};
use tokio::sync::watch;
use tokio_stream::StreamExt;
use tonic::Code;

use super::*;
use crate::{
    api::{execute, node::tests::api_of},
    peer::tests::{FEDERATION, Node},
};

pub(in crate::api) use crate::api::node::tests::asked_by as asked;

pub(in crate::api) async fn started() -> (Node, Api) {
    let mut node = Node::new("32", FEDERATION).await;
    node.start();
    let (count, moved) = watch::channel(0);
    node.store.on_move(Box::new(move |_| {
        count.send_modify(|commits| *commits += 1);
    }));
    let api = api_of(&node, moved);
    (node, api)
}

/// Makes an account that follows, and returns its token.
async fn follower(api: &Api) -> String {
    let password = "kata sandi yang panjang";
    let request = AddAccountRequest {
        meta: Some(CommandMeta {
            command_id: vec![1; 16],
            ..CommandMeta::default()
        }),
        login: "ims-pusat".into(),
        password: password.into(),
        grants: vec![Grant {
            role: Role::Ims.into(),
            ..Grant::default()
        }],
    };
    api.add_account(asked(request, "console")).await.unwrap();
    let login = LoginRequest {
        login: "ims-pusat".into(),
        password: password.into(),
    };
    api.login(Request::new(login))
        .await
        .unwrap()
        .into_inner()
        .token
}

/// Records a warning, and returns its event's id.
async fn warn(api: &Api, number: u8) -> Vec<u8> {
    warn_in(&api.0.store, number).await
}

async fn warn_in(store: &Store, number: u8) -> Vec<u8> {
    let content = Content {
        status: AlertStatus::Actual.into(),
        hazard: Hazard::ExtremeRain.into(),
        sent_at: Some(now().into()),
        headline: format!("Hujan lebat {number}"),
        ..Content::default()
    };
    let identifier = number.to_string();
    let command = WarningCommand::take(Source::BmkgNowcast, "BMKG", &identifier, content).unwrap();
    let request = posko_store::Request {
        command_id: Id([100 + number; 16]),
        digest: [1; 32],
        authority: Actor {
            account: Id([9; 16]),
            role: Role::Feed,
            ..Actor::default()
        }
        .into(),
        stream: stream_of(Source::BmkgNowcast, &identifier),
        expected_version: 0,
        now: now(),
        occurred_at: now(),
        exercise: false,
        cause: None,
        seed: [3; 32],
        credential: None,
        command: Command::Warning(command),
    };
    let accepted = execute(store, request).await.unwrap();
    accepted.event_ids[0].to_vec()
}

/// What a subscription has brought: the changes with the cursor after each.
struct Followed(BoxStream<SubscribeResponse>);

impl Followed {
    async fn from(api: &Api, token: &str, cursor: &[u8], filter: Option<Filter>) -> Self {
        let request = SubscribeRequest {
            cursor: cursor.to_vec(),
            filter,
        };
        let stream = api.subscribe(asked(request, token)).await.unwrap();
        Self(stream.into_inner())
    }

    async fn next(&mut self) -> (Change, Vec<u8>) {
        loop {
            let response = self.0.next().await.unwrap().unwrap();
            if let Some(subscribe_response::Message::Change(change)) = response.message {
                return (change, response.cursor);
            }
        }
    }

    async fn take(&mut self, count: usize) -> Vec<Vec<u8>> {
        let mut ids = Vec::new();
        while ids.len() < count {
            ids.push(self.next().await.0.event_id);
        }
        ids
    }
}

async fn refused(api: &Api, token: &str, cursor: Vec<u8>) -> Status {
    let request = SubscribeRequest {
        cursor,
        filter: None,
    };
    api.subscribe(asked(request, token)).await.err().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_brings_every_event_in_order_and_goes_on_from_any_cursor() {
    let (mut node, api) = started().await;
    let token = follower(&api).await;
    let mut written = Vec::new();
    for number in 0..3 {
        written.push(warn(&api, number).await);
    }
    let mut first = Followed::from(&api, &token, &[], None).await;
    // The accounts' events stand in the same log, and are none of headquarters' business.
    let (change, after_one) = first.next().await;
    assert_eq!(change.event_id, written[0]);
    assert_eq!(
        (change.r#type.as_str(), change.presence()),
        ("WarningIssued", Presence::Present)
    );
    let Some(change::Event::WarningIssued(issued)) = change.event else {
        panic!("{change:?}")
    };
    assert_eq!(issued.content.unwrap().headline, "Hujan lebat 0");
    assert_eq!(first.take(2).await, written[1..3]);

    // What is written while it waits wakes it.
    written.push(warn(&api, 3).await);
    assert_eq!(first.take(1).await, written[3..]);

    let mut again = Followed::from(&api, &token, &after_one, None).await;
    assert_eq!(again.take(3).await, written[1..]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heartbeat_comes_first_and_names_every_log() {
    let (mut node, api) = started().await;
    let token = follower(&api).await;
    let mut feed = Followed::from(&api, &token, &[], None).await;
    let response = feed.0.next().await.unwrap().unwrap();
    let Some(subscribe_response::Message::Heartbeat(beat)) = response.message else {
        panic!("{response:?}")
    };
    let origins: Vec<&str> = beat.origins.iter().map(|of| of.origin.as_str()).collect();
    assert_eq!(origins, ["32"]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_has_every_thing_and_the_feed_goes_on_from_its_end() {
    let (mut node, api) = started().await;
    let token = follower(&api).await;
    for number in 0..3 {
        warn(&api, number).await;
    }
    let request = SnapshotRequest::default();
    let stream = api.snapshot(asked(request, &token)).await.unwrap();
    let mut items: Vec<_> = stream
        .into_inner()
        .map(|response| response.unwrap().item.unwrap())
        .collect()
        .await;
    let Some(snapshot_response::Item::End(end)) = items.pop() else {
        panic!("{items:?}")
    };
    let mut headlines: Vec<String> = items
        .into_iter()
        .map(|item| match item {
            snapshot_response::Item::Warning(warning) => warning.content.unwrap().headline,
            other => panic!("{other:?}"),
        })
        .collect();
    headlines.sort();
    assert_eq!(
        headlines,
        ["Hujan lebat 0", "Hujan lebat 1", "Hujan lebat 2"]
    );
    let written = warn(&api, 3).await;
    let mut feed = Followed::from(&api, &token, &end.cursor, None).await;
    assert_eq!(feed.take(1).await, [written]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_keeps_what_it_names_and_an_unknown_area_is_refused() {
    let (mut node, api) = started().await;
    let token = follower(&api).await;
    let written = warn(&api, 0).await;
    let of = |areas: Vec<i32>| Filter {
        areas,
        ..Filter::default()
    };
    let warnings = Some(of(vec![Area::Warning.into()]));
    let mut kept = Followed::from(&api, &token, &[], warnings).await;
    assert_eq!(kept.take(1).await, [written]);
    for areas in [vec![0], vec![99]] {
        let request = SubscribeRequest {
            cursor: Vec::new(),
            filter: Some(of(areas)),
        };
        let refused = api.subscribe(asked(request, &token)).await.err().unwrap();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains("`filter.areas`"));
    }
    let request = SubscribeRequest {
        cursor: Vec::new(),
        filter: Some(of(vec![Area::Incident.into()])),
    };
    let stream = api.subscribe(asked(request, &token)).await.unwrap();
    let mut empty = Followed(stream.into_inner());
    let first = empty.0.next().await.unwrap().unwrap();
    assert!(matches!(
        first.message,
        Some(subscribe_response::Message::Heartbeat(_))
    ));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_that_is_ahead_or_on_another_history_is_refused_with_the_log_and_the_place() {
    let (mut node, api) = started().await;
    let token = follower(&api).await;
    warn(&api, 0).await;
    let origin = api.own();
    let end = api.0.store.log(origin).unwrap().end;
    let at = |seq, hash: Hash| {
        let mut cursor = Cursor::start(FEDERATION.0);
        cursor.set(origin, Position { seq, hash, ..end });
        cursor.encode()
    };
    let ahead = refused(&api, &token, at(end.seq + 7, [1; 32])).await;
    assert_eq!(ahead.code(), Code::FailedPrecondition);
    assert!(
        ahead.message().contains("ahead in log `32`") && ahead.message().contains(&end.to_string()),
        "{ahead}"
    );
    let diverged = refused(&api, &token, at(1, [1; 32])).await;
    assert!(
        diverged.message().contains("log `32` does not pass"),
        "{diverged}"
    );
    let mut foreign = Cursor::start(FEDERATION.0);
    foreign.set("36".parse().unwrap(), end);
    let unknown = refused(&api, &token, foreign.encode()).await;
    assert!(unknown.message().contains("log `36`"), "{unknown}");
    let garbage = refused(&api, &token, vec![7; 40]).await;
    assert_eq!(garbage.code(), Code::InvalidArgument);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_follow_is_refused_and_an_ended_session_ends_its_feed() {
    let (mut node, api) = started().await;
    let it = refused(&api, "console", Vec::new()).await;
    assert_eq!(it.code(), Code::PermissionDenied);

    let token = follower(&api).await;
    let mut feed = Followed::from(&api, &token, &[], None).await;
    let session = api.caller(asked((), &token).metadata()).await.unwrap();
    let session_id = session.session.unwrap().id.to_vec();
    let request = RevokeSessionRequest { session_id };
    api.revoke_session(asked(request, "console")).await.unwrap();
    let ended = loop {
        match feed.0.next().await.unwrap() {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_eq!(ended.code(), Code::Unauthenticated);
    assert!(feed.0.next().await.is_none());
    node.stop().await;
}

/// Opens the store of node `36`, which the node under test replicates.
fn owner(dir: &Path, run: u8) -> Store {
    let recovery = SecretKey::from_seed(&[2; 32]);
    let options = Options {
        path: dir.join("36.db"),
        mark: dir.join("36.mark"),
        start: if run == 1 { Start::First } else { Start::Later },
        identity: Identity {
            federation: FEDERATION.0,
            origin: "36".parse().unwrap(),
            recovery: recovery.public(),
        },
        log_key: Arc::new(SecretKey::from_seed(&[1; 32])),
        recovery_key: Some(Arc::new(recovery)),
        epoch_nonce: [run; 16],
        now: now(),
        areas: posko_store::Areas::default(),
        on_fatal: Box::new(|error| panic!("{error}")),
    };
    Store::open(options, &mut |_| {}).unwrap()
}

/// Brings what `from` has of its own log to `to`, wherever the two part.
async fn pull(from: &Store, to: &Store) {
    let origin = from.identity().origin;
    let claimed = from.log(origin).unwrap().end;
    let opens = from.opens(origin).unwrap();
    let point = to.branch_point(origin, claimed, &opens).unwrap().unwrap();
    let mut chain = to.chain_at(origin, point).unwrap().unwrap();
    loop {
        let page = from.page(origin, chain.end(), 64, MAX_GROUP_BYTES, 3);
        let page = page.unwrap();
        let Some(head) = page.head else { return };
        let records = page.records.into_iter();
        let records = records.map(|record| (EntryHeader::decode(&record.header).unwrap(), record));
        let group = chain.verify(page.opens, records.collect(), head).unwrap();
        let (answer, answered) = tokio::sync::oneshot::channel();
        to.apply(
            group,
            now(),
            Box::new(move |applied| answer.send(applied.map(drop)).unwrap()),
        );
        match answered.await.unwrap() {
            // A pull begins under a head, so that its first group may be here already.
            Ok(()) | Err(ApplyError::Moved { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_came_back_from_a_backup_turns_the_feed_to_where_it_goes_on() {
    let (mut node, api) = started().await;
    let token = follower(&api).await;
    let dir = tempfile::tempdir().unwrap();
    let (file, copy) = (dir.path().join("36.db"), dir.path().join("36.copy"));
    let here = &api.0.store;
    let store = owner(dir.path(), 1);
    here.accept_peer(*store.identity(), vec![1, 2, 3], now())
        .unwrap();
    let first = warn_in(&store, 0).await;
    pull(&store, here).await;
    let mut feed = Followed::from(&api, &token, &[], None).await;
    let (change, _) = feed.next().await;
    assert_eq!(change.event_id, first);
    let shared = change.position;
    store.close();
    fs::copy(&file, &copy).unwrap();

    let store = owner(dir.path(), 2);
    warn_in(&store, 1).await;
    let lost = warn_in(&store, 2).await;
    pull(&store, here).await;
    feed.next().await;
    let (change, cursor) = feed.next().await;
    assert_eq!(change.event_id, lost);
    store.close();
    for beside in ["36.db-wal", "36.db-shm"] {
        // SQLite may have removed them itself.
        let _ = fs::remove_file(dir.path().join(beside));
    }
    fs::copy(&copy, &file).unwrap();

    let store = owner(dir.path(), 3);
    let again = warn_in(&store, 3).await;
    pull(&store, here).await;
    let late = Followed::from(&api, &token, &cursor, None).await;
    for mut feed in [feed, late] {
        let turn = loop {
            match feed.0.next().await.unwrap().unwrap().message.unwrap() {
                subscribe_response::Message::Turn(turn) => break turn,
                subscribe_response::Message::Heartbeat(_) => {}
                subscribe_response::Message::Change(change) => panic!("{change:?}"),
            }
        };
        assert_eq!(turn.position, shared);
        let (change, _) = feed.next().await;
        assert_eq!(change.event_id, again);
    }
    node.stop().await;
}
