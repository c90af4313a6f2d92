//! A node's card: what it tells of itself to be accepted, as text that can be mailed, pasted and printed.
//!
//! A card proves only that whoever made it holds the recovery key on it.
//! That this key is the province's is what two people establish by reading the fingerprint to each other.

use std::{fmt, net::SocketAddr};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use posko_proto::{
    Id, NodeId,
    federation::v1::{Card, NodeRole},
    id::IdError,
};
use prost::Message;
use rustls::pki_types::{CertificateDer, ServerName};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{
    PeerIdentity, shorten,
    words::{CARD_DOMAIN, FingerprintError, compare_fingerprint, fingerprint},
};

/// A card's text begins with this.
pub const CARD_PREFIX: &str = "posko-card-1:";

/// The longest text that is read as a card, in bytes without white space; a card has about 1000.
const MAX_TEXT_BYTES: usize = 16 * 1024;

/// What is wrong with a card.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// The text is something else.
    #[error("the text begins with `{found}`, a card begins with `posko-card-1:`")]
    Prefix {
        /// How it begins.
        found: String,
    },
    /// The text is longer than any card.
    #[error("the card's text has {found} bytes, at most {MAX_TEXT_BYTES} are read")]
    TooLong {
        /// How long it is.
        found: usize,
    },
    /// A character was lost or changed on the way.
    #[error("the card's text is no base64url: {detail}")]
    Base64 {
        /// What and where.
        detail: String,
    },
    /// The text was cut off, or is no card.
    #[error("the card's bytes are cut off or no card: {detail}")]
    Bytes {
        /// What and where.
        detail: String,
    },
    /// A field is missing, or holds what it must not.
    #[error("the card's `{field}` is wrong: {detail}")]
    Field {
        /// The field, named as in the contract.
        field: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The card was changed, or made without the recovery key.
    #[error(
        "the card's `signature` is not by the recovery key on it: the card was changed after it was made"
    )]
    Signature,
}

/// A card that was checked: complete, well-formed, and signed by the recovery key on it.
#[derive(Clone, PartialEq)]
pub struct NodeCard {
    card: Card,
    identity: PeerIdentity,
    log_key: VerifyingKey,
    recovery_key: VerifyingKey,
    sealing_key: [u8; 32],
}

impl NodeCard {
    /// Signs `card` with the recovery key, whose public part it puts on the card, and checks the result.
    pub fn sign(mut card: Card, recovery: &SigningKey) -> Result<Self, CardError> {
        card.recovery_public_key = recovery.verifying_key().to_bytes().to_vec();
        card.signature.clear();
        card.signature = recovery.sign(&signed_bytes(&card)).to_bytes().to_vec();
        Self::check(card)
    }

    /// Checks a card: every field, then the signature.
    pub fn check(card: Card) -> Result<Self, CardError> {
        let identity = PeerIdentity {
            federation: Id::try_from(card.federation_id.as_slice())
                .map_err(|error| wrong("federation_id", error.to_string()))?,
            origin: card
                .origin
                .parse()
                .map_err(|error: IdError| wrong("origin", error.to_string()))?,
            role: check_role(card.role)?,
        };
        check_address(&card.address)?;
        check_ca(&card.ca_certificate)?;
        let log_key = read_key("log_public_key", &card.log_public_key)?;
        let recovery_key = read_key("recovery_public_key", &card.recovery_public_key)?;
        let sealing_key = read_32("sealing_public_key", &card.sealing_public_key)?;
        if sealing_key == [0; 32] {
            return Err(wrong("sealing_public_key", "it is all zeros"));
        }
        let signature = Signature::from_slice(&card.signature).map_err(|_| {
            wrong(
                "signature",
                format!("it has {} bytes, expected 64", card.signature.len()),
            )
        })?;
        recovery_key
            .verify_strict(&signed_bytes(&card), &signature)
            .map_err(|_| CardError::Signature)?;
        Ok(Self {
            card,
            identity,
            log_key,
            recovery_key,
            sealing_key,
        })
    }

