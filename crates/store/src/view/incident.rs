//! Incidents: the columns by which they are listed, and their zones. What is shown of one is its state; its notes are
//! read from the log itself, so that one that is withdrawn is in no view; so are its attachments.

use std::collections::BTreeMap;

use posko_domain::{
    context::Recorded,
    event::{self, Event, IncidentEvent},
    incident::{self, IncidentState, assessment::MOST_ASSESSMENTS},
    log::Statement,
    zone,
};
use posko_proto::{
    Id, NodeId,
    incident::v1::{AnswerInWords, IncidentAssessed, IncidentAttached, Status},
    time::Millis,
};
use rusqlite::{Connection, named_params};

use super::{Reading, Tables, View, by_id, log, page};
use crate::{
    Store, StoreError,
    fold::{self, StreamEntry},
    query::PageOf,
    statement::WITHDRAWN,
};

pub(super) const INCIDENT: View = View {
    name: "incident",
    version: 4,
    create: "CREATE TABLE incident{t}(
        origin TEXT NOT NULL,
        id BLOB NOT NULL CHECK (length(id) = 16),
        number TEXT NOT NULL,
        year INTEGER NOT NULL,
        serial INTEGER NOT NULL,
        region TEXT NOT NULL,
        is_over INTEGER NOT NULL CHECK (is_over IN (0, 1)),
        historical INTEGER NOT NULL CHECK (historical IN (0, 1)),
        reported_ms INTEGER NOT NULL,
        answer_by_ms INTEGER,
        warning BLOB CHECK (length(warning) = 16),
        parent BLOB CHECK (length(parent) = 16),
        PRIMARY KEY (origin, id)
    ) WITHOUT ROWID, STRICT",
    key: "id",
};

pub(super) const INCIDENT_ZONE: View = View {
    name: "incident_zone",
    version: 1,
    create: "CREATE TABLE incident_zone{t}(
        zone TEXT NOT NULL,
        reported_ms INTEGER NOT NULL,
        origin TEXT NOT NULL,
        incident BLOB NOT NULL CHECK (length(incident) = 16),
        PRIMARY KEY (zone, reported_ms, origin, incident)
    ) WITHOUT ROWID, STRICT",
    key: "zone, incident",
};

pub(super) const INDEXES: &str = "
    DROP INDEX IF EXISTS incident_newest; CREATE INDEX incident_newest ON incident(historical, reported_ms, id);
    DROP INDEX IF EXISTS incident_number; CREATE INDEX incident_number ON incident(number);
    DROP INDEX IF EXISTS incident_call; CREATE INDEX incident_call ON incident(origin, answer_by_ms)
        WHERE answer_by_ms IS NOT NULL;
    DROP INDEX IF EXISTS incident_warning; CREATE INDEX incident_warning ON incident(warning)
        WHERE warning IS NOT NULL;
    DROP INDEX IF EXISTS incident_parent; CREATE INDEX incident_parent ON incident(parent)
        WHERE parent IS NOT NULL;
    DROP INDEX IF EXISTS incident_serial; CREATE INDEX incident_serial ON incident(origin, year, serial);
";

/// The most notes that are given with an incident.
pub const MAX_NOTES: usize = 1000;

/// An incident and how it stands.
pub type Found = super::Found<IncidentState>;

/// A log note.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// Its event.
    pub event: Id,
    /// When it was written; when it was recorded, of one that is withdrawn.
    pub at: Millis,
    /// Who wrote it; none when it is withdrawn.
    pub actor: Option<Id>,
    /// The note; empty when it is withdrawn.
    pub text: String,
    /// What it words: an objective, for one; none of a note on the incident itself, and of one that is withdrawn.
    pub about: Option<Id>,
    /// The code of the form's question that it answers, or empty.
    pub question: String,
    /// Why it was withdrawn, if it was.
    pub withdrawn: Option<Statement>,
}

/// The most attachments that are given of an incident.
pub const MAX_ATTACHMENTS: usize = 1000;
/// In how many notes of an incident captions are looked for.
const CAPTIONS: usize = 100_000;

