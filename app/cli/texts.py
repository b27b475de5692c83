"""JSON texts as arguments: judged before anything is connected, since a mistake there is wrong usage."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from broker.operate.calling import loose_json
from broker.operate.calling.loose_json import NotJsonError


class JsonText(click.ParamType[str]):
    """A JSON text; ``-`` reads it from standard input, ``@FILE`` from a file."""

    name = "json"

    def __init__(self, *, is_object: bool = False) -> None:
        """
        Args:
            is_object: Whether it must be an object.
        """
        self._is_object = is_object

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text; empty for none."""
        text = self._read(str(value), param, ctx)
        if not text.strip():
            return ""
        try:
            found = loose_json.loads(text)  # variables of a profile may stand in it
        except NotJsonError as error:
            self.fail(f"this is {error}. Quote it for the shell, as in '{{\"id\": 5}}'", param, ctx)
        if self._is_object and not isinstance(found, dict) and not loose_json.is_variable(found):
            self.fail("expected a JSON object, as in '{\"user\": 5}'", param, ctx)
        return text

    def _read(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if text == "-":
            return sys.stdin.read()
        if not text.startswith("@"):
            return text
        try:
            return Path(text[1:]).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self.fail(f"{text[1:]} cannot be read: {error}", param, ctx)


meta_option = click.option("--meta", type=JsonText(is_object=True), default="", metavar="JSON", help="Sent along.")
headers_option = click.option(
    "--headers", type=JsonText(is_object=True), default="", metavar="JSON", help="Of protocol 5 only."
)
