"""Names of channels are taken apart at the command, whatever dots they hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.protocol.channels import COMMANDS, Channel, channel_name, parse_channel


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"MOL.DISCOVER", Channel("", "DISCOVER", "")),
        (b"MOL.REQ.node-1", Channel("", "REQ", "node-1")),
        (b"MOL.REQ.host.a-1", Channel("", "REQ", "host.a-1")),
        (b"MOL-prod.RES.shop.edge-1", Channel("prod", "RES", "shop.edge-1")),
        (b"MOL-eu.prod-2.INFO", Channel("eu.prod-2", "INFO", "")),
        (b"MOL-eu.prod.REQB.v2.orders.get", Channel("eu.prod", "REQB", "v2.orders.get")),
        (b"MOL.EVENTB.mail.order.created", Channel("", "EVENTB", "mail.order.created")),
        (b"MOL.PONG.INFO.x", Channel("", "PONG", "INFO.x")),
        ("MOL-größe.REQ.knöten".encode(), Channel("größe", "REQ", "knöten")),
        (b"MOL.REQ.a\nb", Channel("", "REQ", "a\nb")),
    ],
)
def test_a_name_is_taken_apart(name: bytes, expected: Channel) -> None:
    assert parse_channel(name) == expected
    assert channel_name(*expected) == name


@pytest.mark.parametrize(
    "name", [b"", b"MOL", b"MOL.", b"MOL.REQUEST.x", b"MOLE.REQ.x", b"xMOL.REQ.x", b"MOL-DSCVR-INFO:node", b"MOLREQ.x"]
)
def test_what_is_not_moleculers_is_no_channel(name: bytes) -> None:
    assert parse_channel(name) is None


@given(st.binary(min_size=1, max_size=60))
def test_any_bytes_are_a_channel_or_none(name: bytes) -> None:
    parse_channel(b"MOL" + name)
    channel = parse_channel(b"MOL.REQ." + name)
    assert channel is not None
    assert channel_name(*channel) == b"MOL.REQ." + name


@given(
    st.text(st.characters(exclude_characters=".", exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(COMMANDS),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_a_name_put_together_is_taken_apart_again(namespace: str, command: str, rest: str) -> None:
    assert parse_channel(channel_name(namespace, command, rest)) == Channel(namespace, command, rest)


def test_a_cut_emoji_in_a_name_is_written_as_node_writes_it() -> None:
    assert channel_name("", "REQ", "caf\ud83d") == "MOL.REQ.caf\ufffd".encode()
