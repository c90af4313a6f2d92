//! Which impact figures follow from the answers of a form: a table beside the forms.
//!
//! The measures are those of PMI's form itself (`reference/domain.md` 3.3: section 8 counts who was severely and
//! moderately injured and who died, section 5 who is displaced) and of IFRC's forms of 24 and 72 hours (section 1). Whom
//! PMI's section 3 counts depends on what was assessed: in a camp they are displaced, where it happened they are affected.
//! Shelter units are no damaged houses, and damaged buildings no houses alone: they give no figure. What it never does:
//! make a number that nobody answered, or squeeze an age into a band in which it does not lie.

use posko_proto::incident::v1::{
    AgeBand, Answer, AssessmentForm, Counted, CountedAge, Figure, FigureBar, Measure,
    OfferedFigures, Sex, answer::Value,
};

use super::form::Form;

/// The question of PMI's form that says what was assessed.
const PMI_LOCATION: &str = "PMI-2";

/// A line: the question or the sum, what it counts, and at which locations of PMI's form; at any where none is named.
type Line = (&'static str, Measure, &'static [&'static str]);

const CAMPS: &[&str] = &["idp_camp", "relocation"];
const HOMES: &[&str] = &["site", "community"];

const PMI: &[Line] = &[
    ("PMI-8", Measure::DisplacedHouseholds, CAMPS),
    ("PMI-9", Measure::Displaced, CAMPS),
    ("PMI-9", Measure::Affected, HOMES),
    ("PMI-20.displaced", Measure::Displaced, &[]),
    ("PMI-81", Measure::InjuredSevere, &[]),
    ("PMI-82", Measure::InjuredModerate, &[]),
    ("PMI-83", Measure::Dead, &[]),
];
const IFRC_24H: &[Line] = &[
    ("24H-6", Measure::Injured, &[]),
    ("24H-7", Measure::Dead, &[]),
    ("24H-8", Measure::Missing, &[]),
    ("24H-12-1", Measure::Displaced, &[]),
];
const IFRC_72H: &[Line] = &[
    ("72H-6", Measure::Injured, &[]),
    ("72H-7", Measure::Dead, &[]),
    ("72H-8", Measure::Missing, &[]),
    ("72H-12", Measure::Displaced, &[]),
];

fn lines(form: AssessmentForm) -> &'static [Line] {
    match form {
        AssessmentForm::Unspecified => &[],
        AssessmentForm::Pmi => PMI,
        AssessmentForm::Ifrc24h => IFRC_24H,
        AssessmentForm::Ifrc72h => IFRC_72H,
    }
}

/// Returns the figures that follow from the answers, in the form's order, and of each question that could give some and
/// does not, why.
pub fn figures(form: &Form, answers: &[Answer]) -> Vec<OfferedFigures> {
    let location = location(form, answers);
    let mut offered: Vec<OfferedFigures> = Vec::new();
    for (question, measure, locations) in lines(form.form) {
        let is_there = location.is_some_and(|location| locations.contains(&location));
        let read = match read(form, answers, question) {
            Ok(_) if !locations.is_empty() && !is_there => Err(FigureBar::Location),
            Ok(_) if gives(&offered, *measure) => Err(FigureBar::Counted),
            read => read,
        };
        let (figures, bar) = match read {
            Ok(counts) => of(*measure, &counts),
            Err(bar) => (Vec::new(), bar),
        };
        let one = OfferedFigures {
            question: (*question).to_owned(),
            figures,
            bar: bar.into(),
        };
        // A question that counts one thing here and another there stands once.
        match offered.iter_mut().find(|held| held.question == *question) {
            Some(held) if held.figures.is_empty() && bar != FigureBar::Location => *held = one,
            Some(_) => {}
            None => offered.push(one),
        }
    }
    offered
}

fn gives(offered: &[OfferedFigures], measure: Measure) -> bool {
    let mut figures = offered.iter().flat_map(|held| &held.figures);
    figures.any(|figure| figure.measure() == measure)
}

fn value<'a>(answers: &'a [Answer], question: &str) -> Option<&'a Value> {
    let answer = answers.iter().find(|held| held.question == question)?;
    answer.value.as_ref()
}

/// Returns what was assessed, by the name of its option.
fn location<'a>(form: &'a Form, answers: &[Answer]) -> Option<&'a str> {
    let Some(Value::Option(number)) = value(answers, PMI_LOCATION) else {
        return None;
    };
    let choice = form.question(PMI_LOCATION)?.choice(*number)?;
    Some(&choice.key)
}

