use posko_proto::{
    Id,
    common::v1::{CommandMeta, Hazard, Place as WirePlace},
    incident::v1::{AgeBand, IncidentReported, Priority, RejectReason, Sex},
    site::v1::{
        ChangeSiteRequest, Kind, NeedKind, OpenSiteRequest, People, SiteCapacitySet, SiteClosed,
        SiteNeedMet, SiteNeedSet, SiteOccupancyCounted, SiteOpened, SiteOutputReported,
        change_site_request::Change,
    },
    time::Millis,
};
use proptest::prelude::*;

use super::*;
use crate::{
    code::{Code, Rejection},
    context::{Context, Recorded},
    event::{Event, IncidentEvent, KINDS},
    incident::{self, IncidentCommand, IncidentState},
};

const NOW: Millis = Millis(1_669_012_200_000);
const INCIDENT: Id = Id([1; 16]);

fn context(minute: i64) -> Context {
    let now = NOW.plus_seconds(minute * 60);
    Context {
        node: "32".parse().unwrap(),
        now,
        occurred_at: now,
        exercise: false,
        last_number: 0,
    }
}

fn recorded(context: &Context, version: u32) -> Recorded {
    Recorded {
        origin: context.node,
        at: context.now,
        occurred_at: context.occurred_at,
        actor: Id([9; 16]),
        exercise: context.exercise,
        version,
    }
}

fn place(code: &str) -> WirePlace {
    WirePlace {
        region_code: code.into(),
        ..WirePlace::default()
    }
}

fn reported() -> IncidentState {
    let reported = IncidentEvent::Reported(IncidentReported {
        number: "PMI-32-2022-000001".into(),
        hazard: Hazard::Earthquake.into(),
        place: Some(place("32.03")),
        ..IncidentReported::default()
    });
    incident::apply(None, &reported, &recorded(&context(0), 1)).unwrap()
}

fn site() -> SiteOpened {
    SiteOpened {
        incident_id: INCIDENT.to_vec(),
        kind: Kind::Evacuation.into(),
        name: "SDN 3 Cugenang".into(),
        place: Some(place("32.03.22")),
        capacity: 300,
    }
}

fn open(site: SiteOpened) -> Result<SiteCommand, SiteRejection> {
    let request = OpenSiteRequest {
        meta: None,
        site: Some(site),
    };
    SiteCommand::parse_open(&request, Some(&reported()))
}

fn change(change: Change) -> Result<SiteCommand, SiteRejection> {
    SiteCommand::try_from(&ChangeSiteRequest {
        change: Some(change),
        ..ChangeSiteRequest::default()
    })
}

fn step(
    state: Option<SiteState>,
    command: &SiteCommand,
    context: &Context,
) -> Result<SiteState, SiteRejection> {
    let events = decide(state.as_ref(), command, context)?;
    let fold = |state: Option<SiteState>, event: &SiteEvent| {
        let version = state.as_ref().map_or(0, |state| state.version) + 1;
        Some(apply(state, event, &recorded(context, version)).unwrap())
    };
    Ok(events.iter().fold(state, fold).unwrap())
}

fn opened() -> SiteState {
    step(None, &open(site()).unwrap(), &context(0)).unwrap()
}

fn people(sex: Sex, age_band: AgeBand, count: u64) -> People {
    People {
        sex: sex.into(),
        age_band: age_band.into(),
        count,
    }
}

fn counted(people: Vec<People>, minute: i64) -> Change {
    Change::CountOccupancy(SiteOccupancyCounted {
        as_of: Some(NOW.plus_seconds(minute * 60).into()),
        people,
        ..SiteOccupancyCounted::default()
    })
}

fn everybody(count: u64) -> Vec<People> {
    vec![people(Sex::Unspecified, AgeBand::Unspecified, count)]
}

