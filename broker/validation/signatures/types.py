"""Ready-made types for parameters, and the way to make more of them from rules."""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta

RULE: Final = "fastest-validator"
"""Under which a type's annotation carries options of its rule."""


def rule(**options: Any) -> Meta:
    """A rule of fastest-validator for ``Annotated``: ``Annotated[str, rule(type="email", mode="precise")]``."""
    return Meta(extra={RULE: options})


PositiveInt = Annotated[int, Meta(gt=0)]
NegativeInt = Annotated[int, Meta(lt=0)]
NonNegativeInt = Annotated[int, Meta(ge=0)]
PositiveFloat = Annotated[float, Meta(gt=0)]
NegativeFloat = Annotated[float, Meta(lt=0)]
NonNegativeFloat = Annotated[float, Meta(ge=0)]
NonEmpty = Annotated[str, rule(empty=False)]
Email = Annotated[str, rule(type="email")]
Url = Annotated[str, rule(type="url")]
Mac = Annotated[str, rule(type="mac")]
Card = Annotated[str, rule(type="luhn")]
