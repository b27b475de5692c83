"""What a session learns of breakers by asking, on a bus in memory with nodes of ours."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from broker.agent.helper import Helper
from broker.clock import SECOND
from broker.mesh.breaker_states import breakers_at, coverage
from broker.node import Broker, BrokerOptions, CircuitBreakerPolicy
from broker.operate.commands import AskBreakers, Report
from broker.probe.acting import act
from broker.probe.breaker_asking import endpoints_of
from broker.protocol.codec import decode
from broker.protocol.packets import Request
from tests.unit.probe.sitting import NS, Sitting


@asynccontextmanager
async def mesh(sitting: Sitting) -> AsyncIterator[dict[str, Broker]]:
    """Two nodes: one with a helper, which calls the other; that one has none."""
    settings = BrokerOptions(settle_s=0.0, stop_delay_s=0.0, circuit_breaker=CircuitBreakerPolicy(enabled=True))
    nodes = {node_id: Broker(node_id, sitting.bus, NS, options=settings) for node_id in ("shop-1", "bank-1")}
    await nodes["shop-1"].add(Helper("s" * 32))
    await nodes["bank-1"].add({"name": "bank", "actions": {"transfer": lambda _service, _ctx: 1}})
    for node in nodes.values():
        await node.start()
    try:
        yield nodes
    finally:
        for node in nodes.values():
            await node.stop()


def asked(sitting: Sitting) -> list[tuple[str, str]]:
    """(node, action) of each request of ours."""
    packets = [(channel, decode(channel, body)) for channel, body in sitting.bus.published]
    return [
        (channel.decode().rpartition(".REQ.")[2], packet.action)
        for channel, packet in packets
        if isinstance(packet, Request) and packet.sender == sitting.session.node_id
    ]


def known(sitting: Sitting) -> dict[tuple[str, str], tuple[str, str]]:
    """State and source of each breaker, by owner and endpoint."""
    snapshot = sitting.timeline.snapshot()
    found = breakers_at(snapshot, snapshot.through_ns + 1)
    return {(one.key.owner, one.key.endpoint): (one.state, one.source) for one in found}


async def ask(sitting: Sitting, *node_ids: str) -> Report:
    return await act(sitting.session, AskBreakers(NS, node_ids))


async def test_helpers_are_asked_for_their_lists_and_others_for_what_they_may_call(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="ask") as sitting, mesh(sitting):
        await sitting.until(lambda: len(sitting.timeline.snapshot().state.of_kind("service")) >= 3)
        report = await ask(sitting)
        assert report.outcome == "done"
        assert sorted(row.target for row in report.targets) == ["bank-1", "shop-1"]
        assert sorted(asked(sitting)) == [("bank-1", "$node.actions"), ("shop-1", "$meshscope.breakers")]
        await sitting.until(lambda: len(known(sitting)) == 2)
        assert known(sitting) == {
            ("shop-1", "bank-1:bank.transfer"): ("closed", "helper"),
            ("bank-1", "bank-1:bank.transfer"): ("closed", "asked"),
        }
        snapshot = sitting.timeline.snapshot()
        found = coverage(snapshot, snapshot.through_ns + 1)
        assert (list(found.helpers), found.without, found.acting) == ([(NS, "shop-1")], ((NS, "bank-1"),), 1)


async def test_a_node_that_is_not_there_is_a_row_of_the_report(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="ask") as sitting, mesh(sitting):
        await sitting.until(lambda: len(sitting.timeline.snapshot().state.of_kind("service")) >= 3)
        report = await ask(sitting, "shop-1", "nobody")
        assert report.outcome == "partly"
        assert [(row.target, row.outcome) for row in report.targets] == [("shop-1", "done"), ("nobody", "unknown")]


async def test_with_see_nobody_is_asked(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="see", asks_breakers=True) as sitting, mesh(sitting):
        await sitting.until(lambda: len(sitting.timeline.snapshot().state.of_kind("service")) >= 3)
        assert (await ask(sitting)).outcome == "refused"
        sitting.clock.at_ns += 60 * SECOND
        await sitting.until(lambda: sitting.timeline.snapshot().through_ns >= 1_060 * SECOND)
        assert asked(sitting) == []


async def test_who_is_not_heard_is_asked_every_ten_seconds(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="ask", asks_breakers=True) as sitting, mesh(sitting):
        await sitting.until(lambda: len(asked(sitting)) == 2)
        await sitting.until(lambda: len(known(sitting)) == 2)
        sitting.clock.at_ns += 9 * SECOND
        await sitting.until(lambda: sitting.timeline.snapshot().through_ns >= 1_009 * SECOND)
        assert len(asked(sitting)) == 2
        sitting.clock.at_ns += 2 * SECOND  # the helper's list is 11 s old: it was heard
        await sitting.until(lambda: len(asked(sitting)) == 3)
        assert asked(sitting)[-1] == ("bank-1", "$node.actions")
        sitting.clock.at_ns += 5 * SECOND
        await sitting.until(lambda: len(asked(sitting)) == 4)
        assert asked(sitting)[-1] == ("shop-1", "$meshscope.breakers")


async def test_nobody_is_asked_by_itself_unless_that_is_wanted(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="ask") as sitting, mesh(sitting):
        await sitting.until(lambda: len(sitting.timeline.snapshot().state.of_kind("service")) >= 3)
        sitting.clock.at_ns += 20 * SECOND
        await sitting.until(lambda: sitting.timeline.snapshot().through_ns >= 1_020 * SECOND)
        assert asked(sitting) == []


def test_odd_answers_of_nodes_say_nothing() -> None:
    odd: list[Any] = [None, 5, "x", {}, [None, {"name": 1}, {"name": "a.b", "endpoints": 5}]]
    odd.append([{"name": "a.b", "endpoints": [None, {"nodeID": 1}, {"nodeID": "n", "state": "x"}]}])
    odd.append([{"name": "a.b", "endpoints": [{"nodeID": "n", "state": True, "available": False}]}])
    for answer in odd:
        assert endpoints_of(json.loads(json.dumps(answer))) == {"open": [], "closed": []}
