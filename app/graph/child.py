"""The process that lays out: a plan as a line of JSON comes in, a placing as a line of JSON goes out. No Qt."""

from __future__ import annotations

import os
import sys

import msgspec

from app.graph.layouts import lay_out
from app.graph.plan import Plan


def main() -> int:
    """Answer plans until the input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a stray print of a library must not stand between answers
    decoder = msgspec.json.Decoder(Plan)
    for line in sys.stdin.buffer:
        answers.write(msgspec.json.encode(lay_out(decoder.decode(line))) + b"\n")
        answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
