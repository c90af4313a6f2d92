//! Who is refused, and that both sides say why.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use hyper_util::rt::TokioIo;
use posko_node::identity::{Leaf, ReloadingKey, tls::federation_client_config};
use posko_proto::federation::v1::{
    GoodbyeReason, SessionRequest, federation_service_client::FederationServiceClient, frame::Body,
};
use posko_testkit::{Federation, Node, eventually};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use tonic::transport::Endpoint;

const SOON: Duration = Duration::from_mins(1);

/// Which CA issues a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ca {
    /// The node's own, which is on its card.
    OnTheCard,
    /// One that nobody has heard of.
    Unheard,
}

/// What an impostor presents, and what it is told.
struct Case {
    name: &'static str,
    federation: Option<&'static str>,
    origin: &'static str,
    role: &'static str,
    ca: Ca,
    years: (i32, i32),
    told: GoodbyeReason,
    says: &'static str,
    /// Whether the refused claims to be the peer whose row in the status can tell it.
    in_status: bool,
}

/// What a good certificate says.
const GOOD: Case = Case {
    name: "",
    federation: None,
    origin: "31",
    role: "node",
    ca: Ca::OnTheCard,
    years: (2020, 2090),
    told: GoodbyeReason::Unspecified,
    says: "",
    in_status: true,
};

#[test]
fn an_impostor_is_refused_with_its_own_reason_and_both_sides_say_it() {
    let cases = [
        Case {
            name: "an unknown federation",
            federation: Some("0192f3c4-5a6b-7c8d-9e0f-112233445566"),
            told: GoodbyeReason::UnknownFederation,
            says: "the peer is of federation `0192f3c4-5a6b-7c8d-9e0f-112233445566`",
            in_status: false,
            ..GOOD
        },
        Case {
            name: "an unknown peer",
            origin: "33",
            told: GoodbyeReason::UnknownPeer,
            says: "none of `33` was",
            in_status: false,
            ..GOOD
        },
        Case {
            name: "a wrong CA",
            ca: Ca::Unheard,
            told: GoodbyeReason::WrongCa,
            says: "the certificate of `31` was issued by",
            ..GOOD
        },
        Case {
            name: "an expired certificate",
            years: (2020, 2021),
            told: GoodbyeReason::CertExpired,
            says: "is valid from `2020-01-01T00:00:00Z` to `2021-01-01T00:00:00Z`",
            ..GOOD
        },
        Case {
            name: "a certificate that is not valid yet",
            years: (2080, 2090),
            told: GoodbyeReason::CertExpired,
            says: "is valid from `2080-01-01T00:00:00Z`",
            ..GOOD
        },
        Case {
            name: "another province's name, issued by the CA of 31",
            origin: "36",
            told: GoodbyeReason::WrongCa,
            says: "the certificate of `36` was issued by",
            in_status: false,
            ..GOOD
        },
        Case {
            name: "another role than on the card",
            role: "gateway",
            told: GoodbyeReason::WrongRole,
            says: "the peer `31` is a `gateway`, expected a `node`",
            ..GOOD
        },
    ];
    let dir = tempfile::tempdir().unwrap();
    let federation = Federation::start(dir.path(), |_| Ok(())).unwrap();
    let (claimed, judge) = (
        federation.node("31").unwrap(),
        federation.node("32").unwrap(),
    );
    claimed.stop().unwrap();
    let status = judge.console(&["status"]).unwrap();
    let own = status["federation_id"].as_str().unwrap();

    for case in cases {
        println!("{}", case.name);
        let home = tempfile::tempdir().unwrap();
        let name = format!(
            "posko://{}/{}/{}",
            case.federation.unwrap_or(own),
            case.origin,
            case.role
        );
        issue(claimed.dir(), home.path(), case.ca, &name, case.years);
        let told = case
            .told
            .as_str_name()
            .trim_start_matches("GOODBYE_REASON_");
        eventually("both sides say why", SOON, || {
            let bye = federation.runtime().block_on(dial(home.path(), judge))?;
            anyhow::ensure!(
                bye.0 == case.told && bye.1.contains(case.says),
                "the refused is told {bye:?}"
            );
            let log = fs::read_to_string(judge.dir().join("serve.log"))?;
            let line = log
                .lines()
                .rev()
                .find(|line| line.contains("refused the peer at"))
                .unwrap_or_default();
            anyhow::ensure!(
                line.contains(case.told.as_str_name()) && line.contains(case.says),
                "the log says {line}"
            );
            let newest = &judge.console(&["status"])?["refusals"][0];
            anyhow::ensure!(
                newest["reason"] == told.to_lowercase()
                    && newest["detail"]
                        .as_str()
                        .is_some_and(|detail| detail.contains(case.says)),
                "the newest refusal of the status is {newest}"
            );
            if case.in_status {
                let why = why(judge, "31")?;
                anyhow::ensure!(
                    why.contains(told) && why.contains(case.says),
                    "the status says {why}"
                );
            }
            Ok(Some(()))
        })
        .unwrap_or_else(|error| panic!("{}: {error:#}", case.name));
    }

    println!("31 itself is taken again");
    claimed.start().unwrap();
    federation.await_sessions().unwrap();
    federation.stop().unwrap();
}

