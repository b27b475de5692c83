"""The bar that always says where we are, what we may do, and whether the picture moves."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QSizePolicy, QWidget

from app.widgets.controls import ElidedButton, Tone, button, label, set_icon, set_property, set_text
from app.widgets.format import length

SPANS: Final[dict[int, str]] = {
    60: "last 1 min",
    300: "last 5 min",
    900: "last 15 min",
    3600: "last 1 h",
    6 * 3600: "last 6 h",
    24 * 3600: "last 24 h",
    0: "everything",
}
"""Windows that can be chosen, in seconds; 0 for all that is held."""


WIDE_PX = 1200


class TopBar(QFrame):
    """Program, profile, permission, place · search · live or paused, window, rates."""

    palette_wanted = Signal()
    pause_wanted = Signal()
    span_wanted = Signal(int)
    place_wanted = Signal()
    profile_wanted = Signal()

    def __init__(self, logo: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self.setFixedHeight(44)
        self._program = label("Meshscope")
        self._program.setObjectName("program")
        self.profile = button("", self.profile_wanted.emit, role="chip", name="Profile")
        self.mode = label("", "chip", name="What we may do")
        for chip in (self.mode, self.profile):
            chip.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.place = ElidedButton()
        self.place.setProperty("role", "link")
        self.place.setAccessibleName("Where we are")
        self.place.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.place.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.place.clicked.connect(self.place_wanted)
        self.search = button("", self.palette_wanted.emit, name="Search or run, Ctrl+K")
        self.search.setObjectName("searchBox")
        self._fill_search()
        self.rates = label("", "small", name="Packets a second, packets lost")
        self.lost = label("", "chip", name="Packets lost", tone="failed")
        self.live = button("", self.pause_wanted.emit, role="chip", name="Live or paused")
        self.live.setToolTip("Space pauses and follows again")
        self.span = button("", None, role="chip", name="Time window")
        self.span.setMenu(self._span_menu())
        self.menu = button("", None, icon="dots-vertical", name="Menu", role="flat")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 0, 10, 0)
        layout.setSpacing(10)
        for part in (logo, self._program, self.profile, self.mode, self.place):
            layout.addWidget(part)
        layout.addStretch(1)
        for part in (self.search, self.rates, self.lost, self.live, self.span, self.menu):
            layout.addWidget(part)
        self.lost.hide()

    def _fill_search(self) -> None:
        inside = QHBoxLayout(self.search)
        inside.setContentsMargins(12, 0, 10, 0)
        for text in ("Search…", "Ctrl K"):
            part = QLabel(text)
            part.setProperty("role", "dim" if text != "Ctrl K" else "small")
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            inside.addWidget(part)
            if text != "Ctrl K":
                inside.addStretch(1)
        self.search.setMinimumSize(QSize(120, 30))
        self.search.setMaximumWidth(300)
        self.search.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _span_menu(self) -> QMenu:
        menu = QMenu(self)
        group = QActionGroup(menu)
        self._span_actions: dict[int, QAction] = {}
        for seconds, text in SPANS.items():
            action = QAction(text, menu, checkable=True)
            action.triggered.connect(lambda _=False, seconds=seconds: self.span_wanted.emit(seconds))
            group.addAction(action)
            menu.addAction(action)
            self._span_actions[seconds] = action
        return menu

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow bar leaves out what stands elsewhere too."""
        super().resizeEvent(event)
        is_wide = self.width() >= WIDE_PX
        self._program.setVisible(is_wide)
        self.rates.setVisible(is_wide)

    # what it says

    def show_place(
        self, profile: str, tone: Tone, mode: str, place: str, *, is_locked: bool, lock: str = "", tip: str = ""
    ) -> None:
        """Say where we are and what we may do.

        Args:
            profile: Its name.
            tone: Its colour.
            mode: What we may do, in words.
            place: Where we are, in a line.
            is_locked: Whether nothing can be published.
            lock: How the lock stands: locked, unlocked and for how long.
            tip: What a click on the profile does.
        """
        self.profile.setVisible(bool(profile))
        self.mode.setVisible(bool(mode))
        set_text(self.profile, f"{profile} · {lock}" if lock else profile)
        icon = "lock" if is_locked else "lock-open-variant" if lock else "circle"
        chosen: Tone = tone if tone in ("failed", "held", "slow", "ok") else ""
        if (self.profile.property("iconName"), self.profile.property("iconTone")) != (icon, chosen):
            set_icon(self.profile, icon, chosen)
        self.profile.setIconSize(QSize(12, 12))
        set_property(self.profile, "tone", tone)
        spoken = "locked: publishes nothing" if is_locked else lock
        self.profile.setAccessibleName(f"Profile {profile}{f', {spoken}' if spoken else ''}")
        self.profile.setAccessibleDescription(tip)
        self.profile.setToolTip(tip)
        set_text(self.mode, mode)
        self.place.set_full_text(place)
        self.place.setToolTip(place)

    def show_time(self, text: str, *, is_live: bool, tone: Tone = "") -> None:
        """Say what moment is shown, and whether the picture moves."""
        set_text(self.live, text)
        chosen: Tone = tone or ("ok" if is_live else "slow")
        if self.live.property("iconName") != ("play" if is_live else "pause") or self.live.property("tone") != chosen:
            set_icon(self.live, "play" if is_live else "pause", chosen if chosen != "dim" else "")
            set_property(self.live, "tone", chosen)

    def show_span(self, seconds: float) -> None:
        """Say how long the window is."""
        whole = int(seconds)
        known = SPANS.get(whole)
        set_text(self.span, f"{known or length(seconds)} ▾")
        for span_s, action in self._span_actions.items():
            action.setChecked(span_s == whole and known is not None)

    def show_rates(self, packets: str, lost: int) -> None:
        """Say how much is heard and what is known to be lost."""
        set_text(self.rates, f"{packets} · {lost:,} lost")
        self.rates.setToolTip("Packets a second on the bus, and packets known to be lost")
        set_text(self.lost, f"▲ {lost:,} lost")
        self.lost.setVisible(lost > 0)
