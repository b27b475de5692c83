"""One thread, one job at a time, the newest of a key."""

from __future__ import annotations

import threading

from app.worker import Worker


def test_waiting_jobs_are_replaced_by_key_and_done_in_the_order_of_their_keys() -> None:
    done: list[int] = []
    gate, all_done = threading.Event(), threading.Event()

    def do(job: int) -> None:
        if job == 0:
            gate.wait(5)
        elif job == 9:
            all_done.set()
        else:
            done.append(job)

    worker = Worker(do, "test")
    try:
        worker.put("gate", 0)
        for key, job in (("a", 1), ("b", 2), ("a", 3), ("end", 9)):
            worker.put(key, job)
        assert not worker.is_idle
        gate.set()
        assert all_done.wait(5)
    finally:
        worker.close()
    assert done == [3, 2]


def test_closing_forgets_what_waits_and_takes_nothing_more() -> None:
    done: list[str] = []
    gate, begun = threading.Event(), threading.Event()

    def do(job: str) -> None:
        begun.set()
        gate.wait(5)
        done.append(job)

    worker = Worker(do, "test")
    worker.put("a", "a")
    assert begun.wait(5)
    worker.put("b", "b")
    gate.set()
    worker.close()
    worker.put("c", "c")
    assert done in (["a"], ["a", "b"])
    assert not any(thread.name == "test" for thread in threading.enumerate())
