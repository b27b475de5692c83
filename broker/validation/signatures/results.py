"""What a function gives back, as plain data."""

from __future__ import annotations

import datetime
import inspect
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import inspect as kinds

from broker.validation.errors import SchemaError
from broker.validation.signatures.signature import annotations_of

_KEPT: Final = (bytes, bytearray, memoryview, datetime.datetime)
"""Serializers have ways of their own for these."""

_PLAIN: Final = (
    *(kinds.AnyType, kinds.NoneType, kinds.BoolType, kinds.IntType, kinds.FloatType, kinds.StrType),
    *(kinds.BytesType, kinds.DateTimeType, kinds.LiteralType, kinds.CustomType),
)


def plain_result(value: Any) -> Any:
    """Structs, dataclasses, enumerations, sets and the like as objects, texts, numbers and lists."""
    return msgspec.to_builtins(value, builtin_types=_KEPT)


def gives_more_than_plain_data(function: Callable[..., Any]) -> bool:
    """Whether a function is annotated to give back something that is no plain data."""
    try:
        annotation = inspect.signature(function).return_annotation
        if annotation is inspect.Signature.empty:
            return False
        kind = kinds.type_info(annotations_of(function, {"return": annotation})["return"])
    except (TypeError, ValueError, SchemaError):
        return False
    return not _is_plain(kind)


def _is_plain(kind: kinds.Type) -> bool:
    match kind:
        case kinds.Metadata():
            return _is_plain(kind.type)
        case kinds.UnionType():
            return all(map(_is_plain, kind.types))
        case kinds.ListType():
            return _is_plain(kind.item_type)
        case kinds.DictType():
            return _is_plain(kind.key_type) and _is_plain(kind.value_type)
        case kinds.TypedDictType():
            return all(_is_plain(field.type) for field in kind.fields)
    return isinstance(kind, _PLAIN)
