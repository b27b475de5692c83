"""Answers to `$node.options`: URLs and keys of whatever a node uses. They are never kept, whatever the policy."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broker.capture.blank import blank_payload
from broker.capture.bodies import frame_at
from broker.capture.chunk import OpenChunk
from broker.capture.search import places_of, rows_of
from broker.protocol.channels import parse_channel
from broker.protocol.headers import NODE_OPTIONS, Malformed, read_request, read_response

_ACTION: Final = NODE_OPTIONS.encode()
_MOST_ASKED: Final = 64
"""Questions whose answers are looked for in every chunk, until they came or others crowd them out."""

Message = Callable[[int], tuple[bytes, int, int]]
"""Channel, begin and end of the body of the message in a row."""


class OptionsAnswers:
    """Finds answers by the ids of the requests, which alone name the action.

    Who writes frames that it cannot pair (to mend a file) has nothing but this; of what is heard, and written at once,
    `Correlation` withholds such answers before they get here.

    Chunks are looked through in their order, in one thread; `is_asked` may be called from another.
    """

    def __init__(self) -> None:
        self._asked: OrderedDict[bytes, bool] = OrderedDict()  # and whether the last chunk held an answer

    def blank(self, raw: bytearray, offsets: NDArray[np.int64], message: Message) -> None:
        """Overwrite what answers in a chunk carry, so that their headers still read the same.

        Args:
            raw: Message records, one after another.
            offsets: Where each begins.
            message: Tells what a row holds.
        """
        for row in _rows(raw, offsets, _ACTION):
            channel, begin, end = message(row)
            asked = _question(channel, bytes(raw[begin:end]))
            if asked:
                self._asked[asked] = False
                self._asked.move_to_end(asked)
                while len(self._asked) > _MOST_ASKED:
                    self._asked.popitem(last=False)
        for asked, was_answered in list(self._asked.items()):
            if was_answered:  # it may be answered twice, but that will not be long after
                del self._asked[asked]
            for row in _rows(raw, offsets, asked):
                channel, begin, end = message(row)
                if _answers(channel, bytes(raw[begin:end]), asked):
                    blank_payload(raw, begin, end)
                    self._asked[asked] = True

    def is_asked(
        self, channel: bytes, body: bytes, waiting: Iterable[OpenChunk], name_of: Callable[[int], bytes]
    ) -> bool:
        """Whether a frame that is not on disk yet answers a question.

        Args:
            channel, body: The frame.
            waiting: Chunks that are not on disk yet, in which the question may stand.
            name_of: Tells channels by number.
        """
        if not _is(channel, "RES"):
            return False
        header = read_response(body)
        if isinstance(header, Malformed):
            return False
        number = str(header.id).encode("utf-8", "replace")
        return number in self._asked or number in set(_questions(waiting, name_of))


def _questions(chunks: Iterable[OpenChunk], name_of: Callable[[int], bytes]) -> Iterator[bytes]:
    """The ids of requests for options in some chunks."""
    for chunk in chunks:
        offsets = chunk.places.copy()  # it may grow before the next one is asked for
        for row in _rows(chunk.raw, offsets, _ACTION):
            frame = frame_at(bytes(chunk.raw), int(offsets[row]), name_of)
            if frame is not None:
                yield _question(*frame)


def _rows(raw: bytearray, offsets: NDArray[np.int64], wanted: bytes) -> list[int]:
    """Rows in which some bytes stand, rising."""
    places = places_of(raw, wanted)
    return rows_of(places, offsets) if places else []


def _question(channel: bytes, body: bytes) -> bytes:
    """The id of a request for a node's options; empty for anything else."""
    if not (_is(channel, "REQ") or _is(channel, "REQB")):
        return b""
    header = read_request(body)
    if isinstance(header, Malformed) or header.action != NODE_OPTIONS:
        return b""
    return str(header.id).encode("utf-8", "replace")


def _answers(channel: bytes, body: bytes, asked: bytes) -> bool:
    if not _is(channel, "RES"):
        return False
    header = read_response(body)
    return not isinstance(header, Malformed) and str(header.id).encode("utf-8", "replace") == asked


def _is(channel: bytes, command: str) -> bool:
    name = parse_channel(channel)
    return name is not None and name.command == command
