//! The node's clock: the one place where it is read.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat};
use posko_proto::time::Millis;
use rustls::pki_types::UnixTime;

/// Returns the node's time.
pub fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Returns the node's time as certificates count it.
pub fn unix_now() -> UnixTime {
    UnixTime::now()
}

/// Returns a time as messages tell it, in UTC.
pub(crate) fn shown(at: Millis) -> String {
    DateTime::from_timestamp_millis(at.0).map_or_else(
        || format!("{} ms", at.0),
        |at| at.to_rfc3339_opts(SecondsFormat::Secs, true),
    )
}
