"""What holds for all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# no test is timed: a machine that is busy with something else must not fail one
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
