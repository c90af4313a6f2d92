//! A node's configuration: one TOML file, in which every key is known, documented and checked before anything starts.
//!
//! What it never does: guess. An unknown key, a key of another feed's kind or a value out of range is refused with its line.
//! The file is read in two layers: TOML with the place of every key, then the checked [`Config`].

mod own;
mod report;
mod section;

use std::{
    fmt::Write as _,
    io::{self, Read as _},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use posko_domain::{context::GATEWAY, region};
use posko_proto::{Id, NodeId, federation::v1::NodeRole};
use ureq::http::Uri;

use crate::{
    config::section::{Found, Section},
    identity::role_name,
    intake::{FeedConfig, FeedKind, Gauge, Province, gauge},
};

pub use self::{
    own::OwnWarningConfig,
    report::{ReportConfig, ReportSource, ReportTls},
};

/// The file's name in a node's directory.
pub const FILE_NAME: &str = "config.toml";

/// The documented example, which names every key; [`Config::to_toml`] writes its like.
pub const EXAMPLE: &str = include_str!("../../../config/posko.toml");

/// The largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

const PERIOD_SECONDS: i64 = 60;
const RADIUS_KM: i64 = crate::intake::RADIUS_KM as i64;
const JUMP_CM: i64 = 150;
const STALE_MINUTES: i64 = 180;
const FLOOR_MIB: i64 = 1024;
const BLOB_MIB: i64 = 64;
const LOG_FILTER: &str = "info";
const FEDERATION_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7431);
const API_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7430);

const ROOT_KEYS: &[&str] = &[
    "origin",
    "role",
    "federation_id",
    "federation",
    "api",
    "disk",
    "blob",
    "feed",
    "gauge",
    "warning",
    "warning_template",
    "report",
    "report_source",
    "log",
];
const FEDERATION_KEYS: &[&str] = &["listen", "public_address"];
const API_KEYS: &[&str] = &["listen", "names"];
const DISK_KEYS: &[&str] = &["floor_mib"];
const BLOB_KEYS: &[&str] = &["max_mib"];
const FEED_KEYS: &[&str] = &[
    "name",
    "kind",
    "url",
    "period_seconds",
    "radius_km",
    "provinces",
    "hosts",
    "gauges",
];
const GAUGE_KEYS: &[&str] = &[
    "name",
    "river",
    "siaga_i_cm",
    "siaga_ii_cm",
    "siaga_iii_cm",
    "siaga_iv_cm",
    "downstream",
    "jump_cm",
    "stale_minutes",
];
const LOG_KEYS: &[&str] = &["format", "filter"];

/// The sections and their keys, for finding what a mistyped key may have meant.
const SECTIONS: &[(&str, &[&str])] = &[
    ("", ROOT_KEYS),
    ("federation", FEDERATION_KEYS),
    ("api", API_KEYS),
    ("disk", DISK_KEYS),
    ("blob", BLOB_KEYS),
    ("feed", FEED_KEYS),
    ("gauge", GAUGE_KEYS),
    ("warning", own::WARNING_KEYS),
    ("warning_template", own::TEMPLATE_KEYS),
    ("report", report::REPORT_KEYS),
    ("report_source", report::SOURCE_KEYS),
    ("log", LOG_KEYS),
];

/// A node's configuration, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The node's name in the federation.
    pub origin: NodeId,
    /// What the node is.
    pub role: NodeRole,
    /// The federation that it belongs to.
    pub federation_id: Id,
    /// How other nodes reach it.
    pub federation: FederationConfig,
    /// How its people and programs reach it.
    pub api: ApiConfig,
    /// How much of the disk it leaves free.
    pub disk: DiskConfig,
    /// How large an attached file may be.
    pub blob: BlobConfig,
    /// The feeds that it asks for warnings, in the file's order.
    pub feeds: Vec<FeedConfig>,
    /// The river gauges whose readings it understands.
    pub gauges: Vec<Gauge>,
    /// How its own warnings are named and written.
    pub warning: OwnWarningConfig,
    /// Where citizens and other systems report.
    pub report: ReportConfig,
    /// How it logs.
    pub log: LogConfig,
}

/// How other nodes reach a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FederationConfig {
    /// Where it listens for peers.
    pub listen: SocketAddr,
    /// Where peers dial it, `HOST:PORT`; none when nobody can.
    pub public_address: Option<String>,
}

/// How people and programs reach a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiConfig {
    /// Where it listens for operators.
    pub listen: SocketAddr,
    /// The host names and addresses that stand in its certificate beside `localhost`.
    pub names: Vec<String>,
}

