//! The provinces whose warnings are kept, by the names that BMKG gives them.

/// A province of the federation's region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Province {
    /// Daerah Khusus Ibukota Jakarta, 31.
    Jakarta,
    /// Jawa Barat, 32.
    JawaBarat,
    /// Banten, 36.
    Banten,
}

/// What else a province is called, in lower case.
const ALIASES: &[(&str, Province)] = &[
    ("daerah khusus ibukota jakarta", Province::Jakarta),
    ("daerah khusus jakarta", Province::Jakarta),
    ("dki jakarta", Province::Jakarta),
    ("dk jakarta", Province::Jakarta),
    ("jakarta", Province::Jakarta),
    ("jawa barat", Province::JawaBarat),
    ("west java", Province::JawaBarat),
    ("banten", Province::Banten),
];

/// The other 35 provinces of Indonesia as BMKG's titles name them, in lower case, with the English names of some.
const OTHERS: &[&str] = &[
    "aceh",
    "sumatera utara",
    "north sumatra",
    "sumatera barat",
    "west sumatra",
    "riau",
    "jambi",
    "sumatera selatan",
    "south sumatra",
    "bengkulu",
    "lampung",
    "bangka belitung",
    "jawa tengah",
    "central java",
    "yogyakarta",
    "jawa timur",
    "east java",
    "bali",
    "nusa tenggara",
    "kalimantan",
    "sulawesi",
    "gorontalo",
    "maluku",
    "papua",
];

impl Province {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Jakarta, Self::JawaBarat, Self::Banten];

    /// Returns the Kemendagri code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Jakarta => "31",
            Self::JawaBarat => "32",
            Self::Banten => "36",
        }
    }

    /// Returns the name by which BMKG's alerts call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jakarta => "DKI Jakarta",
            Self::JawaBarat => "Jawa Barat",
            Self::Banten => "Banten",
        }
    }

    /// Finds a province by one of its names in Bahasa Indonesia or English, in any case.
    pub fn find(name: &str) -> Option<Self> {
        let wanted = name
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase();
        ALIASES
            .iter()
            .find(|(alias, _)| *alias == wanted)
            .map(|(_, province)| *province)
    }
}

/// What a headline says of where it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mention {
    /// It names this province of ours.
    Ours(Province),
    /// It names a province that is none of ours.
    Other,
    /// It names none that is known: only the alert itself can say.
    Unclear,
}

/// Reads where a headline is about, such as `Hujan Lebat disertai Petir di Banten`.
pub(super) fn mentioned(headline: &str) -> Mention {
    let headline = headline.to_lowercase();
    let ours: Vec<_> = Province::ALL
        .into_iter()
        .filter(|province| names(&headline, *province))
        .collect();
    let names_other = OTHERS.iter().any(|other| headline.contains(other));
    match (ours.as_slice(), names_other) {
        ([province], false) => Mention::Ours(*province),
        ([], true) => Mention::Other,
        _ => Mention::Unclear,
    }
}

/// Says whether a headline names another province, and none of these.
pub(super) fn is_elsewhere(headline: &str, provinces: &[Province]) -> bool {
    match mentioned(headline) {
        Mention::Ours(province) => !provinces.contains(&province),
        Mention::Other => true,
        Mention::Unclear => false,
    }
}

fn names(headline: &str, province: Province) -> bool {
    ALIASES
        .iter()
        .any(|(alias, named)| *named == province && headline.contains(alias))
}

#[cfg(test)]
mod tests {
    use posko_domain::region;

    use super::*;

    #[test]
    fn every_province_is_a_known_region_and_is_found_by_its_own_name() {
        for province in Province::ALL {
            assert!(region::find(province.code()).is_some());
            assert_eq!(Province::find(province.name()), Some(province));
        }
        assert_eq!(Province::find(" jawa  BARAT "), Some(Province::JawaBarat));
        assert_eq!(Province::find("Jawa Tengah"), None);
    }

    #[test]
    fn a_headline_is_left_aside_only_when_it_names_another_province_and_none_of_ours() {
        assert_eq!(
            mentioned("Hujan Lebat disertai Petir di Banten"),
            Mention::Ours(Province::Banten)
        );
        assert_eq!(
            mentioned("Heavy Rain in West Java"),
            Mention::Ours(Province::JawaBarat)
        );
        assert_eq!(mentioned("Hujan Lebat di DI Yogyakarta"), Mention::Other);
        assert_eq!(
            mentioned("Hujan Lebat di Lampung dan Banten"),
            Mention::Unclear
        );
        assert_eq!(mentioned("Hujan Lebat"), Mention::Unclear);
    }
}
