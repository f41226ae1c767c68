"""Formats of others: what goes out comes in again, equal."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.feedback.records import Comparison, Demonstration
from agents.io.safe_files import UnsafeFile
from agents.learner_catalog import make
from envs.task_catalog import task
from sandbox.exchange import cpl_format, imitation_format, labels, minari
from sandbox.exchange.episodes import Episode, demonstrations, entries, recording
from sandbox.exchange.ledger import Entry, Ledger, read_session
from sandbox.exchange.sample import random_recording
from sandbox.exchange.state_validation import InvalidRecord
from sandbox.store import Provenance
from tests.sandbox.exchanged import ROOMS, WORLDS, every_kind, ledger, refused, session, teachbox
from tests.sandbox.records import records, same
from tests.sandbox.test_exchange_bundle import origins

Rows = list[dict[str, str | float | None]]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.builds(Entry, records, origins), max_size=4, unique_by=lambda entry: entry.record.id))
def test_labels_come_back_as_csv(given_entries: list[Entry]) -> None:
    whole = Ledger("a/World-v0", {}, given_entries)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        labels.write_csv(path, whole)
        rows = labels.read_csv(path)
    assert rows == labels.rows_of(whole)
    clips = labels.clips_by_digest(entry.record for entry in given_entries)
    assert same(tuple(labels.entries(rows, clips, path)), tuple(given_entries))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_labels_meet_their_clips_again(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = session(tmp_path / "a", task(ROOMS))
    assert "9 labels" in teachbox("export", "a", "--out", f"l.{form}", "--format", form)
    assert teachbox("import", f"l.{form}", "--session", "a").startswith("0 records saved")
    read: Callable[[Path], Rows] = labels.read_csv if form == "csv" else labels.read_parquet
    assert read(Path(f"l.{form}")) == labels.rows_of(made)
    session(tmp_path / "b", task(ROOMS, size=7))
    assert "does not have" in refused("import", f"l.{form}", "--session", "b")


def test_a_label_written_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer about two clips of the session, with nothing but what a person would type."""
    monkeypatch.chdir(tmp_path)
    made = session(tmp_path / "a", task(ROOMS))
    names = labels.rows_of(made)[1]["clips"]
    text = f'kind,ranks,clips\ncomparison,"[1, 0]","{str(names).replace(chr(34), 2 * chr(34))}"\n'
    Path("mine.csv").write_text(text)
    assert teachbox("import", "mine.csv", "--session", "a") == "1 records saved in a."
    last = read_session(Path("a")).entries[-1].record
    assert isinstance(last, Comparison)
    assert last.ranks == (1, 0)
    Path("bad.csv").write_text(text.replace("[1, 0]", "[1, x]"))
    assert "a list as in JSON" in refused("import", "bad.csv", "--session", "a")
    Path("bad.csv").write_text(text.replace("kind", "sort"))
    assert "'kind'" in refused("import", "bad.csv", "--session", "a")