/// How much of the disk a node leaves free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskConfig {
    /// Below how many free MiB it takes no entries of other nodes; below half of it, no commands either.
    pub floor_mib: u64,
}

/// How large an attached file may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobConfig {
    /// The most MiB of a file that is put here, or fetched from another node.
    pub max_mib: u64,
}

/// How a node logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// The shape of a line.
    pub format: LogFormat,
    /// What is logged: a level, or `TARGET=LEVEL` pairs separated by commas.
    pub filter: String,
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why a configuration was refused; a line counts from 1.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("read configuration `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is larger than a configuration can be.
    #[error("configuration `{}` is larger than the limit of `1048576` bytes", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Something in the file is refused.
    #[error("configuration `{}`: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What and where.
        #[source]
        source: Box<ConfigError>,
    },
    /// The text is not TOML.
    #[error("line `{line}` is not TOML: {reason}")]
    Syntax {
        /// The line.
        line: usize,
        /// What the parser said.
        reason: String,
    },
    /// A key is not known.
    #[error("key `{key}` on line `{line}` is not known; the nearest known key is `{nearest}`")]
    UnknownKey {
        /// The key with its section.
        key: String,
        /// Where it stands.
        line: usize,
        /// What may have been meant.
        nearest: String,
    },
    /// A key that has no default is missing.
    #[error(
        "key `{key}` is missing in the section that begins on line `{line}`: it must be {allowed}"
    )]
    Missing {
        /// The key with its section.
        key: String,
        /// Where its section begins.
        line: usize,
        /// What it must be.
        allowed: String,
    },
    /// A value is not allowed.
    #[error("key `{key}` on line `{line}` is `{value}`: it must be {allowed}")]
    Invalid {
        /// The key with its section.
        key: String,
        /// Where it stands.
        line: usize,
        /// The value, shortened.
        value: String,
        /// What it must be.
        allowed: String,
    },
}

// === impl Config ===

impl Config {
    /// Reads and checks the file [`FILE_NAME`] in a node's directory.
    pub fn load(dir: &Path) -> Result<Self, ConfigError> {
        read(dir, Self::parse)
    }

    /// Reads from a node's directory its name and where its people reach it, and nothing else: a node that runs has read
    /// the rest before, and whoever asks it must not wait until somebody has mended that.
    pub fn contact(dir: &Path) -> Result<(NodeId, ApiConfig), ConfigError> {
        read(dir, |text| {
            let document = section::read(text)?;
            let root = Section::root(text, document.get_ref());
            Ok((parse_origin(&root)?, ApiConfig::parse(&root)?))
        })
    }

    /// Reads and checks the text of a configuration.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let document = section::read(text)?;
        let root = Section::root(text, document.get_ref());
        root.check_keys()?;

        let origin = parse_origin(&root)?;
        let gauges = parse_gauges(&root)?;
        let config = Self {
            origin,
            role: parse_role(&root, origin)?,
            federation_id: parse_federation_id(&root)?,
            federation: FederationConfig::parse(&root)?,
            api: ApiConfig::parse(&root)?,
            disk: DiskConfig::parse(&root)?,
            blob: BlobConfig::parse(&root)?,
            feeds: parse_feeds(&root, &gauges)?,
            gauges,
            warning: OwnWarningConfig::parse(&root)?,
            report: ReportConfig::parse(&root)?,
            log: LogConfig::parse(&root)?,
        };
        check_apart(&config, &root)?;
        if config.role == NodeRole::Gateway && config.report.listen.is_some() {
            root.refuse_key(
                "report",
                "left out at a gateway: provinces take reports in, headquarters reads them",
            )?;
        }
        if config.role == NodeRole::Gateway && !config.feeds.is_empty() {
            root.refuse_key(
                "feed",
                "left out at a gateway: provinces take warnings in, headquarters reads them",
            )?;
        }
        Ok(config)
    }

    /// Returns the configuration as a commented file that names every key and reads back as the same.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, to: &mut String) -> std::fmt::Result {
        writeln!(
            to,
            "# The configuration of a Posko node. `posko config check` reads it without starting anything."
        )?;
        writeln!(
            to,
            "# A key that is commented out shows its default, or an example where it has none."
        )?;
        writeln!(to)?;
        writeln!(
            to,
            "# The node's name in the federation, 1 to 16 characters of a-z and 0-9: a province's Kemendagri code,"
        )?;
        writeln!(to, "# or \"{GATEWAY}\" for headquarters' gateway.")?;
        writeln!(
            to,
            "# It never changes: certificates and the node's log carry it."
        )?;
        writeln!(to, "origin = {}", quoted(self.origin.as_str()))?;
        writeln!(to)?;
        writeln!(
            to,
            "# What the node is: \"node\" for a province's, \"gateway\" for headquarters'. Default \"node\"."
        )?;
        writeln!(to, "role = {}", quoted(role_name(self.role)))?;
        writeln!(to)?;
        writeln!(
            to,
            "# The federation that it belongs to, a UUID. The first node makes it, the others have it from a card."
        )?;
        writeln!(
            to,
            "federation_id = {}",
            quoted(&self.federation_id.to_string())
        )?;
        writeln!(to)?;
        self.federation.write(to)?;
        writeln!(to)?;
        self.api.write(to)?;
        writeln!(to)?;
        self.disk.write(to)?;
        writeln!(to)?;
        self.blob.write(to)?;
        writeln!(to)?;
        write_feeds(&self.feeds, to)?;
        writeln!(to)?;
        write_gauges(&self.gauges, to)?;
        writeln!(to)?;
        self.warning.write(to)?;
        writeln!(to)?;
        self.report.write(to)?;
        writeln!(to)?;
        self.log.write(to)
    }
}

