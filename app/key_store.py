"""Passwords live in the key store of the system and nowhere else."""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)

SERVICE = "meshscope"
_NEXT = "Give it again next time, or set MESHSCOPE_PASSWORD before starting."
NO_STORE = (
    "This machine has no key store (on Linux that is GNOME Keyring, KWallet or KeePassXC, reached over the session's "
    f"D-Bus), so the password is not kept. {_NEXT}"
)
LOCKED = (
    "The key store of this machine did not take the password: it is locked, or you did not allow it. "
    f"Unlock it and connect again to keep the password. {_NEXT}"
)
NOT_GIVEN = (
    "The key store of this machine did not give the password that was kept: it is locked, you did not allow it, or "
    f"it is not there any more. {_NEXT}"
)


def is_there() -> bool:
    """Whether there is a key store that keeps what it is given. May take some 100 ms: not on the GUI thread."""
    try:
        import keyring  # noqa: PLC0415  slow to import, and only needed here
        from keyring.backends import fail, null  # noqa: PLC0415

        backend = keyring.get_keyring()
    except Exception as error:  # noqa: BLE001  a broken key store must not stop the window
        log.info("no key store: %s", type(error).__name__)
        return False
    return not isinstance(backend, fail.Keyring | null.Keyring) and backend.priority > 0


def read(url: str) -> str:
    """The password kept for a URL; "" for none. May ask the user, so not on the GUI thread."""
    if not is_there():
        return ""
    try:
        import keyring  # noqa: PLC0415

        return keyring.get_password(SERVICE, url) or ""
    except Exception as error:  # noqa: BLE001
        log.info("the key store did not give a password: %s", type(error).__name__)
        return ""


def write(url: str, password: str) -> str:
    """Keep a password for a URL. Empty if it is kept, otherwise why not and what to do."""
    if not is_there():
        return NO_STORE
    try:
        import keyring  # noqa: PLC0415

        keyring.set_password(SERVICE, url, password)
    except Exception as error:  # noqa: BLE001
        log.info("the key store did not take a password: %s", type(error).__name__)
        return LOCKED
    return ""
