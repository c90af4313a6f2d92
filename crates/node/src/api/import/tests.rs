use posko_domain::incident::stream_of_record;
use posko_proto::{
    account::v1::{AddAccountRequest, Grant, LoginRequest, account_service_server::AccountService},
    common::v1::{CommandMeta, Hazard, Place, Role},
    incident::v1::{
        Figure, FigureSource, GetIncidentRequest, Incident, IncidentImported, ListIncidentsRequest,
        Measure, Note, PublishedRecord, ReportChannel, ReportIncidentRequest, Status as Stands,
        TimePrecision, incident_service_server::IncidentService,
    },
    log::v1::{WithdrawPayloadRequest, log_service_server::LogService},
    time::Millis,
};
use tokio::sync::watch;
use tonic::Code;

use super::*;
use crate::{
    api::node::tests::{api_of, asked_by as asked},
    peer::tests::{FEDERATION, Node},
};

async fn started() -> (Node, Api) {
    let mut node = Node::new("32", FEDERATION).await;
    node.start();
    let api = api_of(&node, watch::channel(0).1);
    (node, api)
}

fn meta(id: u8) -> CommandMeta {
    CommandMeta {
        command_id: vec![id; 16],
        ..CommandMeta::default()
    }
}

/// Makes an account of a role in an area, and returns its token.
async fn employed(api: &Api, id: u8, role: Role, scope: &str) -> String {
    let (login, password) = (format!("petugas-{id}"), "kata sandi yang panjang");
    let request = AddAccountRequest {
        meta: Some(meta(id)),
        login: login.clone(),
        password: password.into(),
        grants: vec![Grant {
            role: role.into(),
            scope: scope.into(),
            ..Grant::default()
        }],
    };
    api.add_account(asked(request, "console")).await.unwrap();
    let password = password.into();
    let login = LoginRequest { login, password };
    api.login(Request::new(login))
        .await
        .unwrap()
        .into_inner()
        .token
}

fn row(number: u64, region: &str, events: u64, note: &str) -> ImportedRow {
    let from = Millis(1_609_434_000_000);
    ImportedRow {
        row: number,
        imported: Some(IncidentImported {
            hazard: Hazard::Flood.into(),
            place: Some(Place {
                region_code: region.into(),
                ..Place::default()
            }),
            figures: vec![Figure {
                measure: Measure::Dead.into(),
                count: 0,
                ..Figure::default()
            }],
            source: FigureSource::Government.into(),
            record: Some(PublishedRecord {
                publisher: "Contoh".into(),
                dataset: "Banjir".into(),
                record_id: number.to_string(),
                from: Some(from.into()),
                until: Some(from.plus_seconds(86_400).into()),
                precision: TimePrecision::Day.into(),
                events: Some(events),
                ..PublishedRecord::default()
            }),
        }),
        note: note.into(),
    }
}

async fn take(
    api: &Api,
    token: &str,
    rows: &[ImportedRow],
) -> Result<ImportIncidentsResponse, Status> {
    let mut counted = ImportIncidentsResponse::default();
    let metadata = asked((), token).metadata().clone();
    let request = ImportIncidentsRequest {
        rows: rows.to_vec(),
        text_as_is: false,
    };
    api.take_rows(&metadata, request, &mut counted)
        .await
        .map(|()| counted)
}

async fn listed(api: &Api, token: &str, filter: ListIncidentsRequest) -> Vec<Incident> {
    api.list_incidents(asked(filter, token))
        .await
        .unwrap()
        .into_inner()
        .incidents
}

fn id(number: u64) -> Vec<u8> {
    stream_of_record("Contoh", "Banjir", &number.to_string()).to_vec()
}

async fn shown(api: &Api, token: &str, number: u64) -> (Incident, Vec<Note>) {
    let request = GetIncidentRequest {
        incident_id: id(number),
        number: String::new(),
    };
    let found = api
        .get_incident(asked(request, token))
        .await
        .unwrap()
        .into_inner();
    (found.incident.unwrap(), found.notes)
}