/// Reads the configuration of a directory.
fn read<T>(
    dir: &Path,
    parse: impl FnOnce(&str) -> Result<T, ConfigError>,
) -> Result<T, ConfigError> {
    let path = dir.join(FILE_NAME);
    let read = || -> io::Result<String> {
        let mut text = String::new();
        std::fs::File::open(&path)?
            .take(MAX_FILE_BYTES + 1)
            .read_to_string(&mut text)?;
        Ok(text)
    };
    let text = match read() {
        Ok(text) => text,
        Err(source) => return Err(ConfigError::Read { path, source }),
    };
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(ConfigError::TooLarge { path });
    }
    parse(&text).map_err(|source| ConfigError::File {
        path,
        source: Box::new(source),
    })
}

fn parse_origin(root: &Section<'_>) -> Result<NodeId, ConfigError> {
    let allowed = "1 to 16 characters of a-z and 0-9, such as `32`";
    let origin = root.required_string("origin", allowed)?;
    origin.value.parse().map_err(|_| origin.refuse(allowed))
}

/// Reads the role, which the name must fit: the gateway alone is called [`GATEWAY`].
fn parse_role(root: &Section<'_>, origin: NodeId) -> Result<NodeRole, ConfigError> {
    let named_gateway = origin.as_str() == GATEWAY;
    let Some(role) = root.string("role")? else {
        if named_gateway {
            root.refuse_key(
                "origin",
                "a province's code: a gateway has `role = \"gateway\"`",
            )?;
        }
        return Ok(NodeRole::Node);
    };
    match (role.value.as_str(), named_gateway) {
        ("node", false) => Ok(NodeRole::Node),
        ("gateway", true) => Ok(NodeRole::Gateway),
        ("node", true) => Err(role.refuse("`gateway`, since the origin is `ims`")),
        ("gateway", false) => Err(role.refuse("`node`, unless the origin is `ims`")),
        _ => Err(role.refuse("`node` or `gateway`")),
    }
}

fn parse_federation_id(root: &Section<'_>) -> Result<Id, ConfigError> {
    let allowed = "a UUID such as `0192f3c4-5a6b-7c8d-9e0f-112233445566`, as `posko init` wrote it";
    let id = root.required_string("federation_id", allowed)?;
    id.value.parse().map_err(|_| id.refuse(allowed))
}

/// Refuses two listeners on one address.
fn check_apart(config: &Config, root: &Section<'_>) -> Result<(), ConfigError> {
    let listeners = [
        ("federation", Some(config.federation.listen)),
        ("api", Some(config.api.listen)),
        ("report", config.report.listen),
    ];
    let mut before: Vec<(&str, SocketAddr)> = Vec::new();
    for (name, listen) in listeners {
        let Some(listen) = listen else { continue };
        if let Some((taken, _)) = before.iter().find(|(_, other)| collide(*other, listen)) {
            return Err(ConfigError::Invalid {
                key: format!("{name}.listen"),
                line: root.line_of_child(name, "listen"),
                value: listen.to_string(),
                allowed: format!("another address than `{taken}.listen`"),
            });
        }
        before.push((name, listen));
    }
    Ok(())
}

/// Says whether two addresses cannot both be listened on: the unspecified one stands for all, that of IPv6 also for IPv4.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let holds = |all: SocketAddr, one: SocketAddr| {
        all.ip().is_unspecified() && (all.is_ipv6() || one.is_ipv4())
    };
    let same = one.ip() == other.ip() || holds(one, other) || holds(other, one);
    same && one.port() == other.port() && one.port() != 0
}

// === impl FederationConfig ===

