//! The kinds of hazard with their Indonesian and English names and GLIDE codes. A GLIDE number is stored, never minted.

use posko_proto::common::v1::Hazard;

/// A hazard's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The hazard.
    pub hazard: Hazard,
    /// The name that people type, `flash_flood`.
    pub name: &'static str,
    /// The name in Bahasa Indonesia.
    pub indonesian: &'static str,
    /// The name in English.
    pub english: &'static str,
    /// The GLIDE code, two letters; the first where GLIDE has two.
    pub glide: &'static str,
}

/// Every hazard that may be recorded, in the contract's order.
pub const ALL: [Label; 19] = [
    label(Hazard::Flood, "flood", "Banjir", "Flood", "FL"),
    label(
        Hazard::FlashFlood,
        "flash_flood",
        "Banjir bandang",
        "Flash flood",
        "FF",
    ),
    label(
        Hazard::CoastalFlood,
        "coastal_flood",
        "Banjir rob",
        "Coastal flood",
        "FL",
    ),
    label(
        Hazard::Landslide,
        "landslide",
        "Tanah longsor",
        "Landslide",
        "LS",
    ),
    label(
        Hazard::Earthquake,
        "earthquake",
        "Gempa bumi",
        "Earthquake",
        "EQ",
    ),
    label(Hazard::Tsunami, "tsunami", "Tsunami", "Tsunami", "TS"),
    label(
        Hazard::Volcano,
        "volcano",
        "Erupsi gunung api",
        "Volcanic eruption",
        "VO",
    ),
    // GLIDE has TO beside it for a tornado (puting beliung); one kind here covers both.
    label(
        Hazard::ExtremeWind,
        "extreme_wind",
        "Angin kencang / puting beliung",
        "Extreme wind",
        "VW",
    ),
    label(
        Hazard::StormSurge,
        "storm_surge",
        "Gelombang pasang / abrasi",
        "Storm surge",
        "SS",
    ),
    label(Hazard::Drought, "drought", "Kekeringan", "Drought", "DR"),
    label(
        Hazard::Wildfire,
        "wildfire",
        "Kebakaran hutan dan lahan",
        "Wildfire",
        "WF",
    ),
    label(
        Hazard::UrbanFire,
        "urban_fire",
        "Kebakaran permukiman",
        "Urban fire",
        "FR",
    ),
    label(
        Hazard::Epidemic,
        "epidemic",
        "Wabah / KLB",
        "Epidemic",
        "EP",
    ),
    label(
        Hazard::Industrial,
        "industrial",
        "Kegagalan teknologi",
        "Industrial accident",
        "AC",
    ),
    label(
        Hazard::Transport,
        "transport",
        "Kecelakaan transportasi",
        "Transport accident",
        "AC",
    ),
    label(
        Hazard::Building,
        "building",
        "Bangunan runtuh",
        "Building collapse",
        "OT",
    ),
    label(
        Hazard::SocialConflict,
        "social_conflict",
        "Konflik sosial",
        "Social conflict",
        "CE",
    ),
    label(
        Hazard::Population,
        "population",
        "Pengungsian",
        "Population movement",
        "CE",
    ),
    label(
        Hazard::ExtremeRain,
        "extreme_rain",
        "Hujan lebat",
        "Extreme rain",
        "ST",
    ),
];

const UNSPECIFIED: Label = label(
    Hazard::Unspecified,
    "unspecified",
    "Tidak diketahui",
    "Unknown",
    "OT",
);

const fn label(
    hazard: Hazard,
    name: &'static str,
    indonesian: &'static str,
    english: &'static str,
    glide: &'static str,
) -> Label {
    Label {
        hazard,
        name,
        indonesian,
        english,
        glide,
    }
}

/// How a hazard comes, which decides whether siaga darurat can be declared for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onset {
    /// It builds up over days or longer, and is warned of meanwhile.
    Slow,
    /// It strikes within minutes, in weather that is forecast.
    Weather,
    /// It strikes without warning.
    Sudden,
}

/// Returns how a hazard comes. Siaga darurat is of slow-onset hazards only (domain reference 3.2); which those are, no
/// law lists: BNPB's guide of 2016 counts drought, wildfire, volcanoes, floods and epidemics among them. Landslides,
/// flash floods and strong winds are sudden, and stand in the provinces' yearly decrees beside the floods.
pub fn onset(hazard: Hazard) -> Onset {
    match hazard {
        Hazard::Flood
        | Hazard::CoastalFlood
        | Hazard::StormSurge
        | Hazard::Drought
        | Hazard::Wildfire
        | Hazard::Volcano
        | Hazard::Epidemic
        | Hazard::Population
        | Hazard::ExtremeRain => Onset::Slow,
        Hazard::FlashFlood | Hazard::Landslide | Hazard::ExtremeWind => Onset::Weather,
        Hazard::Unspecified
        | Hazard::Earthquake
        | Hazard::Tsunami
        | Hazard::UrbanFire
        | Hazard::Industrial
        | Hazard::Transport
        | Hazard::Building
        | Hazard::SocialConflict => Onset::Sudden,
    }
}

/// Returns the hazard's names; "unknown" for one that this version does not know.
pub fn of(hazard: Hazard) -> Label {
    ALL.into_iter()
        .find(|label| label.hazard == hazard)
        .unwrap_or(UNSPECIFIED)
}

/// Returns the Indonesian name.
pub fn indonesian(hazard: Hazard) -> &'static str {
    of(hazard).indonesian
}

/// Returns the English name.
pub fn english(hazard: Hazard) -> &'static str {
    of(hazard).english
}

/// Returns the GLIDE code.
pub fn glide(hazard: Hazard) -> &'static str {
    of(hazard).glide
}

/// Finds a hazard by the name that people type, with `-`, `_` or a blank, or by its Indonesian or English name.
pub fn find(name: &str) -> Option<Hazard> {
    let wanted = name.trim().to_lowercase().replace([' ', '-'], "_");
    let matches = |text: &str| text.to_lowercase().replace([' ', '-'], "_") == wanted;
    let found = ALL.into_iter().find(|label| {
        [label.name, label.indonesian, label.english]
            .into_iter()
            .any(matches)
    });
    found.map(|label| label.hazard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hazard_of_the_contract_but_zero_has_a_label() {
        for number in 1..=19 {
            let hazard = Hazard::try_from(number).unwrap();
            assert_eq!(of(hazard).hazard, hazard);
            assert_eq!(find(of(hazard).name), Some(hazard));
        }
        assert!(Hazard::try_from(20).is_err(), "a new hazard needs a label");
    }

    #[test]
    fn a_hazard_is_found_by_any_of_its_names() {
        assert_eq!(find("Banjir bandang"), Some(Hazard::FlashFlood));
        assert_eq!(find("flash-flood"), Some(Hazard::FlashFlood));
        assert_eq!(find("hurricane"), None);
        assert_eq!(glide(Hazard::Earthquake), "EQ");
    }
}
