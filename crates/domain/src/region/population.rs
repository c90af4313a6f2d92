//! How many people live in a kab/kota, as the decree of [`super::CODE_SET`] publishes it.

use std::sync::LazyLock;

use super::within;

/// Where the figures come from, and of which year they are.
pub const POPULATION_SOURCE: &str = "Kepmendagri 300.2.2-2430/2025, attachment; figures of 2025";

/// People by sex.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Population {
    /// Men and boys.
    pub male: u64,
    /// Women and girls.
    pub female: u64,
}

impl Population {
    /// Returns everybody.
    pub fn total(self) -> u64 {
        self.male + self.female
    }
}

static REGENCIES: LazyLock<Vec<(&'static str, Population)>> = LazyLock::new(|| {
    let rows = include_str!("../../data/population.csv").lines().skip(1);
    rows.filter_map(|row| {
        let mut fields = row.split(',');
        let code = fields.next()?;
        let (male, female) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some((code, Population { male, female }))
    })
    .collect()
});

/// Returns how many people live in a province or a kab/kota; none of a kecamatan, of which nothing is published here.
pub fn population(code: &str) -> Option<Population> {
    let parts = REGENCIES
        .iter()
        .filter(|(regency, _)| within(regency, code));
    parts
        .map(|(_, people)| *people)
        .reduce(|sum, people| Population {
            male: sum.male + people.male,
            female: sum.female + people.female,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_province_is_the_sum_of_its_kab_and_kota() {
        let total = |code| population(code).map(Population::total);
        assert_eq!(total("31"), Some(11_038_216));
        assert_eq!(total("32"), Some(51_316_378));
        assert_eq!(total("36"), Some(12_881_374));
        assert_eq!(total("31.01"), Some(30_334));
        assert_eq!(
            total("32.03.01"),
            None,
            "nothing is published of a kecamatan"
        );
        assert_eq!(total("99"), None);
        assert_eq!(REGENCIES.len(), 41);
    }
}
