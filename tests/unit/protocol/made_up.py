"""Made-up plain data, texts and packets, for laws."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from broker.protocol.packets import (
    Disconnect,
    Discover,
    Event,
    Heartbeat,
    Info,
    Packet,
    Ping,
    Pong,
    Request,
    Response,
)

texts = st.text(st.characters(), max_size=12)
"""Lone surrogates are among them, as Node writes them."""

numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)

plain_data = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)

_ids = texts.filter(bool)
_objects = st.dictionaries(texts, plain_data, max_size=3)
_maybe = st.none() | plain_data


def _common(ver: str) -> dict[str, Any]:
    return {"ver": st.just(ver), "sender": _ids}


def _context(ver: str) -> dict[str, Any]:
    fields = dict.fromkeys(("level", "tracing", "parent_id", "request_id", "caller"), _maybe)
    headers = {} if ver == "4" else {"headers": _maybe}
    return _common(ver) | fields | headers | {"meta": _objects}


def packets_of(ver: str) -> st.SearchStrategy[Packet]:
    """Packets of all types, in one version of the protocol."""
    context, common = _context(ver), _common(ver)
    headers = {name: context[name] for name in ("headers",) if name in context}
    streamed = {"stream": _maybe, "seq": _maybe}
    info = ("services", "ip_list", "hostname", "client", "config", "instance_id", "metadata", "seq", "port")
    return st.one_of(
        st.builds(Discover, **common),
        st.builds(Disconnect, **common),
        st.builds(Heartbeat, cpu=_maybe, **common),
        st.builds(Ping, time=_maybe, id=_maybe, **common),
        st.builds(Pong, time=_maybe, id=_maybe, arrived=_maybe, **common),
        st.builds(Info, **dict.fromkeys(info, _maybe), **common),
        st.builds(Request, id=_ids, action=_ids, params=_maybe, timeout_ms=_maybe, **context, **streamed),
        st.builds(
            Response, id=_ids, success=_maybe, data=_maybe, error=_maybe, meta=_maybe, **headers, **streamed, **common
        ),
        st.builds(
            Event, event=_ids, id=_maybe, data=_maybe, groups=_maybe, broadcast=_maybe, need_ack=_maybe, **context
        ),
    )
