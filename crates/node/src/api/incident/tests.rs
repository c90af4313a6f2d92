use posko_proto::{
    common::v1::{Hazard, Place, Role},
    incident::v1::{
        FigureSource, IncidentNeedMet, IncidentNeedSet, IncidentPostFilled, IncidentRelated, Post,
        Relation, Sector, Severity, Unit,
    },
    site::v1::{Kind, OpenSiteRequest, SiteOpened, site_service_server::SiteService},
    warning::v1::{Channel, ReportWarningRequest, warning_service_server::WarningService},
};
use tonic::Code;

use super::*;
use crate::api::{
    draft::tests::{frame, person},
    ims::tests::{asked, started},
};

fn drill(number: u8, exercise: bool) -> CommandMeta {
    CommandMeta {
        exercise,
        ..frame(number)
    }
}

/// Reports an incident, and returns its id.
async fn reported(api: &Api, token: &str, meta: CommandMeta) -> Vec<u8> {
    let request = ReportIncidentRequest {
        meta: Some(meta),
        hazard: Hazard::Flood.into(),
        place: Some(Place {
            region_code: "32.75".into(),
            ..Place::default()
        }),
        severity: Severity::Minor.into(),
        channel: wire::ReportChannel::Branch.into(),
        ..ReportIncidentRequest::default()
    };
    let answer = api.report_incident(asked(request, token)).await.unwrap();
    answer.into_inner().outcome.unwrap().stream_id
}

#[tokio::test]
async fn no_real_incident_ends_in_a_drill_in_itself_or_in_nothing() {
    let (_node, api) = started().await;
    let officer = person(&api, 1, Role::DutyOfficer, "").await;
    let real = reported(&api, &officer, frame(2)).await;
    let gladi = reported(&api, &officer, drill(3, true)).await;
    for (number, other, code, shown) in [
        (10, &gladi, Code::FailedPrecondition, "is an exercise"),
        (11, &real, Code::InvalidArgument, "no duplicate of itself"),
        (12, &vec![9; 16], Code::NotFound, "is not known here"),
    ] {
        let request = RejectIncidentRequest {
            meta: Some(frame(number)),
            incident_id: real.clone(),
            duplicate_of: other.clone(),
            ..RejectIncidentRequest::default()
        };
        let refused = api.reject_incident(asked(request, &officer)).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), code, "{refused}");
        assert!(refused.message().contains(shown), "{refused}");
    }
    for (number, exercise, of, other) in [(13, false, &real, &gladi), (14, true, &gladi, &real)] {
        let request = ChangeIncidentRequest {
            meta: Some(drill(number, exercise)),
            incident_id: of.clone(),
            change: Some(Change::Relate(IncidentRelated {
                relation: Relation::Parent.into(),
                origin: "32".into(),
                incident_id: other.clone(),
            })),
            ..ChangeIncidentRequest::default()
        };
        let refused = api.change_incident(asked(request, &officer)).await;
        assert_eq!(refused.unwrap_err().code(), Code::FailedPrecondition);
    }
}

#[tokio::test]
async fn nobody_holds_a_post_by_a_mistyped_account() {
    let (_node, api) = started().await;
    let officer = person(&api, 1, Role::DutyOfficer, "").await;
    let incident = reported(&api, &officer, frame(2)).await;
    let request = ChangeIncidentRequest {
        meta: Some(frame(3)),
        incident_id: incident,
        change: Some(Change::FillPost(IncidentPostFilled {
            post: Post::Commander.into(),
            account_ref: vec![7; 16],
        })),
        ..ChangeIncidentRequest::default()
    };
    let refused = api.change_incident(asked(request, &officer)).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound, "{refused}");
    assert!(refused.message().starts_with("account `"), "{refused}");
}

#[tokio::test]
async fn a_need_that_is_set_is_named_by_the_id_under_which_a_part_of_it_comes() {
    let (_node, api) = started().await;
    let officer = person(&api, 1, Role::DutyOfficer, "").await;
    let incident = reported(&api, &officer, frame(2)).await;
    let change = async |number, note: &str, change| {
        let request = ChangeIncidentRequest {
            meta: Some(frame(number)),
            incident_id: incident.clone(),
            note: note.into(),
            change: Some(change),
        };
        let answer = api.change_incident(asked(request, &officer)).await;
        answer.unwrap().into_inner().set_id
    };
    let need = Change::SetNeed(IncidentNeedSet {
        sector: Sector::Shelter.into(),
        quantity: 200,
        unit: Unit::Pieces.into(),
        ..IncidentNeedSet::default()
    });
    let set = change(3, "Terpal", need).await;
    let met = Change::MeetNeed(IncidentNeedMet {
        need_id: set.clone(),
        quantity: 80,
        source: FigureSource::Pmi.into(),
        ..IncidentNeedMet::default()
    });
    assert_eq!(change(4, "", met).await, Vec::<u8>::new());
    let request = GetIncidentRequest {
        incident_id: incident.clone(),
        ..GetIncidentRequest::default()
    };
    let held = api.get_incident(asked(request, &officer)).await.unwrap();
    let need = held.into_inner().incident.unwrap().needs.remove(0);
    assert_eq!((need.need_id, need.parts[0].quantity), (set, 80));
}

