"""An agent as a folder that is safe to share: loading it builds a fresh model and runs no code.

agent.json           world, learner, and the sizes of everything
policy.safetensors   the policy's layers, and the value function's where there is one
reward.safetensors   the learned reward, where there is one
manifest.json        size and SHA-256 of each

`save` and `load` need no torch; `agents.sb3_zip` makes a Stable-Baselines3 model of an Agent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as save_arrays

from agents.safe_files import Arrays, UnsafeFile, expect_tensors, parse_json, short
from agents.safe_folder import read_folder, write_folder
from agents.snapshot import Layers, PolicyArrays, RewardArrays, Snapshot, Turns
from envs.world import Task

FORMAT, VERSION = "teachbox-agent", 1
FACTS, POLICY, REWARD = "agent.json", "policy.safetensors", "reward.safetensors"
MOST_WIDE, MOST_DEEP, MOST_MEMBERS = 200_000, 16, 256
MOST_BYTES, MOST_FACTS = 2**28, 2**20
Expected = dict[str, tuple[str, tuple[int, ...]]]
"""name -> (safetensors dtype, shape)"""


@dataclass(frozen=True)
class Agent:
    """A policy, maybe with the value function and the reward that it was trained with.

    world, options: the task that it acts in. value: layers from observation to value, () if unknown.
    """

    world: str
    policy: PolicyArrays
    reward: RewardArrays | None = None
    value: Layers = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    learner: str = ""
    step: int = 0
    env_steps: int = 0
    feedback_seq: int = 0


def agent_of(task: Task, snapshot: Snapshot, value: Layers = ()) -> Agent:
    """What a snapshot shows, as an agent of its own. ValueError while it has no policy."""
    if snapshot.policy is None:
        raise ValueError(f"{snapshot.learner} has no policy yet: let it learn first.")
    counts = snapshot.step, snapshot.env_steps, snapshot.feedback_seq
    options = dict(task.options)
    return Agent(task.id, snapshot.policy, snapshot.reward, value, options, snapshot.learner, *counts)


def check_fits(agent: Agent, task: Task) -> None:
    """Raise UnsafeFile unless the agent sees and does what this world shows and takes."""
    world = task.world
    inputs, outputs = agent.policy.layers[0][0].shape[0], agent.policy.layers[-1][0].shape[1]
    space: Any = world.action_space
    discrete = hasattr(space, "n")
    acts = int(space.n) if discrete else math.prod(space.shape)
    acts *= 2 if agent.policy.kind == "squashed" else 1
    if (inputs, outputs, agent.policy.kind == "discrete") != (len(world.obs_names), acts, discrete):
        raise UnsafeFile(
            f"the agent sees {inputs} numbers and gives {outputs} ({agent.policy.kind}); {task.id} shows "
            f"{len(world.obs_names)} and takes {acts}: it is of another world or version."
        )
    terms = agent.reward.weights.shape[1] if agent.reward is not None else len(world.terms)
    if terms != len(world.terms):
        raise UnsafeFile(f"the agent's reward knows {terms} terms, and {task.id} has {len(world.terms)}.")


# Out.


def save(folder: Path, agent: Agent) -> None:
    """Write the agent into a new folder, whole or not at all. Raises UnsafeFile if it exists."""
    policy = agent.policy
    if policy.eyes is not None:
        raise ValueError(
            "a 'CnnPolicy' can't be put into a bundle: keep the learner's own checkpoint instead"
        )
    arrays = _layer_arrays("policy", policy.layers) | _layer_arrays("value", agent.value)
    for name in ("log_std", "low", "high"):
        if getattr(policy, name) is not None:
            arrays[name] = np.asarray(getattr(policy, name), np.float32)
    facts: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "world": agent.world,
        "options": dict(agent.options),
        "learner": agent.learner,
        "step": agent.step,
        "env_steps": agent.env_steps,
        "feedback_seq": agent.feedback_seq,
        "policy": {
            "kind": policy.kind,
            "activation": policy.activation,
            "sizes": _sizes(policy.layers),
            "value_sizes": _sizes(agent.value),
            "log_std": policy.log_std is not None,
            "bounds": policy.low is not None,
        },
        "reward": None if agent.reward is None else _reward_facts(agent.reward),
    }
    files = {POLICY: save_arrays(arrays)}
    if agent.reward is not None:
        files[REWARD] = save_arrays(_reward_arrays(agent.reward))
    text = json.dumps(facts, indent=2, allow_nan=False) + "\n"
    write_folder(folder, {FACTS: text.encode(), **files})


def _sizes(layers: Layers) -> list[int]:
    return [layers[0][0].shape[0], *(weight.shape[1] for weight, _ in layers)] if layers else []


def _layer_arrays(name: str, layers: Layers) -> Arrays:
    return {
        f"{name}.{i}.{part}": np.ascontiguousarray(value, np.float32)
        for i, layer in enumerate(layers)
        for part, value in zip(("weight", "bias"), layer, strict=True)
    }


def _reward_facts(reward: RewardArrays) -> dict[str, Any]:
    return {
        "members": reward.weights.shape[0],
        "terms": reward.weights.shape[1],
        "nets": len(reward.nets),
        "sizes": _sizes(reward.nets[0]) if reward.nets else [],
        "potential_sizes": _sizes(reward.potential),
        "turns": [] if reward.turns is None else list(reward.turns.orders.shape),
        "one_hot": reward.one_hot,
        "shift": float(reward.shift),
        "scale": float(reward.scale),
        "gamma": float(reward.gamma),
        "squash": reward.squash,
    }


def _reward_arrays(reward: RewardArrays) -> Arrays:
    found: Arrays = {"weights": np.ascontiguousarray(reward.weights, np.float32)}
    for number, net in enumerate(reward.nets):
        found |= _layer_arrays(f"net{number}", net)
    if reward.turns is not None:
        found["turns.orders"] = np.ascontiguousarray(reward.turns.orders, np.int64)
        found["turns.actions"] = np.ascontiguousarray(reward.turns.actions, np.int64)
    return found | _layer_arrays("potential", reward.potential)


# In.


def load(folder: Path) -> Agent:
    """The agent that `save` wrote, as a fresh one. Raises UnsafeFile with a sentence for anything else."""
    files = read_folder(folder, {FACTS, POLICY}, {REWARD}, MOST_BYTES)
    if len(files[FACTS]) > MOST_FACTS:
        raise UnsafeFile(
            f"{folder / FACTS} has {len(files[FACTS])} bytes, and at most {MOST_FACTS} are read."
        )
    facts = parse_json(files[FACTS], str(folder / FACTS))
    if facts.get("format") != FORMAT or facts.get("version") != VERSION:
        raise UnsafeFile(
            f"{folder} is of format {short(facts.get('format'))}, version {short(facts.get('version'))}; "
            f"this program reads {FORMAT!r}, version {VERSION}."
        )
    reader = _Facts(facts, str(folder / FACTS))
    policy, value = _policy(reader.part("policy"), files[POLICY], folder)
    reward = None
    if (facts.get("reward") is None) == (REWARD in files):
        raise UnsafeFile(f"{folder} has {FACTS} and {REWARD} that don't agree on whether there is a reward.")
    if REWARD in files:
        reward = _reward(reader.part("reward"), files[REWARD], folder)
    options = facts.get("options")
    if not isinstance(options, dict):
        raise UnsafeFile(f"{folder / FACTS} has options of a wrong kind.")
    counts = {key: reader.count(key, 2**53) for key in ("step", "env_steps", "feedback_seq")}
    texts = {key: reader.text(key) for key in ("world", "learner")}
    return Agent(policy=policy, reward=reward, value=value, options=options, **texts, **counts)  # type: ignore[arg-type]


class _Facts:
    """A JSON object of others: every value asked for by its kind and bound."""

    def __init__(self, facts: Mapping[str, Any], name: str) -> None:
        self.facts, self.name = facts, name

    def part(self, key: str) -> _Facts:
        found = self.facts.get(key)
        if not isinstance(found, dict):
            raise self.wrong(key)
        return _Facts(found, f"{self.name} ({key})")

    def wrong(self, key: str) -> UnsafeFile:
        return UnsafeFile(f"{self.name} has {short(key)} {short(self.facts.get(key))}, which can't be.")

    def count(self, key: str, most: int) -> int:
        found = self.facts.get(key)
        if type(found) is not int or not 0 <= found <= most:
            raise self.wrong(key)
        return found

    def number(self, key: str) -> float:
        found = self.facts.get(key)
        if type(found) not in (int, float) or not abs(found) < 1e12:  # type: ignore[arg-type]
            raise self.wrong(key)
        return float(found)  # type: ignore[arg-type]

    def flag(self, key: str) -> bool:
        found = self.facts.get(key)
        if not isinstance(found, bool):
            raise self.wrong(key)
        return found

    def text(self, key: str, among: Sequence[str] = ()) -> Any:
        found = self.facts.get(key)
        if not isinstance(found, str) or len(found) > 400 or (among and found not in among):
            raise self.wrong(key)
        return found

    def sizes(self, key: str) -> list[int]:
        found = self.facts.get(key)
        fits = isinstance(found, list) and len(found) <= MOST_DEEP and len(found) != 1
        if not fits or not all(type(n) is int and 0 < n <= MOST_WIDE for n in found or []):
            raise self.wrong(key)
        return list(found or [])


def _layers_expected(name: str, sizes: Sequence[int]) -> Expected:
    found: Expected = {}
    for i, (wide, next_wide) in enumerate(pairwise(sizes)):
        found[f"{name}.{i}.weight"] = ("F32", (wide, next_wide))
        found[f"{name}.{i}.bias"] = ("F32", (next_wide,))
    return found


def _layers(name: str, sizes: Sequence[int], arrays: Arrays) -> Layers:
    count = max(len(sizes) - 1, 0)
    return tuple((arrays[f"{name}.{i}.weight"], arrays[f"{name}.{i}.bias"]) for i in range(count))


def _policy(facts: _Facts, content: bytes, folder: Path) -> tuple[PolicyArrays, Layers]:
    kind = facts.text("kind", ("discrete", "gaussian", "squashed"))
    sizes, value_sizes = facts.sizes("sizes"), facts.sizes("value_sizes")
    if not sizes or facts.flag("log_std") != (kind == "gaussian"):
        raise facts.wrong("sizes" if not sizes else "log_std")
    if value_sizes and (value_sizes[0] != sizes[0] or value_sizes[-1] != 1):
        raise facts.wrong("value_sizes")
    wanted = _layers_expected("policy", sizes) | _layers_expected("value", value_sizes)
    beside = ["log_std"] * facts.flag("log_std") + ["low", "high"] * facts.flag("bounds")
    squashed = kind == "squashed"
    if squashed and (sizes[-1] % 2 or not facts.flag("bounds")):
        raise facts.wrong("sizes" if sizes[-1] % 2 else "bounds")
    wanted |= dict.fromkeys(beside, ("F32", (sizes[-1] // (1 + squashed),)))
    arrays = expect_tensors(content, wanted, str(folder / POLICY))
    policy = PolicyArrays(
        _layers("policy", sizes, arrays),
        kind,
        arrays.get("log_std"),
        arrays.get("low"),
        arrays.get("high"),
        facts.text("activation", ("tanh", "relu")),
    )
    return policy, _layers("value", value_sizes, arrays)


def _reward(facts: _Facts, content: bytes, folder: Path) -> RewardArrays:
    members, terms = facts.count("members", MOST_MEMBERS), facts.count("terms", MOST_WIDE)
    nets, sizes = facts.count("nets", MOST_MEMBERS), facts.sizes("sizes")
    potential, turns = facts.sizes("potential_sizes"), facts.sizes("turns")
    one_hot = facts.count("one_hot", MOST_WIDE)
    if not members or bool(nets) != bool(sizes) or len(turns) not in (0, 2):
        raise facts.wrong("members")
    if any(chain and chain[-1] != 1 for chain in (sizes, potential)):
        raise facts.wrong("sizes")
    wanted: Expected = {"weights": ("F32", (members, terms))}
    for number in range(nets):
        wanted |= _layers_expected(f"net{number}", sizes)
    wanted |= _layers_expected("potential", potential)
    if turns:
        wanted |= {"turns.orders": ("I64", tuple(turns)), "turns.actions": ("I64", (turns[0],))}
    arrays = expect_tensors(content, wanted, str(folder / REWARD))
    found = None
    if turns:
        found = Turns(arrays["turns.orders"], arrays["turns.actions"])
        for array, most in ((found.orders, turns[1] + 1), (found.actions, turns[0])):
            if array.min() < 0 or array.max() >= most:
                raise UnsafeFile(f"{folder / REWARD} turns views by an index outside 0 to {most - 1}.")
    return RewardArrays(
        arrays["weights"],
        tuple(_layers(f"net{number}", sizes, arrays) for number in range(nets)),
        facts.number("shift"),
        facts.number("scale"),
        one_hot,
        found,
        _layers("potential", potential, arrays),
        facts.number("gamma"),
        facts.text("squash", ("", "softplus")),
    )
