"""From a step to a signed call. It is made on the operator's machine, at the moment in which it is sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from broker.agent.signature import BreakerCommand, Signed, sign
from broker.clock import MILLISECOND
from broker.operate.breaking.plan import Step
from broker.operate.commands import HELPER_COMMAND, Call

TIMEOUT_MS: Final = 10_000.0
"""After which nobody knows whether it was done."""


class Signer:
    """Signs the steps of one operator. Does not show its secret."""

    __slots__ = ("_by", "_namespace", "_new_nonce", "_secret")

    def __init__(self, secret: str, namespace: str, by: str, new_nonce: Callable[[], str]) -> None:
        """
        Args:
            secret: Shared with the helpers.
            namespace: Of the mesh.
            by: Who acts, as ``user@host``.
            new_nonce: Gives 32 random hex digits, new each time.

        Raises:
            ValueError: There is no secret; says where to put it.
        """
        if not secret:
            raise ValueError(
                "There is no secret to sign with. Set MESHSCOPE_SECRET to that of the nodes, "
                "or keep it with the profile."
            )
        self._secret = secret
        self._namespace = namespace
        self._by = by
        self._new_nonce = new_nonce

    def call(self, step: Step, now_ns: int) -> Call:
        """A step as a command for the session.

        Args:
            step: What.
            now_ns: The moment by the clock by which skews are known: the probe's, which may be on another machine
                (the timeline's ``through_ns`` follows it). In ns since the epoch.
        """
        helper = step.helper
        command = BreakerCommand(
            verb=step.verb,
            namespace=self._namespace,
            node=helper.node_id,
            instance=helper.instance,
            endpoint=step.endpoint,
            nonce=self._new_nonce(),
            time_ms=now_ns // MILLISECOND + round(helper.skew_ms or 0.0),
            state=step.state,
            for_ms=round(step.for_s * 1000),
            reason=step.reason,
            by=self._by,
            hold=step.hold,
        )
        return Call(
            namespace=self._namespace,
            action=HELPER_COMMAND,
            params=_params(sign(self._secret, command)),
            node_id=helper.node_id,
            timeout_ms=TIMEOUT_MS,
        )


def _params(signed: Signed) -> str:
    return json.dumps(signed.params())
