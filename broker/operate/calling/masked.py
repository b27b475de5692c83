"""Values that look secret in what operators write: masked before they reach a file, found when they come back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from broker.capture.secret_names import DEFAULT_NAMES, SecretNames
from broker.operate.calling import loose_json
from broker.operate.calling.loose_json import NotJsonError

MASKED: Final = "•••• masked"
"""Stands where a value was."""


@lru_cache(maxsize=16)
def _names(names: tuple[str, ...]) -> SecretNames:
    return SecretNames(names)


def mask_text(text: str, names: Sequence[str] = DEFAULT_NAMES) -> str:
    """JSON with the values of secret names masked; variables stay, since they hold nothing.

    Args:
        text: JSON with variables; what is none is masked whole if a secret name is in it.
        names: Whose values are secret.
    """
    if not text.strip():
        return text
    secrets = _names(tuple(names))
    try:
        value = loose_json.loads(text)
    except NotJsonError:
        return json.dumps(MASKED, ensure_ascii=False) if _may_hold(text, secrets) else text
    masked = _masked(value, secrets, is_secret=False)
    return text if masked == value else loose_json.dumps(masked)


def mask_captured(value: Any, names: Sequence[str] = DEFAULT_NAMES) -> Any:
    """Data of a capture, with `MASKED` where its own mask stands: stars in the place of letters, nines of digits."""
    return _captured(value, _names(tuple(names)), is_secret=False)


def masked_places(text: str) -> list[str]:
    """Where a text holds masked values, as paths: ``user.token``."""
    if MASKED not in text and json.dumps(MASKED)[1:-1] not in text:
        return []
    try:
        value = loose_json.loads(text)
    except NotJsonError:
        return []
    return list(_places(value, ""))


def _masked(value: Any, secrets: SecretNames, *, is_secret: bool) -> Any:
    if isinstance(value, dict):
        return {key: _masked(item, secrets, is_secret=is_secret or _holds(secrets, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, secrets, is_secret=is_secret) for item in value]
    is_plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return MASKED if is_secret and is_plain and not loose_json.is_variable(value) and value != "" else value


def _captured(value: Any, secrets: SecretNames, *, is_secret: bool) -> Any:
    if isinstance(value, dict):
        return {
            key: _captured(item, secrets, is_secret=is_secret or (isinstance(key, str) and _holds(secrets, key)))
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_captured(item, secrets, is_secret=is_secret) for item in value]
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


def _holds(secrets: SecretNames, key: str) -> bool:
    return secrets.holds(key.encode("utf-8", "replace"))


def _may_hold(text: str, secrets: SecretNames) -> bool:
    words = "".join(letter if letter.isalnum() or letter in "_-" else " " for letter in text).split()
    return any(_holds(secrets, word) for word in words)
