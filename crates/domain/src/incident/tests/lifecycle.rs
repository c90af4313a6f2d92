//! The lifecycle as a table, and what changes beside it: steps, posts, calls, periods, objectives, relations.

use posko_proto::incident::v1::{
    CancelReason, ChangeIncidentRequest, EscalationLevel, IncidentCancelled, IncidentEscalated,
    IncidentEscalationAnswered, IncidentGlideAssigned, IncidentObjectiveSet,
    IncidentObjectiveSettled, IncidentPeriodPlanned, IncidentPlanApproved, IncidentPostFilled,
    IncidentPostVacated, IncidentRelated, IncidentReopened, IncidentScaleSet,
    IncidentSeverityJudged, IncidentStepTaken, IncidentTransitionBegun, IncidentUnrelated, Post,
    Relation, ReopenReason, Settlement, Step, change_incident_request::Change as Wire,
};

use super::*;
use crate::incident::{
    Change,
    tests::{import, response},
};

pub(super) fn parsed(change: Wire, note: &str) -> Result<IncidentCommand, IncidentRejection> {
    IncidentCommand::try_from(&ChangeIncidentRequest {
        meta: Some(v1::CommandMeta {
            command_id: vec![5; 16],
            ..Default::default()
        }),
        incident_id: vec![1; 16],
        note: note.into(),
        change: Some(change),
    })
}

pub(super) fn change(change: Wire) -> IncidentCommand {
    parsed(change, "").unwrap()
}

pub(super) fn took(step: Step) -> IncidentCommand {
    change(Wire::TakeStep(IncidentStepTaken { step: step.into() }))
}

fn cancel() -> IncidentCommand {
    change(Wire::Cancel(IncidentCancelled {
        reason: CancelReason::StoodDown.into(),
    }))
}

fn reopen() -> IncidentCommand {
    change(Wire::Reopen(IncidentReopened {
        reason: ReopenReason::Recurred.into(),
    }))
}

fn transition() -> IncidentCommand {
    change(Wire::BeginTransition(IncidentTransitionBegun {}))
}

fn judge(severity: Severity) -> IncidentCommand {
    change(Wire::JudgeSeverity(IncidentSeverityJudged {
        severity: severity.into(),
    }))
}

fn fill(post: Post, account: u8) -> IncidentCommand {
    change(Wire::FillPost(IncidentPostFilled {
        post: post.into(),
        account_ref: vec![account; 16],
    }))
}

fn vacate(post: Post, account: u8) -> IncidentCommand {
    change(Wire::VacatePost(IncidentPostVacated {
        post: post.into(),
        account_ref: vec![account; 16],
    }))
}

fn escalate(level: EscalationLevel) -> IncidentCommand {
    change(Wire::Escalate(IncidentEscalated {
        level: level.into(),
        ..Default::default()
    }))
}

fn period(number: u32, from_hour: i64, until_hour: i64) -> IncidentCommand {
    let at = |hour: i64| Some(NOW.plus_seconds(hour * 3600).into());
    change(Wire::PlanPeriod(IncidentPeriodPlanned {
        number,
        from: at(from_hour),
        until: at(until_hour),
    }))
}

fn objective() -> IncidentCommand {
    parsed(
        Wire::SetObjective(IncidentObjectiveSet::default()),
        "Semua pengungsi mendapat tempat tidur",
    )
    .unwrap()
}

fn relate(relation: Relation, other: u8) -> IncidentCommand {
    change(Wire::Relate(IncidentRelated {
        relation: relation.into(),
        origin: "31".into(),
        incident_id: vec![other; 16],
    }))
}

fn unrelate(other: u8) -> IncidentCommand {
    change(Wire::Unrelate(IncidentUnrelated {
        origin: "31".into(),
        incident_id: vec![other; 16],
    }))
}

fn answered(level: EscalationLevel) -> IncidentCommand {
    change(Wire::AnswerEscalation(IncidentEscalationAnswered {
        level: level.into(),
    }))
}

fn approve(number: u32) -> IncidentCommand {
    change(Wire::ApprovePlan(IncidentPlanApproved { number }))
}

fn settle(objective_id: Vec<u8>) -> IncidentCommand {
    change(Wire::SettleObjective(IncidentObjectiveSettled {
        objective_id,
        settlement: Settlement::Met.into(),
    }))
}

