//! Dates as offices write them, with what is known of them: a moment, a day, a month, a quarter or a year.
//!
//! `05/01/2021` is the fifth of January or the first of May: the order is said, or the date decides it, or it is refused.

use chrono::{DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime};
use thiserror::Error;

use super::Cell;
use crate::text::quote;

/// The earliest year that is taken as one.
const FIRST_YEAR: i32 = 1800;
/// The latest year that is taken as one.
const LAST_YEAR: i32 = 2199;
/// The days of Excel that are taken as dates: from 1950 to 2119.
const SERIALS: std::ops::Range<f64> = 18_264.0..80_000.0;

/// Which of two numbers is the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The day goes first, as in Indonesia.
    DayFirst,
    /// The month goes first.
    MonthFirst,
}

/// How exactly a time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// A day and its hour.
    Moment,
    /// A day.
    Day,
    /// A month.
    Month,
    /// A quarter of a year.
    Quarter,
    /// A year.
    Year,
}

/// A time as it is known: from its begin up to, and without, its end, by the clocks of the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its begin.
    pub from: NaiveDateTime,
    /// Its end, which it does not reach.
    pub until: NaiveDateTime,
    /// How exactly it is known.
    pub precision: Precision,
}

/// Why a cell is no date that can be taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DateError {
    /// It is no date.
    #[error(
        "`{value}` is no date: expected one such as `2021-01-05`, `5 Januari 2021`, `Januari 2021` or `2021`"
    )]
    NoDate {
        /// What stands there, shortened.
        value: String,
    },
    /// It names a day that no calendar has.
    #[error("`{value}` is no day of the calendar")]
    NoDay {
        /// What stands there.
        value: String,
    },
    /// Day and month could be either way round.
    #[error(
        "`{value}` may be day/month or month/day: write `order = \"dmy\"` or `order = \"mdy\"` under [time] of the map"
    )]
    Ambiguous {
        /// What stands there.
        value: String,
    },
    /// The year has two digits.
    #[error("`{value}` has a year of two digits: the century is not known")]
    ShortYear {
        /// What stands there.
        value: String,
    },
    /// It is no month.
    #[error("`{value}` is no month: expected a name such as `Januari` or a number from 1 to 12")]
    NoMonth {
        /// What stands there.
        value: String,
    },
    /// It is no quarter.
    #[error("`{value}` is no quarter: expected `1` to `4` or `I` to `IV`")]
    NoQuarter {
        /// What stands there.
        value: String,
    },
    /// It is no year.
    #[error("`{value}` is no year: expected four digits")]
    NoYear {
        /// What stands there.
        value: String,
    },
}

/// Reads a date; none when the cell is empty. A moment with a zone of its own is told in `zone`.
pub fn span(
    cell: &Cell,
    order: Option<Order>,
    zone: FixedOffset,
) -> Result<Option<Span>, DateError> {
    match cell {
        _ if cell.is_empty() => Ok(None),
        Cell::Moment(at) => Ok(moment_or_day(*at)),
        Cell::Number(number) => serial(*number)
            .map(Some)
            .ok_or_else(|| no_date(&cell.text())),
        Cell::Text(text) => of_text(text, order, zone).map(Some),
    }
}

/// Reads a year.
pub fn year(cell: &Cell) -> Result<Option<i32>, DateError> {
    if cell.is_empty() {
        return Ok(None);
    }
    let text = cell.text();
    let no_year = || DateError::NoYear {
        value: quote(&text),
    };
    let digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    let year = digits.then(|| text.parse().ok()).flatten();
    year.filter(|year| (FIRST_YEAR..=LAST_YEAR).contains(year))
        .map(Some)
        .ok_or_else(no_year)
}

/// Reads a month, by name or number.
pub fn month(cell: &Cell) -> Result<Option<u32>, DateError> {
    if cell.is_empty() {
        return Ok(None);
    }
    let text = cell.text();
    month_of(&text.to_lowercase())
        .map(Some)
        .ok_or_else(|| DateError::NoMonth {
            value: quote(&text),
        })
}

