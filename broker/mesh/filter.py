"""The filter language of every view. Thin for now: matches all, whatever it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker.mesh.blocks import Block

if TYPE_CHECKING:
    from broker.mesh.timeline import Snapshot


class FilterError(ValueError):
    """What is wrong with a filter, and where."""

    def __init__(self, message: str, position: int, length: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.length = length


class Completion(NamedTuple):
    """What could stand at the cursor."""

    text: str
    start: int
    end: int
    note: str


@dataclass(frozen=True)
class Filter:
    """A filter as it was written."""

    text: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether it lets everything pass."""
        return not self.text.strip()

    def mask(self, snapshot: Snapshot, block: Block) -> NDArray[np.bool_] | None:  # noqa: ARG002
        """Which rows of a block pass; None for all."""
        return None

    def matches(self, fields: Mapping[str, object]) -> bool:  # noqa: ARG002
        """Whether a thing with these fields passes."""
        return True

    def fields(self) -> frozenset[str]:
        """The fields it asks for."""
        return frozenset()


EMPTY: Final = Filter()


def parse(text: str) -> Filter:
    """The filter that a text says. FilterError where it says none."""
    return Filter(text)


def complete(text: str, position: int, snapshot: Snapshot | None) -> list[Completion]:  # noqa: ARG001
    """What could stand at a position of a text."""
    return []
