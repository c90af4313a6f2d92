//! Bulletins of BMKG's InaTEWS: an earthquake, or a warning of a tsunami for coasts with their levels.
//!
//! A bulletin repeats the earthquake and has an identifier of its own. So its rule is that of the event: `PD-2` replaces what
//! `PD-1` said of the same earthquake, the bulletin that ends the warning takes it back, and what was sent before changes
//! nothing. A bulletin without a warning is an earthquake as in the lists.
//! The severity is that of the gravest coast: Awas extreme, Siaga severe, Waspada moderate.

use chrono::{DateTime, SecondsFormat, Utc};
use posko_domain::{
    region::{self, Named, named_within},
    warning::{Said, locate},
};
use posko_formats::{
    Read,
    bmkg::{Bulletin, MAX_AHEAD, Stage, TsunamiArea, TsunamiLevel},
    cap::{MsgType, Status},
    quote,
};
use posko_proto::{
    common::v1::Hazard,
    warning::v1::{
        AlertStatus, Area, AreaReach, Certainty, Content, MessageKind, Severity, Source, Urgency,
    },
};

use crate::intake::{
    PUBLISHER, Province,
    alert::is_ours,
    earthquake::{self, facts_of, felt_of, is_near, status_by_words},
    wanted::{Effect, Judged, Wanted, millis, notes_of, shortened},
};

/// Judges a bulletin: to be taken, of other coasts, or refused.
pub(super) fn judge(
    read: &Read<Bulletin>,
    provinces: &[Province],
    radius_km: u32,
    now: DateTime<Utc>,
) -> Judged {
    let bulletin = &read.value;
    if bulletin.sent.signed_duration_since(now) > MAX_AHEAD {
        return Judged::Refused(format!(
            "bulletin `{}` of `{}` lies more than `5` minutes after now, `{}`",
            quote(&bulletin.identifier),
            bulletin.sent.to_rfc3339(),
            now.to_rfc3339()
        ));
    }
    let status = status_of(bulletin);
    if bulletin.stage == Stage::Earthquake && bulletin.msg_type != MsgType::Cancel {
        return match earthquake::judge(&bulletin.earthquake, &read.notes, radius_km, now) {
            Judged::Take(mut wanted) => {
                wanted.content.status = status.into();
                Judged::Take(wanted)
            }
            other => other,
        };
    }
    let content = content_of(read, status);
    let names_coasts = !bulletin.areas.is_empty();
    let is_kept = if names_coasts {
        is_ours(&content, provinces)
    } else {
        is_near(&bulletin.earthquake, radius_km)
    };
    if !is_kept {
        return Judged::Outside;
    }
    let ends = bulletin.stage == Stage::Ended || bulletin.msg_type == MsgType::Cancel;
    if ends && status != AlertStatus::Actual {
        return Judged::Nothing("a test or an exercise takes back nothing real".into());
    }
    let effect = if ends {
        Effect::EndEvent
    } else {
        Effect::Event
    };
    let at = bulletin.earthquake.origin_time;
    let identifier = format!("inatews/{}", at.to_rfc3339_opts(SecondsFormat::Secs, true));
    Judged::of(Wanted::of(
        Source::BmkgTsunami,
        PUBLISHER,
        identifier,
        content,
        effect,
    ))
}

fn content_of(read: &Read<Bulletin>, status: AlertStatus) -> Content {
    let bulletin = &read.value;
    let gravest = bulletin.areas.iter().map(|area| area.level).max();
    let severity = match gravest {
        Some(TsunamiLevel::Awas) | None => Severity::Extreme,
        Some(TsunamiLevel::Siaga) => Severity::Severe,
        Some(TsunamiLevel::Waspada) => Severity::Moderate,
    };
    let mut notes = notes_of(&read.notes);
    notes.push(posko_proto::warning::v1::Note {
        kind: posko_proto::warning::v1::NoteKind::Remark.into(),
        path: "identifier".into(),
        count: 1,
        text: format!("the bulletin is `{}`", shortened(&bulletin.identifier, 200)),
    });
    let mut areas: Vec<Area> = bulletin.areas.iter().map(area_of).collect();
    if areas.is_empty() {
        areas.push(Area {
            description: bulletin.earthquake.region.clone(),
            reach: AreaReach::Unknown.into(),
            ..Area::default()
        });
    }
    Content {
        status: status.into(),
        hazard: Hazard::Tsunami.into(),
        severity: severity.into(),
        urgency: Urgency::Immediate.into(),
        certainty: Certainty::Likely.into(),
        sent_at: Some(millis(&bulletin.sent).into()),
        headline: shortened(&bulletin.headline, 500),
        description: bulletin.description.clone().unwrap_or_default(),
        instruction: bulletin.instruction.clone().unwrap_or_default(),
        language: "id".into(),
        areas,
        earthquake: Some(facts_of(&bulletin.earthquake)),
        event: shortened(&bulletin.subject, 500),
        message_kind: match bulletin.msg_type {
            MsgType::Update => MessageKind::Update,
            MsgType::Alert | MsgType::Cancel | MsgType::Ack | MsgType::Error => MessageKind::Alert,
        }
        .into(),
        felt_places: felt_of(&bulletin.earthquake),
        notes,
        code_set: region::CODE_SET.into(),
        ..Content::default()
    }
}

/// Returns one coast; `Pandeglang bagian Selatan` is a part of Pandeglang.
fn area_of(coast: &TsunamiArea) -> Area {
    let level = match coast.level {
        TsunamiLevel::Waspada => "Waspada",
        TsunamiLevel::Siaga => "Siaga",
        TsunamiLevel::Awas => "Awas",
    };
    let mut area = Area {
        description: format!("{}, {}", coast.district, coast.province),
        arrival_at: Some(millis(&coast.arrival).into()),
        level: level.into(),
        ..Area::default()
    };
    match named_within(&coast.province, "") {
        Named::One(province) if province.code.len() == 2 => {
            let lower = coast.district.to_lowercase();
            let name = match lower.find(" bagian ") {
                Some(at) => coast.district.get(..at).unwrap_or(&coast.district),
                None => &coast.district,
            };
            locate(
                &mut area,
                &Said {
                    province: Some(province.code),
                    names: vec![(name.to_owned(), None)],
                },
            );
            let is_part = name.len() < coast.district.len();
            for found in &mut area.regions {
                // A coast is a part of what it is named after in any case; of one that is named as a part, surely.
                found.partly = true;
                if is_part {
                    found.covered_permille = 0;
                }
            }
        }
        _ => area.reach = AreaReach::Outside.into(),
    }
    area
}

/// Returns the status, which is not real as soon as the bulletin's own words say so: BMKG has published such ones.
fn status_of(bulletin: &Bulletin) -> AlertStatus {
    let said = [
        Some(bulletin.headline.as_str()),
        Some(bulletin.earthquake.region.as_str()),
        bulletin.description.as_deref(),
        bulletin.instruction.as_deref(),
    ];
    match bulletin.status {
        Status::Actual => said
            .into_iter()
            .flatten()
            .map(status_by_words)
            .find(|status| *status != AlertStatus::Actual)
            .unwrap_or(AlertStatus::Actual),
        Status::Exercise => AlertStatus::Exercise,
        Status::System => AlertStatus::System,
        Status::Test => AlertStatus::Test,
        Status::Draft => AlertStatus::Draft,
    }
}
