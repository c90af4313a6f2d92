use posko_proto::{
    common::v1::Hazard,
    warning::v1::{Area, DismissReason, Review, State, Text},
};

use super::*;
use crate::warning::{
    Ending, WarningCommand, apply as apply_warning, decide as decide_warning, standing,
};

const NOW: Millis = Millis(1_767_589_500_250);
const AUTHOR: Id = Id([1; 16]);
const SECOND: Id = Id([2; 16]);
const DRAFT: Id = Id([9; 16]);

fn context(now: Millis) -> Context {
    Context {
        node: "32".parse().unwrap(),
        now,
        occurred_at: now,
        exercise: false,
        last_number: 0,
    }
}

fn recorded(actor: Id, version: u32) -> Recorded {
    Recorded {
        origin: "32".parse().unwrap(),
        at: NOW,
        occurred_at: NOW,
        actor,
        exercise: false,
        version,
    }
}

fn drafted() -> WarningDrafted {
    WarningDrafted {
        kind: DraftKind::Issue.into(),
        publisher: "PMI Provinsi Jawa Barat".into(),
        content: Some(Content {
            status: AlertStatus::Actual.into(),
            hazard: Hazard::Flood.into(),
            severity: Severity::Severe.into(),
            urgency: Urgency::Expected.into(),
            certainty: Certainty::Likely.into(),
            sent_at: Some(NOW.into()),
            expires_at: Some(NOW.plus_seconds(3600).into()),
            headline: "Siaga: banjir di Kota Bekasi".into(),
            description: "Air naik.".into(),
            language: "id".into(),
            sender: "posko-32@uji".into(),
            areas: vec![Area {
                region_codes: vec!["32.75".into()],
                ..Area::default()
            }],
            ..Content::default()
        }),
        ..WarningDrafted::default()
    }
}

/// Folds what an account decided.
fn folded(state: Option<DraftState>, actor: Id, events: &[DraftEvent]) -> DraftState {
    let version = state.as_ref().map_or(0, |state| state.version) + 1;
    let fold =
        |state, (event, version)| Some(apply(state, event, &recorded(actor, version)).unwrap());
    events.iter().zip(version..).fold(state, fold).unwrap()
}

fn open_draft(drafted: WarningDrafted, target: Option<&WarningState>) -> DraftState {
    let command = DraftCommand::Draft(drafted);
    let decision = decide(None, DRAFT, target, &command, &context(NOW)).unwrap();
    assert_eq!(decision.warning, None, "a draft is nobody's warning");
    folded(None, AUTHOR, &decision.draft)
}

fn approve(
    state: &DraftState,
    by: Id,
    target: Option<&WarningState>,
    now: Millis,
) -> Result<Decision, WarningRejection> {
    decide(
        Some(state),
        DRAFT,
        target,
        &DraftCommand::Approve { by },
        &context(now),
    )
}

fn warned(state: Option<WarningState>, events: &[WarningEvent]) -> WarningState {
    let version = state.as_ref().map_or(0, |state| state.version) + 1;
    let fold = |state, (event, version)| {
        Some(apply_warning(state, event, &recorded(SECOND, version)).unwrap())
    };
    events.iter().zip(version..).fold(state, fold).unwrap()
}

fn issued_warning() -> WarningState {
    let decision = approve(&open_draft(drafted(), None), SECOND, None, NOW).unwrap();
    warned(None, &decision.warning.unwrap().1)
}

fn change(kind: DraftKind, target: &WarningState) -> WarningDrafted {
    WarningDrafted {
        kind: kind.into(),
        warning_id: stream_of(Source::Own, &target.identifier).to_vec(),
        warning_version: target.version,
        ..drafted()
    }
}

#[test]
fn a_second_persons_approval_issues_the_warning_at_that_time() {
    let state = open_draft(drafted(), None);
    let later = NOW.plus_seconds(60);
    let decision = approve(&state, SECOND, None, later).unwrap();
    let (stream, events) = decision.warning.unwrap();
    assert_eq!(stream, stream_of(Source::Own, &format!("posko.32.{DRAFT}")));
    let warning = warned(None, &events);
    assert_eq!(warning.source, Source::Own);
    let sent = Millis::try_from(&warning.content.sent_at.unwrap()).unwrap();
    assert_eq!(
        sent,
        Millis(later.0 / 1000 * 1000),
        "whole seconds, of the approval"
    );
    assert_eq!(standing(&warning, later), State::InForce);
    let approved = folded(Some(state), SECOND, &decision.draft);
    assert_eq!(approved.standing(later), DraftStatus::Approved);
    assert_eq!(
        approve(&approved, Id([3; 16]), None, later),
        Err(WarningRejection::DraftDecided {
            status: DraftStatus::Approved
        })
    );
}

