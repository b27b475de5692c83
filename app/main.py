"""The composition root of the window: builds everything, decides nothing."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app import settings
from app.bugs import catch_bugs
from app.check_run import check_live
from app.offscreen import drop_no_news, show_for
from app.profile_keeper import ProfileKeeper
from app.settings import Connection
from app.signals import close_on_signals
from app.sittings import Sittings, opening
from app.tidying import Tidier
from app.views.registry import load_views
from app.wanted import Wanted
from app.window import Window
from broker.operate.profiles import ProfileStore
from broker.transport import ConnectionSettings

if TYPE_CHECKING:
    from app.cli.targets import Target

SWITCH_S = 0.0003
"""How long a worker thread may go on while the window waits for the interpreter: the window must not stand still."""


def run_window(*, target: Target | None = None, demo: bool = False, show_s: float = 0.0, picture: str = "") -> int:
    """Show the window until it is closed.

    Args:
        target: The live mesh or the capture to show; None for the start page.
        demo: Start the demo mesh and show that.
        show_s: Close by itself after so many seconds; 0 for never.
        picture: Where to write a PNG of the window before it closes by itself.

    Returns:
        The exit code of the program.
    """
    if not _has_screen():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        drop_no_news()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)  # noqa: S101  nobody makes another one before us
    sys.setswitchinterval(SWITCH_S)
    app.setApplicationName("meshscope")
    app.setApplicationDisplayName("Meshscope")
    app.setDesktopFileName("meshscope")
    # an offscreen picture shall not depend on what was done before on this machine
    kept = settings.load(settings.default_path() if not show_s else None)
    keeper = ProfileKeeper(ProfileStore(), kept.path)
    sittings = Sittings(target.wire if target is not None else None, keeper)
    window = Window(kept, load_views(), check_live, opening(sittings), keeper if not show_s else None)
    sittings.window = window
    catch_bugs(window)
    close_on_signals(app, window)
    window.show()
    tidier = Tidier(app)
    QTimer.singleShot(0, lambda: _open(sittings, target, demo=demo))
    if show_s:
        show_for(window, show_s, picture)
    try:
        return int(app.exec())
    finally:
        tidier.end()
        sittings.end_demo()


def _open(sittings: Sittings, target: Target | None, *, demo: bool) -> None:
    if demo:
        sittings.open_demo()
    elif target is not None and target.path:
        sittings.open_file(target.path)
    elif target is not None:
        found = ConnectionSettings.parse(target.url, password=target.password or None, tls_ca=target.tls_ca or None)
        # at a profile's place, but not it: another user, another database; its rules hold, its secrets are not for it
        profile = target.profile if target.profile and target.profile.url == found.redacted else None
        known = Connection.of(profile) if profile is not None else sittings.known(found.redacted)
        connection = replace(
            known,
            may=target.may,
            announce=target.announce,
            namespaces=list(target.namespaces) or known.namespaces,
            tls_ca=target.tls_ca or known.tls_ca,
        )
        sittings.open_live(Wanted(connection, found.password, profile=profile))


def _has_screen() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
