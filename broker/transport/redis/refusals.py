"""What it means when a connection cannot be had, and what to do; never with a password in it."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Final

import hiredis
from redis import exceptions
from redis.asyncio.sentinel import MasterNotFoundError

from broker.transport.base import TransportError
from broker.transport.url import ConnectionSettings

CONNECT_S: Final = 5.0
"""How long a server may take to let us in."""


class Cause:
    """An error with all that led to it.

    Attributes:
        where: Whom we tried to reach, fit for screens.
        settings: How.
        errors: The error, its cause, that one's cause, …
        text: What they say, together.
    """

    def __init__(self, error: BaseException, settings: ConnectionSettings, where: str) -> None:
        self.where = where
        self.settings = settings
        self.errors = list(_chain(error))
        self.text = " ".join(str(each) for each in self.errors)

    def is_a(self, *kinds: type[BaseException]) -> bool:
        """Whether any of the errors is one of these."""
        return any(isinstance(each, kinds) for each in self.errors)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def explain(error: BaseException, settings: ConnectionSettings, where: str = "") -> TransportError:
    """Say what happened and what to do."""
    cause = Cause(error, settings, where or settings.redacted)
    for rule in RULES:
        said = rule(cause)
        if said is not None:
            return said
    what = cause.text.strip()[:200] or type(error).__name__
    return TransportError(f"Cannot use {cause.where}: {what}.", "The server's log may say more.")


def _final(message: str, advice: str) -> TransportError:
    return TransportError(message, advice, retriable=False)


def _file(cause: Cause) -> TransportError | None:
    settings = cause.settings
    for name in (settings.tls_ca, settings.tls_cert, settings.tls_key) if cause.is_a(OSError) else ():
        if name and cause.is_a(FileNotFoundError, PermissionError, IsADirectoryError):
            return _final(f"A file for TLS cannot be read: {name}.", "Check its path and its permissions.")
    return None


def _certificate(cause: Cause) -> TransportError | None:
    for error in cause.errors:
        if isinstance(error, ssl.SSLCertVerificationError):
            return _final(
                f"{cause.where} showed a certificate that is not trusted: {error.verify_message.rstrip('.')}.",
                "Name the file of the authority that signed it (--tls-ca), and the host as the certificate names it.",
            )
    return None


def _client_certificate(cause: Cause) -> TransportError | None:
    wanted = ("certificate required", "CERTIFICATE_REQUIRED", "alert handshake failure", "alert unknown ca")
    if cause.settings.is_tls and cause.is_a(ssl.SSLError) and any(text in cause.text for text in wanted):
        return _final(
            f"{cause.where} asks for a certificate of ours and was not given one that it trusts.",
            "Add ?tls_cert=FILE&tls_key=FILE to the URL, or let the server do without (tls-auth-clients no).",
        )
    return None


def _no_tls(cause: Cause) -> TransportError | None:
    if cause.is_a(PlainServerError) or (cause.is_a(ssl.SSLError) and "WRONG_VERSION_NUMBER" in cause.text):
        return _final(
            f"{cause.where} does not speak TLS on this port.",
            "Use redis:// instead of rediss://, or the server's TLS port.",
        )
    if cause.is_a(ssl.SSLError):
        reason = next(each.reason or str(each) for each in cause.errors if isinstance(each, ssl.SSLError))
        return _final(f"{cause.where} and we could not agree on TLS: {reason}.", "See the server's tls-* settings.")
    return None


def _tls_wanted(cause: Cause) -> TransportError | None:
    if cause.is_a(TlsServerError):
        return _final(
            f"{cause.where} speaks TLS on this port, and we did not.",
            "Use rediss:// instead of redis://, or the server's plain port.",
        )
    return None


def _password(cause: Cause) -> TransportError | None:
    if "without any password configured" in cause.text or "no password is set" in cause.text:
        return _final(f"{cause.where} has no password, and one was given.", "Leave the password out.")
    wrong = ("WRONGPASS", "invalid password", "invalid username-password", "Invalid Username or Password")
    if any(text in cause.text for text in wrong):
        who = f" for the user '{cause.settings.username}'" if cause.settings.username else ""
        return _final(
            f"{cause.where} did not accept the password{who}.", "Check user and password; a user may also be disabled."
        )
    if cause.is_a(exceptions.AuthenticationError) or "NOAUTH" in cause.text or "Authentication required" in cause.text:
        return _final(
            f"{cause.where} asks for a password, and none was given.",
            "Give it in the URL (redis://user:password@host), in MESHSCOPE_PASSWORD or in the connection form.",
        )
    return None


def _permission(cause: Cause) -> TransportError | None:
    if "NOPERM" not in cause.text and not cause.is_a(exceptions.NoPermissionError):
        return None
    said = next((str(each) for each in cause.errors if "permission" in str(each)), cause.text).removeprefix("NOPERM ")
    who = f"the user '{cause.settings.username}'" if cause.settings.username else "the default user"
    return _final(f"{cause.where} forbids this to {who}: {said.strip().rstrip('.')}.", "Let the user's ACL allow it.")


def _loading(cause: Cause) -> TransportError | None:
    if cause.is_a(exceptions.BusyLoadingError) or "LOADING" in cause.text:
        return TransportError(
            f"{cause.where} is loading its data set and does not answer yet.", "It answers when it is done."
        )
    return None


def _full(cause: Cause) -> TransportError | None:
    if "max number of clients" in cause.text:
        return TransportError(
            f"{cause.where} has as many connections as it allows (maxclients).", "Close some, or raise maxclients."
        )
    return None


def _unknown_host(cause: Cause) -> TransportError | None:
    if cause.is_a(socket.gaierror, UnicodeError):  # UnicodeError: no name could be spelt so
        return TransportError(
            f"Cannot reach {cause.where}: the host is unknown.",
            "Check its spelling, and whether its name can be resolved on this machine.",
        )
    return None


def _no_master(cause: Cause) -> TransportError | None:
    if not cause.is_a(MasterNotFoundError):
        return None
    if cause.text.count(" - ") >= len(cause.settings.hosts):
        return TransportError(
            f"None of the Sentinels of {cause.where} answered.", "Check their hosts and ports (usually 26379)."
        )
    return TransportError(
        f"The Sentinels of {cause.where} know no master '{cause.settings.master}' that is up.",
        "Check the name (redis-cli -p 26379 sentinel masters); during a failover this passes.",
    )


def _unreachable(cause: Cause) -> TransportError | None:
    if cause.is_a(ConnectionRefusedError) or f"Errno {errno.ECONNREFUSED}]" in cause.text:
        return TransportError(
            f"Cannot reach {cause.where}: connection refused.", "Is the server running, on this port?"
        )
    for number in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN):
        if any(isinstance(each, OSError) and each.errno == number for each in cause.errors):
            return TransportError(f"Cannot reach {cause.where}: no way to the host.", "Is the network, or the VPN, up?")
    if cause.is_a(TimeoutError, exceptions.TimeoutError):
        return TransportError(
            f"Cannot reach {cause.where}: no answer in {CONNECT_S:.0f} s.",
            "Is a firewall between us, or the server frozen?",
        )
    return None


def _not_redis(cause: Cause) -> TransportError | None:
    if cause.is_a(exceptions.InvalidResponse, hiredis.ProtocolError):
        return _final(f"{cause.where} does not speak Redis's protocol.", "Is it another program's port?")
    return None


def _closed(cause: Cause) -> TransportError | None:
    if cause.is_a(ConnectionResetError, BrokenPipeError, EOFError) or "closed by server" in cause.text:
        return TransportError(
            f"{cause.where} closed the connection before it let us in.",
            "Is it a Redis server, and does it take connections from this machine (protected-mode, bind)?",
        )
    return None


class PlainServerError(ConnectionError):
    """We spoke TLS to a server that does not."""


class TlsServerError(ConnectionError):
    """We spoke plainly to a server that speaks TLS."""


RULES: Final[tuple[Callable[[Cause], TransportError | None], ...]] = (
    _file, _certificate, _client_certificate, _no_tls, _tls_wanted, _password, _permission, _loading, _full,
    _unknown_host, _no_master, _unreachable, _not_redis, _closed,
)  # fmt: skip
