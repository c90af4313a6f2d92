//! The golden vectors under `tests/vectors`, and what becomes of an exported log that somebody touched.
//!
//! The vectors are compared byte for byte; the verifier in `tests/verify`, which shares no code with this one, checks
//! the same files.
//! After a change that is meant, `POSKO_BLESS=1 cargo test -p posko-ledger --test vectors` writes them anew.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests, outside a test function"
)]

use std::{env, fmt::Write as _, fs, ops::Range, path::PathBuf};

use posko_ledger::{
    chain::{Chain, Identity},
    entry::{
        Class, EXERCISE, EntryHeader, Payload, RECOVERED, Record, SCARCE, WITHDRAWABLE, chain_hash,
        commit, event_id,
    },
    epoch::{Epoch, EpochOpen, Position, Reason, UNPROVEN},
    head::SignedHead,
    key::{PublicKey, SecretKey},
    log_file::{MAGIC, Payloads, Problem, Summary, Writer, verify},
    tree::Tree,
};
use posko_proto::Id;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

const FEDERATION: [u8; 16] = *b"posko-vectors-01";
const RECOVERY_SEED: [u8; 32] = [0x11; 32];
const LOG_SEED: [u8; 32] = [0x22; 32];
const NEXT_SEED: [u8; 32] = [0x33; 32];
const THIRD_SEED: [u8; 32] = [0x44; 32];
/// 21 November 2022, 06:21:09 UTC.
const FIRST_MS: u64 = 1_669_011_669_000;

#[derive(Clone, Copy)]
enum Presence {
    Present,
    Withheld,
    Withdrawn,
    Erased,
}

/// Keeps a log and exports it at the same time.
struct Scribe {
    chain: Chain,
    key: SecretKey,
    out: Writer<Vec<u8>>,
    now: u64,
}

impl Scribe {
    fn new(origin: &str) -> Self {
        let identity = Identity {
            federation: FEDERATION,
            origin: origin.parse().unwrap(),
            recovery: secret(RECOVERY_SEED).public(),
        };
        Self {
            chain: Chain::new(identity),
            key: secret(LOG_SEED),
            out: Writer::new(Vec::new(), &identity).unwrap(),
            now: FIRST_MS,
        }
    }

    fn open(&mut self, reason: Reason, flags: u8, seed: [u8; 32]) -> EpochOpen {
        let identity = *self.chain.identity();
        let end = self.chain.end();
        let no = end.epoch.no + 1;
        let now = self.tick();
        let next = secret(seed);
        let recovery = secret(RECOVERY_SEED);
        let authority = if reason == Reason::Start {
            &self.key
        } else {
            &recovery
        };
        let open = EpochOpen::sign(
            FEDERATION,
            identity.origin,
            Epoch {
                no,
                nonce: [no as u8 * 0x10 + 0x0f; 16],
            },
            end,
            reason,
            flags,
            now,
            &next,
            authority,
        );
        self.chain.open(&open).unwrap();
        self.key = next;
        self.out.open(&open).unwrap();
        open
    }

    fn entry(&mut self, flags: u16, class: Class, presence: Presence, text: &str) -> Record {
        let record = self.compose(flags, class, presence, text);
        let header = EntryHeader::decode(&record.header).unwrap();
        self.chain.append(&header, &record.header).unwrap();
        self.out.entry(&record).unwrap();
        record
    }

    /// Returns the entry that would follow.
    fn compose(&mut self, flags: u16, class: Class, presence: Presence, text: &str) -> Record {
        let end = self.chain.end();
        let seq = end.seq + 1;
        let salt = [(end.epoch.no as u8 * 0x20).wrapping_add(seq as u8); 16];
        let header = EntryHeader {
            flags,
            type_id: 0x0201,
            type_version: 1,
            class,
            payload_len: text.len() as u32,
            seq,
            wall_ms: self.tick(),
            event_id: event_id(Id([end.epoch.no as u8; 16]), seq as u32),
            stream_id: Id([0xa5; 16]),
            stream_version: seq as u32,
            payload_commit: commit(&salt, text.as_bytes()),
        };
        let payload = match presence {
            Presence::Present => Payload::Present {
                salt,
                body: text.into(),
            },
            Presence::Withheld => Payload::Withheld,
            Presence::Withdrawn => Payload::Withdrawn,
            Presence::Erased => Payload::Erased,
        };
        Record {
            header: header.encode(),
            payload,
        }
    }