    /// Reads a card's text; line breaks and spaces in it, as mail programs add them, do not count.
    pub fn from_text(text: &str) -> Result<Self, CardError> {
        let text: String = text
            .chars()
            .filter(|letter| !letter.is_whitespace())
            .collect();
        if text.len() > MAX_TEXT_BYTES {
            return Err(CardError::TooLong { found: text.len() });
        }
        let body = text
            .strip_prefix(CARD_PREFIX)
            .ok_or_else(|| CardError::Prefix {
                found: shorten(&text.chars().take(CARD_PREFIX.len()).collect::<String>()),
            })?;
        let bytes = BASE64_URL_SAFE_NO_PAD
            .decode(body.trim_end_matches('='))
            .map_err(|error| CardError::Base64 {
                detail: error.to_string(),
            })?;
        Self::from_bytes(&bytes)
    }

    /// Reads a card's bytes, as [`NodeCard::to_bytes`] gives them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CardError> {
        let card = Card::decode(bytes).map_err(|error| CardError::Bytes {
            detail: error.to_string(),
        })?;
        if card.encode_to_vec() != bytes {
            return Err(CardError::Bytes {
                detail: "there is more in them than a card's fields".into(),
            });
        }
        Self::check(card)
    }

    /// Returns the card as text, one line.
    pub fn to_text(&self) -> String {
        format!(
            "{CARD_PREFIX}{}",
            BASE64_URL_SAFE_NO_PAD.encode(self.to_bytes())
        )
    }

    /// Returns the card's bytes, of which the fingerprint is made.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.card.encode_to_vec()
    }

    /// Returns the card's fingerprint in ten words.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.to_bytes())
    }

    /// Compares the words that a person heard with the card's.
    pub fn compare_fingerprint(&self, read: &str) -> Result<(), FingerprintError> {
        compare_fingerprint(read, &self.fingerprint())
    }

    /// Returns who the card is of.
    pub fn identity(&self) -> PeerIdentity {
        self.identity
    }

    /// Returns the node that the card is of.
    pub fn origin(&self) -> NodeId {
        self.identity.origin
    }

    /// Returns where the node is dialled, `host:port`; `None` when it only dials.
    pub fn address(&self) -> Option<&str> {
        Some(self.card.address.as_str()).filter(|address| !address.is_empty())
    }

    /// Returns the node's CA certificate.
    pub fn ca(&self) -> CertificateDer<'_> {
        CertificateDer::from(self.card.ca_certificate.as_slice())
    }

    /// Returns the log key at the time of the card.
    pub fn log_key(&self) -> &VerifyingKey {
        &self.log_key
    }

    /// Returns the recovery key.
    pub fn recovery_key(&self) -> &VerifyingKey {
        &self.recovery_key
    }

    /// Returns the X25519 key for sealed letters.
    pub fn sealing_key(&self) -> &[u8; 32] {
        &self.sealing_key
    }

    /// Returns the message.
    pub fn as_proto(&self) -> &Card {
        &self.card
    }
}

impl fmt::Debug for NodeCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeCard")
            .field("identity", &self.identity)
            .field("address", &self.card.address)
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

fn signed_bytes(card: &Card) -> Vec<u8> {
    let unsigned = Card {
        signature: Vec::new(),
        ..card.clone()
    };
    [CARD_DOMAIN, &unsigned.encode_to_vec()].concat()
}

fn wrong(field: &'static str, detail: impl Into<String>) -> CardError {
    CardError::Field {
        field,
        detail: detail.into(),
    }
}

fn check_role(role: i32) -> Result<NodeRole, CardError> {
    match NodeRole::try_from(role) {
        Ok(NodeRole::Unspecified) => Err(wrong("role", "it is missing")),
        Ok(role) => Ok(role),
        Err(_) => Err(wrong(
            "role",
            format!("`{role}` is unknown to this program"),
        )),
    }
}