/// A file that is attached to an incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Attachment {
    /// Its event.
    pub event: Id,
    /// When it was attached; when that was recorded, of one that is not here.
    pub at: Millis,
    /// Who attached it; none when it is withdrawn, or its entry's payload is not here yet.
    pub actor: Option<Id>,
    /// What was attached; none of one that is withdrawn, or whose payload is not here yet.
    pub attached: Option<IncidentAttached>,
    /// The newest note about it, by its event.
    pub caption: Option<(Id, String)>,
    /// Why it was withdrawn, if it was.
    pub withdrawn: Option<Statement>,
}

/// An assessment with its answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// What was answered with data; none while its payload is not here.
    pub assessed: Option<IncidentAssessed>,
    /// What was answered in words and not withdrawn.
    pub words: Vec<AnswerInWords>,
}

/// Which incidents are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this node.
    pub origin: Option<NodeId>,
    /// Within this region.
    pub region: Option<String>,
    /// In this zone.
    pub zone: Option<String>,
    /// Neither false nor merged nor closed.
    pub open_only: bool,
    /// Taken from a published record of the past; those of today otherwise.
    pub historical: bool,
}

/// A historical incident of this node as an import finds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// How it stands.
    pub state: IncidentState,
    /// Its notes, oldest first.
    pub notes: Vec<Note>,
}

/// An incident that another province has in a zone which it shares with this one.
#[derive(Debug, Clone)]
pub struct Notice {
    /// The zone.
    pub zone: String,
    /// The incident.
    pub incident: Found,
}

pub(crate) fn fold(
    connection: &Connection,
    tables: Tables,
    stream: Id,
    event: &IncidentEvent,
    state: &IncidentState,
    recorded: &Recorded,
) -> Result<(), StoreError> {
    match event {
        IncidentEvent::Reported(_) | IncidentEvent::Imported(_) => {
            insert(connection, tables, stream, state, recorded)
        }
        IncidentEvent::Noted(_)
        | IncidentEvent::Attached(_)
        | IncidentEvent::ImpactRecorded(_)
        | IncidentEvent::SeverityJudged(_)
        | IncidentEvent::ScaleSet(_)
        | IncidentEvent::StepTaken(_)
        | IncidentEvent::GlideAssigned(_)
        | IncidentEvent::PostFilled(_)
        | IncidentEvent::PostVacated(_)
        | IncidentEvent::PeriodPlanned(_)
        | IncidentEvent::PlanApproved(_)
        | IncidentEvent::ObjectiveSet(_)
        | IncidentEvent::ObjectiveSettled(_)
        | IncidentEvent::NeedSet(_)
        | IncidentEvent::NeedMet(_)
        | IncidentEvent::NeedSettled(_)
        | IncidentEvent::EmergencyDeclared(_)
        | IncidentEvent::EmergencyEnded(_)
        | IncidentEvent::Assessed(_) => Ok(()),
        IncidentEvent::Related(_) | IncidentEvent::Unrelated(_) => {
            connection
                .prepare_cached(&tables.sql(
                    "UPDATE incident{t} SET parent = :parent WHERE origin = :origin AND id = :id",
                ))?
                .execute(named_params! {
                    ":parent": state.parent().map(|(_, id)| id.to_vec()),
                    ":origin": recorded.origin.as_str(),
                    ":id": stream.as_bytes(),
                })?;
            Ok(())
        }
        IncidentEvent::Verified(_)
        | IncidentEvent::Rejected(_)
        | IncidentEvent::Activated(_)
        | IncidentEvent::TransitionBegun(_)
        | IncidentEvent::OperationEnded(_)
        | IncidentEvent::Closed(_)
        | IncidentEvent::Cancelled(_)
        | IncidentEvent::Reopened(_)
        | IncidentEvent::Escalated(_)
        | IncidentEvent::EscalationAnswered(_) => {
            let over = incident::is_over(state.status);
            let call = state.operation.unanswered().filter(|_| !over);
            connection
                .prepare_cached(&tables.sql(
                    "UPDATE incident{t} SET is_over = :over, answer_by_ms = :by WHERE origin = :origin AND id = :id",
                ))?
                .execute(named_params! {
                    ":over": over,
                    ":by": call.map(|(_, by)| by.0),
                    ":origin": recorded.origin.as_str(),
                    ":id": stream.as_bytes(),
                })?;
            Ok(())
        }
    }
}

