use posko_proto::{
    Id,
    account::v1::{self, AddAccountRequest, GrantRoleRequest},
    common::v1::Role,
    time::Millis,
};
use proptest::prelude::*;

use crate::{
    account::{
        AccountCommand, AccountRejection, AccountState, Action, Denial, Grant, HeldGrant, Seen,
        apply, authorize, decide, grant_of,
    },
    code::{Code, Rejection},
    context::{Context, Recorded},
    event::{Event, KINDS},
};

const NOW: Millis = Millis(1_669_012_200_000);
const ID: Id = Id([5; 16]);

fn context() -> Context {
    Context {
        node: "32".parse().unwrap(),
        now: NOW,
        occurred_at: NOW,
        exercise: false,
        last_number: 0,
    }
}

fn recorded(version: u32) -> Recorded {
    let origin = "32".parse().unwrap();
    Recorded {
        origin,
        at: NOW,
        occurred_at: NOW,
        actor: Id([9; 16]),
        exercise: false,
        version,
    }
}

fn grant(role: Role, scope: &str) -> Grant {
    Grant {
        role,
        scope: scope.into(),
        from: None,
        until: None,
        delegated_by: None,
    }
}

fn step(
    state: Option<AccountState>,
    command: &AccountCommand,
) -> Result<AccountState, AccountRejection> {
    let events = decide(state.as_ref(), command, &context())?;
    let fold = |state: Option<AccountState>, event| {
        let version = state.as_ref().map_or(0, |state| state.version) + 1;
        Some(apply(state, event, &recorded(version)).unwrap())
    };
    Ok(events.iter().fold(state, fold).unwrap())
}

fn account(grants: &[Grant]) -> AccountState {
    let grants = (0..)
        .zip(grants)
        .map(|(n, grant)| HeldGrant {
            id: grant_of(ID, n),
            grant: grant.clone(),
        })
        .collect();
    step(None, &AccountCommand::Create { grants }).unwrap()
}

