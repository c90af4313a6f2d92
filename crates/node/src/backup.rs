//! A backup of a node in one file, made while it runs, and a node's directory made of one.
//!
//! ```text
//! zstd(tar):
//!   manifest.toml   what the backup is, and the size and SHA-256 of each part
//!   manifest.sig    Ed25519 by the log key over `posko/backup/v1\0` and the manifest
//!   card            whose it is; names the log key, signed by the recovery key
//!   keys.sealed     keys/ but for the recovery key: HPKE (RFC 9180) to the recovery key
//!   config.toml
//!   posko.db        the database, marked as a copy
//! ```
//!
//! Whoever has the file can read the database in it; only the holder of the recovery key can read the keys, and so run
//! the node. HPKE needs an X25519 key: it is the recovery key's, by the birational map between the two curves.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use posko_ledger::{
    epoch::{Epoch, Position},
    key::SecretKey,
};
use posko_proto::{NodeId, id::hex, time::Millis};
use posko_store::{Store, StoreError, backup::CopyError};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{
    SOFTWARE,
    identity::{CardError, Keys, KeysError, NodeCard, role_name, seal},
    node::{CARD, STORE, lock, log_identity, make_dir, write_secret},
    offline::{Sighting, sightings},
};

/// The newest form of a backup that this program knows.
pub const FORMAT: u32 = 1;

const MANIFEST: &str = "manifest.toml";
const SIGNATURE: &str = "manifest.sig";
const SEALED: &str = "keys.sealed";
const CONFIG: &str = "config.toml";
/// The parts that the manifest names, in their order.
const PARTS: [&str; 4] = [CARD, SEALED, CONFIG, STORE];
const KEYS: &str = "keys";
/// The file in a node's directory that holds the manifest of its youngest backup.
const YOUNGEST: &str = "backup.toml";
/// The files of `keys/` that a backup holds: all but the recovery key.
const KEY_FILES: [&str; 6] = [
    "ca.key",
    "ca.pem",
    "tls.key",
    "tls.pem",
    "log.key",
    "sealing.key",
];
/// What the manifest's signature is made over begins with this, so that it can stand for nothing else.
const DOMAIN: &[u8] = b"posko/backup/v1\0";
/// How a frame of zstd begins (RFC 8878, 3.1.1).
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const SEAL_INFO: &[u8] = b"posko/backup/keys/v1\0";
/// The most that is read of a part that is held in memory, in bytes.
const MAX_SMALL_BYTES: u64 = 1024 * 1024;
/// For how long a node that a peer has heard of counts as alive (REPLICATION.md 7.8).
pub const ALIVE: Duration = Duration::from_mins(5);
/// How often the keys are read again while a renewal changes them.
const READS: u32 = 5;

