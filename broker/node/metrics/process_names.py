"""The metrics of process and machine: their names, labels, units and descriptions are those of MoleculerJS."""

from __future__ import annotations

from typing import Final

from broker.node.metrics.registry import MetricRegistry

_INFOS: Final = {
    "process.pid": "Process PID",
    "process.ppid": "Process parent PID",
    "process.versions.node": "Node version",
    "os.type": "OS type",
    "os.release": "OS release",
    "os.hostname": "Hostname",
    "os.arch": "OS architecture",
    "os.platform": "OS platform",
    "os.user.uid": "UID",
    "os.user.gid": "GID",
    "os.user.username": "Username",
    "os.user.homedir": "User's home directory",
    "os.datetime.iso": "Current datetime in ISO string",
    "os.datetime.utc": "Current UTC datetime",
}
_LABELLED_INFOS: Final = {
    "process.arguments": (("index",), "Process arguments"),
    "os.network.address": (("interface", "family"), "Network address"),
    "os.network.mac": (("interface", "family"), "MAC address"),
    "os.cpu.info.model": (("index",), "CPU model"),
}
_BYTES: Final = {
    "process.memory.heap.size.total": "Process heap size",
    "process.memory.heap.size.used": "Process used heap size",
    "process.memory.rss": "Process RSS size",
    "process.memory.external": "Process external memory size",
    "process.memory.heap.stat.heap.size.total": "Process heap stat size",
    "process.memory.heap.stat.executable.size.total": "Process heap stat executable size",
    "process.memory.heap.stat.physical.size.total": "Process heap stat physical size",
    "process.memory.heap.stat.available.size.total": "Process heap stat available size",
    "process.memory.heap.stat.used.heap.size": "Process heap stat used size",
    "process.memory.heap.stat.heap.size.limit": "Process heap stat size limit",
    "process.memory.heap.stat.mallocated.memory": "Process heap stat mallocated size",
    "process.memory.heap.stat.peak.mallocated.memory": "Peak of process heap stat mallocated size",
    "os.memory.free": "OS free memory size",
    "os.memory.used": "OS used memory size",
    "os.memory.total": "OS total memory size",
}
_HEAP_SPACES: Final = {
    "process.memory.heap.space.size.total": "Process total heap space size",
    "process.memory.heap.space.size.used": "Process used heap space size",
    "process.memory.heap.space.size.available": "Process available heap space size",
    "process.memory.heap.space.size.physical": "Process physical heap space size",
}
_GAUGES: Final = {
    "process.memory.heap.stat.zap.garbage": (None, "Process heap stat zap garbage"),
    "process.uptime": ("second", "Process uptime"),
    "process.internal.active.handles": ("handle", "Number of active process handlers"),
    "os.uptime": ("second", "OS uptime"),
    "os.datetime.unix": (None, "Current datetime in Unix format"),
    "os.datetime.tz.offset": (None, "Timezone offset"),
    "os.cpu.load.1": (None, "CPU load1"),
    "os.cpu.load.5": (None, "CPU load5"),
    "os.cpu.load.15": (None, "CPU load15"),
    "os.cpu.utilization": (None, "CPU utilization"),
    "os.cpu.user": (None, "CPU user time"),
    "os.cpu.system": (None, "CPU system time"),
    "os.cpu.total": ("cpu", "Number of CPUs"),
}
_CPU_GAUGES: Final = {
    "os.cpu.info.speed": ("GHz", "CPU speed"),
    "os.cpu.info.times.user": (None, "CPU user time"),
    "os.cpu.info.times.sys": (None, "CPU system time"),
}


def make(registry: MetricRegistry) -> None:
    """Have these metrics in the registry."""
    for name, description in _INFOS.items():
        registry.info(name, description=description)
    for name, (labels, description) in _LABELLED_INFOS.items():
        registry.info(name, labels, description=description)
    for name, description in _BYTES.items():
        registry.gauge(name, unit="byte", description=description)
    for name, description in _HEAP_SPACES.items():
        registry.gauge(name, ("space",), unit="byte", description=description)
    for name, (unit, description) in _GAUGES.items():
        registry.gauge(name, unit=unit, description=description)
    for name, (unit, description) in _CPU_GAUGES.items():
        registry.gauge(name, ("index",), unit=unit, description=description)
