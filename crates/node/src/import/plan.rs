//! A whole file by its map: each row's fate, and what there is to say of the file.

use std::{
    collections::HashMap,
    io::{Read, Seek},
    ops::ControlFlow,
};

use posko_domain::{context::CLOCK_TOLERANCE_SECONDS, incident::IncidentCommand, privacy};
use posko_formats::table::{self, Columns, Row, RowPlace, Shape, Step, Summary, TableError};
use posko_proto::{
    NodeId,
    common::v1::Place,
    incident::v1::{Figure, ImportedRow, IncidentImported, PublishedRecord},
    time::Millis,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    map::{Map, fitting},
    person::names_a_person,
    place::Where,
    read::{Kind, Reader, Reality, Text, place_of},
};

/// The longest id of a publisher that is kept as it is, in characters.
const ID_CHARACTERS: usize = 64;

/// What an import depends on beside the file and the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The province whose node records; rows of others are passed over.
    pub province: NodeId,
    /// The time.
    pub now: Millis,
    /// Whether texts are kept though they may hold personal data.
    pub text_as_is: bool,
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It becomes a historical incident, or with others one.
    Record,
    /// It is a part of a record of several rows, which is told at its first one.
    Part,
    /// It stands for no event.
    Empty,
    /// It is of another province.
    Elsewhere,
    /// It is a test.
    Test,
    /// It is of an exercise.
    Exercise,
    /// The map leaves its kind out.
    LeftOut,
    /// It repeats a row before, word for word.
    Repeated,
    /// Something is wrong with it.
    Refused,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The column; empty when it is the row as a whole.
    pub column: String,
    /// What is wrong, and what is expected.
    pub message: String,
}

impl Fault {
    pub(super) fn at(column: &str, message: String) -> Self {
        Self {
            column: column.to_owned(),
            message,
        }
    }
}

/// What becomes of a row, and what there is to say of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Where it stands.
    pub place: RowPlace,
    /// What becomes of it.
    pub fate: Fate,
    /// What is sent to the node: of a record, and of one that stands for no event, which may correct an earlier one.
    pub row: Option<ImportedRow>,
    /// How many rows it is made of.
    pub rows: u64,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
    /// What there is to say.
    pub notes: Vec<String>,
}

/// How many rows have which fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Rows that were read.
    pub rows: u64,
    /// Records that become historical incidents.
    pub records: u64,
    /// Rows that are parts of such records.
    pub parts: u64,
    /// Records that stand for no event.
    pub empty: u64,
    /// Rows of other provinces.
    pub elsewhere: u64,
    /// Tests.
    pub tests: u64,
    /// Rows of exercises.
    pub exercises: u64,
    /// Rows whose kind the map leaves out.
    pub left_out: u64,
    /// Rows that repeat one before.
    pub repeated: u64,
    /// Rows with which something is wrong.
    pub refused: u64,
    /// Texts that were left out.
    pub texts_left_out: u64,
}

/// A column that no key of the map takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unused {
    /// Its name.
    pub column: String,
    /// In how many rows something stands in it.
    pub cells: u64,
}

/// What there is to say of a whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What the file is written in; none before it was read.
    pub format: Option<Shape>,
    /// How many rows have which fate.
    pub counts: Counts,
    /// Columns that are never read, since they name persons or how to reach them.
    pub personal_columns: Vec<String>,
    /// Columns that the map does not take.
    pub unused_columns: Vec<Unused>,
    /// What there is to say of the file as a whole.
    pub notes: Vec<String>,
}

/// Why a whole file cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Neither the map nor the asker says the year.
    #[error("no column names the year: say it with `--year`, or `year_is` under [time] of the map")]
    NoYear,
    /// The file lacks a column that the map takes.
    #[error("there is no column `{column}`, which the map takes; the nearest is `{nearest}`")]
    NoColumn {
        /// The column.
        column: String,
        /// The one that is most like it.
        nearest: String,
    },
    /// The file lacks a column that the map takes, and has those of another map.
    #[error(
        "there is no column `{column}`, which the map takes; the file has the columns of map `{fits}`, which comes with the program"
    )]
    OtherMap {
        /// The column.
        column: String,
        /// The name of the map that fits.
        fits: &'static str,
    },
}

