"""The importers as a fuzzer sees them: valid files, how they are read, and what may be accepted."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np

from agents.io import agent_bundle, sb3_zip
from agents.io.safe_files import UnsafeFile
from agents.policies.policy_arrays import Layers, PolicyArrays
from agents.rewards.reward_arrays import RewardArrays
from envs.world import Task
from sandbox.exchange import (
    cpl_format,
    episodes,
    imitation_format,
    labels,
    minari,
    preference_bundle,
    sample,
)
from sandbox.exchange.isolated_parser import IsolatedParser
from sandbox.exchange.ledger import Ledger
from sandbox.exchange.state_validation import InvalidRecord, check_ledger
from sandbox.store.codec import encode

REFUSALS = (UnsafeFile, InvalidRecord)


@dataclass(frozen=True)
class Target:
    """An importer with valid files. mend: what is made to fit again after a change.

    read(folder) raises a refusal, or returns what it accepted; accept says whether that may be.
    """

    name: str
    files: dict[str, bytes]
    read: Callable[[Path], Any]
    accept: Callable[[Any], bool]
    mend: Literal["", "manifest", "zip"] = ""
    share: float = 1.0
    slow: bool = False
    hit: tuple[str, ...] = ()
    """The files that are changed; () is all."""


def take_files(folder: Path) -> dict[str, bytes]:
    """The files under a folder by their names in it; the folder is emptied."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


class Targets:
    """All importers with small valid files of one world."""

    def __init__(self, apart: IsolatedParser, world: Task) -> None:
        self.apart, self.world = apart, world
        self.ledger = sample.ledger(world, steps=3)
        self.digests = self._digests(self.ledger)
        self.clips = labels.clips_by_digest(entry.record for entry in self.ledger.entries)
        self.agent = _agent(world)

    def _digests(self, given: Ledger) -> list[Any]:
        """What identifies records and where they come from."""
        return [(encode(one.record).digest, one.record.id, one.provenance) for one in given.entries]

    def all(self) -> list[Target]:
        made: list[tuple[str, Callable[[Path], Any]]] = [
            ("bundle", lambda at: preference_bundle.write(at / "x", self.ledger)),
            ("agent", lambda at: agent_bundle.save(at / "x", self.agent)),
            ("sb3", lambda at: sb3_zip.write_zip(at / "x.zip", self.agent, self.world)),
            ("cpl", lambda at: cpl_format.write(at / "x.npz", [one.record for one in self.ledger.entries])),
            ("csv", lambda at: labels.write_csv(at / "x.csv", self.ledger)),
            ("parquet", lambda at: labels.write_parquet(at / "x.parquet", self.ledger)),
            ("hdf5", lambda at: minari.write(at / "x", self.ledger)),
            ("arrow", lambda at: minari.write(at / "x", self.ledger, arrow=True)),
            ("imitation", _write_imitation),
        ]
        files = {}
        for name, write in made:
            with tempfile.TemporaryDirectory() as folder:
                write(Path(folder))
                files[name] = take_files(Path(folder))
        sealed, same = self._bundle, lambda found: self._digests(found) == self.digests
        read = {
            "zip": lambda at: sb3_zip.read_zip(at / "x.zip", self.world),
            "npz": lambda at: cpl_format.read(at / "x.npz"),
            "parquet": lambda at: labels.read_parquet(at / "x.parquet", self.apart),
        }
        return [
            Target("bundle", files["bundle"], sealed, same),
            Target("bundle, hashes made to fit", files["bundle"], sealed, self._fits, "manifest",
                   hit=("x/bundle.json", "x/clips.safetensors")),
            Target("agent", files["agent"], self._load, lambda found: _same(found, self.agent)),
            Target("agent, hashes made to fit", files["agent"], self._load, _finite, "manifest",
                   hit=("x/agent.json", "x/policy.safetensors", "x/reward.safetensors")),
            Target("sb3 zip", files["sb3"], read["zip"], _finite),
            Target("sb3 zip, parts packed anew", files["sb3"], read["zip"], _finite, "zip", 0.3),
            Target("cpl npz", files["cpl"], read["npz"], self._pairs),
            Target("cpl npz, parts packed anew", files["cpl"], read["npz"], self._pairs, "zip", 0.3),
            Target("labels csv", files["csv"], lambda at: labels.read_csv(at / "x.csv"), self._labels),
            Target("labels parquet", files["parquet"], read["parquet"], self._labels, slow=True),
            Target("minari hdf5", files["hdf5"], self._minari, self._episodes, slow=True, share=4.0,
                   hit=("x/data/main_data.hdf5",)),
            Target("minari metadata", files["arrow"], self._minari, self._episodes, slow=True,
                   hit=("x/data/metadata.json", "x/data/0/metadata.json")),
            Target("minari arrow", files["arrow"], self._minari, self._episodes, slow=True,
                   hit=("x/data/0/part-0.arrow",)),
            Target("imitation", files["imitation"], self._imitation, self._episodes, slow=True),
        ]  # fmt: skip

    # How each is read, and what may be accepted.

    def _bundle(self, at: Path) -> Ledger:
        found = preference_bundle.read(at / "x")
        if found.world != self.world.id or dict(found.options) != dict(self.world.options):
            raise InvalidRecord("another world")
        check_ledger(found, self.world)
        return found

    def _fits(self, found: Ledger) -> bool:
        """Made to fit, so anything that could have been said may be accepted: check it again, by value."""
        arrays = [clip for one in found.entries for clip in preference_bundle.trajectories_of(one.record)]
        return all(np.isfinite(clip.observations).all() and clip.task == self.world.id for clip in arrays)

    def _load(self, at: Path) -> agent_bundle.Agent:
        found = agent_bundle.load(at / "x")
        agent_bundle.check_compatible(found, self.world)
        return found

    def _pairs(self, found: Any) -> bool:
        known = cpl_format.entries(found, self.world, "x")
        try:
            check_ledger(Ledger(self.world.id, dict(self.world.options), known), self.world)
        except REFUSALS:
            return True  # refused a step later, as an import does
        return bool(np.isin(found["label"], (0.0, 0.5, 1.0)).all())

    def _labels(self, rows: Any) -> bool:
        try:
            found = labels.entries(rows, self.clips, Path("x"))
            check_ledger(Ledger(self.world.id, dict(self.world.options), found), self.world)
        except REFUSALS:
            return True
        return len(found) == len(rows)

    def _minari(self, at: Path) -> Any:
        return minari.read(at / "x", parser=self.apart)[0]

    def _imitation(self, at: Path) -> Any:
        return imitation_format.read(at / "x", parser=self.apart)

    def _episodes(self, found: Any) -> bool:
        try:
            known = episodes.entries(found, self.world, "x")
            check_ledger(Ledger(self.world.id, dict(self.world.options), known), self.world)
        except REFUSALS:
            return True
        return all(np.isfinite(clip.observations).all() for one in known for clip in _recordings(one))


