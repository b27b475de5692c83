"""What a node says of the machine it runs on."""

from __future__ import annotations

import os
import platform
import socket
import sys
from datetime import UTC, datetime
from email.utils import format_datetime
from importlib import metadata
from typing import Any, Final

import psutil


def client_info() -> dict[str, str]:
    """INFO's ``client``."""
    try:
        version = metadata.version("meshscope")
    except metadata.PackageNotFoundError:
        version = "0"
    return {"type": "python", "version": version, "langVersion": platform.python_version()}


def ip_list() -> list[str]:
    """IPv4 addresses, those of other interfaces than loopback if there are any."""
    addresses = [
        address.address
        for entries in psutil.net_if_addrs().values()
        for address in entries
        if address.family == socket.AF_INET
    ]
    outside = [address for address in addresses if not address.startswith("127.")]
    return outside or addresses


def cpu_percent() -> float:
    """How busy the machine was since this was last asked, over all cores."""
    return float(psutil.cpu_percent(interval=None))


_ARCHITECTURES: Final = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "i686": "ia32", "armv7l": "arm"}
"""Node.js's names of them."""


def _user() -> dict[str, Any]:
    """Who runs this process; nothing where the system does not know such users."""
    try:
        import pwd  # noqa: PLC0415 - not on every system
    except ImportError:
        return {}
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:
        return {}
    return {
        "uid": entry.pw_uid,
        "gid": entry.pw_gid,
        "username": entry.pw_name,
        "homedir": entry.pw_dir,
        "shell": entry.pw_shell,
    }


def health() -> dict[str, Any]:
    """What ``$node.health`` answers, in MoleculerJS's shape (``mem.percent`` is what is free)."""
    load1, load5, load15 = os.getloadavg() if hasattr(os, "getloadavg") else (0.0, 0.0, 0.0)
    cores = os.cpu_count() or 1
    memory = psutil.virtual_memory()
    process = psutil.Process()
    resident = process.memory_info().rss
    now = datetime.now(UTC)
    return {
        "cpu": {
            "load1": load1,
            "load5": load5,
            "load15": load15,
            "cores": cores,
            "utilization": min(int(load1 * 100 / cores), 100),
        },
        "mem": {"free": memory.available, "total": memory.total, "percent": memory.available * 100 / memory.total},
        "os": {
            "uptime": now.timestamp() - psutil.boot_time(),
            "type": platform.system(),
            "release": platform.release(),
            "hostname": socket.gethostname(),
            "arch": _ARCHITECTURES.get(platform.machine().lower(), platform.machine()),
            "platform": sys.platform,
            "user": _user(),
        },
        "process": {
            "pid": process.pid,
            "memory": {
                "rss": resident,
                "heapTotal": resident,
                "heapUsed": resident,
                "external": 0,
                "arrayBuffers": 0,
            },
            "uptime": now.timestamp() - process.create_time(),
            "argv": [sys.executable, *sys.argv],
        },
        "client": client_info(),
        "net": {"ip": ip_list()},
        "time": {
            "now": int(now.timestamp() * 1000),
            "iso": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "utc": format_datetime(now, usegmt=True),
        },
    }
