"""`minari` (HDF5) and `minari-arrow`: demonstrations as the Minari library keeps data sets.

The folder's `data` holds metadata.json and main_data.hdf5, or a folder for each episode with an Arrow
file and its own metadata.json. Observations are those that learners get, flat float32; rewards are the
written reward. What makes a recording whole (states, random words, terms) stands in the infos.
See Minari's "Dataset Standards". The minari package itself is not used.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from agents.feedback.records import Demonstration
from agents.io.safe_files import Arrays, UnsafeFile, check_text, fresh_folder, parse_json, read_bytes, shorten
from envs.gym_env import compute_proxy_reward
from envs.task_catalog import task
from envs.world import OBS_BOUND, Task
from sandbox.exchange.episodes import OURS, Episode, declared_world, demonstrations, own_text
from sandbox.exchange.isolated_parser import IsolatedParser, parser_or_new, require_libraries
from sandbox.exchange.ledger import Ledger, ProgressCallback, no_progress
from sandbox.store.provenance import Provenance

DATA, METADATA, MAIN = "data", "metadata.json", "main_data.hdf5"
MINARI_VERSION = "0.5.3"  # whose format this is
DATASET = re.compile(r"(?:[-\w]+/)*[-\w]+-v\d+")
NAMES = ("observations", "actions", "rewards", "terminations", "truncations")
MOST_EPISODES = 100_000


def write(path: Path, ledger: Ledger, arrow: bool = False, tell: ProgressCallback = no_progress) -> int:
    """Write the standing demonstrations; how many there are."""
    require_libraries("minari-arrow" if arrow else "hdf5")
    kept = demonstrations(ledger)
    if not kept:
        raise UnsafeFile("there are no demonstrations to write: drive first, or choose the format 'bundle'.")
    world = task(ledger.world, **ledger.options)
    with fresh_folder(path) as folder:
        data = folder / DATA
        data.mkdir()
        (_write_arrow if arrow else _write_hdf5)(data, kept, world, tell)
        metadata = _metadata(path.name, kept, world, arrow)
        (data / METADATA).write_text(json.dumps(metadata), "utf-8")
    return len(kept)


def _columns(record: Demonstration, world: Task) -> tuple[Arrays, Arrays]:
    """(Minari's own arrays, infos) of an episode; infos have a row for each moment."""
    clip = record.trajectory
    steps = len(clip)
    truncated = np.zeros(steps, np.bool_)
    truncated[-1:] = True
    columns = {
        "observations": clip.observations,
        "actions": clip.actions,
        "rewards": compute_proxy_reward(world, clip.terms),
        "terminations": np.zeros(steps, np.bool_),
        "truncations": truncated,
    }
    terms = np.concatenate([np.zeros((1, clip.terms.shape[1]), np.float32), clip.terms])
    infos: Arrays = {"rng": clip.rng[:, None], "terms": terms}
    if clip.states.shape[1]:
        infos["states"] = clip.states
    return columns, infos


def _write_hdf5(
    data: Path, kept: list[tuple[Demonstration, Provenance]], world: Task, tell: ProgressCallback
) -> None:
    import h5py

    with h5py.File(data / MAIN, "w") as file:
        for number, (record, origin) in enumerate(kept):
            columns, infos = _columns(record, world)
            group = file.create_group(f"episode_{number}")
            group.attrs["id"], group.attrs["total_steps"] = number, len(record.trajectory)
            group.attrs[OURS] = own_text(record, origin)
            for name, value in columns.items():
                group.create_dataset(name, data=value)
            for name, value in infos.items():
                group.create_dataset(f"infos/{name}", data=value)
            tell((number + 1) / len(kept), "writing episodes")


def _write_arrow(
    data: Path, kept: list[tuple[Demonstration, Provenance]], world: Task, tell: ProgressCallback
) -> None:
    import pyarrow as pa

    def rows(value: Any) -> Any:
        """An array [R, ...] as a column of R fixed lists (plain numbers where there is one axis)."""
        if value.ndim == 1:
            return pa.array(value)
        flat = value.reshape(len(value), -1)
        kind = pa.list_(pa.from_numpy_dtype(value.dtype), flat.shape[1])
        return pa.FixedSizeListArray.from_arrays(pa.array(flat.reshape(-1)), type=kind)

    for number, (record, origin) in enumerate(kept):
        columns, infos = _columns(record, world)
        moments = len(record.trajectory) + 1
        padded = {name: _padded(value, moments) for name, value in columns.items()}
        fields = [
            pa.field(name, rows(value).type, metadata={"shape": str(value.shape[1])})
            for name, value in infos.items()
        ]
        struct = pa.StructArray.from_arrays([rows(value) for value in infos.values()], fields=fields)
        table = pa.table({**{name: rows(value) for name, value in padded.items()}, "infos": struct})
        folder = data / str(number)
        folder.mkdir()
        with (
            pa.OSFile(str(folder / "part-0.arrow"), "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as out,
        ):
            out.write_table(table)
        facts = {"id": number, "total_steps": len(record.trajectory), OURS: own_text(record, origin)}
        (folder / METADATA).write_text(json.dumps(facts), "utf-8")
        tell((number + 1) / len(kept), "writing episodes")


def _padded(value: Any, moments: int) -> Any:
    """Minari's Arrow rows are moments; what belongs to steps has zeros at the last."""
    missing = moments - len(value)
    return np.concatenate([value, np.zeros((missing, *value.shape[1:]), value.dtype)]) if missing else value


def _metadata(name: str, kept: list[Any], world: Task, arrow: bool) -> dict[str, Any]:
    wide, space = len(world.world.obs_names), world.world.action_space
    bound = OBS_BOUND if world.can_restore else None
    limits = [-bound, bound] if bound is not None else [float("-inf"), float("inf")]
    observations = {"type": "Box", "dtype": "float32", "shape": [wide]}
    observations |= {"low": [limits[0]] * wide, "high": [limits[1]] * wide}
    if isinstance(space, spaces.Discrete):
        actions = {"type": "Discrete", "dtype": "int64", "start": 0, "n": int(space.n)}
    else:
        actions = {"type": "Box", "dtype": "float32", "shape": list(space.shape)}
        actions |= {"low": space.low.tolist(), "high": space.high.tolist()}
    short_name = re.sub(r"[^-\w]+", "-", name).strip("-") or "session"
    found: dict[str, Any] = {
        "total_episodes": len(kept),
        "total_steps": sum(len(record.trajectory) for record, _ in kept),
        "data_format": "arrow" if arrow else "hdf5",
        "jpeg_encoding": False,
        "observation_space": json.dumps(observations),
        "action_space": json.dumps(actions),
        "dataset_id": f"teachbox/{re.sub(r'-v[0-9]+$', '', short_name)}-v0",
        "minari_version": MINARI_VERSION,
        "algorithm_name": "a person",
    }
    if world.can_restore and world.id in gymnasium.registry:
        spec = gymnasium.spec(world.id)
        spec.kwargs = {**spec.kwargs, **world.options}
        found["env_spec"] = spec.to_json()
    return found


DeclaredWorld = tuple[str, dict[str, Any]] | None
"""World and options as a file names them."""


def read(
    path: Path, tell: ProgressCallback = no_progress, parser: IsolatedParser | None = None
) -> tuple[list[Episode], DeclaredWorld]:
    """The episodes of a data set's folder (or of its `data`), and which world they say. Raises UnsafeFile.

    Nothing that the metadata names is made, imported or asked for: neither env_spec nor requirements.
    """
    data = path / DATA if (path / DATA).is_dir() else path
    if data.is_symlink() or path.is_symlink():
        raise UnsafeFile(f"{path} is a link: give the folder itself.")
    metadata = parse_json(read_bytes(data / METADATA, 2**24), str(data / METADATA))
    named = metadata.get("dataset_id", "x-v0")
    if not isinstance(named, str) or not DATASET.fullmatch(named):
        raise UnsafeFile(f"{data / METADATA} has the id {shorten(named)}: NAMESPACE/NAME-v0 is expected.")
    total, kind = metadata.get("total_episodes"), metadata.get("data_format", "hdf5")
    if type(total) is not int or not 0 <= total <= MOST_EPISODES:
        raise UnsafeFile(f"{data / METADATA} says {shorten(total)} episodes: 0 to {MOST_EPISODES} are read.")
    if kind == "hdf5":
        found = _read_hdf5(data / MAIN, total, tell, parser)
    elif kind == "arrow":
        found = _read_arrow(data, total, tell, parser)
    else:
        raise UnsafeFile(f"{data / METADATA} says the format {shorten(kind)}: 'hdf5' and 'arrow' are read.")
    own = found[0].own if found else None
    return found, _named(metadata.get("env_spec")) if own is None else declared_world(own)


def _named(spec: Any) -> DeclaredWorld:
    """The id in an environment's description; nothing else of it is believed."""
    if not isinstance(spec, str):
        return None
    id = parse_json(check_text(spec, "env_spec"), "env_spec").get("id")
    return (id, {}) if isinstance(id, str) else None


def _read_hdf5(
    file: Path, total: int, tell: ProgressCallback, parser: IsolatedParser | None
) -> list[Episode]:
    with parser_or_new(parser, "hdf5") as reader:
        tell(0.3, "reading HDF5 apart")
        facts, arrays = reader.read("hdf5", file)
    parts: dict[str, Arrays] = {}
    for where, array in arrays.items():
        head, _, rest = where.partition("/")
        parts.setdefault(head, {})[rest] = array
    found = []
    for number in range(total):
        name = f"episode_{number}"
        if name not in parts:
            raise UnsafeFile(f"{file} lacks {name} of {total}.")
        found.append(_episode(f"{name} of {file}", parts[name], facts["attributes"].get(name, {})))
    return found


def _read_arrow(
    data: Path, total: int, tell: ProgressCallback, parser: IsolatedParser | None
) -> list[Episode]:
    found = []
    with parser_or_new(parser, "minari-arrow") as reader:
        for number in range(total):
            folder = data / str(number)
            if folder.is_symlink() or not folder.is_dir():
                raise UnsafeFile(f"{folder} is no folder (links are not followed).")
            said = parse_json(read_bytes(folder / METADATA, 2**24), str(folder / METADATA))
            _, arrays = reader.read("minari-arrow", folder / "part-0.arrow")
            steps = {key: arrays[key][:-1] for key in NAMES[1:] if key in arrays}
            found.append(_episode(f"episode {number} of {data}", {**arrays, **steps}, said))
            tell((number + 1) / max(total, 1), "reading Arrow apart")
    return found


def _episode(name: str, arrays: Arrays, metadata: dict[str, Any]) -> Episode:
    missing = [key for key in NAMES[:3] if key not in arrays]
    if missing:
        raise UnsafeFile(f"{name} has no plain array {missing[0]!r} (others can't be laid flat here).")
    steps = len(arrays["actions"]) if arrays["actions"].ndim else -1
    for key in NAMES:
        wanted = steps + 1 if key == "observations" else steps
        if key in arrays and (arrays[key].ndim == 0 or len(arrays[key]) != wanted):
            raise UnsafeFile(f"{name} of {steps} steps has {key} of shape {list(arrays[key].shape)}.")
    seed, own = metadata.get("seed"), metadata.get(OURS)
    return Episode(
        name=name,
        observations=arrays["observations"],
        actions=arrays["actions"],
        rewards=arrays["rewards"],
        terminations=arrays.get("terminations"),
        seed=seed if type(seed) is int else None,
        own=own if isinstance(own, str) else None,
        states=arrays.get("infos/states"),
        rng=arrays.get("infos/rng"),
        terms=arrays.get("infos/terms"),
    )