/// Why a backup was not made, checked or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file to write is there.
    #[error("`{}` is there already, and is not overwritten", .0.display())]
    AlreadyThere(
        /// Which.
        PathBuf,
    ),
    /// The directory to restore to holds something.
    #[error("`{}` is not empty: a node is restored to a new directory", .0.display())]
    NotEmpty(
        /// Which.
        PathBuf,
    ),
    /// Another process writes that backup, or restores to that directory.
    #[error(transparent)]
    InUse(
        /// Which could not be taken, and why.
        anyhow::Error,
    ),
    /// The file system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The database could not be copied.
    #[error("copy the database")]
    Copy(#[source] CopyError),
    /// The database or its copy could not be read.
    #[error("read the database")]
    Store(#[from] StoreError),
    /// The node's keys cannot be read, or the backup's make no node.
    #[error("the keys")]
    Keys(#[from] KeysError),
    /// The node's card cannot be read.
    #[error("the card in `{}`", path.display())]
    Card {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: CardError,
    },
    /// The card in the node's directory is not of the keys there.
    #[error("the card is of another log key than the node's: make it with the recovery key")]
    OtherCard,
    /// A renewal changed the keys at every attempt to read them.
    #[error("the keys were changed while they were read: try again")]
    KeysChanged,
    /// The backup is newer than the program.
    #[error(
        "the backup has format {found}, this program knows {FORMAT}: install the program that made it or a newer one"
    )]
    Newer {
        /// The backup's format.
        found: u32,
    },
    /// The manifest is not what the node signed.
    #[error(
        "`{MANIFEST}` is not what the node signed: its signature is not by the log key on the card"
    )]
    Signature,
    /// The file is something else, or nothing.
    #[error("`{}` is no backup: {detail}", path.display())]
    NoBackup {
        /// Which file.
        path: PathBuf,
        /// What it is.
        detail: &'static str,
    },
    /// A part is not what it was when the backup was made.
    #[error("`{part}` of the backup is damaged: {detail}")]
    Part {
        /// Which.
        part: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The key given is another than the one that the keys are sealed to.
    #[error(
        "the recovery key does not fit: it is `{found}`, and the backup's keys are sealed to `{expected}`"
    )]
    WrongKey {
        /// The beginning of the given key's public half, hexadecimal.
        found: String,
        /// The beginning of the right key's.
        expected: String,
    },
    /// A peer has heard of the node a moment ago: it runs elsewhere.
    #[error(
        "`{peer}` has heard of node `{origin}` {} s ago: it runs elsewhere, and two of it would undo each other; stop it for good and wait {} minutes, or insist and whichever was not started last stops writing", ago.as_secs(), ALIVE.as_secs() / 60
    )]
    Alive {
        /// Who runs.
        origin: NodeId,
        /// Who heard of it.
        peer: NodeId,
        /// How long ago.
        ago: Duration,
    },
    /// The node's directory could not be told of the backup, which is made.
    #[error("the backup is made, and could not be noted")]
    Note(#[source] anyhow::Error),
    /// The peers could not be asked whether the node runs elsewhere.
    #[error("ask the peers whether the node runs elsewhere")]
    Ask(#[source] anyhow::Error),
    /// The file given as the recovery key holds none.
    #[error("`{}` holds no recovery key: expected 64 hexadecimal digits", .0.display())]
    NoKey(
        /// Which file.
        PathBuf,
    ),
}

/// What a backup says of itself, as it stands in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The archive's form.
    pub format: u32,
    /// The program that made it, with its version.
    pub software: String,
    /// When it was made by the node's clock, in milliseconds since 1970 UTC.
    pub made_ms: i64,
    /// The federation's id.
    pub federation_id: String,
    /// The node.
    pub origin: String,
    /// What it is.
    pub role: String,
    /// The number of the epoch in which the node's own log ends in the copied database; 0 before the first.
    pub epoch: u64,
    /// That epoch's random part, hexadecimal.
    pub nonce: String,
    /// The number of the last entry in that epoch.
    pub seq: u64,
    /// The chained hash there, hexadecimal.
    pub hash: String,
    /// The parts, in the archive's order.
    #[serde(rename = "part")]
    pub parts: Vec<Part>,
}

impl Manifest {
    /// Returns where the node's own log ends in the copied database.
    pub fn end(&self) -> Option<Position> {
        Some(Position {
            epoch: Epoch {
                no: self.epoch,
                nonce: unhex(&self.nonce)?,
            },
            seq: self.seq,
            hash: unhex(&self.hash)?,
        })
    }
}

/// A part of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
}

/// A backup that holds what the node signed.
#[derive(Debug)]
pub struct Checked {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Whose it is.
    pub card: NodeCard,
    /// The node's key files by name, when the recovery key was there to open them.
    keys: Option<BTreeMap<String, String>>,
}

impl Checked {
    /// Says whether the recovery key was there, and opened the node's keys.
    pub fn opened(&self) -> bool {
        self.keys.is_some()
    }
}

