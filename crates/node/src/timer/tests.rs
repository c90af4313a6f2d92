use posko_domain::{
    incident::IncidentCommand,
    region::{CODE_SET, Place},
    warning::{WarningCommand, stream_of},
};
use posko_proto::{
    common::v1::{CommandMeta, Hazard},
    incident::v1::{
        ChangeIncidentRequest, EscalationLevel, IncidentEscalated, ReportChannel, Severity,
        change_incident_request,
    },
    warning::v1::{AlertStatus, Content, Source},
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

#[tokio::test]
async fn the_end_of_a_warning_is_told_once_at_its_time_also_after_a_restart_and_a_clock_set_back() {
    let mut node = Node::new("32", FEDERATION).await;
    let content = Content {
        status: AlertStatus::Actual.into(),
        hazard: Hazard::Flood.into(),
        sent_at: Some(START.into()),
        expires_at: Some(START.plus_seconds(600).into()),
        ..Content::default()
    };
    let command = WarningCommand::take(Source::Manual, "BPBD", "1", content).unwrap();
    let automatic = Automatic {
        command_id: None,
        stream: stream_of(Source::Manual, "1"),
        now: START,
        exercise: false,
        command: Command::Warning(command),
    };
    automatic::execute(&node.store, &node.disk.subscribe(), automatic)
        .await
        .unwrap();

    let mut told_until = START;
    let mut told = Vec::new();
    for seconds in [0, 599, 600, 601, 30, 900] {
        let ended = end(&node.store, &mut told_until, START.plus_seconds(seconds))
            .await
            .unwrap();
        told.push((ended.warnings.len(), ended.next));
    }
    let end_at = Some(START.plus_seconds(600));
    assert_eq!(
        told,
        [
            (0, end_at),
            (0, end_at),
            (1, None),
            (0, None),
            (0, None),
            (0, None)
        ],
        "once, and not again when the clock goes back"
    );
    node.reopen();
    let mut told_until = START.plus_seconds(900);
    let ended = end(&node.store, &mut told_until, START.plus_seconds(901)).await;
    assert_eq!(
        ended.unwrap().warnings.len(),
        0,
        "what ended before the start is not told again"
    );
}
