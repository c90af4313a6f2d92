//! What an account holds, and how each event changes that.

use posko_proto::{
    Id,
    account::v1,
    common::v1::{Position, Role},
    time::Millis,
};
use serde::{Deserialize, Serialize};

use crate::{
    context::Recorded,
    event::{AccountEvent, IllegalEvent},
    warning::subscription::Subscription,
    wire,
};

/// What an account holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountState {
    /// The roles not revoked, in the order in which they were given.
    pub grants: Vec<HeldGrant>,
    /// Whether it may not log in any more.
    pub disabled: bool,
    /// When the password was last changed.
    pub password_changed_at: Option<Millis>,
    /// Which warnings it is told of, oldest first.
    pub subscriptions: Vec<Subscription>,
    /// Up to where it has seen them; none when it never said so.
    pub seen: Option<Seen>,
    /// The stream's version.
    pub version: u32,
    /// When the node recorded the first event.
    pub created_at: Millis,
    /// When the node recorded the newest event.
    pub recorded_at: Millis,
}

/// Up to where an account has seen its warnings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// How far it had seen each log.
    #[serde(with = "wire::messages")]
    pub positions: Vec<Position>,
    /// Up to when it had seen what expired.
    pub until: Millis,
}

/// A role held in a scope for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// What may be done.
    #[serde(with = "wire::number")]
    pub role: Role,
    /// Where: a region code, a zone id, or empty for the whole node.
    pub scope: String,
    /// Since when; none means at once.
    pub from: Option<Millis>,
    /// Until when, not included; none means without end.
    pub until: Option<Millis>,
    /// The account on whose behalf it is held.
    pub delegated_by: Option<Id>,
}

/// A grant with its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldGrant {
    /// The grant's id.
    pub id: Id,
    /// What is held.
    pub grant: Grant,
}

impl AccountState {
    /// Returns the grant with the id.
    pub fn grant(&self, id: Id) -> Option<&Grant> {
        self.grants
            .iter()
            .find(|held| held.id == id)
            .map(|held| &held.grant)
    }

    /// Returns the subscription with the id.
    pub fn subscription(&self, id: Id) -> Option<&Subscription> {
        self.subscriptions
            .iter()
            .find(|subscription| subscription.id == id)
    }
}

impl Grant {
    /// Says whether it is held at the moment.
    pub fn in_force(&self, now: Millis) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}

impl From<Grant> for v1::Grant {
    fn from(grant: Grant) -> Self {
        Self {
            role: grant.role.into(),
            scope: grant.scope,
            from: grant.from.map(Into::into),
            until: grant.until.map(Into::into),
            delegated_by: grant.delegated_by.map(Id::to_vec).unwrap_or_default(),
        }
    }
}