/// Plans an import.
pub struct Planner<'m> {
    map: &'m Map,
    settings: Settings,
    counts: Counts,
    columns: Vec<Column>,
    /// The columns that the map reads.
    taken: Vec<&'m str>,
    /// What every record's id stood in first, and what it said.
    seen: HashMap<[u8; 16], ([u8; 8], u64)>,
    group: Option<Group>,
    out: Vec<Planned>,
    missing: Option<ImportError>,
}

/// What a column is to the map.
struct Column {
    name: String,
    is: Use,
    cells: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Taken,
    Personal,
    None,
}

/// A record whose rows are being gathered.
struct Group {
    key: [u8; 16],
    planned: Planned,
}

impl<'m> Planner<'m> {
    /// Begins an import.
    pub fn new(map: &'m Map, settings: Settings) -> Self {
        Self {
            map,
            settings,
            counts: Counts::default(),
            columns: Vec::new(),
            taken: map.columns(),
            seen: HashMap::new(),
            group: None,
            out: Vec::new(),
            missing: None,
        }
    }

    /// Reads the file, and hands over what becomes of each row; `take` may end it early.
    pub fn run(
        mut self,
        source: impl Read + Seek,
        take: &mut dyn FnMut(Planned) -> ControlFlow<()>,
    ) -> Result<Report, ImportError> {
        let map = self.map;
        let time = &map.time;
        if time.date.is_none() && time.year.is_none() && time.year_is.is_none() {
            return Err(ImportError::NoYear);
        }
        let mut ended = false;
        let summary = table::read(source, &map.options, &mut |step| {
            match step {
                Step::Columns(columns, shape) => self.know(columns, shape),
                Step::Row(row) => self.row(&row),
                Step::Broken(place, fault) => {
                    self.counts.rows += 1;
                    self.refuse(place, vec![Fault::at("", fault.to_string())]);
                }
            }
            if self.missing.is_some() {
                return ControlFlow::Break(());
            }
            for planned in self.out.drain(..) {
                if take(planned).is_break() {
                    ended = true;
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        if let Some(missing) = self.missing {
            return Err(missing);
        }
        if !ended {
            self.close_group();
            for planned in self.out.drain(..) {
                if take(planned).is_break() {
                    break;
                }
            }
        }
        Ok(self.report(summary))
    }

    fn report(self, summary: Summary) -> Report {
        let named = |column: &&Column| column.is == Use::Personal;
        let personal = self
            .columns
            .iter()
            .filter(named)
            .map(|column| column.name.clone());
        let unused = self.columns.iter().filter(|column| column.is == Use::None);
        let unused = unused.map(|column| Unused {
            column: column.name.clone(),
            cells: column.cells,
        });
        let mut notes = summary.notes;
        let known = |column: &&str| self.columns.iter().any(|known| known.name == **column);
        if !self.columns.is_empty() {
            let absent = self
                .map
                .columns()
                .into_iter()
                .filter(|column| !known(column));
            notes
                .extend(absent.map(|column| format!("no row has `{column}`, which the map takes")));
        }
        Report {
            format: Some(summary.shape),
            counts: self.counts,
            personal_columns: personal.collect(),
            unused_columns: unused.collect(),
            notes,
        }
    }

    /// Notes what each column is to the map; a table's columns are all there from the start, a feature's are not.
    fn know(&mut self, columns: &Columns, shape: Shape) {
        let taken = &self.taken;
        for name in columns.names().iter().skip(self.columns.len()) {
            let is = if self.map.left_out.contains(name) || names_a_person(name) {
                Use::Personal
            } else if taken.contains(&name.as_str()) {
                Use::Taken
            } else {
                Use::None
            };
            self.columns.push(Column {
                name: name.clone(),
                is,
                cells: 0,
            });
        }
        if shape == Shape::GeoJson {
            return;
        }
        let missing = taken
            .iter()
            .find(|column| !columns.names().iter().any(|name| name == *column));
        self.missing = missing.map(|column| {
            if let Some(fits) = fitting(columns.names()) {
                let column = (*column).to_owned();
                return ImportError::OtherMap { column, fits };
            }
            let names = columns.names().iter().map(String::as_str);
            let nearest = names.min_by_key(|name| strsim::damerau_levenshtein(name, column));
            ImportError::NoColumn {
                column: (*column).to_owned(),
                nearest: nearest.unwrap_or_default().to_owned(),
            }
        });
    }

    fn row(&mut self, row: &Row<'_>) {
        self.counts.rows += 1;
        for (column, (_, cell)) in self.columns.iter_mut().zip(row.cells()) {
            column.cells += u64::from(!cell.is_empty());
        }
        let reader = Reader { map: self.map, row };
        let fate = match self.judge(&reader) {
            Ok(Judged::Passed(fate)) => fate,
            Ok(Judged::Record(planned, key)) => return self.gather(*planned, key),
            Err(faults) => return self.refuse(row.place, faults),
        };
        self.close_group_unless_part(fate);
        let counted = match fate {
            Fate::Elsewhere => &mut self.counts.elsewhere,
            Fate::Test => &mut self.counts.tests,
            Fate::Exercise => &mut self.counts.exercises,
            Fate::LeftOut => &mut self.counts.left_out,
            Fate::Repeated => &mut self.counts.repeated,
            Fate::Part => &mut self.counts.parts,
            Fate::Record | Fate::Empty | Fate::Refused => &mut self.counts.refused,
        };
        *counted += 1;
        self.out.push(Planned {
            place: row.place,
            fate,
            row: None,
            rows: 1,
            faults: Vec::new(),
            notes: Vec::new(),
        });
    }

    fn refuse(&mut self, place: RowPlace, faults: Vec<Fault>) {
        self.counts.refused += 1;
        self.out.push(Planned {
            place,
            fate: Fate::Refused,
            row: None,
            rows: 1,
            faults,
            notes: Vec::new(),
        });
    }

    /// Finds out what becomes of a row, or everything that is wrong with it.
    fn judge(&mut self, reader: &Reader<'_>) -> Result<Judged, Vec<Fault>> {
        let one = |fault: Fault| vec![fault];
        match reader.reality().map_err(one)? {
            Reality::Real => {}
            Reality::Test => return Ok(Judged::Passed(Fate::Test)),
            Reality::Exercise => return Ok(Judged::Passed(Fate::Exercise)),
        }
        let placed = reader.place(self.settings.province.as_str());
        if placed
            .as_ref()
            .is_ok_and(|placed| placed.found == Where::Elsewhere)
        {
            return Ok(Judged::Passed(Fate::Elsewhere));
        }
        let hazard = reader.hazard();
        if matches!(hazard, Ok(Kind::LeftOut)) {
            return Ok(Judged::Passed(Fate::LeftOut));
        }
        let mut faults = Vec::new();
        let mut keep = |fault: Fault| faults.push(fault);
        let placed = placed.map_err(&mut keep).ok();
        let point = reader.point().map_err(&mut keep).ok().flatten();
        let hazard = hazard.map_err(&mut keep).ok();
        let time = reader.time().map_err(&mut keep).ok();
        let events = match &self.map.events {
            Some(column) => reader.count(column).map_err(&mut keep).ok().flatten(),
            None => (!self.map.sums).then_some(1),
        };
        let long = reader.long_figure().map_err(&mut keep).ok();
        let mut figures = reader.figures(&mut faults);
        // A place that the point tells has the point's fault too.
        faults.dedup();
        if let Some((from, ..)) = time
            && from > self.settings.now.plus_seconds(CLOCK_TOLERANCE_SECONDS)
        {
            let column = self.map.time.date.as_ref().or(self.map.time.year.as_ref());
            let shown = |at: Millis| {
                let at = chrono::DateTime::from_timestamp_millis(at.0);
                at.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
                    .unwrap_or_default()
            };
            let message = format!(
                "`{}` lies in the future: it is `{}` here",
                shown(from),
                shown(self.settings.now)
            );
            faults.push(Fault::at(column.map_or("", String::as_str), message));
        }
        let (
            Some(Kind::Is(hazard)),
            Some((from, until, precision)),
            Some((long, measure_left_out)),
            true,
        ) = (hazard, time, long, faults.is_empty())
        else {
            return Err(faults);
        };
        figures.extend(long);
        let Some((placed, Where::Here(region))) = placed.map(|placed| {
            let found = placed.found;
            (placed, found)
        }) else {
            return Err(faults);
        };
        let mut notes: Vec<String> = placed.note.map(str::to_owned).into_iter().collect();
        if measure_left_out {
            let column = self
                .map
                .long
                .as_ref()
                .map_or("", |long| long.measure.as_str());
            notes.push(format!(
                "the count of `{}` is left out, as the map says",
                reader
                    .cell(column)
                    .text()
                    .chars()
                    .take(64)
                    .collect::<String>()
            ));
        }
        let note = match reader.text(self.settings.text_as_is) {
            Text::None => String::new(),
            Text::Is(text) => text,
            Text::LeftOut(why) => {
                self.counts.texts_left_out += 1;
                notes.push(why);
                String::new()
            }
        };
        let (record_id, key, content) = self.identity(reader);
        let imported = IncidentImported {
            hazard: hazard.into(),
            place: Some(place_of(region, point)),
            source: self.map.source.into(),
            record: Some(PublishedRecord {
                publisher: self.map.publisher.clone(),
                dataset: self.map.dataset.clone(),
                record_id,
                license: self.map.license.clone(),
                web: self.map.web.clone(),
                from: Some(from.into()),
                until: Some(until.into()),
                precision: precision.into(),
                events,
                region_given: placed.given,
                code_system: placed.system.into(),
            }),
            figures,
        };
        let row = ImportedRow {
            row: reader.row.place.row,
            imported: Some(imported),
            note,
        };
        IncidentCommand::try_from(&row)
            .map_err(|rejection| vec![Fault::at("", rejection.to_string())])?;
        if self.map.group.is_empty() {
            if let Some((said, first)) = self.seen.get(&key) {
                if *said == content {
                    return Ok(Judged::Passed(Fate::Repeated));
                }
                let column = self.map.id.first().map_or("", String::as_str);
                let message = format!(
                    "its record stands in row `{first}` already, and says something else there"
                );
                return Err(vec![Fault::at(column, message)]);
            }
            self.seen.insert(key, (content, reader.row.place.row));
        }
        let fate = if events == Some(0) {
            Fate::Empty
        } else {
            Fate::Record
        };
        let planned = Planned {
            place: reader.row.place,
            fate,
            row: Some(row),
            rows: 1,
            faults: Vec::new(),
            notes,
        };
        Ok(Judged::Record(Box::new(planned), key))
    }

    /// Returns the record's id as it is kept, what tells it from others, and what tells whether it says the same.
    fn identity(&self, reader: &Reader<'_>) -> (String, [u8; 16], [u8; 8]) {
        let given_year = self
            .map
            .time
            .year_is
            .map(|year| year.to_string())
            .unwrap_or_default();
        let digest = |columns: &mut dyn Iterator<Item = &str>| {
            let mut hash = Sha256::new();
            hash.update(given_year.as_bytes());
            for column in columns {
                let text = reader.row.cell(column).text();
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text.as_bytes());
            }
            let digest: [u8; 32] = hash.finalize().into();
            digest
        };
        let all = digest(&mut self.taken.iter().copied());
        let named = if self.map.group.is_empty() {
            &self.map.id
        } else {
            &self.map.group
        };
        let of = match named.as_slice() {
            [] => all,
            columns => digest(&mut columns.iter().map(String::as_str)),
        };
        let first = |digest: [u8; 32]| {
            let mut key = [0; 16];
            for (to, from) in key.iter_mut().zip(digest) {
                *to = from;
            }
            key
        };
        let key = first(of);
        let mut content = [0; 8];
        for (to, from) in content.iter_mut().zip(all) {
            *to = from;
        }
        // A publisher's own id says more than a digest, as long as it is an id and names nobody.
        let own = match named.as_slice() {
            [column] if given_year.is_empty() => reader.cell(column).text().into_owned(),
            _ => String::new(),
        };
        let is_id = !own.is_empty()
            && own.chars().count() <= ID_CHARACTERS
            && own.chars().all(|c| c.is_ascii_alphanumeric() || "._:/-".contains(c))
            // A serial with a date in it, as DIBI's, has the digits of a NIK; a column of NIK is told by its heading.
            && privacy::findings(&own).iter().all(|found| found.kind == privacy::Personal::Nik);
        let id = if is_id {
            own
        } else {
            format!("sha256:{}", posko_proto::id::hex(&key))
        };
        (id, key, content)
    }

    /// Takes a record, or the next row of one.
    fn gather(&mut self, planned: Planned, key: [u8; 16]) {
        if self.map.group.is_empty() {
            match planned.fate {
                Fate::Empty => self.counts.empty += 1,
                _ => self.counts.records += 1,
            }
            self.out.push(planned);
            return;
        }
        if self.group.as_ref().is_some_and(|group| group.key == key) {
            return self.add(planned);
        }
        self.close_group();
        if let Some((_, last)) = self.seen.get(&key) {
            let message = format!(
                "the other rows of its record end in row `{last}`: they must stand together, so sort the file first"
            );
            return self.refuse(planned.place, vec![Fault::at("", message)]);
        }
        self.group = Some(Group { key, planned });
    }

    /// Adds a row to the record that is being gathered.
    fn add(&mut self, next: Planned) {
        let Some(group) = &mut self.group else { return };
        let place = next.place;
        let differs = || {
            let say = |planned: &Planned| {
                let imported = planned.row.as_ref()?.imported.as_ref()?;
                let record = imported.record.as_ref()?;
                let region = imported
                    .place
                    .as_ref()
                    .map(|place: &Place| place.region_code.clone());
                Some((
                    imported.hazard,
                    region,
                    record.from,
                    record.until,
                    record.events,
                ))
            };
            say(&group.planned) != say(&next)
        };
        if differs() {
            let message = format!(
                "it belongs to the record of row `{}`, and says another place, time or hazard",
                group.planned.place.row
            );
            return self.refuse(place, vec![Fault::at("", message)]);
        }
        group.planned.rows += 1;
        group.planned.notes.extend(next.notes);
        let held = group
            .planned
            .row
            .as_mut()
            .and_then(|row| row.imported.as_mut());
        let more = next
            .row
            .and_then(|row| row.imported)
            .map(|imported| imported.figures);
        if let (Some(held), Some(more)) = (held, more) {
            for figure in more {
                let same = held
                    .figures
                    .iter_mut()
                    .find(|known: &&mut Figure| known.measure == figure.measure);
                match same {
                    Some(known) => {
                        known.count = known.count.saturating_add(figure.count);
                        let name = figure.measure().as_str_name();
                        let note = format!("`{name}` is the sum of several rows");
                        if !group.planned.notes.contains(&note) {
                            group.planned.notes.push(note);
                        }
                    }
                    None => held.figures.push(figure),
                }
            }
        }
        self.counts.parts += 1;
        self.out.push(Planned {
            place,
            fate: Fate::Part,
            row: None,
            rows: 1,
            faults: Vec::new(),
            notes: Vec::new(),
        });
    }

    fn close_group_unless_part(&mut self, fate: Fate) {
        if fate != Fate::Part {
            self.close_group();
        }
    }

    fn close_group(&mut self) {
        let Some(Group { key, planned }) = self.group.take() else {
            return;
        };
        let last = planned.place.row + planned.rows - 1;
        self.seen.insert(key, ([0; 8], last));
        match planned.fate {
            Fate::Empty => self.counts.empty += 1,
            _ => self.counts.records += 1,
        }
        self.out.push(planned);
    }
}

/// What was found out of a row.
enum Judged {
    Passed(Fate),
    Record(Box<Planned>, [u8; 16]),
}
