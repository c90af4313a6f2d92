//! The legal status of an emergency (Status Keadaan Darurat Bencana), as an authority declared it and PMI notes it.
//!
//! What it never does: name the person who holds an office, or say from a clock what has expired: who reads does that.
//!
//! The rules of a chain of declarations:
//! - a status holds for a fixed time, from its begin until its end, for a year at most;
//! - an extension has the status, the level and the authority of what it extends; another of them is declared anew;
//! - an extension begins at the moment at which what it extends ends, neither before nor after;
//! - a status ends early with all of its extensions, whichever of its declarations is named;
//! - what was ended early is not extended, and nothing is extended twice;
//! - one decree of an authority is noted once.

use posko_proto::{
    Id,
    common::v1::Hazard,
    incident::v1::{
        EmergencyLevel, EmergencyState, EmergencyStatus, IncidentEmergencyDeclared, Office,
    },
    time::Millis,
};
use prost_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    hazard::{Onset, onset},
    incident::{
        IncidentRejection,
        aim::{named, put},
        command::given,
        rule,
    },
    privacy,
    region::{self, PlaceError},
    wire,
};

/// The most declarations of one incident.
pub const MOST_EMERGENCIES: usize = 200;
/// The longest time for which a status is declared at once, in seconds: a year. Longer ones are mistyped dates.
const LONGEST_SECONDS: i64 = 366 * 86_400;
const DECREE_CHARACTERS: usize = 80;

/// A declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emergency {
    /// Its id.
    pub id: Id,
    /// What was declared.
    #[serde(with = "wire::message")]
    pub declared: IncidentEmergencyDeclared,
    /// When it begins to hold.
    pub from: Millis,
    /// The first moment at which it holds no more.
    pub until: Millis,
    /// The declaration that it extends.
    pub extends: Option<Id>,
    /// When it was ended before its end.
    pub ended_at: Option<Millis>,
}

impl Emergency {
    /// Returns where it stands at that moment.
    pub fn state(&self, now: Millis) -> EmergencyState {
        if self.ended_at.is_some_and(|ended| ended <= now) {
            EmergencyState::Ended
        } else if now >= self.until {
            EmergencyState::Expired
        } else if now >= self.from {
            EmergencyState::InForce
        } else {
            EmergencyState::Coming
        }
    }
}

/// Returns the declaration that extends this one.
pub fn extended_by(emergencies: &[Emergency], id: Id) -> Option<Id> {
    let extension = emergencies.iter().find(|held| held.extends == Some(id));
    extension.map(|extension| extension.id)
}

/// Reads a day such as `2026-01-05`, and returns its begin in Waktu Indonesia Barat (UTC+7).
pub(super) fn day(text: &str) -> Option<Millis> {
    let digits_and_hyphens = text.len() == 10
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
    let midnight: Timestamp = digits_and_hyphens
        .then(|| format!("{text}T00:00:00+07:00").parse().ok())
        .flatten()?;
    Millis::try_from(&midnight).ok()
}

/// Checks at the door what does not depend on what was declared before.
pub(super) fn checked(
    said: IncidentEmergencyDeclared,
) -> Result<IncidentEmergencyDeclared, IncidentRejection> {
    let status: EmergencyStatus = given("declare_emergency.status", said.status)?;
    let level: EmergencyLevel = given("declare_emergency.level", said.level)?;
    let authority: Office = given("declare_emergency.authority", said.authority)?;
    decree(&said)?;
    hazards(&said, status)?;
    areas(&said, level)?;
    office(&said, (status, level, authority))?;
    if !matches!(said.document_sha256.len(), 0 | 32) {
        return Err(IncidentRejection::invalid(
            "declare_emergency.document_sha256",
            format!("{} bytes", said.document_sha256.len()),
            "a SHA-256 of 32 bytes",
        ));
    }
    if said.extends.is_empty() {
        rule::time("declare_emergency.from", said.from.as_ref())?;
    } else {
        rule::id("declare_emergency.extends", &said.extends)?;
    }
    rule::time("declare_emergency.until", said.until.as_ref())?;
    Ok(said)
}

