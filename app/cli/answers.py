"""Reports of what was done, as headless commands print them: nothing secret, and an exit code."""

from __future__ import annotations

import json
from typing import Any, Final

import click

from app.cli.output import print_json, printable
from broker.operate.commands import Answer, Report
from broker.operate.masks import Masks

EXIT: Final = {"done": 0, "cancelled": 130}
"""By outcome; all others are 1: the mesh said no, or nobody knows."""


def exit_code(report: Report) -> int:
    """What a command ends with."""
    return EXIT.get(report.outcome, 1)


def print_report(report: Report) -> None:
    """What happened, for people, to standard error."""
    words = f"meshscope: {report.outcome}: {report.message}" if report.outcome != "done" else report.message
    if words:
        click.echo(printable(words), err=True)
    if report.advice:
        click.echo(printable(f"  {report.advice}"), err=True)
    for target in report.targets:
        click.echo(printable(f"  {target.target}: {target.outcome} {target.message}".rstrip()), err=True)


def print_answer(report: Report, action: str, masks: Masks, *, json_output: bool) -> None:
    """The answer of a call: its data to standard output, how it came to standard error.

    Args:
        report: Of the call.
        action: What was called.
        masks: What is secret.
        json_output: One JSON document instead.
    """
    if json_output:
        print_json(answer_document(report, action, masks))
        return
    print_report(report)
    answer = report.answer
    if answer is None:
        return
    if answer.error is not None:
        _print_error(masks.tree(answer.error))
    elif answer.data:
        click.echo(json.dumps(_value(answer.data, masks, action), indent=2, ensure_ascii=True))


def answer_document(report: Report, action: str, masks: Masks) -> dict[str, Any]:
    """The same as plain data. ``data`` is null for none; ``has_data`` tells null from none."""
    answer = report.answer or Answer(attempts=0)
    return {
        **report_document(report),
        "action": action,
        "node": answer.node_id,
        "duration_ms": answer.duration_ms,
        "size_bytes": answer.size_bytes,
        "request_id": answer.request_id,
        "attempts": answer.attempts,
        "has_data": bool(answer.data),
        "data": _value(answer.data, masks, action),
        "meta": _value(answer.meta, masks),
        "error": masks.tree(answer.error),
        "stream_bytes": answer.stream_bytes,
    }


def report_document(report: Report) -> dict[str, Any]:
    """What every report says, as plain data."""
    return {
        "outcome": report.outcome,
        "message": report.message,
        "advice": report.advice,
        "targets": list(report.targets),
    }


def _value(text: str, masks: Masks, action: str = "") -> Any:
    """What a JSON text says, masked; None for an empty one."""
    return json.loads(masks.json_text(text, action=action)) if text else None


def _print_error(error: dict[str, Any]) -> None:
    """An error of the wire: what it is, what it carries, where it was thrown."""
    for name in ("code", "type", "nodeID", "retryable"):
        if error.get(name) not in (None, ""):
            click.echo(printable(f"  {name}: {error[name]}"), err=True)
    if error.get("data") not in (None, {}):
        click.echo(f"  data: {json.dumps(error['data'], ensure_ascii=True)}", err=True)
    for line in str(error.get("stack") or "").splitlines():
        click.echo(printable(f"  {line}"), err=True)
