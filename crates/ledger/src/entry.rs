//! Entries: a header of fixed bytes, chained, and a payload that lies apart and is bound by a salted hash.

use posko_proto::Id;

use crate::{Hash, MAX_PAYLOAD_BYTES, Malformed, bytes::Reader, sha256};

const WHAT: &str = "entry header";
/// The version of the header's layout.
pub const HEADER_VERSION: u16 = 1;
/// The length of a header, in bytes.
pub const HEADER_BYTES: usize = 100;
/// The length of a payload's salt, in bytes.
pub const SALT_BYTES: usize = 16;

/// Flag: a drill, which can touch nothing real.
pub const EXERCISE: u16 = 1;
/// Flag: free text without effect on state, which alone can be withdrawn.
pub const WITHDRAWABLE: u16 = 1 << 1;
/// Flag: a promise or a number, of which there is only one.
pub const SCARCE: u16 = 1 << 2;
/// Flag: recorded again after a restore, under the same event id.
pub const RECOVERED: u16 = 1 << 3;

/// Who may have a payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Class {
    /// Every node, the gateway too.
    Regional = 1,
    /// The provinces' nodes.
    Provinces = 2,
    /// The origin alone.
    Local = 4,
}

impl Class {
    /// Returns the class's bit in a set of classes.
    pub fn bit(self) -> u32 {
        self as u32
    }
}

/// The header of an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryHeader {
    /// [`EXERCISE`], [`WITHDRAWABLE`], [`SCARCE`], [`RECOVERED`].
    pub flags: u16,
    /// The event's type.
    pub type_id: u32,
    /// The version of that type.
    pub type_version: u16,
    /// Who may have the payload.
    pub class: Class,
    /// The payload's length, in bytes.
    pub payload_len: u32,
    /// The entry's number in its epoch, from 1.
    pub seq: u64,
    /// When it was recorded, milliseconds since 1970 by the node's clock; it decides nothing.
    pub wall_ms: u64,
    /// The event's id, derived from the command's.
    pub event_id: Id,
    /// The thing that the event is about.
    pub stream_id: Id,
    /// The event's number within its stream, from 1.
    pub stream_version: u32,
    /// What binds the payload: see [`commit`].
    pub payload_commit: Hash,
}

impl EntryHeader {
    /// Returns the header's bytes.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(&HEADER_VERSION.to_be_bytes());
        bytes.extend_from_slice(&self.flags.to_be_bytes());
        bytes.extend_from_slice(&self.type_id.to_be_bytes());
        bytes.extend_from_slice(&self.type_version.to_be_bytes());
        bytes.push(self.class as u8);
        bytes.push(0);
        bytes.extend_from_slice(&self.payload_len.to_be_bytes());
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.wall_ms.to_be_bytes());
        bytes.extend_from_slice(self.event_id.as_bytes());
        bytes.extend_from_slice(self.stream_id.as_bytes());
        bytes.extend_from_slice(&self.stream_version.to_be_bytes());
        bytes.extend_from_slice(&self.payload_commit);
        let mut array = [0; HEADER_BYTES];
        array.copy_from_slice(&bytes);
        array
    }

    /// Reads a header.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::exactly(WHAT, bytes, HEADER_BYTES)?;
        let version = reader.u16()?;
        if version != HEADER_VERSION {
            return Err(reader.field("version", version.into()));
        }
        let flags = reader.u16()?;
        let type_id = reader.u32()?;
        let type_version = reader.u16()?;
        let class = match reader.u8()? {
            1 => Class::Regional,
            2 => Class::Provinces,
            4 => Class::Local,
            other => return Err(reader.field("class", other.into())),
        };
        let reserved = reader.u8()?;
        if reserved != 0 {
            return Err(reader.field("reserved byte", reserved.into()));
        }
        let payload_len = reader.u32()?;
        if payload_len as usize > MAX_PAYLOAD_BYTES {
            return Err(reader.field("payload length", payload_len.into()));
        }
        Ok(Self {
            flags,
            type_id,
            type_version,
            class,
            payload_len,
            seq: reader.u64()?,
            wall_ms: reader.u64()?,
            event_id: Id(reader.array()?),
            stream_id: Id(reader.array()?),
            stream_version: reader.u32()?,
            payload_commit: reader.array()?,
        })
    }
}

