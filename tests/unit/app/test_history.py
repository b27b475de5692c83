"""Back and forward."""

from __future__ import annotations

from app.history import History, Stop

A, B, C = Stop("overview", None), Stop("graph", None), Stop("nodes", None)


def been(*stops: Stop) -> History:
    history = History()
    for stop in stops:
        history.visit(stop)
    return history


def test_back_and_forward_walk_the_same_way() -> None:
    history = been(A, B, C)
    assert [history.back(), history.back(), history.back()] == [B, A, None]
    assert [history.forward(), history.forward(), history.forward()] == [B, C, None]


def test_going_elsewhere_forgets_what_lay_forward() -> None:
    history = been(A, B)
    history.back()
    history.visit(C)
    assert history.forward() is None
    assert history.back() == A


def test_staying_is_no_new_stop() -> None:
    history = been(A, B, B, B)
    assert history.back() == A
    assert history.back() is None
