//! Published records of the past, taken as historical incidents.
//!
//! ```text
//! request ─▶ parse every row ─▶ what is held of each? ─▶ a command for each that says something new ─▶ durable ─▶ counts
//! ```
//! One request's commands wait for the writer at a time, so that a command of today has no more than those before it.
//! What it never does: take a row that another import is writing, or one twice.

use std::collections::BTreeSet;

use futures::future::join_all;
use posko_domain::{
    account::Action,
    code::Refusal,
    context::CLOCK_TOLERANCE_SECONDS,
    incident::{Imported, IncidentCommand, IncidentRejection},
    region,
};
use posko_proto::incident::v1::{ImportIncidentsRequest, ImportIncidentsResponse, ImportedRow};
use posko_store::{Command, view::incident::Held};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status, Streaming, metadata::MetadataMap};

use super::{Api, Asked, Framed, digest, refused};
use crate::time::now;

/// The most rows of one request, which wait for the writer together.
pub(crate) const MAX_ROWS: usize = 500;

/// A row that was read.
struct Parsed {
    row: ImportedRow,
    imported: Box<Imported>,
    note: Option<String>,
}

/// What is done with a row.
enum Todo {
    Record { is_new: bool },
    Leave,
}

impl Api {
    /// Takes records as they come; the counts follow each request once it is durable.
    pub(super) async fn take_import(
        &self,
        request: Request<Streaming<ImportIncidentsRequest>>,
    ) -> Result<ReceiverStream<Result<ImportIncidentsResponse, Status>>, Status> {
        self.authorized(request.metadata(), Action::ImportIncidents, None)
            .await?;
        let permit = self.0.importing.clone().try_acquire_owned();
        let permit = permit.map_err(|_| {
            Status::unavailable("another import is under way: try again when it has ended")
        })?;
        let metadata = request.metadata().clone();
        let mut rows = request.into_inner();
        let (client, counts) = mpsc::channel(1);
        let api = self.clone();
        tokio::spawn(async move {
            let _permit = permit;
            let mut counted = ImportIncidentsResponse::default();
            // A client that has left has its rows up to here, and goes on by sending them again.
            while let Ok(Some(request)) = rows.message().await {
                let taken = api.take_rows(&metadata, request, &mut counted).await;
                let ended = taken.is_err();
                let told = client.send(taken.map(|()| counted)).await;
                if ended || told.is_err() {
                    return;
                }
            }
        });
        Ok(ReceiverStream::new(counts))
    }

    async fn take_rows(
        &self,
        metadata: &MetadataMap,
        request: ImportIncidentsRequest,
        counted: &mut ImportIncidentsResponse,
    ) -> Result<(), Status> {
        let ImportIncidentsRequest { rows, text_as_is } = request;
        if rows.len() > MAX_ROWS {
            return Err(Status::invalid_argument(format!(
                "field `rows` has `{}` rows: at most {MAX_ROWS} are taken at once",
                rows.len()
            )));
        }
        // A session may have been ended, or a role taken back, since the last request.
        let caller = self.caller(metadata).await?;
        let mut parsed = Vec::with_capacity(rows.len());
        let mut streams = BTreeSet::new();
        for row in rows {
            let number = row.row;
            let read = self
                .parse_row(row)
                .map_err(|refusal| at_row(number, &refused(&refusal)))?;
            if !streams.insert(read.imported.stream()) {
                let twice = "its record stands in the same request before";
                return Err(at_row(number, &Status::invalid_argument(twice)));
            }
            parsed.push(read);
        }
        let ids = parsed
            .iter()
            .map(|row| (row.imported.stream(), row.note.is_some()));
        let ids: Vec<_> = ids.collect();
        let held = self.ask(move |store| store.held_incidents(&ids)).await?;
        let mut commands = Vec::new();
        for (mut row, held) in parsed.into_iter().zip(held) {
            let number = row.row.row;
            let todo = what_to_do(&mut row, held.as_ref(), counted)
                .map_err(|rejection| at_row(number, &refused(&Refusal::from(rejection))))?;
            let Todo::Record { is_new } = todo else {
                continue;
            };
            let place = row.imported.place().region_code.as_str();
            let actor = caller
                .may(Action::ImportIncidents, Some(place))
                .map_err(|status| at_row(number, &status))?;
            let version = held.map_or(0, |held| held.state.version);
            let asked = Asked {
                framed: Framed {
                    command_id: row.imported.command_id(row.note.as_deref(), version),
                    expected_version: 0,
                    occurred_at: Some(row.imported.from()),
                    exercise: false,
                    text_as_is,
                },
                digest: digest("ImportIncidents", &row.row),
                stream: row.imported.stream(),
                authority: actor.into(),
                command: Command::Incident(IncidentCommand::Import {
                    imported: row.imported,
                    note: row.note,
                }),
                credential: None,
            };
            commands.push(async move { (number, is_new, self.execute(asked).await) });
        }
        let mut outcome = Ok(());
        for (number, is_new, answer) in join_all(commands).await {
            match answer {
                Ok(_) if is_new => counted.recorded += 1,
                Ok(_) => counted.corrected += 1,
                // The first tells; the others are found again when the rows are sent again.
                Err(status) if outcome.is_ok() => outcome = Err(at_row(number, &status)),
                Err(_) => {}
            }
        }
        outcome
    }

    /// Reads a row; what only the node can judge is judged here too, so that no refusal is remembered for a record.
    fn parse_row(&self, row: ImportedRow) -> Result<Parsed, Refusal> {
        let command = IncidentCommand::try_from(&row)?;
        let IncidentCommand::Import { imported, note } = command else {
            return Err(IncidentRejection::NotFound.into());
        };
        let place = &imported.place().region_code;
        let node = self.own();
        if !region::within(place, node.as_str()) {
            let region_code = place.clone();
            return Err(IncidentRejection::OutsideProvince { region_code, node }.into());
        }
        let now = now();
        if imported.from() > now.plus_seconds(CLOCK_TOLERANCE_SECONDS) {
            let at = imported.from();
            let field = "record.from";
            return Err(IncidentRejection::InFuture { field, at, now }.into());
        }
        Ok(Parsed {
            row,
            imported,
            note,
        })
    }
}

/// Compares a row with what is held of its record; takes its text away where that is here, or was withdrawn.
fn what_to_do(
    row: &mut Parsed,
    held: Option<&Held>,
    counted: &mut ImportIncidentsResponse,
) -> Result<Todo, IncidentRejection> {
    let Some(held) = held else {
        if row.imported.events() == Some(0) {
            counted.empty += 1;
            return Ok(Todo::Leave);
        }
        return Ok(Todo::Record { is_new: true });
    };
    let changes = row.imported.changes(&held.state)?;
    if let Some(text) = &row.note {
        let withdrawn = held.notes.iter().any(|note| note.withdrawn.is_some());
        let known = held.notes.iter().any(|note| note.text == *text);
        if withdrawn && !known {
            counted.texts_withdrawn += 1;
        }
        if withdrawn || known {
            row.note = None;
        }
    }
    if changes || row.note.is_some() {
        return Ok(Todo::Record { is_new: false });
    }
    counted.unchanged += 1;
    Ok(Todo::Leave)
}

fn at_row(number: u64, status: &Status) -> Status {
    Status::new(
        status.code(),
        format!("row `{number}`: {}", status.message()),
    )
}

#[cfg(test)]
mod tests;
