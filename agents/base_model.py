"""A learner with the face that users of Stable-Baselines3 know, and the loop around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self, TypedDict, Unpack

import gymnasium
import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from agents import learner_catalog
from agents.feedback.feedback_validation import check_kinds, why_invalid
from agents.feedback.records import Comparison, Question, Record
from agents.io import agent_bundle, sb3_zip
from agents.io.agent_bundle import Agent
from agents.io.safe_files import UnsafeFile
from agents.learner_catalog import DEFAULTS
from agents.learners.protocol import PHASES_BEFORE_QUERIES
from agents.policies.cnn import image_slice
from agents.policies.from_torch import critic_layers
from agents.rl.ppo import PPOConfig
from agents.teachers.synthetic import make_teacher
from agents.teachers.teacher_protocol import Teacher
from agents.training.trainer_config import TrainerConfig
from envs import task_catalog as worlds
from envs.gym_env import TaskEnv
from envs.world import Task

AnswerFunction = Callable[[Question], Comparison]
Callback = BaseCallback | Callable[[dict[str, Any], dict[str, Any]], bool] | None
NO_STEP_LIMIT = 2**62
IMAGE_PPO = PPOConfig(n_envs=8, n_steps=256, batch_size=64, learning_rate=1e-3)
"""A convolution costs more than a step: few rows."""


class ModelOptions(TypedDict, total=False):
    """The keywords of every model; `BaseModel.__init__` says what they are."""

    teacher: str | Teacher | AnswerFunction | None
    answers: int
    prior: str
    seed: int
    device: str
    settings: Mapping[str, Any]


def resolve_task(env: Any) -> Task:
    """The task behind a Task, a Gymnasium id or an environment. ValueError, a sentence, for others."""
    if isinstance(env, Task):
        return env
    if isinstance(env, str):
        return worlds.task(env)
    if isinstance(env, gymnasium.Env):
        if isinstance(env.unwrapped, TaskEnv):
            return env.unwrapped.task
        if env.spec is not None:
            kept = {k: v for k, v in env.spec.kwargs.items() if k != "render_mode"}
            return worlds.task(env.spec.id, **kept)
    raise ValueError(
        f"{env!r} is no world to learn in: give a Gymnasium id, or an environment made by gymnasium.make"
    )


class BaseModel:
    """A learner and the loop around it."""

    name: ClassVar[str]
    supports_images: ClassVar[bool] = True
    """Whether it can look at pictures through convolutions."""

    def __init__(
        self,
        policy: str,
        env: Any,
        *,
        teacher: str | Teacher | AnswerFunction | None = None,
        answers: int = 50,
        prior: str = "",
        seed: int = 0,
        device: str = "auto",
        settings: Mapping[str, Any] = DEFAULTS,
    ) -> None:
        """policy: "MlpPolicy", or "CnnPolicy" for pictures (SB3's NatureCNN). env: see `resolve_task`.
        teacher: a name (`teachbox info`), or your own function from a question to a Comparison, asked
        `answers` times while it learns. device: where the policy is trained, "auto", "cpu" or "cuda" (see
        `agents.torch_runtime`); rewards, worlds and `predict` are on the processor anyway. settings: values
        for fields of the learner's configuration, by name (`learner_catalog.known_settings`)."""
        if policy not in ("MlpPolicy", "CnnPolicy"):
            raise ValueError(
                f"there is no policy {policy!r} here: use 'MlpPolicy', or 'CnnPolicy' for pictures"
            )
        self.task = resolve_task(env)
        if policy == "CnnPolicy":
            settings = self._with_cnn_policy(settings)
        if device != "auto":
            settings = self._with_device(device, settings)
        self.seed, self.answers = seed, answers
        self._teacher: Any = make_teacher(teacher, self.task, seed) if isinstance(teacher, str) else teacher
        self.learner: Any = learner_catalog.make(
            self.name, self.task, seed=seed, prior=prior, settings=self._without_step_limit(settings)
        )
        self._seq = self._n_asked = 0
        self._random = np.random.default_rng([seed, 10])

    def _with_cnn_policy(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """Settings with which it looks at pictures. ValueError, a sentence, if it or its world can't."""
        if not self.supports_images:
            raise ValueError(f"{self.name} takes pictures flat: use 'MlpPolicy', or 'CnnPolicy' with joint")
        image_slice(self.task)
        trainer = settings.get("trainer", TrainerConfig(ppo=IMAGE_PPO))
        return {**settings, "trainer": replace(trainer, ppo=replace(trainer.ppo, policy="CnnPolicy"))}

    def _with_device(self, device: str, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """Settings with which its policy is trained there."""
        trainer = settings.get("trainer", TrainerConfig())
        return {**settings, "trainer": replace(trainer, ppo=replace(trainer.ppo, device=device))}

    def _without_step_limit(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """It practises as long as `learn` says, not as long as feedback is new."""
        known = learner_catalog.known_settings(self.name)
        return {"steps_per_fit": NO_STEP_LIMIT, **settings} if "steps_per_fit" in known else settings

    @property
    def num_timesteps(self) -> int:
        return int(self.learner.snapshot().env_steps)

    def add_feedback(self, records: Sequence[Record]) -> Self:
        """Feedback to learn from. ValueError, a sentence, for what can't be learned from in this world."""
        check_kinds(self.name, self.learner.kinds, records)
        for wrong in filter(None, (why_invalid(self.task, record) for record in records)):
            raise ValueError(wrong)
        self._seq += len(records)
        self.learner.observe(self._seq, records)
        return self

    def learn(self, total_timesteps: int, callback: Callback = None, progress_bar: bool = False) -> Self:
        """So many environment steps more. A callback that returns False ends it, as in SB3.

        A BaseCallback is called after each rollout with the learner's own SB3 model as `model`.
        """
        start = self.num_timesteps
        call = self._callback_function(callback, total_timesteps)
        with open_progress_bar(progress_bar, total_timesteps) as show:
            while (done := self.num_timesteps - start) < total_timesteps:
                self._ask_teacher(done / total_timesteps)
                if not self.learner.step() and not self._has_more_to_do(done / total_timesteps):
                    break
                show(min(self.num_timesteps - start, total_timesteps))
                if not call():
                    break
        if isinstance(callback, BaseCallback):
            callback.on_training_end()
        return self

    def _callback_function(self, callback: Callback, total: int) -> Callable[[], bool]:
        if callback is None:
            return lambda: True
        if not isinstance(callback, BaseCallback):
            return lambda: callback({"self": self}, {}) is not False
        model = self.learner.algorithm
        model._setup_learn(total, None, reset_num_timesteps=False)
        callback.init_callback(model)
        callback.on_training_start({"self": self}, {})
        return callback.on_step

    def _ask_teacher(self, share: float) -> None:
        """Keep up with the teacher: a quarter of the answers at first, the rest evenly as it goes on."""
        if self._teacher is None or "comparison" not in self.learner.kinds:
            return
        if self.learner.snapshot().phase in PHASES_BEFORE_QUERIES:
            return
        due = round(self.answers * min(1.0, 0.25 + share))
        while self._n_asked < due:
            question = self.learner.query()
            if question is None:
                return
            teacher = self._teacher
            self.add_feedback(
                [teacher.compare(question) if isinstance(teacher, Teacher) else teacher(question)]
            )
            self._n_asked += 1

    def _has_more_to_do(self, share: float) -> bool:
        """Whether there is more to do though the learner waits."""
        before = self._n_asked
        self._ask_teacher(share)
        return self._n_asked > before

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[Any, Any]:
        """(action, None) for one observation, (actions, None) for a batch; as the environment takes them."""
        policy = self.learner.snapshot().policy
        if policy is None:
            raise ValueError(f"{self.name} has no policy yet: let it learn first")
        obs, single = self.task.flat_observations(observation)
        if not np.isfinite(obs).all():
            raise ValueError("the observation holds NaN or infinity: nothing can be predicted from it")
        actions = policy.act(obs, None if deterministic else self._random)
        made = [self.task.env_action(action) for action in actions]
        return (made[0] if single else np.array(made)), state

    def save(self, folder: str | Path) -> None:
        """A bundle (see `agents.io.agent_bundle`) in a new folder."""
        agent_bundle.save(
            Path(folder),
            agent_bundle.agent_from_snapshot(
                self.task, self.learner.snapshot(), critic_layers(self.learner.algorithm)
            ),
        )

    @classmethod
    def load(cls, folder: str | Path, env: Any = None, **options: Unpack[ModelOptions]) -> Self:
        """The model of a bundle, ready to predict and to learn on. ValueError, a sentence, if it is none."""
        agent = agent_bundle.load(Path(folder))
        task = resolve_task(env) if env is not None else worlds.task(agent.world, **agent.options)
        agent_bundle.check_compatible(agent, task)
        looks = "MlpPolicy" if agent.policy.eyes is None else "CnnPolicy"
        options["settings"] = {**cls._settings_for_agent(agent), **options.get("settings", DEFAULTS)}
        made = cls(looks, task, **options)
        made._set_policy(agent)
        return made

    @classmethod
    def _settings_for_agent(cls, agent: Agent) -> Mapping[str, Any]:
        """Settings with which its policy has the form of the agent's."""
        return {}

    def _set_policy(self, agent: Agent) -> None:
        try:
            sb3_zip.set_parameters(self.learner.algorithm.policy, agent)
        except UnsafeFile as error:
            hidden = [weight.shape[1] for weight, _ in agent.policy.layers[:-1]]
            raise ValueError(
                f"the bundle's policy has layers of {hidden}, which {self.name} can't go on from ({error})"
            ) from error


@contextmanager
def open_progress_bar(shown: bool, total: int) -> Iterator[Callable[[int], None]]:
    """A function that is told how much of `total` is done; `shown`: it draws a bar."""
    if not shown:
        yield lambda done: None
        return
    from rich.progress import Progress

    with Progress(transient=True) as bar:
        task = bar.add_task("learning", total=total)
        yield lambda done: bar.update(task, completed=done)
