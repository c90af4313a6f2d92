//! `posko log`: checks and exports logs, without a running node.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use posko_proto::NodeId;
use serde_json::json;

use crate::{
    failure::Failure,
    input, label,
    offline::{self, LogCheck},
    output::{Answer, Context, Table, Tint, fields, note},
};

/// Checks and exports logs; it needs no running node
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko log verify
  posko log verify 32.poskolog
  posko log export 32 --out 32.poskolog")]
pub(crate) struct LogArgs {
    #[command(subcommand)]
    command: LogCommand,
}

#[derive(Debug, Subcommand)]
enum LogCommand {
    /// Checks every hash and signature of all logs of the directory, or of one exported log
    #[command(after_help = "Examples:
  posko --dir /var/lib/posko log verify
  posko log verify 32.poskolog --json

Exit code 0 says that all hold, 1 that something does not.")]
    Verify {
        /// An exported log [default: all logs of the directory]
        file: Option<PathBuf>,
    },
    /// Writes a log to a file that anybody can check
    #[command(after_help = "Examples:
  posko log export 32 --out 32.poskolog")]
    Export {
        /// Whose log
        #[arg(value_parser = input::node)]
        origin: NodeId,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

impl LogArgs {
    /// Runs the command.
    pub(crate) fn run(self, context: &Context) -> Result<Answer, Failure> {
        match self.command {
            LogCommand::Verify { file } => {
                let mut told = Told::default();
                let checks = match file {
                    Some(file) => vec![offline::verify_file(&file)?],
                    None => offline::verify_logs(&context.dir, &mut |origin, entries| {
                        told.tell(context, origin, entries);
                    })?,
                };
                verdict(context, &checks)
            }
            LogCommand::Export { origin, out } => {
                let entries = offline::export_log(&context.dir, origin, &out)?;
                let file = out.display().to_string();
                let text = fields(
                    context,
                    [
                        (label::EXPORTED, file.clone()),
                        (label::ENTRIES, entries.to_string()),
                    ],
                );
                Answer::new(
                    json!({ "origin": origin.as_str(), "file": file, "entries": entries }),
                    text,
                )
            }
        }
    }
}

/// How far the check has come, told on stderr every 100,000 entries.
#[derive(Default)]
struct Told {
    origin: String,
    entries: u64,
}

impl Told {
    fn tell(&mut self, context: &Context, origin: &str, entries: u64) {
        if self.origin != origin {
            *self = Self {
                origin: origin.into(),
                entries: 0,
            };
        }
        if entries >= self.entries + 100_000 {
            self.entries = entries;
            note(&format!(
                "{origin}: {entries} {}",
                context.say(label::ENTRIES)
            ));
        }
    }
}

fn verdict(context: &Context, checks: &[LogCheck]) -> Result<Answer, Failure> {
    let intact = checks.iter().all(|check| check.intact);
    let mut table = Table::new(
        context,
        &[label::ORIGIN, label::ENTRIES, label::STATE, label::WHY],
    );
    for check in checks {
        let (word, tint) = if check.intact {
            (label::VERIFIED, Tint::Good)
        } else {
            (label::NOT_VERIFIED, Tint::Bad)
        };
        table.tinted([
            (check.origin.clone(), Tint::Plain),
            (
                check
                    .entries
                    .map(|entries| entries.to_string())
                    .unwrap_or_default(),
                Tint::Plain,
            ),
            (context.say(word).into(), tint),
            (check.problem.clone().unwrap_or_default(), tint),
        ]);
    }
    let answer = Answer::new(
        json!({ "ok": intact, "logs": checks }),
        table.render(context),
    )?;
    Ok(Answer {
        yes: intact,
        ..answer
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{label::Lang, output::tests::context};

    #[test]
    fn one_log_that_does_not_hold_makes_the_answer_no() {
        let check = |intact: bool| LogCheck {
            origin: "32".into(),
            entries: Some(9),
            intact,
            problem: (!intact).then(|| "hash at entry `4` does not follow".into()),
        };
        assert!(verdict(&context(Lang::En), &[check(true)]).unwrap().yes);
        let answer = verdict(&context(Lang::En), &[check(true), check(false)]).unwrap();
        assert!(!answer.yes);
        assert!(
            answer
                .text
                .contains("NOT INTACT  hash at entry `4` does not follow"),
            "{}",
            answer.text
        );
        assert_eq!(answer.json["ok"], false);
    }
}
