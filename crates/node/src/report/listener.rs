//! The listener for reports: `GET /lapor`, `POST /lapor` and `POST /v1/reports`, with TLS or behind a proxy that has it.
//!
//! No cookie is set and none is read, so no other page can act for anybody; one that has a visitor send a report from
//! afar gets the form instead. What it never does: answer well before the report is durable, or log what was sent.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use posko_domain::{
    code::{Code, Refusal},
    context::derived,
    warning::stream_of,
};
use posko_proto::{
    NodeId,
    id::hex,
    time::Millis,
    warning::v1::{Channel, Source},
};
use posko_store::{Accepted, Command, Store};
use rustls::ServerConfig;
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::{Semaphore, watch},
};
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use super::{
    Report,
    form::{self, Lang, Page, Why},
    limit::{Limit, Lines, Rate},
    read::{self, Posted, Wrong},
};
use crate::{
    api,
    automatic::{self, Automatic},
    config::ReportConfig,
    disk::Disk,
    time::now,
};

/// The largest report, in bytes: 4,000 characters of text, escaped.
const MAX_BODY: usize = 64 * 1024;
/// How many connections are served at once.
const CONNECTIONS: usize = 256;
/// How many of them one address may hold; phones on a mobile network share addresses.
const CONNECTIONS_EACH: usize = 32;
/// For how many minutes at least the same report of the same sender, without a key, is one.
const SAME_MINUTES: i64 = 10;
/// How long a client may take for its handshake, for the head of a request, and for its body.
const REQUEST: Duration = Duration::from_secs(30);
const CROSS_ORIGIN_OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// The longest idempotency key, in bytes.
const KEY_BYTES: usize = 200;

/// What the listener needs.
pub(crate) struct Listener {
    /// Where reports are recorded.
    pub(crate) store: Store,
    /// The disk's free space.
    pub(crate) disk: watch::Receiver<Disk>,
    /// Why no commands are taken, or empty.
    pub(crate) not_writing: Arc<std::sync::RwLock<String>>,
    /// How it is configured.
    pub(crate) config: ReportConfig,
    /// The node.
    pub(crate) node: NodeId,
    /// How it speaks TLS; none speaks plain HTTP.
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

struct Shared {
    listener: Listener,
    limit: Limit,
}

/// Who asks: the address, behind proxies that are trusted.
#[derive(Clone, Copy)]
struct Peer(IpAddr);

/// Says where the form is, and warns where others could read what citizens write.
pub(crate) fn say_address(address: SocketAddr, has_tls: bool) {
    let scheme = if has_tls { "https" } else { "http" };
    info!(report.address = %address, "reports are taken at {scheme}://{address}/lapor");
    if !has_tls && !address.ip().is_loopback() {
        warn!(
            report.address = %address,
            "reports are taken at `{address}` without TLS: what citizens write can be read on its way; set `tls_cert` and `tls_key` under [report], or let only a proxy with TLS reach it"
        );
    }
}

/// Serves reports until the node stops.
pub(crate) async fn serve(
    socket: TcpListener,
    listener: Listener,
    mut stopped: watch::Receiver<bool>,
) {
    let (each, all) = (listener.config.per_address, listener.config.in_all);
    let rate = |hourly: u32| Rate {
        burst: hourly.div_ceil(4),
        hourly,
    };
    let shared = Arc::new(Shared {
        limit: Limit::new(rate(each), rate(all)),
        listener,
    });
    let acceptor = shared.listener.tls.clone().map(TlsAcceptor::from);
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let lines = Lines::default();
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let Ok((stream, address)) = accepted else {
            // Too many open files: the next may be taken when some are closed.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        // Through a proxy all come from its address.
        let is_proxy = shared.listener.config.proxies.contains(&address.ip());
        let most = if is_proxy {
            CONNECTIONS
        } else {
            CONNECTIONS_EACH
        };
        let Some(held) = lines.hold(address.ip(), most) else {
            continue;
        };
        let Ok(slot) = slots.clone().try_acquire_owned() else {
            continue;
        };
        let router = router(Arc::clone(&shared), address);
        let (acceptor, mut stop) = (acceptor.clone(), stopped.clone());
        tokio::spawn(async move {
            let serving = async {
                match acceptor {
                    None => connection(stream, router).await,
                    Some(acceptor) => {
                        let shaken = tokio::time::timeout(REQUEST, acceptor.accept(stream)).await;
                        if let Ok(Ok(stream)) = shaken {
                            connection(stream, router).await;
                        }
                    }
                }
            };
            tokio::select! {
                _ = tokio::time::timeout(REQUEST * 4, serving) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
            drop((slot, held));
        });
    }
}

/// Serves one client; what it does wrong is no matter of the node's log.
async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    // A form is one document, and HTTP/2 would only add ways to misuse it.
    let mut server = auto::Builder::new(TokioExecutor::new()).http1_only();
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST)
        .max_buf_size(MAX_BODY);
    let service = TowerToHyperService::new(router);
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

fn router(shared: Arc<Shared>, address: SocketAddr) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/lapor", get(form).post(send))
        .route("/v1/reports", post(post_report))
        .fallback(no_page)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(axum::Extension(Peer(address.ip())))
        .with_state(shared)
}

