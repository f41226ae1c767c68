"""What a person did at the wheel, as examples for a policy: observations with the actions taken there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.feedback.records import Correction, Demonstration, Record
from envs.simulate import simulate
from envs.trajectory import Trajectory
from envs.world import Array, Task

Symmetries = tuple[tuple[Array, Array], ...]


def human_trajectories(records: Sequence[Record]) -> list[Trajectory]:
    """Every stretch that the person drove."""
    found = [r.trajectory for r in records if isinstance(r, Demonstration)]
    return found + [r.person for r in records if isinstance(r, Correction)]


def overridden_actions(records: Sequence[Record]) -> tuple[NDArray[np.float32], Array] | None:
    """(obs [B, D], actions [B]) of what the agent did where somebody at the wheel first did otherwise.

    None where there is no such thing, or actions are no choice among a few.
    """
    obs, actions = [], []
    for record in records:
        if not isinstance(record, Correction) or record.agent.actions.ndim > 1:
            continue
        agent, person = record.agent, record.person
        least = min(len(agent), len(person))
        apart = np.flatnonzero(agent.actions[:least] != person.actions[:least])
        if len(apart):
            obs.append(agent.observations[apart[0]])
            actions.append(agent.actions[apart[0]])
    return (np.stack(obs), np.array(actions)) if obs else None


def training_examples(
    trajectories: Sequence[Trajectory], symmetries: Symmetries
) -> tuple[NDArray[np.float32], Array]:
    """(obs [B, D], actions [B] or [B, C]) of all steps, seen in every turn and mirror of the world."""
    obs = np.concatenate([t.observations[:-1] for t in trajectories])
    actions = np.concatenate([t.actions for t in trajectories])
    return augment_by_symmetry(obs, actions, symmetries)


def augment_by_symmetry(
    obs: NDArray[np.float32], actions: Array, symmetries: Symmetries
) -> tuple[NDArray[np.float32], Array]:
    """The same steps seen in every turn and mirror of the world."""
    if not symmetries:
        return obs, actions
    seen = [(obs[:, order], actions_of[actions]) for order, actions_of in symmetries]
    return np.concatenate([o for o, _ in seen]), np.concatenate([a for _, a in seen])


ELAPSING_SHARE = 0.8
"""Of the steps, in which a number that tells the time changes by its usual amount; it may begin anew."""


def elapsing_inputs(trajectories: Sequence[Trajectory]) -> NDArray[np.bool_]:
    """[D] which of the numbers seen only tell how long it has been, as the time left does.

    Such a number changes by the same amount at nearly every step, whatever is done there.
    """
    steps = np.concatenate([np.diff(t.observations.astype(np.float64), axis=0) for t in trajectories])
    if not len(steps):
        return np.zeros(steps.shape[1], np.bool_)
    usual = np.median(steps, axis=0)
    same = np.abs(steps - usual) <= 1e-3 * np.abs(usual) + 1e-7
    return np.asarray((np.abs(usual) > 1e-6) & (same.mean(0) >= ELAPSING_SHARE), np.bool_)


def pad_to_horizon(task: Task, trajectory: Trajectory) -> Trajectory:
    """A drive that came to rest before the horizon, with the rest up to the horizon; others unchanged.

    At rest means that standing still changes nothing that is seen but the time. What lies after a drive was
    kept counts too: else being done would look like something the person never did.
    """
    if not task.can_restore or not len(trajectory):
        return trajectory
    left = task.horizon - int(trajectory.states[-1][task.world.clock])
    sim = simulate(task, 1, auto_reset=False)
    sim.fork(0, trajectory, len(trajectory))
    record, idle = sim.recorder(0, driver=trajectory.driver), task.idle_actions(1)
    told = ~elapsing_inputs([trajectory])
    for _ in range(left):
        before = sim.obs.copy()
        step = sim.step(idle)
        if not np.array_equal(before[:, told], step.last_obs[:, told]):
            return trajectory
        record.add(idle[0], step.terms[0], step.last_states[0], int(sim.rng[0]), step.last_obs[0])
    if not len(record):
        return trajectory
    rest = record.trajectory()
    return Trajectory(
        task=trajectory.task,
        states=np.concatenate([trajectory.states, rest.states[1:]]),
        rng=np.concatenate([trajectory.rng, rest.rng[1:]]),
        observations=np.concatenate([trajectory.observations, rest.observations[1:]]),
        actions=np.concatenate([trajectory.actions, rest.actions.astype(trajectory.actions.dtype)]),
        terms=np.concatenate([trajectory.terms, rest.terms]),
        driver=trajectory.driver,
        kernel=trajectory.kernel,
        options=trajectory.options,
    )


def padded_trajectories(task: Task, records: Sequence[Record]) -> list[Trajectory]:
    """Every stretch that the person drove, drives with the rest they came to."""
    drives = [pad_to_horizon(task, r.trajectory) for r in records if isinstance(r, Demonstration)]
    return drives + [r.person for r in records if isinstance(r, Correction)]


def resolve_conflicts(
    obs: NDArray[np.float32], actions: Array, idle_action: int = -1, tolerance: float = 0.05
) -> tuple[Array, float]:
    """(actions [B], share changed): where states look the same, what was done there most.

    The same is what rounds to the same multiples of `tolerance`; leave out of `obs` what only tells the time
    (`elapsing_inputs`). People who take two ways round one thing
    would else be followed half and half by a policy without a memory. Who pauses doesn't contradict who
    moves: steps of `idle_action` are left as they are. So are actions of a Box.
    """
    moved = np.flatnonzero(actions != idle_action) if actions.ndim == 1 else np.zeros(0, np.int64)
    if not len(moved):
        return actions, 0.0
    did = actions[moved]
    _, where = np.unique(np.round(obs[moved] / tolerance).astype(np.int64), axis=0, return_inverse=True)
    where = where.ravel()
    counts = np.zeros((int(where.max()) + 1, int(did.max()) + 1))
    np.add.at(counts, (where, did), 1)
    most = counts[where, did] == counts.max(1)[where]  # an even number of times each: nobody can say
    settled = actions.copy()
    settled[moved] = np.where(most, did, counts.argmax(1)[where])
    return settled, float(1.0 - most.mean())


def limit_idle_steps(
    obs: NDArray[np.float32],
    actions: Array,
    idle_action: int,
    max_repeats: int = 3,
    tolerance: float = 0.05,
    is_static: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """[B] which steps to learn from: of rests that look the same `max_repeats` at most, and all else.

    Else whoever comes home early teaches little but resting: two steps in three of a short drive. What looks
    the same is as in `resolve_conflicts`. is_static [B]: steps that changed nothing, which are rests as well
    (who leans on a wall rests).
    """
    keep = np.ones(len(obs), np.bool_)
    if actions.ndim > 1:
        return keep
    rests = np.flatnonzero((actions == idle_action) | (False if is_static is None else is_static))
    if not len(rests):
        return keep
    _, group = np.unique(np.round(obs[rests] / tolerance).astype(np.int64), axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    in_order = group.ravel()[order]
    nth = np.arange(len(order)) - np.searchsorted(in_order, in_order)
    keep[rests[order[nth >= max_repeats]]] = False
    return keep


def static_steps(trajectories: Sequence[Trajectory], shown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[B] steps of all drives after which nothing looked otherwise, of the numbers `shown` [D]."""
    seen = [t.observations[:, shown].reshape(len(t) + 1, -1) for t in trajectories]
    return np.concatenate([(one[:-1] == one[1:]).all(1) for one in seen])
