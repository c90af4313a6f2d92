//! `posko backup`: copies a node to one file, also while it runs.

use std::path::PathBuf;

use clap::Args;

use crate::{
    command::restore::shown,
    failure::Failure,
    label, offline,
    output::{Answer, Context},
};

/// Copies the node to one file, while it runs or not
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko --dir /var/lib/posko backup --out /mnt/backup/32.backup
  posko backup --out \"32-$(date +%F).backup\" --json

The file holds the database, the configuration, the card and the node's keys.
The keys are sealed: only who has the recovery key from the safe can read them.
The rest is not: keep the file where only those come who may read the database.
A file that is there is not overwritten.
Try the restore of one from time to time:
  posko restore 32.backup --check --recovery-key recovery.key")]
pub(crate) struct BackupArgs {
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What was meant for `--out`
    #[arg(hide = true, value_name = "FILE", value_parser = without_option)]
    stray: Option<String>,
}

/// Refuses a file that is named without its option.
fn without_option(text: &str) -> Result<String, String> {
    Err(format!("name the file to write with `--out {text}`"))
}

impl BackupArgs {
    /// Makes the backup.
    pub(crate) fn run(self, context: &Context) -> Result<Answer, Failure> {
        let face = offline::back_up(&context.dir, &self.out)?;
        shown(context, label::BACKED_UP, face)
    }
}
