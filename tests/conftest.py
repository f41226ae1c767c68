"""What all tests share."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: two threads are slower beside another test

# The same examples each time and no limit of time on one of them: a busy machine must not fail a test.
# `pytest --hypothesis-profile default --hypothesis-seed random` looks for other examples.
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, or one worker would be left with them when the other has nothing more to do."""
    items.sort(key=lambda item: item.path.name not in ("test_docs.py", "test_end_to_end.py"))
