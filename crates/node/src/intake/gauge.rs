//! River gauges: a reading that crosses a level warns the areas downstream, with when the water is expected there.
//!
//! A gauge sends neither identifiers nor references. So its rule is that of its flood (`wave`): the reading that first reaches
//! a level begins a warning, later ones update it when the level rises or an hour has passed. Once the water falls at the
//! gauge, what was announced is still under way: the warning ends when the fall has come down the river too, and a lower
//! level that is still reached begins one of its own. Without a reading it holds until 6 h after the last arrival.
//! A reading that jumps is not believed until the next one agrees; one that repeats for too long says that the gauge is dead.
//! The newest reading that was believed is kept, so that a start of the node believes no jump either.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use posko_domain::{
    region,
    warning::{Said, locate},
};
use posko_formats::{
    bmkg::MAX_AHEAD,
    quote,
    station::{self, Level, Reading},
};
use posko_proto::{
    common::v1::Hazard,
    warning::v1::{
        AlertStatus, Area, Certainty, Content, GaugeReading, Note, NoteKind, Severity, Siaga,
        Source, Urgency,
    },
};
use posko_store::reading::KeptReading;

use crate::intake::{
    wanted::{Effect, Item, Judged, Wanted, millis},
    wave,
};

/// How long after the last arrival a warning holds without a newer reading.
const HOLDS_AFTER_ARRIVAL: TimeDelta = TimeDelta::hours(6);

/// How old the reading before may be for a jump to be told by it.
const JUMP_WITHIN: TimeDelta = TimeDelta::hours(1);

/// Above how many times its gravest level a reading is a jump, whatever was before.
const HIGHEST_TIMES: i32 = 3;

/// A river gauge as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gauge {
    /// Its name, by which tables call it.
    pub name: String,
    /// The river.
    pub river: String,
    /// From which height on it is at Siaga I, II, III and IV, in centimeters; a level may be left out.
    pub siaga_cm: [Option<u32>; 4],
    /// The regions downstream by their codes, each with how long the water takes in minutes.
    pub downstream: Vec<(String, u32)>,
    /// By how much a reading may differ from one less than an hour before, in centimeters.
    pub jump_cm: u32,
    /// How old its newest reading may be, in minutes.
    pub stale_minutes: u32,
}

impl Gauge {
    /// Returns the gauges that warn Jakarta where none is configured.
    ///
    /// The heights are those that the gauges' keepers in Bogor and Depok announce by, the times what they give for the way to
    /// Jakarta; both are to be confirmed by the provinces before anybody relies on them.
    pub fn shipped() -> Vec<Self> {
        let downstream = |areas: &[(&str, u32)]| {
            let areas = areas.iter();
            areas
                .map(|(code, minutes)| ((*code).to_owned(), *minutes))
                .collect()
        };
        vec![
            Self {
                name: "Katulampa".into(),
                river: "Ciliwung".into(),
                siaga_cm: [Some(200), Some(150), Some(80), None],
                downstream: downstream(&[
                    ("32.76", 240),
                    ("31.74", 540),
                    ("31.75", 540),
                    ("31.71", 660),
                ]),
                jump_cm: 150,
                stale_minutes: 180,
            },
            Self {
                name: "Depok".into(),
                river: "Ciliwung".into(),
                siaga_cm: [Some(350), Some(270), Some(200), None],
                downstream: downstream(&[("31.74", 300), ("31.75", 300), ("31.71", 420)]),
                jump_cm: 150,
                stale_minutes: 180,
            },
        ]
    }

    /// Returns the level that a height reaches.
    pub fn siaga(&self, level_mm: i32) -> Siaga {
        let levels = [Siaga::I, Siaga::Ii, Siaga::Iii, Siaga::Iv];
        let reached = self.siaga_cm.iter().zip(levels).find(|(height, _)| {
            height.is_some_and(|height| i64::from(level_mm) >= i64::from(height) * 10)
        });
        reached.map_or(Siaga::Unspecified, |(_, siaga)| siaga)
    }

