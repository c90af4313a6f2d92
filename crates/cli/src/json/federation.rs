//! The node's status, peers, digests and zones in JSON.

use posko_proto::{common::v1::LinkState, federation::v1 as federation, id::hex};
use serde::Serialize;

use super::{id, link, position, text, time};
use crate::name;

/// The status of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Status {
    origin: String,
    federation_id: Option<String>,
    software: String,
    started_at: Option<String>,
    now: Option<String>,
    writing: bool,
    not_writing_because: Option<String>,
    standing: Option<Standing>,
    youngest_copy: Option<Copy>,
    files: Option<Files>,
    origins: Vec<OriginStatus>,
    peers: Vec<PeerStatus>,
    refusals: Vec<Refused>,
}

/// The files beside the logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Files {
    named: u64,
    held: u64,
    held_bytes: u64,
    wanted: u64,
}

/// A backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Copy {
    made_at: Option<String>,
    end: Option<String>,
}

/// How far a node can trust that nothing of its own log was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Standing {
    state: String,
    why: Option<String>,
    since: Option<String>,
    waiting: Vec<String>,
    risk_accepted: bool,
    risk_accepted_by: Option<String>,
    risk_accepted_at: Option<String>,
}

impl From<federation::Standing> for Standing {
    fn from(standing: federation::Standing) -> Self {
        let state = standing.state().as_str_name();
        Self {
            state: state.trim_start_matches("STANDING_STATE_").to_lowercase(),
            why: text(&standing.why),
            since: time(standing.since.as_ref()),
            waiting: standing.waiting,
            risk_accepted: standing.risk_accepted,
            risk_accepted_by: id(&standing.risk_accepted_by),
            risk_accepted_at: time(standing.risk_accepted_at.as_ref()),
        }
    }
}

/// A connection that came in and was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Refused {
    address: String,
    at: Option<String>,
    reason: String,
    detail: String,
    times: u64,
}

impl From<federation::Refused> for Refused {
    fn from(refused: federation::Refused) -> Self {
        Self {
            at: time(refused.at.as_ref()),
            reason: reason(refused.reason),
            address: refused.address,
            detail: refused.detail,
            times: refused.times,
        }
    }
}

/// Returns a reason's name as JSON gives it.
fn reason(reason: i32) -> String {
    let name = federation::GoodbyeReason::try_from(reason)
        .unwrap_or_default()
        .as_str_name();
    name.trim_start_matches("GOODBYE_REASON_").to_lowercase()
}

impl From<federation::GetStatusResponse> for Status {
    fn from(status: federation::GetStatusResponse) -> Self {
        Self {
            origin: status.origin,
            federation_id: id(&status.federation_id),
            software: status.software,
            started_at: time(status.started_at.as_ref()),
            now: time(status.now.as_ref()),
            writing: status.writing,
            not_writing_because: text(&status.not_writing_because),
            standing: status.standing.map(Standing::from),
            youngest_copy: status.youngest_copy.map(|copy| Copy {
                made_at: time(copy.made_at.as_ref()),
                end: copy.end.as_ref().map(position),
            }),
            files: status.blobs.map(|files| Files {
                named: files.named,
                held: files.held,
                held_bytes: files.held_bytes,
                wanted: files.wanted,
            }),
            origins: status.origins.into_iter().map(OriginStatus::from).collect(),
            peers: status.peers.into_iter().map(PeerStatus::from).collect(),
            refusals: status.refusals.into_iter().map(Refused::from).collect(),
        }
    }
}

/// How far a node has one log; the lag is null when it is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct OriginStatus {
    origin: String,
    link: String,
    applied: Option<String>,
    entries: u64,
    entries_behind: Option<u64>,
    seconds_behind: Option<u64>,
    heard_at: Option<String>,
    source: Option<String>,
    why: Option<String>,
    unknown_events: u64,
    refused_events: u64,
    source_reason: Option<String>,
    source_since: Option<String>,
    source_lacks: Vec<&'static str>,
    payloads_missing: u64,
    withheld_entries: u64,
    withheld_since: Option<String>,
    other_branch_entries: u64,
    state: Option<String>,
    forked_at: Option<String>,
    quarantined_since: Option<String>,
    reaches: Vec<Reach>,
}

