//! `posko peer`: cards, and whose are accepted.

use std::{
    io::{self, IsTerminal, Read},
    path::PathBuf,
};

use clap::{Args, Subcommand};
use posko_proto::{
    NodeId,
    federation::v1::{
        self as federation, AddPeerRequest, ListPeersRequest, NodeRole, RemovePeerRequest,
    },
};
use serde_json::json;

use super::{read_line, unreadable};
use crate::{
    client::{Client, Who},
    failure::Failure,
    input, json as view,
    label::{self, Labelled},
    offline::{self, CardFace},
    output::{Answer, Context, Table, fields, note, when},
};

/// Shows this node's card, and accepts or drops those of others
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko peer card > jabar.card
  posko peer add @dki.card
  posko peer add @dki.card --fingerprint \"ten words read over the telephone\"
  posko peer list --json
  posko peer remove 31")]
pub(crate) struct PeerArgs {
    #[command(subcommand)]
    command: PeerCommand,
}

#[derive(Debug, Subcommand)]
enum PeerCommand {
    /// Shows this node's own card and its fingerprint; it needs no running node
    #[command(after_help = "Examples:
  posko peer card
  posko peer card > jabar.card

The card goes to stdout and the fingerprint to stderr, so that the card alone can be kept in a file.")]
    Card,
    /// Accepts the card of another node, after comparing its fingerprint by telephone
    #[command(after_help = "Examples:
  posko peer add @dki.card
  posko peer add - < dki.card --fingerprint \"ten words read over the telephone\"

The fingerprint is what proves that the card came from the province and not from somebody in between.")]
    Add {
        /// The card: its text, `@FILE`, or `-` for standard input
        card: String,
        /// The fingerprint that was read over the telephone, instead of asking
        #[arg(long, value_name = "WORDS")]
        fingerprint: Option<String>,
    },
    /// Lists the accepted cards
    #[command(after_help = "Examples:
  posko peer list
  posko peer list --json")]
    List,
    /// Stops accepting a node; what was replicated stays
    #[command(after_help = "Examples:
  posko peer remove 31")]
    Remove {
        /// The node
        #[arg(value_parser = input::node)]
        origin: NodeId,
    },
}

impl PeerArgs {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        match self.command {
            PeerCommand::Card => card(context),
            PeerCommand::Add { card, fingerprint } => add(context, &card, fingerprint).await,
            PeerCommand::List => list(context).await,
            PeerCommand::Remove { origin } => remove(context, origin).await,
        }
    }
}

fn card(context: &Context) -> Result<Answer, Failure> {
    let card = offline::card(&context.dir)?;
    if !context.json {
        note(&fields(
            context,
            [(label::FINGERPRINT, card.fingerprint.clone())],
        ));
    }
    let text = card.card.clone();
    Answer::new(card, text)
}

async fn add(
    context: &Context,
    card: &str,
    fingerprint: Option<String>,
) -> Result<Answer, Failure> {
    let from_stdin = card == "-";
    let card = card_text(card)?;
    let face = offline::read_card(&card)?;
    match &fingerprint {
        Some(words) => compare(&face, words)?,
        None => confirm(context, &face, from_stdin)?,
    }
    let client = Client::connect(context, Who::Anyone).await?;
    let request = AddPeerRequest {
        card,
        fingerprint: face.fingerprint,
    };
    let peer = client
        .node()
        .add_peer(request)
        .await?
        .into_inner()
        .peer
        .unwrap_or_default();
    let text = fields(
        context,
        [
            (label::PEER_ADDED, peer.origin.clone()),
            (label::ROLE, label::of::<NodeRole>(peer.role, context.lang)),
            (label::ADDRESS, peer.address.clone()),
        ],
    );
    Answer::new(json!({ "peer": view::federation::Peer::from(peer) }), text)
}

/// Refuses when the words are not the card's fingerprint.
fn compare(face: &CardFace, words: &str) -> Result<(), Failure> {
    (face.compared)(words).map_err(|why| {
        Failure::refused(
            "fingerprint_differs",
            format!("the card of `{}` is not accepted: {why}", face.origin),
        )
    })
}

