"""Checkpoints: JSON for facts, safetensors for numbers. Loading runs no code.

A part with a state says it as a StateDict, as torch's modules do (`state_dict`, `load_state_dict`). A whole
puts the facts of its parts under one key each, and all their arrays beside each other under distinct names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from agents.policies.normalising_torch import STATISTICS, normalising_extractors

Arrays = dict[str, NDArray[Any]]

FORMAT = "teachbox-checkpoint-1"


@dataclass(frozen=True)
class StateDict:
    """All that a part needs to go on where it stopped. facts: JSON. arrays: by names of its own."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)


class Checkpointed(Protocol):
    """A part of a learner whose state is kept in checkpoints."""

    def state_dict(self) -> StateDict:
        """The state as it is now. The arrays may be the part's own: they are to be written, not changed."""
        ...

    def load_state_dict(self, state: StateDict) -> None:
        """Go on from a state; of its arrays there may be more than this part's.

        Raises ValueError, a sentence, for the state of a part of another shape.
        """
        ...


def save(folder: Path, learner: str, state: StateDict) -> None:
    """Write learner.json and arrays.safetensors into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({k: np.ascontiguousarray(v) for k, v in state.arrays.items()}, folder / "arrays.safetensors")
    text = json.dumps({"format": FORMAT, "learner": learner, **state.facts})
    (folder / "learner.json").write_text(text, "utf-8")


def load(folder: Path, learner: str) -> StateDict:
    """What `save` wrote; ValueError with a sentence when it is not a checkpoint of this learner."""
    try:
        facts = json.loads((folder / "learner.json").read_text("utf-8"))
        arrays = load_file(folder / "arrays.safetensors")
    except (OSError, ValueError, SafetensorError) as error:
        raise ValueError(f"{folder} is not a checkpoint of a learner: {error}") from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise ValueError(f"{folder} holds no {FORMAT}: start the learner afresh on the same feedback")
    if facts.get("learner") != learner:
        raise ValueError(f"{folder} is of learner {facts.get('learner')!r}, not of {learner!r}")
    return StateDict(facts, arrays)


def policy_state(policy: Any, optimizer: torch.optim.Optimizer) -> Arrays:
    """A policy's parameters and its optimiser's moments as arrays."""
    found = {f"policy.{name}": value.detach().cpu().numpy() for name, value in policy.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        for name, value in state.items():
            found[f"adam.{index}.{name}"] = value.detach().cpu().numpy()
    return found


def restore_policy(policy: Any, optimizer: torch.optim.Optimizer, arrays: Arrays) -> None:
    """Put `policy_state` back; ValueError when the shapes are those of another policy."""
    own = policy.state_dict()
    wanted = {name: tuple(value.shape) for name, value in own.items()}
    given = {k[7:]: v for k, v in arrays.items() if k.startswith("policy.")}
    missing = set(wanted) - set(given)
    if missing and all(name.rpartition(".")[2] in STATISTICS for name in missing):
        for extractor in normalising_extractors(policy):  # an older version took observations as they are
            extractor.set_known(None)
        known = policy.state_dict()
        given |= {name: known[name].cpu().numpy() for name in missing}
    if {name: value.shape for name, value in given.items()} != wanted:
        raise ValueError("the checkpoint is of a policy of another shape: start the learner afresh")
    policy.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in given.items()})
    state = optimizer.state_dict()
    state["state"] = {}
    for key, value in arrays.items():
        if key.startswith("adam."):
            _, index, name = key.split(".")
            state["state"].setdefault(int(index), {})[name] = torch.from_numpy(value.copy())
    optimizer.load_state_dict(state)
