//! The time line of an incident and the answers of its assessments: the same at its owner and at every replica.

use posko_domain::{
    event::{INCIDENT_ASSESSED, INCIDENT_NOTED, SITE_OCCUPANCY_COUNTED, SITE_OPENED},
    incident::{IncidentEvent, assessment::form},
    log::LogCommand,
    site::SiteCommand,
};
use posko_proto::{
    incident::v1::{
        Answer, AnswerInWords, AssessmentForm, AssessmentKind, ChangeIncidentRequest, Figure,
        FigureSource, IncidentAssessed, IncidentNeedSet, IncidentStepTaken, Measure,
        RecordImpactRequest, Sector, Step, SubmitAssessmentRequest, Unit, answer::Value,
        change_incident_request::Change as IncidentChange,
    },
    site::v1::{
        ChangeSiteRequest, Kind, OpenSiteRequest, People, SiteOccupancyCounted, SiteOpened,
        change_site_request::Change,
    },
};
use posko_store::view::{incident::MAX_NOTES, timeline::Presence};
use tempfile::tempdir;

use super::*;

fn other(number: u32, stream: Id, command: Command) -> Request {
    Request {
        command,
        ..request(number, stream, IncidentCommand::EndOperation)
    }
}

fn assess(number: u32, incident: Id) -> Request {
    let words = vec![AnswerInWords {
        question: "PMI-16".into(),
        text: "Sebagian besar lansia".into(),
    }];
    let asked = submission(number, incident, words);
    request(number, incident, IncidentCommand::try_from(&asked).unwrap())
}

fn submission(number: u32, incident: Id, words: Vec<AnswerInWords>) -> SubmitAssessmentRequest {
    SubmitAssessmentRequest {
        meta: Some(common::CommandMeta {
            command_id: command_id(number).to_vec(),
            ..Default::default()
        }),
        incident_id: incident.to_vec(),
        assessment: Some(IncidentAssessed {
            form: AssessmentForm::Pmi.into(),
            kind: AssessmentKind::Initial.into(),
            answers: vec![Answer {
                question: "PMI-8".into(),
                value: Some(Value::Number(120)),
            }],
            ..IncidentAssessed::default()
        }),
        words,
    }
}

/// Opens a site of the incident, and counts who is there.
fn site(store: &Store, number: u32, incident: Id) {
    let (found, _) = store.incident(Some(incident), "").unwrap().unwrap();
    let open = OpenSiteRequest {
        meta: None,
        site: Some(SiteOpened {
            incident_id: incident.to_vec(),
            kind: Kind::Evacuation.into(),
            name: "SDN 3".into(),
            place: Some(found.state.place.clone().into()),
            capacity: 0,
        }),
    };
    let open = SiteCommand::parse_open(&open, Some(&found.state)).unwrap();
    let stream = stream_of(command_id(number));
    accepted(store, other(number, stream, Command::Site(open)));
    let everybody = People {
        count: 100,
        ..People::default()
    };
    let count = ChangeSiteRequest {
        change: Some(Change::CountOccupancy(SiteOccupancyCounted {
            people: vec![everybody],
            ..SiteOccupancyCounted::default()
        })),
        ..ChangeSiteRequest::default()
    };
    let count = SiteCommand::try_from(&count).unwrap();
    accepted(store, other(number + 1, stream, Command::Site(count)));
}

/// An event of a time line: its number, its place in its log, whether it is here, and why not.
type Line = (u32, u64, Presence, bool);

fn told(store: &Store, incident: Id, page: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut after = None;
    loop {
        let found = store
            .timeline(node("32"), incident, after.as_deref(), page)
            .unwrap();
        lines.extend(found.rows.iter().map(|told| {
            let header = &told.header;
            (
                header.type_id,
                header.seq,
                told.presence,
                told.withdrawn.is_some(),
            )
        }));
        match found.next {
            Some(next) => after = Some(next),
            None => return lines,
        }
    }
}

#[test]
fn a_time_line_has_every_event_of_an_incident_and_its_sites_in_order_page_after_page_at_every_node()
{
    let dir = tempdir().unwrap();
    let (owner, replica) = (open(dir.path(), "32", 1), open(dir.path(), "31", 1));
    accept(&replica, "32");
    let incident = accepted(&owner, report(1, "32.75.01")).stream;
    // Another incident's events are none of it.
    accepted(&owner, report(2, "32.03"));
    site(&owner, 3, incident);
    let assessed = accepted(&owner, assess(5, incident));
    let note = assessed.event_ids[1];
    let withdraw = LogCommand::Withdraw {
        stream: incident,
        event: note,
        reason: "menyebut nama".into(),
        legal_basis: "UU 27/2022 pasal 8".into(),
    };
    let before = told(&owner, incident, 100);
    let types: Vec<u32> = before.iter().map(|line| line.0).collect();
    assert_eq!(
        types,
        [
            0x0201,
            INCIDENT_NOTED.type_id,
            SITE_OPENED.type_id,
            SITE_OCCUPANCY_COUNTED.type_id,
            INCIDENT_ASSESSED.type_id,
            INCIDENT_NOTED.type_id
        ]
    );
    assert!(before.is_sorted_by_key(|line| line.1));
    assert!(before.iter().all(|line| line.2 == Presence::Present));
    accepted(
        &owner,
        other(6, stream_of(command_id(6)), Command::Log(withdraw)),
    );
    replicate(&owner, &replica, "32", 100);
    let whole = told(&owner, incident, 100);
    assert_eq!(
        whole.last().map(|line| (line.2, line.3)),
        Some((Presence::Withdrawn, true)),
        "shown, with why"
    );
    for page in [1, 2, 3, 100] {
        assert_eq!(told(&owner, incident, page), whole);
        assert_eq!(told(&replica, incident, page), whole);
    }
}