fn confirm(context: &Context, face: &CardFace, from_stdin: bool) -> Result<(), Failure> {
    if from_stdin || !io::stdin().is_terminal() {
        return Err(Failure::usage(
            "there is no terminal to ask on: use `--fingerprint \"WORDS\"`",
        ));
    }
    note(&fields(
        context,
        [
            (label::ORIGIN, face.origin.clone()),
            (label::ROLE, face.role.label().text(context.lang).into()),
            (label::ADDRESS, face.address.clone()),
            (label::FINGERPRINT, face.fingerprint.clone()),
        ],
    ));
    note(context.say(label::COMPARE));
    note(&format!("{}:", context.say(label::TYPE_YES)));
    if is_yes(&read_line()?) {
        Ok(())
    } else {
        Err(Failure::no("the card was not accepted"))
    }
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "ya" | "yes")
}

async fn list(context: &Context) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let peers = client
        .node()
        .list_peers(ListPeersRequest {})
        .await?
        .into_inner()
        .peers;
    let text = peers_table(context, &peers);
    let peers: Vec<view::federation::Peer> = peers.into_iter().map(Into::into).collect();
    Answer::new(json!({ "peers": peers }), text)
}

fn peers_table(context: &Context, peers: &[federation::Peer]) -> String {
    let head = [
        label::ORIGIN,
        label::ROLE,
        label::ADDRESS,
        label::ADDED,
        label::FINGERPRINT,
    ];
    let mut table = Table::new(context, &head);
    for peer in peers {
        table.row([
            peer.origin.clone(),
            label::of::<NodeRole>(peer.role, context.lang),
            peer.address.clone(),
            when(peer.added_at.as_ref()),
            peer.fingerprint.clone(),
        ]);
    }
    table.render_all(context)
}

async fn remove(context: &Context, origin: NodeId) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    client
        .node()
        .remove_peer(RemovePeerRequest {
            origin: origin.to_string(),
        })
        .await?;
    let text = fields(context, [(label::PEER_REMOVED, origin.to_string())]);
    Answer::new(json!({ "removed": origin.as_str() }), text)
}

/// Reads a card given as its text, as `@FILE`, or as `-` for standard input.
pub(crate) fn card_text(given: &str) -> Result<String, Failure> {
    let text = match given.strip_prefix('@') {
        Some(file) => {
            let file = PathBuf::from(file);
            std::fs::read_to_string(&file).map_err(|error| {
                Failure::usage(format!("read card `{}`: {error}", file.display()))
            })?
        }
        None if given == "-" => {
            let mut text = String::new();
            io::stdin()
                .lock()
                .read_to_string(&mut text)
                .map_err(|error| unreadable("standard input", &error))?;
            text
        }
        None => given.into(),
    };
    let text = text.trim();
    if text.is_empty() {
        Err(Failure::usage("the card is empty"))
    } else {
        Ok(text.into())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_card_whose_words_differ_is_refused_with_the_reason() {
        let face = CardFace {
            origin: "31".into(),
            role: NodeRole::Node,
            address: String::new(),
            fingerprint: "awan batu".into(),
            compared: Arc::new(|words| {
                if words == "awan batu" {
                    Ok(())
                } else {
                    Err("word 2 differs".into())
                }
            }),
        };
        assert_eq!(compare(&face, "awan batu"), Ok(()));
        let failure = compare(&face, "awan laut").unwrap_err();
        assert_eq!(
            (failure.exit as u8, failure.code),
            (3, "fingerprint_differs")
        );
        assert_eq!(
            failure.message,
            "the card of `31` is not accepted: word 2 differs"
        );
    }

    #[test]
    fn only_a_whole_yes_accepts() {
        assert!(is_yes("ya") && is_yes(" Yes\n"));
        for text in ["", "y", "tidak", "yeah", "yes please"] {
            assert!(!is_yes(text), "{text}");
        }
    }

    #[test]
    fn a_card_comes_from_its_text_or_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("dki.card");
        std::fs::write(&file, "abc\n").unwrap();
        assert_eq!(card_text(&format!("@{}", file.display())).unwrap(), "abc");
        assert_eq!(card_text(" abc ").unwrap(), "abc");
        assert_eq!(card_text("@/nowhere/dki.card").unwrap_err().exit as u8, 2);
        assert_eq!(card_text("").unwrap_err().message, "the card is empty");
    }
}
