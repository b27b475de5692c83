"""What nodes say of themselves is read without trust."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.observe.announcements import plain, read_announcement, supposed_offer, supposed_service

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
FIELDS = ["services", "ipList", "hostname", "client", "instanceID", "metadata", "seq", "ver"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), JSON)
def test_any_payload_is_an_announcement_or_a_reason(payload: dict[str, Any], other: Any) -> None:
    info = read_announcement({**payload, "sender": "a"})
    assert not isinstance(info, str)
    assert info.node_id == "a"
    assert isinstance(read_announcement({"sender": ""}), str)
    assert isinstance(read_announcement([other]), str)


@given(JSON)
def test_plain_data_can_be_written_anywhere(value: Any) -> None:
    json.dumps(plain(value)).encode()


def test_plain_data_has_whole_texts_and_small_numbers() -> None:
    assert plain({"\ud83d": 2**70, 5: [b"x", 1]}) == {"?": float(2**70), "5": ["(bytes)", 1]}


def test_nesting_without_end_is_cut() -> None:
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    assert json.dumps(plain(deep)).count("[") == 40


@pytest.mark.parametrize(
    ("service", "full_name"),
    [
        ({"name": "users"}, "users"),
        ({"name": "users", "version": 2}, "v2.users"),
        ({"name": "users", "version": "beta"}, "beta.users"),
        ({"name": "users", "version": 2, "fullName": "other"}, "other"),
        ({"name": "users", "version": True}, "users"),
    ],
)
def test_a_service_has_its_full_name(service: dict[str, Any], full_name: str) -> None:
    info = read_announcement({"sender": "a", "services": [service, {}, None, 5]})
    assert not isinstance(info, str)
    assert [offer.full_name for offer in info.offers] == [full_name]


def test_a_supposed_service_is_all_before_the_last_dot() -> None:
    assert [supposed_service(name) for name in ("v2.a.b.get", "math.add", "plain", "$node.list")] == [
        "v2.a.b",
        "math",
        "plain",
        "$node",
    ]
    assert (supposed_offer("v12.a.b", {}).name, supposed_offer("v12.a.b", {}).version) == ("a.b", 12)
