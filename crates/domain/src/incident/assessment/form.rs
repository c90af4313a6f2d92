//! The forms of rapid assessments as tables: which questions each has, of what kind, with which options.
//!
//! The tables in `data/form` are our own, written from the facts of PMI's emergency assessment form and of IFRC's forms
//! for the first 24 and 72 hours: the questions' codes and kinds are the forms', the words are ours. A table that
//! changes gets a new version, and the old one stays: an assessment says which it answers.

use std::sync::LazyLock;

use posko_proto::incident::v1::AssessmentForm;

/// Words in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bilingual {
    /// In Bahasa Indonesia.
    pub indonesian: String,
    /// In English.
    pub english: String,
}

/// What a question is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number in the question's unit.
    Number,
    /// Yes or no.
    Yes,
    /// One of its options.
    One,
    /// Any of its options.
    Many,
    /// Counts of people by sex and age.
    People,
    /// A moment.
    Time,
    /// Free text, which is a note.
    Words,
    /// A person's name, number or signature, which is never recorded.
    Person,
}

/// An option of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What people type.
    pub key: String,
    /// What it means.
    pub label: Bilingual,
}

/// A question of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its code, `PMI-8`; a cell of a grid has its number in the grid, row by row.
    pub code: String,
    /// The number of its section.
    pub section: u32,
    /// What it is answered with.
    pub kind: Kind,
    /// The unit of a number; empty of other kinds.
    pub unit: Bilingual,
    /// Its options, in the form's order: the first is number 1.
    pub options: Vec<Choice>,
    /// What it asks.
    pub label: Bilingual,
}

/// A section of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its number in the form.
    pub number: u32,
    /// What it is about.
    pub label: Bilingual,
}

/// A column of a grid whose numbers add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// Its key, `PMI-20.units`.
    pub key: String,
    /// The codes of the questions that add up.
    pub codes: Vec<String>,
    /// The unit.
    pub unit: Bilingual,
    /// What it counts.
    pub label: Bilingual,
}

/// A form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Which.
    pub form: AssessmentForm,
    /// The version of its table.
    pub version: u32,
    /// Its sections, in order.
    pub sections: Vec<Section>,
    /// Its questions, in order.
    pub questions: Vec<Question>,
    /// What adds up.
    pub sums: Vec<Sum>,
}

static FORMS: LazyLock<[Form; 3]> = LazyLock::new(|| {
    [
        read(
            AssessmentForm::Pmi,
            1,
            include_str!("../../../data/form/pmi.txt"),
        ),
        read(
            AssessmentForm::Ifrc24h,
            1,
            include_str!("../../../data/form/ifrc_24h.txt"),
        ),
        read(
            AssessmentForm::Ifrc72h,
            1,
            include_str!("../../../data/form/ifrc_72h.txt"),
        ),
    ]
});

/// Returns all forms.
pub fn all() -> &'static [Form] {
    FORMS.as_slice()
}

/// Returns the newest table of a form; none of a form that this version does not know.
pub fn newest(form: AssessmentForm) -> Option<&'static Form> {
    let of_form = all().iter().filter(|held| held.form == form);
    of_form.max_by_key(|held| held.version)
}

/// Returns a form's table of that version.
pub fn find(form: AssessmentForm, version: u32) -> Option<&'static Form> {
    let mut of_form = all().iter().filter(|held| held.form == form);
    of_form.find(|held| held.version == version)
}

impl Form {
    /// Returns the question of that code.
    pub fn question(&self, code: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.code == code)
    }
}

impl Question {
    /// Returns the number of the option of that key, from 1.
    pub fn option(&self, key: &str) -> Option<u32> {
        let at = self.options.iter().position(|option| option.key == key)?;
        u32::try_from(at + 1).ok()
    }

    /// Returns the option of that number.
    pub fn choice(&self, number: u32) -> Option<&Choice> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        self.options.get(at)
    }
}

