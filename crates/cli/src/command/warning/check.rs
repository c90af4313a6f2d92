//! `posko warning check`: what files would become, read as intake reads them; nothing is stored and nobody is asked.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{foreseen_table, not_an_address, show::note_text, would_be};
use crate::{
    failure::Failure,
    json::warning::Foreseen,
    label,
    offline::{self, Check, Fault, Verdict},
    output::{Answer, Context, Table, Tint},
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko warning check alert.xml
  posko warning check --json *.cap *.json

It reads CAP 1.0 to 1.2, RSS and Atom lists, EDXL-DE envelopes, BMKG's earthquakes,
bulletins and nowcasts, and tables of river gauges and volcanoes; what a file is, is
told by its bytes. It says what each item would become: its hazard and severity, the
regions and border zones that it reaches, how many people live there, names that are
not certain, or why it would be refused. River gauges are those of the node's
configuration, or those that ship. It ends with 1 when a file is invalid, which it also
is when `posko warning take` would refuse an item of it, or one of several cannot be read.")]
pub(crate) struct CheckArgs {
    /// The files; `-` is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// A file and what was found out about it.
#[derive(Serialize)]
struct Checked {
    file: String,
    #[serde(flatten)]
    check: Check,
    /// What each item would become.
    becomes: Vec<Foreseen>,
    #[serde(skip)]
    foreseen: Vec<offline::Foreseen>,
}

impl Checked {
    fn of(file: &Path, found: offline::Checked) -> Self {
        Self {
            file: file.display().to_string(),
            check: found.check,
            becomes: would_be(&found.items),
            foreseen: found.items,
        }
    }

    fn unread(file: &Path, failure: &Failure) -> Self {
        let fault = Fault {
            element: None,
            place: None,
            message: failure.message.clone(),
        };
        let check = Check {
            format: None,
            version: None,
            verdict: Verdict::Invalid,
            items: Vec::new(),
            faults: vec![fault],
            notes: Vec::new(),
        };
        Self::of(
            file,
            offline::Checked {
                check,
                items: Vec::new(),
            },
        )
    }
}

impl CheckArgs {
    /// Runs the command.
    pub(crate) fn run(self, context: &Context) -> Result<Answer, Failure> {
        let (mut checked, mut unread) = (Vec::new(), Vec::new());
        for file in &self.files {
            not_an_address(file)?;
            checked.push(match offline::check_document(&context.dir, file) {
                Ok(found) => Checked::of(file, found),
                Err(failure) => {
                    let shown = Checked::unread(file, &failure);
                    unread.push(failure);
                    shown
                }
            });
        }
        // One that cannot be read does not hide what the others would become.
        if unread.len() == checked.len()
            && let Some(failure) = unread.into_iter().next()
        {
            return Err(failure);
        }
        let valid = |checked: &Checked| checked.check.verdict != Verdict::Invalid;
        let text = render(context, &checked);
        Ok(Answer {
            yes: checked.iter().all(valid),
            ..Answer::new(serde_json::json!({ "files": checked }), text)?
        })
    }
}

fn render(context: &Context, checked: &[Checked]) -> String {
    let head = [label::FILE, label::STATE, label::FORMAT, label::ITEMS];
    let mut table = Table::new(context, &head);
    let mut said: Vec<String> = Vec::new();
    let mut become_what: Vec<String> = Vec::new();
    for Checked {
        file,
        check,
        foreseen,
        ..
    } in checked
    {
        let (word, tint) = match check.verdict {
            Verdict::Valid => (label::VALID, Tint::Good),
            Verdict::ValidWithWarnings => (label::VALID_WITH_WARNINGS, Tint::Warn),
            Verdict::Invalid => (label::INVALID, Tint::Bad),
        };
        let format = check.format.map(|format| context.told(format.title()));
        let version = check.version.map(str::to_owned);
        let format = format.into_iter().chain(version);
        table.tinted([
            (file.clone(), Tint::Plain),
            (context.say(word).into(), tint),
            (format.collect::<Vec<_>>().join(" "), Tint::Plain),
            (check.items.len().to_string(), Tint::Plain),
        ]);
        for fault in &check.faults {
            said.push(format!("{file}: {}", context.told(&fault.message)));
        }
        let notes = check.items.iter().flat_map(|item| &item.notes);
        for note in check.notes.iter().chain(notes) {
            let place = note.place.map(|place| {
                let (line, column) = (context.say(label::LINE), context.say(label::COLUMN));
                format!(" ({line} {}, {column} {})", place.line, place.column)
            });
            let about = format!("{file}: `{}`{}", note.path, place.unwrap_or_default());
            said.push(note_text(context, &about, note.count as u64, &note.text));
        }
        if !foreseen.is_empty() {
            become_what.push(format!(
                "{file}: {}\n{}",
                context.say(label::WOULD_BE),
                foreseen_table(context, foreseen)
            ));
        }
    }
    let mut parts = vec![table.render(context)];
    if !said.is_empty() {
        parts.push(said.join("\n"));
    }
    parts.extend(become_what);
    parts.join("\n\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{label::Lang, output::tests::context};

    #[test]
    fn each_file_is_told_with_what_is_wrong_and_one_invalid_is_a_no() {
        let dir = tempfile::tempdir().unwrap();
        let in_dir = |name: &str| dir.path().join(name);
        let (level, gauge, page) = (
            in_dir("level.csv"),
            in_dir("gauge.csv"),
            in_dir("page.html"),
        );
        let rows = "volcano,time,level\nGede,2026-01-05T04:00:00+07:00,Normal\n";
        fs::write(&level, rows).unwrap();
        let rows = "station,time,level_cm\nKatulampa,2026-01-05T04:00:00+07:00,210\n";
        fs::write(&gauge, rows).unwrap();
        fs::write(&page, "<!doctype html><title>Login</title>").unwrap();
        let check = |files: &[&PathBuf]| {
            let files = files.iter().map(|file| (*file).clone()).collect();
            CheckArgs { files }.run(&context(Lang::En)).unwrap()
        };
        let good = check(&[&level]);
        assert!(good.yes, "{}", good.text);
        assert_eq!(good.json["files"][0]["format"], "volcanoes");
        // The reading is of a day long past, which intake would not take for the river of today.
        let stale = check(&[&gauge]);
        assert!(!stale.yes, "{}", stale.text);
        assert_eq!(stale.json["files"][0]["becomes"][0]["fate"], "refused");
        assert_eq!(stale.json["files"][0]["verdict"], "invalid");
        let both = check(&[&level, &page]);
        assert!(
            !both.yes && both.text.contains("HTML page"),
            "{}",
            both.text
        );
        let missing = CheckArgs {
            files: vec![dir.path().join("none")],
        };
        assert_eq!(missing.run(&context(Lang::En)).unwrap_err().exit as u8, 2);
        let address = CheckArgs {
            files: vec!["https://data.bmkg.go.id/autogempa.json".into()],
        };
        let refused = address.run(&context(Lang::En)).unwrap_err();
        assert!(
            refused.exit as u8 == 2 && refused.message.contains("posko feed test NAME"),
            "{}",
            refused.message
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_does_not_hide_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let level = dir.path().join("level.csv");
        let rows = "volcano,time,level\nGede,2026-01-05T04:00:00+07:00,Normal\n";
        fs::write(&level, rows).unwrap();
        let files = vec![dir.path().to_owned(), level];
        let both = CheckArgs { files }.run(&context(Lang::Id)).unwrap();
        assert!(!both.yes);
        assert_eq!(both.json["files"][0]["verdict"], "invalid");
        assert_eq!(both.json["files"][1]["verdict"], "valid");
        assert!(both.text.contains("itu direktori"), "{}", both.text);
    }

    #[test]
    fn how_a_document_was_read_is_told_in_the_language_of_the_screen() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("alert.xml");
        let alert = "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'><identifier>a</identifier>\
            <sender>b</sender><sent>2026-01-05T12:00:00+07:00</sent><status>Test</status>\
            <msgType>Alert</msgType><scope>Public</scope>\
            <Signature xmlns='http://www.w3.org/2000/09/xmldsig#'><SignedInfo><SignatureMethod \
            Algorithm='http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'/></SignedInfo></Signature></alert>";
        fs::write(&file, alert).unwrap();
        for (lang, said) in [
            (
                Lang::Id,
                "bertanda tangan dengan `rsa-sha256`, belum diverifikasi",
            ),
            (Lang::En, "signed with `rsa-sha256`, not verified"),
        ] {
            let files = vec![file.clone()];
            let told = CheckArgs { files }.run(&context(lang)).unwrap();
            assert!(told.text.contains(said), "{}", told.text);
        }
    }
}
