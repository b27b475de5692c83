"""The demo as a process: start the bus, open the shop, say where it is, end when told."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Sequence

from broker.demo.bus import NoBusError, RedisBus
from broker.demo.demo import DEFAULT_NAMESPACE, DEFAULT_RATE


def run_demo(
    *, rate: float, namespace: str, seed: int | None = None, pace: float = 1.0, watch_stdin: bool = True
) -> int:
    """Run the shop until SIGTERM, SIGINT or the end of standard input.

    Prints one line of JSON when all nodes are up: ``{"url", "namespace", "nodes"}``.

    Args:
        rate: Calls a second between nodes.
        namespace: Of the mesh.
        seed: Of all chance; None for another one each time.
        pace: How many times faster troubles and deaths follow each other.
        watch_stdin: Whether the end of standard input ends it.

    Returns:
        The exit code: 0 ended as told, 1 could not start; standard error says why.
    """
    if not hasattr(os, "fork"):
        sys.stderr.write("The demo forks its nodes, which this system cannot: run it on Linux, macOS or in WSL.\n")
        return 1
    bus = RedisBus()
    try:
        bus.begin()
        # imported while the server starts: together they would take half as long again
        from broker.demo.member import ShopSettings  # noqa: PLC0415
        from broker.demo.plan import NODES  # noqa: PLC0415
        from broker.demo.shopkeeper import Shopkeeper  # noqa: PLC0415

        bus.wait()
        chosen_seed = random.randrange(2**31) if seed is None else seed
        shopkeeper = Shopkeeper(ShopSettings(bus.url, namespace, time.monotonic(), chosen_seed, rate, pace))
        try:
            shopkeeper.open()
            sys.stdout.write(json.dumps({"url": bus.url, "namespace": namespace, "nodes": len(NODES)}) + "\n")
            sys.stdout.flush()
            shopkeeper.keep(0 if watch_stdin else None)
        finally:
            shopkeeper.close()
    except (NoBusError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        bus.end()
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m broker.demo [--rate N] [--namespace NS] [--seed N] [--pace X] [--keep]``."""
    parser = argparse.ArgumentParser(prog="python -m broker.demo", description="A small shop as a Moleculer mesh.")
    parser.add_argument("--rate", type=float, default=DEFAULT_RATE, help="calls a second between nodes")
    parser.add_argument("--namespace", default=DEFAULT_NAMESPACE, help="namespace of the mesh")
    parser.add_argument("--seed", type=int, default=None, help="the same seed gives the same troubles")
    parser.add_argument("--pace", type=float, default=1.0, help="how many times faster troubles follow each other")
    parser.add_argument("--keep", action="store_true", help="do not end with standard input")
    options = parser.parse_args(argv)
    if not 0 < options.rate <= 5000:
        parser.error(f"--rate is {options.rate:g}, expected a number above 0 and up to 5000")
    if not 0 < options.pace <= 100:
        parser.error(f"--pace is {options.pace:g}, expected a number above 0 and up to 100")
    return run_demo(
        rate=options.rate,
        namespace=options.namespace,
        seed=options.seed,
        pace=options.pace,
        watch_stdin=not options.keep,
    )
