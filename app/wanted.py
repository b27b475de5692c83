"""What the start page asks for: a connection to be opened, a profile to be saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.settings import Connection
from broker.operate.profiles import Profile


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be opened: the connection, and the secrets that are kept apart from it.

    Attributes:
        connection: How to connect.
        password: As it was typed; empty for none, or the one that is kept.
        keep_password: Whether the key store holds it, or shall hold it.
        profile: The saved profile that is opened; None for a bare URL.
        secrets: Others that were typed, by their words.
    """

    connection: Connection
    password: str = field(default="", repr=False)
    keep_password: bool = False
    profile: Profile | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ToSave:
    """A profile as the form has it, what it was, and the secrets that go into the key store."""

    profile: Profile
    before: Profile | None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    forgets: bool = False
    then_open: bool = False
