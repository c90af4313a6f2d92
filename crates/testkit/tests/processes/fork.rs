//! Two machines write one epoch of a log: its followers keep both histories apart, its owner stops, and opens it again.

use std::{
    fs,
    path::Path,
    sync::{Arc, mpsc},
    time::Duration,
};

use anyhow::{Result, ensure};
use posko_domain::{context::stream_of, incident::IncidentCommand, region::Place};
use posko_ledger::{chain::Identity, key::SecretKey};
use posko_node::identity::Keys;
use posko_proto::{
    Id,
    common::v1::{self as common, Hazard, Role},
    incident::v1::{ReportChannel, Severity},
    time::Millis,
};
use posko_store::{Actor, Command, Options, Request, Start, Store};
use posko_testkit::{Federation, Node, eventually};
use serde_json::Value;

use super::restore::{LOG_AND_MARK, copy};

const SOON: Duration = Duration::from_secs(50);
/// Two rounds of heartbeats prove a start; this is ten times as long.
const PROVEN_WITHIN: Duration = Duration::from_secs(100);

fn report(node: &Node) -> Result<String> {
    let region = if node.origin() == "32" {
        "32.03"
    } else {
        "31.75"
    };
    let args = [
        "incident", "report", "--hazard", "flood", "--region", region,
    ];
    let more = ["--severity", "moderate", "--channel", "branch"];
    let reported = node.posko(&[&args[..], &more].concat())?;
    Ok(reported["outcome"]["stream_id"].as_str().unwrap().into())
}

fn sees(node: &Node, incident: &str) {
    let what = format!("{} sees {incident}", node.origin());
    let look = || (node.posko(&["incident", "show", incident])).map(|_| Some(()));
    eventually(&what, SOON, look).unwrap();
}

/// Returns how it stands at a node with the log of `32`, once its state is this one.
fn stands(node: &Node, state: &str) -> Value {
    let what = format!("the log of 32 is {state} at {}", node.origin());
    let look = || {
        let status = node.console(&["status"])?;
        let origins = status["origins"].as_array().unwrap();
        let log = origins.iter().find(|log| log["origin"] == "32").unwrap();
        ensure!(log["state"] == state, "{log}");
        Ok(Some(log.clone()))
    };
    eventually(&what, SOON, look).unwrap().0
}

/// Opens the files of a machine that does not run, as one that goes on in an epoch that began at `at`.
fn open(dir: &Path, keys: &Keys, epoch_nonce: [u8; 16], at: Millis) -> Store {
    let recovery = SecretKey::from_seed(&keys.recovery.as_ref().unwrap().to_bytes());
    let options = Options {
        path: dir.join("posko.db"),
        mark: dir.join("mark"),
        start: Start::Later,
        identity: Identity {
            federation: keys.identity().federation.0,
            origin: keys.identity().origin,
            recovery: recovery.public(),
        },
        log_key: Arc::new(SecretKey::from_seed(&keys.log.to_bytes())),
        recovery_key: None,
        epoch_nonce,
        now: at,
        areas: posko_store::Areas::default(),
        on_fatal: Box::new(|error| panic!("{error}")),
    };
    Store::open(options, &mut |_| {}).unwrap()
}

/// Has a machine report a flood, and returns the incident.
fn report_there(machine: &Store, at: Millis) -> String {
    let command_id = Id([77; 16]);
    let place = common::Place {
        region_code: "32.03".into(),
        ..Default::default()
    };
    let stream = stream_of(command_id);
    let request = Request {
        command_id,
        digest: [1; 32],
        authority: Actor {
            account: Id([9; 16]),
            role: Role::DutyOfficer,
            ..Actor::default()
        }
        .into(),
        stream,
        expected_version: 0,
        now: at,
        occurred_at: at,
        exercise: false,
        cause: None,
        seed: [3; 32],
        credential: None,
        command: Command::Incident(IncidentCommand::Report {
            hazard: Hazard::Flood,
            place: Place::parse(&place).unwrap(),
            severity: Severity::Moderate,
            channel: ReportChannel::Branch,
            warning: None,
            note: None,
        }),
    };
    let (answer, answered) = mpsc::channel();
    machine.execute(request, move |outcome| answer.send(outcome).unwrap());
    answered.recv().unwrap().unwrap();
    stream.to_string()
}

