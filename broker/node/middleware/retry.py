"""Makes a failed call again, elsewhere if there is an elsewhere. Runs at the caller only."""

from __future__ import annotations

from typing import Any

from broker.node.context import Context
from broker.node.definitions import ActionDefinition, Handler, ServiceDefinition
from broker.node.endpoints import ActionEndpoint
from broker.node.middleware.around import AroundCalls
from broker.node.options import RetryPolicy


class Retry(AroundCalls):
    """By the broker's policy, overlaid with the action's ``retryPolicy``; it goes through the balancer again."""

    def around(self, call: Handler, service: ServiceDefinition, action: ActionDefinition) -> Handler:
        """Where the policy is enabled."""
        broker = self._broker
        policy = broker.options.retry.overlaid(action.said("retryPolicy"))
        if not policy.enabled:
            return call

        async def handler(ctx: Context) -> Any:
            try:
                return await call(ctx)
            except Exception as error:
                if self._is_served_for_another(ctx) or not policy.check(error):
                    raise
                broker.tolerance.retried(service, action)  # MoleculerJS counts the last failure too
                if ctx.attempts >= _limit(ctx, policy):
                    raise
                if ctx.span is not None:
                    ctx.span.set_error(error).add_tags({"retryAttempts": ctx.attempts + 1})
                    ctx.finish_span(ctx.span)
            again = ctx.copy()
            again.attempts += 1
            await broker.timers.sleep(policy.wait_s(again.attempts))
            own = ctx.endpoint if action.visibility == "private" else None  # the balancer does not know it
            return await broker.call(own if isinstance(own, ActionEndpoint) else action.name, ctx=again)

        return handler

    def _is_served_for_another(self, ctx: Context) -> bool:
        return ctx.endpoint is not None and ctx.endpoint.local and ctx.node_id != self._broker.node_id


def _limit(ctx: Context, policy: RetryPolicy) -> int:
    return policy.retries if ctx.retries is None else ctx.retries
