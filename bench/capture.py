"""A capture of ten million packets: opened for the first time, and again from the journal that is kept of it.

The controls are plain readings of the same bytes. Opening again is measured
as the command line does it, and as the window does it, through a probe.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import threading
from pathlib import Path
from time import perf_counter, sleep
from typing import Any, Final

import zstandard

from broker.capture.journal.attachment import attach
from broker.capture.journal.file import JournalReader
from broker.capture.journal.shelf import JournalShelf
from broker.capture.reader import CaptureReader
from broker.capture.writer import CaptureWriter
from broker.clock import SECOND
from broker.mesh.timeline import Timeline
from broker.observe.journal import Batch
from broker.probe import spare
from broker.probe.client import ProbeCallbacks, ProbeClient, SessionOptions
from broker.probe.offline import load
from broker.probe.status import ProbeStatus

PACKETS: Final = 10_000_000
ACTIONS: Final = 300
SERVICES: Final = 30
REPLICAS: Final = 4
EDGES: Final = 500
CALLS_A_TRACE: Final = 4
BEGIN_NS: Final = 1_700_000_000 * SECOND
TIMES: Final = 3
READY_S: Final = 3.0
"""A probe that was started so long ago waits for its first word."""

BUDGET_PACKETS_A_SECOND: Final = 80_000
BUDGET_FIRST_S: Final = 1.0
BUDGET_AGAIN_S: Final = 2.0

REQUEST: Final = (
    b'{"ver":"5","sender":"node-%d","id":"%s","action":"service%d.action%d","params":{"id":%d,"name":"somebody",'
    b'"list":[1,2,3],"ref":"%s"},"meta":{"user":{"id":%d}},"timeout":10000,"level":%d,"tracing":null,"parentID":%s,'
    b'"requestID":"%s","caller":"service%d","stream":false}'
)
RESPONSE: Final = (
    b'{"ver":"5","sender":"node-%d","id":"%s","success":true,"data":{"id":%d,"name":"somebody","at":%d,"tags":'
    b'["one","two"],"ref":"%s"},"meta":{"user":{"id":%d}},"stream":false}'
)


def uuid(chance: random.Random) -> bytes:
    """A UUID as Moleculer writes it."""
    text = f"{chance.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}".encode()


def write_capture(path: Path, packets: int) -> None:
    """Nested calls, some 50,000 packets a second of the mesh's own time."""
    chance = random.Random(11)
    edges = [(chance.randrange(SERVICES), chance.randrange(ACTIONS)) for _ in range(EDGES)]
    writer = CaptureWriter.file(path)
    at_ns, written = BEGIN_NS, 0
    while written < packets:
        trace, parent, open_calls = uuid(chance), b"null", []
        for level in range(1, CALLS_A_TRACE + 1):
            caller, action = edges[int(chance.random() ** 2 * EDGES)]
            source = caller * REPLICAS + chance.randrange(REPLICAS)
            target = action // 10 * REPLICAS + chance.randrange(REPLICAS)
            call, user = uuid(chance), chance.randrange(10_000)
            fields = (source, call, action // 10, action, user, call[:8], user, level, parent, trace, caller)
            at_ns += chance.randrange(5_000, 35_000)
            writer.write(at_ns, [(b"MOL.REQ.node-%d" % target, REQUEST % fields)])
            open_calls.append((call, source, target, user))
            parent = b'"%s"' % call
        for call, source, target, user in reversed(open_calls):
            at_ns += chance.randrange(5_000, 35_000)
            body = RESPONSE % (target, call, user, at_ns, call[9:23], user)
            writer.write(at_ns, [(b"MOL.RES.node-%d" % source, body)])
        written += 2 * CALLS_A_TRACE
        writer.catch_up()
    writer.close()


def read_plainly(path: Path) -> float:
    """Seconds to read a file's bytes and do nothing with them."""
    begin = perf_counter()
    with path.open("rb", buffering=0) as file:
        while file.read(1 << 20):
            pass
    return perf_counter() - begin


def unpack_plainly(journal: Path) -> float:
    """Seconds to read a journal's blocks, unpack them and do nothing with them."""
    begin = perf_counter()
    with journal.open("rb") as file:
        reader = JournalReader(file, 0, journal.stat().st_size)
        for block in reader.index.blocks:
            file.seek(block.offset)
            zstandard.ZstdDecompressor().decompress(file.read(block.length), max_output_size=block.raw_length)
    return perf_counter() - begin


def frames_plainly(path: Path) -> float:
    """Seconds to take all frames out of a capture and do nothing with them."""
    begin = perf_counter()
    for _ in CaptureReader(path).groups():
        pass
    return perf_counter() - begin


def as_recording(capture: Path, journal: Path) -> Path:
    """A copy of a capture that holds its journal, as a recording does."""
    recording = capture.with_name("recording.mcap")
    shutil.copyfile(capture, recording)
    with journal.open("rb") as file:
        attach(recording, file, BEGIN_NS)
    return recording


def open_here(path: Path, shelf: JournalShelf) -> dict[str, float]:
    """Open as the command line does: seconds to the first rows and to the last."""
    timeline, first_s = Timeline(), 0.0
    begin = perf_counter()

    def take(batch: Batch) -> None:
        nonlocal first_s
        timeline.take(batch)
        if not first_s and len(batch.calls):
            first_s = perf_counter() - begin

    reader = load(path, take, shelf=shelf)
    spent_s = perf_counter() - begin
    return {
        "first_s": round(first_s, 3),
        "all_s": round(spent_s, 3),
        "packets": reader.frames,
        "is_from_journal": reader.is_from_journal,
        "calls": timeline.snapshot().call_count,
    }


def open_in_window(path: Path, folder: Path, *, is_ready: bool) -> dict[str, float]:
    """Open as the window does: with the probe that it has ready since the program was started, or with a new one."""
    timeline, is_read, first_s = Timeline(), threading.Event(), 0.0

    def take(batch: Batch) -> None:
        nonlocal first_s
        timeline.take(batch)
        if not first_s and len(batch.calls):
            first_s = perf_counter() - begin

    def on_status(status: ProbeStatus) -> None:
        if status.state == "read":
            is_read.set()

    client = ProbeClient(ProbeCallbacks(on_batch=take, on_status=on_status))
    if is_ready:
        spare.prepare()
        sleep(READY_S)
    begin = perf_counter()
    client.open(SessionOptions(path=str(path), journal_folder=str(folder)))
    try:
        if not is_read.wait(120):
            raise TimeoutError("the capture was not read within 120 s")
        spent_s = perf_counter() - begin
    finally:
        client.close()
    return {"first_s": round(first_s, 3), "all_s": round(spent_s, 3), "calls": timeline.snapshot().call_count}


def shortest(found: list[dict[str, float]]) -> dict[str, float]:
    """The run that took the shortest time."""
    return min(found, key=lambda one: one["all_s"])


def run() -> dict[str, Any]:
    """Measure; returns the figures and whether each budget is kept."""
    with tempfile.TemporaryDirectory() as name:
        path, journals = Path(name) / "ten-million.mcap", Path(name) / "journals"
        write_capture(path, PACKETS)
        shelf = JournalShelf(journals)
        frames_s = frames_plainly(path)
        first = open_here(path, shelf)
        [journal] = journals.iterdir()
        results: dict[str, Any] = {
            "packets": first["packets"],
            "capture_bytes": path.stat().st_size,
            "journal_bytes": journal.stat().st_size,
            "journal_bytes_a_call": round(journal.stat().st_size / first["calls"], 1),
            "reading_bytes_s": round(read_plainly(path), 3),
            "reading_frames_s": round(frames_s, 3),
            "first_opening": first,
            "first_opening_packets_a_second": round(first["packets"] / first["all_s"]),
        }
        results |= reopened(path, journal, shelf)
    for what, value in results.items():
        print(f"  {what:<36}{value}")
    results["kept"] = {
        "first_opening": results["first_opening_packets_a_second"] >= BUDGET_PACKETS_A_SECOND,
        "something_after": first["first_s"] <= BUDGET_FIRST_S,
        "again": results["again"]["all_s"] <= BUDGET_AGAIN_S,
        "recording": results["recording"]["all_s"] <= BUDGET_AGAIN_S,
        "recording_in_window": results["recording_in_window"]["all_s"] <= BUDGET_AGAIN_S,
    }
    print(f"  kept: {results['kept']}")
    return results


def reopened(path: Path, journal: Path, shelf: JournalShelf) -> dict[str, Any]:
    """A capture whose journal is on the shelf, and one that holds it, opened again.

    The journal in a recording is somebody's until it was looked at: the first
    time stands for itself, the shortest of the others is one that knows it.
    """
    recording = as_recording(path, journal)
    empty = [path.with_name(f"empty-{number}") for number in range(2 * TIMES)]  # nothing is known in these folders
    return {
        "unpacking_journal_s": round(min(unpack_plainly(journal) for _ in range(TIMES)), 3),
        "again": shortest([open_here(path, shelf) for _ in range(TIMES)]),
        "recording_the_first_time": shortest([open_here(recording, JournalShelf(folder)) for folder in empty[:TIMES]]),
        "recording": shortest([open_here(recording, shelf) for _ in range(TIMES)]),
        "recording_in_window_the_first_time": shortest(
            [open_in_window(recording, folder, is_ready=True) for folder in empty[TIMES:]]
        ),
        "recording_in_window": shortest([open_in_window(recording, shelf.folder, is_ready=True) for _ in range(TIMES)]),
        "recording_with_a_new_probe": shortest(
            [open_in_window(recording, shelf.folder, is_ready=False) for _ in range(TIMES)]
        ),
    }