    fn highest_mm(&self) -> i32 {
        let gravest = self.siaga_cm.iter().flatten().max().copied();
        gravest.map_or(i32::MAX, |height| {
            i32::try_from(height)
                .unwrap_or(i32::MAX)
                .saturating_mul(10 * HIGHEST_TIMES)
        })
    }
}

/// Keeps the newest reading of a gauge that was believed, by its name in lower case.
pub(crate) type Keep = Box<dyn Fn(KeptReading) + Send + Sync>;

/// What was read of the gauges, by their names in lower case: whether a reading can be believed depends on those before.
#[derive(Default)]
pub(crate) struct Readings {
    seen: Mutex<BTreeMap<String, Seen>>,
    keep: Option<Keep>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    /// The newest reading that was believed.
    last: Option<(DateTime<Utc>, i32)>,
    /// The one that is kept.
    kept: Option<(DateTime<Utc>, i32)>,
    /// A newer one that jumped, and waits for one that agrees.
    waits: Option<(DateTime<Utc>, i32)>,
}

/// What a reading is beside those before.
enum Observed {
    /// It can be believed.
    Fits,
    /// It is not newer than what is known.
    Known,
    /// It jumps from this height, in millimeters.
    Jumps(Option<i32>),
}

impl Readings {
    /// Goes on from what was kept.
    pub(crate) fn new(kept: Vec<KeptReading>, keep: Option<Keep>) -> Self {
        let seen = kept.into_iter().map(|reading| {
            let at = DateTime::from_timestamp_millis(reading.read_at.0).unwrap_or_default();
            let last = Some((at, reading.level_mm));
            let seen = Seen {
                last,
                kept: last,
                waits: None,
            };
            (reading.station, seen)
        });
        Self {
            seen: Mutex::new(seen.collect()),
            keep,
        }
    }

