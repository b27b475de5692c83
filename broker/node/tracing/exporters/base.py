"""What an exporter is: somebody who is told of spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broker.node.broker import Broker
    from broker.node.tracing.span import Span


class Exporter:
    """Tells nobody: override what is wanted. Only spans that are sampled come here.

    Attributes:
        interval_s: Between two calls of `flush`; 0 for none by themselves.
    """

    interval_s: float = 0.0
    _broker: Broker | None = None

    def begin(self, broker: Broker) -> None:
        """The broker was made; nothing is connected yet.

        Raises:
            ValueError: It tells of another broker already.
        """
        if self._broker is not None:
            name = type(self).__name__
            raise ValueError(f"this {name} tells of node {self._broker.node_id!r} already: give each node its own")
        self._broker = broker

    @property
    def broker(self) -> Broker:
        """Whose spans they are; only after `begin`."""
        assert self._broker is not None  # noqa: S101 - nobody tells before
        return self._broker

    def span_started(self, span: Span) -> None:
        """A span began."""

    def span_finished(self, span: Span) -> None:
        """A span ended."""

    def flush(self) -> None:
        """Tell what waits."""

    async def stop(self) -> None:
        """Nothing more will come."""
