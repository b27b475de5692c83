"""One action called again and again: how often, how many at once, and how long it took, by percentile."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QSpinBox, QWidget

from app.caller.asking import ask_before
from app.caller.keeping import Keeping
from app.caller.sender import Sender
from app.desk import Desk
from app.permits import allow
from app.widgets.controls import button, column, label, row, set_property, set_text
from app.widgets.edged import EdgedDialog
from app.widgets.figures import Figure, FigureRow
from app.widgets.format import count, duration_ms, percent, rate
from app.widgets.mini_table import Cell, MiniRow, MiniTable
from app.widgets.percentile_chart import PercentileChart
from app.widgets.progress import progress_bar
from broker.observe.buckets import bucket_values_s
from broker.operate.calling.request import Request
from broker.operate.commands import Bench, BenchResult, Call, Command, Report
from broker.operate.operator import Confirmation

MOST_CALLS: Final = 100_000
MOST_S: Final = 300
MOST_AT_ONCE: Final = 100
VALUES_MS: Final = [value * 1000 for value in bucket_values_s().tolist()]
ABOUT: Final = (
    "It stops at whichever comes first, and never later than the caps: 100,000 calls, 5 minutes, 100 at once."
)
ROWS: Final = 6


class BenchDialog(EdgedDialog):
    """Asks how, confirms, runs, shows; one bench at a time."""

    def __init__(self, parent: QWidget, desk: Desk, request: Request, keeping: Keeping) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Bench {request.title}")
        self.setAccessibleName(self.windowTitle())
        self.resize(760, 620)
        self._desk, self._request, self._keeping = desk, request, keeping
        self.courier = Sender(desk, self)
        self.calls = _spin("Calls at most", 1, MOST_CALLS, 1000, "")
        self.seconds = _spin("Seconds at most", 1, MOST_S, 10, " s")
        self.at_once = _spin("Calls at once", 1, MOST_AT_ONCE, 1, "")
        self.start = button("Start…", self._start, role="primary", icon="play")
        self.stop = button("Stop", self.courier.cancel, icon="stop")
        self.verdict = label("", wraps=True, name="How the bench goes")
        self.progress = progress_bar()
        self.figures = FigureRow(("calls", "errors", "p50", "p90", "p99", "slowest"))
        self.chart = PercentileChart()
        self.errors = MiniTable("Errors", (), (-70, 0))
        self._lay_out()
        self.courier.changed.connect(self._on_changed)
        self.courier.ended.connect(self._on_ended)
        desk.permission_changed.connect(self._weigh)
        self._show_result(BenchResult())
        self._on_changed()

    def _lay_out(self) -> None:
        fields = row(
            column(label("Calls at most", "small"), self.calls, spacing=3),
            column(label("Seconds at most", "small"), self.seconds, spacing=3),
            column(label("Calls at once", "small"), self.at_once, spacing=3),
            None,
            column(label("", "small"), row(self.start, self.stop), spacing=3),
            spacing=10,
        )
        layout = column(
            label(self._request.title, "title"),
            label(f"Each call with the same parameters, as they are on screen. {ABOUT}", "dim", wraps=True),
            fields,
            self.progress,
            self.verdict,
            self.figures,
            self.chart,
            self.errors,
            row(None, button("Close", self.close)),
            spacing=10,
        )
        layout.setStretch(6, 1)
        layout.setContentsMargins(20, 18, 20, 16)
        self.setLayout(layout)

    def bench(self, call: Command) -> Bench:
        """The command, of a call."""
        assert isinstance(call, Call)  # noqa: S101  a bench is of a call
        return Bench(call, self.calls.value(), float(self.seconds.value()), self.at_once.value())

    def _plain_bench(self) -> Bench:
        request = self._request
        call = Call(request.namespace, request.name, node_id=request.node_id, timeout_ms=request.timeout_ms)
        return self.bench(call)

    def _start(self) -> None:
        request = self._request
        most = f"up to {count(self.calls.value())} calls in {self.seconds.value()} s, {self.at_once.value()} at once"
        where = request.node_id or "every node that offers it, in turn"
        ask_before(
            self,
            self._desk,
            self._plain_bench(),
            self._go,
            title=f"Bench {request.name}?",
            act="Start the bench",
            about=f"in {request.namespace or 'the empty namespace'}",
            hits=f"{most[:1].upper()}{most[1:]}, on {where}. Whatever the action does, it does each time.",
            note="Stop ends it at once; what was sent stays done.",
            tone="failed",
        )

    def _go(self, confirmation: Confirmation) -> None:
        self._show_result(BenchResult())
        self.courier.send(self._request, self._keeping.values, confirmation, made=self.bench)

    def _weigh(self) -> None:
        verdict = self._desk.may(self._plain_bench())
        allow(self.start, "act", verdict.why or ("It is running." if self.courier.is_busy else ""))
        if not verdict.allowed and not self.courier.is_busy:
            self._say(f"✕ {verdict.why}", "slow")

    def _on_changed(self) -> None:
        is_busy = self.courier.is_busy
        self.start.setVisible(not is_busy)
        self.stop.setVisible(is_busy)
        for field in (self.calls, self.seconds, self.at_once):
            field.setEnabled(not is_busy)
        sending = self.courier.sending
        self.progress.setVisible(is_busy)
        if sending is None:
            self._weigh()
            return
        done = sending.progress.done if sending.progress is not None else 0.0
        self.progress.setValue(round(max(0.0, done) * self.progress.maximum()))
        self._say(f"Running … {duration_ms(self.courier.elapsed_s * 1000)}", "")
        if sending.progress is not None and sending.progress.bench is not None:
            self._show_result(sending.progress.bench)

    def _on_ended(self, _request: Request, report: Report) -> None:
        if report.bench is not None:
            self._show_result(report.bench)
        words = {"done": ("✓ Done. ", "ok"), "cancelled": ("✕ Stopped. ", "slow"), "unknown": ("? Unknown. ", "slow")}
        head, tone = words.get(report.outcome, (f"▲ {report.outcome.title()}. ", "failed"))
        self._say(f"{head}{report.message} {report.advice}".strip(), tone)

    def _say(self, text: str, tone: str) -> None:
        set_text(self.verdict, text)
        set_property(self.verdict, "tone", tone)

    def _show_result(self, result: BenchResult) -> None:
        self.chart.show_counts(result.buckets, VALUES_MS)
        all_calls = result.calls + result.timeouts
        failed = result.errors + result.timeouts
        per_s = result.calls / result.seconds if result.seconds else 0.0
        timeouts = f"{count(result.timeouts)} not answered in time"
        self.figures.show_figures(
            [
                Figure(rate(per_s), f"{count(all_calls)} calls", "", f"{timeouts}; {result.seconds:.1f} s"),
                Figure(percent(100 * failed / all_calls if all_calls else 0.0), f"{count(failed)} errors",
                       "failed" if failed else "", timeouts),
                *(Figure(duration_ms(self.chart.value_at(s)), f"p{s * 100:g}") for s in (0.5, 0.9, 0.99)),
                Figure(duration_ms(result.max_ms) if result.calls else "–", "slowest"),
            ]
        )  # fmt: skip
        told = sorted(result.error_words.items(), key=lambda pair: -pair[1])[:ROWS]
        self.errors.show_rows([MiniRow((Cell(f"{count(n)} ×", "failed"), Cell(text)), None, text) for text, n in told])
        self.errors.setVisible(bool(told))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Whoever closes it wants it to end."""
        self.courier.cancel()
        super().closeEvent(event)


def _spin(name: str, least: int, most: int, value: int, suffix: str) -> QSpinBox:
    made = QSpinBox()
    made.setRange(least, most)
    made.setValue(value)
    made.setSuffix(suffix)
    made.setGroupSeparatorShown(True)
    made.setAccessibleName(name)
    made.setMinimumWidth(110)
    made.lineEdit().setTextMargins(6, 0, 0, 0)
    made.lineEdit().setAccessibleName(name)
    return made
