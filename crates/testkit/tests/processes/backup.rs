//! A backup is taken while its node writes, and another directory is made of it.

use std::{
    fs,
    process::{Command, Output},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use posko_testkit::{Federation, Node};
use serde_json::Value;

fn report(node: &Node) -> String {
    let args = [
        "incident",
        "report",
        "--hazard",
        "flood",
        "--region",
        "32.75.01",
        "--severity",
        "severe",
        "--channel",
        "branch",
    ];
    let reported = node.posko(&args).unwrap();
    reported["outcome"]["stream_id"].as_str().unwrap().into()
}

#[test]
fn a_backup_taken_while_its_node_writes_makes_a_node_that_verifies_and_starts_unproven() {
    let dir = tempfile::tempdir().unwrap();
    let federation = Federation::start(dir.path(), |_| Ok(())).unwrap();
    let jabar = federation.node("32").unwrap();
    let [safe, file, to] =
        ["recovery.key", "32.backup", "restored"].map(|name| dir.path().join(name));
    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let before = report(jabar);
    fs::rename(jabar.dir().join("keys/recovery.key"), &safe).unwrap();

    println!("two clients report incidents while the backup is taken");
    let done = AtomicBool::new(false);
    let (backup, reported) = thread::scope(|scope| {
        let (first, begun) = mpsc::channel();
        let done = &done;
        let writers = [first.clone(), first].map(|first| {
            scope.spawn(move || {
                let mut reported = vec![report(jabar)];
                first.send(()).unwrap();
                while !done.load(Ordering::Relaxed) {
                    reported.push(report(jabar));
                }
                reported
            })
        });
        for _ in &writers {
            begun.recv().unwrap();
        }
        let backup = jabar.console(&["backup", "--out", &path(&file)]);
        done.store(true, Ordering::Relaxed);
        let reported: Vec<String> = (writers.into_iter())
            .flat_map(|writer| writer.join().unwrap())
            .collect();
        (backup.unwrap(), reported)
    });
    println!(
        "{} incidents were reported, the backup ends at {}",
        reported.len(),
        backup["position"]
    );
    for incident in reported.iter().chain([&before]) {
        jabar.posko(&["incident", "show", incident]).unwrap();
    }

    println!("the node is lost, and made again of the backup");
    jabar.kill9().unwrap();
    let posko = |args: &[&str]| -> Output {
        Command::new(federation.program())
            .args(["--json", "--dir", &path(&to)])
            .args(args)
            .env("HOME", dir.path())
            .output()
            .unwrap()
    };
    let answered = |args: &[&str]| -> Value {
        let output = posko(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (key, archive) = (path(&safe), path(&file));
    let checked = answered(&["restore", &archive, "--check", "--recovery-key", &key]);
    assert_eq!(checked["keys_opened"], true);
    let restore = ["restore", &archive, "--recovery-key", &key];
    let refused = posko(&restore);
    assert_eq!(refused.status.code(), Some(3));
    let why = String::from_utf8(refused.stderr).unwrap();
    assert!(
        why.contains("node_alive") && why.contains("has heard of node `32`"),
        "{why}"
    );
    assert!(!to.exists(), "a refused restore left something");
    let made = answered(&[&restore[..], &["--force"]].concat());
    assert_eq!(made["position"], backup["position"]);
    let asked = made["asked"].as_array().unwrap();
    assert!(
        asked.len() == 2 && asked.iter().all(|peer| peer["seen"].is_string()),
        "{made}"
    );
    assert_eq!(posko(&restore).status.code(), Some(3));

    let verified = answered(&["log", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
    // The peers are gone: nobody can be asked, and the node says so.
    for origin in ["31", "36"] {
        federation.node(origin).unwrap().kill9().unwrap();
    }
    fs::remove_dir_all(jabar.dir()).unwrap();
    fs::rename(&to, jabar.dir()).unwrap();
    jabar.start().unwrap();
    let status = jabar.console(&["status"]).unwrap();
    let standing = &status["standing"];
    assert_eq!(standing["state"], "unproven", "{status}");
    assert_eq!(standing["why"], "the file is a backup copy", "{status}");
    assert_eq!(status["youngest_copy"]["made_at"], made["made"], "{status}");
    assert_eq!(status["youngest_copy"]["end"], made["position"], "{status}");
    jabar.posko(&["incident", "show", &before]).unwrap();
    report(jabar);
}