fn glide(glide: &str) -> IncidentCommand {
    change(Wire::AssignGlide(IncidentGlideAssigned {
        glide: glide.into(),
    }))
}

fn set_scale() -> IncidentCommand {
    change(Wire::SetScale(IncidentScaleSet {
        scale: Scale::Large.into(),
    }))
}

/// An incident in each status, by the shortest way to it after what was given first; what is given during an operation
/// is given as soon as it is activated.
fn in_each_status(
    first: &[IncidentCommand],
    during: &[IncidentCommand],
) -> Vec<(Status, IncidentState)> {
    let activated = [&[VERIFY, ACTIVATE], during].concat();
    let and = |commands: &[IncidentCommand]| [&activated, commands].concat();
    let ended = and(&[IncidentCommand::EndOperation]);
    let closed = and(&[
        IncidentCommand::EndOperation,
        IncidentCommand::Close { confirmed: false },
    ]);
    let cancelled = if during.is_empty() {
        vec![cancel()]
    } else {
        and(&[cancel()])
    };
    [
        (Status::Reported, vec![]),
        (Status::Verified, vec![VERIFY]),
        (Status::Activated, activated.clone()),
        (Status::Responding, and(&[took(Step::TeamDeparted)])),
        (Status::Transition, and(&[transition()])),
        (Status::OperationEnded, ended),
        (Status::Closed, closed),
        (Status::False, vec![FALSE]),
        (Status::Merged, vec![MERGE]),
        (Status::Cancelled, cancelled),
    ]
    .into_iter()
    .map(|(status, commands)| (status, after(&[first, &commands].concat())))
    .collect()
}

#[test]
fn every_status_takes_just_the_commands_of_the_table() {
    // Reported Verified Activated Responding Transition OperationEnded Closed False Merged Cancelled
    let table = [
        ("verify", VERIFY, "+........."),
        ("find false", FALSE, "++........"),
        ("merge", MERGE, "++........"),
        ("cancel", cancel(), "+++......."),
        ("activate", ACTIVATE, ".+........"),
        ("depart", took(Step::TeamDeparted), "..+++....."),
        ("begin transition", transition(), "..++......"),
        ("end", IncidentCommand::EndOperation, "..+++....."),
        (
            "close",
            IncidentCommand::Close { confirmed: false },
            ".....+....",
        ),
        ("reopen", reopen(), "....++++++"),
        ("note", note(), "++++++.+++"),
        ("attach", super::attachment::attach(), "++++++.+++"),
        ("count", dead(1, 0), "++++++...."),
        ("judge", judge(Severity::Minor), "++++++...."),
        ("assess", took(Step::AssessmentSubmitted), "++++++...."),
        ("arrive", took(Step::OnScene), "...+......"),
        ("fill a post", fill(Post::Logistics, 7), "..+++....."),
        ("escalate", escalate(EscalationLevel::Branch), "++++++...."),
        ("plan", period(1, 1, 13), "..+++....."),
        ("set an objective", objective(), "..+++....."),
        ("report", report("32.75"), ".........."),
        (
            "import",
            import::parsed(&import::row(Some(1), 1)),
            "..........",
        ),
        ("set the scale", set_scale(), "..+++....."),
        (
            "assign a GLIDE number",
            glide("FL-2026-000001-IDN"),
            "++++++++++",
        ),
        ("relate", relate(Relation::Related, 3), "++++++++++"),
        ("need", response::need(), "++++++...."),
        ("declare", response::declared(), "++++++...."),
        ("hand an assessment in", response::assessed(), "++++++...."),
    ];
    check(&[], &[], &table);
    for (status, state) in in_each_status(&[], &[]) {
        assert_eq!(state.status, status);
    }
    // What comes of what was said before.
    let said = [
        response::need(),
        response::declared(),
        relate(Relation::Related, 2),
        escalate(EscalationLevel::Branch),
    ];
    let table = [
        ("meet a need", response::met(), "++++++...."),
        ("settle a need", response::settled(), "++++++++++"),
        ("end a status", response::end_early(), "++++++++++"),
        ("extend a status", response::extended(), "++++++...."),
        ("unrelate", unrelate(2), "++++++++++"),
        (
            "answer a call",
            answered(EscalationLevel::Branch),
            "++++++++++",
        ),
    ];
    check(&said, &[], &table);
    let during = [fill(Post::Logistics, 7), period(1, 1, 13), objective()];
    let state = after(&[&[VERIFY, ACTIVATE], &during[..]].concat());
    let objective_id = state.operation.objectives[0].aim.id.to_vec();
    let table = [
        ("vacate a post", vacate(Post::Logistics, 7), "..+++++..+"),
        ("approve a plan", approve(1), "..+++....."),
        ("settle an objective", settle(objective_id), "..+++++..+"),
    ];
    check(&[], &during, &table);
}

