use std::net::Ipv4Addr;

use posko_store::view::warning::Found;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_rustls::TlsConnector;

use super::*;
use crate::{
    config::ReportSource,
    identity::{ReloadingKey, tls::public_server_config},
    peer::tests::{FEDERATION, Node},
};

const TOKEN: &str = "token-contoh";

struct Running {
    node: Node,
    address: SocketAddr,
    _stop: watch::Sender<bool>,
    _task: JoinHandle<()>,
}

impl Running {
    async fn start(per_address: u32) -> Self {
        Self::start_with(per_address, None).await
    }

    async fn start_with(per_address: u32, tls: Option<Arc<ServerConfig>>) -> Self {
        let node = Node::new("32", FEDERATION).await;
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let config = ReportConfig {
            phone: "(022) 000-0000".into(),
            per_address,
            sources: vec![ReportSource {
                reporter: "PMI Kota Bekasi".into(),
                token_sha256: Sha256::digest(TOKEN).into(),
            }],
            ..ReportConfig::default()
        };
        let listener = Listener {
            store: node.store.clone(),
            disk: node.disk.subscribe(),
            not_writing: node.not_writing.clone(),
            config,
            node: "32".parse().unwrap(),
            tls,
        };
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(serve(socket, listener, stopped));
        Self {
            node,
            address,
            _stop: stop,
            _task: task,
        }
    }

    /// Sends a request as it is and returns the whole answer.
    async fn ask(&self, head: &str, body: &str) -> String {
        let stream = TcpStream::connect(self.address).await.unwrap();
        answer_of(stream, head, body).await
    }

    async fn send(&self, body: &str) -> String {
        let head = "POST /lapor HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded";
        self.ask(head, body).await
    }

    async fn post(&self, headers: &str, body: &str) -> String {
        let head = format!("POST /v1/reports HTTP/1.1\r\nContent-Type: application/json{headers}");
        self.ask(&head, body).await
    }

    async fn post_with_token(&self, headers: &str, body: &str) -> String {
        self.post(&format!("\r\nAuthorization: Bearer {TOKEN}{headers}"), body)
            .await
    }

    fn reports(&self) -> Vec<Found> {
        self.node
            .store
            .unverified_reports(None, None, None, 100)
            .unwrap()
            .rows
    }
}

