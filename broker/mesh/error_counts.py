"""Which errors an action gives, and how often."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from broker.mesh.counting import look_up
from broker.mesh.cuts import call_cuts
from broker.mesh.groups import number_codes
from broker.mesh.span import Span
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot
from broker.observe.journal import NameKind, Outcome


def errors_by_action(
    snapshot: Snapshot, span: Span, actions: Sequence[Subject]
) -> dict[Subject, list[tuple[str, int]]]:
    """How often each of some actions failed with each error in a span, most frequent first.

    Args:
        snapshot: Where to look.
        span: When the calls ended.
        actions: Subjects of kind ``action``.

    Returns:
        By action, (label as "409 CONFLICT", how often).
    """
    numbers = {snapshot.names.find(NameKind.ACTION, one.namespace, one.name): one for one in actions}
    wanted = np.zeros(snapshot.names.count(NameKind.ACTION) + 1, np.bool_)
    wanted[[number for number in numbers if number is not None]] = True
    width = snapshot.names.count(NameKind.ERROR) + 1
    codes = []
    for cut in call_cuts(snapshot, span) if numbers else ():
        mask = cut.column("outcome") == Outcome.FAILED
        mask &= look_up(wanted, cut.column("action"))
        if mask.any():
            action = np.minimum(cut.column("action")[mask], len(wanted) - 1).astype(np.intp)
            codes.append(action * width + np.minimum(cut.column("error")[mask], width - 1))
    numbering = number_codes(codes, len(wanted) * width)
    counts = np.zeros(len(numbering.codes), np.int64)
    for code in codes:
        np.add.at(counts, numbering.numbers(code), 1)
    found: dict[Subject, list[tuple[str, int]]] = {}
    for code, count in zip(numbering.codes.tolist(), counts.tolist(), strict=True):
        label = snapshot.names.error_label(code % width) or "unnamed error"
        found.setdefault(numbers[code // width], []).append((label, count))
    return {subject: sorted(errors, key=lambda error: -error[1]) for subject, errors in found.items()}
