//! What follows from a command about an account.

use posko_proto::account::v1::{
    AccountCreated, AccountDisabled, PasswordChanged, RiskAccepted, RoleGranted, RoleRevoked,
};

use crate::{
    account::{AccountCommand, AccountRejection, AccountState, HeldGrant},
    context::Context,
    event::AccountEvent,
};

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
        AccountCommand::AcceptRisk { reason } => {
            enabled(state)?;
            AccountEvent::RiskAccepted(RiskAccepted {
                reason: reason.clone(),
            })
        }
    };
    Ok(vec![event])
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
