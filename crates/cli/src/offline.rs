//! What needs no running node, and starting one: the only place that calls the node's library.
//!
//! What it never does: print, or talk to a running node.

use std::{
    fs::TryLockError,
    io::{self, Read},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};

use posko_node::{
    Node,
    backup::{self, BackupError},
    config::{Config, ConfigError, LogFormat},
    identity::{NodeCard, tls::operator_client_config},
    import::{self, Map, MapError, Planner, Settings},
    offline::{self, AlreadyThere, InitOptions, ReopenRefused, Sighting, UnknownLog},
    time,
};
use posko_proto::{NodeId, federation::v1::NodeRole, id::hex, time::Millis};
use prost_types::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};
use tokio_rustls::rustls::{
    ClientConfig,
    pki_types::{CertificateDer, pem::PemObject},
};

pub(crate) use posko_node::{
    import::{Counts, Fate, Planned, Report},
    offline::{Check, Checked, Fault, FeedTrial, Foreseen, Format, Verdict},
};

use crate::{failure::Failure, json};

/// What is needed to reach the node of a directory.
pub(crate) struct Home {
    /// The node.
    pub(crate) origin: String,
    /// The node's origin and CA in short, by which a saved token is found.
    pub(crate) key: String,
    /// The operators' address, host:port.
    pub(crate) api_address: String,
    /// TLS that trusts the node's own CA alone.
    pub(crate) tls: Arc<ClientConfig>,
}

/// What a new node is to be.
pub(crate) struct Init {
    /// Where it lives.
    pub(crate) dir: PathBuf,
    /// What it is: a province's node, or headquarters' gateway.
    pub(crate) role: NodeRole,
    /// Its name.
    pub(crate) origin: NodeId,
    /// The card of a node whose federation it joins; without one it makes the federation.
    pub(crate) join: Option<String>,
    /// Where operators reach it, host:port.
    pub(crate) api_address: String,
    /// Where it listens for peers, host:port.
    pub(crate) federation_address: String,
    /// Where peers dial it, host:port, if they can.
    pub(crate) public_address: Option<String>,
    /// Names and addresses for its certificate.
    pub(crate) names: Vec<String>,
}

/// A card and its fingerprint.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Card {
    /// The card in its text form.
    pub(crate) card: String,
    /// Its fingerprint in words.
    pub(crate) fingerprint: String,
}

/// What a card says.
pub(crate) struct CardFace {
    /// The node.
    pub(crate) origin: String,
    /// What it is.
    pub(crate) role: NodeRole,
    /// Where it is dialled, or empty.
    pub(crate) address: String,
    /// Its fingerprint in words.
    pub(crate) fingerprint: String,
    /// Compares words that a person heard with the fingerprint.
    pub(crate) compared: Compared,
}

/// Compares words that a person heard with a card's fingerprint, and says which differs.
pub(crate) type Compared = Arc<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// What the check of one log found.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LogCheck {
    /// Whose log it is.
    pub(crate) origin: String,
    /// How many entries it has; nothing when that is not known.
    pub(crate) entries: Option<u64>,
    /// Whether all held.
    pub(crate) intact: bool,
    /// What did not hold, and where.
    pub(crate) problem: Option<String>,
    /// What is held beside the log that another machine wrote, and that is kept as evidence.
    pub(crate) other_branches: Vec<OtherBranch>,
    /// The files that its events name; nothing when that is not known.
    pub(crate) attachments: Option<Attachments>,
}

/// How many files the events of a log name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Attachments {
    /// How many.
    pub(crate) named: u64,
    /// How many of them are here, each of which is what its hash says.
    pub(crate) held: u64,
    /// How many are not here.
    pub(crate) missing: u64,
}

/// Entries of a log that another machine wrote beside its owner, which has opened the log again since.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OtherBranch {
    /// How many.
    pub(crate) entries: u64,
    /// The entry of which there are two.
    pub(crate) forked_at: String,
    /// What names the fork proof, in short.
    pub(crate) fork_proof: String,
    /// The epoch in which the log was opened again.
    pub(crate) reopened: String,
}

