"""Dates in JSON: what a service takes a text or a number for, and why it is none."""

from __future__ import annotations

import re
from typing import Any, Final

from broker.validation.javascript.dates import date_of_milliseconds, date_of_text

_BEGINNING: Final = re.compile(r"\s*(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?:[T ](\d{1,2}):(\d{1,2}))?", re.ASCII)
_SAYS_ITS_ZONE: Final = re.compile(r"\d{4}-\d\d(-\d\d)?|\d{4}-\d\d-\d\dT\d\d:\d\d.*(Z|[+-]\d\d:?\d\d)", re.ASCII)
_PARTS: Final = (("month", 1, 12), ("day", 1, 31), ("hour", 0, 24), ("minute", 0, 59))


def understood(value: Any) -> str:
    """The moment that a text or number of milliseconds is converted to; empty where that depends on the service."""
    if isinstance(value, str) and _SAYS_ITS_ZONE.fullmatch(value.strip()):
        moment = date_of_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        moment = date_of_milliseconds(value)
    else:
        return ""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def why_no_date(value: Any) -> str:
    """What is impossible about a text that looks like a date: "month is 13"; empty if it does not look like one."""
    begun = _BEGINNING.match(value) if isinstance(value, str) else None
    for (name, least, most), text in zip(_PARTS, begun.groups()[1:] if begun else (), strict=False):
        if text is not None and not least <= int(text) <= most:
            return f"{name} is {int(text)}"
    return ""
