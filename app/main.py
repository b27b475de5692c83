"""The composition root of the window: builds everything, decides nothing."""

from __future__ import annotations

import logging
import os
import sys
import threading
from dataclasses import asdict, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

from app import settings
from app.bugs import catch_bugs
from app.caller.keeping import Keeping
from app.caller.opening import keeping_for
from app.check_run import check_live
from app.cli.wire_options import WireOptions
from app.graph.places import PlaceStore, use_store
from app.mutes import Mutes
from app.offscreen import drop_no_news, show_for
from app.opening import Opening, gather, mask_names, masks_of, needs_key_store, rules_for, session_options
from app.place import Place, mode_text
from app.profile_keeper import ProfileKeeper
from app.session import DemoRun, Session
from app.settings import Connection
from app.signals import close_on_signals
from app.signing import signs_with
from app.tidying import Tidier
from app.views.registry import load_views
from app.wanted import Wanted
from app.window import Opener, Window
from broker.clock import SystemClock
from broker.operate import secrets
from broker.operate.audit import Audit
from broker.operate.commands import Report
from broker.operate.masks import Masks
from broker.operate.operator import Operator
from broker.operate.profiles import HELPER_SECRET, PASSWORD, Profile, ProfileStore
from broker.probe.options import SessionOptions
from broker.probe.ssh import Machine
from broker.transport import ConnectionSettings

if TYPE_CHECKING:
    from app.cli.targets import Target

log = logging.getLogger(__name__)

SWITCH_S = 0.001
"""How long a worker thread may go on while the window waits for the interpreter: the window must not stand still."""