async fn home() -> Response {
    let mut response = page(StatusCode::SEE_OTHER, String::new());
    let form = HeaderValue::from_static("/lapor");
    response.headers_mut().insert(header::LOCATION, form);
    response
}

async fn no_page(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let said = ("Halaman ini tidak ada.", "There is no such page.");
    shared.nothing(StatusCode::NOT_FOUND, &uri, said)
}

async fn no_method(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let said = (
        "Permintaan seperti ini tidak dilayani di sini.",
        "This method is not taken here.",
    );
    shared.nothing(StatusCode::METHOD_NOT_ALLOWED, &uri, said)
}

async fn form(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let shown = shared.page(&uri);
    if shown.kab.is_none() {
        return page(StatusCode::OK, shown.start());
    }
    page(StatusCode::OK, shown.form(&fresh_key(), &[], Why::Asked))
}

async fn send(
    State(shared): State<Arc<Shared>>,
    axum::Extension(peer): axum::Extension<Peer>,
    request: Request,
) -> Response {
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let mut shown = shared.page(&uri);
    let lang = shown.lang;
    if !is_type(&headers, "application/x-www-form-urlencoded") {
        let said = lang.say(
            "Kiriman ini bukan dari formulir laporan.",
            "This was not sent by the report form.",
        );
        return page(StatusCode::UNSUPPORTED_MEDIA_TYPE, shown.trouble(said));
    }
    let body = match body_of(request).await {
        Ok(body) => body,
        Err(status) => return page(status, shown.trouble(unread_body(status, lang))),
    };
    let fields = read::form_fields(&body);
    let typed = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    };
    let node = shared.listener.node.as_str();
    let chosen = typed("region_code").and_then(|code| form::regency(code.trim(), node));
    shown.kab = chosen.or(shown.kab);
    let key = typed("key").filter(|key| (1..=KEY_BYTES).contains(&key.len()));
    let shown_key = key.map_or_else(fresh_key, str::to_owned);
    let again = |status, why: Why<'_>| page(status, shown.form(&shown_key, &fields, why));

    let at = now();
    let (posted, no_point) = read::from_form(&fields);
    // What it says is part of what it is known by: who goes back and adds something sends a new report.
    let identifier = match key {
        Some(key) => derived(&[b"form\0", key.as_bytes(), b"\0", &body]).to_string(),
        None => shared.identifier("web", &body, at).await,
    };
    let report = read::report(&posted, Channel::Web, "", identifier, node, at);
    let report = match (report, no_point) {
        (Ok(report), None) => report,
        (report, no_point) => {
            let wrong: Vec<Wrong> = report.err().into_iter().flatten().chain(no_point).collect();
            return again(StatusCode::UNPROCESSABLE_ENTITY, Why::Wrong(&wrong));
        }
    };
    if is_from_elsewhere(&headers) {
        let said = lang.say(
            "Formulir ini dikirim dari halaman lain. Periksa isinya, lalu kirim sekali lagi.",
            "This form was sent from another page. Check what it says, then send it once more.",
        );
        return again(StatusCode::FORBIDDEN, Why::Held(said));
    }
    // Only what would be recorded counts: who mends a form does not use up the turns of others on the same line.
    if let Err(seconds) = shared.limit.take(shared.client(peer, &headers), at) {
        let why = too_many(seconds, lang);
        return wait(
            again(StatusCode::TOO_MANY_REQUESTS, Why::Held(&why)),
            seconds,
        );
    }
    match shared.record(&report, &body, at).await {
        Ok(accepted) => page(
            StatusCode::CREATED,
            shown.thanks(&report, &accepted.stream.to_string()),
        ),
        Err(refusal) => again(status(&refusal), Why::Held(unable(lang))),
    }
}

