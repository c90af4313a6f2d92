//! What a command answers, and how it reaches the terminal: data on stdout, everything else on stderr.
//!
//! What it never does: decide an exit code, or let control characters of the data reach a terminal.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::PathBuf,
    sync::OnceLock,
};

use chrono::{DateTime, FixedOffset};
use posko_domain::text::is_hidden;
use prost_types::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{
    failure::Failure,
    json,
    label::{self, Label, Lang},
    phrase,
};

/// Where and how a command runs.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// The node's directory.
    pub(crate) dir: PathBuf,
    /// The language of the human output.
    pub(crate) lang: Lang,
    /// Whether JSON is wanted.
    pub(crate) json: bool,
    /// Whether colors are shown.
    pub(crate) tint: bool,
    /// The token of the environment.
    pub(crate) token: Option<String>,
    /// Where tokens of `posko login` are kept.
    pub(crate) token_dir: Option<PathBuf>,
    /// The login names of this node's accounts, once they are asked for.
    pub(crate) logins: OnceLock<BTreeMap<Vec<u8>, String>>,
}

/// Says whether the node did something by itself: no account has the id of noughts.
pub(crate) fn is_automatic(account: &[u8]) -> bool {
    !account.is_empty() && account.iter().all(|byte| *byte == 0)
}

impl Context {
    /// Returns a phrase in the language of the output.
    pub(crate) fn say(&self, label: Label) -> &'static str {
        label.text(self.lang)
    }

    /// Returns who an account is: its login name where this node has it and tells, else how its id begins.
    pub(crate) fn person(&self, account: &[u8]) -> String {
        let login = self.logins.get().and_then(|logins| logins.get(account));
        match (login, json::id(account)) {
            (Some(login), _) => login.clone(),
            (None, _) if is_automatic(account) => self.say(label::AUTOMATIC).into(),
            (None, Some(id)) => id.chars().take(8).collect(),
            (None, None) => String::new(),
        }
    }

    /// Returns what the node said, in the language of the output.
    pub(crate) fn told(&self, message: &str) -> String {
        phrase::told(message, self.lang)
    }

    /// Returns yes or no in the language of the output.
    pub(crate) fn yes_no(&self, yes: bool) -> &'static str {
        self.say(if yes { label::YES } else { label::NO })
    }
}

/// The answer of a command, in both forms.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// The stable form for programs.
    pub(crate) json: Value,
    /// The form for people, without a line end.
    pub(crate) text: String,
    /// Whether the answer is yes; no ends with exit code 1.
    pub(crate) yes: bool,
    /// Whether it stands on stdout already.
    pub(crate) printed: bool,
}

impl Answer {
    /// Returns an answer that is not a no.
    pub(crate) fn new(json: impl Serialize, text: impl Into<String>) -> Result<Self, Failure> {
        let json = serde_json::to_value(json).map_err(Failure::internal)?;
        Ok(Self {
            json,
            text: text.into(),
            yes: true,
            printed: false,
        })
    }

    /// Returns an answer that was written to stdout part by part.
    pub(crate) fn printed() -> Self {
        Self {
            json: Value::Null,
            text: String::new(),
            yes: true,
            printed: true,
        }
    }
}

/// Prints an answer on stdout; a closed pipe is no failure.
pub(crate) fn print(answer: &Answer, context: &Context) -> Result<(), Failure> {
    if answer.printed {
        return Ok(());
    }
    let text = if context.json {
        format!("{:#}", answer.json)
    } else {
        answer.text.clone()
    };
    write_out(&text)
}

/// Prints text on stdout; a closed pipe is no failure.
pub(crate) fn write_out(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    written(writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()))
}

/// Returns the failure of a write to stdout; a closed pipe is none.
pub(crate) fn written(outcome: io::Result<()>) -> Result<(), Failure> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::internal(error)),
        _ => Ok(()),
    }
}

/// Prints a line on stderr; what cannot be written there cannot be told either.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}

/// Prints a failure on stderr: for programs, or for people in their language.
pub(crate) fn fail(failure: &Failure, json: bool, lang: Lang) {
    if json {
        note(&failure.to_json().to_string());
    } else {
        let told = phrase::told(&failure.to_string(), lang);
        note(&format!("posko: {}", clean(&told)));
    }
}

/// A color of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tint {
    /// As it is.
    Plain,
    /// All is well.
    Good,
    /// Somebody should look.
    Warn,
    /// Somebody must act.
    Bad,
}

/// A table for people: left-aligned columns, two spaces between them.
#[derive(Debug, Default)]
pub(crate) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<(String, Tint)>>,
}

