"""What is known of breakers: helpers' lists, events, and what nodes said when they were asked."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.capture.journal.check import VALUES
from broker.observe import breakers
from broker.observe.breakers import BreakerWatch
from broker.observe.journal import StateChange
from broker.observe.pipeline import Pipeline
from broker.protocol.frame import ASKED_CHANNEL
from tests.script import START_NS, Script, at, service
from tests.unit.observe.reading import changes

HELPER_EVENT = "$meshscope.breakers"
KEY = "shop-1|bank-1:bank.transfer"


def one(state: str = "closed", **fields: Any) -> dict[str, Any]:
    """One breaker of a list."""
    settings = {"threshold": 0.5, "min": 20, "window_ms": 60_000, "half_open_ms": 10_000, "enabled": True}
    endpoint = {"node": "bank-1", "action": "bank.transfer", "service": "bank", "local": False}
    more = {
        "available": state != "open",
        "held": "",
        "hold": None,
        "failures": 0,
        "count": 0,
        "since": 0,
        "until": None,
    }
    return endpoint | settings | more | {"state": state, "reason": ""} | fields


def helper_list(seconds: float, *entries: dict[str, Any], node: str = "shop-1", **fields: Any) -> dict[str, Any]:
    """A helper's list, its clock half a second before ours."""
    about = {"format": 1, "node": node, "instance": "i-1", "program": "p 1", "acts": True, "refused": {}, "left_out": 0}
    return about | {"at": clock_ms(seconds), "breakers": list(entries)} | fields


def clock_ms(seconds: float) -> int:
    """A moment by the helper's clock."""
    return at(seconds) // 1_000_000 - 500


def listed(story: Script, seconds: float, *entries: dict[str, Any], **fields: Any) -> Script:
    """A helper tells its list to all."""
    return story.event(seconds, HELPER_EVENT, sender="shop-1", data=helper_list(seconds, *entries, **fields))


def opened(story: Script, seconds: float, what: str = "opened", sender: str = "shop-1") -> Script:
    """An ordinary breaker's event."""
    return story.event(
        seconds, f"$circuit-breaker.{what}", sender=sender, data={"nodeID": "bank-1", "action": "bank.transfer"}
    )


def told(story: Script) -> list[tuple[float, str | None, str]]:
    """(seconds, state, source) of each change of the breaker."""
    return [
        (round((change.at_ns - START_NS) / 1e9, 3), change.value and change.value["state"], change.source)
        for change in changes(story.batch(), "breaker")
        if change.key == KEY
    ]


def test_a_helper_tells_state_settings_counts_and_when_it_tries_again_by_our_clock() -> None:
    entry = one("open", failures=21, count=50, reason="21 of 50 failed", since=clock_ms(3), until=clock_ms(13))
    story = listed(Script(), 4, entry)
    assert [change.value for change in changes(story.batch(), "breaker")] == [
        {
            "state": "open",
            "enabled": True,
            "reason": "21 of 50 failed",
            "threshold": 0.5,
            "min": 20,
            "window_ms": 60_000,
            "half_open_ms": 10_000,
            "since_ns": at(3),
            "until_ns": at(13),
            "failures": 21,
            "count": 50,
            "counted_ns": at(4),
        },
    ]


def test_a_hold_has_its_owner_its_reason_and_its_end_and_says_what_is_beneath() -> None:
    hold = {"id": "h1", "state": "open", "by": "ann@desk", "reason": "maintenance", "since": clock_ms(1)}
    story = listed(Script(), 2, one("half-open", held="open", hold=hold | {"until": clock_ms(301)}))
    value = changes(story.batch(), "breaker")[-1].value
    assert value is not None
    assert {name: value[name] for name in ("state", "under", "hold", "by", "reason", "until_ns")} == {
        "state": "held-open",
        "under": "half-open",
        "hold": "h1",
        "by": "ann@desk",
        "reason": "maintenance",
        "until_ns": at(301),
    }


def test_the_same_list_told_to_each_listener_and_again_is_one_change() -> None:
    entry = one("open", since=clock_ms(1), until=clock_ms(11))
    story = listed(listed(listed(Script(), 2, entry), 2, entry), 5.25, entry)
    assert told(story) == [(2, "open", "helper")]


