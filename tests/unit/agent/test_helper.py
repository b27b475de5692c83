"""The helper of a Python node: what it tells, what it does when it is told to, and what it refuses."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from broker.agent import helper as module
from broker.agent.helper import Helper
from broker.agent.pace import period_s
from broker.agent.signature import Endpoint, Signed, sign
from broker.operate.commands import HELPER_BREAKERS, HELPER_COMMAND, HELPER_SERVICE
from tests.unit.agent.helped import PAY, SECRET, T0_MS, helped
from tests.unit.node.nodes import said, story, until

FREE = Endpoint("bank-1", "bank.free")


def test_operators_and_helpers_use_the_same_names() -> None:
    assert (module.SERVICE, module.BREAKERS) == (HELPER_SERVICE, HELPER_BREAKERS)
    assert f"{module.SERVICE}.command" == HELPER_COMMAND


@story
async def test_every_endpoint_is_listed_with_its_settings_called_or_not() -> None:
    async with helped("bank-1") as desk:
        told = await desk.told()
        assert {key: told[key] for key in told if key not in ("breakers", "program")} == {
            "format": 1,
            "node": "shop-1",
            "instance": desk.shop.instance_id,
            "at": T0_MS,
            "acts": True,
            "left_out": 0,
            "refused": dict.fromkeys(("unsigned", "signature", "replayed", "late", "elsewhere", "malformed"), 0),
        }
        assert told["breakers"] == [
            {
                "node": "bank-1",
                "action": name,
                "service": "bank",
                "local": False,
                "enabled": enabled,
                "state": "closed",
                "available": True,
                "held": "",
                "hold": None,
                "failures": 0,
                "count": 0,
                "threshold": 0.5,
                "min": minimum,
                "window_ms": 60_000,
                "half_open_ms": 10_000,
                "since": None,
                "until": None,
                "reason": "",
            }
            for name, enabled, minimum in (("bank.pay", True, 2), ("bank.free", False, 20))
        ]


@story
async def test_a_breaker_that_opens_by_itself_is_listed_with_its_counts_and_when_it_is_tried_again() -> None:
    async with helped("bank-1") as desk:
        desk.banks["bank-1"][1].is_broken = True
        await desk.timers.advance(1.0)
        await desk.pays(2)
        await desk.timers.advance(3.0)
        row = await desk.row()
        assert (row["state"], row["available"], row["failures"], row["count"]) == ("open", False, 2, 2)
        assert (row["since"], row["until"], row["reason"]) == (T0_MS + 1000, T0_MS + 11_000, "2 of 2 failed")
        await desk.timers.advance(7.0)
        row = await desk.row()
        assert (row["state"], row["available"], row["until"]) == ("half-open", True, None)


@story
async def test_a_tripped_breaker_is_open_at_once_and_goes_on_by_itself() -> None:
    async with helped("bank-1", "bank-2") as desk:
        answer = await desk.do("trip", reason="it is slow")
        assert (answer["outcome"], answer["cause"], answer["message"]) == ("done", "", "open, tried again in 10 s")
        assert answer["breaker"]["reason"] == "tripped by ann@desk: it is slow"
        assert set(await desk.pays(6)) == {"paid by bank-2"}
        await desk.timers.advance(10.0)
        assert set(await desk.pays(6)) == {"paid by bank-1", "paid by bank-2"}
        assert (await desk.row())["state"] == "closed"


@story
async def test_a_tripped_breaker_is_open_for_its_time_though_moleculer_forgets_idle_ones_meanwhile() -> None:
    async with helped("bank-1", "bank-2") as desk:
        await desk.timers.advance(55.0)
        await desk.do("trip")
        await desk.timers.advance(6.0)
        row = await desk.row()
        assert (row["state"], row["until"], await desk.pays(2)) == ("open", T0_MS + 65_000, ["paid by bank-2"] * 2)
        assert (await desk.do("reset"))["breaker"]["state"] == "closed"
        assert set(await desk.pays(4)) == {"paid by bank-1", "paid by bank-2"}


@story
async def test_a_breaker_that_is_not_enabled_cannot_be_tripped_but_held() -> None:
    async with helped("bank-1") as desk:
        answer = await desk.do("trip", FREE)
        assert (answer["outcome"], answer["cause"]) == ("refused", "disabled")
        assert "hold it instead" in answer["message"]
        answer = await desk.hold(endpoint=FREE)
        assert (answer["outcome"], answer["breaker"]["held"]) == ("done", "open")
        assert not desk.shop.registry.endpoints_on("bank-1", "bank.free")[0].is_available


@story
async def test_a_hold_open_lets_nothing_through_until_it_ends_by_itself() -> None:
    async with helped("bank-1") as desk:
        answer = await desk.hold(for_ms=30_000, reason="deploy")
        hold = answer["breaker"]["hold"]
        assert hold == {
            "id": hold["id"],
            "state": "open",
            "by": "ann@desk",
            "reason": "deploy",
            "since": T0_MS,
            "until": T0_MS + 30_000,
        }
        await desk.timers.advance(29.9)
        assert (await desk.pays(3), desk.banks["bank-1"][1].served) == (["ServiceNotAvailableError"] * 3, 0)
        await desk.timers.advance(0.1)
        assert await desk.pays() == ["paid by bank-1"]
        row = await desk.row()
        assert (row["held"], row["hold"]) == ("", None)


@story
async def test_a_hold_survives_that_its_node_goes_and_comes_back() -> None:
    async with helped("bank-1") as desk:
        await desk.hold()
        await desk.close_bank("bank-1")
        row = await desk.row()
        assert (row["held"], row["available"], row["reason"]) == ("open", False, "the endpoint is gone for now")
        bank = await desk.open_bank("bank-1")
        assert (await desk.pays(2), bank.served) == (["ServiceNotAvailableError"] * 2, 0)
        await desk.close_bank("bank-1")
        await desk.timers.advance(60.0)
        await desk.open_bank("bank-1")
        assert await desk.pays() == ["paid by bank-1"]


@story
async def test_a_hold_closed_lets_calls_through_whatever_the_breaker_says_which_decides_again_after_it() -> None:
    async with helped("bank-1") as desk:
        await desk.hold("closed")
        desk.banks["bank-1"][1].is_broken = True
        assert await desk.pays(4) == ["MoleculerServerError"] * 4
        row = await desk.row()
        assert (row["state"], row["available"], row["held"]) == ("open", True, "closed")
        answer = await desk.do("release")
        assert (answer["message"], answer["breaker"]["available"]) == ("no longer held closed", False)
        assert await desk.pays() == ["ServiceNotAvailableError"]


@story
async def test_reset_closes_clears_and_ends_a_hold() -> None:
    async with helped("bank-1") as desk:
        desk.banks["bank-1"][1].is_broken = True
        await desk.pays(2)
        await desk.hold()
        answer = await desk.do("reset")
        assert answer["message"] == "closed, counting from zero; no longer held"
        row = answer["breaker"]
        assert (row["state"], row["count"], row["held"], row["reason"]) == ("closed", 0, "", "reset by ann@desk")
        desk.banks["bank-1"][1].is_broken = False
        assert await desk.pays() == ["paid by bank-1"]


@story
async def test_only_the_hold_that_is_meant_is_released() -> None:
    async with helped("bank-1") as desk:
        first = (await desk.hold())["breaker"]["hold"]["id"]
        second = (await desk.hold("closed", for_ms=5000))["breaker"]["hold"]["id"]
        assert (await desk.do("release", hold=first))["outcome"] == "failed"
        assert (await desk.do("release", hold=second))["outcome"] == "done"
        assert (await desk.do("release"))["message"] == "nothing was held"


@story
async def test_the_nodes_own_endpoint_can_be_held_and_its_callers_are_told_not_available() -> None:
    async with helped("bank-1") as desk:
        own = Endpoint("shop-1", "shop.sell")
        await desk.shop.add({"name": "shop", "actions": {"sell": lambda _service, _ctx: "sold"}})
        await desk.timers.advance(0.0)
        await until(lambda: desk.desk.registry.endpoints_on("shop-1", "shop.sell"))
        row = (await desk.hold(endpoint=own))["breaker"]
        assert (row["local"], row["available"]) == (True, False)
        with pytest.raises(Exception, match=r"shop\.sell"):
            await desk.desk.call("shop.sell")
        await desk.do("release", own)
        assert await desk.desk.call("shop.sell") == "sold"


@pytest.mark.parametrize(
    ("endpoint", "changes", "cause"),
    [
        (Endpoint("bank-9", "bank.pay"), {}, "unknown-endpoint"),
        (Endpoint("desk", "$node.list"), {}, "unknown-endpoint"),
        (Endpoint("shop-1", "$meshscope.command"), {}, "unknown-endpoint"),
        (PAY, {"for_ms": 0}, "expired"),
        (PAY, {"for_ms": -5}, "expired"),
        (PAY, {"for_ms": 24 * 3_600_000 + 1}, "too-long"),
        (PAY, {"node": "shop-2"}, "elsewhere"),
        (PAY, {"instance": "an earlier run"}, "elsewhere"),
        (PAY, {"namespace": ""}, "elsewhere"),
        (PAY, {"time_ms": T0_MS - 31_000}, "late"),
    ],
)
def test_a_command_that_cannot_be_done_changes_nothing_and_says_why(
    endpoint: Endpoint, changes: dict[str, Any], cause: str
) -> None:
    @story
    async def refused() -> None:
        async with helped("bank-1") as desk:
            answer = await desk.hold(endpoint=endpoint, **changes)
            assert (answer["outcome"], answer["cause"]) == ("refused", cause)
            assert [each["held"] for each in (await desk.told())["breakers"]] == ["", ""]
            assert await desk.pays() == ["paid by bank-1"]

    refused()


@story
async def test_what_is_refused_at_the_door_is_counted_for_all_to_see() -> None:
    async with helped("bank-1") as desk:
        good = sign(SECRET, desk.command("trip"))
        await desk.send(good)
        await desk.send(good)
        await desk.send(Signed(good.command, ""))
        await desk.send(Signed(good.command.replace("trip", "hold"), good.signature))
        await desk.send(sign("guessed", desk.command("trip")))
        await desk.send({"command": 7})
        assert (await desk.told())["refused"] == {
            "unsigned": 1,
            "signature": 2,
            "replayed": 1,
            "late": 0,
            "elsewhere": 0,
            "malformed": 1,
        }


@story
async def test_without_a_secret_it_only_reads() -> None:
    async with helped("bank-1", helper=lambda: Helper("")) as desk:
        assert ((await desk.told())["acts"], (await desk.hold())["cause"]) == (False, "no-secret")
        assert await desk.pays() == ["paid by bank-1"]


def test_the_secret_comes_from_the_environment_and_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MESHSCOPE_SECRET", SECRET)
    caplog.set_level(logging.DEBUG)

    @story
    async def from_environment() -> None:
        async with helped("bank-1", helper=Helper) as desk:
            assert (await desk.hold())["outcome"] == "done"
            await desk.send(sign("guessed", desk.command("trip")))
            on_the_bus = b"".join(body for _, body in desk.bus.published)
            assert SECRET.encode() not in on_the_bus
            assert SECRET not in caplog.text + repr(desk.shop.registry.local)

    from_environment()


@story
async def test_its_holds_end_with_it() -> None:
    async with helped("bank-1") as desk:
        await desk.hold()
        await desk.shop.remove("$meshscope")
        assert await desk.pays() == ["paid by bank-1"]


@story
async def test_a_second_helper_makes_both_tell_and_listens_in_a_group_of_its_own() -> None:
    async with helped("bank-1") as desk:
        await desk.timers.advance(10.0)
        assert told(desk) == []
        await desk.desk.add(Helper(SECRET))
        await until(lambda: len(desk.shop.registry.lists_for("$meshscope.breakers")) == 2)
        groups = {each.group for each in desk.shop.registry.lists_for("$circuit-breaker.opened")}
        assert groups == {"meshscope.shop-1", "meshscope.desk"}
        before = len(told(desk))
        await desk.timers.advance(10.0)
        assert len(told(desk)) == before + 1
        await desk.hold()
        await desk.do("trip", Endpoint("bank-1", "bank.pay"))
        await desk.timers.advance(0.2)
        assert told(desk)[-1]["breakers"][0]["held"] == "open"
        assert told(desk)[-1]["breakers"][0]["state"] == "open"
        opened = [each for each in said(desk.bus, "EVENT") if each["event"] == "$circuit-breaker.opened"]
        assert opened[-1]["data"] | {"failures": 0} == {
            "nodeID": "bank-1",
            "service": "bank",
            "action": "bank.pay",
            "failures": 0,
            "count": 0,
            "rate": 0.0,
        }


@story
async def test_many_changes_are_told_five_times_a_second_and_the_last_always() -> None:
    async with helped("bank-1") as desk:
        await desk.desk.add(Helper(""))
        await until(lambda: len(desk.shop.registry.lists_for("$meshscope.breakers")) == 2)
        await desk.timers.advance(1.0)
        before = len(told(desk))
        for number in range(20):
            await desk.hold("open" if number % 2 else "closed")
            await desk.timers.advance(0.05)
        assert len(told(desk)) - before in (5, 6)
        assert told(desk)[-1]["breakers"][0]["held"] == "open"


def test_all_helpers_together_send_some_thirty_packets_a_second_at_most() -> None:
    assert period_s(2) == 10.0
    assert all(packets / period_s(packets) <= 30.0 for packets in (2, 300, 301, 5000))


def told(desk: Any) -> list[dict[str, Any]]:
    """What the shop's helper told on the bus."""
    events = said(desk.bus, "EVENT")
    return [each["data"] for each in events if each["event"] == HELPER_BREAKERS and each["sender"] == "shop-1"]
