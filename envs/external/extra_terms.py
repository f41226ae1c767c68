"""Terms of somebody else's world beside its reward and its end: numbers of `info`, and what is truly wanted.

info_terms: "auto" for every number that the world puts into `info` at each step, or their names, by commas.
true_reward: `module:function` of (info, obs, action, next obs), or the name of a number of `info`. The
world's own reward is then what a hurried engineer wrote (the proxy); only teachers and scores read this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from envs import extensions
from envs.external.external_errors import ExternalWorldError, call_external
from envs.external.external_task import TRUE_TERM, ExternalTask, Judge
from envs.world import Array, Term

N_OWN_TERMS = 2
"""Its reward and its end, which every such world has."""
N_PROBED_STEPS = 20
"""Steps of random acting in which it is seen what `info` holds."""


@dataclass(frozen=True)
class ExtraTerms:
    """What follows from the options: the terms in order, the true reward's last."""

    info_terms: tuple[str, ...] = ()
    judge: Judge | None = None

    @property
    def terms(self) -> tuple[Term, ...]:
        """As a world names them."""
        named = tuple(Term(name, "units", f"{name}: as the world says in info") for name in self.info_terms)
        true = Term(TRUE_TERM, "points", "what is truly wanted, for teachers and scores alone")
        return named if self.judge is None else (*named, true)


def term_reward(index: int, before: Array, terms: Array, after: Array) -> NDArray[np.float32]:
    """The true reward [T] where it is a term."""
    return np.asarray(terms[:, index], np.float32)


def extra_terms(
    id: str, env: gymnasium.Env[Any, Any], info_terms: str | None, true_reward: str | None
) -> ExtraTerms:
    """What these options of the world mean. Raises ExternalWorldError, a sentence."""
    if not info_terms and not true_reward:
        return ExtraTerms()
    found = call_external(id, "when it was tried out for what info holds", lambda: _numbers_of_info(env))
    names = _named(id, info_terms or "", found)
    judge = _judge(id, true_reward, found) if true_reward else None
    return ExtraTerms(tuple(n for n in names if n != true_reward), judge)


def _numbers_of_info(env: gymnasium.Env[Any, Any]) -> tuple[str, ...]:
    """Names of what is a number in `info` at each of some steps, in the order of the first."""
    env.reset(seed=0)
    env.action_space.seed(0)
    found: dict[str, None] | None = None
    for _ in range(N_PROBED_STEPS):
        _, _, terminated, truncated, info = env.step(env.action_space.sample())
        mine = {str(name): None for name, value in info.items() if _number(value) is not None}
        found = mine if found is None else {name: None for name in found if name in mine}
        if terminated or truncated:
            env.reset()
    return tuple(found or ())


def _number(value: Any) -> float | None:
    """A finite number, or None for anything else."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if not isinstance(value, Real | np.bool_):
        return None
    number = float(value)
    return number if np.isfinite(number) else None


def _named(id: str, wanted: str, found: tuple[str, ...]) -> tuple[str, ...]:
    if not wanted:
        return ()
    names = found if wanted == "auto" else tuple(name.strip() for name in wanted.split(",") if name.strip())
    taken = {"reward", "ended", TRUE_TERM}
    names = tuple(name for name in dict.fromkeys(names) if wanted != "auto" or name not in taken)
    told = f"numbers that {id} puts into info at each step: {', '.join(found) or 'none'}"
    for name in names:
        if name not in found or name in taken:
            raise ExternalWorldError(f"{name!r} can't be a term; {told}")
    if not names:
        raise ExternalWorldError(f"no terms can be taken from info; {told}: leave --terms out")
    return names


def _judge(id: str, wanted: str, found: tuple[str, ...]) -> Judge:
    if ":" not in wanted:
        if wanted not in found:
            told = ", ".join(found) or "none"
            raise ExternalWorldError(
                f"the true reward {wanted!r} is no number of info in {id}, which has {told} at each step: "
                "name one of them, or module:function"
            )
        return partial(_of_info, wanted)
    try:
        function = extensions.import_object(wanted, must_exist=True)
    except extensions.BrokenExtension as error:
        raise ExternalWorldError(f"the true reward {error}") from error
    if not callable(function):
        raise ExternalWorldError(
            f"the true reward {wanted} is a {type(function).__name__}, not a function of (info, obs, action, "
            "next_obs)"
        )
    given: Callable[..., float] = function
    return given


def _of_info(name: str, info: Mapping[str, Any], obs: Any, action: Any, next_obs: Any) -> float:
    return float(info[name])


def further_terms(
    task: ExternalTask, info: Mapping[str, Any], obs: Any, action: Any, next_obs: Any
) -> list[float]:
    """The terms after the world's own two for one step; obs as the world shows it, the action as ours."""
    found = [_number(info.get(name)) for name in task.info_terms]
    if None in found:
        missing = task.info_terms[found.index(None)]
        raise ExternalWorldError(
            f"{task.id} put no number called {missing!r} into info in a step: leave it out of --terms"
        )
    judge = task.judge
    if judge is not None:
        given = task.env_action(action)
        paid = call_external(task.id, "in its true reward", lambda: judge(dict(info), obs, given, next_obs))
        number = _number(paid)
        if number is None:
            raise ExternalWorldError(
                f"the true reward of {task.id} gave {paid!r}: it must be a finite number"
            )
        found.append(number)
    return [float(number) for number in found if number is not None]
