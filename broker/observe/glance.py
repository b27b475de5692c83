"""Reading headers at a glance: what the hot path takes for granted, and how it finds out that it may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from broker.observe.limits import LONGEST_TIMEOUT_MS
from broker.protocol.headers import EventHeader, RequestHeader, ResponseHeader

NOT_AT_A_GLANCE: Final = (
    KeyError,  # new on its lane
    TypeError,  # a field that is no text, or nothing that can be a key
    AttributeError,  # Malformed
    msgspec.MsgspecError,
    ValueError,
    RecursionError,
    OverflowError,
    MemoryError,
)
"""What reading a header, or looking up what it names, may raise; then the long way is taken."""

decode_request: Final[Callable[[bytes], Any]] = msgspec.json.Decoder(RequestHeader).decode
"""How a lane begins to decode requests; it changes when it gets others than JSON."""

decode_response: Final[Callable[[bytes], Any]] = msgspec.json.Decoder(ResponseHeader).decode

decode_event: Final[Callable[[bytes], Any]] = msgspec.json.Decoder(EventHeader).decode


def is_answer(header: Any) -> bool:
    """Whether it is a whole header of a RES."""
    if header.__class__ is not ResponseHeader:
        return False
    return type(header.id) is str is type(header.sender) and header.id != "" != header.sender


def odd_deadline_ns(at_ns: int, timeout_ms: Any) -> int:
    """When a request times out; 0 for a timeout that is none (negative, NaN, text, more than a day)."""
    if type(timeout_ms) not in (int, float) or not 0 < timeout_ms <= LONGEST_TIMEOUT_MS:
        return 0
    return at_ns + (int(timeout_ms * 1e6) or 1)
