//! Restore drills: a node comes back with less than it had, or beside itself, and nothing that it had told is lost.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
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

/// What `32` is given back while it is stopped, of the time when it had written one report of three.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// Older files whose names begin so.
    Older(&'static [&'static str]),
    /// Nothing: the files whose names begin so are gone.
    Gone(&'static [&'static str]),
    /// A directory that was made of a backup.
    Backup,
    /// The same, for the second time: it has written since the first.
    BackupAgain,
}

/// A drill, and how `32` must stand at each step.
struct Drill {
    name: &'static str,
    fault: Fault,
    /// Which peers it reaches when it starts.
    reaches: &'static [&'static str],
    /// How it stands then: its state, and what the reason tells; where it reaches everybody it is clean so soon that
    /// nothing else may be seen.
    stands: (&'static str, &'static str),
    /// How it stands at last without another start, once it reaches everybody.
    then: &'static str,
}

/// The files of the log, and the high-water mark beside it.
pub(super) const LOG_AND_MARK: &[&str] = &["posko.db", "mark"];
const OLDER_FILE: Fault = Fault::Older(&["posko.db"]);
const AHEAD: &str = "the high-water mark is ahead of the file";
const COPY: &str = "the file is a backup copy";
const ALL: &[&str] = &["31", "36"];

/// Each ends with every report on every node, the same picture everywhere, and every log intact.
const DRILLS: [Drill; 12] = [
    drill(
        "an older file, peers there",
        OLDER_FILE,
        ALL,
        ("clean", ""),
        "clean",
    ),
    drill(
        "an older file, peers away",
        OLDER_FILE,
        &[],
        ("unproven", AHEAD),
        "clean",
    ),
    drill(
        "an older file, a peer there",
        OLDER_FILE,
        &["31"],
        ("unproven", AHEAD),
        "clean",
    ),
    drill(
        "a backup, peers there",
        Fault::Backup,
        ALL,
        ("clean", ""),
        "clean",
    ),
    drill(
        "a backup, peers away",
        Fault::Backup,
        &[],
        ("unproven", COPY),
        "clean",
    ),
    drill(
        "a backup, a peer there",
        Fault::Backup,
        &["36"],
        ("unproven", COPY),
        "clean",
    ),
    drill(
        "the same backup twice, peers there",
        Fault::BackupAgain,
        ALL,
        ("clean", ""),
        "clean",
    ),
    drill(
        "the same backup twice, peers away",
        Fault::BackupAgain,
        &[],
        ("unproven", COPY),
        "clean",
    ),
    drill(
        "the mark is gone, peers away",
        Fault::Gone(&["mark"]),
        &[],
        ("unproven", "the high-water mark was not there"),
        "clean",
    ),
    drill(
        "an older mark, peers away",
        Fault::Older(&["mark"]),
        &[],
        ("clean", ""),
        "clean",
    ),
    drill(
        "the whole machine rolled back, peers there",
        Fault::Older(LOG_AND_MARK),
        ALL,
        ("clean", ""),
        "clean",
    ),
    drill(
        "the whole machine rolled back, peers away",
        Fault::Older(LOG_AND_MARK),
        &[],
        ("clean", ""),
        "fenced",
    ),
];

const fn drill(
    name: &'static str,
    fault: Fault,
    reaches: &'static [&'static str],
    stands: (&'static str, &'static str),
    then: &'static str,
) -> Drill {
    Drill {
        name,
        fault,
        reaches,
        stands,
        then,
    }
}

/// Returns the files whose names begin so.
fn files(dir: &Path, which: &[&str]) -> Vec<PathBuf> {
    let found = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        which.iter().any(|begin| name.starts_with(begin))
    };
    found.filter(is_one).collect()
}

