//! What a response needs, under which legal status it stands, and how the place was assessed.

use posko_proto::incident::v1::{
    Answer, AnswerInWords, AssessmentForm, AssessmentKind, Chosen, Counted, CountedAge,
    EmergencyLevel, EmergencyState, EmergencyStatus, IncidentAssessed, IncidentEmergencyDeclared,
    IncidentEmergencyEnded, IncidentNeedMet, IncidentNeedSet, IncidentNeedSettled, NeedProgress,
    Office, People, Sector, Settlement, Step, SubmitAssessmentRequest, Unit, answer::Value,
    change_incident_request::Change as Wire,
};

use super::{
    lifecycle::{change, parsed},
    *,
};
use crate::{context::stream_of, incident::assessment::form};

/// The command id of every change in these tests, from which a new thing takes its id.
const COMMAND: Id = Id([5; 16]);

fn thing() -> Vec<u8> {
    stream_of(COMMAND).to_vec()
}

fn set(set: IncidentNeedSet) -> Result<IncidentCommand, IncidentRejection> {
    parsed(Wire::SetNeed(set), "Terpal untuk RW 03 Cugenang")
}

fn tarpaulins(quantity: u64) -> IncidentNeedSet {
    IncidentNeedSet {
        sector: Sector::Shelter.into(),
        quantity,
        unit: Unit::Pieces.into(),
        ..IncidentNeedSet::default()
    }
}

pub(super) fn need() -> IncidentCommand {
    set(tarpaulins(200)).unwrap()
}

fn came(quantity: u64, source: FigureSource) -> IncidentNeedMet {
    IncidentNeedMet {
        need_id: thing(),
        quantity,
        source: source.into(),
        correction: false,
    }
}

fn meet(met: IncidentNeedMet) -> IncidentCommand {
    change(Wire::MeetNeed(met))
}

fn settle(settlement: Settlement) -> IncidentCommand {
    change(Wire::SettleNeed(IncidentNeedSettled {
        need_id: thing(),
        settlement: settlement.into(),
    }))
}

#[test]
fn a_need_is_met_in_parts_by_several_and_what_is_still_open_follows_from_them() {
    let progress = |commands: &[IncidentCommand]| {
        let state = after(commands);
        let need = &state.needs[0];
        (need.met(), need.progress())
    };
    let pmi = meet(came(80, FigureSource::Pmi));
    let government = meet(came(100, FigureSource::Government));
    let more = meet(came(20, FigureSource::Pmi));
    assert_eq!(progress(&[need()]), (0, NeedProgress::Open));
    assert_eq!(
        progress(&[need(), pmi.clone()]),
        (80, NeedProgress::PartlyMet)
    );
    let given = [need(), pmi, government, more];
    assert_eq!(progress(&given), (200, NeedProgress::Met));
    let parts: Vec<u64> = after(&given).needs[0]
        .parts
        .iter()
        .map(|part| part.quantity)
        .collect();
    assert_eq!(parts, [100, 100], "one part a source");

    let mistyped = meet(IncidentNeedMet {
        correction: true,
        ..came(8, FigureSource::Pmi)
    });
    let corrected = [&given[..], std::slice::from_ref(&mistyped)].concat();
    assert_eq!(progress(&corrected), (108, NeedProgress::PartlyMet));
    assert_eq!(refused(&[need()], &mistyped).code(), Code::NotFound);
    let never_came = meet(IncidentNeedMet {
        correction: true,
        ..came(0, FigureSource::Pmi)
    });
    let none = [need(), meet(came(80, FigureSource::Pmi)), never_came];
    assert_eq!(progress(&none), (0, NeedProgress::Open));
}

