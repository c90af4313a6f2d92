//! Ids: of things, 16 bytes, and of nodes, a short name.

use std::{
    fmt::{self, Write as _},
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The id of a thing, a command, an event or an account: 16 bytes, on the wire and in the log as they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Id(pub [u8; 16]);

/// What was not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The bytes were not 16.
    #[error("an id has 16 bytes, not {0}")]
    Length(usize),
    /// The text was no UUID.
    #[error("`{0}` is no id: expected a UUID such as `0192f3c4-5a6b-7c8d-9e0f-112233445566`")]
    Text(String),
    /// The name was empty, too long, or had other characters.
    #[error("`{0}` is no node: expected 1 to 16 characters of a-z and 0-9, such as `32` or `ims`")]
    Node(String),
}

impl Id {
    /// Returns the id as a slice.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the id as the bytes of a message field.
    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl TryFrom<&[u8]> for Id {
    type Error = IdError;

    fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| IdError::Length(bytes.len()))
    }
}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Uuid::parse_str(text)
            .map(|id| Self(id.into_bytes()))
            .map_err(|_| IdError::Text(text.into()))
    }
}

impl From<Uuid> for Id {
    fn from(id: Uuid) -> Self {
        Self(id.into_bytes())
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes(self.0).fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The name of a node, and of the log that it writes: `31`, `32`, `36`, `ims`. ASCII, zero-padded to 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId([u8; 16]);

impl NodeId {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(16);
        self.0
            .get(..end)
            .and_then(|name| std::str::from_utf8(name).ok())
            .unwrap_or_default()
    }

    /// Returns the name as it stands in the log: zero-padded to 16 bytes.
    pub fn padded(&self) -> [u8; 16] {
        self.0
    }

    /// Reads the name from its padded form.
    pub fn from_padded(bytes: [u8; 16]) -> Result<Self, IdError> {
        let shown = || String::from_utf8_lossy(&bytes).into_owned();
        let id: Self = Self(bytes)
            .as_str()
            .parse()
            .map_err(|_| IdError::Node(shown()))?;
        if id.0 == bytes {
            Ok(id)
        } else {
            Err(IdError::Node(shown()))
        }
    }
}

impl FromStr for NodeId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let fits = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if text.is_empty() || text.len() > 16 || !text.as_bytes().iter().all(fits) {
            return Err(IdError::Node(text.into()));
        }
        let mut padded = [0; 16];
        for (to, from) in padded.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        Ok(Self(padded))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Returns bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_two_hexadecimal_digits() {
        assert_eq!(hex(&[0, 0x0a, 0xff]), "000aff");
    }

    #[test]
    fn a_node_id_survives_its_padded_form() {
        let node: NodeId = "32".parse().unwrap();
        assert_eq!(NodeId::from_padded(node.padded()), Ok(node));
        assert_eq!(node.to_string(), "32");
    }

    #[test]
    fn what_is_no_node_is_refused() {
        for text in ["", "DKI", "3 2", "abcdefghijklmnopq", "../32"] {
            assert!(text.parse::<NodeId>().is_err(), "{text}");
        }
        assert!(NodeId::from_padded(*b"3\x002\0\0\0\0\0\0\0\0\0\0\0\0\0").is_err());
    }
}
