"""Values that forms may be filled in with: right ones, and ones that are wrong at one place or two."""

from __future__ import annotations

import json
import math
import random
from typing import Any

from broker.operate.forms.field import Field, Path
from broker.operate.forms.paths import at, inserted, put
from broker.validation import UNDEFINED
from tests.e2e.validation_values import TEXTS, any_number, any_text, any_value

SAMPLES = {
    "[A-Z0-9][A-Z0-9 -]": ["SW1A 1AA", "10115", "8001", "a"],
    "[A-Z]{1,3}-": ["A-17", "ABC-123456", "C-03"],
    "\\+[1-9]": ["+41 44 123 45 67", "+1 555 000 1111"],
    "-?[a-z]": ["-created", "name", "user.name", "A"],
    "[A-Za-z-]+": ["X-Token", "Accept"],
    "[^/": ["photo.jpg", "a b.pdf", "a/b"],
    "[a-z]+(\\.": ["cart.title", "a.b_c.d", "cart"],
    "[a-z]{2}(": ["en", "de-CH", "EN"],
    "(\\S+": ["0 4 * * 1", "*/5 * * * *", "0 4 *"],
    "#[0-9a-f]": ["#5aa9ff", "#FFAA00", "#fff"],
}
"""By the beginning of a pattern."""
LOST_PATTERNS = {
    "country": ["DE", "ch"],
    "locale": ["en", "en-GB"],
    "mimetype": ["image/png", "text/x.y+z"],
    "action": ["v2.orders.get", "mail.send"],
    "ip": ["10.4.0.7", "192.0.2.1"],
    "money": ["12.50", "0.99"],
    "": ["order.paid", "*", "user.*.done", "5m", "100ms"],
}
"""What patterns that INFO does not carry like, by the name of the field; of items and alternatives without one."""
GOOD = {
    "email": ["ada@example.com", "john.doe@mail.example.org", "a@b.co"],
    "url": ["https://shop.example/hook?x=1", "http://a"],
    "uuid": ["10ba038e-48da-487b-96e8-8d3b99b6d18a", "6ba7b810-9dad-41d1-80b4-00c04fd430c8"],
    "mac": ["01:23:45:67:89:ab", "01-23-45-67-89-AB"],
    "luhn": ["4242 4242 4242 4242", "79927398713"],
    "currency": ["$1,234.56", "-$12", "12", "0.5"],
    "date": ["2026-03-01", "2026-03-01T10:00:00Z", "2026-03-01 12:30", 1772323200000, "1772323200000"],
}


def right(rng: random.Random, field: Field, depth: int = 6) -> Any:
    """A value that a field is likely to like."""
    if field.is_nullable and rng.random() < 0.08:
        return None
    kind = field.kind
    if kind == "union":
        return right(rng, rng.choice(field.fields), depth)
    if kind == "object":
        return _object(rng, field, depth)
    if kind in ("array", "choices"):
        return _array(rng, field, depth)
    if kind == "tuple":
        return [right(rng, each, depth - 1) for each in field.fields]
    if kind == "record" and field.item is not None:
        key = field.rule.get("key") or {"type": "string"}
        keys = [_text(rng, key if isinstance(key, dict) else {}) for _ in range(rng.randrange(3))]
        return {name: right(rng, field.item, depth - 1) for name in keys}
    if kind == "choice":
        return rng.choice(field.choices)
    if kind == "boolean":
        return rng.choice((True, False))
    if kind == "number":
        return _number(rng, field.rule)
    if field.type in GOOD:
        return rng.choice(GOOD[field.type])
    if field.type == "string":
        known = LOST_PATTERNS.get(field.name) if field.unsure else None
        return rng.choice(known) if known and rng.random() < 0.95 else _text(rng, field.rule)
    if field.unsure:
        return rng.choice(["5f0c1d2e3b4a5968778695a4"] * 9 + ["anything"])
    return json_value(rng) if field.type != "equal" else None


def _object(rng: random.Random, field: Field, depth: int) -> dict[str, Any]:
    made = {}
    for each in field.fields:
        often = 0.985 if each.is_required else 0.5 if depth > 0 else 0.0
        if each.kind in ("forbidden", "never"):
            often = 0.03
        if rng.random() < often:
            made[each.name] = right(rng, each, depth - 1)
    for each in field.fields:
        if each.type == "equal" and each.rule.get("field") in made and each.name in made and rng.random() < 0.9:
            made[each.name] = made[each.rule["field"]]
    return made


