//! Gaps of logs, and what owners said about theirs, in JSON.

use posko_proto::log::v1 as log;
use serde::Serialize;

use super::{Provenance, id, position, text, time};

/// An entry that a log leaves out, or whose payload is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Gap {
    kind: &'static str,
    event_id: Option<String>,
    type_id: u32,
    r#type: Option<String>,
    stream_id: Option<String>,
    position: Option<String>,
    recorded_at: Option<String>,
    scarce: bool,
    not_asked: Vec<String>,
}

impl From<log::Gap> for Gap {
    fn from(gap: log::Gap) -> Self {
        Self {
            kind: match gap.kind() {
                log::GapKind::LeftOut => "left_out",
                log::GapKind::OtherBranch => "other_branch",
                log::GapKind::PayloadMissing => "payload_missing",
                log::GapKind::Unspecified => "unknown",
            },
            event_id: id(&gap.event_id),
            type_id: gap.type_id,
            r#type: text(&gap.r#type),
            stream_id: id(&gap.stream_id),
            position: gap.position.as_ref().map(position),
            recorded_at: time(gap.recorded_at.as_ref()),
            scarce: gap.scarce,
            not_asked: gap.not_asked,
        }
    }
}

/// What a node knew of another's log at a time; the lag is null when it is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Known {
    origin: String,
    at: Option<String>,
    position: Option<String>,
    recorded_at: Option<String>,
    arrived_at: Option<String>,
    entries_behind: Option<u64>,
    behind_since: Option<String>,
    seconds_behind: Option<i64>,
    first_arrival: Option<String>,
    untold_from: Option<String>,
    untold_until: Option<String>,
}

impl From<log::GetKnownResponse> for Known {
    fn from(known: log::GetKnownResponse) -> Self {
        let seconds = match known.behind_since.zip(known.at) {
            Some((since, at)) => (at.seconds - since.seconds).max(0),
            None => 0,
        };
        Self {
            at: time(known.at.as_ref()),
            position: known.position.as_ref().map(position),
            recorded_at: time(known.recorded_at.as_ref()),
            arrived_at: time(known.arrived_at.as_ref()),
            entries_behind: known.behind_known.then_some(known.entries_behind),
            behind_since: time(known.behind_since.as_ref()),
            seconds_behind: known.behind_known.then_some(seconds),
            first_arrival: time(known.first_arrival.as_ref()),
            untold_from: time(known.untold_from.as_ref()),
            untold_until: time(known.untold_until.as_ref()),
            origin: known.origin,
        }
    }
}

/// What an owner said about its log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Statement {
    #[serde(rename = "statement_id")]
    id: Option<String>,
    pub(crate) kind: &'static str,
    pub(crate) event_ids: Vec<Option<String>>,
    pub(crate) reason: String,
    pub(crate) legal_basis: Option<String>,
    said_by: Option<String>,
    said_at: Option<String>,
    waiting: Vec<String>,
    provenance: Option<Provenance>,
}

impl From<log::Statement> for Statement {
    fn from(statement: log::Statement) -> Self {
        use log::statement::Said;
        let ids = |ids: &[Vec<u8>]| ids.iter().map(|bytes| id(bytes)).collect();
        let (kind, event_ids, reason, legal_basis) = match statement.said {
            Some(Said::Disowned(said)) => ("disowned", ids(&said.event_ids), said.reason, None),
            Some(Said::PayloadLost(said)) => {
                ("payload_lost", ids(&said.event_ids), said.reason, None)
            }
            Some(Said::PayloadWithdrawn(said)) => (
                "payload_withdrawn",
                ids(&[said.event_id]),
                said.reason,
                Some(said.legal_basis),
            ),
            None => ("unknown", Vec::new(), String::new(), None),
        };
        Self {
            id: id(&statement.statement_id),
            kind,
            event_ids,
            reason,
            legal_basis,
            said_by: id(&statement.said_by),
            said_at: time(statement.said_at.as_ref()),
            waiting: statement.waiting,
            provenance: statement.provenance.map(Provenance::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_withdrawal_names_its_event_its_reason_and_who_has_not_applied_it() {
        let said = log::PayloadWithdrawn {
            event_id: vec![7; 16],
            reason: "menyebut nama".into(),
            legal_basis: "UU 27/2022".into(),
            ..log::PayloadWithdrawn::default()
        };
        let statement = log::Statement {
            said: Some(log::statement::Said::PayloadWithdrawn(said)),
            waiting: vec!["36".into()],
            ..log::Statement::default()
        };
        let json = serde_json::to_value(Statement::from(statement)).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "statement_id": null,
                "kind": "payload_withdrawn",
                "event_ids": ["07070707-0707-0707-0707-070707070707"],
                "reason": "menyebut nama",
                "legal_basis": "UU 27/2022",
                "said_by": null,
                "said_at": null,
                "waiting": ["36"],
                "provenance": null,
            })
        );
    }
}
