//! Fetching one document over HTTP, bounded in size, time, redirects and number.
//!
//! What it never does: keep or repeat a body in an error, follow anything but `http` and `https`, leave the hosts that a feed
//! may ask, or ask the environment for a proxy.

use std::{
    io::ErrorKind,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use posko_formats::{MAX_DOCUMENT_BYTES, quote};
use ureq::{
    Agent, Error,
    http::{
        Response,
        header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderName, LOCATION},
    },
};

use crate::intake::{
    FeedConfig,
    budget::{Asks, Budget},
    hosts::{Barred, Hosts},
};

/// How long one request may take from the first byte of the name lookup to the last of the body.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);

const USER_AGENT: &str = concat!("posko/", env!("CARGO_PKG_VERSION"));

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// Why a document could not be fetched; an address is shortened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FetchError {
    #[error("`{url}` answered with status `{status}`")]
    Status { url: String, status: u16 },
    #[error("the answer of `{url}` is larger than the limit of `{MAX_DOCUMENT_BYTES}` bytes")]
    TooLarge { url: String },
    #[error("the answer of `{url}` is packed as `{packed}`, though it was asked for as it is")]
    Packed { url: String, packed: String },
    #[error("`{url}` did not answer whole within `{}` ms", .timeout.as_millis())]
    TimedOut { url: String, timeout: Duration },
    #[error("`{url}` redirects more than `{REDIRECTS}` times")]
    TooManyRedirects { url: String },
    #[error("`{url}` redirects to host `{host}`, from which this feed may fetch nothing")]
    OtherHost { url: String, host: String },
    #[error("`{url}` redirects to `{to}`, which is not `{expected}`")]
    OtherScheme {
        url: String,
        to: String,
        expected: &'static str,
    },
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
            Self::TooLarge { .. }
            | Self::Packed { .. }
            | Self::TooManyRedirects { .. }
            | Self::OtherHost { .. }
            | Self::OtherScheme { .. } => true,
            Self::TimedOut { .. }
            | Self::Truncated { .. }
            | Self::Unreachable { .. }
            | Self::BrokenOff { .. } => false,
        }
    }
}

/// What one request gave.
enum Answer {
    Document(Vec<u8>),
    /// It is elsewhere.
    Redirect(String),
}

/// Fetches documents for one feed of a node; all feeds share a budget.
#[derive(Debug, Clone)]
pub(super) struct Fetcher {
    agent: Agent,
    timeout: Duration,
    budget: Arc<Mutex<Budget>>,
    hosts: Hosts,
    feed: usize,
}

impl Fetcher {
    /// Makes a fetcher for so many feeds whose lists link to alerts; it may ask no host before it is one feed's.
    pub(super) fn new(timeout: Duration, linking: usize) -> Self {
        let config = Agent::config_builder()
            .user_agent(USER_AGENT)
            .timeout_global(Some(timeout))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .proxy(None)
            .build();
        Self {
            agent: Agent::new_with_config(config),
            timeout,
            budget: Arc::new(Mutex::new(Budget::new(linking))),
            hosts: Hosts::default(),
            feed: 0,
        }
    }

    /// Returns the fetcher of a feed by its number in the configuration.
    pub(super) fn of(&self, feed: usize, config: &FeedConfig) -> Self {
        Self {
            hosts: Hosts::of(config),
            feed,
            ..self.clone()
        }
    }

    /// Returns which hosts the feed may ask.
    pub(super) fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Returns how many alerts a minute the feed may fetch that its list links to.
    pub(super) fn share(&self) -> usize {
        self.budget().share()
    }

    /// Returns how many of them it may fetch at once.
    pub(super) fn room(&self) -> usize {
        let asks = Asks::Linked(self.feed);
        self.budget().room(Instant::now(), asks)
    }

