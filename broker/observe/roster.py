"""Who is there: nodes as they come, speak, fall silent and go; what they offer.

All that is known comes from what passed: INFO, HEARTBEAT and DISCONNECT,
senders of other packets, the server's list of channels, discoverer keys, and
the catalogue of an earlier session. Nothing is asked here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from heapq import heappop, heappush
from typing import Final

from broker.clock import SECOND
from broker.observe.announcements import Announcement
from broker.observe.journal import StateChange
from broker.observe.limits import NEVER_NS, Limits
from broker.observe.nodes import FORGET_NS, Node
from broker.observe.services import ServiceBook

_STOPPING_NS: Final = 10 * SECOND
"""So long after an INFO without services a DISCONNECT is awaited, before the services count as withdrawn."""

_ECHO_NS: Final = 5 * SECOND
"""So long after a DISCONNECT stray packets of its node do not bring it back."""

_KEY_GRACE_NS: Final = SECOND
"""So long after a discoverer key went its successor is awaited: a new one has another name."""

_CHECK_SILENCE, _CHECK_STOPPING, _CHECK_KEYS, _CHECK_FORGET = range(4)

NodeKey = tuple[str, str]
"""(namespace, node id)."""


class Roster:
    """Keeps the state of every node and tells its changes.

    Attributes:
        ours: Node ids that this program itself uses.
    """

    def __init__(
        self,
        limits: Limits,
        tell: Callable[[StateChange], None],
        gone: Callable[[str, str, int], None],
        forget_senders: Callable[[], None],
    ) -> None:
        """
        Args:
            limits: How much is kept.
            tell: Takes each change, oldest first.
            gone: Told (namespace, node id, at_ns) of every node that went, or came back as another instance.
            forget_senders: From now on senders must be told again, although they were told before.
        """
        self._limits = limits
        self._gone = gone
        self._forget_senders = forget_senders
        self._nodes: dict[NodeKey, Node] = {}
        self._by_digest: dict[tuple[str, int], Node] = {}
        self._listed: set[NodeKey] = set()  # by the last list of channels
        self._checks: list[tuple[int, int, str, str]] = []  # a heap: moment, what to check, node
        self._roll_ns = NEVER_NS  # when the next roll call is, while any node is only supposed
        self._rolled_ns = 0
        self._info_bytes = 0
        self._is_deaf = False
        self._tell = tell
        self._services = ServiceBook(tell, limits.nodes)
        self.ours: set[str] = set()

    # -- what was heard

    def heard(self, namespace: str, node_id: str, at_ns: int, protocol: str) -> bool:
        """A node sent a packet that says nothing of itself.

        Returns:
            Whether this need not be told again until ``forget_senders``.
        """
        node = self._node(namespace, node_id)
        if node is None:
            return True
        node.heard_ns = at_ns
        if node.told is not None and node.state in ("online", "supposed"):
            if _learns_protocol(node, node_id, protocol):
                self._is(node, namespace, node_id, at_ns, node.state, node.reason, node.source)
            return True
        if node.state == "offline" and at_ns < node.gone_ns + _ECHO_NS:
            return False
        _learns_protocol(node, node_id, protocol)
        self._is(node, namespace, node_id, at_ns, "supposed", "sends packets; nothing else is known of it", "packet")
        self._roll_ns = min(self._roll_ns, at_ns + FORGET_NS)
        return True

    def called(self, namespace: str, action: str, node_id: str, at_ns: int) -> None:
        """A call of an action of this node was seen."""
        self._services.called(namespace, action, node_id, at_ns)

    def beat(self, namespace: str, node_id: str, at_ns: int, cpu: float | None, protocol: str, source: str) -> None:
        """A node sent a heartbeat, or its discoverer key was seen."""
        node = self._node(namespace, node_id)
        if node is None:
            return
        if source == "heartbeat":
            if node.beat_ns and node.state == "online" and not self._is_deaf:
                node.interval_ns = at_ns - node.beat_ns
            node.beat_ns = at_ns
            self._watch(node, namespace, node_id)
        if _learns_protocol(node, node_id, protocol) and node.state == "online":
            self._is(node, namespace, node_id, at_ns, "online", node.reason, node.source)
        elif node.state != "online":
            self._is(node, namespace, node_id, at_ns, "online", "", source)
        if cpu is not None and cpu != node.cpu:
            node.cpu = cpu
            self._tell(StateChange("load", namespace, node_id, at_ns, {"cpu": cpu}, source))

    def is_known_info(self, namespace: str, digest: int, at_ns: int) -> bool:
        """Whether an INFO with this digest would tell nothing new; it counts as a sign of life."""
        node = self._by_digest.get((namespace, digest))
        if node is None or node.state != "online" or node.stopping is not None:
            return False
        if node.beat_ns:
            node.beat_ns = at_ns
        return True

    def announced(
        self, namespace: str, info: Announcement, at_ns: int, source: str, *, digest: int = 0, size: int = 0
    ) -> None:
        """A node described itself.

        Args:
            namespace: Where it lives.
            info: What it says.
            at_ns: When.
            source: ``info`` or ``key``.
            digest: Of the packet's body; 0 for none.
            size: Bytes of the packet's body.
        """
        node = self._node(namespace, info.node_id)
        if node is None:
            return
        known = node.info
        is_same_instance = bool(info.instance_id) and info.instance_id == known.instance_id
        if is_same_instance and info.seq < known.seq and node.state == "online":
            return  # an older one
        if node.beat_ns and source == "info":
            node.beat_ns = at_ns
            self._watch(node, namespace, info.node_id)
        if is_same_instance and not info.offers and node.offers and node.state == "online":
            node.stopping = info
            node.stopping_ns = at_ns
            node.info = replace(known, seq=info.seq)
            self._is(node, namespace, info.node_id, at_ns, "online", "stopping", source)
            self._check(node, at_ns + _STOPPING_NS, _CHECK_STOPPING, namespace, info.node_id)
            return
        is_from_before, node.saved_ns = bool(node.saved_ns), 0
        has_restarted = (
            bool(known.instance_id) and bool(info.instance_id) and not is_same_instance and not is_from_before
        )
        if has_restarted and node.state == "online":
            self._gone(namespace, info.node_id, at_ns)
        self._describe(node, namespace, info, at_ns, source, digest, size)
        reason = "restarted" if has_restarted else ""
        self._is(node, namespace, info.node_id, at_ns, "online", reason, source)

    def remembered(self, namespace: str, info: Announcement, at_ns: int, saved_ns: object) -> None:
        """A node is known from an earlier session; what is known already is known better."""
        if (namespace, info.node_id) in self._nodes:
            return
        node = self._node(namespace, info.node_id)
        if node is not None:
            node.saved_ns = saved_ns if isinstance(saved_ns, int) else 0
            self._describe(node, namespace, info, at_ns, "catalogue", 0, 0)
            reason = "known from an earlier session"
            self._is(node, namespace, info.node_id, at_ns, "remembered", reason, "catalogue")

    def _describe(
        self, node: Node, namespace: str, info: Announcement, at_ns: int, source: str, digest: int, size: int
    ) -> None:
        """Keep what a node says of itself, its services within the limit."""
        node.stopping = None
        if node.digest and self._by_digest.get((namespace, node.digest)) is node:
            del self._by_digest[namespace, node.digest]
        node.digest = digest
        if digest:
            self._by_digest[namespace, digest] = node
        self._info_bytes += size - node.info_size
        node.info_size = size
        offers = {offer.full_name: offer for offer in info.offers}
        if self._info_bytes > self._limits.definition_bytes:
            offers = {}
        before, node.offers = node.offers, offers
        node.info = info
        self._services.offered(namespace, info.node_id, before, offers, at_ns, source)

    def disconnected(self, namespace: str, node_id: str, at_ns: int) -> None:
        """A node said goodbye."""
        node = self._nodes.get((namespace, node_id))
        if node is not None:
            self._goes(node, namespace, node_id, at_ns, "said goodbye", "info")

    def listed(self, nodes: Iterable[NodeKey], at_ns: int) -> None:
        """The server said which nodes are subscribed: all of them, and no others."""
        now = set(nodes)
        for key in sorted(self._listed - now):
            node = self._nodes.get(key)
            if node is not None:
                self._goes(node, *key, at_ns, "its channels are gone", "channels")
        for key in sorted(now):
            node = self._node(*key)
            if node is None or node.state == "online":
                continue
            if node.state == "offline" and (node.beat_ns or at_ns < node.gone_ns + _ECHO_NS) and key in self._listed:
                continue  # connected, but silent or just leaving
            self._is(node, *key, at_ns, "online", "", "channels")
        self._listed = now

    def beat_key(self, namespace: str, node_id: str, key: str, at_ns: int, *, is_there: bool) -> None:
        """A heartbeat key of the Redis discoverer was seen, or went."""
        if is_there:
            node = self._node(namespace, node_id)
            if node is not None:
                node.keys.add(key)
            return
        node = self._nodes.get((namespace, node_id))
        if node is not None and key in node.keys:
            node.keys.discard(key)
            if not node.keys:
                node.keyless_ns = at_ns
                self._check(node, at_ns + _KEY_GRACE_NS, _CHECK_KEYS, namespace, node_id)

    # -- time

    def deaf(self) -> None:
        """From now on nothing is heard: silence means nothing."""
        self._is_deaf = True

    def hears(self, at_ns: int) -> None:
        """All is heard again: whoever beat before has its time again."""
        if not self._is_deaf:
            return
        self._is_deaf = False
        for (namespace, node_id), node in self._nodes.items():
            if node.beat_ns and node.state == "online":
                node.beat_ns = at_ns
                self._watch(node, namespace, node_id)

    def advance(self, now_ns: int) -> None:
        """Do what is due until a moment, that moment included, in the order in which it is due."""
        while (moment_ns := self.due_ns) <= now_ns:
            if self._services.due_ns == moment_ns:
                self._services.advance(moment_ns)
            if self._roll_ns == moment_ns:
                self._call_the_roll(moment_ns)
            if self._checks and self._checks[0][0] == moment_ns:
                _, what, namespace, node_id = heappop(self._checks)
                node = self._nodes.get((namespace, node_id))
                if node is not None and what in node.checks:
                    node.checks.discard(what)
                    self._do_check(what, node, namespace, node_id, moment_ns)

    @property
    def due_ns(self) -> int:
        """``advance`` has nothing to do before this moment."""
        return min(self._checks[0][0] if self._checks else NEVER_NS, self._services.due_ns, self._roll_ns)

    def _do_check(self, what: int, node: Node, namespace: str, node_id: str, at_ns: int) -> None:
        """A moment has come to look at a node; it may turn out to be too early."""
        if what == _CHECK_SILENCE:
            self._check_silence(node, namespace, node_id, at_ns)
        elif what == _CHECK_STOPPING:
            self._check_stopping(node, namespace, node_id, at_ns)
        elif what == _CHECK_KEYS:
            if not node.keys and at_ns >= node.keyless_ns + _KEY_GRACE_NS:
                self._goes(node, namespace, node_id, at_ns, "its discoverer key expired", "key")
            elif not node.keys:
                self._check(node, node.keyless_ns + _KEY_GRACE_NS, what, namespace, node_id)
        elif node.state == "offline":
            if at_ns >= node.gone_ns + FORGET_NS:
                self._forget(node, namespace, node_id, at_ns)
            else:
                self._check(node, node.gone_ns + FORGET_NS, what, namespace, node_id)

    def _check_stopping(self, node: Node, namespace: str, node_id: str, at_ns: int) -> None:
        if node.stopping is None or node.state != "online":
            return
        if at_ns < node.stopping_ns + _STOPPING_NS:
            self._check(node, node.stopping_ns + _STOPPING_NS, _CHECK_STOPPING, namespace, node_id)
            return
        self._describe(node, namespace, node.stopping, at_ns, "info", 0, 0)
        self._is(node, namespace, node_id, at_ns, "online", "", "info")

    def _call_the_roll(self, at_ns: int) -> None:
        """Forget supposed nodes that were not heard since the last roll call, and let all others be told again."""
        supposed = [item for item in self._nodes.items() if item[1].state == "supposed"]
        for (namespace, node_id), node in supposed:
            if node.heard_ns < self._rolled_ns:
                self._forget(node, namespace, node_id, at_ns)
        self._forget_senders()
        self._rolled_ns = at_ns
        self._roll_ns = at_ns + FORGET_NS if supposed else NEVER_NS

    def _check_silence(self, node: Node, namespace: str, node_id: str, at_ns: int) -> None:
        if self._is_deaf or node.state != "online":
            return
        if at_ns < node.silent_ns:
            self._watch(node, namespace, node_id)
            return
        silence_s = (at_ns - node.beat_ns) // SECOND
        self._goes(node, namespace, node_id, at_ns, f"no heartbeat for {silence_s} s", "heartbeat")

    def _watch(self, node: Node, namespace: str, node_id: str) -> None:
        self._check(node, node.silent_ns, _CHECK_SILENCE, namespace, node_id)

    def _check(self, node: Node, moment_ns: int, what: int, namespace: str, node_id: str) -> None:
        """Look at a node at this moment, unless such a look is due already: that one will see to it."""
        if what not in node.checks:
            node.checks.add(what)
            heappush(self._checks, (moment_ns, what, namespace, node_id))

    # -- states

    def _node(self, namespace: str, node_id: str) -> Node | None:
        """The node, a new one if it is new; None if there is no room for it."""
        node = self._nodes.get((namespace, node_id))
        if node is None and len(self._nodes) < self._limits.nodes:
            node = self._nodes[namespace, node_id] = Node()
        return node

    def _goes(self, node: Node, namespace: str, node_id: str, at_ns: int, reason: str, source: str) -> None:
        if node.state == "offline":
            return
        node.stopping = None
        node.keys.clear()
        node.gone_ns = at_ns
        node.cpu = None
        self._is(node, namespace, node_id, at_ns, "offline", reason, source)
        self._gone(namespace, node_id, at_ns)
        self._check(node, at_ns + FORGET_NS, _CHECK_FORGET, namespace, node_id)

    def _forget(self, node: Node, namespace: str, node_id: str, at_ns: int) -> None:
        self._services.offered(namespace, node_id, node.offers, {}, at_ns, "guess")
        self._info_bytes -= node.info_size
        self._by_digest.pop((namespace, node.digest), None)
        del self._nodes[namespace, node_id]
        self._tell(StateChange("node", namespace, node_id, at_ns, None, "guess"))

    def _is(self, node: Node, namespace: str, node_id: str, at_ns: int, state: str, reason: str, source: str) -> None:
        """A node is in a state now; told if that is new."""
        node.state, node.reason, node.source = state, reason, source
        value = node.value(is_ours=node_id in self.ours)
        if value != node.told:
            node.told = value
            self._tell(StateChange("node", namespace, node_id, at_ns, value, source))


def _learns_protocol(node: Node, node_id: str, protocol: str) -> bool:
    """Every packet says its sender's protocol; whether that is news.

    What the node said of itself stays as it is; what is only remembered of it may have changed since.
    """
    known = "" if node.state == "remembered" else node.info.protocol
    if not protocol or known:
        return False
    node.info = replace(node.info, node_id=node_id, protocol=protocol)
    return True
