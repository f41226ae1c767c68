"""The learners beside `joint`: each learns the toy in seconds, by the formulas it cites."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents import learner_catalog
from agents.evaluation import scores
from agents.feedback.records import Correction, Demonstration
from agents.imitation.cloner import CloningConfig
from agents.imitation.dataset import limit_idle_steps, overridden_actions, pad_to_horizon, resolve_conflicts
from agents.learners.cpl import is_static
from agents.learners.dagger import DaggerLearner
from agents.learners.maxent import MaxEntLearner, log_likelihood_gradient, occupancies, soft_policy
from agents.policies.distributions import log_prob
from agents.policies.policy_arrays import PolicyArrays, forward
from agents.policies.rollouts import PolicyVariant, episode_starts, rollout_clips
from agents.teachers.synthetic import make_teacher
from envs.simulation import Simulation
from envs.tabular import TooManyStates, enumerate_states
from tests.agents.toy import MOVES, SIDE, rightwards, toy

QUICK = {"proxy_steps": 16_000, "steps_per_fit": 80_000}


def _score(learner) -> float:
    return scores.evaluate_policy(toy(), learner.snapshot().policy).mean


def _practise(learner) -> float:
    while learner.step():
        pass
    return _score(learner)


def _past_the_prior(learner) -> float:
    while learner.snapshot().env_steps < 16_000:
        learner.step()
    return _score(learner)


def _presses(learner, count: int = 60, every: int = 6, first: int = 0):
    task, teacher, found = toy(), make_teacher("rational", toy()), []
    policy = learner.snapshot().policy
    for seed in range(first, first + count):
        start = episode_starts(task, 1, seed)
        seen = rollout_clips(task, start, [PolicyVariant(policy)], [24], np.random.default_rng(seed))[0]
        found += [teacher.evaluate(seen, step) for step in range(6, 25, every)]
    return [press for press in found if press is not None]


@pytest.mark.parametrize("name", ["gail", "airl"])
def test_adversaries_come_to_do_what_was_shown(name: str, tmp_path: Path) -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    alone = {"bc_coef": 0.0, "bc": CloningConfig(n_updates=0)}  # else a clone would do it
    learner = learner_catalog.make(name, task, prior="none", settings={"steps_per_fit": 240_000, **alone})
    learner.observe(20, [teacher.demonstrate(seed) for seed in range(20)])
    assert _practise(learner) > 5.0
    assert learner.snapshot().reward.nets
    learner.save(tmp_path / "a")
    again = learner_catalog.make(name, task, prior="none", seed=4)
    again.load(tmp_path / "a")
    one, two = learner.snapshot().reward.nets[0], again.snapshot().reward.nets[0]
    np.testing.assert_array_equal(one[0][0], two[0][0])


def test_an_adversary_begins_from_a_clone() -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    learner = learner_catalog.make("gail", task, prior="none")
    learner.observe(20, [teacher.demonstrate(seed) for seed in range(20)])
    before = _score(learner)
    while not learner.snapshot().env_steps:
        learner.step()
    assert _score(learner) > before + 2.0


def test_a_drive_that_came_to_rest_is_filled_up_with_the_rest() -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    driven = teacher.demonstrate(3).trajectory.clip(0, 10)
    whole = pad_to_horizon(task, driven)
    assert len(whole) == task.horizon
    np.testing.assert_array_equal(whole.actions[:10], driven.actions)
    assert (whole.actions[10:] == 0).all()


def test_cpl_gets_better_from_answers_without_a_reward(tmp_path: Path) -> None:
    task = rightwards()
    teacher = make_teacher("rational", task)
    learner = learner_catalog.make("cpl", task, settings={"proxy_steps": 8_000, "steps_per_fit": 40_000})
    while learner.snapshot().env_steps < 8_000:
        learner.step()
    before = scores.evaluate_policy(task, learner.snapshot().policy).mean
    # practice once earned more of the written reward: that is nothing to go back to
    untaught = {name: value.clone() for name, value in learner.trainer.algorithm.policy.state_dict().items()}
    learner.trainer.restarts.recent_policies.best = (1e9, untaught)
    for seq in range(1, 41):
        learner.observe(seq, [teacher.compare(learner.query())])
    while learner.step():
        pass
    assert scores.evaluate_policy(task, learner.snapshot().policy).mean > before + 4.0
    assert learner.snapshot().reward is None
    learner.save(tmp_path / "a")
    again = learner_catalog.make("cpl", task, seed=2)
    again.load(tmp_path / "a")
    again.trainer.restarts.return_to_restart_point()  # goes on from what the answers began with
    for one, two in zip(learner._reference.layers, again.trainer.policy.layers, strict=True):
        np.testing.assert_array_equal(one[0], two[0])


def test_what_cpl_sums_by_hand() -> None:
    layers = ((np.eye(2, dtype=np.float32), np.zeros(2, np.float32)),)
    obs = np.log(np.array([[1.0, 3.0], [1.0, 1.0]], np.float32))
    choosing = PolicyArrays(layers, "discrete")
    np.testing.assert_allclose(log_prob(choosing, obs, np.array([1, 0])), np.log([0.75, 0.5]), rtol=1e-5)
    steering = PolicyArrays(layers, "gaussian", np.array([0.0, np.log(2.0)], np.float32))
    found = log_prob(steering, np.zeros((1, 2), np.float32), np.array([[1.0, 2.0]]))
    assert found[0] == pytest.approx(-0.5 - 0.5 - np.log(2.0) - np.log(2.0 * np.pi), abs=1e-5)
    driven = make_teacher("rational", toy()).demonstrate(3).trajectory
    waits = pad_to_horizon(toy(), driven.clip(0, 10))
    assert is_static(waits)[-1]
    moving = np.flatnonzero((waits.observations[:-1] != waits.observations[1:]).any(1))
    assert is_static(waits).argmax() == moving[-1] + 1  # pauses on the way count


def test_dagger_asks_a_scripted_expert_where_it_drives_itself(tmp_path: Path) -> None:
    def expert(obs):
        dx, dy = np.rint(obs[:, 0] * 2), np.rint(obs[:, 1] * 2)
        return np.where(dx > 0, 2, np.where(dx < 0, 1, np.where(dy > 0, 4, np.where(dy < 0, 3, 0))))

    learner = learner_catalog.make("dagger", toy(), settings={"n_updates": 200})
    assert isinstance(learner, DaggerLearner)
    for _ in range(4):
        assert learner.query_expert(expert) == 8 * 64
        while learner.step():
            pass
    assert _score(learner) > 12.0
    assert learner.snapshot().feedback_counts["labelled state"] == 4 * 8 * 64
    learner.save(tmp_path / "a")
    again = learner_catalog.make("dagger", toy(), seed=2)
    again.load(tmp_path / "a")
    assert again.snapshot().feedback_counts["labelled state"] == 4 * 8 * 64


def _takeover(agent: list[int], person: list[int]) -> Correction:
    clips = []
    for actions in (agent, person):
        sim = Simulation(toy(), 1, auto_reset=False)
        sim.reset(np.array([3]))
        record = sim.recorder(0)
        for action in actions:
            step = sim.step(np.array([action]))
            record.add(action, step.terms[0], step.last_states[0], int(sim.rng[0]), step.last_obs[0])
        clips.append(record.trajectory())
    return Correction(*clips)


def test_what_was_taken_over_from_is_refused() -> None:
    taken = _takeover([1, 3, 3, 0], [1, 3, 4, 4])
    obs, actions = overridden_actions([taken, _takeover([2, 2], [2, 2])])
    np.testing.assert_array_equal(obs, taken.agent.observations[2:3])  # the first act that was not the same
    assert actions.tolist() == [3]
    drawn = []
    for against in (0.0, 3.0):
        learner = learner_catalog.make(
            "dagger",
            toy(),
            settings={"n_updates": 200, "logit_temperature": 1.0, "unlikelihood_weight": against},
        )
        # elsewhere somebody did there what the agent did: whoever took over said that it was wrong
        learner.observe(2, [taken, Demonstration(taken.agent)])
        while learner.step():
            pass
        said = learner.snapshot().policy.act(np.repeat(obs, 500, 0), np.random.default_rng(0))
        drawn.append((said == 3).mean())
    assert drawn[0] > 0.15
    assert drawn[1] < 0.5 * drawn[0]


def test_who_learns_anew_acts_as_before_until_enough_is_learned() -> None:
    task, teacher = toy(), make_teacher("rational", toy())
    learner = learner_catalog.make("dagger", task, settings={"n_updates": 200})
    learner.observe(1, [teacher.demonstrate(1)])
    while learner.step():
        pass
    before = learner.snapshot().policy.layers[0][0]
    learner.observe(2, [teacher.demonstrate(2)])
    learner.step()
    np.testing.assert_array_equal(learner.snapshot().policy.layers[0][0], before)
    learner.step()
    assert (learner.snapshot().policy.layers[0][0] != before).any()


def test_people_who_go_two_ways_round_are_noticed() -> None:
    obs = np.zeros((10, 3), np.float32)
    obs[5:, 0] = 1.0
    settled, share = resolve_conflicts(obs, np.array([1, 1, 1, 2, 2, 3, 3, 3, 3, 3]))
    assert share == pytest.approx(0.2)
    assert settled.tolist() == [1] * 5 + [3] * 5
    even, share = resolve_conflicts(obs, np.array([1, 1, 2, 2, 4, 3, 3, 3, 3, 3]))
    assert even.tolist()[:4] == [1, 1, 2, 2]  # nobody can say
    paused, share = resolve_conflicts(obs, np.array([0, 0, 0, 0, 1, 3, 3, 3, 3, 3]), idle_action=0)
    assert (share, paused.tolist()[4]) == (0.0, 1)


def test_a_rest_counts_a_few_times_and_every_move_counts() -> None:
    obs = np.zeros((12, 2), np.float32)
    obs[6:, 0] = 1.0
    actions = np.array([0, 0, 0, 0, 0, 2, 0, 0, 3, 3, 3, 3])
    kept = limit_idle_steps(obs, actions, idle_action=0, max_repeats=3)
    assert kept.tolist() == [True] * 3 + [False] * 2 + [True] * 7
    assert limit_idle_steps(obs, actions, idle_action=-1).all()
    assert limit_idle_steps(obs, obs, idle_action=0).all()  # actions of a Box are never rest


def test_conflicting_demonstrations_are_told_and_the_most_frequent_way_learned() -> None:
    start = episode_starts(toy(), 1, 3) * 3
    sim = Simulation(toy(), 3, auto_reset=False)
    sim.set_states(np.ones(3, np.bool_), np.stack([m.state for m in start]), np.array([m.rng for m in start]))
    records = [sim.recorder(row) for row in range(3)]
    for _ in range(4):
        did = np.array([0, 0, 0])
        step = sim.step(did)
        for row, record in enumerate(records):  # in place they say three different things of one state
            record.add((1, 1, 2)[row], step.terms[row], step.last_states[row], 0, step.last_obs[row])
    learner = learner_catalog.make("dagger", toy(), settings={"n_updates": 100})
    learner.observe(3, [Demonstration(record.trajectory()) for record in records])
    while learner.step():
        pass
    assert any("did something else" in told for told in learner.snapshot().warnings)
    seen = records[0].trajectory().observations[:1]
    drawn = learner.snapshot().policy.act(np.repeat(seen, 200, 0), np.random.default_rng(0))
    assert (drawn == 1).sum() > 5 * (drawn == 2).sum()


def test_tamer_regresses_what_a_step_was_worth_to_the_person() -> None:
    learner = learner_catalog.make("evaluative", toy(), settings={"method": "tamer", **QUICK})
    before = _past_the_prior(learner)
    presses = _presses(learner)
    learner.observe(len(presses), presses)
    assert _practise(learner) > before + 4.0


def test_coach_moves_the_policy_by_each_press_once() -> None:
    learner = learner_catalog.make("evaluative", toy(), settings={"method": "coach", **QUICK})
    before, said = _past_the_prior(learner), 0
    for turn in range(5):
        presses = _presses(learner, 30, every=3, first=1000 * turn)
        said += len(presses)
        learner.observe(said, presses)
        while learner.step():
            pass
    assert _score(learner) > before + 3.0
    settled = learner.snapshot().policy
    learner.step()
    np.testing.assert_array_equal(learner.snapshot().policy.layers[0][0], settled.layers[0][0])
    assert learner.snapshot().reward is None


def test_shaping_adds_to_the_tasks_own_reward() -> None:
    learner = learner_catalog.make("shaping", toy(), settings=QUICK)
    before = _past_the_prior(learner)
    presses = _presses(learner)
    learner.observe(len(presses), presses)
    assert _practise(learner) > before + 2.0
    weights = dict(zip(toy().world.term_names, learner.snapshot().reward.weights.mean(0), strict=True))
    assert weights["coin"] > 0 > weights["puddle"]
    assert weights["column"] > 0


def test_a_potential_keeps_the_optimum_and_adds_up_to_its_ends() -> None:
    task = toy()
    learner = learner_catalog.make("shaping", task, settings={"potential": True, **QUICK})
    _past_the_prior(learner)
    presses = _presses(learner, 30)
    learner.observe(len(presses), presses)
    learner.step()
    reward = learner.snapshot().reward
    clip = presses[0].segment
    seen, none = clip.observations, np.zeros_like(clip.terms)
    steps = reward.member_rewards(seen[:-1], clip.actions, seen[1:], none)[0]
    discounted = (reward.gamma ** np.arange(len(steps)) * steps).sum()
    phi = forward(reward.potential, seen)[:, 0]
    wanted = reward.gamma ** len(steps) * phi[-1] - phi[0]
    assert discounted == pytest.approx(wanted, abs=1e-4)
    assert np.abs(phi).max() > 0


# Maximum causal entropy by tables.


def _start(seed: int = 0) -> np.ndarray:
    return Simulation(toy(), 1, seed=seed).states[0].copy()


def test_tables_are_the_world() -> None:
    tables = enumerate_states(toy(), _start())
    assert len(tables) == SIDE * SIDE
    x, y = tables.states[:, 0], tables.states[:, 1]
    for action, (dx, dy) in enumerate(MOVES):
        led = tables.states[tables.next_states[:, action]]
        np.testing.assert_array_equal(led[:, 0], np.clip(x + dx, 0, SIDE - 1))
        np.testing.assert_array_equal(led[:, 1], np.clip(y + dy, 0, SIDE - 1))
    with pytest.raises(TooManyStates, match="over 10 states"):
        enumerate_states(toy(), _start(), most=10)


def test_occupancies_sum_to_the_horizon_and_nothing_wanted_is_uniform() -> None:
    tables = enumerate_states(toy(), _start())
    for weights in (np.zeros(4), np.array([1.0, -2.0, 0.3, 0.0])):
        policy = soft_policy(tables, tables.terms @ weights, 9)
        assert occupancies(tables, policy).sum() == pytest.approx(9.0)
        np.testing.assert_allclose(policy.sum(2), 1.0)
    np.testing.assert_allclose(soft_policy(tables, tables.terms @ np.zeros(4), 9), 0.2)


def test_the_last_step_chooses_by_the_exponent_of_its_reward() -> None:
    tables = enumerate_states(toy(), _start())
    reward = np.zeros((len(tables), 5))
    reward[0] = np.log([1.0, 2.0, 3.0, 4.0, 10.0])
    np.testing.assert_allclose(soft_policy(tables, reward, 1)[0, 0], np.array([1, 2, 3, 4, 10]) / 20)


def test_the_gradient_is_that_of_the_likelihood() -> None:
    tables, random = enumerate_states(toy(), _start()), np.random.default_rng(0)
    actions = random.integers(5, size=6)
    weights = np.array([0.5, -0.4, 0.2, -0.1])

    def log_likelihood(w: np.ndarray) -> float:
        policy, at, total = soft_policy(tables, tables.terms @ w, 6), 0, 0.0
        for t, action in enumerate(actions):
            total += np.log(policy[t, at, action])
            at = tables.next_states[at, action]
        return total

    shown, at = np.zeros(4), 0
    for action in actions:
        shown += tables.terms[at, action]
        at = tables.next_states[at, action]
    found = log_likelihood_gradient(tables, weights, shown, 6)
    for i in range(4):
        step = np.eye(4)[i] * 1e-5
        numeric = (log_likelihood(weights + step) - log_likelihood(weights - step)) / 2e-5
        assert found[i] == pytest.approx(numeric, abs=1e-5)


def test_maxent_learns_the_toy_from_two_drives() -> None:
    teacher = make_teacher("rational", toy())
    learner = learner_catalog.make("maxent", toy(), settings=QUICK)
    learner.observe(2, [teacher.demonstrate(seed) for seed in (1, 2)])
    assert _practise(learner) > 8.0
    assert isinstance(learner, MaxEntLearner)
    assert learner.is_exact
    weights = dict(zip(toy().world.term_names, learner.snapshot().reward.weights.mean(0), strict=True))
    assert weights["coin"] > 0.1  # the written reward, where the ascent begins, pays nothing for it