fn insert(
    connection: &Connection,
    tables: Tables,
    stream: Id,
    state: &IncidentState,
    recorded: &Recorded,
) -> Result<(), StoreError> {
    let (year, serial) =
        incident::parse_number(&state.number).map_or((0, 0), |(_, year, serial)| (year, serial));
    connection
        .prepare_cached(&tables.sql(
            "INSERT INTO incident{t}(origin, id, number, year, serial, region, is_over, historical, reported_ms, warning)
             VALUES (:origin, :id, :number, :year, :serial, :region, :over, :historical, :listed, :warning)
             ON CONFLICT (origin, id) DO UPDATE SET region = excluded.region, reported_ms = excluded.reported_ms",
        ))?
        .execute(named_params! {
            ":origin": recorded.origin.as_str(),
            ":id": stream.as_bytes(),
            ":number": state.number,
            ":year": year,
            ":serial": serial,
            ":region": state.place.region_code,
            ":over": incident::is_over(state.status),
            ":historical": state.status == Status::Historical,
            ":listed": listed_at(state).0,
            ":warning": state.warning.map(|(_, id)| id.to_vec()),
        })?;
    // What is of the past raises no notice in a zone.
    for zone in &state.zones {
        connection
            .prepare_cached(&tables.sql(
                "INSERT OR IGNORE INTO incident_zone{t}(zone, reported_ms, origin, incident)
                 VALUES (:zone, :reported, :origin, :incident)",
            ))?
            .execute(named_params! {
                ":zone": zone,
                ":reported": state.reported_at.0,
                ":origin": recorded.origin.as_str(),
                ":incident": stream.as_bytes(),
            })?;
    }
    Ok(())
}

/// Returns the time by which an incident is listed: of the past by when it happened, of today by when it was recorded.
fn listed_at(state: &IncidentState) -> Millis {
    let happened = state.milestones.first().map(|(_, at)| *at);
    happened
        .filter(|_| state.status == Status::Historical)
        .unwrap_or(state.reported_at)
}

/// Returns the last number that a node gave in a year, 0 when none.
pub(crate) fn last_number(
    connection: &Connection,
    origin: NodeId,
    year: i64,
) -> Result<u32, StoreError> {
    let last: Option<u32> = connection
        .prepare_cached("SELECT MAX(serial) FROM incident WHERE origin = :origin AND year = :year")?
        .query_row(
            named_params! { ":origin": origin.as_str(), ":year": year },
            |row| row.get(0),
        )?;
    Ok(last.unwrap_or(0))
}

/// Returns the incidents of a node that were opened from a warning and are not over.
pub(crate) fn opened_from(
    connection: &Connection,
    origin: NodeId,
    warning: Id,
) -> Result<Vec<IncidentState>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT state.body FROM incident JOIN state ON state.origin = incident.origin AND state.stream = incident.id
         WHERE incident.warning = :warning AND incident.origin = :origin AND incident.is_over = 0
         ORDER BY incident.reported_ms",
    )?;
    let mut rows = statement.query(named_params! {
        ":warning": warning.as_bytes(),
        ":origin": origin.as_str(),
    })?;
    let mut opened = Vec::new();
    while let Some(row) = rows.next()? {
        let body: Vec<u8> = row.get(0)?;
        opened.push(fold::decode_body(&body)?);
    }
    Ok(opened)
}

const COLUMNS: &str = "incident.origin, incident.id, state.body, incident.reported_ms
     FROM incident JOIN state ON state.origin = incident.origin AND state.stream = incident.id";

impl Store {
    /// Returns an incident by its id, or by its number, with its notes, oldest first.
    pub fn incident(
        &self,
        id: Option<Id>,
        number: &str,
    ) -> Result<Option<(Found, Vec<Note>)>, StoreError> {
        self.read_things(|connection, reading| {
            let incident = match id {
                Some(id) => self.by_id(reading, id)?,
                None => by_number(connection, reading, number)?,
            };
            let Some(incident) = incident else {
                return Ok(None);
            };
            let notes = notes(connection, &incident)?;
            Ok(Some((incident, notes)))
        })
    }

