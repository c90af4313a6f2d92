//! The verdict on a peer's certificate: who it is, or why it is refused.
//!
//! The name comes first: it says whose card to judge by, and only that card's CA counts.
//! So a province's CA can speak for that province alone, whatever it signs.
//! It never does IO, reads a clock, or looks at names other than the one `posko://` name.

use std::{
    collections::BTreeMap,
    fmt::Write,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use chrono::{DateTime, SecondsFormat};
use posko_proto::{
    Id, NodeId,
    federation::v1::{Goodbye, GoodbyeReason, Hello, NodeRole},
};
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage};
use x509_parser::{
    extensions::{GeneralName, ParsedExtension},
    prelude::{FromDer, X509Certificate},
};

use super::{NodeCard, PeerIdentity, role_name, shorten};

/// What a node goes by when it judges peers: its own federation, and the cards that it accepted.
#[derive(Debug, Clone)]
pub struct Trust {
    federation: Id,
    accepted: BTreeMap<NodeId, NodeCard>,
}

/// What the peer used its certificate for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// The peer dialled.
    Client,
    /// The peer was dialled.
    Server,
}

/// Why a peer is refused; each reason is also told to the peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The peer belongs to another federation.
    #[error("the peer is of federation `{found}`, expected `{expected}`")]
    UnknownFederation {
        /// The peer's.
        found: Id,
        /// This node's.
        expected: Id,
    },
    /// No card of that origin was accepted.
    #[error(
        "the peer is `{found}`, expected a node whose card was accepted here: none of `{found}` was"
    )]
    UnknownPeer {
        /// The peer.
        found: NodeId,
    },
    /// The certificate is not of the CA on that origin's card.
    #[error(
        "the certificate of `{origin}` was issued by {found}, expected the CA on its accepted card, {expected}"
    )]
    WrongCa {
        /// Whose certificate it claims to be.
        origin: NodeId,
        /// The issuer that it names.
        found: String,
        /// The CA on the card.
        expected: String,
    },
    /// The certificate is of another province than was expected or claimed.
    #[error("the peer is `{found}`, expected `{expected}`")]
    WrongOrigin {
        /// The peer.
        found: NodeId,
        /// Whom the dialler expected, or whom the certificate names.
        expected: String,
    },
    /// The role is another one than on the card.
    #[error("the peer `{origin}` is a `{found}`, expected a `{expected}`")]
    WrongRole {
        /// The peer.
        origin: NodeId,
        /// The role that it claims.
        found: &'static str,
        /// The role that was accepted.
        expected: &'static str,
    },
    /// A certificate's dates do not hold, by the clock of the one who judges.
    #[error(
        "the {certificate} of `{origin}` is valid from `{}` to `{}`, but the clock of the node that refuses it says `{}`",
        show_time(*not_before), show_time(*not_after), show_time(*now)
    )]
    CertExpired {
        /// Whose it is.
        origin: NodeId,
        /// Which of its certificates: `certificate` or `CA certificate`.
        certificate: &'static str,
        /// The first moment at which it is valid.
        not_before: UnixTime,
        /// The last moment at which it is valid.
        not_after: UnixTime,
        /// The clock of the one who judges.
        now: UnixTime,
    },
    /// The certificate names no node, or more than one, or may not be used so.
    #[error("the peer's certificate is not usable: {detail}")]
    BadCertificate {
        /// What was found, and what was expected.
        detail: String,
    },
}

impl Refusal {
    /// Returns the reason as it is told to the peer.
    pub fn reason(&self) -> GoodbyeReason {
        match self {
            Self::UnknownFederation { .. } => GoodbyeReason::UnknownFederation,
            Self::UnknownPeer { .. } => GoodbyeReason::UnknownPeer,
            Self::WrongCa { .. } => GoodbyeReason::WrongCa,
            Self::WrongOrigin { .. } => GoodbyeReason::WrongOrigin,
            Self::WrongRole { .. } => GoodbyeReason::WrongRole,
            Self::CertExpired { .. } => GoodbyeReason::CertExpired,
            Self::BadCertificate { .. } => GoodbyeReason::BadCertificate,
        }
    }

