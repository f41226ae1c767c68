"""What all tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# The same examples each time and no limit of time on one of them: a busy machine must not fail a test.
# `pytest --hypothesis-profile default --hypothesis-seed random` looks for other examples.
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")
