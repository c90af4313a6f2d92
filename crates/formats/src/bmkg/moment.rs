//! Dates and times as BMKG writes them: `13 Okt 2021` with `12:00:47 WIB`, `25/04/2023 03:05:57WIB`, `2023-04-25T03:00:57WIB`.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _};
use thiserror::Error;

/// The months' names in Bahasa Indonesia and English; three letters of one are enough.
const MONTHS: [&[&str]; 12] = [
    &["januari", "january"],
    &["februari", "february", "pebruari"],
    &["maret", "march"],
    &["april"],
    &["mei", "may"],
    &["juni", "june"],
    &["juli", "july"],
    &["agustus", "august", "agt", "ags"],
    &["september"],
    &["oktober", "october"],
    &["november", "nopember"],
    &["desember", "december"],
];

/// The zones by name, in hours east of UTC.
const ZONES: [(&str, i32); 6] = [
    ("WIB", 7),
    ("WITA", 8),
    ("WIT", 9),
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
];

/// Why a text is no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MomentError {
    /// It names a date and a time, but no zone.
    #[error("a time without a zone")]
    NoZone,
    /// It is not a real date and time.
    #[error("not a real date and time")]
    NotAMoment,
}

/// Reads a date, a time and a zone, as BMKG writes them or by RFC 3339.
///
/// A day stands before its month, a year of two digits is of this century, and no zone is ever guessed.
pub fn parse_moment(text: &str) -> Result<DateTime<FixedOffset>, MomentError> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(moment);
    }
    let (date, clock) = split_date(text).ok_or(MomentError::NotAMoment)?;
    let date = read_date(date).ok_or(MomentError::NotAMoment)?;
    let end = clock
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.'))
        .unwrap_or(clock.len());
    let (time, zone) = clock.split_at(end);
    let time = read_time(time).ok_or(MomentError::NotAMoment)?;
    let zone = zone.trim();
    if zone.is_empty() {
        return Err(MomentError::NoZone);
    }
    let zone = read_zone(zone).ok_or(MomentError::NotAMoment)?;
    zone.from_local_datetime(&NaiveDateTime::new(date, time))
        .single()
        .ok_or(MomentError::NotAMoment)
}

/// Splits before the clock, which begins after a space, a comma or a `T` and has the first colon.
fn split_date(text: &str) -> Option<(&str, &str)> {
    let (before_colon, _) = text.split_once(':')?;
    let at = before_colon.rfind(|c: char| !c.is_ascii_digit())?;
    let (date, clock) = text.split_at_checked(at)?;
    let clock = clock.strip_prefix(['T', ' ', ','])?;
    Some((date.trim_end_matches([',', ' ']), clock))
}

/// Reads `13 Okt 2021`, `14-Feb-21`, `25/04/2023`, `25-04-23` or `2023-04-25`.
fn read_date(text: &str) -> Option<NaiveDate> {
    let parts: Vec<_> = text
        .split(['-', '/', ' '])
        .filter(|part| !part.is_empty())
        .collect();
    let &[first, month, last] = parts.as_slice() else {
        return None;
    };
    let (year, day) = if first.len() == 4 {
        (first, last)
    } else {
        (last, first)
    };
    let year: i32 = match year.len() {
        4 => digits(year)?,
        2 => 2000 + digits(year)?,
        _ => return None,
    };
    let month = match digits(month) {
        Some(month) => month as u32,
        None => read_month(month)?,
    };
    NaiveDate::from_ymd_opt(year, month, digits(day)? as u32)
}

fn read_month(text: &str) -> Option<u32> {
    let text = text.trim_end_matches('.').to_lowercase();
    let names = |names: &&[&str]| names.iter().any(|name| name.starts_with(&text));
    let month = MONTHS.iter().position(names)?;
    (text.len() >= 3).then_some(month as u32 + 1)
}

/// Reads `12:00`, `12:00:47` or `12:00:47.25`.
fn read_time(text: &str) -> Option<NaiveTime> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    digits(fraction.get(..9).unwrap_or(fraction))?;
    let parts: Vec<_> = clock.split(':').collect();
    let (hour, minute, second) = match *parts.as_slice() {
        [hour, minute] => (hour, minute, "0"),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    NaiveTime::from_hms_opt(
        digits(hour)? as u32,
        digits(minute)? as u32,
        digits(second)? as u32,
    )
}

fn read_zone(text: &str) -> Option<FixedOffset> {
    let named = ZONES
        .iter()
        .find(|(name, _)| text.eq_ignore_ascii_case(name));
    if let Some((_, hours)) = named {
        return FixedOffset::east_opt(hours * 3600);
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    if digits(minutes)? >= 60 {
        return None;
    }
    FixedOffset::east_opt(sign * (digits(hours)? * 3600 + digits(minutes)? * 60))
}

fn digits(text: &str) -> Option<i32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_bmkg_writes_is_read() {
        for (text, moment) in [
            ("13 Okt 2021 12:00:47 WIB", "2021-10-13T12:00:47+07:00"),
            ("21 Nov 2022 13:21:09 WIB", "2022-11-21T13:21:09+07:00"),
            ("31 Agt 2024, 01:02:03 WITA", "2024-08-31T01:02:03+08:00"),
            ("16 February 2026, 23:00 WIB", "2026-02-16T23:00:00+07:00"),
            ("25-04-23 03:00:57 WIB", "2023-04-25T03:00:57+07:00"),
            ("25-04-2023 03:09:54 WIT", "2023-04-25T03:09:54+09:00"),
            ("25/04/2023 03:05:57WIB", "2023-04-25T03:05:57+07:00"),
            ("14-Feb-21 09:10:34 WIB", "2021-02-14T09:10:34+07:00"),
            ("2023-04-25T03:00:57WIB", "2023-04-25T03:00:57+07:00"),
            ("2022-11-21T06:21:09+00:00", "2022-11-21T06:21:09+00:00"),
            ("2022-11-21 06:21:09.93 +08:00", "2022-11-21T06:21:09+08:00"),
            ("24 Des 2025 05:30 UTC", "2025-12-24T05:30:00+00:00"),
        ] {
            let read = parse_moment(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(read.to_rfc3339(), moment, "{text}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_no_moment() {
        for text in [
            "2022-09-25 13:03:33.941369",
            "2022-09-25T13:03:33",
            "25/04/2023 03:05",
        ] {
            assert_eq!(parse_moment(text), Err(MomentError::NoZone), "{text}");
        }
    }

    #[test]
    fn what_is_no_real_time_is_refused() {
        for text in [
            "",
            "13 Okt 2021",
            "12:00:47 WIB",
            "31 Feb 2021 12:00:47 WIB",
            "13 Xyz 2021 12:00:47 WIB",
            "13 Ok 2021 12:00:47 WIB",
            "14/02/202x 09:10:34WIB",
            "14-Feb-2x 09:10:34 WIB",
            "13 Okt 2021 25:00:47 WIB",
            "13 Okt 2021 12:00:47 XYZ",
            "13 Okt 2021 12:00:47 +07:99",
            "2021-10-13T12:00:47+99:99",
            "13 Okt 2021 12:0\u{e9}:47 WIB",
        ] {
            assert_eq!(parse_moment(text), Err(MomentError::NotAMoment), "{text}");
        }
    }
}
