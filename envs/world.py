"""The contracts of the lowest floor: what a world, a task and a renderer are.

A World is physics: it steps N rows at once, in compiled code. A Task says what is wanted in a world. It has
two rewards, both made of the world's named terms: the proxy reward is what was written down, with a loophole
in it; the true reward is what is meant, and only synthetic teachers and scores read it. What a learner makes
of a person's feedback is a third reward, which the task does not know.

Shapes of arrays: [N, ...] rows first; K numbers of state, D of observation, M terms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from types import MappingProxyType
from typing import Any, Literal, ParamSpec, Protocol, TypeAlias

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs import kernels

Array = NDArray[Any]
P = ParamSpec("P")
TrueReward = Callable[[Array, Array, Array], NDArray[np.float32]]
Act = Callable[[Array], Array]
"""observations [N, D] -> actions [N] or [N, C]."""
OBS_BOUND = 2.0
"""Every observation of our own worlds lies in -OBS_BOUND..OBS_BOUND (a test of the contract holds it)."""


@dataclass(frozen=True)
class Term:
    """One named component of reward: an event or quantity counted at each step."""

    name: str
    unit: str
    about: str


@dataclass(frozen=True)
class Kernel:
    """A world's compiled loops over rows; outputs are preallocated by the caller.

    reset(params, which[N] bool, rng[N] uint64, states[N,K], aux[N,A]) draws new starts where `which`.
    step(params, actions[N] int64 or [N,C] float32, rng, states, aux, terms[N,M] float32) advances all
    rows in place and overwrites `terms`; the step counter is states[:, World.clock].
    observe(params, states, aux, obs[N,D] float32) overwrites `obs`.
    refresh(params, which, states, aux) rebuilds `aux` (derived, never saved) after states were put.
    """

    reset: Callable[..., None]
    step: Callable[..., None]
    observe: Callable[..., None]
    refresh: Callable[..., None]

    def fastest(self) -> Kernel:
        """The compiled twins once they have been fetched (see envs.kernels), till then these."""
        return Kernel(*(kernels.fastest(one) for one in self))

    def __iter__(self) -> Iterator[Callable[..., None]]:
        return iter((self.reset, self.step, self.observe, self.refresh))


@dataclass(frozen=True)
class WorldHooks:
    """What a world can do besides its kernel. Each is a function that imports what it needs when it is
    called, and None where the world has no such thing.

    renderer(task): what draws the task's states; it may import pygame.
    state_checks(task, states [T+1, K] float64): what may be wrong with states that come from a file, as
    pairs (what is wrong, where it is [T+1] bool).
    best_returns(task, seeds [N]): the best possible returns [N] of the true reward by an exact planner;
    None if it can't plan for this task's true reward or physics.
    planning_expert(task, cautious): the exact planner as a driver (simulation of one row -> action), who
    keeps clear of all harm if cautious; None as above.
    rule_driver(task): a careful driver by rule; None if the task is observed in a way it can't read.
    merge_states(states [N, K]): the states with all set to 0 that changes nothing later, for tables.
    simulation(task, rows, seed, auto_reset, skip_absorbing): what runs N rows, an
    `envs.simulation.AnySimulation`; None where the kernel does.
    keeps_frames(task): whether recordings hold pictures as states, because a replay would differ.
    frames(task, trajectory): the recording's T + 1 pictures [H, W, 3], of a task that draws itself.
    """

    renderer: Callable[[Task], Renderer] | None = None
    state_checks: Callable[[Task, Array], Sequence[tuple[str, Array]]] | None = None
    best_returns: Callable[[Task, Array], Array | None] | None = None
    planning_expert: Callable[[Task, bool], Callable[[Any], Any] | None] | None = None
    rule_driver: Callable[[Task], Act | None] | None = None
    merge_states: Callable[[Array], Array] | None = None
    simulation: Callable[[Task, int, int, bool, bool], Any] | None = None
    keeps_frames: Callable[[Task], bool] | None = None
    frames: Callable[[Task, Any], Iterator[NDArray[np.uint8]]] | None = None


@dataclass(frozen=True)
class World:
    """Physics of one kind of place. `params` is the float64 vector that the kernel reads."""

    name: str
    params: NDArray[np.float64]
    kernel: Kernel
    state_size: int
    state_dtype: type
    aux_size: int
    aux_dtype: type
    obs_names: tuple[str, ...]
    terms: tuple[Term, ...]
    action_space: spaces.Discrete[Any] | spaces.Box
    action_names: tuple[str, ...]
    idle_action: int
    clock: int  # index of the step counter in the state
    steps_per_second: int  # how fast a person drives it [steps/s]
    placements: Callable[[Array], tuple[Array, Array]]
    """placements(state[K]) -> (states[P,K], where[P,2]): the agent put at each place of a grid."""
    agent_position: Callable[[Array], Array]
    """place(states[N,K]) -> [N,2]: where the agent is, in the same coordinates as `where`."""
    symmetries: tuple[tuple[Array, Array], ...] = ()
    """Mirrors and turns, (obs_order [D], action_map [n]): (obs[..., obs_order], action_map[action]) is
    what the same step looks like in the turned world. Empty where there are none."""
    obs_shape: tuple[int, ...] = ()
    """What the D numbers of an observation are when not laid flat: (D,), planes (P, H, W) or a picture
    (H, W, 3). () is (D,)."""
    obs_dtype: type = np.float32
    """np.uint8 for a picture: other people's tools get its bytes, a Simulation shares of 255."""
    hooks: WorldHooks = WorldHooks()

    def __post_init__(self) -> None:
        if not self.obs_shape:
            object.__setattr__(self, "obs_shape", (len(self.obs_names),))

    @property
    def term_names(self) -> tuple[str, ...]:
        return tuple(term.name for term in self.terms)


