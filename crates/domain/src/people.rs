//! Counts of people by sex and by age, beside the count of everybody.

use posko_proto::incident::v1::{AgeBand, Sex};

/// Returns the largest of the sums of the parts by sex, by age, and by both: none of them may be more than the whole.
/// The count of everybody is no part.
pub(crate) fn largest_part(counts: impl IntoIterator<Item = (Sex, AgeBand, u64)>) -> u64 {
    let [mut by_sex, mut by_age, mut by_both] = [0, 0, 0];
    for (sex, age_band, count) in counts {
        match (sex, age_band) {
            (Sex::Unspecified, AgeBand::Unspecified) => {}
            (_, AgeBand::Unspecified) => by_sex += count,
            (Sex::Unspecified, _) => by_age += count,
            _ => by_both += count,
        }
    }
    by_sex.max(by_age).max(by_both)
}
