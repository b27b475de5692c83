"""What came back: in words, as tree, as text, against the one before, and what it set off in the mesh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app import theme
from app.caller.answer_words import VERDICTS, about_told, bars_of, message_told
from app.caller.digest import NOTHING, Shown
from app.widgets.choice_row import ChoiceRow
from app.widgets.controls import Tone, button, label, row, section, set_property, set_text
from app.widgets.empty_state import EmptyState
from app.widgets.format import byte_size, call_ms, count, duration_ms
from app.widgets.mini_table import Cell, MiniRow, MiniTable
from app.widgets.span_bars import SpanBars
from app.widgets.value_tree import ValueTree
from broker.mesh.trace import TracedCall
from broker.operate.calling.difference import Difference
from broker.operate.commands import Progress, Report

SHOWN_CHANGES: Final = 200
CHANGE_SIGNS: Final[dict[str, tuple[str, Tone]]] = {
    "added": ("+", "ok"),
    "removed": ("−", "failed"),
    "changed": ("≠", "slow"),
}


class AnswerPanel(QFrame):
    """Shows one answer, or that one is awaited, or what to do to get one."""

    subject_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.shown: Shown | None = None
        self.verdict = label("", "verdict", name="How it went")
        self.duration = label("", name="How long it took")
        self.subject = label("", "dim", name="What was sent")
        self.subject.setMinimumWidth(10)
        self.about = label("", "dim", name="Who answered, how much")
        self.about.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.about.setMinimumWidth(10)
        self.tabs = ChoiceRow(
            "Answer as", (("tree", "Tree"), ("raw", "Raw"), ("difference", "Difference"), ("meta", "Meta"))
        )
        self.copy = button("", self._copy, icon="content-copy", name="Copy the answer", role="flat")
        self.message = label("", wraps=True, name="What happened")
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.tree = ValueTree("Answer as tree")
        self.raw = _code("Answer as JSON")
        self.changes = MiniTable("What differs from the last answer", ("", "where", "before", "now"), (18, 0, 130, 130))
        self.difference_note = label("", "dim", wraps=True, name="About the difference")
        self.meta = ValueTree("Meta that came back")
        self.stack_title = section("Remote stack")
        self.stack = _code("Remote stack")
        self.did_title = section("What it did")
        self.did = SpanBars("What it did")
        self.did.chosen.connect(self.subject_chosen)
        self.targets_title = section("Targets")
        self.targets = MiniTable("Targets", (), (0, 90, 0))
        self.empty = EmptyState("send-outline")
        self.waiting = label("", "figure", name="Waiting")
        self.waiting_note = label("", "dim", wraps=True)
        self._pages = QStackedWidget()
        for page in (self.empty, self._waiting_page(), self._answer_page()):
            self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.addWidget(self._pages)
        self.tabs.picked.connect(lambda _tab: self._show_tab())

    def _waiting_page(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.addStretch(2)
        for part in (self.waiting, self.waiting_note):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(part)
        layout.addStretch(3)
        return page

    def _answer_page(self) -> QWidget:
        difference = QWidget()
        inside = QVBoxLayout(difference)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.difference_note)
        inside.addWidget(_scrolled(self.changes), 1)
        self._bodies = QStackedWidget()
        for body in (self.tree, self.raw, difference, self.meta):
            self._bodies.addWidget(body)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        head = row(self.verdict, self.duration, self.subject, spacing=10)
        head.setStretch(2, 1)
        layout.addLayout(head)
        layout.addWidget(self.about)
        layout.addWidget(self.message)
        layout.addLayout(row(self.tabs, None, self.copy))
        layout.addWidget(self._bodies, 3)
        self._rest = QWidget()
        layout.addWidget(self._rest, 3)
        layout.addWidget(self.stack_title)
        layout.addWidget(self.stack, 2)
        layout.addWidget(self.targets_title)
        layout.addWidget(self.targets)
        layout.addWidget(self.did_title)
        self._did_scroll = _scrolled(self.did)
        layout.addWidget(self._did_scroll, 1)
        return page

    # what it shows

    def show_nothing(self, why: str, advice: str, action: str = "", do: object = None) -> None:
        """Say why there is no answer and what to do."""
        self.shown = None
        self.empty.say(why, advice, action, do if callable(do) else None)
        self._pages.setCurrentIndex(0)

    def show_waiting(self, what: str, elapsed_s: float, progress: Progress | None, timeout_ms: float) -> None:
        """Say what is awaited, and for how long."""
        set_text(self.waiting, f"{what} … {duration_ms(elapsed_s * 1000)}")
        parts = []
        if progress is not None and progress.sent_bytes:
            share = f" ({progress.done:.0%})" if progress.done >= 0 else ""
            parts.append(f"{byte_size(progress.sent_bytes)} sent{share}")
        if progress is not None and progress.received_bytes:
            parts.append(f"{byte_size(progress.received_bytes)} received")
        limit = f"Gives up after {duration_ms(timeout_ms, short=True)}. " if timeout_ms else ""
        parts.append(f"{limit}Esc cancels: what was sent may run all the same.")
        set_text(self.waiting_note, " · ".join(parts))
        self._pages.setCurrentIndex(1)

    def show_answer(self, shown: Shown) -> None:
        """Show what came back."""
        self.shown = shown
        report, answer = shown.report, shown.report.answer
        text, tone = VERDICTS[report.outcome]
        set_text(self.verdict, text)
        set_property(self.verdict, "tone", tone)
        has_value = shown.value is not NOTHING or shown.error is not None
        set_text(self.duration, call_ms(answer.duration_ms) if answer is not None and answer.node_id else "")
        set_text(self.subject, shown.request.title)
        self.subject.setToolTip(shown.request.title)
        about = about_told(report)
        set_text(self.about, about)
        self.about.setVisible(bool(about))
        self.about.setToolTip(answer.request_id if answer is not None else "")
        set_text(self.message, message_told(shown))
        self.message.setVisible(bool(message_told(shown)))
        self._show_bodies(shown, has_value=has_value)
        self._show_targets(report)
        self.show_did([])
        self._pages.setCurrentIndex(2)

    def show_did(self, calls: Sequence[TracedCall]) -> None:
        """Show what the call set off, as far as it crossed the bus."""
        bars = bars_of(calls)
        self.did.show_bars(bars)
        for part in (self.did_title, self._did_scroll):
            part.setVisible(bool(bars))
        self._did_scroll.setMinimumHeight(min(180, self.did.sizeHint().height() + 2))
        self._did_scroll.setMaximumHeight(max(40, self.did.sizeHint().height() + 4))

    def retint(self) -> None:
        """Take the colours of the theme in use."""
        self.empty.tint()
        self.tree.viewport().update()
        self.meta.viewport().update()
        for code in (self.raw, self.stack):
            code.setFont(theme.font(12, mono=True))

    # inside

    def _show_bodies(self, shown: Shown, *, has_value: bool) -> None:
        value = shown.error if shown.error is not None else shown.value
        if has_value:
            self.tree.show_value({k: v for k, v in value.items() if k != "stack"} if shown.error else value)
        else:
            self.tree.clear()
        self.raw.setPlainText(shown.raw)
        has_meta = shown.meta is not NOTHING and shown.meta != {}
        if has_meta:
            self.meta.show_value(shown.meta)
        self._show_difference(shown.since_last)
        stack = str((shown.error or {}).get("stack") or "")
        self.stack.setPlainText(stack)
        for part in (self.stack_title, self.stack):
            part.setVisible(bool(stack))
        for body_part in (self.tabs, self.copy, self._bodies):
            body_part.setVisible(has_value)
        self._rest.setVisible(not has_value)
        is_first = shown.since_last is None
        self.tabs.allow("difference", is_allowed=not is_first, why_not="The first answer of this action")
        self.tabs.allow("meta", is_allowed=has_meta, why_not="No meta came back")
        if not self.tabs.buttons[self.tabs.value].isEnabled():
            self.tabs.choose("tree")
        self._show_tab()

    def _show_difference(self, found: Difference | None) -> None:
        if found is None:
            self.changes.show_rows([])
            return
        rows = []
        for change in found.changes[:SHOWN_CHANGES]:
            sign, tone = CHANGE_SIGNS[change.kind]
            cells = (Cell(sign, tone), Cell(change.path or "the whole"), Cell(change.before, "dim"), Cell(change.after))
            rows.append(MiniRow(cells, None, f"{change.path} {change.kind}\n{change.before}\n{change.after}"))
        self.changes.show_rows(rows)
        many = f"{count(len(found.changes))}{' and more' if found.left_out else ''}"
        more = f"; the first {SHOWN_CHANGES} are shown" if len(found.changes) > SHOWN_CHANGES else ""
        same = "Nothing differs from the last answer of this action."
        text = f"{many} differences from the last answer of this action{more}." if found.changes else same
        set_text(self.difference_note, text.replace("1 differences", "1 difference") if many == "1" else text)

    def _show_targets(self, report: Report) -> None:
        rows = []
        for target in report.targets:
            text, tone = VERDICTS.get(target.outcome, (target.outcome, ""))
            cells = (Cell(target.target), Cell(text, tone), Cell(target.message, "dim"))
            rows.append(MiniRow(cells, None, target.message))
        self.targets.show_rows(rows)
        for part in (self.targets_title, self.targets):
            part.setVisible(bool(rows))

    def _show_tab(self) -> None:
        self._bodies.setCurrentIndex(list(self.tabs.buttons).index(self.tabs.value))

    def _copy(self) -> None:
        if self.shown is not None:
            QGuiApplication.clipboard().setText(self.shown.raw)


def _code(name: str) -> QPlainTextEdit:
    made = QPlainTextEdit()
    made.setReadOnly(True)
    made.setProperty("role", "code")
    made.setAccessibleName(name)
    made.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    made.setTabChangesFocus(True)
    made.setFont(theme.font(12, mono=True))
    return made


def _scrolled(inner: QWidget) -> QScrollArea:
    made = QScrollArea()
    made.setWidgetResizable(True)
    made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    holder = QWidget()
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(inner)
    layout.addStretch(1)
    made.setWidget(holder)
    return made
