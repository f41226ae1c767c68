"""Reference returns, which scores are measured by, as small files: shipped with teachbox, or in the user's
cache.

Each file holds a digest of what it depends on (the task, its options, the parameters and the sources of its
world). A file whose digest differs from today's is not used.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path
from safetensors.numpy import load_file, save_file

import assets
from agents.evaluation.source_digest import world_source_digest
from agents.io.atomic_files import whole_file, write_whole
from agents.policies.policy_arrays import PolicyArrays, policy_to_arrays, read_layers, read_normalisation
from envs import task_catalog
from envs.code_digest import code_digest, is_same
from envs.external.make_task import env_reward
from envs.recorded_options import USUAL_OBSERVATION
from envs.world import Task

FORMAT = "teachbox-references-1"
SHIPPED = Path(assets.__file__).parent / "references"

log = logging.getLogger("teachbox")

OracleKind = Literal["plan", "rule", "policy"]


@dataclass(frozen=True)
class ReferenceReturns:
    """True returns on each scored layout (seeds 0..N-1 of split "test"), each [N].

    by: what the oracle is: an exact plan, the careful driver by rule, or a policy trained on the true reward
    (kept; `deterministic` says whether its likeliest actions or sampled ones are better). steps: of training.
    """

    random: NDArray[np.float64]
    still: NDArray[np.float64]
    oracle: NDArray[np.float64]
    by: OracleKind
    policy: PolicyArrays | None = None
    deterministic: bool = False
    steps: int = 0


def load_shipped(task: Task, layouts: int, folders: Sequence[Path] | None = None) -> ReferenceReturns | None:
    """What `folders` (default: what is shipped) keep for this task as it is now, with at least so many
    layouts; None if nothing."""
    key, name = reference_key(task), file_name(task)
    read = (_read(folder / f"{name}.json", key, layouts) for folder in folders or (SHIPPED,))
    return next((found for found in read if found is not None), None)


def load_cached(task: Task, layouts: int) -> ReferenceReturns | None:
    """The same from the user's cache; says so when what was shipped can't be used."""
    key, name = reference_key(task), file_name(task)
    found = _read(_cache_path(name, key), key, layouts)
    if found is None and is_catalogued(task) and (SHIPPED / f"{name}.json").exists():
        log.warning(
            "The references shipped for %s were made for another state of its world: they are measured "
            "again now, which can take minutes (`teachbox references` renews them).",
            task.id,
        )
    return found


def save(task: Task, returns: ReferenceReturns, folder: Path | None = None) -> Path:
    """Write what was measured into `folder`, or into the user's cache; the file that was written."""
    key, name = reference_key(task), file_name(task)
    path = _cache_path(name, key) if folder is None else folder / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = path.with_suffix(".safetensors")
    if returns.policy is not None:
        with whole_file(arrays) as fresh:
            save_file(policy_to_arrays(returns.policy, "layer"), fresh)
    else:
        arrays.unlink(missing_ok=True)
    facts = {
        "format": FORMAT,
        "key": key,
        "task": task.id,
        "options": dict(task.options),
        "by": returns.by,
        "steps": returns.steps,
        "surest": returns.deterministic,
        "policy": None if returns.policy is None else _policy_facts(returns.policy),
        "random": returns.random.tolist(),
        "still": returns.still.tolist(),
        "oracle": returns.oracle.tolist(),
    }
    write_whole(path, json.dumps(facts, default=str) + "\n")
    return path


def _told_options(task: Task) -> dict[str, Any]:
    """The options that change reference returns; the usual observation is left out."""
    usual = ("observation", USUAL_OBSERVATION)
    return {k: v for k, v in task.options.items() if k != "split" and (k, v) != usual}


def file_name(task: Task) -> str:
    """The file's name: the task and its options but for the split, which is always "test"."""
    options = [f"{k}-{v}" for k, v in sorted(_told_options(task).items())]
    return re.sub(r"[^\w.-]+", "_", "-".join([task.id.removeprefix("teachbox/"), *options]))[:100]


def reference_key(task: Task) -> str:
    """A digest of what the references depend on: options, horizon, parameters, physics and true reward.

    For a task of our catalogue, physics and true reward are the sources of its world; for any other (of
    another package, or with a replaced true reward) they are the code of its kernel and of its true reward.
    """
    world = task.world
    options = _told_options(task)
    facts: list[Any] = [task.id, options, task.horizon, world.params.tolist()]
    if is_catalogued(task):
        facts.append(world_source_digest(task.id))
    else:
        facts += [
            code_digest(tuple(world.kernel)),
            code_digest(task.true_reward),
            world.obs_names,
            world.term_names,
        ]
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def is_catalogued(task: Task) -> bool:
    """Whether physics and true reward are what our catalogue makes for the task's id and options."""
    make = task_catalog.TASKS.get(task.id)
    if make is None:
        return task.true_reward is env_reward
    made = make(**task.options)
    return is_same(tuple(task.world.kernel), tuple(made.world.kernel)) and is_same(
        task.true_reward, made.true_reward
    )


def _cache_path(name: str, key: str) -> Path:
    return Path(user_cache_path("teachbox")) / "references" / f"{name}-{key}.json"


def _read(path: Path, key: str, layouts: int) -> ReferenceReturns | None:
    if not path.exists():
        return None
    facts = json.loads(path.read_text("utf-8"))
    if facts.get("format") != FORMAT or facts["key"] != key or len(facts["oracle"]) < layouts:
        return None
    kept = path.with_suffix(".safetensors")
    if facts["policy"] is not None and not kept.exists():
        return None
    policy = None if facts["policy"] is None else _read_policy(facts["policy"], load_file(kept))
    random, still, oracle = (np.array(facts[name]) for name in ("random", "still", "oracle"))
    return ReferenceReturns(random, still, oracle, facts["by"], policy, facts["surest"], facts["steps"])


# A policy as arrays.


def _policy_facts(policy: PolicyArrays) -> dict[str, Any]:
    return {"kind": policy.kind, "activation": policy.activation, "layers": len(policy.layers)}


def _read_policy(facts: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> PolicyArrays:
    return PolicyArrays(
        read_layers("layer", arrays),
        facts["kind"],
        arrays.get("log_std"),
        arrays.get("low"),
        arrays.get("high"),
        facts["activation"],
        normalisation=read_normalisation(arrays),
    )