def _array(rng: random.Random, field: Field, depth: int) -> list[Any]:
    rule = field.rule
    least = int(rule.get("length", rule.get("min", 0)))
    most = int(rule.get("length", rule.get("max", least + 2)))
    count = rng.randint(least, min(most, least + 2))
    if field.kind == "choices":
        return [rng.choice(field.choices) for _ in range(count)]
    return [json_value(rng) if field.item is None else right(rng, field.item, depth - 1) for _ in range(count)]


def _number(rng: random.Random, rule: dict[str, Any]) -> Any:
    if rule.get("equal") is not None:
        return rule["equal"]
    low = rule.get("min", 1 if rule.get("positive") else -3)
    high = rule.get("max", low + 1000)
    value: float = rng.choice((low, high, rng.uniform(low, high)))
    if rule.get("integer"):
        value = round(value)
    if rule.get("convert") and rng.random() < 0.2:
        return str(value)
    return value


def _text(rng: random.Random, rule: dict[str, Any]) -> str:
    if rule.get("enum"):
        return str(rng.choice(rule["enum"]))
    if isinstance(rule.get("pattern"), str):
        known = [texts for start, texts in SAMPLES.items() if rule["pattern"].lstrip("^").startswith(start)]
        assert known, f"no samples for {rule['pattern']}"
        return rng.choice(known[0])
    if rule.get("type") in GOOD:
        return str(rng.choice(GOOD[rule["type"]]))
    letters = "0123456789" if rule.get("numeric") else "0123456789abcdef" if rule.get("hex") else "abcXYZ019"
    letters = "abcxyz" if rule.get("alpha") else letters
    if rule.get("base64"):
        return rng.choice(["YWJj", "YWI=", "YQ=="])
    least = int(rule.get("length", rule.get("min", 0)))
    most = int(rule.get("length", rule.get("max", least + 12)))
    length = rng.choice((least, most, rng.randint(least, most)))
    text = "".join(rng.choice(letters) for _ in range(length + length % 2 if rule.get("hex") else length))
    return f"<b>{text}" if rule.get("contains") == "<" else text


def nearly(rng: random.Random, value: Any) -> Any:
    """The value with a mistake, perhaps."""
    places = list(_places(value, ()))
    path = rng.choice(places)
    part = at(value, path)
    choice = rng.randrange(9)
    if choice == 0:
        return put(value, path, UNDEFINED) if path else json_value(rng)
    if choice == 1:
        return put(value, path, None)
    if choice == 2 and isinstance(part, dict):
        return put(value, (*path, rng.choice(("extra", "id", "x.y", "0", "__x"))), json_value(rng))
    if choice == 3 and isinstance(part, list):
        return put(value, path, inserted(part, rng.randint(0, len(part)), rng.choice([*part, None, 1])))
    if choice == 4 and isinstance(part, int | float):
        return put(
            value,
            path,
            rng.choice(
                (part + 1, part - 1, part + 0.5 if abs(part) < 2**53 else 0.5, -part, str(part), 2**53 + 1, 10**30)
            ),
        )
    if choice == 5 and isinstance(part, str):
        return put(
            value, path, rng.choice((part + "x", part[:-1], part.upper(), f" {part} ", "", part * 20, part + "\n"))
        )
    if choice == 6 and isinstance(part, list | dict):
        return put(value, path, type(part)())
    if choice == 7:
        return put(
            value, path, rng.choice([any_number(rng), any_text(rng), rng.choice(TEXTS), True, [part], {"a": part}])
        )
    return put(value, path, json_value(rng))


def _places(value: Any, path: Path) -> list[Path]:
    found = [path]
    if isinstance(value, dict):
        for key, part in value.items():
            found += _places(part, (*path, key))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            found += _places(part, (*path, place))
    return found


def json_value(rng: random.Random) -> Any:
    """Anything that JSON can say."""
    return plain(any_value(rng, 1))


def plain(value: Any) -> Any:
    """What JSON carries of a value; null for the rest."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**300:
        return None
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, str | int | float | bool) else None


def values_for(rng: random.Random, field: Field) -> Any:
    """A value for a form: half of them are meant to be right."""
    value = right(rng, field)
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        value = nearly(rng, value)
    return json.loads(json.dumps(plain(value if value is not UNDEFINED else None)))
