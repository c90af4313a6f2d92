//! What may be asked of an account, read from the wire at the door.

use posko_proto::{
    Id,
    account::v1::{
        self, AddAccountRequest, DisableAccountRequest, GrantRoleRequest, RevokeRoleRequest,
    },
    common::v1::Role,
    time::Millis,
    warning::v1 as warning,
};

use crate::{
    account::{AccountRejection, Grant, HeldGrant, Seen, grant_of},
    context, region,
    warning::subscription::Subscription,
    zone,
};

/// How many grants an account may be made with.
const GRANTS: usize = 100;
/// How many characters the reason of an accepted risk may have.
const REASON_CHARACTERS: usize = 500;

/// What may be asked of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountCommand {
    /// Make it.
    Create {
        /// Its first roles.
        grants: Vec<HeldGrant>,
    },
    /// Give it a role.
    Grant {
        /// The grant's id.
        grant_id: Id,
        /// What is given.
        grant: Grant,
    },
    /// Take a role back.
    Revoke {
        /// The grant.
        grant_id: Id,
    },
    /// Record that its password was changed.
    PasswordChanged,
    /// Stop it for good.
    Disable,
    /// Be told of warnings.
    Subscribe {
        /// Of which.
        subscription: Subscription,
        /// From where on they count as not seen, for the first one.
        from: Seen,
    },
    /// Be told of some warnings no more.
    Unsubscribe {
        /// The subscription.
        id: Id,
    },
    /// Say up to where its warnings are seen.
    Seen(Seen),
    /// Let the node promise again in an unproven start, on its holder's word.
    AcceptRisk {
        /// Why it cannot wait.
        reason: String,
    },
}

impl AccountCommand {
    /// Says whether it promises or gives up what there is only one of, and so waits while a start is unproven: no
    /// command about an account does.
    pub fn is_scarce(&self) -> bool {
        match self {
            Self::Create { .. }
            | Self::Grant { .. }
            | Self::Revoke { .. }
            | Self::PasswordChanged
            | Self::Disable
            | Self::Subscribe { .. }
            | Self::Unsubscribe { .. }
            | Self::Seen(_)
            | Self::AcceptRisk { .. } => false,
        }
    }

    /// Returns the texts that a person wrote.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::AcceptRisk { reason } => vec![reason],
            Self::Create { .. }
            | Self::Grant { .. }
            | Self::Revoke { .. }
            | Self::PasswordChanged
            | Self::Disable
            | Self::Subscribe { .. }
            | Self::Unsubscribe { .. }
            | Self::Seen(_) => Vec::new(),
        }
    }

    /// Reads the acceptance of an unproven start's risk: a reason of 1 to 500 characters.
    pub fn parse_accept_risk(reason: &str) -> Result<Self, AccountRejection> {
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > REASON_CHARACTERS {
            let expected = "a reason of 1 to 500 characters";
            return Err(AccountRejection::invalid("reason", reason, expected));
        }
        Ok(Self::AcceptRisk {
            reason: reason.to_owned(),
        })
    }

    /// Reads a subscription, whose id follows from the command's: a region or zone that is known, and values that are.
    pub fn parse_subscribe(
        asked: &warning::Subscription,
        command_id: Id,
        now: Millis,
        from: Seen,
    ) -> Result<Self, AccountRejection> {
        let subscription = Subscription::parse(asked, context::stream_of(command_id), now)?;
        Ok(Self::Subscribe { subscription, from })
    }

    /// Reads the making of an account; each grant's id follows from the command's.
    pub fn parse_add(
        request: &AddAccountRequest,
        command_id: Id,
    ) -> Result<Self, AccountRejection> {
        if request.grants.len() > GRANTS {
            return Err(AccountRejection::invalid(
                "grants",
                request.grants.len(),
                "at most 100 grants",
            ));
        }
        let held = |(index, grant): (u32, &v1::Grant)| {
            Ok(HeldGrant {
                id: grant_of(command_id, index),
                grant: Grant::parse(grant)?,
            })
        };
        let grants = (0..)
            .zip(&request.grants)
            .map(held)
            .collect::<Result<_, AccountRejection>>()?;
        Ok(Self::Create { grants })
    }

    /// Reads the giving of a role; the grant's id follows from the command's.
    pub fn parse_grant(
        request: &GrantRoleRequest,
        command_id: Id,
    ) -> Result<Self, AccountRejection> {
        let grant = request.grant.as_ref();
        let grant =
            grant.ok_or_else(|| AccountRejection::invalid("grant", "", "it must be given"))?;
        Ok(Self::Grant {
            grant_id: grant_of(command_id, 0),
            grant: Grant::parse(grant)?,
        })
    }
}

impl TryFrom<&RevokeRoleRequest> for AccountCommand {
    type Error = AccountRejection;

    fn try_from(request: &RevokeRoleRequest) -> Result<Self, AccountRejection> {
        let grant_id = Id::try_from(request.grant_id.as_slice()).map_err(|error| {
            AccountRejection::invalid("grant_id", error, "a grant's id of 16 bytes")
        })?;
        Ok(Self::Revoke { grant_id })
    }
}

impl From<&DisableAccountRequest> for AccountCommand {
    fn from(_: &DisableAccountRequest) -> Self {
        Self::Disable
    }
}

impl Grant {
    /// Reads a grant: a role that people may hold, a scope that is known, dates in order.
    pub fn parse(grant: &v1::Grant) -> Result<Self, AccountRejection> {
        let role = Role::try_from(grant.role).unwrap_or_default();
        if matches!(role, Role::Unspecified | Role::Feed) {
            let value = Role::try_from(grant.role)
                .map_or(grant.role.to_string(), |role| role.as_str_name().into());
            return Err(AccountRejection::invalid(
                "grant.role",
                value,
                "a role that an account may hold",
            ));
        }
        let scope = &grant.scope;
        if !scope.is_empty() && zone::find(scope).is_none() {
            region::parse(scope).map_err(|error| {
                let expected = format!(
                    "a zone such as `Z1`, a region code, or empty for the whole node; {error}"
                );
                AccountRejection::invalid("grant.scope", scope, expected)
            })?;
        }
        let (from, until) = (
            time("grant.from", grant.from.as_ref())?,
            time("grant.until", grant.until.as_ref())?,
        );
        if let Some((from, until)) = from.zip(until).filter(|(from, until)| until <= from) {
            return Err(AccountRejection::EndsBeforeItBegins { from, until });
        }
        let delegated_by = match grant.delegated_by.as_slice() {
            [] => None,
            bytes => Some(Id::try_from(bytes).map_err(|error| {
                AccountRejection::invalid(
                    "grant.delegated_by",
                    error,
                    "an account's id of 16 bytes, or empty",
                )
            })?),
        };
        Ok(Self {
            role,
            scope: scope.clone(),
            from,
            until,
            delegated_by,
        })
    }
}

fn time(
    field: &'static str,
    at: Option<&prost_types::Timestamp>,
) -> Result<Option<Millis>, AccountRejection> {
    let parse = |at: &prost_types::Timestamp| {
        let expected = "a time within the years 1 to 9999";
        Millis::try_from(at)
            .map_err(|_| AccountRejection::invalid(field, format!("{} s", at.seconds), expected))
    };
    at.map(parse).transpose()
}
