"""Texts read as dates and numbers, numbers written as text, and patterns: as Node.js does it."""

from __future__ import annotations

import math
import random
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from broker.validation import SchemaError, Validator
from tests.e2e.npm_validator import NpmValidator, alike, canonical, encode
from tests.e2e.test_validation_equals_npm import SEED, pytestmark
from tests.e2e.validation_values import TEXTS

__all__ = ["pytestmark"]

Make = Callable[[random.Random], Any]


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is UTC here as it is in the process of Node.js."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def date_text(rng: random.Random) -> str:
    """Something like a date: a likely form with some of its parts replaced."""
    form = rng.choice(
        (
            "Y-M-D", "Y-M-DTh:m:sZ", "Y-M-DTh:m", "Y-M-DTh:m:s.fffO", "Y-M-D h:m:s", "M/D/Y", "N D Y", "D N Y h:m:s O",
            "W, D N Y h:m:s Z", "W N D Y h:m:s O (zone)", "h:m", "Y", "N D, Y h:m P", "Y/M/D", "D.M.Y", "N-D-Y",
            "x N 5",
            "+0YYY", "Y-MTh:m", "Y-M-D O", "D N", "Y M D h:m:s.ff", "h:m:s D N Y Z", "(x) N (y) D Y", "Y-M-DT24:00:00",
        )
    )  # fmt: skip
    parts: dict[str, Callable[[], str]] = {
        "Y": lambda: rng.choice(
            ("2020", "1999", "0001", "99", "5", "49", "50", "9999", "020", str(rng.randrange(1, 9999)))
        ),
        "M": lambda: rng.choice(("01", "1", "12", "13", "0", "7")),
        "D": lambda: rng.choice(("01", "1", "29", "30", "31", "32", "0", "15")),
        "h": lambda: rng.choice(("00", "0", "1", "12", "13", "23", "24", "25")),
        "m": lambda: rng.choice(("00", "5", "59", "60")),
        "s": lambda: rng.choice(("00", "5", "59", "60")),
        "f": lambda: str(rng.randrange(10)),
        "N": lambda: rng.choice(("Jan", "february", "MAR", "Sept", "Foo", "dece")),
        "W": lambda: rng.choice(("Mon", "Tuesday", "x")),
        "P": lambda: rng.choice(("am", "PM", "a.m.", "xm")),
        "Z": lambda: rng.choice(("Z", "GMT", "UTC", "EST", "pdt", "z", "XYZ")),
        "O": lambda: rng.choice(("+01:00", "-0530", "+5", "GMT+2", "-08", "+", "Z", "+99:99")),
    }
    text = "".join(parts[letter]() if letter in parts and rng.random() < 0.97 else letter for letter in form)
    if rng.random() < 0.15:
        at = rng.randrange(len(text) + 1)
        text = (
            text[:at] + rng.choice((" ", "-", ":", ".", "T", "(", ")", "+", "1", ",", "\u00a0", "é", "\0")) + text[at:]
        )
    return text


def number_text(rng: random.Random) -> str:
    """Something like a number."""
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randrange(1, 20)))
    number = rng.choice(
        (digits, f"{digits[:3]}.{digits}", f".{digits}", f"{digits}.", f"{digits}e{rng.randrange(-330, 320)}")
    )
    other = rng.choice(
        (f"0x{digits}", f"0b{digits}", "0b101", "0o17", f"0X{digits}f", "Infinity", "infinity", "1_0", "٣", "1e", "e1")
    )
    text = number if rng.random() < 0.7 else other
    return rng.choice(("", "+", "-", " ", "\ufeff", "\x1f", "--")) + text + rng.choice(("", "", " ", "\n", "n", "\x85"))


def any_double(rng: random.Random) -> float:
    """A double of any size."""
    number: float = struct.unpack("d", rng.randbytes(8))[0]
    if rng.random() < 0.5:
        number = rng.choice(
            (rng.uniform(-1, 1), rng.uniform(-1e6, 1e6), float(rng.randrange(10**22)))
        ) * 10.0 ** rng.randrange(-8, 8)
    return number if math.isfinite(number) else 0.0