    /// Returns the incidents that say this one is their parent, oldest first: at most `limit`.
    pub fn children(&self, parent: Id, limit: usize) -> Result<Vec<Found>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}
             WHERE incident.parent = :parent
             ORDER BY incident.reported_ms, incident.id
             LIMIT :limit"
        );
        self.read_things(|connection, reading| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(named_params! {
                ":parent": parent.as_bytes(),
                ":limit": limit as i64,
            })?;
            let mut children = Vec::new();
            while let Some(row) = rows.next()? {
                children.push(reading.found(row)?);
            }
            Ok(children)
        })
    }

    /// Returns an incident's attachments, oldest first, and whether there are more than [`MAX_ATTACHMENTS`]; none when the
    /// incident is not known here.
    pub fn attachments(&self, id: Id) -> Result<Option<(Vec<Attachment>, bool)>, StoreError> {
        self.read_things(|connection, reading| {
            let Some(incident) = self.by_id(reading, id)? else {
                return Ok(None);
            };
            let mut found = attachments(connection, &incident)?;
            let more = found.len() > MAX_ATTACHMENTS;
            found.truncate(MAX_ATTACHMENTS);
            Ok(Some((found, more)))
        })
    }

    /// Returns this node's own incidents of these ids as they stand, in their order; of those with `true`, with notes.
    pub fn held_incidents(&self, ids: &[(Id, bool)]) -> Result<Vec<Option<Held>>, StoreError> {
        let own = self.identity().origin;
        self.read_things(|connection, reading| {
            let held = ids.iter().map(|(id, with_notes)| {
                let found: Option<Found> = by_id(reading, "incident", COLUMNS, &[own], *id)?;
                let Some(found) = found else { return Ok(None) };
                let notes = if *with_notes {
                    notes(connection, &found)?
                } else {
                    Vec::new()
                };
                let state = found.state;
                Ok(Some(Held { state, notes }))
            });
            held.collect()
        })
    }

    /// Returns an incident by its id, without its notes.
    pub fn incident_alone(&self, id: Id) -> Result<Option<Found>, StoreError> {
        self.read_things(|_, reading| self.by_id(reading, id))
    }

    /// Returns an incident, and the answers of an assessment of it; no answers when it has no such assessment.
    pub fn assessment(
        &self,
        incident: Id,
        assessment: Id,
    ) -> Result<Option<(Found, Option<Answered>)>, StoreError> {
        self.read_things(|connection, reading| {
            let Some(incident) = self.by_id(reading, incident)? else {
                return Ok(None);
            };
            let held = incident.state.assessments.iter();
            let is_there = held.clone().any(|held| held.id == assessment);
            let answered = is_there
                .then(|| answered(connection, &incident, assessment))
                .transpose()?;
            Ok(Some((incident, answered)))
        })
    }

    /// An id is of one node; this node's own come first, since commands are about those.
    fn by_id(&self, reading: &Reading<'_>, id: Id) -> Result<Option<Found>, StoreError> {
        let own = self.identity().origin;
        let mut origins = vec![own];
        origins.extend(
            self.logs()
                .into_iter()
                .map(|log| log.origin)
                .filter(|origin| *origin != own),
        );
        by_id(reading, "incident", COLUMNS, &origins, id)
    }

    /// Returns incidents of the whole region, newest first.
    pub fn incidents(
        &self,
        filter: &Filter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<PageOf<Found>, StoreError> {
        let (before_ms, before_id) = crate::query::cursor(after)?;
        let sql = format!(
            "SELECT {COLUMNS}
             WHERE (incident.reported_ms, incident.id) < (:before_ms, :before_id)
               AND incident.historical = :historical
               AND (:origin IS NULL OR incident.origin = :origin)
               AND (:region IS NULL OR incident.region = :region OR incident.region LIKE :region || '.%')
               AND (:zone IS NULL OR CASE :historical
                   WHEN 1 THEN EXISTS (
                     SELECT 1 FROM json_each(:regencies)
                     WHERE incident.region = value OR incident.region LIKE value || '.%')
                   ELSE EXISTS (
                     SELECT 1 FROM incident_zone
                     WHERE zone = :zone AND incident_zone.reported_ms = incident.reported_ms
                       AND incident_zone.origin = incident.origin AND incident_zone.incident = incident.id) END)
               AND (:open = 0 OR incident.is_over = 0)
             ORDER BY incident.reported_ms DESC, incident.id DESC
             LIMIT :limit"
        );
        // An incident of the past is in no zone's list of notices: a zone's are those in its kab/kota.
        let zone = filter.zone.as_deref().and_then(zone::find);
        let regencies = json_list(zone.map_or(&[], |zone| zone.regencies));
        self.read_things(|connection, reading| {
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query(named_params! {
                ":historical": filter.historical,
                ":regencies": regencies,
                ":before_ms": before_ms,
                ":before_id": before_id,
                ":origin": filter.origin.map(|origin| origin.to_string()),
                ":region": filter.region,
                ":zone": filter.zone,
                ":open": filter.open_only,
                ":limit": limit as i64 + 1,
            })?;
            page(reading, rows, limit)
        })
    }

    /// Returns the own incidents whose called have not answered, the most urgent first: at most `limit`.
    pub fn calls(&self, limit: usize) -> Result<Vec<Found>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}
             WHERE incident.origin = :own AND incident.answer_by_ms IS NOT NULL
             ORDER BY incident.answer_by_ms
             LIMIT :limit"
        );
        self.read_things(|connection, reading| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(named_params! {
                ":own": self.identity().origin.as_str(),
                ":limit": limit as i64,
            })?;
            let mut calls = Vec::new();
            while let Some(row) = rows.next()? {
                calls.push(reading.found(row)?);
            }
            Ok(calls)
        })
    }

    /// Returns the incidents that other provinces have in zones which they share with this node, newest first.
    pub fn notices(&self, after: Option<&str>, limit: usize) -> Result<PageOf<Notice>, StoreError> {
        let own = self.identity().origin;
        let zones: Vec<&str> = zone::all()
            .iter()
            .filter(|zone| zone.provinces().contains(&own.as_str()))
            .map(|zone| zone.id)
            .collect();
        let (before_ms, before_id) = crate::query::cursor(after)?;
        let sql = format!(
            "SELECT {COLUMNS_WITH_ZONE}
             WHERE zone.zone IN (SELECT value FROM json_each(:zones))
               AND zone.origin <> :own
               AND (zone.reported_ms, zone.incident) < (:before_ms, :before_id)
             ORDER BY zone.reported_ms DESC, zone.incident DESC, zone.zone
             LIMIT :limit"
        );
        self.read_things(|connection, reading| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(named_params! {
                ":zones": json_list(&zones),
                ":own": own.as_str(),
                ":before_ms": before_ms,
                ":before_id": before_id,
                ":limit": limit as i64 + 1,
            })?;
            let mut page = PageOf::new(limit);
            while let Some(row) = rows.next()? {
                let incident = reading.found(row)?;
                let token = crate::query::token(row.get(3)?, incident.id);
                page.push(
                    Notice {
                        zone: row.get(4)?,
                        incident,
                    },
                    token,
                );
            }
            Ok(page)
        })
    }
}

