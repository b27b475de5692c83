"""What lies between values that a rule accepts and those that msgspec takes for a type.

A rule that is ``optional`` accepts null as well, where the type has a default: such a null is left out. To JavaScript
2.0 is an integer: such a number becomes one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import inspect as kinds

Adapt = Callable[[Any], Any]


class Adapters:
    """Adapters for the types of one signature."""

    def __init__(self) -> None:
        self._known: dict[type, list[Adapt]] = {}

    def adapter(self, kind: kinds.Type) -> Adapt | None:
        """What makes a value ready; None where it is so already."""
        match kind:
            case kinds.Metadata():
                return self.adapter(kind.type)
            case kinds.IntType() | kinds.EnumType() | kinds.LiteralType():
                return _integer
            case kinds.ListType() | kinds.VarTupleType() | kinds.SetType() | kinds.FrozenSetType():
                return _each_item(self.adapter(kind.item_type))
            case kinds.TupleType():
                return _in_places([self.adapter(each) for each in kind.item_types])
            case kinds.DictType():
                return _each_value(self.adapter(kind.value_type))
            case kinds.StructType() | kinds.DataclassType() | kinds.TypedDictType():
                return self._object(kind)
            case kinds.UnionType():
                return self._union(kind)
        return None

    def _object(self, kind: Any) -> Adapt:
        if kind.cls in self._known:
            known = self._known[kind.cls]
            return lambda value: known[0](value)  # noqa: PLW0108 - not known yet
        made = self._known[kind.cls] = []
        adapters = {field.encode_name: self.adapter(field.type) for field in kind.fields}
        dropped = {field.encode_name for field in kind.fields if not field.required and not may_be_none(field.type)}
        if getattr(kind, "tag_field", None) is not None:
            dropped.add(kind.tag_field)

        def adapt(value: Any) -> Any:
            if not isinstance(value, dict):
                return value
            adapted = {}
            for key, item in value.items():
                if item is None and key in dropped:
                    continue
                adapter = adapters.get(key)
                adapted[key] = item if adapter is None else adapter(item)
            return adapted

        made.append(adapt)
        return adapt

    def _union(self, kind: kinds.UnionType) -> Adapt | None:
        objects = [each for each in kind.types if isinstance(each, kinds.StructType)]
        if len(objects) > 1:
            by_tag = {each.tag: self.adapter(each) for each in objects}
            tag_field = objects[0].tag_field

            def by_its_tag(value: Any) -> Any:
                adapt = by_tag.get(value.get(tag_field)) if isinstance(value, dict) else None
                return value if adapt is None else adapt(value)

            return by_its_tag
        if any(isinstance(each, kinds.FloatType) for each in kind.types):
            return None  # a number with a point is what it is
        adapters = [adapt for each in kind.types if (adapt := self.adapter(each)) is not None]

        def one_by_one(value: Any) -> Any:
            for adapt in adapters:  # each leaves alone what is not of its type
                value = adapt(value)
            return value

        return one_by_one if adapters else None


def may_be_none(kind: kinds.Type) -> bool:
    """Whether None is a value of a type."""
    match kind:
        case kinds.Metadata():
            return may_be_none(kind.type)
        case kinds.UnionType():
            return any(may_be_none(each) for each in kind.types)
        case kinds.LiteralType():
            return None in kind.values
    return isinstance(kind, kinds.NoneType | kinds.AnyType) or getattr(kind, "cls", None) is object


def _integer(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _each_item(adapt: Adapt | None) -> Adapt | None:
    if adapt is None:
        return None
    return lambda value: [adapt(each) for each in value] if isinstance(value, list) else value


def _each_value(adapt: Adapt | None) -> Adapt | None:
    if adapt is None:
        return None
    return lambda value: {key: adapt(each) for key, each in value.items()} if isinstance(value, dict) else value


def _in_places(adapters: Sequence[Adapt | None]) -> Adapt | None:
    if not any(adapters):
        return None

    def adapt(value: Any) -> Any:
        if not isinstance(value, list) or len(value) != len(adapters):
            return value
        return [item if adapter is None else adapter(item) for item, adapter in zip(value, adapters, strict=True)]

    return adapt