/// Reads a quarter of a year.
pub fn quarter(cell: &Cell) -> Result<Option<u32>, DateError> {
    if cell.is_empty() {
        return Ok(None);
    }
    let text = cell.text();
    quarter_of(&text.to_lowercase())
        .map(Some)
        .ok_or_else(|| DateError::NoQuarter {
            value: quote(&text),
        })
}

impl Span {
    /// Returns a year.
    pub fn of_year(year: i32) -> Option<Self> {
        Self::of_months(year, 1, 12, Precision::Year)
    }

    /// Returns a quarter of a year.
    pub fn of_quarter(year: i32, quarter: u32) -> Option<Self> {
        let first = quarter.checked_sub(1)? * 3 + 1;
        Self::of_months(year, first, 3, Precision::Quarter)
    }

    /// Returns a month.
    pub fn of_month(year: i32, month: u32) -> Option<Self> {
        Self::of_months(year, month, 1, Precision::Month)
    }

    fn of_months(year: i32, first: u32, months: u32, precision: Precision) -> Option<Self> {
        let from = NaiveDate::from_ymd_opt(year, first, 1)?;
        let until = from.checked_add_months(Months::new(months))?;
        Some(Self {
            from: from.and_time(NaiveTime::MIN),
            until: until.and_time(NaiveTime::MIN),
            precision,
        })
    }

    fn of_day(day: NaiveDate) -> Option<Self> {
        let years = FIRST_YEAR..=LAST_YEAR;
        let until = day
            .checked_add_days(Days::new(1))
            .filter(|_| years.contains(&day.year()))?;
        Some(Self {
            from: day.and_time(NaiveTime::MIN),
            until: until.and_time(NaiveTime::MIN),
            precision: Precision::Day,
        })
    }

    /// Returns the day at an hour; none of what is no day.
    pub fn at(self, time: NaiveTime) -> Option<Self> {
        let from = self.from.date().and_time(time);
        (self.precision == Precision::Day).then_some(())?;
        Some(Self {
            from,
            until: from + chrono::Duration::minutes(1),
            precision: Precision::Moment,
        })
    }
}

fn moment_or_day(at: NaiveDateTime) -> Option<Span> {
    let day = Span::of_day(at.date())?;
    if at.time() == NaiveTime::MIN {
        return Some(day);
    }
    day.at(at.time())
}

/// A day as Excel counts it, from 1900.
fn serial(number: f64) -> Option<Span> {
    // In a column of dates a bare year is a year.
    if number.fract() == 0.0 && (1800.0..2200.0).contains(&number) {
        return Span::of_year(number as i32);
    }
    if !SERIALS.contains(&number) {
        return None;
    }
    let start = NaiveDate::from_ymd_opt(1899, 12, 30)?;
    let day = start.checked_add_days(Days::new(number.trunc() as u64))?;
    let seconds = (number.fract() * 86_400.0).round() as i64;
    moment_or_day(day.and_time(NaiveTime::MIN) + chrono::Duration::seconds(seconds))
}

fn no_date(text: &str) -> DateError {
    DateError::NoDate { value: quote(text) }
}

fn of_text(text: &str, order: Option<Order>, zone: FixedOffset) -> Result<Span, DateError> {
    let refused = || no_date(text);
    // A moment of the net, with its zone.
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        let local = at.with_timezone(&zone).naive_local();
        return Span::of_day(local.date())
            .and_then(|day| day.at(local.time()))
            .ok_or_else(refused);
    }
    if text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
        && let Ok(number) = text.parse::<f64>()
        && text.matches('.').count() <= 1
        && text
            .split('.')
            .next()
            .is_some_and(|whole| whole.len() == 5 || text.len() == 4)
    {
        return serial(number).ok_or_else(refused);
    }
    let lower = text.to_lowercase().replace(',', " ");
    let mut words: Vec<&str> = lower.split_whitespace().collect();
    if words.first().is_some_and(|word| WEEKDAYS.contains(word)) {
        words.remove(0);
    }
    // The hour after the day: `2021-01-05 13:40`, `2021-01-05T13:40:00`, `5 Januari 2021 pukul 13.40 WIB`.
    let joined = words.join(" ");
    let (day, hour) = split_hour(&joined);
    let span = of_day(day.trim(), text, order)?;
    match hour {
        None => Ok(span),
        Some(hour) => {
            let time = time_of(hour).ok_or_else(refused)?;
            if time == NaiveTime::MIN {
                return Ok(span);
            }
            span.at(time).ok_or_else(refused)
        }
    }
}

