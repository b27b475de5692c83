"""Passwords and other secrets live in the key store of the system and nowhere else.

Functions here may take some 100 ms, and may ask the user something: not on the GUI thread.
"""

from __future__ import annotations

import logging
from typing import Final

from broker.operate.profiles import PASSWORD, Profile

log = logging.getLogger(__name__)

SERVICE: Final = "meshscope"
_NEXT: Final = "Give it again next time, or set MESHSCOPE_PASSWORD before starting."
NO_STORE: Final = (
    "This machine has no key store (on Linux that is GNOME Keyring, KWallet or KeePassXC, reached over the session's "
    f"D-Bus), so the password is not kept. {_NEXT}"
)
LOCKED: Final = (
    "The key store of this machine did not take the password: it is locked, or you did not allow it. "
    f"Unlock it and connect again to keep the password. {_NEXT}"
)
NOT_GIVEN: Final = (
    "The key store of this machine did not give the password that was kept: it is locked, you did not allow it, or "
    f"it is not there any more. {_NEXT}"
)


def is_there() -> bool:
    """Whether there is a key store that keeps what it is given."""
    try:
        import keyring  # noqa: PLC0415  slow to import, and only needed here
        from keyring.backends import fail, null  # noqa: PLC0415

        backend = keyring.get_keyring()
    except Exception as error:  # noqa: BLE001  a broken key store must not stop the program
        log.info("no key store: %s", type(error).__name__)
        return False
    return not isinstance(backend, fail.Keyring | null.Keyring) and backend.priority > 0


def read(account: str) -> str:
    """The secret kept for an account, for instance a URL; "" for none."""
    if not is_there():
        return ""
    try:
        import keyring  # noqa: PLC0415

        return keyring.get_password(SERVICE, account) or ""
    except Exception as error:  # noqa: BLE001
        log.info("the key store did not give a secret: %s", type(error).__name__)
        return ""


def write(account: str, secret: str) -> str:
    """Keep a secret for an account. Empty if it is kept, otherwise why not and what to do."""
    if not is_there():
        return NO_STORE
    try:
        import keyring  # noqa: PLC0415

        keyring.set_password(SERVICE, account, secret)
    except Exception as error:  # noqa: BLE001
        log.info("the key store did not take a secret: %s", type(error).__name__)
        return LOCKED
    return ""


def remove(account: str) -> bool:
    """Take a secret out of the key store. Whether it is not there any more."""
    if not is_there():
        return False
    try:
        import keyring  # noqa: PLC0415

        if keyring.get_password(SERVICE, account) is not None:
            keyring.delete_password(SERVICE, account)
    except Exception as error:  # noqa: BLE001
        log.info("the key store did not give a secret up: %s", type(error).__name__)
        return False
    return True


def account_of(profile: Profile, what: str) -> str:
    """Under which account a secret of a profile is kept: a password under its URL, what else there is under its name.

    Args:
        profile: Whose it is.
        what: ``password``, ``helper secret``, ``cipher key``, ``cipher iv`` or ``variable NAME``.
    """
    return profile.url if what == PASSWORD else f"{profile.name}: {what}"


def read_of(profile: Profile, what: str) -> str:
    """A secret of a profile; "" where none is kept, or the key store does not give it."""
    return read(account_of(profile, what)) if profile.has_secret(what) else ""


def move(before: Profile, after: Profile) -> tuple[str, ...]:
    """Let the secrets of a profile follow it to its new name or URL.

    Returns:
        What could not be moved, by its word; it stays under the old name.
    """
    lost = []
    for what in before.secret_names:
        old, new = account_of(before, what), account_of(after, what)
        secret = read(old) if old != new else ""
        if old != new and (not secret or write(new, secret)):
            lost.append(what)
        elif old != new:
            remove(old)
    return tuple(lost)