impl Table {
    /// Returns an empty table with these headings.
    pub(crate) fn new(context: &Context, head: &[Label]) -> Self {
        Self {
            head: head
                .iter()
                .map(|label| context.say(*label).to_uppercase())
                .collect(),
            rows: Vec::new(),
        }
    }

    /// Returns this table with a further column.
    pub(crate) fn column(mut self, heading: &str) -> Self {
        self.head.push(heading.into());
        self
    }

    /// Adds a row of plain cells.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.tinted(cells.map(|cell| (cell, Tint::Plain)));
    }

    /// Adds a row of colored cells.
    pub(crate) fn tinted(&mut self, cells: impl IntoIterator<Item = (String, Tint)>) {
        self.rows.push(
            cells
                .into_iter()
                .map(|(text, tint)| (filled(&one_line(&text)), tint))
                .collect(),
        );
    }

    /// Returns whether there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the table of all that there is as text, or the phrase for nothing yet when it has no rows.
    pub(crate) fn render_all(&self, context: &Context) -> String {
        if self.is_empty() {
            return context.say(label::NOTHING_YET).into();
        }
        self.render(context)
    }

    /// Returns the table as text, or the phrase for nothing when it has no rows.
    pub(crate) fn render(&self, context: &Context) -> String {
        if self.is_empty() {
            return context.say(label::NONE).into();
        }
        let mut widths: Vec<usize> = self.head.iter().map(|cell| cell.chars().count()).collect();
        for row in &self.rows {
            for (width, (text, _)) in widths.iter_mut().zip(row) {
                *width = (*width).max(text.chars().count());
            }
        }
        let head: Vec<(String, Tint)> = self
            .head
            .iter()
            .map(|cell| (cell.clone(), Tint::Plain))
            .collect();
        let lines: Vec<String> = std::iter::once(&head)
            .chain(&self.rows)
            .map(|row| line(row, &widths, context.tint))
            .collect();
        lines.join("\n")
    }
}

fn line(row: &[(String, Tint)], widths: &[usize], tint: bool) -> String {
    let mut line = String::new();
    let last = row.len().saturating_sub(1);
    for (column, ((text, color), width)) in row.iter().zip(widths).enumerate() {
        line.push_str(&painted(text, *color, tint));
        if column < last {
            let gap = width.saturating_sub(text.chars().count()) + 2;
            line.extend(std::iter::repeat_n(' ', gap));
        }
    }
    line
}

/// Returns the text in a color when colors are shown.
pub(crate) fn painted(text: &str, color: Tint, tint: bool) -> String {
    let code = match color {
        Tint::Good => "32",
        Tint::Warn => "33",
        Tint::Bad => "1;31",
        Tint::Plain => return text.into(),
    };
    if tint {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.into()
    }
}

/// Returns lines of `label: value`, leaving out those with an empty value.
pub(crate) fn fields<const N: usize>(context: &Context, fields: [(Label, String); N]) -> String {
    let kept: Vec<(&str, String)> = fields
        .into_iter()
        .filter(|(_, value)| !value.is_empty() && value != "-")
        .map(|(label, value)| (context.say(label), clean(&value)))
        .collect();
    let width = kept
        .iter()
        .map(|(label, _)| label.chars().count())
        .max()
        .unwrap_or_default()
        + 1;
    let lines: Vec<String> = kept
        .iter()
        .map(|(label, value)| format!("{:<width$} {}", format!("{label}:"), indented(value, width)))
        .collect();
    lines.join("\n")
}

fn indented(value: &str, width: usize) -> String {
    value.replace('\n', &format!("\n{:width$} ", ""))
}

fn filled(text: &str) -> String {
    if text.is_empty() {
        "-".into()
    } else {
        text.into()
    }
}

fn one_line(text: &str) -> String {
    clean(text)
        .split_whitespace()
        .collect::<Vec<&str>>()
        .join(" ")
}