const WEEKDAYS: [&str; 16] = [
    "senin",
    "selasa",
    "rabu",
    "kamis",
    "jumat",
    "jum'at",
    "sabtu",
    "minggu",
    "ahad",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// Parts a day from an hour, which begins at the last blank or `t` before a time of day.
fn split_hour(text: &str) -> (&str, Option<&str>) {
    let text = text
        .trim_end_matches(" wib")
        .trim_end_matches(" wib.")
        .trim_end();
    if let Some((day, hour)) = text.split_once(" pukul ") {
        return (day, Some(hour));
    }
    if let Some((day, hour)) = text.rsplit_once([' ', 't'])
        && hour.contains(':')
    {
        return (day, Some(hour));
    }
    (text, None)
}

/// Reads a time of day, `13:40`, `13.40` or `13:40:05`.
fn time_of(text: &str) -> Option<NaiveTime> {
    let text = text.split('.').collect::<Vec<_>>();
    // A fraction of a second is passed over; `13.40` has none.
    let plain = match text.as_slice() {
        [clock, _fraction] if clock.matches(':').count() == 2 => (*clock).to_owned(),
        parts => parts.join(":"),
    };
    let numbers: Option<Vec<u32>> = plain
        .split(':')
        .map(|part| part.trim().parse().ok())
        .collect();
    match numbers?.as_slice() {
        [hour, minute] => NaiveTime::from_hms_opt(*hour, *minute, 0),
        [hour, minute, second] => NaiveTime::from_hms_opt(*hour, *minute, *second),
        _ => None,
    }
}

fn of_day(day: &str, text: &str, order: Option<Order>) -> Result<Span, DateError> {
    let refused = || no_date(text);
    let no_day = || DateError::NoDay { value: quote(text) };
    let parts: Vec<&str> = day
        .split(['-', '/', '.', ' '])
        .filter(|part| !part.is_empty())
        .collect();
    let number = |part: &str| {
        let digits = part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u32>().ok()).flatten()
    };
    let is_year = |part: &str| part.len() == 4 && number(part).is_some();
    let of = |year: &str, month: u32, day: u32| {
        let year: i32 = year.parse().map_err(|_| refused())?;
        NaiveDate::from_ymd_opt(year, month, day)
            .and_then(Span::of_day)
            .ok_or_else(no_day)
    };
    let of_month = |year: &str, month: u32| {
        let year = year.parse().map_err(|_| refused())?;
        Span::of_month(year, month)
            .filter(|_| (FIRST_YEAR..=LAST_YEAR).contains(&year))
            .ok_or_else(no_day)
    };
    match parts.as_slice() {
        [year] if is_year(year) => {
            let year = year.parse().map_err(|_| refused())?;
            Span::of_year(year)
                .filter(|_| (FIRST_YEAR..=LAST_YEAR).contains(&year))
                .ok_or_else(no_day)
        }
        [first, year] if is_year(year) => {
            if let Some(quarter) = quarter_of(first).filter(|_| number(first).is_none()) {
                let year = year.parse().map_err(|_| refused())?;
                return Span::of_quarter(year, quarter).ok_or_else(no_day);
            }
            of_month(year, month_of(first).ok_or_else(refused)?)
        }
        [year, second] if is_year(year) => {
            if let Some(quarter) = quarter_of(second).filter(|_| number(second).is_none()) {
                let year = year.parse().map_err(|_| refused())?;
                return Span::of_quarter(year, quarter).ok_or_else(no_day);
            }
            of_month(year, month_of(second).ok_or_else(refused)?)
        }
        ["triwulan", quarter, year] if is_year(year) => {
            let quarter = quarter_of(quarter).ok_or_else(refused)?;
            let year = year.parse().map_err(|_| refused())?;
            Span::of_quarter(year, quarter).ok_or_else(no_day)
        }
        [year, month, day] if is_year(year) => {
            let (month, day) = month_of(month).zip(number(day)).ok_or_else(refused)?;
            of(year, month, day)
        }
        [first, second, year] if is_year(year) => match (number(first), number(second)) {
            (Some(first), Some(second)) => {
                let (day, month) = day_and_month(first, second, order, text)?;
                of(year, month, day)
            }
            (Some(day), None) => of(year, month_of(second).ok_or_else(refused)?, day),
            (None, Some(day)) => of(year, month_of(first).ok_or_else(refused)?, day),
            (None, None) => Err(refused()),
        },
        [first, second, short] if short.len() == 2 && number(short).is_some() => {
            let known = number(first).is_some() || month_of(first).is_some();
            let month = number(second).is_some() || month_of(second).is_some();
            Err(if known && month {
                DateError::ShortYear { value: quote(text) }
            } else {
                refused()
            })
        }
        _ => Err(refused()),
    }
}