    /// Returns the frame's content that tells the peer.
    pub fn goodbye(&self) -> Goodbye {
        Goodbye {
            reason: self.reason().into(),
            detail: self.to_string(),
        }
    }
}

impl Trust {
    /// Returns the trust of a node of `federation` that accepted nobody yet.
    pub fn new(federation: Id) -> Self {
        Self {
            federation,
            accepted: BTreeMap::new(),
        }
    }

    /// Accepts a card of the own federation, and returns the one that it replaces.
    pub fn accept(&mut self, card: NodeCard) -> Result<Option<NodeCard>, Refusal> {
        self.check_federation(card.identity().federation)?;
        Ok(self.accepted.insert(card.origin(), card))
    }

    /// Stops accepting an origin, and returns its card when there was one.
    pub fn remove(&mut self, origin: NodeId) -> Option<NodeCard> {
        self.accepted.remove(&origin)
    }

    /// Returns the accepted card of an origin.
    pub fn card(&self, origin: NodeId) -> Option<&NodeCard> {
        self.accepted.get(&origin)
    }

    /// Returns the accepted cards in the order of their origins.
    pub fn cards(&self) -> impl Iterator<Item = &NodeCard> {
        self.accepted.values()
    }

    fn check_federation(&self, found: Id) -> Result<(), Refusal> {
        let expected = self.federation;
        if found == expected {
            Ok(())
        } else {
            Err(Refusal::UnknownFederation { found, expected })
        }
    }
}

/// Judges the certificates that a peer proved to hold the key of, leaf first; `expected` is whom a dialler dialled.
///
/// The leaf must be issued by the card's CA itself, so certificates after the leaf do not count.
pub fn judge(
    chain: &[CertificateDer<'_>],
    trust: &Trust,
    expected: Option<NodeId>,
    usage: Usage,
    now: UnixTime,
) -> Result<PeerIdentity, Refusal> {
    let der = chain
        .first()
        .ok_or_else(|| bad("none was presented, expected one"))?;
    let leaf = Facts::of_leaf(der)?;
    let identity = leaf.identity;
    let origin = identity.origin;

    trust.check_federation(identity.federation)?;
    let card = trust
        .card(origin)
        .ok_or(Refusal::UnknownPeer { found: origin })?;
    if let Some(expected) = expected.filter(|expected| *expected != origin) {
        return Err(Refusal::WrongOrigin {
            found: origin,
            expected: expected.to_string(),
        });
    }
    check_role(origin, identity.role, card.identity().role)?;
    check_issued(der, &leaf, &card.ca(), usage, now)?;
    Ok(identity)
}

/// Judges what a peer says of itself in its `Hello`: the same as its certificate.
pub fn judge_hello(hello: &Hello, certified: PeerIdentity) -> Result<(), Refusal> {
    if hello.federation_id != certified.federation.as_bytes() {
        let found = Id::try_from(hello.federation_id.as_slice()).unwrap_or_default();
        return Err(Refusal::UnknownFederation {
            found,
            expected: certified.federation,
        });
    }
    if hello.origin != certified.origin.as_str() {
        // The certificate is what was found; the greeting claims somebody else.
        return Err(Refusal::WrongOrigin {
            found: certified.origin,
            expected: shorten(&hello.origin),
        });
    }
    check_role(certified.origin, hello.role(), certified.role)
}

fn check_role(origin: NodeId, found: NodeRole, expected: NodeRole) -> Result<(), Refusal> {
    if found == expected {
        return Ok(());
    }
    Err(Refusal::WrongRole {
        origin,
        found: role_name(found),
        expected: role_name(expected),
    })
}

/// Checks a leaf's dates and usage, and that `ca` issued it.
pub(super) fn check_issued(
    der: &CertificateDer<'_>,
    leaf: &Facts,
    ca: &CertificateDer<'_>,
    usage: Usage,
    now: UnixTime,
) -> Result<(), Refusal> {
    let origin = leaf.identity.origin;
    let ca_facts = CaFacts::of(ca)?;
    leaf.validity.check(origin, "certificate", now)?;
    ca_facts.validity.check(origin, "CA certificate", now)?;
    let (allowed, name, key_usage) = match usage {
        Usage::Client => (leaf.for_client, "client", KeyUsage::client_auth()),
        Usage::Server => (leaf.for_server, "server", KeyUsage::server_auth()),
    };
    if !allowed {
        return Err(bad(format!(
            "its extended key usage is {}, expected `{name}Auth` in it",
            leaf.usages
        )));
    }

    let anchor = webpki::anchor_from_trusted_cert(ca)
        .map_err(|error| bad(format!("its CA is unusable: {error}")))?;
    let verified = EndEntityCert::try_from(der).and_then(|certificate| {
        certificate
            .verify_for_usage(
                webpki::ALL_VERIFICATION_ALGS,
                &[anchor],
                &[],
                now,
                key_usage,
                None,
                None,
            )
            .map(|_| ())
    });
    match verified {
        Ok(()) => Ok(()),
        Err(
            webpki::Error::UnknownIssuer
            | webpki::Error::InvalidSignatureForPublicKey
            | webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_),
        ) => Err(Refusal::WrongCa {
            origin,
            found: leaf.issuer.clone(),
            expected: ca_facts.name,
        }),
        Err(error) => Err(bad(format!(
            "`{error}`, expected a leaf certificate of a node"
        ))),
    }
}

