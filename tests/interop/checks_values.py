"""Rows of the table: a battery of values, in every serializer, both ways and back."""

from __future__ import annotations

import math
from array import array
from datetime import UTC, datetime
from typing import Any

import pytest

from broker.protocol.serializers.values import Map, RegExp
from tests.interop.check import check, is_equal
from tests.interop.mesh import Mesh

VALUES: dict[str, Any] = {
    "bytes": b"\0\1\xff",
    "moment": datetime(2023, 11, 14, 22, 13, 20, 123_000, UTC),
    "whole moment": datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
    "early moment": datetime(1969, 12, 31, 23, 59, 47, 655_000, UTC),
    "late moment": datetime(2603, 10, 11, 11, 33, 20, 123_000, UTC),
    "huge": 2**60,
    "huger": -(2**80),
    "whole numbers": [2**31, 2**32, 2**40, -(2**31) - 1, -(2**40), 2**53 - 1, 1 - 2**53],
    "floats": [0.1, 1.5, 1e300, 5e-324, -0.0],
    "infinity": -math.inf,
    "null": [None, {"a": None}],
    "unicode": "é😀\0\u2028",
    "cut": "caf\ud83d",
    "long": "ü" * 70_000,
    "set": {1, 2},  # in this order wherever it becomes a list
    "map": Map(a=1),
    "regexp": RegExp("a|b", "gi"),
    "numbers": array("d", [1.5, -2]),
    "marked": ["[[BI]]1", "[[", "[[ES]]x"],
    "deep": {"a": {"b": [{"c": b"x", "d": datetime(1970, 1, 1, 0, 0, 0, 5000, UTC)}]}},
    "many": {f"k{i}": i for i in range(20)},
}

_NO_INSTANCES = {
    "map": "{}",
    "mapOfMaps": "{}",
    "mapOfNumbers": "{}",
    "regexp": "{}",
    "set": "{}",
    "setOfObjects": "{}",
}
_NO_BIGINT = dict.fromkeys(("bigint", "hugeBigint", "negativeBigint"), "error")
_NO_UNDEFINED = {"undefinedItem": "[ null, 1 ]", "undefinedMember": "{ b: 1 }", "minusZero": "0"}
_BARE_ARRAYS = {"bytes": "{ '0': 1, '1': 2 }", "floatArray": "{ '0': 1.5, '1': -2 }"}
_OBJECTS_FOR_MAPS = {"map": "{ a: 1 }", "mapOfMaps": "{ a: { b: 1970-01-01T00:00:00.001Z } }"}
_NOTEPACK = _NO_INSTANCES | _NO_BIGINT | _NO_UNDEFINED | {"bytes": "<Buffer 01 02>", "floatArray": "<Buffer 01 fe>"}
CHANGED_FOR_MOLECULERJS: dict[str, dict[str, str]] = {
    "JSON": _NO_INSTANCES | _NO_BIGINT | _NO_UNDEFINED | _BARE_ARRAYS | {
        "buffer": "{ type: 'Buffer', data: [ 0, 1, 255 ] }",
        "date": "'2023-11-14T22:13:20.123Z'",
        "deep": "{ a: { b: [ { c: { type: 'Buffer', data: [ 120 ] }, d: '1970-01-01T00:00:00.005Z' } ] } }",
        "earlyDate": "'1969-12-31T23:59:47.655Z'",
        "infinity": "null",
        "lateDate": "'2603-10-11T11:33:20.123Z'",
        "nan": "null",
        "wholeDate": "'2023-11-14T22:13:20.000Z'",
    },
    "JSONExt": _NO_UNDEFINED | _BARE_ARRAYS | {
        "infinity": "null", "nan": "null", "mapOfNumbers": "Map(1) { '1' => 'a' }", "setOfObjects": "[ { a: 1 } ]",
    },
    "MsgPack": _NO_INSTANCES | _NO_BIGINT | _NO_UNDEFINED | _BARE_ARRAYS | _OBJECTS_FOR_MAPS | {
        "bytes": "<Buffer 01 02>", "cut": "'caf\ufffd'", "undefinedItem": "error", "mapOfNumbers": "same",
    },
    # notepack.io writes and reads 1e300 and half an emoji wrong, also alone
    "Notepack": _NOTEPACK | {"cut": "'caf\U0001f400'", "floats": "[ 0.1, 1.5, 0, 5e-324 ]"},
    "CBOR": _NO_UNDEFINED | _OBJECTS_FOR_MAPS | {
        "bytes": "<Buffer 01 02>", "cut": "'caf\ufffd\ufffd\ufffd'", "mapOfNumbers": "{ '1': 'a' }",
        "setOfObjects": "[ { a: 1 } ]",
    },
}  # fmt: skip
"""What does not come home to MoleculerJS as it left: what it loses itself, and sets of what Python cannot hash."""

_SHAPES = {"map": {"a": 1}, "numbers": [1.5, -2], "regexp": {"source": "a|b", "flags": "gi"}, "set": [1, 2]}
_CUT = {"cut": "caf\ufffd\ufffd\ufffd"}
CHANGED_FOR_US: dict[str, dict[str, Any]] = {
    "JSON": _SHAPES | {
        "bytes": {"type": "Buffer", "data": [0, 1, 255]},
        "deep": {"a": {"b": [{"c": {"type": "Buffer", "data": [120]}, "d": "1970-01-01T00:00:00.005Z"}]}},
        "early moment": "1969-12-31T23:59:47.655Z",
        "huge": 1152921504606847000,
        "huger": -float(2**80),
        "infinity": None,
        "late moment": "2603-10-11T11:33:20.123Z",
        "moment": "2023-11-14T22:13:20.123Z",
        "whole moment": "2023-11-14T22:13:20.000Z",
    },
    "JSONExt": {"infinity": None, "numbers": [1.5, -2]},
    "MsgPack": _SHAPES | _CUT | {"huge": float(2**60), "huger": TypeError},
    "Notepack": _SHAPES | _CUT | {"huger": TypeError, "floats": [0.1, 1.5, 0, 5e-324, 0]},
    "CBOR": _CUT | {"map": {"a": 1}},
}  # fmt: skip
"""What does not come home to us as it left."""


@check("a battery of values comes home to MoleculerJS")
async def comes_home_to_moleculerjs(mesh: Mesh) -> None:
    found = (await mesh.js.ask("battery", action="v1.py.echo"))["ok"]
    assert len(found) > 20, f"only {len(found)} values were sent"
    changed = CHANGED_FOR_MOLECULERJS[mesh.column.serializer]
    is_equal(found, dict.fromkeys(found, "same") | changed, "how they came back")


@check("a battery of values comes home to us")
async def comes_home_to_us(mesh: Mesh) -> None:
    for name, value in VALUES.items():
        expected = CHANGED_FOR_US[mesh.column.serializer].get(name, value)
        if expected is TypeError:
            with pytest.raises(TypeError, match="cannot be written"):
                await mesh.broker.call("v3.js.echo", {"value": value})
            continue
        found = (await mesh.broker.call("v3.js.echo", {"value": value}))["value"]
        is_equal((found, type(found)), (expected, type(expected)), name)