/// Makes a backup of the node in `dir` as the new file `out`, also while it runs: whole and on the disk, or not at all.
/// The file is readable by this user alone.
pub fn create(dir: &Path, out: &Path, now: Millis) -> Result<Manifest, BackupError> {
    if out.exists() {
        return Err(BackupError::AlreadyThere(out.into()));
    }
    let (copy, archive) = (beside(out, ".db.part"), beside(out, ".part"));
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&archive)
        .map_err(failed("write", &archive))?;
    file.try_lock()
        .with_context(|| format!("`{}` is being written by another process", out.display()))
        .map_err(BackupError::InUse)?;
    if out.exists() {
        // Another process has just finished it: what was locked is that file.
        return Err(BackupError::AlreadyThere(out.into()));
    }
    let made = pack(dir, &copy, (&archive, &file), now)
        .and_then(|manifest| put_in_place(&archive, out).map(|()| manifest));
    // What is left of an attempt is removed by the next one to the same file at the latest.
    let _ = (remove(&copy), remove(&archive));
    made.and_then(|manifest| note(dir, &manifest).map(|()| manifest))
}

/// Notes in the node's directory of which copy is the youngest.
fn note(dir: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let text = toml::to_string(manifest).map_err(unreadable(MANIFEST))?;
    write_secret(&dir.join(YOUNGEST), &text).map_err(BackupError::Note)
}

/// Returns the manifest of the youngest backup that was made of the node in `dir`, or that it was made of.
pub fn youngest(dir: &Path) -> Option<Manifest> {
    toml::from_str(&fs::read_to_string(dir.join(YOUNGEST)).ok()?).ok()
}

/// Reads a backup to its end and checks every part; with the file of the recovery key also that it opens the keys.
/// Without that key nothing says that the card, and so the signature, is the province's: compare its fingerprint.
pub fn check(file: &Path, recovery: Option<&Path>) -> Result<Checked, BackupError> {
    let recovery = recovery.map(read_recovery).transpose()?;
    unpack(
        open(file)?,
        recovery.as_ref(),
        &mut io::sink(),
        &mut io::sink(),
    )
}

/// A node's directory that was made of a backup.
#[derive(Debug)]
pub struct Restored {
    /// The backup.
    pub checked: Checked,
    /// What the peers said when they were asked whether the node runs elsewhere.
    pub sightings: Vec<Sighting>,
}

/// Makes the directory `dir` of a backup; it must be new or empty, and is left so when anything does not fit. The node
/// starts unproven there, since its peers may know more of its log than the backup. The recovery key stays outside.
///
/// A node that a peer heard of within [`ALIVE`] is not restored unless `insisted`: the one that runs would be fenced.
pub async fn restore(
    file: &Path,
    dir: &Path,
    recovery: &Path,
    insisted: bool,
) -> Result<Restored, BackupError> {
    let recovery = read_recovery(recovery)?;
    let archive = open(file)?;
    let was_there = dir.exists();
    make_dir(dir).map_err(failed("make", dir))?;
    let mut inside = fs::read_dir(dir).map_err(failed("read", dir))?;
    if inside.next().is_some() {
        return Err(BackupError::NotEmpty(dir.into()));
    }
    let taken = lock(dir).map_err(BackupError::InUse)?;
    let restored = async {
        let (checked, config) = fill(archive, &recovery, dir)?;
        let sightings = sightings(dir).await.map_err(BackupError::Ask)?;
        if !insisted {
            check_gone(checked.card.origin(), &sightings)?;
        }
        note(dir, &checked.manifest)?;
        // A directory without its configuration is no node: with the last file it becomes one.
        save(dir, CONFIG, &config)?;
        sync(dir)?;
        Ok(Restored { checked, sightings })
    }
    .await;
    if restored.is_err() {
        // The directory was empty: what is in it now is of this attempt, and no node without its configuration.
        for name in [CARD, STORE, YOUNGEST, CONFIG, "lock"] {
            let _ = fs::remove_file(dir.join(name));
        }
        let _ = fs::remove_dir_all(dir.join(KEYS));
        if !was_there {
            let _ = fs::remove_dir(dir);
        }
    }
    drop(taken);
    restored
}

