"""What a probe says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from broker.operate.permissions import Permission

ProbeState = Literal["connecting", "listening", "gap", "reading", "read", "ended"]


@dataclass(frozen=True, slots=True)
class ProbeStatus:
    """How a session stands.

    Attributes:
        state: connecting, listening, in a gap; reading a capture, having read it; ended.
        message, advice: Why, and what to do, where something is wrong; otherwise empty.
        url: Of the bus, without secrets; of a capture, its path.
        may: What we may publish, as the session was opened.
        may_now: What we may publish now; more than that while it is unlocked.
        unlocked_until_ns: When it is locked again; 0 while it is not unlocked.
        is_announced: Whether we are a node in everybody's registry.
        node_id: Ours; empty while we are nobody.
        namespaces: Those heard so far.
        cpu_percent: Of one core, of the probe's process.
        memory_bytes: Of the probe's process.
        capture_bytes: On disk now.
        ring_bytes: How much that may become; 0 without a ring.
        capture_trouble: Why frames are not being kept; empty while they are.
        lost_frames: Frames that did not reach the disk.
        recording: Path of the file being recorded; empty for none.
        recording_bytes: Its size.
        recording_ended: How the last recording ended by itself (size, time); empty if it did not.
        unsent_bytes: Waiting in the pipe to the window.
        rows_dropped: Rows that the window did not take in time.
        read_bytes, size_bytes, frames: Progress in a capture.
    """

    state: ProbeState = "connecting"
    message: str = ""
    advice: str = ""
    url: str = ""
    may: Permission = "see"
    may_now: Permission = "see"
    unlocked_until_ns: int = 0
    is_announced: bool = False
    node_id: str = ""
    namespaces: tuple[str, ...] = ()
    cpu_percent: float = 0.0
    memory_bytes: int = 0
    capture_bytes: int = 0
    ring_bytes: int = 0
    capture_trouble: str = ""
    lost_frames: int = 0
    recording: str = ""
    recording_bytes: int = 0
    recording_ended: str = ""
    unsent_bytes: int = 0
    rows_dropped: int = 0
    read_bytes: int = 0
    size_bytes: int = 0
    frames: int = 0
