import json
from array import array
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cbor2
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.capture.masking import Masking
from broker.capture.reader import read
from broker.capture.secret_names import DEFAULT_NAMES, SecretNames
from broker.capture.writer import CaptureWriter
from broker.clock import SECOND
from broker.protocol.serializers import cbor, jsonext
from broker.protocol.serializers.values import Map, RegExp

MASKING = Masking()
REQ = b"MOL.REQ.node-1"
INFO = b"MOL.INFO"

secret_keys = st.sampled_from(["password", "userPassword", "PASSWORD", "x-api-key", "apiKey", "set-cookie", "cvv"])
secret_keys |= st.sampled_from(
    ["access_token", "Authorization", "client_secret", "creditCard", "credit-card", "$token"]
)
plain_keys = st.text('abcdefgxyz"\\é{}:, ', max_size=6) | st.sampled_from(
    ["id", "name", "author", "tokenizer", "passenger"]
)
secret_texts = st.text('STUVW"\\é\n🎈{}[]:,', min_size=4, max_size=12).map(lambda text: f"SECRET{text}")
plain_values = (
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False)
)
plain_values |= st.text('abc"\\é\n{}[]:, 🎈', max_size=10)
numbers = st.integers(111111, 999999999)
secret_values = st.recursive(
    secret_texts | numbers, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain_keys, inner, max_size=3)
)


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda plain, secret: {**plain, **secret},
        st.dictionaries(plain_keys, inner, max_size=4),
        st.dictionaries(secret_keys, secret_values, max_size=2),
    )


texts_of_json = st.deferred(lambda: trees.map(json.dumps))
trees: st.SearchStrategy[Any] = st.recursive(
    plain_values, lambda inner: _objects(inner) | st.lists(inner, max_size=3) | inner.map(json.dumps), max_leaves=12
)
payloads = _objects(trees)


def skeleton(value: Any, is_secret: bool = False) -> Any:
    """A value with its secrets cut out, also those in JSON that is a text."""
    if isinstance(value, dict):
        return {key: skeleton(item, is_secret or MASKING._secrets.holds(key.encode())) for key, item in value.items()}
    if isinstance(value, list):
        return [skeleton(item, is_secret) for item in value]
    if is_secret:
        return value if value is None or isinstance(value, bool) else "cut"
    if isinstance(value, str) and value[:1] in ("{", "[", '"'):
        try:
            return ("text", skeleton(json.loads(value)))
        except ValueError:
            return value
    return value


@given(payloads)
def test_masked_json_still_decodes_with_all_else_as_it_was(payload: Any) -> None:
    body = json.dumps({"id": "1", "params": payload}).encode()
    masked = MASKING.masked(REQ, body)
    assert len(masked) == len(body)
    assert b"SECRET" not in masked
    assert skeleton(json.loads(masked)) == skeleton(json.loads(body))


@given(payloads)
def test_json_with_raw_letters_and_no_spaces_is_masked_as_well(payload: Any) -> None:
    body = json.dumps({"params": payload}, ensure_ascii=False, separators=(",", ":")).encode()
    masked = MASKING.masked(REQ, body)
    assert len(masked) == len(body)
    assert b"SECRET" not in masked
    assert skeleton(json.loads(masked)) == skeleton(json.loads(body))


@given(payloads)
def test_masked_msgpack_still_decodes_with_all_else_as_it_was(payload: Any) -> None:
    body = msgspec.msgpack.encode({"id": "1", "params": payload, "bytes": b"\x00\xff"})
    masked = MASKING.masked(REQ, body)
    assert len(masked) == len(body)
    assert b"SECRET" not in masked
    assert skeleton(msgspec.msgpack.decode(masked)) == skeleton(msgspec.msgpack.decode(body))


