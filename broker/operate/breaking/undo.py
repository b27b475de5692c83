"""The plan that takes back what was done of another, as well as it can be taken back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from broker.operate.breaking.answers import StepResult
from broker.operate.breaking.plan import Plan, Step
from broker.operate.breaking.planning import left_s


def undo(plan: Plan, results: Sequence[StepResult], now_ns: int) -> Plan:
    """What would take a plan back.

    Targets that refused or failed are left alone; those of which nobody knows are taken back too.

    Args:
        plan: What was carried out.
        results: What became of it.
        now_ns: The moment, in ns since the epoch.
    """
    steps, lost = [], []
    for result in results:
        if result.outcome not in ("done", "unknown"):
            continue
        inverse = list(_inverse(result, now_ns))
        steps += inverse
        if not inverse:
            lost.append(result.step.target)
    warnings = [f"{target} cannot be taken back." for target in lost]
    unknown = [result.step.target for result in results if result.outcome == "unknown"]
    if unknown:
        warnings.append(f"Whether it was done is not known, taken back all the same: {', '.join(unknown)}.")
    refused = "" if steps else "Nothing was done that could be taken back."
    preview = (f"{len(steps):,} of {len(results):,} taken back: {plan.wish.verb} {plan.wish.scope}.",)
    return Plan(plan.wish, tuple(steps), preview=preview, warnings=tuple(warnings), refused=refused)


def _inverse(result: StepResult, now_ns: int) -> Iterator[Step]:
    """The steps that take one back; none where that is not possible."""
    step, before = result.step, result.step.before
    reason = f"undo: {step.reason}" if step.reason else "undo"
    bare = replace(step, state="", for_s=0.0, hold="", reason=reason, others=())
    held_before = before.hold if before is not None else None
    rest_s = left_s(before, now_ns) if before is not None else 0.0
    if held_before is not None and rest_s >= 0.001 and step.verb in ("hold", "release", "reset"):
        why = f": {held_before.reason}" if held_before.reason else ""
        back = f"put back, held by {held_before.by or 'somebody'} before{why}"
        yield replace(bare, verb="hold", state=held_before.state, for_s=rest_s, reason=back)
    elif step.verb == "hold":
        yield replace(bare, verb="release", hold=result.hold)
    elif step.verb == "trip":
        yield replace(bare, verb="reset")
    if step.verb == "reset" and before is not None and before.state == "open" and before.is_enabled:
        yield replace(bare, verb="trip")
