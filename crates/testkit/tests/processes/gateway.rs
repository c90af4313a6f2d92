//! Headquarters' gateway: its feed as a client in another language sees it, its directives, and what it never holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

use posko_ledger::entry::{Class, EntryHeader};
use posko_testkit::{Federation, GATEWAY, Node, ORIGINS, Refused, eventually};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

const SOON: Duration = Duration::from_mins(1);
/// How many incidents each province opens; each has a verification and a note besides.
const INCIDENTS: usize = 12;

/// What was acknowledged: the events, and the versions of each thing.
#[derive(Default)]
struct Recorded {
    events: BTreeSet<String>,
    versions: BTreeMap<String, u64>,
}

impl Recorded {
    fn take(&mut self, answer: &Value) -> String {
        let outcome = &answer["outcome"];
        let events = outcome["event_ids"].as_array().unwrap().iter();
        self.events
            .extend(events.map(|id| id.as_str().unwrap().to_owned()));
        let stream = outcome["stream_id"].as_str().unwrap().to_owned();
        let version = outcome["version"].as_u64().unwrap();
        self.versions.insert(stream.clone(), version);
        stream
    }
}

/// What a client has seen so far.
#[derive(Default)]
struct Seen {
    changes: Vec<Value>,
    things: BTreeMap<String, u64>,
    heartbeats: Vec<Value>,
    reconnects: usize,
    turns: usize,
    end: Option<Value>,
}

/// The client of `tests/clients`, which follows a gateway.
struct Client {
    process: Child,
    input: Option<ChildStdin>,
    seen: Arc<Mutex<Seen>>,
    reader: Option<JoinHandle<()>>,
}

