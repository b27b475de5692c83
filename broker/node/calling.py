"""What a broker calls and asks for."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from broker.node.calls import Calls, call_many
from broker.node.context import ABSENT, Context
from broker.node.endpoints import ActionEndpoint
from broker.node.pings import Answer, Pings
from broker.node.registry import Registry
from broker.node.waiting import Waiting, Wanted

if TYPE_CHECKING:
    from broker.node.requesting import Requesting


class CallOptions(TypedDict, total=False):
    """What may be said of a call besides its action and params.

    Attributes:
        timeout_s: After how long to give up; 0 for never.
        meta: Travels along; what comes back is merged into this very dict, or into the parent's.
        headers: Of this one call (protocol 5).
        node_id: Only this node may serve it.
        retries: Instead of the retry policy's number.
        stream: Chunks to send along.
        request_id: Of the trace this belongs to; a new one when left out.
        caller: A service on whose behalf this is.
        tracing: The sampling decision.
        parent: The context that calls; ``ctx.call`` gives it.
        ctx: Made before, for another attempt: of all the rest only ``node_id`` counts.
        fallback_response: The answer when the call fails: a value, or a function of context and error.
    """

    timeout_s: float | None
    meta: Mapping[str, Any] | None
    headers: Mapping[str, Any] | None
    node_id: str | None
    retries: int | None
    stream: AsyncIterable[Any] | None
    request_id: str | None
    caller: str | None
    tracing: bool | None
    parent: Context | None
    ctx: Context | None
    fallback_response: Any


class Calling:
    """The calls of a broker."""

    calls: Calls
    requesting: Requesting
    pings: Pings
    registry: Registry
    waiting: Waiting

    async def call(self, action: str | ActionEndpoint, params: Any = ABSENT, **options: Unpack[CallOptions]) -> Any:
        """Call an action.

        Args:
            action: Full name; or an endpoint, to be called whatever the balancer thinks.
            params: What to give it; ``{}`` when left out, null for None.
            options: See there.

        Returns:
            The result; an async iterator when the action answers with a stream.

        Raises:
            MoleculerError: Whatever the action, or the way to it, said.
        """
        if options:
            return await self._call_with(action, params, **options)
        if params is ABSENT:
            params = {}
        if type(action) is str:
            endpoints = self.registry.actions.get(action)
            endpoint = endpoints.next_blindly() if endpoints is not None else None
            if endpoint is not None:
                begun = self.requesting.begin(endpoint, params)
                if begun is not None:
                    waiting, answer = begun
                    try:
                        return await answer
                    except BaseException:
                        self.requesting.give_up(waiting)
                        raise
                action = endpoint
        return await self.calls.start(Context.fresh(self, params), action)  # type: ignore[arg-type]  # a Broker is what this is a part of

    async def _call_with(
        self,
        action: str | ActionEndpoint,
        params: Any,
        *,
        timeout_s: float | None = None,
        meta: Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
        node_id: str | None = None,
        retries: int | None = None,
        stream: AsyncIterable[Any] | None = None,
        request_id: str | None = None,
        caller: str | None = None,
        tracing: bool | None = None,
        parent: Context | None = None,
        ctx: Context | None = None,
        fallback_response: Any = ABSENT,
    ) -> Any:
        if ctx is not None:
            return await self.calls.start(ctx, action, node_id)
        if parent is not None:
            ctx = parent.child({} if params is ABSENT else params, meta)
        else:
            ctx = Context.fresh(self, {} if params is ABSENT else params)  # type: ignore[arg-type]  # as above
            if meta is not None:
                ctx.meta = meta if isinstance(meta, dict) else dict(meta)
        ctx.timeout_s, ctx.retries, ctx.stream = timeout_s, retries, stream
        ctx.fallback_response = fallback_response
        if headers:
            ctx.headers = dict(headers)
        if request_id is not None:
            ctx.request_id = request_id
        if caller is not None:
            ctx.caller = caller
        if tracing is not None:
            ctx.tracing = tracing
        if parent is None:
            return await self.calls.start(ctx, action, node_id)
        try:
            return await self.calls.start(ctx, action, node_id)
        finally:
            parent.meta.update(ctx.meta)

    async def mcall(
        self,
        calls: Sequence[Mapping[str, Any]] | Mapping[str, Mapping[str, Any]],
        *,
        settled: bool = False,
        **options: Any,
    ) -> Any:
        """Make several calls at once.

        Args:
            calls: ``{"action", "params", "options"}`` each, in a list or by names of yours.
            settled: Whether failures are results like others: of a list ``{"status", "value"}`` or
                ``{"status", "reason"}`` each, of names only what succeeded.
            options: Of `call`, for those that have none of their own.

        Returns:
            The results in the same order, or under the same names.

        Raises:
            MoleculerError: What the first that failed raised, unless settled; the others are not waited for.
        """
        return await call_many(self.call, calls, settled, options)

    async def ping(
        self, node_id: str | Sequence[str] | None = None, timeout_s: float = 2.0
    ) -> Answer | dict[str, Answer | None] | None:
        """How far away nodes are in ms, and how their clocks differ.

        Args:
            node_id: One node, several, or None for all others that are online.
            timeout_s: How long to wait for answers.

        Returns:
            Of one node its answer, None when it gave none in time; otherwise answers by node id.
        """
        if isinstance(node_id, str):
            return await self.pings.ask(node_id, timeout_s)
        if node_id is None:
            node_id = [node.id for node in self.registry.nodes.values() if node.available and not node.local]
        return await self.pings.ask_each(node_id, timeout_s)

    async def wait_for_services(self, wanted: Wanted | Iterable[Wanted], timeout_s: float | None = None) -> None:
        """Wait until all these services are offered by somebody.

        Args:
            wanted: Full names, or ``{"name": …, "version": …}`` where several versions in a list mean any of them.
            timeout_s: None or 0 for ever.

        Raises:
            MoleculerServerError: They are not all there in time; its data says which are.
        """
        await self.waiting.for_services(wanted, timeout_s)
