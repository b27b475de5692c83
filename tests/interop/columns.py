"""The columns of the interop table: which MoleculerJS, and how the bytes are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from broker.protocol.compression import Method

SERIALIZERS: Final = {
    "014": ("JSON", "MsgPack", "Notepack", "CBOR"),
    "015": ("JSON", "JSONExt", "MsgPack", "Notepack", "CBOR"),
}
"""Those that we speak, of each version."""


@dataclass(frozen=True)
class Column:
    """One way in which a mesh can talk.

    Attributes:
        versions: Of its two MoleculerJS nodes.
        serializer: Of all nodes.
        password: Of the encryption; None for none.
        compression: Its method; None for none.
    """

    versions: tuple[str, str]
    serializer: str
    password: str | None = None
    compression: Method | None = None

    @property
    def name(self) -> str:
        """As the table heads it."""
        first, second = (f"0.{version[1:]}" for version in self.versions)
        versions = first if first == second else f"{first}+{second}"
        return " ".join(
            [
                versions,
                self.serializer,
                *([self.compression] if self.compression else []),
                *(["AES"] if self.password else []),
            ]
        )

    @property
    def is_mixed(self) -> bool:
        """Whether both versions are in it."""
        return len(set(self.versions)) > 1


COLUMNS: Final = (
    *(Column((version, version), each) for version, known in SERIALIZERS.items() for each in known),
    Column(("014", "014"), "JSON", password="a password of thirty-two bytes..", compression="deflate"),
    Column(("015", "015"), "MsgPack", password="a password of thirty-two bytes..", compression="gzip"),
    Column(("014", "015"), "JSON"),
)
