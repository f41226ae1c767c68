"""A clone of the person's drives, for a second try to begin from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents import learner_catalog
from agents.feedback.records import Correction, Demonstration
from agents.policies.from_torch import policy_arrays
from agents.teachers.synthetic import make_teacher
from agents.training.trainer import PolicyTrainer
from agents.training.trainer_config import TrainerConfig
from envs.simulate import simulate
from tests.agents.toy import toy

LEFT, RIGHT, UP, DOWN = 1, 2, 3, 4


def _drives(count: int, first: int = 0) -> list[Demonstration]:
    teacher = make_teacher("rational", toy(), 0)
    return [teacher.demonstrate(first + i) for i in range(count)]


def _straight(count: int) -> list[Demonstration]:
    """Drives of somebody who goes to the coin: first along, then across."""
    found = []
    for seed in range(count):
        sim = simulate(toy(), 1, seed=seed, auto_reset=False)
        record = sim.recorder(0)
        for _ in range(8):
            across, along = np.sign(np.round(sim.obs[0, :2] * 2)).astype(int)
            action = int(
                (RIGHT if across > 0 else LEFT) if across else (DOWN if along > 0 else UP) if along else 0
            )
            step = sim.step(np.array([action]))
            record.add(action, step.terms[0], step.last_states[0], int(sim.rng[0]), step.last_obs[0])
        found.append(Demonstration(record.trajectory()))
    return found


def _second_try(practice: PolicyTrainer, records: Any) -> PolicyTrainer:
    """The beginning of one, after what was heard."""
    practice.train_iteration()
    practice.restarts.mark_restart_point()
    practice.train_iteration()
    practice.restarts.warm_start.set_demonstrations(records)
    practice.restarts.restart(np.zeros(4, np.float32))
    return practice


def _imitate(practice: PolicyTrainer) -> int:
    calls = 0
    while practice.restarts.is_warm_starting:
        assert practice.restarts.warm_start_some() == 0
        calls += 1
    return calls


def _hits(practice: PolicyTrainer, drives: list[Demonstration]) -> float:
    """How often the policy's likeliest action is the driver's."""
    obs = np.concatenate([d.trajectory.observations[:-1] for d in drives])
    did = np.concatenate([d.trajectory.actions for d in drives])
    return float((policy_arrays(practice.algorithm.policy).act(obs) == did).mean())


def test_a_second_try_begins_by_doing_what_was_driven() -> None:
    drives = _straight(14)
    practice = _second_try(PolicyTrainer(toy(), 0, TrainerConfig()), drives[:10])
    critic = {name: value.clone() for name, value in practice.algorithm.policy.state_dict().items()}
    assert _hits(practice, drives[10:]) < 0.5
    assert _imitate(practice) == 20
    assert _hits(practice, drives[10:]) > 0.9
    for name, value in practice.algorithm.policy.state_dict().items():
        if "value" in name:  # what things are worth was learned by practice
            assert value.equal(critic[name]), name
    assert practice.restarts.is_restarting


def test_where_nobody_drove_it_begins_where_the_written_reward_ended() -> None:
    takeover = Correction(_drives(1)[0].trajectory, _drives(1, 5)[0].trajectory)
    for records in ([], [takeover]):
        practice = _second_try(PolicyTrainer(toy(), 0, TrainerConfig()), records)
        assert not practice.restarts.is_warm_starting
        assert not practice.restarts.warm_start.has_demonstrations


def test_the_same_drives_give_the_same_clone_also_after_a_stop() -> None:
    drives = _drives(3)
    whole = _second_try(PolicyTrainer(toy(), 0, TrainerConfig()), drives)
    _imitate(whole)
    halted = _second_try(PolicyTrainer(toy(), 0, TrainerConfig()), drives)
    halted.restarts.warm_start_some()
    again = PolicyTrainer(toy(), 0, TrainerConfig())
    again.load_state_dict(halted.state_dict(), None)
    assert not again.restarts.is_warm_starting  # it must hear first
    again.restarts.warm_start.set_demonstrations(drives)
    _imitate(again)
    for layer, same in zip(whole.policy.layers, again.policy.layers, strict=True):
        np.testing.assert_array_equal(layer[0], same[0])


def test_further_drives_make_another_clone_and_the_same_ones_none() -> None:
    drives = _drives(4)
    practice = _second_try(PolicyTrainer(toy(), 0, TrainerConfig()), drives[:2])
    _imitate(practice)
    practice.restarts.warm_start.set_demonstrations(drives[:2])
    assert practice.restarts.warm_start.train_some()
    practice.restarts.warm_start.set_demonstrations(drives)
    assert not practice.restarts.warm_start.train_some()


def test_who_is_told_more_imitates_no_longer() -> None:
    practice = _second_try(PolicyTrainer(toy(), 0, TrainerConfig()), _drives(2))
    assert practice.restarts.is_warm_starting
    practice.restarts.restore_candidate(None)
    assert not practice.restarts.is_warm_starting


def test_joint_practises_once_more_from_drives() -> None:
    """Also on the first feedback there is, which comes where the written reward ended."""
    learner = learner_catalog.make("joint", toy(), settings={"proxy_steps": 4_000, "steps_per_fit": 12_000})
    learner.observe(3, _drives(3))
    imitated = []
    while learner.step():
        practice = learner.trainer
        if practice.restarts.is_warm_starting:
            imitated.append(practice.env_steps)
            assert learner.snapshot().policy is not None
    assert len(imitated) >= 19
    assert len(set(imitated)) == 1
    assert not learner.trainer.restarts.is_restarting


@pytest.mark.parametrize("numbers", [(53, 0.0), (140, 0.4)])
def test_nothing_is_hidden_where_few_numbers_are_seen(numbers: tuple[int, float]) -> None:
    from agents.imitation.cloner import CloningConfig, make_cloner
    from envs import task_catalog as worlds

    seen, blind = numbers
    task = worlds.task("teachbox/LanesMerge-v0" if seen == 53 else "teachbox/RoomsTidy-v0")
    assert len(task.world.obs_names) == seen
    assert make_cloner(task, CloningConfig(), 0)._input_dropout == blind


@pytest.mark.parametrize(("clone", "kept"), [(2.0, True), (0.5, False)])
def test_a_clone_of_the_drives_stays_a_candidate_to_the_end(clone: float, kept: bool) -> None:
    """Practice that begins from it may lead away from what was driven: then the clone itself is kept."""
    practice = PolicyTrainer(toy(), 0, TrainerConfig(value_window=2))
    restarts = practice.restarts
    restarts.episode_value = lambda counts: 1.0
    _second_try(practice, _drives(2))
    first = restarts.candidate_policy
    restarts.episode_value = lambda counts: clone
    _imitate(practice)
    imitated = practice.policy
    assert restarts.candidate_policy is not None
    assert (restarts.candidate_policy is not first) == kept
    restarts.episode_value = lambda counts: 0.8
    practice.train_iteration()
    practice.train_iteration()
    restarts.accept_or_revert(np.zeros(4, np.float32), lambda *_: True)
    ends_as_clone = np.array_equal(practice.policy.layers[0][0], imitated.layers[0][0])
    assert ends_as_clone == kept
