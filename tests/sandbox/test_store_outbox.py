"""What is said while the server of a study is away: on this disk at once, on the server later, and once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.bench.durability.fake_records import trajectory
from sandbox.session.events import ErrorMessage, Saved
from sandbox.session.folder import SessionError
from sandbox.session.session import Session
from sandbox.store import Reader
from sandbox.store.backend import backend_of
from sandbox.store.verify import verify_store
from tests.sandbox.server import Server

PATIENCE = 60.0
ROOT = Path(__file__).parents[2]


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


class Desk:
    """A session of a study on a server, and what it has told."""

    def __init__(self, folder: Path, store: str | None = None) -> None:
        self.session = Session.open(folder, start_learner=False, options={"size": 9}, store=store)
        self.saved: list[str] = []
        self.troubles: list[str] = []

    def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            for event in self.session.poll():
                if isinstance(event, Saved):
                    self.saved.append(event.record_id)
                elif isinstance(event, ErrorMessage):
                    self.troubles.append(event.text)
            assert time.monotonic() < end, (self.saved, self.troubles)
            time.sleep(0.005)

    def mark(self, seed: int) -> str:
        return self.session.add_evaluation(trajectory(5, seed=seed), 1.0)


def kept(url: str | Path) -> list[str]:
    reader = Reader(url)
    found = [record.id for _, record in reader.records()]
    reader.close()
    return found


def test_answers_wait_on_this_disk_and_are_sent_when_the_server_is_back(server, tmp_path):
    url, outbox = server.database(), tmp_path / "one" / "outbox"
    desk = Desk(tmp_path / "one", url)
    ids = [desk.mark(0)]
    desk.until(lambda: desk.saved == ids)
    assert not outbox.exists()
    server.kill()
    ids += [desk.mark(seed) for seed in (1, 2)]
    desk.until(lambda: bool(desk.troubles))
    ids.append(desk.mark(3))  # while it is known to be away
    desk.until(lambda: desk.session.unsaved_warning is None)
    assert kept(outbox / "feedback.db") == ids[1:]
    assert desk.saved == ids[:1]  # none of them is called saved
    desk.until(lambda: "kept on this disk: 3 records" in desk.troubles[-1])
    assert "can't be reached" in desk.troubles[-1]
    server.start()
    desk.until(lambda: desk.saved == ids)
    assert desk.session.close() is None
    assert not outbox.exists()
    assert kept(url) == ids


def test_closing_while_the_server_is_away_loses_nothing_and_the_next_start_sends(server, tmp_path):
    url, folder = server.database(), tmp_path / "one"
    desk = Desk(folder, url)
    server.kill()
    ids = [desk.mark(seed) for seed in range(3)]
    left = desk.session.close()
    assert "3 records" in (left or "")
    assert str(folder / "outbox") in (left or "")
    assert desk.saved == []
    with pytest.raises(SessionError, match="can't be reached"):
        Desk(folder)
    assert kept(folder / "outbox" / "feedback.db") == ids
    away = folder / "outbox"
    shutil.copytree(away, tmp_path / "again")
    server.start()
    desk = Desk(folder)
    assert desk.session.counts == {"evaluation": 3}
    assert desk.session.close() is None
    shutil.copytree(tmp_path / "again", away)  # as if it had been killed between sending and clearing
    desk = Desk(folder)
    assert desk.session.close() is None
    assert kept(url) == ids
    assert verify_store(backend_of(url)).findings == ()
    assert not away.exists()


WINDOW = """
import sys, time
from pathlib import Path
from sandbox.session.session import Session
from sandbox.bench.durability.fake_records import trajectory
if __name__ == "__main__":
    session = Session.open(Path(sys.argv[1]), start_learner=False)
    print("open", flush=True)
    sys.stdin.readline()
    for seed in range(3):
        print(session.add_evaluation(trajectory(5, seed=seed), 1.0))
    while session.unsaved_warning is not None or session.unsaved < 3 or not session._store.error:
        session.poll()
        time.sleep(0.01)
    print("kept", flush=True)
    time.sleep(600)
"""


def test_a_window_killed_while_the_server_is_away_loses_nothing(server, tmp_path):
    url, folder = server.database(), tmp_path / "one"
    Desk(folder, url).session.close()
    window = subprocess.Popen(
        [sys.executable, "-c", WINDOW, folder],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert window.stdin is not None
    assert window.stdout is not None
    assert window.stdout.readline() == "open\n"
    server.kill()
    window.stdin.write("\n")
    window.stdin.flush()
    said = [window.stdout.readline().strip() for _ in range(4)]
    window.send_signal(signal.SIGKILL)
    window.wait()
    assert said[-1] == "kept"
    server.start()
    Desk(folder).session.close()
    assert kept(url) == said[:3]


def test_a_full_disk_here_and_no_server_is_told_as_a_risk(server, tmp_path, monkeypatch):
    url = server.database()
    desk = Desk(tmp_path / "one", url)
    server.kill()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("sandbox.store.outbox.insert", full)
        id = desk.mark(1)
        desk.until(lambda: bool(desk.troubles))
        assert "Not saved yet: 1 record" in desk.troubles[-1]
        assert "Not saved yet: 1 record" in (desk.session.unsaved_warning or "")
    server.start()
    desk.until(lambda: desk.saved == [id])
    assert desk.session.close() is None
