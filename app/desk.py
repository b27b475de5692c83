"""The Desk: what a view is given. One cursor, one selection, one filter, and a way to ask."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar
from weakref import ReferenceType, ref

from PySide6.QtCore import QObject, QTimer, Signal
from shiboken6 import isValid

from app.caller.keeping import Keeping
from app.disk import Disk
from app.mutes import Mutes
from app.worker import Worker
from broker.mesh.filter import EMPTY, Filter, parse
from broker.mesh.span import Cursor, Span
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot, Timeline
from broker.operate.calling.captured import Template
from broker.operate.commands import Command, Progress, Report
from broker.operate.masks import Masks
from broker.operate.operator import NOT_CONFIRMED, Confirmation
from broker.operate.permissions import Permission
from broker.operate.rules import Verdict, verdict

if TYPE_CHECKING:
    from app.side_facts import SideFacts
    from broker.operate.audit import Audit
    from broker.operate.breaking.signing import Signer
    from broker.operate.profiles import Profile
    from broker.probe.status import ProbeStatus

log = logging.getLogger(__name__)
T = TypeVar("T")
TakeReport = Callable[[Report], None]
TakeProgress = Callable[[Progress], None]
RunCommand = Callable[..., int]
"""Given a command, who is told, the confirmation, a name; what fills it in and streams by their words."""

TICK_MS = 100
PAINT_MS = 12
"""So long after an answer was given it is being painted; what is posted then comes when that is done."""
GIVEN_S = 0.25
"""The worker waits no longer for a window that is busy with something else."""
REST = 5.0
"""After questions that kept the worker busy for t, the next tick comes no sooner than REST * t later."""
MAX_ZOOMS = 50


@dataclass(frozen=True, slots=True)
class _Question:
    owner: ReferenceType[QObject]
    ask: Callable[[Snapshot], Any]
    answer: Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class _Answer:
    owner: ReferenceType[QObject]
    give: Callable[[Any], None]
    value: Any = None
    error: BaseException | None = None


def _take_nothing(_value: object) -> None:
    """Nobody waits for it."""


def _permission(status: ProbeStatus | None) -> tuple[Permission, int]:
    """What may be done, and until when that is more than usual."""
    return (status.may_now, status.unlocked_until_ns) if status is not None else ("see", 0)


class Desk(QObject):
    """What a view knows of the world. Lives on the GUI thread.

    Attributes:
        timeline: Everything known.
        cursor: The span on screen.
        selection: What the side panel is about.
        filter: What every view obeys: what the user wants, of the namespace on screen.
        wanted: What the user wrote into the filter box.
        namespace: The namespace on screen; None for all of them.
        status: What the probe last said of itself; None while there is none.
        me: Who acts from here, as `user@host`; empty where nobody does.
        sign_for: Makes what signs commands for breakers of a namespace; raises ValueError where the secret is missing.
        reduce_motion: Whether nothing shall move by itself.
        judge: Tells whether a command may be sent (`may`); by the session's permission alone if it is None.
        mutes: Lines of the overview that are muted on this connection.
        keeping: What the caller keeps for this connection: history, collections, variables.
        template: What is to be sent next, until the caller has taken it.
        profile: Whose rules hold here; None for a bare URL that belongs to none, and for captures.
        secrets: Of the profile and of those who opened it, by their words. Never shown, never logged.
        masks: What is secret in what is shown.
        mask_names: Names whose values are secret on this connection only.
        audit: Where acts are written down; the user's own log if it is None.
        disk: Reads and writes files, for `keep`.
        tellers: What the side panel tells of subjects that no timeline knows, by their kind; run in the worker.
    """

    ticked = Signal()
    """At most ten times a second: what the cursor shows has changed. Refresh if visible."""
    arrived = Signal()
    """As ticked, but while the cursor stands still too: the timeline has grown."""
    cursor_changed = Signal()
    selection_changed = Signal()
    filter_changed = Signal()
    theme_changed = Signal()
    status_changed = Signal()
    permission_changed = Signal()
    """What may be done now is another: ask `may` again."""
    motion_changed = Signal()
    view_wanted = Signal(str)
    """A view id: somebody asked to be led there. The window obeys."""
    reported = Signal()
    """Something that was submitted has its report: there may be more in the audit."""
    masks_changed = Signal()
    """Other values are secret now: show anew what is shown."""

    template_wanted = Signal()
    """Somebody wants to send what `template` says: the caller takes it."""

    _answered = Signal(object)

    def __init__(self, timeline: Timeline | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.timeline = timeline if timeline is not None else Timeline()
        self.cursor = Cursor()
        self.selection: Subject | None = None
        self.filter: Filter = EMPTY
        self.wanted: Filter = EMPTY
        self.namespace: str | None = None
        self.status: ProbeStatus | None = None
        self.reduce_motion = False
        self.me = ""
        self.sign_for: Callable[[str], Signer] | None = None
        self.mutes = Mutes()
        self.keeping = Keeping()
        self.template: Template | None = None
        self.profile: Profile | None = None
        self.secrets: dict[str, str] = {}
        self.masks = Masks()
        self.mask_names: tuple[str, ...] = ()
        self.audit: Audit | None = None
        self.disk = Disk()
        self.tellers: dict[str, Callable[[Subject], SideFacts]] = {}
        self.fetch_body: Callable[[int, Callable[[bytes | None], None]], None] | None = None
        self.run_command: RunCommand | None = None
        self.judge: Callable[[Command, str], Verdict] | None = None
        self._zooms: list[Cursor] = []
        self._seen_revision = -1
        self._snapshot: Snapshot | None = None
        self._busy_s = 0.0
        self._rest_until_s = 0.0
        self._painted = threading.Event()
        self._answered.connect(self._give)
        self._worker: Worker[_Question] = Worker(self._work, "questions")
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    # what there is

    @property
    def snapshot(self) -> Snapshot:
        """The timeline as it is now. Cheap; the same object until the timeline grows."""
        if self._snapshot is None or self._snapshot.revision != self.timeline.revision:
            self._snapshot = self.timeline.snapshot()
        return self._snapshot

    def span(self) -> Span:
        """What the cursor shows of the timeline as it is now.

        Never begins before the timeline does: rates are calls by the time
        in which they could have been heard.
        """
        snapshot = self.snapshot
        span = self.cursor.span(snapshot.begin_ns, snapshot.through_ns)
        return span._replace(from_ns=min(max(span.from_ns, snapshot.begin_ns), span.to_ns))

    @property
    def can_unlock(self) -> bool:
        """Whether unlocking is what helps where something may not be done."""
        may, until_ns = _permission(self.status)
        return self.profile is not None and may != "act" and not until_ns

    # what a user changes

    def set_cursor(self, cursor: Cursor) -> None:
        """Show another span."""
        if cursor != self.cursor:
            self.cursor = cursor
            self.cursor_changed.emit()

    def pause(self) -> None:
        """Let the picture stand still at the newest moment; taking in goes on."""
        if self.cursor.follows:
            self.set_cursor(self.cursor.paused_at(self.span().to_ns))

    def follow(self) -> None:
        """Back to live. A zoomed span gets back the length it had before."""
        cursor = self._zooms[0] if self._zooms else self.cursor
        self._zooms.clear()
        self.set_cursor(cursor.following())

    def zoom(self, span: Span) -> None:
        """Show just this span, in every view. Refused when it is empty."""
        length_ns = span.to_ns - span.from_ns
        if length_ns <= 0:
            return
        self._zooms.append(self.cursor)
        del self._zooms[:-MAX_ZOOMS]
        self.set_cursor(Cursor(span.to_ns, length_ns, follows=False))

    @property
    def is_zoomed(self) -> bool:
        """Whether there is a zoom to undo."""
        return bool(self._zooms)

    def zoom_back(self) -> bool:
        """Undo the last zoom. Whether there was one."""
        if not self._zooms:
            return False
        self.set_cursor(self._zooms.pop())
        return True

    def select(self, subject: Subject | None) -> None:
        """Put this into the side panel; None for nothing."""
        if subject != self.selection:
            self.selection = subject
            self.selection_changed.emit()

    def set_filter(self, wanted: Filter) -> None:
        """Let every view show only this."""
        if wanted.text != self.wanted.text:
            self.wanted = wanted
            self._combine()

    def clear_filter(self) -> None:
        """Let every view show everything again."""
        self.set_filter(EMPTY)

    def set_namespace(self, namespace: str | None) -> None:
        """Let every view show one namespace only; None for all, each kept apart."""
        if namespace != self.namespace:
            self.namespace = namespace
            self._combine()

    def _combine(self) -> None:
        if self.namespace is None:
            self.filter = self.wanted
        else:
            only = f'namespace = "{self.namespace}"'
            self.filter = parse(only if self.wanted.is_empty else f"{only} and ({self.wanted.text})")
        self.filter_changed.emit()

    def set_mask_names(self, names: Sequence[str]) -> None:
        """Let values under other names be masked, in everything that is shown and written down from now on.

        Args:
            names: Besides those that always are.
        """
        self.masks.set_names(names)
        self.keeping.use_masks(self.masks)
        self.masks_changed.emit()

    def set_reduce_motion(self, is_reduced: bool) -> None:
        """Let nothing move by itself, or let it move again."""
        if is_reduced != self.reduce_motion:
            self.reduce_motion = is_reduced
            self.motion_changed.emit()

    def show_view(self, view_id: str, subject: Subject | None = None) -> None:
        """Lead the user to a view, and to something in it."""
        is_other = subject is not None and subject != self.selection
        if is_other:
            self.selection = subject  # before the view comes, so that it opens on it
        self.view_wanted.emit(view_id)
        if is_other:
            self.selection_changed.emit()

    def set_status(self, status: ProbeStatus | None) -> None:
        """What the probe says of itself."""
        before, self.status = self.status, status
        self.status_changed.emit()
        if _permission(before) != _permission(status):
            self.permission_changed.emit()

    # asking

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked and not answered."""
        return self._worker.is_idle

    def ask(self, owner: QObject, key: str, question: Callable[[Snapshot], T], answer: Callable[[T], None]) -> None:
        """Ask something of the timeline without making the window wait.

        Args:
            owner: Who asks; the answer is dropped when it is gone by then.
            key: What it asks. A newer question of the same owner and key replaces one that still waits.
            question: Runs in the worker thread; must not touch Qt.
            answer: Gets the result on the GUI thread.
        """
        self._worker.put((id(owner), key), _Question(ref(owner), question, answer))

    def keep(
        self,
        owner: QObject,
        work: Callable[[], T],
        answer: Callable[[T], None] | None = None,
        *,
        key: str = "",
    ) -> None:
        """Let files be read or written without making the window wait: in order, and also when the window is gone.

        Args:
            owner: Who wants it; the answer is dropped when it is gone by then.
            work: Runs in the thread of the disk; must not touch Qt.
            answer: Gets the result on the GUI thread.
            key: Newer work of the same owner and key replaces what still waits; empty for what must be done.
        """
        whose = ref(owner)

        def run() -> None:
            try:
                found = _Answer(whose, answer or _take_nothing, work())
            except Exception as error:  # noqa: BLE001  raised again on the GUI thread, where the hook is
                found = _Answer(whose, _take_nothing, error=error)
            with suppress(RuntimeError):  # it may go between the question and the word
                if isValid(self):
                    self._answered.emit(found)

        self.disk.run(run, (id(owner), key) if key else None)

    def body(self, frame_number: int, answer: Callable[[bytes | None], None]) -> None:
        """Fetch the body of a captured frame; None when it was not kept. The answer comes on the GUI thread."""
        if frame_number == 0 or self.fetch_body is None:
            answer(None)
            return
        owner: ReferenceType[QObject] = ref(self)
        self.fetch_body(frame_number, lambda body: self._answered.emit(_Answer(owner, answer, body)))

    def submit(
        self,
        command: Command,
        answer: TakeReport | None = None,
        progress: TakeProgress | None = None,
        *,
        confirmation: Confirmation = NOT_CONFIRMED,
        name: str = "",
        fill: Callable[[Command], Command] | None = None,
        **streams: BinaryIO,
    ) -> int:
        """Hand a command to the session.

        Args:
            command: What is wanted.
            answer: Given its one report on the GUI thread, maybe much later; the window shows it if this is left out.
            progress: Told on the GUI thread how far it is.
            confirmation: The second step, where `may` says that it takes one.
            name: As in `may`.
            fill: Makes of what was judged and written down what is sent, away from the GUI thread: secrets are filled
                in there. A LookupError says what cannot be; nothing is sent then.
            streams: ``upload`` is sent along with a call; ``download`` is filled with a streamed answer.

        Returns:
            Its number, by which `Cancel` gives it up; 0 when there is no session, and nothing was sent.
        """
        if self.run_command is None:
            if answer is not None:
                answer(Report("failed", "There is no session. Nothing was sent.", "Connect to a live mesh."))
            return 0
        more = {"fill": fill, **streams} if fill is not None else streams
        return self.run_command(command, answer, progress, confirmation, name, **more)

    def may(self, command: Command, name: str = "") -> Verdict:
        """Whether a command may be sent now, why not, and what has to be confirmed before.

        Args:
            command: What is wanted.
            name: What an operator knows the target as, if it is not what the command is sent to.
        """
        if self.judge is not None:
            return self.judge(command, name)
        may = _permission(self.status)[0]
        return verdict(self.profile, may, None, command, name=name)

    def use_template(self, template: Template) -> None:
        """Lead the user to the caller, with this to begin with."""
        self.template = template
        self.view_wanted.emit("caller")
        self.template_wanted.emit()

    def close(self) -> None:
        """End the tick and the worker thread."""
        self._timer.stop()
        self._painted.set()
        self._worker.close()

    def _work(self, question: _Question) -> None:
        """In the worker thread."""
        if question.owner() is None:
            return
        self._painted.clear()
        begin_s = perf_counter()
        try:
            answer = _Answer(question.owner, question.answer, question.ask(self.timeline.snapshot()))
        except Exception as error:  # noqa: BLE001  raised again on the GUI thread, where the hook is
            answer = _Answer(question.owner, question.answer, error=error)
        self._busy_s += perf_counter() - begin_s
        if isValid(self):
            self._answered.emit(answer)
            # each step of painting needs the interpreter, and would wait for the next question
            self._painted.wait(GIVEN_S)

    def _give(self, answer: _Answer) -> None:
        QTimer.singleShot(PAINT_MS, self._painted.set)
        owner = answer.owner()
        if owner is None or not isValid(owner):
            return
        if answer.error is not None:
            raise answer.error
        answer.give(answer.value)

    def _tick(self) -> None:
        revision = self.timeline.revision
        now_s = perf_counter()
        if revision == self._seen_revision or not self._worker.is_idle:
            return
        if self._busy_s:
            self._rest_until_s, self._busy_s = now_s + self._busy_s * REST - TICK_MS / 1000, 0.0
        if now_s < self._rest_until_s:
            return
        self._seen_revision = revision
        self.arrived.emit()
        if self.cursor.follows:
            self.ticked.emit()
