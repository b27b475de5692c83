"""Errors on the wire and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.node.errors import (
    MoleculerClientError,
    RemoteError,
    RequestTimeoutError,
    ServiceNotFoundError,
    from_wire,
    to_wire,
)


def test_an_error_comes_back_as_its_own_class_with_everything_it_had():
    wire = to_wire(MoleculerClientError("nope", 409, "CONFLICT", {"k": 1}), "b")
    assert {key: wire[key] for key in wire if key != "stack"} == {
        "name": "MoleculerClientError",
        "message": "nope",
        "nodeID": "b",
        "code": 409,
        "type": "CONFLICT",
        "retryable": False,
        "data": {"k": 1},
    }
    back = from_wire(wire, "c")
    assert (type(back), back.code, back.type, back.data, back.node_id) == (
        MoleculerClientError,
        409,
        "CONFLICT",
        {"k": 1},
        "b",
    )


def test_an_error_from_further_away_keeps_its_origin_and_its_stack():
    far = from_wire({"name": "MoleculerError", "message": "x", "nodeID": "c", "code": 500, "stack": "at c"}, "b")
    wire = to_wire(far, "a")
    assert (wire["nodeID"], wire["stack"]) == ("c", "at c")


def test_a_plain_exception_has_no_code_and_comes_back_as_remote_error():
    wire = to_wire(KeyError("k"), "b")
    assert "code" not in wire
    back = from_wire(wire, "b")
    assert (type(back), back.name, back.code, back.retryable) == (RemoteError, "KeyError", None, False)


def test_messages_are_those_of_moleculerjs():
    assert ServiceNotFoundError({"action": "a.b"}).message == "Service 'a.b' is not found."
    assert ServiceNotFoundError({"action": "a.b", "nodeID": "n"}).message == "Service 'a.b' is not found on 'n' node."
    timeout = RequestTimeoutError({"action": "a.b", "nodeID": "n"})
    assert timeout.message == "Request is timed out when call 'a.b' action on 'n' node."
    assert (timeout.code, timeout.type, timeout.retryable) == (504, "REQUEST_TIMEOUT", True)


@pytest.mark.parametrize("wire", [None, 7, "x", [], {}, {"name": 3, "message": None, "nodeID": [], "stack": 9}])
def test_whatever_stands_for_an_error_gives_one(wire):
    assert from_wire(wire, "b").node_id


@given(
    st.dictionaries(
        st.sampled_from(["name", "message", "code", "type", "data", "nodeID", "stack", "retryable"]),
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.integers())),
    )
)
def test_no_error_object_raises_anything_but_itself(wire):
    to_wire(from_wire(wire, "b"), "a")
