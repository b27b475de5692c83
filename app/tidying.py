"""When Python's garbage is collected: while nobody touches the window.

A full collection looks at every object there is. Beside a graph of 1,000 boxes
that took 60 to 90 ms, every two seconds, in whichever thread it fell, and the
window stood still for as long.
"""

from __future__ import annotations

import gc
from typing import Final

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, QTimer
from PySide6.QtGui import QWindow
from PySide6.QtWidgets import QApplication

YOUNG: Final = 200_000
"""An answer about 1,000 boxes and 5,000 edges is 30,000 objects, which go when the next one comes: with 20,000 garbage
was looked for every two seconds, for 10 to 20 ms."""
MIDDLE: Final = 20
NEVER: Final = 1_000_000
EVERY_MS: Final = 60_000
UNTOUCHED_MS: Final = 20_000
AT_THE_LATEST: Final = 15
"""After so many times that somebody was busy it is done all the same: a session may last for days."""

TOUCHES: Final = (
    QEvent.Type.KeyPress,
    QEvent.Type.MouseMove,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.Wheel,
    QEvent.Type.Resize,
)


class Tidier(QObject):
    """Lets young objects be collected as they come, and everything only when nobody would notice."""

    def __init__(self, app: QApplication) -> None:
        """Begin. What has been imported by now is never looked at again."""
        super().__init__(app)
        self._app = app
        self._touched = QElapsedTimer()
        self._put_off = 0
        gc.collect()
        gc.freeze()
        self._before = gc.get_threshold()
        gc.set_threshold(YOUNG, MIDDLE, NEVER)
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.tidy)
        self._timer.start()
        # not the application: every event of every widget would then wait for the interpreter
        app.focusWindowChanged.connect(self._watch)
        for window in app.topLevelWindows():
            self._watch(window)

    def _watch(self, window: QWindow | None) -> None:
        if window is not None:
            window.installEventFilter(self)  # once more is the same as once

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Notice that somebody is there; every event goes on."""
        if event.type() in TOUCHES:
            self._touched.start()
        return False

    def tidy(self) -> bool:
        """Collect everything, unless somebody would notice. Whether it was done."""
        is_busy = self._touched.isValid() and self._touched.elapsed() < UNTOUCHED_MS
        if is_busy and self._put_off < AT_THE_LATEST:
            self._put_off += 1
            return False
        self._put_off = 0
        gc.collect()
        return True

    def end(self) -> None:
        """Leave things as they were."""
        self._timer.stop()
        self._app.focusWindowChanged.disconnect(self._watch)
        for window in self._app.topLevelWindows():
            window.removeEventFilter(self)
        gc.set_threshold(*self._before)
        gc.unfreeze()