/// Returns the text without control characters other than line ends, so that no published text commands a terminal.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| *c != '\r')
        .map(|c| {
            // What is hidden can make a line read as another one than it is.
            if (c.is_control() && c != '\n') || is_hidden(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// Returns a number for people, with marks between its thousands: `1.234` in Bahasa Indonesia, `1,234` in English.
pub(crate) fn grouped(number: u64, lang: Lang) -> String {
    let digits = number.to_string();
    let mark = match lang {
        Lang::Id => '.',
        Lang::En => ',',
    };
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(mark);
        }
        shown.push(digit);
    }
    shown
}

/// Returns a time for people, in Western Indonesian Time, or a dash.
pub(crate) fn when(at: Option<&Timestamp>) -> String {
    local(at).unwrap_or_else(|| "-".into())
}

/// Returns the begin of a time for people: the day alone where that is its midnight in Western Indonesian Time.
pub(crate) fn since(at: Option<&Timestamp>) -> String {
    when(at).replace(" 00:00:00 WIB", "")
}

/// Returns the end of a time for people: the last day that is in it where it ends at midnight.
pub(crate) fn until(at: Option<&Timestamp>) -> String {
    let shown = when(at);
    let last = at.map(|at| Timestamp {
        seconds: at.seconds - 1,
        ..*at
    });
    match shown.strip_suffix(" 00:00:00 WIB") {
        Some(_) => when(last.as_ref()).replace(" 23:59:59 WIB", ""),
        None => shown,
    }
}

fn local(at: Option<&Timestamp>) -> Option<String> {
    let zone = FixedOffset::east_opt(7 * 3600)?;
    let at = at?;
    let at = DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?)?;
    Some(
        at.with_timezone(&zone)
            .format("%Y-%m-%d %H:%M:%S WIB")
            .to_string(),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn context(lang: Lang) -> Context {
        Context {
            dir: ".".into(),
            lang,
            json: false,
            tint: false,
            token: None,
            token_dir: None,
            logins: OnceLock::new(),
        }
    }

    #[test]
    fn people_are_shown_by_their_login_name_where_it_is_known() {
        let context = context(Lang::Id);
        assert_eq!(context.person(&[7; 16]), "07070707");
        let logins = BTreeMap::from([(vec![7; 16], "sari".to_owned())]);
        context.logins.set(logins).unwrap();
        assert_eq!(context.person(&[7; 16]), "sari");
        assert_eq!(context.person(&[9; 16]), "09090909");
        assert_eq!(context.person(&[0; 16]), "otomatis (simpul)");
        assert_eq!(context.person(&[]), "");
    }

    #[test]
    fn thousands_are_marked_as_the_language_marks_them() {
        assert_eq!(grouped(8_630_010, Lang::Id), "8.630.010");
        assert_eq!(grouped(1234, Lang::En), "1,234");
        assert_eq!(grouped(999, Lang::Id), "999");
        assert_eq!(grouped(0, Lang::Id), "0");
    }

    #[test]
    fn columns_are_aligned_and_empty_cells_are_dashes() {
        let context = context(Lang::En);
        let mut table = Table::new(&context, &[label::ORIGIN, label::WHY]);
        table.row(["32".into(), String::new()]);
        table.row(["ims".into(), "a\nb".into()]);
        assert_eq!(
            table.render(&context),
            "ORIGIN  WHY\n32      -\nims     a b"
        );
    }

    #[test]
    fn colors_do_not_move_the_columns_and_are_shown_only_when_wanted() {
        let mut context = context(Lang::En);
        let mut table = Table::new(&context, &[label::ORIGIN, label::WHY]);
        table.tinted([("32".into(), Tint::Bad), ("x".into(), Tint::Plain)]);
        assert_eq!(table.render(&context), "ORIGIN  WHY\n32      x");
        context.tint = true;
        assert_eq!(
            table.render(&context),
            "ORIGIN  WHY\n\u{1b}[1;31m32\u{1b}[0m      x"
        );
    }

    #[test]
    fn published_text_cannot_command_the_terminal() {
        assert_eq!(
            clean("a\u{1b}[2Jb\u{9b}c\u{202e}d\u{200b}\r\ne"),
            "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\u{fffd}\ne"
        );
    }

    #[test]
    fn times_for_people_are_western_indonesian() {
        let at = Timestamp {
            seconds: 1_669_011_669,
            nanos: 0,
        };
        assert_eq!(when(Some(&at)), "2022-11-21 13:21:09 WIB");
        assert_eq!(when(None), "-");
        assert_eq!(
            when(Some(&Timestamp {
                seconds: i64::MAX,
                nanos: -1
            })),
            "-"
        );
    }

    #[test]
    fn an_empty_table_says_so() {
        let context = context(Lang::Id);
        assert_eq!(
            Table::new(&context, &[label::ORIGIN]).render(&context),
            "tidak ada yang cocok"
        );
    }

    #[test]
    fn fields_leave_out_what_is_not_known() {
        let context = context(Lang::Id);
        let text = fields(
            &context,
            [
                (label::ORIGIN, "32".into()),
                (label::WHY, String::new()),
                (label::STATE, "a\nb".into()),
            ],
        );
        assert_eq!(text, "asal:    32\nkeadaan: a\n         b");
    }
}
