"""What a session is asked to be."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote

import platformdirs

from broker.capture.masking import DEFAULT_NAMES, Masking, Policy
from broker.capture.writer import RING_BYTES
from broker.operate.permissions import Permission, permission
from broker.protocol.encryption import DEFAULT_ALGORITHM, Cipher
from broker.protocol.peeling import Peeling

KEEP_OPTION: Final = "--keep-journal"
"""Of the probe's command line: put the journal of the recording that follows into it, and end."""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """A session: what it listens to and what it may do. Its repr holds no password.

    Attributes:
        url: The bus of a live mesh, as MoleculerJS takes it; empty for a capture.
        path: The capture to read; empty for a live mesh.
        may: What we may publish; with ``see`` nothing at all.
        announce: Whether we become a node in everybody's registry.
        namespaces: Which ones to listen to; none for all. "" is the empty one.
        password: Used when the URL holds none.
        tls_ca: File of the authority that signed the server's certificate.
        serializer: In which ours is written; empty for that of the mesh. What is heard is recognised by itself.
        cipher_key: Of a mesh whose packets are encrypted; empty for none.
        cipher_iv: What its encryption begins with; empty for none.
        cipher_algorithm: By Node's name.
        compression: Method of a mesh whose packets are compressed; empty to find it by itself.
        profile: Name of the saved connection, for what is kept of it between sessions.
        keeps_capture: Whether a ring of segments is written, from which bodies are read.
        ring_bytes: How much that may take.
        capture_folder: Where; empty for the user's cache folder.
        journal_folder: Where the journals of captures that were read are kept; empty for the user's cache folder.
        policy: What of payloads reaches the disk.
        mask_names: Names whose values are masked.
        known_secrets: Secrets that may pass under any name, and are masked wherever they do.
        asks_breakers: Whether nodes are asked for their breakers again and again, as long as that is permitted.
        keeps_catalogue: Whether what is known of nodes is kept for the next session.
        state_folder: Where; empty for the user's state folder.
        record_path: A file that is recorded from the first frame on; empty for none.
        record_max_bytes: The recording stops after so many; 0 for never.
    """

    url: str = field(default="", repr=False)
    path: str = ""
    may: Permission = "see"
    announce: bool = False
    namespaces: tuple[str, ...] = ()
    password: str = field(default="", repr=False)
    tls_ca: str = ""
    serializer: str = ""
    cipher_key: str = field(default="", repr=False)
    cipher_iv: str = field(default="", repr=False)
    cipher_algorithm: str = DEFAULT_ALGORITHM
    compression: Literal["", "deflate", "deflateRaw", "gzip"] = ""
    profile: str = ""
    keeps_capture: bool = True
    ring_bytes: int = RING_BYTES
    capture_folder: str = ""
    journal_folder: str = ""
    policy: Policy = "masked"
    mask_names: tuple[str, ...] = DEFAULT_NAMES
    known_secrets: tuple[str, ...] = field(default=(), repr=False)
    asks_breakers: bool = False
    keeps_catalogue: bool = True
    state_folder: str = ""
    record_path: str = ""
    record_max_bytes: int = 0

    @property
    def masking(self) -> Masking:
        """What of payloads reaches the disk."""
        known = (_password(self.url), self.password, self.cipher_key, self.cipher_iv, *self.known_secrets)
        return Masking(self.policy, self.mask_names, known)

    def peeling(self) -> Peeling:
        """What takes packets out of what is around them.

        Raises:
            ValueError: Key, IV or algorithm is not as it must be; says which, and never what.
        """
        cipher = None
        if self.cipher_key:
            cipher = Cipher(self.cipher_key, self.cipher_algorithm, self.cipher_iv or None)
        return Peeling(cipher, self.compression or None)

    def captures(self) -> Path:
        """The folder of capture rings."""
        return Path(self.capture_folder or _cache_folder() / "captures")

    def journals(self) -> Path:
        """The folder of journals."""
        return Path(self.journal_folder or _cache_folder() / "journals")

    def catalogues(self) -> Path:
        """The folder of catalogues."""
        return Path(self.state_folder or Path(platformdirs.user_state_dir("meshscope", appauthor=False)) / "catalogues")

    def to_plain(self) -> dict[str, Any]:
        """As plain data, password included: for the pipe."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> SessionOptions:
        """From plain data; what it does not know is left out.

        Raises:
            ValueError: A word in it is none of those allowed.
        """
        known = {f.name for f in fields(cls)}
        given: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in plain.items() if name in known
        }
        if "may" in given:
            given["may"] = permission(given["may"])
        return cls(**given)


def _password(url: str) -> str:
    """Of a URL, whatever bus it leads to; empty for none."""
    login, at, _ = url.partition("://")[2].rpartition("@")
    return unquote(login.partition(":")[2]) if at else ""


def _cache_folder() -> Path:
    return Path(platformdirs.user_cache_dir("meshscope", appauthor=False))
