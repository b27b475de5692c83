"""Commands on their way from a window to its probe and back, in a thread that waits for the disk."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from broker.operate.commands import Cancel, Command, Progress, Report
from broker.operate.operator import NOT_CONFIRMED, Act, Confirmation, Operator, RefusedError

MAY_HAVE_RUN: Final = "It may have been done, and is not sent again by itself."
_END_S: Final = 10.0

Fill = Callable[[Command], Command]

Send = Callable[..., int]
"""Sends a command, with its streams as keywords; gives the number under which its report will come."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    number: int
    command: Command
    confirmation: Confirmation
    name: str
    streams: Mapping[str, Any]
    fill: Fill | None = None


@dataclass(frozen=True, slots=True)
class _Ended:
    number: int
    report: Report


@dataclass(frozen=True, slots=True)
class _Lost:
    reason: str


@dataclass(slots=True)
class _Road:
    """What is under way.

    Attributes:
        ours: Our number by that of the client.
        theirs: The client's number by ours.
        acts: What was begun, by our number.
    """

    ours: dict[int, int] = field(default_factory=dict)
    theirs: dict[int, int] = field(default_factory=dict)
    acts: dict[int, Act | None] = field(default_factory=dict)


class Dispatch:
    """Judges, writes down, sends, waits for the report, writes that down, answers. One command after the other."""

    def __init__(
        self,
        send: Send,
        answer: Callable[[int, Report], None],
        advance: Callable[[int, Progress], None],
        operator: Operator | None = None,
    ) -> None:
        """
        Args:
            send: To the probe.
            answer: Given our number and the one report; in the thread of this object.
            advance: Given our number and how far it is; in the thread that brings it.
            operator: Whose rules hold; None where nothing can be done to a mesh, as with a capture.
        """
        self._send, self._answer, self._advance, self._operator = send, answer, advance, operator
        self._last_number = 0
        self._road = _Road()
        self._lock = threading.Lock()
        self._jobs: queue.SimpleQueue[_Wanted | _Ended | _Lost | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="acts", daemon=True)
        self._thread.start()

    def submit(
        self,
        command: Command,
        confirmation: Confirmation = NOT_CONFIRMED,
        name: str = "",
        *,
        fill: Fill | None = None,
        **streams: Any,
    ) -> int:
        """Let something be done; returns at once.

        Args:
            command: What is wanted. `Cancel` takes the number that this method gave.
            confirmation: The second step.
            name: What an operator knows the target as, if it is not what the command is sent to.
            fill: Makes of what was judged and written down what is sent: secrets are in the latter only. Raises
                LookupError where something cannot be filled in. Runs in the thread of this object.
            streams: Given to the one who sends.

        Returns:
            The number under which the report will come.
        """
        self._last_number += 1
        self._jobs.put(_Wanted(self._last_number, command, confirmation, name, streams, fill))
        return self._last_number

    def take_report(self, number: int, report: Report) -> None:
        """What the probe answered, by its own number. From any thread."""
        with self._lock:
            ours = self._road.ours.pop(number, None)
        if ours is not None:
            self._jobs.put(_Ended(ours, report))

    def take_progress(self, number: int, progress: Progress) -> None:
        """How far it is, by the probe's own number. From any thread."""
        with self._lock:
            ours = self._road.ours.get(number)
        if ours is not None:
            self._advance(ours, progress)

    def lose(self, reason: str) -> None:
        """The probe is gone: what was sent is unknown. From any thread."""
        self._jobs.put(_Lost(reason))

    def close(self) -> None:
        """Write down that what is still under way is unknown, and end. Waits for the disk."""
        self._jobs.put(_Lost("it was left"))
        self._jobs.put(None)
        self._thread.join(_END_S)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            match job:
                case _Wanted():
                    self._begin(job)
                case _Ended():
                    self._end(job.number, job.report)
                case _Lost():
                    self._end_all(job.reason)

    def _begin(self, job: _Wanted) -> None:
        act = None
        if self._operator is not None:
            try:
                act = self._operator.begin(job.command, job.confirmation, job.name)
            except RefusedError as refused:
                self._answer(job.number, refused.report)
                return
        command = job.command
        if isinstance(command, Cancel):
            with self._lock:
                theirs = self._road.theirs.get(command.number)
            if theirs is None:
                self._answer(job.number, Report("failed", "It is not running any more."))
                return
            command = replace(command, number=theirs)
        if job.fill is not None:
            try:
                command = job.fill(command)
            except LookupError as error:
                report = Report("refused", f"{error.args[0]}. Nothing was sent.")
                if act is not None and self._operator is not None:
                    report = self._operator.end(act, report)
                self._answer(job.number, report)
                return
        with self._lock:  # a report may come before this thread knows what it was sent as
            theirs = self._send(command, **job.streams)
            self._road.ours[theirs] = job.number
            self._road.theirs[job.number] = theirs
            self._road.acts[job.number] = act

    def _end(self, number: int, report: Report) -> None:
        with self._lock:
            theirs = self._road.theirs.pop(number, None)
            act = self._road.acts.pop(number, None)
            if theirs is not None:
                self._road.ours.pop(theirs, None)
        if theirs is None:
            return
        if act is not None and self._operator is not None:
            report = self._operator.end(act, report)
        self._answer(number, report)

    def _end_all(self, reason: str) -> None:
        for number in list(self._road.acts):
            self._end(number, Report("unknown", f"The session ended before it was answered: {reason}", MAY_HAVE_RUN))
