//! Between the session's messages and the ledger's values: everything is checked here, before anything is allocated.

use std::borrow::Cow;

use posko_proto::{
    NodeId,
    federation::v1::{Batch, Codec, LogEnd},
};

use super::{LaneKind, Reach, Stop};
use crate::{
    Hash, MAX_BATCH_BYTES, MAX_GROUP_ENTRIES, MAX_ORIGINS,
    entry::Record,
    epoch::{Epoch, Position},
};

/// Below this many bytes packing does not pay.
const PACK_FROM: usize = 1024;
const PACK_LEVEL: i32 = 1;
/// The longest text of a peer's that is kept, in characters.
const BRIEF: usize = 256;

/// Returns the beginning of a peer's text, without what would disturb a terminal.
pub(super) fn brief(text: &str) -> String {
    text.chars()
        .filter(|char| !char.is_control())
        .take(BRIEF)
        .collect()
}

pub(super) fn origin(what: &str, name: &str) -> Result<NodeId, Stop> {
    name.parse().map_err(|_| {
        Stop::protocol(format!(
            "{what} of `{}`, which is no node's name",
            brief(name)
        ))
    })
}

pub(super) fn epoch(what: &str, no: u64, nonce: &[u8]) -> Result<Epoch, Stop> {
    let nonce = nonce.try_into().map_err(|_| {
        Stop::protocol(format!(
            "{what} has an epoch nonce of {} bytes instead of 16",
            nonce.len()
        ))
    })?;
    Ok(Epoch { no, nonce })
}

/// Reads how far a peer says to have each log.
pub(super) fn ends(ends: &[LogEnd]) -> Result<Vec<(NodeId, Reach)>, Stop> {
    if ends.len() > MAX_ORIGINS {
        let count = ends.len();
        let detail = format!("the ends of `{count}` logs came at once, more than {MAX_ORIGINS}");
        return Err(Stop::protocol(detail));
    }
    let read = ends.iter().map(|end| {
        let origin = origin("an end", &end.origin)?;
        let epoch = epoch("an end", end.epoch_no, &end.epoch_nonce)?;
        let seq = end.durable_seq;
        Ok((origin, Reach { epoch, seq }))
    });
    read.collect()
}

pub(super) fn hash(what: &str, hash: &[u8]) -> Result<Hash, Stop> {
    hash.try_into().map_err(|_| {
        Stop::protocol(format!(
            "{what} has a hash of {} bytes instead of 32",
            hash.len()
        ))
    })
}

pub(super) fn position(
    what: &str,
    no: u64,
    nonce: &[u8],
    seq: u64,
    at: &[u8],
) -> Result<Position, Stop> {
    if no == 0 {
        return Ok(Position::START);
    }
    Ok(Position {
        epoch: epoch(what, no, nonce)?,
        seq,
        hash: hash(what, at)?,
    })
}

/// Records as they are sent.
pub(super) struct Packed {
    pub(super) codec: Codec,
    pub(super) raw_len: u32,
    pub(super) body: Vec<u8>,
}

pub(super) fn pack(records: &[Record], lane: LaneKind) -> Packed {
    let mut raw = Vec::with_capacity(records.iter().map(Record::encoded_len).sum());
    for record in records {
        record.encode_to(&mut raw);
    }
    let raw_len = raw.len() as u32;
    if lane == LaneKind::Bulk && raw.len() > PACK_FROM {
        let packed = zstd::bulk::compress(&raw, PACK_LEVEL)
            .ok()
            .filter(|packed| packed.len() < raw.len());
        if let Some(body) = packed {
            return Packed {
                codec: Codec::Zstd,
                raw_len,
                body,
            };
        }
    }
    Packed {
        codec: Codec::None,
        raw_len,
        body: raw,
    }
}

/// Says which hard limit a batch breaks; nothing was unpacked yet.
pub(super) fn over_limit(batch: &Batch) -> Option<String> {
    if batch.count as usize > MAX_GROUP_ENTRIES {
        return Some(format!(
            "the batch has `{}` entries, more than {MAX_GROUP_ENTRIES}",
            batch.count
        ));
    }
    let length = batch.body.len().max(batch.raw_len as usize);
    (length > MAX_BATCH_BYTES)
        .then(|| format!("the batch has `{length}` bytes, more than {MAX_BATCH_BYTES}"))
}

/// Unpacks a batch within [`over_limit`]'s limits.
pub(super) fn unpack(batch: &Batch) -> Result<Cow<'_, [u8]>, String> {
    let expected = batch.raw_len as usize;
    let raw = match batch.codec() {
        Codec::None => Cow::Borrowed(batch.body.as_ref()),
        Codec::Zstd => match zstd::bulk::decompress(&batch.body, expected) {
            Ok(raw) => Cow::Owned(raw),
            Err(error) => {
                return Err(format!(
                    "the batch cannot be unpacked into `{expected}` bytes: {error}"
                ));
            }
        },
        Codec::Unspecified => {
            return Err(format!(
                "the batch is packed with codec `{}`, which is unknown",
                batch.codec
            ));
        }
    };
    if raw.len() == expected {
        Ok(raw)
    } else {
        Err(format!(
            "the batch has `{}` bytes instead of `{expected}`",
            raw.len()
        ))
    }
}
