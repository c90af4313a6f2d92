//! Published records of the past: what may be taken from one, and the historical incident that it becomes.
//!
//! A record is known by its publisher, dataset and id, so that taking it twice is taking it once.

use posko_proto::{
    Id,
    common::v1::Hazard,
    incident::v1::{
        CodeSystem, Figure, FigureSource, ImportedRow, IncidentImported, PublishedRecord, Scale,
        Status, TimePrecision,
    },
    time::Millis,
};

use crate::{
    context::{Recorded, derived},
    event::{IllegalEvent, IncidentEvent},
    incident::{
        IncidentCommand, IncidentRejection, IncidentState, Operation,
        command::{counts, given, known, optional_note},
        rule,
        state::Impact,
    },
    region::{self, Place},
};

/// The longest name of a publisher, a dataset, a license or a record, in characters.
const NAME_CHARACTERS: usize = 200;
/// The longest web address, in characters.
const WEB_CHARACTERS: usize = 500;
/// The longest region code as published, in characters.
const CODE_CHARACTERS: usize = 32;
/// The most events that a record may stand for.
const MOST_EVENTS: u64 = 1_000_000_000;

/// What a published record says, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    event: IncidentImported,
    place: Place,
    from: Millis,
    stream: Id,
}

/// Returns the stream of a published record: the first 16 bytes of
/// SHA-256(`posko/import/v1\0` | publisher | 0 | dataset | 0 | record id), so that the same record is the same incident
/// whoever takes it and however often.
pub fn stream_of_record(publisher: &str, dataset: &str, record_id: &str) -> Id {
    derived(&[
        b"posko/import/v1\0",
        publisher.as_bytes(),
        b"\0",
        dataset.as_bytes(),
        b"\0",
        record_id.as_bytes(),
    ])
}

impl Imported {
    /// Returns where it happened.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Returns how many events it stands for; none when it sums up a time without counting them.
    pub fn events(&self) -> Option<u64> {
        self.record().events
    }

    /// Returns where it comes from.
    pub fn record(&self) -> &PublishedRecord {
        // A checked one has a record.
        static NONE: PublishedRecord = PublishedRecord {
            publisher: String::new(),
            dataset: String::new(),
            record_id: String::new(),
            license: String::new(),
            web: String::new(),
            from: None,
            until: None,
            precision: 0,
            events: None,
            region_given: String::new(),
            code_system: 0,
        };
        self.event.record.as_ref().unwrap_or(&NONE)
    }

    /// Returns the begin of the time in which it happened.
    pub fn from(&self) -> Millis {
        self.from
    }

    /// Returns the stream of its incident.
    pub fn stream(&self) -> Id {
        self.stream
    }

    /// Returns the id of the command that takes it, when its incident stands at this version: the same record at the
    /// same version is the same command, and a record that says again what it said before is not.
    pub fn command_id(&self, note: Option<&str>, version: u32) -> Id {
        let event = prost::Message::encode_to_vec(&self.event);
        let length = (event.len() as u64).to_be_bytes();
        derived(&[
            b"posko/import-command/v1\0",
            self.stream.as_bytes(),
            &version.to_be_bytes(),
            &length,
            &event,
            note.unwrap_or_default().as_bytes(),
        ])
    }

    /// Says whether it says anything else than the historical incident that was taken from it before.
    pub fn changes(&self, state: &IncidentState) -> Result<bool, IncidentRejection> {
        if state.status != Status::Historical {
            let number = state.number.clone();
            return Err(IncidentRejection::NotHistorical { number });
        }
        let figures = figures(&self.event, Millis(0));
        let said = |figure: &Impact| (figure.measure, figure.count, figure.source);
        let same = state.record.as_deref() == Some(self.record())
            && state.hazard == self.event.hazard()
            && state.place == self.place
            && figures.iter().map(said).eq(state.figures.iter().map(said));
        Ok(!same)
    }

    pub(super) fn event(&self) -> IncidentEvent {
        IncidentEvent::Imported(Box::new(self.event.clone()))
    }
}

impl TryFrom<&ImportedRow> for IncidentCommand {
    type Error = IncidentRejection;

    fn try_from(row: &ImportedRow) -> Result<Self, IncidentRejection> {
        let missing = |field| IncidentRejection::invalid(field, "", "it must be given");
        let sent = row.imported.as_ref().ok_or_else(|| missing("imported"))?;
        let record = sent.record.as_ref().ok_or_else(|| missing("record"))?;
        let place = sent.place.as_ref().ok_or_else(|| missing("place"))?;
        let place = Place::parse(place)?;
        let hazard: Hazard = known("hazard", sent.hazard)?;
        if hazard == Hazard::Unspecified && record.events.is_some() {
            let expected = "only a record that counts no events may leave the hazard out";
            return Err(IncidentRejection::invalid(
                "hazard",
                "unspecified",
                expected,
            ));
        }
        if sent
            .figures
            .iter()
            .any(|figure| figure.sex != 0 || figure.age_band != 0)
        {
            let expected = "the figures of a record count everybody";
            return Err(IncidentRejection::invalid("figures.sex", "given", expected));
        }
        counts(&sent.figures)?;
        if !sent.figures.is_empty() {
            given::<FigureSource>("source", sent.source)?;
        }
        known::<FigureSource>("source", sent.source)?;
        let from = checked_record(record)?;
        let mut event = IncidentImported {
            place: Some(place.clone().into()),
            ..sent.clone()
        };
        event.figures.sort_by_key(|figure| figure.measure);
        let stream = stream_of_record(&record.publisher, &record.dataset, &record.record_id);
        Ok(Self::Import {
            imported: Box::new(Imported {
                event,
                place,
                from,
                stream,
            }),
            note: optional_note(&row.note)?,
        })
    }
}