def test_an_event_moves_what_a_helper_told_and_repeats_nothing_of_it() -> None:
    story = opened(listed(Script(), 0, one()), 10)
    assert told(story) == [(0, "closed", "helper"), (10, "open", "event")]
    story = opened(opened(listed(Script(), 0, one("open")), 10), 31, "closed")
    assert told(story) == [(0, "open", "helper"), (31, "closed", "event")]


def test_a_half_open_between_two_lists_is_known_and_keeps_the_settings() -> None:
    story = listed(Script(), 0, one("open"))
    opened(opened(story, 1, "half-opened"), 1.002, "closed")
    listed(story, 1.003, one("closed", reason="the trial call was answered"))
    assert told(story) == [
        (0, "open", "helper"),
        (1, "half-open", "event"),
        (1.002, "closed", "event"),
        (1.003, "closed", "helper"),
    ]
    kept = [change.value for change in changes(story.batch(), "breaker")]
    assert [value and value["threshold"] for value in kept] == [0.5] * 4


def test_a_helper_overrides_an_event_at_once() -> None:
    story = listed(opened(Script(), 1), 1.2, one("closed"))
    assert told(story) == [(1, "open", "event"), (1.2, "closed", "helper")]


def test_an_event_changes_nothing_of_what_is_held_however_silent_the_helper() -> None:
    hold = {"id": "h", "by": "ann", "reason": "", "since": clock_ms(0), "until": clock_ms(300)}
    story = listed(Script(), 0, one(held="open", hold=hold))
    opened(opened(story, 100), 301)
    assert told(story) == [(0, "held-open", "helper"), (301, "open", "event")]


def asked(story: Script, seconds: float, *, is_open: bool) -> Script:
    """A node without helper was asked."""
    lists: dict[str, Any] = {"open": [], "closed": []}
    lists["open" if is_open else "closed"] = [["bank-1", "bank.transfer"]]
    return story.note(seconds, ASKED_CHANNEL, what="endpoints", namespace="", node="shop-1", **lists)


def test_what_was_asked_is_believed_where_nothing_better_is_known_or_that_is_old() -> None:
    story = asked(asked(Script(), 0, is_open=False), 10, is_open=True)
    assert told(story) == [(0, "closed", "asked"), (10, "open", "asked")]
    story = asked(asked(opened(Script(), 0), 20, is_open=False), 40, is_open=False)
    assert told(story) == [(0, "open", "event"), (40, "closed", "asked")]


def test_half_open_is_called_in_turns_so_no_answer_contradicts_it() -> None:
    story = opened(Script(), 0, "half-opened")
    asked(asked(story, 60, is_open=True), 61, is_open=False)
    assert told(story) == [(0, "half-open", "event")]


def test_a_helper_that_was_asked_tells_as_much_as_its_event() -> None:
    one_list = helper_list(1, one("open", since=clock_ms(1), until=clock_ms(11)))
    note = Script().note(1, ASKED_CHANNEL, what="helper", namespace="", node="shop-1", list=one_list)
    event = Script().event(1, HELPER_EVENT, sender="shop-1", data=one_list)
    assert changes(note.batch(), "breaker") == changes(event.batch(), "breaker")
    assert changes(note.batch(), "helper") == changes(event.batch(), "helper") != []


def test_nobody_lists_the_breakers_of_others() -> None:
    story = Script().event(0, HELPER_EVENT, sender="evil", data=helper_list(0, one()))
    assert changes(story.batch(), "breaker") == changes(story.batch(), "helper") == []


def test_what_a_whole_list_leaves_out_is_no_more_and_a_partial_one_says_nothing_of_it() -> None:
    story = listed(listed(Script(), 0, one()), 1)
    assert told(story) == [(0, "closed", "helper"), (1, None, "helper")]
    story = listed(listed(Script(), 0, one()), 1, left_out=3)
    assert told(story) == [(0, "closed", "helper")]


def test_a_partial_list_with_closed_ones_leaves_out_closed_ones_only() -> None:
    other = one("open", node="bank-2")
    story = listed(listed(Script(), 0, one("open")), 1, other, left_out=3)
    assert told(story) == [(0, "open", "helper")]
    listed(story, 2, other, one(node="bank-3"), left_out=3)
    assert told(story) == [(0, "open", "helper"), (2, "closed", "helper")]


