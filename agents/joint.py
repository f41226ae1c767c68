"""`joint`: one reward from everything the person did, then PPO in bursts. The default learner.

Prior phase: PPO on the written reward, so that the first clips are not idle. Then, whenever
feedback has come, the reward is fitted again to all of it, and PPO goes on from where it is, for a
bounded number of steps: on a reward that stands still long training drifts to its faults.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from agents import checkpoint, scores
from agents.choices import Choice, of_comparison, of_correction, of_evaluation, pack
from agents.cloning import Cloner
from agents.demonstrations import of_demonstration
from agents.feedback import (
    Comparison,
    Correction,
    Demonstration,
    Evaluation,
    Question,
    Record,
    kind_of,
    standing,
    uses_of,
)
from agents.networks import policy_arrays, random_policy
from agents.ppo import BurstPPO, PPOConfig, discounted_deviation
from agents.queries import QueryConfig, candidates, choose, sums
from agents.reward_model import RewardConfig, RewardModel
from agents.rollouts import Moment, Variant, fresh_moments, is_foreign, moments_of, simulate
from agents.snapshot import CurvePoint, Snapshot
from agents.vec_env import SimulationVecEnv
from envs.world import Task

Prior = Literal["written", "none"]


@dataclass(frozen=True)
class JointConfig:
    """How `joint` spends its time."""

    prior_steps: int = 60_000  # environment steps on the written reward before anything else
    steps_per_fit: int = 250_000  # environment steps on one state of the feedback, then it waits
    score_every: int = 12  # bursts between two points of the curves
    ready: int = 3  # questions kept ready
    past: int = 4  # earlier policies kept, for clips and alternatives
    past_every: int = 40_000  # environment steps between them
    ppo: PPOConfig = field(default_factory=PPOConfig)
    reward: RewardConfig = field(default_factory=RewardConfig)
    query: QueryConfig = field(default_factory=QueryConfig)
    cloning: float = 0.3  # weight of the cloning loss beside PPO's
    control: Literal["", "constant", "random"] = ""  # a reward that learns nothing, for comparison


class JointLearner:
    """Learns from demonstrations, comparisons, evaluations and corrections together."""

    name: ClassVar[str] = "joint"
    kinds: ClassVar[frozenset[str]] = frozenset({"demonstration", "comparison", "evaluation", "correction"})

    def __init__(
        self, task: Task, *, seed: int = 0, prior: Prior = "written", config: JointConfig | None = None
    ) -> None:
        self.task, self.prior, self.seed = task, prior, seed
        self.config = config = config or JointConfig()
        foreign = is_foreign(task)
        ppo = replace(config.ppo, rows=8, steps=256, batch=512) if foreign else config.ppo
        sim = simulate(task, ppo.rows, seed=seed * 1_000_003 + 17)
        self.env = SimulationVecEnv(sim, self._reward, stagger=np.random.default_rng([seed, 3]))
        self.ppo = BurstPPO.on(self.env, ppo, seed=seed)
        self.random = np.random.default_rng([seed, 1])
        self.cloner = Cloner(task.world.symmetries, config.cloning, seed)
        self.ppo.auxiliary = self.cloner.loss
        space = task.world.action_space
        written = task.written_weights if prior == "written" else np.zeros_like(task.written_weights)
        usable = np.full(len(written), not foreign)
        reward = replace(config.reward, net=True) if foreign else config.reward
        self.model = RewardModel(written, usable, int(getattr(space, "n", 0)), reward, seed)
        self.start = policy_arrays(self.ppo.policy)
        self.past: deque[tuple[int, Any]] = deque(maxlen=config.past)
        self._records: dict[str, Record] = {}
        self._fitted: frozenset[str] = frozenset()
        self._pay: float | None = None  # what PPO is paid for one unit of reward; None: not known yet
        self._uses: dict[str, int] = {}
        self._seq = self._learned_seq = self._step = self._since_fit = 0
        self._bursts = 0
        self._ready: list[Question] = []
        self._asked = 0
        self._curve: list[CurvePoint] = []
        self._agreement: dict[str, float] = {}
        self._began = time.monotonic()
        self._best: tuple[float, Any] | None = None
        self._recent: deque[float] = deque(maxlen=3)

    @classmethod
    def configured(
        cls, task: Task, *, seed: int = 0, prior: Prior = "written", **config: Any
    ) -> JointLearner:
        """With fields of JointConfig as keywords."""
        return cls(task, seed=seed, prior=prior, config=JointConfig(**config))

    # What comes in.

    def observe(self, seq: int, records: Sequence[Record]) -> None:
        self._seq = max(self._seq, seq)
        for record in records:
            self._records.setdefault(record.id, record)

    def _standing(self) -> list[Record]:
        return [r for r in standing(self._records.values()) if kind_of(r) in self.kinds]

    # What goes on.

    @property
    def phase(self) -> str:
        if not self._fitted:
            return "learning from the written reward" if self._in_prior else "waiting for feedback"
        return "learning from your feedback" if self._has_budget else "waiting for more feedback"

    @property
    def _in_prior(self) -> bool:
        return self.prior == "written" and self.ppo.num_timesteps < self.config.prior_steps

    @property
    def _has_budget(self) -> bool:
        return self._since_fit < self.config.steps_per_fit

    def step(self) -> bool:
        records = self._standing()
        ids = frozenset(record.id for record in records)
        if ids == self._fitted:
            self._learned_seq = self._seq
        if ids != self._fitted:
            self._fit(records)
            self._fitted, self._learned_seq = ids, self._seq
        elif self._in_prior or (self._fitted and self._has_budget):
            self._burst()
        elif not self._ready:
            self._make_questions()
            return bool(self._ready)
        else:
            return False
        self._step += 1
        return True

    def _burst(self) -> None:
        before = policy_arrays(self.ppo.policy)
        parameters = {k: v.clone() for k, v in self.ppo.policy.state_dict().items()}
        self.ppo.burst()
        self._bursts += 1
        steps = self.ppo.n_steps * self.ppo.n_envs
        facts = self.ppo.facts
        if self._fitted:
            self._since_fit += steps
            self._keep_best(facts.reward_sum / facts.episodes, parameters)
        if not self.past or self.ppo.num_timesteps - self.past[-1][0] >= self.config.past_every:
            self.past.append((self.ppo.num_timesteps, before))
        if self._pay is None:
            self._normalise()
        if self._bursts % self.config.score_every == 1:
            self._note_curve()
        if self._bursts % self.config.score_every == 6 or not self._ready:
            self._make_questions()

    def _keep_best(self, learned: float, parameters: Any) -> None:
        """Remember the policy with the most learned reward; go back to it at the end of the budget."""
        self._recent.append(learned)
        if len(self._recent) == self._recent.maxlen:
            mean = float(np.mean(self._recent))
            if self._best is None or mean > self._best[0]:
                self._best = (mean, parameters)
            if not self._has_budget and mean < self._best[0] - 0.02 * abs(self._best[0]):
                self.ppo.policy.load_state_dict(self._best[1])

    def _reward(self, obs: Any, actions: Any, next_obs: Any, terms: Any) -> NDArray[np.float32]:
        """The seam to PPO: the learned reward, or the written one until there is feedback."""
        if self.config.control == "constant" and self._fitted:
            return np.zeros(len(obs), np.float32)
        arrays = self.model.arrays()
        mean = arrays.members(obs, actions, next_obs, terms).mean(0)
        return np.asarray(mean * (self._pay or 1.0), np.float32)

    def _fit(self, records: list[Record]) -> None:
        choices = self._choices(records)
        self._uses = uses_of(records)
        self.cloner.take(records)
        if choices:
            packed = pack(choices)
            fresh = [c for c in choices if c.kind == "comparison" and c.record not in self._fitted]
            if fresh:
                self._agreement["agreement before learning"] = self.model.agreement(pack(fresh))
            self.model.set_units(
                [option.terms() for c in choices for option in c.options if option is not None]
            )
            self.model.fit(packed)
            self._agreement["agreement"] = self.model.agreement(packed)
        if self.config.control == "random":
            self.model.scramble()
        self._normalise()
        self._since_fit, self._best = 0, None
        self._recent.clear()
        self._ready.clear()
        self._make_questions()

    def _choices(self, records: list[Record]) -> list[Choice]:
        """Everything that stands, as choices; alternatives to demonstrations are driven anew."""
        found: list[Choice] = []
        for record in records:
            if isinstance(record, Comparison):
                found += of_comparison(record)
            elif isinstance(record, Evaluation):
                found += of_evaluation(record, self.task.world.steps_per_second)
            elif isinstance(record, Correction):
                found += of_correction(record)
            elif isinstance(record, Demonstration):
                word = int(hashlib.sha256(record.id.encode()).hexdigest()[:8], 16)
                random = np.random.default_rng([self.seed, word])
                found += of_demonstration(
                    self.task, record, self._variants(), self.config.query.steps, random
                )
        return found

    def _normalise(self) -> None:
        facts = self.ppo.facts
        if facts.obs is None or facts.actions is None or facts.next_obs is None or facts.terms is None:
            self._pay = None
            return
        wide = facts.obs.shape[-1]
        actions = facts.actions.reshape(-1, facts.actions.shape[-1])
        actions = actions[:, 0].astype(np.int64) if self.model.one_hot else actions
        seen = facts.obs.reshape(-1, wide)
        led = facts.next_obs.reshape(-1, wide)
        terms = facts.terms.reshape(len(actions), -1)
        self.model.normalise(seen, actions, led, terms)
        reward = self.model.arrays().members(seen, actions, led, terms).mean(0)
        self._pay = 1.0 / discounted_deviation(reward.reshape(facts.obs.shape[:2]), self.ppo.gamma)

    # What it asks.

    def _variants(self) -> list[Variant]:
        """Ways of acting: the policy now, the same bolder, earlier ones, and one that knows nothing."""
        now = policy_arrays(self.ppo.policy)
        name = f"policy:{self.ppo.num_timesteps}"
        earlier = [Variant(policy, 1.0, f"policy:{at}") for at, policy in self.past]
        return [
            Variant(now, 1.0, name),
            Variant(now, 1.5, name),
            Variant(now, 3.0, name),
            *earlier,
            Variant(random_policy(now), 1.0, "random"),
        ]

    def _moments(self) -> list[Moment]:
        facts = self.ppo.facts
        if facts.states is None or facts.rng is None or is_foreign(self.task):
            count = 12 if is_foreign(self.task) else 64
            return fresh_moments(self.task, count, int(self.random.integers(2**31)))
        return moments_of(self.task, facts.states, facts.rng)

    def _make_questions(self) -> None:
        if "comparison" not in self.kinds:
            return
        groups = candidates(self.task, self._moments(), self._variants(), self.config.query, self.random)
        if not self._fitted:
            self.model.set_units([sums(clip) for group in groups for clip in group])
        uniform = (
            self._asked < self.config.query.uniform or len(self.model.samples) <= self.config.reward.members
        )
        samples = None if uniform or is_foreign(self.task) else self.model.samples
        self._ready = choose(groups, samples, 2, self.config.ready, self.config.query, self.random)
        self._groups = groups

    def query(self, clips: int = 2) -> Question | None:
        if not self._ready:
            self._make_questions()
        if clips != 2 and self._ready:
            samples = None if is_foreign(self.task) else self.model.samples
            found = choose(self._groups, samples, clips, 1, self.config.query, self.random)
            self._asked += len(found)
            return found[0] if found else None
        if not self._ready:
            return None
        self._asked += 1
        return self._ready.pop(0)

    # What it shows.

    def _note_curve(self) -> None:
        facts = self.ppo.facts
        if facts.terms_sum is None:
            return
        values = {"learned reward": facts.reward_sum / facts.episodes}
        for name, total in zip(self.task.world.term_names, facts.terms_sum, strict=True):
            values[f"term {name}"] = float(total) / facts.episodes
        if not is_foreign(self.task):
            values |= scores.curve_values(scores.evaluate(self.task, policy_arrays(self.ppo.policy)))
        values |= self._agreement
        answers = self._uses.get("comparison", 0)
        seconds = time.monotonic() - self._began
        self._curve.append(CurvePoint(seconds, self.ppo.num_timesteps, answers, values))

    def snapshot(self) -> Snapshot:
        return Snapshot(
            learner=self.name,
            step=self._step,
            feedback_seq=self._learned_seq,
            env_steps=self.ppo.num_timesteps,
            policy=policy_arrays(self.ppo.policy),
            reward=self.model.arrays(),
            curve=tuple(self._curve),
            questions=tuple(self._ready),
            phase=self.phase,
            uses=dict(self._uses),
        )

    # Stopping and going on.

    def save(self, folder: Path) -> None:
        """The whole learner but for the feedback, which the store has."""
        facts = {
            "step": self._step,
            "env_steps": self.ppo.num_timesteps,
            "bursts": self._bursts,
            "since_fit": self._since_fit,
            "asked": self._asked,
            "pay": self._pay,
            "fitted": sorted(self._fitted),
            "learned_seq": self._learned_seq,
            "agreement": self._agreement,
            "past": [at for at, _ in self.past],
            "random": [self.random.bit_generator.state, self.ppo.random.bit_generator.state],
            "cloner": self.cloner.state(),
            "reward": self.model.facts(),
        }
        arrays = checkpoint.policy_state(self.ppo.policy, self.ppo.policy.optimizer)
        arrays |= self.model.state()
        for index, (_, policy) in enumerate(self.past):
            arrays |= checkpoint.layer_arrays(f"past.{index}", policy.layers)
        sim = self.env.simulation
        arrays |= {"sim.states": sim.states, "sim.rng": sim.rng}
        checkpoint.save(folder, self.name, facts, arrays)

    def load(self, folder: Path) -> None:
        facts, arrays = checkpoint.load(folder, self.name)
        checkpoint.restore_policy(self.ppo.policy, self.ppo.policy.optimizer, arrays)
        self.model.restore(facts["reward"], arrays)
        self._step, self._bursts, self._since_fit = facts["step"], facts["bursts"], facts["since_fit"]
        self.ppo.num_timesteps, self._asked = facts["env_steps"], facts["asked"]
        self._fitted = frozenset(facts["fitted"])
        self._seq = self._learned_seq = facts["learned_seq"]
        self._agreement, self._pay = facts["agreement"], facts["pay"]
        self.random.bit_generator.state, self.ppo.random.bit_generator.state = facts["random"]
        self.cloner.restore(facts["cloner"])
        now = policy_arrays(self.ppo.policy)
        self.past.clear()
        for index, at in enumerate(facts["past"]):
            layers = checkpoint.layers_from(f"past.{index}", arrays)
            self.past.append((at, replace(now, layers=layers)))
        if not is_foreign(self.task):
            every = np.ones(self.env.num_envs, np.bool_)
            self.ppo._last_obs = self.env.simulation.put(every, arrays["sim.states"], arrays["sim.rng"])