#[test]
fn the_account_that_drafted_never_approves() {
    let state = open_draft(drafted(), None);
    assert_eq!(
        approve(&state, AUTHOR, None, NOW),
        Err(WarningRejection::SamePerson)
    );
}

#[test]
fn a_draft_that_nobody_approved_before_its_end_is_expired() {
    let state = open_draft(drafted(), None);
    let end = NOW.plus_seconds(3600);
    assert_eq!(state.standing(end), DraftStatus::Expired);
    assert_eq!(
        approve(&state, SECOND, None, end),
        Err(WarningRejection::DraftExpired { at: end })
    );
}

#[test]
fn a_withdrawn_draft_is_given_up_for_good() {
    let state = open_draft(drafted(), None);
    let decision = decide(
        Some(&state),
        DRAFT,
        None,
        &DraftCommand::Withdraw,
        &context(NOW),
    )
    .unwrap();
    let state = folded(Some(state), AUTHOR, &decision.draft);
    let refused = WarningRejection::DraftDecided {
        status: DraftStatus::Withdrawn,
    };
    assert_eq!(approve(&state, SECOND, None, NOW), Err(refused));
    assert_eq!(
        decide(None, DRAFT, None, &DraftCommand::Withdraw, &context(NOW)),
        Err(WarningRejection::NoSuchDraft)
    );
}

#[test]
fn an_update_and_a_cancellation_refer_to_all_messages_before() {
    let first = issued_warning();
    let update = open_draft(change(DraftKind::Update, &first), Some(&first));
    let (_, events) = approve(&update, SECOND, Some(&first), NOW)
        .unwrap()
        .warning
        .unwrap();
    let updated = warned(Some(first.clone()), &events);
    assert_eq!(updated.content.references.len(), 1);
    assert_eq!(updated.content.references[0].identifier, first.identifier);
    assert_eq!(
        updated.content.references[0].warning_id,
        stream_of(Source::Own, &first.identifier).to_vec()
    );
    assert_eq!(updated.content.message_kind(), MessageKind::Update);
    let cancel = open_draft(change(DraftKind::Cancel, &updated), Some(&updated));
    let (_, events) = approve(&cancel, SECOND, Some(&updated), NOW)
        .unwrap()
        .warning
        .unwrap();
    let cancelled = warned(Some(updated.clone()), &events);
    assert!(cancelled.cancelled);
    assert_eq!(cancelled.content.references.len(), 2);
    let again = change(DraftKind::Update, &cancelled);
    assert!(matches!(
        decide(
            None,
            DRAFT,
            Some(&cancelled),
            &DraftCommand::Draft(again),
            &context(NOW)
        ),
        Err(WarningRejection::AlreadyCancelled { .. })
    ));
}

#[test]
fn a_draft_for_what_has_changed_or_ended_meanwhile_is_not_approved() {
    let first = issued_warning();
    let update = open_draft(change(DraftKind::Update, &first), Some(&first));
    let changed = WarningState {
        version: 2,
        ..first.clone()
    };
    assert!(matches!(
        approve(&update, SECOND, Some(&changed), NOW),
        Err(WarningRejection::Changed { .. })
    ));
    let mut over = first.clone();
    over.content.expires_at = Some(NOW.into());
    assert!(matches!(
        approve(&update, SECOND, Some(&over), NOW),
        Err(WarningRejection::Over { .. })
    ));
    let foreign = WarningState {
        source: Source::BmkgNowcast,
        ..first
    };
    assert!(matches!(
        approve(&update, SECOND, Some(&foreign), NOW),
        Err(WarningRejection::NotOwn { .. })
    ));
}

#[test]
fn an_own_warning_is_taken_back_by_a_draft_only() {
    let refused = decide_warning(
        Some(&issued_warning()),
        &WarningCommand::Cancel(Ending::default()),
        &context(NOW),
    );
    assert!(matches!(
        refused,
        Err(WarningRejection::NeedsApproval { .. })
    ));
}

