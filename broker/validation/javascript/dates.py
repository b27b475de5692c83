"""Dates as JavaScript counts and writes them: milliseconds since 1970, UTC."""

from __future__ import annotations

import datetime
from datetime import UTC, timedelta
from typing import Final

from broker.validation.javascript.date_texts import read_date_text

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_FURTHEST_MS: Final = 8.64e15


def date_of_milliseconds(milliseconds: float) -> datetime.datetime | None:
    """``new Date(milliseconds)``; None where that is no date, or none between the years 1 and 9999."""
    if not abs(milliseconds) <= _FURTHEST_MS:
        return None
    try:
        return _EPOCH + int(milliseconds) * _MILLISECOND
    except OverflowError:
        return None


def date_of_text(text: str) -> datetime.datetime | None:
    """``new Date(text)``; a text without time zone is local time, unless it is a date alone in ISO form."""
    read = read_date_text(text)
    if read is None:
        return None
    fields, offset_s = read
    year, month, day, hour, minute, second, millisecond = fields
    since_midnight = timedelta(hours=hour, minutes=minute, seconds=second, milliseconds=millisecond)
    try:  # a 30th of February is a 1st or 2nd of March
        naive = datetime.datetime(year, month, 1) + timedelta(days=day - 1) + since_midnight
        if offset_s is None:
            return naive.astimezone(UTC)
        return naive.replace(tzinfo=UTC) - timedelta(seconds=offset_s)
    except (OverflowError, ValueError, OSError):
        return None


def milliseconds_of(date: datetime.date) -> int:
    """``date.getTime()``; a moment without time zone is local time, a day alone begins in UTC."""
    return (_moment(date) - _EPOCH) // _MILLISECOND


def iso_text(date: datetime.date) -> str:
    """``date.toISOString()``."""
    moment = _moment(date)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z".rjust(24, "0")


def date_text(date: datetime.date) -> str:
    """``String(date)`` in UTC."""
    moment = _moment(date)
    return f"{moment:%a %b %d} {moment.year:04d} {moment:%H:%M:%S} GMT+0000 (Coordinated Universal Time)"


def _moment(date: datetime.date) -> datetime.datetime:
    if isinstance(date, datetime.datetime):
        return date.astimezone(UTC)
    return datetime.datetime(date.year, date.month, date.day, tzinfo=UTC)