/// Returns the commitment to a payload; the salt keeps a short erased payload from being guessed.
pub fn commit(salt: &[u8; SALT_BYTES], payload: &[u8]) -> Hash {
    sha256(&[b"posko/pay/v1\0", salt, payload])
}

/// Returns the chained hash after an entry.
pub fn chain_hash(previous: &Hash, header: &[u8; HEADER_BYTES]) -> Hash {
    sha256(&[b"posko/entry/v1\0", previous, header])
}

/// Returns the id of a command's event number `index`: a retry, also after a restore, gives the same one.
pub fn event_id(command: Id, index: u32) -> Id {
    let mut id = [0; 16];
    id.copy_from_slice(
        sha256(&[
            b"posko/event/v1\0",
            command.as_bytes(),
            &index.to_be_bytes(),
        ])
        .split_at(16)
        .0,
    );
    Id(id)
}

/// A payload, or why it is not here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payload {
    /// It is here.
    Present {
        /// The commitment's salt.
        salt: [u8; SALT_BYTES],
        /// The bytes, as they were written.
        body: Vec<u8>,
    },
    /// The sender may not give it, or does not have it.
    Withheld,
    /// Its origin withdrew it.
    Withdrawn,
    /// It exists no more: its origin declared it lost.
    Erased,
}

impl Payload {
    /// Returns the presence byte.
    pub fn presence(&self) -> u8 {
        match self {
            Self::Present { .. } => 1,
            Self::Withheld => 2,
            Self::Withdrawn => 3,
            Self::Erased => 4,
        }
    }
}

/// An entry as it is sent and exported: its header's bytes, and its payload where that is here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The header's bytes, as they were written.
    pub header: [u8; HEADER_BYTES],
    /// The payload.
    pub payload: Payload,
}

impl Record {
    /// Appends the record's bytes: presence, header, and where present salt and payload.
    pub fn encode_to(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.payload.presence());
        bytes.extend_from_slice(&self.header);
        if let Payload::Present { salt, body } = &self.payload {
            bytes.extend_from_slice(salt);
            bytes.extend_from_slice(body);
        }
    }

    /// Returns how many bytes [`Record::encode_to`] appends.
    pub fn encoded_len(&self) -> usize {
        let payload = match &self.payload {
            Payload::Present { body, .. } => SALT_BYTES + body.len(),
            Payload::Withheld | Payload::Withdrawn | Payload::Erased => 0,
        };
        1 + HEADER_BYTES + payload
    }

    /// Reads records one after the other until the bytes end, each with its decoded header.
    ///
    /// A payload is checked against its header's length and commitment.
    pub fn decode_all(bytes: &[u8]) -> Result<Vec<(EntryHeader, Self)>, BadRecord> {
        let mut reader = Reader::new("record", bytes);
        let mut records = Vec::new();
        while !reader.is_empty() {
            records.push(Self::read(&mut reader)?);
        }
        Ok(records)
    }

    fn read(reader: &mut Reader<'_>) -> Result<(EntryHeader, Self), BadRecord> {
        let presence = reader.u8()?;
        let bytes: [u8; HEADER_BYTES] = reader.array()?;
        let header = EntryHeader::decode(&bytes)?;
        let payload = match presence {
            1 => {
                let salt = reader.array()?;
                let body = reader.slice(header.payload_len as usize)?.to_vec();
                if commit(&salt, &body) != header.payload_commit {
                    return Err(BadRecord::Commitment { seq: header.seq });
                }
                Payload::Present { salt, body }
            }
            2 => Payload::Withheld,
            3 => Payload::Withdrawn,
            4 => Payload::Erased,
            other => return Err(reader.field("presence", other.into()).into()),
        };
        Ok((
            header,
            Self {
                header: bytes,
                payload,
            },
        ))
    }
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// Its bytes cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Its payload is not the one that its header binds.
    #[error("the payload of entry {seq} is not the one that its header binds")]
    Commitment {
        /// The entry's number.
        seq: u64,
    },
}
