"""Nodes come, speak, fall silent and go."""

from __future__ import annotations

import json
from typing import Any

from broker.observe.journal import Batch
from tests.script import Script, service
from tests.unit.observe.reading import changes, final, seconds, states

USERS = service("users", "get", "list", events=["order.*"])
ORDERS = service("v2.orders", "get")


def reasons(batch: Batch) -> list[tuple[float, str, str]]:
    """State and reason of nodes, as they changed."""
    return [
        (seconds(change.at_ns), change.value["state"], change.value["reason"])
        for change in changes(batch, "node")
        if change.value
    ]


def value(batch: Batch, kind: str, key: str, namespace: str = "") -> Any:
    """What is so at the end of a batch."""
    return final(batch.changes)[kind, namespace, key]


def test_info_tells_who_a_node_is_and_what_it_offers() -> None:
    batch = Script().info(1.0, "shop-1", [USERS, ORDERS], seq=3, metadata={"region": "eu"}).batch()
    assert value(batch, "node", "shop-1") == {
        "state": "online",
        "reason": "",
        "protocol": "5",
        "client": {"type": "nodejs", "version": "0.15.2", "lang_version": "v20.1.0"},
        "hostname": "host",
        "ips": ["192.0.2.2"],
        "instance_id": "instance-1",
        "seq": 3,
        "metadata": {"region": "eu"},
        "services": ["users", "v2.orders"],
    }
    orders = value(batch, "service", "v2.orders")
    assert (orders["name"], orders["version"], orders["supposed"]) == ("orders", 2, False)
    assert orders["nodes"] == {
        "shop-1": {"actions": {"v2.orders.get": {"rawName": "get", "name": "v2.orders.get"}}, "events": {}}
    }


def test_an_info_that_changed_nothing_is_no_change() -> None:
    story = Script().info(0.0, "a", [USERS]).info(5.0, "a", [USERS]).info(6.0, "a", [USERS], to="b")
    assert [seconds(change.at_ns) for change in story.batch().changes] == [0.0, 0.0]


def test_an_older_info_of_the_same_instance_is_passed_over() -> None:
    story = Script().info(0.0, "a", [USERS, ORDERS], seq=4).info(1.0, "a", [USERS], seq=3)
    assert value(story.batch(), "node", "a")["services"] == ["users", "v2.orders"]


def test_a_service_is_of_all_nodes_that_offer_it_and_gone_with_the_last() -> None:
    story = Script().info(0.0, "a", [USERS, ORDERS]).info(1.0, "b", [USERS], instance_id="b")
    story.info(2.0, "a", [ORDERS], seq=2)
    batch = story.batch()
    assert list(value(batch, "service", "users")["nodes"]) == ["b"]
    batch = story.info(3.0, "b", [ORDERS], instance_id="b", seq=2).batch()
    assert value(batch, "service", "users") is None


def test_the_same_node_id_in_two_namespaces_is_two_nodes() -> None:
    batch = Script().info(0.0, "a", [USERS], namespace="x").info(0.0, "a", [ORDERS], namespace="y.z").batch()
    assert value(batch, "node", "a", "x")["services"] == ["users"]
    assert value(batch, "node", "a", "y.z")["services"] == ["v2.orders"]
    assert ("service", "x", "v2.orders") not in final(batch.changes)


def test_goodbye_makes_a_node_offline_and_ten_minutes_later_forgotten() -> None:
    batch = Script().info(0.0, "a", [USERS]).disconnect(2.0, "a").batch(until=700.0)
    assert states(batch) == [(0.0, "a", "online", "info"), (2.0, "a", "offline", "info"), (602.0, "a", None, "guess")]
    assert value(batch, "service", "users") is None


def test_an_offline_node_keeps_its_services_until_it_is_forgotten() -> None:
    batch = Script().info(0.0, "a", [USERS]).disconnect(2.0, "a").batch(until=600.0)
    assert list(value(batch, "service", "users")["nodes"]) == ["a"]


def test_an_info_without_services_before_goodbye_withdraws_nothing() -> None:
    story = Script().info(0.0, "a", [USERS]).info(1.0, "a", [], seq=2).disconnect(1.2, "a")
    batch = story.batch(until=60.0)
    assert reasons(batch) == [(0.0, "online", ""), (1.0, "online", "stopping"), (1.2, "offline", "said goodbye")]
    assert len(changes(batch, "service")) == 1


