"""A plan in sentences: what it will hit, what to know before, and what has to be confirmed by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from broker.operate.breaking.known import Known, WayFact
from broker.operate.breaking.plan import Step, Untouched
from broker.operate.breaking.wish import Wish

MOST_LINES: Final = 6
MOST_NAMES: Final = 5


def preview(wish: Wish, known: Known, steps: Sequence[Step]) -> tuple[str, ...]:
    """What a plan will hit: the sum, then the busiest targets."""
    if wish.stops_calls:
        lines = [_stopped(known, step) for step in steps if step.calls_per_min]
    elif wish.verb == "hold":
        lines = [_let_through(known, step) for step in steps if step.calls_per_min]
    else:
        lines = [_let_go(step) for step in steps]
    more = len(lines) - MOST_LINES
    shown = lines if more <= 0 else [*lines[:MOST_LINES], f"And {more:,} more."]
    return (_sum(wish, known, steps), *shown)


def _sum(wish: Wish, known: Known, steps: Sequence[Step]) -> str:
    breakers = _many(len(steps), "breaker")
    if wish.verb in ("release", "reset"):
        return f"{breakers} on {_many(len({step.helper.node_id for step in steps}), 'node')}."
    own = [step for step in steps if step.is_own]
    stopped = {step.endpoint for step in own} if wish.stops_calls else set()
    counted = [step for step in steps if step.is_own or step.endpoint not in stopped]
    calls = sum(step.calls_per_min for step in counted)
    seen = _window(known.window_s)
    if not calls:
        return f"{breakers}; no calls to them were seen in {seen}."
    failing = sum(step.calls_per_min for step in counted if not step.others)
    if not wish.stops_calls:
        return f"{breakers}, passed by {_rate(calls)} (seen in {seen})."
    if not failing:
        fate = "other nodes take them"
    elif failing >= calls:
        fate = "they will fail at once with 404"
    else:
        fate = f"{_rate(failing)} will fail at once with 404, other nodes take the others"
    return f"{breakers}, passed by {_rate(calls)} (seen in {seen}): {fate}."


def _stopped(known: Known, step: Step) -> str:
    action = step.endpoint.action
    if step.is_own:
        taken = f"; {_names(step.others)} may take them if their callers retry" if step.others else ""
        return (
            f"{_rate(step.calls_per_min)} of all callers will get 404 from {step.endpoint.node}{taken}{_failing(step)}."
        )
    who = _who(known, step)
    if step.others:
        return f"{_rate(step.calls_per_min)} from {who} will go to {_names(step.others)}{_failing(step)}."
    why = f"{step.helper.node_id} has no other endpoint for {action}"
    return f"{_rate(step.calls_per_min)} from {who} will fail at once with 404; {why}{_failing(step)}."


def _let_through(known: Known, step: Step) -> str:
    who = "all callers" if step.is_own else _who(known, step)
    return f"{_rate(step.calls_per_min)} from {who} to {step.endpoint} will go through, whatever fails{_failing(step)}."


def _let_go(step: Step) -> str:
    before = step.before
    if before is None:
        return f"{step.target}."
    hold = before.hold
    if step.verb == "release":
        by = f" by {hold.by}" if hold is not None and hold.by else ""
        held = f"held {hold.state}{by}" if hold is not None else "held"
        return f"{step.target}: no longer {held}; its breaker decides again, and is {before.state}."
    held = f", and no longer held {hold.state}" if hold is not None else ""
    if before.state == "closed":
        return f"{step.target}: closed, will count from zero{held}."
    return f"{step.target}: {before.state} now, will be closed and count from zero{held}."


def warnings(
    wish: Wish, steps: Sequence[Step], untouched: Sequence[Untouched], disabled: Sequence[str]
) -> tuple[str, ...]:
    """What to know before, the gravest first."""
    found = []
    if untouched and not wish.scope.caller:
        left = ", ".join(f"{each.node_id} ({each.why}, {_rate(each.calls_per_min)})" for each in untouched[:MOST_NAMES])
        more = f" and {len(untouched) - MOST_NAMES} more" if len(untouched) > MOST_NAMES else ""
        found.append(f"Not reached, and go on as before: {left}{more}.")
    replaced = [step for step in steps if wish.verb == "hold" and step.before is not None and step.before.hold]
    if replaced:
        who = sorted({step.before.hold.by for step in replaced if step.before is not None and step.before.hold})
        found.append(f"{_many(len(replaced), 'hold')} in force will be replaced, of {_names(who)}.")
    if wish.verb == "trip":
        held = [step.target for step in steps if step.before is not None and step.before.hold is not None]
        if held:
            found.append(f"Held by hand, so that tripping shows only once the hold ends: {_names(held)}.")
        if disabled:
            found.append(f"Disabled there, and left out (hold them instead): {_names(disabled)}.")
    silent = sorted({step.helper.node_id for step in steps if step.helper.is_silent})
    if silent:
        found.append(f"Not heard for a minute, and may not answer: the helper of {_names(silent)}.")
    unknown = sorted({step.helper.node_id for step in steps if step.helper.skew_ms is None})
    if unknown:
        found.append(f"How the clock of {_names(unknown)} goes is not known: over 30 s off, it will refuse.")
    if wish.verb == "hold" and not wish.scope.caller:
        found.append("Nodes that join later are not held.")
    if any(step.is_own for step in steps) and not wish.stops_calls:
        found.append("The endpoints' own breakers are among them.")
    return tuple(found)


def second_warning(wish: Wish, steps: Sequence[Step]) -> str:
    """What has to be confirmed by itself: that everybody is stopped. Empty if that is not so."""
    own = sorted({str(step.endpoint) for step in steps if step.is_own})
    if not own or not wish.stops_calls:
        return ""
    return (
        f"The endpoint's own breaker is among them ({_names(own)}): it turns away every caller, those without a helper "
        "too. They get 404 (service not available) and retry where their policies say so."
    )


def _who(known: Known, step: Step) -> str:
    way = next((each for each in known.ways if _is_of(each, step)), None)
    services = way.services[:2] if way is not None else ()
    more = " and others" if way is not None and len(way.services) > 2 else ""
    return f"{step.helper.node_id} ({', '.join(services)}{more})" if services else step.helper.node_id


def _is_of(way: WayFact, step: Step) -> bool:
    return way.owner == step.helper.node_id and way.endpoint == step.endpoint


def _failing(step: Step) -> str:
    share = step.failed_share
    return f"; {share:.0%} of them fail now" if share else ""


def _rate(calls_per_min: float) -> str:
    number = f"{calls_per_min:,.0f}" if calls_per_min >= 10 else f"{calls_per_min:.2g}"
    return f"{number} calls/min"


def _window(window_s: float) -> str:
    return f"the last {window_s / 60:.0f} min" if window_s >= 90 else f"the last {window_s:.0f} s"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(each or "somebody" for each in names[:MOST_NAMES])
    return shown if len(names) <= MOST_NAMES else f"{shown} and {len(names) - MOST_NAMES} more"
