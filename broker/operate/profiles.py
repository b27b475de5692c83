"""Saved connections with a name: where a mesh is, what may be done there, how it looks. Never a secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, get_args

import platformdirs

from broker.capture.masking import POLICIES, Policy
from broker.capture.secret_names import SecretNames
from broker.operate.files import locked, replace_file
from broker.operate.permissions import PERMISSIONS, Permission, allows
from broker.protocol.encryption import DEFAULT_ALGORITHM
from broker.transport.url import ConnectionSettings

FORMAT: Final = 1
Compression = Literal["", "deflate", "deflateRaw", "gzip"]
COLOURS: Final = ("accent", "ok", "slow", "failed", "held")
PRODUCTION_COLOUR: Final = "failed"

PASSWORD: Final = "password"  # noqa: S105  what it is called, not what it is
HELPER_SECRET: Final = "helper secret"  # noqa: S105
CIPHER_KEY: Final = "cipher key"
CIPHER_IV: Final = "cipher iv"
VARIABLE: Final = "variable "
"""Begins the word of a secret variable: ``variable TOKEN``."""

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104  compared, not listened on


@dataclass(frozen=True, slots=True)
class Profile:
    """A saved connection.

    Attributes:
        name: What its user calls it; tells profiles apart.
        url: Without password; the user's name may be in it.
        colour: Of its chip, a theme colour; production is red whatever this says.
        is_production: It starts with *see*, is unlocked for ten minutes at a time, and names are typed to confirm.
        may: What a session starts with.
        announce: Whether we become a node in everybody's registry.
        namespaces: Those listened to; none for all. "" is the empty one.
        serializer: In which we write; empty for that of the mesh.
        policy: What of payloads reaches the disk.
        mask_names: Names whose values are secret, beside those that always are.
        tls_ca: File of the authority that signed the server's certificate.
        compression: Of a mesh whose packets are compressed; empty to find it by itself.
        cipher_algorithm: Of a mesh whose packets are encrypted, by Node's name.
        ssh: ``user@host`` on which the probe runs; empty for this machine.
        variables: What ``{{NAME}}`` stands for in the caller; secret ones are in the key store.
        secret_names: What the key store holds for it: ``password``, ``helper secret``, ``cipher key``,
            ``cipher iv``, ``variable NAME``.
    """

    name: str
    url: str
    colour: str = "accent"
    is_production: bool = False
    may: Permission = "see"
    announce: bool = False
    namespaces: tuple[str, ...] = ()
    serializer: str = ""
    policy: Policy = "masked"
    mask_names: tuple[str, ...] = ()
    tls_ca: str = ""
    compression: Compression = ""
    cipher_algorithm: str = DEFAULT_ALGORITHM
    ssh: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    secret_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be, naming the field, what it is and what was expected."""
        _check(self)

    @property
    def tone(self) -> str:
        """The theme colour that it is shown in."""
        return PRODUCTION_COLOUR if self.is_production else self.colour

    def has_secret(self, what: str) -> bool:
        """Whether the key store holds it."""
        return what in self.secret_names


class ProfilesError(Exception):
    """The file of profiles cannot be used: what is wrong, and what to do. Nothing is opened without it."""


@dataclass(frozen=True, slots=True)
class Profiles:
    """All that is saved.

    Attributes:
        all: By name, as they were added.
        mask_names: Names whose values are secret in every profile, and where there is none.
    """

    all: tuple[Profile, ...] = ()
    mask_names: tuple[str, ...] = ()

    def get(self, name: str) -> Profile | None:
        """A profile by its name."""
        return next((profile for profile in self.all if profile.name == name), None)

    def of_url(self, url: str) -> Profile | None:
        """The profile that a URL must obey: one of the same host and port, the strictest if there are several.

        Raises:
            ValueError: It is no URL.
        """
        places = _places(url)
        found = [profile for profile in self.all if places & _places(profile.url)]
        return min(found, key=lambda each: (not each.is_production, PERMISSIONS.index(each.may)), default=None)


