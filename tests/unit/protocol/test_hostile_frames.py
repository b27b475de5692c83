"""One million random, truncated and hostile frames: no crash, and each is counted."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

import pytest

from broker.observe.pipeline import Pipeline
from broker.protocol.channels import Channel, channel_name, parse_channel
from broker.protocol.codec import decode
from broker.protocol.headers import Malformed, read_event, read_other, read_request, read_response
from broker.protocol.packets import PACKETS
from tests.unit.protocol.real_packets import real_packets

Frames = Iterator[tuple[Channel, bytes]]

READERS: Final[dict[str, Callable[[bytes], object]]] = {
    "REQ": read_request,
    "REQB": read_request,
    "RES": read_response,
    "EVENT": read_event,
    "EVENTB": read_event,
}
COMMANDS: Final = sorted(PACKETS)
DEEP: Final = 100_000
TOKENS: Final = (
    b"null", b"true", b"1e999", b"-1", b'""', b"[]", b"{}", b'"\\ud83d"', b'"\\u0000"', b"NaN", b"9" * 400, b'{"a":'
)  # fmt: skip
LONG: Final = b"\xff\xff\xff\xff"
MSGPACK_VALUES: Final = (
    b"\xc0", b"\xc1", b"\xc3", b"\xff", b"\xa0", b"\x80", b"\x90", b"\xa1\xff", b"\xa3\xed\xa0\xbd", b"\xd4\x00\x00",
    b"\xdb" + LONG, b"\xdd" + LONG, b"\xdf" + LONG, b"\xc6" + LONG, b"\xc9" + LONG + b"\x05", b"\xd7\xff" + LONG + LONG,
    b"\xcf" + LONG + LONG, b"\xcb\x7f\xf0" + b"\x00" * 6, b"\x91" * 50, b"\x81\x81\xc0\xc0\xc0",
)  # fmt: skip


def _random(chance: random.Random, count: int) -> Frames:
    channels = [Channel("", command, "x") for command in COMMANDS]
    begins = (b"", b"{", b'{"', b'{"id":"', b"\x81", b"\x8d\xa2id", b"\xde\x00\x10", b" {", b"\x00{")
    for number in range(count):
        yield channels[number % len(channels)], begins[number % len(begins)] + chance.randbytes(chance.randrange(60))


def _truncated(chance: random.Random, count: int) -> Frames:
    packets = [(it.channel, it.body) for it in real_packets()]
    for number in range(count):
        channel, body = packets[number % len(packets)]
        yield channel, body[: chance.randrange(len(body))]


def _flipped(chance: random.Random, count: int) -> Frames:
    """Real packets, a few bytes of which are others."""
    packets = [(it.channel, it.body) for it in real_packets()]
    for number in range(count):
        channel, body = packets[number % len(packets)]
        changed = bytearray(body)
        for _ in range(1 + number % 4):
            changed[int(chance.random() * len(changed))] = int(chance.random() * 256)
        yield channel, bytes(changed)


def _misled(chance: random.Random, count: int) -> Frames:
    """Real packets on channels of other types."""
    packets = [it.body for it in real_packets()]
    channels = [Channel("", command, "x") for command in COMMANDS]
    for number in range(count):
        yield chance.choice(channels), packets[number % len(packets)]


def _mistyped(chance: random.Random, count: int) -> Frames:
    """Packets whose every field may be anything."""
    names = [b"id", b"action", b"sender", b"ver", b"event", b"params", b"meta", b"seq", b"timeout", b"error", b"stream"]
    texts = (*TOKENS, b'"text"', b'"text"', b'"text"')
    values = (*MSGPACK_VALUES, b"\xa1t", b"\xa1t", b"\xa1t")
    for number in range(count):
        some = names[number % 7 :]
        if number % 2:
            body = b"{" + b",".join([b'"%b":%b' % (name, chance.choice(texts)) for name in some]) + b"}"
        else:
            fields = [bytes([0xA0 | len(name)]) + name + chance.choice(values) for name in some]
            body = bytes([0x80 | len(fields)]) + b"".join(fields)
        yield Channel("", COMMANDS[number % len(COMMANDS)], "x"), body


KINDS: Final = {
    "random bytes": (_random, 430_000),
    "truncated packets": (_truncated, 400_000),
    "flipped bytes": (_flipped, 40_000),  # few: an INFO with another byte in it is a new INFO, with all that follows
    "packets on wrong channels": (_misled, 50_000),
    "fields of wrong types": (_mistyped, 80_000),
}
assert sum(count for _, count in KINDS.values()) == 1_000_000
each_kind = pytest.mark.parametrize(("make", "count"), KINDS.values(), ids=KINDS.keys())
Make = Callable[[random.Random, int], Frames]


@each_kind
def test_a_million_frames_are_each_counted_by_the_pipeline(make: Make, count: int) -> None:
    pipeline = Pipeline(begin_ns=0)
    frames = ((channel_name(*channel), body) for channel, body in make(random.Random(7), count))
    now_ns = 0
    while arrived := list(islice(frames, 500)):
        now_ns += 1_000_000
        pipeline.feed(now_ns, arrived)
        if now_ns % 50_000_000 == 0:
            pipeline.take(now_ns)
    tally = pipeline.take(now_ns).tally
    assert tally.packets == count
    assert 0 < tally.undecodable <= count
    assert sum(tally.undecodable_reasons.values()) <= tally.undecodable


@each_kind
def test_every_header_is_one_or_malformed_for_a_reason(make: Make, count: int) -> None:
    for channel, body in make(random.Random(8), count // 4):
        header = READERS.get(channel.command, read_other)(body)
        assert not isinstance(header, Malformed) or header.reason


@each_kind
def test_every_body_is_a_packet_or_malformed(make: Make, count: int) -> None:
    for channel, body in make(random.Random(9), count // 8):
        decoded = decode(channel, body)
        assert isinstance(decoded, PACKETS[channel.command] | Malformed)


@pytest.mark.parametrize(
    "value",
    [
        b"[" * DEEP, b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b'"' + b"\\u" * DEEP, b"1" * DEEP, b"-" * DEEP, b"0." + b"1" * DEEP, b'"' + b"\xff" * DEEP + b'"',
        b'"' + b"\\ud83d" * DEEP + b'"',
    ],
    ids=["[[[", "[[[]]]", "maps", "closed maps", "escapes", "digits", "signs", "decimals", "no UTF-8", "surrogates"],
)  # fmt: skip
def test_json_made_to_hurt_is_counted(value: bytes) -> None:
    for place in (b"params", b"id", b"sender"):
        body = b'{"ver":"5","id":"1","action":"a","sender":"n","%b":%b}' % (place, value)
        for command in COMMANDS:
            READERS.get(command, read_other)(body)
            decode(Channel("", command, "x"), body)


@pytest.mark.parametrize(
    "value",
    [
        b"\x91" * DEEP, b"\x91" * DEEP + b"\xc0", b"\x81\xa1a" * DEEP + b"\xc0", b"\x81" * DEEP, b"\xa1\xff" * DEEP,
        b"\x92\xa1\xff" * DEEP, b"\xdd\x7f\xff\xff\xff" + b"\xc0" * DEEP, b"\xdf\x7f\xff\xff\xff" + b"\xc0" * DEEP,
        b"\xdb\xff\xff\xff\xff" + b"x" * DEEP, b"\xc9\xff\xff\xff\xff\x00" + b"x" * DEEP,
    ],
    ids=["[[[", "closed", "maps", "keys", "no UTF-8", "deep", "long array", "long map", "long text", "long extension"],
)  # fmt: skip
def test_msgpack_made_to_hurt_is_counted(value: bytes) -> None:
    for place in (b"\xa6params", b"\xa2id", b"\xa6sender"):
        body = b"\x85\xa3ver\xa15\xa2id\xa11\xa6action\xa1a\xa6sender\xa1n" + place + value
        for command in COMMANDS:
            READERS.get(command, read_other)(body)
            decode(Channel("", command, "x"), body)


def test_hostile_names_of_channels_are_none_or_channels() -> None:
    chance = random.Random(9)
    for number in range(50_000):
        name = (b"MOL", b"MOL-", b"MOL.REQ.", b"")[number % 4] + chance.randbytes(chance.randrange(30))
        found = parse_channel(name)
        assert found is None or found.command in COMMANDS
    assert parse_channel(b"MOL-" + b".REQx" * DEEP) is None
    assert parse_channel(b"MOL-" + b"." * DEEP + b"REQ.x") is not None
