"""The rule that is equivalent to a Python type."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import inspect as kinds

from broker.validation.errors import SchemaError
from broker.validation.signatures.types import RULE

Fields = kinds.StructType | kinds.DataclassType | kinds.TypedDictType
"""Types whose values are objects with known keys."""


class Equivalents:
    """Rules for the types of one signature; a type that contains itself gives a rule that does."""

    def __init__(self) -> None:
        self._open: dict[type, dict[str, Any]] = {}

    def rule(self, kind: kinds.Type, *, in_union: bool = False) -> dict[str, Any]:
        """The rule in long form.

        Args:
            kind: As msgspec sees the type.
            in_union: Whether other types are tried on the same value: then nothing may be put into it.

        Raises:
            SchemaError: No rule says the same.
        """
        simple = _simple(kind)
        if simple is not None:
            return simple
        match kind:
            case kinds.Metadata():
                return self.rule(kind.type, in_union=in_union) | dict((kind.extra or {}).get(RULE) or {})
            case kinds.UnionType():
                return self._union(kind)
            case kinds.ListType() | kinds.VarTupleType() | kinds.SetType() | kinds.FrozenSetType():
                return _limited({"type": "array", "items": self.rule(kind.item_type, in_union=in_union)}, kind)
            case kinds.TupleType():
                places = [self.rule(each, in_union=in_union) for each in kind.item_types]
                return {"type": "tuple", "items": places, "empty": False} if places else {"type": "array", "length": 0}
            case kinds.DictType():
                return self._dict(kind, in_union)
            case kinds.StructType() | kinds.DataclassType() | kinds.TypedDictType():
                return self._object(kind, in_union)
        raise SchemaError(f"{_name(kind)} has no rule that says the same; a string, a number or a dataclass has")

    def fields(self, kind: Fields, *, in_union: bool = False) -> dict[str, Any]:
        """The rules of an object's keys."""
        rules: dict[str, Any] = {}
        if isinstance(kind, kinds.StructType) and kind.tag_field is not None:
            rules[kind.tag_field] = {"type": "equal", "value": kind.tag, "strict": True}
            if not in_union:
                rules[kind.tag_field]["optional"] = True
        for field in kind.fields:
            try:
                rule = self.rule(field.type, in_union=in_union)
            except SchemaError as error:
                raise error.at(field.encode_name) from None
            if not field.required:
                rule = {**rule, "optional": True} | ({} if in_union else _default(field))
            rules[field.encode_name] = rule
        return rules

    def _union(self, kind: kinds.UnionType) -> dict[str, Any]:
        others = [each for each in kind.types if not isinstance(each, kinds.NoneType)]
        if not others:
            raise SchemaError("None alone is no parameter")
        rules = [self.rule(each, in_union=len(others) > 1) for each in others]
        rule = rules[0] if len(rules) == 1 else {"type": "multi", "rules": rules}
        is_nullable = len(others) < len(kind.types) or any(each.get("nullable") for each in rules)
        return {**rule, "nullable": True} if is_nullable else rule

    def _dict(self, kind: kinds.DictType, in_union: bool) -> dict[str, Any]:
        key, value = kind.key_type, kind.value_type
        if isinstance(key, kinds.AnyType) and isinstance(value, kinds.AnyType):
            return {"type": "object"}
        key_rule = {"type": "string"} if isinstance(key, kinds.AnyType) else self.rule(key)
        if key_rule["type"] not in ("string", "email", "url", "mac", "luhn", "uuid"):
            raise SchemaError(
                f"a dict with keys of {_name(key)}, expected texts: what comes from the wire has no others"
            )
        return {"type": "record", "key": key_rule, "value": self.rule(value, in_union=in_union)}

    def _object(self, kind: Fields, in_union: bool) -> dict[str, Any]:
        if isinstance(kind, kinds.StructType) and kind.array_like:
            raise SchemaError(f"{kind.cls.__name__} is an array on the wire, which has no rule that says the same")
        if kind.cls in self._open:
            return self._open[kind.cls]
        rule: dict[str, Any] = {"type": "object"}
        self._open[kind.cls] = rule
        try:
            rule["props"] = self.fields(kind, in_union=in_union)
        finally:
            del self._open[kind.cls]
        if isinstance(kind, kinds.StructType) and kind.forbid_unknown_fields:
            rule["strict"] = True
        return rule


def _simple(kind: kinds.Type) -> dict[str, Any] | None:
    """The rule of a type that holds no others; None for those that do."""
    match kind:
        case kinds.AnyType():
            return {"type": "any", "nullable": True}
        case kinds.CustomType() if kind.cls is object:
            return {"type": "any", "nullable": True}
        case kinds.BoolType():
            return {"type": "boolean"}
        case kinds.IntType() | kinds.FloatType():
            return _number(kind)
        case kinds.StrType():
            return _limited({"type": "string"}, kind) | ({} if kind.pattern is None else {"pattern": kind.pattern})
        case kinds.DateTimeType():
            return {"type": "date", "convert": True}
        case kinds.UUIDType():
            return {"type": "uuid"}
        case kinds.EnumType():
            return {"type": "enum", "values": [member.value for member in kind.cls]}
        case kinds.LiteralType():
            return _nullable({"type": "enum"}, kind.values)
    return None


def _number(kind: kinds.IntType | kinds.FloatType) -> dict[str, Any]:
    rule: dict[str, Any] = {"type": "number"}
    is_int = isinstance(kind, kinds.IntType)
    if is_int:
        rule["integer"] = True
    if kind.ge is not None:
        rule["min"] = kind.ge
    if kind.le is not None:
        rule["max"] = kind.le
    if kind.gt is not None:
        above = kind.gt + 1 if is_int else math.nextafter(kind.gt, math.inf)
        rule |= {"positive": True} if kind.gt == 0 else {"min": above}
    if kind.lt is not None:
        below = kind.lt - 1 if is_int else math.nextafter(kind.lt, -math.inf)
        rule |= {"negative": True} if kind.lt == 0 else {"max": below}
    return rule


def _limited(rule: dict[str, Any], kind: Any) -> dict[str, Any]:
    if kind.min_length is not None:
        rule["min"] = kind.min_length
    if kind.max_length is not None:
        rule["max"] = kind.max_length
    return rule


def _nullable(rule: dict[str, Any], values: Sequence[Any]) -> dict[str, Any]:
    rule["values"] = [value for value in values if value is not None]
    return {**rule, "nullable": True} if None in values else rule


def _default(field: kinds.Field) -> dict[str, Any]:
    """What stands in for an absent value, as JSON has it; nothing where that is None, or made anew each time."""
    value = field.default
    if field.default_factory in (list, dict, set, tuple):
        value = field.default_factory()
    if value is msgspec.NODEFAULT or value is None:
        return {}
    return {"default": msgspec.to_builtins(value)}


def _name(kind: kinds.Type) -> str:
    cls = getattr(kind, "cls", None)
    return cls.__name__ if isinstance(cls, type) else type(kind).__name__.removesuffix("Type").lower()