#[test]
fn a_node_that_is_refused_and_the_one_that_refuses_show_why_in_their_status() {
    let dir = tempfile::tempdir().unwrap();
    let federation = Federation::start(dir.path(), |_| Ok(())).unwrap();
    let (refused, judge) = (
        federation.node("31").unwrap(),
        federation.node("32").unwrap(),
    );
    let status = judge.console(&["status"]).unwrap();
    let own = status["federation_id"].as_str().unwrap().to_owned();
    let keys = refused.dir().join("keys");
    let kept = dir.path().join("kept");
    copy(&keys, &kept);

    for (ca, role, reason) in [
        (Ca::Unheard, "node", "WRONG_CA"),
        (Ca::OnTheCard, "gateway", "WRONG_ROLE"),
    ] {
        println!("31 comes with a certificate that is refused: {reason}");
        refused.stop().unwrap();
        issue(
            refused.dir(),
            refused.dir(),
            ca,
            &format!("posko://{own}/31/{role}"),
            (2020, 2090),
        );
        refused.start().unwrap();
        eventually("both say why", SOON, || {
            let (there, here) = (why(refused, "32")?, why(judge, "31")?);
            anyhow::ensure!(
                there.contains("`32`") && there.contains(reason),
                "31 says {there}"
            );
            anyhow::ensure!(
                here.contains("refused here") && here.contains(reason),
                "32 says {here}"
            );
            Ok(Some(()))
        })
        .unwrap();
        refused.stop().unwrap();
        copy(&kept, &keys);
    }

    println!("an expired certificate is renewed at the start");
    issue(
        refused.dir(),
        refused.dir(),
        Ca::OnTheCard,
        &format!("posko://{own}/31/node"),
        (2020, 2021),
    );
    refused.start().unwrap();
    federation.await_sessions().unwrap();

    println!("another province answers where 31 is dialled: 36 in the place of 31");
    refused.stop().unwrap();
    let (card, _) = refused
        .card(federation.node("36").unwrap().federation())
        .unwrap();
    let fingerprint = refused.console(&["peer", "card"]).unwrap()["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned();
    judge
        .console(&["peer", "add", &card, "--fingerprint", &fingerprint])
        .unwrap();
    eventually("32 says that 36 is not 31", SOON, || {
        let here = why(judge, "31")?;
        let log = fs::read_to_string(federation.node("36").unwrap().dir().join("serve.log"))?;
        anyhow::ensure!(
            here.contains("WRONG_ORIGIN") && here.contains("the peer is `36`, expected `31`"),
            "{here}"
        );
        anyhow::ensure!(
            log.contains("expected `31`"),
            "36 does not say that it was refused"
        );
        Ok(Some(()))
    })
    .unwrap();

    println!("32 accepts 31 no more");
    judge.console(&["peer", "remove", "31"]).unwrap();
    refused.start().unwrap();
    eventually("31 says that 32 does not know it", SOON, || {
        let there = why(refused, "32")?;
        anyhow::ensure!(
            there.contains("`32`") && there.contains("UNKNOWN_PEER"),
            "31 says {there}"
        );
        let log = fs::read_to_string(judge.dir().join("serve.log"))?;
        anyhow::ensure!(
            log.contains("GOODBYE_REASON_UNKNOWN_PEER"),
            "32's log does not say it"
        );
        Ok(Some(()))
    })
    .unwrap();
    federation.stop().unwrap();
}

/// Returns why a node has no session with a peer.
fn why(node: &Node, peer: &str) -> anyhow::Result<String> {
    let status = node.console(&["status"])?;
    let peers = status["peers"].as_array().cloned().unwrap_or_default();
    let found = peers.iter().find(|found| found["origin"] == peer);
    let why = found.and_then(|found| found["why"].as_str());
    Ok(why.unwrap_or_default().to_owned())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Writes a pair that names `name` into `home/keys`, issued by the CA of the node in `node` or by an unheard one.
fn issue(node: &Path, home: &Path, ca: Ca, name: &str, years: (i32, i32)) {
    let keys = home.join("keys");
    fs::create_dir_all(&keys).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()]).unwrap();
    params
        .subject_alt_names
        .push(SanType::URI(name.try_into().unwrap()));
    params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params.use_authority_key_identifier_extension = true;
    let certificate = if ca == Ca::Unheard {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca_params = CertificateParams::default();
        ca_params
            .distinguished_name
            .push(DnType::CommonName, "nobody's CA");
        ca_params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca_params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca = ca_params.self_signed(&ca_key).unwrap();
        write(&keys.join("ca.pem"), &ca.pem());
        write(&keys.join("ca.key"), &ca_key.serialize_pem());
        params
            .signed_by(&key, &Issuer::new(ca_params, ca_key))
            .unwrap()
    } else {
        let pem = fs::read_to_string(node.join("keys/ca.pem")).unwrap();
        let ca_key =
            KeyPair::from_pem(&fs::read_to_string(node.join("keys/ca.key")).unwrap()).unwrap();
        params
            .signed_by(&key, &Issuer::from_ca_cert_pem(&pem, ca_key).unwrap())
            .unwrap()
    };
    write(&keys.join("tls.pem"), &certificate.pem());
    write(&keys.join("tls.key"), &key.serialize_pem());
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Dials a node with the pair in `home`, and returns how it says goodbye.
async fn dial(home: &Path, node: &Node) -> anyhow::Result<(GoodbyeReason, String)> {
    let tls = federation_client_config(&ReloadingKey::new(&Leaf::load(home)?)?)?;
    let address = node.federation();
    let connector = tower::service_fn(move |_| {
        let tls = tls.clone();
        async move {
            let stream = TcpStream::connect(address).await?;
            let name = ServerName::try_from("posko.invalid").map_err(std::io::Error::other)?;
            TlsConnector::from(tls)
                .connect(name, stream)
                .await
                .map(TokioIo::new)
        }
    });
    let channel = Endpoint::from_static("http://posko.invalid")
        .connect_with_connector(connector)
        .await?;
    let silent = futures::stream::pending::<SessionRequest>();
    let mut frames = FederationServiceClient::new(channel)
        .session(silent)
        .await?
        .into_inner();
    while let Some(message) = frames.message().await? {
        if let Some(Body::Bye(bye)) = message.frame.unwrap_or_default().body {
            return Ok((bye.reason(), bye.detail));
        }
    }
    anyhow::bail!("the node ended without a goodbye")
}

#[test]
fn a_card_of_another_federation_is_not_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (
        Federation::make(&dir.path().join("ours")).unwrap(),
        Federation::make(&dir.path().join("theirs")).unwrap(),
    );
    let stranger = theirs.node("31").unwrap();
    let (card, fingerprint) = stranger.card(stranger.federation()).unwrap();
    let node = ours.node("32").unwrap();
    node.start().unwrap();
    let error = node
        .console(&["peer", "add", &card, "--fingerprint", &fingerprint])
        .unwrap_err();
    assert!(error.to_string().contains("federation"), "{error}");
    assert_eq!(
        node.console(&["peer", "list"]).unwrap()["peers"],
        Value::Array(Vec::new())
    );
    node.stop().unwrap();
}
