//! The demo: three provinces share a real warning and the incident it becomes, and headquarters listens, with real
//! processes on loopback.
//!
//! `cargo xtask demo` builds and runs it; what it shows is told in `story.rs`.

mod report;
mod story;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use posko_testkit::{Federation, GATEWAY, Node, ORIGINS, interrupt};
use tempfile::TempDir;

use crate::{report::Report, story::Story};

/// The file that marks a directory as the demo's own, so that it may be emptied by the next one.
const MARK: &str = ".posko-demo";

/// Plays how three provinces share a real warning and the incident it becomes
#[derive(Debug, Parser)]
#[command(name = "posko-demo", version)]
struct Options {
    /// Play the story to its end and stop, instead of running until Ctrl-C
    #[arg(long)]
    once: bool,
    /// Print one JSON object with the checks
    #[arg(long)]
    json: bool,
    /// Also play the recorded feeds of a folder
    #[arg(long, value_name = "DIR")]
    feed: Option<PathBuf>,
    /// Keep the nodes' directories and every node's exported logs
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Where the nodes live: for a look afterwards, or for this run alone.
enum Home {
    Kept(PathBuf),
    Passing(TempDir),
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut report = Report::new(options.json);
    let played = watch_signals().and_then(|stop| play(&options, &mut report, &stop));
    if let Err(error) = &played {
        report.fail("the story was played to its end", &format!("{error:#}"));
    }
    report.print();
    if played.is_ok() && report.held() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn play(
    options: &Options,
    report: &mut Report,
    stop: &std::sync::mpsc::Receiver<()>,
) -> Result<()> {
    let home = Home::make(options.keep.as_deref())?;
    report.tell(&format!("the nodes live in {}", home.dir().display()));
    let story = Story::begin(home.dir(), options.feed.as_deref(), report)?;
    story.play(report)?;
    if let Home::Kept(dir) = &home {
        export(dir, story.federation(), report)?;
    }
    if !options.once {
        report.print();
        story.invite();
        // A closed channel is a wish to stop too.
        let _ = stop.recv();
        report.tell("stopping");
    }
    story.federation().stop()?;
    if let Home::Kept(dir) = &home {
        report.tell(&format!("kept in {}", dir.display()));
    }
    Ok(())
}

impl Home {
    fn make(keep: Option<&Path>) -> Result<Self> {
        let Some(keep) = keep else {
            let home = tempfile::Builder::new().prefix("posko-demo-").tempdir();
            return home
                .map(Self::Passing)
                .context("make a directory for the nodes");
        };
        let dir = std::path::absolute(keep)?;
        let mark = dir.join(MARK);
        for origin in ORIGINS.into_iter().chain([GATEWAY]) {
            let node = dir.join(origin);
            if node.exists() {
                ensure!(
                    mark.exists(),
                    "`{}` is there already and is not of a demo",
                    node.display()
                );
                fs::remove_dir_all(&node).with_context(|| format!("empty `{}`", node.display()))?;
            }
        }
        fs::create_dir_all(&dir).with_context(|| format!("make `{}`", dir.display()))?;
        fs::write(&mark, "").with_context(|| format!("write `{}`", mark.display()))?;
        Ok(Self::Kept(dir))
    }

    fn dir(&self) -> &Path {
        match self {
            Self::Kept(dir) => dir,
            Self::Passing(dir) => dir.path(),
        }
    }
}

/// Exports every log of every node, and has the independent verifier check the files where its Python is at hand.
fn export(dir: &Path, federation: &Federation, report: &mut Report) -> Result<()> {
    let mut files = Vec::new();
    for node in federation.nodes() {
        let folder = dir.join(node.origin()).join("export");
        fs::create_dir_all(&folder).with_context(|| format!("make `{}`", folder.display()))?;
        for origin in federation.nodes().map(Node::origin) {
            let file = folder.join(format!("{origin}.poskolog"));
            node.console(&["log", "export", origin, "--out", &file.to_string_lossy()])?;
            files.push(file);
        }
    }
    report.check(
        "every node exported every log",
        true,
        &format!("{} files", files.len()),
    );
    let Some((python, verifier)) = independent_verifier() else {
        report.tell("the independent verifier was not run: it needs the sources, and Python with `cryptography`");
        return Ok(());
    };
    let output = Command::new(python)
        .arg("-B")
        .arg(verifier)
        .args(&files)
        .output();
    let output = output.context("run the independent verifier")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let said = format!("{said}{}", String::from_utf8_lossy(&output.stderr));
    let figure = if output.status.success() {
        format!("{} files", files.len())
    } else {
        said.trim().to_owned()
    };
    report.check(
        "the independent verifier agrees",
        output.status.success(),
        &figure,
    );
    Ok(())
}

/// Returns a Python that has what the verifier needs, and the verifier.
fn independent_verifier() -> Option<(PathBuf, PathBuf)> {
    let verifier = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/verify/verify.py");
    let own = std::env::current_exe().ok()?;
    // The checks keep a Python of their own in the target folder.
    let venv = own.parent()?.parent()?.join("venv/bin/python3");
    let has_library = |python: &PathBuf| {
        let asked = Command::new(python)
            .args(["-c", "import cryptography"])
            .output();
        asked.is_ok_and(|asked| asked.status.success())
    };
    let python = [venv, PathBuf::from("python3")]
        .into_iter()
        .find(has_library)?;
    verifier.is_file().then_some((python, verifier))
}

/// Has Ctrl-C and SIGTERM end every wait, so that the nodes are stopped and the directory is removed.
fn watch_signals() -> Result<std::sync::mpsc::Receiver<()>> {
    let (wish, stop) = std::sync::mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let Ok(mut terminate) = signal(SignalKind::terminate()) else {
                return;
            };
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        });
        interrupt();
        // Nobody listens while the story is played: the next wait ends it.
        let _ = wish.send(());
    });
    Ok(stop)
}