    fn head(&mut self) -> SignedHead {
        let now = self.tick();
        let head = self.chain.head(now).unwrap().sign(&self.key);
        self.chain.check_head(&head).unwrap();
        self.out.head(&head).unwrap();
        head
    }

    fn finish(self) -> Vec<u8> {
        self.out.finish().unwrap()
    }

    fn tick(&mut self) -> u64 {
        self.now += 1_500;
        self.now
    }
}

fn secret(seed: [u8; 32]) -> SecretKey {
    SecretKey::from_seed(&seed)
}

/// A genesis and a start that may have lost something, with every class, flag and presence, and several heads.
fn two_epochs() -> Vec<u8> {
    let mut scribe = Scribe::new("32");
    scribe.open(Reason::Genesis, 0, LOG_SEED);
    scribe.entry(
        0,
        Class::Regional,
        Presence::Present,
        "12 keluarga mengungsi di Desa Contoh",
    );
    scribe.entry(SCARCE, Class::Provinces, Presence::Withheld, "2 perahu");
    scribe.head();
    scribe.entry(
        WITHDRAWABLE,
        Class::Regional,
        Presence::Withdrawn,
        "catatan",
    );
    scribe.entry(0, Class::Local, Presence::Erased, "akun petugas");
    scribe.entry(EXERCISE, Class::Regional, Presence::Present, "");
    scribe.head();
    scribe.open(Reason::Start, UNPROVEN, NEXT_SEED);
    scribe.entry(
        RECOVERED | SCARCE,
        Class::Provinces,
        Presence::Present,
        "2 perahu",
    );
    scribe.head();
    scribe.entry(WITHDRAWABLE, Class::Regional, Presence::Present, "catatan");
    scribe.head();
    scribe.head();
    scribe.finish()
}

/// Every way for the recovery key to open an epoch, by an origin that is no province.
fn recovered() -> Vec<u8> {
    let mut scribe = Scribe::new("ims");
    scribe.open(Reason::Genesis, 0, LOG_SEED);
    scribe.entry(0, Class::Regional, Presence::Present, "laporan satu");
    scribe.head();
    scribe.open(Reason::KeyLoss, UNPROVEN, NEXT_SEED);
    scribe.entry(0, Class::Regional, Presence::Present, "laporan dua");
    // No head here: the next opening continues at the entry, and the next head covers both.
    scribe.open(Reason::Fork, 0, THIRD_SEED);
    scribe.entry(0, Class::Regional, Presence::Withheld, "laporan tiga");
    scribe.head();
    scribe.finish()
}

/// A genesis and nothing else.
fn opened() -> Vec<u8> {
    let mut scribe = Scribe::new("36");
    scribe.open(Reason::Genesis, 0, LOG_SEED);
    scribe.head();
    scribe.finish()
}

