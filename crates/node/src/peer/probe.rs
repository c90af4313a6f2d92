//! Asking accepted peers, without a session, when they last heard of this node: before a copy of it starts.
//!
//! ```text
//! connect ─▶ their Hello: the newest head of this node's log that they know ─▶ hang up
//! ```
//! A running node signs its head anew every few seconds, and every peer passes it on; so the newest head tells when it
//! was last alive, also where only another peer is connected to it. Nothing is sent, so no session of it ends.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, future::join_all, stream};
use posko_ledger::{head::SignedHead, key::PublicKey};
use posko_proto::{
    NodeId,
    federation::v1::{
        Hello, SessionRequest, federation_service_client::FederationServiceClient, frame::Body,
    },
    time::Millis,
};
use rustls::ClientConfig;

use super::{dial, net::Tcp, serve::MAX_MESSAGE, told};
use crate::identity::{NodeCard, Trust};

/// How long a peer may take for its Hello.
const HELLO: Duration = Duration::from_secs(10);

/// When a peer last heard of this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The peer.
    pub peer: NodeId,
    /// When this node was last alive, by its own clock, and how long ago by the peer's; none where the peer never heard
    /// of it. An error says why the peer could not be asked.
    pub seen: Result<Option<(Millis, Duration)>, String>,
}

/// Asks every accepted peer that has an address when it last heard of the node `own`, whose heads `keys` sign.
pub(crate) async fn sightings(
    own: NodeId,
    keys: &[PublicKey],
    client: &Arc<ClientConfig>,
    trust: &Trust,
) -> Vec<Sighting> {
    let asked = (trust.cards())
        .filter(|card| card.origin() != own)
        .map(async |card| {
            let hello = tokio::time::timeout(HELLO, greet(client, trust, card)).await;
            let hello = hello.unwrap_or_else(|_| Err(format!("no Hello within {HELLO:?}")));
            Sighting {
                peer: card.origin(),
                seen: hello.map(|hello| seen(own, keys, &hello)),
            }
        });
    join_all(asked).await
}

/// Returns when the node was last alive, by a peer's Hello.
fn seen(own: NodeId, keys: &[PublicKey], hello: &Hello) -> Option<(Millis, Duration)> {
    let heads = (hello.views.iter())
        .filter(|view| view.origin == own.as_str())
        .filter_map(|view| SignedHead::from_wire(view.head.as_ref()?).ok())
        .filter(|head| head.head.origin == own && keys.iter().any(|key| head.verify(*key)));
    let newest = heads.map(|head| head.head.wall_ms).max()?;
    let ago = hello.wall_ms.saturating_sub(newest);
    Some((Millis(newest.cast_signed()), Duration::from_millis(ago)))
}

/// Connects to a peer and returns its Hello.
async fn greet(
    client: &Arc<ClientConfig>,
    trust: &Trust,
    card: &NodeCard,
) -> Result<Hello, String> {
    let address = card.address().ok_or("its card has no address")?;
    let connection = dial::connect(&Tcp, client, trust, card.origin(), address).await?;
    connection.verdict.map_err(|refusal| refusal.to_string())?;
    let mut client =
        FederationServiceClient::new(connection.channel).max_decoding_message_size(MAX_MESSAGE);
    let nothing = stream::pending::<SessionRequest>();
    let called = client.session(nothing).await;
    let mut frames = called
        .map_err(|status| status.message().to_owned())?
        .into_inner();
    while let Some(Ok(message)) = frames.next().await {
        match message.frame.unwrap_or_default().body {
            Some(Body::Hello(hello)) => return Ok(hello),
            Some(Body::Bye(bye)) => return Err(format!("{}: {}", told(bye.reason()), bye.detail)),
            _ => {}
        }
    }
    Err("it ended the connection before its Hello".into())
}

#[cfg(test)]
mod tests {
    use posko_ledger::{epoch::Position, head::Head, key::SecretKey};
    use posko_proto::federation::v1::OriginView;

    use super::*;

    fn view(own: NodeId, wall_ms: u64, key: &SecretKey) -> OriginView {
        let head = Head {
            federation: [7; 16],
            origin: own,
            position: Position::START,
            tree_size: 0,
            tree_root: [0; 32],
            payload_bytes: 0,
            wall_ms,
            key_id: key.public().id(),
        };
        OriginView {
            origin: own.to_string(),
            head: Some(head.sign(key).to_wire()),
            ..OriginView::default()
        }
    }

    #[test]
    fn the_newest_head_that_the_node_signed_tells_when_it_was_alive_and_no_other_does() {
        let (own, other) = ("32".parse().unwrap(), "31".parse().unwrap());
        let key = SecretKey::from_seed(&[1; 32]);
        let forger = SecretKey::from_seed(&[2; 32]);
        let mut hello = Hello {
            wall_ms: 100_000,
            views: vec![
                view(own, 40_000, &key),
                view(own, 70_000, &key),
                view(own, 99_000, &forger),
                view(other, 98_000, &key),
            ],
            ..Hello::default()
        };
        let alive = seen(own, &[key.public()], &hello);
        assert_eq!(alive, Some((Millis(70_000), Duration::from_secs(30))));
        // A peer whose clock is behind has seen it just now.
        hello.wall_ms = 60_000;
        let alive = seen(own, &[key.public()], &hello);
        assert_eq!(alive, Some((Millis(70_000), Duration::ZERO)));
        hello.views.clear();
        assert_eq!(seen(own, &[key.public()], &hello), None);
    }
}
