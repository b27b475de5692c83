"""What a user does with collections: save, take, rename, delete, import, choose the folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.caller.name_dialog import NameDialog
from app.caller.past_panel import PastPanel
from app.desk import Desk
from app.widgets.confirm import ConfirmDialog
from broker.operate.calling.collection import Collection, Saved, WrongNameError
from broker.operate.calling.request import Request

MASKED_NOTE = "Values that look secret were not saved: use secret variables for them."


class Read(NamedTuple):
    """What a folder held when it was read: requests, and groups, empty ones too."""

    folder: Path | None = None
    saved: tuple[Saved, ...] = ()
    groups: tuple[str, ...] = ()


def _read(collection: Collection) -> Read:
    """In the thread of the disk."""
    return Read(collection.folder, tuple(collection.saved()), tuple(collection.groups()))


class Shelf(QObject):
    """Keeps the list of saved requests in step with the folder.

    Attributes:
        name: Under which the request on screen is saved; "" while it is not.
    """

    changed = Signal()
    """It is saved under another name now."""

    def __init__(self, owner: QWidget, desk: Desk, panel: PastPanel, request: Callable[[], Request]) -> None:
        super().__init__(owner)
        self._owner, self._desk, self._panel, self._request = owner, desk, panel, request
        self._keeping = desk.keeping
        self.name = ""
        self._read = Read()
        self._note, self._selected = "", ""
        panel.renamed.connect(self.rename)
        panel.deleted.connect(self.delete)
        panel.import_wanted.connect(self.choose_import)
        panel.folder_wanted.connect(self.choose_folder)

    @property
    def _collection(self) -> Collection:
        return self._keeping.collection

    def show(self, note: str = "", selected: str = "") -> None:
        """Read the folder anew, and show it soon.

        Args:
            note: What is said then; what it holds is said if left out.
            selected: The request that is selected then.
        """
        self._note, self._selected = note or self._note, selected or self._selected
        self._desk.keep(self, partial(_read, self._collection), self._show, key="saved")

    def _show(self, read: Read) -> None:
        self._read = read
        note, selected, folder = self._note, self._selected, read.folder
        self._note = self._selected = ""
        if folder is None:
            note = note or "Collections are kept in files once a session has a place for them."
        elif not read.saved and not note:
            note = f"Nothing saved yet. Each request becomes a small file in {folder}, made to live in git."
        self._panel.show_saved(read.saved, note)
        self._panel.folder.setToolTip(str(folder or ""))
        if selected:
            self._panel.select_saved(selected)

    def save(self) -> None:
        """Save what is on screen under its name; ask for one if it has none."""
        if self.name:
            self._write(self.name, replaces=True)
        else:
            self.save_as()

    def save_as(self) -> NameDialog:
        """Ask for a name and save what is on screen."""
        names = [one.name for one in self._read.saved]
        proposed = self.name or self._request().name
        dialog = NameDialog(self._owner, "Save request", proposed, taken=names, groups=self._read.groups)
        dialog.named.connect(lambda name, replaces: self._write(name, replaces=replaces))
        dialog.open()
        return dialog

    def rename(self, name: str) -> NameDialog:
        """Ask for another name."""
        others = [one.name for one in self._read.saved if one.name != name]
        dialog = NameDialog(
            self._owner, f"Rename {name}", name, taken=others, groups=self._read.groups, may_replace=False
        )
        dialog.named.connect(lambda to, _replaces: self._rename(name, to))
        dialog.open()
        return dialog

    def delete(self, name: str) -> ConfirmDialog:
        """Ask, and remove the file."""
        dialog = ConfirmDialog(
            self._owner,
            title=f"Delete {name}?",
            act="Delete",
            about=f"The file {name}.json in {self._collection.folder}",
            note="Git can bring it back, if it was committed.",
            tone="failed",
        )
        dialog.confirmed.connect(lambda _typed: self._delete(name))
        dialog.open()
        return dialog

    def choose_import(self) -> None:
        """Ask for files to copy into the folder."""
        chosen, _ = QFileDialog.getOpenFileNames(self._owner, "Import requests", "", "Requests (*.json)")
        if chosen:
            self.take_in([Path(path) for path in chosen])

    def take_in(self, paths: list[Path]) -> None:
        """Copy files into the folder, and say what could not be."""
        self._desk.keep(self, partial(self._collection.take_in, paths), self._on_taken_in)

    def _on_taken_in(self, wrong: list[str]) -> None:
        self.show("\n".join(f"▲ {line}" for line in wrong[:5]))

    def choose_folder(self) -> None:
        """Ask for another folder, for instance in a git repository."""
        chosen = QFileDialog.getExistingDirectory(
            self._owner, "Folder of collections", str(self._collection.folder or "")
        )
        if chosen:
            self.use_folder(Path(chosen))

    def use_folder(self, folder: Path) -> None:
        """Keep collections there from now on."""
        self._keeping.collection = Collection(folder, self._keeping.masks)
        self.name = ""
        if self._keeping.set_folder is not None:
            self._keeping.set_folder(str(folder))
        self.show()

    def _write(self, name: str, *, replaces: bool) -> None:
        write = partial(self._collection.save, name, self._request(), replaces=replaces)
        self._do(write, "saved", partial(self._on_written, name))

    def _on_written(self, name: str, is_masked: object) -> None:
        self.name = name
        self.changed.emit()
        self.show(f"Saved as {name}. {MASKED_NOTE if is_masked else ''}".strip(), name)

    def _rename(self, name: str, to: str) -> None:
        self._do(partial(self._collection.rename, name, to), "renamed", lambda _done: self._on_renamed(name, to))

    def _on_renamed(self, name: str, to: str) -> None:
        if self.name == name:
            self.name = to
        self.show(selected=to)

    def _delete(self, name: str) -> None:
        self._do(partial(self._collection.delete, name), "deleted", lambda _done: self._on_deleted(name))

    def _on_deleted(self, name: str) -> None:
        if self.name == name:
            self.name = ""
        self.show()

    def _do(self, change: Callable[[], object], what: str, then: Callable[[object], None]) -> None:
        """Change files in the thread of the disk, and go on if that could be done."""

        def work() -> object:
            try:
                return change()
            except (WrongNameError, OSError) as error:
                return error

        def told(found: object) -> None:
            if isinstance(found, Exception):
                self.show(f"▲ Not {what}: {found}")
            else:
                then(found)

        self._desk.keep(self, work, told)