def pattern(rng: random.Random, depth: int = 3) -> str:
    """Something like a regular expression."""
    atoms = [
        *(
            "a",
            "b",
            "é",
            "😀",
            ".",
            "\\d",
            "\\D",
            "\\w",
            "\\W",
            "\\s",
            "\\S",
            "^",
            "$",
            "\\b",
            "\\B",
            "\\.",
            "\\/",
            "/",
            "\\-",
            "-",
            "\\x61",
        ),
        *(
            "\\u0062",
            "\\u{61}",
            "\\n",
            "\\0",
            "\\cA",
            "[ab]",
            "[^ab]",
            "[a-c]",
            "[]",
            "[^]",
            "[\\d\\s-]",
            "[\\w-a]",
            "[é-ê😀]",
            "[\\b]",
            "[a\\]b]",
        ),
        *(
            "\\1",
            "\\2",
            "\\k<n>",
            "{",
            "}",
            "]",
            "{1",
            "a{,2}",
            "\\a",
            "\\_",
            "\\ud83d\\ude00",
            "#",
            " ",
            "&&",
            "[[a]",
            "\\p{L}",
            "\\p{Lu}",
        ),
    ]
    made = ""
    for _ in range(rng.randrange(1, 4)):
        kind = rng.random()
        if depth == 0 or kind < 0.75:
            part = rng.choice(atoms)
        else:
            opening = rng.choice(("(", "(?:", "(?=", "(?!", "(?<n>", "(?<=", "(?<!", "(?", "(?P<x>"))
            part = f"{opening}{pattern(rng, depth - 1)})"
        is_group = part[0] == "("  # repeated again and again it may take for ever, in Node.js too
        made += part + rng.choice(
            ("", "?", "{2}") if is_group else ("", "", "", "*", "+", "?", "*?", "{2}", "{1,}", "++")
        )
        if rng.random() < 0.15:
            made += "|"
    return made


def disagreements(schema: dict[str, Any], values: list[Any], npm: NpmValidator) -> list[str]:
    """What Node.js and we say differently of these values."""
    (answer,) = npm.run([{"schema": encode(schema), "values": encode(values), "options": {}}])
    check = Validator().compile(schema)
    found = []
    for value, their in zip(values, answer["results"], strict=True):
        given = repr(value)
        date = their["value"]["a"]
        if isinstance(date, dict) and "ms" in date and not -6.2e13 < (date["ms"] or 0) < 2.53e14:
            continue  # before the year 1 or after 9999
        errors = check(value)
        if not alike(canonical(their["errors"]), canonical(encode(errors))) or not alike(
            canonical(their["value"]), canonical(encode(value))
        ):
            found.append(f"{given}: npm {their}, ours {errors} {value}")
    return found


@pytest.mark.parametrize(
    ("schema", "make"),
    [
        ("date|convert", date_text),
        ("number|convert", number_text),
        ("date|convert", number_text),
        ("string|convert|max:0", any_double),
        ("number|max:-1e400", any_double),
    ],
)
def test_texts_and_numbers_are_read_and_written_as_node_does(schema: str, make: Make) -> None:
    rng = random.Random(SEED)
    values = [{"a": make(rng)} for _ in range(4000)]
    with NpmValidator() as npm:
        assert disagreements({"a": schema}, values, npm)[:5] == []


def test_patterns_match_what_they_match_in_node_or_are_refused() -> None:
    rng = random.Random(SEED)
    subjects = [*TEXTS, "aab", "abab", "a😀b", "é", "_", "a-b", "a/b", "\n", "a\nb", "aa", "bb"]
    cases, only_we, refused, matched = [], [], 0, 0
    for _ in range(1500):
        rule = {
            "type": "string",
            "pattern": pattern(rng),
            "patternFlags": rng.choice(("", "", "i", "u", "m", "s", "iu", "y")),
        }
        cases.append((rule, rng.sample(subjects, 12)))
    with NpmValidator() as npm:
        answers = npm.run(
            [{"schema": {"a": rule}, "values": [{"a": each} for each in texts], "options": {}} for rule, texts in cases]
        )
    for (rule, texts), answer in zip(cases, answers, strict=True):
        try:
            check = Validator().compile({"a": rule})
        except SchemaError as error:
            if "refused" not in answer:
                refused += 1
                only_we += [f"{rule}: {error}"] if "cannot be had" not in str(error) else []
            continue
        if "refused" in answer:
            is_accident = "Invalid regular expression" not in answer["refused"]
            assert is_accident, f"only npm refuses {rule}: {answer['refused']}"
            continue
        for text, their in zip(texts, answer["results"], strict=True):
            assert bool(check({"a": text})) == bool(their["errors"]), f"{rule} {text!r}: npm {their}"
            matched += not their["errors"]
    assert only_we == []
    assert refused < 150
    assert matched > 1000
