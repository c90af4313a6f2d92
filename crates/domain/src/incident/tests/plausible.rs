//! What nobody can have meant: times that are over, parts above their whole, more people than there are.

use posko_proto::incident::v1::{
    EscalationLevel, IncidentEscalated, IncidentNeedMet, IncidentObjectiveSet,
    change_incident_request::Change as Wire,
};

use super::{
    lifecycle::{change, parsed},
    response::need,
    *,
};
use crate::context::stream_of;

fn at(minute: i64) -> Millis {
    NOW.plus_seconds(minute * 60)
}

#[test]
fn nothing_is_due_and_no_call_is_to_be_answered_before_it_is_said() {
    let escalate = |minute| {
        change(Wire::Escalate(IncidentEscalated {
            level: EscalationLevel::Province.into(),
            answer_by: Some(at(minute).into()),
            ..IncidentEscalated::default()
        }))
    };
    let refusal = refused(&[], &escalate(59));
    let field = "escalate.answer_by";
    let shown = "2022-11-21T07:29:00Z";
    assert_eq!(refusal.code(), Code::Invalid);
    assert!(refusal.to_string().contains(field), "{refusal}");
    assert!(refusal.to_string().contains(shown), "{refusal}");
    assert!(decide(Some(&after(&[])), &escalate(61), &context(60)).is_ok());

    let objective = |due: i64| {
        let set = IncidentObjectiveSet {
            objective_id: vec![8; 16],
            due_at: Some(at(due).into()),
            ..IncidentObjectiveSet::default()
        };
        parsed(Wire::SetObjective(set), "Semua pengungsi di tempat").unwrap()
    };
    let activated = [VERIFY, ACTIVATE];
    assert_eq!(refused(&activated, &objective(59)).code(), Code::Invalid);
    // What is known already may be said again, in other words for one.
    let set = [VERIFY, ACTIVATE, objective(30)];
    assert!(decide(Some(&after(&set)), &objective(30), &context(60)).is_ok());
}

#[test]
fn no_more_comes_of_a_need_than_is_missing() {
    let came = |quantity, correction| {
        change(Wire::MeetNeed(IncidentNeedMet {
            need_id: stream_of(Id([5; 16])).to_vec(),
            quantity,
            source: FigureSource::Pmi.into(),
            correction,
        }))
    };
    let given = [need(), came(80, false)];
    assert_eq!(
        refused(&given, &came(5000, false)),
        IncidentRejection::MoreThanMissing {
            quantity: 5000,
            missing: 120,
            asked: 200
        }
    );
    let allowed = |command| decide(Some(&after(&given)), &command, &context(60)).is_ok();
    assert!(allowed(came(120, false)) && !allowed(came(121, false)));
    assert!(allowed(came(200, true)) && !allowed(came(201, true)));
}

#[test]
fn the_parts_of_a_later_message_are_held_against_the_whole_of_the_same_source() {
    let displaced = |sex: Sex, count, minute: i64, source| IncidentCommand::RecordImpact {
        figures: vec![CountOf {
            sex,
            ..everybody(Measure::Displaced, count)
        }],
        source,
        as_of: Some(at(minute)),
        correction: false,
        assessment: None,
    };
    let pmi = FigureSource::Pmi;
    let given = [displaced(Sex::Unspecified, 1250, 1, pmi)];
    assert_eq!(
        refused(&given, &displaced(Sex::Female, 1640, 2, pmi)),
        IncidentRejection::PartsExceed {
            measure: Measure::Displaced,
            parts: 1640,
            whole: 1250,
            as_of: at(1)
        }
    );
    let allowed = |given: &[IncidentCommand], command| {
        decide(Some(&after(given)), &command, &context(60)).is_ok()
    };
    assert!(allowed(&given, displaced(Sex::Female, 1250, 2, pmi)));
    let other = FigureSource::Government;
    assert!(allowed(&given, displaced(Sex::Female, 1640, 2, other)));
    // Fewer people later are no contradiction of the women that were there before.
    let women = [given[0].clone(), displaced(Sex::Female, 700, 2, pmi)];
    assert!(allowed(&women, displaced(Sex::Unspecified, 500, 3, pmi)));
}

#[test]
fn nobody_counts_more_people_than_live_there() {
    let refusal = refused(&[], &dead(99_999_999, 1));
    assert_eq!(refusal.code(), Code::Invalid);
    assert!(refusal.to_string().contains("Cianjur has `"), "{refusal}");
    // A kecamatan's own people are counted nowhere, and who was hit may live next door.
    let kecamatan = step(None, &report("32.03.22"), &context(0)).unwrap();
    let counted = |count| decide(Some(&kecamatan), &dead(count, 1), &context(60));
    assert!(counted(99_999_999).is_err() && counted(300_000).is_ok());
}