/// Refuses while a peer has heard of the node a moment ago.
fn check_gone(origin: NodeId, sightings: &[Sighting]) -> Result<(), BackupError> {
    let ago = |sighting: &Sighting| {
        let (_, ago) = sighting.seen.as_ref().ok().copied().flatten()?;
        (ago < ALIVE).then_some((sighting.peer, ago))
    };
    match sightings.iter().filter_map(ago).min_by_key(|(_, ago)| *ago) {
        Some((peer, ago)) => Err(BackupError::Alive { origin, peer, ago }),
        None => Ok(()),
    }
}

fn pack(
    dir: &Path,
    copy: &Path,
    (archive, file): (&Path, &File),
    now: Millis,
) -> Result<Manifest, BackupError> {
    // An attempt that was cut off may have left something.
    remove(copy)?;
    file.set_len(0).map_err(failed("write", archive))?;
    let (keys, files) = read_keys(dir)?;
    let card_path = dir.join(CARD);
    let card_text = fs::read_to_string(&card_path).map_err(failed("read", &card_path))?;
    let card = NodeCard::from_text(&card_text).map_err(|source| BackupError::Card {
        path: card_path,
        source,
    })?;
    if *card.log_key() != keys.log.verifying_key() {
        return Err(BackupError::OtherCard);
    }
    let config_path = dir.join(CONFIG);
    let config = fs::read(&config_path).map_err(failed("read", &config_path))?;
    let sealed = seal(&card, &files)?;
    let end = copy_database(dir, copy, &keys, &card, now)?;

    let small = [card_text.as_bytes(), &sealed, &config];
    let mut parts: Vec<Part> = (PARTS.iter().zip(small))
        .map(|(name, bytes)| Part::new(name, bytes.len() as u64, &Sha256::digest(bytes)))
        .collect();
    let mut database = File::open(copy).map_err(failed("read", copy))?;
    let mut sum = Sha256::new();
    let bytes = io::copy(&mut database, &mut sum).map_err(failed("read", copy))?;
    parts.push(Part::new(STORE, bytes, &sum.finalize()));

    let identity = keys.identity();
    let manifest = Manifest {
        format: FORMAT,
        software: SOFTWARE.into(),
        made_ms: now.0,
        federation_id: identity.federation.to_string(),
        origin: identity.origin.to_string(),
        role: role_name(identity.role).into(),
        epoch: end.epoch.no,
        nonce: hex(&end.epoch.nonce),
        seq: end.seq,
        hash: hex(&end.hash),
        parts,
    };
    let text = toml::to_string(&manifest).map_err(unreadable(MANIFEST))?;
    let signature = keys.log.sign(&signed_bytes(text.as_bytes())).to_bytes();
    let database = File::open(copy).map_err(failed("read", copy))?;
    let write = || -> io::Result<()> {
        let mut frame = zstd::Encoder::new(BufWriter::new(file), zstd::DEFAULT_COMPRESSION_LEVEL)?;
        frame.include_checksum(true)?;
        let mut tar = tar::Builder::new(frame);
        let mut append = |name: &str, bytes: u64, content: &mut dyn Read| {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes);
            header.set_mode(0o600);
            header.set_mtime(u64::try_from(now.0 / 1000).unwrap_or_default());
            tar.append_data(&mut header, name, content)
        };
        append(MANIFEST, text.len() as u64, &mut text.as_bytes())?;
        append(SIGNATURE, signature.len() as u64, &mut signature.as_slice())?;
        for (name, mut bytes) in PARTS.iter().zip(small) {
            append(name, bytes.len() as u64, &mut bytes)?;
        }
        append(STORE, bytes, &mut database.take(bytes))?;
        tar.into_inner()?
            .finish()?
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()
    };
    write().map_err(failed("write", archive))?;
    Ok(manifest)
}

