"""Errands are run in order, all of them, and by a thread that is there only while there are some."""

from __future__ import annotations

import threading

import pytest

from app.errands import Errands


def test_all_is_done_in_order_and_what_waits_under_a_key_is_replaced_at_the_end() -> None:
    done, gate = list[str](), threading.Event()
    errands = Errands("test")
    errands.run(gate.wait)
    errands.run(lambda: done.append("look"), "look")
    errands.run(lambda: done.append("write"))
    errands.run(lambda: done.append("look again"), "look")
    errands.run(lambda: done.append("write"))
    gate.set()
    assert errands.finish()
    assert done == ["write", "look again", "write"]


def test_the_thread_is_gone_when_all_is_done_and_comes_again() -> None:
    errands, threads = Errands("test"), list[threading.Thread]()
    for _ in range(2):
        errands.run(lambda: threads.append(threading.current_thread()))
        assert errands.finish()
        threads[-1].join(5.0)
        assert not threads[-1].is_alive()
    assert threads[0] is not threads[1]
    assert not any(thread.daemon for thread in threads), "a program that ends would not wait"


def test_what_fails_keeps_nothing_from_being_done(caplog: pytest.LogCaptureFixture) -> None:
    errands, done = Errands("test"), list[int]()
    errands.run(lambda: 1 // 0)
    errands.run(lambda: done.append(1))
    assert errands.finish()
    assert done == [1]
    assert "what was to be done in 'test' failed" in caplog.text
    caplog.clear()
