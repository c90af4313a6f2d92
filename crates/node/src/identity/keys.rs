//! The keys of a node, in the folder `keys/` of its directory.
//!
//! ```text
//! ca.key       ca.pem    the node's own certificate authority, 10 years (PKCS#8, X.509)
//! tls.key      tls.pem   what it shows to peers and operators, 90 days, renewed when 30 are left
//! log.key                signs its log (Ed25519 seed, hexadecimal)
//! recovery.key           signs its card and the epochs of an emergency; belongs in a safe, away from the machine
//! sealing.key            opens letters sealed to it (X25519, hexadecimal)
//! ```
//!
//! A file is never written in place, a private key is never readable by others, and what is there is never overwritten
//! except by a renewal.

use std::{
    fmt, fs,
    io::{self, Write},
    net::IpAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use ed25519_dalek::SigningKey;
use posko_proto::{
    Id, NodeId,
    federation::v1::{Card, NodeRole},
};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType,
};
use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    sign::CertifiedKey,
};
use x509_parser::prelude::{FromDer, X509Certificate};
use x25519_dalek::{PublicKey, StaticSecret};

use super::{
    CardError, NodeCard, PeerIdentity, Refusal, Usage,
    verify::{Facts, check_issued},
};

/// How long a CA certificate is valid, in days.
pub const CA_DAYS: u64 = 3650;
/// How long a leaf certificate is valid, in days.
pub const LEAF_DAYS: u64 = 90;
/// A leaf certificate is renewed when this many days are left.
pub const RENEW_WITH_DAYS_LEFT: u64 = 30;

const DAY: Duration = Duration::from_hours(24);
/// Certificates begin a little before they are made, for peers whose clocks are slow.
const BACKDATED: Duration = Duration::from_hours(1);

const FOLDER: &str = "keys";
const CA_KEY: &str = "ca.key";
const CA_PEM: &str = "ca.pem";
const TLS_KEY: &str = "tls.key";
const TLS_PEM: &str = "tls.pem";
const TLS_KEY_NEXT: &str = "tls.key.next";
const TLS_PEM_NEXT: &str = "tls.pem.next";
const LOG_KEY: &str = "log.key";
const RECOVERY_KEY: &str = "recovery.key";
const SEALING_KEY: &str = "sealing.key";

