"""Several nets side by side: each learns by itself, together they are one ordinary policy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.utils import parameters_to_vector

from agents import learner_catalog
from agents.imitation.cloner import Cloner
from agents.imitation.ensemble import make_ensemble, member_outputs
from agents.policies.from_torch import policy_arrays
from agents.policies.policy_arrays import forward
from agents.teachers.synthetic import make_teacher
from envs import task_catalog as worlds
from envs.world import Task
from tests.agents.toy import toy

K, WIDE = 3, 8


def _policy(task: Task, seed: int = 0) -> Any:
    made = learner_catalog.make(
        "dagger", task, seed=seed, settings={"net_arch": (WIDE, WIDE), "n_members": K}
    )
    return made.ppo.policy


def test_the_policy_is_the_mean_of_its_members() -> None:
    policy = _policy(toy())
    obs = torch.randn(5, len(toy().world.obs_names), generator=torch.Generator().manual_seed(0))
    each = member_outputs(policy, obs.expand(K, *obs.shape), K).detach().numpy()
    assert np.abs(each[0] - each[1]).max() > 1e-3
    whole = forward(policy_arrays(policy).layers, obs.numpy())
    np.testing.assert_allclose(each.mean(0), whole, atol=1e-5)
    np.testing.assert_allclose(member_outputs(policy, obs[None], 1)[0].detach().numpy(), whole, atol=1e-5)


def test_a_member_by_hand() -> None:
    policy = _policy(toy())
    hidden = [part for part in policy.mlp_extractor.policy_net if isinstance(part, torch.nn.Linear)]
    mine = slice(WIDE, 2 * WIDE)
    x = torch.randn(2, len(toy().world.obs_names), generator=torch.Generator().manual_seed(1))
    y = torch.tanh(x @ hidden[0].weight[mine].T + hidden[0].bias[mine])
    y = torch.tanh(y @ hidden[1].weight[mine, mine].T + hidden[1].bias[mine])
    wanted = K * y @ policy.action_net.weight[:, mine].T + policy.action_net.bias
    found = member_outputs(policy, x.expand(K, *x.shape), K)[1]
    np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), atol=1e-5)


def test_members_begin_as_sb3_begins_a_net_and_the_same_for_the_same_seed() -> None:
    for number, layer in enumerate(_policy(toy()).mlp_extractor.policy_net[::2]):
        for member in range(K):
            rows = layer.weight[member * WIDE : (member + 1) * WIDE]
            block = rows if number == 0 else rows[:, member * WIDE : (member + 1) * WIDE]
            few, many = sorted(block.shape)
            gram = block @ block.T if block.shape[0] == few else block.T @ block
            np.testing.assert_allclose(gram.detach().numpy(), 2.0 * np.eye(few), atol=1e-4)
            if number:
                assert rows.count_nonzero() == block.count_nonzero()
    one, two = (parameters_to_vector(_policy(toy(), seed=4).parameters()) for _ in range(2))
    assert torch.equal(one, two)
    other = _policy(toy(), seed=4)
    make_ensemble(other, K, 5)
    assert not torch.equal(one, parameters_to_vector(other.parameters()))


@pytest.mark.parametrize("task", [toy(), worlds.task("teachbox/RoverDeliver-v0")], ids=["choices", "control"])
def test_what_members_learn_stays_apart(task: Task) -> None:
    learner = learner_catalog.make(
        "dagger", task, settings={"net_arch": (WIDE, WIDE), "n_members": K, "n_updates": 60}
    )
    learner.observe(1, [make_teacher("rational", task).demonstrate(1)])
    before = learner.ppo.policy.mlp_extractor.policy_net[2].weight.detach().clone()
    while learner.step():
        pass
    weight = learner.ppo.policy.mlp_extractor.policy_net[2].weight.detach()
    mine = np.kron(np.eye(K), np.ones((WIDE, WIDE))) == 1.0
    assert (weight[~torch.from_numpy(mine)] == 0.0).all()
    assert (weight != before)[torch.from_numpy(mine)].all()


def test_each_member_learns_from_minibatches_of_its_own() -> None:
    cloner = Cloner((), 1.0, 0, n_members=K)
    obs = np.repeat(np.arange(300.0, dtype=np.float32)[:, None], 4, 1)
    cloner.add_examples(obs, np.arange(300) % 5)
    seen, did = cloner._sample_batch(cloner._obs, cloner._actions, 256, torch.device("cpu"))
    assert seen.shape == (K, 256, 4)
    assert (did == seen[..., 0] % 5).all()
    assert (did[0] != did[1]).any()


@pytest.mark.parametrize("members", [0, -1, 2.5])
def test_a_number_of_members_that_is_none_is_a_sentence(members: Any) -> None:
    with pytest.raises(ValueError, match=f"members {members} is no number of nets: give 1 or more"):
        learner_catalog.make("dagger", toy(), settings={"n_members": members})


def test_members_without_hidden_layers_are_a_sentence() -> None:
    with pytest.raises(ValueError, match="3 members need hidden layers to be apart in"):
        learner_catalog.make("dagger", toy(), settings={"net_arch": ()})
