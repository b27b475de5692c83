"""One window whose GUI thread is watched: `python -m bench.window_child bare|mesh URL SECONDS`.

Prints one line of JSON: gaps between ticks of a 5 ms timer, in ms, and the
CPU that this process (without the probe) took, both after it has settled.
"""

from __future__ import annotations

import json
import sys
import time

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel

SETTLE_S = 8.0


class Watch:
    """Takes the gaps between ticks."""

    def __init__(self, until_s: float) -> None:
        """Watch from when it has settled until the picture is taken, which is no part of the work."""
        self._until_s = until_s - 1.0
        self.gaps_ms: list[float] = []
        self._last_s = 0.0
        self._begin_s = time.perf_counter()
        self.cpu_s = self.wall_s = 0.0
        self.timer = QTimer()
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.setInterval(5)
        self.timer.timeout.connect(self._tick)
        self.timer.start()

    def _tick(self) -> None:
        now_s = time.perf_counter()
        if now_s - self._begin_s < SETTLE_S:
            self._cpu_begin_s, self._wall_begin_s = time.process_time(), now_s
        elif self._last_s and now_s - self._begin_s < self._until_s:
            self.gaps_ms.append((now_s - self._last_s) * 1000)
            self.cpu_s, self.wall_s = time.process_time() - self._cpu_begin_s, now_s - self._wall_begin_s
        self._last_s = now_s

    def report(self) -> dict[str, float]:
        """What was seen."""
        gaps = sorted(self.gaps_ms)
        return {
            "median_ms": gaps[len(gaps) // 2],
            "p99_ms": gaps[int(len(gaps) * 0.99)],
            "worst_ms": gaps[-1],
            "ticks": len(gaps),
            "cpu_share": self.cpu_s / self.wall_s,
        }


def main() -> None:
    """Show the window for a while."""
    kind, url, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    app = QApplication(sys.argv[:1])
    watch = Watch(seconds)
    if kind == "bare":
        label = QLabel("bare")
        label.resize(1280, 800)
        label.show()
        QTimer.singleShot(int(seconds * 1000), app.quit)
        app.exec()
    else:
        from app.cli.targets import Target  # noqa: PLC0415  a bare window does not pay for them
        from app.main import run_window  # noqa: PLC0415

        run_window(target=Target(url=url), show_s=seconds, picture=sys.argv[4] if len(sys.argv) > 4 else "")
    watch.timer.stop()
    print(json.dumps(watch.report()))


if __name__ == "__main__":
    main()
