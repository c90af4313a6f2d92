//! What needs no running node: making one, its card, checking and exporting logs, building views anew.

use std::{
    fs::{self, File},
    io::{BufWriter, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, bail, ensure};
use posko_domain::{
    context::{self, GATEWAY},
    region,
    warning::decide,
};
pub use posko_formats::{
    check::{Check, Fault, Verdict},
    document::Format,
};
use posko_ledger::{
    key::SecretKey,
    log_file::{self, LogFileError, Problem},
};
use posko_proto::{
    Id, NodeId,
    federation::v1::NodeRole,
    time::Millis,
    warning::v1::{Fate, TakenItem, Warning},
};
pub use posko_store::ReopenRefused;
pub use posko_store::gap::OtherBranch;
use posko_store::{LogReport, Store, VerifyError};
use uuid::Uuid;

use crate::{
    api, backup,
    config::Config,
    identity::{Keys, NodeCard, ReloadingKey, role_name, tls::federation_client_config},
    intake::{self, Gauge, Item, Judged, Scope, Wanted, document::Memory, wanted::Effect},
    node::{CARD, STORE, lock, log_identity, make_dir, open_store, read_card, trust, write_secret},
    peer::probe,
    time::{now, unix_now},
};
pub use crate::{
    peer::probe::Sighting,
    report::{CertificateFault, check_certificate},
};

/// What a new node is to be.
#[derive(Debug, Clone)]
pub struct InitOptions {
    /// Where it lives; made when it is not there, and must be empty.
    pub dir: PathBuf,
    /// What it is: a province's node, or headquarters' gateway.
    pub role: NodeRole,
    /// Its name: the code of its province, or `ims` for the gateway.
    pub origin: NodeId,
    /// The card of a node whose federation it joins; without one it makes the federation.
    pub join: Option<String>,
    /// Where it listens for operators.
    pub api_address: String,
    /// Where it listens for peers.
    pub federation_address: String,
    /// Where peers dial it; none when nobody can.
    pub public_address: Option<String>,
    /// The names and addresses by which operators reach it, besides `localhost`.
    pub names: Vec<String>,
}

/// Makes a node's directory: configuration, CA, keys, card and an empty store. Returns its card.
///
/// A node that joins has not accepted anybody yet: cards are accepted one by one, with `posko peer add`.
pub async fn init(options: InitOptions) -> anyhow::Result<NodeCard> {
    let InitOptions {
        dir, origin, join, ..
    } = &options;
    check_name(&options)?;
    let federation = match join {
        None => Id::from(Uuid::new_v4()),
        Some(text) => {
            let card = NodeCard::from_text(text).context("read the card of the node to join")?;
            ensure!(
                card.origin() != *origin,
                "the card to join is of `{origin}` itself"
            );
            card.identity().federation
        }
    };
    let config = configuration(&options, federation).context("the new configuration")?;
    make_dir(dir).with_context(|| format!("make `{}`", dir.display()))?;
    let file = dir.join("config.toml");
    ensure!(
        !file.exists(),
        "`{}` is there already: a node is made once",
        file.display()
    );
    let _lock = lock(dir)?;
    let role = config.role;
    let keys = Keys::create(dir, federation, *origin, role, &options.names, unix_now())
        .context("make the keys")?;
    let card = keys.make_card(options.public_address.as_deref().unwrap_or_default())?;
    write_secret(&dir.join(CARD), &card.to_text())?;
    let store = open_store(dir, &keys, |_| {}).await?;
    tokio::task::spawn_blocking(move || store.close()).await?;
    write_secret(&file, &config.to_toml())?;
    Ok(card)
}

/// Refuses a name that does not fit the role, and a gateway to no federation.
fn check_name(options: &InitOptions) -> anyhow::Result<()> {
    let origin = options.origin;
    if options.role == NodeRole::Gateway {
        ensure!(
            origin.as_str() == GATEWAY,
            "`{origin}` is no gateway: headquarters' gateway is named `{GATEWAY}`"
        );
        ensure!(
            options.join.is_some(),
            "a gateway joins a federation: give the card of one of its nodes"
        );
        return Ok(());
    }
    ensure!(
        origin.as_str() != GATEWAY,
        "`{origin}` is no province but headquarters' gateway, whose role is `gateway`"
    );
    ensure!(
        region::find(origin.as_str()).is_some(),
        "`{origin}` is no province: expected the code of one, such as `32`"
    );
    Ok(())
}

fn configuration(options: &InitOptions, federation: Id) -> anyhow::Result<Config> {
    let quoted = |text: &str| format!("{text:?}");
    let names: Vec<String> = options.names.iter().map(|name| quoted(name)).collect();
    let public = options.public_address.as_ref();
    let text = format!(
        "origin = {}\nrole = {}\nfederation_id = {}\n[federation]\nlisten = {}\n{}[api]\nlisten = {}\nnames = [{}]\n",
        quoted(options.origin.as_str()),
        quoted(role_name(options.role)),
        quoted(&federation.to_string()),
        quoted(&options.federation_address),
        public
            .map(|address| format!("public_address = {}\n", quoted(address)))
            .unwrap_or_default(),
        quoted(&options.api_address),
        names.join(", "),
    );
    Ok(Config::parse(&text)?)
}

/// Returns the card of the node of a directory; it is made anew while the recovery key is there, so that it tells the
/// address in the configuration.
pub fn card(dir: &Path) -> anyhow::Result<NodeCard> {
    let config = Config::load(dir)?;
    let keys = Keys::load(dir)?;
    if keys.recovery.is_some() {
        let card = keys.make_card(
            config
                .federation
                .public_address
                .as_deref()
                .unwrap_or_default(),
        )?;
        write_secret(&dir.join(CARD), &card.to_text())?;
        return Ok(card);
    }
    read_card(dir)?
        .context("the node's card is not in its directory: make it with the recovery key")
}

/// Opens the store of a directory for reading, also while the node runs.
fn inspect(dir: &Path) -> anyhow::Result<Store> {
    let keys = Keys::load(dir).context("read the node's keys")?;
    let card = read_card(dir)?
        .context("the node's card is not in its directory: make it with the recovery key")?;
    let identity = log_identity(&keys, card.recovery_key().to_bytes())?;
    let log_key = Arc::new(SecretKey::from_seed(&keys.log.to_bytes()));
    Store::inspect(&dir.join(STORE), identity, log_key).context("open the store")
}

/// Asks the peers that the node of a directory has accepted when they last heard of it; it must not run there.
pub async fn sightings(dir: &Path) -> anyhow::Result<Vec<Sighting>> {
    let keys = Keys::load(dir).context("read the node's keys")?;
    let store = inspect(dir)?;
    let trust = trust(&store, &keys)?;
    let own = keys.identity().origin;
    let signed = (store.opens(own)?.iter().map(|open| open.log_key))
        .chain([SecretKey::from_seed(&keys.log.to_bytes()).public()])
        .collect::<Vec<_>>();
    let client = federation_client_config(&ReloadingKey::new(&keys.leaf)?)?;
    Ok(probe::sightings(own, &signed, &client, &trust).await)
}

/// What the check of one log found.
#[derive(Debug)]
pub struct LogCheck {
    /// Whose log it is.
    pub origin: NodeId,
    /// What it was found to be, or where and why it does not hold together.
    pub found: Result<LogReport, VerifyError>,
}

/// Checks every log of a directory, also while the node runs. `progress` gets a log's name, and how many of its
/// entries are checked.
pub fn verify_logs(
    dir: &Path,
    progress: &mut dyn FnMut(NodeId, u64),
) -> anyhow::Result<Vec<LogCheck>> {
    let store = inspect(dir)?;
    let logs = store.logs();
    let check = |log: posko_store::LogState| {
        let found = store.verify_log(log.origin, &mut |entries| progress(log.origin, entries));
        LogCheck {
            origin: log.origin,
            found,
        }
    };
    Ok(logs.into_iter().map(check).collect())
}

/// Checks an exported log. A file that cannot be read, which says nothing about the log, is a [`std::io::Error`].
pub fn verify_file(path: &Path) -> anyhow::Result<log_file::Summary> {
    let file = File::open(path).with_context(|| format!("open `{}`", path.display()))?;
    match log_file::verify(std::io::BufReader::new(file)) {
        Err(LogFileError {
            problem: Problem::Read(error),
            ..
        }) => Err(error).with_context(|| format!("read `{}`", path.display())),
        verified => verified.with_context(|| format!("`{}`", path.display())),
    }
}

/// A document as it is found to be, and what each of its items would become.
#[derive(Debug)]
pub struct Checked {
    /// What it is, what is in it and what is wrong with it.
    pub check: Check,
    /// Its items, each as intake would take it.
    pub items: Vec<Foreseen>,
}

/// An item, and what would become of it.
#[derive(Debug)]
pub struct Foreseen {
    /// What would become of it; `taken` for one that would be recorded, unless it is known already.
    pub item: TakenItem,
    /// The warning that it would be, for one that would be recorded.
    pub warning: Option<Warning>,
}

/// Reads a document as intake would, with what is configured in a node's directory or without one, and says what it is, what
/// is wrong with it and what it would become; nothing is stored.
/// No more is read than shows that it is too large.
pub fn check_document(dir: Option<&Path>, read: impl Read) -> anyhow::Result<Checked> {
    let limit = u64::try_from(posko_formats::MAX_DOCUMENT_BYTES)?.saturating_add(1);
    let mut document = Vec::new();
    read.take(limit).read_to_end(&mut document)?;
    // A check without a node is a check with what ships.
    let configured = dir.filter(|dir| dir.join(crate::config::FILE_NAME).exists());
    let gauges = configured.map(Config::load).transpose()?;
    let scope = Scope {
        gauges: gauges.map_or_else(Gauge::shipped, |config| config.gauges),
        ..Scope::default()
    };
    // Whether a reading jumps is told by those before it; a directory whose store cannot be read knows of none.
    let kept = configured.and_then(|dir| inspect(dir).ok()?.gauge_readings().ok());
    let memory = Memory::of(kept.unwrap_or_default());
    Ok(check_bytes(&document, &scope, &memory, now()))
}

/// Says of the bytes of a document what they are and what they would become at a moment: what intake refuses is invalid,
/// however well it is written.
pub(crate) fn check_bytes(document: &[u8], scope: &Scope, memory: &Memory, now: Millis) -> Checked {
    let mut check = posko_formats::check::check(document);
    let judged = intake::document::judge(document, scope, memory, now);
    let items = match judged {
        Ok(judgement) => judgement.items,
        Err((_, error)) => {
            check.add_fault(&error.to_string());
            Vec::new()
        }
    };
    let items = items.into_iter().map(|item| foreseen(item, now));
    let items: Vec<Foreseen> = items.collect();
    let refused = |item: &&Foreseen| item.item.fate() == Fate::Refused;
    for item in items.iter().filter(refused) {
        check.add_fault(&item.item.message);
    }
    Checked { check, items }
}

/// A feed that is not configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("feed `{name}` is not configured: {}", if .known.is_empty() { "there are none".to_owned() } else { format!("there are `{}`", .known.join("`, `")) })]
pub struct UnknownFeed {
    /// What was asked for.
    pub name: String,
    /// What there is.
    pub known: Vec<String>,
}

/// What one asking of a feed gave.
#[derive(Debug)]
pub struct FeedTrial {
    /// Its kind in the configuration.
    pub kind: &'static str,
    /// Where it was asked.
    pub url: String,
    /// What it answered with, where that is known.
    pub format: Option<Format>,
    /// Its items, each as intake would take it.
    pub items: Vec<Foreseen>,
    /// Why there are none.
    pub failure: Option<String>,
}

/// Asks a feed of a directory's configuration once, now, also while the node runs; nothing is stored. One that is not
/// configured is an [`UnknownFeed`].
pub async fn try_feed(dir: &Path, name: &str) -> anyhow::Result<FeedTrial> {
    let config = Config::load(dir)?;
    let Some(feed) = config.feeds.iter().find(|feed| feed.name == name) else {
        let known = config.feeds.iter().map(|feed| feed.name.clone()).collect();
        bail!(UnknownFeed {
            name: name.into(),
            known
        });
    };
    let now = now();
    let trial = intake::try_feed(feed, &config.gauges, now).await;
    Ok(FeedTrial {
        kind: feed.kind.name(),
        url: feed.url.clone(),
        format: trial.format,
        items: trial
            .items
            .into_iter()
            .map(|item| foreseen(item, now))
            .collect(),
        failure: trial.failure,
    })
}

/// Returns why a node that holds nothing of it would refuse to record an item.
fn refusal(wanted: &Wanted, now: Millis) -> Option<String> {
    // Whose node it is makes no difference to what others publish.
    let context = context::Context {
        node: GATEWAY.parse().ok()?,
        now,
        occurred_at: now,
        exercise: false,
        last_number: 0,
    };
    let decided = wanted.command();
    let decided = decided.and_then(|command| decide(None, &command, &context));
    decided.err().map(|rejection| rejection.to_string())
}

fn foreseen(item: Item, now: Millis) -> Foreseen {
    let (fate, message, wanted) = match item.judged {
        Judged::Take(wanted) => match refusal(&wanted, now) {
            None => (Fate::Taken, String::new(), Some(wanted)),
            Some(reason) => (Fate::Refused, reason, None),
        },
        Judged::Link { url, .. } => (Fate::Link, url, None),
        Judged::Outside => (Fate::Outside, String::new(), None),
        Judged::Nothing(reason) => (Fate::Nothing, reason, None),
        Judged::Refused(reason) => (Fate::Refused, reason, None),
    };
    // A station below every level begins nothing.
    let is_calm = wanted
        .as_ref()
        .is_some_and(|wanted| matches!(wanted.effect, Effect::Station { warns: false, .. }));
    let (fate, wanted) = if is_calm {
        (Fate::Nothing, None)
    } else {
        (fate, wanted)
    };
    let warning = wanted.map(|wanted| {
        api::with_reach(Warning {
            warning_id: wanted.stream.to_vec(),
            source: wanted.source.into(),
            publisher: wanted.publisher,
            identifier: wanted.identifier,
            content: Some(wanted.content),
            ..Warning::default()
        })
    });
    Foreseen {
        item: TakenItem {
            identifier: item.identifier,
            title: item.title,
            fate: fate.into(),
            message,
            warning_id: warning
                .as_ref()
                .map(|warning| warning.warning_id.clone())
                .unwrap_or_default(),
            outcome: None,
        },
        warning,
    }
}

/// A log that a directory does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("log `{0}` is not known here")]
pub struct UnknownLog(
    /// Whose it would be.
    pub NodeId,
);

/// A file that is to be written, and is there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is there already, and is not overwritten", .0.display())]
pub struct AlreadyThere(
    /// Which.
    pub PathBuf,
);

/// Writes a log of a directory to a new file, whole or not at all, and returns how many entries it has; one that the
/// directory does not hold is an [`UnknownLog`], a file that is there an [`AlreadyThere`], and one that cannot be written
/// an [`std::io::Error`].
pub fn export_log(dir: &Path, origin: NodeId, out: &Path) -> anyhow::Result<u64> {
    ensure!(!out.exists(), AlreadyThere(out.into()));
    let store = inspect(dir)?;
    ensure!(
        store.logs().iter().any(|log| log.origin == origin),
        UnknownLog(origin)
    );
    let mut beside = out.as_os_str().to_owned();
    beside.push(".part");
    let written = write_log(&store, origin, Path::new(&beside))
        .and_then(|entries| Ok(fs::rename(&beside, out).map(|()| entries)?));
    if written.is_err() {
        // What cannot be removed was not made.
        let _ = fs::remove_file(&beside);
    }
    written.with_context(|| format!("write `{}`", out.display()))
}

fn write_log(store: &Store, origin: NodeId, file: &Path) -> anyhow::Result<u64> {
    let file = File::create(file)?;
    let entries = store.export_log(origin, BufWriter::new(&file))?;
    file.sync_all()?;
    Ok(entries)
}

/// Lets the log of a stopped node, of which two runs wrote the same epoch, go on from before that, and returns how many
/// entries are left out: the node records them again when it runs. One that cannot be opened again is a
/// [`ReopenRefused`], a file without a recovery key a [`BackupError`](crate::backup::BackupError).
pub async fn reopen_log(dir: &Path, recovery: &Path) -> anyhow::Result<u64> {
    let recovery = backup::read_recovery(recovery)?;
    let _lock = lock(dir)?;
    let store = open_store(dir, &Keys::load(dir)?, |_| {}).await?;
    let key = Arc::new(SecretKey::from_seed(&recovery.to_bytes()));
    let (answer, answered) = tokio::sync::oneshot::channel();
    store.reopen(key, now(), move |opened| drop(answer.send(opened)));
    let opened = answered.await.context("the store has stopped")?;
    tokio::task::spawn_blocking(move || store.close()).await?;
    Ok(opened?)
}

/// Builds the views of a stopped node anew, and returns how many entries were folded.
pub async fn rebuild_views(
    dir: &Path,
    progress: &mut dyn FnMut(posko_store::Progress),
) -> anyhow::Result<u64> {
    let _lock = lock(dir)?;
    let store = open_store(dir, &Keys::load(dir)?, |_| {}).await?;
    let (steps, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    store.rebuild_views(Box::new(move |step| drop(steps.send(step))));
    while let Some(step) = receiver.recv().await {
        let step = step?;
        progress(step);
        if step.swapped {
            tokio::task::spawn_blocking(move || store.close()).await?;
            return Ok(step.done);
        }
    }
    bail!("the rebuild ended before its swap")
}