impl FederationConfig {
    fn parse(root: &Section<'_>) -> Result<Self, ConfigError> {
        let Some(section) = root.table("federation")? else {
            return Ok(Self {
                listen: FEDERATION_LISTEN,
                public_address: None,
            });
        };
        section.check_keys()?;
        Ok(Self {
            listen: parse_listen(&section, FEDERATION_LISTEN)?,
            public_address: section
                .string("public_address")?
                .map(parse_address)
                .transpose()?,
        })
    }

    fn write(&self, to: &mut String) -> std::fmt::Result {
        writeln!(to, "[federation]")?;
        writeln!(
            to,
            "# Where the node listens for other nodes, IP:PORT. Default \"{FEDERATION_LISTEN}\"."
        )?;
        writeln!(to, "listen = {}", quoted(&self.listen.to_string()))?;
        writeln!(
            to,
            "# Where other nodes dial this one, HOST:PORT; it stands on the node's card."
        )?;
        writeln!(
            to,
            "# Leave it out when nobody can reach this node: it then dials the others."
        )?;
        match &self.public_address {
            Some(address) => writeln!(to, "public_address = {}", quoted(address)),
            None => writeln!(to, "# public_address = \"posko.example.org:7431\""),
        }
    }
}

// === impl ApiConfig ===

impl ApiConfig {
    fn parse(root: &Section<'_>) -> Result<Self, ConfigError> {
        let Some(section) = root.table("api")? else {
            return Ok(Self {
                listen: API_LISTEN,
                names: Vec::new(),
            });
        };
        section.check_keys()?;
        let mut names = Vec::new();
        for name in section.strings("names")?.unwrap_or_default() {
            if !is_host(&name.value) {
                return Err(name.refuse("a list of host names and IP addresses without ports"));
            }
            names.push(name.value);
        }
        Ok(Self {
            listen: parse_listen(&section, API_LISTEN)?,
            names,
        })
    }

    fn write(&self, to: &mut String) -> std::fmt::Result {
        let names: Vec<_> = self.names.iter().map(|name| quoted(name)).collect();
        writeln!(to, "[api]")?;
        writeln!(
            to,
            "# Where the node listens for its own people and programs, IP:PORT. Default \"{API_LISTEN}\"."
        )?;
        writeln!(to, "listen = {}", quoted(&self.listen.to_string()))?;
        writeln!(
            to,
            "# Host names and IP addresses that stand in the API's certificate beside localhost. Default []."
        )?;
        writeln!(to, "names = [{}]", names.join(", "))
    }
}

// === impl DiskConfig ===

impl DiskConfig {
    fn parse(root: &Section<'_>) -> Result<Self, ConfigError> {
        let floor_mib = match root.table("disk")? {
            None => FLOOR_MIB,
            Some(section) => {
                section.check_keys()?;
                section.integer("floor_mib", FLOOR_MIB, 1..=1_048_576)?
            }
        };
        Ok(Self {
            floor_mib: floor_mib.unsigned_abs(),
        })
    }

    fn write(self, to: &mut String) -> std::fmt::Result {
        writeln!(to, "[disk]")?;
        writeln!(
            to,
            "# Below this free space in MiB, 1 to 1048576, the node takes no entries of other nodes,"
        )?;
        writeln!(
            to,
            "# below half of it no commands either, until there is more again. Default {FLOOR_MIB}."
        )?;
        writeln!(to, "floor_mib = {}", self.floor_mib)
    }
}

// === impl BlobConfig ===

impl BlobConfig {
    fn parse(root: &Section<'_>) -> Result<Self, ConfigError> {
        let max_mib = match root.table("blob")? {
            None => BLOB_MIB,
            Some(section) => {
                section.check_keys()?;
                section.integer("max_mib", BLOB_MIB, 1..=1024)?
            }
        };
        Ok(Self {
            max_mib: max_mib.unsigned_abs(),
        })
    }

    fn write(self, to: &mut String) -> std::fmt::Result {
        writeln!(to, "[blob]")?;
        writeln!(
            to,
            "# How large a photo, a decree or a form may be in MiB, 1 to 1024, to be attached here or fetched from"
        )?;
        writeln!(to, "# another node. Default {BLOB_MIB}.")?;
        writeln!(to, "max_mib = {}", self.max_mib)
    }
}

// === feeds ===

