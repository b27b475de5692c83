"""Types of every kind that a signature may have, for the comparison of signatures with the schemas they publish."""

import dataclasses
import datetime
import enum
import random
import uuid
from typing import Annotated, Any, Literal, NotRequired, Optional, TypedDict, Union

import msgspec
from msgspec import Meta

from broker.node import Card, Email, Mac, NegativeInt, NonEmpty, NonNegativeFloat, PositiveFloat, PositiveInt, Url


class Color(enum.Enum):
    RED = "red"
    GREEN = "abc"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 3


@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.5
    name: str | None = None


class Address(TypedDict):
    id: str
    a: NotRequired[int]
    b: NotRequired[Optional[int]]  # noqa: UP045


class Cat(msgspec.Struct, tag="cat", forbid_unknown_fields=True):
    name: str = "abc"
    lives: Annotated[int, Meta(ge=0, le=9)] = 9


class Dog(msgspec.Struct, tag="dog", rename="camel"):
    id: PositiveInt
    best_friend: str | None = None
    toys: list[str] = msgspec.field(default_factory=list)


SIMPLE: list[Any] = [
    *(
        int,
        float,
        str,
        bool,
        Any,
        object,
        datetime.datetime,
        uuid.UUID,
        Color,
        Level,
        PositiveInt,
        NegativeInt,
        PositiveFloat,
    ),
    *(
        NonNegativeFloat,
        NonEmpty,
        Email,
        Url,
        Mac,
        Card,
        Literal["abc", 1],
        Literal["a", None],
        Literal[1, 2, 3],
        list,
        dict,
    ),
    *(
        Annotated[int, Meta(gt=1)],
        Annotated[int, Meta(lt=4, ge=-1)],
        Annotated[float, Meta(gt=1.5)],
        Annotated[float, Meta(lt=3)],
    ),
    *(
        Annotated[str, Meta(min_length=2, max_length=4)],
        Annotated[
            str,
            Meta(pattern="^[a-z]+"),
        ],
        Point,
        Address,
        Cat,
        Dog,
    ),
]
UNIONS: list[Any] = [
    int | str,
    str | None,
    int | None,
    float | bool,
    Cat | Dog,
    Cat | Dog | None,
    int | list[int],
    Point | int,
    bool | str | None,
]
DEFAULTS: dict[Any, list[Any]] = {
    int: [0, 5],
    str: ["", "abc"],
    bool: [True],
    float: [1.5, 2],
    Color: [Color.RED],
    Level: [Level.HIGH],
    Point: [Point(1)],
    list: [[]],
    dict: [{}],
    PositiveInt: [1],
    Email: ["a@b.c"],
}


def any_type(rng: random.Random, depth: int = 2) -> Any:
    """A type."""
    kind = rng.random()
    if kind < 0.5 or depth == 0:
        return rng.choice(SIMPLE)
    if kind < 0.62:
        return rng.choice(UNIONS)
    inner = any_type(rng, depth - 1)
    if kind < 0.72:
        return list[inner]
    if kind < 0.78:
        return dict[str, inner]
    if kind < 0.84:
        return tuple[inner, any_type(rng, depth - 1)]
    if kind < 0.88:
        return tuple[inner, ...]
    if kind < 0.92:
        return Annotated[list[inner], Meta(min_length=1, max_length=2)]
    if kind < 0.95:
        return set[rng.choice((int, str, Color))]
    return Union[inner, None]  # noqa: UP007 - texts and typing's own forms too


def any_default(rng: random.Random, kind: Any) -> Any:
    """A default for a parameter of a type; Ellipsis for none."""
    if rng.random() < 0.65:
        return ...
    try:
        return rng.choice(DEFAULTS[kind])
    except (KeyError, TypeError):
        return None if rng.random() < 0.5 else ...
