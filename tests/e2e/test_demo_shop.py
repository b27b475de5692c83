"""The demo shop as a stranger on its bus sees it."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence

import psutil
import pytest

from broker.clock import SystemClock
from broker.demo import Demo, DemoError
from broker.demo.bus import NoBusError, find_server
from broker.protocol.frame import RawFrame
from broker.transport import ConnectionSettings, open_publisher, open_tap

PATIENCE_S = 60.0
SERVICES = {
    "$meshscope",
    "$node",
    "api",
    "bank",
    "catalog",
    "mail",
    "search",
    "stock",
    "users",
    "v1.payments",
    "v1.reports",
    "v2.orders",
    "watch",
}
CALLERS = {None, "api", "v2.orders", "v1.payments", "search", "mail"}


class Ear:
    """Keeps what passed."""

    def __init__(self) -> None:
        self.requests: dict[str, dict] = {}
        self.errors: list[dict] = []
        self.events: set[str] = set()
        self.offered: dict[str, set[str]] = {}
        self.instances: defaultdict[str, set[str]] = defaultdict(set)

    def feed(self, _at_ns: int, frames: Sequence[RawFrame]) -> None:
        for channel, body in frames:
            if channel.startswith(b"@"):
                continue
            command, packet = channel.split(b".")[1], json.loads(body)
            if command == b"REQ":
                self.requests[packet["id"]] = packet
            elif command == b"RES" and not packet["success"]:
                self.errors.append(packet["error"])
            elif command == b"EVENT":
                self.events.add(packet["event"])
            elif command == b"INFO":
                self.instances[packet["sender"]].add(packet["instanceID"])
                self.offered[packet["sender"]] = {service["fullName"] for service in packet["services"]}

    def callers(self) -> set[str | None]:
        """Who called, None for nodes that called outside of any service."""
        return {request["caller"] for request in self.requests.values()}

    def depth(self) -> int:
        """How many requests the longest chain of parents has."""
        deepest = 0
        for request in list(self.requests.values()):
            length, parent = 1, request["parentID"]
            while parent in self.requests:
                length, parent = length + 1, self.requests[parent]["parentID"]
            deepest = max(deepest, length)
        return deepest


def family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def wait_until_gone(processes: Sequence[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert alive == []


async def listen(url: str, ear: Ear, until) -> None:
    settings = ConnectionSettings.parse(url)
    tap = asyncio.create_task(open_tap(settings, SystemClock()).run(ear), name="tap")
    publisher = await open_publisher(settings)
    try:
        until_s = time.monotonic() + PATIENCE_S
        while not until() and time.monotonic() < until_s:
            # again and again: as long as the tap does not listen yet, it is answered unheard
            publisher.publish(b"MOL-shop.DISCOVER", b'{"ver":"5","sender":"stranger"}')
            await asyncio.sleep(0.1)
    finally:
        await publisher.close()
        tap.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await tap


def test_a_stranger_sees_services_nested_calls_events_and_errors_and_nothing_is_left_behind():
    ear = Ear()
    with Demo(rate=250, seed=1) as demo:
        processes = family(demo.pid)
        assert len(processes) == demo.nodes + 2  # the parent and the server
        asyncio.run(
            listen(
                demo.url,
                ear,
                lambda: (
                    len(ear.offered) == demo.nodes
                    and ear.depth() >= 4
                    and {error.get("code") for error in ear.errors} >= {409, 422}
                    and "order.created" in ear.events
                ),
            )
        )
        assert set().union(*ear.offered.values()) == SERVICES
    assert ear.depth() == 4
    assert {"order.created"} <= ear.events
    assert {error["type"] for error in ear.errors} >= {"OUT_OF_STOCK", "VALIDATION_ERROR"}
    assert ear.callers() >= CALLERS
    assert not any(request["action"].startswith("v1.reports") for request in ear.requests.values())
    wait_until_gone(processes)


def test_traffic_flows_by_itself():
    ear = Ear()
    with Demo(seed=2) as demo:
        asyncio.run(listen(demo.url, ear, lambda: len(ear.requests) > 20))
    assert len(ear.requests) > 20


def test_the_terminal_of_the_demo_is_told_of_errors_and_not_of_troubles_that_are_made_on_purpose():
    lines = [
        "import logging",
        "from broker.demo.member import say_errors_only",
        "say_errors_only()",
        "log = logging.getLogger('broker.node.discovery')",
        "log.warning('no heartbeat of stock-2')",
        "log.error('broken')",
    ]
    done = subprocess.run([sys.executable, "-c", "; ".join(lines)], capture_output=True, text=True, check=True)
    assert done.stderr == "broken\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the server of a killed parent at once")
def test_nothing_is_left_when_the_demo_is_killed():
    demo = Demo(seed=3).start()
    processes = family(demo.pid)
    os.kill(demo.pid, signal.SIGKILL)
    wait_until_gone(processes[1:])
    demo.stop()


def test_it_ends_on_sigterm_with_exit_code_0():
    argv = [sys.executable, "-m", "broker.demo", "--keep", "--namespace", "my.shop", "--rate", "50"]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        about = json.loads(process.stdout.readline())
        assert (about["namespace"], about["url"][:17]) == ("my.shop", "redis://127.0.0.1")
        processes = family(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    wait_until_gone(processes)


def test_the_bank_gets_into_trouble_breakers_open_and_a_node_dies_and_comes_back_as_another_instance():
    ear = Ear()
    with Demo(rate=300, seed=4, pace=8) as demo:
        asyncio.run(
            listen(
                demo.url,
                ear,
                lambda: len(ear.instances["stock-2"]) > 1 and "$circuit-breaker.opened" in ear.events,
            )
        )
    assert {"$circuit-breaker.opened"} <= ear.events
    assert len(ear.instances["stock-2"]) == 2
    assert all(len(instances) == 1 for node_id, instances in ear.instances.items() if node_id != "stock-2")
    assert {"CLEARING_DOWN", "BANK_UNREACHABLE"} <= {error.get("type") for error in ear.errors}


def test_without_a_server_it_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(NoBusError, match="apt install redis-server"):
        find_server()


def test_a_demo_that_cannot_start_says_why():
    with pytest.raises(DemoError, match="--rate is 0, expected a number above 0"):
        Demo(rate=0).start()
