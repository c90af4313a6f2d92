//! The border zones that provinces share. It never guesses a zone from a point: membership is by kab/kota.

use crate::region;

/// A border zone: kab/kota of two provinces that work as one when something happens there.
#[derive(Debug, PartialEq, Eq)]
pub struct Zone {
    /// The id, `Z1`.
    pub id: &'static str,
    /// The name.
    pub name: &'static str,
    /// The codes of its kab/kota.
    pub regencies: &'static [&'static str],
}

// The membership is a suggestion of the field's reference, to be confirmed by the three provinces.
static ALL: [Zone; 3] = [
    Zone {
        id: "Z1",
        name: "Jakarta–Bekasi–Depok",
        regencies: &["31.72", "31.74", "31.75", "32.16", "32.75", "32.76"],
    },
    Zone {
        id: "Z2",
        name: "Jakarta–Tangerang–Tangsel",
        regencies: &["31.72", "31.73", "31.74", "36.03", "36.71", "36.74"],
    },
    Zone {
        id: "Z3",
        name: "Lebak–Sukabumi",
        regencies: &["32.02", "36.02"],
    },
];

impl Zone {
    /// Says whether the region lies in the zone: it is one of its kab/kota, or a kecamatan of one.
    pub fn contains(&self, region_code: &str) -> bool {
        self.regencies
            .iter()
            .any(|regency| region::within(region_code, regency))
    }

    /// Returns the codes of the provinces that share the zone, in order.
    pub fn provinces(&self) -> Vec<&'static str> {
        let mut provinces: Vec<_> = self
            .regencies
            .iter()
            .map(|code| region::province_of(code))
            .collect();
        provinces.sort_unstable();
        provinces.dedup();
        provinces
    }
}

/// Returns all zones in order of their ids.
pub fn all() -> &'static [Zone] {
    &ALL
}

/// Finds a zone by its id.
pub fn find(id: &str) -> Option<&'static Zone> {
    ALL.iter().find(|zone| zone.id == id)
}

/// Returns the zones of a region.
/// A whole province touches every zone of its kab/kota, since what befalls it reaches them.
pub fn of(region_code: &str) -> Vec<&'static Zone> {
    let touches = |zone: &&Zone| {
        zone.contains(region_code)
            || zone
                .regencies
                .iter()
                .any(|regency| region::within(regency, region_code))
    };
    ALL.iter().filter(touches).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(code: &str) -> Vec<&'static str> {
        of(code).into_iter().map(|zone| zone.id).collect()
    }

    #[test]
    fn a_place_lies_in_the_zones_of_its_kab_kota() {
        assert_eq!(ids("32.75"), ["Z1"]);
        assert_eq!(ids("32.75.01"), ["Z1"]);
        assert_eq!(ids("31.74"), ["Z1", "Z2"]);
        assert_eq!(ids("36.02.20"), ["Z3"]);
        assert_eq!(ids("32.03"), Vec::<&str>::new());
    }

    #[test]
    fn a_whole_province_touches_every_zone_of_its_kab_kota() {
        assert_eq!(ids("32"), ["Z1", "Z3"]);
        assert_eq!(ids("3"), Vec::<&str>::new());
    }

    #[test]
    fn every_zone_is_shared_by_two_provinces_and_names_known_kab_kota() {
        for zone in all() {
            assert_eq!(zone.provinces().len(), 2, "{}", zone.id);
            assert!(
                zone.regencies
                    .iter()
                    .all(|code| region::find(code).is_some()),
                "{}",
                zone.id
            );
        }
        assert_eq!(find("Z3").unwrap().provinces(), ["32", "36"]);
    }
}
