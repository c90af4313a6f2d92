//! Mutual TLS 1.3 between nodes, and TLS from operators to their node.
//!
//! Between nodes, the handshake proves only that each side holds the key of the certificate that it shows.
//! Whether that certificate is acceptable is decided by [`super::judge`] right after the handshake, by the session.
//! The reason: a TLS alert has no room to say why, and a refusal that a peer's operator cannot read costs two offices a
//! night; so the refusal is told by name in a `Goodbye` frame, and that frame is all that is served before the verdict.
//! Only a certificate that cannot be parsed at all, or none, ends in the handshake itself.
//!
//! ```text
//! dialler                       dialled
//!    │ ── TLS 1.3, both prove their keys ── │
//!    │ judge(.., Server)      judge(.., Client)
//!    │ ── Goodbye(reason, detail) if refused, else Hello ── │
//! ```
//!
//! It never resumes a session: a resumed one would skip the certificate, and with it the verdict.

use std::{path::Path, sync::Arc};

use arc_swap::ArcSwap;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, PeerIncompatible,
    RootCertStore, ServerConfig, SignatureScheme,
    client::{
        ResolvesClientCert, Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::{
        ClientHello, NoServerSessionStorage, ResolvesServerCert,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};

use super::{KeysError, Leaf};

const ALPN_H2: &[u8] = b"h2";
const ALPN_HTTP1: &[u8] = b"http/1.1";

/// The node's certificate as handshakes take it; a new one is used from the next handshake on, and sessions stay open.
#[derive(Debug, Clone)]
pub struct ReloadingKey {
    current: Arc<ArcSwap<CertifiedKey>>,
}

impl ReloadingKey {
    /// Begins with a pair that was read.
    pub fn new(leaf: &Leaf) -> Result<Self, rustls::Error> {
        leaf.certified_key().map(Self::of)
    }

    /// Begins with a pair of others.
    pub(crate) fn of(pair: CertifiedKey) -> Self {
        Self {
            current: Arc::new(ArcSwap::from_pointee(pair)),
        }
    }

    /// Returns the certificates in use.
    #[cfg(test)]
    pub(crate) fn shown(&self) -> Vec<CertificateDer<'static>> {
        self.current.load().cert.clone()
    }

    /// Takes a pair into use.
    pub(crate) fn replace(&self, pair: CertifiedKey) {
        self.current.store(Arc::new(pair));
    }

    /// Takes the pair in `dir/keys` into use; on any error the old one stays in use.
    ///
    /// It refuses a pair that does not match, that is not of the CA there, or whose dates do not hold at `now`.
    pub fn reload(&self, dir: &Path, now: UnixTime) -> Result<Leaf, KeysError> {
        let leaf = Leaf::load(dir)?;
        leaf.check(dir, now)?;
        let certified = leaf.certified_key().map_err(|error| KeysError::Content {
            path: dir.join("keys/tls.key"),
            detail: error.to_string(),
        })?;
        self.replace(certified);
        Ok(leaf)
    }
}

impl ResolvesServerCert for ReloadingKey {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl ResolvesClientCert for ReloadingKey {
    fn resolve(
        &self,
        _root_hints: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Returns how a node takes sessions of peers; the caller judges the peer's certificate before it serves anything.
pub fn federation_server_config(key: &ReloadingKey) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(Arc::new(Possession { provider }))
        .with_cert_resolver(Arc::new(key.clone()));
    Ok(finish_server(builder))
}

/// Returns how a node dials peers; the caller judges the peer's certificate before it sends anything.
///
/// The server name given to the handshake decides nothing, and is not sent.
pub fn federation_client_config(key: &ReloadingKey) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Possession { provider }))
        .with_client_cert_resolver(Arc::new(key.clone()));
    config.enable_sni = false;
    Ok(finish_client(config))
}

/// Returns how a node takes its operators' calls: they prove themselves by tokens, not by certificates.
pub fn operator_server_config(key: &ReloadingKey) -> Result<Arc<ServerConfig>, rustls::Error> {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(key.clone()));
    Ok(finish_server(config))
}