/// What a leaf certificate says, before anything of it is believed.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) identity: PeerIdentity,
    pub(super) validity: Validity,
    /// The DNS names and addresses; they are for operators' clients and identify nobody.
    pub(super) names: Vec<String>,
    issuer: String,
    usages: String,
    for_client: bool,
    for_server: bool,
}

/// When a certificate is valid, both ends included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Validity {
    pub(super) not_before: UnixTime,
    pub(super) not_after: UnixTime,
}

struct CaFacts {
    validity: Validity,
    name: String,
}

impl Facts {
    pub(super) fn of_leaf(der: &CertificateDer<'_>) -> Result<Self, Refusal> {
        let certificate = parse(der)?;
        let names = certificate
            .subject_alternative_name()
            .map_err(|error| bad(format!("its names cannot be read: {error}")))?
            .map(|extension| extension.value.general_names.as_slice())
            .unwrap_or_default();
        let uris: Vec<&str> = names
            .iter()
            .filter_map(|name| {
                if let GeneralName::URI(uri) = name {
                    Some(*uri)
                } else {
                    None
                }
            })
            .collect();
        let uri = match uris.as_slice() {
            [uri] => *uri,
            [] => return Err(bad("it has no URI name, expected exactly one `posko://…`")),
            [first, second, ..] => {
                return Err(bad(format!(
                    "it has {} URI names, `{}`, `{}`…, expected exactly one `posko://…`",
                    uris.len(),
                    shorten(first),
                    shorten(second)
                )));
            }
        };
        let identity = PeerIdentity::from_uri(uri).map_err(|error| bad(error.to_string()))?;

        let key_usage = certificate
            .extended_key_usage()
            .map_err(|error| bad(format!("its extended key usage cannot be read: {error}")))?
            .map(|extension| extension.value);
        let (for_client, for_server) = key_usage.map_or((false, false), |usage| {
            (usage.client_auth, usage.server_auth)
        });
        let usages = match (for_client, for_server) {
            (true, true) => "`clientAuth` and `serverAuth`",
            (true, false) => "`clientAuth` only",
            (false, true) => "`serverAuth` only",
            (false, false) if key_usage.is_some() => "neither `clientAuth` nor `serverAuth`",
            (false, false) => "missing",
        };
        Ok(Self {
            identity,
            validity: Validity::of(&certificate),
            names: names.iter().filter_map(read_name).collect(),
            issuer: name_issuer(&certificate),
            usages: usages.into(),
            for_client,
            for_server,
        })
    }
}

impl Validity {
    fn of(certificate: &X509Certificate<'_>) -> Self {
        let read = |seconds: i64| {
            UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds.max(0) as u64))
        };
        let validity = certificate.validity();
        Self {
            not_before: read(validity.not_before.timestamp()),
            not_after: read(validity.not_after.timestamp()),
        }
    }

    pub(super) fn check(
        self,
        origin: NodeId,
        certificate: &'static str,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let Self {
            not_before,
            not_after,
        } = self;
        if (not_before.as_secs()..=not_after.as_secs()).contains(&now.as_secs()) {
            return Ok(());
        }
        Err(Refusal::CertExpired {
            origin,
            certificate,
            not_before,
            not_after,
            now,
        })
    }
}

