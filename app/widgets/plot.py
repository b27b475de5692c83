"""Charts of calls over time: percentiles, rate with errors, and the distribution, on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.theme import SMALL_PX, Theme, font, mix
from app.widgets.format import FEW_SAMPLES, call_ms, clock_time, count, duration_ms, zone_name
from app.widgets.merged_heat import merged_heat
from app.widgets.time_axis import LOWEST_LOG_MS, BrushBox, CountAxis, DurationAxis
from app.widgets.time_marks import TimeMark, mark_of, near
from app.widgets.together import drawn
from broker.clock import SECOND
from broker.mesh.answers import Coming, Floats, Series
from broker.mesh.span import Span

AXIS_WIDTH = 64
MOST_SIGNS = 12
"""With more of them signs on lines would cover each other; the reading line tells of each all the same."""
LINE_STYLES = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
)


class TimeCharts(QWidget):
    """Percentile lines, rate and error bars, and a heatmap of durations, one above the other.

    Shows what it is given and says what the user marks; asks nothing itself.
    """

    brushed = Signal(object)
    """A Span that was dragged over."""
    boxed = Signal(object, float, float)
    """A Span and two durations in ms: a box dragged in the distribution."""
    zoomed_back = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._series: list[Series] = []
        self._marks: list[TimeMark] = []
        self._is_log = True
        self._read_bucket = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Latency, rate and distribution over time")
        self.canvas = pg.GraphicsLayoutWidget(self)
        self.canvas.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._duration_axis, self._heat_axis = DurationAxis(), DurationAxis()
        self._lines = self._plot(0, self._duration_axis, is_box=False)
        self._bars = self._plot(1, CountAxis("/s"), is_box=False)
        self._heat = self._plot(2, self._heat_axis, is_box=True)
        for row, stretch in enumerate((5, 2, 3)):
            self.canvas.ci.layout.setRowStretchFactor(row, stretch)
        self._bars.setXLink(self._lines)
        self._heat.setXLink(self._lines)
        self._image = pg.ImageItem()
        self._pointer = [pg.InfiniteLine(angle=90) for _ in range(3)]
        self._legend = QLabel()
        self._legend.setWordWrap(True)
        self._legend.setProperty("role", "small")
        self._legend.setAccessibleName("What the lines across mean")
        self._legend.hide()
        self._readout = QLabel(self)
        self._readout.setObjectName("readout")
        self._readout.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._readout.hide()
        self._move = pg.SignalProxy(self.canvas.scene().sigMouseMoved, rateLimit=60, slot=self._hover)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._legend)
        layout.addWidget(self.canvas)
        self.set_theme(theme)

    def _plot(self, row: int, axis: pg.AxisItem, *, is_box: bool) -> pg.PlotItem:
        on_mark = self._on_box if is_box else self._on_brush
        box = BrushBox(on_mark, self.zoomed_back.emit, is_box=is_box)
        bottom = pg.DateAxisItem(orientation="bottom")
        plot = self.canvas.addPlot(row=row, col=0, viewBox=box, axisItems={"left": axis, "bottom": bottom})
        plot.hideButtons()
        axis.setWidth(AXIS_WIDTH)
        bottom.setStyle(showValues=row == 2)
        return plot

    # what it is given

    def set_theme(self, theme: Theme) -> None:
        """Colours of another theme."""
        self._theme = theme
        self.canvas.setBackground(theme.surface1)
        for plot in (self._lines, self._bars, self._heat):
            for side in ("left", "bottom"):
                axis = plot.getAxis(side)
                axis.setPen(pg.mkPen(theme.line))
                axis.setTextPen(pg.mkPen(theme.dim))
                axis.setStyle(tickFont=font(SMALL_PX))
            plot.showGrid(x=False, y=True, alpha=0.25)
            band = plot.getViewBox().band
            band.setPen(pg.mkPen(theme.accent))
            band.setBrush(self._band_brush())
        for line in self._pointer:
            line.setPen(pg.mkPen(theme.text))
        self._readout.setStyleSheet(
            f"background: {theme.surface3}; color: {theme.text}; border: 1px solid {theme.line};"
            "border-radius: 6px; padding: 6px 8px;"
        )
        self._show_titles()
        self._draw()

    def _show_titles(self) -> None:
        """What each chart is, and which line is which: from faint to full."""
        theme = self._theme
        shades = (("p50", 0.4), ("p90", 0.68), ("p99", 1.0))
        legend = " ".join(
            f'<span style="color:{theme.ink(mix(theme.accent, theme.surface1, share))}">━ {name}</span>'
            for name, share in shades
        )
        if len(self._series) > 1:
            styles = ("━", "╌", "┈", "─ ·")
            legend = "p99 of " + " ".join(
                f'<span style="color:{theme.ink(self._hue(i))}">{styles[i % len(styles)]} {escape(series.label)}</span>'
                for i, series in enumerate(self._series)
            )
        failed = f'<span style="color:{theme.ink(theme.failed)}">■ failed</span>'
        titles = (
            (self._lines, f"LATENCY &nbsp; {legend}"),
            (self._bars, f"CALLS/S &nbsp; ■ all {failed}"),
            (self._heat, f"DISTRIBUTION &nbsp; stronger: more calls · times are {zone_name()}"),
        )
        for plot, text in titles:
            plot.setTitle(text, color=theme.dim, size="11px", justify="left")
            plot.titleLabel.setMinimumWidth(0)  # a long title must not make the chart wider than there is room for
        marks = self._legend_of_marks()
        self._legend.setText(marks)
        self._legend.setVisible(bool(marks))

    def _legend_of_marks(self) -> str:
        """What the lines across mean, of those that are there."""
        words = {"⟳": "deployed anew", "↑": "came", "↓": "gone", "▬": "breaker open", "◐": "half-open", "●": "closed"}
        there = {mark.sign: mark.tone for mark in self._marks}
        theme = self._theme
        told = [
            f'<span style="color:{theme.ink(theme.colours()[there[sign]])}">{sign} {word}</span>'
            for sign, word in words.items()
            if sign in there
        ]
        gaps = any(series.gaps for series in self._series)
        told += [f'<span style="color:{theme.ink(theme.failed)}">▨ nothing heard</span>'] if gaps else []
        return " &nbsp; ".join(told)

    def _band_brush(self) -> QBrush:
        colour = QColor(self._theme.accent)
        colour.setAlpha(50)
        return QBrush(colour)

    def set_log(self, is_log: bool) -> None:
        """Whether durations stand on a logarithmic axis. The distribution always does."""
        self._is_log = self._duration_axis.is_log = is_log
        self._draw()

    def show_series(self, series: Sequence[Series], marks: Sequence[Coming] = ()) -> None:
        """Show these instead of what was shown.

        Args:
            series: One, or the parts of a split; all over the same span.
            marks: What else happened, drawn as vertical lines.
        """
        self._series, self._marks = list(series), [mark_of(mark) for mark in marks]
        self._show_titles()
        self._draw()

    # drawing

    def _draw(self) -> None:
        for plot in (self._lines, self._bars, self._heat):
            plot.clear()
        if not self._series or not len(self._series[0].calls):
            return
        first = self._series[0]
        times = self._times(first)
        self._heat.getAxis("bottom").utcOffset = 0 if zone_name() == "UTC" else None
        for index, series in enumerate(self._series):
            self._draw_lines(index, series, times)
        self._draw_bars(times)
        self._draw_heat()
        self._draw_marks(first)
        for plot, line in zip((self._lines, self._bars, self._heat), self._pointer, strict=True):
            plot.addItem(line, ignoreBounds=True)
            line.hide()
        self._lines.setXRange(first.span.from_ns / SECOND, first.span.to_ns / SECOND, padding=0)

    @staticmethod
    def _times(series: Series) -> Floats:
        """The middle of each bucket, in s since the epoch. Shape (buckets,)."""
        buckets = len(series.calls)
        return np.asarray(series.span.from_ns / SECOND + (np.arange(buckets) + 0.5) * series.bucket_s, np.float64)

    def _draw_lines(self, index: int, series: Series, times: Floats) -> None:
        theme = self._theme
        shares = [(series.p50_ms, 0.4), (series.p90_ms, 0.68), (series.p99_ms, 1.0)]
        if len(self._series) > 1:  # split: only p99 of each, told apart by dashes as well as by hue
            shares = [(series.p99_ms, 1.0)]
        for values, share in shares:
            colour = mix(self._hue(index), theme.surface1, share)
            pen = pg.mkPen(colour, width=1, style=LINE_STYLES[index % len(LINE_STYLES)])
            with np.errstate(divide="ignore", invalid="ignore"):
                y = np.log10(drawn(values)) if self._is_log else drawn(values)
            # a lone bucket between gaps would be an invisible line: give it a dot
            alone = np.isfinite(y) & ~np.isfinite(np.append(y[1:], np.nan)) & ~np.isfinite(np.append(np.nan, y[:-1]))
            self._lines.plot(times, y, pen=pen, connect="finite")
            if alone.any():
                self._lines.plot(
                    times[alone], y[alone], pen=None, symbol="o", symbolSize=3, symbolPen=None, symbolBrush=colour
                )
        self._fit_durations()

    def _hue(self, index: int) -> str:
        theme = self._theme
        return (theme.accent, theme.held, theme.ok, theme.slow, theme.failed)[index % 5]

    def _fit_durations(self) -> None:
        parts = [drawn(np.ravel([s.p50_ms, s.p99_ms])) for s in self._series]
        values = np.concatenate(parts)
        values = values[np.isfinite(values) & (values > 0)]
        if not len(values):
            self._lines.setYRange(0, 3, padding=0)
            return
        if self._is_log:
            low = max(LOWEST_LOG_MS, float(np.log10(values.min())) - 0.15)
            high = float(np.log10(values.max())) + 0.15
            self._lines.setYRange(low, max(high, low + 1), padding=0)
        else:
            self._lines.setYRange(0, float(values.max()) * 1.1, padding=0)

    def _draw_bars(self, times: Floats) -> None:
        bucket_s = self._series[0].bucket_s or 1.0
        calls = np.sum([s.calls for s in self._series], axis=0) / bucket_s
        failed = np.sum([s.failed for s in self._series], axis=0) / bucket_s
        width = bucket_s * 0.8
        self._bars.addItem(
            pg.BarGraphItem(
                x=times, height=calls, width=width, pen=None, brush=mix(self._theme.dim, self._theme.surface1, 0.45)
            )
        )
        self._bars.addItem(pg.BarGraphItem(x=times, height=failed, width=width, pen=None, brush=self._theme.failed))
        self._bars.setYRange(0, float(calls.max()) * 1.08 or 1.0, padding=0)

    def _draw_heat(self) -> None:
        first = self._series[0]
        heat, edges = merged_heat(self._series)
        if heat.size == 0 or not heat.any():
            self._heat.setYRange(0, 3, padding=0)
            return
        rows = np.flatnonzero(heat.any(axis=1))
        low, high = max(0, int(rows[0]) - 1), min(heat.shape[0], int(rows[-1]) + 2)
        steps = np.log1p(heat[low:high])
        self._image = pg.ImageItem(steps.T, axisOrder="col-major")
        self._image.setLookupTable(self._heat_colours())
        self._image.setLevels((0, float(steps.max())))
        left, width = first.span.from_ns / SECOND, first.span.seconds
        self._image.setRect(QRectF(left, edges[low], width, edges[high] - edges[low]))
        self._heat.addItem(self._image)
        self._heat.setYRange(edges[low], edges[high], padding=0)

    def _heat_colours(self) -> NDArray[np.ubyte]:
        table = np.empty((256, 3), np.ubyte)
        for step in range(256):
            # the faintest count must still be seen against an empty cell
            share = 0.0 if step == 0 else 0.22 + 0.78 * step / 255
            colour = QColor(mix(self._theme.accent, self._theme.surface1, share))
            table[step] = colour.red(), colour.green(), colour.blue()
        return table

    def _draw_marks(self, first: Series) -> None:
        theme = self._theme
        for gap in first.gaps:
            for plot in (self._lines, self._bars, self._heat):
                hatched = QBrush(QColor(mix(theme.failed, theme.surface1, 0.5)), Qt.BrushStyle.BDiagPattern)
                region = pg.LinearRegionItem(
                    (gap.from_ns / SECOND, gap.to_ns / SECOND),
                    brush=hatched,
                    movable=False,
                    pen=pg.mkPen(theme.failed, style=Qt.PenStyle.DotLine),
                )
                plot.addItem(region, ignoreBounds=True)
        for mark in self._marks:
            colour = theme.colours()[mark.tone]
            pen = pg.mkPen(mix(colour, theme.surface1, 0.8), style=Qt.PenStyle.DashLine)
            for plot in (self._lines, self._bars, self._heat):
                is_named = plot is self._lines and len(self._marks) <= MOST_SIGNS
                options = {"color": theme.ink(colour), "position": 0.94} if is_named else {}
                line = pg.InfiniteLine(
                    mark.at_ns / SECOND, angle=90, pen=pen, label=mark.sign if is_named else None, labelOpts=options
                )
                plot.addItem(line, ignoreBounds=True)

    # what the user does

    def _on_brush(self, box: QRectF) -> None:
        self.brushed.emit(Span(int(box.left() * SECOND), int(box.right() * SECOND)))

    def _on_box(self, box: QRectF) -> None:
        span = Span(int(box.left() * SECOND), int(box.right() * SECOND))
        self.boxed.emit(span, 10.0 ** box.top(), 10.0 ** box.bottom())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Backspace gives the zoom before; left and right move the reading line (Shift: by ten)."""
        if event.key() == Qt.Key.Key_Backspace:
            self.zoomed_back.emit()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self._series:
            step = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            self._step_reading(step if event.key() == Qt.Key.Key_Right else -step)
        else:
            super().keyPressEvent(event)

    def _step_reading(self, step: int) -> None:
        """Read another bucket; the newest where nothing was read yet. What it says is told to screen readers too."""
        first = self._series[0]
        most = len(first.calls) - 1
        self._read_bucket = most if self._read_bucket < 0 else max(0, min(most, self._read_bucket + step))
        at_s = first.span.from_ns / SECOND + (self._read_bucket + 0.5) * first.bucket_s
        point = self._lines.getViewBox().mapViewToScene(QPointF(at_s, 0.0))
        self._read(at_s, point)
        self.setAccessibleDescription("; ".join(self.reading(self._read_bucket)))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """A frame says where the keyboard is."""
        super().focusInEvent(event)
        self._show_focus()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """No frame any more."""
        super().focusOutEvent(event)
        self._show_focus()

    def _show_focus(self) -> None:
        edge = self._theme.accent if self.hasFocus() else "transparent"
        self.canvas.setStyleSheet(f"border: 1px solid {edge}; border-radius: 4px;")

    def _hover(self, moved: tuple[QPointF]) -> None:
        position = moved[0]
        for plot in (self._lines, self._bars, self._heat):
            if plot.sceneBoundingRect().contains(position) and self._series:
                at_s = plot.getViewBox().mapSceneToView(position).x()
                self._read(at_s, position)
                return
        self._readout.hide()
        for line in self._pointer:
            line.hide()

    def _read(self, at_s: float, position: QPointF) -> None:
        first = self._series[0]
        index = int((at_s - first.span.from_ns / SECOND) / (first.bucket_s or 1))
        if not 0 <= index < len(first.calls):
            return
        for line in self._pointer:
            line.setValue(at_s)
            line.show()
        self._readout.setText("\n".join(self.reading(index)))
        self._readout.adjustSize()
        right = self.width() - self._readout.width() - 8
        self._readout.move(min(int(position.x()) + 14, max(0, right)), 8)
        self._readout.show()
        self._readout.raise_()

    def reading(self, index: int) -> list[str]:
        """What the reading line says of one bucket of time, a line a text."""
        first = self._series[0]
        at_ns = first.span.from_ns + int(index * first.bucket_s * SECOND)
        lines = [f"{clock_time(at_ns)}, {duration_ms(first.bucket_s * 1000)} wide"]
        for series in self._series:
            name = f"{series.label}: " if len(self._series) > 1 else ""
            lines.append(f"{name}{count(int(series.calls[index]))} calls, {count(int(series.failed[index]))} failed")
            if len(self._series) == 1:
                for label, values in (("p99", series.p99_ms), ("p90", series.p90_ms), ("p50", series.p50_ms)):
                    value = float(values[index])
                    lines.append(f"{label} {call_ms(value)}" if np.isfinite(value) else f"{label} –")
            elif np.isfinite(series.p99_ms[index]):
                lines[-1] += f", p99 {call_ms(float(series.p99_ms[index]))}"
        if first.completed[index] and len(self._series) == 1 and first.completed[index] < FEW_SAMPLES:
            lines.append(f"p99 rests on {count(int(first.completed[index]))} samples")
        reach_ns = first.bucket_s * SECOND * 1.5
        return lines + near(self._marks, at_ns + first.bucket_s * SECOND / 2, reach_ns)
