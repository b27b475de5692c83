"""Money: our side of it, and the bank's."""

from __future__ import annotations

from typing import Any

from broker.demo.shop.house import House
from broker.node import CircuitBreakerPolicy, Context, RetryPolicy, action, event, service
from broker.node.errors import MoleculerClientError, MoleculerError, MoleculerServerError, ValidationError

_TRANSFER_TIMEOUT_S = 0.9
_TRANSFER_RETRY = RetryPolicy(enabled=True, retries=1, delay_s=0.12)
_TRANSFER_BREAKER = CircuitBreakerPolicy(enabled=True, threshold=0.4, min_request_count=8, half_open_s=4.0)


@service("payments", version=1, metadata={"team": "money", "pci": True}, dependencies=["bank"])
class Payments:
    """Charging customers."""

    def __init__(self, house: House) -> None:
        self._house = house

    @action(
        params={"order": "string", "amount": "number|positive", "currency": {"type": "enum", "values": ["EUR"]}},
        timeout_s=4.0,
        rest="POST /charges",
    )
    async def charge(self, ctx: Context) -> dict[str, Any]:
        """Charge an order; 402 when the customer cannot pay, 502 when the bank cannot be reached."""
        await self._house.think(7)
        transfer = {"iban": "DE02120300000000202051", "amount": ctx.params["amount"]}
        try:
            receipt = await ctx.call("bank.transfer", transfer, timeout_s=_TRANSFER_TIMEOUT_S)
        except MoleculerError as error:
            if error.code in (402, 422):
                raise
            text = f"The bank cannot be reached: {error.message}"
            raise MoleculerServerError(text, 502, "BANK_UNREACHABLE", {"cause": error.name}) from error
        return {"order": ctx.params["order"], "receipt": receipt["receipt"]}

    @action(params={"order": "string"}, visibility="public")
    async def refund(self, ctx: Context) -> dict[str, Any]:
        """Give the money back."""
        await self._house.think(15)
        await ctx.emit("payment.refunded", {"order": ctx.params["order"]})
        return {"order": ctx.params["order"], "refunded": True}

    @event("order.cancelled")
    async def on_cancelled(self, ctx: Context) -> None:
        """Refund what was cancelled."""
        await ctx.call("v1.payments.refund", {"order": ctx.params["id"]})


@service("bank", metadata={"team": "money", "vendor": "First Example Bank"}, settings={"region": "eu"})
class Bank:
    """The bank behind its adapter: what gets slow and fails now and then."""

    def __init__(self, house: House) -> None:
        self._house = house

    @action(
        params={"iban": "string|min:15", "amount": "number|positive"},
        retry=_TRANSFER_RETRY,
        circuit_breaker=_TRANSFER_BREAKER,
    )
    async def transfer(self, _ctx: Context) -> dict[str, Any]:
        """Move money; in trouble it is slow, and often it fails."""
        trouble = self._house.trouble("bank")
        await self._house.think(28 + 420 * trouble, 0.4 + 0.4 * trouble)
        if self._house.chance(0.004 + 0.7 * trouble):
            raise MoleculerServerError("The clearing house does not answer", 502, "CLEARING_DOWN", {"since": "now"})
        if self._house.chance(0.02):
            raise MoleculerClientError("The account is not covered", 402, "NOT_COVERED", {"limit": 500})
        if self._house.chance(0.01):
            wrong = {"type": "stringMin", "field": "iban", "message": "The 'iban' field is too short.", "expected": 15}
            raise ValidationError("Parameters validation error!", data=[wrong | {"action": "bank.transfer"}])
        return {"receipt": f"B-{self._house.random.randrange(10**8):08d}"}

    @action(cache={"ttl_s": 300}, params={})
    async def rates(self, _ctx: Context) -> dict[str, float]:
        """Exchange rates."""
        await self._house.think(35)
        return {"EUR": 1.0, "CHF": 0.94, "GBP": 0.86}