#[tokio::test]
async fn records_are_taken_once_and_corrected_when_they_change() {
    let (node, api) = started().await;
    let token = employed(&api, 1, Role::DutyOfficer, "32").await;
    let rows: Vec<ImportedRow> = (1..=40)
        .map(|number| row(number, "32.01", 3, "Air surut"))
        .collect();
    let first = take(&api, &token, &rows).await.unwrap();
    assert_eq!(
        (first.recorded, first.corrected, first.unchanged),
        (40, 0, 0)
    );
    let entries = node.store.log(api.own()).unwrap().end.seq;
    let again = take(&api, &token, &rows).await.unwrap();
    assert_eq!((again.recorded, again.unchanged), (0, 40));
    assert_eq!(
        node.store.log(api.own()).unwrap().end.seq,
        entries,
        "nothing is written twice"
    );
    let mut changed = rows.clone();
    changed[4] = row(5, "32.01", 4, "Air surut");
    let corrected = take(&api, &token, &changed).await.unwrap();
    assert_eq!(
        (corrected.recorded, corrected.corrected, corrected.unchanged),
        (0, 1, 39)
    );
    let (incident, notes) = shown(&api, &token, 5).await;
    assert_eq!((incident.record.unwrap().events, notes.len()), (Some(4), 1));
    // Back to what it said first is a correction too.
    let back = take(&api, &token, &rows).await.unwrap();
    assert_eq!((back.corrected, back.unchanged), (1, 39));
    assert_eq!(
        shown(&api, &token, 5).await.0.record.unwrap().events,
        Some(3)
    );
}

#[tokio::test]
async fn a_historical_incident_has_no_number_and_is_in_no_list_of_today() {
    let (_node, api) = started().await;
    let token = employed(&api, 1, Role::DutyOfficer, "32").await;
    take(
        &api,
        &token,
        &[row(1, "32.75", 1, ""), row(2, "32.01", 1, "")],
    )
    .await
    .unwrap();
    let report = ReportIncidentRequest {
        meta: Some(meta(9)),
        hazard: Hazard::Flood.into(),
        place: Some(Place {
            region_code: "32.75".into(),
            ..Place::default()
        }),
        channel: ReportChannel::Branch.into(),
        ..ReportIncidentRequest::default()
    };
    let reported = api
        .report_incident(asked(report, &token))
        .await
        .unwrap()
        .into_inner();
    assert!(
        reported.number.ends_with("-000001"),
        "records take no number: {}",
        reported.number
    );
    let today = listed(&api, &token, ListIncidentsRequest::default()).await;
    assert_eq!(
        today
            .iter()
            .map(|incident| incident.number.as_str())
            .collect::<Vec<_>>(),
        [&reported.number]
    );
    let open = ListIncidentsRequest {
        open_only: true,
        ..ListIncidentsRequest::default()
    };
    assert_eq!(listed(&api, &token, open).await.len(), 1);
    let past = ListIncidentsRequest {
        historical: true,
        ..ListIncidentsRequest::default()
    };
    let past_all = listed(&api, &token, past.clone()).await;
    assert_eq!(past_all.len(), 2);
    assert!(
        past_all
            .iter()
            .all(|incident| incident.status() == Stands::Historical && incident.number.is_empty())
    );
    let in_zone = ListIncidentsRequest {
        zone_id: "Z1".into(),
        ..past.clone()
    };
    assert_eq!(
        listed(&api, &token, in_zone).await.len(),
        1,
        "Kota Bekasi is in Z1, and its notices stay empty"
    );
    let in_region = ListIncidentsRequest {
        region_code: "32.01".into(),
        ..past
    };
    assert_eq!(listed(&api, &token, in_region).await.len(), 1);
}

