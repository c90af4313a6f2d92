//! Values typed on the command line: ids, times, figures, coordinates. An error names the value and what was expected.
//!
//! What it never does: read the terminal, or know a rule of the domain.

use std::time::SystemTime;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, TimeDelta, Utc};
use clap::Args;
use posko_domain::{
    region::{self, Named, Region},
    zone,
};
use posko_proto::{
    Id, NodeId,
    common::v1::{CommandMeta, Point},
    incident::v1::{AgeBand, Figure, Measure, Sex},
    warning::v1::{Circle, Polygon},
};
use prost_types::Timestamp;
use uuid::Uuid;

use crate::{name, word};

/// Where the help lists the frame; said of each option alone, since a heading for all would hold for those behind too.
const FRAME: &str = "Command frame";

/// The frame of a command that records something.
#[derive(Debug, Clone, Args)]
pub(crate) struct Frame {
    /// Id of this command, for a retry: a repeated id is answered as the first time [default: a random one]
    #[arg(long, value_name = "UUID", value_parser = id, help_heading = FRAME)]
    command_id: Option<Id>,
    /// Refuse unless the thing is still at this version
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = FRAME)]
    expect_version: Option<u32>,
    /// Record it as a drill, which can touch nothing real
    #[arg(long, help_heading = FRAME)]
    pub(crate) exercise: bool,
    /// When it happened, such as 14:00 or "2026-11-29 14:00" (WIB) [default: now]
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = FRAME)]
    pub(crate) occurred_at: Option<Timestamp>,
    /// Send a text as it is, though a part of it looks like a telephone number, a NIK or an address of mail
    #[arg(long)]
    pub(crate) text_as_is: bool,
}

impl Frame {
    /// Returns the command's id, a random one unless it was given, with its frame.
    pub(crate) fn meta(&self) -> (Id, CommandMeta) {
        let id = self.command_id.unwrap_or_else(|| Uuid::new_v4().into());
        let meta = CommandMeta {
            command_id: id.to_vec(),
            expected_version: self.expect_version.unwrap_or_default(),
            occurred_at: self.occurred_at,
            exercise: self.exercise,
            text_as_is: self.text_as_is,
        };
        (id, meta)
    }
}

/// Returns the id of a command, a random one unless it was given, with the frame of what is neither drill nor dated.
pub(crate) fn meta(command_id: Option<Id>) -> (Id, CommandMeta) {
    let id = command_id.unwrap_or_else(|| Uuid::new_v4().into());
    let meta = CommandMeta {
        command_id: id.to_vec(),
        ..CommandMeta::default()
    };
    (id, meta)
}

/// Reads a UUID.
pub(crate) fn id(text: &str) -> Result<Id, String> {
    text.parse()
        .map_err(|error: posko_proto::id::IdError| error.to_string())
}

/// Reads the name of a node.
pub(crate) fn node(text: &str) -> Result<NodeId, String> {
    text.parse()
        .map_err(|error: posko_proto::id::IdError| error.to_string())
}

/// Reads a time as a clock in Waktu Indonesia Barat shows it, such as `14:00` of today or `2022-11-21 13:21`, or one with
/// its offset, such as `2022-11-21T06:21:09Z`.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    time_on(text, today())
}

/// Returns which day it is in Waktu Indonesia Barat.
fn today() -> NaiveDate {
    (DateTime::<Utc>::from(SystemTime::now()) + WIB).date_naive()
}

/// How far Waktu Indonesia Barat is ahead of UTC.
const WIB: TimeDelta = TimeDelta::hours(7);

fn time_on(text: &str, today: NaiveDate) -> Result<Timestamp, String> {
    let with_offset = DateTime::parse_from_rfc3339(text).ok();
    let with_offset = with_offset.map(|at| at.to_utc());
    let at = with_offset.or_else(|| in_wib(text, today)).ok_or_else(|| {
        format!(
            "`{text}` is no time: expected `14:00` of today or `2022-11-21 13:21`, in WIB, or another zone's with its \
             offset, such as `2022-11-21T06:21:09Z`"
        )
    })?;
    // A leap second is counted on top of the last nanosecond, which a timestamp cannot hold.
    let nanos = at.timestamp_subsec_nanos().min(999_999_999);
    Ok(Timestamp {
        seconds: at.timestamp(),
        nanos: nanos as i32,
    })
}

