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
    warning::v1::{AlertStatus, Content, FeedHealth, Source},
};

use super::*;
use crate::{
    intake::{FeedConfig, FeedKind},
    peer::tests::{FEDERATION, Node},
};

const START: Millis = Millis(1_767_589_800_000);

async fn give(node: &Node, stream: Id, command: IncidentCommand, at: Millis) {
    let automatic = Automatic {
        command_id: None,
        digest: [0; 32],
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

fn escalate(level: EscalationLevel) -> IncidentCommand {
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

/// Records a warning that ends at a time.
async fn take(node: &Node, identifier: &str, ends: Millis) {
    let content = Content {
        status: AlertStatus::Actual.into(),
        hazard: Hazard::Flood.into(),
        sent_at: Some(START.into()),
        expires_at: Some(ends.into()),
        ..Content::default()
    };
    let command = WarningCommand::take(Source::Manual, "BPBD", identifier, content).unwrap();
    let automatic = Automatic {
        command_id: None,
        digest: [0; 32],
        stream: stream_of(Source::Manual, identifier),
        now: START,
        exercise: false,
        command: Command::Warning(command),
    };
    automatic::execute(&node.store, &node.disk.subscribe(), automatic)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_call_that_nobody_answers_goes_up_once_at_its_time_also_after_a_restart_and_a_clock_set_back()
 {
    let mut node = Node::new("32", FEDERATION).await;
    let incident = Id([1; 16]);
    let minute = |minutes: i64| START.plus_seconds(minutes * 60);
    give(&node, incident, report(), minute(0)).await;
    give(
        &node,
        incident,
        escalate(EscalationLevel::Branch),
        minute(1),
    )
    .await;

    let disk = node.disk.subscribe();
    assert_eq!(
        call(&node.store, &disk, minute(15)).await.unwrap(),
        Some(minute(16))
    );
    assert_eq!(called(&node, incident), (EscalationLevel::Branch, 2));
    call(&node.store, &disk, minute(16)).await.unwrap();
    assert_eq!(called(&node, incident), (EscalationLevel::Province, 3));

    node.reopen();
    for at in [minute(16), minute(2), minute(17)] {
        assert_eq!(
            call(&node.store, &disk, at).await.unwrap(),
            Some(minute(46))
        );
    }
    assert_eq!(
        called(&node, incident),
        (EscalationLevel::Province, 3),
        "it fired once"
    );
    call(&node.store, &disk, minute(50)).await.unwrap();
    assert_eq!(called(&node, incident), (EscalationLevel::Region, 4));
}

#[tokio::test]
async fn an_answered_call_and_an_incident_that_is_over_call_nobody() {
    let node = Node::new("32", FEDERATION).await;
    let incident = Id([1; 16]);
    give(&node, incident, report(), START).await;
    give(&node, incident, escalate(EscalationLevel::Branch), START).await;
    let rejected = IncidentCommand::Reject {
        duplicate_of: None,
        reason: posko_proto::incident::v1::RejectReason::Hoax,
        note: None,
    };
    give(&node, incident, rejected, START).await;
    let disk = node.disk.subscribe();
    assert_eq!(
        call(&node.store, &disk, START.plus_seconds(86_400))
            .await
            .unwrap(),
        None
    );
    assert_eq!(called(&node, incident), (EscalationLevel::Branch, 3));
}

#[tokio::test]
async fn the_end_of_a_warning_is_told_once_at_its_time_also_after_a_restart_and_a_clock_set_back() {
    let mut node = Node::new("32", FEDERATION).await;
    take(&node, "1", START.plus_seconds(600)).await;
    let mut told = Vec::new();
    for (seconds, restarts) in [
        (0, false),
        (599, true),
        (30, false),
        (600, false),
        (601, false),
        (30, true),
        (900, false),
    ] {
        if restarts {
            node.reopen();
        }
        let at = START.plus_seconds(seconds);
        let ended = ended(&node.store, at).unwrap();
        assert_eq!(end(&node.store, at).await.unwrap(), ended.next);
        told.push((ended.identifiers.len(), ended.next));
    }
    let end_at = Some(START.plus_seconds(600));
    assert_eq!(
        told,
        [
            (0, end_at),
            (0, end_at),
            (0, end_at),
            (1, None),
            (0, None),
            (0, None),
            (0, None)
        ],
        "once, and not again when the clock goes back or the node starts again"
    );
}

#[tokio::test]
async fn what_ended_while_the_node_was_down_is_told_once_when_it_is_up_again_however_many_at_one_time()
 {
    let mut node = Node::new("32", FEDERATION).await;
    end(&node.store, START).await.unwrap();
    for number in 0..250 {
        take(&node, &number.to_string(), START.plus_seconds(600)).await;
    }
    node.reopen();
    let up = START.plus_seconds(7_200);
    assert_eq!(ended(&node.store, up).unwrap().identifiers.len(), 250);
    end(&node.store, up).await.unwrap();
    node.reopen();
    assert_eq!(
        ended(&node.store, up).unwrap().identifiers,
        [""; 0],
        "they were told"
    );
}

/// A node with a feed of a minute's period that nothing but this test asks.
struct Fed {
    node: Node,
    feeds: Watched,
}

impl Fed {
    fn new(node: Node, at: Millis) -> Self {
        let config = FeedConfig {
            name: "katulampa".into(),
            kind: FeedKind::Gauges {
                expected: Vec::new(),
            },
            url: "http://127.0.0.1/".into(),
            period: Duration::from_mins(1),
        };
        let before = feed::recorded(&node.store).unwrap();
        Self {
            feeds: Watched::new(&[config], &before, at),
            node,
        }
    }

    /// Starts the node again with the same feed.
    fn restart(mut self, at: Millis) -> Self {
        self.node.reopen();
        Self::new(self.node, at)
    }

    fn answers(&self, at: Millis) {
        self.feeds.note("katulampa", |record| record.succeeded(at));
    }

    fn fails(&self, at: Millis) {
        let error = String::from("status `500`");
        self.feeds
            .note("katulampa", |record| record.failed(at, error));
    }

    /// Fires what is due; returns when the next is, and what is recorded of the feed, with how many events.
    async fn turn(&self, at: Millis) -> (Option<Millis>, Option<(FeedHealth, Millis, u32)>) {
        let (store, disk) = (&self.node.store, self.node.disk.subscribe());
        let next = feed::turn(store, &disk, &self.feeds, at).await.unwrap();
        let recorded = store.feeds().unwrap().into_iter().next().map(|feed| {
            let since = feed.state.said.since.as_ref().unwrap();
            let since = Millis::try_from(since).unwrap();
            (feed.state.said.health(), since, feed.state.version)
        });
        (next, recorded)
    }
}

#[tokio::test]
async fn a_feed_is_recorded_late_and_dead_once_at_its_time_also_after_a_restart_and_a_clock_set_back()
 {
    let minute = |minutes: i64| START.plus_seconds(minutes * 60);
    let just_after = |minutes: i64| Millis(minute(minutes).0 + 1);
    let fed = Fed::new(Node::new("32", FEDERATION).await, minute(0));
    assert_eq!(fed.turn(minute(0)).await, (None, None), "not asked yet");
    fed.answers(minute(0));
    let ok = Some((FeedHealth::Ok, minute(0), 1));
    assert_eq!(fed.turn(minute(0)).await, (Some(just_after(2)), ok));
    fed.answers(minute(1));
    assert_eq!(fed.turn(minute(1)).await, (Some(just_after(3)), ok));

    fed.fails(minute(2));
    let late = Some((FeedHealth::Late, minute(3), 2));
    for at in [just_after(3), minute(4), minute(1)] {
        assert_eq!(fed.turn(at).await.1, late);
    }
    let fed = fed.restart(minute(6));
    assert_eq!(fed.turn(minute(6)).await.1, late);
    fed.fails(minute(6));
    assert_eq!(fed.turn(minute(6)).await, (Some(just_after(11)), late));

    let dead = Some((FeedHealth::Dead, minute(11), 3));
    for at in [just_after(11), minute(2), minute(30)] {
        assert_eq!(fed.turn(at).await.1, dead);
    }
    let fed = fed.restart(minute(60));
    fed.fails(minute(60));
    assert_eq!(fed.turn(minute(61)).await.1, dead);
    fed.answers(minute(62));
    let ok = Some((FeedHealth::Ok, minute(62), 4));
    assert_eq!(fed.turn(minute(62)).await.1, ok);
}

#[tokio::test]
async fn a_feed_that_is_gone_from_the_configuration_is_asked_no_more() {
    let fed = Fed::new(Node::new("32", FEDERATION).await, START);
    fed.answers(START);
    fed.turn(START).await;
    let feeds = Watched::new(&[], &[], START);
    let (store, disk) = (&fed.node.store, fed.node.disk.subscribe());
    feed::turn(store, &disk, &feeds, START).await.unwrap();
    assert!(store.feeds().unwrap().is_empty());
    fed.answers(START);
    let again = Some((FeedHealth::Ok, START, 3));
    assert_eq!(fed.turn(START).await.1, again, "it came back");
}
