use posko_proto::{
    Id,
    directive::v1::{
        DirectiveIssued, DirectiveWithdrawn, IssueDirectiveRequest, Priority, State,
        WithdrawDirectiveRequest,
    },
    time::Millis,
};
use proptest::prelude::*;

use crate::{
    code::{Code, Rejection},
    context::{Context, Recorded},
    directive::{
        DirectiveCommand, DirectiveRejection, DirectiveState, addresses, apply, decide, standing,
    },
    event::{DirectiveEvent, Event, IllegalEvent, KINDS},
};

/// 21 November 2022, 06:30 UTC.
const NOW: Millis = Millis(1_669_012_200_000);

fn context() -> Context {
    Context {
        node: "ims".parse().unwrap(),
        now: NOW,
        occurred_at: NOW,
        exercise: false,
        last_number: 0,
    }
}

fn recorded(version: u32) -> Recorded {
    Recorded {
        origin: "ims".parse().unwrap(),
        at: NOW,
        occurred_at: NOW,
        actor: Id([9; 16]),
        exercise: false,
        version,
    }
}

fn said() -> DirectiveIssued {
    DirectiveIssued {
        title: "Siapkan dapur umum".into(),
        body: "Setiap provinsi menyiapkan satu dapur umum di wilayah perbatasan.".into(),
        priority: Priority::Urgent.into(),
        ..DirectiveIssued::default()
    }
}

fn parse(directive: DirectiveIssued) -> Result<DirectiveCommand, DirectiveRejection> {
    DirectiveCommand::try_from(&IssueDirectiveRequest {
        meta: None,
        directive: Some(directive),
    })
}

fn issued(directive: DirectiveIssued) -> DirectiveState {
    let events = decide(None, &parse(directive).unwrap(), &context()).unwrap();
    apply(None, &events[0], &recorded(1)).unwrap()
}

fn withdraw() -> DirectiveCommand {
    let reason = "Keliru alamat".into();
    DirectiveCommand::Withdraw { reason }
}

#[test]
fn a_directive_is_open_until_its_end_or_until_it_is_withdrawn() {
    let until = Some(NOW.plus_seconds(3600).into());
    let state = issued(DirectiveIssued {
        valid_until: until,
        ..said()
    });
    assert_eq!(standing(&state, NOW.plus_seconds(3599)), State::Open);
    assert_eq!(standing(&state, NOW.plus_seconds(3600)), State::Expired);
    let endless = issued(said());
    assert_eq!(standing(&endless, Millis(i64::MAX)), State::Open);

    let events = decide(Some(&endless), &withdraw(), &context()).unwrap();
    let state = apply(Some(endless), &events[0], &recorded(2)).unwrap();
    assert_eq!(standing(&state, NOW), State::Withdrawn);
    assert_eq!(
        (state.withdrawn.as_deref(), state.version),
        (Some("Keliru alamat"), 2)
    );
    let again = decide(Some(&state), &withdraw(), &context()).unwrap_err();
    assert_eq!(
        (again.to_string().as_str(), again.code()),
        (
            "directive `Siapkan dapur umum` is already withdrawn",
            Code::Conflict
        )
    );
}

#[test]
fn what_was_never_issued_is_not_withdrawn() {
    assert_eq!(
        decide(None, &withdraw(), &context()),
        Err(DirectiveRejection::NotFound)
    );
}

#[test]
fn a_directive_is_addressed_to_provinces_to_zones_or_to_all() {
    let to = |provinces: &[&str], zones: &[&str]| {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let state = issued(DirectiveIssued {
            province_codes: texts(provinces),
            zone_ids: texts(zones),
            ..said()
        });
        ["31", "32", "36", "ims"].map(|node| addresses(&state, node.parse().unwrap()))
    };
    assert_eq!(to(&[], &[]), [true, true, true, true]);
    assert_eq!(to(&["36"], &[]), [false, false, true, true]);
    assert_eq!(to(&[], &["Z1"]), [true, true, false, true]);
}

