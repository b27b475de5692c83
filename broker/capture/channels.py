"""Channels of a capture: MCAP numbers them in 16 bits and names them in UTF-8; the wire does neither."""

from __future__ import annotations

from typing import Final

from mcap.data_stream import RecordBuilder
from mcap.records import Channel

ENVELOPE_ID: Final = 65_535
"""The channel of frames for which no number was left: a body begins with its channel's length and name."""

ENVELOPE_HEAD_BYTES: Final = 4
"""In front of the channel's name in an envelope: its length."""

ENVELOPE_TOPIC: Final = "@envelope"
ENVELOPE_METADATA: Final = {"meshscope": "each message: 4 bytes length (little endian), channel name, body"}
_HEX_KEY: Final = "channel_hex"
_MAX_NAME_BYTES: Final = 2_000
"""Longer names go into envelopes: a table of them would not be bounded."""


class ChannelTable:
    """Numbers for channels, the same in all segments of a session, so that chunks may be copied between files."""

    def __init__(self) -> None:
        self._records: dict[bytes, tuple[int, bytes]] = {}
        self._names: list[bytes] = [b""]

    def name(self, number: int) -> bytes:
        """The name of a channel that has a number; empty for one that nobody has. Any thread."""
        return self._names[number] if number < len(self._names) else b""

    def number(self, channel: bytes, body: bytes) -> tuple[int, bytes]:
        """A channel's number and its MCAP record.

        Args:
            channel: Its name on the wire.
            body: What it carries first, from which its encoding is guessed.

        Returns:
            ENVELOPE_ID and the record of envelopes when no number is left.
        """
        known = self._records.get(channel)
        if known is not None:
            return known
        if len(self._records) >= ENVELOPE_ID - 1 or len(channel) > _MAX_NAME_BYTES:
            return ENVELOPE_ID, _envelope_record()
        number = len(self._records) + 1
        record = _channel_record(number, channel, body)
        self._names.append(channel)
        self._records[channel] = number, record
        return number, record


def enveloped(channel: bytes, body: bytes) -> bytes:
    """A frame as the body of the envelope channel."""
    return len(channel).to_bytes(ENVELOPE_HEAD_BYTES, "little") + channel + body


def opened(envelope: bytes) -> tuple[bytes, bytes]:
    """Channel and body from an envelope; one that is too short gives what there is."""
    end = ENVELOPE_HEAD_BYTES + int.from_bytes(envelope[:ENVELOPE_HEAD_BYTES], "little")
    return envelope[ENVELOPE_HEAD_BYTES:end], envelope[end:]


def wire_name(record: Channel) -> bytes | None:
    """A channel's name on the wire; None for the channel of envelopes."""
    if record.topic == ENVELOPE_TOPIC and "meshscope" in record.metadata:
        return None
    given = record.metadata.get(_HEX_KEY)
    if given is not None:
        try:
            return bytes.fromhex(given)
        except ValueError:
            pass
    return record.topic.encode()


def _channel_record(number: int, channel: bytes, body: bytes) -> bytes:
    metadata = {}
    try:
        topic = channel.decode()
    except UnicodeDecodeError:
        topic = channel.decode("utf-8", "backslashreplace")
        metadata[_HEX_KEY] = channel.hex()
    if topic == ENVELOPE_TOPIC:
        metadata[_HEX_KEY] = channel.hex()
    encoding = "json" if body[:1] in (b"{", b"[") else "msgpack" if body[:1] >= b"\x80" else ""
    return _record_bytes(Channel(number, topic, encoding, metadata, 0))


def _envelope_record() -> bytes:
    return _record_bytes(Channel(ENVELOPE_ID, ENVELOPE_TOPIC, "", ENVELOPE_METADATA, 0))


def _record_bytes(record: Channel) -> bytes:
    builder = RecordBuilder()
    record.write(builder)
    return bytes(builder.end())  # type: ignore[no-untyped-call]
