"""What signs commands for breakers in the window: made on this machine, from the helper's secret."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from broker.operate.breaking.signing import Signer


def signs_with(secret: str, by: str) -> Callable[[str], Signer]:
    """Makes a signer for a namespace.

    Args:
        secret: Shared with the helpers; empty where none is known, which is said when something is to be signed.
        by: Who acts, as ``user@host``.
    """

    def sign_for(namespace: str) -> Signer:
        return Signer(secret, namespace, by, new_nonce)

    return sign_for


def new_nonce() -> str:
    """32 random hex digits."""
    return secrets.token_hex(16)
