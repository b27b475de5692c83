"""The side panel: what is selected, how it is, how it was, what is in it, what just happened."""

from __future__ import annotations

import math
from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from app import theme
from app.breaker_words import sign_of, source_of
from app.caller.row_menu import subject_menu
from app.caller.templates import can_be_template, template_title, use_subject
from app.columns import failed_note, samples_note
from app.desk import Desk
from app.live import LiveView
from app.side_facts import ORPHAN_TITLE, BreakerFact, SideFacts, filter_for, side_facts
from app.widgets.controls import Tone, button, column, label, row, section, set_property, set_text
from app.widgets.figures import Figure, FigureRow
from app.widgets.format import NOTHING, call_ms, change_ms, clock_time, count, duration_ms, length, percent, rate
from app.widgets.mini_table import Cell, MiniRow, MiniTable
from app.widgets.small_charts import Curves, HeatStrip
from app.widgets.time_marks import mark_of
from app.widgets.together import drawn
from app.widgets.value_text import value_text
from broker.mesh.answers import ActionRow, CallRecord, Figures, Series
from broker.mesh.breaker_states import key_of
from broker.mesh.subject import Subject
from broker.operate.masks import Masks
from broker.protocol.codec import decode_body
from broker.protocol.malformed import Malformed

TABLE_HEADS = ("", "rate", "failed", "p99", "Δ p99")