    /// Waits until it may fetch one; says whether that is so before a moment.
    pub(super) async fn wait_for_room(&self, until: Instant) -> bool {
        let asks = Asks::Linked(self.feed);
        loop {
            let now = Instant::now();
            let Err(wait) = self.budget().wait(now, asks) else {
                return true;
            };
            if now + wait > until {
                return false;
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Fetches the feed's list when the budget allows it.
    pub(super) async fn list(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        self.fetch(url, Asks::List).await
    }

    /// Fetches what the feed's list links to when the budget allows it.
    pub(super) async fn linked(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        self.fetch(url, Asks::Linked(self.feed)).await
    }

    async fn fetch(&self, url: &str, asks: Asks) -> Result<Vec<u8>, FetchError> {
        let mut at = url.to_owned();
        for _ in 0..=REDIRECTS {
            match self.ask(&at, asks).await? {
                Answer::Document(document) => return Ok(document),
                Answer::Redirect(location) => at = self.follow(&at, &location)?,
            }
        }
        Err(FetchError::TooManyRedirects { url: quote(url) })
    }

    fn follow(&self, url: &str, location: &str) -> Result<String, FetchError> {
        let scheme = |expected| FetchError::OtherScheme {
            url: quote(url),
            to: quote(location),
            expected,
        };
        self.hosts
            .redirect(url, location)
            .map_err(|barred| match barred {
                Barred::Host(host) => FetchError::OtherHost {
                    url: quote(url),
                    host: quote(&host),
                },
                Barred::NotWeb => scheme("http` or `https"),
                Barred::Downgrade => scheme("https"),
            })
    }

    async fn ask(&self, url: &str, asks: Asks) -> Result<Answer, FetchError> {
        while let Err(wait) = self.hold(asks) {
            tokio::time::sleep(wait).await;
        }
        let (this, owned) = (self.clone(), url.to_owned());
        // The budget is settled on the blocking thread, so that a fetch which nobody waits for any more still counts.
        let answer = tokio::task::spawn_blocking(move || {
            let result = this.get(&owned);
            this.budget().settle(Instant::now(), asks);
            result
        });
        answer
            .await
            .unwrap_or_else(|_| Err(FetchError::BrokenOff { url: quote(url) }))
    }

    fn hold(&self, asks: Asks) -> Result<(), Duration> {
        self.budget().hold(Instant::now(), asks)
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, url: &str) -> Result<Answer, FetchError> {
        let request = self.agent.get(url).header(ACCEPT_ENCODING, "identity");
        let response = request.call().map_err(|error| self.refuse(url, &error))?;
        let header = |name| header_of(&response, name);
        let status = response.status();
        if status.is_redirection()
            && let Some(location) = header(LOCATION)
        {
            return Ok(Answer::Redirect(location));
        }
        let url_shown = quote(url);
        if !status.is_success() {
            return Err(FetchError::Status {
                url: url_shown,
                status: status.as_u16(),
            });
        }
        if let Some(packed) = header(CONTENT_ENCODING).filter(|packed| packed != "identity") {
            return Err(FetchError::Packed {
                url: url_shown,
                packed: quote(&packed),
            });
        }
        let declared = header(CONTENT_LENGTH).and_then(|length| length.parse().ok());
        if declared.is_some_and(|length: u64| length > MAX_DOCUMENT_BYTES as u64) {
            return Err(FetchError::TooLarge { url: url_shown });
        }
        let body = response
            .into_body()
            .into_with_config()
            .limit(MAX_DOCUMENT_BYTES as u64)
            .read_to_vec();
        body.map(Answer::Document)
            .map_err(|error| self.refuse(url, &error))
    }

    fn refuse(&self, url: &str, error: &Error) -> FetchError {
        let url = quote(url);
        match error {
            Error::BodyExceedsLimit(_) => FetchError::TooLarge { url },
            Error::Timeout(_) => FetchError::TimedOut {
                url,
                timeout: self.timeout,
            },
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

fn header_of<B>(response: &Response<B>, name: HeaderName) -> Option<String> {
    let value = response.headers().get(name)?.to_str().ok()?;
    Some(value.trim().to_owned())
}

fn one_line(text: &str) -> String {
    text.chars()
        .take(200)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
