"""Our own frames, on channels that begin with ``@``: what a source learned otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from broker.observe.announcements import cpu_percent, plain, read_announcement
from broker.observe.breaker_lists import name_of
from broker.observe.breakers import BreakerWatch
from broker.observe.correlation import Correlation
from broker.observe.journal import StateChange, Tally
from broker.observe.roster import Roster
from broker.protocol.channels import parse_channel
from broker.protocol.codec import decode_body
from broker.protocol.frame import (
    ASKED_CHANNEL,
    CATALOGUE_CHANNEL,
    CHANNELS_CHANNEL,
    CLOCK_CHANNEL,
    GAP_CHANNEL,
    KEY_CHANNEL_PREFIX,
    SESSION_CHANNEL,
)
from broker.protocol.headers import Malformed

_KEY: Final = re.compile(r"MOL(?:-(.+?))?-DSCVR-(INFO|BEAT):(.+)", re.DOTALL)
_MOST_LOST: Final = 10**12


class Notes:
    """Takes in our own frames and tells correlation and roster what they say."""

    def __init__(
        self,
        correlation: Correlation,
        roster: Roster,
        breakers: BreakerWatch,
        tally: Tally,
        tell: Callable[[StateChange], None],
        ours_changed: Callable[[], None],
    ) -> None:
        """
        Args:
            correlation: Told of gaps.
            roster: Told of gaps, channels, keys and the catalogue.
            breakers: Told what was learned of breakers by asking.
            tally: Where lost packets are counted.
            tell: Takes state changes of the session itself.
            ours_changed: Told when a node id of our own is added.
        """
        self._correlation = correlation
        self._roster = roster
        self._breakers = breakers
        self._tally = tally
        self._tell = tell
        self._ours_changed = ours_changed

    def take(self, channel: bytes, at_ns: int, body: bytes) -> str | None:
        """Take in one of our own frames.

        Returns:
            What is wrong with it; None if it was understood, or is of a kind
            that a later version of the program may know.
        """
        if channel.startswith(KEY_CHANNEL_PREFIX):
            return self._key(channel[len(KEY_CHANNEL_PREFIX) :].decode("utf-8", "replace"), at_ns, body)
        take = {
            SESSION_CHANNEL: self._session,
            GAP_CHANNEL: self._gap,
            CHANNELS_CHANNEL: self._channels,
            CLOCK_CHANNEL: self._clock,
            CATALOGUE_CHANNEL: self._catalogue,
            ASKED_CHANNEL: self._asked,
        }.get(channel)
        if take is None:
            return None
        note = decode_body(body)
        if isinstance(note, Malformed):
            return note.reason
        if not isinstance(note, dict):
            return f"our own frame is a {type(note).__name__}, expected an object"
        return take(plain(note), at_ns)

    def _session(self, note: dict[str, Any], at_ns: int) -> None:
        if note.get("phase") == "ours":
            if isinstance(note.get("node_id"), str):
                self._roster.ours.add(note["node_id"])
                self._ours_changed()
            return
        if note.get("phase") == "end":
            self._correlation.session_ends(at_ns)
            self._roster.deaf()
        elif note.get("phase") == "begin":  # the next of several sessions in one file
            self._correlation.hears(at_ns)
            self._roster.hears(at_ns)
        self._tell(StateChange("session", "", "", at_ns, note, "source"))

    def _gap(self, note: dict[str, Any], at_ns: int) -> None:
        phase = note.get("phase")
        if phase == "begin":
            self._correlation.deaf(at_ns)
            self._roster.deaf()
            value = {name: note.get(name) for name in ("reason", "advice", "retry_in_s")}
            self._tell(StateChange("gap", "", "", at_ns, value, "source"))
        elif phase == "end":
            self._correlation.hears(at_ns)
            self._roster.hears(at_ns)
            self._tell(StateChange("gap", "", "", at_ns, None, "source"))
        elif phase == "lost":
            lost = note.get("packets")
            if isinstance(lost, int) and 0 < lost < _MOST_LOST:
                self._tally.lost += lost
            self._correlation.missed(at_ns)

    def _channels(self, note: dict[str, Any], at_ns: int) -> None:
        names = note.get("channels")
        nodes = set()
        for name in names if isinstance(names, list) else ():
            channel = parse_channel(name.encode("utf-8", "replace")) if isinstance(name, str) else None
            if channel is not None and channel.command == "REQ" and channel.rest:
                nodes.add((channel.namespace, channel.rest))
        self._roster.listed(nodes, at_ns)

    def _clock(self, note: dict[str, Any], at_ns: int) -> None:
        self._tell(StateChange("clock", "", "", at_ns, {"step_ns": note.get("step_ns")}, "source"))

    def _catalogue(self, note: dict[str, Any], at_ns: int) -> None:
        nodes = note.get("nodes")
        for node in nodes if isinstance(nodes, list) else ():
            if not isinstance(node, dict) or not isinstance(node.get("namespace"), str):
                continue
            info = read_announcement(node.get("info"))
            if not isinstance(info, str):
                self._roster.remembered(node["namespace"], info, at_ns, note.get("saved_ns"))

    def _asked(self, note: dict[str, Any], at_ns: int) -> None:
        namespace, node_id = note.get("namespace"), name_of(note.get("node"))
        if not isinstance(namespace, str) or not node_id:
            return
        if note.get("what") == "helper":
            self._breakers.listed(namespace, node_id, note.get("list"), at_ns)
        elif note.get("what") == "endpoints":
            self._breakers.asked(namespace, node_id, True, note.get("open"), at_ns)
            self._breakers.asked(namespace, node_id, False, note.get("closed"), at_ns)

    def _key(self, name: str, at_ns: int, body: bytes) -> str | None:
        match = _KEY.fullmatch(name)
        if match is None:
            return None
        namespace, kind, rest = match[1] or "", match[2], match[3]
        if kind == "BEAT":
            rest = rest.rsplit("|", 2)[0]
            self._roster.beat_key(namespace, rest, name, at_ns, is_there=bool(body))
        if not body:
            return None
        value = decode_body(body)
        if isinstance(value, Malformed):
            return value.reason
        if kind == "BEAT":
            fields = value if isinstance(value, dict) else {}
            protocol = fields.get("ver")
            protocol = protocol if isinstance(protocol, str) else ""
            self._roster.beat(namespace, rest, at_ns, cpu_percent(fields.get("cpu")), protocol, "key")
            return None
        info = read_announcement(value)
        if isinstance(info, str):
            return info
        self._roster.announced(namespace, info, at_ns, "key")
        return None
