"""What takes a while and must be done: in order, in a thread, whoever has left by then. No Qt."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from itertools import count

log = logging.getLogger(__name__)
Errand = Callable[[], object]


class Errands:
    """Runs errands one after the other. There is a thread while there are errands, and the program waits for it.

    So nobody has to end it, and nothing is lost that was asked for before a
    window was closed. An errand must not raise: nobody is there to hear of it.
    """

    def __init__(self, name: str) -> None:
        """
        Args:
            name: Of the thread.
        """
        self._name = name
        self._waiting: dict[Hashable, Errand] = {}
        self._changed = threading.Condition()
        self._numbers = count()
        self._is_running = False

    def run(self, errand: Errand, key: Hashable | None = None) -> None:
        """Do this after all that waits. Returns at once.

        Args:
            errand: What to do.
            key: What waits under the same key is not done any more.
        """
        with self._changed:
            key = ("number", next(self._numbers)) if key is None else key
            self._waiting.pop(key, None)
            self._waiting[key] = errand
            if self._is_running:
                return
            self._is_running = True
        # no daemon: the program ends when all is done
        threading.Thread(target=self._work, name=self._name).start()

    def finish(self, timeout_s: float = 10.0) -> bool:
        """Wait until nothing is left to do. Whether that is so; not on the GUI thread while a window is there."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._is_running, timeout_s)

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._is_running = False
                    self._changed.notify_all()
                    return
                errand = self._waiting.pop(next(iter(self._waiting)))
            try:
                errand()
            except Exception:
                log.exception("what was to be done in '%s' failed", self._name)
            del errand  # what it holds is nothing for this thread to keep alive