/// Reads `14:00` or `2026-11-29 14:00:30`, also with a point between hours and minutes, as people write it here.
fn in_wib(text: &str, today: NaiveDate) -> Option<DateTime<Utc>> {
    let text = text.strip_suffix("WIB").unwrap_or(text).trim();
    let (date, clock) = match text.split_once([' ', 'T']) {
        Some((date, clock)) => (day(date)?, clock.replace('.', ":")),
        None => (today, text.replace('.', ":")),
    };
    // A minute of one digit is a typing error.
    let whole = clock.split(':').skip(1).all(|part| part.len() == 2);
    let read = |format| NaiveTime::parse_from_str(&clock, format).ok();
    let clock = read("%H:%M").or_else(|| read("%H:%M:%S"))?;
    let at = date.and_time(clock).checked_sub_signed(WIB)?;
    whole.then(|| at.and_utc())
}

/// Reads a time, or a day such as `2026-01-05` as its begin in Waktu Indonesia Barat.
pub(crate) fn begin(text: &str) -> Result<Timestamp, String> {
    match day(text) {
        Some(day) => midnight(day, text),
        None => time(text),
    }
}

/// Reads a time, or a day such as `2026-01-18` as its end in Waktu Indonesia Barat: the day is in it.
pub(crate) fn end(text: &str) -> Result<Timestamp, String> {
    match day(text) {
        Some(day) => midnight(day.succ_opt().unwrap_or(day), text),
        None => time(text),
    }
}

fn day(text: &str) -> Option<NaiveDate> {
    (text.len() == 10)
        .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
        .flatten()
}

fn midnight(day: NaiveDate, text: &str) -> Result<Timestamp, String> {
    time(&format!("{day} 00:00")).map_err(|_| format!("`{text}` is no day"))
}

/// Reads `MEASURE=COUNT`, such as `displaced=1200`.
pub(crate) fn figure(text: &str) -> Result<Figure, String> {
    let Some((measure, count)) = text.split_once('=') else {
        return Err(format!(
            "`{text}` is no figure: expected `MEASURE=COUNT` such as `displaced=1200`"
        ));
    };
    let mut parts = measure.split('.');
    let measure: Measure = word::parse(parts.next().unwrap_or_default())?;
    let (sex, age_band) = sex_and_age(parts)?;
    let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    match count.parse() {
        Ok(count) if digits => Ok(Figure {
            measure: measure.into(),
            count,
            sex: sex.into(),
            age_band: age_band.into(),
        }),
        _ => Err(format!(
            "`{count}` is no count of {}: expected digits only such as `1200`",
            name::Named::name(measure)
        )),
    }
}

/// Reads whom a count is of, such as `female` and `6_12`; of what is not named it is of all.
pub(crate) fn sex_and_age<'a>(
    parts: impl Iterator<Item = &'a str>,
) -> Result<(Sex, AgeBand), String> {
    let (mut sex, mut age_band) = (Sex::Unspecified, AgeBand::Unspecified);
    for part in parts {
        match word::parse::<AgeBand>(part) {
            Ok(band) => age_band = band,
            Err(_) => {
                sex = word::parse(part).map_err(|_| {
                    let (sexes, ages) = (word::all::<Sex>(), word::all::<AgeBand>());
                    format!("`{part}` is no sex and no age: expected one of {sexes}, {ages}")
                })?;
            }
        }
    }
    Ok((sex, age_band))
}

/// Reads a region by its code or by a name that one place has, such as `Kota Bekasi` or `Cibitung, Bekasi`, or a zone by
/// its id. A code is returned as it is given: the node judges it.
pub(crate) fn region(text: &str) -> Result<String, String> {
    let text = text.trim();
    let zone = text.to_uppercase();
    if zone::find(&zone).is_some() {
        return Ok(zone);
    }
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(text.into());
    }
    match places(text).as_slice() {
        [place] => Ok(place.code.into()),
        [] => Err(no_place(text)),
        several => {
            let several: Vec<String> = several.iter().map(|place| told(place)).collect();
            let several = several.join(", ");
            Err(format!(
                "`{text}` is more than one place: expected one of {several}"
            ))
        }
    }
}

/// Returns the places that a name is of; a comma parts it from the name of what it lies in.
pub(crate) fn places(name: &str) -> Vec<&'static Region> {
    let named = |name, area| match region::named_within(name, area) {
        Named::One(place) => vec![place],
        Named::Several(places) => places,
        Named::Unknown => Vec::new(),
    };
    match name.split_once(',') {
        Some((name, area)) => {
            let areas = named(area, "");
            areas
                .iter()
                .flat_map(|area| named(name, area.code))
                .collect()
        }
        None => named(name, ""),
    }
}

