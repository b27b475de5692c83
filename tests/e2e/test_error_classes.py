"""Our table of Moleculer's error classes is what both versions of MoleculerJS really throw."""

from __future__ import annotations

import json
import subprocess

import pytest

from broker.protocol.errors import ERROR_CLASSES
from tests.e2e.mesh import JS, Version

SCRIPT = """
const { Errors } = require(`moleculer-${process.argv[1]}`);
const classes = {};
for (const name of JSON.parse(process.argv[2])) {
    // the general ones take (message, code, type), the special ones (data) or (message, type)
    const error = new Errors[name](name === "ValidationError" ? "message" : {});
    classes[name] = [error.code, error.type || null, error.retryable];
}
process.stdout.write(JSON.stringify(classes));
"""


@pytest.mark.parametrize("version", ["014", "015"])
def test_the_table_is_moleculers_own(version: Version) -> None:
    if not (JS / "node_modules" / f"moleculer-{version}").is_dir():
        pytest.fail("MoleculerJS is not installed: run `make test`")
    command = ["node", "-e", SCRIPT, version, json.dumps(list(ERROR_CLASSES))]
    real = json.loads(subprocess.run(command, cwd=JS, capture_output=True, text=True, check=True).stdout)
    assert real == {name: list(known) for name, known in ERROR_CLASSES.items()}