fn logs() -> [(&'static str, Vec<u8>); 3] {
    [
        ("opened.poskolog", opened()),
        ("recovered.poskolog", recovered()),
        ("two-epochs.poskolog", two_epochs()),
    ]
}

enum Json {
    Number(u64),
    Text(String),
    Truth(bool),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    fn write(&self, indent: usize, out: &mut String) {
        let pad = "  ".repeat(indent + 1);
        let end = "  ".repeat(indent);
        match self {
            Self::Number(number) => write!(out, "{number}").unwrap(),
            Self::Text(text) => write!(out, "\"{text}\"").unwrap(),
            Self::Truth(truth) => write!(out, "{truth}").unwrap(),
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "[\n" } else { ",\n" });
                    out.push_str(&pad);
                    item.write(indent + 1, out);
                }
                write!(out, "\n{end}]").unwrap();
            }
            Self::Object(fields) => {
                for (index, (name, value)) in fields.iter().enumerate() {
                    let open = if index == 0 { "{" } else { "," };
                    write!(out, "{open}\n{pad}\"{name}\": ").unwrap();
                    value.write(indent + 1, out);
                }
                write!(out, "\n{end}}}").unwrap();
            }
        }
    }
}

fn hex(bytes: &[u8]) -> Json {
    Json::Text(bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    }))
}

fn key_json(seed: [u8; 32]) -> Json {
    let public = secret(seed).public();
    Json::Object(vec![
        ("seed", hex(&seed)),
        ("public", hex(&public.to_bytes())),
        ("id", hex(&public.id())),
    ])
}

fn open_json(open: &EpochOpen) -> Json {
    Json::Object(vec![
        ("federation", hex(&open.federation)),
        ("origin", Json::Text(open.origin.to_string())),
        ("no", Json::Number(open.epoch.no)),
        ("nonce", hex(&open.epoch.nonce)),
        ("parent_no", Json::Number(open.parent.epoch.no)),
        ("parent_nonce", hex(&open.parent.epoch.nonce)),
        ("parent_seq", Json::Number(open.parent.seq)),
        ("parent_hash", hex(&open.parent.hash)),
        ("reason", Json::Number(open.reason as u64)),
        ("flags", Json::Number(open.flags.into())),
        ("log_public_key", hex(&open.log_key.to_bytes())),
        ("chain_version", Json::Number(open.chain_version.into())),
        ("wall_ms", Json::Number(open.wall_ms)),
        ("statement", hex(&open.statement())),
        ("encoded", hex(&open.encode())),
        ("hash", hex(&open.hash())),
    ])
}

fn entry_json(record: &Record, previous: [u8; 32]) -> Json {
    let header = EntryHeader::decode(&record.header).unwrap();
    let Payload::Present { salt, body } = &record.payload else {
        panic!("the sample's payloads are present")
    };
    let mut encoded = Vec::new();
    record.encode_to(&mut encoded);
    Json::Object(vec![
        ("flags", Json::Number(header.flags.into())),
        ("type_id", Json::Number(header.type_id.into())),
        ("type_version", Json::Number(header.type_version.into())),
        ("class", Json::Number(header.class as u64)),
        ("payload_len", Json::Number(header.payload_len.into())),
        ("seq", Json::Number(header.seq)),
        ("wall_ms", Json::Number(header.wall_ms)),
        ("event_id", hex(header.event_id.as_bytes())),
        ("stream_id", hex(header.stream_id.as_bytes())),
        ("stream_version", Json::Number(header.stream_version.into())),
        ("salt", hex(salt)),
        ("payload", hex(body)),
        ("payload_commit", hex(&commit(salt, body))),
        ("header", hex(&record.header)),
        ("previous_hash", hex(&previous)),
        ("hash", hex(&chain_hash(&previous, &record.header))),
        ("record", hex(&encoded)),
    ])
}

fn head_json(head: &SignedHead) -> Json {
    let Position { epoch, seq, hash } = head.head.position;
    Json::Object(vec![
        ("federation", hex(&head.head.federation)),
        ("origin", Json::Text(head.head.origin.to_string())),
        ("no", Json::Number(epoch.no)),
        ("nonce", hex(&epoch.nonce)),
        ("seq", Json::Number(seq)),
        ("hash", hex(&hash)),
        ("tree_size", Json::Number(head.head.tree_size)),
        ("tree_root", hex(&head.head.tree_root)),
        ("payload_bytes", Json::Number(head.head.payload_bytes)),
        ("wall_ms", Json::Number(head.head.wall_ms)),
        ("key_id", hex(&head.head.key_id)),
        ("bytes", hex(&head.head.encode())),
        ("signature", hex(&head.signature)),
    ])
}