#[test]
fn a_site_is_opened_for_an_own_incident_that_is_not_over() {
    let state = opened();
    assert_eq!((state.incident, state.capacity), (INCIDENT, 300));
    assert_eq!(state.occupancy, None, "nobody has counted");
    let request = OpenSiteRequest {
        meta: None,
        site: Some(site()),
    };
    let unknown = SiteCommand::parse_open(&request, None).unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let rejected = IncidentCommand::Reject {
        duplicate_of: None,
        reason: RejectReason::Hoax,
        note: None,
    };
    let events = incident::decide(Some(&reported()), &rejected, &context(1)).unwrap();
    let over = incident::apply(Some(reported()), &events[0], &recorded(&context(1), 2)).unwrap();
    let over = SiteCommand::parse_open(&request, Some(&over)).unwrap_err();
    assert_eq!(over.code(), Code::Conflict);
    let elsewhere = open(SiteOpened {
        place: Some(place("31.71")),
        ..site()
    });
    let elsewhere = decide(None, &elsewhere.unwrap(), &context(0)).unwrap_err();
    assert!(matches!(elsewhere, SiteRejection::OutsideProvince { .. }));
}

#[test]
fn a_site_is_of_its_incidents_class_from_its_opening_on() {
    let context = |exercise| Context {
        exercise,
        ..context(0)
    };
    let capacity = change(Change::SetCapacity(SiteCapacitySet { capacity: 10 })).unwrap();
    for exercise in [false, true] {
        let incident = IncidentState {
            exercise,
            ..reported()
        };
        let open = |exercise| {
            let request = OpenSiteRequest {
                meta: Some(CommandMeta {
                    exercise,
                    ..CommandMeta::default()
                }),
                site: Some(site()),
            };
            SiteCommand::parse_open(&request, Some(&incident))
        };
        let mixed = open(!exercise).unwrap_err();
        assert_eq!(mixed.code(), Code::Conflict);
        let advice = if exercise {
            "add `--exercise`"
        } else {
            "leave out `--exercise`"
        };
        assert!(mixed.to_string().ends_with(advice), "{mixed}");
        let state = step(None, &open(exercise).unwrap(), &context(exercise)).unwrap();
        let mixed = decide(Some(&state), &capacity, &context(!exercise)).unwrap_err();
        assert!(mixed.to_string().ends_with(advice), "{mixed}");
        assert!(decide(Some(&state), &capacity, &context(exercise)).is_ok());
    }
}

#[test]
fn a_name_is_a_place_and_what_looks_personal_is_refused_without_being_repeated() {
    let names = [
        ("", false),
        (" ", false),
        ("SDN\u{202e} 3", false),
        ("SDN 3\nSDN 4", false),
        ("SDN 3", true),
    ];
    for (name, fits) in names {
        let name = name.to_owned();
        assert_eq!(open(SiteOpened { name, ..site() }).is_ok(), fits);
    }
    let personal = open(SiteOpened {
        name: "Rumah 0812-0000-0001".into(),
        ..site()
    });
    let personal = personal.unwrap_err().to_string();
    assert!(
        personal.contains("telephone") && !personal.contains("0812"),
        "{personal}"
    );
}

#[test]
fn a_count_names_everybody_its_parts_are_not_more_and_an_older_one_is_refused() {
    let state = step(
        Some(opened()),
        &change(counted(everybody(212), 5)).unwrap(),
        &context(5),
    )
    .unwrap();
    let older = change(counted(everybody(300), 4)).unwrap();
    let older = decide(Some(&state), &older, &context(6)).unwrap_err();
    assert!(matches!(older, SiteRejection::OlderFigure { .. }));
    let later = change(counted(everybody(300), 60)).unwrap();
    assert!(matches!(
        decide(Some(&state), &later, &context(6)),
        Err(SiteRejection::InFuture {
            field: "count_occupancy.as_of",
            ..
        })
    ));

    let women = people(Sex::Female, AgeBand::Unspecified, 120);
    let men = people(Sex::Male, AgeBand::Unspecified, 93);
    let bad = [
        vec![women],
        [everybody(212), vec![women, men]].concat(),
        [everybody(212), vec![women, women]].concat(),
        [everybody(212), everybody(212)].concat(),
        everybody(u64::MAX),
    ];
    for people in bad {
        assert_eq!(
            change(counted(people, 5)).unwrap_err().code(),
            Code::Invalid
        );
    }
    let fits = [everybody(213), vec![women, men]].concat();
    assert!(change(counted(fits, 5)).is_ok());
}

