"""Layouts: callers left of those they call, nothing over anything else, whatever the graph."""

from __future__ import annotations

from itertools import combinations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.graph.layouts import lay_out
from app.graph.plan import Kind, Line, Placing, Plan, Point

KINDS: tuple[Kind, ...] = ("layered", "force", "grid", "concentric")


def plan_of(*calls: str, kind: Kind = "layered", alone: str = "", pinned: dict[str, Point] | None = None) -> Plan:
    """ "api>users" is a call; letters in `alone` have none."""
    pairs = [tuple(call.split(">")) for call in calls]
    boxes = sorted({end for pair in pairs for end in pair} | set(alone))
    lines = [
        Line(call, boxes.index(a), boxes.index(b), len(calls) - n)
        for n, (call, (a, b)) in enumerate(zip(calls, pairs, strict=True))
    ]
    return Plan(1, kind, boxes, lines, at=pinned or {}, fixed=list(pinned or {}))


def overlapping(plan: Plan, placing: Placing) -> list[tuple[str, str]]:
    return [
        (one, other)
        for one, other in combinations(placing.at, 2)
        if abs(placing.at[one][0] - placing.at[other][0]) < plan.width - 1e-6
        and abs(placing.at[one][1] - placing.at[other][1]) < plan.height - 1e-6
    ]


def test_callers_stand_left_of_those_they_call() -> None:
    at = lay_out(plan_of("api>orders", "orders>stock", "orders>bank", "api>users")).at
    for caller, called in (("api", "orders"), ("orders", "stock"), ("orders", "bank"), ("api", "users")):
        assert at[caller][0] < at[called][0]


def test_a_circle_keeps_the_direction_of_its_heavy_calls() -> None:
    at = lay_out(plan_of("a>b", "b>c", "c>a")).at  # the first weighs most
    assert at["a"][0] < at["b"][0] < at["c"][0]


def test_a_call_over_several_layers_passes_between_the_cards_of_each() -> None:
    plan = plan_of("a>b", "b>c", "c>d", "a>d")
    placing = lay_out(plan)
    bends = placing.bends["a>d"]
    assert [x for x, _ in bends] == [placing.at["b"][0], placing.at["c"][0]]
    for (_, y), passed in zip(bends, "bc", strict=True):
        assert abs(y - placing.at[passed][1]) > plan.height / 2


def test_what_runs_against_the_layers_passes_its_bends_backwards() -> None:
    bends = lay_out(plan_of("a>b", "b>c", "c>d", "d>a")).bends["d>a"]
    assert [x for x, _ in bends] == sorted((x for x, _ in bends), reverse=True)


def test_boxes_without_calls_stand_below() -> None:
    at = lay_out(plan_of("a>b", alone="xy")).at
    assert min(at["x"][1], at["y"][1]) > max(at["a"][1], at["b"][1])


def test_a_layered_plan_that_is_too_big_is_done_by_force_and_says_so() -> None:
    boxes = [f"s{n}" for n in range(400)]
    lines = [Line(str(n), n, (n * 7 + 1) % 400) for n in range(400)]
    placing = lay_out(Plan(3, "layered", boxes, lines))
    assert (placing.number, placing.kind) == (3, "force")
    assert "too many for layers" in placing.problem


def test_force_keeps_what_is_fixed_and_goes_round_it() -> None:
    plan = plan_of("a>b", "b>c", "c>a", kind="force", pinned={"a": (500.0, -200.0)})
    placing = lay_out(plan)
    assert placing.at["a"] == pytest.approx((500.0, -200.0))
    assert overlapping(plan, placing) == []


def test_three_hundred_boxes_do_not_cover_each_other_by_force() -> None:
    boxes = [f"s{n}" for n in range(300)]
    plan = Plan(1, "force", boxes, [Line(str(n), n % 300, (n * 31 + n // 300) % 300) for n in range(900)])
    assert overlapping(plan, lay_out(plan)) == []


calls = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25)


@settings(max_examples=60)
@given(calls, st.sampled_from(KINDS))
def test_every_box_gets_one_place_and_none_covers_another(pairs: list[tuple[int, int]], kind: Kind) -> None:
    lines = [Line(f"{n}", a, b, float(n)) for n, (a, b) in enumerate(pairs)]
    plan = Plan(1, kind, [str(n) for n in range(10)], lines)
    placing = lay_out(plan)
    assert sorted(placing.at) == sorted(plan.boxes)
    assert overlapping(plan, placing) == []
    assert set(placing.bends) <= {line.key for line in lines}


def test_no_boxes_need_no_place() -> None:
    for kind in KINDS:
        assert lay_out(Plan(1, kind, [], [])).at == {}


@given(
    st.sampled_from(KINDS),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=25),
    st.lists(st.integers(0, 3), min_size=12, max_size=12),
)
@settings(max_examples=40)
def test_frames_around_groups_cover_nothing_else_whatever_the_graph(
    kind: Kind, pairs: list[tuple[int, int]], group_of: list[int]
) -> None:
    lines = [Line(str(n), a, b) for n, (a, b) in enumerate(pairs)]
    groups = [[box for box, group in enumerate(group_of) if group == number] for number in (1, 2, 3)]
    plan = Plan(1, kind, [f"b{n:02d}" for n in range(12)], lines, groups=[group for group in groups if group])
    placing = lay_out(plan)
    assert placing.at.keys() == set(plan.boxes)
    assert overlapping(plan, placing) == []
    for group in plan.groups:
        inside = [placing.at[plan.boxes[number]] for number in group]
        left, right = min(x for x, _ in inside), max(x for x, _ in inside)
        top, bottom = min(y for _, y in inside), max(y for _, y in inside)
        for number in set(range(12)) - set(group):
            x, y = placing.at[plan.boxes[number]]
            is_beside = not left - plan.width < x < right + plan.width
            assert is_beside or not top - plan.height < y < bottom + plan.height


def test_groups_flow_from_left_to_right_as_boxes_do() -> None:
    plan = plan_of("api>orders", "orders>stock", "users>stock")
    grouped = msgspec.structs.replace(plan, groups=[[plan.boxes.index("orders"), plan.boxes.index("users")]])
    at = lay_out(grouped).at
    assert at["api"][0] < at["orders"][0] == at["users"][0] < at["stock"][0]