/// Why keys could not be made, read or renewed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// There are keys already; new ones would make another node of it.
    #[error("`{}` is there already, and is not overwritten", path.display())]
    AlreadyThere {
        /// Where.
        path: PathBuf,
    },
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
    /// A file holds something else than it should.
    #[error("`{}` is wrong: {detail}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A private key can be read by other users of the machine.
    #[error("`{}` has mode `{mode:o}`, expected `600`: others can read it", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A name for the operators' API is neither a DNS name nor an IP address.
    #[error("`{name}` is neither a DNS name nor an IP address")]
    Name {
        /// What was given.
        name: String,
    },
    /// The role cannot stand in a certificate.
    #[error("a node needs a role: node, gateway, standby or observer")]
    Role,
    /// A certificate could not be made.
    #[error("cannot make the {what}")]
    Make {
        /// Which.
        what: &'static str,
        /// Why not.
        #[source]
        source: rcgen::Error,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {detail}")]
    Entropy {
        /// Why not.
        detail: String,
    },
    /// The pair on disk would be refused by everybody.
    #[error("the certificate in `{}` would be refused", path.display())]
    Refused {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Refusal,
    },
    /// The recovery key is needed and not in the folder.
    #[error("the recovery key is not in the node's `keys/recovery.key`: fetch it from the safe")]
    RecoveryKeyAway,
    /// The card that these keys make is wrong.
    #[error("cannot make the card")]
    Card(#[from] CardError),
}

/// The keys of a node, in memory; the CA's private key stays on disk.
pub struct Keys {
    /// The node's CA certificate.
    pub ca: CertificateDer<'static>,
    /// What the node shows to peers and operators.
    pub leaf: Leaf,
    /// The key that signs the node's log.
    pub log: SigningKey,
    /// The key that signs its card and the epochs of an emergency; `None` when it lies in the safe.
    pub recovery: Option<SigningKey>,
    /// The key that opens letters sealed to this node.
    pub sealing: StaticSecret,
}

/// A certificate with its private key, checked to be a pair.
#[derive(Debug)]
pub struct Leaf {
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
    /// Who it names.
    pub identity: PeerIdentity,
    /// The first moment at which it is valid.
    pub not_before: UnixTime,
    /// The last moment at which it is valid.
    pub not_after: UnixTime,
    /// The DNS names and IP addresses by which operators reach the node.
    pub names: Vec<String>,
}

impl Keys {
    /// Makes all keys of a new node in `dir/keys`; `names` are the DNS names and IP addresses by which operators reach
    /// it, besides `localhost`.
    ///
    /// The folder appears whole or not at all.
    pub fn create(
        dir: &Path,
        federation: Id,
        origin: NodeId,
        role: NodeRole,
        names: &[String],
        now: UnixTime,
    ) -> Result<Self, KeysError> {
        if role == NodeRole::Unspecified {
            return Err(KeysError::Role);
        }
        let folder = dir.join(FOLDER);
        if folder.exists() {
            return Err(KeysError::AlreadyThere { path: folder });
        }
        let building = dir.join("keys.new");
        remove_leftover(&building)?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&building)
            .map_err(|source| KeysError::Io {
                action: "create",
                path: building.clone(),
                source,
            })?;

        let identity = PeerIdentity {
            federation,
            origin,
            role,
        };
        let ca_key = generate("CA key")?;
        let ca = self_sign(identity, &ca_key, now)?;
        write(&building.join(CA_KEY), ca_key.serialize_pem().as_bytes())?;
        write(&building.join(CA_PEM), ca.pem().as_bytes())?;
        let (tls_key, tls_pem) = issue(identity, names, ca.der(), ca_key, now)?;
        write(&building.join(TLS_KEY), tls_key.as_bytes())?;
        write(&building.join(TLS_PEM), tls_pem.as_bytes())?;
        for name in [LOG_KEY, RECOVERY_KEY, SEALING_KEY] {
            write(&building.join(name), to_hex(&random()?).as_bytes())?;
        }
        rename(&building, &folder)?;
        Self::load(dir)
    }

    /// Reads the keys from `dir/keys`.
    ///
    /// An expired certificate is read, since it can be renewed; a recovery key that is not there lies in its safe.
    pub fn load(dir: &Path) -> Result<Self, KeysError> {
        let folder = dir.join(FOLDER);
        let ca = read_certificate(&folder.join(CA_PEM))?;
        let ca_key = read_ca_key(&folder)?;
        check_ca_pair(&folder, &ca, &ca_key)?;
        Ok(Self {
            leaf: Leaf::load(dir)?,
            log: SigningKey::from_bytes(&read_secret(&folder.join(LOG_KEY))?),
            recovery: match read_secret(&folder.join(RECOVERY_KEY)) {
                Ok(seed) => Some(SigningKey::from_bytes(&seed)),
                Err(KeysError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    None
                }
                Err(error) => return Err(error),
            },
            sealing: StaticSecret::from(read_secret(&folder.join(SEALING_KEY))?),
            ca,
        })
    }

    /// Returns who the node is.
    pub fn identity(&self) -> PeerIdentity {
        self.leaf.identity
    }

    /// Returns the public part of the sealing key, X25519.
    pub fn sealing_public_key(&self) -> [u8; 32] {
        PublicKey::from(&self.sealing).to_bytes()
    }

    /// Makes the node's card, signed by the recovery key; `address` is where peers dial it, empty when it only dials.
    pub fn make_card(&self, address: &str) -> Result<NodeCard, KeysError> {
        let recovery = self.recovery.as_ref().ok_or(KeysError::RecoveryKeyAway)?;
        let identity = self.identity();
        let card = Card {
            federation_id: identity.federation.to_vec(),
            origin: identity.origin.to_string(),
            role: identity.role.into(),
            address: address.into(),
            ca_certificate: self.ca.to_vec(),
            log_public_key: self.log.verifying_key().to_bytes().to_vec(),
            sealing_public_key: self.sealing_public_key().to_vec(),
            ..Card::default()
        };
        Ok(NodeCard::sign(card, recovery)?)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("identity", &self.leaf.identity)
            .finish_non_exhaustive()
    }
}

