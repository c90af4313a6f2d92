//! Reads a report from a form or from JSON; everything that is wrong is said, with its field.

use posko_domain::{hazard, region};
use posko_proto::{
    common::v1::Hazard,
    time::Millis,
    warning::v1::{Channel, Severity},
};
use serde::Deserialize;

use super::{Report, check_province, personal};

/// The most characters of a report's text.
pub(super) const TEXT_CHARACTERS: usize = 4_000;

/// What is wrong with a report: the field, in Bahasa Indonesia and in English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) field: &'static str,
    pub(super) indonesian: String,
    pub(super) english: String,
}

impl Wrong {
    pub(super) fn new(
        field: &'static str,
        indonesian: impl Into<String>,
        english: impl Into<String>,
    ) -> Self {
        Self {
            field,
            indonesian: indonesian.into(),
            english: english.into(),
        }
    }
}

/// What another system posts; a key that is not known is refused, so that nothing is lost in silence.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Posted {
    pub(super) hazard: String,
    pub(super) region_code: String,
    pub(super) text: Option<String>,
    pub(super) severity: Option<String>,
    pub(super) latitude: Option<f64>,
    pub(super) longitude: Option<f64>,
    pub(super) observed_at: Option<String>,
    #[serde(default)]
    pub(super) exercise: bool,
}

/// Reads the fields of `application/x-www-form-urlencoded`; the first of a name counts.
pub(super) fn form_fields(body: &str) -> Vec<(String, String)> {
    let pairs = body.split('&').filter(|pair| !pair.is_empty()).take(64);
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

/// Undoes percent-encoding; what is no UTF-8 becomes the replacement character.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let hex = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let mut ahead = rest.clone();
                match (hex(ahead.next()), hex(ahead.next())) {
                    (Some(high), Some(low)) => {
                        bytes.push((high * 16 + low) as u8);
                        rest = ahead;
                    }
                    _ => bytes.push(byte),
                }
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns what the form's fields say as another system would post it.
pub(super) fn from_form(fields: &[(String, String)]) -> Result<Posted, Wrong> {
    let field = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    };
    let number = |name: &'static str| {
        let Some(text) = field(name) else {
            return Ok(None);
        };
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
        let number = text.parse().ok().filter(|_| plain);
        number.map(Some).ok_or_else(|| {
            Wrong::new(
                name,
                "isi derajat desimal seperti -6.24",
                "give decimal degrees such as -6.24",
            )
        })
    };
    // `datetime-local` has no zone: a citizen's clock is that of the province.
    let observed_at = field("observed_at").map(|at| match at.len() {
        16 => format!("{at}:00+07:00"),
        19 => format!("{at}+07:00"),
        _ => at,
    });
    Ok(Posted {
        hazard: field("hazard").unwrap_or_default(),
        region_code: field("region_code").unwrap_or_default(),
        text: field("text"),
        severity: None,
        latitude: number("latitude")?,
        longitude: number("longitude")?,
        observed_at,
        exercise: false,
    })
}

/// Reads a report at the door; everything that is wrong with it is returned.
pub(super) fn report(
    posted: &Posted,
    channel: Channel,
    reporter: &str,
    identifier: String,
    node: &str,
    now: Millis,
) -> Result<Report, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let hazard = hazard::find(&posted.hazard).unwrap_or(Hazard::Unspecified);
    if hazard == Hazard::Unspecified {
        let names: Vec<&str> = hazard::ALL.iter().map(|label| label.name).collect();
        let names = names.join(", ");
        wrong.push(Wrong::new(
            "hazard",
            "pilih jenis kejadian",
            format!("choose one of {names}"),
        ));
    }
    let place = place(posted, node, &mut wrong);
    let severity = match posted.severity.as_deref() {
        None | Some("") => Severity::Unspecified,
        Some("minor") => Severity::Minor,
        Some("moderate") => Severity::Moderate,
        Some("severe") => Severity::Severe,
        Some("extreme") => Severity::Extreme,
        Some(_) => {
            let words = "minor, moderate, severe, extreme";
            wrong.push(Wrong::new(
                "severity",
                format!("salah satu dari {words}"),
                format!("one of {words}"),
            ));
            Severity::Unspecified
        }
    };
    let text = posted.text.clone().unwrap_or_default();
    let characters = text.chars().count();
    if characters > TEXT_CHARACTERS {
        wrong.push(Wrong::new(
            "text",
            format!("{characters} karakter, paling banyak {TEXT_CHARACTERS}"),
            format!("{characters} characters, at most {TEXT_CHARACTERS}"),
        ));
    }
    if let Some((indonesian, english)) = personal(&text) {
        wrong.push(Wrong::new(
            "text",
            format!("hapus yang mirip data pribadi: {indonesian}"),
            format!("remove what looks like personal data: {english}"),
        ));
    }
    let at = observed_at(posted.observed_at.as_deref(), now, &mut wrong);
    match place {
        Some(place) if wrong.is_empty() => Ok(Report {
            channel,
            hazard,
            place,
            severity,
            text,
            reporter: reporter.to_owned(),
            at,
            identifier,
            exercise: posted.exercise,
        }),
        _ => Err(wrong),
    }
}

