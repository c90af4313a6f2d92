//! What was said about a log, as it is kept.

use posko_proto::{Id, time::Millis};
use serde::{Deserialize, Serialize};

use crate::{
    context::Recorded,
    event::{IllegalEvent, LogEvent},
};

/// What an owner said about entries of its log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// What was said.
    #[serde(with = "said")]
    pub said: LogEvent,
    /// The events that it is about.
    pub events: Vec<Id>,
    /// The account that said it.
    pub by: Id,
    /// When it was recorded.
    pub at: Millis,
    /// The stream's version.
    pub version: u32,
}

impl Statement {
    /// Returns the payloads that it declares lost: of which event, and the commitment; none where each of the event's is.
    pub fn lost(&self) -> impl Iterator<Item = (Id, Option<[u8; 32]>)> {
        let commits = match &self.said {
            LogEvent::PayloadLost(said) => Some(said.payload_commits.as_slice()),
            LogEvent::Disowned(_) | LogEvent::PayloadWithdrawn(_) => None,
        };
        let events = self.events.iter().filter(move |_| commits.is_some());
        let commit = move |index: usize| commits?.get(index)?.as_slice().try_into().ok();
        events
            .enumerate()
            .map(move |(index, event)| (*event, commit(index)))
    }

    /// Says whether it declares this payload lost.
    pub fn loses(&self, event: Id, payload_commit: &[u8; 32]) -> bool {
        self.lost().any(|(lost, commit)| {
            lost == event && commit.is_none_or(|commit| commit == *payload_commit)
        })
    }
}

/// Folds an event into the state: total and deterministic. A statement is made once.
pub fn apply(
    state: Option<&Statement>,
    event: &LogEvent,
    recorded: &Recorded,
) -> Result<Statement, IllegalEvent> {
    let name = event.kind().name;
    if recorded.exercise {
        return Err(IllegalEvent::ExerciseMixed { event: name });
    }
    if state.is_some() {
        return Err(IllegalEvent::AlreadyBegun { event: name });
    }
    let (field, ids) = match event {
        LogEvent::Disowned(said) => ("event_ids", said.event_ids.as_slice()),
        LogEvent::PayloadLost(said) => {
            let commits = &said.payload_commits;
            let is_whole = commits.is_empty() || commits.len() == said.event_ids.len();
            if !is_whole || commits.iter().any(|commit| commit.len() != 32) {
                let field = "payload_commits";
                return Err(IllegalEvent::Malformed { event: name, field });
            }
            ("event_ids", said.event_ids.as_slice())
        }
        LogEvent::PayloadWithdrawn(said) => ("event_id", std::slice::from_ref(&said.event_id)),
    };
    let events = ids.iter().map(|id| Id::try_from(id.as_slice()));
    let events: Vec<Id> = events
        .collect::<Result<_, _>>()
        .map_err(|_| IllegalEvent::Malformed { event: name, field })?;
    Ok(Statement {
        said: event.clone(),
        events,
        by: recorded.actor,
        at: recorded.at,
        version: recorded.version,
    })
}

/// A statement's event as its number, its version and its bytes.
mod said {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use crate::event::{Event, LogEvent};

    pub(super) fn serialize<S: Serializer>(said: &LogEvent, to: S) -> Result<S::Ok, S::Error> {
        let event = Event::Log(said.clone());
        (event.type_id(), event.type_version(), event.encode()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<LogEvent, D::Error> {
        let (type_id, type_version, bytes) = <(u32, u16, Vec<u8>)>::deserialize(from)?;
        match Event::decode(type_id, type_version, &bytes).map_err(D::Error::custom)? {
            Event::Log(said) => Ok(said),
            Event::Warning(_)
            | Event::Incident(_)
            | Event::Account(_)
            | Event::Directive(_)
            | Event::Site(_)
            | Event::Draft(_)
            | Event::Feed(_) => Err(D::Error::custom("the event is of another area")),
        }
    }
}
