//! `posko log`: checks, exports and opens logs again without a running node, and shows what owners said about theirs.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use posko_proto::{
    Id, NodeId,
    log::v1::{GetKnownRequest, GetKnownResponse},
};
use prost_types::Timestamp;
use serde_json::json;

use super::federation::{declare_lost, statements};
use crate::{
    client::{Client, Who},
    failure::Failure,
    input::{self, Frame},
    json::{self as view, log::Known},
    label,
    offline::{self, LogCheck},
    output::{Answer, Context, Table, Tint, fields, note, painted, when},
};

/// Checks and exports logs, opens a forked one again, and shows what was withdrawn or lost
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko log verify
  posko log verify 32.poskolog
  posko log export 32 --out 32.poskolog
  posko log withdrawals
  posko log known 31 --at 2026-11-21T14:05:00+07:00
  posko log reopen --recovery-key recovery.key")]
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

Exit code 0 says that all hold, 1 that something does not. Entries of a forked log that
another machine wrote, and that its owner went on without, are told and do not count.")]
    Verify {
        /// An exported log [default: all logs of the directory]
        file: Option<PathBuf>,
    },
    /// Writes a log to a file that anybody can check
    #[command(after_help = "Examples:
  posko log export 32 --out 32.poskolog

A file that is there is not overwritten.")]
    Export {
        /// Whose log
        #[arg(value_parser = input::node)]
        origin: NodeId,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Lists payloads that were withdrawn, why, and which peers have not applied it yet
    #[command(after_help = "Examples:
  posko log withdrawals
  posko log withdrawals --limit 0 --json

Only the node that withdrew knows how far its peers are. A file that was restored from
a backup holds a withdrawn text until its node has met a peer; it is erased then.")]
    Withdrawals {
        /// At most this many; 0 lists all
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Lists all that owners said about their logs: disowned, lost, withdrawn
    #[command(after_help = "Examples:
  posko log statements
  posko log statements --limit 0 --json")]
    Statements {
        /// At most this many; 0 lists all
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Tells what this node knew of another's log at a time
    #[command(after_help = "Examples:
  posko log known 31 --at 2026-11-21T14:05:00+07:00
  posko log known 31 --at 2026-11-21T14:05:00+07:00 --json

It tells up to which entry the log had come, when that was recorded and when it came, and
how many entries had been recorded by then that had not. Times are by the clock of the node
that noted them. Nothing was noted between a backup and the start of the node on it.")]
    Known {
        /// Whose log
        #[arg(value_parser = input::node)]
        origin: NodeId,
        /// The time
        #[arg(long, value_name = "TIME", value_parser = input::time)]
        at: Timestamp,
    },
    /// Declares payloads of this node's log lost, once no peer has them
    #[command(after_help = "Examples:
  posko log lost 0192f3c4-5a6b-7c8d-9e0f-112233445566 --reason \"Cadangan rusak\"

`posko federation gaps` lists what is missing, and which peers were not asked for it yet.
Nobody waits for a lost payload any more. It cannot be taken back.")]
    Lost {
        /// Events of the entries
        #[arg(value_name = "EVENT_ID", value_parser = input::id, required = true)]
        events: Vec<Id>,
        /// What is known of the loss; it names nobody, since every province reads it
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        frame: Frame,
    },
    /// Lets this node's own log go on after two machines wrote it at once
    #[command(after_help = "Examples:
  posko --dir /var/lib/posko log reopen --recovery-key recovery.key

First stop the other machine, and be sure that it never comes back; then stop
this node and run this. The log goes on from the last entry that both have, or begins
anew where they have none.
What this machine wrote after it is recorded again when the node runs; what
only the other one wrote stays with the peers that have it, as evidence.
The recovery key is not put into the directory: it goes back to the safe.")]
    Reopen {
        /// File of the recovery key, from the safe
        #[arg(long, value_name = "KEYFILE")]
        recovery_key: PathBuf,
    },
}

impl LogArgs {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        match self.command {
            LogCommand::Withdrawals { limit } => statements(context, true, limit).await,
            LogCommand::Statements { limit } => statements(context, false, limit).await,
            LogCommand::Known { origin, at } => {
                let request = GetKnownRequest {
                    origin: origin.to_string(),
                    at: Some(at),
                };
                let client = Client::connect(context, Who::Anyone).await?;
                let known = client.logs().get_known(request).await?.into_inner();
                let text = known_text(context, &known);
                Answer::new(Known::from(known), text)
            }
            LogCommand::Lost {
                events,
                reason,
                frame,
            } => declare_lost(context, events, reason, frame).await,
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
            LogCommand::Reopen { recovery_key } => {
                let entries = offline::reopen_log(&context.dir, &recovery_key).await?;
                let text = fields(context, [(label::REOPENED, entries.to_string())]);
                Answer::new(json!({ "entries": entries }), text)
            }
        }
    }
}

fn known_text(context: &Context, known: &GetKnownResponse) -> String {
    let held = match known.position.as_ref().map(view::position) {
        Some(position) => position,
        None => context.say(label::NOTHING_YET).into(),
    };
    let seconds = |from: Option<Timestamp>, to: Option<Timestamp>| {
        from.zip(to)
            .map(|(from, to)| (to.seconds - from.seconds).max(0))
    };
    let behind = match seconds(known.behind_since, known.at) {
        _ if known.position.is_none() => String::new(),
        _ if !known.behind_known => context.say(label::LEFT_OUT_SINCE).into(),
        None => format!("0 {}", context.say(label::ENTRIES)),
        Some(age) => format!(
            "{} {}, {} {} ({age} s)",
            known.entries_behind,
            context.say(label::ENTRIES),
            context.say(label::RECORDED_FROM),
            when(known.behind_since.as_ref()),
        ),
    };
    let untold = known.untold_from.map_or_else(String::new, |from| {
        let (from, until) = (when(Some(&from)), when(known.untold_until.as_ref()));
        let said = context.say(label::UNTOLD);
        painted(
            &format!("{from} – {until}: {said}"),
            Tint::Bad,
            context.tint,
        )
    });
    fields(
        context,
        [
            (label::ORIGIN, known.origin.clone()),
            (label::AS_OF, when(known.at.as_ref())),
            (label::KNOWN_UP_TO, held),
            (label::RECORDED, when(known.recorded_at.as_ref())),
            (label::ARRIVED, when(known.arrived_at.as_ref())),
            (label::BEHIND, behind),
            (label::FIRST_ARRIVED, when(known.first_arrival.as_ref())),
            (label::UNKNOWN, untold),
        ],
    )
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

/// Tells what does not hold, or what is kept beside a log that does.
fn told_of(context: &Context, check: &LogCheck) -> String {
    let others = check.other_branches.iter().map(|other| {
        format!(
            "{} {}: {} `{}` {} {}, {} {}",
            other.entries,
            context.say(label::OTHER_BRANCH),
            context.say(label::FORK_PROOF),
            other.fork_proof,
            context.say(label::AT),
            other.forked_at,
            context.say(label::OPENED_AGAIN_IN),
            other.reopened,
        )
    });
    let problem = check.problem.iter().map(|problem| context.told(problem));
    let files = check
        .attachments
        .filter(|files| files.named > 0)
        .map(|files| {
            format!(
                "{} {}, {} {}, {} {}",
                files.named,
                context.say(label::FILES_NAMED),
                files.held,
                context.say(label::FILES_HELD),
                files.missing,
                context.say(label::FILES_MISSING),
            )
        });
    let told: Vec<String> = problem.chain(others).chain(files).collect();
    told.join("; ")
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
            (told_of(context, check), tint),
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
            other_branches: Vec::new(),
            attachments: None,
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
    #[test]
    fn what_another_machine_wrote_is_told_and_leaves_the_answer_yes() {
        let check = LogCheck {
            origin: "32".into(),
            entries: Some(9),
            intact: true,
            problem: None,
            other_branches: vec![offline::OtherBranch {
                entries: 3,
                forked_at: "2.0707/5".into(),
                fork_proof: "c0ffee00".into(),
                reopened: "3.0909".into(),
            }],
            attachments: None,
        };
        let answer = verdict(&context(Lang::En), std::slice::from_ref(&check)).unwrap();
        assert!(answer.yes);
        let said = "intact  3 entries of the other machine's branch, kept as evidence: \
                    fork proof `c0ffee00` at 2.0707/5, opened again in epoch 3.0909";
        assert!(answer.text.contains(said), "{}", answer.text);
        assert_eq!(answer.json["logs"][0]["other_branches"][0]["entries"], 3);
        let answer = verdict(&context(Lang::Id), &[check]).unwrap();
        assert!(
            answer.text.contains("disimpan sebagai bukti"),
            "{}",
            answer.text
        );
    }

    #[test]
    fn what_was_known_at_a_time_says_how_far_that_was_behind_or_why_it_is_not_known() {
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let known = GetKnownResponse {
            origin: "31".into(),
            at: at(1_774_422_300),
            position: Some(posko_proto::common::v1::Position {
                origin: "31".into(),
                epoch_no: 4,
                epoch_nonce: vec![0xab; 16],
                seq: 17,
                hash: vec![1; 32],
            }),
            recorded_at: at(1_774_422_000),
            arrived_at: at(1_774_422_003),
            behind_known: true,
            entries_behind: 2,
            behind_since: at(1_774_422_120),
            first_arrival: at(1_774_000_000),
            ..Default::default()
        };
        let text = known_text(&context(Lang::En), &known);
        for said in [
            "known up to:   31@4.abab/17",
            "recorded:      2026-03-25 14:00:00 WIB",
            "arrived:       2026-03-25 14:00:03 WIB",
            "behind:        2 entries, recorded from 2026-03-25 14:02:00 WIB (180 s)",
        ] {
            assert!(text.contains(said), "{text}");
        }
        let json = serde_json::to_value(Known::from(known.clone())).unwrap();
        assert_eq!(json["position"], "31@4.abab/17");
        assert_eq!(json["seconds_behind"], 180);

        let left_out = GetKnownResponse {
            behind_known: false,
            ..known
        };
        let text = known_text(&context(Lang::En), &left_out);
        assert!(text.contains("left out of the log since"), "{text}");
        let json = serde_json::to_value(Known::from(left_out)).unwrap();
        assert_eq!(json["entries_behind"], serde_json::Value::Null);

        let early = GetKnownResponse {
            origin: "31".into(),
            at: at(1_774_422_300),
            untold_from: at(1_774_422_120),
            untold_until: at(1_774_425_720),
            ..Default::default()
        };
        let text = known_text(&context(Lang::Id), &early);
        assert!(text.contains("belum ada"), "{text}");
        assert!(
            text.contains("2026-03-25 14:02:00 WIB – 2026-03-25 15:02:00 WIB: berkas dipulihkan"),
            "{text}"
        );
    }

    #[test]
    fn how_many_attachments_are_named_here_and_not_here_is_told() {
        let check = LogCheck {
            origin: "32".into(),
            entries: Some(9),
            intact: true,
            problem: None,
            other_branches: Vec::new(),
            attachments: Some(offline::Attachments {
                named: 5,
                held: 3,
                missing: 2,
            }),
        };
        let answer = verdict(&context(Lang::Id), std::slice::from_ref(&check)).unwrap();
        let said = "utuh     5 lampiran disebut, 3 ada di sini, 2 belum ada di sini";
        assert!(answer.text.contains(said), "{}", answer.text);
        assert_eq!(answer.json["logs"][0]["attachments"]["missing"], 2);
    }
}