#[tokio::test]
async fn an_incident_with_something_open_is_closed_only_when_somebody_confirms() {
    let (_node, api) = started().await;
    let officer = person(&api, 1, Role::DutyOfficer, "").await;
    let incident = reported(&api, &officer, frame(2)).await;
    let site = OpenSiteRequest {
        meta: Some(frame(3)),
        site: Some(SiteOpened {
            incident_id: incident.clone(),
            kind: Kind::Evacuation.into(),
            name: "GOR Bekasi".into(),
            place: Some(Place {
                region_code: "32.75".into(),
                ..Place::default()
            }),
            capacity: 400,
        }),
    };
    let drill_site = OpenSiteRequest {
        meta: Some(drill(4, true)),
        ..site.clone()
    };
    let mixed = api.open_site(asked(drill_site, &officer)).await;
    assert_eq!(mixed.unwrap_err().code(), Code::FailedPrecondition);
    api.open_site(asked(site, &officer)).await.unwrap();
    let verify = VerifyIncidentRequest {
        meta: Some(frame(5)),
        incident_id: incident.clone(),
        source: FigureSource::Pmi.into(),
    };
    api.verify_incident(asked(verify, &officer)).await.unwrap();
    let activate = ActivateIncidentRequest {
        meta: Some(frame(6)),
        incident_id: incident.clone(),
        scale: wire::Scale::Medium.into(),
    };
    let activated = api.activate_incident(asked(activate, &officer)).await;
    activated.unwrap();
    let end = EndOperationRequest {
        meta: Some(frame(7)),
        incident_id: incident.clone(),
    };
    let ended = api.end_operation(asked(end, &officer)).await.unwrap();
    let left = ended.into_inner().unfinished.unwrap();
    assert_eq!(left.sites, ["GOR Bekasi"]);
    let close = |number, confirmed| CloseIncidentRequest {
        meta: Some(frame(number)),
        incident_id: incident.clone(),
        confirmed,
    };
    let refused = api.close_incident(asked(close(8, false), &officer)).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("GOR Bekasi"), "{refused}");
    let closed = api.close_incident(asked(close(10, true), &officer)).await;
    closed.unwrap();
    let request = ListTimelineRequest {
        incident_id: incident,
        ..ListTimelineRequest::default()
    };
    let told = api.list_timeline(asked(request, &officer)).await.unwrap();
    let told = told.into_inner().entries;
    let of_site = told.iter().find(|entry| entry.r#type == "SiteOpened");
    assert_eq!(of_site.unwrap().about, "GOR Bekasi");
}

#[tokio::test]
async fn a_parent_lists_its_parts_by_number_and_is_no_part_of_them() {
    let (_node, api) = started().await;
    let officer = person(&api, 1, Role::DutyOfficer, "").await;
    let parent = reported(&api, &officer, frame(2)).await;
    let part = reported(&api, &officer, frame(3)).await;
    let relate = |number, of: &[u8], other: &[u8]| ChangeIncidentRequest {
        meta: Some(frame(number)),
        incident_id: of.to_vec(),
        change: Some(Change::Relate(IncidentRelated {
            relation: Relation::Parent.into(),
            origin: "32".into(),
            incident_id: other.to_vec(),
        })),
        ..ChangeIncidentRequest::default()
    };
    let request = asked(relate(4, &part, &parent), &officer);
    api.change_incident(request).await.unwrap();
    let cycle = asked(relate(5, &parent, &part), &officer);
    let cycle = api.change_incident(cycle).await.unwrap_err();
    assert_eq!(cycle.code(), Code::FailedPrecondition);
    assert!(cycle.message().contains("part of this one"), "{cycle}");
    let shown = async |incident: &[u8]| {
        let request = GetIncidentRequest {
            incident_id: incident.to_vec(),
            ..GetIncidentRequest::default()
        };
        let shown = api.get_incident(asked(request, &officer)).await.unwrap();
        shown.into_inner()
    };
    let (above, below) = (shown(&parent).await, shown(&part).await);
    let number = |found: &GetIncidentResponse| found.incident.clone().unwrap().number;
    assert_eq!(above.children[0].number, number(&below));
    let related = below.incident.clone().unwrap().related;
    assert_eq!(related[0].number, number(&above));
}

#[tokio::test]
async fn a_report_raises_one_incident_and_a_real_one_no_drill() {
    let (_node, api) = started().await;
    let officer = person(&api, 1, Role::DutyOfficer, "").await;
    let place = Place {
        region_code: "32.75".into(),
        ..Place::default()
    };
    let told = ReportWarningRequest {
        meta: Some(frame(2)),
        channel: Channel::Telephone.into(),
        hazard: Hazard::Flood.into(),
        place: Some(place),
        ..ReportWarningRequest::default()
    };
    let told = api.report_warning(asked(told, &officer)).await.unwrap();
    let warning_id = told.into_inner().outcome.unwrap().stream_id;
    let open = async |meta, confirmed| {
        let request = ReportIncidentRequest {
            meta: Some(meta),
            warning_origin: "32".into(),
            warning_id: warning_id.clone(),
            confirmed,
            ..ReportIncidentRequest::default()
        };
        let answer = api.report_incident(asked(request, &officer)).await;
        answer.map(|opened| opened.into_inner().number)
    };
    let gladi = open(drill(3, true), false).await.unwrap_err();
    assert_eq!(gladi.code(), Code::FailedPrecondition, "{gladi}");
    assert!(gladi.message().contains("never raises a drill"), "{gladi}");
    let first = open(frame(4), false).await.unwrap();
    let gladi = open(drill(5, true), false).await.unwrap_err();
    assert!(gladi.message().contains("never raises a drill"), "{gladi}");
    let second = open(frame(6), false).await.unwrap_err();
    assert_eq!(second.code(), Code::FailedPrecondition, "{second}");
    assert!(second.message().contains(&first), "{second}");
    assert_ne!(open(frame(7), true).await.unwrap(), first);
}