impl From<posko_node::offline::OtherBranch> for OtherBranch {
    fn from(other: posko_node::offline::OtherBranch) -> Self {
        Self {
            entries: other.entries,
            forked_at: format!("{}/{}", other.fork.at.epoch, other.fork.at.seq),
            fork_proof: hex(other.fork.id.get(..4).unwrap_or_default()),
            reopened: other.reopened.to_string(),
        }
    }
}

/// What a valid configuration says.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ConfigFace {
    /// The node.
    origin: String,
    /// The node's directory.
    pub(crate) dir: String,
    /// Where operators reach it.
    api_address: String,
    /// Where it listens for peers.
    federation_address: String,
    /// Where peers dial it.
    public_address: Option<String>,
    /// The whole configuration, every key with its meaning.
    pub(crate) toml: String,
}

/// How a node logs.
pub(crate) struct LogSettings {
    /// What to log.
    pub(crate) filter: String,
    /// Whether in JSON.
    pub(crate) json: bool,
}

/// What a backup holds.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BackupFace {
    /// The backup's file, or the directory that was made of it.
    pub(crate) path: String,
    /// The node.
    pub(crate) origin: String,
    /// What it is.
    pub(crate) role: String,
    /// The federation's id.
    pub(crate) federation_id: String,
    /// When it was made.
    pub(crate) made: Option<String>,
    /// The same for people.
    #[serde(skip)]
    pub(crate) made_at: Timestamp,
    /// The program that made it, with its version.
    pub(crate) software: String,
    /// Where the node's own log ends in it.
    pub(crate) position: String,
    /// The card's fingerprint in words; nothing for a backup that was just made.
    pub(crate) fingerprint: Option<String>,
    /// Whether the recovery key opened the node's keys in it.
    pub(crate) keys_opened: bool,
    /// Its parts.
    pub(crate) parts: Vec<backup::Part>,
    /// Which peers were asked whether the node runs elsewhere; of a restore alone.
    pub(crate) asked: Vec<AskedFace>,
}

/// What a peer said when it was asked whether the node runs elsewhere.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AskedFace {
    /// The peer.
    pub(crate) peer: String,
    /// When it last heard of the node; nothing when it never did, or could not be asked.
    pub(crate) seen: Option<String>,
    /// The same for people.
    #[serde(skip)]
    pub(crate) seen_at: Option<Timestamp>,
    /// Why it could not be asked.
    pub(crate) why: Option<String>,
}

impl AskedFace {
    fn new(sighting: &Sighting) -> Self {
        let seen = sighting.seen.as_ref().ok().copied().flatten();
        let seen_at = seen.map(|(at, _)| Timestamp::from(at));
        Self {
            peer: sighting.peer.to_string(),
            seen: json::time(seen_at.as_ref()),
            seen_at,
            why: sighting.seen.as_ref().err().cloned(),
        }
    }
}

impl BackupFace {
    fn new(path: &Path, manifest: backup::Manifest) -> Self {
        let made_at = Timestamp::from(Millis(manifest.made_ms));
        let nonce = manifest.nonce.get(..4).unwrap_or_default();
        Self {
            path: path.display().to_string(),
            position: format!(
                "{}@{}.{nonce}/{}",
                manifest.origin, manifest.epoch, manifest.seq
            ),
            made: json::time(Some(&made_at)),
            made_at,
            origin: manifest.origin,
            role: manifest.role,
            federation_id: manifest.federation_id,
            software: manifest.software,
            fingerprint: None,
            keys_opened: false,
            parts: manifest.parts,
            asked: Vec::new(),
        }
    }

    fn checked(path: &Path, checked: backup::Checked) -> Self {
        Self {
            fingerprint: Some(checked.card.fingerprint()),
            keys_opened: checked.opened(),
            ..Self::new(path, checked.manifest)
        }
    }
}

fn config(dir: &Path) -> Result<Config, Failure> {
    Config::load(dir).map_err(|error| unconfigured(&error))
}

/// Tells why a configuration cannot be read: there is none, or it is invalid.
fn unconfigured(error: &ConfigError) -> Failure {
    match error {
        ConfigError::Read { source, .. } => {
            let why =
                format!("{error}: {source}; name the node's directory with `--dir` or $POSKO_DIR");
            Failure::usage(why)
        }
        _ => Failure {
            code: "config_invalid",
            ..Failure::no(error)
        },
    }
}

