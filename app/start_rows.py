"""The rows of the start page: a saved profile, a connection that was opened before."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton

from app import theme
from app.settings import Connection
from app.widgets.controls import ElidedLabel, button, column, label, set_property
from app.widgets.format import date_time
from broker.operate.profiles import Profile

SIGN_PX = 16


def connection_row(connection: Connection, opened: Callable[[], object]) -> QPushButton:
    """A connection that was opened before; a click opens it again."""
    about = _line(
        connection.url,
        _namespaces(connection.namespaces),
        connection.may,
        "announced" if connection.announce else "",
        date_time(connection.last_ns)[:10],
    )
    made = button("", opened, role="row", name=f"Connect to {connection.title}: {about}")
    inside = column(label(connection.title), ElidedLabel(about, "small"), spacing=2)
    inside.setContentsMargins(14, 9, 14, 9)
    made.setLayout(inside)
    made.setMinimumHeight(54)
    return made


def profile_row(profile: Profile, opened: Callable[[], object], edited: Callable[[], object]) -> QPushButton:
    """A saved profile: its colour, for production a lock and the word; a click opens it, the pencil changes it."""
    about = _line(
        profile.url,
        _namespaces(profile.namespaces),
        "announced" if profile.announce else "",
        f"probe on {profile.ssh}" if profile.ssh else "",
    )
    standing = "production, sees only until it is unlocked" if profile.is_production else f"may {profile.may}"
    made = button("", opened, role="row", name=f"Connect to {profile.name}, {standing}: {about}")
    made.setToolTip(about)
    set_property(made, "tone", "failed" if profile.is_production else "")
    made.setMinimumHeight(56)
    head = QHBoxLayout()
    head.setSpacing(8)
    head.addWidget(label(profile.name))
    chip = label("production · locked", "chip", tone="failed") if profile.is_production else label(profile.may, "chip")
    head.addWidget(chip)
    head.addStretch(1)
    inside = QHBoxLayout(made)
    inside.setContentsMargins(12, 8, 8, 8)
    inside.setSpacing(10)
    inside.addWidget(_sign(profile), 0, Qt.AlignmentFlag.AlignVCenter)
    told = column(head, ElidedLabel(about, "small"), spacing=2)
    inside.addLayout(told, 1)
    change = button("", edited, role="flat", icon="pencil-outline", name=f"Change {profile.name}", tip="Change")
    inside.addWidget(change)
    return made


def _sign(profile: Profile) -> QLabel:
    """A lock for production, otherwise a dot in its colour."""
    colours = theme.current()
    made = label("", name="Production" if profile.is_production else "Colour of the profile")
    colour = colours.ink(colours.colours()[profile.tone])
    made.setPixmap(theme.icon("lock" if profile.is_production else "circle", colour).pixmap(SIGN_PX, SIGN_PX))
    made.setFixedWidth(SIGN_PX)
    return made


def _namespaces(namespaces: list[str] | tuple[str, ...]) -> str:
    names = ", ".join(name or "(empty)" for name in namespaces)
    return f"namespace {names}" if names else ""


def _line(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
