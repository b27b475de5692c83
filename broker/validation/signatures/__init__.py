"""Typed parameters of functions instead of schemas: what is equivalent to a type, and arguments from values."""

from broker.validation.signatures.signature import Signature, signature_of
from broker.validation.signatures.types import (
    Card,
    Email,
    Mac,
    NegativeFloat,
    NegativeInt,
    NonEmpty,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Url,
    rule,
)

__all__ = [
    "Card",
    "Email",
    "Mac",
    "NegativeFloat",
    "NegativeInt",
    "NonEmpty",
    "NonNegativeFloat",
    "NonNegativeInt",
    "PositiveFloat",
    "PositiveInt",
    "Signature",
    "Url",
    "rule",
    "signature_of",
]