fn check(
    first: &[IncidentCommand],
    during: &[IncidentCommand],
    table: &[(&str, IncidentCommand, &str)],
) {
    for (name, command, expected) in table {
        let taken: String = in_each_status(first, during)
            .into_iter()
            .map(
                |(_, state)| match decide(Some(&state), command, &context(60)) {
                    Ok(events) if events.is_empty() => '=',
                    Ok(_) => '+',
                    Err(rejection) => {
                        assert_ne!(rejection.code(), Code::Invalid, "{name}: {rejection}");
                        '.'
                    }
                },
            )
            .collect();
        assert_eq!(taken, *expected, "{name}");
    }
}

#[test]
fn what_was_opened_again_stands_where_it_was_and_says_why() {
    let responding = [
        VERIFY,
        ACTIVATE,
        took(Step::TeamDeparted),
        IncidentCommand::EndOperation,
    ];
    let again = after(&[&responding[..], &[reopen()]].concat());
    assert_eq!(again.status, Status::Responding);
    assert_eq!(again.reason, "REOPEN_REASON_RECURRED");
    let unmerged = after(&[MERGE, reopen()]);
    assert_eq!(
        (unmerged.status, unmerged.duplicate_of),
        (Status::Reported, None)
    );
    assert_eq!(after(&[cancel()]).reason, "CANCEL_REASON_STOOD_DOWN");
    assert_eq!(
        after(&[VERIFY, ACTIVATE, IncidentCommand::EndOperation, reopen()]).status,
        Status::Activated,
        "no team had departed"
    );
}

#[test]
fn a_team_may_depart_first_after_an_operation_was_opened_again() {
    let state = after(&[
        VERIFY,
        ACTIVATE,
        IncidentCommand::EndOperation,
        reopen(),
        took(Step::TeamDeparted),
    ]);
    assert_eq!(state.status, Status::Responding);
    let ended = step(Some(state), &IncidentCommand::EndOperation, &context(30)).unwrap();
    let late = decide(Some(&ended), &took(Step::OnScene), &context(31)).unwrap_err();
    assert!(late.to_string().contains("the arrival"), "{late}");
}

#[test]
fn times_lie_in_the_order_of_a_response_and_a_mistyped_one_is_told_again() {
    let at = |minute: i64, state: &IncidentState, step: Step| {
        decide(Some(state), &took(step), &context(minute))
    };
    let activated = after(&[VERIFY, ACTIVATE]);
    let early = at(1, &activated, Step::TeamDeparted).unwrap_err();
    assert!(early.to_string().starts_with("the departure at"), "{early}");
    let late = at(5, &activated, Step::Occurred).unwrap_err();
    assert!(late.to_string().contains("before the event"), "{late}");
    let departed = step(Some(activated), &took(Step::TeamDeparted), &context(10)).unwrap();
    assert_eq!(
        departed.milestones.last(),
        Some(&(Status::Responding, NOW.plus_seconds(600)))
    );
    assert!(at(9, &departed, Step::OnScene).is_err());
    let arrived = step(Some(departed), &took(Step::OnScene), &context(20)).unwrap();
    assert!(
        at(21, &arrived, Step::TeamDeparted).is_err(),
        "after the arrival"
    );
    let told_again = step(Some(arrived), &took(Step::TeamDeparted), &context(12)).unwrap();
    assert_eq!(
        told_again.step(Step::TeamDeparted),
        Some(NOW.plus_seconds(720))
    );
}

#[test]
fn the_command_is_handed_over_and_other_posts_have_several_holders() {
    let state = after(&[
        VERIFY,
        ACTIVATE,
        fill(Post::Commander, 1),
        fill(Post::Logistics, 2),
        fill(Post::Logistics, 3),
        fill(Post::Commander, 4),
        vacate(Post::Logistics, 2),
    ]);
    let holders = |post| state.operation.holders(post).collect::<Vec<_>>();
    assert_eq!(holders(Post::Commander), [Id([4; 16])]);
    assert_eq!(holders(Post::Logistics), [Id([3; 16])]);
    assert_eq!(state.operation.posts.len(), 4, "who left is still told");
    assert_eq!(state.operation.posts[0].until, Some(NOW.plus_seconds(360)));
    let again = decide(Some(&state), &fill(Post::Commander, 4), &context(60));
    assert_eq!(again, Ok(vec![]), "nothing changes");
    let gone = decide(Some(&state), &vacate(Post::Commander, 1), &context(60)).unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
}

