"""Circuit breakers: what helpers list, what events tell, what nodes said when they were asked.

What we know of a breaker comes from several sources, some better than others
(protocol, sections 10.4 and 10.5). A worse one is believed against a better one
only where the better one has been silent about this breaker for a while; but a
move is believed at once, whoever told of the state before: events come with the
move, lists a moment after it, when a short half-open is over already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from broker.clock import SECOND
from broker.observe.announcements import plain
from broker.observe.breaker_lists import HelperList, Listed, Told, name_of, number_of, pairs_of, read_list, skewed_ns
from broker.observe.journal import StateChange

HELPER_SERVICE: Final = "$meshscope"
"""The helper, as INFO lists it."""

HELPER_LIST_EVENT: Final = "$meshscope.breakers"
"""The event in which a helper tells its list."""

TRUSTED_NS: Final = 30 * SECOND
"""So long after a source told of a breaker, a worse one does not change it."""

COUNTS_EVERY_NS: Final = 2 * SECOND
"""How often new counts of a breaker are told that is otherwise as it was."""

ALIVE_EVERY_NS: Final = 5 * SECOND
"""How often it is told that a helper is there that is otherwise as it was."""

_PREFIX: Final = "$circuit-breaker."
_STATES: Final = {"opened": "open", "half-opened": "half-open", "closed": "closed"}
_RANKS: Final = {"helper": 3, "event": 2, "asked": 1}
_SETTINGS: Final = ("threshold", "min", "window_ms", "half_open_ms", "enabled")
_LATEST_NS: Final = 2**62
_MOST: Final = 50_000
_MOST_QUIET: Final = 40_000
"""Of those, how many may be closed ones that never counted a failure: the others find room then."""


def is_breaker_event(event: str) -> bool:
    """Whether an event speaks of breakers."""
    return event == HELPER_LIST_EVENT or (event.startswith(_PREFIX) and event[len(_PREFIX) :] in _STATES)


class _Known:
    """What is known of one breaker."""

    __slots__ = ("counted_ns", "counts", "heard_ns", "moments_ms", "source", "told")

    def __init__(self) -> None:
        self.source = ""
        self.heard_ns = 0  # when its source last said that it is so
        self.told: Told = {}
        self.moments_ms = (0, 0)  # since and until by the helper's clock, from which told's are made once
        self.counts = (0, 0)
        self.counted_ns = 0


class _Helper:
    """What is known of one helper."""

    __slots__ = ("told", "told_ns")

    def __init__(self) -> None:
        self.told: Told = {}
        self.told_ns = 0


Key = tuple[str, str, str, str]
"""Namespace, owner, node and action of the endpoint."""


class BreakerWatch:
    """Keeps the state of every breaker that was heard of, and which nodes have a helper.

    A breaker belongs to a node, and is about one endpoint. The same event comes
    once for each node that listens: only the first one is a change.
    """

    def __init__(self, tell: Callable[[StateChange], None]) -> None:
        """
        Args:
            tell: Takes each change, oldest first.
        """
        self._tell = tell
        self._owners: dict[tuple[str, str], dict[tuple[str, str], _Known]] = {}
        self._helpers: dict[tuple[str, str], _Helper] = {}
        self._count = 0

    # -- sources

    def heard(self, namespace: str, owner: str, event: str, data: object, at_ns: int) -> None:
        """Take in an event of a breaker.

        Args:
            namespace: Where it was heard.
            owner: Node id of its sender.
            event: Its name, one for which ``is_breaker_event`` holds.
            data: Its payload; whatever it is.
            at_ns: When it was heard.
        """
        if event == HELPER_LIST_EVENT:
            self.listed(namespace, owner, data, at_ns)
            return
        fields = plain(data) if isinstance(data, dict) else {}
        node_id, action = name_of(fields.get("nodeID")), name_of(fields.get("action"))
        if not node_id or not action or not name_of(owner):
            return
        key = (namespace, owner, node_id, action)
        known = self._known(key, is_quiet=False)
        told: Told = {"state": _STATES[event[len(_PREFIX) :]]}
        if known is None or _is_held(known, at_ns):
            return
        if told["state"] == known.told.get("state") and not _may_speak(known, "event", at_ns):
            return  # whoever told it knows more of it
        for name in ("failures", "count", "rate"):
            number = number_of(fields.get(name))
            if number is not None:
                told[name] = number
        told |= _settings(known)
        if told["state"] == "open" and "half_open_ms" in told:
            told["until_ns"] = at_ns + int(told["half_open_ms"] * 1_000_000)
        if known.source == "event" and _is_same_but_moment(known.told, told):
            known.heard_ns = at_ns
            return
        known.moments_ms = (0, 0)
        self._is(key, known, told, "event", at_ns)

    def listed(self, namespace: str, owner: str, payload: object, at_ns: int) -> None:
        """Take in a helper's list: the payload of its event, or its answer."""
        found = read_list(payload)
        if found is None or found.node_id != owner:
            return  # nobody speaks for others
        self._helper_is(namespace, owner, found, at_ns)
        listed = set()
        for entry in found.breakers:
            listed.add((entry.node_id, entry.action))
            self._listed_one((namespace, owner, entry.node_id, entry.action), entry, found.at_ms, at_ns)
        mine = self._owners.get((namespace, owner), {})
        unlisted = [endpoint for endpoint in mine if endpoint not in listed]
        if found.is_whole:
            for endpoint in unlisted:
                self._forget((namespace, owner, *endpoint), at_ns)
        elif any(entry.told["state"] == "closed" for entry in found.breakers):
            # what is not closed is listed first: all of it found room
            for endpoint in unlisted:
                if mine[endpoint].told["state"] != "closed":
                    told = {"state": "closed"} | _settings(mine[endpoint])
                    self._is((namespace, owner, *endpoint), mine[endpoint], told, "helper", at_ns)

    def asked(self, namespace: str, owner: str, is_open: bool, pairs: object, at_ns: int) -> None:
        """Take in what a node without a helper said of endpoints: that they may be called, or may not.

        Args:
            namespace: Where it lives.
            owner: The node that was asked.
            is_open: Whether these are the ones that it does not call.
            pairs: Lists of node id and action; whatever it is.
            at_ns: When it answered.
        """
        for node_id, action in pairs_of(pairs):
            key = (namespace, owner, node_id, action)
            known = self._known(key, is_quiet=not is_open)
            if known is None or not _may_speak(known, "asked", at_ns) or _is_held(known, at_ns):
                continue
            if _agrees(known.told.get("state"), is_open=is_open):
                if known.source == "asked":
                    known.heard_ns = at_ns
                continue
            told: Told = {"state": "open" if is_open else "closed"}
            told |= _settings(known)
            known.moments_ms = (0, 0)
            self._is(key, known, told, "asked", at_ns)

    def node_gone(self, namespace: str, node_id: str, at_ns: int) -> None:
        """A node left: its breakers and its helper are no more, and those for its endpoints are about nothing."""
        for endpoint in list(self._owners.get((namespace, node_id), ())):
            self._forget((namespace, node_id, *endpoint), at_ns)
        for space, owner in [key for key in self._owners if key[0] == namespace]:
            for endpoint in [one for one in self._owners[space, owner] if one[0] == node_id]:
                self._forget((namespace, owner, *endpoint), at_ns)
        if self._helpers.pop((namespace, node_id), None) is not None:
            self._tell(StateChange("helper", namespace, node_id, at_ns, None, "helper"))

    def helper_gone(self, namespace: str, node_id: str, at_ns: int) -> None:
        """A node goes on without a helper: it tells no more, and what it held is held no longer."""
        if self._helpers.pop((namespace, node_id), None) is None:
            return
        self._tell(StateChange("helper", namespace, node_id, at_ns, None, "helper"))
        for endpoint, known in self._owners.get((namespace, node_id), {}).items():
            if str(known.told["state"]).startswith("held-"):
                told: Told = {"state": known.told.get("under") or "unknown"} | _settings(known)
                self._is((namespace, node_id, *endpoint), known, told, "helper", at_ns)
            known.heard_ns = min(known.heard_ns, at_ns - TRUSTED_NS - 1)  # whoever knows better may speak at once

    # -- states

    def _listed_one(self, key: Key, entry: Listed, at_ms: int, at_ns: int) -> None:
        is_quiet = entry.told["state"] == "closed" and not entry.failures
        known = self._known(key, is_quiet=is_quiet)
        if known is None:
            return
        known.heard_ns = at_ns
        told = dict(entry.told)
        is_same_moment = known.source == "helper" and known.moments_ms == (entry.since_ms, entry.until_ms)
        for name, moment_ms in (("since_ns", entry.since_ms), ("until_ns", entry.until_ms)):
            if moment_ms:
                told[name] = known.told.get(name) if is_same_moment else None
                told[name] = told[name] or min(skewed_ns(moment_ms, at_ms, at_ns), _LATEST_NS)
        counts = (entry.failures, entry.count)
        is_news = counts != known.counts and at_ns >= known.counted_ns + COUNTS_EVERY_NS
        if known.source == "helper" and _without_counts(known.told) == told and not is_news:
            return
        known.moments_ms = (entry.since_ms, entry.until_ms)
        known.counts, known.counted_ns = counts, at_ns
        told |= {"failures": entry.failures, "count": entry.count, "counted_ns": at_ns}
        self._is(key, known, told, "helper", at_ns)

    def _helper_is(self, namespace: str, owner: str, found: HelperList, at_ns: int) -> None:
        helper = self._helpers.get((namespace, owner))
        if helper is None:
            if len(self._helpers) >= _MOST:
                return
            helper = self._helpers[namespace, owner] = _Helper()
        if helper.told == found.helper and at_ns < helper.told_ns + ALIVE_EVERY_NS:
            return
        helper.told, helper.told_ns = found.helper, at_ns
        value = found.helper | {"at_ns": min(found.at_ms * 1_000_000, _LATEST_NS), "heard_ns": at_ns}
        self._tell(StateChange("helper", namespace, owner, at_ns, value, "helper"))

    def _known(self, key: Key, *, is_quiet: bool) -> _Known | None:
        """What is known of a breaker, nothing yet if it is new; None if there is no room for it."""
        mine = self._owners.get(key[:2])
        known = mine.get(key[2:]) if mine is not None else None
        if known is not None:
            return known
        if self._count >= (_MOST_QUIET if is_quiet else _MOST):
            return None
        return _Known()

    def _is(self, key: Key, known: _Known, told: Told, source: str, at_ns: int) -> None:
        mine = self._owners.setdefault(key[:2], {})
        if key[2:] not in mine:
            mine[key[2:]] = known
            self._count += 1
        known.told, known.source, known.heard_ns = told, source, at_ns
        self._tell(StateChange("breaker", key[0], breaker_key(*key[1:]), at_ns, told, source))

    def _forget(self, key: Key, at_ns: int) -> None:
        mine = self._owners[key[:2]]
        known = mine.pop(key[2:])
        self._count -= 1
        if not mine:
            del self._owners[key[:2]]
        self._tell(StateChange("breaker", key[0], breaker_key(*key[1:]), at_ns, None, known.source))