/// A decree's number is no place for a name: it is letters, digits and a few marks, with a digit among them.
fn decree(said: &IncidentEmergencyDeclared) -> Result<(), IncidentRejection> {
    const NUMBER: &str = "declare_emergency.decree_number";
    let number = said.decree_number.as_str();
    let fits = |c: char| c.is_ascii_alphanumeric() || " ./-()".contains(c);
    let length = number.chars().count();
    if !(1..=DECREE_CHARACTERS).contains(&length)
        || !number.chars().all(fits)
        || !number.bytes().any(|byte| byte.is_ascii_digit())
        || number.trim() != number
    {
        let expected = "1 to 80 letters, digits and `. / - ( )`, such as 360/Kep.12-BPBD/2026";
        return Err(IncidentRejection::invalid(NUMBER, number, expected));
    }
    if !privacy::findings(number).is_empty() {
        // What looks personal is not repeated.
        let expected = "a decree's number without a telephone number or a NIK";
        return Err(IncidentRejection::invalid(NUMBER, "…", expected));
    }
    if day(&said.decree_date).is_none() {
        return Err(IncidentRejection::invalid(
            "declare_emergency.decree_date",
            &said.decree_date,
            "the day of the decree such as 2026-01-05",
        ));
    }
    Ok(())
}

/// Siaga darurat is of what builds up: a sudden hazard is never on alert by decree, and weather's sudden ones only
/// beside a slow one, as in the yearly decrees on floods and landslides.
fn hazards(
    said: &IncidentEmergencyDeclared,
    status: EmergencyStatus,
) -> Result<(), IncidentRejection> {
    const FIELD: &str = "declare_emergency.hazards";
    let mut named = Vec::new();
    for number in &said.hazards {
        let hazard: Hazard = given(FIELD, *number)?;
        if named.contains(&hazard) {
            let expected = "each hazard may stand once";
            return Err(IncidentRejection::invalid(
                FIELD,
                hazard.as_str_name(),
                expected,
            ));
        }
        named.push(hazard);
    }
    if named.is_empty() {
        return Err(IncidentRejection::invalid(
            FIELD,
            "",
            "at least one hazard is needed",
        ));
    }
    if status != EmergencyStatus::Alert {
        return Ok(());
    }
    let of = |wanted: Onset| named.iter().find(|hazard| onset(**hazard) == wanted);
    let refused = of(Onset::Sudden).or_else(|| match of(Onset::Slow) {
        Some(_) => None,
        None => named.first(),
    });
    match refused {
        Some(hazard) => Err(IncidentRejection::invalid(
            FIELD,
            hazard.as_str_name(),
            "siaga darurat is declared for slow-onset hazards only: what has struck is tanggap darurat",
        )),
        None => Ok(()),
    }
}

/// A kab/kota declares for itself, a province for its parts, the nation for all.
fn areas(said: &IncidentEmergencyDeclared, level: EmergencyLevel) -> Result<(), IncidentRejection> {
    const FIELD: &str = "declare_emergency.region_codes";
    let mut jurisdiction = None;
    for code in &said.region_codes {
        let region = region::parse(code).map_err(|source| PlaceError::Unknown {
            field: FIELD,
            source,
        })?;
        let of = match level {
            EmergencyLevel::Regency => region::regency_of(region.code).map(|found| found.code),
            EmergencyLevel::Province => Some(region.province()),
            EmergencyLevel::National | EmergencyLevel::Unspecified => Some(""),
        };
        let expected =
            "a status of a kab/kota holds in one kab/kota, of a province in one province";
        let of = of.ok_or_else(|| IncidentRejection::invalid(FIELD, code, expected))?;
        if *jurisdiction.get_or_insert(of) != of {
            return Err(IncidentRejection::invalid(FIELD, code, expected));
        }
    }
    if said.region_codes.is_empty() {
        return Err(IncidentRejection::invalid(
            FIELD,
            "",
            "at least one area is needed",
        ));
    }
    Ok(())
}

