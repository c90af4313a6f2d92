//! BMKG's weather nowcast: where the alerts of its list are, and which of two alerts is replaced.
//!
//! BMKG sends no `references`. So its rule is that of its list, which holds the alerts that count now: one that is gone from
//! it, while it holds a newer one of the same province, is replaced by that; one that is gone without a newer one holds
//! until its own end. The same identifier sent later replaces what it said.

use chrono::{DateTime, FixedOffset};
use posko_domain::region;
use posko_formats::bmkg::{NowcastError, NowcastLink};
use posko_proto::{Id, warning::v1::Content};

/// An alert that a list holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Listed {
    pub(super) stream: Id,
    pub(super) identifier: String,
    pub(super) province: String,
    pub(super) sent_s: i64,
}

/// Returns the code of the one province that an alert is of.
pub(super) fn province_of(content: &Content) -> Option<String> {
    let codes = content.areas.iter().flat_map(|area| &area.region_codes);
    let mut provinces: Vec<&str> = codes.map(|code| region::province_of(code)).collect();
    provinces.sort_unstable();
    provinces.dedup();
    match provinces.as_slice() {
        [one] => Some((*one).to_owned()),
        _ => None,
    }
}

/// Returns which alert of a list stands in the place of one that the list holds no more.
pub(super) fn successor<'a>(
    listed: &'a [Listed],
    identifier: &str,
    content: &Content,
) -> Option<&'a Listed> {
    if listed.iter().any(|listed| listed.identifier == identifier) {
        return None;
    }
    let province = province_of(content)?;
    let sent_s = content.sent_at.as_ref().map_or(i64::MAX, |at| at.seconds);
    let newer = listed
        .iter()
        .filter(|listed| listed.province == province && listed.sent_s > sent_s);
    newer.max_by_key(|listed| listed.sent_s)
}

/// Returns what tells a version of an item from another: when it was published.
pub(super) fn version_of(published: Option<DateTime<FixedOffset>>) -> Option<Vec<u8>> {
    published.map(|at| at.timestamp().to_be_bytes().to_vec())
}

/// Returns where to fetch an alert, always on the list's own host, so that a list cannot send the node elsewhere.
///
/// A link to another host is read as the file of that name beside the list: so a mirror serves what it holds.
pub(super) fn alert_url(list: &str, link: &NowcastLink<'_>) -> String {
    let after_scheme = list.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = list.split_at(after_scheme);
    let rest = rest.split('?').next().unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if link.host.eq_ignore_ascii_case(host) {
        let link_path = link
            .url
            .split_once("://")
            .and_then(|(_, rest)| rest.split_once('/'))
            .map_or("", |(_, path)| path);
        return format!("{scheme}{host}/{link_path}");
    }
    let folder = match path.rsplit_once('/') {
        Some((folder, file)) if file.contains('.') => folder,
        None if path.contains('.') => "",
        _ => path.trim_end_matches('/'),
    };
    if folder.is_empty() {
        format!("{scheme}{host}/{}", link.file)
    } else {
        format!("{scheme}{host}/{folder}/{}", link.file)
    }
}

/// Returns where to fetch the alert of a link that is not taken apart yet, or why it is no link of a nowcast.
pub(super) fn alert_url_of(list: &str, title: &str, link: &str) -> Result<String, NowcastError> {
    let item = posko_formats::rss::Item {
        at: posko_formats::Place { line: 1, column: 1 },
        title: title.to_owned(),
        link: Some(link.to_owned()),
        guid: None,
        published: None,
        category: None,
    };
    Ok(alert_url(list, &posko_formats::bmkg::nowcast_link(&item)?))
}
