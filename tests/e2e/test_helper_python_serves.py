"""Nodes of ours that serve with the helper, called by MoleculerJS: what concerns the callee's side."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.helper_mesh import PYTHON_SERVES, Cast, Stage, on_stage
from tests.e2e.redis_server import RedisServer
from tests.e2e.test_helper_moleculerjs import (  # noqa: F401 - the same stories, on another stage
    test_holds_and_trips_reach_a_target_that_was_restarted,
    test_the_callees_own_endpoint_turns_everybody_away_and_their_retries_find_another,
    test_the_secret_is_nowhere_outside_of_the_nodes,
    test_without_a_secret_the_helper_only_tells,
)

pytestmark = pytest.mark.usefixtures("moleculerjs")


@pytest.fixture(scope="module", params=PYTHON_SERVES.values(), ids=PYTHON_SERVES.keys())
def stage(request: pytest.FixtureRequest, shared_redis: RedisServer) -> Iterator[Stage]:
    cast: Cast = request.param
    with on_stage(cast, shared_redis) as made:
        yield made