#[test]
fn a_need_is_settled_once_with_a_reason_and_set_anew_it_is_open_again() {
    let given = [
        need(),
        meet(came(80, FigureSource::Pmi)),
        settle(Settlement::Dropped),
    ];
    let dropped = after(&given);
    assert_eq!(dropped.needs[0].progress(), NeedProgress::PartlyMet);
    assert_eq!(
        dropped.needs[0]
            .aim
            .settled
            .map(|settled| settled.settlement),
        Some(Settlement::Dropped)
    );
    assert_eq!(
        refused(&given, &settle(Settlement::Met)).code(),
        Code::Conflict
    );
    let late = meet(came(1, FigureSource::Pmi));
    assert_eq!(refused(&given, &late).code(), Code::Conflict);

    let anew = |quantity, unit: Unit| {
        change(Wire::SetNeed(IncidentNeedSet {
            need_id: thing(),
            unit: unit.into(),
            ..tarpaulins(quantity)
        }))
    };
    let again = after(&[&given[..], &[anew(80, Unit::Pieces)]].concat());
    assert_eq!(again.needs.len(), 1);
    assert_eq!(again.needs[0].aim.settled, None);
    assert_eq!(
        again.needs[0].progress(),
        NeedProgress::Met,
        "what came stays"
    );
    let other_unit = refused(&given, &anew(80, Unit::Kits));
    assert!(
        matches!(other_unit, IncidentRejection::Holds { .. }),
        "{other_unit}"
    );
    assert_eq!(
        refused(&[], &settle(Settlement::Met)).code(),
        Code::NotFound
    );
}

#[test]
fn a_need_without_a_quantity_is_met_once_somebody_says_so() {
    let unquantified = set(IncidentNeedSet {
        sector: Sector::Rfl.into(),
        ..IncidentNeedSet::default()
    })
    .unwrap();
    let given = [unquantified, meet(came(0, FigureSource::Other))];
    assert_eq!(after(&given).needs[0].progress(), NeedProgress::PartlyMet);
    let met = after(&[&given[..], &[settle(Settlement::Met)]].concat());
    assert_eq!(met.needs[0].progress(), NeedProgress::Met);
    let counted = refused(&given, &meet(came(3, FigureSource::Pmi)));
    assert_eq!(counted.code(), Code::Invalid);
    let nothing = refused(&[need()], &meet(came(0, FigureSource::Pmi)));
    assert_eq!(nothing.code(), Code::Invalid);
}