/// Changes an incident at a time, in minutes before now.
fn changed(number: u32, incident: Id, minutes: i64, change: IncidentChange) -> Request {
    let asked = ChangeIncidentRequest {
        meta: Some(common::CommandMeta {
            command_id: command_id(number).to_vec(),
            ..Default::default()
        }),
        incident_id: incident.to_vec(),
        note: "Terpal".into(),
        change: Some(change),
    };
    let command = IncidentCommand::try_from(&asked).unwrap();
    Request {
        occurred_at: NOW.plus_seconds(-60 * minutes),
        ..request(number, incident, command)
    }
}

fn dead(number: u32, incident: Id, count: u64, correction: bool) -> Request {
    let asked = RecordImpactRequest {
        figures: vec![Figure {
            measure: Measure::Dead.into(),
            count,
            ..Figure::default()
        }],
        source: FigureSource::Government.into(),
        correction,
        ..RecordImpactRequest::default()
    };
    request(number, incident, IncidentCommand::try_from(&asked).unwrap())
}

#[test]
fn what_is_said_anew_stands_beside_what_was_said_before_at_every_node() {
    let dir = tempdir().unwrap();
    let (owner, replica) = (open(dir.path(), "32", 1), open(dir.path(), "31", 1));
    accept(&replica, "32");
    let incident = accepted(&owner, report(1, "32.75.01")).stream;
    let occurred = || {
        IncidentChange::TakeStep(IncidentStepTaken {
            step: Step::Occurred.into(),
        })
    };
    let need = |quantity| {
        IncidentChange::SetNeed(IncidentNeedSet {
            need_id: vec![5; 16],
            sector: Sector::Shelter.into(),
            quantity,
            unit: Unit::Pieces.into(),
            ..IncidentNeedSet::default()
        })
    };
    for request in [
        changed(2, incident, 60, occurred()),
        changed(3, incident, 90, occurred()),
        dead(4, incident, 2, false),
        dead(5, incident, 1, true),
        changed(6, incident, 0, need(400)),
        changed(7, incident, 0, need(300)),
    ] {
        accepted(&owner, request);
    }
    replicate(&owner, &replica, "32", 100);
    for store in [&owner, &replica] {
        for page in [1, 100] {
            let mut before = Vec::new();
            let mut after = None;
            loop {
                let found = store.timeline(node("32"), incident, after.as_deref(), page);
                let found = found.unwrap();
                before.extend(found.rows.into_iter().filter_map(|told| told.before));
                match found.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
            let [step, figure, need] = &before[..] else {
                panic!("{before:?}")
            };
            assert_eq!(step.at, Some(NOW.plus_seconds(-3600)));
            assert!(matches!(&figure.event, IncidentEvent::ImpactRecorded(held)
                if held.figures[0].count == 2 && figure.at == Some(NOW)));
            assert!(matches!(&need.event, IncidentEvent::NeedSet(held) if held.quantity == 400));
        }
    }
}

#[test]
fn an_assessments_answers_are_read_from_the_log_and_those_in_words_are_no_notes_of_the_incident() {
    let dir = tempdir().unwrap();
    let (owner, replica) = (open(dir.path(), "32", 1), open(dir.path(), "31", 1));
    accept(&replica, "32");
    let incident = accepted(&owner, report(1, "32.75.01")).stream;
    accepted(&owner, assess(2, incident));
    accepted(&owner, assess(3, incident));
    replicate(&owner, &replica, "32", 100);
    for store in [&owner, &replica] {
        let first = stream_of(command_id(2));
        let (found, answered) = store.assessment(incident, first).unwrap().unwrap();
        assert_eq!(found.state.assessments.len(), 2);
        let answered = answered.unwrap();
        assert_eq!(answered.words.len(), 1, "those of the other are its own");
        let assessed = answered.assessed.unwrap();
        assert_eq!(assessed.answers[0].value, Some(Value::Number(120)));
        let (_, notes) = store.incident(Some(incident), "").unwrap().unwrap();
        assert_eq!(notes.len(), 1, "the report's own");
        let (_, unknown) = store.assessment(incident, Id([8; 16])).unwrap().unwrap();
        assert_eq!(unknown, None);
    }
}

#[test]
fn notes_are_shown_however_many_answers_in_words_stand_before_them() {
    let dir = tempdir().unwrap();
    let owner = open(dir.path(), "32", 1);
    let incident = accepted(&owner, report(1, "32.75.01")).stream;
    let form = form::newest(AssessmentForm::Pmi).unwrap();
    let in_words = form
        .questions
        .iter()
        .filter(|question| question.kind == form::Kind::Words);
    let words: Vec<AnswerInWords> = in_words
        .map(|question| AnswerInWords {
            question: question.code.clone(),
            text: "sedang ditanyakan".into(),
        })
        .collect();
    let each = words.len();
    for number in 0..20 {
        let asked = submission(10 + number, incident, words.clone());
        let command = IncidentCommand::try_from(&asked).unwrap();
        let answer = accepted(&owner, request(10 + number, incident, command));
        assert_eq!(answer.event_ids.len(), each + 1);
    }
    assert!(20 * each > MAX_NOTES);
    let text = "Jembatan putus".to_owned();
    let note = IncidentCommand::Note { text };
    accepted(&owner, request(100, incident, note));
    let (_, notes) = owner.incident(Some(incident), "").unwrap().unwrap();
    let texts: Vec<&str> = notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(texts.len(), 2, "the report's and the last");
    assert_eq!(texts.last(), Some(&"Jembatan putus"));
}