#[tokio::test]
async fn who_may_not_or_may_not_there_takes_nothing() {
    let (_node, api) = started().await;
    let bekasi = employed(&api, 1, Role::DutyOfficer, "32.75").await;
    let it = employed(&api, 2, Role::It, "").await;
    let refused = take(
        &api,
        &bekasi,
        &[row(1, "32.75", 1, ""), row(7, "32.01", 1, "")],
    )
    .await
    .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(
        refused.message().starts_with("row `7`: "),
        "{}",
        refused.message()
    );
    for token in [it.as_str(), "console"] {
        let refused = take(&api, token, &[row(1, "32.75", 1, "")])
            .await
            .unwrap_err();
        assert_eq!(
            refused.code(),
            Code::PermissionDenied,
            "facts of the province are not IT's"
        );
    }
}

#[tokio::test]
async fn what_is_wrong_is_refused_with_its_row_and_can_be_sent_again_once_it_is_right() {
    let (_node, api) = started().await;
    let token = employed(&api, 1, Role::DutyOfficer, "32").await;
    let mut future = row(3, "32.01", 1, "");
    let record = future.imported.as_mut().unwrap().record.as_mut().unwrap();
    record.from = Some(now().plus_seconds(86_400).into());
    record.until = Some(now().plus_seconds(2 * 86_400).into());
    for (wrong, says) in [
        (future, "future"),
        (row(4, "31.71", 1, ""), "does not lie in province"),
        (row(5, "32.99", 1, ""), "no region"),
        (
            ImportedRow {
                imported: None,
                ..row(6, "32.01", 1, "")
            },
            "must be given",
        ),
        (row(7, "32.01", 1, &"x".repeat(4001)), "4,000"),
    ] {
        let number = wrong.row;
        let refused = take(&api, &token, &[wrong]).await.unwrap_err();
        assert!(
            refused.message().starts_with(&format!("row `{number}`: ")),
            "{}",
            refused.message()
        );
        assert!(refused.message().contains(says), "{}", refused.message());
        if number != 4 && number != 5 {
            let right = take(&api, &token, &[row(number, "32.01", 1, "")])
                .await
                .unwrap();
            assert_eq!(right.recorded, 1, "no refusal is remembered for the record");
        }
    }
    let twice = take(
        &api,
        &token,
        &[row(8, "32.01", 1, ""), row(8, "32.01", 2, "")],
    )
    .await
    .unwrap_err();
    assert!(twice.message().contains("same request"));
    let many: Vec<ImportedRow> = (0..501).map(|number| row(number, "32.01", 1, "")).collect();
    assert!(
        take(&api, &token, &many)
            .await
            .unwrap_err()
            .message()
            .contains("500")
    );
}

#[tokio::test]
async fn a_record_of_no_event_becomes_nothing_and_a_withdrawn_text_does_not_come_back() {
    let (_node, api) = started().await;
    let token = employed(&api, 1, Role::DutyOfficer, "32").await;
    let none = take(&api, &token, &[row(1, "32.01", 0, "")]).await.unwrap();
    assert_eq!((none.recorded, none.empty), (0, 1));
    take(&api, &token, &[row(2, "32.01", 1, "Rumah milik seseorang")])
        .await
        .unwrap();
    let (_, notes) = shown(&api, &token, 2).await;
    let withdraw = WithdrawPayloadRequest {
        meta: Some(meta(8)),
        stream_id: id(2),
        event_id: notes[0].event_id.clone(),
        reason: "Menyebut orang".into(),
        legal_basis: "UU 27/2022".into(),
    };
    api.withdraw_payload(asked(withdraw, &token)).await.unwrap();
    let again = take(&api, &token, &[row(2, "32.01", 1, "Rumah milik seseorang")])
        .await
        .unwrap();
    assert_eq!((again.unchanged, again.texts_withdrawn), (1, 1));
    let (_, notes) = shown(&api, &token, 2).await;
    assert!(
        notes
            .iter()
            .all(|note| note.withdrawn && note.text.is_empty()),
        "{notes:?}"
    );
}
