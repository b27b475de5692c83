"""From a published schema to the fields of a form, and to the rule that can be checked here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from broker.operate.forms.field import Field, Kind
from broker.operate.forms.lost import IS_LOST, LOST, LOST_RULE, broken, is_lost, repaired, without_options
from broker.operate.forms.words import words_of
from broker.validation import UNDEFINED, SchemaError, ValidatorOptions
from broker.validation.compiler import Compiler
from broker.validation.language import clone
from broker.validation.messages import MESSAGES
from broker.validation.rule import RuleMaker
from broker.validation.rules import RULES
from broker.validation.rules.kinds import make_any

_KINDS: Final[dict[str, Kind]] = {
    "string": "text",
    "number": "number",
    "boolean": "boolean",
    "enum": "choice",
    "date": "date",
    "array": "array",
    "tuple": "tuple",
    "record": "record",
    "object": "object",
    "multi": "union",
    "forbidden": "forbidden",
    "function": "never",
    "any": "any",
}
"""Others are texts of some form."""


class _Types(dict[str, RuleMaker]):
    """Every name is that of a rule: those that are not known are the service's own."""

    def get(self, key: str, _default: Any = None) -> Any:
        return super().get(key, make_any if key else None)


_COMPILER: Final = Compiler(ValidatorOptions(), _Types(RULES), MESSAGES, is_async=False)


def read_schema(schema: object) -> Field:
    """The whole of a form.

    Args:
        schema: As INFO carries it: an object of rules, one rule with ``$$root``, or a list of alternatives.

    Raises:
        SchemaError: It is no schema of fastest-validator's; says where and why.
    """
    if not isinstance(schema, Mapping | list):
        raise SchemaError(f"the schema is {schema!r}, expected an object of rules")
    root = clone(schema)
    unsure: tuple[str, ...] = ()
    if isinstance(root, dict):
        if root.pop("$$async", None) is True:
            unsure = ("perhaps checks of the service's own, which it waits for",)
        if root.get("$$root") is not True:
            properties = {name: rule for name, rule in root.items() if not str(name).startswith("$$")}
            root = {"type": "object", "strict": root.get("$$strict"), "props": properties}
        else:
            del root["$$root"]
    return _field(root, "", "", unsure)


def _field(schema: Any, name: str, path: str, unsure_of: tuple[str, ...] = ()) -> Field:
    if is_lost(schema):
        return Field(name, "any", "any", dict(LOST), name, "", is_required=False, is_nullable=True, unsure=(LOST_RULE,))
    rule, told = repaired(_long(schema, path))
    unsure = [*unsure_of, *told]
    if rule["type"] not in ("object", "array", "tuple", "record", "multi") and (why := broken(rule)):
        rule, unsure = without_options(rule), [*unsure, f"its rule cannot be read: {why}"]
    fields, item = _within(rule, path, unsure)
    kind = _kind(rule, item)
    choices = _choices(rule, item) if kind in ("choice", "choices") else ()
    is_forbidden = rule["type"] == "forbidden"
    has_default = rule.get("default") is not None
    optional = rule.get("optional") is True or is_forbidden
    return Field(
        name=name,
        kind=kind,
        type=str(rule["type"]),
        rule=rule,
        label=_said(rule, "label") or name,
        words=words_of(rule, fields, item),
        is_required=not (optional or has_default),
        is_nullable=rule.get("nullable") is True or (optional and not has_default),
        default=rule["default"] if has_default else UNDEFINED,
        help=_said(rule, "description") or _said(rule, "help") or _said(rule, "comment"),
        choices=choices,
        fields=fields,
        item=item,
        unsure=tuple(unsure),
    )


def _long(schema: Any, path: str) -> dict[str, Any]:
    if isinstance(schema, list):
        schema = [{**LOST, IS_LOST: True} if is_lost(each) else each for each in schema]
    try:
        return dict(_COMPILER.rule(schema).schema)
    except SchemaError as error:
        raise SchemaError(error.message.split(", expected one of")[0], path) from None


def _within(rule: dict[str, Any], path: str, unsure: list[str]) -> tuple[tuple[Field, ...], Field | None]:
    """The fields within a rule; what the rule says about them becomes what can be checked of them."""
    name = rule["type"]
    if name == "object":
        return _properties(rule, path), None
    if name in ("tuple", "multi"):
        option = "items" if name == "tuple" else "rules"
        places = [f"{path}[{number}]" if name == "tuple" else path for number in range(len(rule.get(option) or ()))]
        made = [_field(each, "", at) for each, at in zip(rule.get(option) or (), places, strict=True)]
        if option in rule:
            rule[option] = [each.rule for each in made]
        return tuple(made), None
    if name == "array" and rule.get("items") is not None:
        item = _field(rule["items"], "", f"{path}[]")
        rule["items"] = item.rule
        return (), item
    if name == "record":
        if rule.get("key"):
            key = _field(rule["key"], "", path)
            rule["key"] = key.rule
            unsure.extend(f"of its keys: {each}" for each in key.unsure)
        item = _field(rule.get("value") or "any", "", f"{path}[key]")
        rule["value"] = item.rule
        return (), item
    return (), None


def _properties(rule: dict[str, Any], path: str) -> tuple[Field, ...]:
    option = "properties" if rule.get("properties") else "props"
    given = rule.get(option)
    if not isinstance(given, dict):
        rule.pop("properties", None)
        rule.pop("props", None)
        return ()
    made = tuple(
        _field(each, str(name), f"{path}.{name}" if path else str(name))
        for name, each in given.items()
        if not str(name).startswith("$$")
    )
    rule[option] = {each.name: each.rule for each in made}
    return made


def _kind(rule: dict[str, Any], item: Field | None) -> Kind:
    name = str(rule["type"])
    if name == "string" and rule.get("enum"):
        return "choice"
    if name == "array" and (rule.get("enum") or (item is not None and item.kind == "choice")):
        return "choices"
    if name == "equal" and not rule.get("field"):
        return "choice" if isinstance(rule.get("value"), str | int | float | bool) else "any"
    return _KINDS.get(name, "text")


def _choices(rule: dict[str, Any], item: Field | None) -> tuple[Any, ...]:
    if item is not None and not rule.get("enum"):
        return item.choices
    values = [rule["value"]] if rule["type"] == "equal" else rule.get("values", rule.get("enum")) or ()
    made: list[Any] = []
    for value in values:
        if isinstance(value, str | int | float | bool) and not any(_is(value, known) for known in made):
            made.append(value)
    return tuple(made)


def _is(value: Any, other: Any) -> bool:
    return isinstance(value, bool) == isinstance(other, bool) and bool(value == other)


def _said(rule: dict[str, Any], option: str) -> str:
    value = rule.get(option)
    return value if isinstance(value, str) else ""
