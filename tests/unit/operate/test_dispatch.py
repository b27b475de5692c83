"""Commands on their way to a probe and back: judged, written down, sent once, answered once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.clock import ManualClock
from broker.operate.audit import Audit
from broker.operate.commands import Bench, Broadcast, Call, Cancel, Command, Progress, Report
from broker.operate.dispatch import Dispatch
from broker.operate.operator import Confirmation, Operator
from broker.operate.profiles import Profile

PATIENCE_S = 20
PRODUCTION = Profile("live", "redis://h:1", is_production=True)
YES = Confirmation(given=True)


class Window:
    """A window's end, and a probe that notes what it is sent; its numbers are a hundred apart from ours."""

    def __init__(self, folder: Path, profile: Profile | None = None) -> None:
        self.audit = Audit(folder / "audit.jsonl")
        base = profile.may if profile else "act"
        operator = Operator(self.audit, ManualClock(5), url="redis://h:1", base=base, profile=profile)
        self.sent: list[tuple[int, Command, dict[str, Any]]] = []
        self.answers: queue.Queue[tuple[int, Report]] = queue.Queue()
        self.progress: list[tuple[int, Progress]] = []
        self.dispatch = Dispatch(
            self._send, lambda *told: self.answers.put(told), lambda *told: self.progress.append(told), operator
        )
        self.answers_at_once: Report | None = None

    def _send(self, command: Command, **streams: Any) -> int:
        number = 101 + len(self.sent)
        self.sent.append((number, command, streams))
        if self.answers_at_once is not None:
            report = self.answers_at_once
            threading.Thread(target=self.dispatch.take_report, args=(number, report)).start()
        return number

    def answer(self) -> tuple[int, Report]:
        return self.answers.get(timeout=PATIENCE_S)

    def outcomes(self) -> list[str]:
        return [entry.outcome for entry in self.audit.read().entries]


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Window]:
    made = Window(tmp_path)
    yield made
    made.dispatch.close()


def wait_until_sent(window: Window, count: int) -> None:
    """A refused command goes through the same queue: when it is answered, those before it were sent."""
    number = window.dispatch.submit(Broadcast("", "never confirmed"))
    told, report = window.answer()
    assert (told, report.outcome, len(window.sent)) == (number, "refused", count)


def test_a_report_that_comes_before_its_number_is_known_finds_its_way(window: Window) -> None:
    window.answers_at_once = Report("done", "at once")
    number = window.dispatch.submit(Call("", "a.b"), upload="a stream")
    assert window.answer() == (number, Report("done", "at once"))
    assert window.sent == [(101, Call("", "a.b"), {"upload": "a stream"})]
    assert window.outcomes() == ["done"]


def test_what_is_refused_is_answered_and_not_sent(tmp_path: Path) -> None:
    window = Window(tmp_path, PRODUCTION)
    number = window.dispatch.submit(Call("", "a.b"), YES)
    told, report = window.answer()
    assert (told, report.outcome) == (number, "refused")
    window.dispatch.close()
    assert window.sent == window.outcomes() == []


def test_reports_and_progress_come_under_our_numbers_in_any_order(window: Window) -> None:
    first, second = window.dispatch.submit(Call("", "a.b")), window.dispatch.submit(Bench(Call("", "a.b"), 3), YES)
    wait_until_sent(window, 2)
    window.dispatch.take_progress(102, Progress(0.5))
    window.dispatch.take_report(102, Report("done"))
    window.dispatch.take_report(101, Report("failed"))
    assert window.progress == [(second, Progress(0.5))]
    assert [window.answer(), window.answer()] == [(second, Report("done")), (first, Report("failed"))]
    window.dispatch.take_report(102, Report("failed"))
    window.dispatch.take_progress(102, Progress(1.0))
    assert len(window.progress) == 1
    assert window.outcomes() == ["done", "failed"]


def test_cancelling_takes_the_number_that_submitting_gave(window: Window) -> None:
    number = window.dispatch.submit(Call("", "a.b"))
    cancelling = window.dispatch.submit(Cancel(number))
    wait_until_sent(window, 2)
    assert window.sent[1][1] == Cancel(101)
    window.dispatch.take_report(101, Report("cancelled"))
    window.dispatch.take_report(102, Report("done"))
    assert {window.answer(), window.answer()} == {(number, Report("cancelled")), (cancelling, Report("done"))}
    late = window.dispatch.submit(Cancel(number))
    told, report = window.answer()
    assert (told, report.outcome) == (late, "failed")
    assert window.outcomes() == ["cancelled"]


def test_what_was_sent_to_a_probe_that_is_lost_is_unknown(window: Window) -> None:
    number = window.dispatch.submit(Call("", "a.b"))
    wait_until_sent(window, 1)
    window.dispatch.lose("it was killed")
    told, report = window.answer()
    assert (told, report.outcome) == (number, "unknown")
    assert "it was killed" in report.message
    assert window.outcomes() == ["unknown"]
    assert len(window.sent) == 1


def test_what_is_under_way_when_the_window_is_left_is_written_down_as_unknown(tmp_path: Path) -> None:
    window = Window(tmp_path)
    window.dispatch.submit(Call("", "a.b"))
    window.dispatch.close()
    (entry,) = window.audit.read().entries
    assert entry.after
    assert (entry.outcome, entry.after.message) == (
        "unknown",
        "The session ended before it was answered: it was left",
    )


def test_secrets_are_filled_in_after_it_was_written_down(window: Window) -> None:
    def fill(command: Command) -> Command:
        assert isinstance(command, Call)
        return replace(command, params=command.params.replace("{{secret:pin}}", "s3cr3t"))

    window.answers_at_once = Report("done")
    window.dispatch.submit(Call("", "a.b", '{"x": "{{secret:pin}}"}'), fill=fill)
    window.answer()
    assert [command for _, command, _ in window.sent] == [Call("", "a.b", '{"x": "s3cr3t"}')]
    (entry,) = window.audit.read().entries
    assert entry.before is not None
    assert "{{secret:pin}}" in entry.before.details
    assert "s3cr3t" not in entry.before.details


def test_what_cannot_be_filled_in_is_not_sent_and_that_is_written_down(window: Window) -> None:
    def fill(_command: Command) -> Command:
        raise LookupError("{{secret:pin}} has no value in the key store")

    number = window.dispatch.submit(Call("", "a.b"), fill=fill)
    report = Report("refused", "{{secret:pin}} has no value in the key store. Nothing was sent.")
    assert window.answer() == (number, report)
    assert (window.sent, window.outcomes()) == ([], ["refused"])