/// Bupati, wali kota, gubernur and presiden declare for their level (domain reference 3.2); kepala BNPB declares
/// keadaan tertentu (Perpres 17/2018).
fn office(
    said: &IncidentEmergencyDeclared,
    (status, level, authority): (EmergencyStatus, EmergencyLevel, Office),
) -> Result<(), IncidentRejection> {
    // Kabupaten are numbered from 01, kota from 71.
    let is_kota = |code: &String| code.get(3..5).is_some_and(|number| number >= "71");
    let kota = said.region_codes.iter().any(is_kota);
    let fits = match level {
        EmergencyLevel::Regency if kota => authority == Office::Mayor,
        EmergencyLevel::Regency => authority == Office::Regent,
        EmergencyLevel::Province => authority == Office::Governor,
        EmergencyLevel::National => {
            authority == Office::President
                || (authority == Office::Bnpb && status == EmergencyStatus::CertainCondition)
        }
        EmergencyLevel::Unspecified => false,
    };
    if fits {
        return Ok(());
    }
    Err(IncidentRejection::invalid(
        "declare_emergency.authority",
        authority.as_str_name(),
        "the office of that level: bupati of a kabupaten, wali kota of a kota, gubernur of a province, presiden of \
         the nation, or kepala BNPB for keadaan tertentu",
    ))
}

/// Returns the declaration with the begin that an extension has when none is given.
pub(super) fn begun(
    said: &IncidentEmergencyDeclared,
    emergencies: &[Emergency],
) -> IncidentEmergencyDeclared {
    let extended = emergencies
        .iter()
        .find(|held| held.id.as_bytes() == said.extends.as_slice());
    IncidentEmergencyDeclared {
        from: said.from.or(extended.map(|held| held.until.into())),
        ..said.clone()
    }
}

/// Notes a declaration, or notes it anew: the chain that it stands in must hold as before.
pub(super) fn declare(
    emergencies: &mut Vec<Emergency>,
    said: &IncidentEmergencyDeclared,
    province: &str,
) -> Result<(), IncidentRejection> {
    let from = rule::time("declare_emergency.from", said.from.as_ref())?;
    let until = rule::time("declare_emergency.until", said.until.as_ref())?;
    if until <= from {
        return Err(IncidentRejection::Before {
            what: "the end of the status",
            at: until,
            other: "its begin",
            other_at: from,
        });
    }
    if until > from.plus_seconds(LONGEST_SECONDS) {
        return Err(IncidentRejection::invalid(
            "declare_emergency.until",
            wire::shown(until),
            "an end at most 366 days after the begin",
        ));
    }
    let foreign = |code: &&String| !region::within(code, province);
    let own_level = said.level() != EmergencyLevel::National;
    if let Some(code) = said.region_codes.iter().find(foreign).filter(|_| own_level) {
        return Err(IncidentRejection::invalid(
            "declare_emergency.region_codes",
            code,
            "a place within the incident's province",
        ));
    }
    let emergency = Emergency {
        id: rule::id("declare_emergency.declaration_id", &said.declaration_id)?,
        declared: said.clone(),
        from,
        until,
        extends: rule::optional_id("declare_emergency.extends", &said.extends)?,
        ended_at: None,
    };
    let decree = |held: &Emergency| (held.declared.authority, held.declared.decree_number.clone());
    let same = |held: &&Emergency| held.id != emergency.id && decree(held) == decree(&emergency);
    if let Some(same) = emergencies.iter().find(same) {
        return Err(IncidentRejection::Holds {
            what: "declaration of that decree",
            name: same.id.to_string(),
        });
    }
    let other = |held: &&Emergency| {
        emergency.extends.is_some() && held.extends == emergency.extends && held.id != emergency.id
    };
    if let Some(other) = emergencies.iter().find(other) {
        return Err(IncidentRejection::Holds {
            what: "extension of the declaration",
            name: other.id.to_string(),
        });
    }
    put(
        emergencies,
        ("declarations", MOST_EMERGENCIES),
        emergency,
        |held| held.id,
    )?;
    let extensions = emergencies.iter().filter(|held| held.extends.is_some());
    extensions
        .into_iter()
        .try_for_each(|held| follows(held, emergencies))
}

