"""Moments that explain why a curve bends: how they are drawn and told, on every chart over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen

from app import theme
from app.widgets.format import clock_time
from broker.mesh.answers import Coming
from broker.mesh.span import Span

Tone = Literal["failed", "slow", "held", "ok"]
SIGNS: Final[dict[str, tuple[str, Tone]]] = {
    "restarted": ("⟳", "held"),
    "came back": ("↑", "ok"),
    "appeared": ("↑", "ok"),
    "vanished": ("↓", "failed"),
    "opened": ("▬", "failed"),
    "half-opened": ("◐", "slow"),
    "closed": ("●", "ok"),
}


class TimeMark(NamedTuple):
    """A line across a chart.

    Attributes:
        at_ns: When.
        sign: Beside the colour, so that it is never the only sign.
        tone: Its colour.
        text: What happened, with its time.
    """

    at_ns: int
    sign: str
    tone: Tone
    text: str


def mark_of(coming: Coming) -> TimeMark:
    """How something that happened is drawn and told."""
    sign, tone = SIGNS.get(coming.change, ("┆", "held"))
    detail = f" ({coming.detail})" if coming.detail else ""
    text = f"{sign} {clock_time(coming.at_ns)} {coming.kind} {coming.what} {coming.change}{detail}"
    return TimeMark(coming.at_ns, sign, tone, text)


def near(marks: Iterable[TimeMark], at_ns: float, reach_ns: float) -> list[str]:
    """What happened near a moment, at most four lines."""
    return [mark.text for mark in marks if abs(mark.at_ns - at_ns) <= reach_ns][:4]


def paint_marks(
    painter: QPainter, box: QRectF, span: Span, marks: Sequence[TimeMark], gaps: Sequence[Span] = ()
) -> None:
    """Dashed lines, and hatched gaps, on a chart that shows a span from left to right. The painter is in px."""
    length = span.to_ns - span.from_ns
    if length <= 0:
        return
    colours = theme.current()

    def x(at_ns: int) -> float:
        return box.left() + box.width() * min(1.0, max(0.0, (at_ns - span.from_ns) / length))

    for gap in gaps:
        hole = QRectF(x(gap.from_ns), box.top(), max(2.0, x(gap.to_ns) - x(gap.from_ns)), box.height())
        painter.fillRect(
            hole, QBrush(QColor(theme.mix(colours.failed, colours.surface1, 0.6)), Qt.BrushStyle.BDiagPattern)
        )
    for mark in marks:
        if span.from_ns <= mark.at_ns <= span.to_ns:
            painter.setPen(QPen(QColor(colours.colours()[mark.tone]), 1, Qt.PenStyle.DashLine))
            at = round(x(mark.at_ns)) + 0.5
            painter.drawLine(QPointF(at, box.top()), QPointF(at, box.bottom()))