fn denial(state: &AccountState, action: Action, target: Option<&str>) -> Denial {
    match authorize(state, action, target, NOW) {
        Err(AccountRejection::Forbidden { denial, .. }) => denial,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_account_is_made_with_its_roles_and_changed() {
    let state = account(&[grant(Role::DutyOfficer, "32"), grant(Role::It, "")]);
    assert_eq!((state.grants.len(), state.version), (2, 3));
    let state = step(
        Some(state),
        &AccountCommand::Revoke {
            grant_id: grant_of(ID, 0),
        },
    )
    .unwrap();
    assert_eq!(state.grants.len(), 1);
    let state = step(Some(state), &AccountCommand::PasswordChanged).unwrap();
    assert_eq!(state.password_changed_at, Some(NOW));
    let state = step(Some(state), &AccountCommand::Disable).unwrap();
    assert!(state.disabled);
    let refused = |command| step(Some(state.clone()), &command).unwrap_err();
    assert_eq!(refused(AccountCommand::Disable), AccountRejection::Disabled);
    assert_eq!(
        refused(AccountCommand::PasswordChanged),
        AccountRejection::Disabled
    );
    assert_eq!(
        refused(AccountCommand::Create { grants: Vec::new() }),
        AccountRejection::AlreadyCreated
    );
    let grant_id = Id([1; 16]);
    assert_eq!(
        refused(AccountCommand::Revoke { grant_id }),
        AccountRejection::NoSuchGrant { grant_id }
    );
    assert_eq!(
        step(None, &AccountCommand::Disable),
        Err(AccountRejection::NotFound)
    );
}

#[test]
fn a_drill_makes_no_accounts() {
    let drill = Context {
        exercise: true,
        ..context()
    };
    let refused = decide(None, &AccountCommand::Create { grants: Vec::new() }, &drill);
    assert_eq!(refused, Err(AccountRejection::Exercise));
}

#[test]
fn each_role_has_the_rights_of_the_table() {
    use Action::{
        ActivateIncident, AddNote, AttachFile, CancelWarning, CloseIncident, EndOperation,
        ListAccounts, ManageAccounts, ManageNode, ReadAccounts, ReadNode, ReadRegion, RecordImpact,
        RecordWarning, RejectIncident, ReportIncident, SubmitAssessment, VerifyIncident,
    };
    let all = [
        ReportIncident,
        VerifyIncident,
        RejectIncident,
        ActivateIncident,
        RecordImpact,
        AddNote,
        AttachFile,
        SubmitAssessment,
        EndOperation,
        CloseIncident,
        RecordWarning,
        CancelWarning,
        ReadRegion,
        ListAccounts,
        ReadAccounts,
        ManageAccounts,
        ManageNode,
        ReadNode,
    ];
    let table: [(Role, &[Action]); 5] = [
        (
            Role::Volunteer,
            &[
                ReportIncident,
                AddNote,
                AttachFile,
                SubmitAssessment,
                ReadRegion,
            ],
        ),
        (Role::Viewer, &[ReadRegion]),
        (
            Role::Auditor,
            &[ReadRegion, ListAccounts, ReadAccounts, ReadNode],
        ),
        (
            Role::It,
            &[
                ReadRegion,
                ListAccounts,
                ReadAccounts,
                ManageAccounts,
                ManageNode,
                ReadNode,
            ],
        ),
        (Role::Warehouse, &[AddNote, AttachFile, ReadRegion]),
    ];
    for (role, rights) in table {
        let state = account(&[grant(role, "")]);
        let held: Vec<_> = all
            .into_iter()
            .filter(|action| authorize(&state, *action, None, NOW).is_ok())
            .collect();
        assert_eq!(held, rights, "{role:?}");
    }
    let officer = account(&[grant(Role::DutyOfficer, "")]);
    let denied: Vec<_> = all
        .into_iter()
        .filter(|action| authorize(&officer, *action, None, NOW).is_err())
        .collect();
    assert_eq!(denied, [ReadAccounts, ManageAccounts, ManageNode]);
}

#[test]
fn a_role_holds_only_in_its_scope() {
    let may = |scope: &str, target| {
        authorize(
            &account(&[grant(Role::DutyOfficer, scope)]),
            Action::VerifyIncident,
            Some(target),
            NOW,
        )
        .is_ok()
    };
    assert!(
        may("", "32.03.01")
            && may("32", "32.03.01")
            && may("32.03", "32.03")
            && may("32.03", "32.03.01")
    );
    assert!(!may("32.03", "32.04") && !may("32.03", "32") && !may("32.03.01", "32.03"));
    assert!(may("Z1", "32.75.01") && may("Z1", "31.74") && may("Z3", "36.02"));
    assert!(!may("Z1", "32.03") && !may("Z1", "32") && !may("Z3", "32.75"));
    let state = account(&[grant(Role::DutyOfficer, "32.03")]);
    let outside = Denial::OutsideScope {
        target: "32.04".into(),
    };
    assert_eq!(
        denial(&state, Action::VerifyIncident, Some("32.04")),
        outside
    );
    assert!(authorize(&state, Action::ReadRegion, None, NOW).is_ok());
}

#[test]
fn a_role_holds_only_between_its_dates_and_while_the_account_is_enabled() {
    let dated = |from: i64, until: i64| {
        let (from, until) = (Some(NOW.plus_seconds(from)), Some(NOW.plus_seconds(until)));
        account(&[Grant {
            from,
            until,
            ..grant(Role::Viewer, "")
        }])
    };
    assert!(authorize(&dated(0, 1), Action::ReadRegion, None, NOW).is_ok());
    assert_eq!(
        denial(&dated(1, 2), Action::ReadRegion, None),
        Denial::NotInForce
    );
    assert_eq!(
        denial(&dated(-1, 0), Action::ReadRegion, None),
        Denial::NotInForce
    );
    assert_eq!(denial(&dated(0, 1), Action::AddNote, None), Denial::NoRole);
    let disabled = step(Some(dated(0, 1)), &AccountCommand::Disable).unwrap();
    assert_eq!(
        denial(&disabled, Action::ReadRegion, None),
        Denial::Disabled
    );
    let refused = authorize(&disabled, Action::ReadRegion, None, NOW).unwrap_err();
    assert_eq!(refused.code(), Code::Forbidden);
    assert_eq!(
        refused.to_string(),
        "`ReadRegion` is not allowed: the account is disabled"
    );
}

#[test]
fn an_own_role_goes_before_a_delegated_one() {
    let delegated = Grant {
        delegated_by: Some(Id([2; 16])),
        ..grant(Role::DutyOfficer, "32.03")
    };
    let held = |grants: &[Grant]| {
        authorize(&account(grants), Action::AddNote, Some("32.03"), NOW).unwrap()
    };
    assert_eq!(
        held(&[delegated.clone(), grant(Role::Board, "")]).role,
        Role::Board
    );
    let held = held(&[delegated]);
    assert_eq!(
        (held.role, held.scope.as_str(), held.delegation),
        (Role::DutyOfficer, "32.03", Some(Id([2; 16])))
    );
}

#[test]
fn grants_are_checked_at_the_door() {
    let wire = |role: i32, scope: &str| v1::Grant {
        role,
        scope: scope.into(),
        ..Default::default()
    };
    let parse = |grant: v1::Grant| {
        AccountCommand::parse_grant(
            &GrantRoleRequest {
                grant: Some(grant),
                ..Default::default()
            },
            ID,
        )
    };
    for scope in ["", "32", "32.03.01", "Z3"] {
        let granted = grant(Role::Viewer, scope);
        let command = AccountCommand::Grant {
            grant_id: grant_of(ID, 0),
            grant: granted,
        };
        assert_eq!(parse(wire(Role::Viewer.into(), scope)), Ok(command));
    }
    let message = |grant| parse(grant).unwrap_err().to_string();
    let expected = "field `grant.role` is `ROLE_FEED`: a role that an account may hold";
    assert_eq!(message(wire(Role::Feed.into(), "")), expected);
    assert!(message(wire(0, "")).contains("ROLE_UNSPECIFIED"));
    assert!(message(wire(99, "")).contains("`99`"));
    assert!(message(wire(1, "Z9")).starts_with("field `grant.scope` is `Z9`: a zone such as `Z1`"));
    let at = Some(NOW.into());
    let backwards = v1::Grant {
        from: at,
        until: at,
        ..wire(1, "")
    };
    assert!(matches!(
        parse(backwards),
        Err(AccountRejection::EndsBeforeItBegins { .. })
    ));
    let odd = v1::Grant {
        delegated_by: vec![1; 3],
        ..wire(1, "")
    };
    assert!(message(odd).contains("an id has 16 bytes, not 3"));
    assert!(AccountCommand::parse_grant(&GrantRoleRequest::default(), ID).is_err());
    let many = AddAccountRequest {
        grants: vec![wire(1, ""), wire(12, "32")],
        ..Default::default()
    };
    let AccountCommand::Create { grants } = AccountCommand::parse_add(&many, ID).unwrap() else {
        panic!()
    };
    assert_eq!(
        grants.iter().map(|held| held.id).collect::<Vec<_>>(),
        [grant_of(ID, 0), grant_of(ID, 1)]
    );
}

#[test]
fn a_risk_is_accepted_with_a_reason_by_an_account_that_may_log_in() {
    let command = AccountCommand::parse_accept_risk("  banjir di dua kabupaten ").unwrap();
    let reason = "banjir di dua kabupaten".to_owned();
    assert_eq!(command, AccountCommand::AcceptRisk { reason });
    for refused in ["", "  ", &"x".repeat(501)] {
        assert!(AccountCommand::parse_accept_risk(refused).is_err());
    }
    let held = account(&[grant(Role::DutyOfficer, "32")]);
    let after = step(Some(held.clone()), &command).unwrap();
    assert_eq!((after.version, after.grants), (3, held.grants.clone()));
    let disabled = step(Some(held), &AccountCommand::Disable).unwrap();
    assert_eq!(
        step(Some(disabled), &command),
        Err(AccountRejection::Disabled)
    );
}

#[test]
fn a_state_survives_being_kept() {
    let state = account(&[
        grant(Role::DutyOfficer, "32"),
        Grant {
            until: Some(NOW),
            ..grant(Role::It, "")
        },
    ]);
    let kept = postcard::to_stdvec(&state).unwrap();
    assert_eq!(postcard::from_bytes::<AccountState>(&kept).unwrap(), state);
}

proptest! {
    #[test]
    fn apply_takes_any_event_without_a_panic(at in 0..KINDS.len(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let kind = KINDS[at];
        if let Ok(Event::Account(event)) = Event::decode(kind.type_id, kind.type_version, &bytes) {
            let _ = apply(None, &event, &recorded(1));
            let _ = apply(Some(account(&[grant(Role::It, "")])), &event, &recorded(2));
        }
    }

    #[test]
    fn authorize_takes_any_target_without_a_panic(target in ".{0,12}", now in any::<i64>()) {
        let _ = authorize(&account(&[grant(Role::It, "Z1")]), Action::ReadRegion, Some(&target), Millis(now));
    }
}

#[test]
fn an_account_subscribes_each_thing_once_and_ends_it() {
    use crate::warning::subscription::Subscription;

    let subscription = |id: u8, region: &str| Subscription {
        id: Id([id; 16]),
        region: region.into(),
        hazard: posko_proto::common::v1::Hazard::Flood,
        severity: posko_proto::warning::v1::Severity::Severe,
        exercises: false,
        since: Millis(0),
    };
    let subscribe = |id, region| AccountCommand::Subscribe {
        subscription: subscription(id, region),
        from: Seen {
            positions: Vec::new(),
            until: Millis(1),
        },
    };
    let mut state = None;
    let mut run = |command: &AccountCommand| {
        let context = crate::context::Context {
            node: "32".parse().unwrap(),
            now: Millis(5),
            occurred_at: Millis(5),
            exercise: false,
            last_number: 0,
        };
        let events = decide(state.as_ref(), command, &context)?;
        for event in events {
            let recorded = crate::context::Recorded {
                origin: "32".parse().unwrap(),
                at: Millis(5),
                occurred_at: Millis(5),
                actor: Id([1; 16]),
                exercise: false,
                version: state
                    .as_ref()
                    .map_or(1, |state: &AccountState| state.version + 1),
            };
            state = Some(apply(state.take(), &event, &recorded).unwrap());
        }
        Ok::<_, AccountRejection>(state.clone().unwrap())
    };
    run(&AccountCommand::Create { grants: Vec::new() }).unwrap();
    let first = run(&subscribe(1, "32.75")).unwrap();
    assert_eq!(
        first.seen.unwrap().until,
        Millis(1),
        "it begins where it subscribed"
    );
    let same = run(&subscribe(2, "32.75")).unwrap_err();
    assert_eq!(
        same,
        AccountRejection::AlreadySubscribed { id: Id([1; 16]) }
    );
    assert_eq!(run(&subscribe(2, "Z1")).unwrap().subscriptions.len(), 2);
    let ended = run(&AccountCommand::Unsubscribe { id: Id([1; 16]) }).unwrap();
    assert_eq!(
        ended.subscriptions,
        [Subscription {
            since: Millis(5),
            ..subscription(2, "Z1")
        }]
    );
    let again = run(&AccountCommand::Unsubscribe { id: Id([1; 16]) }).unwrap_err();
    assert_eq!(
        again,
        AccountRejection::NoSuchSubscription { id: Id([1; 16]) }
    );
    let later = Seen {
        positions: Vec::new(),
        until: Millis(9),
    };
    assert_eq!(
        run(&AccountCommand::Seen(later.clone())).unwrap().seen,
        Some(later)
    );
}