/// How far a peer has a log, by its word; the lag is null when it is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Reach {
    peer: String,
    position: Option<String>,
    entries_behind: Option<u64>,
}

impl From<federation::Reach> for Reach {
    fn from(reach: federation::Reach) -> Self {
        Self {
            position: reach.position.as_ref().map(position),
            entries_behind: reach.known.then_some(reach.entries_behind),
            peer: reach.peer,
        }
    }
}

impl From<federation::OriginStatus> for OriginStatus {
    fn from(origin: federation::OriginStatus) -> Self {
        let known = lag_is_known(origin.link);
        Self {
            link: link(origin.link),
            applied: origin.applied.as_ref().map(position),
            entries: origin.entries,
            entries_behind: known.then_some(origin.entries_behind),
            seconds_behind: known.then_some(origin.seconds_behind),
            heard_at: time(origin.heard_at.as_ref()),
            source: text(&origin.source),
            why: text(&origin.why),
            unknown_events: origin.unknown_events,
            refused_events: origin.refused_events,
            source_reason: source_reason(origin.source_reason),
            source_since: time(origin.source_since.as_ref()),
            source_lacks: classes(origin.source_lacks),
            payloads_missing: origin.payloads_missing,
            withheld_entries: origin.withheld_entries,
            withheld_since: time(origin.withheld_since.as_ref()),
            other_branch_entries: origin.other_branch_entries,
            state: origin_state(origin.state),
            forked_at: origin.forked_at.as_ref().map(position),
            quarantined_since: time(origin.quarantined_since.as_ref()),
            reaches: origin.reaches.into_iter().map(Reach::from).collect(),
            origin: origin.origin,
        }
    }
}

/// Returns how a node stands to a log, as JSON gives it; none from a node that does not know of it.
fn origin_state(state: i32) -> Option<String> {
    let state = federation::OriginState::try_from(state).unwrap_or_default();
    let name = state.as_str_name().trim_start_matches("ORIGIN_STATE_");
    (state != federation::OriginState::Unspecified).then(|| name.to_lowercase())
}

/// Returns why a log comes through its source, as JSON gives it; none for the node's own log.
fn source_reason(reason: i32) -> Option<String> {
    let reason = federation::SourceReason::try_from(reason).unwrap_or_default();
    let name = reason.as_str_name().trim_start_matches("SOURCE_REASON_");
    (reason != federation::SourceReason::Unspecified).then(|| name.to_lowercase())
}

/// Returns the names of the payload classes in a set.
pub(crate) fn classes(set: u32) -> Vec<&'static str> {
    let names = [(1, "regional"), (2, "provinces"), (4, "local")];
    let held = names.into_iter().filter(|(bit, _)| set & bit != 0);
    held.map(|(_, name)| name).collect()
}

/// Returns whether the lag means anything: not while the link is unknown, or in a state that this program does not know.
pub(crate) fn lag_is_known(link: i32) -> bool {
    match LinkState::try_from(link) {
        Ok(LinkState::Own | LinkState::Live | LinkState::Behind) => true,
        Ok(LinkState::Unknown | LinkState::Unspecified) | Err(_) => false,
    }
}

/// The session with one peer; what it has not acknowledged is null when it never acknowledged anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PeerStatus {
    origin: String,
    address: Option<String>,
    connected: bool,
    since: Option<String>,
    why: Option<String>,
    round_trip_ms: Option<u32>,
    clock_skew_ms: Option<i64>,
    acknowledged: Option<String>,
    own_entries_behind: Option<u64>,
}

