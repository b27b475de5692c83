"""What the caller copies as command line is understood by the commands."""

from __future__ import annotations

import shlex

import click
import pytest

from app.cli.all_commands import meshscope
from broker.operate.calling.copies import as_command_line
from broker.operate.calling.request import Request

WHOLE = {"params": '{"id": 1}', "meta": '{"a": 1}', "headers": '{"b": 2}'}


@pytest.mark.parametrize(
    "request_",
    [
        Request("call", "v2.orders.get", "prod", "shop-1", timeout_ms=3000, retries=2, **WHOLE),
        Request("call", "$node.list"),
        Request("emit", "order.created", "prod", groups=("mail", "log"), **WHOLE),
        Request("broadcast", "order.created"),
    ],
)
def test_every_option_is_one_of_the_command(request_: Request) -> None:
    words = shlex.split(as_command_line(request_, "shop"))
    context = click.Context(meshscope)
    command = meshscope.get_command(context, words[1])
    assert command is not None
    options, rest, _ = command.make_parser(click.Context(command)).parse_args(words[2:])
    assert rest == []
    assert {name: value for name, value in options.items() if value in ("shop", request_.name)}.keys() >= {
        "action" if request_.kind == "call" else "event"
    }