async fn post_report(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let headers = request.headers().clone();
    let Some(reporter) = shared.reporter(&headers) else {
        let mut refused = problem(StatusCode::UNAUTHORIZED, "no token of a known source");
        let challenge = HeaderValue::from_static("Bearer");
        refused
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
        return refused;
    };
    // A system waits for itself alone: neither citizens nor wrong tokens use up its turns.
    if let Err(seconds) = shared.limit.take_of(&reporter, now()) {
        let refused = json(
            StatusCode::TOO_MANY_REQUESTS,
            &serde_json::json!({ "error": "too many reports", "retry_after_s": seconds }),
        );
        return wait(refused, seconds);
    }
    if !is_type(&headers, "application/json") {
        return problem(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "expected application/json",
        );
    }
    let body = match body_of(request).await {
        Ok(body) => body,
        Err(status) => return problem(status, unread_body(status, Lang::En)),
    };
    let posted: Posted = match serde_json::from_slice(&body) {
        Ok(posted) => posted,
        // Its text names the key and the place, and repeats no value but a number's or a short word's kind.
        Err(error) => return problem(StatusCode::BAD_REQUEST, &unread(&error)),
    };
    let key = match headers.get("idempotency-key").map(HeaderValue::to_str) {
        None => None,
        Some(Ok(key)) if (1..=KEY_BYTES).contains(&key.len()) => Some(key),
        Some(_) => {
            return problem(
                StatusCode::BAD_REQUEST,
                "Idempotency-Key: expected 1 to 200 bytes",
            );
        }
    };
    let at = now();
    let identifier = match key {
        Some(key) => keyed(&reporter, key),
        None => shared.identifier(&reporter, &body, at).await,
    };
    let node = shared.listener.node.as_str();
    let report = match read::report(&posted, Channel::Webhook, &reporter, identifier, node, at) {
        Ok(report) => report,
        Err(wrong) => {
            let fields = wrong.iter().map(|wrong| {
                serde_json::json!({ "field": wrong.field, "error": wrong.english, "galat": wrong.indonesian })
            });
            let fields: Vec<serde_json::Value> = fields.collect();
            return json(
                StatusCode::UNPROCESSABLE_ENTITY,
                &serde_json::json!({ "error": "the report is refused, nothing is recorded", "fields": fields }),
            );
        }
    };
    match shared.record(&report, &body, at).await {
        Ok(accepted) => json(
            StatusCode::CREATED,
            &serde_json::json!({
                "report_id": accepted.stream.to_string(),
                "origin": shared.listener.node.to_string(),
                "new": !accepted.event_ids.is_empty(),
            }),
        ),
        Err(refusal) => problem(status(&refusal), &refusal.message),
    }
}

