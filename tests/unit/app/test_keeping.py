"""What the caller keeps in a profile, beside what others change in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.caller.keeping import Keeping
from broker.operate.profiles import PASSWORD, Profile, ProfileStore


def test_variables_do_not_undo_what_was_changed_in_the_profile_meanwhile(tmp_path: Path) -> None:
    store = ProfileStore(tmp_path / "profiles.json")
    profile = Profile("shop", "redis://h:1", may="act", variables={"id": "1"})
    store.save(profile)
    keeping = Keeping("shop", profile=profile, store=store)
    store.save(replace(profile, may="see", is_production=True, secret_names=(PASSWORD,)))
    assert keeping.set_plain({"id": "2"}) == ""
    kept = store.load().get("shop")
    assert kept == Profile("shop", "redis://h:1", is_production=True, variables={"id": "2"}, secret_names=(PASSWORD,))
    assert keeping.profile == kept
