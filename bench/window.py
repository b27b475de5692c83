"""The window with 10,000 packets/s arriving, 1,000 nodes and 5,000 edges, beside a bare Qt window in the same run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.servers import redis_server
from broker.demo import Demo

PACKETS_PER_S, NODES, EDGES = 10_000, 1_000, 5_000
SHOWN_S = 24.0
TIMES = 3
LONGER_MS = 30.0
CPU_SHARE = 0.25


def run() -> dict[str, Any]:
    """Measure and print. Returns gaps of both windows, their difference, and the share of a core."""
    with redis_server() as port:
        command = [sys.executable, "-m", "bench.flood", str(port), str(PACKETS_PER_S), str(NODES), str(EDGES)]
        flood = subprocess.Popen(command, stdin=subprocess.PIPE)
        try:
            bare = _window("bare", port)
            mesh = _window("mesh", port)
        finally:
            assert flood.stdin is not None
            flood.stdin.close()
            flood.wait(10)
    print(f"{'':<6} {'median':>8} {'p99':>8} {'worst':>8}   core")
    for name, found in (("bare", bare), ("mesh", mesh)):
        print(
            f"{name:<6} {found['median_ms']:6.1f}ms {found['p99_ms']:6.1f}ms {found['worst_ms']:6.1f}ms "
            f"{found['cpu_share'] * 100:5.1f}%"
        )
    longer = {key: mesh[key] - bare[key] for key in ("median_ms", "p99_ms", "worst_ms")}
    print(
        f"longer by {longer['p99_ms']:.1f} ms at p99, {longer['worst_ms']:.1f} ms at worst; budget {LONGER_MS:.0f} ms; "
        f"core {mesh['cpu_share'] * 100:.0f} %, budget {CPU_SHARE * 100:.0f} %"
    )
    budgets = {"budget_longer_ms": LONGER_MS, "budget_cpu": CPU_SHARE}
    return {"bare": bare, "mesh": mesh, "longer_ms": longer, "demo_start": _demo_start(), **budgets}


def _demo_start() -> dict[str, float]:
    """How long all nodes of the demo take to be up, beside one bare Python, in seconds; the shortest of three each."""
    python_s = min(_took_s(_run_python) for _ in range(TIMES))
    demo_s = min(_took_s(_run_demo) for _ in range(TIMES))
    print(f"the demo is up after {demo_s:.2f} s, as long as {demo_s / python_s:.0f} starts of a bare Python")
    return {"demo_s": demo_s, "python_s": python_s}


def _took_s(work: Callable[[], Callable[[], object]]) -> float:
    begun_s = time.perf_counter()
    end = work()
    took_s = time.perf_counter() - begun_s
    end()
    return took_s


def _run_python() -> Callable[[], object]:
    subprocess.run([sys.executable, "-c", ""], check=True)
    return lambda: None


def _run_demo() -> Callable[[], object]:
    return Demo(seed=1).start().stop


def _window(kind: str, port: int) -> dict[str, float]:
    url = f"redis://127.0.0.1:{port}"
    command = [sys.executable, "-m", "bench.window_child", kind, url, str(SHOWN_S), "build/bench-window.png"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"the {kind} window failed: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))
