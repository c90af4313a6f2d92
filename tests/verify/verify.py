#!/usr/bin/env python3
"""Verifies exported logs (`*.poskolog`) without any of Posko's own code.

    python3 tests/verify/verify.py FILE…

It was written from the description of the bytes, not from the program, and needs Python 3.11 and `cryptography`.
For each file it prints one line: whose log it is, what it holds, where it ends and `ok`, or the offset of the record
that is wrong and why. It exits with 0 if every file holds, 1 if one does not, 2 if it was called wrongly.

A file proves what it says of the recovery key that it names. Compare that key (`--json`, or the end of the line) with
the origin's card. Why a payload is absent is the word of whoever exported the file, and signed by nobody.

Memory is bounded by one record, whatever the file's length.
"""

import argparse
import dataclasses
import functools
import hashlib
import json
import struct
import sys
from typing import BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAGIC = b"posko/log/v1\0"
IDENTITY, OPEN, ENTRY, HEAD, END = 1, 2, 3, 4, 255
KIND_NAMES = {IDENTITY: "IDENTITY", OPEN: "OPEN", ENTRY: "ENTRY", HEAD: "HEAD", END: "END"}

# prefix, federation, origin, no, nonce, parent (no, nonce, seq, hash), reason, flags, log key, chain version, wall ms
OPEN_STATEMENT = struct.Struct(">14s16s16sQ16sQ16sQ32sBB32sHQ")
# version, flags, type, type version, class, reserved, payload length, seq, wall ms, event, stream, stream version,
# payload commitment
ENTRY_HEADER = struct.Struct(">HHIHBBIQQ16s16sI32s")
# prefix, federation, origin, no, nonce, seq, hash, tree size, tree root, payload bytes, wall ms, key id, chain version
HEAD_STATEMENT = struct.Struct(">14s16s16sQ16sQ32sQ32sQQ8sH")
SIGNATURE_BYTES = 64
SALT_BYTES = 16
MAX_PAYLOAD_BYTES = 256 * 1024
MAX_ENTRIES_BETWEEN_HEADS = 1024

GENESIS, START, FORK, KEYLOSS = 1, 2, 3, 4
UNPROVEN = 1
WITHDRAWABLE = 2
CLASSES = {1: "REGIONAL", 2: "PROVINCES", 4: "LOCAL"}
PRESENCES = {1: "present", 2: "withheld", 3: "withdrawn", 4: "erased"}
PRESENT, WITHDRAWN = 1, 3

LENGTHS = {
    IDENTITY: (64, 64),
    OPEN: (OPEN_STATEMENT.size + 2 * SIGNATURE_BYTES,) * 2,
    ENTRY: (1 + ENTRY_HEADER.size, 1 + ENTRY_HEADER.size + SALT_BYTES + MAX_PAYLOAD_BYTES),
    HEAD: (HEAD_STATEMENT.size + SIGNATURE_BYTES,) * 2,
    END: (32, 32),
}


class Refused(Exception):
    """Says why a file, or a part of it, does not hold."""


def sha256(*parts: bytes) -> bytes:
    """Returns the hash of the parts one after the other."""
    return hashlib.sha256(b"".join(parts)).digest()


# --- Ed25519, strictly: one signature for a key and a statement ------------------------------------------------------

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def small_order_ys() -> frozenset[int]:
    """Returns the y coordinates of the eight points whose order divides 8."""
    # Orders 1, 2 and 4 have y = 1, -1 and 0. A point of order 8 doubles to one with y = 0, so x² = -y², and the curve
    # -x² + y² = 1 + d·x²·y² says d·t² + 2·t - 1 = 0 for t = y²: t = (-1 ± √(1 + d)) / d, of which one is a square.
    found = {0, 1, P - 1}
    root = square_root((1 + D) % P)
    for signed_root in (root, -root):
        y = square_root((signed_root - 1) * pow(D, -1, P) % P)
        if y is not None:
            found |= {y, P - y}
    return frozenset(found)


