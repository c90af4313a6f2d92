//! `posko init`: makes a node.

use clap::Args;
use posko_proto::{NodeId, federation::v1::NodeRole};

use crate::{
    command::peer::card_text,
    failure::Failure,
    input, label,
    offline::{self, Init},
    output::{Answer, Context, fields},
    word,
};

/// Makes a node in the directory: configuration, certificate authority, keys and an empty log
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko --dir /var/lib/posko init --origin 32
  posko --dir /var/lib/posko init --origin 31 --join @jabar.card \\
    --public-address posko.dki.example:7431
  posko --dir ./36 init --origin 36 --join - < jabar.card
  posko --dir ./ims init --role gateway --join @jabar.card

The first node makes the federation; every other joins it with the card of any node of it.
What it prints is the new node's own card, to be given to its peers.")]
pub(crate) struct InitArgs {
    /// What it is: node for a province's, gateway for headquarters'
    #[arg(long, value_parser = role, default_value = "node")]
    role: NodeRole,
    /// Code of the province, which names the node and its log [default for a gateway: ims]
    #[arg(long, value_parser = input::node, required_unless_present = "role")]
    origin: Option<NodeId>,
    /// Card of a node of the federation to join: the text, `@FILE`, or `-` for standard input
    #[arg(long, value_name = "CARD")]
    join: Option<String>,
    /// Where operators reach it
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:7430")]
    api_address: String,
    /// Where it listens for peers
    #[arg(long, value_name = "IP:PORT", default_value = "0.0.0.0:7431")]
    federation_address: String,
    /// Where peers dial it; left out, it only dials
    #[arg(long, value_name = "HOST:PORT")]
    public_address: Option<String>,
    /// Further host name or address for its certificate; may be repeated
    #[arg(long = "name", value_name = "HOST")]
    names: Vec<String>,
}

impl InitArgs {
    /// Makes the node.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let join = self.join.as_deref().map(card_text).transpose()?;
        let origin = match (self.origin, self.role) {
            (Some(origin), _) => origin,
            (None, NodeRole::Gateway) => input::node("ims").map_err(Failure::usage)?,
            (None, _) => return Err(Failure::usage("a province's node needs `--origin`")),
        };
        let card = offline::init(Init {
            dir: context.dir.clone(),
            role: self.role,
            origin,
            join,
            api_address: self.api_address,
            federation_address: self.federation_address,
            public_address: self.public_address,
            names: self.names,
        })
        .await?;
        let text = fields(
            context,
            [
                (label::INIT_DONE, origin.to_string()),
                (label::DIRECTORY, context.dir.display().to_string()),
                (label::FINGERPRINT, card.fingerprint.clone()),
                (label::CARD, card.card.clone()),
            ],
        );
        Answer::new(card, text)
    }
}

/// Reads what a new node is to be.
fn role(text: &str) -> Result<NodeRole, String> {
    match word::parse(text) {
        Ok(role @ (NodeRole::Node | NodeRole::Gateway)) => Ok(role),
        _ => Err(format!(
            "`{text}` is no role of a new node: expected node or gateway"
        )),
    }
}
