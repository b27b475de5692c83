"""Events of an operator go where Moleculer would send them, and where it was said before that they would."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from broker.mesh.receivers import GroupReceivers, receivers
from broker.node import Broker, BrokerOptions
from broker.node.context import Context
from broker.operate.commands import Broadcast, Emit, Report
from broker.probe.acting import act
from broker.protocol.codec import decode
from broker.protocol.packets import Event
from tests.unit.probe.sitting import NS, Sitting

Heard = Counter[tuple[str, str]]
"""(node, group) to how often."""

SERVICES = {
    "mail-1": [("mail", "order.*", "mail"), ("audit", "order.created", "audit")],
    "mail-2": [("mail", "order.*", "mail")],
    "pay-1": [("payments", "order.created", "payments"), ("ledger", "**", "audit")],
}
"""By node: service, pattern, group."""


@asynccontextmanager
async def shop(sitting: Sitting) -> Any:
    heard: Heard = Counter()
    options = BrokerOptions(settle_s=0.0, stop_delay_s=0.0, internal_services=False)
    async with AsyncExitStack() as nodes:
        for node_id, services in SERVICES.items():
            broker = Broker(node_id, sitting.bus, NS, options=options)
            for service, pattern, group in services:

                def handler(_service: object, ctx: Context, key: tuple[str, str] = (node_id, group)) -> None:
                    if ctx.event_name.startswith("order."):  # not what the node tells itself
                        heard[key] += 1

                await broker.add({"name": service, "events": {pattern: {"group": group, "handler": handler}}})
            await nodes.enter_async_context(broker)
        await sitting.until(lambda: len(who(sitting).node_ids) == len(SERVICES))
        yield heard


def who(sitting: Sitting, event: str = "order.created", groups: tuple[str, ...] = ()) -> Any:
    return receivers(sitting.timeline.snapshot(), NS, event, groups)


def sent(sitting: Sitting) -> list[Event]:
    packets = [decode(channel, body) for channel, body in sitting.bus.published]
    return [packet for packet in packets if isinstance(packet, Event)]


async def test_who_will_receive_is_told_by_pattern_and_group(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="ask") as sitting, shop(sitting):
        assert list(who(sitting).groups) == [
            GroupReceivers("**", "audit", ("ledger",), ("pay-1",)),
            GroupReceivers("order.*", "mail", ("mail",), ("mail-1", "mail-2")),
            GroupReceivers("order.created", "audit", ("audit",), ("mail-1",)),
            GroupReceivers("order.created", "payments", ("payments",), ("pay-1",)),
        ]
        assert who(sitting, groups=("mail",)).node_ids == ("mail-1", "mail-2")
        assert who(sitting, "order.paid.twice").node_ids == ("pay-1",)


@pytest.mark.parametrize("groups", [(), ("mail",), ("audit", "payments")], ids=["all", "mail", "audit and payments"])
async def test_an_emitted_event_reaches_one_node_of_each_that_were_told_before(
    tmp_path: Path, groups: tuple[str, ...]
) -> None:
    async with Sitting(tmp_path, may="call") as sitting, shop(sitting) as heard:
        told = who(sitting, groups=groups)
        report: Report = await act(sitting.session, Emit(NS, "order.created", '{"id": 1}', groups=groups))
        assert report.outcome == "done"
        await asyncio.sleep(0)
        await sitting.until(lambda: sum(heard.values()) == len(told.groups))
        packets = sent(sitting)
        assert {target.target for target in report.targets} <= set(told.node_ids)
        assert len(packets) == len(report.targets)
        assert sorted(group for packet in packets for group in packet.groups) == sorted(
            each.group for each in told.groups
        )
        assert not any(packet.broadcast for packet in packets)
        assert [packet.data for packet in packets] == [{"id": 1}] * len(packets)


@pytest.mark.parametrize("groups", [(), ("mail",)], ids=["all", "mail"])
async def test_a_broadcast_event_reaches_all_nodes_that_were_told_before(
    tmp_path: Path, groups: tuple[str, ...]
) -> None:
    async with Sitting(tmp_path, may="act") as sitting, shop(sitting) as heard:
        told = who(sitting, groups=groups)
        report = await act(sitting.session, Broadcast(NS, "order.created", groups=groups))
        assert report.outcome == "done"
        assert sorted(target.target for target in report.targets) == list(told.node_ids)
        everybody = {(node_id, each.group) for each in told.groups for node_id in each.node_ids}
        await sitting.until(lambda: set(heard) == everybody)
        assert all(packet.broadcast for packet in sent(sitting))


async def test_emitted_events_go_round_the_nodes_of_a_group(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, shop(sitting) as heard:
        for _ in range(6):
            await act(sitting.session, Emit(NS, "order.shipped", groups=("mail",)))
        await sitting.until(lambda: sum(heard.values()) == 6)
        assert heard == {("mail-1", "mail"): 3, ("mail-2", "mail"): 3}


async def test_an_event_that_nobody_hears_is_not_sent(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, shop(sitting):
        report = await act(sitting.session, Emit(NS, "order.created", groups=("nobody",)))
        assert report.outcome == "failed"
        assert "Nobody in nobody listens to 'order.created'" in report.message
        assert sent(sitting) == []


async def test_broadcasting_takes_the_permission_to_act(tmp_path: Path) -> None:
    async with Sitting(tmp_path, may="call") as sitting, shop(sitting):
        assert (await act(sitting.session, Broadcast(NS, "order.created"))).outcome == "refused"
        assert sent(sitting) == []