def test_an_info_without_services_and_no_goodbye_withdraws_them_after_a_while() -> None:
    batch = Script().info(0.0, "a", [USERS]).info(1.0, "a", [], seq=2).batch(until=60.0)
    assert [(seconds(change.at_ns), change.value is None) for change in changes(batch, "service")] == [
        (0.0, False),
        (11.0, True),
    ]
    assert value(batch, "node", "a")["services"] == []


def test_a_node_that_beat_and_beats_no_more_is_gone_after_thirty_seconds() -> None:
    batch = Script().heartbeat(0.0, "a").heartbeat(10.0, "a").batch(until=100.0)
    assert reasons(batch) == [(0.0, "online", ""), (40.0, "offline", "no heartbeat for 30 s")]


def test_a_node_that_never_beat_is_not_judged_by_it() -> None:
    assert states(Script().info(0.0, "a").batch(until=500.0)) == [(0.0, "a", "online", "info")]


def test_a_mesh_that_beats_slowly_is_judged_by_its_own_pace() -> None:
    story = Script()
    for beat in range(4):
        story.heartbeat(beat * 25.0, "a")
    assert reasons(story.batch(until=300.0)) == [(0.0, "online", ""), (137.5, "offline", "no heartbeat for 62 s")]


def test_a_heartbeat_brings_a_node_back() -> None:
    batch = Script().info(0.0, "a", [USERS]).heartbeat(1.0, "a").heartbeat(50.0, "a").batch()
    assert [row[2] for row in states(batch)] == ["online", "offline", "online"]
    assert value(batch, "node", "a")["services"] == ["users"]


def test_load_is_told_when_it_changes() -> None:
    story = Script().heartbeat(0.0, "a", 5).heartbeat(10.0, "a", 5).heartbeat(20.0, "a", 50.5).heartbeat(30.0, "a", "?")
    assert [(seconds(change.at_ns), change.value) for change in changes(story.batch(), "load")] == [
        (0.0, {"cpu": 5.0}),
        (20.0, {"cpu": 50.5}),
    ]


def test_silence_during_a_gap_means_nothing() -> None:
    story = Script().heartbeat(0.0, "a").gap(5.0, 100.0)
    assert [(row[0], row[2]) for row in states(story.batch(until=200.0))] == [(0.0, "online"), (130.0, "offline")]


def test_another_instance_is_a_restart() -> None:
    story = Script().info(0.0, "a", [USERS], instance_id="one", seq=9).info(5.0, "a", [ORDERS], instance_id="two")
    batch = story.batch()
    assert reasons(batch) == [(0.0, "online", ""), (5.0, "online", "restarted")]
    assert value(batch, "node", "a")["services"] == ["v2.orders"]


def test_a_sender_of_packets_is_supposed_until_it_says_more() -> None:
    batch = Script().request(0.0, sender="a", target="b").response(1.0).info(2.0, "a").batch()
    assert states(batch) == [
        (0.0, "a", "supposed", "packet"),
        (1.0, "b", "supposed", "packet"),
        (2.0, "a", "online", "info"),
    ]
    assert changes(batch, "node")[0].value["protocol"] == "5"  # type: ignore[index]


def test_a_supposed_node_that_is_heard_no_more_is_forgotten() -> None:
    batch = Script().request(0.0, sender="a").response(0.1, sender="b").batch(until=5000.0)
    assert [(row[0], row[1]) for row in states(batch) if row[2] is None] == [(1200.0, "a"), (1200.0, "b")]


def test_a_supposed_node_that_goes_on_speaking_is_kept() -> None:
    story = Script()
    for minute in range(60):
        story.request(minute * 60.0, sender="a").response(minute * 60.0 + 1)
    assert [row for row in states(story.batch()) if row[2] is None] == []


def test_a_stray_packet_after_goodbye_does_not_bring_a_node_back() -> None:
    story = Script().info(0.0, "b").request(1.0, target="b").disconnect(2.0, "b").response(2.5, sender="b")
    assert states(story.batch())[-1] == (2.0, "b", "offline", "info")
    batch = story.request(9.0, sender="b").batch()
    assert states(batch)[-1] == (9.0, "b", "supposed", "packet")


