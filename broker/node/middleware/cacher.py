"""Answers calls of our actions from what was answered before."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from broker.node.caching.base import Cacher, Unlock
from broker.node.caching.options import CacheOptions
from broker.node.context import Context
from broker.node.definitions import ActionDefinition, Handler, ServiceDefinition
from broker.node.middleware.base import Middleware
from broker.node.streaming import is_stream

if TYPE_CHECKING:
    from broker.node.broker import Broker

log = logging.getLogger(__name__)


class Caching(Middleware):
    """By the broker's cacher and the action's ``cache``. ``meta["$cache"] = False`` asks past it."""

    def created(self, broker: Broker) -> None:
        """Give the cacher to its broker."""
        self._broker = broker
        self._cacher = broker.cacher
        if self._cacher is not None:
            self._cacher.begin(broker)

    async def starting(self, broker: Broker) -> None:
        """The cacher connects, if it has something to connect to."""
        if self._cacher is not None:
            await self._cacher.start()

    async def stopped(self, broker: Broker) -> None:
        """The cacher ends."""
        if self._cacher is not None:
            await self._cacher.close()

    def local_action(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Where there is a cacher, and the action wants it."""
        options = CacheOptions.of(action.said("cache"))
        cacher = self._cacher
        if cacher is None or options.enabled is False:
            return call
        cached = _Cached(self._broker, cacher, options, call)
        answer = cached.with_lock if options.lock.enabled else cached.without_lock
        is_enabled = options.enabled if callable(options.enabled) else None

        def handler(ctx: Context) -> Awaitable[Any]:
            if ctx.meta.get("$cache") is False or not cacher.is_connected or (is_enabled and not is_enabled(ctx)):
                return call(ctx)
            return answer(ctx, cacher.key_of(action.name, options, ctx))

        return handler


class _Cached:
    """The results of one action."""

    def __init__(self, broker: Broker, cacher: Cacher, options: CacheOptions, call: Handler) -> None:
        self._broker = broker
        self._cacher = cacher
        self._options = options
        self._call = call

    async def without_lock(self, ctx: Context, key: str) -> Any:
        """The kept result, or a new one; calls that come meanwhile make their own."""
        data = await self._cacher.get(key)
        if not self._cacher.is_missing(data):
            ctx.cached_result = True
            return data
        result = await self._call(ctx)
        await self._keep(key, result)
        return result

    async def with_lock(self, ctx: Context, key: str) -> Any:
        """The kept result, or a new one; calls that come meanwhile wait for it."""
        data = await self._kept_or_renewed(ctx, key)
        if not self._cacher.is_missing(data):
            ctx.cached_result = True
            return data
        unlock = await self._cacher.lock(key, self._options.lock.ttl_s)
        try:
            data = await self._cacher.get(key)
            if data is not None and not self._cacher.is_missing(data):
                ctx.cached_result = True
                return data
            result = await self._call(ctx)
            await self._keep(key, result)
            return result
        finally:
            await unlock()

    async def _kept_or_renewed(self, ctx: Context, key: str) -> Any:
        stale_s = self._options.lock.stale_s
        if not stale_s:
            return await self._cacher.get(key)
        data, left_s = await self._cacher.get_with_ttl(key)
        if data is not None and left_s is not None and left_s < stale_s:
            unlock = await self._cacher.try_lock(key, self._options.lock.ttl_s)
            if unlock is not None:
                self._broker.tasks.spawn(self._renew(ctx, key, unlock), f"renewing {key}")
        return data

    async def _renew(self, ctx: Context, key: str, unlock: Unlock) -> None:
        """Make a result anew while the old one is still answered; when that fails, it is answered no longer."""
        try:
            await self._keep(key, await self._call(ctx))
        except Exception as error:  # noqa: BLE001 - nobody waits for this result
            log.warning("the result for %s could not be renewed: %s", key, error)
            await self._cacher.delete(key)
        finally:
            await unlock()

    async def _keep(self, key: str, result: Any) -> None:
        if not is_stream(result):  # can be read once only
            await self._cacher.set(key, result, self._options.ttl_s)
