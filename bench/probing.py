"""A probe process as benches attach it: a real child, its batches taken and dropped."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from broker.observe.journal import Batch
from broker.probe.client import ProbeCallbacks, ProbeClient, SessionOptions


@contextlib.contextmanager
def probe_attached(port: int) -> Iterator[None]:
    """A probe that listens to the Redis on this loopback port, capture included, as the window uses it."""
    hears = threading.Event()

    def on_batch(batch: Batch) -> None:
        if batch.tally.packets:
            hears.set()

    client = ProbeClient(ProbeCallbacks(on_batch=on_batch))
    client.open(SessionOptions(url=f"redis://127.0.0.1:{port}", keeps_catalogue=False))
    try:
        if not hears.wait(20):
            raise TimeoutError("the probe heard nothing within 20 s")
        yield
    finally:
        client.close()
