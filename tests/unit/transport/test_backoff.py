"""How long to wait before trying again."""

from __future__ import annotations

import random

from broker.transport.redis.backoff import Backoff


class NoLuck(random.Random):
    """Takes nothing off."""

    def random(self) -> float:
        return 0.0


def test_waiting_doubles_from_half_a_second_to_fifteen():
    backoff = Backoff(NoLuck())
    assert [backoff.next_s() for _ in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


def test_a_success_begins_anew():
    backoff = Backoff(NoLuck())
    backoff.next_s()
    backoff.next_s()
    backoff.reset()
    assert backoff.next_s() == 0.5


def test_chance_takes_off_at_most_a_fifth():
    backoff = Backoff(random.Random(1))
    assert all(12.0 <= backoff.most_s() <= 15.0 for _ in range(100))
