//! The exported log, `*.poskolog`: one origin's log in one file that anyone can verify, today and in ten years.
//!
//! The file begins with `posko/log/v1\0` and goes on with records: kind u8, length u32 big-endian, bytes.
//!
//! | kind | record | bytes |
//! |---|---|---|
//! | 1 | IDENTITY, first and once | federation 16, origin 16, recovery public key 32 |
//! | 2 | OPEN | [`EpochOpen::encode`] |
//! | 3 | ENTRY | [`Record::encode_to`] |
//! | 4 | HEAD | [`SignedHead::encode`] |
//! | 255 | END, last and once | the SHA-256 of everything before this record |
//!
//! Openings and entries stand in the canonical order, and everything stands before a signed head that covers it.
//! A log in which nothing was written yet has an IDENTITY and an END only.
//!
//! What a file proves it proves of the recovery key that it names: who relies on it compares that key with the
//! origin's card.
//! Why a payload is absent (withheld, withdrawn, erased) is the word of whoever exported the file, signed by nobody.
//!
//! What this module never does: open a file, or hold more than one record.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};

use posko_proto::NodeId;
use sha2::{Digest, Sha256};

use crate::{
    MAX_GROUP_ENTRIES, MAX_PAYLOAD_BYTES, Malformed,
    bytes::Reader,
    chain::{Chain, ChainError, Identity},
    entry::{BadRecord, HEADER_BYTES, Payload, Record, SALT_BYTES, WITHDRAWABLE},
    epoch::{EpochOpen, OPEN_BYTES, Position},
    head::{HEAD_BYTES, SignedHead},
    key::PublicKey,
};

/// How a file begins.
pub const MAGIC: &[u8] = b"posko/log/v1\0";

const FRAME_BYTES: usize = 1 + 4;
const IDENTITY_BYTES: usize = 16 + 16 + 32;
const SIGNED_HEAD_BYTES: usize = HEAD_BYTES + 64;
const DIGEST_BYTES: usize = 32;
const MIN_RECORD_BYTES: usize = 1 + HEADER_BYTES;
const MAX_RECORD_BYTES: usize = MIN_RECORD_BYTES + SALT_BYTES + MAX_PAYLOAD_BYTES;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Identity = 1,
    Open = 2,
    Entry = 3,
    Head = 4,
    End = 255,
}

impl Kind {
    fn from_byte(byte: u8) -> Result<Self, Problem> {
        match byte {
            1 => Ok(Self::Identity),
            2 => Ok(Self::Open),
            3 => Ok(Self::Entry),
            4 => Ok(Self::Head),
            255 => Ok(Self::End),
            other => Err(Problem::Kind(other)),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Identity => "IDENTITY",
            Self::Open => "OPEN",
            Self::Entry => "ENTRY",
            Self::Head => "HEAD",
            Self::End => "END",
        }
    }

    fn allows(self, length: usize) -> bool {
        match self {
            Self::Identity => length == IDENTITY_BYTES,
            Self::Open => length == OPEN_BYTES,
            Self::Entry => (MIN_RECORD_BYTES..=MAX_RECORD_BYTES).contains(&length),
            Self::Head => length == SIGNED_HEAD_BYTES,
            Self::End => length == DIGEST_BYTES,
        }
    }
}

/// Writes an exported log as it goes; give it a buffered writer.
///
/// It checks nothing: what it writes must come from a verified log, with a head after the last entry and after every
/// 1,024 entries at the latest.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    digest: Sha256,
    record: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a file with the log's identity.
    pub fn new(out: W, identity: &Identity) -> io::Result<Self> {
        let mut writer = Self {
            out,
            digest: Sha256::new(),
            record: Vec::new(),
        };
        writer.digest.update(MAGIC);
        writer.out.write_all(MAGIC)?;
        writer.write(Kind::Identity, |record| {
            record.extend_from_slice(&identity.federation);
            record.extend_from_slice(&identity.origin.padded());
            record.extend_from_slice(&identity.recovery.to_bytes());
        })?;
        Ok(writer)
    }

    /// Writes the opening of an epoch.
    pub fn open(&mut self, open: &EpochOpen) -> io::Result<()> {
        self.write(Kind::Open, |record| {
            record.extend_from_slice(&open.encode());
        })
    }

    /// Writes an entry.
    pub fn entry(&mut self, entry: &Record) -> io::Result<()> {
        self.write(Kind::Entry, |record| entry.encode_to(record))
    }

    /// Writes a signed head.
    pub fn head(&mut self, head: &SignedHead) -> io::Result<()> {
        self.write(Kind::Head, |record| {
            record.extend_from_slice(&head.encode());
        })
    }

    /// Ends the file with its digest, flushes, and returns what was written to.
    pub fn finish(mut self) -> io::Result<W> {
        let digest = self.digest.clone().finalize();
        self.write(Kind::End, |record| record.extend_from_slice(&digest))?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn write(&mut self, kind: Kind, fill: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.record.clear();
        fill(&mut self.record);
        let [a, b, c, d] = (self.record.len() as u32).to_be_bytes();
        let frame = [kind as u8, a, b, c, d];
        for part in [frame.as_slice(), &self.record] {
            self.digest.update(part);
            self.out.write_all(part)?;
        }
        Ok(())
    }
}