impl Leaf {
    /// Reads the pair from `dir/keys`, and ends a renewal that was cut off between its two files.
    pub fn load(dir: &Path) -> Result<Self, KeysError> {
        let folder = dir.join(FOLDER);
        let read = Self::read(&folder, TLS_PEM);
        if read.is_ok() {
            return read;
        }
        // A renewal puts the key in place before the certificate; the new certificate is then still beside it.
        let Ok(renewed) = Self::read(&folder, TLS_PEM_NEXT) else {
            return read;
        };
        rename(&folder.join(TLS_PEM_NEXT), &folder.join(TLS_PEM))?;
        Ok(renewed)
    }

    /// Makes a new pair for the same node and names in `dir/keys`, issued by the CA there.
    pub fn renew(dir: &Path, now: UnixTime) -> Result<Self, KeysError> {
        let folder = dir.join(FOLDER);
        let old = Self::load(dir)?;
        let ca = read_certificate(&folder.join(CA_PEM))?;
        let ca_key = read_ca_key(&folder)?;
        check_ca_pair(&folder, &ca, &ca_key)?;
        let (key, pem) = issue(old.identity, &old.names, &ca, ca_key, now)?;
        write(&folder.join(TLS_PEM_NEXT), pem.as_bytes())?;
        write(&folder.join(TLS_KEY_NEXT), key.as_bytes())?;
        rename(&folder.join(TLS_KEY_NEXT), &folder.join(TLS_KEY))?;
        // The load finds the new key beside the old certificate, and puts the new certificate in place.
        Self::load(dir)
    }

    /// Says whether it is time for a renewal: 30 days are left, or fewer.
    pub fn needs_renewal(&self, now: UnixTime) -> bool {
        let left = self.not_after.as_secs().saturating_sub(now.as_secs());
        left <= RENEW_WITH_DAYS_LEFT * DAY.as_secs()
    }

    /// Checks that peers would take the pair at `now`: its dates, its usage, and that the CA in `dir/keys` issued it.
    pub fn check(&self, dir: &Path, now: UnixTime) -> Result<(), KeysError> {
        let folder = dir.join(FOLDER);
        let path = folder.join(TLS_PEM);
        let ca = read_certificate(&folder.join(CA_PEM))?;
        let facts = Facts::of_leaf(&self.certificate);
        facts
            .and_then(|facts| {
                check_issued(&self.certificate, &facts, &ca, Usage::Client, now)?;
                check_issued(&self.certificate, &facts, &ca, Usage::Server, now)
            })
            .map_err(|source| KeysError::Refused { path, source })
    }

    /// Returns the pair as rustls shows it in handshakes; an error when the two are no pair.
    pub(super) fn certified_key(&self) -> Result<CertifiedKey, rustls::Error> {
        CertifiedKey::from_der(
            vec![self.certificate.clone()],
            self.key.clone_key(),
            &ring::default_provider(),
        )
    }

    fn read(folder: &Path, pem: &str) -> Result<Self, KeysError> {
        let (pem_path, key_path) = (folder.join(pem), folder.join(TLS_KEY));
        let certificate = read_certificate(&pem_path)?;
        let facts = Facts::of_leaf(&certificate).map_err(|source| KeysError::Refused {
            path: pem_path.clone(),
            source,
        })?;
        let key = PrivateKeyDer::from_pem_slice(&read_private(&key_path)?).map_err(|error| {
            KeysError::Content {
                path: key_path.clone(),
                detail: error.to_string(),
            }
        })?;
        let leaf = Self {
            certificate,
            key,
            identity: facts.identity,
            not_before: facts.validity.not_before,
            not_after: facts.validity.not_after,
            names: facts.names,
        };
        match leaf.certified_key() {
            Ok(_) => Ok(leaf),
            Err(error) => Err(KeysError::Content {
                path: key_path,
                detail: format!("it is not the key of `{}`: {error}", pem_path.display()),
            }),
        }
    }
}

fn generate(what: &'static str) -> Result<KeyPair, KeysError> {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
        .map_err(|source| KeysError::Make { what, source })
}