/// Checks that an address can be dialled: a name or an IP address, and a port other than 0; or nothing.
pub fn check_address(address: &str) -> Result<(), CardError> {
    let is_host = |host: &str| ServerName::try_from(host).is_ok() && !host.contains(':');
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port != 0);
    let is_named = || {
        address
            .rsplit_once(':')
            .is_some_and(|(host, port)| is_host(host) && is_port(port))
    };
    let is_numeric = || {
        address
            .parse::<SocketAddr>()
            .is_ok_and(|address| address.port() != 0)
    };
    if address.is_empty() || is_numeric() || is_named() {
        return Ok(());
    }
    Err(wrong(
        "address",
        format!("`{}` is no `host:port`", shorten(address)),
    ))
}

fn check_ca(der: &[u8]) -> Result<(), CardError> {
    let wrong = |detail: String| wrong("ca_certificate", detail);
    if der.is_empty() {
        return Err(wrong("it is missing".into()));
    }
    let (rest, certificate) = X509Certificate::from_der(der)
        .map_err(|error| wrong(format!("it is no certificate: {error}")))?;
    if !rest.is_empty() {
        return Err(wrong(format!(
            "{} bytes follow the certificate",
            rest.len()
        )));
    }
    if !certificate.is_ca() {
        return Err(wrong("it is not a CA's".into()));
    }
    webpki::anchor_from_trusted_cert(&CertificateDer::from(der))
        .map(|_| ())
        .map_err(|error| wrong(format!("it cannot be trusted: {error}")))
}

fn read_32(field: &'static str, bytes: &[u8]) -> Result<[u8; 32], CardError> {
    match bytes.len() {
        0 => Err(wrong(field, "it is missing")),
        found => bytes
            .try_into()
            .map_err(|_| wrong(field, format!("it has {found} bytes, expected 32"))),
    }
}

