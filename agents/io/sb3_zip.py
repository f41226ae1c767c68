"""Agents as Stable-Baselines3 keeps models: a zip. Out for others to use; in without unpickling.

A model's zip holds pickled objects in `data`, which `PPO.load` and the like follow and so run whatever
they say. Only the numbers in policy.pth and a few plain words of `data` are read here, and a fresh
model is built around them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium import spaces

from agents.io.agent_bundle import Agent
from agents.io.safe_files import Arrays, UnsafeFile, fresh_file, parse_json, read_bytes, shorten
from agents.io.torch_tensors import read_tensors, zip_members
from agents.policies.policy_arrays import Layers, PolicyArrays, fold_normalisation
from envs.world import Task

if TYPE_CHECKING:
    from stable_baselines3 import PPO, SAC
    from stable_baselines3.common.policies import ActorCriticPolicy

MAX_BYTES = 2**28
NETS = "mlp_extractor"
OTHER_MEMBERS = ("data", "_stable_baselines3_version", "system_info.txt")
"""What a zip holds beside numbers (".pth")."""
STRIDES = [4, 2, 1]
"""Of NatureCNN (Mnih et al. 2015)."""
ACTIVATIONS = {
    "<class 'torch.nn.modules.activation.Tanh'>": "tanh",
    "<class 'torch.nn.modules.activation.ReLU'>": "relu",
}


class _SpacesEnv(gymnasium.Env[Any, Any]):
    """Only what a model asks an environment for when it is made: its spaces."""

    def __init__(self, observations: spaces.Space[Any], actions: spaces.Space[Any]) -> None:
        self.observation_space, self.action_space = observations, actions

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, Any]:
        return np.zeros(self.observation_space.shape or (), np.float32), {}


def make_model(agent: Agent, task: Task) -> PPO | SAC:
    """A fresh PPO of Stable-Baselines3 with the agent's policy (SAC for a squashed one), to use or train on.

    Its value function is the agent's where that is known and of the same shape, else a fresh one. One that
    looks at pictures takes them as the environment shows them (uint8), others observations in a row.
    """
    import torch
    from stable_baselines3 import PPO

    if agent.policy.kind == "squashed":
        return _make_sac(agent, task)
    if agent.policy.eyes is not None:
        agent = _with_image_alone(agent, task)
    agent = _folded(agent)
    policy, eyes = agent.policy, agent.policy.eyes
    hidden = [weight.shape[1] for weight, _ in policy.layers[:-1]]
    value_hidden = [weight.shape[1] for weight, _ in agent.value[:-1]] or hidden
    observations: Any = spaces.Box(-np.inf, np.inf, (policy.n_inputs,), np.float32)
    looks: dict[str, Any] = {}
    if eyes is not None:
        observations = spaces.Box(0, 255, eyes.image_slice.channels_first, np.uint8)
        looks = {"features_extractor_kwargs": {"features_dim": eyes.dense[1].size}}
    made = PPO(
        "MlpPolicy" if eyes is None else "CnnPolicy",
        _SpacesEnv(observations, task.world.action_space),
        policy_kwargs={
            "net_arch": {"pi": hidden, "vf": value_hidden},
            "activation_fn": torch.nn.ReLU if policy.activation == "relu" else torch.nn.Tanh,
            **looks,
        },
        device="cpu",
        gamma=0.97,
    )
    set_parameters(made.policy, agent)
    made.num_timesteps = agent.env_steps
    return made


def set_parameters(policy: ActorCriticPolicy, agent: Agent) -> None:
    """Set a policy of Stable-Baselines3 to the agent's, and its value function to the agent's where that is
    known. Raises UnsafeFile, a sentence, where the shapes are others."""
    import torch

    from agents.policies.normalising_torch import normalising_extractors

    inside = normalising_extractors(policy)
    known = agent.policy.normalisation
    if not inside or known is None:
        agent = _folded(agent)
    state = policy.state_dict()
    for name, value in _state_dict(agent.policy, agent.value, list(state)).items():
        if name not in state or tuple(state[name].shape) != value.shape:
            wanted = list(state[name].shape) if name in state else "no such layer"
            raise UnsafeFile(
                f"the agent's {name} has the shape {list(value.shape)}, and {wanted} would fit: it is of "
                "another kind of policy."
            )
        state[name] = torch.from_numpy(np.ascontiguousarray(value))
    policy.load_state_dict(state)
    for extractor in inside:
        extractor.set_known(known)


def _folded(agent: Agent) -> Agent:
    """The agent with its normalisation taken into the first layers of its policy and value function."""
    known = agent.policy.normalisation
    if known is None:
        return agent
    return replace(agent, policy=agent.policy.folded(), value=fold_normalisation(agent.value, known))


def _with_image_alone(agent: Agent, task: Task) -> Agent:
    """The same without what it sees beside the picture, which a plain CnnPolicy has no place for.

    Only a number that says that an episode has ended may be left out: who acts sees it as 0.
    """
    eyes = agent.policy.eyes
    assert eyes is not None
    beside = agent.policy.n_inputs - eyes.image_slice.size
    if beside > int(task.ends_early) or [stride for *_, stride in eyes.convolutions] != STRIDES:
        raise UnsafeFile(
            f"the agent sees {beside} numbers of {task.id} beside a picture, or not by a NatureCNN: a plain "
            "CnnPolicy has no place for it, keep a bundle instead."
        )

    def cut(layers: Layers) -> Layers:
        return tuple((w[: eyes.dense[1].size], b) if i == 0 else (w, b) for i, (w, b) in enumerate(layers))

    policy = replace(agent.policy, layers=cut(agent.policy.layers))
    return replace(agent, policy=policy, value=cut(agent.value))


def _make_sac(agent: Agent, task: Task) -> SAC:
    """A fresh SAC with the agent's actor; its critics are fresh too."""
    from stable_baselines3 import SAC

    from agents.rl.sac_dqn import set_layers

    observations = spaces.Box(-np.inf, np.inf, (agent.policy.layers[0][0].shape[0],), np.float32)
    hidden = [weight.shape[1] for weight, _ in agent.policy.layers[:-1]]
    agent = _folded(agent)
    env = _SpacesEnv(observations, task.world.action_space)
    made = SAC("MlpPolicy", env, policy_kwargs={"net_arch": hidden}, buffer_size=1_000, device="cpu")
    set_layers(made, agent.policy)
    made.num_timesteps = agent.env_steps
    return made