impl Shared {
    /// Returns the pages as an address asks for them: `lang=en`, and the kab/kota in `kab`.
    fn page(&self, uri: &Uri) -> Page<'_> {
        let node = self.listener.node.as_str();
        let query = uri.query().unwrap_or_default().as_bytes();
        let asked = |name: &str| {
            let found = form_urlencoded::parse(query).find(|(known, _)| known == name);
            found.map(|(_, value)| value.into_owned())
        };
        Page {
            lang: if asked("lang").as_deref() == Some("en") {
                Lang::En
            } else {
                Lang::Id
            },
            node,
            phone: &self.listener.config.phone,
            kab: asked("kab").and_then(|code| form::regency(&code, node)),
        }
    }

    /// Returns what an address or a method that is not served is answered with, for a reader or a program.
    fn nothing(&self, status: StatusCode, uri: &Uri, said: (&str, &str)) -> Response {
        if uri.path().starts_with("/v1/") {
            return problem(status, said.1);
        }
        let shown = self.page(uri);
        page(status, shown.trouble(shown.lang.say(said.0, said.1)))
    }

    /// Returns who asks: the last address that a trusted proxy was asked by, else who connected.
    fn client(&self, peer: Peer, headers: &HeaderMap) -> IpAddr {
        if !self.listener.config.proxies.contains(&peer.0) {
            return peer.0;
        }
        let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
        let forwarded = forwarded.and_then(|value| value.to_str().ok());
        let last = forwarded.and_then(|value| value.rsplit(',').next());
        last.and_then(address_of).unwrap_or(peer.0)
    }

    /// Returns the office whose token was sent.
    fn reporter(&self, headers: &HeaderMap) -> Option<String> {
        let token = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = token.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        // All are compared, and each in full: the time tells nothing.
        let mut found = None;
        for source in &self.listener.config.sources {
            if api::same_hash(&source.token_sha256, &hash) {
                found = Some(source.reporter.clone());
            }
        }
        found
    }

    /// Returns the id of a report without a key: the same one that was sent a few minutes ago is one.
    async fn identifier(&self, sender: &str, body: &[u8], at: Millis) -> String {
        let minutes = at.0.div_euclid(SAME_MINUTES * 60_000);
        let (now, before) = (
            unkeyed(sender, body, minutes),
            unkeyed(sender, body, minutes - 1),
        );
        let (store, earlier) = (
            self.listener.store.clone(),
            stream_of(Source::Report, &before),
        );
        let held = tokio::task::spawn_blocking(move || store.warning(None, earlier)).await;
        match held {
            Ok(Ok(Some(_))) => before,
            _ => now,
        }
    }

    /// Records a report and answers when it is durable; the same one again is answered as the first time, and another under
    /// the same key is refused.
    async fn record(&self, report: &Report, body: &[u8], at: Millis) -> Result<Accepted, Refusal> {
        let fenced = self.listener.not_writing.read();
        let fenced = fenced
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        if !fenced.is_empty() {
            return Err(Refusal {
                code: Code::Unavailable,
                message: "the node takes no commands now".into(),
            });
        }
        let command = Automatic {
            command_id: Some(derived(&[
                b"posko/report/v1\0",
                report.identifier.as_bytes(),
            ])),
            digest: Sha256::digest(body).into(),
            stream: stream_of(Source::Report, &report.identifier),
            now: at,
            exercise: report.exercise,
            command: Command::Warning(report.command(at)),
        };
        let accepted = automatic::execute(&self.listener.store, &self.listener.disk, command).await;
        match &accepted {
            Ok(accepted) => {
                info!(report.id = %accepted.stream, channel = report.channel.as_str_name(), "a report is recorded");
            }
            Err(refusal) => {
                warn!(refusal = refusal.message, "a report could not be recorded");
            }
        }
        accepted
    }
}

/// Reads an address as proxies write it: alone, or with a port, that of IPv6 then in brackets.
fn address_of(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    text.parse().ok().or_else(with_port).or_else(in_brackets)
}

/// Returns the id of a report with its sender's key.
fn keyed(sender: &str, key: &str) -> String {
    derived(&[b"key\0", sender.as_bytes(), b"\0", key.as_bytes()]).to_string()
}

/// Returns the id of a report without a key: what it says in those minutes.
fn unkeyed(sender: &str, body: &[u8], minutes: i64) -> String {
    let id = derived(&[
        b"body\0",
        sender.as_bytes(),
        b"\0",
        &minutes.to_be_bytes(),
        body,
    ]);
    id.to_string()
}

