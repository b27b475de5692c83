"""What is said of bytes that are no packet, and of values that are not what they must be."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1)]
"""A text that must be there: an id, an action, a sender."""

_SHOWN: Final = 40


class Malformed(msgspec.Struct, frozen=True, gc=False):
    """What a frame is that says nothing we understand.

    Attributes:
        channel: Where it came from; empty where the reader was not told.
        reason: What is wrong with it: "field 'action' is None, expected text".
    """

    channel: str
    reason: str


def text_fault(packet: Any, names: tuple[str, ...]) -> str | None:
    """What keeps plain data from being a packet with these texts in it; None if nothing does."""
    if not isinstance(packet, dict):
        return f"packet is {shown(packet)}, expected an object"
    for name in names:
        value = packet.get(name)
        if not isinstance(value, str):
            return f"field '{name}' is {shown(value)}, expected text"
        if not value:
            return f"field '{name}' is empty, expected text"
    return None


def shown(value: object) -> str:
    """A value for a message: short, and harmless whatever it holds."""
    if value is None or isinstance(value, bool | float):
        return str(value)
    if isinstance(value, int):
        return str(value) if value.bit_length() < 128 else "a huge number"
    if isinstance(value, str):
        return repr(value if len(value) <= _SHOWN else value[:_SHOWN] + "…")
    return f"a {type(value).__name__}"