@given(payloads, st.booleans())
def test_masked_cbor_still_decodes_with_all_else_as_it_was(payload: Any, as_node_does: bool) -> None:
    packet = {"id": "1", "params": payload, "bytes": b"\x00\xff", "set": {1}, "date": datetime(2023, 1, 1, tzinfo=UTC)}
    body = cbor.dumps(packet) if as_node_does else cbor2.dumps(packet, indefinite_containers=True)
    masked = MASKING.masked(REQ, body)
    assert len(masked) == len(body)
    assert b"SECRET" not in masked
    assert skeleton(cbor.loads(masked)) == skeleton(cbor.loads(body))


def test_what_a_tag_holds_under_a_secret_name_is_overwritten_too() -> None:
    held = [{"SECRET"}, datetime(2023, 1, 1, 1, 1, 1, 234_000, UTC), array("H", [0x4553]), RegExp("SECRET"), 2**70]
    for secret in held:
        body = cbor.dumps({"params": {"password": secret, "x": 1}, "sender": "n"})
        masked = MASKING.masked(REQ, body)
        assert len(masked) == len(body)
        again = cbor.loads(masked)
        assert (again["params"]["x"], again["sender"]) == (1, "n")
        assert again["params"]["password"] != secret


@given(payloads)
def test_masked_jsonext_still_decodes_with_all_else_as_it_was(payload: Any) -> None:
    body = jsonext.dumps({"id": "1", "params": Map(in_map=payload, in_set=[{"token": b"SECRET", "n": 2**60}])})
    masked = MASKING.masked(REQ, body)
    assert len(masked) == len(body)
    assert b"SECRET" not in masked
    assert b64encode(b"SECRET")[:6] not in masked
    assert skeleton(jsonext.loads(masked)) == skeleton(jsonext.loads(body))


@given(st.binary(max_size=200) | st.builds(lambda a, b: a + b'{"password":"' + b, st.binary(max_size=9), st.binary()))
def test_any_bytes_keep_their_length(body: bytes) -> None:
    for masking in (MASKING, Masking("headers")):
        assert len(masking.masked(REQ, body)) == len(body)


@given(payloads, st.integers(0, 60))
def test_a_body_that_was_cut_off_gives_no_secret_away(payload: Any, cut: int) -> None:
    body = json.dumps({"params": payload}).encode()
    assert b"SECRET" not in MASKING.masked(REQ, body[: max(1, len(body) - cut)])
    for packed in (msgspec.msgpack.encode({"params": payload}), cbor.dumps({"params": payload})):
        assert b"SECRET" not in MASKING.masked(REQ, packed[: max(1, len(packed) - cut)])


@pytest.mark.parametrize("serializer", [json, msgspec.msgpack, cbor], ids=["JSON", "MsgPack", "CBOR"])
@given(meta=payloads, params=payloads)
def test_headers_only_keeps_the_header_and_nothing_of_the_payload(serializer: Any, meta: Any, params: Any) -> None:
    header = {"id": "1", "action": "a.b", "sender": "n", "ver": "4", "timeout": 0, "caller": None}
    packet = header | {"params": params, "meta": meta, "error": {"name": "E", "code": 4, "message": "of mine"}}
    body = _encoded(packet, serializer)
    masked = Masking("headers").masked(REQ, body)
    again = serializer.decode(masked) if serializer is msgspec.msgpack else serializer.loads(masked)
    assert len(masked) == len(body)
    assert {name: again[name] for name in header} == header
    assert (again["error"]["name"], again["error"]["code"]) == ("E", 4)
    assert "mine" not in str(again)
    assert b"SECRET" not in masked


def _encoded(packet: Any, serializer: Any) -> bytes:
    if serializer is json:
        return json.dumps(packet).encode()
    encoded: bytes = msgspec.msgpack.encode(packet) if serializer is msgspec.msgpack else serializer.dumps(packet)
    return encoded