/// Reads what is needed to reach the node of a directory.
pub(crate) fn home(dir: &Path) -> Result<Home, Failure> {
    let (origin, api) = Config::contact(dir).map_err(|error| unconfigured(&error))?;
    let file = dir.join("keys").join("ca.pem");
    let ca = CertificateDer::from_pem_file(&file).map_err(|error| {
        Failure::usage(format!("read the node's CA `{}`: {error}", file.display()))
    })?;
    let tls = operator_client_config(&ca).map_err(Failure::internal)?;
    Ok(Home {
        key: format!("{origin}-{}", short(&ca)),
        origin: origin.to_string(),
        api_address: dialled(api.listen).to_string(),
        tls,
    })
}

/// Returns the first 8 bytes of a certificate's SHA-256, in hexadecimal.
fn short(certificate: &CertificateDer<'_>) -> String {
    let digest = Sha256::digest(certificate);
    hex(digest.get(..8).unwrap_or_default())
}

/// Returns where a listener on this machine is dialled: one that listens everywhere, on the loopback.
fn dialled(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Tells why the node's library did not do it: a directory that another process writes in and a log that is not there
/// are refusals, and so is a file that would be overwritten; all else went wrong.
fn failed(error: anyhow::Error) -> Failure {
    if matches!(error.downcast_ref(), Some(TryLockError::WouldBlock)) {
        return Failure::refused("in_use", error);
    }
    if error.is::<AlreadyThere>() {
        return Failure::refused("already_exists", error);
    }
    match error.downcast_ref::<UnknownLog>() {
        Some(unknown) => Failure::not_found(unknown),
        None => Failure::internal(error),
    }
}

/// Returns the failure of a file that was named and can be neither read nor written.
fn unusable_file(error: &anyhow::Error) -> Failure {
    Failure::usage(format!("{error:#}"))
}

/// Makes a node's directory: configuration, CA, keys and an empty store.
pub(crate) async fn init(options: Init) -> Result<Card, Failure> {
    let options = InitOptions {
        dir: options.dir,
        role: options.role,
        origin: options.origin,
        join: options.join,
        api_address: options.api_address,
        federation_address: options.federation_address,
        public_address: options.public_address,
        names: options.names,
    };
    let card = offline::init(options)
        .await
        .map_err(|error| Failure::refused("init_refused", format!("{error:#}")))?;
    Ok(card_of(&card))
}

fn card_of(card: &NodeCard) -> Card {
    Card {
        card: card.to_text(),
        fingerprint: card.fingerprint(),
    }
}

/// Returns the card of the node of a directory.
pub(crate) fn card(dir: &Path) -> Result<Card, Failure> {
    config(dir)?;
    offline::card(dir)
        .map(|card| card_of(&card))
        .map_err(Failure::internal)
}

/// Reads a card's text and checks its signature.
pub(crate) fn read_card(text: &str) -> Result<CardFace, Failure> {
    let card =
        NodeCard::from_text(text).map_err(|error| Failure::refused("card_invalid", error))?;
    Ok(CardFace {
        origin: card.origin().to_string(),
        role: card.identity().role,
        address: card.address().unwrap_or_default().into(),
        fingerprint: card.fingerprint(),
        compared: Arc::new(move |words| {
            card.compare_fingerprint(words)
                .map_err(|error| error.to_string())
        }),
    })
}

/// Checks every log of a directory, also while the node runs; progress gets an origin and how many entries are checked.
pub(crate) fn verify_logs(
    dir: &Path,
    progress: &mut dyn FnMut(&str, u64),
) -> Result<Vec<LogCheck>, Failure> {
    config(dir)?;
    let checks = offline::verify_logs(dir, &mut |origin, entries| {
        progress(origin.as_str(), entries);
    });
    let check = |check: offline::LogCheck| {
        let origin = check.origin.to_string();
        match check.found {
            Ok(report) => LogCheck {
                origin,
                entries: Some(report.entries),
                intact: true,
                problem: None,
                other_branches: report.other_branches.into_iter().map(Into::into).collect(),
                attachments: Some(Attachments {
                    named: report.files_named,
                    held: report.files_held,
                    missing: report.files_named - report.files_held,
                }),
            },
            Err(error) => LogCheck {
                origin,
                entries: None,
                intact: false,
                problem: Some(chain(&error)),
                other_branches: Vec::new(),
                attachments: None,
            },
        }
    };
    Ok(checks
        .map_err(Failure::internal)?
        .into_iter()
        .map(check)
        .collect())
}

/// Reads a file, or the standard input as `-`, as the intake of a directory's node would.
pub(crate) fn check_document(dir: &Path, file: &Path) -> Result<Checked, Failure> {
    let checked = if file == Path::new("-") {
        offline::check_document(Some(dir), io::stdin().lock())
    } else {
        std::fs::File::open(file)
            .map_err(anyhow::Error::from)
            .and_then(|read| offline::check_document(Some(dir), read))
    };
    checked.map_err(|error| unusable_file(&error.context(format!("read `{}`", file.display()))))
}

/// What is to be imported.
pub(crate) struct Wanted {
    /// The file.
    pub(crate) file: PathBuf,
    /// The map: a file, or the name of one that comes with the program.
    pub(crate) map: String,
    /// The year of a file that names none.
    pub(crate) year: Option<i32>,
    /// Under which terms it is published; none takes the map's.
    pub(crate) license: Option<String>,
    /// In what a CSV file is written; none takes the map's.
    pub(crate) encoding: Option<String>,
    /// What parts thousands; none takes the map's.
    pub(crate) thousands: Option<String>,
    /// The province whose records are kept; none takes the directory's node.
    pub(crate) province: Option<String>,
    /// Whether texts are kept though they may hold personal data.
    pub(crate) text_as_is: bool,
}

/// An import whose map was read.
pub(crate) struct Import {
    file: PathBuf,
    map: Map,
    settings: Settings,
}

/// Reads the map of an import, and whose it is.
pub(crate) fn open_import(dir: &Path, wanted: &Wanted) -> Result<Import, Failure> {
    let text = match import::shipped(&wanted.map) {
        Some(text) => text.to_owned(),
        None => read_map(Path::new(&wanted.map))?,
    };
    let refused = |error: MapError| Failure::refused("invalid_argument", error);
    let mut map = Map::parse(&text).map_err(refused)?;
    if let Some(year) = wanted.year {
        map.set_year(year).map_err(refused)?;
    }
    if let Some(license) = &wanted.license {
        map.set_license(license);
    }
    if let Some(encoding) = &wanted.encoding {
        map.set_encoding(encoding).map_err(refused)?;
    }
    if let Some(thousands) = &wanted.thousands {
        map.set_thousands(thousands).map_err(refused)?;
    }
    let province = match &wanted.province {
        Some(code) => import::province(code).ok_or_else(|| {
            Failure::usage(format!(
                "`{code}` is no province: expected the code of one, such as `32`"
            ))
        })?,
        None => {
            Config::contact(dir)
                .map_err(|error| unconfigured(&error))?
                .0
        }
    };
    let settings = Settings {
        province,
        now: time::now(),
        text_as_is: wanted.text_as_is,
    };
    Ok(Import {
        file: wanted.file.clone(),
        map,
        settings,
    })
}

fn read_map(file: &Path) -> Result<String, Failure> {
    let read = || -> io::Result<String> {
        let mut text = String::new();
        let file = std::fs::File::open(file)?;
        file.take(import::MAX_MAP_BYTES as u64 + 1)
            .read_to_string(&mut text)?;
        Ok(text)
    };
    read().map_err(|error| {
        let names: Vec<&str> = import::SHIPPED.iter().map(|(name, _)| *name).collect();
        Failure::usage(format!(
            "read map `{}`: {error}; the maps that come with the program are {}",
            file.display(),
            names.join(", ")
        ))
    })
}

impl Import {
    /// Says whether texts are kept though they may hold personal data.
    pub(crate) fn text_as_is(&self) -> bool {
        self.settings.text_as_is
    }

    /// Reads the file, and hands over what becomes of each row.
    pub(crate) fn plan(
        &self,
        take: &mut dyn FnMut(Planned) -> ControlFlow<()>,
    ) -> Result<Report, Failure> {
        let path = self.file.display();
        let file = std::fs::File::open(&self.file)
            .and_then(|file| file.metadata().map(|about| (file, about)))
            .map_err(|error| {
                unusable_file(&anyhow::Error::from(error).context(format!("read `{path}`")))
            })?;
        let (file, about) = file;
        if !about.is_file() {
            return Err(Failure::usage(format!(
                "`{path}` is no file: it is read twice, so a pipe is none"
            )));
        }
        let planned = Planner::new(&self.map, self.settings).run(file, take);
        planned.map_err(|error| Failure::refused("invalid_argument", format!("`{path}`: {error}")))
    }
}

/// Asks a feed of a directory's configuration once.
pub(crate) async fn try_feed(dir: &Path, name: &str) -> Result<FeedTrial, Failure> {
    offline::try_feed(dir, name)
        .await
        .map_err(|error| match error.downcast_ref::<ConfigError>() {
            Some(config) => unconfigured(config),
            None => Failure::usage(format!("{error:#}")),
        })
}

/// Checks an exported log.
pub(crate) fn verify_file(file: &Path) -> Result<LogCheck, Failure> {
    match offline::verify_file(file) {
        Ok(summary) => Ok(LogCheck {
            origin: summary.identity.origin.to_string(),
            entries: Some(summary.entries),
            intact: true,
            problem: None,
            other_branches: Vec::new(),
            attachments: None,
        }),
        // A file that cannot be read says nothing about the log.
        Err(error) if error.is::<io::Error>() => Err(unusable_file(&error)),
        Err(error) => Ok(LogCheck {
            origin: String::new(),
            entries: None,
            intact: false,
            problem: Some(format!("{error:#}")),
            other_branches: Vec::new(),
            attachments: None,
        }),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let words = next.to_string();
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        cause = next.source();
    }
    text
}

/// Writes a log of a directory to a file and returns how many entries it has.
pub(crate) fn export_log(dir: &Path, origin: NodeId, out: &Path) -> Result<u64, Failure> {
    config(dir)?;
    offline::export_log(dir, origin, out).map_err(|error| {
        if error.is::<io::Error>() {
            unusable_file(&error)
        } else {
            failed(error)
        }
    })
}

/// Copies the node of a directory to a file, also while it runs.
pub(crate) fn back_up(dir: &Path, out: &Path) -> Result<BackupFace, Failure> {
    config(dir)?;
    let manifest = backup::create(dir, out, time::now()).map_err(backup_failed)?;
    Ok(BackupFace::new(out, manifest))
}

/// Checks a backup, and with the file of the recovery key that this key opens it.
pub(crate) fn check_backup(file: &Path, recovery: Option<&Path>) -> Result<BackupFace, Failure> {
    let checked = backup::check(file, recovery).map_err(backup_failed)?;
    Ok(BackupFace::checked(file, checked))
}

/// Makes a directory of a backup, unless the node runs elsewhere and nobody insists.
pub(crate) async fn restore(
    file: &Path,
    dir: &Path,
    recovery: &Path,
    insisted: bool,
) -> Result<BackupFace, Failure> {
    let restored = backup::restore(file, dir, recovery, insisted).await;
    let restored = restored.map_err(backup_failed)?;
    Ok(BackupFace {
        asked: restored.sightings.iter().map(AskedFace::new).collect(),
        ..BackupFace::checked(dir, restored.checked)
    })
}

/// Tells why there is no backup, or none that can be used: a damaged one is a no.
fn backup_failed(error: BackupError) -> Failure {
    let why = chain(&error);
    match error {
        BackupError::AlreadyThere(_) => Failure::refused("already_exists", why),
        BackupError::NotEmpty(_) => Failure::refused("not_empty", why),
        BackupError::InUse(_) => Failure::refused("in_use", why),
        BackupError::Alive { .. } => Failure::refused("node_alive", why),
        BackupError::Newer { .. } => Failure::refused("backup_newer", why),
        BackupError::WrongKey { .. } => Failure::refused("wrong_recovery_key", why),
        BackupError::Signature | BackupError::Part { .. } => Failure {
            code: "backup_damaged",
            ..Failure::no(why)
        },
        BackupError::NoBackup { .. } => Failure {
            code: "no_backup",
            ..Failure::no(why)
        },
        BackupError::NoKey(_) | BackupError::Io { .. } => Failure::usage(why),
        other => Failure::internal(other),
    }
}

/// Lets the forked log of a stopped node go on from before its fork, and returns how many entries are left out.
pub(crate) async fn reopen_log(dir: &Path, recovery: &Path) -> Result<u64, Failure> {
    config(dir)?;
    let opened = offline::reopen_log(dir, recovery).await;
    opened.map_err(|error| match error.downcast() {
        Ok(error) => backup_failed(error),
        Err(error) => match error.downcast_ref() {
            Some(ReopenRefused::OtherKey(_)) => Failure::refused("wrong_recovery_key", error),
            Some(ReopenRefused::NotForked(_)) => Failure::refused("not_forked", error),
            Some(ReopenRefused::Store(_)) | None => failed(error),
        },
    })
}

/// Builds the views of a stopped node anew and returns how many entries were folded.
pub(crate) async fn rebuild_views(
    dir: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, Failure> {
    config(dir)?;
    let rebuilt = offline::rebuild_views(dir, &mut |step| progress(step.done, step.total)).await;
    rebuilt.map_err(failed)
}

/// Checks the configuration of a directory; an invalid one is a no that says what and where.
pub(crate) fn check_config(dir: &Path) -> Result<ConfigFace, Failure> {
    let config = config(dir)?;
    if let Some(files) = &config.report.tls {
        offline::check_certificate(dir, files, time::now()).map_err(|fault| Failure {
            code: "config_invalid",
            ..Failure::no(chain(&fault))
        })?;
    }
    Ok(ConfigFace {
        origin: config.origin.to_string(),
        dir: dir.display().to_string(),
        api_address: config.api.listen.to_string(),
        federation_address: config.federation.listen.to_string(),
        toml: config.to_toml(),
        public_address: config.federation.public_address,
    })
}

/// Returns how the node of a directory is to log.
pub(crate) fn log_settings(dir: &Path) -> Result<LogSettings, Failure> {
    let log = config(dir)?.log;
    Ok(LogSettings {
        filter: log.filter,
        json: log.format == LogFormat::Json,
    })
}

/// Runs the node of a directory until SIGTERM or Ctrl-C, or until its disk can no longer be trusted; at SIGHUP it takes
/// the certificate on disk into use.
pub(crate) async fn serve(dir: &Path) -> Result<(), Failure> {
    let config = config(dir)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::internal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::internal)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(Failure::internal)?;
    let (broken, mut breaks) = mpsc::unbounded_channel();
    // When nobody listens any more, the process is ending already.
    let running = Node::start(dir, config, move |error| drop(broken.send(chain(error))))
        .await
        .map_err(failed)?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => running.reload_certificate(),
            // The store is not closed in order: what it holds in memory must not reach the disk.
            Some(why) = breaks.recv() => return Err(Failure::internal(anyhow::anyhow!("the store broke: {why}"))),
        }
    }
    running.shutdown().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_every_address_is_dialled_on_the_loopback() {
        for (listen, dial) in [
            ("0.0.0.0:7430", "127.0.0.1:7430"),
            ("[::]:7430", "[::1]:7430"),
            ("192.0.2.1:7430", "192.0.2.1:7430"),
        ] {
            assert_eq!(dialled(listen.parse().unwrap()).to_string(), dial);
        }
    }

    #[test]
    fn a_directory_without_a_node_is_a_usage_error_that_says_how_to_name_one() {
        let dir = tempfile::tempdir().unwrap();
        let failure = check_config(dir.path()).unwrap_err();
        assert_eq!(failure.exit as u8, 2);
        assert!(failure.message.contains("--dir"), "{failure}");
    }

    #[test]
    fn an_unknown_key_is_a_no_that_names_the_nearest() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), "orign = \"32\"\n").unwrap();
        let failure = check_config(dir.path()).unwrap_err();
        assert_eq!((failure.exit as u8, failure.code), (1, "config_invalid"));
        assert!(
            failure.message.contains("`orign`") && failure.message.contains("`origin`"),
            "{failure}"
        );
    }

    #[test]
    fn a_certificate_of_the_report_form_that_cannot_be_read_makes_a_configuration_invalid() {
        let dir = tempfile::tempdir().unwrap();
        let text = "origin = \"32\"\nfederation_id = \"0192f3c4-5a6b-7c8d-9e0f-112233445566\"\n[report]\ntls_cert = \"a.pem\"\ntls_key = \"b.pem\"\n";
        std::fs::write(dir.path().join("config.toml"), text).unwrap();
        let failure = check_config(dir.path()).unwrap_err();
        assert_eq!((failure.exit as u8, failure.code), (1, "config_invalid"));
        assert!(
            failure.message.starts_with("`report.tls_key` names `")
                && failure.message.contains("b.pem`, which cannot be read: "),
            "{failure}"
        );
    }

    #[test]
    fn what_is_no_card_is_refused() {
        assert_eq!(
            read_card("hello").err().map(|failure| failure.code),
            Some("card_invalid")
        );
    }

    fn options(dir: &Path, origin: &str) -> Init {
        Init {
            dir: dir.into(),
            role: NodeRole::Node,
            origin: origin.parse().unwrap(),
            join: None,
            api_address: "127.0.0.1:7430".into(),
            federation_address: "127.0.0.1:7431".into(),
            public_address: Some("posko.jabar.example:7431".into()),
            names: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_node_is_named_after_a_province_and_nothing_is_left_of_another() {
        let home_dir = tempfile::tempdir().unwrap();
        for origin in ["33x", "ims", "99"] {
            let dir = home_dir.path().join(origin);
            let failure = init(options(&dir, origin)).await.err().unwrap();
            assert_eq!((failure.exit as u8, failure.code), (3, "init_refused"));
            assert!(
                failure
                    .message
                    .contains(&format!("`{origin}` is no province")),
                "{failure}"
            );
            assert!(!dir.exists());
        }
    }

    #[tokio::test]
    async fn a_gateway_is_named_ims_and_joins_a_federation() {
        let home_dir = tempfile::tempdir().unwrap();
        let made = init(options(&home_dir.path().join("32"), "32")).await;
        let join = Some(made.unwrap().card);
        let gateway = |origin: &str, join: &Option<String>| Init {
            role: NodeRole::Gateway,
            join: join.clone(),
            ..options(&home_dir.path().join("ims"), origin)
        };
        let named = init(gateway("36", &join)).await.err().unwrap();
        assert!(named.message.contains("is named `ims`"), "{named}");
        let alone = init(gateway("ims", &None)).await.err().unwrap();
        assert!(alone.message.contains("joins a federation"), "{alone}");
        assert!(!home_dir.path().join("ims").exists());
        let made = init(gateway("ims", &join)).await.unwrap();
        let face = read_card(&made.card).unwrap();
        assert_eq!(
            (face.origin.as_str(), face.role),
            ("ims", NodeRole::Gateway)
        );
    }

    #[tokio::test]
    async fn a_log_is_exported_whole_or_the_failure_says_why_and_leaves_no_file() {
        let home_dir = tempfile::tempdir().unwrap();
        let dir = home_dir.path().join("32");
        init(options(&dir, "32")).await.unwrap();
        let out = home_dir.path().join("32.poskolog");
        let refused = |origin: &str, out: &Path| {
            let failure = export_log(&dir, origin.parse().unwrap(), out).unwrap_err();
            (failure.exit as u8, failure.code)
        };
        assert_eq!(refused("36", &out), (3, "not_found"));
        assert_eq!(refused("32", &out.join("deeper")), (2, "usage"));
        assert_eq!(refused("32", &dir), (3, "already_exists"));
        assert_eq!(refused("32", &dir.join("posko.db")), (3, "already_exists"));
        assert_eq!(std::fs::read_dir(home_dir.path()).unwrap().count(), 1);
        assert_eq!(export_log(&dir, "32".parse().unwrap(), &out), Ok(0));
        assert!(verify_file(&out).unwrap().intact);
        for unreadable in [&dir, &out.join("deeper")] {
            assert_eq!(verify_file(unreadable).unwrap_err().exit as u8, 2);
        }
    }

    #[tokio::test]
    async fn what_needs_a_stopped_node_is_refused_while_another_process_writes() {
        let home_dir = tempfile::tempdir().unwrap();
        let dir = home_dir.path().join("32");
        init(options(&dir, "32")).await.unwrap();
        let other = std::fs::File::open(dir.join("lock")).unwrap();
        other.try_lock().unwrap();
        for failure in [
            rebuild_views(&dir, &mut |_, _| {}).await.unwrap_err(),
            serve(&dir).await.unwrap_err(),
        ] {
            assert_eq!((failure.exit as u8, failure.code), (3, "in_use"));
            assert!(
                failure
                    .message
                    .ends_with("is in use by another process of this node"),
                "{failure}"
            );
        }
    }

    #[tokio::test]
    async fn a_backup_is_made_checked_and_restored_or_the_failure_says_why() {
        let home_dir = tempfile::tempdir().unwrap();
        let at = |name: &str| home_dir.path().join(name);
        let (dir, file, safe) = (at("32"), at("32.backup"), at("recovery.key"));
        let made = init(options(&dir, "32")).await.unwrap();
        std::fs::rename(dir.join("keys/recovery.key"), &safe).unwrap();
        let refused = |result: Result<BackupFace, Failure>| {
            let failure = result.unwrap_err();
            (failure.exit as u8, failure.code)
        };
        assert_eq!(refused(back_up(home_dir.path(), &file)), (2, "usage"));
        assert_eq!(refused(back_up(&dir, &at("x/y"))), (2, "usage"));
        assert!(!back_up(&dir, &file).unwrap().keys_opened);
        assert_eq!(refused(back_up(&dir, &file)), (3, "already_exists"));

        let face = check_backup(&file, None).unwrap();
        assert!(!face.keys_opened);
        assert_eq!(face.fingerprint.as_ref(), Some(&made.fingerprint));
        assert!(check_backup(&file, Some(&safe)).unwrap().keys_opened);
        assert_eq!(refused(check_backup(&at("none"), None)), (2, "usage"));
        assert_eq!(
            refused(check_backup(&file, Some(&dir.join("card")))),
            (2, "usage")
        );
        let other = dir.join("keys/log.key");
        assert_eq!(
            refused(restore(&file, &at("new"), &other, false).await),
            (3, "wrong_recovery_key")
        );
        assert_eq!(
            refused(restore(&file, &dir, &safe, false).await),
            (3, "not_empty")
        );

        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(at("spoilt"), bytes).unwrap();
        assert_eq!(
            refused(check_backup(&at("spoilt"), None)),
            (1, "backup_damaged")
        );
        for (name, bytes) in [("empty", ""), ("foreign", "not a backup")] {
            std::fs::write(at(name), bytes).unwrap();
            assert_eq!(refused(check_backup(&at(name), None)), (1, "no_backup"));
        }

        let face = restore(&file, &at("new"), &safe, false).await.unwrap();
        assert_eq!(face.origin, "32");
        assert_eq!(card(&at("new")).unwrap().card, made.card);
    }

    #[tokio::test]
    async fn who_asks_a_running_node_need_not_wait_until_its_configuration_is_mended() {
        let home_dir = tempfile::tempdir().unwrap();
        let dir = home_dir.path().join("32");
        init(options(&dir, "32")).await.unwrap();
        let config = dir.join("config.toml");
        let spoilt = std::fs::read_to_string(&config).unwrap() + "\n[disc]\nfloor_mib = 5\n";
        std::fs::write(&config, spoilt).unwrap();
        assert_eq!(home(&dir).unwrap().api_address, "127.0.0.1:7430");
        assert_eq!(check_config(&dir).unwrap_err().code, "config_invalid");
    }

    #[tokio::test]
    async fn a_new_node_has_a_card_that_reads_back_and_an_intact_log() {
        let home_dir = tempfile::tempdir().unwrap();
        let dir = home_dir.path().join("32");
        let made = init(options(&dir, "32")).await.unwrap();
        let face = read_card(&made.card).unwrap();
        assert_eq!((face.origin.as_str(), face.role), ("32", NodeRole::Node));
        assert_eq!(face.address, "posko.jabar.example:7431");
        assert_eq!(face.fingerprint, made.fingerprint);
        assert_eq!(card(&dir).unwrap().card, made.card);
        assert_eq!(home(&dir).unwrap().api_address, "127.0.0.1:7430");
        assert_eq!(check_config(&dir).unwrap().origin, "32");
        assert!(
            verify_logs(&dir, &mut |_, _| {})
                .unwrap()
                .iter()
                .all(|check| check.intact)
        );
    }
}
