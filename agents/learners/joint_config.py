"""The settings of `joint`, and the reward and the query manager made of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from gymnasium import spaces

from agents.feedback.principles import Principles
from agents.learners.protocol import Prior
from agents.queries.query_manager import QueryManager
from agents.queries.selection import QueryConfig
from agents.renamed_settings import renamed_settings
from agents.rewards.additive import AdditiveReward
from agents.rewards.base import ChoiceReward
from agents.rewards.linear import LinearReward
from agents.rewards.linear_prior import LinearRewardConfig
from agents.rewards.net import NetConfig, NetReward
from agents.rewards.symmetry import canonical_views
from agents.training.trainer_config import TrainerConfig
from envs.world import Task

MAX_ADDITIVE_INPUTS = 160
"""Observations with at most so many numbers get the additive reward, larger ones a net."""

N_UNNAMED_FIRST_ANSWERS = 10
"""Answers before which questions are about what differs most, in worlds that name nothing."""


@renamed_settings(prior_steps="proxy_steps", cloning="bc_coef", practice="trainer")
@dataclass(frozen=True)
class JointConfig:
    """The settings of `joint` and of the learners built on it."""

    proxy_steps: int | None = None  # environment steps on the written reward first; None: 1,000 episodes
    steps_per_fit: int | None = None  # on one state of the feedback; None: as the reward bears
    curve_every: int = 12  # bursts between two points of the curves
    questions_every: int = 12  # bursts after which the questions are made anew
    bc_coef: float | None = None  # weight of cloning beside PPO; None: 0, and 0.3 where no terms are named
    control: Literal["", "constant", "random"] = ""  # a reward that learns nothing, to compare with
    principles: Principles | None = None  # written rules that answer beside the person
    follow: str = ""  # whose reward, where raters want different things; empty: those whose answers tell most
    model: Literal["terms", "net"] = "terms"  # what the reward is made of; worlds without terms: net
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    reward: LinearRewardConfig = field(default_factory=LinearRewardConfig)
    net: NetConfig = field(default_factory=NetConfig)
    query: QueryConfig = field(default_factory=QueryConfig)


def discrete_actions(task: Task) -> int:
    """The number of actions of a Discrete space; 0 for a Box."""
    space = task.world.action_space
    return int(space.n) if isinstance(space, spaces.Discrete) else 0


def make_query_manager(task: Task, config: JointConfig, seed: int) -> QueryManager:
    """Of a reward that knows no terms none is asked about, and its clips are short."""
    plain, query = config.model == "net" or not task.names_terms, config.query
    query = replace(query, clip_steps=query.short_clip_steps) if plain else query
    if not task.names_terms:
        query = replace(query, n_initial_answers=max(query.n_initial_answers, N_UNNAMED_FIRST_ANSWERS))
    asker = QueryManager(task, query, np.random.default_rng([seed, 1]))
    if plain:
        asker.d_optimal, asker.n_improvement_answers = None, 0
    return asker


def make_reward(task: Task, config: JointConfig, prior: Prior, seed: int) -> ChoiceReward:
    """A reward on the task's named terms, or (model "net", or a task that names no terms) on observations."""
    written = task.proxy_weights
    believed = written if prior == "written" else np.zeros_like(written)
    actions = discrete_actions(task)
    if config.model == "net" or not task.names_terms:
        turns = canonical_views(task.world.symmetries, actions)
        few = len(task.world.obs_names) <= MAX_ADDITIVE_INPUTS
        if few and task.names_terms and (believed.any() or not turns):
            return AdditiveReward(believed, actions, config.net, seed, views=turns)
        net = NetReward(believed, turns, actions, config.net, seed)
        net.obs_ranges = task.obs_ranges
        return net
    usable = np.array([name not in task.hidden_terms for name in task.world.term_names], np.bool_)
    return LinearReward(believed, usable, actions, config.reward, seed, task.world.obs_names)