#[test]
fn a_draft_is_whole_and_about_the_own_province() {
    let refused = |change: fn(&mut Content), shown: &str| {
        let mut draft = drafted();
        change(draft.content.as_mut().unwrap());
        let refusal = decide(
            None,
            DRAFT,
            None,
            &DraftCommand::Draft(draft),
            &context(NOW),
        )
        .unwrap_err();
        assert!(refusal.to_string().contains(shown), "{refusal}");
    };
    refused(|content| content.expires_at = None, "`content.expires_at`");
    refused(
        |content| content.headline = " ".into(),
        "`content.headline`",
    );
    refused(|content| content.severity = 0, "`content.severity`");
    refused(
        |content| content.language = "en".into(),
        "`content.language`",
    );
    refused(
        |content| content.areas.clear(),
        "`content.areas.region_codes`",
    );
    refused(
        |content| content.areas[0].region_codes = vec!["31.75".into()],
        "`31.75` lies outside of province `32`",
    );
    refused(
        |content| content.status = AlertStatus::Exercise.into(),
        "`content.status`",
    );
    refused(
        |content| {
            let text = Text {
                language: "en".into(),
                headline: "a".into(),
                description: "b".into(),
                ..Text::default()
            };
            content.texts = vec![text.clone(), text];
        },
        "each language once",
    );
}

#[test]
fn a_drills_draft_touches_nothing_real() {
    let drill = Context {
        exercise: true,
        ..context(NOW)
    };
    let mut draft = drafted();
    draft.content.as_mut().unwrap().status = AlertStatus::Exercise.into();
    let command = DraftCommand::Draft(draft.clone());
    assert!(decide(None, DRAFT, None, &command, &context(NOW)).is_err());
    let decision = decide(None, DRAFT, None, &command, &drill).unwrap();
    let DraftEvent::Drafted(_) = &decision.draft[0] else {
        panic!()
    };
    let state = DraftState {
        exercise: true,
        ..open_draft(drafted(), None)
    };
    assert!(matches!(
        approve(&state, SECOND, None, NOW),
        Err(WarningRejection::ExerciseDraftMixed { .. })
    ));
    let real = issued_warning();
    let update = WarningDrafted {
        content: draft.content,
        ..change(DraftKind::Update, &real)
    };
    let mixed = decide(
        None,
        DRAFT,
        Some(&real),
        &DraftCommand::Draft(update),
        &drill,
    );
    assert!(matches!(mixed, Err(WarningRejection::ExerciseMixed { .. })));
}

#[test]
fn a_report_is_verified_by_an_incident_or_dismissed_once() {
    let content = Content {
        channel: posko_proto::warning::v1::Channel::Telephone.into(),
        certainty: Certainty::Possible.into(),
        ..drafted().content.unwrap()
    };
    let report = WarningCommand::Report {
        reporter: "Warga".into(),
        identifier: "a".into(),
        content,
        text: Some("Air setinggi lutut".into()),
    };
    let events = decide_warning(None, &report, &context(NOW)).unwrap();
    assert!(matches!(
        events[..],
        [WarningEvent::Issued(_), WarningEvent::Noted(_)]
    ));
    let state = warned(None, &events);
    assert_eq!(state.review, Review::Unverified);
    assert_eq!(
        decide_warning(Some(&state), &report, &context(NOW)),
        Ok(Vec::new()),
        "told again"
    );

    let verified = crate::warning::verified(&state, Id([5; 16])).unwrap();
    let judged = warned(Some(state.clone()), &[verified]);
    assert_eq!(
        (judged.review, judged.incident),
        (Review::Verified, Some(Id([5; 16])))
    );
    assert_eq!(crate::warning::verified(&judged, Id([6; 16])), None);

    let dismiss = WarningCommand::Dismiss {
        reason: DismissReason::Hoax,
        note: None,
    };
    let events = decide_warning(Some(&state), &dismiss, &context(NOW)).unwrap();
    let dismissed = warned(Some(state), &events);
    assert_eq!(
        (dismissed.review, dismissed.dismissed),
        (Review::Dismissed, DismissReason::Hoax)
    );
    assert_eq!(standing(&dismissed, NOW), State::Cancelled);
    let again = decide_warning(Some(&dismissed), &dismiss, &context(NOW));
    assert!(matches!(again, Err(WarningRejection::ReportJudged { .. })));
    let none = decide_warning(Some(&issued_warning()), &dismiss, &context(NOW));
    assert!(matches!(none, Err(WarningRejection::NoReport { .. })));
}
