//! What one row says, by its map: each part alone, so that everything that is wrong with a row is told at once.

use posko_domain::{
    hazard, privacy,
    region::{self, CodeSystem},
};
use posko_formats::table::{
    Cell, Row,
    date::{self, Precision, Span},
    number,
};
use posko_proto::{
    common::v1::{Hazard, Place, Point},
    incident::v1::{self as wire, Figure, TimePrecision},
    time::Millis,
};

use super::{
    Fault,
    map::{BY_POINT, HazardFrom, Map, folded},
    place::{self, Where},
};

/// Words that tell a test or an exercise in a title or a text.
const NOT_REAL: [(&str, bool); 10] = [
    ("gladi", true),
    ("latihan", true),
    ("simulasi", true),
    ("drill", true),
    ("exercise", true),
    ("training", true),
    ("uji coba", false),
    ("ujicoba", false),
    ("tes", false),
    ("test", false),
];

/// Whether a row is of something real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reality {
    Real,
    Test,
    Exercise,
}

/// What a row's hazard is.
pub(super) enum Kind {
    Is(Hazard),
    LeftOut,
}

/// A place with what the record gave.
pub(super) struct Placed {
    pub(super) found: Where,
    pub(super) given: String,
    pub(super) system: wire::CodeSystem,
    pub(super) note: Option<&'static str>,
}

/// What is left of a row's text.
pub(super) enum Text {
    None,
    Is(String),
    LeftOut(String),
}

/// Reads the parts of a row.
pub(super) struct Reader<'a> {
    pub(super) map: &'a Map,
    pub(super) row: &'a Row<'a>,
}

