"""What the span of an action or event says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from broker.node.context import Context
from broker.node.streaming import is_stream
from broker.node.tracing.options import Tags
from broker.node.tracing.plain import without_circles

_DEFAULT: Final[Mapping[str, Any]] = {"params": True}


class Captured:
    """What is taken of params, meta and result: by the action's own word, else by the broker's.

    Attributes:
        says_more_at_end: Whether `at_end` may have something to say.
    """

    def __init__(self, own: Tags | None, general: Tags | None, *, is_safe: bool) -> None:
        """Decide once.

        Args:
            own: Of the action or event.
            general: Of the broker.
            is_safe: Whether circles and functions are taken out at once.
        """
        self._make: Callable[..., Mapping[str, Any] | None] | None = None
        self._is_safe = is_safe
        if callable(own):
            self._make = own
        elif not own and callable(general):
            self._make = general
        wanted = {} if self._make is not None else {**_DEFAULT, **_choices(general), **_choices(own)}
        self._params, self._meta, self._response = (wanted.get(name) for name in ("params", "meta", "response"))
        self.says_more_at_end = self._make is not None or bool(self._response)

    def at_start(self, ctx: Context, tags: dict[str, Any]) -> dict[str, Any]:
        """The tags, with what is known when it begins."""
        if self._make is not None:
            tags |= self._make(ctx) or {}
        else:
            if self._params:
                _take(tags, "params", ctx.params, self._params)
            if self._meta:
                _take(tags, "meta", ctx.meta, self._meta)
        return without_circles(tags) if self._is_safe else tags

    def at_end(self, ctx: Context, result: Any) -> dict[str, Any]:
        """What is known only when it has ended."""
        if self._make is not None:
            return dict(self._make(ctx, result) or {})
        tags: dict[str, Any] = {}
        if self._response and not is_stream(result):
            _take(tags, "response", result, self._response)
        return tags


def _choices(tags: Tags | None) -> Mapping[str, Any]:
    return tags if isinstance(tags, Mapping) else {}


def _take(tags: dict[str, Any], name: str, value: Any, choice: Any) -> None:
    """All of it, as a copy that does not change with it; or what stands under some keys."""
    if choice is True:
        tags[name] = dict(value) if isinstance(value, dict) else value
    elif isinstance(choice, list | tuple):
        tags[name] = {key: value[key] for key in choice if key in value} if isinstance(value, Mapping) else {}
