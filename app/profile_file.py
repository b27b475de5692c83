"""The profiles of this machine's user; those who named connections before there were profiles find them as such."""

from __future__ import annotations

import logging
from pathlib import Path

from app import settings
from app.settings import Connection
from broker.operate.permissions import permission
from broker.operate.profiles import PASSWORD, PRODUCTION_COLOUR, Profile, Profiles, ProfileStore

log = logging.getLogger(__name__)


def load_profiles(store: ProfileStore | None = None, window_file: Path | None = None) -> Profiles:
    """All profiles.

    While there is no file of profiles, connections that were given a name in the window become
    profiles, once; those without a name stay what they are: recent. Passwords stay where they are,
    in the key store under the URL.

    Args:
        store: Where profiles are kept; the user's own if it is left out.
        window_file: Preferences of the window; beside the profiles if it is left out.

    Raises:
        ProfilesError: The file of profiles cannot be read or written.
    """
    store = store or ProfileStore()
    if store.path.exists():
        return store.load()
    found = Profiles()
    for connection in settings.load(window_file or store.path.parent / settings.default_path().name).recent:
        profile = as_profile(connection)
        if profile is not None and found.get(profile.name) is None:
            found = store.save(profile)
    return found


def as_profile(connection: Connection) -> Profile | None:
    """A named connection as a profile; None for one without a name, or that makes no sense. Red ones are production."""
    is_production = connection.colour == PRODUCTION_COLOUR
    try:
        may = "see" if is_production else permission(connection.may)
        return Profile(
            name=connection.name.strip(),
            url=connection.url,
            colour=connection.colour,
            is_production=is_production,
            may=may,
            announce=connection.announce and may != "see",
            namespaces=tuple(connection.namespaces),
            tls_ca=connection.tls_ca,
            secret_names=(PASSWORD,) if connection.has_password else (),
        )
    except ValueError as error:
        log.info("the connection '%s' is no profile: %s", connection.name, error)
        return None
