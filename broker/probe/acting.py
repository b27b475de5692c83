"""Acting in the caller's own process: a session for as long as a command takes. For the command line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import BinaryIO, Final

from broker.observe.journal import Batch
from broker.operate.commands import Call, Command, Progress, Report
from broker.operate.permissions import allows
from broker.probe.door import Door
from broker.probe.far import FarSession
from broker.probe.options import SessionOptions
from broker.probe.session import ProbeSession
from broker.probe.ssh import Machine
from broker.probe.streams import Streams, from_file, to_file
from broker.transport.base import TransportError

READY_WITHIN_S: Final = 15.0
"""So long a namespace may be silent: nodes beat every ten seconds by default, give or take half a second."""


AnySession = ProbeSession | FarSession
"""In this process, or on another machine."""


def _ignore(*_: object) -> None:
    """Nobody wants to know."""


@asynccontextmanager
async def sitting(
    options: SessionOptions,
    *,
    deliver: Callable[[Batch], None] = _ignore,
    door: Door | None = None,
    machine: Machine | None = None,
) -> AsyncIterator[AnySession]:
    """A session that listens while the block runs.

    Args:
        options: What it listens to and what it may do.
        deliver: Given a batch ten times a second.
        door: The way to the bus; by the options' URL if it is left out.
        machine: The other one on which its probe runs; None for this process.

    Raises:
        TransportError: The bus said no, and trying again would not help.
        ValueError: The options are wrong; says what.
    """
    session = ProbeSession(options, door=door) if machine is None else FarSession(options, machine)
    listening = asyncio.create_task(session.run(deliver), name="session")
    body = asyncio.current_task()
    assert body is not None  # noqa: S101 - coroutines run in tasks
    failed = False

    def ended(task: asyncio.Task[None]) -> None:
        nonlocal failed
        if not task.cancelled() and task.exception() is not None:
            failed = True
            body.cancel()

    listening.add_done_callback(ended)
    try:
        yield session
    except asyncio.CancelledError:
        if not failed:
            raise
        body.uncancel()
    finally:
        session.stop()
        await listening


async def act(
    session: AnySession,
    command: Command,
    told: Callable[[Progress], None] = _ignore,
    *,
    upload: BinaryIO | None = None,
    download: BinaryIO | None = None,
) -> Report:
    """Do one command in a session that runs, once it is able to.

    Waits until the tap listens, there is a connection to send through, and the
    protocol of the command's namespace is known. Given up (cancelled), the
    command is given up too.

    Args:
        session: Runs, and may do it.
        command: What. An empty namespace is the empty one.
        told: Told how far it is.
        upload: Sent along with a call as a stream.
        download: Filled with a streamed answer.
    """
    namespace = _namespace(command)
    if namespace is not None and allows(session.status().may_now, command.needs):
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                await session.can_speak(namespace)
        except TimeoutError:
            pass  # why not, says the report
    streams = Streams(
        from_file(upload) if upload is not None else None,
        to_file(download) if download is not None else None,
        upload,
        download,
    )
    reported = session.submit(command, told=told, streams=streams)
    try:
        return await asyncio.shield(reported)
    except asyncio.CancelledError:
        reported.cancel()
        return await reported


async def only_namespace(session: AnySession, within_s: float = READY_WITHIN_S) -> str:
    """The namespace that is heard, where none was chosen.

    Raises:
        TransportError: None is heard in time, or several are.
    """
    heard = session.status().namespaces
    try:
        async with asyncio.timeout(within_s):
            while not heard:
                await asyncio.sleep(0.05)
                heard = session.status().namespaces
    except TimeoutError:
        raise TransportError(
            f"Nothing of a mesh was heard in {within_s:g} s.", "Is it on this bus? See `meshscope doctor`."
        ) from None
    if len(heard) > 1:
        names = ", ".join(f"'{name}'" for name in heard)
        raise TransportError(f"Several namespaces are heard: {names}.", "Choose one with --namespace.")
    return heard[0]


def _namespace(command: Command) -> str | None:
    if isinstance(command, Call):
        return command.namespace
    call = getattr(command, "call", command)
    return getattr(call, "namespace", None)