fn tree_json() -> Json {
    let leaves: Vec<Vec<u8>> = (0..9_u8)
        .map(|leaf| (0..leaf).map(|byte| leaf * 0x10 + byte).collect())
        .collect();
    let mut tree = Tree::default();
    let mut roots = vec![hex(&tree.root())];
    for leaf in &leaves {
        tree.push(leaf);
        roots.push(hex(&tree.root()));
    }
    Json::Object(vec![
        (
            "leaves",
            Json::List(leaves.iter().map(|leaf| hex(leaf)).collect()),
        ),
        ("roots", Json::List(roots)),
    ])
}

/// Key, message, signature and whether the strict rules accept it.
fn signatures() -> Vec<(&'static str, [u8; 32], [u8; 64])> {
    const MESSAGE: &[u8] = b"posko";
    let key = secret(LOG_SEED);
    let good = key.sign(MESSAGE);
    let mut above_order = good;
    add_group_order(&mut above_order);
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut neutral = [0; 64];
    neutral[0] = 1;
    let mut small_commitment = good;
    small_commitment[..32].copy_from_slice(&identity);
    // The neutral element written with the y coordinate p + 1, which is 1 again.
    let mut long_way = [0xff; 32];
    long_way[0] = 0xee;
    long_way[31] = 0x7f;
    let mut other_half = good;
    other_half[63] ^= 0x20;
    let public = key.public().to_bytes();
    vec![
        ("as signed", public, good),
        ("S plus the group's order", public, above_order),
        ("a high bit of S set", public, other_half),
        ("R of small order", public, small_commitment),
        ("a key of small order", identity, neutral),
        ("a key of small order, not canonical", long_way, neutral),
        ("another key", secret(NEXT_SEED).public().to_bytes(), good),
    ]
}

fn accepts(public: &[u8; 32], signature: &[u8; 64]) -> bool {
    PublicKey::from_bytes("sample", public).is_ok_and(|key| key.verifies(b"posko", signature))
}

/// Adds the order of Ed25519's group, 2^252 + 27742317777372353535851937790883648493, to S.
fn add_group_order(signature: &mut [u8; 64]) {
    let mut order = [0_u8; 32];
    order[..16]
        .copy_from_slice(&27_742_317_777_372_353_535_851_937_790_883_648_493_u128.to_le_bytes());
    order[31] = 0x10;
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
}

fn ledger_json() -> Vec<u8> {
    let mut scribe = Scribe::new("32");
    let genesis = scribe.open(Reason::Genesis, 0, LOG_SEED);
    let mut entries = Vec::new();
    for (flags, text) in [(0, "laporan satu"), (WITHDRAWABLE | EXERCISE, "")] {
        let previous = scribe.chain.end().hash;
        let record = scribe.entry(flags, Class::Regional, Presence::Present, text);
        entries.push(entry_json(&record, previous));
    }
    let head = scribe.head();
    let start = scribe.open(Reason::Start, UNPROVEN, NEXT_SEED);
    let command = Id(*b"a command's id 1");
    let event_ids = [0, 1, 258].map(|index| {
        Json::Object(vec![
            ("command", hex(command.as_bytes())),
            ("index", Json::Number(index.into())),
            ("event_id", hex(event_id(command, index).as_bytes())),
        ])
    });
    let signatures = signatures().into_iter().map(|(name, public, signature)| {
        Json::Object(vec![
            ("case", Json::Text(name.into())),
            ("public", hex(&public)),
            ("message", hex(b"posko")),
            ("signature", hex(&signature)),
            ("valid", Json::Truth(accepts(&public, &signature))),
        ])
    });
    let whole = Json::Object(vec![
        (
            "keys",
            Json::Object(vec![
                ("recovery", key_json(RECOVERY_SEED)),
                ("log", key_json(LOG_SEED)),
                ("next_log", key_json(NEXT_SEED)),
            ]),
        ),
        (
            "opens",
            Json::List(vec![open_json(&genesis), open_json(&start)]),
        ),
        ("entries", Json::List(entries)),
        ("head", head_json(&head)),
        ("event_ids", Json::List(event_ids.into())),
        ("tree", tree_json()),
        ("signatures", Json::List(signatures.collect())),
    ]);
    let mut text = String::new();
    whole.write(0, &mut text);
    text.push('\n');
    text.into_bytes()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors")
}