#[test]
fn a_bad_directive_is_refused_with_the_field_and_what_is_expected() {
    let refused = |directive| parse(directive).unwrap_err().to_string();
    let title = |title: &str| DirectiveIssued {
        title: title.into(),
        ..said()
    };
    assert_eq!(
        refused(title(" ")),
        "field `directive.title` is ``: it must not be empty"
    );
    assert_eq!(
        refused(title(&"x".repeat(201))),
        "field `directive.title` has `201` characters: at most 200"
    );
    assert_eq!(
        refused(DirectiveIssued {
            priority: 9,
            ..said()
        }),
        "field `directive.priority` is `9`: it must be routine, urgent or immediate"
    );
    assert_eq!(
        refused(DirectiveIssued {
            province_codes: vec!["32.75".into()],
            ..said()
        }),
        "field `directive.province_codes` is `32.75`: the code of a province, such as `32`"
    );
    assert_eq!(
        refused(DirectiveIssued {
            zone_ids: vec!["Z9".into()],
            ..said()
        }),
        "field `directive.zone_ids` is `Z9`: no such border zone"
    );
    let empty = DirectiveCommand::try_from(&WithdrawDirectiveRequest::default()).unwrap_err();
    assert_eq!(
        empty.to_string(),
        "field `reason` is ``: it must not be empty"
    );
}

#[test]
fn a_directive_that_is_over_already_is_refused() {
    let past = DirectiveIssued {
        valid_until: Some(NOW.into()),
        ..said()
    };
    let refused = decide(None, &parse(past).unwrap(), &context()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "field `directive.valid_until` is `2022-11-21T06:30:00Z`, which is past: it is `2022-11-21T06:30:00Z` here"
    );
}

#[test]
fn a_drill_withdraws_no_real_directive() {
    let drill = Context {
        exercise: true,
        ..context()
    };
    assert_eq!(
        decide(Some(&issued(said())), &withdraw(), &drill),
        Err(DirectiveRejection::ExerciseMixed { command: true })
    );
}

#[test]
fn a_directive_in_a_provinces_log_is_refused_by_every_fold() {
    let of_32 = Recorded {
        origin: "32".parse().unwrap(),
        ..recorded(1)
    };
    assert_eq!(
        apply(None, &DirectiveEvent::Issued(said()), &of_32),
        Err(IllegalEvent::Malformed {
            event: "DirectiveIssued",
            field: "origin"
        })
    );
    let withdrawn = DirectiveEvent::Withdrawn(DirectiveWithdrawn::default());
    assert_eq!(
        apply(None, &withdrawn, &recorded(1)),
        Err(IllegalEvent::NotBegun {
            event: "DirectiveWithdrawn"
        })
    );
}

#[test]
fn a_state_survives_being_kept() {
    let state = issued(said());
    let kept = postcard::to_stdvec(&state).unwrap();
    assert_eq!(
        postcard::from_bytes::<DirectiveState>(&kept).unwrap(),
        state
    );
}

proptest! {
    #[test]
    fn apply_and_standing_take_any_event_without_a_panic(
        at in 0..KINDS.len(),
        bytes in prop::collection::vec(any::<u8>(), 0..96),
        seconds in any::<i64>(),
        nanos in any::<i32>(),
        now in any::<i64>(),
    ) {
        let kind = KINDS[at];
        if let Ok(Event::Directive(event)) = Event::decode(kind.type_id, kind.type_version, &bytes) {
            let _ = apply(None, &event, &recorded(1));
            let _ = apply(Some(issued(said())), &event, &recorded(2));
        }
        let valid_until = Some(prost_types::Timestamp { seconds, nanos });
        let odd = DirectiveEvent::Issued(DirectiveIssued { valid_until, ..said() });
        let state = apply(None, &odd, &recorded(1)).unwrap();
        let _ = standing(&state, Millis(now));
        let _ = decide(None, &DirectiveCommand::Issue(state.issued), &context());
    }
}