impl CaFacts {
    fn of(der: &CertificateDer<'_>) -> Result<Self, Refusal> {
        let certificate = parse(der)?;
        Ok(Self {
            validity: Validity::of(&certificate),
            name: name_subject(&certificate),
        })
    }
}

fn bad(detail: impl Into<String>) -> Refusal {
    Refusal::BadCertificate {
        detail: detail.into(),
    }
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, Refusal> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok((rest, _)) => Err(bad(format!("{} bytes follow it", rest.len()))),
        Err(error) => Err(bad(format!("it cannot be parsed: {error}"))),
    }
}

fn read_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(|bytes| IpAddr::from(Ipv4Addr::from(bytes)));
            let v6 = <[u8; 16]>::try_from(*bytes).map(|bytes| IpAddr::from(Ipv6Addr::from(bytes)));
            v4.or(v6).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

/// Names an issuer by its name and the beginning of its key's id, since two CAs may have the same name.
fn name_issuer(certificate: &X509Certificate<'_>) -> String {
    let key =
        certificate
            .extensions()
            .iter()
            .find_map(|extension| match extension.parsed_extension() {
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    id.key_identifier.as_ref().map(|id| id.0)
                }
                _ => None,
            });
    name_ca(&certificate.issuer().to_string(), key)
}

fn name_subject(certificate: &X509Certificate<'_>) -> String {
    let key =
        certificate
            .extensions()
            .iter()
            .find_map(|extension| match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
                _ => None,
            });
    name_ca(&certificate.subject().to_string(), key)
}

fn name_ca(name: &str, key: Option<&[u8]>) -> String {
    let mut named = format!("`{}`", shorten(name));
    if let Some(key) = key {
        named.push_str(" with key `");
        for byte in key.iter().take(4) {
            // Writing to a string cannot fail.
            let _ = write!(named, "{byte:02x}");
        }
        named.push('`');
    }
    named
}

/// Returns a moment as people read it, in UTC.
pub(super) fn show_time(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .map_or_else(
            || time.as_secs().to_string(),
            |time| time.to_rfc3339_opts(SecondsFormat::Secs, true),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> PeerIdentity {
        PeerIdentity {
            federation: Id([3; 16]),
            origin: "32".parse().unwrap(),
            role: NodeRole::Node,
        }
    }

    #[test]
    fn a_hello_must_equal_the_certificate() {
        let hello = Hello {
            federation_id: vec![3; 16],
            origin: "32".into(),
            role: NodeRole::Node.into(),
            ..Hello::default()
        };
        assert_eq!(judge_hello(&hello, identity()), Ok(()));

        let other = Hello {
            federation_id: vec![4; 16],
            ..hello.clone()
        };
        assert_eq!(
            judge_hello(&other, identity()).unwrap_err().reason(),
            GoodbyeReason::UnknownFederation
        );
        let other = Hello {
            origin: "36".into(),
            ..hello.clone()
        };
        let refusal = judge_hello(&other, identity()).unwrap_err();
        assert_eq!(refusal.to_string(), "the peer is `32`, expected `36`");
        let other = Hello {
            role: NodeRole::Gateway.into(),
            ..hello
        };
        let refusal = judge_hello(&other, identity()).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "the peer `32` is a `gateway`, expected a `node`"
        );
    }

    #[test]
    fn a_peer_without_a_certificate_is_refused() {
        let trust = Trust::new(Id([3; 16]));
        for (chain, message) in [
            (
                vec![],
                "the peer's certificate is not usable: none was presented, expected one",
            ),
            (
                vec![CertificateDer::from(vec![0x30, 0])],
                "the peer's certificate is not usable: it cannot be parsed: ",
            ),
        ] {
            let refusal = judge(
                &chain,
                &trust,
                None,
                Usage::Client,
                UnixTime::since_unix_epoch(std::time::Duration::ZERO),
            )
            .unwrap_err();
            assert_eq!(refusal.reason(), GoodbyeReason::BadCertificate);
            assert!(refusal.to_string().starts_with(message), "{refusal}");
        }
    }
}