fn parse_feeds(root: &Section<'_>, gauges: &[Gauge]) -> Result<Vec<FeedConfig>, ConfigError> {
    let mut feeds: Vec<FeedConfig> = Vec::new();
    for section in root.tables("feed")? {
        section.check_keys()?;
        let name = section.required_string("name", "a name such as `bmkg-cuaca`")?;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.value.is_empty() || name.value.len() > 40 || !name.value.bytes().all(plain) {
            return Err(name.refuse("1 to 40 characters of a-z, 0-9 and `-`"));
        }
        if feeds.iter().any(|feed| feed.name == name.value) {
            return Err(name.refuse("a name that no other feed has"));
        }
        let kind = parse_kind(&section, gauges)?;
        let url = section.required_string(
            "url",
            "an address such as `https://www.bmkg.go.id/alerts/nowcast/id`",
        )?;
        if !is_web_address(&url.value) {
            return Err(
                url.refuse("an `http://` or `https://` address without user, password or fragment")
            );
        }
        let period = section.integer("period_seconds", PERIOD_SECONDS, 10..=86_400)?;
        let period = Duration::from_secs(period.unsigned_abs());
        feeds.push(FeedConfig {
            name: name.value,
            kind,
            url: url.value,
            period,
        });
    }
    Ok(feeds)
}

fn parse_kind(section: &Section<'_>, gauges: &[Gauge]) -> Result<FeedKind, ConfigError> {
    let allowed = "`bmkg-nowcast`, `bmkg-earthquake`, `cap`, `gauges` or `volcanoes`";
    let kind = section.required_string("kind", allowed)?;
    let belongs = |key: &str, of: &[&str]| {
        if of.contains(&kind.value.as_str()) {
            return Ok(());
        }
        let of: Vec<String> = of.iter().map(|kind| format!("`{kind}`")).collect();
        let allowed = format!("left out: it belongs to feeds of kind {}", of.join(" and "));
        section.refuse_key(key, &allowed)
    };
    belongs("radius_km", &["bmkg-earthquake"])?;
    belongs("provinces", &["bmkg-nowcast", "cap"])?;
    belongs("hosts", &["cap"])?;
    belongs("gauges", &["gauges"])?;
    match kind.value.as_str() {
        "bmkg-nowcast" => Ok(FeedKind::BmkgNowcast {
            provinces: parse_provinces(section)?,
        }),
        "bmkg-earthquake" => {
            let radius_km = section.integer("radius_km", RADIUS_KM, 1..=5_000)?;
            Ok(FeedKind::BmkgEarthquake {
                radius_km: radius_km as u32,
            })
        }
        "cap" => {
            let mut hosts = Vec::new();
            for host in section.strings("hosts")?.unwrap_or_default() {
                let name = host.value.to_lowercase();
                if !is_host(&name) {
                    return Err(host.refuse("a list of host names without ports"));
                }
                hosts.push(name);
            }
            Ok(FeedKind::Cap {
                provinces: parse_provinces(section)?,
                hosts,
            })
        }
        "gauges" => Ok(FeedKind::Gauges {
            expected: parse_expected(section, gauges)?,
        }),
        "volcanoes" => Ok(FeedKind::Volcanoes),
        _ => Err(kind.refuse(allowed)),
    }
}

/// Reads which gauges a feed's table must bring.
fn parse_expected(section: &Section<'_>, gauges: &[Gauge]) -> Result<Vec<String>, ConfigError> {
    let Some(names) = section.strings("gauges")? else {
        return Ok(gauges.iter().map(|gauge| gauge.name.clone()).collect());
    };
    let known = |name: Found| match gauge::find(gauges, &name.value) {
        Some(gauge) => Ok(gauge.name.clone()),
        None => Err(name.refuse("a list of names of gauges that are known")),
    };
    names.into_iter().map(known).collect()
}

fn parse_provinces(section: &Section<'_>) -> Result<Vec<Province>, ConfigError> {
    let Some(names) = section.strings("provinces")? else {
        return Ok(Province::ALL.to_vec());
    };
    let mut provinces = Vec::new();
    for name in names {
        let allowed = "a list of `DKI Jakarta`, `Jawa Barat` and `Banten`, each once";
        let province = Province::find(&name.value).ok_or_else(|| name.refuse(allowed))?;
        if provinces.contains(&province) {
            return Err(name.refuse(allowed));
        }
        provinces.push(province);
    }
    if provinces.is_empty() {
        section.refuse_key(
            "provinces",
            "a list of at least one province, or left out for all three",
        )?;
    }
    Ok(provinces)
}

