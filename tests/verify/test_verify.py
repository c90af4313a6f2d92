#!/usr/bin/env python3
"""Holds the verifier against the golden vectors, and against files that somebody touched.

    python3 tests/verify/test_verify.py
"""

import contextlib
import functools
import hashlib
import io
import json
import pathlib
import struct
import sys
import tempfile
import unittest
import unittest.mock
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import verify  # noqa: E402

VECTORS = pathlib.Path(__file__).parent.parent / "vectors"
LOGS = {path.name: path.read_bytes() for path in sorted(VECTORS.glob("*.poskolog"))}
LEDGER = json.loads((VECTORS / "ledger.json").read_text(encoding="ascii"))
FRAMES = json.loads((VECTORS / "frames.json").read_text(encoding="ascii"))
MAGIC = b"posko/log/v1\0"


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def be(number: int, length: int) -> bytes:
    return number.to_bytes(length, "big")


def padded(origin: str) -> bytes:
    return origin.encode("ascii").ljust(16, b"\0")


def raw(fields: dict, name: str) -> bytes:
    return bytes.fromhex(fields[name])


def secret(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(raw(LEDGER["keys"][name], "seed"))


def record(kind: int, body: bytes) -> bytes:
    return be(kind, 1) + be(len(body), 4) + body


def sealed(before_end: bytes) -> bytes:
    """Returns the bytes before END with a fresh END behind them."""
    return before_end + record(255, sha256(before_end))


def records(file: bytes) -> list[tuple[int, int]]:
    """Returns where each record begins and ends, END included."""
    found, at = [], len(MAGIC)
    while at < len(file):
        after = at + 5 + struct.unpack_from(">I", file, at + 1)[0]
        found.append((at, after))
        at = after
    return found


def check(file: bytes) -> verify.Outcome:
    return verify.verify(io.BytesIO(file))


def flips(file: bytes, length: int) -> Iterator[tuple[int, bytes]]:
    """Flips each byte as a whole, and one bit of each, another one for each byte."""
    for at in range(length):
        for flip in (0xFF, 1 << (at * 7 + 3) % 8):
            flipped = bytearray(file)
            flipped[at] ^= flip
            yield at, bytes(flipped)


class Frames(unittest.TestCase):
    """Computes the signatures of `frames.json` anew, from the fields beside them."""

    def test_presence_is_laid_out_and_signed_as_described(self) -> None:
        said = FRAMES["presence"]
        numbers = [said[name] for name in ("epoch", "started_ms", "counter", "ttl_ms")]
        signed = b"posko/presence/v1\0" + raw(said, "federation") + padded(said["origin"])
        signed += raw(said, "run_id") + b"".join(be(number, 8) for number in numbers)
        signed += be(len(said["items"]), 4)
        for item in said["items"]:
            body = raw(item, "body")
            signed += raw(item, "subject") + be(item["kind"], 4) + be(len(body), 4) + body
        self.assertEqual(secret("log").sign(signed), raw(said, "signature"))

    def test_a_letter_is_laid_out_and_signed_as_described(self) -> None:
        letter = FRAMES["letter"]
        signed = b"posko/sealed/v1\0" + raw(letter, "federation") + raw(letter, "id")
        signed += padded(letter["to"]) + padded(letter["from"]) + be(letter["ttl_ms"], 8)
        signed += raw(letter, "encapsulated_key") + raw(letter, "ciphertext")
        self.assertEqual(secret("log").sign(signed), raw(letter, "signature"))


class Ledger(unittest.TestCase):
    """Computes each value of `ledger.json` anew, from the fields beside it."""

    def test_the_keys_are_those_of_their_seeds(self) -> None:
        for name, key in LEDGER["keys"].items():
            public = secret(name).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            self.assertEqual(public, raw(key, "public"), name)
            self.assertEqual(sha256(public)[:8], raw(key, "id"), name)
            self.assertEqual(verify.key_id(public), raw(key, "id"), name)

    def test_the_openings_are_laid_out_signed_and_hashed_as_described(self) -> None:
        signers = [("log", "recovery"), ("next_log", "log")]
        for fields, (new, authority) in zip(LEDGER["opens"], signers, strict=True):
            statement = b"".join(
                [
                    b"posko/open/v1\0",
                    raw(fields, "federation"),
                    padded(fields["origin"]),
                    be(fields["no"], 8),
                    raw(fields, "nonce"),
                    be(fields["parent_no"], 8),
                    raw(fields, "parent_nonce"),
                    be(fields["parent_seq"], 8),
                    raw(fields, "parent_hash"),
                    be(fields["reason"], 1),
                    be(fields["flags"], 1),
                    raw(fields, "log_public_key"),
                    be(fields["chain_version"], 2),
                    be(fields["wall_ms"], 8),
                ]
            )
            self.assertEqual(raw(LEDGER["keys"][new], "public"), raw(fields, "log_public_key"))
            self.assertEqual(statement, raw(fields, "statement"))
            signatures = secret(new).sign(statement) + secret(authority).sign(statement)
            self.assertEqual(statement + signatures, raw(fields, "encoded"))
            self.assertEqual(sha256(b"posko/epoch/v1\0" + statement), raw(fields, "hash"))

    def test_the_entries_are_laid_out_bound_and_chained_as_described(self) -> None:
        previous = raw(LEDGER["opens"][0], "hash")
        for fields in LEDGER["entries"]:
            salted = raw(fields, "salt") + raw(fields, "payload")
            commitment = sha256(b"posko/pay/v1\0" + salted)
            self.assertEqual(commitment, raw(fields, "payload_commit"))
            header = b"".join(
                [
                    be(1, 2),
                    be(fields["flags"], 2),
                    be(fields["type_id"], 4),
                    be(fields["type_version"], 2),
                    be(fields["class"], 1),
                    be(0, 1),
                    be(len(raw(fields, "payload")), 4),
                    be(fields["seq"], 8),
                    be(fields["wall_ms"], 8),
                    raw(fields, "event_id"),
                    raw(fields, "stream_id"),
                    be(fields["stream_version"], 4),
                    commitment,
                ]
            )
            self.assertEqual(len(header), 100)
            self.assertEqual(header, raw(fields, "header"))
            self.assertEqual(b"\1" + header + salted, raw(fields, "record"))
            self.assertEqual(previous, raw(fields, "previous_hash"))
            previous = sha256(b"posko/entry/v1\0" + previous + header)
            self.assertEqual(previous, raw(fields, "hash"))
        self.assertEqual(previous, raw(LEDGER["head"], "hash"))
        self.assertEqual(previous, raw(LEDGER["opens"][1], "parent_hash"))

    def test_the_head_is_laid_out_and_signed_as_described(self) -> None:
        fields = LEDGER["head"]
        leaves = [raw(LEDGER["opens"][0], "statement")] + [raw(entry, "header") for entry in LEDGER["entries"]]
        statement = b"".join(
            [
                b"posko/head/v1\0",
                raw(fields, "federation"),
                padded(fields["origin"]),
                be(fields["no"], 8),
                raw(fields, "nonce"),
                be(fields["seq"], 8),
                raw(fields, "hash"),
                be(len(leaves), 8),
                root_by_the_book(leaves),
                be(sum(entry["payload_len"] for entry in LEDGER["entries"]), 8),
                be(fields["wall_ms"], 8),
                raw(LEDGER["keys"]["log"], "id"),
                be(1, 2),
            ]
        )
        self.assertEqual(statement, raw(fields, "bytes"))
        self.assertEqual(secret("log").sign(statement), raw(fields, "signature"))

    def test_event_ids_come_from_the_command_and_the_index(self) -> None:
        for fields in LEDGER["event_ids"]:
            derived = sha256(b"posko/event/v1\0" + raw(fields, "command") + be(fields["index"], 4))[:16]
            self.assertEqual(derived, raw(fields, "event_id"))

    def test_the_roots_are_those_of_rfc_6962(self) -> None:
        leaves = [bytes.fromhex(leaf) for leaf in LEDGER["tree"]["leaves"]]
        roots = [bytes.fromhex(root) for root in LEDGER["tree"]["roots"]]
        self.assertEqual([root_by_the_book(leaves[:size]) for size in range(10)], roots)
        tree = verify.Tree()
        for size, root in enumerate(roots):
            self.assertEqual(tree.root(), root)
            if size < len(leaves):
                tree.add(leaves[size])

    def test_the_strict_rules_for_signatures_agree(self) -> None:
        for fields in LEDGER["signatures"]:
            with self.subTest(fields["case"]):
                valid = verify.verifies(raw(fields, "public"), raw(fields, "message"), raw(fields, "signature"))
                self.assertEqual(valid, fields["valid"])

    def test_points_of_small_order_are_all_known(self) -> None:
        orders_of_8 = [
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        ]
        known = {verify.y_of(bytes.fromhex(point)) for point in orders_of_8} | {0, 1, verify.P - 1}
        self.assertEqual(verify.SMALL_ORDER_YS, known)


def root_by_the_book(leaves: list[bytes]) -> bytes:
    """Splits at the largest power of two below the size, as RFC 6962 section 2.1 says."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0])
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + root_by_the_book(leaves[:split]) + root_by_the_book(leaves[split:]))


class Files(unittest.TestCase):
    """Verifies the exported logs as they are, and touched."""

    @classmethod
    def setUpClass(cls) -> None:
        # The touched files repeat most signatures of the whole ones; each is judged once, by its key and its bytes.
        once = unittest.mock.patch.object(verify, "verifies", functools.cache(verify.verifies))
        once.start()
        cls.addClassCleanup(once.stop)

    def assert_refused(self, file: bytes, reason: str, offset: int | None = None) -> None:
        outcome = check(file)
        self.assertIsNotNone(outcome.reason)
        self.assertIn(reason, outcome.reason)
        if offset is not None:
            self.assertEqual(outcome.offset, offset)

    def test_the_logs_hold_what_they_were_written_with(self) -> None:
        expected = {
            "opened.poskolog": ("36", 1, 0, 1, "1.1f1f/0", [0, 0, 0, 0]),
            "recovered.poskolog": ("ims", 3, 3, 2, "3.3f3f/1", [2, 1, 0, 0]),
            "two-epochs.poskolog": ("32", 2, 7, 5, "2.2f2f/2", [4, 1, 1, 1]),
        }
        self.assertEqual(set(LOGS), set(expected))
        for name, file in LOGS.items():
            outcome = check(file)
            self.assertIsNone(outcome.reason, name)
            log = outcome.log
            holds = (log.origin, log.epochs, log.entries, log.heads, str(log.end), list(log.payloads.values()))
            self.assertEqual(holds, expected[name])
            self.assertEqual(log.recovery_key, raw(LEDGER["keys"]["recovery"], "public"))
            self.assertEqual(outcome.offset, len(file))

    def test_a_file_that_comes_byte_by_byte_holds_too(self) -> None:
        class Slow(io.BytesIO):
            def read(self, size: int = -1) -> bytes:
                return super().read(min(size, 1))

        for name, file in LOGS.items():
            self.assertIsNone(verify.verify(Slow(file)).reason, name)

    def test_a_log_in_which_nothing_was_written_yet_holds(self) -> None:
        file = LOGS["opened.poskolog"]
        self.assertIsNone(check(sealed(file[: records(file)[0][1]])).reason)

    def test_every_flipped_byte_is_detected(self) -> None:
        for name, file in LOGS.items():
            for at, flipped in flips(file, len(file)):
                self.assertIsNotNone(check(flipped).reason, f"{name}, byte {at}")

    def test_every_flipped_byte_is_detected_when_the_digest_is_made_anew(self) -> None:
        for name, file in LOGS.items():
            end = records(file)[-1][0]
            # Why a payload is absent is the exporter's word, signed by nobody.
            absences = {begin + 5 for begin, _ in records(file) if file[begin] == 3 and file[begin + 5] != 1}
            for at, flipped in flips(file[:end], end):
                if at in absences and flipped[at] in (2, 3, 4):
                    continue
                self.assertIsNotNone(check(sealed(flipped)).reason, f"{name}, byte {at}")

    def test_a_file_cut_anywhere_is_refused(self) -> None:
        for name, file in LOGS.items():
            begins = {begin for begin, _ in records(file)}
            for length in range(len(file)):
                outcome = check(file[:length])
                self.assertIsNotNone(outcome.reason, f"{name} cut at {length}")
                if length in begins:
                    self.assertEqual(outcome.reason, "the file ends without an END record")
                    self.assertEqual(outcome.offset, length)

    def test_a_log_cut_with_a_fresh_digest_is_an_older_log_at_a_head_and_refused_elsewhere(self) -> None:
        for name, file in LOGS.items():
            for begin, after in records(file)[:-1]:
                outcome = check(sealed(file[:after]))
                if file[begin] in (1, 4):
                    self.assertIsNone(outcome.reason, f"{name} cut at {after}")
                else:
                    self.assertEqual(outcome.reason, "what follows from here is not under a signed head")

    def test_records_that_changed_places_were_lost_or_came_twice_are_refused(self) -> None:
        for name, file in LOGS.items():
            inner = [file[begin:after] for begin, after in records(file)[:-1]]
            for index, this in enumerate(inner):
                before, after = inner[:index], inner[index + 1 :]
                # A head may be missing or stand twice: it says nothing new.
                if this[0] != 4:
                    for variant in (before + after, before + [this, this] + after):
                        self.assertIsNotNone(check(sealed(MAGIC + b"".join(variant))).reason, f"{name}, {index}")
                if after:
                    swapped = before + [after[0], this] + after[1:]
                    both_heads = this[0] == after[0][0] == 4
                    outcome = check(sealed(MAGIC + b"".join(swapped)))
                    self.assertEqual(outcome.reason is None, both_heads, f"{name}, {index}")

    def test_entries_that_no_head_covers_are_refused_where_they_begin(self) -> None:
        file = LOGS["opened.poskolog"]
        last_head = records(file)[-2]
        self.assertEqual(file[last_head[0]], 4)
        longer = file[: last_head[1]] + record(3, withheld(1)) + record(3, withheld(2))
        self.assert_refused(sealed(longer), "not under a signed head", last_head[1])

    def test_more_than_1024_entries_without_a_head_are_refused(self) -> None:
        file = LOGS["opened.poskolog"]
        last_head = records(file)[-2]
        longer = file[: last_head[1]]
        for seq in range(1, 1025):
            longer += record(3, withheld(seq))
        self.assert_refused(sealed(longer), "not under a signed head")
        self.assert_refused(sealed(longer + record(3, withheld(1025))), "more than 1024 entries", len(longer))

    def test_a_payload_that_may_not_be_withdrawn_is_not_withdrawn(self) -> None:
        file = LOGS["opened.poskolog"]
        last_head = records(file)[-2]
        bent = file[: last_head[1]] + record(3, b"\3" + withheld(1)[1:])
        self.assert_refused(sealed(bent), "is withdrawn, but its header does not allow that", last_head[1])

    def test_whatever_follows_the_end_is_refused(self) -> None:
        file = LOGS["opened.poskolog"]
        for more in (b"\0", file):
            self.assert_refused(file + more, "goes on after its END record", len(file))

    def test_unknown_kinds_and_impossible_lengths_are_refused_before_they_are_read(self) -> None:
        file = LOGS["opened.poskolog"]
        begin = records(file)[-1][0]
        self.assert_refused(file[:begin] + b"\x05\0\0\0\0", "the unknown kind `5`", begin)
        self.assert_refused(file[:begin] + b"\x03\xff\xff\xff\xff", "which cannot be", begin)


def withheld(seq: int) -> bytes:
    """Returns an entry that follows the one before, its payload withheld."""
    return b"\2" + struct.pack(">HHIHBBIQQ16s16sI32s", 1, 0, 1, 1, 1, 0, 9, seq, 0, b"", b"", seq, b"")


class CommandLine(unittest.TestCase):
    """Calls the program as a person does."""

    def run_main(self, *arguments: str) -> tuple[int, str]:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            try:
                code = verify.main(list(arguments))
            except SystemExit as left:
                code = left.code
        return code, printed.getvalue()

    def test_files_that_hold_exit_with_0_and_say_ok(self) -> None:
        paths = [str(VECTORS / name) for name in LOGS]
        code, printed = self.run_main(*paths)
        self.assertEqual(code, 0)
        self.assertEqual([": ok" in line for line in printed.splitlines()], [True] * len(paths))

    def test_one_file_that_does_not_hold_exits_with_1_and_says_where(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            bent = pathlib.Path(folder) / "bent.poskolog"
            file = LOGS["opened.poskolog"]
            bent.write_bytes(file[:-1])
            good = str(VECTORS / "opened.poskolog")
            code, printed = self.run_main(good, str(bent))
            self.assertEqual(code, 1)
            offset = records(file)[-1][0]
            self.assertIn(f"bent.poskolog: at byte {offset}: the file ends inside this record", printed)
            code, printed = self.run_main("--json", good, str(bent))
            self.assertEqual(code, 1)
            result = json.loads(printed)
            self.assertFalse(result["ok"])
            self.assertEqual([file["ok"] for file in result["files"]], [True, False])
            self.assertEqual(result["files"][1]["offset"], offset)

    def test_a_file_that_is_not_there_exits_with_1(self) -> None:
        code, printed = self.run_main(str(VECTORS / "not-there.poskolog"))
        self.assertEqual(code, 1)
        self.assertIn("the file cannot be read", printed)

    def test_a_wrong_call_exits_with_2(self) -> None:
        self.assertEqual(self.run_main()[0], 2)


if __name__ == "__main__":
    unittest.main()