fn check_golden(name: &str, written: &[u8]) {
    let path = folder().join(name);
    if env::var_os("POSKO_BLESS").is_some() {
        fs::create_dir_all(folder()).unwrap();
        fs::write(&path, written).unwrap();
    }
    let committed = fs::read(&path).unwrap_or_else(|error| panic!("read `{name}`: {error}"));
    assert!(
        committed == written,
        "`{name}` is not what this code writes"
    );
}

#[test]
fn the_committed_vectors_are_what_this_code_writes() {
    check_golden("ledger.json", &ledger_json());
    for (name, bytes) in logs() {
        check_golden(name, &bytes);
    }
}

#[test]
fn only_the_signature_as_signed_is_accepted() {
    for (name, public, signature) in signatures() {
        assert_eq!(accepts(&public, &signature), name == "as signed", "{name}");
    }
}

/// Returns where each record stands, END included.
fn borders(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut records = Vec::new();
    let mut at = MAGIC.len();
    while at < bytes.len() {
        let length = u32::from_be_bytes(bytes[at + 1..at + 5].try_into().unwrap());
        let next = at + 5 + length as usize;
        records.push(at..next);
        at = next;
    }
    records
}

/// Returns the bytes before END with a fresh END behind them.
fn sealed(before_end: &[u8]) -> Vec<u8> {
    let mut bytes = before_end.to_vec();
    bytes.extend_from_slice(&[255, 0, 0, 0, 32]);
    bytes.extend_from_slice(&Sha256::digest(before_end));
    bytes
}

fn check(bytes: &[u8]) -> Result<Summary, (u64, Problem)> {
    verify(bytes).map_err(|error| (error.offset, error.problem))
}

#[test]
fn a_verified_log_tells_what_it_holds() {
    let bytes = two_epochs();
    let summary = verify(bytes.as_slice()).unwrap();
    assert_eq!(summary.identity.origin.as_str(), "32");
    assert_eq!(summary.identity.recovery, secret(RECOVERY_SEED).public());
    assert_eq!((summary.epochs, summary.entries, summary.heads), (2, 7, 5));
    assert_eq!(summary.end.to_string(), "2.2f2f/2");
    assert_eq!(summary.head.unwrap().head.position, summary.end);
    let payloads = Payloads {
        present: 4,
        withheld: 1,
        withdrawn: 1,
        erased: 1,
    };
    assert_eq!(summary.payloads, payloads);
    assert_eq!(summary.file_bytes, bytes.len() as u64);
}

#[test]
fn a_log_in_which_nothing_was_written_yet_is_valid() {
    let summary = verify(Scribe::new("36").finish().as_slice()).unwrap();
    assert_eq!(
        (summary.epochs, summary.entries, summary.head),
        (0, 0, None)
    );
    assert_eq!(summary.end, Position::START);
}

/// Returns the bit that is flipped beside all of them, another one for each byte.
fn one_bit(at: usize) -> u8 {
    1 << ((at * 7 + 3) % 8)
}

#[test]
fn every_flipped_byte_is_detected() {
    for (name, bytes) in logs() {
        for at in 0..bytes.len() {
            for flip in [0xff, one_bit(at)] {
                let mut flipped = bytes.clone();
                flipped[at] ^= flip;
                assert!(
                    check(&flipped).is_err(),
                    "`{name}`, byte {at} with {flip:#04x}"
                );
            }
        }
    }
}

