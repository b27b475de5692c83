"""What holds for all tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from broker.native import IS_COMPILED
from tests.e2e.redis_server import RedisServer, free_port

# no test is timed: a machine that is busy with something else must not fail one
# what fails seldom tells how to repeat it
settings.register_profile("untimed", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of the user who runs the tests is read or written: profiles, preferences, audit log."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield


@pytest.fixture(scope="session")
def moleculerjs() -> None:
    """What a test beside MoleculerJS cannot do without: missing, it is a failed set-up and not a skipped test."""
    if shutil.which("node") is None:
        pytest.fail("Node.js is not on PATH: tools/system-packages.sh says how to install it")
    if not (Path(__file__).parent / "e2e" / "js" / "node_modules").is_dir():
        pytest.fail("the npm packages are missing: `make tests/e2e/js/node_modules/.package-lock.json` installs them")


@pytest.fixture(scope="session")
def compiled_module() -> None:
    """The compiled module, for tests that hold it equal to its twins: missing, it is a failed set-up, too."""
    if not IS_COMPILED:
        pytest.fail("broker/native is not compiled: install gcc and Python's headers, then run make setup")


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One plain server for tests that keep to namespaces of their own and leave it running."""
    server = RedisServer(tmp_path_factory.mktemp("redis"), free_port())
    server.start()
    yield server
    server.stop()