#[test]
fn a_need_is_worded_in_a_note_about_it_and_lies_in_the_incidents_province() {
    let events = decide(Some(&after(&[])), &need(), &context(5)).unwrap();
    let [IncidentEvent::NeedSet(said), IncidentEvent::Noted(noted)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((&noted.about, said.need_id.len()), (&said.need_id, 16));
    let field = |set: IncidentNeedSet, note: &str| match parsed(Wire::SetNeed(set), note) {
        Err(IncidentRejection::Invalid { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(field(tarpaulins(200), " "), "note");
    let no_unit = IncidentNeedSet {
        unit: 0,
        ..tarpaulins(200)
    };
    assert_eq!(field(no_unit, "Terpal"), "set_need.unit");
    assert_eq!(
        field(IncidentNeedSet::default(), "Terpal"),
        "set_need.sector"
    );
    let too_many = tarpaulins(1_000_000_001);
    assert_eq!(field(too_many, "Terpal"), "set_need.quantity");
    let at = |code: &str| {
        set(IncidentNeedSet {
            place: Some(place(code).into()),
            ..tarpaulins(200)
        })
    };
    assert!(matches!(at("32.99"), Err(IncidentRejection::Place(_))));
    let foreign = refused(&[], &at("31.71").unwrap());
    assert!(
        foreign
            .to_string()
            .contains("within the incident's province")
    );
    let here = after(&[at("32.03.22").unwrap()]);
    assert!(here.needs[0].place.is_some());
}

const DAY: i64 = 86_400;

/// Tanggap darurat of Kabupaten Cianjur for two weeks from the day of the earthquake.
fn declaration() -> IncidentEmergencyDeclared {
    IncidentEmergencyDeclared {
        status: EmergencyStatus::Response.into(),
        level: EmergencyLevel::Regency.into(),
        authority: Office::Regent.into(),
        decree_number: "360/Kep.1-BPBD/2022".into(),
        decree_date: "2022-11-21".into(),
        from: Some(NOW.into()),
        until: Some(NOW.plus_seconds(14 * DAY).into()),
        hazards: vec![Hazard::Earthquake.into()],
        region_codes: vec!["32.03".into()],
        ..IncidentEmergencyDeclared::default()
    }
}

fn declare(said: IncidentEmergencyDeclared) -> Result<IncidentCommand, IncidentRejection> {
    parsed(Wire::DeclareEmergency(said), "")
}

pub(super) fn declared() -> IncidentCommand {
    declare(declaration()).unwrap()
}

/// An extension of the first declaration, of another decree and another id.
fn extension(number: u8, extends: Vec<u8>) -> IncidentEmergencyDeclared {
    IncidentEmergencyDeclared {
        declaration_id: vec![number; 16],
        decree_number: format!("360/Kep.{number}-BPBD/2022"),
        from: None,
        until: Some(NOW.plus_seconds(28 * DAY).into()),
        extends,
        ..declaration()
    }
}

pub(super) fn extended() -> IncidentCommand {
    declare(extension(2, thing())).unwrap()
}

pub(super) fn met() -> IncidentCommand {
    meet(came(80, FigureSource::Pmi))
}

pub(super) fn settled() -> IncidentCommand {
    settle(Settlement::Dropped)
}

pub(super) fn end_early() -> IncidentCommand {
    change(Wire::EndEmergency(IncidentEmergencyEnded {
        declaration_id: thing(),
    }))
}

#[test]
fn a_status_holds_from_its_begin_until_its_end_by_the_clock_of_who_reads() {
    let state = after(&[declared()]);
    let emergency = &state.emergencies[0];
    let at = |seconds: i64| emergency.state(NOW.plus_seconds(seconds));
    assert_eq!(at(-1), EmergencyState::Coming);
    assert_eq!(at(0), EmergencyState::InForce);
    assert_eq!(at(14 * DAY - 1), EmergencyState::InForce);
    assert_eq!(at(14 * DAY), EmergencyState::Expired);
    let ended = after(&[declared(), end_early()]);
    assert_eq!(
        ended.emergencies[0].state(NOW.plus_seconds(3600)),
        EmergencyState::Ended
    );
    assert_eq!(
        ended.emergencies[0].state(NOW.plus_seconds(30)),
        EmergencyState::InForce,
        "it was in force before"
    );
    assert_eq!(
        refused(&[declared(), end_early()], &end_early()).code(),
        Code::Conflict
    );
    assert_eq!(refused(&[], &end_early()).code(), Code::NotFound);
}

#[test]
fn siaga_darurat_is_of_slow_onset_hazards_only_and_says_so() {
    let alert = |hazards: &[Hazard]| {
        declare(IncidentEmergencyDeclared {
            status: EmergencyStatus::Alert.into(),
            hazards: hazards.iter().map(|hazard| (*hazard).into()).collect(),
            ..declaration()
        })
    };
    assert!(alert(&[Hazard::Drought]).is_ok());
    assert!(alert(&[Hazard::Flood, Hazard::Landslide]).is_ok());
    for refused in [
        &[Hazard::Earthquake][..],
        &[Hazard::Landslide],
        &[Hazard::Flood, Hazard::Tsunami],
    ] {
        let refused = alert(refused).unwrap_err();
        assert_eq!(refused.code(), Code::Invalid);
        assert!(refused.to_string().contains("slow-onset"), "{refused}");
    }
}

#[test]
fn an_extension_begins_where_the_other_ends_and_is_of_the_same_authority_level_and_status() {
    let given = [declared()];
    let extended = |said: IncidentEmergencyDeclared| declare(said).unwrap();
    let state = after(&[&given[..], &[extended(extension(2, thing()))]].concat());
    let [first, second] = state.emergencies.as_slice() else {
        panic!("{:?}", state.emergencies)
    };
    assert_eq!(second.from, first.until, "filled in");
    assert_eq!(
        crate::incident::extended_by(&state.emergencies, first.id),
        Some(second.id)
    );

    let from = |seconds: i64| IncidentEmergencyDeclared {
        from: Some(NOW.plus_seconds(seconds).into()),
        ..extension(2, thing())
    };
    for gap_or_overlap in [14 * DAY - 1, 14 * DAY + 1] {
        let refused = refused(&given, &extended(from(gap_or_overlap)));
        assert!(
            matches!(refused, IncidentRejection::Before { .. }),
            "{refused}"
        );
    }
    let transition = IncidentEmergencyDeclared {
        status: EmergencyStatus::Transition.into(),
        ..extension(2, thing())
    };
    assert_eq!(refused(&given, &extended(transition)).code(), Code::Invalid);
    let governor = IncidentEmergencyDeclared {
        level: EmergencyLevel::Province.into(),
        authority: Office::Governor.into(),
        ..extension(2, thing())
    };
    assert_eq!(refused(&given, &extended(governor)).code(), Code::Invalid);
    let twice = [declared(), extended(extension(2, thing()))];
    assert_eq!(
        refused(&twice, &extended(extension(3, thing()))).code(),
        Code::Conflict
    );
    let ended = [declared(), end_early()];
    assert_eq!(
        refused(&ended, &extended(extension(2, thing()))).code(),
        Code::Conflict
    );
    let unknown = IncidentEmergencyDeclared {
        from: Some(NOW.into()),
        ..extension(2, vec![9; 16])
    };
    assert_eq!(refused(&given, &extended(unknown)).code(), Code::NotFound);
}

#[test]
fn an_extended_status_ends_early_as_a_whole_whichever_declaration_is_named() {
    let lifted = |declaration_id: Vec<u8>| {
        change(Wire::EndEmergency(IncidentEmergencyEnded {
            declaration_id,
        }))
    };
    let given = [declared(), extended()];
    let at_minute_3 = NOW.plus_seconds(180);
    for named in [thing(), vec![2; 16]] {
        let state = after(&[&given[..], &[lifted(named.clone())]].concat());
        let states: Vec<_> = (state.emergencies.iter())
            .map(|held| (held.ended_at, held.state(at_minute_3)))
            .collect();
        let ended = (Some(at_minute_3), EmergencyState::Ended);
        assert_eq!(states, [ended, ended]);
        let again = decide(Some(&state), &lifted(named), &context(60)).unwrap_err();
        assert_eq!(again.code(), Code::Conflict);
        // What was lifted is in nobody's way.
        let other = IncidentEmergencyDeclared {
            declaration_id: vec![3; 16],
            decree_number: "360/Kep.9-BPBD/2022".into(),
            ..declaration()
        };
        assert!(decide(Some(&state), &declare(other).unwrap(), &context(60)).is_ok());
    }
    // The first had its time before the extension was lifted: it stays as it was.
    let later = Context {
        now: NOW.plus_seconds(20 * DAY),
        occurred_at: NOW.plus_seconds(20 * DAY),
        ..context(0)
    };
    let state = step(Some(after(&given)), &lifted(thing()), &later).unwrap();
    let ended: Vec<_> = state.emergencies.iter().map(|held| held.ended_at).collect();
    assert_eq!(ended, [None, Some(later.now)]);
}

#[test]
fn a_mistyped_declaration_is_noted_anew_and_what_extends_it_must_still_fit() {
    let anew = |days: i64| {
        declare(IncidentEmergencyDeclared {
            declaration_id: thing(),
            until: Some(NOW.plus_seconds(days * DAY).into()),
            ..declaration()
        })
        .unwrap()
    };
    let state = after(&[declared(), anew(7)]);
    assert_eq!(state.emergencies.len(), 1);
    assert_eq!(state.emergencies[0].until, NOW.plus_seconds(7 * DAY));
    let extended = [declared(), declare(extension(2, thing())).unwrap()];
    assert_eq!(refused(&extended, &anew(7)).code(), Code::Conflict);
    let same_decree = IncidentEmergencyDeclared {
        declaration_id: vec![7; 16],
        ..declaration()
    };
    assert_eq!(
        refused(&[declared()], &declare(same_decree).unwrap()).code(),
        Code::Conflict
    );
}

#[test]
fn a_declaration_is_checked_at_the_door_down_to_the_office_and_the_decree() {
    let field = |said: IncidentEmergencyDeclared| match declare(said) {
        Err(IncidentRejection::Invalid { field, .. }) => field,
        Err(IncidentRejection::Place(_)) => "place",
        other => panic!("{other:?}"),
    };
    let base = declaration;
    let cases = [
        (
            IncidentEmergencyDeclared {
                status: 0,
                ..base()
            },
            "declare_emergency.status",
        ),
        (
            IncidentEmergencyDeclared {
                hazards: vec![],
                ..base()
            },
            "declare_emergency.hazards",
        ),
        (
            IncidentEmergencyDeclared {
                authority: Office::Mayor.into(),
                ..base()
            },
            "declare_emergency.authority",
        ),
        (
            IncidentEmergencyDeclared {
                region_codes: vec!["32.73".into()],
                ..base()
            },
            "declare_emergency.authority",
        ),
        (
            IncidentEmergencyDeclared {
                authority: Office::Bnpb.into(),
                level: EmergencyLevel::National.into(),
                ..base()
            },
            "declare_emergency.authority",
        ),
        (
            IncidentEmergencyDeclared {
                region_codes: vec!["32.03".into(), "32.04".into()],
                ..base()
            },
            "declare_emergency.region_codes",
        ),
        (
            IncidentEmergencyDeclared {
                region_codes: vec!["32.00".into()],
                ..base()
            },
            "place",
        ),
        (
            IncidentEmergencyDeclared {
                decree_number: "Bupati".into(),
                ..base()
            },
            "declare_emergency.decree_number",
        ),
        (
            IncidentEmergencyDeclared {
                decree_number: "oleh Bpk. Ujang: 1".into(),
                ..base()
            },
            "declare_emergency.decree_number",
        ),
        (
            IncidentEmergencyDeclared {
                decree_date: "2022-11-31".into(),
                ..base()
            },
            "declare_emergency.decree_date",
        ),
        (
            IncidentEmergencyDeclared {
                document_sha256: vec![1; 31],
                ..base()
            },
            "declare_emergency.document_sha256",
        ),
        (
            IncidentEmergencyDeclared {
                until: None,
                ..base()
            },
            "declare_emergency.until",
        ),
    ];
    for (said, expected) in cases {
        assert_eq!(field(said.clone()), expected, "{said:?}");
    }
    let backwards = declare(IncidentEmergencyDeclared {
        until: Some(NOW.into()),
        ..base()
    });
    assert_eq!(refused(&[], &backwards.unwrap()).code(), Code::Conflict);
    let forty_years = declare(IncidentEmergencyDeclared {
        until: Some(NOW.plus_seconds(40 * 366 * DAY).into()),
        ..base()
    });
    assert_eq!(refused(&[], &forty_years.unwrap()).code(), Code::Invalid);
    let tomorrow = declare(IncidentEmergencyDeclared {
        decree_date: "2022-11-23".into(),
        ..base()
    });
    assert!(matches!(
        refused(&[], &tomorrow.unwrap()),
        IncidentRejection::InFuture { .. }
    ));
    let elsewhere = declare(IncidentEmergencyDeclared {
        region_codes: vec!["36.01".into()],
        ..base()
    });
    assert_eq!(refused(&[], &elsewhere.unwrap()).code(), Code::Invalid);
    let national = declare(IncidentEmergencyDeclared {
        status: EmergencyStatus::CertainCondition.into(),
        level: EmergencyLevel::National.into(),
        authority: Office::Bnpb.into(),
        region_codes: vec!["36".into(), "32".into()],
        ..base()
    });
    assert_eq!(after(&[national.unwrap()]).emergencies.len(), 1);
}

fn answer(code: &str, value: Value) -> Answer {
    Answer {
        question: code.into(),
        value: Some(value),
    }
}

fn households(count: u64) -> Answer {
    answer("PMI-8", Value::Number(count))
}

fn request(answers: Vec<Answer>) -> SubmitAssessmentRequest {
    SubmitAssessmentRequest {
        meta: Some(v1::CommandMeta {
            command_id: COMMAND.to_vec(),
            ..Default::default()
        }),
        incident_id: vec![1; 16],
        assessment: Some(IncidentAssessed {
            form: AssessmentForm::Pmi.into(),
            kind: AssessmentKind::Initial.into(),
            answers,
            ..IncidentAssessed::default()
        }),
        words: Vec::new(),
    }
}

fn assess(answers: Vec<Answer>) -> Result<IncidentCommand, IncidentRejection> {
    IncidentCommand::try_from(&request(answers))
}

pub(super) fn assessed() -> IncidentCommand {
    assess(vec![households(120)]).unwrap()
}

/// A later version of the assessment with that command's id.
fn version(command: u8, supersedes: Vec<u8>) -> IncidentCommand {
    let mut request = request(vec![households(130)]);
    request.meta.as_mut().unwrap().command_id = vec![command; 16];
    request.assessment.as_mut().unwrap().supersedes = supersedes;
    IncidentCommand::try_from(&request).unwrap()
}

fn people(counts: &[(Sex, CountedAge, u64)]) -> Answer {
    let counted = |(sex, age, count): &(Sex, CountedAge, u64)| Counted {
        sex: (*sex).into(),
        age: (*age).into(),
        count: *count,
    };
    let counts = counts.iter().map(counted).collect();
    answer("PMI-9", Value::People(People { counts }))
}

#[test]
fn the_first_assessment_takes_its_step_and_the_next_does_not_move_it() {
    let state = after(&[assessed(), version(6, Vec::new())]);
    assert_eq!(
        state.step(Step::AssessmentSubmitted),
        Some(NOW.plus_seconds(60))
    );
    let [first, second] = state.assessments.as_slice() else {
        panic!("{:?}", state.assessments)
    };
    assert_eq!((first.version, first.answers), (1, 1));
    assert_eq!(second.version, 1, "another assessment");
    assert_eq!(first.place.region_code, "32.03", "the incident's own");
    assert_eq!(first.assessed_at, NOW.plus_seconds(60));
}

#[test]
fn a_newer_version_supersedes_the_older_which_stays() {
    let given = [assessed(), version(6, thing())];
    let state = after(&given);
    let ids: Vec<Id> = state.assessments.iter().map(|held| held.id).collect();
    assert_eq!(state.assessments[1].version, 2);
    assert_eq!(
        crate::incident::assessment::superseded_by(&state.assessments, ids[0]),
        Some(ids[1])
    );
    assert_eq!(refused(&given, &version(7, thing())).code(), Code::Conflict);
    let unknown = version(7, vec![8; 16]);
    assert_eq!(refused(&given, &unknown).code(), Code::NotFound);
    let mut other = request(vec![answer("24H-3", Value::Number(1))]);
    other.meta.as_mut().unwrap().command_id = vec![9; 16];
    let said = other.assessment.as_mut().unwrap();
    (said.form, said.supersedes) = (AssessmentForm::Ifrc24h.into(), ids[1].to_vec());
    let other = IncidentCommand::try_from(&other).unwrap();
    assert_eq!(refused(&given, &other).code(), Code::Invalid);
}

#[test]
fn an_answer_that_does_not_fit_is_refused_with_its_questions_code() {
    use CountedAge as Age;
    let chosen = |options: Vec<u32>| Value::Chosen(Chosen { options });
    let whole = (Sex::Unspecified, Age::Unspecified, 10);
    let bad = [
        answer("PMI-8", Value::Yes(true)),
        answer("PMI-8", Value::Number(1_000_000_001)),
        answer("PMI-32", Value::Number(1)),
        answer("PMI-3", Value::Option(0)),
        answer("PMI-3", Value::Option(4)),
        answer("PMI-18", chosen(vec![])),
        answer("PMI-18", chosen(vec![1, 1])),
        answer("PMI-18", chosen(vec![4])),
        answer("PMI-16", Value::Number(1)),
        answer("PMI-13", Value::Number(1)),
        answer("PMI-27-6", Value::Option(3)),
        people(&[]),
        people(&[whole, whole]),
        people(&[whole, (Sex::Male, Age::Unspecified, 11)]),
        people(&[
            (Sex::Male, Age::Unspecified, 3),
            (Sex::Male, Age::CountedAge05, 4),
        ]),
        people(&[
            (Sex::Male, Age::CountedAge05, 1),
            (Sex::Male, Age::CountedAge01, 1),
        ]),
        Answer {
            question: "PMI-8".into(),
            value: None,
        },
    ];
    for answer in bad {
        let code = answer.question.clone();
        match assess(vec![answer.clone()]) {
            Err(IncidentRejection::Invalid { field, .. }) => assert_eq!(field, code),
            other => panic!("{answer:?}: {other:?}"),
        }
    }
    let fits = [
        answer("PMI-3", Value::Option(1)),
        answer("PMI-18", chosen(vec![2, 1])),
        answer("PMI-32", Value::Yes(false)),
        answer("PMI-27-6", Value::Option(2)),
        people(&[
            whole,
            (Sex::Male, Age::Unspecified, 4),
            (Sex::Male, Age::CountedAge05, 4),
            (Sex::Female, Age::CountedAge01, 1),
        ]),
    ];
    assert_eq!(assess(fits.to_vec()).map(|_| ()), Ok(()));
    let unknown = assess(vec![answer("PMI-6", Value::Number(1))]).unwrap_err();
    assert!(unknown.to_string().contains("`PMI-6`"), "{unknown}");
    let twice = assess(vec![households(1), households(2)]).unwrap_err();
    assert!(twice.to_string().contains("`PMI-8`"), "{twice}");
    assert!(assess(Vec::new()).is_err(), "nothing was answered");
}

#[test]
fn what_is_answered_in_words_is_a_note_and_a_persons_name_is_nowhere() {
    let words = |code: &str, text: &str| AnswerInWords {
        question: code.into(),
        text: text.into(),
    };
    let mut asked = request(vec![households(120)]);
    asked.words = vec![words("PMI-16", "Sebagian besar lansia")];
    asked.assessment.as_mut().unwrap().left_out = vec!["PMI-134".into()];
    let command = IncidentCommand::try_from(&asked).unwrap();
    let events = decide(Some(&after(&[])), &command, &context(5)).unwrap();
    let [IncidentEvent::Assessed(said), IncidentEvent::Noted(noted)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(
        (noted.about.clone(), noted.question.as_str()),
        (said.assessment_id.clone(), "PMI-16")
    );
    assert_eq!(said.left_out, ["PMI-134"]);

    asked.words = vec![words("PMI-13", "Ibu Sari 0812-0000-0001")];
    let named = IncidentCommand::try_from(&asked).unwrap_err().to_string();
    assert!(
        named.contains("PMI-13") && !named.contains("Sari"),
        "{named}"
    );
    asked.words = vec![words("PMI-8", "kira-kira 120")];
    let spelled = IncidentCommand::try_from(&asked).unwrap_err().to_string();
    assert!(
        spelled.contains("PMI-8") && spelled.contains("given twice"),
        "{spelled}"
    );
    asked.words = vec![words("PMI-10", "beberapa")];
    let number = IncidentCommand::try_from(&asked).unwrap_err().to_string();
    assert!(
        number.contains("PMI-10") && number.contains("whole number"),
        "{number}"
    );
    let questions = &form::newest(AssessmentForm::Pmi).unwrap().questions;
    let in_words = questions
        .iter()
        .filter(|question| question.kind == form::Kind::Words);
    asked.words = in_words
        .map(|question| words(&question.code, &"x".repeat(4000)))
        .collect();
    let long = IncidentCommand::try_from(&asked).unwrap_err().to_string();
    assert!(long.contains("100,000 characters in all"), "{long}");
    asked.words.clear();
    asked.assessment.as_mut().unwrap().left_out = vec!["PMI-10".into()];
    assert!(IncidentCommand::try_from(&asked).is_err(), "no person");
}

#[test]
fn pmis_form_says_itself_whether_an_assessment_is_the_first() {
    let kind = |given: AssessmentKind, option: u32| {
        let mut asked = request(vec![answer("PMI-1", Value::Option(option))]);
        asked.assessment.as_mut().unwrap().kind = given.into();
        match IncidentCommand::try_from(&asked) {
            Ok(IncidentCommand::Assess { assessed, .. }) => Ok(assessed.kind()),
            Ok(other) => panic!("{other:?}"),
            Err(refused) => Err(refused),
        }
    };
    assert_eq!(
        kind(AssessmentKind::Unspecified, 2),
        Ok(AssessmentKind::Continued)
    );
    assert_eq!(
        kind(AssessmentKind::Initial, 1),
        Ok(AssessmentKind::Initial)
    );
    assert!(kind(AssessmentKind::Initial, 2).is_err());
    let mut none = request(vec![households(1)]);
    none.assessment.as_mut().unwrap().kind = 0;
    assert!(IncidentCommand::try_from(&none).is_err());
}

#[test]
fn an_assessment_lies_before_it_is_handed_in_and_in_the_incidents_province() {
    let mut asked = request(vec![households(1)]);
    let at = |asked: &SubmitAssessmentRequest| IncidentCommand::try_from(asked).unwrap();
    asked.assessment.as_mut().unwrap().assessed_at = Some(NOW.plus_seconds(DAY).into());
    assert!(matches!(
        refused(&[], &at(&asked)),
        IncidentRejection::InFuture { .. }
    ));
    asked.assessment.as_mut().unwrap().assessed_at = Some(NOW.into());
    assert!(decide(Some(&after(&[])), &at(&asked), &context(5)).is_ok());
    asked.assessment.as_mut().unwrap().place = Some(place("31.71").into());
    assert_eq!(refused(&[], &at(&asked)).code(), Code::Invalid);
    let said = asked.assessment.as_mut().unwrap();
    (said.place, said.form_version) = (None, 2);
    assert!(IncidentCommand::try_from(&asked).is_err(), "a newer table");
}

fn any_response() -> impl Strategy<Value = IncidentCommand> {
    let settlement = prop_oneof![
        Just(Settlement::Met),
        Just(Settlement::Dropped),
        Just(Settlement::Duplicate)
    ];
    prop_oneof![
        Just(VERIFY),
        Just(ACTIVATE),
        Just(IncidentCommand::EndOperation),
        Just(note()),
        (1..300_u64).prop_map(|quantity| set(tarpaulins(quantity)).unwrap()),
        (0..200_u64, any::<bool>()).prop_map(|(quantity, correction)| meet(IncidentNeedMet {
            correction,
            ..came(quantity, FigureSource::Pmi)
        })),
        settlement.prop_map(settle),
        Just(declared()),
        (2..5_u8).prop_map(|number| declare(extension(number, thing())).unwrap()),
        Just(end_early()),
        Just(assessed()),
        (6..9_u8, any::<bool>()).prop_map(|(command, newer)| {
            version(command, if newer { thing() } else { Vec::new() })
        }),
    ]
}

proptest! {
    /// What an owner decided folds to the owner's state at every node, whatever of other things comes between, and from
    /// any state that was kept on the way.
    #[test]
    fn any_replay_in_order_folds_to_the_same_state(
        steps in prop::collection::vec((any_response(), 0..9_i64), 1..40),
        kept_after in 0..40_usize,
    ) {
        let first = context(0);
        let mut events: Vec<(IncidentEvent, Recorded)> = Vec::new();
        let reported = decide(None, &report("32.03"), &first).unwrap();
        let mut state = None;
        let mut minute = 0;
        let mut take = |state: &mut Option<IncidentState>, decided: Vec<IncidentEvent>, context: &Context| {
            for event in decided {
                let version = state.as_ref().map_or(0, |held| held.version) + 1;
                let recorded = recorded(context, version);
                *state = Some(apply(state.take(), &event, &recorded).unwrap());
                events.push((event, recorded));
            }
        };
        take(&mut state, reported, &first);
        for (command, minutes) in steps {
            minute += minutes;
            let context = context(minute);
            if let Ok(decided) = decide(state.as_ref(), &command, &context) {
                take(&mut state, decided, &context);
            }
        }
        let mut replayed: Option<IncidentState> = None;
        for (at, (event, recorded)) in events.iter().enumerate() {
            // An event goes over the wire as bytes, and a state may be kept and read again at any place.
            let event = Event::Incident(event.clone());
            let read = Event::decode(event.type_id(), event.type_version(), &event.encode()).unwrap();
            let Event::Incident(read) = read else { panic!("{read:?}") };
            replayed = Some(apply(replayed.take(), &read, recorded).unwrap());
            if at == kept_after {
                let kept = postcard::to_stdvec(&replayed).unwrap();
                replayed = postcard::from_bytes(&kept).unwrap();
            }
        }
        prop_assert_eq!(replayed, state);
    }
}
