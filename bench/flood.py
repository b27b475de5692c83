"""A made-up mesh that talks at a steady pace: `python -m bench.flood PORT PACKETS_PER_S NODES EDGES`.

Every packet is a real REQ or RES of protocol 5 in JSON; answers follow their
requests by some milliseconds. One service a node. Ends with its parent's pipe.
"""

from __future__ import annotations

import random
import socket
import sys
import threading
import time
from collections import deque

TURN_S = 0.01
NAMESPACE = "flood"
REQUEST = (
    '{"id":"%(id)s","action":"svc-%(to)d.run","params":{"item":%(n)d,"note":"%(note)s"},"meta":{},"headers":{},'
    '"timeout":0,"level":1,"tracing":null,"parentID":null,"requestID":"%(id)s","caller":"svc-%(by)d",'
    '"stream":false,"ver":"5","sender":"node-%(by)d"}'
)
RESPONSE = '{"id":"%(id)s","meta":{},"headers":{},"success":true,"data":"%(note)s","ver":"5","sender":"node-%(to)d"}'
NOTE = "x" * 120


def publish(channel: str, body: str) -> bytes:
    """A PUBLISH as RESP."""
    raw, name = body.encode(), channel.encode()
    return b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(name), name, len(raw), raw)


def main() -> None:
    """Publish until standard input ends."""
    port, per_s, nodes, edges = (int(word) for word in sys.argv[1:5])
    rng = random.Random(7)
    pairs = [(rng.randrange(nodes), rng.randrange(nodes)) for _ in range(edges)]
    bus = socket.create_connection(("127.0.0.1", port))
    threading.Thread(target=drain, args=(bus,), daemon=True).start()
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    owed: deque[list[bytes]] = deque([[] for _ in range(3)])
    calls_a_turn = max(1, round(per_s * TURN_S / 2))
    number, due_s = 0, time.monotonic()
    while not ended.is_set():
        batch, answers = owed.popleft(), []
        for _ in range(calls_a_turn):
            by, to = pairs[number % edges]
            fields = {"id": f"{number:08x}-0000-4000-8000-000000000000", "by": by, "to": to, "n": number, "note": NOTE}
            batch.append(publish(f"MOL-{NAMESPACE}.REQ.node-{to}", REQUEST % fields))
            answers.append(publish(f"MOL-{NAMESPACE}.RES.node-{by}", RESPONSE % fields))
            number += 1
        owed.append(answers)
        bus.sendall(b"".join(batch))
        due_s += TURN_S
        time.sleep(max(0.0, due_s - time.monotonic()))


def drain(bus: socket.socket) -> None:
    """Read the answers away."""
    buffer = bytearray(1 << 16)
    while bus.recv_into(buffer):
        pass


if __name__ == "__main__":
    main()
