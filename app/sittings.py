"""Opens what the window shall show: a live mesh, a capture, the demo. What is read for that is read in threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from app.caller.keeping import Keeping
from app.caller.opening import keeping_for
from app.cli.wire_options import WireOptions
from app.graph.places import PlaceStore, use_store
from app.mutes import Mutes
from app.opening import Opening, gather, mask_names, masks_of, rules_for, session_options
from app.place import Place, mode_text
from app.profile_keeper import Found, ProfileKeeper
from app.session import DemoRun, Session
from app.settings import Connection
from app.signing import signs_with
from app.wanted import Wanted
from app.window import Opener, Window
from broker.clock import SystemClock
from broker.operate import secrets
from broker.operate.audit import Audit
from broker.operate.commands import Report
from broker.operate.masks import Masks
from broker.operate.operator import Operator
from broker.operate.profiles import HELPER_SECRET, PASSWORD
from broker.probe.options import SessionOptions
from broker.probe.ssh import Machine

Then = Callable[[], None]


class Kept(NamedTuple):
    """What is kept of a source, as it was read."""

    places: PlaceStore
    mutes: Mutes


class Sittings(QObject):
    """Opens sittings in the window, one at a time. What is read for that is read in threads."""

    _ready = Signal(object)

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
        self._ready.connect(lambda then: then())

    def known(self, url: str) -> Connection:
        """The connection as it was named and coloured before; a new one for a URL that was never opened."""
        return next((found for found in self._window().settings.recent if found.url == url), Connection(url))

    # the opener's part

    def open_live(self, wanted: Wanted) -> None:
        """A live mesh; its secrets come from the key store where they are kept there."""
        kept_by = self._kept_by(wanted.connection.name or wanted.connection.url)

        def read() -> Then:
            found = self.keeper.read()
            if found[1]:
                return partial(self._refuse, found)
            opening = gather(wanted, rules_for(wanted, found[0]))
            return partial(self._open, found, opening, kept_by())

        # not with the disk: a key store may ask the user first
        threading.Thread(target=self._give, args=(read,), name="key store", daemon=True).start()

    def open_file(self, path: str) -> None:
        """A capture."""
        kept_by = self._kept_by(path)

        def read() -> Then:
            if not Path(path).is_file():
                return lambda: self._window().start.banner.say(
                    f"{path} is not there any more.", "It was moved or deleted."
                )
            return partial(self._open_file, path, str(Path(path).resolve()), kept_by())

        self._window().settings.disk.run(partial(self._give, read))

    def open_demo(self) -> None:
        """The demo, and a live mesh on it."""
        self._window().start.banner.say(
            "Starting the demo mesh…", "A Redis and a dozen nodes; about two seconds.", "slow"
        )
        self._demo = DemoRun(self._demo)
        self._demo.started.connect(self._on_demo)
        self._demo.failed.connect(self._on_no_demo)
        self._demo.start()

    # inside

    def _window(self) -> Window:
        assert self.window is not None, "the window is made before anything is opened"  # noqa: S101
        return self.window

    def _give(self, read: Callable[[], Then]) -> None:
        """In a thread: read, and go on with it on the GUI thread if the window is still there."""
        then = read()
        if isValid(self) and isValid(self.window):
            self._ready.emit(lambda: then() if isValid(self.window) else None)

    def _refuse(self, found: Found) -> None:
        self.keeper.take(found)
        self._window().start.banner.say(found[1], "Nothing was opened: what protects a mesh is in there.")

    def _open_file(self, path: str, resolved: str, kept: Kept) -> None:
        options = SessionOptions(path=path, keeps_capture=False, **asdict(self._wire))
        place = Place(Path(path).name, "held", "capture: nothing is live", path, is_locked=False, is_file=True)
        if self._window().settings.path is not None:
            self._window().settings.remember_file(resolved)
        session = Session(options)
        session.desk.masks = Masks(self.keeper.profiles.mask_names)
        self._show(session, place, kept)

    def _open(self, found: Found, opening: Opening, kept: Kept) -> None:
        self.keeper.take(found)
        connection, window = opening.connection, self._window()
        if opening.profile is None or opening.profile.name != connection.name:
            connection.last_ns = SystemClock().now_ns()
            window.settings.remember(connection)
            window.settings.save()
        self._begin(opening, kept)
        if window.shell is None:
            return
        if opening.not_given:
            window.shell.show_report(Report("failed", "The password is not known.", secrets.NOT_GIVEN))
        elif opening.not_kept:
            window.shell.show_report(Report("failed", "The password is not kept.", opening.not_kept))

    def open_connection(self, connection: Connection, password: str) -> None:
        """A live mesh by its URL, with the password in hand."""
        rules = rules_for(Wanted(connection), self.keeper.profiles)
        self._open_gathered(Opening(connection, rules, {PASSWORD: password} if password else {}))

    def _open_gathered(self, opening: Opening, view: str = "") -> None:
        """A live mesh, with everything in hand but what is kept of it."""
        kept_by = self._kept_by(opening.connection.name or opening.connection.url)

        def begin(kept: Kept) -> None:
            self._begin(opening, kept)
            shell = self._window().shell
            if view and shell is not None:
                shell.desk.show_view(view)

        self._window().settings.disk.run(partial(self._give, lambda: partial(begin, kept_by())))

    def _begin(self, opening: Opening, kept: Kept) -> None:
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
        self._show(session, place, kept, keeping)

    def _show(self, session: Session, place: Place, kept: Kept, keeping: Keeping | None = None) -> None:
        window = self._window()
        session.desk.audit, session.desk.disk = self._audit, window.settings.disk
        session.lost.connect(self._on_lost)
        session.reported.connect(self._on_report)
        use_store(kept.places)
        session.desk.mutes = kept.mutes
        # a capture has no address that could be called
        session.desk.keeping = keeping or keeping_for(window.settings, "", masks=session.desk.masks)
        session.desk.keeping.hide = session.hide
        window.show_session(session.desk, place, session.close)
        session.desk.set_reduce_motion(window.settings.reduce_motion)
        session.start()

    def _kept_by(self, source: str) -> Callable[[], Kept]:
        """Reads what is kept of a source, in any thread.

        Args:
            source: A saved connection by its name: the demo has another port each time; others by URL or path.
        """
        path, disk = self._window().settings.path, self._window().settings.disk
        name = blake2b(source.encode(), digest_size=8).hexdigest()

        def where(what: str) -> Path | None:
            return path.parent / what / f"{name}.json" if path is not None else None

        return lambda: Kept(PlaceStore(where("places"), disk), Mutes(where("mutes"), disk))

    def _on_demo(self, url: str, namespace: str) -> None:
        # the demo is ours: everything may be tried with it
        connection = Connection(url, name="demo", may="act", namespaces=[namespace], colour="held")
        secret = {HELPER_SECRET: self._demo.secret} if self._demo is not None else {}
        self._open_gathered(Opening(connection, None, secret), "graph")  # what a demo is looked at for

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
