"""The learners by name. Listing them imports no torch; making one does."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from agents.feedback.feedback_kind import ALL_KINDS
from envs.world import Task

if TYPE_CHECKING:
    from agents.learners.base_learner import BaseLearner
    from agents.learners.protocol import Learner

DEFAULT = "joint"
RENAMED_SETTINGS = {"practice": "trainer"}
"""Settings of older versions, and what they are called now."""


class UnknownLearner(ValueError):
    """No learner of that name; the text is a sentence for the person who typed it."""


@dataclass(frozen=True)
class LearnerEntry:
    """A learner as menus and help show it."""

    name: str
    title: str
    about: str
    kinds: frozenset[str]
    """The kinds of feedback it learns from."""
    load: Callable[[], type[BaseLearner]]
    """Imports the learner's class, and with it torch."""


def _joint() -> type[BaseLearner]:
    from agents.learners.joint import JointLearner

    return JointLearner


def _preferences() -> type[BaseLearner]:
    from agents.learners.preferences import PreferencesLearner

    return PreferencesLearner


def _pebble() -> type[BaseLearner]:
    from agents.learners.pebble import PebbleLearner

    return PebbleLearner


def _evaluative() -> type[BaseLearner]:
    from agents.learners.evaluative import EvaluativeLearner

    return EvaluativeLearner


def _bc() -> type[BaseLearner]:
    from agents.learners.bc import CloningLearner

    return CloningLearner


def _dagger() -> type[BaseLearner]:
    from agents.learners.dagger import DaggerLearner

    return DaggerLearner


def _gail() -> type[BaseLearner]:
    from agents.learners.adversarial import GailLearner

    return GailLearner


def _airl() -> type[BaseLearner]:
    from agents.learners.adversarial import AirlLearner

    return AirlLearner


def _maxent() -> type[BaseLearner]:
    from agents.learners.maxent import MaxEntLearner

    return MaxEntLearner


def _cpl() -> type[BaseLearner]:
    from agents.learners.cpl import ContrastiveLearner

    return ContrastiveLearner


def _shaping() -> type[BaseLearner]:
    from agents.learners.shaping import ShapingLearner

    return ShapingLearner


_ENTRIES = (
    LearnerEntry(
        "joint",
        "Everything together",
        "One reward that explains all you did, then practice on it.",
        ALL_KINDS,
        _joint,
    ),
    LearnerEntry(
        "preferences",
        "Rankings only",
        "A reward from what you ranked higher, then practice on it.",
        frozenset({"comparison"}),
        _preferences,
    ),
    LearnerEntry(
        "pebble",
        "Rankings, nothing tried in vain",
        "The same, practising again on all it ever tried whenever the reward changes.",
        frozenset({"comparison"}),
        _pebble,
    ),
    LearnerEntry(
        "evaluative",
        "Rewards only",
        "A reward from your + and -, then practice on it.",
        frozenset({"evaluation"}),
        _evaluative,
    ),
    LearnerEntry(
        "bc",
        "Imitation only",
        "Does what you did at the wheel, and asks no further.",
        frozenset({"demonstration", "correction"}),
        _bc,
    ),
    LearnerEntry(
        "dagger",
        "Imitation, corrected on its own way",
        "Drives as you do, and learns anew from each time you take over.",
        frozenset({"demonstration", "correction"}),
        _dagger,
    ),
    LearnerEntry(
        "gail",
        "Imitation by an adversary",
        "Practises until its steps can't be told from yours.",
        frozenset({"demonstration"}),
        _gail,
    ),
    LearnerEntry(
        "airl",
        "An adversary's reward",
        "The same, with a reward that can be taken to other layouts.",
        frozenset({"demonstration"}),
        _airl,
    ),
    LearnerEntry(
        "maxent",
        "What your driving is best for",
        "The reward under which your drives are likely, exactly where the world is small.",
        frozenset({"demonstration"}),
        _maxent,
    ),
    LearnerEntry(
        "cpl",
        "Rankings straight to a policy",
        "Does more of what you ranked higher, without a reward between.",
        frozenset({"comparison", "correction"}),
        _cpl,
    ),
    LearnerEntry(
        "shaping",
        "Rewards on top",
        "Adds your + and - to the reward that is written.",
        frozenset({"evaluation"}),
        _shaping,
    ),
)
LEARNERS: dict[str, LearnerEntry] = {entry.name: entry for entry in _ENTRIES}


def entry(name: str) -> LearnerEntry:
    """The entry called `name`; raises UnknownLearner."""
    if name not in LEARNERS:
        close = difflib.get_close_matches(name, LEARNERS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"choose one of {', '.join(LEARNERS)}"
        raise UnknownLearner(f"there is no learner {name!r}: {hint}")
    return LEARNERS[name]


def check(name: str, settings: Mapping[str, Any]) -> None:
    """Raise ValueError, a sentence, for settings that the learner called `name` doesn't have."""
    config = entry(name).load().Config
    known = [] if config is None else [field.name for field in fields(config)]
    for setting in settings:
        if setting not in known:
            hint = RENAMED_SETTINGS.get(setting, "")
            close = difflib.get_close_matches(setting, known, n=1)
            if hint in known:
                raise ValueError(f"learner {name!r} has no setting {setting!r}: it is called {hint!r} now")
            what = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known) or 'none'}"
            raise ValueError(f"learner {name!r} has no setting {setting!r}: {what}")


def make(name: str, task: Task, *, seed: int = 0, prior: str = "written", **settings: Any) -> Learner:
    """A fresh learner. `settings` are fields of its configuration. Imports torch.

    Raises UnknownLearner, and ValueError for an unknown prior or setting.
    """
    if prior not in ("written", "none"):
        raise ValueError(f"prior {prior!r} is unknown: choose 'written' or 'none'")
    from agents.torch_runtime import skip_compiler

    skip_compiler()
    check(name, settings)
    return entry(name).load().from_settings(task, seed, prior, settings)
