"""Agents of a session: out as a safe bundle or a zip of Stable-Baselines3, in as a safe bundle."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from agents.io.agent_bundle import Agent, agent_from_snapshot, check_compatible, load, save
from agents.io.safe_files import UnsafeFile
from agents.learner_catalog import make
from envs.task_catalog import task
from envs.world import Task
from sandbox.learning.checkpoints import Checkpoints
from sandbox.session.folder import SessionError, SessionFile

FOLDER = "agents"
"""Where a session keeps agents that were imported."""


def session_agent(folder: Path) -> tuple[Agent, Task]:
    """What the session's learner knows, and its world. Imports torch. SessionError while it knows nothing."""
    facts = SessionFile.read(folder)
    if facts is None:
        raise SessionError(f"there is no session in {folder}: give the folder of one.")
    checkpoint = Checkpoints(folder, facts.learner).current()
    if checkpoint is None:
        raise SessionError(f"{facts.learner} has learned nothing in {folder} yet: open it and let it learn.")
    world = task(facts.world, **facts.options)
    learner: Any = make(facts.learner, world, seed=facts.seed, prior=facts.prior)
    learner.load(checkpoint)
    from agents.policies.from_torch import critic_layers

    return agent_from_snapshot(world, learner.snapshot(), critic_layers(learner.algorithm)), world


def import_agent(path: Path, session: Path, world: Task) -> Path:
    """Read an agent of others (bundle or zip) and keep it in the session as a bundle written anew.

    Raises UnsafeFile with a sentence. Returns where it is.
    """
    if path.is_dir():
        agent = load(path)
    else:
        from agents.io.sb3_zip import read_zip

        agent = read_zip(path, world)
    if agent.world != world.id:
        raise UnsafeFile(f"{path} acts in {agent.world!r}, and the session is in {world.id}.")
    check_compatible(agent, world)
    name = re.sub(r"[^-\w]+", "-", path.name.removesuffix(".zip")).strip("-") or "agent"
    where, count = session / FOLDER / name, 1
    while where.exists():
        count += 1
        where = session / FOLDER / f"{name}-{count}"
    save(where, agent)
    return where
