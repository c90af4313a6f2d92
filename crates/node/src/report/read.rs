//! Reads a report from a form or from JSON; everything that is wrong is said, with its field.

use posko_domain::{
    hazard,
    privacy::{self, Personal},
    region,
};
use posko_proto::{
    common::v1::Hazard,
    time::Millis,
    warning::v1::{Channel, Severity},
};
use serde::Deserialize;

use super::{Report, check_province};

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

/// The most fields of a form that are read.
const FIELDS: usize = 64;

/// Reads the fields of `application/x-www-form-urlencoded`; the first of a name counts.
pub(super) fn form_fields(body: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(body)
        .take(FIELDS)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// Returns what the form's fields say as another system would post it, and what is wrong with its point.
pub(super) fn from_form(fields: &[(String, String)]) -> (Posted, Option<Wrong>) {
    let field = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    };
    let point = field("point").map(|text| point(&text)).transpose();
    let (point, wrong) = point.map_or_else(|wrong| (None, Some(wrong)), |point| (point, None));
    // `datetime-local` has no zone: a citizen's clock is that of the province.
    let observed_at = field("observed_at").map(|at| match at.len() {
        16 => format!("{at}:00+07:00"),
        19 => format!("{at}+07:00"),
        _ => at,
    });
    let posted = Posted {
        hazard: field("hazard").unwrap_or_default(),
        region_code: field("region_code").unwrap_or_default(),
        text: field("text"),
        severity: None,
        latitude: point.map(|(latitude, _)| latitude),
        longitude: point.map(|(_, longitude)| longitude),
        observed_at,
        exercise: false,
    };
    (posted, wrong)
}