fn write_feeds(feeds: &[FeedConfig], to: &mut String) -> std::fmt::Result {
    writeln!(
        to,
        "# Sources of warnings that the node asks regularly, a [[feed]] section each."
    )?;
    writeln!(
        to,
        "# All feeds of a node together make at most 60 requests a minute, which is BMKG's limit; half of them are for lists"
    )?;
    writeln!(
        to,
        "# alone, the other half is shared by the feeds whose lists link to alerts, the newest first."
    )?;
    writeln!(
        to,
        "#   name            1 to 40 characters of a-z, 0-9 and -, and no two alike"
    )?;
    writeln!(
        to,
        "#   kind            \"bmkg-nowcast\" (a list in RSS, alerts in CAP 1.2; in Bahasa Indonesia or English),"
    )?;
    writeln!(
        to,
        "#                   \"bmkg-earthquake\" (autogempa, gempaterkini or gempadirasakan in JSON or XML, or bulletins"
    )?;
    writeln!(
        to,
        "#                   of InaTEWS), \"cap\" (CAP 1.0 to 1.2 of any publisher: one alert, an RSS or Atom list, or an"
    )?;
    writeln!(
        to,
        "#                   EDXL-DE envelope), \"gauges\" (station,time,level_cm in CSV or JSON) or \"volcanoes\""
    )?;
    writeln!(to, "#                   (volcano,time,level)")?;
    writeln!(
        to,
        "#   url             where the list is, http:// or https://; alerts are fetched from the same host"
    )?;
    writeln!(
        to,
        "#   period_seconds  how often it is asked, 10 to 86400; default {PERIOD_SECONDS}"
    )?;
    writeln!(
        to,
        "#   provinces       bmkg-nowcast and cap only: whose warnings are kept; default all three, as shown"
    )?;
    writeln!(
        to,
        "#   radius_km       bmkg-earthquake only: how far from the nearest kab/kota of the three provinces an"
    )?;
    writeln!(
        to,
        "#                   earthquake is still kept, 1 to 5000; default {RADIUS_KM}"
    )?;
    writeln!(
        to,
        "#   hosts           cap only: hosts beside the list's own from which alerts may be fetched, and to which a redirect"
    )?;
    writeln!(to, "#                   may lead; default none")?;
    writeln!(
        to,
        "#   gauges          gauges only: those that its table must bring, or the feed is invalid; default all known"
    )?;
    if feeds.is_empty() {
        for line in EXAMPLE_FEEDS.lines() {
            writeln!(to, "{}", format!("# {line}").trim_end())?;
        }
    }
    for (at, feed) in feeds.iter().enumerate() {
        if at > 0 {
            writeln!(to)?;
        }
        writeln!(to, "[[feed]]")?;
        writeln!(to, "name = {}", quoted(&feed.name))?;
        writeln!(to, "kind = {}", quoted(feed.kind.name()))?;
        writeln!(to, "url = {}", quoted(&feed.url))?;
        writeln!(to, "period_seconds = {}", feed.period.as_secs())?;
        match &feed.kind {
            FeedKind::BmkgNowcast { provinces } => write_provinces(provinces, to)?,
            FeedKind::BmkgEarthquake { radius_km } => writeln!(to, "radius_km = {radius_km}")?,
            FeedKind::Cap { provinces, hosts } => {
                write_provinces(provinces, to)?;
                let hosts: Vec<_> = hosts.iter().map(|host| quoted(host)).collect();
                writeln!(to, "hosts = [{}]", hosts.join(", "))?;
            }
            FeedKind::Gauges { expected } => {
                let names: Vec<_> = expected.iter().map(|name| quoted(name)).collect();
                writeln!(to, "gauges = [{}]", names.join(", "))?;
            }
            FeedKind::Volcanoes => {}
        }
    }
    Ok(())
}

fn write_provinces(provinces: &[Province], to: &mut String) -> std::fmt::Result {
    let names: Vec<_> = provinces
        .iter()
        .map(|province| quoted(province.name()))
        .collect();
    writeln!(to, "provinces = [{}]", names.join(", "))
}

// === gauges ===

fn parse_gauges(root: &Section<'_>) -> Result<Vec<Gauge>, ConfigError> {
    let sections = root.tables("gauge")?;
    if sections.is_empty() {
        return Ok(Gauge::shipped());
    }
    let mut gauges: Vec<Gauge> = Vec::new();
    for section in sections {
        section.check_keys()?;
        let allowed = "a gauge's name of 1 to 60 characters, which no other gauge has";
        let name = section.required_string("name", allowed)?;
        let length = name.value.trim().chars().count();
        let is_new = gauges
            .iter()
            .all(|gauge| gauge.name.to_lowercase() != name.value.to_lowercase());
        if !(1..=60).contains(&length) || name.value.contains('/') || !is_new {
            return Err(name.refuse(allowed));
        }
        gauges.push(Gauge {
            siaga_cm: parse_levels(&section)?,
            river: section
                .string("river")?
                .map(|river| river.value)
                .unwrap_or_default(),
            downstream: parse_downstream(&section)?,
            jump_cm: section.integer("jump_cm", JUMP_CM, 1..=10_000)? as u32,
            stale_minutes: section.integer("stale_minutes", STALE_MINUTES, 1..=10_080)? as u32,
            name: name.value,
        });
    }
    Ok(gauges)
}

