//! `posko views`: rebuilds and compares what is folded from the logs.

use std::io::{self, IsTerminal};

use clap::{Args, Subcommand};
use posko_proto::{
    federation::v1::{GetDigestsRequest, GetDigestsResponse, RebuildViewsRequest},
    id::hex,
};
use serde_json::json;

use crate::{
    client::{Client, Who},
    failure::Failure,
    json::{self, federation as view},
    label, offline,
    output::{Answer, Context, Table, fields, note},
};

/// Rebuilds the views from the logs, and shows their digests
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko views rebuild
  posko views digest --json")]
pub(crate) struct ViewsArgs {
    #[command(subcommand)]
    command: ViewsCommand,
}

#[derive(Debug, Subcommand)]
enum ViewsCommand {
    /// Builds all views anew beside the old ones, then swaps them
    #[command(after_help = "Examples:
  posko views rebuild
  posko --dir /var/lib/posko views rebuild --offline

The node goes on answering from the old views meanwhile; progress goes to stderr.")]
    Rebuild {
        /// Work on the directory of a node that is not running
        #[arg(long)]
        offline: bool,
    },
    /// Shows a digest of every view for every origin: equal digests at equal positions are equal pictures
    #[command(after_help = "Examples:
  posko views digest
  posko views digest --json |
    jq -r '.digests[] | [.view, .origin, .sha256] | @tsv'")]
    Digest,
}

impl ViewsArgs {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        match self.command {
            ViewsCommand::Rebuild { offline: true } => {
                let mut progress = Progress::new(context);
                let entries = offline::rebuild_views(&context.dir, &mut |done, total| {
                    progress.show(done, total);
                })
                .await?;
                rebuilt(context, entries)
            }
            ViewsCommand::Rebuild { offline: false } => rebuild(context).await,
            ViewsCommand::Digest => digest(context).await,
        }
    }
}

async fn rebuild(context: &Context) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let mut stream = client
        .node()
        .rebuild_views(RebuildViewsRequest {})
        .await?
        .into_inner();
    let mut progress = Progress::new(context);
    let mut newest = None;
    while let Some(step) = stream.message().await? {
        progress.show(step.done, step.total);
        newest = Some(step);
    }
    match newest {
        Some(step) if step.swapped => rebuilt(context, step.done),
        _ => Err(Failure::internal(anyhow::anyhow!(
            "the node ended the rebuild before the new views were in use"
        ))),
    }
}

fn rebuilt(context: &Context, entries: u64) -> Result<Answer, Failure> {
    let text = fields(
        context,
        [(
            label::REBUILT,
            format!("{entries} {}", context.say(label::ENTRIES)),
        )],
    );
    Answer::new(json!({ "entries": entries, "swapped": true }), text)
}

async fn digest(context: &Context) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let digests = client
        .node()
        .get_digests(GetDigestsRequest {})
        .await?
        .into_inner();
    let text = digests_table(context, &digests);
    Answer::new(view::Digests::from(digests), text)
}

fn digests_table(context: &Context, digests: &GetDigestsResponse) -> String {
    let mut table = Table::new(
        context,
        &[label::VIEW, label::ORIGIN, label::ROWS, label::DIGEST],
    );
    for digest in &digests.digests {
        table.row([
            digest.view.clone(),
            digest.origin.clone(),
            digest.rows.to_string(),
            hex(&digest.sha256),
        ]);
    }
    let positions: Vec<String> = digests.positions.iter().map(json::position).collect();
    format!(
        "{}\n\n{}",
        table.render(context),
        fields(context, [(label::POSITION, positions.join(" "))])
    )
}

/// Progress of long work on stderr: one line a percent, and only when it is a terminal or a tenth has passed.
pub(crate) struct Progress {
    shown: Option<u64>,
    step: u64,
    entries: &'static str,
}

impl Progress {
    /// Returns progress that was not shown yet.
    pub(crate) fn new(context: &Context) -> Self {
        let step = if io::stderr().is_terminal() { 1 } else { 10 };
        Self {
            shown: None,
            step,
            entries: context.say(label::ENTRIES),
        }
    }

    /// Shows how far it is, unless that was shown already.
    pub(crate) fn show(&mut self, done: u64, total: u64) {
        if let Some(percent) = self.next(done, total) {
            note(&format!("{percent:>3} %  {done}/{total} {}", self.entries));
        }
    }

    fn next(&mut self, done: u64, total: u64) -> Option<u64> {
        let percent = done
            .saturating_mul(100)
            .checked_div(total)
            .unwrap_or(100)
            .min(100);
        let step = percent - percent % self.step;
        if self.shown.is_some_and(|shown| step <= shown) {
            return None;
        }
        self.shown = Some(step);
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_shown_once_a_step() {
        let mut progress = Progress {
            shown: None,
            step: 10,
            entries: "entries",
        };
        let shown: Vec<u64> = (0..=1000)
            .filter_map(|done| progress.next(done, 1000))
            .collect();
        assert_eq!(shown, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
        assert_eq!(
            Progress {
                shown: None,
                step: 1,
                entries: ""
            }
            .next(0, 0),
            Some(100)
        );
    }
}
