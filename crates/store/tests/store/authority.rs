//! By what right a command is decided.

use posko_domain::account::{AccountState, Action, Grant, HeldGrant};
use posko_domain::code::Code;
use posko_store::Authority;

use super::*;

fn officer_of(scope: &str) -> Authority {
    let grant = Grant {
        role: Role::DutyOfficer,
        scope: scope.into(),
        from: None,
        until: None,
        delegated_by: None,
    };
    Authority::Account {
        id: Id([8; 16]),
        state: AccountState {
            grants: vec![HeldGrant {
                id: Id::default(),
                grant,
            }],
            disabled: false,
            password_changed_at: None,
            subscriptions: Vec::new(),
            seen: None,
            version: 1,
            created_at: NOW,
            recorded_at: NOW,
        },
        action: Action::VerifyIncident,
    }
}

fn verify(number: u32, stream: Id, scope: &str) -> Request {
    let command = IncidentCommand::Verify {
        source: FigureSource::Government,
    };
    Request {
        authority: officer_of(scope),
        ..request(number, stream, command)
    }
}

#[test]
fn a_right_is_looked_for_where_the_thing_is() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path(), "32", 1);
    let incident = accepted(&store, report(1, "32.75")).stream;
    let refusal = execute(&store, verify(2, incident, "32.04")).unwrap_err();
    assert_eq!(refusal.code, Code::Forbidden, "{}", refusal.message);
    // It was not taken as a command: who may give it gives it under the same id.
    assert_eq!(accepted(&store, verify(2, incident, "32.75")).version, 3);
    // Who may not is told so, and not what another was answered.
    let refusal = execute(&store, verify(2, incident, "32.04")).unwrap_err();
    assert_eq!(refusal.code, Code::Forbidden, "{}", refusal.message);
}

#[test]
fn a_thing_of_another_node_is_refused_with_its_owner_and_an_unknown_one_as_such() {
    let dir = TempDir::new().unwrap();
    let (owner, other) = (open(dir.path(), "32", 1), open(dir.path(), "31", 1));
    accept(&other, "32");
    let reported = accepted(&owner, report(1, "32.75"));
    replicate(&owner, &other, "32", MAX_GROUP_ENTRIES);
    let refusal = execute(&other, verify(2, reported.stream, "")).unwrap_err();
    assert_eq!(refusal.code, Code::Conflict);
    let number = reported.number.unwrap();
    assert!(refusal.message.contains(&number), "{}", refusal.message);
    assert!(refusal.message.contains("node `32`"), "{}", refusal.message);
    let refusal = execute(&other, verify(3, Id([1; 16]), "")).unwrap_err();
    assert_eq!(refusal.code, Code::NotFound, "{}", refusal.message);
}
