"""Packets are taken out of compression and encryption, in whatever order; what cannot be is counted and said."""

from __future__ import annotations

from itertools import count, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.protocol.compression import METHODS, Compression
from broker.protocol.encryption import Cipher
from broker.protocol.peeling import Peeling, all_begin_with, all_begin_with_slowly
from broker.protocol.serializers import SERIALIZERS, dumps

KEY, IV = "01234567890123456789012345678901", "0123456789012345"
LOCK = Cipher(KEY, "aes-256-cbc", IV)
REQ = b"MOL-eu.a.REQ.b"
PACKET = {"id": "1", "action": "a.b", "sender": "a", "ver": "5", "params": {"x": "y" * 200}}


def wire(body: bytes, chain: str, method: Any = "deflate") -> bytes:
    for step in chain:
        body = Compression(method, 100).pack(body) if step == "z" else LOCK.encrypt(body)
    return body


@pytest.mark.parametrize("serializer", SERIALIZERS)
@pytest.mark.parametrize(("chain", "method"), [*product(["", "z", "k", "zk", "kz", "zkz"], METHODS)])
def test_packets_are_taken_out_of_what_is_around_them(serializer: str, chain: str, method: Any) -> None:
    peeling = Peeling(LOCK if "k" in chain else None)
    for packet in (PACKET, {"sender": "a", "ver": "5"}):
        body = dumps(packet, serializer)
        assert list(peeling.peel([(REQ, wire(body, chain, method))])) == [(REQ, body)]
    assert (peeling.unreadable, peeling.trouble) == (0, "")
    # what is sent is read by the others, who expect just that
    assert list(Peeling(LOCK).peel([(REQ, peeling.wrap(REQ, body))])) == [(REQ, body)]
    assert (peeling.wrap(REQ, body) == body) == (chain == "")


def test_frames_that_need_nothing_are_the_same_object() -> None:
    frames = [(REQ, dumps(PACKET, serializer)) for serializer in SERIALIZERS]
    assert Peeling().peel(frames) is frames


def test_without_a_key_encrypted_packets_are_counted_and_it_is_said_what_to_do() -> None:
    peeling = Peeling()
    frames = [(REQ, LOCK.encrypt(dumps({**PACKET, "id": str(n)}, "CBOR"))) for n in range(40)]
    kept = peeling.peel(frames)
    assert kept == frames
    assert peeling.unreadable > 5  # those that happen to begin as a serializer does are malformed further on
    assert "probably they are encrypted. Put the key" in peeling.trouble


def test_with_another_key_it_is_said_that_it_is_another() -> None:
    peeling = Peeling(Cipher(KEY[::-1], "aes-256-cbc", IV))
    peeling.peel([(REQ, LOCK.encrypt(dumps({**PACKET, "id": str(n)}, "JSON"))) for n in range(40)])
    assert "Is it the key" in peeling.trouble
    assert KEY[::-1] not in peeling.trouble


def test_with_a_key_what_is_not_encrypted_is_read_too() -> None:
    peeling = Peeling(LOCK)
    frames = [(REQ, dumps(PACKET, serializer)) for serializer in SERIALIZERS]
    assert list(peeling.peel(frames)) == frames
    assert peeling.unreadable == 0


def test_an_encrypted_packet_that_begins_as_json_does_is_read_all_the_same() -> None:
    for n in count():  # once in 65,536 times
        body = dumps({**PACKET, "id": f"{n:08x}"}, "JSON")
        locked = LOCK.encrypt(body[:16])[:2] == b'{"'
        if locked:
            break
    frame = (REQ, LOCK.encrypt(body))
    assert frame[1].startswith(b'{"')
    peeling = Peeling(LOCK)
    assert list(peeling.peel([frame])) == [(REQ, body)]
    assert peeling.unreadable == 0


def test_our_own_frames_and_keys_of_discoverers_stay() -> None:
    frames = [(b"@key/MOL-DSCVR-INFO:a", b""), (b"@gap", b"{}"), (b"@x", b"\0\1")]
    assert list(Peeling(LOCK).peel(frames)) == frames


@given(st.lists(st.tuples(st.just(REQ), st.binary(max_size=80) | st.binary(max_size=40).map(lambda b: b"\1" + b))))
def test_any_bytes_come_out_as_something(frames: list[tuple[bytes, bytes]]) -> None:
    for peeling in (Peeling(), Peeling(LOCK)):
        assert [channel for channel, _ in peeling.peel(frames)] == [REQ] * len(frames)


@given(st.lists(st.tuples(st.just(REQ), st.binary(max_size=2))), st.sets(st.integers(0, 255), min_size=200))
def test_what_frames_begin_with_is_told_as_by_the_twin(frames: list[tuple[bytes, bytes]], ones: set[int]) -> None:
    is_one = bytes(first in ones for first in range(256))
    told = all_begin_with(frames, is_one)
    assert told is all_begin_with_slowly(frames, is_one) is all(body[:1] and body[0] in ones for _, body in frames)