#[test]
fn a_call_goes_up_names_the_posts_and_the_next_follows_when_nobody_answers() {
    let called = after(&[escalate(EscalationLevel::Branch)]);
    let call = called.operation.escalation.clone().unwrap();
    assert_eq!(call.called, [Post::Assessment, Post::Commander]);
    let by = NOW.plus_seconds(60 + 15 * 60);
    assert_eq!(
        called.operation.unanswered(),
        Some((EscalationLevel::Branch, by))
    );
    let again = refused(
        &[escalate(EscalationLevel::Branch)],
        &escalate(EscalationLevel::Branch),
    );
    assert_eq!(again.code(), Code::Conflict);

    let next = IncidentCommand::Change {
        change: Change::unanswered(EscalationLevel::Branch).unwrap(),
        note: None,
    };
    let next = step(Some(called), &next, &context(16)).unwrap();
    let call = next.operation.escalation.clone().unwrap();
    assert_eq!(
        (call.level, call.automatic),
        (EscalationLevel::Province, true)
    );
    let answer = answered(EscalationLevel::Province);
    let answered = step(Some(next), &answer, &context(20)).unwrap();
    assert_eq!(answered.operation.unanswered(), None);
    assert!(
        decide(
            Some(&answered),
            &escalate(EscalationLevel::Branch),
            &context(30)
        )
        .is_err()
    );
    assert_eq!(Change::unanswered(EscalationLevel::National), None);
}

#[test]
fn periods_follow_each_other_and_one_set_anew_is_approved_anew() {
    let given = [VERIFY, ACTIVATE, period(1, 1, 13), approve(1)];
    let state = after(&given);
    assert_eq!(
        state.operation.periods[0].approved_at,
        Some(NOW.plus_seconds(240))
    );
    let left_out = refused(&given, &period(9, 30, 40));
    assert_eq!(left_out, IncidentRejection::NotNext { number: 9, next: 2 });
    assert!(matches!(
        refused(&given, &period(2, 12, 24)),
        IncidentRejection::Before { .. }
    ));
    assert!(matches!(
        refused(&given, &period(2, 14, 14)),
        IncidentRejection::Before { .. }
    ));
    let anew = after(&[&given[..], &[period(1, 1, 12), period(2, 12, 24)]].concat());
    assert_eq!(anew.operation.periods[0].approved_at, None);
    assert_eq!(anew.operation.periods.len(), 2);
}

#[test]
fn an_objective_is_worded_in_a_note_of_its_own_and_settled_once() {
    let state = after(&[VERIFY, ACTIVATE]);
    let events = decide(Some(&state), &objective(), &context(60)).unwrap();
    let [
        IncidentEvent::ObjectiveSet(set),
        IncidentEvent::Noted(noted),
    ] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!(noted.about, set.objective_id);
    let unworded = parsed(Wire::SetObjective(IncidentObjectiveSet::default()), " ");
    assert!(matches!(
        unworded,
        Err(IncidentRejection::Invalid { field: "note", .. })
    ));

    let settle = settle(set.objective_id.clone());
    let met = step(
        Some(after(&[VERIFY, ACTIVATE, objective()])),
        &settle,
        &context(60),
    )
    .unwrap();
    assert!(met.operation.objectives[0].aim.settled.is_some());
    assert!(decide(Some(&met), &settle, &context(61)).is_err());
    assert_eq!(refused(&[VERIFY, ACTIVATE], &settle).code(), Code::NotFound);
}

