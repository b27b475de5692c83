"""The findings of a connection test, one below the other as they come, and what is being done now."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, Qt, QTimer
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.check_run import Finding
from app.widgets.controls import clear, column, label, row, set_property, set_text
from app.widgets.format import duration_ms
from broker.transport.reach import Begun

TICK_MS = 100


class CheckList(QWidget):
    """What a test has told, with the time of each step; below it the step that goes on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._results = QVBoxLayout()
        self._results.setSpacing(6)
        self._going_on = label("", "dim", name="What the test does now")
        self._summary = label("", name="What the test found", wraps=True)
        self._step = ""
        self._wrong = self._count = 0
        self._since = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self.setLayout(column(self._results, self._going_on, self._summary, spacing=6))
        self.empty()

    def empty(self) -> None:
        """Forget what was told."""
        clear(self._results)
        self._timer.stop()
        self._wrong = self._count = 0
        self._going_on.hide()
        self._summary.hide()

    def begin(self) -> None:
        """A test begins."""
        self.empty()
        self.show_step(Begun("", "beginning"))
        self._timer.start()

    def show_step(self, step: Begun) -> None:
        """Say what is being done now."""
        self._step = step.what
        self._since.start()
        self._going_on.show()
        self._tick()

    def show_finding(self, finding: Finding) -> None:
        """Add a finding."""
        self._results.addWidget(finding_row(finding))
        self._count += 1
        self._wrong += not finding.result.ok
        self._going_on.hide()

    def end(self, *, is_cancelled: bool = False) -> None:
        """The test is over: say in a line what came of it."""
        self._timer.stop()
        self._going_on.hide()
        if is_cancelled:
            text, tone = "Cancelled", ""
        elif self._wrong:
            text, tone = f"▲ {self._wrong} of {self._count} findings need a look", "failed"
        else:
            text, tone = "✓ Ready to connect", "ok"
        set_text(self._summary, text)
        set_property(self._summary, "tone", tone)
        self._summary.setVisible(is_cancelled or self._count > 0)

    @property
    def summary(self) -> str:
        """What it says came of the test."""
        return "" if self._summary.isHidden() else self._summary.text()

    @property
    def going_on(self) -> str:
        """What it says is being done."""
        return "" if self._going_on.isHidden() else self._going_on.text()

    def texts(self) -> list[str]:
        """What the test told, line by line."""
        found = self.findChildren(QFrame, "checkResult")
        return [made.accessibleDescription() for made in found if made.isVisible()]

    def _tick(self) -> None:
        seconds = self._since.elapsed() / 1000
        set_text(self._going_on, f"… {self._step}" + (f", {seconds:.0f} s" if seconds >= 1 else ""))


def finding_row(finding: Finding) -> QFrame:
    """One finding: a sign, what it is about, what was found and what to do, how long it took."""
    result = finding.result
    made = QFrame()
    made.setObjectName("checkResult")
    made.setAccessibleName(result.name)
    advice = f" {result.advice}" if result.advice and not result.ok else ""
    made.setAccessibleDescription(f"{'ok' if result.ok else 'wrong'}: {result.name}: {result.message}{advice}")
    sign = label("✓" if result.ok else "▲", tone="ok" if result.ok else "failed")
    sign.setFixedWidth(16)
    name = label(result.name, "dim")
    name.setFixedWidth(92)
    took = label(duration_ms(finding.took_s * 1000, short=True), "small", name=f"Time of {result.name}")
    took.setFixedWidth(56)
    took.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
    for part in (sign, name):
        part.setAlignment(Qt.AlignmentFlag.AlignTop)
    told = [label(result.message, wraps=True)]
    if result.advice and not result.ok:
        told.append(label(result.advice, "small", wraps=True))
    beside = row(sign, name, column(*told, spacing=1), took)
    beside.setStretch(2, 1)
    made.setLayout(beside)
    return made