/// Reads the heights of the four levels, of which one is needed and a graver one is higher.
fn parse_levels(section: &Section<'_>) -> Result<[Option<u32>; 4], ConfigError> {
    let mut levels = [None; 4];
    let mut above: Option<u32> = None;
    let keys = ["siaga_i_cm", "siaga_ii_cm", "siaga_iii_cm", "siaga_iv_cm"];
    for (key, level) in keys.into_iter().zip(&mut levels) {
        let height = section.integer(key, 0, 1..=10_000)? as u32;
        if height == 0 {
            continue;
        }
        if above.is_some_and(|above| height >= above) {
            section.refuse_key(key, "lower than the graver level before it")?;
        }
        (*level, above) = (Some(height), Some(height));
    }
    if above.is_none() {
        section.required_string(
            "siaga_i_cm",
            "a height in centimeters for at least one level",
        )?;
    }
    Ok(levels)
}

fn parse_downstream(section: &Section<'_>) -> Result<Vec<(String, u32)>, ConfigError> {
    let mut downstream = Vec::new();
    for place in section.strings("downstream")?.unwrap_or_default() {
        let read = place.value.split_once(':').and_then(|(code, minutes)| {
            let code = region::find(code.trim())?.code.to_owned();
            let minutes: u32 = minutes.trim().parse().ok()?;
            (minutes <= 10_080).then_some((code, minutes))
        });
        downstream.push(read.ok_or_else(|| {
            place.refuse("region codes with minutes, such as `31.74:540`, at most a week")
        })?);
    }
    if downstream.is_empty() {
        section.required_string(
            "downstream",
            "a list of region codes with minutes, such as `[\"31.74:540\"]`",
        )?;
    }
    Ok(downstream)
}

fn write_gauges(gauges: &[Gauge], to: &mut String) -> std::fmt::Result {
    for line in GAUGE_WORDS.lines() {
        writeln!(to, "{line}")?;
    }
    let is_shipped = *gauges == Gauge::shipped();
    let mut text = String::new();
    for (at, gauge) in gauges.iter().enumerate() {
        if at > 0 {
            writeln!(text)?;
        }
        write_gauge(gauge, &mut text)?;
    }
    for line in text.lines() {
        if is_shipped {
            writeln!(to, "{}", format!("# {line}").trim_end())?;
        } else {
            writeln!(to, "{line}")?;
        }
    }
    Ok(())
}

fn write_gauge(gauge: &Gauge, to: &mut String) -> std::fmt::Result {
    writeln!(to, "[[gauge]]")?;
    writeln!(to, "name = {}", quoted(&gauge.name))?;
    writeln!(to, "river = {}", quoted(&gauge.river))?;
    let keys = ["siaga_i_cm", "siaga_ii_cm", "siaga_iii_cm", "siaga_iv_cm"];
    for (key, height) in keys.into_iter().zip(gauge.siaga_cm) {
        if let Some(height) = height {
            writeln!(to, "{key} = {height}")?;
        }
    }
    let places: Vec<_> = gauge
        .downstream
        .iter()
        .map(|(code, minutes)| quoted(&format!("{code}:{minutes}")))
        .collect();
    writeln!(to, "downstream = [{}]", places.join(", "))?;
    writeln!(to, "jump_cm = {}", gauge.jump_cm)?;
    writeln!(to, "stale_minutes = {}", gauge.stale_minutes)
}

const GAUGE_WORDS: &str = "\
# River gauges, a [[gauge]] section each; without any Katulampa and Depok are known much as here.
# Their heights and times are to be confirmed by the provinces before anybody relies on them.
#   name            as the tables of feeds of kind \"gauges\" call it
#   river           the river
#   siaga_i_cm      from which height on it is at Siaga I, the gravest; likewise siaga_ii_cm, siaga_iii_cm and
#                   siaga_iv_cm, each lower than the one before; one at least
#   downstream      the regions that it warns, each with how long the water takes: \"CODE:MINUTES\"
#   jump_cm         a reading that differs by more from one less than an hour before is believed once the next agrees,
#                   1 to 10000; default 150
#   stale_minutes   how old its newest reading may be before the feed is invalid, 1 to 10080; default 180";

