//! Log keys: Ed25519, strict verification.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

use crate::{Malformed, sha256};

/// An Ed25519 signature.
pub type Signature = [u8; 64];

/// A secret key that signs a log's heads and epochs, or the recovery key.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// Makes the key of 32 secret random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Returns the public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a statement, which carries its own domain prefix.
    pub fn sign(&self, statement: &[u8]) -> Signature {
        self.0.sign(statement).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// A public key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads a key, refusing what is no point of the curve.
    pub fn from_bytes(what: &'static str, bytes: &[u8; 32]) -> Result<Self, Malformed> {
        VerifyingKey::from_bytes(bytes)
            .map(Self)
            .map_err(|_| Malformed::Key { what })
    }

    /// Returns the key's 32 bytes.
    pub fn to_bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Returns the first 8 bytes of the key's SHA-256, by which a head names its key.
    pub fn id(self) -> [u8; 8] {
        let mut id = [0; 8];
        id.copy_from_slice(sha256(&[self.0.as_bytes()]).split_at(8).0);
        id
    }

    /// Says whether the signature is this key's, by the strict rules that leave one signature a key and statement.
    pub fn verifies(self, statement: &[u8], signature: &Signature) -> bool {
        self.0
            .verify_strict(statement, &ed25519_dalek::Signature::from_bytes(signature))
            .is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.to_bytes();
        f.write_str("PublicKey(")?;
        for byte in bytes.iter().take(4) {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("..)")
    }
}
