import contextlib
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.observe.journal import (
    CALL_COLUMNS,
    COUNTER_COLUMNS,
    EVENT_COLUMNS,
    Batch,
    Name,
    NameKind,
    OpenCall,
    StateChange,
    Tally,
)
from broker.probe.outbox import Outbox
from broker.probe.pipe import (
    BatchBuilder,
    PipeError,
    Unpacker,
    batch_messages,
    check_greeting,
    encodable,
    greeting,
    pack,
)

TEXTS = st.text(max_size=20)


def rows(dtype: np.dtype, count: int) -> np.ndarray:
    """Rows of random bytes, which are valid for every column but floats."""
    raw = np.random.default_rng(count).integers(0, 256, count * dtype.itemsize, np.uint8).view(dtype)
    if "duration_s" in (dtype.names or ()):
        raw["duration_s"] = np.arange(count)
    return raw


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    return Batch(
        through_ns=draw(st.integers(0, 2**62)),
        names=draw(st.lists(st.builds(Name, st.sampled_from(NameKind), st.integers(0, 9), st.integers(0, 9), TEXTS))),
        calls=rows(CALL_COLUMNS, draw(st.integers(0, 5))),
        events=rows(EVENT_COLUMNS, draw(st.integers(0, 5))),
        counters=rows(COUNTER_COLUMNS, draw(st.integers(0, 5))),
        waiting=draw(st.lists(st.builds(OpenCall, *[st.integers(0, 2**63)] * 8), max_size=3)),
        changes=[
            StateChange("node", "ns", text, 1, {"a": [text, 1.5, None]}, "info") for text in draw(st.lists(TEXTS))
        ],
        tally=Tally(packets=draw(st.integers(0, 2**40)), undecodable_reasons={"why": 2}),
    )


def same(one: Batch, other: Batch) -> bool:
    plain = all(
        getattr(one, name) == getattr(other, name) for name in ("through_ns", "names", "waiting", "changes", "tally")
    )
    return plain and all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in ("calls", "events", "counters")
    )


@given(st.lists(batches(), max_size=3), st.lists(st.integers(1, 400)))
def test_batches_come_out_as_they_went_in_however_the_bytes_are_cut(sent: list[Batch], cuts: list[int]) -> None:
    stream = b"".join(pack(*message) for batch in sent for message in batch_messages(batch))
    unpacker, builder, came = Unpacker(), BatchBuilder(), []
    while stream:
        size = cuts.pop() if cuts else len(stream)
        for message in unpacker.feed(stream[:size]):
            batch = builder.take(message)
            if batch is not None:
                came.append(batch)
        stream = stream[size:]
    assert len(came) == len(sent)
    assert all(same(one, other) for one, other in zip(came, sent, strict=True))


@given(st.binary(max_size=300))
def test_any_bytes_are_messages_or_a_message_about_them(data: bytes) -> None:
    with contextlib.suppress(PipeError):
        for message in Unpacker().feed(data):
            check_greeting(message, of="probe")


def test_unequal_formats_are_refused_and_both_versions_named() -> None:
    kind, body = greeting()
    check_greeting((kind, body), of="probe")
    with pytest.raises(PipeError, match=r"the probe is Meshscope 9\.9 \(format \[7, 1\]\), this is Meshscope \d"):
        check_greeting((kind, body | {"version": "9.9", "format": [7, 1]}), of="probe")
    with pytest.raises(PipeError, match="Install the same version"):
        check_greeting((kind, body | {"layout": {"calls": []}}), of="window")
    with pytest.raises(PipeError, match="the probe began with 'bye', expected 'meshscope'"):
        check_greeting(("bye", None), of="probe")


class Dam:
    """A stream that takes nothing until it is opened, and keeps what it took."""

    def __init__(self) -> None:
        self.taken = b""
        self.gate = threading.Event()

    def write(self, data: bytes) -> int:
        self.gate.wait(10)
        self.taken += bytes(data[:1000])
        return min(1000, len(data))


def until(is_so) -> None:
    deadline_s = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.002)


def test_a_window_that_does_not_read_costs_rows_and_nothing_else() -> None:
    dam = Dam()
    outbox = Outbox(dam, lambda: None, max_unsent_bytes=10_000)
    for number in range(1, 51):
        name = Name(NameKind.NODE, number, 1, f"node-{number}")
        change = StateChange("node", "ns", f"node-{number}", number, {}, "info")
        tally = Tally(packets=number)
        outbox.send_batch(Batch(number, [name], rows(CALL_COLUMNS, 10), changes=[change], tally=tally))
    assert outbox.unsent_bytes < 13_000
    dropped = outbox.rows_dropped
    assert dropped > 300
    dam.gate.set()
    until(lambda: outbox.unsent_bytes == 0)
    outbox.send_batch(Batch(51, calls=rows(CALL_COLUMNS, 1), tally=Tally(packets=51)))
    outbox.close()
    builder = BatchBuilder()
    came = [batch for message in Unpacker().feed(dam.taken) if (batch := builder.take(message)) is not None]
    assert [name.number for batch in came for name in batch.names] == list(range(1, 51))
    assert [change.at_ns for batch in came for change in batch.changes] == list(range(1, 51))
    assert sum(len(batch.calls) for batch in came) == 501 - dropped
    assert came[-1].tally.rows_dropped == dropped
    assert came[-1].tally.packets == 51


def test_a_closed_pipe_is_told_of_and_waits_for_nobody() -> None:
    class Broken:
        def write(self, data: bytes) -> int:
            raise BrokenPipeError(len(data))

    told = threading.Event()
    outbox = Outbox(Broken(), told.set)
    outbox.send("hello", None)
    assert told.wait(5)
    outbox.close()


def test_half_a_letter_crosses_as_json_escapes_it() -> None:
    ((_, body),) = Unpacker().feed(
        pack("command", encodable({"call": {"params": '{"a": "\ud800é"}', "groups": ("x",)}}))
    )
    assert body == {"call": {"params": '{"a": "\\ud800é"}', "groups": ["x"]}}
