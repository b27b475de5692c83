"""Whether a server can be reached at all, step by step: its name, its port, its TLS. Sends nothing but a greeting."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, Final, NamedTuple

from broker.transport.base import CheckResult
from broker.transport.url import ConnectionSettings, host_text

PATIENCE_S: Final = 5.0
SHOWN: Final = 3


class Begun(NamedTuple):
    """A step of a check that takes time has begun.

    Attributes:
        name: As its result will be called.
        what: What is being done, to be shown meanwhile.
    """

    name: str
    what: str


async def reach(settings: ConnectionSettings, *, patience_s: float = PATIENCE_S) -> AsyncIterator[Begun | CheckResult]:
    """Resolve, connect, greet. Of several hosts one that answers is enough; the last result tells whether any does."""
    failed: list[CheckResult] = []
    for host, port in settings.hosts:
        async for step in _reach_one(settings, host, port, patience_s):
            if isinstance(step, CheckResult) and not step.ok:
                failed.append(step)
                break
            yield step
        else:
            return
        if (host, port) != settings.hosts[-1]:
            yield failed[-1]._replace(advice=f"{failed[-1].advice} The next host is tried.".strip())
    yield failed[-1]


async def _reach_one(
    settings: ConnectionSettings, host: str, port: int, patience_s: float
) -> AsyncIterator[Begun | CheckResult]:
    where = host_text(host, port)
    if not _is_address(host):
        yield Begun("name", f"resolving {host}")
        yield await _resolved(host, port, patience_s)
    yield Begun("reached", f"connecting to {where}")
    yield await _connected(host, port, where, patience_s)
    if settings.is_tls:
        yield Begun("TLS", f"greeting {where} with TLS")
        yield await _greeted(settings, host, port, where, patience_s)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def _resolved(host: str, port: int, patience_s: float) -> CheckResult:
    advice = "Check the spelling; names of containers, clusters and VPNs are known only inside them."
    try:
        async with asyncio.timeout(patience_s):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        return CheckResult("name", False, f"nobody told in {patience_s:g} s what {host} is", "Is the DNS reachable?")
    except OSError as error:
        return CheckResult("name", False, f"{host} is not known here: {error.strerror or error}", advice)
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    more = f" and {len(addresses) - SHOWN} more" if len(addresses) > SHOWN else ""
    return CheckResult("name", True, f"{host} is {', '.join(addresses[:SHOWN])}{more}")


async def _connected(host: str, port: int, where: str, patience_s: float) -> CheckResult:
    try:
        async with asyncio.timeout(patience_s):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        advice = "A firewall drops it, or the address is another network's: is a VPN or a forwarded port needed?"
        return CheckResult("reached", False, f"{where} does not answer in {patience_s:g} s", advice)
    except ConnectionRefusedError:
        advice = "Is the server running, and does it listen on this address and port?"
        return CheckResult("reached", False, f"{where} refuses connections", advice)
    except OSError as error:
        return CheckResult("reached", False, f"{where}: {error.strerror or error}", "Is there a way to it from here?")
    await _close(writer)
    return CheckResult("reached", True, f"{where} takes connections")


async def _greeted(settings: ConnectionSettings, host: str, port: int, where: str, patience_s: float) -> CheckResult:
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca or None)
        if settings.tls_cert:
            context.load_cert_chain(settings.tls_cert, settings.tls_key or None)
        async with asyncio.timeout(patience_s):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    except TimeoutError:
        advice = "Does this port speak TLS at all?"
        return CheckResult("TLS", False, f"{where} does not answer the TLS greeting", advice)
    except ssl.SSLCertVerificationError as error:
        advice = "Give the file of the authority that signed it, or the name that stands in the certificate."
        return CheckResult("TLS", False, f"its certificate is refused: {error.verify_message}", advice)
    except ssl.SSLError as error:
        reason = (error.reason or str(error)).replace("_", " ").lower()
        return CheckResult("TLS", False, f"no TLS with {where}: {reason}", "Does this port speak TLS at all?")
    except OSError as error:
        return CheckResult("TLS", False, f"{where}: {error.strerror or error}", "Can the certificate files be read?")
    made: Any = writer.get_extra_info("ssl_object")
    text = f"{made.version()}, certificate of {_subject(made.getpeercert())}"
    await _close(writer)
    return CheckResult("TLS", True, text)


def _subject(certificate: dict[str, Any]) -> str:
    names = {name: value for part in certificate.get("subject", ()) for name, value in part}
    until = certificate.get("notAfter")
    day = datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC).date() if until else None
    return f"{names.get('commonName', 'nobody by name')}" + (f", valid until {day}" if day else "")


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()
