"""Short stories about a mesh, as the frames that would cross its bus.

    Script().request(0.0, action="users.get", timeout=2000).response(0.1)

Moments are seconds since ``START_NS``. Each method adds one frame and gives
the script back. An answer belongs to the request before it, goes from its
target to its sender, and so on, unless it is told otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, Self

from broker.clock import SECOND
from broker.observe.journal import Batch
from broker.observe.limits import Limits
from broker.observe.pipeline import Pipeline
from broker.protocol.channels import channel_name
from broker.protocol.frame import CHANNELS_CHANNEL, GAP_CHANNEL, SESSION_CHANNEL, Frame, FrameSink
from broker.protocol.serializers import dumps

START_NS: Final = 1_700_000_000 * SECOND
"""When all stories begin."""


def at(seconds: float) -> int:
    """A moment of a story, in ns since the epoch."""
    return START_NS + round(seconds * SECOND)


def service(full_name: str, *actions: str, events: Sequence[str] = (), **fields: Any) -> dict[str, Any]:
    """A service as INFO tells of it: ``service("v2.orders", "get", "list", events=["order.*"])``.

    Actions are raw names; a definition's own fields are set with ``action_fields={"get": {...}}``.
    """
    version, dot, name = full_name.partition(".")
    is_versioned = bool(dot) and version[:1] == "v" and version[1:].isdigit()
    more: dict[str, dict[str, Any]] = fields.pop("action_fields", {})
    return {
        "name": name if is_versioned else full_name,
        "version": int(version[1:]) if is_versioned else None,
        "fullName": full_name,
        "settings": {},
        "metadata": {},
        "actions": {
            f"{full_name}.{raw}": {"rawName": raw, "name": f"{full_name}.{raw}", **more.get(raw, {})} for raw in actions
        },
        "events": {event: {"name": event} for event in events},
        **fields,
    }


class Script:
    """Makes frames.

    Attributes:
        frames: What was made so far, in the order of the calls.
    """

    def __init__(self, *, ver: str = "5", namespace: str = "", serializer: str = "JSON") -> None:
        """
        Args:
            ver: Protocol version: "4" or "5".
            namespace: Where all of it happens, unless a call says otherwise.
            serializer: ``JSON`` or ``MsgPack``.
        """
        self.frames: list[Frame] = []
        self._ver = ver
        self._namespace = namespace
        self._serializer = serializer
        self._count = 0
        self._last: dict[str, str] = {"id": "0", "sender": "node-1", "target": "node-2"}

    # -- any frame

    def raw(self, seconds: float, channel: str | bytes, body: bytes = b"") -> Self:
        """Any bytes on any channel."""
        name = channel.encode() if isinstance(channel, str) else channel
        self.frames.append(Frame(at(seconds), name, body))
        return self

    def packet(
        self,
        seconds: float,
        command: str,
        fields: dict[str, Any],
        *,
        sender: str,
        rest: str = "",
        namespace: str | None = None,
        ver: str | None = None,
    ) -> Self:
        """Any packet: its own fields, then ver and sender, as Node writes them."""
        space = self._namespace if namespace is None else namespace
        wire = {**fields, "ver": ver or self._ver, "sender": sender}
        return self.raw(seconds, channel_name(space, command, rest), dumps(wire, self._serializer))

    def note(self, seconds: float, channel: bytes, **fields: Any) -> Self:
        """One of our own frames."""
        return self.raw(seconds, channel, dumps(fields, "JSON"))

    # -- calls and events

    def request(
        self,
        seconds: float,
        action: str = "users.get",
        *,
        id: str | None = None,
        sender: str = "node-1",
        target: str = "node-2",
        caller: str | None = None,
        timeout: Any = 0,
        level: Any = 1,
        tracing: Any = None,
        request_id: str | None = None,
        parent_id: str | None = None,
        params: Any = None,
        stream: Any = False,
        seq: int | None = None,
        balanced: bool = False,
        namespace: str | None = None,
        **fields: Any,
    ) -> Self:
        """A REQ (a REQB if it is balanced); without an id it gets the next number: "1", "2", ..."""
        if id is None:
            self._count += 1
            id = str(self._count)  # noqa: A001 - the wire's name
        self._last = {"id": id, "sender": sender, "target": target}
        wire = {
            "id": id,
            "action": action,
            "params": {} if params is None else params,
            "meta": {},
            **({} if self._ver == "4" else {"headers": {}}),
            "timeout": timeout,
            "level": level,
            "tracing": tracing,
            "parentID": parent_id,
            "requestID": id if request_id is None else request_id,
            "caller": caller,
            "stream": stream,
            **({} if seq is None else {"seq": seq}),
            **fields,
        }
        command, rest = ("REQB", action) if balanced else ("REQ", target)
        return self.packet(seconds, command, wire, sender=sender, rest=rest, namespace=namespace)

    def response(
        self,
        seconds: float,
        *,
        id: str | None = None,
        sender: str | None = None,
        target: str | None = None,
        data: Any = None,
        error: dict[str, Any] | None = None,
        stream: bool | None = None,
        seq: int | None = None,
        namespace: str | None = None,
        **fields: Any,
    ) -> Self:
        """A RES; ``error`` makes it one that failed."""
        wire = {
            "id": self._last["id"] if id is None else id,
            "meta": {},
            **({} if self._ver == "4" else {"headers": {}}),
            "success": error is None,
            "data": data,
            **({} if error is None else {"error": error}),
            **({} if stream is None else {"stream": stream}),
            **({} if seq is None else {"seq": seq}),
            **fields,
        }
        node_id = self._last["target"] if sender is None else sender
        rest = self._last["sender"] if target is None else target
        return self.packet(seconds, "RES", wire, sender=node_id, rest=rest, namespace=namespace)

    def event(
        self,
        seconds: float,
        event: str = "user.created",
        *,
        id: str | None = None,
        sender: str = "node-1",
        target: str = "node-2",
        data: Any = None,
        groups: Sequence[str] | None = None,
        broadcast: bool = False,
        caller: str | None = None,
        level: int = 1,
        request_id: str | None = None,
        parent_id: str | None = None,
        namespace: str | None = None,
        balanced: bool = False,
        **fields: Any,
    ) -> Self:
        """An EVENT (an EVENTB if it is balanced); without an id it gets the next number."""
        if id is None:
            self._count += 1
            id = str(self._count)  # noqa: A001 - the wire's name
        wire = {
            "id": id,
            "event": event,
            "data": data,
            **({} if groups is None else {"groups": list(groups)}),
            "broadcast": broadcast,
            "meta": {},
            "level": level,
            "tracing": None,
            "parentID": parent_id,
            "requestID": id if request_id is None else request_id,
            "caller": caller,
            "needAck": None,
            **fields,
        }
        command, rest = ("EVENTB", f"{(groups or ['mail'])[0]}.{event}") if balanced else ("EVENT", target)
        return self.packet(seconds, command, wire, sender=sender, rest=rest, namespace=namespace)

    # -- nodes

    def info(
        self,
        seconds: float,
        node_id: str = "node-1",
        services: Sequence[dict[str, Any]] = (),
        *,
        instance_id: str = "instance-1",
        seq: int = 1,
        client: dict[str, str] | None = None,
        hostname: str = "host",
        ips: Sequence[str] = ("192.0.2.2",),
        metadata: dict[str, Any] | None = None,
        namespace: str | None = None,
        ver: str | None = None,
        to: str = "",
    ) -> Self:
        """An INFO; make services with ``service``."""
        wire = info_payload(
            services,
            instance_id=instance_id,
            seq=seq,
            client=client,
            hostname=hostname,
            ips=ips,
            metadata=metadata,
        )
        return self.packet(seconds, "INFO", wire, sender=node_id, rest=to, namespace=namespace, ver=ver)

    def heartbeat(self, seconds: float, node_id: str = "node-1", cpu: Any = 3, *, namespace: str | None = None) -> Self:
        """A HEARTBEAT."""
        return self.packet(seconds, "HEARTBEAT", {"cpu": cpu}, sender=node_id, namespace=namespace)

    def disconnect(self, seconds: float, node_id: str = "node-1", *, namespace: str | None = None) -> Self:
        """A DISCONNECT."""
        return self.packet(seconds, "DISCONNECT", {}, sender=node_id, namespace=namespace)

    def discover(self, seconds: float, node_id: str = "node-1", *, to: str = "", namespace: str | None = None) -> Self:
        """A DISCOVER."""
        return self.packet(seconds, "DISCOVER", {}, sender=node_id, rest=to, namespace=namespace)

    # -- our own frames

    def channels(self, seconds: float, *names: str) -> Self:
        """What PUBSUB CHANNELS said."""
        return self.note(seconds, CHANNELS_CHANNEL, channels=list(names))

    def gap(self, begin: float, end: float | None = None, reason: str = "connection lost") -> Self:
        """Nothing was heard from ``begin`` to ``end``; without an end it lasts."""
        self.note(begin, GAP_CHANNEL, phase="begin", reason=reason, advice="", retry_in_s=1.0)
        return self if end is None else self.note(end, GAP_CHANNEL, phase="end")

    def ours(self, seconds: float, node_id: str) -> Self:
        """A node id is one of our own."""
        return self.note(seconds, SESSION_CHANNEL, phase="ours", node_id=node_id)

    # -- telling it

    def feeds(self) -> Iterator[tuple[int, list[tuple[bytes, bytes]]]]:
        """The frames by moment: those of one moment arrived together."""
        for at_ns, together in groupby(self.frames, key=lambda frame: frame.at_ns):
            yield at_ns, [(frame.channel, frame.body) for frame in together]

    def tell(self, sink: FrameSink) -> None:
        """Feed all of it to a sink."""
        for at_ns, frames in self.feeds():
            sink.feed(at_ns, frames)

    def end_s(self) -> float:
        """When its last frame comes."""
        return (max((frame.at_ns for frame in self.frames), default=START_NS) - START_NS) / SECOND

    def batch(self, until: float | None = None, *, limits: Limits | None = None) -> Batch:
        """What a pipeline makes of it, as one batch.

        Args:
            until: The moment when it is asked; without one, that of the last frame.
            limits: The pipeline's.
        """
        pipeline = Pipeline(begin_ns=START_NS, limits=limits)
        self.tell(pipeline)
        return pipeline.take(at(self.end_s() if until is None else until))

    def batches(self, every_s: float, until: float, deliver: Callable[[Batch], None]) -> None:
        """The same in many batches, as a live session would deliver them."""
        pipeline = Pipeline(begin_ns=START_NS)
        next_ns = at(every_s)
        for at_ns, frames in self.feeds():
            while next_ns <= at_ns:
                deliver(pipeline.take(next_ns))
                next_ns += round(every_s * SECOND)
            pipeline.feed(at_ns, frames)
        while next_ns <= at(until):
            deliver(pipeline.take(next_ns))
            next_ns += round(every_s * SECOND)
        deliver(pipeline.take(at(until)))


def info_payload(
    services: Sequence[dict[str, Any]] = (),
    *,
    instance_id: str = "instance-1",
    seq: int = 1,
    client: dict[str, str] | None = None,
    hostname: str = "host",
    ips: Sequence[str] = ("192.0.2.2",),
    metadata: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The fields of an INFO, without ver and sender."""
    return {
        "services": list(services),
        "ipList": list(ips),
        "hostname": hostname,
        "client": client or {"type": "nodejs", "version": "0.15.2", "langVersion": "v20.1.0"},
        "config": {},
        "instanceID": instance_id,
        "metadata": metadata or {},
        "seq": seq,
    }


def failure(code: int | None = 500, type: str | None = None, name: str = "MoleculerError") -> dict[str, Any]:
    """An error as a RES carries it."""
    given = {"code": code, "type": type}
    return {
        "name": name,
        "message": "it failed",
        "nodeID": "node-2",
        **{k: v for k, v in given.items() if v is not None},
    }