def write_zip(path: Path, agent: Agent, task: Task) -> None:
    """Write a zip that `PPO.load` (or `SAC.load`) reads; it names nothing of teachbox."""
    made = make_model(agent, task)
    with fresh_file(path) as fresh, fresh.open("wb") as file:
        made.save(file, exclude=["env"])


def _state_dict(policy: PolicyArrays, value: Layers, names: Sequence[str] = ()) -> Arrays:
    """Layers under Stable-Baselines3's names, as torch lays them out [out, in].

    names: those of the policy to set, which tell what it calls its convolutions.
    """
    found: Arrays = {}
    for net, head, layers in (("policy_net", "action_net", policy.layers), ("value_net", "value_net", value)):
        for index, (weight, bias) in enumerate(layers):
            last = index == len(layers) - 1
            name = head if last else f"{NETS}.{net}.{2 * index}"
            found[f"{name}.weight"], found[f"{name}.bias"] = weight.T, bias
    if policy.log_std is not None:
        found["log_std"] = policy.log_std
    if policy.eyes is not None:
        first = "cnn.0.weight"
        for head in [name.removesuffix(first) for name in names if name.endswith(first)] or ["looks."]:
            for index, (weight, bias, _) in enumerate(policy.eyes.convolutions):
                found[f"{head}cnn.{2 * index}.weight"], found[f"{head}cnn.{2 * index}.bias"] = weight, bias
            weight, bias = policy.eyes.dense
            found[f"{head}linear.0.weight"], found[f"{head}linear.0.bias"] = weight.T, bias
    return found


