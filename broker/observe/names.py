"""Names of the mesh, each with a number of its own."""

from __future__ import annotations

from typing import Final

from broker.observe.journal import NO_NAME, OTHER_NAME, Name, NameKind
from broker.observe.limits import Limits

SHORT_KINDS: Final = frozenset(
    {NameKind.NAMESPACE, NameKind.NODE, NameKind.SERVICE, NameKind.ERROR, NameKind.PACKET_TYPE}
)
"""Kinds whose numbers are kept in 16 bits."""


def whole(text: str) -> str:
    """A text that can be written anywhere: lone surrogates become "?"."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


class NameBook:
    """Gives every name a number, counting each kind from 1, and never more than its limits.

    Numbers are given in the order in which names appear, so that the same
    frames always give the same numbers. No kind uses the number of
    ``OTHER_NAME`` for a name of its own.

    Attributes:
        refused: How often a name got ``OTHER_NAME`` for want of room.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._numbers: tuple[dict[tuple[int, str], int], ...] = tuple({} for _ in NameKind)
        self._fresh: list[Name] = []
        self._characters = 0
        self._empty_namespace_told = False
        self.refused = 0

    def number(self, kind: NameKind, namespace: int, text: str) -> int:
        """The number of a name, a new one if it is new.

        Args:
            kind: What it names.
            namespace: Number of the namespace it belongs to; 0 for kinds that belong to none.
            text: The name; cut where it is too long. Empty for no name.

        Returns:
            Its number; ``NO_NAME`` for the empty text, ``OTHER_NAME`` if there
            is no room for it. The empty namespace is number 0 too, but is told
            as a name when it is first heard of, so that it can be listed.
        """
        if not text:
            if kind is NameKind.NAMESPACE and not self._empty_namespace_told:
                self._empty_namespace_told = True
                self._fresh.append(Name(kind, NO_NAME, 0, ""))
            return NO_NAME
        if len(text) > self._limits.name_length:
            text = text[: self._limits.name_length - 1] + "…"
        numbers = self._numbers[kind]
        number = numbers.get((namespace, text))
        return self._add(kind, namespace, text) if number is None else number

    def _add(self, kind: NameKind, namespace: int, text: str) -> int:
        numbers = self._numbers[kind]
        most = self._limits.short_names if kind in SHORT_KINDS else self._limits.long_names
        if len(numbers) >= most or self._characters + len(text) > self._limits.name_characters:
            self.refused += 1
            return OTHER_NAME
        number = len(numbers) + 1
        if number >= OTHER_NAME:
            number += 1  # its own meaning in every kind
        numbers[(namespace, text)] = number
        self._characters += len(text)
        self._fresh.append(Name(kind, number, namespace, whole(text)))
        return number

    def take(self) -> list[Name]:
        """The names that are new since the last time, in order of their numbers within each kind."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def count(self, kind: NameKind) -> int:
        """How many names of a kind there are."""
        return len(self._numbers[kind])
