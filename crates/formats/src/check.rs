//! What `warning check` says of a file: what it is, what is in it, how it was read, and what is wrong with it and where.

use serde::Serialize;

use crate::{
    bmkg::{Earthquake, Stage},
    cap::{Alert, MsgType, Status, Version},
    document::{self, Document, DocumentError, Format},
    field::FieldError,
    note::{Note, Place, Read, has_warnings},
    station::{Kind, Level, Reading},
};

/// What is to be said of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is read whole and breaks no rule.
    Valid,
    /// It is read, and something in it breaks a rule or was not kept.
    ValidWithWarnings,
    /// It, or something in it, cannot be read.
    Invalid,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The path of the element or field at fault, where it is known.
    pub element: Option<String>,
    /// Where the fault is, if the format has lines.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
}

/// One thing in a document: an alert, a link to one, an earthquake, a reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// What it is, such as `alert`, `link`, `earthquake`, `bulletin`, `gauge` or `volcano`.
    pub kind: &'static str,
    /// Its publisher's own identifier, if it has one.
    pub id: Option<String>,
    /// What it is about, in the publisher's words.
    pub title: String,
    /// When it was published or happened, by RFC 3339.
    pub time: Option<String>,
    /// Whether it is real: `Actual`, or what the publisher says that it is instead.
    pub status: Option<&'static str>,
    /// What there is to say about how it was read.
    pub notes: Vec<Note>,
}

/// What is found out about a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is, if that is known.
    pub format: Option<Format>,
    /// The version of the format, where it has versions.
    pub version: Option<&'static str>,
    /// What is to be said of it.
    pub verdict: Verdict,
    /// What is in it, in its order.
    pub items: Vec<Item>,
    /// What is wrong with it, or with something in it; empty if it is valid.
    pub faults: Vec<Fault>,
    /// What there is to say about it as a whole.
    pub notes: Vec<Note>,
}

/// Reads a document as intake would and says what it is and what is wrong with it; nothing is stored.
pub fn check(bytes: &[u8]) -> Check {
    let (format, read) = document::read(bytes);
    let mut check = Check {
        format,
        version: None,
        verdict: Verdict::Valid,
        items: Vec::new(),
        faults: Vec::new(),
        notes: Vec::new(),
    };
    match read {
        Ok(document) => {
            check.version = document.cap_version().map(Version::number);
            check.take(document);
        }
        Err(error) => check.refuse(error),
    }
    check.verdict = check.judge();
    check
}

impl Check {
    /// Adds what is wrong with it by rules that are not of its format, unless that is said already.
    pub fn add_fault(&mut self, message: &str) {
        if self.faults.iter().any(|fault| fault.message == message) {
            return;
        }
        self.faults.push(Fault {
            element: None,
            place: None,
            message: message.to_owned(),
        });
        self.verdict = self.judge();
    }

    fn judge(&self) -> Verdict {
        let is_warned =
            has_warnings(&self.notes) || self.items.iter().any(|item| has_warnings(&item.notes));
        match (self.faults.is_empty(), is_warned) {
            (false, _) => Verdict::Invalid,
            (true, true) => Verdict::ValidWithWarnings,
            (true, false) => Verdict::Valid,
        }
    }

    fn refuse(&mut self, error: impl Into<DocumentError>) {
        let error = error.into();
        self.faults.push(Fault {
            element: error.element(),
            place: error.place(),
            message: error.to_string(),
        });
    }

