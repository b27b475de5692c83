"""Ordinary requests and answers as bytes, without a packet between: most of what nodes say to each other.

One at a time a call runs through code that has left the processor's caches,
so it counts how much of it there is. What is not ordinary is left to `codec`,
which writes the same bytes.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from broker.protocol.serializers.json import is_written_as_it_is

VERSION: Final = "5"
"""Of the protocol; requests and answers in another are not ordinary."""

_NOTHING: Final[dict[str, Any]] = {}
_ENCODE: Final = msgspec.json.Encoder().encode
_FAILURES: Final = (TypeError, ValueError, RecursionError, OverflowError)


class _Request(msgspec.Struct):
    id: str
    action: str
    params: Any
    meta: dict[str, Any]
    headers: dict[str, Any]
    timeout: int
    level: int
    tracing: None
    parentID: None
    requestID: str
    caller: None
    stream: bool
    ver: str
    sender: str


class _Response(msgspec.Struct):
    id: str
    meta: dict[str, Any]
    headers: dict[str, Any]
    success: bool
    data: Any
    ver: str
    sender: str


def request(request_id: str, action: str, params: Any, sender: str) -> bytes | None:
    """A call from outside of any other, without options, in JSON.

    Returns:
        None when the params need more care.
    """
    try:
        if is_written_as_it_is(params):
            return _ENCODE(
                _Request(
                    request_id, action, params, _NOTHING, _NOTHING, 0, 1, None, None, request_id, None, False,
                    VERSION, sender,
                )
            )  # fmt: skip
    except _FAILURES:
        pass
    return None


def response(request_id: str, meta: dict[str, Any], data: Any, sender: str) -> bytes | None:
    """The answer to a call that succeeded, with no headers, in JSON.

    Returns:
        None when what is to be sent needs more care.
    """
    try:
        if is_written_as_it_is(data) and is_written_as_it_is(meta) and type(meta) is dict:
            return _ENCODE(_Response(request_id, meta, _NOTHING, True, data, VERSION, sender))
    except _FAILURES:
        pass
    return None
