"""A small session with a record of each kind, to try formats on (`--quick`) and to fuzz."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gymnasium import spaces

from agents.feedback.records import Comparison, Correction, Demonstration, Evaluation, Record, Undo
from envs.simulate import simulate
from envs.task_catalog import task
from envs.trajectory import Trajectory
from envs.world import Task
from sandbox.exchange.format_names import ReadFormat
from sandbox.exchange.importing import save_records
from sandbox.exchange.ledger import Entry, Ledger, no_progress
from sandbox.session.opening import DEFAULT_WORLD
from sandbox.store.provenance import Provenance

SAID_AT = "2026-01-01T00:00:00.000000+00:00"


def random_recording(world: Task, steps: int, seed: int = 0, driver: str = "person") -> Trajectory:
    """A recording of random actions, also in a world of somebody else's."""
    random = np.random.default_rng(seed)
    sim = simulate(world, 1, seed)
    recorder = sim.recorder(0, driver)
    space = world.world.action_space
    for _ in range(steps):
        if isinstance(space, spaces.Discrete):
            action = np.array([random.integers(int(space.n))])
        else:
            action = random.uniform(space.low, space.high).astype(np.float32)[None]
        out = sim.step(action)
        recorder.add(action[0], out.terms[0], sim.states[0], int(sim.rng[0]), out.last_obs[0])
    return recorder.trajectory()


def ledger(world: Task, steps: int = 6, seed: int = 0) -> Ledger:
    """A record of each kind; the same each time."""
    clips = tuple(random_recording(world, steps, seed + k, "random") for k in range(3))
    ids = [f"{seed:024x}{k:08x}" for k in range(6)]
    first = Demonstration(clips[0], ids[0])
    records: list[Record] = [
        first,
        Demonstration(random_recording(world, steps, seed + 3), ids[1]),
        Comparison(clips[:2], (1, 0), question="", seconds=1.5, id=ids[2]),
        Evaluation(clips[2], 1.0, 1.0, 10.0, ids[3]),
        Correction(clips[1], clips[2], ids[4]),
        Undo(first.id, ids[5]),
    ]
    origin = Provenance("sample", "sample", 1.5, None, (1, 0), "random:0", SAID_AT)
    return Ledger(world.id, dict(world.options), [Entry(record, origin) for record in records])


def make_session(folder: Path) -> None:
    """A session in `folder` with these records, and a learner that has just begun."""
    from agents.learner_catalog import make
    from sandbox.learning.checkpoints import Checkpoints

    world = task(DEFAULT_WORLD)
    save_records(ledger(world), folder, "sample")
    learner = make("joint", world, prior="none")
    Checkpoints(folder, "joint").write(learner.save, [])


def make_file(path: Path, session: Path, format: ReadFormat | None) -> None:
    """A file or folder at `path` that `session` can import: written by a session beside it."""
    from sandbox.exchange.formats import writer

    kinds: dict[str, ReadFormat] = {".csv": "csv", ".parquet": "parquet", ".npz": "cpl", ".zip": "sb3"}
    source = session if session.exists() else session.with_name(f"{session.name}-source")
    kind = format or kinds.get(path.suffix, "bundle")
    if kind in ("csv", "parquet", "agent", "sb3"):  # these go into a session that is there already
        source = session
    if not source.exists():
        make_session(source)
    writer(kind)(source, path, no_progress)
