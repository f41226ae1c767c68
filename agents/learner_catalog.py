"""The learners by name. Listing them imports no torch; making one does."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any

from agents.feedback.feedback_kind import ALL_KINDS
from envs.world import Task

if TYPE_CHECKING:
    from agents.learners.protocol import Learner

DEFAULT = "joint"


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
    where: str
    """module:Class, imported when one is made."""


_ENTRIES = (
    LearnerEntry(
        "joint",
        "Everything together",
        "One reward that explains all you did, then practice on it.",
        ALL_KINDS,
        "agents.learners.joint:JointLearner",
    ),
    LearnerEntry(
        "preferences",
        "Rankings only",
        "A reward from what you ranked higher, then practice on it.",
        frozenset({"comparison"}),
        "agents.learners.preferences:PreferencesLearner",
    ),
    LearnerEntry(
        "pebble",
        "Rankings, nothing tried in vain",
        "The same, practising again on all it ever tried whenever the reward changes.",
        frozenset({"comparison"}),
        "agents.learners.pebble:PebbleLearner",
    ),
    LearnerEntry(
        "evaluative",
        "Rewards only",
        "A reward from your + and -, then practice on it.",
        frozenset({"evaluation"}),
        "agents.learners.evaluative:EvaluativeLearner",
    ),
    LearnerEntry(
        "bc",
        "Imitation only",
        "Does what you did at the wheel, and asks no further.",
        frozenset({"demonstration", "correction"}),
        "agents.learners.bc:CloningLearner",
    ),
    LearnerEntry(
        "dagger",
        "Imitation, corrected on its own way",
        "Drives as you do, and learns anew from each time you take over.",
        frozenset({"demonstration", "correction"}),
        "agents.learners.dagger:DaggerLearner",
    ),
    LearnerEntry(
        "gail",
        "Imitation by an adversary",
        "Practises until its steps can't be told from yours.",
        frozenset({"demonstration"}),
        "agents.learners.adversarial:GailLearner",
    ),
    LearnerEntry(
        "airl",
        "An adversary's reward",
        "The same, with a reward that can be taken to other layouts.",
        frozenset({"demonstration"}),
        "agents.learners.adversarial:AirlLearner",
    ),
    LearnerEntry(
        "maxent",
        "What your driving is best for",
        "The reward under which your drives are likely, exactly where the world is small.",
        frozenset({"demonstration"}),
        "agents.learners.maxent:MaxEntLearner",
    ),
    LearnerEntry(
        "cpl",
        "Rankings straight to a policy",
        "Does more of what you ranked higher, without a reward between.",
        frozenset({"comparison", "correction"}),
        "agents.learners.cpl:ContrastiveLearner",
    ),
    LearnerEntry(
        "shaping",
        "Rewards on top",
        "Adds your + and - to the reward that is written.",
        frozenset({"evaluation"}),
        "agents.learners.shaping:ShapingLearner",
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


def check(name: str, config: Mapping[str, Any]) -> None:
    """Raise ValueError, a sentence, for settings that the learner called `name` doesn't have."""
    module, kind = entry(name).where.split(":")
    settings = getattr(getattr(import_module(module), kind), "Config", None)
    if settings is None:  # it checks for itself
        return
    known = [field.name for field in fields(settings)]
    for setting in config:
        if setting not in known:
            close = difflib.get_close_matches(setting, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known)}"
            raise ValueError(f"learner {name!r} has no setting {setting!r}: {hint}")


def make(name: str, task: Task, *, seed: int = 0, prior: str = "written", **config: Any) -> Learner:
    """A fresh learner. `config` are fields of its configuration. Imports torch.

    Raises UnknownLearner, and ValueError for an unknown prior or field.
    """
    if prior not in ("written", "none"):
        raise ValueError(f"prior {prior!r} is unknown: choose 'written' or 'none'")
    from agents.torch_runtime import skip_compiler

    module, kind = entry(name).where.split(":")
    skip_compiler()
    made: Learner = getattr(import_module(module), kind).configured(task, seed=seed, prior=prior, **config)
    return made
