//! Whom a warning reaches: kab/kota, border zones, and how many people live there.

use std::collections::{BTreeMap, BTreeSet};

use posko_proto::warning::v1::{AreaReach, Content, FoundBy};

use crate::{
    region::{self, Region},
    zone::{self, Zone},
};

/// A kab/kota that a warning reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegencyReach {
    /// The kab/kota.
    pub region: &'static Region,
    /// Whether only a part of it is reached, as far as that can be told.
    pub partly: bool,
    /// How many people live in all of it, by [`region::POPULATION_SOURCE`].
    pub population: u64,
    /// The codes of the kecamatan that are reached, when not all are.
    pub kecamatan: Vec<&'static str>,
}

/// Whom a warning reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The kab/kota, in order of their codes.
    pub regencies: Vec<RegencyReach>,
    /// The border zones, in order of their ids.
    pub zones: Vec<&'static Zone>,
    /// How many people live in these kab/kota.
    pub population: u64,
    /// Whether fewer may be reached, since a kab/kota is reached partly.
    pub at_most: bool,
    /// Whether the warning touches the three provinces at all.
    pub area: AreaReach,
}

/// What is known of a kab/kota while the areas are gone through.
#[derive(Default)]
struct Parts {
    is_whole: bool,
    kecamatan: BTreeSet<&'static str>,
}

/// Returns whom a warning reaches: what its areas touch, and where an earthquake was felt.
///
/// The kab/kota nearest to an epicenter at sea is not reached by that alone.
pub fn reach(content: &Content) -> Reach {
    let mut parts: BTreeMap<&'static str, Parts> = BTreeMap::new();
    for area in &content.areas {
        for code in &area.region_codes {
            let found = area.regions.iter().find(|found| found.region_code == *code);
            let is_near_only =
                found.is_some_and(|found| found.found_by == [i32::from(FoundBy::Nearest)]);
            if let Some(region) = region::find(code).filter(|_| !is_near_only) {
                add(&mut parts, region, found.is_none_or(|found| !found.partly));
            }
        }
    }
    for place in &content.felt_places {
        if let Some(region) = region::find(&place.region_code) {
            // A place stands for the town of that name: how far around it was felt nobody says.
            add(&mut parts, region, false);
        }
    }

    let regencies: Vec<RegencyReach> = parts
        .into_iter()
        .filter_map(|(code, parts)| {
            Some(RegencyReach {
                region: region::find(code)?,
                partly: !parts.is_whole,
                population: region::population(code).map_or(0, region::Population::total),
                kecamatan: if parts.is_whole {
                    Vec::new()
                } else {
                    parts.kecamatan.into_iter().collect()
                },
            })
        })
        .collect();
    let mut zones: Vec<&'static Zone> = regencies
        .iter()
        .flat_map(|regency| zone::of(regency.region.code))
        .collect();
    zones.sort_by_key(|zone| zone.id);
    zones.dedup();
    Reach {
        population: regencies.iter().map(|regency| regency.population).sum(),
        at_most: regencies.iter().any(|regency| regency.partly),
        area: area_reach(content, !regencies.is_empty()),
        zones,
        regencies,
    }
}

fn add(parts: &mut BTreeMap<&'static str, Parts>, region: &'static Region, is_whole: bool) {
    let regencies = region::all()
        .iter()
        .filter(|regency| regency.code.len() == 5);
    let touched = regencies.filter(|regency| {
        region::within(regency.code, region.code) || region::within(region.code, regency.code)
    });
    for regency in touched {
        let entry = parts.entry(regency.code).or_default();
        let is_below = region.code.len() > regency.code.len();
        entry.is_whole |= is_whole && !is_below;
        if is_below {
            entry.kecamatan.insert(region.code);
        }
    }
}

fn area_reach(content: &Content, reaches: bool) -> AreaReach {
    let any = |wanted: AreaReach| content.areas.iter().any(|area| area.reach() == wanted);
    if reaches {
        AreaReach::Regions
    } else if any(AreaReach::Unspecified) {
        AreaReach::Unspecified
    } else if any(AreaReach::Unknown) || content.areas.is_empty() {
        AreaReach::Unknown
    } else {
        AreaReach::Outside
    }
}