/// Reads a table: `##` begins a section, `@` a grid, and any other line is a question. A test counts them.
fn read(form: AssessmentForm, version: u32, table: &str) -> Form {
    let mut read = Form {
        form,
        version,
        sections: Vec::new(),
        questions: Vec::new(),
        sums: Vec::new(),
    };
    for line in table.lines() {
        let fields = |line: &str| {
            line.split('|')
                .map(|field| field.trim().to_owned())
                .collect()
        };
        if let Some(section) = line.strip_prefix("## ") {
            let fields: Vec<String> = fields(section);
            if let [number, indonesian, english] = fields.as_slice() {
                read.sections.push(Section {
                    number: number.parse().unwrap_or_default(),
                    label: both(indonesian, english),
                });
            }
            continue;
        }
        let section = read.sections.last().map_or(0, |section| section.number);
        if let Some(grid) = line.strip_prefix("@ ") {
            let fields: Vec<String> = fields(grid);
            if let [code, indonesian, english, rows, columns] = fields.as_slice() {
                let grid = Grid {
                    code,
                    section,
                    label: both(indonesian, english),
                    rows: choices(rows, ';'),
                };
                grid.read(columns, &mut read);
            }
            continue;
        }
        let fields: Vec<String> = fields(line);
        if let [code, kind, argument, indonesian, english] = fields.as_slice() {
            let (kind, unit, options) = typed(kind, argument, ';');
            read.questions.push(Question {
                code: code.clone(),
                section,
                kind,
                unit,
                options,
                label: both(indonesian, english),
            });
        }
    }
    read
}

/// A grid: each cell is a question, numbered row by row from 1.
struct Grid<'a> {
    code: &'a str,
    section: u32,
    label: Bilingual,
    rows: Vec<Choice>,
}

impl Grid<'_> {
    /// Reads its columns, `key:kind:unit or options:Indonesian:English`; those with a `+` add up.
    fn read(&self, columns: &str, form: &mut Form) {
        let columns: Vec<&str> = columns.split(';').map(str::trim).collect();
        let cells = |row: usize| row * columns.len() + 1;
        let mut sums = Vec::new();
        for (at, row) in self.rows.iter().enumerate() {
            for (number, column) in (cells(at)..).zip(&columns) {
                let column = column.strip_prefix('+').unwrap_or(column);
                let fields: Vec<&str> = column.split(':').collect();
                let [_, kind, argument, indonesian, english] = fields.as_slice() else {
                    continue;
                };
                let (kind, unit, options) = typed(kind, argument, ',');
                form.questions.push(Question {
                    code: format!("{}-{number}", self.code),
                    section: self.section,
                    kind,
                    unit,
                    options,
                    label: Bilingual {
                        indonesian: format!(
                            "{}: {}, {indonesian}",
                            self.label.indonesian, row.label.indonesian
                        ),
                        english: format!(
                            "{}: {}, {english}",
                            self.label.english, row.label.english
                        ),
                    },
                });
            }
        }
        for (at, column) in columns.iter().enumerate() {
            let Some(column) = column.strip_prefix('+') else {
                continue;
            };
            let fields: Vec<&str> = column.split(':').collect();
            let [key, kind, argument, indonesian, english] = fields.as_slice() else {
                continue;
            };
            let number = |row: usize| format!("{}-{}", self.code, cells(row) + at);
            sums.push(Sum {
                key: format!("{}.{key}", self.code),
                codes: (0..self.rows.len()).map(number).collect(),
                unit: typed(kind, argument, ',').1,
                label: Bilingual {
                    indonesian: format!("{}: {indonesian}", self.label.indonesian),
                    english: format!("{}: {english}", self.label.english),
                },
            });
        }
        form.sums.append(&mut sums);
    }
}

fn typed(kind: &str, argument: &str, between: char) -> (Kind, Bilingual, Vec<Choice>) {
    let kind = match kind {
        "number" => Kind::Number,
        "yes" => Kind::Yes,
        "one" => Kind::One,
        "many" => Kind::Many,
        "people" => Kind::People,
        "time" => Kind::Time,
        "person" => Kind::Person,
        _ => Kind::Words,
    };
    let (indonesian, english) = argument.split_once('=').unwrap_or_default();
    match kind {
        Kind::Number => (kind, both(indonesian, english), Vec::new()),
        Kind::One | Kind::Many => (kind, both("", ""), choices(argument, between)),
        Kind::Yes | Kind::People | Kind::Time | Kind::Words | Kind::Person => {
            (kind, both("", ""), Vec::new())
        }
    }
}

/// Reads `key=Indonesian=English` items.
fn choices(text: &str, between: char) -> Vec<Choice> {
    let items = text.split(between).filter_map(|item| {
        let mut parts = item.trim().split('=');
        Some(Choice {
            key: parts.next()?.to_owned(),
            label: both(parts.next()?, parts.next()?),
        })
    });
    items.collect()
}

