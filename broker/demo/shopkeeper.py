"""The parent of all processes of the shop: forks them, kills one now and then, ends with its own parent."""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

from broker.demo.deaths import Deaths
from broker.demo.member import ShopSettings, run_member
from broker.demo.plan import NODES, NodePlan

_START_LIMIT_S = 15.0
_LEAVE_LIMIT_S = 3.0
_LOOK_EVERY_S = 0.25


class Shopkeeper:
    """Runs the shop's processes. Has no threads and no event loop, so that it may fork at any time."""

    def __init__(self, settings: ShopSettings) -> None:
        """Prepare; nothing runs yet.

        Args:
            settings: Of the shop.
        """
        self._settings = settings
        self._pids: dict[int, NodePlan] = {}
        self._deaths = Deaths(settings.seed)
        self._leaving = False

    def open(self) -> None:
        """Fork all nodes and wait until they are up.

        Raises:
            RuntimeError: They did not come up in time.
        """
        gc.freeze()  # what is there now is shared by all processes; collecting it would copy it
        ready_fd, write_fd = os.pipe()
        for plan in NODES:
            self._fork(plan, write_fd)
        os.close(write_fd)
        until_s = time.monotonic() + _START_LIMIT_S
        up = 0
        while up < len(NODES):
            readable, _, _ = select.select([ready_fd], [], [], max(0.0, until_s - time.monotonic()))
            said = os.read(ready_fd, 64) if readable else b""
            if not said:
                os.close(ready_fd)
                raise RuntimeError(f"only {up} of {len(NODES)} nodes of the demo came up")
            up += len(said)
        os.close(ready_fd)

    def keep(self, stdin_fd: int | None) -> None:
        """Keep the shop running until SIGTERM, SIGINT or the end of standard input.

        Args:
            stdin_fd: Watched for its end; None not to.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._leave)
        parent_pid = os.getppid()
        while not self._leaving and os.getppid() == parent_pid:
            watched = [] if stdin_fd is None else [stdin_fd]
            readable, _, _ = select.select(watched, [], [], _LOOK_EVERY_S)
            if readable and not os.read(readable[0], 4096):
                return
            self._collect()
            self._fate()

    def close(self) -> None:
        """End all processes: asked first, killed if they do not."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl+C must not leave processes behind
        self._signal_all(signal.SIGTERM)
        until_s = time.monotonic() + _LEAVE_LIMIT_S
        while self._pids and time.monotonic() < until_s:
            self._collect()
            time.sleep(0.02)
        self._signal_all(signal.SIGKILL)
        for pid in list(self._pids):
            os.waitpid(pid, 0)
            del self._pids[pid]

    def _fork(self, plan: NodePlan, ready_fd: int) -> None:
        pid = os.fork()
        if pid != 0:
            self._pids[pid] = plan
            return
        _become(lambda: run_member(plan, self._settings, ready_fd))

    def _fate(self) -> None:
        """Kill the mortal node, or let it live again."""
        lives = self._deaths.take(self._settings.open_s())
        mortal = next(plan for plan in NODES if plan.mortal)
        if lives is False:
            for pid, plan in self._pids.items():
                if plan is mortal:
                    os.kill(pid, signal.SIGKILL)
        elif lives is True:
            nobody_waits, write_fd = os.pipe()
            self._fork(mortal, write_fd)
            os.close(write_fd)
            os.close(nobody_waits)

    def _collect(self) -> None:
        """Take note of processes that ended."""
        while self._pids:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            if self._pids.pop(pid, None) is None:
                self._leaving = True  # the bus has ended: nothing is left to show

    def _signal_all(self, number: int) -> None:
        for pid in self._pids:
            os.kill(pid, number)

    def _leave(self, _number: int, _frame: FrameType | None) -> None:
        self._leaving = True


def _become(work: Callable[[], None]) -> None:
    """Be a child: do the work and nothing of what the parent would do afterwards."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        null_fd = os.open(os.devnull, os.O_RDWR)
        os.dup2(null_fd, 0)
        os.dup2(null_fd, 1)
        work()
        code = 0
    except BaseException as error:  # noqa: BLE001 - nothing may leave a forked child but its exit code
        sys.stderr.write(f"a node of the demo failed: {error!r}\n")
        sys.stderr.flush()
    finally:
        os._exit(code)
