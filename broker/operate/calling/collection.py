"""Named requests in a folder: a file each, folders as groups, names as file names. Made to live in git."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import platformdirs

from broker.operate.calling.masked import USUAL
from broker.operate.calling.request import Request
from broker.operate.calling.request_file import NotARequestError, read, written
from broker.operate.masks import Masks

SUFFIX: Final = ".json"
MOST_FILES: Final = 5_000
MOST_BYTES: Final = 4_000_000
_FORBIDDEN: Final = frozenset('\\:*?"<>|')
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
)


class WrongNameError(ValueError):
    """A name cannot be a file's, or is taken; says why."""


@dataclass(frozen=True, slots=True)
class Saved:
    """One file of a collection.

    Attributes:
        name: Its path below the folder without suffix, groups before it: ``on-call/order by id``.
        request: What it holds; None if it cannot be read.
        wrong: Why it cannot be read.
    """

    name: str
    request: Request | None
    wrong: str = ""

    @property
    def group(self) -> str:
        """The folder it is in; "" for none."""
        return self.name.rpartition("/")[0]

    @property
    def title(self) -> str:
        """Its name without the folder."""
        return self.name.rpartition("/")[2]


def default_folder() -> Path:
    """Where collections are kept unless the user chose another folder."""
    return Path(platformdirs.user_data_dir("meshscope", appauthor=False)) / "collections"


@dataclass(slots=True)
class Collection:
    """The requests of a folder. Reads it anew each time: git, editors and other windows change it too.

    Attributes:
        folder: Where they are; None for nowhere, then nothing can be saved.
        masks: What is masked in the files.
    """

    folder: Path | None
    masks: Masks = USUAL

    def saved(self) -> list[Saved]:
        """All requests by name, groups after what is in none; broken files too, with what is wrong."""
        found = [self._load(path) for path in self._files()]
        return sorted(found, key=lambda one: (one.group != "", one.group.casefold(), one.title.casefold(), one.name))

    def groups(self) -> list[str]:
        """All folders, empty ones too."""
        folder = self.folder
        if folder is None or not folder.is_dir():
            return []
        return sorted(
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if path.is_dir() and not _is_hidden(path, folder)
        )

    def save(self, name: str, request: Request, *, replaces: bool = False) -> bool:
        """Write a request under a name; its groups are made.

        Returns:
            Whether values that look secret were masked in it.

        Raises:
            WrongNameError: The name cannot be one, or is taken.
            OSError: It cannot be written.
        """
        path = self._path(name)
        if not replaces:
            self._expect_free(path, name)
        text, is_masked = written(request, self.masks)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.new")
        beside.write_bytes(text.encode("utf-8", "backslashreplace"))
        beside.replace(path)
        return is_masked

    def load(self, name: str) -> Saved:
        """One request. Raises WrongNameError."""
        return self._load(self._path(name))

    def rename(self, name: str, to: str) -> None:
        """Give a request another name, or move it into another group. Raises WrongNameError, OSError."""
        old, new = self._path(name), self._path(to)
        if old != new:
            if old.as_posix().casefold() != new.as_posix().casefold():
                self._expect_free(new, to)
            new.parent.mkdir(parents=True, exist_ok=True)
            old.rename(new)
            self._tidy(old.parent)

    def delete(self, name: str) -> None:
        """Remove a request's file, and its folder if that is empty now. Raises WrongNameError, OSError."""
        path = self._path(name)
        path.unlink(missing_ok=True)
        self._tidy(path.parent)

    def take_in(self, paths: Sequence[Path]) -> list[str]:
        """Copy requests from files, or from folders with all that is in them.

        Returns:
            What could not be taken in, a line each; empty when all could.
        """
        wrong = []
        for given in paths:
            inside = sorted(given.rglob(f"*{SUFFIX}")) if given.is_dir() else [given]
            for path in inside[:MOST_FILES]:
                name = path.relative_to(given.parent).with_suffix("").as_posix()
                try:
                    self.save(self._free_name(name), read(_text_of(path)))
                except (NotARequestError, WrongNameError, OSError) as error:
                    wrong.append(f"{path.name}: {error}")
        return wrong

    def _free_name(self, name: str) -> str:
        number = 1
        wanted = name
        taken = {one.name.casefold() for one in self.saved()}
        while wanted.casefold() in taken:
            number += 1
            wanted = f"{name} {number}"
        return wanted

    def _files(self) -> Iterator[Path]:
        folder = self.folder
        if folder is None or not folder.is_dir():
            return
        for number, path in enumerate(sorted(folder.rglob(f"*{SUFFIX}"))):
            if number >= MOST_FILES:
                return
            if path.is_file() and not _is_hidden(path, folder):
                yield path

    def _load(self, path: Path) -> Saved:
        assert self.folder is not None  # noqa: S101  a path was made of it
        name = path.relative_to(self.folder).with_suffix("").as_posix()
        try:
            return Saved(name, read(_text_of(path)))
        except (NotARequestError, OSError) as error:
            return Saved(name, None, f"{path.name}: {error}")

    def _path(self, name: str) -> Path:
        if self.folder is None:
            raise WrongNameError("there is no folder for collections here")
        wrong = wrong_name(name)
        if wrong:
            raise WrongNameError(wrong)
        return self.folder.joinpath(*PurePosixPath(f"{name.strip()}{SUFFIX}").parts)

    def _expect_free(self, path: Path, name: str) -> None:
        if path.exists() or any(one.name.casefold() == name.strip().casefold() for one in self.saved()):
            raise WrongNameError(f"'{name.strip()}' is taken: choose another name, or replace it")

    def _tidy(self, folder: Path) -> None:
        """A group is a folder with something in it: git knows no other."""
        with contextlib.suppress(OSError):
            while folder != self.folder:
                folder.rmdir()
                folder = folder.parent


def wrong_name(name: str) -> str:
    """Why a name cannot be a file's on any of the systems that share the folder; "" when it can."""
    parts = name.strip().split("/")
    if not name.strip():
        return "Give it a name; a / makes groups: on-call/order by id."
    for part in parts:
        if not part.strip() or part != part.strip():
            return f"'{name}' has an empty part between its /"
        bad = sorted({letter for letter in part if letter in _FORBIDDEN or ord(letter) < 32})
        if bad:
            return f"'{part}' holds {' '.join(map(repr, bad))}, which no file name may on every system"
        if part.startswith(".") or part.endswith("."):
            return f"'{part}' begins or ends with a dot, which hides or breaks files"
        if part.split(".")[0].casefold() in _RESERVED:
            return f"'{part}' is a device on Windows"
        if len(part.encode()) > 120:
            return f"'{part[:20]}…' is too long"
    return ""


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _text_of(path: Path) -> str:
    if path.stat().st_size > MOST_BYTES:
        raise NotARequestError(f"it has more than {MOST_BYTES // 1_000_000} MB")
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotARequestError(f"it is no UTF-8: {error}") from None
