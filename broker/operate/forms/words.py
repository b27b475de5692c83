"""What a value may be, in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from broker.operate.forms.field import Field

Rule = dict[str, Any]
_SEVERAL: Final = 5
_LONG: Final = 40
_NAMES: Final = {
    "string": "text",
    "any": "anything",
    "email": "e-mail address",
    "url": "web address",
    "mac": "MAC address",
    "luhn": "number with a check digit",
    "forbidden": "must not be sent",
    "function": "a function, which cannot be sent",
    "enum": "one of",
    "multi": "one of several kinds",
    "record": "object with any keys",
}
_ALPHABETS: Final = (
    ("numeric", "digits"),
    ("alpha", "letters a–z"),
    ("alphanum", "letters and digits"),
    ("alphadash", "letters, digits, - and _"),
    ("hex", "hexadecimal"),
    ("base64", "base64"),
    ("singleLine", "one line"),
)
_CHANGES: Final = (
    ("trim", "spaces around it go"),
    ("lowercase", "made lower case"),
    ("localeLowercase", "made lower case"),
    ("uppercase", "made upper case"),
    ("localeUppercase", "made upper case"),
    ("normalize", "spaces around it go, made lower case"),
)


def words_of(rule: Rule, fields: tuple[Field, ...], item: Field | None) -> str:
    """Type, limits, whether it may be left out: "integer, positive, at most 100, default 20"."""
    name = str(rule["type"])
    describe = _DESCRIBED.get(name, _other)
    parts = describe(rule, fields, item)
    if rule.get("nullable") is True:
        parts.append("or null")
    if rule.get("default") is not None:
        parts.append(f"default {shortly(rule['default'])}")
    elif rule.get("optional") is True and name != "forbidden":
        parts.append("optional")
    return ", ".join(part for part in parts if part)


def shortly(value: Any) -> str:
    """A value as JSON, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def plural(count: Any, one: str) -> str:
    """``3 characters``, ``1 character``."""
    return f"{count} {one}" if count == 1 else f"{count} {one.replace('y', 'ie') if one.endswith('ty') else one}s"


def _range(rule: Rule, low: str, high: str, one: str) -> str:
    least, most = rule.get(low), rule.get(high)
    if least is not None and most is not None:
        return f"{least} to {plural(most, one)}" if least != most else plural(least, one)
    if least is not None:
        return f"at least {plural(least, one)}"
    return "" if most is None else f"at most {plural(most, one)}"


def _exactly(rule: Rule, one: str) -> str:
    return "" if rule.get("length") is None else plural(rule["length"], one)


def _string(rule: Rule, _fields: tuple[Field, ...], _item: Field | None) -> list[str]:
    parts = [_range(rule, "min", "max", "character"), _exactly(rule, "character")]
    if rule.get("empty") is False and rule.get("min") is None:
        parts.append("not empty")
    parts += [words for option, words in _ALPHABETS if rule.get(option) is True]
    if isinstance(rule.get("pattern"), str):
        parts.append(f"pattern /{rule['pattern']}/{rule.get('patternFlags') or ''}")
    if rule.get("contains") is not None:
        parts.append(f"contains {shortly(rule['contains'])}")
    if rule.get("enum"):
        return ["one of a list", *parts]
    parts += [words for option, words in _CHANGES if rule.get(option)]
    return parts if parts[0] or parts[1] else ["text", *parts]


def _number(rule: Rule, _fields: tuple[Field, ...], _item: Field | None) -> list[str]:
    parts = ["integer" if rule.get("integer") is True else "number"]
    parts += [word for word in ("positive", "negative") if rule.get(word) is True]
    least, most = rule.get("min"), rule.get("max")
    if least is not None and most is not None:
        parts.append(f"{least} to {most}")
    elif least is not None:
        parts.append(f"at least {least}")
    elif most is not None:
        parts.append(f"at most {most}")
    parts += [f"{rule['equal']} only"] if rule.get("equal") is not None else []
    parts += [f"not {rule['notEqual']}"] if rule.get("notEqual") is not None else []
    return parts


