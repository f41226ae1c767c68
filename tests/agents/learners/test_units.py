"""Units of what is seen and of what is paid cost nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents.evaluation import scores
from agents.evaluation.oracle import ppo_on_reward
from agents.feedback.records import Demonstration
from agents.imitation.cloner import CloningConfig
from agents.io import agent_bundle, sb3_zip
from agents.io.agent_bundle import agent_from_snapshot
from agents.learners.bc import CloningLearner
from agents.policies.from_torch import policy_arrays
from agents.policies.obs_normalisation import RunningStatistics
from envs.simulate import simulate
from envs.task_catalog import task as make_task
from envs.trajectory import Trajectory
from envs.world import Task
from tests.agents.units import UNITS, drive


def driven(task: Task, unit: str, seed: int) -> Trajectory:
    """One drive of the good driver."""
    sim = simulate(task, 1, seed=seed, auto_reset=False)
    record = sim.recorder(0)
    for _ in range(task.horizon):
        action = np.array([drive(sim.obs[0], unit)])
        step = sim.step(action)
        record.add(action[0], step.terms[0], step.last_states[0], int(sim.rng[0]), step.last_obs[0])
    return record.trajectory()


@pytest.mark.parametrize("unit", UNITS)
def test_bc_learns_as_well_in_any_units(unit: str) -> None:
    task = make_task(f"tests.agents.units:units/{unit.title()}-v0")
    learner = CloningLearner(task)
    drives = [driven(task, unit, seed) for seed in range(100, 110)]
    learner.observe(1, [Demonstration(one) for one in drives])
    while learner.step():
        pass
    policy = learner.snapshot().policy
    assert policy is not None
    mine = scores.evaluate_policy(task, policy, 30).mean
    theirs = scores.run_episodes(
        task, lambda obs: np.array([drive(one, unit) for one in obs]), np.arange(30)
    ).mean
    still = scores.run_episodes(task, lambda obs: np.ones(len(obs), np.int64), np.arange(30)).mean
    share = (mine - still) / (theirs - still)
    assert share > 0.95


def _returns(unit: str, pay: float = 1.0) -> float:
    """What an oracle comes to in a tenth of its usual steps, in units of pay."""
    task = make_task(f"tests.agents.units:units/{unit.title()}-v0", pay=pay)
    ppo = ppo_on_reward(task, task.true_reward)
    while ppo.num_timesteps < 40_000:
        ppo.train_iteration()
    return scores.evaluate_policy(task, policy_arrays(ppo.policy), 30).mean / pay


def test_practice_learns_as_well_in_any_units() -> None:
    plain = _returns("plain")
    assert plain > -25.0  # standing still: -40
    for unit, pay in (("offset", 1.0), ("mixed", 1.0), ("plain", 1e-5), ("plain", 1e6)):
        assert _returns(unit, pay) > plain - 4.0, (unit, pay)


def test_normalisation_travels_with_the_agent(tmp_path: Path) -> None:
    task = make_task("tests.agents.units:units/Mixed-v0")
    learner = CloningLearner(task, config=CloningConfig(n_updates=50))
    learner.observe(1, [Demonstration(driven(task, "mixed", 1))])
    while learner.step():
        pass
    obs = driven(task, "mixed", 2).observations
    agent = agent_from_snapshot(task, learner.snapshot())
    wanted = agent.policy.act(obs)
    agent_bundle.save(tmp_path / "a", agent)
    kept = agent_bundle.load(tmp_path / "a").policy
    assert kept.normalisation is not None
    assert (kept.act(obs) == wanted).all()
    plain = sb3_zip.make_model(agent, task)
    assert (plain.predict(obs, deterministic=True)[0] == wanted).mean() > 0.98  # nothing is cut off there
    again = CloningLearner(task, config=CloningConfig(n_updates=50))
    again.load_state_dict(learner.state_dict())
    assert (policy_arrays(again.ppo.policy).act(obs) == wanted).all()
    sb3_zip.set_parameters(again.ppo.policy, agent)
    assert (policy_arrays(again.ppo.policy).act(obs) == wanted).all()


def test_the_end_of_an_episode_looks_like_nothing_unusual() -> None:
    known = RunningStatistics(np.array([np.inf, np.inf, 0.0], np.float32))
    known.add(np.array([[1000.0, 3.0, 0.0], [1002.0, 3.0, 0.0], [0.0, 0.0, 1.0]]))
    found = known.normalisation()
    assert found.mean.tolist() == [1001.0, 3.0, 0.0]
    assert found.deviation.tolist() == [1.0, 3.0, 1.0]  # one that never changed is measured by its size
    seen = found(np.array([[1003.0, 6.0, 0.0], [0.0, 0.0, 1.0], [2000.0, 3.0, 0.0]], np.float32))
    assert seen.tolist() == [[2.0, 1.0, 0.0], [0.0, 0.0, 1.0], [10.0, 0.0, 0.0]]


def test_an_oracle_that_failed_is_told() -> None:
    assert "random acting" in scores.ReferenceMeans(-3.0, -5.0, -3.0).remark
    known = scores.ReferenceMeans(0.2, 0.0, 10.6)
    assert not known.remark
    assert not known.remark_on(10.0)
    assert "too weak" in known.remark_on(12.0)
    assert known.score_in(make_task("CartPole-v1"), 12.0) > 1.1
    with pytest.raises(scores.OracleTooWeak):
        known.score_in(make_task("teachbox/RoomsTidy-v0"), 12.0)