def test_a_service_is_supposed_from_the_names_of_its_actions_until_somebody_declares_it() -> None:
    story = Script().request(0.0, "v2.orders.get", target="b").request(0.1, "v2.orders.list", target="b")
    batch = story.batch()
    assert value(batch, "service", "v2.orders") == {
        "name": "orders",
        "version": 2,
        "settings": {},
        "metadata": {},
        "supposed": True,
        "nodes": {"b": {"actions": {"v2.orders.get": {}, "v2.orders.list": {}}, "events": {}}},
    }
    batch = story.info(1.0, "c", [ORDERS]).batch()
    assert (value(batch, "service", "v2.orders")["supposed"], list(value(batch, "service", "v2.orders")["nodes"])) == (
        False,
        ["c"],
    )


def test_a_supposed_service_is_none_when_its_action_belongs_to_another() -> None:
    odd = {**service("math"), "actions": {"plain.add": {"name": "plain.add"}}}
    batch = Script().request(0.0, "plain.add", target="b").info(1.0, "b", [odd]).batch()
    assert value(batch, "service", "plain") is None
    assert list(value(batch, "service", "math")["nodes"]) == ["b"]


def test_a_declared_action_makes_no_supposed_service() -> None:
    odd = {**service("math"), "actions": {"plain.add": {"name": "plain.add"}}}
    batch = Script().info(0.0, "b", [odd]).request(1.0, "plain.add", target="b").batch()
    assert ("service", "", "plain") not in final(batch.changes)


def test_channels_tell_who_is_connected_and_who_no_longer_is() -> None:
    story = Script().channels(0.0, "MOL.REQ.a.b-1", "MOL.RES.a.b-1", "MOL.HEARTBEAT", "MOL-x.y.REQ.c")
    batch = story.channels(10.0, "MOL-x.y.REQ.c").batch()
    assert [(change.namespace, *row) for change, row in zip(changes(batch, "node"), states(batch), strict=True)] == [
        ("", 0.0, "a.b-1", "online", "channels"),
        ("x.y", 0.0, "c", "online", "channels"),
        ("", 10.0, "a.b-1", "offline", "channels"),
    ]


def test_a_node_found_by_its_channels_shows_its_protocol_with_its_first_packet() -> None:
    for ver, tell in {
        "4": lambda story: story.request(1.0, sender="b", target="a"),
        "5": lambda story: story.heartbeat(1.0, "b"),
        "3": lambda story: story.discover(1.0, "b"),
    }.items():
        batch = tell(Script(ver=ver).channels(0.0, "MOL.REQ.a", "MOL.REQ.b")).batch()
        told = [
            (seconds(c.at_ns), c.value["protocol"], c.value["state"])
            for c in changes(batch, "node")
            if c.key == "b" and c.value
        ]
        assert told == [(0.0, "", "online"), (1.0, ver, "online")]
        assert value(batch, "node", "a")["protocol"] == ""


def test_a_packet_adds_its_protocol_to_what_a_node_said_of_itself() -> None:
    story = Script().info(0.0, "b", [USERS], ver="").request(1.0, sender="b", target="a")
    known = value(story.batch(), "node", "b")
    assert (known["protocol"], known["hostname"], known["services"]) == ("5", "host", ["users"])


def test_a_node_whose_channels_go_is_gone_whatever_told_of_it() -> None:
    story = Script().info(0.0, "a", [USERS]).channels(1.0, "MOL.REQ.a").channels(2.0)
    assert reasons(story.batch()) == [(0.0, "online", ""), (2.0, "offline", "its channels are gone")]


def test_a_silent_node_is_not_brought_back_by_its_channels() -> None:
    story = Script().channels(0.0, "MOL.REQ.a").heartbeat(1.0, "a").channels(40.0, "MOL.REQ.a")
    assert reasons(story.batch())[-1] == (31.0, "offline", "no heartbeat for 30 s")


INFO_KEY = b"@key/MOL-dev-DSCVR-INFO:node.1"


def info_key(story: Script, seconds_: float, node_id: str = "node.1") -> Script:
    """A discoverer's INFO key, as the Redis discoverer writes it."""
    like = Script().info(0.0, node_id, [USERS]).frames[0].body
    return story.raw(seconds_, INFO_KEY, like)


def beat_key(story: Script, seconds_: float, seq: int, *, gone: bool = False) -> Script:
    """A discoverer's heartbeat key."""
    body = b"" if gone else b'{"sender":"node.1","ver":"5","cpu":7,"seq":1,"instanceID":"instance-1"}'
    return story.raw(seconds_, f"@key/MOL-dev-DSCVR-BEAT:node.1|instance|{seq}", body)


