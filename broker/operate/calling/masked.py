"""Values that look secret in what operators write: masked before they reach a file, found when they come back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from broker.operate.calling import loose_json
from broker.operate.calling.loose_json import NotJsonError
from broker.operate.masks import Masks

MASKED: Final = "•••• masked"
"""Stands where a value was."""
USUAL: Final = Masks()
"""What is secret where nobody says more."""


def mask_text(text: str, masks: Masks = USUAL) -> str:
    """JSON with what looks secret masked; variables stay, since they hold nothing.

    Args:
        text: JSON with variables; what is none is masked whole if a secret name is in it.
        masks: What is secret.
    """
    if not text.strip():
        return text
    try:
        value = loose_json.loads(text)
    except NotJsonError:
        return json.dumps(MASKED, ensure_ascii=False) if _may_hold(text, masks) else text
    masked = _masked(value, masks, is_secret=False)
    return text if masked == value else loose_json.dumps(masked)


def mask_captured(value: Any, masks: Masks = USUAL) -> Any:
    """Data of a capture, with `MASKED` where its own mask stands: stars in the place of letters, nines of digits."""
    return _captured(value, masks, is_secret=False)


def masked_places(text: str) -> list[str]:
    """Where a text holds masked values, as paths: ``user.token``."""
    if MASKED not in text and json.dumps(MASKED)[1:-1] not in text:
        return []
    try:
        value = loose_json.loads(text)
    except NotJsonError:
        return []
    return list(_places(value, ""))


def _masked(value: Any, masks: Masks, *, is_secret: bool) -> Any:
    if isinstance(value, dict):
        return {key: _masked(item, masks, is_secret=is_secret or masks.is_secret(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, masks, is_secret=is_secret) for item in value]
    if value == "" or isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    if is_secret:
        return value if loose_json.is_variable(value) else MASKED
    # a token, a key, a URL with a password: secret whatever it stands under
    return MASKED if isinstance(value, str) and masks.text(value) != value else value


def _captured(value: Any, masks: Masks, *, is_secret: bool) -> Any:
    if isinstance(value, dict):
        return {
            key: _captured(item, masks, is_secret=is_secret or (isinstance(key, str) and masks.is_secret(key)))
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_captured(item, masks, is_secret=is_secret) for item in value]
    if isinstance(value, str) and value and not value.strip("*"):
        return MASKED
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_secret and is_number and not str(value).replace(".", "").strip("9"):
        return MASKED
    return value


def _places(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _places(item, f"{path}[{number}]")
    elif value == MASKED:
        yield path or "the value"


def _may_hold(text: str, masks: Masks) -> bool:
    words = "".join(letter if letter.isalnum() or letter in "_-" else " " for letter in text).split()
    return any(masks.is_secret(word) for word in words)
