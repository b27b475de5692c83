"""The calls of one trace, callers before what they called."""

from __future__ import annotations

from broker.mesh.trace import trace_calls
from tests.unit.mesh.mesh_builder import Mesh


def told(mesh: Mesh, trace: int, **more: int) -> list[tuple[str, int, bool]]:
    return [(one.call.action, one.depth, one.is_bridged) for one in trace_calls(mesh.snapshot(), trace, **more)]


def shop() -> Mesh:
    mesh = Mesh()
    mesh.call(3.0, "stock.depot", ms=200, source="shop-1", target="stock-1", trace=7, span=3, parent=2)
    mesh.call(3.5, "stock.state", ms=1000, source="shop-1", target="stock-2", trace=7, span=2, parent=1)
    mesh.call(3.6, "users.get", ms=100, source="shop-1", target="users-1", trace=7, span=4, parent=1)
    mesh.call(4.0, "orders.get", ms=2000, source="edge", target="shop-1", trace=7, span=1, ours=True)
    mesh.call(4.1, "orders.get", ms=500, source="edge", target="shop-1", trace=8, span=9)
    return mesh


def test_calls_stand_below_their_callers_in_order_of_begin() -> None:
    assert told(shop(), 7) == [
        ("orders.get", 0, False),
        ("stock.state", 1, False),
        ("stock.depot", 2, False),
        ("users.get", 1, False),
    ]


def test_a_call_whose_caller_was_local_stands_below_the_one_that_holds_it() -> None:
    mesh = Mesh()
    mesh.call(3.0, "bank.transfer", ms=200, source="pay-1", target="bank-1", trace=7, span=3, parent=99)
    mesh.call(4.0, "payments.charge", ms=2000, source="edge", target="pay-1", trace=7, span=1)
    assert told(mesh, 7) == [("payments.charge", 0, False), ("bank.transfer", 1, True)]


def test_no_trace_has_no_calls() -> None:
    assert told(shop(), 0) == []
    assert told(shop(), 12345) == []


def test_it_is_bounded() -> None:
    assert len(told(shop(), 7, limit=2)) == 2


def test_calls_that_name_each_other_as_parents_do_not_turn_in_circles() -> None:
    mesh = Mesh()
    mesh.call(3.0, "a.b", ms=200, source="x", target="y", trace=7, span=1, parent=2)
    mesh.call(3.1, "a.c", ms=200, source="x", target="y", trace=7, span=2, parent=1)
    assert told(mesh, 7) == []