impl From<federation::PeerStatus> for PeerStatus {
    fn from(peer: federation::PeerStatus) -> Self {
        let measured = peer.connected;
        Self {
            address: text(&peer.address),
            connected: peer.connected,
            since: time(peer.since.as_ref()),
            why: text(&peer.why),
            round_trip_ms: measured.then_some(peer.round_trip_ms),
            clock_skew_ms: measured.then_some(peer.clock_skew_ms),
            own_entries_behind: peer.acknowledged.as_ref().map(|_| peer.own_entries_behind),
            acknowledged: peer.acknowledged.as_ref().map(position),
            origin: peer.origin,
        }
    }
}

/// An accepted card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Peer {
    origin: String,
    role: Option<String>,
    address: Option<String>,
    fingerprint: String,
    added_at: Option<String>,
}

impl From<federation::Peer> for Peer {
    fn from(peer: federation::Peer) -> Self {
        Self {
            origin: peer.origin,
            role: name::of::<federation::NodeRole>(peer.role),
            address: text(&peer.address),
            fingerprint: peer.fingerprint,
            added_at: time(peer.added_at.as_ref()),
        }
    }
}

/// The digests of all views of one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Digests {
    digests: Vec<ViewDigest>,
    positions: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct ViewDigest {
    view: String,
    origin: String,
    rows: u64,
    sha256: String,
}

impl From<federation::GetDigestsResponse> for Digests {
    fn from(digests: federation::GetDigestsResponse) -> Self {
        let digest = |digest: federation::ViewDigest| ViewDigest {
            view: digest.view,
            origin: digest.origin,
            rows: digest.rows,
            sha256: hex(&digest.sha256),
        };
        Self {
            digests: digests.digests.into_iter().map(digest).collect(),
            positions: digests.positions.iter().map(position).collect(),
        }
    }
}

/// A border zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Zone {
    id: String,
    name: String,
    regions: Vec<Region>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Region {
    code: String,
    name: String,
}

impl From<federation::Zone> for Zone {
    fn from(zone: federation::Zone) -> Self {
        let region = |region: federation::ZoneRegion| Region {
            code: region.code,
            name: region.name,
        };
        Self {
            id: zone.id,
            name: zone.name,
            regions: zone.regions.into_iter().map(region).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_lag_is_null_and_never_nought() {
        for link in [0, i32::from(LinkState::Unknown), 99] {
            let json = serde_json::to_value(OriginStatus::from(federation::OriginStatus {
                link,
                ..Default::default()
            }));
            let json = json.unwrap();
            assert!(
                json["entries_behind"].is_null() && json["seconds_behind"].is_null(),
                "{link}"
            );
        }
        let live = federation::OriginStatus {
            link: LinkState::Live.into(),
            ..Default::default()
        };
        assert_eq!(
            serde_json::to_value(OriginStatus::from(live)).unwrap()["entries_behind"],
            0
        );
    }

    #[test]
    fn a_peer_that_never_acknowledged_has_an_unknown_backlog() {
        let silent = federation::PeerStatus {
            origin: "31".into(),
            own_entries_behind: 0,
            ..Default::default()
        };
        let json = serde_json::to_value(PeerStatus::from(silent)).unwrap();
        assert!(json["own_entries_behind"].is_null() && json["round_trip_ms"].is_null());
        let heard = federation::PeerStatus {
            acknowledged: Some(posko_proto::common::v1::Position::default()),
            own_entries_behind: 4,
            ..Default::default()
        };
        assert_eq!(
            serde_json::to_value(PeerStatus::from(heard)).unwrap()["own_entries_behind"],
            4
        );
    }

    #[test]
    fn a_digest_is_hex() {
        let digest = federation::ViewDigest {
            view: "incident".into(),
            origin: "32".into(),
            rows: 1,
            sha256: vec![0, 255],
        };
        let response = federation::GetDigestsResponse {
            digests: vec![digest],
            positions: Vec::new(),
        };
        assert_eq!(
            serde_json::to_value(Digests::from(response)).unwrap(),
            serde_json::json!({
                "digests": [{"view": "incident", "origin": "32", "rows": 1, "sha256": "00ff"}],
                "positions": [],
            })
        );
    }
}
