//! `kill -9` at random moments, while commands, relays, backups and a gateway's client run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use posko_proto::{
    Id,
    common::v1::{CommandMeta, Hazard, Outcome, Place},
    ims::v1::{
        Area, Filter, SubscribeRequest, change_feed_service_client::ChangeFeedServiceClient,
        subscribe_response::Message,
    },
    incident::v1::{
        AddNoteRequest, FigureSource, GetIncidentRequest, ListIncidentsRequest, ReportChannel,
        ReportIncidentRequest, Severity, Status, VerifyIncidentRequest,
        incident_service_client::IncidentServiceClient,
    },
};
use posko_testkit::{Door, Federation, GATEWAY, Node, ORIGINS, eventually, open, pause};
use serde_json::Value;
use tonic::Code;
use uuid::Uuid;

/// How often a node is killed: the promise.
const KILLS: usize = 200;
/// During which of the kills the link 31–32 is cut, so that their logs come through others.
const RELAYED: std::ops::Range<usize> = 40..160;
const WRITERS_PER_NODE: usize = 2;
/// The longest time between two kills: long enough to come back and write, short enough to be hit on the way.
const LONGEST_PAUSE_MS: u64 = 300;
const AGREED_WITHIN: Duration = Duration::from_secs(90);
/// A run names its seed, and `POSKO_TEST_SEED` repeats its choices.
const SEED: u64 = 0x5eed_0031_0032_0036;

/// What a node has acknowledged of one incident.
#[derive(Debug, Clone, Default)]
struct Acknowledged {
    number: String,
    notes: BTreeSet<String>,
    verified: bool,
    events: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Ledger {
    incidents: Mutex<BTreeMap<Vec<u8>, Acknowledged>>,
    commands: AtomicUsize,
    repeated: AtomicUsize,
    enough: AtomicBool,
}

/// Raises its flag when it is dropped.
struct Raised<'a>(&'a AtomicBool);

impl Drop for Raised<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        // Xorshift: enough to choose moments.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