fn read_key(field: &'static str, bytes: &[u8]) -> Result<VerifyingKey, CardError> {
    let key = VerifyingKey::from_bytes(&read_32(field, bytes)?)
        .map_err(|_| wrong(field, "it is no Ed25519 key"))?;
    if key.is_weak() {
        Err(wrong(
            field,
            "it is a weak Ed25519 key, which anybody can sign for",
        ))
    } else {
        Ok(key)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const RECOVERY: [u8; 32] = [7; 32];

    pub(in crate::identity) fn unsigned(identity: PeerIdentity, ca: &CertificateDer<'_>) -> Card {
        Card {
            federation_id: identity.federation.to_vec(),
            origin: identity.origin.to_string(),
            role: identity.role.into(),
            address: "posko-32.example:7443".into(),
            ca_certificate: ca.to_vec(),
            log_public_key: SigningKey::from_bytes(&[6; 32])
                .verifying_key()
                .to_bytes()
                .to_vec(),
            recovery_public_key: Vec::new(),
            sealing_public_key: vec![9; 32],
            signature: Vec::new(),
        }
    }

    pub(in crate::identity) fn signed(identity: PeerIdentity, ca: &CertificateDer<'_>) -> NodeCard {
        NodeCard::sign(unsigned(identity, ca), &SigningKey::from_bytes(&RECOVERY)).unwrap()
    }

    fn some_card() -> NodeCard {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
        let ca = params.self_signed(&key).unwrap();
        let identity = PeerIdentity {
            federation: Id([3; 16]),
            origin: "32".parse().unwrap(),
            role: NodeRole::Node,
        };
        signed(identity, ca.der())
    }

    #[test]
    fn a_card_survives_being_mailed() {
        let card = some_card();
        assert_eq!(NodeCard::from_text(&card.to_text()).unwrap(), card);

        let letters: Vec<char> = card.to_text().chars().collect();
        let wrapped: Vec<String> = letters
            .chunks(64)
            .map(|line| line.iter().collect())
            .collect();
        let mailed = NodeCard::from_text(&format!("\n  {} \r\n", wrapped.join("\r\n  "))).unwrap();
        assert_eq!(mailed.fingerprint(), card.fingerprint());
        assert_eq!(
            mailed.compare_fingerprint(&card.fingerprint().to_uppercase()),
            Ok(())
        );
    }

    #[test]
    fn another_card_has_another_fingerprint() {
        let (one, other) = (some_card(), some_card());
        assert!(one.compare_fingerprint(&other.fingerprint()).is_err());
    }

    #[test]
    fn what_is_no_card_is_refused_with_its_reason() {
        let text = some_card().to_text();
        let cases = [
            (
                "posko-card-2:AAAA".to_owned(),
                "the text begins with `posko-card-2:`, a card begins with `posko-card-1:`",
            ),
            (
                String::new(),
                "the text begins with ``, a card begins with `posko-card-1:`",
            ),
            (
                format!("{CARD_PREFIX}ab+d"),
                "the card's text is no base64url: Invalid symbol 43, offset 2.",
            ),
            (
                format!("{CARD_PREFIX}{}", "A".repeat(17_000)),
                "the card's text has 17013 bytes, at most 16384 are read",
            ),
            (
                CARD_PREFIX.into(),
                "the card's `federation_id` is wrong: an id has 16 bytes, not 0",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(NodeCard::from_text(&text).unwrap_err().to_string(), message);
        }
        for length in 0..text.len() {
            assert!(
                NodeCard::from_text(&text[..length]).is_err(),
                "cut to {length}"
            );
        }
        let cut = NodeCard::from_text(&text[..CARD_PREFIX.len() + 400]).unwrap_err();
        assert!(matches!(cut, CardError::Bytes { .. }), "{cut}");
    }

    #[test]
    fn a_card_with_a_wrong_field_is_refused_by_that_field() {
        type Spoil = fn(&mut Card);
        let good = some_card().as_proto().clone();
        let cases: [(&str, Spoil); 18] = [
            ("federation_id", |card| card.federation_id.truncate(15)),
            ("origin", |card| card.origin.clear()),
            ("origin", |card| card.origin = "../32".into()),
            ("role", |card| card.role = 0),
            ("role", |card| card.role = 99),
            ("address", |card| card.address = "posko-32.example".into()),
            ("address", |card| card.address = "posko-32.example:0".into()),
            ("address", |card| {
                card.address = "http://posko-32.example:7443".into();
            }),
            ("address", |card| card.address = "::1:7443".into()),
            ("ca_certificate", |card| card.ca_certificate.clear()),
            ("ca_certificate", |card| card.ca_certificate.truncate(100)),
            ("ca_certificate", |card| card.ca_certificate.push(0)),
            ("log_public_key", |card| card.log_public_key.clear()),
            ("log_public_key", |card| {
                card.log_public_key = [&[1], &[0; 31][..]].concat();
            }),
            ("recovery_public_key", |card| {
                card.recovery_public_key.push(1);
            }),
            ("sealing_public_key", |card| card.sealing_public_key.clear()),
            ("sealing_public_key", |card| {
                card.sealing_public_key = vec![0; 32];
            }),
            ("signature", |card| card.signature.truncate(63)),
        ];
        for (field, spoil) in cases {
            let mut card = good.clone();
            spoil(&mut card);
            match NodeCard::check(card).unwrap_err() {
                CardError::Field { field: found, .. } => assert_eq!(found, field),
                other => panic!("{field}: {other}"),
            }
        }
        for address in ["", "posko.example:7443", "10.0.0.1:7443", "[::1]:7443"] {
            assert_eq!(check_address(address), Ok(()), "{address}");
        }
    }

    #[test]
    fn a_card_with_any_byte_changed_is_refused() {
        let bytes = some_card().to_bytes();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(NodeCard::from_bytes(&changed).is_err(), "byte {at}");
        }
        let unknown_field = [bytes.as_slice(), &[0x78, 1]].concat();
        assert!(matches!(
            NodeCard::from_bytes(&unknown_field),
            Err(CardError::Bytes { .. })
        ));
    }

    #[test]
    fn a_card_that_names_another_address_is_not_its_makers() {
        let mut card = some_card().as_proto().clone();
        card.address = "elsewhere.example:7443".into();
        assert_eq!(NodeCard::check(card), Err(CardError::Signature));
    }
}