pub(super) fn copy(from: &Path, to: &Path, which: &[&str]) {
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

/// A federation whose node `32` has written three reports, with its files as they were after the first.
struct Scene {
    dir: tempfile::TempDir,
    federation: Federation,
    reports: Vec<String>,
}

impl Scene {
    fn new(fault: Fault) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let federation = Federation::start(dir.path(), |_| Ok(())).unwrap();
        let mut scene = Self {
            reports: Vec::new(),
            federation,
            dir,
        };
        let jabar = scene.jabar();
        let recovery = jabar.dir().join("keys/recovery.key");
        let mut reports = vec![report(jabar)];
        if matches!(fault, Fault::Backup | Fault::BackupAgain) {
            reports.extend(scene.back_up_while_it_writes());
            fs::rename(recovery, scene.at("recovery.key")).unwrap();
        } else {
            jabar.stop().unwrap();
            fs::create_dir(scene.at("older")).unwrap();
            copy(jabar.dir(), &scene.at("older"), LOG_AND_MARK);
            jabar.start().unwrap();
        }
        reports.extend([report(jabar), report(jabar)]);
        scene.reports = reports;
        scene.all_see();
        scene
    }

    fn jabar(&self) -> &Node {
        self.federation.node("32").unwrap()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn path(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }

    /// Takes a backup while others write, and returns what they wrote.
    fn back_up_while_it_writes(&self) -> Vec<String> {
        let (jabar, file) = (self.jabar(), self.path("32.backup"));
        thread::scope(|scope| {
            let writers = [0; 3].map(|_| scope.spawn(|| [0; 4].map(|_| report(jabar))));
            jabar.console(&["backup", "--out", &file]).unwrap();
            writers.map(|writer| writer.join().unwrap()).concat()
        })
    }

    /// Makes a directory of the backup in which `32` can be started, and says how that went.
    fn restore(&self, to: &str, more: &[&str]) -> Output {
        let (dir, file, key) = (
            self.path(to),
            self.path("32.backup"),
            self.path("recovery.key"),
        );
        let mut restore = Command::new(self.federation.program());
        restore.args(["--json", "--dir", &dir, "restore", &file]);
        restore.args(["--recovery-key", &key]).args(more);
        restore.env("HOME", self.dir.path()).output().unwrap()
    }

    /// Puts a directory that is made of the backup in the place of the stopped node's.
    fn replace(&self) {
        let restored = self.restore("restored", &["--force"]);
        assert!(restored.status.success(), "{restored:?}");
        fs::remove_dir_all(self.jabar().dir()).unwrap();
        fs::rename(self.at("restored"), self.jabar().dir()).unwrap();
    }

    fn suffer(&mut self, fault: Fault) {
        self.jabar().stop().unwrap();
        let dir = self.jabar().dir();
        match fault {
            Fault::Older(which) => copy(&self.at("older"), dir, which),
            Fault::Gone(which) => {
                for file in files(dir, which) {
                    fs::remove_file(file).unwrap();
                }
            }
            Fault::Backup => self.replace(),
            Fault::BackupAgain => {
                self.replace();
                self.jabar().start().unwrap();
                let between = report(self.jabar());
                self.reports.push(between);
                self.all_see();
                self.jabar().stop().unwrap();
                self.replace();
            }
        }
    }

    fn standing(&self) -> Result<Value> {
        Ok(self.jabar().console(&["status"])?["standing"].clone())
    }

    fn until(&self, state: &str) -> Value {
        let look = || {
            let standing = self.standing()?;
            ensure!(standing["state"] == state, "{standing}");
            Ok(Some(standing))
        };
        eventually(&format!("32 is {state}"), PROVEN_WITHIN, look)
            .unwrap()
            .0
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

    /// Waits until `32` is clean; then every node has every report, the same picture, and every log intact.
    fn all_is_well(&self) {
        self.until("clean");
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

impl Drill {
    fn run(&self) {
        let mut scene = Scene::new(self.fault);
        scene.suffer(self.fault);
        let away = ALL.iter().filter(|peer| !self.reaches.contains(peer));
        let away: Vec<&str> = away.copied().collect();
        for peer in &away {
            scene.federation.cut("32", peer).unwrap();
        }
        scene.jabar().start().unwrap();
        let (state, why) = self.stands;
        if !away.is_empty() {
            let standing = scene.standing().unwrap();
            assert_eq!(standing["state"], state, "{standing}");
            assert!(
                standing["why"].as_str().unwrap_or_default().contains(why),
                "{standing}"
            );
        }
        if state == "unproven" {
            // A peer that is there is asked at once, and again once it has given back what it held.
            let look = || {
                let standing = scene.standing()?;
                ensure!(standing["waiting"] == serde_json::json!(away), "{standing}");
                Ok(Some(()))
            };
            eventually("32 waits for who is away alone", SOON, look).unwrap();
        }
        // What only adds is recorded at once, however it stands.
        let next = report(scene.jabar());
        scene.reports.push(next);
        for peer in &away {
            scene.federation.restore("32", peer).unwrap();
        }
        if self.then == "fenced" {
            let standing = scene.until("fenced");
            let status = scene.jabar().console(&["status"]).unwrap();
            assert_eq!(status["writing"], false);
            assert_eq!(status["not_writing_because"], standing["why"]);
            let refused = scene.jabar().posko(&REPORT).unwrap_err().to_string();
            assert!(refused.contains("which is not here"), "{refused}");
            scene.jabar().stop().unwrap();
            scene.jabar().start().unwrap();
        }
        scene.all_is_well();
    }
}

/// Runs drills side by side: each waits most of its time.
fn run(drills: &'static [Drill]) {
    let running: Vec<_> = (drills.iter())
        .map(|drill| {
            let named = thread::Builder::new().name(drill.name.to_owned());
            (drill.name, named.spawn(|| drill.run()).unwrap())
        })
        .collect();
    let failed: Vec<&str> = (running.into_iter())
        .filter_map(|(name, drill)| drill.join().is_err().then_some(name))
        .collect();
    assert_eq!(failed, [""; 0], "these drills failed");
}

#[test]
fn a_node_restored_from_an_older_file_or_a_backup_loses_nothing_that_it_had_told() {
    run(&DRILLS[..6]);
}

#[test]
fn a_node_that_lost_its_mark_or_its_file_or_was_rolled_back_whole_loses_nothing_that_it_had_told() {
    run(&DRILLS[6..]);
}

#[test]
fn a_node_whose_file_is_gone_takes_its_peers_cards_again_and_gets_back_all_that_it_had_told() {
    let mut scene = Scene::new(OLDER_FILE);
    scene.suffer(Fault::Gone(&["posko.db"]));
    scene.jabar().start().unwrap();
    let standing = scene.standing().unwrap();
    assert_eq!(standing["state"], "unproven", "{standing}");
    assert_eq!(standing["why"], "the file was not there");
    scene.federation.introduce().unwrap();
    scene.until("clean");

    println!("accounts were nowhere else: they are made anew");
    scene.jabar().employ().unwrap();
    let next = report(scene.jabar());
    scene.reports.push(next);
    scene.all_is_well();
}

#[test]
fn a_node_that_was_restored_while_the_old_one_still_runs_waits_until_that_is_gone() {
    let mut scene = Scene::new(Fault::Backup);
    let refused = scene.restore("beside", &[]);
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    let restored = scene.restore("beside", &["--force"]);
    assert!(restored.status.success(), "{restored:?}");

    println!("both run: the peers keep to the old one, and the new one says why it is not let in");
    let twin = scene.jabar().twin(&scene.at("beside")).unwrap();
    twin.start().unwrap();
    let refused = || {
        let status = twin.console(&["status"])?;
        let peers = status["peers"].as_array().unwrap();
        let told = |peer: &Value| {
            peer["why"]
                .as_str()
                .unwrap_or_default()
                .contains("another run")
        };
        ensure!(peers.iter().all(told), "{status}");
        Ok(Some(status))
    };
    let (status, _) = eventually("the new one is refused by both", SOON, refused).unwrap();
    assert_eq!(status["standing"]["state"], "unproven", "{status}");
    twin.log_in().unwrap();
    let both = [report(scene.jabar()), report(&twin)];
    scene.reports.extend(both);

    println!("the old one is stopped for good: the new one takes its place");
    scene.jabar().stop().unwrap();
    eventually("the new one has all reports", PROVEN_WITHIN, || {
        let standing = twin.console(&["status"])?["standing"].clone();
        ensure!(standing["state"] == "clean", "{standing}");
        for report in &scene.reports {
            for node in [
                scene.federation.node("31")?,
                scene.federation.node("36")?,
                &twin,
            ] {
                node.posko(&["incident", "show", report])?;
            }
        }
        Ok(Some(()))
    })
    .unwrap();
    assert_eq!(twin.console(&["log", "verify"]).unwrap()["ok"], true);
    twin.stop().unwrap();
    scene.federation.stop().unwrap();
}
