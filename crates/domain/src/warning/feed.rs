//! Feeds: how each is, as the node that asks it has recorded it, so that every province knows of a dead one.
//!
//! ```text
//! not asked ──▶ ok ◀──▶ late ──▶ dead
//!                ▲        │        │
//!                └────────┴── invalid      any of them ──gone from the configuration──▶ retired
//! ```
//! Which of them it is follows from its answers and the time, and is judged where the feed is asked.
//! What it never does: record the same twice.

use posko_proto::{
    Id,
    time::Millis,
    warning::v1::{FeedHealth, FeedHealthChanged, FeedRetired},
};
use serde::{Deserialize, Serialize};

pub use crate::event::FeedEvent;
use crate::{
    context::{Recorded, derived},
    event::IllegalEvent,
    wire,
};

/// What the node says of a feed that it asks.
#[derive(Debug, Clone, PartialEq)]
pub enum FeedCommand {
    /// How it is from now on.
    Change(FeedHealthChanged),
    /// It is asked no more.
    Retire,
}

/// How a feed is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedState {
    /// What was said last.
    #[serde(with = "wire::message")]
    pub said: FeedHealthChanged,
    /// Whether it is asked no more.
    pub retired: bool,
    /// The stream's version.
    pub version: u32,
    /// When its owner recorded the newest event.
    pub recorded_at: Millis,
}

impl FeedState {
    /// Says whether somebody must look after it: it is dead, or answers with what cannot be read.
    pub fn is_alarm(&self) -> bool {
        !self.retired && is_alarm(self.said.health())
    }
}

/// Says whether somebody must look after a feed that is so.
pub fn is_alarm(health: FeedHealth) -> bool {
    matches!(health, FeedHealth::Dead | FeedHealth::Invalid)
}

/// Returns the stream of a node's feed: the first 16 bytes of SHA-256(`posko/feed/v1\0` | its name).
pub fn feed_stream(name: &str) -> Id {
    derived(&[b"posko/feed/v1\0", name.as_bytes()])
}

/// Decides on what the node says: the event that follows from it, or none when it is known already.
pub fn decide(state: Option<&FeedState>, command: &FeedCommand) -> Option<FeedEvent> {
    let asked = state.filter(|state| !state.retired);
    match command {
        FeedCommand::Change(said) => {
            let is_known = asked.is_some_and(|state| is_same(&state.said, said));
            (!is_known).then(|| FeedEvent::HealthChanged(said.clone()))
        }
        FeedCommand::Retire => asked.map(|_| FeedEvent::Retired(FeedRetired {})),
    }
}

/// Says whether a feed is as it was: when it answered last is no change.
pub fn is_same(before: &FeedHealthChanged, after: &FeedHealthChanged) -> bool {
    let before = FeedHealthChanged {
        last_answer_at: after.last_answer_at,
        last_success_at: after.last_success_at,
        ..before.clone()
    };
    before == *after
}

/// Folds an event into the state: total and deterministic.
pub fn apply(
    state: Option<&FeedState>,
    event: &FeedEvent,
    recorded: &Recorded,
) -> Result<FeedState, IllegalEvent> {
    let name = event.kind().name;
    if recorded.exercise {
        return Err(IllegalEvent::ExerciseMixed { event: name });
    }
    let (said, retired) = match event {
        FeedEvent::HealthChanged(said) => {
            if said.name.is_empty() || state.is_some_and(|state| state.said.name != said.name) {
                return Err(IllegalEvent::Malformed {
                    event: name,
                    field: "name",
                });
            }
            (said.clone(), false)
        }
        FeedEvent::Retired(_) => {
            let state = state.ok_or(IllegalEvent::NotBegun { event: name })?;
            (state.said.clone(), true)
        }
    };
    Ok(FeedState {
        said,
        retired,
        version: recorded.version,
        recorded_at: recorded.at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(health: FeedHealth, since: i64) -> FeedHealthChanged {
        FeedHealthChanged {
            name: "bmkg-gempa".into(),
            health: health.into(),
            since: Some(Millis(since).into()),
            ..FeedHealthChanged::default()
        }
    }

    fn recorded(version: u32) -> Recorded {
        Recorded {
            origin: "32".parse().unwrap(),
            at: Millis(9_000),
            occurred_at: Millis(9_000),
            actor: Id::default(),
            exercise: false,
            version,
        }
    }

    #[test]
    fn a_change_is_recorded_once_and_a_retired_feed_that_comes_back_anew() {
        let dead = FeedCommand::Change(said(FeedHealth::Dead, 1_000));
        let event = decide(None, &dead).unwrap();
        let state = apply(None, &event, &recorded(1)).unwrap();
        assert!(state.is_alarm());
        assert_eq!(decide(Some(&state), &dead), None);
        let answered = FeedHealthChanged {
            last_answer_at: Some(Millis(5_000).into()),
            ..said(FeedHealth::Dead, 1_000)
        };
        assert_eq!(decide(Some(&state), &FeedCommand::Change(answered)), None);

        let event = decide(Some(&state), &FeedCommand::Retire).unwrap();
        let retired = apply(Some(&state), &event, &recorded(2)).unwrap();
        assert!(
            !retired.is_alarm(),
            "nobody waits for what is asked no more"
        );
        assert_eq!(decide(Some(&retired), &FeedCommand::Retire), None);
        assert!(decide(Some(&retired), &dead).is_some());
    }

    #[test]
    fn an_event_that_its_owner_should_not_have_written_changes_nothing() {
        let retired = FeedEvent::Retired(FeedRetired {});
        assert!(apply(None, &retired, &recorded(1)).is_err());
        let nameless = FeedEvent::HealthChanged(FeedHealthChanged::default());
        assert!(apply(None, &nameless, &recorded(1)).is_err());
        let ok = FeedEvent::HealthChanged(said(FeedHealth::Ok, 0));
        let state = apply(None, &ok, &recorded(1)).unwrap();
        let other = FeedEvent::HealthChanged(FeedHealthChanged {
            name: "katulampa".into(),
            ..said(FeedHealth::Ok, 0)
        });
        assert!(apply(Some(&state), &other, &recorded(2)).is_err());
        let drill = Recorded {
            exercise: true,
            ..recorded(2)
        };
        assert!(apply(Some(&state), &ok, &drill).is_err());
    }
}