def _recordings(entry: Any) -> list[Any]:
    return preference_bundle.trajectories_of(entry.record)


def _agent(world: Task) -> agent_bundle.Agent:
    chance, wide, acts = np.random.default_rng(0), len(world.world.obs_names), int(world.world.action_space.n)  # type: ignore[union-attr]

    def net(*sizes: int) -> Layers:
        pairs = pairwise(sizes)
        return tuple(
            (chance.normal(size=(a, b)).astype(np.float32), chance.normal(size=b).astype(np.float32))
            for a, b in pairs
        )

    weights = chance.normal(size=(2, len(world.world.terms))).astype(np.float32)
    reward = RewardArrays(weights, (net(2 * wide + acts, 2, 1),) * 2, 0.5, 2.0, acts)
    policy = PolicyArrays(net(wide, 4, acts), "discrete")
    return agent_bundle.Agent(
        world.id, policy, reward, net(wide, 4, 1), dict(world.options), "joint", 1, 2, 3
    )


def _same(a: agent_bundle.Agent, b: agent_bundle.Agent) -> bool:
    return _numbers(a) == _numbers(b) and (a.world, a.learner, a.step) == (b.world, b.learner, b.step)


def _numbers(agent: agent_bundle.Agent) -> list[bytes]:
    layers = [*agent.policy.layers, *agent.value, *(agent.reward.nets[0] if agent.reward else ())]
    return [part.tobytes() for layer in layers for part in layer]


def _finite(agent: agent_bundle.Agent) -> bool:
    return all(np.isfinite(part).all() for layer in (*agent.policy.layers, *agent.value) for part in layer)


def _write_imitation(at: Path) -> None:
    """Two trajectories in the Arrow stream that Hugging Face's `datasets` writes."""
    import pyarrow as pa

    chance, folder = np.random.default_rng(0), at / "x"
    folder.mkdir()
    obs = [chance.normal(size=(n + 1, 63)).astype(np.float32).tolist() for n in (2, 3)]
    rows = {
        "obs": obs,
        "acts": [[1, 2], [0, 4, 1]],
        "infos": [["{}"] * 2, ["{}"] * 3],
        "terminal": [False, True],
    }
    table = pa.table({**rows, "rews": [[1.0, 0.0], [0.0, 0.5, 1.0]]})
    with pa.OSFile(str(folder / "data.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as out:
        out.write_table(table)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data.arrow"}]}))