/// Reads a point as maps show it: the latitude and the longitude in degrees, with a comma or a blank between them.
fn point(text: &str) -> Result<(f64, f64), Wrong> {
    let plain = |c: char| c.is_ascii_digit() || "+-.".contains(c);
    let parts: Vec<&str> = text
        .split(|c: char| c == ',' || c == ';' || c.is_whitespace())
        .filter(|part| !part.is_empty())
        .collect();
    let degrees =
        |part: &str| -> Option<f64> { part.parse().ok().filter(|_| part.chars().all(plain)) };
    let read = match parts.as_slice() {
        [latitude, longitude] => degrees(latitude).zip(degrees(longitude)),
        _ => None,
    };
    read.ok_or_else(|| {
        Wrong::new(
            "latitude",
            "tulis lintang lalu bujur, seperti -6.24, 106.99",
            "give latitude, then longitude, such as -6.24, 106.99",
        )
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
    // A browser sends a line's end as two characters, and counts it as one.
    let text = posted.text.as_deref().unwrap_or_default();
    let text = text.replace("\r\n", "\n");
    let characters = text.chars().count();
    if characters > TEXT_CHARACTERS {
        wrong.push(Wrong::new(
            "text",
            format!("{characters} karakter, paling banyak {TEXT_CHARACTERS}"),
            format!("{characters} characters, at most {TEXT_CHARACTERS}"),
        ));
    }
    if text
        .chars()
        .any(|c| c.is_control() && c != '\n' && c != '\t')
    {
        wrong.push(Wrong::new(
            "text",
            "ada huruf yang tidak terbaca: hapus, lalu tulis kembali",
            "it has control characters: remove them",
        ));
    }
    wrong.extend(personal(&text, channel));
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

/// Refuses what in a text looks like personal data. Who fills in the form is shown what is meant; another system, whose
/// log may keep the answer, is told where it stands.
fn personal(text: &str, channel: Channel) -> Option<Wrong> {
    let found = privacy::findings(text);
    if found.is_empty() {
        return None;
    }
    let each = |kinds: [&str; 3], at: &str| {
        let said = found.iter().map(|found| {
            let [telephone, nik, mail] = kinds;
            let kind = match found.kind {
                Personal::Telephone => telephone,
                Personal::Nik => nik,
                Personal::Mail => mail,
            };
            if channel == Channel::Web {
                let meant = text.chars().skip(found.at - 1).take(found.length);
                format!("“{}” ({kind})", meant.collect::<String>())
            } else {
                format!("{kind} {at} {}", found.at)
            }
        });
        said.collect::<Vec<String>>().join(", ")
    };
    let indonesian = each(["nomor telepon", "NIK", "alamat surel"], "di karakter ke-");
    let english = each(
        ["a telephone number", "a NIK", "an address of mail"],
        "at character",
    );
    Some(Wrong::new(
        "text",
        format!("hapus yang mirip data pribadi: {indonesian}"),
        format!("remove what looks like personal data: {english}"),
    ))
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
            let point = region::Point::from_degrees(latitude, longitude);
            if is_elsewhere(point, node) {
                wrong.push(Wrong::new(
                    "latitude",
                    "titik itu di luar provinsi ini: periksa, atau kosongkan",
                    "the point lies outside of this province: check it, or leave it out",
                ));
            }
            Some(point)
        }
        _ => {
            wrong.push(Wrong::new(
                "latitude",
                "isi lintang (-90 sampai 90) dan bujur (-180 sampai 180) keduanya, dalam derajat",
                "give both a latitude (-90 to 90) and a longitude (-180 to 180), in degrees",
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

/// Says whether a point lies in another province than the node's, or far from all of them.
fn is_elsewhere(point: region::Point, node: &str) -> bool {
    const FAR_KM: f64 = 100.0;
    if region::find(node).is_none() {
        return false;
    }
    if let Some(found) = region::at(point) {
        return !region::within(found.code, node);
    }
    let (latitude, longitude) = point.degrees();
    region::nearest_regency(latitude, longitude).1 > FAR_KM
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
            form_fields(b"hazard=flood&region_code=32.75.01&text=a+%26+b%0Ac%ZZ%C3%A9&text=zwei");
        let (posted, _) = from_form(&fields);
        assert_eq!(posted.text.as_deref(), Some("a & b\nc%ZZé"));
        let (local, _) = from_form(&[("observed_at".into(), "2026-01-05T12:00".into())]);
        assert_eq!(
            local.observed_at.as_deref(),
            Some("2026-01-05T12:00:00+07:00")
        );
    }

    #[test]
    fn a_point_is_read_as_maps_show_it() {
        let read = |text: &str| {
            let (posted, wrong) = from_form(&[("point".into(), text.into())]);
            wrong.map_or(Ok(posted.latitude.zip(posted.longitude)), Err)
        };
        for text in [
            "-6.24, 106.99",
            " -6.24,106.99 ",
            "-6.24 106.99",
            "-6.24; 106.99",
        ] {
            assert_eq!(read(text), Ok(Some((-6.24, 106.99))), "{text}");
        }
        assert_eq!(read(" "), Ok(None));
        for text in [
            "-6.24",
            "1e5, 3",
            "NaN, 106",
            "-6.24, 106.99, 3",
            "6°14'S 106°59'E",
        ] {
            assert_eq!(
                read(text).map_err(|wrong| wrong.field),
                Err("latitude"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_text_of_as_many_characters_as_the_browser_allows_is_read() {
        let text = format!("{}x", "a\r\n".repeat(TEXT_CHARACTERS / 2 - 1) + "b");
        let posted = Posted {
            text: Some(text),
            ..posted()
        };
        let read = report(&posted, Channel::Web, "", "x".into(), "32", NOW).unwrap();
        assert_eq!(read.text.chars().count(), TEXT_CHARACTERS);
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
        for (latitude, longitude) in [
            (-6.2, 106.8),
            (-2.5, 140.7),
            (106.99, -6.24),
            (-6.24, -106.99),
        ] {
            let point = |posted: &mut Posted| {
                (posted.latitude, posted.longitude) = (Some(latitude), Some(longitude));
            };
            assert_eq!(
                field(wrong(point)),
                Some("latitude"),
                "{latitude}, {longitude}"
            );
        }
        assert_eq!(
            field(wrong(|posted| posted.text = Some("a\0b\u{1b}[2J".into()))),
            Some("text")
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
    fn personal_data_is_shown_to_who_typed_it_and_told_to_other_systems_by_its_place() {
        let posted = Posted {
            text: Some("Hubungi 0812-0000-0001".into()),
            ..posted()
        };
        let said = |channel| {
            let read = report(&posted, channel, "", "x".into(), "32", NOW);
            let wrong = read.unwrap_err().remove(0);
            assert_eq!(wrong.field, "text");
            wrong.english
        };
        let webhook = said(Channel::Webhook);
        assert!(
            webhook.contains("a telephone number at character 9") && !webhook.contains("0812"),
            "{webhook}"
        );
        let web = said(Channel::Web);
        assert!(
            web.contains("“0812-0000-0001” (a telephone number)"),
            "{web}"
        );
    }
}
