"""What helpers answer, read without trust, and all of it together as one report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from broker.operate.breaking.plan import Step
from broker.operate.commands import OutcomeWord, Report, TargetReport

_HELPS: Final = {
    "no-secret": "Start that node with MESHSCOPE_SECRET set.",
    "signature": "The secret there is another one than ours.",
    "late": "Its clock and ours are more than 30 s apart.",
    "elsewhere": "It was restarted meanwhile: look again.",
    "disabled": "Hold it open instead.",
}
_UNKNOWN: Final = "no answer: it may have been done"
_MESSAGE_LETTERS: Final = 500


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of a step.

    Attributes:
        step: What was asked for.
        outcome: Done, refused, failed, cancelled or unknown.
        cause: Of a refusal, in the helper's word; empty for none.
        message: For people.
        hold: Id of the hold that was made; empty for none.
    """

    step: Step
    outcome: OutcomeWord
    cause: str = ""
    message: str = ""
    hold: str = ""

    def row(self) -> TargetReport:
        """As a row of the report."""
        cause = f"{self.cause}: " if self.cause else ""
        return TargetReport(self.step.target, self.outcome, f"{cause}{self.message}")


def result_of(step: Step, report: Report) -> StepResult:
    """What became of a step, from the report of its call."""
    said = said_by(report)
    return StepResult(step, said.outcome, said.cause, said.message, said.hold if step.verb == "hold" else "")


class Said(NamedTuple):
    """What a helper answered to a command: as in `StepResult`."""

    outcome: OutcomeWord
    cause: str = ""
    message: str = ""
    hold: str = ""


def said_by(report: Report) -> Said:
    """What became of a helper's command: that its call was answered does not mean that it was done."""
    answer = report.answer
    if answer is not None and answer.error is not None:
        return Said("failed", message=_failure(answer.error))
    if report.outcome != "done" or answer is None:
        return Said(report.outcome, message=report.message or (_UNKNOWN if report.outcome == "unknown" else ""))
    said = _object(answer.data)
    outcome, cause = said.get("outcome"), _text(said.get("cause"))
    message = " ".join(each for each in (_sentence(_text(said.get("message"))), _HELPS.get(cause, "")) if each)
    if outcome == "done":
        breaker = said.get("breaker")
        hold = breaker.get("hold") if isinstance(breaker, dict) else None
        return Said("done", "", message, _text(hold.get("id")) if isinstance(hold, dict) else "")
    if outcome in ("refused", "failed"):
        return Said("refused" if outcome == "refused" else "failed", cause, message)
    return Said("unknown", message="the helper's answer cannot be read: it may have been done")


def report_of(results: Sequence[StepResult]) -> Report:
    """All results as one report, with a row for each target."""
    rows = tuple(result.row() for result in results)
    counts = {word: sum(row.outcome == word for row in rows) for word in ("done", "refused", "failed", "unknown")}
    counts["cancelled"] = sum(row.outcome == "cancelled" for row in rows)
    told = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    return Report(_outcome(counts, len(rows)), f"{told}." if told else "Nothing was to be done.", _advice(counts), rows)


def _outcome(counts: dict[str, int], total: int) -> OutcomeWord:
    if counts["done"] == total:
        return "done"
    if counts["done"]:
        return "partly"
    words: tuple[OutcomeWord, ...] = ("unknown", "failed", "refused", "cancelled")
    return next(word for word in words if counts[word])


def _advice(counts: dict[str, int]) -> str:
    if counts["unknown"]:
        return "What is unknown was sent and may have been done; it is not sent again by itself. Look at the breakers."
    if counts["done"] and (counts["refused"] or counts["failed"]):
        return "Some did it and some did not: what was done can be undone."
    return ""


def _failure(error: dict[str, Any]) -> str:
    name, message = _text(error.get("name")), _text(error.get("message"))
    return f"{name}: {message}" if name else message


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    return value[:_MESSAGE_LETTERS] if isinstance(value, str) else ""


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text}."
