"""Schemas of services as plain dictionaries, and how mixins are merged into them: MoleculerJS's rules.

A schema has MoleculerJS's keys, with times in MoleculerJS's units. Nothing here changes what it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

Schema = dict[str, Any]

_LIFECYCLE: Final = ("merged", "created", "started", "stopped")


def with_mixins(schema: Mapping[str, Any]) -> Schema:
    """A schema with its mixins merged in; of several mixins the first counts most."""
    mixins = _listed(schema.get("mixins") or ())
    mixed: Schema | None = None
    for mixin in map(with_mixins, reversed(mixins)):
        mixed = mixin if mixed is None else merged(mixed, mixin)
    alone: Schema = _copied(schema)
    return alone if mixed is None else merged(mixed, alone)


def merged(mixin: Mapping[str, Any], schema: Mapping[str, Any]) -> Schema:
    """A schema put over a mixin.

    Args:
        mixin: What is completed or overruled.
        schema: What counts more.
    """
    result: Schema = _copied(mixin)
    for key, value in _copied(schema).items():
        merge = _MERGES.get(key)
        result[key] = value if merge is None else merge(value, result.get(key))
    return result


def completed(value: Any, defaults: Any) -> Any:
    """A value completed by defaults, deep into dictionaries and lists (by place); what is there stays."""
    if isinstance(value, dict) and isinstance(defaults, Mapping | list):
        if isinstance(defaults, list):  # to JavaScript a list is an object too
            defaults = {str(place): default for place, default in enumerate(defaults)}
        for key, default in defaults.items():
            value[key] = completed(value[key], default) if key in value else _copied(default)
    elif isinstance(value, list) and isinstance(defaults, list):
        for place, default in enumerate(defaults):
            if place < len(value):
                value[place] = completed(value[place], default)
            else:
                value.append(_copied(default))
    return value


def _settings(over: Any, under: Any) -> Any:
    secure = [*((over or {}).get("$secureSettings") or ()), *((under or {}).get("$secureSettings") or ())]
    if secure:
        under = {**(under or {}), "$secureSettings": _unique(secure)}
    return completed({} if over is None else over, under)


def _hooks(over: Schema, under: Schema | None) -> Schema:
    result = under or {}
    for kind, named in over.items():
        known = result.setdefault(kind, {})
        for pattern, hook in named.items():
            known[pattern] = _joined_hooks(kind, hook, known.get(pattern))
    return result


def _joined_hooks(kind: str, over: Any, under: Any) -> list[Any]:
    """Before an action the mixin's come first, after it the schema's."""
    first, second = (under, over) if kind == "before" else (over, under)
    return [hook for hook in (*_listed(first), *_listed(second)) if hook]


def _actions(over: Schema, under: Schema | None) -> Schema:
    result = under or {}
    for name, action in over.items():
        if action is False:
            result.pop(name, None)
            continue
        written, known = _with_handler(action), _with_handler(result.get(name))
        if isinstance(written, dict) and isinstance(known, dict) and written.get("hooks") and known.get("hooks"):
            for kind, hook in written["hooks"].items():
                written["hooks"][kind] = _joined_hooks(kind, hook, known["hooks"].get(kind))
        result[name] = completed(written, known)
    return result


def _events(over: Schema, under: Schema | None) -> Schema:
    result = under or {}
    for name, event in over.items():
        written, known = _with_handler(event), _with_handler(result.get(name))
        handlers = [
            handler
            for each in (known, written)
            for handler in _listed(each.get("handler") if isinstance(each, dict) else None)
            if handler
        ]
        result[name] = completed(written, known)
        if isinstance(written, dict):
            written["handler"] = handlers[0] if len(handlers) == 1 else handlers
    return result


def _methods(over: Schema, under: Schema | None) -> Schema:
    return {**(under or {}), **(over or {})}


def _unique_list(over: Any, under: Any) -> list[Any]:
    return _unique(each for each in (*_listed(over), *_listed(under)) if each)


def _in_turn(over: Any, under: Any) -> list[Any]:
    return [handler for handler in (*_listed(under), *_listed(over)) if handler]


_MERGES: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "settings": _settings,
    "metadata": completed,
    "hooks": _hooks,
    "actions": _actions,
    "methods": _methods,
    "events": _events,
    "mixins": _unique_list,
    "dependencies": _unique_list,
    **dict.fromkeys(_LIFECYCLE, _in_turn),
}
"""By key: (the schema's value, the mixin's or None) to the result. The schema's value overrules where there is none."""


def _with_handler(written: Any) -> Any:
    return {"handler": written} if callable(written) else written


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _unique(values: Iterable[Any]) -> list[Any]:
    unique: list[Any] = []
    for value in values:
        if value not in unique:
            unique.append(value)
    return unique


def _copied(value: Any) -> Any:
    """A copy as deep as dictionaries and lists go; functions and other objects stay themselves."""
    if isinstance(value, Mapping):
        return {key: _copied(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(each) for each in value]
    return value