/// Checks where a record comes from, and returns the begin of its time.
fn checked_record(record: &PublishedRecord) -> Result<Millis, IncidentRejection> {
    let names = [
        ("record.publisher", &record.publisher, NAME_CHARACTERS, true),
        ("record.dataset", &record.dataset, NAME_CHARACTERS, true),
        ("record.record_id", &record.record_id, NAME_CHARACTERS, true),
        ("record.license", &record.license, NAME_CHARACTERS, false),
        ("record.web", &record.web, WEB_CHARACTERS, false),
        (
            "record.region_given",
            &record.region_given,
            CODE_CHARACTERS,
            false,
        ),
    ];
    for (field, text, most, needed) in names {
        let characters = text.chars().count();
        if characters > most || text.chars().any(char::is_control) {
            let value = format!("{characters} characters");
            let expected = "at most 200 characters on one line, of an address 500, of a code 32";
            return Err(IncidentRejection::invalid(field, value, expected));
        }
        if needed && text.trim().is_empty() {
            return Err(IncidentRejection::invalid(
                field,
                "",
                "it must not be empty",
            ));
        }
    }
    given::<TimePrecision>("record.precision", record.precision)?;
    known::<CodeSystem>("record.code_system", record.code_system)?;
    if record.events.is_some_and(|events| events > MOST_EVENTS) {
        let events = record.events.unwrap_or_default();
        let expected = "at most 1,000,000,000";
        return Err(IncidentRejection::invalid(
            "record.events",
            events,
            expected,
        ));
    }
    let from = rule::time("record.from", record.from.as_ref())?;
    let until = rule::time("record.until", record.until.as_ref())?;
    if until <= from {
        return Err(IncidentRejection::Before {
            what: "the end of the record's time",
            at: until,
            other: "its begin",
            other_at: from,
        });
    }
    Ok(from)
}

/// Returns what takes a historical incident back: its record stands for no event and has no figures, which is nothing new
/// where that holds already. None of any other incident.
pub(super) fn taken_back(state: &IncidentState) -> Option<Vec<IncidentEvent>> {
    let record = state.record.as_deref()?;
    if record.events == Some(0) && state.figures.is_empty() {
        return Some(Vec::new());
    }
    let imported = IncidentImported {
        hazard: state.hazard.into(),
        place: Some(state.place.clone().into()),
        record: Some(PublishedRecord {
            events: Some(0),
            ..record.clone()
        }),
        ..IncidentImported::default()
    };
    Some(vec![IncidentEvent::Imported(Box::new(imported))])
}

/// Returns the figures as a state holds them: everybody, in order of their measures.
fn figures(imported: &IncidentImported, as_of: Millis) -> Vec<Impact> {
    let impact = |figure: &Figure| Impact {
        measure: figure.measure(),
        count: figure.count,
        source: imported.source(),
        as_of,
        sex: figure.sex(),
        age_band: figure.age_band(),
        corrected: false,
    };
    imported.figures.iter().map(impact).collect()
}

/// Folds a record: it begins a historical incident, or replaces what it said before.
pub(super) fn apply(
    held: Option<&IncidentState>,
    imported: &IncidentImported,
    recorded: &Recorded,
) -> Result<IncidentState, IllegalEvent> {
    const NAME: &str = "IncidentImported";
    let malformed = |field| IllegalEvent::Malformed { event: NAME, field };
    if recorded.exercise {
        return Err(IllegalEvent::ExerciseMixed { event: NAME });
    }
    if let Some(held) = held.filter(|held| held.status != Status::Historical) {
        return Err(IllegalEvent::WrongState {
            event: NAME,
            from: held.status.as_str_name(),
        });
    }
    let place = imported.place.as_ref().ok_or(malformed("place"))?;
    if !region::within(&place.region_code, recorded.origin.as_str()) {
        return Err(malformed("place.region_code"));
    }
    let point = place
        .point
        .map(|point| region::check_point("place.point", point));
    let point = point.transpose().map_err(|_| malformed("place.point"))?;
    let record = imported.record.as_ref().ok_or(malformed("record"))?;
    let from = rule::time("record.from", record.from.as_ref());
    let until = rule::time("record.until", record.until.as_ref());
    let (from, until) = from
        .and_then(|from| Ok((from, until?)))
        .map_err(|_| malformed("record.from"))?;
    let mut figures = figures(imported, until.min(recorded.at));
    figures.sort_by_key(Impact::key);
    if let Some(held) = held {
        for figure in &mut figures {
            let before = held.same_figure(figure);
            figure.corrected =
                before.is_some_and(|before| before.corrected || before.count != figure.count);
        }
    }
    Ok(IncidentState {
        number: String::new(),
        status: Status::Historical,
        hazard: imported.hazard(),
        place: Place {
            region_code: place.region_code.clone(),
            point,
            code_set: place.code_set.clone(),
        },
        zones: Vec::new(),
        judgements: Vec::new(),
        scale: Scale::Unspecified,
        channel: posko_proto::incident::v1::ReportChannel::Unspecified,
        warning: None,
        duplicate_of: None,
        reason: String::new(),
        glide: held.map(|held| held.glide.clone()).unwrap_or_default(),
        related: held.map(|held| held.related.clone()).unwrap_or_default(),
        exercise: false,
        milestones: vec![(Status::Historical, from)],
        steps: Vec::new(),
        figures,
        operation: Operation::default(),
        needs: Vec::new(),
        emergencies: Vec::new(),
        assessments: Vec::new(),
        record: Some(Box::new(record.clone())),
        version: recorded.version,
        reported_at: held.map_or(recorded.at, |held| held.reported_at),
        recorded_at: recorded.at,
    })
}
