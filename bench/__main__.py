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
from pathlib import Path

BENCHES = ("tap", "effect", "timeline", "capture", "graph", "window", "node")


def main() -> int:
    """Run the benches named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument(
        "benches", nargs="*", metavar="BENCH", help=f"any of {', '.join(BENCHES)}; all if none is named"
    )
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    chosen = parser.parse_args()
    unknown = set(chosen.benches) - set(BENCHES)
    if unknown:
        parser.error(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    results: dict[str, object] = {
        "measured": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    for name in chosen.benches or BENCHES:
        print(f"\n== {name}", flush=True)
        results[name] = importlib.import_module(f"bench.{name}").run()
        chosen.out.write_text(json.dumps(results, indent=2) + "\n")
    print(f"\nwritten to {chosen.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