/// Says why a JSON was not read, without a value that was sent: one may name a person.
fn unread(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let known = "`hazard`, `region_code`, `text`, `severity`, `latitude`, `longitude`, `observed_at`, `exercise`";
    if text.starts_with("unknown field") {
        let at = format!("line {} column {}", error.line(), error.column());
        return format!("a key at {at} is not known, and contacts are not kept: known are {known}");
    }
    if text.starts_with("missing field") {
        return "`hazard` and `region_code` must be given".into();
    }
    let at = format!("line {} column {}", error.line(), error.column());
    format!("no JSON object of a report, at {at}: known keys are {known}")
}

/// Reads a body, bounded in size and in time; else returns the status that says why not.
async fn body_of(request: Request) -> Result<Bytes, StatusCode> {
    match tokio::time::timeout(REQUEST, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) => Err(rejection.status()),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// Says why a body was not read.
fn unread_body(status: StatusCode, lang: Lang) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => lang.say(
            "Laporannya terlalu panjang: paling banyak 64 KiB.",
            "the report is too large: at most 64 KiB",
        ),
        StatusCode::REQUEST_TIMEOUT => lang.say(
            "Laporannya tidak sampai seluruhnya dalam 30 detik. Coba lagi, atau telepon.",
            "the report did not arrive whole within 30 seconds",
        ),
        _ => lang.say(
            "Laporannya tidak sampai seluruhnya. Coba lagi, atau telepon.",
            "the report did not arrive whole",
        ),
    }
}

/// Says how long to wait, in words.
fn too_many(seconds: u64, lang: Lang) -> String {
    let minutes = seconds.div_ceil(60);
    match lang {
        Lang::Id => format!(
            "Terlalu banyak laporan dari sambungan internet yang sama. Tulisan Anda masih ada di bawah: kirim lagi dalam {minutes} menit. Bila mendesak, telepon sekarang."
        ),
        Lang::En => format!(
            "Too many reports from the same internet connection. What you wrote is still below: send it again in {minutes} min. If it is urgent, telephone now."
        ),
    }
}

/// Says that the node cannot record anything now.
fn unable(lang: Lang) -> &'static str {
    lang.say(
        "Laporan tidak dapat dicatat saat ini. Tulisan Anda masih ada di bawah: coba kirim lagi sebentar lagi. Bila mendesak, telepon sekarang.",
        "Reports cannot be recorded now. What you wrote is still below: send it again in a while. If it is urgent, telephone now.",
    )
}

/// Returns a key that tells one sending from another; empty where there is no randomness, and what is sent tells it.
fn fresh_key() -> String {
    let mut key = [0; 16];
    getrandom::fill(&mut key).map_or_else(|_| String::new(), |()| hex(&key))
}

/// Says whether a browser tells that a page of somebody else sent this.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site == "cross-site")
}

fn is_type(headers: &HeaderMap, wanted: &str) -> bool {
    let sent = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let sent = sent.and_then(|sent| sent.split(';').next());
    sent.is_some_and(|sent| sent.trim().eq_ignore_ascii_case(wanted))
}

fn status(refusal: &Refusal) -> StatusCode {
    match refusal.code {
        Code::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Conflict => StatusCode::CONFLICT,
        Code::Forbidden => StatusCode::FORBIDDEN,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn wait(mut response: Response, seconds: u64) -> Response {
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn problem(status: StatusCode, error: &str) -> Response {
    json(status, &serde_json::json!({ "error": error }))
}

fn json(status: StatusCode, body: &serde_json::Value) -> Response {
    answer(status, "application/json", body.to_string())
}

fn page(status: StatusCode, body: String) -> Response {
    answer(status, "text/html; charset=utf-8", body)
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response {
    let headers: [(HeaderName, &'static str); 7] = [
        (header::CONTENT_SECURITY_POLICY, form::POLICY.as_str()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (CROSS_ORIGIN_OPENER, "same-origin"),
        (CROSS_ORIGIN_RESOURCE, "same-origin"),
    ];
    let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests;