/// Reads what a question counted, or all the numbers of a sum: a kind that was left open is not none.
fn read(form: &Form, answers: &[Answer], question: &str) -> Result<Vec<Counted>, FigureBar> {
    let all = |count| {
        vec![Counted {
            count,
            ..Counted::default()
        }]
    };
    if let Some(sum) = form.sums.iter().find(|sum| sum.key == question) {
        let numbers = sum.codes.iter().map(|code| match value(answers, code) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        });
        let answered = numbers.clone().flatten().count();
        let total = numbers.flatten().fold(0, u64::saturating_add);
        return match answered {
            0 => Err(FigureBar::Unanswered),
            answered if answered < sum.codes.len() => Err(FigureBar::Partial),
            _ => Ok(all(total)),
        };
    }
    match value(answers, question) {
        Some(Value::Number(number)) => Ok(all(*number)),
        Some(Value::People(people)) if !people.counts.is_empty() => Ok(people.counts.clone()),
        _ => Err(FigureBar::Unanswered),
    }
}

/// Returns the counts as figures of a measure, and whether some of their ages have no band.
fn of(measure: Measure, counts: &[Counted]) -> (Vec<Figure>, FigureBar) {
    let figure = |count: u64, sex: Sex, age_band: AgeBand| Figure {
        measure: measure.into(),
        count,
        sex: sex.into(),
        age_band: age_band.into(),
    };
    let whole = |sex: Sex| {
        let mut held = counts.iter();
        let held = held.find(|held| held.sex() == sex && held.age() == CountedAge::Unspecified);
        held.map(|held| held.count)
    };
    let banded = |held: &Counted| Some(figure(held.count, held.sex(), band(held.age())?));
    let mut figures: Vec<Figure> = counts.iter().filter_map(banded).collect();
    let left = counts.len() > figures.len();
    let both = whole(Sex::Male).zip(whole(Sex::Female));
    if let (None, Some((male, female))) = (whole(Sex::Unspecified), both) {
        let others = whole(Sex::Other).unwrap_or_default();
        let everybody = male.saturating_add(female).saturating_add(others);
        figures.insert(0, figure(everybody, Sex::Unspecified, AgeBand::Unspecified));
    }
    let bar = if left {
        FigureBar::Age
    } else {
        FigureBar::Unspecified
    };
    (figures, bar)
}

/// Returns the band of a figure in which all of the counted ages lie.
fn band(age: CountedAge) -> Option<AgeBand> {
    match age {
        CountedAge::Unspecified => Some(AgeBand::Unspecified),
        CountedAge::CountedAge01 => Some(AgeBand::AgeBand01),
        CountedAge::CountedAge25 => Some(AgeBand::AgeBand25),
        CountedAge::CountedAge612 => Some(AgeBand::AgeBand612),
        CountedAge::CountedAge1317 => Some(AgeBand::AgeBand1317),
        CountedAge::CountedAge1820 => Some(AgeBand::AgeBand1820),
        CountedAge::CountedAge2159 => Some(AgeBand::AgeBand2159),
        CountedAge::CountedAge60Up => Some(AgeBand::AgeBand60Up),
        CountedAge::Unknown => Some(AgeBand::Unknown),
        CountedAge::CountedAge05
        | CountedAge::CountedAge1320
        | CountedAge::CountedAge2160
        | CountedAge::Over60 => None,
    }
}

#[cfg(test)]
mod tests {
    use posko_proto::incident::v1::People;

    use super::*;
    use crate::incident::assessment::form;

    fn answer(question: &str, value: Value) -> Answer {
        Answer {
            question: question.into(),
            value: Some(value),
        }
    }

    fn counted(count: u64, sex: Sex, age: CountedAge) -> Counted {
        Counted {
            count,
            sex: sex.into(),
            age: age.into(),
        }
    }

    fn people(counts: Vec<Counted>) -> Value {
        Value::People(People { counts })
    }

    /// A question, its figures' measures and counts, and the bar.
    type Given = (String, Vec<(Measure, u64)>, FigureBar);

    /// Returns what each question gives.
    fn given(answers: &[Answer]) -> Vec<Given> {
        let form = form::newest(AssessmentForm::Pmi).unwrap();
        let offered = figures(form, answers).into_iter();
        offered
            .map(|one| {
                let bar = one.bar();
                let figures = one.figures.iter();
                let figures = figures.map(|figure| (figure.measure(), figure.count));
                (one.question.clone(), figures.collect(), bar)
            })
            .collect()
    }

