"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: two threads are slower beside another test

# The same examples each time and no limit of time on one of them: a busy machine must not fail a test.
# `pytest --hypothesis-profile default --hypothesis-seed random` looks for other examples.
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def own_data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the sessions and settings of the person who runs it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data-home"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, or one worker would be left with them when the other has nothing more to do."""
    items.sort(key=lambda item: item.path.name not in ("test_docs.py", "test_end_to_end.py"))
