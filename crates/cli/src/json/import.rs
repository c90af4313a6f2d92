//! What an import makes of each row, and where a historical incident comes from, in JSON.

use posko_proto::{
    common::v1::Hazard,
    incident::v1::{
        CodeSystem, FigureSource, ImportIncidentsResponse, IncidentImported, Measure,
        PublishedRecord, TimePrecision,
    },
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Place, text, time};
use crate::{name, offline::Planned};

/// Where a historical incident comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Record {
    publisher: String,
    dataset: String,
    #[serde(rename = "record_id")]
    id: String,
    license: Option<String>,
    web: Option<String>,
    from: Option<String>,
    until: Option<String>,
    precision: Option<String>,
    events: Option<u64>,
    region_given: Option<String>,
    code_system: Option<String>,
}

impl From<&PublishedRecord> for Record {
    fn from(record: &PublishedRecord) -> Self {
        Self {
            publisher: record.publisher.clone(),
            dataset: record.dataset.clone(),
            id: record.record_id.clone(),
            license: text(&record.license),
            web: text(&record.web),
            from: time(record.from.as_ref()),
            until: time(record.until.as_ref()),
            precision: name::of::<TimePrecision>(record.precision),
            events: record.events,
            region_given: text(&record.region_given),
            code_system: name::of::<CodeSystem>(record.code_system),
        }
    }
}

/// What becomes of a row, or what is wrong with it.
pub(crate) fn row(planned: &Planned) -> Value {
    let sent = planned.row.as_ref();
    let incident = sent.and_then(|row| row.imported.as_ref()).map(incident);
    json!({
        "row": planned.place.row,
        "line": planned.place.line,
        "rows": planned.rows,
        "fate": planned.fate,
        "incident": incident,
        "text": sent.and_then(|row| text(&row.note)),
        "faults": planned.faults,
        "notes": planned.notes,
    })
}

fn incident(imported: &IncidentImported) -> Value {
    let figures = imported.figures.iter().filter_map(|figure| {
        let name = name::of::<Measure>(figure.measure)?;
        Some((name, Value::from(figure.count)))
    });
    json!({
        "hazard": name::of::<Hazard>(imported.hazard),
        "place": imported.place.clone().map(Place::from),
        "figures": figures.collect::<Map<_, _>>(),
        "source": name::of::<FigureSource>(imported.source),
        "record": imported.record.as_ref().map(Record::from),
    })
}

/// What an import recorded.
pub(crate) fn recorded(counts: &ImportIncidentsResponse) -> Value {
    json!({
        "recorded": counts.recorded,
        "corrected": counts.corrected,
        "unchanged": counts.unchanged,
        "empty": counts.empty,
        "texts_withdrawn": counts.texts_withdrawn,
    })
}
