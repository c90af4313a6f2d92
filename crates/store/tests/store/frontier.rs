//! What an envelope says of the other logs on which its decision depended.

use posko_domain::incident::WarningRef;
use posko_ledger::entry::Payload;
use posko_proto::{common::v1::Envelope, warning::v1::AlertStatus};
use prost::Message;

use super::*;

/// Returns what the last entry of a node's own log says of other logs.
pub(super) fn frontier(store: &Store, origin: &str) -> Vec<common::Position> {
    let page = store.page(node(origin), Position::START, 1000, 1 << 20, 3);
    let mut at = page.unwrap();
    let mut last = None;
    while !at.records.is_empty() {
        let end = at.head.unwrap().head.position;
        last = at.records.pop();
        at = store.page(node(origin), end, 1000, 1 << 20, 3).unwrap();
    }
    let Payload::Present { body, .. } = last.unwrap().payload else {
        panic!("the payload is not here");
    };
    Envelope::decode(body.as_slice()).unwrap().frontier
}

/// Returns how far a log is at a store, as an envelope says it.
pub(super) fn here(store: &Store, origin: &str) -> common::Position {
    let end = store.log(node(origin)).unwrap().end;
    common::Position {
        origin: origin.into(),
        epoch_no: end.epoch.no,
        epoch_nonce: end.epoch.nonce.to_vec(),
        seq: end.seq,
        hash: end.hash.to_vec(),
    }
}

/// Returns a report that came by a warning of a node.
fn from_warning_of(number: u32, origin: &str) -> Request {
    let mut request = report(number, "31.71");
    if let Command::Incident(IncidentCommand::Report {
        channel,
        warning,
        note,
        ..
    }) = &mut request.command
    {
        *channel = ReportChannel::Warning;
        *note = None;
        *warning = Some(WarningRef {
            origin: node(origin),
            id: Id([7; 16]),
            status: AlertStatus::Actual,
            hazard: Hazard::Flood,
            confirmed: true,
        });
    }
    request
}

#[test]
fn an_incident_from_anothers_warning_says_how_far_that_log_was_here() {
    let (dir, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (a, b) = (open(dir.path(), "31", 1), open(other.path(), "32", 1));
    accept(&a, "32");
    accepted(&a, from_warning_of(1, "32"));
    assert_eq!(frontier(&a, "31"), [], "nothing of it is here");

    accepted(&b, report(100, "32.75"));
    replicate(&b, &a, "32", 10);
    accepted(&a, from_warning_of(2, "32"));
    assert_eq!(frontier(&a, "31"), [here(&b, "32")]);

    accepted(&b, report(101, "32.75"));
    accepted(&a, from_warning_of(3, "32"));
    assert_eq!(frontier(&a, "31"), [here(&a, "32")], "what was here counts");

    accepted(&a, from_warning_of(4, "31"));
    assert_eq!(frontier(&a, "31"), [], "the own log is never in it");
    accepted(&a, report(5, "31.71"));
    assert_eq!(frontier(&a, "31"), []);
}
