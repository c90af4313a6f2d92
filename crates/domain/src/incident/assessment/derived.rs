//! Figures that follow from an assessment's answers: what adds up, and people by the age bands of PMI and of IFRC GO.
//!
//! A band is given only where the ages that were counted fit into it. PMI's bands meet at 60 and 61, IFRC GO's and the
//! finest ones at 59 and 60: who is 60 is counted as the answers have it, and the figure is marked as approximate.

use posko_proto::incident::v1::{Answer, Counted, CountedAge, Derived, Sex, answer::Value};

use super::form::{Form, Kind};

/// The age from which people count as old; below it ends the band of adults. The forms differ by a year.
const OLD: u32 = 60;
const NO_END: u32 = u32::MAX;

/// Ages in completed years, from the first up to and without the second, and whether old begins at 61 in it.
type Band = (u32, u32, bool);

const PMI: [(&str, Band); 5] = [
    ("0_5", (0, 6, false)),
    ("6_12", (6, 13, false)),
    ("13_20", (13, 21, false)),
    ("21_60", (21, OLD, true)),
    ("over_60", (OLD, NO_END, true)),
];

const GO: [(&str, Band); 6] = [
    ("0_1", (0, 2, false)),
    ("2_5", (2, 6, false)),
    ("6_12", (6, 13, false)),
    ("13_17", (13, 18, false)),
    ("18_59", (18, OLD, false)),
    ("60_up", (OLD, NO_END, false)),
];

/// Returns the ages of a counted band; none of all ages and of those whose age is not known.
pub(super) fn band(age: CountedAge) -> Option<Band> {
    match age {
        CountedAge::Unspecified | CountedAge::Unknown => None,
        CountedAge::CountedAge01 => Some((0, 2, false)),
        CountedAge::CountedAge25 => Some((2, 6, false)),
        CountedAge::CountedAge05 => Some((0, 6, false)),
        CountedAge::CountedAge612 => Some((6, 13, false)),
        CountedAge::CountedAge1317 => Some((13, 18, false)),
        CountedAge::CountedAge1820 => Some((18, 21, false)),
        CountedAge::CountedAge1320 => Some((13, 21, false)),
        CountedAge::CountedAge2159 => Some((21, OLD, false)),
        CountedAge::CountedAge60Up => Some((OLD, NO_END, false)),
        CountedAge::CountedAge2160 => Some((21, OLD, true)),
        CountedAge::Over60 => Some((OLD, NO_END, true)),
    }
}

/// Returns what follows from the answers, in the form's order.
pub fn derived(form: &Form, answers: &[Answer]) -> Vec<Derived> {
    let mut found = Vec::new();
    for question in &form.questions {
        let people = answers.iter().find(|held| held.question == question.code);
        if let (Kind::People, Some(Value::People(people))) =
            (question.kind, people.and_then(|held| held.value.as_ref()))
        {
            found.extend(of_people(&question.code, &people.counts));
        }
    }
    for sum in &form.sums {
        let number = |code: &String| {
            let answer = answers.iter().find(|held| held.question == *code)?;
            match answer.value {
                Some(Value::Number(number)) => Some(number),
                _ => None,
            }
        };
        let numbers: Vec<u64> = sum.codes.iter().filter_map(number).collect();
        if !numbers.is_empty() {
            found.push(Derived {
                key: sum.key.clone(),
                count: numbers.iter().copied().fold(0, u64::saturating_add),
                unit: sum.unit.english.clone(),
                partial: numbers.len() < sum.codes.len(),
                approximate: false,
            });
        }
    }
    found
}

fn of_people(code: &str, counts: &[Counted]) -> Vec<Derived> {
    let of = |sex: Sex, age: CountedAge| {
        let found = counts
            .iter()
            .find(|held| held.sex() == sex && held.age() == age);
        found.map(|held| held.count)
    };
    let figure = |name: &str, count: u64, partial: bool, approximate: bool| Derived {
        key: format!("{code}.{name}"),
        count,
        unit: "persons".into(),
        partial,
        approximate,
    };
    let mut found = Vec::new();
    let [male, female] = [Sex::Male, Sex::Female].map(|sex| of(sex, CountedAge::Unspecified));
    let everybody = of(Sex::Unspecified, CountedAge::Unspecified);
    let other = of(Sex::Other, CountedAge::Unspecified).unwrap_or_default();
    let both = male.zip(female).map(|(male, female)| male + female + other);
    if let Some(total) = everybody.or(both) {
        found.push(figure("total", total, false, false));
    }
    for (name, bands) in [("pmi", &PMI[..]), ("go", &GO[..])] {
        for (key, wanted) in bands {
            for (sex, of_sex) in [
                ("", Sex::Unspecified),
                ("male.", Sex::Male),
                ("female.", Sex::Female),
            ] {
                if let Some((count, partial, approximate)) = within(counts, of_sex, *wanted) {
                    let name = format!("{name}.{sex}{key}");
                    found.push(figure(&name, count, partial, approximate));
                }
            }
        }
    }
    found
}

