//! What a command leads to, by the rules of its area.

use posko_domain::{
    account::{self, AccountCommand},
    code::{Code, Refusal},
    context::Context,
    directive,
    event::{AccountEvent, Class as EventClass, Event, IncidentEvent},
    incident, log as own_log, site,
    warning::{self, feed},
};
use posko_ledger::entry::Class;
use posko_proto::{Id, NodeId, common::v1 as common, time::Millis};
use rusqlite::Connection;

use super::{Transaction, Writer, beside};
use crate::{
    StoreError,
    account::credential_taken,
    aggregate::{self, NewEvent},
    blob,
    command::{Command, Request},
    fold::{self, Stored},
    view::{self, Tables},
};

/// How many numbers at least an unproven run leaves free for those that may have been lost.
const SKIPPED_NUMBERS: u32 = 100;

/// What a command led to.
#[derive(Default)]
pub(super) struct Decided {
    pub(super) events: Vec<NewEvent>,
    /// The number that it issues.
    pub(super) number: Option<String>,
    pub(super) risk_accepted: bool,
    /// How far the other logs are here on which the decision depended.
    pub(super) frontier: Vec<common::Position>,
}

impl Decided {
    /// Takes the events of a fixed area.
    pub(super) fn of(stream: Id, events: Vec<Event>) -> Self {
        let mut decided = Self::default();
        decided.add(stream, events);
        decided
    }

    /// Adds events of a fixed area, also of another stream than the first.
    pub(super) fn add(&mut self, stream: Id, events: Vec<Event>) {
        for event in events {
            match &event {
                Event::Incident(IncidentEvent::Reported(reported)) => {
                    self.number = Some(reported.number.clone());
                }
                Event::Account(AccountEvent::RiskAccepted(_)) => self.risk_accepted = true,
                _ => {}
            }
            self.events.push(NewEvent {
                stream,
                type_id: event.type_id(),
                type_version: event.type_version(),
                class: class(&event),
                scarce: event.scarce(),
                withdrawable: event.withdrawable(),
                body: event.encode(),
            });
        }
    }
}