def _email(rule: Rule, _fields: tuple[Field, ...], _item: Field | None) -> list[str]:
    strict = "checked precisely" if rule.get("mode") == "precise" else ""
    return [_NAMES["email"], _range(rule, "min", "max", "character"), strict]


def _enum(_rule: Rule, _fields: tuple[Field, ...], _item: Field | None) -> list[str]:
    return ["one of a list"]


def _equal(rule: Rule, _fields: tuple[Field, ...], _item: Field | None) -> list[str]:
    if rule.get("field"):
        return [f"the same as {rule['field']}"]
    return [f"{shortly(rule.get('value'))} only"]


def _uuid(rule: Rule, _fields: tuple[Field, ...], _item: Field | None) -> list[str]:
    return ["UUID" if rule.get("version") is None else f"UUID of version {rule['version']}"]


def _date(rule: Rule, _fields: tuple[Field, ...], _item: Field | None) -> list[str]:
    return ["date"] if rule.get("convert") is True else ["date, not as text: only some serializers carry one"]


def _currency(rule: Rule, _fields: tuple[Field, ...], _item: Field | None) -> list[str]:
    symbol = rule.get("currencySymbol")
    return [f"amount of money with {symbol}" if symbol else "amount of money"]


def _array(rule: Rule, _fields: tuple[Field, ...], item: Field | None) -> list[str]:
    inner = "" if item is None else f" of {_NAMES.get(item.type, item.type)}"
    inner = " of enum" if (item is not None and item.kind == "choice") or rule.get("enum") else inner
    parts = [f"array{inner}", _range(rule, "min", "max", "item"), _exactly(rule, "item")]
    if rule.get("empty") is False and rule.get("min") is None:
        parts.append("not empty")
    parts += ["all different"] if rule.get("unique") is True else []
    parts += [f"contains {shortly(rule['contains'])}"] if rule.get("contains") is not None else []
    return parts


def _tuple(_rule: Rule, fields: tuple[Field, ...], _item: Field | None) -> list[str]:
    inner = ", ".join(_NAMES.get(each.type, each.type) for each in fields[:_SEVERAL])
    return [f"exactly {plural(len(fields), 'item')}: {inner}" if fields else "array"]


def _object(rule: Rule, _fields: tuple[Field, ...], _item: Field | None) -> list[str]:
    given = rule.get("strict")
    strict = "other keys are taken away" if given == "remove" else "no other keys" if given else ""
    count = _range(rule, "minProps", "maxProps", "property")
    return ["object", count, strict]


def _record(_rule: Rule, _fields: tuple[Field, ...], item: Field | None) -> list[str]:
    inner = "" if item is None or item.type == "any" else f", each {_NAMES.get(item.type, item.type)}"
    return [f"{_NAMES['record']}{inner}"]


def _multi(_rule: Rule, fields: tuple[Field, ...], _item: Field | None) -> list[str]:
    names: list[str] = []
    for each in fields:
        name = _NAMES.get(each.type, each.type)
        if name not in names:
            names.append(name)
    return [" or ".join(names[:_SEVERAL]) + (" …" if len(names) > _SEVERAL else "")]


def _other(rule: Rule, _fields: tuple[Field, ...], _item: Field | None) -> list[str]:
    return [_NAMES.get(str(rule["type"]), str(rule["type"]))]


_DESCRIBED: Final[dict[str, Callable[[Rule, tuple[Field, ...], Field | None], list[str]]]] = {
    "string": _string,
    "number": _number,
    "email": _email,
    "enum": _enum,
    "equal": _equal,
    "uuid": _uuid,
    "date": _date,
    "currency": _currency,
    "array": _array,
    "tuple": _tuple,
    "object": _object,
    "record": _record,
    "multi": _multi,
}