const EXAMPLE_FEEDS: &str = r#"[[feed]]
name = "bmkg-cuaca"
kind = "bmkg-nowcast"
url = "https://www.bmkg.go.id/alerts/nowcast/id"
period_seconds = 60
provinces = ["DKI Jakarta", "Jawa Barat", "Banten"]

[[feed]]
name = "bmkg-gempa"
kind = "bmkg-earthquake"
url = "https://data.bmkg.go.id/DataMKG/TEWS/gempadirasakan.json"
period_seconds = 60
radius_km = 300

[[feed]]
name = "cap-umum"
kind = "cap"
url = "https://alerts.example.org/atom.xml"
period_seconds = 300
provinces = ["DKI Jakarta", "Jawa Barat", "Banten"]
hosts = ["files.example.org"]

[[feed]]
name = "tinggi-muka-air"
kind = "gauges"
url = "https://posko-jabar.example.org/tma.csv"
period_seconds = 300
gauges = ["Katulampa", "Depok"]

[[feed]]
name = "gunung-api"
kind = "volcanoes"
url = "https://posko-jabar.example.org/gunungapi.csv"
period_seconds = 3600"#;

// === impl LogConfig ===

impl LogConfig {
    fn parse(root: &Section<'_>) -> Result<Self, ConfigError> {
        let default = Self {
            format: LogFormat::Text,
            filter: LOG_FILTER.into(),
        };
        let Some(section) = root.table("log")? else {
            return Ok(default);
        };
        section.check_keys()?;
        let format = match section.string("format")? {
            None => default.format,
            Some(format) => match format.value.as_str() {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return Err(format.refuse("`text` or `json`")),
            },
        };
        let filter = match section.string("filter")? {
            None => default.filter,
            Some(filter) if is_filter(&filter.value) => filter.value,
            Some(filter) => {
                return Err(filter.refuse(
                    "`error`, `warn`, `info`, `debug`, `trace` or `off`, or pairs `TARGET=LEVEL` separated by commas",
                ));
            }
        };
        Ok(Self { format, filter })
    }

    fn write(&self, to: &mut String) -> std::fmt::Result {
        let format = match self.format {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        };
        writeln!(to, "[log]")?;
        writeln!(
            to,
            "# The shape of a line: \"text\" for people, \"json\" for programs. Default \"text\"."
        )?;
        writeln!(to, "format = {}", quoted(format))?;
        writeln!(
            to,
            "# What is logged: error, warn, info, debug, trace or off, and TARGET=LEVEL after commas."
        )?;
        writeln!(
            to,
            "# Default \"{LOG_FILTER}\"; for example \"info,posko_node::intake=debug\"."
        )?;
        writeln!(to, "filter = {}", quoted(&self.filter))
    }
}

// === values ===

fn parse_listen(section: &Section<'_>, default: SocketAddr) -> Result<SocketAddr, ConfigError> {
    let Some(listen) = section.string("listen")? else {
        return Ok(default);
    };
    listen
        .value
        .parse()
        .map_err(|_| listen.refuse("an address IP:PORT such as `127.0.0.1:7431` or `[::]:7431`"))
}

fn parse_address(address: Found) -> Result<String, ConfigError> {
    let is_address = address.value.rsplit_once(':').is_some_and(|(host, port)| {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        let host_fits = if bare == host {
            is_host(host) && !host.contains(':')
        } else {
            bare.parse::<IpAddr>().is_ok()
        };
        host_fits
            && port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port != 0)
    });
    if is_address {
        Ok(address.value)
    } else {
        Err(address.refuse("HOST:PORT such as `posko.example.org:7431`"))
    }
}

/// Says whether the text is an IP address or a host name of letters, digits, `-` and `.` (RFC 1123).
fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        let plain = label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&label.len()) && plain && !label.starts_with('-') && !label.ends_with('-')
    };
    text.parse::<IpAddr>().is_ok() || (text.len() <= 253 && text.split('.').all(label))
}

fn is_web_address(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let names_host = uri.host().is_some_and(|host| !host.is_empty());
    // A password in an address would be shown wherever the feed is.
    is_web && names_host && !text.contains(['@', '#']) && text.len() <= 2_000
}

fn is_filter(text: &str) -> bool {
    let is_level = |level: &str| {
        ["error", "warn", "info", "debug", "trace", "off"]
            .iter()
            .any(|known| level.eq_ignore_ascii_case(known))
    };
    let is_target = |target: &str| {
        !target.is_empty()
            && target
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_:-".contains(&byte))
    };
    text.split(',')
        .map(str::trim)
        .all(|part| match part.split_once('=') {
            Some((target, level)) => is_target(target) && is_level(level),
            None => is_level(part),
        })
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