/// Copies the database and returns where the node's own log ends in the copy.
fn copy_database(
    dir: &Path,
    copy: &Path,
    keys: &Keys,
    card: &NodeCard,
    now: Millis,
) -> Result<Position, BackupError> {
    let inspect = |path: &Path| -> Result<Store, BackupError> {
        let identity =
            log_identity(keys, card.recovery_key().to_bytes()).map_err(unreadable(CARD))?;
        let log_key = Arc::new(SecretKey::from_seed(&keys.log.to_bytes()));
        Ok(Store::inspect(path, identity, log_key)?)
    };
    inspect(&dir.join(STORE))?
        .copy(copy, now)
        .map_err(|error| match error {
            CopyError::File { path, source } => failed("write", &path)(source),
            other => BackupError::Copy(other),
        })?;
    let own = keys.identity().origin;
    let logs = inspect(copy)?.logs();
    let end = logs.iter().find(|log| log.origin == own);
    Ok(end.map_or(Position::START, |log| log.end))
}

/// Reads the keys and their files, of one moment: between two loads that show the same certificate no renewal ended,
/// and one that was cut off was ended by the first.
fn read_keys(dir: &Path) -> Result<(Keys, BTreeMap<String, String>), BackupError> {
    for _ in 0..READS {
        let keys = Keys::load(dir)?;
        let read = |name: &str| {
            let path = dir.join(KEYS).join(name);
            let text = fs::read_to_string(&path).map_err(failed("read", &path))?;
            Ok((name.to_owned(), text))
        };
        let files = (KEY_FILES.iter().copied().map(read)).collect::<Result<_, BackupError>>()?;
        if Keys::load(dir)?.leaf.certificate == keys.leaf.certificate {
            return Ok((keys, files));
        }
    }
    Err(BackupError::KeysChanged)
}

fn create_in(dir: &Path, name: &str) -> Result<File, BackupError> {
    let path = dir.join(name);
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed("write", &path))
}

fn save(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), BackupError> {
    let mut file = create_in(dir, name)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(failed("write", &dir.join(name)))
}

/// Fills a directory with all but the configuration, and returns that.
fn fill(
    archive: impl Read,
    recovery: &SigningKey,
    dir: &Path,
) -> Result<(Checked, Vec<u8>), BackupError> {
    let mut config = Vec::new();
    let mut database = create_in(dir, STORE)?;
    let checked = unpack(archive, Some(recovery), &mut config, &mut database)?;
    database
        .sync_all()
        .map_err(failed("write", &dir.join(STORE)))?;
    save(dir, CARD, checked.card.to_text().as_bytes())?;
    let folder = dir.join(KEYS);
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .map_err(failed("make", &folder))?;
    for (name, text) in checked.keys.iter().flatten() {
        save(dir, &format!("{KEYS}/{name}"), text.as_bytes())?;
    }
    sync(&folder)?;
    let keys = Keys::load(dir)?;
    if keys.identity() != checked.card.identity()
        || keys.log.verifying_key() != *checked.card.log_key()
    {
        return Err(damaged(SEALED, "the keys are not those on the card"));
    }
    Ok((checked, config))
}

/// Reads an archive to its end and checks it; the configuration and the database go to where the caller wants them.
fn unpack(
    archive: impl Read,
    recovery: Option<&SigningKey>,
    config: &mut dyn Write,
    database: &mut dyn Write,
) -> Result<Checked, BackupError> {
    let mut tar = tar::Archive::new(archive);
    let mut entries = Entries(tar.entries().map_err(unreadable(MANIFEST))?);
    let text = entries.small(MANIFEST)?;
    let signature = entries.small(SIGNATURE)?;
    let card_bytes = entries.small(CARD)?;
    check_form(&text)?;
    let card = std::str::from_utf8(&card_bytes)
        .map_err(unreadable(CARD))
        .and_then(|text| NodeCard::from_text(text).map_err(unreadable(CARD)))?;
    Signature::from_slice(&signature)
        .and_then(|signature| {
            card.log_key()
                .verify_strict(&signed_bytes(&text), &signature)
        })
        .map_err(|_| BackupError::Signature)?;
    let manifest: Manifest = parse(&text)?;
    let [card_part, sealed_part, config_part, store_part] = manifest.parts.as_slice() else {
        let detail = format!(
            "it names {} parts, expected {}",
            manifest.parts.len(),
            PARTS.len()
        );
        return Err(damaged(MANIFEST, detail));
    };
    card_part.check(CARD, card_bytes.len() as u64, &Sha256::digest(&card_bytes))?;
    if let Some(key) = recovery.filter(|key| key.verifying_key() != *card.recovery_key()) {
        return Err(BackupError::WrongKey {
            found: short(&key.verifying_key()),
            expected: short(card.recovery_key()),
        });
    }

    let mut sealed = Vec::new();
    entries.part(SEALED, sealed_part, &mut sealed)?;
    let keys = recovery
        .map(|key| unseal(&card, key, &sealed))
        .transpose()?;
    entries.part(CONFIG, config_part, config)?;
    entries.part(STORE, store_part, database)?;
    // An archive ends with zeros, and its frame with a sum that is compared at its very end.
    let mut rest = Vec::new();
    let more = entries.0.next().is_some();
    (tar.into_inner()
        .take(MAX_SMALL_BYTES)
        .read_to_end(&mut rest))
    .map_err(unreadable(STORE))?;
    if more || rest.iter().any(|byte| *byte != 0) {
        return Err(damaged(MANIFEST, "the archive holds more than it names"));
    }
    Ok(Checked {
        manifest,
        card,
        keys,
    })
}

