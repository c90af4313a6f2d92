//! Any document that intake takes: what each of its items would become. Feeds, files and checks read by this one way.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use posko_formats::{
    Read,
    cap::{Alert, Status},
    document::{self, Document, DocumentError, Format},
    quote,
    station::{Kind, Reading, Stations},
};
use posko_proto::time::Millis;
use posko_store::reading::KeptReading;

use crate::intake::{
    Province, alert, bulletin,
    earthquake::{self, Known},
    gauge::{self, Gauge, Readings},
    volcano,
    wanted::{Item, Judged, millis},
};

/// What is kept of what documents say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The provinces whose warnings are kept.
    pub provinces: Vec<Province>,
    /// How far from the nearest kab/kota an earthquake is still kept, in kilometers.
    pub radius_km: u32,
    /// The river gauges that are known.
    pub gauges: Vec<Gauge>,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            provinces: Province::ALL.to_vec(),
            radius_km: crate::intake::RADIUS_KM,
            gauges: Gauge::shipped(),
        }
    }
}

/// What is remembered from document to document.
#[derive(Default)]
pub(crate) struct Memory {
    pub(super) known: Known,
    pub(crate) readings: Readings,
}

impl Memory {
    /// Goes on from the readings of gauges that were kept, and keeps none.
    pub(crate) fn of(readings: Vec<KeptReading>) -> Self {
        Self {
            readings: Readings::new(readings, None),
            ..Self::default()
        }
    }
}

/// A document, judged.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// What it was found to be.
    pub(crate) format: Option<Format>,
    /// Its items in its order.
    pub(crate) items: Vec<Item>,
}

/// Judges the items of a document, after finding out what it is.
pub(crate) fn judge(
    document: &[u8],
    scope: &Scope,
    memory: &Memory,
    now: Millis,
) -> Result<Judgement, (Option<Format>, DocumentError)> {
    let now = DateTime::from_timestamp_millis(now.0).unwrap_or_default();
    let (format, read) = document::read(document);
    let document = read.map_err(|error| (format, error))?;
    let judging = Judging { scope, memory, now };
    Ok(Judgement {
        format,
        items: judging.items(document),
    })
}

struct Judging<'a> {
    scope: &'a Scope,
    memory: &'a Memory,
    now: DateTime<Utc>,
}

impl Judging<'_> {
    fn items(&self, document: Document) -> Vec<Item> {
        match document {
            Document::Cap(alert) => vec![self.alert(&alert)],
            Document::Rss(channel) => {
                let refused = channel.value.refused.iter().map(refused);
                let items = channel.value.items.iter().map(|item| Item {
                    identifier: item
                        .guid
                        .clone()
                        .or_else(|| item.link.clone())
                        .unwrap_or_default(),
                    title: item.title.clone(),
                    judged: match &item.link {
                        Some(link) => Judged::Link {
                            url: link.clone(),
                            published: item.published.map(|at| millis(&at)),
                        },
                        None => {
                            Judged::Refused(format!("item `{}` has no link", quote(&item.title)))
                        }
                    },
                });
                refused.chain(items).collect()
            }
            Document::Atom(feed) => {
                let refused = feed.value.refused.iter().map(refused);
                let entries = feed.value.entries.iter().map(|entry| match &entry.alert {
                    Some(alert) => self.alert(alert),
                    None => Item {
                        identifier: entry.id.clone(),
                        title: entry.title.clone(),
                        judged: match &entry.link {
                            Some(link) => Judged::Link {
                                url: link.clone(),
                                published: Some(millis(&entry.updated)),
                            },
                            None => Judged::Refused(format!(
                                "entry `{}` has no link",
                                quote(&entry.title)
                            )),
                        },
                    },
                });
                refused.chain(entries).collect()
            }
            Document::EdxlDe(envelope) => {
                let status = envelope.value.status;
                let refused = envelope.value.refused.iter().map(refused);
                let alerts = envelope.value.alerts.into_iter().map(|mut alert| {
                    // What an envelope of an exercise carries is not real, whatever it says of itself.
                    if status != Status::Actual {
                        alert.value.status = status;
                    }
                    self.alert(&alert)
                });
                refused.chain(alerts).collect()
            }
            Document::Earthquakes(list) => list
                .rows
                .into_iter()
                .map(|row| match row {
                    Err(error) => refused(&error),
                    Ok(Read { mut value, notes }) => {
                        self.memory.known.complete(&mut value);
                        Item {
                            identifier: earthquake::identifier_of(&value),
                            title: value.region.clone(),
                            judged: earthquake::judge(
                                &value,
                                &notes,
                                self.scope.radius_km,
                                self.now,
                            ),
                        }
                    }
                })
                .collect(),
            Document::Bulletin(mut bulletin) => {
                self.memory.known.complete(&mut bulletin.value.earthquake);
                vec![Item {
                    identifier: bulletin.value.identifier.clone(),
                    title: bulletin.value.headline.clone(),
                    judged: bulletin::judge(
                        &bulletin,
                        &self.scope.provinces,
                        self.scope.radius_km,
                        self.now,
                    ),
                }]
            }
            Document::Stations(stations) => self.stations(&stations),
        }
    }

    fn alert(&self, alert: &Read<Alert>) -> Item {
        let info = alert.value.infos.first();
        let title = info.map(|info| info.headline.clone().unwrap_or_else(|| info.event.clone()));
        Item {
            identifier: alert.value.identifier.clone(),
            title: title.unwrap_or_default(),
            judged: alert::judge(alert, false, &self.scope.provinces, self.now),
        }
    }

    /// Judges a table: one item for each station, and one for each row that cannot be read.
    fn stations(&self, stations: &Stations) -> Vec<Item> {
        let mut items = Vec::new();
        let mut by_name: BTreeMap<String, Vec<&Reading>> = BTreeMap::new();
        for row in &stations.rows {
            match row {
                Ok(reading) => {
                    let key = match stations.kind {
                        Kind::Gauge => reading.station.to_lowercase(),
                        Kind::Volcano => volcano::key_of(&reading.station),
                    };
                    by_name.entry(key).or_default().push(reading);
                }
                Err(error) => items.push(refused(error)),
            }
        }
        for readings in by_name.into_values() {
            let name = readings.first().map(|reading| reading.station.clone());
            let name = name.unwrap_or_default();
            let judged = match stations.kind {
                Kind::Gauge => gauge::judge(
                    readings,
                    &self.scope.gauges,
                    &self.memory.readings,
                    self.now,
                ),
                Kind::Volcano => volcano::judge(&readings, self.now),
            };
            items.push(Item {
                identifier: name.clone(),
                title: name,
                judged,
            });
        }
        items
    }
}

fn refused(error: &impl ToString) -> Item {
    let reason = error.to_string();
    Item {
        identifier: reason.clone(),
        title: String::new(),
        judged: Judged::Refused(reason),
    }
}
