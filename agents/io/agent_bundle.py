"""An agent as a folder that is safe to share: loading it builds a fresh model and runs no code.

agent.json           world, learner, and the sizes of everything
policy.safetensors   the policy's layers (its convolutions too), and the value function's where there is one
reward.safetensors   the learned reward, where there is one
manifest.json        size and SHA-256 of each

`save` and `load` need no torch; `agents.io.sb3_zip` makes a Stable-Baselines3 model of an Agent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gymnasium import spaces
from safetensors.numpy import save as save_arrays

from agents.io.bundle_arrays import (
    POLICY,
    REWARD,
    policy_arrays,
    policy_facts,
    read_policy,
    read_reward,
    reward_arrays,
    reward_facts,
)
from agents.io.json_fields import JsonFields
from agents.io.manifest import read_folder, write_folder
from agents.io.safe_files import UnsafeFile, parse_json, short
from agents.policies.cnn import CnnArrays, image_slice
from agents.policies.policy_arrays import Layers, PolicyArrays
from agents.rewards.reward_arrays import RewardArrays
from agents.snapshot import Snapshot
from envs.recorded_options import named_in_full
from envs.world import Task

FORMAT, VERSION = "teachbox-agent", 1
FACTS = "agent.json"
MOST_BYTES, MOST_FACTS = 2**28, 2**20


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
    inputs, outputs = agent.policy.inputs, agent.policy.layers[-1][0].shape[1]
    space = world.action_space
    discrete = isinstance(space, spaces.Discrete)
    acts = int(space.n) if isinstance(space, spaces.Discrete) else math.prod(space.shape)
    acts *= 2 if agent.policy.kind == "squashed" else 1
    if (inputs, outputs, agent.policy.kind == "discrete") != (len(world.obs_names), acts, discrete):
        raise UnsafeFile(
            f"the agent sees {inputs} numbers and gives {outputs} ({agent.policy.kind}); {task.id} shows "
            f"{len(world.obs_names)} and takes {acts}: it is of another world or version."
        )
    if agent.policy.eyes is not None:
        _check_looks(agent.policy.eyes, task)
    terms = agent.reward.weights.shape[1] if agent.reward is not None else len(world.terms)
    if terms != len(world.terms):
        raise UnsafeFile(f"the agent's reward knows {terms} terms, and {task.id} has {len(world.terms)}.")


def _check_looks(eyes: CnnArrays, task: Task) -> None:
    try:
        shown = image_slice(task)
    except ValueError as error:
        raise UnsafeFile(f"the agent looks at a picture, and {error}") from error
    if shown != eyes.image_slice:
        raise UnsafeFile(
            f"the agent looks at a picture of {list(eyes.image_slice.shape)} from number "
            f"{eyes.image_slice.at} on; "
            f"{task.id} has one of {list(shown.shape)} from {shown.at} on: it is of another world or version."
        )


# Out.


def save(folder: Path, agent: Agent) -> None:
    """Write the agent into a new folder, whole or not at all. Raises UnsafeFile if it exists."""
    facts: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "world": agent.world,
        "options": dict(agent.options),
        "learner": agent.learner,
        "step": agent.step,
        "env_steps": agent.env_steps,
        "feedback_seq": agent.feedback_seq,
        "policy": policy_facts(agent.policy, agent.value),
        "reward": None if agent.reward is None else reward_facts(agent.reward),
    }
    files = {POLICY: save_arrays(policy_arrays(agent.policy, agent.value))}
    if agent.reward is not None:
        files[REWARD] = save_arrays(reward_arrays(agent.reward))
    text = json.dumps(facts, indent=2, allow_nan=False) + "\n"
    write_folder(folder, {FACTS: text.encode(), **files})


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
    reader = JsonFields(facts, str(folder / FACTS))
    policy, value = read_policy(reader.part("policy"), files[POLICY], folder)
    reward = None
    if (facts.get("reward") is None) == (REWARD in files):
        raise UnsafeFile(f"{folder} has {FACTS} and {REWARD} that don't agree on whether there is a reward.")
    if REWARD in files:
        reward = read_reward(reader.part("reward"), files[REWARD], folder)
    options = facts.get("options")
    if not isinstance(options, dict):
        raise UnsafeFile(f"{folder / FACTS} has options of a wrong kind.")
    options = named_in_full(reader.text("world"), options)
    counts = {key: reader.count(key, 2**53) for key in ("step", "env_steps", "feedback_seq")}
    texts = {key: reader.text(key) for key in ("world", "learner")}
    return Agent(policy=policy, reward=reward, value=value, options=options, **texts, **counts)  # type: ignore[arg-type]
