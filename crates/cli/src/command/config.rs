//! `posko config`: checks and shows the configuration, without a running node.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    failure::Failure,
    label, offline,
    output::{Answer, Context, fields},
};

/// Checks and shows the configuration; it needs no running node
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko config check
  posko config show --json")]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Says whether DIR/config.toml is valid; an unknown key is named with the nearest known one
    #[command(after_help = "Examples:
  posko --dir /var/lib/posko config check && systemctl restart posko

Exit code 0 says that it is valid, 1 that it is not.")]
    Check,
    /// Shows what the node will run with, defaults included
    #[command(after_help = "Examples:
  posko config show
  posko config show --json")]
    Show,
}

impl ConfigArgs {
    /// Runs the command.
    pub(crate) fn run(self, context: &Context) -> Result<Answer, Failure> {
        let face = offline::check_config(&context.dir)?;
        match self.command {
            ConfigCommand::Check => Answer::new(
                json!({ "valid": true }),
                fields(context, [(label::CONFIG_VALID, face.dir)]),
            ),
            ConfigCommand::Show => {
                let text = face.toml.clone();
                Answer::new(face, text)
            }
        }
    }
}
