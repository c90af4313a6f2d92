//! Who a node is, and how it knows its peers: keys, cards, certificates and mutual TLS.
//!
//! Every node is its own certificate authority, and keeps the cards of the peers that it accepted; there is no roster.
//! It never trusts a name on the network: identity is the one URI name `posko://<federation>/<origin>/<role>` of a
//! certificate, judged against the card of that origin alone.

pub mod card;
pub mod keys;
pub(crate) mod seal;
pub mod tls;
pub mod verify;
pub mod words;

use std::fmt;

use posko_proto::{Id, NodeId, federation::v1::NodeRole};

pub use self::{
    card::{CardError, NodeCard},
    keys::{Keys, KeysError, Leaf},
    tls::ReloadingKey,
    verify::{Refusal, Trust, Usage, judge},
    words::FingerprintError,
};

/// Who a node says it is, in the one URI name of its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PeerIdentity {
    /// The federation's random id.
    pub federation: Id,
    /// The node.
    pub origin: NodeId,
    /// What it is.
    pub role: NodeRole,
}

/// The text was no name of a node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` names no node: expected `posko://<federation>/<origin>/<node|gateway|standby|observer>`"
)]
pub struct IdentityError {
    /// What was found, shortened.
    pub found: String,
}

impl PeerIdentity {
    /// Reads the name; only the form that [`fmt::Display`] writes is accepted, so that a node has one name.
    pub fn from_uri(uri: &str) -> Result<Self, IdentityError> {
        let read = || {
            let mut parts = uri.strip_prefix("posko://")?.split('/');
            let (federation, origin, role) = (parts.next()?, parts.next()?, parts.next()?);
            let identity = Self {
                federation: federation.parse().ok()?,
                origin: origin.parse().ok()?,
                role: role_from_name(role)?,
            };
            (identity.to_string() == uri).then_some(identity)
        };
        read().ok_or_else(|| IdentityError {
            found: shorten(uri),
        })
    }
}

impl fmt::Display for PeerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "posko://{}/{}/{}",
            self.federation,
            self.origin,
            role_name(self.role)
        )
    }
}

/// Returns the role as it stands in a certificate and on screens: `node`, `gateway`, `standby`, `observer`.
pub fn role_name(role: NodeRole) -> &'static str {
    match role {
        NodeRole::Unspecified => "unspecified",
        NodeRole::Node => "node",
        NodeRole::Gateway => "gateway",
        NodeRole::Standby => "standby",
        NodeRole::Observer => "observer",
    }
}

/// Reads a role's name; there is none for the unspecified role.
pub fn role_from_name(name: &str) -> Option<NodeRole> {
    [
        NodeRole::Node,
        NodeRole::Gateway,
        NodeRole::Standby,
        NodeRole::Observer,
    ]
    .into_iter()
    .find(|role| role_name(*role) == name)
}

/// Returns foreign text fit for a message: at most 80 characters, control characters escaped.
fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEDERATION: &str = "0192f3c4-5a6b-7c8d-9e0f-112233445566";

    #[test]
    fn an_identity_survives_its_uri() {
        for role in ["node", "gateway", "standby", "observer"] {
            let uri = format!("posko://{FEDERATION}/32/{role}");
            assert_eq!(PeerIdentity::from_uri(&uri).unwrap().to_string(), uri);
        }
    }

    #[test]
    fn a_node_has_one_name_only() {
        for uri in [
            String::new(),
            "https://posko.example/32/node".into(),
            format!("posko://{FEDERATION}"),
            format!("posko://{FEDERATION}/32"),
            format!("posko://{FEDERATION}/32/node/"),
            format!("posko://{FEDERATION}/32/unspecified"),
            format!("posko://{FEDERATION}/32/Node"),
            format!("posko://{FEDERATION}/../node"),
            format!("posko://{}/32/node", FEDERATION.to_uppercase()),
            format!("posko://{}/32/node", FEDERATION.replace('-', "")),
            format!("POSKO://{FEDERATION}/32/node"),
        ] {
            assert!(PeerIdentity::from_uri(&uri).is_err(), "{uri}");
        }
    }

    #[test]
    fn foreign_text_cannot_move_the_cursor_or_fill_the_screen() {
        assert_eq!(shorten("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\n");
        assert_eq!(shorten(&"x".repeat(1000)).chars().count(), 81);
    }
}
