"""What the caller keeps for one connection: history, collections, variables, and what is secret. No Qt."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from broker.operate import secrets
from broker.operate.calling.collection import Collection
from broker.operate.calling.history import History
from broker.operate.calling.variables import Values
from broker.operate.masks import Masks
from broker.operate.profiles import VARIABLE, Profile, ProfilesError, ProfileStore

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Keeping:
    """Attributes:
    place: The profile's name, or the URL without password: what history says where it was.
    history: What was sent before.
    collection: Named requests.
    masks: What is secret.
    profile: Whose variables these are; None for a bare URL.
    store: Where the profile is kept.
    own: Variables of a bare URL, as long as the session lasts.
    set_folder: Remembers another folder for collections.
    hide: Told of a secret before it is sent, so that the probe keeps it out of its files.
    """

    place: str = ""
    history: History = field(default_factory=History)
    collection: Collection = field(default_factory=lambda: Collection(None))
    masks: Masks = field(default_factory=Masks)
    profile: Profile | None = None
    store: ProfileStore | None = None
    own: dict[str, str] = field(default_factory=dict)
    set_folder: Callable[[str], None] | None = None
    hide: Callable[[str], None] | None = None
    _changing: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def plain(self) -> dict[str, str]:
        """Variables that are no secrets."""
        return dict(self.profile.variables) if self.profile is not None else dict(self.own)

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Variables whose value the key store holds."""
        names = self.profile.secret_names if self.profile is not None else ()
        return tuple(name.removeprefix(VARIABLE) for name in names if name.startswith(VARIABLE))

    @property
    def values(self) -> Values:
        """What variables are worth; secrets are asked for when they are wanted, not before."""
        return Values(self.plain, self.secret_names, self._secret)

    def use_masks(self, masks: Masks) -> None:
        """Other values are secret from now on."""
        self.masks = self.history.masks = self.collection.masks = masks

    @property
    def keeps_secrets(self) -> bool:
        """Whether there is a profile that secrets can belong to."""
        return self.profile is not None and self.store is not None

    def reload(self) -> None:
        """Read the profile anew: another window, or the command line, may have changed its variables. From the disk."""
        if self.profile is not None and self.store is not None:
            try:
                self.profile = self.store.load().get(self.profile.name) or self.profile
            except (ProfilesError, OSError) as error:
                log.info("variables are not read anew: %s", error)

    def set_plain(self, variables: dict[str, str]) -> str:
        """Keep these variables instead; those of a profile on the disk. Empty if they are kept, otherwise why not."""
        if self.profile is None:
            self.own = dict(variables)
            return ""
        with self._changing:
            self.reload()
            return self._save(replace(self.profile, variables=dict(variables)))

    def set_secret(self, name: str, value: str) -> str:
        """Keep a secret in the key store; an empty one is forgotten. May take a while: not on the GUI thread.

        Returns:
            Empty if it is done, otherwise why not and what to do.
        """
        if self.profile is None or self.store is None:
            return "Secret variables belong to a profile: save this connection as one first."
        what = f"{VARIABLE}{name}"
        account = secrets.account_of(self.profile, what)
        if value:
            wrong = secrets.write(account, value)
            if wrong:
                return wrong
        else:
            secrets.remove(account)
        with self._changing:
            self.reload()
            others = tuple(other for other in self.profile.secret_names if other != what)
            return self._save(replace(self.profile, secret_names=(*others, what) if value else others))

    def in_background(self, work: Callable[[], object]) -> None:
        """Run what may take a while."""
        # no daemon: a secret that was given is kept, though the window be closed
        threading.Thread(target=work, name="key store").start()

    def _secret(self, name: str) -> str:
        found = secrets.read_of(self.profile, f"{VARIABLE}{name}") if self.profile is not None else ""
        self.masks.learn(found)  # it may be sent under any name, and comes back in answers
        if found and self.hide is not None:
            self.hide(found)
        return found

    def _save(self, profile: Profile) -> str:
        try:
            if self.store is not None:
                profile = _onto(self.store.load().get(profile.name), profile)
                self.store.save(profile)
        except (ProfilesError, OSError, ValueError) as error:
            return f"The profile was not saved: {error}"
        self.profile = profile
        return ""


def _onto(kept: Profile | None, ours: Profile) -> Profile:
    """Our variables in the profile as it is kept now: it may have become production since the session began."""
    if kept is None:
        return ours
    others = (name for name in kept.secret_names if not name.startswith(VARIABLE))
    own = (name for name in ours.secret_names if name.startswith(VARIABLE))
    return replace(kept, variables=ours.variables, secret_names=(*others, *own))
