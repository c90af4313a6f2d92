//! GeoJSON: a list of features with points, also inside an answer as PetaBencana gives it. One feature is held at a time.
//!
//! A field within a field has both names with a dot between, `tags.district_id`; the point is `geometry.latitude` and
//! `geometry.longitude`, the feature's own id `feature.id`.

use std::{
    fmt,
    io::{BufReader, Read},
    ops::ControlFlow,
};

use serde::de::{
    Deserialize as _, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess,
    Visitor,
};
use serde_json::Value;

use super::{Cell, Columns, MAX_ROWS, Row, RowFault, RowPlace, Shape, Step, Summary, TableError};

/// The error's text by which an early end is told from a fault.
const ENDED: &str = "ended by the reader";
const TOO_MANY: &str = "more rows than are read";
const FAILED: &str = "the answer's status is ";

/// Reads a table from GeoJSON.
pub(super) fn read(
    source: impl Read,
    take: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>,
) -> Result<Summary, TableError> {
    let mut input = BufReader::new(source);
    skip_mark(&mut input)?;
    let mut features = Features {
        columns: Columns::default(),
        rows: 0,
        found: false,
        take,
    };
    let mut json = serde_json::Deserializer::from_reader(input);
    let read = Document(&mut features)
        .deserialize(&mut json)
        .and_then(|()| json.end());
    let summary = Summary {
        shape: Shape::GeoJson,
        rows: features.rows,
        notes: Vec::new(),
    };
    let error = match read {
        Ok(()) if features.found => return Ok(summary),
        Ok(()) => return Err(TableError::NoFeatures),
        Err(error) => error,
    };
    let reason = error.to_string();
    if reason.starts_with(ENDED) {
        return Ok(summary);
    }
    if reason.starts_with(TOO_MANY) {
        return Err(TableError::TooManyRows);
    }
    if let Some(status) = reason.strip_prefix(FAILED) {
        let digits = status
            .split(' ')
            .next()
            .and_then(|status| status.parse().ok());
        let status = digits.unwrap_or_default();
        return Err(TableError::Failed { status });
    }
    if error.is_io() {
        return Err(TableError::Io(error.into()));
    }
    Err(TableError::Json {
        line: error.line(),
        reason: crate::text::quote(reason.split(" at line ").next().unwrap_or_default()),
    })
}

fn skip_mark(input: &mut BufReader<impl Read>) -> Result<(), TableError> {
    use std::io::BufRead as _;
    if input.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        input.consume(3);
    }
    Ok(())
}

struct Features<'a> {
    columns: Columns,
    rows: u64,
    found: bool,
    take: &'a mut dyn FnMut(Step<'_>) -> ControlFlow<()>,
}

impl Features<'_> {
    fn feature(&mut self, feature: &Value) -> ControlFlow<()> {
        self.rows += 1;
        let place = RowPlace {
            row: self.rows,
            line: None,
        };
        let known = self.columns.names().len();
        let cells = match self.cells(feature) {
            Ok(cells) => cells,
            Err(fault) => return (self.take)(Step::Broken(place, &fault)),
        };
        if self.columns.names().len() > known {
            (self.take)(Step::Columns(&self.columns, Shape::GeoJson))?;
        }
        (self.take)(Step::Row(Row {
            place,
            columns: &self.columns,
            cells: &cells,
        }))
    }

    fn cells(&mut self, feature: &Value) -> Result<Vec<Cell>, RowFault> {
        let fields = feature.as_object().ok_or(RowFault::NoObject)?;
        let mut cells = vec![Cell::EMPTY; self.columns.names().len()];
        if let Some(id) = fields.get("id") {
            self.put(&mut cells, "feature.id", id)?;
        }
        if let Some(properties) = fields.get("properties") {
            self.put(&mut cells, "", properties)?;
        }
        match fields.get("geometry") {
            None | Some(Value::Null) => {}
            Some(geometry) => {
                let (longitude, latitude) = point(geometry).ok_or(RowFault::NoPoint)?;
                self.set(&mut cells, "geometry.latitude", Cell::Number(latitude))?;
                self.set(&mut cells, "geometry.longitude", Cell::Number(longitude))?;
            }
        }
        Ok(cells)
    }

    /// Puts a value under its name, and the values within it under both names.
    fn put(&mut self, cells: &mut Vec<Cell>, name: &str, value: &Value) -> Result<(), RowFault> {
        let cell = match value {
            Value::Object(fields) => {
                for (field, value) in fields {
                    let name = if name.is_empty() {
                        field.clone()
                    } else {
                        format!("{name}.{field}")
                    };
                    self.put(cells, &name, value)?;
                }
                return Ok(());
            }
            Value::Null => Cell::EMPTY,
            Value::Bool(is) => Cell::Text(is.to_string()),
            Value::String(text) => Cell::Text(text.trim().to_owned()),
            // A number of many digits is an id, which a float would round.
            Value::Number(number) => match number.as_f64() {
                Some(float) if number.is_f64() => Cell::Number(float),
                _ => Cell::Text(number.to_string()),
            },
            Value::Array(_) => Cell::Text(value.to_string()),
        };
        self.set(cells, name, cell)
    }

    fn set(&mut self, cells: &mut Vec<Cell>, name: &str, cell: Cell) -> Result<(), RowFault> {
        let at = match self.columns.place(name) {
            Some(at) => at,
            None => self
                .columns
                .add(name.to_owned())
                .ok_or(RowFault::TooManyFields)?,
        };
        if cells.len() <= at {
            cells.resize(at + 1, Cell::EMPTY);
        }
        if let Some(place) = cells.get_mut(at) {
            *place = cell;
        }
        Ok(())
    }
}

/// Returns longitude and latitude of a point.
fn point(geometry: &Value) -> Option<(f64, f64)> {
    if geometry.get("type").and_then(Value::as_str) != Some("Point") {
        return None;
    }
    let numbers = geometry.get("coordinates")?.as_array()?;
    let longitude = numbers.first()?.as_f64()?;
    let latitude = numbers.get(1)?.as_f64()?;
    let on_earth = (-180.0..=180.0).contains(&longitude) && (-90.0..=90.0).contains(&latitude);
    (on_earth && numbers.len() <= 3).then_some((longitude, latitude))
}

/// The document, or what an answer wraps.
struct Document<'f, 'a>(&'f mut Features<'a>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `features`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "features" => {
                    self.0.found = true;
                    map.next_value_seed(List(&mut *self.0))?;
                }
                "result" => map.next_value_seed(Document(&mut *self.0))?,
                "statusCode" => {
                    let status: i64 = map.next_value()?;
                    if !(200..300).contains(&status) {
                        return Err(M::Error::custom(format!("{FAILED}{status}")));
                    }
                }
                "type" => {
                    let kind: Value = map.next_value()?;
                    if kind == "Topology" {
                        let kind =
                            "it is TopoJSON: ask for GeoJSON, such as with `geoformat=geojson`";
                        return Err(M::Error::custom(kind));
                    }
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct List<'f, 'a>(&'f mut Features<'a>);

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of features")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<(), S::Error> {
        while let Some(feature) = list.next_element_seed(Feature)? {
            if self.0.rows >= MAX_ROWS {
                return Err(S::Error::custom(TOO_MANY));
            }
            if self.0.feature(&feature).is_break() {
                return Err(S::Error::custom(ENDED));
            }
        }
        Ok(())
    }
}

struct Feature;

impl<'de> DeserializeSeed<'de> for Feature {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        Value::deserialize(json)
    }
}