/// Refuses a manifest of a newer form, which may be signed in another way.
fn check_form(text: &[u8]) -> Result<(), BackupError> {
    /// What every form of a manifest has.
    #[derive(Deserialize)]
    struct Form {
        format: u32,
    }
    let Form { format: found } = parse(text)?;
    if found > FORMAT {
        return Err(BackupError::Newer { found });
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(manifest: &[u8]) -> Result<T, BackupError> {
    let text = std::str::from_utf8(manifest).map_err(unreadable(MANIFEST))?;
    toml::from_str(text).map_err(|error| damaged(MANIFEST, error.message()))
}

/// The files of an archive, which must come in their order.
struct Entries<'a, R: Read>(tar::Entries<'a, R>);

impl<'a, R: Read> Entries<'a, R> {
    fn next(&mut self, name: &str) -> Result<tar::Entry<'a, R>, BackupError> {
        let entry = match self.0.next() {
            None => return Err(damaged(name, "it is not there")),
            Some(entry) => entry.map_err(unreadable(name))?,
        };
        if *entry.path_bytes() != *name.as_bytes() || !entry.header().entry_type().is_file() {
            let found = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            return Err(damaged(name, format!("`{found}` is in its place")));
        }
        Ok(entry)
    }

    /// Reads a file that is held in memory.
    fn small(&mut self, name: &str) -> Result<Vec<u8>, BackupError> {
        let mut bytes = Vec::new();
        let entry = self.next(name)?;
        if entry.size() > MAX_SMALL_BYTES {
            return Err(damaged(name, format!("it has {} bytes", entry.size())));
        }
        entry
            .take(MAX_SMALL_BYTES)
            .read_to_end(&mut bytes)
            .map_err(unreadable(name))?;
        Ok(bytes)
    }

    /// Reads a part that the manifest names, and compares its size and sum.
    fn part(&mut self, name: &str, part: &Part, to: &mut dyn Write) -> Result<(), BackupError> {
        let mut entry = self.next(name)?;
        if name != STORE && entry.size() > MAX_SMALL_BYTES {
            return Err(damaged(name, format!("it has {} bytes", entry.size())));
        }
        let mut summed = Summed {
            to,
            sum: Sha256::new(),
        };
        let bytes = io::copy(&mut entry, &mut summed).map_err(unreadable(name))?;
        part.check(name, bytes, &summed.sum.finalize())
    }
}

impl Part {
    fn new(name: &str, bytes: u64, sum: &[u8]) -> Self {
        Self {
            name: name.into(),
            bytes,
            sha256: hex(sum),
        }
    }

    /// Compares what was found with what the manifest says.
    fn check(&self, name: &str, bytes: u64, sum: &[u8]) -> Result<(), BackupError> {
        if *self == Self::new(name, bytes, sum) {
            return Ok(());
        }
        let detail = format!(
            "the manifest has `{}` of {} bytes with SHA-256 `{}`, found {bytes} bytes with `{}`",
            self.name,
            self.bytes,
            self.sha256,
            hex(sum)
        );
        Err(damaged(name, detail))
    }
}

