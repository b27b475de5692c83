"""Acting on the command line, on a real bus: answers, two steps, two lines, and silence where it is locked."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broker.operate import secrets
from broker.operate.audit import Audit, Entry
from broker.operate.profiles import Profile, ProfileStore
from tests.e2e.redis_server import RedisServer, free_port
from tests.e2e.small_mesh import PATIENCE_S, SmallMesh, watching
from tests.program import Run

NS = "acts"


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMesh]:
    server = RedisServer(tmp_path_factory.mktemp("redis"), free_port())
    server.start()
    made = SmallMesh(server.url, NS)
    try:
        made.start()
        yield made
        made.stop()
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def _at_home(home: Path, mesh: SmallMesh) -> None:
    assert not home.exists()
    mesh.forget()


def save(mesh: SmallMesh, **more: Any) -> Profile:
    profile = Profile("shop", mesh.url, namespaces=(NS,), **more)
    ProfileStore().save(profile)
    return profile


def entries() -> list[Entry]:
    return list(Audit().read().entries)


def test_a_call_prints_its_answer_and_leaves_two_lines(run: Run, mesh: SmallMesh) -> None:
    found = run("call", mesh.url, "desk.echo", '{"id": 5, "password": "hunter2"}', "--node", "desk-2")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout) == {"id": 5, "password": "***"}
    assert "desk-2 answered in" in found.stderr
    assert mesh.calls == [{"id": 5, "password": "hunter2"}]
    (entry,) = entries()
    assert entry.before
    assert (entry.before.command, entry.before.target, entry.outcome) == ("call", "desk.echo on desk-2", "done")
    assert (entry.before.namespace, entry.before.url, entry.before.source) == (NS, mesh.url, "command line")
    assert b"hunter2" not in Audit().path.read_bytes()


def test_an_error_is_told_in_full_without_its_secrets(run: Run, mesh: SmallMesh) -> None:
    found = run("call", mesh.url, "desk.refuse", "--json")
    assert found.exit_code == 1
    told = json.loads(found.stdout)
    assert (told["outcome"], told["error"]["code"], told["error"]["type"]) == ("failed", 404, "NO_ORDER")
    assert told["error"]["data"] == {"id": 7, "password": "***"}
    assert "hunter2" not in found.output
    people = run("call", mesh.url, "desk.refuse")
    assert (people.exit_code, people.stdout) == (1, "")
    assert "type: NO_ORDER" in people.stderr
    assert "hunter2" not in people.output


def test_wrong_usage_is_known_before_anything_is_connected(run: Run) -> None:
    assert run("call", "redis://127.0.0.1:1", "a.b", "{id: 5}").exit_code == 2
    assert run("call", "redis://127.0.0.1:1", "a.b", "--meta", "[]").exit_code == 2
    assert run("call", "redis://127.0.0.1:1").exit_code == 2
    assert run("bench", "redis://127.0.0.1:1", "a.b", "--count", "0").exit_code == 2
    assert entries() == []


def test_what_nobody_offers_is_failed_and_said(run: Run, mesh: SmallMesh) -> None:
    found = run("call", mesh.url, "desk.ecko")
    assert found.exit_code == 1
    assert "Did you mean desk.echo" in found.stderr


def test_an_event_tells_who_will_receive_it(run: Run, mesh: SmallMesh) -> None:
    emitted = run("emit", mesh.url, "desk.opened", '{"id": 1}', "--json")
    assert emitted.exit_code == 0, emitted.output
    told = json.loads(emitted.stdout)
    assert told["receivers"] == [
        {"pattern": "desk.*", "group": "desk", "services": ["desk"], "node_ids": ["desk-1", "desk-2"]}
    ]
    assert "desk.opened goes to one node of 1 group" in emitted.stderr
    everywhere = run("broadcast", mesh.url, "desk.closed", "--groups", "desk")
    assert everywhere.exit_code == 0, everywhere.output
    assert "desk.closed goes to 2 nodes" in everywhere.stderr
    assert "Nobody is known to listen" in run("emit", mesh.url, "nothing.at.all").stderr
    run("call", mesh.url, "desk.echo")  # whatever was sent before has arrived
    assert sorted(event for _, event, _ in mesh.events) == ["desk.closed", "desk.closed", "desk.opened"]
    assert {node for node, event, _ in mesh.events if event == "desk.closed"} == {"desk-1", "desk-2"}


def test_variables_of_a_profile_are_filled_in_after_the_audit_has_their_names(
    run: Run, mesh: SmallMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(mesh, may="call", variables={"order": "4711"}, secret_names=("variable pin",))
    monkeypatch.setattr(secrets, "read_of", lambda _of, what: "s3cr3t-pin" if what == "variable pin" else "")
    found = run("call", "shop", "desk.echo", '{"id": {{order}}, "code": "{{secret:pin}}", "as": "{{{{order}}}}"}')
    assert found.exit_code == 0, found.output
    assert mesh.calls == [{"id": 4711, "code": "s3cr3t-pin", "as": "{{order}}"}]
    assert json.loads(found.stdout) == {"id": 4711, "code": "***", "as": "{{order}}"}
    (entry,) = entries()
    assert entry.before is not None
    assert "{{secret:pin}}" in entry.before.details
    assert "s3cr3t" not in entry.before.details


def test_a_variable_without_value_is_refused_before_anything_is_connected(run: Run, mesh: SmallMesh) -> None:
    save(mesh, may="call")
    missing = run("call", "shop", "desk.echo", '{"id": {{order}}}')
    assert (missing.exit_code, "variable order has no value" in missing.stderr) == (1, True)
    bare = run("call", "redis://127.0.0.2:1", "desk.echo", '{"id": {{order}}}')
    assert (bare.exit_code, "variables belong to a profile" in bare.stderr) == (1, True)
    assert (mesh.calls, entries()) == ([], [])


def test_a_bench_measures(run: Run, mesh: SmallMesh) -> None:
    found = run("bench", mesh.url, "desk.echo", '{"n": 1}', "--count", "20", "--concurrency", "4", "--json")
    assert found.exit_code == 0, found.output
    bench = json.loads(found.stdout)["bench"]
    assert (bench["calls"], bench["errors"], len(mesh.calls)) == (20, 0, 20)
    assert 0 < bench["p50_ms"] <= bench["p99_ms"] <= bench["max_ms"]
    assert sum(bar["calls"] for bar in bench["histogram"]) == 20
    assert [entry.outcome for entry in entries()] == ["done"]


@pytest.mark.parametrize(
    "words",
    [
        ("call", "desk.echo"),
        ("call", "$node.list"),
        ("emit", "desk.opened"),
        ("broadcast", "desk.closed"),
        ("bench", "desk.echo", "--count", "1"),
        ("breakers", "trip", "--endpoint", "desk-1:desk.echo", "--reason", "it burns"),
        ("breakers", "release", "--mine"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_locked_profile_refuses_and_no_packet_of_ours_passes(
    run: Run, mesh: SmallMesh, words: tuple[str, ...]
) -> None:
    save(mesh, is_production=True)
    command, *rest = words
    with watching(mesh.url) as ours:
        for target in ("shop", mesh.url, f"redis://localhost:{mesh.url.rpartition(':')[2]}"):
            for more in ((), ("--confirm", rest[0])):
                refused = run(command, target, *rest, *more)
                assert refused.exit_code == 1
                assert "'shop' is production and locked" in refused.stderr
        assert ours() == []
    assert entries() == mesh.calls == mesh.events == []


def test_looking_at_a_locked_profile_is_silent(run: Run, mesh: SmallMesh) -> None:
    save(mesh, is_production=True)
    with watching(mesh.url) as ours:
        assert run("nodes", "shop", "--duration", "0.5").exit_code == 0
        assert ours() == []
        assert run("nodes", "shop", "--duration", "0.5", "--unlock").exit_code == 0
        assert ours()


def test_in_production_a_dangerous_act_takes_unlocking_and_the_name(run: Run, mesh: SmallMesh) -> None:
    save(mesh, is_production=True)
    with watching(mesh.url) as ours:
        unconfirmed = run("broadcast", "shop", "desk.closed", "--unlock")
        assert (unconfirmed.exit_code, "Say --confirm desk.closed" in unconfirmed.stderr) == (1, True)
        wrong = run("broadcast", "shop", "desk.closed", "--unlock", "--confirm", "desk.opened")
        assert (wrong.exit_code, "this is about 'desk.closed'" in wrong.stderr) == (1, True)
        assert ours() == []
    assert entries() == []
    done = run("broadcast", "shop", "desk.closed", "--unlock", "--confirm", "desk.closed")
    assert done.exit_code == 0, done.output
    assert [(entry.before and entry.before.command, entry.outcome) for entry in entries()] == [
        ("broadcast", "done"),
        ("unlock", "done"),
    ]
    before = entries()[0].before
    assert before
    assert (before.confirm, before.may, before.profile) == ("type", "act", "shop")
    assert len(Audit().path.read_bytes().splitlines()) == 4


def test_elsewhere_a_profile_does_what_it_may_and_asks_for_more(run: Run, mesh: SmallMesh) -> None:
    save(mesh, may="ask")
    assert run("call", "shop", "$node.list").exit_code == 0
    assert "'shop' is locked: it may only ask" in run("call", "shop", "desk.echo").stderr
    assert run("call", "shop", "desk.echo", "--unlock").exit_code == 0
    assert run("call", "shop", "desk.echo", "--may", "ask").exit_code == 1
    assert run("bench", "shop", "desk.echo", "--count", "1", "--unlock").exit_code == 1
    assert run("bench", "shop", "desk.echo", "--count", "1", "--unlock", "--confirm", "desk.echo").exit_code == 0


def test_a_node_is_asked_for_its_options_and_nothing_secret_is_shown(run: Run, mesh: SmallMesh) -> None:
    found = run("call", mesh.url, "$node.options", "--node", "desk-1")
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert told["namespace"] == NS
    assert str(mesh.url.rpartition(":")[2]) not in found.stdout


def test_no_answer_is_unknown_and_is_not_sent_again(run: Run, mesh: SmallMesh) -> None:
    found = run("call", mesh.url, "desk.slow", '{"once": true}', "--timeout", "300", "--retries", "2")
    assert found.exit_code == 1
    assert "unknown: No answer within 300 ms" in found.stderr
    assert "not sent again" in found.stderr
    assert mesh.calls == [{"once": True}]
    assert [entry.outcome for entry in entries()] == ["unknown"]


def test_streams_go_from_and_to_files(run: Run, mesh: SmallMesh, tmp_path: Path) -> None:
    sent, came = tmp_path / "sent.bin", tmp_path / "came.bin"
    sent.write_bytes(os.urandom(300_000))
    found = run("call", mesh.url, "desk.mirror", "--upload", sent, "--download", came, "--json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["stream_bytes"] == 300_000
    assert came.read_bytes() == sent.read_bytes()
    assert "is there already" in run("call", mesh.url, "desk.mirror", "--download", came).stderr
    nothing = tmp_path / "nothing.bin"
    assert run("call", mesh.url, "desk.echo", "--download", nothing).exit_code == 0
    assert not nothing.exists()


def test_without_the_audit_nothing_is_sent(run: Run, mesh: SmallMesh) -> None:
    Audit().path.mkdir(parents=True)
    refused = run("call", mesh.url, "desk.echo")
    assert refused.exit_code == 1
    assert "Without it nothing is done" in refused.stderr
    assert mesh.calls == []


def program(*words: str) -> list[str]:
    return [sys.executable, "-m", "app", *words]


def test_ctrl_c_gives_a_call_up_and_that_is_written_down(mesh: SmallMesh) -> None:
    running = subprocess.Popen(program("call", mesh.url, "desk.slow"), stderr=subprocess.PIPE, env=os.environ)
    try:
        mesh.wait_for_call()
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=PATIENCE_S)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 130, said
    assert b"cancelled: Given up after it was sent" in said
    assert [entry.outcome for entry in entries()] == ["cancelled"]
    assert len(mesh.calls) == 1


def test_what_a_killed_program_did_is_unknown(run: Run, mesh: SmallMesh) -> None:
    running = subprocess.Popen(program("call", mesh.url, "desk.slow"), stderr=subprocess.DEVNULL, env=os.environ)
    try:
        mesh.wait_for_call()
    finally:
        running.kill()
        running.wait()
    (entry,) = json.loads(run("audit", "list", "--json").stdout)
    assert (entry["command"], entry["target"], entry["outcome"]) == ("call", "desk.slow", "unknown")
    assert "the program ended before it was known" in entry["message"]


@pytest.mark.parametrize(("typed", "code"), [("desk.closed", 0), ("yes", 1)])
def test_a_terminal_is_asked_for_the_name(mesh: SmallMesh, typed: str, code: int) -> None:
    save(mesh, is_production=True)
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        program("broadcast", "shop", "desk.closed", "--unlock", "--json"),
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        env=os.environ,
    )
    os.close(theirs)
    try:
        said = read_until(ours, b"to send it: ")
        assert b"desk.closed goes to 2 nodes" in said
        assert b"PRODUCTION" in said
        assert mesh.events == []
        os.write(ours, typed.encode() + b"\n")
        out, _ = running.communicate(timeout=PATIENCE_S)
    finally:
        running.kill()
        running.wait()
        os.close(ours)
    assert running.returncode == code
    assert (json.loads(out)["outcome"] if out else "") == ("done" if code == 0 else "")


def read_until(descriptor: int, mark: bytes) -> bytes:
    """What a terminal shows, up to a mark."""
    said = b""
    while mark not in said:
        said += os.read(descriptor, 4096)
    return said