fn random() -> Result<[u8; 32], KeysError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| KeysError::Entropy {
        detail: error.to_string(),
    })?;
    Ok(bytes)
}

fn dated(common_name: String, now: UnixTime, days: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    let begin = Duration::from_secs(now.as_secs()).saturating_sub(BACKDATED);
    params.not_before = rcgen::date_time_ymd(1970, 1, 1) + begin;
    params.not_after = params.not_before + Duration::from_secs(days * DAY.as_secs());
    params
}

fn self_sign(
    identity: PeerIdentity,
    key: &KeyPair,
    now: UnixTime,
) -> Result<rcgen::Certificate, KeysError> {
    let mut params = dated(format!("posko {} CA", identity.origin), now, CA_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.self_signed(key).map_err(|source| KeysError::Make {
        what: "CA certificate",
        source,
    })
}

/// Returns a new key and its certificate, PEM.
fn issue(
    identity: PeerIdentity,
    names: &[String],
    ca: &CertificateDer<'_>,
    ca_key: KeyPair,
    now: UnixTime,
) -> Result<(String, String), KeysError> {
    let cannot = |source| KeysError::Make {
        what: "certificate",
        source,
    };
    let mut params = dated(format!("posko {}", identity.origin), now, LEAF_DAYS);
    let uri = identity.to_string().try_into().map_err(cannot)?;
    params.subject_alt_names.push(SanType::URI(uri));
    let usual = ["localhost", "127.0.0.1", "::1"];
    for name in usual.into_iter().chain(names.iter().map(String::as_str)) {
        let name = read_name(name)?;
        if !params.subject_alt_names.contains(&name) {
            params.subject_alt_names.push(name);
        }
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params.use_authority_key_identifier_extension = true;

    let key = generate("TLS key")?;
    let issuer = Issuer::from_ca_cert_der(ca, ca_key).map_err(cannot)?;
    let certificate = params.signed_by(&key, &issuer).map_err(cannot)?;
    Ok((key.serialize_pem(), certificate.pem()))
}

fn read_name(name: &str) -> Result<SanType, KeysError> {
    let wrong = || KeysError::Name {
        name: super::shorten(name),
    };
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    if ServerName::try_from(name).is_err() {
        return Err(wrong());
    }
    name.try_into().map(SanType::DnsName).map_err(|_| wrong())
}

fn read_ca_key(folder: &Path) -> Result<KeyPair, KeysError> {
    let path = folder.join(CA_KEY);
    let pem = read_private(&path)?;
    std::str::from_utf8(&pem)
        .map_err(|error| error.to_string())
        .and_then(|pem| KeyPair::from_pem(pem).map_err(|error| error.to_string()))
        .map_err(|detail| KeysError::Content { path, detail })
}

fn check_ca_pair(folder: &Path, ca: &CertificateDer<'_>, key: &KeyPair) -> Result<(), KeysError> {
    let content = |detail: String| KeysError::Content {
        path: folder.join(CA_PEM),
        detail,
    };
    let (_, certificate) =
        X509Certificate::from_der(ca).map_err(|error| content(error.to_string()))?;
    if certificate.public_key().raw != key.subject_public_key_info() {
        return Err(content(format!(
            "`{}` is the key of another certificate",
            folder.join(CA_KEY).display()
        )));
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, KeysError> {
    fs::read(path).map_err(|source| KeysError::Io {
        action: "read",
        path: path.into(),
        source,
    })
}

fn read_private(path: &Path) -> Result<Vec<u8>, KeysError> {
    let metadata = fs::metadata(path).map_err(|source| KeysError::Io {
        action: "read",
        path: path.into(),
        source,
    })?;
    let mode = metadata.permissions().mode() & 0o7777;
    let for_others = mode & 0o077;
    if for_others == 0 {
        read(path)
    } else {
        Err(KeysError::Exposed {
            path: path.into(),
            mode,
        })
    }
}

fn read_certificate(path: &Path) -> Result<CertificateDer<'static>, KeysError> {
    CertificateDer::from_pem_slice(&read(path)?).map_err(|error| KeysError::Content {
        path: path.into(),
        detail: error.to_string(),
    })
}

fn read_secret(path: &Path) -> Result<[u8; 32], KeysError> {
    let text = read_private(path)?;
    from_hex(text.trim_ascii()).ok_or_else(|| KeysError::Content {
        path: path.into(),
        detail: "expected 64 hexadecimal digits".into(),
    })
}

fn to_hex(bytes: &[u8; 32]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16);
    let mut text: String = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .flatten()
        .collect();
    text.push('\n');
    text
}

fn from_hex(text: &[u8]) -> Option<[u8; 32]> {
    let digit = |letter: u8| char::from(letter).to_digit(16);
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = (digit(*high)? << 4 | digit(*low)?) as u8;
    }
    Some(bytes)
}

/// Writes a file whole, durable, and readable by its owner only.
fn write(path: &Path, bytes: &[u8]) -> Result<(), KeysError> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    remove_leftover(&temporary)?;
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .map_err(|source| KeysError::Io {
            action: "write",
            path: temporary.clone(),
            source,
        })?;
    rename(&temporary, path)
}

