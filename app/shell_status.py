"""What the bars say of counts, the probe and its trouble. Plain data, no Qt."""

from __future__ import annotations

from pathlib import PurePath

from app.shell_facts import ShellFacts, Trouble
from app.widgets.format import byte_size, clock_time, count, percent, rate, zone_name
from app.widgets.status_line import Told
from broker.probe.status import ProbeStatus


def counts_told(facts: ShellFacts) -> list[Told]:
    """Nodes, services, packets, and what went wrong with packets."""
    reasons = "\n".join(f"{count(times)} × {reason}" for reason, times in facts.undecodable_reasons)
    return [
        Told(
            f"{count(facts.nodes_online)} of {count(facts.nodes_known)} nodes",
            "failed" if facts.nodes_online < facts.nodes_known else "",
            "Nodes that are there, of those known",
        ),
        Told(f"{count(facts.services)} services"),
        Told(
            f"helper on {count(facts.helpers)} of {count(facts.nodes_online)} nodes",
            "",
            "Nodes whose helper tells of their breakers, and may set them",
        ),
        Told(rate(facts.packets_per_s).replace("/s", " packets/s"), "", f"{count(facts.packets)} in all"),
        Told(f"{count(facts.lost)} lost", "failed" if facts.lost else "", "Packets known to be lost"),
        Told(f"{count(facts.undecodable)} undecodable", "slow" if facts.undecodable else "", reasons),
    ]


def probe_told(probe: ProbeStatus | None, *, is_file: bool) -> list[Told]:
    """What listening costs, or how far reading is."""
    if probe is None:
        return []
    if probe.state == "reading":
        share = reading_share(probe) or 0.0
        return [Told(f"reading: {percent(share * 100)} of {byte_size(probe.size_bytes)}")]
    if is_file:
        return [Told(f"read: {byte_size(probe.size_bytes)}")]
    note = f"What listening costs where the probe runs; {byte_size(probe.memory_bytes)} of memory"
    return [Told(f"tap {percent(probe.cpu_percent)} cpu", "", note)]


def keeping_told(facts: ShellFacts, probe: ProbeStatus | None) -> list[Told]:
    """What is held in memory and on disk, and in what zone moments are shown."""
    forgotten = f", {count(facts.calls_forgotten)} forgotten" if facts.calls_forgotten else ""
    held = f"{count(facts.calls_held)} rows held{forgotten} · {byte_size(facts.held_bytes)}"
    told = [Told(held, "", "Calls, and answers that came late or twice. Memory is bounded: the oldest go first")]
    if facts.rows_dropped:
        told.insert(0, Told(f"▲ {count(facts.rows_dropped)} rows dropped", "failed", "The window did not keep up"))
    if probe is not None:
        told += _disk_told(probe)
    return [*told, Told(f"times are {zone_name()}")]


def _disk_told(probe: ProbeStatus) -> list[Told]:
    told = []
    if probe.capture_trouble:
        told.append(Told("▲ bodies are not kept", "failed", probe.capture_trouble))
    if probe.recording:
        name = PurePath(probe.recording).name
        told.append(Told(f"● recording to {name}, {byte_size(probe.recording_bytes)}", "failed", probe.recording))
    if probe.ring_bytes:
        note = "What passed lately, on the probe's disk; deleted at the end unless recorded"
        told.append(Told(f"ring {byte_size(probe.capture_bytes)} of {byte_size(probe.ring_bytes)}", "", note))
    return told


def reading_share(probe: ProbeStatus | None) -> float | None:
    """How much of a capture is read, 0 to 1; None when none is being read."""
    if probe is None or probe.state != "reading":
        return None
    return min(1.0, probe.read_bytes / max(1, probe.size_bytes))


def what_to_do(trouble: Trouble) -> str:
    """Advice, when it is tried again, and since when nothing was heard."""
    again = f"Trying again in {trouble.retry_in_s:.0f} s." if trouble.retry_in_s >= 1 else ""
    since = f"Nothing heard since {clock_time(trouble.since_ns)}."
    return " ".join(part for part in (trouble.advice, again, since) if part)
