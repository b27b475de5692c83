"""What is measured of the process and the machine, under MoleculerJS's names.

What only its JavaScript engine has (spaces of a heap and the like) is there
without values: nothing is made up.
"""

from __future__ import annotations

import getpass
import os
import platform
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final

import psutil

from broker.clock import SECOND
from broker.node.metrics.metric import Labels
from broker.node.metrics.process_names import make
from broker.node.metrics.registry import MetricRegistry

_FAMILIES: Final = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}

_Found = Iterator[tuple[str, Any, Labels | None]]


class ProcessMetrics:
    """Looks at process and machine when somebody reads and the last look is too old."""

    def __init__(self, registry: MetricRegistry, interval_s: float, now_ns: int) -> None:
        """Make the metrics, and look once at what does not change.

        Args:
            registry: Gets the metrics.
            interval_s: The age up to which a look is good.
            now_ns: The moment, in ns since the epoch.
        """
        self._registry = registry
        self._interval_ns = int(interval_s * SECOND)
        self._looked_ns = now_ns - self._interval_ns
        self._process = psutil.Process()
        make(registry)
        psutil.cpu_percent(interval=None)  # the next one tells what was since now
        self._set(_unchanging())

    def look(self, now_ns: int) -> None:
        """Look, unless the last look was just now."""
        if now_ns - self._looked_ns >= self._interval_ns:
            self._looked_ns = now_ns
            self._set(self._of_process(now_ns))
            self._set(_of_machine(now_ns))
            self._set(_of_network())
            self._set(_of_cpus())

    def _set(self, found: _Found) -> None:
        for name, value, labels in found:
            self._registry.set(name, value, labels)

    def _of_process(self, now_ns: int) -> _Found:
        resident = self._process.memory_info().rss
        yield "process.memory.rss", resident, None
        yield "process.memory.heap.size.total", resident, None
        yield "process.memory.heap.size.used", resident, None
        yield "process.memory.external", 0, None
        yield "process.uptime", now_ns / SECOND - self._process.create_time(), None
        with suppress(psutil.Error, AttributeError):  # not on every system
            yield "process.internal.active.handles", self._process.num_fds(), None


def _unchanging() -> _Found:
    for index, argument in enumerate(sys.argv):
        yield "process.arguments", argument, {"index": index}
    yield "process.pid", os.getpid(), None
    yield "process.ppid", os.getppid(), None
    yield "os.type", platform.system(), None
    yield "os.release", platform.release(), None
    yield "os.hostname", socket.gethostname(), None
    yield "os.arch", platform.machine(), None
    yield "os.platform", sys.platform, None
    if hasattr(os, "getuid"):
        yield "os.user.uid", os.getuid(), None
        yield "os.user.gid", os.getgid(), None
    with suppress(OSError, KeyError, ImportError):  # a user without a name
        yield "os.user.username", getpass.getuser(), None
    with suppress(RuntimeError):
        yield "os.user.homedir", str(Path.home()), None
    for index in range(psutil.cpu_count() or 0):
        yield "os.cpu.info.model", _cpu_model(), {"index": index}


def _of_machine(now_ns: int) -> _Found:
    memory = psutil.virtual_memory()
    yield "os.memory.free", memory.available, None
    yield "os.memory.used", memory.total - memory.available, None
    yield "os.memory.total", memory.total, None
    yield "os.uptime", now_ns / SECOND - psutil.boot_time(), None
    now = datetime.fromtimestamp(now_ns / SECOND, UTC)
    yield "os.datetime.unix", now_ns // 1_000_000, None
    yield "os.datetime.iso", now.isoformat(timespec="milliseconds").replace("+00:00", "Z"), None
    yield "os.datetime.utc", format_datetime(now, usegmt=True), None
    yield "os.datetime.tz.offset", -time.localtime(now_ns / SECOND).tm_gmtoff // 60, None
    for minutes, load in zip((1, 5, 15), psutil.getloadavg(), strict=True):
        yield f"os.cpu.load.{minutes}", load, None


def _of_network() -> _Found:
    outside: list[tuple[str, str, str]] = []
    loopback: list[tuple[str, str, str]] = []
    macs: dict[str, str] = {}
    for interface, addresses in psutil.net_if_addrs().items():
        for address in addresses:
            family = _FAMILIES.get(address.family)
            if family is None:
                macs[interface] = address.address.lower()
                continue
            bare = address.address.partition("%")[0]
            (loopback if bare in ("::1", "127.0.0.1") else outside).append((interface, family, bare))
    for interface, family, bare in outside or loopback:
        labels = {"interface": interface, "family": family}
        yield "os.network.address", bare, labels
        if interface in macs:
            yield "os.network.mac", macs[interface], labels


def _of_cpus() -> _Found:
    yield "os.cpu.utilization", round(psutil.cpu_percent(interval=None)), None
    times = psutil.cpu_times(percpu=True)
    yield "os.cpu.total", len(times), None
    yield "os.cpu.user", sum(round(each.user * 1000) for each in times), None
    yield "os.cpu.system", sum(round(each.system * 1000) for each in times), None
    for index, each in enumerate(times):
        yield "os.cpu.info.times.user", round(each.user * 1000), {"index": index}
        yield "os.cpu.info.times.sys", round(each.system * 1000), {"index": index}
    speed_mhz = getattr(psutil.cpu_freq(), "current", None)
    for index in range(len(times) if speed_mhz is not None else 0):
        yield "os.cpu.info.speed", speed_mhz, {"index": index}


def _cpu_model() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