/// Says whether the byte tells why a payload is absent, which is the exporter's word and signed by nobody.
fn is_absence(bytes: &[u8], at: usize) -> bool {
    borders(bytes)
        .iter()
        .any(|record| bytes[record.start] == 3 && record.start + 5 == at && bytes[at] != 1)
}

#[test]
fn every_flipped_byte_is_detected_by_chain_and_signatures_when_the_digest_is_made_anew() {
    for (name, bytes) in logs() {
        let end = borders(&bytes).last().unwrap().start;
        for at in 0..end {
            for flip in [0xff, one_bit(at)] {
                let mut flipped = bytes[..end].to_vec();
                flipped[at] ^= flip;
                let checked = check(&sealed(&flipped));
                if is_absence(&bytes, at) && matches!(flipped[at], 2..=4) {
                    continue;
                }
                assert!(checked.is_err(), "`{name}`, byte {at} with {flip:#04x}");
            }
        }
    }
}

#[test]
fn why_a_payload_is_absent_changes_nothing_but_the_count() {
    let bytes = two_epochs();
    let before = verify(bytes.as_slice()).unwrap();
    let end = borders(&bytes).last().unwrap().start;
    let mut bent = bytes[..end].to_vec();
    let at = borders(&bytes)
        .iter()
        .map(|record| record.start + 5)
        .find(|at| bytes[*at] == 3 && is_absence(&bytes, *at))
        .unwrap();
    bent[at] = 2;
    let after = verify(sealed(&bent).as_slice()).unwrap();
    let payloads = Payloads {
        withheld: 2,
        withdrawn: 0,
        ..before.payloads
    };
    assert_eq!(after, Summary { payloads, ..before });
}

#[test]
fn a_payload_that_may_not_be_withdrawn_is_not_withdrawn() {
    let mut scribe = Scribe::new("32");
    scribe.open(Reason::Genesis, 0, LOG_SEED);
    scribe.entry(SCARCE, Class::Regional, Presence::Withdrawn, "2 perahu");
    scribe.head();
    let bytes = scribe.finish();
    let entry = borders(&bytes)[2].start as u64;
    let checked = check(&bytes);
    assert!(
        matches!(checked, Err((at, Problem::NotWithdrawable { seq: 1 })) if at == entry),
        "{checked:?}"
    );
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for (name, bytes) in logs() {
        let borders = borders(&bytes);
        for length in 0..bytes.len() {
            let Err((offset, problem)) = check(&bytes[..length]) else {
                panic!("`{name}` cut at {length} is accepted");
            };
            if length < MAGIC.len() {
                assert!(matches!(problem, Problem::Magic), "{problem}");
            } else if borders.iter().any(|record| record.start == length) {
                assert!(matches!(problem, Problem::NoEnd), "{problem}");
                assert_eq!(offset, length as u64);
            } else {
                assert!(matches!(problem, Problem::Truncated), "{problem}");
            }
        }
    }
}

#[test]
fn a_log_cut_with_a_fresh_digest_is_an_older_log_at_a_head_and_refused_elsewhere() {
    for (name, bytes) in logs() {
        for pair in borders(&bytes).windows(2) {
            let cut = pair[0].end;
            let checked = check(&sealed(&bytes[..cut]));
            let kind = bytes[pair[0].start];
            if kind == 1 || kind == 4 {
                assert!(checked.is_ok(), "`{name}` cut at {cut}: {checked:?}");
            } else {
                let checked = checked.map(|_| ()).unwrap_err();
                assert!(matches!(checked.1, Problem::NotUnderHead), "{}", checked.1);
            }
        }
    }
}

