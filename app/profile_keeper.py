"""Saved profiles as the window has them: read, saved with their secrets, removed; the key store in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from app.profile_file import load_profiles
from broker.operate import secrets as key_store
from broker.operate.profiles import (
    CIPHER_IV,
    CIPHER_KEY,
    HELPER_SECRET,
    PASSWORD,
    VARIABLE,
    Profile,
    Profiles,
    ProfilesError,
    ProfileStore,
)

Found = tuple[Profiles, str]
"""Profiles as they were read, and why they could not be."""

_VARIABLES: Final = {
    HELPER_SECRET: "MESHSCOPE_SECRET",
    CIPHER_KEY: "MESHSCOPE_CIPHER_KEY",
    CIPHER_IV: "MESHSCOPE_CIPHER_IV",
}


class ProfileKeeper(QObject):
    """Keeps profiles for the window.

    Attributes:
        profiles: What is saved, as it was read last.
        trouble: Why they cannot be read; empty if they can. Nothing live is opened then.
    """

    changed = Signal()
    """`profiles` are others now."""
    saved = Signal(object, str, str)
    """The Profile as it was saved; what of it was not kept, and why; empty if all was."""
    failed = Signal(str)
    """Nothing was changed, and why."""
    _done = Signal(object)

    def __init__(
        self, store: ProfileStore | None, window_file: Path | None = None, parent: QObject | None = None
    ) -> None:
        """
        Args:
            store: Where they are kept; None where nothing is kept.
            window_file: Preferences of the window, which may know connections from before there were profiles.
            parent: Of the object.
        """
        super().__init__(parent)
        self._store, self._window_file = store, window_file
        self.profiles, self.trouble = Profiles(), ""
        self._done.connect(lambda tell: tell())
        self.load()

    @property
    def store(self) -> ProfileStore | None:
        """Where they are kept; None where nothing is kept."""
        return self._store

    @property
    def can_keep(self) -> bool:
        """Whether there is a place for profiles."""
        return self._store is not None

    def load(self) -> None:
        """Read them anew, and wait for it: before there is a window."""
        self.take(self.read())

    def load_soon(self) -> None:
        """Read them anew: another window, or the command line, may have changed them. `changed` follows."""
        if self._store is not None:
            self._run(lambda _store: partial(self.take, self.read()))

    def read(self) -> Found:
        """What is kept now; in any thread."""
        if self._store is None:
            return self.profiles, ""
        try:
            return load_profiles(self._store, self._window_file), ""
        except ProfilesError as error:
            return self.profiles, str(error)

    def take(self, found: Found) -> None:
        """Have what was read."""
        if self._store is not None:
            self.profiles, self.trouble = found
            self.changed.emit()

    def save(
        self, profile: Profile, before: Profile | None = None, secrets: Mapping[str, str] = {}, *, forgets: bool = False
    ) -> None:
        """Save a profile, and its secrets into the key store. `saved` or `failed` follows.

        Args:
            profile: With the names of the secrets that it has already.
            before: What it was, if it is a profile that is changed.
            secrets: Those to be kept, by their words.
            forgets: Whether what the key store holds for it is taken out first.
        """
        self._run(partial(self._save, profile, before, dict(secrets), forgets))

    def remove(self, profile: Profile) -> None:
        """Remove a profile, and its secrets from the key store."""
        self._run(partial(self._remove, profile))

    def set_mask_names(self, names: tuple[str, ...]) -> None:
        """Keep the list of names whose values are secret everywhere."""
        self._run(partial(self._set_mask_names, names))

    # in a thread: a key store may ask the user first

    def _run(self, work: Callable[[ProfileStore], Callable[[], None]]) -> None:
        store = self._store
        if store is None:
            self.failed.emit("Nothing is kept in this window.")
            return

        def run() -> None:
            try:
                tell = work(store)
            except ProfilesError as error:
                tell = partial(self.failed.emit, str(error))
            if isValid(self):
                self._done.emit(tell)

        # no daemon: what was to be saved is saved, though the window be closed
        threading.Thread(target=run, name="profiles").start()

    def _save(
        self, profile: Profile, before: Profile | None, secrets: dict[str, str], forgets: bool, store: ProfileStore
    ) -> Callable[[], None]:
        now = store.load().get(before.name) if before is not None else None
        if now is not None:
            # what the caller keeps in it may have changed since the form was filled
            own = (what for what in now.secret_names if what.startswith(VARIABLE))
            names = tuple(dict.fromkeys((*profile.secret_names, *own)))
            profile, before = replace(profile, variables=now.variables, secret_names=names), now
        kept = list(profile.secret_names)
        lost: dict[str, str] = {}
        if before is not None:
            gone = before.secret_names if forgets else set(before.secret_names) - set(kept)
            for what in gone:
                key_store.remove(key_store.account_of(before, what))
            kept = [] if forgets else kept
            before = replace(before, secret_names=tuple(what for what in before.secret_names if what not in gone))
            lost |= dict.fromkeys(key_store.move(before, profile), key_store.NOT_GIVEN)
        for what, secret in secrets.items():
            why = key_store.write(key_store.account_of(profile, what), secret)
            lost.pop(what, None)
            if why:
                lost[what] = why
            elif what not in kept:
                kept.append(what)
        profile = replace(profile, secret_names=tuple(what for what in kept if what not in lost))
        after = store.save(profile, before.name if before is not None else "")
        what = f"Not kept: {', '.join(lost)}." if lost else ""
        why = next((_about(each, why) for each, why in lost.items()), "")
        return partial(self._tell_saved, after, profile, what, why)

    def _tell_saved(self, after: Profiles, profile: Profile, what: str, why: str) -> None:
        self._show(after)
        self.saved.emit(profile, what, why)

    def _remove(self, profile: Profile, store: ProfileStore) -> Callable[[], None]:
        after = store.remove(profile.name)
        for what in profile.secret_names:
            key_store.remove(key_store.account_of(profile, what))
        return partial(self._show, after)

    def _set_mask_names(self, names: tuple[str, ...], store: ProfileStore) -> Callable[[], None]:
        return partial(self._show, store.set_mask_names(names))

    def _show(self, after: Profiles) -> None:
        self.profiles = after
        self.changed.emit()


def _about(what: str, why: str) -> str:
    """Why a secret is not kept: the key store's words speak of a password."""
    if what == PASSWORD:
        return why
    return why.replace("the password", "it").replace("MESHSCOPE_PASSWORD", _VARIABLES.get(what, "its variable"))
