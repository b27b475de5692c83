"""What a command looks at: a live mesh, by URL or by the name of a saved profile, or a capture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import click

from app.cli.errors import SaidNo
from app.cli.wire_options import WireOptions
from app.profile_file import load_profiles
from broker.capture.masking import DEFAULT_NAMES, Policy
from broker.operate import log_masks, secrets
from broker.operate.masks import Masks
from broker.operate.permissions import Permission, allows
from broker.operate.profiles import CIPHER_IV, CIPHER_KEY, HELPER_SECRET, PASSWORD, Profile, ProfilesError
from broker.operate.rules import refusal, start_permission
from broker.probe.ssh import Machine
from broker.protocol.encryption import DEFAULT_ALGORITHM
from broker.transport import ConnectionSettings

PASSWORD_VARIABLE: Final = "MESHSCOPE_PASSWORD"  # noqa: S105  what it is called
SECRET_VARIABLE: Final = "MESHSCOPE_SECRET"  # noqa: S105
EXPECTED: Final = "Expected for instance redis://localhost:6379, the name of a saved profile, or checkout.mcap."


@dataclass(frozen=True, slots=True)
class Target:
    """What a command looks at. Its repr holds no secret.

    Attributes:
        url: The bus, as MoleculerJS takes it; empty for a capture.
        path: The capture; empty for a live mesh.
        may: The permission on a live mesh.
        namespaces: Which ones to listen to; none for all, kept apart. "" is the empty one.
        announce: Whether we become a node in everybody's registry.
        password: From MESHSCOPE_PASSWORD or the key store; empty where the URL has it or none is needed.
        tls_ca: File of the authority that signed the server's certificate.
        wire: How packets are written.
        profile: Whose rules hold; None for a URL that belongs to none, and for a capture.
        named: The profile's name, where that stands on the command line and not its URL.
        learned: Secrets that were asked of the key store since.
        is_may_given: Whether that stands on the command line; otherwise it is what the command needs.
        unlocks: Whether a locked profile is to be unlocked for this command.
        policy: What of payloads reaches the disk.
        mask_names: Names whose values are secret, beside those that always are.
        ssh: The machine from which it is seen; empty for this one.
    """

    url: str = field(default="", repr=False)
    path: str = ""
    may: Permission = "see"
    namespaces: tuple[str, ...] = ()
    announce: bool = False
    password: str = field(default="", repr=False)
    tls_ca: str = ""
    wire: WireOptions = field(default_factory=WireOptions)
    profile: Profile | None = None
    named: str = ""
    learned: list[str] = field(default_factory=list, repr=False, compare=False)
    is_may_given: bool = False
    unlocks: bool = False
    policy: Policy = "masked"
    mask_names: tuple[str, ...] = ()
    ssh: str = ""

    @property
    def machine(self) -> Machine | None:
        """The other machine on which its probe runs; None for this one.

        Raises:
            SaidNo: What the profile says is none.
        """
        if not self.ssh:
            return None
        try:
            return Machine.parse(self.ssh)
        except ValueError as error:
            raise SaidNo(f"The probe's {error}.") from error

    @property
    def is_live(self) -> bool:
        """Whether it is a mesh and not a file."""
        return bool(self.url)

    @property
    def base(self) -> Permission:
        """What a session is opened with: never more than its profile says; unlocking is another step."""
        return start_permission(self.profile, self.may)

    @property
    def all_mask_names(self) -> tuple[str, ...]:
        """Names whose values are secret."""
        return tuple(dict.fromkeys((*DEFAULT_NAMES, *self.mask_names)))

    def connection(self) -> ConnectionSettings:
        """How to connect.

        Raises:
            SaidNo: The URL makes no sense.
        """
        try:
            return ConnectionSettings.parse(self.url, password=self.password or None, tls_ca=self.tls_ca or None)
        except ValueError as error:
            raise SaidNo(str(error)) from error

    def masks(self) -> Masks:
        """What is secret in what is shown."""
        known = [
            *self.learned,
            self.password,
            self.wire.cipher_key,
            self.wire.cipher_iv,
            os.environ.get(SECRET_VARIABLE, ""),
        ]
        if self.is_live:
            settings = self.connection()
            known += [settings.password, settings.sentinel_password]
        return Masks(self.mask_names, known)

    def helper_secret(self) -> str:
        """What commands for breakers are signed with: from MESHSCOPE_SECRET or the key store; empty for none."""
        given = os.environ.get(SECRET_VARIABLE, "")
        return given or (secrets.read_of(self.profile, HELPER_SECRET) if self.profile else "")


def find_target(
    text: str,
    default_may: Permission,
    *,
    wanted_may: Permission | None = None,
    unlocks: bool = False,
    namespaces: Sequence[str] = (),
    announce: bool = False,
    tls_ca: str = "",
    wire: WireOptions | None = None,
    file_allowed: bool = True,
    acts: bool = False,
    opens_window: bool = False,
    can_be_far: bool = True,
) -> Target:
    """Tell a URL from a profile from a file, and let a profile have its say.

    Args:
        text: What stands on the command line.
        default_may: What the command needs, and starts with.
        wanted_may: What was asked for behind --may; None for nothing.
        is_may_given: Whether that stands on the command line; otherwise it is what the command needs.
        unlocks: Whether a locked profile is to be unlocked.
        namespaces: As given; "-" is the empty one.
        announce: Whether to become a node in everybody's registry.
        tls_ca: The authority's file; empty for the profile's, or the system's.
        wire: How packets are written.
        file_allowed: Whether a capture serves as well.
        acts: Whether it judges by itself what it may do, by what it is about to send. Others listen without asking
            where a profile is locked, and say so.
        opens_window: Whether a window follows.
        can_be_far: Whether a probe on another machine can do it.

    Raises:
        SaidNo: It is none of them, the file is not there, or the profile does not allow it.
    """
    wire = wire or WireOptions()
    try:
        profiles = load_profiles()
    except ProfilesError as error:
        raise SaidNo(str(error)) from error
    names = tuple("" if name == "-" else name for name in namespaces)
    if "://" in text:
        try:
            profile = profiles.of_url(text)
            is_whole = profile is not None and ConnectionSettings.parse(text).redacted == profile.url
        except ValueError as error:
            raise SaidNo(str(error)) from error
        found = Target(url=text, namespaces=names, tls_ca=tls_ca, wire=wire, profile=profile)
    elif (profile := profiles.get(text)) is not None:
        is_whole = True
        found = Target(url=profile.url, namespaces=names, tls_ca=tls_ca, wire=wire, profile=profile, named=text)
    elif not file_allowed:
        raise SaidNo(
            f"'{text}' is neither a URL nor a saved profile.",
            "Expected the bus of a live mesh, for instance redis://localhost:6379. `meshscope profiles` lists yours.",
        )
    elif not Path(text).exists():
        raise SaidNo(f"'{text}' is neither a URL, nor a saved profile, nor a file that is there.", EXPECTED)
    else:
        return Target(path=text, wire=wire, mask_names=profiles.mask_names)
    if profile is not None and profile.ssh and is_whole and not can_be_far:
        raise SaidNo(
            f"'{profile.name}' is seen from {profile.ssh}, and packets as they are do not come from there.",
            f"Log in there (ssh {profile.ssh}) and run this command there.",
        )
    if profile is not None and is_whole and opens_window:
        default_may = profile.may  # a window does what its profile says, not the least that a command needs
    found = replace(
        found,
        announce=announce,
        password=os.environ.get(PASSWORD_VARIABLE, ""),
        is_may_given=wanted_may is not None,
        unlocks=unlocks,
        mask_names=profiles.mask_names,
        may=_permission(profile, default_may, wanted_may, unlocks=unlocks, acts=acts),
    )
    if profile is not None:
        found = _with_profile(found, is_whole=is_whole)
    log_masks.hide(found.masks())
    return found


def _permission(
    profile: Profile | None, default: Permission, wanted: Permission | None, *, unlocks: bool, acts: bool
) -> Permission:
    """What a command may do.

    Raises:
        SaidNo: What was asked for, the profile does not allow.
    """
    may = wanted or default
    if profile is None or allows(profile.may, may) or unlocks or acts:
        return may
    if wanted is not None:
        raise SaidNo(refusal(profile, profile.may, may))
    click.echo(
        f"meshscope: '{profile.name}' may only {profile.may}: listening with that. --unlock lets this command {may}.",
        err=True,
    )
    return profile.may


def _with_profile(found: Target, *, is_whole: bool) -> Target:
    """What a profile adds: its rules always; where it leads and how, if it was meant by its name or its very URL."""
    profile = found.profile
    assert profile is not None  # noqa: S101  asked before
    found = replace(
        found, policy=profile.policy, mask_names=tuple(dict.fromkeys((*found.mask_names, *profile.mask_names)))
    )
    if not is_whole:
        return found
    return replace(
        found,
        namespaces=found.namespaces or profile.namespaces,
        announce=found.announce or (profile.announce and allows(found.may, "ask")),
        password=found.password or _kept_password(profile, found.url),
        tls_ca=found.tls_ca or profile.tls_ca,
        ssh=profile.ssh,
        wire=_wire(found.wire, profile),
    )


def _kept_password(profile: Profile, url: str) -> str:
    if not profile.has_secret(PASSWORD) or ConnectionSettings.parse(url).password:
        return ""
    password = secrets.read_of(profile, PASSWORD)
    if not password:
        click.echo(f"meshscope: {secrets.NOT_GIVEN}", err=True)
    return password


def _wire(given: WireOptions, profile: Profile) -> WireOptions:
    """What was given on the command line or in the environment goes before the profile."""
    has_key = bool(given.cipher_key)
    algorithm = given.cipher_algorithm if given.cipher_algorithm != DEFAULT_ALGORITHM else profile.cipher_algorithm
    return WireOptions(
        serializer=given.serializer or profile.serializer,
        cipher_key=given.cipher_key or secrets.read_of(profile, CIPHER_KEY),
        cipher_iv=given.cipher_iv if has_key else given.cipher_iv or secrets.read_of(profile, CIPHER_IV),
        cipher_algorithm=algorithm,
        compression=given.compression or profile.compression,
    )
