"""An answer made ready to be shown, in the worker: masked, as tree, as text, and against the one before. No Qt."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from broker.operate.calling.difference import Difference, difference
from broker.operate.calling.request import Request
from broker.operate.commands import Answer, Report
from broker.operate.masks import Masks

MOST_LETTERS: Final = 400_000
NOTHING: Final = object()
"""There is no value: the answer was undefined, or none came."""
MOST_HELD_BYTES: Final = 20_000_000
_ENCODER: Final = json.JSONEncoder(indent=2, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer, ready.

    Attributes:
        request: What it answers.
        report: As it came.
        value: What came back, masked; `NOTHING` for nothing.
        meta: What came back beside it, masked; `NOTHING` for nothing.
        error: Of a failed call, masked.
        raw: As JSON text, cut when it is long.
        since_last: What differs from the answer before; None where there is none to compare.
    """

    request: Request
    report: Report
    value: Any = NOTHING
    meta: Any = NOTHING
    error: dict[str, Any] | None = None
    raw: str = ""
    since_last: Difference | None = None


def digest(request: Request, report: Report, before: Any, masks: Masks) -> Shown:
    """Make an answer ready.

    Args:
        request: What was sent.
        report: What became of it.
        before: The value of the answer before of the same action; `NOTHING` for none.
        masks: What is secret.
    """
    answer = report.answer
    if answer is None:
        return Shown(request, report)
    value = _value(answer.data, masks, request.name)
    error = masks.tree(answer.error, action=request.name) if answer.error is not None else None
    meta = _value(answer.meta, masks, "")
    shown = error if error is not None else value
    since = difference(before, value) if before is not NOTHING and value is not NOTHING else None
    return Shown(request, report, value, meta, error, _raw(shown), since)


def _value(text: str, masks: Masks, action: str) -> Any:
    if not text:
        return NOTHING
    try:
        return masks.tree(json.loads(text), action=action)
    except (ValueError, RecursionError):
        return masks.text(text)


def _raw(value: Any) -> str:
    if value is NOTHING:
        return ""
    parts, letters = [], 0
    try:
        for part in _ENCODER.iterencode(value):  # as much as is shown, and no more of ten megabytes
            parts.append(part)
            letters += len(part)
            if letters > MOST_LETTERS:
                return f"{''.join(parts)[:MOST_LETTERS]}\n… cut here; the tree shows all of it"
    except (ValueError, RecursionError):
        return "It nests too deep to be shown as text."
    return "".join(parts)


class LastAnswers:
    """The last value of each action, as long as they are not too large together."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], tuple[Any, int]] = {}

    def get(self, request: Request) -> Any:
        """What came back last of this action; `NOTHING` for nothing."""
        return self._values.get((request.namespace, request.name), (NOTHING, 0))[0]

    def keep(self, request: Request, answer: Answer, value: Any) -> None:
        """What came back now; the oldest go when there is too much."""
        key = (request.namespace, request.name)
        self._values.pop(key, None)
        self._values[key] = (value, answer.size_bytes)
        while sum(size for _, size in self._values.values()) > MOST_HELD_BYTES and len(self._values) > 1:
            del self._values[next(iter(self._values))]
