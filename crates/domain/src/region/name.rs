//! From a name in prose to the region that it names. A name that fits several places is given with all of them.

use std::sync::LazyLock;

use crate::region::{self, Region, all, bare, plain, within};

/// What a name stands for within an area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// One place.
    One(&'static Region),
    /// Several places, in order of their codes: nobody can know which.
    Several(Vec<&'static Region>),
    /// No place of the area that is known here.
    Unknown,
}

/// What else the provinces are called, squeezed.
const PROVINCES: [(&str, &str); 5] = [
    ("jakarta", "31"),
    ("dkijakarta", "31"),
    ("dkjakarta", "31"),
    ("jabar", "32"),
    ("westjava", "32"),
];

/// The names of [`all`] regions in its order, squeezed: with the kind of the region before it and without.
static SQUEEZED: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let names = all().iter().map(|region| plain(region.name));
    names
        .map(|full| (squeezed(&full), squeezed(bare(&full))))
        .collect()
});

/// Finds what a name stands for among the regions of an area: a province, a kab/kota, or all three provinces when empty.
///
/// Blanks, hyphens and case do not matter: publishers write `Curug Bitung` and `CURUGBITUNG`.
/// `Kab.`, `Kota` and `Kec.` before it say which kind is meant.
/// A name that is a kab/kota's and that of kecamatan in it alone is read as the kab/kota, which is right either way.
pub fn named_within(name: &str, area: &str) -> Named {
    let lower = plain(name);
    let (wanted, of_kecamatan) = match lower
        .strip_prefix("kecamatan ")
        .or_else(|| lower.strip_prefix("kec. "))
        .or_else(|| lower.strip_prefix("kec "))
    {
        Some(rest) => (squeezed(rest), true),
        None => (squeezed(&lower), false),
    };
    if wanted.is_empty() {
        return Named::Unknown;
    }
    let alias = PROVINCES.iter().find(|(alias, _)| *alias == wanted);
    let fits = |region: &Region, (full, bare): &(String, String)| {
        if of_kecamatan && region.code.len() != 8 {
            return false;
        }
        let is_alias = !of_kecamatan && alias.is_some_and(|(_, code)| *code == region.code);
        is_alias || full == &wanted || bare == &wanted
    };
    let inside = |region: &Region| area.is_empty() || within(region.code, area);
    let found: Vec<&'static Region> = all()
        .iter()
        .zip(SQUEEZED.iter())
        .filter(|(region, names)| inside(region) && fits(region, names))
        .map(|(region, _)| region)
        .collect();
    let widest = found.iter().copied().min_by_key(|region| region.code.len());
    match (found.as_slice(), widest) {
        ([], _) | (_, None) => Named::Unknown,
        ([one], _) => Named::One(one),
        (several, Some(widest)) => {
            if several
                .iter()
                .all(|region| region::within(region.code, widest.code))
            {
                Named::One(widest)
            } else {
                Named::Several(found)
            }
        }
    }
}

/// Returns a plain name without blanks and marks.
fn squeezed(plain: &str) -> String {
    plain.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, area: &str) -> Vec<&'static str> {
        match named_within(name, area) {
            Named::One(region) => vec![region.code],
            Named::Several(regions) => {
                assert!(regions.len() > 1);
                regions.iter().map(|region| region.code).collect()
            }
            Named::Unknown => Vec::new(),
        }
    }

    #[test]
    fn a_name_is_found_however_it_is_written() {
        for name in [
            "Curug Bitung",
            "CURUGBITUNG",
            "curug-bitung",
            "Kec. Curugbitung",
        ] {
            assert_eq!(named(name, "36"), ["36.02.23"], "{name}");
        }
        assert_eq!(named("Kab. Lebak", ""), ["36.02"]);
        assert_eq!(named("KOTA SERANG", "36"), ["36.73"]);
        assert_eq!(named("Jakarta", ""), ["31"]);
    }

    #[test]
    fn a_name_that_fits_several_places_is_given_with_all_of_them() {
        assert!(named("Cibitung", "32").len() > 1);
        assert_eq!(named("Bandung", "32"), ["32.04", "32.73"]);
        assert_eq!(
            named("Cibitung", "32.16").len(),
            1,
            "its kab/kota says which"
        );
        assert!(
            named("Atlantis", "").is_empty()
                && named("", "").is_empty()
                && named(" .", "").is_empty()
        );
    }

    #[test]
    fn a_kab_kota_with_a_kecamatan_of_its_own_name_is_the_kab_kota() {
        assert_eq!(named("Cianjur", ""), ["32.03"]);
        assert_eq!(named("Kec. Cianjur", ""), ["32.03.01"]);
        assert_eq!(
            named("Purwakarta", "36").len(),
            1,
            "the kecamatan of Cilegon"
        );
        assert!(named("Purwakarta", "").len() > 1, "that, and the kabupaten");
    }
}
