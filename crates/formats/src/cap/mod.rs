//! Alerts of the Common Alerting Protocol (OASIS CAP 1.2, 1.1 and 1.0).
//!
//! It reads what an alert says and never what it means here: status, expiry and references are the caller's to judge.
//! What may name a person (`contact`, `addresses`) is left out, and noted; what has no field of its own is counted and named.

mod error;
mod read;
mod word;
mod write;

use chrono::{DateTime, FixedOffset};

pub(crate) use crate::cap::read::{read_alert, version_of};
pub use crate::cap::{
    error::CapError,
    read::parse,
    word::{Category, Certainty, MsgType, ResponseType, Scope, Severity, Status, Urgency},
    write::{WriteError, write},
};

/// A version of the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// CAP 1.0, of 2004.
    V1_0,
    /// CAP 1.1, of 2005.
    V1_1,
    /// CAP 1.2, of 2010.
    V1_2,
}

impl Version {
    /// Returns the version's number, such as `1.2`.
    pub const fn number(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
        }
    }
}

/// One alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// The version of the standard that it follows.
    pub version: Version,
    /// The publisher's own identifier of this alert, at most 1024 bytes.
    pub identifier: String,
    /// Who published it, a name that is unique in the world, at most 1024 bytes.
    pub sender: String,
    /// When it was published.
    pub sent: DateTime<FixedOffset>,
    /// How it is to be handled.
    pub status: Status,
    /// What it does.
    pub msg_type: MsgType,
    /// Whom it is for.
    pub scope: Scope,
    /// Who or what the alert comes from, such as an operator or a device.
    pub source: Option<String>,
    /// To whom a restricted alert may be shown.
    pub restriction: Option<String>,
    /// The publisher's codes for its handling, such as the profiles that it follows.
    pub codes: Vec<String>,
    /// What the publisher says about the alert itself.
    pub note: Option<String>,
    /// The earlier alerts that it refers to.
    pub references: Vec<Reference>,
    /// The publisher's names of the incidents that it is about.
    pub incidents: Vec<String>,
    /// The XML signatures that it carries.
    pub signatures: Vec<Signature>,
    /// What it says, once for each language or part.
    pub infos: Vec<Info>,
}

/// One earlier alert that an alert refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The earlier alert's sender, empty if a CAP 1.0 alert names none.
    pub sender: String,
    /// The earlier alert's identifier.
    pub identifier: String,
    /// When the earlier alert was published; CAP 1.0 does not say it.
    pub sent: Option<DateTime<FixedOffset>>,
}

/// What an alert says, in one language.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// The language as an RFC 3066 code; `en-US` if the alert names none.
    pub language: String,
    /// The kinds of event, at least one but in CAP 1.0.
    pub categories: Vec<Category>,
    /// The event in the publisher's words.
    pub event: String,
    /// What people should do, in the standard's words.
    pub response_types: Vec<ResponseType>,
    /// How soon one should act.
    pub urgency: Urgency,
    /// How grave the threat is.
    pub severity: Severity,
    /// How sure the publisher is.
    pub certainty: Certainty,
    /// For whom the information is meant.
    pub audience: Option<String>,
    /// From when the information holds, if not from `sent` on.
    pub effective: Option<DateTime<FixedOffset>>,
    /// When the event is expected to begin.
    pub onset: Option<DateTime<FixedOffset>>,
    /// Until when the information holds.
    pub expires: Option<DateTime<FixedOffset>>,
    /// The publisher's name for people.
    pub sender_name: Option<String>,
    /// The headline.
    pub headline: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// What people should do.
    pub instruction: Option<String>,
    /// Where more is to be read, as published.
    pub web: Option<String>,
    /// The publisher's codes for the event.
    pub event_codes: Vec<NamedValue>,
    /// The publisher's further parameters.
    pub parameters: Vec<NamedValue>,
    /// Pictures, sounds and documents that belong to it.
    pub resources: Vec<Resource>,
    /// The areas that the information is about.
    pub areas: Vec<Area>,
}

/// A value under a name of the publisher's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedValue {
    /// The name of the code list or parameter.
    pub name: String,
    /// The value, which may be empty.
    pub value: String,
}

/// A picture, a sound or a document that belongs to an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// What it is, in the publisher's words.
    pub description: String,
    /// Its media type.
    pub mime_type: Option<String>,
    /// Its size in bytes, as the publisher says.
    pub size: Option<u64>,
    /// Where it is to be read, as published.
    pub uri: Option<String>,
    /// The content that the alert carries with it; only its size and hash are kept.
    pub embedded: Option<Embedded>,
    /// Its SHA-1 hash, as the publisher says.
    pub digest: Option<String>,
}

/// Content that an alert carries with it (`derefUri`), of which only this is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedded {
    /// Its size in bytes, decoded from base64.
    pub bytes: u64,
    /// Its SHA-256 hash.
    pub sha256: [u8; 32],
}

/// An XML signature that an alert carries. It is said to be there and is not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The algorithm by which it was signed, as a URI; empty if it names none.
    pub method: String,
    /// The algorithm by which what it covers was hashed, as a URI; empty if it names none.
    pub digest_method: String,
    /// Whether it carries a certificate.
    pub has_certificate: bool,
}

/// One area.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    /// The area in the publisher's words.
    pub description: String,
    /// Closed rings of latitude and longitude in degrees (WGS 84), at least four points each, the last equal to the first, no two sides crossing.
    pub polygons: Vec<Vec<(f64, f64)>>,
    /// Circles.
    pub circles: Vec<Circle>,
    /// Codes of the area in the publisher's code lists.
    pub geocodes: Vec<NamedValue>,
    /// The lowest height of the area, or the only one, in feet above mean sea level.
    pub altitude_ft: Option<f64>,
    /// The greatest height of the area in feet above mean sea level.
    pub ceiling_ft: Option<f64>,
}

/// A circle on the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circle {
    /// The latitude of the center in degrees.
    pub lat: f64,
    /// The longitude of the center in degrees.
    pub lon: f64,
    /// The radius in kilometers, zero or more.
    pub radius_km: f64,
}
