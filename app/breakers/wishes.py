"""From a form to a wish: scopes in words, durations as people write them, the same as a command line. No widgets."""

from __future__ import annotations

import re
import shlex
from typing import Final, Literal

from broker.mesh.breaker_states import BreakerKey
from broker.operate.breaking.wish import LONGEST_HOLD_S, Scope, Wish

Act = Literal["trip", "hold open", "hold closed", "reset", "release"]
ScopeWord = Literal["caller", "own", "endpoint", "action", "service on node", "service", "node"]

TITLES: Final[dict[Act, str]] = {
    "trip": "Trip",
    "hold open": "Hold open",
    "hold closed": "Hold closed",
    "reset": "Reset",
    "release": "Release",
}
DURATIONS: Final = ("1 min", "5 min", "15 min", "1 h", "4 h", "24 h")
_DURATION: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|sec|min|m|h|hours?)?\s*", re.IGNORECASE)
_UNITS_S: Final = {"": 60.0, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0}


def read_duration_s(text: str) -> float:
    """How long "5 min", "90 s", "2 h" or "5" (minutes) is, in seconds.

    Raises:
        ValueError: It is none, or too long; says what was expected.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"How long is '{text}'? Expected for instance 90 s, 5 min or 2 h.")
    seconds = float(match[1]) * _UNITS_S[(match[2] or "").lower()]
    if not 1 <= seconds <= LONGEST_HOLD_S:
        raise ValueError("A hold lasts from 1 s to 24 h.")
    return seconds


def scopes_of(key: BreakerKey) -> dict[ScopeWord, str]:
    """What can be meant beside a breaker, in words."""
    service = key.action.rpartition(".")[0]
    first: dict[ScopeWord, str] = (
        {"own": f"{key.node_id}'s own breaker: everybody"} if key.is_own else {"caller": f"this caller: {key.owner}"}
    )
    return first | {
        "endpoint": f"all callers of {key.endpoint}",
        "action": f"all callers of {key.action}, on every node",
        "service on node": f"all callers of {service} on {key.node_id}",
        "service": f"all callers of the whole service {service}",
        "node": f"all callers of the whole node {key.node_id}",
    }


def scope_of(key: BreakerKey, word: ScopeWord, *, with_callee: bool) -> Scope:
    """The scope that a word means for a breaker.

    Args:
        key: Of the breaker.
        word: Which scope.
        with_callee: Whether the endpoints' own breakers are meant too.
    """
    service = key.action.rpartition(".")[0]
    if word == "caller":
        return Scope(key.owner, key.node_id, key.action)
    if word == "own":
        return Scope(key.owner, key.node_id, key.action, with_callee=True)
    if word == "endpoint":
        return Scope(node_id=key.node_id, action=key.action, with_callee=with_callee)
    if word == "action":
        return Scope(action=key.action, with_callee=with_callee)
    if word == "service on node":
        return Scope(node_id=key.node_id, service=service, with_callee=with_callee)
    if word == "service":
        return Scope(service=service, with_callee=with_callee)
    return Scope(node_id=key.node_id, with_callee=with_callee)


def wish_of(act: Act, namespace: str, scope: Scope, *, for_s: float, reason: str, by: str) -> Wish:
    """What an act means."""
    if act == "hold open":
        return Wish("hold", namespace, scope, "open", for_s, reason, by)
    if act == "hold closed":
        return Wish("hold", namespace, scope, "closed", for_s, reason, by)
    return Wish(act, namespace, scope, reason=reason, by=by)


def command_line(url: str, wish: Wish) -> str:
    """The same as a command for the runbook.

    Args:
        url: Of the bus, without secrets; or the name of a profile.
        wish: What shall be done.
    """
    scope = wish.scope
    words = ["meshscope", "breakers", url or "URL", wish.verb]
    if wish.namespace:
        words += ["--namespace", wish.namespace]
    if wish.state:
        words += ["--state", wish.state]
    if scope.caller:
        words += ["--caller", scope.caller]
    if scope.node_id and scope.action:
        words += ["--endpoint", f"{scope.node_id}:{scope.action}"]
    else:
        for option, value in (("--node", scope.node_id), ("--action", scope.action), ("--service", scope.service)):
            words += [option, value] if value else []
    words += ["--include-callee"] if scope.with_callee else []
    words += ["--for", f"{wish.for_s:g}"] if wish.verb == "hold" else []
    words += ["--reason", wish.reason] if wish.reason else []
    return shlex.join(words)