fn place(posted: &Posted, node: &str, wrong: &mut Vec<Wrong>) -> Option<region::Place> {
    let found = match region::parse(&posted.region_code) {
        Ok(found) => found,
        Err(error) => {
            let english = if posted.region_code.is_empty() {
                "choose where it is".to_owned()
            } else {
                error.to_string()
            };
            wrong.push(Wrong::new(
                "region_code",
                "pilih kecamatan atau kab/kota",
                english,
            ));
            return None;
        }
    };
    let point = match (posted.latitude, posted.longitude) {
        (None, None) => None,
        (Some(latitude), Some(longitude))
            if (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude) =>
        {
            Some(region::Point::from_degrees(latitude, longitude))
        }
        _ => {
            wrong.push(Wrong::new(
                "latitude",
                "isi lintang dan bujur keduanya, dalam derajat",
                "give both latitude and longitude, in degrees",
            ));
            None
        }
    };
    let place = region::Place {
        point,
        ..region::Place::of(found)
    };
    if let Err(refusal) = check_province(&place, node) {
        wrong.push(Wrong::new(
            "region_code",
            "di luar provinsi ini: laporkan ke posko provinsinya",
            refusal.message,
        ));
    }
    Some(place)
}

/// Reads when it was seen: not in the future, and not longer ago than a month.
fn observed_at(text: Option<&str>, now: Millis, wrong: &mut Vec<Wrong>) -> Option<Millis> {
    const MONTH_SECONDS: i64 = 31 * 24 * 3600;
    let text = text?;
    let Ok(at) = chrono::DateTime::parse_from_rfc3339(text) else {
        wrong.push(Wrong::new(
            "observed_at",
            "isi tanggal dan jam",
            "give a time of RFC 3339 such as 2026-01-05T12:00:00+07:00",
        ));
        return None;
    };
    let at = Millis(at.timestamp_millis());
    if at > now.plus_seconds(300) {
        wrong.push(Wrong::new(
            "observed_at",
            "waktunya belum terjadi",
            "the time lies in the future",
        ));
    } else if at < now.plus_seconds(-MONTH_SECONDS) {
        wrong.push(Wrong::new(
            "observed_at",
            "lebih dari sebulan lalu: ini untuk bahaya yang sedang terjadi",
            "more than a month ago: this is for a danger that goes on",
        ));
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_767_589_500_000);

    fn posted() -> Posted {
        Posted {
            hazard: "flood".into(),
            region_code: "32.75.01".into(),
            text: Some("Air setinggi lutut".into()),
            ..Posted::default()
        }
    }

    fn wrong(change: impl FnOnce(&mut Posted)) -> Vec<(&'static str, String)> {
        let mut posted = posted();
        change(&mut posted);
        let read = report(&posted, Channel::Web, "", "x".into(), "32", NOW);
        let wrong = read.err().unwrap_or_default().into_iter();
        wrong.map(|wrong| (wrong.field, wrong.english)).collect()
    }

    #[test]
    fn a_form_is_read_with_its_escapes() {
        let fields =
            form_fields("hazard=flood&region_code=32.75.01&text=a+%26+b%0Ac%ZZ%C3%A9&text=zwei");
        let posted = from_form(&fields).unwrap();
        assert_eq!(posted.text.as_deref(), Some("a & b\nc%ZZé"));
        let local = from_form(&[("observed_at".into(), "2026-01-05T12:00".into())]).unwrap();
        assert_eq!(
            local.observed_at.as_deref(),
            Some("2026-01-05T12:00:00+07:00")
        );
        assert_eq!(
            from_form(&[("latitude".into(), "1e5".into())])
                .unwrap_err()
                .field,
            "latitude"
        );
    }

    #[test]
    fn a_report_that_is_right_is_read_whole() {
        let posted = Posted {
            latitude: Some(-6.24),
            longitude: Some(106.99),
            severity: Some("severe".into()),
            observed_at: Some("2026-01-05T12:00:00+07:00".into()),
            ..posted()
        };
        let report = report(
            &posted,
            Channel::Webhook,
            "PMI Kota Bekasi",
            "x".into(),
            "32",
            NOW,
        )
        .unwrap();
        assert_eq!(
            (report.hazard, report.severity),
            (Hazard::Flood, Severity::Severe)
        );
        assert_eq!(report.at, Some(Millis(1_767_589_200_000)));
        assert!(report.place.point.is_some());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_field() {
        let field = |wrong: Vec<(&'static str, String)>| wrong.first().map(|(field, _)| *field);
        assert_eq!(
            field(wrong(|posted| posted.hazard = "hujan es".into())),
            Some("hazard")
        );
        assert_eq!(
            field(wrong(|posted| posted.region_code = String::new())),
            Some("region_code")
        );
        assert_eq!(
            field(wrong(|posted| posted.region_code = "32.99".into())),
            Some("region_code")
        );
        assert_eq!(
            field(wrong(|posted| posted.region_code = "31.75".into())),
            Some("region_code")
        );
        assert_eq!(
            field(wrong(|posted| posted.latitude = Some(-6.0))),
            Some("latitude")
        );
        assert_eq!(
            field(wrong(|posted| posted.severity = Some("besar".into()))),
            Some("severity")
        );
        for at in [
            "besok",
            "2026-01-05T13:00:00+07:00",
            "2025-11-01T00:00:00+07:00",
        ] {
            assert_eq!(
                field(wrong(|posted| posted.observed_at = Some(at.into()))),
                Some("observed_at"),
                "{at}"
            );
        }
        assert_eq!(
            field(wrong(|posted| posted.text = Some("x".repeat(4_001)))),
            Some("text")
        );
        assert_eq!(wrong(|_| ()), []);
    }

    #[test]
    fn personal_data_is_refused_by_its_place_and_never_repeated() {
        let all = wrong(|posted| posted.text = Some("Hubungi 0812-0000-0001".into()));
        assert_eq!(all[0].0, "text");
        assert!(
            all[0].1.contains("a telephone number at character 9") && !all[0].1.contains("0812")
        );
    }
}
