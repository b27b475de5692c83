"""Overview: what is wrong now, worst first, and the four golden figures."""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import numpy as np
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout

from app import theme
from app.columns import failed_note, samples_note
from app.concern_panel import ConcernPanel
from app.desk import Desk
from app.lately_panel import LatelyPanel
from app.live import LiveView
from app.views.registry import MAIN, View, register
from app.widgets.controls import Tone, set_text
from app.widgets.figures import Figure, FigureCard
from app.widgets.format import NOTHING, call_ms, change_ms, clock_time, count, duration_ms, length, percent, rate
from app.widgets.time_marks import TimeMark, mark_of
from app.widgets.together import drawn
from broker.mesh import calls, inventory, latency, overview
from broker.mesh.answers import Coming, Concern, Golden, Overview, WaitingCall
from broker.mesh.comings import turning_points
from broker.mesh.filter import Filter
from broker.mesh.span import Span
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot

MOST_WAITING = 200
HIGH_PX, HIGH_CURVE_PX, CURVE_PX = 960, 150, 66


class Answer(NamedTuple):
    """What the view shows: figures and concerns, what came and went, what waits, what may explain the curves."""

    overview: Overview
    came: list[Coming]
    waiting: list[WaitingCall]
    marks: list[TimeMark]
    gaps: list[Span]
    heard_s: float


def _ask(span: Span, wanted: Filter, snapshot: Snapshot) -> Answer:
    """In the worker."""
    heard_s = (snapshot.through_ns - snapshot.begin_ns) / 1e9 if snapshot.begin_ns else 0.0
    answer = overview.overview(snapshot, span, filter=wanted)
    came = [one for one in inventory.comings(snapshot, span, limit=400) if one.kind not in ("action", "event")]
    waiting = calls.waiting(snapshot, span.to_ns, filter=wanted, limit=MOST_WAITING)
    marks = [mark_of(coming) for coming in turning_points(snapshot, span)]
    return Answer(answer, came[:60], waiting, marks, latency.gaps_in(snapshot, span), heard_s)