#[test]
fn records_that_changed_places_were_lost_or_came_twice_are_refused() {
    for (name, bytes) in logs() {
        let borders = borders(&bytes);
        let end = borders.last().unwrap().start;
        let inner = &borders[..borders.len() - 1];
        for (index, record) in inner.iter().enumerate() {
            let before = &bytes[..record.start];
            let this = &bytes[record.clone()];
            let after = &bytes[record.end..end];
            let is_head = this[0] == 4;
            // A head may be missing or stand twice: it says nothing new.
            if !is_head {
                assert!(
                    check(&sealed(&[before, after].concat())).is_err(),
                    "`{name}` without record {index}"
                );
                assert!(
                    check(&sealed(&[before, this, this, after].concat())).is_err(),
                    "`{name}` with record {index} twice"
                );
            }
            if let Some(next) = inner.get(index + 1) {
                let other = &bytes[next.clone()];
                let rest = &bytes[next.end..end];
                let both_heads = is_head && other[0] == 4;
                assert_eq!(
                    check(&sealed(&[before, other, this, rest].concat())).is_ok(),
                    both_heads,
                    "`{name}` with record {index} behind the next"
                );
            }
        }
    }
}

#[test]
fn an_entry_after_the_last_head_is_refused_where_it_stands() {
    let mut scribe = Scribe::new("32");
    scribe.open(Reason::Genesis, 0, LOG_SEED);
    scribe.entry(0, Class::Regional, Presence::Present, "laporan satu");
    scribe.head();
    scribe.entry(0, Class::Regional, Presence::Present, "laporan dua");
    scribe.entry(0, Class::Regional, Presence::Present, "laporan tiga");
    let bytes = scribe.finish();
    let first_uncovered = borders(&bytes)[4].start as u64;
    let checked = check(&bytes);
    assert!(
        matches!(checked, Err((at, Problem::NotUnderHead)) if at == first_uncovered),
        "{checked:?}"
    );
}

#[test]
fn more_than_1024_entries_without_a_head_are_refused() {
    for (count, fits) in [(1024, true), (1025, false)] {
        let mut scribe = Scribe::new("32");
        scribe.open(Reason::Genesis, 0, LOG_SEED);
        for _ in 0..count {
            scribe.entry(0, Class::Regional, Presence::Withheld, "laporan");
        }
        scribe.head();
        match check(&scribe.finish()) {
            Ok(summary) => assert!(fits && summary.entries == count),
            Err((_, problem)) => assert!(!fits && matches!(problem, Problem::Group), "{problem}"),
        }
    }
}

#[test]
fn whatever_follows_the_end_is_refused() {
    let bytes = opened();
    for more in [&[0][..], &bytes] {
        let checked = check(&[&bytes, more].concat());
        assert!(
            matches!(checked, Err((at, Problem::Trailing)) if at == bytes.len() as u64),
            "{checked:?}"
        );
    }
}

#[test]
fn a_log_is_refused_under_a_recovery_key_that_did_not_open_it() {
    let bytes = opened();
    let mut bent = bytes.clone();
    let recovery = MAGIC.len() + 5 + 32;
    bent[recovery..recovery + 32].copy_from_slice(&secret(LOG_SEED).public().to_bytes());
    let end = borders(&bytes).last().unwrap().start;
    let checked = check(&sealed(&bent[..end]));
    assert!(
        matches!(checked, Err((_, Problem::Chain(_)))),
        "{checked:?}"
    );
}

proptest! {
    #[test]
    fn arbitrary_records_are_refused_without_a_panic(records in prop::collection::vec((0..6_u8, prop::collection::vec(any::<u8>(), 0..400)), 0..6)) {
        let mut bytes = opened();
        bytes.truncate(borders(&bytes).last().unwrap().start);
        for (kind, body) in &records {
            bytes.push(*kind);
            bytes.extend_from_slice(&(body.len() as u32).to_be_bytes());
            bytes.extend_from_slice(body);
        }
        prop_assert_eq!(check(&sealed(&bytes)).is_ok(), records.is_empty());
    }
}
