"""What a node answers to `$node.options` is never kept, whatever the policy, and whoever asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from broker.capture.masking import EVERYTHING, Masking, Policy
from broker.capture.reader import read
from broker.capture.writer import CaptureWriter
from broker.protocol.codec import channel_of, decode, encode
from broker.protocol.packets import Request, Response

OPTIONS = {"transporter": "redis://:hunter2@h:1", "odd": {"sk": "plain-sight"}}
OTHER = {"name": "plain-sight"}


def pair(number: str, action: str, data: Any, serializer: str) -> list[tuple[bytes, bytes]]:
    request = Request(ver="5", sender="a", id=number, action=action, params={})
    response = Response(ver="5", sender="b", id=number, success=True, data=data)
    return [(channel_of(each, "", "x"), encode(each, serializer)) for each in (request, response)]


@pytest.mark.parametrize("serializer", ["JSON", "MsgPack", "CBOR"])
@pytest.mark.parametrize("policy", ["everything", "masked", "headers"])
def test_it_is_blank_on_disk_and_before(tmp_path: Path, policy: Policy, serializer: str) -> None:
    path = tmp_path / "a.mcap"
    writer = CaptureWriter.file(path, masking=Masking(policy))
    question, answer = pair("n-1", "$node.options", OPTIONS, serializer)
    other_question, other_answer = pair("n-2", "users.get", OTHER, serializer)
    writer.write(1, [question, other_question])
    numbers = writer.write(2, [answer, other_answer])
    early = [writer.body(number) for number in numbers]
    writer.flush()
    writer.catch_up()
    late = [writer.body(number) for number in numbers]
    writer.close()
    for body, other in (early, late):
        assert body is not None
        assert other is not None
        assert b"hunter2" not in body
        assert b"plain-sight" not in body
        assert (b"plain-sight" in other) == (policy != "headers")
        told = decode(answer[0], body)
        assert isinstance(told, Response)
        assert (told.id, told.success, told.sender) == ("n-1", True, "b")
    assert [frame.body for frame in read(path)][2:] == late


def test_a_question_and_its_answer_may_be_far_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    writer = CaptureWriter.file(path, masking=EVERYTHING)
    question, answer = pair("n-1", "$node.options", OPTIONS, "JSON")
    writer.write(1, [question])
    for number in range(5):
        writer.write(2 + number, pair(f"m-{number}", "users.get", OTHER, "JSON"))
        writer.flush()
        writer.catch_up()
    writer.write(9, [answer])
    writer.close()
    assert not [frame for frame in read(path) if b"hunter2" in frame.body]


def test_who_tries_again_asks_under_the_same_id_and_is_answered_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    writer = CaptureWriter.file(path, masking=EVERYTHING)
    question, answer = pair("n-1", "$node.options", OPTIONS, "JSON")
    writer.write(1, [question, answer, question, answer])
    writer.flush()
    writer.write(2, [answer])
    writer.close()
    assert not [frame for frame in read(path) if b"hunter2" in frame.body]


def test_settings_are_masked_where_they_are_shown_whatever_the_policy() -> None:
    value = {"db": "postgres://u:hunter2@h/x", "log": '{"token": "hunter2"}', "apiKey": 5, "plain": ["a", 1]}
    for policy in ("everything", "masked", "headers"):
        masked = Masking(policy).mask_value(value)
        assert masked == {
            "db": "postgres://u:*******@h/x",
            "log": '{"token": "*******"}',
            "apiKey": "***",
            "plain": ["a", 1],
        }
        assert masked["plain"] is value["plain"]