    /// Keeps the newest reading of a gauge that was believed, unless it is kept already.
    fn keep(&self, gauge: &Gauge) {
        let Some(keep) = &self.keep else { return };
        let station = gauge.name.to_lowercase();
        let newest = {
            let mut readings = self.lock();
            let Some(seen) = readings
                .get_mut(&station)
                .filter(|seen| seen.last != seen.kept)
            else {
                return;
            };
            seen.kept = seen.last;
            seen.last
        };
        if let Some((at, level_mm)) = newest {
            keep(KeptReading {
                station,
                read_at: millis(&at),
                level_mm,
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn observe(
        &self,
        gauge: &Gauge,
        at: DateTime<Utc>,
        level_mm: i32,
        confirmed: bool,
    ) -> Observed {
        let mut readings = self.lock();
        let seen = readings.entry(gauge.name.to_lowercase()).or_default();
        let is_known =
            |known: Option<(DateTime<Utc>, i32)>| known.is_some_and(|(known, _)| at <= known);
        if is_known(seen.last) || (is_known(seen.waits) && !confirmed) {
            return Observed::Known;
        }
        let allowed = i64::from(gauge.jump_cm) * 10;
        let differs = |other: i32| (i64::from(level_mm) - i64::from(other)).abs() > allowed;
        let before = seen
            .last
            .filter(|(last, _)| at.signed_duration_since(*last) <= JUMP_WITHIN);
        let jumps =
            before.is_some_and(|(_, level)| differs(level)) || level_mm > gauge.highest_mm();
        let agrees = seen.waits.is_some_and(|(_, level)| !differs(level));
        if jumps && !agrees && !confirmed {
            seen.waits = Some((at, level_mm));
            return Observed::Jumps(before.map(|(_, level)| level));
        }
        seen.last = Some((at, level_mm));
        seen.waits = None;
        Observed::Fits
    }

    /// Returns when a gauge was read last, as far as it was believed.
    fn newest(&self, gauge: &Gauge) -> Option<DateTime<Utc>> {
        let readings = self.lock();
        Some(readings.get(&gauge.name.to_lowercase())?.last?.0)
    }
}

/// Judges the readings of one gauge, in any order: those before the newest only say whether that can be believed.
pub(super) fn judge(
    mut readings: Vec<&Reading>,
    gauges: &[Gauge],
    seen: &Readings,
    now: DateTime<Utc>,
) -> Judged {
    readings.sort_by_key(|reading| reading.time);
    let Some((newest, before)) = readings.split_last() else {
        return Judged::Nothing("there is no reading".into());
    };
    let name = &newest.station;
    let Some(gauge) = find(gauges, name) else {
        return Judged::Refused(format!(
            "gauge `{}` is not configured: nothing says whom it warns",
            quote(name)
        ));
    };
    for reading in before {
        if let Level::Water { level_mm, .. } = reading.level
            && reading.time.signed_duration_since(now) <= MAX_AHEAD
        {
            let _ = seen.observe(gauge, reading.time, level_mm, false);
        }
    }
    let Level::Water { level_mm, siaga } = newest.level else {
        return Judged::Refused(format!("`{}` is no reading of a river gauge", quote(name)));
    };
    judge_one(gauge, newest.time, level_mm, siaga, false, seen, now)
}

/// Returns a gauge that a table should hold and does not: of it nothing is known, which is no river at rest.
pub(super) fn missing(name: &str) -> Item {
    Item {
        identifier: format!("missing/{name}"),
        title: name.into(),
        judged: Judged::Refused(format!("gauge `{name}` is missing in the table")),
    }
}

/// Finds a gauge by its name, in any case.
pub(crate) fn find<'g>(gauges: &'g [Gauge], name: &str) -> Option<&'g Gauge> {
    let wanted = name.trim().to_lowercase();
    gauges
        .iter()
        .find(|gauge| gauge.name.to_lowercase() == wanted)
}

/// Judges one reading; one that is confirmed is believed although it jumps.
pub(crate) fn judge_one(
    gauge: &Gauge,
    at: DateTime<Utc>,
    level_mm: i32,
    said: Option<station::Siaga>,
    confirmed: bool,
    seen: &Readings,
    now: DateTime<Utc>,
) -> Judged {
    let name = &gauge.name;
    let shown = at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    if at.signed_duration_since(now) > MAX_AHEAD {
        return Judged::Refused(format!(
            "gauge `{name}` was read at `{shown}`, which lies more than `5` minutes after now"
        ));
    }
    if now.signed_duration_since(at) > TimeDelta::minutes(gauge.stale_minutes.into()) {
        return Judged::Refused(format!(
            "gauge `{name}` has no reading newer than `{shown}`, which is older than `{}` minutes",
            gauge.stale_minutes
        ));
    }
    let observed = seen.observe(gauge, at, level_mm, confirmed);
    seen.keep(gauge);
    match observed {
        Observed::Fits => {}
        Observed::Known if seen.newest(gauge) == Some(at) => {}
        Observed::Known => {
            return Judged::Nothing(format!("a newer reading of `{name}` is known"));
        }
        Observed::Jumps(before) => {
            let from = before.map_or_else(
                || "is higher than can be".to_owned(),
                |before| format!("jumps from `{}`", centimeters(before)),
            );
            return Judged::Refused(format!(
                "gauge `{name}` {from} to `{}` at `{shown}`: it is believed once the next reading agrees",
                centimeters(level_mm)
            ));
        }
    }
    let siaga = gauge.siaga(level_mm);
    let content = content_of(gauge, at, level_mm, siaga, said);
    let key = format!("gauge/{}/", name.to_lowercase());
    let identifier = format!("{key}{shown}");
    let publisher = format!("Pos duga air {name}");
    Judged::of(Wanted::of(
        Source::Gauge,
        &publisher,
        identifier,
        content,
        Effect::Station {
            key,
            warns: siaga != Siaga::Unspecified,
        },
    ))
}

fn content_of(
    gauge: &Gauge,
    at: DateTime<Utc>,
    level_mm: i32,
    siaga: Siaga,
    said: Option<station::Siaga>,
) -> Content {
    let last = gauge.downstream.iter().map(|(_, minutes)| *minutes).max();
    let arrival = |minutes: u32| at + TimeDelta::minutes(minutes.into());
    let content = Content {
        status: AlertStatus::Actual.into(),
        hazard: Hazard::Flood.into(),
        severity: severity_of(siaga).into(),
        urgency: Urgency::Expected.into(),
        certainty: Certainty::Likely.into(),
        sent_at: Some(millis(&at).into()),
        expires_at: Some(millis(&(arrival(last.unwrap_or(0)) + HOLDS_AFTER_ARRIVAL)).into()),
        language: "id".into(),
        areas: gauge
            .downstream
            .iter()
            .map(|(code, minutes)| area_of(code, arrival(*minutes)))
            .collect(),
        notes: notes_of(siaga, said),
        gauge: Some(GaugeReading {
            station: gauge.name.clone(),
            river: gauge.river.clone(),
            level_mm,
            siaga: siaga.into(),
            read_at: Some(millis(&at).into()),
        }),
        code_set: region::CODE_SET.into(),
        ..Content::default()
    };
    wave::written(content)
}

/// Returns how grave a level is.
pub(super) fn severity_of(siaga: Siaga) -> Severity {
    match siaga {
        Siaga::I => Severity::Extreme,
        Siaga::Ii => Severity::Severe,
        Siaga::Iii => Severity::Moderate,
        Siaga::Iv => Severity::Minor,
        Siaga::Unspecified => Severity::Unspecified,
    }
}

/// Returns the time in Waktu Indonesia Barat as it is written in English: `21 November 2022, 13:21 WIB`.
pub(super) fn in_english(time: DateTime<Utc>) -> String {
    let wib = time + TimeDelta::hours(7);
    format!("{} WIB", wib.format("%-d %B %Y, %H:%M"))
}

fn area_of(code: &str, arrival: DateTime<Utc>) -> Area {
    let mut area = Area {
        description: region::find(code)
            .map_or_else(|| code.to_owned(), |region| region.name.into()),
        region_codes: vec![code.into()],
        arrival_at: Some(millis(&arrival).into()),
        ..Area::default()
    };
    locate(&mut area, &Said::default());
    for found in &mut area.regions {
        found.found_by = vec![posko_proto::warning::v1::FoundBy::Downstream.into()];
        // The river's banks, and not all of the kab/kota.
        found.partly = true;
    }
    area
}

/// Notes that the keeper names another level than the height reaches.
fn notes_of(siaga: Siaga, said: Option<station::Siaga>) -> Vec<Note> {
    let said = said.map(|said| match said {
        station::Siaga::I => Siaga::I,
        station::Siaga::II => Siaga::Ii,
        station::Siaga::III => Siaga::Iii,
        station::Siaga::IV => Siaga::Iv,
    });
    let differs = said.is_some_and(|said| {
        // `Siaga IV` is what keepers call any day.
        said != siaga && !(said == Siaga::Iv && siaga == Siaga::Unspecified)
    });
    if !differs {
        return Vec::new();
    }
    vec![Note {
        kind: NoteKind::Breach.into(),
        path: "siaga".into(),
        count: 1,
        text: "the table names another level than the height reaches by the configuration".into(),
    }]
}

pub(super) fn centimeters(level_mm: i32) -> String {
    if level_mm % 10 == 0 {
        format!("{} cm", level_mm / 10)
    } else {
        format!("{:.1} cm", f64::from(level_mm) / 10.0)
    }
}
