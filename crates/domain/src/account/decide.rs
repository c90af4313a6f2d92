//! What follows from a command about an account.

use posko_proto::account::v1::{
    AccountCreated, AccountDisabled, PasswordChanged, RiskAccepted, RoleGranted, RoleRevoked,
    WarningsSeen, WarningsSubscribed, WarningsUnsubscribed,
};

use crate::{
    account::{AccountCommand, AccountRejection, AccountState, HeldGrant, Seen},
    context::Context,
    event::AccountEvent,
    warning::subscription::Subscription,
};

/// How many subscriptions an account may have.
const SUBSCRIPTIONS: usize = 100;

/// Decides on a command: the events that follow from it, or why there are none.
pub fn decide(
    state: Option<&AccountState>,
    command: &AccountCommand,
    context: &Context,
) -> Result<Vec<AccountEvent>, AccountRejection> {
    // A drill must not leave a working login behind.
    if context.exercise {
        return Err(AccountRejection::Exercise);
    }
    let event = match command {
        AccountCommand::Create { grants } => {
            if state.is_some() {
                return Err(AccountRejection::AlreadyCreated);
            }
            let created = [AccountEvent::Created(AccountCreated {})].into_iter();
            return Ok(created.chain(grants.iter().map(granted)).collect());
        }
        AccountCommand::Grant { grant_id, grant } => {
            if enabled(state)?.grant(*grant_id).is_some() {
                return Err(AccountRejection::AlreadyGranted {
                    grant_id: *grant_id,
                });
            }
            granted(&HeldGrant {
                id: *grant_id,
                grant: grant.clone(),
            })
        }
        AccountCommand::Revoke { grant_id } => {
            let state = state.ok_or(AccountRejection::NotFound)?;
            state
                .grant(*grant_id)
                .ok_or(AccountRejection::NoSuchGrant {
                    grant_id: *grant_id,
                })?;
            AccountEvent::RoleRevoked(RoleRevoked {
                grant_id: grant_id.to_vec(),
            })
        }
        AccountCommand::PasswordChanged => {
            enabled(state)?;
            AccountEvent::PasswordChanged(PasswordChanged {})
        }
        AccountCommand::Disable => {
            enabled(state)?;
            AccountEvent::Disabled(AccountDisabled {})
        }
        AccountCommand::Subscribe {
            subscription: asked,
            from,
        } => {
            let state = enabled(state)?;
            if state.subscriptions.len() >= SUBSCRIPTIONS {
                return Err(AccountRejection::TooManySubscriptions);
            }
            let same = |held: &Subscription| {
                (&held.region, held.hazard, held.severity, held.exercises)
                    == (&asked.region, asked.hazard, asked.severity, asked.exercises)
            };
            if let Some(held) = state.subscriptions.iter().find(|held| same(held)) {
                return Err(AccountRejection::AlreadySubscribed { id: held.id });
            }
            let subscribed = AccountEvent::WarningsSubscribed(WarningsSubscribed {
                subscription_id: asked.id.to_vec(),
                region: asked.region.clone(),
                hazard: asked.hazard.into(),
                severity: asked.severity.into(),
                exercises: asked.exercises,
            });
            // Who never said how far it has seen begins here.
            let begun = state.seen.is_none().then(|| seen_up_to(from));
            return Ok([subscribed].into_iter().chain(begun).collect());
        }
        AccountCommand::Unsubscribe { id } => {
            let state = enabled(state)?;
            let held = state.subscription(*id);
            held.ok_or(AccountRejection::NoSuchSubscription { id: *id })?;
            AccountEvent::WarningsUnsubscribed(WarningsUnsubscribed {
                subscription_id: id.to_vec(),
            })
        }
        AccountCommand::Seen(seen) => {
            enabled(state)?;
            seen_up_to(seen)
        }
        AccountCommand::AcceptRisk { reason } => {
            enabled(state)?;
            AccountEvent::RiskAccepted(RiskAccepted {
                reason: reason.clone(),
            })
        }
    };
    Ok(vec![event])
}

fn seen_up_to(seen: &Seen) -> AccountEvent {
    AccountEvent::WarningsSeen(WarningsSeen {
        seen: seen.positions.clone(),
        until: Some(seen.until.into()),
    })
}

fn enabled(state: Option<&AccountState>) -> Result<&AccountState, AccountRejection> {
    let state = state.ok_or(AccountRejection::NotFound)?;
    if state.disabled {
        Err(AccountRejection::Disabled)
    } else {
        Ok(state)
    }
}

fn granted(held: &HeldGrant) -> AccountEvent {
    AccountEvent::RoleGranted(RoleGranted {
        grant_id: held.id.to_vec(),
        grant: Some(held.grant.clone().into()),
    })
}