def test_what_actions_declare_is_no_secret() -> None:
    service = {
        "name": "users",
        "settings": {"token": "SECRET-1", "actions": {"password": "SECRET-2"}},
        "actions": {"users.login": {"params": {"password": {"type": "string", "min": 6}, "token": "string|min:4"}}},
        "events": {"user.created": {"params": {"secret": "string"}}},
    }
    info = {"ver": "4", "sender": "n", "services": [service], "metadata": {"apiKey": "SECRET-3"}}
    for body, load in (
        (json.dumps(info).encode(), json.loads),
        (msgspec.msgpack.encode(info), msgspec.msgpack.decode),
        (cbor.dumps(info), cbor.loads),
    ):
        masked = MASKING.masked(INFO, body)
        assert b"SECRET" not in masked
        again = load(masked)["services"][0]
        assert (again["actions"], again["events"]) == (service["actions"], service["events"])


def test_passwords_in_urls_are_masked() -> None:
    body = b'{"data":{"transporter":"redis://app:hunter22@10.0.0.1:6379/0","docs":"https://example.com/a:b@c"}}'
    assert MASKING.masked(REQ, body) == body.replace(b"hunter22", b"********")


@pytest.mark.parametrize("serializer", [json, msgspec.msgpack, cbor], ids=["JSON", "MsgPack", "CBOR"])
def test_secrets_in_queries_and_messages_are_masked(tmp_path: Path, serializer: Any) -> None:
    text = "GET /a?id=5&accessToken=SECRET1&b=2 said password=SECRET2, n=3"
    body = serializer.dumps({"msg": text}) if hasattr(serializer, "dumps") else serializer.encode({"msg": text})
    body = body.encode() if isinstance(body, str) else body
    writer = CaptureWriter.file(tmp_path / "a.mcap", masking=MASKING)
    writer.write(SECOND, [(REQ, body)])
    writer.close()
    [frame] = read(tmp_path / "a.mcap")
    assert frame.body == MASKING.masked(REQ, body) == body.replace(b"SECRET1", b"*" * 7).replace(b"SECRET2", b"*" * 7)


@pytest.mark.parametrize("serializer", [json, msgspec.msgpack, cbor], ids=["JSON", "MsgPack", "CBOR"])
@pytest.mark.parametrize("policy", ["masked", "everything"])
def test_known_secrets_reach_no_disk_under_any_name(tmp_path: Path, serializer: Any, policy: Any) -> None:
    known = 'op"en ✓ sesame'
    value = {"q": f"say {known}!", "rest": "abc"}
    body = serializer.dumps(value) if hasattr(serializer, "dumps") else serializer.encode(value)
    body = body.encode() if isinstance(body, str) else body
    masking = Masking(policy, known=(known, "abc"))
    assert known not in repr(masking)
    writer = CaptureWriter.file(tmp_path / "a.mcap", masking=masking)
    [number] = writer.write(SECOND, [(REQ, body)])
    early = writer.body(number)
    writer.close()
    [frame] = read(tmp_path / "a.mcap")
    assert frame.body == early == masking.masked(REQ, body)
    assert len(frame.body) == len(body)
    assert b"sesame" not in frame.body
    assert b"abc" in frame.body


@pytest.mark.parametrize("name", ["password", "pass word", "client_id", "x"])
def test_names_that_cannot_be_masked_are_refused(name: str) -> None:
    if name == "x":
        with pytest.raises(ValueError, match="mask name is 'x', expected at least 3 letters"):
            SecretNames([name])
        with pytest.raises(ValueError, match="field that every packet needs"):
            SecretNames(["request-id"])
    else:
        assert SecretNames([name]).holds(name.encode())


@given(st.lists(st.sampled_from(DEFAULT_NAMES), max_size=8), st.integers(0, 9), st.sampled_from(["", "_", "-", " "]))
def test_no_name_is_overlooked_in_a_run_of_bytes(names: list[str], shift: int, joint: str) -> None:
    run = b"x" * shift
    places = []
    for number, name in enumerate(names):
        written = joint.join(name.split()).encode()
        written = written.upper() if number % 2 else written
        places.append((len(run), len(run) + len(written)))
        run += written + b"y" * (number * 21_900)
    found = SecretNames(DEFAULT_NAMES).suspects(np.frombuffer(run, np.uint8))
    for begin, end in places:
        assert ((found >= begin) & (found < end)).any(), run[begin:end]


