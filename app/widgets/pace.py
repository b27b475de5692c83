"""How often something is done again, at most."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QObject, QTimer


class Pace(QObject):
    """Does something when it is wanted, but not more often than every so many ms.

    The last wish is never lost: it is done when its time has come.
    """

    def __init__(self, do: Callable[[], None], every_ms: int, parent: QObject) -> None:
        super().__init__(parent)
        self._do = do
        self._every_ms = every_ms
        self._since = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.now)

    def want(self) -> None:
        """Do it now if the last time is long enough ago, otherwise as soon as it is."""
        if self._timer.isActive():
            return
        waited_ms = self._since.elapsed() if self._since.isValid() else self._every_ms
        if waited_ms >= self._every_ms:
            self.now()
        else:
            self._timer.start(self._every_ms - int(waited_ms))

    def now(self) -> None:
        """Do it now, whenever the last time was."""
        self._timer.stop()
        self._since.start()
        self._do()

    def stop(self) -> None:
        """Forget what was wanted."""
        self._timer.stop()