fn day_and_month(
    first: u32,
    second: u32,
    order: Option<Order>,
    text: &str,
) -> Result<(u32, u32), DateError> {
    match order {
        Some(Order::DayFirst) => Ok((first, second)),
        Some(Order::MonthFirst) => Ok((second, first)),
        // A number above 12 is no month, and two alike are the same either way.
        None if first > 12 || first == second => Ok((first, second)),
        None if second > 12 => Ok((second, first)),
        None => Err(DateError::Ambiguous { value: quote(text) }),
    }
}

/// Reads a month's name in Bahasa Indonesia or English, whole or shortened, or its number.
fn month_of(word: &str) -> Option<u32> {
    const NAMES: [&[&str]; 12] = [
        &["januari", "january", "jan"],
        &["februari", "february", "pebruari", "feb", "peb"],
        &["maret", "march", "mar"],
        &["april", "apr"],
        &["mei", "may"],
        &["juni", "june", "jun"],
        &["juli", "july", "jul"],
        &["agustus", "august", "agu", "agt", "ags", "aug"],
        &["september", "sep", "sept"],
        &["oktober", "october", "okt", "oct"],
        &["november", "nopember", "nov", "nop"],
        &["desember", "december", "des", "dec"],
    ];
    let word = word.trim().trim_end_matches('.');
    if word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return word.parse().ok().filter(|month| (1..=12).contains(month));
    }
    let named = (1..).zip(NAMES).find(|(_, names)| names.contains(&word));
    named.map(|(month, _)| month)
}

