"""Meshscope's helper in real meshes under traffic: what callers' own logs and the bus say after each command."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from broker.agent.signature import Signed, sign, signature_of
from tests.e2e.helper_mesh import (
    HALF_OPEN_MS,
    MESHES,
    PLAIN,
    PYTHON_CALLS,
    SECRET,
    TRANSFER,
    Cast,
    HelperMesh,
    Packet,
    Stage,
    on_stage,
)
from tests.e2e.redis_server import RedisServer
from tests.interop.mesh import until_true

pytestmark = pytest.mark.usefixtures("moleculerjs")


CASTS = MESHES | PYTHON_CALLS


@pytest.fixture(scope="module", params=CASTS.values(), ids=CASTS.keys())
def stage(request: pytest.FixtureRequest, shared_redis: RedisServer) -> Iterator[Stage]:
    cast: Cast = request.param
    with on_stage(cast, shared_redis) as made:
        yield made


def test_held_open_keeps_every_request_of_that_caller_away_until_it_is_reset(stage: Stage) -> None:
    async def story(mesh: HelperMesh) -> None:
        for shop in (mesh.shop_1, mesh.shop_2):
            await shop.traffic(TRANSFER)
            await mesh.sends(shop, "bank-1")
        before = mesh.mark()
        breaker = await mesh.hold("shop-1", "bank-1")
        assert (breaker["held"], breaker["available"], breaker["state"]) == ("open", False, "closed")
        hold = breaker["hold"]
        reported = len(await mesh.shop_1.sent())
        await mesh.sends(mesh.shop_1, "bank-2", 100, after=reported)
        await mesh.sends(mesh.shop_2, "bank-1", 50, after=len(await mesh.shop_2.sent()))
        assert {each.target for each in await mesh.shop_1.sent(reported)} == {"bank-2"}
        breaker = await mesh.done("shop-1", "reset", "bank-1")
        assert (breaker["held"], breaker["available"], breaker["failures"]) == ("", True, 0)
        await mesh.sends(mesh.shop_1, "bank-1", after=len(await mesh.shop_1.sent()))
        assert set(await mesh.shop_1.results()) == {"ok"}
        packets = mesh.packets(before)
        report = await mesh.heard(lambda packet: packet.is_answer_to("operator-1", hold["id"]), before)
        again = await mesh.heard(lambda packet: packet.is_command("reset"), before)
        between = packets[report:again]
        assert mesh.requests("shop-1", "bank-1", between) == 0
        assert mesh.requests("shop-1", "bank-2", between) >= 100
        assert mesh.requests("shop-2", "bank-1", between) >= 50
        assert mesh.requests("shop-1", "bank-1", packets[again:]) > 0

    stage.play(story)


def test_held_closed_goes_on_calling_while_the_breaker_is_open_beneath(stage: Stage) -> None:
    async def story(mesh: HelperMesh) -> None:
        await mesh.hold("shop-1", "bank-1", "closed")
        breaker = await mesh.done("shop-1", "trip", "bank-1")
        assert (breaker["held"], breaker["state"], breaker["available"]) == ("closed", "open", True)
        await mesh.shop_1.traffic(TRANSFER)
        await mesh.sends(mesh.shop_1, "bank-1", 5)
        await mesh.shop_1.rest()
        await mesh.done("shop-1", "trip", "bank-1")
        breaker = await mesh.done("shop-1", "release", "bank-1")
        assert breaker["held"] == ""
        assert (breaker["state"], breaker["available"]) in {("open", False), ("half-open", True)}

    stage.play(story)


def test_a_hold_ends_on_time_with_nobody_there(stage: Stage) -> None:
    async def story(mesh: HelperMesh) -> None:
        await mesh.shop_1.traffic(TRANSFER)
        await mesh.sends(mesh.shop_1, "bank-1")
        inspector = mesh.new_operator("operator-2")
        async with inspector:
            await inspector.wait_for_services(["$meshscope"])
            signed = sign(SECRET, await mesh.command("shop-1", "hold", "bank-1", state="open", for_ms=1500))
            answer = await inspector.call("$meshscope.command", signed.params(), node_id="shop-1")
        hold = answer["breaker"]["hold"]
        assert hold["until"] - hold["since"] == 1500
        after = len(await mesh.shop_1.sent())
        await mesh.sends(mesh.shop_1, "bank-1", after=after)
        first = next(each for each in await mesh.shop_1.sent(after) if each.target == "bank-1")
        assert 0 <= first.at_ms - hold["until"] < 5000
        breaker = await mesh.breaker("shop-1", "bank-1")
        assert (breaker["held"], breaker["hold"], breaker["available"]) == ("", None, True)

    stage.play(story)


def test_a_trip_opens_now_and_closes_by_itself_after_one_good_call(stage: Stage) -> None:
    async def story(mesh: HelperMesh) -> None:
        await mesh.shop_1.traffic(TRANSFER)
        await mesh.sends(mesh.shop_1, "bank-1")
        before = mesh.mark()
        breaker = await mesh.done("shop-1", "trip", "bank-1", reason="too slow")
        assert (breaker["state"], breaker["available"], breaker["held"]) == ("open", False, "")
        assert abs(breaker["until"] - breaker["since"] - HALF_OPEN_MS) <= 1  # each is rounded to its ms
        assert breaker["reason"] == "tripped by user@host: too slow"
        closed = await mesh.heard(lambda packet: packet.is_event("$circuit-breaker.closed", "shop-1"), before)
        packets = mesh.packets(before)
        moves = [packet.body["event"] for packet in packets[: closed + 1] if _is_move(packet, "shop-1", "bank-1")]
        assert list(dict.fromkeys(moves)) == [
            "$circuit-breaker.opened",
            "$circuit-breaker.half-opened",
            "$circuit-breaker.closed",
        ]
        opened, half, _ = (_first(packets, f"$circuit-breaker.{what}") for what in ("opened", "half-opened", "closed"))
        answered = next(i for i, packet in enumerate(packets) if packet.channel == "RES.operator-1" and i > opened)
        assert mesh.requests("shop-1", "bank-1", packets[answered:half]) == 0
        halves = sum(
            packet.is_event("$circuit-breaker.half-opened", "shop-1") and packet.channel == "EVENT.bank-1"
            for packet in packets[:closed]
        )
        assert mesh.requests("shop-1", "bank-1", packets[half:closed]) == halves  # one try each time
        await mesh.sends(mesh.shop_1, "bank-1", after=len(await mesh.shop_1.sent()))
        breaker = await mesh.breaker("shop-1", "bank-1")
        assert (breaker["state"], breaker["available"], breaker["until"]) == ("closed", True, None)

    stage.play(story)


def _is_move(packet: Packet, owner: str, node: str) -> bool:
    if not packet.channel.startswith("EVENT") or not packet.body["event"].startswith("$circuit-breaker."):
        return False
    return bool(packet.body["sender"] == owner and packet.body["data"]["nodeID"] == node)


def _first(packets: list[Packet], event: str) -> int:
    return next(i for i, packet in enumerate(packets) if packet.is_event(event, "shop-1"))


def test_where_the_breaker_is_disabled_a_trip_is_refused_and_a_hold_works(stage: Stage) -> None:
    async def story(mesh: HelperMesh) -> None:
        await mesh.shop_1.traffic(PLAIN)
        await mesh.sends(mesh.shop_1, "bank-1")
        answer = await mesh.told("shop-1", "trip", "bank-1", PLAIN)
        assert (answer["outcome"], answer["cause"]) == ("refused", "disabled")
        assert "hold" in answer["message"]
        assert (answer["breaker"]["enabled"], answer["breaker"]["state"]) == (False, "closed")
        await mesh.done("shop-1", "hold", "bank-1", PLAIN, state="open", for_ms=600_000)
        after = len(await mesh.shop_1.sent())
        await mesh.sends(mesh.shop_1, "bank-2", 50, after=after)
        assert {each.target for each in await mesh.shop_1.sent(after)} == {"bank-2"}
        await mesh.done("shop-1", "release", "bank-1", PLAIN)
        await mesh.sends(mesh.shop_1, "bank-1", after=after)

    stage.play(story)


@pytest.mark.parametrize("farewell", ["stopped", "killed"])
def test_holds_and_trips_reach_a_target_that_was_restarted(stage: Stage, farewell: str) -> None:
    async def story(mesh: HelperMesh) -> None:
        for shop in (mesh.shop_1, mesh.shop_2):
            await shop.traffic(TRANSFER)
            await mesh.sends(shop, "bank-1")
        hold = (await mesh.hold("shop-1", "bank-1"))["hold"]
        reported = len(await mesh.shop_1.sent())
        before = await _run_of_bank_1(mesh)
        await (mesh.bank_1.stop() if farewell == "stopped" else mesh.bank_1.kill())
        await mesh.bank_1.start()
        await until_true(lambda: _knows_another_run(mesh, before))
        await mesh.sends(mesh.shop_2, "bank-1", 50, after=len(await mesh.shop_2.sent()))
        assert {each.target for each in await mesh.shop_1.sent(reported)} == {"bank-2"}
        breaker = await mesh.breaker("shop-1", "bank-1")
        assert (breaker["hold"], breaker["available"]) == (hold, False)
        await mesh.done("shop-1", "release", "bank-1", hold=hold["id"])
        await mesh.sends(mesh.shop_1, "bank-1", after=len(await mesh.shop_1.sent()))
        breaker = await mesh.done("shop-1", "trip", "bank-1")
        assert (breaker["state"], breaker["available"]) == ("open", False)
        after = len(await mesh.shop_1.sent())
        await mesh.sends(mesh.shop_1, "bank-1", after=after)
        first = next(each for each in await mesh.shop_1.sent(after) if each.target == "bank-1")
        assert first.at_ms >= breaker["until"] - 50  # its timer began a little before the moment that it tells

    stage.play(story)


async def _run_of_bank_1(mesh: HelperMesh) -> str:
    """Which run of it shop-1 knows; it may be called some time before it says that it is another."""
    nodes = await mesh.shop_1.call("$node.list", {})
    return next((str(each["instanceID"]) for each in nodes if each["id"] == "bank-1" and each["available"]), "")


async def _knows_another_run(mesh: HelperMesh, before: str) -> bool:
    return await _run_of_bank_1(mesh) not in ("", before)


def test_the_callees_own_endpoint_turns_everybody_away_and_their_retries_find_another(stage: Stage) -> None:
    async def story(mesh: HelperMesh) -> None:
        for shop in (mesh.shop_1, mesh.shop_2):
            await shop.traffic(TRANSFER, retries=1, workers=1)
            await mesh.sends(shop, "bank-1")
        breaker = await mesh.hold("bank-1", "bank-1")
        assert (breaker["local"], breaker["available"]) == (True, False)
        for shop in (mesh.shop_1, mesh.shop_2):
            after = len(await shop.sent()) + 10  # those that were on their way
            await mesh.sends(shop, "bank-1", after=after)
            ended = [each for each in await shop.sent(after) if each.outcome]
            assert {each.outcome for each in ended if each.target == "bank-1"} == {"ServiceNotAvailableError"}
            assert {each.outcome for each in ended if each.target == "bank-2"} == {"ok"}
            assert set(await shop.results()) == {"ok"}
        await mesh.done("bank-1", "release", "bank-1")
        await until_true(lambda: _answers_again(mesh))

    stage.play(story)


async def _answers_again(mesh: HelperMesh) -> bool:
    return any(each.target == "bank-1" and each.outcome == "ok" for each in (await mesh.shop_1.sent())[-10:])


def test_each_refusal_names_its_cause_is_counted_and_changes_nothing(stage: Stage) -> None:
    async def story(mesh: HelperMesh) -> None:
        fields: dict[str, Any] = {"state": "open", "for_ms": 600_000}
        good = await mesh.command("shop-1", "hold", "bank-1", **fields)
        signed = sign(SECRET, good)
        altered = signed.command.replace("600000", "900000")
        now_ms = int(time.time() * 1000)
        before = (await mesh.listed("shop-1"))["refused"]
        refusals: list[tuple[str, Any]] = [
            ("malformed", None),
            ("malformed", {"command": 7, "signature": "x"}),
            ("malformed", {"command": "x" * 100_000, "signature": "x"}),
            ("unsigned", {"command": signed.command}),
            ("unsigned", {"command": signed.command, "signature": ""}),
            ("signature", sign("another secret", good).params()),
            ("signature", {"command": altered, "signature": signed.signature}),
            ("signature", {"command": signed.command, "signature": "é" * 64}),
            *(("malformed", Signed(text, signature_of(SECRET, text)).params()) for text in ("{", "[]", '{"verb":"x"}')),
            ("malformed", sign(SECRET, replace(good, state="half-open", nonce="a" * 32)).params()),  # type: ignore[arg-type]
            ("late", sign(SECRET, replace(good, time_ms=now_ms - 31_000)).params()),
            ("late", sign(SECRET, replace(good, time_ms=now_ms + 60_000)).params()),
            ("elsewhere", sign(SECRET, replace(good, namespace="prod")).params()),
            ("elsewhere", sign(SECRET, replace(good, node="shop-2")).params()),
            ("elsewhere", sign(SECRET, replace(good, instance="an earlier run")).params()),
        ]
        for cause, params in refusals:
            answer = await mesh.tell("shop-1", params)
            assert (answer["outcome"], answer["cause"]) == ("refused", cause), (params, answer)
            assert answer["message"]
        assert (await mesh.breaker("shop-1", "bank-1"))["held"] == ""
        assert (await mesh.tell("shop-1", signed.params()))["outcome"] == "done"
        assert (await mesh.tell("shop-1", signed.params()))["cause"] == "replayed"
        counts = (await mesh.listed("shop-1"))["refused"]
        assert {cause: counts[cause] - before[cause] for cause in counts} == {
            "malformed": 7,
            "unsigned": 2,
            "signature": 3,
            "late": 2,
            "elsewhere": 3,
            "replayed": 1,
        }
        warnings = [text for level, text in await mesh.shop_1.said() if level == "warn"]
        for cause in counts:
            assert 1 <= sum(cause in text for text in warnings) < 4  # not a line for each
        for cause, endpoint, more in [
            ("unknown-endpoint", ("bank-9", TRANSFER), fields),
            ("unknown-endpoint", ("bank-1", "v2.bank.rob"), fields),
            ("unknown-endpoint", ("shop-1", "$meshscope.command"), fields),
            ("expired", ("bank-1", TRANSFER), fields | {"for_ms": 0}),
            ("too-long", ("bank-1", TRANSFER), fields | {"for_ms": 24 * 3600_000 + 1}),
        ]:
            answer = await mesh.told("shop-1", "hold", *endpoint, **more)
            assert (answer["outcome"], answer["cause"]) == ("refused", cause), answer

    stage.play(story)


def test_without_a_secret_the_helper_only_tells(stage: Stage) -> None:
    async def story(mesh: HelperMesh) -> None:
        listed = await mesh.listed("bank-2")
        assert listed["acts"] is False
        assert (await mesh.listed("bank-1"))["acts"] is True
        own = next(each for each in listed["breakers"] if (each["node"], each["action"]) == ("bank-2", TRANSFER))
        assert (own["local"], own["state"], own["min"], own["half_open_ms"]) == (True, "closed", 5, HALF_OPEN_MS)
        answer = await mesh.told("bank-2", "hold", "bank-2", state="open", for_ms=1000)
        assert (answer["outcome"], answer["cause"]) == ("refused", "no-secret")
        assert (await mesh.breaker("bank-2", "bank-2"))["held"] == ""

    stage.play(story)


def test_a_tap_knows_transitions_and_holds_without_any_inspector_announced(stage: Stage) -> None:
    async def story(mesh: HelperMesh) -> None:
        before = mesh.mark()
        await mesh.bank_1.failing(True)
        await mesh.shop_1.traffic(TRANSFER)
        opened = await mesh.heard(lambda packet: packet.is_event("$circuit-breaker.opened", "shop-1"), before)
        data = mesh.packets(before)[opened].body["data"]
        assert (data["nodeID"], data["action"]) == ("bank-1", TRANSFER)
        await mesh.heard(lambda packet: _lists(packet, "shop-1", state="open", available=False), before)
        await mesh.bank_1.failing(False)
        await mesh.heard(lambda packet: packet.is_event("$circuit-breaker.closed", "shop-1"), before)
        hold = (await mesh.hold("shop-2", "bank-1", for_s=0.5))["hold"]
        held = await mesh.heard(lambda packet: _lists(packet, "shop-2", held="open", hold=hold), before)
        over = await mesh.heard(lambda packet: _lists(packet, "shop-2", held="", hold=None), before + held)
        assert over > 0
        hearers = {
            packet.body["sender"]
            for packet in mesh.packets()
            if packet.channel.startswith("INFO") and "$circuit-breaker" in json.dumps(packet.body)
        }
        assert hearers == {"shop-1", "shop-2", "bank-1", "bank-2"}

    stage.play(story)


def _lists(packet: Packet, owner: str, **expected: Any) -> bool:
    if not packet.is_event("$meshscope.breakers", owner):
        return False
    data = packet.body["data"]
    assert (data["format"], data["node"]) == (1, owner)
    listed = [each for each in data["breakers"] if (each["node"], each["action"]) == ("bank-1", TRANSFER)]
    return all(each[key] == value for each in listed for key, value in expected.items())


def test_a_helper_that_is_taken_out_lets_go_of_everything(stage: Stage) -> None:
    async def story(mesh: HelperMesh) -> None:
        await mesh.shop_1.traffic(TRANSFER)
        await mesh.sends(mesh.shop_1, "bank-2")
        await mesh.hold("shop-1", "bank-1")
        await mesh.done("shop-1", "trip", "bank-1")
        await mesh.shop_1.remove_helper()
        await mesh.sends(mesh.shop_1, "bank-1", after=len(await mesh.shop_1.sent()))
        await mesh.shop_1.add_helper()
        await until_true(lambda: _lists_nothing_held(mesh))

    stage.play(story)


async def _lists_nothing_held(mesh: HelperMesh) -> bool:
    if not mesh.operator.registry.endpoints_on("shop-1", "$meshscope.breakers"):
        return False
    return (await mesh.breaker("shop-1", "bank-1"))["held"] == ""


def test_the_secret_is_nowhere_outside_of_the_nodes(stage: Stage) -> None:
    async def story(mesh: HelperMesh) -> None:
        for node_id in mesh.nodes:
            for action, params in [
                ("$node.options", {}),
                ("$node.services", {"withActions": True, "withEvents": True}),
                ("$node.list", {}),
                ("$node.actions", {"withEndpoints": True}),
                ("$node.events", {}),
                ("$node.health", {}),
                ("$meshscope.breakers", {}),
            ]:
                answer = await mesh.operator.call(action, params, node_id=node_id)
                assert SECRET not in json.dumps(answer)
        assert len(mesh.packets()) > 1000
        assert not any(SECRET.encode() in body for _, body in mesh.tap.frames)
        for node in mesh.nodes.values():
            assert SECRET not in str(await node.said())

    stage.play(story)
