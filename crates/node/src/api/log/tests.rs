use posko_proto::{
    account::v1::{AddAccountRequest, Grant, LoginRequest, account_service_server::AccountService},
    common::v1::{CommandMeta, Hazard, Place, Role},
    federation::v1::{AcceptRiskRequest, node_service_server::NodeService},
    incident::v1::{
        AddNoteRequest, GetIncidentRequest, Note, ReportChannel, ReportIncidentRequest, Severity,
        incident_service_server::IncidentService,
    },
};
use tonic::Code;

use super::*;
use crate::{
    api::{
        draft::tests::person,
        node::tests::{asked_by, started},
    },
    peer::tests::{FEDERATION, Node},
};

fn meta(number: u8) -> CommandMeta {
    CommandMeta {
        command_id: vec![number; 16],
        ..CommandMeta::default()
    }
}

/// Makes a duty officer, and returns the token.
async fn duty_officer(api: &Api) -> String {
    let (login, password) = ("petugas", "kata sandi yang panjang");
    let request = AddAccountRequest {
        meta: Some(meta(1)),
        login: login.into(),
        password: password.into(),
        grants: vec![Grant {
            role: Role::DutyOfficer.into(),
            ..Grant::default()
        }],
    };
    let added = api.add_account(asked_by(request, "console")).await;
    added.unwrap();
    let request = LoginRequest {
        login: login.into(),
        password: password.into(),
    };
    let answer = api.login(Request::new(request)).await.unwrap();
    answer.into_inner().token
}

async fn notes(api: &Api, incident_id: &[u8], token: &str) -> Vec<Note> {
    let request = GetIncidentRequest {
        incident_id: incident_id.to_vec(),
        ..GetIncidentRequest::default()
    };
    let found = api.get_incident(asked_by(request, token)).await.unwrap();
    found.into_inner().notes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duty_officer_withdraws_a_note_and_everybody_sees_that_and_why() {
    let (mut node, api) = started().await;
    let token = duty_officer(&api).await;
    let report = ReportIncidentRequest {
        meta: Some(meta(2)),
        hazard: Hazard::Flood.into(),
        place: Some(Place {
            region_code: "31.72".into(),
            ..Place::default()
        }),
        severity: Severity::Minor.into(),
        channel: ReportChannel::Branch.into(),
        ..ReportIncidentRequest::default()
    };
    let reported = api.report_incident(asked_by(report, &token)).await.unwrap();
    let incident = reported.into_inner().outcome.unwrap().stream_id;
    let remark = AddNoteRequest {
        meta: Some(meta(3)),
        incident_id: incident.clone(),
        text: "Ibu Ratna Wulandari".into(),
    };
    api.add_note(asked_by(remark, &token)).await.unwrap();
    let written = notes(&api, &incident, &token).await.remove(0);
    let withdraw = |number| WithdrawPayloadRequest {
        meta: Some(meta(number)),
        stream_id: incident.clone(),
        event_id: written.event_id.clone(),
        reason: "menyebut nama".into(),
        legal_basis: "UU 27/2022 pasal 8".into(),
    };
    // It is a duty officer's decision, not the machine's administrator's.
    let refused = api.withdraw_payload(asked_by(withdraw(4), "console")).await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    // And of one who may decide there.
    let elsewhere = person(&api, 7, Role::DutyOfficer, "31.71").await;
    let refused = api
        .withdraw_payload(asked_by(withdraw(8), &elsewhere))
        .await;
    assert_eq!(
        refused.unwrap_err().message(),
        "`WithdrawPayload` is not allowed: `31.72` lies outside the area of the role"
    );
    let said = api.withdraw_payload(asked_by(withdraw(5), &token)).await;
    let said = said.unwrap().into_inner().outcome.unwrap();
    let [gone] = &notes(&api, &incident, &token).await[..] else {
        panic!("a note that is withdrawn is not absent");
    };
    assert_eq!((gone.text.as_str(), gone.withdrawn), ("", true));
    assert_eq!(gone.event_id, written.event_id);
    assert_eq!(gone.withdrawn_because, "menyebut nama");
    assert_eq!(gone.legal_basis, "UU 27/2022 pasal 8");

    let list = ListStatementsRequest {
        withdrawals_only: true,
        ..ListStatementsRequest::default()
    };
    let listed = api.list_statements(asked_by(list, &token)).await.unwrap();
    let [statement] = &listed.into_inner().statements[..] else {
        panic!("one was made");
    };
    assert_eq!(statement.statement_id, said.stream_id);
    assert_eq!(statement.said_by, written.actor_ref);
    let again = api.withdraw_payload(asked_by(withdraw(6), &token)).await;
    assert_eq!(again.unwrap_err().code(), Code::FailedPrecondition);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_risk_is_accepted_by_a_person_with_a_reason_and_only_where_there_is_one() {
    let (mut node, api) = started().await;
    let token = duty_officer(&api).await;
    let accept = async |number, reason: &str, token: &str| {
        let request = AcceptRiskRequest {
            meta: Some(meta(number)),
            reason: reason.into(),
        };
        let answer = api.accept_risk(asked_by(request, token)).await;
        answer.unwrap_err().code()
    };
    assert_eq!(
        accept(2, "jaringan putus", "console").await,
        Code::PermissionDenied
    );
    assert_eq!(accept(3, " ", &token).await, Code::InvalidArgument);
    // Nothing waits.
    assert_eq!(
        accept(4, "jaringan putus", &token).await,
        Code::FailedPrecondition
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_it_staff_amend_the_log_and_only_what_is_wrong_with_it() {
    let (mut node, api) = started().await;
    let token = duty_officer(&api).await;
    let disown = |number| DisownRequest {
        meta: Some(meta(number)),
        event_ids: vec![vec![7; 16]],
        reason: "mesin uji".into(),
    };
    let refused = api.disown(asked_by(disown(2), &token)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let refused = api
        .disown(asked_by(disown(3), "console"))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let lost = DeclareLostRequest {
        meta: Some(meta(4)),
        event_ids: vec![vec![7; 16]],
        reason: "cadangan rusak".into(),
    };
    let refused = api.declare_lost(asked_by(lost, "console")).await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
    let gaps = api.list_gaps(asked_by(ListGapsRequest::default(), &token));
    assert_eq!(gaps.await.unwrap().into_inner().gaps, []);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_known_is_asked_of_anothers_log_and_of_a_time_that_has_been() {
    let (mut node, api) = started().await;
    let other = Node::new("32", FEDERATION).await;
    node.accept(&other.card);
    let ask = async |origin: &str, at: Millis| {
        let request = GetKnownRequest {
            origin: origin.into(),
            at: Some(at.into()),
        };
        let asked = api.get_known(asked_by(request, "console")).await;
        asked.map(Response::into_inner)
    };
    let nothing = ask("32", now()).await.unwrap();
    assert_eq!((nothing.position, nothing.first_arrival), (None, None));
    assert!(!nothing.behind_known);
    let refused = ask("31", now()).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let later = Millis(now().0 + 60_000);
    let refused = ask("32", later).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let refused = ask("36", now()).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    node.stop().await;
}
