"""Pictures of every view of the demo mesh, in both themes and two sizes: `python -m app.shots FOLDER`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from app import settings
from app.check_run import check_live
from app.settings import Connection
from app.settings_page import SettingsPage
from app.shell import Shell
from app.shots_caller import caller_shoot, wait_for
from app.sittings import Sittings, opening
from app.views.breakers import BreakersView
from app.views.graph import GraphView
from app.views.registry import load_views
from app.widgets.confirm import ConfirmDialog
from app.widgets.key_sheet import KeySheet
from app.window import Window
from broker.mesh.subject import Subject
from broker.operate.audit import Audit
from broker.operate.profiles import Profile, Profiles

SIZES = ((1280, 800), (2560, 1440))
THEMES = ("dark", "light")
HEAR_S = 40.0
SETTLE_MS = 1500
PAINT_MS = 100
FOUND_WITHIN_S = 30


def wait(milliseconds: int) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


class Camera:
    """Takes pictures of a window into a folder."""

    def __init__(self, window: Window, folder: Path) -> None:
        self._window, self.folder = window, folder
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, name: str) -> None:
        """A picture of the window, in its theme and size, under a name."""
        size = f"{self._window.width()}x{self._window.height()}"
        path = self.folder / f"{name}-{self._window.settings.theme}-{size}.png"
        self._window.grab().save(str(path))
        sys.stdout.write(f"{path}\n")
        sys.stdout.flush()

    def every_look(self, shoot: dict[str, object]) -> None:
        """Run every shoot in every theme and size."""
        for theme in THEMES:
            self._window.use_theme(theme)
            for size in SIZES:
                self._window.resize(*size)
                for name, prepare in shoot.items():
                    if callable(prepare):
                        prepare()
                    self._settle()
                    self.take(name)

    def _settle(self) -> None:
        """Let the window live until what was asked is answered and painted."""
        wait(SETTLE_MS)
        shell = self._window.shell
        if shell is None:
            return
        desk, graph = shell.desk, shell.area.widget("graph")
        wait_for(lambda: desk.is_idle and not (isinstance(graph, GraphView) and graph.is_unfinished))
        wait(PAINT_MS)  # answers that came last are shown


def start_pictures(window: Window, camera: Camera) -> None:
    """The first page, as it is after some use."""
    shop = "redis.shop.example:6379"
    window.start.keeper.profiles = Profiles(
        (
            Profile("shop-production", f"redis://ops@{shop}", is_production=True, namespaces=("prod",)),
            Profile("shop-staging", "redis://redis.staging.example:6379", "slow", may="act", namespaces=("stage",)),
        )
    )
    window.settings.recent = [Connection("redis://localhost:6379", "localhost")]
    for recent in window.settings.recent:
        recent.last_ns = 1_772_620_928_000_000_000
    window.start.show_recent()
    form = window.start.form
    edit = partial(form.edit, window.start.keeper.profiles.all[0])
    camera.every_look({"start": form.begin_anew, "start-profile": edit})
    form.begin_anew()


def session_pictures(shell: Shell, camera: Camera) -> None:
    """Every view, with something selected where that shows more, and what is special."""
    desk = shell.desk
    namespace = next(iter(desk.snapshot.namespaces()), "")
    service = Subject("service", namespace, _busiest(shell))

    graph = shell.area.widget("graph")
    assert isinstance(graph, GraphView)  # noqa: S101  the view of that name

    def show(view: str, subject: Subject | None) -> None:
        shell.filter_bar.set_text("")
        desk.follow()
        graph.ways.end()
        desk.select(subject)
        desk.show_view(view)

    def pause() -> None:
        show("overview", None)
        desk.pause()

    def write_wrong_filter() -> None:
        show("overview", None)
        shell.filter_bar.set_text("durration > 200ms")

    def group(value: str) -> None:
        graph.ways.end()
        graph.bar.group.choose(value)
        graph.bar.group.picked.emit(value)
        wait(SETTLE_MS)

    def groups() -> None:
        show("graph", None)
        group("node")

    def path() -> None:
        group("service")
        show("graph", Subject("service", namespace, "bank"))
        wait(SETTLE_MS)
        api = next((card.key for card in graph.canvas.scene.cards.values() if card.title == "api"), "")
        graph.ways.choose_other(api)
        graph.ways.bar.swap.click()

    shoot: dict[str, object] = {view.id: (lambda view_id=view.id: show(view_id, None)) for view in load_views()}
    shoot["graph-selected"] = lambda: show("graph", service)
    bank = Subject("service", namespace, "bank")
    shoot["graph-trouble"] = lambda: show("graph", bank)
    shoot["graph-groups"] = groups
    shoot["graph-path"] = path
    shoot["services-selected"] = lambda: show("services", service)
    shoot |= _breakers_shoot(shell, show, namespace)
    shoot |= caller_shoot(shell)
    shoot["paused"] = pause
    shoot["wrong-filter"] = write_wrong_filter
    camera.every_look(shoot)
    shell.filter_bar.set_text("")


def _breakers_shoot(
    shell: Shell, show: Callable[[str, Subject | None], None], namespace: str
) -> dict[str, Callable[[], None]]:
    """The breakers, one of them, and what moved."""
    view = shell.area.widget("breakers")
    assert isinstance(view, BreakersView)  # noqa: S101  the view of that name

    def breakers(tab: QWidget, subject: Subject | None) -> None:
        view.tabs.setCurrentWidget(tab)
        show("breakers", subject)

    transfers = Subject("breaker", namespace, "payments-1|bank-1:bank.transfer")
    return {
        "breakers": lambda: breakers(view.matrix, None),
        "breakers-selected": lambda: breakers(view.matrix, transfers),
        "breakers-changes": lambda: breakers(view.changes, None),
    }


def _busiest(shell: Shell) -> str:
    rows = shell.side.table.texts()
    return rows[0][0].lstrip("▲◷ ") if rows else ""


def dialog_pictures(window: Window, camera: Camera) -> None:
    """What opens over the window: keys, settings, a question before something is sent."""
    opened: dict[str, tuple[Callable[[], None], type[QDialog]]] = {
        "keys": (window.show_keys, KeySheet),
        "settings": (window.show_settings, SettingsPage),
        "ask-once": (window.ask_once, ConfirmDialog),
    }
    for theme in THEMES:
        window.use_theme(theme)
        for name, (show, kind) in opened.items():
            show()
            wait(300)
            dialog = window.findChild(kind)
            if dialog is not None:
                dialog.grab().save(str(camera.folder / f"{name}-{theme}.png"))
                dialog.reject()
                wait(50)


def _shell_of(window: Window) -> Shell | None:
    """The sitting, if it is still there."""
    return window.shell


def main(folder: str) -> int:
    """Start the demo, listen for a while, take all pictures. The exit code."""
    app = QApplication(sys.argv[:1])
    app.setApplicationName("meshscope")
    acts = TemporaryDirectory()
    # of this machine's user nothing shall be pictured
    sittings = Sittings(audit=Audit(Path(acts.name) / "audit.jsonl"))
    window = Window(settings.load(None), load_views(), check_live, opening(sittings))
    sittings.window = window
    window.show()
    camera = Camera(window, Path(folder))
    try:
        start_pictures(window, camera)
        window.use_theme("dark")
        sittings.open_demo()
        for _ in range(FOUND_WITHIN_S * 10):
            if window.shell is not None:
                break
            wait(100)
        if window.shell is None:
            sys.stderr.write(f"the demo did not start: {window.start.banner.text}\n")
            return 1
        window.shell.set_span(300)
        wait(round(HEAR_S * 1000))
        shell = _shell_of(window)
        if shell is None:
            sys.stderr.write(f"the session ended: {window.start.banner.text}\n")
            return 1
        session_pictures(shell, camera)
        dialog_pictures(window, camera)
    finally:
        window.close()
        sittings.end_demo()
        acts.cleanup()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "build/shots"))