def test_discoverer_keys_tell_of_nodes_their_services_and_load() -> None:
    batch = beat_key(info_key(Script(), 0.0), 0.0, 1).batch()
    assert value(batch, "node", "node.1", "dev")["services"] == ["users"]
    assert value(batch, "load", "node.1", "dev") == {"cpu": 7.0}
    assert states(batch) == [(0.0, "node.1", "online", "key")]


def test_a_node_is_gone_when_its_last_heartbeat_key_expires() -> None:
    story = beat_key(info_key(Script(), 0.0), 0.0, 1)
    beat_key(beat_key(story, 5.0, 1, gone=True), 5.5, 2)  # the next beat has another name
    beat_key(story, 40.0, 2, gone=True)
    assert reasons(story.batch(until=60.0)) == [(0.0, "online", ""), (41.0, "offline", "its discoverer key expired")]


def catalogue(story: Script, seconds_: float, node_id: str) -> Script:
    """What an earlier session knew."""
    info = json.loads(Script().info(0.0, node_id, [USERS]).frames[0].body)
    return story.note(seconds_, b"@catalogue", saved_ns=5, nodes=[{"namespace": "", "info": info}])


def test_the_catalogue_is_remembered_until_the_node_is_heard() -> None:
    story = catalogue(Script(), 0.0, "a").heartbeat(10.0, "a")
    batch = story.batch()
    assert states(batch) == [(0.0, "a", "remembered", "catalogue"), (10.0, "a", "online", "heartbeat")]
    assert changes(batch, "node")[0].value["saved_ns"] == 5  # type: ignore[index]
    assert value(batch, "node", "a")["services"] == ["users"]


def test_a_node_that_is_another_instance_than_in_an_earlier_session_did_not_restart_in_this_one() -> None:
    story = catalogue(Script(), 0.0, "a").heartbeat(10.0, "a").info(11.0, "a", [USERS], instance_id="later")
    assert reasons(story.batch()) == [
        (0.0, "remembered", "known from an earlier session"),
        (10.0, "online", ""),
        (11.0, "online", ""),
    ]
    again = story.info(20.0, "a", [USERS], instance_id="latest").batch()
    assert reasons(again)[-1] == (20.0, "online", "restarted")


def test_the_catalogue_says_nothing_about_who_is_known_already() -> None:
    assert states(catalogue(Script().info(0.0, "a"), 1.0, "a").batch()) == [(0.0, "a", "online", "info")]


def test_our_own_node_is_marked() -> None:
    batch = Script().ours(0.0, "me").info(1.0, "me").batch()
    assert value(batch, "node", "me")["ours"] is True


def test_replicas_share_one_definition() -> None:
    batch = Script().info(0.0, "a", [USERS]).info(0.0, "b", [USERS], instance_id="b").batch()
    nodes = value(batch, "service", "users")["nodes"]
    assert nodes["a"] is nodes["b"]


def test_a_service_of_many_nodes_is_told_of_once_a_second() -> None:
    story = Script()
    for number in range(50):
        story.info(number / 100, f"n{number}", [USERS], instance_id=str(number))
    batch = story.batch(until=60.0)
    told = [(seconds(change.at_ns), len(change.value["nodes"])) for change in changes(batch, "service") if change.value]
    assert told == [*((number / 100, number + 1) for number in range(8)), (1.07, 50)]


def test_nodes_of_different_sessions_in_one_file_are_not_silent_in_between() -> None:
    story = Script().note(0.0, b"@session", phase="begin").heartbeat(1.0, "a").note(5.0, b"@session", phase="end")
    story.note(500.0, b"@session", phase="begin").heartbeat(505.0, "a")
    assert states(story.batch()) == [(1.0, "a", "online", "heartbeat")]


def test_a_node_that_comes_and_goes_is_looked_at_once() -> None:
    story = Script().info(0.0, "a")
    for second in range(1, 100):
        story.disconnect(second, "a").heartbeat(second + 0.5, "a")
    story.disconnect(110.0, "a")
    assert states(story.batch(until=900.0))[-2:] == [(110.0, "a", "offline", "info"), (710.0, "a", None, "guess")]


def test_a_remembered_node_speaks_the_protocol_in_which_it_is_heard_now() -> None:
    batch = catalogue(Script(ver="4"), 0.0, "a").heartbeat(10.0, "a").batch()
    assert [change.value["protocol"] for change in changes(batch, "node") if change.value] == ["5", "4"]