/// Returns how a node serves anybody's browser: TLS 1.2 beside 1.3, since an old telephone may have no newer.
pub(crate) fn public_server_config(key: &ReloadingKey) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(key.clone()));
    config.alpn_protocols = vec![ALPN_HTTP1.to_vec()];
    Ok(Arc::new(config))
}

/// Returns how an operator's client calls its node: it trusts the node's own CA, and the name that it dials.
pub fn operator_client_config(ca: &CertificateDer<'_>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone().into_owned())?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(finish_client(config))
}

fn finish_server(mut config: ServerConfig) -> Arc<ServerConfig> {
    config.alpn_protocols = vec![ALPN_H2.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Arc::new(config)
}

fn finish_client(mut config: ClientConfig) -> Arc<ClientConfig> {
    config.alpn_protocols = vec![ALPN_H2.to_vec()];
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

/// Takes every certificate whose key the peer proves to hold; the verdict is the session's.
#[derive(Debug)]
struct Possession {
    provider: Arc<CryptoProvider>,
}

impl Possession {
    fn verify(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn check_presented(certificate: &CertificateDer<'_>) -> Result<(), rustls::Error> {
    if certificate.is_empty() {
        Err(CertificateError::BadEncoding.into())
    } else {
        Ok(())
    }
}

fn refuse_tls12() -> Result<HandshakeSignatureValid, rustls::Error> {
    Err(rustls::Error::PeerIncompatible(
        PeerIncompatible::ServerDoesNotSupportTls12Or13,
    ))
}

impl ServerCertVerifier for Possession {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        check_presented(end_entity).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        refuse_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verify(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

impl ClientCertVerifier for Possession {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        check_presented(end_entity).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        refuse_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verify(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use posko_proto::{
        Id, NodeId,
        federation::v1::{Goodbye, GoodbyeReason, NodeRole},
    };
    use prost::Message;
    use rcgen::{
        BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
        KeyPair, SanType,
    };
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

    use super::{
        super::{Keys, PeerIdentity, Trust, Usage, card, judge},
        *,
    };

    const NOW: u64 = 1_770_000_000;
    const DAY: u64 = 86_400;
    const BOTH: [ExtendedKeyUsagePurpose; 2] = [
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::ServerAuth,
    ];

    fn now() -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(NOW))
    }

    fn node(origin: &str) -> PeerIdentity {
        PeerIdentity {
            federation: Id([3; 16]),
            origin: origin.parse().unwrap(),
            role: NodeRole::Node,
        }
    }

    /// A certificate authority; all have the same name, so that only the key tells them apart.
    struct Ca {
        der: CertificateDer<'static>,
        issuer: Issuer<'static, KeyPair>,
    }

    impl Ca {
        fn new() -> Self {
            Self::valid_until(NOW + 3650 * DAY)
        }

        fn valid_until(not_after: u64) -> Self {
            let mut params = dated(NOW - 30 * DAY, not_after);
            params.distinguished_name.push(DnType::CommonName, "CA");
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            let key = KeyPair::generate().unwrap();
            let der = params.self_signed(&key).unwrap().der().clone();
            Self {
                der,
                issuer: Issuer::new(params, key),
            }
        }

        fn issue(
            &self,
            uris: &[String],
            usages: &[ExtendedKeyUsagePurpose],
            days: (u64, u64),
        ) -> ReloadingKey {
            let mut params = dated(NOW - 20 * DAY + days.0 * DAY, NOW - 20 * DAY + days.1 * DAY);
            params.subject_alt_names = uris
                .iter()
                .map(|uri| SanType::URI(uri.as_str().try_into().unwrap()))
                .collect();
            params
                .subject_alt_names
                .push(SanType::DnsName("localhost".try_into().unwrap()));
            params.extended_key_usages = usages.to_vec();
            params.use_authority_key_identifier_extension = true;
            let key = KeyPair::generate().unwrap();
            let certificate = params.signed_by(&key, &self.issuer).unwrap();
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            let pair = CertifiedKey::from_der(
                vec![certificate.der().clone()],
                key,
                &ring::default_provider(),
            )
            .unwrap();
            ReloadingKey {
                current: Arc::new(ArcSwap::from_pointee(pair)),
            }
        }

        fn issue_for(&self, identity: PeerIdentity) -> ReloadingKey {
            self.issue(&[identity.to_string()], &BOTH, (0, 90))
        }
    }

    fn dated(not_before: u64, not_after: u64) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.not_before = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(not_before);
        params.not_after = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(not_after);
        params
    }

    type Stream = TlsStream<DuplexStream>;

    /// Shakes hands over memory; returns the dialler's stream and the listener's.
    async fn shake_hands(dialler: &ReloadingKey, listener: &ReloadingKey) -> (Stream, Stream) {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let connector = TlsConnector::from(federation_client_config(dialler).unwrap());
        let acceptor = TlsAcceptor::from(federation_server_config(listener).unwrap());
        let name = ServerName::try_from("anything.example").unwrap();
        let (near, far) = tokio::join!(connector.connect(name, near), acceptor.accept(far));
        (near.unwrap().into(), far.unwrap().into())
    }

    fn presented(stream: &Stream) -> Vec<CertificateDer<'static>> {
        stream
            .get_ref()
            .1
            .peer_certificates()
            .unwrap_or_default()
            .to_vec()
    }

    /// Refuses over the stream, and returns what the other side reads.
    async fn tell(judging: &mut Stream, told: &mut Stream, goodbye: &Goodbye) -> Goodbye {
        let bytes = goodbye.encode_to_vec();
        judging.write_all(&bytes).await.unwrap();
        judging.flush().await.unwrap();
        let mut heard = vec![0; bytes.len()];
        told.read_exact(&mut heard).await.unwrap();
        Goodbye::decode(heard.as_slice()).unwrap()
    }

    struct Row {
        name: &'static str,
        key: ReloadingKey,
        pinned: Option<&'static str>,
        reason: GoodbyeReason,
        /// What the message says; `@usage` stands for what the peer used its certificate for.
        says: &'static str,
    }

    #[tokio::test]
    async fn every_refusal_names_its_reason_on_both_sides_in_both_directions() {
        let (jakarta, jabar, stranger) = (Ca::new(), Ca::new(), Ca::new());
        let aged = Ca::valid_until(NOW - DAY);
        let mut trust = Trust::new(Id([3; 16]));
        for (origin, ca) in [("31", &jakarta), ("32", &jabar), ("36", &aged)] {
            trust
                .accept(card::tests::signed(node(origin), &ca.der))
                .unwrap();
        }
        let uri = node("32").to_string();
        let row = |name, key, reason, says| Row {
            name,
            key,
            pinned: None,
            reason,
            says,
        };
        let rows = [
            row(
                "wrong CA",
                stranger.issue_for(node("32")),
                GoodbyeReason::WrongCa,
                "the certificate of `32` was issued by `CN=CA",
            ),
            row(
                "another province's SAN",
                jabar.issue_for(node("31")),
                GoodbyeReason::WrongCa,
                "the certificate of `31` was issued by `CN=CA",
            ),
            Row {
                pinned: Some("31"),
                ..row(
                    "pinned another origin",
                    jabar.issue_for(node("32")),
                    GoodbyeReason::WrongOrigin,
                    "the peer is `32`, expected `31`",
                )
            },
            row(
                "expired",
                jabar.issue(std::slice::from_ref(&uri), &BOTH, (0, 10)),
                GoodbyeReason::CertExpired,
                "the certificate of `32` is valid from `2026-01-13T02:40:00Z` to `2026-01-23T02:40:00Z`, \
                 but the clock of the node that refuses it says `2026-02-02T02:40:00Z`",
            ),
            row(
                "not yet valid",
                jabar.issue(std::slice::from_ref(&uri), &BOTH, (30, 90)),
                GoodbyeReason::CertExpired,
                "the certificate of `32` is valid from `2026-02-12T02:40:00Z` to `2026-04-13T02:40:00Z`, \
                 but the clock of the node that refuses it says `2026-02-02T02:40:00Z`",
            ),
            row(
                "expired CA",
                aged.issue_for(node("36")),
                GoodbyeReason::CertExpired,
                "the CA certificate of `36` is valid from",
            ),
            row(
                "role mismatch",
                jabar.issue_for(PeerIdentity {
                    role: NodeRole::Gateway,
                    ..node("32")
                }),
                GoodbyeReason::WrongRole,
                "the peer `32` is a `gateway`, expected a `node`",
            ),
            row(
                "unknown federation",
                jabar.issue_for(PeerIdentity {
                    federation: Id([4; 16]),
                    ..node("32")
                }),
                GoodbyeReason::UnknownFederation,
                "the peer is of federation `04040404-0404-0404-0404-040404040404`, \
                 expected `03030303-0303-0303-0303-030303030303`",
            ),
            row(
                "unknown peer",
                stranger.issue_for(node("99")),
                GoodbyeReason::UnknownPeer,
                "the peer is `99`, expected a node whose card was accepted here: none of `99` was",
            ),
            row(
                "no SAN of ours",
                jabar.issue(&[], &BOTH, (0, 90)),
                GoodbyeReason::BadCertificate,
                "the peer's certificate is not usable: it has no URI name, expected exactly one `posko://…`",
            ),
            row(
                "two SANs",
                jabar.issue(&[uri.clone(), node("31").to_string()], &BOTH, (0, 90)),
                GoodbyeReason::BadCertificate,
                "the peer's certificate is not usable: it has 2 URI names, \
                 `posko://03030303-0303-0303-0303-030303030303/32/node`, \
                 `posko://03030303-0303-0303-0303-030303030303/31/node`…, expected exactly one `posko://…`",
            ),
            row(
                "a SAN that is not ours",
                jabar.issue(&["spiffe://jabar/32".into()], &BOTH, (0, 90)),
                GoodbyeReason::BadCertificate,
                "the peer's certificate is not usable: `spiffe://jabar/32` names no node: \
                 expected `posko://<federation>/<origin>/<node|gateway|standby|observer>`",
            ),
            row(
                "wrong EKU",
                jabar.issue(
                    std::slice::from_ref(&uri),
                    &[ExtendedKeyUsagePurpose::CodeSigning],
                    (0, 90),
                ),
                GoodbyeReason::BadCertificate,
                "the peer's certificate is not usable: its extended key usage is neither `clientAuth` nor \
                 `serverAuth`, expected `@usage` in it",
            ),
            row(
                "no EKU",
                jabar.issue(std::slice::from_ref(&uri), &[], (0, 90)),
                GoodbyeReason::BadCertificate,
                "the peer's certificate is not usable: its extended key usage is missing, expected `@usage` in it",
            ),
        ];

        let own = jakarta.issue_for(node("31"));
        for Row {
            name,
            key,
            pinned,
            reason,
            says,
        } in rows
        {
            let pinned: Option<NodeId> = pinned.map(|origin| origin.parse().unwrap());
            for usage in [Usage::Client, Usage::Server] {
                let (mut told, mut judging) = match usage {
                    Usage::Client => shake_hands(&key, &own).await,
                    Usage::Server => {
                        let (dialler, listener) = shake_hands(&own, &key).await;
                        (listener, dialler)
                    }
                };
                let refusal =
                    judge(&presented(&judging), &trust, pinned, usage, now()).unwrap_err();
                assert_eq!(refusal.reason(), reason, "{name}, {usage:?}: {refusal}");
                let says = says.replace(
                    "@usage",
                    if usage == Usage::Client {
                        "clientAuth"
                    } else {
                        "serverAuth"
                    },
                );
                assert!(
                    refusal.to_string().starts_with(&says),
                    "{name}, {usage:?}: {refusal}"
                );
                let heard = tell(&mut judging, &mut told, &refusal.goodbye()).await;
                assert_eq!(
                    (heard.reason(), heard.detail),
                    (reason, refusal.to_string()),
                    "{name}, {usage:?}"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_certificate_for_one_direction_is_refused_in_the_other() {
        let ca = Ca::new();
        let mut trust = Trust::new(Id([3; 16]));
        trust
            .accept(card::tests::signed(node("32"), &ca.der))
            .unwrap();
        for (allowed, good, bad) in [
            (
                ExtendedKeyUsagePurpose::ClientAuth,
                Usage::Client,
                Usage::Server,
            ),
            (
                ExtendedKeyUsagePurpose::ServerAuth,
                Usage::Server,
                Usage::Client,
            ),
        ] {
            let key = ca.issue(&[node("32").to_string()], &[allowed], (0, 90));
            let chain = key.current.load().cert.clone();
            assert_eq!(judge(&chain, &trust, None, good, now()), Ok(node("32")));
            assert_eq!(
                judge(&chain, &trust, None, bad, now())
                    .unwrap_err()
                    .reason(),
                GoodbyeReason::BadCertificate
            );
        }
    }

    #[tokio::test]
    async fn two_nodes_that_accepted_each_other_know_each_other() {
        let (one, other) = (Ca::new(), Ca::new());
        let mut trust = Trust::new(Id([3; 16]));
        trust
            .accept(card::tests::signed(node("31"), &one.der))
            .unwrap();
        trust
            .accept(card::tests::signed(node("32"), &other.der))
            .unwrap();
        let (dialler, listener) =
            shake_hands(&one.issue_for(node("31")), &other.issue_for(node("32"))).await;

        let expected = Some("32".parse().unwrap());
        assert_eq!(
            judge(&presented(&dialler), &trust, expected, Usage::Server, now()),
            Ok(node("32"))
        );
        assert_eq!(
            judge(&presented(&listener), &trust, None, Usage::Client, now()),
            Ok(node("31"))
        );
        for stream in [&dialler, &listener] {
            let (_, connection) = stream.get_ref();
            assert_eq!(
                connection.protocol_version(),
                Some(rustls::ProtocolVersion::TLSv1_3)
            );
            assert_eq!(connection.alpn_protocol(), Some(ALPN_H2));
            assert_eq!(
                connection.handshake_kind(),
                Some(rustls::HandshakeKind::Full)
            );
        }

        let mut removed = trust;
        removed.remove("32".parse().unwrap());
        let refusal = judge(
            &presented(&dialler),
            &removed,
            expected,
            Usage::Server,
            now(),
        )
        .unwrap_err();
        assert_eq!(refusal.reason(), GoodbyeReason::UnknownPeer);
    }

    #[test]
    fn a_card_of_another_federation_is_not_accepted() {
        let card = card::tests::signed(node("32"), &Ca::new().der);
        let refusal = Trust::new(Id([4; 16])).accept(card).unwrap_err();
        assert_eq!(refusal.reason(), GoodbyeReason::UnknownFederation);
    }

    #[tokio::test]
    async fn a_dialler_without_a_certificate_or_without_its_key_gets_no_session() {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let key = Ca::new().issue_for(node("32"));
        let mut anonymous = (*operator_client_config(&Ca::new().der).unwrap()).clone();
        anonymous
            .dangerous()
            .set_certificate_verifier(Arc::new(Possession {
                provider: Arc::new(ring::default_provider()),
            }));
        let connector = TlsConnector::from(Arc::new(anonymous));
        let acceptor = TlsAcceptor::from(federation_server_config(&key).unwrap());
        let name = ServerName::try_from("localhost").unwrap();
        let (_, accepted) = tokio::join!(connector.connect(name, near), acceptor.accept(far));
        assert!(
            accepted
                .unwrap_err()
                .to_string()
                .contains("no certificates")
        );

        let stolen = CertifiedKey::new(key.current.load().cert.clone(), {
            Ca::new().issue_for(node("32")).current.load().key.clone()
        });
        let stolen = ReloadingKey {
            current: Arc::new(ArcSwap::from_pointee(stolen)),
        };
        let (near, far) = tokio::io::duplex(64 * 1024);
        let connector = TlsConnector::from(federation_client_config(&stolen).unwrap());
        let acceptor = TlsAcceptor::from(federation_server_config(&key).unwrap());
        let name = ServerName::try_from("localhost").unwrap();
        let (_, accepted) = tokio::join!(connector.connect(name, near), acceptor.accept(far));
        assert!(accepted.unwrap_err().to_string().contains("BadSignature"));
    }

    fn new_node(at: UnixTime) -> (tempfile::TempDir, Keys) {
        let dir = tempfile::tempdir().unwrap();
        let identity = node("32");
        let keys = Keys::create(
            dir.path(),
            identity.federation,
            identity.origin,
            identity.role,
            &["posko.example".into()],
            at,
        )
        .unwrap();
        (dir, keys)
    }

    async fn call(
        config: Arc<ClientConfig>,
        name: &str,
        key: &ReloadingKey,
    ) -> Result<(), std::io::Error> {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let acceptor = TlsAcceptor::from(operator_server_config(key).unwrap());
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let (called, _) = tokio::join!(
            TlsConnector::from(config).connect(name, near),
            acceptor.accept(far)
        );
        called.map(|_| ())
    }

    #[tokio::test]
    async fn an_operator_trusts_its_own_node_only_and_by_name() {
        // An operator's client has no clock but the machine's.
        let (_dir, keys) = new_node(UnixTime::now());
        let (_other_dir, other) = new_node(UnixTime::now());
        let key = ReloadingKey::new(&keys.leaf).unwrap();
        for name in ["localhost", "127.0.0.1", "posko.example"] {
            call(operator_client_config(&keys.ca).unwrap(), name, &key)
                .await
                .unwrap();
        }
        assert!(
            call(
                operator_client_config(&keys.ca).unwrap(),
                "elsewhere.example",
                &key
            )
            .await
            .is_err()
        );
        assert!(
            call(
                operator_client_config(&other.ca).unwrap(),
                "localhost",
                &key
            )
            .await
            .is_err()
        );
    }

    #[tokio::test]
    async fn a_renewed_certificate_is_used_from_the_next_handshake_and_sessions_stay_open() {
        let (dir, keys) = new_node(now());
        let key = ReloadingKey::new(&keys.leaf).unwrap();
        let peer = Ca::new().issue_for(node("31"));
        let (mut near, mut far) = shake_hands(&peer, &key).await;

        let renewed = Leaf::renew(dir.path(), now()).unwrap();
        key.reload(dir.path(), now()).unwrap();
        assert_eq!(presented(&near), [keys.leaf.certificate]);
        let goodbye = Goodbye {
            reason: GoodbyeReason::MaxAge.into(),
            detail: "still open".into(),
        };
        assert_eq!(tell(&mut far, &mut near, &goodbye).await, goodbye);
        let (near, _far) = shake_hands(&peer, &key).await;
        assert_eq!(presented(&near), [renewed.certificate]);
    }

    #[test]
    fn a_reload_that_fails_keeps_the_old_certificate() {
        let (dir, keys) = new_node(now());
        let (other, _) = new_node(now());
        let key = ReloadingKey::new(&keys.leaf).unwrap();
        let path = |dir: &tempfile::TempDir, name: &str| dir.path().join("keys").join(name);
        let whole: Vec<_> = ["tls.key", "tls.pem"]
            .map(|name| (name, std::fs::read(path(&dir, name)).unwrap()))
            .into_iter()
            .collect();
        let attempt = |why: &str, spoil: &dyn Fn(), at: u64| {
            spoil();
            let error = key
                .reload(
                    dir.path(),
                    UnixTime::since_unix_epoch(Duration::from_secs(at)),
                )
                .unwrap_err();
            assert!(error.to_string().contains(why), "{why}: {error}");
            assert_eq!(
                key.current.load().cert,
                std::slice::from_ref(&keys.leaf.certificate),
                "{why}"
            );
            for (name, bytes) in &whole {
                std::fs::write(path(&dir, name), bytes).unwrap();
            }
        };
        let copy = |name: &str| {
            std::fs::copy(path(&other, name), path(&dir, name))
                .map(|_| ())
                .unwrap();
        };
        let cut = |name: &str| {
            let bytes = std::fs::read(path(&dir, name)).unwrap();
            std::fs::write(path(&dir, name), &bytes[..bytes.len() / 2]).unwrap();
        };
        attempt("it is not the key of", &|| copy("tls.key"), NOW);
        attempt("it is not the key of", &|| copy("tls.pem"), NOW);
        attempt("tls.pem` is wrong", &|| cut("tls.pem"), NOW);
        attempt("tls.key` is wrong", &|| cut("tls.key"), NOW);
        attempt(
            "cannot read",
            &|| std::fs::remove_file(path(&dir, "tls.pem")).unwrap(),
            NOW,
        );
        attempt(
            "would be refused",
            &|| ["tls.key", "tls.pem"].into_iter().for_each(copy),
            NOW,
        );
        attempt("would be refused", &|| (), NOW + 91 * DAY);
        key.reload(dir.path(), now()).unwrap();
    }
}
