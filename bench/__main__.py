"""`make bench`: runs every bench (or those named), prints tables, writes bench.json.

A bench is a module of this package with `run() -> dict`; what it returns goes
into the file under its name. Absolute times are for orientation on a shared
machine; ratios within one run count.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.turns import LEAST_PAIRS, NotMeasured, Plan

BENCHES = ("tap", "effect", "timeline", "capture", "graph", "window", "node")


def main() -> int:
    """Run the benches named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument(
        "benches", nargs="*", metavar="BENCH", help=f"any of {', '.join(BENCHES)}; all if none is named"
    )
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    effect = parser.add_argument_group("effect", "how long, and in which orders")
    effect.add_argument("--seconds", type=float, default=Plan.seconds, help="no round begins later; %(default).0f")
    effect.add_argument("--pairs", type=int, help=f"no more rounds than this, at least {LEAST_PAIRS}")
    effect.add_argument("--seed", type=int, help="of the orders in which listeners take turns; printed")
    chosen = parser.parse_args()
    unknown = set(chosen.benches) - set(BENCHES)
    if unknown:
        parser.error(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    if chosen.pairs is not None and chosen.pairs < LEAST_PAIRS:
        parser.error(f"--pairs is {chosen.pairs}, expected at least {LEAST_PAIRS}")
    results: dict[str, object] = {
        "measured": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    options: dict[str, dict[str, Any]] = {"effect": {"plan": _plan(chosen)}}
    refused = False
    for name in chosen.benches or BENCHES:
        print(f"\n== {name}", flush=True)
        try:
            results[name] = importlib.import_module(f"bench.{name}").run(**options.get(name, {}))
        except NotMeasured as reason:
            print(f"REFUSED, nothing is written of it: {reason}.", flush=True)
            refused = True
        chosen.out.write_text(json.dumps(results, indent=2) + "\n")
    print(f"\nwritten to {chosen.out}")
    return 1 if refused else 0


def _plan(chosen: argparse.Namespace) -> Plan:
    plan = Plan(chosen.seconds, chosen.pairs)
    return plan if chosen.seed is None else replace(plan, seed=chosen.seed)


if __name__ == "__main__":
    sys.exit(main())
