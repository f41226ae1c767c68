"""From the menu: O writes the chosen session out, I reads files into it, and the window goes on."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from envs.task_catalog import task
from sandbox.exchange import preference_bundle
from sandbox.exchange.ledger import read_session
from sandbox.window.app import App
from tests.sandbox.exchanged import ROOMS, ledger, session
from tests.sandbox.records import same
from tests.sandbox.teaching import press


def until(app: App, true: Callable[[], bool]) -> None:
    """Frames until something is so."""
    end = time.monotonic() + 120
    while not true() and time.monotonic() < end:
        app.tick()
        time.sleep(0.01)
    assert true()


def footer(app: App) -> set[str]:
    bindings = list(app.scene.bindings())
    return {key for binding in bindings if binding.footer for key in binding.keys}


@pytest.fixture
def app(tmp_path: Path) -> App:
    session(tmp_path / "old", task(ROOMS))
    made = App(None, fixed_dt=True, seed=3, sessions_root=tmp_path)
    made.tick()
    return made


def test_a_session_is_written_and_read_by_keys(app: App, tmp_path: Path) -> None:
    press(app, "o")
    assert "Choose a session" in app.news.message
    menu = app.scene
    assert "o" not in footer(app)
    menu.sessions.list.index = 1  # type: ignore[attr-defined]
    assert menu.sessions.list.chosen.key == tmp_path / "old"  # type: ignore[attr-defined]
    assert "o" in footer(app)
    press(app, "o")
    assert app.state()["extra"]["exchanging"]
    until(app, lambda: not app.state()["extra"]["exchanging"])
    assert "9 records" in app.news.message
    (written,) = (tmp_path / "old" / "exports").iterdir()
    assert same(tuple(preference_bundle.read(written).entries), tuple(read_session(tmp_path / "old").entries))

    press(app, "i")
    assert "imports" in app.news.message
    preference_bundle.write(tmp_path / "old" / "imports" / "more", ledger(task(ROOMS)))
    shutil.copytree(written, tmp_path / "old" / "imports" / "spoilt")
    (tmp_path / "old" / "imports" / "spoilt" / "bundle.json").write_text("{}")
    press(app, "i")
    until(app, lambda: not app.state()["extra"]["exchanging"])
    assert len(read_session(tmp_path / "old").entries) == 18
    assert "SHA-256" in app.news.error
    app.close()
