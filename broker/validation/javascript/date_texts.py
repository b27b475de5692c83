"""Dates written as text, read as V8 reads them: ISO 8601 first, then nearly anything that names a day."""

from __future__ import annotations

from typing import Final

from broker.validation.javascript.date_tokens import END, Token, Tokens

Fields = tuple[int, int, int, int, int, int, int]
"""Year, month, day, hour, minute, second, millisecond."""


class _NoDateError(Exception):
    pass


class _Day:
    """Up to three numbers and a month's name."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.month: int | None = None
        self.is_iso = False

    def add(self, number: int) -> None:
        _need(len(self.numbers) < 3)
        self.numbers.append(number)

    def fields(self) -> tuple[int, int, int]:
        _need(bool(self.numbers))
        first, second, third = (*self.numbers, 1, 1, 1)[:3]
        is_day_first = 1 <= first <= 31
        if self.month is not None:
            year, month, day = (second, self.month, first) if is_day_first else (first, self.month, second)
        elif self.is_iso or not is_day_first:
            year, month, day = first, second, third
        else:
            year, month, day = third, first, second
        if not self.is_iso and 0 <= year <= 99:
            year += 2000 if year < 50 else 1900
        _need(1 <= month <= 12 and 1 <= day <= 31)
        return year, month, day


class _Time:
    """Up to hours, minutes, seconds and milliseconds, and whether it is am or pm."""

    _LIMITS: Final = (0, 59, 59, 999)

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.half: int | None = None

    def add(self, number: int) -> None:
        _need(len(self.numbers) < 4)
        self.numbers.append(number)

    def finish(self, number: int) -> None:
        self.numbers = [*self.numbers, number, 0, 0, 0][:4]

    def expects(self, number: int) -> bool:
        count = len(self.numbers)
        return 1 <= count <= 3 and number <= self._LIMITS[count]

    def fields(self) -> tuple[int, int, int, int]:
        hour, minute, second, millisecond = (*self.numbers, 0, 0, 0, 0)[:4]
        if self.half is not None:
            _need(hour <= 12)
            hour = hour % 12 + self.half
        is_time = hour <= 23 and minute <= 59 and second <= 59 and millisecond <= 999
        _need(is_time or (hour, minute, second, millisecond) == (24, 0, 0, 0))
        return hour, minute, second, millisecond


class _Zone:
    """A sign, hours and minutes from UTC."""

    def __init__(self) -> None:
        self.sign: int | None = None
        self.hour: int | None = None
        self.minute: int | None = None

    def set(self, hours: int) -> None:
        self.sign, self.hour, self.minute = (-1 if hours < 0 else 1), abs(hours), 0

    def expects(self, number: int) -> bool:
        return self.hour is not None and self.minute is None and number <= 59

    @property
    def is_utc(self) -> bool:
        return self.hour == 0 and self.minute == 0

    def offset_s(self) -> int | None:
        if self.sign is None:
            return None
        return self.sign * ((self.hour or 0) * 3600 + (self.minute or 0) * 60)


def read_date_text(text: str) -> tuple[Fields, int | None] | None:
    """What a text says of a date.

    Returns:
        Its fields, and how many seconds it is ahead of UTC (None for local time); None when it is no date.
    """
    tokens, day, time, zone = Tokens(text), _Day(), _Time(), _Zone()
    try:
        token = _read_iso(tokens, day, time, zone)
        has_number = bool(day.numbers)
        while token is not END:
            has_number = _read_other(token, tokens, day, time, zone, has_number)
            token = tokens.take()
        return (*day.fields(), *time.fields()), zone.offset_s()
    except _NoDateError:
        return None


def _need(condition: bool) -> None:
    if not condition:
        raise _NoDateError


def _read_iso(tokens: Tokens, day: _Day, time: _Time, zone: _Zone) -> Token:
    """Read as far as it is ISO 8601; gives the first token that is not, END when all is."""
    if tokens.peek().kind == "sign":
        sign = tokens.take()
        if not tokens.peek().is_number(6) or (sign.value < 0 and tokens.peek().value == 0):
            return sign if not tokens.peek().is_number(6) else _give_up_year(tokens, sign)
        day.add(sign.value * tokens.take().value)
    elif tokens.peek().is_number(4):
        day.add(tokens.take().value)
    else:
        return tokens.take()
    for most in (12, 31):
        if not tokens.skip("-"):
            break
        if not tokens.peek().is_number(2, 1, most):
            return tokens.take()
        day.add(tokens.take().value)
    if tokens.peek().kind == "T":
        tokens.take()
        _read_iso_time(tokens, time)
        _read_iso_zone(tokens, zone)
        _need(tokens.peek() is END)
    elif tokens.peek() is not END:
        return tokens.take()
    if not time.numbers:
        zone.set(0)
    day.is_iso = True
    return END


def _give_up_year(tokens: Tokens, sign: Token) -> Token:
    tokens.take()  # V8 has read the year -000000 when it notices
    return sign


def _read_iso_time(tokens: Tokens, time: _Time) -> None:
    def number(most: int) -> None:
        _need(tokens.peek().is_number(2, 0, most))
        time.add(tokens.take().value)

    number(24)
    most = 0 if time.numbers[0] == 24 else 59
    _need(tokens.skip(":"))
    number(most)
    if tokens.skip(":"):
        number(most)
        if tokens.skip("."):
            fraction = tokens.take()
            _need(fraction.kind == "number" and (most > 0 or fraction.value == 0))
            time.add(fraction.milliseconds)


def _read_iso_zone(tokens: Tokens, zone: _Zone) -> None:
    if tokens.peek().is_z:
        tokens.take()
        zone.set(0)
    elif tokens.peek().kind == "sign":
        zone.sign = tokens.take().value
        if tokens.peek().is_number(4):
            zone.hour, zone.minute = divmod(tokens.take().value, 100)
            _need(zone.hour <= 23 and zone.minute <= 59)
            return
        _need(tokens.peek().is_number(2, 0, 23))
        zone.hour = tokens.take().value
        _need(tokens.skip(":") and tokens.peek().is_number(2, 0, 59))
        zone.minute = tokens.take().value


def _read_other(token: Token, tokens: Tokens, day: _Day, time: _Time, zone: _Zone, has_number: bool) -> bool:
    """Take one token in the old way; gives whether a number was read by now."""
    if token.kind == "number":
        _read_number(token.value, tokens, day, time, zone)
        return True
    if token.kind == "half" and time.numbers:
        time.half = token.value
    elif token.kind == "month":
        day.month = token.value
        tokens.skip("-")
    elif token.kind == "zone" and has_number:
        zone.set(token.value)
    elif token.kind in ("half", "zone", "T", "word"):
        _need(not has_number and tokens.peek().kind != "number")
    elif token.kind == "sign" and (zone.is_utc or time.numbers):
        _read_offset(token.value, tokens, zone)
        return True
    elif token.kind == "sign" or token.is_symbol(")"):
        _need(not has_number)
    return has_number


def _read_number(number: int, tokens: Tokens, day: _Day, time: _Time, zone: _Zone) -> None:
    if tokens.skip(":"):
        if tokens.skip(":"):
            _need(not time.numbers)
            time.add(number)
            time.add(0)
        else:
            time.add(number)
            tokens.skip(".")
        return
    if tokens.skip(".") and time.expects(number):
        time.add(number)
        _need(tokens.peek().kind == "number")
        time.finish(tokens.take().milliseconds)
        return
    if zone.expects(number):
        zone.minute = number
    elif time.expects(number):
        time.finish(number)
        follows = tokens.peek()
        _need(follows.kind in ("end", "space", "sign") or follows.is_z)
    else:
        day.add(number)
        tokens.skip("-")


def _read_offset(sign: int, tokens: Tokens, zone: _Zone) -> None:
    zone.sign = sign
    number, digits = 0, 0
    if tokens.peek().kind == "number":
        token = tokens.take()
        number, digits = token.value, len(token.text)
    if tokens.peek().is_symbol(":"):
        zone.hour, zone.minute = number, None
    elif digits in (1, 2):
        zone.hour, zone.minute = number, 0
    else:
        _need(digits in (3, 4))
        zone.hour, zone.minute = divmod(number, 100)