    fn take(&mut self, document: Document) {
        match document {
            Document::Cap(alert) => self.items.push(alert_item(*alert)),
            Document::Rss(channel) => {
                self.notes = channel.notes;
                for error in channel.value.refused {
                    self.refuse(error);
                }
                for item in channel.value.items {
                    if item.link.is_none() {
                        self.faults.push(Fault {
                            element: Some("item/link".to_owned()),
                            place: Some(item.at),
                            message: format!("element `link` is missing in `item` at {}", item.at),
                        });
                        continue;
                    }
                    self.items.push(Item {
                        kind: "link",
                        id: item.guid,
                        title: item.title,
                        time: item.published.map(|time| time.to_rfc3339()),
                        status: None,
                        notes: Vec::new(),
                    });
                }
            }
            Document::Atom(feed) => {
                self.notes = feed.notes;
                for error in feed.value.refused {
                    self.refuse(error);
                }
                for entry in feed.value.entries {
                    self.items.push(match entry.alert {
                        Some(alert) => alert_item(alert),
                        None => Item {
                            kind: "link",
                            id: Some(entry.id),
                            title: entry.title,
                            time: Some(entry.updated.to_rfc3339()),
                            status: None,
                            notes: Vec::new(),
                        },
                    });
                }
            }
            Document::EdxlDe(envelope) => {
                self.notes = envelope.notes;
                for error in envelope.value.refused {
                    self.refuse(error);
                }
                let status = envelope.value.status;
                for alert in envelope.value.alerts {
                    let mut item = alert_item(alert);
                    if status != Status::Actual {
                        item.status = Some(status.word());
                    }
                    self.items.push(item);
                }
            }
            Document::Earthquakes(list) => {
                self.notes = list.notes;
                self.take_rows(list.rows, |row| {
                    earthquake_item("earthquake", None, &row.value, row.notes)
                });
            }
            Document::Bulletin(bulletin) => {
                let Read { value, notes } = *bulletin;
                let kind = match value.stage {
                    Stage::Earthquake => "earthquake bulletin",
                    Stage::Warning(_) => "tsunami warning",
                    Stage::Ended => "end of a tsunami warning",
                };
                let mut item =
                    earthquake_item(kind, Some(value.identifier), &value.earthquake, notes);
                item.status = Some(value.status.word());
                self.items.push(item);
            }
            Document::Stations(stations) => {
                self.notes = stations.notes;
                let kind = match stations.kind {
                    Kind::Gauge => "gauge",
                    Kind::Volcano => "volcano",
                };
                self.take_rows(stations.rows, |reading| reading_item(kind, &reading));
            }
        }
    }

    fn take_rows<T>(&mut self, rows: Vec<Result<T, FieldError>>, item: impl Fn(T) -> Item) {
        for row in rows {
            match row {
                Ok(row) => self.items.push(item(row)),
                Err(error) => self.refuse(error),
            }
        }
    }
}

fn alert_item(alert: Read<Alert>) -> Item {
    let Read { value, notes } = alert;
    let info = value.infos.first();
    let title = info.map(|info| info.headline.clone().unwrap_or_else(|| info.event.clone()));
    let kind = match value.msg_type {
        MsgType::Alert => "alert",
        MsgType::Update => "update",
        MsgType::Cancel => "cancellation",
        MsgType::Ack => "acknowledgment",
        MsgType::Error => "error message",
    };
    let status: Status = value.status;
    Item {
        kind,
        id: Some(value.identifier),
        title: title.unwrap_or_default(),
        time: Some(value.sent.to_rfc3339()),
        status: Some(status.word()),
        notes,
    }
}

fn earthquake_item(
    kind: &'static str,
    id: Option<String>,
    earthquake: &Earthquake,
    notes: Vec<Note>,
) -> Item {
    let magnitude = f64::from(earthquake.magnitude_hundredths) / 100.0;
    Item {
        kind,
        id,
        title: format!("M {magnitude:.1}, {}", earthquake.region),
        time: Some(earthquake.origin_time.to_rfc3339()),
        status: None,
        notes,
    }
}

fn reading_item(kind: &'static str, reading: &Reading) -> Item {
    let level = match reading.level {
        Level::Water { level_mm, .. } => format!("{} cm", f64::from(level_mm) / 10.0),
        Level::Volcano(level) => format!("{level:?}"),
    };
    Item {
        kind,
        id: None,
        title: format!("{}: {level}", reading.station),
        time: Some(reading.time.to_rfc3339()),
        status: None,
        notes: Vec::new(),
    }
}
