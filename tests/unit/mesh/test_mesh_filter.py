"""The filter language: what it says, where it is wrong, what it offers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.mesh.filter import EMPTY, Filter, FilterError, complete, parse
from broker.mesh.filter_terms import FIELDS
from broker.mesh.timeline import Snapshot
from broker.observe.journal import NameKind, Outcome
from tests.unit.mesh.mesh_builder import Mesh


def small_mesh() -> Snapshot:
    mesh = Mesh("prod")
    mesh.service(0, "v2.orders", ["shop-1"], ["get", "list"])
    mesh.call(1, "v2.orders.get", ms=10, caller="api", source="edge-1", target="shop-1")
    mesh.call(2, "v2.orders.list", ms=250, caller="api", source="edge-1", target="shop-2", level=2)
    mesh.call(3, "users.get", ms=200, source="edge.2", target="shop-1")
    mesh.call(
        4, "users.get", ms=5, outcome=Outcome.FAILED, error="409|CONFLICT|MoleculerClientError", caller="v2.orders"
    )
    mesh.call(5, "pay.charge", ms=900, outcome=Outcome.FAILED, error="504|REQUEST_TIMEOUT|RequestTimeoutError")
    mesh.call(6, "pay.charge", ms=5000, outcome=Outcome.TIMED_OUT)
    mesh.call(7, "Plain", ms=1, outcome=Outcome.FAILED, error="||TypeError", ours=True, namespace="dev")
    mesh.event(1, "order.created", caller="v2.orders", source="shop-1", target="edge-1")
    mesh.event(2, "user.removed", source="edge-1", target="shop-1")
    return mesh.snapshot()


SNAPSHOT = small_mesh()


def passing(text: str) -> list[int]:
    """Which of the seven calls pass, from 1."""
    mask = parse(text).mask(SNAPSHOT, SNAPSHOT.call_blocks[0])
    return [1, 2, 3, 4, 5, 6, 7] if mask is None else (np.flatnonzero(mask) + 1).tolist()


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("", [1, 2, 3, 4, 5, 6, 7]),
        ("  ", [1, 2, 3, 4, 5, 6, 7]),
        ("action = users.get", [3, 4]),
        ("action == users.get", [3, 4]),
        ("action != users.get", [1, 2, 5, 6, 7]),
        ("action ~ v2.orders.*", [1, 2]),
        ("action ~ ORDERS", [1, 2]),
        ("action ~ ?sers.g?t", [3, 4]),
        ("action ~ v2*get", [1]),
        ("service = v2.orders", [1, 2]),
        ("service = users", [3, 4]),
        ("node = shop-2", [2]),
        ("node = edge.2", [3]),
        ("source = edge-1", [1, 2, 4, 5, 6, 7]),
        ("target = shop-1", [1, 3, 4, 5, 6, 7]),
        ("caller = api", [1, 2]),
        ("caller = node:edge.2", [3]),
        ("caller ~ node:*", [3, 5, 6, 7]),
        ("error = 504", [5]),
        ("error = conflict", [4]),
        ("error = 'TypeError'", [7]),
        ("error ~ timeout", [5]),
        ('error = ""', [1, 2, 3, 6]),
        ("error >= 500", [5]),
        ("error < 500", [4]),
        ("duration > 200ms", [2, 5, 6]),
        ("duration >= 0.2s", [2, 3, 5, 6]),
        ("duration = 250", [2]),
        ("duration < 1.5 ", [7]),
        ("outcome = failed", [4, 5, 7]),
        ("outcome = timeout", [6]),
        ("outcome != ok", [4, 5, 6, 7]),
        ("outcome ~ timed", [6]),
        ("namespace = dev", [7]),
        ("level = 2", [2]),
        ("level > 1", [2]),
        ("type = req", []),
        ("type = REQ", [1, 2, 3, 4, 5, 6, 7]),
        ("event = order.created", []),
        ("rate > 5", []),
        ("orders", [1, 2, 4]),
        ("users edge.2", [3]),
        ("v2.*", [1, 2, 4]),
        ("*.get", [1, 3, 4]),
        ("users and not edge.2", [4]),
        ("not not users", [3, 4]),
        ("users or pay", [3, 4, 5, 6]),
        ("users or pay and duration > 1s", [3, 4, 6]),
        ("(users or pay) and duration > 800ms", [5, 6]),
        ("(users OR pay) duration > 800ms", [5, 6]),
        ("NOT (action ~ v2.* or outcome = failed)", [3, 6]),
        ("ACTION = Plain", [7]),
    ],
)
def test_a_filter_passes_what_it_says(text, calls):
    assert passing(text) == calls


def test_events_pass_by_their_own_fields():
    block = SNAPSHOT.event_blocks[0]

    def events(text: str) -> list[bool]:
        mask = parse(text).mask(SNAPSHOT, block)
        return [True, True] if mask is None else mask.tolist()

    assert events("event ~ order.*") == [True, False]
    assert events("service = v2.orders") == [True, False]
    assert events("caller = node:edge-1") == [False, True]
    assert events("node = shop-1") == [True, True]
    assert events("type = EVENT and namespace = prod") == [True, True]
    assert events("duration > 1ms or outcome = ok or action ~ o") == [False, False]
    assert events("removed") == [False, True]


@pytest.mark.parametrize(
    ("text", "position", "length", "message"),
    [
        ("duration >", 10, 1, "expected a value after '>', for instance 200ms"),
        ("duration > and x", None, None, "'and' is not a duration: expected one such as 200ms"),
        ("duration > fast", 11, 4, "'fast' is not a duration: expected one such as 200ms"),
        ("acton = x", 0, 5, "there is no field 'acton': did you mean action?"),
        ("x and", 5, 1, "expected a comparison after 'and', for instance outcome = failed"),
        ("x and or y", 6, 2, "expected a comparison after 'and', for instance outcome = failed"),
        ("(a or b", 0, 1, "this bracket is not closed: expected a ')' behind it"),
        ("a) b", 1, 1, "this bracket closes nothing: expected 'and', 'or' or the end"),
        ("()", 1, 1, "expected a comparison after '(', for instance outcome = failed"),
        ("= 5", 0, 1, "expected a field before '=', for instance duration"),
        ('action = "or', 9, 3, 'this quote is not closed: expected another " behind it'),
        ("action > 5", 7, 1, "'>' compares numbers and action is a text: expected =, != or ~"),
        ("duration ~ 5", 9, 1, "'~' compares texts and duration is a number: expected =, !=, >, >=, < or <="),
        ("outcome = bad", 10, 3, None),
        ("!x", 0, 1, "expected 'not' or '!=' in place of '!'"),
        ("level = two", 8, 3, "'two' is not a number: expected one such as 2"),
        ("error > x", 8, 1, "'x' is not a number: expected one such as 504"),
    ],
)
def test_an_error_says_what_was_expected_and_where(text, position, length, message):
    with pytest.raises(FilterError) as caught:
        parse(text)
    if position is not None:
        assert (caught.value.position, caught.value.length) == (position, length)
    if message is not None:
        assert caught.value.message == message


def test_deep_nesting_is_an_error_and_no_crash():
    for text in ("(" * 60 + "x" + ")" * 60, "not " * 60 + "x", "(" * 3_000, "x " * 5_000):
        with pytest.raises(FilterError):
            parse(text)


words = st.sampled_from(
    [*FIELDS, "and", "or", "not", "(", ")", "=", "!=", "~", ">", "<=", "200ms", "5%", "failed", "ok", "504", "v2.*",
     "'a b'", '"', "'", "\\", "!", "api", "", "µs", "1e9", "9" * 400]
)  # fmt: skip


def error_of(text: str) -> FilterError | None:
    """What is wrong with a text; None for nothing."""
    try:
        parse(text)
    except FilterError as error:
        return error
    return None


@given(st.one_of(st.text(max_size=60), st.lists(words, max_size=14).map(" ".join)))
def test_parsing_raises_nothing_but_filter_errors_that_point_into_the_text(text):
    error = error_of(text)
    if error is not None:
        assert 0 <= error.position <= len(text)
        assert error.length >= 1
        assert error.message


names = st.one_of(
    st.sampled_from(
        ["v2.orders.get", "users.get", "shop-1", "edge.2", "api", "", "a b", "and", 'q"\\q', "p*y?c*", "é"]
    ),
    st.text(max_size=8),
).map(lambda name: '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"')
texts = st.sampled_from([name for name, field in FIELDS.items() if field.kind == "text"])
numbers = st.sampled_from([name for name, field in FIELDS.items() if field.kind in {"duration", "number"}])
comparisons = st.one_of(
    st.builds("{} {} {}".format, texts, st.sampled_from(["=", "!=", "~"]), names),
    st.builds(
        "{} {} {}".format,
        numbers,
        st.sampled_from(["=", "!=", ">", ">=", "<", "<="]),
        st.sampled_from(["1", "2", "10", "200", "250", "0.5", "5000"]),
    ),
    st.builds("outcome {} {}".format, st.sampled_from(["=", "!=", "~"]), st.sampled_from(["ok", "failed", "late"])),
    st.builds("error {} {}".format, st.sampled_from(["=", "!=", "~"]), st.sampled_from(["504", "conflict", '""'])),
    st.builds("error {} {}".format, st.sampled_from([">", "<="]), st.sampled_from(["409", "500"])),
    names,
)
filters = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
        st.builds("not ({})".format, inner),
        st.builds("{} {}".format, comparisons, comparisons),
    ),
    max_leaves=8,
)


@given(filters)
def test_printing_then_parsing_is_identity(text):
    once = parse(text)
    assert parse(str(once)) == once
    assert str(parse(str(once))) == str(once)


def fields_of_call(row: int) -> dict[str, object]:
    """One call of the small mesh as a person would write it down."""
    names, block = SNAPSHOT.names, SNAPSHOT.call_blocks[0]

    def text(kind: NameKind, column: str) -> str:
        return names.text(kind, block.column(column)[row])

    source, target, caller = (
        text(NameKind.NODE, "source"),
        text(NameKind.NODE, "target"),
        text(NameKind.SERVICE, "caller"),
    )
    return {
        "action": text(NameKind.ACTION, "action"),
        "service": SNAPSHOT.directory.service_of_action(int(block.column("action")[row])),
        "source": source,
        "target": target,
        "node": (source, target),
        "caller": caller or f"node:{source}",
        "error": text(NameKind.ERROR, "error"),
        "outcome": Outcome(block.column("outcome")[row]).name.lower(),
        "duration": round(float(block.column("duration_s")[row]) * 1000, 3),
        "namespace": names.namespace_text(NameKind.ACTION, block.column("action")[row]),
        "level": int(block.column("level")[row]),
        "type": ("REQ", "RES"),
    }


@settings(max_examples=300)
@given(filters)
def test_the_mask_of_a_block_agrees_with_each_row_asked_alone(text):
    filter_ = parse(text)
    mask = filter_.mask(SNAPSHOT, SNAPSHOT.call_blocks[0])
    assert mask.tolist() == [filter_.matches(fields_of_call(row)) for row in range(7)]


@given(
    filters, st.dictionaries(st.sampled_from(list(FIELDS)), st.one_of(st.none(), st.integers(), st.text(), st.floats()))
)
def test_matching_never_raises_whatever_the_fields_hold(text, fields):
    filter_ = parse(text)
    assert parse(f"not ({text})").matches(fields) is not filter_.matches(fields)


def test_boxes_of_the_graph_pass_by_their_figures():
    box = {"service": "v2.orders", "node": ("shop-1", "shop-2"), "rate": 12.5, "errors": 6.0, "p99": 340.0}
    assert parse("errors > 5% and p99 > 0.3s").matches(box)
    assert parse("node = shop-2").matches(box)
    assert not parse("rate > 20").matches(box)
    assert not parse("p50 < 1s").matches(box)


def test_filters_that_say_the_same_are_equal():
    assert parse("a  and b") == parse("(a) b")
    assert parse("") == EMPTY
    assert parse("").is_empty
    assert isinstance(parse("a"), Filter)
    assert hash(parse("a and b")) == hash(parse("a b"))
    assert parse("duration > 5 or not action = x").fields() == {"duration", "action"}


def offered(text: str) -> list[str]:
    return [one.text for one in complete(text, len(text), SNAPSHOT)]


def test_completion_offers_what_could_stand_there():
    assert offered("")[:3] == ["action", "service", "node"]
    assert offered("dur") == ["duration"]
    assert offered("action ") == ["=", "!=", "~"]
    assert offered("duration ")[:2] == ["=", "!="]
    assert offered("action = ") == ["v2.orders.get", "v2.orders.list", "users.get", "pay.charge", "Plain"]
    assert offered("action = get") == ["v2.orders.get", "users.get"]
    assert offered("service = u") == ["users"]
    assert "node:edge-1" in offered("caller = ")
    assert offered("outcome = f") == ["failed"]
    assert offered("error = 5") == ["504"]
    assert offered("error = con") == ["CONFLICT"]
    assert offered("node = shop-1 ")[:2] == ["and", "or"]
    assert offered("node = shop-1 and n")[:2] == ["node", "namespace"]
    assert offered("(")[0] == "action"
    assert offered("namespace = ") == ["dev", "prod"]
    assert offered("duration > ")[0] == "10ms"
    assert offered("action = 'v2") == ["v2.orders.get", "v2.orders.list"]


def test_a_completion_says_what_it_takes_the_place_of():
    (found,) = complete("not acti and x", 8, SNAPSHOT)
    assert (found.text, found.start, found.end, found.note) == ("action", 4, 8, "full name of the action")


@given(st.one_of(st.text(max_size=40), st.lists(words, max_size=8).map(" ".join)), st.integers(0, 60))
def test_completing_never_raises_and_stays_in_the_text(text, position):
    for snapshot in (None, SNAPSHOT):
        for one in complete(text, position, snapshot):
            assert 0 <= one.start <= one.end <= len(text)
