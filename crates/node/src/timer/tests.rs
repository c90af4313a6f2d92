use posko_domain::{
    incident::IncidentCommand,
    region::{CODE_SET, Place},
};
use posko_proto::{
    common::v1::{CommandMeta, Hazard},
    incident::v1::{
        ChangeIncidentRequest, EscalationLevel, IncidentEscalated, ReportChannel, Severity,
        change_incident_request,
    },
};

use super::*;
use crate::peer::tests::{FEDERATION, Node};

const START: Millis = Millis(1_767_589_800_000);

async fn give(node: &Node, stream: Id, command: IncidentCommand, at: Millis) {
    let automatic = Automatic {
        command_id: None,
        stream,
        now: at,
        exercise: false,
        command: Command::Incident(command),
    };
    automatic::execute(&node.store, &node.disk.subscribe(), automatic)
        .await
        .unwrap();
}

fn report() -> IncidentCommand {
    IncidentCommand::Report {
        hazard: Hazard::Flood,
        place: Place {
            region_code: "32.75".into(),
            point: None,
            code_set: CODE_SET.into(),
        },
        severity: Severity::Severe,
        channel: ReportChannel::Branch,
        warning: None,
        note: None,
    }
}

fn call(level: EscalationLevel) -> IncidentCommand {
    let escalated = IncidentEscalated {
        level: level.into(),
        ..IncidentEscalated::default()
    };
    IncidentCommand::try_from(&ChangeIncidentRequest {
        meta: Some(CommandMeta::default()),
        change: Some(change_incident_request::Change::Escalate(escalated)),
        ..ChangeIncidentRequest::default()
    })
    .unwrap()
}

/// The level that is called now, and the stream's version.
fn called(node: &Node, incident: Id) -> (EscalationLevel, u32) {
    let (found, _) = node.store.incident(Some(incident), "").unwrap().unwrap();
    let call = found.state.operation.escalation.unwrap();
    (call.level, found.state.version)
}

#[tokio::test]
async fn a_call_that_nobody_answers_goes_up_once_at_its_time_also_after_a_restart_and_a_clock_set_back()
 {
    let mut node = Node::new("32", FEDERATION).await;
    let incident = Id([1; 16]);
    let minute = |minutes: i64| START.plus_seconds(minutes * 60);
    give(&node, incident, report(), minute(0)).await;
    give(&node, incident, call(EscalationLevel::Branch), minute(1)).await;

    let disk = node.disk.subscribe();
    assert_eq!(
        fire(&node.store, &disk, minute(15)).await.unwrap(),
        Some(minute(16))
    );
    assert_eq!(called(&node, incident), (EscalationLevel::Branch, 2));
    fire(&node.store, &disk, minute(16)).await.unwrap();
    assert_eq!(called(&node, incident), (EscalationLevel::Province, 3));

    node.reopen();
    for at in [minute(16), minute(2), minute(17)] {
        assert_eq!(
            fire(&node.store, &disk, at).await.unwrap(),
            Some(minute(46))
        );
    }
    assert_eq!(
        called(&node, incident),
        (EscalationLevel::Province, 3),
        "it fired once"
    );
    fire(&node.store, &disk, minute(50)).await.unwrap();
    assert_eq!(called(&node, incident), (EscalationLevel::Region, 4));
}

#[tokio::test]
async fn an_answered_call_and_an_incident_that_is_over_call_nobody() {
    let node = Node::new("32", FEDERATION).await;
    let incident = Id([1; 16]);
    give(&node, incident, report(), START).await;
    give(&node, incident, call(EscalationLevel::Branch), START).await;
    let rejected = IncidentCommand::Reject {
        duplicate_of: None,
        reason: posko_proto::incident::v1::RejectReason::Hoax,
        note: None,
    };
    give(&node, incident, rejected, START).await;
    let disk = node.disk.subscribe();
    assert_eq!(
        fire(&node.store, &disk, START.plus_seconds(86_400))
            .await
            .unwrap(),
        None
    );
    assert_eq!(called(&node, incident), (EscalationLevel::Branch, 3));
}
