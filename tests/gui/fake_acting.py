"""A session that answers commands when it is told to, and remembers what was submitted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from app.desk import Desk
from broker.operate.commands import Answer, Cancel, Command, Progress, Report
from broker.operate.operator import Confirmation
from broker.operate.permissions import Permission
from broker.probe.status import ProbeStatus

REQUEST_ID = "c65e1f00-0000-4000-8000-000000000049"


@dataclass
class Submitted:
    command: Command
    answer: Callable[[Report], None] | None
    progress: Callable[[Progress], None] | None
    confirmation: Confirmation
    streams: dict[str, BinaryIO]


@dataclass
class FakeActing:
    """Takes the place of the session behind a desk.

    Attributes:
        submitted: What was sent, filled in.
        judged: What was handed in, as it is judged and written down.
    """

    desk: Desk
    submitted: dict[int, Submitted] = field(default_factory=dict)
    judged: list[Command] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.desk.run_command = self._run
        self.allow("act")

    def allow(self, may: Permission) -> None:
        self.desk.set_status(ProbeStatus(state="listening", may=may, may_now=may))

    @property
    def commands(self) -> list[Command]:
        return [one.command for one in self.submitted.values()]

    @property
    def last(self) -> Submitted:
        return self.submitted[max(self.submitted)]

    def report(self, report: Report) -> None:
        """Answer the newest command that still waits and is no Cancel."""
        number = max(n for n, one in self.submitted.items() if not isinstance(one.command, Cancel))
        answer = self.submitted[number].answer
        assert answer is not None
        answer(report)

    def answer(self, data: Any, **more: Any) -> None:
        """Answer it with a value."""
        text = json.dumps(data)
        fields = {"node_id": "shop-2", "duration_ms": 12.4, "size_bytes": len(text), "request_id": REQUEST_ID} | more
        self.report(Report("done", answer=Answer(data=text, **fields)))

    def fail(self, **error: Any) -> None:
        """Answer it with an error."""
        self.report(Report("failed", answer=Answer("shop-2", 3.1, 200, REQUEST_ID, error=error)))

    def _run(
        self,
        command: Command,
        answer: Callable[[Report], None] | None,
        progress: Callable[[Progress], None] | None,
        confirmation: Confirmation,
        _name: str,
        fill: Callable[[Command], Command] | None = None,
        **streams: BinaryIO,
    ) -> int:
        number = len(self.submitted) + 1
        self.judged.append(command)
        try:
            command = fill(command) if fill is not None else command
        except LookupError as error:
            assert answer is not None
            answer(Report("refused", f"{error.args[0]}. Nothing was sent."))
            return 0
        self.submitted[number] = Submitted(command, answer, progress, confirmation, streams)
        return number