#[test]
fn a_need_is_met_in_parts_set_anew_and_gone_at_nought() {
    let set = |quantity, minute: i64| {
        change(Change::SetNeed(SiteNeedSet {
            kind: NeedKind::Blankets.into(),
            quantity,
            priority: Priority::High.into(),
            as_of: Some(NOW.plus_seconds(minute * 60).into()),
        }))
        .unwrap()
    };
    let arrival = change(Change::MeetNeed(SiteNeedMet {
        kind: NeedKind::Blankets.into(),
        quantity: 80,
    }))
    .unwrap();
    let none = decide(Some(&opened()), &arrival, &context(1)).unwrap_err();
    assert_eq!(none.code(), Code::NotFound);
    let asked = step(Some(opened()), &set(200, 1), &context(1)).unwrap();
    let met = step(Some(asked), &arrival, &context(2)).unwrap();
    assert_eq!((met.needs[0].asked, met.needs[0].met), (200, 80));
    let anew = step(Some(met.clone()), &set(150, 3), &context(3)).unwrap();
    assert_eq!((anew.needs[0].asked, anew.needs[0].met), (150, 0));
    assert!(
        step(Some(met), &set(0, 3), &context(3))
            .unwrap()
            .needs
            .is_empty()
    );
}

#[test]
fn a_closed_site_takes_nothing_and_what_changes_nothing_is_no_fact() {
    let close = change(Change::Close(SiteClosed {})).unwrap();
    let closed = step(Some(opened()), &close, &context(9)).unwrap();
    assert_eq!(closed.closed_at, Some(NOW.plus_seconds(540)));
    let count = change(counted(everybody(1), 5)).unwrap();
    assert_eq!(
        decide(Some(&closed), &count, &context(9)),
        Err(SiteRejection::Closed)
    );
    let same = change(Change::SetCapacity(SiteCapacitySet { capacity: 300 })).unwrap();
    assert_eq!(decide(Some(&opened()), &same, &context(1)), Ok(vec![]));
    assert_eq!(
        decide(None, &same, &context(1)),
        Err(SiteRejection::NotFound)
    );
    let drill = Context {
        exercise: true,
        ..context(1)
    };
    assert!(matches!(
        decide(Some(&opened()), &close, &drill),
        Err(SiteRejection::ExerciseMixed { site: false })
    ));
    let backwards = change(Change::ReportOutput(SiteOutputReported {
        from: Some(NOW.into()),
        until: Some(NOW.into()),
        quantity: 1,
    }));
    assert_eq!(backwards.unwrap_err().code(), Code::Invalid);
}

proptest! {
    /// Events as an owner may never have written them do not panic, and a state survives being kept.
    #[test]
    fn apply_takes_any_events_without_a_panic(
        events in prop::collection::vec((0..KINDS.len(), prop::collection::vec(any::<u8>(), 0..64), any::<i64>(), any::<bool>()), 0..20),
    ) {
        let mut state = Some(opened());
        for (at, bytes, time, exercise) in events {
            let kind = KINDS[at];
            let Ok(Event::Site(event)) = Event::decode(kind.type_id, kind.type_version, &bytes) else { continue };
            let recorded = Recorded { occurred_at: Millis(time), exercise, ..recorded(&context(0), 2) };
            let _ = apply(None, &event, &recorded);
            if let Ok(next) = apply(state.clone(), &event, &recorded) {
                let kept = postcard::to_stdvec(&next).unwrap();
                prop_assert_eq!(&postcard::from_bytes::<SiteState>(&kept).unwrap(), &next);
                state = Some(next);
            }
        }
    }
}