impl Client {
    fn start(python: &Path, gateway: &Node, more: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut process = Command::new(python)
            .arg("-B")
            .arg(root.join("tests/clients/follow.py"))
            .args(["--address", &gateway.api().to_string()])
            .arg("--ca")
            .arg(gateway.dir().join("keys/ca.pem"))
            .arg("--protos")
            .arg(root.join("proto"))
            .args(more)
            .env("POSKO_TOKEN", gateway.token().unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let into = seen.clone();
        let reader = thread::spawn(move || {
            for line in lines {
                let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
                let mut seen = into.lock().unwrap();
                if line["change"].is_object() {
                    seen.changes.push(line["change"].clone());
                } else if line["thing"].is_object() {
                    let thing = &line["thing"];
                    let stream = thing["stream"].as_str().unwrap().to_owned();
                    let version = thing["version"].as_u64().unwrap();
                    seen.things.insert(stream, version);
                } else if line["heartbeat"].is_object() {
                    seen.heartbeats.push(line["heartbeat"].clone());
                } else if line["reconnect"].is_object() {
                    seen.reconnects += 1;
                } else if line["turn"].is_object() {
                    seen.turns += 1;
                } else {
                    seen.end = Some(line["end"].clone());
                }
            }
        });
        Self {
            input: process.stdin.take(),
            process,
            seen,
            reader: Some(reader),
        }
    }

    /// Waits until something is so of what the client has seen; a client that has ended never will.
    fn until(&mut self, what: &str, mut holds: impl FnMut(&Seen) -> bool) {
        let (process, seen) = (&mut self.process, &self.seen);
        let waited = eventually(what, SOON, || {
            let holds = holds(&seen.lock().unwrap());
            let ended = process.try_wait()?;
            anyhow::ensure!(holds || ended.is_none(), "the client ended: {ended:?}");
            Ok(holds.then_some(()))
        });
        waited.unwrap();
    }

    /// Ends the client, which must be content, and returns what it has seen.
    fn finish(mut self) -> Seen {
        drop(self.input.take());
        let status = self.process.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        assert!(status.success(), "the client ended with {status}");
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // One that has ended already is as wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn events(seen: &Seen) -> BTreeSet<String> {
    let ids = seen.changes.iter().map(|change| change["event"].as_str());
    ids.map(|id| id.unwrap().to_owned()).collect()
}

fn region(origin: &str) -> &'static str {
    match origin {
        "31" => "31.72",
        "32" => "32.75",
        _ => "36.71",
    }
}

/// Opens an incident, verifies it and writes a note.
fn write(node: &Node, recorded: &Mutex<Recorded>) {
    let report = [
        "incident",
        "report",
        "--hazard",
        "flood",
        "--severity",
        "minor",
        "--channel",
        "branch",
        "--region",
        region(node.origin()),
    ];
    let opened = node.posko(&report).unwrap();
    let number = opened["number"].as_str().unwrap();
    recorded.lock().unwrap().take(&opened);
    let verified = node.posko(&["incident", "verify", number]).unwrap();
    recorded.lock().unwrap().take(&verified);
    let remark = ["incident", "note", number, "Air setinggi lutut"];
    let noted = node.posko(&remark).unwrap();
    recorded.lock().unwrap().take(&noted);
}

fn issuing(title: &str) -> [&str; 10] {
    [
        "directive",
        "issue",
        "--priority",
        "urgent",
        "--title",
        title,
        "--body",
        "Satu di setiap wilayah perbatasan",
        "--province",
        "32",
    ]
}

fn issue(gateway: &Node, title: &str) -> Value {
    gateway.posko(&issuing(title)).unwrap()
}

fn refused(node: &Node, args: &[&str]) -> Refused {
    let error = node.posko(args).expect_err("the command must be refused");
    error.downcast().unwrap()
}

#[test]
fn a_client_of_the_gateway_sees_every_event_once_by_id_also_when_the_gateway_is_killed() {
    let Some(python) = env::var_os("POSKO_CLIENT_PYTHON").map(PathBuf::from) else {
        println!(
            "skipped: `POSKO_CLIENT_PYTHON` names no Python with tests/clients/requirements.txt"
        );
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let federation = Federation::make_with_gateway(dir.path())
        .unwrap()
        .begin(|_| Ok(()))
        .unwrap();
    let gateway = federation.node(GATEWAY).unwrap();
    let recorded = Mutex::new(Recorded::default());
    recorded
        .lock()
        .unwrap()
        .take(&issue(gateway, "Siapkan dapur umum"));
    let mut client = Client::start(&python, gateway, &[]);
    client.until("the client follows", |seen| !seen.changes.is_empty());

    println!("the provinces write, and the gateway is killed in the middle");
    let mut late = None;
    thread::scope(|scope| {
        let writers = ORIGINS.map(|origin| {
            let (node, recorded) = (federation.node(origin).unwrap(), &recorded);
            scope.spawn(move || (0..INCIDENTS).for_each(|_| write(node, recorded)))
        });
        client.until("a third has arrived", |seen| {
            seen.changes.len() > INCIDENTS * 3
        });
        gateway.kill9().unwrap();
        gateway.start().unwrap();
        client.until("the client is back", |seen| seen.reconnects > 0);
        late = Some(Client::start(&python, gateway, &["--snapshot"]));
        for writer in writers {
            writer.join().unwrap();
        }
    });
    recorded
        .lock()
        .unwrap()
        .take(&issue(gateway, "Laporkan stok selimut"));
    let recorded = recorded.into_inner().unwrap();

    println!("the client has every event of every log, each once, and nothing else");
    client.until("every event has arrived", |seen| {
        seen.changes.len() >= recorded.events.len()
    });
    client.until("a sign of life names every log", |seen| {
        let newest = seen.heartbeats.last();
        newest.is_some_and(|beat| beat["origins"].as_object().is_some_and(|of| of.len() == 4))
    });
    let seen = client.finish();
    assert_eq!(events(&seen), recorded.events);
    assert_eq!(seen.changes.len(), recorded.events.len());
    assert_eq!(seen.turns, 0, "a kill turned a log");
    assert!(
        seen.changes
            .iter()
            .all(|change| change["typed"].is_string()),
        "an event came without its message"
    );
    println!("{}", seen.end.unwrap());

    println!("who began with a snapshot in the middle lacks no version of anything");
    let mut late = late.unwrap();
    let lacks = |seen: &Seen| {
        let mut lacks = recorded.versions.clone();
        lacks.retain(|stream, newest| {
            let known = seen.things.get(stream).copied().unwrap_or_default();
            let fed: BTreeSet<u64> = (seen.changes.iter())
                .filter(|change| change["stream"] == stream.as_str())
                .filter_map(|change| change["version"].as_u64())
                .collect();
            !(known + 1..=*newest).all(|version| fed.contains(&version))
        });
        lacks
    };
    late.until("nothing is missing", |seen| lacks(seen).is_empty());

    println!("a stop does not wait for who follows");
    federation.stop().unwrap();
    let late = late.finish();
    assert!(!late.things.is_empty() && events(&late).is_subset(&recorded.events));
}

#[test]
fn headquarters_directs_and_the_provinces_read_and_neither_does_the_others_work() {
    let dir = tempfile::tempdir().unwrap();
    let federation = Federation::make_with_gateway(dir.path())
        .unwrap()
        .begin(|_| Ok(()))
        .unwrap();
    let gateway = federation.node(GATEWAY).unwrap();
    let province = federation.node("32").unwrap();
    let issued = issue(gateway, "Siapkan dapur umum");
    let id = issued["outcome"]["stream_id"].as_str().unwrap();
    let state_at = |origin: &str, state: &str| {
        let node = federation.node(origin).unwrap();
        let shown = eventually("the directive stands so", SOON, || {
            let shown = node.posko(&["directive", "show", id])?["directive"].clone();
            Ok((shown["state"] == state).then_some(shown))
        });
        shown.unwrap().0
    };
    let shown = state_at("32", "open");
    assert_eq!(shown["addressed_here"], true);
    assert_eq!(shown["provenance"]["origin"], GATEWAY);
    assert_eq!(state_at("36", "open")["addressed_here"], false);
    let status = province.posko(&["status"]).unwrap();
    assert_eq!(status["directives"][0]["title"], "Siapkan dapur umum");

    println!("a province neither issues nor withdraws, the gateway reports nothing");
    let withdraw = ["directive", "withdraw", id, "--reason", "Diganti"];
    assert_eq!(refused(province, &issuing("Siapkan tenda")).exit, 4);
    let elsewhere = refused(province, &withdraw);
    assert!(
        elsewhere.exit == 3 && elsewhere.message.contains("belongs to node `ims`"),
        "{elsewhere}"
    );
    province
        .console(&["user", "grant", "petugas", "--role", "headquarters"])
        .unwrap();
    let elsewhere = refused(province, &issuing("Siapkan tenda"));
    assert!(
        elsewhere.message.contains("at headquarters' gateway `ims`"),
        "{elsewhere}"
    );
    gateway
        .console(&["user", "grant", "petugas", "--role", "duty_officer"])
        .unwrap();
    let warning = [
        "warning",
        "record",
        "--publisher",
        "BPBD Kota Bekasi",
        "--hazard",
        "flood",
        "--headline",
        "Banjir",
        "--region",
        "32.75",
    ];
    let no_warning = refused(gateway, &warning);
    assert!(
        no_warning
            .message
            .contains("warnings are recorded by a province's node"),
        "{no_warning}"
    );

    gateway.posko(&withdraw).unwrap();
    for origin in ORIGINS {
        state_at(origin, "withdrawn");
    }
    let open = province.posko(&["directive", "list", "--open"]).unwrap();
    assert_eq!(open["directives"], Value::Array(Vec::new()));

    println!(
        "the gateway's file holds headers of everything, and payloads of what is REGIONAL alone"
    );
    let recorded = Mutex::new(Recorded::default());
    write(province, &recorded);
    let arrived = eventually("the incident is at the gateway", SOON, || {
        let listed = gateway.posko(&["incident", "list", "--origin", "32"])?;
        let incidents = listed["incidents"].as_array().cloned().unwrap_or_default();
        Ok(incidents
            .first()
            .is_some_and(|incident| incident["version"] == 3)
            .then_some(()))
    });
    arrived.unwrap();
    federation.stop().unwrap();
    let (given, withheld) = payloads(&gateway.dir().join("posko.db"));
    assert!(given >= 3, "{given} payloads of the provinces");
    assert!(
        withheld >= 6,
        "{withheld} headers of accounts, two at least of each province"
    );
}

/// Reads a gateway's file, and returns how many entries of others it has with and without payload; one that it may not
/// have ends the test.
fn payloads(file: &Path) -> (usize, usize) {
    let store = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut entries = store
        .prepare(
            "SELECT epoch.origin, entry.pos, header, body IS NOT NULL
             FROM entry JOIN epoch ON epoch.id = entry.pos >> 40 LEFT JOIN payload USING (pos)
             WHERE epoch.origin <> 'ims'",
        )
        .unwrap();
    let rows = entries.query_map([], |row| {
        let header: [u8; 100] = row.get(2)?;
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, i64>(1)?,
            header,
            row.get::<_, bool>(3)?,
        ))
    });
    let (mut given, mut withheld) = (0, 0);
    for row in rows.unwrap() {
        let (origin, at, header, has_payload) = row.unwrap();
        let class = EntryHeader::decode(&header).unwrap().class;
        assert_eq!(
            has_payload,
            class == Class::Regional,
            "entry {at} of `{origin}` is {class:?}"
        );
        *(if has_payload {
            &mut given
        } else {
            &mut withheld
        }) += 1;
    }
    let orphans = "SELECT COUNT(*) FROM payload WHERE pos NOT IN (SELECT pos FROM entry)";
    let orphans: i64 = store.query_row(orphans, [], |row| row.get(0)).unwrap();
    assert_eq!(orphans, 0, "payloads stand beside no header");
    (given, withheld)
}
