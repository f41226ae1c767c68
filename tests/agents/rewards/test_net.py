"""The reward on raw observations: turned views, what it starts from, what it says of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents import learner_catalog
from agents.evaluation import scores
from agents.feedback.choices import Choice, Option, pack_choices
from agents.policies.policy_arrays import forward
from agents.rewards import saliency
from agents.rewards.net import NetConfig, NetReward
from agents.rewards.reward_arrays import RewardArrays, reward_inputs
from agents.rewards.symmetry import canonical_views, invariant_inputs
from agents.teachers.synthetic import make_teacher
from envs import task_catalog as worlds
from envs.simulation import Simulation
from envs.trajectory import Trajectory
from tests.agents.toy import rightwards, toy


def _clip(seen: np.ndarray, terms: np.ndarray) -> Trajectory:
    steps = len(seen) - 1
    return Trajectory(
        "t", np.zeros((steps + 1, 0)), np.zeros(steps + 1, np.uint64), seen.astype(np.float32),
        np.zeros(steps, np.int64), terms.astype(np.float32),
    )  # fmt: skip


def _pairs(count: int, seed: int, sign: float = 1.0) -> list[Choice]:
    """Of two clips of three steps the one whose first number ends higher is better; eight are noise."""
    random, found = np.random.default_rng(seed), []
    for _ in range(count):
        clips = [_clip(random.standard_normal((4, 9)), np.zeros((3, 2))) for _ in range(2)]
        clips.sort(key=lambda c: -sign * float(c.observations[-1, 0] - c.observations[0, 0]))
        found.append(Choice("comparison", tuple(Option(c) for c in clips)))
    return found


def _net(choices: list[Choice], **config: float) -> NetReward:
    model = NetReward(np.zeros(2, np.float32), (), 3, NetConfig(**config))  # type: ignore[arg-type]
    model.fit(pack_choices(choices))
    return model


def test_forty_answers_order_unseen_pairs_and_reversed_ones_the_other_way() -> None:
    unseen = pack_choices(_pairs(200, 99))
    assert _net(_pairs(40, 0)).agreement(unseen) > 0.8
    assert _net(_pairs(40, 0, sign=-1.0)).agreement(unseen) < 0.2


def test_changes_are_believed_in_before_what_is_merely_seen() -> None:
    """Eight answers that either explains: which one is held responsible."""
    random, found = np.random.default_rng(1), []
    for _ in range(8):
        seen = np.zeros((2, 4, 9), np.float32)
        seen[0, 1:, 0] = 1.0  # rises once, in the better clip
        seen[0, :, 1] = 0.75  # always there in it: as much in sum
        seen += 0.01 * random.standard_normal(seen.shape).astype(np.float32)
        found.append(Choice("comparison", tuple(Option(_clip(s, np.zeros((3, 2)))) for s in seen)))
    net = _net(found)
    change, seen = (np.zeros((1, 9), np.float32) for _ in range(2))
    change[0, 0], seen[0, 1] = 1.0, 0.75
    none, still = np.zeros((1, 2), np.float32), np.zeros(1, int)
    by_change = net.arrays().member_rewards(0 * change, still, change, none).mean()
    by_sight = 3.0 * net.arrays().member_rewards(seen, still, seen, none).mean()
    base = net.arrays().member_rewards(0 * change, still, 0 * change, none).mean()
    assert by_change - base > 2.0 * (by_sight - 3.0 * base)


def test_turned_views_are_the_same_in_every_turn_of_the_world() -> None:
    task = worlds.task("teachbox/RoomsTidy-v0")
    turns = canonical_views(task.world.symmetries, 5)
    assert len(turns) == 2  # as it is, and in the mirror
    assert turns[0].actions.tolist() == [0, 1, 1, 1, 1]
    sim = Simulation(task, 64, seed=3)
    before = sim.obs.copy()
    actions = np.random.default_rng(0).integers(1, 5, size=64)
    after = sim.step(actions).last_obs
    plain = reward_inputs(before, actions, after, 5, turns[0])
    for order, to in task.world.symmetries:
        seen = [reward_inputs(before[:, order], to[actions], after[:, order], 5, t) for t in turns]
        same = [(np.abs(s - plain) < 1e-6).all(1) for s in seen]
        assert (same[0] | same[1]).all()


def test_an_action_without_direction_sees_only_what_no_turn_changes() -> None:
    task = worlds.task("teachbox/RoomsTidy-v0")
    turns = canonical_views(task.world.symmetries, 5, mask_variant_inputs=True)[0]
    names = list(task.world.obs_names)
    assert names[invariant_inputs((turns,)).argmax()] == "far_fetch"
    random = np.random.default_rng(0)
    before, after = random.random((2, 2, len(names)), np.float32) + 0.1
    idle, moved = reward_inputs(before, np.array([0, 1]), after, 5, turns, split_changes=True)
    for name in ("wall_up", "litter_left"):
        at = names.index(name)
        assert (idle[at] == before[0, at]) == (name == "litter_left")
        assert moved[at] == before[1, at]
        change = idle[len(names) + at] - idle[2 * len(names) + at]
        assert change == pytest.approx((after - before)[0, at] if name == "litter_left" else 0.0, abs=1e-6)


def test_from_the_written_reward_it_starts_at_it() -> None:
    written = np.array([2.0, 0.0], np.float32)
    model = NetReward(written, (), 3, NetConfig())
    obs, terms = np.zeros((2, 9), np.float32), np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    paid = model.arrays().member_rewards(obs, np.zeros(2, int), obs, terms)
    np.testing.assert_allclose(paid, [[2.0, 0.0]] * model.config.n_members)


def test_returns_add_up_over_steps() -> None:
    model, choices = _net(_pairs(10, 2)), _pairs(4, 3)
    clips = [o.steps for c in choices for o in c.options if o]
    packed = pack_choices(choices)
    np.testing.assert_allclose(model.sampled_returns(clips).mean(0), model.returns(packed)[:-1], atol=1e-4)


def test_slopes_are_the_derivative() -> None:
    random = np.random.default_rng(0)
    net = tuple(
        (random.standard_normal((i, o)).astype(np.float32), np.ones(o, np.float32))
        for i, o in ((4, 6), (6, 1))
    )
    x, step = random.standard_normal((5, 4)).astype(np.float32), 1e-2
    for i in range(4):
        up, down = x.copy(), x.copy()
        up[:, i] += step
        down[:, i] -= step
        wanted = (forward(net, up) - forward(net, down))[:, 0] / (2 * step)
        np.testing.assert_allclose(saliency.input_gradients(net, x)[:, i], wanted, atol=2e-2)


def test_it_tells_what_it_goes_by_and_which_moments_it_likes() -> None:
    task = toy()
    weights = np.array([[2.0, -1.0, 0.0, 0.0]], np.float32)
    terms = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0]], np.float32)
    obs = np.zeros((4, 6), np.float32)
    told = saliency.compute_saliency(task, RewardArrays(weights), obs[:3], np.zeros(3, int), obs[1:], terms)
    assert list(told) == ["coin", "puddle"]
    assert told["coin"] == pytest.approx(2.0 * np.std([0, 1, 0]))
    liked, disliked = saliency.extreme_steps(RewardArrays(weights), [_clip(obs, terms)], 1)
    assert (liked[0].step, disliked[0].step) == (1, 2)


@pytest.mark.parametrize("bent_alone", [True, False])
def test_preferences_with_the_net_learn_what_no_term_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bent_alone: bool
) -> None:
    if not bent_alone:
        monkeypatch.setattr("agents.learners.joint_config.MAX_ADDITIVE_INPUTS", 0)
    task = rightwards()
    teacher = make_teacher("rational", task)
    learner = learner_catalog.make(
        "preferences", task, settings={"model": "net", "proxy_steps": 8_000, "steps_per_fit": 40_000}
    )
    while learner.snapshot().env_steps < 8_000:
        learner.step()
    before = scores.evaluate_policy(task, learner.snapshot().policy).mean
    for seq in range(1, 31):
        learner.observe(seq, [teacher.compare(learner.query())])
        if seq % 10 == 0:
            for _ in range(4):
                learner.step()
    while learner.step():
        pass
    assert scores.evaluate_policy(task, learner.snapshot().policy).mean > before + 4.0
    assert {"x", "rise of x", "fall of x"} & set(list(learner.snapshot().saliency)[:6])
    learner.save(tmp_path / "a")
    again = learner_catalog.make("preferences", task, seed=5, settings={"model": "net"})
    again.load(tmp_path / "a")
    one, two = learner.snapshot().reward, again.snapshot().reward
    np.testing.assert_array_equal(one.nets[0][0][0], two.nets[0][0][0])
