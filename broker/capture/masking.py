"""What of a payload may reach the disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from broker.capture.chunk import Mask

Policy = Literal["masked", "headers", "everything"]

POLICIES: Final[tuple[Policy, ...]] = get_args(Policy)

DEFAULT_NAMES: Final = (
    "password",
    "passwd",
    "secret",
    "token",
    "authorization",
    "api key",
    "cookie",
    "credit card",
)


@dataclass(frozen=True, slots=True)
class Masking:
    """The rule of a capture."""

    policy: Policy = "masked"
    names: tuple[str, ...] = DEFAULT_NAMES

    def for_chunks(self, _name_of: Callable[[int], bytes]) -> Mask | None:
        """What is done to every chunk before it is compressed; None for nothing."""
        return None

    def masked(self, _channel: bytes, body: bytes) -> bytes:
        """One body as the rule leaves it."""
        return body


EVERYTHING: Final = Masking("everything", ())