/// Folds an event into the state: total and deterministic.
/// An event that the node should not have written is refused with its reason, and the state stays as it was.
pub fn apply(
    state: Option<AccountState>,
    event: &AccountEvent,
    recorded: &Recorded,
) -> Result<AccountState, IllegalEvent> {
    let name = event.kind().name;
    if recorded.exercise {
        return Err(IllegalEvent::ExerciseMixed { event: name });
    }
    let begun = |state: Option<AccountState>| state.ok_or(IllegalEvent::NotBegun { event: name });
    let state = match event {
        AccountEvent::Created(_) if state.is_some() => {
            return Err(IllegalEvent::AlreadyBegun { event: name });
        }
        AccountEvent::Created(_) => AccountState {
            grants: Vec::new(),
            disabled: false,
            password_changed_at: None,
            subscriptions: Vec::new(),
            seen: None,
            version: recorded.version,
            created_at: recorded.at,
            recorded_at: recorded.at,
        },
        AccountEvent::RoleGranted(granted) => {
            let mut state = begun(state)?;
            let held = held(granted)?;
            if state.disabled || state.grant(held.id).is_some() {
                return Err(IllegalEvent::WrongState {
                    event: name,
                    from: standing(&state),
                });
            }
            state.grants.push(held);
            state
        }
        AccountEvent::RoleRevoked(revoked) => {
            let mut state = begun(state)?;
            let id = id_of(name, &revoked.grant_id)?;
            if state.grant(id).is_none() {
                return Err(IllegalEvent::WrongState {
                    event: name,
                    from: standing(&state),
                });
            }
            state.grants.retain(|held| held.id != id);
            state
        }
        AccountEvent::PasswordChanged(_) => {
            let state = begun(state)?;
            if state.disabled {
                return Err(IllegalEvent::WrongState {
                    event: name,
                    from: standing(&state),
                });
            }
            AccountState {
                password_changed_at: Some(recorded.at),
                ..state
            }
        }
        AccountEvent::Disabled(_) => {
            let state = begun(state)?;
            if state.disabled {
                return Err(IllegalEvent::WrongState {
                    event: name,
                    from: standing(&state),
                });
            }
            AccountState {
                disabled: true,
                ..state
            }
        }
        // What it allows is the node's, for one run; the account holds the same as before.
        AccountEvent::RiskAccepted(_) => {
            let state = begun(state)?;
            if state.disabled {
                return Err(IllegalEvent::WrongState {
                    event: name,
                    from: standing(&state),
                });
            }
            state
        }
        AccountEvent::WarningsSubscribed(subscribed) => {
            let mut state = begun(state)?;
            let malformed = |_| IllegalEvent::Malformed {
                event: name,
                field: "subscription_id",
            };
            let id = Id::try_from(subscribed.subscription_id.as_slice()).map_err(malformed)?;
            if state.disabled || state.subscription(id).is_some() {
                return Err(IllegalEvent::WrongState {
                    event: name,
                    from: standing(&state),
                });
            }
            state.subscriptions.push(Subscription {
                id,
                region: subscribed.region.clone(),
                hazard: subscribed.hazard(),
                severity: subscribed.severity(),
                exercises: subscribed.exercises,
                since: recorded.at,
            });
            state
        }
        AccountEvent::WarningsUnsubscribed(ended) => {
            let mut state = begun(state)?;
            let held = state.subscriptions.len();
            let ended = ended.subscription_id.as_slice();
            state
                .subscriptions
                .retain(|subscription| subscription.id.as_bytes() != ended);
            if state.subscriptions.len() == held {
                return Err(IllegalEvent::WrongState {
                    event: name,
                    from: standing(&state),
                });
            }
            state
        }
        AccountEvent::WarningsSeen(seen) => {
            let until = seen.until.as_ref().and_then(|at| Millis::try_from(at).ok());
            let malformed = IllegalEvent::Malformed {
                event: name,
                field: "until",
            };
            AccountState {
                seen: Some(Seen {
                    positions: seen.seen.clone(),
                    until: until.ok_or(malformed)?,
                }),
                ..begun(state)?
            }
        }
    };
    Ok(AccountState {
        version: recorded.version,
        recorded_at: recorded.at,
        ..state
    })
}

/// A grant as recorded. What cannot be read exactly must not give a right, so it is refused as a whole.
fn held(granted: &v1::RoleGranted) -> Result<HeldGrant, IllegalEvent> {
    const NAME: &str = "RoleGranted";
    let malformed = |field| IllegalEvent::Malformed { event: NAME, field };
    let grant = granted.grant.as_ref().ok_or(malformed("grant"))?;
    // The scope may be of a newer edition of the codes: then it covers just what its code says.
    let time = |field, at: Option<&prost_types::Timestamp>| {
        at.map(|at| Millis::try_from(at).map_err(|_| malformed(field)))
            .transpose()
    };
    let delegated_by = match grant.delegated_by.as_slice() {
        [] => None,
        bytes => Some(Id::try_from(bytes).map_err(|_| malformed("grant.delegated_by"))?),
    };
    Ok(HeldGrant {
        id: id_of(NAME, &granted.grant_id)?,
        grant: Grant {
            role: Role::try_from(grant.role).map_err(|_| malformed("grant.role"))?,
            scope: grant.scope.clone(),
            from: time("grant.from", grant.from.as_ref())?,
            until: time("grant.until", grant.until.as_ref())?,
            delegated_by,
        },
    })
}

fn id_of(event: &'static str, bytes: &[u8]) -> Result<Id, IllegalEvent> {
    Id::try_from(bytes).map_err(|_| IllegalEvent::Malformed {
        event,
        field: "grant_id",
    })
}

fn standing(state: &AccountState) -> &'static str {
    if state.disabled {
        "DISABLED"
    } else {
        "ENABLED"
    }
}
