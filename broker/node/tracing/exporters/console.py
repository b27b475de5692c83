"""Tells whoever reads the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Final

from broker.node.tracing.exporters.base import Exporter
from broker.node.tracing.span import Span

log = logging.getLogger(__name__)

_MOST_KEPT: Final = 10_000


class ConsoleExporter(Exporter):
    """Writes each trace as a tree once its first span here has ended: ``*`` cached, ``»`` remote, ``×`` failed."""

    def __init__(self, *, write: Callable[[str], None] = log.info) -> None:
        """Begin.

        Args:
            write: Takes one line.
        """
        self._write = write
        self._within: dict[str, list[Span]] = {}

    def span_started(self, span: Span) -> None:
        """It is kept until the span that it is within has ended."""
        if len(self._within) >= _MOST_KEPT:  # spans that never end
            self._within.clear()
        self._within[span.id] = []
        if self._is_within(span):
            self._within[str(span.parent_id)].append(span)

    def span_finished(self, span: Span) -> None:
        """If it is within none that is kept, its tree is written."""
        if self._is_within(span) or span.id not in self._within:
            return
        self._write(f"trace {span.trace_id}")
        for level, each in self._tree(span, 1):
            self._write(f"{'  ' * level}{_caption(each)}  {_taken(each)}")

    def _is_within(self, span: Span) -> bool:
        # other nodes say what they like: a parent may be no text
        return isinstance(span.parent_id, str) and span.parent_id in self._within

    def _tree(self, span: Span, level: int) -> Iterator[tuple[int, Span]]:
        yield level, span
        for child in self._within.pop(span.id, []):
            yield from self._tree(child, level + 1)


def _caption(span: Span) -> str:
    marks = (("*", span.tags.get("fromCache")), ("»", span.tags.get("remoteCall")), ("×", span.error))
    return " ".join([span.name, *[mark for mark, is_so in marks if is_so]])


def _taken(span: Span) -> str:
    return "not ended" if span.duration_s is None else f"{span.duration_s * 1000:.3f} ms"
