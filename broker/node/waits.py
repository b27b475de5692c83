"""What tasks of a node wait for: futures; compiled, they may wake a task a turn of the loop sooner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from broker.native import IS_COMPILED, compiled

Wait: TypeAlias = "asyncio.Future[Any] | compiled.Wait"
"""Of one task."""

new_wait: Final[Callable[[asyncio.AbstractEventLoop], Any]] = (
    compiled.Wait if IS_COMPILED else lambda loop: loop.create_future()
)
"""One that is still to be settled."""

give: Final[Callable[[Any, Any], object]] = compiled.Wait.give if IS_COMPILED else asyncio.Future.set_result
"""Settles one with a result. The task may have gone on before this returns, if no other task runs now."""
