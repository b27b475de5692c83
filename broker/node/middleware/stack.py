"""The middlewares of one broker, in their order, and which of them take part where."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from broker.node.definitions import ActionDefinition, Handler, ServiceDefinition
from broker.node.middleware.base import Middleware

_LOG: Final = logging.getLogger("broker.node")

_F = TypeVar("_F")
_M = TypeVar("_M", bound=Middleware)


class Middlewares:
    """All middlewares of one broker, the innermost first."""

    def __init__(self, listed: Sequence[Middleware]) -> None:
        self._listed = list(listed)
        self._taking_part: dict[str, list[Any]] = {}
        self._log_handler: logging.Handler | None = None

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._listed)

    def find(self, kind: type[_M]) -> _M | None:
        """The one of this class, if there is one."""
        return next((each for each in self._listed if isinstance(each, kind)), None)

    def has(self, point: str) -> bool:
        """Whether one of them overrides this point."""
        return bool(self._of(point))

    def wrap(self, point: str, inner: _F, *about: object, first_is_outermost: bool = False) -> _F:
        """Put those around something that override the point.

        Args:
            point: Name of a method of `Middleware` that is given something and gives back what takes its place.
            inner: What they are put around; comes back itself when none overrides the point.
            about: Further arguments of the point.
            first_is_outermost: Instead of the innermost.
        """
        taking_part = self._of(point)
        for put_around in reversed(taking_part) if first_is_outermost else taking_part:
            inner = put_around(inner, *about)
        return inner

    def wrap_action(self, point: str, inner: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """As `wrap` of an action; where nobody minds ordinary calls, these may go to ``inner`` directly."""
        handler, minds = inner, False
        for put_around in self._of(point):
            around = put_around(handler, service, action)
            minds = minds or not (around is handler or put_around.__self__.lets_pass(service, action))
            handler = around
        action.direct = None if minds else inner
        return handler

    def tell(self, point: str, *about: object) -> None:
        """Tell all of something, in their order."""
        for told in self._of(point):
            told(*about)

    async def tell_in_turn(self, point: str, *about: object, last_first: bool = False) -> None:
        """Tell one after the other, waiting for each.

        Raises:
            Exception: Whatever one of them raised; those after it are not told.
        """
        taking_part = self._of(point)
        for told in reversed(taking_part) if last_first else taking_part:
            await told(*about)

    def hear_the_log(self) -> None:
        """From now on those that want to know are told what the node logs."""
        if self._log_handler is None and self.has("new_log_entry"):
            self._log_handler = _Telling(self)
            _LOG.addHandler(self._log_handler)

    def hear_no_log(self) -> None:
        """Not any more."""
        if self._log_handler is not None:
            _LOG.removeHandler(self._log_handler)
            self._log_handler = None

    def _of(self, point: str) -> list[Any]:
        taking_part = self._taking_part.get(point)
        if taking_part is None:
            nothing = getattr(Middleware, point)
            taking_part = [getattr(each, point) for each in self._listed if getattr(type(each), point) is not nothing]
            self._taking_part[point] = taking_part
        return taking_part


class _Telling(logging.Handler):
    """Gives what is logged to middlewares; what they log about it is not given to them again."""

    def __init__(self, middlewares: Middlewares) -> None:
        super().__init__()
        self._middlewares = middlewares
        self._is_telling = False

    def emit(self, record: logging.LogRecord) -> None:
        """Tell them."""
        if self._is_telling:
            return
        self._is_telling = True
        try:
            self._middlewares.tell("new_log_entry", record)
        except Exception:  # noqa: BLE001 - logging must not fail what logs
            self.handleError(record)
        finally:
            self._is_telling = False