/// What a verified file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Whose log it is, as the file says; compare the recovery key with the origin's card.
    pub identity: Identity,
    /// How many epochs were opened.
    pub epochs: u64,
    /// How many entries there are.
    pub entries: u64,
    /// How many signed heads there are.
    pub heads: u64,
    /// The log's end.
    pub end: Position,
    /// The last signed head, which stands at the end; none in a log in which nothing was written yet.
    pub head: Option<SignedHead>,
    /// How many payloads are here, and why the others are not.
    pub payloads: Payloads,
    /// The file's length, in bytes.
    pub file_bytes: u64,
}

/// Payloads counted by presence.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Payloads {
    /// They are here, and are what their headers bind.
    pub present: u64,
    /// The exporter may not give them, or does not have them.
    pub withheld: u64,
    /// Their origin withdrew them.
    pub withdrawn: u64,
    /// They were erased by law.
    pub erased: u64,
}

/// What is wrong with a file, and where.
#[derive(Debug, thiserror::Error)]
#[error("at byte `{offset}`: {problem}")]
pub struct LogFileError {
    /// Where the record begins, in bytes from the file's beginning.
    pub offset: u64,
    /// What is wrong with it; the message above already says it.
    pub problem: Problem,
}

/// What can be wrong with a file's record.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Reading stopped.
    #[error("the file cannot be read: {0}")]
    Read(io::Error),
    /// It is another kind of file.
    #[error("the file does not begin with `posko/log/v1`")]
    Magic,
    /// The file ends inside a record.
    #[error("the file ends inside this record")]
    Truncated,
    /// The file ends between two records.
    #[error("the file ends without an END record")]
    NoEnd,
    /// A record is of a kind that this version does not know.
    #[error("a record is of the unknown kind `{0}`")]
    Kind(u8),
    /// A record has a length that its kind cannot have.
    #[error("an {what} record says that it has `{found}` bytes, which cannot be")]
    Length {
        /// The record's kind.
        what: &'static str,
        /// Its length, in bytes.
        found: u32,
    },
    /// The first record is not the identity.
    #[error("the file does not begin with an IDENTITY record")]
    NoIdentity,
    /// There is another identity.
    #[error("a second IDENTITY record stands here")]
    SecondIdentity,
    /// The bytes cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The entry cannot be read, or its payload is another's.
    #[error(transparent)]
    Entry(#[from] BadRecord),
    /// A record has bytes left over after its entry.
    #[error("an ENTRY record holds more than one entry")]
    LeftOver,
    /// A payload was withdrawn that cannot be.
    #[error("the payload of entry `{seq}` is withdrawn, but its header does not allow that")]
    NotWithdrawable {
        /// The entry's number.
        seq: u64,
    },
    /// The log may not go on so.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Too much stands between two heads.
    #[error("more than 1024 entries follow each other without a signed head")]
    Group,
    /// The log goes on after its last head.
    #[error("what follows from here is not under a signed head")]
    NotUnderHead,
    /// The file is not as it was written.
    #[error("the digest of the END record is not that of the file")]
    Digest,
    /// The file goes on after its end.
    #[error("the file goes on after its END record")]
    Trailing,
}

/// Verifies an exported log from its first byte to its last: layout, chain, signatures, trees, payloads, digest.
///
/// Memory is bounded by one record.
pub fn verify(reader: impl Read) -> Result<Summary, LogFileError> {
    let mut source = Source {
        reader: BufReader::new(reader),
        digest: Sha256::new(),
        offset: 0,
        record: Vec::new(),
        frame: [0; FRAME_BYTES],
    };
    source.magic().map_err(at(0))?;
    let first = source.next().map_err(at(source.offset))?;
    if first != Kind::Identity {
        return Err(at(source.offset)(Problem::NoIdentity));
    }
    let identity = read_identity(&source.record).map_err(at(source.offset))?;
    source.accept();
    let mut log = Log::new(identity);
    loop {
        let offset = source.offset;
        let kind = source.next().map_err(at(offset))?;
        match kind {
            Kind::Identity => return Err(at(offset)(Problem::SecondIdentity)),
            Kind::Open => log.open(&source.record).map_err(at(offset))?,
            Kind::Entry => log.entry(&source.record).map_err(at(offset))?,
            Kind::Head => log.head(&source.record).map_err(at(offset))?,
            Kind::End => break,
        }
        if kind == Kind::Head {
            log.uncovered = None;
        } else {
            log.uncovered.get_or_insert(offset);
        }
        source.accept();
    }
    if let Some(offset) = log.uncovered {
        return Err(at(offset)(Problem::NotUnderHead));
    }
    source.end().map_err(at(source.offset))?;
    log.summary.end = log.chain.end();
    log.summary.file_bytes = source.offset + source.record_bytes();
    if source.goes_on().map_err(at(log.summary.file_bytes))? {
        return Err(at(log.summary.file_bytes)(Problem::Trailing));
    }
    Ok(log.summary)
}

