//! Why a command about an account, or an action of one, is refused.

use posko_proto::{Id, time::Millis};

use crate::{
    account::Action,
    code::{self, Code, Rejection},
    wire::shown,
};

/// Why a command about an account, or an action of one, is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountRejection {
    /// A field cannot be what was sent.
    #[error("field `{field}` is `{value}`: {expected}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What was sent, shortened.
        value: String,
        /// What is expected instead.
        expected: String,
    },
    /// A grant ends before it begins.
    #[error("field `grant.until` is `{}`, not after `grant.from` at `{}`", shown(*until), shown(*from))]
    EndsBeforeItBegins {
        /// Since when it would be held.
        from: Millis,
        /// Until when it would be held.
        until: Millis,
    },
    /// There is no such account.
    #[error("there is no such account here")]
    NotFound,
    /// The account holds no such grant.
    #[error("the account holds no grant `{grant_id}`")]
    NoSuchGrant {
        /// The grant.
        grant_id: Id,
    },
    /// The account has as many subscriptions as it may.
    #[error("the account has 100 subscriptions already: end one first")]
    TooManySubscriptions,
    /// The account has the same subscription.
    #[error("the account has the same subscription already: `{id}`")]
    AlreadySubscribed {
        /// The subscription.
        id: Id,
    },
    /// The account has no such subscription.
    #[error("the account has no subscription `{id}`")]
    NoSuchSubscription {
        /// The subscription.
        id: Id,
    },
    /// The account exists already.
    #[error("the account already exists")]
    AlreadyCreated,
    /// The grant is held already.
    #[error("the account already holds grant `{grant_id}`")]
    AlreadyGranted {
        /// The grant.
        grant_id: Id,
    },
    /// The account is disabled, and stays as it is.
    #[error("the account is disabled")]
    Disabled,
    /// An account is no part of an exercise.
    #[error("an account is never part of an exercise")]
    Exercise,
    /// Who manages accounts wants to change the own roles.
    #[error("nobody changes their own roles: another account with the right to must")]
    OwnRoles,
    /// The account may not do this.
    #[error("`{action}` is not allowed: {denial}")]
    Forbidden {
        /// What was to be done.
        action: Action,
        /// Why not.
        denial: Denial,
    },
}

/// Why an account may not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// It is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// None of its roles has the right.
    #[error("none of the account's roles has this right")]
    NoRole,
    /// The role that has the right is not yet, or no longer, held.
    #[error("the role with this right is not held now")]
    NotInForce,
    /// The role that has the right is held elsewhere.
    #[error("`{target}` lies outside the area of the role")]
    OutsideScope {
        /// The region that it was to be done in.
        target: String,
    },
}

impl Rejection for AccountRejection {
    fn code(&self) -> Code {
        match self {
            Self::Invalid { .. } | Self::EndsBeforeItBegins { .. } | Self::Exercise => {
                Code::Invalid
            }
            Self::NotFound | Self::NoSuchGrant { .. } | Self::NoSuchSubscription { .. } => {
                Code::NotFound
            }
            Self::TooManySubscriptions
            | Self::AlreadySubscribed { .. }
            | Self::AlreadyCreated
            | Self::AlreadyGranted { .. }
            | Self::Disabled => Code::Conflict,
            Self::OwnRoles | Self::Forbidden { .. } => Code::Forbidden,
        }
    }
}

impl AccountRejection {
    pub(crate) fn invalid(
        field: &'static str,
        value: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            field,
            value: code::excerpt(value),
            expected: expected.into(),
        }
    }
}