class OverviewView(LiveView):
    """Four cards with curves, counts, concerns, what came and went."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, every_ms=800)
        self._last: Overview | None = None
        self._heard_s = 0.0
        self.cards = [FigureCard(what, has_curve=True) for what in ("calls", "failed", "p99", "busiest node")]
        self.wrong = ConcernPanel(desk)
        self.lately = LatelyPanel()
        self.concerns, self.comings, self.empty = self.wrong.table, self.lately.comings, self.wrong.empty
        self.wrong.chosen.connect(self._select)
        self.wrong.opened.connect(self._lead)
        self.wrong.changed.connect(self._split)
        self.lately.chosen.connect(self._select)
        self.lately.opened.connect(self._lead_to_call)
        self._lay_out()
        self.setFocusProxy(self.concerns)

    def _lay_out(self) -> None:
        cards = QGridLayout()
        cards.setSpacing(10)
        for number, card in enumerate(self.cards):
            cards.addWidget(card, 0, number)
            cards.setColumnStretch(number, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 12)
        layout.setSpacing(10)
        layout.addLayout(cards)
        layout.addWidget(self.wrong, 3)
        layout.addWidget(self.lately, 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """High windows have room for higher curves."""
        super().resizeEvent(event)
        for card in self.cards:
            if card.curve is not None:
                card.curve.setFixedHeight(HIGH_CURVE_PX if self.height() > HIGH_PX else CURVE_PX)

    def refresh(self) -> None:
        """Ask for all of it at once."""
        self.desk.ask(self, "overview", partial(_ask, self.desk.span(), self.desk.filter), self._show)

    def retheme(self) -> None:
        """Take the colours of the theme in use."""
        self.empty.tint()
        if self._last is not None:
            self._show_cards(self._last.golden)
        for table in (self.concerns, self.comings, self.wrong.muted, self.lately.waiting):
            table.viewport().update()

    def _show(self, answer: Answer) -> None:
        found, self._heard_s = answer.overview, answer.heard_s
        self._last = found
        for card in self.cards:
            if card.curve is not None:
                card.curve.show_moments(found.golden.span, answer.marks, answer.gaps)
        self._show_cards(found.golden)
        set_text(
            self.wrong.counts,
            f"{count(found.nodes_online)} of {count(found.nodes_known)} nodes online · "
            f"{count(found.services_known)} services · {count(found.actions_seen)} actions seen · "
            f"{count(found.golden.waiting)} calls waiting",
        )
        self.lately.show_lists(answer.came, answer.waiting)
        self._split()

    def _split(self) -> None:
        """Show what is wrong, without what is muted."""
        found, desk = self._last, self.desk
        if found is None:
            return
        is_all = desk.filter.is_empty and desk.cursor.follows
        split = desk.mutes.split(found.concerns, desk.snapshot.through_ns, is_all=is_all)
        self.wrong.show_concerns(split)
        if not split.shown:
            self._say_why(found, len(found.concerns))

    def _say_why(self, found: Overview, muted: int) -> None:
        seconds, heard_s = found.golden.span.seconds, self._heard_s
        if found.golden.total.calls:
            number = count(found.golden.total.calls)
            if muted:
                told = f"{count(muted)} muted. {number} calls in {length(seconds)}."
                self.empty.say("Nothing else is wrong", told, icon="check-circle-outline")
                return
            self.empty.say(
                "Nothing is wrong",
                f"{number} calls between nodes in {length(seconds)}, none of them conspicuous.",
                icon="check-circle-outline",
            )
        elif heard_s < 1:
            self.empty.say("Nothing heard yet", "Waiting for the first packets from the bus.", icon="timer-sand")
        else:
            known = f"{count(found.services_known)} services known" if found.services_known else "no service known"
            self.empty.say(
                f"No traffic seen in {length(min(seconds, heard_s))}",
                f"{known}. Calls inside one node are not on the bus, and Moleculer prefers the local endpoint. "
                "If there should be traffic: check the namespace, the Redis database and the filter.",
                icon="sleep",
            )

    # the four cards

    def _show_cards(self, golden: Golden) -> None:
        self._show_rate(golden)
        self._show_failed(golden)
        self._show_p99(golden)
        self._show_cpu(golden)

    @staticmethod
    def _time(golden: Golden, bucket: int) -> str:
        length = golden.span.to_ns - golden.span.from_ns
        return clock_time(golden.span.from_ns + round(length * (bucket + 0.5) / max(1, len(golden.rate))))

    def _curve(self, number: int, values: np.ndarray, colour: str, golden: Golden, say: object, top: float) -> None:
        curve = self.cards[number].curve
        if curve is not None and callable(say):
            curve.show_curves(
                [(values, colour)],
                lambda bucket: f"{self._time(golden, bucket)}: {say(float(values[bucket]))}",
                top=top,
                is_filled=True,
                unit=say,
            )

    def _show_rate(self, golden: Golden) -> None:
        now, before = golden.total.rate, golden.before.rate
        change = "" if not golden.before.calls else _relative(now, before)
        self.cards[0].show_figure(
            Figure(
                rate(now), "calls between nodes", "", f"{count(golden.total.calls)} in {length(golden.span.seconds)}"
            ),
            change,
            "dim",
        )
        self._curve(0, golden.rate, theme.current().accent, golden, rate, 1.0)

    def _show_failed(self, golden: Golden) -> None:
        share = golden.total.error_share * 100
        tone: Tone = "failed" if share >= 5 else "slow" if share > 0.1 else ""
        sign = {"failed": "▲ ", "slow": "◷ "}.get(tone, "")
        change = "" if not golden.before.calls else f"was {percent(golden.before.error_share * 100)}"
        self.cards[1].show_figure(
            Figure(f"{sign}{percent(share)}", "failed", tone, failed_note(golden.total)), change, "dim"
        )
        self._curve(1, golden.error_share * 100, theme.current().failed, golden, percent, 1.0)

    def _show_p99(self, golden: Golden) -> None:
        change = golden.total.p99_ms - golden.before.p99_ms
        note = f"p50 {call_ms(golden.total.p50_ms)}, p99 {samples_note(golden.total)}"
        what = f"p99, p50 {call_ms(golden.total.p50_ms)}"
        self.cards[2].show_figure(
            Figure(call_ms(golden.total.p99_ms), what, "", note),
            "" if math.isnan(change) else change_ms(change),
            "dim",
        )
        colours = theme.current()
        curve = self.cards[2].curve
        if curve is None:
            return
        faint = theme.mix(colours.accent, colours.surface2, 0.45)

        def read(bucket: int) -> str:
            p99, p50 = float(golden.p99_ms[bucket]), float(golden.p50_ms[bucket])
            return f"{self._time(golden, bucket)}: p99 {call_ms(p99)}, p50 {call_ms(p50)}"

        lines = [(drawn(golden.p50_ms), faint), (drawn(golden.p99_ms), colours.accent)]
        curve.show_curves(lines, read, unit=partial(duration_ms, short=True))

    def _show_cpu(self, golden: Golden) -> None:
        tone: Tone = "failed" if golden.cpu_now >= 90 else "slow" if golden.cpu_now >= 75 else ""
        sign = {"failed": "▲ ", "slow": "◷ "}.get(tone, "")
        what = f"CPU of {golden.cpu_node}" if golden.cpu_node else "CPU, no heartbeat yet"
        value = NOTHING if math.isnan(golden.cpu_now) else f"{sign}{percent(golden.cpu_now)}"
        self.cards[3].show_figure(Figure(value, what, tone, "The busiest node, as heartbeats say"))
        self._curve(3, golden.cpu, theme.current().held, golden, percent, 100.0)

    def _select(self, chosen: Concern | Coming | WaitingCall | None) -> None:
        if isinstance(chosen, WaitingCall):
            self.desk.select(Subject("action", chosen.namespace, chosen.action))
        elif chosen is not None and chosen.subject is not None:
            self.desk.select(chosen.subject)

    def _lead_to_call(self, call: WaitingCall) -> None:
        self.desk.show_view("latency", Subject("action", call.namespace, call.action))

    def _lead(self, concern: Concern) -> None:
        self.desk.show_view(concern.leads_to, concern.subject)


def _relative(now: float, before: float) -> str:
    if before <= 0:
        return ""
    change = (now - before) / before * 100
    return f"{'+' if change >= 0 else '−'}{abs(change):.0f} %"


def build(desk: Desk) -> OverviewView:
    """The view for a desk."""
    return OverviewView(desk)


register(View(id="overview", title="Overview", area=MAIN, order=10, icon="view-dashboard-outline", build=build))