fn at<E: Into<Problem>>(offset: u64) -> impl Fn(E) -> LogFileError {
    move |problem| LogFileError {
        offset,
        problem: problem.into(),
    }
}

fn read_identity(bytes: &[u8]) -> Result<Identity, Problem> {
    const WHAT: &str = "identity";
    let mut reader = Reader::exactly(WHAT, bytes, IDENTITY_BYTES)?;
    let federation = reader.array()?;
    let origin: NodeId = reader.origin()?;
    let recovery = PublicKey::from_bytes(WHAT, &reader.array()?)?;
    Ok(Identity {
        federation,
        origin,
        recovery,
    })
}

/// The log as far as it was read.
struct Log {
    chain: Chain,
    summary: Summary,
    since_head: usize,
    /// Where the first record begins that no head covers yet.
    uncovered: Option<u64>,
}

impl Log {
    fn new(identity: Identity) -> Self {
        Self {
            chain: Chain::new(identity),
            summary: Summary {
                identity,
                epochs: 0,
                entries: 0,
                heads: 0,
                end: Position::START,
                head: None,
                payloads: Payloads::default(),
                file_bytes: 0,
            },
            since_head: 0,
            uncovered: None,
        }
    }

    fn open(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.chain.open(&EpochOpen::decode(bytes)?)?;
        self.summary.epochs += 1;
        Ok(())
    }

    fn entry(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        if self.since_head == MAX_GROUP_ENTRIES {
            return Err(Problem::Group);
        }
        let records = Record::decode_all(bytes)?;
        let [(header, record)] = records.as_slice() else {
            return Err(Problem::LeftOver);
        };
        let count = match &record.payload {
            Payload::Present { .. } => &mut self.summary.payloads.present,
            Payload::Withheld => &mut self.summary.payloads.withheld,
            Payload::Withdrawn if header.flags & WITHDRAWABLE == 0 => {
                return Err(Problem::NotWithdrawable { seq: header.seq });
            }
            Payload::Withdrawn => &mut self.summary.payloads.withdrawn,
            Payload::Erased => &mut self.summary.payloads.erased,
        };
        *count += 1;
        self.chain.append(header, &record.header)?;
        self.summary.entries += 1;
        self.since_head += 1;
        Ok(())
    }

    fn head(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let head = SignedHead::decode(bytes)?;
        self.chain.check_head(&head)?;
        self.summary.head = Some(head);
        self.summary.heads += 1;
        self.since_head = 0;
        Ok(())
    }
}

/// The file as far as it was read: one record at a time, each hashed once it was accepted.
struct Source<R: Read> {
    reader: BufReader<R>,
    digest: Sha256,
    offset: u64,
    record: Vec<u8>,
    frame: [u8; FRAME_BYTES],
}

impl<R: Read> Source<R> {
    fn magic(&mut self) -> Result<(), Problem> {
        let mut magic = [0; MAGIC.len()];
        match self.reader.read_exact(&mut magic) {
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => {
                return Err(Problem::Read(error));
            }
            Ok(()) if magic == MAGIC => {}
            Ok(()) | Err(_) => return Err(Problem::Magic),
        }
        self.digest.update(magic);
        self.offset = magic.len() as u64;
        Ok(())
    }

    /// Reads the record at the offset.
    fn next(&mut self) -> Result<Kind, Problem> {
        if !self.goes_on()? {
            return Err(Problem::NoEnd);
        }
        self.reader.read_exact(&mut self.frame).map_err(cut)?;
        let [kind, length @ ..] = self.frame;
        let kind = Kind::from_byte(kind)?;
        let length = u32::from_be_bytes(length);
        if !kind.allows(length as usize) {
            return Err(Problem::Length {
                what: kind.name(),
                found: length,
            });
        }
        self.record.resize(length as usize, 0);
        self.reader.read_exact(&mut self.record).map_err(cut)?;
        Ok(kind)
    }

    /// Counts the record in and goes to the next one.
    fn accept(&mut self) {
        self.digest.update(self.frame);
        self.digest.update(&self.record);
        self.offset += self.record_bytes();
    }

    fn record_bytes(&self) -> u64 {
        (self.frame.len() + self.record.len()) as u64
    }

    /// Checks the digest of the END record just read against everything accepted before it.
    fn end(&mut self) -> Result<(), Problem> {
        let digest = self.digest.finalize_reset();
        if digest.as_slice() == self.record {
            Ok(())
        } else {
            Err(Problem::Digest)
        }
    }

    fn goes_on(&mut self) -> Result<bool, Problem> {
        loop {
            match self.reader.fill_buf() {
                Ok(bytes) => return Ok(!bytes.is_empty()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Problem::Read(error)),
            }
        }
    }
}

fn cut(error: io::Error) -> Problem {
    if error.kind() == ErrorKind::UnexpectedEof {
        Problem::Truncated
    } else {
        Problem::Read(error)
    }
}