def square_root(a: int) -> int | None:
    """Returns a square root modulo P, or None for what is no square."""
    candidate = pow(a, (P + 3) // 8, P)
    for root in (candidate, candidate * pow(2, (P - 1) // 4, P) % P):
        if root * root % P == a:
            return root
    return None


SMALL_ORDER_YS = small_order_ys()


def y_of(point: bytes) -> int:
    """Returns the y coordinate of an encoded point, reduced."""
    return (int.from_bytes(point, "little") & ((1 << 255) - 1)) % P


@functools.lru_cache(maxsize=16)
def is_point(point: bytes) -> bool:
    """Says whether there is an x for the encoded y: x² = (y² - 1) / (d·y² + 1)."""
    y2 = y_of(point) ** 2 % P
    x2 = (y2 - 1) * pow(D * y2 + 1, -1, P) % P
    return square_root(x2) is not None


def verifies(public: bytes, statement: bytes, signature: bytes) -> bool:
    """Says whether the signature is this key's.

    Keys and commitments of small order are refused here, since under such a key one signature fits many statements.
    An S that is not below the group's order, and an R that is not written canonically, are refused by the library.
    """
    if y_of(public) in SMALL_ORDER_YS or y_of(signature[:32]) in SMALL_ORDER_YS:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id(public: bytes) -> bytes:
    """Returns the eight bytes by which a head names its key."""
    return sha256(public)[:8]


# --- The tree of RFC 6962 --------------------------------------------------------------------------------------------


class Tree:
    """The roots of the full subtrees, each with its height, left to right."""

    def __init__(self) -> None:
        self.size = 0
        self.full: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        """Adds a leaf, and joins neighbors of equal height."""
        height, node = 0, sha256(b"\0", leaf)
        while self.full and self.full[-1][0] == height:
            node = sha256(b"\1", self.full.pop()[1], node)
            height += 1
        self.full.append((height, node))
        self.size += 1

    def root(self) -> bytes:
        """Returns the root; that of no leaves is the hash of nothing."""
        if not self.full:
            return sha256()
        node = self.full[-1][1]
        for _, left in reversed(self.full[:-1]):
            node = sha256(b"\1", left, node)
        return node


# --- The log ---------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Position:
    """A place in a log; number 0 of an epoch is its opening."""

    no: int = 0
    nonce: bytes = bytes(16)
    seq: int = 0
    hash: bytes = bytes(32)

    def __str__(self) -> str:
        return f"{self.no}.{self.nonce[:2].hex()}/{self.seq}"


def read_origin(padded: bytes, what: str) -> str:
    """Returns a node's name: lower-case letters and digits, padded with zeros."""
    name = padded.rstrip(b"\0")
    if not name or not all(byte in b"abcdefghijklmnopqrstuvwxyz0123456789" for byte in name):
        raise Refused(f"{what} has an origin that is no node's name")
    return name.decode("ascii")


def read_key(public: bytes, what: str) -> bytes:
    """Returns a public key, if it is a point of the curve."""
    if not is_point(public):
        raise Refused(f"{what} has a public key that is none")
    return public


class Log:
    """One origin's log as far as it was read."""

    def __init__(self, identity: bytes) -> None:
        self.federation = identity[:16]
        self.padded_origin = identity[16:32]
        self.origin = read_origin(self.padded_origin, "the identity")
        self.recovery_key = read_key(identity[32:], "the identity")
        self.end = Position()
        self.log_key: bytes | None = None
        self.tree = Tree()
        self.payload_bytes = 0
        self.epochs = self.entries = self.heads = self.since_head = 0
        self.payloads = dict.fromkeys(PRESENCES.values(), 0)

    def open(self, encoded: bytes) -> None:
        """Takes in the opening of an epoch."""
        statement = encoded[: OPEN_STATEMENT.size]
        new_signature = encoded[OPEN_STATEMENT.size : -SIGNATURE_BYTES]
        authorizing_signature = encoded[-SIGNATURE_BYTES:]
        (
            prefix, federation, origin, no, nonce, parent_no, parent_nonce, parent_seq, parent_hash,
            reason, flags, log_key, chain_version, _wall_ms,
        ) = OPEN_STATEMENT.unpack(statement)  # fmt: skip
        if prefix != b"posko/open/v1\0":
            raise Refused("the opening does not begin with `posko/open/v1`")
        self._check_names("the opening", federation, origin)
        if reason not in (GENESIS, START, FORK, KEYLOSS):
            raise Refused(f"the opening has the unknown reason `{reason}`")
        if flags not in (0, UNPROVEN):
            raise Refused(f"the opening has the unknown flags `{flags}`")
        if chain_version != 1:
            raise Refused(f"the opening has the chain version `{chain_version}`")
        read_key(log_key, "the opening")
        parent = Position(parent_no, parent_nonce, parent_seq, parent_hash)
        if parent != self.end:
            raise Refused(f"epoch `{no}` continues `{parent}`, but the log ends at `{self.end}`")
        if no <= parent_no:
            raise Refused(f"epoch `{no}` is not higher than its parent `{parent_no}`")
        if not verifies(log_key, statement, new_signature):
            raise Refused(f"the log key's signature of epoch `{no}` does not hold")
        authority = self.log_key if reason == START else self.recovery_key
        if authority is None:
            raise Refused("a start is the first epoch, with no log key to allow it")
        if not verifies(authority, statement, authorizing_signature):
            raise Refused(f"the authorizing signature of epoch `{no}` does not hold")
        self.end = Position(no, nonce, 0, sha256(b"posko/epoch/v1\0", statement))
        self.log_key = log_key
        self.tree.add(statement)
        self.epochs += 1

    def entry(self, record: bytes) -> None:
        """Takes in an entry, with its payload where that is here."""
        presence, header, rest = record[0], record[1 : 1 + ENTRY_HEADER.size], record[1 + ENTRY_HEADER.size :]
        (
            version, flags, _type, _type_version, class_, reserved, payload_len, seq, _wall_ms,
            _event, _stream, _stream_version, commitment,
        ) = ENTRY_HEADER.unpack(header)  # fmt: skip
        if self.log_key is None:
            raise Refused("an entry stands before any epoch")
        if self.since_head == MAX_ENTRIES_BETWEEN_HEADS:
            raise Refused(f"more than {MAX_ENTRIES_BETWEEN_HEADS} entries follow each other without a signed head")
        if version != 1:
            raise Refused(f"the entry's header has the version `{version}`")
        if class_ not in CLASSES:
            raise Refused(f"the entry has the unknown class `{class_}`")
        if reserved != 0:
            raise Refused(f"the entry's reserved byte is `{reserved}`")
        if payload_len > MAX_PAYLOAD_BYTES:
            raise Refused(f"the entry's payload has `{payload_len}` bytes, which is too many")
        if seq != self.end.seq + 1:
            raise Refused(f"entry `{seq}` stands where entry `{self.end.seq + 1}` must follow")
        if presence not in PRESENCES:
            raise Refused(f"entry `{seq}` has the unknown presence `{presence}`")
        if presence == WITHDRAWN and not flags & WITHDRAWABLE:
            raise Refused(f"the payload of entry `{seq}` is withdrawn, but its header does not allow that")
        expected = SALT_BYTES + payload_len if presence == PRESENT else 0
        if len(rest) != expected:
            raise Refused(f"entry `{seq}` has `{len(rest)}` bytes after its header instead of `{expected}`")
        if presence == PRESENT and sha256(b"posko/pay/v1\0", rest) != commitment:
            raise Refused(f"the payload of entry `{seq}` is not the one that its header binds")
        chained = sha256(b"posko/entry/v1\0", self.end.hash, header)
        self.end = dataclasses.replace(self.end, seq=seq, hash=chained)
        self.tree.add(header)
        self.payload_bytes += payload_len
        self.payloads[PRESENCES[presence]] += 1
        self.entries += 1
        self.since_head += 1

    def head(self, encoded: bytes) -> None:
        """Takes in a signed head, which must be the origin's word for just this end."""
        statement, signature = encoded[: HEAD_STATEMENT.size], encoded[HEAD_STATEMENT.size :]
        (
            prefix, federation, origin, no, nonce, seq, hash_, tree_size, tree_root, payload_bytes, _wall_ms,
            named_key, chain_version,
        ) = HEAD_STATEMENT.unpack(statement)  # fmt: skip
        if prefix != b"posko/head/v1\0":
            raise Refused("the head does not begin with `posko/head/v1`")
        self._check_names("the head", federation, origin)
        if chain_version != 1:
            raise Refused(f"the head has the chain version `{chain_version}`")
        position = Position(no, nonce, seq, hash_)
        if self.log_key is None:
            raise Refused("a head stands before any epoch")
        if position != self.end:
            raise Refused(f"the head is at `{position}`, the chain at `{self.end}`, or their hashes differ")
        for field, claimed, found in (
            ("tree size", tree_size, self.tree.size),
            ("tree root", tree_root, self.tree.root()),
            ("payload bytes", payload_bytes, self.payload_bytes),
        ):
            if claimed != found:
                raise Refused(f"the head at `{position}` contradicts the chain's {field}")
        if named_key != key_id(self.log_key) or not verifies(self.log_key, statement, signature):
            raise Refused(f"the signature of the head at `{position}` does not hold")
        self.heads += 1
        self.since_head = 0

    def _check_names(self, what: str, federation: bytes, origin: bytes) -> None:
        if federation != self.federation:
            raise Refused(f"{what} belongs to another federation")
        if origin != self.padded_origin:
            raise Refused(f"{what} belongs to another origin than `{self.origin}`")


# --- The file --------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Outcome:
    """What became of a file: the log as far as it was read, and the reason with its offset if it does not hold."""

    log: Log | None = None
    offset: int = 0
    reason: str | None = None

    def line(self, name: str) -> str:
        """Returns the line that a person reads."""
        if self.reason is not None:
            return f"{name}: at byte {self.offset}: {self.reason}"
        log = self.log
        payloads = ", ".join(f"{count} {presence}" for presence, count in log.payloads.items() if count)
        holds = [f"{log.epochs} epochs", f"{log.entries} entries", f"{log.heads} heads"]
        if payloads:
            holds.append(f"payloads {payloads}")
        return (
            f"{name}: origin {log.origin}, {', '.join(holds)}, end {log.end}: ok"
            f" (recovery key {log.recovery_key.hex()})"
        )

    def as_json(self, name: str) -> dict:
        """Returns what a program reads."""
        if self.reason is not None:
            return {"file": name, "ok": False, "offset": self.offset, "reason": self.reason}
        log = self.log
        return {
            "file": name,
            "ok": True,
            "federation": log.federation.hex(),
            "origin": log.origin,
            "recovery_key": log.recovery_key.hex(),
            "epochs": log.epochs,
            "entries": log.entries,
            "heads": log.heads,
            "payloads": log.payloads,
            "end": {
                "no": log.end.no,
                "nonce": log.end.nonce.hex(),
                "seq": log.end.seq,
                "hash": log.end.hash.hex(),
            },
        }


def verify(stream: BinaryIO) -> Outcome:
    """Verifies one file from its first byte to its last."""
    outcome = Outcome()
    try:
        _verify(stream, outcome)
    except Refused as refused:
        outcome.reason = str(refused)
    return outcome


def _verify(stream: BinaryIO, outcome: Outcome) -> None:
    if _read(stream, len(MAGIC)) != MAGIC:
        raise Refused("the file does not begin with `posko/log/v1`")
    digest = hashlib.sha256(MAGIC)
    outcome.offset = len(MAGIC)
    uncovered = None  # where the first record begins that no head covers yet
    while True:
        frame, kind, record = _next(stream)
        if outcome.log is None:
            if kind != IDENTITY:
                raise Refused("the file does not begin with an IDENTITY record")
            outcome.log = Log(record)
        elif kind == IDENTITY:
            raise Refused("a second IDENTITY record stands here")
        elif kind == OPEN:
            outcome.log.open(record)
        elif kind == ENTRY:
            outcome.log.entry(record)
        elif kind == HEAD:
            outcome.log.head(record)
        else:
            break
        if kind == HEAD:
            uncovered = None
        elif kind != IDENTITY and uncovered is None:
            uncovered = outcome.offset
        digest.update(frame)
        digest.update(record)
        outcome.offset += len(frame) + len(record)
    if uncovered is not None:
        outcome.offset = uncovered
        raise Refused("what follows from here is not under a signed head")
    if digest.digest() != record:
        raise Refused("the digest of the END record is not that of the file")
    outcome.offset += len(frame) + len(record)
    if _read(stream, 1):
        raise Refused("the file goes on after its END record")


def _next(stream: BinaryIO) -> tuple[bytes, int, bytes]:
    frame = _read(stream, 5)
    if not frame:
        raise Refused("the file ends without an END record")
    if len(frame) < 5:
        raise Refused("the file ends inside this record")
    kind, length = struct.unpack(">BI", frame)
    if kind not in LENGTHS:
        raise Refused(f"a record is of the unknown kind `{kind}`")
    shortest, longest = LENGTHS[kind]
    if not shortest <= length <= longest:
        raise Refused(f"a record of kind {KIND_NAMES[kind]} says that it has `{length}` bytes, which cannot be")
    record = _read(stream, length)
    if len(record) < length:
        raise Refused("the file ends inside this record")
    return frame, kind, record


def _read(stream: BinaryIO, length: int) -> bytes:
    """Returns so many bytes, fewer only at the file's end."""
    parts = []
    while length and (part := stream.read(length)):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def main(arguments: list[str] | None = None) -> int:
    """Verifies the files named and returns the exit code."""
    parser = argparse.ArgumentParser(
        description="Verifies exported logs. Exits with 0 if every file holds, 1 if one does not.",
        epilog="example: python3 tests/verify/verify.py export/*.poskolog",
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="an exported log, `*.poskolog`")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    results = []
    for name in options.files:
        try:
            with open(name, "rb") as stream:
                outcome = verify(stream)
        except OSError as error:
            outcome = Outcome(reason=f"the file cannot be read: {error.strerror}")
        results.append(outcome.as_json(name))
        if not options.json:
            print(outcome.line(name))
    ok = all(result["ok"] for result in results)
    if options.json:
        print(json.dumps({"ok": ok, "files": results}, indent=2))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
