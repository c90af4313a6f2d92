use posko_proto::{
    common::v1::{Hazard, Place, Role},
    incident::v1::{
        FigureSource, IncidentNeedMet, IncidentNeedSet, IncidentPostFilled, IncidentRelated, Post,
        Relation, Sector, Severity, Unit,
    },
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