def test_counts_alone_are_told_every_two_seconds() -> None:
    story = Script()
    for tenth in range(41):
        listed(story, tenth / 10, one(count=tenth, failures=1))
    assert [moment for moment, *_ in told(story)] == [0, 2, 4]


def test_a_node_that_leaves_takes_its_helper_its_breakers_and_those_about_it_along() -> None:
    story = (
        listed(Script().info(0, "bank-1").info(0, "shop-1"), 1, one()).disconnect(2, "bank-1").disconnect(3, "shop-1")
    )
    assert told(story) == [(1, "closed", "helper"), (2, None, "helper")]
    assert [change.value is None for change in changes(story.batch(), "helper")] == [False, True]


def test_a_node_that_goes_on_without_its_helper_holds_nothing_any_more() -> None:
    hold = {"id": "h", "by": "ann", "reason": "", "since": clock_ms(0), "until": clock_ms(300)}
    told_by_info = Script().info(0, "shop-1", [service("$meshscope", "breakers"), service("shop", "buy")])
    story = listed(told_by_info, 1, one("open", held="open", hold=hold)).info(
        2, "shop-1", [service("shop", "buy")], seq=2
    )
    assert told(opened(story, 3, "closed")) == [
        (1, "held-open", "helper"),
        (2, "open", "helper"),
        (3, "closed", "event"),
    ]
    assert [change.value is None for change in changes(story.batch(), "helper")] == [False, True]


def test_closed_ones_leave_room_for_those_that_matter(monkeypatch: Any) -> None:
    monkeypatch.setattr(breakers, "_MOST_QUIET", 3)
    monkeypatch.setattr(breakers, "_MOST", 5)
    found: list[StateChange] = []
    watch = BreakerWatch(found.append)
    for number in range(9):
        watch.listed("", "a", helper_list(0, one(node=f"n{number}"), node="a", left_out=1), START_NS)
    for number in range(9):
        watch.heard("", "a", "$circuit-breaker.opened", {"nodeID": f"m{number}", "action": "x.y"}, START_NS)
    assert [change.key for change in found if change.kind == "breaker"] == [
        "a|n0:bank.transfer",
        "a|n1:bank.transfer",
        "a|n2:bank.transfer",
        "a|m0:x.y",
        "a|m1:x.y",
    ]


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["open", "\ud83d"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*one(), "id", "by", *helper_list(0)]), inner, max_size=8)
    ),
    max_leaves=5,
)
ENTRIES = st.dictionaries(st.sampled_from(list(one())), ODD, max_size=3).map(lambda odd: one() | odd)
LISTS = st.tuples(
    st.lists(ENTRIES | ODD, max_size=2), st.dictionaries(st.sampled_from(list(helper_list(0))), ODD, max_size=2)
)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(["event", "helper", "endpoints", "plain"]), LISTS, ODD), max_size=3))
def test_no_list_however_odd_raises_and_all_that_is_told_can_be_kept(steps: list[Any]) -> None:
    story = Script()
    for seconds, (what, (entries, odd), value) in enumerate(steps):
        payload = helper_list(seconds, *entries) | odd
        if what == "event":
            story.event(seconds, HELPER_EVENT, sender="shop-1", data=payload)
        elif what == "helper":
            story.note(seconds, ASKED_CHANNEL, what=what, namespace="", node="shop-1", list=payload)
        elif what == "endpoints":
            pairs = [["bank-1", "bank.transfer"], value, [value, value]]
            story.note(seconds, ASKED_CHANNEL, what=what, namespace="", node="shop-1", open=pairs, closed=value)
        else:
            story.event(seconds, "$circuit-breaker.opened", sender="shop-1", data=value)
    pipeline = Pipeline(begin_ns=START_NS)
    for frame in story.frames:
        pipeline.feed(frame.at_ns, [frame[1:]])
    for change in pipeline.take(at(100)).changes:
        if change.value is not None:
            msgspec.convert(change.value, VALUES[change.kind])  # what a stored journal may hold
        assert change.kind != "breaker" or change.value is None or change.value["state"]
