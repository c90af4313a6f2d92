//! Sealing: HPKE (RFC 9180) with X25519, HKDF-SHA256 and ChaCha20-Poly1305, to one reader's key.
//!
//! What it never does: say who sealed something; that takes a signature.

use hpke::{Deserializable, HpkeError, OpModeR, OpModeS, Serializable};

type Kem = hpke::kem::X25519HkdfSha256;
type Kdf = hpke::kdf::HkdfSha256;
type Aead = hpke::aead::ChaCha20Poly1305;

/// Seals bytes to a public key for a purpose, bound to other bytes; returns the encapsulated key and the ciphertext.
pub(crate) fn seal(
    to: &[u8; 32],
    purpose: &[u8],
    bound: &[u8],
    plain: &[u8],
) -> Result<([u8; 32], Vec<u8>), HpkeError> {
    let to = <Kem as hpke::Kem>::PublicKey::from_bytes(to)?;
    let (encapsulated, sealed) =
        hpke::single_shot_seal::<Aead, Kdf, Kem>(&OpModeS::Base, &to, purpose, plain, bound)?;
    let mut key = [0; 32];
    key.copy_from_slice(&encapsulated.to_bytes());
    Ok((key, sealed))
}

/// Opens what was sealed to a secret key for a purpose, bound to other bytes.
pub(crate) fn open(
    secret: &[u8; 32],
    purpose: &[u8],
    bound: &[u8],
    encapsulated: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, HpkeError> {
    let secret = <Kem as hpke::Kem>::PrivateKey::from_bytes(secret)?;
    let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated)?;
    hpke::single_shot_open::<Aead, Kdf, Kem>(
        &OpModeR::Base,
        &secret,
        &encapsulated,
        purpose,
        sealed,
        bound,
    )
}