#[test]
fn every_acknowledged_command_is_there_once_on_every_node_and_in_the_gateways_feed_after_two_hundred_kills()
 {
    let seed = std::env::var("POSKO_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(SEED);
    println!("POSKO_TEST_SEED={seed}");
    let dir = tempfile::tempdir().unwrap();
    let federation = Federation::make_with_gateway(dir.path()).unwrap();
    let federation = federation.begin(|_| Ok(())).unwrap();
    let provinces = ORIGINS.map(|origin| federation.node(origin).unwrap());
    let ledgers: BTreeMap<&str, Arc<Ledger>> =
        provinces.map(|node| (node.origin(), Arc::default())).into();

    println!("writers report, note and verify on every node, and repeat what was not answered");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let feed = {
        let _context = runtime.enter();
        let door = open(federation.node(GATEWAY).unwrap()).unwrap();
        let feed = Arc::new(Feed::default());
        runtime.spawn(follow(door, feed.clone()));
        feed
    };
    let mut writers = Vec::new();
    for node in provinces {
        for _ in 0..WRITERS_PER_NODE {
            let _context = runtime.enter();
            let (door, ledger) = (open(node).unwrap(), ledgers[node.origin()].clone());
            let (handle, region) = (runtime.handle().clone(), format!("{}.71", node.origin()));
            writers.push(thread::spawn(move || {
                handle.block_on(write(door, region, ledger));
            }));
        }
    }

    println!("a random node is killed {KILLS} times at random moments, and started again at once");
    let nodes: Vec<&Node> = federation.nodes().collect();
    let mut random = Random(seed);
    let mut kills: BTreeMap<&str, usize> = BTreeMap::new();
    let start = std::time::Instant::now();
    let done = AtomicBool::new(false);
    let backups = thread::scope(|scope| {
        let backups = scope.spawn(|| back_up(&nodes, dir.path(), &done));
        // However the killing ends: a scope waits for its threads also when it panics.
        let killing = Raised(&done);
        for kill in 0..KILLS {
            if kill == RELAYED.start {
                federation.cut("31", "32").unwrap();
            } else if kill == RELAYED.end {
                federation.restore("31", "32").unwrap();
            }
            pause(Duration::from_millis(random.below(LONGEST_PAUSE_MS)));
            let node = nodes[random.below(nodes.len() as u64) as usize];
            node.check_alive().unwrap();
            node.kill9().unwrap();
            node.launch().unwrap();
            *kills.entry(node.origin()).or_default() += 1;
        }
        drop(killing);
        backups.join().unwrap()
    });
    let took = start.elapsed();
    println!("{backups} backups were taken meanwhile, and all are whole");
    assert!(backups >= KILLS / 20, "only {backups} backups were taken");

    println!("the writers finish what they have begun");
    for ledger in ledgers.values() {
        ledger.enough.store(true, Ordering::Relaxed);
    }
    eventually("every writer is answered", AGREED_WITHIN, || {
        nodes.iter().try_for_each(|node| node.check_alive())?;
        Ok(writers
            .iter()
            .all(thread::JoinHandle::is_finished)
            .then_some(()))
    })
    .unwrap();
    for writer in writers {
        writer.join().unwrap();
    }
    let count = |of: fn(&Ledger) -> &AtomicUsize| -> usize {
        ledgers
            .values()
            .map(|ledger| of(ledger).load(Ordering::Relaxed))
            .sum()
    };
    let (commands, repeated) = (
        count(|ledger| &ledger.commands),
        count(|ledger| &ledger.repeated),
    );
    println!(
        "{kills:?} kills in {took:?}; {commands} commands acknowledged, {repeated} asked for again"
    );
    assert!(
        commands >= 300,
        "only {commands} commands were acknowledged: the kills left no time to write"
    );
    assert!(
        repeated >= KILLS / 4,
        "only {repeated} commands lost their answer: the kills met no writing"
    );

    println!("all nodes come to the same picture");
    let (digests, agreed) = eventually("the digests agree", AGREED_WITHIN, || {
        let mut all = nodes
            .iter()
            .map(|node| digests(node))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let first = all.pop().unwrap_or_default();
        anyhow::ensure!(
            all.iter().all(|other| *other == first),
            "{first:?}\n{all:?}"
        );
        Ok(Some(first))
    })
    .unwrap();
    println!("{} digests agree after {agreed:?}", digests.len());

    println!("the gateway's client saw every event, each under its own id");
    let expected: BTreeSet<Vec<u8>> = ledgers
        .values()
        .flat_map(|ledger| ledger.incidents.lock().unwrap().clone().into_values())
        .flat_map(|known| known.events)
        .collect();
    eventually("the feed has every event", AGREED_WITHIN, || {
        let brought = feed.seen.lock().unwrap();
        anyhow::ensure!(
            brought.len() >= expected.len(),
            "{} of {}",
            brought.len(),
            expected.len()
        );
        Ok(Some(()))
    })
    .unwrap();
    let brought = feed.seen.lock().unwrap().clone();
    assert!(
        brought
            .iter()
            .map(|(_, event)| event.clone())
            .collect::<BTreeSet<_>>()
            == expected,
        "the feed brought other events than were acknowledged"
    );
    assert_eq!(
        brought.len(),
        expected.len(),
        "an event came from two places of the logs"
    );
    println!("{} turns of its stream", feed.turns.load(Ordering::Relaxed));

    for node in &nodes {
        println!("node {} has every command once", node.origin());
        let door = {
            let _context = runtime.enter();
            open(node).unwrap()
        };
        for (origin, ledger) in &ledgers {
            runtime.block_on(check(&door, origin, &ledger.incidents.lock().unwrap()));
        }
        let verified = node.console(&["log", "verify"]).unwrap();
        assert_eq!(verified["ok"], true, "{verified}");
        for origin in ledgers.keys() {
            let name = format!("{origin}-of-{}.poskolog", node.origin());
            let file = dir.path().join(name);
            let file = file.to_str().unwrap();
            let exported = node
                .console(&["log", "export", origin, "--out", file])
                .unwrap();
            let verified = node.console(&["log", "verify", file]).unwrap();
            assert_eq!(verified["ok"], true, "{verified}");
            let held = status_of(node, origin);
            assert_eq!(exported["entries"], held["entries"], "{held}");
        }
        let status = node.console(&["status"]).unwrap();
        for origin in status["origins"].as_array().unwrap() {
            assert_eq!(
                (&origin["unknown_events"], &origin["refused_events"]),
                (&0.into(), &0.into()),
                "{origin}"
            );
        }
    }
    federation.stop().unwrap();
}

/// What a client of the gateway's feed has seen of the provinces' incidents.
#[derive(Default)]
struct Feed {
    /// Where each event stands, and its id.
    seen: Mutex<BTreeSet<(String, Vec<u8>)>>,
    turns: AtomicUsize,
}

/// Follows the feed for ever, from where it was after each break.
async fn follow(door: Door, feed: Arc<Feed>) {
    let mut client = ChangeFeedServiceClient::new(door);
    let mut cursor = Vec::new();
    loop {
        let request = SubscribeRequest {
            cursor: cursor.clone(),
            filter: Some(Filter {
                areas: vec![Area::Incident.into()],
                ..Filter::default()
            }),
        };
        if let Ok(stream) = client.subscribe(request).await {
            let mut stream = stream.into_inner();
            while let Ok(Some(brought)) = stream.message().await {
                match brought.message {
                    Some(Message::Change(change)) => {
                        let at = format!("{:?}", change.position);
                        feed.seen.lock().unwrap().insert((at, change.event_id));
                    }
                    Some(Message::Turn(_)) => drop(feed.turns.fetch_add(1, Ordering::Relaxed)),
                    _ => {}
                }
                cursor = brought.cursor;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Takes backups of one node after the other, checks each, and returns how many.
fn back_up(nodes: &[&Node], dir: &Path, done: &AtomicBool) -> usize {
    let mut taken = 0;
    while !done.load(Ordering::Relaxed) {
        let node = nodes[taken % nodes.len()];
        let file = dir.join("passing.backup");
        let path = file.to_str().unwrap();
        node.console(&["backup", "--out", path]).unwrap();
        node.console(&["restore", path, "--check"]).unwrap();
        fs::remove_file(file).unwrap();
        taken += 1;
    }
    taken
}

/// Gives commands until there are enough: an incident, two notes and its verification, again and again.
async fn write(door: Door, region: String, ledger: Arc<Ledger>) {
    while !ledger.enough.load(Ordering::Relaxed) {
        let mut known = Acknowledged::default();
        let command = Id::from(Uuid::new_v4());
        let answer = insist(&ledger, async || {
            let request = ReportIncidentRequest {
                meta: Some(meta(command)),
                hazard: Hazard::Flood.into(),
                place: Some(Place {
                    region_code: region.clone(),
                    ..Place::default()
                }),
                severity: Severity::Minor.into(),
                channel: ReportChannel::Citizen.into(),
                ..ReportIncidentRequest::default()
            };
            IncidentServiceClient::new(door.clone())
                .report_incident(request)
                .await
        })
        .await;
        known.number = answer.number;
        let incident = known.take(answer.outcome);
        for _ in 0..2 {
            let command = Id::from(Uuid::new_v4());
            let answer = insist(&ledger, async || {
                let request = AddNoteRequest {
                    meta: Some(meta(command)),
                    incident_id: incident.clone(),
                    text: command.to_string(),
                };
                IncidentServiceClient::new(door.clone())
                    .add_note(request)
                    .await
            })
            .await;
            known.take(answer.outcome);
            known.notes.insert(command.to_string());
        }
        let command = Id::from(Uuid::new_v4());
        let answer = insist(&ledger, async || {
            let request = VerifyIncidentRequest {
                meta: Some(meta(command)),
                incident_id: incident.clone(),
                source: FigureSource::Pmi.into(),
            };
            IncidentServiceClient::new(door.clone())
                .verify_incident(request)
                .await
        })
        .await;
        known.take(answer.outcome);
        known.verified = true;
        let before = ledger.incidents.lock().unwrap().insert(incident, known);
        assert!(before.is_none(), "two commands opened one incident");
    }
}

impl Acknowledged {
    /// Takes an outcome in, and returns what it is about.
    fn take(&mut self, outcome: Option<Outcome>) -> Vec<u8> {
        let outcome = outcome.expect("an answer has an outcome");
        assert!(
            !outcome.event_ids.is_empty(),
            "an acknowledged command recorded nothing"
        );
        self.events.extend(outcome.event_ids);
        outcome.stream_id
    }
}

fn meta(command: Id) -> CommandMeta {
    CommandMeta {
        command_id: command.to_vec(),
        ..CommandMeta::default()
    }
}

/// Gives a command until it is answered; a refusal ends the test, for no command here may be refused.
async fn insist<T>(
    ledger: &Ledger,
    ask: impl AsyncFn() -> Result<tonic::Response<T>, tonic::Status>,
) -> T {
    loop {
        let status = match ask().await {
            Ok(answer) => {
                ledger.commands.fetch_add(1, Ordering::Relaxed);
                // The others need their turn on a small machine.
                tokio::time::sleep(Duration::from_millis(2)).await;
                return answer.into_inner();
            }
            Err(status) => status,
        };
        let refused = matches!(
            status.code(),
            Code::InvalidArgument
                | Code::NotFound
                | Code::AlreadyExists
                | Code::PermissionDenied
                | Code::FailedPrecondition
                | Code::Aborted
                | Code::OutOfRange
                | Code::Unimplemented
                | Code::Unauthenticated
        );
        assert!(!refused, "{status:?}");
        ledger.repeated.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Checks that the node shows exactly what was acknowledged of an origin.
async fn check(door: &Door, origin: &str, acknowledged: &BTreeMap<Vec<u8>, Acknowledged>) {
    let mut service = IncidentServiceClient::new(door.clone());
    let mut listed = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListIncidentsRequest {
            page_size: 500,
            page_token,
            origin: origin.into(),
            ..ListIncidentsRequest::default()
        };
        let page = service.list_incidents(request).await.unwrap().into_inner();
        listed.extend(page.incidents);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let ids: BTreeSet<&Vec<u8>> = listed
        .iter()
        .map(|incident| &incident.incident_id)
        .collect();
    let numbers: BTreeSet<&String> = listed.iter().map(|incident| &incident.number).collect();
    assert_eq!(
        (ids.len(), numbers.len()),
        (listed.len(), listed.len()),
        "an incident or a number is there twice"
    );
    assert_eq!(
        ids,
        acknowledged.keys().collect(),
        "what is listed of `{origin}` is not what was acknowledged"
    );
    let events: BTreeSet<&Vec<u8>> = acknowledged
        .values()
        .flat_map(|known| &known.events)
        .collect();
    assert_eq!(
        events.len(),
        acknowledged
            .values()
            .map(|known| known.events.len())
            .sum::<usize>(),
        "two commands were answered with one event"
    );
    for (incident_id, known) in acknowledged {
        let request = GetIncidentRequest {
            incident_id: incident_id.clone(),
            number: String::new(),
        };
        let found = service.get_incident(request).await.unwrap().into_inner();
        let incident = found.incident.unwrap();
        let notes: Vec<String> = found.notes.into_iter().map(|note| note.text).collect();
        assert_eq!(notes.len(), known.notes.len(), "{notes:?}");
        assert_eq!(notes.into_iter().collect::<BTreeSet<_>>(), known.notes);
        assert_eq!(incident.number, known.number);
        assert_eq!(known.verified, incident.status() == Status::Verified);
        assert_eq!(
            incident.milestones.len(),
            2,
            "reported and verified, each once"
        );
    }
}

fn status_of(node: &Node, origin: &str) -> Value {
    let status = node.console(&["status"]).unwrap();
    let mut origins = status["origins"].as_array().unwrap().iter();
    origins
        .find(|found| found["origin"] == origin)
        .cloned()
        .unwrap()
}

fn digests(node: &Node) -> anyhow::Result<Vec<(String, String, u64, String)>> {
    let answer = node.console(&["views", "digest"])?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let digests = answer["digests"].as_array().cloned().unwrap_or_default();
    let mut digests: Vec<_> = digests
        .iter()
        .map(|of| {
            (
                text(&of["view"]),
                text(&of["origin"]),
                of["rows"].as_u64().unwrap_or_default(),
                text(&of["sha256"]),
            )
        })
        .collect();
    digests.sort();
    Ok(digests)
}
