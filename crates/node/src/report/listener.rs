//! The listener for reports: `GET /lapor`, `POST /lapor` and `POST /v1/reports`, plain HTTP behind the province's proxy.
//!
//! No cookie is set and none is read, so no other page can act for anybody. What it never does: answer well before the
//! report is durable, or log what was sent.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
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
    Id, NodeId,
    id::hex,
    time::Millis,
    warning::v1::{Channel, Source},
};
use posko_store::{Accepted, Command, Store};
use sha2::{Digest, Sha256};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};
use tracing::{info, warn};

use super::{
    Report,
    form::{Lang, Page},
    limit::{Limit, Rate},
    read::{self, Posted},
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
/// How long a connection may take for one request, from its first byte to the answer.
const REQUEST: Duration = Duration::from_secs(30);
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
}

struct Shared {
    listener: Listener,
    limit: Limit,
}

/// Who asks: the address, behind proxies that are trusted.
#[derive(Clone, Copy)]
struct Peer(IpAddr);

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
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
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
        let Ok(slot) = slots.clone().try_acquire_owned() else {
            continue;
        };
        let router = router(Arc::clone(&shared), address);
        let mut stop = stopped.clone();
        tokio::spawn(async move {
            let mut server = auto::Builder::new(TokioExecutor::new());
            server
                .http1()
                .timer(TokioTimer::new())
                .header_read_timeout(REQUEST)
                .max_buf_size(MAX_BODY);
            let service = TowerToHyperService::new(router);
            let serving = server.serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                // What a client does wrong is no matter of the node's log.
                _ = tokio::time::timeout(REQUEST * 4, serving) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
            drop(slot);
        });
    }
}

fn router(shared: Arc<Shared>, address: SocketAddr) -> Router {
    Router::new()
        .route("/lapor", get(form).post(send))
        .route("/v1/reports", post(post_report))
        .fallback(nothing)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(axum::Extension(Peer(address.ip())))
        .with_state(shared)
}

async fn nothing() -> Response {
    page(
        StatusCode::NOT_FOUND,
        "<!doctype html><title>404</title><p>404 <a href=\"/lapor\">/lapor</a></p>".into(),
    )
}

async fn form(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let mut key = [0; 16];
    if getrandom::fill(&mut key).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let text = shared
        .page(lang(query.as_deref()))
        .form(&hex(&key), &[], &[]);
    page(StatusCode::OK, text)
}

async fn send(
    State(shared): State<Arc<Shared>>,
    axum::Extension(peer): axum::Extension<Peer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let lang = lang(query.as_deref());
    let shown = shared.page(lang);
    if let Err(seconds) = shared.limit.take(shared.client(peer, &headers), now()) {
        let why = match lang {
            Lang::Id => format!(
                "Terlalu banyak laporan dari tempat yang sama. Coba lagi dalam {seconds} detik."
            ),
            Lang::En => {
                format!("Too many reports from the same place. Try again in {seconds} seconds.")
            }
        };
        return wait(
            page(StatusCode::TOO_MANY_REQUESTS, shown.trouble(&why)),
            seconds,
        );
    }
    if !is_type(&headers, "application/x-www-form-urlencoded") {
        return page(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            shown.trouble("application/x-www-form-urlencoded"),
        );
    }
    let fields = read::form_fields(&String::from_utf8_lossy(&body));
    let key = fields.iter().find(|(name, _)| name == "key");
    let key = key
        .map(|(_, key)| key.clone())
        .filter(|key| (1..=KEY_BYTES).contains(&key.len()));
    let at = now();
    let posted = read::from_form(&fields).map_err(|wrong| vec![wrong]);
    let identifier = identifier("web", key.as_deref(), &body, at);
    let report = posted.and_then(|posted| {
        let node = shared.listener.node.as_str();
        read::report(&posted, Channel::Web, "", identifier, node, at)
    });
    let report = match report {
        Ok(report) => report,
        Err(wrong) => {
            let text = shown.form(key.as_deref().unwrap_or_default(), &fields, &wrong);
            return page(StatusCode::UNPROCESSABLE_ENTITY, text);
        }
    };
    match shared.record(&report, at).await {
        Ok(accepted) => page(
            StatusCode::CREATED,
            shown.thanks(&accepted.stream.to_string()),
        ),
        Err(refusal) => {
            let why = match lang {
                Lang::Id => {
                    "Simpul tidak dapat mencatat laporan saat ini. Mohon telepon posko atau coba lagi."
                }
                Lang::En => {
                    "The node cannot record reports now. Please telephone the posko or try again."
                }
            };
            page(status(&refusal), shown.trouble(why))
        }
    }
}

async fn post_report(
    State(shared): State<Arc<Shared>>,
    axum::Extension(peer): axum::Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(seconds) = shared.limit.take(shared.client(peer, &headers), now()) {
        let refused = json(
            StatusCode::TOO_MANY_REQUESTS,
            &serde_json::json!({ "error": "too many reports", "retry_after_s": seconds }),
        );
        return wait(refused, seconds);
    }
    let Some(reporter) = shared.reporter(&headers) else {
        let mut refused = problem(StatusCode::UNAUTHORIZED, "no token of a known source");
        let challenge = HeaderValue::from_static("Bearer");
        refused
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
        return refused;
    };
    if !is_type(&headers, "application/json") {
        return problem(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "expected application/json",
        );
    }
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
    let identifier = identifier(&reporter, key, &body, at);
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
    match shared.record(&report, at).await {
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
    fn page(&self, lang: Lang) -> Page<'_> {
        Page {
            lang,
            node: self.listener.node.as_str(),
            phone: &self.listener.config.phone,
        }
    }

    /// Returns who asks: the last address that a trusted proxy was asked by, else who connected.
    fn client(&self, peer: Peer, headers: &HeaderMap) -> IpAddr {
        if !self.listener.config.proxies.contains(&peer.0) {
            return peer.0;
        }
        let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
        let forwarded = forwarded.and_then(|value| value.to_str().ok());
        let last = forwarded.and_then(|value| value.rsplit(',').next());
        last.and_then(|text| text.trim().parse().ok())
            .unwrap_or(peer.0)
    }

    /// Returns the office whose token was sent.
    fn reporter(&self, headers: &HeaderMap) -> Option<String> {
        let token = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let token = token.strip_prefix("Bearer ")?;
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

    /// Records a report and answers when it is durable; the same one again is answered as the first time.
    async fn record(&self, report: &Report, at: Millis) -> Result<Accepted, Refusal> {
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

/// Returns the id of a report: by its sender's key, or else by what it says on that day, so that the same one sent twice
/// is one.
fn identifier(sender: &str, key: Option<&str>, body: &[u8], at: Millis) -> String {
    let day = at.plus_seconds(7 * 3600).0.div_euclid(86_400_000);
    let id: Id = match key {
        Some(key) => derived(&[b"key\0", sender.as_bytes(), b"\0", key.as_bytes()]),
        None => derived(&[
            b"body\0",
            sender.as_bytes(),
            b"\0",
            &day.to_be_bytes(),
            body,
        ]),
    };
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

fn lang(query: Option<&str>) -> Lang {
    let is_english = query.is_some_and(|query| query.split('&').any(|part| part == "lang=en"));
    if is_english { Lang::En } else { Lang::Id }
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
    let headers: [(HeaderName, &'static str); 5] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
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
