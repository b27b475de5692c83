"""A probe on another machine, through ssh: when it is lost there is a gap, and another one is started."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO, Final

from broker.clock import SECOND
from broker.observe.journal import Batch
from broker.operate.commands import Command, Hide, Progress, Report
from broker.probe.client import ProbeCallbacks, ProbeClient
from broker.probe.joining import Joiner
from broker.probe.options import SessionOptions
from broker.probe.ssh import Machine, explain
from broker.probe.status import ProbeStatus

log = logging.getLogger(__name__)

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
PASS_TIME_S: Final = 1.0
"""How often it is told that time goes on, while nobody tells anything else."""
MAY_HAVE_RUN: Final = "It may have been done, and is not sent again by itself."


class RemoteProbe:
    """As a `ProbeClient`, for another machine. Methods may be called from any thread."""

    def __init__(self, callbacks: ProbeCallbacks, machine: Machine) -> None:
        """Nothing is started before `open`.

        Args:
            callbacks: Told what comes, from several threads, one at a time. `on_lost` is called only when the
                first connection fails: later ones are gaps.
            machine: Where the probe runs.
        """
        self._callbacks = callbacks
        self._machine = machine
        self._options = SessionOptions()
        self._joiner = Joiner()
        self._told = threading.RLock()
        self._changed = threading.Condition()
        self._todo: deque[Callable[[], None]] = deque()
        self._client: ProbeClient | None = None
        self._status = ProbeStatus()
        self._waiting: set[int] = set()
        self._last_id = 0
        self._has_listened = self._has_had_gap = self._is_closing = False
        self._lost_s = 0.0
        self._lost_at_ns = 0
        self._wait_s = FIRST_WAIT_S
        self._again_s: float | None = None
        self._keeper = threading.Thread(target=self._keep, name="remote probe", daemon=True)

    @property
    def process_id(self) -> int:
        """Of ssh; 0 while it does not run."""
        client = self._client
        return client.process_id if client is not None else 0

    def open(self, options: SessionOptions) -> None:
        """Start the probe and let it listen.

        Raises:
            OSError: ssh could not be started.
        """
        self._options = options
        self._start()
        self._keeper.start()

    def submit(self, command: Command, *, upload: BinaryIO | None = None, download: BinaryIO | None = None) -> int:
        """As that of a client. While there is no connection nothing is sent, and the report says so."""
        if isinstance(command, Hide):  # the next probe shall know it too
            known = (*self._options.known_secrets, *command.secrets)
            self._options = replace(self._options, known_secrets=known)
        with self._changed:
            self._last_id += 1
            number, client = self._last_id, self._client
            self._waiting.add(number)
        if client is None:
            report = Report("failed", f"There is no connection to {self._machine}. Nothing was sent.", "Try again.")
            self._soon(lambda: self._report(number, report))
        else:
            client.submit(command, upload=upload, download=download, number=number)
        return number

    def body(self, number: int, answer: Callable[[bytes | None], None]) -> None:
        """As that of a client; what a lost probe kept is lost with it."""
        with self._told:
            there = self._joiner.number_there(number)
        client = self._client
        if there is None or client is None:
            answer(None)
        else:
            client.body(there, answer)

    def close(self) -> None:
        """End the session there, and ssh. Not to be called in a callback."""
        with self._changed:
            self._is_closing = True
            client, self._client = self._client, None
            self._changed.notify()
        if client is not None:
            client.close()
        if self._keeper.ident is not None:
            self._keeper.join()

    # one probe

    def _start(self) -> None:
        client: ProbeClient

        def current(tell: Callable[..., None]) -> Callable[..., None]:
            """Tells only as long as this client is the one."""

            def told(*what: object) -> None:
                if client is self._client or self._is_closing:
                    tell(*what)

            return told

        callbacks = ProbeCallbacks(
            current(self._take_batch),
            current(self._take_status),
            current(self._report),
            current(lambda reason: self._lose_process(client, str(reason))),
            current(self._take_progress),
        )
        client = ProbeClient(callbacks, self._machine.argv())
        with self._changed:
            self._client = client
        try:
            client.open(self._options)
        except OSError:
            self._client = None
            raise

    def _take_batch(self, batch: Batch) -> None:
        with self._told:
            self._callbacks.on_batch(self._joiner.take(batch))

    def _take_status(self, status: ProbeStatus) -> None:
        with self._told:
            self._status = status
            if status.state == "listening":
                self._has_listened, self._wait_s = True, FIRST_WAIT_S
            self._callbacks.on_status(status)

    def _take_progress(self, number: int, progress: Progress) -> None:
        self._callbacks.on_progress(number, progress)

    def _report(self, number: int, report: Report) -> None:
        if number == 0 and self._has_had_gap and not self._is_closing:
            self._lose(self._client, report.message, report.advice)  # the bus may be there again later
            return
        with self._changed:
            self._waiting.discard(number)
        self._callbacks.on_report(number, report)

    # losing it

    def _lose_process(self, client: ProbeClient, reason: str) -> None:
        """In the reader thread of a client that ended."""
        self._lose(client, *explain(self._machine, reason, client.exit_code, client.last_error))

    def _lose(self, client: ProbeClient | None, message: str, advice: str) -> None:
        """In the reader thread of a client that ended, or whose session did."""
        if client is None:
            return
        with self._changed:
            self._client = None
            waiting, self._waiting = self._waiting, set()
        for number in sorted(waiting):
            text = f"The connection to {self._machine} was lost before it was answered."
            self._callbacks.on_report(number, Report("unknown", text, MAY_HAVE_RUN))
        if not self._has_listened:
            self._callbacks.on_lost(f"{message} {advice}")
            self._soon(client.close)
            return
        self._begin_gap(message, advice)
        self._soon(client.close)

    def _begin_gap(self, message: str, advice: str) -> None:
        wait_s, self._wait_s = self._wait_s, min(self._wait_s * 2, LONGEST_WAIT_S)
        self._has_had_gap = True
        with self._told:
            if not self._lost_s:
                self._lost_s, self._lost_at_ns = time.monotonic(), self._joiner.through_ns
            self._callbacks.on_batch(self._joiner.lose(message, advice, wait_s))
            self._status = replace(
                self._status, state="gap", message=message, advice=f"{advice} Trying again in {wait_s:g} s.".strip(),
                may_now=self._options.may, unlocked_until_ns=0,
            )  # fmt: skip
            self._callbacks.on_status(self._status)
        with self._changed:
            self._again_s = time.monotonic() + wait_s
            self._changed.notify()

    # the thread that keeps it

    def _soon(self, do: Callable[[], None]) -> None:
        with self._changed:
            self._todo.append(do)
            self._changed.notify()

    def _keep(self) -> None:
        while True:
            with self._changed:
                if not self._todo and not self._is_closing:
                    self._changed.wait(self._until_s())
                todo, self._todo = list(self._todo), deque()
                is_closing = self._is_closing
            for do in todo:
                do()
            if is_closing:
                return
            self._try_again()

    def _until_s(self) -> float | None:
        """How long there is nothing to do; None for ever."""
        if self._again_s is None:
            return PASS_TIME_S if self._lost_s else None
        return max(0.0, min(self._again_s - time.monotonic(), PASS_TIME_S))

    def _try_again(self) -> None:
        now_s = time.monotonic()
        with self._told:
            if self._lost_s and self._client_is_silent():
                through_ns = self._lost_at_ns + round((now_s - self._lost_s) * SECOND)
                self._callbacks.on_batch(self._joiner.pass_time(through_ns))
        if self._again_s is not None and now_s >= self._again_s:
            self._again_s = None
            self._options = replace(self._options, record_path="")  # the file is there, with what was heard
            try:
                self._start()
            except OSError as error:
                self._begin_gap(f"ssh could not be started: {error}.", "")

    def _client_is_silent(self) -> bool:
        if self._joiner.is_lost:
            return True
        self._lost_s = 0.0
        return False
