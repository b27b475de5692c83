"""What the caller keeps for a session that is being opened. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app import settings
from app.caller.keeping import Keeping
from app.settings import Settings
from broker.operate.calling import collection, history
from broker.operate.calling.collection import Collection
from broker.operate.calling.history import History
from broker.operate.masks import Masks
from broker.operate.profiles import Profile, ProfileStore


def keeping_for(
    kept: Settings,
    place: str,
    *,
    profile: Profile | None = None,
    store: ProfileStore | None = None,
    masks: Masks | None = None,
) -> Keeping:
    """History and collections of this user, variables of this profile.

    Args:
        kept: The window's preferences; what is kept stands beside them. Nothing is kept where they are not.
        place: The profile's name, or the URL without password, or the capture's path.
        profile: Whose variables these are.
        store: Where it is kept.
        masks: What is secret.
    """
    masks = masks or Masks()
    return Keeping(
        place,
        History(_folder(kept, "calls", history.default_folder), masks),
        Collection(
            Path(kept.collections) if kept.collections else _folder(kept, "collections", collection.default_folder),
            masks,
        ),
        masks,
        profile,
        store,
        set_folder=_remembers(kept),
    )


def _folder(kept: Settings, name: str, usual: Callable[[], Path]) -> Path | None:
    if kept.path is None:
        return None
    return usual() if kept.path == settings.default_path() else kept.path.parent / name


def _remembers(kept: Settings) -> Callable[[str], None]:
    def remember(folder: str) -> None:
        kept.collections = folder
        kept.save()

    return remember
