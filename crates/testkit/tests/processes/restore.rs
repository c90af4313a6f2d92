//! A node comes back with an older file: its peers give back what it had told, also after it has written again.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, ensure};
use posko_testkit::{Federation, Node, eventually};
use serde_json::Value;

/// Two rounds of heartbeats prove a start; this is ten times as long.
const PROVEN_WITHIN: Duration = Duration::from_secs(100);
const SOON: Duration = Duration::from_secs(50);

const REPORT: [&str; 10] = [
    "incident",
    "report",
    "--hazard",
    "flood",
    "--region",
    "32.03",
    "--severity",
    "moderate",
    "--channel",
    "branch",
];

fn report(node: &Node) -> String {
    let reported = node.posko(&REPORT).unwrap();
    reported["outcome"]["stream_id"].as_str().unwrap().into()
}

/// The files of the log.
const LOG: &[&str] = &["posko.db"];
/// The files of the log, and the high-water mark beside it.
const LOG_AND_MARK: &[&str] = &["posko.db", "mark"];

/// Returns the files whose names begin so.
fn files(dir: &Path, which: &[&str]) -> Vec<PathBuf> {
    let found = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        which.iter().any(|begin| name.starts_with(begin))
    };
    found.filter(is_one).collect()
}

fn copy(from: &Path, to: &Path, which: &[&str]) {
    for file in files(to, which) {
        fs::remove_file(file).unwrap();
    }
    for file in files(from, which) {
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

fn digests(node: &Node) -> Result<Value> {
    Ok(node.console(&["views", "digest"])?["digests"].clone())
}

/// A federation whose node `32` wrote a report before its files were copied and two after it, and gets the copy.
struct Restored {
    _dir: tempfile::TempDir,
    federation: Federation,
    reports: Vec<String>,
}

impl Restored {
    fn new(which: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let federation = Federation::start(dir.path(), |_| Ok(())).unwrap();
        let jabar = federation.node("32").unwrap();
        let backup = dir.path().join("backup");
        fs::create_dir(&backup).unwrap();

        println!("32 writes, is copied, and writes more, which its peers see");
        let mut reports = vec![report(jabar)];
        jabar.stop().unwrap();
        copy(jabar.dir(), &backup, which);
        jabar.start().unwrap();
        reports.extend([report(jabar), report(jabar)]);
        let restored = Self {
            _dir: dir,
            federation,
            reports,
        };
        restored.all_see();

        println!("32 loses its file and gets the copy");
        let jabar = restored.jabar();
        jabar.stop().unwrap();
        copy(&backup, jabar.dir(), which);
        restored
    }

    fn jabar(&self) -> &Node {
        self.federation.node("32").unwrap()
    }

    /// Starts `32` without its peers, and has it write a report.
    fn write_alone(&mut self) -> Value {
        for peer in ["31", "36"] {
            self.federation.cut("32", peer).unwrap();
        }
        self.jabar().start().unwrap();
        let alone = report(self.jabar());
        self.reports.push(alone);
        let lost = &self.reports[1];
        assert!(self.jabar().posko(&["incident", "show", lost]).is_err());
        self.jabar().console(&["status"]).unwrap()
    }

    fn reconnect(&self) {
        println!("the links return");
        for peer in ["31", "36"] {
            self.federation.restore("32", peer).unwrap();
        }
    }

    fn all_see(&self) {
        for node in self.federation.nodes() {
            let what = format!("{} sees all reports", node.origin());
            let look = || {
                for report in &self.reports {
                    node.posko(&["incident", "show", report])?;
                }
                Ok(Some(()))
            };
            eventually(&what, SOON, look).unwrap();
        }
    }

    /// Waits until `32` is clean again; then every node has the same picture and an intact log.
    fn all_is_well(self) {
        eventually("32 is clean", PROVEN_WITHIN, || {
            let standing = self.jabar().console(&["status"])?["standing"].clone();
            ensure!(standing["state"] == "clean", "{standing}");
            Ok(Some(()))
        })
        .unwrap();
        self.all_see();
        eventually("the digests agree", SOON, || {
            let expected = digests(self.jabar())?;
            for node in self.federation.nodes() {
                let found = digests(node)?;
                ensure!(found == expected, "{}: {found}", node.origin());
            }
            Ok(Some(()))
        })
        .unwrap();
        for node in self.federation.nodes() {
            let verified = node.console(&["log", "verify"]).unwrap();
            assert_eq!(verified["ok"], true, "{}: {verified}", node.origin());
        }
        self.federation.stop().unwrap();
    }
}

#[test]
fn a_node_restored_from_a_copy_gets_back_from_its_peers_what_it_had_told() {
    let mut restored = Restored::new(LOG);
    restored.jabar().start().unwrap();
    restored.all_see();

    println!("32 writes on");
    let next = report(restored.jabar());
    restored.reports.push(next);
    restored.all_is_well();
}

#[test]
fn what_a_restored_node_wrote_while_alone_and_what_it_had_lost_both_stand_on_all_nodes() {
    let mut restored = Restored::new(LOG);
    let status = restored.write_alone();
    assert_eq!(status["standing"]["state"], "unproven", "{status}");
    let waiting = &status["standing"]["waiting"];
    assert_eq!(*waiting, serde_json::json!(["31", "36"]));
    restored.reconnect();
    restored.all_is_well();
}

#[test]
fn a_machine_rolled_back_whole_that_wrote_alone_stops_writing_at_the_first_contact_until_it_starts_again()
 {
    let mut restored = Restored::new(LOG_AND_MARK);
    let status = restored.write_alone();
    assert_eq!(status["standing"]["state"], "clean", "{status}");
    restored.reconnect();
    let jabar = restored.jabar();
    let fenced = || {
        let status = jabar.console(&["status"])?;
        ensure!(status["standing"]["state"] == "fenced", "{status}");
        Ok(Some(status))
    };
    let (status, _) = eventually("32 stops writing", SOON, fenced).unwrap();
    assert_eq!(status["writing"], false);
    assert_eq!(status["not_writing_because"], status["standing"]["why"]);
    let refused = jabar.posko(&REPORT).unwrap_err().to_string();
    assert!(refused.contains("which is not here"), "{refused}");

    println!("32 starts again");
    jabar.stop().unwrap();
    jabar.start().unwrap();
    restored.all_is_well();
}
