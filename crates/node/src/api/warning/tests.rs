use posko_proto::{
    common::v1::{CommandMeta, Hazard, Place, Role},
    incident::v1::{
        AddNoteRequest, ReportChannel, ReportIncidentRequest, Severity,
        incident_service_server::IncidentService,
    },
    warning::v1::{AlertStatus, Area, Content, DraftKind, FeltPlace},
};
use tonic::Code as Answer;

use super::*;
use crate::api::{
    draft::tests::{frame, person},
    ims::tests::{asked, started},
};

fn typed(number: u8, codes: &[&str]) -> RecordWarningRequest {
    let area = |code: &&str| Area {
        region_codes: vec![(*code).into()],
        ..Area::default()
    };
    // Words alone say where a warning without a code holds, and nobody knows them.
    let elsewhere = Area {
        description: "di suatu tempat".into(),
        ..Area::default()
    };
    RecordWarningRequest {
        meta: Some(frame(number)),
        publisher: "BPBD Jawa Barat".into(),
        identifier: String::new(),
        content: Some(Content {
            status: AlertStatus::Actual.into(),
            hazard: Hazard::Flood.into(),
            sent_at: Some(now().into()),
            headline: "Waspada banjir".into(),
            areas: codes.iter().map(area).chain([elsewhere]).collect(),
            ..Content::default()
        }),
    }
}

fn cancel(number: u8, warning_id: &[u8]) -> CancelWarningRequest {
    CancelWarningRequest {
        meta: Some(frame(number)),
        warning_id: warning_id.to_vec(),
        note: "Salah dengar".into(),
    }
}

/// Records a warning, and returns its id.
async fn recorded(
    api: &Api,
    token: &str,
    request: RecordWarningRequest,
) -> Result<Vec<u8>, Answer> {
    let answer = api.record_warning(asked(request, token)).await;
    let answer = answer.map_err(|status| status.code())?;
    Ok(answer.into_inner().outcome.unwrap().stream_id)
}

#[tokio::test]
async fn a_warning_is_recorded_and_taken_back_only_where_the_role_holds() {
    let (_node, api) = started().await;
    let everywhere = person(&api, 1, Role::DutyOfficer, "").await;
    let bekasi = person(&api, 2, Role::DutyOfficer, "32.75").await;
    let zone = person(&api, 3, Role::DutyOfficer, "Z1").await;
    let province = person(&api, 4, Role::DutyOfficer, "32").await;

    let own = recorded(&api, &bekasi, typed(10, &["32.75"]))
        .await
        .unwrap();
    for (number, codes) in [
        (11, &["32.04"][..]),
        (12, &["32.75", "32.04"]),
        (13, &["32"]),
        (14, &[]),
        (18, &["31.74"]),
        (19, &["32.75", "31.74"]),
    ] {
        let refused = recorded(&api, &bekasi, typed(number, codes)).await;
        assert_eq!(refused, Err(Answer::PermissionDenied), "{codes:?}");
    }
    assert!(recorded(&api, &zone, typed(15, &["32.75"])).await.is_ok());
    let refused = recorded(&api, &zone, typed(16, &["32.04"])).await;
    assert_eq!(refused, Err(Answer::PermissionDenied));
    // What comes down a river from the province does not end where the province does.
    let river = recorded(&api, &province, typed(30, &["32.75", "31.74"])).await;
    let cancelled = api.cancel_warning(asked(cancel(31, &river.unwrap()), &province));
    assert!(cancelled.await.is_ok());
    assert!(recorded(&api, &province, typed(32, &[])).await.is_ok());
    let mut felt = typed(17, &["32.75"]);
    felt.content.as_mut().unwrap().felt_places = vec![FeltPlace {
        name: "Bandung".into(),
        region_code: "32.04".into(),
        ..FeltPlace::default()
    }];
    let refused = recorded(&api, &bekasi, felt).await;
    assert_eq!(refused, Err(Answer::PermissionDenied));

    let all = recorded(&api, &everywhere, typed(20, &["32.75", "32.04"])).await;
    let all = all.unwrap();
    let refused = api.cancel_warning(asked(cancel(21, &all), &bekasi)).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Answer::PermissionDenied);
    let said = "`CancelWarning` is not allowed: `32.04` lies outside the area of the role";
    assert_eq!(refused.message(), said);
    // Nor is it moved away from where the role does not hold.
    let moved = RecordWarningRequest {
        identifier: Id([20; 16]).to_string(),
        ..typed(22, &["32.75"])
    };
    let refused = recorded(&api, &bekasi, moved).await;
    assert_eq!(refused, Err(Answer::PermissionDenied));
    for (number, warning, token) in [(23, &own, &bekasi), (24, &all, &everywhere)] {
        let cancelled = api.cancel_warning(asked(cancel(number, warning), token));
        assert!(cancelled.await.is_ok());
    }
}