fn follows(extension: &Emergency, all: &[Emergency]) -> Result<(), IncidentRejection> {
    const BEGIN: &str = "the extension's begin";
    const END: &str = "the end of what it extends";
    let Some(id) = extension.extends else {
        return Ok(());
    };
    let extended = all.iter().find(|held| held.id == id);
    let extended = extended.ok_or_else(|| IncidentRejection::NotThere {
        what: "declaration",
        name: id.to_string(),
    })?;
    let kind = |held: &Emergency| {
        let said = &held.declared;
        (said.status, said.level, said.authority)
    };
    if kind(extension) != kind(extended) {
        return Err(IncidentRejection::invalid(
            "declare_emergency.extends",
            id,
            "an extension has the status, the level and the authority of what it extends",
        ));
    }
    // What ended with its extension stays as it was.
    if let Some(ended) = extended.ended_at.filter(|_| extension.ended_at.is_none()) {
        return Err(IncidentRejection::Holds {
            what: "early end of what it extends",
            name: wire::shown(ended),
        });
    }
    rule::not_before(BEGIN, extension.from, END, extended.until)?;
    rule::not_before(END, extended.until, BEGIN, extension.from)
}

/// Ends a status before its end, once: it and its extensions are one status, which ends as a whole, whichever of its
/// declarations is named.
pub(super) fn end(
    emergencies: &mut [Emergency],
    declaration: &[u8],
    at: Millis,
) -> Result<(), IncidentRejection> {
    let id = rule::id("end_emergency.declaration_id", declaration)?;
    named(emergencies, "declaration", id, |held: &Emergency| held.id)?;
    let run = run_of(emergencies, id);
    let within = |held: &&Emergency| run.contains(&held.id);
    let Some(last) = emergencies
        .iter()
        .filter(within)
        .max_by_key(|held| held.until)
    else {
        return Ok(());
    };
    let (last, ended, until) = (last.id, last.ended_at, last.until);
    if let Some(ended) = ended {
        return Err(IncidentRejection::Holds {
            what: "early end of the declaration",
            name: wire::shown(ended),
        });
    }
    let from = emergencies
        .iter()
        .filter(within)
        .map(|held| held.from)
        .min();
    let from = from.unwrap_or(at);
    rule::not_before("the early end", at, "the begin of the status", from)?;
    rule::not_before("the end of the status", until, "the early end", at)?;
    for held in emergencies.iter_mut().filter(|held| run.contains(&held.id)) {
        if held.until > at || held.id == last {
            held.ended_at = Some(at);
        }
    }
    Ok(())
}

/// Returns a declaration, what it extends and what extends it, as far as that goes.
fn run_of(emergencies: &[Emergency], id: Id) -> Vec<Id> {
    let mut run = vec![id];
    while let Some(next) = emergencies.iter().find(|held| {
        let touches =
            |id: &Id| held.extends == Some(*id) || extends(emergencies, *id) == Some(held.id);
        !run.contains(&held.id) && run.iter().any(touches)
    }) {
        run.push(next.id);
    }
    run
}

fn extends(emergencies: &[Emergency], id: Id) -> Option<Id> {
    let held = emergencies.iter().find(|held| held.id == id);
    held.and_then(|held| held.extends)
}