class Sittings(QObject):
    """Opens sittings in the window, one at a time."""

    _gathered = Signal(object)

    def __init__(
        self,
        wire: WireOptions | None = None,
        keeper: ProfileKeeper | None = None,
        audit: Audit | None = None,
    ) -> None:
        """
        Args:
            wire: How packets are written; as the environment says, if it is left out.
            keeper: Of saved profiles, whose rules hold; none are known if it is left out.
            audit: Where acts are written down; the user's own log if it is left out.
        """
        super().__init__()
        self.window: Window | None = None
        self.keeper = keeper or ProfileKeeper(None, parent=self)
        self._audit = audit or Audit()
        self._wire = wire or WireOptions.from_environment()
        self._demo: DemoRun | None = None
        self._gathered.connect(self._open)

    def known(self, url: str) -> Connection:
        """The connection as it was named and coloured before; a new one for a URL that was never opened."""
        return next((found for found in self._window().settings.recent if found.url == url), Connection(url))

    # the opener's part

    def open_live(self, wanted: Wanted) -> None:
        """A live mesh; its secrets come from the key store where they are kept there."""
        self.keeper.load()
        if self.keeper.trouble:
            self._window().start.banner.say(
                self.keeper.trouble, "Nothing was opened: what protects a mesh is in there."
            )
            return
        profile = rules_for(wanted, self.keeper.profiles)
        if needs_key_store(wanted):
            threading.Thread(target=self._gather, args=(wanted, profile), name="key store", daemon=True).start()
        else:
            self._open(gather(wanted, profile))

    def open_file(self, path: str) -> None:
        """A capture."""
        options = SessionOptions(path=path, keeps_capture=False, **asdict(self._wire))
        place = Place(Path(path).name, "held", "capture: nothing is live", path, is_locked=False, is_file=True)
        if self._window().settings.path is not None:
            self._window().settings.remember_file(str(Path(path).resolve()))
        session = Session(options)
        session.desk.masks = Masks(self.keeper.profiles.mask_names)
        self._show(session, options, place)

    def open_demo(self) -> None:
        """The demo, and a live mesh on it."""
        self.end_demo()
        self._window().start.banner.say(
            "Starting the demo mesh…", "A Redis and a dozen nodes; about two seconds.", "slow"
        )
        self._demo = DemoRun()
        self._demo.started.connect(self._on_demo)
        self._demo.failed.connect(self._on_no_demo)
        self._demo.start()

    # inside

    def _window(self) -> Window:
        assert self.window is not None, "the window is made before anything is opened"  # noqa: S101
        return self.window

    def _gather(self, wanted: Wanted, profile: Profile | None) -> None:
        """In a thread: a key store may ask the user first."""
        self._gathered.emit(gather(wanted, profile))

    def _open(self, opening: Opening) -> None:
        connection, window = opening.connection, self._window()
        if opening.profile is None or opening.profile.name != connection.name:
            connection.last_ns = SystemClock().now_ns()
            window.settings.remember(connection)
            window.settings.save()
        self.open_gathered(opening)
        if window.shell is None:
            return
        if opening.not_given:
            window.shell.show_report(Report("failed", "The password is not known.", secrets.NOT_GIVEN))
        elif opening.not_kept:
            window.shell.show_report(Report("failed", "The password is not kept.", opening.not_kept))

    def open_connection(self, connection: Connection, password: str) -> None:
        """A live mesh by its URL, with the password in hand."""
        rules = rules_for(Wanted(connection), self.keeper.profiles)
        self.open_gathered(Opening(connection, rules, {PASSWORD: password} if password else {}))

    def open_gathered(self, opening: Opening) -> None:
        """A live mesh, with everything in hand."""
        profile, connection = opening.profile, opening.connection
        everywhere = self.keeper.profiles.mask_names
        options = session_options(opening, self._wire, everywhere)
        tone = profile.tone if profile is not None else connection.colour
        place = Place(
            profile.name if profile is not None else connection.title,
            tone if tone in ("ok", "slow", "failed", "held") else "",  # type: ignore[arg-type]
            mode_text(options.may, options.announce),
            connection.url,
            is_locked=options.may == "see",
            is_production=profile is not None and profile.is_production,
        )
        masks = masks_of(opening, everywhere)
        keeping = keeping_for(
            self._window().settings,
            profile.name if profile is not None else connection.url,
            profile=profile,
            store=self.keeper.store,
            masks=masks,
        )
        operator = Operator(
            self._audit, SystemClock(), url=connection.url, base=options.may, profile=profile, masks=masks
        )
        try:
            machine = Machine.parse(connection.ssh) if connection.ssh else None
        except ValueError as error:
            self._on_lost(f"The probe's {error}.")
            return
        session = Session(options, operator=operator, machine=machine)
        session.desk.profile, session.desk.masks = profile, masks
        session.desk.secrets = dict(opening.secrets)
        session.desk.mask_names = mask_names(opening, ())
        session.desk.sign_for = signs_with(opening.secrets.get(HELPER_SECRET, ""), session.desk.me)
        self._show(session, options, place, keeping)

    def _show(self, session: Session, options: SessionOptions, place: Place, keeping: Keeping | None = None) -> None:
        window = self._window()
        session.desk.audit = self._audit
        session.lost.connect(self._on_lost)
        session.reported.connect(self._on_report)
        use_store(PlaceStore(self._kept_path("places", options, place)))
        session.desk.mutes = Mutes(self._kept_path("mutes", options, place))
        # a capture has no address that could be called
        session.desk.keeping = keeping or keeping_for(window.settings, "", masks=session.desk.masks)
        session.desk.keeping.hide = session.hide
        window.show_session(session.desk, place, session.close)
        session.desk.set_reduce_motion(window.settings.reduce_motion)
        session.start()

    def _kept_path(self, what: str, options: SessionOptions, place: Place) -> Path | None:
        """Where something of this source is kept; None when nothing is kept."""
        kept = self._window().settings.path
        if kept is None:
            return None
        # a saved connection by its name: the demo has another port each time
        name = blake2b((options.profile or place.url).encode(), digest_size=8).hexdigest()
        return kept.parent / what / f"{name}.json"

    def _on_demo(self, url: str, namespace: str) -> None:
        # the demo is ours: everything may be tried with it
        connection = Connection(url, name="demo", may="act", namespaces=[namespace], colour="held")
        secret = {HELPER_SECRET: self._demo.secret} if self._demo is not None else {}
        self.open_gathered(Opening(connection, None, secret))
        shell = self._window().shell
        if shell is not None:
            shell.desk.show_view("graph")  # what a demo is looked at for

    def _on_no_demo(self, message: str) -> None:
        self._window().start.banner.say("The demo did not start.", message)

    def _on_lost(self, message: str) -> None:
        self._window().leave("The session ended.", f"{message} Connect again to go on.")

    def _on_report(self, report: Report) -> None:
        shell = self._window().shell
        if shell is not None:
            shell.show_report(report)

    def end_demo(self) -> None:
        """End a demo that was started from here."""
        demo, self._demo = self._demo, None
        if demo is not None:
            demo.stop()


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
    # the worker gives way to painting after 1 ms; after Python's own 5 ms the window stutters
    sys.setswitchinterval(0.001)
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


class _Opening(Opener):
    """What the window may ask for."""

    def __init__(self, sittings: Sittings) -> None:
        self._sittings = sittings

    def open_live(self, wanted: Wanted) -> None:
        """A live mesh."""
        self._sittings.open_live(wanted)

    def open_file(self, path: str) -> None:
        """A capture."""
        self._sittings.open_file(path)

    def open_demo(self) -> None:
        """The demo, and a live mesh on it."""
        self._sittings.open_demo()


def opening(sittings: Sittings) -> Opener:
    """What a window may ask for, done by these sittings."""
    return _Opening(sittings)


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
