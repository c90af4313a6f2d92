//! Where citizens and other systems report, and how many reports are taken.

use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use posko_proto::id::hex;

use super::{ConfigError, quoted, section::Section};

pub(super) const REPORT_KEYS: &[&str] = &[
    "listen",
    "tls_cert",
    "tls_key",
    "phone",
    "proxies",
    "per_address_per_hour",
    "per_hour",
];
pub(super) const SOURCE_KEYS: &[&str] = &["reporter", "token_sha256"];

const PER_ADDRESS: i64 = 60;
const IN_ALL: i64 = 1_200;

/// Where citizens and other systems report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportConfig {
    /// Where the node listens for reports; none does not listen.
    pub listen: Option<SocketAddr>,
    /// With which certificate it speaks TLS itself; none speaks plain HTTP.
    pub tls: Option<ReportTls>,
    /// The posko's telephone number, or empty.
    pub phone: String,
    /// Whose word on the asking address is believed.
    pub proxies: Vec<IpAddr>,
    /// How many reports of one address are taken in an hour.
    pub per_address: u32,
    /// How many reports are taken in an hour in all.
    pub in_all: u32,
    /// Who may post reports to `/v1/reports`.
    pub sources: Vec<ReportSource>,
}

/// The files of a certificate, PEM; a relative path begins at the node's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportTls {
    /// The certificate, and those between it and its authority's.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// A system that may post reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportSource {
    /// The office that reports, as the warning says it.
    pub reporter: String,
    /// The SHA-256 of its token.
    pub token_sha256: [u8; 32],
}

impl Default for ReportConfig {
    fn default() -> Self {
        Self {
            listen: None,
            tls: None,
            phone: String::new(),
            proxies: Vec::new(),
            per_address: PER_ADDRESS as u32,
            in_all: IN_ALL as u32,
            sources: Vec::new(),
        }
    }
}

impl ReportConfig {
    pub(super) fn parse(root: &Section<'_>) -> Result<Self, ConfigError> {
        let mut report = Self::default();
        if let Some(section) = root.table("report")? {
            section.check_keys()?;
            if let Some(listen) = section.string("listen")? {
                let allowed = "an address IP:PORT such as `127.0.0.1:7432` or `[::]:7432`";
                let parsed = listen.value.parse();
                report.listen = Some(parsed.map_err(|_| listen.refuse(allowed))?);
            }
            report.tls = ReportTls::parse(&section)?;
            if let Some(phone) = section.string("phone")? {
                let plain = |c: char| c.is_ascii_digit() || " +-().".contains(c);
                if phone.value.chars().count() > 40 || !phone.value.chars().all(plain) {
                    return Err(phone.refuse("a telephone number of at most 40 characters"));
                }
                report.phone = phone.value;
            }
            for proxy in section.strings("proxies")?.unwrap_or_default() {
                let parsed = proxy.value.parse();
                let parsed = parsed.map_err(|_| proxy.refuse("a list of IP addresses"))?;
                report.proxies.push(parsed);
            }
            let each = section.integer("per_address_per_hour", PER_ADDRESS, 1..=10_000)?;
            let all = section.integer("per_hour", IN_ALL, 1..=1_000_000)?;
            (report.per_address, report.in_all) = (each as u32, all as u32);
        }
        for section in root.tables("report_source")? {
            section.check_keys()?;
            let reporter = section.required_string("reporter", "an office's name")?;
            if reporter.value.trim().is_empty() || reporter.value.chars().count() > 200 {
                return Err(reporter.refuse("an office's name of 1 to 200 characters"));
            }
            let allowed = "64 hexadecimal digits, the SHA-256 of the token";
            let token = section.required_string("token_sha256", allowed)?;
            let token_sha256 = read_hash(&token.value).ok_or_else(|| token.refuse(allowed))?;
            let known = |source: &ReportSource| source.token_sha256 == token_sha256;
            if report.sources.iter().any(known) {
                return Err(token.refuse("a token that no other source has"));
            }
            report.sources.push(ReportSource {
                reporter: reporter.value,
                token_sha256,
            });
        }
        Ok(report)
    }

