"""`cpl`: comparisons straight to a policy, without a reward (Hejna et al. 2024).

A clip is worth the sum of what the policy itself thinks of its actions, so one supervised loss on the
answers does it: for control what direct preference optimisation is for language models. As there
(Rafailov et al. 2023, eq. 7), what counts is by how much surer of an action the policy is than the one that
the written reward made: at first every clip is worth the same, and what no answer speaks of stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from agents.feedback.choices import choices_from_comparison, choices_from_correction
from agents.feedback.records import Comparison, Correction, Record
from agents.imitation.cloner import MIN_INPUTS_FOR_DROPOUT
from agents.imitation.dataset import augment_by_symmetry, training_examples
from agents.learners.joint_config import JointConfig
from agents.learners.reward_learner import RewardLearner
from agents.losses import contrastive
from agents.policies.distributions import evaluate_actions, log_prob
from agents.policies.policy_arrays import PolicyArrays, forward
from agents.queries.selection import QueryConfig
from agents.renamed_settings import renamed_settings
from agents.rewards.base import Float
from agents.snapshot import Snapshot
from agents.training.trainer import PolicyTrainer
from envs.trajectory import Trajectory


@renamed_settings(
    rate="learning_rate",
    decay="weight_decay",
    blind="input_dropout",
    updates="updates_per_rollout",
    pairs="batch_size",
    stay="reference_kl_coef",
)
@dataclass(frozen=True)
class ContrastiveConfig:
    """The settings of the contrastive loss."""

    alpha: float = 0.3  # temperature
    bias: float = 0.8  # how much the worse clip's likelihood counts
    gamma: float = 1.0  # discount of steps in a clip
    learning_rate: float = 3e-3  # Adam's, falling to nothing over the updates on one state of the feedback
    weight_decay: float = 0.1  # weight decay
    # share of what is seen that an update hides (dropout), less where little is seen
    input_dropout: float = 0.8
    updates_per_rollout: int = 60  # minibatches for each 4,096 environment steps that a burst sees
    batch_size: int = 24  # in a minibatch
    reference_kl_coef: float = 0.01  # weight of staying near the policy that the answers found, where it goes


@dataclass(frozen=True)
class CplConfig(JointConfig):
    """The settings of `joint`, and those of the loss."""

    contrastive: ContrastiveConfig = field(default_factory=ContrastiveConfig)
    steps_per_fit: int | None = 24_000  # a burst counts as a rollout
    query: QueryConfig = field(default_factory=lambda: QueryConfig(clip_steps=QueryConfig.short_clip_steps))


@dataclass(frozen=True)
class ClipPairs:
    """B pairs of clips in every turn of the world, laid side by side.

    obs [L, D], actions [L] or [L, C]; discount [L], 0 where all had come to rest for good; owner [L] which
    of the 2 B clips; weight [B]; before [turns, L] the reference's log-probabilities of the actions.
    """

    obs: torch.Tensor
    actions: torch.Tensor
    discount: torch.Tensor
    step_clip: torch.Tensor
    weight: torch.Tensor
    reference_log_prob: torch.Tensor

    @property
    def n_pairs(self) -> int:
        return len(self.weight)


class ContrastiveLearner(RewardLearner):
    """Trains on the proxy reward, then learns from comparisons without a reward."""

    name: ClassVar[str] = "cpl"
    kinds: ClassVar[frozenset[str]] = frozenset({"comparison", "correction"})
    Config: ClassVar[type[JointConfig]] = CplConfig
    config: CplConfig
    trainer: PolicyTrainer
    _pairs: ClipPairs | None = None
    _reference: PolicyArrays | None = None
    """The policy that training on the proxy reward led to; what no answer is about stays as it is there."""

    def fit_reward(self, records: list[Record]) -> None:
        self.schedule.steps_since_fit = 0
        config = self.config.contrastive
        # What is learned on top of what few answers said foresees less (Ash and Adams 2020, "On warm-starting
        # neural network training"): from the reference on, as with the first answer, and nothing else that
        # earned more of the written reward is gone back to.
        self.trainer.restarts.return_to_restart_point()
        self._reference = self.trainer.policy
        self._pairs = self._clip_pairs(records)
        parameters = self.trainer.algorithm.policy.parameters()
        self._optimizer = torch.optim.AdamW(
            parameters, config.learning_rate, weight_decay=config.weight_decay
        )
        self.select_queries()

    def _clip_pairs(self, records: list[Record]) -> ClipPairs | None:
        choices = [c for r in records if isinstance(r, Comparison) for c in choices_from_comparison(r)]
        choices += [c for r in records if isinstance(r, Correction) for c in choices_from_correction(r)]
        pairs = [
            (choice.options[0].steps, other.steps, choice.weight)
            for choice in choices
            for other in choice.options[1:]
            if choice.options[0] is not None and other is not None
        ]
        if not pairs:
            return None
        clips = [clip for one, two, _ in pairs for clip in (one, two)]
        gamma = self.config.contrastive.gamma
        obs, actions = training_examples(clips, ())
        counts = [gamma ** np.arange(len(c)) * ~is_static(c) for c in clips]
        assert self._reference is not None
        symmetries = self.task.world.symmetries
        seen = [augment_by_symmetry(obs, actions, (turn,)) for turn in symmetries] or [(obs, actions)]
        before = [log_prob(self._reference, *one) for one in seen]
        return ClipPairs(
            torch.from_numpy(np.ascontiguousarray(obs, np.float32)),
            torch.from_numpy(np.ascontiguousarray(actions)),
            torch.from_numpy(np.concatenate(counts).astype(np.float32)),
            torch.from_numpy(np.repeat(np.arange(len(clips)), [len(c) for c in clips])),
            torch.tensor([weight for _, _, weight in pairs], dtype=torch.float32),
            torch.from_numpy(np.stack(before)),
        )

    def train_iteration(self) -> int:
        if self.is_on_proxy:
            return super().train_iteration()
        if self._pairs is None:  # nothing to learn from, or going on from a checkpoint
            self.fit_reward(self.active_records())
        steps = self.trainer.algorithm.n_steps * self.trainer.algorithm.n_envs
        if self._pairs is not None:
            updates = max(1, self.config.contrastive.updates_per_rollout * steps // 4096)
            loss = [self._train_step(self._pairs) for _ in range(updates)]
            self.inference.agreement["contrastive loss"] = float(np.mean(loss))
        self.trainer.algorithm.collect_only()  # where the policy is nowadays, for questions and curves
        self.trainer.algorithm.num_timesteps += steps
        self.trainer.iterations += 1
        if self.trainer.iterations % self.config.curve_every == 1:
            self.record_curve()
        if self.trainer.iterations % self.config.questions_every == 0:
            self.select_queries()
        return steps

    def _train_step(self, pairs: ClipPairs) -> float:
        config, policy = self.config.contrastive, self.trainer.algorithm.policy
        random = self.query_manager.random
        self._optimizer.param_groups[0]["lr"] = config.learning_rate * max(
            0.0, 1.0 - self.schedule.steps_since_fit / self.steps_per_fit
        )
        pick = torch.from_numpy(
            random.choice(pairs.n_pairs, min(config.batch_size, pairs.n_pairs), replace=False)
        )
        mine = torch.isin(pairs.step_clip // 2, pick)
        turns, turn = self.task.world.symmetries, int(random.integers(len(pairs.reference_log_prob)))
        obs, actions = pairs.obs[mine], pairs.actions[mine]
        if turns:
            order, to = turns[turn]
            obs, actions = obs[:, torch.from_numpy(order)], torch.from_numpy(to)[actions]
        plain = self.trainer.policy.eyes is None
        blind = config.input_dropout * min(1.0, obs.shape[1] / MIN_INPUTS_FOR_DROPOUT) if plain else 0.0
        kept = torch.from_numpy(random.random(obs.shape, np.float32) >= blind)
        known = self.trainer.policy.normalisation
        obs = obs * kept if known is None else torch.where(kept, obs, torch.from_numpy(known.mean))
        log_pi, _, _ = evaluate_actions(
            policy, obs.to(policy.device), actions.reshape(len(obs), -1).to(policy.device)
        )
        surer = (log_pi.cpu() - pairs.reference_log_prob[turn][mine]) * pairs.discount[mine]
        sums = torch.zeros(2 * pairs.n_pairs).index_add(0, pairs.step_clip[mine], surer)
        one, two = sums[0::2][pick], sums[1::2][pick]
        loss = contrastive(one, two, torch.ones(len(pick)), config.alpha, config.bias)
        total = (loss * pairs.weight[pick]).mean()
        visited = self.trainer.newest_steps()
        if visited is not None and self._reference is not None:
            total = total + config.reference_kl_coef * self._kl_from_reference(visited[0], self._reference)
        self._optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        return float(total.detach())

    def _kl_from_reference(self, visited: Float, reference: PolicyArrays) -> torch.Tensor:
        """KL divergence of the policy from the reference on a minibatch of the states visited now.

        The paper regularises towards the data's behaviour (its appendix B), which here is many policies,
        random ones among them; the reference is the one of them that was good for something.
        """
        policy = self.trainer.algorithm.policy
        seen = visited[self.query_manager.random.integers(len(visited), size=256)]
        looked = policy.features_extractor(torch.as_tensor(seen, device=policy.device))
        out = policy.action_net(policy.mlp_extractor.policy_net(looked))
        of_reference = forward(reference.layers, reference.extract_features(seen), reference.activation)
        wanted = torch.as_tensor(of_reference, device=policy.device)
        if reference.kind == "discrete":
            log_p, log_q = torch.log_softmax(wanted, -1), torch.log_softmax(out, -1)
            return (log_p.exp() * (log_p - log_q)).sum(-1).mean().cpu()
        return (((out - wanted) / policy.log_std.exp()) ** 2).sum(-1).mean().cpu() / 2.0

    def apply_reward(self) -> None:
        if self.is_on_proxy:
            super().apply_reward()

    def snapshot(self) -> Snapshot:
        return replace(super().snapshot(), reward=None, saliency={})


def is_static(clip: Trajectory) -> NDArray[np.bool_]:
    """[T] from when on nothing that is seen changes any more: whatever is done there says nothing."""
    same = (clip.observations[:-1] == clip.observations[1:]).reshape(len(clip), -1).all(1)
    return np.asarray(np.logical_and.accumulate(same[::-1])[::-1])
