"""Packets like those of a real mesh, and a process that publishes them as fast as it is told.

Started as a program (`python -m bench.tap_load PORT PAIRS`) it reads lines from
its standard input: a number of packets a second to keep to, 0 for as fast as
it can. For each it publishes all of its packets once and prints "done".
"""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

NODES = 12
ACTIONS = 40
IN_FLIGHT = 50
SLICE = 200


def packets(pairs: int) -> Iterator[tuple[bytes, bytes]]:
    """REQ (about 500 bytes) and RES (about 200), IN_FLIGHT answers behind their requests; always the same ones."""
    chance = random.Random(7)
    answers: list[tuple[bytes, bytes]] = []
    for number in range(pairs):
        request, answer = _pair(number, chance)
        yield request
        answers.append(answer)
        if len(answers) > IN_FLIGHT:
            yield answers.pop(0)
    yield from answers


def _pair(number: int, chance: random.Random) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
    caller, callee = f"node-{number % NODES}", f"node-{(number * 7 + 1) % NODES}"
    service = number % ACTIONS
    request: dict[str, Any] = {
        "id": _id(chance),
        "action": f"v2.orders{service}.get",
        "params": {"id": number, "fields": ["id", "total", "customer"], "note": "x" * 80},
        "meta": {"user": {"id": 5, "roles": ["admin", "sales"]}, "locale": "en"},
        "headers": {},
        "timeout": 0 if number % 2 else 5000,
        "level": 2,
        "tracing": None,
        "parentID": _id(chance) if number % 3 else None,
        "requestID": _id(chance),
        "caller": f"shop{service % 7}",
        "stream": False,
        "ver": "5",
        "sender": caller,
    }
    answer = {
        "id": request["id"],
        "meta": {},
        "headers": {},
        "success": True,
        "data": {"id": number, "total": 12.5, "items": ["y" * 24]},
        "ver": "5",
        "sender": callee,
    }
    return (b"MOL.REQ." + callee.encode(), _body(request)), (b"MOL.RES." + caller.encode(), _body(answer))


def _id(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _body(packet: dict[str, Any]) -> bytes:
    return json.dumps(packet, separators=(",", ":")).encode()


class Publisher:
    """The other end of the process that publishes."""

    def __init__(self, port: int, pairs: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.tap_load", str(port), str(pairs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._wait_for("ready")

    def _wait_for(self, word: str) -> None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if line != word:
            raise RuntimeError(f"the publisher said {line!r}, expected {word!r}")

    def begin(self, packets_a_second: int = 0) -> None:
        """Publish all packets once; 0 for as fast as it can."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{packets_a_second}\n")
        self._process.stdin.flush()

    def wait(self) -> None:
        """Until the server has taken them all."""
        self._wait_for("done")

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


def _publish(connection: socket.socket, slices: list[bytes], packets_a_second: int) -> None:
    """Send everything, in slices of SLICE packets, and wait until the server has taken them."""
    begin = time.perf_counter()
    for number, commands in enumerate(slices):
        if packets_a_second:
            time.sleep(max(0.0, begin + number * SLICE / packets_a_second - time.perf_counter()))
        connection.sendall(commands)
    connection.sendall(b"CLIENT REPLY ON\r\n")
    answer = b""
    while not answer.endswith(b"+OK\r\n"):
        answer += connection.recv(4096)
    connection.sendall(b"CLIENT REPLY OFF\r\n")


def main() -> None:
    """Publish whenever a line comes."""
    port, pairs = int(sys.argv[1]), int(sys.argv[2])
    commands = [
        b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(channel), channel, len(body), body)
        for channel, body in packets(pairs)
    ]
    slices = [b"".join(commands[begin : begin + SLICE]) for begin in range(0, len(commands), SLICE)]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"CLIENT REPLY OFF\r\n")
        print("ready", flush=True)
        for line in sys.stdin:
            _publish(connection, slices, int(line))
            print("done", flush=True)


if __name__ == "__main__":
    main()
