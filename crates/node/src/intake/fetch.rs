//! Fetching one document over HTTP, bounded in size, time, redirects and number.
//!
//! What it never does: keep or repeat a body in an error, follow anything but `http` and `https`, or ask the environment for a proxy.

use std::{
    io::ErrorKind,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use posko_formats::MAX_DOCUMENT_BYTES;
use ureq::{Agent, Error, ResponseExt as _, http::header::CONTENT_LENGTH};

use crate::intake::budget::Budget;

/// How long one fetch may take from the first byte of the name lookup to the last of the body.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);

const USER_AGENT: &str = concat!("posko/", env!("CARGO_PKG_VERSION"));

/// How many redirects are followed.
const REDIRECTS: u32 = 3;

/// The most requests that one fetch can make.
const REQUESTS: usize = 1 + REDIRECTS as usize;

/// Why a document could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FetchError {
    #[error("`{url}` answered with status `{status}`")]
    Status { url: String, status: u16 },
    #[error("the answer of `{url}` is larger than the limit of `{MAX_DOCUMENT_BYTES}` bytes")]
    TooLarge { url: String },
    #[error("`{url}` did not answer whole within `{}` ms", .timeout.as_millis())]
    TimedOut { url: String, timeout: Duration },
    #[error("`{url}` redirects more than `{REDIRECTS}` times")]
    TooManyRedirects { url: String },
    #[error("the answer of `{url}` ends early")]
    Truncated { url: String },
    #[error("`{url}` cannot be reached: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("the fetch of `{url}` was broken off")]
    BrokenOff { url: String },
}

impl FetchError {
    /// Says whether only this document is at fault, so that asking its host for another one makes sense.
    pub(super) fn is_of_document(&self) -> bool {
        match self {
            // 408 and 429 ask for patience; they say nothing of the document.
            Self::Status { status, .. } => {
                (400..500).contains(status) && !matches!(status, 408 | 429)
            }
            Self::TooLarge { .. } | Self::TooManyRedirects { .. } => true,
            Self::TimedOut { .. }
            | Self::Truncated { .. }
            | Self::Unreachable { .. }
            | Self::BrokenOff { .. } => false,
        }
    }
}

/// Fetches documents for all feeds of a node.
#[derive(Debug, Clone)]
pub(super) struct Fetcher {
    agent: Agent,
    timeout: Duration,
    budget: Arc<Mutex<Budget>>,
}

impl Fetcher {
    pub(super) fn new(timeout: Duration) -> Self {
        let config = Agent::config_builder()
            .user_agent(USER_AGENT)
            .timeout_global(Some(timeout))
            .max_redirects(REDIRECTS)
            .max_redirects_will_error(true)
            .save_redirect_history(true)
            .http_status_as_error(false)
            .proxy(None)
            .build();
        Self {
            agent: Agent::new_with_config(config),
            timeout,
            budget: Arc::default(),
        }
    }

    /// Fetches a document when the budget allows it.
    pub(super) async fn fetch(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        while let Err(wait) = self.hold() {
            tokio::time::sleep(wait).await;
        }
        let (this, owned) = (self.clone(), url.to_owned());
        // The budget is settled on the blocking thread, so that a fetch which nobody waits for any more still counts.
        let answer = tokio::task::spawn_blocking(move || {
            let (result, used) = this.get(&owned);
            let mut budget = this.budget.lock().unwrap_or_else(PoisonError::into_inner);
            budget.settle(Instant::now(), REQUESTS, used);
            result
        });
        answer
            .await
            .unwrap_or_else(|_| Err(FetchError::BrokenOff { url: url.into() }))
    }

    fn hold(&self) -> Result<(), Duration> {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        budget.hold(Instant::now(), REQUESTS)
    }

    /// Returns the body, and how many requests went out at most.
    fn get(&self, url: &str) -> (Result<Vec<u8>, FetchError>, usize) {
        let response = match self.agent.get(url).call() {
            Ok(response) => response,
            Err(error) => return (Err(self.refuse(url, &error)), REQUESTS),
        };
        let used = response
            .get_redirect_history()
            .map_or(REQUESTS, <[_]>::len)
            .clamp(1, REQUESTS);
        let status = response.status();
        if !status.is_success() {
            return (
                Err(FetchError::Status {
                    url: url.into(),
                    status: status.as_u16(),
                }),
                used,
            );
        }
        let declared = response
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|length: u64| length > MAX_DOCUMENT_BYTES as u64) {
            return (Err(FetchError::TooLarge { url: url.into() }), used);
        }
        let body = response
            .into_body()
            .into_with_config()
            .limit(MAX_DOCUMENT_BYTES as u64)
            .read_to_vec();
        (body.map_err(|error| self.refuse(url, &error)), used)
    }

    fn refuse(&self, url: &str, error: &Error) -> FetchError {
        let url = url.to_owned();
        match error {
            Error::BodyExceedsLimit(_) => FetchError::TooLarge { url },
            Error::Timeout(_) => FetchError::TimedOut {
                url,
                timeout: self.timeout,
            },
            Error::TooManyRedirects => FetchError::TooManyRedirects { url },
            Error::Io(source) if source.kind() == ErrorKind::UnexpectedEof => {
                FetchError::Truncated { url }
            }
            Error::Protocol(source) if source.to_string().contains("chunk") => {
                FetchError::Truncated { url }
            }
            other => FetchError::Unreachable {
                url,
                reason: one_line(&other.to_string()),
            },
        }
    }
}

fn one_line(text: &str) -> String {
    text.chars()
        .take(200)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