def breaker_key(owner: str, node_id: str, action: str) -> str:
    """The key of a breaker's state."""
    return f"{owner}|{node_id}:{action}"


def _may_speak(known: _Known, source: str, at_ns: int) -> bool:
    """Whether a source is believed about a breaker now."""
    return _RANKS[source] >= _RANKS.get(known.source, 0) or at_ns > known.heard_ns + TRUSTED_NS


def _is_held(known: _Known, at_ns: int) -> bool:
    """Whether it is held by hand until later: then nothing is said by what happens beneath."""
    state = str(known.told.get("state"))
    return state.startswith("held-") and int(known.told.get("until_ns") or 0) > at_ns


def _agrees(state: object, *, is_open: bool) -> bool:
    """Whether a state is one of those in which an endpoint is called, or is not. Half-open is both, in turns."""
    return state == "half-open" or state in (("open", "held-open") if is_open else ("closed", "held-closed"))


def _settings(known: _Known) -> Told:
    """What was told of how it works, which goes on when its state changes."""
    return {name: known.told[name] for name in _SETTINGS if name in known.told}


def _without_counts(told: Told) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in ("failures", "count", "counted_ns")}


def _is_same_but_moment(one: Told, other: Told) -> bool:
    """Whether an event tells again what was told: the moment that it leads to moves with it."""
    return {**one, "until_ns": 0} == {**other, "until_ns": 0}
