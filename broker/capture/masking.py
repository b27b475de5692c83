"""What of a payload may reach the disk: the rule, and how it is carried out on whole chunks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from broker.capture.blank import blank_payload
from broker.capture.bodies import place_of_body
from broker.capture.channels import ENVELOPE_HEAD_BYTES, ENVELOPE_ID
from broker.capture.mask_binary import binary_format
from broker.capture.mask_json import mask_assigned, mask_json, mask_url
from broker.capture.mask_walk import mask_values
from broker.capture.messages import MESSAGE_HEAD_BYTES
from broker.capture.options_answers import OptionsAnswers
from broker.capture.search import all_below, places_of, rows_of
from broker.capture.secret_names import DEFAULT_NAMES, SecretNames
from broker.protocol.channels import parse_channel
from broker.protocol.frame import CATALOGUE_CHANNEL, KEY_CHANNEL_PREFIX
from broker.protocol.headers import EventHeader, read_event

__all__ = ["DEFAULT_NAMES", "EVERYTHING", "POLICIES", "Masking", "Policy"]

Policy = Literal["masked", "headers", "everything"]
"""``masked``: values under secret names are overwritten. ``headers``: all of params, meta, data and headers is
overwritten, and so are an error's message, data and stack, but for events of breakers, which are masked.
``everything``: all is kept as it came."""

POLICIES: Final[tuple[Policy, ...]] = get_args(Policy)

_BREAKERS: Final = (b"$circuit-breaker.", b"$meshscope.breakers")
"""How the names of events begin in which nodes tell of breakers."""

_WITH_PAYLOAD: Final = frozenset({"REQ", "REQB", "RES", "EVENT", "EVENTB"})
MASKED_VALUE: Final = "***"
_LEAST_KNOWN: Final = 6
_JSON_INSIDE: Final = re.compile(r'"\s*:')


@dataclass(frozen=True, slots=True)
class Masking:
    """The rule of a capture. Lengths never change, so sizes stay true.

    Attributes:
        policy: What is kept.
        names: Whose values are secret.
        known: Secrets as they are, which no policy keeps: those of a key store reach no file.
    """

    policy: Policy = "masked"
    names: tuple[str, ...] = DEFAULT_NAMES
    known: tuple[str, ...] = field(default=(), repr=False)
    _secrets: SecretNames = field(init=False, repr=False, compare=False)
    _known: tuple[bytes, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ValueError for a name that cannot be masked."""
        object.__setattr__(self, "_secrets", SecretNames(self.names))
        object.__setattr__(self, "_known", _written(self.known))

    def for_chunks(self, name_of: Callable[[int], bytes], answers: OptionsAnswers) -> ChunkMask:
        """What is done to every chunk before it is compressed.

        Args:
            name_of: Tells channels by number.
            answers: Finds answers to ``$node.options``, which no policy keeps.
        """
        return ChunkMask(self, name_of, answers)

    def hiding(self, secrets: tuple[str, ...]) -> Masking:
        """The same rule, that knows of more secrets."""
        return replace(self, known=(*self.known, *secrets))

    def masked(self, channel: bytes, body: bytes) -> bytes:
        """One body as the rule leaves it."""
        text = bytearray(body)
        self.hide_known(text)
        if self.policy != "everything":
            self.mask(channel, text, 0, len(text))
        return bytes(text)

    def hide_known(self, text: bytearray) -> None:
        """Overwrite secrets as they are, wherever they stand in a buffer."""
        for known in self._known:
            for at in places_of(text, known):
                text[at : at + len(known)] = b"*" * len(known)

    def mask(self, channel: bytes, text: bytearray, begin: int, end: int) -> None:
        """Overwrite what may not be kept of one body, which is part of a buffer."""
        kind = _kind(channel)
        if self.policy == "headers" and kind == "payload" and not _tells_of_breakers(text, begin, end):
            blank_payload(text, begin, end)
            return
        if kind == "kept" or end == begin:
            return
        binary = binary_format(text[begin])
        if binary is not None:
            mask_values(text, begin, end, self._secrets, binary, is_info=kind == "info")
            return
        mask_json(text, begin, end, self._secrets, is_info=kind == "info")
        if text.find(b"=", begin, end) >= 0:
            mask_assigned(text, begin, end, self._secrets)
        at = text.find(b"://", begin, end)
        while at >= 0:
            mask_url(text, at, end)
            at = text.find(b"://", at + 3, end)

    def mask_value(self, value: Any) -> Any:
        """Decoded data with secrets replaced, for what is shown or kept as data; the same object if it holds none.

        Whatever the policy, which is about packets on disk.
        """
        return _mask_value(value, self._secrets, is_secret=False)

    def suspects(self, octets: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where in a chunk something to be masked might be; offsets are those of its message records."""
        is_json = all_below(octets, offsets, MESSAGE_HEAD_BYTES, 0x80)
        return self._secrets.suspect_keys(octets) if is_json else self._secrets.suspects(octets)


class ChunkMask:
    """Finds the messages of a chunk that may hold secrets, and masks those only.

    Attributes:
        masking: By which rule; another one holds from the next chunk on.
    """

    def __init__(self, masking: Masking, name_of: Callable[[int], bytes], answers: OptionsAnswers) -> None:
        self.masking = masking
        self._name_of = name_of
        self._answers = answers

    def __call__(self, raw: bytearray, offsets: NDArray[np.int64]) -> None:
        if not len(offsets):
            return
        self._answers.blank(raw, offsets, lambda row: self._message(raw, offsets, row))
        self.masking.hide_known(raw)
        if self.masking.policy == "everything":
            return
        if self.masking.policy == "headers":
            suspected: Sequence[int] = range(len(offsets))
        else:
            places = self.masking.suspects(np.frombuffer(raw, np.uint8), offsets)
            suspected = rows_of(places, offsets) if len(places) else ()
        for row in suspected:
            channel, begin, end = self._message(raw, offsets, row)
            self.masking.mask(channel, raw, begin, end)

    def _message(self, raw: bytearray, offsets: NDArray[np.int64], row: int) -> tuple[bytes, int, int]:
        """Channel, begin and end of the body of a message."""
        offset = int(offsets[row])
        number = raw[offset + 9] | raw[offset + 10] << 8
        begin, end = place_of_body(raw, offset)
        if number != ENVELOPE_ID:
            return self._name_of(number), begin, end
        return bytes(raw[offset + MESSAGE_HEAD_BYTES + ENVELOPE_HEAD_BYTES : begin]), begin, end


def _written(known: tuple[str, ...]) -> tuple[bytes, ...]:
    """Secrets as packets hold them, the longest first; those that are too short stand everywhere."""
    forms = {
        form
        for secret in known
        if len(secret) >= _LEAST_KNOWN
        for form in (
            secret.encode("utf-8", "replace"),
            json.dumps(secret)[1:-1].encode(),
            json.dumps(secret, ensure_ascii=False)[1:-1].encode("utf-8", "replace"),
        )
    }
    return tuple(sorted(forms, key=len, reverse=True))


def _kind(channel: bytes) -> Literal["payload", "info", "kept", "other"]:
    """What a channel's frames hold."""
    if channel == CATALOGUE_CHANNEL:
        return "kept"  # made of what was masked already
    if channel.startswith(KEY_CHANNEL_PREFIX):
        return "info"
    name = parse_channel(channel)
    if name is None:
        return "other"
    if name.command == "INFO":
        return "info"
    return "payload" if name.command in _WITH_PAYLOAD else "other"


def _tells_of_breakers(text: bytearray, begin: int, end: int) -> bool:
    """Whether it is an event in which nodes tell of breakers: it says what the mesh did, and carries no payload.

    It is masked as everything is, but kept: what was known live is known from the file.
    """
    if text.find(_BREAKERS[0], begin, end) < 0 and text.find(_BREAKERS[1], begin, end) < 0:
        return False
    header = read_event(bytes(text[begin:end]))
    return isinstance(header, EventHeader) and header.event.encode("utf-8", "replace").startswith(_BREAKERS)


def _mask_value(value: Any, secrets: SecretNames, *, is_secret: bool) -> Any:
    if isinstance(value, dict):
        masked: dict[Any, Any] = {}
        for key, item in value.items():
            is_under = is_secret or (isinstance(key, str) and secrets.holds(key.encode("utf-8", "replace")))
            masked[key] = _mask_value(item, secrets, is_secret=is_under)
        return value if all(masked[key] is value[key] for key in value) else masked
    if isinstance(value, list | tuple):
        items = [_mask_value(item, secrets, is_secret=is_secret) for item in value]
        same = all(item is before for item, before in zip(items, value, strict=True))
        return value if same else type(value)(items)
    if is_secret and isinstance(value, str | bytes | int | float) and not isinstance(value, bool):
        return MASKED_VALUE
    return _mask_text(value, secrets) if isinstance(value, str) else value


def _mask_text(text: str, secrets: SecretNames) -> str:
    """A text with the passwords of URLs and of JSON in it overwritten; the same object if it holds none."""
    if "://" not in text and "=" not in text and _JSON_INSIDE.search(text) is None:
        return text
    octets = bytearray(text.encode("utf-8", "surrogatepass"))
    mask_json(octets, 0, len(octets), secrets)
    mask_assigned(octets, 0, len(octets), secrets)
    at = octets.find(b"://")
    while at >= 0:
        mask_url(octets, at, len(octets))
        at = octets.find(b"://", at + 3)
    masked = octets.decode("utf-8", "surrogatepass")
    return text if masked == text else masked


EVERYTHING: Final = Masking("everything", ())
