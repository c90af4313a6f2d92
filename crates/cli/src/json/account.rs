//! Accounts, grants and sessions in JSON.

use posko_proto::{account::v1 as account, common::v1::Role};
use serde::Serialize;

use super::{id, text, time};
use crate::name;

/// A role that an account holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct HeldGrant {
    grant_id: Option<String>,
    role: Option<String>,
    scope: Option<String>,
    from: Option<String>,
    until: Option<String>,
    delegated_by: Option<String>,
    in_force: bool,
}

impl From<account::HeldGrant> for HeldGrant {
    fn from(held: account::HeldGrant) -> Self {
        let grant = held.grant.unwrap_or_default();
        Self {
            grant_id: id(&held.grant_id),
            role: name::of::<Role>(grant.role),
            scope: text(&grant.scope),
            from: time(grant.from.as_ref()),
            until: time(grant.until.as_ref()),
            delegated_by: id(&grant.delegated_by),
            in_force: held.in_force,
        }
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Account {
    #[serde(rename = "account_id")]
    id: Option<String>,
    login: String,
    disabled: bool,
    grants: Vec<HeldGrant>,
    version: u32,
}

impl From<account::Account> for Account {
    fn from(account: account::Account) -> Self {
        Self {
            id: id(&account.account_id),
            login: account.login,
            disabled: account.disabled,
            grants: account.grants.into_iter().map(HeldGrant::from).collect(),
            version: account.version,
        }
    }
}

/// An open session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Session {
    #[serde(rename = "session_id")]
    id: Option<String>,
    opened_at: Option<String>,
    expires_at: Option<String>,
}

impl From<account::Session> for Session {
    fn from(session: account::Session) -> Self {
        Self {
            id: id(&session.session_id),
            opened_at: time(session.opened_at.as_ref()),
            expires_at: time(session.expires_at.as_ref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_shows_its_grants_and_never_a_secret() {
        let grant = account::Grant {
            role: Role::DutyOfficer.into(),
            scope: "32".into(),
            ..Default::default()
        };
        let held = account::HeldGrant {
            grant_id: vec![2; 16],
            grant: Some(grant),
            in_force: true,
        };
        let account = account::Account {
            account_id: vec![1; 16],
            login: "sari".into(),
            disabled: false,
            grants: vec![held],
            version: 3,
        };
        assert_eq!(
            serde_json::to_value(Account::from(account)).unwrap(),
            serde_json::json!({
                "account_id": "01010101-0101-0101-0101-010101010101",
                "login": "sari",
                "disabled": false,
                "grants": [{
                    "grant_id": "02020202-0202-0202-0202-020202020202",
                    "role": "duty_officer",
                    "scope": "32",
                    "from": null,
                    "until": null,
                    "delegated_by": null,
                    "in_force": true,
                }],
                "version": 3,
            })
        );
    }
}
