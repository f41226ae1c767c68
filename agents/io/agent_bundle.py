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
from typing import Annotated, Any

from gymnasium import spaces
from msgspec import Meta, Struct, to_builtins
from safetensors.numpy import save as save_arrays

from agents.io.bundle_arrays import (
    POLICY,
    REWARD,
    PolicyFacts,
    RewardFacts,
    policy_arrays,
    policy_facts,
    read_policy,
    read_reward,
    reward_arrays,
    reward_facts,
)
from agents.io.checked_json import Text, checked
from agents.io.manifest import read_folder, write_folder
from agents.io.safe_files import UnsafeFile, parse_json, shorten
from agents.policies.cnn import CnnArrays, image_slice
from agents.policies.policy_arrays import Layers, PolicyArrays
from agents.rewards.reward_arrays import RewardArrays
from agents.snapshot import Snapshot
from envs.recorded_options import named_in_full
from envs.world import Task

FORMAT, VERSION = "teachbox-agent", 1
AGENT_FILE = "agent.json"
MAX_BYTES, MAX_JSON_BYTES = 2**28, 2**20
Steps = Annotated[int, Meta(ge=0, le=2**53)]


class AgentFacts(Struct, frozen=True):
    """What agent.json holds, beside its format and version."""

    world: Text
    options: dict[str, Any]
    learner: Text
    step: Steps
    env_steps: Steps
    feedback_seq: Steps
    policy: PolicyFacts
    reward: RewardFacts | None = None


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


def agent_from_snapshot(task: Task, snapshot: Snapshot, value: Layers = ()) -> Agent:
    """What a snapshot shows, as an agent of its own. ValueError while it has no policy."""
    if snapshot.policy is None:
        raise ValueError(f"{snapshot.learner} has no policy yet: let it learn first.")
    counts = snapshot.step, snapshot.env_steps, snapshot.feedback_seq
    options = dict(task.options)
    return Agent(task.id, snapshot.policy, snapshot.reward, value, options, snapshot.learner, *counts)


def check_compatible(agent: Agent, task: Task) -> None:
    """Raise UnsafeFile unless the agent sees and does what this world shows and takes."""
    world = task.world
    inputs, outputs = agent.policy.n_inputs, agent.policy.layers[-1][0].shape[1]
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
        _check_image(agent.policy.eyes, task)
    terms = agent.reward.weights.shape[1] if agent.reward is not None else len(world.terms)
    if terms != len(world.terms):
        raise UnsafeFile(f"the agent's reward knows {terms} terms, and {task.id} has {len(world.terms)}.")


def _check_image(cnn: CnnArrays, task: Task) -> None:
    try:
        shown = image_slice(task)
    except ValueError as error:
        raise UnsafeFile(f"the agent looks at a picture, and {error}") from error
    if shown != cnn.image_slice:
        raise UnsafeFile(
            f"the agent looks at a picture of {list(cnn.image_slice.shape)} from number "
            f"{cnn.image_slice.at} on; "
            f"{task.id} has one of {list(shown.shape)} from {shown.at} on: it is of another world or version."
        )


# Out.


def save(folder: Path, agent: Agent) -> None:
    """Write the agent into a new folder, whole or not at all. Raises UnsafeFile if it exists."""
    facts = AgentFacts(
        world=agent.world,
        options=dict(agent.options),
        learner=agent.learner,
        step=agent.step,
        env_steps=agent.env_steps,
        feedback_seq=agent.feedback_seq,
        policy=policy_facts(agent.policy, agent.value),
        reward=None if agent.reward is None else reward_facts(agent.reward),
    )
    files = {POLICY: save_arrays(policy_arrays(agent.policy, agent.value))}
    if agent.reward is not None:
        files[REWARD] = save_arrays(reward_arrays(agent.reward))
    said = {"format": FORMAT, "version": VERSION, **to_builtins(facts)}
    text = json.dumps(said, indent=2, allow_nan=False) + "\n"
    write_folder(folder, {AGENT_FILE: text.encode(), **files})


# In.


def load(folder: Path) -> Agent:
    """The agent that `save` wrote, as a fresh one. Raises UnsafeFile with a sentence for anything else."""
    files = read_folder(folder, {AGENT_FILE, POLICY}, {REWARD}, MAX_BYTES)
    if len(files[AGENT_FILE]) > MAX_JSON_BYTES:
        raise UnsafeFile(
            f"{folder / AGENT_FILE} has {len(files[AGENT_FILE])} bytes, and at most {MAX_JSON_BYTES} are "
            "read."
        )
    name = str(folder / AGENT_FILE)
    said = parse_json(files[AGENT_FILE], name)
    if said.get("format") != FORMAT or said.get("version") != VERSION:
        raise UnsafeFile(
            f"{folder} is of format {shorten(said.get('format'))}, version {shorten(said.get('version'))}; "
            f"this program reads {FORMAT!r}, version {VERSION}."
        )
    facts = checked(said, AgentFacts, name)
    if (facts.reward is None) == (REWARD in files):
        raise UnsafeFile(
            f"{folder} has {AGENT_FILE} and {REWARD} that don't agree on whether there is a reward."
        )
    policy, value = read_policy(facts.policy, name, files[POLICY], folder)
    reward = None if facts.reward is None else read_reward(facts.reward, name, files[REWARD], folder)
    return Agent(
        facts.world,
        policy,
        reward,
        value,
        named_in_full(facts.world, facts.options),
        facts.learner,
        facts.step,
        facts.env_steps,
        facts.feedback_seq,
    )