class SidePanel(LiveView):
    """Always there, about the selection; about the whole mesh when nothing is selected."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, every_ms=700)
        self.setObjectName("side")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("What is selected")
        self.setMinimumWidth(340)
        self._facts: SideFacts | None = None
        self._title = label("", "title", name="Selected")
        self._title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._pill = label("", "chip", name="Health")
        self._about = label("", "dim", wraps=True)
        self._close = button("", lambda: desk.select(None), icon="close", name="Select nothing", role="flat")
        self._leads = [
            button(text, partial(self._lead, view), role="link", name=f"Show in {text}", tip=tip)
            for text, view, tip in (
                ("Graph", "graph", "Show it in the graph"),
                ("Latency", "latency", "Show its latency over time"),
                ("Filter", "", "Let every view show only this"),
                ("Breakers", "breakers", "Show the breakers on its calls"),
            )
        ]
        self._call = button("Call…", self._send, role="link", name="Use in the caller", tip="Begin a call with it")
        self.figures = FigureRow(("calls", "errors", "p50", "p99"))
        self._over_time = section("Latency")
        self._curves = Curves("p50, p90 and p99 over time", height=116, is_log=True)
        self._heat = HeatStrip("Calls by duration and time")
        self._table_title = section("")
        self.table = MiniTable("What is in it", TABLE_HEADS, (0, -46, -50, -60, -66))
        self._breaker_title = section("Breakers on its callers")
        self.breakers = MiniTable("Breakers on its callers", (), (0, 84, -68))
        self._facts_title = section("Facts")
        self.fact_table = MiniTable("Facts", (), (92, 0))
        self._schema_title = section("Parameters")
        self._schema = self._code("Parameters")
        self._body_buttons = [
            button("", partial(self._show_body, number), name=f"Show body {number + 1}") for number in range(2)
        ]
        self._body = self._code("Body of the packet")
        self._recent_title = section("Recent calls")
        self.recent = MiniTable("Recent calls", (), (88, 0, -56, 82))
        for table in (self.table, self.recent, self.breakers):
            table.chosen.connect(desk.select)
            table.menu_wanted.connect(self._open_menu)
        desk.selection_changed.connect(self._on_selection)
        desk.masks_changed.connect(self._on_selection)
        self._lay_out()

    def _lay_out(self) -> None:
        inner = QWidget()
        leads = row(*self._leads, self._call, None, spacing=4)
        flow = (self.figures, self._over_time, self._curves, self._heat)
        body = column(
            row(self._title, self._pill, None, self._close),
            self._about,
            leads,
            4,
            *flow,
            8,
            self._table_title,
            self.table,
            8,
            self._breaker_title,
            self.breakers,
            8,
            self._recent_title,
            self.recent,
            8,
            self._facts_title,
            self.fact_table,
            8,
            self._schema_title,
            self._schema,
            row(*self._body_buttons, None),
            self._body,
            None,
            spacing=6,
        )
        body.setContentsMargins(16, 12, 14, 12)
        inner.setLayout(body)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 0, 0, 0)
        layout.addWidget(scroll)
        self._flow = flow

    @staticmethod
    def _code(name: str) -> QPlainTextEdit:
        made = QPlainTextEdit()
        made.setReadOnly(True)
        made.setProperty("role", "code")
        made.setAccessibleName(name)
        made.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        made.setTabChangesFocus(True)
        return made

    def refresh(self) -> None:
        """Ask about the selection."""
        subject = self.desk.selection
        tell = self.desk.tellers.get(subject.kind) if subject is not None else None
        if tell is not None and subject is not None:
            self.desk.ask(self, "side", lambda _snapshot: tell(subject), self._show)
            return
        question = partial(side_facts, subject, self.desk.span(), self.desk.filter)
        self.desk.ask(self, "side", question, self._show)

    def retheme(self) -> None:
        """Take the colours of the theme in use."""
        if self._facts is not None:
            self._show(self._facts)
        self.update()

    def _on_selection(self) -> None:
        self._body.hide()
        if self.isVisible():
            self.refresh()

    # showing

    def _show(self, facts: SideFacts) -> None:
        if facts.subject != self.desk.selection:
            return  # asked before something else was selected
        self._facts = facts
        set_text(self._title, facts.title)
        set_text(self._about, facts.about if facts.kind == "mesh" else f"{facts.kind} · {facts.about}")
        is_one = facts.subject is not None
        self._close.setVisible(is_one)
        for lead in self._leads:
            lead.setVisible(is_one and facts.kind not in ("gap", "event", "act", "answer"))
        self._call.setVisible(can_be_template(facts.subject))
        if facts.subject is not None:
            set_text(self._call, template_title(facts.subject))
        self._leads[2].setVisible(is_one and facts.subject is not None and filter_for(facts.subject) is not None)
        self._leads[3].setVisible(is_one and (facts.kind == "breaker" or bool(facts.breakers)))
        self._show_flow(facts)
        self._show_tables(facts)
        self._show_code(facts)

    def _show_flow(self, facts: SideFacts) -> None:
        figures = facts.figures
        for part in self._flow:
            part.setVisible(figures is not None)
        self._pill.setVisible(figures is not None and figures.calls > 0)
        if figures is None:
            return
        self._show_pill(figures)
        seconds = facts.series.span.seconds if facts.series else 0.0
        failed_rate = figures.failed / seconds if seconds else 0.0
        tone: Tone = "failed" if figures.failed else ""
        self.figures.show_figures(
            [
                Figure(rate(figures.rate), "calls", "", f"{count(figures.calls)} calls between nodes"),
                Figure(rate(failed_rate), "errors", tone, failed_note(figures)),
                Figure(call_ms(figures.p50_ms), "p50", "", samples_note(figures)),
                Figure(call_ms(figures.p99_ms), "p99", "", samples_note(figures)),
            ]
        )
        lasts = f", {count(figures.completed)} CALLS IN {length(seconds).upper()}" if seconds >= 1 else ""
        set_text(self._over_time, f"LATENCY{lasts}")
        if facts.series is not None:
            self._show_series(facts.series)
            marks = [mark_of(coming) for coming in facts.marks]
            self._curves.show_moments(facts.series.span, marks, facts.series.gaps)

    def _show_pill(self, figures: Figures) -> None:
        share = figures.error_share * 100
        tone = "failed" if share >= 5 else "slow" if share > 0.1 else "ok"
        sign = {"failed": "▲ ", "slow": "◷ ", "ok": "✓ "}[tone]
        set_text(self._pill, f"{sign}{percent(share)} errors" if figures.failed else "✓ no errors")
        set_property(self._pill, "tone", tone)
        self._pill.setToolTip(failed_note(figures))

    def _show_series(self, series: Series) -> None:
        colours = theme.current()
        shades = [theme.mix(colours.accent, colours.surface1, share) for share in (0.4, 0.65, 1.0)]
        lines = list(zip(map(drawn, (series.p50_ms, series.p90_ms, series.p99_ms)), shades, strict=True))
        bucket_ns = (series.span.to_ns - series.span.from_ns) / max(1, len(series.calls))

        def read(bucket: int) -> str:
            at_ns = series.span.from_ns + round((bucket + 0.5) * bucket_ns)
            return (
                f"{clock_time(at_ns)}: p99 {call_ms(float(series.p99_ms[bucket]))}, "
                f"p90 {call_ms(float(series.p90_ms[bucket]))}, p50 {call_ms(float(series.p50_ms[bucket]))}\n"
                f"{count(int(series.calls[bucket]))} calls, {count(int(series.failed[bucket]))} failed"
            )

        self._curves.show_curves(lines, read, unit=partial(duration_ms, short=True))
        self._heat.show_heat(series.heat)

    def _show_tables(self, facts: SideFacts) -> None:
        set_text(self._table_title, facts.table_title.upper())
        self.table.show_rows([_table_row(item, facts.subject) for item in facts.table])
        self.breakers.show_rows([_breaker_row(fact, facts.subject) for fact in facts.breakers])
        sources = {source_of(fact.source) for fact in facts.breakers}
        where = "on this way" if facts.kind == "edge" else "on its callers"
        set_text(
            self._breaker_title, f"BREAKERS {where.upper()}" + (f" · {sources.pop()}" if len(sources) == 1 else "")
        )
        self.recent.show_rows([_call_row(call, facts.subject) for call in facts.recent])
        self.fact_table.show_rows([MiniRow((Cell(n, "dim"), Cell(v)), tip=v) for n, v in facts.facts])
        for title, table in (
            (self._table_title, self.table),
            (self._breaker_title, self.breakers),
            (self._recent_title, self.recent),
            (self._facts_title, self.fact_table),
        ):
            title.setVisible(bool(table.texts()))
            table.setVisible(bool(table.texts()))

    def _show_code(self, facts: SideFacts) -> None:
        set_text(self._schema_title, facts.schema_title.upper())
        for part in (self._schema_title, self._schema):
            part.setVisible(bool(facts.schema))
        if self._schema.toPlainText() != facts.schema:
            _set_code(self._schema, facts.schema)
        for number, made in enumerate(self._body_buttons):
            made.setVisible(number < len(facts.frames))
            if number < len(facts.frames):
                what = facts.frames[number][0]
                set_text(made, f"Show {what.lower()}")
                made.setAccessibleName(f"Show {what.lower()}")
        if not facts.frames:
            self._body.hide()

    # leading on

    def _open_menu(self, subject: Subject, at: QPoint) -> None:
        menu = subject_menu(self, self.desk, subject)
        if not menu.isEmpty():
            menu.popup(at)

    def _send(self) -> None:
        if self.desk.selection is not None:
            use_subject(self.desk, self.desk.selection)

    def _lead(self, view: str) -> None:
        subject = self.desk.selection
        if subject is None:
            return
        facts = self._facts
        if view == "breakers" and facts is not None and facts.breakers:
            self.desk.show_view(view, breaker_subject(facts.breakers[0], subject))
        elif view in ("graph", "latency") and subject.kind == "breaker":
            key = key_of(subject.namespace, subject.name)
            caller = Subject("node", key.namespace, key.owner)
            endpoint = Subject("endpoint", key.namespace, key.action, key.node_id)
            self.desk.show_view(view, caller if view == "graph" else endpoint)
        elif view:
            self.desk.show_view(view, subject)
        else:
            wanted = filter_for(subject)
            if wanted is not None:
                self.desk.set_filter(wanted)

    def _show_body(self, number: int) -> None:
        if self._facts is not None and number < len(self._facts.frames):
            what, frame = self._facts.frames[number]
            self.desk.body(frame, partial(self._take_body, self._facts.subject, what))

    def _take_body(self, subject: Subject | None, what: str, body: bytes | None) -> None:
        if subject != self.desk.selection:
            return
        self._body.setAccessibleName(f"Body of the {what.lower()}")
        _set_code(self._body, body_text(body, self.desk.masks))
        self._body.show()


def body_text(body: bytes | None, masks: Masks) -> str:
    """A captured body as people read it; whatever the capture keeps, nothing secret is shown."""
    if body is None:
        return "Not kept: the ring of the capture has moved on, or bodies were not recorded."
    value = decode_body(body)
    if isinstance(value, Malformed):
        return f"Unreadable body of {count(len(body))} bytes: {value.reason}"
    return value_text(masks.tree(value))


def _set_code(edit: QPlainTextEdit, text: str) -> None:
    edit.setPlainText(text)
    edit.setFont(theme.font(12, mono=True))
    lines = min(18, text.count("\n") + 1)
    edit.setFixedHeight(lines * edit.fontMetrics().lineSpacing() + 30)


def _table_row(item: ActionRow, of: Subject | None) -> MiniRow:
    figures, subject = item.figures, item.subject
    title = subject.name
    if subject.kind == "endpoint" and of is not None and of.kind == "action":
        title = subject.other
    sign: dict[str, tuple[str, Tone]] = {"slow": ("◷ ", "slow"), "failed": ("▲ ", "failed")}
    mark, tone = sign.get(item.health, ("", ""))
    change = item.p99_change_ms
    change_tone: Tone = "dim" if math.isnan(change) or change <= 0 else "slow" if item.health == "slow" else ""
    cells = (
        Cell(mark + title, tone),
        Cell(rate(figures.rate)),
        Cell(percent(figures.error_share * 100), "failed" if figures.failed else "dim"),
        Cell(call_ms(figures.p99_ms)),
        Cell(change_ms(change), change_tone),
    )
    return MiniRow(cells, subject, f"{title}\n{failed_note(figures)}\n{samples_note(figures)}")


def breaker_subject(fact: BreakerFact, of: Subject) -> Subject:
    """The breaker that a fact tells of."""
    return Subject("breaker", of.namespace, f"{fact.owner}|{fact.endpoint}")


def _breaker_row(fact: BreakerFact, of: Subject | None) -> MiniRow:
    text, tone = sign_of(fact.state)
    way = f"{fact.owner} → {fact.endpoint}"
    since = clock_time(fact.since_ns)
    told = source_of(fact.source)
    cells = (Cell(way), Cell(text, tone or "dim"), Cell(since, "dim"))
    subject = breaker_subject(fact, of) if of is not None else None
    return MiniRow(cells, subject, f"{way}\n{text[2:]} since {since}\n{told}")


def _call_row(call: CallRecord, of: Subject | None) -> MiniRow:
    is_ok = call.outcome == "ok"
    outcome = "ok" if is_ok else call.error or call.outcome.replace("_", " ")
    name, took = call.action or ORPHAN_TITLE, NOTHING if call.outcome == "orphan" else call_ms(call.duration_ms)
    code, _, _ = outcome.partition(" ")  # "504 REQUEST_TIMEOUT": the rest is told when the mouse is over it
    cells = (
        Cell(clock_time(call.end_ns, with_ms=True), "dim"),
        Cell(name if of is None or of.kind not in ("action", "endpoint") else f"{call.source} → {call.target}"),
        Cell(took),
        Cell(outcome if is_ok else f"▲ {code if code.isdecimal() else outcome}", "ok" if is_ok else "failed"),
    )
    subject = Subject("call", call.namespace, call.action, address=call.address)
    way = f"{call.caller or 'outside services'} on {call.source} → {call.target}"
    return MiniRow(cells, subject, f"{name}\n{way}\n{outcome} after {took}")