impl Writer {
    /// Returns the events that the command leads to, or why it is refused.
    pub(super) fn events(
        &self,
        connection: &Connection,
        transaction: &Transaction,
        request: &Request,
        state: Option<&Stored>,
    ) -> Result<Result<Decided, Refusal>, StoreError> {
        let own = self.options.identity.origin;
        let version = state.map_or(0, |state| state.version);
        if request.expected_version != 0 && request.expected_version != version {
            return Ok(Err(Refusal {
                code: Code::Conflict,
                message: format!(
                    "it has changed meanwhile: version {version} stands where version {} was expected",
                    request.expected_version
                ),
            }));
        }
        if let Some(refusal) = credential_taken(connection, request)? {
            return Ok(Err(refusal));
        }
        let context = Context {
            node: own,
            now: request.now,
            occurred_at: request.occurred_at,
            exercise: request.exercise,
            last_number: last_number(connection, own, transaction, request.now)?,
        };
        if let Some(area) = request.command.area()
            && let Err(refusal) = context.check_area(area)
        {
            return Ok(Err(refusal));
        }
        let events: Result<Vec<Event>, Refusal> = match &request.command {
            Command::Aggregate { area, body } => {
                let (decision, frontier) =
                    self.decide_aggregate(connection, transaction, request.now, *area, body)?;
                return Ok(decision.map(|events| Decided {
                    events,
                    frontier,
                    ..Decided::default()
                }));
            }
            Command::Directive(command) => {
                directive::decide(fold::directive(state)?.as_ref(), command, &context)
                    .map(|events| events.into_iter().map(Event::Directive).collect())
                    .map_err(Refusal::from)
            }
            Command::Site(command) => site::decide(fold::site(state)?.as_ref(), command, &context)
                .map(|events| events.into_iter().map(Event::Site).collect())
                .map_err(Refusal::from),
            Command::Log(command) => {
                let held = self.shared.held(connection, command)?;
                own_log::decide(fold::statement(state)?.as_ref(), command, &held, &context)
                    .map(|events| events.into_iter().map(Event::Log).collect())
                    .map_err(Refusal::from)
            }
            Command::Incident(command) => {
                let state = fold::incident(state)?;
                let events = incident::decide(state.as_ref(), command, &context);
                let events = events.map_err(Refusal::from);
                let beside = beside::refusal(connection, own, request, command, state.as_ref())?;
                match beside.filter(|_| events.is_ok()) {
                    Some(refusal) => Err(refusal),
                    None => events.map(|events| events.into_iter().map(Event::Incident).collect()),
                }
            }
            Command::Feed(command) => {
                let event = feed::decide(fold::feed(state)?.as_ref(), command);
                Ok(event.into_iter().map(Event::Feed).collect())
            }
            Command::Draft(command) => {
                return self.decide_draft(connection, request.stream, state, command, &context);
            }
            Command::Warning(command) => {
                warning::decide(fold::warning(state)?.as_ref(), command, &context)
                    .map(|events| events.into_iter().map(Event::Warning).collect())
                    .map_err(Refusal::from)
            }
            Command::Account(AccountCommand::AcceptRisk { .. })
                if transaction.run.unproven.is_none() =>
            {
                Err(no_risk())
            }
            Command::Account(command) => {
                account::decide(fold::account(state)?.as_ref(), command, &context)
                    .map(|events| events.into_iter().map(Event::Account).collect())
                    .map_err(Refusal::from)
            }
        };
        // A file is durable before an event names it.
        for file in (events.iter().flatten()).filter_map(Event::blob) {
            if let Some(refusal) = blob::refusal(connection, &file)? {
                return Ok(Err(refusal));
            }
        }
        let depends_on = match &request.command {
            Command::Incident(incident::IncidentCommand::Report { warning, .. }) => {
                warning.as_ref()
            }
            _ => None,
        };
        let frontier = depends_on
            .filter(|warning| warning.origin != own)
            .and_then(|warning| {
                aggregate::frontier_of(&transaction.logs, &self.shared, warning.origin)
            });
        let verified = match (depends_on, &events) {
            (Some(warning), Ok(_)) if warning.origin == own => {
                let report = fold::state(connection, Tables::LIVE, own, warning.id)?;
                let report = fold::warning(report.as_ref())?;
                report
                    .and_then(|report| warning::verified(&report, request.stream))
                    .map(|event| (warning.id, event))
            }
            _ => None,
        };
        Ok(events.map(|events| {
            let mut decided = Decided {
                frontier: frontier.into_iter().collect(),
                ..Decided::of(request.stream, events)
            };
            if let Some((report, event)) = verified {
                decided.add(report, vec![event.into()]);
            }
            decided
        }))
    }
}

/// Returns the last incident number of the year. The first number of an unproven run skips to the next thousand that
/// is at least a hundred ahead: what was lost may have used those between.
fn last_number(
    connection: &Connection,
    own: NodeId,
    transaction: &Transaction,
    now: Millis,
) -> Result<u32, StoreError> {
    let year = incident::year_of(now);
    let last = view::incident::last_number(connection, own, year)?;
    let skips = transaction.run.unproven.is_some() && transaction.run.numbered != Some(year);
    let skipped = (last.saturating_add(SKIPPED_NUMBERS)).checked_next_multiple_of(1000);
    Ok(skipped.filter(|_| skips).unwrap_or(last))
}

fn no_risk() -> Refusal {
    Refusal {
        code: Code::Conflict,
        message: "nothing waits: the start is proven, and there is no risk to accept".into(),
    }
}

fn class(event: &Event) -> Class {
    match event.class() {
        EventClass::Regional => Class::Regional,
        EventClass::Provinces => Class::Provinces,
        EventClass::Local => Class::Local,
    }
}
