"""One request in one small file that people and git can read."""

from __future__ import annotations

import json
from typing import Any, Final

from broker.operate.calling import loose_json
from broker.operate.calling.loose_json import NotJsonError
from broker.operate.calling.masked import MASKED, USUAL, mask_text
from broker.operate.calling.request import TEXTS, Request, from_plain
from broker.operate.masks import Masks

FORMAT: Final = 1
_NAMES: Final = {"call": "action", "emit": "emit", "broadcast": "broadcast"}
_USUAL_ORDER: Final = ("namespace", "node_id", "timeout_ms", "retries", "groups")


class NotARequestError(ValueError):
    """A file holds no request; says what is wrong with it."""


def written(request: Request, masks: Masks = USUAL) -> tuple[str, bool]:
    """The text of a file, keys in the same order each time, a value a line; and whether values were masked in it.

    Parameters, meta and headers stand in it as JSON; where a variable takes the place of a value, or the text is no
    JSON, as a list of lines.
    """
    masked = request.with_texts(lambda text: mask_text(text, masks))
    plain = masked.to_plain()
    told: dict[str, Any] = {"meshscope_request": FORMAT, _NAMES[request.kind]: request.name}
    told |= {name: plain[name] for name in _USUAL_ORDER if name in plain}
    for name in TEXTS:
        if getattr(masked, name).strip():
            told |= _text_field(name, getattr(masked, name))
    text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
    return text, MASKED in text and any(getattr(masked, name) != getattr(request, name) for name in TEXTS)


def read(text: str) -> Request:
    """The request of a file.

    Raises:
        NotARequestError: It is none.
    """
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotARequestError(f"not JSON: {error}") from None
    if not isinstance(told, dict) or "meshscope_request" not in told:
        raise NotARequestError("it has no field meshscope_request, so it is no request of ours")
    if told["meshscope_request"] != FORMAT:
        raise NotARequestError(f"its format is {told['meshscope_request']!r}, expected {FORMAT}")
    kind = next((kind for kind, name in _NAMES.items() if name in told), None)
    if kind is None:
        raise NotARequestError(f"it has none of the fields {', '.join(_NAMES.values())}")
    plain = {name: told[name] for name in _USUAL_ORDER if name in told}
    for name in TEXTS:
        if f"{name}_text" in told:
            lines = told[f"{name}_text"]
            if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
                raise NotARequestError(f"{name}_text is no list of texts")
            plain[name] = "\n".join(lines)
        elif name in told:
            plain[name] = json.dumps(told[name], indent=2, ensure_ascii=False)
    try:
        return from_plain(plain | {"kind": kind, "name": told[_NAMES[kind]]})
    except ValueError as error:
        raise NotARequestError(str(error)) from None


def _text_field(name: str, text: str) -> dict[str, Any]:
    if any(not variable.is_in_text for variable in loose_json.variables_in(text)):
        return {f"{name}_text": text.split("\n")}
    try:
        return {name: loose_json.loads(text)}
    except NotJsonError:
        return {f"{name}_text": text.split("\n")}
