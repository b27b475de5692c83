"""Ids are random UUIDs, in every process others."""

import os
import uuid

from broker.node.context import new_id


def test_every_id_is_a_random_uuid_of_its_own() -> None:
    made = [new_id() for _ in range(1_000)]
    assert len(set(made)) == len(made)
    for each in made:
        parsed = uuid.UUID(each)
        assert (str(parsed), parsed.version, parsed.variant) == (each, 4, uuid.RFC_4122)


def test_the_first_half_of_an_id_is_an_id_too() -> None:
    assert len({new_id().replace("-", "")[:16] for _ in range(1_000)}) == 1_000


def test_a_forked_process_makes_other_ids_than_its_parent() -> None:
    new_id()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100).decode() != new_id()
    os.close(reading)
    os.close(writing)
