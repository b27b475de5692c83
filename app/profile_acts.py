"""What can be done with saved profiles on the start page: saved, copied, deleted; what protects asks first."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.profile_keeper import ProfileKeeper
from app.settings import Connection
from app.start_form import ConnectionForm
from app.wanted import ToSave, Wanted
from app.widgets.banner import Banner
from app.widgets.confirm import ConfirmDialog
from broker.operate.profiles import PASSWORD, Profile


class ProfileActs(QObject):
    """Does what the form asks for, and says in the banner what became of it."""

    connect_wanted = Signal(object)
    """A Wanted: a profile was saved to be opened."""

    def __init__(self, over: QWidget, form: ConnectionForm, keeper: ProfileKeeper, banner: Banner) -> None:
        """
        Args:
            over: Over which questions are asked.
            form: What is edited.
            keeper: Of the profiles.
            banner: Where it is said what became of it.
        """
        super().__init__(over)
        self._over, self._form, self._keeper, self._banner = over, form, keeper, banner
        self._opens_next: ToSave | None = None
        form.save_wanted.connect(self._save)
        form.duplicate_wanted.connect(self.duplicate)
        form.remove_wanted.connect(self.ask_to_remove)
        keeper.saved.connect(self._on_saved)
        keeper.failed.connect(self._on_failed)

    def duplicate(self, profile: Profile) -> None:
        """A copy in the form, not saved yet. Secrets are not copied: they are another's."""
        taken = {each.name for each in self._keeper.profiles.all}
        name = next(name for number in count(2) if (name := f"{profile.name} {number}") not in taken)
        self._form.fill_copy(replace(profile, name=name, secret_names=()))

    def _save(self, to_save: ToSave) -> None:
        before = to_save.before
        if before is not None and before.is_production and not to_save.profile.is_production:
            dialog = ConfirmDialog(
                self._over,
                title=f"Let {before.name} be no production",
                act="Save",
                about=before.url,
                type_name=before.name,
                note="It is not red any more and may be opened unlocked.",
            )
            may = to_save.profile.may
            dialog.say_hits(f"It may {may} from the moment it is opened, and names are no longer typed to confirm.")
            dialog.confirmed.connect(lambda _typed: self._keep(to_save))
            dialog.open()
            return
        self._keep(to_save)

    def _keep(self, to_save: ToSave) -> None:
        self._opens_next = to_save if to_save.then_open else None
        self._keeper.save(to_save.profile, to_save.before, to_save.secrets, forgets=to_save.forgets)

    def _on_saved(self, profile: Profile, not_kept: str, why: str) -> None:
        self._form.edit(profile)
        opens, self._opens_next = self._opens_next, None
        if not_kept:
            self._banner.say(f"{profile.name} is saved. {not_kept}", why, "slow")
        else:
            self._banner.say(f"{profile.name} is saved.", "", "ok")
        if opens is not None:
            password = opens.secrets.get(PASSWORD, "")
            wanted = Wanted(Connection.of(profile), password, profile.has_secret(PASSWORD), profile, opens.secrets)
            self.connect_wanted.emit(wanted)

    def _on_failed(self, why: str) -> None:
        self._opens_next = None
        self._banner.say("Nothing was saved.", why)

    def ask_to_remove(self, profile: Profile) -> None:
        dialog = ConfirmDialog(
            self._over,
            title=f"Delete {profile.name}",
            act="Delete",
            about=profile.url,
            type_name=profile.name if profile.is_production else "",
        )
        kept = f" What the key store holds for it goes too: {', '.join(profile.secret_names)}." * bool(
            profile.secret_names
        )
        protects = " Its server is protected by no profile then." * profile.is_production
        dialog.say_hits(f"The profile is taken out of the list; the mesh notices nothing.{protects}{kept}")
        dialog.confirmed.connect(lambda _typed: self._remove(profile))
        dialog.open()

    def _remove(self, profile: Profile) -> None:
        self._keeper.remove(profile)
        if self._form.profile is not None and self._form.profile.name == profile.name:
            self._form.begin_anew()
