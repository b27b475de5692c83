"""A function's typed parameters: their schema, and its arguments from values that came from anywhere."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Final

import msgspec

from broker.validation.errors import SchemaError
from broker.validation.rule import Errors
from broker.validation.signatures.adapting import Adapters
from broker.validation.signatures.equivalent import Equivalents

_PLACE: Final = re.compile(r"(.*) - at `\$\.?(.*)`", re.DOTALL)
_CONSTANTS: Final = (str, int, float, bool, type(None))


class Signature:
    """What a function wants behind its first parameter.

    Attributes:
        schema: Equivalent to its types.
    """

    def __init__(self, arguments: type[msgspec.Struct]) -> None:
        """Take the arguments as the fields of a struct.

        Raises:
            SchemaError: A type has no equivalent rule.
        """
        try:
            kind = msgspec.inspect.type_info(arguments)
        except TypeError as error:
            raise SchemaError(str(error)) from None
        assert isinstance(kind, msgspec.inspect.StructType)  # noqa: S101 - it was made as one
        self.schema = Equivalents().fields(kind)
        self._arguments = arguments
        adapt = Adapters().adapter(kind)
        assert adapt is not None  # noqa: S101 - an object has one
        self._adapt = adapt

    def arguments(self, params: Any) -> tuple[dict[str, Any], Errors]:
        """Arguments by name, from what was given.

        Args:
            params: An object; the schema should have found it right.

        Returns:
            The arguments, and what is wrong: one error, or none.
        """
        given = {} if params is None else params
        try:
            return msgspec.structs.asdict(msgspec.convert(given, self._arguments)), []
        except msgspec.ValidationError:
            adapted = self._adapt(given)
        try:
            return msgspec.structs.asdict(msgspec.convert(adapted, self._arguments)), []
        except msgspec.ValidationError as error:
            return {}, [_as_error(str(error))]


def signature_of(function: Callable[..., Any]) -> Signature | None:
    """The typed signature of a function whose first parameter is not one of them; None where it has no others.

    Raises:
        SchemaError: It has parameters that are not annotated, or whose types have no equivalent rule.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    if not parameters or parameters[0].kind is inspect.Parameter.VAR_POSITIONAL:
        return None
    typed = parameters[1:]
    for parameter in typed:
        _check(parameter)
    if not typed:
        return None
    hints = annotations_of(function, {each.name: each.annotation for each in typed})
    fields = [(each.name, hints[each.name], _field(each.default)) for each in typed]
    return Signature(msgspec.defstruct("Params", fields, kw_only=True))


def annotations_of(function: Callable[..., Any], annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Annotations that may be texts, as types.

    Raises:
        SchemaError: One names what the function's module does not know.
    """
    known = getattr(inspect.unwrap(function), "__globals__", {})
    holder = type("Annotations", (), {"__annotations__": dict(annotations)})
    try:
        return typing.get_type_hints(holder, globalns=known, include_extras=True)
    except NameError as error:
        module = known.get("__name__", "its module")
        raise SchemaError(f"annotated with {error.name!r}, which is not at the top of {module}") from None
    except (TypeError, SyntaxError) as error:
        raise SchemaError(f"annotations cannot be read: {error}") from None


def _check(parameter: inspect.Parameter) -> None:
    if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
        raise SchemaError(f"takes {parameter}, expected parameters by name, each with a type")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise SchemaError("may not be given by name, expected no '/' in the signature", parameter.name)
    if parameter.annotation is parameter.empty:
        raise SchemaError("has no type, expected an annotation such as int or str | None", parameter.name)


def _field(default: Any) -> Any:
    if default is inspect.Parameter.empty:
        return msgspec.field()
    if isinstance(default, _CONSTANTS):
        return msgspec.field(default=default)
    try:
        hash(default)
    except TypeError:
        if not default and type(default) in (list, dict, set):
            return msgspec.field(default_factory=type(default))
        return msgspec.field(default_factory=lambda: deepcopy(default))
    return msgspec.field(default=default)


def _as_error(text: str) -> dict[str, Any]:
    match = _PLACE.fullmatch(text)
    message, field = match.groups() if match else (text, "")
    named = f"The '{field}' field: {message}." if field else f"{message}."
    return {"type": "typed", "message": named, **({"field": field} if field else {})}