/// Sums what it hands on.
struct Summed<'a> {
    to: &'a mut dyn Write,
    sum: Sha256,
}

impl Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write_all(bytes)?;
        self.sum.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Seals the key files to the recovery key on the card, bound to the card.
fn seal(card: &NodeCard, files: &BTreeMap<String, String>) -> Result<Vec<u8>, BackupError> {
    let text = toml::to_string(files).map_err(unreadable(SEALED))?;
    let to = card.recovery_key().to_montgomery().to_bytes();
    let sealed = seal::seal(&to, SEAL_INFO, &card.to_bytes(), text.as_bytes());
    let (encapsulated, sealed) = sealed.map_err(unreadable(SEALED))?;
    Ok([encapsulated.as_slice(), &sealed].concat())
}

fn unseal(
    card: &NodeCard,
    recovery: &SigningKey,
    sealed: &[u8],
) -> Result<BTreeMap<String, String>, BackupError> {
    let open = || -> Result<Vec<u8>, hpke::HpkeError> {
        let (encapsulated, sealed) =
            (sealed.split_at_checked(32)).ok_or(hpke::HpkeError::OpenError)?;
        let key = recovery.to_scalar_bytes();
        seal::open(&key, SEAL_INFO, &card.to_bytes(), encapsulated, sealed)
    };
    let text = open().map_err(unreadable(SEALED))?;
    let text = String::from_utf8(text).map_err(unreadable(SEALED))?;
    let files: BTreeMap<String, String> =
        toml::from_str(&text).map_err(|error| damaged(SEALED, error.message()))?;
    let stranger = files
        .keys()
        .find(|name| !KEY_FILES.contains(&name.as_str()));
    match stranger {
        Some(name) => Err(damaged(SEALED, format!("`{name}` is no key of a node"))),
        None => Ok(files),
    }
}

/// Reads the recovery key, as it stands in `keys/recovery.key`. A medium from the safe may know no modes: none is asked.
pub(crate) fn read_recovery(path: &Path) -> Result<SigningKey, BackupError> {
    let text = fs::read_to_string(path).map_err(failed("read", path))?;
    let seed = unhex(text.trim()).ok_or_else(|| BackupError::NoKey(path.into()))?;
    Ok(SigningKey::from_bytes(&seed))
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

fn open(file: &Path) -> Result<impl Read, BackupError> {
    let mut archive = BufReader::new(File::open(file).map_err(failed("read", file))?);
    let beginning = archive.fill_buf().map_err(failed("read", file))?;
    if !beginning.starts_with(&ZSTD) {
        return Err(BackupError::NoBackup {
            path: file.into(),
            detail: if beginning.is_empty() {
                "it is empty"
            } else {
                "it does not begin as one"
            },
        });
    }
    zstd::Decoder::with_buffer(archive).map_err(failed("read", file))
}

fn signed_bytes(manifest: &[u8]) -> Vec<u8> {
    [DOMAIN, manifest].concat()
}

fn short(key: &VerifyingKey) -> String {
    hex(key.as_bytes().get(..4).unwrap_or_default())
}

fn damaged(part: &str, detail: impl Into<String>) -> BackupError {
    BackupError::Part {
        part: part.into(),
        detail: detail.into(),
    }
}

fn unreadable<E: ToString>(part: &str) -> impl FnOnce(E) -> BackupError + use<'_, E> {
    move |error| damaged(part, error.to_string())
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io {
        action,
        path,
        source,
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn remove(path: &Path) -> Result<(), BackupError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

fn put_in_place(from: &Path, to: &Path) -> Result<(), BackupError> {
    fs::rename(from, to).map_err(failed("put in place", to))?;
    match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => sync(folder),
        _ => sync(Path::new(".")),
    }
}

fn sync(folder: &Path) -> Result<(), BackupError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("sync", folder))
}

#[cfg(test)]
mod tests;