fn both(indonesian: &str, english: &str) -> Bilingual {
    Bilingual {
        indonesian: indonesian.into(),
        english: english.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn the_forms_have_the_sections_and_questions_that_they_are_known_for() {
        let sizes = all().iter().map(|form| {
            let data = form.questions.iter();
            let persons = data
                .filter(|question| question.kind == Kind::Person)
                .count();
            (form.sections.len(), form.questions.len(), persons)
        });
        // 134 codes of PMI's form, two of them unused and eight of them grids, which have cells.
        assert_eq!(
            sizes.collect::<Vec<_>>(),
            [(15, 221, 4), (4, 48, 2), (9, 136, 2)]
        );
    }

    #[test]
    fn every_question_is_whole_in_both_languages_and_its_code_is_its_own() {
        for form in all() {
            let mut codes = BTreeSet::new();
            for question in &form.questions {
                let code = question.code.as_str();
                assert!(codes.insert(code), "{code} twice");
                let has = |words: &Bilingual| {
                    [&words.indonesian, &words.english]
                        .iter()
                        .all(|text| !text.is_empty() && text.trim() == text.as_str())
                };
                assert!(has(&question.label), "{code}");
                assert_eq!(has(&question.unit), question.kind == Kind::Number, "{code}");
                let chooses = matches!(question.kind, Kind::One | Kind::Many);
                assert_eq!(question.options.len() >= 2, chooses, "{code}");
                let keys: BTreeSet<&str> = question
                    .options
                    .iter()
                    .map(|option| option.key.as_str())
                    .collect();
                assert_eq!(keys.len(), question.options.len(), "{code}");
                assert!(question.options.iter().all(|option| has(&option.label)));
            }
            for sum in &form.sums {
                for code in &sum.codes {
                    let question = form.question(code).unwrap();
                    assert_eq!((question.kind, &question.unit), (Kind::Number, &sum.unit));
                }
            }
        }
    }

    #[test]
    fn a_cell_of_a_grid_is_numbered_row_by_row() {
        let form = newest(AssessmentForm::Pmi).unwrap();
        let cell = form.question("PMI-27-12").unwrap();
        assert_eq!(cell.label.english, "Water source: well, quantity");
        assert_eq!(cell.option("not_enough"), Some(2));
        assert_eq!(cell.choice(2).unwrap().label.indonesian, "tidak cukup");
        assert_eq!((cell.choice(0), cell.choice(3)), (None, None));
        assert_eq!(find(AssessmentForm::Pmi, 2), None, "of a newer program");
        assert_eq!(newest(AssessmentForm::Unspecified), None);
    }

    /// Splits a line of CSV at its commas, but for those between quotes.
    fn cells(line: &str) -> Vec<String> {
        let mut cells = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                c => cells.last_mut().unwrap().push(c),
            }
        }
        cells
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "what was not checked is said")]
    fn every_code_of_the_recorded_forms_is_there_and_of_its_kind() {
        let recorded =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/pmi-assessment");
        let files = [
            ("PMI.xls.Question.csv", AssessmentForm::Pmi),
            ("24B.xls.Question.csv", AssessmentForm::Ifrc24h),
            ("72B.xls.Question.csv", AssessmentForm::Ifrc72h),
        ];
        for (file, form) in files {
            let Ok(text) = fs::read_to_string(recorded.join(file)) else {
                eprintln!("skipped: {file} is not there");
                continue;
            };
            let form = newest(form).unwrap();
            for line in text.lines().skip(1) {
                let cells = cells(line);
                // Question, type, notes, position, code.
                let (kind, code) = (cells[10].as_str(), cells[13].as_str());
                if kind == "Grid" {
                    assert!(form.question(&format!("{code}1")).is_some() || code == "PMI-9-");
                    continue;
                }
                let question = form.question(code).unwrap_or_else(|| panic!("{code}"));
                let fits: &[Kind] = match kind {
                    "Numeric" => &[Kind::Number],
                    "YesNo" => &[Kind::Yes],
                    "Option" if cells[11] == "Select all applicable options" => &[Kind::Many],
                    "Option" | "OptionOther" | "YesNoDontKnow" => &[Kind::One],
                    "MultiOption" => &[Kind::Many],
                    "Text" => &[Kind::Words],
                    // A name, or what is asked in a line and is a number or a yes all the same.
                    "String" => &[Kind::Words, Kind::Person, Kind::Number, Kind::Yes],
                    other => panic!("{other}"),
                };
                assert!(
                    fits.contains(&question.kind),
                    "{code} is {:?}",
                    question.kind
                );
            }
        }
    }
}