    #[test]
    fn every_line_names_a_question_or_a_sum_of_its_form() {
        for of in [
            AssessmentForm::Pmi,
            AssessmentForm::Ifrc24h,
            AssessmentForm::Ifrc72h,
        ] {
            let form = form::newest(of).unwrap();
            for (question, ..) in lines(of) {
                let is_sum = form.sums.iter().any(|sum| sum.key == *question);
                assert!(is_sum || form.question(question).is_some(), "{question}");
            }
        }
        let form = form::newest(AssessmentForm::Pmi).unwrap();
        for location in CAMPS.iter().chain(HOMES) {
            assert!(
                form.question(PMI_LOCATION)
                    .unwrap()
                    .option(location)
                    .is_some()
            );
        }
    }

    #[test]
    fn people_in_a_camp_are_displaced_and_those_where_it_happened_are_affected() {
        let location = |key: &str| {
            let form = form::newest(AssessmentForm::Pmi).unwrap();
            let number = form.question(PMI_LOCATION).unwrap().option(key).unwrap();
            answer(PMI_LOCATION, Value::Option(number))
        };
        let men_and_women = || {
            answer(
                "PMI-9",
                people(vec![
                    counted(57, Sex::Male, CountedAge::Unspecified),
                    counted(63, Sex::Female, CountedAge::Unspecified),
                ]),
            )
        };
        let camp = given(&[location("idp_camp"), men_and_women()]);
        assert_eq!(
            camp[1],
            (
                "PMI-9".into(),
                vec![
                    (Measure::Displaced, 120),
                    (Measure::Displaced, 57),
                    (Measure::Displaced, 63)
                ],
                FigureBar::Unspecified
            )
        );
        let there = given(&[
            location("site"),
            men_and_women(),
            answer("PMI-8", Value::Number(40)),
        ]);
        assert_eq!(there[1].1[0], (Measure::Affected, 120));
        assert_eq!(there[0], ("PMI-8".into(), vec![], FigureBar::Location));
        let nowhere = given(&[men_and_women()]);
        assert_eq!(nowhere[1].2, FigureBar::Location);
    }

    #[test]
    fn what_nobody_answered_gives_no_figure_and_says_so() {
        let none = given(&[]);
        let unanswered = |question: &str| (question.to_owned(), vec![], FigureBar::Unanswered);
        assert_eq!(
            none,
            [
                "PMI-8",
                "PMI-9",
                "PMI-20.displaced",
                "PMI-81",
                "PMI-82",
                "PMI-83"
            ]
            .map(unanswered)
        );
        let form = form::newest(AssessmentForm::Pmi).unwrap();
        let sum = form.sums.iter().find(|sum| sum.key == "PMI-20.displaced");
        let cells = &sum.unwrap().codes;
        let some = given(&[answer(&cells[0], Value::Number(8))]);
        assert_eq!(some[2].2, FigureBar::Partial);
        let all: Vec<Answer> = cells
            .iter()
            .map(|cell| answer(cell, Value::Number(8)))
            .collect();
        let total = 8 * cells.len() as u64;
        assert_eq!(given(&all)[2].1, [(Measure::Displaced, total)]);
        let dead = given(&[answer("PMI-83", Value::Number(0))]);
        assert_eq!(dead[5].1, [(Measure::Dead, 0)], "none is a figure");
    }

    #[test]
    fn ages_of_other_bands_are_left_out_and_said_so() {
        let form = form::newest(AssessmentForm::Pmi).unwrap();
        let camp = form.question(PMI_LOCATION).unwrap().option("idp_camp");
        let offered = given(&[
            answer(PMI_LOCATION, Value::Option(camp.unwrap())),
            answer(
                "PMI-9",
                people(vec![
                    counted(120, Sex::Unspecified, CountedAge::Unspecified),
                    counted(9, Sex::Unspecified, CountedAge::CountedAge05),
                    counted(12, Sex::Unspecified, CountedAge::CountedAge612),
                ]),
            ),
        ]);
        assert_eq!(
            offered[1],
            (
                "PMI-9".into(),
                vec![(Measure::Displaced, 120), (Measure::Displaced, 12)],
                FigureBar::Age
            )
        );
    }
}
