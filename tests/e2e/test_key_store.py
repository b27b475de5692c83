"""Passwords in a real key store: GNOME Keyring on a session bus of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from broker.operate.secrets import LOCKED, NO_STORE

URL = "redis://shop@redis.example:6379"
SCRIPT = """
import json, sys
from broker.operate import secrets
print(json.dumps([getattr(secrets, name)(*args) for name, *args in json.loads(sys.argv[1])]))
"""


def ask(home: Path, *questions: tuple[str, ...], unlock_with: str | None = "opensesame") -> list[Any]:
    """What the key store module of a new process answers, on a session bus that ends with it.

    Args:
        home: Where the keyring has its files.
        questions: Functions of the module, with their arguments.
        unlock_with: The keyring's own password; None for a machine without a key store.
    """
    run = [sys.executable, "-c", SCRIPT, json.dumps(questions)]
    away = ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "PYTHON_KEYRING_BACKEND")
    env = {name: value for name, value in os.environ.items() if name not in away}
    env |= {name: str(home) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")}
    if unlock_with is not None:
        unlock = 'printf %s "$0" | gnome-keyring-daemon --unlock --components=secrets >&2 && exec "$@"'
        run = ["dbus-run-session", "--", "sh", "-c", unlock, unlock_with, *run]
    done = subprocess.run(run, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


def test_a_password_is_kept_between_runs_and_for_its_url_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert ask(tmp_path, ("is_there",), ("write", URL, "s3cret ✓"), ("read", URL)) == [True, "", "s3cret ✓"]
    assert ask(tmp_path, ("read", URL), ("read", "redis://other:6379")) == ["s3cret ✓", ""]
    assert ask(tmp_path, ("write", URL, "another"), ("read", URL)) == ["", "another"]
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert kept
    assert b"another" not in kept


def test_a_locked_key_store_is_said_to_be_locked(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    ask(tmp_path, ("write", URL, "s3cret"))
    answers = ask(tmp_path, ("is_there",), ("write", URL, "x"), ("read", URL), unlock_with="guessed")
    assert answers == [True, LOCKED, ""]
    assert ask(tmp_path, ("read", URL)) == ["s3cret"]


def test_a_machine_without_a_key_store_is_said_to_have_none(tmp_path: Path) -> None:
    answers = ask(tmp_path, ("is_there",), ("write", URL, "x"), ("read", URL), unlock_with=None)
    assert answers == [False, NO_STORE, ""]