@pytest.mark.parametrize("world", WORLDS)
def test_cpl_arrays_come_back(world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = session(tmp_path / "a", task(world))
    pairs = cpl_format.pairs_of([entry.record for entry in made.entries])
    assert [pair.label for pair in pairs] == [0.0, 1.0, 0.5, 0.0, 0.5][: len(pairs)]
    teachbox("export", "a", "--out", "p.npz", "--format", "cpl")
    teachbox("import", "p.npz", "--session", "b", "--world", world)
    again = cpl_format.pairs_of([entry.record for entry in read_session(Path("b")).entries])
    assert len(again) == len(pairs) == 5
    for old, new in zip(pairs, again, strict=True):
        assert new.label == old.label
        for a, b in ((old.first, new.first), (old.second, new.second)):
            assert same(tuple(getattr(a, k) for k in ARRAYS), tuple(getattr(b, k) for k in ARRAYS))
    arrays, theirs = cpl_format.arrays_of(pairs), cpl_format.read(Path("p.npz"))
    assert same(tuple(arrays[k] for k in sorted(arrays)), tuple(theirs[k] for k in sorted(arrays)))


ARRAYS = ("observations", "actions", "terms")


def test_cpl_arrays_of_others(tmp_path: Path) -> None:
    """As its authors keep them: the five arrays alone, labels in a column."""
    rng = np.random.default_rng(0)
    obs, acts = rng.random((2, 3, 5, 4), np.float32), rng.integers(2, size=(2, 3, 5))
    plain = {"obs_1": obs[0], "obs_2": obs[1], "action_1": acts[0], "action_2": acts[1]}
    np.savez(tmp_path / "p.npz", **plain, label=np.array([[0.0], [1.0], [0.5]]))
    cartpole = task("CartPole-v1")
    found = cpl_format.entries(cpl_format.read(tmp_path / "p.npz"), cartpole, "p.npz")
    assert [one.record.ranks for one in found if isinstance(one.record, Comparison)] == [
        (0, 1),
        (1, 0),
        (0, 0),
    ]
    with pytest.raises(InvalidRecord, match="terms_1"):
        cpl_format.entries(cpl_format.read(tmp_path / "p.npz"), task(ROOMS), "p.npz")
    np.savez(tmp_path / "q.npz", **plain, label=np.array([0.0, 1.0, 0.7]))
    with pytest.raises(UnsafeFile, match="neither"):
        cpl_format.read(tmp_path / "q.npz")


@pytest.mark.parametrize("form", ["minari", "minari-arrow"])
@pytest.mark.parametrize("world", WORLDS)
def test_minari_comes_back(world: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = session(tmp_path / "a", task(world))
    assert teachbox("export", "a", "--out", "m", "--format", form) == "1 demonstrations of a are in m."
    assert teachbox("import", "m", "--session", "b") == "1 records saved in b."
    assert same(tuple(demonstrations(read_session(Path("b")))), tuple(demonstrations(made)))
    assert "1 were there already" in teachbox("import", "m", "--session", "b")


@pytest.mark.parametrize("arrow", [False, True])
def test_minari_of_any_demonstrations(arrow: bool, tmp_path: Path) -> None:
    """No step at all, a start in the middle, many: each comes back to the last bit."""
    for world in WORLDS:
        place = task(world)
        whole = random_recording(place, 12)
        kept = [
            whole,
            whole.clip(0, 0),
            whole.clip(4, 9),
            replace(whole, driver="log:a file"),
            random_recording(place, 3, 5),
        ]
        origin = Provenance("r", "p", None, None, (1, 0), "x:1")
        given_entries = [Entry(Demonstration(clip), origin) for clip in kept]
        path = tmp_path / world.rpartition("/")[2]
        minari.write(path, Ledger(world, dict(place.options), given_entries), arrow)
        found, said = minari.read(path)
        assert said == (world, dict(place.options))
        assert same(tuple(entries(found, place, "x")), tuple(given_entries))


@pytest.mark.parametrize("world", WORLDS)
def test_episodes_of_others_are_run_again_from_their_seed(world: str) -> None:
    place = task(world)
    env = gymnasium.make(world, **place.options)
    seen = [env.reset(seed=5)[0]]
    env.action_space.seed(1)
    acts, rewards, ends = [], [], []
    for _ in range(25):
        acts.append(env.action_space.sample())
        obs, reward, ended, _, _ = env.step(acts[-1])
        seen.append(obs)
        rewards.append(reward)
        ends.append(ended)
        if ended:
            break
    episode = Episode("e", np.stack(seen), np.array(acts), np.array(rewards), np.array(ends), seed=5)
    found = recording(episode, place, "x")
    assert len(found) == len(acts)
    if world == ROOMS:
        assert found.states.shape == (len(acts) + 1, place.world.state_size)
        with pytest.raises(InvalidRecord, match="neither its seed"):
            recording(replace(episode, seed=None), place, "x")
    with pytest.raises(InvalidRecord, match="another one"):
        recording(replace(episode, seed=6), place, "x")
    turned = episode.observations.copy()
    turned[3] += 0.5
    with pytest.raises(InvalidRecord, match="step 3"):
        recording(replace(episode, observations=turned), place, "x")


def test_every_kind_is_in_the_ledger() -> None:
    """The other tests say something only if the session they exchange holds every kind."""
    kinds = {type(entry.record) for entry in ledger(task(ROOMS)).entries}
    assert len(kinds) == 5
    assert len(every_kind(task(ROOMS))) == 9


DATA = Path(__file__).parents[1] / "data" / "exchange"


@pytest.mark.parametrize("form", ["minari-hdf5", "minari-arrow"])
def test_a_data_set_as_minari_wrote_it(form: str, tmp_path: Path) -> None:
    """Written by the library itself: run again from its seeds, it is what was recorded."""
    told = teachbox("import", str(DATA / form), "--session", str(tmp_path / "s"))
    assert told == f"2 records saved in {tmp_path / 's'}."
    ledger = read_session(tmp_path / "s")
    assert ledger.world == "CartPole-v1"
    kept = [record.trajectory for record, _ in demonstrations(ledger)]
    assert [(len(clip), clip.seed) for clip in kept] == [(12, 3), (12, 8)]


def test_trajectories_as_imitation_saved_them(tmp_path: Path) -> None:
    where = ["--session", str(tmp_path / "s")]
    assert "--world" in refused("import", str(DATA / "imitation"), *where)
    told = teachbox("import", str(DATA / "imitation"), *where, "--world", "CartPole-v1")
    assert told == f"3 records saved in {tmp_path / 's'}."
    kept = [record.trajectory for record, _ in demonstrations(read_session(tmp_path / "s"))]
    assert [len(clip) for clip in kept] == [8, 9, 10]
    assert [clip.terms.sum(0).tolist() for clip in kept] == [[8.0, 0.0], [9.0, 1.0], [10.0, 0.0]]
    assert kept[1].observations[-1].tolist() == [0.0, 0.0, 0.0, 0.0, 1.0]
    assert "neither its seed" in refused(
        "import", str(DATA / "imitation"), "--session", str(tmp_path / "t"), "--world", ROOMS
    )


@pytest.mark.parametrize("learner", ["bc", "joint"])
def test_learners_take_what_can_not_be_run_again(learner: str, tmp_path: Path) -> None:
    """Without a seed they are cloned; nothing asks for them to be driven anew."""
    cartpole = task("CartPole-v1")
    found = entries(imitation_format.read(DATA / "imitation"), cartpole, "x")
    student = make(learner, cartpole, prior="none")
    student.observe(3, [entry.record for entry in found])
    for _ in range(3):
        student.step()
    assert student.snapshot().feedback_counts == {"demonstration": 3}
