//! `posko standing`: what a node may promise after a start that may have lost something.

use clap::{Args, Subcommand};
use posko_proto::federation::v1::AcceptRiskRequest;

use super::{lost, recorded};
use crate::{
    client::{Client, Who},
    failure::Failure,
    input::Frame,
    label,
    output::{Answer, Context},
};

/// Lets the node promise again after a start that may have lost something
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko standing accept-risk --reason \"Banjir, jaringan putus sejak pagi\"")]
pub(crate) struct StandingArgs {
    #[command(subcommand)]
    command: StandingCommand,
}

#[derive(Debug, Subcommand)]
enum StandingCommand {
    /// Accepts, in your name and on record, that a promise may have been given before
    #[command(after_help = "Examples:
  posko standing accept-risk --reason \"Banjir, jaringan putus sejak pagi\"

It counts until the node stops. `posko status` shows whom the node waits for, and who
accepted the risk. What was promised twice is found and told at the first contact.")]
    AcceptRisk {
        /// Why it cannot wait until every peer was asked
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        frame: Frame,
    },
}

impl StandingArgs {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let StandingCommand::AcceptRisk { reason, frame } = self.command;
        let client = Client::connect(context, Who::LoggedIn).await?;
        let (id, meta) = frame.meta();
        let request = AcceptRiskRequest {
            meta: Some(meta),
            reason,
        };
        let answer = client.node().accept_risk(request).await;
        let outcome = answer.map_err(lost(id))?.into_inner().outcome;
        recorded(context, label::ACCOUNT, id, outcome)
    }
}
