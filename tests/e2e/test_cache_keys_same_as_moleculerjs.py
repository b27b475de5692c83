"""Our cache keys are the very text that MoleculerJS makes."""

import json
import random
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from broker.node.caching.keys import key_014, key_015
from broker.node.caching.options import CacheOptions
from tests.e2e.tolerance import JS

pytestmark = pytest.mark.usefixtures("moleculerjs")

NUMBERS = [0, 1, -1, 7.0, 0.1, -0.5, 1e21, 1e-7, 1.5e-7, 123456789012345680000.0, 5e-324, 1.7976931348623157e308, -0.0]
NUMBERS += [0.000001, 1e20, 1e16, 12345.678, 2**53, 100, 1e100]
TEXTS = ["", "a", "Ünï", "x|y", '"', "💥" * 3, "undefined", "null", "long " * 30]
NAMES = ["id", "user", "a.b", "2", "10", "01", "rows", "length", "$x", "ü", "-1"]
PATHS = [
    *NAMES,
    "user.id",
    "user.name.first",
    "rows[0]",
    "rows[0].id",
    "rows.1",
    "rows.length",
    'user["a.b"]',
    "user['id']",
    ".id",
    "id.",
    "user..id",
    "rows[]",
    "rows[-1]",
    "[0]",
    "",
    "#user.id",
    "#id",
    "#",
    "@id",
    "@user.id",
    "#a.b",
    "rows[01]",
    "user[id]",
]


class Values:
    """JSON values by chance."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def any(self, depth: int = 3) -> Any:
        kind = self.random.choice(["atom", "atom", "list", "map", "map"]) if depth else "atom"
        if kind == "list":
            return [self.any(depth - 1) for _ in range(self.random.randrange(4))]
        return self.map(depth) if kind == "map" else self.random.choice([*NUMBERS, *TEXTS, None, True, False])

    def map(self, depth: int = 3) -> dict[str, Any]:
        names = self.random.sample(NAMES, self.random.randrange(5))
        return {name: self.any(depth - 1) for name in names}

    def asked(self) -> dict[str, Any]:
        chance = self.random.random
        keys = None if chance() < 0.3 else self.random.choices(PATHS, k=self.random.choice([0, 1, 1, 2, 3]))
        return {
            "params": self.map() if chance() < 0.9 else self.any(2),
            "meta": self.map(),
            "headers": self.map(),
            "keys": keys,
            "maxParamsLength": self.random.choice([None, None, 10, 44, 50, 60]),
        }


@pytest.mark.parametrize(("version", "key_of"), [("014", key_014), ("015", key_015)])
def test_20000_generated_keys_are_the_same(version, key_of):
    values = Values(seed=int(version))
    asked = [values.asked() for _ in range(20_000)]
    done = subprocess.run(
        ["node", "cache_keys.js", version],
        cwd=JS,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    for one, their in zip(asked, json.loads(done.stdout), strict=True):
        ctx = SimpleNamespace(params=one["params"], meta=one["meta"], headers=one["headers"])
        keys = None if one["keys"] is None else tuple(one["keys"])
        assert key_of("posts.list", CacheOptions(keys=keys), ctx, one["maxParamsLength"]) == their, one