/// Reads a quarter: `1`, `I`, `TW I`, `triwulan 1`, `Q1`.
fn quarter_of(word: &str) -> Option<u32> {
    let word = word.trim();
    let bare = ["triwulan", "tw", "q"]
        .iter()
        .find_map(|before| word.strip_prefix(before));
    match bare.unwrap_or(word).trim() {
        "1" | "i" => Some(1),
        "2" | "ii" => Some(2),
        "3" | "iii" => Some(3),
        "4" | "iv" => Some(4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wib() -> FixedOffset {
        FixedOffset::east_opt(7 * 3600).unwrap()
    }

    fn read(text: &str, order: Option<Order>) -> Result<Span, DateError> {
        span(&Cell::Text(text.into()), order, wib()).map(Option::unwrap)
    }

    fn check(text: &str, from: &str, precision: Precision) {
        let span =
            read(text, Some(Order::DayFirst)).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(
            (span.from.to_string().as_str(), span.precision),
            (from, precision),
            "{text}"
        );
        assert!(span.until > span.from);
    }

    #[test]
    fn every_form_is_read_with_what_is_known_of_it() {
        use Precision::{Day, Moment, Month, Quarter, Year};
        for text in [
            "2021-01-05",
            "05/01/2021",
            "5-1-2021",
            "5.1.2021",
            "5 Januari 2021",
            "Selasa, 5 Januari 2021",
            "05-Jan-2021",
            "Jan 5, 2021",
            "2021/01/05",
            "44201",
            "2021-01-05 00:00:00",
        ] {
            check(text, "2021-01-05 00:00:00", Day);
        }
        for text in [
            "2021-01-05 13:40",
            "2021-01-05T13:40:00",
            "2021-01-05T06:40:00Z",
            "2021-01-05T13:40:00+07:00",
            "5 Januari 2021 pukul 13.40 WIB",
            "05/01/2021 13:40 WIB",
        ] {
            check(text, "2021-01-05 13:40:00", Moment);
        }
        for text in ["Januari 2021", "2021-01", "01/2021", "Jan 2021"] {
            check(text, "2021-01-01 00:00:00", Month);
        }
        for text in ["Triwulan II 2021", "TW2 2021", "Q2 2021", "2021-Q2"] {
            check(text, "2021-04-01 00:00:00", Quarter);
        }
        check("2021", "2021-01-01 00:00:00", Year);
    }

    #[test]
    fn day_and_month_are_told_apart_by_the_order_or_by_the_date_or_refused() {
        let day = |text, order| read(text, order).map(|span| span.from.date().to_string());
        assert_eq!(
            day("05/01/2021", Some(Order::DayFirst)).unwrap(),
            "2021-01-05"
        );
        assert_eq!(
            day("05/01/2021", Some(Order::MonthFirst)).unwrap(),
            "2021-05-01"
        );
        assert!(matches!(
            day("05/01/2021", None),
            Err(DateError::Ambiguous { .. })
        ));
        assert_eq!(day("25/01/2021", None).unwrap(), "2021-01-25");
        assert_eq!(day("01/25/2021", None).unwrap(), "2021-01-25");
        assert_eq!(day("07/07/2021", None).unwrap(), "2021-07-07");
        assert!(matches!(
            day("25/01/2021", Some(Order::MonthFirst)),
            Err(DateError::NoDay { .. })
        ));
    }

    #[test]
    fn what_is_no_date_is_refused_and_never_bent() {
        for text in ["30 Februari 2021", "31/04/2021", "0000-01-01", "2021-13-01"] {
            assert!(read(text, Some(Order::DayFirst)).is_err(), "{text}");
        }
        assert!(matches!(
            read("05/01/21", None),
            Err(DateError::ShortYear { .. })
        ));
        for text in [
            "kemarin",
            "1",
            "12345678901234567890",
            "2021-01-05 25:00",
            "5 Smarch 2021",
            "-",
            "44201.5.1",
        ] {
            assert!(read(text, None).is_err(), "{text}");
        }
        assert_eq!(span(&Cell::Text(String::new()), None, wib()), Ok(None));
    }

    #[test]
    fn a_day_of_excel_is_a_date_and_a_bare_year_a_year() {
        let number = |number| span(&Cell::Number(number), None, wib()).unwrap().unwrap();
        assert_eq!(number(44_201.0).from.date().to_string(), "2021-01-05");
        assert_eq!(number(44_201.5).from.to_string(), "2021-01-05 12:00:00");
        assert_eq!(number(2021.0).precision, Precision::Year);
        assert!(span(&Cell::Number(7.0), None, wib()).is_err());
        assert!(span(&Cell::Number(f64::INFINITY), None, wib()).is_err());
    }

    #[test]
    fn months_and_quarters_have_names_and_numbers() {
        let text = |text: &str| Cell::Text(text.into());
        assert_eq!(month(&text("Nopember")), Ok(Some(11)));
        assert_eq!(month(&text("Agustus")), Ok(Some(8)));
        assert!(month(&text("13")).is_err());
        assert_eq!(quarter(&text("IV")), Ok(Some(4)));
        assert!(quarter(&text("5")).is_err());
        assert_eq!(year(&Cell::Number(2024.0)), Ok(Some(2024)));
        assert!(year(&text("24")).is_err());
    }
}