/// Returns codes as a list of JSON.
fn json_list(codes: &[&str]) -> String {
    let quoted: Vec<String> = codes.iter().map(|code| format!("{code:?}")).collect();
    format!("[{}]", quoted.join(","))
}

const COLUMNS_WITH_ZONE: &str = "zone.origin, zone.incident, state.body, zone.reported_ms, zone.zone
     FROM incident_zone AS zone JOIN state ON state.origin = zone.origin AND state.stream = zone.incident";

fn by_number(
    connection: &Connection,
    reading: &Reading<'_>,
    number: &str,
) -> Result<Option<Found>, StoreError> {
    let sql = format!("SELECT {COLUMNS} WHERE incident.number = :number LIMIT 1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(named_params! { ":number": number })?;
    rows.next()?.map(|row| reading.found(row)).transpose()
}

/// Reads an assessment's answers from the log: those in words were recorded with it, right behind it.
fn answered(
    connection: &Connection,
    incident: &Found,
    assessment: Id,
) -> Result<Answered, StoreError> {
    let (origin, stream) = (incident.origin, incident.id);
    let of = event::INCIDENT_ASSESSED.type_id;
    let entries = fold::entries(connection, origin, stream, of, 0, MOST_ASSESSMENTS)?;
    let found = entries.into_iter().find_map(|entry| match entry.read {
        Some((Event::Incident(IncidentEvent::Assessed(assessed)), _))
            if assessed.assessment_id == assessment.as_bytes() =>
        {
            Some((entry.header.stream_version, assessed))
        }
        _ => None,
    });
    let Some((version, assessed)) = found else {
        return Ok(Answered {
            assessed: None,
            words: Vec::new(),
        });
    };
    let of = event::INCIDENT_NOTED.type_id;
    let most = fold::MAX_EVENTS as usize;
    let behind = fold::entries(connection, origin, stream, of, version, most)?;
    let words = behind.into_iter().filter_map(|entry| match entry.read {
        Some((Event::Incident(IncidentEvent::Noted(noted)), _))
            if noted.about == assessment.as_bytes() && !noted.question.is_empty() =>
        {
            Some(AnswerInWords {
                question: noted.question,
                text: noted.text,
            })
        }
        _ => None,
    });
    Ok(Answered {
        words: words.collect(),
        assessed: Some(assessed),
    })
}

/// An assessment's answers in words are read with it, and left out here, however many stand between the notes.
fn notes(connection: &Connection, incident: &Found) -> Result<Vec<Note>, StoreError> {
    let mut found = Vec::new();
    let mut after = 0;
    loop {
        let (origin, of) = (incident.origin, event::INCIDENT_NOTED.type_id);
        let entries = fold::entries(connection, origin, incident.id, of, after, MAX_NOTES)?;
        let is_last = entries.len() < MAX_NOTES;
        after = (entries.last()).map_or(after, |entry| entry.header.stream_version);
        for entry in entries {
            found.extend(note(connection, origin, entry)?);
            if found.len() == MAX_NOTES {
                return Ok(found);
            }
        }
        if is_last {
            return Ok(found);
        }
    }
}

fn note(
    connection: &Connection,
    origin: NodeId,
    entry: StreamEntry,
) -> Result<Option<Note>, StoreError> {
    let (event, header) = (entry.header.event_id, &entry.header);
    Ok(match (entry.read, entry.presence) {
        (Some((Event::Incident(IncidentEvent::Noted(noted)), recorded)), _)
            if noted.question.is_empty() =>
        {
            Some(Note {
                event,
                at: recorded.occurred_at,
                actor: Some(recorded.actor),
                text: noted.text,
                about: Id::try_from(noted.about.as_slice()).ok(),
                question: noted.question,
                withdrawn: None,
            })
        }
        (None, Some(WITHDRAWN)) => {
            let said = log::said(connection, origin, event, event::PAYLOAD_WITHDRAWN)?;
            Some(Note {
                event,
                at: Millis(header.wall_ms.cast_signed()),
                actor: None,
                text: String::new(),
                about: None,
                question: String::new(),
                withdrawn: said,
            })
        }
        _ => None,
    })
}

fn attachments(connection: &Connection, incident: &Found) -> Result<Vec<Attachment>, StoreError> {
    let (origin, kind) = (incident.origin, event::INCIDENT_ATTACHED);
    let mut captions = BTreeMap::new();
    let notes = event::INCIDENT_NOTED.type_id;
    let mut found = Vec::new();
    let most = MAX_ATTACHMENTS + 1;
    for entry in fold::entries(connection, origin, incident.id, kind.type_id, 0, most)? {
        let (event, header) = (entry.header.event_id, &entry.header);
        let mut attachment = Attachment {
            event,
            at: Millis(header.wall_ms.cast_signed()),
            actor: None,
            attached: None,
            caption: None,
            withdrawn: None,
        };
        match (entry.read, entry.presence) {
            (Some((Event::Incident(IncidentEvent::Attached(attached)), recorded)), _) => {
                attachment.at = recorded.occurred_at;
                attachment.actor = Some(recorded.actor);
                attachment.attached = Some(attached);
            }
            (None, Some(WITHDRAWN)) => {
                attachment.withdrawn =
                    log::said(connection, origin, event, event::PAYLOAD_WITHDRAWN)?;
            }
            _ => {}
        }
        found.push(attachment);
    }
    if found.is_empty() {
        return Ok(found);
    }
    for entry in fold::entries(connection, origin, incident.id, notes, 0, CAPTIONS)? {
        if let Some((Event::Incident(IncidentEvent::Noted(noted)), _)) = entry.read
            && !noted.about.is_empty()
        {
            captions.insert(noted.about, (entry.header.event_id, noted.text));
        }
    }
    for attachment in &mut found {
        let id = attachment.attached.as_ref();
        let id = id.map(|attached| attached.attachment_id.as_slice());
        attachment.caption = id.and_then(|id| captions.get(id).cloned());
    }
    Ok(found)
}