/// Renames durably: the parent folder is synced too.
fn rename(from: &Path, to: &Path) -> Result<(), KeysError> {
    fs::rename(from, to)
        .and_then(|()| {
            to.parent()
                .map_or(Ok(()), |parent| fs::File::open(parent)?.sync_all())
        })
        .map_err(|source| KeysError::Io {
            action: "put in place",
            path: to.into(),
            source,
        })
}

/// Removes what an attempt that was cut off left.
fn remove_leftover(path: &Path) -> Result<(), KeysError> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(KeysError::Io {
            action: "remove",
            path: path.into(),
            source: error,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_770_000_000;

    fn at(days: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(NOW) + DAY * days as u32)
    }

    fn create(dir: &Path) -> Keys {
        let names = [
            "posko.jabar.example".to_owned(),
            "10.32.0.1".to_owned(),
            "localhost".to_owned(),
        ];
        Keys::create(
            dir,
            Id([3; 16]),
            "32".parse().unwrap(),
            NodeRole::Node,
            &names,
            at(0),
        )
        .unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn keys_are_made_once_and_readable_by_their_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("keys.new")).unwrap();
        fs::write(dir.path().join("keys.new/ca.key"), "cut off").unwrap();
        create(dir.path());

        let folder = dir.path().join(FOLDER);
        assert_eq!(mode(&folder), 0o700);
        let mut found: Vec<String> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                assert_eq!(mode(&entry.path()), 0o600, "{}", entry.path().display());
                entry.file_name().into_string().unwrap()
            })
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                "ca.key",
                "ca.pem",
                "log.key",
                "recovery.key",
                "sealing.key",
                "tls.key",
                "tls.pem"
            ]
        );

        let again = Keys::create(
            dir.path(),
            Id([4; 16]),
            "36".parse().unwrap(),
            NodeRole::Node,
            &[],
            at(0),
        );
        assert!(matches!(again, Err(KeysError::AlreadyThere { .. })));
    }

    #[test]
    fn a_new_node_has_one_name_and_ninety_days() {
        let dir = tempfile::tempdir().unwrap();
        let keys = create(dir.path());
        assert_eq!(
            keys.identity().to_string(),
            "posko://03030303-0303-0303-0303-030303030303/32/node"
        );
        assert_eq!(
            keys.leaf.names,
            [
                "localhost",
                "127.0.0.1",
                "::1",
                "posko.jabar.example",
                "10.32.0.1"
            ]
        );
        assert_eq!(
            keys.leaf.not_after.as_secs() - keys.leaf.not_before.as_secs(),
            90 * 86_400
        );
        keys.leaf.check(dir.path(), at(0)).unwrap();

        let card = keys.make_card("posko.jabar.example:7443").unwrap();
        assert_eq!(card.identity(), keys.identity());
        assert_eq!(card.ca(), keys.ca);
        assert_eq!(card.sealing_key(), &keys.sealing_public_key());
    }

    #[test]
    fn a_renewed_pair_is_new_for_the_same_node_and_names() {
        let dir = tempfile::tempdir().unwrap();
        let old = create(dir.path()).leaf;
        assert!(!old.needs_renewal(at(59)));
        assert!(old.needs_renewal(at(60)));
        assert!(old.needs_renewal(at(1000)));

        let new = Leaf::renew(dir.path(), at(60)).unwrap();
        assert_eq!((new.identity, &new.names), (old.identity, &old.names));
        assert_ne!(new.key.secret_der(), old.key.secret_der());
        assert!(!new.needs_renewal(at(60)));
        new.check(dir.path(), at(149)).unwrap();
        let error = new.check(dir.path(), at(151)).unwrap_err();
        assert!(
            matches!(
                error,
                KeysError::Refused {
                    source: Refusal::CertExpired { .. },
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn a_renewal_that_was_cut_off_ends_at_the_next_load() {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path());
        let folder = dir.path().join(FOLDER);
        let old_pem = fs::read(folder.join(TLS_PEM)).unwrap();
        let new = Leaf::renew(dir.path(), at(60)).unwrap();
        fs::rename(folder.join(TLS_PEM), folder.join(TLS_PEM_NEXT)).unwrap();
        fs::write(folder.join(TLS_PEM), old_pem).unwrap();

        assert_eq!(
            Keys::load(dir.path()).unwrap().leaf.certificate,
            new.certificate
        );
        assert!(!folder.join(TLS_PEM_NEXT).exists());
    }

    #[test]
    fn the_recovery_key_may_lie_in_its_safe() {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path());
        fs::remove_file(dir.path().join("keys/recovery.key")).unwrap();
        let keys = Keys::load(dir.path()).unwrap();
        assert!(matches!(
            keys.make_card(""),
            Err(KeysError::RecoveryKeyAway)
        ));
    }

    #[test]
    fn a_key_that_is_missing_spoilt_or_exposed_is_named() {
        for name in [
            CA_KEY,
            CA_PEM,
            TLS_KEY,
            TLS_PEM,
            LOG_KEY,
            RECOVERY_KEY,
            SEALING_KEY,
        ] {
            let dir = tempfile::tempdir().unwrap();
            create(dir.path());
            let path = dir.path().join(FOLDER).join(name);
            let whole = fs::read(&path).unwrap();

            fs::write(&path, &whole[..whole.len() / 2]).unwrap();
            let error = Keys::load(dir.path()).unwrap_err();
            assert!(
                matches!(&error, KeysError::Content { path: found, .. } if *found == path),
                "{name}: {error}"
            );

            fs::write(&path, &whole).unwrap();
            if name.ends_with("key") {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
                let error = Keys::load(dir.path()).unwrap_err();
                assert_eq!(
                    error.to_string(),
                    format!(
                        "`{}` has mode `640`, expected `600`: others can read it",
                        path.display()
                    )
                );
            }

            fs::remove_file(&path).unwrap();
            if name != RECOVERY_KEY {
                let error = Keys::load(dir.path()).unwrap_err();
                assert_eq!(
                    error.to_string(),
                    format!("cannot read `{}`", path.display())
                );
            }
        }
    }

    #[test]
    fn keys_of_two_nodes_do_not_mix() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        create(one.path());
        create(other.path());
        for name in [CA_KEY, TLS_KEY] {
            let path = one.path().join(FOLDER).join(name);
            let own = fs::read(&path).unwrap();
            fs::write(
                &path,
                fs::read(other.path().join(FOLDER).join(name)).unwrap(),
            )
            .unwrap();
            assert!(
                matches!(Keys::load(one.path()), Err(KeysError::Content { .. })),
                "{name}"
            );
            fs::write(&path, own).unwrap();
        }
        Keys::load(one.path()).unwrap();
    }

    #[test]
    fn what_is_no_name_makes_no_keys() {
        for name in [
            "",
            "posko example",
            "https://posko.example",
            "posko.example:7443",
        ] {
            let dir = tempfile::tempdir().unwrap();
            let made = Keys::create(
                dir.path(),
                Id([3; 16]),
                "32".parse().unwrap(),
                NodeRole::Node,
                &[name.into()],
                at(0),
            );
            assert!(matches!(made, Err(KeysError::Name { .. })), "{name}");
            assert!(!dir.path().join(FOLDER).exists());
        }
    }
}