class ProfileStore:
    """The file in which profiles are kept, in the user's folder of settings. Two processes may use it."""

    def __init__(self, path: Path | None = None) -> None:
        """
        Args:
            path: The file; the user's own if it is left out.
        """
        self.path = path or default_path()

    def load(self) -> Profiles:
        """All profiles; none where the file is not there.

        Raises:
            ProfilesError: It is there and cannot be read. A profile that protects a mesh must not vanish by a typo.
        """
        try:
            text = self.path.read_text("utf-8")
        except FileNotFoundError:
            return Profiles()
        except (OSError, UnicodeDecodeError) as error:
            raise ProfilesError(f"The profiles in {self.path} cannot be read: {error}.") from error
        try:
            return _profiles(json.loads(text))
        except (ValueError, TypeError) as error:
            raise ProfilesError(
                f"The profiles in {self.path} cannot be read: {error}. Mend the file, or move it away."
            ) from error

    def save(self, profile: Profile, replaces: str = "") -> Profiles:
        """Add a profile, or put it in the place of the one that has its name.

        Args:
            profile: What to keep.
            replaces: The name that it had before, if it was given another one.

        Raises:
            ProfilesError: The file cannot be read or written, or the new name is another profile's.
        """

        def change(before: Profiles) -> Profiles:
            old = replaces or profile.name
            if profile.name != old and before.get(profile.name) is not None:
                raise ProfilesError(f"There is a profile '{profile.name}' already. Give another name.")
            rest = tuple(profile if each.name == old else each for each in before.all)
            return Profiles(rest if before.get(old) is not None else (*rest, profile), before.mask_names)

        return self._change(change)

    def remove(self, name: str) -> Profiles:
        """Take a profile away; its secrets stay in the key store until they are removed there.

        Raises:
            ProfilesError: There is none of this name, or the file cannot be read or written.
        """

        def change(before: Profiles) -> Profiles:
            if before.get(name) is None:
                raise ProfilesError(f"There is no profile '{name}'.")
            return Profiles(tuple(each for each in before.all if each.name != name), before.mask_names)

        return self._change(change)

    def set_mask_names(self, names: tuple[str, ...]) -> Profiles:
        """Keep the list of names whose values are secret everywhere.

        Raises:
            ProfilesError: A name cannot be masked, or the file cannot be read or written.
        """
        try:
            SecretNames(names)
        except ValueError as error:
            raise ProfilesError(f"{error}.") from error
        return self._change(lambda before: Profiles(before.all, names))

    def _change(self, change: Callable[[Profiles], Profiles]) -> Profiles:
        try:
            with locked(self.path.with_suffix(".lock")):
                after = change(self.load())
                replace_file(self.path, json.dumps(_plain(after), indent=1, ensure_ascii=False) + "\n")
        except OSError as error:
            raise ProfilesError(f"The profiles cannot be kept in {self.path}: {error.strerror or error}.") from error
        return after


def default_path() -> Path:
    """Where profiles are kept on this machine."""
    return Path(platformdirs.user_config_dir("meshscope", appauthor=False)) / "profiles.json"


def _check(profile: Profile) -> None:
    if not profile.name.strip() or profile.name != profile.name.strip() or "://" in profile.name:
        raise ValueError(f"name is '{profile.name}', expected a word or some, and no URL")
    if not profile.name.isprintable():
        raise ValueError("name holds characters that cannot be shown")
    if ConnectionSettings.parse(profile.url).password:
        raise ValueError("url holds a password, expected it in the key store")
    for what, value, known in (
        ("may", profile.may, PERMISSIONS),
        ("policy", profile.policy, POLICIES),
        ("colour", profile.colour, COLOURS),
        ("compression", profile.compression, get_args(Compression)),
    ):
        if value not in known:
            raise ValueError(f"{what} is '{value}', expected one of {', '.join(word for word in known if word)}")
    if profile.is_production and profile.may != "see":
        raise ValueError(f"may is '{profile.may}' in production, expected 'see': it is unlocked when more is needed")
    if profile.announce and not allows(profile.may, "ask"):
        raise ValueError(f"announce is set with the permission '{profile.may}', expected at least 'ask'")
    SecretNames(profile.mask_names)


def _places(url: str) -> set[tuple[str, int]]:
    """Host and port of each server that a URL names; the machine's own names for itself are one."""
    hosts = ConnectionSettings.parse(url).hosts
    plain = ((host.lower().rstrip("."), port) for host, port in hosts)
    return {("localhost" if host in _LOOPBACK else host, port) for host, port in plain}


def _profiles(kept: Any) -> Profiles:
    """Raises ValueError for what is no file of profiles."""
    if not isinstance(kept, dict) or not isinstance(kept.get("profiles"), list):
        raise ValueError("'profiles' is missing, expected a list")  # noqa: TRY004  the file's content, not a type of ours
    if kept.get("format") != FORMAT:
        raise ValueError(f"format is {kept.get('format')!r}, expected {FORMAT}")
    profiles = tuple(map(_profile, kept["profiles"]))
    names = [profile.name for profile in profiles]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise ValueError(f"there are two profiles '{doubled}'")
    mask_names = _texts("mask_names", kept.get("mask_names", []))
    SecretNames(mask_names)
    return Profiles(profiles, mask_names)


def _profile(kept: Any) -> Profile:
    """Raises ValueError. What a newer program added is left out."""
    if not isinstance(kept, dict):
        raise ValueError(f"a profile is {type(kept).__name__}, expected an object")  # noqa: TRY004  as above
    given: dict[str, Any] = {}
    example = Profile("example", "redis://example:6379")
    for known in fields(Profile):
        if known.name not in kept:
            continue
        value, expected = kept[known.name], getattr(example, known.name)
        if isinstance(expected, tuple):
            given[known.name] = _texts(known.name, value)
        elif isinstance(value, type(expected)):
            given[known.name] = value
        else:
            raise ValueError(f"{known.name} is {value!r}, expected {type(expected).__name__}")  # noqa: TRY004  as above
    for needed in ("name", "url"):
        if needed not in given:
            raise ValueError(f"a profile has no '{needed}'")
    if not all(isinstance(value, str) for value in given.get("variables", {}).values()):
        raise ValueError(f"variables of '{given['name']}' hold something that is no text")
    try:
        return Profile(**given)
    except ValueError as error:
        raise ValueError(f"profile '{given['name']}': {error}") from error


def _texts(what: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{what} is {value!r}, expected a list of texts")
    return tuple(value)


def _plain(profiles: Profiles) -> dict[str, Any]:
    return {"format": FORMAT, "mask_names": list(profiles.mask_names), "profiles": [asdict(p) for p in profiles.all]}
