"""What the shop sells, and to whom."""

from __future__ import annotations

from typing import Any, Final

NAMES: Final = (
    "espresso machine",
    "hand grinder",
    "gooseneck kettle",
    "scale with timer",
    "paper filters",
    "moka pot",
    "milk jug",
    "descaler",
    "house blend 1 kg",
    "decaf 500 g",
    "thermos 0.7 l",
    "cup, double wall",
)

GOODS_COUNT: Final = 240
CUSTOMER_COUNT: Final = 1200


def good(number: int) -> dict[str, Any]:
    """One article of the catalogue."""
    return {
        "id": number,
        "sku": f"SKU-{number:05d}",
        "name": NAMES[number % len(NAMES)],
        "price": round(4.9 + (number * 37 % 900) / 10, 2),
        "currency": "EUR",
        "tags": ["coffee", "kitchen"] if number % 2 else ["coffee"],
    }


def customer(number: int) -> dict[str, Any]:
    """One customer."""
    return {
        "id": number,
        "name": f"Customer {number}",
        "email": f"customer{number}@shop.example",
        "tier": ("standard", "plus", "gold")[number % 3],
    }
