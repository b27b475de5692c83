"""From a wish and what is known to a plan. Pure: nothing is sent."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from broker.agent.signature import Endpoint
from broker.clock import SECOND
from broker.operate.breaking.known import BreakerFact, Known, WayFact
from broker.operate.breaking.plan import Plan, Step, Untouched
from broker.operate.breaking.preview import preview, second_warning, warnings
from broker.operate.breaking.wish import Scope, Wish

MOST_STEPS: Final = 1_000
"""More at once is no act of an operator."""


def plan(wish: Wish, known: Known) -> Plan:
    """What would be done for a wish.

    Args:
        wish: What is wanted.
        known: What is known now; ask anew before, for a plan names runs of nodes.
    """
    problem = wish.problem()
    if problem:
        return Plan(wish, refused=problem)
    endpoints = _endpoints(wish.scope, known)
    if not endpoints:
        return Plan(wish, refused=_offered_by_nobody(wish.scope, known))
    caller = wish.scope.caller
    if caller and (why := known.helper_word(caller)):
        return Plan(wish, untouched=tuple(_untouched(wish, known, endpoints)), refused=_cannot(caller, why))
    return _planned(wish, known, endpoints)


def release_mine(known: Known, by: str) -> Plan:
    """The plan that ends every hold of one operator, on all nodes."""
    wish = Wish("release", known.namespace, Scope(), reason="release all mine", by=by)
    mine = [fact for fact in known.breakers if fact.hold is not None and fact.hold.by == by]
    steps, lost = [], []
    for fact in mine:
        why = known.helper_word(fact.owner)
        if why:
            lost.append(f"{fact.owner} → {fact.endpoint} stays held: {why} now.")
        else:
            steps.append(_release(known, fact, wish))
    if not mine:
        return Plan(wish, refused=f"{by} holds nothing.")
    refused = "" if steps else "No helper can be told to release what is held."
    return Plan(wish, tuple(steps), preview=preview(wish, known, steps), warnings=tuple(lost), refused=refused)


def _planned(wish: Wish, known: Known, endpoints: list[Endpoint]) -> Plan:
    facts = {(fact.owner, fact.endpoint): fact for fact in known.breakers}
    pairs = list(_pairs(wish, known, endpoints))
    untouched = tuple(_untouched(wish, known, endpoints))
    if not pairs:
        return Plan(wish, untouched=untouched, refused=_nobody(wish, known))
    wanted = [(owner, endpoint, facts.get((owner, endpoint))) for owner, endpoint in pairs]
    kept = [each for each in wanted if _is_worth(wish, each[2])]
    disabled = [] if wish.verb != "trip" else [each for each in kept if each[2] is not None and _is_off(each[2])]
    kept = [each for each in kept if each not in disabled]
    if not kept and disabled:
        advice = replace(wish, verb="hold", state="open", for_s=wish.for_s or 300.0)
        refused = (
            f"The circuit breaker of {_what(wish.scope)} is disabled there, so it cannot be tripped: "
            "it would never close again by itself. Hold it open instead, for a while."
        )
        return Plan(wish, untouched=untouched, refused=refused, instead=advice)
    if not kept:
        return Plan(wish, untouched=untouched, refused=_nothing_to_do(wish))
    if len(kept) > MOST_STEPS:
        text = f"That would be {len(kept):,} commands, expected {MOST_STEPS:,} at most. Choose a smaller scope."
        return Plan(wish, untouched=untouched, refused=text)
    steps = _Steps(wish, known, facts, {each[:2] for each in kept})
    made = tuple(sorted((steps.step(*each) for each in kept), key=lambda step: (step.is_own, -step.calls_per_min)))
    return Plan(
        wish,
        made,
        untouched,
        preview(wish, known, made),
        warnings(wish, made, untouched, [f"{owner} → {endpoint}" for owner, endpoint, _ in disabled]),
        second_warning(wish, made),
    )


class _Steps:
    """Makes the steps of one plan."""

    def __init__(
        self,
        wish: Wish,
        known: Known,
        facts: dict[tuple[str, Endpoint], BreakerFact],
        pairs: set[tuple[str, Endpoint]],
    ) -> None:
        self._wish = wish
        self._known = known
        self._facts = facts
        self._pairs = pairs
        self._ways = {(way.owner, way.endpoint): way for way in known.ways}
        self._to: dict[Endpoint, list[WayFact]] = defaultdict(list)
        for way in known.ways:
            self._to[way.endpoint].append(way)

    def step(self, owner: str, endpoint: Endpoint, fact: BreakerFact | None) -> Step:
        """The step for one breaker."""
        wish = self._wish
        if wish.verb == "release" and fact is not None:
            return _release(self._known, fact, wish)
        is_own = owner == endpoint.node
        way = self._ways.get((owner, endpoint))
        ways = self._to[endpoint] if is_own else [way] if way is not None else []
        calls, failed = sum(way.calls for way in ways), sum(way.failed for way in ways)
        return Step(
            self._known.helpers[owner],
            endpoint,
            wish.verb,
            wish.state,
            wish.for_s if wish.verb == "hold" else 0.0,
            reason=wish.reason,
            before=fact,
            calls_per_min=self._known.per_minute(calls),
            failed_share=failed / calls if calls else None,
            others=tuple(self._others(owner, endpoint)) if wish.stops_calls else (),
        )

    def _others(self, owner: str, endpoint: Endpoint) -> Iterator[str]:
        """Nodes whose endpoint of the same action may still be chosen by a caller."""
        _, nodes = self._known.offers.get(endpoint.action, ("", ()))
        for node_id in nodes:
            other = Endpoint(node_id, endpoint.action)
            fact = self._facts.get((owner, other))
            is_stopped = (owner, other) in self._pairs or (node_id, other) in self._pairs
            if node_id != endpoint.node and not is_stopped and (fact is None or fact.lets_through):
                yield node_id


def _endpoints(scope: Scope, known: Known) -> list[Endpoint]:
    """The endpoints in scope that are offered, or that somebody has a breaker or a hold for."""
    found = {
        Endpoint(node_id, action)
        for action, (service, nodes) in known.offers.items()
        for node_id in nodes
        if _fits(scope, action, service, node_id)
    }
    for fact in known.breakers:
        service = known.offers.get(fact.endpoint.action, (fact.endpoint.action.rpartition(".")[0],))[0]
        if _fits(scope, fact.endpoint.action, service, fact.endpoint.node):
            found.add(fact.endpoint)
    return sorted(found, key=lambda each: (each.action, each.node))


def _fits(scope: Scope, action: str, service: str, node_id: str) -> bool:
    return (
        not action.startswith("$")  # nobody locks helpers out
        and scope.node_id in ("", node_id)
        and scope.action in ("", action)
        and scope.service in ("", service)
    )


def _pairs(wish: Wish, known: Known, endpoints: list[Endpoint]) -> Iterator[tuple[str, Endpoint]]:
    """Whose breaker of which endpoint: of every node that has a helper, for each may call it at any time."""
    scope = wish.scope
    for endpoint in endpoints:
        for owner in sorted(known.helpers):
            is_meant = scope.caller in ("", owner) and not known.helper_word(owner)
            if is_meant and (owner != endpoint.node or scope.with_callee):
                yield owner, endpoint


def _is_worth(wish: Wish, fact: BreakerFact | None) -> bool:
    """Whether there is anything to do about a breaker."""
    if wish.verb == "release":
        return fact is not None and fact.hold is not None
    if wish.verb == "reset":
        return fact is not None and (fact.hold is not None or fact.state != "closed" or fact.count > 0)
    return True


def _is_off(fact: BreakerFact) -> bool:
    return fact.is_enabled is False


def _release(known: Known, fact: BreakerFact, wish: Wish) -> Step:
    hold_id = fact.hold.id if fact.hold is not None else ""
    return Step(known.helpers[fact.owner], fact.endpoint, "release", hold=hold_id, reason=wish.reason, before=fact)


def _untouched(wish: Wish, known: Known, endpoints: Iterable[Endpoint]) -> Iterator[Untouched]:
    """Callers of these endpoints whose breakers cannot be set, the busiest first."""
    meant = set(endpoints)
    calls: dict[str, int] = defaultdict(int)
    for way in known.ways:
        if way.endpoint in meant and wish.scope.caller in ("", way.owner) and known.helper_word(way.owner):
            calls[way.owner] += way.calls
    for owner in sorted(calls, key=lambda each: (-calls[each], each)):
        yield Untouched(owner, known.helper_word(owner), known.per_minute(calls[owner]))


def _what(scope: Scope) -> str:
    return str(replace(scope, caller="")).removesuffix(", seen by all callers")


def _offered_by_nobody(scope: Scope, known: Known) -> str:
    wanted = scope.action or scope.service
    names = {service for service, _ in known.offers.values()} if scope.service else set(known.offers)
    if not wanted:
        wanted, names = scope.node_id, set(known.nodes)
    near = difflib.get_close_matches(wanted, sorted(names), 3) or [each for each in sorted(names) if wanted in each][:3]
    meant = f" Did you mean {', '.join(near)}?" if near else ""
    return f"Nobody is known to offer {_what(scope)}, so there is no breaker to set.{meant}"


def _cannot(caller: str, why: str) -> str:
    if why == "no helper":
        return f"{caller} has no helper, so nobody can set its breakers. `meshscope helper` says how to give it one."
    return f"The helper of {caller} has no secret and only tells. Start that node with MESHSCOPE_SECRET set."


def _nobody(wish: Wish, known: Known) -> str:
    if not known.helpers:
        return "No node has a helper, so nobody can set breakers. `meshscope helper` says how to give them one."
    if all(not helper.acts for helper in known.helpers.values()):
        return "No helper has a secret, so they only tell. Start their nodes with MESHSCOPE_SECRET set."
    if wish.scope.caller:
        return (
            f"{wish.scope.caller} is the node that serves {_what(wish.scope)} itself: its own breaker stops everybody. "
            "Include the callee if you mean that."
        )
    return f"No node that could call {_what(wish.scope)} has a helper with a secret."


def _nothing_to_do(wish: Wish) -> str:
    if wish.verb == "release":
        return f"Nothing is held of {_what(wish.scope)}."
    return f"Every breaker of {_what(wish.scope)} that is known is closed and has counted nothing."


def left_s(fact: BreakerFact, now_ns: int) -> float:
    """How long the hold of a breaker would have gone on, in seconds; 0 for none."""
    return max(0, fact.hold.until_ns - now_ns) / SECOND if fact.hold is not None else 0.0
