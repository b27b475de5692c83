"""Which service an action belongs to, and which services there are.

INFO says it; before any INFO it is the action's name up to its last dot, and
the service is called supposed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from broker.mesh.names import Names
from broker.mesh.state import Key, StateBook
from broker.observe.journal import NO_NAME, NameKind

Indices = NDArray[np.int32]
_VERSION: Final = re.compile(r"^v(\d+)\.")


@dataclass(frozen=True, slots=True)
class Directory:
    """The services known, each with an index of its own.

    Attributes:
        services: (namespace, full name) of each; index 0 is none.
        of_action: The service's index by ACTION number, one element more than there are numbers.
        of_caller: The service's index by SERVICE number, likewise.
        declared: Whether an INFO ever named it. Shape (services,).
        indices: The index by (namespace, full name).
        versions: As INFO or the full name tells, ``v2``; "" for none. By index.
    """

    services: tuple[Key, ...]
    of_action: Indices
    of_caller: Indices
    declared: NDArray[np.bool_]
    indices: dict[Key, int]
    versions: tuple[str, ...]

    def service_of_action(self, number: int) -> str:
        """The full name of the service that an ACTION number belongs to; "" for none."""
        return self.services[int(self.of_action[min(number, len(self.of_action) - 1)])][1]


@dataclass(slots=True)
class _Builder:
    """Gives every service an index, as it meets them."""

    services: list[Key] = field(default_factory=lambda: [("", "")])
    indices: dict[Key, int] = field(default_factory=dict)
    owners: dict[Key, int] = field(default_factory=dict)  # (namespace, action) -> service, as INFO lists it
    versions: dict[int, str] = field(default_factory=dict)

    def index(self, namespace: str, full_name: str) -> int:
        key = (namespace, full_name)
        found = self.indices.get(key)
        if found is None:
            found = self.indices[key] = len(self.services)
            self.services.append(key)
        return found

    def declare(self, key: Key, value: dict[str, Any]) -> None:
        index = self.index(*key)
        self.versions[index] = version_text(value.get("version"))
        for offer in (value.get("nodes") or {}).values():
            for action in (offer or {}).get("actions") or ():
                self.owners.setdefault((key[0], action), index)

    def owner(self, namespace: str, action: str, declared_count: int) -> int:
        """The service of an action: as listed, else the longest declared prefix, else up to the last dot."""
        listed = self.owners.get((namespace, action))
        if listed is not None:
            return listed
        prefix = action
        while "." in prefix:
            prefix = prefix.rpartition(".")[0]
            found = self.indices.get((namespace, prefix))
            if found is not None and found < declared_count:
                return found
        return self.index(namespace, action.rpartition(".")[0] or action)


def build_directory(names: Names, state: StateBook) -> Directory:
    """The directory of these names, under what is known of services from INFO at any time."""
    builder = _Builder()
    for key, history in state.of_kind("service").items():
        value = next((one.value for one in reversed(history) if one.value is not None), None)
        if value is not None and not value.get("supposed"):
            builder.declare(key, value)
    declared_count = len(builder.services)
    of_action = [
        builder.owner(namespace, text, declared_count) if text else 0
        for namespace, text in zip(names.namespace_texts_of(NameKind.ACTION), names.texts(NameKind.ACTION), strict=True)
    ]
    of_caller = [
        builder.index(namespace, text) if text else 0
        for namespace, text in zip(
            names.namespace_texts_of(NameKind.SERVICE), names.texts(NameKind.SERVICE), strict=True
        )
    ]
    declared = np.arange(len(builder.services)) < declared_count
    declared[NO_NAME] = False
    return Directory(
        tuple(builder.services),
        np.array(of_action, np.int32),
        np.array(of_caller, np.int32),
        declared,
        builder.indices,
        tuple(builder.versions.get(index) or version_of(name) for index, (_, name) in enumerate(builder.services)),
    )


def version_text(version: object) -> str:
    """A version as INFO tells it, as full names write it: 2 is ``v2``, "beta" is ``beta``, none is ""."""
    if version is None or version == "" or isinstance(version, bool):
        return ""
    return f"v{version:g}" if isinstance(version, int | float) else str(version)


def version_of(full_name: str) -> str:
    """The version that a full name tells: ``v2`` of ``v2.orders``; "" where it tells none."""
    found = _VERSION.match(full_name)
    return f"v{found[1]}" if found else ""


class DirectoryShelf:
    """Keeps the newest directory; it is built again only when names or services changed."""

    def __init__(self) -> None:
        self._kept: tuple[tuple[object, ...], Directory] | None = None

    def directory(self, names: Names, state: StateBook) -> Directory:
        """The directory of these names and this state. Any thread; at worst two build the same."""
        key = (names.counts, state.revisions.get("service", 0))
        kept = self._kept
        if kept is None or kept[0] != key:
            kept = (key, build_directory(names, state))
            self._kept = kept
        return kept[1]
