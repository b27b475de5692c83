"""What is opened, all decided: whose rules hold, which secrets are needed, what the session is asked to be."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from app.cli.wire_options import WireOptions
from app.settings import Connection
from app.wanted import Wanted
from broker.capture.masking import DEFAULT_NAMES, POLICIES, Policy
from broker.operate import secrets as key_store
from broker.operate.masks import Masks
from broker.operate.permissions import Permission, allows, permission
from broker.operate.profiles import (
    CIPHER_IV,
    CIPHER_KEY,
    HELPER_SECRET,
    PASSWORD,
    VARIABLE,
    Compression,
    Profile,
    Profiles,
)
from broker.operate.rules import start_permission
from broker.probe.options import SessionOptions
from broker.protocol.compression import METHODS
from broker.protocol.encryption import DEFAULT_ALGORITHM

HELPER_VARIABLE: Final = "MESHSCOPE_SECRET"
_KEEPS_LEAST: Final[tuple[Policy, ...]] = ("headers", "masked", "everything")


@dataclass(frozen=True, slots=True)
class Opening:
    """A live session about to be opened.

    Attributes:
        connection: How to connect.
        profile: Whose rules hold: the one that is opened, or the one that the server belongs to; None for none.
        secrets: By their words: password, helper secret, cipher key, cipher iv, variable NAME.
        not_kept: Which secret could not be kept, and why; empty where there is nothing to tell.
        not_given: Whether the key store did not give a password that it should have.
    """

    connection: Connection
    profile: Profile | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    not_kept: str = ""
    not_given: bool = False


def rules_for(wanted: Wanted, profiles: Profiles) -> Profile | None:
    """Whose rules hold for what is wanted: a server that belongs to a profile obeys it, however it is opened.

    Args:
        wanted: What is to be opened; its profile may be as it was a while ago.
        profiles: As they are now.
    """
    named = profiles.get(wanted.profile.name) if wanted.profile is not None else None
    if named is not None:
        return named
    try:
        return profiles.of_url(wanted.connection.url) or wanted.profile
    except ValueError:
        return wanted.profile


def gather(wanted: Wanted, profile: Profile | None) -> Opening:
    """Get the secrets together. In a thread: a key store may ask the user first.

    Args:
        wanted: What is to be opened.
        profile: Whose rules hold.
    """
    secrets = _typed(wanted)
    not_kept, connection = "", wanted.connection
    if wanted.profile is not None:
        for what in wanted.profile.secret_names:
            if what not in secrets:
                secrets[what] = key_store.read_of(wanted.profile, what)
    elif connection.has_password and wanted.password and wanted.keep_password:
        not_kept = key_store.write(connection.url, wanted.password)
        connection.has_password = not not_kept
    elif connection.has_password and not wanted.password:
        secrets[PASSWORD] = key_store.read(connection.url)
    not_given = connection.has_password and not secrets.get(PASSWORD)
    held = {what: secret for what, secret in secrets.items() if secret}
    if not held.get(HELPER_SECRET) and os.environ.get(HELPER_VARIABLE):
        held[HELPER_SECRET] = os.environ[HELPER_VARIABLE]
    return Opening(connection, profile, held, not_kept, not_given)


def _typed(wanted: Wanted) -> dict[str, str]:
    typed = dict(wanted.secrets)
    if wanted.password:
        typed[PASSWORD] = wanted.password
    return typed


def start_may(opening: Opening) -> Permission:
    """What it is opened with: never more than the profile says; production starts with see."""
    return start_permission(opening.profile, permission(opening.connection.may))


def mask_names(opening: Opening, everywhere: tuple[str, ...]) -> tuple[str, ...]:
    """Names whose values are secret besides the usual ones.

    Args:
        opening: What is opened.
        everywhere: The user's own list.
    """
    own = opening.profile.mask_names if opening.profile is not None else ()
    return tuple(dict.fromkeys((*everywhere, *opening.connection.mask_names, *own)))


def masks_of(opening: Opening, everywhere: tuple[str, ...]) -> Masks:
    """What is secret in what is shown and written down."""
    return Masks(mask_names(opening, everywhere), opening.secrets.values())


def session_options(opening: Opening, wire: WireOptions, everywhere: tuple[str, ...]) -> SessionOptions:
    """What the session is asked to be.

    Args:
        opening: What is opened.
        wire: How packets are written where the connection does not say.
        everywhere: The user's own list of names whose values are secret.
    """
    connection, secrets = opening.connection, opening.secrets
    may = start_may(opening)
    is_usual = connection.cipher_algorithm == DEFAULT_ALGORITHM
    return SessionOptions(
        url=connection.url,
        may=may,
        announce=connection.announce and allows(may, "ask"),
        namespaces=tuple(connection.namespaces),
        password=secrets.get(PASSWORD, ""),
        tls_ca=connection.tls_ca,
        serializer=connection.serializer or wire.serializer,
        cipher_key=secrets.get(CIPHER_KEY, "") or wire.cipher_key,
        cipher_iv=secrets.get(CIPHER_IV, "") or wire.cipher_iv,
        cipher_algorithm=wire.cipher_algorithm if is_usual else connection.cipher_algorithm,
        compression=_method(connection.compression) or wire.compression,
        profile=connection.name,
        policy=_policy(opening),
        asks_breakers=True,
        mask_names=(*DEFAULT_NAMES, *mask_names(opening, everywhere)),
        # the helper's secret stays here: nothing is signed where the probe runs
        known_secrets=tuple(secret for what, secret in secrets.items() if what.startswith(VARIABLE)),
    )


def _method(text: str) -> Compression:
    """Of compression; what is no method is found by itself."""
    return next((known for known in METHODS if known == text), "")


def _policy(opening: Opening) -> Policy:
    """What of payloads reaches the disk: what was chosen, and never more than the profile of the server says."""
    chosen: Policy = next((known for known in POLICIES if known == opening.connection.policy), "masked")
    limit = opening.profile.policy if opening.profile is not None else chosen
    return chosen if _KEEPS_LEAST.index(chosen) <= _KEEPS_LEAST.index(limit) else limit
