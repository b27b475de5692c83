"""Secrets planted everywhere are nowhere in what Meshscope prints, logs, keeps and exports."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.operate import log_masks
from broker.operate.profiles import ProfileStore
from tests.e2e.planted import (
    EVENT,
    EVENT_META,
    META,
    NS,
    PARAMS,
    SECRETS,
    VISIBLE,
    VaultMesh,
    contents,
    leaks,
    leaks_of_everything,
)
from tests.e2e.redis_server import RedisServer, free_port
from tests.program import Run


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultMesh]:
    server = RedisServer(tmp_path_factory.mktemp("redis"), free_port(), password=SECRETS["bus"])
    server.start()
    made = VaultMesh(server.url, NS)
    try:
        made.start()
        yield made
        made.stop()
    finally:
        server.stop()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All that is logged, as the program logs it."""
    log_masks.install()
    caplog.set_level(logging.DEBUG)
    yield caplog
    log_masks.uninstall()


@pytest.mark.parametrize("policy", ["masked", "everything"])
def test_nothing_secret_is_printed_logged_or_kept_by_the_command_line(
    run: Run,
    mesh: VaultMesh,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    logged: pytest.LogCaptureFixture,
    policy: str,
) -> None:
    monkeypatch.setenv("MESHSCOPE_PASSWORD", SECRETS["bus"])
    monkeypatch.setenv("MESHSCOPE_SECRET", SECRETS["helper"])
    place = f"redis://{mesh.url.rpartition('@')[2]}"
    run("profiles", "add", "vault", place, "--may", "act", "--policy", policy, "--namespace", NS)
    run("profiles", "mask", "--add", "iban")
    out = tmp_path / "out"
    out.mkdir()
    capture = out / "a.mcap"
    recording = subprocess.Popen(
        [sys.executable, "-m", "app", "record", "vault", "-o", str(capture), "--duration", "3"],
        stderr=subprocess.PIPE,
        env=os.environ,
    )
    params, meta = json.dumps(PARAMS), json.dumps(META)
    said: dict[str, str] = {}

    def do(*words: str) -> None:
        result = run(*words)
        assert result.exit_code in (0, 1), result.output
        said[" ".join(words[:3])] = result.output

    for target in ("vault", mesh.url):
        do("call", target, "vault.open", params, "--meta", meta, "--confirm", "x", "--namespace", NS)
        do("call", target, "vault.open", params, "--json", "--namespace", NS)
        do("call", target, "vault.refuse", params, "--json", "--namespace", NS)
        do("call", target, "vault.refuse", params, "--namespace", NS)
        do("call", target, "$node.options", "--json", "--namespace", NS)
    do("emit", "vault", "vault.opened", json.dumps(EVENT), "--meta", json.dumps(EVENT_META))
    do("broadcast", "vault", "vault.opened", json.dumps(EVENT), "--confirm", "vault.opened", "--json")
    do("bench", "vault", "vault.refuse", params, "--count", "2", "--confirm", "vault.refuse", "--json")
    for listing in ("nodes", "services", "actions", "events", "inspect"):
        do(listing, "vault", "--duration", "0.5", "--json")
        do(listing, mesh.url, "--duration", "0.5")
    _, told = recording.communicate(timeout=30)
    said["record"] = told.decode()
    assert recording.returncode == 0, told
    for listing in ("nodes", "services", "actions", "events", "inspect", "tail"):
        do(listing, str(capture), "--json")
    do("audit")
    do("audit", "export", str(out / "audit.csv"))
    do("audit", "export", str(out / "audit.json"))
    do("profiles", "show", "vault", "--json")
    do("doctor", "vault")

    found = [leak for words, text in said.items() for leak in leaks(words, [text.encode()])]
    found += leaks("log", [logged.text.encode()])
    for file, octets in (*contents(home), *contents(out)):
        if policy == "everything" and file == capture:
            found += leaks_of_everything(file.name, octets)
        else:
            found += leaks(file.name, [octets])
    assert not found, "\n".join(found)
    assert VISIBLE in said["call vault vault.open"]
    assert any(VISIBLE.encode() in octets for file, octets in contents(out) if file == capture)
    assert any(VISIBLE.encode() in octets for file, octets in contents(home) if file.name == "audit.jsonl")
    assert VISIBLE in said["services vault --duration"]
    assert ProfileStore().load().mask_names == ("iban",)