    pub(super) fn write(&self, to: &mut String) -> std::fmt::Result {
        for line in HELP {
            writeln!(to, "{line}")?;
        }
        writeln!(to, "[report]")?;
        writeln!(
            to,
            "# Where the node listens for reports, IP:PORT. Left out, it does not listen."
        )?;
        match self.listen {
            Some(listen) => writeln!(to, "listen = {}", quoted(&listen.to_string()))?,
            None => writeln!(to, "# listen = \"127.0.0.1:7432\"")?,
        }
        for line in TLS_HELP {
            writeln!(to, "{line}")?;
        }
        if let Some(tls) = &self.tls {
            let path = |path: &PathBuf| quoted(&path.to_string_lossy());
            writeln!(to, "tls_cert = {}", path(&tls.cert))?;
            writeln!(to, "tls_key = {}", path(&tls.key))?;
        } else {
            writeln!(to, "# tls_cert = \"lapor/fullchain.pem\"")?;
            writeln!(to, "# tls_key = \"lapor/privkey.pem\"")?;
        }
        writeln!(
            to,
            "# The posko's telephone number, for who wants to be called back. Default \"\"."
        )?;
        writeln!(to, "phone = {}", quoted(&self.phone))?;
        writeln!(
            to,
            "# Proxies whose X-Forwarded-For is believed, IP addresses. Default []."
        )?;
        let proxies: Vec<String> = self
            .proxies
            .iter()
            .map(|proxy| quoted(&proxy.to_string()))
            .collect();
        writeln!(to, "proxies = [{}]", proxies.join(", "))?;
        writeln!(
            to,
            "# How many reports are taken of one address in an hour, 1 to 10000, a quarter of them at once: many telephones of"
        )?;
        writeln!(to, "# a mobile network share one. Default {PER_ADDRESS}.")?;
        writeln!(to, "per_address_per_hour = {}", self.per_address)?;
        writeln!(
            to,
            "# How many are taken of all citizens in an hour, and as many of each [[report_source]], 1 to 1000000. Default {IN_ALL}."
        )?;
        writeln!(to, "per_hour = {}", self.in_all)?;
        writeln!(to)?;
        for line in SOURCE_HELP {
            writeln!(to, "{line}")?;
        }
        if self.sources.is_empty() {
            for line in EXAMPLE_SOURCE.lines() {
                writeln!(to, "# {line}")?;
            }
        }
        for (at, source) in self.sources.iter().enumerate() {
            if at > 0 {
                writeln!(to)?;
            }
            writeln!(to, "[[report_source]]")?;
            writeln!(to, "reporter = {}", quoted(&source.reporter))?;
            writeln!(to, "token_sha256 = {}", quoted(&hex(&source.token_sha256)))?;
        }
        Ok(())
    }
}

// === impl ReportTls ===

impl ReportTls {
    /// Reads the two files' names: both are given, or none.
    fn parse(section: &Section<'_>) -> Result<Option<Self>, ConfigError> {
        let given = (section.string("tls_cert")?, section.string("tls_key")?);
        if given == (None, None) {
            return Ok(None);
        }
        let path = |key: &str| {
            let allowed = "a PEM file: `tls_cert` and `tls_key` are given together";
            let found = section.required_string(key, allowed)?;
            if found.value.trim().is_empty() {
                return Err(found.refuse(allowed));
            }
            Ok(PathBuf::from(found.value))
        };
        Ok(Some(Self {
            cert: path("tls_cert")?,
            key: path("tls_key")?,
        }))
    }
}

fn read_hash(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let digits: Vec<u32> = text.as_bytes().iter().map(digit).collect::<Option<_>>()?;
    let bytes = digits.chunks_exact(2).map(|pair| match pair {
        [high, low] => (high * 16 + low) as u8,
        _ => 0,
    });
    let bytes: Vec<u8> = bytes.collect();
    <[u8; 32]>::try_from(bytes)
        .ok()
        .filter(|_| text.len() == 64)
}

const HELP: [&str; 2] = [
    "# Reports of citizens by the web form at /lapor, and of other systems at /v1/reports. A report names nobody, is",
    "# recorded as a warning that nobody has verified, and waits for the duty officer: `posko warning list --unverified`.",
];

const TLS_HELP: [&str; 5] = [
    "# A certificate and its key, PEM files below the node's directory or by their whole path: with them the node speaks",
    "# TLS itself. They are read again when they change. The first file holds the certificate and those between it and its",
    "# authority's, as `fullchain.pem` does; the second may not be readable by everybody.",
    "# Without them it speaks plain HTTP, which is for this machine alone or for a proxy with TLS before it: what a citizen",
    "# writes can otherwise be read on its way. A node that listens for others without TLS says so when it starts.",
];

const SOURCE_HELP: [&str; 4] = [
    "# Systems that may post to /v1/reports, a [[report_source]] section each; each sends its token as a bearer token.",
    "#   reporter      the office that reports, never a person",
    "#   token_sha256  the SHA-256 of its token: `openssl rand -hex 32` makes one, and",
    "#                 `printf %s TOKEN | sha256sum` gives its SHA-256",
];

pub(super) const EXAMPLE_SOURCE: &str = r#"[[report_source]]
reporter = "PMI Kota Bekasi"
token_sha256 = "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7""#;