#[test]
fn a_log_that_two_machines_wrote_is_in_quarantine_until_its_owner_opens_it_again_and_nothing_of_the_one_that_goes_on_is_lost()
 {
    let dir = tempfile::tempdir().unwrap();
    let federation = Federation::start(dir.path(), |_| Ok(())).unwrap();
    let [dki, jabar, banten] = ["31", "32", "36"].map(|origin| federation.node(origin).unwrap());
    let [image, first, safe] = ["image", "first", "recovery.key"].map(|name| dir.path().join(name));
    for files in [&image, &first] {
        fs::create_dir(files).unwrap();
    }
    let common = report(jabar).unwrap();
    for node in federation.nodes() {
        sees(node, &common);
    }

    println!("32 is copied, opens an epoch and writes, which 31 alone sees");
    jabar.stop().unwrap();
    copy(jabar.dir(), &image, LOG_AND_MARK);
    for (a, b) in [("31", "36"), ("32", "36")] {
        federation.cut(a, b).unwrap();
    }
    jabar.start().unwrap();
    let kept = [(); 2].map(|()| report(jabar).unwrap());
    for incident in &kept {
        sees(dki, incident);
    }
    jabar.stop().unwrap();
    copy(jabar.dir(), &first, LOG_AND_MARK);

    // A machine that was copied while it ran has the same epoch: its opening says with which nonce, and when.
    println!("another machine with the same keys writes the same epoch, which 36 alone sees");
    let keys = Keys::load(jabar.dir()).unwrap();
    let epoch = {
        let store = open(jabar.dir(), &keys, [0; 16], Millis(0));
        let opens = store.opens(keys.identity().origin).unwrap();
        store.close();
        opens.last().unwrap().clone()
    };
    let at = Millis(epoch.wall_ms.cast_signed());
    let machine = open(&image, &keys, epoch.epoch.nonce, at);
    let disputed = report_there(&machine, at);
    machine.close();
    copy(&image, jabar.dir(), LOG_AND_MARK);
    federation.cut("31", "32").unwrap();
    federation.restore("32", "36").unwrap();
    jabar.start().unwrap();
    sees(banten, &disputed);
    jabar.stop().unwrap();

    println!("31 and 36 meet: the log of 32 is in quarantine there, and the others go on");
    fs::rename(jabar.dir().join("keys/recovery.key"), &safe).unwrap();
    copy(&first, jabar.dir(), LOG_AND_MARK);
    federation.restore("31", "36").unwrap();
    for node in [dki, banten] {
        let log = stands(node, "quarantined");
        assert!(log["forked_at"].is_string(), "{log}");
        let verified = node.console(&["log", "verify"]).unwrap_err().to_string();
        assert!(verified.contains("log `32` is forked"), "{verified}");
    }
    let after = report(dki).unwrap();
    sees(banten, &after);
    // Each shows what it had.
    sees(dki, &kept[1]);
    sees(banten, &disputed);

    println!("the first machine comes back, is told, and writes nothing more");
    federation.restore("31", "32").unwrap();
    jabar.start().unwrap();
    let log = stands(jabar, "quarantined");
    assert_eq!(log["link"], "own");
    let status = jabar.console(&["status"]).unwrap();
    assert_eq!(status["standing"]["state"], "fenced", "{status}");
    let why = status["not_writing_because"].as_str().unwrap();
    assert!(why.contains("posko log reopen"), "{status}");
    let refused = report(jabar).unwrap_err().to_string();
    assert!(refused.contains("posko log reopen"), "{refused}");
    sees(jabar, &after);
    jabar.stop().unwrap();
    let verified = jabar.console(&["log", "verify"]).unwrap_err().to_string();
    assert!(verified.contains("log `32` is forked"), "{verified}");

    println!("32 opens its log again with the key from the safe, and all is live");
    let reopen = ["log", "reopen", "--recovery-key", safe.to_str().unwrap()];
    let reopened = jabar.console(&reopen).unwrap();
    assert_eq!(reopened["entries"], 2, "{reopened}");
    jabar.start().unwrap();
    eventually("32 is clean", PROVEN_WITHIN, || {
        let status = jabar.console(&["status"])?;
        ensure!(status["standing"]["state"] == "clean", "{status}");
        Ok(Some(()))
    })
    .unwrap();
    let written = report(jabar).unwrap();
    for node in federation.nodes() {
        for incident in [&common, &kept[0], &kept[1], &after, &written] {
            sees(node, incident);
        }
        stands(node, "ok");
    }
    let digests = |node: &Node| -> Result<Value> {
        Ok(node.console(&["views", "digest"])?["digests"].clone())
    };
    eventually("the views agree", SOON, || {
        let expected = digests(jabar)?;
        for node in [dki, banten] {
            let found = digests(node)?;
            ensure!(found == expected, "{}: {found}", node.origin());
        }
        Ok(Some(()))
    })
    .unwrap();
    println!(
        "the log holds at every node; what the other machine wrote is evidence where it was told"
    );
    for (node, evidence) in [(dki, false), (jabar, false), (banten, true)] {
        let verified = node.console(&["log", "verify"]).unwrap();
        assert_eq!(verified["ok"], true, "{verified}");
        let logs = verified["logs"].as_array().unwrap();
        let log = logs.iter().find(|log| log["origin"] == "32").unwrap();
        let others = log["other_branches"].as_array().unwrap();
        assert_eq!(others.len(), usize::from(evidence), "{log}");
        let log = stands(node, "ok");
        assert_eq!(log["withheld_entries"], 0, "{log}");
        assert_eq!(
            log["other_branch_entries"].as_u64() > Some(0),
            evidence,
            "{log}"
        );
    }
    federation.stop().unwrap();
}