def read_zip(path: Path, task: Task) -> Agent:
    """The policy in a zip of PPO, A2C, SAC or DQN with an MlpPolicy, for `task`. DQN's action values come
    as logits, so that its surest action is the one it takes. Raises UnsafeFile with a sentence."""
    members = zip_members(read_bytes(path, MAX_BYTES), str(path), MAX_BYTES)
    for name in ("data", "policy.pth"):
        if name not in members:
            raise UnsafeFile(f"{path} is no model of Stable-Baselines3: it has no {name!r}.")
    for name in members:
        if name not in OTHER_MEMBERS and (not name.endswith(".pth") or "/" in name):
            raise UnsafeFile(f"{path} holds {shorten(name)}, which no model of Stable-Baselines3 does.")
    said = parse_json(members["data"], f"'data' of {path}").get("policy_kwargs")
    words = said.get("activation_fn") if isinstance(said, dict) else None
    if words is not None and (not isinstance(words, str) or words not in ACTIVATIONS):
        raise UnsafeFile(f"{path} has the activation {shorten(words)}: tanh and ReLU are read.")
    state = read_tensors(members["policy.pth"], f"policy.pth of {path}")
    for name, array in state.items():
        if array.dtype != np.float32 or not np.isfinite(array).all():
            raise UnsafeFile(
                f"the tensor {shorten(name)} of {path} is of {array.dtype}, or holds a NaN or infinity."
            )
    if any(name.startswith(("actor.", "q_net.")) for name in state):
        arrays = _read_off_policy(state, ACTIVATIONS.get(words or "", "relu"), task, path)
        return Agent(task.id, arrays, None, (), dict(task.options))
    activation: Any = ACTIVATIONS.get(words or "", "tanh")
    policy = _read_layers(state, "policy_net", "action_net", path)
    value = _read_layers(state, "value_net", "value_net", path)
    used = set(_state_dict(PolicyArrays(policy, "discrete"), value)) | {"log_std"}
    odd = sorted(set(state) - used)
    if odd:
        raise UnsafeFile(f"{path} has the tensor {shorten(odd[0])}: an MlpPolicy of PPO or A2C is read.")
    space = task.world.action_space
    if isinstance(space, spaces.Discrete):
        return Agent(
            task.id, PolicyArrays(policy, "discrete", activation=activation), None, value, dict(task.options)
        )
    log_std = state.get("log_std")
    if log_std is None or log_std.shape != policy[-1][1].shape:
        raise UnsafeFile(f"{path} has no log_std for its {len(policy[-1][1])} actions.")
    low, high = (np.asarray(bound, np.float32).reshape(-1) for bound in (space.low, space.high))
    arrays = PolicyArrays(policy, "gaussian", log_std, low, high, activation)
    return Agent(task.id, arrays, None, value, dict(task.options))


def _read_off_policy(state: Arrays, activation: str, task: Task, path: Path) -> PolicyArrays:
    """The actor of SAC, or the action values of DQN; critics and targets are left aside."""
    space = task.world.action_space
    if activation != "relu":
        raise UnsafeFile(f"{path} is of SAC or DQN with tanh: those with ReLU are read.")
    actor = {name for name in state if name.startswith(("actor.", "q_net."))}
    aside = ("critic.", "critic_target.", "q_net_target.")
    if "actor.mu.weight" in state:
        *inner, mean = _read_layers(state, "latent_pi", "actor.mu", path, "actor")
        *_, spread = _read_layers(state, "latent_pi", "actor.log_std", path, "actor")
        if not isinstance(space, spaces.Box) or mean[0].shape != spread[0].shape:
            raise UnsafeFile(f"{path} is of SAC, whose actions do not fit {task.id}.")
        both = tuple(np.concatenate(pair, -1) for pair in zip(mean, spread, strict=True))
        low, high = (np.asarray(bound, np.float32).reshape(-1) for bound in (space.low, space.high))
        found = PolicyArrays((*inner, (both[0], both[1])), "squashed", low=low, high=high, activation="relu")
        tensors = 2 * (len(inner) + 2)
    else:
        layers = _read_layers(state, "q_net", "", path, "q_net")
        found, tensors = PolicyArrays(layers, "discrete", activation="relu"), 2 * len(layers)
    odd = sorted(name for name in set(state) - actor if not name.startswith(aside))
    if odd or len(actor) != tensors:
        raise UnsafeFile(f"{path} has tensors that an MlpPolicy of SAC or DQN has not: such a one is read.")
    return found


def _read_layers(state: Arrays, net: str, head: str, path: Path, nets: str = NETS) -> Layers:
    """Layers in order, each fitting the one before; head: the name of the last, "" if it is one of them."""
    names = [f"{nets}.{net}.{2 * index}" for index in range(16)]
    names = [name for name in names if f"{name}.weight" in state] + [head] * bool(head)
    if not names:
        raise UnsafeFile(f"{path} has no layers of {nets}.")
    layers, wide = [], None
    for name in names:
        weight, bias = state.get(f"{name}.weight"), state.get(f"{name}.bias")
        if weight is None or bias is None or weight.ndim != 2 or bias.shape != weight.shape[:1]:
            raise UnsafeFile(f"{path} has no weight and bias of {shorten(name)} that fit each other.")
        if wide is not None and weight.shape[1] != wide:
            raise UnsafeFile(f"{path} has a {name} of shape {list(weight.shape)} after {wide} numbers.")
        wide = weight.shape[0]
        layers.append((np.ascontiguousarray(weight.T), bias))
    return tuple(layers)
