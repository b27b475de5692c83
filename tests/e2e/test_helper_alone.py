"""Meshscope's helper for MoleculerJS in odd nodes and at odd moments: without breakers, a bus, a balancer, a timer…"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.peer import JS, PATIENCE_S

pytestmark = pytest.mark.usefixtures("moleculerjs")
VERSIONS = ("014", "015")


@pytest.fixture(scope="module")
def everything() -> Iterator[dict[str, dict[str, Any]]]:
    """What each story of ``js/helper_alone.js`` saw, by version; the processes must end by themselves."""
    processes = {
        version: subprocess.Popen(["node", "helper_alone.js", version], cwd=JS, stdout=subprocess.PIPE)
        for version in VERSIONS
    }
    try:
        said = {version: process.communicate(timeout=2 * PATIENCE_S)[0] for version, process in processes.items()}
        assert {version: process.returncode for version, process in processes.items()} == dict.fromkeys(VERSIONS, 0)
        yield {version: json.loads(text) for version, text in said.items()}
    finally:
        for process in processes.values():
            if process.poll() is None:
                process.kill()
                process.communicate()


@pytest.fixture(params=VERSIONS)
def seen(request: pytest.FixtureRequest, everything: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return everything[request.param]


PLAIN = '{"value":true,"writable":true,"enumerable":true,"configurable":true}'
AWAY = "ServiceNotAvailableError"


def test_it_works_in_a_node_without_a_transporter(seen: dict[str, Any]) -> None:
    assert seen["no_transporter"] == {
        "listed": ["bank.transfer"],
        "held": "done",
        "call": AWAY,
        "released": "done",
        "again": "alone",
    }


def test_it_holds_where_there_are_no_breakers_at_all(seen: dict[str, Any]) -> None:
    assert seen["no_breaker_at_all"] == {
        "store": "undefined",
        "breaker": False,
        "trip": "refused disabled",
        "reset": "done",
        "hold": "done",
        "call": AWAY,
    }


def test_without_options_it_tells_and_does_nothing(seen: dict[str, Any]) -> None:
    assert seen["no_secret"] == {"answer": "refused no-secret", "acts": False}


def test_where_the_bus_balances_it_says_that_it_cannot_keep_calls_away_and_holds_local_endpoints(
    seen: dict[str, Any],
) -> None:
    assert seen["balancer_off"] == {
        "off": True,
        "before": "bank-1",
        "remote": "refused balancer",
        "trip": "refused balancer",
        "local": "done",
        "turned_away": AWAY,
        "released": "done",
        "after": "bank-1",
        "noticed": True,
    }


def test_absurd_params_are_answered_and_do_no_harm(seen: dict[str, Any]) -> None:
    assert seen["absurd_params"] == {"failed": [], "kinds": True, "state": "closed free true", "call": "alone"}


def test_nonces_are_bounded_and_none_is_forgotten_early(seen: dict[str, Any]) -> None:
    assert seen["nonces_are_bounded"] == {"answers": ["done"], "more": "refused late", "kept": 10_000}


def test_an_endpoint_is_as_it_was_after_a_hold_and_the_breaker_had_its_way_meanwhile(seen: dict[str, Any]) -> None:
    assert seen["endpoints_are_restored"] == {
        "before": PLAIN,
        "held": [False, False],
        "held_closed": [True, True],
        "released": PLAIN.replace("true", "false", 1),
        "after": PLAIN,
        "pins": False,
    }


def test_a_hold_is_over_on_time_even_if_no_timer_runs(seen: dict[str, Any]) -> None:
    assert seen["a_hold_is_over_on_time_even_if_no_timer_runs"] == {"held": False, "over": True}


def test_a_clock_that_is_set_back_prolongs_nothing(seen: dict[str, Any]) -> None:
    assert seen["a_clock_that_is_set_back_prolongs_nothing"] == {"held": False, "over": True, "left": 0}


def test_a_trip_outlives_the_window_that_forgets_idle_breakers(seen: dict[str, Any]) -> None:
    assert seen["a_trip_outlives_the_window"] == {"open": "open free false", "call": "alone", "closed": "closed"}


def test_gauges_follow_a_trip_and_a_reset(seen: dict[str, Any]) -> None:
    """Opened now, opened ever, half-open now."""
    assert seen["gauges_follow"] == {"tripped": [1, 1, 0], "half": [0, 1, 1], "reset": [0, 1, 0]}


def test_a_trip_where_only_an_action_has_a_breaker_misses_no_gauge(seen: dict[str, Any]) -> None:
    assert seen["a_breaker_of_one_action_alone"] == {"trip": "done", "call": AWAY}


def test_the_breaker_of_a_service_that_is_loaded_anew_begins_anew_and_works(seen: dict[str, Any]) -> None:
    assert seen["a_service_that_is_loaded_anew_can_be_kept_away_again"] == {
        "before": "open free false",
        "anew": "closed free true",
        "after": "open free false",
        "call": AWAY,
    }


def test_an_action_first_called_from_within_its_service_can_be_tripped_and_private_ones_are_not_listed(
    seen: dict[str, Any],
) -> None:
    assert seen["actions_called_from_within_their_service"] == {
        "within": "done",
        "listed": ["bank.transfer 1", "bank.within 1"],
        "trip": "done",
        "call": AWAY,
    }


def test_a_bus_that_is_gone_harms_neither_a_command_nor_a_call(seen: dict[str, Any]) -> None:
    assert seen["a_broken_bus_harms_no_call"] == {"trip": "done", "reset": "done", "call": "alone"}


def test_of_two_helpers_in_one_node_one_rests(seen: dict[str, Any]) -> None:
    assert seen["loaded_twice"] == {"looking": [True, False], "holds": 1, "hold": "done", "call": AWAY}


def test_a_large_mesh_gets_short_lists_and_few_packets(seen: dict[str, Any]) -> None:
    assert seen["a_large_mesh"] == {
        "endpoints": 10_001,
        "asked": 10_001,
        "asked_fits": True,
        "sent_fits": True,
        "first": "node-057 open",
        "groups": ["inspector-7", "meshscope.node-000", "meshscope.node-001"],
        "pause_s": 10,
    }


def test_taken_out_it_leaves_nothing_behind(seen: dict[str, Any]) -> None:
    assert seen["nothing_is_left_behind"] == {"with_helper": [1, 1], "without": [0, 0], "value": True, "call": "alone"}