impl<'a> Reader<'a> {
    /// Returns a cell; what the map calls empty is.
    pub(super) fn cell(&self, column: &str) -> &'a Cell {
        const EMPTY: &Cell = &Cell::Text(String::new());
        let cell = self.row.cell(column);
        match cell {
            Cell::Text(text) if self.map.empty.iter().any(|empty| empty == text) => EMPTY,
            _ => cell,
        }
    }

    pub(super) fn text_of(&self, column: Option<&String>) -> String {
        column
            .map(|column| self.cell(column).text().into_owned())
            .unwrap_or_default()
    }

    pub(super) fn reality(&self) -> Result<Reality, Fault> {
        let status = &self.map.status;
        if let Some(column) = &status.column {
            let said = folded(&self.cell(column).text());
            let among = |words: &[String]| words.iter().any(|word| folded(word) == said);
            if among(&status.test) {
                return Ok(Reality::Test);
            }
            if among(&status.exercise) {
                return Ok(Reality::Exercise);
            }
            if !among(&status.real) {
                let value = shown(&self.cell(column).text());
                let message = format!(
                    "`{value}` is none of the values under [status] of the map: say whether it is `real`, `test` or `exercise`"
                );
                return Err(Fault::at(column, message));
            }
        }
        for column in &status.words_in {
            let text = format!(" {} ", words(&self.cell(column).text()));
            let told = NOT_REAL
                .iter()
                .find(|(word, _)| text.contains(&format!(" {word} ")));
            if let Some((_, exercise)) = told {
                return Ok(if *exercise {
                    Reality::Exercise
                } else {
                    Reality::Test
                });
            }
        }
        Ok(Reality::Real)
    }

    pub(super) fn place(&self, province: &str) -> Result<Placed, Fault> {
        let from = &self.map.region;
        let regency = self.text_of(from.regency.as_ref());
        let code = self.text_of(from.code.as_ref());
        if let Some(column) = from.code.as_ref().filter(|_| !code.is_empty()) {
            if !from.values.is_empty() {
                return self.place_of_value(column, &code, province);
            }
            let (found, note) = place::of_code(&code, from.system, province)
                .map_err(|message| Fault::at(column, message))?;
            if let Where::Here(region) = found
                && !regency.is_empty()
                && place::contradicts(region, &regency)
            {
                let message = format!(
                    "`{}` is {} by the map's `system`, and column `{}` says `{}`: is the system right?",
                    shown(&code),
                    region.name,
                    from.regency.as_deref().unwrap_or_default(),
                    shown(&regency)
                );
                return Err(Fault::at(column, message));
            }
            let system = match from.system {
                _ if code.contains('.') => wire::CodeSystem::Kemendagri,
                Some(CodeSystem::Bps) => wire::CodeSystem::Bps,
                Some(CodeSystem::Kemendagri) => wire::CodeSystem::Kemendagri,
                // Where the systems agree it is of both.
                None => wire::CodeSystem::Unspecified,
            };
            return Ok(Placed {
                found,
                given: code,
                system,
                note,
            });
        }
        let (province_name, district) = (
            self.text_of(from.province.as_ref()),
            self.text_of(from.district.as_ref()),
        );
        let columns = [&from.district, &from.regency, &from.province, &from.code];
        let column = columns
            .into_iter()
            .flatten()
            .next()
            .map_or("", String::as_str);
        let found = place::of_names(&province_name, &regency, &district, province)
            .map_err(|message| Fault::at(column, message))?;
        Ok(Placed {
            found,
            given: String::new(),
            system: wire::CodeSystem::Unspecified,
            note: None,
        })
    }

    fn place_of_value(&self, column: &str, value: &str, province: &str) -> Result<Placed, Fault> {
        let code = self.map.region.values.get(&folded(value)).ok_or_else(|| {
            let known: Vec<&str> = self.map.region.values.keys().map(String::as_str).collect();
            let message = format!(
                "`{}` is none of the values under [region.values] of the map, which are {}",
                shown(value),
                known.join(", ")
            );
            Fault::at(column, message)
        })?;
        let (found, note) = if code == BY_POINT {
            (self.place_of_point(column, province)?, None)
        } else {
            place::of_code(code, Some(CodeSystem::Kemendagri), province)
                .map_err(|message| Fault::at(column, message))?
        };
        Ok(Placed {
            found,
            given: value.chars().take(32).collect(),
            system: wire::CodeSystem::Unspecified,
            note,
        })
    }

    fn place_of_point(&self, column: &str, province: &str) -> Result<Where, Fault> {
        let nowhere = || {
            Fault::at(
                column,
                "its point lies in no region that is known".to_owned(),
            )
        };
        let point = self.point()?.ok_or_else(nowhere)?;
        let region = region::at(point.into()).ok_or_else(nowhere)?;
        Ok(if region.province() == province {
            Where::Here(region)
        } else {
            Where::Elsewhere
        })
    }

    pub(super) fn point(&self) -> Result<Option<Point>, Fault> {
        let Some((latitude, longitude)) = &self.map.point else {
            return Ok(None);
        };
        let degrees = |column: &str| {
            number::degrees(self.cell(column)).map_err(|error| Fault::at(column, error.to_string()))
        };
        let (lat, lon) = match (degrees(latitude)?, degrees(longitude)?) {
            (Some(lat), Some(lon)) => (lat, lon),
            (None, None) => return Ok(None),
            (Some(_), None) => {
                return Err(Fault::at(
                    longitude,
                    "is empty, and the latitude is not".to_owned(),
                ));
            }
            (None, Some(_)) => {
                return Err(Fault::at(
                    latitude,
                    "is empty, and the longitude is not".to_owned(),
                ));
            }
        };
        // Indonesia lies between 6 degrees north and 11 south, 95 and 141 east.
        let inside =
            |lat: f64, lon: f64| (-11.5..=6.5).contains(&lat) && (94.5..=141.5).contains(&lon);
        if !inside(lat, lon) {
            let message = if inside(lon, lat) {
                format!(
                    "`{lat}, {lon}` is in Indonesia only with latitude and longitude the other way round"
                )
            } else {
                format!(
                    "`{lat}, {lon}` is not in Indonesia: expected degrees, the latitude from -11 to 6"
                )
            };
            return Err(Fault::at(latitude, message));
        }
        let point = region::Point::from_degrees(lat, lon);
        Ok(Some(point.into()))
    }

    pub(super) fn hazard(&self) -> Result<Kind, Fault> {
        let (column, values, left_out) = match &self.map.hazard {
            HazardFrom::Is(hazard) => return Ok(Kind::Is(*hazard)),
            HazardFrom::Column {
                column,
                values,
                left_out,
            } => (column, values, left_out),
        };
        let said = self.cell(column).text();
        let word = folded(&said);
        if left_out.contains(&word) {
            return Ok(Kind::LeftOut);
        }
        let known = values.get(&word).copied().or_else(|| hazard::find(&said));
        known.map(Kind::Is).ok_or_else(|| {
            let near = values.keys().map(String::as_str).chain(hazard::ALL.iter().map(|label| label.indonesian));
            // A short word for a longer name, such as `longsor`, is nearer than another word of its length.
            let near = near.min_by_key(|known| {
                let known = folded(known);
                let part = !word.is_empty() && known.contains(&word);
                (!part, strsim::damerau_levenshtein(&known, &word))
            });
            let message = format!(
                "`{}` is no hazard that the map knows; the nearest is `{}`: write it under [hazard.values], or in `left_out`",
                shown(&said),
                near.unwrap_or_default()
            );
            Fault::at(column, message)
        })
    }

    /// Reads when it happened, in UTC, with how exactly that is known.
    pub(super) fn time(&self) -> Result<(Millis, Millis, TimePrecision), Fault> {
        let from = &self.map.time;
        let zone = self
            .map
            .zone()
            .ok_or_else(|| Fault::at("", "the map's zone is none".to_owned()))?;
        let (span, column) = match &from.date {
            Some(column) => (self.span(column)?, column.as_str()),
            None => self.span_of_parts()?,
        };
        let utc = |at: chrono::NaiveDateTime| {
            Millis(at.and_utc().timestamp_millis() - i64::from(zone.local_minus_utc()) * 1000)
        };
        let mut until = utc(span.until);
        let mut precision = match span.precision {
            Precision::Moment => TimePrecision::Moment,
            Precision::Day => TimePrecision::Day,
            Precision::Month => TimePrecision::Month,
            Precision::Quarter => TimePrecision::Quarter,
            Precision::Year => TimePrecision::Year,
        };
        if let Some(column_until) = from
            .until
            .as_ref()
            .filter(|column| !self.cell(column).is_empty())
        {
            let end = self.span(column_until)?;
            if end.until < span.until {
                let message = format!("it ends before it begins in column `{column}`");
                return Err(Fault::at(column_until, message));
            }
            if end != span {
                until = utc(end.until);
                precision = TimePrecision::Span;
            }
        }
        Ok((utc(span.from), until, precision))
    }

    fn span(&self, column: &str) -> Result<Span, Fault> {
        let zone = self
            .map
            .zone()
            .ok_or_else(|| Fault::at(column, "the map's zone is none".to_owned()))?;
        date::span(self.cell(column), self.map.time.order, zone)
            .map_err(|error| Fault::at(column, error.to_string()))?
            .ok_or_else(|| Fault::at(column, "it is empty: when did it happen?".to_owned()))
    }

    /// Reads a time from the columns of its year, quarter and month, which must agree.
    fn span_of_parts(&self) -> Result<(Span, &str), Fault> {
        let from = &self.map.time;
        let at = |column: &str, error: date::DateError| Fault::at(column, error.to_string());
        let year = match (&from.year, from.year_is) {
            (Some(column), _) => date::year(self.cell(column))
                .map_err(|error| at(column, error))?
                .ok_or_else(|| {
                    Fault::at(
                        column,
                        "it is empty: in which year did it happen?".to_owned(),
                    )
                })?,
            (None, Some(year)) => year,
            // Without a year nothing is read at all.
            (None, None) => return Err(Fault::at("", "the year is not known".to_owned())),
        };
        let part = |column: &Option<String>,
                    read: fn(&Cell) -> Result<Option<u32>, date::DateError>| {
            let Some(column) = column else {
                return Ok(None);
            };
            read(self.cell(column)).map_err(|error| at(column, error))
        };
        let (month, quarter) = (
            part(&from.month, date::month)?,
            part(&from.quarter, date::quarter)?,
        );
        if let (Some(month), Some(quarter)) = (month, quarter)
            && (month - 1) / 3 + 1 != quarter
        {
            let column = from.month.as_deref().unwrap_or_default();
            let message = format!(
                "month `{month}` is not in quarter `{quarter}` of column `{}`",
                from.quarter.as_deref().unwrap_or_default()
            );
            return Err(Fault::at(column, message));
        }
        let columns = [&from.month, &from.quarter, &from.year];
        let column = columns
            .into_iter()
            .flatten()
            .next()
            .map_or("", String::as_str);
        let span = match (month, quarter) {
            (Some(month), _) => Span::of_month(year, month),
            (None, Some(quarter)) => Span::of_quarter(year, quarter),
            (None, None) => Span::of_year(year),
        };
        let span = span.ok_or_else(|| Fault::at(column, format!("year `{year}` is none")))?;
        Ok((span, column))
    }

    /// Reads a count; none when nothing is there, which is not 0.
    pub(super) fn count(&self, column: &str) -> Result<Option<u64>, Fault> {
        number::count(self.cell(column), self.map.marks)
            .map_err(|error| Fault::at(column, error.to_string()))
    }

    pub(super) fn figures(&self, faults: &mut Vec<Fault>) -> Vec<Figure> {
        let mut figures = Vec::new();
        for (measure, column) in &self.map.figures {
            match self.count(column) {
                Ok(None) => {}
                Ok(Some(count)) => figures.push(Figure {
                    measure: (*measure).into(),
                    count,
                    ..Figure::default()
                }),
                Err(fault) => faults.push(fault),
            }
        }
        figures
    }

    /// Reads the figure of a row in the long form; none when its measure is left out, or its count empty.
    pub(super) fn long_figure(&self) -> Result<(Option<Figure>, bool), Fault> {
        let Some(long) = &self.map.long else {
            return Ok((None, false));
        };
        let said = self.cell(&long.measure).text();
        let word = folded(&said);
        if long.left_out.contains(&word) {
            return Ok((None, true));
        }
        let measure = long.values.get(&word).ok_or_else(|| {
            let near = long.values.keys().min_by_key(|known| strsim::damerau_levenshtein(known, &word));
            let message = format!(
                "`{}` is no measure that the map knows; the nearest is `{}`: write it under [figures.long.values], or in `left_out`",
                shown(&said),
                near.map_or("", String::as_str)
            );
            Fault::at(&long.measure, message)
        })?;
        let figure = self.count(&long.count)?.map(|count| Figure {
            measure: (*measure).into(),
            count,
            ..Figure::default()
        });
        Ok((figure, false))
    }

    /// Reads the free text; one with what looks like personal data is left out unless it is to be kept as it is.
    pub(super) fn text(&self, as_is: bool) -> Text {
        let parts = self.map.text.iter().filter_map(|column| {
            let text = self.cell(column).text();
            (!text.is_empty()).then(|| (column, text.into_owned()))
        });
        let parts: Vec<(&String, String)> = parts.collect();
        if !as_is {
            for (column, text) in &parts {
                if let Some(found) = privacy::findings(text).first() {
                    let kind = found.kind;
                    return Text::LeftOut(format!(
                        "the text is left out: column `{column}` has what looks like {kind} at character {}",
                        found.at
                    ));
                }
            }
        }
        let text = match parts.as_slice() {
            [] => return Text::None,
            [(_, text)] if self.map.text.len() == 1 => text.clone(),
            parts => {
                let lines = parts
                    .iter()
                    .map(|(column, text)| format!("{column}: {text}"));
                lines.collect::<Vec<_>>().join("\n")
            }
        };
        let characters = text.chars().count();
        if characters > posko_domain::incident::NOTE_CHARACTERS {
            return Text::LeftOut(format!(
                "the text is left out: it has `{characters}` characters, a note at most 4,000"
            ));
        }
        Text::Is(text)
    }
}

/// Returns a place of the wire.
pub(super) fn place_of(region: &region::Region, point: Option<Point>) -> Place {
    Place {
        region_code: region.code.to_owned(),
        point,
        code_set: region::CODE_SET.to_owned(),
    }
}

fn words(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn shown(value: &str) -> String {
    let line: String = value
        .chars()
        .take(64)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    line
}