/// Returns that a name is no place's, with the nearest name.
pub(crate) fn no_place(name: &str) -> String {
    let typed: String = name
        .trim()
        .chars()
        .take(64)
        .collect::<String>()
        .to_lowercase();
    let farness = |region: &&Region| {
        let known = region.name.to_lowercase();
        strsim::damerau_levenshtein(&known, &typed)
    };
    let near = region::all().iter().min_by_key(farness).map(told);
    let near = near.unwrap_or_default();
    format!(
        "`{name}` is no place of the three provinces: the nearest is {near}; `posko region find` looks names up"
    )
}

fn told(place: &Region) -> String {
    let within = region::regency_of(place.code).filter(|regency| *regency != place);
    let within = within.map_or_else(String::new, |regency| format!(", {}", regency.name));
    format!("`{}` ({}{within})", place.code, place.name)
}

/// Reads a latitude in decimal degrees into microdegrees.
pub(crate) fn latitude(text: &str) -> Result<i32, String> {
    degrees(text, "latitude", 90.0)
}

/// Reads a longitude in decimal degrees into microdegrees.
pub(crate) fn longitude(text: &str) -> Result<i32, String> {
    degrees(text, "longitude", 180.0)
}

fn degrees(text: &str, kind: &str, most: f64) -> Result<i32, String> {
    let refuse = || {
        format!("`{text}` is no {kind}: expected degrees from -{most} to {most} such as `-6.85`")
    };
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
    let degrees: f64 = text.trim().parse().map_err(|_| refuse())?;
    if plain && (-most..=most).contains(&degrees) {
        Ok((degrees * 1e6).round() as i32)
    } else {
        Err(refuse())
    }
}

fn point(text: &str) -> Result<Point, String> {
    let (lat, lon) = text
        .split_once(',')
        .ok_or_else(|| format!("`{text}` is no point: expected `LAT,LON`"))?;
    Ok(Point {
        latitude_microdegrees: latitude(lat)?,
        longitude_microdegrees: longitude(lon)?,
    })
}

/// Reads `LAT,LON,METRES`.
pub(crate) fn circle(text: &str) -> Result<Circle, String> {
    let refuse =
        || format!("`{text}` is no circle: expected `LAT,LON,METRES` such as `-6.85,107.03,5000`");
    let (center, radius) = text.rsplit_once(',').ok_or_else(refuse)?;
    let radius_m = radius
        .parse()
        .ok()
        .filter(|radius| *radius > 0)
        .ok_or_else(refuse)?;
    Ok(Circle {
        center: Some(point(center)?),
        radius_m,
    })
}

/// Reads `LAT,LON LAT,LON …`, a closed ring as CAP writes it.
pub(crate) fn polygon(text: &str) -> Result<Polygon, String> {
    let points = text
        .split_whitespace()
        .map(point)
        .collect::<Result<Vec<Point>, String>>()?;
    if points.len() < 4 || points.first() != points.last() {
        return Err(format!(
            "`{text}` is no polygon: expected at least four points, the last as the first"
        ));
    }
    Ok(Polygon { points })
}

/// Reads an incident's number, also as `pmi-32-2026-7`, or `7` of this year's at the node.
pub(crate) fn incident_number(text: &str, origin: &str) -> Result<String, String> {
    number_in(text, origin, today().year())
}

fn number_in(text: &str, origin: &str, year: i32) -> Result<String, String> {
    let refuse = || {
        format!(
            "`{text}` is no incident: expected its number such as `PMI-{origin}-{year}-000007`, or its id"
        )
    };
    let upper = text.trim().to_uppercase();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = upper.split('-').collect();
    let (head, serial) = match parts.as_slice() {
        ["PMI", node, year, serial] if digits(node) && digits(year) => {
            (format!("PMI-{node}-{year}"), *serial)
        }
        [serial] => (format!("PMI-{origin}-{year}"), *serial),
        _ => return Err(refuse()),
    };
    let serial: Option<u32> = digits(serial).then(|| serial.parse().ok()).flatten();
    serial.map_or_else(|| Err(refuse()), |serial| Ok(format!("{head}-{serial:06}")))
}

