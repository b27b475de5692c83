"""JSON texts as arguments: judged before anything is connected, since a mistake there is wrong usage."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

import click


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
            found = json.loads(text, parse_constant=_no_json)
        except (ValueError, RecursionError) as error:
            self.fail(f"this is no JSON: {error}. Quote it for the shell, as in '{{\"id\": 5}}'", param, ctx)
        if self._is_object and not isinstance(found, dict):
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


def _no_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON value")


meta_option = click.option("--meta", type=JsonText(is_object=True), default="", metavar="JSON", help="Sent along.")
headers_option = click.option(
    "--headers", type=JsonText(is_object=True), default="", metavar="JSON", help="Of protocol 5 only."
)
