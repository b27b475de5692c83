"""Preferences of the window, in one JSON file that people may read. Never a secret."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import platformdirs

from app.disk import Disk
from broker.operate.profiles import PASSWORD, Profile
from broker.protocol.encryption import DEFAULT_ALGORITHM

MAX_RECENT: Final = 12
MAX_FILTERS: Final = 30


@dataclass(slots=True)
class Connection:
    """A connection that was opened before and is no saved profile, or what a profile says of how to connect.

    Attributes:
        url: Without password; the user's name may be in it.
        name: What its user calls it; the host if left empty.
        may: What it may do: see, ask, call or act.
        announce: Whether we become a node in everybody's registry.
        namespaces: Those listened to; none for all.
        tls_ca: File of the authority that signed the server's certificate.
        has_password: Whether the key store holds its password.
        last_ns: When it was opened last.
        colour: A theme colour for its chip: accent, ok, slow, failed, held.
        serializer, compression, cipher_algorithm, policy, mask_names, ssh: As of a profile.
    """

    url: str
    name: str = ""
    may: str = "see"
    announce: bool = False
    namespaces: list[str] = field(default_factory=list)
    tls_ca: str = ""
    has_password: bool = False
    last_ns: int = 0
    colour: str = "accent"
    serializer: str = ""
    compression: str = ""
    cipher_algorithm: str = DEFAULT_ALGORITHM
    policy: str = "masked"
    mask_names: list[str] = field(default_factory=list)
    ssh: str = ""

    @property
    def title(self) -> str:
        """What it is called: its name, or its host."""
        return self.name or self.url.partition("://")[2].rpartition("@")[2]

    @classmethod
    def of(cls, profile: Profile) -> Connection:
        """How a profile connects."""
        shared = {known.name for known in fields(cls)} & {known.name for known in fields(Profile)}
        given = {name: getattr(profile, name) for name in shared}
        lists = {name: list(value) for name, value in given.items() if isinstance(value, tuple)}
        return cls(**(given | lists | {"colour": profile.tone, "has_password": profile.has_secret(PASSWORD)}))

    def as_profile(self) -> Profile:
        """What would be saved of it.

        Raises:
            ValueError: Something in it cannot be; the message says what.
        """
        shared = {known.name for known in fields(Profile)} & {known.name for known in fields(Connection)}
        given = {name: getattr(self, name) for name in shared}
        tuples = {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
        kept = (PASSWORD,) if self.has_password else ()
        return Profile(**(given | tuples | {"name": self.title, "secret_names": kept}))


@dataclass(slots=True)
class Settings:
    """What the window remembers. Change it, then call `save`."""

    path: Path | None = None
    disk: Disk = field(default_factory=Disk, compare=False, repr=False)  # on which all that the window keeps is
    theme: str = "system"
    utc: bool = False
    reduce_motion: bool = False
    span_s: int = 300
    filter: str = ""
    filters: list[str] = field(default_factory=list)  # newest first
    saved_filters: list[str] = field(default_factory=list)
    recent: list[Connection] = field(default_factory=list)  # newest first
    recent_files: list[str] = field(default_factory=list)
    view: str = "overview"
    detached: list[str] = field(default_factory=list)
    geometry: str = ""  # base64, as Qt gives it
    layout: str = ""
    side_width: int = 380
    side_open: bool = True
    collections: str = ""  # folder of the caller's collections; empty for the usual one
    tables: dict[str, Any] = field(default_factory=dict)  # what was set of a table's columns, by view and table

    def save(self) -> None:
        """Let the file be written soon, as it is now."""
        if self.path is None:
            return
        known = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in ("path", "disk")}
        known["recent"] = [asdict(connection) for connection in self.recent]
        self.disk.write(self.path, json.dumps(known, indent=1), "Preferences of the window")

    def remember_filter(self, text: str) -> None:
        """Put a filter on top of the history."""
        if text:
            self.filters = [text, *(other for other in self.filters if other != text)][:MAX_FILTERS]

    def remember(self, connection: Connection) -> None:
        """Put a connection on top of the recent ones."""
        others = [other for other in self.recent if other.url != connection.url]
        self.recent = [connection, *others][:MAX_RECENT]

    def remember_file(self, path: str) -> None:
        """Put a capture on top of the recent ones."""
        self.recent_files = [path, *(other for other in self.recent_files if other != path)][:MAX_RECENT]

    def forget(self, url: str) -> None:
        """Take a connection out of the recent ones."""
        self.recent = [other for other in self.recent if other.url != url]


def default_path() -> Path:
    """Where preferences are kept on this machine."""
    return Path(platformdirs.user_config_dir("meshscope", appauthor=False)) / "window.json"


def load(path: Path | None) -> Settings:
    """Read preferences; what is missing or makes no sense takes its default.

    Args:
        path: The file; None for preferences that are never written.
    """
    settings = Settings(path=path)
    if path is None:
        return settings
    try:
        kept = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return settings
    if isinstance(kept, dict):
        _take(settings, kept)
    return settings


def _take(settings: Settings, kept: dict[str, Any]) -> None:
    for known in fields(Settings):
        value = kept.get(known.name)
        if known.name == "recent":
            settings.recent = [made for made in map(_connection, value if isinstance(value, list) else []) if made]
        elif known.name not in ("path", "disk") and type(value) is type(getattr(settings, known.name)):
            setattr(settings, known.name, value)


def _connection(value: object) -> Connection | None:
    if not isinstance(value, dict) or not isinstance(value.get("url"), str):
        return None
    made = Connection(value["url"])
    for known in fields(Connection):
        if type(value.get(known.name)) is type(getattr(made, known.name)):
            setattr(made, known.name, value[known.name])
    return made