#[tokio::test]
async fn a_draft_moves_no_warning_away_from_where_the_role_does_not_hold() {
    let (_node, api) = started().await;
    let author = person(&api, 1, Role::DutyOfficer, "").await;
    let second = person(&api, 2, Role::DutyOfficer, "").await;
    let bekasi = person(&api, 3, Role::DutyOfficer, "32.75").await;
    let drafted = |number: u8, region: &str| DraftWarningRequest {
        meta: Some(frame(number)),
        kind: DraftKind::Issue.into(),
        template: "banjir".into(),
        regions: vec![region.into()],
        content: Some(Content {
            severity: wire::Severity::Severe.into(),
            expires_at: Some(now().plus_seconds(3600).into()),
            ..Content::default()
        }),
        level: "Siaga I".into(),
        observed: "TMA 220 cm".into(),
        ..DraftWarningRequest::default()
    };
    let approve = |number: u8, draft: Vec<u8>| ApproveDraftRequest {
        meta: Some(frame(number)),
        draft_id: draft,
    };
    let draft = async |token: &str, request: DraftWarningRequest| {
        let answer = WarningService::draft_warning(&api, asked(request, token)).await;
        answer.map(|answer| answer.into_inner().outcome.unwrap().stream_id)
    };
    let first = draft(&author, drafted(10, "32.04")).await.unwrap();
    let issued = api.approve_draft(asked(approve(11, first), &second)).await;
    let warning = issued.unwrap().into_inner().warning_id;

    let moved = |number: u8| DraftWarningRequest {
        kind: DraftKind::Update.into(),
        warning_id: warning.clone(),
        ..drafted(number, "32.75")
    };
    let refused = draft(&bekasi, moved(12)).await.unwrap_err();
    assert_eq!(refused.code(), Answer::PermissionDenied);
    let update = draft(&author, moved(13)).await.unwrap();
    let refused = api.approve_draft(asked(approve(14, update.clone()), &bekasi));
    assert_eq!(refused.await.unwrap_err().code(), Answer::PermissionDenied);
    let approved = api.approve_draft(asked(approve(15, update), &second));
    assert!(approved.await.is_ok());
}

#[tokio::test]
async fn a_report_is_verified_by_an_incident_only_where_the_role_holds() {
    let (_node, api) = started().await;
    let everywhere = person(&api, 1, Role::DutyOfficer, "").await;
    let bekasi = person(&api, 2, Role::Volunteer, "32.75").await;
    let at = |code: &str| Place {
        region_code: code.into(),
        ..Place::default()
    };
    let told = ReportWarningRequest {
        meta: Some(frame(10)),
        channel: Channel::Telephone.into(),
        hazard: Hazard::Flood.into(),
        place: Some(at("32.04")),
        ..ReportWarningRequest::default()
    };
    let report = api.report_warning(asked(told, &everywhere)).await.unwrap();
    let report = report.into_inner().outcome.unwrap().stream_id;
    let opened = |number: u8| ReportIncidentRequest {
        meta: Some(CommandMeta {
            command_id: vec![number; 16],
            ..CommandMeta::default()
        }),
        hazard: Hazard::Flood.into(),
        place: Some(at("32.75")),
        severity: Severity::Minor.into(),
        channel: ReportChannel::Warning.into(),
        warning_origin: "32".into(),
        warning_id: report.clone(),
        ..ReportIncidentRequest::default()
    };
    let refused = api.report_incident(asked(opened(11), &bekasi)).await;
    assert_eq!(refused.unwrap_err().code(), Answer::PermissionDenied);
    assert!(
        api.report_incident(asked(opened(12), &everywhere))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn what_looks_personal_is_asked_about_before_any_province_reads_it() {
    let (_node, api) = started().await;
    let officer = person(&api, 1, Role::DutyOfficer, "").await;
    let question = |at: u32| {
        format!(
            "every province would read what looks like a telephone number at character {at}: leave it out, or add \
             `--text-as-is` when it is none"
        )
    };
    let opened = |number: u8| ReportIncidentRequest {
        meta: Some(frame(number)),
        hazard: Hazard::Flood.into(),
        place: Some(Place {
            region_code: "32.75".into(),
            ..Place::default()
        }),
        channel: ReportChannel::Branch.into(),
        note: "Hubungi ０８１２-0000-0001".into(),
        ..ReportIncidentRequest::default()
    };
    let refused = api.report_incident(asked(opened(10), &officer)).await;
    let refused = refused.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (Answer::InvalidArgument, question(9).as_str())
    );
    // The same command is taken once somebody has looked.
    let looked_at = ReportIncidentRequest {
        meta: Some(CommandMeta {
            text_as_is: true,
            ..frame(10)
        }),
        ..opened(10)
    };
    let opened = api.report_incident(asked(looked_at, &officer)).await;
    let incident_id = opened.unwrap().into_inner().outcome.unwrap().stream_id;
    let note = AddNoteRequest {
        meta: Some(frame(11)),
        incident_id,
        text: "WA 0812 0000 0001".into(),
    };
    let refused = api.add_note(asked(note, &officer)).await.unwrap_err();
    assert_eq!(refused.message(), question(4));

    let mut warning = typed(12, &["32.75"]);
    warning.content.as_mut().unwrap().instruction = "Telepon 081200000001".into();
    let refused = api.record_warning(asked(warning, &officer)).await;
    assert_eq!(refused.unwrap_err().message(), question(9));
    let drafted = DraftWarningRequest {
        meta: Some(frame(13)),
        kind: DraftKind::Issue.into(),
        observed: "Pak A 081200000001".into(),
        ..DraftWarningRequest::default()
    };
    let refused = WarningService::draft_warning(&api, asked(drafted, &officer)).await;
    assert_eq!(refused.unwrap_err().message(), question(7));
}
