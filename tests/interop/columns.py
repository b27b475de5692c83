"""The columns of the interop table: which MoleculerJS, and how the bytes are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

SERIALIZERS: Final = {
    "014": ("JSON", "MsgPack", "Notepack", "CBOR"),
    "015": ("JSON", "JSONExt", "MsgPack", "Notepack", "CBOR"),
}
"""Those that we speak, of each version."""

KEY: Final = "a password of thirty-two bytes.."
IV: Final = "sixteen bytes..."

Chain = list[list[Any]]
"""MoleculerJS's middlewares that change bytes, in their order: ["Compression", {...}], ["Encryption", ...]."""


@dataclass(frozen=True)
class Column:
    """One way in which a mesh can talk.

    Attributes:
        versions: Of its MoleculerJS nodes.
        serializer: Of all nodes.
        transmit: Of all nodes.
    """

    versions: tuple[str, ...]
    serializer: str = "JSON"
    transmit: Chain = field(default_factory=list, hash=False)

    @property
    def name(self) -> str:
        """As the table heads it."""
        versions = "+".join(dict.fromkeys(f"0.{version[1:]}" for version in self.versions))
        changed = [rest[0]["method"] if kind == "Compression" else "AES" for kind, *rest in self.transmit]
        return " ".join([versions, self.serializer, *changed])

    @property
    def is_mixed(self) -> bool:
        """Whether both versions are in it."""
        return len(set(self.versions)) > 1


def _packed(method: str) -> Chain:
    return [["Compression", {"method": method, "threshold": 100}], ["Encryption", KEY, "aes-256-cbc", IV]]


COLUMNS: Final = (
    *(Column((version, version), each) for version, known in SERIALIZERS.items() for each in known),
    Column(("014", "014"), "JSON", _packed("deflate")),
    Column(("015", "015"), "MsgPack", _packed("gzip")),
    Column(("014", "015"), "JSON"),
)
