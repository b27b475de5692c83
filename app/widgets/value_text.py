"""What a packet carries, as text for people: JSON, with what JSON has no word for said in words."""

from __future__ import annotations

import json
from array import array
from collections.abc import Set
from datetime import datetime
from typing import Any, Final

from broker.protocol.serializers.values import RegExp

MOST_LETTERS: Final = 200_000
_MOST_BYTES: Final = 64


def value_text(value: Any) -> str:
    """Decoded data as text; what is too long is cut and said to be."""
    try:
        text = json.dumps(_in_words(value), indent=2, ensure_ascii=False, default=str)
    except RecursionError:
        return "It nests too deep to be shown."
    if len(text) > MOST_LETTERS:
        return f"{text[:MOST_LETTERS]}\n… cut here; the whole is {len(text):,} characters"
    return text


def _in_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {_key(key): _in_words(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_in_words(item) for item in value]
    if isinstance(value, Set | array):
        return [_in_words(item) for item in value]
    if isinstance(value, bytes):
        more = "…" if len(value) > _MOST_BYTES else ""
        return f"{len(value):,} bytes: {value[:_MOST_BYTES].hex(' ')}{more}"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return f"/{value.source}/{value.flags}" if isinstance(value, RegExp) else value


def _key(key: Any) -> str:
    """JSON has texts for keys only."""
    return key if isinstance(key, str) else str(_in_words(key))
