"""What is to be sent: action or event, node, parameters, meta, headers, and the buttons that send it."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFrame, QSpinBox, QVBoxLayout, QWidget

from app.caller.catalogue import (
    Catalogue,
    long_note,
    receivers_lines,
    receivers_told,
)
from app.caller.files_row import FilesRow, Weigh
from app.caller.node_box import NodeBox, why_no_headers
from app.widgets.choice_row import ChoiceRow
from app.widgets.controls import button, column, label, row, section, set_text
from app.widgets.find_box import FindBox
from app.widgets.form import ParamsForm
from app.widgets.small_json import SmallJson
from broker.mesh.answers import ActionRecord, EventRecord
from broker.mesh.receivers import Receivers
from broker.operate.calling import loose_json
from broker.operate.calling.loose_json import NotJsonError, in_quotes, problem_of
from broker.operate.calling.request import DEFAULT_TIMEOUT_MS, Kind, Request

KIND_TITLES: Final = (("call", "Call"), ("emit", "Emit"), ("broadcast", "Broadcast"))
SEND_WORDS: Final = {"call": "Call", "emit": "Emit", "broadcast": "Broadcast…"}
MOST_TIMEOUT_MS: Final = 3_600_000
FIELD_PX: Final = 31


class RequestPanel(QFrame):
    """The form of one request. Knows what could be sent, sends nothing itself."""

    changed = Signal()
    """Its user, or a template, changed the request."""
    subject_changed = Signal()
    """Another action or event, or another way to send it."""

    def __init__(self, weigh: Weigh, parent: QWidget | None = None) -> None:
        """
        Args:
            weigh: Has a file looked at that is to be sent.
            parent: Of the widget.
        """
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._known = Catalogue()
        self._namespace = ""
        self._is_filling = False
        self._schema_of: object = ()
        self.kind = ChoiceRow("How", KIND_TITLES)
        self.action_box = FindBox("Action", "Type a few letters of an action")
        self.event_box = FindBox("Event", "Type an event, or a few letters of one")
        self.node = NodeBox()
        self.node.setFixedHeight(FIELD_PX)
        self.timeout = _spin("Timeout in ms", 0, MOST_TIMEOUT_MS, " ms", 1000)
        self.timeout.setSpecialValueText("no timeout")
        self.timeout.setValue(round(DEFAULT_TIMEOUT_MS))
        self.retries = _spin("Retries", 0, 20, "", 1)
        self.groups = QComboBox()
        self.groups.setAccessibleName("Groups")
        self.groups.setEditable(True)
        _name_line(self.groups, "Groups")
        self.who = label("", "small", wraps=True, name="Who will receive it")
        self.params = ParamsForm()
        self.meta = SmallJson("Meta", "{ } none", problem_of)
        self.headers = SmallJson("Headers", "{ } none", problem_of)
        self.files = FilesRow(weigh)
        self.problem = label("", "small", wraps=True, name="Why it cannot be sent")
        self.note = label("", "small", wraps=True, name="What to know about this template")
        self.send = button("Call", role="primary", name="Send", icon="send-outline", tip="Ctrl+Enter")
        self.cancel = button("Cancel", name="Cancel the call", icon="close", tip="Esc")
        self.save = button("Save…", name="Save into a collection", tip="Ctrl+S")
        self.copy = button("Copy as ▾", name="Copy as")
        self.bench = button("Bench…", name="Bench this action")
        self.anyway = button(
            "Send all the same", role="link", name="Send although the service would refuse it", tip="Its schema says no"
        )
        self.anyway.hide()
        self.variables = button("Variables…", role="link", name="Variables of this profile")
        self._no_params = QWidget()
        self._lay_out()
        self._connect()
        self._show_kind()
        self.show_busy(is_busy=False)

    # parts

    def _lay_out(self) -> None:
        self._node_part = _part("Node", self.node)
        self._time_part = _part("Timeout", self.timeout)
        self._retry_part = _part("Retries", self.retries)
        self._group_part = _part("Groups", self.groups)
        beside = row(self._node_part, self._time_part, self._retry_part, self._group_part, spacing=8)
        for number, stretch in enumerate((5, 4, 2, 4)):
            beside.setStretch(number, stretch)
        self._headers_title = section("Headers")
        foot = row(self.send, self.cancel, self.save, self.copy, self.bench, None, spacing=6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(6)
        layout.addLayout(row(self.kind, None, self.variables))
        layout.addWidget(self.action_box)
        layout.addWidget(self.event_box)
        layout.addLayout(beside)
        layout.addWidget(self.who)
        layout.addWidget(self.note)
        layout.addSpacing(4)
        layout.addWidget(self.params, 1)
        layout.addWidget(self._no_params, 1)
        layout.addWidget(section("Meta"))
        layout.addWidget(self.meta)
        layout.addWidget(self._headers_title)
        layout.addWidget(self.headers)
        layout.addWidget(self.files)
        beside_problem = row(self.problem, self.anyway)
        beside_problem.setStretch(0, 1)
        layout.addLayout(beside_problem)
        layout.addLayout(foot)

    def _connect(self) -> None:
        self.kind.picked.connect(lambda _kind: self._on_kind())
        self.action_box.chosen.connect(self._on_chosen)
        self.event_box.chosen.connect(self._on_chosen)
        self.action_box.edited.connect(self._on_written)
        self.event_box.edited.connect(self._on_written)
        self.node.currentIndexChanged.connect(lambda _index: self._tell())
        self.timeout.valueChanged.connect(lambda _value: self._tell())
        self.retries.valueChanged.connect(lambda _value: self._tell())
        self.groups.editTextChanged.connect(lambda _text: self._tell(is_other_subject=True))
        for part in (
            self.params.changed,
            self.params.judged,
            self.meta.edited,
            self.headers.edited,
            self.files.changed,
        ):
            part.connect(self._tell)

    # what it says

    @property
    def find_box(self) -> FindBox:
        """The one of the kind that is chosen."""
        return self.action_box if self.kind.value == "call" else self.event_box

    @property
    def is_choosing(self) -> bool:
        """Whether letters stand there, and what they shall mean is being chosen."""
        is_known = self.record is not None or self.event_record is not None
        return self.find_box.list.isVisible() and not is_known

    @property
    def record(self) -> ActionRecord | None:
        """The chosen action, as far as it is known."""
        return self._known.actions.get((self._namespace, self.action_box.text)) if self.kind.value == "call" else None

    @property
    def event_record(self) -> EventRecord | None:
        """The chosen event, as far as it is known."""
        return self._known.events.get((self._namespace, self.event_box.text)) if self.kind.value != "call" else None

    def request(self) -> Request:
        """What is written."""
        kind: Kind = self.kind.value  # type: ignore[assignment]  # one of KIND_TITLES
        is_call = kind == "call"
        return Request(
            kind,
            self.find_box.text,
            self._namespace,
            node_id=self.node.chosen if is_call else "",
            params=self.params.text(),
            meta=self.meta.text.strip(),
            headers=self.headers.text.strip() if self.headers.edit.isEnabled() else "",
            timeout_ms=float(self.timeout.value()) if is_call else Request().timeout_ms,
            retries=self.retries.value() if is_call else 0,
            groups=() if is_call else self._groups(),
        )

    def show_request(self, request: Request, note: str = "") -> None:
        """Begin with this; a note says what is not as it was."""
        self._is_filling = True
        self.kind.choose(request.kind)
        self._namespace = request.namespace
        self.find_box.set_text(request.name)
        self.timeout.setValue(round(request.timeout_ms))
        self.retries.setValue(request.retries)
        self.meta.set_text(request.meta)
        self.headers.set_text(request.headers)
        self.groups.setEditText(", ".join(request.groups))
        self.files.clear()
        self._show_kind()
        self._settle_namespace()
        self._show_subject(wanted_node=request.node_id)
        self._show_params(request.params)
        self.say(note)
        self._is_filling = False
        self.subject_changed.emit()
        self.changed.emit()

    def show_known(self, known: Catalogue) -> None:
        """What can be found from now on."""
        self._known = known
        self.action_box.offer(known.findable_actions)
        self.event_box.offer(known.findable_events)
        self._settle_namespace()
        self._is_filling = True
        self._show_subject(wanted_node=self.node.chosen)
        self._is_filling = False

    def show_receivers(self, found: Receivers | None) -> None:
        """Who will get the event."""
        self.who.setVisible(found is not None)
        if found is None:
            return
        lines = [receivers_told(found, self.kind.value), *receivers_lines(found, self.event_box.text)]
        set_text(self.who, "\n".join(lines))
        written = self.groups.currentText()
        names = list(dict.fromkeys(one.group for one in found.groups))
        if [self.groups.itemText(n) for n in range(self.groups.count())] != names and not self._groups():
            self._is_filling = True
            self.groups.clear()
            self.groups.addItems(names)
            self.groups.setEditText(written)
            self._is_filling = False

    def say(self, note: str) -> None:
        """What to know about what is written: a template whose values were masked, for instance."""
        set_text(self.note, f"✋ {note}" if note else "")
        self.note.setProperty("tone", "held")
        self.note.setVisible(bool(note))

    def show_problem(self, why: str, *, is_mistake: bool) -> None:
        """Why it cannot be sent now; a mistake of what is written, or a permission."""
        sign = "▲" if is_mistake else "✕"
        set_text(self.problem, f"{sign} {why}" if why else "")
        self.problem.setVisible(bool(why))

    def show_name(self, name: str) -> None:
        """Under which name it is saved; "" while it is not."""
        set_text(self.save, "Save" if name else "Save…")
        under = f"Into {name}.json" if name else "Into a collection"
        self.save.setToolTip(f"{under}: Ctrl+S\nUnder another name: Ctrl+Shift+S")

    def show_busy(self, *, is_busy: bool) -> None:
        """Whether something is under way."""
        self.send.setVisible(not is_busy)
        self.cancel.setVisible(is_busy)

    def retint(self) -> None:
        """Take the colours of the theme in use."""
        for part in (self.params, self.meta, self.headers):
            part.retint()

    # inside

    def _show_params_part(self) -> None:
        """There is nothing to fill in before it is known for what."""
        has_name = bool(self.find_box.text)
        self.params.setVisible(has_name)
        self._no_params.setVisible(not has_name)

    def _tell(self, *_more: object, is_other_subject: bool = False) -> None:
        if not self._is_filling:
            if is_other_subject:
                self.subject_changed.emit()
            self.changed.emit()

    def _on_kind(self) -> None:
        self._show_kind()
        self._settle_namespace()
        self._show_subject()
        self._show_params("")
        self._tell(is_other_subject=True)

    def _on_chosen(self, key: tuple[str, str]) -> None:
        self._namespace = key[0]
        self.node.setCurrentIndex(0)
        self._show_subject()
        self._show_params("")
        self.say("")
        self._tell(is_other_subject=True)

    def _on_written(self, _text: str) -> None:
        self._settle_namespace()
        self._show_subject()
        self._tell(is_other_subject=True)

    def _settle_namespace(self) -> None:
        """A name that is known in one namespace only belongs there; otherwise the one on screen stays."""
        name = self.find_box.text
        table: dict[tuple[str, str], Any] = {
            **(self._known.actions if self.kind.value == "call" else self._known.events)
        }
        if (self._namespace, name) in table:
            return
        spaces = [namespace for namespace, other in table if other == name] or self._known.namespaces
        if spaces and self._namespace not in spaces:
            self._namespace = spaces[0]

    def _show_kind(self) -> None:
        is_call = self.kind.value == "call"
        for part in (self.action_box, self._node_part, self._time_part, self._retry_part, self.files, self.bench):
            part.setVisible(is_call)
        for part in (self.event_box, self._group_part, self.who):
            part.setVisible(not is_call)
        self.params.set_title("Parameters" if is_call else "Payload")
        set_text(self.send, SEND_WORDS[self.kind.value])

    def _show_subject(self, wanted_node: str = "") -> None:
        """What is known of the chosen action: its nodes, its note, whether headers reach it."""
        self._show_params_part()
        action, event = self.record, self.event_record
        if action is not None:
            self.action_box.say(long_note(self._known, action))
        elif self.kind.value == "call":
            self.action_box.say("Not known: it is sent as written" if self.action_box.text else "")
        else:
            several = f" in {self._namespace}" if len(self._known.namespaces) > 1 else ""
            told = "" if event is not None or not self.event_box.text else "Not seen yet: it is sent as written"
            self.event_box.say(f"{told}{several}".strip())
        nodes = self._known.nodes_of(action) if action is not None else []
        self.node.show_nodes(nodes, wanted_node)
        self.headers.allow(why_no_headers(nodes, self.node.chosen))
        schema = action.params if action is not None else event.params if event is not None else None
        key = (self.kind.value, self._namespace, self.find_box.text, repr(schema))
        if key != self._schema_of and (action is not None or event is not None):
            self._schema_of = key
            is_other = True
            kept = self.params.value() if self._is_filling else None
            self.params.set_action(schema, kept if is_other else None)

    def _show_params(self, text: str) -> None:
        if not text.strip():
            action, event = self.record, self.event_record
            schema = action.params if action is not None else event.params if event is not None else None
            self._schema_of = (self.kind.value, self._namespace, self.find_box.text, repr(schema))
            self.params.set_action(schema)
            return
        try:
            self.params.set_value(loose_json.loads(in_quotes(text)))
        except NotJsonError:
            self.params.set_value(text)

    def _groups(self) -> tuple[str, ...]:
        parts = self.groups.currentText().replace(",", " ").split()
        return tuple(dict.fromkeys(parts))


def _part(title: str, edit: QWidget) -> QWidget:
    made = QWidget()
    layout = column(label(title, "small"), edit, spacing=3)
    made.setLayout(layout)
    return made


def _spin(name: str, least: int, most: int, suffix: str, step: int) -> QSpinBox:
    made = QSpinBox()
    made.setRange(least, most)
    made.setSuffix(suffix)
    made.setSingleStep(step)
    made.setGroupSeparatorShown(True)
    made.setAccessibleName(name)
    made.setFixedHeight(FIELD_PX)
    made.lineEdit().setTextMargins(6, 0, 0, 0)
    made.lineEdit().setAccessibleName(name)
    return made


def _name_line(box: QComboBox, name: str) -> None:
    line = box.lineEdit()
    if line is not None:
        line.setAccessibleName(name)
        line.setPlaceholderText("all groups")
