"""Whether breakers can be set now, and if not, why and what to do."""

from __future__ import annotations

from app.desk import Desk
from broker.mesh.breaker_states import BreakerKey, Coverage
from broker.operate.commands import HELPER_COMMAND, Call


def why_not(desk: Desk, key: BreakerKey | None, coverage: Coverage | None) -> str:
    """Why the breaker that is selected cannot be set; empty if it can.

    That its caller has no helper is no reason: another scope may have one.

    Args:
        desk: Knows what may be done.
        key: Which breaker; None for none.
        coverage: Which nodes have a helper.
    """
    refused = why_not_release(desk, key.namespace if key is not None else "")
    if refused:
        return refused
    if key is None:
        return "Select a breaker first."
    known = coverage.helpers.values() if coverage is not None else ()
    helpers = [one for one in known if one.namespace == key.namespace]
    if not helpers:
        return "No node has the helper, without which nobody can set breakers. `meshscope helper` prints it."
    if not any(one.acts for one in helpers):
        return "No helper has a secret, so they only tell. Start their nodes with MESHSCOPE_SECRET set."
    return ""


def why_not_release(desk: Desk, namespace: str = "") -> str:
    """Why nothing may be set at all; empty if it may."""
    return desk.may(Call(namespace, HELPER_COMMAND)).why
