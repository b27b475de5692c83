"""A request said in other words means the same there."""

from __future__ import annotations

import ast
import json
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.operate.calling.copies import (
    NotCopiedError,
    as_command_line,
    as_console_line,
    as_javascript,
    as_python,
)
from broker.operate.calling.request import Request

ORDER = Request(
    "call",
    "v2.orders.get",
    "prod",
    node_id="shop-2",
    params='{"id": 4711, "note": "it\'s \\"new\\""}',
    meta='{"user": {"id": 5}, "token": {{secret:token}}}',
    timeout_ms=3000,
    retries=2,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_characters="{}\ue000")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc'\" $`\\\n"), inner, max_size=4),
    max_leaves=12,
)


def test_a_console_line():
    assert as_console_line(ORDER) == (
        'dcall shop-2 v2.orders.get \'{"id": 4711, "note": "it\\u0027s \\"new\\""}\' '
        '\'{"user": {"id": 5}, "token": {{secret:token}}}\''
    )
    assert as_console_line(Request("call", "$node.health")) == "call $node.health"
    assert as_console_line(Request("call", "a.b", meta='{"x": 1}')) == "call a.b '{}' '{\"x\": 1}'"


def test_events_in_the_console_are_options():
    event = Request("emit", "order.created", params='{"id": 5, "to": {"name": "Eve"}, "a": true, "b": false}')
    assert as_console_line(event) == "emit order.created --id 5 --to.name 'Eve' --a --no-b"


@pytest.mark.parametrize("params", ["[1]", '{"a": [1]}', '{"a": null}', '{"a": "5"}', '{"a.b": 1}', '{"a": "it\'s"}'])
def test_what_the_console_cannot_say_is_not_said_wrong(params: str):
    with pytest.raises(NotCopiedError):
        as_console_line(Request("emit", "x", params=params))


def test_javascript():
    assert (
        as_javascript(ORDER)
        == """// fill in {{secret:token}}
await broker.call("v2.orders.get", {"id": 4711, "note": "it's \\"new\\""}, {
  "nodeID": "shop-2",
  "timeout": 3000,
  "retries": 2,
  "meta": {
    "user": {
      "id": 5
    },
    "token": "{{secret:token}}"
  }
});"""
    )
    assert as_javascript(Request("broadcast", "x", groups=("mail",))) == (
        'await broker.broadcast("x", {}, {"groups": ["mail"]});'
    )


def test_python():
    assert as_python(ORDER) == (
        "# fill in {{secret:token}}\n"
        'await broker.call("v2.orders.get", {"id": 4711, "note": "it\'s \\"new\\""}, node_id=\'shop-2\', '
        'timeout_s=3, retries=2, meta={"user": {"id": 5}, "token": "{{secret:token}}"})'
    )
    assert as_python(Request("emit", "x", params="null", groups=("mail",))) == (
        "await broker.emit(\"x\", None, groups=['mail'])"
    )


def test_a_command_line():
    assert as_command_line(ORDER, "redis://10.4.0.7") == (
        "meshscope call redis://10.4.0.7 v2.orders.get "
        '\'{"id": 4711, "note": "it\'"\'"\'s \\"new\\""}\' --namespace prod --node shop-2 '
        '--meta \'{"user": {"id": 5}, "token": {{secret:token}}}\' --timeout 3000 --retries 2'
    )
    assert as_command_line(Request("emit", "x", "", groups=("a", "b")), "shop") == (
        "meshscope emit shop x --namespace - --groups a,b"
    )


@pytest.mark.parametrize("copy", [as_console_line, as_javascript, as_python])
def test_no_copy_holds_a_secret(copy: object):
    secret = Request("call", "users.login", params='{"name": "eve", "password": "hunter2"}', meta='{"apiKey": 7}')
    text = copy(secret)  # type: ignore[operator]
    assert "hunter2" not in text
    assert "masked" in text
    assert "hunter2" not in as_command_line(secret, "shop")


@given(VALUES)
def test_python_reads_what_is_written_for_it(value: object):
    statement = as_python(Request("call", "a.b", params=json.dumps(value)))
    call = ast.parse(statement.removeprefix("await ")).body[0].value  # type: ignore[attr-defined]
    assert ast.literal_eval(call.args[1]) == value


@given(VALUES)
def test_a_shell_gives_the_program_what_was_meant(value: object):
    words = shlex.split(as_command_line(Request("call", "a.b", params=json.dumps(value)), "redis://h"))
    assert json.loads(words[4]) == value


def test_a_real_shell_agrees():
    odd = {"a": "$HOME `id` $(id) \\ ' \" ! \n *"}
    line = as_command_line(Request("call", "a.b", params=json.dumps(odd)), "redis://h")
    done = subprocess.run(["sh", "-c", line.replace("meshscope", "printf '%s\\0'", 1)], capture_output=True, check=True)
    assert json.loads(done.stdout.split(b"\0")[3]) == odd
