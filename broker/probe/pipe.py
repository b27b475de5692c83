"""The pipe between probe and window: framing, and batches to messages and back.

A message is its length in 4 bytes (big endian) and msgpack of ``[kind, body]``.
The first one each way is ``["meshscope", {...}]``: who is there, and how a
row looks; unequal formats are refused by both. A batch crosses as ``names``,
``rows`` (one run of bytes a column), ``state`` and ``counters``, each only
when there is something in it, and ends with ``through_ns``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from broker.observe.journal import (
    CALL_COLUMNS,
    COUNTER_COLUMNS,
    EVENT_COLUMNS,
    JOURNAL_FORMAT,
    Batch,
    Name,
    NameKind,
    OpenCall,
    StateChange,
    Tally,
)
from broker.version import program_version

PIPE_FORMAT: Final = 3
MAX_MESSAGE_BYTES: Final = 1 << 30
_LENGTH: Final = struct.Struct(">I")
_COLUMNS: Final = {"calls": CALL_COLUMNS, "events": EVENT_COLUMNS, "counters": COUNTER_COLUMNS}

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder()

Message = tuple[str, Any]


class PipeError(Exception):
    """The other side is not one of ours; the message says what was found and what was expected."""


def pack(kind: str, body: Any) -> bytes:
    """A message as it crosses the pipe."""
    content = _encoder.encode((kind, body))
    return _LENGTH.pack(len(content)) + content


def encodable(value: Any) -> Any:
    """Halves of letters, which no bytes can hold, escaped as in JSON; else a command would be lost in silence."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {key: encodable(inner) for key, inner in value.items()}
        case list() | tuple():
            return [encodable(inner) for inner in value]
    return value


class Unpacker:
    """Takes bytes as they come, gives whole messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take in bytes.

        Returns:
            The messages that are whole now, oldest first.

        Raises:
            PipeError: What came is no message.
        """
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MAX_MESSAGE_BYTES:
                raise PipeError(f"a message of {length:,} bytes was announced: the other side is no Meshscope probe")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            with memoryview(self._buffer) as view:
                content = bytes(view[_LENGTH.size : end])
            del self._buffer[:end]
            yield _message(content)


def _message(content: bytes) -> Message:
    try:
        kind, body = _decoder.decode(content)
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        raise PipeError(f"a message cannot be read ({error}): the other side is no Meshscope probe") from error
    return str(kind), body


# the first message


def _layout() -> dict[str, list[list[str]]]:
    """Names and types of the columns of a row."""
    return {
        name: [[column, columns[column].str] for column in columns.names or ()] for name, columns in _COLUMNS.items()
    }


def greeting() -> Message:
    """What each side says first."""
    return "meshscope", {
        "version": program_version(),
        "format": [PIPE_FORMAT, JOURNAL_FORMAT],
        "layout": _layout(),
    }


def check_greeting(message: Message, *, of: str) -> None:
    """Compare the other side's first message with ours.

    Args:
        message: What came.
        of: Who sent it, for people: ``probe`` or ``window``.

    Raises:
        PipeError: It is no Meshscope, or speaks another format; names both versions.
    """
    kind, body = message
    if kind != "meshscope" or not isinstance(body, dict):
        raise PipeError(f"the {of} began with '{kind}', expected 'meshscope'")
    ours = greeting()[1]
    if body.get("format") != ours["format"] or body.get("layout") != ours["layout"]:
        raise PipeError(
            f"the {of} is Meshscope {body.get('version')} (format {body.get('format')}), this is Meshscope "
            f"{ours['version']} (format {ours['format']}): they do not understand each other. "
            "Install the same version on both sides."
        )


# batches


def batch_messages(batch: Batch, status: dict[str, Any] | None = None) -> Iterator[Message]:
    """A batch as messages; the last is ``through_ns``."""
    if batch.names:
        yield "names", [(int(name.kind), *name[1:]) for name in batch.names]
    if batch.changes or batch.waiting:
        yield "state", {"changes": [tuple(change) for change in batch.changes], "waiting": batch.waiting}
    if len(batch.calls) or len(batch.events):
        yield "rows", {"calls": _columns(batch.calls), "events": _columns(batch.events)}
    body: dict[str, Any] = {"rows": _columns(batch.counters), "tally": msgspec.to_builtins(batch.tally)}
    if status is not None:
        body["status"] = status
    yield "counters", body
    yield "through_ns", batch.through_ns


class BatchBuilder:
    """Puts batches together again from messages."""

    def __init__(self) -> None:
        self._batch = Batch()

    def take(self, message: Message) -> Batch | None:
        """Take in one message of a batch.

        Returns:
            The batch, with its last message; None before.

        Raises:
            PipeError: Columns do not fit each other.
        """
        kind, body = message
        batch = self._batch
        match kind:
            case "names":
                batch.names += [Name(NameKind(n[0]), n[1], n[2], n[3]) for n in body]
            case "state":
                batch.changes += [StateChange(*change) for change in body["changes"]]
                batch.waiting += [OpenCall(*call) for call in body["waiting"]]
            case "rows":
                batch.calls = _rows(body["calls"], CALL_COLUMNS)
                batch.events = _rows(body["events"], EVENT_COLUMNS)
            case "counters":
                batch.counters = _rows(body["rows"], COUNTER_COLUMNS)
                batch.tally = Tally(**body["tally"])
            case "through_ns":
                batch.through_ns = body
                self._batch = Batch()
                return batch
        return None


def _columns(rows: NDArray[np.void]) -> dict[str, bytes]:
    return {name: rows[name].tobytes() for name in rows.dtype.names or ()} if len(rows) else {}


def _rows(columns: dict[str, bytes], dtype: np.dtype[np.void]) -> NDArray[np.void]:
    names = dtype.names or ()
    if not columns:
        return np.empty(0, dtype)
    rows = np.empty(len(columns[names[0]]) // dtype[names[0]].itemsize, dtype)
    try:
        for name in names:
            rows[name] = np.frombuffer(columns[name], dtype[name])
    except (KeyError, ValueError) as error:
        raise PipeError(f"columns of a row do not fit: {error}") from error
    return rows
