"""Packets out of what was put around them: compression and encryption (section 7), in whatever order.

Compression is found from its first bytes. Encryption has none: with a cipher
it is tried, without one it can only be said that nothing known begins so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from broker.native import IS_COMPILED, compiled
from broker.protocol.channels import parse_channel
from broker.protocol.compression import Method, inflate, method_of
from broker.protocol.encryption import Cipher
from broker.protocol.frame import RawFrame
from broker.protocol.headers import Malformed, read_other
from broker.protocol.serializers import serializer_of

Layer = Literal["compressed", "encrypted"]

_MOST_LAYERS: Final = 3
_MOST_NAMESPACES: Final = 10_000
_BLOCK_BYTES: Final = 16
_SOME: Final = 5
"""After so many that cannot be read, it is no accident."""

_BARE: Final = frozenset(bytes([first]) for first in range(256) if serializer_of(bytes([first])) is not None)
_IS_BARE: Final = bytes(bytes([first]) in _BARE for first in range(256))


def all_begin_with_slowly(frames: Sequence[RawFrame], is_one: bytes) -> bool:
    """Whether each of some frames carries something, and all begin with one of some bytes.

    Args:
        frames: A list or a tuple.
        is_one: By byte, whether it is one of them.
    """
    return all(len(body) > 0 and is_one[body[0]] for _, body in frames)


all_begin_with: Final = compiled.all_begin_with if IS_COMPILED else all_begin_with_slowly


class Peeling:
    """Takes frames of a mesh out of what is around them. Frames that need nothing cost next to nothing.

    Attributes:
        unreadable: Packets that nothing made readable.
    """

    def __init__(self, cipher: Cipher | None = None, method: Method | None = None) -> None:
        """
        Args:
            cipher: For what is encrypted; None where nobody gave a key.
            method: Of compression; None to find it from the first bytes.
        """
        self._cipher = cipher
        self._method = method
        self.unreadable = 0
        self._in_blocks = 0
        self._layers: dict[str, tuple[Layer, ...]] = {}

    @property
    def is_told_how(self) -> bool:
        """Whether somebody gave a key or a method, so that it reads more than what is found by itself."""
        return self._cipher is not None or self._method is not None

    @property
    def trouble(self) -> str:
        """What is to be said of packets that cannot be read; empty while there are few."""
        if self.unreadable < _SOME:
            return ""
        seen = f"{self.unreadable:,} packets are in no serializer that is known"
        if self._cipher is not None:
            return f"{seen}, and the key does not decrypt them. Is it the key, algorithm and IV of this mesh?"
        likely = (
            "they are encrypted" if self._in_blocks == self.unreadable else "they are encrypted or compressed oddly"
        )
        return (
            f"{seen}: probably {likely}. "
            "Put the key of Transmit.Encryption into MESHSCOPE_CIPHER_KEY and its IV into MESHSCOPE_CIPHER_IV."
        )

    def peel(self, frames: Sequence[RawFrame]) -> Sequence[RawFrame]:
        """The frames, those of our own and those that cannot be read as they are."""
        if self._cipher is None and all_begin_with(frames, _IS_BARE):
            return frames
        return [frame if frame[0][:1] == b"@" else (frame[0], self._peeled(*frame)) for frame in frames]

    def wrap(self, channel: bytes, body: bytes) -> bytes:
        """A packet of ours as its namespace expects it: what was heard around the others' is put around it."""
        for layer in reversed(self._layers.get(_namespace(channel), ())):
            if layer == "compressed":
                body = b"\0" + body  # every receiver takes one that is not
            elif self._cipher is not None:
                body = self._cipher.encrypt(body)
        return body

    def _peeled(self, channel: bytes, body: bytes) -> bytes:
        if self._cipher is None and body[:1] in _BARE:
            return body
        found = self._try(body, ())
        if found is not None:
            if found[1] and len(self._layers) < _MOST_NAMESPACES:
                self._layers[_namespace(channel)] = found[1]
            return found[0]
        if body[:1] not in _BARE:
            self.unreadable += 1
            self._in_blocks += len(body) % _BLOCK_BYTES == 0
        return body

    def _try(self, body: bytes, layers: tuple[Layer, ...]) -> tuple[bytes, tuple[Layer, ...]] | None:
        """What is inside, if a packet is, and what was around it, the outermost first.

        What is encrypted begins as a packet does by accident: only one that can be read is taken for one.
        """
        if body[:1] in _BARE and not isinstance(read_other(body), Malformed):
            return body, layers
        if len(layers) == _MOST_LAYERS:
            return None
        if body[:1] in (b"\0", b"\1"):
            inside = self._decompressed(body)
            found = self._try(inside, (*layers, "compressed")) if inside is not None else None
            if found is not None:
                return found
        if self._cipher is None:
            return None
        try:
            decrypted = self._cipher.decrypt(body)
        except ValueError:
            return None
        return self._try(decrypted, (*layers, "encrypted"))

    def _decompressed(self, body: bytes) -> bytes | None:
        data = body[1:]
        if body[0] == 0:
            return data
        try:
            return inflate(data, self._method or method_of(data))
        except ValueError:
            return None


def _namespace(channel: bytes) -> str:
    name = parse_channel(channel)
    return name.namespace if name is not None else ""
