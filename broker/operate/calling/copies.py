"""A request in the words of others: a console line, JavaScript, Python, our own command line. Never a secret."""

from __future__ import annotations

import json
import shlex
from typing import Any, Final

from broker.operate.calling import loose_json
from broker.operate.calling.copied_python import python_text
from broker.operate.calling.loose_json import NotJsonError, replaced
from broker.operate.calling.masked import USUAL, mask_text
from broker.operate.calling.request import DEFAULT_TIMEOUT_MS, Request
from broker.operate.masks import Masks

_METHODS: Final = {"call": "call", "emit": "emit", "broadcast": "broadcast"}


class NotCopiedError(ValueError):
    """A request cannot be said in those words; says why."""


def as_console_line(request: Request, masks: Masks = USUAL) -> str:
    """A line for moleculer-repl.

    Timeout, retries and headers are left out: beside parameters in JSON the console takes no options.

    Raises:
        NotCopiedError: The console has no words for it.
    """
    if request.kind != "call":
        return _console_event(request, masks)
    words = [f"dcall {_console_word(request.node_id)}" if request.node_id else "call", _console_word(request.name)]
    params, meta = (_one_line(_as_text(text, masks)) for text in (request.params, request.meta))
    if params or meta:
        words.append(_console_quoted(params or "{}"))
    if meta:
        words.append(_console_quoted(meta))
    return " ".join(words)


def as_javascript(request: Request, masks: Masks = USUAL) -> str:
    """A statement for code that has a Moleculer broker."""
    options: dict[str, Any] = {}
    if request.node_id:
        options["nodeID"] = request.node_id
    if request.kind == "call":
        if request.timeout_ms != DEFAULT_TIMEOUT_MS:
            options["timeout"] = _whole(request.timeout_ms)
        if request.retries:
            options["retries"] = request.retries
    if request.groups:
        options["groups"] = list(request.groups)
    for name, text in (("meta", request.meta), ("headers", request.headers)):
        if text.strip():
            options[name] = _value(text, masks)
    arguments = [json.dumps(request.name)]
    if request.params.strip() or options:
        arguments.append(_javascript(_value(request.params, masks)) if request.params.strip() else "{}")
    if options:
        arguments.append(_javascript(options))
    statement = f"await broker.{_METHODS[request.kind]}({', '.join(arguments)});"
    return _with_note(statement, request, "//")


def as_python(request: Request, masks: Masks = USUAL) -> str:
    """A statement for code that has a broker of ours."""
    arguments = [json.dumps(request.name, ensure_ascii=False)]
    if request.params.strip():
        arguments.append(python_text(_value(request.params, masks)))
    if request.node_id:
        arguments.append(f"node_id={request.node_id!r}")
    if request.kind == "call":
        if request.timeout_ms != DEFAULT_TIMEOUT_MS:
            arguments.append(f"timeout_s={request.timeout_ms / 1000:g}")
        if request.retries:
            arguments.append(f"retries={request.retries}")
    if request.groups:
        arguments.append(f"groups={list(request.groups)!r}")
    for name, text in (("meta", request.meta), ("headers", request.headers)):
        if text.strip():
            arguments.append(f"{name}={python_text(_value(text, masks))}")
    return _with_note(f"await broker.{_METHODS[request.kind]}({', '.join(arguments)})", request, "#")


def as_command_line(request: Request, url: str, masks: Masks = USUAL) -> str:
    """A line for a shell.

    Args:
        request: What is sent.
        url: Of the mesh, without its password; or the name of a profile.
        masks: What is secret.
    """
    words = ["meshscope", request.kind, url, request.name]
    if request.params.strip():
        words.append(_one_line(_as_text(request.params, masks)))
    words += ["--namespace", request.namespace or "-"]
    if request.node_id:
        words += ["--node", request.node_id]
    for option, text in (("--meta", request.meta), ("--headers", request.headers)):
        if text.strip():
            words += [option, _one_line(_as_text(text, masks))]
    if request.kind == "call":
        if request.timeout_ms != DEFAULT_TIMEOUT_MS:
            words += ["--timeout", str(_whole(request.timeout_ms))]
        if request.retries:
            words += ["--retries", str(request.retries)]
    if request.groups:
        words += ["--groups", ",".join(request.groups)]
    return shlex.join(words)


def _as_text(text: str, masks: Masks) -> str:
    return mask_text(text, masks)


def _one_line(text: str) -> str:
    """JSON in one line, variables as they are written; what is no JSON as it is."""
    if not text.strip():
        return ""
    try:
        return loose_json.dumps(loose_json.loads(text), indent=None)
    except NotJsonError:
        return text


def _value(text: str, masks: Masks) -> Any:
    """The value of a text, variables as texts; what is no JSON as a text."""
    masked = mask_text(text, masks)
    in_texts = replaced(masked, lambda variable: variable.written if variable.is_in_text else f'"{variable.written}"')
    try:
        return json.loads(in_texts)
    except ValueError:
        return in_texts


def _javascript(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=None)
    return text if len(text) <= 80 else json.dumps(value, ensure_ascii=False, indent=2)


def _with_note(statement: str, request: Request, sign: str) -> str:
    texts = (request.params, request.meta, request.headers)
    written = sorted({variable.written for text in texts for variable in loose_json.variables_in(text)})
    return f"{sign} fill in {', '.join(written)}\n{statement}" if written else statement


def _whole(number: float) -> float:
    return int(number) if number == int(number) else number


def _console_word(word: str) -> str:
    return word if word.replace(".", "").replace("-", "").replace("_", "").replace("$", "").isalnum() else f'"{word}"'


def _console_quoted(text: str) -> str:
    """In single quotes; a single quote of the text as JSON can write it."""
    return "'" + text.replace("'", "\\u0027") + "'"


def _console_event(request: Request, masks: Masks) -> str:
    words = [request.kind, _console_word(request.name)]
    value = _value(request.params, masks) if request.params.strip() else {}
    if not isinstance(value, dict):
        raise NotCopiedError("the console builds payloads from options, so it can send objects only")
    for path, item in _leaves(value, ""):
        words += _console_option(path, item)
    if request.groups:
        words += [f"--$groups {group}" for group in request.groups]
    return " ".join(words)


def _leaves(value: dict[str, Any], prefix: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, item in value.items():
        if not key or "." in key or any(letter.isspace() for letter in key):
            raise NotCopiedError(f"the console has no option for the key {key!r}")
        if isinstance(item, dict) and item:
            found += _leaves(item, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", item))
    return found


def _console_option(path: str, item: Any) -> list[str]:
    if item is True:
        return [f"--{path}"]
    if item is False:
        return [f"--no-{path}"]
    if isinstance(item, int | float):
        return [f"--{path} {json.dumps(item)}"]
    if isinstance(item, str) and not _reads_as_number(item) and "'" not in item:
        return [f"--{path} '{item}'"]
    raise NotCopiedError(f"the console has no option that gives {path} the value {json.dumps(item)[:40]}")


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text in ("", "true", "false")
    return True