async fn answer_of(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    head: &str,
    body: &str,
) -> String {
    let length = body.len();
    let request =
        format!("{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    // A server that refuses early may close before all is sent.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

const GOOD: &str = "key=abc&hazard=flood&region_code=32.75.01&text=Air+setinggi+lutut";
const GOOD_JSON: &str = r#"{"hazard":"flood","region_code":"32.75","text":"Tanggul retak","severity":"severe","latitude":-6.24,"longitude":106.99}"#;

#[tokio::test]
async fn a_citizens_report_is_durable_before_it_is_acknowledged_and_waits_unverified() {
    let running = Running::start(100).await;
    let answer = running.send(GOOD).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let reports = running.reports();
    let report = &reports[0];
    assert!(answer.contains(&report.id.to_string()), "{answer}");
    assert_eq!(report.state.publisher, "Warga");
    assert_eq!(
        report.state.content.headline,
        "Laporan: Banjir di Bekasi Timur (Kota Bekasi)"
    );
    let notes = running
        .node
        .store
        .warning_notes(report.origin, report.id)
        .unwrap();
    assert_eq!(notes[0].text.as_deref(), Some("Air setinggi lutut"));
}

#[tokio::test]
async fn the_same_report_sent_twice_is_one() {
    let running = Running::start(100).await;
    let first = running.send(GOOD).await;
    let second = running.send(GOOD).await;
    assert!(second.starts_with("HTTP/1.1 201"), "{second}");
    assert_eq!(running.reports().len(), 1);
    assert_eq!(first.split("<code>").nth(1), second.split("<code>").nth(1));
    let more = running.send(&format!("{GOOD}+dan+naik")).await;
    assert!(more.starts_with("HTTP/1.1 201"), "{more}");
    assert_eq!(running.reports().len(), 2, "one that says more is another");
    for _ in 0..2 {
        let key = "\r\nIdempotency-Key: a-1";
        let answer = running.post_with_token(key, GOOD_JSON).await;
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        let answer = running.post_with_token("", GOOD_JSON).await;
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }
    assert_eq!(
        running.reports().len(),
        4,
        "one by its key, one by what it says"
    );
    let other = GOOD_JSON.replacen("flood", "landslide", 1);
    let answer = (running.post_with_token("\r\nIdempotency-Key: a-1", &other)).await;
    assert!(answer.starts_with("HTTP/1.1 409"), "{answer}");
    assert_eq!(running.reports().len(), 4, "a key is not given twice");
}

#[tokio::test]
async fn the_form_sets_no_cookie_has_no_script_and_forbids_any() {
    let running = Running::start(100).await;
    for query in ["", "?lang=en"] {
        let answer = running
            .ask(&format!("GET /lapor{query} HTTP/1.1"), "")
            .await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let head = answer.split("\r\n\r\n").next().unwrap().to_lowercase();
        assert!(
            head.contains("content-security-policy: default-src 'none'"),
            "{head}"
        );
        assert!(!head.contains("set-cookie") && !answer.contains("<script"));
    }
}

#[tokio::test]
async fn what_looks_personal_is_refused_with_what_was_found_and_nothing_is_recorded() {
    let running = Running::start(100).await;
    let answer = running
        .send("key=a&hazard=flood&region_code=32.75&text=Hubungi+0812-0000-0001")
        .await;
    assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
    assert!(
        answer.contains("“0812-0000-0001” (nomor telepon)"),
        "{answer}"
    );
    let json = r#"{"hazard":"flood","region_code":"32.75","text":"warga@contoh.example"}"#;
    let answer = running.post_with_token("", json).await;
    assert!(
        answer.starts_with("HTTP/1.1 422") && answer.contains("an address of mail"),
        "{answer}"
    );
    let contact = r#"{"hazard":"flood","region_code":"32.75","contact":"Pak Fulan 0812"}"#;
    let answer = running.post_with_token("", contact).await;
    assert!(
        answer.starts_with("HTTP/1.1 400") && !answer.contains("Fulan"),
        "{answer}"
    );
    assert_eq!(running.reports().len(), 0);
}

#[tokio::test]
async fn only_a_known_source_may_post() {
    let running = Running::start(100).await;
    for headers in [
        "",
        "\r\nAuthorization: Bearer salah",
        "\r\nAuthorization: Basic eA==",
    ] {
        let answer = running.post(headers, GOOD_JSON).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
    assert_eq!(running.reports().len(), 0);
    // Wrong tokens use up nobody's turns.
    for _ in 0..100 {
        running
            .post("\r\nAuthorization: Bearer salah", GOOD_JSON)
            .await;
    }
    let answer = running.send(GOOD).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let token = format!("\r\nAuthorization: bearer {TOKEN}");
    let answer = running.post(&token, GOOD_JSON).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let publishers = running
        .reports()
        .into_iter()
        .map(|found| found.state.publisher);
    assert!(
        publishers
            .into_iter()
            .any(|publisher| publisher == "PMI Kota Bekasi")
    );
}

#[tokio::test]
async fn bad_requests_are_refused_and_nothing_is_recorded() {
    let running = Running::start(1_000).await;
    let large = format!("{GOOD}&x={}", "a".repeat(MAX_BODY));
    let cases = [
        (running.send(&large).await, "413"),
        (running.send("").await, "422"),
        (running.send("hazard=flood&region_code=31.75").await, "422"),
        (
            running.send("hazard=%3Cscript%3E&text=%3Cscript%3E").await,
            "422",
        ),
        (
            running
                .ask("POST /lapor HTTP/1.1\r\nContent-Type: text/plain", GOOD)
                .await,
            "415",
        ),
        (running.ask("DELETE /lapor HTTP/1.1", "").await, "405"),
        (running.ask("GET /v1/reports HTTP/1.1", "").await, "405"),
        (running.ask("GET /v1/other HTTP/1.1", "").await, "404"),
        (running.ask("GET /../etc/passwd HTTP/1.1", "").await, "404"),
        (running.post_with_token("", "{").await, "400"),
        (running.post_with_token("", "[]").await, "400"),
        (
            running.post_with_token("", &"[".repeat(10_000)).await,
            "400",
        ),
        (
            running
                .post_with_token("\r\nIdempotency-Key: ", GOOD_JSON)
                .await,
            "400",
        ),
    ];
    for (answer, status) in &cases {
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{status}: {answer}"
        );
        assert!(!answer.contains("<script"), "{answer}");
    }
    assert_eq!(running.reports().len(), 0);
}

#[tokio::test]
async fn every_refusal_of_the_form_is_a_page_and_of_the_interface_is_json() {
    let running = Running::start(1_000).await;
    let large = "a".repeat(MAX_BODY + 1);
    for answer in [
        running.send(&large).await,
        running.ask("PUT /lapor HTTP/1.1", "").await,
        running.ask("GET /wp-login.php HTTP/1.1", "").await,
        running
            .ask("POST /lapor HTTP/1.1\r\nContent-Type: text/plain", GOOD)
            .await,
    ] {
        assert!(
            answer.contains("tel:112") && answer.contains("cache-control: no-store"),
            "{answer}"
        );
    }
    for answer in [
        running.post_with_token("", &large).await,
        running.ask("GET /v1/reports HTTP/1.1", "").await,
    ] {
        assert!(answer.contains("\r\n\r\n{\"error\":"), "{answer}");
    }
    let home = running.ask("GET / HTTP/1.1", "").await;
    assert!(
        home.starts_with("HTTP/1.1 303") && home.contains("location: /lapor"),
        "{home}"
    );
    let head = running.ask("HEAD /lapor HTTP/1.1", "").await;
    assert!(
        head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn a_form_that_is_not_recorded_comes_back_with_what_was_typed() {
    let running = Running::start(1).await;
    let kept = |answer: &str| {
        assert!(
            answer.contains(">\nAir setinggi lutut</textarea>")
                && answer.contains("<option value=\"32.75.01\" selected>")
                && answer.contains("name=\"key\" value=\"abc\""),
            "{answer}"
        );
    };
    let wrong = running.send(&GOOD.replace("flood", "")).await;
    assert!(wrong.starts_with("HTTP/1.1 422"), "{wrong}");
    kept(&wrong);

    let elsewhere = "POST /lapor HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: cross-site";
    let answer = running.ask(elsewhere, GOOD).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    kept(&answer);
    assert_eq!(running.reports().len(), 0);

    assert!(running.send(GOOD).await.starts_with("HTTP/1.1 201"));
    let answer = running.send(GOOD).await;
    assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
    assert!(
        answer.contains("kirim lagi dalam 60 menit") && answer.contains("retry-after: "),
        "{answer}"
    );
    kept(&answer);
}

#[tokio::test]
async fn who_mends_a_form_uses_up_no_turn() {
    let running = Running::start(1).await;
    for _ in 0..5 {
        let answer = running.send("key=b&hazard=&region_code=32.75").await;
        assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
    }
    assert!(running.send(GOOD).await.starts_with("HTTP/1.1 201"));
    assert_eq!(running.reports().len(), 1);
}

#[tokio::test]
async fn two_errors_are_told_at_once() {
    let running = Running::start(10).await;
    let answer = running
        .send("key=b&hazard=&region_code=32.75&point=sana")
        .await;
    assert!(
        answer.contains("href=\"#hazard\"") && answer.contains("href=\"#point\""),
        "{answer}"
    );
}

#[tokio::test]
async fn a_browser_is_served_with_tls_of_either_version() {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let pair = rustls::sign::CertifiedKey::from_der(
        vec![certificate.der().clone()],
        key.serialize_der().try_into().unwrap(),
        &provider,
    );
    let served = public_server_config(&ReloadingKey::of(pair.unwrap())).unwrap();
    let running = Running::start_with(10, Some(served)).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let client = rustls::ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        let stream = TcpStream::connect(running.address).await.unwrap();
        let stream = TlsConnector::from(Arc::new(client))
            .connect("localhost".try_into().unwrap(), stream)
            .await
            .unwrap();
        let answer = answer_of(stream, "GET /lapor HTTP/1.1", "").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let plain = running.ask("GET /lapor HTTP/1.1", "").await;
    assert!(!plain.contains("<html"), "{plain}");
}

#[tokio::test]
async fn a_node_that_takes_no_commands_acknowledges_nothing() {
    let running = Running::start(100).await;
    *running.node.not_writing.write().unwrap() = "dipagari".into();
    let answer = running.send(GOOD).await;
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("telepon sekarang"),
        "{answer}"
    );
    assert!(
        running
            .post_with_token("", GOOD_JSON)
            .await
            .starts_with("HTTP/1.1 503")
    );
    assert_eq!(running.reports().len(), 0);
}

#[test]
fn a_proxy_may_write_the_port_of_who_asked_beside_the_address() {
    let address = |text: &str| text.parse::<IpAddr>().ok();
    for (text, expected) in [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7:5678", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:99", "2001:db8::1"),
        ("unknown", ""),
        ("", ""),
    ] {
        assert_eq!(address_of(text), address(expected), "{text}");
    }
}