#[test]
fn an_incident_has_one_parent_and_a_glide_number_is_only_noted() {
    let given = [relate(Relation::Parent, 2), relate(Relation::Related, 3)];
    assert!(matches!(
        refused(&given, &relate(Relation::Parent, 4)),
        IncidentRejection::Holds { .. }
    ));
    let moved = after(&[&given[..], &[unrelate(2), relate(Relation::Parent, 4)]].concat());
    assert_eq!(moved.related.len(), 2);
    let itself = parsed(
        Wire::Relate(IncidentRelated {
            relation: Relation::Parent.into(),
            origin: "32".into(),
            incident_id: vec![1; 16],
        }),
        "",
    );
    assert!(matches!(itself, Err(IncidentRejection::Invalid { .. })));
    assert_eq!(
        after(&[glide("EQ-2022-000373-IDN")]).glide,
        "EQ-2022-000373-IDN"
    );
    assert_eq!(
        refused(&[], &glide("EQ-2022-373-IDN")).code(),
        Code::Invalid
    );
}

#[test]
fn judgements_and_corrections_keep_what_was_said_before() {
    let state = after(&[
        judge(Severity::Extreme),
        judge(Severity::Extreme),
        judge(Severity::Moderate),
    ]);
    let judged: Vec<Severity> = state
        .judgements
        .iter()
        .map(|(severity, _)| *severity)
        .collect();
    assert_eq!(
        judged,
        [Severity::Severe, Severity::Extreme, Severity::Moderate]
    );
    assert_eq!(state.severity(), Severity::Moderate);

    let correction = |count, minute| match dead(count, minute) {
        IncidentCommand::RecordImpact {
            figures,
            source,
            as_of,
            ..
        } => IncidentCommand::RecordImpact {
            figures,
            source,
            as_of,
            correction: true,
            assessment: None,
        },
        other => other,
    };
    let state = after(&[dead(334, 5), correction(331, 4)]);
    let held = state
        .figure(Measure::Dead, FigureSource::Government)
        .unwrap();
    assert_eq!((held.count, held.corrected), (331, true));
    assert_eq!(refused(&[], &correction(1, 0)).code(), Code::NotFound);
}

#[test]
fn figures_by_sex_and_age_stand_beside_the_whole_and_are_not_more_than_it() {
    let figure = |count, sex: Sex, age_band: AgeBand| Figure {
        measure: Measure::Displaced.into(),
        count,
        sex: sex.into(),
        age_band: age_band.into(),
    };
    let request = |figures| RecordImpactRequest {
        figures,
        source: FigureSource::Pmi.into(),
        as_of: Some(NOW.into()),
        ..Default::default()
    };
    let whole = figure(100, Sex::Unspecified, AgeBand::Unspecified);
    let women = figure(60, Sex::Female, AgeBand::Unspecified);
    let girls = figure(20, Sex::Female, AgeBand::AgeBand612);
    let fits = IncidentCommand::try_from(&request(vec![whole, women, girls])).unwrap();
    let state = after(&[fits]);
    assert_eq!(state.figures.len(), 3);
    assert_eq!(
        state
            .figure(Measure::Displaced, FigureSource::Pmi)
            .unwrap()
            .count,
        100
    );
    let men = figure(41, Sex::Male, AgeBand::Unspecified);
    assert!(IncidentCommand::try_from(&request(vec![whole, women, men])).is_err());
    let houses = Figure {
        measure: Measure::HousesFlooded.into(),
        ..women
    };
    assert!(IncidentCommand::try_from(&request(vec![houses])).is_err());
}

#[test]
fn a_change_is_checked_at_the_door() {
    let field = |change: Wire| match parsed(change, "") {
        Err(IncidentRejection::Invalid { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    let none = IncidentCommand::try_from(&ChangeIncidentRequest::default());
    assert!(matches!(
        none,
        Err(IncidentRejection::Invalid {
            field: "change",
            ..
        })
    ));
    let cases = [
        (
            Wire::TakeStep(IncidentStepTaken { step: 0 }),
            "take_step.step",
        ),
        (
            Wire::SetScale(IncidentScaleSet { scale: 9 }),
            "set_scale.scale",
        ),
        (Wire::Cancel(IncidentCancelled::default()), "cancel.reason"),
        (
            Wire::FillPost(IncidentPostFilled {
                post: Post::Commander.into(),
                account_ref: vec![1],
            }),
            "fill_post.account_ref",
        ),
        (
            Wire::Escalate(IncidentEscalated {
                level: EscalationLevel::Branch.into(),
                automatic: true,
                ..Default::default()
            }),
            "escalate",
        ),
        (
            Wire::PlanPeriod(IncidentPeriodPlanned {
                number: 1,
                ..Default::default()
            }),
            "plan_period.from",
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(field(change), expected);
    }
}