TaskOption: TypeAlias = "bool | int | float | str | Sequence[TaskOption] | Mapping[str, TaskOption] | None"
"""A value that a task's factory takes: what JSON can hold, because every recording keeps the options."""
NO_OPTIONS: Mapping[str, TaskOption] = MappingProxyType({})


@dataclass(frozen=True)
class Task:
    """What is wanted in a world. Learners never see `true_reward`: only teachers and scores call it."""

    id: str
    title: str
    about: str
    world: World
    horizon: int
    proxy_reward: Mapping[str, float]
    true_reward: TrueReward
    """true_reward(states_before[T,K], terms[T,M], states_after[T,K]) -> reward[T]"""
    done: Callable[[Array], NDArray[np.bool_]]
    """done(states[N,K]) -> whether the whole task has been done as meant, at an episode's last state."""
    keys: Mapping[str, int | Sequence[float]]
    """Key name ('up', 'left', 'space', ...; '' is no key) -> action."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The keywords (`TaskOption`) it was made with (size, split, ...), kept in every recording."""
    factory: Callable[..., Task] | None = field(default=None, compare=False)
    """What made it of `options`; makes it again with others. See `task_factory`."""

    @property
    def can_restore(self) -> bool:
        """Whether a row can be put into a stored state, so that any moment can be forked and replayed."""
        return self.world.state_size > 0

    @property
    def names_terms(self) -> bool:
        """Whether the terms name what can happen, so that a reward can be made of them."""
        return True

    @property
    def default_prior(self) -> Literal["written", "none"]:
        """What a learner begins at unless somebody says otherwise."""
        return "written"

    @property
    def hidden_terms(self) -> frozenset[str]:
        """Names of terms that no learner may use: what only teachers and scores read."""
        return frozenset()

    @property
    def is_costly(self) -> bool:
        """Whether a step takes so long that few rows are run at once: no compiled kernel runs it."""
        return False

    @property
    def ends_early(self) -> bool:
        """Whether an episode may be over before the horizon; the last number observed is then 1."""
        return False

    @property
    def draws_itself(self) -> bool:
        """Whether its simulation makes the pictures, and no renderer draws its states."""
        return False

    @property
    def can_be_shown(self) -> bool:
        """Whether there are pictures of it at all, so that it can be taught in the window."""
        return True

    @property
    def keeps_frames(self) -> bool:
        """Whether recordings hold pictures as states, because a replay would come to other states."""
        hook = self.world.hooks.keeps_frames
        return hook is not None and hook(self)

    @property
    def obs_images(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """The pictures in an observation of D numbers: (index of the first number, shape of the picture)."""
        shape = self.world.obs_shape
        return ((0, shape),) if self.world.obs_dtype is np.uint8 and len(shape) == 3 else ()

    def env_action(self, action: Any) -> Any:
        """An action of the simulation (a number, or float32 [C]) as the task's environment takes it."""
        return action

    def flat_observations(self, observation: Any) -> tuple[NDArray[np.float32], bool]:
        """One observation or a batch, as the task's environment gives them: ([N, D], whether it was one).

        Raises ValueError, a sentence, if the size is wrong.
        """
        world, wide = self.world, len(self.world.obs_names)
        obs = np.asarray(observation, np.float32)
        if world.obs_dtype is np.uint8:
            obs = obs / np.float32(255)
        if obs.size == 0 or obs.size % wide:
            raise ValueError(f"an observation of {self.id} has {wide} numbers, not {obs.size}")
        return obs.reshape(-1, wide), obs.size == wide and obs.ndim == len(world.obs_shape)

    @property
    def obs_ranges(self) -> NDArray[np.float32] | None:
        """How far each number observed may vary, [D]: infinity if nobody says, 0 if it is of order one and to
        be left as it is. None where that is so of all, as in every world of ours."""
        return None

    @property
    def proxy_weights(self) -> NDArray[np.float32]:
        """The written reward as weights over the world's terms, shape [M]."""
        return np.array([self.proxy_reward.get(name, 0.0) for name in self.world.term_names], np.float32)

    def idle_actions(self, rows: int) -> Array:
        """What standing still is, for N rows: actions [N] int64 or [N, C] float32."""
        space = self.world.action_space
        if isinstance(space, spaces.Discrete):
            return np.full(rows, self.keys.get("", self.world.idle_action), np.int64)
        action = np.asarray(self.keys.get("", np.zeros(space.shape)), np.float32)
        return np.stack([action.reshape(space.shape)] * rows)


def task_factory(make: Callable[P, Task]) -> Callable[P, Task]:
    """Decorate a function that makes a task of keywords: the task then knows how it was made."""

    @wraps(make)
    def made(*args: P.args, **kwargs: P.kwargs) -> Task:
        return replace(make(*args, **kwargs), factory=made)

    return made


class Renderer(Protocol):
    """Draws any stored state at any size (lives in `<world>_renderer.py`; only such files import pygame)."""

    @property
    def aspect(self) -> float:
        """Width over height of the picture that it likes best."""
        ...

    def draw(
        self,
        surface: Any,
        rect: Any,
        before: Array,
        after: Array,
        blend: float,
        *,
        overlay: tuple[Array, Array] | None = None,
        ghosts: Sequence[Array] = (),
        trail: Sequence[Array] = (),
    ) -> None:
        """Draw the moment `blend` in [0, 1] between two states into `rect` of a pygame surface.

        overlay: (where[P,2], value[P] in -1..1), the learned reward painted on the world.
        ghosts: other agents in the same layout, drawn translucent, each one state [K] or a pair [2, K]
        that is blended as well. trail: past states, oldest first.
        """
        ...
