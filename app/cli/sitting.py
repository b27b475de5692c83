"""A source looked at from the command line: gather what it tells, or take its frames as they pass."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from app.cli.errors import SaidNo
from app.cli.group import Programs
from app.cli.targets import Target
from broker.capture.reader import CaptureSource, NotACaptureError
from broker.clock import SECOND, SystemClock
from broker.mesh.span import Span
from broker.mesh.timeline import Snapshot, Timeline
from broker.observe.journal import Batch
from broker.probe.offline import Progress, listen, load
from broker.probe.options import SessionOptions
from broker.protocol.frame import FrameSink, RawFrame
from broker.protocol.peeling import Peeling
from broker.transport import TransportError, open_tap

SHOWN_AFTER_S = 1.0


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on the fastest loop there is, beside a mesh; what the bus refuses becomes a message.

    Raises:
        SaidNo: The bus said no.
    """
    context = click.get_current_context(silent=True)
    programs = context.find_object(Programs) if context is not None else None
    if programs is not None:
        programs.sit_beside_mesh()
    try:
        try:
            from uvloop import run as run_loop  # noqa: PLC0415  where it exists
        except ImportError:
            run_loop = asyncio.run  # type: ignore[assignment]
        run_loop(work)
    except TransportError as error:
        raise SaidNo(error.message, error.advice) from error
    except ValueError as error:
        raise SaidNo(str(error)) from error


def options_of(target: Target, *, record_path: str = "", **more: Any) -> SessionOptions:
    """What a session is to be for a target: without a ring, since nobody looks into bodies here."""
    return SessionOptions(
        url=target.url,
        path=target.path,
        may=target.may,
        announce=target.announce,
        namespaces=target.namespaces,
        password=target.password,
        tls_ca=target.tls_ca,
        **asdict(target.wire),
        profile=target.profile.name if target.profile else "",
        mask_names=target.all_mask_names,
        keeps_capture=False,
        record_path=record_path,
        **{"policy": target.policy} | more,
    )


class Bar:
    """A progress bar on a terminal, for what takes over a second; and one line for each new trouble."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._is_terminal = sys.stderr.isatty()
        self._clock = SystemClock()
        self._begin_ns = self._clock.now_ns()
        self._trouble = ""
        self._is_drawn = False

    def show(self, progress: Progress) -> None:
        """How far it is."""
        if progress.message and progress.message != self._trouble:
            self.clear()
            click.echo(f"meshscope: {progress.message}", err=True)
        self._trouble = progress.message
        if self._is_terminal and self._clock.now_ns() - self._begin_ns > SHOWN_AFTER_S * SECOND:
            bar = "█" * round(progress.done * 24)
            click.echo(f"\r{self._what} {bar:<24} {progress.frames:,} packets", err=True, nl=False)
            self._is_drawn = True

    def clear(self) -> None:
        """Take it from the terminal."""
        if self._is_drawn:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._is_drawn = False


def gather(target: Target, *, duration_s: float, asks_breakers: bool = False) -> tuple[Snapshot, Span]:
    """Listen for a while, or read the file, and give all that was learned.

    Args:
        target: What to look at.
        duration_s: How long to listen to a live mesh.
        asks_breakers: Whether its nodes are asked for their breakers, where that is permitted.

    Returns:
        What is known, and the span it covers.

    Raises:
        SaidNo: The bus or the file said no.
    """
    timeline = Timeline()
    if target.is_live:
        return _gather_live(target, duration_s, timeline, asks_breakers)
    _read_file(target, timeline.take)
    snapshot = timeline.snapshot()
    return snapshot, snapshot.everything()


def _gather_live(target: Target, duration_s: float, timeline: Timeline, asks_breakers: bool) -> tuple[Snapshot, Span]:
    bar = Bar("listening")
    clock = SystemClock()
    has_listened, refusal = False, ""

    def progress(now: Progress) -> None:
        nonlocal has_listened, refusal
        bar.show(now)
        if now.status is not None:
            has_listened = has_listened or now.status.state == "listening"
            refusal = f"{now.status.message} {now.status.advice}".strip() or refusal

    begin_ns = clock.now_ns()
    options = options_of(target, asks_breakers=asks_breakers)
    machine = target.machine
    run(listen(options, timeline.take, duration_s=duration_s, progress=progress, clock=clock, machine=machine))
    bar.clear()
    snapshot = timeline.snapshot()
    if not has_listened and not snapshot.tally.packets:
        raise SaidNo(refusal or f"Nothing could be heard in {duration_s:g} s.")
    if machine is not None:
        return snapshot, snapshot.everything()  # by the clock there
    return snapshot, Span(begin_ns, max(clock.now_ns(), snapshot.through_ns + 1))


def _read_file(target: Target, take: Callable[[Batch], None]) -> None:
    bar = Bar("reading")
    try:
        load(Path(target.path), take, progress=bar.show, peeling=options_of(target).peeling())
    except NotACaptureError as error:
        raise SaidNo(str(error)) from error
    except OSError as error:
        raise SaidNo(f"{target.path} cannot be read: {error.strerror or error}.") from error
    finally:
        bar.clear()


class _Peeled:
    """Gives a sink frames that were taken out of what is around them; says once when they cannot be. A FrameSink."""

    def __init__(self, sink: FrameSink, peeling: Peeling) -> None:
        self._sink = sink
        self._peeling = peeling
        self._has_said = False

    def feed(self, at_ns: int, frames: Sequence[RawFrame]) -> None:
        """Take in frames that arrived together."""
        self._sink.feed(at_ns, self._peeling.peel(frames))
        if self._peeling.trouble and not self._has_said:
            self._has_said = True
            click.echo(f"meshscope: {self._peeling.trouble}", err=True)


def deliver_frames(target: Target, sink: FrameSink) -> None:
    """Give a sink all frames: of a file from beginning to end, of a live mesh until Ctrl+C.

    Raises:
        SaidNo: The bus or the file said no.
    """
    peeled = _Peeled(sink, options_of(target).peeling())
    if target.is_live:
        run(open_tap(target.connection(), SystemClock(), target.namespaces or None).run(peeled))
        return
    try:
        CaptureSource(Path(target.path)).run(peeled)
    except NotACaptureError as error:
        raise SaidNo(str(error)) from error
    except OSError as error:
        raise SaidNo(f"{target.path} cannot be read: {error.strerror or error}.") from error