/// Returns how many are in a band, whether some of its ages were not counted, and whether who is 60 stands beside it.
/// Everybody's ages are those that were counted of everybody, or else those of men and women together.
fn within(counts: &[Counted], sex: Sex, wanted: Band) -> Option<(u64, bool, bool)> {
    let aged = |sex: Sex| {
        let of_sex = counts.iter().filter(move |held| held.sex() == sex);
        of_sex.filter_map(|held| Some((band(held.age())?, held.count)))
    };
    if sex == Sex::Unspecified && aged(sex).next().is_none() {
        let [men, women] = [Sex::Male, Sex::Female].map(|sex| within(counts, sex, wanted));
        let (men, women) = men.zip(women)?;
        let others = within(counts, Sex::Other, wanted).map_or(0, |found| found.0);
        return Some((
            men.0.saturating_add(women.0).saturating_add(others),
            men.1 || women.1,
            men.2 || women.2,
        ));
    }
    let (from, until, old_at_61) = wanted;
    let overlapping: Vec<(Band, u64)> = aged(sex)
        .filter(|((begin, end, _), _)| *begin < until && *end > from)
        .collect();
    let fits = |((begin, end, _), _): &(Band, u64)| *begin >= from && *end <= until;
    if overlapping.is_empty() || !overlapping.iter().all(fits) {
        return None;
    }
    let count = overlapping
        .iter()
        .fold(0, |sum: u64, (_, count)| sum.saturating_add(*count));
    // Bands of one sex do not overlap, so that their ages add up to the band's where none is missing.
    let years = |(begin, end, _): &Band| u64::from(*end) - u64::from(*begin);
    let counted: u64 = overlapping.iter().map(|(band, _)| years(band)).sum();
    let at_the_edge = |((begin, end, edge), _): &(Band, u64)| {
        (*begin == OLD || *end == OLD) && *edge != old_at_61
    };
    Some((
        count,
        counted < years(&wanted),
        overlapping.iter().any(at_the_edge),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(sex: Sex, age: CountedAge, count: u64) -> Counted {
        Counted {
            sex: sex.into(),
            age: age.into(),
            count,
        }
    }

    fn shown(counts: &[Counted]) -> Vec<(String, u64, bool, bool)> {
        let figures = of_people("Q", counts).into_iter();
        figures
            .map(|figure| {
                let key = figure.key.trim_start_matches("Q.").to_owned();
                (key, figure.count, figure.partial, figure.approximate)
            })
            .collect()
    }

    #[test]
    fn the_finest_bands_give_those_of_pmi_and_of_go_and_say_what_happens_at_60() {
        use CountedAge as Age;
        let counts = [
            counted(Sex::Unspecified, Age::Unspecified, 100),
            counted(Sex::Unspecified, Age::CountedAge01, 3),
            counted(Sex::Unspecified, Age::CountedAge25, 7),
            counted(Sex::Unspecified, Age::CountedAge612, 15),
            counted(Sex::Unspecified, Age::CountedAge1317, 12),
            counted(Sex::Unspecified, Age::CountedAge1820, 8),
            counted(Sex::Unspecified, Age::CountedAge2159, 40),
            counted(Sex::Unspecified, Age::CountedAge60Up, 15),
        ];
        let expected = [
            ("total", 100, false, false),
            ("pmi.0_5", 10, false, false),
            ("pmi.6_12", 15, false, false),
            ("pmi.13_20", 20, false, false),
            ("pmi.21_60", 40, false, true),
            ("pmi.over_60", 15, false, true),
            ("go.0_1", 3, false, false),
            ("go.2_5", 7, false, false),
            ("go.6_12", 15, false, false),
            ("go.13_17", 12, false, false),
            ("go.18_59", 48, false, false),
            ("go.60_up", 15, false, false),
        ];
        let expected = expected.map(|(key, count, partial, approximate)| {
            (key.to_owned(), count, partial, approximate)
        });
        assert_eq!(shown(&counts), expected);
    }

    #[test]
    fn the_bands_of_the_paper_give_no_figure_that_they_cannot() {
        use CountedAge as Age;
        let of = |sex, count| {
            [
                counted(sex, Age::Unspecified, 5 * count),
                counted(sex, Age::CountedAge05, count),
                counted(sex, Age::CountedAge1320, count),
                counted(sex, Age::CountedAge2160, count),
                counted(sex, Age::Over60, count),
            ]
        };
        let counts = [of(Sex::Male, 10), of(Sex::Female, 12)].concat();
        let all: Vec<_> = shown(&counts)
            .into_iter()
            .filter(|(key, ..)| !key.contains("male"))
            .collect();
        let expected = [
            ("total", 110, false, false),
            ("pmi.0_5", 22, false, false),
            ("pmi.13_20", 22, false, false),
            ("pmi.21_60", 22, false, false),
            ("pmi.over_60", 22, false, false),
            // Who is 18 to 20 is not told apart, and so nobody can say how many are 18 to 59 in all.
            ("go.60_up", 22, false, true),
        ];
        let expected = expected.map(|(key, count, partial, approximate)| {
            (key.to_owned(), count, partial, approximate)
        });
        assert_eq!(all, expected);
    }

    #[test]
    fn a_band_whose_ages_were_not_all_counted_is_that_much_at_least() {
        let counts = [counted(Sex::Female, CountedAge::CountedAge25, 7)];
        assert_eq!(
            shown(&counts),
            [
                ("pmi.female.0_5".to_owned(), 7, true, false),
                ("go.female.2_5".to_owned(), 7, false, false)
            ]
        );
    }
}