/// Reads `ORIGIN/ID`, a warning and the node that took it in.
pub(crate) fn warning(text: &str) -> Result<(NodeId, Id), String> {
    let (origin, warning) = text.split_once('/').ok_or_else(|| {
        format!("`{text}` is no warning: expected `ORIGIN/ID` such as `32/0192f3c4-5a6b-7c8d-9e0f-112233445566`")
    })?;
    Ok((node(origin)?, id(warning)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_taken_from_its_begin_or_to_its_end_in_western_indonesia() {
        let at = |text: &str| time(text).unwrap();
        assert_eq!(begin("2026-01-05"), Ok(at("2026-01-05T00:00:00+07:00")));
        assert_eq!(end("2026-01-31"), Ok(at("2026-02-01T00:00:00+07:00")));
        assert_eq!(
            begin("2026-01-05T08:00:00Z"),
            Ok(at("2026-01-05T08:00:00Z"))
        );
        assert!(end("2026-02-30").is_err());
    }

    #[test]
    fn a_region_is_typed_by_its_code_or_by_a_name_that_one_place_has() {
        for (typed, code) in [
            ("32.75.01", "32.75.01"),
            ("Kota Bekasi", "32.75"),
            ("kab. bekasi", "32.16"),
            ("tambun selatan", "32.16.06"),
            ("jabar", "32"),
            ("z1", "Z1"),
            ("99", "99"),
        ] {
            assert_eq!(region(typed).as_deref(), Ok(code), "{typed}");
        }
        assert_eq!(
            region("Bekasi").unwrap_err(),
            "`Bekasi` is more than one place: expected one of `32.16` (Kabupaten Bekasi), `32.75` (Kota Bekasi)"
        );
        assert!(
            region("Cibitung")
                .unwrap_err()
                .contains("(Cibitung, Kabupaten Bekasi)")
        );
        assert_eq!(region("Cibitung, Kab. Bekasi").as_deref(), Ok("32.16.07"));
        let error = region("Kota Bekasih").unwrap_err();
        assert!(
            error.contains("the nearest is `32.75` (Kota Bekasi)"),
            "{error}"
        );
    }

    #[test]
    fn figures_are_a_known_measure_and_digits() {
        assert_eq!(
            figure("displaced=1200"),
            Ok(Figure {
                measure: Measure::Displaced.into(),
                count: 1200,
                ..Figure::default()
            })
        );
        assert_eq!(
            figure("displaced.female.6_12=81"),
            Ok(Figure {
                measure: Measure::Displaced.into(),
                count: 81,
                sex: Sex::Female.into(),
                age_band: AgeBand::AgeBand612.into(),
            })
        );
        assert!(figure("displaced.women=81").is_err());
        assert_eq!(
            figure("houses-severe=0"),
            Ok(Figure {
                measure: Measure::HousesSevere.into(),
                count: 0,
                ..Figure::default()
            })
        );
        let bad = [
            (
                "displaced",
                "`displaced` is no figure: expected `MEASURE=COUNT` such as `displaced=1200`",
            ),
            (
                "displaced=1.200",
                "`1.200` is no count of displaced: expected digits only such as `1200`",
            ),
            (
                "displaced=-1",
                "`-1` is no count of displaced: expected digits only such as `1200`",
            ),
            (
                "displaced=+1",
                "`+1` is no count of displaced: expected digits only such as `1200`",
            ),
            (
                "displaced=",
                "`` is no count of displaced: expected digits only such as `1200`",
            ),
        ];
        for (text, error) in bad {
            assert_eq!(figure(text).unwrap_err(), error);
        }
        assert!(
            figure("displaced=99999999999999999999")
                .unwrap_err()
                .starts_with("`99999999999999999999` is no count")
        );
        assert!(
            figure("cows=3")
                .unwrap_err()
                .starts_with("`cows` is no measure: expected one of dead (meninggal), missing")
        );
    }

    #[test]
    fn times_carry_their_offset() {
        let expected = Timestamp {
            seconds: 1_669_011_669,
            nanos: 0,
        };
        assert_eq!(time("2022-11-21T06:21:09Z"), Ok(expected));
        assert_eq!(time("2022-11-21T13:21:09+07:00"), Ok(expected));
        for text in [
            "",
            "now",
            "2022-11-21",
            "2022-13-21T13:21:09Z",
            "1669011669",
            "24:00",
            "14:0",
            "14",
            "1400",
            "21-11-2022 14:00",
            "2022-02-30 14:00",
            "2022-11-21 13:21 WITA",
        ] {
            let error = time(text).unwrap_err();
            assert!(
                error.starts_with(&format!("`{text}` is no time: expected `14:00` of today")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_time_without_its_offset_is_what_a_clock_in_western_indonesia_shows() {
        let today = NaiveDate::from_ymd_opt(2022, 11, 21).unwrap();
        for text in [
            "13:21",
            "13.21",
            "13:21 WIB",
            "2022-11-21 13:21",
            "2022-11-21 13.21",
            "2022-11-21T13:21",
            "2022-11-21T13:21:00",
            "2022-11-21 13:21:00 WIB",
            "2022-11-21T06:21:00Z",
        ] {
            let at = time_on(text, today);
            assert_eq!(at, time("2022-11-21T13:21:00+07:00"), "{text}");
        }
        let early = time_on("7:05", today);
        assert_eq!(early, time("2022-11-21T07:05:00+07:00"));
    }

    #[test]
    fn a_leap_second_stays_within_its_minute() {
        assert_eq!(time("2016-12-31T23:59:60Z").unwrap().nanos, 999_999_999);
    }

    #[test]
    fn ids_are_uuids() {
        assert_eq!(id("07070707-0707-0707-0707-070707070707"), Ok(Id([7; 16])));
        for text in [
            "",
            "7",
            "07070707-0707-0707-0707-07070707070",
            "PMI-32-2026-000123",
        ] {
            assert!(
                id(text)
                    .unwrap_err()
                    .starts_with(&format!("`{text}` is no id: expected a UUID")),
                "{text}"
            );
        }
    }

    #[test]
    fn an_incident_is_named_by_its_number_or_by_the_end_of_it() {
        for text in [
            "PMI-32-2026-000007",
            " pmi-32-2026-000007 ",
            "PMI-32-2026-7",
            "7",
            "000007",
        ] {
            let number = number_in(text, "32", 2026);
            assert_eq!(number.as_deref(), Ok("PMI-32-2026-000007"), "{text}");
        }
        assert_eq!(
            number_in("PMI-31-2025-000012", "32", 2026).as_deref(),
            Ok("PMI-31-2025-000012")
        );
        for text in ["", "x", "-7", "PMI-32-7", "PMI-32-2026-x", "99999999999"] {
            assert_eq!(
                number_in(text, "32", 2026).unwrap_err(),
                format!(
                    "`{text}` is no incident: expected its number such as `PMI-32-2026-000007`, or its id"
                )
            );
        }
    }

    #[test]
    fn a_warning_is_named_by_its_origin_and_id() {
        assert_eq!(
            warning("32/07070707-0707-0707-0707-070707070707"),
            Ok(("32".parse().unwrap(), Id([7; 16])))
        );
        assert!(
            warning("07070707-0707-0707-0707-070707070707")
                .unwrap_err()
                .contains("is no warning")
        );
        assert!(
            warning("JABAR/07070707-0707-0707-0707-070707070707")
                .unwrap_err()
                .contains("`JABAR` is no node")
        );
        assert!(warning("32/7").unwrap_err().contains("`7` is no id"));
    }

    #[test]
    fn coordinates_are_degrees_on_the_globe() {
        assert_eq!(latitude("-6.85"), Ok(-6_850_000));
        assert_eq!(longitude("107.03"), Ok(107_030_000));
        assert_eq!(longitude("180"), Ok(180_000_000));
        for text in [
            "90.000001",
            "-91",
            "NaN",
            "inf",
            "1e1",
            "6,85",
            "",
            "6°51'S",
        ] {
            let error = latitude(text).unwrap_err();
            assert_eq!(
                error,
                format!("`{text}` is no latitude: expected degrees from -90 to 90 such as `-6.85`")
            );
        }
    }

    #[test]
    fn areas_are_circles_and_closed_rings() {
        assert_eq!(circle("-6.85,107.03,5000").unwrap().radius_m, 5000);
        for text in [
            "-6.85,107.03",
            "-6.85,107.03,0",
            "-6.85,107.03,-5",
            "-96,107.03,5",
            "5000",
        ] {
            assert!(circle(text).is_err(), "{text}");
        }
        assert_eq!(
            polygon("-6,107 -6,108 -7,108 -6,107").unwrap().points.len(),
            4
        );
        for text in [
            "",
            "-6,107 -6,108 -7,108",
            "-6,107 -6,108 -6,107",
            "-6,107 x -7,108 -6,107",
        ] {
            assert!(polygon(text).is_err(), "{text}");
        }
    }
}