@given(st.lists(secret_keys, max_size=8), st.integers(0, 9), st.sampled_from(['":1', '" : 1', '\\":', '\\\\\\":']))
def test_no_key_is_overlooked_in_a_run_of_json(keys: list[str], shift: int, ending: str) -> None:
    run = b'"action":' + b"x" * shift
    places = []
    for number, key in enumerate(keys):
        run += b'{"%b' % key.encode()
        places.append(len(run) - 1)
        run += ending.encode() + b"y" * (number * 21_900)
    assert set(places) <= set(SecretNames(DEFAULT_NAMES).suspect_keys(np.frombuffer(run, np.uint8)).tolist())
    assert (
        SecretNames(DEFAULT_NAMES).suspect_keys(np.frombuffer(b'{"action":"passenger","author":1}', np.uint8)).size == 0
    )


def test_masked_bodies_and_others_reach_the_disk_as_the_rule_leaves_them(tmp_path: Path) -> None:
    writer = CaptureWriter.file(tmp_path / "a.mcap", masking=MASKING)
    bodies = [
        b'{"params":{"password":"SECRET-%d","n":%d}}' % (n, n) if n % 7 == 0 else b'{"n":%d}' % n for n in range(900)
    ]
    numbers = writer.write(SECOND, [(b"MOL.REQ.n%d" % (n % 5), body) for n, body in enumerate(bodies)])
    expected = [body.replace(b"SECRET-%d" % n, b"*" * len(b"SECRET-%d" % n)) for n, body in enumerate(bodies)]
    assert [writer.body(number) for number in numbers] == expected
    writer.close()
    assert [frame.body for frame in read(tmp_path / "a.mcap")] == expected


def test_secrets_in_decoded_data_are_replaced() -> None:
    value = {"settings": {"token": "abc", "secrets": ["a", 1, None], "port": 1}, "list": [{"cookie": "x"}]}
    assert MASKING.mask_value(value) == {
        "settings": {"token": "***", "secrets": ["***", "***", None], "port": 1},
        "list": [{"cookie": "***"}],
    }
    innocent = {"a": [1, {"b": "c"}]}
    assert MASKING.mask_value(innocent) is innocent


@pytest.mark.parametrize("name", ["$circuit-breaker.opened", "$meshscope.breakers"])
@pytest.mark.parametrize("write", [lambda packet: json.dumps(packet).encode(), msgspec.msgpack.encode])
def test_headers_only_keeps_what_nodes_tell_of_breakers_without_secrets(name: str, write: Any) -> None:
    event = {"ver": "5", "sender": "a", "id": "1", "event": name, "data": {"node": "b", "password": "hunter22"}}
    kept = Masking("headers").masked(b"MOL.EVENT.a", write(event))
    assert b'"b"' in kept or b"\xa1b" in kept
    assert b"hunter22" not in kept


@pytest.mark.parametrize("event", ["order.created", "x.$meshscope.breakers"])
def test_headers_only_keeps_no_payload_that_only_speaks_of_breakers(event: str) -> None:
    packet = {"ver": "5", "sender": "a", "id": "1", "event": event, "data": {"text": "$meshscope.breakers", "x": "y7z"}}
    kept = Masking("headers").masked(b"MOL.EVENT.a", json.dumps(packet).encode())
    assert b"y7z" not in kept
    call = {"ver": "5", "sender": "a", "id": "1", "action": "$meshscope.breakers", "params": {"x": "y7z"}}
    assert b"y7z" not in Masking("headers").masked(b"MOL.REQ.a", json.dumps(call).encode())
