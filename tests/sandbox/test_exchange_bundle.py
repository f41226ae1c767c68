"""The bundle: what a session holds, out and in again, equal to the last bit; and nothing else is believed."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.feedback.records import Demonstration
from agents.io.manifest import MANIFEST, write_folder
from agents.io.safe_files import UnsafeFile
from envs.task_catalog import task
from sandbox.exchange import preference_bundle
from sandbox.exchange.importing import save_records
from sandbox.exchange.ledger import Entry, Ledger, read_session
from sandbox.exchange.sample import random_recording
from sandbox.exchange.state_validation import InvalidRecord, check_ledger
from sandbox.store import Provenance
from tests.sandbox.exchanged import ROOMS, WORLDS, ledger, refused, session, teachbox
from tests.sandbox.records import numbers, records, same

short = st.text(max_size=10)
origins = st.builds(
    Provenance,
    short,
    short,
    st.none() | numbers,
    st.none() | short,
    st.none() | st.lists(st.integers(0, 3), max_size=3).map(tuple),
    st.none() | short,
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.builds(Entry, records, origins), max_size=4))
def test_any_records_come_back_to_the_last_bit(entries: list[Entry]) -> None:
    whole = Ledger("a/World-v0", {"size": 9}, entries)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out"
        preference_bundle.write(path, whole)
        again = preference_bundle.read(path)
    assert (again.world, again.options) == (whole.world, whole.options)
    assert same(tuple(again.entries), tuple(entries))


@pytest.mark.parametrize("world", WORLDS)
def test_a_session_goes_out_and_comes_in(world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = session(tmp_path / "a", task(world))
    monkeypatch.chdir(tmp_path)
    assert teachbox("export", "a", "--out", "b") == f"{len(made.entries)} records of a are in b."
    assert teachbox("import", "b", "--session", "c") == f"{len(made.entries)} records saved in c."
    again = read_session(tmp_path / "c")
    assert same(tuple(again.entries), tuple(made.entries))
    twice = teachbox("import", "b", "--session", "c")
    assert twice == f"0 records saved in c; {len(made.entries)} were there already."
    assert same(tuple(read_session(tmp_path / "c").entries), tuple(made.entries))


def test_what_is_there_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session(tmp_path / "a", task(ROOMS))
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "b exists" in refused("export", "a", "--out", "b")
    assert "no session in none" in refused("export", "none", "--out", "c")
    told = refused("export", "a", "--out", "c", "--format", "pickle")
    assert "'pickle' is not one of 'bundle', 'csv'" in told
    assert "none" in refused("import", "none", "--session", "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_another_world_is_refused_before_anything_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session(tmp_path / "a", task(ROOMS))
    session(tmp_path / "small", task(ROOMS, size=7))
    preference_bundle.write(tmp_path / "b", ledger(task(ROOMS)))
    before = read_session(tmp_path / "small")
    monkeypatch.chdir(tmp_path)
    told = refused("import", "b", "--session", "small")
    assert "'size': 9" in told
    assert "'size': 7" in told
    assert same(tuple(read_session(tmp_path / "small").entries), tuple(before.entries))


def reseal(folder: Path) -> None:
    """A manifest that fits what is there: whoever makes a file can do that."""
    files = {p.name: p.read_bytes() for p in folder.iterdir() if p.name != MANIFEST}
    write_folder(folder.with_name("sealed"), files)
    (folder / MANIFEST).write_bytes((folder.with_name("sealed") / MANIFEST).read_bytes())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"rank', '"Rank', "can't be read"),
        ('"cant_tell"', '"dunno"', "dunno"),
        ('"value": -1.0', '"value": 1e300', "1e+300"),
        ('"value": -1.0', '"value": "-1"', "-1"),
        ('"seconds": 2.5', '"seconds": -2.5', "-2.5"),
        ('"task": "teachbox/RoomsTidy-v0"', '"task": "os:system"', "os:system"),
        ('"world": "teachbox/RoomsTidy-v0"', '"world": "os:system"', "os:system"),
        ('"kernel": "', '"kernel": "x', "kernel"),
        ('"size": 9', '"size": 1000000', "1000000"),
        ('"size": 9', '"size": 9, "layout": "/etc/passwd"', "drawing"),
        ('"version": 1', '"version": 2', "version 2"),
        ('"seed": null', '"seed": -1', "seed"),
        ('"driver": "', '"driver": "\\ud800', "Unicode"),
    ],
)
def test_a_bundle_that_lies_is_a_sentence(old: str, new: str, words: str, tmp_path: Path) -> None:
    """Sealed anew, so that the hashes fit: the content itself is looked at."""
    path = tmp_path / "b"
    preference_bundle.write(path, ledger(task(ROOMS)))
    text = (path / "bundle.json").read_text()
    assert old in text
    (path / "bundle.json").write_text(text.replace(old, new))
    with pytest.raises(UnsafeFile, match="SHA-256"):
        preference_bundle.read(path)
    reseal(path)
    with pytest.raises((UnsafeFile, InvalidRecord), match=re.escape(words)):
        save_records(preference_bundle.read(path), tmp_path / "s", "me")
    assert not (tmp_path / "s").exists()


def test_numbers_that_no_world_gives(tmp_path: Path) -> None:
    rooms = task(ROOMS)
    good = random_recording(rooms, 4)
    nan = good.observations.copy()
    nan[1, 2] = np.nan
    far = good.states.copy()
    far[2, 1] = 30000
    bad = [
        replace(good, states=far),
        replace(good, observations=nan),
        replace(good, observations=good.observations * 1000),
        replace(good, observations=good.observations[:, :-1]),
        replace(good, states=good.states[:, :-1]),
        replace(good, states=good.states.astype(np.float64)),
        replace(good, actions=good.actions + 100),
        replace(good, actions=-1 - good.actions),
        replace(good, terms=good.terms[:, :-1]),
    ]
    check_ledger(ledger(rooms, [Demonstration(good)]), rooms)
    for one in bad:
        with pytest.raises(InvalidRecord):
            check_ledger(ledger(rooms, [Demonstration(one)]), rooms)


def test_files_that_do_not_belong(tmp_path: Path) -> None:
    path = tmp_path / "b"
    preference_bundle.write(path, ledger(task(ROOMS)))
    (path / "extra.py").write_text("print()")
    with pytest.raises(UnsafeFile, match=r"extra\.py"):
        preference_bundle.read(path)
    (path / "extra.py").unlink()
    kept = (path / "bundle.json").read_bytes()
    (path / "bundle.json").unlink()
    with pytest.raises(UnsafeFile, match="no file"):
        preference_bundle.read(path)
    (tmp_path / "elsewhere.json").write_bytes(kept)
    (path / "bundle.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(UnsafeFile, match="link"):
        preference_bundle.read(path)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(UnsafeFile, match="link"):
        preference_bundle.read(tmp_path / "link")


def test_a_declared_size_is_not_allocated(tmp_path: Path) -> None:
    path = tmp_path / "b"
    preference_bundle.write(path, ledger(task(ROOMS)))
    header = json.dumps({"0.states": {"dtype": "F64", "shape": [2**40], "data_offsets": [0, 2**43]}}).encode()
    (path / "clips.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    reseal(path)
    with pytest.raises(UnsafeFile, match="declares"):
        preference_bundle.read(path)
