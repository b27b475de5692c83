"""What an operator does through a probe, in real meshes of both versions: as the nodes themselves saw it."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pytest

from broker.mesh.histograms import quantiles_of
from broker.mesh.receivers import receivers
from broker.observe.buckets import bucket_values_s
from broker.operate.commands import Answer, Bench, Broadcast, Call, Cancel, Command, Emit, Report
from tests.e2e.mesh import JsMesh, Version
from tests.e2e.redis_server import RedisServer
from tests.e2e.test_probe_process import Window, until

pytestmark = pytest.mark.usefixtures("moleculerjs")

SPACES: dict[str, Version] = {"acting.new": "015", "acting.old": "014"}
LAYOUT = {"shop-1": ("users", "files", "payments", "mail"), "shop-2": ("users", "mail", "audit")}
TEN_MEGABYTES = 10 * 1024 * 1024


class Operator:
    """Somebody at a probe.

    Attributes:
        window: What is kept of the probe.
        meshes: By namespace.
    """

    def __init__(self, window: Window, meshes: dict[str, JsMesh]) -> None:
        self.window = window
        self.meshes = meshes

    def submit(self, command: Command, **files: BinaryIO) -> int:
        return self.window.client.submit(command, **files)

    def report(self, number: int) -> Report:
        found: list[Report] = []

        def is_there() -> bool:
            found[:] = [report for known, report in self.window.reports if known == number]
            return bool(found)

        until(is_there)
        assert len(found) == 1
        return found[0]

    def do(self, command: Command, **files: BinaryIO) -> Report:
        return self.report(self.submit(command, **files))

    def answered(self, command: Call, **files: BinaryIO) -> Answer:
        report = self.do(command, **files)
        assert report.outcome == "done", report
        assert report.answer is not None
        return report.answer

    def knows(self, namespace: str) -> set[str]:
        snapshot = self.window.timeline.snapshot()
        nodes = snapshot.state.values_at("node", snapshot.through_ns)
        return {node for (space, node), value, _ in nodes if space == namespace and value["client"].get("type")}


@pytest.fixture(scope="module")
def operator(shared_redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("acting")
    meshes = {name: JsMesh(shared_redis.url, folder, namespace=name) for name in SPACES}
    window = Window(folder)
    try:
        for name, mesh in meshes.items():
            for node_id, services in LAYOUT.items():
                mesh.add(node_id, services, version=SPACES[name], peers=1).start()
        for mesh in meshes.values():
            for node in mesh:
                node.wait_ready()
        window.open(url=shared_redis.url, may="act", namespaces=tuple(SPACES))
        operator = Operator(window, meshes)
        until(lambda: all(operator.knows(name) == set(LAYOUT) for name in SPACES))
        yield operator
    finally:
        window.client.close()
        for mesh in meshes.values():
            mesh.stop()


@pytest.fixture(params=SPACES, ids=list(SPACES.values()))
def space(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_calls_go_round_the_nodes_or_to_the_chosen_one(operator: Operator, space: str) -> None:
    answers = [operator.answered(Call(space, "users.get", f'{{"id": {number}}}')) for number in range(4)]
    assert Counter(answer.node_id for answer in answers) == {"shop-1": 2, "shop-2": 2}
    assert json.loads(answers[3].data) == {"id": 3, "name": "User 3", "born": "1970-01-01T00:00:00.000Z"}
    assert {operator.answered(Call(space, "users.get", '{"id": 1}', node_id="shop-2")).node_id for _ in "ab"} == {
        "shop-2"
    }


def test_an_error_comes_with_its_remote_stack(operator: Operator, space: str) -> None:
    report = operator.do(Call(space, "payments.refuse", '{"card": 4}'))
    assert (report.outcome, report.message) == ("failed", "MoleculerClientError: Card refused")
    assert report.answer is not None
    error = report.answer.error
    assert error is not None
    assert (error["code"], error["type"], error["data"], error["nodeID"]) == (
        402,
        "CARD_REFUSED",
        {"card": 4},
        "shop-1",
    )
    assert "services.js" in error["stack"]


def test_what_says_so_is_tried_again(operator: Operator, space: str) -> None:
    refused = operator.do(Call(space, "payments.flaky", '{"key": "once"}'))
    assert (refused.outcome, refused.answer is not None and refused.answer.attempts) == ("failed", 1)
    answer = operator.answered(Call(space, "payments.flaky", '{"key": "twice"}', retries=1))
    assert (answer.attempts, answer.data) == (2, '{"before":1}')


def test_no_answer_in_time_is_unknown_and_cancelling_is_told(operator: Operator, space: str) -> None:
    slow = Call(space, "users.slow", '{"ms": 300}', timeout_ms=80)
    report = operator.do(slow)
    assert report.outcome == "unknown"
    number = operator.submit(Call(space, "users.slow", '{"ms": 2000}'))
    quick = operator.answered(Call(space, "users.get", '{"id": 2}'))
    assert quick.node_id in LAYOUT
    assert operator.do(Cancel(number)).outcome == "done"
    assert operator.report(number).outcome == "cancelled"


def test_an_unknown_action_is_told_with_names_like_it(operator: Operator, space: str) -> None:
    report = operator.do(Call(space, "users.gett", "{}"))
    assert (report.outcome, "Did you mean users.get" in report.advice) == ("failed", True)
    chosen = operator.do(Call(space, "users.gett", "{}", node_id="shop-1"))
    assert chosen.answer is not None
    assert chosen.answer.error is not None
    assert chosen.answer.error["name"] == "ServiceNotFoundError"


def test_ten_megabytes_go_there_and_come_back(operator: Operator, space: str) -> None:
    data = (bytes(range(251)) * (TEN_MEGABYTES // 251 + 1))[:TEN_MEGABYTES]
    digest = hashlib.sha256(data).hexdigest()
    taken = operator.answered(Call(space, "files.digest", timeout_ms=60_000), upload=io.BytesIO(data))
    assert json.loads(taken.data) == {"sha256": digest}
    file = io.BytesIO()
    given = operator.answered(Call(space, "files.bytes", f'{{"bytes": {TEN_MEGABYTES}}}'), download=file)
    assert given.stream_bytes == TEN_MEGABYTES
    assert hashlib.sha256(file.getvalue()).hexdigest() == digest


def heard(mesh: JsMesh, event: str) -> Counter[tuple[str, str, bool]]:
    return Counter((each.node_id, each.group, each.broadcast) for each in mesh.events() if each.event == event)


def test_events_reach_whom_it_was_said_before(operator: Operator, space: str) -> None:
    mesh = operator.meshes[space]
    told = receivers(operator.window.timeline.snapshot(), space, "order.created")
    assert {(each.group, each.node_ids) for each in told.groups} == {
        ("mail", ("shop-1", "shop-2")),
        ("auditors", ("shop-2",)),
    }
    report = operator.do(Emit(space, "order.created", '{"id": 7}'))
    assert report.outcome == "done"
    until(lambda: sum(heard(mesh, "order.created").values()) == len(told.groups))
    got = heard(mesh, "order.created")
    assert {(group, is_broadcast) for _, group, is_broadcast in got} == {("mail", False), ("auditors", False)}
    assert {node_id for node_id, _, _ in got} == {target.target for target in report.targets}
    told = receivers(operator.window.timeline.snapshot(), space, "stock.changed")
    report = operator.do(Broadcast(space, "stock.changed"))
    assert [target.target for target in report.targets] == list(told.node_ids)
    until(lambda: heard(mesh, "stock.changed") == {("shop-1", "mail", True): 1, ("shop-2", "mail", True): 1})


@pytest.mark.alone
def test_a_bench_measures_what_the_tap_measures(operator: Operator, space: str) -> None:
    before = operator.window.timeline.snapshot().call_count
    report = operator.do(Bench(Call(space, "users.slow", '{"ms": 20}', node_id="shop-1"), count=200, concurrency=8))
    assert report.bench is not None
    assert (report.outcome, report.bench.calls, report.bench.errors) == ("done", 200, 0)
    until(lambda: operator.window.timeline.snapshot().call_count >= before + 200)
    blocks = operator.window.timeline.snapshot().call_blocks
    durations_s = np.concatenate([block.column("duration_s") for block in blocks])[before : before + 200]
    assert len(durations_s) == 200
    [bench_s], tap_s = quantiles_of(report.bench.buckets, [0.5]), float(np.median(durations_s))
    assert math.isclose(bench_s, tap_s, rel_tol=0.15, abs_tol=0.002), (bench_s, tap_s)
    assert bucket_values_s()[np.nonzero(report.bench.buckets)[0][-1]] == pytest.approx(
        report.bench.max_ms / 1000, rel=0.02
    )
