use std::net::IpAddr;

use posko_proto::common::v1::Role;
use tonic::Code;

use super::*;
use crate::api::{
    draft::tests::{frame, person},
    ims::tests::{asked, started},
};

const PASSWORD: &str = "kata sandi yang panjang";

fn grants(number: u8, account_id: &[u8], role: Role) -> GrantRoleRequest {
    GrantRoleRequest {
        meta: Some(frame(number)),
        account_id: account_id.to_vec(),
        grant: Some(wire::Grant {
            role: role.into(),
            ..wire::Grant::default()
        }),
    }
}

/// Returns the id of an account of [`person`].
async fn account_of(api: &Api, number: u8) -> Vec<u8> {
    let known = api.ask(move |store| store.credential(&format!("orang-{number}")));
    known.await.unwrap().unwrap().0.to_vec()
}

#[tokio::test]
async fn wrong_passwords_keep_out_only_who_gives_them() {
    let (_node, api) = started().await;
    person(&api, 1, Role::DutyOfficer, "").await;
    let at = |last: u8| IpAddr::from([192, 0, 2, last]);
    let login = async |from: IpAddr, password: &str| {
        let opened = api.open_session(from, "orang-1", password, 60).await;
        opened.map(drop).map_err(|status| status.code())
    };
    for _ in 0..10 {
        assert_eq!(login(at(1), "salah").await, Err(Code::Unauthenticated));
    }
    assert_eq!(login(at(1), PASSWORD).await, Err(Code::ResourceExhausted));
    assert_eq!(login(at(2), PASSWORD).await, Ok(()));
    // From the same line another account is not kept out either.
    person(&api, 2, Role::DutyOfficer, "").await;
    let other = api.open_session(at(1), "orang-2", PASSWORD, 60).await;
    assert!(other.is_ok());
}

#[tokio::test]
async fn logins_beyond_what_is_hashed_in_a_moment_are_refused_and_one_address_leaves_room_for_others()
 {
    let (_node, api) = started().await;
    person(&api, 1, Role::DutyOfficer, "").await;
    let at = |last: u8| IpAddr::from([192, 0, 2, last]);
    let attack = (0..64).map(|number| {
        let api = api.clone();
        async move {
            let login = format!("tidak-ada-{number}");
            let opened = api.open_session(at(1), &login, "salah", 60).await;
            opened.map(drop).unwrap_err()
        }
    });
    let officer = api.open_session(at(2), "orang-1", PASSWORD, 60);
    let (refused, officer) = tokio::join!(futures::future::join_all(attack), officer);
    assert!(officer.is_ok());
    let busy = refused
        .iter()
        .filter(|status| status.code() == Code::Unavailable);
    assert_eq!(busy.count(), 56);
    let said = "too many logins at once: try again in a few seconds";
    assert!(refused.iter().any(|status| status.message() == said));
}

#[tokio::test]
async fn nobody_changes_the_own_roles() {
    let (_node, api) = started().await;
    let it = person(&api, 1, Role::It, "").await;
    person(&api, 2, Role::Viewer, "").await;
    let (own, other) = (account_of(&api, 1).await, account_of(&api, 2).await);

    let refused = api.grant_role(asked(grants(10, &own, Role::DutyOfficer), &it));
    let refused = refused.await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (
            Code::PermissionDenied,
            "nobody changes their own roles: another account with the right to must"
        )
    );
    let revoke = RevokeRoleRequest {
        meta: Some(frame(11)),
        account_id: own,
        grant_id: vec![1; 16],
    };
    let refused = api.revoke_role(asked(revoke, &it)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let granted = api.grant_role(asked(grants(12, &other, Role::DutyOfficer), &it));
    assert!(granted.await.is_ok());
}

#[tokio::test]
async fn who_changes_the_own_password_gives_the_old_one() {
    let (_node, api) = started().await;
    let officer = person(&api, 1, Role::DutyOfficer, "").await;
    let change = |number: u8, old: &str| ChangePasswordRequest {
        meta: Some(frame(number)),
        account_id: Vec::new(),
        password: "kata sandi yang baru".into(),
        old_password: old.into(),
    };
    for (number, old) in [(10, ""), (11, "salah")] {
        let refused = api.change_password(asked(change(number, old), &officer));
        let refused = refused.await.unwrap_err();
        assert_eq!(
            (refused.code(), refused.message()),
            (Code::PermissionDenied, "the old password is wrong")
        );
    }
    let changed = api.change_password(asked(change(12, PASSWORD), &officer));
    assert!(changed.await.is_ok());
    let login = async |password: &str| {
        let request = LoginRequest {
            login: "orang-1".into(),
            password: password.into(),
        };
        api.login(Request::new(request)).await.is_ok()
    };
    assert!(!login(PASSWORD).await && login("kata sandi yang baru").await);
}
