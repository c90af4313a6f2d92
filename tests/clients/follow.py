"""Follows a node's change feed as headquarters' IMS would, and checks what it promises.

Prints a JSON object a line: {"change": …}, {"thing": …}, {"heartbeat": …}, {"turn": …}, {"reconnect": …}, and {"end": …} last.
It goes on until its standard input is closed. The token is read from $POSKO_TOKEN.

It ends with 1, and says why on standard error, when an event comes out of its origin's order or when the node refuses it.
"""

import argparse
import importlib
import json
import os
import pathlib
import sys
import tempfile
import threading
import time
import uuid

import grpc
from grpc_tools import protoc

# What a broken connection gives; anything else is the node's answer.
BROKEN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL)


def generate(protos):
    """Generates the client from the contracts, and returns its messages and its stub."""
    out = tempfile.mkdtemp(prefix="posko-client-")
    files = [str(path) for path in sorted(pathlib.Path(protos).rglob("*.proto"))]
    include = pathlib.Path(importlib.import_module("grpc_tools").__file__).parent / "_proto"
    arguments = ["protoc", f"-I{protos}", f"-I{include}", f"--python_out={out}", f"--grpc_python_out={out}"]
    if protoc.main(arguments + files) != 0:
        raise SystemExit("the contracts could not be compiled")
    sys.path.insert(0, out)
    messages = importlib.import_module("posko.ims.v1.service_pb2")
    stubs = importlib.import_module("posko.ims.v1.service_pb2_grpc")
    return messages, stubs.ChangeFeedServiceStub


def say(line, /, **fields):
    print(json.dumps({line: fields}), flush=True)


class Follower:
    """The newest cursor, and every event seen."""

    def __init__(self, address, ca, token, protos):
        self.messages, self.stub = generate(protos)
        self.address, self.token = address, [("authorization", f"Bearer {token}")]
        self.credentials = grpc.ssl_channel_credentials(pathlib.Path(ca).read_bytes())
        self.cursor = b""
        self.seen = set()
        self.last = {}
        self.repeated = self.reconnects = 0
        self.call = None
        self.done = threading.Event()

    def channel(self):
        options = [("grpc.ssl_target_name_override", "localhost"), ("grpc.keepalive_time_ms", 20_000)]
        return grpc.secure_channel(self.address, self.credentials, options)

    def again(self, work):
        """Does the work until it ends by itself, on a new connection after each that broke."""
        while not self.done.is_set():
            try:
                with self.channel() as channel:
                    return work(self.stub(channel))
            except grpc.RpcError as error:
                if self.done.is_set():
                    return None
                if error.code() not in BROKEN:
                    raise SystemExit(f"refused: {error.code().name}: {error.details()}") from error
                self.reconnects += 1
                say("reconnect", code=error.code().name, details=error.details())
                time.sleep(0.2)
        return None

    def snapshot(self, stub):
        """Takes a snapshot, and goes on from its end."""
        for response in stub.Snapshot(self.messages.SnapshotRequest(), metadata=self.token):
            kind = response.WhichOneof("item")
            if kind == "end":
                self.cursor = response.end.cursor
                return
            thing = getattr(response, kind)
            say("thing", kind=kind, stream=str(uuid.UUID(bytes=getattr(thing, f"{kind}_id"))), version=thing.version)
        raise SystemExit("the snapshot ended without its end")

    def follow(self, stub):
        """Takes changes in, and keeps the cursor after each."""
        request = self.messages.SubscribeRequest(cursor=self.cursor)
        self.call = stub.Subscribe(request, metadata=self.token)
        if self.done.is_set():
            self.call.cancel()
        for response in self.call:
            kind = response.WhichOneof("message")
            if kind == "change":
                self.take(response.change)
            elif kind == "turn":
                place = response.turn.position
                self.last[place.origin] = (place.epoch_no, place.seq)
                say("turn", origin=place.origin, epoch=place.epoch_no, seq=place.seq)
            else:
                say("heartbeat", origins={origin.origin: origin.link for origin in response.heartbeat.origins})
            self.cursor = response.cursor

    def take(self, change):
        event = str(uuid.UUID(bytes=change.event_id))
        origin = change.position.origin
        at = (change.position.epoch_no, change.position.seq)
        last = self.last.get(origin, (0, 0))
        self.last[origin] = max(last, at)
        if event in self.seen:
            # Sent again, or recorded again by its origin at another place: its id tells.
            self.repeated += 1
            return
        if at <= last:
            raise SystemExit(f"event {event} of {origin} at {at} came after {last}")
        self.seen.add(event)
        say(
            "change",
            event=event,
            origin=origin,
            type=change.type,
            stream=str(uuid.UUID(bytes=change.stream_id)),
            version=change.stream_version,
            typed=change.WhichOneof("event"),
        )

    def stop_with_input(self):
        sys.stdin.read()
        self.done.set()
        if self.call is not None:
            self.call.cancel()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", required=True, help="where operators reach the node, HOST:PORT")
    parser.add_argument("--ca", required=True, help="the node's own CA, keys/ca.pem in its directory")
    parser.add_argument("--protos", required=True, help="the folder of the contracts")
    parser.add_argument("--snapshot", action="store_true", help="begin with a snapshot instead of the first event")
    parser.add_argument("--cursor", default="", help="begin after this cursor, in hexadecimal")
    options = parser.parse_args()
    follower = Follower(options.address, options.ca, os.environ["POSKO_TOKEN"], options.protos)
    follower.cursor = bytes.fromhex(options.cursor)
    threading.Thread(target=follower.stop_with_input, daemon=True).start()
    if options.snapshot:
        follower.again(follower.snapshot)
    follower.again(follower.follow)
    say(
        "end",
        events=len(follower.seen),
        repeated=follower.repeated,
        reconnects=follower.reconnects,
        cursor=follower.cursor.hex(),
    )


if __name__ == "__main__":
    main()
