"""From the answer of the mesh to what the canvas shows: cards and wires with their words. No Qt."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, Literal

from app.breaker_words import sign_of, source_of
from app.widgets.canvas.items import Card, Frame, Sign, Tone, Wire
from app.widgets.format import NOTHING, TOGETHER_MS, call_ms, clock_time, count, duration_ms, percent, rate
from broker.mesh.answers import EdgeBreaker, Figures, Topology, TopologyEdge, TopologyGroup, TopologyNode
from broker.mesh.subject import Subject

Label = Literal["rate", "errors", "p50", "p90", "p99", "none"]
LABELS: Final[tuple[Label, ...]] = ("rate", "errors", "p50", "p90", "p99", "none")
NOTED_SHARE: Final = 0.001
"""Failed calls beyond this share are a sign of their own; the health of the mesh begins to worry there."""
_SHAPES: Final = {"outside": "pill", "node": "square", "namespace": "square", "version": "square"}
_WORDS: Final = {"none": "no calls", "ok": "fine", "slow": "needs a look", "failed": "failing"}


def wire_key(edge: TopologyEdge) -> str:
    """What a connection is known by."""
    return f"{edge.source}→{edge.target}:{edge.kind}"


@lru_cache(maxsize=8192)  # percentiles are values of buckets: thousands of connections say the same few
def short_ms(value_ms: float) -> str:
    """A duration in two digits, as there is room for on a card: "8.4 ms", "84 ms", "210 ms", "1.9 s"."""
    if 0 <= value_ms < TOGETHER_MS:
        return call_ms(value_ms)
    if not value_ms < math.inf:
        return duration_ms(value_ms, short=True)
    places = 1 - math.floor(math.log10(value_ms))
    return duration_ms(round(value_ms, 0 if 10 <= value_ms < 999.5 else places), short=True)


def telling(node: TopologyNode) -> tuple[Figures, bool]:
    """The figures that tell most of a box, and whether they are of what it sends: gateways are hardly called."""
    sends = node.sent.calls > 0 and (node.is_gateway or not node.received.calls)
    return (node.sent, True) if sends else (node.received, False)


def card_of(node: TopologyNode) -> Card:
    """What a box looks like."""
    figures, sends = telling(node)
    shape = _SHAPES.get(node.kind, "card")
    return Card(
        key=node.key,
        title=node.title,
        detail=_detail(node, figures, sends=sends),
        tone=_tone_of(node, figures),
        sign=_sign(node.health, figures),
        marks=len(node.instances) if node.kind not in ("node", "instance") else 0,
        lost=min(node.offline_instances, len(node.instances)),
        shape="pill" if shape == "pill" else "square" if shape == "square" else "card",
        is_dashed=node.silent,
        is_hatched=node.offline,
        is_doubtful=node.supposed,
        is_gateway=node.is_gateway,
        frame=node.group,
        is_stack=node.members > 0 and node.kind != "service",
    )


def frame_of(group: TopologyGroup, members: int) -> Frame:
    """What an open group looks like."""
    word = {"service": "instance", "node": "service"}.get(group.kind, "service")
    kind = group.kind if group.kind in ("namespace", "version") else ""
    detail = " · ".join(filter(None, (kind, f"{members} {word}{'' if members == 1 else 's'}")))
    sign: dict[str, Sign] = {"failed": "failed", "slow": "slow"}
    return Frame(group.key, group.title, detail, sign.get(group.health, ""))


def _tone_of(node: TopologyNode, figures: Figures) -> Tone:
    if node.offline or not figures.calls:
        return "none" if not node.offline else "failed"
    return node.health if node.health != "none" else "ok"


def _sign(health: str, figures: Figures) -> Sign:
    if health == "failed":
        return "failed"
    if health == "slow":
        return "warned" if figures.error_share > NOTED_SHARE else "slow"
    return ""


def _detail(node: TopologyNode, figures: Figures, *, sends: bool) -> str:
    if node.offline:
        return "offline"
    if node.silent:
        return "declared, silent"
    if not figures.calls:
        return "events only"
    if sends and math.isnan(figures.p99_ms):
        return f"sends {rate(figures.rate)}"
    sent = " out" if sends and node.kind == "service" else ""
    return f"{rate(figures.rate)}{sent} · p99 {short_ms(figures.p99_ms)}"


def _spoken_figures(figures: Figures) -> str:
    parts = [f"{count(figures.calls)} calls, {rate(figures.rate)}"]
    if not math.isnan(figures.p99_ms):
        parts.append(f"p50 {call_ms(figures.p50_ms)}, p99 {call_ms(figures.p99_ms)}")
    if figures.failed:
        parts.append(f"{percent(figures.error_share * 100)} failed")
    return ", ".join(parts)


def words_for(topology: Topology, key: str) -> str:
    """What a card or a wire shows, in words; "" if there is none."""
    node = next((node for node in topology.nodes if node.key == key), None)
    if node is not None:
        return _spoken_card(node)
    group = next((group for group in topology.groups if group.key == key), None)
    if group is not None:
        inside = [node.title for node in topology.nodes if node.group == key]
        return f"{group.title} ({group.kind}, open): {_WORDS[group.health]}\n{', '.join(inside[:12])}"
    edge = next((edge for edge in topology.edges if wire_key(edge) == key), None)
    return _spoken_wire(edge, {node.key: node.title for node in topology.nodes}) if edge else ""


def _spoken_card(node: TopologyNode) -> str:
    figures, sends = telling(node)
    kind = {"outside": "calls from outside services", "instance": "instance"}.get(node.kind, node.kind)
    title = f"{node.subject.name} on {node.subject.other}" if node.kind == "instance" else node.title
    states = [
        word
        for word, is_so in (
            ("gateway", node.is_gateway),
            ("only supposed from names of actions", node.supposed),
            ("declared but silent", node.silent),
            ("offline", node.offline),
            (_WORDS[node.health], not node.silent and not node.offline),
        )
        if is_so
    ]
    calls = f"{'sends' if sends else 'gets'} {_spoken_figures(figures)}" if figures.calls else ""
    where = ", ".join(node.instances[:8]) + (" …" if len(node.instances) > 8 else "")
    lost = f", {node.offline_instances} offline" if node.offline_instances else ""
    on = f"on {where}{lost}" if node.instances and node.kind not in ("node", "instance") else ""
    return "\n".join(filter(None, (f"{title} ({kind}): {', '.join(states)}", calls, on)))


def wire_of(edge: TopologyEdge, label: Label) -> Wire:
    """What a connection looks like."""
    figures = edge.figures
    is_event = edge.kind == "event"
    failures = figures.rate * figures.error_share
    barrier, barrier_tone = barrier_of(edge.breakers)
    return Wire(
        key=wire_key(edge),
        source=edge.source,
        target=edge.target,
        tone=edge.health,
        thickness=thickness_of(figures.rate),
        label=label_of(edge, label),
        is_event=is_event,
        is_silent=figures.calls == 0,
        calls_per_s=figures.rate,
        failures_per_s=failures,
        seconds=0.0 if math.isnan(figures.p50_ms) else figures.p50_ms / 1000,
        barrier=barrier,
        barrier_tone=barrier_tone,
    )


def barrier_of(breakers: Sequence[EdgeBreaker]) -> tuple[str, Tone]:
    """The worst breaker as a sign and a word, how many there are, and its colour."""
    if not breakers:
        return "", "none"
    word, tone = sign_of(breakers[0].state)
    return (f"{word} ×{len(breakers)}" if len(breakers) > 1 else word), tone or "none"


def spoken_breaker(breaker: EdgeBreaker) -> str:
    """A breaker in a line: what it stops, since when, how we know."""
    word, _ = sign_of(breaker.state)
    told = source_of(breaker.source)
    way = f"{breaker.owner} → {breaker.node_id}:{breaker.action}"
    return f"{word} since {clock_time(breaker.since_ns)}: {way} ({told})"


def thickness_of(per_s: float) -> float:
    """The width of a line by the logarithm of its rate, in px: 1.5 for next to nothing, 6 for 10,000/s."""
    return round(min(6.5, 1.5 + 1.15 * math.log10(1.0 + max(0.0, per_s))) * 4) / 4


def label_of(edge: TopologyEdge, label: Label) -> str:
    """What the chip of a connection says: failing ones say how much fails instead of how long it takes."""
    figures = edge.figures
    if label == "none" or not figures.calls:
        return ""
    if label == "rate" or edge.kind == "event":
        return rate(figures.rate) if label == "rate" else ""
    if label == "errors":
        return percent(figures.error_share * 100) if figures.failed else ""
    if edge.health == "failed":
        return f"{percent(figures.error_share * 100)} err"
    value_ms = {"p50": figures.p50_ms, "p90": figures.p90_ms, "p99": figures.p99_ms}[label]
    text = short_ms(value_ms)
    return "" if text == NOTHING else text


def _spoken_wire(edge: TopologyEdge, titles: dict[str, str]) -> str:
    ends = f"{titles.get(edge.source, edge.source)} → {titles.get(edge.target, edge.target)}"
    if edge.kind == "event":
        names = ", ".join(edge.events[:6]) + (" …" if len(edge.events) > 6 else "")
        return f"{ends} (events): {count(edge.figures.calls)} packets, {rate(edge.figures.rate)}\n{names}"
    breakers = [f"breaker {spoken_breaker(breaker)}" for breaker in edge.breakers[:4]]
    more = [f"and {len(edge.breakers) - 4} more breakers"] if len(edge.breakers) > 4 else []
    return "\n".join([f"{ends} (calls): {_WORDS[edge.health]}", _spoken_figures(edge.figures), *breakers, *more])


def items_of(topology: Topology, label: Label) -> tuple[list[Card], list[Wire], list[Frame]]:
    """Everything a graph shows."""
    inside = Counter(node.group for node in topology.nodes)
    return (
        [card_of(node) for node in topology.nodes],
        [wire_of(edge, label) for edge in topology.edges],
        [frame_of(group, inside[group.key]) for group in topology.groups],
    )


def subjects_of(topology: Topology) -> dict[str, Subject]:
    """What each card and wire stands for, by its key."""
    boxes = {node.key: node.subject for node in topology.nodes}
    groups = {group.key: group.subject for group in topology.groups}
    return boxes | groups | {wire_key(edge): edge.subject for edge in topology.edges}


def breaker_on(topology: Topology, key: str) -> Subject | None:
    """The worst breaker on a connection; None where all of them are closed."""
    edge = next((edge for edge in topology.edges if wire_key(edge) == key and edge.breakers), None)
    if edge is None:
        return None
    worst = edge.breakers[0]
    return Subject("breaker", edge.subject.namespace, f"{worst.owner}|{worst.node_id}:{worst.action}")


def key_of(topology: Topology, subject: Subject | None) -> str:
    """The card or wire that shows a subject; of an action, its service; "" for none."""
    if subject is None:
        return ""
    boxes: tuple[TopologyNode | TopologyGroup, ...] = (*topology.nodes, *topology.groups)
    found = next((box.key for box in boxes if box.subject == subject), "")
    # keys of connections are not made for all of them, several times a second
    found = found or next((wire_key(edge) for edge in topology.edges if edge.subject == subject), "")
    if found or subject.kind not in ("action", "endpoint"):
        return found
    return _service_of(topology.nodes, subject)


def _service_of(nodes: Iterable[TopologyNode], action: Subject) -> str:
    offering = [
        node
        for node in nodes
        if node.subject.kind == "service"
        and node.namespace == action.namespace
        and action.name.startswith(f"{node.subject.name}.")
    ]
    return max(offering, key=lambda node: len(node.subject.name)).key if offering else ""
